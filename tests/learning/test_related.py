"""Small hosts of related papers: reference rows, fields against definitions, witnesses, and what is refused."""

import tomllib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov

import lyapflow as lf
from lyapflow.learning.coarse_gradient import CoarseGradientFlow, refute_identity_estimator, refute_potential
from lyapflow.learning.deep_relu import DeepReLUNetwork
from lyapflow.learning.ensembles import EnsembleControl, prove_brackets, refute_steering
from lyapflow.learning.leaky_relu import LeakyReLUNetwork, find_margin_limit, prove_margin_limit
from lyapflow.learning.minimax import MinimaxFlow, prove_dissipation, prove_step_limit, refute_strictness
from lyapflow.learning.relu_cells import count_cells, differentiate_outputs, prove_rank_loss
from lyapflow.learning.residual import ScalarResidualNetwork, prove_gradient_bound
from lyapflow.learning.threshold import ThresholdNetwork, prove_optimum
from lyapflow.learning_studies import related_numbers as numbers

ROWS = tomllib.loads((Path(__file__).parents[1] / "reference" / "related.toml").read_text())["row"]


@pytest.fixture(scope="module")
def results():
    return numbers.compute()


@pytest.fixture(scope="module")
def seen(results):
    """The quantity of each row as it comes out here."""
    times, values, margins = results.path
    at = {t: int(np.flatnonzero(times == t)[0]) for t in numbers.TIMES}
    ratios = {t: values[k, 1] / values[k, 0] for t, k in at.items()}
    late = dict(zip(numbers.DEPTHS, results.late, strict=True))
    high, low = results.limit.singular_values
    decayed, plain = (g.system for g in results.games)
    found = {
        "game, decay 3/10: largest step": Fraction(prove_step_limit(2, "3/10").statement.split(" < ")[2].split()[0]),
        "game, decay 3/10: rate": results.games[0].rate,
        "game, decay 3/10: frequency": np.abs(np.linalg.eigvals(np.array(decayed.A, dtype=float)).imag).max(),
        "game, decay 3/10: P of M'P + PM = I": solve(decayed.A),
        "game, no decay: P of M'P + PM = I": solve(plain.A),
        "bilinear game: growth of the squared distance per step, a = 2, h = 1/10": Fraction(26, 25)
        if "26/25" in [*numbers.judge_games()][-1].witness
        else None,
        "deep ReLU network: exponent of the drift in the step": numbers.fit_invariant_drift().exponent,
        "leaky ReLU: second over first singular value": low / high,
        "leaky ReLU: normalised margin": results.limit.normalised_margin,
        "leaky ReLU: exponent of the third singular value in s": results.collapse.exponent,
        "leaky ReLU: largest over smallest margin at s = 200": margins[at[200.0], 1],
        "leaky ReLU: largest over smallest margin at s = 20000": margins[at[20000.0], 1],
    }
    for depth in (5, 50):
        found[f"residual network, depth {depth}: 2 y^2 / depth"] = 2 * np.e**2 / depth
        found[f"residual network, depth {depth}: seen over predicted V-rate"] = late[depth].measured / late[depth].rate
    for t, ratio in ratios.items():
        found[f"leaky ReLU: second over first singular value at s = {t:.0f}"] = ratio
    return found


def solve(A):
    M = -np.array(A, dtype=float)
    P = solve_continuous_lyapunov(M.T, np.eye(2))
    return [P[0, 0], P[0, 1], P[1, 1]]


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=[r["quantity"] for r in ROWS])
def test_reference(row, seen):
    value, expected = seen[row["quantity"]], row["expected"]
    for got, want in zip(np.atleast_1d(value), np.atleast_1d(expected), strict=True):
        if row["kind"] == "exact":
            assert abs(Fraction(want) - got) <= (0 if isinstance(got, Fraction) else 1e-14)
        elif row["kind"] == "printed":
            assert abs(float(want) - got) <= 0.51 * 10.0 ** -len(want.partition(".")[2])
        else:
            assert got == pytest.approx(float(want), rel=row["within"])


def difference(function, x, h=1e-6):
    found = np.zeros(x.size)
    for k in range(x.size):
        e = np.zeros(x.size)
        e[k] = h
        e = e.reshape(x.shape)
        found[k] = (function(x + e) - function(x - e)) / (2 * h)
    return found.reshape(x.shape)


