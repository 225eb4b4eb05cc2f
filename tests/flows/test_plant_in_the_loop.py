"""A plant in the loop: the closed loop as written, the largest proved gain between two bounds, clear refusals."""

import dataclasses
import json
from fractions import Fraction

import control
import numpy as np
import pytest
from judging import assert_refused, with_changes
from scipy.linalg import solve_continuous_lyapunov

import lyapflow as lf
from lyapflow.errors import DimensionError, InvalidModelError, NoCertificateError
from lyapflow.members import QuadraticFunction
from lyapflow.search.plant_gains import GainLimit
from lyapflow.search.witness import check_witness

U, Y = lf.SmoothStronglyConvex("1/2", 2), lf.SmoothConvex(3)
PLANT = control.ss([[-1, 2, 0], [-2, -1, 1], [0, 0, -3]], [[0, 1], [1, 0], [2, 1]], [[1, 0, 0], [0, 1, 1]], 0)
LAG = control.ss([[-1, 1, 0], [0, -1, 1], [0, 0, -1]], [[0], [0], [1]], [[1, 0, 0]], 0)  # 1 / (s + 1)^3


def floats(matrix):
    return np.array(matrix, dtype=float)


def draw_plant(seed):
    """A random stable plant, states of different speeds; odd ones have feedthrough."""
    rng = np.random.default_rng(seed)
    n, p, q = rng.integers(1, 5), rng.integers(1, 3), rng.integers(1, 3)
    A = rng.normal(size=(n, n))
    A -= (np.linalg.eigvals(A).real.max() + rng.uniform(0.2, 1)) * np.eye(n)
    A = np.diag(10 ** rng.uniform(-0.5, 0.5, n)) @ A
    if np.linalg.eigvals(A).real.max() > -0.1:
        A -= (np.linalg.eigvals(A).real.max() + 0.3) * np.eye(n)
    return control.ss(A, rng.normal(size=(n, p)), rng.normal(size=(q, n)), rng.normal(size=(q, p)) * (seed % 2))


def settled(plant):
    return plant.D - plant.C @ np.linalg.solve(plant.A, plant.B)


# --- the closed loop ----------------------------------------------------------------------------------------------


def test_the_loop_is_the_equations():
    loop = lf.feedback_optimization(PLANT, (U, Y), "1/4")
    assert isinstance(loop, lf.StackedSystem)
    rng = np.random.default_rng(0)
    x, u, a, b, c = (rng.normal(size=k) for k in (3, 2, 2, 2, 2))
    state, outputs = np.r_[x, u], np.r_[a, b, c]
    motion = floats(loop.A) @ state + floats(loop.B) @ outputs
    G = settled(PLANT)
    assert np.allclose(motion[:3], PLANT.A @ x + PLANT.B @ u)
    assert np.allclose(motion[3:], -(a + G.T @ b) / 4)
    assert np.allclose(floats(loop.C) @ state, np.r_[u, PLANT.C @ x, G @ u])
    assert loop.groups == (0, 1, 2, 3, 2, 3)
    assert loop.blocks == (0, 0, 1, 1, 1, 1)


def test_steady_state_is_exact():
    plant = control.ss([[-3, 1], [0, -7]], [[1], [1]], [[1, 0]], 0)
    loop = lf.feedback_optimization(plant, (U, Y))
    assert isinstance(loop, lf.LureSystem)  # one argument each
    assert loop.C[-1] == (0, 0, Fraction(8, 21))


def test_sums_of_costs_are_scalar_oracles():
    loop = lf.feedback_optimization(PLANT, ([U, None], [None, Y]))
    assert isinstance(loop, lf.LureSystem)
    assert loop.oracle_names == ("a1", "b2", "c2")
    joint = lf.feedback_optimization(PLANT, U)
    assert joint.blocks == (0,) * 8
    assert joint.oracle_names == ("a1", "a2", "b1", "b2", "d1", "d2", "c1", "c2")


def test_a_constraint_is_met_at_rest():
    """Primal-dual: at the equilibrium E y = b, with gradients that the multiplier balances."""
    E = [[1, 1]]
    loop = lf.feedback_optimization(PLANT, (U, Y), "1/10", constraint=E, dual_gain="1/20")
    fu, fy = QuadraticFunction([[1, 0.25], [0.25, 1]], [1, 0]), QuadraticFunction([[2, 1], [1, 2]], [0, -1])
    rest = lf.find_equilibrium(loop, [fu, fu, fy, fy, fy, fy]).x.ravel()
    x, u, dual = rest[:3], rest[3:5], rest[5:]
    y, G = PLANT.C @ x, settled(PLANT)
    assert np.allclose(y, G @ u)
    assert np.allclose(np.array(E) @ y, 0, atol=1e-8)
    assert np.allclose(fu.gradient(u) + G.T @ (fy.gradient(y) + np.array(E).T @ dual), 0, atol=1e-8)
    certificate = lf.certify(loop)
    assert lf.verify(certificate).proved
    path = lf.simulate(loop, [fu, fu, fy, fy, fy, fy], np.ones(6), (0, 40))
    assert (path.storage(certificate) <= path.bound(certificate) * (1 + 1e-6)).all()


