r"""How much a quadratic problem amplifies white noise: an exact rational function of the eigenvalue, bounded exactly.

An eigenvalue s of the Hessian turns the system into :math:`\dot x = A(s)x + E(s)w,\ z = H(s)x`. Where it is stable, the
stationary variance is :math:`J(s) = \mathrm{tr}\,H X H^\top` with :math:`AX + XA^\top + EE^\top = 0` (in discrete time
:math:`X = AXA^\top + EE^\top`, plus the feedthrough). With K(s) the matrix of that linear equation, ``J = N / det K``
for a polynomial N, and both are found by interpolation at more points than their degree.

Three things are decided: stability at one eigenvalue; that ``det K`` has no zero on the interval, so that no
eigenvalue of A(s) meets the imaginary axis (the unit circle) and stability extends to all of it; and
:math:`c\,\det K - N \ge 0` there, times the sign of ``det K``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..classes import Quadratic
from ..dynamics import LureSystem, System
from ..errors import InvalidModelError
from ..exact.dense import dense, scalar
from ..exact.enclosures import bound_abscissa, bound_radius
from ..exact.matrices import (
    Matrix,
    add,
    determinant,
    identity,
    inverse,
    kronecker,
    multiply,
    scale,
    transpose,
    zeros,
)
from ..exact.polynomials import Polynomial, evaluate, interpolate, is_nonnegative, is_positive, spread
from ..exact.polynomials import scale as scale_polynomial
from .gain_claims import NoiseAmplification
from .pencil import Condition, Form, Pencil
from .ports import find_inlet, find_outlet

__all__ = [
    "Amplification",
    "assemble_noise",
    "check_noise",
    "measure_amplification",
    "read_interval",
    "variance_at",
]

_MOST_STATES = 6
_LOOKS = 33


@dataclass(frozen=True, slots=True)
class Amplification:
    """The variance as a rational function ``top / bottom`` of a place t in [-1, 1], with ``s = middle + half t``.

    Attributes
    ----------
    top, bottom : Polynomial
        N and det K.
    middle, half : Fraction
        Of the interval of eigenvalues.
    """

    top: Polynomial
    bottom: Polynomial
    middle: Fraction
    half: Fraction


def check_noise(system: System, claim: NoiseAmplification) -> None:
    """Whether the variance of a system is a function of one eigenvalue.

    Raises
    ------
    InvalidModelError
        If the system is no `LureSystem` of explicit evaluations of one quadratic function (or of none: a linear system)
        with at most 6 states, or white noise goes through to the output in continuous time.
    """
    is_one = isinstance(system, LureSystem) and len(set(system.groups)) <= 1 and not system.is_time_varying
    if not is_one or not all(type(oracle) is Quadratic for oracle in system.oracles):
        raise InvalidModelError(
            "NoiseAmplification speaks of a LureSystem whose oracles are one function of class Quadratic(mu, L), or "
            f"which is linear, got {system.name!r}"
        )
    if not isinstance(system, LureSystem):
        raise TypeError("internal error: a system was not read")
    if any(row[j] for j, row in enumerate(system.D)) or system.shape[0] > _MOST_STATES:
        raise InvalidModelError(
            f"NoiseAmplification needs explicit evaluations (D[j, j] = 0) and at most {_MOST_STATES} states, got "
            f"{system.name!r}"
        )
    feed = _close(system, claim, Fraction(1))[3]
    if not system.dt and any(map(any, feed)):
        raise InvalidModelError(
            "white noise must not go straight to the output in continuous time: its variance is infinite"
        )


def variance_at(system: LureSystem, claim: NoiseAmplification, s: Fraction) -> Fraction | None:
    """Stationary variance of the output for one eigenvalue and noise of unit intensity, exactly; None if unstable."""
    A, E, H, J = _close(system, claim, s)
    if not _is_stable(A, system):
        return None
    n = len(A)
    K = _operator(A, system)
    forcing = multiply(E, transpose(E))
    X = multiply(inverse(K), tuple((forcing[i][j],) for i in range(n) for j in range(n)))
    grid = tuple(tuple(X[i * n + j][0] for j in range(n)) for i in range(n))
    through = multiply(multiply(H, grid), transpose(H))
    total = sum((through[i][i] for i in range(len(H))), Fraction(0))
    if system.dt:
        total += sum((v * v for row in J for v in row), Fraction(0))
    return total


def read_interval(system: LureSystem) -> tuple[Fraction, Fraction]:
    """Ends of the interval of eigenvalues; 0 and 0 for a linear system, which has none."""
    if not system.oracles:
        return Fraction(0), Fraction(0)
    oracle = system.oracles[0]
    if not isinstance(oracle, Quadratic):
        raise TypeError("internal error: the class was not checked")
    return oracle.mu, oracle.L


def measure_amplification(system: LureSystem, claim: NoiseAmplification) -> Amplification:
    """The variance as a rational function of the eigenvalue."""
    low, high = read_interval(system)
    middle, half = (low + high) / 2, (high - low) / 2
    (n, m), steps = system.shape, 2 if system.dt else 1
    count = n * n * m * steps + 4 * m + 1
    tops: list[list[Fraction]] = []
    bottoms: list[list[Fraction]] = []
    places: list[Fraction] = []
    for t in spread(4 * count):
        A, E, H, J = _close(system, claim, middle + (half or Fraction(1)) * t)
        K = _operator(A, system)
        det = determinant(K)
        if not det:  # at so few places that enough are left
            continue
        forcing = multiply(E, transpose(E))
        X = multiply(inverse(K), tuple((forcing[i][j],) for i in range(n) for j in range(n)))
        grid = tuple(tuple(X[i * n + j][0] for j in range(n)) for i in range(n))
        through = multiply(multiply(H, grid), transpose(H))
        value = sum((through[i][i] for i in range(len(H))), Fraction(0))
        if system.dt:
            value += sum((v * v for row in J for v in row), Fraction(0))
        places.append(t)
        tops.append([value * det])
        bottoms.append([det])
        if len(places) == count:
            break
    if len(places) < count:
        raise InvalidModelError(f"{system.name!r} has no stationary variance at any eigenvalue")
    at = tuple(places)
    top, bottom = interpolate(at, tops)[0], interpolate(at, bottoms)[0]
    return Amplification(top, bottom, middle, half or Fraction(1))


def assemble_noise(system: System, claim: NoiseAmplification) -> Pencil:
    """The decisions as a pencil without unknowns: conditions of size one.

    Each is a number that is nonnegative exactly if the decision is positive: how far from the boundary it is at the
    worst place that was looked at, or -1 where a place is not enough to say no.
    """
    check_noise(system, claim)
    if not isinstance(system, LureSystem) or claim.variance is None:
        raise InvalidModelError("assemble_noise needs a LureSystem, and a claim with its number")
    found = measure_amplification(system, claim)
    low, high = read_interval(system)
    one_point = low == high
    top, bottom = found.top, found.bottom
    if one_point:  # the interval is a point: t = 0
        top, bottom = (interpolate((Fraction(0),), [[evaluate(p, Fraction(0))]])[0] for p in (top, bottom))
    sign = 1 if evaluate(bottom, Fraction(0)) > 0 else -1
    bottom, top = scale_polynomial(bottom, sign), scale_polynomial(top, sign)
    slack = scale_polynomial(bottom, claim.variance) - top
    stable = _is_stable(_close(system, claim, found.middle)[0], system)
    looks = (Fraction(-1), *spread(_LOOKS), Fraction(1))
    margins = [Fraction(1) if stable else Fraction(-1)]
    for p, strict in ((bottom, True), (slack, False)):
        holds = is_positive(p) if strict else is_nonnegative(p)
        least = min(evaluate(p, t) for t in looks)
        margins.append(max(least, Fraction(0)) if holds else min(least, Fraction(-1)))
    names = ("stability at the middle of the interval", "stability on the interval", "variance on the interval")
    one = scalar(Fraction(1))
    row = dense([[Fraction(1)]], 1)
    return Pencil(
        unknowns=(),
        nonnegative=(),
        conditions=tuple(
            Condition(
                name=name, signals=("1",), forms=(Form(row, row, ((None, 0, 0, one),), margin),), parameter=Fraction(0)
            )
            for name, margin in zip(names, margins, strict=True)
        ),
        equalities=(),
    )


def _close(system: LureSystem, claim: NoiseAmplification, s: Fraction) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """State, input, output and feedthrough matrices at an eigenvalue."""
    mode = system.modes[0]
    inlet, outlet = find_inlet(system, mode, system, claim), find_outlet(system, mode, claim)
    m = system.shape[1]
    if not m:
        return system.A, inlet.E, outlet.H, zeros(len(outlet.H), len(inlet.weight))
    loop = scale(s, inverse(add(identity(m), scale(-s, system.D))))  # u = loop (C x + F w)
    u_x, u_w = multiply(loop, system.C), multiply(loop, inlet.F)
    return (
        add(system.A, multiply(system.B, u_x)),
        add(inlet.E, multiply(system.B, u_w)),
        add(outlet.H, multiply(outlet.J, u_x)),
        multiply(outlet.J, u_w),
    )


def _operator(A: Matrix, system: LureSystem) -> Matrix:
    """K in ``K vec(X) = vec(E E')``."""
    one = identity(len(A))
    if system.dt:
        return add(kronecker(one, one), scale(Fraction(-1), kronecker(A, A)))
    return scale(Fraction(-1), add(kronecker(A, one), kronecker(one, A)))


def _is_stable(A: Matrix, system: LureSystem) -> bool:
    return bound_radius(A)[1] < 1 if system.dt else bound_abscissa(A)[1] < 0
