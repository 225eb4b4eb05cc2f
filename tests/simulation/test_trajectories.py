import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

from lyapflow.classes import Convex, GradientDominated, Quadratic, SmoothConvex, SmoothStronglyConvex, StronglyConvex
from lyapflow.dynamics import LureSystem
from lyapflow.errors import ClaimMismatchError, DimensionError, InvalidModelError
from lyapflow.flows import (
    douglas_rachford_flow,
    forward_backward_flow,
    gradient_flow,
    heavy_ball_flow,
    primal_dual_flow,
    proximal_augmented_lagrangian_flow,
)
from lyapflow.lmi.templates import QuadraticPlusValue
from lyapflow.members import (
    Box,
    L1Norm,
    LeastSquares,
    LinearMap,
    ProfileSum,
    QuadraticFunction,
    SineWell,
    SquaredNorm,
)
from lyapflow.search import certify
from lyapflow.simulation import SimulationError, find_equilibrium, simulate

F = SmoothStronglyConvex(1, 10)
Q = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]])
f = QuadraticFunction(Q, [1.0, -2.0, 3.0])
x_star = np.linalg.solve(Q, -f.b)


@pytest.fixture(scope="module")
def heavy_ball():
    return certify(heavy_ball_flow(F, damping=2))


@pytest.fixture(scope="module")
def primal_dual():
    return certify(primal_dual_flow(F, constraint=[[2, 0, 0], [0, 1, 1]], dual_gain=2))


@pytest.mark.parametrize("method", ["LSODA", "Radau", "DOP853"])
def test_gradient_flow_on_a_quadratic_is_a_matrix_exponential(method):
    x0 = np.array([5.0, -3.0, 2.0])
    path = simulate(gradient_flow(F), [f], x0, (1.0, 3.0), points=21, method=method)
    exact = np.array([x_star + expm(-Q * (t - 1)) @ (x0 - x_star) for t in path.t])
    assert path.x.shape == (21, 1, 3)
    np.testing.assert_allclose(path.x[:, 0], exact, atol=1e-7)
    np.testing.assert_allclose(path.distance, np.linalg.norm(exact - x_star, axis=1), atol=1e-7)
    np.testing.assert_allclose(path.values[:, 0], [f.value(x) for x in exact], atol=1e-6)
    np.testing.assert_allclose(path.u[:, 0], path.y[:, 0] @ Q + f.b, atol=1e-12)


def test_the_default_method_keeps_its_tolerances_when_the_flow_is_stiff():
    stiff = QuadraticFunction(np.diag([1.0, 1e4]))
    path = simulate(gradient_flow(SmoothStronglyConvex(1, 10**4)), [stiff], [1.0, 1.0], (0, 12))
    exact = np.exp(-np.outer(path.t, [1.0, 1e4]))
    np.testing.assert_allclose(path.x[:, 0], exact, rtol=0, atol=1e-8)
    np.testing.assert_allclose(path.x[:, 0, 0], exact[:, 0], rtol=1e-6)  # relative, down to 6e-6


def test_heavy_ball_on_a_quadratic_is_a_matrix_exponential():
    damping, x0 = 0.5, np.array([[1.0, 2.0, 3.0], [-1.0, 0.0, 1.0]])
    path = simulate(heavy_ball_flow(F, damping="1/2"), [f], x0, (0, 8), points=9)
    M = np.block([[np.zeros((3, 3)), np.eye(3)], [-Q, -damping * np.eye(3)]])
    rest = np.concatenate([x_star, np.zeros(3)])
    exact = np.array([rest + expm(M * t) @ (x0.ravel() - rest) for t in path.t]).reshape(9, 2, 3)
    np.testing.assert_allclose(path.x, exact, atol=1e-7)


def test_forward_backward_flow_reaches_the_soft_threshold():
    c = np.array([3.0, 0.5, -2.0, -0.1])
    flow = forward_backward_flow(SmoothStronglyConvex(1, 1), Convex(), step="1/2")
    path = simulate(flow, [SquaredNorm(1, c), L1Norm(1)], np.full(4, 5.0), (0, 60))
    soft = np.sign(c) * np.maximum(np.abs(c) - 1, 0)
    np.testing.assert_allclose(path.equilibrium.x[0], soft, atol=1e-15)
    np.testing.assert_allclose(path.x[-1, 0], soft, atol=1e-11)
    np.testing.assert_allclose(path.values[:, 1], np.abs(path.y[:, 1]).sum(axis=1))


