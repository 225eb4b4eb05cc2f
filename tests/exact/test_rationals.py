"""The only door into exact arithmetic: what it lets in is exact, what it refuses it refuses at once."""

import contextlib
import math
import time
import warnings
from decimal import Decimal
from fractions import Fraction
from math import gcd

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyapflow.errors import InvalidModelError
from lyapflow.exact.rationals import as_text, ceil_to, floor_to, rational, simplest_between, simplest_near

fractions = st.fractions(min_value=-1000, max_value=1000, max_denominator=10_000)
INTEGER_TYPES = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]


def is_plain(value):
    """Over Python integers, so that no later product can wrap around."""
    return type(value) is Fraction and type(value.numerator) is int and type(value.denominator) is int


def test_the_trap_is_real():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert Fraction(np.int64(2**62)) * 4 == 0


@pytest.mark.parametrize("trapped", [np.int64(2**62), Fraction(np.int64(2**62)), np.uint64(2**62)])
def test_the_trap_does_not_pass_the_door(trapped):
    value = rational(trapped)
    assert is_plain(value)
    assert value * 4 == 2**64


@pytest.mark.parametrize("kind", INTEGER_TYPES)
def test_extreme_numpy_integers(kind):
    for extreme in (np.iinfo(kind).min, np.iinfo(kind).max):
        value = rational(kind(extreme))
        assert is_plain(value)
        assert value**3 == int(extreme) ** 3


@given(st.integers(), st.integers(min_value=1))
def test_fractions_and_their_text_are_kept(numerator, denominator):
    value = Fraction(numerator, denominator)
    assert rational(value) == rational(f"{numerator}/{denominator}") == rational(as_text(value)) == value
    assert is_plain(rational(value))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_its_dyadic_value(number):
    value = rational(number)
    assert is_plain(value)
    assert value == Fraction(*number.as_integer_ratio())
    assert value.denominator & (value.denominator - 1) == 0
    assert float(value) == number


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.longdouble])
def test_numpy_floats_are_exact(kind):
    number = kind(1) / kind(3)
    value = rational(number)
    assert is_plain(value)
    assert value == Fraction(*map(int, number.as_integer_ratio()))
    assert value != Fraction(1, 3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/3", Fraction(1, 3)),
        ("0.1", Fraction(1, 10)),
        ("1e-3", Fraction(1, 1000)),
        (" -2 / 6 ", Fraction(-1, 3)),
        ("+.5", Fraction(1, 2)),
        ("7.", Fraction(7)),
        ("-0", Fraction(0)),
        ("2.5E2", Fraction(250)),
    ],
)
def test_text(text, value):
    assert rational(text) == value
    assert is_plain(rational(text))


@pytest.mark.parametrize(
    "junk",
    [
        True,
        False,
        np.True_,
        math.nan,
        math.inf,
        -math.inf,
        np.float32("nan"),
        np.longdouble("inf"),
        None,
        1j,
        np.complex128(1),
        [1],
        (1,),
        {},
        b"1",
        np.array(1),
        np.array([1]),
        pytest.param(object(), id="object"),
        Fraction,
        int,
        "",
        " ",
        "abc",
        "1/0",
        "0/0",
        "1//2",
        "1/2/3",
        "1/-2",
        "1.5/2",
        "0x10",
        "1_000",
        "nan",
        "inf",
        "-Infinity",
        "1e",
        "e5",
        "1 2",
        "--1",
        "\uff11",
        "\u0661",
        "1\n2",
        "1\x00",
        "__import__('os')",
        "1e1000000000",
        "1e-1000000000",
        "9" * 5_000_000,
        "1e" + "9" * 5_000,
        "." + "9" * 6_000,
        "1/" + "9" * 6_000,
    ],
    ids=lambda junk: repr(junk)[:24],
)
def test_junk_is_refused_quickly_by_name(junk):
    start = time.perf_counter()
    with pytest.raises(InvalidModelError, match="mu must") as caught:
        rational(junk, name="mu")
    assert time.perf_counter() - start < 2
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("number", [Decimal("0.1"), Decimal("NaN")])
def test_a_decimal_is_exact_or_refused(number):
    with contextlib.suppress(InvalidModelError):
        assert rational(number) == Fraction(1, 10)


@pytest.mark.parametrize("length", [4299, 4300, 4301, 4500, 4999, 5000, 5001])
@pytest.mark.parametrize("form", ["{}", "-{}", "0.{}", "1/{}", "1e{}", "1e-{}"])
def test_long_texts_are_exact_or_refused(length, form):
    """Python itself refuses to convert more than 4300 digits, with an error that is not ours."""
    digits = "0" * (length - 1) + "7" if "e" in form else "7" * length
    try:
        value = rational(form.format(digits))
    except InvalidModelError as refused:
        assert len(str(refused)) < 300  # noqa: PT017
        return
    assert as_text(value)  # what was let in can also be written


@pytest.mark.parametrize("text", ["1e4299", "1e4300", "1e5000", "1e-5000", "1e5001", "123e4999"])
def test_what_is_let_in_can_be_written(text):
    try:
        value = rational(text)
    except InvalidModelError:
        return
    assert rational(as_text(value)) == value


@given(fractions, st.integers(min_value=0, max_value=12))
def test_floor_and_ceiling_are_next_to_the_number(value, digits):
    low, high = floor_to(value, digits), ceil_to(value, digits)
    unit = Fraction(1, 10**digits)
    assert low <= value <= high <= low + unit
    assert (low / unit).denominator == (high / unit).denominator == 1


@given(st.fractions(-3, 3, max_denominator=300), st.fractions(0, 1, max_denominator=300))
def test_simplest_between_is_simplest(low, width):
    high = low + width
    found = simplest_between(low, high)
    assert low <= found <= high
    for denominator in range(1, found.denominator):
        assert math.floor(high * denominator) < math.ceil(low * denominator)  # no such fraction lies between
    rivals = range(math.ceil(low * found.denominator), math.floor(high * found.denominator) + 1)
    assert (
        found.denominator == 1
        or all(gcd(p, found.denominator) > 1 or p == found.numerator for p in rivals)
        or (abs(found.numerator) == min(abs(p) for p in rivals if gcd(p, found.denominator) == 1))
    )


@given(fractions)
def test_simplest_between_of_a_point(value):
    assert simplest_between(value, value) == value


def test_simplest_between_of_a_long_continued_fraction():
    a, b = 1, 1
    for _ in range(5000):
        a, b = b, a + b
    assert simplest_between(Fraction(b, a), Fraction(b, a)) == Fraction(b, a)


def test_simplest_between_needs_an_interval():
    with pytest.raises(InvalidModelError, match="low <= high"):
        simplest_between(Fraction(1), Fraction(0))


@given(st.floats(min_value=-1e300, max_value=1e300), st.sampled_from([1e-3, 1e-9, 1e-15]))
def test_simplest_near_is_near(number, relative):
    assert abs(simplest_near(number, relative) - Fraction(number)) <= abs(Fraction(number)) * Fraction(relative)
