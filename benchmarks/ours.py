"""lyapflow, by its public interface: V is searched, and what comes back is proved."""

from __future__ import annotations

from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory

import lyapflow as lf

from .answers import Answer
from .problems import Problem

__all__ = ["ACCURACY", "bound_flow", "is_proved_from_file", "make_flow", "make_method", "search_factor"]


ACCURACY = {"triple momentum": 1e-3}
"""Relative accuracy of one minus the factor that is asked for, where it is not the default of 1e-6."""


def make_method(problem: Problem) -> lf.LureSystem:
    """The method as a system."""
    f, p = lf.SmoothStronglyConvex(problem.mu, problem.L), problem.parameters
    match problem.method:
        case "gradient descent":
            return lf.algorithms.gradient_descent(f, step=p["step"])
        case "heavy ball":
            return lf.algorithms.heavy_ball(f, step=p["step"], momentum=p["momentum"])
        case "Nesterov":
            return lf.algorithms.nesterov(f, step=p["step"], momentum=p["momentum"])
        case "triple momentum":
            return lf.algorithms.triple_momentum(f)
        case "proximal gradient":
            return lf.algorithms.proximal_gradient(f, lf.Convex(), step=p["step"])
        case "Douglas-Rachford":
            return lf.algorithms.douglas_rachford(f, lf.Convex(), step=p["step"])
        case "Chambolle-Pock":
            return lf.algorithms.chambolle_pock(
                f, f, step_primal=p["primal"], step_dual=p["dual"], extrapolation=p["extrapolation"]
            )
    raise ValueError(f"unknown method {problem.method}")


def make_flow(name: str, mu: float) -> tuple[lf.LureSystem, lf.ExponentialDecay | lf.SublinearDecay]:
    """The flow as a system, and the claim whose strongest form is searched."""
    match name:
        case "gradient flow, strongly convex":
            return lf.flows.gradient_flow(lf.StronglyConvex(mu)), lf.ExponentialDecay()
        case "accelerated flow, strongly convex":
            return lf.flows.heavy_ball_flow(lf.StronglyConvex(mu), damping=2 * sqrt(mu)), lf.ExponentialDecay()
        case "gradient flow, convex":
            return lf.flows.gradient_flow(lf.Convex()), lf.SublinearDecay()
        case "accelerated flow, convex":
            return lf.flows.nesterov_flow(lf.Convex(), r=3), lf.SublinearDecay()
    raise ValueError(f"unknown flow {name}")


def search_factor(problem: Problem) -> Answer:
    """The smallest factor that can be proved; model building and proof included."""
    outcome = lf.attempt(make_method(problem), accuracy=ACCURACY.get(problem.method, 1e-6))
    if not isinstance(outcome, lf.Proved):
        return Answer(squared=None, value=None, word=type(outcome).__name__)
    factor = outcome.certificate.factor
    return Answer(
        squared=factor**2,
        value=float(factor**2),
        word="proved",
        solves=outcome.solves,
        evidence=outcome.certificate,
    )


def bound_flow(name: str, mu: float) -> Answer:
    """``(d/dt V) / V`` at most, for the best V; 0 for a V with powers of time, whose order is in the word."""
    outcome = lf.attempt(*make_flow(name, mu))
    if not isinstance(outcome, lf.Proved):
        return Answer(squared=None, value=None, word=type(outcome).__name__)
    certificate = outcome.certificate
    is_sublinear = isinstance(certificate.claim, lf.SublinearDecay)
    return Answer(
        squared=None,
        value=0.0 if is_sublinear else -2 * float(certificate.rate),
        word=f"proved, f - f* = O(1/t^{certificate.order})" if is_sublinear else "proved",
        solves=outcome.solves,
        evidence=certificate,
    )


def is_proved_from_file(certificate: lf.Certificate) -> bool:
    """Whether the certificate, written to a file and read again, is proved by the checker, which has no solver."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.json"
        lf.save(certificate, path)
        return lf.verify(path).proved
