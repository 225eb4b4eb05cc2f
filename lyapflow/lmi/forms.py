"""Sums of forms ``(left z)' X(y) (right z)``, and all of them as one stack: read twice, in rationals and in floats.

Signs are decided in integers: numerators over one common denominator, which is positive and so has no say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate as accumulated
from typing import TypeAlias

from ..exact.dense import (
    Dense,
    Scalar,
    accumulate,
    congruence,
    is_semidefinite,
    is_whole_semidefinite,
    numerators,
    scalar,
    stack_rows,
)

__all__ = ["Entry", "Form", "Stack"]

_SMALL = 12
"""Up to this size numerators over one common denominator are short enough to work with."""

Entry: TypeAlias = tuple[str | None, int, int, Scalar]
"""Unknown (None is the constant 1), row, column, coefficient."""

_ZERO = scalar(Fraction(0))


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    r"""The quadratic form :math:`(w + p\,s)\,(L z)^\top X(y)\,(R z)` with parameter p.

    Attributes
    ----------
    left, right : Dense, shapes (a, size) and (b, size)
        L and R, over the signals z.
    middle : tuple of Entry
        Entries of X, shape (a, b); what stands at one place adds up.
    weight, slope : Fraction
        w and s.
    """

    left: Dense
    right: Dense
    middle: tuple[Entry, ...]
    weight: Fraction = Fraction(1)
    slope: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Forms as one form ``2 (rows z)' (X(y) + p Y(y)) (rows z)``, which is read twice: in rationals and in floats.

    Attributes
    ----------
    rows : Dense
        All left and right sides, one below the other.
    fixed, moving : tuple of Entry
        Entries of X and of Y.
    """

    rows: Dense
    fixed: tuple[Entry, ...]
    moving: tuple[Entry, ...]

    @staticmethod
    @lru_cache(maxsize=64)  # the conditions of all parameters share their forms
    def of(forms: tuple[Form, ...]) -> Stack:
        """The stack of forms; a side that occurs several times stands there once."""
        sides = list({id(side): side for form in forms for side in (form.left, form.right)}.values())
        start = dict(zip(map(id, sides), accumulated((side.nrows() for side in sides), initial=0), strict=False))
        fixed: list[Entry] = []
        moving: list[Entry] = []
        for form in forms:
            top, left = start[id(form.left)], start[id(form.right)]
            for weight, entries in ((form.weight, fixed), (form.slope, moving)):
                if weight:
                    half = scalar(weight / 2)
                    entries += [(name, top + i, left + j, half * c) for name, i, j, c in form.middle]
        return Stack(stack_rows(sides), tuple(fixed), tuple(moving))

    def at(self, numbers: Mapping[str, Scalar], parameter: Fraction) -> Dense:
        """The symmetric matrix at given unknowns."""
        return congruence(self.rows, self._fill(numbers, parameter))

    def is_semidefinite(self, numbers: Mapping[str, Scalar], parameter: Fraction) -> bool:
        """Whether that matrix is positive semidefinite, exactly."""
        if self.rows.ncols() > _SMALL:
            return is_semidefinite(self.at(numbers, parameter))
        return is_whole_semidefinite(numerators(self.rows), numerators(self._fill(numbers, parameter)))

    def _fill(self, numbers: Mapping[str, Scalar], parameter: Fraction) -> Dense:
        """The middle matrix at given unknowns."""
        size, p = self.rows.nrows(), scalar(parameter)
        entries = [(i, j, c if name is None else c * numbers[name]) for name, i, j, c in self.fixed]
        entries += [(i, j, p * c if name is None else p * c * numbers[name]) for name, i, j, c in self.moving]
        return accumulate(size, size, entries)
