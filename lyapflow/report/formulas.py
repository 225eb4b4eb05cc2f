"""Formulas as data: a common subset of TeX, with their plain-text reading, and texts that mix words and formulas.

The subset is what LaTeX and matplotlib's mathtext have in common, so that one formula serves the LaTeX fragment, the
page and the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from ..exact.matrices import Matrix
from .numbers import is_short, tex_number, with_decimal
from .spelling import spell

__all__ = [
    "Block",
    "Display",
    "Listing",
    "Math",
    "Matrices",
    "Paragraph",
    "Sentence",
    "Term",
    "Where",
    "add_up",
    "combine",
    "read",
    "text_of",
]


@dataclass(frozen=True, slots=True)
class Math:
    """A formula in TeX, without dollar signs."""

    tex: str

    @property
    def text(self) -> str:
        """Its plain-text reading."""
        return spell(self.tex)


Sentence: TypeAlias = tuple[str | Math, ...]
"""Words and formulas in turn."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text, with a few words that lead in."""

    sentence: Sentence
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Display:
    """Formulas, one a line."""

    lines: tuple[Math, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Items of a list."""

    items: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Where:
    """Symbols with their exact values."""

    entries: tuple[tuple[Math, Fraction], ...]


@dataclass(frozen=True, slots=True)
class Matrices:
    """Matrices with their exact entries."""

    entries: tuple[tuple[Math, Matrix], ...]


Block: TypeAlias = Paragraph | Display | Listing | Where | Matrices


class Term(NamedTuple):
    """A term of a sum: ``multiple * coefficient * factor``.

    Attributes
    ----------
    coefficient : Fraction
        Exact.
    symbol : str
        Stands for the coefficient where that is too long for a formula.
    factor : str
        What it multiplies, in TeX; empty for a constant.
    multiple : int
        A small whole number, such as the 2 of a mixed product.
    """

    coefficient: Fraction
    symbol: str
    factor: str = ""
    multiple: int = 1


def combine(
    terms: Iterable[Term], where: list[tuple[Math, Fraction]], *, head: str = "", width: int = 84
) -> tuple[Math, ...]:
    """Sum of terms as lines of a formula; coefficients too long for a formula get a symbol, which is added to `where`.

    Parameters
    ----------
    terms : iterable of Term
        Terms with coefficient 0 are dropped.
    where : list of (Math, Fraction)
        Receives the symbols that were used, with their exact values.
    head : str, optional
        What precedes the sum, such as ``"V = "``.
    width : int, default 84
        Characters of the plain reading after which a line is broken.

    Examples
    --------
    >>> combine([Term(Fraction(-2), "a", "x_{1}"), Term(Fraction(1), "b", "x_{2}")], [])
    (Math(tex='-2x_{1}+x_{2}'),)
    """
    return add_up((_write(term, where) for term in terms if term.coefficient), head=head, width=width)


def add_up(parts: Iterable[str], *, head: str = "", width: int = 84) -> tuple[Math, ...]:
    """Sum of parts that start with their sign, as lines of a formula; an empty sum is 0."""
    lines: list[str] = []
    line, empty = head, True
    for part in parts:
        if empty:
            part = part.removeprefix("+")
        elif len(spell(line)) + len(spell(part)) > width:
            lines.append(line)
            line = r"\qquad "
        line, empty = line + part, False
    return tuple(Math(text) for text in [*lines, line + ("0" if empty else "")])


def _write(term: Term, where: list[tuple[Math, Fraction]]) -> str:
    value = term.multiple * term.coefficient
    if not is_short(value):
        entry = (Math(term.symbol), term.coefficient)
        if entry not in where:
            where.append(entry)
        number = f"{term.multiple}{term.symbol}" if term.multiple != 1 else term.symbol
        return f"+{number}" + (rf"\,{term.factor}" if term.factor else "")
    number = "" if abs(value) == 1 and term.factor else tex_number(abs(value))
    gap = r"\," if number and term.factor and (value.denominator != 1 or not term.factor[0].isalpha()) else ""
    return ("-" if value < 0 else "+") + number + gap + term.factor


def text_of(blocks: Iterable[Block]) -> str:
    """Blocks in plain text, every number exact."""
    return "\n".join(line for block in blocks for line in _lines(block))


def _lines(block: Block) -> list[str]:
    match block:
        case Paragraph(sentence=sentence, lead=lead):
            return [f"{lead} {read(sentence)}".strip()]
        case Display(lines=lines):
            return [f"    {line.text}" for line in lines]
        case Listing(items=items):
            return [f"  - {read(item)}" for item in items]
        case Where(entries=entries):
            return [f"    {symbol.text} = {with_decimal(value)}" for symbol, value in entries]
        case Matrices(entries=entries):
            return [
                f"    {symbol.text} = [{'; '.join(', '.join(str(v) for v in row) for row in matrix)}]"
                for symbol, matrix in entries
            ]


def read(sentence: Sentence) -> str:
    """A sentence in plain text."""
    return "".join(part if isinstance(part, str) else part.text for part in sentence)
