"""The words of a primal-dual iteration: its relations, its hypotheses, its storage function and its decrease."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from ..certificates import Certificate
from ..classes import SlopeRestricted
from ..dynamics import PrimalDualIteration, ProximalLagrangianSystem, SaddleSystem
from ..exact.matrices import shape
from ..lmi.lifted import BASE
from .clock import Clock
from .formulas import Block, Display, Listing, Math, Matrices, Paragraph, Sentence, Term, Where, combine
from .hypotheses import write_output
from .numbers import tex_number, with_decimal
from .symbols import Symbols, belongs, quadratic_terms

if TYPE_CHECKING:
    from .proof import Step

__all__ = [
    "SPLIT",
    "WEIGHT",
    "describe_coordinates",
    "iteration_assumptions",
    "iteration_motion",
    "iteration_sites",
    "iteration_storage",
    "lead_coordinates",
    "mark_of",
    "name_coordinate_sum",
    "name_states",
    "prepare_coordinates",
    "storage_symbol",
    "write_modes",
]

WEIGHT = "(1-t^{2})"
"""Factor of a sum of squares that is nonnegative on an interval of singular values."""

SPLIT = Paragraph(
    ("Split ", Math(r"x-x^{\star}"), " and ", Math(r"\lambda-\lambda^{\star}"), " into coordinates along orthonormal "
     "singular vectors of ", Math("K"), ", right and left ones; ", Math("s"), " is the singular value. A symbol stands "
     "for all coordinates of its kind, and they add up:")
)  # fmt: skip
"""What leads in the coordinates."""

_REACH = r"x^{+}+\theta(x^{+}-x)"


def iteration_motion(system: PrimalDualIteration) -> list[Block]:
    """The iteration, its relations and its linear operator."""
    names = Symbols.of(system)
    f, g = names.functions
    y_f, y_g, u_f, u_g = (names.signal(letter, j) for letter in "yu" for j in (0, 1))
    primal = rf"\mathrm{{prox}}_{{\tau\,{f}}}" if _is_function(system, 0) else rf"(I+\tau {f})^{{-1}}"
    dual = rf"\mathrm{{prox}}_{{\sigma\,{g}^{{*}}}}" if _is_function(system, 1) else rf"(I+\sigma {g}^{{-1}})^{{-1}}"
    steps = (("\\tau", system.step_primal), ("\\sigma", system.step_dual), ("\\theta", system.extrapolation))
    return [
        Paragraph((*Clock.of(system).motion[:-1], " and likewise for ", Math(r"\lambda"), ",")),
        Display(
            (
                Math(rf"x^{{+}} = {primal}(x-\tau K^{{\mathsf{{T}}}}\lambda)"),
                Math(rf"\lambda^{{+}} = {dual}(\lambda+\sigma K({_REACH}))"),
            )
        ),
        Paragraph(("that is, with the oracles",)),
        Display(
            (
                Math(rf"{y_f} = x^{{+}},\qquad {u_f} = (x-x^{{+}})/\tau-K^{{\mathsf{{T}}}}\lambda "
                     + write_output(system, names, 0)),
                Math(rf"{y_g} = (\lambda-\lambda^{{+}})/\sigma+K({_REACH}),\qquad {u_g} = \lambda^{{+}} "
                     + write_output(system, names, 1)),
            )
        ),
        Where(tuple((Math(symbol), value) for symbol, value in steps)),
        *_operator(system),
    ]  # fmt: skip


def _is_function(system: PrimalDualIteration, j: int) -> bool:
    return system.oracles[j].has_values and not belongs(system.oracles[j], SlopeRestricted)


def _operator(system: PrimalDualIteration) -> Iterator[Block]:
    if system.operator is not None:
        m, n = shape(system.operator)
        where = (Math(rf"x \in \mathbb{{R}}^{{{n}}}"), ", ", Math(rf"\lambda \in \mathbb{{R}}^{{{m}}}"))
        yield Paragraph(("with ", *where, " and the linear operator, taken exactly,"))
        yield Matrices(((Math("K"), system.operator),))
        return
    ((low, high),) = system.intervals
    yield Paragraph(
        ("and any real matrix ", Math("K"), ", of any dimensions, with, for all ", Math(r"x, \lambda"), ",")
    )
    bounds = [("Kx", "x"), (r"K^{\mathsf{T}}\lambda", r"\lambda")]
    least, most = ("" if value == 1 else tex_number(value) + r"\," for value in (low, high))
    lines = [rf"|{image}| \leq {most}|{x}|" for image, x in bounds]
    if low:
        lines = [rf"{least}|{x}| \leq {line}" for (_, x), line in zip(bounds, lines, strict=True)]
    yield Display(tuple(map(Math, lines)))


def iteration_assumptions(system: PrimalDualIteration) -> list[Sentence]:
    """Standing assumptions."""
    names = Symbols.of(system)
    rest = [rf"{names.signal(letter, j)}^{{\star}}" for letter in "yu" for j in (0, 1)]
    values = [r"x^{\star}", r"Kx^{\star}", r"-K^{\mathsf{T}}\lambda^{\star}", r"\lambda^{\star}"]
    at = [part for a, b in zip(rest, values, strict=True) for part in (Math(f"{a} = {b}"), ", ")]
    return [
        ("Equilibrium: ", Math(r"(x^{\star},\lambda^{\star})"), " is left where it is by the iteration; there ", *at,
         "outputs of the oracles. That it exists is assumed, not proved."),
        ("Solution: sequences ", Math("x(k)"), ", ", Math(r"\lambda(k)"), " satisfy the relations at every ", Math("k"),
         "."),
    ]  # fmt: skip


def mark_of(label: str) -> str:
    """Subscript of a mode, such as 1 of ``"sigma1 low"``; those of the null spaces are x and lambda."""
    return {"null primal": "x", "null dual": r"\lambda"}.get(label) or label.split()[0].removeprefix("sigma")


def storage_symbol(label: str) -> str:
    """Symbol of a mode's storage matrix; ``P_{1}^{-}`` and ``P_{1}^{+}`` stand at the ends of an interval."""
    end = {"low": "^{-}", "high": "^{+}"}.get(label.rpartition(" ")[2], "")
    return f"P_{{{mark_of(label)}}}{end}"


