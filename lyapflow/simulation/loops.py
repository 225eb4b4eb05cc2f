"""A system closed with concrete members, in floating point: what integrators and root finders see.

In discrete time the vector field is the increment per step, ``x+ - x``, so that equilibria are its zeros all the same.

`close_loop` checks the members against the system; everything behind it trusts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ..classes.curvature import read_data
from ..dynamics import (
    LureSystem,
    PrimalDualIteration,
    PrimalDualSystem,
    ProximalLagrangianSystem,
    SaddleSystem,
    StackedSystem,
    System,
)
from ..errors import DimensionError, InvalidModelError, SimulationError
from ..exact.matrices import Matrix, add, identity, scale, shape
from ..members.protocol import Array, Member
from .iterations import check_dimensions, close_iteration, read_operator
from .membership import check_members, common_dimension
from .saddles import PrimalDualLoop, ProximalLagrangianLoop, SaddleLoop, measure_gain
from .stacks import StackedLoop, check_stack

__all__ = [
    "Array",
    "Loop",
    "LureLoop",
    "close_loop",
    "read_state",
    "to_array",
]

_CONSISTENT = 1e-12
"""Relative distance of a right side from the range of the constraint matrix that is taken for rounding."""

Evaluation: TypeAlias = tuple[Array, Array, Array]
"""Time derivative of the state, or its increment per step; inputs y and outputs u of the oracles."""


class Loop(Protocol):
    """A vector field on states of one shape."""

    @property
    def system(self) -> System:
        """The exact model."""

    @property
    def members(self) -> tuple[Member, ...]:
        """One concrete member per oracle."""

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Shape of a state."""

    def evaluate(self, x: Array) -> Evaluation:
        """Time derivative (or increment per step) and signals at a state of `state_shape`."""

    def drift(self, x: Array, t: float) -> Array | float:
        """What the time derivative has in addition at a time; 0 where nothing varies."""

    def measure_terms(self, x: Array, u: Array) -> float:
        """Size of the terms that add up to the time derivative, or to the increment."""

    def measure_reach(self) -> tuple[Array, Array]:
        """How far the inputs and outputs of the oracles move when the state moves by 1, at most; both of shape (m,).

        An estimate of numerical errors: an output that is not Lipschitz continuous counts at its largest gain.
        """

    def project(self, j: int, dx: Array) -> Array:
        """The input ``C_j dx`` of an oracle that is evaluated at ``y_j = C_j x``."""

    def trim(self, j: int, signal: Array) -> Array:
        """The entries of a signal of oracle j: where dimensions differ, rows of y and u are filled up with zeros."""


@dataclass(frozen=True, slots=True, eq=False)
class LureLoop:
    """A `LureSystem` on states of shape (n, d); in discrete time A is that of the increment, ``A - I``."""

    system: LureSystem
    members: tuple[Member, ...]
    dimension: int
    A: Array
    B: Array
    C: Array
    D: Array
    N: Array | None = None

    @property
    def state_shape(self) -> tuple[int, ...]:
        """(n, d)."""
        return len(self.A), self.dimension

    def evaluate(self, x: Array) -> Evaluation:
        """Oracles in order, each at its explicit point or its prox point."""
        m = len(self.members)
        u, y = np.zeros((m, self.dimension)), self.C @ x
        for j, member in enumerate(self.members):
            step = -float(self.D[j, j])
            y[j] += self.D[j, :j] @ u[:j]
            if step > 0:
                point = member.prox(y[j], step)
                u[j] = (y[j] - point) / step
                y[j] = point
            else:
                u[j] = member.gradient(y[j])
        return self.A @ x + self.B @ u, y, u

    def drift(self, x: Array, t: float) -> Array | float:
        """``N x / t``."""
        return 0.0 if self.N is None else np.asarray(self.N @ x / t)

    def measure_terms(self, x: Array, u: Array) -> float:
        """Norm of ``|A| |x| + |B| |u|``."""
        return float(np.linalg.norm(np.abs(self.A) @ np.abs(x) + np.abs(self.B) @ np.abs(u)))

    def measure_reach(self) -> tuple[Array, Array]:
        """Gains along the order of evaluation: a prox is nonexpansive, and its output moves by at most 1/step."""
        inputs, outputs = np.zeros(len(self.members)), np.zeros(len(self.members))
        for j, member in enumerate(self.members):
            fed = np.flatnonzero(self.D[j, :j])
            inputs[j] = np.linalg.norm(self.C[j]) + np.abs(self.D[j, fed]) @ outputs[fed]
            step = -self.D[j, j]
            outputs[j] = inputs[j] * (1 / step if step > 0 else measure_gain(member))
        return inputs, outputs

    def project(self, j: int, dx: Array) -> Array:
        """``C_j dx``."""
        return np.asarray(self.C[j] @ dx)

    def trim(self, j: int, signal: Array) -> Array:
        """All of it."""
        return signal


def to_array(m: Matrix) -> Array:
    """An exact matrix in floating point.

    Raises
    ------
    SimulationError
        If an entry is beyond the range of floats.
    """
    try:
        return np.array([[float(v) for v in row] for row in m], dtype=np.float64)
    except OverflowError:
        raise SimulationError("a number is too large for floating point, so this cannot be simulated") from None


