"""Definiteness against minors, Gram matrices and congruences; witnesses; margins."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyapflow.errors import InvalidModelError
from lyapflow.exact.definite import (
    find_negative_direction,
    is_positive_definite,
    is_positive_semidefinite,
    measure_margin,
)
from lyapflow.exact.matrices import multiply, quadratic_value, transpose

small = st.fractions(-4, 4, max_denominator=6)
integers = st.integers(-3, 3).map(Fraction)
entries = st.one_of(integers, small)
sizes = st.integers(1, 5)


@st.composite
def symmetric(draw, sizes=sizes, numbers=entries):
    n = draw(sizes)
    upper = [[draw(numbers) for _ in range(n - i)] for i in range(n)]
    return tuple(tuple(upper[min(i, j)][abs(i - j)] for j in range(n)) for i in range(n))


@st.composite
def rectangles(draw, numbers=entries):
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    return tuple(tuple(draw(numbers) for _ in range(columns)) for _ in range(rows))


def determinant(m):
    """By permutations, from the definition."""
    total = Fraction(0)
    for order in itertools.permutations(range(len(m))):
        inversions = sum(a > b for a, b in itertools.combinations(order, 2))
        product = Fraction((-1) ** inversions)
        for i, j in enumerate(order):
            product *= m[i][j]
        total += product
    return total


def minor(m, rows):
    return determinant([[m[i][j] for j in rows] for i in rows])


def subsets(n):
    return (rows for size in range(1, n + 1) for rows in itertools.combinations(range(n), size))


@given(symmetric(sizes=st.integers(2, 3)))
def test_agrees_with_minors(m):
    n = len(m)
    assert is_positive_semidefinite(m) == all(minor(m, rows) >= 0 for rows in subsets(n))
    assert is_positive_definite(m) == all(minor(m, range(k)) > 0 for k in range(1, n + 1))


@given(a=st.fractions(), b=st.fractions(), c=st.fractions())
def test_agrees_with_minors_for_any_two_by_two(a, b, c):
    m = ((a, b), (b, c))
    assert is_positive_definite(m) == (a > 0 and a * c - b * b > 0)
    assert is_positive_semidefinite(m) == (a >= 0 and c >= 0 and a * c - b * b >= 0)


@given(rectangles())
def test_gram_matrices_are_semidefinite(a):
    gram = multiply(transpose(a), a)
    assert is_positive_semidefinite(gram)
    assert find_negative_direction(gram) is None
    assert not is_positive_definite(gram) or len(a) >= len(a[0])


@given(rectangles(), st.integers(0, 60))
def test_a_tiny_subtraction_from_a_singular_gram_matrix_is_seen(a, exponent):
    gram = multiply(transpose(a), a)
    if not is_positive_definite(gram):
        shift = Fraction(1, 10**exponent)
        moved = tuple(tuple(v - shift * (i == j) for j, v in enumerate(row)) for i, row in enumerate(gram))
        assert not is_positive_semidefinite(moved)


@given(symmetric())
def test_a_witness_is_negative_and_there_is_one_iff_not_semidefinite(m):
    z = find_negative_direction(m)
    assert (z is None) == is_positive_semidefinite(m)
    if z is not None:
        assert sum(z[i] * m[i][j] * z[j] for i in range(len(m)) for j in range(len(m))) < 0


@given(symmetric(sizes=st.integers(1, 4)), st.lists(st.fractions("1/9", 9), min_size=4, max_size=4))
def test_a_congruence_changes_no_verdict(m, scales):
    moved = tuple(tuple(v * scales[i] * scales[j] for j, v in enumerate(row)) for i, row in enumerate(m))
    assert is_positive_semidefinite(moved) == is_positive_semidefinite(m)
    assert is_positive_definite(moved) == is_positive_definite(m)


@given(symmetric(sizes=st.integers(1, 3), numbers=st.fractions(-50, 50)))
def test_the_margin_is_the_largest_power_of_two(m):
    def holds(shift):
        return is_positive_semidefinite(
            tuple(tuple(v - shift * (i == j) for j, v in enumerate(row)) for i, row in enumerate(m))
        )

    margin = measure_margin(m)
    if margin == 0:
        assert not holds(Fraction(1, 2**60))
    else:
        assert max(margin.numerator, margin.denominator).bit_count() == 1 == min(margin.numerator, margin.denominator)
        assert holds(margin)
        assert margin == 2**60 or not holds(2 * margin)


def test_margins_at_the_ends_of_the_scale():
    assert measure_margin(()) == 0
    assert measure_margin(((Fraction(2**70),),)) == 2**60
    assert measure_margin(((Fraction(1, 2**60),),)) == Fraction(1, 2**60)
    assert measure_margin(((Fraction(1, 2**61),),)) == 0
    assert measure_margin(((Fraction(0),),)) == 0


def test_empty_and_zero_matrices():
    zero = ((Fraction(0),) * 3,) * 3
    assert is_positive_semidefinite(())
    assert is_positive_definite(())
    assert is_positive_semidefinite(zero)
    assert not is_positive_definite(zero)
    assert find_negative_direction(()) is None


@pytest.mark.parametrize("decide", [is_positive_semidefinite, is_positive_definite, find_negative_direction])
@pytest.mark.parametrize(
    "m", [((1, 2), (3, 1)), ((1, 2),), ((1,), (2,)), ((1, 0), (0,))], ids=["not symmetric", "wide", "tall", "ragged"]
)
def test_what_is_not_symmetric_is_refused(decide, m):
    with pytest.raises(InvalidModelError, match="must be"):
        decide(tuple(tuple(map(Fraction, row)) for row in m))


def test_one_part_in_ten_to_the_hundred_decides():
    eps = Fraction(1, 10**100)
    one = Fraction(1)
    assert is_positive_semidefinite(((one, one), (one, one)))
    assert not is_positive_semidefinite(((one, one), (one, one - eps)))
    assert is_positive_definite(((one, one), (one, one + eps)))
    z = find_negative_direction(((one, one), (one, one - eps)))
    assert quadratic_value(((one, one), (one, one - eps)), z) < 0
