r"""The search for gains and delays: the smallest gain, the best rate for it, the largest delay.

The squared gain occurs linearly, so the smallest one is the optimum of a single problem, rounded and proved like all; a
simpler gain next to it is tried afterwards. Rates of an `InputToState`, and delays, are searched around that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import TypeAlias

import numpy as np
from scipy.optimize import minimize_scalar

from ..certificates.certificate import Certificate
from ..certificates.verification import satisfies
from ..dynamics import System
from ..exact.elementary import bound_sqrt_above
from ..exact.rationals import convergent_near, simplest_between
from ..lmi.delay_claims import DelayTolerance
from ..lmi.dissipation import UPPER
from ..lmi.gain_claims import SUPPLY, GainClaim, InputToState, L2Gain, NoiseAmplification
from ..lmi.gains import assemble_gain, check_gain, find_forms
from ..lmi.noise import has_one_eigenvalue
from ..lmi.pencil import Pencil
from ..lmi.scaled import settle_numbers
from ..lmi.templates import AdjointStorage, PlainTemplate, Template
from .arrays import may_have_face, on_face, to_arrays
from .best import name_tools
from .bounds import sharpen_proof, tighten
from .delay_witness import DelayWitness, find_delay_witness
from .direct import DirectMarginProblem, minimise
from .gain_witness import GainWitness, find_gain_witness
from .noise import attempt_noise, find_noise_witness
from .outcomes import UNASKED, Inconclusive, Infeasible, Outcome, Proved, Reason
from .reduction import NO_FACE, find_face
from .rounding import prove
from .scaled_numbers import solve
from .scaling import equilibrate
from .witness import estimate_ceiling

__all__ = ["attempt_gain"]

_BETTER = 1e-6
"""Relative gain by which a richer V must be better to be preferred."""

_NEAR = Fraction(1, 10**6)
"""Relative distance at which a simpler gain is preferred."""

_SHORT = 1e-4
"""Delays below this share of the shortest time of the system are not asked for."""

_FAR = 1e6
"""Delays beyond this multiple of the shortest time of the system are not asked for."""

_GRID = 14
"""Rates at which the gain is looked at first."""


_Form: TypeAlias = PlainTemplate | AdjointStorage


def attempt_gain(system: System, claim: GainClaim, template: Template | None) -> Outcome:
    """What can be proved of a claim about gains.

    Parameters
    ----------
    system : LureSystem, PolytopicSystem or PrimalDualSystem
        The system.
    claim : L2Gain, InputToState, DelayTolerance or NoiseAmplification
        With or without its number.
    template : QuadraticStorage or QuadraticPlusValue, optional
        Form of V; default the one with the better number.

    Raises
    ------
    InvalidModelError
        If the claim cannot be made of the system, or with this form.
    """
    check_gain(system, claim, find_forms(system, claim)[0])
    if template is not None:
        check_gain(system, claim, template)
    if isinstance(claim, NoiseAmplification) and has_one_eigenvalue(system):
        return attempt_noise(system, claim)
    forms = [form for form in find_forms(system, claim) if template in (None, form)]
    found = (
        _list_delays(system, claim, forms) if isinstance(claim, DelayTolerance) else _list_gains(system, claim, forms)
    )
    steps: list[str] = []
    best: Certificate | None = None
    for certificate in found:
        steps.append(f"{certificate.template}: {certificate.claim}, proved")
        if (
            best is None
            or _is_better(certificate, best)
            or (certificate.is_bounded and not best.is_bounded and not _is_better(best, certificate))
        ):
            best = certificate
    if best is not None:
        return Proved(certificate=best, solves=len(steps), steps=tuple(steps))
    return _give_up(system, claim, forms[-1], tuple(steps))


def _is_better(new: Certificate, old: Certificate) -> bool:
    a, b = new.claim.number, old.claim.number
    if a is None or b is None:
        return False
    return a > b * (1 + Fraction(_BETTER)) if isinstance(new.claim, DelayTolerance) else a < b * (1 - Fraction(_BETTER))


def _give_up(system: System, claim: GainClaim, form: _Form, steps: tuple[str, ...]) -> Outcome:
    """A member that contradicts the claim, or else what the solver says of the richest form."""
    witness: GainWitness | DelayWitness | None
    if isinstance(claim, DelayTolerance):
        witness = find_delay_witness(system, claim)
    elif isinstance(claim, NoiseAmplification):
        witness = find_noise_witness(system, claim)
    else:
        witness = find_gain_witness(system, claim)
    if witness is not None and witness.refutes(claim.number):
        return Infeasible(claim=claim, status=UNASKED, witness=witness, steps=steps)
    asked: GainClaim | None = claim
    if isinstance(claim, DelayTolerance) and claim.delay is None:
        asked = claim.with_number(Fraction(_SHORT) / max(abs(v) for v in _list_numbers(system)))
    elif isinstance(claim, InputToState) and claim.parameter is None:
        asked = _choose_rate(system, claim, form)
    if asked is None:
        return Inconclusive(reason=Reason.SOLVER_FAILED, status="no rate", claim=claim, steps=steps)
    pencil = settle_numbers(assemble_gain(system, asked, form, free=asked.number is None))
    raw = to_arrays(pencil)
    face = find_face(pencil) if may_have_face(raw, 0.0) else NO_FACE
    answer = DirectMarginProblem(equilibrate(on_face(raw, face, 0.0), 0.0)).solve(0.0)
    is_outside = answer.status == "optimal" and answer.margin is not None and answer.margin < 0
    if answer.status == "infeasible" or is_outside:
        return Infeasible(claim=claim, status="infeasible", witness=witness, steps=steps)
    reason = Reason.SOLVER_FAILED if answer.margin is None else Reason.NEAR_BOUNDARY
    return Inconclusive(reason=reason, status=answer.status, claim=claim, steps=steps)


def _list_gains(
    system: System, claim: L2Gain | InputToState | NoiseAmplification, forms: list[_Form]
) -> Iterator[Certificate]:
    for form in forms:
        own: L2Gain | InputToState | NoiseAmplification | None = claim
        if isinstance(claim, InputToState) and claim.parameter is None:
            own = _choose_rate(system, claim, form)
        if own is None:
            continue
        if own.number is not None and (proved := next(_prove(system, own, form, own.number), None)) is not None:
            yield proved
            continue
        found = tighten(settle_numbers(assemble_gain(system, own, form, free=True)), {SUPPLY: 1.0})
        if found is None or found[SUPPLY] <= 0:
            continue
        best = found.pop(SUPPLY)
        root = best if isinstance(own, NoiseAmplification) else bound_sqrt_above(best, digits=15)
        if own.number is not None:
            if root <= own.number:
                yield _finish(system, own, form, found)
            continue
        simple = simplest_between(root * (1 - _NEAR), root * (1 + _NEAR))
        own = own.with_number(simplest_between(root, root * (1 + _NEAR / 100)))
        yield from islice(_prove(system, own, form, simple), 1)
        yield _finish(system, own, form, found)


def _choose_rate(system: System, claim: InputToState, form: _Form) -> InputToState | None:
    """The rate with the smallest gain, by the solver's word."""
    ceiling = estimate_ceiling(system)
    if ceiling <= 0:
        return None

    def make(parameter: float) -> InputToState:
        if system.dt > 0:
            factor = 1 - convergent_near(parameter / (1 + np.sqrt(1 - parameter)), 1e-4)
            return replace(claim, factor=factor)
        return replace(claim, rate=convergent_near(parameter, 1e-4))

    def cost(share: float) -> float:
        own = make(share * ceiling)
        values = solve(settle_numbers(assemble_gain(system, own, form, free=True)), {SUPPLY: 1.0})
        return np.inf if values is None or not values[SUPPLY] > 0 else float(np.log(values[SUPPLY]))

    shares = np.linspace(0, 1, _GRID + 2)[1:-1]
    costs = [cost(float(share)) for share in shares]
    k = int(np.argmin(costs))
    if not np.isfinite(costs[k]):
        return None
    step = shares[1] - shares[0]

    def capped(share: float) -> float:
        return min(cost(share), 1e3)

    found = minimize_scalar(capped, bounds=(shares[k] - step, min(shares[k] + step, 1.0)), method="bounded",
                            options={"xatol": 1e-4})  # fmt: skip
    share = float(found.x) if found.fun <= costs[k] else float(shares[k])
    parameter = share * ceiling
    for loose in (1e-2, 1e-3):  # the optimum is flat: a simple rate nearby costs nothing
        own = replace(claim, rate=convergent_near(parameter, loose)) if system.dt == 0 else make(parameter)
        near = cost(float(own.parameter or 0) / ceiling)
        if near <= min(found.fun, costs[k]) + 1e-4:
            return own
    return make(parameter)


