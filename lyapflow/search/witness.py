"""Evidence against: the linear members of the classes that make the closed loop slowest.

A linear member ``u_j = s_j y_j`` turns the system into a linear one whose decay rate is the negative of its spectral
abscissa, so it bounds the true rate of the class from above. The search is numerical; the bound that is returned is
rigorous (rational data, root balls).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ..classes.inequalities import LinearMembers
from ..dynamics import LureSystem, PrimalDualSystem, System
from ..errors import InvalidModelError
from ..exact.enclosures import bound_abscissa, bound_sqrt_below
from ..exact.matrices import Matrix, add, identity, inverse, kronecker, multiply, scale
from ..exact.rationals import shorten, show_above, simplest_near

__all__ = ["Witness", "check_witness", "find_witness"]

Slope: TypeAlias = tuple[Fraction, Fraction]
Rate: TypeAlias = Callable[[Sequence[complex]], float]
_LARGE = 1e6  # a slope that stands for "no upper bound", relative to the scale of the problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A concrete member of the classes.

    Attributes
    ----------
    slopes : tuple of (real part, imaginary part)
        Of each oracle, ``u_j = s_j y_j``; a complex slope is a scaled rotation of the plane.
    oracle_names : tuple of str
        Names of the oracles.
    rate : Fraction
        Proved upper bound of the decay rate of this member, hence of every rate that holds for the whole class.
    """

    slopes: tuple[Slope, ...]
    oracle_names: tuple[str, ...]
    rate: Fraction

    def refutes(self, rate: Fraction | None) -> bool:
        """Whether this member decays more slowly than the given rate (None: than any positive rate)."""
        return self.rate <= 0 if rate is None else self.rate < rate

    def __str__(self) -> str:
        parts = []
        for name, (real, imaginary) in zip(self.oracle_names, self.slopes, strict=True):
            s = (
                shorten(real, most=24)
                if not imaginary
                else f"({shorten(real, most=24)} + {shorten(imaginary, most=24)} i)"
            )
            parts.append(f"{name}: u = {s} y")
        verb = "does not converge" if self.rate <= 0 else f"decays with rate at most {show_above(self.rate)}"
        return f"the linear member {', '.join(parts)} {verb}"


def check_witness(system: System, witness: Witness) -> bool:
    """Whether a witness belongs to the classes of a system and its rate is an upper bound there, exactly."""
    if len(witness.slopes) != len(system.oracles):
        return False
    for (real, imaginary), oracle in zip(witness.slopes, system.oracles, strict=True):
        if not _contains(oracle.linear_members(), real, imaginary):
            return False
    return _bound_rate(system, witness.slopes) <= witness.rate


def _contains(m: LinearMembers, real: Fraction, imaginary: Fraction) -> bool:
    if imaginary and m.rotations == "none":
        return False
    if m.rotations == "disk" and m.lower is not None and m.upper is not None:
        centre, radius = (m.lower + m.upper) / 2, (m.upper - m.lower) / 2
        return (real - centre) ** 2 + imaginary**2 <= radius**2
    return (m.lower is None or real >= m.lower) and (m.upper is None or real <= m.upper)


def find_witness(system: System) -> Witness:
    """The slowest linear member that a search over slopes finds, with a rigorous bound of its rate."""
    members = [oracle.linear_members() for oracle in system.oracles]
    plants = [plant for mode in system.modes for plant in mode.vertices]
    unit = _typical_slope(members, plants)
    seeds = [_candidates(m, unit) for m in members]
    numeric = [_floats(plant) for plant in plants]

    def rate(slopes: Sequence[complex]) -> float:
        return min(_rate(parts, slopes) for parts in numeric)

    best = _search_grid(seeds, rate)
    best = _refine(best, members, unit, rate)
    exact = tuple(_round(s, m) for s, m in zip(best, members, strict=True))
    return Witness(slopes=exact, oracle_names=system.oracle_names, rate=_bound_rate(system, exact))


