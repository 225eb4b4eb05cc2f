"""The words of the proximal augmented Lagrangian: its relations, its hypotheses, its storage function and its proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from ..certificates import Certificate
from ..dynamics import Mode, ProximalLagrangianSystem
from ..lmi.scaled import list_parts as list_scaled_parts
from ..lmi.scaled_claims import ScaledClaim
from .bilinear import describe_operator, list_span_sites
from .formulas import Block, Display, Listing, Math, Paragraph, Sentence, Term, Where
from .hypotheses import write_output
from .iteration import (
    SPLIT,
    describe_coordinates,
    lead_coordinates,
    mark_of,
    name_coordinate_sum,
    name_states,
    write_modes,
)
from .numbers import tex_number, with_decimal
from .symbols import Symbols, kind_of

if TYPE_CHECKING:
    from .proof import Step

__all__ = [
    "lead_proximal",
    "name_proximal_sum",
    "prepare_proximal",
    "proximal_assumptions",
    "proximal_motion",
    "proximal_sites",
    "proximal_storage",
]


def proximal_motion(system: ProximalLagrangianSystem) -> list[Block]:
    """Equations of motion, the oracles and the operator."""
    names = Symbols.of(system)
    (y_f, y_g), (u_f, u_g) = _signals(names)
    inside = r"Kx+\gamma\lambda"
    g = names.functions[1]
    evaluated = rf"\mathrm{{prox}}_{{\gamma\,{g}}}" if kind_of(system.g) == "function" else rf"(I+\gamma {g})^{{-1}}"
    descent, ascent = rf"{u_f}+K^{{\mathsf{{T}}}}{u_g}", rf"\gamma\,({u_g}-\lambda)"
    lines = rf"\dot{{x}} = -{u_f}-K^{{\mathsf{{T}}}}{u_g}", rf"\dot{{\lambda}} = {ascent}"
    if system.step:
        lines = rf"x^{{+}} = x-h\,({descent})", rf"\lambda^{{+}} = \lambda+h{ascent}"
    kind: Sentence = (
        "iteration", " of the proximal augmented Lagrangian, for ", Math(r"k = 0,1,2,\ldots"), " and with ",
        Math("x = x(k)"), ", ", Math("x^{+} = x(k+1)"), " and the like,",
    ) if system.step else ("dynamics", " of the proximal augmented Lagrangian,")  # fmt: skip
    return [
        Paragraph(
            ("Consider the primal-dual ", *kind)
        ),
        Display(tuple(map(Math, lines))),
        Paragraph(("with the oracles",)),
        Display(
            (
                Math(rf"{y_f} = x,\qquad {u_f} {write_output(system, names, 0)}"),
                Math(rf"{y_g} = {evaluated}({inside})"),
                Math(rf"{u_g} = ({inside}-{y_g})/\gamma {write_output(system, names, 1)}"),
            )
        ),
        Where(((Math(r"\gamma"), system.penalty), *(((Math("h"), system.step),) if system.step else ()))),
        *describe_operator(system),
    ]  # fmt: skip


def _signals(names: Symbols) -> tuple[tuple[str, str], tuple[str, str]]:
    """Inputs and outputs of f and g."""
    return (names.signal("y", 0), names.signal("y", 1)), (names.signal("u", 0), names.signal("u", 1))


def proximal_assumptions(system: ProximalLagrangianSystem) -> list[Sentence]:
    """Standing assumptions."""
    (y_f, y_g), (u_f, u_g) = ((rf"{one}^{{\star}}" for one in pair) for pair in _signals(Symbols.of(system)))
    known = system.operator
    full = f" (The operator has full row rank {len(known)}, as is checked.)" if known is not None else ""
    return [
        ("Equilibrium: ", Math(r"(x^{\star},\lambda^{\star})"), " is at rest, with ", Math(rf"{y_f} = x^{{\star}}"),
         ", ", Math(rf"{y_g} = Kx^{{\star}}"), ", ", Math(rf"{u_f} = -K^{{\mathsf{{T}}}}\lambda^{{\star}}"), ", ",
         Math(rf"{u_g} = \lambda^{{\star}}"), f" for the oracles. That it exists is assumed, not proved.{full}"),
        ("Solution: sequences ", Math("x(k)"), ", ", Math(r"\lambda(k)"), " satisfy the relations at every ",
         Math("k"), ".") if system.step else
        ("Solution: ", Math(r"(x,\lambda)"), " is absolutely continuous on an interval ", Math("[0,T)"),
         " and satisfies the relations for almost every ", Math("t"), "."),
    ]  # fmt: skip


def _describe_coordinates(system: ProximalLagrangianSystem) -> Iterable[Block]:
    """How the state splits along the singular vectors of K."""
    yield SPLIT
    items: list[Sentence] = []
    for k, (low, high) in enumerate(system.intervals, start=1):
        pair: Sentence = (Math(rf"x_{{{k}}},\lambda_{{{k}}}"), ": ", Math("s"))
        if low == high:
            items.append((*pair, " is ", with_decimal(low)))
            continue
        ends = Math(rf"s_{{{k}}}^{{-}} = {tex_number(low)}"), Math(rf"s_{{{k}}}^{{+}} = {tex_number(high)}")
        items.append((*pair, " lies between ", ends[0], " and ", ends[1], ", as is proved"))
    if system.modes[-1].idle:
        items.append((Math("x_{0}"), ": the null space of ", Math("K")))
    yield Listing(tuple(items))


def proximal_storage(certificate: Certificate) -> Iterable[Block]:
    """V as a sum over the modes."""
    from .statement import describe_values, weighted_oracles

    system = certificate.system
    if not isinstance(system, ProximalLagrangianSystem):
        raise TypeError("internal error: not a proximal augmented Lagrangian")
    names = Symbols.of(system)
    weights = certificate.value_weights
    yield from describe_coordinates(system) if system.operator is None else _describe_coordinates(system)
    yield Paragraph(("Then",))
    yield from write_modes(
        certificate,
        [
            Term(weights.get(name, Fraction(0)), names.signal(r"\lambda", j), names.signal(r"\varphi", j))
            for j, name in enumerate(system.oracle_names)
        ],
    )
    yield from describe_values(system, weighted_oracles(certificate), lead="where")


def proximal_sites(
    certificate: Certificate, system: ProximalLagrangianSystem
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Part, mode and signals of each condition, in the order of the pencil; at the ends of an interval, which end."""
    scaled = isinstance(certificate.claim, ScaledClaim)
    if isinstance(certificate.claim, ScaledClaim):  # a part of all modes comes before the next part
        for part in list_scaled_parts(certificate.claim):
            for mode in system.modes:
                yield from _decrease_sites(system, part.name, mode)
    yield from list_span_sites(certificate, system)
    for mode in system.modes:
        states, both = _mode_symbols(system, mode)
        if not scaled and not mode.is_end:
            yield from _decrease_sites(system, "decrease", mode)
        yield "positivity", mode.label, both
        if certificate.is_bounded:
            yield "upper bound", mode.label, both
        if getattr(certificate.template, "definite", False):
            yield "storage", mode.label, states


