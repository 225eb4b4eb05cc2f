"""Shallow ReLU networks on orthogonal inputs: the flow, its pieces, and what is said of it."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import lyapflow as lf
from lyapflow.errors import DimensionError, InvalidModelError, VerificationError
from lyapflow.exact.matrices import matrix
from lyapflow.learning import ShallowReLU, relu_evidence, relu_limits, relu_phases
from lyapflow.learning import relu_refutations as refutations
from lyapflow.learning.orthogonal_data import OrthogonalData

TOY = ([["-1/2", 1], [2, 1]], [-1, 1])
PAIR = ([[1, 0], [0, 1]], [1, "-1/2"])


def turned(n, width, seed):
    """Exactly orthogonal inputs that are not on the axes: rows of a reflection with small integers, scaled."""
    v = [1 + (k + seed) % 3 for k in range(n)]
    length = sum(a * a for a in v)
    rows = [[(length if i == k else 0) - 2 * v[i] * v[k] for i in range(n)] for k in range(n)]
    scaled = [[Fraction(a, length) * (k + 2) / 2 for a in row] for k, row in enumerate(rows)]
    return ShallowReLU(scaled, [(-1) ** k * Fraction(k + 1, 2) for k in range(n)], width=width)


def test_inputs_must_be_orthogonal_exactly():
    with pytest.raises(InvalidModelError, match="orthogonal"):
        ShallowReLU([[1, 1e-30], [0, 1]], [1, 1], width=2)
    with pytest.raises(InvalidModelError, match="zero row"):
        ShallowReLU([[1, 0], [0, 0]], [1, 1], width=2)
    with pytest.raises(InvalidModelError, match="label 0"):
        ShallowReLU([[1, 0], [0, 1]], [1, 0], width=2)
    with pytest.raises(DimensionError, match="one label"):
        ShallowReLU([[1, 0], [0, 1]], [1], width=2)
    with pytest.raises(InvalidModelError, match="width"):
        ShallowReLU(*PAIR, width=0)
    with pytest.raises(InvalidModelError, match="row of numbers"):
        ShallowReLU([[1, 0], [0, 1]], 3, width=1)


def test_a_kink_is_not_seen():
    network = ShallowReLU(*PAIR, width=1)
    assert np.array_equal(network.vector_field(0, [1, 0, 0]), [0, 0, 0])
    assert np.array_equal(network.vector_field(0, [1, 1e-3, 0])[1:], [0.5 * (1 - 1e-3), 0])


@pytest.mark.parametrize("seed", range(3))
def test_pieces_agree_with_an_integrator_that_knows_nothing_of_them(seed):
    """A plain method of low order with small steps, on inputs that are not on the axes."""
    network = turned(3, 5, seed)
    start = network.random_start(seed, scale=0.3)
    times = [0.5, 2.0, 6.0]
    pieces = network.simulate(start, times)
    plain = solve_ivp(
        network.vector_field, (0, 6), start, method="RK23", t_eval=times, rtol=1e-6, atol=1e-9, max_step=2e-3
    )
    assert np.abs(pieces.x - plain.y.T).max() < 2e-4
    assert network.find_switches(start, 6.0)


@pytest.mark.parametrize("seed", range(3))
def test_switches_are_where_a_product_is_zero_and_never_return(seed):
    network = turned(4, 6, seed)
    start = network.random_start(seed, scale=0.5)
    switches = network.find_switches(start, 8.0)
    assert switches
    assert len({(s.neuron, s.point) for s in switches}) == len(switches)
    for switch in switches[:4]:
        if switch.time < 1e-3:
            continue
        before, after = network.simulate(start, [switch.time * (1 - 1e-7), switch.time * (1 + 1e-7)]).x
        for state, sign in ((before, 1), (after, -1)):
            product = network.split(state)[1][switch.neuron] @ network.data.X[switch.point]
            assert sign * product > 0
            assert abs(product) < 1e-5


def test_samples_do_not_depend_on_the_other_samples():
    network = turned(3, 4, 1)
    start = network.random_start(0, scale=0.4)
    many = network.simulate(start, np.linspace(0, 5, 301))
    few = network.simulate(start, [0.0, 5.0])
    assert np.abs(many.x[[0, -1]] - few.x).max() < 1e-8
    assert np.array_equal(network.simulate(start, [0.0]).x[0], start)


def test_a_tight_tolerance_does_not_stall():
    network = ShallowReLU(*TOY, width=60)
    run = network.simulate(network.random_start(0, scale=1e-6), [40.0], rtol=1e-13)
    assert run.evaluations < 20_000
    assert run.loss[-1] < 1e-10


def test_the_scale_may_vanish_in_squares():
    """1e-200 squared is no float any more; the first phase does not mind."""
    network = ShallowReLU(*PAIR, width=2)
    start = network.join([1e-200, -1e-200], 1e-200 * np.array([[0.8, -0.6], [-0.6, 0.8]]))
    time = 2 * relu_phases.half_time(network.data, 1, 0.81e-200)  # twice: the seed is the square of the scale
    outputs = [network.predict(x)[0] for x in network.simulate(start, [time - 10, time + 10]).x]
    assert outputs[0] < 0.1
    assert outputs[1] > 0.9


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_balance_and_signs_are_kept_and_the_loss_falls(seed):
    network = ShallowReLU(*TOY, width=5)
    run = network.simulate(network.random_start(seed, scale=0.5), np.linspace(0, 10, 20), rtol=1e-12)
    assert np.all(np.diff(run.loss) <= 1e-12)
    assert max(np.abs(network.invariants(x)["balance"]).max() for x in run.x) < 1e-12
    signs = np.sign(run.x[:, :5])
    assert np.all(signs == signs[0])


def test_alignment_in_closed_form():
    network = ShallowReLU(*PAIR, width=2)
    start = network.join([1e-9, -1e-9], 1e-9 * np.array([[0.6, -0.8], [-0.8, 0.6]]))
    times = np.linspace(0, 12, 7)
    for sign, neuron, axis in ((1, 0, 0), (-1, 1, 1)):
        x = np.linalg.norm(relu_limits.find_drive(network.data, sign)) * times
        weights = np.array([network.split(state)[1][neuron] for state in network.simulate(start, times).x])
        sizes = np.linalg.norm(weights, axis=1)
        assert np.allclose(sizes / 1e-9, relu_phases.grow(x, 0.6), rtol=1e-7)
        assert np.allclose(weights[:, axis] / sizes, relu_phases.align(x, 0.6), atol=1e-7)


def test_closed_forms_refuse_what_they_do_not_cover():
    mixed = OrthogonalData.read([[1, 0], [0, 2]], [1, 1])
    with pytest.raises(InvalidModelError, match="one norm"):
        relu_phases.half_time(mixed, 1, 1e-6)
    with pytest.raises(InvalidModelError, match="seed"):
        relu_phases.half_time(OrthogonalData.read(*PAIR), 1, 0.9)
    with pytest.raises(InvalidModelError, match="differ"):
        relu_limits.order_signs(OrthogonalData.read([[1, 0], [0, 1]], [1, -1]))
    with pytest.raises(InvalidModelError, match="sign"):
        relu_limits.find_drive(mixed, 0)


def test_logistic_curve_is_the_solution():
    network = ShallowReLU(*PAIR, width=2)
    start = network.join([1e-3, -1e-3], 1e-3 * np.eye(2))
    times = np.linspace(1, 40, 9)
    run = network.simulate(start, times)
    for k, sign in ((0, 1), (1, -1)):
        seed = relu_phases.find_seed(network.data, *network.split(start), sign)
        seen = [network.predict(x)[k] / network.data.y[k] for x in run.x]
        assert np.allclose(seen, relu_phases.follow_bundle(network.data, sign, seed, times), atol=3e-6)


@pytest.mark.parametrize("network", [ShallowReLU(*TOY, width=3), turned(4, 3, 0), turned(5, 4, 2)])
def test_the_interpolator_fits_and_is_an_equilibrium(network):
    x = network.least_interpolator()
    assert network.loss(x) < 1e-25
    assert np.abs(network.vector_field(0, x)).max() < 1e-12
    low, high = relu_limits.variation_norm(network.data)
    assert low <= Fraction(np.sum(x**2) / 2) + Fraction(1, 10**12)
    assert float(high) == pytest.approx(np.sum(x**2) / 2, rel=1e-12)
    assert np.abs(network.invariants(x)["balance"]).max() < 1e-12


@pytest.mark.parametrize("network", [ShallowReLU(*TOY, width=2), turned(4, 2, 1)])
def test_classes_are_those_of_the_jacobian(network):
    """At the interpolator nothing is at a kink that matters; at the saddle the spare neuron is put into its cone."""
    (minimum,) = [e for e in network.equilibria() if e.kind == "minimum"]
    values = np.sort(np.linalg.eigvalsh(network.jacobian(network.least_interpolator())))[::-1]
    assert np.allclose(values, minimum.eigenvalues, atol=1e-9)
    first = relu_limits.order_signs(network.data)[0]
    saddle = next(
        e
        for e in network.equilibria()
        if e.kind != "minimum" and len(e.selection) == 1 and e.selection[0][0] * first > 0
    )
    x = network.represent((first,))
    a, W = (v.copy() for v in network.split(x))
    W[1] = 1e-13 * relu_limits.find_drive(network.data, -first)
    values = np.sort(np.linalg.eigvalsh(network.jacobian(network.join(a, W))))[::-1]
    assert np.allclose(values, saddle.eigenvalues, atol=1e-9)
    assert network.loss(x) == pytest.approx(saddle.loss)


def test_least_norm_is_below_every_other_fit(rng):
    """Trained networks from larger weights fit too, and never with less."""
    network = turned(3, 12, 0)
    low, _ = relu_limits.variation_norm(network.data)
    for seed in range(4):
        x = network.simulate(network.random_start(seed, scale=2.0), [400.0]).x[0]
        if network.loss(x) < 1e-18:
            a, W = network.split(x)
            assert np.abs(a) @ np.linalg.norm(W, axis=1) > float(low) - 1e-8


@pytest.mark.parametrize("network", [ShallowReLU(*TOY, width=4), ShallowReLU(*PAIR, width=2), turned(5, 3, 1)])
def test_proofs(network):
    pieces = [
        relu_evidence.prove_switches(network),
        relu_evidence.prove_signs(network),
        relu_evidence.prove_decay(network),
        relu_evidence.prove_saddle(network),
        relu_evidence.prove_least_norm(network),
        relu_evidence.find_end_rate(network),
    ]
    assert all(piece.standing == "proved" for piece in pieces)
    values = np.linalg.eigvalsh(network.jacobian(network.least_interpolator()))
    assert float(pieces[-1].exact) <= -max(v for v in values if v < -1e-9) + 1e-12


def test_identities_hold_at_rational_points_too():
    """The other method: numbers for the letters, and no rule."""
    balance, descent = relu_evidence.prove_identities()
    sizes = {"n": 2, "d": 3, "o": 2, "1": 1}
    for identity in (balance, descent):
        letters = {one for side in (identity.left, identity.right) for word in side.terms for one in word}
        plain = {one if not one.flipped else one.T for one in letters}
        values = {}
        for k, one in enumerate(sorted(plain)):
            rows, columns = sizes[one.rows], sizes[one.columns]
            entries = [[Fraction((i + 2 * j + k) % 5 - 2, 3) for j in range(columns)] for i in range(rows)]
            if one.symmetric:
                entries = [[entries[max(i, j)][min(i, j)] for j in range(columns)] for i in range(rows)]
            values[one] = matrix(entries)
        assert identity.measure(values, sizes) == 0


def test_proofs_refuse_data_that_are_not_what_they_say():
    network = ShallowReLU(*PAIR, width=2)
    broken = object.__new__(OrthogonalData)
    object.__setattr__(broken, "inputs", matrix([[1, 1], [0, 1]]))
    object.__setattr__(broken, "labels", network.data.labels)
    object.__setattr__(network, "_data", broken)
    for prove in (relu_evidence.prove_switches, relu_evidence.prove_signs, relu_evidence.prove_decay):
        with pytest.raises(VerificationError):
            prove(network)
    with pytest.raises(VerificationError):
        relu_evidence.prove_least_norm(network)


def test_refutations_have_witnesses_that_hold():
    for network in (ShallowReLU(*TOY, width=3), ShallowReLU(*PAIR, width=2), turned(4, 3, 0)):
        found = refutations.refute_saddle_stability(network)
        assert found.standing == "proved"
        assert "less for all small s > 0" in found.witness
        assert refutations.refute_every_balanced_start(network).standing == "proved"


@pytest.mark.parametrize(("rate", "factor"), [("1/10", 10), (1, 1), ("1/3", 1000)])
def test_the_start_that_refutes_a_rate_is_that_slow(rate, factor):
    """The witness, simulated: at the time that is named the loss is above what the claim allows."""
    network = ShallowReLU(*PAIR, width=2)
    found = refutations.refute_fixed_rate(network, rate, factor)
    scale = float(found.witness.partition("a_1 = ")[2].partition(",")[0])
    until = float(found.witness.partition("V(")[2].partition(")")[0])
    start = network.join([scale, 0], [[scale, 0], [0, 0]])
    run = network.simulate(start, [0.0, until])
    assert run.loss[1] > 0.669 * run.loss[0]
    assert run.loss[1] > factor * np.exp(-float(Fraction(rate)) * until) * run.loss[0]


def test_refutations_refuse_what_is_true():
    positive = ShallowReLU([[1, 0], [0, 1]], [1, 2], width=2)
    for refute in (refutations.refute_saddle_stability, refutations.refute_every_balanced_start):
        with pytest.raises(InvalidModelError, match="both signs"):
            refute(positive)
    with pytest.raises(InvalidModelError, match="> 0"):
        refutations.refute_fixed_rate(positive, 0)
    with pytest.raises(InvalidModelError, match="larger"):
        refutations.refute_fixed_rate(positive, Fraction(1, 10**9))


def test_a_start_without_negative_neurons_stays_above_the_saddle():
    network = ShallowReLU(*TOY, width=6)
    a, W = network.split(network.random_start(3, scale=0.1))
    run = network.simulate(network.join(np.abs(a), W), np.linspace(0, 200, 9))
    assert np.all(run.loss >= 0.25 - 1e-12)
    assert run.loss[-1] == pytest.approx(0.25, abs=1e-9)


def test_equal_drives_have_no_first_sign_and_the_lost_labels_stay_lost():
    network = ShallowReLU([[1, 0], [0, 1]], [1, -1], width=2)
    with pytest.raises(lf.InvalidModelError, match="must differ"):
        relu_evidence.prove_saddle(network)
    assert "never below 1/4" in refutations.refute_every_balanced_start(network).witness


def test_no_rate_without_neurons_for_both_signs():
    with pytest.raises(lf.InvalidModelError, match="width must be >= 2"):
        relu_evidence.find_end_rate(ShallowReLU([[1, 0], [0, 1]], [1, -1], width=1))


def test_one_sign_and_too_few_neurons():
    positive = lf.learning.ShallowReLU([[1, 0], [0, 2]], [1, 2], width=1)
    kinds = [e.kind for e in positive.equilibria()]
    assert kinds == ["strict saddle", "minimum"]
    with pytest.raises(InvalidModelError, match="one neuron for each sign"):
        list(ShallowReLU(*TOY, width=1).equilibria())
    with pytest.raises(InvalidModelError, match="one neuron for each sign"):
        ShallowReLU(*TOY, width=1).least_interpolator()
    with pytest.raises(InvalidModelError, match="scale"):
        positive.random_start(0, scale=0)
    with pytest.raises(InvalidModelError, match="rtol"):
        positive.simulate(positive.random_start(0, scale=1), [1], rtol=0)
