"""All tools on the same problems, in one run; writes the timing sections of results.md.

``python -m benchmarks.run [--rounds 7] [--only rows sweeps ...]`` in the environment of requirements.txt.
"""

from __future__ import annotations

import argparse
import warnings
from contextlib import redirect_stdout
from functools import partial
from io import StringIO

import numpy as np

from . import ours, peers_autolyap, peers_pepit, truth
from .answers import Answer
from .floor import show_floor
from .measuring import IN_A_ROW, Measured, measure
from .problems import DEEP_CONDITIONS, FLOWS, METHODS, SWEPT, Problem, flow_modulus, make_problem, row, sweep
from .results import judge, machine_line, table, write_section

__all__: list[str] = []

COARSE, FINE, GIVEN, OURS = "AutoLyap, 1e-6", "AutoLyap, 1e-12", "PEPit, given V", "lyapflow, proved"
TOOLS = {
    COARSE: partial(peers_autolyap.search_factor, tolerance=1e-6),
    FINE: partial(peers_autolyap.search_factor, tolerance=1e-12),
    GIVEN: peers_pepit.bound_steps,
    OURS: ours.search_factor,
}
FLOW_TOOLS = {GIVEN: lambda flow: peers_pepit.bound_flow(*flow), OURS: lambda flow: ours.bound_flow(*flow)}
Results = dict[str, Measured[Problem]]