def _mode_symbols(system: ProximalLagrangianSystem, mode: Mode) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """States of a mode; and the same with its outputs."""
    states = name_states(mode.label)
    at = "0" if mode.idle else mark_of(mode.label)
    return states, states + tuple(f"u_{{{mark},{at}}}" for mark in Symbols.of(system).marks)


def _decrease_sites(
    system: ProximalLagrangianSystem, part: str, mode: Mode
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Sites of a part that moves, one at each end of a mode."""
    for end in (" low", " high") if len(mode.vertices) > 1 else ("",):
        yield part, f"{mode.label}{end}", _mode_symbols(system, mode)[1]


def prepare_proximal(system: ProximalLagrangianSystem) -> Iterator[Block]:
    """What the proof needs to know of the coordinates."""
    (y_f, y_g), (u_f, u_g) = _signals(Symbols.of(system))
    yield Paragraph(
        ("From here on ", Math(r"x, \lambda, y, u"), " are the deviations from the equilibrium, split as the state is "
         "for V. In the coordinates of a singular value ", Math("s"), ",")
    )  # fmt: skip
    ascent = rf"\gamma\,({u_g}-\lambda)"
    motion = rf"\dot{{x}} = -{u_f}-s\,{u_g},\qquad \dot{{\lambda}} = {ascent}"
    still = rf"\dot{{x}} = -{u_f}"
    if system.step:
        motion = rf"x^{{+}} = x-h\,({u_f}+s\,{u_g}),\qquad \lambda^{{+}} = \lambda+h{ascent}"
        still = rf"x^{{+}} = x-h\,{u_f}"
    yield Display(
        (
            Math(motion),
            Math(rf"{y_f} = x,\qquad {y_g} = s\,x+\gamma\,(\lambda-{u_g})"),
        )
    )
    null: Sentence = (
        "and on the null space ", Math(still), ", where g has no signals. "
    ) if system.modes[-1].idle else ()  # fmt: skip
    yield Paragraph(
        (*null, "Class inequalities contain inner products only, so each is a multiple of a function value plus a sum "
         "over the coordinates. Let ", Math(r"N = |x|^{2}+|\lambda|^{2}"), ", the squared norm of the state.")
    )  # fmt: skip


def lead_proximal(system: ProximalLagrangianSystem, part: str) -> Sentence:
    """What leads in one part of the proof."""
    if system.spans:
        return lead_coordinates(system, part)
    if part != "decrease" or all(low == high for low, high in system.intervals):
        return ("The following is an identity in the coordinates:",)
    why = (", because V is convex and positive",) if system.step else ()
    return (
        "The following is an identity in the coordinates, for every ", Math("s"), "; each ", Math("S_{k}"),
        " is concave in ", Math("s"), *why,
        ", so it is enough that it is a sum of squares at both ends of an interval:",
    )  # fmt: skip


def name_proximal_sum(system: ProximalLagrangianSystem, step: Step) -> tuple[str, str]:
    """Symbol of a mode's sum of squares, and where it holds."""
    if system.operator is None:
        return name_coordinate_sum(step)
    mark = mark_of(step.mode)
    sign = {"low": "-", "high": "+"}.get(step.mode.rpartition(" ")[2])
    return f"S_{{{mark}}}", rf"\ \ (s = s_{{{mark}}}^{{{sign}}})" if sign else ""
