"""The main job: from a problem to certificates, bracket, simulation and report, in one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from .certificates.certificate import Certificate
from .certificates.files import save
from .dynamics import LureSystem
from .exact.rationals import show_above, show_below
from .lmi.claims import ExponentialDecay
from .members import Member
from .problems import BEST, FlowRequest, Problem
from .report import Simulation, write_report
from .search.bracket import Bracket
from .search.outcomes import Inconclusive, Infeasible, Proved
from .search.pipeline import attempt
from .search.steps import find_best_step
from .simulation import Trajectory, simulate

__all__ = ["Say", "StudiedFlow", "Study", "certify_problem", "study"]

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
    """

    request: FlowRequest
    step: Fraction | None
    bracket: Bracket | None
    failure: Infeasible | Inconclusive | None


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

    @property
    def proved(self) -> bool:
        """Whether every flow has a proof."""
        return all(flow.bracket is not None for flow in self.flows)


def certify_problem(
    problem: Problem, *, solver: str | None = None, say: Say = lambda line: None
) -> tuple[StudiedFlow, ...]:
    """Certify each flow of a problem; a flow without a proof does not stop the others."""
    return tuple(_certify(request, solver, say) for request in problem.requests)


def _certify(request: FlowRequest, solver: str | None, say: Say) -> StudiedFlow:
    step = request.step
    if step == BEST and request.interval is not None:
        say(f"{request.name}: looking for the step with the largest proved rate")
        step, _ = find_best_step(
            request.make,
            request.interval,
            report=lambda s, rate: say(
                f"  step {float(s):.6g}: " + ("nothing proved" if rate is None else f"proved rate {show_below(rate)}")
            ),
        )
    chosen = step if isinstance(step, Fraction) else None
    say(f"{request.name}: searching a certificate" + ("" if chosen is None else f" at step {chosen}"))
    outcome = attempt(request.make(chosen), ExponentialDecay(request.rate), solver=solver)
    if not isinstance(outcome, Proved):
        say(f"{request.name}: {outcome.explain()}")
        return StudiedFlow(request=request, step=chosen, bracket=None, failure=outcome)
    bracket = Bracket(certificate=outcome.certificate, witness=outcome.witness)
    rates = f"{show_below(outcome.certificate.rate)} <= true rate <= {show_above(outcome.witness.rate)}"
    say(f"{request.name}: proved {rates}")
    return StudiedFlow(request=request, step=chosen, bracket=bracket, failure=None)


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
    target.mkdir(parents=True, exist_ok=True)
    flows = certify_problem(problem, solver=solver, say=say)
    files: list[Path] = []
    items: list[Bracket | Simulation] = []
    for k, flow in enumerate(flows):
        if flow.bracket is None:
            continue
        certificate = flow.bracket.certificate
        files.append(save(certificate, target / f"{k + 1}-{flow.request.name}.json"))
        items.append(flow.bracket)
        if problem.members and isinstance(certificate.system, LureSystem):
            say(f"{flow.request.name}: simulating on the data")
            trajectory = simulate_problem(problem, certificate, points=points)
            items.append(Simulation(certificate, trajectory, f"{flow.request.name} on the data"))
    if items:
        files.append(write_report(target / "report.html", *items, title=problem.title))
    return Study(flows=flows, files=tuple(files))


def simulate_problem(problem: Problem, certificate: Certificate, *, points: int = 401) -> Trajectory:
    """The certified flow on the problem's own functions, from the origin until the bound is a millionth."""
    system = certificate.system
    members: list[Member] = [problem.members[name] for name in system.oracle_names]
    n = system.shape[0]
    start = np.zeros((n, problem.dimension))
    horizon = float(np.log(1e6) / certificate.rate)
    return simulate(system, members, start, (0.0, horizon), points=points)
