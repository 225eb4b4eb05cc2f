"""Symbols for the signals of a system, from its structure; labels of systems play no part in a theorem."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ..classes import Intersection, SectorBounded, SlopeRestricted, StaticSector
from ..classes.inequalities import Inequality, OperatorClass
from ..dynamics import LureSystem, ParametricSystem, StackedSystem, System
from ..lmi.groups import Evaluation
from ..lmi.signals import NEXT, RATE
from ..lmi.sublinear import LOG_RATE
from .formulas import Term

__all__ = [
    "MOST_WRITTEN",
    "Points",
    "Symbols",
    "belongs",
    "filter_state",
    "inequality_terms",
    "is_varying",
    "is_wide",
    "is_written",
    "kind_of",
]

_RESERVED = frozenset("xyuvwzVNctTdPABCDEIJRSeklp")

MOST_WRITTEN = 12
"""Up to this number of states, equations and matrices are written out."""

Points: TypeAlias = tuple[tuple[str, Evaluation], ...]
"""Evaluation points of a class inequality by their names."""


@dataclass(frozen=True, slots=True)
class Symbols:
    """TeX symbols of a system.

    Attributes
    ----------
    functions : tuple of str
        One per oracle, such as ``f``; oracles of one group evaluate one operator and have its symbol.
    marks : tuple of str
        Subscripts that tell the oracles' signals apart, as in ``u_{f}``.
    owners : tuple of str
        Subscripts that tell operators apart, one per oracle: those of their class inequalities.
    """

    functions: tuple[str, ...]
    marks: tuple[str, ...]
    owners: tuple[str, ...]

    @classmethod
    def of(cls, system: System) -> Symbols:
        """Symbols from the oracles' names, or ``f_1, f_2, ...`` where these are no good as symbols."""
        names, groups = system.oracle_names, system.groups
        owners = tuple(_name_operator(system, j) for j in range(len(names)))
        if len(set(owners)) == len(set(groups)):
            if all(re.fullmatch("[A-Za-z]", name) for name in owners) and not _RESERVED & set(owners):
                return cls(functions=owners, marks=names, owners=owners)
            if all(re.fullmatch("[A-Za-z]{2,}", name) for name in owners):
                words, marks = (tuple(rf"\mathrm{{{name}}}" for name in found) for found in (owners, names))
                return cls(functions=words, marks=marks, owners=words)
        return cls(
            functions=tuple(f"f_{{{group + 1}}}" for group in groups),
            marks=tuple(str(j + 1) for j in range(len(names))),
            owners=tuple(str(groups.index(group) + 1) for group in groups),
        )

    def signal(self, letter: str, j: int) -> str:
        """A signal of oracle j, such as ``u_{f}``."""
        return f"{letter}_{{{self.marks[j]}}}"

    def at(self, letter: str, evaluation: Evaluation) -> str:
        """A signal at a point, such as ``u_{f}``, ``u_{f}^{+}`` at the next step, or its rate."""
        if evaluation.filter is not None:
            return filter_state(evaluation.filter)
        if evaluation.time == LOG_RATE and letter == "u":
            return self.signal("v", evaluation.oracle)
        if evaluation.time in {RATE, LOG_RATE}:
            return self.signal(rf"\dot{{{letter}}}", evaluation.oracle)
        return self.signal(letter, evaluation.oracle) + ("^{+}" if evaluation.time == NEXT else "")


def _name_operator(system: System, j: int) -> str:
    """The name that oracles of one group have in common, such as F of F1 and F2; else the oracle's own."""
    names = system.oracle_names
    shared = [name for name, group in zip(names, system.groups, strict=True) if group == system.groups[j]]
    stems = {name.rstrip("0123456789") for name in shared}
    return stems.pop() if len(shared) > 1 and len(stems) == 1 else names[j]


def state(n: int, i: int, letter: str = "x") -> str:
    """The state with index i of n."""
    return letter if n == 1 else f"{letter}_{{{i + 1}}}"


def filter_state(k: int) -> str:
    """The state of the filter with index k."""
    return rf"\psi_{{{k + 1}}}"


def is_wide(system: System) -> bool:
    """Whether a system has so many states, or rows, that its equations are not for reading."""
    return isinstance(system, StackedSystem) or (isinstance(system, LureSystem) and system.shape[0] > MOST_WRITTEN)


def is_written(system: System) -> bool:
    """Whether the squares of a proof are for reading: neither many states nor polynomials in a parameter."""
    return not is_wide(system) and not isinstance(system, ParametricSystem)


def belongs(oracle: OperatorClass, *kinds: type) -> bool:
    """Whether a class, or a part of an intersection that is no class of functions, is one of the given kinds."""
    if not isinstance(oracle, Intersection):
        return isinstance(oracle, kinds)
    is_of_functions = any(
        part.has_values and not isinstance(part, SlopeRestricted | StaticSector) for part in oracle.parts
    )
    return not is_of_functions and any(isinstance(part, kinds) for part in oracle.parts)


def is_varying(oracle: OperatorClass) -> bool:
    """Whether members may vary with time."""
    return oracle.is_varying if isinstance(oracle, Intersection) else isinstance(oracle, SectorBounded)


def kind_of(oracle: OperatorClass) -> str:
    """What a member is called in a sentence."""
    if belongs(oracle, SlopeRestricted, StaticSector, SectorBounded):
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


def inequality_terms(inequality: Inequality, symbols: Symbols, points: Points, label: str) -> list[Term]:
    """Terms of a class inequality with its exact coefficients."""
    at = dict(points)
    terms = [
        Term(value, rf"{label}^{{{'0' * k}}}", symbols.at(r"\varphi", at[point]))
        for k, (point, value) in enumerate(inequality.values, start=1)
    ]
    for k, (((a, p), (b, q)), value) in enumerate(inequality.products, start=1):
        terms.append(Term(value, f"{label}^{{{k}}}", product(symbols.at(a, at[p]), symbols.at(b, at[q]))))
    return terms
