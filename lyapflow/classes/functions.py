"""Classes of functions: their oracle is a (sub)gradient, and V may contain their value.

`Convex`, `StronglyConvex`, `SmoothConvex`, `SmoothStronglyConvex`, `Quadratic`, `GradientDominated`,
`ConvexIndicator` and `SupportFunction`. Called by users and by `lmi`, which asks for `inequalities`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

from ..errors import InvalidModelError
from ..exact.rationals import rational
from .inequalities import EQUILIBRIUM, Inequality, LinearMembers, build, inner, signal, total

__all__ = [
    "Convex",
    "ConvexIndicator",
    "GradientDominated",
    "Quadratic",
    "SmoothConvex",
    "SmoothStronglyConvex",
    "StronglyConvex",
    "SupportFunction",
]

_THG = "Taylor, Hendrickx, Glineur (2017), Theorem 4"
_KNS = "Karimi, Nutini, Schmidt (2016), Theorem 2"


def check_positive(owner: str, name: str, value: object) -> Fraction:
    """The parameter as a rational, if it is positive."""
    number = rational(value, name=f"{owner}: {name}")
    if number <= 0:
        raise InvalidModelError(f"{owner} needs {name} > 0, got {name}={number}")
    return number


def check_moduli(owner: str, mu: object, L: object) -> tuple[Fraction, Fraction]:
    """Both moduli as rationals, if ``0 < mu <= L``."""
    low, high = rational(mu, name=f"{owner}: mu"), rational(L, name=f"{owner}: L")
    if not 0 < low <= high:
        raise InvalidModelError(f"{owner} needs 0 < mu <= L, got mu={low}, L={high}")
    return low, high


def interpolate(points: Sequence[str], lower: Fraction, upper: Fraction | None) -> tuple[Inequality, ...]:
    r"""Interpolation inequalities of functions with curvature between `lower` and `upper`.

    For each ordered pair of points (i, j), with :math:`y = y_i - y_j` and :math:`u = u_i - u_j`,

    .. math:: f_i - f_j - \langle u_j, y\rangle \ge \tfrac{l}{2}|y|^2 + \tfrac{1}{2(U-l)}|u - l y|^2 .

    They are necessary and sufficient for a finite set of points to belong to a member
    (Taylor, Hendrickx, Glineur 2017, Theorem 4). ``upper=None`` drops the last term; ``lower == upper`` gives the
    pure quadratic, ``u = l y``.
    """
    found: list[Inequality] = []
    for i, j in permutations(points, 2):
        y = total((1, signal("y", i)), (-1, signal("y", j)))
        u = total((1, signal("u", i)), (-1, signal("u", j)))
        quadratic = [inner(y, y, -lower / 2)]
        formula = r"$\varphi_i-\varphi_j-\langle u_j,y_i-y_j\rangle \geq \frac{\mu}{2}|y_i-y_j|^2"
        if upper is not None and upper > lower:
            bent = total((1, u), (-lower, y))
            quadratic.append(inner(bent, bent, Fraction(-1) / (2 * (upper - lower))))
            formula += r"+\frac{1}{2(L-\mu)}|u_i-u_j-\mu(y_i-y_j)|^2"
        base = inner(signal("u", j), y, -1)
        found.append(build(f"interpolation({i},{j})", formula + "$", _THG, [*quadratic, base], [(i, 1), (j, -1)]))
    if upper is not None and upper == lower:
        for i, j in permutations(points, 2):
            if i < j:
                y = total((1, signal("y", i)), (-1, signal("y", j)))
                bent = total((1, signal("u", i)), (-1, signal("u", j)), (-lower, y))
                found.append(build(f"linear({i},{j})", r"$u_i-u_j=\mu(y_i-y_j)$", "mu = L", [inner(bent, bent, -1)]))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Convex:
    """Closed, proper, convex functions, nonsmooth and extended-valued ones included (mu = 0, L = infinity).

    Examples
    --------
    >>> [i.name for i in Convex().inequalities(("t", "*"))]
    ['interpolation(t,*)', 'interpolation(*,t)']
    """

    has_values = True
    is_shift_invariant = True
    is_monotone = True
    is_single_valued = False

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Subgradient inequalities between the points."""
        return interpolate(points, Fraction(0), None)

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

    def describe(self) -> str:
        """The hypothesis in words."""
        return "the indicator function of a nonempty closed convex set"


