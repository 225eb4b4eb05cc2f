"""Sweeps over a problem file: which of its numbers may vary, and the task that varies them.

Nothing of the file is evaluated: a parameter is a number of the file, or ``kappa``, which stands for L / mu of a
function. What a table decides is computed once, before the sweep.
"""

from __future__ import annotations

import copy
import json
import os
import signal
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from fractions import Fraction
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

from .catalogue import KINDS, MATRICES, Kind, find_entry
from .errors import InvalidModelError, LyapflowError
from .exact.rationals import as_text, rational
from .lmi.claims import SublinearDecay
from .lmi.gain_claims import L2Gain
from .problems import Problem, make_problem, parse_problem, settle_numbers
from .search.backend import check_solver
from .search.outcomes import Outcome
from .studies import attempt_request
from .sweeps import Progress, Row, SweepResult, geomspace, linspace, sweep
from .sweeps.grids import Point, Value, read_grid, to_key, write_value
from .tables import read_table

__all__ = ["certify_point", "list_parameters", "read_axis", "sweep_problem"]

KAPPA = "kappa"


def read_axis(text: str) -> tuple[str, list[Fraction]]:
    """An axis of a grid, as the command line writes it.

    ``NAME=LOW:HIGH:COUNT`` is logarithmic, ``NAME=LOW:HIGH:COUNT:lin`` even, ``NAME=V1,V2,...`` lists values.

    Raises
    ------
    InvalidModelError
        If the text is none of these.

    Examples
    --------
    >>> read_axis("kappa=1:1e4:3"), read_axis("step=0.5,1")
    (('kappa', [Fraction(1, 1), Fraction(100, 1), Fraction(10000, 1)]), ('step', [Fraction(1, 2), Fraction(1, 1)]))
    """
    name, _, values = text.partition("=")
    parts = values.split(":")
    try:
        if len(parts) == 1 and name and values:
            return name, [rational(value, name=name) for value in values.split(",")]
        if len(parts) in (3, 4) and name and parts[2].isdecimal() and parts[3:] in ([], ["lin"], ["log"]):
            space = linspace if parts[3:] == ["lin"] else geomspace
            return name, space(parts[0], parts[1], int(parts[2]))
    except LyapflowError as problem:
        hint = " (or add :lin)" if "logarithmic" in str(problem) else ""
        raise InvalidModelError(f"--grid {text}: {problem}{hint}") from None
    forms = "NAME=LOW:HIGH:COUNT (logarithmic), NAME=LOW:HIGH:COUNT:lin or NAME=VALUE,VALUE,..."
    raise InvalidModelError(f"--grid must be {forms}, got {text!r}")


