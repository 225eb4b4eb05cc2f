"""One condition of a proof: its left side as class inequalities times multipliers, plus weighted squares."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ..certificates import Certificate
from ..dynamics import (
    LureSystem,
    PolytopicSystem,
    PrimalDualIteration,
    PrimalDualSystem,
    ProximalLagrangianSystem,
    SaddleSystem,
)
from ..lmi.dissipation import UPPER
from ..lmi.groups import find_leaders
from ..lmi.signals import NEXT
from .clock import Clock, is_scaled, is_sublinear
from .constrained import LEFT_OF_MODES, lead_modes, name_mode_sum
from .formulas import Block, Display, Math, Paragraph, Sentence, Term, Where, add_up, combine
from .iteration import WEIGHT, lead_coordinates, name_coordinate_sum
from .memory import has_memory
from .numbers import tex_number
from .proof import Part, Step
from .proximal import lead_proximal, name_proximal_sum
from .scaled_argument import WEIGHTS_OF_SCALED, lead_scaled, left_of_scaled
from .squares import write_squares
from .sublinear import LEFT_OF_SUBLINEAR
from .symbols import Symbols, is_wide
from .wide import close_wide

__all__ = ["write_definiteness", "write_identity"]

_LEFT = {"positivity": "V-N", "upper bound": "c_{2}N-V"}
_BOUNDS = frozenset(_LEFT)

_MOST_WRITTEN, _EXAMPLES = 40, 2
"""Sums of squares that one part of a proof writes out; with more than that, so many from each end."""


def write_identity(certificate: Certificate, part: Part, steps: list[Step], count: int) -> Iterator[Block]:
    """One condition: its left side as multipliers times class inequalities, plus squares."""
    head, certificate = f"{_left(certificate, part.name)} = ", certificate.core
    used = [u for u in part.used if u.value]
    weighted = [rf"+{u.symbol}\,{u.label}" for u in used]
    leaders = find_leaders(certificate.system)
    first = [u for u in used if leaders[u.points[0][1].oracle] == u.points[0][1].oracle]
    where: list[tuple[Math, Fraction]] = [(Math(u.symbol), u.value) for u in first]
    if part.name == "upper bound":
        where.append((Math("c_{2}"), certificate.values[UPPER]))
    forms: list[Math] = []
    yield Paragraph(_lead(certificate, part.name), lead=f"{part.name.capitalize()}.")
    if is_wide(certificate.system):
        remainder, why = close_wide(steps[0])
        yield Display(tuple(add_up([*weighted, remainder], head=head)))
        yield Paragraph(why)
    elif isinstance(certificate.system, PolytopicSystem) and part.name not in _BOUNDS:
        yield from _vertices(steps, weighted, head, where, forms, count)
    elif isinstance(certificate.system, LureSystem | PolytopicSystem):
        squares, _ = write_squares(steps[0], count, where, forms)
        squares += [rf"+{tex_number(step.slack[0][0])}\,\varphi" for step in steps[1:] if step.slack[0][0]]
        yield Display((*add_up([*weighted, *squares], head=head), *forms))
    else:
        shown = _choose_examples(steps)
        named = [_name_sum(certificate, step) for step in shown]
        whole = [f"+{symbol}" for symbol in dict.fromkeys(s for s, _ in named)]
        if len(shown) < len(steps):
            whole.insert((len(whole) + 1) // 2, r"+\cdots")
        lines = list(add_up([*weighted, *whole], head=head))
        for step, (symbol, at) in zip(shown, named, strict=True):
            squares, count = write_squares(step, count, where, forms)
            sums = add_up(squares, head=f"{symbol} = ".removeprefix(WEIGHT))
            lines += [*sums[:-1], Math(sums[-1].tex + at)]
        yield Display((*lines, *forms))
        if len(shown) < len(steps):
            yield Paragraph(
                (f"These are {len(shown)} of {len(steps)} sums, as examples. Each of the others belongs to a matrix "
                 "that was decided to be positive semidefinite, in exact arithmetic, from the certificate's file.",)
            )  # fmt: skip
    yield from _cancellations(certificate, part)
    yield Where(tuple(where))


def _choose_examples(steps: list[Step]) -> list[Step]:
    """All, or the first and the last ones where there are too many to read."""
    return steps if len(steps) <= _MOST_WRITTEN else [*steps[:_EXAMPLES], *steps[-_EXAMPLES:]]


def _vertices(
    steps: list[Step],
    weighted: list[str],
    head: str,
    where: list[tuple[Math, Fraction]],
    forms: list[Math],
    count: int,
) -> Iterator[Block]:
    """The decrease at each vertex, with common multipliers; between them it follows."""
    lines: list[Math] = []
    for k, step in enumerate(steps, start=1):
        squares, count = write_squares(step, count, where, forms)
        sums = add_up([*weighted, *squares], head=head)
        lines += [*sums[:-1], Math(rf"{sums[-1].tex}\qquad (A,B) = (A_{{{k}}},B_{{{k}}})")]
    yield Display((*lines, *forms))
    yield Paragraph(
        ("The left side is concave in ", Math("(A,B)"), ", so that it is at least the sum of the first terms for all "
         "that lies between.")
    )  # fmt: skip


def _lead(certificate: Certificate, part: str) -> Sentence:
    system = certificate.system
    if isinstance(system, PrimalDualSystem):
        return lead_scaled(part) if is_scaled(certificate) and part not in _BOUNDS else lead_modes(system, part)
    if isinstance(system, PrimalDualIteration | SaddleSystem):
        return lead_coordinates(system, part)
    if isinstance(system, ProximalLagrangianSystem):
        return lead_proximal(system, part)
    return ("The following is an identity in the signals:",)


def _left(certificate: Certificate, part: str) -> str:
    if is_sublinear(certificate):
        return LEFT_OF_SUBLINEAR[part]
    if is_scaled(certificate) and part not in _BOUNDS:
        return left_of_scaled(certificate, part)
    if has_memory(certificate) and part == "upper bound":
        return r"c_{2}N-V|_{\psi=0}"
    bounded = LEFT_OF_MODES if isinstance(certificate.system, PrimalDualSystem) else _LEFT
    return Clock.of(certificate.system).left if part == "decrease" else bounded[part]


def _name_sum(certificate: Certificate, step: Step) -> tuple[str, str]:
    """Symbol of the sum of squares of a mode, and where it holds."""
    if isinstance(certificate.system, PrimalDualSystem):
        return name_mode_sum(step)
    if isinstance(certificate.system, ProximalLagrangianSystem):
        return name_proximal_sum(certificate.system, step)
    return name_coordinate_sum(step)


def _cancellations(certificate: Certificate, part: Part) -> Iterator[Block]:
    """The coefficients of the function values vanish."""
    names = Symbols.of(certificate.system)
    weights = certificate.value_weights
    lines: list[Math] = []
    signs = {False: {"positivity": "", "upper bound": "-"}.get(part.name, "")}
    if is_scaled(certificate) and part.name not in _BOUNDS:
        signs = {False: WEIGHTS_OF_SCALED[part.name]}
    elif part.name == "decrease":
        signs = {False: "-p"} if is_sublinear(certificate) else dict(Clock.of(certificate.system).weights)
    rest = "0"
    if is_sublinear(certificate) and part.name == "positivity":
        (leftover,) = (c for c in certificate.pencil().conditions if len(c.signals) == 1 and c.name != part.name)
        rest = tex_number(1 + leftover.at(certificate.values)[0][0])
    for j, owner in enumerate(certificate.system.oracle_names):
        for later, sign in signs.items():
            terms = [sign + names.signal(r"\lambda", j)] if weights.get(owner) else []
            for used in part.used:
                at = dict(used.points)
                for point, value in used.inequality.values:
                    if used.value and at[point].oracle == j and (at[point].time == NEXT) == later:
                        terms.append(combine([Term(-value, "", used.symbol)], [])[0].tex)
            if terms:
                lines.append(Math("+".join(terms).replace("+-", "-") + f" = {rest}"))
    if lines:
        yield Paragraph(("The coefficients of the function values agree on both sides:",))
        yield Display(tuple(lines))


def write_definiteness(certificate: Certificate, steps: list[Step], count: int) -> Iterator[Block]:
    """Storage matrices that were claimed to be positive semidefinite."""
    if not steps:
        return
    if is_wide(certificate.system):
        yield Paragraph((Math("P"), " is positive semidefinite, decided in exact arithmetic."), lead="Storage.")
        return
    where: list[tuple[Math, Fraction]] = []
    forms: list[Math] = []
    lines: list[Math] = []
    for step in steps:
        squares, count = write_squares(step, count, where, forms)
        lines += add_up(squares, head=r"z^{\mathsf{T}}Pz = ")
    yield Paragraph(("Each storage matrix is positive semidefinite:",), lead="Storage.")
    yield Display((*lines, *forms))
    yield Where(tuple(where))
