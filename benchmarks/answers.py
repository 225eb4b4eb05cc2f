"""What a tool says about a problem."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Answer"]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer.

    Attributes
    ----------
    squared : Fraction or None
        Claimed factor of V in one step, the square of a factor of the distance, exactly as the tool said it; None if
        there is no answer, or one about something else than a factor.
    value : float or None
        The number itself.
    word : str
        The tool's or its solver's own word.
    solves : int or None
        Number of problems that a solver was given, where it is known.
    evidence : object
        What the answer rests on; for lyapflow the certificate.
    """

    squared: Fraction | None
    value: float | None
    word: str
    solves: int | None = None
    evidence: object = None
