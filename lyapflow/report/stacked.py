"""The words of a system with functions of several signals: their class inequalities are sums over rows."""

from __future__ import annotations

from collections.abc import Iterable

from ..dynamics import StackedSystem, System
from .clock import Clock
from .formulas import Block, Display, Listing, Math, Paragraph, Sentence
from .hypotheses import join
from .symbols import Symbols, kind_of

__all__ = [
    "add_rows",
    "explain_sums",
    "rows_of_vectors",
    "stacked_assumptions",
    "stacked_motion",
    "stacked_oracles",
    "stacked_values",
]


def stacked_motion(system: StackedSystem) -> list[Block]:
    """Equations of motion with matrices, and what each function relates."""
    n, m = system.shape
    names = Symbols.of(system)
    lines = [Math(r"\dot{x} = Ax+Bu,\qquad y = Cx")]
    for rows in system.vectors:
        u, y = _stack(names, "u", rows), _list(names, "y", rows)
        lines.append(Math(rf"{u} = \nabla {_function(system, rows[0])}({y})"))
    stacked = (Math(f"{letter} = {_stack(names, letter, tuple(range(m)))}") for letter in "yu")
    return [
        Paragraph(Clock.of(system).motion),
        Display(tuple(lines)),
        Paragraph(
            ("with ", *join(tuple(stacked)), " and the rational matrices ", Math("A"), f" ({n} x {n}), ", Math("B"),
             f" ({n} x {m}), ", Math("C"), f" ({m} x {n}) of the certificate's file.")
        ),
    ]  # fmt: skip


def stacked_oracles(system: StackedSystem) -> list[Block]:
    """What is known of each function."""
    items: list[Sentence] = []
    for rows in _first_evaluations(system):
        oracle = system.oracles[rows[0]]
        called = ", ".join(system.oracle_names[j] for j in rows)
        count = f" of {len(rows)} arguments" if len(rows) > 1 else ""
        f = _function(system, rows[0])
        items.append((f"The {kind_of(oracle)} ", Math(f), f"{count} (the oracle {called}) is {oracle.describe()}."))
    return [Paragraph(("where",)), Listing(tuple(items)), Paragraph(("Assume the following.",))]


def stacked_assumptions(system: StackedSystem) -> list[Sentence]:
    """Standing assumptions: dimension, equilibrium, solution."""
    names = Symbols.of(system)
    found: list[Sentence] = [
        ("Dimension: every signal takes values in ", Math(r"\mathbb{R}^{d}"), " for an arbitrary ", Math("d"),
         ", so a function of k arguments is one on ", Math(r"\mathbb{R}^{kd}"), "; each number of a matrix acts as ",
         Math(r"(\cdot)\otimes I_{d}"), "."),
        ("Equilibrium: constant signals ", Math(r"(x^{\star},y^{\star},u^{\star})"), " satisfy all relations above. "
         "That they exist is assumed, not proved."),
    ]  # fmt: skip
    for first in _first_evaluations(system):
        again = [rows for rows in system.vectors if system.blocks[rows[0]] == system.blocks[first[0]]]
        if len(again) > 1:
            same = (Math(" = ".join(rf"{_stack(names, kind, rows)}^{{\star}}" for rows in again)) for kind in "yu")
            found.append(
                (Math(_function(system, first[0])), f" is one function, evaluated at {len(again)} points; at this "
                 "equilibrium they coincide: ", *join(tuple(same)), ".")
            )  # fmt: skip
    return [*found, Clock.of(system).solution]


def stacked_values(system: StackedSystem, oracles: Iterable[int], *, lead: str) -> Iterable[Block]:
    """The function values: only the sum over the rows of a function has a meaning."""
    names = Symbols.of(system)
    wanted = set(oracles)
    lines: list[Math] = []
    for rows in system.vectors:
        if not wanted & set(rows):
            continue
        f, y = _function(system, rows[0]), _list(names, "y", rows)
        phi = "+".join(names.signal(r"\varphi", j) for j in rows)
        stars = ",".join(rf"{names.signal('y', j)}^{{\star}}" for j in rows)
        slope = "".join(
            rf"-\langle {names.signal('u', j)}^{{\star}},{names.signal('y', j)}-{names.signal('y', j)}^{{\star}}\rangle"
            for j in rows
        )
        lines.append(Math(rf"{phi} = {f}({y})-{f}({stars}){slope}"))
    if lines:
        yield Paragraph((lead,))
        yield Display(tuple(lines))
        yield Paragraph(
            ("The parts of such a sum have no meaning of their own; all formulas give them equal weights, so that only "
             "their sum occurs.",)
        )  # fmt: skip


def rows_of_vectors(system: System) -> frozenset[int]:
    """Rows of functions of several arguments."""
    vectors = system.vectors if isinstance(system, StackedSystem) else ()
    return frozenset(j for rows in vectors if len(rows) > 1 for j in rows)


def add_rows(system: System, labels: list[str]) -> list[Math]:
    """The class inequalities of functions of several arguments, as sums of the terms of their rows."""
    if not isinstance(system, StackedSystem):
        return []
    names = Symbols.of(system)
    found: list[Math] = []
    for rows in _first_evaluations(system):
        owners = [names.owners[j] for j in rows]
        numbers = [label.rpartition(",")[2] for label in labels if label.startswith(f"I_{{{owners[0]},")]
        if len(rows) > 1:
            sums = ("+".join(f"I_{{{owner},{number}" for owner in owners) for number in numbers)
            found += [Math(total + r" \geq 0") for total in sums]
    return found


def explain_sums() -> Sentence:
    """Which inequalities hold: sums over rows."""
    return (
        "For a function of several arguments the terms ", Math("I"), " are written for each row, with equal "
        "multipliers, whose values are given for the first one. It is their sum over the rows that is nonnegative: the "
        "class inequality of the function.",
    )  # fmt: skip


def _function(system: StackedSystem, j: int) -> str:
    return f"f_{{{system.blocks[j] + 1}}}"


def _first_evaluations(system: StackedSystem) -> list[tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    for rows in system.vectors:
        found.setdefault(system.blocks[rows[0]], rows)
    return list(found.values())


def _list(names: Symbols, letter: str, rows: tuple[int, ...]) -> str:
    return ",".join(names.signal(letter, j) for j in rows)


def _stack(names: Symbols, letter: str, rows: tuple[int, ...]) -> str:
    return names.signal(letter, rows[0]) if len(rows) == 1 else f"({_list(names, letter, rows)})"
