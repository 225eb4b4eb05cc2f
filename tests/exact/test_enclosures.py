"""Enclosures hold what they enclose: roots, logarithms, eigenvalues with their multiplicities."""

from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyapflow.errors import InvalidModelError
from lyapflow.exact.elementary import bound_log_above, bound_sqrt_above, bound_sqrt_below
from lyapflow.exact.enclosures import bracket_smallest, count_eigenvalues_above, enclose_eigenvalues
from lyapflow.exact.matrices import add, identity, inverse, multiply, scale, transpose
from lyapflow.exact.spectra import bound_abscissa, bound_abscissa_between, enclose_eigenvalue

integers = st.integers(-4, 4).map(Fraction)
up_to_four, up_to_five = st.integers(1, 4), st.integers(1, 5)
positive = st.one_of(
    st.fractions(min_value="1/1000000", max_value=10**6),
    st.integers(-60, 60).map(lambda k: Fraction(10) ** k),
    st.fractions("1/100", 100, max_denominator=100).map(lambda q: q * q),
)


@st.composite
def squares(draw, sizes=up_to_four, numbers=integers):
    n = draw(sizes)
    return tuple(tuple(draw(numbers) for _ in range(n)) for _ in range(n))


@st.composite
def symmetric(draw, sizes=up_to_five):
    m = draw(squares(sizes=sizes))
    return tuple(tuple(m[min(i, j)][max(i, j)] for j in range(len(m))) for i in range(len(m)))


@st.composite
def with_known_spectrum(draw):
    """A symmetric matrix with chosen rational eigenvalues, by an exact rotation (Cayley transform)."""
    n = draw(st.integers(1, 4))
    eigenvalues = draw(st.lists(st.sampled_from([0, 0, 1, 1, -2, "1/3", "7/5"]).map(Fraction), min_size=n, max_size=n))
    m = draw(squares(sizes=st.just(n)))
    skew = tuple(tuple((m[i][j] if i < j else -m[j][i]) if i != j else Fraction(0) for j in range(n)) for i in range(n))
    turn = multiply(add(identity(n), scale(Fraction(-1), skew)), inverse(add(identity(n), skew)))
    assert multiply(turn, transpose(turn)) == identity(n)
    diagonal = tuple(tuple(eigenvalues[i] if i == j else Fraction(0) for j in range(n)) for i in range(n))
    return multiply(multiply(turn, diagonal), transpose(turn)), sorted(eigenvalues)


def as_floats(m):
    return np.array(m, dtype=float)


@given(positive)
def test_square_roots_are_on_the_right_side(value):
    low, high = bound_sqrt_below(value), bound_sqrt_above(value)
    assert low >= 0
    assert low * low <= value <= high * high
    assert high - low <= Fraction(1, 10**12)
    if low * low == value:
        assert low == high


@given(st.fractions("1/1000", 1000))
def test_a_rational_root_is_exact(root):
    assert bound_sqrt_below(root * root) == bound_sqrt_above(root * root) == root


def test_roots_and_logarithms_have_a_domain():
    assert bound_sqrt_above(Fraction(0)) == bound_sqrt_below(Fraction(0)) == 0
    for wrong in (bound_sqrt_above, bound_sqrt_below, bound_log_above):
        with pytest.raises(InvalidModelError, match="got -1"):
            wrong(Fraction(-1))
    with pytest.raises(InvalidModelError, match="got 0"):
        bound_log_above(Fraction(0))


@given(positive)
def test_logarithms_are_on_the_right_side(value):
    with localcontext() as context:
        context.prec = 80
        logarithm = Fraction((Decimal(value.numerator) / Decimal(value.denominator)).ln())
    above = bound_log_above(value) - logarithm
    assert -Fraction(1, 10**70) * (1 + abs(logarithm)) <= above <= Fraction(2, 10**12)


def test_the_logarithm_of_one_is_zero():
    assert bound_log_above(Fraction(1)) == 0


@given(with_known_spectrum(), st.sampled_from([0, 1, "1/3", "-2", "6/5", -3, 2]).map(Fraction))
def test_eigenvalues_that_are_known(case, bound):
    m, spectrum = case
    boxes = enclose_eigenvalues(m)
    assert [(value, value, spectrum.count(value)) for value in sorted(set(spectrum))] == list(boxes)
    assert count_eigenvalues_above(m, bound) == sum(value > bound for value in spectrum)
    assert bound_abscissa(m) == (max(spectrum), max(spectrum))


@given(symmetric())
def test_eigenvalues_lie_in_their_boxes(m):
    boxes = enclose_eigenvalues(m)
    assert sum(multiplicity for _, _, multiplicity in boxes) == len(m)
    assert all(low <= high for low, high, _ in boxes)
    assert all(a[1] < b[0] for a, b in pairwise(boxes))
    expanded = [box for box in boxes for _ in range(box[2])]
    for value, (low, high, _) in zip(np.linalg.eigvalsh(as_floats(m)), expanded, strict=True):
        assert float(low) - 1e-9 <= value <= float(high) + 1e-9
        assert float(high - low) <= 1e-12 * max(1.0, abs(value))
    for low, high, multiplicity in boxes:  # each box holds as many as it says, by an independent exact count
        below = len(m) - count_eigenvalues_above(tuple(tuple(-v for v in row) for row in m), -low)
        assert below - count_eigenvalues_above(m, high) == multiplicity


