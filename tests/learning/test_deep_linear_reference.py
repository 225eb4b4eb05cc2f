"""The table of values for deep linear networks against closed forms, Hessians and integration."""

import tomllib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lyapflow.learning import DeepLinearNetwork
from lyapflow.learning.mode_times import blow_up_time, learning_time, mode_strength

ROOT = Path(__file__).parents[1]
TABLE = tomllib.loads((ROOT / "reference" / "deep_linear.toml").read_text())
ROUNDING = 1e-9


def printed(text, value):
    """Whether a value rounds to what is printed: half a unit of the last digit, and the rounding of floats."""
    mantissa, _, exponent = text.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    exact = "." not in text
    return abs(float(text) - value) <= (
        ROUNDING * max(1, abs(float(text))) if exact else unit / 2 * (1 + ROUNDING) + 1e-13
    )


def build_diagonal(row):
    cube = {"c": 2 ** (1 / 3)}
    network = DeepLinearNetwork([2] * (len(row["layers"]) + 1), row["target"])
    return network, network.join([np.diag([cube.get(v) or float(v) for v in layer]) for layer in row["layers"]])


def named(rows):
    return pytest.mark.parametrize("row", rows, ids=lambda row: row["id"])


def test_rows_name_their_source():
    known = (ROOT.parent / "docs" / "references.bib").read_text()
    rows = [
        row for part in TABLE.values() for row in (part if isinstance(part, list) else [part]) if isinstance(row, dict)
    ]
    assert len(rows) == 22
    assert all(row["kind"] for row in rows)
    for row in rows:
        assert f"{{{row.get('source', TABLE['source'])}," in known
        assert row.get("locator") or TABLE["derived"]


@named(TABLE["time"])
def test_time_to_half_strength(row):
    time = learning_time(row["sigma"], row["start"], row["sigma"] / 2, depth=row["depth"])
    assert printed(row["value"], time)
    if "estimate" in row:
        assert printed(row["estimate"], blow_up_time(row["sigma"], row["start"], depth=row["depth"]))
    assert mode_strength([time], row["sigma"], row["start"], depth=row["depth"]) == pytest.approx(
        row["sigma"] / 2, rel=1e-9
    )


@named([row for row in TABLE["time"] if "matrices" in row])
def test_matrices_take_the_same_time(row):
    """At the two ends of the printed time the integrated matrices have less and more than half the strength."""
    network = DeepLinearNetwork([3] * (row["depth"] + 1), [3, 2, 1])
    k = [3, 2, 1].index(row["sigma"])
    half = 0.5 * 10.0 ** -len(row["matrices"].partition(".")[2])
    times = [float(row["matrices"]) - half, float(row["matrices"]) + half]
    path = network.simulate(network.start_aligned([row["start"]] * 3), times, rtol=1e-12)
    below, above = (np.linalg.multi_dot(network.split(x))[k, k] for x in path.x)
    assert below < row["sigma"] / 2 < above


def test_staircase():
    row = TABLE["staircase"]
    network = DeepLinearNetwork(row["widths"], row["target"])
    start = [row["start"]] * 3
    path = network.simulate(network.start_aligned(start), row["times"], rtol=1e-11)
    known = network.aligned_loss(network.solve_aligned(start, row["times"]))
    for text, seen, closed in zip(row["losses"], path.loss, known, strict=True):
        assert printed(text, seen)
        assert seen == pytest.approx(closed, rel=1e-8)
    learnt = [e for e in network.equilibria() if [v for v, _ in e.selection] == row["target"][: e.rank]]
    assert sorted((Fraction(e.loss) for e in learnt), reverse=True) == [Fraction(v) for v in row["levels"]]


