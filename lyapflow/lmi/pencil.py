"""The one exact object to which every claim reduces: unknowns, matrix inequalities, signs, equalities.

A pencil is assembled once and read twice: `search` takes its matrices to floating point, `certificates` substitutes
rationals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from ..exact.matrices import Matrix, add, scale, zeros

__all__ = ["Condition", "Equality", "Pencil"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    r"""The matrix inequality :math:`F_0 + \sum_i y_i F_i \succeq 0`.

    Attributes
    ----------
    name : str
        Names the inequality in messages and reports.
    signals : tuple of str
        What the rows stand for.
    constant : Matrix
        :math:`F_0`.
    terms : tuple of (unknown, Matrix)
        :math:`F_i`, symmetric, by the name of the unknown.
    """

    name: str
    signals: tuple[str, ...]
    constant: Matrix
    terms: tuple[tuple[str, Matrix], ...]

    def at(self, values: Mapping[str, Fraction]) -> Matrix:
        """The matrix at given unknowns, exactly."""
        return add(self.constant, *(scale(values[name], term) for name, term in self.terms if values[name]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Equality:
    r"""The equality :math:`\sum_i c_i y_i = 0`: a coefficient of a function value must vanish."""

    name: str
    terms: tuple[tuple[str, Fraction], ...]

    def at(self, values: Mapping[str, Fraction]) -> Fraction:
        """The left side at given unknowns, exactly."""
        return sum((c * values[name] for name, c in self.terms), Fraction(0))


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


def collect(name: str, signals: tuple[str, ...], parts: list[tuple[str | None, Matrix]]) -> Condition:
    """Sum parts by unknown (None is the constant) into a condition."""
    size = len(signals)
    constant = zeros(size, size)
    found: dict[str, Matrix] = {}
    for unknown, part in parts:
        if unknown is None:
            constant = add(constant, part)
        else:
            found[unknown] = add(found[unknown], part) if unknown in found else part
    terms = tuple((n, t) for n, t in found.items() if any(any(row) for row in t))
    return Condition(name=name, signals=signals, constant=constant, terms=terms)
