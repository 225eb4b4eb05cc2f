"""Evidence against: the linear members of the classes that make the closed loop slowest.

A linear member ``u_j = s_j y_j`` turns the system into a linear one whose decay rate is the negative of its spectral
abscissa, so it bounds the true rate of the class from above. The search is numerical; the bound that is returned is
rigorous (rational data, root balls).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ..classes.inequalities import LinearMembers
from ..dynamics import LureSystem, ParametricSystem, System
from ..errors import InvalidModelError
from ..exact.elementary import bound_sqrt_below
from ..exact.polynomials import spread
from ..exact.rationals import shorten, show_above, show_below, simplest_near
from .gain_loop import find_gain_loop, find_slope, read_sector
from .member_bounds import Slope, bound_factor, bound_rate, is_large
from .riccati import find_extreme_point

__all__ = ["Witness", "check_witness", "estimate_ceiling", "find_witness"]

_MOST_COMBINATIONS = 5_000
_LONG, _SHORT = 400, 60  # steps of a local search
_FAR = Fraction(1, 10**12)  # stands for the end of a half-line
_PLACES = 9  # values of a parameter between its ends at which members are looked at
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
    rate : Fraction or None
        Continuous time: proved upper bound of the decay rate of this member, hence of every rate that holds for the
        whole class.
    factor : Fraction or None
        Discrete time: proved lower bound of the contraction factor of this member, hence of every factor that holds for
        the whole class.
    at : tuple of (str, Fraction), optional
        Parameters of the system that has this member, in a family of systems.
    """

    slopes: tuple[Slope, ...]
    oracle_names: tuple[str, ...]
    rate: Fraction | None = None
    factor: Fraction | None = None
    at: tuple[tuple[str, Fraction], ...] = ()

    def refutes(self, claimed: Fraction | None) -> bool:
        """Whether this member decays more slowly than the given rate or factor (None: does not converge at all)."""
        if self.factor is not None:
            return self.factor >= 1 if claimed is None else self.factor > claimed
        rate = self.rate or Fraction(0)
        return rate <= 0 if claimed is None else rate < claimed

    def __str__(self) -> str:
        parts = []
        for name, (real, imaginary) in zip(self.oracle_names, self.slopes, strict=True):
            s = (
                shorten(real, most=24)
                if not imaginary
                else f"({shorten(real, most=24)} + {shorten(imaginary, most=24)} i)"
            )
            parts.append(f"{name}: u = {s} y")
        if self.refutes(None):
            verb = "does not converge"
        elif self.factor is not None:
            verb = f"contracts with factor at least {show_below(self.factor)}"
        else:
            verb = f"decays with rate at most {show_above(self.rate or Fraction(0))}"
        where = "".join(f"at {name} = {shorten(value, most=24)} " for name, value in self.at)
        return f"{where}the linear member {', '.join(parts)} {verb}"


def check_witness(system: System, witness: Witness) -> bool:
    """Whether a witness belongs to the classes of a system and its rate is an upper bound there, exactly."""
    if isinstance(system, ParametricSystem):
        return bool(witness.at) and check_witness(system.at(witness.at[0][1]), witness)
    if len(witness.slopes) != len(system.oracles):
        return False
    for (real, imaginary), oracle in zip(witness.slopes, system.oracles, strict=True):
        if not _contains(oracle.linear_members(), real, imaginary):
            return False
    if any(witness.slopes[j] != witness.slopes[system.groups.index(g)] for j, g in enumerate(system.groups)):
        return False  # oracles of one group are one operator
    if system.dt > 0:
        return (
            witness.factor is not None
            and witness.rate is None
            and bound_factor(system, witness.slopes) >= witness.factor
        )
    return witness.rate is not None and witness.factor is None and bound_rate(system, witness.slopes) <= witness.rate


def _contains(m: LinearMembers, real: Fraction, imaginary: Fraction) -> bool:
    if imaginary and m.rotations == "none":
        return False
    if m.rotations == "half-disk" and m.upper is not None and real**2 + imaginary**2 > m.upper**2:
        return False
    if m.rotations == "disk" and m.lower is not None and m.upper is not None:
        centre, radius = (m.lower + m.upper) / 2, (m.upper - m.lower) / 2
        return (real - centre) ** 2 + imaginary**2 <= radius**2
    return (m.lower is None or real >= m.lower) and (m.upper is None or real <= m.upper)


