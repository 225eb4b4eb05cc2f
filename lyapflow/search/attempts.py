"""One form of V for one system: its pencil, its cone problem, and the attempt to prove one claim with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

import numpy as np

from ..dynamics import ParametricSystem, System
from ..exact.dense import Scalar, fraction, scalars
from ..exact.rationals import rational
from ..lmi.claims import Claim, Contraction, ExponentialDecay
from ..lmi.dissipation import UPPER, assemble
from ..lmi.memory import extend_modes
from ..lmi.pencil import Pencil
from ..lmi.templates import QuadraticStorage, Template
from .arrays import ConeData, may_have_face, on_face, restrict, to_arrays
from .backend import Answer, CheckedSolver, MarginProblem, Solver
from .bounds import has_multipliers, sharpen
from .gain_loop import SectorForm, fails_circle_criterion, read_sector
from .outcomes import tell_claim
from .polish import polish
from .reduction import NO_FACE, Face, find_face
from .rounding import prove
from .scaling import equilibrate, rescale
from .shifting import Shift

__all__ = ["Attempt", "Family", "Log", "SolverFactory", "says_no"]

SolverFactory: TypeAlias = Callable[[ConeData], Solver]

_HUGE = 1e150
"""Entries beyond this size overflow when they are multiplied."""

_CLEAR = 1e-6
"""A margin more negative than this, reported as optimal, is the solver's no; a smaller one is its blind spot."""


