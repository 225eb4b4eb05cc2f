r"""Claims on other time scales: their numbers for a V that is known, or for the V with the shortest settling time.

With V known, each part of a claim is a small problem of its own, in which the number that multiplies V is unknown:
the best rate, the best speed, and for each decay the best dissipation. With V unknown, those numbers are searched for
in floating point, V and the dissipation being the answer of one problem for each trial; V is scaled by its upper bound,
or by the speed, so that the answer is the settling time. The V that is found is then treated like a known one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from scipy.optimize import minimize, minimize_scalar

from ..certificates.certificate import Certificate
from ..certificates.verification import satisfies
from ..dynamics import LureSystem, System
from ..errors import NoCertificateError
from ..exact.dense import scalar
from ..exact.rationals import convergent_near, rational, round_up
from ..lmi.claims import ExponentialDecay
from ..lmi.dissipation import UPPER, assemble
from ..lmi.metric import reduce_splitting
from ..lmi.pencil import Equality, Form, Pencil
from ..lmi.scaled import DISSIPATION, Part, assemble_parts, list_parts, settle_numbers
from ..lmi.templates import PlainTemplate, QuadraticPlusValue, QuadraticStorage, Template, VariableMetric
from ..lmi.time_scales import (
    FiniteTime,
    FiniteTimeStability,
    FixedTime,
    FixedTimeStability,
    PrescribedTime,
    PrescribedTimeStability,
    ScaledClaim,
    TimeScale,
)
from .arrays import may_have_face, on_face, to_arrays
from .best import name_tools
from .bounds import LOWER, sharpen, tighten
from .direct import minimise
from .outcomes import Inconclusive, Reason
from .reduction import NO_FACE, ONE, find_face
from .scaling import equilibrate

__all__ = ["find_scaled"]

_SPEED = Part("speed", False, Fraction(-1), Fraction(1), Fraction(1))
"""V below the squared speed."""

_NUMBER = "number"
"""Name of the unknown that multiplies a known V."""

_ROOM = 1e-9
"""Margin inside the inequalities while a search runs, in scaled units."""

_SMALL = 1e-7
"""Weight of the entries of V beside the dissipation: where they are free, small ones are taken."""

_BITS = 30
"""Of the number that scales V."""

_WORST = 1e3
"""Cost where the solver finds nothing."""

_SHARES = (1.0, 0.9999, 0.999, 0.99, 0.9)
"""Shares of the best numbers at which a proof is tried: nearer to the boundary there is less room for one."""

_GRID = tuple(k / 12 for k in range(1, 12))
"""Shares of the largest decay at which the best one is looked for first."""


def find_scaled(certificate: Certificate, scale: TimeScale, *, optimise: bool) -> Certificate:
    """A claim on another time scale, proved: with the V of a certificate, or with one of a shorter settling time.

    Parameters
    ----------
    certificate : Certificate
        Of exponential decay, proved.
    scale : FiniteTime, FixedTime or PrescribedTime
        The time scale.
    optimise : bool
        Whether V is sought again.

    Raises
    ------
    NoCertificateError
        If no numbers of the claim can be proved.
    """
    found = [_certify(certificate, scale)]
    if optimise and not isinstance(scale, PrescribedTime):
        found += [_certify(other, scale) for other in _find_storages(certificate, scale)]
    proved = [one for one in found if one is not None]
    if not proved:
        raise NoCertificateError(
            Inconclusive(reason=Reason.SPEED, status="no answer", claim=ExponentialDecay(certificate.rate))
        )
    return min(proved, key=_measure_time)


def _measure_time(certificate: Certificate) -> float:
    """What settling times are compared by: their bound for starts at distance 1, or for all starts."""
    if isinstance(certificate.claim, FiniteTimeStability):
        return float(certificate.settling_time(x0=1)) if certificate.is_bounded else math.inf
    return float(certificate.settling_time())


def _certify(certificate: Certificate, scale: TimeScale) -> Certificate | None:
    """The claim with the V of a certificate of exponential decay, or None."""
    system, template = certificate.system, certificate.template
    storage = {n: v for n, v in certificate.values.items() if ": " not in n and n != UPPER}
    numbers = _Numbers(system, template, storage, certificate)
    claim, own = numbers.claim(scale)
    if claim is None:
        return None
    kept = {n: v for n, v in certificate.values.items() if not n.startswith("decrease: ")}
    pencil = assemble_parts(system, template, list_parts(claim), bounded=UPPER in kept)
    values = kept | own
    if not satisfies(pencil, values):
        raise ArithmeticError("internal error: the parts of a scaled claim do not add up to it")
    return Certificate(
        system=system,
        claim=claim,
        template=template,
        unknowns=tuple((name, values[name]) for name in pencil.unknowns),
        versions=(*name_tools(), ("solver", "CLARABEL")),
    )


class _Numbers:
    """The best numbers of the parts of a claim, with V known."""

    def __init__(
        self, system: System, template: Template, storage: Mapping[str, Fraction], certificate: Certificate
    ) -> None:
        self.system, self.template, self.storage, self.certificate = system, template, storage, certificate

    def claim(self, scale: TimeScale) -> tuple[ScaledClaim | None, dict[str, Fraction]]:
        """The claim and the multipliers that prove its parts."""
        rate, proof = self.certificate.rate, self._keep_rate()
        if isinstance(scale, PrescribedTime):
            limit, own = self._best(Part("speed limit", False, Fraction(1), Fraction(1), Fraction(-1)), 1.0)
            gain = 1 / rate if scale.gain is None else scale.gain
            return PrescribedTimeStability(PrescribedTime(scale.time, gain), rate, limit), proof | own
        pair = self._best_decrease(float(scale.exponents[0]))
        if pair is None:
            return None, {}
        decay, dissipation, own = pair
        if isinstance(scale, FiniteTime):
            return FiniteTimeStability(scale, decay, dissipation), own
        speed, more = self._best_speed()
        if speed is None:
            return None, {}
        return FixedTimeStability(scale, decay, dissipation, rate, speed), own | proof | more

    def _keep_rate(self) -> dict[str, Fraction]:
        values = self.certificate.values.items()
        return {f"rate{n.removeprefix('decrease')}": v for n, v in values if n.startswith("decrease: ")}

    def _best(self, part: Part, sign: float) -> tuple[Fraction | None, dict[str, Fraction]]:
        """The smallest (largest, by sign) number of a part, and its multipliers."""
        found = tighten(self._pencil(part, free=True), {_NUMBER: sign})
        if found is None or found[_NUMBER] <= 0:
            return None, {}
        return found.pop(_NUMBER), found

    def _best_speed(self) -> tuple[Fraction | None, dict[str, Fraction]]:
        return self._best(_SPEED, -1.0)

    def _best_decrease(self, a: float) -> tuple[Fraction, Fraction, dict[str, Fraction]] | None:
        """Decay and dissipation with the largest weighted mean."""
        decay = _search_decay(
            lambda decay: _dissipate(self._pencil(_decrease(rational(decay)), free=False)),
            2 * float(self.certificate.rate),
            a,
        )
        if decay is None:
            return None
        proved = _prove_near(lambda p: self._pencil(_decrease(p[0]), free=False), (decay,))
        if proved is None:
            return None
        (simple,), found = proved
        return simple, found.pop(DISSIPATION), found

    def _pencil(self, part: Part, *, free: bool) -> Pencil:
        """One part with V known, and its number either known or unknown."""
        pencil = assemble_parts(self.system, self.template, (part,), bounded=False).without("positivity")
        return _fix_storage(pencil if free else settle_numbers(pencil), self.storage)


def _decrease(decay: Fraction) -> Part:
    return Part("decrease", True, Fraction(-1), decay, None)


def _search_decay(dissipate: Callable[[float], float], most: float, a: float) -> float | None:
    """The decay in (0, most) with the largest mean with its dissipation."""

    def cost(decay: float) -> float:
        nu = dissipate(decay)
        return _WORST if nu <= 0 else -a * math.log(decay) - (1 - a) * math.log(nu)

    costs = {share: cost(share * most) for share in _GRID}
    best = min(costs, key=lambda share: costs[share])
    if costs[best] >= _WORST:
        return None
    step = _GRID[1] - _GRID[0]
    bounds = ((best - step) * most + 1e-9 * most, min(best + step, 1 - 1e-7) * most)
    found = minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-4 * step * most})
    return float(found.x) if found.fun < costs[best] else best * most


def _solve(pencil: Pencil, objective: Mapping[str, float]) -> dict[str, float] | None:
    """The solver's answer, for a search."""
    raw = to_arrays(pencil)
    face = find_face(pencil) if may_have_face(raw, 0.0) else NO_FACE
    data = equilibrate(on_face(raw, face, 0.0), 0.0, loose=(*objective, ONE))
    return minimise(data, objective, _ROOM / float(data.unit[-1]))


