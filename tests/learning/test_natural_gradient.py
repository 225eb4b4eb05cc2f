"""KL natural gradient: every row of the reference, the proofs, what is false, and corrupted claims refused."""

import tomllib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from examples import at_most
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

import lyapflow as lf
from lyapflow.errors import DimensionError, InvalidModelError, VerificationError
from lyapflow.exact.divergences import bound_divergence, bound_least_ratio, chi_square, has_ratio
from lyapflow.exact.matrices import identity, multiply, scale
from lyapflow.learning.divergence_rates import PolynomialIdentity, bound_sublevel_rate, refute_rate, state_identities

TABLE = tomllib.loads((Path(__file__).parents[1] / "reference" / "natural_gradient.toml").read_text())
Q, P0 = TABLE["q"], TABLE["p0"]


def make(flow="natural", q=Q, **more):
    return lf.learning.KLNaturalGradient(q, flow=flow, **more)


def start_of(model):
    return model.from_probabilities([float(v) for v in P0])


def ratio_bounds(q, p):
    q, p = [Fraction(v) for v in q], [Fraction(v) for v in p]
    low, high = bound_divergence(q, p)
    return chi_square(q, p) / high, chi_square(q, p) / low


def enclose(row):
    """Proved lower and upper bound of the quantity of a row."""
    name, eigenvalues = row["quantity"], make().eigenvalues
    if name in {"smallest eigenvalue", "largest eigenvalue"}:
        return eigenvalues[0 if name.startswith("s") else -1][:2]
    if name == "condition number":
        return eigenvalues[-1][0] / eigenvalues[0][1], eigenvalues[-1][1] / eigenvalues[0][0]
    if name.startswith("V-rate"):
        model = make(name.split(", ")[1])
        exact = model.local_rate().exact
        high = {"eta": 2 / eigenvalues[-1][0], "theta": 2 * eigenvalues[0][1], "natural": 2 * exact}[model.flow]
        return 2 * exact, high
    if name == "dKL/dt at p0":
        return (make().decrease(P0[:-1]),) * 2
    if name == "ratio at p0":
        return ratio_bounds(Q, P0)
    if name == "ratio at":
        return ratio_bounds(Q, row["p"])
    if name == "least ratio":
        found = bound_sublevel_rate(row.get("q", Q))
        if "witness" in row:
            assert [float(p) for p in found.witness] == pytest.approx([float(p) for p in row["witness"]], abs=1e-5)
        return found.low, found.high
    if name.startswith("step limit"):
        return make(name.split(", ")[1]).step_limit().local
    if name == "best factor":
        return make("eta").step_limit().factor
    raise AssertionError(f"no test for {name}")


SINGLE = [r for r in TABLE["row"] if r["kind"] in {"exact", "enclosed"} and isinstance(r["expected"], str)]


@pytest.mark.parametrize("row", SINGLE, ids=lambda r: f"{r['quantity']}{r.get('q', '')}")
def test_rows_that_are_proved(row):
    low, high = enclose(row)
    assert low <= high
    if row["kind"] == "exact":
        assert low == high == Fraction(row["expected"])
    else:  # both bounds round to the printed digits, or to one unit of the last
        printed = Fraction(row["expected"])
        unit = Fraction(1, 10 ** len(row["expected"].partition(".")[2]))
        assert abs(low - printed) <= unit
        assert abs(high - printed) <= unit


def test_rows_of_matrices():
    model = make()
    for row in TABLE["row"]:
        if row["quantity"] in {"C", "inverse of C"}:
            found = model.fisher_theta if row["quantity"] == "C" else model.fisher_eta
            assert found == tuple(tuple(Fraction(v) for v in line) for line in row["expected"])


def measure(model, window):
    times = np.linspace(*window, 21)
    run = model.simulate(start_of(model), times)
    return -np.polyfit(times, np.log(run.loss), 1)[0]


@pytest.mark.parametrize("row", [r for r in TABLE["row"] if r["kind"] == "measured"], ids=lambda r: r["quantity"])
def test_rows_that_are_measured(row):
    found = measure(make(row["quantity"].split(", ")[1]), row["window"])
    assert found == pytest.approx(float(row["expected"]), rel=row["within"])


@pytest.mark.parametrize("row", [r for r in TABLE["row"] if "c" in r], ids=lambda r: r["quantity"])
def test_rows_of_affine_coordinates(row):
    flow = row["quantity"].split(", ")[1]
    for c, expected, seen in zip(row["c"], row["expected"], row["measured"], strict=True):
        model = make(flow, scale=c)
        assert 2 * model.local_rate().exact == Fraction(expected)
        window = [float(t) / float(Fraction(expected)) * 2 for t in row["window"]]
        assert measure(model, window) == pytest.approx(seen, rel=row["within"])
        rest = model.from_probabilities([float(v) for v in Q])
        np.testing.assert_allclose(model.jacobian(rest), -float(Fraction(expected)) / 2 * np.eye(2), atol=1e-12)
    factor = scale(Fraction(1, 4), model.fisher_theta)  # MM' = cC: the Hessian in the new coordinates is similar to cI
    assert multiply(factor, model.fisher_eta) == scale(Fraction(1, 4), identity(2))


