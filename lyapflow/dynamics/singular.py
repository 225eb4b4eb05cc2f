"""Intervals that are proved to hold the singular values of a matrix: narrow ones for bounds, short ones for proofs."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

from ..errors import DimensionError, InvalidModelError
from ..exact.elementary import bound_sqrt_above, bound_sqrt_below
from ..exact.enclosures import count_eigenvalues_above, enclose_eigenvalues
from ..exact.matrices import Matrix, matrix, multiply, shape, transpose
from ..exact.rationals import ceil_to, rational

__all__ = [
    "Interval",
    "check_intervals",
    "divide_interval",
    "enclose_singular_values",
    "find_intervals",
    "holds_all",
    "read_interval",
    "read_intervals",
    "read_pieces",
]

Interval: TypeAlias = tuple[Fraction, Fraction]

_MOST = 8
"""With more different singular values than this, one interval that covers all is the smaller proof."""

_MOST_CUTS = 3
"""An interval is divided at so many places at most: a storage matrix of its own for each piece proves larger rates."""

_FINE, _COARSE = 18, 9
"""Digits of enclosures: for bounds, and for proofs. A wide interval costs a proof no more than the worst s in it."""


def _gram(K: Matrix) -> Matrix:
    """The smaller of ``K K'`` and ``K' K``."""
    m, n = shape(K)
    if m == 0 or n == 0:
        raise DimensionError("operator must have at least one row and one column")
    if not any(map(any, K)):
        raise InvalidModelError("operator must not be zero: f and g would have nothing to do with each other")
    return multiply(K, transpose(K)) if m <= n else multiply(transpose(K), K)


def enclose_singular_values(K: Matrix) -> tuple[Interval, ...]:
    """Narrow intervals around the positive singular values: points where they are rational.

    >>> enclose_singular_values(((Fraction(3), Fraction(0)), (Fraction(4), Fraction(0))))
    ((Fraction(5, 1), Fraction(5, 1)),)
    """
    found: list[Interval] = []
    for low, high, _ in enclose_eigenvalues(_gram(K)):
        if high > 0:
            digits = _FINE + _zeros(high) // 2
            found.append(
                (bound_sqrt_below(max(low, Fraction(0)), digits=digits), bound_sqrt_above(high, digits=digits))
            )
    return _merge(found)


def find_intervals(K: Matrix, *, most: int = _MOST) -> tuple[Interval, ...]:
    """Intervals for a proof: one for each singular value while they are few, else one for all."""
    boxes = _merge([box if box[0] == box[1] else _widen(*box) for box in enclose_singular_values(K)])
    return boxes if len(boxes) <= most else ((boxes[0][0], boxes[-1][1]),)


def _widen(low: Fraction, high: Fraction) -> Interval:
    """Outward to short numbers."""
    return max(-ceil_to(-low, _COARSE + _zeros(low)), Fraction(0)), ceil_to(high, _COARSE + _zeros(high))


def _zeros(value: Fraction) -> int:
    """About how many zeros follow the decimal point."""
    return max(0, value.denominator.bit_length() - value.numerator.bit_length()) * 3 // 10 if value else 0


def _merge(boxes: list[Interval]) -> tuple[Interval, ...]:
    """Intervals that touch are one."""
    found: list[Interval] = []
    for low, high in boxes:
        if found and low <= found[-1][1]:
            low, high = found[-1][0], max(found.pop()[1], high)
        found.append((low, high))
    return tuple(found)


def read_intervals(intervals: object) -> tuple[Interval, ...]:
    """Increasing and disjoint intervals of nonnegative numbers.

    Raises
    ------
    DimensionError, InvalidModelError
        If they are not.
    """
    pairs = matrix(intervals, name="intervals")
    if not pairs or shape(pairs)[1] != 2:
        raise DimensionError("intervals must be a sequence of pairs (low, high) of singular values")
    before = Fraction(-1)
    for low, high in pairs:
        if low < 0 or not before < low <= high:
            raise InvalidModelError(f"intervals must be nonnegative, increasing and disjoint, got ({low}, {high})")
        before = high
    return tuple((low, high) for low, high in pairs)


def read_interval(singular_values: object) -> Interval:
    """The two ends of an interval of singular values.

    Raises
    ------
    InvalidModelError
        If they are not a pair with ``0 <= low <= high`` and ``high > 0``.
    """
    pair: tuple[object, ...] = ()
    if isinstance(singular_values, Iterable) and not isinstance(singular_values, str):
        pair = tuple(singular_values)
    if len(pair) == 2:
        low, high = (rational(value, name="singular_values") for value in pair)
        if 0 <= low <= high and high > 0:
            return low, high
    raise InvalidModelError(
        f"singular_values must be a pair (low, high) with 0 <= low <= high and high > 0, got {singular_values!r}"
    )


def divide_interval(low: Fraction, high: Fraction) -> tuple[Interval, ...]:
    """Pieces of an interval, each about half of what is left: V depends on singular values by their ratio, mostly.

    >>> [(float(a), float(b)) for a, b in divide_interval(Fraction(1), Fraction(10))]
    [(1.0, 1.25), (1.25, 2.5), (2.5, 5.0), (5.0, 10.0)]
    """
    cuts = [high / 2**k for k in range(_MOST_CUTS, 0, -1) if high / 2**k > low]
    places = [low, *cuts, high]
    return tuple(pairwise(places))


def read_pieces(intervals: object) -> tuple[Interval, ...]:
    """Increasing intervals of nonnegative numbers that may touch: where singular values of an unknown matrix may lie.

    Raises
    ------
    DimensionError, InvalidModelError
        If they are not.
    """
    pairs = matrix(intervals, name="intervals")
    if not pairs or shape(pairs)[1] != 2:
        raise DimensionError("intervals must be a sequence of pairs (low, high) of singular values")
    before = Fraction(0)
    for low, high in pairs:
        if not before <= low <= high or high == 0:
            raise InvalidModelError(f"intervals must be nonnegative, increasing and not overlap, got ({low}, {high})")
        before = high
    return tuple((low, high) for low, high in pairs)


def holds_all(K: Matrix, boxes: tuple[Interval, ...]) -> bool:
    """Whether all positive singular values lie in one of the intervals, which may touch, exactly."""
    gram = _gram(K)
    inside = sum(
        _count_from(gram, low**2) - count_eigenvalues_above(gram, high**2) for low, high in _merge(list(boxes))
    )
    return inside == count_eigenvalues_above(gram, Fraction(0))


def check_intervals(K: Matrix, boxes: tuple[Interval, ...]) -> tuple[Interval, ...]:
    """The intervals, if they hold all positive singular values, exactly.

    Raises
    ------
    InvalidModelError
        If they do not.
    """
    gram = _gram(K)
    wanted = count_eigenvalues_above(gram, Fraction(0))
    inside = sum(_count_from(gram, low**2) - count_eigenvalues_above(gram, high**2) for low, high in boxes)
    if inside != wanted:
        raise InvalidModelError(
            f"intervals must hold all {wanted} positive singular values of the operator, they hold {inside}"
        )
    return boxes


def _count_from(gram: Matrix, low: Fraction) -> int:
    """Positive eigenvalues >= low: n minus the eigenvalues of -gram above -low."""
    if low == 0:
        return count_eigenvalues_above(gram, low)
    negated = tuple(tuple(-v for v in row) for row in gram)
    return len(gram) - count_eigenvalues_above(negated, -low)
