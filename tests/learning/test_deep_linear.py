"""Deep linear networks: formulas against other methods, evidence that is derived, and evidence that must be refused."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lyapflow as lf
from lyapflow.exact.multivariate import variables
from lyapflow.exact.words import letter
from lyapflow.learning import DeepLinearNetwork, critical_points, layers
from lyapflow.learning import deep_linear_evidence as proofs
from lyapflow.learning import deep_linear_refutations as refutations
from lyapflow.learning.branches import judge_origin
from lyapflow.learning.deep_linear_identities import state_adjacency, state_symmetry
from lyapflow.learning.evidence import check_invariant, prove_invariant
from lyapflow.learning.mode_times import learning_time, mode_strength
from lyapflow.learning_studies import deep_linear as study

widths = st.lists(st.integers(1, 3), min_size=3, max_size=6)
SMALL = DeepLinearNetwork([2, 2, 2, 2], [2, 1])


@st.composite
def networks(draw):
    sizes = draw(widths)
    count = draw(st.integers(1, min(sizes[0], sizes[-1])))
    return DeepLinearNetwork(sizes, draw(st.lists(st.integers(0, 4), min_size=count, max_size=count)))


def draw_state(network, seed):
    return np.random.default_rng(seed).normal(size=network.shape)


# --- the flow -----------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(networks(), st.integers(0, 10**6))
def test_field_is_the_adjacency_form_and_minus_the_gradient(network, seed):
    x = draw_state(network, seed)
    A, h = network.adjacency(x), network.depth
    E = np.zeros_like(A)
    E[: network.widths[0], -network.widths[-1] :] = network.target
    power = np.linalg.matrix_power
    assert not power(A, h + 1).any()
    moved = sum(power(A, h - j).T @ (E - power(A, h)) @ power(A, j - 1).T for j in range(1, h + 1))
    field = network.vector_field(0, x)
    scale = max(1, np.abs(field).max())
    assert np.allclose(moved, network.adjacency(field), atol=1e-12 * scale)
    direction = draw_state(network, seed + 1)
    step = 1e-5
    slope = (network.loss(x + step * direction) - network.loss(x - step * direction)) / (2 * step)
    assert slope == pytest.approx(-field @ direction, rel=1e-5, abs=1e-5 * scale)
    turned = (network.vector_field(0, x + step * direction) - network.vector_field(0, x - step * direction)) / (
        2 * step
    )
    assert np.allclose(turned, network.jacobian(x) @ direction, atol=1e-5 * max(1, np.abs(turned).max()))


@settings(max_examples=25)
@given(networks())
def test_classes_have_the_spectrum_of_the_table(network):
    for one in network.equilibria():
        x = network.represent(one)
        assert np.abs(network.vector_field(0, x)).max() < 1e-12
        assert network.loss(x) == pytest.approx(one.loss, abs=1e-12)
        values = np.linalg.eigvalsh(network.jacobian(x))[::-1]
        assert np.allclose(values, one.eigenvalues, atol=1e-9)
        for block in network.invariants(x)["balance"]:
            assert np.abs(block).max() < 1e-12


def test_a_turned_target_has_the_same_classes():
    rng = np.random.default_rng(3)
    left, right = (np.linalg.qr(rng.normal(size=(n, n)))[0] for n in (3, 2))
    plain = DeepLinearNetwork([3, 2, 2, 2], [3, 1])
    turned = DeepLinearNetwork([3, 2, 2, 2], left @ plain.target @ right)
    for a, b in zip(plain.equilibria(), turned.equilibria(), strict=True):
        assert a.kind == b.kind
        assert np.allclose(a.eigenvalues, b.eigenvalues, atol=1e-12)
        assert np.abs(turned.vector_field(0, turned.represent(b))).max() < 1e-12


def test_equal_singular_values_stay_equal_in_floating_point():
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    classes = list(DeepLinearNetwork([3, 3, 3, 3], turn).equilibria())
    assert [e.selection for e in classes] == [((classes[0].selection[0][0], d),) if d else () for d in (3, 2, 1, 0)]
    assert [e.kind for e in classes] == ["minimum", *["nonstrict saddle"] * 3]
    assert [e.dimension for e in classes] == [0, 2, 2, 0]


def test_balance_is_kept_along_a_trajectory_and_the_outer_blocks_move():
    network = DeepLinearNetwork([2, 3, 4, 3], [3, 1])
    path = network.simulate(draw_state(network, 0), np.linspace(0, 3, 20), rtol=1e-11)

    def balance(x):
        return np.concatenate([block.ravel() for block in network.invariants(x)["balance"]])

    def first(x):
        return network.split(x)[0] @ network.split(x)[0].T

    told = {"name": "balance", "statement": "interior blocks"}
    assert check_invariant(balance, path.x, tolerance=1e-9, **told).standing == "seen in simulation"
    with pytest.raises(lf.VerificationError, match="moved"):
        check_invariant(first, path.x, tolerance=1e-2, **told)
    assert np.all(np.diff(path.loss) <= 0)


def test_bad_input_is_named():
    with pytest.raises(lf.InvalidModelError, match="at least three integers"):
        DeepLinearNetwork([2, 2], [1])
    with pytest.raises(lf.DimensionError, match="target must have shape"):
        DeepLinearNetwork([2, 2, 2], [1, 2, 3])
    with pytest.raises(lf.DimensionError, match="W_2 must have shape"):
        SMALL.join([np.eye(2), np.eye(3), np.eye(2)])
    with pytest.raises(lf.DimensionError, match="there must be 3 layers"):
        SMALL.join([np.eye(2)])
    with pytest.raises(lf.InvalidModelError, match="no strength is below 0"):
        DeepLinearNetwork([1, 1, 1], [1]).start_aligned([-1])
    with pytest.raises(lf.InvalidModelError, match="2 of them not 0"):
        SMALL.start_aligned([1, 1, 1])
    with pytest.raises(lf.InvalidModelError, match="finite"):
        DeepLinearNetwork([1, 1, 1], [float("nan")])


# --- closed forms -------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.integers(2, 6), st.floats(0.2, 5), st.floats(-12, -0.1), st.floats(0, 1))
def test_strength_solves_its_equation(depth, sigma, decade, part):
    start = sigma * 10**decade
    time = 1.3 * part * learning_time(sigma, start, 0.99 * sigma, depth=depth) if start < 0.9 * sigma else part
    plateau = abs(learning_time(sigma, start, 0.5 * sigma, depth=depth))
    (u,) = mode_strength([time], sigma, start, depth=depth)
    assert start * (1 - 1e-12) <= u <= sigma
    if u < 0.999 * sigma:
        assert learning_time(sigma, start, u, depth=depth) == pytest.approx(time, rel=1e-8, abs=1e-9 + 1e-12 * plateau)
        step = 1e-4 * (sigma - u) * u / sigma
        speed = 2 * step / learning_time(sigma, u - step, u + step, depth=depth)
        assert speed == pytest.approx(depth * u ** (2 - 2 / depth) * (sigma - u), rel=1e-4)


def test_a_long_plateau_in_closed_form_and_by_an_implicit_method():
    """Five layers from 1e-12: five million units of time."""
    network = DeepLinearNetwork([2] * 6, [2, 1])
    start = [1e-12, 1e-12]
    half = learning_time(1, 1e-12, 0.5, depth=5)
    assert half > 5e6
    path = network.simulate(network.start_aligned(start), [half], method="Radau", rtol=1e-9, atol=1e-15)
    assert path.evaluations < 20_000
    assert np.diag(np.linalg.multi_dot(network.split(path.x[-1]))) == pytest.approx([2, 0.5], rel=1e-4)
    assert mode_strength([9.9e99], 1, 1e-300, depth=3) < 1e-290 < 0.1 < mode_strength([1.1e100], 1, 1e-300, depth=3)


def test_closed_forms_say_where_they_hold():
    for start in (0, -1, 2, 3):
        with pytest.raises(lf.InvalidModelError, match="must be > 0 and < sigma"):
            mode_strength([1], 2, start, depth=3)
    with pytest.raises(lf.InvalidModelError, match="depth"):
        learning_time(1, 0.1, 0.5, depth=1)
    with pytest.raises(lf.InvalidModelError, match="times >= 0"):
        mode_strength([-1], 1, 0.1, depth=3)


# --- what is proved -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_identities_for_every_width(depth):
    found = (*state_adjacency(depth), *state_symmetry(depth))
    for identity in found:
        identity.prove()
    assert sum(i.name.startswith("balance") for i in found) == depth - 1
    # corrupted: the trace with another factor, a field with another sign
    energy = next(i for i in found if i.name.startswith("energy"))
    field = next(i for i in found if i.name.startswith("field"))
    for wrong in (replace(energy, right=2 * energy.right), replace(field, right=-field.right)):
        with pytest.raises(lf.VerificationError, match="not proved"):
            wrong.prove()


def test_identities_hold_at_a_rational_point():
    """The other method: multiplication of matrices of given widths, without any rewriting."""
    sizes = {"d0": 2, "d1": 3, "d2": 1, "d3": 2}
    shapes = {"S": ("d0", "d3")} | {f"W{i + 1}": (f"d{i}", f"d{i + 1}") for i in range(3)}
    values = {}
    for k, (name, (rows, columns)) in enumerate(shapes.items()):
        ((one,),) = letter(name, rows, columns).terms
        values[one] = tuple(
            tuple(Fraction(1 + k + 2 * a - b, 2 + a + b) for b in range(sizes[columns])) for a in range(sizes[rows])
        )
    for identity in state_adjacency(3):
        assert identity.measure(values, sizes) == 0


@pytest.mark.parametrize("network", study.GIVEN, ids=repr)
def test_polynomial_laws(network):
    assert proofs.prove_balance(network).standing == "proved"
    assert proofs.prove_decrease(network).standing == "proved"
    w = network.cut_exactly(network.polynomials.variables)
    outer = (w[0] @ w[0].T).ravel().tolist()
    with pytest.raises(lf.VerificationError, match="not 0"):
        prove_invariant(network.polynomials, outer, name="first block")


def test_a_wrong_flow_conserves_nothing(monkeypatch):
    right = layers.descend

    def wrong(these, target):
        moved = right(these, target)
        return [2 * moved[0], *moved[1:]]

    monkeypatch.setattr(layers, "descend", wrong)
    network = DeepLinearNetwork([2, 2, 2], [2, 1])
    with pytest.raises(lf.VerificationError):
        proofs.prove_balance(network)
    with pytest.raises(lf.VerificationError):
        proofs.prove_decrease(network)
    with pytest.raises(lf.VerificationError, match="leaves the aligned manifold"):
        critical_points.reduce_to_modes(network)


def test_a_wrong_class_is_refused(monkeypatch):
    def claim_minimum(self):
        for one in right(self):
            yield replace(one, spectrum=((0.0, one.nullity + one.index), *[s for s in one.spectrum if s[0] < 0]))

    right = DeepLinearNetwork.equilibria
    monkeypatch.setattr(DeepLinearNetwork, "equilibria", claim_minimum)
    with pytest.raises(lf.VerificationError, match="strict saddle"):
        proofs.prove_critical_points(SMALL)


@settings(max_examples=15)
@given(networks())
def test_every_class_is_confirmed_exactly_and_no_saddle_is_stable(network):
    told = proofs.prove_critical_points(network)
    classes = list(network.equilibria())
    assert len(told) == len(classes)
    assert all(verdict.standing == "proved" for verdict in told)
    for one in classes:
        if one.kind != "minimum":
            sides = critical_points.judge_escape(network, one)
            assert one.index > 0 or (sides is not None and sides.above == "unstable")
    assert [one.kind for one in classes].count("minimum") >= 1


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_branches_beside_a_mode_that_is_not_learnt(depth):
    network = DeepLinearNetwork([1] * (depth + 1), [2])
    *_, origin = network.equilibria()
    sides = critical_points.judge_escape(network, origin)
    assert (sides.order, sides.coefficient) == (depth - 1, 2)
    assert (sides.above, sides.below) == ("unstable", "stable" if depth % 2 else "unstable")
    ends = [network.simulate(network.join([[[s]]] * depth), [400.0]).x[-1, 0] for s in (0.2, -0.2)]
    assert ends[0] == pytest.approx(2 ** (1 / depth))
    assert (abs(ends[1]) < 0.2) == (sides.below == "stable")


def test_signs_decide_both_sides():
    s, t = variables(["s", "t"])
    assert judge_origin(-(s**3)).is_stable
    assert judge_origin(s**2 - s).above == "stable"
    for wrong in (s + 1, s * t, 0 * s):
        with pytest.raises(lf.InvalidModelError):
            judge_origin(wrong)


def test_orbits_have_the_zeros_of_the_hessian():
    for network in (DeepLinearNetwork([3, 3, 3], [3, 2, 1]), SMALL, DeepLinearNetwork([2] * 6, [3, 2])):
        dimension = sum(d * d for d in network.widths[1:-1])
        assert f"dimension {dimension}" in proofs.prove_orbit(network).statement
    with pytest.raises(lf.InvalidModelError, match="one width"):
        proofs.prove_orbit(DeepLinearNetwork([2, 3, 2], [2, 1]))


def test_local_rate_is_seen_along_a_trajectory():
    for network in (SMALL, DeepLinearNetwork([2] * 3, [3, 2])):
        found = study.measure_rate(network)
        assert found.measured == pytest.approx(found.rate, rel=2e-4)  # what the slower mode leaves by then
    assert proofs.find_local_rate(SMALL).rate == pytest.approx(3)


def test_two_scalars_arrive_with_the_rate_of_their_imbalance():
    """sigma - u decays with sqrt(c^2 + 4 sigma^2), the nonzero eigenvalue of the Hessian; the loss with twice that."""
    network, start = DeepLinearNetwork([1, 1, 1], [2]), [1.5, 0.1]
    rate = np.hypot(start[0] ** 2 - start[1] ** 2, 4)
    path = network.simulate(start, [2.0, 3.0, 40.0], rtol=1e-12, atol=1e-14)
    assert np.linalg.eigvalsh(network.hessian(path.x[-1])) == pytest.approx([0, rate], abs=1e-9)
    assert np.log(path.loss[0] / path.loss[1]) == pytest.approx(2 * rate, rel=1e-4)


def test_plateaus_follow_the_predicted_power():
    for law in study.measure_plateaus():
        assert law.exponent == pytest.approx(float(law.predicted), rel=1e-12)


# --- what is refuted ----------------------------------------------------------------------------------------------


def test_everything_to_be_falsified_is_falsified_with_an_exact_witness():
    found = study.refute_all()
    assert all(one.standing == "proved" and one.witness for one in found)
    said = " ".join(one.statement for one in found)
    for claim in ("local minimum", "Hessian test", "proper", "critical value", "first diagonal", "last diagonal"):
        assert claim in said


def test_what_is_true_cannot_be_refuted():
    shallow = DeepLinearNetwork([2, 2, 2], [2, 1])
    for refute in (
        refutations.refute_origin_minimum,
        refutations.refute_hessian_test,
        refutations.refute_critical_value,
    ):
        with pytest.raises(lf.InvalidModelError, match="three layers"):
            refute(shallow)
    nothing = DeepLinearNetwork([2, 2, 2, 2], [0])
    with pytest.raises(lf.InvalidModelError, match="other than 0"):
        refutations.refute_origin_minimum(nothing)


def test_witnesses_in_floating_point():
    """The refutations once more, by another method."""
    assert SMALL.loss(SMALL.start_aligned([1e-3, 0])) < SMALL.loss(np.zeros(12))
    assert not SMALL.hessian(np.zeros(12)).any()
    far = np.zeros(12)
    far[4] = 1e9
    assert SMALL.loss(far) == SMALL.loss(np.zeros(12))
