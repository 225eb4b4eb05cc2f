"""The closed loop of a system with linear members in floating point, and the search for the slowest ones."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ..classes.inequalities import LinearMembers
from ..dynamics import LureSystem, System
from ..exact.elementary import bound_sqrt_below
from ..exact.rationals import simplest_near
from .member_bounds import Slope

__all__ = ["LONG", "SHORT", "LinearLoop", "round_slope"]

LONG, SHORT = 400, 60
"""Steps of a local search."""

_MOST_COMBINATIONS = 5_000
_LARGE = 1e6  # a slope that stands for "no upper bound", relative to the scale of the problem


class LinearLoop:
    """The closed loop of a system with linear members, in floating point: one slope per operator."""

    def __init__(self, system: System) -> None:
        plants = [plant for mode in system.modes for plant in mode.vertices]
        first = [system.groups.index(g) for g in range(len(set(system.groups)))]
        self.members = [system.oracles[j].linear_members() for j in first]
        self.unit = _typical_slope(self.members, plants)
        self.discrete = system.dt > 0
        self.groups = list(system.groups)
        self.plants = [_floats(plant) for plant in plants]

    def parameters(self, slopes: NDArray[np.complex128], *, coarse: bool = False) -> NDArray[np.float64]:
        """Parameter of the claim that each row of slopes leaves open: the rate, or ``1 - factor^2``.

        Where that is `coarse`, eigenvalues of two rows come from a formula, with fewer digits where they nearly cancel.
        """
        complex_slopes = slopes[:, self.groups]
        s = complex_slopes if complex_slopes.imag.any() else complex_slopes.real
        find = _pairs if coarse else np.linalg.eigvals
        found: NDArray[np.float64] = np.full(len(s), np.inf)
        for plant in self.plants:
            closed = _close(plant, s)
            eigenvalues = closed[:, 0] if closed.shape[1] == 1 else find(closed)
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
        if not self.members:  # a linear system is its own only member
            return (), float(self.parameters(np.zeros((1, 0), dtype=complex))[0])
        seeds = [_candidates(m, self.unit) for m in self.members]
        if math.prod(map(len, seeds)) <= _MOST_COMBINATIONS:
            grid = _combine(seeds)
            slowest = grid[int(np.argmin(self.parameters(grid, coarse=True)))]
            return tuple(slowest), float(self.parameters(slowest[None])[0])
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

    def refine(self, best: tuple[complex, ...], *, effort: int = LONG) -> tuple[complex, ...]:
        """Local search over coordinates that keep each slope inside its class; nothing to do at a vertex of the box."""
        if not best or (all(map(_is_corner, best, self.members)) and effort < LONG):
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


def _close(plant: tuple[NDArray[np.float64], ...], s: NDArray[Any]) -> NDArray[Any]:
    """``A + B S y / x`` for each row of slopes; D is lower triangular, so inputs follow one from another."""
    A, B, C, D = plant
    closed = np.broadcast_to(A, (len(s), *A.shape)).astype(s.dtype)
    outputs: list[NDArray[Any]] = []
    for j, (row, fed) in enumerate(zip(C, D, strict=True)):
        y = row + sum((fed[k] * outputs[k] for k in np.nonzero(fed[:j])[0].tolist()), np.zeros(1))
        outputs.append(y * (s[:, j] / (1 - fed[j] * s[:, j]))[:, None])
        closed += B[:, j, None] * outputs[j][:, None, :]
    return closed


def _pairs(matrices: NDArray[Any]) -> NDArray[Any]:
    """Eigenvalues of several matrices: those of two rows by the formula."""
    if matrices.shape[1] > 2:
        return np.linalg.eigvals(matrices)
    (a, b), (c, d) = matrices.transpose(1, 2, 0)
    half = (a - d) / 2
    root = np.sqrt(half * half + b * c + 0j)
    middle = (a + d) / 2
    return np.stack([middle - root, middle + root], axis=1)


def _combine(seeds: list[list[complex]]) -> NDArray[np.complex128]:
    """One of each list, in all ways: a row each."""
    after = math.prod(map(len, seeds))
    columns, before = [], 1
    for options in seeds:
        after //= len(options)
        columns.append(np.tile(np.repeat(options, after), before))
        before *= len(options)
    return np.stack(columns, axis=1)


def _is_corner(s: complex, m: LinearMembers) -> bool:
    """Whether a slope is an end of its interval, where a search along the interval cannot improve it."""
    return not s.imag and (m.upper is None or s.real in (float(m.lower or 0), float(m.upper)))


def _typical_slope(members: list[LinearMembers], plants: list[LureSystem]) -> float:
    sizes = [abs(float(b)) for m in members for b in (m.lower, m.upper) if b]
    sizes += [1 / abs(float(row[j])) for plant in plants for j, row in enumerate(plant.D) if row[j]]
    return math.exp(sum(map(math.log, sizes)) / len(sizes)) if sizes else 1.0


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
    n, m = plant.shape
    B, C, D = np.array(plant.B, float), np.array(plant.C, float), np.array(plant.D, float)
    return np.array(plant.A, float), B.reshape(n, m), C.reshape(m, n), D.reshape(m, m)


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


def round_slope(s: complex, m: LinearMembers) -> Slope:
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
