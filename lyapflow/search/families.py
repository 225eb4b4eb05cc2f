"""From a family of systems with parameters in intervals to one system that a proof can speak about."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from fractions import Fraction
from functools import partial
from itertools import product
from typing import TypeAlias

from ..classes.functions import SmoothConvex, SmoothStronglyConvex, StronglyConvex
from ..classes.inequalities import OperatorClass
from ..classes.intersection import Intersection
from ..classes.operators import Cocoercive, Lipschitz, SectorBounded, SlopeRestricted, StronglyMonotone
from ..classes.special import GradientDominated, Quadratic
from ..dynamics import LureSystem, ParametricSystem, PolytopicSystem, System
from ..dynamics.parametric import MOST_DEGREE
from ..errors import InvalidModelError
from ..exact.rationals import rational
from ..hulls import covers
from ..lmi.claims import Claim
from .rational_families import read_rational, tell_family
from .witness import Witness, find_witness

__all__ = ["find_slow_member", "make_member", "read_family", "read_range"]

_SAMPLES = 32
_MOST_PARAMETERS = 6

_LOWER_BOUNDS = frozenset({"mu", "lower", "beta"})
_NESTED: tuple[type, ...] = (
    SmoothConvex,
    SmoothStronglyConvex,
    StronglyConvex,
    StronglyMonotone,
    Cocoercive,
    Lipschitz,
    SectorBounded,
    SlopeRestricted,
    Quadratic,
    GradientDominated,
)
"""Classes that grow as their lower bounds fall and their upper bounds rise. Of others nothing of the kind is known."""


def read_family(
    family: Callable[..., LureSystem], over: Mapping[str, tuple[object, object]]
) -> LureSystem | PolytopicSystem | ParametricSystem:
    """One system, exact or larger, that stands for a family.

    Where one parameter moves the matrices along a segment, or the classes only, the corners of the ranges are the whole
    story. Where one parameter moves more, through rational functions, it stays in the system. Several parameters make
    the polytope of their corners.

    Parameters
    ----------
    family : callable
        Makes a `LureSystem` from parameters, which are handed over by name as `Fraction`.
    over : mapping of str to (rational, rational or None)
        Lower and upper end of each parameter; a single one may have no upper end.

    Returns
    -------
    LureSystem, PolytopicSystem or ParametricSystem
        With the union of the classes at the corners, but for the last.

    Raises
    ------
    InvalidModelError
        If the arguments are not of this kind, or a member at a random parameter is not covered.
    """
    ranges = _read_ranges(over)
    bounded = {name: (low, high) for name, (low, high) in ranges.items() if high is not None}
    if len(ranges) == 1:
        ((name, (low, high)),) = ranges.items()
        if high is None or not _is_segment(family, bounded):
            found = read_rational(partial(_make, family), name, low, high)
            if found is not None:
                return found
    if len(bounded) < len(ranges):
        raise InvalidModelError(
            "a range without an upper end is for one parameter, on which all numbers depend through rational functions "
            f"of degrees up to {MOST_DEGREE}, got {over!r}"
        )
    return _read_polytope(family, bounded)


def find_slow_member(
    family: Callable[..., LureSystem], over: Mapping[str, tuple[object, object]], claim: Claim
) -> Witness | None:
    """A linear member that refutes a claim, of a system at a corner or a random parameter; None if none is found."""
    ranges = {name: (low, high) for name, (low, high) in _read_ranges(over).items() if high is not None}
    for values in (*_list_corners(ranges), *_draw(ranges)):
        witness = find_witness(_make(family, values))
        if witness.refutes(claim.number):
            return replace(witness, at=tuple(values.items()))
    return None


Ranges: TypeAlias = dict[str, tuple[Fraction, Fraction]]


def _list_corners(ranges: Ranges) -> list[dict[str, Fraction]]:
    return [dict(zip(ranges, values, strict=True)) for values in product(*ranges.values())]


def _draw(ranges: Ranges) -> list[dict[str, Fraction]]:
    source = random.Random(0)
    return [
        {name: low + Fraction(source.randint(0, 1000), 1000) * (high - low) for name, (low, high) in ranges.items()}
        for _ in range(_SAMPLES)
    ]


def _is_segment(family: Callable[..., LureSystem], ranges: Ranges) -> bool:
    """Whether the hull of the ends is the family: of matrices and classes only one varies, and all lies between."""
    ends = [_make(family, values) for values in _list_corners(ranges)]
    moves = len({(end.A, end.B, end.C, end.D) for end in ends}) > 1
    if moves and len({end.oracles for end in ends}) > 1:
        return False
    if len({(end.C, end.D, end.oracle_names, end.shape, end.dt, end.groups) for end in ends}) > 1:
        return False
    hull = _hull(ends, "")
    return all(_find_misfit(hull, _make(family, values)) is None for values in _draw(ranges))


def _read_polytope(family: Callable[..., LureSystem], ranges: Ranges) -> LureSystem | PolytopicSystem:
    """The smallest polytope that holds a family of systems, by its corners; one system if only the classes vary."""
    corners = [_make(family, values) for values in _list_corners(ranges)]
    for corner in corners:
        if corner.oracle_names != corners[0].oracle_names:
            raise InvalidModelError(
                "all members of a family must have the same oracles by name, got "
                f"{corners[0].oracle_names} and {corner.oracle_names}"
            )
    found = _hull(corners, tell_family(corners[0].name, ranges))
    for values in _draw(ranges):
        misfit = _find_misfit(found, _make(family, values))
        if misfit is not None:
            shown = ", ".join(f"{name} = {value}" for name, value in values.items())
            raise InvalidModelError(f"at {shown} {misfit}")
    return found.vertices[0] if len(found.vertices) == 1 else found


def _hull(corners: Sequence[LureSystem], name: str) -> PolytopicSystem:
    oracles = tuple(_unite([corner.oracles[j] for corner in corners]) for j in range(len(corners[0].oracles)))
    return PolytopicSystem(tuple(dict.fromkeys(_with_oracles(c, oracles, name) for c in corners)), name=name)


def _read_ranges(over: Mapping[str, tuple[object, object]]) -> dict[str, tuple[Fraction, Fraction | None]]:
    if not isinstance(over, Mapping) or not 1 <= len(over) <= _MOST_PARAMETERS:
        raise InvalidModelError(
            f"over must name 1 to {_MOST_PARAMETERS} parameters, such as {{'L': (2, 50)}}, got {over!r}"
        )
    found: dict[str, tuple[Fraction, Fraction | None]] = {}
    for name, ends in over.items():
        if isinstance(ends, tuple | list) and len(ends) == 2 and ends[1] is None:
            found[str(name)] = (rational(ends[0], name=str(name)), None)
            continue
        low, high = read_range(name, ends)
        if low > high:
            raise InvalidModelError(f"the range of {name} must be low <= high, got ({low}, {high})")
        found[str(name)] = (low, high)
    return found


def read_range(name: object, ends: object) -> tuple[Fraction, Fraction]:
    """Two ends of a parameter, in the order given.

    Raises
    ------
    InvalidModelError
        If they are not a pair of rationals.
    """
    if not isinstance(ends, tuple | list) or len(ends) != 2:
        raise InvalidModelError(f"the range of {name} must be a pair (low, high), got {ends!r}")
    low, high = (rational(end, name=str(name)) for end in ends)
    return low, high


def make_member(family: Callable[..., System], values: Mapping[str, Fraction]) -> System:
    """The member of a family at some parameters.

    Raises
    ------
    InvalidModelError
        If the family does not take parameters of these names, or there is no member there.
    """
    try:
        inspect.signature(family).bind(**values)
    except TypeError as error:
        raise InvalidModelError(
            f"the family must take the parameters {', '.join(values)} by name, but: {error}"
        ) from error
    try:
        return family(**values)
    except InvalidModelError as error:
        raise InvalidModelError(
            f"at {', '.join(f'{name} = {value}' for name, value in values.items())} the family has no member: {error}"
        ) from error


def _make(family: Callable[..., LureSystem], values: Mapping[str, Fraction]) -> LureSystem:
    system = make_member(family, values)
    if not isinstance(system, LureSystem):
        raise InvalidModelError(f"a family must make a LureSystem, got {type(system).__name__}")
    return system


def _unite(oracles: Sequence[OperatorClass]) -> OperatorClass:
    """A class of their kind that holds all of them: the smallest, or for intersections that of the smallest parts."""
    first = oracles[0]
    if all(oracle == first for oracle in oracles):
        return first
    parts = [oracle.parts for oracle in oracles if isinstance(oracle, Intersection)]
    if len(parts) == len(oracles) and len({len(p) for p in parts}) == 1:
        return Intersection(*(_unite(alike) for alike in zip(*parts, strict=True)))
    if len({type(oracle) for oracle in oracles}) > 1 or type(first) not in _NESTED:
        raise InvalidModelError(
            "the classes of a family must be of one kind and differ in numbers only, and of lyapflow's own kinds, got "
            f"{', '.join(dict.fromkeys(map(repr, oracles)))}"
        )
    names = [f.name for f in fields(first)]  # type: ignore[arg-type]
    return type(first)(
        **{n: (min if n in _LOWER_BOUNDS else max)(getattr(oracle, n) for oracle in oracles) for n in names}
    )


def _with_oracles(system: LureSystem, oracles: tuple[OperatorClass, ...], name: str) -> LureSystem:
    return LureSystem(
        system.A,
        system.B,
        system.C,
        system.D,
        oracles=oracles,
        dt=system.dt,
        name=name,
        oracle_names=system.oracle_names,
        groups=system.groups,
        N=system.N,
    )


def _find_misfit(polytope: PolytopicSystem, member: LureSystem) -> str | None:
    """Why the polytope does not cover a member, with its classes, if it does not."""
    known = (polytope.oracle_names, polytope.shape)
    if (member.oracle_names, member.shape) != known or polytope.oracles != tuple(
        _unite([a, b]) for a, b in zip(polytope.oracles, member.oracles, strict=True)
    ):
        return "the family has other states or oracles than its corners cover"
    if not covers(polytope, member):
        return (
            "the matrices of the family are not in the convex hull of those at the corners. Let A and B depend on each "
            "parameter through one monotone function, C and D on none, or divide the range; or let all depend on one "
            "parameter through rational functions."
        )
    return None