def _list_delays(system: System, claim: DelayTolerance, forms: list[_Form]) -> Iterator[Certificate]:
    for form in forms:
        if claim.delay is not None:
            yield from _prove(system, claim, form, claim.delay)
            continue
        top = _bisect_delay(system, claim, form)
        if top is None:
            continue
        for room in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2):
            near = Fraction(top) * Fraction(1 - room)
            delay = simplest_between(near * (1 - Fraction(room) / 2), near)
            proved = next(_prove(system, claim, form, delay), None)
            if proved is not None:
                yield proved
                break


def _bisect_delay(system: System, claim: DelayTolerance, form: _Form) -> float | None:
    """Where the delays that can be proved end, by the solver's word."""

    def holds(delay: float) -> bool:
        pencil = settle_numbers(assemble_gain(system, claim.with_number(Fraction(delay)), form))
        return solve(pencil, _small(pencil)) is not None

    unit = 1.0 / max(float(abs(v)) for v in _list_numbers(system))
    low = next((share * unit for share in (1.0, 0.1, 0.01, 1e-3, 1e-4) if holds(share * unit)), None)
    if low is None:
        return None
    high = 2 * low
    while holds(high):
        low, high = high, 2 * high
        if high > _FAR * unit:
            return low
    while high - low > 1e-8 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _list_numbers(system: System) -> list[Fraction]:
    plants = [plant for mode in system.modes for plant in mode.vertices]
    found = [v for plant in plants for part in (plant.A, plant.B) for row in part for v in row if v]
    members = [oracle.linear_members() for oracle in system.oracles]
    found += [bound for m in members for bound in (m.lower, m.upper) if bound]
    return found or [Fraction(1)]


