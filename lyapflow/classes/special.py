"""Classes of functions with more, or less, than convexity: `Quadratic` and `GradientDominated`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from ..errors import InvalidModelError
from ..exact.rationals import rational
from .inequalities import (
    ANY,
    EQUILIBRIUM,
    ZERO_OUTPUT,
    Inequality,
    LinearMembers,
    Signal,
    build,
    inner,
    signal,
    total,
)
from .interpolation import check_moduli

__all__ = ["GradientDominated", "Quadratic"]

_KNS = "Karimi, Nutini, Schmidt (2016), Theorem 2"


@dataclass(frozen=True, slots=True)
class Quadratic:
    """Convex quadratic functions whose Hessian Q satisfies ``mu I <= Q <= L I``.

    Beside the sector of the gradient, the value is known: ``phi = <u, y> / 2``.

    Parameters
    ----------
    mu, L : rational
        Bounds of the spectrum, ``0 <= mu <= L`` and ``L > 0``.
    """

    mu: Fraction
    L: Fraction

    has_values = True
    equilibria = ANY
    is_monotone = True
    is_single_valued = True

    def __post_init__(self) -> None:
        mu, L = rational(self.mu, name="Quadratic: mu"), rational(self.L, name="Quadratic: L")
        if not 0 <= mu <= L or not L:
            raise InvalidModelError(f"Quadratic needs 0 <= mu <= L and L > 0, got mu={mu}, L={L}")
        object.__setattr__(self, "mu", mu)
        object.__setattr__(self, "L", L)

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """The sector and, as two inequalities each, the value and the symmetry of Q."""
        found: list[Inequality] = []
        moving = [point for point in points if point != EQUILIBRIUM]
        for point in moving:
            y, u = signal("y", point), signal("u", point)
            found.append(self._sector(f"sector({point})", y, u))
            for sign, relation in ((1, r"\geq"), (-1, r"\leq")):
                name = f"value{'-' if sign > 0 else '+'}({point})"
                formula = rf"$\varphi {relation} \frac{{1}}{{2}}\langle u,y\rangle$"
                half = [inner(u, y, Fraction(-sign, 2))]
                found.append(build(name, formula, "quadratic", half, [(point, sign)]))
        for i, j in combinations(moving, 2):
            (y, u), (z, v) = ((signal("y", p), signal("u", p)) for p in (i, j))
            found.append(self._sector(f"sector({i},{j})", total((1, y), (-1, z)), total((1, u), (-1, v))))
            for sign, relation in ((1, r"\geq"), (-1, r"\leq")):
                name = f"symmetry{'-' if sign > 0 else '+'}({i},{j})"
                formula = rf"$\langle u_i,y_j\rangle {relation} \langle u_j,y_i\rangle$"
                found.append(build(name, formula, "symmetry of Q", [inner(u, z, sign), inner(v, y, -sign)]))
        return tuple(found)

    def _sector(self, name: str, y: Signal, u: Signal) -> Inequality:
        formula = r"$\langle u-\mu y,\ Ly-u\rangle \geq 0$"
        left, right = total((1, u), (-self.mu, y)), total((self.L, y), (-1, u))
        return build(name, formula, "spectrum of Q", [inner(left, right)])

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
    equilibria = ZERO_OUTPUT
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
