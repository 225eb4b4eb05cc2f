"""The words of a saddle flow, and of intervals of singular values: relations, hypotheses, V and the proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from ..certificates import Certificate
from ..dynamics import ProximalLagrangianSystem, SaddleSystem
from ..exact.matrices import shape
from .formulas import Block, Display, Math, Matrices, Paragraph, Sentence, Term, Where, combine
from .hypotheses import write_output
from .iteration import describe_coordinates, mark_of, name_states, write_modes
from .numbers import tex_number
from .symbols import Symbols

__all__ = [
    "assume_idle",
    "describe_operator",
    "list_span_sites",
    "prepare_saddle",
    "saddle_assumptions",
    "saddle_motion",
    "saddle_sites",
    "saddle_storage",
]

Modal = SaddleSystem | ProximalLagrangianSystem
"""Systems that split along the singular vectors of an operator, which may be known by an interval only."""


def saddle_motion(system: SaddleSystem) -> list[Block]:
    """Equations of motion, the oracles and the operator."""
    names = Symbols.of(system)
    where: list[tuple[Math, Fraction]] = []
    h = system.step or Fraction(1)
    u, dual = names.signal("u", 0), "Kx-b" if system.g is None else f"Kx-{names.signal('u', 1)}"
    primal = [
        Term(-h, "(-h)", u), Term(-h, "(-h)", r"K^{\mathsf{T}}\lambda"),
        Term(-h * system.augmentation, "(-ha)", r"K^{\mathsf{T}}(Kx-b)"),
    ]  # fmt: skip
    gain = h * system.dual_gain
    ascent = [Term(gain, r"h\eta" if system.step else r"\eta", f"({dual})" if gain != 1 or system.step else dual)]
    heads = (r"\dot{x} = ", r"\dot{\lambda} = ")
    if system.step:
        primal, ascent = [Term(Fraction(1), "", "x"), *primal], [Term(Fraction(1), "", r"\lambda"), *ascent]
        heads = ("x^{+} = ", r"\lambda^{+} = ")
    lines = (*combine(primal, where, head=heads[0]), *combine(ascent, where, head=heads[1]))
    inputs = (("x", 0), (r"\lambda", 1))[: len(system.oracles)]
    kind: Sentence = (
        "iteration, for ", Math(r"k = 0,1,2,\ldots"), " and with ", Math("x = x(k)"), ", ", Math("x^{+} = x(k+1)"),
        " and the like",
    ) if system.step else ("dynamics",)  # fmt: skip
    arbitrary: Sentence = (", with an arbitrary vector ", Math("b")) if system.g is None else ()
    return [
        Paragraph(("Consider the saddle-point ", *kind, *arbitrary, ",")),
        Display(lines),
        *([Where(tuple(where))] if where else []),
        Paragraph(("with the oracles" if system.g is not None else "with the oracle",)),
        Display(
            tuple(
                Math(rf"{names.signal('y', j)} = {x},\qquad {names.signal('u', j)} {write_output(system, names, j)}")
                for x, j in inputs
            )
        ),
        *describe_operator(system),
    ]


def describe_operator(system: Modal) -> Iterator[Block]:
    """The linear operator, or what is known of it."""
    if system.operator is not None:
        m, n = shape(system.operator)
        where = (Math(rf"x \in \mathbb{{R}}^{{{n}}}"), ", ", Math(rf"\lambda \in \mathbb{{R}}^{{{m}}}"))
        yield Paragraph(("with ", *where, " and the linear operator, taken exactly,"))
        yield Matrices(((Math("K"), system.operator),))
        return
    ranges: list[tuple[Fraction, Fraction]] = []
    for low, high in system.intervals:
        ranges[-1:] = [(ranges[-1][0], high)] if ranges and ranges[-1][1] == low else [*ranges[-1:], (low, high)]
    told = r" \cup ".join(f"[{tex_number(low)},{tex_number(high)}]" for low, high in ranges)
    if isinstance(system, SaddleSystem) and system.g is None:
        yield Paragraph(
            ("and any real matrix ", Math("K"), ", not zero, of any dimensions and rank, all of whose positive "
             "singular values lie in ", Math(told), ".")
        )  # fmt: skip
        return
    full = ". So K has full row rank" if ranges[0][0] else ". It may have any dimensions and rank"
    yield Paragraph(
        ("and any real matrix ", Math("K"), ", each eigenvalue of ", Math(r"KK^{\mathsf{T}}"),
         " being the square of a number in ", Math(told), f"{full}.")
    )  # fmt: skip


def saddle_assumptions(system: SaddleSystem) -> list[Sentence]:
    """Standing assumptions."""
    names = Symbols.of(system)
    u = [rf"{names.signal('u', j)}^{{\star}}" for j in range(len(system.oracles))]
    dual = r"Kx^{\star} = b" if system.g is None else rf"{u[1]} = Kx^{{\star}}"
    found: list[Sentence] = [
        ("Equilibrium: ", Math(r"(x^{\star},\lambda^{\star})"), " is at rest, with ",
         Math(rf"{u[0]} = -K^{{\mathsf{{T}}}}\lambda^{{\star}}"), " and ", Math(dual),
         ". That it exists is assumed, not proved."),
        ("Solution: sequences ", Math("x(k)"), ", ", Math(r"\lambda(k)"), " satisfy the relations at every ",
         Math("k"), ".") if system.step else
        ("Solution: ", Math(r"(x,\lambda)"), " is absolutely continuous on an interval ", Math("[0,T)"),
         " and satisfies the relations for almost every ", Math("t"), "."),
    ]  # fmt: skip
    return [*found, assume_idle("K", discrete=system.step > 0)] if system.g is None else found


def assume_idle(K: str, *, discrete: bool) -> Sentence:
    """What a theorem about a constraint with dependent rows says, and what it does not."""
    how = "at each step by " if discrete else "with the constant velocity "
    gain = r"h\eta" if discrete else r"\eta"
    return (
        "Dependent rows: if rows of ", Math(K), " are dependent, ", Math(r"\lambda"), " and ", Math(r"\lambda^{\star}"),
        " stand in the theorem for their components in the range of ", Math(K), ". Nothing is claimed of the other "
        "component, in the null space of ", Math(rf"{K}^{{\mathsf{{T}}}}"), ": it does not move if ", Math(f"{K}x = b"),
        " has a solution. If there is none, the theorem holds with the projection of ", Math("b"), " onto the range "
        "of ", Math(K), " in place of ", Math("b"), f", and the other component moves {how}",
        Math(rf"-{gain}\,r"), ", where ", Math("r"), " is the rest of ", Math("b"), ".",
    )  # fmt: skip


def saddle_storage(certificate: Certificate) -> Iterable[Block]:
    """V as a sum over singular values, affine in them on an interval."""
    from .statement import describe_values, weighted_oracles

    system = certificate.system
    if not isinstance(system, SaddleSystem):
        raise TypeError("internal error: not a saddle flow")
    names, weights = Symbols.of(system), certificate.value_weights
    yield from describe_coordinates(system)
    yield Paragraph(("Then",))
    yield from write_modes(
        certificate,
        [
            Term(weights.get(name, Fraction(0)), names.signal(r"\lambda", j), names.signal(r"\varphi", j))
            for j, name in enumerate(system.oracle_names)
        ],
    )
    yield from describe_values(system, weighted_oracles(certificate), lead="where")


def saddle_sites(certificate: Certificate) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Part, mode and signals of each condition, in the order of the pencil."""
    system = certificate.system
    if not isinstance(system, SaddleSystem):
        raise TypeError("internal error: not a saddle flow")
    yield from list_span_sites(certificate, system)
    for mode in system.modes:
        states, both = _name_signals(system, mode.label)
        if not mode.is_end:
            yield "decrease", mode.label, both
        yield "positivity", mode.label, both
        if certificate.is_bounded:
            yield "upper bound", mode.label, both
        if getattr(certificate.template, "definite", False):
            yield "storage", mode.label, states


