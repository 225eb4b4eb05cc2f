"""Polynomials in one parameter with rational coefficients: from values and back, and their sign on an interval.

Python-flint does the arithmetic. A `Polynomial` is opaque outside this floor, as a `Dense` is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import TypeAlias

from flint import fmpq, fmpq_mat, fmpq_poly

__all__ = [
    "Polynomial",
    "bernstein_basis",
    "coefficients",
    "common_divisor",
    "common_multiple",
    "divide",
    "evaluate",
    "interpolate",
    "is_nonnegative",
    "is_positive",
    "polynomial",
    "reconstruct",
    "reduce_fraction",
    "scale",
    "spread",
    "substitute",
]

Polynomial: TypeAlias = fmpq_poly

_MOST_HALVINGS = 10


def polynomial(values: Iterable[Fraction]) -> Polynomial:
    """The polynomial with given coefficients, the lowest first."""
    return fmpq_poly([fmpq(v.numerator, v.denominator) for v in values])


def coefficients(p: Polynomial) -> tuple[Fraction, ...]:
    """Coefficients, the lowest first, without leading zeros."""
    return tuple(_fraction(c) for c in p.coeffs())


def evaluate(p: Polynomial, at: Fraction) -> Fraction:
    """The value at a point.

    >>> evaluate(polynomial([Fraction(1), Fraction(2)]), Fraction(3))
    Fraction(7, 1)
    """
    return _fraction(p(fmpq(at.numerator, at.denominator)))


def spread(count: int) -> tuple[Fraction, ...]:
    """Points between -1 and 1, without the ends, evenly.

    >>> spread(2)
    (Fraction(-1, 2), Fraction(1, 2))
    """
    return tuple(Fraction(2 * k + 1 - count, count) for k in range(count))


def interpolate(places: tuple[Fraction, ...], rows: Sequence[Sequence[Fraction]]) -> list[Polynomial]:
    """For each column of values at some places, the polynomial of least degree through them.

    >>> interpolate((Fraction(0), Fraction(1), Fraction(2)), [[Fraction(v)] for v in (1, 2, 5)])
    [x^2 + 1]
    """
    if not rows[0]:
        return []
    entries = [fmpq(v.numerator, v.denominator) for row in rows for v in row]
    found = _invert_vandermonde(places) * fmpq_mat(len(rows), len(rows[0]), entries)
    return [fmpq_poly(list(column)) for column in found.transpose().table()]


@lru_cache(maxsize=16)
def _invert_vandermonde(places: tuple[Fraction, ...]) -> fmpq_mat:
    n = len(places)
    numbers = [fmpq(s.numerator, s.denominator) for s in places]
    return fmpq_mat(n, n, [s**k for s in numbers for k in range(n)]).inv()


def reconstruct(places: tuple[Fraction, ...], values: Sequence[Fraction]) -> tuple[Polynomial, Polynomial]:
    """Numerator and denominator of the rational function of small degrees through some points.

    If there is one whose degrees add up to less than the number of places, with that of the numerator at most half of
    it, it is found (Cauchy interpolation by Euclid's algorithm); else something else is, so that the result is to be
    tried elsewhere. The denominator is monic.

    >>> reconstruct(spread(6), [1 / (2 + s) for s in spread(6)])
    (1, x + 2)
    """
    above, p = fmpq_poly([1]), interpolate(places, [[v] for v in values])[0]
    for s in places:
        above *= fmpq_poly([fmpq(-s.numerator, s.denominator), 1])
    before, q = fmpq_poly([0]), fmpq_poly([1])
    while 2 * p.degree() >= len(places):
        quotient, rest = divmod(above, p)
        above, p, before, q = p, rest, q, before - quotient * q
    return reduce_fraction(p, q)


def reduce_fraction(p: Polynomial, q: Polynomial) -> tuple[Polynomial, Polynomial]:
    """``p / q`` in lowest terms, with a monic denominator."""
    shared = p.gcd(q)
    p, q = p // shared, q // shared
    lead = q.leading_coefficient()
    return p / lead, q / lead


def common_multiple(polynomials: Iterable[Polynomial]) -> Polynomial:
    """The least common multiple, monic."""
    found = fmpq_poly([1])
    for p in polynomials:
        found = found // found.gcd(p) * p
    return found / found.leading_coefficient()


def common_divisor(polynomials: Iterable[Polynomial]) -> Polynomial:
    """The greatest common divisor, monic; zero if all are zero."""
    found = fmpq_poly([0])
    for p in polynomials:
        found = found.gcd(p)
    return found


def substitute(p: Polynomial, inner: Polynomial) -> Polynomial:
    """The composition ``p(inner(t))``."""
    return p(inner)


def scale(p: Polynomial, by: Fraction | int) -> Polynomial:
    """A multiple."""
    factor = Fraction(by)
    return p * fmpq(factor.numerator, factor.denominator)


def divide(p: Polynomial, q: Polynomial) -> Polynomial:
    """The quotient of a division without remainder.

    Raises
    ------
    ArithmeticError
        If there is a remainder.
    """
    quotient, rest = divmod(p, q)
    if rest:
        raise ArithmeticError("internal error: a polynomial division leaves a remainder")
    return quotient


def is_positive(p: Polynomial, *, at_end: bool = True) -> bool:
    """Whether a polynomial is seen to be positive for ``-1 <= t <= 1`` (``t < 1`` without `at_end`).

    By its Bernstein coefficients on ever smaller intervals, which is sufficient: on each they are nonnegative, and
    positive at its ends.

    >>> is_positive(polynomial([Fraction(2), Fraction(1)])), is_positive(polynomial([Fraction(0), Fraction(1)]))
    (True, False)
    """
    return _keeps_sign(p(fmpq_poly([-1, 2])), strict=True, at_end=at_end, depth=_MOST_HALVINGS)


def is_nonnegative(p: Polynomial) -> bool:
    """Whether a polynomial is seen to be nonnegative for ``-1 <= t <= 1``, in the same way.

    >>> is_nonnegative(polynomial([Fraction(1), Fraction(1)])), is_nonnegative(polynomial([Fraction(0), Fraction(1)]))
    (True, False)
    """
    return _keeps_sign(p(fmpq_poly([-1, 2])), strict=False, at_end=True, depth=_MOST_HALVINGS)


def _keeps_sign(p: Polynomial, *, strict: bool, at_end: bool, depth: int) -> bool:
    """The same for ``0 <= x <= 1``."""
    found = _to_bernstein(p)
    low, high = found[0], found[-1]
    if low < 0 or high < 0 or (strict and (not low or (at_end and not high))):
        return False
    if min(found) >= 0:
        return True
    if not depth:
        return False
    left, right = p(fmpq_poly([0, fmpq(1, 2)])), p(fmpq_poly([fmpq(1, 2), fmpq(1, 2)]))
    return _keeps_sign(left, strict=strict, at_end=True, depth=depth - 1) and _keeps_sign(
        right, strict=strict, at_end=at_end, depth=depth - 1
    )


def _to_bernstein(p: Polynomial) -> list[fmpq]:
    n = max(p.degree(), 0)
    return [sum((p[j] * fmpq(comb(k, j), comb(n, j)) for j in range(k + 1)), fmpq(0)) for k in range(n + 1)]


def bernstein_basis(degree: int) -> list[Polynomial]:
    """The Bernstein polynomials of a degree on [-1, 1]: nonnegative there, and their sum is 1."""
    rising, falling = fmpq_poly([fmpq(1, 2), fmpq(1, 2)]), fmpq_poly([fmpq(1, 2), fmpq(-1, 2)])
    return [comb(degree, r) * rising**r * falling ** (degree - r) for r in range(degree + 1)]


def _fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))
