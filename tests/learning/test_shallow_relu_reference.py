"""The table of values for shallow ReLU networks against closed forms, exact eigenvalues and integration."""

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest

from lyapflow.learning import relu_limits
from lyapflow.learning_studies import shallow_relu_numbers as study

ROOT = Path(__file__).parents[1]
TABLE = tomllib.loads((ROOT / "reference" / "shallow_relu.toml").read_text())


def printed(text, value):
    """Whether a value rounds to what is printed."""
    unit = 10.0 ** -len(text.partition(".")[2])
    return abs(float(text) - value) <= unit / 2 * (1 + 1e-9)


def test_rows_name_their_source():
    known = (ROOT.parent / "docs" / "references.bib").read_text()
    rows = [
        row for part in TABLE.values() for row in (part if isinstance(part, list) else [part]) if isinstance(row, dict)
    ]
    assert len(rows) == 11
    assert all(row["kind"] for row in rows)
    assert f"{{{TABLE['source']}," in known


def test_drives_of_the_toy():
    (row,) = TABLE["drive"]
    sizes = [np.linalg.norm(relu_limits.find_drive(study.TOY.data, s)) for s in (1, -1)]
    assert printed(row["plus"], sizes[0])
    assert printed(row["minus"], sizes[1])
    assert np.allclose(np.square(sizes), [float(relu_limits.square_drive(study.TOY.data, s)) for s in (1, -1)])


@pytest.fixture(scope="module")
def times():
    return study.tabulate_times(study.run_scales((1e-6, 1e-9)))


@pytest.mark.parametrize("row", TABLE["slope"], ids=lambda row: row["id"])
def test_slopes_of_the_times(row, times):
    slope = times[-1][3 if row["sign"] == 1 else 4]
    exact = 1 / np.linalg.norm(relu_limits.find_drive(study.TOY.data, row["sign"]))
    assert printed(row["value"], exact)
    assert slope == pytest.approx(exact, rel=1e-7)
    assert slope == pytest.approx(float(row["seen"]), rel=row["tolerance"])


@pytest.mark.parametrize("row", TABLE["plateau"], ids=lambda row: row["id"])
def test_loss_between_the_steps(row, times):
    (seen,) = [line[-1] for line in times if line[0] == row["scale"]]
    assert float(relu_limits.find_saddle_loss(study.TOY.data, (1,))) == float(row["saddle"])
    assert seen == pytest.approx(float(row["seen"]), abs=row["tolerance"])


def test_loss_between_the_steps_nears_that_of_the_saddle_like_the_root_of_the_scale(times):
    gaps = [0.25 - line[-1] for line in times]
    assert gaps[0] / gaps[1] == pytest.approx(1e3**0.5, rel=0.01)


def test_least_norm_of_the_toy():
    row = TABLE["norm"]
    low, high = map(float, relu_limits.variation_norm(study.TOY.data))
    assert printed(row["value"], low)
    assert printed(row["value"], high)
    end = study.TOY.simulate(study.TOY.random_start(0, scale=1e-6), [100.0]).x[0]
    assert np.sum(end**2) / 2 == pytest.approx(float(row["seen"]), abs=row["tolerance"])


@pytest.mark.parametrize("row", TABLE["half"], ids=lambda row: row["id"])
def test_half_times_of_the_pair(row):
    for line, closed, seen in zip(study.tabulate_pair((row["scale"],)), row["times"], row["seen"], strict=True):
        assert printed(closed, line[2])
        assert line[3] == pytest.approx(line[2], abs=1e-5)
        assert line[3] == pytest.approx(float(seen), abs=row["tolerance"])


def test_rates_at_the_end():
    row = TABLE["end"]
    for sign, wanted in zip((1, -1), row["rates"], strict=True):
        bounds = relu_limits.bound_rates(study.BLOCKS.data, sign)
        assert sorted(wanted, key=float) == sorted(wanted)
        for (low, high, count), text in zip(bounds, wanted, strict=True):
            assert count == 1
            assert printed(text, float(low))
            assert printed(text, float(high))
    assert 2 * study.measure_end().measured == pytest.approx(float(row["seen"]), abs=row["tolerance"])


def test_rate_along_the_ray():
    """On orthonormal inputs the ray of the bundle is invariant, until slower modes surface."""
    row = TABLE["ray"]
    labels = study.UNIT.data.y[study.UNIT.data.y < 0]
    assert printed(row["rate"], 4 * np.linalg.norm(labels) / len(study.UNIT.data.y))
    network = study.UNIT
    run = network.simulate(network.random_start(0, scale=1e-6), np.linspace(60, 140, 401))
    assert study.fit_rate(run, 1e-11, 1e-6) == pytest.approx(float(row["seen"]), abs=row["tolerance"])
    slow = float(relu_limits.bound_rates(network.data, -1)[0][0])
    assert slow == pytest.approx(2 * np.linalg.norm(labels) / 4, rel=1e-9)
    assert study.fit_rate(run, 1e-17, 1e-14) < 1.3 * slow


def test_five_points_in_six_dimensions():
    row = TABLE["five"]
    roots = [float(relu_limits.find_square(study.SIX.data, s)) ** 0.5 for s in (1, -1)]
    assert [printed(text, root) for text, root in zip(row["norms"], roots, strict=True)] == [True, True]
    assert printed(row["total"], float(relu_limits.variation_norm(study.SIX.data)[0]))
    assert float(relu_limits.find_saddle_loss(study.SIX.data, (1,))) == float(row["saddle"])
    ((_, saddle, norm, *values),) = study.tabulate_ends((row["scale"],))
    assert saddle == pytest.approx(float(row["seen_saddle"]), abs=1e-6)
    assert norm == pytest.approx(float(row["seen_norm"]), abs=row["tolerance"])
    assert values[:2] == pytest.approx([float(v) for v in row["seen_values"][:2]], abs=row["tolerance"])
    assert values[2] < 0.1
    assert values[3] < 0.03


@pytest.mark.slow
def test_singular_values_beyond_two_vanish_with_the_scale():
    rows = study.tabulate_ends((1e-4, 1e-8, 1e-16, 1e-32))
    thirds = [row[5] for row in rows]
    assert all(a > 2 * b for a, b in itertools.pairwise(thirds))
    norms = [row[2] - float(relu_limits.variation_norm(study.SIX.data)[0]) for row in rows]
    assert all(a > b > -1e-9 for a, b in itertools.pairwise(norms))


@pytest.mark.slow
def test_the_authors_iteration_follows_the_flow():
    descent = study.run_descent()
    assert np.abs(descent.loss - descent.flow).max() < 5e-3
    finer = study.run_descent(step=2.5e-4, steps=80_000, every=800)
    assert np.abs(finer.loss - finer.flow).max() < 1.5e-3
