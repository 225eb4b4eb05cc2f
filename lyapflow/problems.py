"""Problem files: TOML that says which functions, which flows and algorithms and, for real data, which table.

Reading decides everything that can be decided without solving: names, numbers, files. The format: ``docs/cli.md``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import classes
from .catalogue import KINDS, list_classes, list_functions
from .classes.inequalities import OperatorClass
from .errors import InvalidModelError, LyapflowError
from .exact.rationals import as_text
from .fitting import allow_keys, read_fit
from .members import L1Norm, Member
from .requests import Request, read_request
from .tables import take_number

__all__ = ["Problem", "make_problem", "parse_problem", "read_problem", "settle_numbers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A problem file's content.

    Attributes
    ----------
    title : str
        For people.
    oracles : mapping
        Classes by name (``f``, ``g``, ``h``; for operators ``F``, ``A``, ``B``).
    members : mapping
        Concrete functions by name, where the file has data; empty otherwise.
    requests : tuple of Request
        What to certify: flows in order, then algorithms.
    dimension : int
        Number of unknowns of the concrete problem; 0 without data.
    facts : tuple of str
        What a reader must know of the data, and what was proved of them; empty without data.
    """

    title: str
    oracles: Mapping[str, OperatorClass]
    members: Mapping[str, Member]
    requests: tuple[Request, ...]
    dimension: int
    facts: tuple[str, ...] = ()


def read_problem(path: str | Path) -> Problem:
    """Read a problem file.

    Parameters
    ----------
    path : str or Path
        TOML file; tables are looked up relative to its folder.

    Raises
    ------
    InvalidModelError
        If the file cannot be read, or something in it is missing, unknown or out of range; the message names it.
    """
    source = Path(path)
    data = parse_problem(source)
    try:
        return make_problem(data, source.parent)
    except LyapflowError as problem:
        raise InvalidModelError(f"{source}: {problem}") from problem
    except OSError as problem:
        raise InvalidModelError(f"{source}: {problem.filename} cannot be read: {problem.strerror}") from None


def parse_problem(source: Path) -> dict[str, Any]:
    """The data of a problem file, with decimals as texts; nothing is known of their sense.

    Raises
    ------
    InvalidModelError
        If the file cannot be read as TOML.
    """
    try:
        return tomllib.loads(source.read_bytes().decode("utf-8"), parse_float=str)
    except OSError as problem:
        raise InvalidModelError(f"{source}: cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidModelError(f"{source}: is not text in UTF-8, so it is not a problem file") from None
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise InvalidModelError(f"{source}: is not a TOML file: {problem}") from None
    except ValueError as problem:  # an integer with more digits than Python converts
        raise InvalidModelError(f"{source}: holds a number that is too long: {problem}") from None


def make_problem(data: dict[str, Any], folder: Path) -> Problem:
    """The problem that data describe; tables are looked up in a folder.

    Raises
    ------
    InvalidModelError
        If something is missing, unknown or out of range; the message names it.
    """
    allow_keys(data, "the file", ("title", "functions", "data", "objective", *KINDS))
    if ("functions" in data) == ("data" in data):
        raise InvalidModelError("a problem needs either [functions] (classes) or [data] with [objective], and not both")
    members: dict[str, Member] = {}
    dimension = 0
    facts: tuple[str, ...] = ()
    if "functions" in data:
        if "objective" in data:
            raise InvalidModelError("[objective] goes with [data]; with [functions] the classes say everything")
        oracles = _read_functions(settle_numbers(_table(data, "functions"), folder))
    else:
        members, dimension, facts = read_fit(_table(data, "data"), _table(data, "objective"), folder)
        oracles = {name: member.operator_class for name, member in members.items()}
    tables = {kind: data.get(kind, []) for kind in KINDS}
    if not any(tables.values()) or not all(isinstance(items, list) for items in tables.values()):
        raise InvalidModelError("a problem needs at least one [[flow]] or [[algorithm]] table")
    requests = tuple(read_request(kind, item, oracles, folder) for kind in KINDS for item in tables[kind])
    for request in requests:
        if isinstance(members.get("g"), L1Norm) and "g" not in request.functions:
            raise InvalidModelError(
                f"[[{request.kind}]] {request.name} has no place for the l1 term of [objective] and would leave it "
                "out. Use forward_backward, proximal_gradient or douglas_rachford, or set l1 = 0."
            )
    return Problem(
        title=str(data.get("title", "Untitled problem")),
        oracles=oracles,
        members=members,
        requests=requests,
        dimension=dimension,
        facts=facts,
    )


def _table(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    if not isinstance(value, dict):
        raise InvalidModelError(f"a problem needs a [{key}] table")
    return value


def settle_numbers(functions: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Functions of a problem file with numbers in place of what is taken from tables, see `take_number`.

    Raises
    ------
    InvalidModelError
        If a table cannot be used.
    """

    def settle(value: object, name: str) -> object:
        if isinstance(value, list):
            return [settle(part, name) for part in value]
        if not isinstance(value, dict):
            return value
        if "table" in value:
            return as_text(take_number(value, folder, name=name))
        return {key: settle(part, f"{name}.{key}") for key, part in value.items()}

    return {name: settle(value, name) for name, value in functions.items()}


def _read_functions(data: dict[str, Any]) -> dict[str, OperatorClass]:
    allow_keys(data, "[functions]", list_functions())
    return {name: _read_class(name, value) for name, value in data.items()}


def _read_class(name: str, value: object) -> OperatorClass:
    if not isinstance(value, dict) or not isinstance(value.get("class"), str):
        raise InvalidModelError(f'{name} must be a table with a class, such as {{ class = "Convex" }}, got {value!r}')
    known = list_classes()
    if value["class"] not in known:
        raise InvalidModelError(f"{name}: class must be one of {', '.join(known)}, got {value['class']!r}")
    kind = known[value["class"]]
    parameters = {key: v for key, v in value.items() if key != "class"}
    wanted = tuple(kind.__dataclass_fields__)
    if set(parameters) != set(wanted):
        given = ", ".join(sorted(parameters)) or "none"
        raise InvalidModelError(
            f"{name}: {value['class']} has the parameters {', '.join(wanted) or 'none'}; got {given}"
        )
    if kind is classes.Intersection:
        if not isinstance(parameters["parts"], list):
            raise InvalidModelError(f"{name}: parts must be an array of classes, got {parameters['parts']!r}")
        return classes.Intersection(*(_read_class(name, part) for part in parameters["parts"]))
    made: OperatorClass = kind(**parameters)
    return made
