"""Whether concrete members may stand in for the oracles of a system: which class is contained in which."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..classes import (
    Cocoercive,
    Convex,
    ConvexIndicator,
    GradientDominated,
    Intersection,
    Lipschitz,
    Monotone,
    OperatorClass,
    Quadratic,
    SectorBounded,
    SlopeRestricted,
    SmoothConvex,
    SmoothStronglyConvex,
    StaticSector,
    StronglyConvex,
    StronglyMonotone,
    SupportFunction,
)
from ..dynamics import System
from ..errors import DimensionError, InvalidModelError
from ..members.protocol import Member

__all__ = ["belongs", "check_members", "common_dimension", "contains"]

_NONSMOOTH = Fraction(10) ** 400  # stands for an infinite upper curvature; no modulus that is a float comes near


def contains(declared: OperatorClass, member_class: OperatorClass) -> bool:
    r"""Whether every member of one class is known to be a member of another.

    Parameters
    ----------
    declared : OperatorClass
        The larger class: that of a system's oracle.
    member_class : OperatorClass
        The smaller class: that of a concrete member.

    Returns
    -------
    bool
        True only where the inclusion is a theorem. False means "not known": classes from elsewhere contain only
        themselves.

    Notes
    -----
    The inclusions are those of the moduli; of convex functions in monotone operators; of convex L-smooth functions in
    the :math:`1/L`-cocoercive operators (Baillon, Haddad 1977); of cocoercive and smooth ones in the Lipschitz
    operators; of F(mu, L) in the gradient-dominated functions; and of an intersection in each of its parts.

    Examples
    --------
    >>> contains(SmoothStronglyConvex(1, 10), Quadratic(2, 5))
    True
    >>> contains(Quadratic(1, 10), SmoothStronglyConvex(2, 5))
    False
    """
    if declared == member_class:
        return True
    if isinstance(declared, Intersection):
        return all(contains(part, member_class) for part in declared.parts)
    if isinstance(member_class, Intersection):
        return any(contains(declared, part) for part in member_class.parts)
    bounds = _curvature(member_class)
    match declared:
        case ConvexIndicator() | SupportFunction():
            return False
        case Convex():
            return bounds is not None and bounds[0] >= 0
        case StronglyConvex(mu=mu):
            return bounds is not None and bounds[0] >= mu
        case SmoothConvex(L=L):
            return _inside(bounds, Fraction(0), L)
        case SmoothStronglyConvex(mu=mu, L=L):
            return _inside(bounds, mu, L)
        case Quadratic(mu=mu, L=L):
            return _is_affine(member_class) and _inside(bounds, mu, L)
        case GradientDominated(mu=mu, L=L):
            return _contains_gradient_dominated(mu, L, member_class, bounds)
        case SlopeRestricted(lower=lower, upper=upper):
            by_entry = isinstance(member_class, SlopeRestricted) or (bounds is not None and bounds[0] == bounds[1])
            return by_entry and _inside(bounds, lower, upper)
        case SectorBounded(lower=lower, upper=upper):
            return isinstance(member_class, SectorBounded | StaticSector) and _inside(
                (member_class.lower, member_class.upper), lower, upper
            )
        case StaticSector(lower=lower, upper=upper):
            return isinstance(member_class, StaticSector) and _inside(
                (member_class.lower, member_class.upper), lower, upper
            )
    return _contains_operator(declared, member_class, bounds)


def _contains_operator(
    declared: OperatorClass, member_class: OperatorClass, bounds: tuple[Fraction, Fraction] | None
) -> bool:
    match declared:
        case Monotone():
            return _modulus(member_class, bounds) is not None
        case StronglyMonotone(mu=mu):
            modulus = _modulus(member_class, bounds)
            return modulus is not None and modulus >= mu
        case Cocoercive(beta=beta):
            if isinstance(member_class, Cocoercive):
                return member_class.beta >= beta
            return _inside(bounds, Fraction(0), 1 / beta)
        case Lipschitz(L=L):
            if isinstance(member_class, Cocoercive):
                return 1 / member_class.beta <= L
            if isinstance(member_class, Lipschitz | GradientDominated):
                return member_class.L <= L
            return _inside(bounds, -L, L)
    return False


def _contains_gradient_dominated(
    mu: Fraction, L: Fraction, member_class: OperatorClass, bounds: tuple[Fraction, Fraction] | None
) -> bool:
    if isinstance(member_class, GradientDominated):
        return member_class.mu >= mu and member_class.L <= L
    return _inside(bounds, mu, L)


def _inside(bounds: tuple[Fraction, Fraction] | None, lower: Fraction, upper: Fraction) -> bool:
    return bounds is not None and lower <= bounds[0] and bounds[1] <= upper


def _curvature(known: OperatorClass) -> tuple[Fraction, Fraction] | None:
    """Least and largest curvature of a class of functions; None for a class that is not described by them."""
    match known:
        case Quadratic(mu=mu, L=L) | SmoothStronglyConvex(mu=mu, L=L):
            return mu, L
        case SmoothConvex(L=L):
            return Fraction(0), L
        case StronglyConvex(mu=mu):
            return mu, _NONSMOOTH
        case Convex():
            return Fraction(0), _NONSMOOTH
        case SlopeRestricted(lower=lower, upper=upper):
            return lower, upper
    return None


def _is_affine(known: OperatorClass) -> bool:
    """Whether each member is quadratic: by its class, or because its curvature is constant."""
    match known:
        case Quadratic():
            return True
        case SmoothStronglyConvex(mu=mu, L=L):
            return mu == L
    return False


def _modulus(known: OperatorClass, bounds: tuple[Fraction, Fraction] | None) -> Fraction | None:
    """Modulus of monotonicity; None where the class is not known to be maximally monotone."""
    if bounds is not None:
        return bounds[0] if bounds[0] >= 0 else None
    match known:
        case StronglyMonotone(mu=mu):
            return mu
        case Monotone() | Cocoercive():
            return Fraction(0)
    return None


def check_members(system: System, members: Sequence[Member]) -> tuple[Member, ...]:
    """The members, if there is one per oracle, each belongs to its class, and oracles of one group share theirs.

    Raises
    ------
    DimensionError
        If there are more members than oracles, or fewer.
    InvalidModelError
        If one is no member, does not belong, or should be the same object as another.
    """
    if isinstance(members, Member) or not isinstance(members, Sequence):
        raise InvalidModelError(f"members must be a sequence of members, got {members!r}. Pass [{members!r}].")
    if len(members) != len(system.oracles):
        raise DimensionError(
            f"members must hold one member per oracle ({', '.join(system.oracle_names)}), got {len(members)}"
        )
    for name, declared, member in zip(system.oracle_names, system.oracles, members, strict=True):
        if isinstance(member, type) or not isinstance(member, Member):
            raise InvalidModelError(f"the member for oracle {name} must be one such as SquaredNorm(1), got {member!r}")
        if not belongs(declared, member):
            raise InvalidModelError(
                f"the member for oracle {name} must belong to {declared!r}, and its class {member.operator_class!r} is "
                "not known to be contained in it. If it does belong, say so with Declared(member, operator_class)."
            )
    _check_shared(system, members)
    return tuple(members)


def _check_shared(system: System, members: Sequence[Member]) -> None:
    for j, group in enumerate(system.groups):
        first = system.groups.index(group)
        if members[j] is not members[first]:
            raise InvalidModelError(
                f"oracles {system.oracle_names[first]} and {system.oracle_names[j]} evaluate one operator, so members "
                f"must hold the same object for both, got {members[first]!r} and {members[j]!r}"
            )


def belongs(declared: OperatorClass, member: Member) -> bool:
    """Whether a member is known to belong to a class: by its own class, or because it can decide that itself."""
    if isinstance(declared, Intersection):
        return contains(declared, member.operator_class) or all(belongs(part, member) for part in declared.parts)
    decide = getattr(member, "belongs_to", None)
    return contains(declared, member.operator_class) or (callable(decide) and bool(decide(declared)))


def common_dimension(system: System, members: tuple[Member, ...]) -> int | None:
    """The dimension of the members that have one, None if none has; it must be the same."""
    found = {m.dimension: name for name, m in zip(system.oracle_names, members, strict=True) if m.dimension is not None}
    if len(found) > 1:
        given = ", ".join(f"{name}: {d}" for d, name in found.items())
        raise DimensionError(f"members must have one dimension, got {given}")
    return next(iter(found), None)
