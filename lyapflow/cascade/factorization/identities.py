r"""The equations of the three subsystems and of their Lyapunov functions, as identities proved for every size.

In the eigenbasis of M, :math:`Z = V^\top X`, :math:`P = ZZ^\top` and :math:`\Lambda = \operatorname{diag}(\Lambda_1,
-\Lambda_2)`. Every left side is derived here from :math:`\dot X = (M - XX^\top)X` by the product rule; every right
side is what is claimed.
"""

from __future__ import annotations

from ...exact.identities import Identity
from ...exact.words import Expression, Letter, Rules, differentiate, letter, unit

__all__ = ["INVERSES", "only", "state_lyapunov", "state_stages", "word"]


def only(expression: Expression) -> Letter:
    """The letter of an expression that is one letter."""
    ((one,),) = expression.terms
    return one


def word(*letters: Expression) -> tuple[Letter, ...]:
    """The word of some letters."""
    return tuple(map(only, letters))


# Spaces: n for all states, k for the positive eigenvalues, m for the others, r for the columns of X.
M, X, P = letter("M", "n"), letter("X", "n", "r"), letter("P", "n")
L1, L2, L1_INV = letter("L1", "k"), letter("L2", "m"), letter("L1^-1", "k")
Z1, Z2 = letter("Z1", "k", "r"), letter("Z2", "m", "r")
P11, P21, P22, Y = letter("P11", "k"), letter("P21", "m", "k"), letter("P22", "m"), letter("Y", "k")
S, H = letter("S", "m"), letter("H", "m", "k")
ONE = unit("k")

INVERSES: Rules = {word(Y, P11): ONE, word(P11, Y): ONE, word(L1, L1_INV): ONE, word(L1_INV, L1): ONE}
_INVERTIBLE = ("P11 is invertible, with inverse Y",)

# P' = LP + PL - 2P^2 by blocks; the first identities derive it.
_BLOCKS = {
    "P11": L1 * P11 + P11 * L1 - 2 * (P11 * P11 + P21.T * P21),
    "P21": P21 * L1 - L2 * P21 - 2 * (P21 * P11 + P22 * P21),
    "P22": -(L2 * P22) - P22 * L2 - 2 * (P21 * P21.T + P22 * P22),
}
# The subsystems in their own letters; the next identities derive them from the blocks.
_STAGES = {
    only(S): -(L2 * S) - S * L2 - 2 * (S * S),
    only(H): -(L2 * H) - H * L1 - 2 * (S * H),
    only(P11): L1 * P11 + P11 * L1 - 2 * (P11 * (ONE + H.T * H) * P11),
    only(Y): 2 * (ONE + H.T * H) - L1 * Y - Y * L1,
    only(L1_INV): 0 * L1_INV,
}


def state_stages() -> tuple[Identity, ...]:
    """From the flow to P, to its blocks, and to S, H, P11 and the inverse Y of P11."""
    whole = Identity(
        name="P",
        statement="P' = M P + P M - 2 P^2 for P = X X' and X' = (M - X X') X",
        left=differentiate(X * X.T, {only(X): M * X - X * X.T * X}),
        right=M * (X * X.T) + X * X.T * M - 2 * (X * X.T * X * X.T),
    )
    return (whole, *_state_blocks(), *_state_subsystems())


def _state_blocks() -> list[Identity]:
    flow = {
        only(Z1): L1 * Z1 - Z1 * Z1.T * Z1 - Z1 * Z2.T * Z2,
        only(Z2): -(L2 * Z2) - Z2 * Z1.T * Z1 - Z2 * Z2.T * Z2,
    }
    products = {only(P11): Z1 * Z1.T, only(P21): Z2 * Z1.T, only(P22): Z2 * Z2.T}
    return [
        Identity(
            name=f"block {one.name}",
            statement=f"{one.name}' = {_BLOCKS[one.name]} for P = Z Z', Z' = (L - Z Z') Z, L = diag(L1, -L2)",
            left=differentiate(product, flow),
            right=_insert(_BLOCKS[one.name], products),
        )
        for one, product in products.items()
    ]


