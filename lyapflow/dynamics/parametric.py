"""Families of Lur'e systems whose numbers are rational functions of one parameter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from ..classes.inequalities import OperatorClass
from ..classes.moduli import list_signed, read_moduli, replace_moduli
from ..errors import InvalidModelError
from ..exact.polynomials import Polynomial, evaluate, interpolate, is_positive, polynomial, scale, spread
from ..exact.rationals import rational
from .lure import LureSystem, Mode

__all__ = ["MOST_DEGREE", "ParametricSystem", "list_numerators", "place_between", "read_form", "read_numbers"]

MOST_DEGREE = 6
"""Of numerators and denominators."""

_ONE = Fraction(1)


@dataclass(frozen=True, slots=True, init=False)
class ParametricSystem:
    r"""A Lur'e system for each value s of a parameter, constant in time, in an interval or on a half-line.

    Each number of it, entries of A, B, C, D and moduli of the classes, is :math:`p(s)/d(s)` with a polynomial p of its
    own and a common denominator d that is positive. The polynomials are given by the systems at as many nodes as they
    have coefficients. Made by ``certify(family, over={...})`` with one parameter.

    Parameters
    ----------
    parameter : str
        Name of s.
    ends : (rational, rational or None)
        Lower and upper end, different; no upper end for a half-line.
    nodes : sequence of rational
        Different values of s between the ends.
    systems : sequence of LureSystem
        The system at each node; all of one shape, with oracles of the same kinds.
    denominator : sequence of rational, default (1,)
        Coefficients of d, the lowest first.
    name : str, optional
        A label for reports.

    Raises
    ------
    InvalidModelError
        If the parts do not fit together; or d, an entry of D or a number that makes a class what it is (such as
        ``L - mu``) is not seen to keep its sign between the ends, by Bernstein coefficients.

    Examples
    --------
    Gradient descent with ``step = 1 / L``, for all L from 2 to 10:

    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.algorithms import gradient_descent
    >>> def system(L):
    ...     return gradient_descent(SmoothStronglyConvex(1, L), step=1 / L)
    >>> nodes = [Fraction(2), Fraction(5), Fraction(10)]
    >>> family = ParametricSystem("L", (2, 10), nodes, [system(L) for L in nodes], denominator=(0, 1))
    >>> family.at(7).B == system(Fraction(7)).B
    True
    """

    parameter: str
    ends: tuple[Fraction, Fraction | None]
    nodes: tuple[Fraction, ...]
    systems: tuple[LureSystem, ...]
    denominator: tuple[Fraction, ...]
    name: str

    def __init__(
        self,
        parameter: str,
        ends: tuple[object, object],
        nodes: Sequence[object],
        systems: Sequence[LureSystem],
        *,
        denominator: Sequence[object] = (1,),
        name: str | None = None,
    ) -> None:
        if not isinstance(parameter, str) or not parameter.isidentifier():
            raise InvalidModelError(f"parameter must be an identifier such as 'L', got {parameter!r}")
        if not isinstance(ends, tuple | list) or len(ends) != 2:
            raise InvalidModelError(f"ends must be a pair (low, high), or (low, None) for a half-line, got {ends!r}")
        low, high = rational(ends[0], name=parameter), None if ends[1] is None else rational(ends[1], name=parameter)
        places = tuple(rational(s, name="nodes") for s in nodes)
        below = tuple(rational(c, name="denominator") for c in denominator)
        _check_places(low, high, places)
        if not 1 <= len(places) == len(systems) or max(len(places), len(below)) > MOST_DEGREE + 1:
            raise InvalidModelError(
                f"there must be one system per node, one or more, and degrees up to {MOST_DEGREE}, got {len(systems)} "
                f"systems for {len(places)} nodes, and {len(below)} coefficients of the denominator"
            )
        for system in systems:
            if (
                not isinstance(system, LureSystem)
                or read_form(system) != read_form(systems[0])
                or system.is_time_varying
            ):
                raise InvalidModelError(
                    "the systems at the nodes must be LureSystem of one shape, with oracles of the same kinds, names "
                    "and groups, and no N"
                )
        for field, value in {
            "parameter": parameter,
            "ends": (low, high),
            "nodes": places,
            "systems": tuple(systems),
            "denominator": below,
            "name": systems[0].name if name is None else str(name),
        }.items():
            object.__setattr__(self, field, value)
        _check_signs(self)

    @property
    def degree(self) -> int:
        """Of numerators and denominator, at most."""
        return max(len(self.nodes), len(self.denominator)) - 1

    def at(self, s: object) -> LureSystem:
        """The system at a value of the parameter, exactly.

        Raises
        ------
        InvalidModelError
            If the value is not between the ends.
        """
        place = rational(s, name=self.parameter)
        low, high = self.ends
        if place < low or (high is not None and place > high):
            raise InvalidModelError(f"{self.parameter} must lie in {self.span}, got {place}")
        return _find_member(self, place)

    def place(self, t: Fraction) -> Fraction:
        """The parameter at ``-1 <= t <= 1``: affine in t, or on a half-line in ``(1 + t) / (1 - t)``."""
        return place_between(*self.ends, t)

    def find(self, s: Fraction) -> Fraction:
        """The inverse of `place`."""
        low, high = self.ends
        if high is None:
            far = (s - low) / (abs(low) or _ONE)
            return (far - 1) / (far + 1)
        return (2 * s - low - high) / (high - low)

    def weigh(self, t: Fraction) -> Fraction:
        """The denominator at t, for numerators that are polynomials in t."""
        weight = evaluate(polynomial(self.denominator), self.place(t))
        return weight if self.ends[1] is not None else weight * (1 - t) ** self.degree

    @property
    def span(self) -> str:
        """The interval in words."""
        low, high = self.ends
        return f"[{low}, {high}]" if high is not None else f"[{low}, inf)"

    @property
    def middle(self) -> LureSystem:
        """The system in the middle: for what does not depend on the parameter."""
        return self.at(self.place(Fraction(0)))

    @property
    def oracles(self) -> tuple[OperatorClass, ...]:
        """Kinds of the oracles, with the moduli of the middle."""
        return self.middle.oracles

    @property
    def oracle_names(self) -> tuple[str, ...]:
        """Names of the oracles."""
        return self.systems[0].oracle_names

    @property
    def groups(self) -> tuple[int, ...]:
        """Which operator each oracle evaluates."""
        return self.systems[0].groups

    @property
    def dt(self) -> Fraction:
        """0 for continuous time, > 0 for discrete time."""
        return self.systems[0].dt

    @property
    def shape(self) -> tuple[int, int]:
        """Number of states n and of oracles m."""
        return self.systems[0].shape

    @property
    def modes(self) -> tuple[Mode, ...]:
        """One mode with the system in the middle: its shape and norms are those of all, its numbers are not."""
        return self.middle.modes


def place_between(low: Fraction, high: Fraction | None, t: Fraction) -> Fraction:
    """The parameter at ``-1 <= t <= 1``: see `ParametricSystem.place`.

    >>> place_between(Fraction(2), Fraction(10), Fraction(0)), place_between(Fraction(2), None, Fraction(0))
    (Fraction(6, 1), Fraction(4, 1))
    """
    if high is None:
        return low + (abs(low) or _ONE) * (1 + t) / (1 - t)
    return (low + high) / 2 + t * (high - low) / 2


def _check_places(low: Fraction, high: Fraction | None, nodes: tuple[Fraction, ...]) -> None:
    if high is not None and not low < high:
        raise InvalidModelError(f"ends must be low < high, got ({low}, {high})")
    if any(s < low or (high is not None and s > high) for s in nodes) or len(set(nodes)) < len(nodes):
        raise InvalidModelError(f"nodes must be different and between the ends {low} and {high}, got {nodes}")


def _check_signs(family: ParametricSystem) -> None:
    """The structure of the system must be one for all parameters, and its numbers must be defined."""
    places = spread(family.degree + 1)
    closed = family.ends[1] is not None
    weights = [family.weigh(t) for t in places]
    (below,) = interpolate(places, [[w] for w in weights])
    if not is_positive(below, at_end=closed):
        raise InvalidModelError(
            f"the denominator must be positive for all {family.parameter} in {family.span}, by its Bernstein "
            "coefficients. Divide the interval."
        )
    signed = [[w * v for v in _list_signed(family.at(family.place(t)))] for t, w in zip(places, weights, strict=True)]
    for p, constant in zip(interpolate(places, signed), _list_signed(family.systems[0]), strict=True):
        if p != scale(below, constant) and not any(is_positive(scale(p, sign), at_end=closed) for sign in (1, -1)):
            raise InvalidModelError(
                f"an entry of D, or a number that makes a class valid (such as L - mu), must be constant or keep its "
                f"sign for all {family.parameter} in {family.span}, the ends included. Take a shorter interval, or "
                "divide it."
            )


def _list_signed(system: LureSystem) -> list[Fraction]:
    return [v for row in system.D for v in row] + [v for oracle in system.oracles for v in list_signed(oracle)]


@lru_cache(maxsize=64)  # a search asks for the same ones again and again
def _find_member(family: ParametricSystem, place: Fraction) -> LureSystem:
    below = polynomial(family.denominator)
    here = evaluate(below, place)
    numbers = [evaluate(p, place) / here for p in list_numerators(family)]
    try:
        return _rebuild(family.systems[0], numbers, family.name)
    except InvalidModelError as error:
        raise InvalidModelError(f"at {family.parameter} = {place} the family has no member: {error}") from error


@lru_cache(maxsize=8)
def list_numerators(family: ParametricSystem) -> tuple[Polynomial, ...]:
    """The polynomials p in s, in the order of `read_numbers`."""
    below = polynomial(family.denominator)
    rows = [
        [evaluate(below, node) * v for v in read_numbers(system)]
        for node, system in zip(family.nodes, family.systems, strict=True)
    ]
    return tuple(interpolate(family.nodes, rows))


def read_form(system: LureSystem) -> tuple[object, ...]:
    """What members of a family have in common: all but their numbers."""
    kinds = tuple(type(oracle) for oracle in system.oracles)
    return system.shape, kinds, system.oracle_names, system.groups, system.dt, system.is_time_varying


def read_numbers(system: LureSystem) -> list[Fraction]:
    """Entries of A, B, C, D and moduli of the classes, in a fixed order."""
    found = [v for m in (system.A, system.B, system.C, system.D) for row in m for v in row]
    return found + [v for oracle in system.oracles for v in read_moduli(oracle)]


def _rebuild(like: LureSystem, numbers: Sequence[Fraction], name: str) -> LureSystem:
    n, m = like.shape
    rest = iter(numbers)
    A, B, C, D = ([[next(rest) for _ in range(k)] for _ in range(j)] for j, k in ((n, n), (n, m), (m, n), (m, m)))
    oracles = [replace_moduli(oracle, [next(rest) for _ in read_moduli(oracle)]) for oracle in like.oracles]
    return LureSystem(
        A, B, C, D, oracles=oracles, dt=like.dt, name=name, oracle_names=like.oracle_names, groups=like.groups
    )
