r"""Evidence against a delay: a linear member that is unstable with it.

With slope s the loop :math:`\dot x = Ax + Bu`, :math:`u = s\,Cx(t-\theta)` has the characteristic equation
:math:`\det(\lambda I - A) - s\,q(\lambda)e^{-\lambda\theta} = 0` for one oracle. The delay at which roots cross the
imaginary axis, :math:`s|G(i\omega)| = 1`, is searched in floating point (it is the delay margin of control theory);
that a root lies on the right at a delay a little larger is proved.
"""

from __future__ import annotations

import cmath
from dataclasses import dataclass
from fractions import Fraction
from math import pi

import numpy as np

from ..dynamics import LureSystem, PrimalDualSystem, System
from ..exact.delays import bound_root_abscissa, fit_polynomial
from ..exact.matrices import Matrix, add, determinant, identity, multiply, scale
from ..exact.rationals import shorten, show_below, simplest_between, simplest_near
from ..lmi.delay_claims import DelayTolerance

__all__ = ["DelayWitness", "check_delay_witness", "find_delay_witness"]

_SLOPES = 17
_OUT = 1e-4  # how far above the crossing the witness stands, relatively


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayWitness:
    """A linear member that is unstable with a delay.

    Attributes
    ----------
    slope : Fraction
        Of the oracle, ``u = s y``.
    oracle_name : str
        Name of the oracle.
    delay : Fraction
        At this delay a characteristic root has a positive real part, which is proved.
    abscissa : Fraction
        Proved lower bound of that real part, > 0.
    root : complex
        Where the root is, in floating point.
    crossing : float
        The smallest delay at which a root is on the imaginary axis for this member, in floating point: its delay
        margin.
    """

    slope: Fraction
    oracle_name: str
    delay: Fraction
    abscissa: Fraction
    root: complex
    crossing: float

    def refutes(self, claimed: Fraction | None) -> bool:
        """Whether no claim with a delay as large as this one holds (None: no claim at all)."""
        return claimed is not None and self.delay <= claimed

    def __str__(self) -> str:
        return (
            f"the linear member {self.oracle_name}: u = {shorten(self.slope, most=24)} y is unstable with delay "
            f"{shorten(self.delay, most=24)} (a characteristic root has real part at least {show_below(self.abscissa)})"
        )


def find_delay_witness(system: System, claim: DelayTolerance) -> DelayWitness | None:
    """The linear member that tolerates the least delay among those that are looked at.

    Parameters
    ----------
    system : LureSystem or PrimalDualSystem
        In continuous time, with one oracle that is evaluated at ``y = C x``; of others nothing is found. Of a
        `PrimalDualSystem` only the null space and singular values with rational squares are looked at.
    claim : DelayTolerance
        Its numbers have no say: the member is one that does not converge.

    Returns
    -------
    DelayWitness or None
        A member that is proved to be unstable with its delay; None if none is found.

    Examples
    --------
    The slope 10 does not tolerate pi/20:

    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import gradient_flow
    >>> witness = find_delay_witness(gradient_flow(SmoothStronglyConvex(mu=1, L=10)), DelayTolerance())
    >>> witness.slope, round(witness.crossing, 6)
    (Fraction(10, 1), 0.15708)
    """
    if isinstance(system, PrimalDualSystem):
        members = [find_delay_witness(plant, claim) for plant in _list_plants(system)]
        return min((w for w in members if w is not None), key=lambda w: w.crossing, default=None)
    if not isinstance(system, LureSystem) or len(system.oracles) != 1 or system.dt > 0 or any(system.D[0]):
        return None
    m = system.oracles[0].linear_members()
    low = Fraction(0) if m.lower is None else m.lower
    high = low + 1000 if m.upper is None else m.upper
    grid = [low + (high - low) * Fraction(k, _SLOPES - 1) for k in range(_SLOPES)]
    found = [(crossing, s) for s in grid if (crossing := _find_crossing(system, s)) is not None]
    if not found:
        return None
    (delay, frequency), s = min(found)
    p, q = _characteristic(system, s)
    for out in (_OUT, 1e-3, 1e-2):
        late = simplest_near(delay * (1 + out), out / 4)
        root = _refine(p, q, float(late), 1j * frequency)
        if root is None or root.real <= 0:
            continue
        size = max(abs(root), 1e-300)
        for radius in (1e-9, 1e-7, 1e-5):
            bound = bound_root_abscissa(p, q, late, root, radius * size)
            if bound is not None and bound > 0:
                return DelayWitness(
                    slope=s, oracle_name=system.oracle_names[0], delay=late,
                    abscissa=simplest_between(bound * Fraction(99, 100), bound), root=root, crossing=delay,
                )  # fmt: skip
    return None


