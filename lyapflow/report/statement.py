"""The theorem of a certificate in words and formulas, from its exact data alone.

Everything is read from the matrices, the classes, the claim and the unknowns; the system's label plays no part, so a
misnamed system cannot make the text say more than was proved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from ..certificates import Certificate
from ..classes import SectorBounded, SlopeRestricted
from ..classes.inequalities import ANY, ZERO_OUTPUT
from ..dynamics import LureSystem, PrimalDualSystem
from ..errors import CertificateFormatError
from ..lmi.dissipation import UPPER
from .constrained import constrained_assumptions, constrained_motion, constrained_storage
from .formulas import Block, Display, Listing, Math, Paragraph, Sentence, Term, Where, combine, text_of
from .numbers import approximate, tex_approximate, tex_number
from .symbols import Symbols, kind_of, quadratic_terms, state

__all__ = ["Statement", "describe_rate", "find_digest", "state_theorem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A theorem as blocks of words and formulas.

    Attributes
    ----------
    hypotheses : tuple of Block
        Equations of motion, what is known of the oracles, standing assumptions.
    conclusion : tuple of Block
        What holds.
    storage : tuple of Block
        The function V that proves it.
    """

    hypotheses: tuple[Block, ...]
    conclusion: tuple[Block, ...]
    storage: tuple[Block, ...]

    @property
    def text(self) -> str:
        """The theorem in plain text, every number exact."""
        parts = [("THEOREM", self.hypotheses), ("CONCLUSION", self.conclusion), ("STORAGE FUNCTION", self.storage)]
        return "\n\n".join(f"{title}\n\n{text_of(blocks)}" for title, blocks in parts) + "\n"


def state_theorem(certificate: Certificate, *, whole: bool = True) -> Statement:
    """The theorem that a certificate proves, if it is proved: see `lyapflow.verify`.

    Parameters
    ----------
    certificate : Certificate
        What to state.
    whole : bool, default True
        False leaves out the conclusion and V, which need the unknowns; for a certificate that is not proved.

    Returns
    -------
    Statement
        Hypotheses, conclusion, storage function.
    """
    system = certificate.system
    constrained = isinstance(system, PrimalDualSystem)
    motion = constrained_motion(system) if isinstance(system, PrimalDualSystem) else _motion(system)
    assumed = constrained_assumptions(system) if isinstance(system, PrimalDualSystem) else _assumptions(system)
    chain = tuple(_smoothness(certificate)) if whole else ()
    hypotheses = (*motion, *_oracle_hypotheses(system), Listing((*assumed, *chain, _exactness())))
    if not whole:
        return Statement(hypotheses=hypotheses, conclusion=(), storage=())
    storage = constrained_storage(certificate) if constrained else _storage(certificate)
    return Statement(hypotheses=hypotheses, conclusion=tuple(_conclusion(certificate)), storage=tuple(storage))


def find_digest(certificate: Certificate) -> str | None:
    """Digest of the certificate's file; None if it has a class of a user, which cannot be saved."""
    try:
        return certificate.digest
    except CertificateFormatError:
        return None


def _motion(system: LureSystem) -> list[Block]:
    n, m = system.shape
    names = Symbols.of(system)
    x = [state(n, i) for i in range(n)]
    u = [names.signal("u", j) for j in range(m)]
    where: list[tuple[Math, Fraction]] = []
    rows: list[Math] = []
    for i in range(n):
        terms = [Term(system.A[i][k], f"a_{{{i + 1},{k + 1}}}", x[k]) for k in range(n)]
        terms += [Term(system.B[i][j], f"b_{{{i + 1},{j + 1}}}", u[j]) for j in range(m)]
        rows += combine(terms, where, head=state(n, i, r"\dot{x}") + " = ")
    found: list[Block] = [Paragraph(("Consider the dynamics",)), Display(tuple(rows))]
    inputs: list[Math] = []
    for j in range(m):
        inputs += _relation(system, names, j, x, u, where)
    lead = "with the oracles, evaluated in this order," if m > 1 else "with the oracle"
    found += [Paragraph((lead,)), Display(tuple(inputs))]
    return [*found, Where(tuple(where))] if where else found


