"""PEPit: one semidefinite program each, in its documented examples' way; V, or the measure, is given, not searched.

Where PEPit ships the example, that is called. The momentum methods run two steps, the fewest in which momentum acts;
their value bounds the measure of the example, not a factor per step.
"""

from __future__ import annotations

from fractions import Fraction

from cvxpy.error import SolverError
from PEPit import PEP
from PEPit.examples.composite_convex_minimization import (
    wc_douglas_rachford_splitting_contraction,
    wc_proximal_gradient,
)
from PEPit.examples.continuous_time_models import (
    wc_accelerated_gradient_flow_convex,
    wc_accelerated_gradient_flow_strongly_convex,
    wc_gradient_flow_convex,
    wc_gradient_flow_strongly_convex,
)
from PEPit.examples.tutorials import wc_gradient_descent_contraction
from PEPit.examples.unconstrained_convex_minimization import (
    wc_accelerated_gradient_strongly_convex,
    wc_heavy_ball_momentum,
    wc_triple_momentum,
)
from PEPit.functions import SmoothStronglyConvexFunction
from PEPit.primitive_steps import proximal_step

from .answers import Answer
from .problems import Problem

__all__ = ["bound_flow", "bound_steps"]

_STEPS = 2
_QUIET = {"wrapper": "cvxpy", "solver": "CLARABEL", "verbose": -1}


def bound_steps(problem: Problem) -> Answer:
    """Worst case of one step's contraction, or of `_STEPS` steps of a momentum method."""
    mu, L, p = problem.mu, problem.L, problem.parameters
    try:
        match problem.method:
            case "gradient descent":
                return _contraction(wc_gradient_descent_contraction(L=L, mu=mu, gamma=p["step"], n=1, **_QUIET)[0])
            case "proximal gradient":
                return _contraction(wc_proximal_gradient(L, mu, p["step"], 1, **_QUIET)[0])
            case "Douglas-Rachford":
                found = wc_douglas_rachford_splitting_contraction(mu, L, p["step"], 1, 1, **_QUIET)
                return _contraction(found[0])
            case "Chambolle-Pock":
                return _contraction(_chambolle_pock(mu, L, p["primal"], p["dual"], p["extrapolation"]))
            case "heavy ball":
                value = wc_heavy_ball_momentum(mu, L, p["step"], p["momentum"], _STEPS, **_QUIET)[0]
            case "Nesterov":
                value = wc_accelerated_gradient_strongly_convex(mu, L, _STEPS, **_QUIET)[0]
            case "triple momentum":
                value = wc_triple_momentum(mu, L, _STEPS, **_QUIET)[0]
    except SolverError:
        return Answer(squared=None, value=None, word="SolverError", solves=1)
    return Answer(squared=None, value=value, word=f"{_STEPS} steps", solves=1)


def bound_flow(name: str, mu: float) -> Answer:
    """Worst case of ``(d/dt V) / V`` for the given V of the example."""
    match name:
        case "gradient flow, strongly convex":
            value = wc_gradient_flow_strongly_convex(mu, **_QUIET)[0]
        case "accelerated flow, strongly convex":
            value = wc_accelerated_gradient_flow_strongly_convex(mu, psd=False, **_QUIET)[0]
        case "gradient flow, convex":
            value = wc_gradient_flow_convex(2.5 * mu, **_QUIET)[0]
        case "accelerated flow, convex":
            value = wc_accelerated_gradient_flow_convex(3.4 * mu, **_QUIET)[0]
    return Answer(squared=None, value=value, word="given V", solves=1)


def _contraction(value: float) -> Answer:
    return Answer(squared=Fraction(value), value=value, word="given V", solves=1)


def _chambolle_pock(mu: float, L: float, primal: float, dual: float, extrapolation: float) -> float:
    """One step from two starts, in the metric ``|x|^2 / primal - 2 <x, y> + |y|^2 / dual`` of Chambolle and Pock."""
    task = PEP()
    f = task.declare_function(SmoothStronglyConvexFunction, mu=mu, L=L)
    g = task.declare_function(SmoothStronglyConvexFunction, mu=mu, L=L)

    def step(x, y):
        new = proximal_step(x - primal * y, f, primal)[0]
        moved = y + dual * (new + extrapolation * (new - x))
        return new, moved - dual * proximal_step(moved / dual, g, 1 / dual)[0]  # Moreau: the prox of the conjugate

    def measure(one, other):
        x, y = one[0] - other[0], one[1] - other[1]
        return x**2 / primal - 2 * x * y + y**2 / dual

    starts = [(task.set_initial_point(), task.set_initial_point()) for _ in range(2)]
    task.set_initial_condition(measure(*starts) <= 1)
    task.set_performance_metric(measure(*(step(*start) for start in starts)))
    return task.solve(wrapper=_QUIET["wrapper"], solver=_QUIET["solver"], verbose=0)