def list_span_sites(certificate: Certificate, system: Modal) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Sites of the decrease on the intervals: powers of t times the signals."""
    if not system.spans:
        return
    sizes = {condition.name: len(condition.signals) for condition in certificate.pencil().conditions}
    for span in system.spans:
        base = _name_signals(system, span.label)[1]
        for part in ("decrease", "decrease multiplier"):
            powers = range(sizes.get(f"{part} of {span.label}", 0) // len(base))
            if powers:
                yield part, span.label, tuple(_write_power(k) + signal for k in powers for signal in base)


def _write_power(k: int) -> str:
    return ("", "t")[k] if k < 2 else f"t^{{{k}}}"


def _name_signals(system: Modal, label: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """States of a mode; and the same with its outputs."""
    states = name_states(label)
    mark = mark_of(label) if len(states) > 1 else "0"
    return states, states + tuple(f"u_{{{name},{mark}}}" for name in Symbols.of(system).marks)


def prepare_saddle(system: SaddleSystem) -> Iterator[Block]:
    """What the proof needs to know of the coordinates."""
    names = Symbols.of(system)
    u = [names.signal("u", j) for j in range(len(system.oracles))]
    where: list[tuple[Math, Fraction]] = []
    h, gain = system.step or Fraction(1), system.dual_gain * (system.step or 1)
    ascent = r"s\,x" if system.g is None else rf"s\,x-{u[1]}"
    ascent = ascent if system.g is None or gain == 1 else f"({ascent})"
    primal = [
        Term(-h, "(-h)", u[0]), Term(-h, "(-h)", r"s\,\lambda"), Term(-h * system.augmentation, "(-ha)", r"s^{2}x"),
    ]  # fmt: skip
    dual = [Term(gain, r"h\eta" if system.step else r"\eta", ascent)]
    heads = (r"\dot{x} = ", r"\dot{\lambda} = ")
    if system.step:
        primal, dual = [Term(Fraction(1), "", "x"), *primal], [Term(Fraction(1), "", r"\lambda"), *dual]
        heads = ("x^{+} = ", r"\lambda^{+} = ")
    yield Paragraph(
        ("From here on ", Math(r"x, \lambda, u"), " are the deviations from the equilibrium, split as the state is for "
         "V. In the coordinates of a singular value ", Math("s"), ", which is 0 on the null spaces,")
    )  # fmt: skip
    yield Display((*combine(primal, where, head=heads[0]), *combine(dual, where, head=heads[1])))
    if where:
        yield Where(tuple(where))
    yield Paragraph(
        ("Class inequalities contain inner products only, so each is a multiple of a function value plus a sum over "
         "the coordinates. Let ", Math(r"N = |x|^{2}+|\lambda|^{2}"), ", the squared norm of the state.")
    )  # fmt: skip