@pytest.mark.parametrize("digits", [3, 15, 40, 80])
def test_irrational_eigenvalues_at_any_precision(digits):
    m = ((Fraction(0), Fraction(1)), (Fraction(1), Fraction(1)))
    (low, high, once), (_, golden, _) = enclose_eigenvalues(m, digits=digits)
    assert once == 1
    assert low * low - low - 1 >= 0 >= high * high - high - 1  # the negative root of t^2 - t - 1 is between
    assert golden * golden - golden - 1 >= 0


def test_eigenvalues_of_very_different_size_keep_their_sign():
    tiny = Fraction(1, 10**60)
    boxes = enclose_eigenvalues(((Fraction(2), Fraction(1)), (Fraction(1), Fraction(1, 2) + tiny)))
    assert len(boxes) == 2
    assert 0 < boxes[0][0] <= boxes[0][1] < Fraction(1, 10**59)


@given(squares())
def test_the_abscissa_agrees_with_numpy(m):
    low, high = bound_abscissa(m)
    assert low <= high
    assert float(high - low) <= 1e-9
    value = np.linalg.eigvals(as_floats(m)).real.max()
    assert abs(value - float(low)) <= 1e-3 * (1 + np.abs(as_floats(m)).max())  # eigvals splits defective roots


@given(squares(numbers=st.fractions(-9, 9, max_denominator=99)))
def test_the_abscissa_of_a_triangular_matrix_is_exact(m):
    n = len(m)
    triangular = tuple(tuple(m[i][j] if i <= j else Fraction(0) for j in range(n)) for i in range(n))
    largest = max(m[i][i] for i in range(n))
    assert bound_abscissa(triangular) == (largest, largest)


@given(st.fractions(-5, 5, max_denominator=9), st.fractions(-5, 5, max_denominator=9).filter(bool))
def test_the_abscissa_of_complex_pairs(real, imaginary):
    low, high = bound_abscissa(((real, imaginary), (-imaginary, real)))
    assert low <= real <= high
    assert high - low <= Fraction(1, 10**9)


def test_a_nearly_unstable_matrix_is_not_called_hurwitz():
    tiny = Fraction(1, 10**50)
    block = ((Fraction(0), Fraction(1)), (Fraction(-2), Fraction(0)))  # eigenvalues +- i sqrt 2
    assert bound_abscissa(block)[1] >= 0
    assert bound_abscissa(add(block, scale(tiny, identity(2))))[1] >= 0
    assert bound_abscissa(((Fraction(-1, 10**50),),))[1] < 0


def distance_squared(root, centre):
    """Of two points of the plane, exactly."""
    return (root[0] - Fraction(centre.real)) ** 2 + (root[1] - Fraction(centre.imag)) ** 2


@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=1, max_size=4),
    st.complex_numbers(max_magnitude=10, allow_nan=False),
    st.lists(st.integers(-3, 3), min_size=6, max_size=6),
)
def test_the_disk_around_an_approximation_holds_an_eigenvalue(roots, near, above):
    """Gaussian integers as eigenvalues of a triangular matrix, approximated well or badly."""
    n, entries = len(roots), iter(above)
    upper = [[Fraction(next(entries)) if i < j else Fraction(0) for j in range(n)] for i in range(n)]
    real = tuple(tuple(Fraction(roots[i][0]) if i == j else upper[i][j] for j in range(n)) for i in range(n))
    imaginary = tuple(tuple(Fraction(roots[i][1] * (i == j)) for j in range(n)) for i in range(n))
    for guess in (near, complex(*roots[0])):
        found = enclose_eigenvalue(real, imaginary, guess)
        if found is not None:
            centre, radius = found
            assert min(distance_squared(root, centre) for root in roots) <= radius**2


@given(squares())
def test_the_disk_is_small_where_floating_point_knows_the_eigenvalue(m):
    values, vectors = np.linalg.eig(as_floats(m))
    extreme = complex(values[np.argmax(values.real)])
    found = enclose_eigenvalue(m, None, extreme)
    if (
        np.linalg.cond(vectors) < 1e3
        and np.abs(np.delete(values, np.argmax(values.real)) - extreme).min(initial=9) > 0.1
    ):
        centre, radius = found
        assert abs(centre - extreme) < 1e-9
        assert radius < Fraction(1, 10**9)
        assert Fraction(centre.real) - radius <= bound_abscissa(m)[1]


@given(symmetric())
def test_the_bracket_of_the_smallest_eigenvalue(m):
    n = len(m)
    definite = add(multiply(transpose(m), m), scale(Fraction(1, 9), identity(n)))
    low, high = bracket_smallest(definite)
    assert count_eigenvalues_above(definite, low * Fraction(999, 1000)) == n
    assert count_eigenvalues_above(definite, high) < n
    assert high <= low * 3  # the square root of 5, and a little
    assert bracket_smallest(((Fraction(0),),)) is None


def test_the_abscissa_between_two_matrices(rng):
    for _ in range(20):
        low = rng.integers(-9, 10, size=(2, 2))
        high = low + rng.integers(-3, 4, size=(2, 2))
        ends = [tuple(tuple(Fraction(int(v), 9) for v in row) for row in m) for m in (low, high)]
        bound = float(bound_abscissa_between(ends[0], ends[1]))
        for _ in range(20):
            inside = (low + (high - low) * rng.random((2, 2))) / 9
            assert bound <= np.linalg.eigvals(inside).real.max() + 1e-12
    point = ((Fraction(1, 3), Fraction(2)), (Fraction(-1, 7), Fraction(1, 2)))
    assert abs(bound_abscissa(point)[0] - bound_abscissa_between(point, point)) < Fraction(1, 10**11)
