"""The words of a variance under white noise: what holds, from what it follows, and V of the adjoint system."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ..certificates import Certificate
from ..dynamics import PrimalDualSystem
from ..lmi.noise_bounds import count_modes
from ..lmi.templates import AdjointStorage
from .constrained import describe_modes
from .formulas import Block, Display, Math, Matrices, Paragraph, Sentence
from .numbers import tex_approximate, tex_number

__all__ = ["adjoint_storage", "argue_noise", "conclude_noise", "explain_noise", "is_exact"]


def is_exact(certificate: Certificate) -> bool:
    """Whether the variance was bounded as a function of one eigenvalue, without a V."""
    return not certificate.unknowns


def conclude_noise(certificate: Certificate, number: Fraction) -> Iterator[Block]:
    """What holds."""
    is_total = isinstance(certificate.system, PrimalDualSystem)
    bound = r"\mathbb{E}\,|z|^{2} \leq " + ("J" if is_total else r"J\,d")
    shown = tex_number(number) + ("" if number.denominator == 1 else " " + tex_approximate(number, side="up"))
    per = "of all components of z together" if is_total else "per dimension"
    lead: Sentence = ("Then, for every member of these classes and every such equilibrium, the second moments of a "
                      "solution converge, and in the limit",)  # fmt: skip
    if not is_exact(certificate):
        lead = ("Then, for every member of these classes, every such equilibrium and a solution that starts there, at "
                "all times",)  # fmt: skip
    yield Paragraph(lead)
    yield Display((Math(bound),))
    yield Paragraph((f"with the exact number {per} ", Math(f"J = {shown}"), "."))
    if is_exact(certificate):
        return
    if isinstance(certificate.template, AdjointStorage):
        yield Paragraph(
            ("From another start a solution of the system without noise is added; that it vanishes in time is not a "
             "part of this proof.",)
        )  # fmt: skip
    else:
        yield Paragraph(
            ("From any other start that has a variance and does not depend on the noise, the same holds in the limit: "
             f"what is added to z is square {'summable' if certificate.system.dt > 0 else 'integrable'}, so it "
             "vanishes.",)
        )  # fmt: skip


def argue_noise(certificate: Certificate) -> Iterator[Block]:
    """The argument of a proof with a V."""
    system, discrete = certificate.system, certificate.system.dt > 0
    fall = r"V-V^{+}-|z|^{2}" if discrete else r"-\dot{V}-|z|^{2}"
    total = r"\sum_{s\leq t}" if discrete else r"\int_{0}^{t}"
    struck = " plus what the noise adds to z at once" if discrete else ""
    measure = "" if discrete else r"\,\mathrm{d}s"
    if isinstance(certificate.template, AdjointStorage):
        yield Paragraph(
            ("A linear system and its adjoint, whose matrices are transposed and whose input and output change places, "
             "have the same variance: the impulse response of one is the transpose of the other's. Hessians are "
             "symmetric, so the adjoint system is one with the same oracles. All that follows speaks of it.",)
        )  # fmt: skip
    yield Paragraph(
        ("From the equilibrium the variance of z at time t is the sum of ",
         Math(rf"{total}|z_{{i}}(s)|^{{2}}{measure}"), " over the responses ", Math("z_{i}"), " to impulses ",
         Math("We_{i}"), " in an orthonormal basis of inputs, without other noise. Minus the class inequalities with "
         "their multipliers, ", Math(fall), " is a nonnegative quadratic form in the signals, and so is V. Each of "
         "these is then at most ", Math("V(We_{i})"), f"{struck}, and their sum at most the trace "
         "that the last condition compares with J. Where the noise reaches the argument of an oracle at once, ",
         Math(r"V(We) \leq e^{\mathsf{T}}Ne"), " is proved by the class inequalities; a function value is at most ",
         Math(r"\kappa|y|^{2}"), " with ", Math(r"\kappa"), " its weight times half the slope at either end.")
    )  # fmt: skip
    if isinstance(system, PrimalDualSystem):
        counts = ", ".join(
            f"{mode.label}: {count}" for mode, count in zip(system.modes, count_modes(system), strict=True)
        )
        yield Paragraph((f"Each mode counts as often as it occurs ({counts}), exactly counted.",))


def adjoint_storage(certificate: Certificate) -> Iterator[Block]:
    """V in the state of the adjoint system, as matrices."""
    system = certificate.system
    modes: list[Block] = []
    names = [Math("P")]
    if isinstance(system, PrimalDualSystem):
        modes = list(describe_modes(system))
        last = len(system.enclosures)
        names = [Math(f"P_{{{k + 1 if k < last else 0}}}") for k in range(len(system.modes))]
    yield from modes
    where = " in each mode" if modes else ""
    yield Paragraph(
        (f"The state p of the adjoint system has one part for each state{where}, and moves by the transposed "
         "matrices: ",
         Math(r"A^{\mathsf{T}}p+C^{\mathsf{T}}v"), " with ", Math(r"v = QB^{\mathsf{T}}p"), ". ",
         Math("V = p^{\\mathsf{T}}Pp"), f"{where}, plus values ", Math(r"\tfrac12\langle v_{j},B_{j}^{\mathsf{T}}p"
         r"\rangle"), " with weights, if any:")
    )  # fmt: skip
    yield Matrices(tuple(zip(names, certificate.storage.values(), strict=True)))
    for name, weight in certificate.value_weights.items():
        yield Paragraph((f"Weight of the value of {name}: ", Math(tex_number(weight)), "."))


def explain_noise(certificate: Certificate) -> Iterator[Block]:
    """In place of V: the functions of the eigenvalue that are decided."""
    discrete = certificate.system.dt > 0
    equation = r"X = AXA^{\mathsf{T}}+EE^{\mathsf{T}}" if discrete else r"AX+XA^{\mathsf{T}}+EE^{\mathsf{T}} = 0"
    yield Paragraph(
        ("No storage function is needed. In an eigenspace of the Hessian with eigenvalue s all matrices are "
         "polynomials in s, the stationary covariance X satisfies ", Math(equation), ", and the variance is a rational "
         "function ", Math(r"N(s)/D(s)"), " with D the determinant of that linear equation. It is decided in exact "
         "arithmetic that the system is stable at one eigenvalue, that ", Math("D"), " has no zero on the interval, "
         "and that ", Math(r"J D-N"), " has the sign of ", Math("D"), " or vanishes there. The sum over eigenspaces is "
         "at most d times the largest value.")
    )  # fmt: skip
