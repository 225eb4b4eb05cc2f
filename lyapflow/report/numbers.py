"""How rationals are written: exactly, and as decimals that are rounded to the side on which a statement stays true."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Literal, TypeAlias

from ..errors import InvalidModelError

__all__ = [
    "Side",
    "approximate",
    "below_one",
    "is_short",
    "tex_approximate",
    "tex_decimal",
    "tex_number",
    "with_decimal",
]

Side: TypeAlias = Literal["nearest", "down", "up"]

_SHORT = 18  # characters of p/q that still fit into a formula
_PLAIN = range(-4, 12)  # decimal exponents that are written without a power of ten


def approximate(value: Fraction, *, digits: int = 6, side: Side = "nearest") -> str:
    """Decimal with that many significant digits, rounded to the given side without passing through a float.

    Parameters
    ----------
    value : Fraction
        The number.
    digits : int, default 6
        Significant digits; zeros at the end are dropped.
    side : {"nearest", "down", "up"}, default "nearest"
        Down gives a number that is not above the value, up one that is not below it.

    Examples
    --------
    >>> approximate(Fraction(2, 3)), approximate(Fraction(2, 3), side="down"), approximate(Fraction(1, 2**33))
    ('0.666667', '0.666666', '1.16415e-10')
    """
    mantissa, exponent = _significant(value, digits, side)
    if exponent in _PLAIN:
        places = max(digits - 1 - exponent, 0)
        return _trim(_fixed(mantissa * 10 ** max(exponent - digits + 1, 0), places))
    return f"{_trim(_fixed(mantissa, digits - 1))}e{exponent}"


def below_one(value: Fraction, *, digits: int = 6) -> str:
    """Decimal of a number in [0, 1), rounded up in such a way that ``1 - value`` keeps its digits: never up to 1.

    >>> (
    ...     below_one(Fraction(9, 11)),
    ...     below_one(1 - Fraction(1, 3 * 10**9)),
    ...     approximate(1 - Fraction(1, 10**9), side="up"),
    ... )
    ('0.818182', '0.999999999666667', '1')
    """
    decimal = 1 - Fraction(approximate(1 - value, digits=digits, side="down"))
    return approximate(decimal, digits=decimal.denominator.bit_length() + 1)  # all of its digits


def _significant(value: Fraction, digits: int, side: Side) -> tuple[int, int]:
    """Integer m of at most `digits` digits and exponent e with ``value`` near ``m 10**(e - digits + 1)``."""
    if value == 0:
        return 0, 0
    size = abs(value)
    exponent = len(str(size.numerator)) - len(str(size.denominator))
    if Fraction(10) ** exponent > size:
        exponent -= 1
    scaled = value / Fraction(10) ** (exponent - digits + 1)
    rounding: dict[str, Callable[[Fraction], int]] = {"nearest": round, "down": math.floor, "up": math.ceil}
    if side not in rounding:
        raise InvalidModelError(f"side must be one of {list(rounding)}, got {side!r}")
    mantissa = rounding[side](scaled)
    if abs(mantissa) == 10**digits:
        return mantissa // 10, exponent + 1
    return mantissa, exponent


def _fixed(mantissa: int, places: int) -> str:
    text = str(abs(mantissa)).rjust(places + 1, "0")
    sign = "-" if mantissa < 0 else ""
    return f"{sign}{text[: len(text) - places]}.{text[len(text) - places :]}" if places else f"{sign}{text}"


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_short(value: Fraction) -> bool:
    """Whether the exact number fits into a formula.

    >>> is_short(Fraction(7731, 10793)), is_short(Fraction(3**40, 2**60))
    (True, False)
    """
    return len(str(value)) <= _SHORT


def with_decimal(value: Fraction, *, digits: int = 6, side: Side = "nearest", decimal: str | None = None) -> str:
    """The exact number and, if it is not an integer, its decimal (or the given one): ``p/q ≈ decimal``.

    >>> with_decimal(Fraction(1, 3)), with_decimal(Fraction(1, 8)), with_decimal(Fraction(2))
    ('1/3 ≈ 0.333333', '1/8 = 0.125', '2')
    """
    if value.denominator == 1:
        return str(value)
    decimal = approximate(value, digits=digits, side=side) if decimal is None else decimal
    return f"{value} {'=' if Fraction(decimal) == value else '≈'} {decimal}"


def tex_number(value: Fraction) -> str:
    r"""The exact number in TeX, with the sign in front of the fraction.

    >>> tex_number(Fraction(-2, 3))
    '-\\frac{2}{3}'
    """
    if value.denominator == 1:
        return str(value.numerator)
    sign = "-" if value < 0 else ""
    return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def tex_approximate(value: Fraction, *, digits: int = 6, side: Side = "nearest") -> str:
    r"""The decimal in TeX, preceded by its relation to the value: ``=`` or ``\approx``."""
    return tex_decimal(value, approximate(value, digits=digits, side=side))


def tex_decimal(value: Fraction, decimal: str) -> str:
    r"""A decimal of a value in TeX, preceded by its relation to it: ``=`` or ``\approx``."""
    relation = "=" if Fraction(decimal) == value else r"\approx "
    mantissa, _, exponent = decimal.partition("e")
    return relation + (rf"{mantissa}\times 10^{{{exponent}}}" if exponent else mantissa)
