r"""V of a certificate in floating point, as defined: :math:`\tilde z^\top P\tilde z + \sum_j\lambda_j\varphi_j`.

Here z is the state x, with the outputs u of the oracles where V contains them. Read off the
certificate's exact numbers, not off the pencil that proved them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..certificates import Certificate
from ..dynamics import PrimalDualSystem
from ..errors import ClaimMismatchError, InvalidModelError
from ..lmi.claims import SublinearDecay
from ..lmi.gain_claims import GainClaim
from ..lmi.signals import output_oracles, valued_oracles
from .equilibria import Equilibrium, read_values
from .iterations import find_operator, split_modes
from .loops import Array, Loop, to_array
from .stacks import StackedLoop
from .subjects import check_subject

__all__ = ["Samples", "Storage", "make_storage", "measure_decay"]

_EPS = float(np.finfo(np.float64).eps)


class Samples(Protocol):
    """States with their signals and values, one a row."""

    @property
    def x(self) -> Array:
        """States, shape (T, n, d) or (T, n + m)."""

    @property
    def y(self) -> Array:
        """Inputs of the oracles, shape (T, m, d)."""

    @property
    def u(self) -> Array:
        """Outputs of the oracles, shape (T, m, d)."""

    @property
    def values(self) -> Array:
        """Function values, shape (T, m)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """One state as `Samples`."""

    x: Array
    y: Array
    u: Array
    values: Array

    @classmethod
    def of(cls, loop: Loop, x: Array, y: Array, u: Array) -> _Sample:
        return cls(x[None], y[None], u[None], read_values(loop, y)[None])


class _Form(Protocol):
    """The quadratic part of V."""

    @property
    def norm(self) -> float:
        """Largest absolute eigenvalue."""

    def apply(self, x: Array) -> Array:
        """Half the gradient at each of T deviations."""


@dataclass(frozen=True, slots=True, eq=False)
class _PlainForm:
    """P, acting on the rows of z of shape (T, n, d) or (T, n + m, d)."""

    P: Array

    @property
    def norm(self) -> float:
        return float(np.linalg.norm(self.P, 2))

    def apply(self, x: Array) -> Array:
        return np.asarray(self.P @ x)


@dataclass(frozen=True, slots=True, eq=False)
class _ModalForm:
    """One P for each group of modes; the basis of a group, (k, r, N), gives the k coordinates of its r modes."""

    groups: tuple[tuple[Array, Array], ...]

    @property
    def norm(self) -> float:
        return max(float(np.linalg.norm(P, 2)) * float(np.square(basis).sum(axis=2).max()) for basis, P in self.groups)

    def apply(self, x: Array) -> Array:
        total = np.zeros_like(x)
        for basis, P in self.groups:
            coordinates = np.einsum("krN,tN->tkr", basis, x)
            total += np.einsum("krN,kl,tlr->tN", basis, P, coordinates)
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """V around one equilibrium; made by `make_storage`."""

    loop: Loop
    equilibrium: Equilibrium
    form: _Form
    weights: tuple[tuple[int, float], ...]
    outputs: tuple[int, ...]

    def evaluate(self, at: Samples) -> Array:
        """V at each sample, shape (T,)."""
        z = self._deviate(at)
        total = _inner(z, self.form.apply(z))
        for j, weight in self.weights:
            total += weight * self._measure_value(at, j)
        return total

    def measure_growth(self, x: Array) -> float:
        """Growth of V at one state, without a simulation: the rate ``V'/V``, or the ratio ``V+/V`` in discrete time."""
        dx, y, u = self.loop.evaluate(x)
        now = _Sample.of(self.loop, x, y, u)
        V = float(self.evaluate(now)[0])
        if not V > 0:
            return np.inf
        if self.loop.system.dt:
            return float(self.evaluate(_Sample.of(self.loop, x + dx, *self.loop.evaluate(x + dx)[1:]))[0]) / V
        if self.outputs:  # they have a derivative, but members do not tell it
            short = 1e-6 * float(np.linalg.norm(now.x - self.equilibrium.x)) / max(float(np.linalg.norm(dx)), 1e-300)
            later = x + short * dx
            after = _Sample.of(self.loop, later, *self.loop.evaluate(later)[1:])
            return (float(self.evaluate(after)[0]) / V - 1) / short if short else 0.0
        derivative = 2 * float(np.vdot(self.form.apply(now.x - self.equilibrium.x), dx))
        for j, weight in self.weights:
            derivative += weight * float((u[j] - self.equilibrium.u[j]) @ self.loop.project(j, dx))
        return derivative / V

    def measure_slope(self, at: Samples) -> Array:
        """Upper bound of the norm of V's derivative in the state, shape (T,)."""
        half = self.form.apply(self._deviate(at))
        inputs, outputs = self.loop.measure_reach()
        slope = 2 * np.sqrt(_inner(half, half)) * (np.hypot(1, np.linalg.norm(outputs)) if self.outputs else 1)
        for j, weight in self.weights:
            slope += abs(weight) * inputs[j] * np.linalg.norm(at.u[:, j] - self.equilibrium.u[j], axis=-1)
        return np.asarray(slope)

    def measure_rounding(self, at: Samples) -> Array:
        """Size of the rounding error in `evaluate`, from the terms that cancel there; shape (T,)."""
        rest, z = self.equilibrium, self._deviate(at)
        distance = np.sqrt(_inner(z, z))
        whole = np.hypot(np.linalg.norm(rest.x), np.linalg.norm(rest.u) if self.outputs else 0)
        total = self.form.norm * distance * (distance + float(whole))
        for j, weight in self.weights:
            origin = self._measure_origin(j)
            u = np.linalg.norm(at.u[:, j], axis=-1) + float(np.linalg.norm(rest.u[j])) + origin
            y = np.linalg.norm(at.y[:, j], axis=-1) + float(np.linalg.norm(rest.y[j]))
            total += abs(weight) * (np.abs(at.values[:, j]) + abs(rest.values[j]) + u * y)
        return np.asarray(32 * _EPS * total)

    def _deviate(self, at: Samples) -> Array:
        """Deviations of what P acts on."""
        x = at.x - self.equilibrium.x
        own = list(self.outputs)
        return np.concatenate([x, at.u[:, own] - self.equilibrium.u[own]], axis=1) if own else x

    def _measure_origin(self, j: int) -> float:
        """Size of the output at the origin, where there is one: what a value may have been computed with."""
        origin = np.zeros_like(self.equilibrium.y[j])
        if isinstance(self.loop, StackedLoop):
            origin = np.zeros(next(len(rows) for rows in self.loop.system.vectors if j in rows))
        try:
            return float(np.linalg.norm(self.loop.members[j].gradient(origin)))
        except InvalidModelError:  # a nonsmooth member, known by its prox
            return 0.0

    def _measure_value(self, at: Samples, j: int) -> Array:
        """``f(y) - f(y*) - <u*, y - y*>``."""
        rest = self.equilibrium
        return np.asarray(at.values[:, j] - rest.values[j] - (at.y[:, j] - rest.y[j]) @ rest.u[j])


