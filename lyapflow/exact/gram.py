"""Exact Gram matrices of data, and short bounds of their spectra: guessed in floating point, proved exactly.

Every double is a dyadic number, so products of data can be formed without rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

from flint import fmpz_mat

from ..errors import DimensionError, InvalidModelError
from .definite import is_positive_semidefinite
from .matrices import Matrix
from .rationals import simplest_near

__all__ = ["exact_gram", "find_eigenvalue_bound", "is_bounded_above", "is_bounded_below"]

_DIGITS = 7  # significant digits of a bound
_SLACKS = (*(Fraction(1, 10**k) for k in (12, 9, 6, 4, 2)), Fraction(1, 2))
_RECOGNISED = 1_000  # largest denominator at which a rational near the guess is taken for the eigenvalue itself


def exact_gram(rows: Sequence[Sequence[float]], *, name: str = "data") -> Matrix:
    r"""The matrix :math:`A^\top A` of the doubles in `rows`, exactly.

    Parameters
    ----------
    rows : sequence of sequences of float, shape (n, d)
        The matrix A, with at least one row and one column; each double stands for its exact value.
    name : str, default "data"
        Name of the parameter, for the error message.

    Returns
    -------
    Matrix, shape (d, d)
        Symmetric and positive semidefinite; every denominator is a power of two.

    Raises
    ------
    DimensionError
        If there is no entry, or the rows have different lengths.
    InvalidModelError
        If an entry is not finite.

    Notes
    -----
    Each column is scaled by a power of two until it is integral; the product is one multiplication of integer
    matrices.

    Examples
    --------
    >>> exact_gram([[0.5, 1.0], [0.0, 3.0]])
    ((Fraction(1, 4), Fraction(1, 2)), (Fraction(1, 2), Fraction(10, 1)))
    """
    lengths = {len(row) for row in rows}
    if len(lengths) != 1 or lengths == {0}:
        raise DimensionError(f"{name} must have rows of equal length, at least one; got lengths {sorted(lengths)}")
    columns = [_integral(column, name) for column in zip(*rows, strict=True)]
    d, n = len(columns), len(rows)
    transposed = fmpz_mat(d, n, [entry for entries, _ in columns for entry in entries])
    product = transposed * transposed.transpose()
    return tuple(
        tuple(Fraction(int(product[i, j]), 1 << (columns[i][1] + columns[j][1])) for j in range(d)) for i in range(d)
    )


def _integral(column: Sequence[float], name: str) -> tuple[list[int], int]:
    """The column times ``2**exponent``, integral, and the exponent."""
    try:
        ratios = [float(value).as_integer_ratio() for value in column]
    except (OverflowError, ValueError):
        raise InvalidModelError(f"{name} must have finite entries, got NaN or an infinity") from None
    exponent = max(denominator.bit_length() - 1 for _, denominator in ratios)
    return [numerator << (exponent + 1 - denominator.bit_length()) for numerator, denominator in ratios], exponent


def is_bounded_below(matrix: Matrix, bound: Fraction) -> bool:
    """Whether ``M - bound I`` is positive semidefinite, decided exactly.

    >>> is_bounded_below(((Fraction(2), Fraction(1)), (Fraction(1), Fraction(2))), Fraction(1))
    True
    """
    return is_positive_semidefinite(_shift(matrix, Fraction(1), -bound))


def is_bounded_above(matrix: Matrix, bound: Fraction) -> bool:
    """Whether ``bound I - M`` is positive semidefinite, decided exactly."""
    return is_positive_semidefinite(_shift(matrix, Fraction(-1), bound))


def _shift(matrix: Matrix, sign: Fraction, shift: Fraction) -> Matrix:
    return tuple(
        tuple(sign * v + shift if i == j else sign * v for j, v in enumerate(row)) for i, row in enumerate(matrix)
    )


def find_eigenvalue_bound(matrix: Matrix, guess: float, *, upper: bool, size: float | None = None) -> Fraction | None:
    r"""Short rational that is proved to bound every eigenvalue of a symmetric matrix, from one side.

    The guess is rounded outward to seven significant digits; where the proof fails, it is moved outward by
    :math:`10^{-12}, 10^{-9}, \dots, 1/2` times `size` and tried again.

    Parameters
    ----------
    matrix : Matrix, shape (n, n)
        Symmetric, over the rationals.
    guess : float
        The extreme eigenvalue, as floating point sees it.
    upper : bool
        Whether the bound is from above (largest eigenvalue) or from below (smallest).
    size : float, optional
        Scale of the error that the guess may have; ``abs(guess)`` by default.

    Returns
    -------
    Fraction or None
        The bound; None if every candidate fails, or the guess is not finite.

    Examples
    --------
    >>> coupled = ((Fraction(2), Fraction(1)), (Fraction(1), Fraction(1)))
    >>> find_eigenvalue_bound(coupled, 0.38196601125, upper=False)  # (3 - sqrt 5)/2
    Fraction(190983, 500000)
    """
    scale = abs(guess) if size is None else abs(size)
    if not (math.isfinite(guess) and math.isfinite(scale)):
        return None
    holds = is_bounded_above if upper else is_bounded_below
    tried: set[Fraction] = set()
    for candidate in _candidates(Fraction(guess), Fraction(scale), upper):
        if candidate not in tried and holds(matrix, candidate):
            return candidate
        tried.add(candidate)
    return None


def _candidates(guess: Fraction, size: Fraction, upper: bool) -> Iterator[Fraction]:
    if abs(guess) <= size * _SLACKS[0]:
        yield Fraction(0)
    near = simplest_near(float(guess), 1e-12)
    if near.denominator <= _RECOGNISED:
        yield near
    outward = 1 if upper else -1
    for slack in (Fraction(0), *_SLACKS):
        yield outward * _ceil_short(outward * guess + slack * size)


def _ceil_short(value: Fraction) -> Fraction:
    """Smallest number of seven significant digits that is not below `value`."""
    if not value:
        return value
    leading = len(str(abs(value.numerator))) - len(str(value.denominator))  # within one of the decimal exponent
    unit = Fraction(10) ** (leading - _DIGITS + 1)
    while abs(value) < unit * 10 ** (_DIGITS - 1):
        unit /= 10
    return math.ceil(value / unit) * unit
