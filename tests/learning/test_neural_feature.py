"""The neural feature ansatz: every row of the reference, proofs, exact counterexamples, corrupted claims refused."""

import tomllib
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import lyapflow as lf
from lyapflow.errors import DimensionError, InvalidModelError, VerificationError
from lyapflow.exact.words import Letter
from lyapflow.learning.feature_identities import prove_feature_identities, state_balance_law, state_feature_power
from lyapflow.learning.neural_feature import align, power
from lyapflow.learning.relu_features import (
    interpolate,
    refute_linear_exponent,
    refute_need_of_balance,
    refute_relu,
    refute_unbalanced,
    train_relu,
)

ROWS = {
    r["quantity"]: r
    for r in tomllib.loads((Path(__file__).parents[1] / "reference" / "neural_feature.toml").read_text())["row"]
}
THIRD = 3**-0.5


@cache
def make(depth, decay=0.0):
    draw = np.random.default_rng(3)
    inputs = draw.normal(size=(5, 40))
    targets = draw.normal(size=(3, 5)) @ inputs + 0.1 * draw.normal(size=(3, 40))
    return lf.learning.NeuralFeatureFlow(inputs, targets, [4] * (depth - 1), decay=decay)


@cache
def train(decay):
    flow = make(3, decay)
    return flow.simulate(flow.random_start(1, scale=0.6), np.linspace(0, 120, 61), rtol=1e-8)


def test_roots_have_the_round_off_of_null_directions_and_powers_have_not():
    row = ROWS["root misfit"]
    for depth, expected in zip(row["depths"], row["expected"], strict=True):
        flow = make(depth)
        found = np.median([flow.misfit(flow.balanced_start(seed)) for seed in range(20)])
        assert expected / row["within_factor"] < found < expected * row["within_factor"]
    row = ROWS["power misfit"]
    for depth in row["depths"]:
        assert make(depth).power_misfit(make(depth).balanced_start(depth)) < row["tolerance"]


def test_cosine_is_one_at_one_over_depth_and_stays_so():
    row = ROWS["cosines"]
    flow = make(row["depth"])
    run = flow.simulate(flow.balanced_start(3), [2.0, 30.0])
    for x in run.x:
        assert flow.power_misfit(x) < 1e-8
        assert flow.alignment(x, 1 / 3) == pytest.approx(1, abs=1e-9)
        law = flow.fit_exponent(x)
        assert law.predicted == Fraction(1, 3)
        assert law.exponent == pytest.approx(1 / 3, abs=1e-7)
    for exponent, (low, high) in zip(row["exponents"], row["bands"], strict=True):
        assert low <= flow.alignment(run.x[-1], float(Fraction(exponent))) <= high


def test_rate_of_the_imbalance_is_twice_the_decay():
    row = ROWS["imbalance rate"]
    for decay, expected in zip(row["decays"], row["expected"], strict=True):
        run = train(decay)
        rate = -np.polyfit(run.t, np.log([run.flow.imbalance(x) for x in run.x]), 1)[0]
        assert rate == pytest.approx(expected, abs=row["tolerance"])


def test_weight_decay_restores_the_ansatz():
    row = ROWS["lack of alignment"]
    for decay, (low, high) in zip(row["decays"], row["bands"], strict=True):
        run = train(decay)
        assert low <= 1 - run.flow.alignment(run.x[-1], 1 / 3) <= high
    assert abs(train(0.0).flow.fit_exponent(train(0.0).x[-1]).exponent - 1 / 3) > 0.05
    row = ROWS["misfit rate"]
    for decay, expected in zip(row["decays"], row["expected"], strict=True):
        run = train(decay)
        late = run.t >= 60
        rate = -np.polyfit(run.t[late], np.log([run.flow.misfit(x) for x in run.x[late]]), 1)[0]
        assert rate == pytest.approx(expected, rel=row["within"])


