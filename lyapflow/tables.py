"""Tables of numbers from CSV files, read strictly: nothing is guessed, skipped or filled in."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .classes.curvature import read_data
from .errors import InvalidModelError
from .exact.rationals import rational

__all__ = ["Table", "read_table", "standardize", "take_number"]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Named columns of finite numbers.

    Attributes
    ----------
    columns : tuple of str
        Names, all different.
    values : ndarray of float, shape (n, k)
        One observation a row; read-only.

    Examples
    --------
    >>> table = Table(("age", "y"), np.array([[59.0, 151.0], [48.0, 75.0]]))
    >>> table.column("y")
    array([151.,  75.])
    >>> table.drop("y").columns
    ('age',)
    """

    columns: tuple[str, ...]
    values: NDArray[np.float64]

    def __post_init__(self) -> None:
        values = read_data(self.values, name="Table: values")
        values.flags.writeable = False
        columns = tuple(self.columns)
        if len(columns) != values.shape[1] or len(set(columns)) != len(columns):
            raise InvalidModelError(
                f"Table needs one name for each of the {values.shape[1]} columns, all different; got {columns}"
            )
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "values", values)

    def column(self, name: str) -> NDArray[np.float64]:
        """The column of that name, shape (n,)."""
        return self.values[:, self._find(name)]

    def drop(self, *names: str) -> Table:
        """The table without the named columns."""
        gone = {self._find(name) for name in names}
        kept = [j for j in range(len(self.columns)) if j not in gone]
        if not kept:
            raise InvalidModelError("Table.drop must leave at least one column, but all of them were named")
        return Table(tuple(self.columns[j] for j in kept), self.values[:, kept])

    def _find(self, name: str) -> int:
        if name not in self.columns:
            raise InvalidModelError(f"the column must be one of {list(self.columns)}, got {name!r}")
        return self.columns.index(name)


def read_table(path: str | Path) -> Table:
    r"""Table in a comma-separated file: one header line, then one line of decimal numbers for each observation.

    Parameters
    ----------
    path : str or pathlib.Path
        File in UTF-8.

    Returns
    -------
    Table
        Every cell as the nearest double.

    Raises
    ------
    InvalidModelError
        If the file is empty or not UTF-8, the header is missing, incomplete or names a column twice, a line has too
        many or too few cells, or a cell is not a finite decimal number; the message names file, line and column.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "table.csv"
    >>> _ = path.write_text("age,y\n59,151\n48,75\n")
    >>> read_table(path).values
    array([[ 59., 151.],
           [ 48.,  75.]])
    """
    where = Path(path)
    if "\0" in str(where):
        raise InvalidModelError(f"the name of a table must not hold a zero byte, got {str(where)!r}")
    rows: list[list[float]] = []
    header: tuple[str, ...] | None = None
    try:
        with where.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines, strict=True)
            for cells in reader:
                place = f"{where}, line {reader.line_num}"
                if header is None:
                    header = _read_header(cells, place)
                else:
                    rows.append(_read_row(cells, header, place))
    except UnicodeDecodeError as error:
        raise InvalidModelError(f"{where}: a table must be text in UTF-8, got byte {error.start} that is not") from None
    except csv.Error as error:
        raise InvalidModelError(f"{where}: a table must be well-formed CSV, got: {error}") from None
    if header is None or not rows:
        raise InvalidModelError(f"{where}: a table needs a header line and at least one line of numbers, got none")
    return Table(header, np.array(rows, dtype=np.float64))


def _read_header(cells: list[str], place: str) -> tuple[str, ...]:
    names = tuple(cell.strip() for cell in cells)
    if not names or all(_NUMBER.fullmatch(name) for name in names):
        raise InvalidModelError(f"{place}: the first line must be a header with the names of the columns, got {cells}")
    for index, name in enumerate(names):
        if not name:
            raise InvalidModelError(f"{place}: every column must have a name, column {index + 1} has none")
        if name in names[:index]:
            first = names.index(name) + 1
            raise InvalidModelError(f"{place}: names must differ, columns {first} and {index + 1} are both {name!r}")
    return names


