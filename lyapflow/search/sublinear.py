"""From a system and a sublinear claim to an outcome: the same search, in logarithmic time.

The order of the decay plays the part of a rate, and its natural end is the degree of the system: by that power of time
the value is multiplied, and functions that are flat at their minimum decay no faster. There the state has no room left,
so each order has a pencil, and a face, of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from ..certificates.certificate import Certificate
from ..certificates.verification import satisfies
from ..dynamics import System
from ..exact.rationals import convergent_near, rational, simplest_between
from ..lmi.claims import Claim, SublinearDecay
from ..lmi.dissipation import assemble
from ..lmi.logtime import take_logarithmic_time
from ..lmi.pencil import Pencil
from ..lmi.templates import Template
from .attempts import Attempt, Family, Log, SolverFactory
from .direct import minimise
from .outcomes import UNASKED, Inconclusive, Infeasible, Outcome, Proved, Reason
from .rate import search_parameter
from .rounding import prove
from .shifting import Shift
from .slow_members import find_slow_member

__all__ = ["attempt_sublinear"]

_MARGINS = (0.0, 1e-8, 1e-6, 1e-4)
"""Room that is kept inside the inequalities where the constant is minimised, in order."""

_LOSSES = (1e-7, 1e-6, 1e-5, 1e-3)
"""Relative distances from the numerical supremum at which a proof is tried, in order."""

_CONSTANT = "P[0,0]"

_Proof: TypeAlias = tuple["SublinearFamily", dict[str, Fraction]]


@dataclass(frozen=True, kw_only=True)
class SublinearFamily(Family):
    """One sublinear claim about one system with one form of V."""

    order: Fraction

    @cached_property
    def bounded(self) -> Pencil:
        """The whole pencil; there is no bound of V by the state norm."""
        return assemble(self.system, SublinearDecay(self.order), self.template)

    def certify(self, claim: Claim, values: Mapping[str, Fraction]) -> dict[str, Fraction]:
        """The proof with the smallest constant that is found: what multiplies the squared distance at the start."""
        found = dict(values)
        for margin in _MARGINS:
            floats = minimise(self.data, {_CONSTANT: 1.0}, margin, float(self.order))
            proved = None if floats is None else prove(self.pencil, self.face, floats, self.data, simple=True)
            if proved is not None:
                found = min(map(self._normalise, (found, proved)), key=lambda v: v[_CONSTANT])
                break
        found = self._normalise(found)
        if not satisfies(self.pencil, found):
            raise ArithmeticError("internal error: a proof was lost")
        return found

    def _normalise(self, values: Mapping[str, Fraction]) -> dict[str, Fraction]:
        """The same V scaled down to what it bounds: all is homogeneous but for the value that V exceeds."""
        (leftover,) = (c for c in self.pencil.conditions if c.name.endswith("value"))
        scale = 1 / (1 + leftover.at(values)[0][0])
        return {name: value * scale for name, value in values.items()}


def attempt_sublinear(
    system: System,
    wanted: SublinearDecay,
    forms: tuple[Template, ...],
    solver: tuple[str, SolverFactory, bool],
    versions: tuple[tuple[str, str], ...],
) -> Outcome:
    """The outcome of a sublinear claim, or of the search for the best order.

    Parameters
    ----------
    system : System
        One that `lyapflow.lmi.logtime` can treat.
    wanted : SublinearDecay
        With an order, or without.
    forms : tuple of Template
        Forms of V, the plainest first.
    solver : (name, factory, fallback)
        As in `Family`.
    versions : tuple of (tool, version)
        For the certificate.

    Returns
    -------
    Proved, Infeasible or Inconclusive
        As from `lyapflow.attempt`.
    """
    search = _Search(system, forms, solver, versions, Log())
    return search.find_best(wanted) if wanted.order is None else search.decide(wanted)


@dataclass(frozen=True, slots=True)
class _Search:
    """What the attempts of one search share."""

    system: System
    forms: tuple[Template, ...]
    solver: tuple[str, SolverFactory, bool]
    versions: tuple[tuple[str, str], ...]
    log: Log

    def decide(self, wanted: SublinearDecay) -> Outcome:
        """Whether one order can be proved."""
        slow = find_slow_member(self.system, wanted.order)
        if slow is not None:
            return Infeasible(claim=wanted, status=UNASKED, witness=slow)
        proofs, attempts = self._attempt(wanted)
        if proofs:
            return self._finish(wanted, proofs, None)
        status, steps = attempts[-1].answer.status, tuple(self.log.steps)
        if all(a.decided for a in attempts):
            return Infeasible(claim=wanted, status=status, witness=None, steps=steps)
        return _give_up(wanted, attempts[-1].answer.status, float(wanted.order or 0), self.log)

    def find_best(self, wanted: SublinearDecay) -> Outcome:
        """The largest order that can be proved: the natural one, else near the numerical supremum."""
        slow = find_slow_member(self.system, None)
        if slow is not None:
            return Infeasible(claim=wanted, status=UNASKED, witness=slow)
        degree = take_logarithmic_time(self.system).degree
        natural = SublinearDecay(Fraction(degree))
        proofs, attempts = self._attempt(natural)
        if proofs:
            return self._finish(natural, proofs, None)
        generic = self._family(self.forms[0], rational(0.321 * degree))
        status, top = attempts[-1].answer.status, None
        start = generic.checked(generic.data).solve(float(degree))
        for candidate in search_parameter(generic.data, float(degree), generic.checked, start):
            self.log.add(f"{generic.solver}: {candidate.method}, {candidate.status}", candidate.solves)
            status, top = candidate.status, candidate.supremum
            for claim in () if top is None else _claims_near(top):
                proofs, _ = self._attempt(claim)
                if proofs:
                    return self._finish(claim, proofs, top)
        if top is None:
            return Infeasible(claim=wanted, status=status, witness=None, steps=tuple(self.log.steps))
        return _give_up(wanted, status, top, self.log)

    def _family(self, form: Template, order: Fraction) -> SublinearFamily:
        name, make, fallback = self.solver
        return SublinearFamily(
            shift=Shift(self.system, self.system, (Fraction(0),)),
            template=form,
            around=float(order),
            solver=name,
            make=make,
            fallback=fallback,
            order=order,
        )

    def _attempt(self, claim: SublinearDecay) -> tuple[list[_Proof], list[Attempt]]:
        families = [self._family(form, claim.order or Fraction(0)) for form in self.forms]
        tried = [family.attempt(claim, self.log, simple=True) for family in families]
        proofs = [(f, a.values) for f, a in zip(families, tried, strict=True) if a.values is not None]
        return proofs, tried

    def _finish(self, claim: SublinearDecay, proofs: list[_Proof], top: float | None) -> Outcome:
        """The proof with the smallest constant; of equal ones, the plainest."""
        found = [(family, family.certify(claim, values)) for family, values in proofs]
        family, values = min(found, key=lambda pair: pair[1][_CONSTANT])
        certificate = Certificate(
            system=self.system,
            claim=claim,
            template=family.template,
            unknowns=tuple((name, values[name]) for name in family.pencil.unknowns),
            supremum=top,
            versions=(*self.versions, ("solver", family.solver)),
        )
        return Proved(certificate=certificate, solves=self.log.solves, steps=tuple(self.log.steps))


def _claims_near(top: float) -> Iterator[SublinearDecay]:
    """Orders to prove: the simplest one at the supremum, then ever smaller ones."""
    simple = simplest_between(rational(top * (1 - 1e-7)), rational(top * (1 + 1e-6)))
    yield SublinearDecay(simple)
    for loss in _LOSSES:
        yield SublinearDecay(convergent_near(top * (1 - loss), 0.2 * loss))


def _give_up(wanted: SublinearDecay, status: str, tried: float, log: Log) -> Inconclusive:
    return Inconclusive(reason=Reason.ROUNDING_FAILED, status=status, claim=wanted, tried=tried, steps=tuple(log.steps))
