"""From a family of systems with parameters in intervals to one system that a proof can speak about."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from fractions import Fraction
from itertools import product

import numpy as np
from scipy.optimize import nnls

from ..classes.inequalities import OperatorClass
from ..dynamics import LureSystem, PolytopicSystem
from ..errors import InvalidModelError
from ..exact.rationals import rational, shorten

__all__ = ["read_family"]

_SAMPLES = 32
_MOST_PARAMETERS = 6


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
    oracles = tuple(_unite([corner.oracles[j] for corner in corners]) for j in range(len(corners[0].oracles)))
    vertices = tuple(dict.fromkeys(_with_oracles(corner, oracles) for corner in corners))
    found = PolytopicSystem(vertices, name=_tell(corners[0].name, ranges))
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
        if not isinstance(ends, tuple | list) or len(ends) != 2:
            raise InvalidModelError(f"the range of {name} must be a pair (low, high), got {ends!r}")
        low, high = (rational(end, name=str(name)) for end in ends)
        if low > high:
            raise InvalidModelError(f"the range of {name} must be low <= high, got ({low}, {high})")
        found[str(name)] = (low, high)
    return found


def _make(family: Callable[..., LureSystem], values: Mapping[str, Fraction]) -> LureSystem:
    system = family(**values)
    if not isinstance(system, LureSystem):
        raise InvalidModelError(f"a family must make a LureSystem, got {type(system).__name__}")
    return system


def _unite(oracles: Sequence[OperatorClass]) -> OperatorClass:
    """The smallest class of their kind that holds all of them."""
    kinds = {type(oracle) for oracle in oracles}
    first = oracles[0]
    if all(oracle == first for oracle in oracles):
        return first
    names = {f.name for f in fields(first)} if len(kinds) == 1 else set()  # type: ignore[arg-type]
    if not names or not names <= {"mu", "L", "lower", "upper", "beta"}:
        raise InvalidModelError(
            f"the classes of a family must be of one kind and differ in numbers only, got {set(oracles)}"
        )
    least = {"mu", "lower", "beta"}
    ends = {n: (min if n in least else max)(getattr(oracle, n) for oracle in oracles) for n in names}
    return type(first)(**ends)


def _with_oracles(system: LureSystem, oracles: tuple[OperatorClass, ...]) -> LureSystem:
    return LureSystem(
        system.A,
        system.B,
        system.C,
        system.D,
        oracles=oracles,
        dt=system.dt,
        name="",
        oracle_names=system.oracle_names,
        groups=system.groups,
        N=system.N,
    )


def _check_member(polytope: PolytopicSystem, member: LureSystem, values: Mapping[str, Fraction]) -> None:
    """Whether the polytope covers a member: classes exactly, matrices by a linear program in floating point."""
    first = polytope.vertices[0]
    shown = ", ".join(f"{name} = {value}" for name, value in values.items())
    united = tuple(_unite([a, b]) for a, b in zip(first.oracles, member.oracles, strict=True))
    same = _with_oracles(member, united)
    if united != first.oracles or (same.C, same.D, same.groups, same.dt) != (first.C, first.D, first.groups, first.dt):
        raise InvalidModelError(f"at {shown} the family has other oracles, C or D than its corners cover")
    if not _is_inside(polytope, member):
        raise InvalidModelError(
            f"at {shown} the matrices of the family are not in the convex hull of those at the corners. Let A and B "
            "depend on each parameter through one monotone function, or divide the range."
        )


def _is_inside(polytope: PolytopicSystem, member: LureSystem) -> bool:
    """Whether A and B are a convex combination of those of the vertices, in floating point."""
    columns = np.array([_flatten(vertex) for vertex in polytope.vertices]).T
    size = max(float(np.abs(columns).max()), np.finfo(np.float64).tiny)
    rows = np.vstack([columns / size, np.ones(columns.shape[1])])
    return bool(nnls(rows, np.append(np.array(_flatten(member)) / size, 1.0))[1] <= 1e-9)


def _flatten(system: LureSystem) -> list[float]:
    return [float(v) for m in (system.A, system.B) for row in m for v in row]


def _tell(name: str, ranges: Mapping[str, tuple[Fraction, Fraction]]) -> str:
    told = ", ".join(f"{n} in [{shorten(a, most=20)}, {shorten(b, most=20)}]" for n, (a, b) in ranges.items())
    return f"{name.partition(',')[0]}, {told}"