@dataclass(slots=True)
class Log:
    """What a search did, in order: the one thing here that changes."""

    steps: list[str] = field(default_factory=list)
    solves: int = 0

    def add(self, step: str, solves: int) -> None:
        """Write down a step and the number of problems solved in it."""
        self.steps.append(step)
        self.solves += solves


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt to prove one claim.

    Attributes
    ----------
    values : dict or None
        Exact unknowns that prove it.
    answer : Answer
        The solver's last word.
    decided : bool
        Whether the solver said a clear no.
    """

    values: dict[str, Fraction] | None
    answer: Answer
    decided: bool


@dataclass(frozen=True, kw_only=True)
class Family:
    """All claims of one kind about one system with one form of V.

    Attributes
    ----------
    shift : Shift
        The system of the claims, in the user's letters and in those in which the search works.
    template : Template
        Form of V.
    around : float
        Parameter near which the claims lie; the cone problem is scaled for it.
    solver : str
        Name of the solver, for the log.
    make : callable
        Builds the solver.
    fallback : bool
        Whether other means are tried where the solver fails: SCS, Newton's method in high precision.
    """

    shift: Shift
    template: Template
    around: float
    solver: str
    make: SolverFactory
    fallback: bool

    @property
    def system(self) -> System:
        """The user's system."""
        return self.shift.original

    @cached_property
    def bounded(self) -> Pencil:
        """The whole pencil, with the upper bound of V, at a parameter of no special meaning."""
        nominal: Claim = Contraction(Fraction(1, 3)) if self.system.dt > 0 else ExponentialDecay(Fraction(1))
        pencil = assemble(self.shift.system, nominal, self.template, bounded=True)
        return pencil.move(rational(self.around * 0.321))

    @cached_property
    def pencil(self) -> Pencil:
        """What has to be proved: the upper bound is a luxury that follows."""
        return self.bounded.without(UPPER)

    @cached_property
    def _raw(self) -> ConeData:
        return to_arrays(self.pencil) if self._whole is None else restrict(self._whole, self.bounded, self.pencil)

    @cached_property
    def _whole(self) -> ConeData | None:
        """With the upper bound, where its constant will be the optimum of a problem of its own."""
        return to_arrays(self.bounded) if has_multipliers(self.bounded) else None

    @property
    def is_finite(self) -> bool:
        """Whether the pencil stays in the range of floating point."""
        return all(np.abs(part).max(initial=0) < _HUGE for block in self._raw.blocks for part in block)

    @cached_property
    def _reduced(self) -> tuple[Face, ConeData]:
        parameter = float(self.pencil.conditions[0].parameter)
        face = find_face(self.pencil) if may_have_face(self._raw, parameter) else NO_FACE
        return face, equilibrate(on_face(self._raw, face, parameter), self.around / 2)

    @property
    def face(self) -> Face:
        """What must vanish."""
        return self._reduced[0]

    @property
    def data(self) -> ConeData:
        """The scaled cone problem, for all parameters."""
        return self._reduced[1]

    def is_ruled_out(self, parameter: float) -> bool:
        """Whether the circle criterion clearly fails: then a V that is quadratic in the state proves no such claim."""
        return self._sector is not None and fails_circle_criterion(self.shift.system, self._sector, parameter)

    @cached_property
    def _sector(self) -> SectorForm | None:
        if isinstance(self.system, ParametricSystem):
            return None  # the criterion speaks of one system
        if not isinstance(self.template, QuadraticStorage) or len(self.system.modes[0].norm_above) == 1:
            return None  # around one state the slowest member of all is linear and real: nothing to rule out
        return read_sector(self.shift.system)

    @property
    def name(self) -> str:
        """The form of V, for the log."""
        return type(self.template).__name__

    def checked(self, data: ConeData) -> Solver:
        """A solver whose answers are of a sane size."""
        return CheckedSolver(self.make(data), data.names)

    def solve(self, data: ConeData, parameter: float, log: Log, *, last: bool) -> Answer:
        """The margin problem at one parameter; SCS's answer where the solver fails and there is nothing else to try."""
        answer = self.checked(data).solve(parameter)
        log.solves += 1
        if last and self.fallback and answer.values is None and answer.status != "infeasible":
            log.add(f"{self.solver}, {self.name}: {answer.status}; asking SCS", 1)
            return CheckedSolver(MarginProblem(data, solver="SCS"), data.names).solve(parameter)
        return answer

    def attempt(
        self, claim: Claim, log: Log, *, data: ConeData | None = None, simple: bool = False, last: bool = False
    ) -> Attempt:
        """Try to prove one claim.

        Parameters
        ----------
        claim : ExponentialDecay or Contraction
            With a number.
        log : Log
            Where it is written down.
        data : ConeData, optional
            The cone problem in other units.
        simple : bool
            Whether the claim may be on the boundary of what can be proved, so that simple numbers are worth a try. They
            are there or not: one solve tells.
        last : bool
            Whether there is nothing else to try: then a clear no is asked again in units of the first answer, and where
            the solver fails SCS is asked.
        """
        parameter = claim.parameter or Fraction(0)
        pencil, data = self.pencil.move(parameter), self.data if data is None else data
        decided = False
        for k in range(2 if last else 1):
            answer = self.solve(data, float(parameter), log, last=last)
            no = says_no(answer)
            decided = decided or no
            values = None
            if answer.values is not None:
                # A clear no is not worth the many simple roundings; a few fine ones show whether the margin lied.
                values = prove(pencil, self.face, answer.values, data, simple=simple and not no)
            log.add(f"{self.solver}, {self.name}, {tell_claim(claim)}: {_verdict(answer, values)}", 0)
            if values is not None or k or not last or answer.values is None:
                break
            data = rescale(data, float(parameter), answer.values)
        return Attempt(values=values, answer=answer, decided=decided)

    def reuse(self, claim: Claim, answer: Answer, log: Log) -> dict[str, Fraction] | None:
        """Try to prove one claim from what the solver answered for another, a little stronger one."""
        if answer.values is None or says_no(answer):
            return None
        pencil = self.pencil.move(claim.parameter or Fraction(0))
        values = prove(pencil, self.face, answer.values, self.data, simple=False)
        if values is not None:
            log.add(f"{self.solver}, {self.name}, {tell_claim(claim)}: the same answer, proved", 0)
        return values

    def polish(self, claim: Claim, answer: Answer, log: Log) -> dict[str, Fraction] | None:
        """Try to prove one claim in high precision, from a solver's answer; not where a solver was named."""
        if not self.fallback:
            return None
        start = answer.values or dict(zip(self.data.names, self.data.unit.tolist(), strict=True))
        found = polish(self.pencil.move(claim.parameter or Fraction(0)), self.face, start)
        verdict = "no interior point" if found is None else f"{found[1]} steps, proved"
        log.add(f"Newton's method in 192 bits, {self.name}, {tell_claim(claim)}: {verdict}", 0)
        return None if found is None else found[0]

    def certify(self, claim: Claim, values: Mapping[str, Fraction]) -> dict[str, Fraction]:
        """Exact unknowns for the user's own system, with sharp constants, from those that prove the claim here.

        Raises
        ------
        ArithmeticError
            If they do not prove it there: an internal error.
        """
        whole = own = self.bounded.move(claim.parameter or Fraction(0))
        is_shifted = self.shift.system is not self.system
        if is_shifted:
            whole = assemble(self.system, claim, self.template, bounded=True)

        def settle(found: Mapping[str, Scalar]) -> dict[str, Scalar] | None:
            settled = self.shift.carry_back(found, self.template) if is_shifted else dict(found)
            return settled if (whole if UPPER in settled else whole.without(UPPER)).holds(settled) else None

        sharp = sharpen(own, self._whole, extend_modes(self.system, self.template), scalars(values), settle)
        if sharp is None:
            raise ArithmeticError("internal error: a proof was lost on the way back to the user's units")
        return {name: fraction(value) for name, value in sharp.items()}


def _verdict(answer: Answer, values: object) -> str:
    return f"{answer.status}, {'proved' if values is not None else 'not proved'}"


def says_no(answer: Answer) -> bool:
    """Whether an answer is a clear no, by the solver's word."""
    return answer.status == "infeasible" or (
        answer.status == "optimal" and answer.margin is not None and answer.margin < -_CLEAR
    )
