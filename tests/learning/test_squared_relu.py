"""Squared-ReLU networks: the flow, its rays and saddles, and what is said of them."""

import tomllib
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp

from lyapflow.errors import DimensionError, InvalidModelError, VerificationError
from lyapflow.exact.matrices import matrix
from lyapflow.exact.multivariate import variables
from lyapflow.exact.solutions import enclose_solution
from lyapflow.exact.words import Letter, letter
from lyapflow.learning import SquaredReLU, squared_evidence, squared_rays
from lyapflow.learning import squared_refutations as refutations
from lyapflow.learning.orthogonal_data import OrthogonalData
from lyapflow.learning_studies import squared_relu_numbers as study

ROOT = Path(__file__).parents[1]
TABLE = tomllib.loads((ROOT / "reference" / "squared_relu.toml").read_text())
NORMS = SquaredReLU([[2, 0, 0], [0, "1/2", 0], [0, 0, 1]], [1, "-3/2", 2], width=4)
TURNED = SquaredReLU([["3/5", "4/5", 0], ["-4/5", "3/5", 0], [0, 0, 1]], [1, "1/5", "-3/5"], width=5)


def printed(text, value):
    unit = 10.0 ** -len(text.partition(".")[2])
    return abs(float(text) - value) <= unit / 2 * (1 + 1e-9)


def named(rows):
    return pytest.mark.parametrize("row", rows, ids=lambda row: row["id"])


# --- the table


def test_rows_name_their_source():
    known = (ROOT.parent / "docs" / "references.bib").read_text()
    rows = [
        row for part in TABLE.values() for row in (part if isinstance(part, list) else [part]) if isinstance(row, dict)
    ]
    assert len(rows) == 13
    assert all(row["kind"] for row in rows)
    assert f"{{{TABLE['source']}," in known


@named(TABLE["ray"])
def test_values_of_the_rays(row):
    data = OrthogonalData.read(study.AXES, row["labels"])
    for text, ray in zip(row["values"], squared_rays.find_rays(data), strict=True):
        assert printed(text, ray.value)
        network = SquaredReLU(study.AXES, row["labels"], width=2)
        assert network.correlate(network.start_ray(ray.label, 1.0)) == pytest.approx(ray.value, rel=1e-14)


@named(TABLE["time"])
def test_times_on_the_ray(row):
    ((_, escape, seen, closed),) = study.tabulate_rays((row["size"],))
    assert abs(float(row["escape"]) - escape) <= 0.5 * 10.0 ** -len(row["escape"].partition(".")[2])
    assert printed(row["half"], seen)
    assert printed(row["half"], closed)


def test_limit_of_the_half_time():
    assert printed(TABLE["limit"]["value"], float(squared_rays.ray_time(study.ONE.data, 0, 0.5)))


def test_saddle():
    row = TABLE["saddle"]
    x = study.CLOSE.represent([[0]])
    v, W = study.CLOSE.split(x)
    assert printed(row["v"], v[0])
    assert printed(row["w"], W[0, 0])
    assert study.CLOSE.loss(x) == pytest.approx(float(row["loss"]), rel=1e-14)
    assert abs(study.CLOSE.invariants(x)["balance"][0]) < 1e-15


@pytest.fixture(scope="module")
def directions():
    return study.tabulate_directions()


@named(TABLE["direction"])
def test_directions_at_the_escape(row, directions):
    (found,) = [line for line in directions if line[0] == row["size"]]
    assert printed(row["ratio"], found[1])


def test_the_second_plateau(directions):
    row = TABLE["growth"]
    assert printed(row["rate"], squared_rays.growth_rate(study.ONE.data, 0, 1))
    assert directions[-1][2] == pytest.approx(float(row["seen"]), abs=row["tolerance"])
    longer = squared_rays.plateau_per_decade(study.ONE.data, 0, 1)
    seen = [line["seen_plateau"] for line in TABLE["direction"]]
    for measured in (b[3] - a[3] for a, b in pairwise(directions)):
        assert measured == pytest.approx(longer, abs=row["longer_tolerance"])
    for measured in (b - a for a, b in pairwise(seen)):
        assert measured == pytest.approx(row["longer"], abs=row["longer_tolerance"])
        assert measured == pytest.approx(longer, abs=row["longer_tolerance"])
    assert study.ONE.loss(study.ONE.represent([[0]])) == pytest.approx(float(row["level"]))


