"""The one exact object to which every claim reduces: unknowns, matrix inequalities, signs, equalities.

A matrix inequality is a sum of forms ``(left z)' X(y) (right z)``, where z are the signals and X collects unknowns: the
storage matrix between two states, or multipliers between the signals of an oracle. It is assembled once and read twice:
`search` takes the parts to floating point, `certificates` substitutes rationals; neither multiplies it out. All is
affine in one parameter, that of the claim, so a pencil for another claim of the same kind costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from ..exact.dense import (
    Dense,
    Scalar,
    accumulate,
    add,
    as_matrix,
    congruence,
    fraction,
    is_semidefinite,
    nonzero_rows,
    scalar,
    zero,
)
from ..exact.matrices import Matrix, zeros

__all__ = ["Condition", "Entry", "Equality", "Form", "Pencil"]

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

    def at(self, values: Mapping[str, Fraction], parameter: Fraction) -> Dense | None:
        """The symmetric matrix of the form at given unknowns, exactly; None if its weight is zero."""
        weight = self.weight + parameter * self.slope
        if not weight:
            return None
        numbers = {name: scalar(values[name]) for name in {entry[0] for entry in self.middle} if name is not None}
        entries = ((i, j, c if name is None else c * numbers[name]) for name, i, j, c in self.middle)
        middle = accumulate(self.left.nrows(), self.right.nrows(), entries)
        return congruence(self.left, middle, self.right, scalar(weight))


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    r"""The matrix inequality :math:`F_0 + \sum_i y_i F_i \succeq 0`, as a sum of forms.

    Attributes
    ----------
    name : str
        Names the inequality in messages and reports.
    signals : tuple of str
        What the rows stand for.
    forms : tuple of Form
        Their sum is the matrix.
    parameter : Fraction
        Parameter of the claim.
    """

    name: str
    signals: tuple[str, ...]
    forms: tuple[Form, ...]
    parameter: Fraction

    def at(self, values: Mapping[str, Fraction]) -> Matrix:
        """The matrix at given unknowns, exactly."""
        return as_matrix(self._sum(values))

    def holds(self, values: Mapping[str, Fraction]) -> bool:
        """Whether the matrix is positive semidefinite at given unknowns, exactly."""
        return is_semidefinite(self._sum(values))

    def _sum(self, values: Mapping[str, Fraction]) -> Dense:
        total = zero(len(self.signals), len(self.signals))
        for form in self.forms:
            part = form.at(values, self.parameter)
            total = total if part is None else add(total, part)
        return total

    def expand(self) -> dict[tuple[int, int], dict[str | None, Scalar]]:
        """Each entry ``i <= j`` that is not identically zero, as a linear form in the unknowns (None: constant)."""
        found: dict[tuple[int, int], dict[str | None, Scalar]] = {}
        for form in self.forms:
            weight = scalar((form.weight + self.parameter * form.slope) / 2)
            left, right = nonzero_rows(form.left), nonzero_rows(form.right)
            for name, a, b, c in form.middle:
                for i, v in left[a]:
                    for j, w in right[b]:
                        part = weight * c * v * w
                        entry = found.setdefault((min(i, j), max(i, j)), {})
                        entry[name] = entry.get(name, _ZERO) + (2 * part if i == j else part)
        kept = {at: {name: c for name, c in entry.items() if c} for at, entry in found.items()}
        return {at: entry for at, entry in kept.items() if entry}

    @property
    def constant(self) -> Matrix:
        """F_0, multiplied out."""
        return self._multiply_out().get(None, zeros(len(self.signals), len(self.signals)))

    @property
    def terms(self) -> tuple[tuple[str, Matrix], ...]:
        """F_i by the name of its unknown, multiplied out; for inspection of small conditions."""
        return tuple((name, term) for name, term in self._multiply_out().items() if name is not None)

    def _multiply_out(self) -> dict[str | None, Matrix]:
        size = len(self.signals)
        tables: dict[str | None, list[list[Fraction]]] = {}
        for (i, j), entry in self.expand().items():
            for name, value in entry.items():
                table = tables.setdefault(name, [[Fraction(0)] * size for _ in range(size)])
                table[i][j] = table[j][i] = fraction(value)
        return {name: tuple(map(tuple, table)) for name, table in tables.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Equality:
    r"""The equality :math:`\sum_i c_i y_i = 0`: a coefficient of a function value must vanish.

    Attributes
    ----------
    name : str
        Names the equality.
    parts : tuple of (unknown, weight, slope)
        ``c = weight + parameter * slope``.
    parameter : Fraction
        Parameter of the claim.
    """

    name: str
    parts: tuple[tuple[str, Fraction, Fraction], ...]
    parameter: Fraction

    @property
    def terms(self) -> tuple[tuple[str, Fraction], ...]:
        """Each unknown with its coefficient."""
        return tuple((name, w + self.parameter * s if s else w) for name, w, s in self.parts)

    def at(self, values: Mapping[str, Fraction]) -> Fraction:
        """The left side at given unknowns, exactly."""
        return fraction(sum((scalar(c) * scalar(values[name]) for name, c in self.terms), scalar(Fraction(0))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pencil:
    """All conditions of one claim about one system.

    Attributes
    ----------
    unknowns : tuple of str
        Names, in a fixed order.
    nonnegative : tuple of str
        Unknowns that must be >= 0 (multipliers).
    conditions : tuple of Condition
        Matrix inequalities.
    equalities : tuple of Equality
        Coefficients that must vanish.
    """

    unknowns: tuple[str, ...]
    nonnegative: tuple[str, ...]
    conditions: tuple[Condition, ...]
    equalities: tuple[Equality, ...]

    def without(self, part: str) -> Pencil:
        """The pencil without one part of the proof: its conditions, equalities, multipliers and its own unknown."""
        own = {part, *(name for name in self.unknowns if name.startswith(f"{part}: "))}
        return Pencil(
            unknowns=tuple(name for name in self.unknowns if name not in own),
            nonnegative=tuple(name for name in self.nonnegative if name not in own),
            conditions=tuple(c for c in self.conditions if not c.name.startswith(part)),
            equalities=tuple(e for e in self.equalities if not e.name.startswith(f"{part}: ")),
        )

    def move(self, parameter: Fraction) -> Pencil:
        """The pencil of another claim of the same kind, by its parameter."""
        return replace(
            self,
            conditions=tuple(replace(c, parameter=parameter) for c in self.conditions),
            equalities=tuple(replace(e, parameter=parameter) for e in self.equalities),
        )
