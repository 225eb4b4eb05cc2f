"""The networks of the study of shallow ReLU networks, their simulations, and the tables made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..errors import InvalidModelError, VerificationError
from ..learning import ShallowReLU, Trajectory
from ..learning import relu_limits as limits
from ..learning.evidence import LocalRate
from ..learning.relu_evidence import find_end_rate
from ..learning.relu_phases import find_seed, half_time, measure_half_time
from ..learning.spectrum import Array

__all__ = [
    "BLOCKS",
    "PAIR",
    "SCALES",
    "SIX",
    "TOY",
    "UNIT",
    "Descent",
    "fit_rate",
    "follow_outputs",
    "follow_pair",
    "measure_end",
    "run_descent",
    "run_end",
    "run_scales",
    "start_pair",
    "tabulate_ends",
    "tabulate_pair",
    "tabulate_times",
]


def _diagonal(norms: tuple[str, ...], width: int) -> list[list[str]]:
    return [[norm if i == k else "0" for i in range(width)] for k, norm in enumerate(norms)]


TOY = ShallowReLU([["-0.5", 1], [2, 1]], [-1, 1], width=60)
"""The toy data of the paper: inputs (x, 1)."""
PAIR = ShallowReLU([[1, 0], [0, 1]], [1, "-0.5"], width=2)
"""One neuron for each label: closed forms hold to the order of the scale squared."""
BLOCKS = ShallowReLU(_diagonal(("1", "1.4", "1", "0.8"), 4), [1, "0.8", "-0.7", "-0.5"], width=60)
"""Two labels of each sign, inputs of different norms."""
UNIT = ShallowReLU(_diagonal(("1",) * 4, 4), [1, "0.8", "-0.7", "-0.5"], width=60)
"""The same labels on orthonormal inputs."""
SIX = ShallowReLU(_diagonal(("1", "1.5", "0.8", "1.2", "1"), 6), [1, "0.8", "-0.7", "1.2", "-0.5"], width=100)
"""Five points in six dimensions."""
SCALES = (1e-3, 1e-6, 1e-9)
SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Descent:
    """Gradient descent as in the authors' program, and the flow at the same times.

    Attributes
    ----------
    t : ndarray, shape (T,)
        Time of the flow: twice the step, times the number of steps.
    loss, flow : ndarray, shape (T,)
        Loss of the iteration and of the flow.
    """

    t: Array
    loss: Array
    flow: Array


def follow_outputs(run: Trajectory) -> Array:
    """The outputs at the inputs along a trajectory, shape (T, n)."""
    network = _network_of(run)
    return np.array([network.predict(x) for x in run.x])


def run_scales(scales: tuple[float, ...] = SCALES, *, seed: int = SEED, samples: int = 601) -> dict[float, Trajectory]:
    """The toy network from one draw at several scales, to 2.6 times the logarithm of the scale."""
    return {
        scale: TOY.simulate(TOY.random_start(seed, scale=scale), np.linspace(0, -2.6 * np.log(scale), samples))
        for scale in scales
    }


def tabulate_times(runs: Mapping[float, Trajectory]) -> list[tuple[object, ...]]:
    """Scale; times to half of either label; slopes against ln(1/scale) from the scale before; loss halfway between.

    Raises
    ------
    VerificationError
        If a slope between the two smallest scales differs from 1/|D| by more than 1e-5 of it, or the loss between the
        two steps from that of the saddle by more than the root of the scale.
    """
    rows: list[tuple[object, ...]] = []
    saddle = float(limits.find_saddle_loss(TOY.data, (1,)))
    before: tuple[float, Array] | None = None
    slopes: Array | None = None
    for scale, run in sorted(runs.items(), reverse=True):
        outputs = follow_outputs(run)
        halves = np.array([_refine(run, outputs[:, k], k) for k in (1, 0)])
        middle = float(TOY.simulate(run.x[0], [float(halves.mean())]).loss[0])
        slopes = None if before is None else (halves - before[1]) / np.log(before[0] / scale)
        if abs(middle - saddle) > np.sqrt(scale):
            raise VerificationError(f"the loss between the steps is {middle}", inequality="saddle", witness=middle)
        rows.append((scale, *halves.tolist(), *((None, None) if slopes is None else slopes.tolist()), middle))
        before = scale, halves
    wanted = [1 / np.linalg.norm(limits.find_drive(TOY.data, s)) for s in (1, -1)]
    if slopes is None or np.abs(slopes / wanted - 1).max() > 1e-5:
        raise VerificationError(f"the slopes are {slopes}, not {wanted}", inequality="slopes", witness=slopes)
    return rows


def run_descent(scale: float = 1e-6, *, step: float = 1e-3, steps: int = 20_000, every: int = 200) -> Descent:
    """The authors' iteration, descent on the mean squared error of the toy data, beside the flow from one start."""
    start = TOY.random_start(SEED, scale=scale)
    x, losses = start.copy(), []
    a, W = (v.copy() for v in TOY.split(x))
    X, y = TOY.data.X, TOY.data.y
    for k in range(1, steps + 1):
        products = W @ X.T
        seen = products > 0
        rest = (y - a @ (seen * products)) * (2 * step / len(y))
        a, W = a + (seen * products) @ rest, W + a[:, None] * ((seen * rest) @ X)
        if k % every == 0:
            losses.append(TOY.loss(TOY.join(a, W)))
    times = 2 * step * every * np.arange(1, len(losses) + 1)
    return Descent(np.asarray(times, dtype=float), np.array(losses), TOY.simulate(start, times).loss)


