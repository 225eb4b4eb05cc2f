import time

import numpy as np
import pytest

from lyapflow.classes import (
    Convex,
    GradientDominated,
    Lipschitz,
    SectorBounded,
    SmoothConvex,
    SmoothStronglyConvex,
    StronglyConvex,
)
from lyapflow.dynamics import LureSystem
from lyapflow.errors import DimensionError, InvalidModelError, LyapflowError
from lyapflow.flows import (
    douglas_rachford_flow,
    forward_backward_flow,
    gradient_flow,
    heavy_ball_flow,
    primal_dual_flow,
)
from lyapflow.members import (
    Box,
    L1Norm,
    LeastSquares,
    LinearMap,
    LogisticLoss,
    QuadraticFunction,
    Ridged,
    SectorNonlinearity,
    SineWell,
    SquaredNorm,
)
from lyapflow.simulation import SimulationError, find_equilibrium

F = SmoothStronglyConvex(1, 10)


def regression(rng, rows=442, columns=10):
    A = rng.normal(size=(rows, columns)) * np.geomspace(1, 20, columns)
    A /= np.sqrt((A**2).mean())
    return A, A @ rng.normal(size=columns) * 20 + rng.normal(size=rows) * 50


def test_least_squares_is_solved_like_a_linear_system(rng):
    A, b = regression(rng)
    f = LeastSquares(A, b)
    found = find_equilibrium(gradient_flow(f.operator_class), [f])
    exact = np.linalg.lstsq(A, b, rcond=None)[0]
    np.testing.assert_allclose(found.x[0], exact, rtol=1e-11, atol=1e-11)
    assert np.linalg.norm(found.x[0] - exact) <= 100 * found.error


def test_elastic_net_satisfies_its_optimality_conditions(rng):
    A, b = regression(rng)
    weight, ridge = 2.0, 0.01
    f, g = LeastSquares(A, b), Ridged(L1Norm("2"), "1/100")
    assert f.operator_class.L / f.operator_class.mu > 300
    G = StronglyConvex("1/100")
    started = time.perf_counter()
    forward = find_equilibrium(forward_backward_flow(f.operator_class, G, step=1 / f.operator_class.L), [f, g])
    backward = find_equilibrium(douglas_rachford_flow(f.operator_class, G, step="1/5"), [f, g])
    assert time.perf_counter() - started < 2
    x = forward.x[0]
    pull = -(f.gradient(x) + ridge * x)
    assert np.sum(x == 0) > 0
    np.testing.assert_allclose(pull[x != 0], weight * np.sign(x[x != 0]), atol=1e-11)
    assert np.all(np.abs(pull[x == 0]) <= weight)
    np.testing.assert_allclose(backward.y[0], x, atol=1e-9)
    np.testing.assert_allclose(backward.y[1], x, atol=1e-9)


@pytest.mark.parametrize("damping", ["1/10", 2])
def test_logistic_regression_with_momentum(rng, damping):
    A, b = regression(rng)
    f = LogisticLoss(A, np.sign(b), ridge="1/1000")
    found = find_equilibrium(heavy_ball_flow(f.operator_class, damping=damping), [f])
    assert np.linalg.norm(f.gradient(found.x[0])) < 1e-13
    assert np.linalg.norm(found.x[1]) < 1e-13
    assert found.values[0] == f.value(found.y[0])


def test_primal_dual_flow_rests_at_the_kkt_point(rng):
    E, b = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0]]), np.array([3.0, -1.0])
    f = QuadraticFunction([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]], [1.0, -2.0, 3.0])
    found = find_equilibrium(primal_dual_flow(F, constraint=E, dual_gain=3, augmentation=2), [f], offset=b)
    kkt = np.block([[f.Q, E.T], [E, np.zeros((2, 2))]])
    np.testing.assert_allclose(found.x, np.linalg.solve(kkt, np.concatenate([-f.b, b])), rtol=1e-12, atol=1e-13)
    assert found.u.shape == (1, 3)


