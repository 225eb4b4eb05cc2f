"""The scaled flow itself, integrated: stiff near the equilibrium, so decade by decade, each to what rounding allows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.integrate import OdeSolution, solve_ivp

from ..errors import SimulationError
from ..lmi.time_scales import PrescribedTime, TimeScale
from .equilibria import Equilibrium
from .loops import Array, Loop
from .motion import Method
from .time_change import CLEAR, COARSEST, DECADE, LONGEST, evaluate_field, measure_noise, measure_slowness
from .trajectories import Trajectory, record

__all__ = ["integrate_scaled"]


def integrate_scaled(
    loop: Loop,
    equilibrium: Equilibrium,
    x0: Array,
    scale: TimeScale,
    *,
    threshold: float,
    points: int,
    rtol: float,
    method: Method,
) -> Trajectory:
    """The scaled flow itself, until the distance is `threshold` times that of the start: the last sample.

    Raises
    ------
    SimulationError
        If it does not get there, or the integrator stops.
    """
    state = (x0 - equilibrium.x).ravel()
    first = size = float(np.linalg.norm(state))
    field = _make_field(loop, equilibrium, scale)
    end = float(scale.time) * (1 - 1e-12) if isinstance(scale, PrescribedTime) else np.inf
    times, pieces = [0.0], []
    while size > threshold * first * (1 + 1e-6):
        goal = max(DECADE * size, threshold * first)
        speed = float(np.linalg.norm(evaluate_field(loop, equilibrium, state)))
        if speed == 0:
            raise SimulationError("the orbit rests at a point that is not the equilibrium")
        fine = min(max(rtol, CLEAR * measure_noise(loop, equilibrium, size, speed) / speed), COARSEST)
        longest = times[-1] + LONGEST * size / speed * float(measure_slowness(scale, speed))
        with np.errstate(all="ignore"):
            found = solve_ivp(
                field,
                (times[-1], min(end, longest)),
                state,
                method=method,
                dense_output=True,
                rtol=fine,
                atol=1e-3 * fine * goal,
                events=_make_event(goal),
            )
        if found.status != 1 or found.sol is None:
            raise SimulationError(
                f"the scaled flow must come within {threshold:g} of its initial distance, but {method} stopped at time "
                f"{found.t[-1]:.6g}: {found.message}"
            )
        times += found.sol.ts[1:].tolist()
        pieces += found.sol.interpolants
        state = found.y[:, -1]
        size = float(np.linalg.norm(state))
    if not pieces:
        raise SimulationError("the start must not be the equilibrium: from there nothing moves")
    return record(loop, equilibrium, np.linspace(0.0, times[-1], points), OdeSolution(np.array(times), pieces))


def _make_event(goal: float) -> Callable[[float, Array], float]:
    """The distance falls to a goal; there the integration ends."""

    def arrive(_: float, state: Array) -> float:
        return float(np.linalg.norm(state)) - goal

    arrive.terminal, arrive.direction = True, -1.0  # type: ignore[attr-defined]
    return arrive


def _make_field(loop: Loop, equilibrium: Equilibrium, scale: TimeScale) -> Callable[[float, Array], Array]:
    def field(t: float, state: Array) -> Array:
        motion = evaluate_field(loop, equilibrium, state)
        if isinstance(scale, PrescribedTime):
            return motion * (float(scale.gain or 1) / (float(scale.time) - t))
        speed = float(np.linalg.norm(motion))
        return motion / float(measure_slowness(scale, speed)) if speed else motion

    return field
