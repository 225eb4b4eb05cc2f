"""Saddles of shallow ReLU networks with an affine target: reference rows, exact calculus, what is false."""

import tomllib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from examples import at_most
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

import lyapflow as lf
from lyapflow.errors import DimensionError, InvalidModelError, VerificationError
from lyapflow.exact.enclosures import enclose_eigenvalues
from lyapflow.learning import affine_relu_evidence as evidence
from lyapflow.learning_studies import affine_relu as study

TABLE = tomllib.loads((Path(__file__).parents[1] / "reference" / "affine_relu.toml").read_text())
ROWS = {row["quantity"]: row for row in TABLE["row"]}
Affine = lf.learning.AffineReLU
MODEL = Affine(2, TABLE["alpha"], TABLE["beta"])


def test_row_of_the_loss():
    row = ROWS["loss"]
    loss = MODEL.exact_loss(MODEL.zigzag(2))
    assert loss == Fraction(row["expected"]) == MODEL.alpha**2 / 972 == MODEL.critical_loss(2)
    assert abs(loss - Fraction(row["printed"])) < Fraction(1, 10**8)


def test_row_of_the_gradient():
    assert set(MODEL.exact_gradient(MODEL.zigzag(2))) == {Fraction(ROWS["gradient"]["expected"])}
    point = [float(v) for v in MODEL.zigzag(2)]
    assert np.abs(MODEL.vector_field(0, point)).max() < 4e-11


def test_row_of_the_eigenvalues():
    bounds = [b for b in enclose_eigenvalues(MODEL.exact_hessian(MODEL.zigzag(2))) for _ in range(b[2])]
    expected = sorted(ROWS["eigenvalues"]["expected"], key=float)
    assert len(bounds) == len(expected)
    for (low, high, _), printed in zip(sorted(bounds), expected, strict=True):
        unit = Fraction(1, 2 * 10 ** len(printed.partition(".")[2])) if printed != "0" else Fraction(1, 10**9)
        assert Fraction(printed) - unit <= low <= high <= Fraction(printed) + unit


def test_row_of_thresholds():
    expected = [Fraction(v) for v in ROWS["threshold, N = 1, 2, 3, 4"]["expected"]]
    assert [Affine(N, TABLE["alpha"]).threshold for N in (1, 2, 3, 4)] == expected


@at_most(20)
@given(
    x=st.lists(st.fractions(-2, 2, max_denominator=7), min_size=10, max_size=10),
    alpha=st.fractions(Fraction(1, 3), 2, max_denominator=5),
)
def test_exact_and_floating_calculus_agree(x, alpha):
    model = Affine(3, alpha, "1/3")
    state = [float(v) for v in x]
    assert model.loss(state) == pytest.approx(float(model.exact_loss(x)), rel=1e-9, abs=1e-12)
    exact = np.array([float(v) for v in model.exact_gradient(x)])
    np.testing.assert_allclose(-model.vector_field(0, state), exact, atol=1e-9)


def test_the_loss_is_the_integral(rng):
    model = Affine(3, "1.3", "0.4")
    for _ in range(5):
        x = rng.standard_normal(10)
        breaks = [-x[3 + j] / x[j] for j in range(3) if 0 < -x[3 + j] / x[j] < 1]
        known = quad(lambda t, x=x: float(model.residual(x, t)) ** 2, 0, 1, points=breaks or None)[0]
        assert model.loss(x) == pytest.approx(known, rel=1e-8)


@pytest.mark.parametrize(("N", "count"), [(2, 2), (3, 2), (4, 4), (5, 4)])
def test_zigzags_are_strict_saddles(N, count):
    model = Affine(N, "-2/3", "1/7")
    verdict = evidence.judge_zigzag(model, count)
    assert verdict.standing == "proved"
    direction, lower = evidence.find_escape(model, count)
    assert len(direction) == len(lower) == 3 * N + 1
    assert model.exact_loss(lower) < model.critical_loss(count)
    point = np.array([float(v) for v in model.zigzag(count)])
    place = np.linspace(0, 1, 2 * (count + 1) + 1)[1::2]  # the middles of the teeth
    np.testing.assert_allclose(model.residual(point, place), 0, atol=1e-14)
    ends = model.residual(point, np.arange(count + 2) / (count + 1))
    np.testing.assert_allclose(np.abs(ends), abs(2 / 3) / (2 * (count + 1) ** 2))
    assert np.all(ends[1:] * ends[:-1] < 0)


def test_printed_losses_show_what_they_say():
    for count, alpha in ((2, Fraction(1, 10**60)), (8, "1.3")):
        witness = evidence.refute_minimum(Affine(8, alpha, "1/7"), count).witness
        less, more = witness.rpartition("at most ")[2].split(" < ")
        assert Fraction(less) < Fraction(more)


def test_a_minimum_is_not_refuted():
    assert MODEL.exact_loss(MODEL.minimum()) == 0
    assert set(MODEL.exact_gradient(MODEL.minimum())) == {0}
    with pytest.raises(VerificationError):
        evidence.judge_zigzag(MODEL, 0)  # all neurons are off: no direction of negative curvature
    with pytest.raises(VerificationError, match="curvature"):
        evidence.find_escape(MODEL, 0)


def test_the_study():
    assert [v.standing for v in study.prove_all()] == ["proved"] * 3 + ["seen in simulation"]
    found = study.refute_all()
    assert [r.standing for r in found] == ["proved"] * 2
    assert "0.00173868312" in found[0].witness


def test_bad_input():
    for arguments in ((0, 1), (2, 0), (2.5, 1)):
        with pytest.raises(InvalidModelError):
            Affine(*arguments)
    for count in (1, -2, 4):
        with pytest.raises(InvalidModelError):
            MODEL.zigzag(count)
    with pytest.raises(DimensionError):
        MODEL.exact_loss([1, 2])