def name_states(label: str) -> tuple[str, ...]:
    """State symbols of a mode."""
    single = {"null primal": ("x_{0}",), "null dual": (r"\lambda_{0}",)}
    return single.get(label) or (f"x_{{{mark_of(label)}}}", rf"\lambda_{{{mark_of(label)}}}")


def describe_coordinates(system: PrimalDualIteration | SaddleSystem | ProximalLagrangianSystem) -> Iterable[Block]:
    """How the state splits along the singular vectors of K."""
    yield SPLIT
    items: list[Sentence] = []
    for k, (low, high) in enumerate(system.intervals, start=1):
        pair: Sentence = (Math(rf"x_{{{k}}},\lambda_{{{k}}}"), ": ")
        if low == high:
            items.append((*pair, Math("s"), " is ", with_decimal(low)))
            continue
        centre, radius = (low + high) / 2, (high - low) / 2
        found = "" if system.operator is None else ", as is proved"
        items.append(
            (*pair, Math("s"), f" lies between {low} and {high}{found}: ", Math(r"s = s_{0}+t\,s_{1}"), " with ",
             Math(rf"s_{{0}} = {tex_number(centre)}"), ", ", Math(rf"s_{{1}} = {tex_number(radius)}"), ", ",
             Math(r"|t| \leq 1"))
        )  # fmt: skip
    labels = {mode.label for mode in system.modes}
    null = {"null primal": ("x_{0}", "K"), "null dual": (r"\lambda_{0}", r"K^{\mathsf{T}}")}
    items += [(Math(x), ": the null space of ", Math(K)) for label, (x, K) in null.items() if label in labels]
    if system.operator is None and system.intervals[0][0] == 0:
        items.append(
            (
                "null spaces belong to ",
                Math("s = 0"),
                "; a coordinate without a partner has 0 beside it",
            )
        )
    yield Listing(tuple(items))


def iteration_storage(certificate: Certificate) -> Iterable[Block]:
    """V as a sum over singular values, affine in them on an interval."""
    system = certificate.system
    if not isinstance(system, PrimalDualIteration):
        raise TypeError("internal error: not a primal-dual iteration")
    yield from describe_coordinates(system)
    yield Paragraph(("Then",))
    yield from write_modes(certificate)


