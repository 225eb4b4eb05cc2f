"""Minimising KL(q||p) over the simplex: gradient flows in mixture and exponential coordinates, and the natural one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax

from ..errors import DimensionError, InvalidModelError
from ..exact.divergences import chi_square
from ..exact.enclosures import enclose_eigenvalues
from ..exact.matrices import Matrix, inverse
from ..exact.rationals import rational
from .divergence_rates import SublevelRate, bound_sublevel_rate, read_distribution
from .equilibria import EquilibriumClass
from .evidence import PROVED, LocalRate
from .spectrum import Array
from .trajectories import Trajectory, follow, read_state

__all__ = ["Coordinates", "KLNaturalGradient", "StepLimit"]

Coordinates: TypeAlias = Literal["natural", "eta", "theta"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLimit:
    """Steps h for which the explicit iteration ``x+ = x + h x'`` converges.

    Attributes
    ----------
    local : tuple of (Fraction, Fraction)
        The limit lies between: with a smaller h the iteration converges from near the equilibrium, with a larger one
        the equilibrium is unstable.
    everywhere : Fraction or None
        A limit below which it converges from every start, where one is proved.
    factor : tuple of (Fraction, Fraction)
        The contraction per step with the best h lies between.
    """

    local: tuple[Fraction, Fraction]
    everywhere: Fraction | None
    factor: tuple[Fraction, Fraction]


class KLNaturalGradient:
    r"""A flow that descends :math:`\mathrm{KL}(q\|p)`, p on n + 1 cells, in one of three geometries.

    With mixture coordinates :math:`\eta = (p_1, \dots, p_n)` and exponential ones :math:`\theta_i = \log(p_i/p_{n+1})`:

    .. math::
        \text{natural: } \dot\eta = -(\eta - \eta_q), \qquad
        \text{eta: } \dot\eta_i = \frac{q_i}{p_i} - \frac{q_{n+1}}{p_{n+1}}, \qquad
        \text{theta: } \dot\theta = -(\eta(\theta) - \eta_q).

    Parameters
    ----------
    q : sequence of n + 1 rationals
        The target: all cells > 0, sum exactly 1. The last cell is the reference.
    flow : {"natural", "eta", "theta"}, default "natural"
        Whose gradient is followed. The state is :math:`\eta` for the first two and :math:`\theta` for the third, shape
        (n,).
    scale : rational, optional
        c > 0: the gradient is taken after an affine change of coordinates, :math:`\eta = M\eta'` and
        :math:`\theta = M^{-\top}\theta'` with :math:`MM^\top = cC`, for which the Hessians at the optimum are cI and
        I/c. Then :math:`\dot\eta = -cC\,\nabla_\eta\mathrm{KL}` and
        :math:`\dot\theta = -(cC)^{-1}\nabla_\theta\mathrm{KL}` in coordinates that are not changed. The natural flow
        does not see such changes and takes no scale.

    Raises
    ------
    InvalidModelError
        If q is no distribution, or an argument is out of its range.

    Notes
    -----
    The setting is that of Datar and Ay, arXiv 2504.19259 (TMLR 2025). Every rate that is quoted for KL there is a
    V-rate, twice the rate of the state. C = diag(eta_q) - eta_q eta_q' is the Fisher matrix in theta and the Hessian
    of KL there, its inverse that in eta.

    Examples
    --------
    >>> flow = KLNaturalGradient(["0.5", "0.3", "0.2"])
    >>> flow.vector_field(0, [0.2, 0.2])
    array([0.3, 0.1])
    >>> flow.decrease(["0.2", "0.2"])
    Fraction(-23, 30)
    >>> [round(2 * KLNaturalGradient(flow.q, flow=f).local_rate().rate, 6) for f in ("eta", "natural", "theta")]
    [5.244836, 2.0, 0.157345]
    """

    def __init__(self, q: Sequence[object], flow: Coordinates = "natural", *, scale: object = None) -> None:
        if flow not in get_args(Coordinates):
            raise InvalidModelError(f"flow must be one of {', '.join(get_args(Coordinates))}, got {flow!r}")
        self._q = read_distribution(q)
        self._flow: Coordinates = flow
        self._scale = None if scale is None else rational(scale, name="scale")
        if self._scale is not None and (self._scale <= 0 or flow == "natural"):
            raise InvalidModelError(f"scale must be > 0, and is for the flows eta and theta, got {scale!r} for {flow}")
        self._floats = np.array([float(v) for v in self._q])

    def __repr__(self) -> str:
        return f"KLNaturalGradient({[str(v) for v in self._q]}, flow={self._flow!r}, scale={self._scale})"

    @property
    def q(self) -> tuple[Fraction, ...]:
        """The target, exact."""
        return self._q

    @property
    def flow(self) -> Coordinates:
        """Whose gradient is followed."""
        return self._flow

    @property
    def scale(self) -> Fraction | None:
        """The c of the affine change of coordinates."""
        return self._scale

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the state, (n,)."""
        return (len(self._q) - 1,)

    @cached_property
    def fisher_theta(self) -> Matrix:
        """The exact C = diag(eta_q) - eta_q eta_q', Fisher matrix in theta, shape (n, n)."""
        eta = self._q[:-1]
        return tuple(tuple((a if i == j else 0) - a * b for j, b in enumerate(eta)) for i, a in enumerate(eta))

    @cached_property
    def fisher_eta(self) -> Matrix:
        """The exact inverse of C, Fisher matrix in eta: diag(1/eta_q) + 1 1'/q_{n+1}."""
        return inverse(self.fisher_theta)

    @cached_property
    def eigenvalues(self) -> tuple[tuple[Fraction, Fraction, int], ...]:
        """Enclosures of the eigenvalues of C: (low, high, multiplicity), increasing."""
        return enclose_eigenvalues(self.fisher_theta)

    def to_probabilities(self, x: ArrayLike) -> Array:
        """The distribution p of a state, shape (n + 1,); in the coordinates eta its cells may be outside [0, 1]."""
        state = read_state(x, self.shape)
        if self._flow == "theta":
            return np.asarray(softmax(np.append(state, 0.0)))
        return np.append(state, 1 - state.sum())

    def from_probabilities(self, p: ArrayLike) -> Array:
        """The state of a distribution with positive cells."""
        cells = np.asarray(p, dtype=float)
        if cells.shape != (len(self._q),) or not np.all(cells > 0) or abs(cells.sum() - 1) > 1e-9:
            raise InvalidModelError(f"p must have {len(self._q)} cells > 0 that add up to 1, got {p!r:.80}")
        return np.log(cells[:-1] / cells[-1]) if self._flow == "theta" else cells[:-1].copy()

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """The time derivative of the state; it does not depend on t."""
        p = self.to_probabilities(x)
        away = p[:-1] - self._floats[:-1]
        if self._flow == "natural":
            return -away
        if self._flow == "theta":
            return -away if self._scale is None else -(self._metric @ away) / float(self._scale)
        push = self._floats[:-1] / p[:-1] - self._floats[-1] / p[-1]
        return push if self._scale is None else float(self._scale) * (self._covariance @ push)

    def jacobian(self, x: ArrayLike) -> Array:
        """Derivative of the vector field, shape (n, n)."""
        p, n = self.to_probabilities(x), self.shape[0]
        if self._flow == "natural":
            return -np.eye(n)
        if self._flow == "theta":
            hessian = np.diag(p[:-1]) - np.outer(p[:-1], p[:-1])
            return -hessian if self._scale is None else -(self._metric @ hessian) / float(self._scale)
        hessian = np.diag(self._floats[:-1] / p[:-1] ** 2) + self._floats[-1] / p[-1] ** 2
        return -hessian if self._scale is None else -float(self._scale) * (self._covariance @ hessian)

    def loss(self, x: ArrayLike) -> float:
        """KL(q||p), infinite outside the simplex; as a sum of nonnegative terms, so that it is accurate near 0."""
        p = self.to_probabilities(x)
        if not np.all(p > 0):
            return float("inf")
        part = (p - self._floats) / self._floats
        return float(np.sum(self._floats * (part - np.log1p(part))))

    def chi_square(self, x: ArrayLike) -> float:
        """The value of chi^2(q||p)."""
        p = self.to_probabilities(x)
        return float(np.sum((self._floats - p) ** 2 / p)) if np.all(p > 0) else float("inf")

    def decrease(self, eta: Sequence[object]) -> Fraction:
        """The exact dKL/dt = -chi^2(q||p) along the natural flow at rational eta in the simplex."""
        cells = [rational(v, name="eta") for v in eta]
        if len(cells) != self.shape[0]:
            raise DimensionError(f"eta must have {self.shape[0]} entries, got {len(cells)}")
        p = (*cells, 1 - sum(cells, Fraction(0)))
        if min(p) <= 0:
            raise InvalidModelError(f"eta must lie in the open simplex, got {list(map(str, p))}")
        return -chi_square(self._q, p)

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """What the flow conserves: the natural one the direction from q to p (zero at q); the others nothing known."""
        if self._flow != "natural":
            return {}
        away = self.to_probabilities(x) - self._floats
        return {"direction": away / max(float(np.linalg.norm(away)), np.finfo(float).tiny)}

    def solve(self, x0: ArrayLike, t: ArrayLike) -> Array:
        """The natural flow in closed form, eta_q + exp(-t) (x0 - eta_q), shape (T, n) for T times."""
        if self._flow != "natural":
            raise InvalidModelError(f"only the natural flow has a closed form, this one is {self._flow}; use simulate")
        start, rest = read_state(x0, self.shape, "x0"), self._floats[:-1]
        return rest + np.exp(-np.asarray(t, dtype=float))[..., None] * (start - rest)

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "DOP853",
        rtol: float = 1e-9,
        atol: float | None = None,
    ) -> Trajectory:
        """Integrate the flow numerically; see `SymmetricFactorization.simulate`.

        Raises
        ------
        InvalidModelError
            If the start is not in the open simplex.
        SimulationError
            If the integrator gives up.
        """
        if self.loss(x0) == float("inf"):
            raise InvalidModelError(f"x0 must lie in the open simplex, got p = {self.to_probabilities(x0)}")
        return follow(self, x0, t_eval, method=method, rtol=rtol, atol=atol)

    def equilibria(self) -> tuple[EquilibriumClass, ...]:
        """The only one, p = q, with the spectrum of the Jacobian there."""
        rates = [(-float((low + high) / 2), many) for low, high, many in self._rates]
        return (EquilibriumClass(kind="minimum", selection=(), spectrum=tuple(rates), loss=0.0, dimension=0),)

    def local_rate(self) -> LocalRate:
        r"""The asymptotic rate of :math:`\|x - x_q\|`; KL has twice as much as V-rate. Proved from below."""
        low, high, _ = min(self._rates)
        return LocalRate(name=f"{self._flow} at q", rate=float((low + high) / 2), exact=low, standing=PROVED)

    def global_rate(self, level: object = None) -> SublevelRate:
        """The V-rate of KL along the natural flow that holds on ``KL <= level``; see `bound_sublevel_rate`."""
        if self._flow != "natural":
            raise InvalidModelError(f"global rates are those of the natural flow, this one is {self._flow}")
        return bound_sublevel_rate(self._q, level)

    def step_limit(self) -> StepLimit:
        """Steps for which ``x+ = x + h x'`` converges, from exact bounds of the eigenvalues."""
        low, high = self._rates[0][:2], self._rates[-1][:2]
        worst, best = high[1] / low[0], high[0] / low[1]  # the condition number lies between
        everywhere = {"natural": Fraction(2), "theta": Fraction(4) if self._scale is None else None}.get(self._flow)
        factor = (max(Fraction(0), (best - 1) / (best + 1)), (worst - 1) / (worst + 1))
        return StepLimit(local=(2 / high[1], 2 / high[0]), everywhere=everywhere, factor=factor)

    def iterate(self, x0: ArrayLike, step: float, count: int) -> Array:
        """Iterates of ``x+ = x + h x'``, shape (count + 1, n); not a number from where the flow is not defined."""
        found = np.full((count + 1, *self.shape), np.nan)
        found[0] = read_state(x0, self.shape, "x0")
        for k in range(count):
            if self._flow != "natural" and not (np.all(np.abs(found[k]) < 1e6) and self.loss(found[k]) < np.inf):
                break
            found[k + 1] = found[k] + step * self.vector_field(0.0, found[k])
        return found

    def count_steps(self, x0: ArrayLike, step: float, *, tolerance: float = 1e-6, most: int = 10_000) -> int | None:
        """Steps of `iterate` until the state is within a distance of the optimum; None after `most` of them."""
        rest, x, done = self.from_probabilities(self._floats), read_state(x0, self.shape, "x0"), 0
        while done <= most:
            chunk = self.iterate(x, step, 100)
            near = np.flatnonzero(np.linalg.norm(chunk - rest, axis=1) <= tolerance)
            if len(near):
                return done + int(near[0]) if done + near[0] <= most else None
            if not np.all(np.isfinite(chunk[-1])):
                return None
            x, done = chunk[-1], done + 100
        return None

    @cached_property
    def _rates(self) -> list[tuple[Fraction, Fraction, int]]:
        """Enclosures of minus the eigenvalues of the Jacobian at q, increasing."""
        if self._flow == "natural":
            return [(Fraction(1), Fraction(1), self.shape[0])]
        if self._scale is not None:
            rate = self._scale if self._flow == "eta" else 1 / self._scale
            return [(rate, rate, self.shape[0])]
        if self._flow == "theta":
            return list(self.eigenvalues)
        return [(1 / high, 1 / low, many) for low, high, many in reversed(self.eigenvalues)]

    @cached_property
    def _covariance(self) -> Array:
        return np.array(self.fisher_theta, dtype=float)

    @cached_property
    def _metric(self) -> Array:
        return np.array(self.fisher_eta, dtype=float)