def test_douglas_rachford_flow_on_a_quadratic_and_a_box():
    centre, step = np.array([3.0, -0.5, -7.0]), 0.25
    members = [QuadraticFunction(np.diag([1.0, 4.0, 10.0]), -np.array([1.0, 4.0, 10.0]) * centre), Box(-1.0, 2.0)]
    path = simulate(douglas_rachford_flow(F, Convex(), step="1/4"), members, np.zeros(3), (0, 150))
    minimiser = np.clip(centre, -1.0, 2.0)
    for oracle in (0, 1):
        np.testing.assert_allclose(path.y[-1, oracle], minimiser, atol=1e-10)
    np.testing.assert_allclose(path.x[-1, 0] - step * path.u[-1, 0], path.y[-1, 0], atol=1e-12)


def test_primal_dual_flow_reaches_the_kkt_point():
    E, b = np.array([[1.0, 2.0, 0.0]]), np.array([3.0])
    flow = primal_dual_flow(F, constraint=E, dual_gain=2, augmentation="1/2")
    path = simulate(flow, [f], np.arange(4.0), (0, 40), offset=b)
    kkt = np.linalg.solve(np.block([[Q, E.T], [E, np.zeros((1, 1))]]), np.concatenate([-f.b, b]))
    assert path.x.shape == (401, 4)
    np.testing.assert_allclose(path.x[-1], kkt, atol=1e-10)
    assert path.distance[0] == pytest.approx(np.linalg.norm(np.arange(4.0) - kkt))


CERTIFIED = {
    "gradient": (gradient_flow(F), [f]),
    "gradient-profiles": (gradient_flow(F), [ProfileSum(np.eye(3), [1.0, -2.0, 0.3], weight=9, ridge=1)]),
    "gradient-dominated": (gradient_flow(GradientDominated(1, 100)), [SineWell(1, 100, [1.0, 2.0, 3.0])]),
    "heavy-ball": (heavy_ball_flow(F, damping=2), [f]),
    "forward-backward": (forward_backward_flow(F, Convex(), step="1/10"), [f, L1Norm("1/2")]),
    "douglas-rachford": (douglas_rachford_flow(F, Convex(), step="1/3"), [f, Box(-0.5, 0.5)]),
    "primal-dual": (primal_dual_flow(F, constraint=[[2, 0, 0], [0, 1, 1]], dual_gain=2), [f]),
    "proximal-lagrangian": (
        proximal_augmented_lagrangian_flow(F, Convex(), penalty=2, operator=[[2, 0, 0], [0, 1, 1]]),
        [f, L1Norm("1/2")],
    ),
}


@pytest.mark.parametrize("name", sorted(CERTIFIED))
def test_certified_flows_stay_under_their_bounds(name, rng):
    system, members = CERTIFIED[name]
    certificate = certify(system)
    rest = find_equilibrium(system, members)
    horizon = 6 / float(certificate.rate)
    for scale in (0.1, 10.0):
        x0 = rest.x + scale * rng.normal(size=rest.x.shape)
        path = simulate(system, members, x0, (0, horizon), equilibrium=rest)
        V, bound = path.storage(certificate), path.bound(certificate)
        assert V[0] == bound[0]
        slack = 1 + 1e-7, 1e-12 * scale  # the integrator's tolerances, accumulated
        assert np.max(V - bound * slack[0]) <= slack[1]
        assert np.max(path.distance**2 - V * slack[0]) <= slack[1]
        assert np.max(path.distance - path.norm_bound(certificate) * slack[0]) <= slack[1]
        assert V[-1] < 1e-4 * V[0]