def test_eight_neurons():
    row = TABLE["eight"]
    run = study.run_many()
    loss = run.loss
    steps = [float(run.t[np.argmax(loss < level)]) for level in (0.45, 0.19, 0.09)]
    assert steps == pytest.approx([float(t) for t in row["times"]], rel=row["tolerance"])
    middles = [0, *(int(np.searchsorted(run.t, (a + b) / 2)) for a, b in pairwise(steps)), -1]
    assert [printed(text, loss[k]) for text, k in zip(row["levels"], middles, strict=True)] == [True] * 4
    norms = {name: size for _, _, size, name in study.tabulate_neurons(run) if name != "none"}
    assert [printed(text, norms[name]) for text, name in zip(row["norms"], ("1", "0.2", "-0.6"), strict=True)] == [
        True
    ] * 3
    assert len(norms) == 3
    assert max(size for _, _, size, name in study.tabulate_neurons(run) if name == "none") < row["others"]
    assert np.abs(study.MANY.invariants(run.x[-1])["balance"] - study.MANY.invariants(run.x[0])["balance"]).max() < 1e-9


def test_two_linear_layers():
    row = TABLE["linear"]
    rows = study.tabulate_linear(row["strength"])
    assert [printed(text, line[1]) for text, line in zip(row["escape"], rows, strict=True)] == [True, True]
    assert rows[1][2] - rows[0][2] == pytest.approx(rows[1][1] - rows[0][1], abs=1e-5)
    assert float(row["seen"][1]) - float(row["seen"][0]) == pytest.approx(rows[1][2] - rows[0][2], abs=2e-5)


def test_close_labels_are_learnt_together():
    row = TABLE["close"]
    runs = study.run_close()
    generic, near = runs.values()
    assert printed(row["plateau"], generic.loss[-1])
    assert printed(row["norm"], np.linalg.norm(study.CLOSE.represent([[0, 1]])))
    assert np.linalg.norm(generic.x[-1][:3]) == pytest.approx(float(row["norm"]), abs=1e-5)
    waits = [np.count_nonzero((run.loss > 0.45) & (run.loss < 0.55)) * (run.t[1] - run.t[0]) for run in (generic, near)]
    assert waits[0] < 1 < 15 < waits[1]


@pytest.mark.slow
def test_the_escape_time_is_a_power_law():
    law = study.measure_escape()
    assert law.agrees
    assert law.interval[1] - law.interval[0] < 1e-9
    assert law.constant == pytest.approx(1.1372919, rel=1e-6)


# --- the flow


@pytest.mark.parametrize("network", [NORMS, TURNED])
def test_logarithms_agree_with_the_plain_equations(network):
    for seed in range(3):
        start = network.random_start(seed, scale=0.4)
        times = [1.0, 5.0, 20.0]
        plain = solve_ivp(network.vector_field, (0, 20), start, method="DOP853", t_eval=times, rtol=1e-11, atol=1e-13)
        assert np.abs(network.simulate(start, times).x - plain.y.T).max() < 1e-7


@pytest.mark.parametrize("network", [NORMS, TURNED])
def test_classes_are_those_of_the_jacobian(network):
    """From the side on which all inputs are seen: the products that are zero are moved up by a rounding."""
    for one in network.equilibria():
        groups = [[int(np.flatnonzero(network.data.y == value)[0])] for value, _ in one.selection]
        x = network.represent(groups)
        v, W = (a.copy() for a in network.split(x))
        W[: len(groups)] += 1e-13 * network.data.X.sum(axis=0)
        values = np.sort(np.linalg.eigvalsh(network.jacobian(network.join(v, W))))[::-1]
        inside = [list(network.data.y).index(value) for value, _ in one.selection]
        assert network.loss(x) == pytest.approx(one.loss, abs=1e-14)
        assert np.abs(network.vector_field(0, x)).max() < 1e-13
        assert len(inside) == one.rank
        assert np.allclose(values, one.eigenvalues, atol=1e-9)


def test_without_a_spare_neuron_labels_of_the_other_sign_are_never_learnt():
    """One neuron that has learnt 1 cannot take up -3/5: a local minimum; with a second one it is a saddle."""
    for width, kind in ((1, "minimum"), (2, "nonstrict saddle")):
        network = SquaredReLU([[1, 0], [0, 1]], [1, "-3/5"], width=width)
        classes = {e.selection: e.kind for e in network.equilibria()}
        assert classes[((1.0, 1),)] == kind
    alone = SquaredReLU([[1, 0], [0, 1]], [1, "-3/5"], width=1)
    point = alone.represent([[0]])
    for step in 0.01 * np.random.default_rng(0).standard_normal((200, 3)):
        assert alone.loss(point + step) >= alone.loss(point) - 1e-15


def test_the_closed_form_of_the_ray_is_the_integral():
    data = NORMS.data
    for label in range(3):
        y, q = abs(data.y[label]), data.q[label]
        for part in (0.01, 0.5, 0.99):
            v = np.cbrt(part * y / (2 * q))
            integral = quad(lambda u, y=y, q=q: u / (y * (y - 2 * q * u**3)), 0, v)[0]
            assert squared_rays.ray_time(data, label, part) == pytest.approx(-1 / (2 * q * y * v) + integral, rel=1e-9)
            time = squared_rays.ray_time(data, label, part)
            assert squared_rays.follow_ray(data, label, time) == pytest.approx(part, rel=1e-9)