def test_relu_rows():
    row = ROWS["relu, three against one"]
    y = [THIRD, THIRD, THIRD, -1.0]
    limit = interpolate(y)
    np.testing.assert_allclose(limit.predict(), y)
    for matrix, name in ((limit.feature_matrix, "feature_eigenvalues"), (limit.agop, "agop_eigenvalues")):
        expected = [float(Fraction(v)) for v in row[name]]
        np.testing.assert_allclose(np.linalg.eigvalsh(matrix)[::-1], [*expected, 0, 0], atol=1e-12)
    assert limit.alignment(0.5) == pytest.approx(row["expected"], abs=5e-5)
    trained = train_relu(y)
    assert trained.alignment(0.5) == pytest.approx(row["simulated"], abs=row["within"])
    assert np.abs(trained.predict() - y).max() < 1e-5
    row = ROWS["relu, two against two"]
    for labels in row["labels"]:
        assert interpolate(labels).alignment(0.5) == pytest.approx(row["expected"], abs=row["within"])


def test_relu_networks_need_a_neuron_that_sees_all_positive_labels():
    """With this draw none of ten does at the start, and the limit is another one however small the weights are."""
    y = [THIRD, THIRD, THIRD, -1.0]
    start = np.random.default_rng(4).normal(size=(20, 4))[::2, :3]
    assert not np.any(np.all(start > 0, axis=1))
    net = train_relu(y, seed=4, width=20, scale=1e-12, until=700)
    assert np.abs(net.predict() - y).max() < 1e-5
    assert net.alignment(0.5) > 0.975


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_relu_networks_come_near_the_limit_from_every_draw(seed):
    net = train_relu([THIRD, THIRD, THIRD, -1.0], seed=seed)
    assert net.alignment(0.5) == pytest.approx(0.9659, abs=1.5e-3)
    assert all(net.alignment(alpha) < 0.999 for alpha in (0.1, 0.25, 0.5, 1, 2))


def test_every_row_is_used():
    text = Path(__file__).read_text()
    assert all(f'ROWS["{name}"]' in text for name in ROWS)


# --- proofs ---


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_identities_are_proved_for_all_sizes(depth):
    assert len(prove_feature_identities(depth)) == 2 * (depth - 1) + 1


def test_corrupted_identities_are_refused():
    wrong = [replace(i, right=2 * i.right) for i in state_balance_law(3) if not i.right.is_zero]
    wrong += [replace(i, rules={}) for i in [state_feature_power(3)]]
    law = state_balance_law(3)
    wrong.append(replace(law[0], right=law[1].right))  # decay where there is none
    for one in wrong:
        with pytest.raises(VerificationError, match="not proved"):
            one.prove()


def test_identities_hold_at_rational_points_too():
    """The other method: matrices of different widths, by multiplication."""
    draw = np.random.default_rng(0)
    sizes = {"d0": 3, "d1": 2, "d2": 4, "d3": 2}
    values = {
        Letter(f"W{k}", f"d{k}", f"d{k - 1}"): tuple(
            tuple(Fraction(int(v), 3) for v in row)
            for row in draw.integers(-4, 5, size=(sizes[f"d{k}"], sizes[f"d{k - 1}"]))
        )
        for k in (1, 2, 3)
    }
    values[Letter("E", "d3", "d0")] = tuple(
        tuple(Fraction(int(v)) for v in row) for row in draw.integers(-4, 5, (2, 3))
    )
    for one in state_balance_law(3):
        assert one.measure(values, sizes) == 0
    with pytest.raises(VerificationError, match="hypothesis"):
        state_feature_power(3).measure(values, sizes)  # these weights are not balanced


def test_the_law_is_that_of_the_flow_in_floats():
    flow = make(3, 0.05)
    x = flow.random_start(4)
    step = 1e-6
    forth, back = (flow.imbalances(x + s * step * flow.vector_field(0, x)) for s in (1, -1))
    for a, b, gap in zip(forth, back, flow.imbalances(x), strict=True):
        np.testing.assert_allclose((a - b) / (2 * step), -2 * 0.05 * gap, atol=1e-7)
    assert flow.prove_balance().standing == "proved"


# --- what is false ---


