r"""The decrease of V for every singular value in an interval, for plants that are polynomial in it.

On an interval :math:`s = s_0 + t s_1`, :math:`|t| \le 1`, the storage matrix is
:math:`P = \tfrac{1-t}2 P_- + \tfrac{1+t}2 P_+`, while multipliers do not depend on t: class inequalities hold for the
sum over all singular values only. So the decrease is a matrix inequality that is polynomial in t, see `polynomial`.
Bounds of V are affine in t and need no more than the two ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from ..exact.dense import Scalar, fraction, scalar
from ..exact.polynomials import Polynomial, interpolate, polynomial, spread
from .pencil import Condition, Entry
from .polynomial import PolynomialCondition

__all__ = ["SpanCondition", "blend"]

_ZERO, _ONE = Fraction(0), Fraction(1)


def blend(low: tuple[Entry, ...], high: tuple[Entry, ...], t: Fraction) -> tuple[Entry, ...]:
    """Entries of P at t."""
    found: list[Entry] = []
    for entries, share in ((low, (1 - t) / 2), (high, (1 + t) / 2)):
        weight = scalar(share)
        found += [(name, i, j, weight * c) for name, i, j, c in entries] if share else []
    return tuple(found)


@dataclass(frozen=True, slots=True)
class SpanCondition:
    """One decrease for all singular values of an interval.

    Attributes
    ----------
    label : str
        Of the interval.
    whole : PolynomialCondition
        The inequality in t.
    """

    label: str
    whole: PolynomialCondition

    @staticmethod
    def of(label: str, member: Callable[[Fraction], Condition], degree: int) -> SpanCondition:
        """From the condition at each t, which is a polynomial of at most that degree there.

        Raises
        ------
        ArithmeticError
            If it is not: an internal error.
        """
        places = spread(degree + 2)  # one more than determines the polynomials, as a check of the degree
        conditions = [member(t) for t in places]
        still = _interpolate(conditions, places, _ZERO)
        total = _interpolate(conditions, places, _ONE)
        none = polynomial([])
        moved = {key: total.get(key, none) - still.get(key, none) for key in {**still, **total}}
        moved = {key: p for key, p in moved.items() if p}
        highest = max((p.degree() for p in (*still.values(), *moved.values())), default=0)
        return SpanCondition(label, PolynomialCondition(conditions[0], still, moved, highest, polynomial([_ONE])))

    @property
    def unknowns(self) -> tuple[str, ...]:
        """Those beside P and the multipliers."""
        return self.whole.unknowns

    def conditions(self) -> Iterator[Condition]:
        """What has to be positive semidefinite."""
        first, *rest = self.whole.conditions()
        yield first
        yield from (replace(c, name=f"decrease multiplier of {self.label}") for c in rest)


def _interpolate(
    conditions: list[Condition], places: tuple[Fraction, ...], parameter: Fraction
) -> Mapping[tuple[str | None, int, int], Polynomial]:
    tables = [replace(condition, parameter=parameter).expand() for condition in conditions]
    keys = dict.fromkeys((name, *at) for table in tables for at, entry in table.items() for name in entry)
    rows = [[_read(table.get((i, j), {}).get(name)) for name, i, j in keys] for table in tables]
    found = dict(zip(keys, interpolate(places, rows), strict=True))
    if any(p.degree() >= len(places) - 1 for p in found.values()):
        raise ArithmeticError("internal error: the degree of an inequality exceeds its bound")
    return found


def _read(entry: Scalar | None) -> Fraction:
    return _ZERO if entry is None else fraction(entry)