def test_it_comes_to_rest_at_the_optimum():
    loop = lf.feedback_optimization(PLANT, (U, Y), "1/4")
    fu, fy = QuadraticFunction([[1, 0.5], [0.5, 1]], [1, 0]), QuadraticFunction([[2, 1], [1, 2]], [0, -1])
    u = lf.find_equilibrium(loop, [fu, fu, fy, fy, fy, fy]).x.ravel()[3:]
    G = settled(PLANT)
    assert np.allclose(u, np.linalg.solve(fu.Q + G.T @ fy.Q @ G, -fu.b - G.T @ fy.b))


# --- the largest gain ---------------------------------------------------------------------------------------------


def test_classical_bound_is_its_formula():
    P = solve_continuous_lyapunov(PLANT.A.T, -np.diag([1, 2, 3]))
    norm = np.linalg.norm
    expected = 1 / (2 * norm(P @ np.linalg.solve(PLANT.A, PLANT.B), 2) * 3 * norm(settled(PLANT), 2) * norm(PLANT.C, 2))
    assert lf.classical_gain(PLANT, (U, Y), weight=np.diag([1, 2, 3])) == pytest.approx(expected)
    H = np.vstack([np.eye(2), settled(PLANT)])
    assert lf.classical_gain(PLANT, U) == pytest.approx(
        1 / (2 * norm(solve_continuous_lyapunov(PLANT.A.T, -np.eye(3)) @ np.linalg.solve(PLANT.A, PLANT.B), 2)
             * 2 * norm(H, 2) * norm(PLANT.C, 2))
    )  # fmt: skip


def check_limit(plant, f, limit):
    assert lf.verify(limit.certificate).proved
    assert limit.certificate.system == lf.feedback_optimization(plant, f, limit.gain)
    assert float(limit.gain) >= limit.classical
    if limit.unstable is not None:
        loop = lf.feedback_optimization(plant, f, limit.unstable)
        assert limit.gain < limit.unstable
        assert limit.witness.refutes(None)
        assert check_witness(loop, limit.witness)
        A, B, C = (floats(part) for part in (loop.A, loop.B, loop.C))
        slopes = np.array([float(s[0]) for s in limit.witness.slopes])
        assert np.linalg.eigvals(A + B * slopes @ C).real.max() >= -1e-9


@pytest.mark.parametrize("seed", range(4))
def test_random_plants(seed):
    plant = draw_plant(seed)
    check_limit(plant, (U, Y), lf.largest_gain(plant, (U, Y), tolerance="1/10"))


@pytest.mark.slow
@pytest.mark.parametrize("f", [(U, Y), U, ([U] * 2, Y), (lf.Quadratic(1, 3), lf.SmoothStronglyConvex(1, 5))])
@pytest.mark.parametrize("seed", range(4, 10))
def test_more_random_plants(seed, f):
    plant = draw_plant(seed)
    if isinstance(f, tuple) and isinstance(f[0], list):
        f = ([U] * plant.ninputs, Y)
    check_limit(plant, f, lf.largest_gain(plant, f, tolerance="1/100"))


def test_a_gain_that_is_too_large_has_an_unstable_member():
    f = (lf.SmoothStronglyConvex("1/10", 1), Y)
    limit = lf.largest_gain(LAG, f, tolerance="1/50")
    check_limit(LAG, f, limit)
    assert limit.gap < 0.05
    assert limit.ratio > 2
    assert "times the classical bound" in str(limit)
    assert "does not converge" in str(limit)
    outcome = lf.attempt(lf.feedback_optimization(LAG, f, 2 * limit.unstable))
    assert isinstance(outcome, lf.Infeasible)
    assert outcome.witness.refutes(None)
    assert check_witness(lf.feedback_optimization(LAG, f, 2 * limit.unstable), outcome.witness)


def test_the_witness_of_the_lag_is_the_textbook_gain():
    """``s (s + 1)^3 + gain L`` with u-cost of slope 0 nearly: the phase crossover of an integrator and three lags."""
    limit = lf.largest_gain(LAG, (lf.SmoothStronglyConvex("1/1000000", 1), lf.SmoothConvex(1)), tolerance="1/1000")
    # s = iw with 3 atan(w) = pi/2: w = 1/sqrt(3), gain = w (1 + w^2)^(3/2)
    w = 1 / np.sqrt(3)
    assert float(limit.unstable) == pytest.approx(w * (1 + w * w) ** 1.5, rel=2e-3)


def test_a_cost_without_curvature_has_no_gain():
    plant = control.ss([[-1]], [[1, 1]], [[1]], 0)
    with pytest.raises(NoCertificateError, match="none is proved to converge"):
        lf.largest_gain(plant, (None, lf.SmoothStronglyConvex(1, 2)))


