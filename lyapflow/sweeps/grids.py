"""Grids: which points a sweep visits, in exact numbers that are short to write."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal
from fractions import Fraction
from itertools import product
from typing import TypeAlias

from ..errors import InvalidModelError
from ..exact.rationals import as_text, rational, shorten, show_below

__all__ = ["Grid", "Point", "Value", "geomspace", "linspace", "read_grid", "to_key", "write_value"]

Value: TypeAlias = Fraction | str
"""An exact number, or a text that is not one."""

Point: TypeAlias = Mapping[str, Value]
"""Values by name: the keyword arguments of one call of a task."""

Grid: TypeAlias = Mapping[str, Iterable[object]] | Iterable[Mapping[str, object]]
"""Axes, of which every combination is visited; or the points themselves."""

_MOST_POINTS = 1_000_000
_MOST_LETTERS = 200
_OWN = Context(prec=50)  # not the thread's: a grid does not depend on who asks


def read_grid(grid: Grid) -> tuple[Point, ...]:
    """Points of a grid, in order: the last axis runs fastest.

    Raises
    ------
    InvalidModelError
        If the grid is empty, a value is neither a number nor a text, the points have different names, or one is there
        twice.

    Examples
    --------
    >>> [dict(point) for point in read_grid({"kappa": [2, "1/3"]})]
    [{'kappa': Fraction(2, 1)}, {'kappa': Fraction(1, 3)}]
    """
    points = _combine(grid) if isinstance(grid, Mapping) else _list_points(grid)
    if not points:
        raise InvalidModelError("grid must have at least one point, got none")
    names = set(points[0])
    seen: set[str] = set()
    for point in points:
        if set(point) != names:
            raise InvalidModelError(
                f"grid: all points must have the same names, got {sorted(names)} and {sorted(point)}"
            )
        key = to_key(point)
        if key in seen:
            raise InvalidModelError(f"grid: each point must be there once, got {key} twice")
        seen.add(key)
    return points


def _combine(grid: Mapping[str, Iterable[object]]) -> tuple[Point, ...]:
    axes: dict[str, tuple[object, ...]] = {}
    for name, values in grid.items():
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise InvalidModelError(f"grid[{name!r}] must be a sequence of values, got {values!r:.60}")
        axes[name] = tuple(values)
    size = math.prod(map(len, axes.values()))
    if size > _MOST_POINTS:
        raise InvalidModelError(f"grid must have at most {_MOST_POINTS} points, got {size}")
    if not axes:
        return ()
    read = [[_read_value(name, value) for value in values] for name, values in axes.items()]
    return tuple(dict(zip(axes, values, strict=True)) for values in product(*read))


def _list_points(grid: Iterable[Mapping[str, object]]) -> tuple[Point, ...]:
    if isinstance(grid, str) or not isinstance(grid, Iterable):
        raise InvalidModelError(f"grid must be a mapping of names to values, or a sequence of points, got {grid!r:.60}")
    points = tuple(grid)
    for point in points:
        if not isinstance(point, Mapping) or not point:
            raise InvalidModelError(f"grid: a point must be a mapping of names to values, got {point!r:.60}")
    return tuple({name: _read_value(name, value) for name, value in point.items()} for point in points)


def _read_value(name: str, value: object) -> Value:
    """A text that begins like a number must be one; other texts stay texts."""
    if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
        raise InvalidModelError(f"grid: names must be those of the task's arguments, got {name!r:.60}")
    if isinstance(value, str) and value.strip()[:1] not in tuple("+-.0123456789"):
        if not value.strip() or len(value) > _MOST_LETTERS:
            raise InvalidModelError(f"grid: {name} must have 1 to {_MOST_LETTERS} letters, got {value!r:.60}")
        return value
    return rational(value, name=f"grid: {name}")


def to_key(point: Point) -> str:
    """Canonical text of a point: equal for equal points only, whatever the order of their names.

    >>> to_key({"mu": Fraction(1, 3), "flow": "gradient"})
    '{"flow": "gradient", "mu": "1/3"}'
    """
    texts = {name: value if isinstance(value, str) else as_text(value) for name, value in point.items()}
    return json.dumps(texts, sort_keys=True, ensure_ascii=True)


def write_value(value: Value) -> str:
    """A value for people: a decimal where it is one, else a quotient.

    >>> write_value(Fraction(3, 8)), write_value(Fraction(1, 3)), write_value("gradient")
    ('0.375', '1/3', 'gradient')
    """
    if isinstance(value, str):
        return value
    decimal = show_below(value, 17)
    return decimal if Fraction(decimal) == value else as_text(value)


def linspace(low: object, high: object, count: int) -> list[Fraction]:
    """Evenly spaced numbers, the ends included; those between are rounded to short decimals.

    Parameters
    ----------
    low, high : rational
        Ends, ``low < high``.
    count : int
        How many, at least 2.

    Returns
    -------
    list of Fraction
        Ascending, each within half a percent of a spacing of its place.

    Raises
    ------
    InvalidModelError
        If an argument is out of range.

    Examples
    --------
    >>> [str(v) for v in linspace(0, "1/2", 3)]
    ['0', '1/4', '1/2']
    """
    first, last, n = _read_ends(low, high, count)
    spacing = (last - first) / (n - 1)
    return [first, *(_round(first + k * spacing, spacing / 200) for k in range(1, n - 1)), last]


def geomspace(low: object, high: object, count: int) -> list[Fraction]:
    """Numbers evenly spaced on a logarithmic axis, the ends included; those between are rounded to short decimals.

    Parameters
    ----------
    low, high : rational
        Ends, ``0 < low < high``.
    count : int
        How many, at least 2.

    Returns
    -------
    list of Fraction
        Ascending, each within half a percent of a spacing of its place.

    Raises
    ------
    InvalidModelError
        If an argument is out of range.

    Examples
    --------
    >>> [str(v) for v in geomspace(1, "1e4", 5)]
    ['1', '10', '100', '1000', '10000']
    >>> [float(v) for v in geomspace(1, 10, 4)]
    [1.0, 2.15, 4.64, 10.0]
    """
    first, last, n = _read_ends(low, high, count)
    if first <= 0:
        raise InvalidModelError(f"a logarithmic axis needs low > 0, got low={shorten(first)}")
    slope = _OWN.divide(_OWN.ln(_to_decimal(last / first)), n - 1)
    ratios = [Fraction(_OWN.exp(_OWN.multiply(slope, k))) for k in range(1, n - 1)]
    spacing = 1 - 1 / Fraction(_OWN.exp(slope))  # to the number below, relative
    return [first, *(_round(first * ratio, first * ratio * spacing / 200) for ratio in ratios), last]


def _read_ends(low: object, high: object, count: int) -> tuple[Fraction, Fraction, int]:
    first, last = rational(low, name="low"), rational(high, name="high")
    if not first < last:
        raise InvalidModelError(f"an axis needs low < high, got low={shorten(first)}, high={shorten(last)}")
    if isinstance(count, bool) or not isinstance(count, int) or not 2 <= count <= _MOST_POINTS:
        raise InvalidModelError(f"an axis needs a count from 2 to {_MOST_POINTS}, got {count!r}")
    return first, last, count


def _to_decimal(value: Fraction) -> Decimal:
    return _OWN.divide(Decimal(value.numerator), Decimal(value.denominator))


def _round(value: Fraction, tolerance: Fraction) -> Fraction:
    """The multiple of a power of ten next to a number, with the largest power that the tolerance allows."""
    unit = Fraction(10) ** math.floor(_OWN.log10(_to_decimal(2 * tolerance)))
    return round(value / unit) * unit
