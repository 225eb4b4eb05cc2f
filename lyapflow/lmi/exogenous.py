"""The class of a signal of which nothing is known: an input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..classes.inequalities import ANY, Inequality, LinearMembers

__all__ = ["Exogenous"]


@dataclass(frozen=True, slots=True)
class Exogenous:
    """A signal of which nothing is known: the class of an input."""

    has_values = False
    is_monotone = False
    is_single_valued = True
    equilibria = ANY

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """None."""
        return ()

    def linear_members(self) -> LinearMembers:
        """All."""
        return LinearMembers(lower=None, upper=None)

    def describe(self) -> str:
        """In words."""
        return "any signal"