def make_storage(certificate: Certificate, loop: Loop, equilibrium: Equilibrium) -> Storage:
    """V of a certificate, around an equilibrium of a closed loop.

    Raises
    ------
    InvalidModelError
        If the certificate is about other dynamics, about classes that the members are not known to belong to, or about
        equilibria of another kind; or if V contains a value that a member does not offer.
    """
    if not isinstance(certificate, Certificate):
        raise InvalidModelError(f"certificate must be a Certificate, got {type(certificate).__name__}")
    if isinstance(certificate.claim, GainClaim):
        raise ClaimMismatchError(
            f"a {type(certificate.claim).__name__} speaks of disturbed or delayed dynamics, which a simulation of the "
            "system is not. What linear members do is told by find_gain_witness and find_delay_witness."
        )
    check_subject(certificate, loop, equilibrium)
    names, given = certificate.system.oracle_names, certificate.value_weights
    valued = valued_oracles(certificate.system, certificate.template)
    weights = tuple((j, float(given[names[j]])) for j in valued if given[names[j]])
    for j, _ in weights:
        if not np.isfinite(equilibrium.values[j]):
            raise InvalidModelError(
                f"V contains the value of {names[j]}, so its member must have a finite value, got {loop.members[j]!r}"
            )
    if isinstance(certificate.system, PrimalDualSystem):
        modal = _ModalForm(_group_modes(certificate, certificate.system))
        return Storage(loop, equilibrium, modal, weights, ())
    operator = find_operator(loop.system)
    if operator is not None:
        modal = _ModalForm(split_modes(certificate, operator))
        return Storage(loop, equilibrium, modal, weights, ())
    plain = _PlainForm(to_array(certificate.P))
    return Storage(loop, equilibrium, plain, weights, output_oracles(certificate.system, certificate.template))


def measure_decay(certificate: Certificate, t: Array) -> Array:
    """What is left of the bound of the state norm after each time: ``exp(-rate t)``, or ``factor^k`` after k steps.

    For a sublinear claim it is that of the root of V, which never grows.
    """
    if isinstance(certificate.claim, SublinearDecay):
        return np.ones_like(t)
    elapsed, dt = t - t[0], float(certificate.system.dt)
    if dt == 0:
        return np.asarray(np.exp(-float(certificate.rate) * elapsed))
    return np.asarray(float(certificate.factor) ** np.round(elapsed / dt))


def _group_modes(certificate: Certificate, system: PrimalDualSystem) -> tuple[tuple[Array, Array], ...]:
    """Storage matrices with the coordinates they act on: ``(v'x, v'w)``, ``w = E' lambda``, v a singular vector."""
    E = to_array(system.constraint)
    m, n = E.shape
    r = system.rank
    left, singular, right = np.linalg.svd(E)
    singular = singular[:r]
    forms = {label: to_array(P) for label, P in certificate.storage.items()}
    edges = np.array([[float(low), float(high)] for low, high in system.enclosures])
    outside = np.maximum(edges[:, :1] - singular**2, singular**2 - edges[:, 1:])  # negative inside an enclosure
    owner = outside.argmin(axis=0)
    found = []
    for k in np.unique(owner):
        chosen = np.flatnonzero(owner == k)
        basis = np.zeros((2, chosen.size, n + m))
        basis[0, :, :n] = right[chosen]
        basis[1, :, n:] = singular[chosen, None] * left[:, chosen].T
        found.append((basis, forms[f"sigma{k + 1}"]))
    if n > r:
        basis = np.zeros((1, n - r, n + m))
        basis[0, :, :n] = right[r:]
        found.append((basis, forms["null"]))
    return tuple(found)


def _inner(a: Array, b: Array) -> Array:
    return np.asarray((a * b).reshape(len(a), -1).sum(axis=1))
