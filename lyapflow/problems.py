"""Problem files: TOML that says which functions, which flows and, for real data, which table.

Reading decides everything that can be decided without solving: names, numbers, files. The format: ``docs/cli.md``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from . import classes, flows
from .classes.inequalities import OperatorClass
from .dynamics import System
from .errors import InvalidModelError, LyapflowError
from .exact.rationals import rational
from .fitting import allow_keys, read_fit
from .lmi.claims import ExponentialDecay
from .members import L1Norm, Member
from .tables import read_table

__all__ = ["BEST", "FlowRequest", "Problem", "list_flows", "read_problem"]

BEST = "best"
"""Value of a flow's ``step`` that asks for the step with the largest proved rate."""

_ORACLES = {
    "gradient": ("f",),
    "heavy_ball": ("f",),
    "forward_backward": ("f", "g"),
    "douglas_rachford": ("f", "g"),
    "davis_yin": ("f", "g", "h"),
    "primal_dual": ("f",),
}
_OPTIONS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # required, optional
    "gradient": ((), ()),
    "heavy_ball": (("damping",), ()),
    "forward_backward": (("step",), ()),
    "douglas_rachford": (("step",), ()),
    "davis_yin": (("step",), ()),
    "primal_dual": (("constraint",), ("dual_gain", "augmentation")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRequest:
    """One flow that a problem asks for.

    Attributes
    ----------
    name : str
        Name in the catalogue, without ``_flow``.
    make : callable
        Makes the system from the step; flows without a step ignore it.
    step : Fraction, "best" or None
        The step that was asked for.
    rate : Fraction or None
        The rate that was asked for; None asks for the best.
    interval : (Fraction, Fraction) or None
        Steps to search, for ``step = "best"``.
    """

    name: str
    make: Callable[[Fraction | None], System]
    step: Fraction | str | None
    rate: Fraction | None
    interval: tuple[Fraction, Fraction] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A problem file's content.

    Attributes
    ----------
    title : str
        For people.
    oracles : mapping
        Classes by name (``f``, ``g``, ``h``).
    members : mapping
        Concrete functions by name, where the file has data; empty otherwise.
    requests : tuple of FlowRequest
        Flows to certify, in order.
    dimension : int
        Number of unknowns of the concrete problem; 0 without data.
    facts : tuple of str
        What a reader must know of the data, and what was proved of them; empty without data.
    """

    title: str
    oracles: Mapping[str, OperatorClass]
    members: Mapping[str, Member]
    requests: tuple[FlowRequest, ...]
    dimension: int
    facts: tuple[str, ...] = ()


def list_flows() -> dict[str, str]:
    """Flows by the names that problem files use, with their functions and parameters."""
    return {
        name: ", ".join((*oracles, *_OPTIONS[name][0], *(f"{option}?" for option in _OPTIONS[name][1])))
        for name, oracles in _ORACLES.items()
    }


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
    try:
        data = tomllib.loads(source.read_bytes().decode("utf-8"), parse_float=str)
    except OSError as problem:
        raise InvalidModelError(f"{source}: cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidModelError(f"{source}: is not text in UTF-8, so it is not a problem file") from None
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise InvalidModelError(f"{source}: is not a TOML file: {problem}") from None
    except ValueError as problem:  # an integer with more digits than Python converts
        raise InvalidModelError(f"{source}: holds a number that is too long: {problem}") from None
    try:
        return _read(data, source.parent)
    except LyapflowError as problem:
        raise InvalidModelError(f"{source}: {problem}") from problem
    except OSError as problem:
        raise InvalidModelError(f"{source}: {problem.filename} cannot be read: {problem.strerror}") from None


def _read(data: dict[str, Any], folder: Path) -> Problem:
    allow_keys(data, "the file", ("title", "functions", "data", "objective", "flow"))
    if ("functions" in data) == ("data" in data):
        raise InvalidModelError("a problem needs either [functions] (classes) or [data] with [objective], and not both")
    members: dict[str, Member] = {}
    dimension = 0
    facts: tuple[str, ...] = ()
    if "functions" in data:
        if "objective" in data:
            raise InvalidModelError("[objective] goes with [data]; with [functions] the classes say everything")
        oracles = _read_functions(_table(data, "functions"))
    else:
        members, dimension, facts = read_fit(_table(data, "data"), _table(data, "objective"), folder)
        oracles = {name: member.operator_class for name, member in members.items()}
    flow_tables = data.get("flow")
    if not isinstance(flow_tables, list) or not flow_tables:
        raise InvalidModelError("a problem needs at least one [[flow]] table")
    requests = tuple(_read_flow(item, oracles, folder) for item in flow_tables)
    for request in requests:
        if isinstance(members.get("g"), L1Norm) and "g" not in _ORACLES[request.name]:
            raise InvalidModelError(
                f"[[flow]] {request.name} has no place for the l1 term of [objective] and would leave it out. Use "
                "forward_backward or douglas_rachford, or set l1 = 0."
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


def _read_functions(data: dict[str, Any]) -> dict[str, OperatorClass]:
    allow_keys(data, "[functions]", ("f", "g", "h"))
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
    made: OperatorClass = kind(**parameters)
    return made


def _read_flow(data: object, oracles: Mapping[str, OperatorClass], folder: Path) -> FlowRequest:
    if not isinstance(data, dict) or data.get("name") not in _ORACLES:
        given = data.get("name") if isinstance(data, dict) else data
        raise InvalidModelError(f"[[flow]]: name must be one of {', '.join(_ORACLES)}, got {given!r}")
    name: str = data["name"]
    required, optional = _OPTIONS[name]
    where = f"[[flow]] {name}"
    allow_keys(data, where, ("name", *required, *optional, "rate", "interval"))
    for key in required:
        if key not in data:
            raise InvalidModelError(f"{where} needs {key}")
    missing = [o for o in _ORACLES[name] if o not in oracles]
    if missing:
        raise InvalidModelError(f"{where} needs the functions {', '.join(missing)}, which the problem does not have")
    chosen = [oracles[o] for o in _ORACLES[name]]
    options = {key: data[key] for key in (*required, *optional) if key in data and key != "step"}
    if isinstance(options.get("constraint"), str):
        options["constraint"] = read_table(folder / options["constraint"]).values
    step = (
        None if "step" not in data else BEST if data["step"] == BEST else rational(data["step"], name=f"{where}: step")
    )
    build = getattr(flows, f"{name}_flow")

    def make(gamma: Fraction | None) -> System:
        made: System = build(*chosen, **options, **({} if step is None else {"step": gamma}))
        return made

    try:
        if step is None or isinstance(step, Fraction):
            make(step)  # wrong parameters are found here, not after an hour
        rate = ExponentialDecay(data["rate"]).rate if "rate" in data else None
    except LyapflowError as problem:
        raise InvalidModelError(f"{where}: {problem}") from problem
    if "interval" in data and step != BEST:
        raise InvalidModelError(f'{where}: interval goes with step = "best"')
    return FlowRequest(
        name=name,
        make=make,
        step=step,
        rate=rate,
        interval=_read_interval(data, where, oracles) if step == BEST else None,
    )


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
    smoothness = [getattr(c, "L", None) for c in oracles.values()]
    largest = max((L for L in smoothness if L is not None), default=None)
    if largest is None:
        raise InvalidModelError(f'{where}: step = "best" needs interval = [low, high], for no function here has an L')
    return 1 / (10 * largest), 100 / largest
