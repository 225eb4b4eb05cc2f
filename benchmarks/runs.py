"""An attempt to refute a proof by a run: V, as the certificate defines it, along random members from a random start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import lyapflow as lf
from lyapflow.lmi.signals import output_oracles
from lyapflow.simulation.equilibria import read_equilibrium
from lyapflow.simulation.loops import close_loop
from lyapflow.simulation.storage import make_storage

__all__ = ["attack_by_run"]

_VISITS = 40
_ROUNDING = 1e-11  # of the sum of the terms of V
_NOISE = 1e-14  # of the same sum at the start and at states of size one: below it nothing is seen
_PLANE = 2
_STEP = 1e-5  # of the state, to either side along the flow: for the derivatives of outputs
_DIFFERENCE = 1e-6  # what a difference over such a step is accurate to, of the sum of its terms

Array = np.ndarray


def attack_by_run(certificate: lf.Certificate, rng: np.random.Generator) -> str | None:
    """V along a run of random members from a random start: what fails there, or None.

    In continuous time the derivative of V is formed at each visited state from the right-hand side, so the error of an
    integrator has no part in the verdict. Outputs in V are differentiated along the flow by a central difference: at a
    kink it is a mean of the derivatives of both sides, and the decrease is linear in them.
    """
    if isinstance(certificate.system, lf.PrimalDualSystem):
        return _attack_primal_dual(certificate, rng)
    run = _Run.draw(certificate, rng)
    x = rng.normal(size=(len(run.A), _PLANE)) * 10 ** rng.uniform(-2, 2)
    here = run.look(x)
    noise = _NOISE * (here.size + run.measure_values())
    for k in range(_VISITS):
        if float(np.sum(x * x)) > here.V + _ROUNDING * here.size + noise:
            return f"|x|^2 <= V fails at step {k}: {np.sum(x * x)} > {here.V}"
        if certificate.system.dt:
            x = here.moved
            there = run.look(x)
            limit = float(certificate.factor) ** 2 * here.V
            if there.V - limit > _ROUNDING * (here.size + there.size) + noise:
                return f"V+ <= factor^2 V fails at step {k}: {there.V} > {limit}"
        else:
            rate = float(certificate.rate)
            if here.slope > -2 * rate * here.V + _ROUNDING * (here.slope_size + 2 * rate * here.size) + rate * noise:
                return f"V' <= -2 rate V fails at state {k}: {here.slope} > {-2 * rate * here.V}"
            speed = float(np.linalg.norm(here.moved))
            x = x + here.moved * (0.1 * float(np.linalg.norm(x)) / speed if speed else 0.0)
            there = run.look(x)
        here = there
    return None


def _attack_primal_dual(certificate: lf.Certificate, rng: np.random.Generator) -> str | None:
    """The growth rate of V at states of a run, by the library's own V: one storage matrix per singular value."""
    system, rate = certificate.system, float(certificate.rate)
    member = lf.members.random_member(system.oracle, len(system.constraint[0]), rng, centred=True)
    loop = close_loop(system, [member])
    storage = make_storage(certificate, loop, read_equilibrium(loop, np.zeros(loop.state_shape)))
    x = rng.normal(size=loop.state_shape) * 10 ** rng.uniform(-2, 2)
    for k in range(_VISITS):
        moved = loop.evaluate(x)[0]
        growth, speed = storage.measure_growth(x), float(np.linalg.norm(moved) / np.linalg.norm(x))
        if growth > -2 * rate + 100 * _ROUNDING * speed:
            return f"V' <= -2 rate V fails at state {k}: V'/V = {growth} > {-2 * rate}"
        x = x + moved * (0.1 / speed if speed else 0.0)
    return None


def _narrow(oracle: object) -> object:
    """A class whose members have gradients, inside one that is evaluated explicitly."""
    return lf.SmoothStronglyConvex(oracle.mu, 50 * oracle.mu) if isinstance(oracle, lf.StronglyConvex) else oracle


@dataclass(frozen=True, kw_only=True)
class _Look:
    """V and its derivative at a state, the sizes of the terms that add up to them, and A x + B u."""

    V: float
    size: float
    slope: float
    slope_size: float
    moved: Array