def write_modes(certificate: Certificate, values: Iterable[Term] = ()) -> Iterator[Block]:
    """V as the sum of its parts and function values, and the parts in their coordinates."""
    where: list[tuple[Math, Fraction]] = []
    lines: list[Math] = []
    marks: dict[str, None] = {}
    for label, P in certificate.storage.items():
        mark, symbol = mark_of(label), storage_symbol(label).replace("P", "V")
        if label.endswith("low"):
            lines.append(
                Math(rf"V_{{{mark}}} = \frac{{1-t}}{{2}}V_{{{mark}}}^{{-}}+\frac{{1+t}}{{2}}V_{{{mark}}}^{{+}}")
            )
        marks[mark] = None
        letter = storage_symbol(label).replace("P_{", "p^{(").replace("}^{-}", "-)}").replace("}^{+}", "+)}")
        letter = letter if letter.endswith(")}") else letter.removesuffix("}") + ")}"
        lines += combine(quadratic_terms(P, name_states(label), letter), where, head=f"{symbol} = ")
    total = combine([*(Term(Fraction(1), "", f"V_{{{mark}}}") for mark in marks), *values], where, head="V = ")
    yield Display((*total, *lines))
    if where:
        yield Where(tuple(where))


def iteration_sites(certificate: Certificate) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Part, mode and signals of each condition, in the order of the pencil."""
    system = certificate.system
    if not isinstance(system, PrimalDualIteration):
        raise TypeError("internal error: not a primal-dual iteration")
    names = Symbols.of(system)
    for span in system.spans:
        x, w = name_states(span.label)
        base = (x, w, f"{x}^{{+}}", f"{w}^{{+}}")
        yield "decrease", span.label, base + tuple(f"t{signal}" for signal in base)
        yield "decrease multiplier", span.label, base[: len(BASE)]
    for mode in system.modes:
        states = name_states(mode.label)
        mark = mark_of(mode.label) if len(states) > 1 else "0"
        both = states + tuple(f"u_{{{name},{mark}}}" for name in names.marks)
        if not mode.is_end:
            yield "decrease", mode.label, both
        yield "positivity", mode.label, both
        if certificate.is_bounded:
            yield "upper bound", mode.label, both


def prepare_coordinates(system: PrimalDualIteration) -> Iterator[Block]:
    """What the proof needs to know of the coordinates."""
    names = Symbols.of(system)
    y_f, y_g, u_f, u_g = (names.signal(letter, j) for letter in "yu" for j in (0, 1))
    yield Paragraph(
        ("From here on ", Math("y, u"), " are the deviations from the equilibrium, split as the state is for V, and a "
         "superscript + marks what belongs to the next step. In the coordinates of a singular value ", Math("s"),
         ", which is 0 on the null spaces,")
    )  # fmt: skip
    yield Display(
        (
            Math(rf"{y_f} = x^{{+}},\qquad {u_f} = (x-x^{{+}})/\tau-s\,\lambda"),
            Math(rf"{y_g} = (\lambda-\lambda^{{+}})/\sigma+s\,({_REACH}),\qquad {u_g} = \lambda^{{+}}"),
        )
    )
    norm = Math(r"N = |x-x^{\star}|^{2}+|\lambda-\lambda^{\star}|^{2}")
    yield Paragraph(
        ("Class inequalities contain inner products only, so each is a multiple of a function value plus a sum over "
         "the coordinates. Let ", norm, ", the squared norm of the state.")
    )  # fmt: skip


def lead_coordinates(system: PrimalDualIteration | SaddleSystem | ProximalLagrangianSystem, part: str) -> Sentence:
    """What leads in one part of the proof."""
    if not system.spans:
        return ("The following is an identity in the coordinates:",)
    if part == "decrease":
        return ("The following is an identity in the coordinates and in ", Math("t"), ", and ", Math(r"1-t^{2} \geq 0"),
                ":")  # fmt: skip
    return ("The following is an identity; each ", Math("S_{k}"), " is affine in ", Math("t"), ", so it is enough that "
            "it is a sum of squares at both ends:")  # fmt: skip


def name_coordinate_sum(step: Step) -> tuple[str, str]:
    """Symbol of a mode's sum of squares, with the weight that it may have, and where it holds."""
    at = {"low": r"\ \ (t = -1)", "high": r"\ \ (t = 1)"}.get(step.mode.rpartition(" ")[2], "")
    mark = mark_of(step.mode)
    return (f"{WEIGHT}T_{{{mark}}}" if step.part == "decrease multiplier" else f"S_{{{mark}}}"), at
