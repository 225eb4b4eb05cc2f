r"""How many eigenvalues of a symmetric matrix are above a rational number, exactly.

For nonsingular T, the matrix :math:`T^\top(M - sI)T` has as many positive eigenvalues as M has eigenvalues above s
(Sylvester). With T from floating point, nearly the eigenvectors, it is nearly diagonal. It is formed in integers; if
it is strictly diagonally dominant, it is nonsingular, T with it, and the signs of its diagonal count its eigenvalues
(Gershgorin). Small matrices that are singular, or are not decided so, go through the characteristic polynomial, all of
whose roots are real: by Descartes' rule the changes of sign count the positive ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import isfinite

from flint import fmpq_mat, fmpz, fmpz_mat

from .dominance import is_dominant
from .matrices import Matrix, to_flint

__all__ = ["count_above", "count_signs"]

_BITS = 52
_SMALL = 40
"""Up to this size the characteristic polynomial is quick."""


def count_above(matrix: Matrix, shift: Fraction, guess: Sequence[Sequence[float]]) -> int | None:
    """Number of eigenvalues above a number that is not one; None if it is not decided.

    Parameters
    ----------
    matrix : Matrix, shape (n, n)
        Symmetric, over the rationals.
    shift : Fraction
        The number.
    guess : sequence of sequence of float, shape (n, n)
        Approximate eigenvectors in the columns. Nothing is taken on trust: bad ones decide nothing.

    Examples
    --------
    >>> third = Fraction(1, 3)
    >>> count_above(((third, Fraction(0)), (Fraction(0), -third)), Fraction(1, 4), [[1.0, 0.0], [0.0, 1.0]])
    1
    """
    n = len(matrix)
    shifted = to_flint(
        tuple(tuple(v - shift if i == j else v for j, v in enumerate(row)) for i, row in enumerate(matrix))
    )
    if not all(isfinite(v) for row in guess for v in row):
        return _count_small(shifted)
    cleared, _ = shifted.numer_denom()
    turn = fmpz_mat(n, n, [round(v * 2**_BITS) for row in guess for v in row])
    product = turn.transpose() * cleared * turn
    # Powers of two for the columns of T bring the diagonal to about one size.
    sizes = [abs(int(product[i, i])).bit_length() // 2 for i in range(n)]
    top = max(sizes)
    scaled = fmpz_mat(
        n,
        n,
        [product[i, j] * fmpz(2) ** (2 * top - sizes[i] - sizes[j]) for i in range(n) for j in range(n)],
    )
    dominant = fmpz_mat(n, n, [abs(v) if k % (n + 1) == 0 else v for k, v in enumerate(scaled.entries())])
    if is_dominant(dominant):
        return sum(product[i, i] > 0 for i in range(n))
    return _count_small(shifted)


def _count_small(shifted: fmpq_mat) -> int | None:
    positive, zero = count_signs(shifted) if shifted.nrows() <= _SMALL else (0, 1)
    return None if zero else positive


def count_signs(matrix: Matrix | fmpq_mat) -> tuple[int, int]:
    """Numbers of positive and of zero eigenvalues of a symmetric rational matrix, by Descartes' rule.

    >>> count_signs(((Fraction(1), Fraction(1)), (Fraction(1), Fraction(1))))
    (1, 1)
    """
    m = matrix if isinstance(matrix, fmpq_mat) else to_flint(matrix)
    signs = [1 if c > 0 else -1 for c in m.charpoly().coeffs() if c != 0]
    zero = next(i for i, c in enumerate(m.charpoly().coeffs()) if c != 0)
    return sum(a != b for a, b in pairwise(signs)), zero
