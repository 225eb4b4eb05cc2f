"""The words of a primal-dual system: its equations, its standing assumptions and its modal storage function."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from ..certificates import Certificate
from ..dynamics import PrimalDualSystem
from ..exact.matrices import shape
from .formulas import Block, Display, Listing, Math, Matrices, Paragraph, Sentence, Term, Where, combine
from .numbers import with_decimal
from .symbols import Symbols, quadratic_terms

__all__ = ["constrained_assumptions", "constrained_motion", "constrained_storage", "describe_modes"]


def constrained_motion(system: PrimalDualSystem) -> list[Block]:
    """Equations of motion and the constraint matrix."""
    m, n = shape(system.constraint)
    where: list[tuple[Math, Fraction]] = []
    primal = [
        Term(Fraction(-1), "", "u"), Term(Fraction(-1), "", r"E^{\mathsf{T}}\lambda"),
        Term(-system.augmentation, "(-a)", r"E^{\mathsf{T}}(Ex-b)"),
    ]  # fmt: skip
    dual = [Term(system.dual_gain, r"\eta", "(Ex-b)" if system.dual_gain != 1 else "Ex-b")]
    relation = r"= \nabla f(x)" if system.oracle.is_single_valued else r"\in \partial f(x)"
    lines = (
        Math(combine(primal, where, head=r"\dot{x} = ")[0].tex + rf",\qquad u {relation}"),
        *combine(dual, where, head=r"\dot{\lambda} = "),
    )
    return [
        Paragraph(
            ("Consider the saddle-point dynamics, with ", Math(rf"x \in \mathbb{{R}}^{{{n}}}"), ", ",
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
    return [
        ("Consistent constraints: ", Math("Ex = b"), f" has a solution. ({m} x {n}, full row rank {m}, is checked.)"),
        ("Equilibrium: ", Math(r"(x^{\star},\lambda^{\star})"), " with ", Math(r"Ex^{\star} = b"), " and ",
         Math(r"u^{\star} = -E^{\mathsf{T}}\lambda^{\star}"), " in the oracle's output at ", Math(r"x^{\star}"),
         ". That it exists is assumed, not proved."),
        ("Solution: ", Math(r"(x,\lambda)"), " is absolutely continuous on an interval ", Math("[0,T)"),
         " and satisfies the relations for almost every ", Math("t"), "."),
    ]  # fmt: skip


def describe_modes(system: PrimalDualSystem) -> Iterable[Block]:
    """How the state splits along the singular values of the constraint matrix."""
    items: list[Sentence] = []
    for k, (low, high) in enumerate(system.enclosures, start=1):
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
    terms.append(Term(weight, names.signal(r"\lambda", 0), names.signal(r"\varphi", 0)))
    yield from describe_modes(system)
    yield Paragraph(("Then",))
    yield Display(combine(terms, where, head="V = "))
    yield from describe_values(system, weighted_oracles(certificate), lead="where")
    if where:
        yield Where(tuple(where))
