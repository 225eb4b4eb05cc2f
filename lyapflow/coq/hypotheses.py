"""What is known of an oracle, as a hypothesis about the function or operator, and the lemma that puts it to use.

The hypotheses are the definitions of the classes in ``prelude.v``, where the inequalities between points are proved
from them; nothing here reads the inequalities of `lyapflow.classes` but their names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from .. import classes as known
from ..classes.inequalities import ANY, ORIGIN, OperatorClass
from ..errors import InvalidModelError
from ..lmi.signals import RATE
from .terms import number

__all__ = ["Belief", "Point", "Use", "list_moduli", "put_to_use", "rests_at_zero", "state_class"]

_ONE, _TWO = Fraction(1), Fraction(2)
_PATTERN = re.compile(r"(?:(\d+)-)?([a-z-]+?)([+-]?)\((.*)\)")
_CURVED = (known.SmoothConvex, known.SmoothStronglyConvex, known.SlopeRestricted)


@dataclass(frozen=True, slots=True)
class Belief:
    """A hypothesis about an oracle.

    Attributes
    ----------
    name : str
        Of the hypothesis.
    text : str
        The proposition.
    parts : tuple of str
        Parts of ``prelude.v`` that it needs.
    oracle : OperatorClass
        The class.
    holes : int
        Arguments of its lemmas before the hypothesis.
    moduli : tuple of str
        The numbers of the class.
    """

    name: str
    text: str
    parts: tuple[str, ...]
    oracle: OperatorClass
    holes: int
    moduli: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """A point at which an oracle is evaluated: its input, its output, and the premise that relates them."""

    y: str
    u: str
    premise: str


@dataclass(frozen=True, slots=True)
class Use:
    """A class inequality at two points, as a term that proves ``0 <= fact``.

    Attributes
    ----------
    term : str
        The proof term.
    scale : Fraction
        The fact is that many times the inequality of `lyapflow.classes`.
    differences : tuple of (Point, Point)
        Pairs of points whose inputs and outputs are subtracted in the fact.
    parts : tuple of str
        Parts of ``prelude.v`` that it needs.
    """

    term: str
    scale: Fraction
    differences: tuple[tuple[Point, Point], ...]
    parts: tuple[str, ...] = ()


def _moduli(oracle: OperatorClass) -> tuple[Fraction, Fraction | None]:
    """Curvature from below and above."""
    if isinstance(oracle, known.SlopeRestricted):
        return oracle.lower, oracle.upper
    if isinstance(oracle, known.SmoothStronglyConvex):
        return oracle.mu, oracle.L
    if isinstance(oracle, known.SmoothConvex):
        return Fraction(0), oracle.L
    return (oracle.mu if isinstance(oracle, known.StronglyConvex) else Fraction(0)), None


def state_class(
    oracle: OperatorClass,
    name: str,
    members: Sequence[OperatorClass] = (),
    spell: Callable[[Sequence[Fraction]], str] | None = None,
) -> tuple[Belief, ...]:
    """The hypotheses about an oracle of that name, one per part of an intersection.

    In a family, which has no intersections, `members` are the same oracle for samples of the parameter, and `spell`
    makes text of their numbers.

    Raises
    ------
    InvalidModelError
        If the class is not one of lyapflow's.
    """
    if isinstance(oracle, known.Intersection):
        return tuple(  # the number comes first: another oracle may be called name_1
            replace(belief, name=f"class{k}_{name}")
            for k, part in enumerate(oracle.parts, start=1)
            for belief in state_class(part, name)
        )
    kind, numbers, parts = _define(oracle)
    value = f"val_{name} " if oracle.has_values else ""
    words = tuple(number(v) for v in numbers)
    if spell is not None:
        words = tuple(map(spell, zip(*(_define(member)[1] for member in members), strict=True)))
    text = f"{kind} {' '.join(words)} {value}out_{name}"
    return (Belief(f"class_{name}", text, parts, oracle, 2 + len(numbers) + oracle.has_values, words),)


def list_moduli(oracle: OperatorClass) -> tuple[Fraction, ...]:
    """The numbers of the definition of a class."""
    return _define(oracle)[1]


def _define(oracle: OperatorClass) -> tuple[str, tuple[Fraction, ...], tuple[str, ...]]:
    if isinstance(oracle, _CURVED):
        low, high = _moduli(oracle)
        return "curvature", (low, high or Fraction(0)), ("height", "curvature")
    if isinstance(oracle, known.Convex | known.StronglyConvex):
        return "subgradient", (_moduli(oracle)[0],), ("height", "subgradient")
    if isinstance(oracle, known.Quadratic):
        return "quadratic", (oracle.mu, oracle.L), ("height", "between", "quadratic")
    if isinstance(oracle, known.GradientDominated):
        return "gradient_dominated", (oracle.mu, oracle.L), ("height", "gradient_dominated")
    if isinstance(oracle, known.Monotone):
        return "monotone", (Fraction(0),), ("monotone",)
    if isinstance(oracle, known.StronglyMonotone):
        return "monotone", (oracle.mu,), ("monotone",)
    if isinstance(oracle, known.Cocoercive):
        return "cocoercive", (oracle.beta,), ("cocoercive",)
    if isinstance(oracle, known.Lipschitz):
        return "lipschitz", (oracle.L,), ("lipschitz",)
    if isinstance(oracle, known.SectorBounded):
        return "sector", (oracle.lower, oracle.upper), ("sector",)
    if isinstance(oracle, known.StaticSector):
        return "static_sector", (oracle.lower, oracle.upper), ("height", "sector", "static_sector")
    raise InvalidModelError(
        f"export_coq knows the definitions of the classes of lyapflow, got {oracle!r}. Use one of them, or certify "
        "with a class that contains it."
    )


def rests_at_zero(oracle: OperatorClass) -> tuple[bool, bool]:
    """Whether input and output must be zero at the equilibrium."""
    return oracle.equilibria == ORIGIN, oracle.equilibria != ANY


def put_to_use(beliefs: tuple[Belief, ...], name: str, points: Mapping[str, Point], star: Point, owner: str) -> Use:
    """The lemma behind an inequality of a class, by the name of the inequality.

    Raises
    ------
    InvalidModelError
        If there is none of that name, or it holds for derivatives of outputs.
    """
    found = _PATTERN.fullmatch(name)
    if found is not None and RATE in found[4].split(","):
        raise InvalidModelError(
            "export_coq knows of the derivative of an output what increments have, not how it is tied to the output of "
            f"a quadratic function ({name} of {owner}). Certify without outputs=True, or with SmoothStronglyConvex."
        )
    if found is None or not set(found[4].split(",")) <= set(points):
        raise InvalidModelError(f"export_coq knows no inequality {name!r} of {owner}")
    belief = beliefs[int(found[1]) - 1 if found[1] else 0]
    kind, sign, chosen = found[2], found[3], [points[p] for p in found[4].split(",")]
    oracle, hypothesis = belief.oracle, f"{' '.join('_' * belief.holes)} {belief.name}"
    first, second = chosen[0], chosen[-1] if len(chosen) > 1 else star
    both = f"{first.y} {first.u} {second.y} {second.u} {first.premise} {second.premise}"
    rest = f"{star.y} {star.u}"
    pairs: tuple[tuple[Point, Point], ...] = ((first, second),)
    if kind == "interpolation":
        pairs = ((first, second), (second, star))
        low, high = _moduli(oracle)
        if high is None:
            return Use(f"use_subgradient {hypothesis} {rest} {both}", _TWO, pairs)
        if low == high:
            below = f"use_subgradient _ _ _ _ (curvature_below {hypothesis}) {rest} {both}"
            return Use(below, _TWO, pairs, ("subgradient", "curvature_below"))
        return Use(f"use_curvature {hypothesis} ltac:(lra) {rest} {both}", 2 * (high - low), pairs)
    if kind == "linear":
        return Use(f"use_linear {hypothesis.removeprefix('_ ')} {both}", _ONE, pairs, ("linear",))
    if isinstance(oracle, known.Quadratic):
        return _use_quadratic(kind, sign, hypothesis, first, second, star, both)
    if isinstance(oracle, known.GradientDominated):
        place, scale = {
            "domination": (0, 2 * oracle.mu),
            "growth": (1, _TWO),
            "descent": (2, 2 * oracle.L),
            "smooth": (3, _TWO),
            "lipschitz": (4, _ONE),
        }[kind]
        term = (
            f"(use_gradient_dominated {hypothesis} ltac:(lra) ltac:(lra) {rest} {first.y} {first.u} {star.premise} "
            f"zero_u_{owner} {first.premise})"
        )
        for _ in range(place):
            term = f"(proj2 {term})"
        return Use(term if place == 4 else f"(proj1 {term})", scale, pairs)
    if isinstance(oracle, known.SectorBounded):
        term = f"use_sector {hypothesis} {rest} {first.y} {first.u} zero_y_{owner} zero_u_{owner} {first.premise}"
        return Use(term, _ONE, pairs)
    if isinstance(oracle, known.StaticSector):
        place, scale = {"sector": (0, _ONE), "integral-above": (1, _TWO), "integral-below": (2, _TWO)}[kind]
        term = (
            f"(use_static_sector {hypothesis} {rest} {first.y} {first.u} zero_y_{owner} zero_u_{owner} {first.premise})"
        )
        return Use(("(proj1 {})", "(proj1 (proj2 {}))", "(proj2 (proj2 {}))")[place].format(term), scale, pairs)
    return Use(f"use_{belief.text.split()[0]} {hypothesis} {both}", _ONE, pairs)


def _use_quadratic(kind: str, sign: str, hypothesis: str, first: Point, second: Point, star: Point, both: str) -> Use:
    direction = "1" if sign == "-" else "(-1)"
    rest = f"{star.y} {star.u}"
    if kind == "sector":
        return Use(f"use_quadratic_sector {hypothesis} ltac:(lra) {both}", _ONE, ((first, second),))
    if kind == "value":
        term = f"use_quadratic_value {hypothesis} {direction} {rest} {first.y} {first.u} {star.premise} {first.premise}"
        return Use(term, _TWO, ((first, star),))
    ends = f"{first.y} {first.u} {second.y} {second.u} {star.premise} {first.premise} {second.premise}"
    term = f"use_quadratic_symmetry {hypothesis} {direction} {rest} {ends}"
    return Use(term, _ONE, ((first, star), (second, star)))