def find_witness(system: System) -> Witness:
    """The slowest linear member that a search over slopes finds, with a rigorous bound of its rate or factor.

    Raises
    ------
    InvalidModelError
        If the dynamics varies with time, so that its members have no rate.
    """
    if isinstance(system, ParametricSystem):
        slowest = _find_slowest(system)[0]
        return replace(find_witness(system.at(slowest)), at=((system.parameter, slowest),))
    if isinstance(system, LureSystem) and system.is_time_varying:
        raise InvalidModelError(f"a linear member has a rate where nothing varies with time, got {system.name!r}")
    loop = _Loop(system)
    extreme = _find_extreme_slope(system, loop.members) if is_large(system) else None
    if extreme is not None:
        slopes: tuple[complex, ...] = (extreme,)
    else:
        slopes = loop.refine(loop.search()[0], effort=_SHORT if is_large(system) else _LONG)
    exact = tuple(_round(slopes[g], loop.members[g]) for g in system.groups)
    if system.dt > 0:
        return Witness(slopes=exact, oracle_names=system.oracle_names, factor=bound_factor(system, exact))
    return Witness(slopes=exact, oracle_names=system.oracle_names, rate=bound_rate(system, exact))


def _find_slowest(system: ParametricSystem) -> tuple[Fraction, float]:
    """Among some values of the parameter, the one whose linear members leave the least open, and how much."""
    ends = [Fraction(-1), 1 - _FAR if system.ends[1] is None else Fraction(1)]
    places = [system.place(t) for t in (*ends, *spread(_PLACES))]
    ceilings = [estimate_ceiling(system.at(s)) for s in places]
    least = int(np.argmin(ceilings))
    return places[least], ceilings[least]


def _find_extreme_slope(system: System, members: list[LinearMembers]) -> complex | None:
    """Where complex members fill a disk or a half-plane the slowest one is known: it meets the extreme point."""
    if len(members) > 1 or members[0].rotations not in {"disk", "half-plane"}:
        return None
    form = read_sector(system)
    loop = None if form is None else find_gain_loop(system, form)
    return None if loop is None else find_slope(system, find_extreme_point(loop).s)


def estimate_ceiling(system: System) -> float:
    """The parameter of the strongest claim that the linear members leave open, numerically: where a search starts."""
    if isinstance(system, ParametricSystem):
        return _find_slowest(system)[1]
    loop = _Loop(system)
    slopes, found = loop.search()
    refined = loop.refine(slopes, effort=_SHORT)
    return found if refined is slopes else float(loop.parameters(np.array([refined]))[0])


