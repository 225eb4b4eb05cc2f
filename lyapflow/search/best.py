"""The strongest claim that can be proved, or one that was asked for, with the forms of V that are given."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from importlib.metadata import version
from typing import TypeAlias

from .. import __version__
from ..certificates.certificate import Certificate
from ..dynamics import ParametricSystem, System
from ..lmi.claims import Claim, Contraction, ExponentialDecay, claim_near
from .arrays import ConeData
from .attempts import Attempt, Family, Log
from .backend import Answer, MarginProblem, Solver
from .outcomes import UNASKED, Inconclusive, Infeasible, Outcome, Proved, Reason
from .rate import Candidate, bisect_parameter, search_parameter
from .witness import find_witness

__all__ = ["LOSSES", "attempt_best", "attempt_given", "give_up_range", "name_tools"]

LOSSES = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""Relative distances from the numerical supremum at which a proof is tried, in order."""

_LAST_LOSSES = (1e-3, 1e-2, 1e-1, 0.5)
"""The same where nothing nearer is proved: less than the best is better than nothing."""

_SIMPLE = {ExponentialDecay: 10**6, Contraction: 200}
"""Denominators up to this make a number worth a try exactly at the supremum, where the proof has no room. A factor
occurs as its square, so a solver's digits tell less simple ones apart."""

_SMALL_BOUND = 3
"""A plainer V with a transient bound up to this is not worth a search for a richer one."""

_NOISE = 1e-9
"""Margins of smaller size than this say nothing about which side of the boundary a claim is on."""

_ROUNDS = 3e-9
"""Solutions with a smaller margin than this do not round to a proof, as a rule."""

_NEAR = 1e-6
"""A margin of smaller size is the solver's blind spot."""


def give_up_range(wanted: Claim) -> Inconclusive:
    """What is said of numbers that leave the range of floating point."""
    return Inconclusive(reason=Reason.OUT_OF_RANGE, status=UNASKED, claim=wanted)


def attempt_best(
    families: list[Family],
    wanted: Claim,
    ceiling: float,
    accuracy: float,
    log: Log | None = None,
    *,
    search: Search = search_parameter,
) -> Outcome:
    """The best claim: at the ceiling if a form of V reaches it, else at the supremum of the richest form.

    Where Clarabel decides nothing, SCS is asked; it is slow and not precise, so it is asked less.
    """
    log = Log() if log is None else log
    promising = _skip_hopeless(families, ceiling, log)
    if not promising[0].is_finite:
        return give_up_range(wanted)
    for k, family in enumerate(promising):
        found, answer = _attempt_at_ceiling(family, wanted, ceiling, accuracy, log)
        if found is not None:  # a plainer form that failed there is not asked again
            return _finish(promising[k:], family, *found, supremum=None, log=log)
    family = families[-1]
    last: Candidate | None = None
    highest = 0.0
    for candidate in search(family.data, ceiling, family.checked, answer):
        log.add(f"{family.solver}, {family.name}: {candidate.method}, {candidate.status}", candidate.solves)
        last = candidate
        if candidate.supremum is None:
            continue
        highest = max(highest, candidate.supremum)
        found = _attempt_near(family, wanted, candidate, ceiling, accuracy, log)
        if found is not None:
            return _finish(families, family, *found, supremum=candidate.supremum, log=log)
    top = highest or (ceiling if _has_no_end(family.system) else 0.0)
    for loss in _LAST_LOSSES if top else ():
        claim = _step_down(wanted, top, loss)
        for plainer in promising:  # simple numbers too, for proofs that have no room at any claim
            values = plainer.attempt(claim, log, simple=True).values
            if values is not None:
                return _finish(families, plainer, claim, values, supremum=highest or None, log=log)
    if family.fallback and (last is None or not last.decided):
        scs = partial(MarginProblem, solver="SCS")
        log.add(f"{family.solver} decides nothing; asking SCS", 0)
        others = [replace(f, make=scs, solver="SCS through cvxpy", fallback=False) for f in families]
        return attempt_best(others, wanted, ceiling, accuracy, log, search=bisect_parameter)
    steps = tuple(log.steps)
    if last is None or not top:
        status = answer.status if last is None else last.status
        if last is not None and last.decided:
            return Infeasible(claim=wanted, status=status, witness=find_witness(family.system), steps=steps)
        return Inconclusive(reason=Reason.SOLVER_FAILED, status=status, claim=wanted, steps=steps)
    return Inconclusive(
        reason=Reason.ROUNDING_FAILED,
        status=last.status,
        claim=wanted,
        tried=_to_number(wanted, top),
        steps=steps,
    )


