"""Numbers of the study of related papers: one small host system for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..certificates import Certificate
from ..learning.coarse_gradient import (
    CoarseGradientFlow,
    prove_vanishing,
    refute_identity_estimator,
    refute_potential,
)
from ..learning.deep_relu import DeepReLUNetwork, fit_drift
from ..learning.ensembles import EnsembleControl, prove_brackets, refute_steering
from ..learning.evidence import Invariant, LocalRate, Refutation, ScalingLaw, Verdict, fit_power
from ..learning.leaky_relu import LeakyReLUNetwork, MarginLimit, find_margin_limit, prove_margin_limit, refute_low_rank
from ..learning.minimax import (
    MinimaxFlow,
    prove_dissipation,
    prove_step_limit,
    refute_bilinear_steps,
    refute_strictness,
)
from ..learning.relu_cells import fit_ill_posedness, prove_rank_loss, refute_global_minima
from ..learning.residual import (
    ScalarResidualNetwork,
    predict_late_rate,
    prove_balance,
    prove_gradient_bound,
    refute_global_bound,
)
from ..learning.spectrum import Array
from ..learning.threshold import ThresholdNetwork, prove_optimum, refute_gradient_training
from ..search import certify

__all__ = [
    "ANGLED",
    "DEPTHS",
    "ENSEMBLE",
    "MARGINS",
    "PENALISED",
    "QUANTISED",
    "STAIRS",
    "TIMES",
    "UNPENALISED",
    "Results",
    "compute",
    "fit_invariant_drift",
    "fit_jacobians",
    "judge_ensembles",
    "judge_games",
    "judge_margins",
    "judge_quantised",
    "judge_residuals",
    "judge_small_networks",
    "relu_problem",
]

PENALISED = MinimaxFlow([[2]], [1], [[1]], [[1]], decay="3/10")
UNPENALISED = MinimaxFlow([[2]], [1], [[1]], [[1]])
MARGINS = LeakyReLUNetwork([1, "6/5", "4/5", "3/2", 1], [1, 1, -1, 1, -1], slope="3/10", width=10)
QUANTISED = CoarseGradientFlow([1, 2, -1], [1, 2, 0, 1])
ANGLED = CoarseGradientFlow([1, 2, -1], [1, 2, 0, 1], estimator="identity")
ENSEMBLE = EnsembleControl([-1.0, -0.5, 0.0, 0.5, 1.0], [-1.0, -0.9, 0.0, 0.9, 1.0], degree=3, layers=12)
STAIRS = ThresholdNetwork([0, 1, 2, 3, 4, 5], [0, 1, 1, 3, 3, 2], decay="1/2")
TIMES = (200.0, 2000.0, 20000.0)
DEPTHS = (5, 10, 20, 50)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Results:
    """What was computed.

    Attributes
    ----------
    games : tuple of Certificate
        Of descent-ascent with decay and without.
    limit : MarginLimit
        Of the leaky ReLU network.
    path : tuple of (ndarray, ndarray, ndarray)
        Times, three singular values, and normalised and relative margins along its training.
    collapse : ScalingLaw
        Of the third singular value.
    late : tuple of LocalRate
        Of residual networks by depth.
    quantised : tuple of (ndarray, ndarray, ndarray)
        Times, loss and angle along the coarse gradient of the ReLU.
    stuck : dict of str to (ndarray, ndarray)
        Times, and the size of w along both coarse gradients from the point with w against the target, v best for it.
    ensembles : tuple of (int, ndarray, ndarray, ndarray)
        Degree, times, loss, and where the points end.
    stairs : tuple of (ndarray, ndarray)
        Times, and the distance of the loss from the best, along the forward-backward flow.
    """

    games: tuple[Certificate, ...]
    limit: MarginLimit
    path: tuple[Array, Array, Array]
    collapse: ScalingLaw
    late: tuple[LocalRate, ...]
    quantised: tuple[Array, Array, Array]
    stuck: dict[str, tuple[Array, Array]]
    ensembles: tuple[tuple[int, Array, Array, Array], ...]
    stairs: tuple[Array, Array]


def judge_games() -> Iterator[Verdict | Refutation]:
    """Descent-ascent: dissipation, strictness, steps."""
    yield prove_dissipation(PENALISED)
    yield prove_step_limit(2, "3/10")
    yield from _present(refute_strictness(UNPENALISED))
    yield refute_bilinear_steps(2, "1/10")


def judge_residuals() -> Iterator[Invariant | Verdict | Refutation]:
    """Residual networks: balance, the gradient bound on a box, none everywhere."""
    network = ScalarResidualNetwork(5, "2.718281828459045")
    yield prove_balance(5)
    yield prove_gradient_bound(network, 1)
    yield refute_global_bound(network)


def judge_margins() -> Iterator[Verdict | Refutation]:
    """Leaky ReLU: the limit is a KKT point of rank two."""
    yield from prove_margin_limit(MARGINS)
    yield refute_low_rank(MARGINS)


def judge_quantised() -> Iterator[Verdict | Refutation]:
    """Coarse gradients: where they vanish, and that they have no potential."""
    yield prove_vanishing(QUANTISED)
    yield from _present(refute_identity_estimator(QUANTISED))
    yield refute_potential(QUANTISED)
    yield refute_potential(ANGLED)


def judge_ensembles() -> Iterator[Verdict | Refutation]:
    """Ensembles: brackets that span, a cross-ratio that stays."""
    yield prove_brackets(["-1", "-1/2", "0", "1/2", "1"], 3)
    yield from _present(refute_steering(["-1", "-1/2", "1/2", "1"], ["-1", "-9/10", "9/10", "1"]))


def judge_small_networks() -> Iterator[Verdict | Refutation]:
    """Threshold networks, cells of ReLU networks, Jacobians."""
    yield prove_optimum(STAIRS)
    yield refute_gradient_training(STAIRS)
    yield refute_global_minima([0, 1, 2], [0, 0, 3])
    yield prove_rank_loss([-2, -1, 0, 1, 2, 3], (1, "1/2", 1), 2)


def fit_invariant_drift() -> ScalingLaw:
    """The drift of the invariants of a ReLU network against the step."""
    network, start = relu_problem()
    return fit_drift(network, start, until=5.0, steps=[2e-2, 5e-3, 1e-3])


def fit_jacobians() -> ScalingLaw:
    """The smallest singular value of a Jacobian against the gap of two neurons."""
    return fit_ill_posedness([-1, 0.5, 1, 2, 3], [1e-2, 1e-3, 1e-4])


def relu_problem() -> tuple[DeepReLUNetwork, Array]:
    """A network with two hidden layers on eight random inputs, and a start."""
    rng = np.random.default_rng(0)
    network = DeepReLUNetwork(rng.standard_normal((3, 8)), rng.standard_normal((1, 8)), [6, 5])
    return network, 0.5 * rng.standard_normal(network.shape)


def compute(say: Callable[[str], None] = lambda line: None) -> Results:
    """All of it; about five seconds."""
    say("games and margins")
    games = tuple(certify(game.system) for game in (PENALISED, UNPENALISED))
    path, collapse = _train_margins()
    say("residual networks")
    late = tuple(
        predict_late_rate(ScalarResidualNetwork(d, np.e), np.linspace(-1, 1, d), until=4.0 * d) for d in DEPTHS
    )
    say("coarse gradients, ensembles, thresholds")
    good = QUANTISED.simulate(
        np.random.default_rng(6).standard_normal(QUANTISED.shape), np.linspace(0, 30, 200), rtol=1e-12
    )
    stairs = STAIRS.simulate(np.zeros(STAIRS.shape), np.linspace(0, 4000, 200))
    best = STAIRS.loss([float(v) for v in STAIRS.optimum])
    return Results(
        games=games,
        limit=find_margin_limit(MARGINS),
        path=path,
        collapse=collapse,
        late=late,
        quantised=(good.t, good.loss, np.array([QUANTISED.angle(x) for x in good.x])),
        stuck=_leave_critical_point(),
        ensembles=tuple(_train_ensemble(degree) for degree in (2, 3)),
        stairs=(stairs.t, stairs.loss - best),
    )


def _train_margins() -> tuple[tuple[Array, Array, Array], ScalingLaw]:
    times = np.union1d(np.geomspace(1.0, TIMES[-1], 60), TIMES)
    start = 0.1 * np.random.default_rng(1).standard_normal(MARGINS.shape)
    run = MARGINS.simulate(start, times)
    values = np.array([np.linalg.svd(x, compute_uv=False)[:3] for x in run.x])
    margins = np.array([MARGINS.margins(x) for x in run.x])
    sizes = np.array([np.linalg.norm(x) for x in run.x])
    spread = np.stack([margins.min(axis=1) / sizes, margins.max(axis=1) / margins.min(axis=1)], axis=1)
    late = times > 100
    law = fit_power(
        times[late],
        values[late, 2] / values[late, 0],
        name="third singular value over the first, against s",
        predicted=Fraction(-1),
    )
    return (times, values, spread), law


def _leave_critical_point() -> dict[str, tuple[Array, Array]]:
    start = np.array([*map(float, QUANTISED.opposite), *(-float(v) for v in QUANTISED.inner)])
    found: dict[str, tuple[Array, Array]] = {}
    for flow in (QUANTISED, ANGLED):
        run = flow.simulate(start, np.linspace(0, 6, 61))
        found[flow.estimator] = run.t, np.array([np.linalg.norm(flow.split(x)[1]) for x in run.x])
    return found


def _train_ensemble(degree: int) -> tuple[int, Array, Array, Array]:
    model = EnsembleControl(ENSEMBLE.points, ENSEMBLE.targets, degree=degree, layers=ENSEMBLE.layers)
    run = model.simulate(np.zeros(model.shape), np.concatenate([[0.0], np.geomspace(1e-1, 200, 40)]))
    return degree, run.t, run.loss, model.move(run.x[-1])


def _present(found: Refutation | None) -> Iterator[Refutation]:
    if found is not None:
        yield found
