"""What a class says: inequalities between evaluation points, linear in values and quadratic in signals.

Signals are deviations from an equilibrium. At a point p an oracle has an input ``y(p)``, an output ``u(p)`` and, if
it is a gradient, a value ``phi(p) = f(y) - f* - <u*, y - y*>``; at the equilibrium ``"*"`` all three are zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, TypeAlias, runtime_checkable

from ..errors import InvalidModelError
from ..exact.rationals import rational

__all__ = [
    "ANY",
    "EQUILIBRIUM",
    "ORIGIN",
    "ZERO_OUTPUT",
    "Inequality",
    "LinearMembers",
    "OperatorClass",
    "Signal",
    "inner",
    "read_inequalities",
    "sector",
    "signal",
    "total",
]

EQUILIBRIUM = "*"
_ZERO = Fraction(0)
ANY, ZERO_OUTPUT, ORIGIN = "any", "zero output", "origin"
"""Around which equilibria the inequalities of a class hold; a theorem assumes as much of its equilibrium."""

Signal: TypeAlias = Mapping[tuple[str, str], Fraction]
"""Linear combination of base signals ``("y" | "u", point)``."""

Products: TypeAlias = dict[tuple[tuple[str, str], tuple[str, str]], Fraction]
"""Sum of inner products of base signals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inequality:
    r"""One inequality that every member of a class satisfies.

    .. math:: \sum_p a_p\,\varphi(p) + \sum c_{st}\,\langle s, t\rangle \ge 0

    Attributes
    ----------
    name : str
        Short name; multipliers are stored under it.
    formula : str
        The inequality as mathtext, for reports.
    source : str
        Where it comes from.
    values : tuple of (point, coefficient)
        Coefficients of the values.
    products : tuple of ((signal, signal), coefficient)
        Coefficients of the inner products.
    """

    name: str
    formula: str
    source: str
    values: tuple[tuple[str, Fraction], ...]
    products: tuple[tuple[tuple[tuple[str, str], tuple[str, str]], Fraction], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearMembers:
    """The linear maps ``u = s y`` inside a class, for numbers s; evidence against too large claims.

    Attributes
    ----------
    lower, upper : Fraction or None
        Real s with ``lower <= s <= upper`` are members; None is no bound.
    rotations : "none", "half-plane", "disk" or "half-disk"
        Whether complex s are members too (on R^2, a scaled rotation): all with real part at least `lower`; the
        disk that has ``[lower, upper]`` as its diameter; or all with real part at least `lower` and modulus at most
        `upper`.
    """

    lower: Fraction | None
    upper: Fraction | None
    rotations: str = "none"


@runtime_checkable
class OperatorClass(Protocol):
    """What the other floors need to know of a set of operators.

    Any frozen dataclass of rationals with these members can be used as an oracle's class.
    """

    @property
    def has_values(self) -> bool:
        """Whether the operator is a (sub)gradient, so that V may contain its function value."""

    @property
    def is_monotone(self) -> bool:
        """Whether every member is maximally monotone, so that its prox (resolvent) step is single valued."""

    @property
    def is_single_valued(self) -> bool:
        """Whether every member is a function, so that it can be evaluated explicitly."""

    @property
    def equilibria(self) -> str:
        """Around which equilibria the inequalities hold: `ANY`, `ZERO_OUTPUT` (u* = 0) or `ORIGIN` (y* = u* = 0)."""

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Inequalities that hold between the given points, the equilibrium ``"*"`` among them."""

    def linear_members(self) -> LinearMembers:
        """The linear maps ``u = s y`` in the class."""

    def describe(self) -> str:
        """The hypothesis in words, as it is printed in a theorem."""


def read_inequalities(oracle: OperatorClass, points: Sequence[str]) -> tuple[Inequality, ...]:
    """The inequalities of a class, made safe: exact coefficients, nothing at the equilibrium, names that differ.

    Classes may come from users, and a proof must not rest on what they forgot; everything reads them through this door.

    Raises
    ------
    InvalidModelError
        If an inequality speaks of an unknown point or signal, has a coefficient that is not a rational, or shares its
        name with another.
    """
    found: list[Inequality] = []
    known = {(kind, point) for kind in "yu" for point in points}
    for given in oracle.inequalities(points):
        if any(given.name == other.name for other in found):
            raise InvalidModelError(
                f"inequality {given.name!r} of {type(oracle).__name__}: the inequalities of a class must have "
                "different names"
            )
        if _is_collected(given, known):
            found.append(given)
            continue
        where = f"inequality {given.name!r} of {type(oracle).__name__}"
        for point, _ in given.values:
            if point not in points:
                raise InvalidModelError(f"{where} must speak of the points {', '.join(points)}, got {point!r}")
        values = [(point, _exact(coefficient, where)) for point, coefficient in given.values]
        products: Products = {}
        for pair, coefficient in given.products:
            strange = next((key for key in pair if key not in known), None)
            if strange is not None:
                raise InvalidModelError(
                    f"{where} must speak of y and u at the points {', '.join(points)}, got {strange!r}"
                )
            products[pair] = products.get(pair, _ZERO) + _exact(coefficient, where)
        found.append(build(given.name, given.formula, given.source, [products], values))
    return tuple(found)


def _is_collected(given: Inequality, known: set[tuple[str, str]]) -> bool:
    """Whether an inequality has the form that `build` gives it: exact, known signals, each product once, sorted."""
    before = None
    for pair, coefficient in given.products:
        a, b = pair
        if a not in known or b not in known or a > b or (before is not None and pair <= before):
            return False
        if a[1] == EQUILIBRIUM or b[1] == EQUILIBRIUM or not _is_exact(coefficient):
            return False
        before = pair
    points = [point for point, _ in given.values]
    return (
        type(given) is Inequality
        and len(set(points)) == len(points)
        and all(point != EQUILIBRIUM and ("y", point) in known and _is_exact(c) for point, c in given.values)
    )


def _is_exact(value: object) -> bool:
    return type(value) is Fraction and type(value.numerator) is int and type(value.denominator) is int


def _exact(value: object, where: str) -> Fraction:
    """The rational, rebuilt unless it is a fraction over Python integers already."""
    return value if isinstance(value, Fraction) and _is_exact(value) else rational(value, name=where)


def signal(kind: str, point: str) -> Signal:
    """The base signal ``kind`` (``"y"`` or ``"u"``) at a point; zero at the equilibrium."""
    return {} if point == EQUILIBRIUM else {(kind, point): Fraction(1)}


def total(*terms: tuple[Fraction | int, Signal]) -> Signal:
    """Linear combination of signals.

    >>> total((1, signal("y", "t")), (-1, signal("y", "*")))
    {('y', 't'): Fraction(1, 1)}
    """
    combined: dict[tuple[str, str], Fraction] = {}
    for factor, term in terms:
        for key, value in term.items():
            combined[key] = combined.get(key, Fraction(0)) + factor * value
    return {key: value for key, value in combined.items() if value}


def inner(a: Signal, b: Signal, factor: Fraction | int = 1) -> Products:
    """The scaled inner product ``factor * <a, b>`` as a sum over base signals."""
    return {(s, t): factor * v * w for s, v in a.items() for t, w in b.items()}


def build(
    name: str,
    formula: str,
    source: str,
    products: Iterable[Products],
    values: Iterable[tuple[str, Fraction | int]] = (),
) -> Inequality:
    """Collect terms into an `Inequality`; values at the equilibrium vanish."""
    collected: Products = {}
    for part in products:
        for (s, t), c in part.items():
            if c and s[1] != EQUILIBRIUM and t[1] != EQUILIBRIUM:  # signals vanish there
                key = (s, t) if s <= t else (t, s)
                collected[key] = collected[key] + c if key in collected else c
    heights: dict[str, Fraction] = {}
    for point, value in values:
        if point != EQUILIBRIUM:
            heights[point] = heights.get(point, _ZERO) + value
    return Inequality(
        name=name,
        formula=formula,
        source=source,
        values=tuple((point, value) for point, value in heights.items() if value),
        products=tuple((key, collected[key]) for key in sorted(collected) if collected[key]),
    )


def sector(name: str, source: str, y: Signal, u: Signal, lower: Fraction, upper: Fraction | None) -> Inequality:
    r""":math:`\langle u - l y,\, U y - u\rangle \ge 0`, or :math:`\langle u - l y, y\rangle \ge 0` without U."""
    left = total((1, u), (-lower, y))
    right = y if upper is None else total((upper, y), (-1, u))
    formula = (
        r"$\langle u-\ell y,\ y\rangle \geq 0$" if upper is None else r"$\langle u-\ell y,\ \bar{u}y-u\rangle \geq 0$"
    )
    return build(name, formula, source, [inner(left, right)])
