"""The best rate, numerically: the margin crosses zero there, so bisect on its sign, rescale, and bisect again.

What comes out is where to look for proofs, nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .arrays import ConeData, rescale
from .backend import Answer, Solver

__all__ = ["RateSearch", "search_rate"]

_POSITIVE = 1e-10  # margins below this are the solver's noise
_WIDTH = 1e-9  # relative width at which bisection stops


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSearch:
    """Where the provable rates end, by the solver's word.

    Attributes
    ----------
    supremum : float or None
        The largest rate with a positive margin; None if there was none.
    decided : bool
        Whether the solver answered at all (a "no" and a failure are different things).
    status : str
        Its last word.
    scalings : tuple of ConeData
        Scaled problems, the best first.
    solves : int
        Number of problems solved.
    """

    supremum: float | None
    decided: bool
    status: str
    scalings: tuple[ConeData, ...]
    solves: int


def search_rate(data: ConeData, ceiling: float, make: Callable[[ConeData], Solver]) -> RateSearch:
    """Bisect on the sign of the margin below a ceiling, then once more in better units.

    Parameters
    ----------
    data : ConeData
        The cone problem as a function of the rate.
    ceiling : float
        An upper bound of the rate, from a concrete member; > 0.
    make : callable
        Builds a solver for cone data.
    """
    first = _bisect(make(data), 0.0, ceiling)
    if first.low <= 0:
        return RateSearch(supremum=None, decided=first.decided, status=first.status, scalings=(), solves=first.solves)
    inside = 0.9 * first.low
    answer = make(data).solve(inside)
    solves = first.solves + 1
    if answer.values is None or answer.margin is None or answer.margin <= 0:
        return RateSearch(supremum=first.low, decided=True, status=first.status, scalings=(data,), solves=solves)
    better = rescale(data, inside, answer.values)
    second = _bisect(make(better), inside, ceiling)
    order = (better, data) if second.low >= first.low else (data, better)
    return RateSearch(
        supremum=max(first.low, second.low),
        decided=True,
        status=second.status,
        scalings=order,
        solves=solves + second.solves,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bisection:
    low: float
    decided: bool
    status: str
    solves: int


def _bisect(solver: Solver, low: float, ceiling: float) -> _Bisection:
    solves, decided, status = 0, False, "not asked"
    high = ceiling * (1 + _WIDTH)

    def holds(rate: float) -> bool:
        nonlocal solves, decided, status
        answer: Answer = solver.solve(rate)
        solves += 1
        decisive = answer.status == "infeasible" or (answer.status == "optimal" and answer.margin is not None)
        if decisive or not decided:  # the word that is reported is one that decided, where there is one
            status = answer.status
        decided = decided or decisive
        return answer.margin is not None and answer.margin > _POSITIVE

    while high - low > _WIDTH * ceiling:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return _Bisection(low=low, decided=decided, status=status, solves=solves)
