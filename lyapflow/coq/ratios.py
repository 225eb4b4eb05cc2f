"""Rational functions of a parameter as the proof assistant reads them, and as sums of what is not negative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, lcm

from ..errors import InvalidModelError
from ..exact.polynomials import (
    Polynomial,
    coefficients,
    common_divisor,
    common_multiple,
    divide,
    polynomial,
    reconstruct,
    scale,
    substitute,
)
from .terms import number

__all__ = ["PARAMETER", "Range", "clear", "write_polynomial"]

PARAMETER = "s"
"""Name of the parameter in a file."""

_ONE = Fraction(1)
_MOST_ELEVATIONS = 24


@dataclass(frozen=True, slots=True)
class Range:
    """Where a parameter lies, and at which values functions of it are known.

    Attributes
    ----------
    low : Fraction
        Lower end.
    high : Fraction or None
        Upper end; None for a half-line.
    denominator : tuple of Fraction
        Coefficients of the common denominator of all numbers of the family, the lowest first.
    nodes : tuple of Fraction
        Different values between the ends, more than twice as many as the degrees of the functions.
    """

    low: Fraction
    high: Fraction | None
    denominator: tuple[Fraction, ...]
    nodes: tuple[Fraction, ...]

    def find(self, column: Sequence[Fraction]) -> tuple[Polynomial, Polynomial]:
        """The function with given values at the nodes: numerator and monic denominator."""
        return reconstruct(self.nodes, column)

    def spell(self, column: Sequence[Fraction]) -> str:
        """The function as text, over the least power of the denominator of the family.

        >>> nodes = tuple(map(Fraction, range(2, 12)))
        >>> Range(Fraction(2), None, (Fraction(0), Fraction(1)), nodes).spell([2 - 1 / s for s in nodes])
        '(((-1) + 2 * s) / s)'
        """
        if len(set(column)) == 1:
            return number(column[0])
        above, below = self.find(column)
        whole = polynomial(self.denominator)
        for power in range(len(self.nodes)):
            total = whole**power
            if common_divisor([total, below]).degree() == below.degree():
                break
        else:
            raise InvalidModelError("a number of the family is not over a power of its denominator")
        text = write_polynomial(above * divide(total, below))
        own = write_polynomial(whole)
        return text if not power else f"({text} / {own if power == 1 else f'{own}^{power}'})"

    def write_nonnegative(self, p: Polynomial) -> str:
        """A polynomial as a sum of products of s - low and high - s with nonnegative numbers.

        Raises
        ------
        InvalidModelError
            If it is not seen to be nonnegative in the range.
        """
        factors, found = self._expand(p)
        if min(found) < 0:
            raise InvalidModelError("a multiplier is not seen to be nonnegative for all values of the parameter")
        n = len(found) - 1
        terms = [
            " * ".join([number(c), *(f"{f}^{k}" for f, k in zip(factors, (r, n - r), strict=False) if k)])
            for r, c in enumerate(found)
            if c
        ]
        return " + ".join(terms) or "0"

    def write_positive(self, p: Polynomial) -> str:
        """A polynomial as a positive number plus what is not negative.

        Raises
        ------
        InvalidModelError
            If it is not seen to be positive in the range.
        """
        _, found = self._expand(p)
        n, width = len(found) - 1, _ONE if self.high is None else self.high - self.low
        least = found[0] if self.high is None else min(c * width**n / comb(n, r) for r, c in enumerate(found))
        if least <= 0:
            raise InvalidModelError("a number is not seen to be positive for all values of the parameter")
        return f"{number(least)} + ({self.write_nonnegative(p - polynomial([least]))})"

    def _expand(self, p: Polynomial) -> tuple[tuple[str, ...], list[Fraction]]:
        """Factors, and coefficients of their products, nonnegative if that is seen."""
        above = f"(s - {number(self.low)})"
        if self.high is None:
            return (above,), list(coefficients(substitute(p, polynomial([self.low, _ONE])))) or [Fraction(0)]
        width = self.high - self.low
        c = coefficients(substitute(p, polynomial([self.low, width])))
        for n in range(max(len(c) - 1, 0), max(len(c) - 1, 0) + _MOST_ELEVATIONS):
            found = [
                sum((v * Fraction(comb(r, k), comb(n, k)) for k, v in enumerate(c) if k <= r), Fraction(0))
                for r in range(n + 1)
            ]
            if min(found) >= 0:
                break
        return (above, f"({number(self.high)} - s)"), [v * comb(n, r) / width**n for r, v in enumerate(found)]


def clear(functions: Sequence[tuple[Polynomial, Polynomial]], like: Range) -> tuple[Polynomial, ...]:
    """Functions times one positive function, so that all are polynomials; with integers at the lower end."""
    below = common_multiple(q for _, q in functions)
    middle = like.nodes[0]
    sign = 1 if sum(c * middle**k for k, c in enumerate(coefficients(below))) > 0 else -1
    found = [scale(p * divide(below, q), sign) for p, q in functions]
    shift = polynomial([like.low, _ONE])
    size = lcm(*(c.denominator for p in found for c in coefficients(substitute(p, shift))), 1)
    return tuple(scale(p, size) for p in found)


def write_polynomial(p: Polynomial) -> str:
    """A polynomial in s, in parentheses where there is more than one term.

    >>> write_polynomial(polynomial([Fraction(1), Fraction(0), Fraction(-2)]))
    '(1 + (-2) * s^2)'
    """
    powers = ["", PARAMETER, *(f"{PARAMETER}^{k}" for k in range(2, p.degree() + 1))]
    terms = []
    for c, power in zip(coefficients(p), powers, strict=False):
        if c:
            terms.append(power if power and c == 1 else f"{number(c)} * {power}" if power else number(c))
    if not terms:
        return "0"
    return (
        terms[0]
        if len(terms) == 1 and (terms[0].isidentifier() or not powers[p.degree()])
        else f"({' + '.join(terms)})"
    )
