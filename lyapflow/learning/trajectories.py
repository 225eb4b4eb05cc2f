"""Trajectories of learning flows, whose states are matrices and whose right-hand side has no oracle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from ..errors import DimensionError, InvalidModelError, SimulationError
from .arguments import read_positive
from .spectrum import Array

__all__ = ["LearningFlow", "Trajectory", "follow", "read_numbers", "read_state", "read_times"]

_METHODS = ("RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA")
"""Of `scipy.integrate.solve_ivp`."""


class LearningFlow(Protocol):
    """What can be simulated: a right-hand side and a loss on arrays of one shape."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the state."""
        ...

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """The time derivative of the state."""
        ...

    def loss(self, x: ArrayLike) -> float:
        """What the flow descends."""
        ...


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Trajectory:
    """One solution of a learning flow, sampled; integrated numerically, so nothing in it is proved.

    Attributes
    ----------
    t : ndarray, shape (T,)
        Sample times.
    x : ndarray, one state for each time
        States, of the shape of the flow's: (T, n, r) for matrices.
    flow : LearningFlow
        What was integrated.
    evaluations : int
        Evaluations of the right-hand side.
    """

    t: Array
    x: Array
    flow: LearningFlow = field(repr=False)
    evaluations: int

    def __post_init__(self) -> None:
        for array in (self.t, self.x):
            array.flags.writeable = False

    @property
    def loss(self) -> Array:
        """The loss at the samples; shape (T,)."""
        return np.array([self.flow.loss(x) for x in self.x])


def read_state(x: ArrayLike, shape: tuple[int, ...], name: str = "x") -> Array:
    """A state in floats.

    Raises
    ------
    DimensionError
        If the shape is another one.
    InvalidModelError
        If an entry is not a finite real number.
    """
    state = read_numbers(x, name)
    if state.shape != shape:
        raise DimensionError(f"{name} must have shape {shape}, got {state.shape}")
    if not np.all(np.isfinite(state)):
        raise InvalidModelError(
            f"{name} must have finite entries, got {np.count_nonzero(~np.isfinite(state))} that are not"
        )
    return state


def read_numbers(given: ArrayLike, name: str) -> Array:
    """Real numbers in an array of any shape.

    Raises
    ------
    InvalidModelError
        If they are something else, or rows have different lengths.
    """
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InvalidModelError(f"{name} must be a real matrix, got {given!r:.80}") from None


def read_times(t_eval: ArrayLike) -> Array:
    """Sample times: at least one, finite, >= 0, increasing.

    Raises
    ------
    InvalidModelError
        If they are something else.
    """
    try:
        times = np.atleast_1d(np.array(t_eval, dtype=np.float64))
    except (TypeError, ValueError, OverflowError):
        raise InvalidModelError(f"t_eval must be finite times in one dimension, got {t_eval!r:.80}") from None
    if times.ndim != 1 or not times.size or not np.all(np.isfinite(times)):
        raise InvalidModelError(f"t_eval must be finite times in one dimension, got {t_eval!r:.80}")
    if times[0] < 0 or np.any(np.diff(times) <= 0):
        raise InvalidModelError("t_eval must be >= 0 and increase; the flow starts at t = 0")
    return times


def follow(
    flow: LearningFlow, x0: ArrayLike, t_eval: ArrayLike, *, method: str, rtol: float, atol: float | None
) -> Trajectory:
    """Integrate a flow from ``t = 0`` and sample it at increasing times >= 0."""
    start = read_state(x0, flow.shape, "x0")
    times = read_times(t_eval)
    if method not in _METHODS:
        raise InvalidModelError(f"method must be one of {', '.join(_METHODS)}, got {method!r}")
    relative = read_positive(rtol, "rtol")
    if atol is None:
        floor = relative * max(float(np.abs(start).max()), np.finfo(np.float64).tiny)
    else:
        floor = read_positive(atol, "atol")
    if times[-1] == 0:
        return Trajectory(t=times, x=start[None].copy(), flow=flow, evaluations=0)

    def field_at(t: float, flat: Array) -> Array:
        if not np.all(np.isfinite(flat)):
            raise SimulationError(f"the state overflows near t = {t:g}: scale M and the start down")
        return flow.vector_field(t, flat.reshape(start.shape)).ravel()

    span, flat = (0.0, float(times[-1])), start.ravel()
    with np.errstate(all="ignore"):
        found = solve_ivp(field_at, span, flat, method=method, t_eval=times, rtol=relative, atol=floor)  # type: ignore[call-overload]
    if not found.success or not np.all(np.isfinite(found.y)):
        raise SimulationError(f"the integration stopped before t = {times[-1]:g}: {found.message}")
    return Trajectory(t=times, x=found.y.T.reshape(len(times), *start.shape), flow=flow, evaluations=int(found.nfev))