def main() -> None:
    """Measure and write, section by section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="timed repeats after the warm-up; medians are over these")
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # the peers warn of inaccurate solves; whether an answer is true is judged here
    for name in arguments.only:
        title, make = SECTIONS[name]
        with redirect_stdout(StringIO()):  # so they do on the screen
            body = make(arguments.rounds)
        write_section(title, body + "\n\n" + machine_line())
        print(f"{title}: written")


# --- one rate per method ---------------------------------------------------------------------------------------------


def show_rows(rounds: int) -> str:
    """Times, ratios and answers of the methods at mu = 1, L = 10."""
    found = {method: measure(partial(row, method, count=IN_A_ROW), TOOLS, rounds) for method in METHODS}
    times = {name: 1e3 * np.array([m[name].median() for m in found.values()]) for name in TOOLS}
    ratios = {name: times[name] / times[OURS] for name in TOOLS}
    lines = [
        [method, *(f"{times[name][k]:.1f}" for name in TOOLS), *(f"{ratios[n][k]:.1f}" for n in (COARSE, GIVEN))]
        for k, method in enumerate(METHODS)
    ]
    heads = ["method", *(f"{name} (ms)" for name in TOOLS), "AutoLyap 1e-6 / lyapflow", "PEPit / lyapflow"]
    goals = [
        _goal("AutoLyap 1e-6 / lyapflow, median row", float(np.median(ratios[COARSE])), 15),
        _goal("AutoLyap 1e-6 / lyapflow, least row", float(ratios[COARSE].min()), 8),
        _goal("PEPit / lyapflow, median row", float(np.median(ratios[GIVEN])), 2),
    ]
    return "\n\n".join([_show_goals(goals), table(heads, lines), _show_answers(found)])


def _show_answers(found: dict[str, Results]) -> str:
    """What each tool claims at L = 10: the factor of V, the square of that of the distance."""
    lines = []
    for method, m in found.items():
        problem = m[OURS].problems[0][0]
        cells = [_tell(problem, m[name].answers[0][0]) for name in TOOLS]
        solves = m[OURS].answers[0][0].solves
        lines.append([method, f"{truth.largest_radius(problem) ** 2:.9f}", *cells, str(solves or "–")])
    return "Factor of V per step (the square of the distance's), mu = 1, L = 10.\n\n" + table(
        ["method", "slowest quadratic", *TOOLS, "lyapflow, solves"], lines
    )


def _tell(problem: Problem, answer: Answer) -> str:
    if answer.value is None:
        return f"none ({answer.word})"
    if answer.squared is None:
        return f"({answer.value:.6g}, {answer.word})"
    if answer.evidence is not None:
        proved = "proved" if ours.is_proved_from_file(answer.evidence) else "**not proved**"
        return f"{answer.value:.9f} {'**false**' if truth.is_refuted(problem, answer.squared) else proved}"
    return f"{answer.value:.9f}{' **false**' if truth.is_refuted(problem, answer.squared) else ''}"


# --- condition numbers -----------------------------------------------------------------------------------------------


def show_sweeps(rounds: int) -> str:
    """50 condition numbers for each swept method."""
    lines, goals = [], []
    limits = {"gradient descent": 1e-6, "triple momentum": 1e-3, "Douglas-Rachford": 1e-6}
    for method in SWEPT:
        found = measure(partial(sweep, method), TOOLS, rounds)
        slower = found[COARSE].total() / found[OURS].total()
        goals.append(_goal(f"{method}: AutoLyap 1e-6 / lyapflow", slower, 20))
        for name, m in found.items():
            answered, false, worst = _judge_all(m)
            shown = "–" if np.isnan(worst) else f"{worst:.1e}"
            lines.append([f"{method}: {name}", f"{m.total():.3f}", answered, false, shown])
            if name == OURS:
                goals += [_goal(f"{method}: proved of 50", float(answered.split()[0]), 50)]
                goals += [_goal(f"{method}: relative error of 1 - factor", worst, limits[method], at_least=False)]
    heads = ["sweep", "seconds", "answered", "false claims", "largest relative error of 1 - factor"]
    return "\n\n".join([_show_goals(goals), table(heads, lines)])


def _judge_all(m: Measured[Problem]) -> tuple[str, str, float]:
    """Answers, false ones, and the worst error of the first round; that of a momentum example of PEPit is no factor."""
    pairs = list(zip(m.problems[0], m.answers[0], strict=True))
    answered = [(p, a) for p, a in pairs if a.value is not None]
    claims = [(p, a) for p, a in answered if a.squared is not None]
    false = f"{sum(truth.is_refuted(p, a.squared) for p, a in claims)}" if claims else "–"
    worst = max((abs(_error(p, a)) for p, a in claims), default=float("nan"))
    return f"{len(answered)} of {len(pairs)}", false, worst


def _error(problem: Problem, answer: Answer) -> float:
    """``(true gap - claimed gap) / true gap`` with ``gap = 1 - factor`` of the distance; below 0 is the false side."""
    exact = truth.true_gap(problem)
    claimed = float(1 - answer.squared) / (1 + float(answer.squared) ** 0.5)
    return float(exact - type(exact)(claimed)) / float(exact)


def show_accuracy(rounds: int) -> str:
    """Accuracy of lyapflow up to condition number 1e8."""
    limits = {"gradient descent": 1e-4, "triple momentum": 1e-2, "Douglas-Rachford": 1e-4}
    found = {
        method: measure(lambda _, m=method: [make_problem(m, k) for k in DEEP_CONDITIONS], {OURS: TOOLS[OURS]}, 1)[OURS]
        for method in SWEPT
    }
    lines, goals = [], []
    for k, kappa in enumerate(DEEP_CONDITIONS):
        cells = []
        for m in found.values():
            problem, answer = m.problems[0][k], m.answers[0][k]
            if answer.squared is None:
                cells.append(answer.word)
                continue
            proved = not truth.is_refuted(problem, answer.squared) and ours.is_proved_from_file(answer.evidence)
            cells.append(f"{_error(problem, answer):.1e}{'' if proved else ' **false**'}, {1e3 * m.times[0, k]:.1f} ms")
        lines.append([f"{kappa:.0e}", *cells])
    for method, m in found.items():
        errors = [_error(p, a) if a.squared else np.inf for p, a in zip(m.problems[0], m.answers[0], strict=True)]
        goals.append(_goal(f"{method}: worst up to 1e8", float(np.max(errors)), limits[method], at_least=False))
    text = "Relative error of 1 - factor, each answer proved from its file, and the time of one call.\n\n"
    return text + _show_goals(goals) + "\n\n" + table(["L / mu", *found], lines)


# --- continuous time -------------------------------------------------------------------------------------------------


TIGHT = {"gradient flow, strongly convex": -2.0, "accelerated flow, strongly convex": -4 / 3}
"""V'/V at mu = 1 for the V of PEPit's example, tight by its documentation; a smaller number is false."""


def show_flows(rounds: int) -> str:
    """The continuous-time models that PEPit has, its given V against the best V."""

    def several(repeat: int, name: str) -> list[tuple[str, float]]:
        return [(name, flow_modulus(repeat * IN_A_ROW + k)) for k in range(IN_A_ROW)]

    lines = []
    for name in FLOWS:
        found = measure(partial(several, name=name), FLOW_TOOLS, rounds)
        theirs, mine = found[GIVEN].answers[0][0], found[OURS].answers[0][0]
        given_ms, own_ms = (1e3 * found[tool].median() for tool in (GIVEN, OURS))
        too_fast = " **false**" if theirs.value < TIGHT.get(name, -np.inf) else ""
        line = [name, f"{given_ms:.1f}", f"{theirs.value:.10f}{too_fast}"]
        value = mine.word if mine.value is None else f"{mine.value:.10f} {mine.word}"
        lines.append([*line, f"{own_ms:.1f}", value, f"{given_ms / own_ms:.1f}"])
    heads = ["flow, mu = 1", "PEPit (ms)", "PEPit: V'/V, given V", "lyapflow (ms)", "lyapflow: V'/V, best V", "ratio"]
    return table(heads, lines)


def _goal(name: str, measured: float, target: float, *, at_least: bool = True) -> list[str]:
    sign = "≥" if at_least else "≤"
    return [name, f"{measured:.3g}", f"{sign} {target:g}", judge(measured, target, at_least=at_least)]


def _show_goals(goals: list[list[str]]) -> str:
    return table(["what was asked", "measured", "target", ""], goals)


SECTIONS = {
    "rows": ("One rate", show_rows),
    "sweeps": ("50 condition numbers", show_sweeps),
    "accuracy": ("Up to condition number 1e8", show_accuracy),
    "flows": ("Continuous time", show_flows),
    "floor": ("The solver's own time", show_floor),
}

if __name__ == "__main__":
    main()
