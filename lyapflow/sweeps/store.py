"""The store of a sweep: an SQLite file that survives ``kill -9``.

It holds texts and numbers only, so opening a stranger's store executes nothing, and what it calls proved is proved
again before it is passed on. That a certificate belongs to the point beside which it stands is the store's word.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any

from .. import __version__
from ..certificates.files import parse, to_text
from ..certificates.verification import judge
from ..errors import InvalidModelError, LyapflowError, StoreError
from ..exact.rationals import as_text, rational
from ..search.bracket import Bracket
from ..search.witness import Witness, check_witness
from .grids import Point, to_key
from .results import Row, Word

__all__ = ["Store", "identify", "open_store"]

_APPLICATION = 0x4C794677  # "LyFw", in the header of the file
_SCHEMA = 1
_KEPT: tuple[Word, ...] = ("proved", "infeasible", "inconclusive")
_TABLES = (
    "CREATE TABLE task (name TEXT NOT NULL, arguments TEXT NOT NULL)",
    "CREATE TABLE results (point TEXT NOT NULL PRIMARY KEY, outcome TEXT NOT NULL, explanation TEXT NOT NULL, "
    "seconds REAL NOT NULL, certificate TEXT, witness TEXT, version TEXT NOT NULL)",
)


def identify(task: Callable[..., object]) -> tuple[str, str]:
    """Name of a task, and the arguments that it always has, as canonical text.

    Raises
    ------
    InvalidModelError
        If two different tasks could have the same name.
    """
    function, fixed = task, {}
    if isinstance(task, partial):
        function = task.func
        fixed = {**{str(k): value for k, value in enumerate(task.args)}, **task.keywords}
    if not isinstance(function, FunctionType) or "<" in function.__qualname__:
        raise InvalidModelError(
            f"with a store, the task must be a function of a module, or functools.partial of one, so that its results "
            f"can be found again by its name; got {task!r:.80}"
        )
    module = function.__module__
    if module == "__main__":  # every script has that name; its file's name says which
        module = Path(getattr(sys.modules[module], "__file__", None) or module).name
    arguments = {name: _freeze(name, value) for name, value in fixed.items()}
    return f"{module}.{function.__qualname__}", json.dumps(arguments, sort_keys=True, ensure_ascii=True)


def _freeze(name: str, value: object) -> object:
    return value if value is None or isinstance(value, str | bool) else as_text(rational(value, name=f"task: {name}"))


@dataclass(frozen=True, slots=True)
class Store:
    """Results of one task, by point; open, and locked against others."""

    path: Path
    connection: sqlite3.Connection

    def find(self, points: Iterable[Point]) -> Iterator[Row]:
        """Rows that are there; those whose task failed do not count, and are computed again."""
        wanted = {to_key(point): point for point in points}
        with _explain(self.path):
            kept = self.connection.execute(
                "SELECT point, outcome, explanation, seconds, certificate, witness FROM results "
                "WHERE outcome <> 'failed' ORDER BY rowid"
            )
            for key, *cells in kept:
                if key in wanted:
                    yield _read_row(self.path, wanted[key], *cells)

    def add(self, row: Row) -> None:
        """Keep a row; when this returns it is kept even if the process is killed."""
        texts = (None, None) if row.bracket is None else _write_bracket(row.bracket)
        cells = (to_key(row.point), row.outcome, row.explanation, row.seconds, *texts, __version__)
        with _explain(self.path):
            self.connection.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?)", cells)


@contextmanager
def open_store(path: Path | str, task: tuple[str, str]) -> Iterator[Store]:
    """The store in a file, made if it is not there; locked until closed.

    Raises
    ------
    StoreError
        If the file is not a store, is damaged or in use, or holds the results of another task.
    """
    named = Path(path)
    if "\0" in str(named):
        raise StoreError("is a name that no file can have", path=named)
    if named.exists() and not named.is_file():
        raise StoreError("is a folder or a device, not a file that could be a store", path=named)
    if not named.absolute().parent.is_dir():
        raise StoreError("the folder does not exist; create it first", path=named)
    with _explain(named):
        connection = sqlite3.connect(named.absolute(), timeout=0, isolation_level=None)
    with closing(connection):
        with _explain(named):
            _prepare(named, connection, task)
        yield Store(named, connection)


def _prepare(path: Path, connection: sqlite3.Connection, task: tuple[str, str]) -> None:
    """Make sure that the file is ours before anything in it is changed."""
    run = connection.execute
    run("PRAGMA locking_mode = EXCLUSIVE")  # released when the process ends, however it ends
    run("PRAGMA trusted_schema = OFF")
    tables = [sql for (sql,) in run("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")]
    (application,), (schema,) = run("PRAGMA application_id").fetchone(), run("PRAGMA user_version").fetchone()
    is_new = not tables and application == 0
    if not is_new and application != _APPLICATION:
        raise StoreError("is an SQLite file of another program, not a store", path=path)
    if not is_new and (schema != _SCHEMA or tables != [*_TABLES]):
        raise StoreError(f"is not a store of schema {_SCHEMA}: it was edited, or a newer lyapflow wrote it", path=path)
    # What is committed is kept when the process dies; a loss of power may cost the last rows, but never the file.
    run("PRAGMA journal_mode = WAL")
    run("PRAGMA synchronous = NORMAL")
    if is_new:
        run("BEGIN EXCLUSIVE")
        run(f"PRAGMA application_id = {_APPLICATION}")
        run(f"PRAGMA user_version = {_SCHEMA}")
        for table in _TABLES:
            run(table)
        run("INSERT INTO task VALUES (?, ?)", task)
        run("COMMIT")
    (health,) = run("PRAGMA quick_check(1)").fetchone()
    if health != "ok":
        raise StoreError(f"is damaged ({health}). Move it away to begin anew.", path=path)
    found = run("SELECT name, arguments FROM task").fetchall()
    if found != [task]:
        names = ", ".join(str(name) for name, *_ in found)
        other = f"the task {names}, not of {task[0]}" if names != task[0] else f"{names} with other arguments or data"
        raise StoreError(f"holds the results of {other}. Each task needs a store of its own.", path=path)


@contextmanager
def _explain(path: Path) -> Iterator[None]:
    """SQLite's errors as sentences."""
    try:
        yield
    except sqlite3.Error as problem:
        code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            said = "is in use by another sweep. Wait for it, or use another store."
        elif code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            said = f"is not an SQLite file, or it is damaged ({problem}). Move it away to begin anew."
        else:
            said = f"cannot be used: {problem}"
        raise StoreError(said, path=path) from problem


