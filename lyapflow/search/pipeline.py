"""From a system and a claim to an outcome: assemble, solve, round, prove."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from importlib.metadata import version
from typing import TypeAlias

from .. import __version__
from ..certificates.certificate import Certificate
from ..certificates.verification import check
from ..classes.inequalities import EQUILIBRIUM, read_inequalities
from ..dynamics import LureSystem, PrimalDualSystem, System
from ..errors import InvalidModelError
from ..exact.rationals import rational, simplest_between
from ..lmi.claims import ExponentialDecay
from ..lmi.dissipation import UPPER, assemble
from ..lmi.pencil import Pencil
from ..lmi.templates import QuadraticPlusValue, QuadraticStorage, Template
from .arrays import ConeData, equilibrate, rescale, to_arrays
from .backend import CheckedSolver, MarginProblem, Solver, check_solver
from .bounds import sharpen
from .direct import DirectMarginProblem
from .outcomes import Inconclusive, Infeasible, Outcome, Proved, Reason, unwrap
from .rate import RateSearch, search_rate
from .reduction import find_face
from .rounding import prove
from .witness import Witness, find_witness

__all__ = ["SolverFactory", "attempt", "certify"]

SolverFactory: TypeAlias = Callable[[ConeData], Solver]

_LOSSES = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""Relative distances from the numerical supremum at which a proof is tried, in order."""

_SMALLEST = Fraction(1, 10**100)
"""Numbers of a model below this, or above its inverse, leave the range of floating point when multiplied."""

_CLEAR = 1e-6
"""A margin more negative than this, reported as optimal, is the solver's no; a smaller one is its blind spot."""


def certify(
    system: System,
    claim: ExponentialDecay | None = None,
    *,
    template: Template | None = None,
    solver: str | SolverFactory | None = None,
) -> Certificate:
    """Find a Lyapunov certificate and prove it in exact arithmetic.

    Parameters
    ----------
    system : LureSystem or PrimalDualSystem
        In continuous time.
    claim : ExponentialDecay, optional
        What to prove; without a rate, the best rate that can be proved.
    template : QuadraticStorage or QuadraticPlusValue, optional
        Form of V; default ``QuadraticPlusValue()``, the richest, or ``QuadraticStorage()`` where it proves the same
        rate with no larger transient bound.
    solver : str, optional
        A semidefinite solver that cvxpy has, such as ``"SCS"``; default Clarabel, called directly. What it says is
        never believed: its numbers are rounded to rationals and those are checked.

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
    return unwrap(attempt(system, claim, template=template, solver=solver))


def attempt(
    system: System,
    claim: ExponentialDecay | None = None,
    *,
    template: Template | None = None,
    solver: str | SolverFactory | None = None,
) -> Outcome:
    """Like `certify`, but a "no" is a value, never an exception.

    Parameters
    ----------
    system : LureSystem or PrimalDualSystem
        In continuous time.
    claim : ExponentialDecay, optional
        As in `certify`.
    template : QuadraticStorage or QuadraticPlusValue, optional
        As in `certify`.
    solver : str, optional
        As in `certify`; or a function from `ConeData` to a `Solver`, to bring one that cvxpy does not have.

    Returns
    -------
    Proved, Infeasible or Inconclusive
        The proof; or a "no", with whose word it is; or why nothing is known and what to try.

    Raises
    ------
    InvalidModelError
        If an argument is not valid.
    """
    if not isinstance(system, LureSystem | PrimalDualSystem):
        raise InvalidModelError(f"system must be a LureSystem or a PrimalDualSystem, got {type(system).__name__}")
    wanted = ExponentialDecay() if claim is None else claim
    if not isinstance(wanted, ExponentialDecay):
        raise InvalidModelError(f"claim must be ExponentialDecay(rate), got {claim!r}")
    chosen = QuadraticPlusValue() if template is None else template
    # A claim that cannot be made of this system is an error, not a no.
    assemble(system, ExponentialDecay(Fraction(1)), chosen)
    if not _is_representable(system):
        return Inconclusive(reason=Reason.OUT_OF_RANGE, status="not asked", rate=None)
    name, make = _choose_solver(solver)
    task = _Task(
        system=system,
        template=chosen,
        name=name,
        make=make,
        witness=find_witness(system),
    )
    outcome = _attempt_best(task) if wanted.rate is None else _attempt_at(task, wanted.rate)
    return _prefer_simpler(task, outcome) if template is None else outcome


def _choose_solver(solver: str | SolverFactory | None) -> tuple[str, SolverFactory]:
    """The user's own, or the one that is named through cvxpy; Clarabel directly where none is named."""
    if callable(solver):
        return getattr(solver, "__name__", type(solver).__name__), solver
    if solver is None:
        return "CLARABEL", DirectMarginProblem
    name = check_solver(solver)
    return f"{name} through cvxpy", partial(MarginProblem, solver=name)


