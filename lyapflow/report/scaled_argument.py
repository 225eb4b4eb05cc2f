r"""The proof of a certificate on another time scale: inequalities of the unscaled flow, and how the speed leaves them.

A dot in the matrix inequalities is the derivative along the unscaled flow; the scaled flow has the same one times the
factor of its speed.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ..certificates import Certificate
from ..dynamics import LureSystem, PolytopicSystem, PrimalDualSystem
from ..lmi.metric import reduce_splitting
from ..lmi.scaled_claims import FixedTimeStability, PrescribedTimeStability
from ..lmi.templates import VariableMetric
from ..lmi.time_scales import FiniteTime, FixedTime
from .formulas import Block, Display, Math, Paragraph, Sentence
from .numbers import tex_number
from .scaled import claim_of, list_gains, tex_power
from .symbols import is_wide, state

__all__ = ["WEIGHTS_OF_SCALED", "finish_scaled", "lead_scaled", "left_of_scaled", "prepare_scaled"]

WEIGHTS_OF_SCALED = {"decrease": r"-\delta", "rate": r"-2\rho", "speed": r"-\kappa", "speed limit": "K"}
"""What a function value is multiplied by in V, in each part."""

_LOW = r"(\kappa V)"


def prepare_scaled(certificate: Certificate) -> Iterator[Block]:
    """The meaning of a dot, and the squared speed in the letters of the proof."""
    system = certificate.core.system
    yield Paragraph(
        ("In the following inequalities a dot is the derivative along the unscaled flow, so that the time derivative "
         "of the state is ", Math(r"\mathcal{F}"), "; along the scaled flow it is that times the positive factor of ",
         Math(r"\mathcal{F}"), " there.")
    )  # fmt: skip
    if isinstance(system, PrimalDualSystem):
        yield Paragraph(
            ("Let ", Math("R = r^{2}"), " be the squared speed; in each mode it is ",
             Math(r"|\dot{x}_{k}|^{2}+|\dot{w}_{k}|^{2}/\theta"), ". With ", Math("R^{+}"), " and ", Math("R^{-}"),
             " the same with ", Math(r"\theta"), " in the denominator replaced by the lower and by the upper end of "
             "its enclosure, ", Math(r"R^{-} \leq R \leq R^{+}"), *_minorise(certificate), ".")
        )  # fmt: skip
        return
    if isinstance(system, LureSystem) and is_wide(system):
        speed = r"|\dot{x}|^{2}"
    else:
        n = system.modes[0].vertices[0].shape[0]
        moved = (state(n, i, r"\dot{x}") for i in range(n))
        speed = "+".join(rf"|{letter}|^{{2}}" for letter in moved)
    relation: Sentence = (", so that ", Math("R = r^{2}"))
    if isinstance(certificate.template, VariableMetric):
        reduction = reduce_splitting(certificate.system)
        low, high = _over(reduction.least), _over(reduction.largest)
        relation = (" in the norm of W, so that ", Math(rf"{high}R \leq r^{{2}} \leq {low}R"))
    yield Paragraph(("Let ", Math(f"R = {speed}"), *relation, *_minorise(certificate), "."))


def _minorise(certificate: Certificate) -> Sentence:
    """The squared speed from below where the system lies between vertices."""
    system = certificate.core.system
    if not isinstance(claim_of(certificate), FixedTimeStability) or not _is_between(certificate):
        return ()
    if isinstance(system, PolytopicSystem):
        lead: Sentence = (". Let ", Math(r"R^{-} = 2\langle\mathcal{F},M\rangle-|M|^{2}"), " with ",
                          Math("M = A_{1}x+B_{1}u"))  # fmt: skip
    else:
        lead = (
            ". Where an enclosure is no single number, ", Math("R^{-}"), " contains ",
            Math(r"2\langle\mathcal{F},M\rangle-|M|^{2}"), " in place of ",
            Math(r"\langle\mathcal{F},\mathcal{F}\rangle"), ", with ", Math("M"),
            " the derivative of the mode for its lower end",
        )  # fmt: skip
    last: Sentence = (" and affine in ", Math(r"\mathcal{F}"))
    return (*lead, ", which is not above ", Math(r"\langle\mathcal{F},\mathcal{F}\rangle"), *last)


def _is_between(certificate: Certificate) -> bool:
    return any(len(mode.vertices) > 1 for mode in certificate.core.system.modes)


def _over(value: Fraction) -> str:
    """The inverse as a factor."""
    return "" if value == 1 else tex_number(1 / value) + r"\,"


def left_of_scaled(certificate: Certificate, part: str) -> str:
    """Left side of a part that is not a bound of V."""
    above = below = "R"
    if isinstance(certificate.core.system, PrimalDualSystem):
        above, below = "R^{+}", "R^{-}"
    elif _is_between(certificate):
        below = "R^{-}"
    if isinstance(certificate.template, VariableMetric):
        reduction = reduce_splitting(certificate.system)
        above, below = _over(reduction.least) + above, _over(reduction.largest) + below
    gap = r"\," if above[0] == "\\" else ""
    return {
        "decrease": rf"-(\dot{{V}}+\delta V+\varepsilon {gap}{above})",
        "rate": r"-(\dot{V}+2\rho V)",
        "speed": rf"{below}-\kappa V",
        "speed limit": f"KV-{above}",
    }[part]


def lead_scaled(part: str) -> Sentence:
    """What the sums of a primal-dual system are in the squared singular value, where they are taken at its ends."""
    shape = " is affine in " if part in {"rate", "speed"} else " is concave in "
    return ("The following is an identity; each ", Math("S_{k}"), shape, Math(r"\theta"), ", so it is enough that it "
            "is a sum of squares at the ends of the enclosure:")  # fmt: skip


def finish_scaled(certificate: Certificate) -> Iterator[Block]:
    """From the inequalities of the unscaled flow to the claim."""
    claim = claim_of(certificate)
    weights: Sentence = () if is_wide(certificate.core.system) else (" and all ", Math("d_{i}"))
    facts = [r"\dot{V}+\delta V+\varepsilon r^{2} \leq 0"]
    if isinstance(claim, FixedTimeStability):
        facts += [r"\dot{V}+2\rho V \leq 0", r"r^{2} \geq \kappa V"]
    if isinstance(claim, PrescribedTimeStability):
        facts = [r"\dot{V}+2\rho V \leq 0"] + ([] if claim.speed_limit is None else [r"r^{2} \leq K V"])
    bounds = r"N \leq V \leq c_{2}N" if certificate.is_bounded else r"N \leq V"
    yield Paragraph(
        ("All multipliers", *weights, " are nonnegative and all ", Math("I"), " are nonnegative along solutions. "
         "Hence, along the unscaled flow,")
    )  # fmt: skip
    yield Display((Math(r",\qquad ".join([*facts, bounds]) + "."),))
    if isinstance(claim, PrescribedTimeStability):
        yield from _finish_prescribed(claim)
        return
    yield from _take_means(claim.scale)
    if isinstance(claim, FixedTimeStability):
        yield from _take_far_term(claim.scale)
    yield from _compare(claim.exponents)


def _take_means(scale: FiniteTime | FixedTime) -> Iterator[Block]:
    """The weighted inequality of means takes the speed out of the first term."""
    a, alpha = scale.exponents[0], scale.alpha
    gain = list_gains(scale)[0]
    c = "" if gain == 1 else tex_number(gain) + r"\,"
    low, high = rf"r^{{{alpha - 1}}}", tex_power("r", alpha + 1)
    first, second = rf"{tex_number(1 / a)}\,\delta V{low}", rf"{tex_number(1 / (1 - a))}\,\varepsilon {high}"
    mean = rf"{tex_number(a)}\,({first})+{tex_number(1 - a)}\,({second})"
    plain = rf"\delta V{low}+\varepsilon {high}"
    yield Paragraph(
        ("The factor ", Math(rf"{c}{low}"), " of ", Math(r"\mathcal{F}"), " in the scaled flow takes at least the "
         "following from V per unit of time. By the inequality of the arithmetic and the geometric mean with the "
         "weights ", Math(str(a)), " and ", Math(str(1 - a)), ", whose sum is 1, and because the powers of r cancel, ",
         Math(rf"({alpha - 1})\cdot {a}+({alpha + 1})\cdot {1 - a} = 0"), ","),
        lead="The speed leaves.",
    )  # fmt: skip
    yield Display(
        (
            Math(f"{c}({plain}) = {c}({mean})" if c else f"{plain} = {mean}"),
            Math(rf"\qquad \geq {c}({first})^{{{a}}}\,({second})^{{{1 - a}}} = A\,{tex_power('V', a)}."),
        )
    )  # fmt: skip


def _take_far_term(scale: FixedTime) -> Iterator[Block]:
    b, beta = scale.exponents[1], scale.beta
    c = "" if scale.gains[1] == 1 else tex_number(scale.gains[1]) + r"\,"
    factor = rf"{c}{tex_power('r', beta - 1)}"
    yield Paragraph(
        (
            "The second factor ",
            Math(factor),
            " grows with the speed, which is bounded below, and takes at least",
        ),
        lead="Far away.",
    )
    yield Display(
        (
            Math(rf"{factor}\cdot 2\rho V \geq {c}{tex_power(_LOW, (beta - 1) / 2)}\cdot 2\rho V = "
                 rf"B\,{tex_power('V', b)}."),
        )
    )  # fmt: skip


def _compare(exponents: tuple[Fraction, ...]) -> Iterator[Block]:
    """The comparison equation."""
    terms = [rf"{letter}\,{tex_power('V', e)}" for letter, e in zip("AB", exponents, strict=False)]
    small = [rf"{letter}\,{tex_power('v', e)}" for letter, e in zip("AB", exponents, strict=False)]
    yield Paragraph(
        ("Hence, with the dot along the scaled flow, ", Math(rf"\dot{{V}} \leq -{'-'.join(terms)}"), ". While V is "
         "positive, time is at most"),
        lead="Comparison.",
    )  # fmt: skip
    whole = rf"\int_{{0}}^{{V(0)}}\,\dfrac{{\mathrm{{d}}v}}{{{'+'.join(small)}}}"
    rest = 1 - exponents[0]
    if len(exponents) == 1:
        top = tex_power("V(0)", rest)
        yield Display((Math(rf"{whole} = \dfrac{{{top}}}{{({rest})\,A}},"),))
        yield Paragraph(("and V, which does not increase, stays zero after that. This is the claim.",))
        return
    yield Display((Math(whole + r" \leq " + whole.replace("V(0)", r"\infty") + ","),))
    m = rest / (exponents[1] - exponents[0])
    yield Paragraph(
        ("which is a beta function with the arguments ", Math(str(m)), " and ", Math(str(1 - m)), ", finite because "
         "the first exponent is below 1 and the second above, and enclosed rigorously. V does not increase, and stays "
         "zero after that. This is the claim.")
    )  # fmt: skip


def _finish_prescribed(claim: PrescribedTimeStability) -> Iterator[Block]:
    yield Paragraph(
        ("The scaled flow has the factor ", Math(r"c/(T-t)"), ", so that along it ",
         Math(r"\dot{V} \leq -\frac{2\rho c}{T-t}\,V"), ", and hence"),
        lead="Comparison.",
    )  # fmt: skip
    yield Display((Math(r"V(t) \leq V(0)\,(1-\frac{t}{T})^{2\rho c},"),))
    if claim.speed_limit is None:
        yield Paragraph(("whose right side solves the equation with equality.",))
    else:
        yield Paragraph(("whose right side solves the equation with equality, and the speed is",))
        yield Display((Math(r"\dfrac{c\,r}{T-t} \leq \dfrac{c}{T-t}\sqrt{K\,V(t)} \leq \dfrac{c}{T}\sqrt{K\,V(0)}"
                            r"\,(1-\frac{t}{T})^{\rho c-1}."),))  # fmt: skip
    yield Paragraph(("This is the claim.",))