def _fix_storage(pencil: Pencil, storage: Mapping[str, Fraction]) -> Pencil:
    """The pencil with V known; the number that multiplies it, which is the parameter, is an unknown."""
    numbers = {n: scalar(v) for n, v in storage.items()}
    has_number = False

    def fix(form: Form) -> Iterator[Form]:
        nonlocal has_number
        fixed = tuple((None, i, j, c * numbers[n]) if n in numbers else (n, i, j, c) for n, i, j, c in form.middle)
        if form.weight:
            yield replace(form, middle=fixed, slope=Fraction(0))
        if form.slope:
            has_number = True
            yield replace(form, middle=tuple((_NUMBER, *e[1:]) for e in fixed), weight=form.slope, slope=Fraction(0))

    def settle(equality: Equality) -> Equality:
        parts = []
        for n, w, s in equality.parts:
            value = storage.get(n)
            parts += [(n, w, Fraction(0))] if value is None else []
            parts += [(ONE, w * value, Fraction(0))] if value and w else []
            parts += [(_NUMBER, s * value, Fraction(0))] if value and s else []
        return replace(equality, parts=tuple(parts), parameter=Fraction(0))

    conditions = tuple(
        replace(c, forms=tuple(f for form in c.forms for f in fix(form)), parameter=Fraction(0))
        for c in pencil.conditions
    )
    own = tuple(n for n in pencil.unknowns if n not in storage)
    free = (_NUMBER,) if has_number else ()
    return Pencil(
        unknowns=(*free, *own),
        nonnegative=(*free, *(n for n in pencil.nonnegative if n in own)),
        conditions=conditions,
        equalities=tuple(e for e in map(settle, pencil.equalities) if e.parts),
    )


