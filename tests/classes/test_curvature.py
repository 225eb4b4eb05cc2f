"""Curvature bounds are true, tight and re-provable; false ones are refused."""

import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lyapflow.classes import SmoothConvex, SmoothStronglyConvex
from lyapflow.classes.curvature import curvature
from lyapflow.errors import DimensionError, InvalidModelError
from lyapflow.exact.gram import exact_gram, find_eigenvalue_bound, is_bounded_above, is_bounded_below
from lyapflow.exact.matrices import matrix, multiply, transpose
from lyapflow.tables import read_table, standardize

DATA = Path(__file__).parents[2] / "case_studies" / "data"
entries = st.floats(-1e3, 1e3).filter(lambda v: v == 0 or abs(v) > 1e-6)
tables = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=entries)
losses = st.sampled_from(["least_squares", "logistic"])
ridges = st.fractions(0, 5, max_denominator=50)


def gram_of(data):
    exact = matrix(np.asarray(data).tolist())
    return multiply(transpose(exact), exact)


def shifted(m, factor, shift):
    return tuple(tuple(factor * v + shift * (i == j) for j, v in enumerate(row)) for i, row in enumerate(m))


@given(data=arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.floats(-1e300, 1e300)))
def test_the_gram_matrix_is_exact(data):
    assert exact_gram(data.tolist()) == gram_of(data)


@given(data=tables, loss=losses, ridge=ridges, mean=st.booleans())
def test_bounds_are_true_for_every_data(data, loss, ridge, mean):
    assume(data.any() or ridge)
    found = curvature(data, loss=loss, ridge=ridge, mean=mean)
    scale = Fraction(1, len(data)) if mean else Fraction(1)
    steepest = scale / 4 if loss == "logistic" else scale
    assert found.check()
    assert is_bounded_above(shifted(gram_of(data), steepest, ridge), found.L)
    flattest = Fraction(0) if loss == "logistic" else scale  # far away the logistic loss is flat
    assert is_bounded_below(shifted(gram_of(data), flattest, ridge), found.mu)
    assert ridge <= found.mu <= found.L


@given(seed=st.integers(0, 10**6), ridge=ridges)
def test_bounds_are_tight_and_short(seed, ridge):
    data = np.random.default_rng(seed).normal(size=(12, 4))
    found = curvature(data, ridge=ridge)
    eigenvalues = np.linalg.eigvalsh(data.T @ data / 12) + float(ridge)
    assert float(found.mu) == pytest.approx(eigenvalues[0], rel=2e-6)
    assert float(found.L) == pytest.approx(eigenvalues[-1], rel=2e-6)
    assert (found.L - ridge).denominator <= 10**7
    assert curvature(data, loss="logistic", ridge=ridge).mu == ridge


def test_simple_spectra_are_found_exactly():
    assert curvature(np.eye(3), mean=False).function_class() == SmoothStronglyConvex(1, 1)
    assert curvature([[1, 2], [2, 4]]).function_class() == SmoothConvex("25/2")
    assert curvature([[3], [4]]).function_class() == SmoothStronglyConvex("25/2", "25/2")
    assert curvature([[1, 0], [0, 3]], ridge="1/3", mean=False).function_class() == SmoothStronglyConvex("4/3", "28/3")
    assert curvature([[0.0]], ridge=2).function_class() == SmoothStronglyConvex(2, 2)


@pytest.mark.parametrize("shape", [(3, 5), (6, 4)])
def test_dependent_columns_leave_the_ridge_alone(shape, rng):
    data = rng.integers(-5, 6, size=shape).astype(float)
    data[:, -1] = data[:, 0] - data[:, 1]
    assert curvature(data).mu == 0
    assert curvature(data).check()
    assert curvature(data, ridge="1/7").mu == Fraction(1, 7)
    assert isinstance(curvature(data).function_class(), SmoothConvex)


def test_columns_dependent_up_to_rounding_leave_the_ridge_alone(rng):
    data = rng.normal(size=(20, 3))
    data[:, 2] = 0.1 * data[:, 0] + 0.7 * data[:, 1]
    assert curvature(data).mu == 0
    # the true eigenvalue, 1.2e-32, is positive and provable, but it is the rounding of the data
    assert curvature([[1.0, 1.0], [1.0, 1.0 + 2**-52]]).mu == 0


