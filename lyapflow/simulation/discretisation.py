r"""Two discretisations of a flow on a time scale, with what they cost.

A step h on the clock of the scaled flow is a step :math:`s = \sigma h` on that of the unscaled one, and near the
equilibrium :math:`\sigma` grows without bound (for :math:`\alpha < 1`).

* *explicit*: Heun's method, :math:`x^+ = x + \tfrac s2(F(x) + F(x + sF(x)))`. Stability bounds s, whatever the time
  scale says, so the last phase is that of the unscaled method: the finite time is lost. The bound is found while it
  runs: F may change by a part of itself.
* *semi-implicit*: :math:`x^+ = x + (I/s - J)^{-1}F(x)`, with :math:`\sigma` taken at x and F, linearised, at
  :math:`x^+`. It is consistent: as s grows it becomes Newton's method, and the smaller the tolerance, the fewer the
  steps for each digit. Each step costs a Jacobian and a linear system; where F bends too much for it, s is halved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from ..errors import InvalidModelError, SimulationError
from ..lmi.time_scales import PrescribedTime, TimeScale
from .equilibria import Equilibrium
from .loops import Array, Loop
from .time_change import evaluate_field, measure_slowness

__all__ = ["Iteration", "Scheme", "run_scheme"]

Scheme: TypeAlias = Literal["explicit", "semi-implicit"]

_CHANGE = 0.5  # part of F by which it may change in an explicit step
_BEND = 0.5  # part of F by which it may miss its linearisation in a semi-implicit step
_GROWTH = 1.5  # of the bound of s after a step that was accepted
_SMALLEST = 1e-14  # step s, relative to the first, at which the iteration gives up
_DIFFERENCE = 1e-7  # relative increment of the Jacobian's differences


@dataclass(frozen=True, slots=True, eq=False)
class Iteration:
    """A run of a scheme until the speed is small.

    Attributes
    ----------
    t : ndarray, shape (K + 1,)
        Time of the scaled flow after each step.
    speed : ndarray, shape (K + 1,)
        ``|F|`` after each step.
    distance : ndarray, shape (K + 1,)
        Distance from the equilibrium after each step.
    evaluations : int
        Of F, those for Jacobians and for steps that were not accepted included.
    solves : int
        Linear systems.
    converged : bool
        Whether the tolerance was reached.
    """

    t: Array
    speed: Array
    distance: Array
    evaluations: int
    solves: int
    converged: bool

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.t) - 1


def run_scheme(
    loop: Loop,
    equilibrium: Equilibrium,
    x0: Array,
    scale: TimeScale | None,
    scheme: Scheme,
    *,
    step: float,
    tolerance: float,
    most: int,
) -> Iteration:
    """A scheme with a fixed step of the scaled clock, until the speed is `tolerance` times the first; see `Iteration`.

    Parameters
    ----------
    loop, equilibrium, x0
        The flow in continuous time, where it rests, and the start.
    scale : FiniteTime, FixedTime or None
        The clock; None for the flow's own.
    scheme : "explicit" or "semi-implicit"
        Which discretisation.
    step : float
        h > 0 on that clock; infinite for the largest steps that are stable.
    tolerance : float
        In (0, 1).
    most : int
        Number of steps after which it ends.

    Raises
    ------
    InvalidModelError
        If an argument is not valid.
    SimulationError
        If no step is small enough.
    """
    if scheme not in get_args(Scheme):
        raise InvalidModelError(f"scheme must be one of {list(get_args(Scheme))}, got {scheme!r}")
    if isinstance(scale, PrescribedTime):
        raise InvalidModelError("a PrescribedTime has no discretisation here: its clock is that of t, not of the state")
    if not step > 0 or not 0 < tolerance < 1 or most < 1 or (scheme == "semi-implicit" and not np.isfinite(step)):
        raise InvalidModelError(
            "step must be > 0 (and finite for the semi-implicit scheme), tolerance > 0 and < 1, most >= 1, got "
            f"{step}, {tolerance} and {most}"
        )
    run = _Run(loop, equilibrium, (x0 - equilibrium.x).ravel())
    first = run.speed
    times, speeds, distances = [0.0], [first], [float(np.linalg.norm(run.state))]
    cap = np.inf
    while run.speed > tolerance * first and len(times) <= most:
        slow = 1.0 if scale is None else float(measure_slowness(scale, run.speed))
        s, cap = run.advance_explicitly(step / slow, cap) if scheme == "explicit" else run.advance(step / slow, cap)
        times.append(times[-1] + s * slow)
        speeds.append(run.speed)
        distances.append(float(np.linalg.norm(run.state)))
    converged = speeds[-1] <= tolerance * first
    return Iteration(np.array(times), np.array(speeds), np.array(distances), run.evaluations, run.solves, converged)


class _Run:
    """A state with its F, and what was spent so far: the one thing here that changes."""

    def __init__(self, loop: Loop, equilibrium: Equilibrium, state: Array) -> None:
        self._loop, self._equilibrium = loop, equilibrium
        self.state, self.evaluations, self.solves = state, 0, 0
        self.field = self._evaluate(state)
        self._shortest = _SMALLEST * float(np.linalg.norm(state)) / max(self.speed, np.finfo(np.float64).tiny)

    @property
    def speed(self) -> float:
        """``|F|``."""
        return float(np.linalg.norm(self.field))

    def advance_explicitly(self, s: float, cap: float) -> tuple[float, float]:
        """A step of length s, or less; its length, and the largest for the next one."""
        s = min(s, cap)
        if not np.isfinite(s):  # nothing is known yet: begin with what crosses the distance
            s = float(np.linalg.norm(self.state)) / self.speed
        while True:
            ahead = self._evaluate(self.state + s * self.field)
            if np.linalg.norm(ahead - self.field) <= _CHANGE * self.speed:
                self.state = self.state + s / 2 * (self.field + ahead)
                self.field = self._evaluate(self.state)
                return s, _GROWTH * s
            s = self._shorten(s)

    def advance(self, s: float, cap: float) -> tuple[float, float]:
        """A semi-implicit step of length s, or less where F is far from linear."""
        jacobian = self._linearise()
        while True:
            self.solves += 1
            change = np.linalg.solve(np.eye(len(jacobian)) / s - jacobian, self.field)
            field = self._evaluate(self.state + change)
            if np.linalg.norm(field - change / s) <= _BEND * self.speed:
                self.state, self.field = self.state + change, field
                return s, cap
            s = self._shorten(s)

    def _shorten(self, s: float) -> float:
        if s < self._shortest:
            raise SimulationError(f"no step is small enough at speed {self.speed:.3g}; the field may be discontinuous")
        return s / 2

    def _linearise(self) -> Array:
        """Derivative of F by forward differences."""
        size = _DIFFERENCE * max(float(np.linalg.norm(self.state)), 1e-300)
        size = max(size, 1e-13 * float(np.linalg.norm(self._equilibrium.x)))
        columns = [self._evaluate(self.state + size * unit) - self.field for unit in np.eye(len(self.state))]
        return np.array(columns).T / size

    def _evaluate(self, state: Array) -> Array:
        self.evaluations += 1
        return evaluate_field(self._loop, self._equilibrium, state)