def _has_no_end(system: System) -> bool:
    """Whether a family goes to infinity, where its inequalities may lose their interior, so that margins say little."""
    return isinstance(system, ParametricSystem) and system.ends[1] is None


def _skip_hopeless(families: list[Family], parameter: float, log: Log) -> list[Family]:
    """The forms of V, without a plainer one that the circle criterion rules out at a parameter."""
    found = [f for f in families[:-1] if not f.is_ruled_out(parameter)]
    if len(found) < len(families) - 1:
        log.add("circle criterion: QuadraticStorage is ruled out", 0)
    return [*found, families[-1]]


Search: TypeAlias = Callable[[ConeData, float, Callable[[ConeData], Solver], Answer], Iterator[Candidate]]
Found: TypeAlias = tuple[Claim, dict[str, Fraction]]


def _attempt_at_ceiling(
    family: Family, wanted: Claim, ceiling: float, accuracy: float, log: Log
) -> tuple[Found | None, Answer]:
    """The claim that the worst linear member leaves open, exactly if it is simple, else just below it."""
    edge, losses = _simple_claim(wanted, ceiling, 1e-12), _list_losses(accuracy)
    if edge is not None:
        tried = family.attempt(edge, log, simple=True)
        if tried.values is not None:
            return (edge, tried.values), tried.answer
        if tried.decided:
            return None, tried.answer
        below = _step_down(wanted, ceiling, losses[0])
        values = family.reuse(below, tried.answer, log)
        if values is not None:
            return (below, values), tried.answer
    return _descend(family, wanted, ceiling, losses, log)


def _list_losses(accuracy: float) -> list[float]:
    """Losses that are worth a try: a tenth of what may be lost leaves room for a V that is well conditioned."""
    least = 0.099 * min(accuracy, LOSSES[-1])
    return [e for e in LOSSES if least <= e <= accuracy]


def _step_down(wanted: Claim, top: float, loss: float) -> Claim:
    """A claim below that of a parameter by a relative loss of the rate, or of one minus the factor; a short number."""
    below = top * (1 - loss * 0.75)
    if isinstance(wanted, Contraction):
        gap = top / (1 + math.sqrt(1 - min(top, 1.0))) * (1 - loss * 0.75)
        below = gap * (2 - gap)
    return claim_near(wanted, below, loss * 0.2)


def _descend(
    family: Family, wanted: Claim, top: float, losses: Sequence[float], log: Log, *, data: ConeData | None = None
) -> tuple[Found | None, Answer]:
    """Ever weaker claims below a parameter, until one is proved or one is clearly beyond what can be proved.

    If there is no clear no and no proof, the first of them is tried in high precision.
    """
    first: tuple[Claim, Answer] | None = None
    enough = 0.0
    for loss in losses:
        if loss < enough and loss != losses[-1]:
            continue
        claim = _step_down(wanted, top, loss)
        tried = family.attempt(claim, log, data=data)
        if tried.values is not None:
            return (claim, tried.values), tried.answer
        margin = tried.answer.margin
        first = first or (claim, tried.answer)
        if margin is not None and margin < -_NOISE:
            return None, tried.answer
        if margin is not None and margin > 0:  # it grows with the loss; below some size nothing rounds
            enough = loss * _ROUNDS / margin
    if first is None:
        raise ValueError("there must be a loss to try")
    values = family.polish(*first, log)
    return (None if values is None else (first[0], values)), first[1]


def _simple_claim(wanted: Claim, parameter: float, relative: float) -> Claim | None:
    """A claim with a simple number and about the given parameter, if there is one."""
    found = claim_near(wanted, min(parameter, 1.0) if isinstance(wanted, Contraction) else parameter, relative)
    number = found.number
    return found if number is not None and number.denominator <= _SIMPLE[type(wanted)] else None


