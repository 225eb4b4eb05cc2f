"""The best numbers of a claim on another time scale, for a V that is known: small problems, each proved by itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from scipy.optimize import minimize_scalar

from ..certificates.certificate import Certificate
from ..exact.dense import scalar
from ..exact.rationals import convergent_near, rational
from ..lmi.dissipation import UPPER
from ..lmi.pencil import Equality, Form, Pencil
from ..lmi.scaled import DISSIPATION, Part, assemble_parts, settle_numbers
from ..lmi.scaled_claims import FiniteTimeStability, FixedTimeStability, PrescribedTimeStability, ScaledClaim
from ..lmi.time_scales import FiniteTime, PrescribedTime, TimeScale
from .arrays import may_have_face, on_face, to_arrays
from .bounds import LOWER, tighten
from .direct import minimise
from .reduction import NO_FACE, ONE, find_face
from .scaling import equilibrate

__all__ = [
    "NUMBER",
    "SPEED",
    "SPEED_LIMIT",
    "WORST",
    "Numbers",
    "assemble_part",
    "decrease_with",
    "dissipate",
    "fix_storage",
    "prove_near",
    "read_multipliers",
    "read_storage",
    "search_decay",
    "solve",
]

SPEED = Part("speed", False, Fraction(-1), Fraction(1), Fraction(1))
"""V below the squared speed."""

SPEED_LIMIT = Part("speed limit", False, Fraction(1), Fraction(1), Fraction(-1))
"""V above the squared speed."""

NUMBER = "number"
"""Name of the unknown that multiplies a known V."""

WORST = 1e3
"""Cost where the solver finds nothing."""

_ROOM = 1e-9
"""Margin inside the inequalities while a search runs, in scaled units."""

_SMALL = 1e-7
"""Weight of the entries of V beside the dissipation: where they are free, small ones are taken."""

_SHARES = (1.0, 0.9999, 0.999, 0.99, 0.9)
"""Shares of the best numbers at which a proof is tried: nearer to the boundary there is less room for one."""

_GRID = tuple(k / 12 for k in range(1, 12))
"""Shares of the largest decay at which the best one is looked for first."""


class Numbers:
    """The best numbers of the parts of a claim, with V known."""

    def __init__(self, certificate: Certificate) -> None:
        self.certificate, self.storage = certificate, read_storage(certificate)

    def claim(self, scale: TimeScale) -> tuple[ScaledClaim | None, dict[str, Fraction]]:
        """The claim and the multipliers that prove its parts."""
        rate, proof = self.certificate.rate, {f"rate: {n}": v for n, v in read_multipliers(self.certificate).items()}
        if isinstance(scale, PrescribedTime):
            limit, own = self._best(SPEED_LIMIT, 1.0)
            gain = 1 / rate if scale.gain is None else scale.gain
            return PrescribedTimeStability(PrescribedTime(scale.time, gain), rate, limit), proof | own
        pair = self._best_decrease(float(scale.exponents[0]))
        if pair is None:
            return None, {}
        decay, dissipation, own = pair
        if isinstance(scale, FiniteTime):
            return FiniteTimeStability(scale, decay, dissipation), own
        speed, more = self._best(SPEED, -1.0)
        if speed is None:
            return None, {}
        return FixedTimeStability(scale, decay, dissipation, rate, speed), own | proof | more

    def _best(self, part: Part, sign: float) -> tuple[Fraction | None, dict[str, Fraction]]:
        """The smallest (largest, by sign) number of a part, and its multipliers."""
        found = tighten(self._pencil(part, free=True), {NUMBER: sign})
        if found is None or found[NUMBER] <= 0:
            return None, {}
        return found.pop(NUMBER), found

    def _best_decrease(self, a: float) -> tuple[Fraction, Fraction, dict[str, Fraction]] | None:
        """Decay and dissipation with the largest weighted mean."""
        decay = search_decay(
            lambda decay: dissipate(self._pencil(decrease_with(rational(decay)), free=False)),
            2 * float(self.certificate.rate),
            a,
        )
        if decay is None:
            return None
        proved = prove_near(lambda p: self._pencil(decrease_with(p[0]), free=False), (decay,))
        if proved is None:
            return None
        (simple,), found = proved
        return simple, found.pop(DISSIPATION), found

    def _pencil(self, part: Part, *, free: bool) -> Pencil:
        """One part with V known, and its number either known or unknown."""
        pencil = assemble_part(self.certificate, part)
        return fix_storage(pencil if free else settle_numbers(pencil), self.storage)


def read_storage(certificate: Certificate) -> dict[str, Fraction]:
    """The unknowns that make V."""
    return {n: v for n, v in certificate.values.items() if ": " not in n and n != UPPER}


def read_multipliers(certificate: Certificate) -> dict[str, Fraction]:
    """Those of the decrease, by what follows the name of the part."""
    return {n.removeprefix("decrease: "): v for n, v in certificate.values.items() if n.startswith("decrease: ")}


def assemble_part(certificate: Certificate, part: Part) -> Pencil:
    """One inequality about the V of a certificate, without the bounds of V."""
    pencil = assemble_parts(certificate.system, certificate.template, (part,), bounded=False)
    return pencil.without("positivity").without("storage")


def decrease_with(decay: Fraction) -> Part:
    """The decrease with a decay, its dissipation unknown."""
    return Part("decrease", True, Fraction(-1), decay, None)


def search_decay(dissipate: Callable[[float], float], most: float, a: float) -> float | None:
    """The decay in (0, most) with the largest mean with its dissipation."""

    def cost(decay: float) -> float:
        nu = dissipate(decay)
        return WORST if nu <= 0 else -a * math.log(decay) - (1 - a) * math.log(nu)

    costs = {share: cost(share * most) for share in _GRID}
    best = min(costs, key=lambda share: costs[share])
    if costs[best] >= WORST:
        return None
    step = _GRID[1] - _GRID[0]
    bounds = ((best - step) * most + 1e-9 * most, min(best + step, 1 - 1e-7) * most)
    found = minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-4 * step * most})
    return float(found.x) if found.fun < costs[best] else best * most


def solve(pencil: Pencil, objective: Mapping[str, float]) -> dict[str, float] | None:
    """The solver's answer, for a search."""
    raw = to_arrays(pencil)
    face = find_face(pencil) if may_have_face(raw, 0.0) else NO_FACE
    data = equilibrate(on_face(raw, face, 0.0), 0.0, loose=(*objective, ONE))
    return minimise(data, objective, _ROOM / float(data.unit[-1]))


