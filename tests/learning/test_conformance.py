"""Every learning flow through one battery: gradient, Jacobian, invariants, equilibria, descent."""

import numpy as np
import pytest

import lyapflow as lf


def factorization(rng):
    A = rng.standard_normal((4, 4))
    return lf.learning.SymmetricFactorization(A + A.T, rank=2)


def network(rng):
    return lf.learning.DeepLinearNetwork([2, 3, 2, 2], [2, 1])


def features(rng):
    X = rng.standard_normal((3, 10))
    return lf.learning.NeuralFeatureFlow(X, rng.standard_normal((2, 3)) @ X, [3, 3], decay=0.1)


def rectangle(rng):
    return lf.learning.RectangularFactorization(rng.standard_normal((3, 4)), rank=2)


FLOWS = {
    "squared ReLU": lambda rng: lf.learning.SquaredReLU([["3/5", "4/5"], ["-4/5", "3/5"]], [-1, 2], width=3),
    "shallow ReLU": lambda rng: lf.learning.ShallowReLU([["-1/2", 1], [2, 1]], [-1, 1], width=3),
    "symmetric factorization": factorization,
    "rectangular factorization": rectangle,
    "deep linear network": network,
    "neural features": features,
    "KL, natural gradient": lambda rng: lf.learning.KLNaturalGradient(["0.5", "0.3", "0.2"]),
    "KL, gradient in eta": lambda rng: lf.learning.KLNaturalGradient(["0.5", "0.3", "0.2"], flow="eta"),
    "KL, gradient in theta": lambda rng: lf.learning.KLNaturalGradient(["0.5", "0.3", "0.2"], flow="theta"),
    "linear chain": lambda rng: lf.learning.LinearChain(3, 2),
    "ReLU, affine target": lambda rng: lf.learning.AffineReLU(3, "1.3", "0.4"),
    "attention, the paper's plane": lambda rng: lf.learning.SparseAttention(9, 4, repetition=2, projection="paper"),
    "attention, exact": lambda rng: lf.learning.SparseAttention(9, 4, repetition=2, probability="0.2"),
    "attention, all scores": lambda rng: lf.learning.AttentionScores(7, 3, repetition=2, probability="0.2"),
}
GRADIENTS = sorted(set(FLOWS) - {"KL, natural gradient", "attention, exact"})
RESTLESS = {name for name in FLOWS if name.startswith("attention")}


@pytest.fixture
def case(request, rng):
    flow = FLOWS[request.param](rng)
    x = 0.5 * rng.standard_normal(flow.shape)
    if request.param.startswith("KL"):
        x = flow.from_probabilities([0.2, 0.3, 0.5])
    return flow, x


def difference(function, x, h=1e-6):
    """Central differences of a function of an array, one row for each of its entries."""
    rows = []
    for k in range(x.size):
        e = np.zeros(x.size)
        e[k] = h
        e = e.reshape(x.shape)
        rows.append(np.ravel(function(x + e) - function(x - e)) / (2 * h))
    return np.array(rows)


@pytest.mark.parametrize("case", GRADIENTS, indirect=True)
def test_the_field_is_minus_the_gradient(case):
    flow, x = case
    slope = difference(flow.loss, x).ravel()
    assert np.allclose(np.ravel(flow.vector_field(0.0, x)), -slope, atol=1e-7 * max(1, np.abs(slope).max()))


@pytest.mark.parametrize("case", sorted(FLOWS), indirect=True)
def test_the_jacobian_is_the_derivative_of_the_field(case):
    flow, x = case
    found = difference(lambda z: flow.vector_field(0.0, z), x).T
    assert np.allclose(flow.jacobian(x), found, atol=1e-6 * max(1, np.abs(found).max()))


@pytest.mark.parametrize("case", sorted(FLOWS), indirect=True)
def test_the_loss_falls_along_trajectories(case):
    flow, x = case
    path = flow.simulate(x, np.linspace(0, 3, 30))
    assert path.x.shape == (30, *flow.shape)
    assert np.all(np.diff(path.loss) <= 1e-9 * max(1, path.loss[0]))


def flatten(invariants):
    parts = []
    for value in invariants.values():
        parts += [np.ravel(np.asarray(v, dtype=float)) for v in (value if isinstance(value, list | tuple) else [value])]
    return np.concatenate(parts) if parts else np.zeros(0)


@pytest.mark.parametrize("case", sorted(set(FLOWS) - {"neural features"}), indirect=True)
def test_invariants_do_not_move(case):
    flow, x = case
    path = flow.simulate(x, [0.0, 0.5, 2.0], rtol=1e-11)
    first = flatten(flow.invariants(path.x[0]))
    for state in path.x[1:]:
        assert np.allclose(flatten(flow.invariants(state)), first, atol=1e-7)


@pytest.mark.parametrize("case", sorted(set(FLOWS) - RESTLESS), indirect=True)
def test_there_are_known_equilibria(case):
    flow, _ = case
    found = list(flow.equilibria())
    assert found
    assert {e.kind for e in found} <= {"minimum", "strict saddle", "nonstrict saddle"}
    assert any(e.kind == "minimum" for e in found)


def test_classes_of_rectangular_equilibria_are_those_of_the_jacobian():
    flow = lf.learning.RectangularFactorization([[3.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, 1.0, 0]], rank=2)
    values = [3.0, 2.0, 1.0]
    seen = 0
    for one in flow.equilibria():
        left, x, column = dict(one.selection), np.zeros(flow.shape), 0
        for k, value in enumerate(values):
            if left.get(value, 0):
                x[k, column] = x[3 + k, column] = np.sqrt(value)
                column += 1
        assert np.allclose(flow.vector_field(0.0, x), 0)
        assert np.isclose(flow.loss(x), one.loss)
        assert np.allclose(np.sort(np.linalg.eigvalsh(flow.jacobian(x)))[::-1], one.eigenvalues)
        seen += 1
    assert seen == 7
