"""V for a short settling time: a search in floating point over the numbers of a claim, V being a solver's answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from scipy.optimize import minimize

from ..certificates.certificate import Certificate
from ..certificates.verification import satisfies
from ..dynamics import LureSystem
from ..exact.rationals import rational, round_up
from ..lmi.claims import ExponentialDecay
from ..lmi.dissipation import UPPER, assemble
from ..lmi.metric import reduce_splitting
from ..lmi.pencil import Form, Pencil
from ..lmi.scaled import DISSIPATION, Part, assemble_parts, settle_numbers
from ..lmi.templates import PlainTemplate, QuadraticPlusValue, QuadraticStorage, Template, VariableMetric
from ..lmi.time_scales import FiniteTime, FixedTime
from .bounds import LOWER, sharpen_proof, tighten
from .scaled_numbers import NUMBER, SPEED, WORST, decrease_with, dissipate, fix_storage, prove_near, search_decay, solve

__all__ = ["find_storages"]

_BITS = 30
"""Of the number that scales V."""


def find_storages(certificate: Certificate, scale: FiniteTime | FixedTime) -> Iterator[Certificate]:
    """Certificates of exponential decay whose V settles faster, one for each form of V that can be had."""
    for template in _list_templates(certificate):
        search = _search_finite if isinstance(scale, FiniteTime) else _search_fixed
        storage = search(certificate, template, scale)
        if storage is None:
            continue
        found = _complete(certificate, template, storage)
        if found is not None:
            yield found


def _list_templates(certificate: Certificate) -> tuple[Template, ...]:
    own = certificate.template
    if isinstance(own, VariableMetric):
        return (own,)
    others: tuple[PlainTemplate, ...] = (QuadraticStorage(), QuadraticPlusValue())
    if not isinstance(certificate.system, LureSystem) and own == QuadraticStorage():
        others = ()
    return tuple(dict.fromkeys((own, *others)))


def _complete(certificate: Certificate, template: Template, values: Mapping[str, Fraction]) -> Certificate | None:
    """A V with its sharp bounds and its best rate, as a certificate of exponential decay."""
    system, plain = certificate.system, template
    if isinstance(template, VariableMetric):
        system, plain = reduce_splitting(system).plant, template.form
    whole = assemble(system, ExponentialDecay(Fraction(1)), plain, bounded=True)
    bounds = whole.without("decrease")
    if values[LOWER] <= 0:
        return None
    scale = round_up(1 / values[LOWER], _BITS)  # so that V is above the squared norm; it is scaled down from there
    start = {n: v * scale for n, v in values.items() if n in bounds.unknowns and not n.startswith(UPPER)}
    found = sharpen_proof(bounds, system.modes, start)
    if found is None:
        return None
    storage = {n: v for n, v in found.items() if ": " not in n and n != UPPER}
    pencil = fix_storage(whole.without(UPPER).without("positivity"), storage)
    best = tighten(pencil, {NUMBER: -1.0})
    if best is None or best[NUMBER] <= 0:
        return None
    rate = best.pop(NUMBER)
    every = found | best
    named = whole if UPPER in every else whole.without(UPPER)
    if not satisfies(named.move(rate), every):
        return None
    return Certificate(
        system=certificate.system,
        claim=ExponentialDecay(rate),
        template=template,
        unknowns=tuple((n, every[n]) for n in named.unknowns),
    )


def _search_finite(
    certificate: Certificate, template: Template, scale: FiniteTime | FixedTime
) -> dict[str, Fraction] | None:
    """The V with the largest coefficient below ``|x|^2``; where V has no such bound, below the squared speed."""
    for below_norm in (True, False):

        def make(numbers: tuple[Fraction, ...], below_norm: bool = below_norm) -> Pencil:
            parts = (decrease_with(numbers[0]), *(() if below_norm else (SPEED,)))
            pencil = assemble_parts(certificate.system, template, parts, bounded=below_norm)
            return _free_storage(settle_numbers(pencil))

        decay = search_decay(
            lambda decay, make=make: dissipate(make((rational(decay),))),  # type: ignore[misc]
            2 * float(certificate.rate),
            float(scale.exponents[0]),
        )
        if decay is not None:
            proved = prove_near(make, (decay,))
            return None if proved is None else proved[1]
    return None


def _search_fixed(
    certificate: Certificate, template: Template, scale: FiniteTime | FixedTime
) -> dict[str, Fraction] | None:
    """The V below the squared speed with the smallest bound of the settling time over all starts."""
    a, b = map(float, scale.exponents)
    near, far = (b - 1) / (b - a), (1 - a) / (b - a)
    top = float(certificate.rate)

    def make(numbers: tuple[Fraction, ...]) -> Pencil:
        parts = (
            decrease_with(numbers[0]),
            Part("rate", True, Fraction(-2), numbers[1], Fraction(0)),
            SPEED,
        )
        pencil = assemble_parts(certificate.system, template, parts, bounded=False)
        return _free_storage(settle_numbers(pencil))

    def read(point: object) -> tuple[float, float]:
        shares = [1 / (1 + math.exp(-min(max(float(v), -30.0), 16.0))) for v in point]  # type: ignore[attr-defined]
        return 2 * top * shares[0], top * shares[1]

    def cost(point: object) -> float:
        decay, rate = read(point)
        values = solve(make((rational(decay), rational(rate))), {DISSIPATION: -1.0})
        if values is None or values[DISSIPATION] <= 0:
            return WORST
        mean = a * math.log(decay) + (1 - a) * math.log(values[DISSIPATION])
        return -near * mean - far * math.log(rate)

    found = minimize(cost, [0.0, 2.0], method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-6, "maxfev": 120})
    proved = None if found.fun >= WORST else prove_near(make, read(found.x))
    return None if proved is None else proved[1]


def _free_storage(pencil: Pencil) -> Pencil:
    """The pencil with V of any size: its lower bound is an unknown, and its upper bound, where it has one, is 1."""

    def fix(name: str, form: Form) -> Form:
        norm = LOWER if name.startswith(LOWER) else None
        return replace(form, middle=tuple((None if n == UPPER else n or norm, i, j, c) for n, i, j, c in form.middle))

    return Pencil(
        unknowns=(*(n for n in pencil.unknowns if n != UPPER), LOWER),
        nonnegative=(*pencil.nonnegative, LOWER),
        conditions=tuple(replace(c, forms=tuple(fix(c.name, f) for f in c.forms)) for c in pencil.conditions),
        equalities=pencil.equalities,
    )
