"""Classes of sector nonlinearities of control theory: `SectorBounded`, `StaticSector` and `SlopeRestricted`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..errors import InvalidModelError
from ..exact.rationals import rational
from .inequalities import ANY, EQUILIBRIUM, ORIGIN, Inequality, LinearMembers, build, inner, sector, signal
from .interpolation import interpolate

__all__ = ["SectorBounded", "SlopeRestricted", "StaticSector"]

MAY_VARY = "; it may vary with time"
"""What the hypothesis of a sector adds where nothing makes its members static."""


@dataclass(frozen=True, slots=True)
class SectorBounded:
    """Nonlinearities, time-varying ones included, in a sector: ``<u - lower y, upper y - u> >= 0``.

    Parameters
    ----------
    lower, upper : rational
        Slopes of the sector, ``lower < upper``.

    Notes
    -----
    The sector is measured from the origin, so at the equilibrium the input and output must be zero. Nothing more is
    assumed (no slope, no time invariance): proofs with this class are those of the circle criterion.
    """

    lower: Fraction
    upper: Fraction

    has_values = False
    equilibria = ORIGIN
    is_monotone = False
    is_single_valued = True

    def __post_init__(self) -> None:
        _check_slopes(self, "SectorBounded")

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """The sector at each point (not between points)."""
        return tuple(
            sector(f"sector({p})", "definition of the sector", signal("y", p), signal("u", p), self.lower, self.upper)
            for p in points
            if p != EQUILIBRIUM
        )

    def linear_members(self) -> LinearMembers:
        """The disk with diameter ``[lower, upper]``."""
        return LinearMembers(lower=self.lower, upper=self.upper, rotations="disk")

    def describe(self) -> str:
        """The hypothesis in words."""
        return f"in the sector [{self.lower}, {self.upper}], measured from y = 0{MAY_VARY}"


@dataclass(frozen=True, slots=True)
class StaticSector:
    r"""Static scalar nonlinearities (applied entry by entry), continuous, in a sector: the class of Popov's criterion.

    Each is the gradient of its integral :math:`\varphi = \sum_i\int_0^{y_i} u(s)\,ds`, which lies between
    :math:`\tfrac\ell2|y|^2` and :math:`\tfrac{\bar u}2|y|^2`, so V may contain it (Lur'e-Postnikov term). Nothing is
    assumed of the slope; where it is bounded, `SlopeRestricted` says more.

    Parameters
    ----------
    lower, upper : rational
        Slopes of the sector, ``lower < upper``.

    Notes
    -----
    The sector is measured from the origin, so at the equilibrium the input and output must be zero. Against
    `SectorBounded`, whose members may vary with time and couple entries, this class is smaller, and proofs with it are
    those of Popov's criterion (V. M. Popov, Absolute stability of nonlinear systems of automatic control, 1961).

    Examples
    --------
    >>> [i.name for i in StaticSector(0, 1).inequalities(("t", "*"))]
    ['sector(t)', 'integral-above(t)', 'integral-below(t)']
    """

    lower: Fraction
    upper: Fraction

    has_values = True
    equilibria = ORIGIN
    is_monotone = False
    is_single_valued = True

    def __post_init__(self) -> None:
        _check_slopes(self, "StaticSector")

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """The sector and the bounds of the integral at each point (not between points)."""
        source = "integral of the sector"
        found: list[Inequality] = []
        for p in points:
            if p == EQUILIBRIUM:
                continue
            y, u = signal("y", p), signal("u", p)
            low, high = inner(y, y, -self.lower / 2), inner(y, y, self.upper / 2)
            found += [
                sector(f"sector({p})", "definition of the sector", y, u, self.lower, self.upper),
                build(f"integral-above({p})", r"$\varphi \geq \frac{\ell}{2}|y|^2$", source, [low], [(p, 1)]),
                build(f"integral-below({p})", r"$\varphi \leq \frac{\bar{u}}{2}|y|^2$", source, [high], [(p, -1)]),
            ]
        return tuple(found)

    def linear_members(self) -> LinearMembers:
        """All ``lower <= s <= upper``."""
        return LinearMembers(lower=self.lower, upper=self.upper)

    def describe(self) -> str:
        """The hypothesis in words."""
        return (
            "a continuous static nonlinearity, applied entry by entry, in the sector "
            f"[{self.lower}, {self.upper}], measured from y = 0"
        )


@dataclass(frozen=True, slots=True)
class SlopeRestricted:
    """Static scalar nonlinearities (applied entry by entry) with slopes in ``[lower, upper]``.

    Each is the gradient of its integral, so V may contain that integral (Lur'e-Postnikov term).

    Parameters
    ----------
    lower, upper : rational
        Smallest and largest slope, ``lower < upper``.
    """

    lower: Fraction
    upper: Fraction

    has_values = True
    equilibria = ANY
    is_single_valued = True

    def __post_init__(self) -> None:
        _check_slopes(self, "SlopeRestricted")

    @property
    def is_monotone(self) -> bool:
        """Monotone iff the smallest slope is not negative."""
        return self.lower >= 0

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Interpolation inequalities of the integral, with curvature in ``[lower, upper]``."""
        return interpolate(tuple(points), self.lower, self.upper)

    def linear_members(self) -> LinearMembers:
        """All ``lower <= s <= upper``."""
        return LinearMembers(lower=self.lower, upper=self.upper)

    def describe(self) -> str:
        """The hypothesis in words."""
        return f"a static nonlinearity, entry by entry, with slopes between {self.lower} and {self.upper}"


def _check_slopes(owner: SectorBounded | StaticSector | SlopeRestricted, name: str) -> None:
    lower, upper = rational(owner.lower, name=f"{name}: lower"), rational(owner.upper, name=f"{name}: upper")
    if not lower < upper:
        raise InvalidModelError(f"{name} needs lower < upper, got lower={lower}, upper={upper}")
    object.__setattr__(owner, "lower", lower)
    object.__setattr__(owner, "upper", upper)
