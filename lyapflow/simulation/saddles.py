"""Flows towards a saddle point with their matrices in floating point: primal-dual systems on flat states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..dynamics import PrimalDualSystem, ProximalLagrangianSystem, SaddleSystem
from ..members.protocol import Array, Member

__all__ = ["PrimalDualLoop", "ProximalLagrangianLoop", "SaddleLoop", "find_idle_part", "measure_gain"]


@dataclass(frozen=True, slots=True, eq=False)
class PrimalDualLoop:
    """A `PrimalDualSystem` with a right side b, on flat states (x, lambda); `step` is 1 for the flow."""

    system: PrimalDualSystem
    members: tuple[Member, ...]
    E: Array
    b: Array
    dual_gain: float
    augmentation: float
    step: float

    @property
    def state_shape(self) -> tuple[int, ...]:
        """(n + m,)."""
        return (sum(self.E.shape),)

    def evaluate(self, x: Array) -> tuple[Array, Array, Array]:
        """The saddle-point flow, or the change in a step."""
        n = self.E.shape[1]
        primal, dual = x[:n], x[n:]
        u = self.members[0].gradient(primal)
        error = self.E @ primal - self.b
        dx = -u - self.E.T @ (dual + self.augmentation * error)
        return self.step * np.concatenate([dx, self.dual_gain * error]), primal[None, :], u[None, :]

    def drift(self, x: Array, t: float) -> Array | float:
        """Nothing varies."""
        return 0.0

    def measure_terms(self, x: Array, u: Array) -> float:
        """Norm of the sum of the absolute values of all terms."""
        n, E = self.E.shape[1], np.abs(self.E)
        primal, dual = np.abs(x[:n]), np.abs(x[n:])
        error = E @ primal + np.abs(self.b)
        top = np.abs(u[0]) + E.T @ (dual + self.augmentation * error)
        return self.step * float(np.hypot(np.linalg.norm(top), self.dual_gain * np.linalg.norm(error)))

    def measure_reach(self) -> tuple[Array, Array]:
        """The input is a part of the state."""
        return np.ones(1), np.array([measure_gain(self.members[0])])

    def project(self, j: int, dx: Array) -> Array:
        """The primal part."""
        return dx[: self.E.shape[1]]

    def trim(self, j: int, signal: Array) -> Array:
        """All of it."""
        return signal


@dataclass(frozen=True, slots=True, eq=False)
class ProximalLagrangianLoop:
    """A `ProximalLagrangianSystem` on flat states (x, y); `step` is 1 for the flow."""

    system: ProximalLagrangianSystem
    members: tuple[Member, ...]
    T: Array
    penalty: float
    step: float

    @property
    def state_shape(self) -> tuple[int, ...]:
        """(n + m,)."""
        return (sum(self.T.shape),)

    def evaluate(self, x: Array) -> tuple[Array, Array, Array]:
        """The gradient of f, and that of the Moreau envelope by a prox step of g."""
        m, n = self.T.shape
        primal, dual = x[:n], x[n:]
        f, g = self.members
        image = self.T @ primal
        point = image + self.penalty * dual
        inside = g.prox(point, self.penalty)
        y, u = np.zeros((2, 2, n))
        y[0], u[0] = primal, f.gradient(primal)
        y[1, :m], u[1, :m] = inside, (point - inside) / self.penalty
        return self.step * np.concatenate([-u[0] - self.T.T @ u[1, :m], image - inside]), y, u

    def drift(self, x: Array, t: float) -> Array | float:
        """Nothing varies."""
        return 0.0

    def measure_terms(self, x: Array, u: Array) -> float:
        """Norm of the sum of the absolute values of all terms."""
        m, n = self.T.shape
        outer = np.abs(u[1, :m])
        top = np.abs(u[0]) + np.abs(self.T.T) @ outer
        low = self.penalty * (outer + np.abs(x[n:]))
        return self.step * float(np.hypot(np.linalg.norm(top), np.linalg.norm(low)))

    def measure_reach(self) -> tuple[Array, Array]:
        """The first input is a part of the state; a prox is nonexpansive, and its output moves by at most 1/penalty."""
        reach = float(np.hypot(np.linalg.norm(self.T, 2), self.penalty))
        return np.array([1.0, reach]), np.array([measure_gain(self.members[0]), reach / self.penalty])

    def project(self, j: int, dx: Array) -> Array:
        """The primal part: f is evaluated there."""
        return dx[: self.T.shape[1]]

    def trim(self, j: int, signal: Array) -> Array:
        """The first n entries, or m."""
        return signal[: self.T.shape[1 - j]]


@dataclass(frozen=True, slots=True, eq=False)
class SaddleLoop:
    """A `SaddleSystem` with an operator, on flat states (x, y); `step` is 1 for the flow."""

    system: SaddleSystem
    members: tuple[Member, ...]
    E: Array
    dual_gain: float
    step: float

    @property
    def state_shape(self) -> tuple[int, ...]:
        """(n + m,)."""
        return (sum(self.E.shape),)

    def evaluate(self, x: Array) -> tuple[Array, Array, Array]:
        """Descent in x and ascent in y, or the change in a step."""
        m, n = self.E.shape
        primal, dual = x[:n], x[n:]
        y, u = np.zeros((2, 2, max(n, m)))
        y[0, :n], u[0, :n] = primal, self.members[0].gradient(primal)
        y[1, :m], u[1, :m] = dual, self.members[1].gradient(dual)
        descent, ascent = -u[0, :n] - self.E.T @ dual, self.E @ primal - u[1, :m]
        return self.step * np.concatenate([descent, self.dual_gain * ascent]), y, u

    def drift(self, x: Array, t: float) -> Array | float:
        """Nothing varies."""
        return 0.0

    def measure_terms(self, x: Array, u: Array) -> float:
        """Norm of the sum of the absolute values of all terms."""
        m, n = self.E.shape
        E, size = np.abs(self.E), np.abs(x)
        top, low = np.abs(u[0, :n]) + E.T @ size[n:], np.abs(u[1, :m]) + E @ size[:n]
        return self.step * float(np.hypot(np.linalg.norm(top), self.dual_gain * np.linalg.norm(low)))

    def measure_reach(self) -> tuple[Array, Array]:
        """The inputs are parts of the state."""
        return np.ones(2), np.array([measure_gain(member) for member in self.members])

    def project(self, j: int, dx: Array) -> Array:
        """The primal part, or the dual one."""
        n = self.E.shape[1]
        return dx[n:] if j else dx[:n]

    def trim(self, j: int, signal: Array) -> Array:
        """The first n entries, or m."""
        return signal[: self.E.shape[1 - j]]


def find_idle_part(system: object, x: Array) -> Array:
    """The part of a state that never moves: dual variables in the null space of E', where rows are dependent."""
    found = np.zeros_like(x)
    if isinstance(system, PrimalDualSystem) and system.is_deficient:
        E = np.array([[float(v) for v in row] for row in system.constraint])
        left = np.linalg.svd(E)[0][:, system.rank :]
        found[E.shape[1] :] = left @ (left.T @ x[E.shape[1] :])
    return found


def measure_gain(member: Member) -> float:
    """The largest gain of a linear member of its class."""
    bounds = member.operator_class.linear_members()
    ends = [abs(float(end)) for end in (bounds.lower, bounds.upper) if end is not None]
    return np.inf if bounds.upper is None else max(ends)
