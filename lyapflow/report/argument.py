"""The proof of a certificate in words and formulas: every condition as class inequalities plus weighted squares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from ..certificates import Certificate
from ..dynamics import (
    LureSystem,
    ParametricSystem,
    PolytopicSystem,
    PrimalDualIteration,
    PrimalDualSystem,
    ProximalLagrangianSystem,
    SaddleSystem,
)
from ..lmi.dissipation import UPPER
from ..lmi.groups import find_leaders
from ..lmi.memory import list_filters
from ..lmi.signals import NEXT, output_oracles
from .bilinear import prepare_saddle
from .clock import Clock, is_discrete, is_scaled, is_sublinear
from .constrained import LEFT_OF_MODES, lead_modes, name_mode_sum, prepare_modes
from .formulas import Block, Display, Listing, Math, Paragraph, Sentence, Term, Where, add_up, combine
from .hypotheses import write_input, write_motion
from .iteration import WEIGHT, lead_coordinates, name_coordinate_sum, prepare_coordinates
from .memory import find_filter, finish_memory, has_memory, prepare_memory, weigh_past
from .numbers import tex_number
from .parametric import argue_family
from .proof import Part, Step, Used, list_parts, list_steps
from .proximal import lead_proximal, name_proximal_sum, prepare_proximal
from .scaled_argument import WEIGHTS_OF_SCALED, finish_scaled, lead_scaled, left_of_scaled, prepare_scaled
from .squares import write_squares
from .stacked import add_rows, explain_sums, rows_of_vectors
from .statement import describe_values, weighted_oracles
from .sublinear import LEFT_OF_SUBLINEAR, finish_sublinear, prepare_sublinear
from .symbols import Symbols, inequality_terms, is_wide, state
from .wide import close_wide, prepare_wide

__all__ = ["argue"]

_LEFT = {"positivity": "V-N", "upper bound": "c_{2}N-V"}
_BOUNDS = frozenset(_LEFT)

_MOST_WRITTEN, _EXAMPLES = 40, 2
"""Sums of squares that one part of a proof writes out; with more than that, so many from each end."""


def argue(certificate: Certificate) -> tuple[Block, ...]:
    """The proof as blocks, from the exact data alone.

    Parameters
    ----------
    certificate : Certificate
        One that `lyapflow.verify` accepts.

    Returns
    -------
    tuple of Block
        Preparation, class inequalities, one identity per condition, conclusion.

    Raises
    ------
    InvalidModelError
        If a condition fails.
    """
    whole, certificate = certificate, certificate.core
    if isinstance(certificate.system, ParametricSystem):
        middle = certificate.at(certificate.system.place(Fraction(0)))
        return tuple(argue_family(certificate, argue(middle)))
    steps = list_steps(whole)
    prepare = prepare_sublinear if is_sublinear(certificate) else _prepare
    blocks: list[Block] = [*prepare(certificate), *_inequalities(certificate)]
    if is_scaled(whole):
        blocks += prepare_scaled(whole)
    count = 0
    for part in list_parts(certificate):
        own = [step for step in steps if step.part in (part.name, f"{part.name} multiplier")]
        blocks += _identity(whole, part, own, count)
        count += sum(len(step.squares) for step in own)
    blocks += _definite(certificate, [step for step in steps if step.part == "storage"], count)
    if is_scaled(whole):
        return (*blocks, *finish_scaled(whole))
    if has_memory(certificate):
        past = _past_multipliers(certificate)
        return (*blocks, *weigh_past(certificate, past), finish_memory(certificate, past))
    return (*blocks, finish_sublinear(certificate) if is_sublinear(certificate) else _finish(certificate))


def _past_multipliers(certificate: Certificate) -> dict[int, tuple[str, Fraction]]:
    """Symbol and value of the multipliers of filters, those that are not 0."""
    used = [u for part in list_parts(certificate) for u in part.used if u.value]
    found = [(find_filter(u.points, u.inequality), u) for u in used]
    return {k: (u.symbol, u.value) for k, u in found if k is not None}


def _prepare(certificate: Certificate) -> Iterator[Block]:
    system = certificate.system
    used = [u for part in list_parts(certificate) for u in part.used if u.value]
    valued = {dict(u.points)[point].oracle for u in used for point, _ in u.inequality.values}
    valued |= {part.oracle for part in list_filters(system, certificate.template)}
    yield from describe_values(system, valued - set(weighted_oracles(certificate)), lead="Let")
    if any(certificate.value_weights.values()) and not is_discrete(certificate):
        yield Paragraph(
            ("Along solutions ", Math(r"\dot{\varphi}_{j} = \langle u_{j}-u_{j}^{\star},\dot{y}_{j}\rangle"), ".")
        )
    if has_memory(certificate):
        yield from prepare_memory(certificate)
    if isinstance(system, PrimalDualSystem):
        yield from prepare_modes(system)
        return
    if isinstance(system, PrimalDualIteration):
        yield from prepare_coordinates(system)
        return
    if isinstance(system, ProximalLagrangianSystem):
        yield from prepare_proximal(system)
        return
    if isinstance(system, SaddleSystem):
        yield from prepare_saddle(system)
        return
    if is_wide(system):
        yield from prepare_wide(certificate)
        return
    between = isinstance(system, PolytopicSystem)
    if not isinstance(system, LureSystem):
        system = system.modes[0].vertices[0]  # for what all have in common
    after = ", and a superscript + marks what belongs to the next step" if is_discrete(certificate) else ""
    where: list[tuple[Math, Fraction]] = []
    n, m = system.shape
    lines = [line for j in range(m) for line in write_input(system, j, where)]
    outputs = output_oracles(system, certificate.template)
    if between and is_discrete(certificate):
        lines.append(Math(r"x^{+} = Ax+Bu"))
    elif is_discrete(certificate) or outputs:
        lines += [line for i in range(n) for line in write_motion(system, i, where)]
        if is_discrete(certificate) and outputs:  # V contains outputs, so those of the next step occur
            lines += [line for j in range(m) for line in write_input(system, j, where, later="^{+}")]
    end = ", so that" if lines else "."
    yield Paragraph(
        ("From here on ", Math("x, y, u"), f" are the deviations from the equilibrium{after}. They obey the same "
         f"linear relations{end}")
    )  # fmt: skip
    if lines:
        yield Display(tuple(lines))
    if outputs and not is_discrete(certificate):
        yield Paragraph(
            ("The derivatives of ", Math("y"), " and ", Math("u"), " along the flow obey the first ones too.")
        )
    norm = "+".join(rf"|{state(n, i)}|^{{2}}" for i in range(n))
    yield Paragraph(("Let ", Math(f"N = {norm}"), ", the squared norm of the state."))
    if where:
        yield Where(tuple(where))


def _inequalities(certificate: Certificate) -> Iterator[Block]:
    """The class inequalities that have a multiplier other than 0."""
    system = certificate.system
    names = Symbols.of(system)
    every = [u for part in list_parts(certificate) for u in part.used if u.value]
    found = {u.label: u for u in every if find_filter(u.points, u.inequality) is None}
    if not found:
        return
    yield Paragraph(("By hypothesis,",))
    where: list[tuple[Math, Fraction]] = []
    lines: list[Math] = []
    sources: list[Sentence] = []
    summed, leaders = rows_of_vectors(system), find_leaders(system)
    for label, used in sorted(found.items(), key=_natural):
        terms = inequality_terms(used.inequality, names, used.points, label)
        sums = combine(terms, where, head=f"{label} = ")
        is_part = used.points[0][1].oracle in summed
        lines += [*sums[:-1], sums[-1] if is_part else Math(sums[-1].tex + r" \geq 0")]
        if leaders[used.points[0][1].oracle] == used.points[0][1].oracle:
            sources.append((Math(label), f": {used.inequality.name}, {used.inequality.source}"))
    lines += add_rows(system, list(found))
    yield Display(tuple(lines))
    yield Listing(tuple(sources))
    if summed:
        yield Paragraph(explain_sums())
    if isinstance(system, PrimalDualSystem):
        mark = names.marks[0]
        yield Paragraph(
            ("with ", Math(rf"y_{{{mark}}} = \tilde{{x}}"), " and ", Math(rf"u_{{{mark}}} = u-u^{{\star}}"), ".")
        )
    if where:
        yield Where(tuple(where))


def _natural(item: tuple[str, Used]) -> list[str | int]:
    """Sorts ``I_{f,10}`` after ``I_{f,2}``."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", item[0])]


def _identity(certificate: Certificate, part: Part, steps: list[Step], count: int) -> Iterator[Block]:
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


def _definite(certificate: Certificate, steps: list[Step], count: int) -> Iterator[Block]:
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


def _finish(certificate: Certificate) -> Paragraph:
    clock = Clock.of(certificate.system)
    weights: Sentence = () if is_wide(certificate.system) else (" and all ", Math("d_{i}"))
    sums = ", or their sums over the rows of a function," if rows_of_vectors(certificate.system) else ""
    chain = rf"N({clock.time}) \leq V({clock.time}) \leq {clock.decay_twice}V(0)"
    if certificate.is_bounded:
        chain += rf" \leq c_{{2}}{clock.decay_twice}N(0)"
    return Paragraph(
        ("All multipliers", *weights, " are nonnegative and all ", Math("I"), sums, " are nonnegative along "
         "solutions. Hence ", Math(clock.falls), " and ", Math(chain), ", which is the claim.")
    )  # fmt: skip
