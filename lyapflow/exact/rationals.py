"""The only door into exact arithmetic: numbers become ``Fraction`` over Python integers.

Lives here: reading and writing rationals, the simplest rational in an interval. Called by every floor.
"""

from __future__ import annotations

import math
import re
from decimal import Context, Decimal
from fractions import Fraction
from numbers import Integral, Rational, Real

from flint import fmpz

from ..errors import InvalidModelError

__all__ = [
    "MOST_DIGITS",
    "as_text",
    "ceil_to",
    "convergent_near",
    "floor_to",
    "rational",
    "round_down",
    "round_up",
    "shorten",
    "show_above",
    "show_below",
    "simplest_between",
    "simplest_near",
]

# A number longer than this is junk or an attack, not a model parameter: refuse before converting it. The limit is below
# the 4300 digits that Python converts, so whatever is let in can be written again.
MOST_DIGITS = 4_000
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\s*/\s*\d+|(?:\d+\.?\d*|\.\d+)(?:[eE](?P<exponent>[+-]?\d+))?)\s*", re.ASCII)


def rational(value: object, *, name: str = "value") -> Fraction:
    """Exact rational value of a number, as a `Fraction` over Python integers.

    Parameters
    ----------
    value : int, Fraction, float, str or NumPy scalar
        A finite real number. A float stands for its exact dyadic value; a string (``"1/3"``,
        ``"0.1"``, ``"1e-3"``) for the decimal or quotient that is written.
    name : str, default "value"
        Name of the parameter, for the error message.

    Returns
    -------
    Fraction
        The number itself; nothing is rounded.

    Raises
    ------
    InvalidModelError
        If the value is not a finite real number, or has more than 4000 digits.

    Notes
    -----
    ``Fraction(np.int64(2**62)) * 4`` is 0, because `Fraction` keeps the 64-bit numerator. Every number is
    therefore rebuilt from Python integers here, and nowhere else.

    Examples
    --------
    >>> rational("1/3")
    Fraction(1, 3)
    >>> rational(0.1) == Fraction(1, 10)
    False
    """
    if type(value) is Fraction and type(value.numerator) is int and type(value.denominator) is int:
        return value
    if type(value) is int:
        return Fraction(value)
    if type(value) is float and math.isfinite(value):
        return Fraction(*value.as_integer_ratio())
    if isinstance(value, bool) or type(value).__name__ in {"bool", "bool_"}:
        pass
    elif isinstance(value, str):
        return _from_text(value, name)
    elif isinstance(value, Integral):
        return Fraction(int(value))
    elif isinstance(value, Rational):
        return Fraction(int(value.numerator), int(value.denominator))
    elif isinstance(value, Real) and math.isfinite(value):
        ratio = getattr(value, "as_integer_ratio", None)
        if ratio is not None:
            numerator, denominator = ratio()
            return Fraction(int(numerator), int(denominator))
    raise InvalidModelError(f"{name} must be a finite real number, got {_shorten(value)}")


def _from_text(text: str, name: str) -> Fraction:
    if len(text) > MOST_DIGITS:
        raise InvalidModelError(f"{name} must have at most {MOST_DIGITS} digits, got a text of {len(text)} characters")
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise InvalidModelError(f"{name} must be a finite real number, got {_shorten(text)}")
    exponent = match["exponent"]
    if exponent is not None and abs(int(exponent)) + len(text) > MOST_DIGITS:
        raise InvalidModelError(
            f"{name} must have at most {MOST_DIGITS} digits, those of its exponent included, got {_shorten(text)}"
        )
    try:
        return Fraction(re.sub(r"\s", "", text))
    except ZeroDivisionError:
        raise InvalidModelError(f"{name} must have a denominator other than 0, got {text!r}") from None


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def as_text(value: Fraction) -> str:
    """Write a rational as ``"p"`` or ``"p/q"``, the form that certificate files use.

    >>> as_text(Fraction(-2, 6))
    '-1/3'
    """
    if value.denominator == 1:
        return str(fmpz(value.numerator))  # flint has no limit on the digits it writes, Python has
    return f"{fmpz(value.numerator)}/{fmpz(value.denominator)}"


def shorten(value: Fraction, *, most: int = 40) -> str:
    """The rational as it is if its text is short, else its ends and its size; for messages, whatever the number.

    >>> shorten(Fraction(1, 3)), shorten(Fraction(10**50 + 1, 3), most=20)
    ('1/3', '1000000000... (about 3.33333e+49)')
    """
    text = as_text(value)
    return text if len(text) <= most else f"{text[: most // 2]}... (about {show_below(value, 6)})"


