"""An independent attempt to refute a proved rate or factor by a linear member.

Linear members act on the plane, so that two oracles need not commute: symmetric matrices for functions, scaled
rotations and reflections for operators, projections for indicators. Floating point searches for the slowest; where it
comes near the claim, the closed loop is formed again in rationals and its eigenvalues are enclosed by ball arithmetic.
Of lyapflow only the data of the system and of the claim are used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np
from scipy.optimize import minimize

import lyapflow as lf

__all__ = ["LinearAttack", "attack_by_linear_member", "close", "enclose"]

_PER_ORACLE = 4  # coordinates in [0, 1] of a member
_SAMPLES, _REFINED = 120, 200
_NEAR = 1e-7  # relative distance from the claim below which only rationals decide
_BITS = 256

Number = Callable[[object], Any]
Array = np.ndarray


# --- linear members of the plane -------------------------------------------------------------------------------------


def _turn(w: Any) -> tuple[Any, Any]:
    """A point of the upper half circle, rational where w is."""
    p, q = w, 1 - w
    size = p * p + q * q
    return (q * q - p * p) / size, 2 * p * q / size


def _symmetric(a: Any, b: Any, w: Any) -> list[list[Any]]:
    """Eigenvalues a and b, axes turned."""
    c, s = _turn(w)
    return [[c * c * a + s * s * b, c * s * (a - b)], [c * s * (a - b), s * s * a + c * c * b]]


def _ball(centre: Any, radius: Any, v: Sequence[Any]) -> list[list[Any]]:
    """``centre I + radius Q`` with Q a shrunk rotation or reflection: norm at most `radius` around the centre."""
    c, s = _turn(v[1])
    c, s, sign = radius * v[0] * c, radius * v[0] * s, 1 if v[2] < 0.5 else -1
    return [[centre + c, -sign * s], [s, centre + sign * c]]


def _half_disk(low: Any, radius: Any, v: Sequence[Any]) -> list[list[Any]]:
    """A rotation, shrunk to a length of at most `radius`, whose real part is at least `low`."""
    cosine = float(low / radius)
    tangent = ((1 - cosine) / (1 + cosine)) ** 0.5  # of half the largest angle; a little less, to stay inside
    widest = type(low)(tangent / (1 + tangent) * (1 - 1e-12))
    c, s = _turn(widest * v[1])
    least = low / (radius * c)
    length = radius * (least + v[0] * (1 - least))
    return [[length * c, -length * s], [length * s, length * c]]


def _unbounded(w: Any) -> Any:
    """From 0 to 160, the stand-in for infinity where an operator itself is needed."""
    return 10 * w / (Fraction(17, 16) - w if isinstance(w, Fraction) else 17 / 16 - w)


def _operator(oracle: object, v: Sequence[Any], number: Number) -> list[list[Any]]:
    """A linear member of a class."""
    match oracle:
        case lf.SmoothStronglyConvex(mu=low, L=high) | lf.Quadratic(mu=low, L=high):
            low, high = number(low), number(high)
        case lf.GradientDominated(mu=low, L=high):
            low, high = number(low), number(high)
        case lf.SmoothConvex(L=high):
            low, high = number(0), number(high)
        case lf.Lipschitz(L=radius):
            return _ball(number(0), number(radius), v)
        case lf.Cocoercive(beta=beta):
            return _ball(1 / (2 * number(beta)), 1 / (2 * number(beta)), v)
        case lf.SectorBounded(lower=low, upper=high):
            return _ball((number(low) + number(high)) / 2, (number(high) - number(low)) / 2, v)
        case lf.SlopeRestricted(lower=low, upper=high):  # entry by entry: no axes but these
            low, width = number(low), number(high) - number(low)
            return [[low + v[0] * width, number(0)], [number(0), low + v[1] * width]]
        case lf.Monotone() | lf.StronglyMonotone():
            low, t = number(getattr(oracle, "mu", 0)), _unbounded(v[2])
            return [[low + _unbounded(v[0]), -t], [t, low + _unbounded(v[1])]]
        case lf.Intersection(parts=(lf.StronglyMonotone(mu=low), lf.Lipschitz(L=radius))):
            return _half_disk(number(low), number(radius), v)
        case lf.ConvexIndicator() | lf.SupportFunction():  # of the whole space, and of the origin
            return [[number(0), number(0)], [number(0), number(0)]]
        case lf.Convex() | lf.StronglyConvex():
            low = number(getattr(oracle, "mu", 0))
            return _symmetric(low + _unbounded(v[0]), low + _unbounded(v[1]), v[2])
        case _:
            raise TypeError(f"no linear members are known here for {oracle!r}")
    return _symmetric(low + v[0] * (high - low), low + v[1] * (high - low), v[2])


def _resolvent(oracle: object, step: Any, v: Sequence[Any], number: Number) -> list[list[Any]]:
    """``(I + step M)^-1`` of a linear member, or linear relation, M."""
    match oracle:
        case lf.ConvexIndicator() | lf.SupportFunction():  # projections on subspaces
            return _symmetric(number(round(v[0])), number(round(v[1])), v[2])
        case lf.Convex() | lf.StronglyConvex():
            most = 1 / (1 + step * number(getattr(oracle, "mu", 0)))
            return _symmetric((1 - v[0]) * most, (1 - v[1]) * most, v[2])
        case lf.Monotone() | lf.StronglyMonotone():
            half = 1 / (2 * (1 + step * number(getattr(oracle, "mu", 0))))
            return _ball(half, half, v)
    (a, b), (c, d) = _operator(oracle, v, number)
    a, b, c, d = 1 + step * a, step * b, step * c, 1 + step * d
    determinant = a * d - b * c
    return [[d / determinant, -b / determinant], [-c / determinant, a / determinant]]


def close(system: lf.LureSystem, v: Sequence[Any], number: Number) -> Array:
    """The closed loop on the plane, one member for each group of oracles; exact where `number` is `Fraction`."""
    kind = object if number is Fraction else float
    A, B, C, D = (
        np.array([[number(x) for x in row] for row in m], kind) for m in (system.A, system.B, system.C, system.D)
    )
    eye = np.array([[number(1), number(0)], [number(0), number(1)]], kind)
    outputs: list[Array] = []
    loop = np.kron(A, eye)
    for j, oracle in enumerate(system.oracles):
        group = system.groups[j]
        mine = v[_PER_ORACLE * group : _PER_ORACLE * (group + 1)]
        step = -D[j, j]
        if not step:
            gain = np.array(_operator(oracle, mine, number), kind)
        elif system.groups.count(group) == 1:
            gain = (eye - np.array(_resolvent(oracle, step, mine, number), kind)) / step
        else:  # the same operator with several steps: no relations
            H = np.array(_operator(oracle, mine, number), kind)
            (a, b), (c, d) = eye + step * H
            gain = H @ np.array([[d, -b], [-c, a]], kind) / (a * d - b * c)
        point = np.kron(C[j : j + 1], eye)
        for i in range(j):
            point = point + D[j, i] * outputs[i]
        outputs.append(gain @ point)
        loop = loop + np.kron(B[:, j : j + 1], outputs[-1])
    return loop


def _close_primal_dual(system: lf.PrimalDualSystem, v: Sequence[Any], number: Number) -> Array:
    """``x' = -(H + a E'E) x - E' w``, ``w' = gain E x``, with turned axes for H."""
    kind = object if number is Fraction else float
    E = np.array([[number(x) for x in row] for row in system.constraint], kind)
    m, n = E.shape
    low, high = number(system.oracle.mu), number(system.oracle.L)
    H = np.array([[low + v[i] * (high - low) if i == j else number(0) for j in range(n)] for i in range(n)], kind)
    for i in range(n - 1):
        c, s = _turn(v[n + i])
        turn = np.array([[number(int(row == column)) for column in range(n)] for row in range(n)], kind)
        turn[i, i], turn[i, i + 1], turn[i + 1, i], turn[i + 1, i + 1] = c, -s, s, c
        H = turn @ H @ turn.T
    gain, a = number(system.dual_gain), number(system.augmentation)
    nothing = np.array([[number(0)] * m] * m, kind)
    return np.block([[-H - a * (E.T @ E), -E.T], [gain * E, nothing]])


# --- the slowest of them ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class LinearAttack:
    """What the slowest linear member found says about a claim.

    Attributes
    ----------
    slack : float
        How much faster than the claim that member is, relative to the size of its loop; in floating point.
    verdict : str
        ``"slower"``: refuted, rigorously. ``"equal"``: too near for 256 bits, as where both are one number.
        ``"faster"``: the claim stands.
    """

    slack: float
    verdict: str


def attack_by_linear_member(certificate: lf.Certificate, rng: np.random.Generator) -> LinearAttack:
    """Search the linear members for one that is slower than a certificate claims."""
    system, discrete = certificate.system, bool(certificate.system.dt)
    claim = certificate.factor if discrete else -certificate.rate
    if isinstance(system, lf.PrimalDualSystem):
        form, size = _close_primal_dual, 2 * system.shape[0]
    else:
        form, size = close, _PER_ORACLE * len(system.oracles)

    def speed(v: Array) -> float:
        values = np.linalg.eigvals(form(system, np.clip(v, 0, 1).tolist(), float))
        return float(np.abs(values).max() if discrete else values.real.max())

    ends = rng.integers(0, 2, (_SAMPLES, size))
    starts = np.where(rng.random((_SAMPLES, size)) < 0.6, ends, rng.random((_SAMPLES, size)))
    best = max(starts, key=speed)
    found = minimize(
        lambda v: -speed(v), best, method="Nelder-Mead", options={"maxfev": _REFINED, "xatol": 1e-9, "fatol": 1e-13}
    )
    candidates = [best, np.clip(found.x, 0, 1), np.round(np.clip(found.x, 0, 1))]
    v = max(candidates, key=speed)
    scale = 1.0 if discrete else float(np.abs(form(system, v.tolist(), float)).max())
    slack = (float(claim) - speed(v)) / scale
    if slack > _NEAR:
        return LinearAttack(slack=slack, verdict="faster")
    verdicts = {
        enclose(form(system, [Fraction(x) for x in c.tolist()], Fraction), claim, discrete=discrete) for c in candidates
    }
    return LinearAttack(slack=slack, verdict=next(w for w in ("slower", "equal", "faster") if w in verdicts))


def enclose(loop: Array, claim: Fraction, *, discrete: bool) -> str:
    """Whether the spectral radius (the abscissa) of a rational matrix is above the claim, below, or not to be told."""
    with flint.ctx.workprec(_BITS):
        entries = [[flint.acb(flint.fmpq(x.numerator, x.denominator)) for x in row] for row in loop]
        limit = flint.arb(flint.fmpq(claim.numerator, claim.denominator))
        try:
            values = flint.acb_mat(entries).eig(multiple=True)
        except ValueError:
            return "equal"
        sizes = [abs(value) if discrete else value.real for value in values]
        if any(size > limit for size in sizes):
            return "slower"
        return "faster" if all(size < limit for size in sizes) else "equal"
