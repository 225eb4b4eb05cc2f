"""The networks of the study of homogeneous networks, their simulations, and the tables made of them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..errors import InvalidModelError, VerificationError
from ..learning import DeepLinearNetwork, SquaredReLU, Trajectory
from ..learning import squared_rays as rays
from ..learning.evidence import ScalingLaw, fit_power
from ..learning.spectrum import Array

__all__ = [
    "AXES",
    "CLOSE",
    "MANY",
    "ONE",
    "SIZES",
    "find_crossing",
    "measure_escape",
    "run_close",
    "run_many",
    "run_rays",
    "start_one",
    "tabulate_directions",
    "tabulate_linear",
    "tabulate_neurons",
    "tabulate_rays",
]

AXES = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
LABELS = (1, "0.2", "-0.6")
MANY = SquaredReLU(AXES, LABELS, width=8)
ONE = SquaredReLU(AXES, LABELS, width=1)
CLOSE = SquaredReLU(AXES, (1, "0.8", "-0.6"), width=1)
"""Two labels of one sign that are close."""
SIZES = (1e-2, 1e-3, 1e-4)
DIRECTION = (0.6, 0.5, 0.5, -0.2)
"""Of v and the w_i, for the networks of one neuron."""
SEED = 1


def start_one(size: float) -> Array:
    """The start of one neuron with the direction of the study."""
    return size * np.array(DIRECTION)


def find_crossing(network: SquaredReLU, start: Array, until: float, *, norm: float) -> Array:
    """The time at which the norm of the state first is `norm`, and the state then.

    Raises
    ------
    InvalidModelError
        If that is not before the given time.
    """
    low, high = 0.0, until
    for _ in range(6):
        times = np.linspace(low, high, 101)
        run = network.simulate(start, times)
        sizes = np.linalg.norm(run.x, axis=1)
        late = int(np.argmax(sizes >= norm))
        if not sizes[late] >= norm or late == 0:
            raise InvalidModelError(f"the norm must pass {norm:g} between t = {low:g} and {high:g}")
        low, high = float(times[late - 1]), float(times[late])
    return np.concatenate([[high], run.x[late]])


def run_rays(sizes: tuple[float, ...] = SIZES) -> dict[float, Trajectory]:
    """The ray of the label 1 from several norms, until it is learnt."""
    runs = {}
    for size in sizes:
        end = rays.escape_time(rays.find_rays(ONE.data)[0].value, size, degree=3)
        parts = (
            np.linspace(0, end - 10, 200),
            np.linspace(end - 10, end + 10, 401),
            np.linspace(end + 10, 1.2 * end, 20),
        )
        times = np.unique(np.concatenate(parts))
        runs[size] = ONE.simulate(ONE.start_ray(0, size), times)
    return runs


def tabulate_rays(sizes: tuple[float, ...] = SIZES) -> list[tuple[object, ...]]:
    """Norm of the start, T_delta, time to half of the label after it, simulated and in closed form.

    Raises
    ------
    VerificationError
        If the two differ by more than a millionth of T_delta, or by more than a thousandth.
    """
    rows: list[tuple[object, ...]] = []
    half = rays.absorb(ONE.data, [0])[0] * 0.5 ** (1 / 3) * 3**0.5  # norm at which the output is 1/2
    for size in sizes:
        escape = rays.escape_time(rays.find_rays(ONE.data)[0].value, size, degree=3)
        seen = float(find_crossing(ONE, ONE.start_ray(0, size), escape + 5, norm=half)[0]) - escape
        part = 2 * (size / 3**0.5) ** 3
        closed = float(np.diff(rays.ray_time(ONE.data, 0, [part, 0.5]))[0]) - escape
        if abs(seen - closed) > min(1e-6 * escape, 1e-3):
            raise VerificationError(f"{seen} is not {closed}", inequality="ray", witness=(seen, closed))
        rows.append((size, escape, seen, closed))
    return rows


def measure_escape() -> ScalingLaw:
    """The time to |theta| = 1/10 from a generic direction against the norm of the start: the power -1 for L = 3."""
    sizes = np.geomspace(1e-15, 1e-11, 7)
    times = [float(find_crossing(ONE, start_one(s), 3 / s, norm=0.1)[0]) for s in sizes]
    return fit_power(
        sizes, times, name="time to leave the origin against the norm of the start", predicted=Fraction(-1)
    )


def tabulate_directions(sizes: tuple[float, ...] = SIZES) -> list[tuple[object, ...]]:
    """Norm of the start; w_2/w_1 at |theta| = 1/2 divided by norm^0.8; growth rate of w_2 and length of the plateau."""
    rows: list[tuple[object, ...]] = []
    for size in sizes:
        found = find_crossing(ONE, start_one(size), 2 / size, norm=0.5)
        escaped, state = float(found[0]), found[1:]
        run = ONE.simulate(start_one(size), escaped + np.linspace(0, 60, 6001))
        loss, second = run.loss, run.x[:, 2]
        on = (loss > 0.19) & (loss < 0.201)
        calm = np.abs(loss - 0.2) < 2e-5  # the fast modes are gone, and the label has not been noticed yet
        rate = float(np.polyfit(run.t[calm], np.log(second[calm]), 1)[0]) if np.count_nonzero(calm) > 9 else None
        rows.append((size, float(state[2] / state[1]) / size**0.8, rate, float(run.t[on][-1] - run.t[on][0])))
    return rows


def run_many(seed: int = SEED, *, size: float = 1e-3, end: float = 20_000.0, samples: int = 2001) -> Trajectory:
    """Eight neurons from a random direction."""
    return MANY.simulate(MANY.random_start(seed, scale=size), np.linspace(0, end, samples))


def tabulate_neurons(run: Trajectory) -> list[tuple[object, ...]]:
    """Neuron, norm at the start and at the end, and the label that it has learnt."""
    before, after = MANY.measure_neurons(run.x[0]), MANY.measure_neurons(run.x[-1])
    v, W = MANY.split(run.x[-1])
    outputs = v[:, None] * np.maximum(W, 0) ** 2
    learnt = [f"{MANY.data.y[int(np.argmax(np.abs(h)))]:g}" if np.abs(h).max() > 0.05 else "none" for h in outputs]
    return [(j + 1, float(a), float(b), name) for j, (a, b, name) in enumerate(zip(before, after, learnt, strict=True))]


def run_close() -> dict[str, Trajectory]:
    """Labels 1 and 0.8: from a generic small start, and from one that is on the ray of the label 1 to 1e-12."""
    near = CLOSE.start_ray(0, 2e-3)
    near[2] = 1e-12 * near[1]
    return {
        "generic, norm 0.0019": CLOSE.simulate(start_one(2e-3), np.linspace(480, 560, 801)),
        "on the ray to 1e-12": CLOSE.simulate(near, np.linspace(400, 480, 801)),
    }


def tabulate_linear(strength: float = 9.62078) -> list[tuple[object, ...]]:
    """Two layers of a linear network, L = 2: norm of the start, T_delta, and the time to |theta| = 0.3.

    A target of one direction and whitened inputs, so that N* is half the norm of X'y; the start is not aligned.
    """
    network = DeepLinearNetwork([1, 3, 2], [[strength, 0]])
    direction = np.random.default_rng(0).normal(size=network.shape)
    direction /= np.linalg.norm(direction)
    rows: list[tuple[object, ...]] = []
    for size in (1e-3, 1e-6):
        escape = rays.escape_time(strength / 2, size, degree=2)
        run = network.simulate(size * direction, escape + np.linspace(-0.3, 0.3, 6001), rtol=1e-11)
        sizes = np.linalg.norm(run.x, axis=1)
        late = int(np.argmax(sizes >= 0.3))
        rows.append((size, escape, float(np.interp(0.3, sizes[late - 1 : late + 1], run.t[late - 1 : late + 1]))))
    return rows
