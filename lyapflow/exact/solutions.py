r"""Enclosures of solutions of polynomial systems: Taylor's formula in balls, with a bound of the remainder.

On a step from t to t + h let B be a box with :math:`X + [0, h]\,f(B) \subset B`, X a box with x(t) in it. By Picard's
theorem the solution exists on the step and stays in B, and for each entry

.. math:: x(t + \tau) \in \sum_{i<n} x_i(X)\,\tau^i + x_n(B)\,\tau^n, \qquad 0 \le \tau \le h,

with the Taylor coefficients :math:`x_i` of the solution as functions of its start, evaluated on boxes. All
arithmetic is in balls of many bits. The boxes are not turned with the flow: their widths grow like the exponential of
the integral of the Jacobian's entries in size, also where the flow contracts or rotates, so that a time of some fifty
units is far. Wide boxes are true boxes; who reads them decides whether they say enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from flint import arb, arb_series, ctx, fmpq

from ..errors import DimensionError, InvalidModelError, VerificationError
from .elementary import lower_end, upper_end, working_precision
from .multivariate import Polynomial
from .rationals import rational, shorten

__all__ = ["bracket_crossing", "enclose_solution"]

_BITS = 256
_ORDER = 20
_REST = 2.0**-80
"""Aimed-at size of a remainder, relative to that of the entry."""
_MOST_STEPS = 20_000


def enclose_solution(
    equations: Sequence[Polynomial], start: Sequence[object], times: Sequence[object]
) -> tuple[tuple[tuple[Fraction, Fraction], ...], ...]:
    """Bounds of every entry of the solution of ``x' = p(x)`` at given times.

    Parameters
    ----------
    equations : sequence of n Polynomial
        In n variables, as of `PolynomialSystem.equations`.
    start : sequence of n rationals
        The state at time 0, exact.
    times : sequence of rationals
        Increasing, >= 0.

    Returns
    -------
    tuple of tuple of n (Fraction, Fraction)
        For each time: the entry lies between; proved.

    Raises
    ------
    VerificationError
        If the solution could not be followed so far: it may end before, or spread too much.

    Examples
    --------
    >>> from lyapflow.exact.multivariate import variables
    >>> (x,) = variables(["x"])
    >>> (((low, high),),) = enclose_solution([x], [1], [1])
    >>> float(low) <= 2.718281828459045 <= float(high), high - low < Fraction(1, 10**20)
    (True, True)
    """
    if isinstance(times, str) or not isinstance(times, Iterable):
        raise InvalidModelError(f"times must be a row of rationals, got {times!r:.60}")
    moments = [rational(t, name="times") for t in times]
    if not moments or moments[0] < 0 or any(a >= b for a, b in pairwise(moments)):
        raise InvalidModelError(f"times must increase and be >= 0, got {list(map(shorten, moments))}")
    found = []
    with working_precision(_BITS):
        box = _read_start(equations, start)
        for before, after in pairwise([Fraction(0), *moments]):
            if after > before:
                for step in _steps(equations, box, after - before):
                    box = step.at(step.length)
            found.append(tuple((lower_end(x), upper_end(x)) for x in box))
    return tuple(found)


def bracket_crossing(
    equations: Sequence[Polynomial],
    start: Sequence[object],
    function: Polynomial,
    level: object,
    *,
    before: object,
    digits: int = 9,
) -> tuple[Fraction, Fraction]:
    """Two times, close together: at the first one a function of the state is above a level, at the second below.

    The first crossing lies between if the function does not increase along the solution, which is for the caller to
    prove.

    Parameters
    ----------
    equations, start
        As in `enclose_solution`.
    function : Polynomial
        Of the state; above the level at the start.
    level : rational
        What is crossed.
    before : rational
        A time, > 0, before which it is looked for.
    digits : int, default 9
        Digits of the bracket, relative to the time.

    Raises
    ------
    VerificationError
        If the crossing was not found, or could not be told from none.

    Examples
    --------
    >>> from lyapflow.exact.multivariate import variables
    >>> (x,) = variables(["x"])
    >>> low, high = bracket_crossing([-x], [1], x, "1/2", before=2)
    >>> round(float(low), 8) == round(float(high), 8) == 0.69314718
    True
    """
    bound, end = rational(level, name="level"), rational(before, name="before")
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= 60:
        raise InvalidModelError(f"digits must be an integer from 1 to 60, got {digits!r:.60}")
    if end <= 0:
        raise InvalidModelError(f"before must be > 0, got {end}")
    with working_precision(_BITS):
        box = _read_start(equations, start)
        line = _ball(bound)
        if not _value(function, box) > line:
            raise InvalidModelError("the function must be above the level at the start")
        for step in _steps(equations, box, end):
            if _value(function, step.at(step.length)) < line:
                return _bisect(step, function, line, digits)
    raise VerificationError(f"the level {bound} is not crossed before t = {end}", inequality="crossing", witness=end)


@dataclass(frozen=True, slots=True)
class _Step:
    """A step from `begin`: Taylor coefficients of each entry, the last one on the box that holds the whole step."""

    begin: Fraction
    length: Fraction
    coefficients: tuple[tuple[arb, ...], ...]

    def at(self, tau: Fraction) -> tuple[arb, ...]:
        """The box at `begin` + tau, for tau within the step."""
        place, values = _ball(tau), []
        for row in self.coefficients:
            total = arb(0)
            for c in reversed(row):
                total = total * place + c
            values.append(total)
        return tuple(values)


def _steps(equations: Sequence[Polynomial], box: tuple[arb, ...], end: Fraction) -> Iterator[_Step]:
    terms = [_prepare(e) for e in equations]
    time, last = Fraction(0), end
    for _ in range(_MOST_STEPS):
        inner = _expand(terms, box, _ORDER)
        h = min(end - time, 2 * last, _choose(inner))
        while (step := _try_step(terms, box, inner, time, h)) is None:
            h /= 2
            if h < end / 2**45:
                raise VerificationError(
                    f"the solution cannot be enclosed beyond t = {float(time):.6g}", inequality="solution", witness=time
                )
        yield step
        time, last, box = time + h, h, step.at(h)
        if time >= end:
            return
    raise VerificationError(
        f"{_MOST_STEPS} steps led to t = {float(time):.6g} only", inequality="solution", witness=time
    )


def _try_step(
    terms: list[_Terms], box: Sequence[arb], inner: Sequence[tuple[arb, ...]], time: Fraction, h: Fraction
) -> _Step | None:
    """The step, or None if no box was found around it or the remainder is large, relative to the entry."""
    around = _contain(terms, box, h)
    if around is None:
        return None
    rests = [row[_ORDER] for row in _expand(terms, around, _ORDER + 1)]
    place = _ball(h) ** _ORDER
    for x, rest in zip(around, rests, strict=True):
        if not abs(rest * place).upper() <= _REST * abs(x).upper():
            return None
    return _Step(time, h, tuple((*a, b) for a, b in zip(inner, rests, strict=True)))


def _expand(terms: list[_Terms], box: Sequence[arb], order: int) -> list[tuple[arb, ...]]:
    """Taylor coefficients 0, ..., order - 1 of the solution from a box, by Picard's iteration."""
    rows: list[list[arb]] = [[x] for x in box]
    cap = ctx.cap
    try:
        for k in range(1, order):
            ctx.cap = k
            series = [arb_series(row, prec=k) for row in rows]
            for row, speed in zip(rows, _evaluate(terms, series, arb_series([0], prec=k)), strict=True):
                row.append(speed[k - 1] / k)
    finally:
        ctx.cap = cap
    return [tuple(row) for row in rows]


