r"""Inequalities for every value of a parameter, by sums of squares.

For a `ParametricSystem` each matrix inequality, times a polynomial that is positive and clears its denominators, is
polynomial in t, which stands for the parameter as in `ParametricSystem.place`: see `polynomial`. P and the weights of
values are common to all parameters. A multiplier is a polynomial in t with nonnegative Bernstein coefficients times a
positive rational function, which keeps degrees small. All polynomials are interpolated from exact pencils of as many
members as a bound of the degree demands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from ..classes.moduli import DIVISOR_DEGREE, PRODUCT_DEGREE, read_divisor
from ..dynamics import LureSystem, ParametricSystem
from ..errors import InvalidModelError
from ..exact.dense import fraction
from ..exact.polynomials import (
    Polynomial,
    bernstein_basis,
    coefficients,
    common_divisor,
    common_multiple,
    divide,
    evaluate,
    interpolate,
    is_positive,
    polynomial,
    reduce_fraction,
    scale,
    spread,
)
from .pencil import Condition, Equality, Pencil
from .polynomial import PolynomialCondition, Table

__all__ = ["Lifting", "Multiplier", "lift"]

_MULTIPLIER_DEGREE = 2

_MATRIX_DEGREE = 4
"""A coefficient of an inequality holds at most two forms of signals, with entries of at most two matrices (C A)."""

_ZERO, _ONE = Fraction(0), Fraction(1)
_UNIT, _NOTHING = polynomial([_ONE]), polynomial([])


@dataclass(frozen=True, slots=True)
class Multiplier:
    """A multiplier as a function of t: ``above / below`` times a polynomial.

    Attributes
    ----------
    name : str
        In the pencil of a member.
    above, below : Polynomial
        Of the same sign between the ends.
    """

    name: str
    above: Polynomial
    below: Polynomial

    @property
    def terms(self) -> Iterator[tuple[str, Polynomial]]:
        """Names of the Bernstein coefficients, with their polynomials; a constant multiplier is one of them."""
        for r, p in enumerate(bernstein_basis(max(_MULTIPLIER_DEGREE, self.below.degree()))):
            yield f"{self.name} [{r}]", p

    def evaluate(self, values: Mapping[str, Fraction], t: Fraction) -> Fraction:
        """The multiplier at one t."""
        polynomial = sum((values[own] * evaluate(p, t) for own, p in self.terms), _ZERO)
        return polynomial * evaluate(self.above, t) / evaluate(self.below, t)


@dataclass(frozen=True, slots=True)
class Lifting:
    """The pencil for all parameters, and what its multipliers are for one of them.

    Attributes
    ----------
    pencil : Pencil
        One for all.
    multipliers : tuple of Multiplier
        Those of a member's pencil.
    factors : dict of str to Polynomial
        What the inequalities of a member, by their names, are multiplied by; positive.
    orders : dict of str to int
        m: powers of t up to which beside the signals.
    """

    pencil: Pencil
    multipliers: tuple[Multiplier, ...]
    factors: Mapping[str, Polynomial]
    orders: Mapping[str, int]

    def evaluate(self, values: Mapping[str, Fraction], t: Fraction) -> dict[str, Fraction]:
        """Unknowns at one t by their names in the pencil of that member, beside those of the family."""
        return {**values, **{m.name: m.evaluate(values, t) for m in self.multipliers}}


def lift(system: ParametricSystem, member: Callable[[LureSystem], Pencil]) -> Lifting:
    """One pencil for all parameters.

    Parameters
    ----------
    system : ParametricSystem
        The family.
    member : callable
        Makes the pencil of one member, for one claim and one form of V.

    Raises
    ------
    InvalidModelError
        If a divisor of the inequalities is not seen to be positive between the ends, or their structure changes there.
    """
    clear = _clear_denominators(system)
    count = system.degree * (_MATRIX_DEGREE + PRODUCT_DEGREE + DIVISOR_DEGREE * len(system.oracles)) + 1
    places = spread(count + 1)  # one more than determines the polynomials, as a check of that count
    pencils = [member(system.at(system.place(t))) for t in places]
    first = pencils[0]
    structure = (first.unknowns, first.nonnegative, first.equalities)
    if any((pencil.unknowns, pencil.nonnegative, pencil.equalities) != structure for pencil in pencils):
        raise InvalidModelError("the inequalities of a family must have one structure; divide the interval")
    samples = _Samples(places, clear, {name for e in first.equalities for name, *_ in e.parts})
    own = [name for name in first.nonnegative if ": " in name]  # weights of values are numbers, not functions of t
    multipliers = {name: Multiplier(name, _UNIT, _UNIT) for name in own}
    parts = []
    for k in range(len(first.conditions)):
        part, used = samples.read([pencil.conditions[k] for pencil in pencils], multipliers)
        parts.append(part)
        multipliers.update(used)
    signs = tuple(name for multiplier in multipliers.values() for name, _ in multiplier.terms)
    kept = tuple(name for name in first.unknowns if name not in multipliers)
    pencil = Pencil(
        unknowns=(*kept, *signs, *(name for part in parts for name in part.unknowns)),
        nonnegative=(*(name for name in kept if name in first.nonnegative), *signs),
        conditions=tuple(condition for part in parts for condition in part.conditions()),
        equalities=tuple(e for q in first.equalities for e in _lift_equality(q, multipliers)),
    )
    return Lifting(
        pencil,
        tuple(multipliers.values()),
        {part.condition.name: part.factor for part in parts},
        {part.condition.name: part.order for part in parts},
    )


def _clear_denominators(system: ParametricSystem) -> Polynomial:
    """What every coefficient of the inequalities becomes a polynomial in t by, positive between the ends.

    With numbers p/w a coefficient is a product of at most 4 + 2 of them, over the divisor of a class.
    """
    top = _MATRIX_DEGREE + PRODUCT_DEGREE
    places = spread(system.degree * DIVISOR_DEGREE + 1)
    weights = [system.weigh(t) for t in places]
    members = [system.at(system.place(t)) for t in places]
    rows = [
        [w, *(w**DIVISOR_DEGREE * read_divisor(oracle) for oracle in member.oracles)]
        for w, member in zip(weights, members, strict=True)
    ]
    weight, *divisors = interpolate(places, rows)
    for divisor in divisors:
        if not is_positive(divisor, at_end=system.ends[1] is not None):
            raise InvalidModelError(
                f"what the inequalities of a class are divided by (such as L - mu) must be positive for all "
                f"{system.parameter} in {system.span}, the ends included. Take a shorter interval."
            )
    found = weight**top
    for divisor in divisors:
        found *= divisor
    return found


def _lift_equality(equality: Equality, multipliers: Mapping[str, Multiplier]) -> Iterator[Equality]:
    """A coefficient of a function value vanishes for all t if that of each power of t does, without denominators."""
    used = {name: multipliers[name] for name, *_ in equality.parts if name in multipliers}
    clear = common_multiple(m.below for m in used.values())
    found: dict[int, list[tuple[str, Fraction, Fraction]]] = {}
    for name, weight, slope in equality.parts:
        terms = [(name, clear)]
        if name in used:
            factor = used[name].above * divide(clear, used[name].below)
            terms = [(own, factor * p) for own, p in used[name].terms]
        for own, p in terms:
            for power, c in enumerate(coefficients(p)):
                found.setdefault(power, []).extend([(own, weight * c, slope * c)] if c else [])
    for power, parts in found.items():
        yield Equality(name=f"{equality.name}, t^{power}", parts=tuple(parts), parameter=equality.parameter)


@dataclass(frozen=True, slots=True)
class _Samples:
    """Where members are looked at.

    Attributes
    ----------
    places : tuple of Fraction
        Values of t.
    clear : Polynomial
        Positive, and clears all denominators.
    tied : set of str
        Unknowns that occur in equalities, where constants must be able to balance them.
    """

    places: tuple[Fraction, ...]
    clear: Polynomial
    tied: set[str]

    def read(
        self, conditions: Sequence[Condition], multipliers: Mapping[str, Multiplier]
    ) -> tuple[PolynomialCondition, dict[str, Multiplier]]:
        """One condition for all t, from those of members, and the multipliers that occur in it."""
        still, whole = (self._interpolate(conditions, parameter) for parameter in (_ZERO, _ONE))
        columns: dict[str | None, list[Polynomial]] = {}
        for (name, _, _), p in (*still.items(), *whole.items()):
            columns.setdefault(name if name in multipliers else None, []).append(p)
        divisors = {name: self._find_divisor(column) for name, column in columns.items()}
        shared = self._find_divisor(d for name, d in divisors.items() if name is None or name in self.tied)
        used = {name: Multiplier(name, *reduce_fraction(shared, d)) for name, d in divisors.items() if name is not None}

        def reduce(table: Table) -> Table:
            found: dict[tuple[str | None, int, int], Polynomial] = {}
            for (name, i, j), p in table.items():
                if name is None or name not in used:
                    found[name, i, j] = divide(p, shared)
                else:
                    lowest = divide(p, divisors[name])
                    found.update(((own, i, j), lowest * b) for own, b in used[name].terms)
            return found

        base, total = reduce(still), reduce(whole)
        moved = {key: total.get(key, _NOTHING) - base.get(key, _NOTHING) for key in {**base, **total}}
        degree = max((p.degree() for p in (*base.values(), *moved.values())), default=0)
        return PolynomialCondition(conditions[0], base, moved, degree, divide(self.clear, shared)), used

    def _interpolate(self, conditions: Sequence[Condition], parameter: Fraction) -> Table:
        """The table of a condition at a parameter of the claim, times what clears its denominators."""
        tables = [replace(condition, parameter=parameter).expand() for condition in conditions]
        keys = dict.fromkeys((name, *at) for table in tables for at, entry in table.items() for name in entry)
        rows = []
        for table, t in zip(tables, self.places, strict=True):
            factor = evaluate(self.clear, t)
            entries = (table.get((i, j), {}).get(name) for name, i, j in keys)
            rows.append([_ZERO if entry is None else fraction(entry) * factor for entry in entries])
        found = dict(zip(keys, interpolate(self.places, rows), strict=True))
        if any(p.degree() >= len(self.places) - 1 for p in found.values()):
            raise ArithmeticError("internal error: the degree of an inequality exceeds its bound")
        return found

    def _find_divisor(self, column: Iterable[Polynomial]) -> Polynomial:
        """What polynomials share with the positive one that they were multiplied by, positive too."""
        found = common_divisor([self.clear, *column])
        return scale(found, 1 if evaluate(found, _ZERO) > 0 else -1)
