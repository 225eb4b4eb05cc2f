"""Settling times: published values, the integral itself, and the side to which they are rounded."""

import tomllib
from fractions import Fraction as Q
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import beta, betainc, gamma

import lyapflow as lf
from lyapflow.time_scaling.settling import (
    ComparisonEquation,
    bound_settling_time,
    bound_settling_time_by_terms,
    find_gain,
)

ROWS = tomllib.loads((Path(__file__).parents[1] / "reference" / "settling.toml").read_text())["row"]


def _read(row):
    return ComparisonEquation(row["A"], row["p"], row["B"], row["q"], row["k"])


@pytest.mark.parametrize("row", ROWS)
def test_published_values(row):
    start = None if row["from"] == "anywhere" else row["from"]
    assert float(bound_settling_time(_read(row), start)) == pytest.approx(row["value"], rel=1e-12)
    if "by_terms" in row:
        assert float(bound_settling_time_by_terms(_read(row))) == pytest.approx(row["by_terms"], rel=1e-9)


equations = st.builds(
    lambda A, B, k, low, high: ComparisonEquation(A, low / k, B, high / k, k),
    A=st.fractions(min_value=Q(1, 20), max_value=20, max_denominator=40),
    B=st.fractions(min_value=Q(1, 20), max_value=20, max_denominator=40),
    k=st.fractions(min_value=Q(1, 2), max_value=2, max_denominator=8),
    low=st.fractions(min_value=0, max_value=Q(9, 10), max_denominator=10),
    high=st.fractions(min_value=Q(11, 10), max_value=3, max_denominator=10),
)
starts = st.fractions(min_value=Q(1, 1000), max_value=1000, max_denominator=1000)


@settings(max_examples=60)
@given(equation=equations, v0=starts)
def test_it_is_the_integral(equation, v0):
    """Two other methods: SciPy's incomplete beta function, and quadrature after a substitution without a pole."""
    A, p, B, q, k = map(float, (equation.A, equation.p, equation.B, equation.q, equation.k))
    m_p, m_q = (1 - k * p) / (q - p), (k * q - 1) / (q - p)
    u = B / A * float(v0) ** (q - p)
    scale = (A / B) ** m_p / (A**k * (q - p))
    found = float(bound_settling_time(equation, v0))
    assert found == pytest.approx(scale * beta(m_p, m_q) * betainc(m_p, m_q, u / (1 + u)), rel=1e-9)
    r = 1 - k * p  # v = s^(1/r)
    integral, _ = quad(lambda s: 1 / (r * (A + B * s ** ((q - p) / r)) ** k), 0, float(v0) ** r, limit=200)
    assert found == pytest.approx(integral, rel=1e-6)
    assert float(bound_settling_time(equation)) == pytest.approx(scale * gamma(m_p) * gamma(m_q) / gamma(k), rel=1e-9)


@settings(max_examples=60)
@given(equation=equations, v0=starts)
def test_bounds_are_in_order(equation, v0):
    """From a start, from a farther one, from anywhere, by terms."""
    near, far = bound_settling_time(equation, v0), bound_settling_time(equation, 2 * v0)
    assert 0 < near < far <= bound_settling_time(equation) <= bound_settling_time_by_terms(equation)


@settings(max_examples=40)
@given(equation=equations, time=st.fractions(min_value=Q(1, 100), max_value=100, max_denominator=100))
def test_a_gain_keeps_the_time_and_is_no_larger_than_needed(equation, time):
    gain = find_gain(equation, time)
    assert bound_settling_time(equation.speed_up(gain)) <= time
    assert bound_settling_time(equation.speed_up(gain * Q(999999, 1000000))) > time * (1 - Q(1, 10**5))


@pytest.mark.parametrize(("p", "v0", "time"), [("1/2", 9, 6), (0, "3/2", "3/2"), ("1/3", 8, 6)])
def test_finite_time_alone(p, v0, time):
    """v^(1-p) / (1 - p)."""
    found = bound_settling_time(ComparisonEquation(1, p), v0)
    assert 0 <= found - Q(time) < Q(1, 10**12)


@pytest.mark.parametrize("start", [10**15, 10**18, 10**25, Q(10) ** 60])
def test_far_starts_come_near_the_bound_from_anywhere(start):
    """v' = -1 - v^2: the arc tangent."""
    equation = ComparisonEquation(1, 0, 1, 2)
    found = bound_settling_time(equation, start)
    assert found <= bound_settling_time(equation)
    assert float(found) == pytest.approx(1.5707963267948966 - 1 / float(start), rel=1e-15)


def test_a_steep_second_term():
    equation = ComparisonEquation(1, 0, 1, 10**9, "1/2")
    assert bound_settling_time(equation, 2) <= bound_settling_time(equation)
    assert abs(bound_settling_time(equation, 1) - 1) < Q(1, 10**8)
    assert bound_settling_time(equation, 1) <= bound_settling_time(equation, 2)


def test_zero_is_there_already():
    assert bound_settling_time(ComparisonEquation(1, "1/2"), 0) == 0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ComparisonEquation(0, "1/2"), "A > 0"),
        (lambda: ComparisonEquation(1, 1), "p k < 1"),
        (lambda: ComparisonEquation(1, "-1/2"), "p k < 1"),
        (lambda: ComparisonEquation(1, "1/2", 1, 1), "q k > 1"),
        (lambda: ComparisonEquation(1, "1/2", 1), "without q"),
        (lambda: ComparisonEquation(1, "1/2", 0, 2), "without q"),
        (lambda: bound_settling_time(ComparisonEquation(1, "1/2")), "give v0"),
        (lambda: bound_settling_time(ComparisonEquation(1, "1/2"), -1), "v0 must be"),
        (lambda: bound_settling_time_by_terms(ComparisonEquation(1, "1/2")), "with v0"),
        (lambda: find_gain(ComparisonEquation(1, "1/2", 1, 2), 0), "time must be"),
        (lambda: ComparisonEquation("a", "1/2"), "A"),
        (lambda: bound_settling_time((1, "1/2", 1, "3/2")), "must be a ComparisonEquation"),
        (lambda: bound_settling_time_by_terms(None), "must be a ComparisonEquation"),
        (lambda: ComparisonEquation(1, 0).speed_up("fast"), "gain"),
    ],
)
def test_what_makes_no_sense_is_refused(make, said):
    with pytest.raises(lf.InvalidModelError, match=said):
        make()