def test_every_row_has_a_test():
    kinds = {"exact", "enclosed", "measured"}
    assert {r["kind"] for r in TABLE["row"]} <= kinds
    covered = [r for r in TABLE["row"] if isinstance(r["expected"], str) or "c" in r or "C" in r["quantity"]]
    assert len(covered) == len(TABLE["row"])


@pytest.mark.parametrize("flow", ["eta", "natural", "theta"])
def test_steps_a_few_per_cent_below_and_above_the_limit(flow):
    model = make(flow)
    limit = float(model.step_limit().local[0])
    rest = model.from_probabilities([float(v) for v in Q])
    near = rest + 1e-3
    below, above = (np.linalg.norm(model.iterate(near, f * limit, 600) - rest, axis=1) for f in (0.97, 1.03))
    assert below[-1] < 1e-8
    assert not above[-1] < 1e-2 * np.sqrt(2)
    if flow == "natural":
        assert model.count_steps(start_of(model), 1.0) == 1
    else:
        best = 2 / float(sum(model._rates[0][:2]) / 2 + sum(model._rates[-1][:2]) / 2)
        ends = np.linalg.norm(model.iterate(near, best, 25) - rest, axis=1)
        assert ends[-1] / ends[-2] == pytest.approx(0.657945, abs=2e-4)


def test_steps_below_four_converge_from_everywhere_in_theta():
    model = make("theta")
    assert model.step_limit().everywhere == 4
    for start in ([8.0, -9.0], [-7.0, 7.0], [12.0, 12.0]):
        losses = [model.loss(x) for x in model.iterate(start, 3.99, 800)]
        assert np.all(np.diff(losses) <= 1e-12)
        assert losses[-1] < 1e-9


# --- proofs ---


def test_identities_are_proved_and_corrupted_ones_refused():
    for one in state_identities():
        one.prove()
        wrong = PolynomialIdentity(name="wrong", statement="", left=one.left, right=one.right * 2 + 1)
        with pytest.raises(VerificationError, match="differ"):
            wrong.prove()


@at_most(15)
@given(st.lists(st.integers(1, 40), min_size=3, max_size=6), st.data())
def test_decrease_agrees_with_the_gradient_exactly(sizes, data):
    q = [Fraction(v, sum(sizes)) for v in sizes]
    other = data.draw(st.lists(st.integers(1, 40), min_size=len(q), max_size=len(q)))
    p = [Fraction(v, sum(other)) for v in other]
    gradient = [-a / b + q[-1] / p[-1] for a, b in zip(q[:-1], p[:-1], strict=True)]
    change = sum(g * (a - b) for g, a, b in zip(gradient, q[:-1], p[:-1], strict=True))
    model = make(q=q)
    assert model.decrease(p[:-1]) == change
    # (diag(eta) - eta eta') grad KL = eta - eta_q
    mean = sum(a * g for a, g in zip(p[:-1], gradient, strict=True))
    assert [a * (g - mean) for a, g in zip(p[:-1], gradient, strict=True)] == [
        b - a for a, b in zip(q[:-1], p[:-1], strict=True)
    ]
    # chi^2 >= r(c) KL with the proved r, and KL <= chi^2
    low, high = bound_divergence(q, p)
    assert low <= chi_square(q, p)
    if high > 0:
        assert chi_square(q, p) >= bound_sublevel_rate(q, max(high, Fraction(1, 10**6)), digits=5).low * low
    for flow in ("eta", "theta"):
        local = 2 * make(flow, q=q).local_rate().exact
        assert local > 4 - Fraction(1, 10**9) if flow == "eta" else local <= Fraction(1, 2)


@pytest.mark.parametrize("cell", ["1/5", "1/20", "1/3"])
@pytest.mark.parametrize("level", [None, "1/100", "1/25"])
def test_the_least_ratio_agrees_with_a_grid(cell, level):
    q, c = Fraction(cell), level and Fraction(level)
    low, high, at = bound_least_ratio(q, c)
    p = np.linspace(float(q) + 1e-3, 0.999, 20001)
    kl = float(q) * np.log(float(q) / p) + float(1 - q) * np.log(float(1 - q) / (1 - p))
    ratio = (float(q) ** 2 / p + float(1 - q) ** 2 / (1 - p) - 1) / kl
    least = ratio[kl <= float(c)].min() if c else ratio.min()
    assert float(low) <= least
    assert least - float(low) < 1e-4
    assert high - low < Fraction(1, 10**7)
    assert at > q
    assert has_ratio(q, low, c)
    assert not has_ratio(q, high + Fraction(1, 10**6), c)


