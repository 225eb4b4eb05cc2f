"""Interior points in high precision: found where there are some, exact in the equalities, not where there are none."""

from fractions import Fraction as Q

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyapflow.exact.definite import is_positive_definite
from lyapflow.exact.dense import accumulate, dense, scalar
from lyapflow.exact.interior import find_interior_point


def forms(size, *terms):
    """Linear forms of the entries of ``sum_k y_k F_k``, row by row."""
    entries = [
        (i * size + j, k, scalar(Q(term[i][j])))
        for k, term in enumerate(terms)
        for i in range(size)
        for j in range(size)
    ]
    return size, accumulate(size**2, len(terms), entries)


def evaluate(terms, y):
    size = range(len(terms[0]))
    return tuple(tuple(sum((v * Q(t[i][j]) for v, t in zip(y, terms, strict=True)), Q(0)) for j in size) for i in size)


NO_EQUALITIES = dense([], 3)
E, X, U = ((1, 0), (0, 0)), ((0, 1), (1, 0)), ((0, 0), (0, 1))


@given(shift=st.fractions(-5, 5), exponent=st.integers(0, 40))
def test_a_thin_cone_is_entered(shift, exponent):
    """``[[a, b], [b, c]] > 0`` seen in a basis of condition 10**exponent, from a start far outside."""
    thin = Q(1, 10**exponent)
    skew = ((0, shift), (shift, 2 * shift * thin))
    found = find_interior_point([forms(2, E, X, tuple(map(tuple, U)))], NO_EQUALITIES, [Q(1), Q(3), thin])
    assert found is not None
    assert is_positive_definite(evaluate((E, X, U), found.values))
    found = find_interior_point([forms(2, E, skew, U)], NO_EQUALITIES, [Q(1), Q(1), Q(1)])
    assert found is None or is_positive_definite(evaluate((E, skew, U), found.values))


def test_equalities_hold_exactly():
    equalities = dense([[Q(1), Q(0), Q(-(10**12))]], 3)  # a = 1e12 c
    found = find_interior_point([forms(2, E, X, U)], equalities, [Q(1), Q(1), Q(1)])
    assert found.values[0] == 10**12 * found.values[2]
    assert is_positive_definite(evaluate((E, X, U), found.values))


@pytest.mark.parametrize("start", [(1, 1, 1), (1, 0, 5), (2, -7, 1)])
def test_an_empty_interior_is_not_entered(start):
    """The diagonal adds to zero: the matrix is definite nowhere."""
    equalities = dense([[Q(1), Q(0), Q(1)]], 3)
    found = find_interior_point([forms(2, E, X, U)], equalities, [Q(v) for v in start])
    assert found is None
