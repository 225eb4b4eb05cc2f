"""What is said or could be believed of sparse attention and is false, each with a witness in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

from ..errors import VerificationError
from ..exact.elementary import bound_log_above, bound_sqrt_below
from ..exact.rationals import as_text, show_above, show_below
from .attention_evidence import bracket_plateau, prove_no_equilibrium
from .evidence import PROVED, Refutation
from .sparse_attention import SparseAttention

__all__ = [
    "refute_conserved",
    "refute_exponential_end",
    "refute_inverse_repetition",
    "refute_logarithm",
    "refute_minimiser",
    "refute_paper_projection",
]

_SHARE = Fraction(4, 5)


def refute_logarithm() -> tuple[Refutation, ...]:
    r"""The time :math:`\frac{\sqrt d\,T}2\ln(\varepsilon\sqrt d\,T)` is not that at which a share of 0.8 is learnt.

    It is more than three times too long, and grows faster than T, which the plateau does not. Plateaus are those of the
    paper's own reduced system.

    Raises
    ------
    VerificationError
        If the formula's time is not clearly later.
    """
    plateaus = {}
    for T in (256, 512):
        plateaus[T] = bracket_plateau(SparseAttention(T, 64, projection="paper"))
    claimed = _bound_formula(512, 64)
    times = claimed / plateaus[512][1]
    growth = plateaus[512][1] / plateaus[256][0]
    if not (times > 3 and growth < 2):
        raise VerificationError("the formula is not refuted", inequality="eq. (6)", witness=(claimed, plateaus))
    return (
        Refutation(
            statement="eq. (6), (sqrt(d) T / 2) ln(eps sqrt(d) T), is the time to learn a share eps = 0.8 of the loss, "
            "that is the end of the plateau (T = 512, d = 64, B = 1)",
            witness=f"it says {show_below(claimed)} or more; the loss is below 1/10 from t = "
            f"{show_above(plateaus[512][1])} on, more than {show_below(times, 3)} times earlier: solution enclosed, "
            f"loss "
            "does not rise",
            standing=PROVED,
        ),
        Refutation(
            statement="the plateau has the logarithm of eq. (6): from T = 256 to 512 it more than doubles (d = 64, "
            "B = 1)",
            witness=f"it grows from {show_below(plateaus[256][0])} to {show_above(plateaus[512][1])}, by less than "
            f"{show_above(growth, 6)}",
            standing=PROVED,
        ),
    )


def refute_inverse_repetition() -> Refutation:
    """On the scores sixteenfold repetition does not shorten the plateau sixteenfold, nor half as much.

    Raises
    ------
    VerificationError
        If it does.
    """
    once, often = (bracket_plateau(SparseAttention(256, 16, repetition=B)) for B in (1, 16))
    ratio = once[1] / often[0]
    if not ratio < 4:
        raise VerificationError("the plateau is that much shorter", inequality="1/B", witness=(once, often))
    return Refutation(
        statement="on the scores the plateau is inversely proportional to the repetition B (T = 256, d = 16)",
        witness=f"B = 1: it ends before {show_above(once[1])}; B = 16: not before {show_below(often[0])}. The ratio "
        f"is less "
        f"than {show_above(ratio, 6)}, below sqrt(16) = 4 and far from 16: solutions enclosed",
        standing=PROVED,
    )


def refute_paper_projection() -> Refutation:
    """For B > 1 the reduced system of the paper is not what the flow on the scores does, at a rational point.

    The slopes of all T scores are computed one by one from the loss, without the reduction.

    Raises
    ------
    VerificationError
        If it is, or the exact projection is not.
    """
    T, d, B, v, s = 256, 16, 4, Fraction(1, 2), Fraction(1, 4)
    attention = [(1 - s) / (T - B)] * (T - B) + [s / B] * B
    square = d * v**2  # of W = v W*
    slopes = [a * square / d for a in attention[:-B]] + [(s * v**2 - v)] * B
    mean = sum((a * g for a, g in zip(attention, slopes, strict=True)), Fraction(0))
    speeds = [-a * (g - mean) for a, g in zip(attention, slopes, strict=True)]
    direct = speeds[-1] - speeds[0]
    found = {}
    for projection in ("exact", "paper"):
        model = SparseAttention(T, d, repetition=B, projection=projection)
        found[projection] = model.polynomial_system.equations[1].evaluate([v, s, 1 - s]) / (s * (1 - s))
    if direct != found["exact"] or direct == found["paper"]:
        raise VerificationError("the projections are not as said", inequality="projection", witness=(direct, found))
    return Refutation(
        statement="for B > 1 the gradient flow of V in (w, delta a) is the projection of the gradient flow on the "
        "scores",
        witness=f"T = 256, d = 16, B = 4, W = W*/2, s = 1/4: on the scores d(delta a)/dt = {as_text(direct)}, as in "
        f"the "
        f"exact projection; in the plane {as_text(found['paper'])}, larger by the factor "
        f"{as_text(found['paper'] / direct)}",
        standing=PROVED,
    )


def refute_exponential_end(model: SparseAttention) -> Refutation:
    """No path comes down exponentially, and rational points show with which V-rates V does not fall.

    Raises
    ------
    VerificationError
        If the relative decrease at the points is not ever slower.
    """
    proof = prove_no_equilibrium()
    system, loss = model.polynomial_system, model.polynomial_loss
    descent, rates = system.derivative_along(loss), []
    for power in (3, 6, 9):
        u = Fraction(1, 10**power)
        s = 1 - u
        best = [signal * s / (model.noise * u**2 + signal * s**2) for signal in model.signals]
        point = [*best, s, u]
        rates.append(-descent.evaluate(point) / loss.evaluate(point))
    if not (rates[0] > rates[1] > rates[2] > 0 and rates[2] < Fraction(1, 10**12)):
        raise VerificationError("the decrease does not vanish", inequality="exponential end", witness=rates)
    return Refutation(
        statement=f"in the end the loss converges exponentially ({model!r})",
        witness="with the best W and 1 - s = 1e-3, 1e-6, 1e-9 the V-rate -(dV/dt)/V is at most "
        f"{', '.join(show_above(r, 6) for r in rates)}; and no path has any: {proof.statement}",
        standing=PROVED,
    )


def refute_minimiser(model: SparseAttention) -> Refutation:
    """The infimum 0 is approached on rational points, and attained nowhere.

    Raises
    ------
    VerificationError
        If the loss is not positive and ever smaller there.
    """
    prove_no_equilibrium()
    values = []
    for power in (3, 6, 9):
        u = Fraction(1, 10**power)
        point = [*(1 / (1 - u) for _ in model.sizes), 1 - u, u]
        values.append(model.polynomial_loss.evaluate(point))
    if not (values[0] > values[1] > values[2] > 0 and values[2] < Fraction(1, 10**15)):
        raise VerificationError("the loss does not go to 0", inequality="minimiser", witness=values)
    return Refutation(
        statement=f"the loss has a finite minimiser ({model!r})",
        witness="w = c/s with 1 - s = 1e-3, 1e-6, 1e-9: the loss is at most "
        f"{', '.join(show_above(v, 6) for v in values)}, so its infimum is 0; at finite states s < 1 and it is a "
        f"sum of "
        "squares that are zero for w = 0 and for w = c/s only, not both",
        standing=PROVED,
    )


def refute_conserved() -> Refutation:
    r"""The quantity :math:`Q = \tfrac12w^2 - \Delta a - (e^{\Delta a} - 1)/(T-1)` moves.

    It is constant where the noise of the irrelevant tokens is neglected, for B = 1 in the plane.

    Raises
    ------
    VerificationError
        If its derivative is zero there.
    """
    model = SparseAttention(512, 64, projection="paper")
    v, s = Fraction(1), Fraction(1, 2)
    v_speed, s_speed, _ = (e.evaluate([v, s, 1 - s]) for e in model.polynomial_system.equations)
    score_speed = s_speed / (s * (1 - s))
    weight = s / (1 - s)  # exp(delta a) / (T - 1)
    change = model.d * v * v_speed - score_speed * (1 + weight)
    if not change:
        raise VerificationError("Q does not move there", inequality="Q", witness=change)
    return Refutation(
        statement=f"Q = w^2/2 - delta a - (exp(delta a) - 1)/(T - 1) is conserved ({model!r})",
        witness=f"at w = 8, s = 1/2 it changes at the rate {as_text(change)}: the noise of the other tokens, which the "
        "approximation leaves out",
        standing=PROVED,
    )


def _bound_formula(T: int, d: int) -> Fraction:
    """Eq. (6) from below."""
    size = bound_sqrt_below(Fraction(d)) * T
    return size / 2 * -bound_log_above(1 / (_SHARE * size))
