"""Economic dispatch: the data of the 118-bus system, its models, and random dispatches against proved bounds."""

import os
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import cvxpy as cp
import numpy as np
import pytest

import lyapflow as lf
from case_studies.dispatch_network import DATA, PENALTY, Network, NodalModel, SecureModel, write_tables
from lyapflow.cli import main
from lyapflow.errors import DimensionError, InvalidModelError
from lyapflow.parameters import sweep_problem
from lyapflow.problems import read_problem
from lyapflow.simulation.motion import settle
from lyapflow.simulation.storage import make_storage
from lyapflow.tables import take_number

CASES = Path(__file__).parents[1] / "case_studies"
TRIALS = int(os.environ.get("LYAPFLOW_TRIALS", "4"))  # `make test-all` makes 250
PENALTY_STEP = "5/8"


@cache
def read_network():
    return Network.read()


# --- the data --------------------------------------------------------------------------------------------------------


def test_the_system_is_the_one_that_is_published():
    network = read_network()
    assert (len(network.load), len(network.upper), len(network.ends)) == (118, 54, 186)
    assert network.load.sum() == 4242
    assert network.upper.sum() == pytest.approx(9966.2)
    assert network.limit.min() == 72
    assert network.limit[network.find_branch(89, 92)] == 186
    assert np.linalg.matrix_rank(network.incidence) == 117
    assert np.all(network.incidence.T @ network.loops.T == 0)
    assert network.loops.shape == (69, 186)
    # rundcopf of MATPOWER on case118, which has no limits of branches
    free = replace(network, limit=np.full(186, 1e5))
    best, prices = SecureModel(free).optimum()
    assert network.quadratic @ best**2 + network.linear @ best == pytest.approx(125947.88, abs=0.01)
    assert np.ptp(prices) < 1e-6


def test_factors_give_the_flows_of_the_angles():
    network = read_network()
    injection = np.random.default_rng(0).normal(size=118)
    injection -= injection.mean()
    laplacian = network.incidence.T @ (network.incidence / network.reactance[:, None])
    angles = np.linalg.lstsq(laplacian, injection, rcond=None)[0]
    assert np.allclose(network.factors @ injection, network.incidence @ angles / network.reactance)


def test_derived_tables_are_up_to_date(tmp_path):
    write_tables(tmp_path)
    for name in ("dispatch_118_constraint.csv", "dispatch_118_curvature.csv"):
        assert (tmp_path / name).read_text() == (DATA / name).read_text()


def test_both_equilibria_are_those_of_a_solver():
    network = read_network()
    p, w = cp.Variable(54), cp.Variable(186)
    cost = cp.sum(cp.multiply(network.quadratic, cp.square(p))) + network.linear @ p
    balance = network.placement @ p - network.incidence.T @ w == network.load
    voltage = (network.loops * network.reactance) @ w == 0
    limits = [p >= network.lower, p <= network.upper, cp.abs(w) <= network.limit]
    cp.Problem(cp.Minimize(cost), [balance, voltage, *limits]).solve(solver="CLARABEL")
    best, prices = SecureModel(network).optimum()
    assert np.abs(best - p.value).max() < 0.05
    assert np.abs(prices + balance.dual_value).max() < 1e-3
    model = NodalModel(network)
    f = model.cost()
    x, multipliers = np.split(model.rest(f, model.offset()), [240])
    assert np.abs(f.gradient(x) + model.constraint.T @ multipliers).max() < 1e-9
    assert np.abs(model.constraint @ x - model.offset()).max() < 1e-9


# --- problem files ---------------------------------------------------------------------------------------------------


def test_the_problem_files_describe_the_models():
    (network,) = read_problem(CASES / "dispatch_118_secure.toml").requests
    assert network.make(None) == lf.flows.proximal_augmented_lagrangian_flow(
        SecureModel(read_network()).cost().operator_class, lf.ConvexIndicator(), penalty=PENALTY_STEP
    )
    f = read_problem(CASES / "dispatch_118_secure.toml").oracles["f"]
    assert (f.mu, f.L) == (Fraction(1, 16), Fraction(125, 8))


