r"""One oracle with one quadratic inequality around a linear plant, as a plant with an uncertainty of gain at most one.

The inequality :math:`q y^2 + 2 s\,yu + r u^2 \ge 0` becomes, by completing the square,

.. math:: x' = A x + B w, \quad z = C x, \quad |w| \le |z|,

the form in which control theory treats a sector of any position. In floating point.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, eigvals, matrix_balance

from ..dynamics import LureSystem, System
from ..exact.dense import fraction, scalar
from ..lmi.groups import list_groups
from ..lmi.templates import QuadraticStorage

__all__ = [
    "Array",
    "GainLoop",
    "SectorForm",
    "close_loop",
    "fails_circle_criterion",
    "find_gain_loop",
    "find_slope",
    "read_sector",
]

Array = NDArray[np.float64]

# Where the frequency response is looked at; never at a real point, where the plant may have a pole on the level.
_ANGLES = 0.999 * np.pi * 10.0 ** np.linspace(-5, 0, 41)
_FREQUENCIES = 10.0 ** np.linspace(-4, 3, 41)
_CLEAR = 1e-3  # relative size of what is positive not only by rounding
_MOST = 10**50  # products of larger numbers leave the range of floating point


@dataclass(frozen=True, slots=True, kw_only=True)
class SectorForm:
    """All that a class says of ``(y, u)`` without function values: ``q y^2 + 2 s y u + r u^2 >= 0``.

    Attributes
    ----------
    q, s, r : Fraction
        Coefficients of the inequality.
    weights : tuple of (multiplier, Fraction)
        The class inequalities that add up to it, by the names of their multipliers.
    """

    q: Fraction
    s: Fraction
    r: Fraction
    weights: tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GainLoop:
    """A plant, in balanced coordinates, in feedback with everything of gain at most one.

    Attributes
    ----------
    A, B, C : arrays, shapes (n, n), (n, 1), (1, n)
        The transformed plant; B and C are of one size.
    discrete : bool
        ``x+ = A x + B w``, or ``x' = A x + B w``.
    units : array, shape (n,)
        Powers of two: a state is ``units`` times the balanced one.
    multiplier : float
        That of the given quadratic inequality, where the one of ``|w| <= |z|`` is 1.
    """

    A: Array
    B: Array
    C: Array
    discrete: bool
    units: Array
    multiplier: float

    def point(self, level: float, at: float) -> complex:
        """The point s at an abscissa and a frequency (in discrete time: at a radius and an angle)."""
        return cmath.rect(level, at) if self.discrete else complex(level, at)

    def gain(self, s: complex) -> float:
        """``|C (s - A)^-1 B|``; infinite where s is an eigenvalue of A."""
        try:
            return abs(complex((self.C @ self.respond(s)).item()))
        except LinAlgError:
            return math.inf

    def respond(self, s: complex) -> NDArray[np.complexfloating]:
        """``(s - A)^-1 B``."""
        return np.linalg.solve(s * np.eye(len(self.A)) - self.A, self.B.astype(complex))

    def spectral_level(self) -> float:
        """Spectral abscissa of A, or its spectral radius."""
        values = eigvals(self.A)
        return float(abs(values).max() if self.discrete else values.real.max())

    def shift(self, level: float) -> tuple[Array, Array]:
        """A and B of the plant for which the level is the boundary of stability."""
        if self.discrete:
            return self.A / level, self.B / level
        return self.A - level * np.eye(len(self.A)), self.B


def read_sector(system: System) -> SectorForm | None:
    """The quadratic inequality of a system with one oracle, or None if the class says more than one, or nothing.

    A class says one thing without function values if it has one inequality in which none occurs, or two in which the
    value has opposite signs: only one combination of those is free of it.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import gradient_flow
    >>> form = read_sector(gradient_flow(SmoothStronglyConvex(mu=1, L=3)))
    >>> form.q / form.r, 2 * form.s / form.r  # (u - y)(3 y - u) >= 0
    (Fraction(3, 1), Fraction(-4, 1))
    """
    if not isinstance(system, LureSystem) or len(system.oracles) != 1:
        return None
    (group,) = list_groups(system, QuadraticStorage(), "decrease")
    values = [sum((value for _, value in inequality.values), Fraction(0)) for _, inequality in group.uses]
    if len(values) == 1 and not values[0]:
        amounts = [Fraction(1)]
    elif len(values) == 2 and values[0] * values[1] < 0:
        amounts = [abs(values[1]), abs(values[0])]
    else:
        return None
    found = dict.fromkeys(("yy", "yu", "uy", "uu"), scalar(Fraction(0)))
    for amount, (_, inequality) in zip(map(scalar, amounts), group.uses, strict=True):
        for ((a, _), (b, _)), coefficient in inequality.products:
            found[a + b] += amount * scalar(coefficient)
    weights = tuple((name, amount) for amount, (name, _) in zip(amounts, group.uses, strict=True))
    cross = fraction(found["yu"] + found["uy"]) / 2
    return SectorForm(q=fraction(found["yy"]), s=cross, r=fraction(found["uu"]), weights=weights)


def fails_circle_criterion(system: System, form: SectorForm, parameter: float) -> bool:
    """Whether no V that is quadratic in the state proves a claim with this parameter, clearly.

    With ``u = 1, y = G(s)`` the form must not be positive for any s on the level of the claim: the circle criterion.
    Seen in floating point, at a few dozen frequencies: it spares a solve and decides nothing.
    """
    (mode,) = system.modes
    A, B, C, D = _floats(mode.vertices[0])
    q, s, r = (float(v) for v in (form.q, form.s, form.r))
    if system.dt > 0:
        points = math.sqrt(1 - parameter) * np.exp(1j * _ANGLES)
    else:
        points = -parameter + 1j * _FREQUENCIES * max(parameter, float(np.abs(A).max()))
    try:
        response = np.linalg.solve(points[:, None, None] * np.eye(len(A)) - A, B.astype(complex))
    except LinAlgError:
        return False
    transfer = (C @ response).ravel() + D
    size = np.abs(transfer)
    value = q * size**2 + 2 * s * transfer.real + r
    return bool((value > _CLEAR * (abs(q) * size**2 + 2 * abs(s) * size + abs(r))).any())


def find_gain_loop(system: System, form: SectorForm) -> GainLoop | None:
    """The loop of a system with one oracle; None if the inequality does not bound u, or some number is too large."""
    (mode,) = system.modes
    (plant,) = mode.vertices
    entries = (v for m in (plant.A, plant.B, plant.C, plant.D) for row in m for v in row)
    if any(abs(v) > _MOST for v in (form.q, form.s, form.r, *entries)):
        return None
    return close_loop(_floats(plant), (float(form.q), float(form.s), float(form.r)), discrete=system.dt > 0)


def _floats(plant: LureSystem) -> tuple[Array, Array, Array, float]:
    A, B, C, D = (np.array(m, dtype=float) for m in (plant.A, plant.B, plant.C, plant.D))
    return A, B, C, float(D.item())


def find_slope(system: System, s: complex) -> complex | None:
    """The slope k for which s is an eigenvalue of the system with ``u = k y``; None where no finite one does it."""
    (mode,) = system.modes
    A, B, C, D = _floats(mode.vertices[0])
    try:
        transfer = complex((C @ np.linalg.solve(s * np.eye(len(A)) - A, B.astype(complex))).item()) + D
    except LinAlgError:
        return None
    return 1 / transfer if transfer and math.isfinite(abs(1 / transfer)) else None


def close_loop(
    plant: tuple[Array, Array, Array, float], form: tuple[float, float, float], *, discrete: bool
) -> GainLoop | None:
    """The loop with an uncertainty of gain one, or None where the inequality does not bound u by the state.

    Parameters
    ----------
    plant : (A, B, C, D), arrays of shapes (n, n), (n, 1), (1, n) and a float
        ``x' = A x + B u``, ``y = C x + D u``.
    form : (q, s, r)
        The inequality ``q y^2 + 2 s y u + r u^2 >= 0``, with ``s^2 > q r``.
    discrete : bool
        ``x+`` in place of ``x'``.

    Examples
    --------
    The sector [1, 3], that is ``-3 y^2 + 4 y u - u^2 >= 0``, around an integrator: ``u = 2 y + w``.

    >>> one = np.ones((1, 1))
    >>> loop = close_loop((0 * one, -one, one, 0.0), (-3.0, 2.0, -1.0), discrete=False)
    >>> loop.A.item(), loop.gain(0j)
    (-2.0, 0.5)
    """
    A, B, C, D = plant
    q, s, r = form
    bound = -(r + 2 * s * D + q * D * D)  # of u^2, where y = C x + D u
    width = s * s - q * r
    if bound <= 0 or width <= 0:
        return None
    A = A + (s + q * D) / bound * B @ C  # u = (s + q D) / bound * C x + w / sqrt(bound)
    B, C = B / math.sqrt(bound), C * math.sqrt(width / bound)
    units = np.array(matrix_balance(A, permute=False, separate=True)[1][0], dtype=float)
    A, B, C = A * units / units[:, None], B / units[:, None], C * units
    sizes = float(np.linalg.norm(B)), float(np.linalg.norm(C))
    even = math.sqrt(sizes[1] / sizes[0]) if min(sizes) > 0 else 1.0
    return GainLoop(A=A, B=B * even, C=C / even, discrete=discrete, units=units, multiplier=1 / even**2)
