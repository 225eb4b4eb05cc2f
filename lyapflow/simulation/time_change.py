r"""An orbit on two clocks: the flow's own, s, and that of a time scale, :math:`\mathrm dt = \mathrm ds/\sigma`.

A time scale changes how fast an orbit is run through, not the orbit. So the time t at which a scaled flow settles is
:math:`\int_0^\infty \mathrm ds/\sigma(x(s))` along the unscaled flow, where nothing is stiff and nothing blows up at
the equilibrium. The integration goes decade by decade of the distance, in units of its own, down to where rounding in F
is felt; the rest is a geometric series, :math:`\int e^{-(1-\alpha)\lambda s}\mathrm ds`, with the rate seen last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.integrate import OdeSolution, solve_ivp
from scipy.interpolate import PchipInterpolator

from ..errors import SimulationError
from ..lmi.time_scales import FiniteTime, FixedTime, PrescribedTime, TimeScale
from .equilibria import Equilibrium
from .loops import Array, Loop
from .trajectories import Trajectory, record

__all__ = [
    "CLEAR",
    "COARSEST",
    "DECADE",
    "LONGEST",
    "Orbit",
    "evaluate_field",
    "follow_orbit",
    "measure_noise",
    "measure_slowness",
]

DECADE = 0.1  # what is left of the distance after one stretch
_FELT = 1e-6  # relative rounding error in F at which the integration ends
CLEAR = 1e3  # factor between rounding in F and the integrator's tolerance: with less it takes ever smaller steps
_LEAST = 1e-40  # distance, in units of the start's, at which it ends where F is exact
LONGEST = 1e9  # unscaled time of a stretch in units of distance over speed; a flow that is slower does not settle
_SETTLED = 1e-13  # share of the time t in the last stretch at which the rest is left to the series
_SAMPLES = 24  # of a stretch
_SAFETY = 10.0  # factor on the integrator's tolerance
_MOST, _FAR = 4_000, 100_000  # evaluations of F in a stretch, near the equilibrium and far from it: near to it more are
# a sign of rounding in F that nobody foresaw, far from it an oracle may oscillate
_COARSER, COARSEST = 100.0, 1e-4  # factor on the tolerance for another try, and the last tolerance


class _TooManyError(Exception):
    """A stretch needs too many evaluations."""


@dataclass(frozen=True, slots=True, eq=False)
class Orbit:
    """Samples of an orbit from a start to the end of the integration.

    Attributes
    ----------
    s, t : ndarray, shape (T,)
        Time of the unscaled flow and of the scaled one.
    deviations : ndarray, shape (T, N)
        Flat deviations from the equilibrium.
    error : ndarray, shape (T,)
        Estimated relative error of the deviations.
    rest : float
        Estimated time t from the last sample to the equilibrium; 0 if the orbit was to end there.
    """

    s: Array
    t: Array
    deviations: Array
    error: Array
    rest: float

    @property
    def settling_time(self) -> float:
        """Time t from the start to the equilibrium, or to the distance at which the orbit was to end."""
        return float(self.t[-1]) + self.rest

    def trace(self, loop: Loop, equilibrium: Equilibrium) -> Trajectory:
        """The samples as a trajectory on the scaled clock."""
        keep = np.r_[True, np.diff(self.t) > 0]
        look_up = PchipInterpolator(self.t[keep], self.deviations[keep])
        known = {float(t): d for t, d in zip(self.t[keep], self.deviations[keep], strict=True)}

        def find(times: Array) -> Array:
            return np.array([known.get(float(t), look_up(t)) for t in times]).T

        return record(loop, equilibrium, self.t[keep], find)


def measure_slowness(scale: TimeScale, speed: Array | float) -> Array | float:
    """``1/sigma`` at a speed ``|F|``; for a prescribed time, at its start."""
    if isinstance(scale, PrescribedTime):
        return float(scale.time) / float(scale.gain or 1)
    with np.errstate(over="ignore", divide="ignore"):
        near = np.power(speed, float(scale.alpha) - 1)
        if isinstance(scale, FixedTime):
            first, second = map(float, scale.gains)
            return 1 / (first * near + second * np.power(speed, float(scale.beta) - 1))
        return 1 / (float(scale.gain) * near)


def follow_orbit(
    loop: Loop, equilibrium: Equilibrium, x0: Array, scale: TimeScale, *, threshold: float = 0.0, rtol: float = 1e-10
) -> Orbit:
    """The orbit of a start on both clocks, until its distance is `threshold` times that of the start.

    Parameters
    ----------
    loop : Loop
        In continuous time.
    equilibrium : Equilibrium
        Where it settles.
    x0 : ndarray
        Start.
    scale : FiniteTime, FixedTime or PrescribedTime
        The clock of t.
    threshold : float, default 0
        In [0, 1); 0 is the equilibrium itself.
    rtol : float, default 1e-10
        Relative tolerance of the integrator's local error.

    Raises
    ------
    SimulationError
        If the orbit does not approach the equilibrium, or the integrator stops.
    """
    deviation = (x0 - equilibrium.x).ravel()
    first = float(np.linalg.norm(deviation))
    if first == 0:
        return Orbit(np.zeros(1), np.zeros(1), deviation[None], np.zeros(1), 0.0)
    parts: list[tuple[Array, Array, Array, Array]] = []
    s, t, size, error, shrink = 0.0, 0.0, first, 0.0, 1.0
    while True:
        end = max(DECADE * size, threshold * first)
        speed = float(np.linalg.norm(evaluate_field(loop, equilibrium, deviation)))
        noise = measure_noise(loop, equilibrium, size, speed)
        if threshold == 0 and (speed * _FELT <= noise or size <= _LEAST * first or shrink <= _SETTLED):
            break
        fine = max(rtol, CLEAR * noise / speed) if speed > 0 else rtol
        solution = None
        while solution is None and fine <= max(COARSEST, rtol):
            solution = _run_stretch(loop, equilibrium, deviation, end / size, scale, fine, speed)
            fine *= 1.0 if solution else _COARSER
        if solution is None:
            if parts and threshold == 0:
                break  # rounding in F is felt here: the series knows better
            raise SimulationError(f"the orbit must approach its equilibrium, but at distance {size:.3g} it does not")
        at = np.linspace(0, solution.ts[-1], _SAMPLES)
        states = solution(at)
        rtol = fine  # what is felt here is felt further on
        stretch = size / speed if speed > 0 else 1.0
        clock = stretch * float(measure_slowness(scale, speed))
        error += _SAFETY * fine
        parts.append((s + at * stretch, t + states[-1] * clock, states[:-1].T * size, np.full(_SAMPLES, error)))
        s, t, deviation = float(parts[-1][0][-1]), float(parts[-1][1][-1]), parts[-1][2][-1]
        shrink = float(states[-1][-1] * clock) / t
        size = float(np.linalg.norm(deviation))
        if threshold > 0 and size <= threshold * first * (1 + 1e-6):
            break
    if not parts:  # it starts where rounding is felt already
        return Orbit(np.zeros(1), np.zeros(1), deviation[None], np.zeros(1), 0.0)
    s_all, t_all, deviations, errors = (np.concatenate([part[k] for part in parts]) for k in range(4))
    rest = 0.0
    if isinstance(scale, PrescribedTime):
        t_all = float(scale.time) * -np.expm1(-s_all / float(scale.gain or 1))
        rest = float(scale.time) - float(t_all[-1])
    elif threshold == 0:
        rest = _sum_up(loop, equilibrium, s_all, deviations, scale)
    return Orbit(s_all, t_all, deviations, errors, 0.0 if threshold > 0 else rest)


def _run_stretch(
    loop: Loop,
    equilibrium: Equilibrium,
    start: Array,
    end: float,
    scale: TimeScale,
    rtol: float,
    speed: float,
) -> OdeSolution | None:
    """The flow until a part `end` of a deviation is left; in units of that, of size over speed, and of their t.

    None if that takes too many evaluations.
    """
    if speed == 0:
        raise SimulationError("the orbit rests at a point that is not the equilibrium")
    size = float(np.linalg.norm(start))
    stretch, slow = size / speed, float(measure_slowness(scale, speed))

    remaining = _FAR if size >= 1 else _MOST

    def field(_: float, state: Array) -> Array:
        nonlocal remaining
        remaining -= 1
        if remaining < 0:
            raise _TooManyError
        motion = evaluate_field(loop, equilibrium, size * state[:-1])
        pace = float(measure_slowness(scale, float(np.linalg.norm(motion)))) / slow
        return np.append(motion * (stretch / size), pace)

    def arrive(_: float, state: Array) -> float:
        return float(np.linalg.norm(state[:-1])) - end

    arrive.terminal, arrive.direction = True, -1.0  # type: ignore[attr-defined]
    tiny = np.full(len(start) + 1, rtol * 1e-3)
    try:
        with np.errstate(all="ignore"):
            found = solve_ivp(
                field,
                (0.0, LONGEST),
                np.append(start / size, 0.0),
                method="LSODA",
                dense_output=True,
                rtol=rtol,
                atol=tiny,
                events=arrive,
            )
    except _TooManyError:
        return None
    if found.status != 1 or found.sol is None:
        raise SimulationError(
            f"the orbit must approach its equilibrium, but at distance {size:.3g} it came no nearer: {found.message}"
        )
    return found.sol


def _sum_up(loop: Loop, equilibrium: Equilibrium, s: Array, deviations: Array, scale: FiniteTime | FixedTime) -> float:
    """What remains of t after the last sample, at the rate at which the speed has fallen last."""
    k = len(s) - _SAMPLES
    here, before = (float(np.linalg.norm(evaluate_field(loop, equilibrium, deviations[j]))) for j in (-1, k))
    if here == 0 or not before > here:
        return 0.0
    rate = np.log(before / here) / (s[-1] - s[k])
    return float(float(measure_slowness(scale, here)) / (rate * (1 - float(scale.alpha))))


def evaluate_field(loop: Loop, equilibrium: Equilibrium, deviation: Array) -> Array:
    """F at a flat deviation, flat."""
    try:
        dx = loop.evaluate(equilibrium.x + deviation.reshape(equilibrium.x.shape))[0]
    except ArithmeticError as error:
        raise SimulationError(f"an oracle failed at distance {np.linalg.norm(deviation):.6g}: {error}") from error
    if not np.isfinite(dx).all():
        raise SimulationError("the time derivative must stay finite, but it does not")
    return dx.ravel()


def measure_noise(loop: Loop, equilibrium: Equilibrium, size: float, speed: float) -> float:
    """Rounding in F at a deviation of a size, as far as it can be foreseen: its terms, and that of the state."""
    eps, place = np.finfo(np.float64).eps, float(np.linalg.norm(equilibrium.x))
    terms = loop.measure_terms(equilibrium.x, equilibrium.u)
    return max(eps * terms, equilibrium.residual, 4 * eps * place * speed / size)
