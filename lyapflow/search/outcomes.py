"""Outcomes of a search as types: a proof, a solver's no, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from ..certificates.certificate import Certificate
from ..certificates.settling import tell_scaled
from ..errors import ClaimMismatchError, NoCertificateError
from ..exact.rationals import as_text, show_above, show_below
from ..lmi.claims import Claim, Contraction, ExponentialDecay, SublinearDecay
from ..lmi.delay_claims import DelayTolerance
from ..lmi.gain_claims import GainClaim, tell_gain
from ..lmi.scaled_claims import ScaledClaim
from .delay_witness import DelayWitness
from .gain_witness import GainWitness
from .slow_members import SlowMember
from .witness import Witness, find_witness

__all__ = [
    "UNASKED",
    "Inconclusive",
    "Infeasible",
    "Outcome",
    "Proved",
    "Reason",
    "name_number",
    "tell_claim",
    "unwrap",
]


UNASKED = "not asked"
"""Status where no solver had to be asked."""


class Reason(Enum):
    """Why nothing was decided; the value is the advice."""

    SOLVER_FAILED = (
        "The solver failed, so nothing is known about this claim. Try a weaker claim, another solver (solver='SCS'), "
        "or rescale the problem."
    )
    ROUNDING_FAILED = (
        "The solver's numbers do not round to an exact proof, so nothing is known about this claim. Try a slightly "
        "weaker claim."
    )
    OUT_OF_RANGE = (
        "Some number of the model is so large or so small that it leaves the range of floating point, so nothing is "
        "known about this claim. Choose units in which the numbers lie between 1e-100 and 1e100."
    )
    NEAR_BOUNDARY = (
        "The claim lies so close to the best that can be proved that the solver cannot tell the two sides apart. Try "
        "one that is weaker by one part in a million."
    )
    SPEED = (
        "No bounds between V and the speed |F| are proved, which another time scale needs. Let V be sought again "
        "(optimise='settling_time'), or give the classes an L: without one the speed may have no bound."
    )
    VANISHING = (
        "Along the family the slowest member's rate (or one minus its factor) falls below 1e-12, so that no common "
        "one is in sight. Try a shorter range, or let steps follow the parameter in another way."
    )


@dataclass(frozen=True, kw_only=True)
class Proved:
    """The claim is a theorem.

    Attributes
    ----------
    certificate : Certificate
        The proof.
    solves : int
        Number of problems the solver was given.
    steps : tuple of str
        What was tried, in order, with whose word; the last one is the proof.
    """

    certificate: Certificate
    solves: int
    steps: tuple[str, ...] = ()

    @cached_property
    def witness(self) -> Witness:
        """The slowest linear member that a search finds: no better claim than its own holds for the class.

        Raises
        ------
        ClaimMismatchError
            For a sublinear claim, which no linear member bounds.
        """
        if isinstance(self.certificate.claim, GainClaim):
            raise ClaimMismatchError(
                "no decay rate bounds a claim about gains; attempt a smaller gain, or a longer delay"
            )
        if isinstance(self.certificate.claim, SublinearDecay):
            raise ClaimMismatchError("no linear member bounds a SublinearDecay; attempt a larger order instead")
        return find_witness(self.certificate.system)

    def explain(self) -> str:
        """One sentence."""
        return f"Proved in exact arithmetic: {tell_claim(self.certificate.claim)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Infeasible:
    """No certificate of this form exists, by a solver's word; or a concrete member refutes the claim.

    Attributes
    ----------
    claim : ExponentialDecay, Contraction or SublinearDecay
        What was asked; without a number if none could be proved.
    status : str
        The solver's word; ``"not asked"`` if a concrete member decided.
    witness : Witness, SlowMember, GainWitness, DelayWitness or None
        A concrete member that decays no faster than its own rate or order, has at least its own gain, or is unstable
        with its own delay; where that contradicts the claim, the claim is false, and that is proved.
    steps : tuple of str
        What was tried, in order.
    """

    claim: Claim | GainClaim
    status: str
    witness: Witness | SlowMember | GainWitness | DelayWitness | None
    steps: tuple[str, ...] = ()

    @property
    def rate(self) -> Fraction | None:
        """The rate that was asked, in continuous time."""
        return self.claim.rate if isinstance(self.claim, ExponentialDecay) else None

    @property
    def factor(self) -> Fraction | None:
        """The factor that was asked, in discrete time."""
        return self.claim.factor if isinstance(self.claim, Contraction) else None

    def explain(self) -> str:
        """What is known, and on whose word."""
        asked, number = tell_claim(self.claim), self.claim.number
        if self.witness is not None and self.witness.refutes(number):
            return f"The claim of {asked} is false: {self.witness}."
        is_upper = isinstance(self.claim, Contraction) or name_number(self.claim) == "gain"
        weaker = f"a {'larger' if is_upper else 'smaller'} {name_number(self.claim)}"
        advice = "a richer template" if number is None else f"{weaker} or a richer template"
        word = f"the solver's word, '{self.status}', not a proof"
        if self.status == UNASKED:
            word = "it would cover more than was asked for, and of that a member is slower"
        return f"No certificate of this form exists for {asked} ({word}). The claim may still be true: try {advice}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Inconclusive:
    """Nothing is known.

    Attributes
    ----------
    reason : Reason
        Why.
    status : str
        What the solver said last.
    claim : ExponentialDecay or Contraction
        What was asked; without a number for the best.
    tried : float or None
        The rate or factor that was tried last.
    steps : tuple of str
        What was tried, in order.
    """

    reason: Reason
    status: str
    claim: Claim | GainClaim
    tried: float | None = None
    steps: tuple[str, ...] = ()

    @property
    def advice(self) -> str:
        """What to do."""
        return self.reason.value

    def explain(self) -> str:
        """What happened and what to do."""
        at = "" if self.tried is None else f" at {name_number(self.claim)} {self.tried:.9g}"
        return f"Inconclusive{at} (solver status: {self.status}). {self.advice}"


def name_number(claim: Claim | GainClaim) -> str:
    """What the number of a claim is: a rate, a factor, an order, a gain or a delay."""
    if isinstance(claim, GainClaim):
        return "delay" if isinstance(claim, DelayTolerance) else "gain"
    if isinstance(claim, Contraction):
        return "factor"
    return "order" if isinstance(claim, SublinearDecay) else "rate"


def tell_claim(claim: Claim | ScaledClaim | GainClaim) -> str:
    """The claim in words; a long number as a decimal on the strong side: what is false of it is false of that too."""
    if isinstance(claim, ScaledClaim):
        return tell_scaled(claim)
    if isinstance(claim, GainClaim):
        return tell_gain(claim)
    number, what = claim.number, name_number(claim)
    if number is None:
        return "any contraction factor below 1" if isinstance(claim, Contraction) else f"any positive {what}"
    text = as_text(number)
    if isinstance(claim, Contraction):
        return f"contraction factor {text if len(text) <= 40 else show_below(number, 17)}"
    return f"{what} {text if len(text) <= 40 else show_above(number, 17)}"


Outcome: TypeAlias = Proved | Infeasible | Inconclusive


def unwrap(outcome: Outcome) -> Certificate:
    """The certificate of a proof; anything else becomes an exception that carries the outcome.

    Raises
    ------
    NoCertificateError
        If there is no proof.
    """
    match outcome:
        case Proved(certificate=certificate):
            return certificate
        case Infeasible() | Inconclusive():
            raise NoCertificateError(outcome)
