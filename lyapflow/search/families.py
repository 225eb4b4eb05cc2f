"""From a family of systems with parameters in intervals to one system that a proof can speak about."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial

from ..dynamics import LureSystem, ParametricSystem, PolytopicSystem, System
from ..dynamics.parametric import MOST_DEGREE
from ..errors import InvalidModelError
from ..exact.rationals import rational
from ..lmi.claims import Claim
from .polytopes import Make, draw_values, fold_classes, is_segment, list_corners, read_polytope
from .rational_families import read_rational, tell_family
from .witness import Witness, find_witness

__all__ = ["find_slow_member", "make_member", "read_family", "read_range"]

_MOST_PARAMETERS = 6


def read_family(
    family: Callable[..., LureSystem], over: Mapping[str, tuple[object, object]]
) -> LureSystem | PolytopicSystem | ParametricSystem:
    """One system, exact or larger, that stands for a family.

    Where one parameter moves the matrices along a segment, or all move the classes only, the corners of the ranges are
    the whole story. Where one parameter moves matrices and more, through rational functions, it stays in the system.
    Several such parameters make the polytope of their corners.

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
    make: Make = partial(_make, family)
    low = {name: ends[0] for name, ends in ranges.items()}
    title = tell_family(make(low).name, ranges)
    bounded = {name: (a, b) for name, (a, b) in ranges.items() if b is not None}
    if len(bounded) == len(ranges):
        folded, moving = fold_classes(make, bounded)
        if len(moving) == 1 and not is_segment(folded, moving):
            ((name, ends),) = moving.items()
            found = read_rational(folded, name, *ends, title)
            if found is not None:
                return found
        return read_polytope(make, bounded, title)
    if len(ranges) == 1:
        ((name, (start, _)),) = ranges.items()
        found = read_rational(make, name, start, None, title)
        if found is not None:
            return found
    raise InvalidModelError(
        "a range without an upper end is for one parameter, on which all numbers depend through rational functions of "
        f"degrees up to {MOST_DEGREE}, got {over!r}"
    )


def find_slow_member(
    family: Callable[..., LureSystem], over: Mapping[str, tuple[object, object]], claim: Claim
) -> Witness | None:
    """A linear member that refutes a claim, of a system at a corner or a random parameter; None if none is found."""
    ranges = {name: (low, high) for name, (low, high) in _read_ranges(over).items() if high is not None}
    for values in (*list_corners(ranges), *draw_values(ranges)):
        witness = find_witness(_make(family, values))
        if witness.refutes(claim.number):
            return replace(witness, at=tuple(values.items()))
    return None


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
