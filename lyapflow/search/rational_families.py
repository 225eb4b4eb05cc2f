"""From a function of one parameter to a family of systems whose numbers are rational functions of it, if they are."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from ..classes.moduli import LOWER_BOUNDS, is_known, name_moduli
from ..dynamics import LureSystem, ParametricSystem
from ..dynamics.parametric import MOST_DEGREE, place_between, read_form, read_numbers
from ..errors import InvalidModelError
from ..exact.polynomials import (
    Polynomial,
    coefficients,
    common_multiple,
    divide,
    evaluate,
    is_nonnegative,
    is_positive,
    polynomial,
    reconstruct,
    scale,
    spread,
    substitute,
)
from ..exact.rationals import shorten
from .polytopes import Make, Ranges, draw_values, list_corners

__all__ = ["RationalFamily", "check_segments", "read_rational", "tell_family"]

_PLACES = spread(2 * MOST_DEGREE + 2)
_TRIALS = 8
_RANDOM_LINES = 6


@dataclass(frozen=True, slots=True)
class RationalFamily:
    """A function of one parameter s, with its numbers as ``p(s) / d(s)``.

    Attributes
    ----------
    name : str
        Of the parameter.
    low, high : Fraction, or None for no upper end
        Its range.
    at : callable
        The function.
    numerators : tuple of Polynomial
        p of each number, in the order of `read_numbers`.
    denominator : Polynomial
        d, positive in the middle.
    """

    name: str
    low: Fraction
    high: Fraction | None
    at: Callable[[Fraction], LureSystem]
    numerators: tuple[Polynomial, ...]
    denominator: Polynomial

    def find_largest(self) -> LureSystem | None:
        """The member that holds all others, exactly, if one end of an interval does: only nested classes vary."""
        if self.high is None or not is_positive(self._in_t(self.denominator)):
            return None
        for end in (self.high, self.low):
            member = self.at(end)
            if all(self._is_beyond(k, v, kind) for k, (v, kind) in enumerate(_list_kinds(member))):
                return member
        return None

    def is_segment(self) -> bool:
        """Whether all matrices lie on the segment between those at the ends, and all moduli between theirs."""
        if self.high is None:
            return False
        ends = [_list_kinds(self.at(end)) for end in (self.low, self.high)]
        pairs = [(low, high - low, kind) for (low, kind), (high, _) in zip(*ends, strict=True)]
        moved = [p - scale(self.denominator, low) for p, (low, _, _) in zip(self.numerators, pairs, strict=True)]
        fixed = [k for k, (_, _, kind) in enumerate(pairs) if kind == "fixed"]
        leader = max(fixed, key=lambda k: abs(pairs[k][1]))
        whole = pairs[leader][1] or Fraction(1)
        if any(scale(moved[k], whole) != scale(moved[leader], pairs[k][1]) for k in fixed if k != leader):
            return False  # not affine in one function
        rest = [k for k in range(len(pairs)) if k == leader or pairs[k][2] != "fixed"]
        return all(self._stays(moved[k], pairs[k][1]) for k in rest)

    def close(self, title: str) -> ParametricSystem:
        """As a system over the parameter."""
        degree = max((p.degree() for p in self.numerators), default=0)
        nodes = [place_between(self.low, self.high, t) for t in spread(max(degree, 0) + 1)]
        return ParametricSystem(
            self.name,
            (self.low, self.high),
            nodes,
            [self.at(s) for s in nodes],
            denominator=coefficients(self.denominator),
            name=title,
        )

    def _is_beyond(self, k: int, value: Fraction, kind: str) -> bool:
        """Whether a number is that of an end throughout, or on the inner side of it."""
        above = self.numerators[k] - scale(self.denominator, value)
        if kind == "fixed" or not above:
            return not above
        return is_nonnegative(self._in_t(scale(above, 1 if kind == "lower" else -1)))

    def _stays(self, moved: Polynomial, width: Fraction) -> bool:
        """Whether a number, less what it is at the lower end, stays between 0 and what it is at the upper one."""
        if not width:
            return not moved
        inner = scale(moved, 1 if width > 0 else -1)
        outer = scale(self.denominator, abs(width)) - inner
        return is_nonnegative(self._in_t(inner)) and is_nonnegative(self._in_t(outer))

    def _in_t(self, p: Polynomial) -> Polynomial:
        ends = [self.low, self.low if self.high is None else self.high]
        return substitute(p, polynomial([(ends[0] + ends[1]) / 2, (ends[1] - ends[0]) / 2]))


def _list_kinds(member: LureSystem) -> list[tuple[Fraction, str]]:
    """Numbers of a system, each with what its growth does to the set of members."""
    found = [(v, "fixed") for m in (member.A, member.B, member.C, member.D) for row in m for v in row]
    for oracle in member.oracles:
        for name in name_moduli(oracle):
            found.append((getattr(oracle, name), "lower" if name in LOWER_BOUNDS else "upper"))
    return found


def read_rational(make: Make, name: str, low: Fraction, high: Fraction | None) -> RationalFamily | None:
    """The family as rational functions of one parameter; None if it is none, of small degrees.

    The functions are reconstructed from a few values, and compared with the family, exactly, at the ends and at random
    ones. That they agree everywhere is certain if the family's are rational, of degrees that add up to less than the
    number of values.

    Parameters
    ----------
    make : callable
        From a parameter by its name to a system.
    name : str
        Of the parameter.
    low, high : Fraction, or None for no upper end
        Its range.

    Raises
    ------
    InvalidModelError
        If members differ in more than numbers.
    """

    def at(s: Fraction) -> LureSystem:
        return make({name: s})

    if low == high:
        return None
    places = tuple(place_between(low, high, t) for t in _PLACES)
    members = [at(s) for s in places]
    if not all(is_known(oracle) for oracle in members[0].oracles):
        return None
    if len({read_form(member) for member in members}) > 1:
        raise InvalidModelError(
            "all members of a family must have the same numbers of states and oracles, with the same names and classes "
            "of one kind"
        )
    rows = [read_numbers(member) for member in members]
    functions = [reconstruct(places, column) for column in zip(*rows, strict=True)]
    below = common_multiple(q for _, q in functions)
    numerators = tuple(p * divide(below, q) for p, q in functions)
    if max(below.degree(), *(p.degree() for p in numerators)) > MOST_DEGREE:
        return None
    sign = 1 if evaluate(below, place_between(low, high, Fraction(0))) > 0 else -1
    found = RationalFamily(name, low, high, at, tuple(scale(p, sign) for p in numerators), scale(below, sign))
    source = random.Random(0)
    trials = [low, low if high is None else high]
    trials += [place_between(low, high, Fraction(source.randint(-999, 999), 1000)) for _ in range(_TRIALS)]
    form = read_form(members[0])
    return found if all(_agrees(found, form, s) for s in trials) else None


def _agrees(family: RationalFamily, form: tuple[object, ...], s: Fraction) -> bool:
    member, below = family.at(s), evaluate(family.denominator, s)
    if read_form(member) != form or not below:
        return False
    return read_numbers(member) == [evaluate(p, s) / below for p in family.numerators]


def check_segments(make: Make, ranges: Ranges) -> None:
    """Along lines through corners and random points the matrices must move along a segment: then they are in the hull.

    Exactly, where they are rational functions of small degrees along the line.

    Raises
    ------
    InvalidModelError
        If they do not.
    """
    for base in (*list_corners(ranges), *draw_values(ranges)[:_RANDOM_LINES]):
        for name, (low, high) in ranges.items():
            family = read_rational(partial(_make_near, make, base), name, low, high)
            if family is not None and not family.is_segment():
                others = ", ".join(f"{n} = {v}" for n, v in base.items() if n != name)
                raise InvalidModelError(
                    f"with {name} from {low} to {high} the matrices of a family over several parameters must move "
                    f"along the segment between their ends, and moduli stay between theirs; they do not at {others}. "
                    "Let A and B depend on each parameter through one monotone function, or divide the range."
                )


def _make_near(make: Make, base: Mapping[str, Fraction], values: Mapping[str, Fraction]) -> LureSystem:
    return make({**base, **values})


def tell_family(name: str, ranges: Mapping[str, tuple[Fraction, Fraction | None]]) -> str:
    """A label: that of a member, and the ranges."""

    def end(value: Fraction | None) -> str:
        return "inf)" if value is None else f"{shorten(value, most=20)}]"

    told = ", ".join(f"{n} in [{shorten(a, most=20)}, {end(b)}" for n, (a, b) in ranges.items())
    return f"{name.partition(',')[0]}, {told}"
