"""What a report is made of, beside certificates and brackets: simulations, tables, notes and figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..certificates import Certificate
from ..errors import InvalidModelError

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

    from ..simulation import Trajectory

__all__ = ["KINDS", "Figure", "Note", "Simulation", "Table"]

PROVED, SOLVER, SEEN = KINDS = ("proved", "solver's word", "seen in simulation")
"""The three words; each number of a report stands under one of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """A trajectory with the certificate that speaks about it.

    Parameters
    ----------
    certificate : Certificate
        Is verified again and printed in the report.
    trajectory : Trajectory
        From `lyapflow.simulate`.
    title : str, default "Simulation"
        Heading.
    """

    certificate: Certificate
    trajectory: Trajectory
    title: str = "Simulation"

    def __post_init__(self) -> None:
        if not isinstance(self.certificate, Certificate):
            raise InvalidModelError(f"Simulation needs a Certificate, got {type(self.certificate).__name__}")
        if not hasattr(self.trajectory, "distance"):
            raise InvalidModelError(f"Simulation needs a Trajectory, got {type(self.trajectory).__name__}")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of numbers and words.

    Parameters
    ----------
    title : str
        Heading.
    header : sequence of str
        Names of the columns.
    rows : sequence of sequences
        Cells: text, `Fraction` (printed exactly, with its decimal), int, float, or None.
    kinds : sequence of str, optional
        One of ``"solver's word"``, ``"seen in simulation"`` or ``""`` (neither: data, names) per column. The word
        "proved" is not an author's to give: it is printed for certificates that the report itself verified.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    kinds: Sequence[str] = ()

    def __post_init__(self) -> None:
        width = len(self.header)
        for row in self.rows:
            if isinstance(row, str) or len(row) != width:
                raise InvalidModelError(f"Table rows must have {width} cells, one per column, got {row!r}")
        if self.kinds and len(self.kinds) != width:
            raise InvalidModelError(f"Table kinds must name {width} columns, got {list(self.kinds)}")
        for kind in self.kinds:
            _check_kind("Table: kinds", kind)


@dataclass(frozen=True, slots=True)
class Note:
    """Text of the author; a blank line starts a new paragraph."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A figure of the author.

    Parameters
    ----------
    title : str
        Heading.
    draw : callable
        Draws on the `matplotlib.figure.Figure` that it is given.
    kind : str, default ""
        As in `Table`.
    caption : str, optional
        Printed below the figure.
    """

    title: str
    draw: Callable[[Canvas], object]
    kind: str = ""
    caption: str = ""

    def __post_init__(self) -> None:
        if not callable(self.draw):
            raise InvalidModelError(f"Figure: draw must be a function of a matplotlib Figure, got {self.draw!r}")
        _check_kind("Figure: kind", self.kind)


def _check_kind(name: str, kind: str) -> None:
    if kind == PROVED:
        raise InvalidModelError(
            f"{name} cannot be {PROVED!r}: only what the report itself verified is called so. Give the certificate."
        )
    if kind not in {SOLVER, SEEN, ""}:
        raise InvalidModelError(f"{name} must be one of {[SOLVER, SEEN, '']}, got {kind!r}")
