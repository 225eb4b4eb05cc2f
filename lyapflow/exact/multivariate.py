"""Polynomials in several variables over the rationals, by python-flint, with numbers let in through one door."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly_ctx

from ..errors import InvalidModelError
from .rationals import rational

__all__ = ["Polynomial", "variables"]


def variables(names: Sequence[str]) -> tuple[Polynomial, ...]:
    """The variables with the given names, as polynomials.

    Parameters
    ----------
    names : sequence of str
        Different identifiers.

    Raises
    ------
    InvalidModelError
        If they are not.

    Examples
    --------
    >>> x, y = variables(["x", "y"])
    >>> print((x + y) ** 2 - x * x)
    2*x*y + y^2
    """
    chosen = tuple(names)
    if not chosen or len(set(chosen)) < len(chosen) or not all(isinstance(n, str) and n.isidentifier() for n in chosen):
        raise InvalidModelError(f"variables need different identifiers as names, got {list(chosen)}")
    return tuple(Polynomial(generator) for generator in fmpq_mpoly_ctx.get(chosen, Ordering.lex).gens())


@dataclass(frozen=True, slots=True, eq=False)
class Polynomial:
    """A polynomial; it adds and multiplies with others in the same variables and with rationals.

    A float stands for its exact value. Polynomials in different variables do not mix.
    """

    flint: Any

    def __add__(self, other: object) -> Polynomial:
        return Polynomial(self.flint + self._read(other))

    __radd__ = __add__

    def __sub__(self, other: object) -> Polynomial:
        return Polynomial(self.flint - self._read(other))

    def __rsub__(self, other: object) -> Polynomial:
        return Polynomial(self._read(other) - self.flint)

    def __mul__(self, other: object) -> Polynomial:
        return Polynomial(self.flint * self._read(other))

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> Polynomial:
        divisor = rational(other, name="divisor")
        if not divisor:
            raise InvalidModelError("a polynomial must be divided by a number other than 0")
        return self * (1 / divisor)

    def __pow__(self, exponent: int) -> Polynomial:
        if type(exponent) is not int or exponent < 0:
            raise InvalidModelError(f"a polynomial takes powers 0, 1, 2, ..., got {exponent!r}")
        return Polynomial(self.flint**exponent)

    def __neg__(self) -> Polynomial:
        return Polynomial(-self.flint)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Polynomial | int | Fraction):
            return NotImplemented
        return not (self - other).terms

    def __hash__(self) -> int:
        return hash(str(self.flint))

    def __str__(self) -> str:
        return str(self.flint)

    def __bool__(self) -> bool:
        return bool(self.terms)

    @property
    def names(self) -> tuple[str, ...]:
        """The variables, in order."""
        return tuple(self.flint.context().names())

    @property
    def terms(self) -> dict[tuple[int, ...], Fraction]:
        """Coefficients by exponents; none is zero."""
        return {
            tuple(map(int, exponents)): Fraction(int(c.p), int(c.q)) for exponents, c in self.flint.to_dict().items()
        }

    @property
    def degree(self) -> int:
        """Total degree; 0 for constants."""
        return max((sum(exponents) for exponents in self.terms), default=0)

    @property
    def occurring(self) -> tuple[int, ...]:
        """Which variables occur, exactly."""
        return tuple(i for i, degree in enumerate(self.flint.degrees()) if degree > 0)

    def derivative(self, variable: int) -> Polynomial:
        """Partial derivative by one variable."""
        return Polynomial(self.flint.derivative(variable))

    def evaluate(self, point: Sequence[object]) -> Fraction:
        """Exact value at a rational point."""
        return sum((c * _monomial(point, e) for e, c in self.terms.items()), Fraction(0))

    def _read(self, other: object) -> Any:
        if isinstance(other, Polynomial):
            if other.flint.context() is not self.flint.context() and other.names != self.names:
                raise InvalidModelError(f"polynomials must have the same variables, got {self.names} and {other.names}")
            return other.flint
        value = rational(other, name="coefficient")
        return self.flint.context().constant(fmpq(value.numerator, value.denominator))


def _monomial(point: Sequence[object], exponents: Iterator[int] | tuple[int, ...]) -> Fraction:
    value = Fraction(1)
    for x, e in zip(point, exponents, strict=True):
        value *= rational(x, name="point") ** e
    return value
