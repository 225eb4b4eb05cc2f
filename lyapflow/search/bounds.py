"""Sharp constants for a V that is already proved: ``|x|^2 <= V <= c2 |x|^2`` with the smallest c2 that can be proved.

The decrease inequality is homogeneous, so V may be scaled down until it touches ``|x|^2``. For a quadratic V both
constants are eigenvalues; else they are the optimum of a small problem with V fixed, proved like all.
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
from ..exact.rationals import rational, round_up, simplest_between
from ..lmi.dissipation import UPPER, storage_name
from ..lmi.pencil import Equality, Form, Pencil
from .arrays import may_have_face, on_face, to_arrays
from .direct import minimise
from .polish import polish
from .reduction import NO_FACE, ONE, find_face
from .rounding import prove
from .scaling import equilibrate

__all__ = ["LOWER", "sharpen", "tighten"]

LOWER = "positivity"
"""Name of the unknown c1 in ``c1 |x|^2 <= V``, which stands where positivity has 1."""

_SLACKS = (1e-12, 1e-7, 1e-5, 1e-3, 1e-1)
"""Relative room for rounding around an eigenvalue, in order."""

_SCALE_BITS = 30
"""Of the number by which V is scaled down: few, so that the numbers of a proof stay short."""

_MARGINS = (1e-8, 1e-6, 1e-4)
"""Room that is kept inside the inequalities for rounding, relative to V in scaled units, in order."""


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
    if not any(name.startswith(f"{LOWER}: ") for name in pencil.unknowns):
        return _sharpen_quadratic(pencil, modes, values)
    pair = _fix_storage(pencil, {n: v for n, v in values.items() if ": " not in n})
    found = tighten(pair, {LOWER: -1.0, UPPER: 1.0})
    if found is None:  # there may be one without the other
        lower = tighten(pair.without(UPPER), {LOWER: -1.0})
        upper = tighten(pair.without(LOWER), {UPPER: 1.0})
        found = (lower or {}) | (upper or {})
    scale = round_up(1 / found.pop(LOWER, Fraction(1)), _SCALE_BITS)
    if scale >= 1:  # V is as small as it can be, and its proof with it
        scale = Fraction(1)
        found = {n: v for n, v in found.items() if not n.startswith(LOWER)}
    return {n: v * scale for n, v in {**values, **found}.items()}


def _sharpen_quadratic(pencil: Pencil, modes: tuple[Mode, ...], values: Mapping[str, Fraction]) -> dict[str, Fraction]:
    pairs = [(_storage(mode, values), mode) for mode in modes]
    if all(len(P) == 1 for P, _ in pairs):
        scale = max(mode.norm_above[0][0] / P[0][0] for P, mode in pairs)
        upper = max(P[0][0] * scale / mode.norm_below[0][0] for P, mode in pairs)
        return {n: v * scale for n, v in values.items()} | {UPPER: upper}
    least = max(_largest_eigenvalue(mode.norm_above, P) for P, mode in pairs)
    most = max(_largest_eigenvalue(*_without_filters(P, mode.norm_below)) for P, mode in pairs)
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


def _without_filters(P: Matrix, norm: Matrix) -> tuple[Matrix, Matrix]:
    """P and the norm on the states alone: filters come last, have no part in the norm, and are at rest at the start."""
    n = sum(map(any, norm))
    return tuple(row[:n] for row in P[:n]), tuple(row[:n] for row in norm[:n])


def _largest_eigenvalue(a: Matrix, b: Matrix) -> float:
    return float(eigh(np.array(a, dtype=float), np.array(b, dtype=float), eigvals_only=True)[-1])


def _fix_storage(pencil: Pencil, storage: Mapping[str, Fraction]) -> Pencil:
    """What bounds a given V from both sides, ``c1 |x|^2 <= V <= c2 |x|^2``: unknown are c1, c2 and multipliers."""
    own = tuple(n for n in pencil.unknowns if n.startswith((f"{LOWER}: ", f"{UPPER}: ")))
    numbers = {n: scalar(v) for n, v in storage.items()}

    def fix(form: Form) -> Form:
        """V joins the constant terms; what is constant is the norm, times c1."""
        return replace(
            form,
            middle=tuple(
                (None, i, j, c * numbers[n]) if n in numbers else (n or LOWER, i, j, c) for n, i, j, c in form.middle
            ),
        )

    def settle(equality: Equality) -> Equality:
        parts = tuple(
            (ONE, w * storage[n], s * storage[n]) if n in storage else (n, w, s) for n, w, s in equality.parts
        )
        return replace(equality, parts=parts)

    return Pencil(
        unknowns=(LOWER, UPPER, *own),
        nonnegative=(LOWER, UPPER, *(n for n in pencil.nonnegative if n in own)),
        conditions=tuple(
            replace(c, forms=tuple(map(fix, c.forms))) for c in pencil.conditions if c.name.startswith((LOWER, UPPER))
        ),
        equalities=tuple(settle(e) for e in pencil.equalities if e.name.startswith((LOWER, UPPER))),
    )


def tighten(pencil: Pencil, objective: Mapping[str, float]) -> dict[str, Fraction] | None:
    """Exact values with the smallest provable sum of some unknowns, weighted; None if nothing is proved."""
    raw = to_arrays(pencil)
    face = find_face(pencil) if may_have_face(raw, 0.0) else NO_FACE
    data = equilibrate(on_face(raw, face, 0.0), 0.0, loose=objective)
    for margin in _MARGINS:
        values = minimise(data, objective, margin / float(data.unit[-1]))
        if values is None:  # with more room there is none either
            break
        proved = prove(pencil, face, values, data, simple=False)
        if proved is not None:
            return proved
    if LOWER in objective:  # V may stay as large as it is
        return None
    # Too badly scaled for double precision: some bound instead of the smallest.
    found = polish(pencil, face, values or dict(zip(data.names, data.unit.tolist(), strict=True)))
    return None if found is None else found[0]
