"""Problem files: TOML that says which functions, which flows and algorithms and, for real data, which table.

Reading decides everything that can be decided without solving: names, numbers, files. The format: ``docs/cli.md``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from . import classes
from .catalogue import ALGORITHM, FLOW, KINDS, MATRICES, Entry, Kind, find_entry, list_functions
from .classes.inequalities import OperatorClass
from .dynamics import System
from .errors import InvalidModelError, LyapflowError
from .exact.rationals import as_text, rational
from .fitting import allow_keys, read_fit
from .lmi.checks import check_claim
from .lmi.claims import Claim, Contraction, ExponentialDecay, SublinearDecay
from .lmi.gain_claims import L2Gain
from .lmi.metric import find_reduction
from .lmi.ports import check_ports
from .lmi.templates import QuadraticPlusValue, QuadraticStorage, Template, VariableMetric
from .members import L1Norm, Member
from .tables import read_table, take_number

__all__ = ["BEST", "Problem", "Request", "make_problem", "parse_problem", "read_problem", "settle_numbers"]

BEST = "best"
"""Value of a ``step`` that asks for the one with the best proved rate or factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One flow or algorithm that a problem asks for.

    Attributes
    ----------
    kind : "flow" or "algorithm"
        Continuous or discrete time.
    name : str
        Name in the catalogue; for a flow, without ``_flow``.
    functions : tuple of str
        Names of the functions that it needs.
    make : callable
        Makes the system from the step; those without a step ignore it.
    step : Fraction, "best" or None
        The step that was asked for.
    claim : ExponentialDecay, Contraction, SublinearDecay or L2Gain
        The rate, factor, order or gain that was asked for; without a number, the best.
    interval : (Fraction, Fraction) or None
        Steps to search, for ``step = "best"``.
    """

    kind: Kind
    name: str
    functions: tuple[str, ...]
    make: Callable[[Fraction | None], System]
    step: Fraction | str | None
    claim: Claim | L2Gain
    interval: tuple[Fraction, Fraction] | None


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
    requests = tuple(_read_request(kind, item, oracles, folder) for kind in KINDS for item in tables[kind])
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
    known = [
        n for n in classes.__all__ if isinstance(getattr(classes, n), type) and hasattr(getattr(classes, n), "describe")
    ]
    known = [n for n in known if n != "OperatorClass"]
    if value["class"] not in known:
        raise InvalidModelError(f"{name}: class must be one of {', '.join(known)}, got {value['class']!r}")
    kind = getattr(classes, value["class"])
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


def _read_request(kind: Kind, data: object, oracles: Mapping[str, OperatorClass], folder: Path) -> Request:
    if not isinstance(data, dict):
        raise InvalidModelError(f"[[{kind}]] must be a table with a name, got {data!r}")
    table: dict[str, Any] = data
    entry = find_entry(kind, table.get("name"))
    where = f"[[{kind}]] {entry.name}"
    orders = ("order",) if kind == FLOW else ()
    allow_keys(table, where, ("name", *entry.required, *entry.optional, entry.claim, *orders, *_GAIN, "interval"))
    for key in entry.required:
        if key not in table:
            raise InvalidModelError(f"{where} needs {key}")
    options, functions = _read_options(entry, table, oracles, folder)
    missing = [name for name in functions if name not in oracles]
    if missing:
        raise InvalidModelError(f"{where} needs the functions {', '.join(missing)}, which the problem does not have")
    chosen = [oracles[name] for name in entry.functions]
    step = _read_step(table, where)

    @lru_cache(maxsize=2)  # it is made here for a look at it, and again for the search
    def make(gamma: Fraction | None) -> System:
        made: System = entry.build(*chosen, **options, **({} if step is None else {"step": gamma}))
        return made

    try:
        claim = _read_claim(kind, table, where)
        if step is None or isinstance(step, Fraction):  # what is wrong is found here, not after an hour
            _check_request(make(step), claim)
    except LyapflowError as problem:
        raise InvalidModelError(f"{where}: {problem}") from problem
    if "interval" in table and step != BEST:
        raise InvalidModelError(f'{where}: interval goes with step = "best"')
    interval = _read_interval(table, where, oracles) if step == BEST else None
    return Request(
        kind=kind, name=entry.name, functions=functions, make=make, step=step, claim=claim, interval=interval
    )


def _check_request(system: System, claim: Claim | L2Gain) -> None:
    """Whether a claim of this kind can be made of a system."""
    if isinstance(claim, L2Gain):
        check_ports(system, claim)
        return
    plain: Template = QuadraticPlusValue() if isinstance(claim, SublinearDecay) else QuadraticStorage()
    check_claim(system, claim, plain if find_reduction(system) is None else VariableMetric())


_GAIN = ("gain", "input", "output")
"""Keys of an L2 gain."""


def _read_claim(kind: Kind, table: Mapping[str, Any], where: str) -> Claim | L2Gain:
    """A factor, a rate or, where ``order`` or ``gain`` is named, a sublinear claim or a gain."""
    if any(key in table for key in _GAIN):
        others = [key for key in ("rate", "factor", "order") if key in table]
        if "gain" not in table or others or table.get("step") == BEST:
            raise InvalidModelError(
                f'{where}: input and output go with gain = "best" or a number, without rate, factor or order, and with '
                "a step that is a number"
            )
        ports = {key: str(table[key]) for key in ("input", "output") if key in table}
        return L2Gain(gain=None if table["gain"] == BEST else table["gain"], **ports)
    if kind == ALGORITHM:
        return Contraction(table.get("factor"))
    if "order" not in table:
        return ExponentialDecay(table.get("rate"))
    if "rate" in table:
        raise InvalidModelError(f"{where}: name a rate or an order, not both")
    if table.get("step") == BEST:
        raise InvalidModelError(f'{where}: step = "best" goes with a rate; an order needs a step that is a number')
    return SublinearDecay(None if table["order"] == BEST else table["order"])


def _read_options(
    entry: Entry, table: Mapping[str, Any], oracles: Mapping[str, OperatorClass], folder: Path
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Parameters other than the step, and the functions that are needed."""
    options = {key: table[key] for key in (*entry.required, *entry.optional) if key in table and key != "step"}
    functions = entry.functions
    for key in MATRICES:
        if isinstance(options.get(key), str):
            options[key] = read_table(folder / options[key]).values
    if "flow" in options:
        flow = _read_request(FLOW, options["flow"], oracles, folder)
        if isinstance(flow.step, str) or "rate" in options["flow"]:
            raise InvalidModelError(
                f"[[{ALGORITHM}]] {entry.name}: its flow has a step of its own, a number, and no rate: "
                f"a factor is what is proved; got {options['flow']!r}"
            )
        options["flow"], functions = flow.make(flow.step), flow.functions
    return options, functions


def _read_step(table: Mapping[str, Any], where: str) -> Fraction | str | None:
    if "step" not in table:
        return None
    return BEST if table["step"] == BEST else rational(table["step"], name=f"{where}: step")


def _read_interval(
    data: Mapping[str, Any], where: str, oracles: Mapping[str, OperatorClass]
) -> tuple[Fraction, Fraction]:
    given = data.get("interval")
    if given is not None:
        if not isinstance(given, list) or len(given) != 2:
            raise InvalidModelError(f"{where}: interval must be [low, high], got {given!r}")
        low, high = (rational(end, name=f"{where}: interval") for end in given)
        if not 0 < low < high:
            raise InvalidModelError(f"{where}: interval must be [low, high] with 0 < low < high, got [{low}, {high}]")
        return low, high
    parts = [part for oracle in oracles.values() for part in getattr(oracle, "parts", (oracle,))]
    smoothness = [getattr(part, "L", None) for part in parts]
    largest = max((L for L in smoothness if L is not None), default=None)
    if largest is None:
        raise InvalidModelError(f'{where}: step = "best" needs interval = [low, high], for no function here has an L')
    return 1 / (10 * largest), 100 / largest
