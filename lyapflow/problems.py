"""Problem files: TOML that says which functions, which flows and, for real data, which table.

Reading decides everything that can be decided without solving: names, numbers, files. The format: ``docs/cli.md``.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import classes, flows
from .classes.inequalities import OperatorClass
from .dynamics import System
from .errors import InvalidModelError, LyapflowError
from .exact.rationals import rational
from .lmi.claims import ExponentialDecay
from .members import L1Norm, LeastSquares, LogisticLoss, Member, Zero
from .tables import read_table, standardize

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
    _allow(data, "the file", ("title", "functions", "data", "objective", "flow"))
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
        members, dimension, facts = _read_data(_table(data, "data"), _table(data, "objective"), folder)
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


def _allow(data: Mapping[str, Any], where: str, keys: tuple[str, ...]) -> None:
    unknown = sorted(set(data) - set(keys))
    if unknown:
        raise InvalidModelError(f"{where} may have the keys {', '.join(keys)}; got {', '.join(unknown)}")


def _read_functions(data: dict[str, Any]) -> dict[str, OperatorClass]:
    _allow(data, "[functions]", ("f", "g", "h"))
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


def _read_data(
    data: dict[str, Any], objective: dict[str, Any], folder: Path
) -> tuple[dict[str, Member], int, tuple[str, ...]]:
    _allow(data, "[data]", ("table", "target", "standardize"))
    _allow(objective, "[objective]", ("loss", "ridge", "l1"))
    for key in ("table", "target"):
        if not isinstance(data.get(key), str):
            raise InvalidModelError(f"[data] needs {key}, a text, got {data.get(key)!r}")
    table = read_table(folder / data["table"])
    scaled = data.get("standardize", False)
    if not isinstance(scaled, bool):
        raise InvalidModelError(f"[data]: standardize must be true or false, got {scaled!r}")
    features = table.drop(data["target"]).values
    target = table.column(data["target"])
    features = standardize(features) if scaled else features
    ridge = rational(objective.get("ridge", 0), name="[objective]: ridge")
    weight = rational(objective.get("l1", 0), name="[objective]: l1")
    loss = objective.get("loss")
    if loss == "least_squares":
        f: LeastSquares | LogisticLoss = LeastSquares(
            features, target - target.mean() if scaled else target, ridge=ridge
        )
    elif loss == "logistic":
        f = LogisticLoss(features, _read_labels(target, data["target"]), ridge=ridge)
    else:
        raise InvalidModelError(f'[objective]: loss must be "least_squares" or "logistic", got {loss!r}')
    if weight < 0:
        raise InvalidModelError(f"[objective]: l1 must be >= 0, got {weight}")
    members: dict[str, Member] = {"f": f, "g": L1Norm(weight) if weight else Zero()}
    return members, features.shape[1], tuple(_list_facts(f, data, folder, ridge, weight, scaled))


def _list_facts(
    f: LeastSquares | LogisticLoss, data: dict[str, Any], folder: Path, ridge: Fraction, weight: Fraction, scaled: bool
) -> Iterator[str]:
    """Where the numbers come from, what was done to them, and what is proved of them, for a report."""
    source = folder / data["table"]
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    n, d = f.curvature.shape
    yield f"Table: {source.name}, SHA-256 {digest}; {n} observations of {d} features, target {data['target']!r}."
    yield (
        "Features were brought to zero mean and unit variance in double precision, and count at their exact doubles."
        if scaled
        else "Features are taken as they are, each double at its exact value."
    )
    loss = f.curvature.loss.replace("_", " ")
    yield f"Objective: {loss} (mean over the observations), ridge {ridge}, l1 weight {weight}."
    if not f.curvature.check():  # made by a proof, so this cannot happen; a report must not rest on that
        raise InvalidModelError(f"{source}: the curvature bounds of the data do not hold")
    yield (
        f"Checked in exact arithmetic for these data, when this was written: the Hessian of f lies between mu = "
        f"{f.curvature.mu} and L = {f.curvature.L} everywhere, so f belongs to the class {f.operator_class!r}. "
        "To check it again: lyapflow.curvature on the same table."
    )


def _read_labels(target: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Labels -1 and 1, from a column that holds these two, or 0 and 1."""
    found = set(target.tolist())
    if not (found <= {0.0, 1.0} or found <= {-1.0, 1.0}):
        raise InvalidModelError(f"column {name!r} must hold the labels 0 and 1, or -1 and 1; got {sorted(found)[:5]}")
    return np.where(target > 0, 1.0, -1.0)


def _read_flow(data: object, oracles: Mapping[str, OperatorClass], folder: Path) -> FlowRequest:
    if not isinstance(data, dict) or data.get("name") not in _ORACLES:
        given = data.get("name") if isinstance(data, dict) else data
        raise InvalidModelError(f"[[flow]]: name must be one of {', '.join(_ORACLES)}, got {given!r}")
    name: str = data["name"]
    required, optional = _OPTIONS[name]
    where = f"[[flow]] {name}"
    _allow(data, where, ("name", *required, *optional, "rate", "interval"))
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
