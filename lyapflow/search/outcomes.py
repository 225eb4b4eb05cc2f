"""Outcomes of a search as types: a proof, a solver's no, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import TypeAlias

from ..certificates.certificate import Certificate
from ..errors import NoCertificateError
from ..exact.rationals import as_text, show_above
from .witness import Witness

__all__ = ["Inconclusive", "Infeasible", "Outcome", "Proved", "Reason", "unwrap"]


class Reason(Enum):
    """Why nothing was decided; the value is the advice."""

    SOLVER_FAILED = (
        "The solver failed, so nothing is known about this claim. Try a smaller rate, another solver (solver='SCS'), "
        "or rescale the problem."
    )
    ROUNDING_FAILED = (
        "The solver's numbers do not round to an exact proof, so nothing is known about this claim. Try a slightly "
        "smaller rate."
    )
    OUT_OF_RANGE = (
        "Some number of the model is so large or so small that it leaves the range of floating point, so nothing is "
        "known about this claim. Choose units in which the numbers lie between 1e-100 and 1e100."
    )
    NEAR_BOUNDARY = (
        "The claim lies so close to the largest provable rate that the solver cannot tell the two sides apart. Try a "
        "rate smaller by one part in a million."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """The claim is a theorem.

    Attributes
    ----------
    certificate : Certificate
        The proof.
    witness : Witness
        The slowest linear member that was found: no larger rate than its own holds for the class.
    solves : int
        Number of problems the solver was given.
    """

    certificate: Certificate
    witness: Witness
    solves: int

    def explain(self) -> str:
        """One sentence."""
        return f"Proved in exact arithmetic: rate {self.certificate.rate}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Infeasible:
    """No certificate of this form exists, by a solver's word; or a concrete member refutes the claim.

    Attributes
    ----------
    rate : Fraction or None
        The rate that was asked; None if no positive rate was found.
    status : str
        The solver's word.
    witness : Witness or None
        A concrete linear member that decays no faster than its own rate; where that is below the claim, the claim is
        false, and that is proved.
    """

    rate: Fraction | None
    status: str
    witness: Witness | None

    def explain(self) -> str:
        """What is known, and on whose word."""
        asked = "any positive rate" if self.rate is None else f"rate {_tell(self.rate)}"
        if self.witness is not None and self.witness.refutes(self.rate):
            return f"The claim of {asked} is false: {self.witness}."
        advice = "a richer template" if self.rate is None else "a smaller rate or a richer template"
        return (
            f"No certificate of this form exists for {asked} (the solver's word, '{self.status}', not a proof). The "
            f"claim may still be true: try {advice}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Inconclusive:
    """Nothing is known.

    Attributes
    ----------
    reason : Reason
        Why.
    status : str
        What the solver said last.
    rate : float or None
        The rate that was tried last.
    """

    reason: Reason
    status: str
    rate: float | None

    @property
    def advice(self) -> str:
        """What to do."""
        return self.reason.value

    def explain(self) -> str:
        """What happened and what to do."""
        at = "" if self.rate is None else f" at rate {self.rate:.9g}"
        return f"Inconclusive{at} (solver status: {self.status}). {self.advice}"


def _tell(rate: Fraction) -> str:
    """The rate, or where its text is long a decimal above it: what is false of the rate is false of that too."""
    text = as_text(rate)
    return text if len(text) <= 40 else show_above(rate, 17)


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
