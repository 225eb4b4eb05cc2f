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
    rotations : "none", "half-plane" or "disk"
        Whether complex s are members too (on R^2, a scaled rotation): all with real part at least `lower`, or the
        disk that has ``[lower, upper]`` as its diameter.
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
    for given in oracle.inequalities(points):
        where = f"inequality {given.name!r} of {type(oracle).__name__}"
        values: dict[str, Fraction] = {}
        for point, coefficient in given.values:
            if point not in points:
                raise InvalidModelError(f"{where} must speak of the points {', '.join(points)}, got {point!r}")
            values[point] = values.get(point, Fraction(0)) + rational(coefficient, name=where)
        products: list[Products] = []
        for pair, coefficient in given.products:
            for kind, point in pair:
                if kind not in {"y", "u"} or point not in points:
                    raise InvalidModelError(
                        f"{where} must speak of y and u at the points {', '.join(points)}, got {(kind, point)!r}"
                    )
            first, second = (signal(*key) for key in pair)
            products.append(inner(first, second, rational(coefficient, name=where)))
        if any(given.name == other.name for other in found):
            raise InvalidModelError(f"{where}: the inequalities of a class must have different names")
        found.append(build(given.name, given.formula, given.source, products, values.items()))
    return tuple(found)


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
    collected: dict[tuple[tuple[str, str], tuple[str, str]], Fraction] = {}
    for part in products:
        for (s, t), c in part.items():
            key = (s, t) if s <= t else (t, s)
            collected[key] = collected.get(key, Fraction(0)) + c
    return Inequality(
        name=name,
        formula=formula,
        source=source,
        values=tuple((p, Fraction(c)) for p, c in values if c and p != EQUILIBRIUM),
        products=tuple((key, c) for key, c in sorted(collected.items()) if c),
    )


def sector(name: str, source: str, y: Signal, u: Signal, lower: Fraction, upper: Fraction | None) -> Inequality:
    r""":math:`\langle u - l y,\, U y - u\rangle \ge 0`, or :math:`\langle u - l y, y\rangle \ge 0` without U."""
    left = total((1, u), (-lower, y))
    right = y if upper is None else total((upper, y), (-1, u))
    formula = (
        r"$\langle u-\ell y,\ y\rangle \geq 0$" if upper is None else r"$\langle u-\ell y,\ \bar{u}y-u\rangle \geq 0$"
    )
    return build(name, formula, source, [inner(left, right)])
