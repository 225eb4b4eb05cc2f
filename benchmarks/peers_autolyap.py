"""AutoLyap, by its documented interface: bisection on the factor of a searched V.

The conditions on the residual part of its Lyapunov inequality are switched off, because a linear rate needs none: the
fastest of the settings that give its best rate.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, log2

import numpy as np
from autolyap import IterationIndependent, SolverOptions
from autolyap import algorithms as methods
from autolyap.problemclass import Convex, InclusionProblem, SmoothStronglyConvex

from .answers import Answer
from .problems import Problem

__all__ = ["search_factor"]

_OPTIONS = SolverOptions(backend="cvxpy", cvxpy_solver="CLARABEL")


class _ProximalGradient(methods.Algorithm):  # type: ignore[misc]
    """``x+ = prox_{step g}(x - step grad f(x))``, in the form that AutoLyap asks of a user's method."""

    def __init__(self, step: float) -> None:
        super().__init__(1, 2, [1, 1], [1, 2], [])
        self._step = step

    def get_ABCD(self, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The state-space matrices, the same in each iteration."""
        s = self._step
        return np.eye(1), np.array([[-s, -s]]), np.ones((2, 1)), np.array([[0.0, 0.0], [-s, -s]])


def search_factor(problem: Problem, tolerance: float) -> Answer:
    """The best factor of V that a bisection over [0, 1] finds; model building included."""
    f = SmoothStronglyConvex(problem.mu, problem.L)
    p, functions = problem.parameters, [f]
    match problem.method:
        case "gradient descent":
            method = methods.GradientMethod(p["step"])
        case "heavy ball":
            method = methods.HeavyBallMethod(p["step"], p["momentum"])
        case "Nesterov":
            method = methods.NesterovConstant(problem.mu, problem.L)
        case "triple momentum":
            method = methods.TripleMomentum(problem.mu, problem.L)
        case "proximal gradient":
            method, functions = _ProximalGradient(p["step"]), [f, Convex()]
        case "Douglas-Rachford":
            method, functions = methods.DouglasRachford(p["step"], 1.0, type="function"), [f, Convex()]
        case "Chambolle-Pock":
            method = methods.ChambollePock(p["primal"], p["dual"], p["extrapolation"])
            functions = [f, SmoothStronglyConvex(problem.mu, problem.L)]
    search = IterationIndependent.LinearConvergence
    P, values, T, residuals = search.get_parameters_distance_to_solution(method)
    try:
        found = search.bisection_search_rho(
            InclusionProblem(functions),
            method,
            P,
            T,
            p=values,
            t=residuals,
            S_equals_T=True,
            s_equals_t=True,
            remove_C3=True,
            tol=tolerance,
            solver_options=_OPTIONS,
            verbosity=0,
        )
    except BaseException as error:  # a panic inside Clarabel is not an Exception
        if type(error).__name__ != "PanicException":
            raise
        return Answer(squared=None, value=None, word="the solver panicked")
    rho = found["rho"] if found["status"] == "feasible" else None
    return Answer(
        squared=None if rho is None else Fraction(rho),
        value=rho,
        word=f"{found['status']}, {found['solve_status']}",
        solves=ceil(log2(1 / tolerance)) + 2,  # both ends, then halves
    )
