"""From a system and a claim to an outcome: assemble, solve, round, prove."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from importlib.metadata import version
from typing import TypeAlias

from .. import __version__
from ..certificates.certificate import Certificate
from ..classes import Convex, Quadratic
from ..classes.inequalities import EQUILIBRIUM, read_inequalities
from ..classes.slopes import is_smooth
from ..dynamics import LureSystem, PolytopicSystem, PrimalDualIteration, PrimalDualSystem, System
from ..errors import InvalidModelError
from ..exact.rationals import rational
from ..lmi.claims import Claim, Contraction, ExponentialDecay, SublinearDecay, claim_near
from ..lmi.dissipation import check_claim
from ..lmi.metric import find_reduction, reduce_splitting
from ..lmi.signals import output_oracles
from ..lmi.templates import QuadraticPlusValue, QuadraticStorage, Template, VariableMetric
from .arrays import ConeData
from .attempts import Attempt, Family, Log, SolverFactory
from .backend import Answer, MarginProblem, Solver, check_solver
from .direct import DirectMarginProblem
from .families import read_family
from .large import attempt_large
from .outcomes import Inconclusive, Infeasible, Outcome, Proved, Reason, unwrap
from .rate import Candidate, bisect_parameter, search_parameter
from .shifting import shift_loop
from .slow_members import SlowMember
from .sublinear import attempt_sublinear
from .witness import estimate_ceiling, find_witness, is_large

__all__ = ["SolverFactory", "attempt", "certify"]

_LOSSES = (1e-7, 1e-6, 1e-5, 1e-3, 1e-2)
"""Relative distances from the numerical supremum at which a proof is tried, in order."""

_MOST_BITS = 332
"""Numbers of a model above 2 to this power (about 1e100), or below its inverse, leave the range of floating point when
they are multiplied."""

_SIMPLE = {ExponentialDecay: 10**6, Contraction: 200}
"""Denominators up to this make a number worth a try exactly at the supremum, where the proof has no room. A factor
occurs as its square, so a solver's digits tell less simple ones apart."""

_SMALL_BOUND = 3
"""A plainer V with a transient bound up to this is not worth a search for a richer one."""

_TINY = 1e-12
"""A parameter that nothing numerical distinguishes from zero."""

_NOISE = 1e-9
"""Margins of smaller size than this say nothing about which side of the boundary a claim is on."""

_ROUNDS = 3e-9
"""Solutions with a smaller margin than this do not round to a proof, as a rule."""

_NEAR = 1e-6
"""A margin of smaller size is the solver's blind spot."""


def certify(
    system: System | Callable[..., LureSystem],
    claim: Claim | None = None,
    *,
    over: Mapping[str, tuple[object, object]] | None = None,
    template: Template | None = None,
    solver: str | SolverFactory | None = None,
    accuracy: float = 1e-6,
) -> Certificate:
    """Find a Lyapunov certificate and prove it in exact arithmetic.

    Parameters
    ----------
    system : LureSystem, PrimalDualSystem, PrimalDualIteration or PolytopicSystem
        In continuous or discrete time; or, with `over`, a function that makes a `LureSystem` from parameters by name.
    claim : ExponentialDecay, Contraction or SublinearDecay, optional
        What to prove; without a number, the best that can be proved. Default: exponential decay in continuous time,
        contraction in discrete time.
    over : mapping of str to (rational, rational), optional
        Intervals of the parameters of a family: one certificate for all of them. A and B must depend on each through
        one monotone function, C and D on none; the classes may depend on all. The family is represented by its corners
        (exactly, in the certificate); that it lies between them is checked at random parameters.
    template : QuadraticStorage or QuadraticPlusValue, optional
        Form of V; default ``QuadraticPlusValue()``, the richest, or ``QuadraticStorage()`` where it proves the same
        with a transient bound that is no larger, or at most 3.
    solver : str, optional
        A semidefinite solver that cvxpy has, such as ``"SCS"``; default Clarabel, called directly. What it says is
        never believed: its numbers are rounded to rationals and those are checked. Where Clarabel fails, SCS is asked.
        With none named, a system of more than 20 states with one oracle of one quadratic inequality (sector, Lipschitz,
        cocoercive, ...) goes through a Riccati equation instead, with ``QuadraticStorage()``.
    accuracy : float, default 1e-6
        How far the proved rate, or one minus the factor, may lie below the best before the search turns to arithmetic
        in 192 bits, which is slow and gets closer. Relative; at least 1e-7.

    Returns
    -------
    Certificate
        Proved: `verify` succeeds on it.

    Raises
    ------
    NoCertificateError
        If there is no proof; its ``outcome`` is `Infeasible` or `Inconclusive`.
    InvalidModelError
        If an argument is not valid.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import gradient_flow
    >>> certify(gradient_flow(SmoothStronglyConvex(mu="1/3", L=7))).rate
    Fraction(1, 3)
    """
    return unwrap(attempt(system, claim, over=over, template=template, solver=solver, accuracy=accuracy))


