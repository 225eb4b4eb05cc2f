"""The main job: from a problem to certificates, bracket, simulation and report, in one call.

What is proved is saved at once, flow by flow, so an interruption or a failure later loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from .certificates.certificate import Certificate
from .certificates.files import save
from .dynamics import LureSystem
from .errors import InvalidModelError, NoCertificateError, SimulationError
from .exact.rationals import show_above, show_below
from .lmi.claims import ExponentialDecay
from .members import Member
from .problems import BEST, FlowRequest, Problem
from .report import Note, Simulation, write_report
from .search.bracket import Bracket
from .search.outcomes import Inconclusive, Infeasible, Proved
from .search.pipeline import attempt
from .search.steps import find_best_step
from .simulation import Trajectory, simulate

__all__ = ["Say", "StudiedFlow", "Study", "certify_problem", "simulate_problem", "study"]

Say = Callable[[str], None]
"""Receives one line of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudiedFlow:
    """What became of one flow.

    Attributes
    ----------
    request : FlowRequest
        What was asked.
    step : Fraction or None
        The step that was used.
    bracket : Bracket or None
        The proof and the witness, where there is a proof.
    failure : Infeasible, Inconclusive or None
        What the search said instead.
    file : Path or None
        The certificate file.
    """

    request: FlowRequest
    step: Fraction | None
    bracket: Bracket | None
    failure: Infeasible | Inconclusive | None
    file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Everything that a study made.

    Attributes
    ----------
    flows : tuple of StudiedFlow
        In the order of the problem.
    files : tuple of Path
        Certificates and report.
    """

    flows: tuple[StudiedFlow, ...]
    files: tuple[Path, ...]


def certify_problem(
    problem: Problem, folder: str | Path, *, solver: str | None = None, say: Say = lambda line: None
) -> Iterator[StudiedFlow]:
    """Certify each flow of a problem and save each certificate as soon as it is proved.

    A flow without a proof does not stop the others; a certificate that an earlier run left under its name is renamed.

    Parameters
    ----------
    problem : Problem
        As read by `read_problem`.
    folder : path
        Where certificates go; it must exist.
    solver : str, optional
        As in `certify`.
    say : callable, optional
        Receives lines of progress.
    """
    for k, request in enumerate(problem.requests, start=1):
        target = Path(folder) / f"{k}-{request.name}.json"
        if target.exists():
            say(f"{target} is there already and becomes {target.stem}.old.json")
            target.replace(target.with_suffix(".old.json"))
        yield _certify(request, target, solver, say)


def _certify(request: FlowRequest, target: Path, solver: str | None, say: Say) -> StudiedFlow:
    try:
        step = _choose_step(request, say)
    except NoCertificateError as none:
        failure = none.outcome
        if not isinstance(failure, Infeasible | Inconclusive):
            raise
        return StudiedFlow(request=request, step=None, bracket=None, failure=failure, file=None)
    say(f"{request.name}: searching a certificate" + ("" if step is None else f" at step {step}"))
    outcome = attempt(request.make(step), ExponentialDecay(request.rate), solver=solver)
    if not isinstance(outcome, Proved):
        say(f"{request.name}: {outcome.explain()}")
        return StudiedFlow(request=request, step=step, bracket=None, failure=outcome, file=None)
    bracket = Bracket(certificate=outcome.certificate, witness=outcome.witness)
    rates = f"{show_below(outcome.certificate.rate)} <= true rate <= {show_above(outcome.witness.rate)}"
    say(f"{request.name}: proved {rates}")
    file = save(outcome.certificate, target)
    return StudiedFlow(request=request, step=step, bracket=bracket, failure=None, file=file)


def _choose_step(request: FlowRequest, say: Say) -> Fraction | None:
    if request.step != BEST or request.interval is None:
        return request.step if isinstance(request.step, Fraction) else None
    say(f"{request.name}: looking for the step with the largest proved rate")

    def report(step: Fraction, rate: Fraction | None) -> None:
        say(f"  step {float(step):.6g}: " + ("nothing proved" if rate is None else f"proved rate {show_below(rate)}"))

    return find_best_step(request.make, request.interval, report=report)[0]


def study(
    problem: Problem, folder: str | Path, *, solver: str | None = None, points: int = 401, say: Say = lambda line: None
) -> Study:
    """Certify the flows of a problem, simulate them on its data, and write certificates and one report.

    Parameters
    ----------
    problem : Problem
        As read by `read_problem`.
    folder : path
        Where the files go; made if it does not exist.
    solver : str, optional
        As in `certify`.
    points : int, default 401
        Times at which trajectories are drawn.
    say : callable, optional
        Receives lines of progress.
    """
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise InvalidModelError(f"{target} must be a folder, and it is a file")
    target.mkdir(parents=True, exist_ok=True)
    flows: list[StudiedFlow] = []
    items: list[Bracket | Simulation | Note] = []
    if problem.facts:
        items.append(Note("The data", "\n\n".join(problem.facts)))
    for flow in certify_problem(problem, target, solver=solver, say=say):
        flows.append(flow)
        items += _report_flow(problem, flow, points, say)
    report = write_report(target / "report.html", *items, title=problem.title)
    files = [flow.file for flow in flows if flow.file is not None]
    return Study(flows=tuple(flows), files=(*files, report))


def _report_flow(problem: Problem, flow: StudiedFlow, points: int, say: Say) -> Iterator[Bracket | Simulation | Note]:
    if flow.bracket is None:
        step = "" if flow.step is None else f" (step {flow.step})"
        reason = "" if flow.failure is None else flow.failure.explain()
        yield Note(f"{flow.request.name}{step}: no certificate", reason)
        return
    yield flow.bracket
    certificate = flow.bracket.certificate
    if not problem.members or not isinstance(certificate.system, LureSystem):
        return
    say(f"{flow.request.name}: simulating on the data")
    title = f"{certificate.system.name}, on the data"
    try:
        yield Simulation(certificate, simulate_problem(problem, certificate, points=points), title)
    except SimulationError as problem_met:
        say(f"{flow.request.name}: the simulation failed: {problem_met}")
        yield Note(title, f"The simulation failed, which says nothing about the proof: {problem_met}")


def simulate_problem(problem: Problem, certificate: Certificate, *, points: int = 401) -> Trajectory:
    """The certified flow on the problem's own functions, from the origin until the bound is a millionth."""
    system = certificate.system
    members: list[Member] = [problem.members[name] for name in system.oracle_names]
    start = np.zeros((system.shape[0], problem.dimension))
    horizon = float(np.log(1e6) / certificate.rate)
    return simulate(system, members, start, (0.0, horizon), points=points)
