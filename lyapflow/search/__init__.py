"""The only rooms with a numerical solver: scale, solve, round, prove."""

from .bracket import Bracket, bracket
from .outcomes import Inconclusive, Infeasible, Proved, Reason
from .pipeline import attempt, certify
from .witness import Witness

__all__ = ["Bracket", "Inconclusive", "Infeasible", "Proved", "Reason", "Witness", "attempt", "bracket", "certify"]
