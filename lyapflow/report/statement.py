"""The theorem of a certificate in words and formulas, from its exact data alone.

Everything is read from the matrices, the classes, the claim and the unknowns; the system's label plays no part, so a
misnamed system cannot make the text say more than was proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from ..certificates import Certificate
from ..classes import SlopeRestricted, StaticSector
from ..dynamics import (
    LureSystem,
    ParametricSystem,
    PolytopicSystem,
    PrimalDualIteration,
    PrimalDualSystem,
    ProximalLagrangianSystem,
    SaddleSystem,
    StackedSystem,
    System,
)
from ..errors import CertificateFormatError
from ..lmi.dissipation import UPPER
from ..lmi.gain_claims import NoiseAmplification
from ..lmi.signals import output_oracles
from ..lmi.templates import AdjointStorage
from .bilinear import saddle_assumptions, saddle_motion, saddle_storage
from .clock import Clock, is_discrete, is_gain, is_scaled, is_sublinear, number_of
from .constrained import constrained_assumptions, constrained_motion, constrained_storage
from .formulas import Block, Display, Listing, Math, Paragraph, Sentence, Term, Where, combine, text_of
from .gain_ports import describe_ports, gain_conclusion, solve_disturbed
from .hypotheses import describe_motion, describe_oracles, join, list_assumptions, polytope_motion
from .iteration import iteration_assumptions, iteration_motion, iteration_storage
from .memory import has_memory, memory_storage
from .metric import explain_metric
from .noise import adjoint_storage, explain_noise, is_exact
from .numbers import approximate, below_one, tex_approximate, tex_decimal, tex_number
from .parametric import family_motion, family_oracles
from .proximal import proximal_assumptions, proximal_motion, proximal_storage
from .scaled import explain_speed, measure_in_euclidean, scale_motion, scaled_conclusion, solve_scaled
from .stacked import stacked_assumptions, stacked_motion, stacked_oracles, stacked_values
from .sublinear import sublinear_conclusion, sublinear_storage
from .symbols import Symbols, belongs, is_wide, quadratic_terms, state
from .wide import wide_motion, wide_storage

__all__ = [
    "Statement",
    "describe_number",
    "describe_values",
    "find_digest",
    "state_theorem",
    "weighted_oracles",
]


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
    motion, assumed, store = _describe(system)
    conclude = sublinear_conclusion if is_sublinear(certificate) else _conclusion
    if is_scaled(certificate):
        motion, assumed = scale_motion(certificate, motion), solve_scaled(certificate, assumed)
        conclude = scaled_conclusion
    ports: tuple[Block, ...] = ()
    if is_gain(certificate):
        ports, conclude = tuple(describe_ports(certificate)), gain_conclusion
        assumed = solve_disturbed(certificate, assumed)
    core = certificate.core
    lemma: tuple[Block, ...] = ()
    if core is not certificate:
        lemma = tuple(explain_metric(certificate))
    last: tuple[Block, ...] = ()
    if lemma and is_scaled(certificate):
        lemma, last = (*lemma, *explain_speed(certificate)), tuple(measure_in_euclidean(certificate))
    if isinstance(certificate.template, AdjointStorage):
        store = adjoint_storage
    elif isinstance(certificate.claim, NoiseAmplification) and is_exact(certificate):
        store = explain_noise
    store = sublinear_storage if is_sublinear(certificate) else store
    store = memory_storage if has_memory(certificate) else store
    chain = tuple(_smoothness(certificate)) if whole else ()
    if isinstance(system, StackedSystem):
        known = stacked_oracles(system)
    else:
        known = family_oracles(system) if isinstance(system, ParametricSystem) else describe_oracles(system)
    hypotheses = (*motion, *known, *ports, Listing((*assumed, *_reading(system), *chain, _exactness())))
    if not whole:
        return Statement(hypotheses=hypotheses, conclusion=(), storage=())
    return Statement(hypotheses=hypotheses, conclusion=(*lemma, *conclude(core), *last), storage=tuple(store(core)))


def _describe(system: System) -> tuple[list[Block], list[Sentence], Callable[[Certificate], Iterable[Block]]]:
    """Equations of motion, assumptions, and how V is told."""
    if isinstance(system, PrimalDualSystem):
        return constrained_motion(system), constrained_assumptions(system), constrained_storage
    if isinstance(system, PrimalDualIteration):
        return iteration_motion(system), iteration_assumptions(system), iteration_storage
    if isinstance(system, ProximalLagrangianSystem):
        return proximal_motion(system), proximal_assumptions(system), proximal_storage
    if isinstance(system, SaddleSystem):
        return saddle_motion(system), saddle_assumptions(system), saddle_storage
    if isinstance(system, PolytopicSystem):
        return polytope_motion(system), list_assumptions(system.vertices[0]), _storage
    if isinstance(system, ParametricSystem):
        return family_motion(system), list_assumptions(system.systems[0]), _storage
    if isinstance(system, StackedSystem):
        return stacked_motion(system), stacked_assumptions(system), wide_storage
    if isinstance(system, LureSystem) and is_wide(system):
        return wide_motion(system), list_assumptions(system), wide_storage
    return describe_motion(system), list_assumptions(system), _storage


def _reading(system: System) -> Iterable[Sentence]:
    """What a theorem about many systems does not say."""
    if isinstance(system, ParametricSystem | PolytopicSystem):
        yield (
            "Family: the theorem speaks of the dynamics as written here. That they are those of a program from which "
            "they were read was checked at some parameters, and is no part of it.",
        )


def find_digest(certificate: Certificate) -> str | None:
    """Digest of the certificate's file; None if it has a class of a user, which cannot be saved."""
    try:
        return certificate.digest
    except CertificateFormatError:
        return None