def attempt(
    system: System | Callable[..., LureSystem],
    claim: Claim | None = None,
    *,
    over: Mapping[str, tuple[object, object]] | None = None,
    template: Template | None = None,
    solver: str | SolverFactory | None = None,
    accuracy: float = 1e-6,
) -> Outcome:
    """Like `certify`, but a "no" is a value, never an exception.

    Parameters
    ----------
    system : LureSystem, PrimalDualSystem, PrimalDualIteration or PolytopicSystem
        In continuous or discrete time; or, with `over`, a function that makes a `LureSystem` from parameters by name.
    claim : ExponentialDecay, Contraction or SublinearDecay, optional
        As in `certify`.
    over : mapping of str to (rational, rational), optional
        As in `certify`.
    template : QuadraticStorage or QuadraticPlusValue, optional
        As in `certify`.
    solver : str, optional
        As in `certify`; or a function from `ConeData` to a `Solver`, to bring one that cvxpy does not have.
    accuracy : float, default 1e-6
        As in `certify`.

    Returns
    -------
    Proved, Infeasible or Inconclusive
        The proof; or a "no", with whose word it is; or why nothing is known and what to try.

    Raises
    ------
    InvalidModelError
        If an argument is not valid.
    """
    if over is not None:
        if not callable(system):
            raise InvalidModelError(f"over goes with a function that makes systems, got {type(system).__name__}")
        closed = attempt(read_family(system, over), claim, template=template, solver=solver, accuracy=accuracy)
        if isinstance(closed, Infeasible):  # a member of the polytope need not be one of the family
            return replace(closed, witness=None, status="no for all that lies between the corners")
        return closed
    if not isinstance(system, LureSystem | PrimalDualSystem | PrimalDualIteration | PolytopicSystem):
        raise InvalidModelError(
            "system must be a LureSystem, a PrimalDualSystem, a PrimalDualIteration or a PolytopicSystem, got "
            f"{type(system).__name__}"
        )
    wanted: Claim = (Contraction() if system.dt > 0 else ExponentialDecay()) if claim is None else claim
    if not isinstance(wanted, ExponentialDecay | Contraction | SublinearDecay):
        raise InvalidModelError(
            f"claim must be ExponentialDecay(rate), Contraction(factor) or SublinearDecay(order), got {claim!r}"
        )
    if not isinstance(accuracy, float) or not _LOSSES[0] <= accuracy < 1:
        raise InvalidModelError(f"accuracy must be a float in [{_LOSSES[0]}, 1), got {accuracy!r}")
    if template is None and find_reduction(system) is not None and len(system.modes[0].norm_above) > 1:
        template = VariableMetric()
    if isinstance(template, VariableMetric):
        return _attempt_in_metric(system, wanted, template, solver, accuracy)
    if isinstance(wanted, SublinearDecay):
        return _attempt_sublinear(system, wanted, template, solver)
    is_modal = system.dt > 0 and not isinstance(system, LureSystem)  # then V is quadratic in the state
    every: tuple[Template, ...] = (QuadraticStorage(),) if is_modal else (QuadraticStorage(), QuadraticPlusValue())
    if _has_inertial_prox(system):
        every = (*every, QuadraticPlusValue(outputs=True))
    forms = every if template is None else (template,)
    check_claim(system, wanted, forms[-1])  # a claim that cannot be made of this system is an error, not a no
    name, make, fallback = _choose_solver(solver)
    if solver is None and QuadraticStorage() in forms and isinstance(system, LureSystem) and is_large(system):
        outcome = attempt_large(system, wanted)
        if outcome is not None:
            return outcome
    if not _is_representable(system):
        return _out_of_range(wanted)
    ceiling = estimate_ceiling(system)
    if ceiling <= _TINY if wanted.parameter is None else wanted.parameter >= rational(ceiling * (1 - 1e-9)):
        witness = find_witness(system)
        for oracle in system.oracles:  # a class that makes no sense is an error, whatever its members do
            read_inequalities(oracle, ("t", EQUILIBRIUM))
        if witness.refutes(wanted.number):
            return Infeasible(claim=wanted, status="not asked", witness=witness)
    if not _is_moderate(wanted.parameter or Fraction(1)):
        return _out_of_range(wanted)
    around = max(ceiling, _TINY) if wanted.parameter is None else float(wanted.parameter)
    shift = shift_loop(system, forms[-1])
    families = [
        Family(shift=shift, template=form, around=around, solver=name, make=make, fallback=fallback) for form in forms
    ]
    if wanted.parameter is None:
        return _attempt_best(families, wanted, ceiling, accuracy)
    return _attempt_given(families, wanted)


