"""Eigenvalues counted exactly."""

from fractions import Fraction

import numpy as np
import pytest

from lyapflow.exact.inertia import count_above, count_signs
from lyapflow.exact.matrices import matrix


@pytest.mark.parametrize("n", [1, 2, 7, 45])
def test_counts(n):
    rng = np.random.default_rng(n)
    turn = np.linalg.qr(rng.standard_normal((n, n)))[0]
    M = turn * rng.uniform(-2, 2, n) @ turn.T
    M = (M + M.T) / 2
    values, vectors = np.linalg.eigh(M)
    exact = matrix(M.tolist())
    for shift in (Fraction(0), Fraction(-1, 3), Fraction(7, 4), Fraction(5)):
        assert count_above(exact, shift, vectors.tolist()) == np.count_nonzero(values > float(shift))


def test_bad_guesses_decide_nothing_wrong():
    exact = matrix(np.diag([1.0] * 20 + [-1.0] * 25).tolist())
    rng = np.random.default_rng(0)
    for guess in (np.zeros((45, 45)), np.ones((45, 45)), rng.standard_normal((45, 45))):
        assert count_above(exact, Fraction(0), guess.tolist()) in (None, 20)
    small = matrix(np.diag([1.0, -1.0]).tolist())
    assert count_above(small, Fraction(0), [[0.0, 0.0], [0.0, 0.0]]) == 1


def test_a_number_that_is_an_eigenvalue_is_not_decided():
    assert count_above(matrix([[1, 0], [0, 2]]), Fraction(1), [[1.0, 0.0], [0.0, 1.0]]) is None
    assert count_signs(matrix([[1, 0, 0], [0, -2, 0], [0, 0, 0]])) == (1, 1)
