"""Reading what a caller gives: counts, positive numbers, exact rows, indices, each refused with its name."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from ..errors import InvalidModelError
from ..exact.rationals import rational, shorten

__all__ = ["FixedModel", "read_count", "read_index", "read_name", "read_positive", "read_row", "require_floats"]

_LEAST = Fraction(1, 10**75)
"""Fourth powers of numbers that are not smaller are floats."""


class FixedModel:
    """A model whose attributes are set once: what is proved of it stays true of it.

    Examples
    --------
    >>> model = FixedModel()
    >>> model.depth = 3
    >>> model.depth = 4
    Traceback (most recent call last):
    AttributeError: FixedModel.depth cannot be changed; make a new model
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name in self.__dict__:
            raise AttributeError(f"{type(self).__name__}.{name} cannot be changed; make a new model")
        super().__setattr__(name, value)


def read_count(value: object, name: str, *, least: int = 1) -> int:
    """An integer, not below `least`.

    Raises
    ------
    InvalidModelError
        If it is something else.

    Examples
    --------
    >>> read_count(3, "depth")
    3
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InvalidModelError(f"{name} must be an integer >= {least}, got {value!r:.60}")
    return int(value)


def read_positive(value: object, name: str, *, or_zero: bool = False) -> float:
    """A finite number above 0, or 0 where that is allowed, in floats.

    Raises
    ------
    InvalidModelError
        If it is something else, or beyond the range of floats.

    Examples
    --------
    >>> read_positive("1/2", "scale")
    0.5
    """
    exact = rational(value, name=name)
    try:
        number = float(exact)
    except OverflowError:
        number = np.inf
    if not 0 < number < np.inf and not (or_zero and number == 0):
        raise InvalidModelError(f"{name} must be {'>=' if or_zero else '>'} 0 and finite, got {value!r:.60}")
    return number


def read_row(values: object, name: str) -> tuple[Fraction, ...]:
    """A row of numbers, exactly.

    Raises
    ------
    InvalidModelError
        If it is no row, or an entry is not a finite real number.

    Examples
    --------
    >>> read_row([1, "1/3"], "labels")
    (Fraction(1, 1), Fraction(1, 3))
    """
    if isinstance(values, str | dict) or not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0:
        raise InvalidModelError(f"{name} must be a row of numbers, got {values!r:.60}")
    return tuple(rational(v, name=f"{name}[{k}]") for k, v in enumerate(values))


def require_floats(values: Iterable[Fraction], name: str) -> None:
    """Refuse numbers that are so large or small that their products leave the range of floats.

    Raises
    ------
    InvalidModelError
        If one that is not 0 is beyond 1e-75 or 1e75 in size.
    """
    for value in values:
        if value and not _LEAST <= abs(value) <= 1 / _LEAST:
            raise InvalidModelError(
                f"{name} must lie between 1e-75 and 1e75 in size, or be 0, got {shorten(value)}; scale the problem"
            )


def read_index(value: object, size: int, name: str) -> int:
    """An index below a size, counted from 0.

    Raises
    ------
    InvalidModelError
        If it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < size:
        raise InvalidModelError(f"{name} must be an index from 0 to {size - 1}, got {value!r:.60}")
    return int(value)


def read_name(value: object, names: tuple[str, ...], name: str) -> str:
    """One of several names.

    Raises
    ------
    InvalidModelError
        If it is none of them.
    """
    if not isinstance(value, str) or value not in names:
        raise InvalidModelError(f"{name} must be one of {', '.join(names)}, got {value!r:.60}")
    return value