def _find_storages(certificate: Certificate, scale: FiniteTime | FixedTime) -> Iterator[Certificate]:
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
    found = sharpen(bounds, system.modes, start)
    storage = {n: v for n, v in found.items() if ": " not in n and n != UPPER}
    pencil = _fix_storage(whole.without(UPPER).without("positivity"), storage)
    best = tighten(pencil, {_NUMBER: -1.0})
    if best is None or best[_NUMBER] <= 0:
        return None
    rate = best.pop(_NUMBER)
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
            parts = (_decrease(numbers[0]), *(() if below_norm else (_SPEED,)))
            pencil = assemble_parts(certificate.system, template, parts, bounded=below_norm)
            return _free_storage(settle_numbers(pencil))

        decay = _search_decay(
            lambda decay, make=make: _dissipate(make((rational(decay),))),  # type: ignore[misc]
            2 * float(certificate.rate),
            float(scale.exponents[0]),
        )
        if decay is not None:
            proved = _prove_near(make, (decay,))
            return None if proved is None else proved[1]
    return None


def _dissipate(pencil: Pencil) -> float:
    """The largest dissipation, by the solver's word."""
    values = _solve(pencil, {DISSIPATION: -1.0})
    return 0.0 if values is None else values[DISSIPATION]


def _search_fixed(
    certificate: Certificate, template: Template, scale: FiniteTime | FixedTime
) -> dict[str, Fraction] | None:
    """The V below the squared speed with the smallest bound of the settling time over all starts."""
    a, b = map(float, scale.exponents)
    near, far = (b - 1) / (b - a), (1 - a) / (b - a)
    top = float(certificate.rate)

    def make(numbers: tuple[Fraction, ...]) -> Pencil:
        parts = (
            _decrease(numbers[0]),
            Part("rate", True, Fraction(-2), numbers[1], Fraction(0)),
            _SPEED,
        )
        pencil = assemble_parts(certificate.system, template, parts, bounded=False)
        return _free_storage(settle_numbers(pencil))

    def read(point: object) -> tuple[float, float]:
        shares = [1 / (1 + math.exp(-min(max(float(v), -30.0), 16.0))) for v in point]  # type: ignore[attr-defined]
        return 2 * top * shares[0], top * shares[1]

    def cost(point: object) -> float:
        decay, rate = read(point)
        values = _solve(make((rational(decay), rational(rate))), {DISSIPATION: -1.0})
        if values is None or values[DISSIPATION] <= 0:
            return _WORST
        mean = a * math.log(decay) + (1 - a) * math.log(values[DISSIPATION])
        return -near * mean - far * math.log(rate)

    found = minimize(cost, [0.0, 2.0], method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-6, "maxfev": 120})
    proved = None if found.fun >= _WORST else _prove_near(make, read(found.x))
    return None if proved is None else proved[1]


def _prove_near(
    make: Callable[[tuple[Fraction, ...]], Pencil], numbers: Sequence[float]
) -> tuple[tuple[Fraction, ...], dict[str, Fraction]] | None:
    """Short numbers near the given ones, or a little below, and exact unknowns with the largest dissipation there."""
    for share in _SHARES:
        simple = tuple(convergent_near(number * share, 1e-6) for number in numbers)
        pencil = make(simple)
        small = {n: _SMALL for n in pencil.unknowns if ": " not in n and n not in {LOWER, DISSIPATION}}
        found = tighten(pencil, {DISSIPATION: -1.0, **small})
        if found is not None and found[DISSIPATION] > 0:
            return simple, found
    return None


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