def test_storage_of_a_heavy_ball_by_hand(heavy_ball):
    path = simulate(heavy_ball.system, [f], [[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]], (0, 5), points=11)
    P = np.array([[float(v) for v in row] for row in heavy_ball.P])
    weight = float(heavy_ball.value_weights["f"])
    q, p = path.x[:, 0] - x_star, path.x[:, 1]
    by_hand = P[0, 0] * (q**2).sum(1) + 2 * P[0, 1] * (q * p).sum(1) + P[1, 1] * (p**2).sum(1)
    by_hand += weight * np.einsum("ti,ij,tj->t", q, Q, q) / 2
    np.testing.assert_allclose(path.storage(heavy_ball), by_hand, rtol=1e-9)


def test_storage_of_a_primal_dual_flow_by_hand(primal_dual):
    path = simulate(primal_dual.system, [f], np.arange(5.0), (0, 5), points=11, offset=[1.0, 2.0])
    z = path.x - path.equilibrium.x
    half = np.sqrt(0.5)
    modes = {  # theta = 2 and theta = 4, in increasing order: x and w = E' lambda along each right singular vector
        "sigma1": (half * (z[:, 1] + z[:, 2]), 2 * half * z[:, 4]),
        "sigma2": (z[:, 0], 2 * z[:, 3]),
        "null": (half * (z[:, 1] - z[:, 2]),),
    }
    by_hand = float(primal_dual.value_weights.get("f", 0)) * np.einsum("ti,ij,tj->t", z[:, :3], Q, z[:, :3]) / 2
    for label, coordinates in modes.items():
        P = np.array([[float(v) for v in row] for row in primal_dual.storage[label]])
        by_hand = by_hand + np.einsum("kt,kl,lt->t", np.array(coordinates), P, np.array(coordinates))
    np.testing.assert_allclose(path.storage(primal_dual), by_hand, rtol=1e-9)


def test_an_error_in_any_entry_of_V_is_seen(heavy_ball):
    """The by-hand tests compare everything: a changed entry changes V."""
    path = simulate(heavy_ball.system, [f], [[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]], (0, 1), points=3)
    for k, (name, value) in enumerate(heavy_ball.unknowns):
        if name.startswith(("P[", "value[")):
            changed = (*heavy_ball.unknowns[:k], (name, value + 1), *heavy_ball.unknowns[k + 1 :])
            other = replace(heavy_ball, unknowns=changed)
            assert not np.allclose(path.storage(other), path.storage(heavy_ball), rtol=1e-3)


def test_a_certificate_of_a_larger_class_covers_a_smaller_one():
    small = SmoothStronglyConvex(2, 5)
    path = simulate(gradient_flow(small), [SquaredNorm(3)], [1.0], (0, 1))
    assert path.storage(certify(gradient_flow(F)))[0] == pytest.approx(1)
    with pytest.raises(InvalidModelError, match="must cover the member for oracle f"):
        path.storage(certify(gradient_flow(SmoothStronglyConvex(1, 2))))


def test_between_the_samples():
    path = simulate(gradient_flow(F), [f], [5.0, -3.0, 2.0], (0, 2), points=3)
    exact = x_star + expm(-Q * 0.37) @ (np.array([5.0, -3.0, 2.0]) - x_star)
    np.testing.assert_allclose(path.at(0.37), [exact], atol=1e-7)
    np.testing.assert_array_equal(path.at(path.t), path.x)
    with pytest.raises(InvalidModelError, match="between 0"):
        path.at(2.1)


def test_trajectories_are_values():
    path = simulate(gradient_flow(F), [f], [5.0, -3.0, 2.0], (0, 2), points=3)
    for array in (path.t, path.x, path.y, path.u, path.values):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0
    copy = pickle.loads(pickle.dumps(path))
    np.testing.assert_array_equal(copy.at(1.5), path.at(1.5))
    assert path.system == gradient_flow(F)
    assert path.members == (f,)


def test_distances_from_a_named_equilibrium():
    flat = LeastSquares([[1.0, 1.0]], [2.0], mean=False)
    path = simulate(gradient_flow(SmoothConvex(2)), [flat], [5.0, 1.0], (0, 20), equilibrium=[3.0, -1.0])
    assert path.distance[0] == pytest.approx(np.sqrt(8))
    assert path.distance[-1] < 1e-8
    with pytest.raises(InvalidModelError, match="must be a state at rest"):
        simulate(gradient_flow(SmoothConvex(2)), [flat], [5.0, 1.0], (0, 20), equilibrium=[3.0, 0.0])