def close_loop(
    system: System, members: Sequence[Member], *, offset: ArrayLike | None = None, dimension: int | None = None
) -> Loop:
    """Close a system with concrete members.

    Parameters
    ----------
    system : LureSystem, StackedSystem, PrimalDualSystem, PrimalDualIteration, ProximalLagrangianSystem or SaddleSystem
        In continuous or discrete time; with its operator, if it has one.
    members : sequence of Member
        One per oracle, each of a class that is contained in the declared one; oracles of one group share theirs.
    offset : array_like, shape (m,), optional
        Right side b of the constraint of a `PrimalDualSystem`; 0 by default.
    dimension : int, optional
        The dimension d of the signals, where no member has one.

    Raises
    ------
    DimensionError
        If dimensions do not agree, or none is known.
    InvalidModelError
        If a member does not belong, or oracles of one group have different members.
    """
    known = (
        LureSystem | StackedSystem | PrimalDualSystem | PrimalDualIteration | ProximalLagrangianSystem | SaddleSystem
    )
    if not isinstance(system, known):
        raise InvalidModelError(
            "system must be a LureSystem, a StackedSystem, a PrimalDualSystem, a PrimalDualIteration, a "
            f"ProximalLagrangianSystem or a SaddleSystem, got {type(system).__name__}"
        )
    chosen = check_members(system, members)
    if isinstance(system, PrimalDualSystem):
        return _close_primal_dual(system, chosen, offset, common_dimension(system, chosen))
    if offset is not None:
        kind = type(system).__name__
        raise InvalidModelError(f"offset is the right side of a PrimalDualSystem; a {kind} has none, got one")
    if isinstance(system, PrimalDualIteration):
        return close_iteration(system, chosen)
    if isinstance(system, ProximalLagrangianSystem | SaddleSystem):
        return _close_modal(system, chosen)
    if isinstance(system, StackedSystem):
        check_stack(system, chosen)
        return StackedLoop(system, chosen, *(to_array(part) for part in (system.A, system.B, system.C)))
    size = common_dimension(system, chosen)
    if size is not None and dimension not in (None, size):
        raise DimensionError(f"the state must have the dimension d = {size} of the members, got d = {dimension}")
    size = dimension if size is None else size
    if size is None:
        raise DimensionError("the dimension d must be known, but no member has one. Pass a guess of shape (n, d).")
    drift = system.A if system.dt == 0 else add(system.A, scale(Fraction(-1), identity(len(system.A))))
    n, m = system.shape
    A, B, C, D = (to_array(part) for part in (drift, system.B, system.C, system.D))
    C, D = C.reshape(m, n), D.reshape(m, m)  # matrices without rows have no columns either
    return LureLoop(system, chosen, size, A, B, C, D, to_array(system.N) if system.is_time_varying else None)


def _close_modal(
    system: ProximalLagrangianSystem | SaddleSystem, members: tuple[Member, ...]
) -> ProximalLagrangianLoop | SaddleLoop:
    operator = read_operator(system)
    check_dimensions(members, operator)
    K, h = to_array(operator), float(system.step or 1)
    if isinstance(system, SaddleSystem):
        return SaddleLoop(system, members, K, float(system.dual_gain), h)
    return ProximalLagrangianLoop(system, members, K, float(system.penalty), h)


def _close_primal_dual(
    system: PrimalDualSystem, members: tuple[Member, ...], offset: ArrayLike | None, known: int | None
) -> PrimalDualLoop:
    m, n = shape(system.constraint)
    if known not in (None, n):
        raise DimensionError(f"the member must have dimension {n}, one per column of the constraint, got {known}")
    b = np.zeros(m) if offset is None else read_data(offset, name="offset", ndim=1)
    if b.shape != (m,):
        raise DimensionError(f"offset must have shape ({m},), one entry per row of the constraint, got {b.shape}")
    E = to_array(system.constraint)
    if system.is_deficient:
        left = np.linalg.svd(E)[0][:, system.rank :]
        lost = float(np.linalg.norm(left.T @ b))
        if lost > _CONSISTENT * float(np.linalg.norm(b)):
            raise InvalidModelError(
                f"offset must leave E x = b a solution, but its distance from the range of E is {lost:.3g}: the dual "
                "variable grows without bound. See check_consistency; x moves as for the projection of b."
            )
    numbers = (float(v) for v in (system.dual_gain, system.augmentation, system.step or 1))
    return PrimalDualLoop(system, members, E, b, *numbers)


def read_state(system: System, values: ArrayLike, *, name: str) -> Array:
    """A state as an array of shape (n, d), or (n + m,) for a primal-dual system or iteration; d is free here.

    Raises
    ------
    DimensionError
        If the shape is not that of a state.
    InvalidModelError
        If an entry is not a finite number.
    """
    if isinstance(system, PrimalDualIteration | ProximalLagrangianSystem | SaddleSystem):
        read_operator(system)
    n = system.shape[0]
    given = np.ndim(values)
    if isinstance(system, StackedSystem):
        column = read_data(values, name=name, ndim=1)[:, None] if given == 1 else read_data(values, name=name, ndim=2)
        if column.shape != (n, 1):
            raise DimensionError(f"{name} must have shape ({n},), one entry per state, got {np.shape(values)}")
        return column
    if not isinstance(system, LureSystem):
        state = read_data(values, name=name, ndim=1) if given == 1 else None
        if state is None or state.shape != (n,):
            flat = "(x, lambda)" if isinstance(system, PrimalDualSystem) else "(x, y)"
            raise DimensionError(f"{name} must have shape ({n},), the flat state {flat}, got {np.shape(values)}")
        return state
    if given == 1 and n == 1:
        return read_data(values, name=name, ndim=1)[None, :]
    state = read_data(values, name=name, ndim=2) if given == 2 else None
    if state is None or state.shape[0] != n:
        also = " or (d,)" if n == 1 else ""
        raise DimensionError(f"{name} must have shape ({n}, d){also}, one row per state, got {np.shape(values)}")
    return state
