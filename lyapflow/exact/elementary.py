"""Rigorous bounds of roots, logarithms and powers by rationals, and what they share with other balls.

Everything here is outward rounded: a lower bound is never above the number, an upper bound never below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from math import isqrt
from threading import RLock

from flint import arb, ctx, fmpq

from ..errors import InvalidModelError
from .rationals import ceil_to

__all__ = [
    "bound_exponential_above",
    "bound_log_above",
    "bound_power_above",
    "bound_sqrt_above",
    "bound_sqrt_below",
    "exact_sqrt",
    "lower_end",
    "round_outward",
    "upper_end",
    "working_precision",
]

_BITS = 160  # working precision of the balls; results are rounded outward whatever it is
_TURN = RLock()


@contextmanager
def working_precision(bits: int = _BITS) -> Iterator[None]:
    """Balls of so many bits. flint has one precision for all threads, so they take turns."""
    with _TURN, ctx.workprec(bits):
        yield


def bound_sqrt_above(value: Fraction, *, digits: int = 12) -> Fraction:
    """Rational not below the square root of ``value >= 0``; exact where the root is rational.

    >>> bound_sqrt_above(Fraction(9, 4))
    Fraction(3, 2)
    """
    exact = exact_sqrt(value)
    if exact is not None:
        return exact
    unit = 10**digits
    return Fraction(isqrt(value.numerator * unit * unit // value.denominator) + 1, unit)


def bound_sqrt_below(value: Fraction, *, digits: int = 12) -> Fraction:
    """Rational not above the square root of ``value >= 0``; exact where the root is rational."""
    exact = exact_sqrt(value)
    if exact is not None:
        return exact
    unit = 10**digits
    return Fraction(isqrt(value.numerator * unit * unit // value.denominator), unit)


def exact_sqrt(value: Fraction) -> Fraction | None:
    """The square root where it is rational."""
    if value < 0:
        raise InvalidModelError(f"a square root needs a number >= 0, got {value}")
    root = Fraction(isqrt(value.numerator), isqrt(value.denominator))
    return root if root * root == value else None


def bound_exponential_above(value: Fraction, *, digits: int = 12) -> Fraction:
    """Rational not below the exponential of a number; exact at 0.

    >>> bound_exponential_above(Fraction(0)), 0 <= float(bound_exponential_above(Fraction(1))) - 2.718281828459 < 1e-11
    (Fraction(1, 1), True)
    """
    if not value:
        return Fraction(1)
    with working_precision():
        return ceil_to(upper_end(arb(fmpq(value.numerator, value.denominator)).exp()), digits)


def bound_log_above(value: Fraction, *, digits: int = 12) -> Fraction:
    """Rational not below the natural logarithm of ``value > 0``.

    >>> float(bound_log_above(Fraction(2))) - 0.6931471805599453 < 1e-11
    True
    """
    if value <= 0:
        raise InvalidModelError(f"a logarithm needs a number > 0, got {value}")
    with working_precision():
        ball = arb(fmpq(value.numerator, value.denominator)).log()
        return ceil_to(upper_end(ball), digits)


def bound_power_above(base: Fraction, exponent: Fraction, *, digits: int = 12) -> Fraction:
    """Rational not below ``base**exponent`` for ``base > 0``; exact for whole exponents.

    >>> bound_power_above(Fraction(2), Fraction(-2))
    Fraction(1, 4)
    >>> 0 <= float(bound_power_above(Fraction(2), Fraction(1, 2))) - 2**0.5 < 1e-11
    True
    """
    if base <= 0:
        raise InvalidModelError(f"a power needs a base > 0, got {base}")
    if exponent.denominator == 1:
        return base ** int(exponent)
    with working_precision():
        ball = arb(fmpq(base.numerator, base.denominator)) ** arb(fmpq(exponent.numerator, exponent.denominator))
        top = upper_end(ball)
    leading = (top.numerator.bit_length() - top.denominator.bit_length()) * 3 // 10  # decimal digits before the point
    return ceil_to(top, max(digits, digits - leading))


def upper_end(ball: arb) -> Fraction:
    """Right end of a ball."""
    top = ball.upper()
    mantissa, exponent = top.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def lower_end(ball: arb) -> Fraction:
    """Left end of a ball."""
    return -upper_end(-ball)


def round_outward(low: Fraction, high: Fraction, digits: int) -> tuple[Fraction, Fraction]:
    """An interval with short ends around an interval; its larger end has at least so many significant digits.

    >>> round_outward(Fraction(-2, 3), Fraction(1, 3), 2)
    (Fraction(-667, 1000), Fraction(167, 500))
    """
    size = max(abs(low), abs(high))
    places = digits
    while size and size * Fraction(10) ** places < Fraction(10) ** digits:
        places += 1
    return -ceil_to(-low, places), ceil_to(high, places)
