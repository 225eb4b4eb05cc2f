r"""Trajectories of shallow ReLU networks on orthogonal inputs, from one change of activation to the next.

With orthogonal inputs the number :math:`z_{jk} = w_j\cdot x_k` obeys

.. math::
    \dot z_{jk} = \tfrac1n a_j\,1[z_{jk} > 0]\,r_k\,\|x_k\|^2, \qquad r_k = y_k - h(x_k),

so an input that a neuron does not see it never sees again. There are at most mn changes of activation, all of one
kind, and the flow is smooth in between. Each change is located, the entry is switched off, and the integrator starts
anew: no step ever crosses a kink, so no tolerance stalls there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import DOP853, DenseOutput
from scipy.optimize import brentq

from ..errors import SimulationError
from .orthogonal_data import OrthogonalData
from .spectrum import Array

__all__ = ["Pieces", "Switch", "integrate_pieces"]

_LOOKS = 16  # within a step in which a residual changes its sign


@dataclass(frozen=True, slots=True)
class Switch:
    """A neuron that ceases to see an input.

    Attributes
    ----------
    time : float
        When.
    neuron, point : int
        Which neuron, and which input; counted from 0.
    """

    time: float
    neuron: int
    point: int


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    r"""A trajectory in the numbers :math:`a_j` and :math:`z_{jk} = w_j\cdot x_k`.

    Attributes
    ----------
    outer : ndarray, shape (T, m)
        The a_j at the sample times.
    products : ndarray, shape (T, m, n)
        The z_jk.
    switches : tuple of Switch
        In order of time.
    evaluations : int
        Of the right-hand side.
    """

    outer: Array
    products: Array
    switches: tuple[Switch, ...]
    evaluations: int


def integrate_pieces(
    data: OrthogonalData, outer: Array, products: Array, times: Array, *, rtol: float, atol: Array
) -> Pieces:
    """Integrate from t = 0 and sample at increasing times >= 0.

    Parameters
    ----------
    data : OrthogonalData
        Inputs and labels.
    outer : ndarray, shape (m,)
        The a_j at the start.
    products : ndarray, shape (m, n)
        The z_jk at the start.
    times : ndarray, shape (T,)
        Sample times.
    rtol : float
        Relative tolerance.
    atol : ndarray, shape (m,)
        Absolute tolerance for each neuron.

    Raises
    ------
    SimulationError
        If the integrator gives up.
    """
    m, n = products.shape
    flat, seen = np.concatenate([outer, products.ravel()]), products > 0
    tolerance = np.concatenate([atol, np.repeat(atol, n)])
    samples, now, step, cost = [flat[None]] if times[0] == 0 else [], 0.0, None, 0
    left, switches = times[times > 0], list[Switch]()
    while left.size:
        piece = _follow_piece(_Field(data, seen), now, flat, left, step, rtol, tolerance)
        now, flat, cost = piece.end, piece.state, cost + piece.evaluations
        samples.append(piece.samples)
        left, step = left[len(piece.samples) :], min(piece.step, float(times[-1]) - now) or None
        gone = seen & (flat[m:].reshape(m, n) <= 0)
        flat[m:][gone.ravel()] = 0.0
        seen = seen & ~gone
        switches += [Switch(now, int(j), int(k)) for j, k in np.argwhere(gone)]
    found = np.concatenate(samples)
    return Pieces(found[:, :m], found[:, m:].reshape(-1, m, n), tuple(switches), cost)


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """The right-hand side while the neurons see what they see; the state holds the a_j and the products that move."""

    data: OrthogonalData
    seen: NDArray[np.bool_]

    def split(self, flat: Array) -> tuple[Array, Array]:
        z = np.zeros(self.seen.shape)
        z[self.seen] = flat[len(z) :]
        return flat[: len(z)], z

    def find_residual(self, flat: Array) -> Array:
        a, z = self.split(flat)
        return np.asarray(self.data.y - a @ z)

    def push(self, t: float, flat: Array) -> Array:
        a, z = self.split(flat)
        rest = (self.data.y - a @ z) / len(self.data.y)
        return np.concatenate([z @ rest, (a[:, None] * (rest * self.data.q))[self.seen]])

    def is_past(self, flat: Array) -> bool:
        """Whether a product that is seen is not positive any more."""
        return bool(np.any(flat[len(self.seen) :] <= 0))


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Up to a change of activation, or the last sample."""

    samples: Array
    end: float
    state: Array
    step: float
    evaluations: int


def _follow_piece(
    field: _Field, start: float, full: Array, times: Array, step: float | None, rtol: float, atol: Array
) -> _Piece:
    moving = np.concatenate([np.full(len(field.seen), True), field.seen.ravel()])

    def expand(flat: Array) -> Array:
        state = full.copy()
        state[moving] = flat
        return state

    samples: list[Array] = []
    with np.errstate(all="ignore"):
        solver = DOP853(
            field.push,
            start,
            full[moving],
            float(times[-1]),
            rtol=rtol,
            atol=atol[moving],
            first_step=step,
        )
        while True:
            before = solver.y
            solver.step()
            if solver.status == "failed" or not np.all(np.isfinite(solver.y)):
                raise SimulationError(f"the integration stopped at t = {solver.t:g}, before t = {times[-1]:g}")
            end, curve = solver.t, None
            # between two equal signs of a residual its products are monotone: none dips below zero and returns
            turned = np.any(np.signbit(field.find_residual(before)) != np.signbit(field.find_residual(solver.y)))
            if turned or field.is_past(solver.y):
                curve = solver.dense_output()
                end = _find_first(field, curve, solver.t_old, solver.t, looks=_LOOKS if turned else 1)
            due = times[len(samples) : int(np.searchsorted(times, end, side="right"))]
            if due.size:
                curve = curve or solver.dense_output()
                samples += [expand(solver.y if t == solver.t else curve(t)) for t in due]
            state = solver.y if curve is None or end == solver.t else np.asarray(curve(end))
            if field.is_past(state) or len(samples) == len(times):
                found = np.array(samples).reshape(-1, len(full))
                return _Piece(found, float(end), expand(state), solver.t - solver.t_old, solver.nfev)


def _find_first(field: _Field, curve: DenseOutput, start: float, stop: float, *, looks: int) -> float:
    """The first time after which a product is past zero, to rounding; `stop` if there is none."""
    ends = np.linspace(start, stop, looks + 1)
    place = next((k for k in range(1, looks + 1) if field.is_past(curve(ends[k]))), None)
    if place is None:
        return stop
    early, late = float(ends[place - 1]), float(ends[place])
    m = len(field.seen)
    falling = m + np.flatnonzero(curve(late)[m:] <= 0)

    def lowest(t: float) -> float:
        return float(np.min(curve(t)[falling]))

    found = float(brentq(lowest, early, late, xtol=4 * np.spacing(late), rtol=8 * np.finfo(float).eps))
    ahead = np.spacing(found)
    while not field.is_past(curve(found)):  # the first time on the other side
        found, ahead = min(found + ahead, late), 2 * ahead
    return found
