from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyapflow.errors import InvalidModelError
from lyapflow.exact.definite import is_positive_semidefinite
from lyapflow.exact.factor import expand_squares, weighted_squares
from lyapflow.exact.matrices import quadratic_value, rank

ENTRIES = st.fractions(min_value=-5, max_value=5, max_denominator=6)


@st.composite
def symmetric(draw, size=3):
    rows = [[draw(ENTRIES) for _ in range(size)] for _ in range(size)]
    return tuple(tuple(rows[min(i, j)][max(i, j)] for j in range(size)) for i in range(size))


@given(st.lists(st.tuples(st.fractions(0, 5, max_denominator=7), st.tuples(ENTRIES, ENTRIES, ENTRIES)), max_size=4))
def test_squares_reproduce_sums_of_squares_of_any_rank(squares):
    matrix = expand_squares(squares, 3)
    found = weighted_squares(matrix)
    assert len(found) == rank(matrix)
    assert all(weight > 0 for weight, _ in found)
    z = (Fraction(2), Fraction(-3, 7), Fraction(5))
    total = sum((d * sum(a * b for a, b in zip(v, z, strict=True)) ** 2 for d, v in found), Fraction(0))
    assert total == quadratic_value(matrix, z)


@given(symmetric())
def test_squares_exist_exactly_for_semidefinite_matrices(matrix):
    if is_positive_semidefinite(matrix):
        assert expand_squares(weighted_squares(matrix), 3) == matrix
    else:
        with pytest.raises(InvalidModelError, match="positive semidefinite"):
            weighted_squares(matrix)


def test_asymmetric_matrices_are_refused():
    with pytest.raises(InvalidModelError, match="symmetric"):
        weighted_squares(((Fraction(1), Fraction(1)), (Fraction(0), Fraction(1))))


def test_a_zero_pivot_with_a_nonzero_row_is_refused():
    with pytest.raises(InvalidModelError, match="pivot 0"):
        weighted_squares(((Fraction(0), Fraction(1)), (Fraction(1), Fraction(9))))