# --- soundness ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proved():
    return lf.certify(lf.feedback_optimization(PLANT, (U, Y), "1/8"))


def test_file(proved, tmp_path):
    path = lf.save(proved, tmp_path / "loop.json")
    assert lf.verify(path).proved
    data = json.loads(path.read_text())
    data["system"]["plant"]["A"][0][0] = "1"  # an unstable plant
    path.write_text(json.dumps(data))
    assert not lf.verify(path).proved


def test_a_certificate_of_one_gain_says_nothing_of_a_larger_one(proved):
    other = lf.feedback_optimization(PLANT, (U, Y), 50)
    assert_refused(dataclasses.replace(proved, system=other))
    for name in list(proved.multipliers)[::5]:
        assert_refused(with_changes(proved, {name: Fraction(-1)}))


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("A", "shown"),
    [
        ([[0.5]], "eigenvalue 0.5"),
        ([[0.0]], "eigenvalue 0 "),
        ([[0, 1], [-4, 0]], r"eigenvalue 0 \+- 2i"),
        ([[-1, 5], [5, -1]], "eigenvalue 4"),
        ([[-1e-300, 1], [0, -1]], None),
    ],
)
def test_stability_is_decided_exactly(A, shown):
    n = len(A)
    plant = control.ss(A, np.ones((n, 1)), np.ones((1, n)), 0)
    if shown is None:
        lf.feedback_optimization(plant, (U, Y))
        return
    with pytest.raises(InvalidModelError, match=f"plant must be stable.*{shown}"):
        lf.feedback_optimization(plant, (U, Y))


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"plant": "plant"}, InvalidModelError, "control.StateSpace"),
        ({"plant": control.ss([[0.5]], [[1]], [[1]], 0, 0.1)}, InvalidModelError, "continuous time"),
        ({"f": U, "gain": 0}, InvalidModelError, "gain must be > 0"),
        ({"gain": -1}, InvalidModelError, "gain must be > 0"),
        ({"f": (U, Y, Y)}, InvalidModelError, "pair"),
        ({"f": (U, None)}, InvalidModelError, "nothing is fed back"),
        ({"f": (U, [Y])}, DimensionError, "one for each of the 2"),
        ({"f": (U, "Y")}, InvalidModelError, "cost of outputs"),
        ({"f": (U, lf.SmoothConvex)}, InvalidModelError, "must be a class|cost of outputs"),
        ({"f": (lf.Convex(), Y)}, InvalidModelError, "Lipschitz gradient"),
        ({"f": (lf.GradientDominated(1, 2), Y)}, InvalidModelError, "around any"),
        ({"f": (U, lf.Monotone())}, InvalidModelError, "Lipschitz gradient"),
        ({"constraint": [[1]]}, DimensionError, "one column per output"),
        ({"constraint": [[1, 0], [2, 0]]}, InvalidModelError, "full row rank"),
        ({"constraint": [[1, 0]], "dual_gain": 0}, InvalidModelError, "dual_gain must be > 0"),
    ],
)
def test_wrong_arguments(change, error, match):
    with pytest.raises(error, match=match):
        lf.feedback_optimization(**{"plant": PLANT, "f": (U, Y), "gain": 1, **change})


def test_wrong_arguments_of_the_gains():
    with pytest.raises(InvalidModelError, match="tolerance"):
        lf.largest_gain(PLANT, (U, Y), tolerance=0)
    with pytest.raises(DimensionError, match="weight must have shape"):
        lf.classical_gain(PLANT, (U, Y), weight=[[1]])
    with pytest.raises(InvalidModelError, match="positive definite"):
        lf.classical_gain(PLANT, (U, Y), weight=-np.eye(3))
    with pytest.raises(InvalidModelError, match="array of real numbers"):
        lf.classical_gain(PLANT, (U, Y), weight="x")
    with pytest.raises(InvalidModelError, match="belongs to a constraint"):
        lf.feedback_optimization(PLANT, (U, Y), dual_gain=2)


def test_classical_bound_knows_slopes():
    lag = control.ss([[-1]], [[1]], [[1]], 0)
    whole = lf.classical_gain(lag, ([lf.SmoothStronglyConvex(1, 2)], [lf.SmoothConvex(4)]))
    assert lf.classical_gain(lag, ([lf.SmoothStronglyConvex(1, 2)], [lf.SlopeRestricted(-4, 1)])) == whole


def test_an_infinite_bound_has_no_multiple():
    blind = control.ss([[-1, 0], [0, -2]], [[1], [1]], [[1, -2]], 0)  # nothing of a constant input is left at rest
    assert lf.classical_gain(blind, (U, Y)) == np.inf
    loop = lf.feedback_optimization(blind, (lf.SmoothStronglyConvex(1, 2), lf.SmoothConvex(1)), 1)
    limit = GainLimit(gain=Fraction(1), certificate=lf.certify(loop), classical=np.inf, unstable=None, witness=None)
    assert limit.ratio is None
    assert "times" not in str(limit)
