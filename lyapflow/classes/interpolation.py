"""Inequalities that characterise functions by their curvature, and the checks that their parameters share."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations

from ..errors import InvalidModelError
from ..exact.rationals import rational
from .inequalities import Inequality, build, inner, signal, total

__all__ = ["check_moduli", "check_positive", "interpolate"]

_THG = "Taylor, Hendrickx, Glineur (2017), Theorem 4"


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
