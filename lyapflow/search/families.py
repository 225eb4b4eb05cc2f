"""From a family of systems with parameters in intervals to one system that a proof can speak about."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from fractions import Fraction
from itertools import product

from ..classes.functions import SmoothConvex, SmoothStronglyConvex, StronglyConvex
from ..classes.inequalities import OperatorClass
from ..classes.intersection import Intersection
from ..classes.operators import Cocoercive, Lipschitz, SectorBounded, SlopeRestricted, StronglyMonotone
from ..classes.special import GradientDominated, Quadratic
from ..dynamics import LureSystem, PolytopicSystem, System
from ..errors import InvalidModelError
from ..exact.rationals import rational, shorten
from ..hulls import covers

__all__ = ["make_member", "read_family", "read_range"]

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
) -> LureSystem | PolytopicSystem:
    """The smallest polytope that holds a family of systems, by its corners; one system if only the classes vary.

    Parameters
    ----------
    family : callable
        Makes a `LureSystem` from parameters, which are handed over by name as `Fraction`. A and B must depend on each
        parameter through one increasing or decreasing function (such as ``L``, ``1/L``, ``-2 L``), C and D on none; the
        classes of oracles may depend on all.
    over : mapping of str to (rational, rational)
        Lower and upper end of each parameter.

    Returns
    -------
    LureSystem or PolytopicSystem
        With the union of the classes at the corners.

    Raises
    ------
    InvalidModelError
        If the arguments are not of this kind, or a member at a random parameter is not in the polytope of the corners.
    """
    ranges = _read_ranges(over)
    corners = [_make(family, dict(zip(ranges, values, strict=True))) for values in product(*ranges.values())]
    for corner in corners:
        if corner.oracle_names != corners[0].oracle_names:
            raise InvalidModelError(
                "all members of a family must have the same oracles by name, got "
                f"{corners[0].oracle_names} and {corner.oracle_names}"
            )
    oracles = tuple(_unite([corner.oracles[j] for corner in corners]) for j in range(len(corners[0].oracles)))
    name = _tell(corners[0].name, ranges)
    vertices = tuple(dict.fromkeys(_with_oracles(corner, oracles, name) for corner in corners))
    found = PolytopicSystem(vertices, name=name)
    source = random.Random(0)
    for _ in range(_SAMPLES):
        values = {
            name: low + Fraction(source.randint(0, 1000), 1000) * (high - low) for name, (low, high) in ranges.items()
        }
        _check_member(found, _make(family, values), values)
    return found.vertices[0] if len(vertices) == 1 else found


def _read_ranges(over: Mapping[str, tuple[object, object]]) -> dict[str, tuple[Fraction, Fraction]]:
    if not isinstance(over, Mapping) or not 1 <= len(over) <= _MOST_PARAMETERS:
        raise InvalidModelError(
            f"over must name 1 to {_MOST_PARAMETERS} parameters, such as {{'L': (2, 50)}}, got {over!r}"
        )
    found = {}
    for name, ends in over.items():
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


def _check_member(polytope: PolytopicSystem, member: LureSystem, values: Mapping[str, Fraction]) -> None:
    """Whether the polytope covers a member, with its classes."""
    shown = ", ".join(f"{name} = {value}" for name, value in values.items())
    known = (polytope.oracle_names, polytope.shape)
    if (member.oracle_names, member.shape) != known or polytope.oracles != tuple(
        _unite([a, b]) for a, b in zip(polytope.oracles, member.oracles, strict=True)
    ):
        raise InvalidModelError(f"at {shown} the family has other states or oracles than its corners cover")
    if not covers(polytope, member):
        raise InvalidModelError(
            f"at {shown} the matrices of the family are not in the convex hull of those at the corners. Let A and B "
            "depend on each parameter through one monotone function, C and D on none, or divide the range."
        )


def _tell(name: str, ranges: Mapping[str, tuple[Fraction, Fraction]]) -> str:
    told = ", ".join(f"{n} in [{shorten(a, most=20)}, {shorten(b, most=20)}]" for n, (a, b) in ranges.items())
    return f"{name.partition(',')[0]}, {told}"