def _write_bracket(bracket: Bracket) -> tuple[str, str]:
    witness = bracket.witness
    content = {
        "slopes": [[as_text(part) for part in slope] for slope in witness.slopes],
        "oracle_names": list(witness.oracle_names),
        "rate": None if witness.rate is None else as_text(witness.rate),
        "factor": None if witness.factor is None else as_text(witness.factor),
    }
    return to_text(bracket.certificate), json.dumps(content, ensure_ascii=True)


def _read_row(
    path: Path,
    point: Point,
    outcome: object,
    explanation: object,
    seconds: object,
    certificate: object,
    witness: object,
) -> Row:
    """A row as it was kept, or an error; never a weaker row."""
    word = next((word for word in _KEPT if word == outcome), None)
    if word is None or not isinstance(explanation, str) or not isinstance(seconds, float):
        raise StoreError(f"the row of {to_key(point)} is damaged. Move the store away to begin anew.", path=path)
    if word != "proved":
        return Row(point=point, outcome=word, explanation=explanation, seconds=seconds)
    try:
        bracket = _read_bracket(path, certificate, witness)
    except (LyapflowError, ValueError, TypeError, KeyError) as problem:
        raise StoreError(
            f"the row of {to_key(point)} says 'proved', and its proof does not hold ({problem}): the store was edited "
            "or damaged. Move it away to begin anew.",
            path=path,
        ) from problem
    return Row(point=point, outcome=word, explanation=str(bracket), seconds=seconds, bracket=bracket)


def _read_bracket(path: Path, certificate: object, witness: object) -> Bracket:
    """Evidence from a store, proved again."""
    if not isinstance(certificate, str) or not isinstance(witness, str):
        raise InvalidModelError("certificate and witness must be texts")
    stored = parse(certificate.encode(), path)
    verdict = judge(stored)
    if not verdict.proved:
        raise InvalidModelError(verdict.reason)
    content: dict[str, Any] = json.loads(witness, parse_int=str, parse_float=str, parse_constant=str)
    rate, factor = (None if content[name] is None else rational(content[name]) for name in ("rate", "factor"))
    found = Witness(
        slopes=tuple((rational(real), rational(imaginary)) for real, imaginary in content["slopes"]),
        oracle_names=tuple(map(str, content["oracle_names"])),
        rate=rate,
        factor=factor,
    )
    if not check_witness(stored.certificate.system, found):
        raise InvalidModelError("the witness is not a member of the classes with that rate")
    return Bracket(certificate=stored.certificate, witness=found)
