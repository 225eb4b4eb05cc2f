"""Solving a system closed with concrete members: integration in continuous time, iteration in discrete time.

Both work on deviations from the equilibrium, so errors are relative to the distance that decays.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from ..dynamics import LureSystem, System
from ..errors import DimensionError, InvalidModelError, SimulationError
from ..exact.rationals import rational
from ..members.protocol import Member
from .equilibria import Equilibrium, locate_equilibrium, read_equilibrium
from .loops import Array, Loop, close_loop, read_state
from .saddles import find_idle_part
from .trajectories import Trajectory, record

__all__ = ["Method", "integrate", "iterate", "settle", "simulate"]

Method: TypeAlias = Literal["LSODA", "Radau", "BDF", "DOP853", "RK45", "RK23"]
"""Methods of `scipy.integrate.solve_ivp`."""

_FINEST = 3e-14  # solve_ivp does not accept a smaller rtol
_POINTS = 401
_MOST_STEPS = 10_000_000


def simulate(
    system: System,
    members: Sequence[Member],
    x0: ArrayLike,
    t_span: tuple[float, float] | int,
    *,
    points: int | None = None,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    method: Method = "LSODA",
    equilibrium: Equilibrium | ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> Trajectory:
    """Integrate a system closed with concrete members, or iterate one in discrete time.

    Parameters
    ----------
    system : LureSystem, PrimalDualSystem, PrimalDualIteration or ProximalLagrangianSystem
        In continuous or discrete time; an iteration with its operator.
    members : sequence of Member
        One per oracle, each of a class that is known to be contained in the oracle's class. Oracles of one group
        evaluate one operator, so they have the same object.
    x0 : array_like, shape (n, d), or (d,) where n = 1, or (n + m,) for a primal-dual system
        Start; for a primal-dual system (x, lambda), for the other systems with an operator (x, y).
    t_span : (float, float), or int
        First and last time, increasing, in the time unit of the dynamics. In discrete time a whole number of steps
        apart; a single integer is the number of steps from time 0.
    points : int, optional
        Continuous time only: number of samples, evenly spaced, both ends included; >= 2, default 401. In discrete time
        every step is a sample.
    rtol, atol : float, default 1e-10 and 1e-12
        Tolerances of the integrator's local error in the deviation from the equilibrium, relative and absolute. In
        discrete time nothing is integrated, and they have no effect.
    method : str, default "LSODA"
        Method of `scipy.integrate.solve_ivp`. The default switches to a stiff method where it must. No effect in
        discrete time.
    equilibrium : Equilibrium or array_like of the shape of a state, optional
        From which distances are measured; searched for by default, see `find_equilibrium`.
    offset : array_like, shape (m,), optional
        Right side b of the constraint ``E x = b`` of a `PrimalDualSystem`, which must have a solution; 0 by default.

    Returns
    -------
    Trajectory
        Samples, and an interpolant.

    Raises
    ------
    DimensionError
        If shapes do not agree.
    InvalidModelError
        If an argument is not valid, or a member is not known to belong to its class.
    SimulationError
        If no equilibrium is found, or the simulation stops early; the message names the time reached.

    Examples
    --------
    >>> from lyapflow.algorithms import gradient_descent
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import gradient_flow
    >>> from lyapflow.members import SquaredNorm
    >>> f = SmoothStronglyConvex(1, 10)
    >>> path = simulate(gradient_flow(f), [SquaredNorm(1)], [1.0, 2.0], (0, 1))
    >>> bool(abs(path.distance[-1] - np.exp(-1) * np.sqrt(5)) < 1e-8)
    True
    >>> simulate(gradient_descent(f, step="1/10"), [SquaredNorm(5)], [16.0], 4).x.ravel()
    array([16.,  8.,  4.,  2.,  1.])
    """
    loop, start = _close(system, members, x0, offset)
    times = _read_times(t_span, points) if system.dt == 0 else _read_steps(t_span, points, system)
    if isinstance(system, LureSystem) and system.is_time_varying and times[0] <= 0:
        raise InvalidModelError(f"t_span must start after 0, where N / t is infinite, got {t_span!r}")
    if method not in get_args(Method):
        raise InvalidModelError(f"method must be one of {list(get_args(Method))}, got {method!r}")
    if not (_FINEST <= rtol < 1 and 0 < atol < np.inf):
        raise InvalidModelError(f"tolerances need {_FINEST} <= rtol < 1 and atol > 0, got rtol={rtol}, atol={atol}")
    rest = _rest(loop, equilibrium, start)
    if system.dt:
        return iterate(loop, rest, start, times)
    return integrate(loop, rest, start, times, rtol=rtol, atol=atol, method=method)


def settle(
    system: System,
    members: Sequence[Member],
    x0: ArrayLike,
    *,
    equilibrium: Equilibrium | ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> tuple[Loop, Equilibrium, Array]:
    """The closed loop, its equilibrium and the start, from the arguments of `simulate`."""
    loop, start = _close(system, members, x0, offset)
    return loop, _rest(loop, equilibrium, start), start


def _close(system: System, members: Sequence[Member], x0: ArrayLike, offset: ArrayLike | None) -> tuple[Loop, Array]:
    start = read_state(system, x0, name="x0")
    loop = close_loop(system, members, offset=offset, dimension=start.shape[1] if start.ndim == 2 else None)
    if start.shape != loop.state_shape:
        raise DimensionError(f"x0 must have shape {loop.state_shape}, got {start.shape}")
    return loop, start


def _rest(loop: Loop, equilibrium: Equilibrium | ArrayLike | None, start: Array) -> Equilibrium:
    if equilibrium is None:
        return locate_equilibrium(loop, find_idle_part(loop.system, start))
    return read_equilibrium(loop, equilibrium)


def integrate(
    loop: Loop, equilibrium: Equilibrium, x0: Array, times: Array, *, rtol: float, atol: float, method: Method = "LSODA"
) -> Trajectory:
    """As `simulate`, for a loop in continuous time with a known equilibrium and sample times of any spacing."""
    rest, shape = equilibrium.x, loop.state_shape

    def field_at(t: float, deviation: Array) -> Array:
        return _evaluate(loop, rest + deviation.reshape(shape), t).ravel()

    with np.errstate(all="ignore"):
        solution = solve_ivp(
            field_at, (times[0], times[-1]), (x0 - rest).ravel(), method=method, dense_output=True, rtol=rtol, atol=atol
        )
    if solution.status != 0 or solution.sol is None:
        raise SimulationError(
            f"the integration must reach time {times[-1]:.6g}, but {method} stopped at time {solution.t[-1]:.6g}: "
            f"{solution.message}"
        )
    return record(loop, equilibrium, times, solution.sol)


def iterate(loop: Loop, equilibrium: Equilibrium, x0: Array, times: Array, *, in_deviations: bool = True) -> Trajectory:
    """As `simulate`, for a loop in discrete time with a known equilibrium; `times` are those of its steps.

    The steps add up as deviations from the equilibrium, or as states: two runs that differ by rounding only.
    """
    origin = equilibrium.x if in_deviations else np.zeros(loop.state_shape)
    states = np.empty((len(times), *loop.state_shape))
    states[0] = x0 - origin
    with np.errstate(all="ignore"):
        for k, t in enumerate(times[:-1]):
            states[k + 1] = states[k] + _evaluate(loop, origin + states[k], t)
    deviations = states if in_deviations else states - equilibrium.x
    flat = deviations.reshape(len(times), -1)

    def look_up(wanted: Array) -> Array:
        index = np.minimum(np.searchsorted(times, wanted), len(times) - 1)
        if not np.array_equal(times[index], wanted):
            raise InvalidModelError(f"t must be times of steps, whole multiples of dt = {loop.system.dt}, got {wanted}")
        return flat[index].T

    return record(loop, equilibrium, times, look_up)


def _evaluate(loop: Loop, x: Array, t: float) -> Array:
    """Time derivative or increment at a state, if it is finite."""
    try:
        dx = loop.evaluate(x)[0] + loop.drift(x, t)
    except ArithmeticError as error:
        raise SimulationError(f"an oracle failed at time {t:.6g}: {error}") from error
    if not np.isfinite(dx).all():
        raise SimulationError(f"the time derivative or increment must stay finite, but at time {t:.6g} it is not")
    return dx


def _read_times(t_span: tuple[float, float] | int, points: int | None) -> Array:
    number = _POINTS if points is None else points
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 2:
        raise InvalidModelError(f"points must be an integer >= 2, got {points!r}")
    return np.linspace(*_read_span(t_span), number)


def _read_span(t_span: tuple[float, float] | int) -> tuple[float, float]:
    try:
        first, last = (float(t) for t in t_span)  # type: ignore[union-attr]
    except (TypeError, ValueError):
        raise InvalidModelError(f"t_span must be a pair of times, got {t_span!r}") from None
    if not (np.isfinite(first) and np.isfinite(last) and first < last):
        raise InvalidModelError(f"t_span must be increasing and finite, got ({first}, {last})")
    return first, last


def _read_steps(t_span: tuple[float, float] | int, points: int | None, system: System) -> Array:
    """Times of the steps of a span, exact multiples of dt as far as floating point has them."""
    if points is not None:
        raise InvalidModelError(f"points belongs to continuous time; here every step is a sample, got points={points}")
    if isinstance(t_span, int | np.integer) and not isinstance(t_span, bool):
        first, steps = rational(0), rational(t_span)
    else:
        low, high = _read_span(t_span)
        first = rational(low)
        exact = (rational(high) - first) / system.dt
        steps = Fraction(round(exact))
        if abs(exact - steps) > Fraction(1, 10**9):  # times that are no floats, such as 0.1, are meant all the same
            steps = Fraction(0)
    if not 1 <= steps <= _MOST_STEPS:
        raise InvalidModelError(
            f"t_span must be a whole number of steps of length dt = {system.dt}, at least 1 and at most {_MOST_STEPS}, "
            f"got {t_span!r}"
        )
    return np.array([float(first + k * system.dt) for k in range(int(steps) + 1)])
