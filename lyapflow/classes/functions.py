"""Classes of convex functions by their curvature: their oracle is a (sub)gradient, and V may contain their value.

`Convex`, `StronglyConvex`, `SmoothConvex`, `SmoothStronglyConvex`, `ConvexIndicator` and `SupportFunction`. Called by
users and by `lmi`, which asks for `inequalities`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from .inequalities import ANY, Inequality, LinearMembers
from .interpolation import check_moduli, check_positive, interpolate

__all__ = [
    "Convex",
    "ConvexIndicator",
    "SmoothConvex",
    "SmoothStronglyConvex",
    "StronglyConvex",
    "SupportFunction",
]


@dataclass(frozen=True, slots=True)
class Convex:
    """Closed, proper, convex functions, nonsmooth and extended-valued ones included (mu = 0, L = infinity).

    Examples
    --------
    >>> [i.name for i in Convex().inequalities(("t", "*"))]
    ['interpolation(t,*)', 'interpolation(*,t)']
    """

    has_values = True
    equilibria = ANY
    is_monotone = True
    is_single_valued = False

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Subgradient inequalities between the points."""
        return interpolate(tuple(points), Fraction(0), None)

    def linear_members(self) -> LinearMembers:
        """All ``s >= 0``."""
        return LinearMembers(lower=Fraction(0), upper=None)

    def describe(self) -> str:
        """The hypothesis in words."""
        return "closed, proper and convex"


@dataclass(frozen=True, slots=True)
class ConvexIndicator(Convex):
    """Indicator functions of nonempty closed convex sets; their prox is the projection.

    The inequalities are those of `Convex`: measured from an equilibrium at which the normal vector is not zero,
    "the value is zero" is not an inequality between deviations.
    """

    def linear_members(self) -> LinearMembers:
        """Only ``s = 0``, the whole space."""
        return LinearMembers(lower=Fraction(0), upper=Fraction(0))

    def describe(self) -> str:
        """The hypothesis in words."""
        return "the indicator function of a nonempty closed convex set"


@dataclass(frozen=True, slots=True)
class SupportFunction(Convex):
    """Support functions of nonempty closed convex sets, norms among them. Inequalities as in `ConvexIndicator`."""

    def linear_members(self) -> LinearMembers:
        """Only ``s = 0``, the zero function."""
        return LinearMembers(lower=Fraction(0), upper=Fraction(0))

    def describe(self) -> str:
        """The hypothesis in words."""
        return "the support function of a nonempty closed convex set"


@dataclass(frozen=True, slots=True)
class StronglyConvex:
    """mu-strongly convex functions, smooth or not (L = infinity).

    Parameters
    ----------
    mu : rational
        Modulus of strong convexity, > 0.

    Raises
    ------
    InvalidModelError
        If `mu` is not positive.
    """

    mu: Fraction

    has_values = True
    equilibria = ANY
    is_monotone = True
    is_single_valued = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "mu", check_positive("StronglyConvex", "mu", self.mu))

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Interpolation inequalities with L = infinity."""
        return interpolate(tuple(points), self.mu, None)

    def linear_members(self) -> LinearMembers:
        """All ``s >= mu``."""
        return LinearMembers(lower=self.mu, upper=None)

    def describe(self) -> str:
        """The hypothesis in words."""
        return f"closed, proper and {self.mu}-strongly convex"


@dataclass(frozen=True, slots=True)
class SmoothConvex:
    """Convex functions with L-Lipschitz gradient.

    Parameters
    ----------
    L : rational
        Smoothness constant, > 0.

    Raises
    ------
    InvalidModelError
        If `L` is not positive.
    """

    L: Fraction

    has_values = True
    equilibria = ANY
    is_monotone = True
    is_single_valued = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "L", check_positive("SmoothConvex", "L", self.L))

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Interpolation inequalities with mu = 0."""
        return interpolate(tuple(points), Fraction(0), self.L)

    def linear_members(self) -> LinearMembers:
        """All ``0 <= s <= L``."""
        return LinearMembers(lower=Fraction(0), upper=self.L)

    def describe(self) -> str:
        """The hypothesis in words."""
        return f"convex with a {self.L}-Lipschitz gradient"


@dataclass(frozen=True, slots=True)
class SmoothStronglyConvex:
    """mu-strongly convex functions with L-Lipschitz gradient, the class F(mu, L).

    Parameters
    ----------
    mu, L : rational
        Moduli, ``0 < mu <= L``; condition number ``kappa = L / mu``.

    Raises
    ------
    InvalidModelError
        If ``0 < mu <= L`` does not hold.

    Examples
    --------
    >>> SmoothStronglyConvex(mu=1, L=10).describe()
    '1-strongly convex with a 10-Lipschitz gradient'
    """

    mu: Fraction
    L: Fraction

    has_values = True
    equilibria = ANY
    is_monotone = True
    is_single_valued = True

    def __post_init__(self) -> None:
        mu, L = check_moduli("SmoothStronglyConvex", self.mu, self.L)
        object.__setattr__(self, "mu", mu)
        object.__setattr__(self, "L", L)

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Interpolation inequalities of F(mu, L)."""
        return interpolate(tuple(points), self.mu, self.L)

    def linear_members(self) -> LinearMembers:
        """All ``mu <= s <= L``."""
        return LinearMembers(lower=self.mu, upper=self.L)

    def describe(self) -> str:
        """The hypothesis in words."""
        return f"{self.mu}-strongly convex with a {self.L}-Lipschitz gradient"