def _typical_slope(members: list[LinearMembers], plants: list[LureSystem]) -> float:
    sizes = [abs(float(b)) for m in members for b in (m.lower, m.upper) if b]
    sizes += [1 / abs(float(row[j])) for plant in plants for j, row in enumerate(plant.D) if row[j]]
    return float(np.exp(np.mean(np.log(sizes)))) if sizes else 1.0


def _candidates(m: LinearMembers, unit: float) -> list[complex]:
    low = -_LARGE * unit if m.lower is None else float(m.lower)
    if m.upper is None:
        reals = [low, *(low + unit * 10.0**k for k in (-6, -3, -2, -1, 0, 1, 2, 3, 6))]
        radius = unit
    else:
        high = float(m.upper)
        radius = (high - low) / 2
        reals = [low, *(low + (high - low) * k / 8 for k in range(1, 8)), high]
        if low > 0:
            reals += np.geomspace(low, high, 9)[1:-1].tolist()
    found = [complex(r) for r in reals]
    if m.rotations == "disk" and m.upper is not None:
        centre = low + radius
        found += [centre + radius * np.exp(1j * a) for a in np.linspace(0, np.pi, 17)[1:-1]]
    elif m.rotations == "half-plane":
        found += [complex(low, unit * 10.0**k) for k in (-3, -2, -1, 0, 1, 2, 3)]
    return found


_MOST_COMBINATIONS = 5_000