def _is_representable(system: System) -> bool:
    """Whether every number of the model can go to floating point and be multiplied there."""
    numbers: list[Fraction] = []
    for plant in (plant for mode in system.modes for plant in mode.vertices):
        numbers += [v for m in (plant.A, plant.B, plant.C, plant.D) for row in m for v in row]
    for oracle in system.oracles:
        for inequality in read_inequalities(oracle, ("t", EQUILIBRIUM)):
            numbers += [c for _, c in (*inequality.values, *inequality.products)]
        members = oracle.linear_members()
        numbers += [bound for bound in (members.lower, members.upper) if bound is not None]
    return all(map(_is_moderate, numbers))


def _is_moderate(number: Fraction) -> bool:
    return not number or _SMALLEST < abs(number) < 1 / _SMALLEST


def _prefer_simpler(task: _Task, outcome: Outcome) -> Outcome:
    """Among proofs of the same rate, a V without function values if its transient bound is no worse."""
    if not isinstance(outcome, Proved) or not outcome.certificate.value_weights:
        return outcome
    richer = outcome.certificate
    edge = richer.rate if richer.supremum is None else _edge(richer.supremum)
    plainer = replace(task, template=QuadraticStorage())
    attempts = [_attempt_at(plainer, rate) for rate in dict.fromkeys((max(edge, richer.rate), richer.rate))]
    simpler = next((a for a in attempts if isinstance(a, Proved)), None)
    if simpler is None:
        return outcome
    plain = simpler.certificate
    if richer.is_bounded and not (plain.is_bounded and plain.transient_bound <= richer.transient_bound):
        return outcome
    certificate = replace(plain, supremum=richer.supremum)
    return Proved(certificate=certificate, witness=task.witness, solves=outcome.solves + simpler.solves)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    system: System
    template: Template
    name: str
    make: SolverFactory
    witness: Witness

    def pencil(self, rate: Fraction) -> Pencil:
        return assemble(self.system, ExponentialDecay(rate), self.template)

    def solver(self, data: ConeData) -> Solver:
        return CheckedSolver(self.make(data), data.names)


def _attempt_best(task: _Task) -> Outcome:
    if task.witness.refutes(None):
        return Infeasible(rate=None, status="not asked", witness=task.witness)
    search = search_rate(_data(task, task.witness.rate), float(task.witness.rate), task.solver)
    if search.supremum is None:
        if search.decided:
            return Infeasible(rate=None, status=search.status, witness=task.witness)
        return Inconclusive(reason=Reason.SOLVER_FAILED, status=search.status, rate=None)
    proved = _prove_near(task, search)
    if proved is None:
        return Inconclusive(reason=Reason.ROUNDING_FAILED, status=search.status, rate=search.supremum)
    rate, values, solves = proved
    return _finish(task, rate, values, supremum=search.supremum, solves=search.solves + solves)