class _Loop:
    """The closed loop of a system with linear members, in floating point: one slope per operator."""

    def __init__(self, system: System) -> None:
        plants = [plant for mode in system.modes for plant in mode.vertices]
        first = [system.groups.index(g) for g in range(max(system.groups) + 1)]
        self.members = [system.oracles[j].linear_members() for j in first]
        self.unit = _typical_slope(self.members, plants)
        self.discrete = system.dt > 0
        self.groups = list(system.groups)
        self.plants = [_floats(plant) for plant in plants]

    def parameters(self, slopes: NDArray[np.complex128]) -> NDArray[np.float64]:
        """Parameter of the claim that each row of slopes leaves open: the rate, or ``1 - factor^2``."""
        complex_slopes = slopes[:, self.groups]
        s = complex_slopes if complex_slopes.imag.any() else complex_slopes.real
        found: NDArray[np.float64] = np.full(len(s), np.inf)
        for A, B, C, D in self.plants:
            inside = np.eye(len(D)) - D * s[:, None, :]
            closed = A + (B * s[:, None, :]) @ np.linalg.solve(inside, np.broadcast_to(C, (len(s), *C.shape)))
            eigenvalues = closed[:, 0] if len(A) == 1 else np.linalg.eigvals(closed)
            if self.discrete:
                radius = np.abs(eigenvalues).max(axis=1)
                left = (1 - radius) * (1 + radius)
            else:
                left = -eigenvalues.real.max(axis=1)
            np.minimum(found, left, out=found)
        return found

    def search(self) -> tuple[tuple[complex, ...], float]:
        """The slowest combination of candidates, and what it leaves open.

        All are tried while they are few, else one operator at a time.
        """
        seeds = [_candidates(m, self.unit) for m in self.members]
        if math.prod(map(len, seeds)) <= _MOST_COMBINATIONS:
            grid = np.stack([axis.ravel() for axis in np.meshgrid(*seeds, indexing="ij")], axis=1)
            left = self.parameters(grid)
            slowest = int(np.argmin(left))
            return tuple(grid[slowest]), float(left[slowest])
        ends = []
        for start in range(3):  # all at the first candidate, all in the middle, all at the last
            slopes = [options[start * (len(options) - 1) // 2] for options in seeds]
            for _ in range(3):
                for j, options in enumerate(seeds):
                    tried = np.array([[*slopes[:j], s, *slopes[j + 1 :]] for s in options])
                    slopes[j] = options[int(np.argmin(self.parameters(tried)))]
            ends.append(tuple(slopes))
        left = self.parameters(np.array(ends))
        slowest = int(np.argmin(left))
        return ends[slowest], float(left[slowest])

    def refine(self, best: tuple[complex, ...], *, effort: int = _LONG) -> tuple[complex, ...]:
        """Local search over coordinates that keep each slope inside its class; nothing to do at a vertex of the box."""
        if all(_is_corner(s, m) for s, m in zip(best, self.members, strict=True)) and effort < _LONG:
            return best
        start = [v for s, m in zip(best, self.members, strict=True) for v in _coordinates(s, m, self.unit)]

        def slopes(v: NDArray[np.float64]) -> tuple[complex, ...]:
            return tuple(_slope(v[2 * j], v[2 * j + 1], m, self.unit) for j, m in enumerate(self.members))

        def cost(v: NDArray[np.float64]) -> float:
            return float(self.parameters(np.array([slopes(v)]))[0])

        found = minimize(
            cost,
            np.array(start),
            method="Nelder-Mead",
            options={"xatol": 1e-10, "fatol": 1e-14, "maxiter": effort * len(self.members)},
        )
        refined = slopes(found.x)
        both = self.parameters(np.array([best, refined]))
        return refined if both[1] < both[0] else best


def _is_corner(s: complex, m: LinearMembers) -> bool:
    """Whether a slope is an end of its interval, where a search along the interval cannot improve it."""
    return not s.imag and (m.upper is None or s.real in (float(m.lower or 0), float(m.upper)))


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
            reals += [low * (high / low) ** (k / 8) for k in range(1, 8)]
    found = [complex(r) for r in reals]
    if m.rotations == "disk" and m.upper is not None:
        centre = low + radius
        found += [centre + radius * np.exp(1j * a) for a in np.linspace(0, np.pi, 17)[1:-1]]
    elif m.rotations == "half-disk" and m.upper is not None:
        found += [complex(r, np.sqrt(float(m.upper) ** 2 - r**2)) for r in reals]
    elif m.rotations == "half-plane":
        found += [complex(low, unit * 10.0**k) for k in (-3, -2, -1, 0, 1, 2, 3)]
    return found


def _floats(plant: LureSystem) -> tuple[NDArray[np.float64], ...]:
    return tuple(np.array(m, dtype=float) for m in (plant.A, plant.B, plant.C, plant.D))


def _coordinates(s: complex, m: LinearMembers, unit: float) -> tuple[float, float]:
    low = float(m.lower or 0)
    if m.upper is None:
        return float(np.log(max(s.real - low, 1e-9 * unit) / unit)), s.imag / unit
    width = float(m.upper) - low
    centre = low + width / 2
    radius = min(abs(s - centre) / (width / 2), 1.0) if width else 0.0
    if m.rotations == "disk":
        return float(np.arcsin(radius)), float(np.angle(s - centre))
    if m.rotations == "half-disk" and width:
        most = np.sqrt(max(float(m.upper) ** 2 - s.real**2, 0.0))
        turn = float(np.arcsin(np.clip(s.imag / most, -1, 1))) if most else 0.0
        return float(np.arcsin(np.clip((s.real - centre) / (width / 2), -1, 1))), turn
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
    if m.rotations == "half-disk":
        real = float(centre + half * np.sin(a))
        return complex(real, np.sqrt(max(float(m.upper) ** 2 - real**2, 0.0)) * np.sin(b))
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
    elif m.rotations == "half-disk" and m.upper is not None:
        room = m.upper**2 - real**2
    else:
        return real, imaginary
    largest = bound_sqrt_below(max(room, Fraction(0)))
    return real, max(-largest, min(largest, imaginary))
