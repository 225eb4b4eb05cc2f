r"""One margin: the largest value of what is varied with a proof, beside the smallest at which a linear member fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ..certificates.certificate import Certificate
from ..dynamics import LureSystem, PrimalDualSystem
from ..dynamics.perturbed import delay_gradient, perturb_gradient
from ..exact.rationals import show_above, show_below, simplest_between
from ..lmi.claims import Contraction, ExponentialDecay
from ..lmi.delay_claims import DelayTolerance
from .delay_witness import DelayWitness, find_delay_witness
from .outcomes import Outcome, Proved
from .pipeline import attempt
from .witness import Witness, find_witness

__all__ = ["Asked", "Margin", "find_delay", "find_error", "find_margin"]

Asked: TypeAlias = tuple[ExponentialDecay | Contraction, bool]
"""What must remain, and whether it was asked for; where it was not, members fail that do not converge at all."""

_MOST_STEPS = 6
"""Steps of delay that are tried."""


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


def find_margin(
    name: str,
    make: Callable[[Fraction], LureSystem | PrimalDualSystem],
    asked: Asked,
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


def find_error(system: LureSystem, asked: Asked, width: Fraction) -> Margin:
    """Errors from a thousandth on, below 1."""
    low, most = Fraction(1, 1000), 1 - Fraction(1, 1000)
    return find_margin(
        "relative error", lambda e: perturb_gradient(system, relative_error=e), asked, (low, most), width
    )


def find_delay(system: LureSystem | PrimalDualSystem, asked: Asked) -> Margin | None:
    """How late the gradient may come, a time or whole steps; None where that is not asked of such a system."""
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
