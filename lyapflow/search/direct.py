"""The same cone data straight to Clarabel: no modelling layer, no work done twice.

`backend` is the reference and the door to every other solver; this is the fast path. Both answer the same problems, and
a test compares them on every system of the catalogue.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import clarabel
import numpy as np
from numpy.typing import NDArray

from .arrays import Array, ConeData, diagonals
from .backend import Answer

__all__ = ["DirectMarginProblem", "minimise"]

_WORDS = {"Solved": "optimal", "AlmostSolved": "optimal_inaccurate", "PrimalInfeasible": "infeasible"}
_FLAT = 1e-12
"""A margin that falls more slowly than this with the parameter does not tell where it vanishes."""

_FINE = 1e-11
"""Tolerance of an answer that is rounded to a proof."""

_READ = 1e-8
"""Relative accuracy with which the next parameter is read from an answer."""

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
        tolerance = _FINE if self._data.metric is None else _loosen(parameter)
        word, x, rise = self._program.solve(parameter, tolerance)
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
        self._pattern = _find_pattern(base.shape, ((base != 0) | (slope != 0)).tobytes())
        at = self._pattern.rows, self._pattern.columns
        self._base, self._slope = base[at], slope[at]
        self._right, self._cost, self._cones = right.tolist(), cost.tolist(), cones

    def solve(self, parameter: float, tolerance: float = _FINE) -> tuple[str, Array, float]:
        """Clarabel's word, x, and the derivative of the least cost by p, from the dual solution."""
        pattern, size = self._pattern, len(self._cost)
        matrix = _Sparse(
            (self._base + parameter * self._slope).tolist(), pattern.indices, pattern.starts, pattern.shape
        )
        try:
            solver = clarabel.DefaultSolver(
                _no_quadratic(size), self._cost, matrix, self._right, self._cones, _settings(tolerance)
            )
            found = solver.solve()
        except BaseException as problem:
            if (
                type(problem).__name__ != "PanicException"
            ):  # how a failure inside Clarabel arrives; it has no public type
                raise
            return "panic", np.full(size, np.nan), math.nan
        x, z = np.array(found.x), np.array(found.z)
        with np.errstate(over="ignore", invalid="ignore"):  # where it fails, its numbers may be of any size
            rise = float(z[pattern.rows] * self._slope @ x[pattern.columns])
        return str(found.status), x, rise


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Where a matrix has entries, by columns; for numpy, and as lists, which Clarabel reads faster than arrays."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    indices: list[int]
    starts: list[int]
    shape: tuple[int, int]


@lru_cache(maxsize=64)
def _find_pattern(shape: tuple[int, int], filled: bytes) -> _Pattern:
    columns, rows = np.nonzero(np.frombuffer(filled, dtype=bool).reshape(shape).T)
    starts = np.searchsorted(columns, np.arange(shape[1] + 1))
    return _Pattern(rows, columns, rows.tolist(), starts.tolist(), shape)


class _Sparse:
    """What Clarabel reads of a sparse matrix by columns; a `csc_matrix` checks itself each time it is made."""

    has_canonical_format = True

    def __init__(self, data: list[float], indices: list[int], indptr: list[int], shape: tuple[int, int]) -> None:
        self.data, self.indices, self.indptr, self.shape = data, indices, indptr, shape


@cache
def _no_quadratic(size: int) -> _Sparse:
    return _Sparse([], [], [0] * (size + 1), (size, size))


@cache
def _settings(tolerance: float) -> clarabel.DefaultSettings:
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.presolve_enable = False
    if tolerance > _FINE:  # one correction makes up for the regularisation; more make the answer finer
        settings.iterative_refinement_max_iter = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tolerance
    return settings


def _loosen(parameter: float) -> float:
    """The tolerance of an answer of which the parameter's next value is all that is read, in units of the parameter."""
    return 10.0 ** max(-11, min(-9, math.floor(math.log10(_READ * parameter)))) if parameter > 0 else _FINE


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
        for part in range(2):
            table[part, scale, :-1] = sum(diagonals(block[part]).sum(axis=1) for block in data.blocks)
        table[0, scale, signed] += 1.0
    else:
        table[0, scale + 1 : top, -1] = metric.signed
        table[0, scale, :-1] = metric.scale
        table[0, :scale, -1] = -metric.equalities
    for k, (block, (i, j, weight, identity)) in enumerate(zip(data.blocks, corners, strict=True)):
        rows = slice(top, top + len(weight))
        table[0, rows, :-1] = (block[0][:, i, j] * -weight).T
        if block[1].any():
            table[1, rows, :-1] = (block[1][:, i, j] * -weight).T
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
