"""Polyhedra: boxes cut by rows, with a projection whose optimality conditions are checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..classes.curvature import read_data
from ..classes.functions import ConvexIndicator
from ..errors import DimensionError, InvalidModelError
from .protocol import Array, check_step, freeze, no_gradient, read_vector

__all__ = ["Polyhedron"]

_ACCEPTED = 1e-13
"""Largest violation of a row after a projection, relative to the sizes of what it adds up."""

_MOST_ITERATIONS = 500
_MOST_HALVINGS = 60


@dataclass(frozen=True, eq=False, init=False)
class Polyhedron:
    r"""The indicator of ``lower <= x <= upper`` and ``row_lower <= rows x <= row_upper``, entry by entry.

    A row with equal ends is an equation. The projection solves the dual problem, one multiplier a row, by a projected
    Newton method; as the box is kept exactly, only the rows are met up to rounding.

    Parameters
    ----------
    lower, upper : array_like, shape (d,)
        The box, ``lower <= upper``; infinite where there is no end.
    rows : array_like, shape (m, d)
        One linear form a row, none of them zero.
    row_lower, row_upper : array_like, shape (m,)
        Their ends, ``row_lower <= row_upper``; infinite where there is none.

    Raises
    ------
    DimensionError
        If shapes do not fit.
    InvalidModelError
        If ends are not in order, a row is zero, or the set is empty (no point of it was found).

    Examples
    --------
    Three generators of at most 2 that together supply 3, two of which share a line of capacity 1:

    >>> secure = Polyhedron([0, 0, 0], [2, 2, 2], [[1, 1, 1], [1, 1, 0]], [3, -1], [3, 1])
    >>> secure.prox(np.array([2.0, 1.0, 0.0]), 1.0).round(9)
    array([1., 0., 2.])
    """

    lower: Array
    upper: Array
    rows: Array
    row_lower: Array
    row_upper: Array
    _forms: Array
    _ends: Array
    _free: NDArray[np.bool_]

    operator_class = ConvexIndicator()

    def __init__(
        self, lower: ArrayLike, upper: ArrayLike, rows: ArrayLike, row_lower: ArrayLike, row_upper: ArrayLike
    ) -> None:
        R = read_data(rows, name="Polyhedron: rows")
        m, d = R.shape
        box = [_read_ends(name, ends, d) for name, ends in (("lower", lower), ("upper", upper))]
        ends = [_read_ends(name, ends, m) for name, ends in (("row_lower", row_lower), ("row_upper", row_upper))]
        _check_order("lower", *box)
        _check_order("row_lower", *ends)
        if not np.all(np.any(R != 0, axis=1)):
            raise InvalidModelError("Polyhedron needs rows that are not zero")
        equal = ends[0] == ends[1]
        high, low = ~equal & np.isfinite(ends[1]), ~equal & np.isfinite(ends[0])
        freeze(
            self,
            lower=box[0],
            upper=box[1],
            rows=R,
            row_lower=ends[0],
            row_upper=ends[1],
            # as equations and inequalities ``forms x <= ends``, the equations first
            _forms=np.concatenate([R[equal], R[high], -R[low]]),
            _ends=np.concatenate([ends[1][equal], ends[1][high], -ends[0][low]]),
            _free=np.arange(int(equal.sum() + high.sum() + low.sum())) < int(equal.sum()),
        )
        try:
            self.project(np.zeros(d))
        except InvalidModelError:
            raise InvalidModelError("Polyhedron needs a point that meets all its rows, and none was found") from None

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return self.rows.shape[1]

    def value(self, x: Array) -> float:
        """0 in the set, infinity outside."""
        inside = np.all((self.lower <= x) & (x <= self.upper))
        excess = self._forms @ x - self._ends
        excess[self._free] = np.abs(excess[self._free])
        allowed = 10 * _ACCEPTED * (np.abs(self._forms) @ np.abs(x) + np.abs(self._ends))
        return 0.0 if inside and np.all(excess <= allowed) else np.inf

    def gradient(self, x: Array) -> Array:
        """Refused: an indicator has none."""
        raise no_gradient("Polyhedron")

    def prox(self, x: Array, step: float) -> Array:
        """Projection onto the set."""
        check_step(step)
        p = self.project(x)[0]
        # from afar the rows are met up to rounding of x, which may be more than that of the point
        return p if self.value(p) == 0 else self.project(p)[0]

    def project(self, x: Array) -> tuple[Array, Array]:
        """The nearest point, and the multipliers of the rows: positive at an upper end, negative at a lower one.

        At the nearest point p the entries of ``x - p - rows' multipliers`` are zero inside the box, at least zero at
        its upper ends and at most zero at its lower ones.

        Raises
        ------
        InvalidModelError
            If no point with these conditions is found.
        """
        multipliers, p = np.zeros(len(self._ends)), np.clip(x, self.lower, self.upper)
        # a point is x less multiples of the rows, so rounding of x is in it
        scale = np.abs(self._forms) @ np.maximum(np.abs(p), np.abs(x)) + np.abs(self._ends)
        for _ in range(_MOST_ITERATIONS):
            slack = self._ends - self._forms @ p
            wrong = (self._free | (multipliers > 0) | (slack < 0)) & (np.abs(slack) > _ACCEPTED * scale)
            if not np.any(wrong):
                return p, self._collect(multipliers)
            moving = self._free | (multipliers > 0)
            if not np.any(wrong & moving):  # new rows come in one at a time: the worst
                moving[np.argmin(np.where(wrong, slack / scale, 0))] = True
            multipliers, p = self._advance(x, multipliers, p, slack, moving)
            scale = np.maximum(scale, np.abs(self._forms) @ np.abs(p) + np.abs(self._ends))
        raise InvalidModelError("Polyhedron: no projection was found; is the set empty, or almost so?")

    def _advance(
        self, x: Array, multipliers: Array, p: Array, slack: Array, moving: NDArray[np.bool_]
    ) -> tuple[Array, Array]:
        """One step of Newton's method on the dual function, along the multipliers that move, with a line search."""
        inside = (p > self.lower) & (p < self.upper)
        J = self._forms[np.ix_(moving, inside)]
        H = J @ J.T
        H[np.diag_indices_from(H)] += 1e-14 * np.square(self._forms[moving]).sum(axis=1)
        direction = np.zeros_like(multipliers)
        direction[moving] = np.linalg.solve(H, -slack[moving])
        travel = np.abs(self._forms.T @ direction).max(initial=0.0)
        away = np.abs(slack[moving]) / np.linalg.norm(self._forms[moving], axis=1)  # as lengths, like the rest
        span = np.abs(x - self._forms.T @ multipliers - p).max() + np.ptp(p) + away.max()
        now, length = self._dual(x, multipliers, p), min(1.0, span / travel) if travel > 0 else 1.0
        for _ in range(_MOST_HALVINGS):
            trial = multipliers + length * direction
            trial[~self._free] = np.maximum(trial[~self._free], 0)
            point = np.clip(x - self._forms.T @ trial, self.lower, self.upper)
            # the slope decides where values are too close for the difference to say anything
            rise = (self._ends - self._forms @ point) @ (trial - multipliers)
            if self._dual(x, trial, point) <= now + 1e-4 * (slack @ (trial - multipliers)) or rise <= 0:
                return trial, point
            length /= 2
        return trial, point

    def _dual(self, x: Array, multipliers: Array, p: Array) -> float:
        """The convex function of the multipliers that the projection minimises."""
        return float(multipliers @ (self._ends - self._forms @ p)) - float(np.sum((p - x) ** 2)) / 2

    def _collect(self, multipliers: Array) -> Array:
        """One multiplier a row from those of its ends."""
        equal = self.row_lower == self.row_upper
        high, low = ~equal & np.isfinite(self.row_upper), ~equal & np.isfinite(self.row_lower)
        cuts = np.cumsum([equal.sum(), high.sum()])
        found = np.zeros(len(self.rows))
        for rows, sign, part in zip((equal, high, low), (1, 1, -1), np.split(multipliers, cuts), strict=True):
            found[rows] += sign * part
        return found


def _check_order(name: str, low: Array, high: Array) -> None:
    if not (np.all(low <= high) and np.all(low < np.inf) and np.all(high > -np.inf)):
        raise InvalidModelError(
            f"Polyhedron needs {name} <= {name.replace('lower', 'upper')}, neither infinite the wrong way; "
            f"got {low} and {high}"
        )


def _read_ends(name: str, ends: ArrayLike, length: int) -> Array:
    read = read_vector("Polyhedron", name, ends, infinite=True)
    if read.ndim == 0:
        read = np.full(length, float(read))
    if len(read) != length:
        raise DimensionError(f"Polyhedron needs {length} numbers in {name}, got {len(read)}")
    return read
