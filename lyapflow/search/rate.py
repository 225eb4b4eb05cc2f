"""The best parameter of a claim, numerically: where to look for proofs, nothing more.

The search for V and the parameter together is a generalised eigenvalue problem. Measured by how the parameter moves the
inequalities at the present V, the margin is about the step to a better parameter (Dinkelbach's iteration, for the ratio
that the parameter is). The dual solution tells by how much the margin falls with the parameter, which makes it Newton's
method: two or three solves, one of them that in which the ceiling was found out of reach. Where a solver is too noisy
for that, the best parameter is bisected on the sign of the margin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .arrays import ConeData
from .backend import Answer, Solver
from .scaling import rescale

__all__ = ["Candidate", "bisect_parameter", "search_parameter"]

_POSITIVE = 1e-10  # margins below this are the solver's noise
_WIDTH = 1e-9  # relative width at which bisection stops
_COARSE_WIDTH = 1e-5  # the same for solvers that are not precise
_CONVERGED = 1e-7  # relative step at which Dinkelbach's iteration stops
_CONVERGED_BY_DUAL = 1e-4  # the same for Newton's: what is left after that step is about its square
_MOST_STEPS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Where the provable parameters end, by the solver's word.

    Attributes
    ----------
    supremum : float or None
        The largest parameter with a positive margin; None if there was none.
    data : ConeData
        The problem in the units in which it was found.
    method : str
        How it was found.
    decided : bool
        Whether the solver answered at all (a "no" and a failure are different things).
    status : str
        Its last word.
    solves : int
        Number of problems solved.
    """

    supremum: float | None
    data: ConeData
    method: str
    decided: bool
    status: str
    solves: int


def search_parameter(
    data: ConeData, ceiling: float, make: Callable[[ConeData], Solver], at_ceiling: Answer
) -> Iterator[Candidate]:
    """Candidates for the best parameter, each found with more effort than the one before.

    Parameters
    ----------
    data : ConeData
        The cone problem as a function of the parameter.
    ceiling : float
        An upper bound of the parameter, from a concrete member; > 0.
    make : callable
        Builds a solver for cone data.
    at_ceiling : Answer
        Of the problem near the ceiling.
    """
    first = _climb(data, ceiling, make, ceiling, at_ceiling)
    if first.supremum is not None:
        yield first
        inside = 0.9 * first.supremum
        better, answer = _rescale_inside(data, inside, make)
        if better is not None:
            second = _climb(better, ceiling, make, inside, answer, method="Newton, rescaled")
            if second.supremum is not None:
                yield second
    coarse = _bisect(data, 0.0, ceiling, make)
    yield coarse
    if coarse.supremum is not None:
        better, _ = _rescale_inside(data, 0.9 * coarse.supremum, make)
        if better is not None:
            yield _bisect(better, 0.9 * coarse.supremum, ceiling, make)


def bisect_parameter(
    data: ConeData, ceiling: float, make: Callable[[ConeData], Solver], at_ceiling: Answer
) -> Iterator[Candidate]:
    """One candidate, by a short bisection: for solvers that are too slow or too noisy for more. Arguments as above."""
    yield _bisect(data, 0.0, ceiling, make, width=_COARSE_WIDTH)


def _rescale_inside(
    data: ConeData, parameter: float, make: Callable[[ConeData], Solver]
) -> tuple[ConeData | None, Answer]:
    """The problem in units of an interior point at a parameter, if the solver finds one there."""
    answer = make(data).solve(parameter)
    if answer.values is None or answer.margin is None or answer.margin <= 0:
        return None, answer
    return rescale(data, parameter, answer.values), answer


def _climb(
    data: ConeData,
    ceiling: float,
    make: Callable[[ConeData], Solver],
    parameter: float,
    answer: Answer,
    *,
    method: str = "Newton",
) -> Candidate:
    """Newton's iteration from an answer at a parameter, safeguarded; without supremum if it does not converge."""
    low, high, status, solves = 0.0, ceiling * (1 + _WIDTH), answer.status, 0
    measured = False  # whether the margin is in the unit of the parameter; at the start it is not
    while answer.margin is not None and answer.values is not None:
        low, high = (max(low, parameter), high) if answer.margin > 0 else (low, min(high, parameter))
        if measured or answer.root is not None:
            step = answer.margin if answer.root is None else answer.root - parameter
            enough = parameter * (_CONVERGED if answer.root is None else _CONVERGED_BY_DUAL)
            if solves and (abs(step) <= enough or high - low <= _CONVERGED * parameter):
                top = parameter if answer.root is None else min(max(parameter + step, low), high)
                if top <= 0:
                    break
                return Candidate(supremum=top, data=data, method=method, decided=True, status=status, solves=solves)
            parameter = parameter + step if low < parameter + step < high else (low + high) / 2
        elif solves:
            parameter = (low + high) / 2
        if solves >= _MOST_STEPS:
            break
        answer, measured = make(data.toward(answer.values)).solve(parameter), True
        solves += 1
        if answer.values is None:  # what it was measured in was no good; the problem as it is may have an answer
            answer, measured = make(data).solve(parameter), False
            solves += 1
        status = answer.status
    return Candidate(supremum=None, data=data, method=method, decided=False, status=status, solves=solves)


def _bisect(
    data: ConeData, low: float, ceiling: float, make: Callable[[ConeData], Solver], *, width: float = _WIDTH
) -> Candidate:
    solver = make(data)
    solves, decided, status = 0, False, "not asked"
    start, high = low, ceiling * (1 + _WIDTH)

    def holds(parameter: float) -> bool:
        nonlocal solves, decided, status
        answer: Answer = solver.solve(parameter)
        solves += 1
        decisive = answer.status == "infeasible" or (answer.status == "optimal" and answer.margin is not None)
        if decisive or not decided:  # the word that is reported is one that decided, where there is one
            status = answer.status
        decided = decided or decisive
        return answer.margin is not None and answer.margin > _POSITIVE

    while high - low > width * ceiling:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return Candidate(
        supremum=low if low > start else None,
        data=data,
        method="bisection",
        decided=decided,
        status=status,
        solves=solves,
    )
