"""Trajectories, storage functions and falsification in discrete time."""

from dataclasses import replace

import numpy as np
import pytest

import lyapflow as lf
from lyapflow.errors import ClaimMismatchError, InvalidModelError, SimulationError
from lyapflow.members import Declared, L1Norm, LinearMap, LogisticLoss, QuadraticFunction, SquaredNorm

F = lf.SmoothStronglyConvex(1, 10)
BOTH = lf.Intersection(lf.StronglyMonotone(1), lf.Lipschitz(10))
Q = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]])
f = QuadraticFunction(Q, [1.0, -2.0, 3.0])
x_star = np.linalg.solve(Q, -f.b)

SYSTEMS = {
    "gradient descent": lf.algorithms.gradient_descent(F, step="1/10"),
    "forward step": lf.algorithms.gradient_descent(BOTH, step="1/100"),
    "proximal point": lf.algorithms.proximal_point(lf.StronglyMonotone(1), step=1),
    "heavy ball": lf.algorithms.heavy_ball(F, step="1/10", momentum="1/2"),
    "Nesterov": lf.algorithms.nesterov_strongly_convex(F),
    "triple momentum": lf.algorithms.triple_momentum(F),
    "proximal gradient": lf.algorithms.proximal_gradient(F, lf.Convex(), step="1/10"),
    "Douglas-Rachford": lf.algorithms.douglas_rachford(F, lf.ConvexIndicator(), step="1/3"),
    "Davis-Yin": lf.algorithms.davis_yin(F, lf.SupportFunction(), lf.SmoothConvex(4), step="1/5"),
    "Chambolle-Pock": lf.algorithms.chambolle_pock(F, F, step_primal="1/2", step_dual="1/2"),
    "optimistic gradient": lf.algorithms.optimistic_gradient(BOTH, step="1/20"),
    "Euler": lf.algorithms.euler(lf.flows.heavy_ball_flow(F, damping=2), "1/10"),
}


@pytest.fixture(scope="module")
def certificates():
    """Each with a factor whose logarithm is a tenth smaller than the best: room for exact data of moderate size."""
    found = {}
    for name, system in SYSTEMS.items():
        best = lf.certify(system).factor
        found[name] = lf.certify(system, lf.Contraction(1 - (1 - best) * 9 / 10))
    return found


# --- trajectories -------------------------------------------------------------------------------------------------


def test_gradient_descent_on_a_quadratic_is_a_matrix_power():
    x0 = np.array([5.0, -3.0, 2.0])
    path = lf.simulate(SYSTEMS["gradient descent"], [f], x0, 40)
    step = np.eye(3) - Q / 10
    exact = np.array([x_star + np.linalg.matrix_power(step, k) @ (x0 - x_star) for k in range(41)])
    np.testing.assert_array_equal(path.t, np.arange(41))
    np.testing.assert_allclose(path.x[:, 0], exact, atol=1e-13)
    np.testing.assert_allclose(path.distance, np.linalg.norm(exact - x_star, axis=1), rtol=1e-9, atol=0)
    np.testing.assert_allclose(path.u[:, 0], path.y[:, 0] @ Q + f.b, atol=1e-12)
    np.testing.assert_allclose(path.values[:, 0], [f.value(x) for x in path.y[:, 0]], atol=1e-12)
    np.testing.assert_array_equal(path.at([3, 40]), path.x[[3, 40]])
    np.testing.assert_array_equal(path.at(7), path.x[7])


def test_distances_fall_below_rounding_of_the_state():
    """Steps add up as deviations from the equilibrium, so that small distances keep their digits."""
    far = SquaredNorm(5, [1e6])
    path = lf.simulate(lf.algorithms.gradient_descent(F, step="1/10"), [far], [1e6 + 1.0], 30)
    np.testing.assert_allclose(path.distance, 0.5 ** np.arange(31), rtol=1e-6)


def test_steps_have_a_length_in_time():
    slow = lf.LureSystem([[1]], [["-1/10"]], [[1]], oracles=[F], dt="1/10")
    by_steps = lf.simulate(slow, [f], np.zeros(3), 5)
    by_time = lf.simulate(slow, [f], np.zeros(3), (2, 2.5))
    np.testing.assert_allclose(by_steps.t, [0, 0.1, 0.2, 0.3, 0.4, 0.5])
    np.testing.assert_allclose(by_time.t - 2, by_steps.t)
    np.testing.assert_array_equal(by_time.x, by_steps.x)


