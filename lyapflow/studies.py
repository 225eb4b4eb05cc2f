"""The main job: from a problem to certificates, bracket, simulation and report, in one call.

What is proved is saved at once, flow by flow, so an interruption or a failure later loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .certificates.certificate import Certificate
from .certificates.files import save
from .dynamics import LureSystem
from .errors import InvalidModelError, NoCertificateError, SimulationError
from .exact.rationals import show_above, show_below
from .lmi.claims import Contraction, SublinearDecay
from .lmi.gain_claims import GainClaim
from .lmi.logtime import take_logarithmic_time
from .members import Member
from .problems import Problem
from .report import Note, Simulation, write_report
from .requests import BEST, Request
from .search.bracket import Bracket
from .search.outcomes import Inconclusive, Infeasible, Outcome, Proved
from .search.pipeline import attempt
from .search.tuning import tune
from .simulation import Trajectory, simulate
from .wording import tell_bracket, tell_claim

__all__ = ["Say", "Studied", "Study", "attempt_request", "certify_problem", "simulate_problem", "study"]

Say = Callable[[str], None]
"""Receives one line of progress."""

_MOST_STEPS = 10_000
"""Steps of an algorithm that a simulation runs at most: more cannot be told apart in a figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Studied:
    """What became of one flow or algorithm.

    Attributes
    ----------
    request : Request
        What was asked.
    step : Fraction or None
        The step that was used.
    certificate : Certificate or None
        The proof, where there is one.
    bracket : Bracket or None
        The proof and its witness; none for a claim that linear members do not bound.
    failure : Infeasible, Inconclusive or None
        What the search said instead.
    file : Path or None
        The certificate file.
    """

    request: Request
    step: Fraction | None
    certificate: Certificate | None
    bracket: Bracket | None
    failure: Infeasible | Inconclusive | None
    file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Everything that a study made.

    Attributes
    ----------
    studied : tuple of Studied
        In the order of the problem.
    files : tuple of Path
        Certificates and report.
    """

    studied: tuple[Studied, ...]
    files: tuple[Path, ...]


def certify_problem(
    problem: Problem, folder: str | Path, *, solver: str | None = None, say: Say = lambda line: None
) -> Iterator[Studied]:
    """Certify each flow and algorithm of a problem and save each certificate as soon as it is proved.

    One without a proof does not stop the others; a certificate that an earlier run left under its name is renamed.

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


def attempt_request(
    request: Request, *, solver: str | None = None, say: Say = lambda line: None
) -> tuple[Fraction | None, Outcome]:
    """The step of a flow or algorithm that a problem asks for, and what the search says there.

    Parameters
    ----------
    request : Request
        From a `Problem`.
    solver : str, optional
        As in `certify`.
    say : callable, optional
        Receives lines of progress.
    """
    try:
        step = _choose_step(request, say)
    except NoCertificateError as none:
        if not isinstance(none.outcome, Infeasible | Inconclusive):
            raise
        return None, none.outcome
    say(f"{request.name}: searching a certificate" + ("" if step is None else f" at step {step}"))
    return step, attempt(request.make(step), request.claim, solver=solver)


def _certify(request: Request, target: Path, solver: str | None, say: Say) -> Studied:
    step, outcome = attempt_request(request, solver=solver, say=say)
    if not isinstance(outcome, Proved):
        say(f"{request.name}: {outcome.explain()}")
        return Studied(request=request, step=step, certificate=None, bracket=None, failure=outcome, file=None)
    certificate = outcome.certificate
    bracket = None
    if not isinstance(certificate.claim, SublinearDecay | GainClaim):
        bracket = Bracket(certificate=certificate, witness=outcome.witness)
    say(f"{request.name}: proved {tell_claim(certificate) if bracket is None else tell_bracket(bracket)}")
    file = save(certificate, target)
    return Studied(request=request, step=step, certificate=certificate, bracket=bracket, failure=None, file=file)


