"""What a caller gives to learning flows is refused at the edge, with its name and what must hold."""

from fractions import Fraction

import numpy as np
import pytest

import lyapflow as lf
from lyapflow.learning.affine_relu import AffineReLU
from lyapflow.learning.attention_scores import AttentionScores
from lyapflow.learning.attention_times import fit_plateaus, plateau_time
from lyapflow.learning.coarse_gradient import CoarseGradientFlow
from lyapflow.learning.deep_relu import DeepReLUNetwork
from lyapflow.learning.ensembles import EnsembleControl, prove_brackets
from lyapflow.learning.evidence import fit_power
from lyapflow.learning.leaky_relu import LeakyReLUNetwork
from lyapflow.learning.linear_chain import LinearChain
from lyapflow.learning.minimax import MinimaxFlow
from lyapflow.learning.orthogonal_data import OrthogonalData
from lyapflow.learning.relu_cells import count_cells, prove_rank_loss, refute_global_minima
from lyapflow.learning.relu_features import train_relu
from lyapflow.learning.residual import ScalarResidualNetwork, prove_balance
from lyapflow.learning.shallow_relu import ShallowReLU
from lyapflow.learning.sparse_attention import SparseAttention
from lyapflow.learning.squared_rays import absorb, follow_ray
from lyapflow.learning.squared_relu import SquaredReLU
from lyapflow.learning.threshold import ThresholdNetwork

AXES = [[1, 0], [0, 1]]
DATA = OrthogonalData.read(AXES, [1, "-1/2"])
MAKERS = {
    "affine": (lambda v: AffineReLU(v, 1), 2),
    "attention": (lambda v: SparseAttention(v, 4), 8),
    "scores": (lambda v: AttentionScores(v, 3), 5),
    "coarse": (lambda v: CoarseGradientFlow(v, [1, 0]), [1, 2]),
    "deep": (lambda v: DeepReLUNetwork([[1.0, -1.0]], [[1.0, 0.0]], v), [2]),
    "ensemble": (lambda v: EnsembleControl([0, 1], [1, 2], degree=v, layers=2), 1),
    "leaky": (lambda v: LeakyReLUNetwork([1, 1], v, slope="1/2", width=2), [1, -1]),
    "chain": (lambda v: LinearChain(v, 1), 2),
    "game": (lambda v: MinimaxFlow([[2]], v, [[1]], [[1]]), [1]),
    "residual": (lambda v: ScalarResidualNetwork(v, 2), 3),
    "shallow": (lambda v: ShallowReLU(AXES, v, width=2), [1, -2]),
    "squared": (lambda v: SquaredReLU(AXES, v, width=2), [1, -2]),
    "threshold": (lambda v: ThresholdNetwork([0, 1, 2], v, decay="1/2"), [0, 3, 3]),
}
WRONG = (
    None,
    "x",
    float("nan"),
    np.inf,
    -1,
    1.5,
    [],
    [None],
    ["a"],
    [[["a"]]],
    {"a": 1},
    np.zeros((2, 2, 2)),
    object(),
)


@pytest.mark.parametrize("name", MAKERS)
def test_wrong_arguments_of_every_class_are_refused(name):
    make, right = MAKERS[name]
    make(right)
    for value in WRONG:
        with pytest.raises(lf.InvalidModelError, match=r"."):
            make(value)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("key", ["rtol", "atol"])
def test_wrong_tolerances_never_reach_an_integrator(name, key):
    """An absolute tolerance that is no number brings LSODA of scipy down, with the interpreter."""
    make, right = MAKERS[name]
    flow = make(right)
    for value in ("x", float("nan"), 0, -1, [1e-9], 10**400):
        with pytest.raises(lf.InvalidModelError, match=f"{key} must be"):
            flow.simulate(np.full(flow.shape, 0.3), [0.1], **{key: value})


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: OrthogonalData(((1.0, 0.0),), (0.1,)), "tuples of Fraction"),
        (lambda: OrthogonalData.read([], []), "at least one row"),
        (lambda: LeakyReLUNetwork([1, 1], [1.9, -1], slope="1/2", width=2), "labels 1 and -1"),
        (lambda: ShallowReLU(AXES, [1, -2], width=2).predict(np.ones(6), [1, 2, 3]), "shape"),
        (lambda: ShallowReLU(AXES, [1, -2], width=2).represent((1, 1)), "signs"),
        (lambda: ShallowReLU(AXES, [1, -2], width=2).random_start(-1, scale=1), "seed"),
        (lambda: SquaredReLU(AXES, [1, 2], width=2).represent([[0, -2]]), "index"),
        (lambda: SquaredReLU(AXES, [1, 2], width=2).start_ray(0.5, 1), "index"),
        (lambda: absorb(DATA, "0"), "row of indices"),
        (lambda: follow_ray(DATA, 0, [np.nan]), "finite"),
        (lambda: plateau_time(SparseAttention(8, 4), 0), "level must be > 0"),
        (lambda: fit_plateaus([]), "list of SparseAttention"),
        (lambda: fit_power([1, 1, 1], [1, 2, 3], name="", predicted=Fraction(1)), "different x"),
        (lambda: fit_power([1, 2, np.inf], [1, 2, 3], name="", predicted=Fraction(1)), "positive"),
        (lambda: CoarseGradientFlow([1, 2], [1, 0], estimator="identity").find_collapse_time(-1), "size"),
        (lambda: prove_brackets([], 3), "points"),
        (lambda: prove_balance(1), "depth"),
        (lambda: count_cells([]), "inputs"),
        (lambda: refute_global_minima([0, 1, 2], [0, 3]), "a label for each"),
        (lambda: prove_rank_loss([1, 2], (1, 0, 1), "2"), "count"),
        (lambda: train_relu([1, -1], scale=0), "scale"),
        (lambda: AffineReLU(2, 1).zigzag("2"), "count"),
        (lambda: AffineReLU(2, "1e200"), "between 1e-75 and 1e75"),
        (lambda: OrthogonalData.read(AXES, ["1e-300", 1]), "between 1e-75 and 1e75"),
        (lambda: OrthogonalData.read([["1e-160", 0], [0, 1]], [1, 1]), "squared norms"),
        (lambda: SparseAttention(10, 10**400), "between 1e-75 and 1e75"),
        (lambda: MinimaxFlow([[10**400]], [1], [[1]], [[1]]), "A must lie"),
    ],
)
def test_wrong_arguments_of_functions_are_refused(call, match):
    with pytest.raises(lf.InvalidModelError, match=match):
        call()


def test_models_cannot_be_changed_behind_a_proof():
    """A float put in later would enter exact arithmetic."""
    network = ThresholdNetwork([0, 1], [0, 1], decay="1/2")
    with pytest.raises(AttributeError, match="cannot be changed"):
        network.labels = (0.1, 0.2)
    game = MinimaxFlow([[2]], [1], [[1]], [[1]])
    with pytest.raises(AttributeError, match="make a new model"):
        game.decay = 0.3