def _relation(
    system: LureSystem, names: Symbols, j: int, x: list[str], u: list[str], where: list[tuple[Math, Fraction]]
) -> list[Math]:
    """Where oracle j is evaluated, and how."""
    y, v, f = names.signal("y", j), names.signal("v", j), names.functions[j]
    terms = [Term(value, f"c_{{{j + 1},{k + 1}}}", x[k]) for k, value in enumerate(system.C[j])]
    terms += [Term(value, f"d_{{{j + 1},{k + 1}}}", u[k]) for k, value in enumerate(system.D[j]) if k < j]
    step = -system.D[j][j]
    output = _output(system, names, j)
    if step == 0:
        lines = combine(terms, where, head=f"{y} = ")
        return [*lines[:-1], Math(lines[-1].tex + rf",\qquad {u[j]} {output}")]
    gamma = names.signal(r"\gamma", j)
    if system.oracles[j].has_values and not isinstance(system.oracles[j], SlopeRestricted):
        evaluated = rf"\mathrm{{prox}}_{{{gamma} {f}}}({v})"
    else:
        evaluated = rf"(I+{gamma} {f})^{{-1}}({v})"
    lines = combine(terms, where, head=f"{v} = ")
    value = [Term(step, gamma)]
    return [
        *lines[:-1],
        Math(lines[-1].tex + rf",\qquad {y} = {evaluated},\qquad " + combine(value, where, head=f"{gamma} = ")[0].tex),
        Math(rf"{u[j]} = ({v}-{y})/{gamma} {output}"),
    ]


def _output(system: LureSystem, names: Symbols, j: int) -> str:
    r"""Relation of the output to the input, such as ``= \nabla f(y_f)``."""
    oracle, f, y = system.oracles[j], names.functions[j], names.signal("y", j)
    if isinstance(oracle, SectorBounded):
        return f"= {f}(t,{y})"
    if not oracle.has_values or isinstance(oracle, SlopeRestricted):
        return ("= " if oracle.is_single_valued else r"\in ") + f"{f}({y})"
    return rf"= \nabla {f}({y})" if oracle.is_single_valued else rf"\in \partial {f}({y})"


def _oracle_hypotheses(system: LureSystem | PrimalDualSystem) -> list[Block]:
    names = Symbols.of(system)
    items: list[Sentence] = []
    for name, f, oracle in zip(system.oracle_names, names.functions, system.oracles, strict=True):
        alias = () if name == f.removeprefix(r"\mathrm{").removesuffix("}") else (f" (the oracle named {name})",)
        items.append((f"The {kind_of(oracle)} ", Math(f), *alias, f" is {oracle.describe()}."))
    return [Paragraph(("where",)), Listing(tuple(items)), Paragraph(("Assume the following.",))]


def _assumptions(system: LureSystem) -> list[Sentence]:
    names = Symbols.of(system)
    still = tuple(
        Math(names.signal(kind, j) + r"^{\star} = 0")
        for j, o in enumerate(system.oracles)
        for kind in {ANY: "", ZERO_OUTPUT: "u"}.get(o.equilibria, "yu")
    )
    found: list[Sentence] = [
        ("Dimension: every signal takes values in ", Math(r"\mathbb{R}^{d}"), " for an arbitrary ", Math("d"),
         "; each number above acts as ", Math(r"(\cdot)\otimes I_{d}"), "."),
        ("Equilibrium: constant signals ", Math(r"(x^{\star},y^{\star},u^{\star})"), " satisfy all relations above. "
         "That they exist is assumed, not proved."),
    ]  # fmt: skip
    if still:
        found.append(("At this equilibrium ", *_join(still), ": the hypothesis measures from there."))
    found.append(
        ("Solution: ", Math("x"), " is absolutely continuous on an interval ", Math("[0,T)"),
         " and satisfies the relations for almost every ", Math("t"), ".")
    )  # fmt: skip
    return found


def _join(parts: tuple[Math, ...]) -> Sentence:
    found: list[str | Math] = []
    for k, part in enumerate(parts):
        found += [*([", "] if k else []), part]
    return tuple(found)


def _smoothness(certificate: Certificate) -> Iterable[Sentence]:
    """For nonsmooth functions whose value is a part of V, the chain rule is an assumption."""
    system = certificate.system
    names = Symbols.of(system)
    for j in weighted_oracles(certificate):
        if not system.oracles[j].is_single_valued:
            f, y, u = names.functions[j], names.signal("y", j), names.signal("u", j)
            if isinstance(system, PrimalDualSystem):
                y, u = "x", "u"
            yield (
                "Chain rule: ", Math(f"{f}({y}(t))"), " is finite and absolutely continuous with derivative ",
                Math(rf"\langle {u},\dot{{{y[0]}}}{y[1:]}\rangle"), " for almost every ", Math("t"), "; this is "
                "automatic for functions with a continuous gradient.",
            )  # fmt: skip


def _exactness() -> Sentence:
    return ("All numbers are exact as printed; a floating-point number stands for its binary value.",)