@pytest.mark.parametrize(("name", "target"), [("diabetes", "y"), ("breast_cancer", "label")])
@pytest.mark.parametrize("loss", ["least_squares", "logistic"])
@pytest.mark.parametrize("prepare", [standardize, np.array])
def test_tables_of_the_case_studies_are_quick(name, target, loss, prepare):
    data = prepare(read_table(DATA / f"{name}.csv").drop(target).values)
    start = time.perf_counter()
    found = curvature(data, loss=loss)
    assert found.check()
    assert time.perf_counter() - start < 2
    assert (found.mu > 0) == (loss == "least_squares")


def test_false_bounds_are_refused(rng):
    data = rng.normal(size=(10, 3))
    for loss in ("least_squares", "logistic"):
        found = curvature(data, loss=loss, ridge="1/10")
        assert found.check()
        forged = [
            replace(found, mu=found.mu + Fraction(1, 10**4) * found.L),
            replace(found, L=found.L * (1 - Fraction(1, 10**4))),
            replace(found, mu=Fraction(-1)),
            replace(found, ridge=Fraction(0)),
            replace(found, mean=False),
            replace(found, loss="huber"),
            replace(found, data=curvature(2 * data).data),
            replace(found, gram=curvature(data / 2).gram),
            replace(found, data=curvature(2 * data).data, gram=curvature(2 * data).gram),
        ]
        assert [f.check() for f in forged] == [False] * len(forged)
    wide = curvature(data.T, ridge="1/10")
    assert not replace(wide, mu=wide.mu + Fraction(1, 10**9)).check()


def test_a_bad_guess_is_moved_outward_and_a_hopeless_one_refused(monkeypatch, rng):
    data = rng.normal(size=(10, 3))
    svd = np.linalg.svd
    honest = curvature(data)

    def spoiled(factor):
        monkeypatch.setattr(np.linalg, "svd", lambda a, **k: svd(a, **k) * np.array([1 / factor, 1, factor]))

    spoiled(1.001)
    moved = curvature(data)
    assert moved.check()
    assert moved.mu < honest.mu
    assert honest.L * (1 - Fraction(1, 10**6)) < moved.L
    spoiled(100)
    with pytest.raises(InvalidModelError, match="common scale"):
        curvature(data)


@given(entries=arrays(np.float64, (3, 3), elements=st.integers(-9, 9).map(float)))
def test_eigenvalue_bounds_hold_from_both_sides(entries):
    m = matrix((entries + entries.T).tolist())
    eigenvalues = np.linalg.eigvalsh(entries + entries.T)
    size = float(np.abs(eigenvalues).max())
    low = find_eigenvalue_bound(m, eigenvalues[0], upper=False, size=size)
    high = find_eigenvalue_bound(m, eigenvalues[-1], upper=True, size=size)
    assert is_bounded_below(m, low)
    assert is_bounded_above(m, high)
    assert float(low) == pytest.approx(eigenvalues[0], abs=1e-5 * size)
    assert float(high) == pytest.approx(eigenvalues[-1], abs=1e-5 * size)


def test_extreme_scales_are_proved_or_refused():
    assert curvature([[1e100], [2e100]]).check()
    assert curvature([[1e-100], [2e-100]]).check()
    for scale in (1e200, 1e-200):
        with pytest.raises(InvalidModelError, match="common scale"):
            curvature([[scale]])


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ([[1.0, np.nan]], {}, "data must be finite, got nan at index \\(0, 1\\)"),
        ([[np.inf]], {}, "data must be finite"),
        ([["a"]], {}, "data must be an array of real numbers"),
        ([[1j]], {}, "data must be an array of real numbers"),
        ([[None]], {}, "data must be an array of real numbers"),
        ([[2**53 + 1]], {}, "data must be exact"),
        (np.ma.masked_invalid([[1.0, np.nan]]), {}, "mask"),
        ([[0.0]], {}, "constant"),
        ([[1.0]], {"ridge": -1}, "ridge >= 0, got ridge=-1"),
        ([[1.0]], {"ridge": float("nan")}, "curvature: ridge"),
        ([[1.0]], {"loss": "hinge"}, "loss to be one of"),
        ([[1.0]], {"mean": 1}, "mean to be True or False"),
    ],
)
def test_bad_input_is_refused(data, options, message):
    with pytest.raises(InvalidModelError, match=message):
        curvature(data, **options)


@pytest.mark.parametrize("data", [[1.0, 2.0], 3.0, [[]], [], [[[1.0]]], [[1.0, 2.0], [3.0]]])
def test_wrong_shapes_are_refused(data):
    with pytest.raises(DimensionError, match="data"):
        curvature(data)
