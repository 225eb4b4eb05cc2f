"""Systems with a linear operator in floating point: steps of a `PrimalDualIteration`, V, operators in an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from ..certificates import Certificate
from ..dynamics import PrimalDualIteration, PrimalDualSystem, ProximalLagrangianSystem, SaddleSystem, System
from ..dynamics.singular import holds_all
from ..errors import DimensionError, InvalidModelError
from ..exact.matrices import Matrix, add, identity, multiply, rank, scale, shape, symmetric_product
from ..members.protocol import Array, Member

__all__ = [
    "IterationLoop",
    "check_dimensions",
    "close_iteration",
    "draw_operator",
    "find_operator",
    "fits",
    "read_operator",
    "split_modes",
]


Known: TypeAlias = PrimalDualIteration | ProximalLagrangianSystem | SaddleSystem
"""Systems that may know an interval of singular values in place of the operator."""


@dataclass(frozen=True, slots=True, eq=False)
class IterationLoop:
    """A `PrimalDualIteration` with an operator, on flat states (x, y)."""

    system: PrimalDualIteration
    members: tuple[Member, ...]
    K: Array
    tau: float
    sigma: float
    theta: float

    @property
    def state_shape(self) -> tuple[int, ...]:
        """(n + m,)."""
        return (sum(self.K.shape),)

    def evaluate(self, x: Array) -> tuple[Array, Array, Array]:
        """One step: the prox of f, and by Moreau's identity that of g instead of its conjugate."""
        m, n = self.K.shape
        primal, dual = x[:n], x[n:]
        f, g = self.members
        pulled = self.K.T @ dual
        after = f.prox(primal - self.tau * pulled, self.tau)
        dx = after - primal
        point = dual / self.sigma + self.K @ (after + self.theta * dx)
        inside = g.prox(point, 1 / self.sigma)
        y, u = np.zeros((2, 2, max(n, m)))
        y[0, :n], u[0, :n] = after, -dx / self.tau - pulled
        y[1, :m], u[1, :m] = inside, self.sigma * (point - inside)
        return np.concatenate([dx, u[1, :m] - dual]), y, u

    def drift(self, x: Array, t: float) -> Array | float:
        """Nothing varies."""
        return 0.0

    def measure_terms(self, x: Array, u: Array) -> float:
        """Norm of the sum of the absolute values of all terms."""
        m, n = self.K.shape
        dual = np.abs(x[n:])
        top = self.tau * (np.abs(u[0, :n]) + np.abs(self.K.T) @ dual)
        return float(np.hypot(np.linalg.norm(top), np.linalg.norm(np.abs(u[1, :m]) + dual)))

    def measure_reach(self) -> tuple[Array, Array]:
        """Gains along the order of evaluation: a prox is nonexpansive, and its output moves by at most 1/step."""
        size = float(np.linalg.norm(self.K, 2))
        first = float(np.hypot(1, self.tau * size))
        second = size * ((1 + self.theta) * first + self.theta) + 1 / self.sigma
        return np.array([first, second]), np.array([first / self.tau, second * self.sigma])

    def project(self, j: int, dx: Array) -> Array:
        """No oracle is evaluated at a part of the state; the primal part, or the dual one."""
        n = self.K.shape[1]
        return dx[n:] if j else dx[:n]

    def trim(self, j: int, signal: Array) -> Array:
        """The first n entries, or m."""
        return signal[: self.K.shape[1 - j]]


def close_iteration(system: PrimalDualIteration, members: tuple[Member, ...]) -> IterationLoop:
    """Close an iteration with members of its classes, and of the dimensions of its operator."""
    K = read_operator(system)
    check_dimensions(members, K)
    steps = (float(v) for v in (system.step_primal, system.step_dual, system.extrapolation))
    return IterationLoop(system, members, np.array(K, dtype=np.float64), *steps)


def check_dimensions(members: tuple[Member, ...], operator: Matrix) -> None:
    """Whether members for f and g have the dimensions of an operator between their arguments."""
    m, n = shape(operator)
    for name, member, size, what in zip("fg", members, (n, m), ("column", "row"), strict=True):
        if member.dimension not in (None, size):
            raise DimensionError(
                f"the member for oracle {name} must have dimension {size}, one per {what} of the operator, got "
                f"{member.dimension}"
            )


def find_operator(system: System) -> Matrix | None:
    """The linear operator of a system; None if it has none, or none is known."""
    if isinstance(system, PrimalDualIteration | ProximalLagrangianSystem | SaddleSystem):
        return system.operator
    return system.constraint if isinstance(system, PrimalDualSystem) else None


def read_operator(system: PrimalDualIteration | ProximalLagrangianSystem | SaddleSystem) -> Matrix:
    """The operator; an error where only an interval of its singular values is known."""
    if system.operator is None:
        raise InvalidModelError(
            "a simulation needs the operator K, but the system knows an interval of its singular values only. Make the "
            "same system with a matrix; certificates of this one cover it."
        )
    return system.operator


