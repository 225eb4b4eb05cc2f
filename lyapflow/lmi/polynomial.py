r"""A matrix inequality that is polynomial in t, for all ``-1 <= t <= 1``, as two matrix inequalities without t.

.. math:: F(t) = Z^\top X Z + (1 - t^2)\,Z_1^\top S Z_1, \qquad X \succeq 0,\ S \succeq 0,

with :math:`Z = (z, tz, \ldots, t^m z)` and :math:`Z_1` one shorter. For polynomial matrices in one variable this is
necessary too (the matrix version of the theorem of Markov and Lukacs). X has the blocks of F, and what the identity
leaves free: symmetric matrices that move between blocks of one power of t, and skew parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ..exact.dense import Scalar, scalar, unit_rows
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
    factor : Polynomial
        F is that many times the inequality of the member.
    """

    condition: Condition
    still: Table
    moved: Table
    degree: int
    factor: Polynomial

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
        m, n, name, minus = self.order, self.size, self.condition.name, scalar(-_ONE)
        signals = tuple(f"t^{k} {z}" if k else z for k in range(m + 1) for z in self.condition.signals)
        still, moved = (
            [e for k in range(self.degree + 1) for e in self._put(_collect(table, k), k // 2, k - k // 2)]
            for table in (self.still, self.moved)
        )
        for free, i, j in self._free():
            still += self._put(free, i, j)
            half, rest = (i + j) // 2, i + j - (i + j) // 2
            still += self._put(free, half, rest, minus) if (i, j) != (half, rest) else []
        S = self._multiplier()
        still += [*self._put(S, 0, 0, minus), *self._put(S, 1, 1)]
        every, parameter = unit_rows(n * (m + 1), 0, n * (m + 1)), self.condition.parameter
        forms = (Form(every, every, tuple(still)), Form(every, every, tuple(moved), _ZERO, _ONE))
        yield Condition(name=name, signals=signals, forms=forms[: 2 if moved else 1], parameter=parameter)
        if m:
            shorter = unit_rows(n * m, 0, n * m)
            own = (Form(shorter, shorter, S),)
            yield Condition(name=f"{name} multiplier", signals=signals[: n * m], forms=own, parameter=parameter)

    def _put(self, entries: Iterable[Entry], i: int, j: int, weight: Scalar | None = None) -> list[Entry]:
        """Entries of a block, or of blocks from there on, in the whole matrix."""
        n = self.size
        return [(name, i * n + a, j * n + b, c if weight is None else weight * c) for name, a, b, c in entries]

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
