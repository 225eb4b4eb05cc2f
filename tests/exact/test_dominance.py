"""Quick decisions against the characteristic polynomial, and on the matrices for which they are made."""

from fractions import Fraction

import numpy as np
import pytest
from flint import fmpz_mat
from hypothesis import given
from hypothesis import strategies as st

from lyapflow.exact.definite import (
    find_negative_direction,
    is_positive_definite,
    is_positive_semidefinite,
    measure_margin,
)
from lyapflow.exact.dominance import decide_quickly, is_dominant

numbers = st.one_of(st.integers(-3, 3), st.integers(-(10**30), 10**30))


@st.composite
def symmetric(draw):
    n = draw(st.integers(1, 6))
    upper = [[draw(numbers) for _ in range(n - i)] for i in range(n)]
    return [[upper[min(i, j)][abs(i - j)] for j in range(n)] for i in range(n)]


@st.composite
def nearly_singular(draw):
    """A Gram matrix of integers, moved by a little in one diagonal entry."""
    rows, n = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    a = fmpz_mat(rows, n, draw(st.lists(numbers, min_size=rows * n, max_size=rows * n)))
    gram = (a.transpose() * a) * 10 ** draw(st.integers(0, 40))
    k = draw(st.integers(0, n - 1))
    gram[k, k] += draw(st.integers(-1, 1))
    return [[int(v) for v in row] for row in gram.table()]


def signs(m):
    """(some eigenvalue is negative, all are positive), by the characteristic polynomial."""
    n = m.nrows()
    alternated = [c if (n - k) % 2 == 0 else -c for k, c in enumerate(m.charpoly().coeffs())]
    return any(c < 0 for c in alternated), all(c > 0 for c in alternated)


@given(st.one_of(symmetric(), nearly_singular()))
def test_whatever_is_decided_is_what_the_characteristic_polynomial_says(rows):
    m = fmpz_mat(rows)
    negative, positive = signs(m)
    verdict = decide_quickly(m)
    assert positive or not verdict.definite
    assert negative or verdict.direction is None
    if verdict.direction is not None:
        z = fmpz_mat(1, len(rows), verdict.direction)
        assert (z * m * z.transpose())[0, 0] < 0


@given(symmetric())
def test_dominance_is_sufficient(rows):
    m = fmpz_mat(rows)
    if is_dominant(m):
        assert signs(m) == (False, True)


def random_matrix(n, smallest, seed=0):
    """Eigenvalues from `smallest` to 1 in a random orthonormal basis, as rationals with denominator 2**80."""
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    values = np.geomspace(abs(smallest), 1, n)
    values[0] = smallest
    m = (q * values) @ q.T
    return [
        [Fraction(round(Fraction((a + b) / 2) * 2**80), 2**80) for a, b in zip(x, y, strict=True)]
        for x, y in zip(m, m.T, strict=True)
    ]


@pytest.mark.parametrize("n", [30, 64])
@pytest.mark.parametrize("smallest", [1e-3, 1e-12])
def test_ordinary_matrices_are_decided(n, smallest):
    for value in (smallest, -smallest):
        rows = random_matrix(n, value)
        verdict = decide_quickly(fmpz_mat([[int(v * 2**80) for v in row] for row in rows]))
        assert verdict.definite == (value > 0)
        assert (verdict.direction is not None) == (value < 0)


@pytest.mark.parametrize("smallest", [1e-6, -1e-6, 1e-15])
def test_large_rational_matrices_with_unrelated_rows(smallest):
    """The clearing of denominators comes first, and the direction is taken back through it."""
    n = 32
    scales = [Fraction(2 * i + 1, 7) for i in range(n)]
    rows = random_matrix(n, smallest)
    m = tuple(tuple(v * a * b for v, b in zip(row, scales, strict=True)) for row, a in zip(rows, scales, strict=True))
    direction = find_negative_direction(m)
    assert is_positive_semidefinite(m) == is_positive_definite(m) == (direction is None)
    if abs(smallest) > 1e-12:
        assert (direction is None) == (smallest > 0)
    if direction is not None:
        assert (
            sum(a * v * b for a, row in zip(direction, m, strict=True) for v, b in zip(row, direction, strict=True)) < 0
        )


def test_rows_of_zeros_do_not_count():
    n = 32
    for smallest in (1e-6, -1e-6):
        rows = random_matrix(n, smallest)
        m = (*((*row, Fraction(0)) for row in rows), (Fraction(0),) * (n + 1))
        assert is_positive_semidefinite(m) == (smallest > 0)
        assert not is_positive_definite(m)
        direction = find_negative_direction(m)
        assert (direction is None) == (smallest > 0)
        assert direction is None or len(direction) == n + 1


@pytest.mark.parametrize("smallest", [3e-2, 1e-7, -1e-7])
def test_the_margin_of_a_large_matrix(smallest):
    rows = tuple(tuple(3 * v for v in row) for row in random_matrix(32, smallest))

    def holds(shift):
        return is_positive_semidefinite(
            tuple(tuple(v - shift * (i == j) for j, v in enumerate(row)) for i, row in enumerate(rows))
        )

    margin = measure_margin(rows)
    assert (margin > 0) == (smallest > 0)
    if margin:
        assert holds(margin)
        assert not holds(2 * margin)
        assert margin <= 3 * smallest < 2.01 * margin


def test_large_singular_matrices_are_decided_too():
    n = 31
    ones = tuple((Fraction(1),) * n for _ in range(n))
    assert is_positive_semidefinite(ones)
    assert not is_positive_definite(ones)
    assert find_negative_direction(ones) is None
    moved = tuple(tuple(v - Fraction(i == j == n - 1, 10**50) for j, v in enumerate(r)) for i, r in enumerate(ones))
    assert not is_positive_semidefinite(moved)
    assert find_negative_direction(moved) is not None


def test_entries_beyond_the_range_of_floats():
    huge = 10**400
    assert decide_quickly(fmpz_mat([[huge, 1], [1, 1]])).definite
    assert decide_quickly(fmpz_mat([[1, huge], [huge, 1]])).direction is not None
    assert decide_quickly(fmpz_mat([[0, 0], [0, 1]])).direction is None
    assert not decide_quickly(fmpz_mat([[0, 0], [0, 1]])).definite
