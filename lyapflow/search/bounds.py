"""Sharp constants for a V that is already proved: ``|x|^2 <= V <= c2 |x|^2`` with the smallest c2 that can be proved.

The decrease inequality is homogeneous, so V may be scaled down until it touches ``|x|^2``. For a quadratic V both
constants are eigenvalues; else they are the optimum of a small problem with V fixed, proved like all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from scipy.linalg import eigh

from ..dynamics import Mode
from ..exact.dense import Scalar, fraction, scalar, scalars
from ..exact.matrices import identity
from ..exact.rationals import rational, round_up, simplest_between
from ..lmi.dissipation import UPPER, storage_name
from ..lmi.pencil import Equality, Form, Pencil
from .arrays import ConeData, may_have_face, on_face, restrict, to_arrays
from .direct import minimise
from .polish import polish
from .reduction import NO_FACE, ONE, Face, find_face
from .rounding import round_onto
from .scaling import equilibrate

__all__ = ["LOWER", "has_multipliers", "sharpen", "sharpen_proof", "tighten"]

LOWER = "positivity"
"""Name of the unknown c1 in ``c1 |x|^2 <= V``, which stands where positivity has 1."""

_SLACKS = (1e-12, 1e-7, 1e-5, 1e-3, 1e-1)
"""Relative room for rounding around an eigenvalue, in order."""

_ACCURATE = 1e-3
"""An eigenvalue of this relative size is known to nearly all digits; of a smaller one, its inverse is asked."""

_SCALE_BITS = 30
"""Of the number by which V is scaled down: few, so that the numbers of a proof stay short."""

_MARGINS = (1e-8, 1e-6, 1e-4)
"""Room that is kept inside the inequalities for rounding, relative to V in scaled units, in order."""


_ONE = scalar(Fraction(1))

Numbers: TypeAlias = dict[str, Scalar]
Rows: TypeAlias = Sequence[Sequence[Fraction | Scalar]]
Settle: TypeAlias = Callable[[Mapping[str, Scalar]], Numbers | None]


def has_multipliers(pencil: Pencil) -> bool:
    """Whether bounds of V need multipliers, so that the best are the optimum of a problem and no eigenvalues."""
    return any(name.startswith(f"{LOWER}: ") for name in pencil.unknowns)


def sharpen(
    pencil: Pencil,
    data: ConeData | None,
    modes: tuple[Mode, ...],
    values: Numbers,
    settle: Settle,
) -> Numbers | None:
    """The same proof with V scaled down to ``|x|^2`` and, where one exists, with the upper bound c2.

    Parameters
    ----------
    pencil : Pencil
        Of the claim, with its upper bound.
    data : ConeData or None
        The same in floating point; not needed where nothing has multipliers.
    modes : tuple of Mode
        Of the system.
    values : dict
        Exact unknowns that prove the claim without the upper bound.
    settle : callable
        Puts unknowns to the exact test, with or without the upper bound: they come back in the letters in which they
        were proved, or None.

    Returns
    -------
    dict or None
        What `settle` proved; `UPPER` is among it where a bound was proved.
    """
    if data is None:
        return _sharpen_quadratic(modes, values, settle)
    storage = {n: v for n, v in values.items() if ": " not in n}
    fixed = _fix_floats(data, pencil, storage)
    settled: list[Numbers] = []

    def accept(found: Numbers) -> bool:
        if not found[LOWER]:  # V >= 0 is no bound of |x|
            return False
        proved = settle(_scale_down(values, found))
        settled.extend(() if proved is None else (proved,))
        return bool(settled)

    has_face = may_have_face(fixed, 0.0)
    pair = _fix_storage(pencil, storage, whole=has_face)
    face = find_face(pair) if has_face else NO_FACE
    if _tighten(pair, fixed, face, {LOWER: -1.0, UPPER: 1.0}, accept) is not None:
        return settled[0]
    pair = _fix_storage(pencil, storage, whole=True)  # there may be one without the other
    found: Numbers = {}
    for part, other, sign in ((LOWER, UPPER, -1.0), (UPPER, LOWER, 1.0)):
        alone = pair.without(other)
        part_data = restrict(fixed, pair, alone)
        face = find_face(alone) if may_have_face(part_data, 0.0) else NO_FACE
        found |= _tighten(alone, part_data, face, {part: sign}, alone.holds) or {}
    return settle(_scale_down(values, found))


def sharpen_proof(
    pencil: Pencil, modes: tuple[Mode, ...], values: Mapping[str, Fraction]
) -> dict[str, Fraction] | None:
    """`sharpen` for a pencil in the letters of its own system; None if nothing is proved."""

    def settle(found: Mapping[str, Scalar]) -> Numbers | None:
        return dict(found) if (pencil if UPPER in found else pencil.without(UPPER)).holds(found) else None

    data = to_arrays(pencil) if has_multipliers(pencil) else None
    sharp = sharpen(pencil, data, modes, scalars(values), settle)
    return None if sharp is None else {name: fraction(value) for name, value in sharp.items()}


def _scale_down(values: Numbers, found: Numbers) -> Numbers:
    """All unknowns of a proof from those that prove the claim and those of its bounds, with c1 = 1."""
    bounds = {n: v for n, v in found.items() if n not in (LOWER, ONE)}
    scale = scalar(round_up(1 / fraction(found[LOWER]), _SCALE_BITS)) if found.get(LOWER) else _ONE
    if scale >= 1:  # V is as small as it can be, and its proof with it
        return values | {n: v for n, v in bounds.items() if not n.startswith(LOWER)}
    return {n: v * scale for n, v in (values | bounds).items()}


def _sharpen_quadratic(modes: tuple[Mode, ...], values: Numbers, settle: Settle) -> Numbers | None:
    pairs = [(_storage(mode, values), mode) for mode in modes]
    if all(len(P) == 1 for P, _ in pairs):
        scale = max(scalar(mode.norm_above[0][0]) / P[0][0] for P, mode in pairs)
        upper = max(P[0][0] * scale / scalar(mode.norm_below[0][0]) for P, mode in pairs)
        return settle({n: v * scale for n, v in values.items()} | {UPPER: upper})
    ratios = [_compare(P, mode) for P, mode in pairs]
    least, most = max(r for r, _ in ratios), max(r for _, r in ratios)
    for slack in _SLACKS:
        shrink = simplest_between(rational(least * (1 + slack / 2)), rational(least * (1 + slack)))
        bound = rational(most * (1 + slack / 2)) * shrink
        bound = simplest_between(bound, bound * (1 + rational(slack)))
        scale = scalar(shrink)
        found = settle({n: v * scale for n, v in values.items()} | {UPPER: scalar(bound)})
        if found is not None:
            return found
    return settle(values)


def _storage(mode: Mode, values: Numbers) -> list[list[Scalar]]:
    n = range(len(mode.norm_above))
    return [[values[storage_name(mode, min(i, j), max(i, j))] for j in n] for i in n]


def _compare(P: Rows, mode: Mode) -> tuple[float, float]:
    """The largest values of ``|x|^2 / V`` and of ``V / |x|^2``, by floating point."""
    every = identity(len(P))
    if mode.norm_above == every == mode.norm_below:
        values = np.linalg.eigvalsh(np.array(P, dtype=float))
        if values[0] > _ACCURATE * values[-1]:
            return 1 / float(values[0]), float(values[-1])
    return _largest_eigenvalue(mode.norm_above, P), _largest_eigenvalue(P, mode.norm_below)


def _largest_eigenvalue(a: Rows, b: Rows) -> float:
    return float(eigh(np.array(a, dtype=float), np.array(b, dtype=float), eigvals_only=True)[-1])


def _fix_floats(data: ConeData, pencil: Pencil, storage: Numbers) -> ConeData:
    """The pair of `_fix_storage` in floating point, from the cone data of the whole pencil."""
    own = [n for n in data.names if n.startswith((f"{LOWER}: ", f"{UPPER}: "))]
    names = (LOWER, UPPER, *own, ONE)
    index = {name: k for k, name in enumerate(data.names)}
    at = [index[ONE], index[UPPER], *(index[n] for n in own)]  # what was constant is the norm, times c1
    fixed = [index[n] for n in storage]
    weights = np.array([float(v) for v in storage.values()])
    blocks, rows = [], []
    for condition, (base, _) in zip(pencil.conditions, data.blocks, strict=True):
        if condition.name.startswith((LOWER, UPPER)):
            blocks.append(np.concatenate([base[at], np.tensordot(weights, base[fixed], 1)[None]]))
    for equality, row in zip(pencil.equalities, data.equalities[0], strict=True):
        if equality.name.startswith((LOWER, UPPER)):
            rows.append([*row[at], weights @ row[fixed]])
    signs = {LOWER, UPPER, ONE, *pencil.nonnegative}
    equalities = np.array(rows).reshape(-1, len(names))
    return ConeData(
        names=names,
        blocks=tuple((base, np.zeros_like(base)) for base in blocks),
        equalities=(equalities, np.zeros_like(equalities)),
        signed=tuple(k for k, name in enumerate(names) if name in signs),
        unit=np.ones(len(names)),
    )


def _fix_storage(pencil: Pencil, storage: Numbers, *, whole: bool) -> Pencil:
    """What bounds a given V from both sides, ``c1 |x|^2 <= V <= c2 |x|^2``: unknown are c1, c2 and multipliers.

    Not `whole`: without its matrix inequalities.
    """
    own = tuple(n for n in pencil.unknowns if n.startswith((f"{LOWER}: ", f"{UPPER}: ")))

    def fix(form: Form) -> Form:
        """V joins the constant terms; what is constant is the norm, times c1."""
        return replace(
            form,
            middle=tuple(
                (None, i, j, c * storage[n]) if n in storage else (n or LOWER, i, j, c) for n, i, j, c in form.middle
            ),
        )

    def settle(equality: Equality) -> Equality:
        parts = tuple(
            (ONE, w * fraction(storage[n]), s * fraction(storage[n])) if n in storage else (n, w, s)
            for n, w, s in equality.parts
        )
        return replace(equality, parts=parts)

    return Pencil(
        unknowns=(LOWER, UPPER, *own),
        nonnegative=(LOWER, UPPER, *(n for n in pencil.nonnegative if n in own)),
        conditions=tuple(
            replace(c, forms=tuple(map(fix, c.forms)))
            for c in pencil.conditions
            if whole and c.name.startswith((LOWER, UPPER))
        ),
        equalities=tuple(settle(e) for e in pencil.equalities if e.name.startswith((LOWER, UPPER))),
    )


def tighten(pencil: Pencil, objective: Mapping[str, float]) -> dict[str, Fraction] | None:
    """Exact values with the smallest provable sum of some unknowns, weighted; None if nothing is proved."""
    raw = to_arrays(pencil)
    face = find_face(pencil) if may_have_face(raw, 0.0) else NO_FACE
    found = _tighten(pencil, raw, face, objective, pencil.holds)
    return None if found is None else {name: fraction(found[name]) for name in pencil.unknowns}


def _tighten(
    pencil: Pencil,
    data: ConeData,
    face: Face,
    objective: Mapping[str, float],
    accept: Callable[[Numbers], bool],
) -> Numbers | None:
    """Exact values with the smallest objective that is accepted, or None."""
    data = equilibrate(on_face(data, face, 0.0), 0.0, loose=objective)
    for margin in _MARGINS:
        values = minimise(data, objective, margin / float(data.unit[-1]))
        if values is None:  # with more room there is none either
            break
        proved = round_onto(pencil, face, values, data, accept, simple=False)
        if proved is not None:
            return proved
    if LOWER in objective:  # V may stay as large as it is
        return None
    # Too badly scaled for double precision: some bound instead of the smallest.
    found = polish(pencil, face, values or dict(zip(data.names, data.unit.tolist(), strict=True)))
    return None if found is None else scalars(found[0])
