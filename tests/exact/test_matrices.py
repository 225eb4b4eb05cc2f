"""Exact matrices: reduction, rank and inverse against their definitions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyapflow.errors import DimensionError, InvalidModelError
from lyapflow.exact.dense import dense, fraction, reduced_rows
from lyapflow.exact.matrices import (
    identity,
    inverse,
    kronecker,
    matrix,
    multiply,
    rank,
    shape,
    transpose,
)

numbers = st.one_of(st.integers(-2, 2).map(Fraction), st.fractions(-5, 5, max_denominator=7))


@st.composite
def matrices(draw, square=False):
    rows = draw(st.integers(1, 4))
    columns = rows if square else draw(st.integers(1, 5))
    return tuple(tuple(draw(numbers) for _ in range(columns)) for _ in range(rows))


def slow_rank(m):
    rows, found = [list(row) for row in m], 0
    for j in range(len(rows[0])):
        pivot = next((i for i in range(found, len(rows)) if rows[i][j]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for i in range(found + 1, len(rows)):
            factor = rows[i][j] / rows[found][j]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[found], strict=True)]
        found += 1
    return found


@given(matrices())
def test_reduced_rows(m):
    rows = [tuple(map(fraction, row)) for row in reduced_rows(dense(m, len(m[0])))]
    pivots = [next(j for j, v in enumerate(row) if v) for row in rows]
    assert len(rows) == len(pivots) == rank(m) == slow_rank(m) == rank(transpose(m))
    assert list(pivots) == sorted(set(pivots))
    for k, (row, pivot) in enumerate(zip(rows, pivots, strict=True)):
        assert row[pivot] == 1
        assert not any(row[:pivot])
        assert all(other[pivot] == 0 for i, other in enumerate(rows) if i != k)
    for row in m:  # each row is the combination of the reduced ones that its pivot entries say
        parts = list(zip(pivots, rows, strict=True))
        assert row == tuple(sum((row[p] * r[j] for p, r in parts), Fraction(0)) for j in range(len(row)))


@given(matrices(square=True))
def test_inverse(m):
    n = len(m)
    if slow_rank(m) < n:
        with pytest.raises(InvalidModelError, match="invertible"):
            inverse(m)
    else:
        assert multiply(m, inverse(m)) == multiply(inverse(m), m) == identity(n)


@given(matrices(), matrices())
def test_product_and_kronecker_against_their_sums(a, b):
    assert kronecker(a, b) == tuple(
        tuple(a[i // len(b)][j // len(b[0])] * b[i % len(b)][j % len(b[0])] for j in range(len(a[0]) * len(b[0])))
        for i in range(len(a) * len(b))
    )
    if len(a[0]) != len(b):
        with pytest.raises(DimensionError, match="inner dimensions"):
            multiply(a, b)
    else:
        assert multiply(a, b) == tuple(
            tuple(sum((a[i][k] * b[k][j] for k in range(len(b))), Fraction(0)) for j in range(len(b[0])))
            for i in range(len(a))
        )


def test_arrays_of_64_bit_integers_do_not_wrap_around():
    m = matrix(np.array([[2**62, 0], [0, 2**62]]))
    assert multiply(m, m)[0][0] == 2**124


def test_a_scalar_is_one_by_one():
    assert matrix("1/3") == matrix([["1/3"]]) == ((Fraction(1, 3),),)
    assert shape(matrix([])) == (0, 0)


@pytest.mark.parametrize(
    "values", [[1, 2], "abc", [["x"]], [[None]], [[1], [1, 2]], [[[1]]], None, [[float("nan")]], [[True]]]
)
def test_what_is_no_matrix_is_refused_by_name(values):
    with pytest.raises(InvalidModelError, match="A"):
        matrix(values, name="A")