def list_parameters(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Full names of what a sweep may vary in a problem's data.

    >>> f = {"class": "SmoothStronglyConvex", "mu": 1, "L": 10}
    >>> list_parameters({"functions": {"f": f}, "flow": [{"name": "heavy_ball", "damping": 2}]})
    ('f.mu', 'f.L', 'f.kappa', 'flow.damping', 'flow.rate')
    """
    found: list[str] = []
    for function, table in data["functions"].items():
        numbers = _find_numbers(table)
        found += [f"{function}.{name}" for name in numbers]
        if {"mu", "L"} <= set(numbers):
            found.append(f"{function}.{KAPPA}")
    for kind in KINDS:
        first, *others = [find_entry(kind, table["name"]).numbers for table in data.get(kind, [])] or [()]
        found += [f"{kind}.{option}" for option in first if all(option in numbers for numbers in others)]
    return tuple(found)


def _find_numbers(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The numbers of a class, with the table that holds each: its own, or that of a part of an intersection."""
    tables = [table, *table.get("parts", [])]
    names = [name for part in tables for name in part if name not in ("class", "parts")]
    return {name: part for part in tables for name in part if names.count(name) == 1}


def sweep_problem(
    path: Path | str,
    grid: Mapping[str, Sequence[object]],
    *,
    jobs: int = 1,
    store: Path | str | None = None,
    solver: str | None = None,
    progress: Progress | None = None,
) -> SweepResult:
    """Certify the flows and algorithms of a problem file at every point of a grid.

    Parameters
    ----------
    path : path or str
        Problem file.
    grid : mapping
        Values by parameter: ``f.L``, or only ``L`` where one function has it; ``f.kappa`` or ``kappa`` sets
        ``L = kappa * mu``; ``flow.step``, ``algorithm.step`` or ``step`` sets an option of the flows or algorithms. If
        there are several of them, the points have their number and name too, as ``flow``, ``algorithm`` or, if there
        are both, ``dynamics``.
    jobs : int, default 1
        Processes. What is lost because one of them was killed is done again by new ones.
    store : path, optional
        As in `sweep`.
    solver : str, optional
        As in `certify`.
    progress : callable, optional
        As in `sweep`.

    Returns
    -------
    SweepResult
        One row for each point and flow or algorithm.

    Raises
    ------
    InvalidModelError
        If the file, the grid or a point of it cannot be used.
    StoreError
        As in `sweep`.
    """
    source = Path(path)
    if not grid:
        raise InvalidModelError("a sweep of a problem needs a grid, such as kappa=1:1e4:50")
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise InvalidModelError(f"jobs must be a number of processes, at least 1, got {jobs!r}")
    if solver is not None:
        check_solver(solver)
    try:
        data = _settle(parse_problem(source), source.parent)
        named = list(_name_dynamics(data))
        for name in grid:
            _find_place(data, name)
        points = read_grid({_name_choice(data): named, **grid} if len(named) > 1 else grid)
        for point in points:  # a point that cannot be used is found here, not after an hour
            if any(isinstance(r.claim, SublinearDecay | L2Gain) for r in _make_at(data, point).requests):
                raise InvalidModelError(
                    "a sweep compares rates and factors with those of linear members; leave out order and gain, or use "
                    "certify"
                )
    except LyapflowError as problem:
        said = str(problem)
        raise InvalidModelError(said if said.startswith(str(source)) else f"{source}: {said}") from problem
    task = partial(certify_point, json.dumps(data, sort_keys=True, default=str), solver)
    if jobs == 1:
        return sweep(task, points, store=store, progress=progress)
    return _sweep_in_processes(task, points, jobs, store, progress)


def certify_point(problem: str, solver: str | None, /, **point: Value) -> Outcome:
    """The task: a flow or algorithm of a problem, given as JSON, at one point."""
    (request,) = _make_at(json.loads(problem), point).requests
    return attempt_request(request, solver=solver)[1]


def _settle(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same problem without its tables: classes instead of data, numbers instead of file names."""
    problem = make_problem(data, folder)
    functions = (
        settle_numbers(data["functions"], folder)
        if "functions" in data
        else {name: _write_class(kind) for name, kind in problem.oracles.items()}
    )
    settled: dict[str, Any] = {"functions": functions}
    for kind in KINDS:
        settled[kind] = []
        for table in data.get(kind, []):
            for key in MATRICES:
                if isinstance(table.get(key), str):
                    rows = [[as_text(rational(v)) for v in row] for row in read_table(folder / table[key]).values]
                    table = {**table, key: rows}
            settled[kind].append(table)
    return settled


def _write_class(kind: Any) -> dict[str, str]:
    return {"class": type(kind).__name__, **{f.name: as_text(getattr(kind, f.name)) for f in fields(kind)}}


def _name_dynamics(data: Mapping[str, Any]) -> dict[str, tuple[Kind, dict[str, Any]]]:
    """Flows and algorithms by number and name, such as ``flow 1: heavy_ball``."""
    return {
        f"{kind} {number}: {table['name']}": (kind, table)
        for kind in KINDS
        for number, table in enumerate(data[kind], start=1)
    }


def _name_choice(data: Mapping[str, Any]) -> str:
    """Name of the parameter that says which flow or algorithm."""
    kinds = [kind for kind in KINDS if data[kind]]
    return kinds[0] if len(kinds) == 1 else "dynamics"


def _make_at(data: Mapping[str, Any], point: Point) -> Problem:
    """The problem with one flow or algorithm, and the numbers of a point."""
    functions, choice = copy.deepcopy(data["functions"]), _name_choice(data)
    tables: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for named, (kind, table) in _name_dynamics(data).items():
        if point.get(choice) in (None, named):
            tables[kind].append(dict(table))
    places = {_find_place(data, name): value for name, value in point.items() if name != choice}
    doubled = any(name == KAPPA and (owner, "L") in places for owner, name in places)
    if doubled or len(places) < len(point) - (choice in point):
        raise InvalidModelError(f"the grid must set each parameter once (kappa sets L), got {', '.join(point)}")
    for (owner, name), value in places.items():
        number = as_text(value) if isinstance(value, Fraction) else value
        if name != KAPPA:
            for table in tables[owner] if owner in KINDS else [_find_numbers(functions[owner])[name]]:
                table[name] = number
    for owner in (owner for owner, name in places if name == KAPPA):
        held = _find_numbers(functions[owner])
        L = rational(places[owner, KAPPA], name=KAPPA) * rational(held["mu"]["mu"], name="mu")
        held["L"]["L"] = as_text(L)
    try:
        return make_problem({"functions": functions, **tables}, Path())
    except LyapflowError as problem:
        at = ", ".join(f"{name} = {write_value(value)}" for name, value in point.items())
        raise InvalidModelError(f"at {at}: {problem}") from problem


def _find_place(data: Mapping[str, Any], name: str) -> tuple[str, str]:
    """Owner and name of the parameter that is meant."""
    known = list_parameters(data)
    meant = [full for full in known if name in (full, full.partition(".")[2])]
    if len(meant) != 1:
        what = "is not a parameter of the problem" if not meant else "is not one parameter of the problem"
        raise InvalidModelError(f"{name} {what}. Use one of {', '.join(meant or known)}.")
    owner, _, parameter = meant[0].partition(".")
    return owner, parameter


def _sweep_in_processes(
    task: partial[Outcome], points: Sequence[Point], jobs: int, store: Path | str | None, progress: Progress | None
) -> SweepResult:
    """A new pool for what a broken one lost, as long as each finishes something."""
    rows: dict[str, Row] = {}

    def report(done: int, total: int, row: Row) -> None:
        if row.outcome != "lost":
            rows[to_key(row.point)] = row
            if progress is not None:
                progress(len(rows), len(points), row)

    missing = list(points)
    while missing:
        # Fresh interpreters: they share no thread, lock or open store with this process.
        pool = ProcessPoolExecutor(min(jobs, len(missing)), get_context("spawn"), _begin_work)
        with pool:
            result = sweep(task, missing, executor=pool, store=store, progress=report)
        lost = [row for row in result if row.outcome == "lost"]
        if len(lost) == len(missing):
            rows |= {to_key(row.point): row for row in lost}
            break
        missing = [row.point for row in lost]
    return SweepResult(tuple(rows[to_key(point)] for point in points))


def _begin_work() -> None:
    """A worker leaves Ctrl-C, which every process of a terminal gets, to its parent, and ends when that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # the pool would wait for work that cannot come any more
