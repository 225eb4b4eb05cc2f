"""Cone data -> cvxpy -> floats and a status. The one room that knows cvxpy.

What comes back is the solver's word: floats that may or may not round to a proof.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..errors import InvalidModelError
from .arrays import ConeData

if TYPE_CHECKING:  # loaded where a problem is given to it, half a second that a search without it does not pay
    import cvxpy as cp

__all__ = ["Answer", "CheckedSolver", "MarginProblem", "Solver", "check_solver"]

_TURN = Lock()  # the filters of warnings belong to all threads
_TIGHT = {
    "CLARABEL": {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11},
    "SCS": {"eps_abs": 1e-10, "eps_rel": 1e-10, "max_iters": 10_000},
}


_HUGE = 1e150  # an answer beyond this size is noise, and would overflow when it is scaled


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a solver said.

    Attributes
    ----------
    status : str
        Its word: ``"optimal"``, ``"optimal_inaccurate"``, ``"infeasible"``, ``"user_limit"``, ``"solver_error"``, ...
    margin : float or None
        Largest t with all inequalities satisfied up to t in the metric of the problem; None if there is none.
    values : mapping or None
        Unknowns by name, with `ONE` among them; None if there are none.
    root : float or None
        Parameter at which the margin vanishes, to first order, by the dual solution: a Newton step. None where the
        solver does not tell.
    """

    status: str
    margin: float | None
    values: Mapping[str, float] | None
    root: float | None = None


class Solver(Protocol):
    """Anything that answers a margin problem; tests put a lying one here."""

    def solve(self, parameter: float) -> Answer:
        """Answer at one parameter value."""


def check_solver(name: str | None) -> str:
    """The solver's name in cvxpy, if it is installed.

    Raises
    ------
    InvalidModelError
        If cvxpy has no such solver here.
    """
    from cvxpy.reductions.solvers.defines import INSTALLED_CONIC_SOLVERS, SOLVER_MAP_CONIC

    chosen = "CLARABEL" if name is None else str(name).upper()
    cones = {s: [c.__name__ for c in SOLVER_MAP_CONIC[s].SUPPORTED_CONSTRAINTS] for s in INSTALLED_CONIC_SOLVERS}
    able = [s for s, names in cones.items() if any("PSD" in name for name in names)]  # PSD, SvecPSD: by version
    if chosen not in able:
        known = ", ".join(sorted(able))
        raise InvalidModelError(f"solver must be installed and solve semidefinite programs ({known}), got {name!r}")
    return chosen


def _run(problem: cp.Problem, solver: str) -> bool:
    """Solve quietly; whether the solver came to an end."""
    from cvxpy.error import SolverError

    try:
        with _TURN, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cvxpy warns of inaccurate answers; here the status says so
            problem.solve(solver=solver, **_TIGHT.get(solver, {}))
    except (SolverError, ArithmeticError):
        return False
    return True


class CheckedSolver:
    """A solver whose answers are made safe: without values unless all are there, finite and of a sane size."""

    def __init__(self, solver: Solver, names: Sequence[str]) -> None:
        self._solver = solver
        self._names = names

    def solve(self, parameter: float) -> Answer:
        """Answer at one parameter value."""
        answer = self._solver.solve(parameter)
        margin = answer.margin if answer.margin is not None and math.isfinite(answer.margin) else None
        values = answer.values
        if values is not None:
            sizes = [abs(values.get(name, math.nan)) for name in self._names]
            if not all(size < _HUGE for size in sizes) or not any(size > 1 / _HUGE for size in sizes):
                values = None
        return Answer(
            status=answer.status, margin=margin if values is not None else None, values=values, root=answer.root
        )


class MarginProblem:
    """``max t`` subject to every block >= t N, every signed unknown >= t w, equalities, and all traces adding to 1.

    The normalisation keeps the problem bounded for either sign of t, so that t crosses zero transversally at the best
    rate. Built once; the parameter is a cvxpy Parameter.
    """

    def __init__(self, data: ConeData, *, solver: str) -> None:
        import cvxpy as cp

        self._data = data
        self._solver = solver
        self._y = cp.Variable(len(data.names))
        self._t = cp.Variable()
        self._p = cp.Parameter()
        constraints: list[cp.Constraint] = []
        total = cp.sum(self._y[list(data.signed)])
        metric = data.metric
        norms = [np.eye(base.shape[1]) for base, _ in data.blocks] if metric is None else metric.blocks
        for (base, slope), norm in zip(data.blocks, norms, strict=True):
            size = base.shape[1]
            flat = self._affine(base.reshape(len(base), -1).T, slope.reshape(len(slope), -1).T)
            total = total + self._affine(*(np.trace(part, axis1=1, axis2=2)[None, :] for part in (base, slope)))
            block = cp.reshape(flat, (size, size), order="C")
            constraints.append(block[0, 0] >= self._t * norm[0, 0] if size == 1 else block >> self._t * norm)
        weights = np.ones(len(data.signed)) if metric is None else metric.signed
        constraints += [self._y[list(data.signed)] >= weights * self._t]
        constraints.append((total if metric is None else metric.scale @ self._y) == 1)
        base, slope = data.equalities
        if len(base):
            residual = 0 if metric is None else metric.equalities * self._t
            constraints.append(self._affine(base, slope) == residual)
        self._problem = cp.Problem(cp.Maximize(self._t), constraints)

    def _affine(self, base: np.ndarray, slope: np.ndarray) -> cp.Expression:
        fixed = base @ self._y
        return fixed + self._p * (slope @ self._y) if np.any(slope) else fixed

    def solve(self, parameter: float) -> Answer:
        """Answer at one parameter value; a solver's failure is a status, never an exception."""
        self._p.value = parameter
        if not _run(self._problem, self._solver):
            return Answer(status="solver_error", margin=None, values=None)
        y, t = self._y.value, self._t.value
        if y is None or t is None or not np.all(np.isfinite(y)):
            return Answer(status=str(self._problem.status), margin=None, values=None)
        values = dict(zip(self._data.names, (y * self._data.unit).tolist(), strict=True))
        return Answer(status=str(self._problem.status), margin=float(t), values=values)