def _data(task: _Task, around: Fraction) -> ConeData:
    """Cone data as a function of the rate."""
    ends = (around / 3, around)
    low, high = (task.pencil(rate) for rate in ends)
    face = find_face(low)
    return equilibrate(to_arrays(low, high, face, (float(ends[0]), float(ends[1]))), float(around) / 2)


def _edge(supremum: float) -> Fraction:
    """A simple rational just at the supremum: worth a try, because there the solution itself is often simple."""
    return simplest_between(rational(supremum * (1 - 1e-7)), rational(supremum * (1 + 1e-6)))


def _prove_near(task: _Task, search: RateSearch) -> tuple[Fraction, dict[str, Fraction], int] | None:
    """A proof at the simplest rate at the supremum, else at ever smaller ones."""
    top = search.supremum
    if top is None:
        return None
    edge = _edge(top)
    candidates = [(edge, True)] if edge <= task.witness.rate and edge.denominator < 10**6 else []
    candidates += [(simplest_between(rational(top * (1 - e)), rational(top * (1 - e / 2))), False) for e in _LOSSES]
    solves = 0
    for rate, simple in candidates:
        pencil = task.pencil(rate)
        face = find_face(pencil)
        for data in search.scalings:
            answer = task.solver(data).solve(float(rate))
            solves += 1
            if answer.values is None:
                continue
            values = prove(pencil, face, answer.values, simple=simple)
            if values is not None:
                return rate, values, solves
    return None


def _attempt_at(task: _Task, rate: Fraction) -> Outcome:
    """The claim of a given rate."""
    if task.witness.refutes(rate):
        return Infeasible(rate=rate, status="not asked", witness=task.witness)
    if not _is_moderate(rate):
        return Inconclusive(reason=Reason.OUT_OF_RANGE, status="not asked", rate=None)
    pencil = task.pencil(rate)
    face = find_face(pencil)
    data = _data(task, rate)
    status, decided = "", False
    for solves in (1, 2):
        answer = task.solver(data).solve(float(rate))
        status = answer.status
        if answer.values is not None:
            # A clear no is not worth the many simple roundings; a few fine ones show whether the margin lied.
            values = prove(pencil, face, answer.values, simple=not _says_no(answer.status, answer.margin))
            if values is not None:
                return _finish(task, rate, values, supremum=None, solves=solves)
        decided = decided or _says_no(answer.status, answer.margin)
        if answer.values is None or solves == 2:
            break
        data = rescale(data, float(rate), answer.values)
    if decided:
        return Infeasible(rate=rate, status=status, witness=task.witness)
    if answer.values is None:
        reason = Reason.SOLVER_FAILED
    elif answer.margin is not None and abs(answer.margin) < _CLEAR:
        reason = Reason.NEAR_BOUNDARY
    else:
        reason = Reason.ROUNDING_FAILED
    return Inconclusive(reason=reason, status=status, rate=float(rate))


def _says_no(status: str, margin: float | None) -> bool:
    return status == "infeasible" or (status == "optimal" and margin is not None and margin < -_CLEAR)


def _finish(
    task: _Task, rate: Fraction, values: dict[str, Fraction], *, supremum: float | None, solves: int
) -> Outcome:
    claim = ExponentialDecay(rate)
    sharp = sharpen(task.system, claim, task.template, values)
    order = assemble(task.system, claim, task.template, bounded=UPPER in sharp)
    chosen = sharp if check(order, sharp) is None else values
    names = [name for name in order.unknowns if name in chosen]
    certificate = Certificate(
        system=task.system,
        claim=claim,
        template=task.template,
        unknowns=tuple((name, chosen[name]) for name in names),
        supremum=supremum,
        versions=_versions(task),
    )
    return Proved(certificate=certificate, witness=task.witness, solves=solves)


def _versions(task: _Task) -> tuple[tuple[str, str], ...]:
    """What found the certificate; a proof does not depend on it."""
    tools = (("lyapflow", __version__), *((name, version(name)) for name in ("cvxpy", "python-flint")))
    return (*tools, ("solver", task.name))
