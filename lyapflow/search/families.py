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
from .outcomes import Infeasible
from .polytopes import Make, draw_values, fold_classes, list_corners, read_polytope, with_oracles
from .rational_families import check_segments, read_rational, tell_family
from .witness import Witness, find_witness

__all__ = ["find_refuting_member", "make_member", "read_family", "read_range"]

_MOST_PARAMETERS = 6


def read_family(
    family: Callable[..., LureSystem], over: Mapping[str, tuple[object, object]]
) -> LureSystem | PolytopicSystem | ParametricSystem:
    """One system, exact or larger, that stands for a family.

    If one member holds all others, it is that. One parameter on which all depends through rational functions stays in
    the system; so does the one of several that moves matrices, if there is one, while what moves classes only is
    united. Several such parameters make the polytope of their corners.

    Parameters
    ----------
    family : callable
        Makes a `LureSystem` from parameters, which are handed over by name as `Fraction`.
    over : mapping of str to (rational, rational or None)
        Lower and upper end of each parameter; a single one may have no upper end.

    Returns
    -------
    LureSystem, PolytopicSystem or ParametricSystem
        The member that holds all; the polytope; the system over a parameter.

    Raises
    ------
    InvalidModelError
        If the arguments are not of this kind, or a member at a random parameter is not covered.
    """
    ranges = _read_ranges(over)
    make: Make = partial(_make, family)
    title = tell_family(make({name: ends[0] for name, ends in ranges.items()}).name, ranges)
    bounded = {name: (a, b) for name, (a, b) in ranges.items() if b is not None}
    moving: Mapping[str, tuple[Fraction, Fraction | None]] = ranges
    folded = make
    if len(ranges) > 1 and len(bounded) == len(ranges):
        check_segments(make, bounded)
        folded, moving = fold_classes(make, bounded)
    if len(moving) == 1:
        ((name, (low, high)),) = moving.items()
        found = read_rational(folded, name, low, high)
        if found is not None:
            largest = found.find_largest()
            return found.close(title) if largest is None else with_oracles(largest, largest.oracles, title)
    if len(bounded) < len(ranges):
        raise InvalidModelError(
            "a range without an upper end is for one parameter, on which all numbers depend through rational functions "
            f"of degrees up to {MOST_DEGREE} (in exact numbers: 0.9 / L is a float, Fraction(9, 10) / L is not), got "
            f"{over!r}"
        )
    return read_polytope(make, bounded, title)


def find_refuting_member(
    family: Callable[..., LureSystem], over: Mapping[str, tuple[object, object]], outcome: Infeasible
) -> Witness | None:
    """A linear member that refutes a claim, of a system at a corner or a random parameter, if one is found.

    The parameters that the witness of an outcome names, if it does, are tried as well.
    """
    ranges = _read_ranges(over)
    ends = {name: (low, low if high is None else high) for name, (low, high) in ranges.items()}
    named = dict(outcome.witness.at) if isinstance(outcome.witness, Witness) else {}
    corners = list_corners(ends)
    for values in (*({**corner, **named} for corner in corners if named), *corners, *draw_values(ends)):
        witness = find_witness(_make(family, values))
        if witness.refutes(outcome.claim.number):
            return replace(witness, at=tuple(values.items()))
    return None


def _read_ranges(over: Mapping[str, tuple[object, object]]) -> dict[str, tuple[Fraction, Fraction | None]]:
    if not isinstance(over, Mapping) or not 1 <= len(over) <= _MOST_PARAMETERS:
        raise InvalidModelError(
            f"over must name 1 to {_MOST_PARAMETERS} parameters, such as {{'L': (2, 50)}}, got {over!r}"
        )
    found: dict[str, tuple[Fraction, Fraction | None]] = {}
    for name, ends in over.items():
        if not isinstance(name, str):
            raise InvalidModelError(f"over must name parameters by strings, such as {{'L': (2, 50)}}, got {name!r}")
        if isinstance(ends, tuple | list) and len(ends) == 2 and ends[1] is None:
            found[name] = (rational(ends[0], name=name), None)
            continue
        if isinstance(ends, tuple | list) and len(ends) == 2 and ends[0] is None:
            raise InvalidModelError(f"the range of {name} must have a lower end; only the upper one may be None")
        low, high = read_range(name, ends)
        if low > high:
            raise InvalidModelError(f"the range of {name} must be low <= high, got ({low}, {high})")
        found[name] = (low, high)
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
    except ValueError:  # a function without a signature tells when it is called
        pass
    try:
        return family(**values)
    except Exception as error:  # whatever goes wrong in the user's function, with the place where it does
        where = ", ".join(f"{name} = {value}" for name, value in values.items())
        what = "has no member" if isinstance(error, InvalidModelError) else f"fails with {type(error).__name__}"
        raise InvalidModelError(f"at {where} the family {what}: {error}") from error


def _make(family: Callable[..., LureSystem], values: Mapping[str, Fraction]) -> LureSystem:
    system = make_member(family, values)
    if not isinstance(system, LureSystem):
        raise InvalidModelError(f"a family must make a LureSystem, got {type(system).__name__}")
    if system.is_time_varying:
        raise InvalidModelError(f"a family must be constant in time (N = 0), got {system.name!r}. Certify one member.")
    return system