def floor_to(value: Fraction, digits: int) -> Fraction:
    """Largest multiple of ``10**-digits`` that is not above `value`.

    >>> floor_to(Fraction(2, 3), 2)
    Fraction(33, 50)
    """
    scale = 10**digits
    return Fraction(math.floor(value * scale), scale)


def ceil_to(value: Fraction, digits: int) -> Fraction:
    """Smallest multiple of ``10**-digits`` that is not below `value`.

    >>> ceil_to(Fraction(2, 3), 2)
    Fraction(67, 100)
    """
    return -floor_to(-value, digits)


def round_up(value: Fraction, bits: int) -> Fraction:
    """A dyadic number with about so many bits, not below a positive value and as near to it as they allow.

    >>> round_up(Fraction(1, 3), 4), round_up(Fraction(1, 4), 4)
    (Fraction(11, 32), Fraction(1, 4))
    """
    shift = bits - value.numerator.bit_length() + value.denominator.bit_length()
    scaled = value * Fraction(2) ** shift  # between 2**(bits - 1) and 2**(bits + 1)
    return math.ceil(scaled) / Fraction(2) ** shift


def round_down(value: Fraction, bits: int) -> Fraction:
    """As `round_up`, not above a positive value.

    >>> round_down(Fraction(1, 3), 4)
    Fraction(5, 16)
    """
    shift = bits - value.numerator.bit_length() + value.denominator.bit_length()
    return math.floor(value * Fraction(2) ** shift) / Fraction(2) ** shift


def show_below(value: Fraction, digits: int = 9) -> str:
    """Decimal with `digits` significant digits that is not above `value`; for lower bounds such as proved rates.

    >>> show_below(Fraction(2, 3), 4), show_below(Fraction(1, 4)), show_below(Fraction(2, 3) * 10**9, 3)
    ('0.6666', '0.25', '666000000')
    """
    if value == 0:
        return "0"
    # Places after the point, from the size of the number: 10**e <= |value| < 10**(e + 1), e found exactly.
    exponent = len(str(fmpz(abs(value.numerator)))) - len(str(fmpz(value.denominator)))
    if abs(value) < Fraction(10) ** exponent:
        exponent -= 1
    places = digits - 1 - exponent
    scaled = math.floor(value * Fraction(10) ** places)
    own = Context(prec=digits + 5)  # not the thread's: that may round, and to the wrong side
    decimal = Decimal(scaled).scaleb(-places, own).normalize(own)
    return f"{decimal:f}" if -5 <= exponent < 12 else f"{decimal:g}"


def show_above(value: Fraction, digits: int = 9) -> str:
    """Decimal with `digits` significant digits that is not below `value`; for upper bounds.

    >>> show_above(Fraction(2, 3), 4)
    '0.6667'
    """
    text = show_below(-value, digits)
    return text[1:] if text.startswith("-") else (text if value == 0 else f"-{text}")


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """Rational of least denominator in the closed interval ``[low, high]`` (Stern-Brocot).

    Raises
    ------
    InvalidModelError
        If ``low > high``.

    Examples
    --------
    >>> simplest_between(Fraction(3, 10), Fraction(7, 20))
    Fraction(1, 3)
    """
    if low > high:
        raise InvalidModelError(f"simplest_between needs low <= high, got low={low}, high={high}")
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -simplest_between(-high, -low)
    (a, b), (c, d) = low.as_integer_ratio(), high.as_integer_ratio()
    bases: list[int] = []  # common part of the two continued fractions
    while (whole := -(-a // b)) * d > c:
        base = whole - 1
        bases.append(base)
        a, b, c, d = d, c - base * d, b, a - base * b
    p, q = whole, 1
    for base in reversed(bases):
        p, q = base * p + q, p
    return Fraction(p, q)


def simplest_near(value: float, relative: float) -> Fraction:
    """Simplest rational within ``relative * abs(value)`` of a float.

    >>> simplest_near(0.3333333333, 1e-6)
    Fraction(1, 3)
    """
    centre = rational(value)
    radius = abs(centre) * rational(relative)
    return simplest_between(centre - radius, centre + radius)


def convergent_near(value: float, relative: float) -> Fraction:
    """First convergent of a float's continued fraction within ``relative * abs(value)`` of it: short, and fast to find.

    >>> convergent_near(0.3333333333, 1e-6)
    Fraction(1, 3)
    """
    before, here, rest = (0, 1), (1, 0), abs(value)
    while True:
        whole = int(rest)
        before, here = here, (whole * here[0] + before[0], whole * here[1] + before[1])
        if abs(here[0] / here[1] - abs(value)) <= relative * abs(value) or rest == whole:
            return Fraction(here[0] if value > 0 else -here[0], here[1])
        rest = 1 / (rest - whole)
