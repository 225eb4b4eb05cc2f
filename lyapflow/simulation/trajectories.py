"""Trajectories of a system closed with concrete members, and what a certificate says about them.

The integrator works on deviations from the equilibrium, so its tolerances are relative to the distance that decays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from ..certificates import Certificate
from ..dynamics import System
from ..errors import DimensionError, InvalidModelError, SimulationError
from ..members.protocol import Member
from .equilibria import Equilibrium, locate_equilibrium, read_equilibrium, read_values
from .loops import Array, Loop, close_loop, read_state
from .storage import make_storage

__all__ = ["Trajectory", "integrate", "simulate"]

Method: TypeAlias = Literal["LSODA", "Radau", "BDF", "DOP853", "RK45", "RK23"]
"""Methods of `scipy.integrate.solve_ivp`."""

_FINEST = 3e-14  # solve_ivp does not accept a smaller rtol


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Trajectory:
    """One solution, sampled; all arrays are read-only.

    Attributes
    ----------
    t : ndarray, shape (T,)
        Sample times, in the time unit of the dynamics.
    x : ndarray, shape (T, n, d), or (T, n + m) for a primal-dual system
        States; those of a primal-dual system are (x, lambda).
    y, u : ndarray, shape (T, m, d)
        Inputs and outputs of the oracles; for a primal-dual system, d is the number of primal variables and m = 1.
    values : ndarray, shape (T, m)
        Function values at y; NaN for an oracle that has none.
    equilibrium : Equilibrium
        From which distances are measured.
    loop : Loop
        The closed loop that was integrated.
    interpolant : callable
        Dense output of the integrator: flat deviations from the equilibrium; use `at`.

    Notes
    -----
    What is seen in a simulation is not a proof: it holds for these members, this start, and up to the integrator's
    tolerances.
    """

    t: Array
    x: Array
    y: Array
    u: Array
    values: Array
    equilibrium: Equilibrium
    loop: Loop = field(repr=False)
    interpolant: Callable[[Array], Array] = field(repr=False)

    def __post_init__(self) -> None:
        for array in (self.t, self.x, self.y, self.u, self.values):
            array.flags.writeable = False

    @property
    def system(self) -> System:
        """The model."""
        return self.loop.system

    @property
    def members(self) -> tuple[Member, ...]:
        """The concrete oracles."""
        return self.loop.members

    @property
    def distance(self) -> Array:
        """Distance of the state from the equilibrium in the theorem's norm, the Euclidean one; shape (T,)."""
        return np.asarray(np.linalg.norm((self.x - self.equilibrium.x).reshape(len(self.t), -1), axis=1))

    def storage(self, certificate: Certificate) -> Array:
        """The certificate's V along the trajectory, evaluated from its definition; shape (T,).

        Raises
        ------
        InvalidModelError
            If the certificate does not cover this system, these members and this equilibrium.
        """
        return make_storage(certificate, self.loop, self.equilibrium).evaluate(self)

    def bound(self, certificate: Certificate) -> Array:
        """What V may be at most: ``V(0) exp(-2 rate t)``, t counted from the first sample; shape (T,)."""
        return np.asarray(self.storage(certificate)[0] * np.exp(-2 * float(certificate.rate) * (self.t - self.t[0])))

    def norm_bound(self, certificate: Certificate) -> Array:
        """What the distance may be at most: ``transient_bound * exp(-rate t) * distance[0]``; shape (T,).

        Raises
        ------
        ClaimMismatchError
            If the certificate has no transient bound.
        """
        make_storage(certificate, self.loop, self.equilibrium)
        decay = np.exp(-float(certificate.rate) * (self.t - self.t[0]))
        return np.asarray(float(certificate.transient_bound) * decay * self.distance[0])

    def at(self, t: ArrayLike) -> Array:
        """States between the samples, from the integrator's interpolant.

        Parameters
        ----------
        t : float or array_like, shape (K,)
            Times inside the simulated span.

        Returns
        -------
        ndarray
            One state, or K of them along the first axis.
        """
        times = np.asarray(t, dtype=np.float64)
        if times.ndim > 1 or not np.all((times >= self.t[0]) & (times <= self.t[-1])):
            raise InvalidModelError(f"t must lie between {self.t[0]} and {self.t[-1]}, in one dimension, got {t!r}")
        states = _read_interpolant(self.interpolant, np.atleast_1d(times), self.equilibrium)
        return states if times.ndim else np.asarray(states[0])