def _smoothness(certificate: Certificate) -> Iterable[Sentence]:
    """For nonsmooth functions whose value is a part of V, the chain rule is an assumption."""
    system = certificate.core.system
    names = Symbols.of(system)
    for j in () if is_discrete(certificate) else weighted_oracles(certificate.core):
        is_explicit = not isinstance(system, LureSystem) or system.D[j][j] == 0
        if not system.oracles[j].is_single_valued and is_explicit:  # the value at a prox point is a Moreau envelope
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
    clock = Clock.of(certificate.system)
    norm, norm_0 = (_norm(certificate, at) for at in (clock.time, "0"))
    number = describe_number(certificate)
    way = "up" if is_discrete(certificate) else "down"
    shown: Sentence = (f"with the exact {clock.number} ", number, " of the state norm", _rounded(number, way))
    yield Paragraph(
        ("Then, for every member of these classes, every such equilibrium, every solution and ", *clock.always, ",")
    )
    if certificate.is_bounded:
        yield Display((Math(rf"{norm} \leq c\,{clock.decay}\,{norm_0}"),))
        yield Paragraph((*shown, " and ", *_constant(certificate), "."))
        return
    yield Display(
        (
            Math(rf"V({clock.time}) \leq {clock.decay_twice}\,V(0)"),
            Math(rf"{norm} \leq \sqrt{{V({clock.time})}} \leq {clock.decay}\sqrt{{V(0)}}"),
        )
    )
    yield Paragraph(
        (*shown, " and V as given below. No bound of ", Math("V(0)"), " by the initial distance is proved: "
         f"{clock.unbounded}, or none was found.")
    )  # fmt: skip


def describe_number(certificate: Certificate) -> Math:
    """The exact rate with its decimal rounded down, or the exact factor with its decimal rounded up."""
    value = number_of(certificate)
    if value.denominator == 1:
        return Math(rf"\rho = {tex_number(value)}")
    if is_discrete(certificate):
        return Math(rf"\rho = {tex_number(value)} {tex_decimal(value, below_one(value))}")
    return Math(rf"\rho = {tex_number(value)} {tex_approximate(value, side='down')}")


def _rounded(value: Math, way: str) -> str:
    return f" (decimal rounded {way})" if r"\approx" in value.tex else ""


def _constant(certificate: Certificate) -> Sentence:
    c2, c = certificate.values[UPPER], certificate.transient_bound
    if c * c == c2:
        return (Math(f"c = {tex_number(c)}"),)
    root = rf"c = \sqrt{{{tex_number(c2)}}} \leq {approximate(c, side='up')}"
    return (Math(root), " (rounded up)")


def _norm(certificate: Certificate, at: str) -> str:
    if isinstance(certificate.system, PrimalDualSystem | PrimalDualIteration | ProximalLagrangianSystem | SaddleSystem):
        return rf"\|(x,\lambda)({at})-(x^{{\star}},\lambda^{{\star}})\|"
    return rf"\|x({at})-x^{{\star}}\|"


def _storage(certificate: Certificate) -> Iterable[Block]:
    system = certificate.system
    n = system.shape[0]
    names = Symbols.of(system)
    signals = [state(n, i, r"\tilde{x}") for i in range(n)]
    deviations = [Math(r"\tilde{x} = x-x^{\star}")]
    for j in output_oracles(system, certificate.template):
        u = names.signal("u", j)
        signals.append(names.signal(r"\tilde{u}", j))
        deviations.append(Math(rf"{signals[-1]} = {u}-{u}^{{\star}}"))
    where: list[tuple[Math, Fraction]] = []
    terms = quadratic_terms(certificate.P, tuple(signals), "p")
    weights = {j: certificate.value_weights.get(name, Fraction(0)) for j, name in enumerate(system.oracle_names)}
    terms += [Term(w, names.signal(r"\lambda", j), names.signal(r"\varphi", j)) for j, w in weights.items()]
    yield Paragraph(("With the deviations ", *join(tuple(deviations)), ","))
    yield Display(combine(terms, where, head="V = "))
    yield from describe_values(system, weighted_oracles(certificate), lead="where")
    if where:
        yield Where(tuple(where))


def describe_values(system: System, oracles: Iterable[int], *, lead: str) -> Iterable[Block]:
    """What the function values of some oracles are: Bregman distances from the equilibrium."""
    if isinstance(system, StackedSystem):
        yield from stacked_values(system, oracles, lead=lead)
        return
    names = Symbols.of(system)
    lines: list[Math] = []
    for j in sorted(oracles):
        f, y, u = names.functions[j], names.signal("y", j), names.signal("u", j)
        if isinstance(system, PrimalDualSystem):
            y, u = "x", "u"
        phi, ys, us = names.signal(r"\varphi", j), rf"{y}^{{\star}}", rf"{u}^{{\star}}"
        if belongs(system.oracles[j], SlopeRestricted, StaticSector):
            f = rf"\Phi_{{{names.owners[j]}}}"
            lines.append(Math(rf"\nabla {f} = {names.functions[j]}"))
        lines.append(Math(rf"{phi} = {f}({y})-{f}({ys})-\langle {us},{y}-{ys}\rangle"))
    if lines:
        yield Paragraph((lead,))
        yield Display(tuple(dict.fromkeys(lines)))  # oracles of one group have one function


def weighted_oracles(certificate: Certificate) -> tuple[int, ...]:
    """Oracles whose value is a part of V."""
    weights = certificate.value_weights
    return tuple(j for j, name in enumerate(certificate.system.oracle_names) if weights.get(name))