def test_an_unstable_loop_is_reported_with_the_time_reached():
    explosive = LureSystem([[0]], [[1]], [[1]], oracles=[F])

    class Cubic:
        operator_class, dimension = F, 1

        def value(self, x):
            return float((x**4).sum()) / 4

        def gradient(self, x):
            return x**3

        def prox(self, x, step):
            raise NotImplementedError

    with pytest.raises(SimulationError, match=r"at time 0\.\d"):  # x' = x^3 from 1 blows up at t = 1/2
        simulate(explosive, [Cubic()], [1.0], (0, 1), equilibrium=[0.0])


def test_certificates_of_other_systems_are_refused(heavy_ball):
    path = simulate(heavy_ball_flow(F, damping=3), [f], np.zeros((2, 3)), (0, 1))
    with pytest.raises(InvalidModelError, match="must be about the simulated system"):
        path.bound(heavy_ball)
    with pytest.raises(InvalidModelError, match="must be a Certificate"):
        path.storage("certificate")


def test_a_certificate_without_transient_bound_has_no_norm_bound():
    certificate = certify(heavy_ball_flow(StronglyConvex(1), damping=2), template=QuadraticPlusValue())
    path = simulate(certificate.system, [SquaredNorm(1)], np.ones((2, 2)), (0, 1))
    with pytest.raises(ClaimMismatchError, match="transient_bound"):
        path.norm_bound(certificate)


def test_V_with_a_value_needs_members_with_a_value():
    certificate = certify(heavy_ball_flow(Quadratic(1, 10), damping=2), template=QuadraticPlusValue())
    linear = LinearMap([[2.0, 1.0], [1.0, 3.0]])
    path = simulate(certificate.system, [linear], np.ones((2, 2)), (0, 1))
    if certificate.value_weights["f"]:
        with pytest.raises(InvalidModelError, match="must have a finite value"):
            path.storage(certificate)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x0": [1.0, np.nan, 0.0]}, "x0 must be finite"),
        ({"x0": [[[1.0]]]}, r"x0 must have shape \(1, d\) or \(d,\)"),
        ({"x0": [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]}, r"x0 must have shape \(1, d\) or \(d,\)"),
        ({"x0": [1.0, 2.0]}, "dimension d = 3 of the members, got d = 2"),
        ({"t_span": (1, 0)}, "increasing and finite"),
        ({"t_span": (0, np.inf)}, "increasing and finite"),
        ({"t_span": 3}, "pair of times"),
        ({"points": 1}, "points must be an integer >= 2"),
        ({"points": 2.5}, "points must be an integer >= 2"),
        ({"rtol": 1e-16}, "tolerances need"),
        ({"atol": 0.0}, "tolerances need"),
        ({"method": "Euler"}, "method must be one of"),
        ({"members": [SquaredNorm(11)]}, "not known to be contained"),
        ({"members": [L1Norm()]}, "not known to be contained"),
        ({"equilibrium": [1.0]}, "must have the shape"),
        ({"offset": [1.0]}, "offset is the right side"),
    ],
)
def test_bad_inputs_are_named(change, message):
    arguments = {"system": gradient_flow(F), "members": [f], "x0": [1.0, 2.0, 3.0], "t_span": (0, 1), **change}
    with pytest.raises(InvalidModelError, match=message):
        simulate(**arguments)


def test_shapes_of_larger_states_are_named():
    with pytest.raises(DimensionError, match=r"x0 must have shape \(2, d\), one row per state, got \(3,\)"):
        simulate(heavy_ball_flow(F, damping=2), [f], [1.0, 2.0, 3.0], (0, 1))
    with pytest.raises(DimensionError, match=r"x0 must have shape \(4,\), the flat state"):
        simulate(primal_dual_flow(F, constraint=[[1, 0, 0]]), [f], np.zeros((4, 1)), (0, 1))