GRADIENTS = {
    "residual network": lambda rng: ScalarResidualNetwork(4, 3),
    "leaky ReLU": lambda rng: LeakyReLUNetwork([1, 2, "1/2"], [1, -1, 1], slope="1/4", width=4),
    "deep ReLU": lambda rng: DeepReLUNetwork(rng.standard_normal((3, 7)), rng.standard_normal((2, 7)), [4, 3]),
    "ensemble": lambda rng: EnsembleControl([0.1, -0.4, 0.7], [1, 0, 2], degree=3, layers=3, cost=0.2),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_fields_descend(name, rng):
    flow = GRADIENTS[name](rng)
    x = 0.5 * rng.standard_normal(flow.shape)
    assert np.allclose(flow.vector_field(0.0, x), -difference(flow.loss, x), atol=1e-7)
    path = flow.simulate(x, np.linspace(0, 2, 20))
    assert np.all(np.diff(path.loss) <= 1e-7)
    if hasattr(flow, "jacobian"):
        rows = [difference(lambda z, k=k: flow.vector_field(0.0, z).ravel()[k], x).ravel() for k in range(x.size)]
        assert np.allclose(flow.jacobian(x), rows, atol=1e-6)


@pytest.mark.parametrize("name", ["residual network", "deep ReLU"])
def test_invariants_stay(name, rng):
    flow = GRADIENTS[name](rng)
    path = flow.simulate(0.5 * rng.standard_normal(flow.shape), [0.0, 1.0, 3.0])
    first = np.concatenate(list(flow.invariants(path.x[0]).values()))
    for x in path.x[1:]:
        assert np.allclose(np.concatenate(list(flow.invariants(x).values())), first, atol=1e-4)  # kinks cost accuracy


def test_coarse_gradients_are_the_expectations_of_their_samples(rng):
    """Two million samples of the network against the closed forms; four standard errors."""
    v, w, target = np.array([0.4, -1.0]), np.array([1.0, 0.5, -0.3]), (np.array([1.0, 2.0]), np.array([0.2, 1.0, 0.0]))
    Z = rng.standard_normal((200_000, 2, 3))
    on = (Z @ w > 0) * 1.0
    error = on @ v - (Z @ target[1] > 0) @ target[0]
    for estimator, stand_in in (("relu", on), ("identity", np.ones_like(on))):
        flow = CoarseGradientFlow(target[0], target[1], estimator=estimator)
        x = np.concatenate([v, w])
        samples = np.concatenate([on * error[:, None], np.einsum("nij,ni,n->nj", Z, stand_in * v, error)], axis=1)
        spread = samples.std(axis=0) / np.sqrt(len(samples))
        assert np.all(np.abs(samples.mean(axis=0) + flow.vector_field(0.0, x)) < 4.5 * spread)
        assert abs((error**2).mean() / 2 - flow.loss(x)) < 4.5 * (error**2).std() / 2 / np.sqrt(len(error))
        along = flow.vector_field(0.0, x)
        slope = (flow.loss(x + 1e-6 * along) - flow.loss(x - 1e-6 * along)) / 2e-6
        assert slope == pytest.approx(flow.decrease(x), rel=1e-6)


def test_the_identity_drives_weights_into_zero():
    flow = CoarseGradientFlow([1, 2, -1], [1, 2, 0, 1], estimator="identity")
    start = np.array([*map(float, flow.opposite), -1.0, -2.0, 0.0, -1.0])
    end = float(flow.find_collapse_time(1)) * np.sqrt(6) * np.sqrt(2 * np.pi)
    sizes = [np.linalg.norm(x[3:]) for x in flow.simulate(start, [0.0, end / 2]).x]
    assert sizes[1] == pytest.approx(sizes[0] / 2, rel=1e-6)
    with pytest.raises(lf.SimulationError, match="runs into 0"):
        flow.simulate(start, [2 * end])
    assert CoarseGradientFlow([1, 2, -1], [1, 2, 0, 1]).find_collapse_time(1) is None


def test_games_are_certified_with_a_cross_term():
    game = MinimaxFlow([[2]], [1], [[1]], [[1]])
    certificate = lf.certify(game.system)
    assert certificate.rate == Fraction(1, 2)
    assert certificate.P[0][1]
    assert refute_strictness(game).standing == prove_dissipation(game).standing == "proved"
    limit = Fraction(13, 43)
    steady = MinimaxFlow([[2]], [1], [[1]], [[1]], decay="3/10")
    assert isinstance(lf.attempt(steady.iteration(limit * Fraction(95, 100))), lf.Proved)
    over = lf.attempt(steady.iteration(limit * Fraction(105, 100)))
    assert isinstance(over, lf.Infeasible)
    assert over.witness is not None
    away = np.linalg.norm(
        steady.iterate([1.5, 1.0], float(limit) * 0.95, 2000)[-1] - np.array(steady.saddle, dtype=float)
    )
    assert away < 1e-8


def test_the_gradient_bound_holds_on_its_box(rng):
    network = ScalarResidualNetwork(6, "5/2")
    mu = float(prove_gradient_bound(network, 2).statement.split(">= ")[2].split(",")[0])
    for _ in range(300):
        w = rng.uniform(-2, 2, 6)
        assert np.sum(network.vector_field(0.0, w) ** 2) >= 2 * mu * network.loss(w)


def test_no_start_has_a_larger_margin(rng):
    network = numbers.MARGINS
    best = find_margin_limit(network).normalised_margin
    for _ in range(5):
        end = network.simulate(0.1 * rng.standard_normal(network.shape), [300.0]).x[-1]
        reached = network.margins(end).min() / np.linalg.norm(end)
        assert 0.95 * best < reached < best
    assert [v.standing for v in prove_margin_limit(network)] == ["proved", "proved"]


def test_kinks_do_not_stall():
    """A start from which an integrator in the weights themselves took two million evaluations."""
    start = 0.1 * np.random.default_rng(0).standard_normal(numbers.MARGINS.shape)
    assert numbers.MARGINS.simulate(start, [20_000.0], rtol=1e-8).evaluations < 20_000


def test_three_fields_keep_the_cross_ratio(rng):
    found = refute_steering([0, 1, 2, 3], [0, 1, 2, 4])
    assert found.standing == "proved"
    model = EnsembleControl([0.0, 0.1, 0.2, 0.3], [0] * 4, degree=2, layers=4000)
    a, b, c, d = model.move(np.tile(rng.standard_normal(3), (4000, 1)))[-1]
    assert (a - b) * (c - d) / ((a - c) * (b - d)) == pytest.approx(
        0.25, abs=1e-5
    )  # each of 4000 Euler layers keeps it up to 1/4000^2
    with pytest.raises(lf.InvalidModelError, match="closed under brackets"):
        prove_brackets([0, 1, 2, 3], 2)
    with pytest.raises(lf.VerificationError):
        prove_brackets([0, 1, 1], 3)


def test_the_best_threshold_network_is_not_improved_by_any_other(rng):
    network = ThresholdNetwork([0, 1, 2, 3], [1, -1, 2, "1/2"], decay="1/3")
    assert prove_optimum(network).standing == "proved"
    best = network.loss([float(v) for v in network.optimum])
    for _ in range(300):
        assert network.loss(rng.standard_normal(7)) >= best
    end = network.simulate(np.zeros(7), [3000.0]).x[-1]
    assert network.loss(end) == pytest.approx(best, abs=1e-7)


def test_corrupted_weights_are_no_optimum(monkeypatch):
    network = ThresholdNetwork([0, 1, 2], [0, 3, 3], decay="1/2")
    wrong = tuple(v + Fraction(1, 10**30) for v in network.optimum)
    monkeypatch.setattr(ThresholdNetwork, "optimum", property(lambda self: wrong))
    with pytest.raises(lf.VerificationError):
        prove_optimum(network)


def test_jacobians_and_cells():
    assert count_cells(range(7)) == 14
    J = np.array(differentiate_outputs([-1, "1/2", 2], [(1, "1/3", 2), (-1, 0, 1)]), dtype=float)
    weights = np.array([1, 1 / 3, 2, -1, 0, 1, 0.0])

    def outputs(w, x):
        return w[6] + w[2] * max(w[0] * x + w[1], 0) + w[5] * max(w[3] * x + w[4], 0)

    for row, x in zip(J, (-1, 0.5, 2), strict=True):
        assert np.allclose(row, difference(lambda w, x=x: outputs(w, x), weights), atol=1e-6)
    with pytest.raises(lf.VerificationError):
        prove_rank_loss([-2, -1, 0, 1, 2, 3], (1, "1/2", 1), 1)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: MinimaxFlow([[1]], [0], [[-1]], [[1]]), "positive semidefinite"),
        (lambda: MinimaxFlow([[0]], [0], [[1]], [[1]]), "one saddle point"),
        (lambda: MinimaxFlow([[1, 2]], [0], [[1]], [[1]]), "needs b of shape"),
        (lambda: prove_step_limit("1/10", 0), "complex eigenvalues"),
        (lambda: ScalarResidualNetwork(1, 2), "depth"),
        (lambda: prove_gradient_bound(ScalarResidualNetwork(3, 2), 3), "radius"),
        (lambda: LeakyReLUNetwork([1, 1], [1, 1], slope="1/2", width=2), "both present"),
        (lambda: LeakyReLUNetwork([1, 1], [1, -1], slope=1, width=2), "slope"),
        (lambda: CoarseGradientFlow([1, 0], [0, 0]), "not all 0"),
        (lambda: CoarseGradientFlow([1, 0], [1, 0], estimator="sign"), "estimator"),
        (lambda: EnsembleControl([0, 0], [1, 1], degree=1, layers=1), "different"),
        (lambda: ThresholdNetwork([0, 1], [1, 2], decay=0), "decay"),
        (lambda: DeepReLUNetwork([[1.0]], [[1.0]], [0]), "widths"),
    ],
)
def test_wrong_inputs_are_named(make, match):
    with pytest.raises(lf.InvalidModelError, match=match):
        make()


