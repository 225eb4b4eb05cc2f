"""The same cone data straight to Clarabel: no modelling layer, no work done twice.

`backend` is the reference and the door to every other solver; this is the fast path. Both answer the same problems, and
a test compares them on every system of the catalogue.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import copy
from functools import cache, lru_cache

import clarabel
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix

from .arrays import Array, ConeData
from .backend import Answer

__all__ = ["DirectMarginProblem", "minimise"]

_WORDS = {"Solved": "optimal", "AlmostSolved": "optimal_inaccurate", "PrimalInfeasible": "infeasible"}
_FLAT = 1e-12
"""A margin that falls more slowly than this with the parameter does not tell where it vanishes."""

_ANSWERED = {"Solved", "AlmostSolved", "InsufficientProgress", "MaxIterations"}


class DirectMarginProblem:
    """`MarginProblem` without cvxpy: ``A(p) x + s = b`` with s in a product of cones, x = (unknowns, t), maximise t.

    The rows are laid out once as ``base + p * slope`` on one sparsity pattern; a solve adds them up and calls Clarabel.
    """

    def __init__(self, data: ConeData) -> None:
        self._data = data
        table = _lay_out(data)
        _, rows, columns = table.shape
        self._program = _Program(
            base=table[0],
            slope=table[1],
            right=_unit_vector(rows, len(data.equalities[0])),
            cost=_unit_vector(columns, columns - 1, -1.0),
            cones=_cones(data),
        )

    def solve(self, parameter: float) -> Answer:
        """Answer at one parameter value; a solver's failure is a status, never an exception."""
        word, x, rise = self._program.solve(parameter)
        if word not in _ANSWERED or not np.all(np.isfinite(x)):
            return Answer(status=_WORDS.get(word, word), margin=None, values=None)
        values = dict(zip(self._data.names, (x[:-1] * self._data.unit).tolist(), strict=True))
        margin = float(x[-1])  # it falls as the cost, its negative, rises
        root = parameter + margin / rise if _FLAT < rise < math.inf else None
        return Answer(status=_WORDS.get(word, word), margin=margin, values=values, root=root)


def minimise(
    data: ConeData, objective: Mapping[str, float], margin: float, parameter: float = 0.0
) -> dict[str, float] | None:
    """Unknowns with the smallest sum of some, weighted in the units of the data, with a margin inside every inequality.

    `ONE` is 1. By the solver's word; None if it has none.
    """
    table, unknowns, scale = _lay_out(data), len(data.names), len(data.equalities[0])
    table[:, scale] = 0
    table[0, scale, unknowns - 1] = data.unit[-1]
    right = -margin * table[0, :, -1]
    right[scale] = 1.0
    program = _Program(
        base=table[0, :, :-1],
        slope=table[1, :, :-1],
        right=right,
        cost=np.array([objective.get(name, 0.0) for name in data.names]),
        cones=_cones(data),
    )
    word, x, _ = program.solve(parameter)
    if word not in {"Solved", "AlmostSolved"} or not np.all(np.isfinite(x)):
        return None
    return dict(zip(data.names, (x * data.unit).tolist(), strict=True))


class _Program:
    """Clarabel's ``min c x`` subject to ``(base + p * slope) x + s = b``, s in the cones."""

    def __init__(self, *, base: Array, slope: Array, right: Array, cost: Array, cones: list[object]) -> None:
        self._rows, self._columns, self._matrix = _pattern(base.shape, ((base != 0) | (slope != 0)).tobytes())
        self._base, self._slope = base[self._rows, self._columns], slope[self._rows, self._columns]
        self._right, self._cost, self._cones = right, cost, cones

    def solve(self, parameter: float) -> tuple[str, Array, float]:
        """Clarabel's word, x, and the derivative of the least cost by p, from the dual solution."""
        matrix = copy(self._matrix)
        matrix.data = self._base + parameter * self._slope
        try:
            solver = clarabel.DefaultSolver(
                _no_quadratic(len(self._cost)), self._cost, matrix, self._right, self._cones, _settings()
            )
            found = solver.solve()
        except BaseException as problem:
            if (
                type(problem).__name__ != "PanicException"
            ):  # how a failure inside Clarabel arrives; it has no public type
                raise
            return "panic", np.full(len(self._cost), np.nan), math.nan
        x, z = np.array(found.x), np.array(found.z)
        with np.errstate(over="ignore", invalid="ignore"):  # where it fails, its numbers may be of any size
            rise = float(z[self._rows] * self._slope @ x[self._columns])
        return str(found.status), x, rise


@lru_cache(maxsize=64)
def _pattern(shape: tuple[int, int], filled: bytes) -> tuple[NDArray[np.intp], NDArray[np.intp], csc_matrix]:
    """Rows and columns of the entries, by columns, and a sparse matrix of that pattern without its numbers."""
    columns, rows = np.nonzero(np.frombuffer(filled, dtype=bool).reshape(shape).T)
    starts = np.searchsorted(columns, np.arange(shape[1] + 1))
    return rows, columns, csc_matrix((np.zeros(len(rows)), rows, starts), shape=shape)


@cache
def _no_quadratic(size: int) -> csc_matrix:
    return csc_matrix((size, size))


@cache
def _settings() -> clarabel.DefaultSettings:
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.presolve_enable = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-11
    return settings


def _cones(data: ConeData) -> list[object]:
    cones = [clarabel.ZeroConeT(len(data.equalities[0]) + 1), clarabel.NonnegativeConeT(len(data.signed))]
    return cones + [clarabel.PSDTriangleConeT(base.shape[1]) for base, _ in data.blocks]


def _lay_out(data: ConeData) -> Array:
    """Base and slope of all rows over the unknowns and the margin, in the order of the cones; (2, rows, unknowns + 1).

    The normalisation stands last among the equalities.
    """
    (scale, unknowns), signed, metric = data.equalities[0].shape, list(data.signed), data.metric
    corners = [_corner(base.shape[1]) for base, _ in data.blocks]
    top = scale + 1 + len(signed)
    table = np.zeros((2, top + sum(len(weight) for _, _, weight, _ in corners), unknowns + 1))
    table[:, :scale, :-1] = data.equalities
    table[0, range(scale + 1, top), signed] = -1.0
    if metric is None:
        table[0, scale + 1 : top, -1] = 1.0
        table[:, scale, :-1] = np.sum([[np.einsum("kii->k", part) for part in block] for block in data.blocks], axis=0)
        table[0, scale, signed] += 1.0
    else:
        table[0, scale + 1 : top, -1] = metric.signed
        table[0, scale, :-1] = metric.scale
        table[0, :scale, -1] = -metric.equalities
    for k, (block, (i, j, weight, identity)) in enumerate(zip(data.blocks, corners, strict=True)):
        rows = slice(top, top + len(weight))
        for part in range(2):
            table[part, rows, :-1] = (block[part][:, i, j] * -weight).T
        table[0, rows, -1] = identity if metric is None else metric.blocks[k][i, j] * weight
        top = rows.stop
    return table


@cache
def _corner(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Array, Array]:
    """The upper triangle by columns: rows, columns, weights of the entries, and those of the identity matrix."""
    j, i = np.tril_indices(size)  # pairs i <= j, j outer
    return i, j, np.where(i == j, 1.0, np.sqrt(2.0)), np.where(i == j, 1.0, 0.0)


def _unit_vector(size: int, at: int, value: float = 1.0) -> Array:
    found = np.zeros(size)
    found[at] = value
    return found
