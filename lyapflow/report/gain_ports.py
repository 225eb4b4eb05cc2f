r"""The theorem of a certificate about gains or delays in words and formulas: ports, and what holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Literal

from ..certificates import Certificate
from ..dynamics import PrimalDualSystem
from ..exact.matrices import Matrix
from ..lmi.delay_claims import DelayTolerance
from ..lmi.dissipation import UPPER
from ..lmi.gain_claims import GainClaim, InputToState, L2Gain, NoiseAmplification, Port
from .clock import Clock
from .formulas import Block, Display, Math, Paragraph, Sentence
from .noise import conclude_noise
from .numbers import approximate, tex_approximate, tex_number
from .symbols import Symbols

__all__ = ["describe_ports", "gain_claim_of", "gain_conclusion", "solve_disturbed"]

_INPUTS = {
    "gradient": "to the output of each oracle: where an output enters the relations above, its error is added to it",
    "measurement": "to the argument of each oracle, which answers at the disturbed one",
    "state": "to the right side of the equation of motion of the whole state",
    "primal": "to the right side of the equation of motion of x",
    "dual": "to the right side of the equation of motion of the dual variable",
}
_OUTPUTS = {
    "state": "the deviation of the state from the equilibrium",
    "primal": "the deviation of x from the equilibrium",
    "dual": "the deviation of the dual variable from the equilibrium",
    "gradient": "the deviations of the outputs of all oracles from those at the equilibrium",
}


def gain_claim_of(certificate: Certificate) -> GainClaim:
    """The claim of a certificate about gains."""
    if not isinstance(certificate.claim, GainClaim):
        raise TypeError("internal error: the claim is not about gains")
    return certificate.claim


def describe_ports(certificate: Certificate) -> Iterator[Block]:
    """Where the input enters and what the output is, as a part of the hypotheses."""
    claim, system = gain_claim_of(certificate), certificate.system
    if isinstance(claim, DelayTolerance):
        names = Symbols.of(system)
        own = [names.signal("y", j) for j in range(len(system.oracles))]
        y = "x" if isinstance(system, PrimalDualSystem) else ",".join(own)
        yield Paragraph(
            ("Every oracle acts late: at time t its argument is what ", Math(y), " above was at time ",
             Math(r"t-\theta"), ", with a constant delay ", Math(r"0 \leq \theta \leq \tau"), ", the same for all "
             "oracles, and ", Math(rf"\tau = {_exact(claim.delay, 'down')}"), ". On ", Math(r"[-\tau,0]"), " "
             "the arguments "
             "are absolutely continuous with square-integrable derivatives."),
            lead="Delay.",
        )  # fmt: skip
        return
    if isinstance(claim.input, Port):
        yield Paragraph(
            ("An input w enters: ", Math(r"M_{x}\,w"), " is added to the right side of the equation of motion and ",
             Math(r"M_{u}\,w"), " to the arguments of the oracles, with ",
             Math(f"M_{{x}} = {_matrix(claim.input.state)}"), " and ",
             Math(f"M_{{u}} = {_matrix(claim.input.oracles)}"), "."),
            lead="Input.",
        )  # fmt: skip
    else:
        where = _INPUTS.get(
            claim.input, f"to the output of the oracle {claim.input} where it enters the relations above"
        )
        size = "essentially bounded" if isinstance(claim, InputToState) else "square integrable on bounded intervals"
        time = "any sequence" if system.dt > 0 else f"any measurable function of time that is {size}"
        known = f"It is {time}, and nothing more is known of it."
        if isinstance(claim, NoiseAmplification):
            known = "It is white noise, independent in all channels and dimensions"
            known += ", of unit variance." if system.dt > 0 else ", of unit intensity (the relations are Ito's)."
        yield Paragraph((f"An error w is added {where}. {known}",), lead="Input.")
    if isinstance(claim, L2Gain | NoiseAmplification):
        if isinstance(claim.output, Port):
            yield Paragraph(
                ("The output is ", Math(r"z = M_{x}\tilde{x}+M_{u}\tilde{u}"), ", with ",
                 Math(f"M_{{x}} = {_matrix(claim.output.state)}"), " and ",
                 Math(f"M_{{u}} = {_matrix(claim.output.oracles)}"), ", of the deviations from the equilibrium."),
                lead="Output.",
            )  # fmt: skip
        else:
            what = _OUTPUTS.get(claim.output, f"the deviation of the output of the oracle {claim.output}")
            yield Paragraph((f"The output z is {what}.",), lead="Output.")


def solve_disturbed(certificate: Certificate, assumed: Sequence[Sentence]) -> list[Sentence]:
    """The standing assumptions, with what a solution of the disturbed or delayed relations is."""
    claim, discrete = gain_claim_of(certificate), certificate.system.dt > 0
    if isinstance(claim, NoiseAmplification) and not discrete:
        last: Sentence = ("Solution: that of the linear stochastic differential equation which the relations "
        "are, with the "
                          "noise, from a start that has a variance and does not depend on the noise.",)  # fmt: skip
    elif isinstance(claim, NoiseAmplification):
        last = ("Solution: sequences satisfy the relations, with the noise, from a start that has a variance "
        "and does not "
                "depend on the noise.",)  # fmt: skip
    else:
        how = "with the delay" if isinstance(claim, DelayTolerance) else "with the input"
        last = (f"The relations that a solution satisfies are those {how}; the equilibrium is one without.",)
        return [*assumed, last]
    return [*assumed[:-1], last]


def _matrix(m: Matrix) -> str:
    return r"[" + r";\ ".join(r",\ ".join(map(tex_number, row)) for row in m) + "]"


def _exact(value: Fraction | None, side: Literal["down", "up"]) -> str:
    if value is None:
        return ""
    return tex_number(value) + ("" if value.denominator == 1 else " " + tex_approximate(value, side=side))


def gain_conclusion(certificate: Certificate) -> Iterator[Block]:
    """What holds."""
    claim, discrete = gain_claim_of(certificate), certificate.system.dt > 0
    clock = Clock.of(certificate.system)
    if isinstance(claim, NoiseAmplification):
        yield from conclude_noise(certificate, claim.variance or Fraction(0))
        return
    yield Paragraph(
        ("Then, for every member of these classes, every such equilibrium, every solution with such an input and ",
         *clock.always, ",") if not isinstance(claim, DelayTolerance) else
        ("Then, for every member of these classes, every such equilibrium, every delay, every solution and ",
         *clock.always, ",")
    )  # fmt: skip
    if isinstance(claim, L2Gain):
        left, right = (
            (r"\sum_{i<k}|z(i)|^{2}", r"\sum_{i<k}|w(i)|^{2}") if discrete
            else (r"\int_{0}^{t}|z(s)|^{2}\,\mathrm{d}s", r"\int_{0}^{t}|w(s)|^{2}\,\mathrm{d}s")
        )  # fmt: skip
        yield Display((Math(rf"{left} \leq g^{{2}}{right}+V(0)"),))
        yield Paragraph(
            ("with the exact gain ", Math(f"g = {_exact(claim.gain, 'up')}"), ", and V as given below, which is "
            "zero at "
             "the equilibrium and nowhere negative.")
        )  # fmt: skip
        return
    norm = r"\|x({0})-x^{\star}\|"
    if isinstance(certificate.system, PrimalDualSystem):
        norm = r"\|(x,\lambda)({0})-(x^{\star},\lambda^{\star})\|"
    at, start = norm.replace("{0}", clock.time), norm.replace("{0}", "0")
    if isinstance(claim, InputToState):
        first = rf"c\,{clock.decay}\,{start}" if certificate.is_bounded else rf"{clock.decay}\sqrt{{V(0)}}"
        upto = rf"\sup_{{i<{clock.time}}}|w(i)|" if discrete else r"\sup_{s<t}|w(s)|"
        yield Display((Math(rf"{at} \leq {first}+g\,{upto}"),))
        number = claim.factor if discrete else claim.rate
        shown: list[str | Math] = [
            "with the exact gain ", Math(f"g = {_exact(claim.gain, 'up')}"), ", ",
            Math(rf"\rho = {_exact(number, 'up' if discrete else 'down')}"),
        ]  # fmt: skip
        yield Paragraph((*shown, *_constant(certificate), "."))
        return
    decay = rf"e^{{-2\rho {clock.time}}}" if claim.rate else ""
    yield Display(
        (
            Math(rf"{at}^{{2}} \leq V(t) \leq K\,{decay}"),
            Math(
                r"K = V(0)+\sum_{j}\int_{-\tau}^{0}e^{2\rho s}\,(\sigma_{j}\beta\,|\dot{y}_{j}(s)|^{2}+\lambda_{j}"
                r"e^{2\rho\tau}\,|\tilde{y}_{j}(s)|^{2})\,\mathrm{d}s"
            ),
        )
    )
    values = certificate.values
    weights: list[str | Math] = []
    for name in certificate.system.oracle_names:
        sigma, shift = (values[f"{part}: {name}"] for part in ("delay", "shift"))
        weights += [
            f", for {name} ",
            Math(rf"\sigma = {_exact(sigma, 'up')}"),
            " and ",
            Math(rf"\lambda = {_exact(shift, 'up')}"),
        ]
    beta = rf"\beta = {_exact(claim.stretch, 'up')} \geq (e^{{\rho\tau}}-1)/\rho" if claim.rate else r"\beta = \tau"
    yield Paragraph(
        ("with ", Math(rf"\rho = {_exact(claim.rate, 'down')}"), ", ", Math(beta), *weights, *_constant(certificate),
         ". For a history that stays where the state starts, the derivatives vanish.")
    )  # fmt: skip


def _constant(certificate: Certificate) -> Sentence:
    if not certificate.is_bounded:
        return (". No bound of ", Math("V(0)"), " by the initial distance is proved")
    c2 = certificate.values[UPPER]
    if isinstance(certificate.claim, DelayTolerance):
        return (", and ", Math(rf"V(0) \leq {tex_number(c2)}"), " times the squared initial distance")
    return (" and ", Math(rf"c = \sqrt{{{tex_number(c2)}}} \leq {approximate(certificate.transient_bound, side='up')}"))
