r"""Inequalities for every value of a parameter, by sums of squares.

For a `ParametricSystem` each matrix inequality, times a polynomial that is positive and clears its denominators, is
:math:`F(t) = \sum_k t^k F_k(y) \succeq 0` for :math:`|t| \le 1`, with t as in `ParametricSystem.place`. It holds for
all t if and only if

.. math:: F(t) = Z^\top X Z + (1 - t^2)\,Z_1^\top S Z_1, \qquad X \succeq 0,\ S \succeq 0,

with :math:`Z = (z, tz, \ldots, t^m z)` and :math:`Z_1` one shorter: for polynomial matrices in one variable nothing is
lost by this. P and the weights of values are common to all parameters. A multiplier is a polynomial in t with
nonnegative Bernstein coefficients times a positive rational function, which keeps the degree of F small. All
polynomials are interpolated from exact pencils of as many members as a bound of the degree demands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from ..classes.moduli import DIVISOR_DEGREE, PRODUCT_DEGREE, read_divisor
from ..dynamics import LureSystem, ParametricSystem
from ..errors import InvalidModelError
from ..exact.dense import Dense, fraction, scalar, unit_rows
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
from .pencil import Condition, Entry, Equality, Form, Pencil

__all__ = ["Lifting", "Multiplier", "lift"]

_MULTIPLIER_DEGREE = 2

_MATRIX_DEGREE = 4
"""A coefficient of an inequality holds at most two forms of signals, with entries of at most two matrices (C A)."""

_ZERO, _ONE = Fraction(0), Fraction(1)
_UNIT, _NOTHING = polynomial([_ONE]), polynomial([])

Key: TypeAlias = tuple[str | None, int, int]
"""Unknown, row, column of an entry."""

Table: TypeAlias = Mapping[Key, Polynomial]
"""Entries ``i <= j`` of each unknown, as polynomials in t."""


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
    """

    pencil: Pencil
    multipliers: tuple[Multiplier, ...]

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
    multipliers = {name: Multiplier(name, _UNIT, _UNIT) for name in first.nonnegative}
    parts = []
    for k in range(len(first.conditions)):
        part, used = samples.read([pencil.conditions[k] for pencil in pencils], multipliers)
        parts.append(part)
        multipliers.update(used)
    signs = tuple(own for multiplier in multipliers.values() for own, _ in multiplier.terms)
    kept = (name for name in first.unknowns if name not in multipliers)
    pencil = Pencil(
        unknowns=(*kept, *signs, *(name for part in parts for name in part.unknowns)),
        nonnegative=signs,
        conditions=tuple(condition for part in parts for condition in part.conditions()),
        equalities=tuple(e for q in first.equalities for e in _lift_equality(q, multipliers)),
    )
    return Lifting(pencil, tuple(multipliers.values()))


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
                f"{system.parameter} in {system.span}, by its Bernstein coefficients. Divide the interval."
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
    ) -> tuple[_Lifted, dict[str, Multiplier]]:
        """One condition for all t, from those of members, and the multipliers that occur in it."""
        still, whole = (self._interpolate(conditions, parameter) for parameter in (_ZERO, _ONE))
        columns: dict[str | None, list[Polynomial]] = {}
        for (name, _, _), p in (*still.items(), *whole.items()):
            columns.setdefault(name if name in multipliers else None, []).append(p)
        divisors = {name: self._find_divisor(column) for name, column in columns.items()}
        shared = self._find_divisor(d for name, d in divisors.items() if name is None or name in self.tied)
        used = {name: Multiplier(name, *reduce_fraction(shared, d)) for name, d in divisors.items() if name is not None}

        def reduce(table: Table) -> Table:
            found: dict[Key, Polynomial] = {}
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
        return _Lifted(conditions[0], base, moved, degree), used

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


