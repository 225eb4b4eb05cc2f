from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyapflow.errors import InvalidModelError
from lyapflow.report.formulas import Term, add_up, combine
from lyapflow.report.numbers import approximate, tex_approximate, tex_number, with_decimal
from lyapflow.report.spelling import spell
from lyapflow.report.typeset import typeset

NUMBERS = st.one_of(st.fractions(), st.builds(Fraction, st.integers(-(10**40), 10**40), st.integers(1, 10**40)))


@given(NUMBERS, st.integers(1, 12))
def test_decimals_are_on_the_side_they_claim(value, digits):
    low, high = (Fraction(approximate(value, digits=digits, side=side)) for side in ("down", "up"))
    near = Fraction(approximate(value, digits=digits))
    assert low <= value <= high
    assert low <= near <= high
    assert high - low <= 2 * abs(value) * Fraction(10) ** (1 - digits)


@given(NUMBERS)
def test_equality_is_claimed_only_where_it_holds(value):
    text = with_decimal(value)
    assert Fraction(text.split(" ")[0]) == value
    if " = " in text:
        assert Fraction(text.split(" = ")[1]) == value
    assert tex_approximate(value).startswith("=") == (Fraction(approximate(value)) == value)


@pytest.mark.parametrize(
    ("value", "side", "text"),
    [
        (Fraction(999_999_9, 10**7), "up", "1"),
        (Fraction(-2, 3), "down", "-0.666667"),
        (Fraction(10**15 + 1), "nearest", "1e15"),
        (Fraction(123_456_789), "down", "123456000"),
        (Fraction(0), "up", "0"),
        (Fraction(1, 2**33), "down", "1.16415e-10"),
    ],
)
def test_decimals(value, side, text):
    assert approximate(value, side=side) == text


def test_an_unknown_side_is_refused():
    with pytest.raises(InvalidModelError, match="side"):
        approximate(Fraction(1, 3), side="left")


def test_negative_fractions_carry_their_sign_in_front():
    assert tex_number(Fraction(-2, 3)) == r"-\frac{2}{3}"


def test_sums_are_written_with_signs_and_without_zeros():
    terms = [Term(Fraction(0), "a", "x"), Term(Fraction(-1), "b", "y"), Term(Fraction(1, 2), "c", "z", 2)]
    assert combine(terms, [], head="V = ")[0].tex == "V = -y+z"
    assert combine([], [], head="V = ")[0].tex == "V = 0"


def test_long_coefficients_become_symbols_with_exact_values():
    where = []
    long = Fraction(3**40, 2**60)
    lines = combine([Term(long, "p_{12}", "x", 2)], where)
    assert lines[0].text == "2p₁₂ x"
    assert [(symbol.tex, value) for symbol, value in where] == [("p_{12}", long)]


def test_long_sums_are_broken_and_nothing_is_lost():
    parts = [f"+x_{{{k}}}" for k in range(60)]
    lines = add_up(parts, head="V = ", width=40)
    assert len(lines) > 3
    assert "".join(line.tex.replace(r"\qquad ", "") for line in lines) == "V = " + "".join(parts).removeprefix("+")


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"\dot{x}_{1} = -\frac{2}{3}\,x_{2}", "ẋ₁ = -2/3 x₂"),
        (r"\|x(t)-x^{\star}\| \leq c\,e^{-\rho t}", "‖x(t)-x*‖ ≤ c e^(-ρt)"),
        (r"$\varphi \geq \frac{1}{2L}|u|^2$", "φ ≥ 1/2L|u|²"),
        (r"E^{\mathsf{T}}\lambda \in \mathbb{R}^{3}", "Eᵀλ ∈ R³"),
        (r"\mathrm{prox}_{\gamma_{f} f}(v)", "prox_(γ_f f)(v)"),
        (r"\frac{", "/"),
    ],
)
def test_formulas_have_a_plain_reading(tex, text):
    assert spell(tex) == text


def test_formulas_become_paths_with_their_reading():
    svg = typeset(r"\dot{x}_{1} = x_{2}")
    assert svg.startswith('<svg class="math" role="img" aria-label="ẋ₁ = x₂"')
    assert "<path" in svg
    assert "id=" not in svg


@pytest.mark.parametrize("tex", [r"\nosuchcommand{<script>}", r"\frac{1", "x < y & z", "}"])
def test_what_mathtext_cannot_set_is_printed_as_escaped_text(tex):
    markup = typeset(tex)
    assert "<script" not in markup
    assert "&z" not in markup
