"""What a problem file can name: dynamics, read off the signatures of `flows` and `algorithms`, and classes.

Classes are positional parameters of dynamics, numbers are keywords: there is no second list that could disagree.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

from . import algorithms, classes, flows
from .dynamics import System
from .errors import InvalidModelError

__all__ = [
    "ALGORITHM",
    "FLOW",
    "KINDS",
    "MATRICES",
    "Entry",
    "Kind",
    "find_entry",
    "list_classes",
    "list_functions",
    "read_catalogue",
]

Kind: TypeAlias = Literal["flow", "algorithm"]
KINDS: tuple[Kind, ...] = ("flow", "algorithm")
FLOW, ALGORITHM = KINDS
"""Names of the tables of a problem file, ``[[flow]]`` and ``[[algorithm]]``."""

MATRICES = ("constraint", "operator")
"""Parameters that a problem file gives as rows, or by the name of a table."""

_NO_NUMBERS = (*MATRICES, "flow", "singular_values")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One flow or algorithm.

    Attributes
    ----------
    kind : "flow" or "algorithm"
        Continuous or discrete time.
    name : str
        As in a problem file; for a flow, without ``_flow``.
    functions : tuple of str
        Names of the functions or operators that it needs, in order.
    required, optional : tuple of str
        Its other parameters. That of name ``flow``, of the Euler scheme, is a flow.
    build : callable
        Makes the system from classes in order and the other parameters by name.
    """

    kind: Kind
    name: str
    functions: tuple[str, ...]
    required: tuple[str, ...]
    optional: tuple[str, ...]
    build: Callable[..., System]

    @property
    def claim(self) -> str:
        """What may be asked for: a ``rate`` in continuous time, a ``factor`` in discrete time."""
        return "rate" if self.kind == FLOW else "factor"

    @property
    def numbers(self) -> tuple[str, ...]:
        """What a problem file may set to a number."""
        return (*(option for option in (*self.required, *self.optional) if option not in _NO_NUMBERS), self.claim)

    def __str__(self) -> str:
        options = (*self.functions, *self.required, *(f"{option}?" for option in self.optional))
        return f"{self.name}({', '.join(options)})"

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        return (inspect.getdoc(self.build) or "").partition("\n")[0]


@cache
def read_catalogue(kind: Kind) -> Mapping[str, Entry]:
    """All flows, or all algorithms, by their names.

    Examples
    --------
    >>> str(read_catalogue("flow")["primal_dual"]), str(read_catalogue("algorithm")["tseng"])
    ('primal_dual(f, constraint?, singular_values?, dual_gain?, augmentation?)', 'tseng(A, B, step)')
    """
    room = flows if kind == FLOW else algorithms
    return {entry.name: entry for entry in (_read_entry(kind, name, getattr(room, name)) for name in room.__all__)}


def _read_entry(kind: Kind, name: str, build: Callable[..., System]) -> Entry:
    parameters = inspect.signature(build).parameters.values()
    is_made_of_classes = build is not algorithms.euler  # that one is made of a flow
    functions = tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY and is_made_of_classes)
    others = [p for p in parameters if p.name not in functions]
    return Entry(
        kind=kind,
        name=name.removesuffix("_flow"),
        functions=functions,
        required=tuple(p.name for p in others if p.default is p.empty),
        optional=tuple(p.name for p in others if p.default is not p.empty),
        build=build,
    )


def find_entry(kind: Kind, name: object) -> Entry:
    """The flow or algorithm of a name.

    Raises
    ------
    InvalidModelError
        If there is none.
    """
    known = read_catalogue(kind)
    if not isinstance(name, str) or name not in known:
        raise InvalidModelError(f"[[{kind}]]: name must be one of {', '.join(known)}, got {name!r}")
    return known[name]


def list_functions() -> tuple[str, ...]:
    """Names of all functions and operators that some flow or algorithm needs."""
    entries = [entry for kind in KINDS for entry in read_catalogue(kind).values()]
    return tuple(dict.fromkeys(name for entry in entries for name in entry.functions))


def list_classes() -> Mapping[str, type[Any]]:
    """All classes of functions and operators by their names; their parameters are their fields.

    >>> "Convex" in list_classes(), "OperatorClass" in list_classes()
    (True, False)
    """
    known = {name: getattr(classes, name) for name in classes.__all__}
    return {n: k for n, k in known.items() if isinstance(k, type) and is_dataclass(k) and hasattr(k, "describe")}