def _read_row(cells: list[str], header: tuple[str, ...], place: str) -> list[float]:
    if len(cells) != len(header):
        shortfall = f" (missing from column {header[len(cells)]!r} on)" if len(cells) < len(header) else ""
        raise InvalidModelError(f"{place}: a line must have {len(header)} cells, got {len(cells)}{shortfall}")
    return [_read_cell(cell, name, place) for cell, name in zip(cells, header, strict=True)]


def _read_cell(cell: str, name: str, place: str) -> float:
    text = cell.strip()
    if not text:
        raise InvalidModelError(f"{place}, column {name!r}: the cell must hold a number, it is empty")
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise InvalidModelError(
            f"{place}, column {name!r}: the cell must be a finite decimal number, got {text[:40]!r}"
        )
    return number


def take_number(data: Mapping[str, object], folder: Path, *, name: str = "number") -> Fraction:
    r"""The least or greatest number of a column, times a factor.

    Parameters
    ----------
    data : mapping
        Keys ``table`` (a file), ``column`` (a name), ``take`` (``"least"`` or ``"greatest"``) and, optional, ``times``
        (a rational).
    folder : Path
        Where the table is looked up.
    name : str, default "number"
        What the number is for, for error messages.

    Returns
    -------
    Fraction
        Exact; a cell counts as the decimal that is written, up to 15 significant digits, and beyond as the shortest
        decimal that has the same nearest double.

    Raises
    ------
    InvalidModelError
        If a key is missing or unknown, or the table cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "costs.csv").write_text("bus,quadratic\n1,0.01\n4,0.25\n")
    >>> take_number({"table": "costs.csv", "column": "quadratic", "take": "least", "times": 2}, folder)
    Fraction(1, 50)
    """
    keys = ("table", "column", "take", "times")
    if not set(data) <= set(keys) or not set(keys[:3]) <= set(data):
        raise InvalidModelError(
            f"{name}: a number from a table needs the keys table, column and take, and may have times; got "
            f"{', '.join(data) or 'none'}"
        )
    table, column, take = (data[key] for key in keys[:3])
    if not isinstance(table, str) or not isinstance(column, str) or take not in ("least", "greatest"):
        raise InvalidModelError(
            f'{name}: table and column must be texts, take "least" or "greatest"; got {table!r}, {column!r}, {take!r}'
        )
    cells = read_table(folder / table).column(column)
    number = float(cells.min() if take == "least" else cells.max())
    return rational(repr(number)) * rational(data.get("times", 1), name=f"{name}: times")


def standardize(values: ArrayLike) -> NDArray[np.float64]:
    """Columns with mean 0 and variance 1 (division by n), up to rounding.

    Parameters
    ----------
    values : array_like, shape (n, k)
        Finite numbers, one observation a row.

    Returns
    -------
    ndarray of float, shape (n, k)
        A new array.

    Raises
    ------
    InvalidModelError
        If a column is constant, or so nearly that its variance is lost in rounding; the message names its index.

    Examples
    --------
    >>> standardize([[1.0, 10.0], [3.0, 30.0]])
    array([[-1., -1.],
           [ 1.,  1.]])
    """
    array = read_data(values, name="values")
    size = np.abs(array).max(axis=0)
    scaled = array / np.where(size > 0, size, 1.0)  # entries in [-1, 1]: no square over- or underflows
    centred = scaled - scaled.mean(axis=0)
    deviation = np.sqrt((centred**2).mean(axis=0))
    flat = np.flatnonzero(deviation <= len(array) * np.finfo(np.float64).eps)
    if flat.size:
        raise InvalidModelError(
            f"every column of values must vary, but the column with index {int(flat[0])} is constant. Drop it first."
        )
    return centred / deviation