def test_nonconvex_and_nonmonotone_members():
    well = SineWell(1, 100, [1.0, -2.0])
    found = find_equilibrium(gradient_flow(GradientDominated(1, 100)), [well], [[30.0, 40.0]])
    np.testing.assert_allclose(found.x, [[1.0, -2.0]], atol=1e-12)
    rotated = LureSystem([[-2]], [[1]], [[1]], oracles=[Lipschitz("3/2")])
    found = find_equilibrium(rotated, [LinearMap([[0, 1], [-1, 0]])], [[3.0, 4.0]])
    np.testing.assert_allclose(found.x, [[0.0, 0.0]], atol=1e-15)


def test_a_minimiser_that_is_not_unique_is_found_all_the_same():
    f = LeastSquares([[1.0, 1.0]], [2.0], mean=False)
    found = find_equilibrium(gradient_flow(SmoothConvex(2)), [f], [[5.0, 0.0]])
    assert found.x.sum() == pytest.approx(2, abs=1e-12)


def test_the_box_is_hit_exactly():
    flow = forward_backward_flow(F, Convex(), step="1/10")
    found = find_equilibrium(flow, [SquaredNorm(2, [3.0, -0.5, 0.2]), Box(-1.0, 1.0)])
    np.testing.assert_allclose(found.x[0], [1.0, -0.5, 0.2], atol=1e-15)
    np.testing.assert_allclose(found.u.sum(axis=0), 0, atol=1e-14)


@pytest.mark.parametrize("guess", [None, [[50.0, -80.0]]])
def test_a_function_without_minimiser_has_no_equilibrium(guess):
    separable = LogisticLoss([[1.0, 0.0], [-1.0, 1.0]], [1, -1])
    with pytest.raises(SimulationError, match=r"no equilibrium was found.*residual .x'. is") as caught:
        find_equilibrium(gradient_flow(SmoothConvex(10)), [separable], guess)
    assert isinstance(caught.value, LyapflowError)


def test_arrays_are_read_only():
    found = find_equilibrium(gradient_flow(F), [SquaredNorm(1, [1.0])])
    for array in (found.x, found.y, found.u, found.values):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_values_are_nan_for_operators():
    system = heavy_ball_flow(SectorBounded(1, 10), damping=4)
    found = find_equilibrium(system, [SectorNonlinearity(1, 10)], np.zeros((2, 2)))
    assert np.isnan(found.values).all()


def test_bad_inputs_are_named():
    flow = gradient_flow(F)
    with pytest.raises(InvalidModelError, match="system must be a LureSystem"):
        find_equilibrium("flow", [SquaredNorm(1)])
    with pytest.raises(InvalidModelError, match="members must be a sequence"):
        find_equilibrium(flow, SquaredNorm(1))
    with pytest.raises(DimensionError, match="one member per oracle"):
        find_equilibrium(flow, [])
    with pytest.raises(InvalidModelError, match="must be one such as"):
        find_equilibrium(flow, [F])
    with pytest.raises(DimensionError, match="dimension d must be known"):
        find_equilibrium(flow, [SquaredNorm(1)])
    with pytest.raises(InvalidModelError, match="not known to be contained"):
        find_equilibrium(flow, [SquaredNorm(11, [0.0])])
    with pytest.raises(DimensionError, match=r"one dimension, got f: 1, g: 2"):
        find_equilibrium(forward_backward_flow(F, Convex(), step="1/10"), [SquaredNorm(1, [0.0]), Box([0.0, 0.0], 1.0)])
    with pytest.raises(InvalidModelError, match="offset"):
        find_equilibrium(flow, [SquaredNorm(1)], [0.0], offset=[1.0])
    with pytest.raises(DimensionError, match="offset must have shape"):
        find_equilibrium(primal_dual_flow(F, constraint=[[1, 1]]), [SquaredNorm(1)], offset=[1.0, 2.0])
    with pytest.raises(InvalidModelError, match="differentiable"):
        find_equilibrium(gradient_flow(Convex()), [L1Norm()], [0.0])
