"""A certificate as a file for the proof assistant: prose, definitions, theorems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from textwrap import wrap
from typing import Protocol, runtime_checkable

from ..certificates.certificate import Certificate
from ..certificates.verification import Verification
from ..dynamics import ParametricSystem, PolytopicSystem
from ..errors import InvalidModelError
from ..lmi.claims import Contraction, ExponentialDecay, SublinearDecay
from ..lmi.driven import DrivenSystem
from ..lmi.scaled_claims import ScaledClaim
from ..lmi.templates import PlainTemplate, VariableMetric, ZamesFalb
from .families import has_whole, lay_out
from .heads import write_theorem_head
from .prelude import write_prelude
from .proofs import prove
from .scenes import Scene
from .sections import write_section
from .statements import list_statements
from .sublinear import write_sublinear
from .terms import comment

__all__ = ["Driven", "write_driven", "write_theorem"]

_NOT_PROVED = (
    "Not proved here, but assumed or left to the reader: that the oracles belong to their classes; that there is an "
    "equilibrium; that the dynamics has solutions; and the step from the inequality of V to its decay along them "
    "(comparison of a function of time with its own derivative, or induction over the steps)."
)


@runtime_checkable
class Driven(Protocol):
    """What is proved of a driven system, as `lyapflow.cascade.StageCertificate` has it."""

    @property
    def system(self) -> DrivenSystem:
        """The system with its input and its output."""

    @property
    def claim(self) -> ExponentialDecay | Contraction:
        """The decay."""

    @property
    def template(self) -> PlainTemplate:
        """Form of V."""

    @property
    def unknowns(self) -> tuple[tuple[str, Fraction], ...]:
        """Exact."""

    def verify(self) -> Verification:
        """Prove it again."""


def write_driven(found: Driven) -> str:
    """The theorems about a driven system: what its input supplies bounds the change of V and its output.

    Parameters
    ----------
    found : StageCertificate, or what has the same attributes

    Returns
    -------
    str
        As `write_theorem`.

    Raises
    ------
    InvalidModelError
        If it proves nothing, or a class has no definition here.
    """
    about = Certificate(
        system=found.system.extended, claim=found.claim, template=found.template, unknowns=found.unknowns
    )
    parts, section = _write_section(about, 1, found.system)
    name = found.system.plant.name
    prose = (
        f"{name}, driven by an input w: {type(found.claim).__name__}. Written by lyapflow; check it with: coqc FILE.",
        "The file speaks of every real inner-product space. Hypotheses are the definitions of the classes of the "
        "oracles (part 2), and an equilibrium (part 4). The dynamics, and the output z, are part 3. The theorems hold "
        "for every state and every input: what V gains, beyond its decay, and a multiple of |z|^2 are not more than a "
        "multiple of |w|^2, both measured from the equilibrium; and V is not less than the squared distance to it.",
        _NOT_PROVED + " That stages with such gains make a cascade that decays is not in this file either.",
    )
    about_text = "\n\n".join(_paragraph(text) for text in prose)
    return f"(*\n{about_text}\n*)\n\n{write_prelude(parts)}\n\n{section}\n"


def write_theorem(certificate: Certificate) -> str:
    """The theorems of a certificate as the text of a file that stands alone on Coq's standard library.

    Parameters
    ----------
    certificate : Certificate
        Of any claim; a family whose V holds outputs that have derivatives gives one section per node.

    Returns
    -------
    str
        For Coq 8.16 and newer. Whether it is a proof is for the proof assistant to say.

    Raises
    ------
    InvalidModelError
        If the certificate proves nothing, or is of a kind that cannot be exported.
    """
    if isinstance(certificate.template, ZamesFalb):
        raise InvalidModelError(
            "export_coq needs a V without memory: that the integral of a Zames-Falb multiplier is nonnegative has no "
            "formal proof here. Certify with QuadraticPlusValue() or QuadraticStorage()."
        )
    parts: list[str] = []
    sections = []
    for k, member in enumerate(_list_members(certificate), start=1):
        needed, text = _write_section(member, k)
        parts += needed
        sections.append(text)
    about = "\n\n".join(_paragraph(text) for text in _describe(certificate))
    return f"(*\n{about}\n*)\n\n{write_prelude(parts)}\n\n" + "\n\n".join(sections) + "\n"


def _list_members(certificate: Certificate) -> Iterator[Certificate]:
    family = certificate.system
    if isinstance(certificate.claim, SublinearDecay):
        yield certificate
    elif isinstance(family, ParametricSystem):
        yield from [certificate] if has_whole(certificate) else map(certificate.at, family.nodes)
    else:
        yield certificate.core


def _write_section(certificate: Certificate, count: int, driven: DrivenSystem | None = None) -> tuple[list[str], str]:
    """Parts of the prelude that are needed, and the section."""
    if isinstance(certificate.claim, SublinearDecay):
        parts, section = write_sublinear(certificate)
        return parts, _enclose(section, count)
    if isinstance(certificate.system, PolytopicSystem) and len(certificate.system.vertices) == 1:
        certificate = replace(certificate, system=certificate.system.vertices[0])
    scene = Scene.of_family(lay_out(certificate)) if has_whole(certificate) else Scene.of(certificate, driven)
    statements = list(list_statements(certificate))
    parts = ["height", "squares", *(part for beliefs in scene.beliefs for belief in beliefs for part in belief.parts)]
    if len(scene.components) > 1:
        parts.append("product")
    if any(c.kind == "interval" for c in scene.components):
        parts += ["between", "squares_between"]
    theorems = []
    for statement in statements:
        lemmas, script, needed = prove(scene, statement)
        parts += needed
        theorems.append(f"{lemmas}\n\n{write_theorem_head(scene, statement)}\n{script}\nQed.")
    section = "\n".join(write_section(scene, statements))
    body = "\n\n".join(theorems)
    return parts, _enclose(f"{section}\n\n(** 6. The theorems. *)\n\n{body}", count)


def _enclose(section: str, count: int) -> str:
    name = f"Certificate{count}"
    return f"Module {name}.\nSection Theorems.\n\n{section}\n\nEnd Theorems.\nEnd {name}."


def _describe(certificate: Certificate) -> Iterator[str]:
    """What the file is about, in words."""
    system = certificate.system
    yield f"{system.name}: {type(certificate.claim).__name__}. Written by lyapflow; check it with: coqc FILE."
    yield (
        "The file speaks of every real inner-product space. Hypotheses are the definitions of the classes of the "
        "oracles (part 2), and an equilibrium (part 4). The dynamics is part 3. V and, in continuous time, its "
        "derivative by the chain rule are part 5. The theorems are inequalities between them at every point of the "
        "state space."
    )
    if not isinstance(certificate.claim, SublinearDecay):
        yield (
            "It follows that V decays along every solution, and with it the distance to the equilibrium, because V is "
            "not less than its square."
        )
    yield _NOT_PROVED
    if isinstance(certificate.claim, SublinearDecay):
        p = certificate.order
        yield (
            f"Here V = t^p W with p = {p}, and V_dot is its derivative along the dynamics by the product and the chain "
            "rule; the gradient is zero at the equilibrium, which is proved below, so a convex f is least there and "
            "f - f* is what the theorems call the difference of values. V_never_grows: V_dot is not positive at any "
            "t > 0 and any point. So V(t) <= V(t0) for t >= t0 > 0 along a solution, as for every function of time "
            "whose derivative is never positive. V_is_above: t^p (f - f*) <= V. Together "
            "f(y(t)) - f* <= V(t0) / t^p. A premise about ud, where there is one, says that derivatives of input and "
            "output satisfy what increments satisfy."
        )
    if isinstance(certificate.claim, ScaledClaim):
        yield (
            "F is the right side of the flow before its time is changed; the settling time follows from "
            "the inequalities for V, its derivative along F, and the squared speed by a computation that is not in "
            "this file."
        )
    if len(system.modes) > 1:
        yield (
            "The state is written in the singular bases of the linear map of the problem, one part (mode) per singular "
            "value, in a space of its own; a singular value that is not rational is a symmetric map with its spectrum "
            "in an interval. That the original dynamics has this form is not proved here."
        )
    if isinstance(system, ParametricSystem) and has_whole(certificate):
        yield f"The theorems hold for all {system.parameter} in {system.span}; in the file it is called s."
    elif isinstance(system, ParametricSystem):
        nodes = ", ".join(str(node) for node in system.nodes)
        yield (
            f"The certificate is one for all {system.parameter} in {system.span}. This file proves the members with "
            f"{system.parameter} = {nodes} only."
        )
    if isinstance(certificate.template, VariableMetric):
        yield (
            "The oracle is the gradient of the envelope of f + g in the inner product <a, W b>, which is the one of "
            "the spaces below. That the gradient of the envelope is of that class is not proved here."
        )
    yield f"Certificate: sha256 {certificate.digest}"


def _paragraph(text: str) -> str:
    return "\n".join(wrap(comment(text), 110, initial_indent="   ", subsequent_indent="   "))
