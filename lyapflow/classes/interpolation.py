"""Inequalities that characterise functions by their curvature, and the checks that their parameters share."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import permutations
from typing import TypeAlias

from ..errors import InvalidModelError
from ..exact.rationals import rational
from .inequalities import EQUILIBRIUM, Inequality, build, inner, signal, total

__all__ = ["check_moduli", "check_positive", "interpolate"]

_ONE, _MINUS = Fraction(1), Fraction(-1)
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


_PRODUCTS = ("yiyi", "yiyj", "yjyj", "uiui", "uiuj", "ujuj", "uiyi", "uiyj", "ujyi", "ujyj")
"""Inner products of the inequality between points i and j."""

_Place: TypeAlias = tuple[tuple[tuple[str, str], tuple[str, str]], int]
_Layout: TypeAlias = tuple[str, tuple[tuple[str, Fraction], ...], tuple[_Place, ...]]


@lru_cache(maxsize=256)
def _lay_out(points: tuple[str, ...]) -> tuple[_Layout, ...]:
    """What the inequalities of all moduli share: names, values, and in order which product stands where."""
    found = []
    for i, j in permutations(points, 2):
        at = {"i": i, "j": j}
        pairs = [((p[0], at[p[1]]), (p[2], at[p[3]])) for p in _PRODUCTS]
        places = sorted(
            (((s, t) if s <= t else (t, s)), k) for k, (s, t) in enumerate(pairs) if EQUILIBRIUM not in (s[1], t[1])
        )
        values = tuple((point, weight) for point, weight in ((i, _ONE), (j, _MINUS)) if point != EQUILIBRIUM)
        found.append((f"interpolation({i},{j})", values, tuple(places)))
    return tuple(found)


@lru_cache(maxsize=256)  # one claim asks several times
def interpolate(points: tuple[str, ...], lower: Fraction, upper: Fraction | None) -> tuple[Inequality, ...]:
    r"""Interpolation inequalities of functions with curvature between `lower` and `upper`.

    For each ordered pair of points (i, j), with :math:`y = y_i - y_j` and :math:`u = u_i - u_j`,

    .. math:: f_i - f_j - \langle u_j, y\rangle \ge \tfrac{l}{2}|y|^2 + \tfrac{1}{2(U-l)}|u - l y|^2 .

    They are necessary and sufficient for a finite set of points to belong to a member
    (Taylor, Hendrickx, Glineur 2017, Theorem 4). ``upper=None`` drops the last term; ``lower == upper`` gives the
    pure quadratic, ``u = l y``.
    """
    formula = r"$\varphi_i-\varphi_j-\langle u_j,y_i-y_j\rangle \geq \frac{\mu}{2}|y_i-y_j|^2"
    yy, yu, uu = -lower / 2, Fraction(0), Fraction(0)
    if upper is not None and upper > lower:
        formula += r"+\frac{1}{2(L-\mu)}|u_i-u_j-\mu(y_i-y_j)|^2"
        uu = Fraction(-1) / (2 * (upper - lower))
        yu, yy = -2 * lower * uu, yy + lower * lower * uu
    # yy |y|^2 + yu <y, u> + uu |u|^2 - <u_j, y_i - y_j>, multiplied out in the order of _PRODUCTS
    numbers = (yy, -2 * yy, yy, uu, -2 * uu, uu, yu, -yu, -yu - 1, yu + 1)
    found = [
        Inequality(
            name=name,
            formula=formula + "$",
            source=_THG,
            values=values,
            products=tuple((key, numbers[k]) for key, k in places if numbers[k]),
        )
        for name, values, places in _lay_out(points)
    ]
    if upper is not None and upper == lower:
        for i, j in permutations(points, 2):
            if i < j:
                y = total((1, signal("y", i)), (-1, signal("y", j)))
                bent = total((1, signal("u", i)), (-1, signal("u", j)), (-lower, y))
                found.append(build(f"linear({i},{j})", r"$u_i-u_j=\mu(y_i-y_j)$", "mu = L", [inner(bent, bent, -1)]))
    return tuple(found)