def _attempt_near(
    family: Family, wanted: Claim, candidate: Candidate, ceiling: float, accuracy: float, log: Log
) -> Found | None:
    """A simple claim at the supremum, else ever weaker ones: those far off only where there is no other candidate."""
    top = candidate.supremum or 0.0
    edge = _simple_claim(wanted, top * (1 + 4.5e-7), 5e-7)
    claims = [edge] if edge is not None and float(edge.parameter or 0) <= ceiling * (1 + 1e-9) else []
    for claim in claims:
        tried = family.attempt(claim, log, data=candidate.data, simple=True)
        if tried.values is not None:
            return claim, tried.values
    losses = LOSSES if candidate.method == "bisection" else _list_losses(accuracy)
    return _descend(family, wanted, top, losses, log, data=candidate.data)[0]


def attempt_given(families: list[Family], wanted: Claim) -> Outcome:
    """The claim that was asked for: the plainest form first."""
    log = Log()
    tried: list[Attempt] = []
    promising = _skip_hopeless(families, float(wanted.parameter or 0), log)
    if not promising[0].is_finite:
        return give_up_range(wanted)
    for family in promising:
        attempt = family.attempt(wanted, log, simple=True, last=family is families[-1])
        if attempt.values is not None:
            return _finish(families, family, wanted, attempt.values, supremum=None, log=log)
        tried.append(attempt)
    if not any(attempt.decided for attempt in tried):
        values = families[-1].polish(wanted, tried[-1].answer, log)
        if values is not None:
            return _finish(families[-1:], families[-1], wanted, values, supremum=None, log=log)
    answer, steps = tried[-1].answer, tuple(log.steps)
    if any(attempt.decided for attempt in tried[-1:]):
        return Infeasible(claim=wanted, status=answer.status, witness=find_witness(families[0].system), steps=steps)
    if answer.values is None:
        reason = Reason.SOLVER_FAILED
    elif answer.margin is not None and abs(answer.margin) < _NEAR:
        reason = Reason.NEAR_BOUNDARY
    else:
        reason = Reason.ROUNDING_FAILED
    number = wanted.number
    return Inconclusive(
        reason=reason, status=answer.status, claim=wanted, tried=None if number is None else float(number), steps=steps
    )


def _finish(
    families: list[Family],
    family: Family,
    claim: Claim,
    values: dict[str, Fraction],
    *,
    supremum: float | None,
    log: Log,
) -> Outcome:
    """The proof with sharp constants; of two forms that prove the claim, that with the smaller transient bound.

    A plainer form with a small bound is taken as it is.
    """
    number = None if supremum is None else _to_number(claim, supremum)
    best = _certify(family, claim, values, number)
    if family is families[-1]:
        families = _skip_hopeless(families, float(claim.parameter or 0), log)
    for other in families:
        if other is family or (family is families[0] and best.is_bounded and best.transient_bound <= _SMALL_BOUND):
            continue
        found = other.attempt(claim, log).values
        if found is not None:
            second = _certify(other, claim, found, number)
            plain, rich = (second, best) if other is families[0] else (best, second)
            if not rich.is_bounded or (plain.is_bounded and plain.transient_bound <= rich.transient_bound):
                best = plain
            else:
                best = rich
    return Proved(certificate=best, solves=log.solves, steps=tuple(log.steps))


def _certify(family: Family, claim: Claim, values: dict[str, Fraction], supremum: float | None) -> Certificate:
    found = family.certify(claim, values)
    return Certificate(
        system=family.system,
        claim=claim,
        template=family.template,
        unknowns=tuple((name, found[name]) for name in family.bounded.unknowns if name in found),
        supremum=supremum,
        versions=(*name_tools(), ("solver", family.solver)),
    )


@cache
def name_tools() -> tuple[tuple[str, str], ...]:
    """What found the certificate; a proof does not depend on it."""
    return (("lyapflow", __version__), *((name, version(name)) for name in ("cvxpy", "python-flint")))


def _to_number(claim: Claim, parameter: float) -> float:
    return math.sqrt(1 - min(parameter, 1.0)) if isinstance(claim, Contraction) else parameter
