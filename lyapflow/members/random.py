"""Random members of a class, for evidence against: extreme linear ones, curved ones, nonsmooth and nonconvex ones."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from ..classes.functions import Convex, SmoothConvex, SmoothStronglyConvex
from ..classes.inequalities import OperatorClass
from ..classes.intersection import Intersection
from ..classes.operators import Cocoercive, Lipschitz, Monotone, StronglyMonotone
from ..classes.sectors import SectorBounded, SlopeRestricted, StaticSector
from ..errors import InvalidModelError
from .combinations import Declared
from .operators import LinearMap, SectorNonlinearity, SlopeNonlinearity
from .protocol import Array, Member, check_class
from .random_functions import (
    CONVEX,
    FUNCTIONS,
    INWARD,
    SMOOTH,
    Builder,
    build_ridged,
    draw_contraction,
    draw_profile,
    draw_scale,
    move,
    pick,
)
from .sets import Zero
from .smooth import SquaredNorm
from .static import StaticNonlinearity

__all__ = ["random_member"]


def random_member(
    operator_class: OperatorClass, dimension: int, rng: np.random.Generator, *, centred: bool = False
) -> Member:
    """A random concrete member of a class on R^dimension.

    Parameters
    ----------
    operator_class : OperatorClass
        Any class of `lyapflow.classes`; of a class from elsewhere, one of its `linear_members`.
    dimension : int
        The dimension d, >= 1.
    rng : numpy.random.Generator
        Source of randomness: the same state gives the same member.
    centred : bool, default False
        Whether 0 must be in the output at the origin, so that the origin is an equilibrium of every loop. Members of
        `SectorBounded`, `StaticSector` and `SlopeRestricted` always have output 0 there.

    Returns
    -------
    Member
        A function or operator with exactly `operator_class` as its class.

    Raises
    ------
    InvalidModelError
        If `operator_class` is not a class or `dimension` is not a positive integer.

    Notes
    -----
    The distribution favours extremes: curvatures at the ends of their range, kinks, corners, rotations.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> f = random_member(SmoothStronglyConvex(1, 10), 3, np.random.default_rng(0), centred=True)
    >>> f.gradient(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
    True
    """
    known = check_class("random_member", operator_class)
    if isinstance(dimension, bool) or not isinstance(dimension, int | np.integer) or dimension < 1:
        raise InvalidModelError(f"random_member needs a dimension >= 1, got {dimension!r}")
    builders = _BUILDERS.get(type(known), (_linear_member,))
    centre = np.zeros(dimension) if centred else rng.normal(size=dimension)
    member = pick(builders, rng)(known, centre, rng)
    return member if member.operator_class == known else Declared(member, known)


def _skew(size: int, rng: np.random.Generator) -> Array:
    """A rotation rate: exactly antisymmetric, so exactly monotone."""
    entries = rng.normal(size=(size, size)) * float(draw_scale(rng))
    return entries - entries.T


def _monotone_linear(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    """A rotation, with a diagonal dissipation that is 0 here and there, on top of the modulus."""
    modulus = at_least(getattr(known, "mu", Fraction(0)))
    dissipation = rng.uniform(size=centre.size) * (rng.random(centre.size) < 0.5) * float(draw_scale(rng))
    diagonal = np.maximum(modulus + dissipation, modulus)
    return move(LinearMap(_skew(centre.size, rng) + np.diag(diagonal)), centre)


def at_least(number: Fraction) -> float:
    near = float(number)
    return near if Fraction(near) >= number else float(np.nextafter(near, np.inf))


def _subgradient(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    return pick(CONVEX, rng)(Convex(), centre, rng)


def _cocoercive_linear(known: Cocoercive, centre: Array, rng: np.random.Generator) -> Member:
    """``(I + R) / (2 beta)`` with a contraction R: the disk of the linear members."""
    scale = float(1 / (2 * known.beta))
    return move(LinearMap(scale * (1 - INWARD) * (np.eye(centre.size) + draw_contraction(centre.size, rng))), centre)


def _cocoercive_gradient(known: Cocoercive, centre: Array, rng: np.random.Generator) -> Member:
    """The gradient of a convex 1/beta-smooth function (Baillon and Haddad)."""
    return pick(SMOOTH, rng)(SmoothConvex(1 / known.beta), centre, rng)


def _lipschitz_linear(known: Lipschitz, centre: Array, rng: np.random.Generator) -> Member:
    return move(LinearMap((1 - INWARD) * float(known.L) * draw_contraction(centre.size, rng)), centre)


def _lipschitz_bent(known: Lipschitz, centre: Array, rng: np.random.Generator) -> Member:
    return move(
        Declared(SlopeNonlinearity(-known.L, known.L, draw_profile(rng), draw_scale(rng, high=0)), known), centre
    )


def _sector_linear(known: SectorBounded, centre: Array, rng: np.random.Generator) -> Member:
    """A member of the disk over the sector: its middle, plus its half-width times a contraction."""
    found = _draw_disk(known.lower, known.upper, centre.size, rng)
    if found is None:  # a sector that double precision can hardly tell from a line
        return _sector_nonlinearity(known, centre, rng)
    return found


def _sector_nonlinearity(known: SectorBounded, centre: Array, rng: np.random.Generator) -> Member:
    frequency, phase = draw_scale(rng, low=-1, high=1), draw_scale(rng, low=-1, high=0.5)
    return SectorNonlinearity(known.lower, known.upper, frequency, phase, radial=bool(rng.random() < 0.5))


def _static(known: StaticSector, centre: Array, rng: np.random.Generator) -> Member:
    return StaticNonlinearity(
        known.lower, known.upper, draw_scale(rng, low=-1, high=1), draw_scale(rng, low=-1, high=0.5)
    )


def _slopes(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    offset = draw_scale(rng, high=0.5) * int(rng.integers(-1, 2))
    return SlopeNonlinearity(known.lower, known.upper, draw_profile(rng), offset)


def _common(known: Intersection, centre: Array, rng: np.random.Generator) -> Member:
    """A member of all parts: a rotation, a map from the disk of the linear members, a gradient; else ``u = s y``."""
    bounds = known.linear_members()
    if known.has_values or bounds.lower is None or bounds.rotations == "none":
        return _linear_member(known, centre, rng)
    if bounds.upper is None:
        return _turning(known, bounds.lower, draw_scale(rng), centre, rng)
    low, high = bounds.lower, bounds.upper
    kinds: list[Callable[[], Member]] = [
        lambda: _turning(known, low, high, centre, rng),
        lambda: _inside(known, low, high, centre, rng),
    ]
    if low >= 0 and all(isinstance(part, Monotone | StronglyMonotone | Cocoercive | Lipschitz) for part in known.parts):
        gradients = SmoothStronglyConvex(low, high) if low else SmoothConvex(high)
        kinds.append(lambda: pick(FUNCTIONS[type(gradients)], rng)(gradients, centre, rng))
    return kinds[int(rng.integers(len(kinds)))]()


def _turning(known: Intersection, low: Fraction, high: Fraction, centre: Array, rng: np.random.Generator) -> Member:
    """The smallest real part and the largest rotation, nearly, that the parts admit."""
    turn = _skew(centre.size, rng)
    turn = turn / (np.linalg.norm(turn, 2) or 1.0) * float(high)
    for _ in range(40):
        found = LinearMap(at_least(low) * np.eye(centre.size) + turn)
        if found.belongs_to(known):
            return move(found, centre)
        turn = turn * 0.9
    return _linear_member(known, centre, rng)


def _inside(known: Intersection, low: Fraction, high: Fraction, centre: Array, rng: np.random.Generator) -> Member:
    found = _draw_disk(low, high, centre.size, rng)
    return _linear_member(known, centre, rng) if found is None else move(found, centre)


def _draw_disk(low: Fraction, high: Fraction, size: int, rng: np.random.Generator) -> Member | None:
    """The middle of a sector plus its half-width times a contraction; None if double precision hardly has room."""
    middle, half = float((low + high) / 2), float((high - low) / 2)
    shrunk = half - INWARD * (abs(middle) + half)
    if shrunk <= 0:
        return None
    return LinearMap(middle * np.eye(size) + shrunk * draw_contraction(size, rng))


def _linear_member(known: OperatorClass, centre: Array, rng: np.random.Generator) -> Member:
    """``u = s (y - centre)`` for a real s that the class names, its extremes often."""
    members = known.linear_members()
    low = members.lower if members.lower is not None else -draw_scale(rng)
    high = members.upper if members.upper is not None else max(low, Fraction(0)) + draw_scale(rng)
    weight = Fraction(int(rng.integers(5)), 4)
    if not known.has_values:
        slope = float(low + weight * (high - low))
        slope = at_least(low) if slope < low else -at_least(-high) if slope > high else slope
        return move(LinearMap(slope * np.eye(centre.size)), centre)
    low = max(low, Fraction(0))
    if high < low:
        raise InvalidModelError(f"random_member needs a class that has linear members u = s y with s >= 0, got {known}")
    curvature = low + weight * (high - low)
    return SquaredNorm(curvature, centre) if curvature else Zero()


_BUILDERS: dict[type, tuple[Builder, ...]] = {
    **FUNCTIONS,
    Monotone: (_monotone_linear, _monotone_linear, _subgradient),
    StronglyMonotone: (_monotone_linear, _monotone_linear, build_ridged),
    Cocoercive: (_cocoercive_linear, _cocoercive_linear, _cocoercive_gradient),
    Lipschitz: (_lipschitz_linear, _lipschitz_bent),
    Intersection: (_common,),
    SectorBounded: (_sector_linear, _sector_nonlinearity),
    SlopeRestricted: (_slopes,),
    StaticSector: (_static,),
}
