"""The words of a primal-dual system: its equations, its standing assumptions and its modal storage function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from ..certificates import Certificate
from ..dynamics import PrimalDualSystem
from ..exact.matrices import shape
from .bilinear import assume_idle
from .formulas import Block, Display, Listing, Math, Matrices, Paragraph, Sentence, Term, Where, combine
from .numbers import with_decimal
from .symbols import Symbols, quadratic_terms

if TYPE_CHECKING:
    from .proof import Step

__all__ = [
    "LEFT_OF_MODES",
    "constrained_assumptions",
    "constrained_motion",
    "constrained_storage",
    "describe_modes",
    "lead_modes",
    "mode_signals",
    "name_mode_sum",
    "prepare_modes",
]

_LEADS: dict[bool, Sentence] = {
    False: ("Consider the saddle-point dynamics, ",),
    True: (
        "Consider the saddle-point iteration, for ", Math(r"k = 0,1,2,\ldots"), " and with ", Math("x = x(k)"), ", ",
        Math("x^{+} = x(k+1)"), " and the like, ",
    ),
}  # fmt: skip

_MOST_MODES = 20

LEFT_OF_MODES = {"positivity": "V-N^{-}", "upper bound": "c_{2}N^{+}-V"}
"""Left sides of the bounds of V."""


def constrained_motion(system: PrimalDualSystem) -> list[Block]:
    """Equations of motion and the constraint matrix."""
    m, n = shape(system.constraint)
    where: list[tuple[Math, Fraction]] = []
    h = system.step or Fraction(1)
    primal = [
        Term(-h, "(-h)", "u"), Term(-h, "(-h)", r"E^{\mathsf{T}}\lambda"),
        Term(-h * system.augmentation, "(-ha)", r"E^{\mathsf{T}}(Ex-b)"),
    ]  # fmt: skip
    gain = h * system.dual_gain
    dual = [Term(gain, r"h\eta" if system.step else r"\eta", "(Ex-b)" if gain != 1 else "Ex-b")]
    heads = (r"\dot{x} = ", r"\dot{\lambda} = ")
    if system.step:
        primal, dual = [Term(Fraction(1), "", "x"), *primal], [Term(Fraction(1), "", r"\lambda"), *dual]
        heads = ("x^{+} = ", r"\lambda^{+} = ")
    relation = r"= \nabla f(x)" if system.oracle.is_single_valued else r"\in \partial f(x)"
    lines = (
        Math(combine(primal, where, head=heads[0])[0].tex + rf",\qquad u {relation}"),
        *combine(dual, where, head=heads[1]),
    )
    return [
        Paragraph(
            (*_LEADS[system.step > 0], "with ", Math(rf"x \in \mathbb{{R}}^{{{n}}}"), ", ",
             Math(rf"\lambda \in \mathbb{{R}}^{{{m}}}"), ",")
        ),
        Display(lines),
        *([Where(tuple(where))] if where else []),
        Paragraph(("with an arbitrary vector ", Math("b"), " and the constraint matrix, taken exactly,")),
        Matrices(((Math("E"), system.constraint),)),
    ]  # fmt: skip


def constrained_assumptions(system: PrimalDualSystem) -> list[Sentence]:
    """Standing assumptions."""
    m, n = shape(system.constraint)
    rank = f"{m} x {n}, full row rank {m}, is checked"
    idle: list[Sentence] = []
    if system.is_deficient:
        rank = f"{m} x {n}, rank {system.rank}, is checked"
        idle = [assume_idle("E", discrete=system.step > 0)]
    return [
        ("Consistent constraints: ", Math("Ex = b"), f" has a solution. ({rank}.)"),
        *idle,
        ("Equilibrium: ", Math(r"(x^{\star},\lambda^{\star})"), " with ", Math(r"Ex^{\star} = b"), " and ",
         Math(r"u^{\star} = -E^{\mathsf{T}}\lambda^{\star}"), " in the oracle's output at ", Math(r"x^{\star}"),
         ". That it exists is assumed, not proved."),
        ("Solution: sequences ", Math("x(k)"), ", ", Math(r"\lambda(k)"), " satisfy the relations at every ",
         Math("k"), ".") if system.step else
        ("Solution: ", Math(r"(x,\lambda)"), " is absolutely continuous on an interval ", Math("[0,T)"),
         " and satisfies the relations for almost every ", Math("t"), "."),
    ]  # fmt: skip


def describe_modes(system: PrimalDualSystem) -> Iterable[Block]:
    """How the state splits along the singular values of the constraint matrix."""
    items: list[Sentence] = []
    last = len(system.enclosures)
    for k, (low, high) in enumerate(system.enclosures, start=1):
        if is_many(system) and 2 < k < last:
            if k == 3:
                items.append(
                    (Math(rf"x_{{k}},w_{{k}}\quad (k = 3,\ldots,{last - 1})"), ": those in between, in file order")
                )
            continue
        at = (
            ("equal to ", with_decimal(low)) if low == high
            else ("in the proved enclosure [", with_decimal(low, side="down"), ", ", with_decimal(high, side="up"), "]")
        )  # fmt: skip
        items.append((Math(f"x_{{{k}}},w_{{{k}}}"), ": squared singular values ", *at))
    if len(system.modes) > len(system.enclosures):
        items.append((Math("x_{0}"), ": the null space of ", Math("E")))
    yield Paragraph(
        ("Let ", Math(r"\tilde{x} = x-x^{\star}"), ", ", Math(r"w = E^{\mathsf{T}}(\lambda-\lambda^{\star})"),
         " and split them orthogonally along the right singular spaces of ", Math("E"), ":")
    )  # fmt: skip
    yield Listing(tuple(items))


def is_many(system: PrimalDualSystem) -> bool:
    """Whether there are too many modes to write each out."""
    return len(system.enclosures) > _MOST_MODES


def mode_signals(system: PrimalDualSystem, index: int) -> tuple[str, ...]:
    """State symbols of the mode with that index in `PrimalDualSystem.modes`."""
    if index >= len(system.enclosures):
        return ("x_{0}",)
    return f"x_{{{index + 1}}}", f"w_{{{index + 1}}}"


def constrained_storage(certificate: Certificate) -> Iterable[Block]:
    """V as a sum over the modes."""
    from .statement import describe_values, weighted_oracles

    system = certificate.system
    if not isinstance(system, PrimalDualSystem):
        raise TypeError("internal error: not a primal-dual system")
    where: list[tuple[Math, Fraction]] = []
    terms: list[Term] = []
    for index, matrix in enumerate(certificate.storage.values()):
        mark = index + 1 if index < len(system.enclosures) else 0
        terms += quadratic_terms(matrix, mode_signals(system, index), f"p^{{({mark})}}")
    names = Symbols.of(system)
    weight = certificate.value_weights.get("f", Fraction(0))
    if is_many(system):
        where = []
        null = r"+p^{(0)}|x_{0}|^{2}" if len(system.modes) > len(system.enclosures) else ""
        mixed = r"2p^{(k)}_{12}\langle x_{k},w_{k}\rangle"
        sum_of = rf"\sum_{{k}}\bigl(p^{{(k)}}_{{11}}|x_{{k}}|^{{2}}+{mixed}+p^{{(k)}}_{{22}}|w_{{k}}|^{{2}}\bigr)"
        terms = [Term(Fraction(1), "", sum_of + null)]
    terms.append(Term(weight, names.signal(r"\lambda", 0), names.signal(r"\varphi", 0)))
    yield from describe_modes(system)
    yield Paragraph(("Then",))
    yield Display(combine(terms, where, head="V = "))
    yield from describe_values(system, weighted_oracles(certificate), lead="where")
    if where:
        yield Where(tuple(where))


def prepare_modes(system: PrimalDualSystem) -> Iterator[Block]:
    """What the proof needs to know of the modes."""
    yield from describe_modes(system)
    gains: Sentence = (Math(rf"\eta = {system.dual_gain}"), " and ", Math(f"a = {system.augmentation}"))
    motion = r"\dot{x}_{k} = -u_{k}-w_{k}-a\theta x_{k}", r"\dot{w}_{k} = \eta\theta x_{k}", r"\dot{x}_{0} = -u_{0}"
    if system.step:
        gains = (Math(f"h = {system.step}"), ", ", *gains)
        motion = (
            r"x_{k}^{+} = x_{k}-h(u_{k}+w_{k}+a\theta x_{k})", r"w_{k}^{+} = w_{k}+h\eta\theta x_{k}",
            "x_{0}^{+} = x_{0}-hu_{0}",
        )  # fmt: skip
    yield Paragraph(
        ("The output ", Math(r"u-u^{\star}"), " splits likewise into ", Math("u_{k}"), ". With ", Math(r"\theta"),
         " a squared singular value, ", Math(motion[0]), " and ", Math(motion[1]), ", where ", *gains,
         "; on the null space ", Math(motion[2]), ". Class inequalities contain inner products only, so each is a "
         "multiple of ", Math(r"\varphi_{f}"), " plus a sum over ", Math("k"), ".")
    )  # fmt: skip
    yield Paragraph(
        ("Let ", Math(r"N = |\tilde{x}|^{2}+|\lambda-\lambda^{\star}|^{2}"), "; in each mode ",
         Math(r"|\lambda-\lambda^{\star}|^{2}"), " is ", Math(r"|w_{k}|^{2}/\theta"), ".")
    )  # fmt: skip


def lead_modes(system: PrimalDualSystem, part: str) -> Sentence:
    """What leads in one part of the proof."""
    if part == "decrease":
        shape_of: Sentence = (" is affine in ", Math(r"\theta"))
        if system.step:  # V is convex, and the next state affine
            shape_of = (" is concave in ", Math(r"\theta"), ", because V is convex and positive")
        return ("The following is an identity; each ", Math("S_{k}"), *shape_of, ", so it is enough that it is a sum "
                "of squares at the ends of the enclosure:")  # fmt: skip
    sign, end = ("-", "lower") if part == "positivity" else ("+", "upper")
    relation = Math(r"N \leq N^{-}" if sign == "-" else r"N^{+} \leq N")
    return (
        "With ", Math(rf"N^{{{sign}}}"), " the quadratic form N with each squared singular value replaced by the "
        f"{end} end of its enclosure, so that ", relation, ",",
    )  # fmt: skip


def name_mode_sum(step: Step) -> tuple[str, str]:
    """Symbol of a mode's sum of squares, and where it holds."""
    mark = step.mode.removeprefix("sigma") if step.mode != "null" else "0"
    is_still = step.theta is None or step.part in {"positivity", "upper bound", "storage"}
    at = "" if is_still else rf"\ \ (\theta = {step.theta})"
    return f"S_{{{mark}}}", at
