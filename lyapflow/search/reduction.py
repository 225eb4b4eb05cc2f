"""Facial reduction: rows of a matrix inequality that can only vanish, found exactly and taken out.

A diagonal entry that is identically zero forces its whole row to vanish; a diagonal entry that is minus a sum of
multipliers forces those to vanish. Both happen for every class with ``L = infinity`` and every monotone operator, and a
solver that is not told so finds no interior. The reduction serves the search alone: a proof substitutes into the
whole pencil.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ..exact.dense import Scalar, accumulate, reduced_rows, scalar
from ..lmi.pencil import Pencil

__all__ = ["NO_FACE", "ONE", "Face", "find_face", "linear_equalities"]

ONE = "1"
"""Name of the unknown that multiplies the constant terms: the search works with the homogeneous pencil."""

Rows: TypeAlias = list[list[Scalar]]

_Entries = dict[tuple[int, int], dict[str | None, Scalar]]
_ZERO = scalar(Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What must vanish in a pencil.

    Attributes
    ----------
    zero_rows : tuple of (condition, row)
        Rows, with their columns.
    zero_entries : tuple of (condition, row, column)
        Entries of those rows that are not identically zero.
    zero_unknowns : tuple of str
        Multipliers that must vanish.
    """

    zero_rows: tuple[tuple[int, int], ...] = ()
    zero_entries: tuple[tuple[int, int, int], ...] = ()
    zero_unknowns: tuple[str, ...] = ()


NO_FACE = Face()
"""Nothing must vanish."""


def _entry(entries: _Entries, row: int, column: int) -> dict[str, Scalar]:
    """An entry of the homogeneous condition as a linear form in the unknowns."""
    form = entries.get((min(row, column), max(row, column)), {})
    return {ONE if name is None else name: value for name, value in form.items()}


def linear_equalities(
    pencil: Pencil, face: Face, entries: Mapping[int, _Entries] | None = None
) -> tuple[Rows, tuple[str, ...]]:
    """All equalities of the pencil on its face, as rows over the unknowns and `ONE`; reduced, so full rank."""
    columns = (*pencil.unknowns, ONE)
    index = {name: k for k, name in enumerate(columns)}
    forms = [dict(e.coefficients) for e in pencil.equalities]
    if face.zero_entries:
        known = entries or {k: pencil.conditions[k].expand() for k in {k for k, _, _ in face.zero_entries}}
        forms += [_entry(known[k], i, j) for k, i, j in face.zero_entries]
    forms += [{name: scalar(Fraction(1))} for name in face.zero_unknowns]
    found = [(k, index[name], value) for k, form in enumerate(forms) for name, value in form.items()]
    return reduced_rows(accumulate(len(forms), len(columns), found)), columns


def find_face(pencil: Pencil) -> Face:
    """The smallest face that the diagonal entries show, by repetition until nothing changes."""
    expanded = {k: condition.expand() for k, condition in enumerate(pencil.conditions)}
    kept = [list(range(len(c.signals))) for c in pencil.conditions]
    rows: list[tuple[int, int]] = []
    entries: list[tuple[int, int, int]] = []
    unknowns: list[str] = []
    signed = {*pencil.nonnegative, ONE}
    while True:
        face = Face(zero_rows=tuple(rows), zero_entries=tuple(entries), zero_unknowns=tuple(unknowns))
        equalities, columns = linear_equalities(pencil, face, expanded)
        changed = False
        for k, condition in enumerate(pencil.conditions):
            for i in list(kept[k]):
                form = _entry(expanded[k], i, i)
                if _vanishes(form, equalities, columns):
                    entries += [(k, i, j) for j in range(len(condition.signals)) if _entry(expanded[k], i, j)]
                    rows.append((k, i))
                    kept[k].remove(i)
                    changed = True
                elif all(name in signed and value < 0 for name, value in form.items()):
                    fresh = [name for name in form if name not in unknowns]
                    unknowns += fresh
                    changed = changed or bool(fresh)
        for name in _forced_to_zero(equalities, columns, signed):
            if name not in unknowns:
                unknowns.append(name)
                changed = True
        if not changed:
            return face


def _forced_to_zero(equalities: Rows, columns: tuple[str, ...], signed: set[str]) -> list[str]:
    """Nonnegative unknowns that an equality sums to zero."""
    found: list[str] = []
    for row in equalities:
        terms = {name: value for name, value in zip(columns, row, strict=True) if value}
        if all(name in signed for name in terms) and len({value > 0 for value in terms.values()}) == 1:
            found += list(terms)
    return found


def _vanishes(form: dict[str, Scalar], equalities: Rows, columns: tuple[str, ...]) -> bool:
    """Whether a linear form is zero wherever the (reduced) equalities hold."""
    rest = [form.get(name, _ZERO) for name in columns]
    for row in equalities:
        pivot = next(j for j, v in enumerate(row) if v)
        factor = rest[pivot]
        if factor:
            rest = [a - factor * b for a, b in zip(rest, row, strict=True)]
    return not any(rest)