def test_the_equilibrium_is_a_fixed_point_of_the_step():
    members = [f, L1Norm(2)]
    found = lf.find_equilibrium(SYSTEMS["proximal gradient"], members)
    v = found.x[0] - f.gradient(found.x[0]) / 10
    np.testing.assert_allclose(members[1].prox(v, 0.1), found.x[0], atol=1e-14)
    assert found.residual <= 1e-14
    with pytest.raises(InvalidModelError, match="time derivative or increment"):
        lf.simulate(SYSTEMS["proximal gradient"], members, np.ones(3), 3, equilibrium=found.x + 1)


def test_a_divergent_iteration_is_reported_with_the_time_reached():
    wild = lf.LureSystem([[1]], [[-1]], [[1]], oracles=[lf.SmoothStronglyConvex(1, 10**6)], dt=1)
    with pytest.raises(SimulationError, match="must stay finite, but at time 5"):
        lf.simulate(wild, [SquaredNorm(10**6)], [1.0], 100)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"t_span": 0}, "t_span must be a whole number of steps of length dt = 1, at least 1"),
        ({"t_span": -3}, "t_span must be a whole number of steps"),
        ({"t_span": 2.5}, "t_span must be a pair of times"),
        ({"t_span": True}, "t_span must be a pair of times"),
        ({"t_span": (0, 2.5)}, "t_span must be a whole number of steps"),
        ({"t_span": (3, 1)}, "increasing and finite"),
        ({"t_span": 10**9}, "at most 10000000"),
        ({"points": 5}, "points belongs to continuous time"),
        ({"x0": [[1.0], [2.0]]}, r"x0 must have shape \(1, d\)"),
        ({"members": [SquaredNorm(11)]}, "not known to be contained"),
    ],
)
def test_bad_inputs_are_named(change, message):
    arguments = {"system": SYSTEMS["gradient descent"], "members": [f], "x0": np.ones(3), "t_span": 3, **change}
    with pytest.raises(InvalidModelError, match=message):
        lf.simulate(**arguments)


def test_continuous_time_needs_two_ends():
    with pytest.raises(InvalidModelError, match="t_span must be a pair of times, got 3"):
        lf.simulate(lf.flows.gradient_flow(F), [f], np.ones(3), 3)


def test_there_is_nothing_between_two_steps():
    path = lf.simulate(SYSTEMS["gradient descent"], [f], np.ones(3), 3)
    with pytest.raises(InvalidModelError, match="t must be times of steps"):
        path.at(1.5)
    with pytest.raises(InvalidModelError, match="t must lie between"):
        path.at(4)


# --- what a certificate says about them ---------------------------------------------------------------------------


def test_storage_is_what_the_certificate_defines(certificates):
    """V written out with the certificate's own numbers, and its bounds along the trajectory."""
    certificate = certificates["triple momentum"]
    system = certificate.system
    path = lf.simulate(system, [f], np.array([[5.0, -3.0, 2.0], [1.0, 0.0, 1.0]]), 60)
    P = np.array(certificate.P, dtype=float)
    weight = float(certificate.value_weights["f"])
    expected = []
    for x, y, u in zip(path.x, path.y[:, 0], path.u[:, 0], strict=True):
        z = np.vstack([x - [x_star, np.zeros(3)], u])  # the gradient at the minimiser is 0
        expected.append(np.sum(z * (P @ z)) + weight * (f.value(y) - f.value(x_star)))
    V = path.storage(certificate)
    np.testing.assert_allclose(V, expected, rtol=1e-6, atol=1e-9 * V[0])
    assert np.all(path.bound(certificate) * (1 + 1e-6) + 1e-12 * V[0] >= V)
    np.testing.assert_allclose(path.bound(certificate), V[0] * float(certificate.factor) ** (2 * path.t))
    assert np.all(path.distance <= path.norm_bound(certificate))
    c = float(certificate.transient_bound)
    np.testing.assert_allclose(path.norm_bound(certificate), c * float(certificate.factor) ** path.t * path.distance[0])


def test_settling_steps_are_kept(certificates):
    certificate = certificates["heavy ball"]
    steps = int(certificate.settling_time(band="0.1"))
    path = lf.simulate(certificate.system, [f], np.ones((2, 3)), steps + 5)
    assert np.all(path.distance[steps:] <= 0.1 * path.distance[0])


