"""Symbols for the signals of a system, from its structure; labels of systems play no part in a theorem."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from ..classes import SectorBounded, SlopeRestricted
from ..classes.inequalities import Inequality, OperatorClass
from ..dynamics import System
from .formulas import Term

__all__ = ["Symbols", "inequality_terms", "kind_of"]

_RESERVED = frozenset("xyuvwzVNctTdPABCDEIJRSeklp")


@dataclass(frozen=True, slots=True)
class Symbols:
    """TeX symbols of a system.

    Attributes
    ----------
    functions : tuple of str
        One per oracle, such as ``f``.
    marks : tuple of str
        Subscripts that tell the oracles' signals apart, as in ``u_{f}``.
    """

    functions: tuple[str, ...]
    marks: tuple[str, ...]

    @classmethod
    def of(cls, system: System) -> Symbols:
        """Symbols from the oracles' names, or ``f_1, f_2, ...`` where these are no good as symbols."""
        names = system.oracle_names
        if all(re.fullmatch("[A-Za-z]", name) for name in names) and not _RESERVED & set(names):
            return cls(functions=names, marks=names)
        if all(re.fullmatch("[A-Za-z]{2,}", name) for name in names):
            words = tuple(rf"\mathrm{{{name}}}" for name in names)
            return cls(functions=words, marks=words)
        numbers = tuple(str(j + 1) for j in range(len(names)))
        return cls(functions=tuple(f"f_{{{k}}}" for k in numbers), marks=numbers)

    def signal(self, letter: str, j: int) -> str:
        """A signal of oracle j, such as ``u_{f}``."""
        return f"{letter}_{{{self.marks[j]}}}"


def state(n: int, i: int, letter: str = "x") -> str:
    """The state with index i of n."""
    return letter if n == 1 else f"{letter}_{{{i + 1}}}"


def kind_of(oracle: OperatorClass) -> str:
    """What a member is called in a sentence."""
    if isinstance(oracle, SlopeRestricted | SectorBounded):
        return "map"
    return "function" if oracle.has_values else "operator"


def square(signal: str) -> str:
    """Squared norm of a signal."""
    return rf"|{signal}|^{{2}}"


def product(a: str, b: str) -> str:
    """Inner product of two signals, or the squared norm if they are the same."""
    return square(a) if a == b else rf"\langle {a},{b}\rangle"


def quadratic_terms(matrix: Iterable[Iterable[Fraction]], signals: tuple[str, ...], letter: str) -> list[Term]:
    """Terms of ``z' M z`` for a symmetric matrix; ``letter`` names its entries where they are long."""
    return [
        Term(value, f"{letter}_{{{i + 1}{j + 1}}}" if len(signals) < 10 else f"{letter}_{{{i + 1},{j + 1}}}",
             product(signals[i], signals[j]), 1 if i == j else 2)
        for i, row in enumerate(matrix) for j, value in enumerate(row) if i <= j
    ]  # fmt: skip


def inequality_terms(inequality: Inequality, symbols: Symbols, j: int, label: str) -> list[Term]:
    """Terms of a class inequality with its exact coefficients."""
    terms = [Term(value, rf"{label}^{{0}}", symbols.signal(r"\varphi", j)) for _, value in inequality.values]
    for k, (((a, _), (b, _)), value) in enumerate(inequality.products, start=1):
        terms.append(Term(value, f"{label}^{{{k}}}", product(symbols.signal(a, j), symbols.signal(b, j))))
    return terms