def test_the_limit_path_is_reached_and_left_far_away():
    parts = squared_rays.follow_ray(NORMS.data, 0, [-1e6, 0.0, 50.0])
    assert 0 < parts[0] < 1e-15
    assert parts[2] == pytest.approx(1, abs=1e-12)


def test_a_plateau_of_any_length_costs_nothing():
    """A weight at 1e-200 beside one that has been learnt: it waits for 460/.317 and is learnt then."""
    x = study.ONE.represent([[0]])
    x[2] = 1e-200
    rate = squared_rays.growth_rate(study.ONE.data, 0, 1)
    wait = 200 * np.log(10) / rate
    run = study.ONE.simulate(x, [0.97 * wait, 1.05 * wait])
    assert run.loss == pytest.approx([0.2, 0.18], abs=1e-6)
    assert run.evaluations < 5000


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_signs_sparsity_and_balance_are_kept_and_the_loss_falls(seed):
    start = TURNED.random_start(seed, scale=0.5)
    start[[0, *range(5, 8)]] = 0  # one neuron is zero
    run = TURNED.simulate(start, np.linspace(0, 20, 9))
    assert np.all(np.diff(run.loss) <= 1e-10)
    balances = np.array([TURNED.invariants(x)["balance"] for x in run.x])
    assert np.abs(balances - balances[0]).max() < 1e-9
    first = TURNED.split(start)[1] @ TURNED.data.X.T
    last = TURNED.split(run.x[-1])[1] @ TURNED.data.X.T
    assert np.all(last[first > 1e-12] > -1e-15)
    assert np.allclose(last[first <= 0], first[first <= 0], atol=1e-14)
    assert np.abs(TURNED.measure_neurons(run.x[-1])[0]) == 0


def test_arguments_are_checked():
    with pytest.raises(InvalidModelError, match="index"):
        NORMS.start_ray(3, 1e-2)
    with pytest.raises(InvalidModelError, match="scale"):
        NORMS.random_start(0, scale=-1)
    with pytest.raises(InvalidModelError, match="without a label twice"):
        NORMS.represent([[0], [0]])
    with pytest.raises(InvalidModelError, match="one sign"):
        NORMS.represent([[0, 1]])
    with pytest.raises(InvalidModelError, match="part"):
        squared_rays.ray_time(NORMS.data, 0, 1.0)
    with pytest.raises(InvalidModelError, match="degree"):
        squared_rays.escape_time(1, 0.1, degree=1)
    with pytest.raises(InvalidModelError, match="> 0"):
        squared_rays.escape_time(0, 0.1, degree=3)
    with pytest.raises(InvalidModelError, match="weaker"):
        squared_rays.plateau_per_decade(NORMS.data, 0, 1)
    with pytest.raises(InvalidModelError, match="rtol"):
        NORMS.simulate(NORMS.random_start(0, scale=1), [1], rtol=-1)


# --- what is proved


@pytest.mark.parametrize("network", [NORMS, TURNED, study.MANY])
def test_proofs(network):
    pieces = [
        squared_evidence.prove_descent(network),
        squared_evidence.prove_sparsity(network),
        squared_evidence.prove_origin(network),
        squared_evidence.prove_escape_law(network),
        *squared_evidence.prove_rays(network),
        *squared_evidence.prove_saddles(network),
    ]
    assert all(piece.standing == "proved" for piece in pieces)
    assert len(pieces) == 4 + 2 * len(network.data.y)


def test_balance_at_rational_points_too():
    """The other method: numbers for the letters, and no rule."""
    identity = squared_evidence.prove_balance()
    values = {
        Letter("v", "1", "1", symmetric=True): matrix([["2/3"]]),
        Letter("w", "d", "1"): matrix([[1], ["-1/2"], [3]]),
        Letter("G", "d", "d", symmetric=True): matrix([[1, 2, 0], [2, -1, "1/3"], [0, "1/3", 5]]),
    }
    assert identity.measure(values, {"1": 1, "d": 3}) == 0
    broken = replace(identity, right=identity.right + letter("v", "1"))
    assert broken.measure(values, {"1": 1, "d": 3}) == Fraction(2, 3)


def test_the_norm_grows_no_faster_than_the_bound(rng):
    c = float(squared_evidence.bound_speed(NORMS))
    for _ in range(200):
        x = rng.normal(size=NORMS.shape) * 10 ** rng.uniform(-2, 0.5)
        size = np.linalg.norm(x)
        assert x @ NORMS.vector_field(0, x) / size <= c * size**2 * (1 + 1e-12)
    ray = NORMS.start_ray(0, 1e-6)
    assert ray @ NORMS.vector_field(0, ray) / 1e-18 == pytest.approx(c, rel=1e-5)  # the bound is attained


