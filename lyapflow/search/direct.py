"""The same cone data straight to Clarabel: no modelling layer, no work done twice.

`backend` is the reference and the door to every other solver; this is the fast path. Both answer the same problem, and
a test compares them on every system of the catalogue.
"""

from __future__ import annotations

import clarabel
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix

from .arrays import ConeData
from .backend import Answer

__all__ = ["DirectMarginProblem"]

Array = NDArray[np.float64]

_WORDS = {"Solved": "optimal", "AlmostSolved": "optimal_inaccurate", "PrimalInfeasible": "infeasible"}


class DirectMarginProblem:
    """`MarginProblem` without cvxpy: ``A(p) x + s = b`` with s in a product of cones, x = (unknowns, t), maximise t.

    The rows are laid out once as ``base + p * slope``; a solve adds them up and calls Clarabel.
    """

    def __init__(self, data: ConeData) -> None:
        self._data = data
        unknowns = len(data.names)
        parts = [_equality_rows(data), _signed_rows(data, unknowns)]
        self._cones = [clarabel.ZeroConeT(len(parts[0][0])), clarabel.NonnegativeConeT(len(parts[1][0]))]
        for base, slope in data.blocks:
            parts.append((_block_rows(base, margin=True), _block_rows(slope, margin=False)))
            self._cones.append(clarabel.PSDTriangleConeT(base.shape[1]))
        self._base = np.concatenate([base for base, _ in parts])
        self._slope = np.concatenate([slope for _, slope in parts])
        self._right = np.zeros(len(self._base))
        self._right[len(data.equalities[0])] = 1.0  # all traces and signed unknowns add to 1
        self._cost = np.zeros(unknowns + 1)
        self._cost[-1] = -1.0
        self._settings = clarabel.DefaultSettings()
        self._settings.verbose = False
        self._settings.presolve_enable = False
        self._settings.tol_gap_abs = self._settings.tol_gap_rel = self._settings.tol_feas = 1e-11

    def solve(self, parameter: float) -> Answer:
        """Answer at one parameter value; a solver's failure is a status, never an exception."""
        rows = csc_matrix(self._base + parameter * self._slope)
        quadratic = csc_matrix((len(self._cost), len(self._cost)))
        solver = clarabel.DefaultSolver(quadratic, self._cost, rows, self._right, self._cones, self._settings)
        found = solver.solve()
        word = str(found.status)
        x = np.array(found.x)
        if word not in {"Solved", "AlmostSolved", "InsufficientProgress", "MaxIterations"} or not np.all(
            np.isfinite(x)
        ):
            return Answer(status=_WORDS.get(word, word), margin=None, values=None)
        values = dict(zip(self._data.names, (x[:-1] * self._data.unit).tolist(), strict=True))
        return Answer(status=_WORDS.get(word, word), margin=float(x[-1]), values=values)


def _equality_rows(data: ConeData) -> tuple[Array, Array]:
    """Equalities, and last the normalisation: the sum of all traces and signed unknowns."""
    rows = []
    for part, signed in zip(range(2), (1.0, 0.0), strict=True):
        total = sum((np.trace(block[part], axis1=1, axis2=2) for block in data.blocks), np.zeros(len(data.names)))
        total[list(data.signed)] += signed
        stacked = np.vstack([data.equalities[part], total])
        rows.append(np.hstack([stacked, np.zeros((len(stacked), 1))]))
    return rows[0], rows[1]


def _signed_rows(data: ConeData, unknowns: int) -> tuple[Array, Array]:
    """``y - t >= 0`` for signed unknowns."""
    rows = np.zeros((len(data.signed), unknowns + 1))
    rows[np.arange(len(data.signed)), list(data.signed)] = -1.0
    rows[:, -1] = 1.0
    return rows, np.zeros_like(rows)


def _block_rows(block: Array, *, margin: bool) -> Array:
    """Minus the upper triangle of ``F(y) - t I`` by columns, off-diagonal entries times the square root of 2."""
    size = block.shape[1]
    j, i = np.tril_indices(size)  # pairs i <= j, j outer: the upper triangle by columns
    weight = np.where(i == j, 1.0, np.sqrt(2.0))
    rows = -(block[:, i, j] * weight).T
    return np.hstack([rows, (i == j).astype(float)[:, None] * margin])
