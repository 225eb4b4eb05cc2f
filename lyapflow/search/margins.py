r"""Margins of a flow in the language of control: how much its gradient may be scaled, how wrong and how late it may be.

Everything is a bracket: a number that is proved, by a certificate that is handed over, beside a concrete linear member
that fails beyond the other. Members are searched; nothing is claimed of what lies between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from ..certificates.certificate import Certificate
from ..dynamics import LureSystem, PrimalDualSystem
from ..dynamics.perturbed import delay_gradient, perturb_gradient, scale_gradient
from ..errors import ClaimMismatchError, InvalidModelError, NoCertificateError
from ..exact.rationals import rational, show_above, show_below, simplest_between
from ..lmi.claims import Contraction, ExponentialDecay, claim_near
from ..lmi.gain_claims import DelayTolerance
from .delay_witness import DelayWitness, find_delay_witness
from .outcomes import Outcome, Proved
from .pipeline import attempt
from .witness import Witness, estimate_ceiling, find_witness

__all__ = ["Margin", "Margins", "largest_gradient_error", "margins"]

_SHARE = 1e-3
"""Part of the rate, or of one minus the squared factor, that must remain where none is named."""

_MOST_STEPS = 6
"""Steps of delay that are tried."""

_FAR = Fraction(1000)
"""Gains beyond this, or below its inverse, are not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """One margin.

    Attributes
    ----------
    name : str
        What is varied.
    proved : Fraction or None
        Up to here (down to here for the gain below) the claim is proved; None if nowhere.
    certificate : Certificate or None
        Of the system at that value.
    witness : Witness, DelayWitness or None
        A concrete linear member at `fails`.
    fails : Fraction or None
        At this value the member does not converge, which is proved; None if none was found up to the end of the search.
    """

    name: str
    proved: Fraction | None
    certificate: Certificate | None = None
    witness: Witness | DelayWitness | None = None
    fails: Fraction | None = None

    def __str__(self) -> str:
        side = show_above if self.name == "gain down" else show_below
        proved = "nothing proved" if self.proved is None else f"proved {side(self.proved, 6)}"
        member = "no member found" if self.witness is None or self.fails is None else (
            f"{self.witness} at {float(self.fails):.6g}" if isinstance(self.witness, Witness) else str(self.witness)
        )  # fmt: skip
        return f"{self.name}: {proved}; {member}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """Margins of a system; see `margins`.

    Attributes
    ----------
    gain_up, gain_down : Margin
        By what the gradient may be multiplied, at most and at least.
    error : Margin or None
        Relative error of the gradient; None for a `PrimalDualSystem`, at whose equilibrium the gradient, and with it
        the error, need not be zero (an `InputToState` bounds what an absolute error does).
    delay : Margin or None
        How late the gradient may come: a time, or whole steps (at most 6 are tried) in discrete time; None where an
        oracle acts on outputs of others (D != 0), and for a `PrimalDualSystem` in discrete time or with dependent rows.
    """

    gain_up: Margin
    gain_down: Margin
    error: Margin | None
    delay: Margin | None

    def __str__(self) -> str:
        found = (self.gain_up, self.gain_down, self.error, self.delay)
        return "\n".join(str(margin) for margin in found if margin is not None)


def margins(
    flow: LureSystem | PrimalDualSystem | Certificate,
    *,
    rate: object = None,
    factor: object = None,
    tolerance: object = "1/10000",
) -> Margins:
    r"""Gain, error and delay margins of a flow or method, proved, each beside a linear member that fails.

    Parameters
    ----------
    flow : LureSystem, PrimalDualSystem or Certificate
        With explicit oracles (D = 0 for the delay); of a certificate the system is taken.
    rate : rational, optional
        Continuous time: the decay rate that must remain. Default: a thousandth of the rate that linear members leave
        open; members then fail that do not converge at all. For the delay the default is 0, boundedness of the state.
    factor : rational, optional
        Discrete time: the contraction factor that must remain. Default: likewise, of one minus the squared factor.
    tolerance : rational, default 1/10000
        Relative accuracy of the search for each margin, in (0, 1).

    Returns
    -------
    Margins
        Gains k are constant: the class of :math:`k\nabla f`. A gain that varies with time in
        :math:`[1-\delta,1+\delta]`, also differently for each evaluation, is covered by the relative error
        :math:`\delta`.

    Raises
    ------
    InvalidModelError
        If an argument is not valid.
    ClaimMismatchError
        If a certificate is about a system of another kind.

    Notes
    -----
    A gain beyond the margin comes back from `attempt` as `Infeasible` with the unstable member. Searches take a margin
    for an interval: each value that counts is proved at itself; values below it are not proved one by one, except for
    errors and delays, whose certificates cover all smaller ones.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.algorithms import gradient_descent
    >>> found = margins(gradient_descent(SmoothStronglyConvex(mu=1, L=10), step="1/10"))
    >>> float(round(found.gain_up.proved, 3)), float(round(found.gain_up.fails, 3))  # 2 / (step L)
    (2.0, 2.0)
    """
    system = flow.system if isinstance(flow, Certificate) else flow
    if not isinstance(system, LureSystem | PrimalDualSystem):
        kind = ClaimMismatchError if isinstance(flow, Certificate) else InvalidModelError
        raise kind(
            f"margins needs a LureSystem or a PrimalDualSystem, or a certificate of one, got {type(system).__name__}"
        )
    width = _read_width(tolerance)
    asked = _read_claim(system, rate, factor)
    up = _find_margin("gain up", lambda k: scale_gradient(system, k), asked, (Fraction(1), _FAR), width)
    down = _find_margin("gain down", lambda k: scale_gradient(system, 1 / k), asked, (Fraction(1), _FAR), width)
    down = Margin(
        name=down.name,
        proved=None if down.proved is None else 1 / down.proved,
        certificate=down.certificate,
        witness=down.witness,
        fails=None if down.fails is None else 1 / down.fails,
    )
    error = _find_error(system, asked, width) if isinstance(system, LureSystem) else None
    return Margins(gain_up=up, gain_down=down, error=error, delay=_find_delay(system, asked))


def largest_gradient_error(
    system: LureSystem, *, rate: object = None, factor: object = None, tolerance: object = "1/10000"
) -> tuple[Fraction, Certificate]:
    r"""The largest relative error of the gradient for which decay is proved.

    Parameters
    ----------
    system : LureSystem
        With explicit oracles that are zero at the equilibrium.
    rate, factor : rational, optional
        The rate (continuous time) or factor (discrete time) that must remain; default as in `margins`.
    tolerance : rational, default 1/10000
        Relative accuracy of the search, in (0, 1).

    Returns
    -------
    (Fraction, Certificate)
        The error and the certificate of ``perturb_gradient(system, relative_error=error)``; it holds for all smaller
        errors too, which are among the signals of that sector.

    Raises
    ------
    InvalidModelError
        If an argument is not valid.
    NoCertificateError
        If no error is proved to be tolerated.

    Examples
    --------
    Gradient flow keeps rate ``(1 - error) mu``:

    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import gradient_flow
    >>> error, certificate = largest_gradient_error(gradient_flow(SmoothStronglyConvex(mu=1, L=10)), rate="1/2")
    >>> 0.4999 < error <= 0.5, certificate.rate
    (True, Fraction(1, 2))
    """
    if not isinstance(system, LureSystem):
        raise InvalidModelError(
            f"largest_gradient_error needs a LureSystem, whose gradients are zero at the equilibrium, got "
            f"{type(system).__name__}. An InputToState bounds what an absolute error does."
        )
    asked = _read_claim(system, rate, factor)
    found = _find_error(system, asked, _read_width(tolerance))
    if found.proved is None or found.certificate is None:
        raise NoCertificateError(attempt(perturb_gradient(system, relative_error=Fraction(1, 1000)), asked[0]))
    return found.proved, found.certificate


def _read_width(tolerance: object) -> Fraction:
    width = rational(tolerance, name="tolerance")
    if not 0 < width < 1:
        raise InvalidModelError(f"tolerance must be in (0, 1), got {width}")
    return width


def _read_claim(
    system: LureSystem | PrimalDualSystem, rate: object, factor: object
) -> tuple[ExponentialDecay | Contraction, bool]:
    """What must remain, and whether it was asked for; else a small part of what linear members leave open."""
    if system.dt > 0 and rate is not None:
        raise InvalidModelError("a rate belongs to continuous time; name a factor")
    if system.dt == 0 and factor is not None:
        raise InvalidModelError("a factor belongs to discrete time; name a rate")
    if rate is not None:
        return ExponentialDecay(rational(rate, name="rate")), True
    if factor is not None:
        return Contraction(rational(factor, name="factor")), True
    kind = Contraction() if system.dt > 0 else ExponentialDecay()
    ceiling = estimate_ceiling(system)
    if ceiling <= 0:
        raise NoCertificateError(attempt(system), about="A system that does not converge has no margins: ")
    found = claim_near(kind, _SHARE * ceiling, 1e-2)
    return (found if isinstance(found, ExponentialDecay | Contraction) else kind), False


def _find_margin(
    name: str,
    make: Callable[[Fraction], LureSystem | PrimalDualSystem],
    asked: tuple[ExponentialDecay | Contraction, bool],
    ends: tuple[Fraction, Fraction],
    width: Fraction,
) -> Margin:
    """The largest value with a proof, by doubling and bisection, and the smallest at which a member fails."""
    claim, is_named = asked
    proofs: dict[Fraction, Outcome] = {}

    def holds(value: Fraction) -> bool:
        proofs[value] = attempt(make(value), claim)
        return isinstance(proofs[value], Proved)

    def fails(value: Fraction) -> bool:
        return find_witness(make(value)).refutes(claim.number if is_named else None)

    low, end = ends
    proved = _bisect(holds, low, end, width)
    broken = _bisect(lambda value: not fails(value), low, end, width, outer=True)
    last = proofs.get(proved) if proved is not None else None
    return Margin(
        name=name,
        proved=proved,
        certificate=last.certificate if isinstance(last, Proved) else None,
        witness=None if broken is None else find_witness(make(broken)),
        fails=broken,
    )


def _bisect(
    holds: Callable[[Fraction], bool], low: Fraction, end: Fraction, width: Fraction, *, outer: bool = False
) -> Fraction | None:
    """The largest value that holds (outer: the smallest that does not), between low and the end."""
    if not holds(low):
        return low if outer else None
    high = min(2 * low, end)
    while holds(high):
        if high >= end:
            return None if outer else end
        low, high = high, min(2 * high, end)
    while high - low > width * low:
        middle = simplest_between(low + (high - low) * Fraction(2, 5), low + (high - low) * Fraction(3, 5))
        low, high = (middle, high) if holds(middle) else (low, middle)
    return high if outer else low


def _find_error(system: LureSystem, asked: tuple[ExponentialDecay | Contraction, bool], width: Fraction) -> Margin:
    """Errors from a thousandth on, below 1."""
    low, most = Fraction(1, 1000), 1 - Fraction(1, 1000)
    return _find_margin(
        "relative error", lambda e: perturb_gradient(system, relative_error=e), asked, (low, most), width
    )


def _find_delay(
    system: LureSystem | PrimalDualSystem, asked: tuple[ExponentialDecay | Contraction, bool]
) -> Margin | None:
    claim, is_named = asked
    if isinstance(system, PrimalDualSystem) and (system.is_deficient or system.dt > 0):
        return None
    if isinstance(system, LureSystem) and any(v for row in system.D for v in row):
        return None
    if isinstance(system, LureSystem) and not isinstance(claim, ExponentialDecay):
        return _find_steps(system, claim, is_named)
    rate = (claim.rate if isinstance(claim, ExponentialDecay) and is_named else None) or Fraction(0)
    late = DelayTolerance(rate=rate)
    outcome = attempt(system, late)
    witness = find_delay_witness(system, late)
    certificate = outcome.certificate if isinstance(outcome, Proved) else None
    return Margin(
        name="delay",
        proved=None if certificate is None else certificate.delay,
        certificate=certificate,
        witness=witness,
        fails=None if witness is None else witness.delay,
    )


def _find_steps(system: LureSystem, claim: Contraction, is_named: bool) -> Margin:
    """In discrete time: whole steps, one after the other until one is not proved."""
    certificate: Certificate | None = None
    proved = broken = None
    for steps in range(_MOST_STEPS + 1):
        outcome = attempt(delay_gradient(system, steps), claim)
        if not isinstance(outcome, Proved):
            break
        proved, certificate = Fraction(steps), outcome.certificate
    for steps in range(_MOST_STEPS + 1):
        if find_witness(delay_gradient(system, steps)).refutes(claim.number if is_named else None):
            broken = steps
            break
    return Margin(
        name="delay in steps",
        proved=proved,
        certificate=certificate,
        witness=None if broken is None else find_witness(delay_gradient(system, broken)),
        fails=None if broken is None else Fraction(broken),
    )