def fix_storage(pencil: Pencil, storage: Mapping[str, Fraction]) -> Pencil:
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
            yield replace(form, middle=tuple((NUMBER, *e[1:]) for e in fixed), weight=form.slope, slope=Fraction(0))

    def settle(equality: Equality) -> Equality:
        parts = []
        for n, w, s in equality.parts:
            value = storage.get(n)
            parts += [(n, w, Fraction(0))] if value is None else []
            parts += [(ONE, w * value, Fraction(0))] if value and w else []
            parts += [(NUMBER, s * value, Fraction(0))] if value and s else []
        return replace(equality, parts=tuple(parts), parameter=Fraction(0))

    conditions = tuple(
        replace(c, forms=tuple(f for form in c.forms for f in fix(form)), parameter=Fraction(0))
        for c in pencil.conditions
    )
    own = tuple(n for n in pencil.unknowns if n not in storage)
    free = (NUMBER,) if has_number else ()
    return Pencil(
        unknowns=(*free, *own),
        nonnegative=(*free, *(n for n in pencil.nonnegative if n in own)),
        conditions=conditions,
        equalities=tuple(e for e in map(settle, pencil.equalities) if e.parts),
    )


def prove_near(
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


def dissipate(pencil: Pencil) -> float:
    """The largest dissipation, by the solver's word."""
    values = solve(pencil, {DISSIPATION: -1.0})
    return 0.0 if values is None else values[DISSIPATION]