@dataclass(frozen=True, slots=True)
class SupportFunction(Convex):
    """Support functions of nonempty closed convex sets, norms among them. Inequalities as in `ConvexIndicator`."""

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
    is_shift_invariant = True
    is_monotone = True
    is_single_valued = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "mu", check_positive("StronglyConvex", "mu", self.mu))

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Interpolation inequalities with L = infinity."""
        return interpolate(points, self.mu, None)

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
    is_shift_invariant = True
    is_monotone = True
    is_single_valued = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "L", check_positive("SmoothConvex", "L", self.L))

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Interpolation inequalities with mu = 0."""
        return interpolate(points, Fraction(0), self.L)

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
    is_shift_invariant = True
    is_monotone = True
    is_single_valued = True

    def __post_init__(self) -> None:
        mu, L = check_moduli("SmoothStronglyConvex", self.mu, self.L)
        object.__setattr__(self, "mu", mu)
        object.__setattr__(self, "L", L)

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Interpolation inequalities of F(mu, L)."""
        return interpolate(points, self.mu, self.L)

    def linear_members(self) -> LinearMembers:
        """All ``mu <= s <= L``."""
        return LinearMembers(lower=self.mu, upper=self.L)

    def describe(self) -> str:
        """The hypothesis in words."""
        return f"{self.mu}-strongly convex with a {self.L}-Lipschitz gradient"


@dataclass(frozen=True, slots=True)
class Quadratic:
    """Quadratic functions whose Hessian Q satisfies ``mu I <= Q <= L I``.

    Beside the sector of the gradient, the value is known: ``phi = <u, y> / 2``.

    Parameters
    ----------
    mu, L : rational
        Bounds of the spectrum, ``0 < mu <= L``.
    """

    mu: Fraction
    L: Fraction

    has_values = True
    is_shift_invariant = True
    is_monotone = True
    is_single_valued = True

    def __post_init__(self) -> None:
        mu, L = check_moduli("Quadratic", self.mu, self.L)
        object.__setattr__(self, "mu", mu)
        object.__setattr__(self, "L", L)

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """The sector of differences and, as two inequalities, the value."""
        found: list[Inequality] = []
        for point in points:
            if point == EQUILIBRIUM:
                continue
            y, u = signal("y", point), signal("u", point)
            left, right = total((1, u), (-self.mu, y)), total((self.L, y), (-1, u))
            sector = r"$\langle u-\mu y,\ Ly-u\rangle \geq 0$"
            found.append(build(f"sector({point})", sector, "spectrum of Q", [inner(left, right)]))
            half = [inner(u, y, Fraction(-1, 2))]
            found.append(
                build(
                    f"value-({point})", r"$\varphi \geq \frac{1}{2}\langle u,y\rangle$", "quadratic", half, [(point, 1)]
                )
            )
            half = [inner(u, y, Fraction(1, 2))]
            found.append(
                build(
                    f"value+({point})",
                    r"$\varphi \leq \frac{1}{2}\langle u,y\rangle$",
                    "quadratic",
                    half,
                    [(point, -1)],
                )
            )
        return tuple(found)

    def linear_members(self) -> LinearMembers:
        """All ``mu <= s <= L``."""
        return LinearMembers(lower=self.mu, upper=self.L)

    def describe(self) -> str:
        """The hypothesis in words."""
        return f"quadratic, with the eigenvalues of its Hessian between {self.mu} and {self.L}"


@dataclass(frozen=True, slots=True)
class GradientDominated:
    r"""L-smooth functions, convex or not, with one minimiser and ``|grad f|^2 >= 2 mu (f - f*)`` (Polyak-Lojasiewicz).

    Parameters
    ----------
    mu, L : rational
        Constants of gradient domination and of smoothness, ``0 < mu <= L``.

    Notes
    -----
    Gradient domination implies quadratic growth, :math:`f - f^\star \ge \frac{\mu}{2}|y - y^\star|^2`, where
    :math:`y^\star` is the nearest minimiser (Karimi, Nutini, Schmidt 2016, Theorem 2); a unique minimiser is part of
    the class so that the state norm can be measured from one point.
    """

    mu: Fraction
    L: Fraction

    has_values = True
    is_shift_invariant = False
    is_monotone = False
    is_single_valued = True

    def __post_init__(self) -> None:
        mu, L = check_moduli("GradientDominated", self.mu, self.L)
        object.__setattr__(self, "mu", mu)
        object.__setattr__(self, "L", L)

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Gradient domination, quadratic growth and smoothness, at each point against the minimiser."""
        found: list[Inequality] = []
        for p in points:
            if p == EQUILIBRIUM:
                continue
            y, u = signal("y", p), signal("u", p)
            smooth = "L-smooth, at a minimiser"
            found += [
                build(
                    f"domination({p})",
                    r"$|u|^2 \geq 2\mu\varphi$",
                    "Polyak-Lojasiewicz inequality",
                    [inner(u, u, 1 / (2 * self.mu))],
                    [(p, -1)],
                ),
                build(
                    f"growth({p})", r"$\varphi \geq \frac{\mu}{2}|y|^2$", _KNS, [inner(y, y, -self.mu / 2)], [(p, 1)]
                ),
                build(
                    f"descent({p})",
                    r"$\varphi \geq \frac{1}{2L}|u|^2$",
                    smooth,
                    [inner(u, u, -1 / (2 * self.L))],
                    [(p, 1)],
                ),
                build(f"smooth({p})", r"$\varphi \leq \frac{L}{2}|y|^2$", smooth, [inner(y, y, self.L / 2)], [(p, -1)]),
                build(f"lipschitz({p})", r"$|u|^2 \leq L^2|y|^2$", smooth, [inner(y, y, self.L**2), inner(u, u, -1)]),
            ]
        return tuple(found)

    def linear_members(self) -> LinearMembers:
        """All ``mu <= s <= L``."""
        return LinearMembers(lower=self.mu, upper=self.L)

    def describe(self) -> str:
        """The hypothesis in words."""
        return (
            f"continuously differentiable with a {self.L}-Lipschitz gradient, with exactly one minimiser, and "
            f"gradient-dominated: |grad f|^2 >= 2 ({self.mu}) (f - min f)"
        )
