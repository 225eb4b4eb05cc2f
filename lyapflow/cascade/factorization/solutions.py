r"""The closed forms of the three subsystems and of P solve their equations: identities proved for every size.

The letters: :math:`E = e^{-\Lambda_2 t}`, :math:`F = e^{-\Lambda_1 t}`, :math:`\Theta = 2\int_0^t e^{-2\Lambda_2 s}ds`,
:math:`R = (I + S_0\Theta)^{-1}`, and for P :math:`D = e^{\Lambda t}`, :math:`\Phi = 2\int_0^t e^{2\Lambda s}ds`,
:math:`K = (I + Z_0^\top\Phi Z_0)^{-1}`. That functions of one diagonal matrix commute, and what their derivatives are,
are the hypotheses.
"""

from __future__ import annotations

from ...exact.identities import Identity
from ...exact.words import Expression, Letter, Rules, differentiate, letter, unit
from .identities import L1, L1_INV, L2, only, word

__all__ = ["state_solutions"]

E, F, THETA = letter("E", "m"), letter("F", "k"), letter("Theta", "m")
R = letter("R", "m", "m")
S0, H0, Y0 = letter("S0", "m"), letter("H0", "m", "k"), letter("Y0", "k")
L, D = letter("L", "n"), letter("D", "n")
Z0, K = letter("Z0", "n", "r"), letter("K", "r")
ONE = unit("m")

# R is a right and a left inverse of I + S0 Theta; its transpose is that of I + Theta S0, which is I - Theta R S0.
_RESOLVENT: Rules = {
    word(S0, THETA, R): ONE - R,
    word(R, S0, THETA): ONE - R,
    (only(R).T,): ONE - THETA * R * S0,
}
_COMMUTING: Rules = {
    word(E, L2): L2 * E,
    word(THETA, L2): L2 * THETA,
    word(THETA, E): E * THETA,
    word(F, L1): L1 * F,
    word(F, L1_INV): L1_INV * F,
    word(L1, L1_INV): unit("k"),
    word(L1_INV, L1): unit("k"),
}
_RULES: Rules = {**_COMMUTING, **_RESOLVENT}
_HYPOTHESES = (
    "E = exp(-L2 t), Theta and L2 commute; E' = -L2 E, Theta' = 2 E^2",
    "F = exp(-L1 t), L1 and its inverse commute; F' = -L1 F",
    "R is the inverse of I + S0 Theta; R' = -R S0 Theta' R",
)
_FLOW: dict[Letter, Expression] = {
    only(E): -(L2 * E),
    only(F): -(L1 * F),
    only(THETA): 2 * (E * E),
    only(R): -2 * (R * S0 * E * E * R),
    **{only(constant): 0 * constant for constant in (S0, H0, Y0, L1_INV)},
}


def state_solutions() -> tuple[Identity, ...]:
    """S(t), H(t), Y(t) and P(t) satisfy their equations, and start where they should."""
    s, h = E * R * S0 * E, E * R * H0 * F
    y = L1_INV + F * (Y0 - L1_INV + H0.T * THETA * R * H0) * F
    return (
        Identity(
            name="transposed resolvent",
            statement="(I + Theta S0) (I - Theta R S0) = I",
            left=(ONE + THETA * S0) * (ONE - THETA * R * S0),
            right=ONE,
            rules={pattern: value for pattern, value in _RESOLVENT.items() if len(pattern) > 1},
            hypotheses=_HYPOTHESES[2:],
        ),
        Identity(
            name="S is symmetric",
            statement="R S0 = (R S0)'",
            left=R * S0,
            right=(R * S0).T,
            rules=_RULES,
            hypotheses=_HYPOTHESES,
        ),
        _claim("S", s, -(L2 * s) - s * L2 - 2 * (s * s), "E R S0 E"),
        _claim("H", h, -(L2 * h) - h * L1 - 2 * (s * h), "E R H0 F"),
        _claim(
            "Y",
            y,
            2 * (unit("k") + h.T * h) - L1 * y - y * L1,
            "L1^-1 + F (Y0 - L1^-1 + H0' Theta R H0) F",
        ),
        _claim_whole(),
        *_state_starts(y),
    )


def _claim(name: str, solution: Expression, right: Expression, said: str) -> Identity:
    return Identity(
        name=f"solution {name}",
        statement=f"{name}(t) = {said} solves the equation of {name}",
        left=differentiate(solution, _FLOW),
        right=right,
        rules=_RULES,
        hypotheses=_HYPOTHESES,
    )


def _claim_whole() -> Identity:
    p = D * Z0 * K * Z0.T * D
    flow = {
        only(D): L * D,
        only(K): -2 * (K * Z0.T * D * D * Z0 * K),
        only(Z0): 0 * Z0,
    }
    return Identity(
        name="solution P",
        statement="P(t) = D Z0 K Z0' D solves P' = L P + P L - 2 P^2",
        left=differentiate(p, flow),
        right=L * p + p * L - 2 * (p * p),
        rules={word(D, L): L * D},
        hypotheses=(
            "D = exp(L t) and L commute; D' = L D",
            "K is the inverse of I + Z0' Phi Z0 with Phi' = 2 D^2, so K' = -K Z0' Phi' Z0 K",
        ),
    )


def _state_starts(y: Expression) -> list[Identity]:
    """At t = 0: E = F = R = I and Theta = 0."""
    start: Rules = {
        word(E): ONE,
        word(F): unit("k"),
        word(R): ONE,
        word(THETA): 0 * THETA,
        word(D): unit("n"),
        word(K): unit("r"),
    }
    said = ("t = 0: E = F = R = D = K = I and Theta = 0",)
    pairs = {
        "S": (E * R * S0 * E, S0),
        "H": (E * R * H0 * F, H0),
        "Y": (y, Y0),
        "P": (D * Z0 * K * Z0.T * D, Z0 * Z0.T),
    }
    return [
        Identity(
            name=f"start {name}", statement=f"{name}(0) = {right}", left=left, right=right, rules=start, hypotheses=said
        )
        for name, (left, right) in pairs.items()
    ]