def test_many_cells_reduce_to_the_smallest_one():
    """Against a descent over the whole simplex, and against all ways to collect cells in two."""
    q = np.array([0.4, 0.25, 0.2, 0.15])
    found = bound_sublevel_rate(["0.4", "0.25", "0.2", "0.15"])
    masses = [sum(q[i] for i in range(4) if k >> i & 1) for k in range(1, 15)]

    for level in (None, Fraction(1, 50)):  # the lemma that the smallest cell decides, without it
        low = bound_sublevel_rate(["0.4", "0.25", "0.2", "0.15"], level).low
        for k in range(1, 15):
            assert has_ratio(sum(Fraction(v, 100) for i, v in enumerate((40, 25, 20, 15)) if k >> i & 1), low, level)

    def least(mass):
        def ratio(p):
            kl = mass * np.log(mass / p) + (1 - mass) * np.log((1 - mass) / (1 - p))
            return (mass**2 / p + (1 - mass) ** 2 / (1 - p) - 1) / kl

        return minimize_scalar(ratio, bounds=(mass + 1e-4, 1 - 1e-6), method="bounded").fun

    assert min(map(least, masses)) == pytest.approx(float(found.low), abs=1e-7)
    draw = np.random.default_rng(0)
    p = draw.dirichlet(np.ones(4), 20000)
    ratios = np.sum((q - p) ** 2 / p, axis=1) / np.sum(q * np.log(q / p), axis=1)
    assert ratios.min() > float(found.low)


def test_the_rate_by_level_falls_from_two_to_the_least():
    rates = [bound_sublevel_rate(Q, c, digits=6).low for c in ("1/10000", "1/1000", "1/100", "1/20", "1", None)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > Fraction("1.98")
    assert rates[-1] == rates[-2] > 1


def test_trajectories_keep_the_bound_of_their_level():
    model = make()
    t = np.linspace(0, 10, 60)
    run = model.simulate(start_of(model), t)
    np.testing.assert_allclose(run.x, model.solve(start_of(model), t), rtol=1e-7)
    rate = model.global_rate(Fraction(run.loss[0]) + Fraction(1, 10**9))
    assert np.all(run.loss <= run.loss[0] * np.exp(-float(rate.low) * t) * (1 + 1e-9))
    directions = np.array([model.invariants(x)["direction"] for x in run.x])
    np.testing.assert_allclose(directions, directions[[0] * len(t)], atol=1e-4)


# --- what is false ---


def test_rate_two_is_refuted_and_true_rates_are_not():
    for q in (Q, ["0.9", "0.1"], ["1/3", "1/3", "1/3"], ["0.999", "0.001"]):
        found = refute_rate(q, 2)
        assert found.standing == "proved"
        assert found.witness.startswith("p = (")
        assert refute_rate(q, 1) is None
        assert refute_rate(q, bound_sublevel_rate(q).low) is None
    assert refute_rate(["1/2", "1/2"], 2) is None  # true there
    assert refute_rate(Q, 2, at=P0) is None  # the ratio is above 2 at the start
    assert refute_rate(Q, 2, at=["0.45", "0.27", "0.28"]) is not None


# --- the model ---


@pytest.mark.parametrize("flow", ["eta", "natural", "theta"])
def test_fields_are_what_they_say(flow):
    model = make(flow)
    x = start_of(model)
    step = 1e-6
    slopes = np.array([(model.loss(x + step * u) - model.loss(x - step * u)) / (2 * step) for u in np.eye(2)])
    p = model.to_probabilities(x)[:-1]
    metric = np.diag(p) - np.outer(p, p) if flow == "natural" else np.eye(2)
    np.testing.assert_allclose(model.vector_field(0, x), -metric @ slopes, atol=1e-8)
    moved = [
        (model.vector_field(0, x + step * u) - model.vector_field(0, x - step * u)) / (2 * step) for u in np.eye(2)
    ]
    np.testing.assert_allclose(model.jacobian(x), np.array(moved).T, atol=1e-6)
    (rest,) = model.equilibria()
    assert rest.kind == "minimum"
    assert -max(rest.eigenvalues) == pytest.approx(model.local_rate().rate)
    at = model.from_probabilities([float(v) for v in Q])
    np.testing.assert_allclose(np.sort(np.linalg.eigvals(model.jacobian(at)).real)[::-1], rest.eigenvalues, rtol=1e-9)
    assert model.loss(at) < 1e-30


def test_bad_input_is_refused():
    for q in (["0.5", "0.4"], ["1"], ["1.5", "-0.5"], [0.6, 0.3, 0.1]):
        with pytest.raises(InvalidModelError):
            make(q=q)
    with pytest.raises(InvalidModelError, match="scale"):
        make(scale=1)
    with pytest.raises(InvalidModelError, match="flow"):
        make("mirror")
    with pytest.raises(InvalidModelError, match="simplex"):
        make("eta").simulate([0.9, 0.9], [1.0])
    with pytest.raises(InvalidModelError, match="closed form"):
        make("eta").solve([0.2, 0.2], 1)
    with pytest.raises(DimensionError):
        make().decrease(["0.2"])
    with pytest.raises(InvalidModelError):
        has_ratio(Fraction(1, 2), Fraction(3))
