"""What a problem file asks for: its ``[[flow]]`` and ``[[algorithm]]`` tables, each read to a system and a claim.

What is wrong with one is found here, before anything is solved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from .catalogue import ALGORITHM, FLOW, MATRICES, Entry, Kind, find_entry
from .classes.inequalities import OperatorClass
from .dynamics import System
from .errors import InvalidModelError, LyapflowError
from .exact.rationals import rational
from .fitting import allow_keys
from .lmi.checks import check_claim
from .lmi.claims import Claim, Contraction, ExponentialDecay, SublinearDecay
from .lmi.gain_claims import L2Gain
from .lmi.metric import find_reduction
from .lmi.ports import check_ports
from .lmi.templates import QuadraticPlusValue, QuadraticStorage, Template, VariableMetric
from .tables import read_table

__all__ = ["BEST", "Request", "read_request"]

BEST = "best"
"""Value of a ``step`` that asks for the one with the best proved rate or factor."""

_GAIN = ("gain", "input", "output")
"""Keys of an L2 gain."""


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


def read_request(kind: Kind, data: object, oracles: Mapping[str, OperatorClass], folder: Path) -> Request:
    """A flow or algorithm from its table; other tables are looked up in a folder.

    Raises
    ------
    InvalidModelError
        If something is missing, unknown or out of range; the message names it.
    """
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
        flow = read_request(FLOW, options["flow"], oracles, folder)
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
