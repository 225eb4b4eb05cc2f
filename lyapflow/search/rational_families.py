"""From a function of one parameter to a family of systems whose numbers are rational functions of it, if they are."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from fractions import Fraction

from ..dynamics import LureSystem, ParametricSystem
from ..dynamics.parametric import MOST_DEGREE, place_between, read_form, read_numbers
from ..errors import InvalidModelError
from ..exact.polynomials import coefficients, common_multiple, divide, evaluate, reconstruct, scale, spread
from ..exact.rationals import shorten

__all__ = ["read_rational", "tell_family"]

_PLACES = spread(2 * MOST_DEGREE + 2)
_TRIALS = 8


def read_rational(
    make: Callable[[Mapping[str, Fraction]], LureSystem], name: str, low: Fraction, high: Fraction | None, title: str
) -> ParametricSystem | None:
    """The family, if its numbers are rational functions of one parameter; None if they are not, of small degrees.

    They are reconstructed from a few values, and compared with the family, exactly, at the ends and at random ones.
    That they agree everywhere is certain if the family's are rational, of degrees that add up to less than the number
    of values.

    Parameters
    ----------
    make : callable
        From a parameter by its name to a system.
    name : str
        Of the parameter.
    low, high : Fraction, or None for no upper end
        Its range.
    title : str
        A label for the family.

    Raises
    ------
    InvalidModelError
        If members differ in more than numbers, or the family is no valid `ParametricSystem`.
    """

    def at(s: Fraction) -> LureSystem:
        return make({name: s})

    places = tuple(place_between(low, high, t) for t in _PLACES)
    members = [at(s) for s in places]
    if len({read_form(member) for member in members}) > 1:
        raise InvalidModelError(
            "all members of a family must have the same numbers of states and oracles, with the same names and classes "
            "of one kind"
        )
    rows = [read_numbers(member) for member in members]
    fractions = [reconstruct(places, column) for column in zip(*rows, strict=True)]
    below = common_multiple(q for _, q in fractions)
    numerators = [p * divide(below, q) for p, q in fractions]
    degree = max(p.degree() for p in numerators)
    if max(degree, below.degree()) > MOST_DEGREE:
        return None
    below = scale(below, 1 if evaluate(below, places[0]) > 0 else -1)
    nodes = [place_between(low, high, t) for t in spread(max(degree, 0) + 1)]
    found = ParametricSystem(
        name,
        (low, high),
        nodes,
        [at(s) for s in nodes],
        denominator=coefficients(below),
        name=title,
    )
    source = random.Random(0)
    trials = [low, low if high is None else high]
    trials += [place_between(low, high, Fraction(source.randint(-999, 999), 1000)) for _ in range(_TRIALS)]
    if all(_describe(found.at(s)) == _describe(at(s)) for s in trials):
        return found
    return None


def _describe(system: LureSystem) -> tuple[object, ...]:
    """All of a system but its name."""
    return read_form(system), system.A, system.B, system.C, system.D, system.N, system.oracles


def tell_family(name: str, ranges: Mapping[str, tuple[Fraction, Fraction | None]]) -> str:
    """A label: that of a member, and the ranges."""

    def end(value: Fraction | None) -> str:
        return "inf)" if value is None else f"{shorten(value, most=20)}]"

    told = ", ".join(f"{n} in [{shorten(a, most=20)}, {end(b)}" for n, (a, b) in ranges.items())
    return f"{name.partition(',')[0]}, {told}"
