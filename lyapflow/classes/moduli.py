"""Classes as functions of their moduli: for families in which these vary with a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction

from ..errors import InvalidModelError
from .functions import Convex, ConvexIndicator, SmoothConvex, SmoothStronglyConvex, StronglyConvex, SupportFunction
from .inequalities import OperatorClass
from .operators import Cocoercive, Lipschitz, Monotone, StronglyMonotone
from .sectors import SectorBounded, SlopeRestricted, StaticSector
from .special import GradientDominated, Quadratic

__all__ = [
    "DIVISOR_DEGREE",
    "LOWER_BOUNDS",
    "PLAIN_CLASSES",
    "PRODUCT_DEGREE",
    "is_known",
    "list_signed",
    "name_moduli",
    "read_divisor",
    "read_moduli",
    "replace_moduli",
]

PRODUCT_DEGREE, DIVISOR_DEGREE = 2, 2
"""In the inequalities of a class a coefficient is a polynomial in its moduli of a degree up to the first number, over
`read_divisor`, which is one of a degree up to the second."""

PLAIN_CLASSES: tuple[type, ...] = (
    Cocoercive,
    Convex,
    ConvexIndicator,
    GradientDominated,
    Lipschitz,
    Monotone,
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
"""Classes of lyapflow that are given by their moduli: all but intersections. Each grows as its `LOWER_BOUNDS` fall and
its other moduli rise."""

LOWER_BOUNDS = frozenset({"mu", "lower", "beta"})
"""Moduli that make a class smaller as they grow."""

_PAIRS = {
    SmoothStronglyConvex: ("mu", "L"),
    Quadratic: ("mu", "L"),
    GradientDominated: ("mu", "L"),
    SectorBounded: ("lower", "upper"),
    SlopeRestricted: ("lower", "upper"),
    StaticSector: ("lower", "upper"),
}


def is_known(oracle: OperatorClass) -> bool:
    """Whether it is known how the inequalities of a class depend on its moduli."""
    return type(oracle) in PLAIN_CLASSES


def name_moduli(oracle: OperatorClass) -> tuple[str, ...]:
    """Names of the moduli of a class, in the order of its fields.

    >>> name_moduli(SmoothStronglyConvex(1, 10))
    ('mu', 'L')
    """
    return tuple(f.name for f in fields(oracle))  # type: ignore[arg-type]


def read_moduli(oracle: OperatorClass) -> tuple[Fraction, ...]:
    """The numbers of a class, in the order of its fields.

    Raises
    ------
    InvalidModelError
        If it is not known how its inequalities depend on them.

    Examples
    --------
    >>> read_moduli(SmoothStronglyConvex(1, 10))
    (Fraction(1, 1), Fraction(10, 1))
    """
    if not is_known(oracle):
        raise InvalidModelError(
            f"how the inequalities of {oracle!r} depend on a parameter is not known. Use one of lyapflow's classes, no "
            "intersection."
        )
    return tuple(getattr(oracle, name) for name in name_moduli(oracle))


def replace_moduli(oracle: OperatorClass, numbers: Sequence[Fraction]) -> OperatorClass:
    """The class of the same kind with other numbers."""
    return type(oracle)(**dict(zip(name_moduli(oracle), numbers, strict=True)))


def list_signed(oracle: OperatorClass) -> tuple[Fraction, ...]:
    """Numbers whose signs decide whether the moduli are valid, and of which structure the inequalities are."""
    numbers = read_moduli(oracle)
    if type(oracle) not in _PAIRS:
        return numbers
    lower, upper = numbers
    return lower, upper, upper - lower


def read_divisor(oracle: OperatorClass) -> Fraction:
    """What the coefficients of the inequalities of a class are divided by."""
    match oracle:
        case SmoothStronglyConvex(mu=mu, L=L):
            return L - mu
        case SlopeRestricted(lower=lower, upper=upper):
            return upper - lower
        case SmoothConvex(L=L):
            return L
        case GradientDominated(mu=mu, L=L):
            return mu * L
    return Fraction(1)
