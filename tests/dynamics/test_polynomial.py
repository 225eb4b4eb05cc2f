"""Exact polynomials and systems of them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lyapflow as lf
from lyapflow.exact.multivariate import variables

NUMBERS = st.fractions(min_value=-5, max_value=5, max_denominator=6)


@settings(max_examples=40)
@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_arithmetic_agrees_with_evaluation(a, b, u, v):
    x, y = variables(["x", "y"])
    p = a * x**2 * y - (b - x) / 3 + 2 * y * (x - a)
    assert p.evaluate((u, v)) == a * u**2 * v - (b - u) / 3 + 2 * v * (u - a)
    assert (p - p) == 0
    assert not (p - p)
    assert p.derivative(0).evaluate((u, v)) == 2 * a * u * v + Fraction(1, 3) + 2 * v


def test_what_occurs_is_exact():
    x, y, z = variables(["x", "y", "z"])
    assert ((x + y) ** 2 - x**2 - y**2 - 2 * x * y + z).occurring == (2,)
    assert (x * y).degree == 2
    assert hash(x + y) == hash(y + x)


def test_floats_stand_for_their_exact_value():
    (x,) = variables(["x"])
    assert (0.1 * x).terms == {(1,): Fraction(0.1)}


@pytest.mark.parametrize(
    "wrong", [lambda x: x**-1, lambda x: x**0.5, lambda x: x / 0, lambda x: x + "y", lambda x: x + variables("ab")[0]]
)
def test_what_is_no_polynomial_is_refused(wrong):
    with pytest.raises(lf.InvalidModelError):
        wrong(variables(["x"])[0])


@pytest.mark.parametrize("names", [[], ["x", "x"], ["a b"]])
def test_names_of_variables_are_checked(names):
    with pytest.raises(lf.InvalidModelError, match="different identifiers"):
        variables(names)


def test_an_invariant_has_no_derivative():
    """Two layers of one weight each: u' = (1 - u v) v, v' = (1 - u v) u keeps u^2 - v^2."""
    system = lf.PolynomialSystem.build(["u", "v"], lambda u, v: [(1 - u * v) * v, (1 - u * v) * u])
    u, v = system.variables
    assert system.derivative_along(u**2 - v**2) == 0
    assert system.derivative_along(u**2) != 0
    assert np.allclose(system.vector_field(0, [2, 3]), [-15, -10])


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (lambda x, y: [x], "as many equations"),
        (lambda x, y: [np.sin(x), y], "polynomial"),
        (lambda x: [x], "polynomial"),
    ],
)
def test_wrong_fields_are_refused(field, message):
    with pytest.raises(lf.InvalidModelError, match=message):
        lf.PolynomialSystem.build(["x", "y"], field)