def test_false_statements_are_refuted_with_witnesses():
    for found in (refute_linear_exponent(3), refute_linear_exponent(2, 1), refute_relu(), refute_unbalanced()):
        assert found.standing == "proved"
    assert refute_linear_exponent(2) is None  # 1/2 is right for two layers
    assert refute_linear_exponent(3, "1/3") is None
    assert refute_relu(["3/5", "4/5", "-3/5", "-4/5"]) is None  # as many above zero as below
    # the witnesses again, in floats
    flow = lf.learning.NeuralFeatureFlow(np.eye(2), np.diag([1.0, 8.0]), [2, 2])
    x = flow.join([np.diag([1.0, 2.0])] * 3)
    assert np.abs(flow.vector_field(0, x)).max() == 0
    assert flow.alignment(x, 0.5) < 0.993 < flow.alignment(x, 1 / 3)
    flow = lf.learning.NeuralFeatureFlow(np.eye(2), np.diag([1.0, 2.0]), [2])
    x = flow.join([np.eye(2), np.diag([1.0, 2.0])])
    assert np.abs(flow.vector_field(0, x)).max() == 0
    assert flow.alignment(x, 0.5) < 0.95


def test_balance_is_sufficient_and_not_necessary():
    assert refute_need_of_balance().standing == "proved"
    flow = lf.learning.NeuralFeatureFlow(np.eye(2), np.eye(2), [2, 2])
    x = flow.join([np.eye(2), 2 * np.eye(2), np.eye(2) / 2])
    assert flow.loss(x) == 0 == np.abs(flow.vector_field(0, x)).max()
    assert flow.imbalance(x) > 4
    assert flow.misfit(x) < 1e-12


# --- the model ---


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_field_is_minus_the_gradient_and_jacobian_its_derivative(depth):
    flow = make(depth, 0.03)
    x = flow.random_start(depth, scale=0.5)
    draw = np.random.default_rng(1)
    jacobian = flow.jacobian(x)
    np.testing.assert_allclose(jacobian, jacobian.T, atol=1e-12)
    for _ in range(3):
        u = draw.normal(size=x.shape)
        step = 1e-5
        assert (flow.loss(x + step * u) - flow.loss(x - step * u)) / (2 * step) == pytest.approx(
            -flow.vector_field(0, x) @ u, rel=1e-6
        )
        moved = (flow.vector_field(0, x + step * u) - flow.vector_field(0, x - step * u)) / (2 * step)
        np.testing.assert_allclose(jacobian @ u, moved, atol=1e-6)


@pytest.mark.parametrize(
    ("depth", "decay", "kind"),
    [(2, 0.1, "strict saddle"), (2, 100.0, "minimum"), (3, 0.0, "nonstrict saddle"), (3, 0.1, "minimum")],
)
def test_the_origin(depth, decay, kind):
    flow = make(depth, decay)
    (origin,) = flow.equilibria()
    assert origin.kind == kind
    zero = np.zeros(flow.shape)
    assert not np.any(flow.vector_field(0, zero))
    np.testing.assert_allclose(np.linalg.eigvalsh(flow.jacobian(zero))[::-1], origin.eigenvalues, atol=1e-9)
    assert len(origin.eigenvalues) == flow.shape[0]


def test_invariants_and_small_parts():
    flow = make(3)
    run = train(0.0)
    before, after = flow.invariants(run.x[0]), run.flow.invariants(run.x[-1])
    assert list(before) == ["G1", "G2"]
    for key in before:
        np.testing.assert_allclose(before[key], after[key], atol=1e-5)
    assert make(3, 0.05).invariants(run.x[0]) == {}
    assert align(np.eye(2), np.diag([1.0, 0.0])) == pytest.approx(2**-0.5)
    np.testing.assert_allclose(power(power(np.diag([4.0, 2.0]), 1 / 3), 3), np.diag([4.0, 2.0]))


def test_bad_input_is_refused():
    with pytest.raises(DimensionError):
        lf.learning.NeuralFeatureFlow(np.eye(2), np.ones((1, 3)), [2])
    for widths, decay in (([], 0), ([0], 0), ([2], -1)):
        with pytest.raises(InvalidModelError):
            lf.learning.NeuralFeatureFlow(np.eye(2), np.eye(2), widths, decay=decay)
    with pytest.raises(DimensionError):
        make(2).join([np.eye(2), np.eye(2)])
    with pytest.raises(InvalidModelError):
        state_feature_power(1)
    with pytest.raises(InvalidModelError):
        refute_relu([1, 1, -1])
    with pytest.raises(InvalidModelError):
        interpolate([1.0, 2.0])