def fits(subject: System, simulated: System) -> bool:
    """Whether a theorem about one speaks of the operator of the other: the same one, or one in its intervals."""
    known, K = find_operator(subject), find_operator(simulated)
    if known is not None or K is None:
        return known == K
    if not isinstance(subject, PrimalDualIteration | ProximalLagrangianSystem | SaddleSystem):
        return False
    if not any(map(any, K)) or not holds_all(K, subject.intervals):
        return False
    m, n = shape(K)
    r = rank(K)
    if subject.intervals[0][0] == 0:
        return True
    if isinstance(subject, PrimalDualIteration):
        return m == r == n
    return m == r or isinstance(simulated, PrimalDualSystem)


def split_modes(certificate: Certificate, operator: Matrix) -> tuple[tuple[Array, Array], ...]:
    """Storage matrices with the coordinates they act on: ``(v'x, u'y)`` with singular vectors of the operator."""
    system = certificate.system
    if not isinstance(system, PrimalDualIteration | ProximalLagrangianSystem | SaddleSystem):
        raise TypeError("internal error: no system with an operator")
    m, n = shape(operator)
    r = rank(operator)
    left, singular, right = np.linalg.svd(np.array(operator, dtype=np.float64))
    forms = {label: np.array(P, dtype=np.float64) for label, P in certificate.storage.items()}
    found = []
    for k in range(r):
        basis = np.zeros((2, 1, n + m))
        basis[0, 0, :n], basis[1, 0, n:] = right[k], left[:, k]
        found.append((basis, _interpolate(system, forms, float(singular[k]))))
    is_constraint = isinstance(system, SaddleSystem) and system.g is None  # V says nothing of idle dual variables
    for label, i, vectors in (("null primal", 0, right[r:]), ("null dual", 1, left[:, r:].T)):
        if len(vectors) and not (i and is_constraint):
            P = forms[label] if label in forms else _interpolate(system, forms, 0.0)[i : i + 1, i : i + 1]
            basis = np.zeros((1, len(vectors), n + m))
            basis[0, :, slice(0, n) if i == 0 else slice(n, None)] = vectors
            found.append((basis, P))
    return tuple(found)


def _interpolate(
    system: PrimalDualIteration | ProximalLagrangianSystem | SaddleSystem, forms: Mapping[str, Array], s: float
) -> Array:
    """The storage matrix at a singular value, affine in it inside an interval."""
    outside = [max(float(low) - s, s - float(high)) for low, high in system.intervals]
    k = int(np.argmin(outside))
    low, high = map(float, system.intervals[k])
    if f"sigma{k + 1}" in forms:
        return forms[f"sigma{k + 1}"]
    t = float(np.clip((s - low) / (high - low), 0, 1))
    return np.asarray((1 - t) * forms[f"sigma{k + 1} low"] + t * forms[f"sigma{k + 1} high"])


def draw_operator(system: Known, size: int, rng: np.random.Generator) -> Known | PrimalDualSystem:
    """The system with a random operator whose singular values, exactly, lie in its intervals.

    It is square for an iteration, and else often wide; a constraint has dependent rows now and then.
    """
    low, high = system.intervals[0][0], system.intervals[-1][1]
    values = [low + (high - low) * Fraction(int(k), 8) for k in rng.permutation([0, 8])[: size - 1]]
    values += [_draw_value(system.intervals, rng) for _ in range(size - len(values))]
    K: Matrix = tuple(tuple(s if i == j else Fraction(0) for j in range(size)) for i, s in enumerate(values))
    if not isinstance(system, PrimalDualIteration):
        K = tuple(row + (Fraction(0),) * extra for extra in [int(rng.integers(3))] for row in K)
        if isinstance(system, SaddleSystem) and system.g is None and rng.random() < 0.3:
            K = (*K, (Fraction(0),) * len(K[0]))
    for _ in range(2):  # a reflection on each side, with rational entries
        v = tuple(Fraction(int(entry)) for entry in rng.integers(1, 5, size=len(K)))
        turn = add(identity(len(K)), scale(Fraction(-2) / sum(a * a for a in v), symmetric_product(v, v)))
        K = tuple(zip(*multiply(turn, K), strict=True))
    if not any(map(any, K)):
        return draw_operator(system, size, rng)
    return _with_operator(system, K)


def _draw_value(intervals: tuple[tuple[Fraction, Fraction], ...], rng: np.random.Generator) -> Fraction:
    low, high = intervals[int(rng.integers(len(intervals)))]
    return low + (high - low) * Fraction(int(rng.integers(9)), 8)


def _with_operator(system: Known, K: Matrix) -> Known | PrimalDualSystem:
    """The same system for one operator."""
    if isinstance(system, PrimalDualIteration):
        return PrimalDualIteration(
            system.f,
            system.g,
            step_primal=system.step_primal,
            step_dual=system.step_dual,
            extrapolation=system.extrapolation,
            operator=K,
            name=system.name,
        )
    if isinstance(system, ProximalLagrangianSystem):
        return ProximalLagrangianSystem(
            system.f, system.g, penalty=system.penalty, operator=K, step=system.step, name=system.name
        )
    if system.g is None:
        return PrimalDualSystem(
            system.f,
            K,
            dual_gain=system.dual_gain,
            augmentation=system.augmentation,
            step=system.step,
            name=system.name,
        )
    return SaddleSystem(system.f, system.g, dual_gain=system.dual_gain, operator=K, step=system.step, name=system.name)
