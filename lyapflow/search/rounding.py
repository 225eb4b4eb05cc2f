"""Floats -> rationals on the affine hull: simplest first, then finer, and each candidate checked exactly.

The equalities of the pencil are solved exactly for pivot unknowns, so rounding the others never breaks them. All are
rounded to one common denominator, because unrelated denominators make any exact method slow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from typing import TypeAlias

from ..certificates.verification import check
from ..exact.rationals import MOST_DIGITS, rational, simplest_near
from ..lmi.pencil import Pencil
from .reduction import ONE, Face, linear_equalities

__all__ = ["prove"]

_SIMPLE = (1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 16, 18, 20, 24, 32, 36, 40, 48, 50, 60, 64, 72, 81, 100, 120, 144, 1000)
_TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
_MOST = 1e100  # ratios beyond it are noise
_FEW = 24
_FINE = (2**16, 2**24, 2**32, 2**40, 2**48, 2**56)


def prove(pencil: Pencil, face: Face, values: Mapping[str, float], *, simple: bool) -> dict[str, Fraction] | None:
    """Rationals near the floats that satisfy the whole pencil exactly, or None.

    Parameters
    ----------
    pencil : Pencil
        What must hold; its constant terms are reached by dividing by the value of `ONE`.
    face : Face
        What must vanish.
    values : mapping
        The solver's floats, `ONE` among them.
    simple : bool
        Whether to try small denominators first: worth it where the solution may be exact and on the boundary.
    """
    equalities, columns = linear_equalities(pencil, face)
    pivots = tuple(next(j for j, v in enumerate(row) if v) for row in equalities)
    free = tuple(j for j in range(len(columns)) if j not in pivots)
    signed = {j for j, name in enumerate(columns) if name in pencil.nonnegative}
    floats = [values[name] for name in columns]
    if not all(map(math.isfinite, floats)):
        return None
    for round_one in _roundings(pencil, values, simple=simple):
        exact = [Fraction(0)] * len(columns)
        for j in free:
            exact[j] = round_one(floats[j])
            if j in signed:
                exact[j] = max(exact[j], Fraction(0))
        for row, pivot in zip(equalities, pivots, strict=True):
            exact[pivot] = -sum((row[j] * exact[j] for j in free), Fraction(0))
        one = exact[columns.index(ONE)]
        if one <= 0 or any(exact[j] < 0 for j in signed) or _is_too_long(exact):
            continue
        candidate = {name: v / one for name, v in zip(columns, exact, strict=True)}
        if check(pencil, candidate) is None:
            return {name: candidate[name] for name in pencil.unknowns}
    return None


def _is_too_long(numbers: list[Fraction]) -> bool:
    """Whether a number could not be read back from a certificate file (with room for the division by `ONE`)."""
    return max(v.numerator.bit_length() + v.denominator.bit_length() for v in numbers) > MOST_DIGITS


Rounding: TypeAlias = Callable[[float], Fraction]


def _roundings(pencil: Pencil, values: Mapping[str, float], *, simple: bool) -> Iterator[Rounding]:
    """Ways to round, simplest first.

    Simple ones take a number of V as the unit, because a certificate on the boundary has simple ratios: first to small
    common denominators, then each number to the simplest rational in its neighbourhood (few unknowns only, see above).
    """
    if simple:
        sizes = [abs(values[name]) for name in (*pencil.unknowns, ONE) if name not in pencil.nonnegative]
        top = max(sizes, default=0.0)
        units = list(dict.fromkeys(s for s in sizes if s > 1e-6 * top))[:4]
        yield from (partial(_to_grid, unit=unit, denominator=q) for q in _SIMPLE for unit in units)
        if len(pencil.unknowns) <= _FEW:
            yield from (partial(_to_simplest, unit=unit, tolerance=e) for e in _TOLERANCES for unit in units)
    yield from (partial(_to_dyadic, denominator=q) for q in _FINE)


def _to_grid(value: float, *, unit: float, denominator: int) -> Fraction:
    return Fraction(round(min(max(value / unit, -_MOST), _MOST) * denominator), denominator)


def _to_simplest(value: float, *, unit: float, tolerance: float) -> Fraction:
    ratio = min(max(value / unit, -_MOST), _MOST)
    return simplest_near(ratio, tolerance) if abs(ratio) > tolerance**1.5 else Fraction(0)


def _to_dyadic(value: float, *, denominator: int) -> Fraction:
    """To a dyadic grid relative to the number's own size."""
    power = Fraction(2) ** (math.frexp(value)[1] - 1 if value else 0)
    return round(rational(value) / power * denominator) * power / denominator