def test_a_file_with_numbers_from_tables_is_certified_verified_and_reported(tmp_path, capsys):
    assert main(["certify", str(CASES / "dispatch_118_secure.toml"), "-o", str(tmp_path)]) == 0
    assert "0.058" in capsys.readouterr().out
    (file,) = tmp_path.glob("*.json")
    assert main(["verify", str(file)]) == 0
    assert main(["report", str(file), "-o", str(tmp_path / "report.html")]) == 0
    assert "proximal augmented Lagrangian flow" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_the_network_is_certified_verified_and_reported_by_the_command_line(tmp_path, capsys):
    assert main(["certify", str(CASES / "dispatch_118.toml"), "-o", str(tmp_path)]) == 0
    assert "0.42422418" in capsys.readouterr().out
    (file,) = tmp_path.glob("*.json")
    assert main(["verify", str(file)]) == 0
    assert main(["report", str(file), "-o", str(tmp_path / "report.html")]) == 0
    assert (tmp_path / "report.html").stat().st_size < 5e6
    certificate = lf.load(file)
    assert lf.verify(certificate).proved
    assert not lf.verify(replace(certificate, claim=lf.ExponentialDecay(certificate.rate * 2))).proved


def test_a_sweep_reads_numbers_from_tables_too(tmp_path):
    (tmp_path / "costs.csv").write_text("bus,quadratic\n1,0.5\n4,5\n")
    text = """
[functions.f]
class = "SmoothStronglyConvex"
mu = { table = "costs.csv", column = "quadratic", take = "least", times = 2 }
L = { table = "costs.csv", column = "quadratic", take = "greatest", times = 2 }
[[flow]]
name = "gradient"
"""
    (tmp_path / "problem.toml").write_text(text)
    assert read_problem(tmp_path / "problem.toml").oracles["f"] == lf.SmoothStronglyConvex(1, 10)
    (row,) = sweep_problem(tmp_path / "problem.toml", {"L": [20]})
    assert row.outcome == "proved"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"take": "most"}, "least"),
        ({"column": "cubic"}, "column must be one of"),
        ({"table": 3}, "must be texts"),
        ({"times": "many"}, "times"),
        ({"time": 1}, "may have times"),
        ({"table": "none.csv"}, "none.csv"),
        ({"table": "no\0ne.csv"}, "zero byte"),
    ],
)
def test_what_is_wrong_with_a_number_from_a_table_is_named(tmp_path, changes, said):
    (tmp_path / "costs.csv").write_text("bus,quadratic\n1,0.5\n")
    data = {"table": "costs.csv", "column": "quadratic", "take": "least"} | changes
    with pytest.raises((InvalidModelError, OSError), match=said):
        take_number(data, tmp_path)


