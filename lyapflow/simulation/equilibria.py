"""Equilibria of a closed loop: pseudo-transient continuation, which is the flow at first and Newton's method at last.

Each step is one of linearised implicit Euler, ``(I/h - J) dx = F(x)``. A large h is a Newton step, exact for affine
loops and for the active piece of a piecewise affine one; where it does not help, h falls until the step follows the
flow, and grows again from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ..dynamics import System
from ..errors import InvalidModelError, SimulationError
from ..members.protocol import Member
from .loops import Array, Loop, LureLoop, close_loop, read_state
from .stacks import StackedLoop

__all__ = ["Equilibrium", "find_equilibrium", "find_parted", "locate_equilibrium", "read_equilibrium", "read_values"]

_EPS = float(np.finfo(np.float64).eps)
_ACCEPTED = 1e-11  # largest residual, relative to the terms that cancel in it, at which a point is an equilibrium
_LARGEST = 1e8  # step h in units of 1/|J|: beyond it, rounding moves states along directions that do not decay
_LANDING = 1e-10
_STEPS = 400


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Equilibrium:
    """A state at rest, with its signals; all arrays are read-only.

    Attributes
    ----------
    x : ndarray, shape (n, d), or (n + m,) for a primal-dual system
        The state.
    y, u : ndarray, shape (m, d)
        Inputs and outputs of the oracles; for a primal-dual system, d is the number of primal variables and m = 1.
    values : ndarray, shape (m,)
        Function values at y; NaN for an oracle that has none.
    residual : float
        Norm of the time derivative at x; in discrete time, of the increment per step.
    error : float
        Estimate of the distance from x to the true equilibrium, to first order.
    """

    x: Array
    y: Array
    u: Array
    values: Array
    residual: float
    error: float

    def __post_init__(self) -> None:
        for array in (self.x, self.y, self.u, self.values):
            array.flags.writeable = False


def find_equilibrium(
    system: System, members: Sequence[Member], guess: ArrayLike | None = None, *, offset: ArrayLike | None = None
) -> Equilibrium:
    """An equilibrium of a system closed with concrete members.

    Parameters
    ----------
    system : LureSystem, PrimalDualSystem, PrimalDualIteration or ProximalLagrangianSystem
        In continuous time, or in discrete time: then an equilibrium is a fixed point of its step.
    members : sequence of Member
        One per oracle; oracles of one group share theirs.
    guess : array_like, shape (n, d), or (d,) where n = 1, or (n + m,) for a primal-dual system, optional
        Where the search starts; 0 by default. Needed only where no member has a dimension.
    offset : array_like, shape (m,), optional
        Right side b of the constraint ``E x = b`` of a `PrimalDualSystem`; 0 by default.

    Returns
    -------
    Equilibrium
        With a residual at the level of rounding. Where there are several equilibria, one of them.

    Raises
    ------
    SimulationError
        If none is found.
    InvalidModelError
        If an argument is not valid.

    Notes
    -----
    A floating-point result, not a proof that an equilibrium exists.

    Examples
    --------
    >>> from lyapflow.classes import Convex, SmoothStronglyConvex
    >>> from lyapflow.flows import forward_backward_flow
    >>> from lyapflow.members import L1Norm, SquaredNorm
    >>> flow = forward_backward_flow(SmoothStronglyConvex(1, 1), Convex(), step="1/2")
    >>> find_equilibrium(flow, [SquaredNorm(1, [3.0, 0.5]), L1Norm(1)]).x
    array([[2., 0.]])
    """
    start = None if guess is None else read_state(system, guess, name="guess")
    dimension = start.shape[1] if start is not None and start.ndim == 2 else None
    loop = close_loop(system, members, offset=offset, dimension=dimension)
    return locate_equilibrium(loop, np.zeros(loop.state_shape) if start is None else start)


def read_equilibrium(loop: Loop, given: Equilibrium | ArrayLike) -> Equilibrium:
    """The equilibrium that a caller names, as a state or as it was found, if it is one to eight digits."""
    known = given.x if isinstance(given, Equilibrium) else read_state(loop.system, given, name="equilibrium")
    if known.shape != loop.state_shape:
        raise InvalidModelError(f"equilibrium must have the shape {loop.state_shape} of a state, got {known.shape}")
    search = _Search(loop, known)
    search.linearise()
    found = search.report()
    if not found.residual <= 1e3 * _ACCEPTED * search.scale():
        raise InvalidModelError(
            f"equilibrium must be a state at rest, but its time derivative or increment has norm {found.residual:.3g}. "
            "Leave it out, and it is searched for."
        )
    try:
        _check_rest(loop, found.x)
    except SimulationError as error:
        raise InvalidModelError(f"equilibrium must be at rest at all times, but {error}") from error
    return found


def _check_rest(loop: Loop, x: Array) -> None:
    """Where the dynamics varies with time, N x* must vanish too."""
    left = np.linalg.norm(loop.drift(x, 1.0))
    if left > 1e-9 * (1 + float(np.linalg.norm(x))):
        raise SimulationError(
            f"no equilibrium was found: A x + B u = 0 has a solution where N x / t is not 0 (|N x| = {left:.3g}), so "
            "nothing rests there"
        )


def locate_equilibrium(loop: Loop, start: Array) -> Equilibrium:
    """As `find_equilibrium`, for a loop."""
    with np.errstate(over="ignore", invalid="ignore"):  # a search that runs away is seen below
        return _locate(loop, _settle_velocities(loop, start))


def _settle_velocities(loop: Loop, start: Array) -> Array:
    """A better start for a loop with momentum: at rest velocities are zero, and the flow without momentum is calmer."""
    if not isinstance(loop, LureLoop) or loop.system.dt:
        return start
    pairs: dict[int, int] = {}  # x_i' = c x_k, c > 0
    for i, (row, inputs) in enumerate(zip(loop.A, loop.B, strict=True)):
        (at,) = np.nonzero(row)
        if len(at) == 1 and row[at[0]] > 0 and not inputs.any() and at[0] not in {i, *pairs, *pairs.values()}:
            pairs[i] = int(at[0])
    if not pairs or set(pairs) & set(pairs.values()):
        return start
    kept = [i for i in range(len(loop.A)) if i not in pairs.values()]
    source = [pairs.get(i, i) for i in kept]  # whose equation moves each state that is kept
    plain = replace(loop, A=loop.A[np.ix_(source, kept)], B=loop.B[source], C=loop.C[:, kept], N=None)
    try:
        rest = _locate(plain, start[kept])
    except SimulationError:
        return start
    found = np.zeros_like(start)
    found[kept] = rest.x
    return found


def _locate(loop: Loop, start: Array) -> Equilibrium:
    search = _Search(loop, start)
    for _ in range(_STEPS):
        search.linearise()
        if not np.isfinite(search.norm):
            raise SimulationError(
                f"no equilibrium was found: after {search.count} steps the state left the range of floating point. "
                "There may be none; otherwise pass a better guess, or a known equilibrium."
            )
        if search.is_finished():
            break
        search.advance()
    found = search.report()
    if found.residual <= _ACCEPTED * search.scale() and search.has_settled():
        _check_rest(loop, found.x)
        return found
    raise SimulationError(
        f"no equilibrium was found: after {search.count} steps the smallest residual |x'| is {found.residual:.3g}, and "
        f"the last step has length {search.move:.3g}. There may be none; otherwise pass a better guess, or a known "
        "equilibrium."
    )


class _Search:
    """The state of a search: current point, step h, and the best point so far."""

    def __init__(self, loop: Loop, start: Array) -> None:
        self.loop, self.start, self.x = loop, start, start
        self.F, self.u = self._evaluate(start)
        self.size = float(np.linalg.norm(self.F))
        if not np.isfinite(self.size):
            raise InvalidModelError(f"the guess must be a state where the oracles are finite, got |x'| = {self.size}")
        self.best = (self.size, start)
        self.h = _LARGEST  # in units of 1/|J|
        self.move = np.inf if self.size else 0.0
        self.stiffness = 0.0  # largest |J| so far
        self.before = self.size  # before the last step
        self.count = self.stalled = 0

    def _evaluate(self, x: Array) -> tuple[Array, Array]:
        try:
            with np.errstate(all="ignore"):
                F, _, u = self.loop.evaluate(x)
        except ArithmeticError as error:
            raise SimulationError(f"no equilibrium was found, because an oracle failed: {error}") from error
        return F, u

    def linearise(self) -> None:
        """Jacobian by forward differences: exact for affine pieces, up to rounding."""
        x, N = self.x.ravel(), self.x.size
        width = 1e-7 * (np.abs(x) + np.linalg.norm(x) / np.sqrt(N) + self._unit())
        J = np.empty((N, N))
        for i in range(N):
            moved = x.copy()
            moved[i] += width[i]
            J[:, i] = (self._evaluate(moved.reshape(self.x.shape))[0] - self.F).ravel() / (moved[i] - x[i])
        self.J = J
        self.norm = max(float(np.linalg.norm(J)), np.finfo(np.float64).tiny)
        self.stiffness = max(self.stiffness, self.norm)

    def _unit(self) -> float:
        """A length for states that are 0: how far the search has come, or a small one."""
        return float(np.linalg.norm(self.x - self.start)) or 1e-3

    def scale(self) -> float:
        """Size of the terms that cancel where the residual is small."""
        length = max(float(np.linalg.norm(self.x)), float(np.linalg.norm(self.x - self.start)), 1e-3)
        return self.stiffness * length + self.loop.measure_terms(self.x, self.u)

    def has_settled(self) -> bool:
        """Whether the state came to rest: no slow escape to infinity, along which the residual vanishes too."""
        landed = self.size == 0 and self.before > _LANDING * self.scale()  # from afar onto an affine piece, exactly
        return landed or self.move <= 1e-8 * max(float(np.linalg.norm(self.x)), self._unit())

    def is_finished(self) -> bool:
        """Whether the residual is at the level of rounding, or cannot get there."""
        done = self.size == 0 or (self.size <= 4 * _EPS * self.scale() and self.has_settled())
        stuck = self.stalled >= 4 and self.best[0] <= _ACCEPTED * self.scale() and self.has_settled()
        return done or stuck

    def advance(self) -> None:
        """One step; h falls where the residual does not fall enough, down to a step along the flow."""
        self.count += 1
        while True:
            try:
                shifted = np.eye(self.x.size) * (self.norm / self.h) - self.J
                step = np.linalg.solve(shifted, self.F.ravel()).reshape(self.x.shape)
                x = self.x + step
                F, u = self._evaluate(x)
                size = float(np.linalg.norm(F))
            except (np.linalg.LinAlgError, SimulationError):
                size = np.inf
            patient = self.size <= 100 * _ACCEPTED * self.scale()  # rounding level: no step can halve the residual
            enough = 0.5 if self.h >= _LARGEST else 0.999
            if np.isfinite(size) and (size <= enough * self.size or self.h <= 0.5 or patient):
                break
            self.h /= 16
            if self.h < 1e-3:
                return
        self.move = float(np.linalg.norm(step))
        self.h = min(self.h * (8 if size < self.size else 1), _LARGEST)
        self.before = self.size
        self.x, self.F, self.u, self.size = x, F, u, size
        self.stalled = 0 if size < 0.5 * self.best[0] else self.stalled + 1
        if size < self.best[0]:
            self.best = (size, x)

    def report(self) -> Equilibrium:
        """The best point, with its signals and an estimate of its error."""
        residual, x = self.best
        _, y, u = self.loop.evaluate(x)
        slowest = float(np.linalg.svd(self.J, compute_uv=False)[-1])
        error = (residual + 8 * _EPS * self.scale()) / max(slowest, 1e-9 * self.norm)
        values = read_values(self.loop, y)
        return Equilibrium(x=x.copy(), y=y.copy(), u=u.copy(), values=values, residual=residual, error=error)


def find_parted(system: System, rest: Equilibrium) -> tuple[int, int, str, float] | None:
    """Two oracles of one group whose inputs (``"y"``) or outputs (``"u"``) differ at rest, and by how much."""
    for j, group in enumerate(system.groups):
        i = system.groups.index(group)
        for kind, signal in (("y", rest.y), ("u", rest.u)):
            apart = float(np.linalg.norm(signal[j] - signal[i]))
            if apart > 1e-8 * (1 + float(np.linalg.norm(signal[i]))):
                return i, j, kind, apart
    return None


def read_values(loop: Loop, y: Array) -> Array:
    """Function values at inputs of shape (m, d); NaN for an oracle that has none."""
    if isinstance(loop, StackedLoop):
        return loop.read_values(y)
    found = np.full(len(loop.members), np.nan)
    for j, member in enumerate(loop.members):
        try:
            found[j] = member.value(loop.trim(j, y[j]))
        except InvalidModelError:
            continue
    return found
