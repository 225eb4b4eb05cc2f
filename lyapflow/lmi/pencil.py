"""The one exact object to which every claim reduces: unknowns, matrix inequalities, signs, equalities.

A matrix inequality is a sum of forms ``(left z)' X(y) (right z)``, where z are the signals and X collects unknowns: the
storage matrix between two states, or multipliers between the signals of an oracle. It is assembled once and read twice:
`search` takes the parts to floating point, `certificates` substitutes rationals; neither multiplies it out. All is
affine in one parameter, that of the claim, so a pencil for another claim of the same kind costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from ..exact.dense import Scalar, as_matrix, fraction, nonzero_rows, scalar, scalars
from ..exact.matrices import Matrix, zeros
from .forms import Entry, Form, Stack

__all__ = ["Condition", "Entry", "Equality", "Form", "Pencil", "Stack"]

_ZERO = scalar(Fraction(0))


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

    @property
    def stack(self) -> Stack:
        """The forms as one."""
        return Stack.of(self.forms)

    def at(self, values: Mapping[str, Fraction]) -> Matrix:
        """The matrix at given unknowns, exactly."""
        return as_matrix(self.stack.at(scalars(values), self.parameter))

    def holds(self, numbers: Mapping[str, Scalar]) -> bool:
        """Whether the matrix is positive semidefinite at given unknowns, exactly."""
        return self.stack.is_semidefinite(numbers, self.parameter)

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

    @property
    def coefficients(self) -> list[tuple[str, Scalar]]:
        """The same inside python-flint."""
        p = scalar(self.parameter)
        return [(name, scalar(w) + p * scalar(s) if s else scalar(w)) for name, w, s in self.parts]

    def at(self, values: Mapping[str, Fraction]) -> Fraction:
        """The left side at given unknowns, exactly."""
        return fraction(self._sum(scalars(values)))

    def holds(self, numbers: Mapping[str, Scalar]) -> bool:
        """Whether it holds at given unknowns, exactly."""
        return not self._sum(numbers)

    def _sum(self, numbers: Mapping[str, Scalar]) -> Scalar:
        return sum((c * numbers[name] for name, c in self.coefficients), _ZERO)


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

    def holds(self, numbers: Mapping[str, Scalar]) -> bool:
        """Whether all of it holds at given unknowns, exactly: then the claim is proved."""
        return (
            all(numbers[name] >= 0 for name in self.nonnegative)
            and all(equality.holds(numbers) for equality in self.equalities)
            and all(condition.holds(numbers) for condition in self.conditions)
        )

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
        return Pencil(
            unknowns=self.unknowns,
            nonnegative=self.nonnegative,
            conditions=tuple(
                Condition(name=c.name, signals=c.signals, forms=c.forms, parameter=parameter) for c in self.conditions
            ),
            equalities=tuple(Equality(name=e.name, parts=e.parts, parameter=parameter) for e in self.equalities),
        )
