"""Deep linear networks in adjacency form: what is proved, what is false, how long the plateaus are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import VerificationError
from ..learning import DeepLinearNetwork, Trajectory
from ..learning import deep_linear_evidence as proofs
from ..learning import deep_linear_refutations as refutations
from ..learning.evidence import LocalRate, Refutation, ScalingLaw, Verdict, fit_power
from ..learning.mode_times import blow_up_time, learning_time, plateau_exponent
from ..report import Evidence, Figure, Note, Table, write_report
from . import deep_linear_figures as figures

__all__ = [
    "STARTS",
    "judge_saddles",
    "measure_plateaus",
    "measure_rate",
    "prove_networks",
    "refute_all",
    "run",
    "run_staircases",
    "run_tight_saddle",
    "tabulate_times",
]

SMALL = DeepLinearNetwork([2, 2, 2, 2], [2, 1])
GIVEN = (
    DeepLinearNetwork([3, 3, 3], [3, 2, 1]),
    SMALL,
    DeepLinearNetwork([2, 3, 4, 3], [3, 1]),
    DeepLinearNetwork([2] * 5, [3, 2]),
    DeepLinearNetwork([2] * 6, [3, 2]),
)
STARTS = {2: 1e-6, 3: 1e-4}
"""Strength of every mode at the start, by depth."""


def prove_networks() -> tuple[object, ...]:
    """Conservation, decrease and the orbit of minima for networks of given widths, in exact polynomials."""
    square = [network for network in GIVEN if len(set(network.widths)) == 1]
    return (
        *(proofs.prove_balance(network) for network in GIVEN),
        *(proofs.prove_decrease(network) for network in GIVEN),
        *(proofs.prove_orbit(network) for network in square),
    )


def judge_saddles() -> tuple[Verdict, ...]:
    """Critical points of two small networks by exact Hessians, and the branches where these are blind."""
    return tuple(v for n in (SMALL, GIVEN[3]) for v in (*proofs.prove_critical_points(n), *proofs.prove_branches(n)))


def refute_all() -> tuple[Refutation, ...]:
    """Everything that the study finds false, each with its witness."""
    return (
        refutations.refute_origin_minimum(SMALL),
        refutations.refute_hessian_test(SMALL),
        refutations.refute_critical_value(SMALL),
        refutations.refute_properness(SMALL),
        *refutations.refute_outer_blocks(SMALL),
    )


def measure_rate(network: DeepLinearNetwork = SMALL) -> LocalRate:
    """The local rate at the balanced minimum beside half the decay rate of the loss along a trajectory.

    Raises
    ------
    VerificationError
        If they differ by more than a thousandth.
    """
    rate = proofs.find_local_rate(network)
    start = network.start_aligned(0.99 * network.singular_values)
    times = np.array([0.0, 3.0, 3.5]) * 3 / rate.rate
    path = network.simulate(start, times, rtol=1e-12, atol=1e-15)
    measured = float(np.log(path.loss[1] / path.loss[2]) / (times[2] - times[1]) / 2)
    if abs(measured / rate.rate - 1) > 1e-3:
        raise VerificationError(f"the loss decays with {measured:g}", inequality="local rate", witness=measured)
    return replace(rate, measured=measured)


def measure_plateaus() -> tuple[ScalingLaw, ...]:
    """How the time to half strength grows as the start shrinks, for three to five layers: by ``-(1 - 2/h)``."""
    starts = np.geomspace(1e-200, 1e-150, 11)  # so small that the law is exact to rounding; closed forms do not mind
    return tuple(
        fit_power(
            starts,
            [learning_time(1, start, 0.5, depth=depth) for start in starts],
            name=f"time to half strength against the initial strength, depth {depth}",
            predicted=plateau_exponent(depth),
        )
        for depth in (3, 4, 5)
    )


def run_staircases() -> dict[int, Trajectory]:
    """Networks with singular values 3, 2, 1 from small aligned starts, two and three layers, integrated as matrices."""
    runs = {}
    for depth, start in STARTS.items():
        network = DeepLinearNetwork([3] * (depth + 1), [3, 2, 1])
        end = 1.5 * learning_time(1, start, 0.5, depth=depth)
        runs[depth] = network.simulate(network.start_aligned([start] * 3), np.linspace(0, end, 400), rtol=1e-10)
    return runs


def run_tight_saddle(end: float = 100.0) -> dict[str, Trajectory]:
    """The saddle that has learnt 2 and not 1, with the second entry of every layer at +1/20 and at -1/20."""
    times = np.linspace(0, end, 401)
    starts = {"+1/20": 0.05**3, "-1/20": -(0.05**3)}
    return {
        name: SMALL.simulate(SMALL.start_aligned([2, u]), times, rtol=1e-10, atol=1e-13) for name, u in starts.items()
    }


def tabulate_times() -> list[tuple[object, ...]]:
    """Depth, singular value, start, time to half strength, its estimate, and the strength in simulation then."""
    rows: list[tuple[object, ...]] = []
    for depth, start, values in ((2, 1e-6, (3, 2, 1)), (3, 1e-4, (3, 2, 1)), (4, 1e-4, (1,)), (5, 1e-4, (1,))):
        network = DeepLinearNetwork([len(values)] * (depth + 1), values)
        for k, sigma in enumerate(values):
            time = learning_time(sigma, start, sigma / 2, depth=depth)
            path = network.simulate(network.start_aligned([start] * len(values)), [time], rtol=1e-11)
            product = np.linalg.multi_dot(network.split(path.x[-1]))
            guess = blow_up_time(sigma, start, depth=depth) if depth > 2 else None
            rows.append((depth, sigma, start, time, guess, float(product[k, k]) / sigma))
    return rows


def run(folder: Path, say: Callable[[str], None] = print) -> Path:
    """Derive, simulate, and write the report; returns its path."""
    say("deriving, simulating and writing")
    runs, saddle = run_staircases(), run_tight_saddle()
    return write_report(
        Path(folder) / "deep_linear_networks.html",
        Note(
            "The question",
            "A product of matrices is fitted to a target by gradient descent in continuous time. What is conserved, "
            "where does the flow rest, which of these points are stable, and how long are the plateaus before each "
            "singular value is learnt?\n\nAfter Wendin, Altafini, Gradient flow equations for deep linear neural "
            "networks: a survey from a network perspective, arXiv 2511.10362. With A the block-shift matrix of the "
            "layers W_1, ..., W_h and E that of the target, A' = sum_j (A^(h-j))' (E - A^h) (A^(j-1))', "
            "which descends V = |E - A^h|^2 / 2.",
        ),
        Figure(
            "The loss falls in steps, one for each singular value",
            lambda canvas: figures.draw_staircases(canvas, runs),
            kind="seen in simulation",
            caption="Singular values 3, 2, 1; aligned start, all modes of strength 1e-6 (two layers) and 1e-4 (three). "
            "Lines: the matrices, integrated. Dots: closed forms, Saxe's for two layers, the integral for three. More "
            "layers wait longer and rise more steeply.",
        ),
        Figure(
            "Two weights in a row",
            figures.draw_portrait,
            caption="w1' = (1 - w1 w2) w2, w2' = (1 - w1 w2) w1. Solutions stay on hyperbolas w1^2 - w2^2 = c "
            "(dashed). Minima: the curve w1 w2 = 1; the saddle at the origin draws in the line w1 = -w2 and no "
            "more.",
        ),
        Figure(
            "A saddle that the Hessian does not see",
            lambda canvas: figures.draw_semistable(canvas, saddle),
            kind="seen in simulation",
            caption="Three layers. Left: s' = s^2 (1 - s^3), the flow of a mode that is not learnt; s > 0 leaves and "
            "s < 0 comes in. Right: the matrices, started at +1/20 and -1/20 beside the saddle that has learnt 2 of "
            "(2, 1).",
        ),
        Evidence(
            "Adjacency form, for every width",
            proofs.prove_every_width,
            text="The identities are those of matrices of any size, in a free algebra.",
        ),
        Evidence("Conservation, descent and orbits, for given widths", prove_networks),
        Evidence(
            "Critical points and their stability",
            judge_saddles,
            text="Each critical point has learnt some singular values, and its loss is half the squares of the others. "
            "The Hessian is counted at a rational point of the same orbit.",
        ),
        Evidence("What is false", refute_all),
        Evidence("Local rate", measure_rate),
        Table(
            "Time until a mode has half its strength",
            (
                "layers",
                "singular value",
                "start",
                "time, closed form",
                "estimate",
                "strength then, simulated, relative",
            ),
            tabulate_times(),
            kinds=("", "", "", "", "", "seen in simulation"),
        ),
        Evidence(
            "Plateaus are power laws of the start",
            measure_plateaus,
            text="From three layers on; with two the time grows like a logarithm.",
        ),
        Figure(
            "How long a plateau lasts",
            figures.draw_plateaus,
            caption="Closed forms, singular value 1. Dotted: the estimate by blow-up.",
        ),
        title="Deep linear networks in adjacency form",
    )
