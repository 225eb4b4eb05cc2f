r"""Rigorous enclosures of solutions of polynomial differential equations, by Taylor series in ball arithmetic.

On each step a box is found that the solution does not leave (Euler's map takes it into itself), the series is
summed at the present ball, and the next term, over the box, bounds what was cut off. Balls grow by dependency, so the
precision is high at the start: what is told is true whatever it is, or is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from flint import arb, fmpq

from ..errors import InvalidModelError, VerificationError
from .elementary import lower_end, upper_end, working_precision
from .multivariate import Polynomial
from .rationals import rational

__all__ = ["enclose_solution"]

_ORDER = 24
_SHRINK, _TRIES, _SLACK = Fraction(4, 5), 4, 1e9
_LEAST_STEP = Fraction(1, 10**9)


def enclose_solution(
    equations: Sequence[Polynomial],
    start: Sequence[object],
    times: Sequence[object],
    *,
    bits: int = 256,
) -> tuple[tuple[tuple[Fraction, Fraction], ...], ...]:
    """Intervals that hold the solution of an autonomous polynomial system at given times.

    Parameters
    ----------
    equations : sequence of n Polynomial
        The right-hand sides, in the order of the variables.
    start : sequence of n rationals
        State at t = 0.
    times : sequence of rationals
        Increasing, >= 0.
    bits : int, default 256
        Working precision; an unstable solution loses some with time.

    Returns
    -------
    tuple
        For each time, for each entry of the state, a lower and an upper bound.

    Raises
    ------
    VerificationError
        If a step gets too small, or the balls too wide to go on.
    InvalidModelError
        If sizes do not fit, or times do not increase.

    Examples
    --------
    >>> from lyapflow.exact.multivariate import variables
    >>> (x,) = variables(["x"])
    >>> (((low, high),),) = enclose_solution([x], [1], [1])
    >>> low < high < low + Fraction(1, 10**30), round(float(low), 12)
    (True, 2.718281828459)
    """
    moments, state = [rational(t, name="times") for t in times], [rational(v, name="start") for v in start]
    if len(equations) != len(state) or any(e.names != equations[0].names for e in equations):
        raise InvalidModelError(f"there must be an equation for each of {len(state)} entries, got {len(equations)}")
    if not moments or moments[0] < 0 or any(b <= a for a, b in pairwise(moments)):
        raise InvalidModelError(f"times must be >= 0 and increase, got {[str(t) for t in moments[:6]]}")
    found, now, tolerance = [], Fraction(0), 2.0 ** (-bits // 2)
    with working_precision(bits):
        program, balls = _Program.read(equations), [_ball(v) for v in state]
        for moment in moments:
            while now < moment:
                step, balls = _advance(program, balls, moment - now, tolerance)
                now += step
            found.append(tuple((lower_end(b), upper_end(b)) for b in balls))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Program:
    """Polynomials as products of two earlier numbers, variables first, and sums of these with coefficients."""

    variables: int
    products: tuple[tuple[int, int], ...]
    sums: tuple[tuple[tuple[arb, int | None], ...], ...]

    @staticmethod
    def read(equations: Sequence[Polynomial]) -> _Program:
        n = len(equations)
        places: dict[tuple[int, ...], int] = {(k,): k for k in range(n)}
        products: list[tuple[int, int]] = []

        def place(factors: tuple[int, ...]) -> int:
            if factors not in places:
                products.append((place(factors[:-1]), factors[-1]))
                places[factors] = n + len(products) - 1
            return places[factors]

        sums = []
        for equation in equations:
            terms: list[tuple[arb, int | None]] = []
            for exponents, c in equation.terms.items():
                factors = tuple(k for k, e in enumerate(exponents) for _ in range(e))
                terms.append((_ball(c), place(factors) if factors else None))
            sums.append(tuple(terms))
        return _Program(n, tuple(products), tuple(sums))

    def expand(self, balls: Sequence[arb], order: int) -> list[list[arb]]:
        """Taylor coefficients 0, ..., order of the solution through balls, one row for each variable."""
        series: list[list[arb]] = [[b] for b in balls] + [[] for _ in self.products]
        for k in range(order):
            for own, (i, j) in enumerate(self.products, self.variables):
                series[own].append(sum((x * z for x, z in zip(series[i], reversed(series[j]), strict=True)), arb(0)))
            slopes = [
                sum((c * (series[i][k] if i is not None else arb(k == 0)) for c, i in terms), arb(0))
                for terms in self.sums
            ]
            for row, slope in zip(series, slopes, strict=False):
                row.append(slope / (k + 1))
        return series[: self.variables]


def _ball(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))


def _advance(program: _Program, balls: list[arb], most: Fraction, tolerance: float) -> tuple[Fraction, list[arb]]:
    """One step of at most the given length: its length, and the balls after it."""
    inner = program.expand(balls, _ORDER)
    slope = max(float(abs(c[_ORDER]).upper()) for c in inner)
    step = min(most, Fraction((tolerance / max(slope, 1e-300)) ** (1 / _ORDER)).limit_denominator(10**6))
    while step > _LEAST_STEP:
        box = _find_box(program, balls, step)
        if box is not None:
            h, after = _ball(step), []
            cuts = [c[_ORDER] * h**_ORDER for c in program.expand(box, _ORDER)]
            if max(float(abs(c).upper()) for c in cuts) <= _SLACK * tolerance:
                for coefficients, cut in zip(inner, cuts, strict=True):
                    total = arb(0)
                    for c in reversed(coefficients[:_ORDER]):
                        total = c + h * total
                    after.append(total + cut)
                return step, after
        step *= _SHRINK
    raise VerificationError("the step got too small to enclose the solution", inequality="enclosure", witness=balls)


def _find_box(program: _Program, balls: list[arb], step: Fraction) -> list[arb] | None:
    """A box around the balls that the solution does not leave within the step: Euler's map over it stays inside."""
    span = _ball(step / 2) + _ball(step / 2) * arb(0, 1)  # holds [0, step]
    box = balls
    for _ in range(_TRIES):
        slopes = [row[1] for row in program.expand(box, 1)]
        moved = [b + span * s for b, s in zip(balls, slopes, strict=True)]
        if all(outer.contains(inner) for outer, inner in zip(box, moved, strict=True)):
            return box
        box = [m + (m - b) * arb(0, 0.1) + arb(0, 1e-60) for m, b in zip(moved, balls, strict=True)]
    return None
