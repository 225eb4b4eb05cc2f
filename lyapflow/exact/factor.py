"""Exact factorization of positive semidefinite matrices: a quadratic form as a weighted sum of squares."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..errors import InvalidModelError
from .matrices import Matrix, Vector

__all__ = ["expand_squares", "weighted_squares"]


def weighted_squares(matrix: Matrix) -> tuple[tuple[Fraction, Vector], ...]:
    r"""Weights :math:`d_i > 0` and vectors :math:`l_i` with :math:`z^\top M z = \sum_i d_i\,(l_i\cdot z)^2`.

    The factorization :math:`M = L D L^\top` without pivoting, the singular case included: where a pivot is zero its row
    must vanish, and it gives no square. As many squares as the rank; the first nonzero entry of each vector is 1.

    Parameters
    ----------
    matrix : Matrix, shape (n, n)
        Symmetric and positive semidefinite, over the rationals.

    Returns
    -------
    tuple of (Fraction, Vector)
        Weight and vector of each square. That they reproduce the matrix exactly has been checked.

    Raises
    ------
    InvalidModelError
        If the matrix is not symmetric and positive semidefinite: then there is no such sum.

    Examples
    --------
    >>> weighted_squares(((Fraction(4), Fraction(-2)), (Fraction(-2), Fraction(1))))
    ((Fraction(4, 1), (Fraction(1, 1), Fraction(-1, 2))),)
    """
    n = len(matrix)
    if any(len(row) != n for row in matrix) or any(matrix[i][j] != matrix[j][i] for i in range(n) for j in range(i)):
        raise InvalidModelError("a sum of squares needs a symmetric matrix")
    rest = [list(row) for row in matrix]
    found: list[tuple[Fraction, Vector]] = []
    for k in range(n):
        pivot = rest[k][k]
        if pivot < 0 or (pivot == 0 and any(rest[k])):
            raise InvalidModelError(f"a sum of squares needs a positive semidefinite matrix, but pivot {k} is {pivot}")
        if pivot == 0:
            continue
        row = tuple(Fraction(v) / pivot for v in rest[k])
        found.append((pivot, row))
        for i in range(k, n):
            if row[i]:
                for j in range(k, n):
                    rest[i][j] -= pivot * row[i] * row[j]
    if expand_squares(found, n) != matrix:
        raise ArithmeticError("internal error: the squares do not add up to the matrix")
    return tuple(found)


def expand_squares(squares: Sequence[tuple[Fraction, Vector]], size: int) -> Matrix:
    """The matrix of a weighted sum of squares: the inverse of `weighted_squares`.

    >>> expand_squares([(Fraction(4), (Fraction(1), Fraction(-1, 2)))], 2)[1]
    (Fraction(-2, 1), Fraction(1, 1))
    """
    return tuple(
        tuple(sum((d * row[i] * row[j] for d, row in squares), Fraction(0)) for j in range(size)) for i in range(size)
    )
