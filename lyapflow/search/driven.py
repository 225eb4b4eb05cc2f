r"""The gain of a driven system at a given rate.

Sought are V, eta and gamma in :math:`\dot V + 2\rho V + \eta|z|^2 \le \gamma|w|^2`. In a cascade any gain will do, and
V is chosen first: the one above :math:`|x|^2` with the smallest gamma; twice that leaves room for eta. In a loop the
ratio of gamma to eta decides. The inequality is homogeneous: with gamma = 1 the largest eta is found, and a share of it
given up for the V that is as large as it can be, ``V >= c |x|^2``, because states that z does not see would cost V
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from ..certificates.verification import satisfies
from ..exact.dense import scalar
from ..exact.rationals import convergent_near, round_up
from ..lmi.claims import Contraction, ExponentialDecay
from ..lmi.driven import INPUT, OUTPUT, DrivenSystem, assemble_driven
from ..lmi.pencil import Form, Pencil
from ..lmi.scaled import settle_numbers
from ..lmi.templates import PlainTemplate
from .bounds import LOWER, tighten
from .scaled_numbers import solve

__all__ = ["find_gain"]

_SCALE_BITS = 30
"""Of the number by which V is scaled."""


def find_gain(
    system: DrivenSystem,
    claim: ExponentialDecay | Contraction,
    template: PlainTemplate,
    *,
    given_up: float | None = None,
) -> dict[str, Fraction] | None:
    """Exact unknowns of `assemble_driven`, proved; None if there are none.

    Parameters
    ----------
    system : DrivenSystem
        The system.
    claim : ExponentialDecay or Contraction
        With a number.
    template : QuadraticStorage or QuadraticPlusValue
        Form of V.
    given_up : float, optional
        Asks for a nearly smallest ``gamma / eta``: share of the largest eta that is given up for the sake of V, in
        (0, 1).
    """
    pencil = settle_numbers(assemble_driven(system, claim, template))
    if not system.inputs:
        found = _find_free(system, pencil)
    elif given_up is None:
        found = _find_driven(system, pencil)
    else:
        found = _find_sharp(system, pencil, given_up)
    if found is None:
        return None
    if not satisfies(pencil, found):
        raise ArithmeticError("internal error: a gain does not scale with V")
    return found


def _find_free(system: DrivenSystem, pencil: Pencil) -> dict[str, Fraction] | None:
    """Without an input: the smallest V above ``|x|^2`` with eta = 1."""
    fixed = {OUTPUT: Fraction(1)} if system.outputs else {}
    small = {name: 1.0 for name in pencil.unknowns if _is_large(name)}
    found = tighten(_fix(pencil, fixed), small)
    return None if found is None else found | fixed


def _find_driven(system: DrivenSystem, pencil: Pencil) -> dict[str, Fraction] | None:
    """With an input: first the smallest gamma, then the largest eta at twice that."""
    if not system.outputs:
        return tighten(pencil, {INPUT: 1.0})
    alone = solve(_fix(pencil, {OUTPUT: Fraction(0)}), {INPUT: 1.0})
    if alone is None:
        return None
    fixed = {INPUT: convergent_near(2 * alone[INPUT], 1e-2)}
    found = tighten(_fix(pencil, fixed), {OUTPUT: -1.0})
    return None if found is None or not found[OUTPUT] else found | fixed


def _find_sharp(system: DrivenSystem, pencil: Pencil, given_up: float) -> dict[str, Fraction] | None:
    """With an input: gamma = 1 while the search runs."""
    fixed = {INPUT: Fraction(1)}
    if system.outputs:
        best = solve(_fix(pencil, fixed, free=True), {OUTPUT: -1.0})
        if best is None or not best[OUTPUT] > 0:
            return None
        fixed[OUTPUT] = convergent_near(best[OUTPUT] * (1 - given_up), 1e-2 * given_up)
    found = tighten(_fix(pencil, fixed, free=True), {LOWER: -1.0})
    if found is None or found[LOWER] <= 0:
        return None
    size = round_up(1 / found.pop(LOWER), _SCALE_BITS)
    return {name: value * size for name, value in {**found, **fixed}.items()}


def _is_large(name: str) -> bool:
    """Whether an unknown belongs to V and is one that V grows with."""
    if name.startswith("value["):
        return True
    if not name.startswith("P["):
        return False
    i, j = name[2:-1].split(",")
    return i == j


def _fix(pencil: Pencil, values: Mapping[str, Fraction], *, free: bool = False) -> Pencil:
    """The pencil with some unknowns known; ``free``: with ``c |x|^2`` in place of ``|x|^2``."""
    numbers = {name: scalar(value) for name, value in values.items()}

    def fix(form: Form, bound: bool) -> Form:
        entries = [(LOWER if n is None and bound else n, i, j, c) for n, i, j, c in form.middle]
        return replace(
            form,
            middle=tuple((None, i, j, c * numbers[n]) if n in numbers else (n, i, j, c) for n, i, j, c in entries),
        )

    return Pencil(
        unknowns=(*(n for n in pencil.unknowns if n not in values), *((LOWER,) if free else ())),
        nonnegative=(*(n for n in pencil.nonnegative if n not in values), *((LOWER,) if free else ())),
        conditions=tuple(
            replace(c, forms=tuple(fix(f, free and c.name.startswith(LOWER)) for f in c.forms))
            for c in pencil.conditions
        ),
        equalities=pencil.equalities,
    )
