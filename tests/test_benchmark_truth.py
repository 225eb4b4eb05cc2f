"""The judge of the benchmarks: closed forms on one side, claims a hair off them on the other."""

from fractions import Fraction

import pytest

from benchmarks.problems import METHODS, SWEPT, make_problem, row
from benchmarks.truth import is_refuted, iteration, largest_radius, true_gap

HAIR = Fraction(1, 10**12)


@pytest.mark.parametrize("method", SWEPT)
@pytest.mark.parametrize("condition", [1.26, 10.0, 1e4, 1e8])
def test_the_best_factor_stands_and_one_a_hair_smaller_falls(method, condition):
    """The closed form is attained by a quadratic: the judge refutes below it and nothing above."""
    problem = make_problem(method, condition)
    gap = true_gap(problem)
    assert not is_refuted(problem, (1 - gap) ** 2 * (1 + HAIR))
    assert is_refuted(problem, (1 - gap * (1 + Fraction(1, 10**6))) ** 2)


def test_closed_forms():
    """Gradient descent (kappa-1)/(kappa+1); Douglas-Rachford and triple momentum in sqrt(kappa)."""
    assert float(1 - true_gap(make_problem("gradient descent", 10.0))) == pytest.approx(9 / 11, rel=1e-15)
    assert float(1 - true_gap(make_problem("Douglas-Rachford", 4.0))) == pytest.approx(2 / 3, rel=1e-15)
    assert float(1 - true_gap(make_problem("triple momentum", 4.0))) == pytest.approx(1 / 2, rel=1e-15)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_refuted_is_below_the_slowest_quadratic(method):
    """The radius is a float, and at a double root (Nesterov, triple momentum) it has half of the digits."""
    (problem,) = row(method, 0, 1)
    squared = Fraction(largest_radius(problem)) ** 2
    assert is_refuted(problem, squared * (1 - Fraction(1, 10**7)))
    assert not is_refuted(problem, squared * (1 + Fraction(1, 10**7)))
    assert is_refuted(problem, Fraction(0))
    assert not is_refuted(problem, Fraction(1))


def test_one_step_of_chambolle_pock_by_hand():
    """f = x^2 / 2, g = y^2 / 2, steps 1/2: both proxes, of f and of the conjugate of g, divide by 3/2."""
    M = iteration(make_problem("Chambolle-Pock", 10.0), Fraction(1), Fraction(1, 3))  # the prox of g with step 2
    x, y = Fraction(3), Fraction(5)
    new = (x - y / 2) / Fraction(3, 2)
    dual = (y + (2 * new - x) / 2) / Fraction(3, 2)
    assert [M[0][0] * x + M[0][1] * y, M[1][0] * x + M[1][1] * y] == [new, dual]