def _search_grid(seeds: list[list[complex]], rate: Rate) -> tuple[complex, ...]:
    """The slowest combination of candidates: all of them while they are few, else one oracle at a time."""
    if math.prod(map(len, seeds)) <= _MOST_COMBINATIONS:
        return min(itertools.product(*seeds), key=rate)
    ends = []
    for start in range(3):  # all at the first candidate, all in the middle, all at the last
        slopes = [options[start * (len(options) - 1) // 2] for options in seeds]
        for _ in range(3):
            for j, options in enumerate(seeds):
                rates = [rate([*slopes[:j], s, *slopes[j + 1 :]]) for s in options]
                slopes[j] = options[int(np.argmin(rates))]
        ends.append(tuple(slopes))
    return min(ends, key=rate)


def _floats(plant: LureSystem) -> tuple[NDArray[np.float64], ...]:
    return tuple(np.array(m, dtype=float) for m in (plant.A, plant.B, plant.C, plant.D))


def _rate(parts: tuple[NDArray[np.float64], ...], slopes: Sequence[complex]) -> float:
    A, B, C, D = parts
    S = np.diag(np.asarray(slopes, dtype=complex))
    closed = A + B @ S @ np.linalg.solve(np.eye(len(D)) - D @ S, C.astype(complex))
    return float(-np.linalg.eigvals(closed).real.max())


def _refine(best: tuple[complex, ...], members: list[LinearMembers], unit: float, rate: Rate) -> tuple[complex, ...]:
    """Local search over coordinates that keep each slope inside its class."""
    angles = np.array([v for s, m in zip(best, members, strict=True) for v in _coordinates(s, m, unit)])

    def slopes(v: NDArray[np.float64]) -> tuple[complex, ...]:
        return tuple(_slope(v[2 * j], v[2 * j + 1], m, unit) for j, m in enumerate(members))

    def cost(v: NDArray[np.float64]) -> float:
        return rate(slopes(v))

    found = minimize(
        cost,
        angles,
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-14, "maxiter": 400 * len(members)},
    )
    refined = slopes(found.x)
    return refined if rate(refined) < rate(best) else best


def _coordinates(s: complex, m: LinearMembers, unit: float) -> tuple[float, float]:
    low = float(m.lower or 0)
    if m.upper is None:
        return float(np.log(max(s.real - low, 1e-9 * unit) / unit)), s.imag / unit
    width = float(m.upper) - low
    centre = low + width / 2
    radius = min(abs(s - centre) / (width / 2), 1.0) if width else 0.0
    if m.rotations == "disk":
        return float(np.arcsin(radius)), float(np.angle(s - centre))
    return float(np.arcsin(np.clip((s.real - centre) / (width / 2), -1, 1))) if width else 0.0, 0.0


def _slope(a: float, b: float, m: LinearMembers, unit: float) -> complex:
    low = float(m.lower or 0)
    if m.upper is None:
        real = low + unit * float(np.exp(np.clip(a, -20, 14)))
        return complex(real, unit * np.clip(b, -_LARGE, _LARGE)) if m.rotations == "half-plane" else complex(real)
    half = (float(m.upper) - low) / 2
    centre = low + half
    if m.rotations == "disk":
        return complex(centre + half * np.sin(a) * np.exp(1j * b))
    return complex(centre + half * np.sin(a))


def _round(s: complex, m: LinearMembers) -> Slope:
    """A rational slope inside the class, near a float."""
    real = simplest_near(s.real, 1e-9)
    if m.lower is not None:
        real = max(real, m.lower)
    if m.upper is not None:
        real = min(real, m.upper)
    for end in (m.lower, m.upper):
        if end is not None and abs(s.real - float(end)) <= 1e-7 * max(abs(float(end)), 1e-12):
            real = end
    if m.rotations == "none" or abs(s.imag) <= 1e-9 * max(1e-12, abs(s)):
        return real, Fraction(0)
    imaginary = simplest_near(s.imag, 1e-9)
    if m.rotations == "disk" and m.lower is not None and m.upper is not None:
        room = ((m.upper - m.lower) / 2) ** 2 - (real - (m.upper + m.lower) / 2) ** 2
        largest = bound_sqrt_below(max(room, Fraction(0)))
        imaginary = max(-largest, min(largest, imaginary))
    return real, imaginary


def _bound_rate(system: System, slopes: tuple[Slope, ...]) -> Fraction:
    """Rigorous upper bound of the closed loop's decay rate."""
    if system.dt != 0:
        raise InvalidModelError(f"a witness of a decay rate speaks of continuous time (dt = 0), got dt = {system.dt}")
    if isinstance(system, PrimalDualSystem):
        return _bound_modal_rate(system, slopes[0][0])
    return -bound_abscissa(_close(system, slopes))[0]


def _close(plant: LureSystem, slopes: tuple[Slope, ...]) -> Matrix:
    """Closed-loop matrix; complex slopes act on two copies of each signal."""
    parts = [plant.A, plant.B, plant.C, plant.D]
    S: Matrix = tuple(tuple(s[0] if i == j else Fraction(0) for j in range(len(slopes))) for i, s in enumerate(slopes))
    if any(s[1] for s in slopes):
        two = identity(2)
        turn: Matrix = ((Fraction(0), Fraction(-1)), (Fraction(1), Fraction(0)))
        T: Matrix = tuple(
            tuple(s[1] if i == j else Fraction(0) for j in range(len(slopes))) for i, s in enumerate(slopes)
        )
        parts = [kronecker(part, two) for part in parts]
        S = add(kronecker(S, two), kronecker(T, turn))
    A, B, C, D = parts
    loop = inverse(add(identity(len(D)), scale(Fraction(-1), multiply(D, S))))
    return add(A, multiply(multiply(B, S), multiply(loop, C)))


def _bound_modal_rate(system: PrimalDualSystem, k: Fraction) -> Fraction:
    """For ``f = k |x|^2 / 2``: the roots of ``s^2 + (k + a theta) s + eta theta``, theta in each enclosure."""
    rates = [k] if any(mode.label == "null" for mode in system.modes) else []
    for low, high in system.enclosures:
        most = k + system.augmentation * high
        least = k + system.augmentation * low
        inside = max(max(least, Fraction(0)) ** 2 - 4 * system.dual_gain * high, Fraction(0))
        rates.append((most - bound_sqrt_below(inside, digits=18)) / 2)
    return min(rates)