def test_the_loss_has_a_kink_and_no_gradient_where_the_coarse_gradient_of_the_relu_vanishes():
    """The slope across is |v.v*|/(2 pi) however near; the coarse gradient of the ReLU is 0 there all the same."""
    for outer, is_minimum in (([1, 2], False), ([1, -1], True)):
        flow = CoarseGradientFlow(outer, [1, 0])
        v = np.array(flow.opposite, dtype=float)
        spurious = np.append(v, [-1.0, 0.0])
        assert np.allclose(flow.vector_field(0.0, spurious), 0, atol=1e-15)
        tilt = np.append(v, [-np.cos(1e-4), np.sin(1e-4)])
        slope = (flow.loss(tilt) - flow.loss(spurious)) / 1e-4
        assert slope == pytest.approx(-(v @ outer) / (2 * np.pi), rel=1e-6)
        assert (slope > 0) == is_minimum == ([e.kind for e in flow.equilibria()][1] == "minimum")


@pytest.mark.parametrize("estimator", ["relu", "identity"])
def test_the_witness_against_a_potential_is_of_the_field_that_it_names(estimator):
    flow = CoarseGradientFlow([1, 2, -1], [1, 2, 0, 1], estimator=estimator)
    found = refute_potential(flow)
    assert estimator in found.statement
    w = np.array([1.0, 2.0, 0.0, 1.0])
    along = [
        -np.sqrt(2 * np.pi) * flow.vector_field(0.0, np.append(1e-6 * e, w))[3:] @ w / np.linalg.norm(w) / 1e-6
        for e in np.eye(3)
    ]
    said = [float(Fraction(v)) for v in found.witness.split("= (")[1].split(")")[0].split(", ")]
    assert np.allclose(along, said, atol=1e-5)


def test_steps_beyond_the_limit_spiral_out():
    """From (1, 0) after 2000 steps: about 9e-9 at 0.95 and 9e8 at 1.05 of the limit."""
    steady = MinimaxFlow([[2]], [0], [[1]], [[1]], decay="3/10")
    for share, power in ((0.95, -8), (1.05, 9)):
        away = np.linalg.norm(steady.iterate([1.0, 0.0], share * 13 / 43, 2000)[-1])
        assert abs(np.log10(away) - power) < 0.5


def test_statements_name_their_data():
    statements = [v.statement for v in prove_margin_limit(numbers.MARGINS)]
    statements += [prove_optimum(numbers.STAIRS).statement, prove_dissipation(numbers.PENALISED).statement]
    for statement, data in zip(statements, ["3/2", "3/2", "[0, 1, 1, 3, 3, 2]", "A=[[2]]"], strict=True):
        assert data in statement


def test_an_estimator_that_vanishes_is_not_refuted():
    assert refute_identity_estimator(CoarseGradientFlow([1, -1], [1, 0])) is None
