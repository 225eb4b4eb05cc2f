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
from ..lmi.groups import find_leaders
from ..lmi.memory import list_filters
from ..lmi.signals import output_oracles
from .bilinear import prepare_saddle
from .clock import Clock, is_discrete, is_scaled, is_sublinear
from .constrained import prepare_modes
from .formulas import Block, Display, Listing, Math, Paragraph, Sentence, Where, combine
from .hypotheses import write_input, write_motion
from .identities import write_definiteness, write_identity
from .iteration import prepare_coordinates
from .memory import find_filter, finish_memory, has_memory, prepare_memory, weigh_past
from .parametric import argue_family
from .proof import Used, list_parts, list_steps
from .proximal import prepare_proximal
from .scaled_argument import finish_scaled, prepare_scaled
from .stacked import add_rows, explain_sums, rows_of_vectors
from .statement import describe_values, weighted_oracles
from .sublinear import finish_sublinear, prepare_sublinear
from .symbols import Symbols, inequality_terms, is_wide, state
from .wide import prepare_wide

__all__ = ["argue"]


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
        blocks += write_identity(whole, part, own, count)
        count += sum(len(step.squares) for step in own)
    blocks += write_definiteness(certificate, [step for step in steps if step.part == "storage"], count)
    if is_scaled(whole):
        return (*blocks, *finish_scaled(whole))
    if has_memory(certificate):
        past = _past_multipliers(certificate)
        return (*blocks, *weigh_past(certificate, past), finish_memory(certificate, past))
    return (*blocks, finish_sublinear(certificate) if is_sublinear(certificate) else _finish(certificate))


def _list_used(certificate: Certificate) -> list[Used]:
    """Class inequalities with a multiplier other than 0, of all conditions."""
    return [u for part in list_parts(certificate) for u in part.used if u.value]


def _past_multipliers(certificate: Certificate) -> dict[int, tuple[str, Fraction]]:
    """Symbol and value of the multipliers of filters, those that are not 0."""
    found = [(find_filter(u.points, u.inequality), u) for u in _list_used(certificate)]
    return {k: (u.symbol, u.value) for k, u in found if k is not None}


def _prepare(certificate: Certificate) -> Iterator[Block]:
    system = certificate.system
    valued = {dict(u.points)[point].oracle for u in _list_used(certificate) for point, _ in u.inequality.values}
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
    found = {u.label: u for u in _list_used(certificate) if find_filter(u.points, u.inequality) is None}
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