def _state_subsystems() -> list[Identity]:
    flow = {only(P11): _BLOCKS["P11"], only(P21): _BLOCKS["P21"], only(P22): _BLOCKS["P22"]}
    flow[only(Y)] = -(Y * flow[only(P11)] * Y)
    inside = {only(S): P22 - P21 * Y * P21.T, only(H): P21 * Y}
    stages = {
        "S": (inside[only(S)], "the Schur complement S = P22 - P21 Y P12 moves on its own"),
        "H": (inside[only(H)], "H = P21 Y is driven by S and linear"),
        "P11": (P11, "P11 is driven by H"),
        "Y": (Y, "the inverse Y of P11 is linear, driven by H"),
    }
    found = [
        Identity(
            name=f"stage {name}",
            statement=f"{name}' = {claimed}: {said}",
            left=differentiate(of_blocks, flow),
            right=_insert(claimed, inside),
            rules=INVERSES,
            hypotheses=_INVERTIBLE,
        )
        for (name, (of_blocks, said)), claimed in (
            ((name, stage), next(_STAGES[one] for one in _STAGES if one.name == name)) for name, stage in stages.items()
        )
    ]
    back = {"P21": H * P11, "P22": S + H * P11 * H.T}
    for name, block in (("P21", P21), ("P22", P22)):
        found.append(
            Identity(
                name=f"back-map {name}",
                statement=f"{name} = {back[name]}",
                left=block,
                right=_insert(back[name], inside),
                rules=INVERSES,
                hypotheses=_INVERTIBLE,
            )
        )
    gap = Y - L1_INV
    found.append(
        Identity(
            name="gap of P11",
            statement="P11 - L1 = -P11 (Y - L1^-1) L1",
            left=P11 - L1,
            right=-(P11 * gap * L1),
            rules=INVERSES,
            hypotheses=_INVERTIBLE,
        )
    )
    return found


def state_lyapunov() -> tuple[Identity, ...]:
    """How tr S, half the square of H, and V1 = tr(L1^-1 P11 - I) - log det(L1^-1 P11) change; identities of traces."""
    half = differentiate(H.T * H, _STAGES)
    # d log det P11 = tr(Y P11'), by Jacobi's formula.
    d_v1 = L1_INV * _STAGES[only(P11)] - Y * _STAGES[only(P11)]
    gap = P11 - L1
    return (
        Identity(
            name="decrease of tr S",
            statement="(tr S)' = -2 tr(L2 S) - 2 |S|^2",
            left=_STAGES[only(S)],
            right=-2 * (L2 * S) - 2 * (S * S),
            is_trace=True,
        ),
        Identity(
            name="decrease of H",
            statement="(|H|^2 / 2)' = -tr(H' L2 H) - tr(H L1 H') - 2 tr(H' S H)",
            left=half,
            right=-2 * (H.T * L2 * H) - 2 * (H.T * H * L1) - 4 * (H.T * S * H),
            is_trace=True,
        ),
        Identity(
            name="change of the gap",
            statement="(Y - L1^-1)' = -L1 (Y - L1^-1) - (Y - L1^-1) L1 + 2 H' H",
            left=differentiate(Y - L1_INV, _STAGES),
            right=2 * (H.T * H) - L1 * (Y - L1_INV) - (Y - L1_INV) * L1,
            rules=INVERSES,
            hypotheses=_INVERTIBLE,
        ),
        Identity(
            name="decrease of V1",
            statement="V1' = -2 tr(L1^-1 (P11 - L1)^2) - 2 tr(H P11 L1^-1 (P11 - L1) H')",
            left=d_v1,
            right=-2 * (L1_INV * gap * gap) - 2 * (H.T * H * P11 * L1_INV * gap),
            rules=INVERSES,
            hypotheses=_INVERTIBLE,
            is_trace=True,
        ),
    )


def _insert(expression: Expression, inside: dict[Letter, Expression]) -> Expression:
    """The expression with letters replaced by what they stand for."""
    total = Expression(expression.rows, expression.columns, {})
    for letters, c in expression.terms.items():
        product = unit(expression.rows)
        for one in letters:
            itself = Expression(one.rows, one.columns, {(one,): c / c})
            product = product * (inside[one] if one in inside else inside[one.T].T if one.T in inside else itself)
        total = total + c * product
    return total
