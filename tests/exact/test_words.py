"""Traces of rectangular products, and rules that are no equations."""

from fractions import Fraction

import pytest

from lyapflow.errors import DimensionError, InvalidModelError, VerificationError
from lyapflow.exact.identities import Identity
from lyapflow.exact.inertia import count_above
from lyapflow.exact.words import letter, rewrite, unit

A, X = letter("A", "n"), letter("X", "n", "m")
((x,),) = X.terms
ROWS = {(x, x.T): unit("n")}


def test_identities_of_different_spaces_have_different_traces():
    """From X X' = I, n x n, follows tr(X'X) = n, and not m."""
    false = Identity(name="false", statement="tr(X'X) = m", left=X.T * X, right=unit("m"), rules=ROWS, is_trace=True)
    with pytest.raises(VerificationError, match="is not proved"):
        false.prove()
    Identity(name="true", statement="tr(XX') = n", left=X * X.T, right=unit("n"), rules=ROWS, is_trace=True).prove()


def test_rules_are_equations():
    with pytest.raises(DimensionError, match="equal shapes"):
        rewrite(A, {(x,): A})
    with pytest.raises(DimensionError, match="equal shapes"):
        rewrite(A, {(x, x): A})
    with pytest.raises(InvalidModelError, match="letters on its left"):
        rewrite(A, {(): unit("n")})


def test_eigenvectors_that_are_not_finite_decide_nothing():
    matrix = ((Fraction(1), Fraction(0)), (Fraction(0), Fraction(-1)))
    assert count_above(matrix, Fraction(0), [[float("nan"), 0.0], [0.0, float("inf")]]) == 1
