"""Sums of weighted squares as formulas."""

from __future__ import annotations

from fractions import Fraction

from .formulas import Math, Term, combine
from .proof import Step

__all__ = ["write_squares"]


def write_squares(
    step: Step, count: int, where: list[tuple[Math, Fraction]], forms: list[Math]
) -> tuple[list[str], int]:
    """The weighted squares of a step in TeX; their linear forms and numbers are added to the lists.

    Parameters
    ----------
    step : Step
        One matrix inequality.
    count : int
        How many squares the proof has so far; the second value returned is the new number.
    where, forms : list
        Receive the exact numbers and the linear forms.
    """
    parts: list[str] = []
    for weight, vector in step.squares:
        count += 1
        d, form = f"d_{{{count}}}", rf"\ell_{{{count}}}"
        where.append((Math(d), weight))
        entries = enumerate(zip(vector, step.signals, strict=True), start=1)
        terms = [Term(v, rf"\ell_{{{count},{k}}}", signal) for k, (v, signal) in entries]
        forms += combine(terms, where, head=f"{form} = ")
        parts.append(rf"+{d}|{form}|^{{2}}")
    return parts, count
