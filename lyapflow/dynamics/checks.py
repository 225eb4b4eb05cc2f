"""Checks that the catalogues of flows and algorithms share."""

from __future__ import annotations

from fractions import Fraction

from ..classes.inequalities import ANY, OperatorClass
from ..errors import InvalidModelError
from ..exact.rationals import rational

__all__ = ["check_parameter", "check_shifts"]


def check_parameter(name: str, value: object) -> Fraction:
    """A step or gain as a rational, if it is positive.

    >>> check_parameter("step", "1/3")
    Fraction(1, 3)
    """
    number = rational(value, name=name)
    if number <= 0:
        raise InvalidModelError(f"{name} must be > 0, got {number}")
    return number


def check_shifts(**oracles: OperatorClass) -> None:
    """At the minimiser of a sum the single gradients are not zero: classes that need that are refused."""
    for name, oracle in oracles.items():
        if isinstance(oracle, OperatorClass) and oracle.equilibria != ANY:
            raise InvalidModelError(
                f"{name} must be of a class whose inequalities hold around any equilibrium, got {oracle!r}: its "
                "inequalities hold only where its output is zero, and at the minimiser of a sum it is not"
            )
