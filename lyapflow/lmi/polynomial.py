r"""A matrix inequality that is polynomial in t, for all ``-1 <= t <= 1``, as two matrix inequalities without t.

.. math:: F(t) = Z^\top X Z + (1 - t^2)\,Z_1^\top S Z_1, \qquad X \succeq 0,\ S \succeq 0,

with :math:`Z = (z, tz, \ldots, t^m z)` and :math:`Z_1` one shorter. For polynomial matrices in one variable this is
necessary too (the matrix version of the theorem of Markov and Lukacs). X has the blocks of F, and what the identity
leaves free: symmetric matrices that move between blocks of one power of t, and skew parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ..exact.dense import Dense, scalar, unit_rows
from ..exact.polynomials import Polynomial, coefficients
from .pencil import Condition, Entry, Form

__all__ = ["PolynomialCondition", "Table"]

Table: TypeAlias = Mapping[tuple[str | None, int, int], Polynomial]
"""Entries ``i <= j`` of a matrix for each unknown (None: the constant 1), as polynomials in t."""

_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class PolynomialCondition:
    """One matrix inequality for all t.

    Attributes
    ----------
    condition : Condition
        The same for one member, for its name and signals.
    still, moved : mapping
        Entries of F as polynomials in t, without the parameter of the claim and its factor.
    degree : int
        Of F in t.
    """

    condition: Condition
    still: Table
    moved: Table
    degree: int

    @property
    def size(self) -> int:
        """Number of signals."""
        return len(self.condition.signals)

    @property
    def order(self) -> int:
        """m: half the degree, rounded up."""
        return (self.degree + 1) // 2

    @property
    def unknowns(self) -> tuple[str, ...]:
        """Entries of S, and the freedom in X."""
        found = [name for entries, _, _ in self._free() for name, *_ in entries] + [e[0] for e in self._multiplier()]
        return tuple(dict.fromkeys(name for name in found if name is not None))

    def conditions(self) -> Iterator[Condition]:
        """X and S are positive semidefinite."""
        m, n, name = self.order, self.size, self.condition.name
        signals = tuple(f"t^{k} {z}" if k else z for k in range(m + 1) for z in self.condition.signals)
        forms: list[Form] = []
        for entries, weights in ((self.still, (_ONE, _ZERO)), (self.moved, (_ZERO, _ONE))):
            forms += [
                Form(self._block(k // 2), self._block(k - k // 2), middle, *weights)
                for k in range(self.degree + 1)
                if (middle := _collect(entries, k))
            ]
        for free, i, j in self._free():
            half, rest = (i + j) // 2, i + j - (i + j) // 2
            forms.append(Form(self._block(i), self._block(j), free))
            if (i, j) != (half, rest):
                forms.append(Form(self._block(half), self._block(rest), free, -_ONE))
        S = self._multiplier()
        if m:
            shorter, shifted = (unit_rows(n * (m + 1), start, n * m) for start in (0, n))
            forms += [Form(shorter, shorter, S, -_ONE), Form(shifted, shifted, S)]
        parameter = self.condition.parameter
        yield Condition(name=name, signals=signals, forms=tuple(forms), parameter=parameter)
        if m:
            every = unit_rows(n * m, 0, n * m)
            own = (Form(every, every, S),)
            yield Condition(name=f"{name} multiplier", signals=signals[: n * m], forms=own, parameter=parameter)

    def _block(self, k: int) -> Dense:
        return unit_rows(self.size * (self.order + 1), self.size * k, self.size)

    def _multiplier(self) -> tuple[Entry, ...]:
        size, one = self.size * self.order, scalar(_ONE)
        name = f"{self.condition.name}: S"
        return tuple((f"{name}[{min(i, j)},{max(i, j)}]", i, j, one) for i in range(size) for j in range(size))

    def _free(self) -> Iterator[tuple[tuple[Entry, ...], int, int]]:
        """What may be moved between blocks (i, j) of X that stand for one power of t, and skew parts of blocks."""
        m, n, one, minus = self.order, range(self.size), scalar(_ONE), scalar(-_ONE)
        for i in range(m + 1):
            for j in range(i, m + 1):
                name, is_home = f"{self.condition.name}: X{i}{j}", (i, j) == ((i + j) // 2, i + j - (i + j) // 2)
                if not is_home:
                    entries = [(f"{name}[{a},{b}]", a, b, one) for a in n for b in n if a <= b]
                    yield (*entries, *((own, b, a, one) for own, a, b, _ in entries if a < b)), i, j
                if i != j and self.size > 1:
                    skew = [(f"{name}N[{a},{b}]", a, b, one) for a in n for b in n if a < b]
                    yield (*skew, *((own, b, a, minus) for own, a, b, _ in skew)), i, j


def _collect(entries: Table, power: int) -> tuple[Entry, ...]:
    """Coefficients of one power of t, both halves of each symmetric matrix."""
    found: list[Entry] = []
    for (name, i, j), p in entries.items():
        c = coefficients(p)[power] if power <= p.degree() else _ZERO
        if c:
            found.append((name, i, j, scalar(c)))
            found += [(name, j, i, scalar(c))] if i != j else []
    return tuple(found)