def _small(pencil: Pencil) -> dict[str, float]:
    """An objective that keeps V small: its diagonal."""
    return {name: 1.0 for name in pencil.unknowns if _is_diagonal(name)}


def _is_diagonal(name: str) -> bool:
    if name.startswith("value["):
        return True
    left, _, right = name.partition("[")[2].rstrip("]").partition(",")
    return name.startswith("P") and bool(right) and left == right


def _prove(system: System, claim: GainClaim, form: _Form, number: Fraction) -> Iterator[Certificate]:
    """The claim with this number, if it can be proved."""
    own = claim.with_number(number)
    pencil = settle_numbers(assemble_gain(system, own, form))
    found = _prove_simply(pencil, _small(pencil)) or tighten(pencil, _small(pencil))
    if found is not None:
        yield _finish(system, own, form, found)


def _prove_simply(pencil: Pencil, objective: dict[str, float]) -> dict[str, Fraction] | None:
    """Simple numbers on the boundary, where there are any."""
    raw = to_arrays(pencil)
    face = find_face(pencil) if may_have_face(raw, 0.0) else NO_FACE
    data = equilibrate(on_face(raw, face, 0.0), 0.0, loose=objective)
    values = minimise(data, objective, 0.0)
    return None if values is None else prove(pencil, face, values, data, simple=True)


def _finish(system: System, claim: GainClaim, form: _Form, values: dict[str, Fraction]) -> Certificate:
    """The certificate, with the upper bound of V where one is wanted and proved."""
    if isinstance(claim, InputToState | DelayTolerance):
        bounded = settle_numbers(assemble_gain(system, claim, form, bounded=True))
        sharper = tighten(bounded, {UPPER: 1.0})
        if sharper is None:  # V as it is, at least
            sharper = sharpen_proof(bounded, system.modes, values)
        if sharper is not None and _is_proof(bounded, sharper):
            values = sharper
    return Certificate(system=system, claim=claim, template=form, unknowns=tuple(values.items()), versions=name_tools())


def _is_proof(pencil: Pencil, values: dict[str, Fraction]) -> bool:
    """Whether the values are those of the pencil and satisfy it."""
    return set(values) == set(pencil.unknowns) and satisfies(pencil, values)