@dataclass(frozen=True, kw_only=True)
class _Run:
    """A certified system with members whose equilibrium is the origin, in floating point."""

    A: Array
    B: Array
    C: Array
    D: Array
    P: Array
    members: tuple[lf.members.Member, ...]
    weights: tuple[tuple[int, float], ...]
    outputs: list[int]
    continuous: bool

    @staticmethod
    def draw(certificate: lf.Certificate, rng: np.random.Generator) -> _Run:
        system = certificate.system
        of_group = {
            group: lf.members.random_member(
                _narrow(oracle) if not system.D[j][j] else oracle, _PLANE, rng, centred=True
            )
            for j, (group, oracle) in enumerate(zip(system.groups, system.oracles, strict=True))
        }
        A, B, C, D, P = (np.array(m, dtype=float) for m in (system.A, system.B, system.C, system.D, certificate.P))
        weights = tuple((system.oracle_names.index(n), float(w)) for n, w in certificate.value_weights.items() if w)
        return _Run(
            A=A,
            B=B,
            C=C,
            D=D,
            P=P,
            members=tuple(of_group[g] for g in system.groups),
            weights=weights,
            outputs=list(output_oracles(system, certificate.template)),
            continuous=not system.dt,
        )

    def measure_values(self) -> float:
        """Size of the values at inputs of size one, where members have their offsets: what cancels in a small value."""
        ends = (end * direction for direction in np.eye(_PLANE) for end in (-1.0, 1.0))
        return sum(abs(w) * abs(float(self.members[j].value(end))) for end in ends for j, w in self.weights)

    def answer(self, x: Array) -> tuple[Array, Array]:
        """Inputs and outputs of the oracles, evaluated in order."""
        y, u = self.C @ x, np.zeros((len(self.members), _PLANE))
        for j, member in enumerate(self.members):
            y[j] += self.D[j, :j] @ u[:j]
            if self.D[j, j]:
                point = member.prox(y[j], -self.D[j, j])
                u[j] = (y[j] - point) / -self.D[j, j]
                y[j] = point
            else:
                u[j] = member.gradient(y[j])
        return y, u

    def look(self, x: Array) -> _Look:
        """V as the certificate defines it, and how it changes."""
        y, u = self.answer(x)
        moved = self.A @ x + self.B @ u
        z = np.vstack([x, u[self.outputs]])
        V, size = float(np.sum(z * (self.P @ z))), float(np.sum(np.abs(z) * (np.abs(self.P) @ np.abs(z))))
        half = (self.P @ z)[: len(x)]
        terms = np.abs(self.A) @ np.abs(x) + np.abs(self.B) @ np.abs(u)  # what cancels in A x + B u
        slope, slope_size = 2 * float(np.sum(half * moved)), 2 * float(np.sum(np.abs(half) * terms))
        shifts = self.C @ moved
        if self.outputs and self.continuous and np.any(moved):
            h = _STEP * float(np.linalg.norm(x) / np.linalg.norm(moved))
            ends = self.answer(x + h * moved), self.answer(x - h * moved)
            shifts, changes = ((a - b) / (2 * h) for a, b in zip(*ends, strict=True))
            parts = 2 * (self.P @ z)[len(x) :] * changes[self.outputs]
            slope += float(np.sum(parts))
            terms_of_values = sum(abs(w) * float(np.abs(u[j]) @ np.abs(shifts[j])) for j, w in self.weights)
            slope_size += (float(np.sum(np.abs(parts))) + terms_of_values) * _DIFFERENCE / _ROUNDING
        for j, weight in self.weights:
            values = self.members[j].value(y[j]), self.members[j].value(np.zeros(_PLANE))
            V += weight * (values[0] - values[1])
            size += abs(weight) * (abs(values[0]) + abs(values[1]))
            slope += weight * float(u[j] @ shifts[j])
            slope_size += abs(weight) * float(np.abs(u[j]) @ (np.abs(self.C[j]) @ terms))
        return _Look(V=V, size=size, slope=slope, slope_size=slope_size, moved=moved)