# --- members ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(TRIALS))
def test_projections_onto_polyhedra_meet_the_optimality_conditions(seed):
    draw = np.random.default_rng(seed)
    for _ in range(25):
        d, m = int(draw.integers(1, 9)), int(draw.integers(1, 6))
        rows = draw.normal(size=(m, d))
        inside = draw.uniform(-1, 1, size=d)
        at = rows @ inside
        ends = np.where(draw.random((2, m)) < 0.2, np.inf, draw.exponential(size=(2, m)))
        equal = (draw.random(m) < 0.3) & (np.arange(m) < d // 2)
        low, high = np.where(equal, at, at - ends[0]), np.where(equal, at, at + ends[1])
        low[np.isinf(low) & np.isinf(high)] = at[np.isinf(low) & np.isinf(high)] - 1
        body = lf.members.Polyhedron(np.full(d, -1.0), np.full(d, 1.0), rows, low, high)
        x = draw.normal(size=d) * draw.choice([0.1, 1, 10, 1000])
        p, multipliers = body.project(x)
        assert body.value(p) == 0
        push = x - p - rows.T @ multipliers
        size = 1 + np.abs(x).max() + np.abs(multipliers).max()
        assert np.all(np.abs(push[(p > -1) & (p < 1)]) <= 1e-9 * size)
        assert np.all(push[p == 1] >= -1e-9 * size)
        assert np.all(push[p == -1] <= 1e-9 * size)
        slack = rows @ p
        for k in np.flatnonzero(~equal):
            assert multipliers[k] <= 1e-12 or abs(slack[k] - high[k]) < 1e-9
            assert multipliers[k] >= -1e-12 or abs(slack[k] - low[k]) < 1e-9


def test_short_rows_are_no_obstacle():
    """A step along the multipliers is limited in units of x, not in those of a row."""
    thin = lf.members.Polyhedron([-np.inf], [2.0], [[-0.0016], [0.014]], [0.0003, -np.inf], [0.0003, 0.2])
    assert np.isclose(thin.prox(np.array([5.0]), 1.0), -0.1875)


def test_a_projection_from_afar_is_in_the_set():
    """The rows are met up to rounding of the far point first, and then up to that of the near one."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        rows, inner = rng.integers(-2, 3, size=(5, 7)) + np.eye(5, 7) / 2, rng.normal(size=7)
        ends = rows @ inner
        part = lf.members.Polyhedron(inner - 1, inner + 1, rows, ends - rng.integers(0, 2, size=5), ends)
        assert part.value(part.prox(3e3 * rng.normal(size=7), 1.0)) == 0


def test_empty_and_malformed_polyhedra_are_refused():
    with pytest.raises(InvalidModelError, match="none was found"):
        lf.members.Polyhedron([0, 0], [1, 1], [[1, 1]], [3], [4])
    with pytest.raises(InvalidModelError, match="row_lower <= row_upper"):
        lf.members.Polyhedron([0, 0], [1, 1], [[1, 1]], [1], [0])
    with pytest.raises(InvalidModelError, match="not zero"):
        lf.members.Polyhedron([0, 0], [1, 1], [[0, 0]], [0], [1])
    with pytest.raises(DimensionError, match="2 numbers in lower"):
        lf.members.Polyhedron([0, 0, 0], [1, 1], [[1, 1]], [0], [1])
    body = lf.members.Polyhedron([0, 0], [1, 1], [[1, 1]], [1], [1])
    with pytest.raises(InvalidModelError, match="differentiable"):
        body.gradient(np.zeros(2))
    assert body.value(np.array([0.5, 0.4])) == np.inf


def test_soft_limits_are_their_definition(rng):
    f = lf.members.SoftLimits([1.0, 2.0, 3.0], [1.0, 0.0, -1.0], lower=[0, -np.inf, -1], upper=[1, 2, np.inf], weight=5)
    for _ in range(50):
        x, step = 3 * rng.normal(size=3), 1e-6
        slope = [(f.value(x + step * e) - f.value(x - step * e)) / (2 * step) for e in np.eye(3)]
        assert np.allclose(slope, f.gradient(x), atol=1e-6)
        assert np.allclose(f.invert(f.gradient(x)), x)
        p = f.prox(x, 0.5)
        assert np.allclose(p + 0.5 * f.gradient(p), x)
    with pytest.raises(DimensionError, match="length 3"):
        lf.members.SoftLimits([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(InvalidModelError, match="curvature > 0"):
        lf.members.SoftLimits([1.0, 0.0])
    with pytest.raises(InvalidModelError, match="lower <= upper"):
        lf.members.SoftLimits([1.0], lower=1, upper=0)


# --- random dispatches on the network: one certificate for all of them -----------------------------------------------


def make_ring(draw):
    """Six buses in a ring with a chord, three generators."""
    ends = ((1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (1, 6), (2, 5))
    incidence = np.zeros((7, 6))
    for row, (i, j) in zip(incidence, ends, strict=True):
        row[i - 1], row[j - 1] = 1, -1
    placement = np.zeros((6, 3))
    placement[[0, 2, 4], range(3)] = 1
    return Network(
        load=np.array([0, 40.0, 0, 60, 0, 50]),
        lower=np.zeros(3),
        upper=np.array([150.0, 100, 80]),
        quadratic=np.array([0.01, 0.02, 0.05]),
        linear=np.array([20.0, 25, 30]),
        limit=np.full(7, 45.0),
        resistance=np.full(7, 0.01),
        reactance=draw.uniform(0.05, 0.15, size=7),
        incidence=incidence,
        placement=placement,
        ends=ends,
    )


def certify_network(model):
    kind = lf.SmoothStronglyConvex("0.9", 105)  # holds all of the costs below
    flow = lf.flows.primal_dual_flow(kind, constraint=model.constraint.tolist(), dual_gain=4000, augmentation=10)
    return lf.certify(flow)


def draw_dispatch(model, draw):
    """A random load, cost and set of limits, with its saddle point, and a random start."""
    n = model.network
    load = n.load * draw.uniform(0.6, 1.3) * draw.uniform(0.5, 1.5, size=len(n.load))
    cost = model.cost(
        limit=n.limit * draw.uniform(0.5, 1.5, size=len(n.limit)),
        linear=n.linear * draw.uniform(0.5, 1.5, size=len(n.linear)),
    )
    bend = draw.uniform(0.95, 1.02, size=len(cost.curvature))
    cost = lf.members.SoftLimits(
        model.curvature * bend,
        cost.slope,
        lower=cost.lower,
        upper=cost.upper,
        weight=PENALTY * model.curvature * draw.uniform(0, 1, size=len(bend)),
    )
    assert cost.operator_class.mu >= 0.9
    assert cost.operator_class.L <= 105
    offset = model.offset(load)
    rest = model.rest(cost, offset)
    start = rest + draw.normal(size=len(rest)) * draw.choice([0.01, 1, 100], size=len(rest))
    return cost, offset, rest, start


def follow_together(model, certificate, count, seed, *, horizon):
    """V over its bound along trajectories of many random dispatches at once, by Runge-Kutta steps of order 4."""
    draw = np.random.default_rng(seed)
    cases = [draw_dispatch(model, draw) for _ in range(count)]
    curvature, slope, lower, upper, weight = (
        np.column_stack([getattr(cost, name) for cost, _, _, _ in cases])
        for name in ("curvature", "slope", "lower", "upper", "weight")
    )
    offset, rest, state = (np.column_stack(part) for part in zip(*(case[1:] for case in cases), strict=True))
    E = model.constraint
    cut = E.shape[1]

    def measure(x):
        beyond = x - np.clip(x, lower, upper)
        return (curvature * x**2 / 2 + slope * x + weight * beyond**2 / 2).sum(axis=0)

    def slopes(z):
        x = z[:cut]
        error = E @ x - offset
        gradient = curvature * x + slope + weight * (x - np.clip(x, lower, upper))
        return np.concatenate([-gradient - E.T @ (z[cut:] + 10 * error), 4000 * error])

    loop, equilibrium, _ = settle(
        certificate.system, [cases[0][0]], cases[0][3], equilibrium=cases[0][2], offset=cases[0][1]
    )
    P = make_storage(certificate, loop, equilibrium).form.apply(np.eye(len(state)))
    weighted = float(certificate.value_weights.get("f", 0))
    pull = curvature * rest[:cut] + slope + weight * (rest[:cut] - np.clip(rest[:cut], lower, upper))

    def storage(z):
        away = z - rest
        phi = measure(z[:cut]) - measure(rest[:cut]) - (pull * away[:cut]).sum(axis=0)
        return (away * (P @ away)).sum(axis=0) + weighted * phi

    first, worst = storage(state), 0.0
    step = 0.5 / (105 + 4000**0.5 * np.linalg.norm(E, 2) + 10 * np.linalg.norm(E, 2) ** 2)
    steps = int(np.ceil(horizon / step))
    for k in range(1, steps + 1):
        a = slopes(state)
        b = slopes(state + step / 2 * a)
        c = slopes(state + step / 2 * b)
        state = state + step / 6 * (a + 2 * b + 2 * c + slopes(state + step * c))
        if k % 10 == 0 or k == steps:
            bound = first * np.exp(-2 * float(certificate.rate) * k * step)
            worst = max(worst, float((storage(state) / bound).max()))
    return worst


def test_random_dispatches_of_a_ring_stay_below_their_bounds():
    model = NodalModel(make_ring(np.random.default_rng(0)))
    certificate = certify_network(model)
    assert lf.verify(certificate).proved
    assert follow_together(model, certificate, 10 * TRIALS, 1, horizon=2) <= 1 + 1e-6


def test_the_batch_would_notice_a_rate_that_is_too_large():
    model = NodalModel(make_ring(np.random.default_rng(0)))
    certificate = certify_network(model)
    faster = replace(certificate, claim=lf.ExponentialDecay(4 * certificate.rate))
    assert follow_together(model, faster, 10, 1, horizon=2) > 1


@pytest.mark.slow
def test_a_thousand_random_dispatches_on_118_buses_stay_below_their_bounds():
    model = NodalModel(read_network())
    certificate = certify_network(model)
    for seed in range(10):
        assert follow_together(model, certificate, 100, seed, horizon=2) <= 1 + 1e-6


# --- random dispatches with all limits hard --------------------------------------------------------------------------


@cache
def certify_secure():
    return lf.certify(
        lf.flows.proximal_augmented_lagrangian_flow(
            lf.SmoothStronglyConvex("1/16", "125/8"), lf.ConvexIndicator(), penalty=PENALTY_STEP
        )
    )


def follow_secure(seed):
    """A system of 4 to 12 generators and a few lines, from a random start."""
    draw = np.random.default_rng(seed)
    d, m = int(draw.integers(4, 13)), int(draw.integers(1, 5))
    upper = draw.uniform(50, 500, size=d)
    cost = lf.members.SoftLimits(
        np.exp(draw.uniform(np.log(1 / 16), np.log(125 / 8), size=d)), draw.uniform(20, 60, size=d)
    )
    planned = upper * draw.uniform(0, 1, size=d)
    factors = draw.uniform(-1, 1, size=(m, d))
    flows, room = factors @ planned, draw.uniform(0, 100, size=(2, m))
    secure = lf.members.Polyhedron(
        np.zeros(d),
        upper,
        np.vstack([np.ones(d), factors]),
        np.concatenate([[planned.sum()], flows - room[0]]),
        np.concatenate([[planned.sum()], flows + room[1]]),
    )
    root = np.sqrt(cost.curvature)
    scaled = lf.members.Polyhedron(np.zeros(d), root * upper, secure.rows / root, secure.row_lower, secure.row_upper)
    best = scaled.project(-cost.slope / root)[0] / root
    rest = np.array([best, -cost.gradient(best)])
    start = rest + draw.normal(size=(2, d)) * draw.choice([1, 30, 300])
    certificate = certify_secure()
    run = lf.simulate(
        certificate.system,
        [cost, secure],
        start,
        (0, 10),
        points=26,
        rtol=1e-5,
        atol=1e-5,
        method="BDF",
        equilibrium=rest,
    )
    assert np.all(run.storage(certificate) <= run.bound(certificate) * (1 + 1e-4) + 1e-6)
    assert np.all(run.distance <= run.norm_bound(certificate) * (1 + 1e-4))
    assert all(secure.value(order) == 0 for order in run.y[:, 1])


@pytest.mark.parametrize("seed", range(TRIALS))
def test_random_dispatches_with_hard_limits_stay_below_their_bounds(seed):
    follow_secure(seed)


@pytest.mark.slow
def test_a_thousand_random_dispatches_with_hard_limits_stay_below_their_bounds():
    for seed in range(1000, 2000):
        follow_secure(seed)