@named(TABLE["hessian"])
def test_hessian(row):
    network, x = build_diagonal(row)
    assert printed(row["loss"], network.loss(x))
    assert np.abs(network.vector_field(0, x)).max() < 1e-14
    values = np.linalg.eigvalsh(network.hessian(x))
    assert printed(row["least"], values[0])
    if "greatest" in row:
        assert printed(row["greatest"], values[-1])
    if "zeros" in row:
        assert np.count_nonzero(np.abs(values) < 1e-12) == row["zeros"]
    for text, value in zip(row.get("positive", []), values[values > 1e-12], strict=False):
        assert printed(text, value)
    assert (row["kind"] == "strict saddle") == (values[0] < -1e-12)
    same = [e for e in network.equilibria() if np.allclose(network.represent(e), x)]
    assert [e.kind for e in same] in ([row["kind"]], [])  # the class is told at its balanced point


@named(TABLE["class"])
def test_class(row):
    network = DeepLinearNetwork([2] * (row["depth"] + 1), row["target"])
    (found,) = (e for e in network.equilibria() if [v for v, _ in e.selection] == row["learnt"])
    assert found.kind == row["kind"]
    assert printed(row["least"], -found.eigenvalues[0])
    assert printed(row["least"], np.linalg.eigvalsh(network.hessian(network.represent(found)))[0])


@named(TABLE["path"])
def test_path(row):
    network = DeepLinearNetwork([1] * (len(row["start"]) + 1), row["target"])
    path = network.simulate(row["start"], [row["t"]], rtol=1e-10, atol=1e-14)
    assert all(printed(text, value) for text, value in zip(row["weights"], path.x[-1], strict=True))


def test_the_stable_set_is_invariant_and_its_limits_are_conserved():
    """On w1 = -w2 the sum stays zero, and w3^2 - w1^2 is constant, so w1 -> 0 leaves sqrt(w3^2 - w1^2)."""
    system = DeepLinearNetwork([1, 1, 1, 1], [1]).polynomials
    w1, w2, w3 = system.variables
    assert system.derivative_along(w1 + w2) == (1 - w1 * w2 * w3) * w3 * (w1 + w2)
    assert not system.derivative_along(w3**2 - w1**2)
    for row in TABLE["path"][1:]:
        a, _, c = row["start"]
        assert printed(row["weights"][2], np.sqrt(c**2 - a**2))


def test_stable_side_is_algebraic():
    """-1/(t + 10) up to what the term of higher order adds."""
    row = TABLE["path"][0]
    network = DeepLinearNetwork([1, 1, 1, 1], [1])
    seen = network.simulate(row["start"], [row["t"]], rtol=1e-10, atol=1e-14).x[-1, 0]
    assert seen == pytest.approx(-1 / 2010, rel=1e-5)


@named(TABLE["product"])
def test_product(row):
    network = DeepLinearNetwork([1, 1, 1], row["target"])
    path = network.simulate(row["start"], row["times"], rtol=1e-11)
    assert all(printed(text, x[0] * x[1]) for text, x in zip(row["values"], path.x, strict=True))
    # the equation of the product alone: u' = sqrt(c^2 + 4 u^2) (sigma - u)
    c = row["start"][0] ** 2 - row["start"][1] ** 2
    for x in path.x:
        speed = network.vector_field(0, x)
        u = x[0] * x[1]
        assert speed @ x[::-1] == pytest.approx(np.hypot(c, 2 * u) * (row["target"][0] - u), rel=1e-7)


def test_tight_saddle():
    row = TABLE["tight"]
    network = DeepLinearNetwork([2] * 4, row["target"])
    s = float(row["start"])
    assert printed(row["half"], learning_time(1, s**3, 0.5, depth=3))
    assert printed(row["estimate"], blow_up_time(1, s**3, depth=3))
    half = learning_time(1, s**3, 0.5, depth=3)
    up = network.simulate(network.start_aligned([2, s**3]), [half], rtol=1e-11, atol=1e-15)
    assert np.linalg.multi_dot(network.split(up.x[-1]))[1, 1] == pytest.approx(0.5, rel=1e-6)
    down = network.simulate(network.start_aligned([2, -(s**3)]), [row["t"]], rtol=1e-11, atol=1e-15)
    entries = [w[1, 1] for w in network.split(down.x[-1])]
    assert all(printed(row["below"], v) for v in entries)
