r"""The numbers, the steps and the argument of a certificate about gains or delays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from ..certificates import Certificate, Verification
from ..certificates.verification import measure_slack
from ..dynamics import PrimalDualSystem
from ..exact.factor import weighted_squares
from ..lmi.delay_claims import DelayTolerance
from ..lmi.gain_claims import InputToState, L2Gain, NoiseAmplification
from .formulas import Block, Display, Math, Paragraph
from .gain_ports import gain_claim_of
from .noise import argue_noise, is_exact
from .numbers import approximate
from .proof import Step
from .quantities import Quantity, measure_margin

__all__ = ["argue_gain", "list_gain_steps", "measure_gain"]


def measure_gain(certificate: Certificate, verdict: Verification) -> Iterator[Quantity]:
    """What an engineer reads off."""
    claim = gain_claim_of(certificate)
    number = claim.number or Fraction(0)
    proved = number if verdict.proved else None
    if isinstance(claim, DelayTolerance):
        yield Quantity(
            key="delay", name="Delay that is tolerated", proved=proved, shown=f"≥ {approximate(number, side='down')}",
            remark="In the time unit of the dynamics; every constant delay up to this one.",
        )  # fmt: skip
    elif isinstance(claim, NoiseAmplification):
        per = "" if isinstance(certificate.system, PrimalDualSystem) else " per dimension"
        yield Quantity(
            key="variance", name=f"Variance{per} under white noise", proved=proved,
            shown=f"≤ {approximate(number, side='up')}", remark="Of unit intensity; for all Hessians.",
        )  # fmt: skip
    else:
        what = "L2 gain" if isinstance(claim, L2Gain) else "Gain from the largest error to the state"
        yield Quantity(
            key="gain", name=what, proved=proved, shown=f"≤ {approximate(number, side='up')}",
            remark="Largest for the whole class: each member has at most this gain.",
        )  # fmt: skip
    if isinstance(claim, InputToState) and claim.factor is not None:
        yield Quantity(
            key="factor", name="Factor with which the start is forgotten",
            proved=claim.factor if verdict.proved else None, shown=f"≤ {approximate(claim.factor, side='up')}",
            remark="Per step.",
        )  # fmt: skip
    elif isinstance(claim, InputToState | DelayTolerance) and claim.rate is not None:
        yield Quantity(
            key="rate", name="Decay rate of the state norm beside it", proved=claim.rate if verdict.proved else None,
            shown=f"≥ {approximate(claim.rate, side='down')}" if claim.rate else "0: the state stays bounded",
            remark="1/(time unit).",
        )  # fmt: skip
    if verdict.proved and certificate.is_bounded and isinstance(claim, InputToState):
        yield Quantity(
            key="transient_bound", name="Transient bound c", proved=certificate.transient_bound,
            shown=f"≤ {approximate(certificate.transient_bound, side='up')}", remark="Of what is left of the start.",
        )  # fmt: skip
    if verdict.proved:
        yield measure_margin(verdict)


def list_gain_steps(certificate: Certificate) -> tuple[Step, ...]:
    """The matrix inequalities with their sums of squares, in the letters of the pencil."""
    values = certificate.values
    found: list[Step] = []
    for condition in certificate.pencil().conditions:
        slack = condition.at(values)
        found.append(
            Step(
                name=condition.name, part=condition.name.partition(" of ")[0].partition(",")[0], mode="", theta=None,
                signals=condition.signals, slack=slack, squares=weighted_squares(slack), margin=measure_slack(slack),
            )
        )  # fmt: skip
    return tuple(found)


def argue_gain(certificate: Certificate) -> Iterable[Block]:
    """The argument: what the matrix inequalities say, and what follows."""
    claim, discrete = gain_claim_of(certificate), certificate.system.dt > 0
    fall = r"V^{+}-V" if discrete else r"\dot{V}"
    if isinstance(claim, NoiseAmplification) and not is_exact(certificate):
        yield from argue_noise(certificate)
    elif isinstance(claim, NoiseAmplification):
        yield Paragraph(
            ("An eigenvalue of ", Math("A(s)"), " that met the stability boundary would make ", Math("D(s)"), " "
            "vanish, so "
             "stability at one eigenvalue extends to the interval; signs of polynomials are decided by their Bernstein "
             "coefficients on ever smaller intervals.")
        )  # fmt: skip
    elif isinstance(claim, L2Gain):
        yield Paragraph(
            ("Along solutions, minus the class inequalities with their multipliers, ",
             Math(rf"g^{{2}}|w|^{{2}}-|z|^{{2}}-({fall})"), " is a nonnegative quadratic form in the signals, "
             "and so is "
             "V; the matrices below are proved positive semidefinite. Summing up over time gives the claim.")
        )  # fmt: skip
    elif isinstance(claim, InputToState):
        left = r"\rho^{2}V-V^{+}+(1-\rho^{2})g^{2}|w|^{2}" if discrete else r"2\rho g^{2}|w|^{2}-\dot{V}-2\rho V"
        yield Paragraph(
            ("Along solutions, minus the class inequalities with their multipliers, ", Math(left), " is a nonnegative "
             "quadratic form in the signals, and so is ", Math("V-N"), ", N the squared norm of the state; the "
             "matrices "
             "below are proved positive semidefinite. The comparison lemma bounds V, and the root of a sum is at most "
             "the sum of the roots.")
        )  # fmt: skip
    else:
        form = (r"-\dot{V}-2\rho V-\sum_{j}\sigma_{j}(\beta|\dot{y}_{j}|^{2}-|v_{j}|^{2}/\beta)"
                r"-\sum_{j}\lambda_{j}(e^{2\rho\tau}|y_{j}|^{2}-|y_{j}+v_{j}|^{2})")  # fmt: skip
        yield Paragraph(
            ("Let ", Math(r"v_{j}(t) = y_{j}(t-\theta)-y_{j}(t)"), ". Minus the class inequalities with their "
            "multipliers, at "
             "the arguments ", Math("y_{j}+v_{j}"), ",",)
        )  # fmt: skip
        yield Display((Math(form),))
        yield Paragraph(
            ("is a nonnegative quadratic form in the signals; the matrices below are proved positive semidefinite. "
             "Multiplied by ", Math(r"e^{2\rho t}"), " and integrated, the first sum is at most what the "
             "history gives, by "
             "Young's inequality for ", Math(r"v_{j} = -\int_{t-\theta}^{t}\dot{y}_{j}"), ", and so is the "
             "second, by a "
             "shift of time.")
        )  # fmt: skip