def test_proofs_refuse_data_that_are_not_what_they_say():
    broken = object.__new__(OrthogonalData)
    object.__setattr__(broken, "inputs", matrix([[1, 1], [0, 1]]))
    object.__setattr__(broken, "labels", (Fraction(1), Fraction(-1)))
    network = SquaredReLU([[1, 0], [0, 1]], [1, -1], width=2)
    object.__setattr__(network, "_data", broken)
    with pytest.raises(VerificationError):
        squared_evidence.prove_sparsity(network)
    with pytest.raises(VerificationError):
        squared_evidence.prove_saddles(network)
    assert squared_evidence.prove_descent(network).standing == "proved"  # it needs no orthogonality


# --- what is false


@pytest.mark.parametrize(("slope", "offset"), [(1, 0), (1000, 10**6), (0, 5)])
def test_escape_is_slower_than_any_logarithm(slope, offset):
    found = refutations.refute_logarithmic_escape(study.ONE, slope, offset)
    power = int(found.witness.partition("2^-")[2].split()[0])
    least = float(found.witness.partition("at least ")[2].partition(",")[0])
    assert least > slope * power * np.log(2) + offset
    time = float(study.find_crossing(study.ONE, study.ONE.start_ray(0, 2.0**-power), 2 * 2.0**power, norm=0.1)[0])
    assert time >= least * (1 - 1e-9)
    assert time < 1.1 * least + 10  # and on the ray the bound is nearly met


def test_refutations_of_the_landscape():
    assert "1/2*s^6 - s^3" in refutations.refute_origin_minimum(study.MANY).witness
    assert refutations.refute_strict_saddles(study.MANY).standing == "proved"
    with pytest.raises(InvalidModelError, match="both signs"):
        refutations.refute_strict_saddles(SquaredReLU([[1]], [1], width=2))
    with pytest.raises(InvalidModelError, match=">= 0"):
        refutations.refute_logarithmic_escape(study.ONE, -1)


START = ("0.0012", "0.001", "0.001", "-0.0004")


@pytest.mark.slow
def test_the_first_plateau_is_not_that_of_the_strongest_label():
    found = refutations.refute_first_plateau(study.CLOSE, START, times=(508, 510, 511), level="0.181")
    assert found.standing == "proved"
    assert "between 9/50 and 0.18024" in found.witness


@pytest.mark.slow
def test_corrupted_witnesses_are_refused():
    for times, level in (((500, 510, 511), "0.18"), ((508, 509, 511), "0.181"), ((509, 510, 511), "0.181")):
        with pytest.raises(VerificationError, match="not as said"):
            refutations.refute_first_plateau(study.CLOSE, START, times=times, level=level)


def test_witnesses_of_another_kind_are_refused():
    with pytest.raises(InvalidModelError, match="one neuron"):
        refutations.refute_first_plateau(study.MANY, START, times=(1, 2, 3), level=1)
    with pytest.raises(InvalidModelError, match="of the sign"):
        refutations.refute_first_plateau(study.CLOSE, ("0.001", "0.01", "0", "0"), times=(1, 2, 3), level=1)


# --- enclosures


def test_enclosures_hold_known_solutions():
    x, y = variables(["x", "y"])
    for t in (Fraction(1, 3), Fraction(5)):
        ((bx, by),) = enclose_solution([y, -1 * x], [0, 1], [t])
        for (low, high), value in ((bx, np.sin(float(t))), (by, np.cos(float(t)))):
            assert low <= high < low + Fraction(1, 10**20)
            assert abs(float(low) - value) < 1e-14
    ((low, high),) = enclose_solution([-1 * variables(["x"])[0] ** 2], [1], [9])[0]
    assert low <= Fraction(1, 10) <= high
    ((low, high),) = enclose_solution([variables(["x"])[0] * 0 + 3], ["1/2"], [0, 2])[1]
    assert low <= Fraction(13, 2) <= high


def test_enclosures_widen_where_the_flow_only_turns_and_stay_true():
    a, b = variables(["a", "b"])
    (((low, high), _),) = enclose_solution([b, -a], [1, 0], [20])
    assert low <= Fraction(np.cos(20)) + Fraction(1, 10**15)
    assert high >= Fraction(np.cos(20)) - Fraction(1, 10**15)
    assert high - low < Fraction(1, 10**12)


def test_enclosures_refuse_what_blows_up():
    (x,) = variables(["x"])
    with pytest.raises(VerificationError, match=r"enclosed|steps"):
        enclose_solution([x**2], [1], [2])
    with pytest.raises(InvalidModelError, match="increase"):
        enclose_solution([x], [1], [2, 1])
    with pytest.raises(DimensionError, match="start"):
        enclose_solution([x], [1, 2], [1])