def test_rates_and_factors_are_not_mixed_up(certificates):
    flow = lf.certify(lf.flows.gradient_flow(F))
    with pytest.raises(ClaimMismatchError):
        _ = flow.factor
    with pytest.raises(ClaimMismatchError):
        _ = certificates["gradient descent"].rate
    path = lf.simulate(SYSTEMS["gradient descent"], [f], np.ones(3), 3)
    with pytest.raises(InvalidModelError, match="must be about the simulated system"):
        path.bound(flow)


# --- falsification ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_proved_certificates_survive(name, certificates):
    assert lf.falsify(certificates[name], 12, np.random.default_rng(1)) is None


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_a_claim_that_is_too_strong_is_caught(name, certificates):
    proved = certificates[name]
    wrong = replace(proved, claim=lf.Contraction(proved.factor**3))
    found = lf.falsify(wrong, 40, np.random.default_rng(2))
    assert found is not None
    assert found.excess > found.tolerance > 0
    steps = max(int(found.time), 1)
    again = lf.simulate(wrong.system, found.members, found.x0, steps, equilibrium=found.equilibrium)
    if found.inequality == "V(k+1) <= factor^2 V(k)":
        V = again.storage(wrong)
        assert V[-1] == pytest.approx(found.left, rel=1e-6)
        assert V[-1] > float(wrong.factor) ** 2 * V[-2]
    else:
        assert found.inequality == "|x(k)| <= c factor^k |x(0)|"
        assert again.distance[-1] > again.norm_bound(wrong)[-1]


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_witnesses_contract_no_faster_than_they_say(name):
    """The linear member of a witness, simulated: its slowest mode remains, and decays with the witness's factor."""
    system = SYSTEMS[name]
    witness = lf.bracket(system).witness
    maps = [LinearMap([[float(re), -float(im)], [float(im), float(re)]]) for re, im in witness.slopes]
    members = [Declared(maps[system.groups.index(g)], system.oracles[j]) for j, g in enumerate(system.groups)]
    start = np.random.default_rng(5).normal(size=(system.shape[0], 2))
    rest = np.zeros((system.shape[0], 2))
    path = lf.simulate(system, members, start, 300, equilibrium=rest)
    observed = (path.distance[300] / path.distance[100]) ** (1 / 200)
    assert observed == pytest.approx(float(witness.factor), rel=0.02)


def test_a_storage_function_that_is_too_small_is_caught(certificates):
    proved = certificates["gradient descent"]
    unknowns = tuple((name, value / 4 if name.startswith("P[") else value) for name, value in proved.unknowns)
    found = lf.falsify(replace(proved, unknowns=unknowns), 10, np.random.default_rng(3))
    assert found.inequality == "|x|^2 <= V"


def test_a_transient_bound_that_is_too_small_is_caught(certificates):
    proved = certificates["heavy ball"]
    unknowns = tuple((name, value / 10**4 if name == "upper bound" else value) for name, value in proved.unknowns)
    found = lf.falsify(replace(proved, unknowns=unknowns), 10, np.random.default_rng(4))
    assert found.inequality == "|x(k)| <= c factor^k |x(0)|"


def test_members_with_curvature_stay_below_the_bound(certificates, rng):
    """Logistic regression with the proved factor of its own class."""
    table = rng.normal(size=(40, 3))
    labels = np.where(table @ [1.0, -2.0, 0.5] > 0, 1.0, -1.0)
    loss = LogisticLoss(table, labels, ridge="1/10")
    known = loss.operator_class
    certificate = lf.certify(lf.algorithms.gradient_descent(known, step=1 / known.L))
    path = lf.simulate(certificate.system, [loss], np.zeros(3), 200)
    assert np.all(path.distance <= path.norm_bound(certificate) * (1 + 1e-9) + 1e-12)


def test_rotations_reach_the_bound_of_a_forward_step():
    """On a rotation in the class, the proved factor is attained."""
    certificate = lf.certify(SYSTEMS["forward step"])
    angle = np.sqrt(99.0) * (1 - 1e-12)
    path = lf.simulate(certificate.system, [LinearMap([[1, -angle], [angle, 1]])], [1.0, 0.0], 10)
    ratio = path.distance[1:] / path.distance[:-1]
    np.testing.assert_allclose(ratio, float(certificate.factor), rtol=1e-7)
