"""Enclosures of solutions of polynomial systems against closed forms, and where they must give up."""

from fractions import Fraction

import pytest
from flint import arb, ctx, fmpq

from lyapflow.errors import DimensionError, InvalidModelError, VerificationError
from lyapflow.exact.multivariate import variables
from lyapflow.exact.solutions import bracket_crossing, enclose_solution

X, Y = variables(["x", "y"])
(Z,) = variables(["z"])


def holds(bounds, value, width):
    """A ball of the true number lies between, and the bounds are as close together as said."""
    low, high = bounds
    with ctx.workprec(400):
        number = value()
        assert arb(fmpq(low.numerator, low.denominator)) <= number <= arb(fmpq(high.numerator, high.denominator))
    assert 0 <= high - low < width


@pytest.mark.parametrize("t", ["1/3", "1", "7", "20"])
def test_a_rotation(t):
    time = Fraction(t)
    x, y = enclose_solution([-Y, X], [1, 0], [t])[0]
    at = lambda: arb(fmpq(time.numerator, time.denominator))  # noqa: E731
    width = Fraction(1, 10**10)  # boxes grow like exp(t), as no frame turns with them
    holds(x, lambda: at().cos(), width)
    holds(y, lambda: at().sin(), width)


@pytest.mark.parametrize("start", ["1/1000000", "1/3", "2"])
def test_the_logistic_equation(start):
    x0 = Fraction(start)
    (z,) = enclose_solution([Z - Z**2], [start], [5])[0]

    def known():
        seed = arb(fmpq(x0.numerator, x0.denominator))
        return 1 / (1 + (1 / seed - 1) * arb(-5).exp())

    holds(z, known, Fraction(1, 10**18))


def test_a_blow_up_is_not_passed():
    (z,) = enclose_solution([Z**2], [1], ["99/100"])[0]
    assert z[0] <= 100 <= z[1]
    assert z[1] - z[0] < Fraction(1, 10**6)
    with pytest.raises(VerificationError, match=r"cannot be enclosed|steps led"):
        enclose_solution([Z**2], [1], [1])


def test_time_zero_and_equilibria():
    assert enclose_solution([Z - Z**2], ["1/3"], [0])[0][0][0] <= Fraction(1, 3)
    low, high = enclose_solution([Z - Z**2], [1], [50])[0][0]
    assert low <= 1 <= high
    assert high - low < Fraction(1, 10**9)


def test_crossings():
    low, high = bracket_crossing([-Z], [1], Z, "1/1024", before=8, digits=12)
    assert low < high < low * (1 + Fraction(2, 10**12))
    with ctx.workprec(200):
        ten = 10 * arb(2).log()
        assert arb(fmpq(low.numerator, low.denominator)) < ten < arb(fmpq(high.numerator, high.denominator))
    with pytest.raises(VerificationError, match="not crossed"):
        bracket_crossing([-Z], [1], Z, "1/1024", before=6)
    with pytest.raises(InvalidModelError, match="above the level"):
        bracket_crossing([-Z], [1], Z, 1, before=6)


def test_bad_input():
    with pytest.raises(DimensionError):
        enclose_solution([Y, X], [1], [1])
    with pytest.raises(InvalidModelError, match="times must"):
        enclose_solution([Z], [1], [-1])
    with pytest.raises(InvalidModelError, match="before"):
        bracket_crossing([-Z], [1], Z, "1/2", before=0)