def check_delay_witness(system: System, witness: DelayWitness) -> bool:
    """Whether a witness is a member of the class of a system, and unstable, exactly."""
    if isinstance(system, PrimalDualSystem):
        return any(check_delay_witness(plant, witness) for plant in _list_plants(system))
    if not isinstance(system, LureSystem) or len(system.oracles) != 1 or system.dt > 0 or any(system.D[0]):
        return False
    m = system.oracles[0].linear_members()
    if (m.lower is not None and witness.slope < m.lower) or (m.upper is not None and witness.slope > m.upper):
        return False
    p, q = _characteristic(system, witness.slope)
    found = [bound_root_abscissa(p, q, witness.delay, witness.root, r * max(abs(witness.root), 1e-300))
             for r in (1e-9, 1e-7, 1e-5)]  # fmt: skip
    return any(bound is not None and bound >= witness.abscissa > 0 for bound in found)


def _list_plants(system: PrimalDualSystem) -> list[LureSystem]:
    """Modes whose singular value is known exactly, and the null space: a member ``f = s |x|^2 / 2`` acts on each."""
    return [mode.vertices[0] for mode in system.modes if len(mode.vertices) == 1]


def _characteristic(system: LureSystem, s: Fraction) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    """Both p and q in ``p(lambda) + q(lambda) exp(-lambda delay)``: the determinant is affine in ``exp(...)``."""
    n = system.shape[0]
    places = tuple(Fraction(k) for k in range(n + 1))
    loop = scale(s, multiply(system.B, system.C))

    def values(matrix: Matrix) -> tuple[Fraction, ...]:
        return tuple(determinant(add(scale(at, identity(n)), scale(Fraction(-1), matrix))) for at in places)

    p = fit_polynomial(places, values(system.A))
    whole = fit_polynomial(places, values(add(system.A, loop)))
    size = max(len(p), len(whole))
    pad = [(*c, *(Fraction(0),) * (size - len(c))) for c in (p, whole)]
    return p, tuple(b - a for a, b in zip(*pad, strict=True))


def _find_crossing(system: LureSystem, s: Fraction) -> tuple[float, float] | None:
    """Smallest delay with a root on the imaginary axis, and the frequency; None if there is none."""
    p, q = (np.array([float(c) for c in part]) for part in _characteristic(system, s))
    # |p(i w)|^2 = |q(i w)|^2 is a polynomial in w
    powers = [_square(part) for part in (p, q)]
    size = max(map(len, powers))
    above, below = (np.pad(part, (0, size - len(part))) for part in powers)
    difference = above - below
    roots = np.roots(difference[::-1])
    delays: list[tuple[float, float]] = []
    for root in roots:
        if abs(root.imag) < 1e-7 * (1 + abs(root)) and root.real > 1e-12:
            w = float(root.real)
            late = np.polyval(q[::-1], 1j * w)
            if late:
                turn = -np.polyval(p[::-1], 1j * w) / late  # exp(-i w delay)
                delays.append(((-cmath.phase(turn)) % (2 * pi) / w, w))
    return min(delays) if delays else None


def _square(c: np.ndarray) -> np.ndarray:
    """Coefficients of ``|c(i w)|^2`` in w."""
    turned = c * np.array([1j**k for k in range(len(c))])
    return np.real(np.convolve(turned, np.conj(turned)))


def _refine(p: tuple[Fraction, ...], q: tuple[Fraction, ...], delay: float, start: complex) -> complex | None:
    """Newton's method."""
    a, b = (np.polynomial.Polynomial([float(c) for c in part]) for part in (p, q))
    s = start
    for _ in range(60):
        late = cmath.exp(-s * delay)
        value = a(s) + b(s) * late
        slope = a.deriv()(s) + (b.deriv()(s) - delay * b(s)) * late
        if slope == 0:
            return None
        step = value / slope
        s -= step
        if abs(step) <= 1e-15 * abs(s):
            break
    return complex(s)
