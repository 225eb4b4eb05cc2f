"""Classes of operators that need not be gradients: `Monotone`, `StronglyMonotone`, `Cocoercive` and `Lipschitz`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from .inequalities import ANY, Inequality, LinearMembers, Products, Signal, build, inner, signal, total
from .interpolation import check_positive

__all__ = ["Cocoercive", "Lipschitz", "Monotone", "StronglyMonotone"]


def _differences(points: Sequence[str]) -> list[tuple[str, Signal, Signal]]:
    """For each pair of points: its label, the difference of inputs and the difference of outputs."""
    return [
        (
            f"({i},{j})",
            total((1, signal("y", i)), (-1, signal("y", j))),
            total((1, signal("u", i)), (-1, signal("u", j))),
        )
        for i, j in combinations(points, 2)
    ]


def _incremental(
    name: str, formula: str, points: Sequence[str], weights: tuple[Fraction, Fraction, Fraction]
) -> tuple[Inequality, ...]:
    """``a <u, y> + b |y|^2 + c |u|^2 >= 0`` for all differences."""
    a, b, c = weights
    found: list[Inequality] = []
    for label, y, u in _differences(points):
        products: list[Products] = [inner(u, y, a), inner(y, y, b), inner(u, u, c)]
        found.append(build(name + label, formula, f"definition of {name}", products))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Monotone:
    """Maximally monotone operators: ``<u_i - u_j, y_i - y_j> >= 0``. Use them through their resolvent."""

    has_values = False
    equilibria = ANY
    is_monotone = True
    is_single_valued = False

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Monotonicity between the points."""
        formula = r"$\langle u,\ y\rangle \geq 0$"
        return _incremental("monotone", formula, points, (Fraction(1), Fraction(0), Fraction(0)))

    def linear_members(self) -> LinearMembers:
        """All complex s with nonnegative real part."""
        return LinearMembers(lower=Fraction(0), upper=None, rotations="half-plane")

    def describe(self) -> str:
        """The hypothesis in words."""
        return "maximally monotone"


@dataclass(frozen=True, slots=True)
class StronglyMonotone:
    """Maximally monotone operators with ``<u_i - u_j, y_i - y_j> >= mu |y_i - y_j|^2``.

    Parameters
    ----------
    mu : rational
        Modulus, > 0.
    """

    mu: Fraction

    has_values = False
    equilibria = ANY
    is_monotone = True
    is_single_valued = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "mu", check_positive("StronglyMonotone", "mu", self.mu))

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Strong monotonicity between the points."""
        formula = r"$\langle u,\ y\rangle \geq \mu|y|^2$"
        return _incremental("strongly-monotone", formula, points, (Fraction(1), -self.mu, Fraction(0)))

    def linear_members(self) -> LinearMembers:
        """All complex s with real part at least mu."""
        return LinearMembers(lower=self.mu, upper=None, rotations="half-plane")

    def describe(self) -> str:
        """The hypothesis in words."""
        return f"maximally monotone and {self.mu}-strongly monotone"


@dataclass(frozen=True, slots=True)
class Cocoercive:
    """Operators with ``<u_i - u_j, y_i - y_j> >= beta |u_i - u_j|^2``.

    Parameters
    ----------
    beta : rational
        Modulus of cocoercivity, > 0; such an operator is 1/beta-Lipschitz.
    """

    beta: Fraction

    has_values = False
    equilibria = ANY
    is_monotone = True
    is_single_valued = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", check_positive("Cocoercive", "beta", self.beta))

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Cocoercivity between the points."""
        formula = r"$\langle u,\ y\rangle \geq \beta|u|^2$"
        return _incremental("cocoercive", formula, points, (Fraction(1), Fraction(0), -self.beta))

    def linear_members(self) -> LinearMembers:
        """The disk with diameter ``[0, 1/beta]``."""
        return LinearMembers(lower=Fraction(0), upper=1 / self.beta, rotations="disk")

    def describe(self) -> str:
        """The hypothesis in words."""
        return f"{self.beta}-cocoercive"


@dataclass(frozen=True, slots=True)
class Lipschitz:
    """Operators with ``|u_i - u_j| <= L |y_i - y_j|``, monotone or not.

    Parameters
    ----------
    L : rational
        Lipschitz constant, > 0.
    """

    L: Fraction

    has_values = False
    equilibria = ANY
    is_monotone = False
    is_single_valued = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "L", check_positive("Lipschitz", "L", self.L))

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """The Lipschitz condition between the points."""
        return _incremental("lipschitz", r"$|u|^2 \leq L^2|y|^2$", points, (Fraction(0), self.L**2, Fraction(-1)))

    def linear_members(self) -> LinearMembers:
        """The disk of radius L around 0."""
        return LinearMembers(lower=-self.L, upper=self.L, rotations="disk")

    def describe(self) -> str:
        """The hypothesis in words."""
        return f"{self.L}-Lipschitz continuous"