def _choose(rows: Sequence[Sequence[arb]]) -> Fraction:
    """A step, a power of 2, for which the last coefficient should leave a small rest."""
    best = 2.0**200
    for row in rows:
        scale = max(float(abs(row[0]).mid()), float(abs(row[1]).mid()) * 1e-3, 1e-300)
        for i in (len(row) - 2, len(row) - 1):
            size = float(abs(row[i]).upper())
            if size > 0:
                best = min(best, (_REST * scale / size) ** (1 / i))
    power = 0
    while 2.0**power > best:
        power -= 1
    while 2.0 ** (power + 1) <= best:
        power += 1
    return Fraction(2) ** power


def _contain(terms: list[_Terms], box: Sequence[arb], h: Fraction) -> tuple[arb, ...] | None:
    """A box that the solutions from `box` do not leave within a time h, or None."""
    span = arb(0).union(_ball(h))
    guess = tuple(x + span * speed for x, speed in zip(box, _evaluate(terms, box, arb(0)), strict=True))
    for _ in range(4):
        wide = tuple(x.union(g) for x, g in zip(box, guess, strict=True))
        wide = tuple(w + arb(0, _width(w) * 0.25 + 1e-60) for w in wide)
        guess = tuple(x + span * speed for x, speed in zip(box, _evaluate(terms, wide, arb(0)), strict=True))
        if not all(g.is_finite() for g in guess):
            return None
        if all(w.contains_interior(g) for w, g in zip(wide, guess, strict=True)):
            return wide
    return None