@dataclass(frozen=True, slots=True)
class _Lifted:
    """One matrix inequality for all t.

    Attributes
    ----------
    condition : Condition
        The same for one member, for its name and signals.
    still, moved : mapping
        Entries of F as polynomials in t, without the parameter of the claim and its factor.
    degree : int
        Of F in t.
    """

    condition: Condition
    still: Table
    moved: Table
    degree: int

    @property
    def size(self) -> int:
        """Number of signals."""
        return len(self.condition.signals)

    @property
    def order(self) -> int:
        """m: half the degree, rounded up."""
        return (self.degree + 1) // 2

    @property
    def unknowns(self) -> tuple[str, ...]:
        """Entries of S, and the freedom in X."""
        found = [name for entries, _, _ in self._free() for name, *_ in entries] + [e[0] for e in self._multiplier()]
        return tuple(dict.fromkeys(name for name in found if name is not None))

    def conditions(self) -> Iterator[Condition]:
        """X and S are positive semidefinite."""
        m, n, name = self.order, self.size, self.condition.name
        signals = tuple(f"t^{k} {z}" if k else z for k in range(m + 1) for z in self.condition.signals)
        forms: list[Form] = []
        for entries, weights in ((self.still, (_ONE, _ZERO)), (self.moved, (_ZERO, _ONE))):
            forms += [
                Form(self._block(k // 2), self._block(k - k // 2), middle, *weights)
                for k in range(self.degree + 1)
                if (middle := _collect(entries, k))
            ]
        for free, i, j in self._free():
            half, rest = (i + j) // 2, i + j - (i + j) // 2
            forms.append(Form(self._block(i), self._block(j), free))
            if (i, j) != (half, rest):
                forms.append(Form(self._block(half), self._block(rest), free, -_ONE))
        S = self._multiplier()
        if m:
            shorter, shifted = (unit_rows(n * (m + 1), start, n * m) for start in (0, n))
            forms += [Form(shorter, shorter, S, -_ONE), Form(shifted, shifted, S)]
        parameter = self.condition.parameter
        yield Condition(name=name, signals=signals, forms=tuple(forms), parameter=parameter)
        if m:
            every = unit_rows(n * m, 0, n * m)
            own = (Form(every, every, S),)
            yield Condition(name=f"{name} multiplier", signals=signals[: n * m], forms=own, parameter=parameter)

    def _block(self, k: int) -> Dense:
        return unit_rows(self.size * (self.order + 1), self.size * k, self.size)

    def _multiplier(self) -> tuple[Entry, ...]:
        size, one = self.size * self.order, scalar(_ONE)
        name = f"{self.condition.name}: S"
        return tuple((f"{name}[{min(i, j)},{max(i, j)}]", i, j, one) for i in range(size) for j in range(size))

    def _free(self) -> Iterator[tuple[tuple[Entry, ...], int, int]]:
        """What may be moved between blocks (i, j) of X that stand for one power of t, and skew parts of blocks."""
        m, n, one, minus = self.order, range(self.size), scalar(_ONE), scalar(-_ONE)
        for i in range(m + 1):
            for j in range(i, m + 1):
                name, is_home = f"{self.condition.name}: X{i}{j}", (i, j) == ((i + j) // 2, i + j - (i + j) // 2)
                if not is_home:
                    entries = [(f"{name}[{a},{b}]", a, b, one) for a in n for b in n if a <= b]
                    yield (*entries, *((own, b, a, one) for own, a, b, _ in entries if a < b)), i, j
                if i != j and self.size > 1:
                    skew = [(f"{name}N[{a},{b}]", a, b, one) for a in n for b in n if a < b]
                    yield (*skew, *((own, b, a, minus) for own, a, b, _ in skew)), i, j


def _collect(entries: Table, power: int) -> tuple[Entry, ...]:
    """Coefficients of one power of t, both halves of each symmetric matrix."""
    found: list[Entry] = []
    for (name, i, j), p in entries.items():
        c = coefficients(p)[power] if power <= p.degree() else _ZERO
        if c:
            found.append((name, i, j, scalar(c)))
            found += [(name, j, i, scalar(c))] if i != j else []
    return tuple(found)
