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
from ..dynamics import LureSystem, Mode, PolytopicSystem, PrimalDualSystem, System
from ..errors import InvalidModelError
from ..exact.dense import dense, scalar
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
from ..exact.spectra import bound_abscissa, bound_radius
from .gain_claims import NoiseAmplification
from .pencil import Condition, Form, Pencil
from .ports import find_inlet, find_outlet

__all__ = [
    "Amplification",
    "assemble_noise",
    "check_noise",
    "has_one_eigenvalue",
    "list_stirred",
    "measure_amplification",
    "measure_variance",
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
    """Whether noise of a system has a stationary variance to speak of.

    Raises
    ------
    InvalidModelError
        If the system is no `LureSystem`, `PolytopicSystem` or `PrimalDualSystem`, its oracles are not all of class
        `Quadratic` (or none: a linear system), input or output have no channels, or white noise goes through to the
        output in continuous time.
    """
    kinds = LureSystem | PolytopicSystem | PrimalDualSystem
    if not isinstance(system, kinds) or not all(type(oracle) is Quadratic for oracle in system.oracles):
        raise InvalidModelError(
            "NoiseAmplification speaks of a LureSystem, a PolytopicSystem or a PrimalDualSystem whose functions are "
            f"all of class Quadratic(mu, L), or which is linear, got {system.name!r}"
        )
    mode = system.modes[0]
    if not find_inlet(system, mode, mode.vertices[0], claim).weight or not find_outlet(system, mode, claim).weight:
        raise InvalidModelError(
            f"NoiseAmplification needs an input and an output, got {claim.input!r} and {claim.output!r} of "
            f"{system.name!r}, one of which has no channels; name 'state', or a Port"
        )
    if system.dt:
        return
    if isinstance(system, LureSystem) and has_one_eigenvalue(system):
        infinite = any(map(any, _close(system, claim, Fraction(1))[3]))
    else:
        parts = [
            (find_outlet(system, mode, claim), list_stirred(mode, find_inlet(system, mode, mode.vertices[0], claim).F))
            for mode in system.modes
        ]
        infinite = any(row[j] for outlet, stirred in parts for row in outlet.J for j in stirred)
    if infinite:
        raise InvalidModelError(
            "white noise must not go straight to the output in continuous time: its variance is infinite"
        )


def has_one_eigenvalue(system: System) -> bool:
    """Whether the variance is a function of one eigenvalue, which is then bounded exactly and without a V.

    That is so for explicit evaluations (``D[j, j] = 0``) of one function, or of none, and at most 6 states.
    """
    if not isinstance(system, LureSystem) or len(set(system.groups)) > 1:
        return False
    return system.shape[0] <= _MOST_STATES and not any(row[j] for j, row in enumerate(system.D))


def list_stirred(mode: Mode, F: Matrix) -> tuple[int, ...]:
    """Oracles whose arguments the noise reaches without delay, by itself (``y = ... + F e``) or through others."""
    found: list[int] = []
    for j, row in enumerate(mode.vertices[0].D):
        if j not in mode.idle and (any(F[j]) or any(row[k] for k in found)):
            found.append(j)
    return tuple(found)


def variance_at(system: LureSystem, claim: NoiseAmplification, s: Fraction) -> Fraction | None:
    """Stationary variance of the output for one eigenvalue and noise of unit intensity, exactly; None if unstable."""
    return measure_variance(*_close(system, claim, s), discrete=system.dt > 0)


def measure_variance(A: Matrix, E: Matrix, H: Matrix, J: Matrix, *, discrete: bool) -> Fraction | None:
    """Stationary variance of the output of a linear system under noise of unit intensity, exactly; None if unstable.

    Parameters
    ----------
    A, E, H, J : Matrix
        State, input, output and feedthrough.
    discrete : bool
        Whether time is.
    """
    return _sum_variance(A, E, H, J, _operator(A, discrete), discrete) if _is_stable(A, discrete) else None


def _sum_variance(A: Matrix, E: Matrix, H: Matrix, J: Matrix, K: Matrix, discrete: bool) -> Fraction:
    n, forcing = len(A), multiply(E, transpose(E))
    X = multiply(inverse(K), tuple((forcing[i][j],) for i in range(n) for j in range(n)))
    grid = tuple(tuple(X[i * n + j][0] for j in range(n)) for i in range(n))
    through = multiply(multiply(H, grid), transpose(H))
    total = sum((through[i][i] for i in range(len(H))), Fraction(0))
    return total + sum((v * v for row in J for v in row), Fraction(0)) if discrete else total


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
        K = _operator(A, system.dt > 0)
        det = determinant(K)
        if not det:  # at so few places that enough are left
            continue
        value = _sum_variance(A, E, H, J, K, system.dt > 0)
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
    if not isinstance(system, LureSystem) or not has_one_eigenvalue(system) or claim.variance is None:
        raise InvalidModelError("assemble_noise needs a LureSystem with one eigenvalue, and a claim with its number")
    found = measure_amplification(system, claim)
    low, high = read_interval(system)
    one_point = low == high
    top, bottom = found.top, found.bottom
    if one_point:  # the interval is a point: t = 0
        top, bottom = (interpolate((Fraction(0),), [[evaluate(p, Fraction(0))]])[0] for p in (top, bottom))
    sign = 1 if evaluate(bottom, Fraction(0)) > 0 else -1
    bottom, top = scale_polynomial(bottom, sign), scale_polynomial(top, sign)
    slack = scale_polynomial(bottom, claim.variance) - top
    stable = _is_stable(_close(system, claim, found.middle)[0], system.dt > 0)
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


def _operator(A: Matrix, discrete: bool) -> Matrix:
    """K in ``K vec(X) = vec(E E')``."""
    one = identity(len(A))
    if discrete:
        return add(kronecker(one, one), scale(Fraction(-1), kronecker(A, A)))
    return scale(Fraction(-1), add(kronecker(A, one), kronecker(one, A)))


def _is_stable(A: Matrix, discrete: bool) -> bool:
    return bound_radius(A)[1] < 1 if discrete else bound_abscissa(A)[1] < 0
