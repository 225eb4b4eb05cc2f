"""Sharp constants for a V that is already proved: ``|x|^2 <= V <= c2 |x|^2`` with the smallest c2 that can be proved.

The decrease inequality is homogeneous, so V may be scaled down until it touches ``|x|^2``; then c2 is minimised. Both
are small problems in one unknown and the multipliers, proved like everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from ..dynamics import System
from ..exact.matrices import Matrix, add, scale, zeros
from ..exact.rationals import rational, simplest_between
from ..lmi.claims import ExponentialDecay
from ..lmi.dissipation import UPPER, assemble
from ..lmi.pencil import Condition, Equality, Pencil
from ..lmi.templates import Template
from .arrays import equilibrate, to_arrays
from .backend import minimise
from .direct import DirectMarginProblem
from .reduction import ONE, find_face
from .rounding import prove

__all__ = ["sharpen"]

_SCALE = "scale of V"
_SLACKS = (1e-9, 1e-7, 1e-5, 1e-3, 1e-1)


def sharpen(
    system: System, claim: ExponentialDecay, template: Template, values: Mapping[str, Fraction]
) -> dict[str, Fraction]:
    """The same proof with V scaled down to ``|x|^2`` and, where one exists, with the upper bound c2.

    Parameters
    ----------
    system, claim, template
        What is proved.
    values : mapping
        Exact unknowns that prove it.

    Returns
    -------
    dict
        Exact unknowns; `UPPER` is among them where a bound was proved.
    """
    full = assemble(system, claim, template, bounded=True)
    storage = {n: v for n, v in values.items() if ": " not in n}
    scaled = _smallest(_part(full, "positivity", storage, into=_SCALE), _SCALE)
    found = dict(values)
    if scaled is not None and scaled[_SCALE] < 1:
        factor = scaled.pop(_SCALE)
        found = {n: v * factor for n, v in values.items()} | scaled
    storage = {n: found[n] for n in storage}
    bound = _smallest(_part(full, "upper bound", storage, into=ONE), UPPER)
    return found if bound is None else found | bound


def _part(pencil: Pencil, part: str, storage: Mapping[str, Fraction], *, into: str) -> Pencil:
    """The conditions of one part, with the given storage function times the unknown `into`."""
    conditions = tuple(_collapse(c, storage, into) for c in pencil.conditions if c.name.startswith(part))
    equalities = []
    for e in pencil.equalities:
        if e.name.startswith(part):
            fixed = sum((c * storage[n] for n, c in e.terms if n in storage), Fraction(0))
            kept = tuple((n, c) for n, c in e.terms if n not in storage)
            equalities.append(Equality(name=e.name, terms=(*kept, (into, fixed))))
    multipliers = tuple(n for n in pencil.nonnegative if n.startswith(f"{part}:"))
    extra = {UPPER} if part == "upper bound" else {into}
    return Pencil(
        unknowns=(*extra, *multipliers),
        nonnegative=(*extra, *multipliers),
        conditions=conditions,
        equalities=tuple(equalities),
    )


def _collapse(condition: Condition, storage: Mapping[str, Fraction], into: str) -> Condition:
    size = len(condition.signals)
    fixed: Matrix = add(zeros(size, size), *(scale(storage[n], t) for n, t in condition.terms if n in storage))
    kept = tuple((n, t) for n, t in condition.terms if n not in storage)
    constant = add(condition.constant, fixed) if into == ONE else condition.constant
    terms = kept if into == ONE else (*kept, (into, fixed))
    return Condition(name=condition.name, signals=condition.signals, constant=constant, terms=terms)


def _smallest(pencil: Pencil, objective: str) -> dict[str, Fraction] | None:
    """Exact values with the smallest provable objective, or None."""
    face = find_face(pencil)
    loose = ONE if objective == _SCALE else UPPER
    data = equilibrate(to_arrays(pencil, pencil, face, (0.0, 1.0)), 0.0, loose=loose)
    smallest = minimise(data, objective)
    if smallest is None or smallest <= 0:
        return None
    for slack in _SLACKS:
        low, high = (
            rational(smallest * (1 - 1e-10 if slack == _SLACKS[0] else 1 + slack / 2)),
            rational(smallest * (1 + slack)),
        )
        goal = simplest_between(low, high)
        fixed = _part_at(pencil, objective, goal)
        face = find_face(fixed)
        data = equilibrate(to_arrays(fixed, fixed, face, (0.0, 1.0)), 0.0, loose=None)
        answer = DirectMarginProblem(data).solve(0.0)
        if answer.values is not None:
            proved = prove(fixed, face, answer.values, simple=slack == _SLACKS[0])
            if proved is not None:
                return proved | {objective: goal}
    return None


def _part_at(pencil: Pencil, objective: str, goal: Fraction) -> Pencil:
    """The pencil with its objective fixed: it joins the constant terms."""
    fixed = {objective: goal}
    equalities = tuple(
        Equality(
            name=e.name,
            terms=tuple((ONE if n == objective else n, c * goal if n == objective else c) for n, c in e.terms),
        )
        for e in pencil.equalities
    )
    return Pencil(
        unknowns=tuple(n for n in pencil.unknowns if n != objective),
        nonnegative=tuple(n for n in pencil.nonnegative if n != objective),
        conditions=tuple(_collapse(c, fixed, ONE) for c in pencil.conditions),
        equalities=equalities,
    )