def _choose_step(request: Request, say: Say) -> Fraction | None:
    if request.step != BEST or request.interval is None:
        return request.step if isinstance(request.step, Fraction) else None
    is_discrete = isinstance(request.claim, Contraction)
    best, show = ("smallest proved factor", show_above) if is_discrete else ("largest proved rate", show_below)
    say(f"{request.name}: looking for the step with the {best}")

    def report(parameters: Mapping[str, Fraction], number: Fraction | None) -> None:
        said = "nothing proved" if number is None else f"{best.partition(' ')[2]} {show(number)}"
        say(f"  step {float(parameters['step']):.6g}: {said}")

    best_step = tune(lambda step: request.make(step), {"step": request.interval}, tolerance=1e-3, progress=report)
    return best_step.parameters["step"]


def study(
    problem: Problem, folder: str | Path, *, solver: str | None = None, points: int = 401, say: Say = lambda line: None
) -> Study:
    """Certify the flows and algorithms of a problem, run them on its data, and write certificates and one report.

    Parameters
    ----------
    problem : Problem
        As read by `read_problem`.
    folder : path
        Where the files go; made if it does not exist.
    solver : str, optional
        As in `certify`.
    points : int, default 401
        Times at which trajectories of flows are drawn.
    say : callable, optional
        Receives lines of progress.
    """
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise InvalidModelError(f"{target} must be a folder, and it is a file")
    target.mkdir(parents=True, exist_ok=True)
    studied: list[Studied] = []
    items: list[Certificate | Bracket | Simulation | Note] = []
    if problem.facts:
        items.append(Note("The data", "\n\n".join(problem.facts)))
    for one in certify_problem(problem, target, solver=solver, say=say):
        studied.append(one)
        items += _report(problem, one, points, say)
    report = write_report(target / "report.html", *items, title=problem.title)
    files = [one.file for one in studied if one.file is not None]
    return Study(studied=tuple(studied), files=(*files, report))


def _report(
    problem: Problem, one: Studied, points: int, say: Say
) -> Iterator[Certificate | Bracket | Simulation | Note]:
    name = one.request.name
    certificate = one.certificate
    if certificate is None:
        step = "" if one.step is None else f" (step {one.step})"
        reason = "" if one.failure is None else one.failure.explain()
        yield Note(f"{name}{step}: no certificate", reason)
        return
    yield one.bracket or certificate
    is_gain = isinstance(certificate.claim, GainClaim)  # a simulation without disturbance would say nothing of it
    if is_gain or not problem.members or not isinstance(certificate.system, LureSystem):
        return
    say(f"{name}: simulating on the data")
    title = f"{certificate.system.name}, on the data"
    try:
        yield Simulation(certificate, simulate_problem(problem, certificate, points=points), title)
    except SimulationError as problem_met:
        say(f"{name}: the simulation failed: {problem_met}")
        yield Note(title, f"The simulation failed, which says nothing about the proof: {problem_met}")


def simulate_problem(problem: Problem, certificate: Certificate, *, points: int = 401) -> Trajectory:
    """The certified system on the problem's own functions, from the origin until the bound is a millionth.

    An algorithm makes at most 10 000 steps.
    """
    system = certificate.system
    members: list[Member] = [problem.members[name] for name in system.oracle_names]
    start = np.zeros((system.shape[0], problem.dimension))
    if isinstance(certificate.claim, Contraction):
        steps = np.log(1e6) / -np.log(max(float(certificate.factor), 1e-6))
        return simulate(system, members, start, int(np.clip(np.ceil(steps), 1, _MOST_STEPS)))
    if isinstance(certificate.claim, SublinearDecay):
        return _simulate_long(certificate, members, start, points)
    horizon = float(np.log(1e6) / certificate.rate)
    return simulate(system, members, start, (0.0, horizon), points=points)


def _simulate_long(
    certificate: Certificate, members: list[Member], start: NDArray[np.float64], points: int
) -> Trajectory:
    """Over three decades of time, from a start at rest; the unit of time is that of the largest curvature."""
    upper = certificate.system.oracles[0].linear_members().upper
    unit = 1 / float(upper) ** (1 / take_logarithmic_time(certificate.system).degree) if upper else 1.0
    return simulate(certificate.system, members, start, (unit, 1e3 * unit), points=10 * points)