def _translate(system: System, slow: SlowMember) -> SlowMember | None:
    """A slow envelope, where it is one of members of the classes.

    With f = 0 and any convex g it is the Moreau envelope of g, which may be any convex function of its smoothness. In a
    smaller class of g only what holds for all members counts: that no energy is lost.
    """
    if slow.order <= 0:
        return replace(slow, function="quadratic members")
    f, g = system.oracles
    if type(g) is not Convex or not isinstance(f, Quadratic) or f.mu:
        return None
    return replace(slow, function=slow.function.replace("f(x)", "the envelope J(x)"))


def _has_inertial_prox(system: System) -> bool:
    """Whether V needs the envelope of a prox step: momentum on a splitting method."""
    if not isinstance(system, LureSystem) or system.dt > 0 or len(system.A) == 1:
        return False
    steps = [j for j, row in enumerate(system.D) if row[j]]
    return bool(steps) and set(steps) <= set(output_oracles(system, QuadraticPlusValue(outputs=True)))


def _attempt_in_metric(
    system: System, wanted: Claim, template: VariableMetric, solver: str | SolverFactory | None, accuracy: float
) -> Outcome:
    """The search for the reduced system, told of the user's own."""
    check_claim(system, wanted, template)
    outcome = attempt(reduce_splitting(system).plant, wanted, template=template.form, solver=solver, accuracy=accuracy)
    if isinstance(outcome, Proved):
        form = outcome.certificate.template
        if isinstance(form, VariableMetric):
            raise TypeError("internal error: a metric inside a metric")
        return replace(outcome, certificate=replace(outcome.certificate, system=system, template=VariableMetric(form)))
    if isinstance(outcome, Infeasible) and isinstance(outcome.witness, SlowMember):
        return replace(outcome, witness=_translate(system, outcome.witness))
    if isinstance(outcome, Infeasible) and not isinstance(wanted, SublinearDecay):
        return replace(outcome, witness=find_witness(system))
    return outcome


def _attempt_sublinear(
    system: System, wanted: SublinearDecay, template: Template | None, solver: str | SolverFactory | None
) -> Outcome:
    check_claim(system, wanted, template or QuadraticPlusValue())
    sharper = (QuadraticPlusValue(outputs=True),) if is_smooth(system.oracles[0]) else ()
    forms = (QuadraticPlusValue(), *sharper) if template is None else (template,)
    if not _is_representable(system) or not _is_moderate(wanted.order or Fraction(1)):
        return _out_of_range(wanted)
    return attempt_sublinear(system, wanted, forms, _choose_solver(solver), _tools())


def _out_of_range(wanted: Claim) -> Inconclusive:
    return Inconclusive(reason=Reason.OUT_OF_RANGE, status="not asked", claim=wanted)


def _choose_solver(solver: str | SolverFactory | None) -> tuple[str, SolverFactory, bool]:
    """The user's own, or the one that is named through cvxpy; Clarabel directly, then SCS, where none is named."""
    if callable(solver):
        return getattr(solver, "__name__", type(solver).__name__), solver, False
    if solver is None:
        return "CLARABEL", DirectMarginProblem, True
    name = check_solver(solver)
    return f"{name} through cvxpy", partial(MarginProblem, solver=name), False


def _is_representable(system: System) -> bool:
    """Whether every number of the model can go to floating point and be multiplied there."""
    plants = [plant for mode in system.modes for plant in mode.vertices]
    numbers = [v for plant in plants for m in (plant.A, plant.B, plant.C, plant.D, plant.N) for row in m for v in row]
    members = [oracle.linear_members() for oracle in system.oracles]
    numbers += [bound for m in members for bound in (m.lower, m.upper) if bound is not None]
    return all(map(_is_moderate, numbers))


def _is_moderate(number: Fraction) -> bool:
    return not number or abs(number.numerator.bit_length() - number.denominator.bit_length()) < _MOST_BITS