def _conclusion(certificate: Certificate) -> Iterable[Block]:
    norm_t, norm_0 = _norms(isinstance(certificate.system, PrimalDualSystem))
    rate = describe_rate(certificate)
    shown: Sentence = ("with the exact rate ", Math(rate.tex), " of the state norm", _rounded(rate, "down"))
    yield Paragraph(
        ("Then, for every member of these classes, every such equilibrium, every solution and all ",
         Math(r"t \in [0,T)"), ",")
    )  # fmt: skip
    if certificate.is_bounded:
        yield Display((Math(rf"{norm_t} \leq c\,e^{{-\rho t}}\,{norm_0}"),))
        yield Paragraph((*shown, " and ", *_constant(certificate), "."))
        return
    yield Display(
        (
            Math(r"V(t) \leq e^{-2\rho t}\,V(0)"),
            Math(rf"{norm_t} \leq \sqrt{{V(t)}} \leq e^{{-\rho t}}\sqrt{{V(0)}}"),
        )
    )
    yield Paragraph(
        (*shown, " and V as given below. No bound of ", Math("V(0)"), " by the initial distance is proved: V contains "
         "the value of a function without a Lipschitz gradient, or none was found.")
    )  # fmt: skip


def describe_rate(certificate: Certificate) -> Math:
    """The exact rate, with its decimal rounded down."""
    rate = certificate.rate
    decimal = "" if rate.denominator == 1 else " " + tex_approximate(rate, side="down")
    return Math(rf"\rho = {tex_number(rate)}{decimal}")


def _rounded(value: Math, way: str) -> str:
    return f" (decimal rounded {way})" if r"\approx" in value.tex else ""


def _constant(certificate: Certificate) -> Sentence:
    c2, c = certificate.values[UPPER], certificate.transient_bound
    if c * c == c2:
        return (Math(f"c = {tex_number(c)}"),)
    root = rf"c = \sqrt{{{tex_number(c2)}}} \leq {approximate(c, side='up')}"
    return (Math(root), " (rounded up)")


def _norms(whole: bool) -> tuple[str, str]:
    if not whole:
        return r"\|x(t)-x^{\star}\|", r"\|x(0)-x^{\star}\|"
    rest = r"-(x^{\star},\lambda^{\star})\|"
    return r"\|(x,\lambda)(t)" + rest, r"\|(x,\lambda)(0)" + rest


def _storage(certificate: Certificate) -> Iterable[Block]:
    system = certificate.system
    n = system.shape[0]
    names = Symbols.of(system)
    x = tuple(state(n, i, r"\tilde{x}") for i in range(n))
    where: list[tuple[Math, Fraction]] = []
    terms = quadratic_terms(certificate.P, x, "p")
    weights = {j: certificate.value_weights.get(name, Fraction(0)) for j, name in enumerate(system.oracle_names)}
    terms += [Term(w, names.signal(r"\lambda", j), names.signal(r"\varphi", j)) for j, w in weights.items()]
    yield Paragraph(("With the deviations ", Math(r"\tilde{x} = x-x^{\star}"), ","))
    yield Display(combine(terms, where, head="V = "))
    yield from describe_values(system, weighted_oracles(certificate), lead="where")
    if where:
        yield Where(tuple(where))


def describe_values(system: LureSystem | PrimalDualSystem, oracles: Iterable[int], *, lead: str) -> Iterable[Block]:
    """What the function values of some oracles are: Bregman distances from the equilibrium."""
    names = Symbols.of(system)
    lines: list[Math] = []
    for j in sorted(oracles):
        f, y, u = names.functions[j], names.signal("y", j), names.signal("u", j)
        if isinstance(system, PrimalDualSystem):
            y, u = "x", "u"
        phi, ys, us = names.signal(r"\varphi", j), rf"{y}^{{\star}}", rf"{u}^{{\star}}"
        if isinstance(system.oracles[j], SlopeRestricted):
            f = rf"\Phi_{{{names.marks[j]}}}"
            lines.append(Math(rf"\nabla {f} = {names.functions[j]}"))
        lines.append(Math(rf"{phi} = {f}({y})-{f}({ys})-\langle {us},{y}-{ys}\rangle"))
    if lines:
        yield Paragraph((lead,))
        yield Display(tuple(lines))


def weighted_oracles(certificate: Certificate) -> tuple[int, ...]:
    """Oracles whose value is a part of V."""
    weights = certificate.value_weights
    return tuple(j for j, name in enumerate(certificate.system.oracle_names) if weights.get(name))
