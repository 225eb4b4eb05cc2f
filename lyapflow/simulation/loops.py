"""A system closed with concrete members, in floating point: what integrators and root finders see.

`close_loop` checks the members against the system; everything behind it trusts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ..classes.curvature import read_data
from ..classes.inequalities import OperatorClass
from ..dynamics import LureSystem, PrimalDualSystem, System
from ..errors import DimensionError, InvalidModelError
from ..exact.matrices import Matrix, shape
from ..members.protocol import Array, Member
from .membership import contains

__all__ = [
    "Array",
    "Loop",
    "LureLoop",
    "PrimalDualLoop",
    "belongs",
    "close_loop",
    "read_state",
    "to_array",
]

Evaluation: TypeAlias = tuple[Array, Array, Array]
"""Time derivative of the state, inputs y and outputs u of the oracles."""


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
        """Time derivative and signals at a state, both of `state_shape`."""

    def measure_terms(self, x: Array, u: Array) -> float:
        """Size of the terms that add up to the time derivative."""

    def project(self, j: int, dx: Array) -> Array:
        """The input ``C_j dx`` of an oracle that is evaluated at ``y_j = C_j x``."""


@dataclass(frozen=True, slots=True, eq=False)
class LureLoop:
    """A `LureSystem` on states of shape (n, d)."""

    system: LureSystem
    members: tuple[Member, ...]
    dimension: int
    A: Array
    B: Array
    C: Array
    D: Array

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

    def measure_terms(self, x: Array, u: Array) -> float:
        """Norm of ``|A| |x| + |B| |u|``."""
        return float(np.linalg.norm(np.abs(self.A) @ np.abs(x) + np.abs(self.B) @ np.abs(u)))

    def project(self, j: int, dx: Array) -> Array:
        """``C_j dx``."""
        return np.asarray(self.C[j] @ dx)


@dataclass(frozen=True, slots=True, eq=False)
class PrimalDualLoop:
    """A `PrimalDualSystem` with a right side b, on flat states (x, lambda)."""

    system: PrimalDualSystem
    members: tuple[Member, ...]
    E: Array
    b: Array
    dual_gain: float
    augmentation: float

    @property
    def state_shape(self) -> tuple[int, ...]:
        """(n + m,)."""
        return (sum(self.E.shape),)

    def evaluate(self, x: Array) -> Evaluation:
        """The saddle-point flow."""
        n = self.E.shape[1]
        primal, dual = x[:n], x[n:]
        u = self.members[0].gradient(primal)
        error = self.E @ primal - self.b
        dx = -u - self.E.T @ (dual + self.augmentation * error)
        return np.concatenate([dx, self.dual_gain * error]), primal[None, :], u[None, :]

    def measure_terms(self, x: Array, u: Array) -> float:
        """Norm of the sum of the absolute values of all terms."""
        n, E = self.E.shape[1], np.abs(self.E)
        primal, dual = np.abs(x[:n]), np.abs(x[n:])
        error = E @ primal + np.abs(self.b)
        top = np.abs(u[0]) + E.T @ (dual + self.augmentation * error)
        return float(np.hypot(np.linalg.norm(top), self.dual_gain * np.linalg.norm(error)))

    def project(self, j: int, dx: Array) -> Array:
        """The primal part."""
        return dx[: self.E.shape[1]]


def to_array(m: Matrix) -> Array:
    """An exact matrix in floating point."""
    return np.array([[float(v) for v in row] for row in m], dtype=np.float64)


def close_loop(
    system: System, members: Sequence[Member], *, offset: ArrayLike | None = None, dimension: int | None = None
) -> Loop:
    """Close a system with concrete members.

    Parameters
    ----------
    system : LureSystem or PrimalDualSystem
        In continuous time.
    members : sequence of Member
        One per oracle, each of a class that is contained in the declared one.
    offset : array_like, shape (m,), optional
        Right side b of the constraint of a `PrimalDualSystem`; 0 by default.
    dimension : int, optional
        The dimension d of the signals, where no member has one.

    Raises
    ------
    DimensionError
        If dimensions do not agree, or none is known.
    InvalidModelError
        If the system is not in continuous time, or a member does not belong.
    """
    if not isinstance(system, LureSystem | PrimalDualSystem):
        raise InvalidModelError(f"system must be a LureSystem or a PrimalDualSystem, got {type(system).__name__}")
    if system.dt != 0:
        raise InvalidModelError(f"a simulation needs continuous time (dt = 0), got dt = {system.dt}")
    chosen = _check_members(system, members)
    known = _common_dimension(system, chosen)
    if isinstance(system, PrimalDualSystem):
        return _close_primal_dual(system, chosen, offset, known)
    if offset is not None:
        raise InvalidModelError("offset is the right side of a PrimalDualSystem; a LureSystem has none, got one")
    if known is not None and dimension not in (None, known):
        raise DimensionError(f"the state must have the dimension d = {known} of the members, got d = {dimension}")
    size = dimension if known is None else known
    if size is None:
        raise DimensionError("the dimension d must be known, but no member has one. Pass a guess of shape (n, d).")
    A, B, C, D = (to_array(m) for m in (system.A, system.B, system.C, system.D))
    return LureLoop(system, chosen, size, A, B, C, D)


def _close_primal_dual(
    system: PrimalDualSystem, members: tuple[Member, ...], offset: ArrayLike | None, known: int | None
) -> PrimalDualLoop:
    m, n = shape(system.constraint)
    if known not in (None, n):
        raise DimensionError(f"the member must have dimension {n}, one per column of the constraint, got {known}")
    b = np.zeros(m) if offset is None else read_data(offset, name="offset", ndim=1)
    if b.shape != (m,):
        raise DimensionError(f"offset must have shape ({m},), one entry per row of the constraint, got {b.shape}")
    return PrimalDualLoop(
        system, members, to_array(system.constraint), b, float(system.dual_gain), float(system.augmentation)
    )


def _check_members(system: System, members: Sequence[Member]) -> tuple[Member, ...]:
    if isinstance(members, Member) or not isinstance(members, Sequence):
        raise InvalidModelError(f"members must be a sequence of members, got {members!r}. Pass [{members!r}].")
    if len(members) != len(system.oracles):
        raise DimensionError(
            f"members must hold one member per oracle ({', '.join(system.oracle_names)}), got {len(members)}"
        )
    for name, declared, member in zip(system.oracle_names, system.oracles, members, strict=True):
        if isinstance(member, type) or not isinstance(member, Member):
            raise InvalidModelError(f"the member for oracle {name} must be one such as SquaredNorm(1), got {member!r}")
        if not belongs(declared, member):
            raise InvalidModelError(
                f"the member for oracle {name} must belong to {declared!r}, and its class {member.operator_class!r} is "
                "not known to be contained in it. If it does belong, say so with Declared(member, operator_class)."
            )
    return tuple(members)


def belongs(declared: OperatorClass, member: Member) -> bool:
    """Whether a member is known to belong to a class: by its own class, or because it can decide that itself."""
    decide = getattr(member, "belongs_to", None)
    return contains(declared, member.operator_class) or (callable(decide) and bool(decide(declared)))


def _common_dimension(system: System, members: tuple[Member, ...]) -> int | None:
    found = {m.dimension: name for name, m in zip(system.oracle_names, members, strict=True) if m.dimension is not None}
    if len(found) > 1:
        given = ", ".join(f"{name}: {d}" for d, name in found.items())
        raise DimensionError(f"members must have one dimension, got {given}")
    return next(iter(found), None)


def read_state(system: System, values: ArrayLike, *, name: str) -> Array:
    """A state as an array of shape (n, d), or (n + m,) for a primal-dual system; d is free here.

    Raises
    ------
    DimensionError
        If the shape is not that of a state.
    InvalidModelError
        If an entry is not a finite number.
    """
    n = system.shape[0]
    given = np.ndim(values)
    if isinstance(system, PrimalDualSystem):
        state = read_data(values, name=name, ndim=1) if given == 1 else None
        if state is None or state.shape != (n,):
            raise DimensionError(f"{name} must have shape ({n},), the flat state (x, lambda), got {np.shape(values)}")
        return state
    if given == 1 and n == 1:
        return read_data(values, name=name, ndim=1)[None, :]
    state = read_data(values, name=name, ndim=2) if given == 2 else None
    if state is None or state.shape[0] != n:
        also = " or (d,)" if n == 1 else ""
        raise DimensionError(f"{name} must have shape ({n}, d){also}, one row per state, got {np.shape(values)}")
    return state