def _attempt_best(
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
        return _out_of_range(wanted)
    for k, family in enumerate(promising):
        found, answer = _attempt_at_ceiling(family, wanted, ceiling, accuracy, log)
        if found is not None:  # a plainer form that failed there is not asked again
            return _finish(promising[k:], family, *found, supremum=None, log=log)
    family = families[-1]
    last: Candidate | None = None
    for candidate in search(family.data, ceiling, family.checked):
        log.add(f"{family.solver}, {family.name}: {candidate.method}, {candidate.status}", candidate.solves)
        last = candidate
        if candidate.supremum is None:
            continue
        found = _attempt_near(family, wanted, candidate, ceiling, accuracy, log)
        if found is not None:
            return _finish(families, family, *found, supremum=candidate.supremum, log=log)
    if family.fallback and (last is None or not last.decided):
        scs = partial(MarginProblem, solver="SCS")
        log.add(f"{family.solver} decides nothing; asking SCS", 0)
        others = [replace(f, make=scs, solver="SCS through cvxpy", fallback=False) for f in families]
        return _attempt_best(others, wanted, ceiling, accuracy, log, search=bisect_parameter)
    steps = tuple(log.steps)
    if last is None or last.supremum is None:
        status = answer.status if last is None else last.status
        if last is not None and last.decided:
            return Infeasible(claim=wanted, status=status, witness=find_witness(family.system), steps=steps)
        return Inconclusive(reason=Reason.SOLVER_FAILED, status=status, claim=wanted, steps=steps)
    return Inconclusive(
        reason=Reason.ROUNDING_FAILED,
        status=last.status,
        claim=wanted,
        tried=_to_number(wanted, last.supremum),
        steps=steps,
    )


def _skip_hopeless(families: list[Family], parameter: float, log: Log) -> list[Family]:
    """The forms of V, without a plainer one that the circle criterion rules out at a parameter."""
    found = [f for f in families[:-1] if not f.is_ruled_out(parameter)]
    if len(found) < len(families) - 1:
        log.add("circle criterion: QuadraticStorage is ruled out", 0)
    return [*found, families[-1]]


Search: TypeAlias = Callable[[ConeData, float, Callable[[ConeData], Solver]], Iterator[Candidate]]
Found: TypeAlias = tuple[Claim, dict[str, Fraction]]


def _attempt_at_ceiling(
    family: Family, wanted: Claim, ceiling: float, accuracy: float, log: Log
) -> tuple[Found | None, Answer]:
    """The claim that the worst linear member leaves open, exactly if it is simple, else just below it."""
    edge = _simple_claim(wanted, ceiling, 1e-12)
    if edge is not None:
        tried = family.attempt(edge, log, simple=True)
        if tried.values is not None:
            return (edge, tried.values), tried.answer
        if tried.decided:
            return None, tried.answer
        below = _step_down(wanted, ceiling, _LOSSES[0])
        values = family.reuse(below, tried.answer, log)
        if values is not None:
            return (below, values), tried.answer
    return _descend(family, wanted, ceiling, [e for e in _LOSSES if e <= accuracy], log)


def _step_down(wanted: Claim, top: float, loss: float) -> Claim:
    """A claim below that of a parameter by a relative loss of the rate, or of one minus the factor; a short number."""
    below = top * (1 - loss * 0.75)
    if isinstance(wanted, Contraction):
        gap = top / (1 + math.sqrt(1 - min(top, 1.0))) * (1 - loss * 0.75)
        below = gap * (2 - gap)
    return claim_near(wanted, below, loss * 0.2)


def _descend(
    family: Family, wanted: Claim, top: float, losses: list[float], log: Log, *, data: ConeData | None = None
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
    losses = [e for e in _LOSSES if e <= accuracy or candidate.method == "bisection"]
    return _descend(family, wanted, top, losses, log, data=candidate.data)[0]


def _attempt_given(families: list[Family], wanted: Claim) -> Outcome:
    """The claim that was asked for: the plainest form first."""
    log = Log()
    tried: list[Attempt] = []
    promising = _skip_hopeless(families, float(wanted.parameter or 0), log)
    if not promising[0].is_finite:
        return _out_of_range(wanted)
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
        versions=(*_tools(), ("solver", family.solver)),
    )


@cache
def _tools() -> tuple[tuple[str, str], ...]:
    """What found the certificate; a proof does not depend on it."""
    return (("lyapflow", __version__), *((name, version(name)) for name in ("cvxpy", "python-flint")))


def _to_number(claim: Claim, parameter: float) -> float:
    return math.sqrt(1 - min(parameter, 1.0)) if isinstance(claim, Contraction) else parameter
