"""Trajectories of a system closed with concrete members, and what a certificate says about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from ..certificates import Certificate
from ..dynamics import System
from ..errors import InvalidModelError
from ..lmi.claims import SublinearDecay
from ..lmi.scaled_claims import ScaledClaim
from ..lmi.templates import VariableMetric, ZamesFalb
from ..members.protocol import Member
from .comparison import bound_storage
from .equilibria import Equilibrium, read_values
from .loops import Array, Loop
from .memory import attach_filters, filter_path
from .metric import ReducedPath, reduce_equilibrium, reduce_loop, reduce_path
from .storage import make_storage, measure_decay
from .subjects import check_subject
from .sublinear import SublinearStorage

__all__ = ["Trajectory", "record"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Trajectory:
    """One solution, sampled; all arrays are read-only.

    Attributes
    ----------
    t : ndarray, shape (T,)
        Sample times, in the time unit of the dynamics; in discrete time, those of all steps.
    x : ndarray, shape (T, n, d), or (T, n + m) for a primal-dual system
        States; those of a primal-dual system are (x, lambda).
    y, u : ndarray, shape (T, m, d)
        Inputs and outputs of the oracles; for a primal-dual system, d is the number of primal variables and m = 1.
    values : ndarray, shape (T, m)
        Function values at y; NaN for an oracle that has none.
    equilibrium : Equilibrium
        From which distances are measured.
    loop : Loop
        The closed loop that was simulated.
    interpolant : callable
        Flat deviations from the equilibrium at given times: the integrator's dense output, or the steps; use `at`.

    Notes
    -----
    What is seen in a simulation is not a proof: it holds for these members, this start, and up to the integrator's
    tolerances or rounding.
    """

    t: Array
    x: Array
    y: Array
    u: Array
    values: Array
    equilibrium: Equilibrium
    loop: Loop = field(repr=False)
    interpolant: Callable[[Array], Array] = field(repr=False)

    def __post_init__(self) -> None:
        for array in (self.t, self.x, self.y, self.u, self.values):
            array.flags.writeable = False

    @property
    def system(self) -> System:
        """The model."""
        return self.loop.system

    @property
    def members(self) -> tuple[Member, ...]:
        """The concrete oracles."""
        return self.loop.members

    @property
    def distance(self) -> Array:
        """Distance of the state from the equilibrium in the theorem's norm, the Euclidean one; shape (T,)."""
        return np.asarray(np.linalg.norm((self.x - self.equilibrium.x).reshape(len(self.t), -1), axis=1))

    def storage(self, certificate: Certificate) -> Array:
        """The certificate's V along the trajectory, evaluated from its definition; shape (T,).

        Raises
        ------
        InvalidModelError
            If the certificate does not cover this system, these members and this equilibrium.
        """
        path, core, loop, rest = self._reduce(certificate)
        if isinstance(core, Certificate) and isinstance(core.claim, SublinearDecay):
            return SublinearStorage.of(core, loop, rest).evaluate(path)
        return make_storage(core, loop, rest).evaluate(path)

    def _reduce(self, certificate: Certificate) -> tuple[Trajectory | ReducedPath, Certificate, Loop, Equilibrium]:
        """The trajectory in the coordinates of a certificate's V."""
        if not isinstance(certificate, Certificate) or not isinstance(certificate.template, VariableMetric | ZamesFalb):
            return self, certificate, self.loop, self.equilibrium
        check_subject(certificate, self.loop, self.equilibrium)
        if isinstance(certificate.template, ZamesFalb):
            seen, wide, rest = attach_filters(certificate, self.loop, self.equilibrium)
            return filter_path(wide, rest, self), seen, wide, rest
        loop, root = reduce_loop(certificate, self.loop)
        return reduce_path(loop, root, self), certificate.core, loop, reduce_equilibrium(loop, root, self.equilibrium)

    def scaled_value(self, certificate: Certificate) -> Array:
        """``t^p (f - f*)`` with the order p of a `SublinearDecay`, which stays below V; shape (T,).

        Raises
        ------
        ClaimMismatchError
            If the certificate has no order.
        InvalidModelError
            If it does not cover this system, these members and this equilibrium.
        """
        path, core, loop, rest = self._reduce(certificate)
        return SublinearStorage.of(core, loop, rest).value(path)

    def bound(self, certificate: Certificate) -> Array:
        """What V may be at most: ``V(0) exp(-2 rate t)``, t counted from the first sample; shape (T,).

        In discrete time ``V(0) factor^(2 k)``, with k the number of steps; for a `SublinearDecay` its first value. On
        another time scale, which the trajectory must be on, the solution of ``v' = -A v^a - B v^b``.
        """
        return bound_storage(certificate, float(self.storage(certificate)[0]), self.t)

    def norm_bound(self, certificate: Certificate) -> Array:
        """What the distance may be at most: ``transient_bound * exp(-rate t) * distance[0]``; shape (T,).

        In discrete time ``transient_bound * factor^k * distance[0]``; on another time scale what the bound of V leaves.

        Raises
        ------
        ClaimMismatchError
            If the certificate has no transient bound.
        """
        _, core, loop, rest = self._reduce(certificate)
        make_storage(core, loop, rest)
        if isinstance(certificate.claim, ScaledClaim):
            above, below = certificate.norm_ratios
            start = float(above) * float(self.distance[0]) ** 2
            return np.sqrt(bound_storage(certificate, start, self.t) / float(below))
        return np.asarray(float(certificate.transient_bound) * measure_decay(certificate, self.t) * self.distance[0])

    def at(self, t: ArrayLike) -> Array:
        """States between the samples, from the integrator's interpolant; in discrete time at the steps only.

        Parameters
        ----------
        t : float or array_like, shape (K,)
            Times inside the simulated span; in discrete time, times of steps.

        Returns
        -------
        ndarray
            One state, or K of them along the first axis.
        """
        times = np.asarray(t, dtype=np.float64)
        if times.ndim > 1 or not np.all((times >= self.t[0]) & (times <= self.t[-1])):
            raise InvalidModelError(f"t must lie between {self.t[0]} and {self.t[-1]}, in one dimension, got {t!r}")
        states = _read_interpolant(self.interpolant, np.atleast_1d(times), self.equilibrium)
        return states if times.ndim else np.asarray(states[0])


def record(loop: Loop, equilibrium: Equilibrium, times: Array, interpolant: Callable[[Array], Array]) -> Trajectory:
    """The trajectory that an interpolant describes: states at the times, with their signals and values."""
    x = _read_interpolant(interpolant, times, equilibrium)
    signals = [loop.evaluate(state)[1:] for state in x]
    y, u = (np.array([pair[k] for pair in signals]) for k in (0, 1))
    return Trajectory(
        t=times,
        x=x,
        y=y,
        u=u,
        values=np.array([read_values(loop, inputs) for inputs in y]),
        equilibrium=equilibrium,
        loop=loop,
        interpolant=interpolant,
    )


def _read_interpolant(interpolant: Callable[[Array], Array], times: Array, equilibrium: Equilibrium) -> Array:
    rest = equilibrium.x
    return np.asarray(interpolant(times)).T.reshape(len(times), *rest.shape) + rest
