r"""V of a sublinear certificate in floating point, and its promises along a trajectory.

As defined: :math:`V = \lambda t^p\varphi + t^{p-e}\zeta^\top P\zeta`, with the deviations of the states, and of the
gradient, times powers of t.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..certificates import Certificate
from ..lmi.logtime import take_logarithmic_time
from .equilibria import Equilibrium
from .loops import Array, Loop, to_array
from .storage import Samples
from .subjects import check_subject

__all__ = ["Checks", "Path", "SublinearStorage", "list_promises"]

_EPS = float(np.finfo(np.float64).eps)

Checks = list[tuple[str, Array, Array, Array]]
"""Name of a promise, its two sides, and the numerical error of their difference, at each time."""


class Path(Samples, Protocol):
    """A trajectory: samples and their times."""

    @property
    def t(self) -> Array:
        """Times, shape (T,)."""


@dataclass(frozen=True, slots=True, eq=False)
class SublinearStorage:
    """V around one equilibrium."""

    loop: Loop
    equilibrium: Equilibrium
    P: Array
    weight: float
    order: float
    degree: int
    powers: tuple[int, ...]

    @staticmethod
    def of(certificate: Certificate, loop: Loop, equilibrium: Equilibrium) -> SublinearStorage:
        """V of a certificate, around an equilibrium of a closed loop.

        Raises
        ------
        ClaimMismatchError
            If the certificate has no order.
        InvalidModelError
            If it is about other dynamics or classes.
        """
        order = float(certificate.order)
        check_subject(certificate, loop, equilibrium)
        log = take_logarithmic_time(certificate.system)
        weight = float(next(iter(certificate.value_weights.values())))
        P = to_array(certificate.P)
        return SublinearStorage(loop, equilibrium, P, weight, order, log.degree, log.powers)

    def evaluate(self, path: Path) -> Array:
        """V at each sample, shape (T,)."""
        zeta = self._scale(path)
        quadratic = (zeta * np.einsum("ij,tjd->tid", self.P, zeta)).sum(axis=(1, 2))
        return np.asarray(self.weight * self.value(path) + path.t ** (self.order - self.degree) * quadratic)

    def value(self, path: Path) -> Array:
        """``t^p (f - f*)`` at each sample, shape (T,)."""
        rest = self.equilibrium
        gap = path.values[:, 0] - rest.values[0] - (path.y[:, 0] - rest.y[0]) @ rest.u[0]
        return np.asarray(path.t**self.order * gap)

    def measure_error(self, path: Path, error: Array) -> Array:
        """Error of V, and of the scaled value, from that of the states and from rounding; shape (T,)."""
        rest, t = self.equilibrium, path.t
        zeta = self._scale(path)
        half = np.einsum("ij,tjd->tid", self.P, zeta)
        gains = np.max([t**k for k in self.powers], axis=0) * (1 + np.linalg.norm(self.P, 2))
        slope = 2 * np.linalg.norm(half, axis=(1, 2)) * gains * t ** (self.order - self.degree)
        slope += t**self.order * (1 + self.weight) * np.linalg.norm(path.u[:, 0] - rest.u[0], axis=-1)
        u, y = np.linalg.norm(path.u[:, 0], axis=-1), np.linalg.norm(path.y[:, 0], axis=-1)
        size = np.abs(path.values[:, 0]) + abs(rest.values[0]) + u * (y + float(np.linalg.norm(rest.y[0])))
        size += 0.5 * float(np.linalg.norm(rest.y[0])) ** 2 * self._measure_curvature()
        return np.asarray(slope * (error + rest.error) + 64 * _EPS * (1 + self.weight) * t**self.order * size)

    def _measure_curvature(self) -> float:
        """What a value at the origin may have been computed with."""
        upper = self.loop.members[0].operator_class.linear_members().upper
        return 1.0 if upper is None else float(upper)

    def _scale(self, path: Path) -> Array:
        """The deviations that P acts on, shape (T, n or n + 1, d)."""
        parts = path.x - self.equilibrium.x
        powers = list(self.powers)
        if len(self.P) > len(powers):
            parts = np.concatenate([parts, path.u - self.equilibrium.u], axis=1)
            powers.append(self.degree)
        return np.asarray(parts * (path.t[:, None] ** np.array(powers))[:, :, None])


def list_promises(storage: SublinearStorage, path: Path, error: Array) -> Checks:
    """What a sublinear certificate promises of a trajectory: V never grows, and the scaled value stays below it."""
    V, value = storage.evaluate(path), storage.value(path)
    tolerance = storage.measure_error(path, error)
    least = np.minimum.accumulate(V + tolerance)
    return [
        ("V(t) <= V(s) for s <= t", V, least, tolerance),
        ("t^p (f - f*) <= V", value, V, 2 * tolerance),
    ]
