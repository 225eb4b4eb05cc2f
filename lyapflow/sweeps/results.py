"""Results of a sweep: a row for each point, with its evidence, and their table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeAlias

from ..certificates.certificate import Certificate
from ..certificates.files import write_atomically
from ..exact.rationals import as_text, show_above, show_below
from ..lmi.claims import Contraction
from ..search.bracket import Bracket
from ..search.witness import Witness
from .grids import Point, write_value

__all__ = ["COLUMNS", "Quantity", "Row", "SweepResult", "Word"]

Word: TypeAlias = Literal["proved", "infeasible", "inconclusive", "failed", "lost"]
"""What became of a point: the three outcomes of a search; the task raised; the executor lost it."""

Quantity: TypeAlias = Literal["rate", "factor"]
"""What a claim is about: of a rate more is better, of a factor less."""

COLUMNS = ("outcome", "quantity", "proved", "proved_exact", "witness", "gap", "seconds", "certificate", "explanation")
"""Columns of the table, after those of the point."""

_DIGITS = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is known of one point.

    Attributes
    ----------
    point : mapping
        Parameters by name, exact.
    outcome : str
        ``"proved"``; ``"infeasible"`` (the solver's word) or ``"inconclusive"``, as `lyapflow.attempt` says;
        ``"failed"`` where the task raised an exception; ``"lost"`` where the executor did, so that nothing is known.
    explanation : str
        One sentence: what is proved, or why nothing is.
    seconds : float
        Wall time of the task and the search, in the process that ran them.
    bracket : Bracket or None
        The proof and the witness; None unless proved.
    """

    point: Point
    outcome: Word
    explanation: str
    seconds: float
    bracket: Bracket | None = None

    @property
    def certificate(self) -> Certificate | None:
        """The proof, for `lyapflow.save` and `lyapflow.verify`."""
        return None if self.bracket is None else self.bracket.certificate

    @property
    def witness(self) -> Witness | None:
        """The slowest linear member that was found."""
        return None if self.bracket is None else self.bracket.witness

    @property
    def quantity(self) -> Quantity | None:
        """Whether `value` is a decay rate (continuous time) or a contraction factor (discrete time)."""
        if self.bracket is None:
            return None
        return "factor" if isinstance(self.bracket.certificate.claim, Contraction) else "rate"

    @property
    def value(self) -> Fraction | None:
        """The proved rate or factor."""
        certificate = self.certificate
        if certificate is None:
            return None
        return certificate.factor if self.quantity == "factor" else certificate.rate

    @property
    def witness_value(self) -> Fraction | None:
        """The witness's rate or factor: the true one lies between it and `value`."""
        witness = self.witness
        if witness is None:
            return None
        return witness.factor if self.quantity == "factor" else witness.rate

    def __str__(self) -> str:
        at = ", ".join(f"{name} = {write_value(value)}" for name, value in self.point.items())
        return f"{at}: {self.outcome}: {self.explanation}"

    @property
    def gap(self) -> Fraction | None:
        """Distance between `value` and `witness_value`, >= 0."""
        return None if self.bracket is None else self.bracket.gap


@dataclass(frozen=True, slots=True)
class SweepResult:
    """Rows of a sweep, one for each point, in the order of the grid.

    Attributes
    ----------
    rows : tuple of Row
        Every point of the grid is there, once.
    """

    rows: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in the grid's order."""
        return tuple(self.rows[0].point) if self.rows else ()

    @property
    def proved(self) -> tuple[Row, ...]:
        """Rows with a proof."""
        return tuple(row for row in self.rows if row.outcome == "proved")

    def to_csv(self, path: Path | str) -> Path:
        """Write the rows as a table; an existing file is replaced only by a complete one.

        Columns: the parameters; ``outcome``; ``quantity`` (rate or factor); ``proved`` (a decimal that is proved too:
        rates are rounded down, factors up) and ``proved_exact``; ``witness`` and ``gap``, rounded away from ``proved``;
        ``seconds``; ``certificate``, the SHA-256 of the proof; ``explanation``.

        Parameters
        ----------
        path : path or str
            Where.

        Returns
        -------
        Path
            The file.
        """
        stream = io.StringIO()
        table = csv.writer(stream, lineterminator="\n")
        table.writerow((*self.names, *COLUMNS))
        table.writerows(_cells(row) for row in self.rows)
        return write_atomically(path, stream.getvalue())


def _cells(row: Row) -> Iterator[str]:
    yield from map(write_value, row.point.values())
    yield row.outcome
    value, limit, gap, certificate = row.value, row.witness_value, row.gap, row.certificate
    if value is None or limit is None or gap is None or certificate is None:
        yield from [""] * 5
    else:
        inward, outward = (show_below, show_above) if row.quantity == "rate" else (show_above, show_below)
        yield from (row.quantity or "", inward(value, _DIGITS), as_text(value))
        yield from (outward(limit, _DIGITS), show_above(gap, 6))
    yield from (f"{row.seconds:.6f}", "" if certificate is None else certificate.digest, row.explanation)
