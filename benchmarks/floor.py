"""How near the solver's own time a proved rate comes, and where the rest goes.

What lyapflow gives to Clarabel is recorded at Clarabel's own door and solved again with nothing around it, by the same
protocol as everything else that is timed.
"""

from __future__ import annotations

import cProfile
import pstats
from collections import defaultdict
from functools import partial
from pathlib import Path
from statistics import median
from unittest.mock import patch

import clarabel

import lyapflow as lf

from . import ours
from .measuring import IN_A_ROW, measure
from .problems import METHODS, Problem, row
from .results import judge, table

__all__ = ["show_floor"]

_FIXED, _TIMES = 1.5e-3, 1.5  # what was asked: total <= 1.5 ms + 1.5 x raw

Call = tuple[object, ...]
Function = tuple[str, int, str]


def record_solves(problem: Problem) -> list[Call]:
    """The arguments of every solver that Clarabel builds while lyapflow searches."""
    calls: list[Call] = []
    build = clarabel.DefaultSolver

    def record(*arguments: object) -> object:
        calls.append(tuple(a.copy() if hasattr(a, "copy") else a for a in arguments))  # the matrix is used again
        return build(*arguments)

    with patch("clarabel.DefaultSolver", record):
        ours.search_factor(problem)
    return calls


def show_floor(rounds: int) -> str:
    """Total time against the raw time of the same solves, and a profile.

    Clarabel alone is one more tool: it takes its turns with the problems that lyapflow gave to it.
    """
    lines = []
    for method in METHODS:
        problems = partial(row, method, count=IN_A_ROW)
        calls = {p.L: record_solves(p) for repeat in range(rounds + 1) for p in problems(repeat)}

        def solve_alone(problem: Problem, calls: dict[float, list[Call]] = calls) -> None:
            for call in calls[problem.L]:
                clarabel.DefaultSolver(*call).solve()

        times = measure(problems, {"lyapflow": ours.search_factor, "Clarabel": solve_alone}, rounds)
        total, raw = times["lyapflow"].median(), times["Clarabel"].median()
        solves = median(map(len, calls.values()))
        allowed = _FIXED + _TIMES * raw
        verdict = judge(total, allowed, at_least=False)
        lines.append([method, f"{solves:g}", *(f"{1e3 * t:.2f}" for t in (raw / solves, raw, total, allowed)), verdict])
    heads = ["method", "solves", "raw, each (ms)", "raw, all (ms)", "total (ms)", "1.5 ms + 1.5 raw", ""]
    return table(heads, lines) + "\n\n" + _show_profile()


def _show_profile() -> str:
    """Time in each room, all rows together; what a room calls outside of lyapflow is its own time, Clarabel apart."""
    systems = [ours.make_method(p) for method in METHODS for p in row(method, 1, 5)]
    profile = cProfile.Profile()
    profile.enable()
    for system in systems:
        lf.attempt(system)
    profile.disable()
    entries = pstats.Stats(profile).stats
    spent: defaultdict[str, float] = defaultdict(float)
    for function, (_, _, own, _, _) in entries.items():
        for room, share in _rooms(function, entries).items():
            spent[room] += share * own
    whole = sum(spent.values())
    largest = sorted(spent.items(), key=lambda room: -room[1])[:12]
    return (
        f"Where the time goes: all methods, {1e3 * whole / len(systems):.1f} ms each under the profiler, which slows "
        "Python and not Clarabel.\n\n" + table(["room", "share"], [[room, f"{t / whole:.0%}"] for room, t in largest])
    )


_DEPTH = 8  # of calls outside of lyapflow that are followed up to the room they serve


def _rooms(function: Function, entries: dict[Function, tuple], depth: int = _DEPTH) -> dict[str, float]:
    """For whom a function works, in shares that add to one."""
    path = Path(function[0])
    if "lyapflow" in path.parts:
        inside = path.parts[len(path.parts) - path.parts[::-1].index("lyapflow") :]
        return {".".join(inside).removesuffix(".py"): 1.0}
    if "DefaultSolver" in function[2]:
        return {"Clarabel": 1.0}
    callers = {caller: numbers[3] for caller, numbers in entries[function][4].items()} if function in entries else {}
    total = sum(callers.values())
    if not total or not depth:
        return {"elsewhere": 1.0}
    found: defaultdict[str, float] = defaultdict(float)
    for caller, weight in callers.items():
        for room, share in _rooms(caller, entries, depth - 1).items():
            found[room] += share * weight / total
    return found
