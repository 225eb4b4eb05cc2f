"""Linear members of vector oracles whose Hessians are not diagonal: slopes in turned coordinates.

A class of functions of several arguments does not change when their space is turned. So a linear member of the turned
system is one of the system itself, with the Hessian ``Q' diag(slopes) Q``. The search is numerical; the turn that is
returned is orthogonal exactly, as a product of plane rotations with rational entries.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ..dynamics import StackedSystem
from ..exact.matrices import Matrix, identity, multiply
from ..exact.rationals import simplest_near

__all__ = ["find_turns"]

Turns: TypeAlias = tuple[tuple[int, Matrix], ...]

_STARTS = 2
_STEPS = 100
_MOST_ANGLES = 40
"""Beyond, turns are not searched: a local search without derivatives would be slow and find little."""


def find_turns(system: StackedSystem) -> Turns:
    """For each block of several components, an orthogonal matrix whose coordinates hold a slow linear member."""
    search = _Search(system)
    if not search.angles or search.angles > _MOST_ANGLES:
        return ()
    source = np.random.default_rng(0)
    best: tuple[float, NDArray[np.float64]] | None = None
    for _ in range(_STARTS):
        start = np.r_[source.uniform(0, np.pi / 2, search.angles), source.uniform(0, np.pi / 2, search.slopes)]
        found = minimize(search.rate, start, method="Powell", options={"maxfev": _STEPS * len(start), "ftol": 1e-8})
        if best is None or found.fun < best[0]:
            best = (float(found.fun), found.x)
    return () if best is None else search.turn(best[1])


class _Search:
    """Angles and slopes of all blocks as one vector, and the decay rate of the member that they stand for."""

    def __init__(self, system: StackedSystem) -> None:
        self.blocks: list[tuple[int, list[tuple[int, ...]], float, float]] = []
        for block in dict.fromkeys(system.blocks):
            rows = [rows for rows in system.vectors if system.blocks[rows[0]] == block]
            members = system.oracles[rows[0][0]].linear_members()
            if members.lower is not None and members.upper is not None:
                self.blocks.append((block, rows, float(members.lower), float(members.upper)))
        bounded = len(self.blocks) == len(set(system.blocks))
        sizes = [len(rows[0]) for _, rows, _, _ in self.blocks]
        self.angles = sum(p * (p - 1) // 2 for p in sizes) if bounded else 0
        self.slopes = sum(sizes)
        self.A, self.B, self.C = (np.array(m, dtype=float) for m in (system.A, system.B, system.C))

    def rate(self, v: NDArray[np.float64]) -> float:
        """Decay rate of a member."""
        closed = self.A.copy()
        angle, slope = 0, self.angles
        for _, evaluations, low, high in self.blocks:
            p = len(evaluations[0])
            Q = np.eye(p)
            for i, j in combinations(range(p), 2):
                c, s = np.cos(v[angle]), np.sin(v[angle])
                Q[[i, j]] = np.array([[c, -s], [s, c]]) @ Q[[i, j]]
                angle += 1
            hessian = Q.T @ np.diag(low + (high - low) * np.sin(v[slope : slope + p]) ** 2) @ Q
            slope += p
            for rows in evaluations:
                closed += self.B[:, list(rows)] @ hessian @ self.C[list(rows)]
        return float(-np.linalg.eigvals(closed).real.max())

    def turn(self, v: NDArray[np.float64]) -> Turns:
        """The turns alone, exactly orthogonal: each angle by a rational tangent of its half."""
        found: list[tuple[int, Matrix]] = []
        angle = 0
        for block, evaluations, _, _ in self.blocks:
            p = len(evaluations[0])
            Q = identity(p)
            for i, j in combinations(range(p), 2):
                turned = (v[angle] + np.pi) % (2 * np.pi) - np.pi
                t = simplest_near(float(np.tan(turned / 2)), 1e-4) if abs(turned) > 1e-6 else Fraction(0)
                c, s = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
                G = [list(row) for row in identity(p)]
                G[i][i], G[i][j], G[j][i], G[j][j] = c, -s, s, c
                Q = multiply(tuple(map(tuple, G)), Q)
                angle += 1
            if p > 1:
                found.append((block, Q))
        return tuple(found)
