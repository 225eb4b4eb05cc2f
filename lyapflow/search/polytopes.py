"""From the members of a family at the corners of ranges to the polytope that holds them all."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import TypeAlias

from ..classes.inequalities import OperatorClass
from ..classes.intersection import Intersection
from ..classes.moduli import LOWER_BOUNDS, is_known, name_moduli, replace_moduli
from ..dynamics import LureSystem, PolytopicSystem
from ..errors import InvalidModelError
from ..hulls import covers

__all__ = [
    "Make",
    "Ranges",
    "draw_values",
    "fold_classes",
    "list_corners",
    "read_polytope",
    "with_oracles",
]

Ranges: TypeAlias = Mapping[str, tuple[Fraction, Fraction]]
"""Lower and upper end of each parameter."""

Make: TypeAlias = Callable[[Mapping[str, Fraction]], LureSystem]
"""From parameters by their names to a system."""

_SAMPLES = 32


def list_corners(ranges: Ranges) -> list[dict[str, Fraction]]:
    """Parameters at the ends of their ranges."""
    return [dict(zip(ranges, values, strict=True)) for values in product(*ranges.values())]


def draw_values(ranges: Ranges, *, seed: int = 0) -> list[dict[str, Fraction]]:
    """Random parameters, always the same."""
    source = random.Random(seed)
    return [
        {name: low + Fraction(source.randint(0, 1000), 1000) * (high - low) for name, (low, high) in ranges.items()}
        for _ in range(_SAMPLES)
    ]


def read_polytope(make: Make, ranges: Ranges, name: str) -> LureSystem | PolytopicSystem:
    """The smallest polytope that holds a family of systems, by its corners; one system if only the classes vary.

    Raises
    ------
    InvalidModelError
        If members differ in more than A, B and nested classes, or one at random parameters is not in the polytope.
    """
    corners = [make(values) for values in list_corners(ranges)]
    for corner in corners:
        if corner.oracle_names != corners[0].oracle_names:
            raise InvalidModelError(
                "all members of a family must have the same oracles by name, got "
                f"{corners[0].oracle_names} and {corner.oracle_names}"
            )
    found = _hull(corners, name)
    for values in draw_values(ranges):
        misfit = _find_misfit(found, make(values))
        if misfit is not None:
            shown = ", ".join(f"{name} = {value}" for name, value in values.items())
            raise InvalidModelError(f"at {shown} {misfit}")
    return found.vertices[0] if len(found.vertices) == 1 else found


def fold_classes(make: Make, ranges: Ranges) -> tuple[Make, Ranges]:
    """The family over the parameters that move matrices; each member with the union of the classes over the others.

    The same family is returned if that does not apply.
    """
    idle = {name: ends for name, ends in ranges.items() if _moves_classes_only(make, ranges, name)}
    rest = {name: ends for name, ends in ranges.items() if name not in idle}
    if not idle or not rest:
        return make, ranges

    def folded(values: Mapping[str, Fraction]) -> LureSystem:
        (member,) = _hull([make({**values, **corner}) for corner in list_corners(idle)], "").vertices
        return member

    for values in draw_values(ranges):
        around = PolytopicSystem([folded({name: values[name] for name in rest})])
        if _find_misfit(around, make(values)) is not None:
            return make, ranges
    return folded, rest


def _moves_classes_only(make: Make, ranges: Ranges, name: str) -> bool:
    """Whether the matrices do not depend on a parameter, at random values of all."""
    pairs = zip(draw_values(ranges), draw_values(ranges, seed=1), strict=True)
    return all(_matrices(make(a)) == _matrices(make({**a, name: b[name]})) for a, b in pairs)


def _matrices(system: LureSystem) -> tuple[object, ...]:
    return system.A, system.B, system.C, system.D, system.N, system.dt, system.groups, system.oracle_names


def _hull(corners: Sequence[LureSystem], name: str) -> PolytopicSystem:
    oracles = tuple(_unite([corner.oracles[j] for corner in corners]) for j in range(len(corners[0].oracles)))
    return PolytopicSystem(tuple(dict.fromkeys(with_oracles(c, oracles, name) for c in corners)), name=name)


def _unite(oracles: Sequence[OperatorClass]) -> OperatorClass:
    """A class of their kind that holds all of them: the smallest, or for intersections that of the smallest parts."""
    first = oracles[0]
    if all(oracle == first for oracle in oracles):
        return first
    parts = [oracle.parts for oracle in oracles if isinstance(oracle, Intersection)]
    if len(parts) == len(oracles) and len({len(p) for p in parts}) == 1:
        return Intersection(*(_unite(alike) for alike in zip(*parts, strict=True)))
    if len({type(oracle) for oracle in oracles}) > 1 or not is_known(first):
        raise InvalidModelError(
            "the classes of a family must be of one kind and differ in numbers only, and of lyapflow's own kinds, got "
            f"{', '.join(dict.fromkeys(map(repr, oracles)))}"
        )
    return replace_moduli(
        first,
        [
            (min if name in LOWER_BOUNDS else max)(getattr(oracle, name) for oracle in oracles)
            for name in name_moduli(first)
        ],
    )


def with_oracles(system: LureSystem, oracles: tuple[OperatorClass, ...], name: str) -> LureSystem:
    """The same plant with other classes."""
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