def _width(x: arb) -> float:
    return float(x.rad().upper())


def _bisect(step: _Step, function: Polynomial, line: arb, digits: int) -> tuple[Fraction, Fraction]:
    low, high = Fraction(0), step.length
    while high - low > (step.begin + high) / 10**digits:
        middle = (low + high) / 2
        value = _value(function, step.at(middle))
        if value < line:
            high = middle
        elif value > line:
            low = middle
        else:
            raise VerificationError(
                f"the enclosure is too wide near t = {float(step.begin + middle):.9g}",
                inequality="crossing",
                witness=step.begin + middle,
            )
    if low == 0 and not _value(function, step.at(low)) > line:
        raise VerificationError("the enclosure is too wide before the crossing", inequality="crossing", witness=low)
    return step.begin + low, step.begin + high


_Terms = tuple[tuple[arb, tuple[tuple[int, int], ...]], ...]
"""Coefficients, each with the variables and exponents of its monomial."""


def _prepare(equation: Polynomial) -> _Terms:
    return tuple((_ball(c), tuple((i, e) for i, e in enumerate(m) if e)) for m, c in equation.terms.items())


def _evaluate(equations: Sequence[_Terms], values: Sequence[Any], zero: Any) -> list[Any]:
    """The equations at balls or series of them; monomials that occur again are multiplied once."""
    known: dict[tuple[tuple[int, int], ...], Any] = {(): zero + 1}

    def multiply(monomial: tuple[tuple[int, int], ...]) -> Any:
        if monomial not in known:
            (i, e), *others = monomial
            rest = multiply(((i, e - 1), *others) if e > 1 else tuple(others))
            known[monomial] = rest * values[i] if others or e > 1 else values[i]
        return known[monomial]

    return [sum((multiply(monomial) * c for c, monomial in terms), zero) for terms in equations]


def _value(function: Polynomial, box: Sequence[arb]) -> arb:
    return arb(_evaluate([_prepare(function)], box, arb(0))[0])


def _read_start(equations: Sequence[Polynomial], start: Sequence[object]) -> tuple[arb, ...]:
    if not isinstance(start, Sequence) or isinstance(start, str):
        raise InvalidModelError(f"start must be a row of rationals, got {start!r:.60}")
    if not isinstance(equations, Sequence) or not all(isinstance(e, Polynomial) for e in equations):
        raise InvalidModelError(f"equations must be a row of Polynomial, got {equations!r:.60}")
    if len(start) != len(equations) or any(len(e.names) != len(equations) for e in equations):
        raise DimensionError(f"start must have one entry for each of {len(equations)} equations, got {len(start)}")
    return tuple(_ball(rational(x, name="start")) for x in start)


def _ball(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))
