"""Rigorous enclosures of irrational numbers by rationals: roots, logarithms, eigenvalues.

Everything here is outward rounded: a lower bound is never above the number, an upper bound never below it.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import isqrt, lcm
from typing import cast

from flint import acb, arb, ctx, fmpq, fmpq_mat, fmpz_poly

from ..errors import InvalidModelError
from .matrices import Matrix, to_flint
from .rationals import ceil_to

__all__ = [
    "bound_abscissa",
    "bound_log_above",
    "bound_sqrt_above",
    "bound_sqrt_below",
    "count_eigenvalues_above",
    "enclose_eigenvalues",
]

_BITS = 160  # working precision of the balls; results are rounded outward whatever it is


def bound_sqrt_above(value: Fraction, *, digits: int = 12) -> Fraction:
    """Rational not below the square root of ``value >= 0``; exact where the root is rational.

    >>> bound_sqrt_above(Fraction(9, 4))
    Fraction(3, 2)
    """
    exact = _exact_sqrt(value)
    if exact is not None:
        return exact
    unit = 10**digits
    return Fraction(isqrt(value.numerator * unit * unit // value.denominator) + 1, unit)


def bound_sqrt_below(value: Fraction, *, digits: int = 12) -> Fraction:
    """Rational not above the square root of ``value >= 0``; exact where the root is rational."""
    exact = _exact_sqrt(value)
    if exact is not None:
        return exact
    unit = 10**digits
    return Fraction(isqrt(value.numerator * unit * unit // value.denominator), unit)


def _exact_sqrt(value: Fraction) -> Fraction | None:
    if value < 0:
        raise InvalidModelError(f"a square root needs a number >= 0, got {value}")
    root = Fraction(isqrt(value.numerator), isqrt(value.denominator))
    return root if root * root == value else None


def bound_log_above(value: Fraction, *, digits: int = 12) -> Fraction:
    """Rational not below the natural logarithm of ``value > 0``.

    >>> float(bound_log_above(Fraction(2))) - 0.6931471805599453 < 1e-11
    True
    """
    if value <= 0:
        raise InvalidModelError(f"a logarithm needs a number > 0, got {value}")
    with ctx.workprec(_BITS):
        ball = arb(fmpq(value.numerator, value.denominator)).log()
        return ceil_to(_upper(ball), digits)


def _upper(ball: arb) -> Fraction:
    top = ball.upper()
    mantissa, exponent = top.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def _lower(ball: arb) -> Fraction:
    return -_upper(-ball)


def _characteristic(matrix: Matrix) -> fmpz_poly:
    """Integer polynomial with the roots of the characteristic polynomial."""
    coefficients = to_flint(matrix).charpoly().coeffs()
    clear = lcm(*(int(c.q) for c in coefficients))
    return fmpz_poly([int(c.p) * (clear // int(c.q)) for c in coefficients])


def count_eigenvalues_above(matrix: Matrix, bound: Fraction) -> int:
    """Number of eigenvalues of a symmetric matrix that are greater than `bound`, with multiplicity, exactly.

    The characteristic polynomial is real-rooted, so Descartes' rule of signs, after the shift, counts exactly.

    >>> count_eigenvalues_above(((Fraction(2), Fraction(0)), (Fraction(0), Fraction(1))), Fraction(1))
    1
    """
    n = len(matrix)
    shift = fmpq(bound.numerator, bound.denominator)
    moved = to_flint(matrix) - fmpq_mat(n, n, [shift if i == j else fmpq(0) for i in range(n) for j in range(n)])
    signs = [1 if c > 0 else -1 for c in moved.charpoly().coeffs() if c != 0]
    return sum(a != b for a, b in pairwise(signs))


def enclose_eigenvalues(matrix: Matrix, *, digits: int = 15) -> tuple[tuple[Fraction, Fraction, int], ...]:
    """Disjoint rational intervals that together hold every eigenvalue of a symmetric matrix.

    Parameters
    ----------
    matrix : Matrix, shape (n, n)
        Symmetric, over the rationals.
    digits : int, default 15
        Relative width of the intervals is about ``10**-digits``; a rational eigenvalue that short gets a point.

    Returns
    -------
    tuple of (low, high, multiplicity)
        In increasing order; ``low <= high`` and the multiplicities add up to n.

    Examples
    --------
    >>> enclose_eigenvalues(((Fraction(2), Fraction(0)), (Fraction(0), Fraction(1))))
    ((Fraction(1, 1), Fraction(1, 1), 1), (Fraction(2, 1), Fraction(2, 1), 1))
    """
    polynomial = _characteristic(matrix)
    found: list[tuple[Fraction, Fraction, int]] = []
    with ctx.workprec(_BITS):
        for factor, multiplicity in polynomial.factor()[1]:
            if factor.degree() == 1:
                root = Fraction(-int(factor[0]), int(factor[1]))
                found.append((root, root, multiplicity))
                continue
            for part, repeated in _real_parts(factor):
                found.append((*_round_outward(_lower(part), _upper(part), digits), multiplicity * repeated))
    return _merge(sorted(found))


def _real_parts(factor: fmpz_poly) -> list[tuple[arb, int]]:
    """Balls around the real parts of the roots, with multiplicities."""
    roots = cast(list[tuple[acb, int]], factor.complex_roots())  # the stub leaves out the multiplicities
    return [(root.real, multiplicity) for root, multiplicity in roots]


def _round_outward(low: Fraction, high: Fraction, digits: int) -> tuple[Fraction, Fraction]:
    size = max(abs(low), abs(high))
    places = digits
    while size and size * Fraction(10) ** places < Fraction(10) ** digits:
        places += 1
    return -ceil_to(-low, places), ceil_to(high, places)


def _merge(intervals: list[tuple[Fraction, Fraction, int]]) -> tuple[tuple[Fraction, Fraction, int], ...]:
    merged: list[tuple[Fraction, Fraction, int]] = []
    for low, high, multiplicity in intervals:
        if merged and low <= merged[-1][1]:
            before = merged.pop()
            merged.append((before[0], max(before[1], high), before[2] + multiplicity))
        else:
            merged.append((low, high, multiplicity))
    return tuple(merged)


def bound_abscissa(matrix: Matrix, *, digits: int = 12) -> tuple[Fraction, Fraction]:
    """Lower and upper bound of the spectral abscissa ``max Re eig`` of a rational matrix.

    Examples
    --------
    >>> bound_abscissa(((Fraction(-3), Fraction(1)), (Fraction(0), Fraction(-1))))
    (Fraction(-1, 1), Fraction(-1, 1))
    """
    lows: list[Fraction] = []
    highs: list[Fraction] = []
    with ctx.workprec(_BITS):
        for factor, _ in _characteristic(matrix).factor()[1]:
            if factor.degree() == 1:
                root = Fraction(-int(factor[0]), int(factor[1]))
                lows.append(root)
                highs.append(root)
                continue
            for part, _ in _real_parts(factor):
                low, high = _round_outward(_lower(part), _upper(part), digits)
                lows.append(low)
                highs.append(high)
    return max(lows), max(highs)