def start_pair(scale: float, angle: float = 0.7) -> Array:
    """One neuron of either sign, each turned from its axis by an angle, away from the other input."""
    c, s = np.cos(angle), np.sin(angle)
    return PAIR.join([scale, -scale], scale * np.array([[c, -s], [-s, c]]))


def tabulate_pair(scales: tuple[float, ...] = (1e-3, 1e-6)) -> list[tuple[object, ...]]:
    """Scale, label, time to half of it in closed form, and in simulation."""
    rows: list[tuple[object, ...]] = []
    for scale in scales:
        outer, weights = PAIR.split(start_pair(scale))
        for k, sign in ((0, 1), (1, -1)):
            time = half_time(PAIR.data, sign, find_seed(PAIR.data, outer, weights, sign))
            run = PAIR.simulate(start_pair(scale), time + np.linspace(-1e-2, 1e-2, 21))
            rows.append(
                (scale, float(PAIR.data.y[k]), time, measure_half_time(run, follow_outputs(run)[:, k], PAIR.data.y[k]))
            )
    return rows


def follow_pair(scale: float = 1e-3) -> Trajectory:
    """The network with one neuron for each label, simulated until both are fitted."""
    return PAIR.simulate(start_pair(scale), np.linspace(0, 45, 451))


def tabulate_ends(scales: tuple[float, ...] = (1e-4, 1e-8, 1e-16)) -> list[tuple[object, ...]]:
    """Scale, loss where it falls slowest between the steps, half the squared weights at the end, singular values."""
    rows: list[tuple[object, ...]] = []
    for scale in scales:
        run = SIX.simulate(SIX.random_start(SEED, scale=scale), np.linspace(0, 150 - 8 * np.log(scale), 2000))
        loss = run.loss
        between = (loss < 0.11) & (loss > 0.05)
        slowest = int(np.argmax(np.where(between, np.gradient(np.log(loss), run.t), -np.inf)))
        values = np.linalg.svd(SIX.split(run.x[-1])[1], compute_uv=False)
        rows.append((scale, float(loss[slowest]), float(np.sum(run.x[-1] ** 2) / 2), *values[:4].tolist()))
    return rows


def run_end() -> dict[str, Trajectory]:
    """Two networks until the loss is at rounding: different norms, and all norms one."""
    names = {"norms 1, 1.4, 1, 0.8": BLOCKS, "norms 1": UNIT}
    return {
        name: network.simulate(network.random_start(SEED, scale=1e-6), np.linspace(0, 140, 701))
        for name, network in names.items()
    }


def fit_rate(run: Trajectory, low: float, high: float) -> float:
    """The V-rate of the loss where it is between two values."""
    loss = run.loss
    chosen = (loss > low) & (loss < high)
    return -float(np.polyfit(run.t[chosen], np.log(loss[chosen]), 1)[0])


def measure_end() -> LocalRate:
    """The local rate at the interpolator of least norm beside half the decay rate of the loss.

    Raises
    ------
    VerificationError
        If they differ by more than a thousandth.
    """
    run = BLOCKS.simulate(BLOCKS.random_start(SEED, scale=1e-6), np.linspace(100, 170, 71))
    rate, seen = find_end_rate(BLOCKS), fit_rate(run, 1e-16, 1e-9) / 2
    if abs(seen / rate.rate - 1) > 1e-3:
        raise VerificationError(f"the loss decays with {2 * seen:g}", inequality="end rate", witness=seen)
    return replace(rate, measured=seen)


def _refine(run: Trajectory, outputs: Array, k: int) -> float:
    """The time to half a label, simulated again around its first estimate."""
    label = float(TOY.data.y[k])
    near = measure_half_time(run, outputs, label)
    fine = TOY.simulate(run.x[0], near + np.linspace(-0.1, 0.1, 401))
    return measure_half_time(fine, follow_outputs(fine)[:, k], label)


def _network_of(run: Trajectory) -> ShallowReLU:
    if not isinstance(run.flow, ShallowReLU):
        raise InvalidModelError(f"the run must be that of a shallow ReLU network, got {run.flow!r}")
    return run.flow
