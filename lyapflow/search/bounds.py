"""Sharp constants for a V that is already proved: ``|x|^2 <= V <= c2 |x|^2`` with the smallest c2 that can be proved.

The decrease inequality is homogeneous, so V may be scaled down until it touches ``|x|^2``; then c2 is minimised. For a
quadratic V both are eigenvalues; else both are small problems in one unknown and the multipliers, proved like all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np
from scipy.linalg import eigh

from ..certificates.verification import satisfies
from ..dynamics import Mode
from ..exact.dense import scalar
from ..exact.matrices import Matrix
from ..exact.rationals import rational, simplest_between
from ..lmi.dissipation import UPPER, storage_name
from ..lmi.pencil import Condition, Equality, Form, Pencil
from .arrays import may_have_face, on_face, to_arrays
from .direct import minimise
from .polish import polish
from .reduction import NO_FACE, ONE, find_face
from .rounding import prove
from .scaling import equilibrate

__all__ = ["sharpen"]

_SCALE = "scale of V"
_SLACKS = (1e-12, 1e-7, 1e-5, 1e-3, 1e-1)
"""Relative room for rounding around an eigenvalue, in order."""

_MARGINS = (1e-8, 1e-6, 1e-4, 1e-2)
"""Room that is kept inside the inequalities for rounding, in scaled units, in order."""


def sharpen(pencil: Pencil, modes: tuple[Mode, ...], values: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """The same proof with V scaled down to ``|x|^2`` and, where one exists, with the upper bound c2.

    Each part is proved for itself; who puts them together checks the whole.

    Parameters
    ----------
    pencil : Pencil
        Of the claim, with its upper bound.
    modes : tuple of Mode
        Of the system.
    values : mapping
        Exact unknowns that prove the claim without the upper bound.

    Returns
    -------
    dict
        Exact unknowns; `UPPER` is among them where a bound was proved.
    """
    if not any(name.startswith("positivity: ") for name in pencil.unknowns):
        return _sharpen_quadratic(pencil, modes, values)
    storage = {n: v for n, v in values.items() if ": " not in n}
    scaled = _smallest(_part(pencil, "positivity", storage, into=_SCALE), _SCALE)
    found = dict(values)
    if scaled is not None and scaled[_SCALE] < 1:
        factor = scaled.pop(_SCALE)
        found = {n: v * factor for n, v in values.items()} | scaled
    storage = {n: found[n] for n in storage}
    bound = _smallest(_part(pencil, UPPER, storage, into=ONE), UPPER)
    return found if bound is None else found | bound


def _sharpen_quadratic(pencil: Pencil, modes: tuple[Mode, ...], values: Mapping[str, Fraction]) -> dict[str, Fraction]:
    pairs = [(_storage(mode, values), mode) for mode in modes]
    if all(len(P) == 1 for P, _ in pairs):
        scale = max(mode.norm_above[0][0] / P[0][0] for P, mode in pairs)
        upper = max(P[0][0] * scale / mode.norm_below[0][0] for P, mode in pairs)
        return {n: v * scale for n, v in values.items()} | {UPPER: upper}
    least = max(_largest_eigenvalue(mode.norm_above, P) for P, mode in pairs)
    most = max(_largest_eigenvalue(P, mode.norm_below) for P, mode in pairs)
    for slack in _SLACKS:
        scale = simplest_between(rational(least * (1 + slack / 2)), rational(least * (1 + slack)))
        upper = rational(most * (1 + slack / 2)) * scale
        upper = simplest_between(upper, upper * (1 + rational(slack)))
        found = {n: v * scale for n, v in values.items()} | {UPPER: upper}
        if satisfies(pencil, found):
            return found
    return dict(values)


def _storage(mode: Mode, values: Mapping[str, Fraction]) -> Matrix:
    n = range(len(mode.norm_above))
    return tuple(tuple(values[storage_name(mode, min(i, j), max(i, j))] for j in n) for i in n)


def _largest_eigenvalue(a: Matrix, b: Matrix) -> float:
    return float(eigh(np.array(a, dtype=float), np.array(b, dtype=float), eigvals_only=True)[-1])


def _part(pencil: Pencil, part: str, storage: Mapping[str, Fraction], *, into: str) -> Pencil:
    """The conditions of one part, with the given storage function times the unknown `into`."""
    own = tuple(n for n in pencil.unknowns if n.startswith(f"{part}:"))
    extra = {UPPER} if part == UPPER else {into}
    return Pencil(
        unknowns=(*extra, *own),
        nonnegative=(*extra, *(n for n in pencil.nonnegative if n in own)),
        conditions=tuple(_collapse(c, storage, into) for c in pencil.conditions if c.name.startswith(part)),
        equalities=tuple(_fix(e, storage, into) for e in pencil.equalities if e.name.startswith(part)),
    )


def _collapse(condition: Condition, fixed: Mapping[str, Fraction], into: str) -> Condition:
    """The condition with some unknowns fixed, times the unknown `into` (`ONE`: they join the constant terms)."""
    name = None if into == ONE else into
    numbers = {n: scalar(v) for n, v in fixed.items()}

    def put(form: Form) -> Form:
        middle = tuple((name, i, j, c * numbers[n]) if n in numbers else (n, i, j, c) for n, i, j, c in form.middle)
        return replace(form, middle=middle)

    return replace(condition, forms=tuple(map(put, condition.forms)))


def _fix(equality: Equality, fixed: Mapping[str, Fraction], into: str) -> Equality:
    parts = tuple((into, w * fixed[n], s * fixed[n]) if n in fixed else (n, w, s) for n, w, s in equality.parts)
    return replace(equality, parts=parts)


def _smallest(pencil: Pencil, objective: str) -> dict[str, Fraction] | None:
    """Exact values with the smallest provable objective, or None."""
    raw = to_arrays(pencil)
    face = find_face(pencil) if may_have_face(raw, 0.0) else NO_FACE
    data = equilibrate(on_face(raw, face, 0.0), 0.0, loose=ONE if objective == _SCALE else UPPER)
    values = None
    for margin in _MARGINS if objective == UPPER else _MARGINS[::2]:
        values = minimise(data, objective, margin)
        if values is not None:
            proved = prove(pencil, face, values, data, simple=False)
            if proved is not None:
                return proved
    if objective != UPPER:  # V may stay as large as it is
        return None
    # Too badly scaled for double precision: some bound instead of the smallest.
    found = polish(pencil, face, values or dict(zip(data.names, data.unit.tolist(), strict=True)))
    return None if found is None else found[0]