def simulate(
    system: System,
    members: Sequence[Member],
    x0: ArrayLike,
    t_span: tuple[float, float],
    *,
    points: int = 401,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    method: Method = "LSODA",
    equilibrium: Equilibrium | ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> Trajectory:
    """Integrate a system closed with concrete members.

    Parameters
    ----------
    system : LureSystem or PrimalDualSystem
        In continuous time.
    members : sequence of Member
        One per oracle, each of a class that is known to be contained in the oracle's class.
    x0 : array_like, shape (n, d), or (d,) where n = 1, or (n + m,) for a primal-dual system
        Start; for a primal-dual system (x, lambda).
    t_span : (float, float)
        First and last time, increasing, in the time unit of the dynamics.
    points : int, default 401
        Number of samples, evenly spaced, both ends included; >= 2.
    rtol, atol : float, default 1e-10 and 1e-12
        Tolerances of the integrator's local error in the deviation from the equilibrium, relative and absolute.
    method : str, default "LSODA"
        Method of `scipy.integrate.solve_ivp`. The default switches to a stiff method where it must.
    equilibrium : Equilibrium or array_like of the shape of a state, optional
        From which distances are measured; searched for by default, see `find_equilibrium`.
    offset : array_like, shape (m,), optional
        Right side b of the constraint ``E x = b`` of a `PrimalDualSystem`; 0 by default.

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
        If no equilibrium is found, or the integration stops early; the message names the time reached.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import gradient_flow
    >>> from lyapflow.members import SquaredNorm
    >>> path = simulate(gradient_flow(SmoothStronglyConvex(1, 10)), [SquaredNorm(1)], [1.0, 2.0], (0, 1))
    >>> bool(abs(path.distance[-1] - np.exp(-1) * np.sqrt(5)) < 1e-8)
    True
    """
    start = read_state(system, x0, name="x0")
    loop = close_loop(system, members, offset=offset, dimension=start.shape[1] if start.ndim == 2 else None)
    if start.shape != loop.state_shape:
        raise DimensionError(f"x0 must have shape {loop.state_shape}, got {start.shape}")
    times = _read_times(t_span, points)
    if method not in get_args(Method):
        raise InvalidModelError(f"method must be one of {list(get_args(Method))}, got {method!r}")
    if not (_FINEST <= rtol < 1 and 0 < atol < np.inf):
        raise InvalidModelError(f"tolerances need {_FINEST} <= rtol < 1 and atol > 0, got rtol={rtol}, atol={atol}")
    if equilibrium is None:
        rest = locate_equilibrium(loop, np.zeros(loop.state_shape))
    else:
        rest = read_equilibrium(loop, equilibrium)
    return integrate(loop, rest, start, times, rtol=rtol, atol=atol, method=method)


def integrate(
    loop: Loop, equilibrium: Equilibrium, x0: Array, times: Array, *, rtol: float, atol: float, method: Method = "LSODA"
) -> Trajectory:
    """As `simulate`, for a loop with a known equilibrium and sample times of any spacing."""
    rest, shape = equilibrium.x, loop.state_shape

    def field_at(t: float, deviation: Array) -> Array:
        try:
            dx = loop.evaluate(rest + deviation.reshape(shape))[0].ravel()
        except ArithmeticError as error:
            raise SimulationError(f"an oracle failed at time {t:.6g}: {error}") from error
        if not np.isfinite(dx).all():
            raise SimulationError(f"the time derivative must stay finite, but at time {t:.6g} it is not")
        return dx

    with np.errstate(all="ignore"):
        solution = solve_ivp(
            field_at, (times[0], times[-1]), (x0 - rest).ravel(), method=method, dense_output=True, rtol=rtol, atol=atol
        )
    if solution.status != 0 or solution.sol is None:
        raise SimulationError(
            f"the integration must reach time {times[-1]:.6g}, but {method} stopped at time {solution.t[-1]:.6g}: "
            f"{solution.message}"
        )
    x = _read_interpolant(solution.sol, times, equilibrium)
    signals = [loop.evaluate(state)[1:] for state in x]
    y, u = (np.array([pair[k] for pair in signals]) for k in (0, 1))
    return Trajectory(
        t=times,
        x=x,
        y=y,
        u=u,
        values=np.array([read_values(loop, inputs) for inputs in y]),
        equilibrium=equilibrium,
        loop=loop,
        interpolant=solution.sol,
    )


def _read_interpolant(interpolant: Callable[[Array], Array], times: Array, equilibrium: Equilibrium) -> Array:
    rest = equilibrium.x
    return np.asarray(interpolant(times)).T.reshape(len(times), *rest.shape) + rest


def _read_times(t_span: tuple[float, float], points: int) -> Array:
    if isinstance(points, bool) or not isinstance(points, int | np.integer) or points < 2:
        raise InvalidModelError(f"points must be an integer >= 2, got {points!r}")
    try:
        first, last = (float(t) for t in t_span)
    except (TypeError, ValueError):
        raise InvalidModelError(f"t_span must be a pair of times, got {t_span!r}") from None
    if not (np.isfinite(first) and np.isfinite(last) and first < last):
        raise InvalidModelError(f"t_span must be increasing and finite, got ({first}, {last})")
    return np.linspace(first, last, points)
