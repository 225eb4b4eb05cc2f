"""Smooth functions in closed form: squared norm, Huber, sums of profiles, and a nonconvex gradient-dominated one."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ..classes.curvature import curvature, read_data
from ..classes.functions import SmoothConvex, SmoothStronglyConvex
from ..classes.interpolation import check_moduli
from ..classes.special import GradientDominated, Quadratic
from ..errors import DimensionError
from ..exact.elementary import bound_sqrt_below
from ..exact.rationals import floor_to
from .newton import solve_entrywise, solve_prox
from .profiles import PROFILES, find_profile
from .protocol import Array, check_positive, check_scalar, check_step, freeze, no_prox, read_vector

__all__ = ["Huber", "ProfileSum", "SineWell", "SquaredNorm"]


@dataclass(frozen=True, eq=False, init=False)
class SquaredNorm:
    r"""The function :math:`\tfrac{\text{modulus}}2|x - \text{centre}|^2`, the extreme member of many classes.

    Parameters
    ----------
    modulus : rational
        Its only curvature, > 0, an exact number.
    centre : float or array_like of shape (d,), default 0
        The minimiser.

    Examples
    --------
    >>> SquaredNorm("1/3").operator_class
    Quadratic(mu=Fraction(1, 3), L=Fraction(1, 3))
    """

    modulus: Fraction
    centre: Array

    def __init__(self, modulus: object, centre: ArrayLike = 0.0) -> None:
        freeze(
            self,
            modulus=check_positive("SquaredNorm", "modulus", modulus),
            centre=read_vector("SquaredNorm", "centre", centre),
        )

    @property
    def operator_class(self) -> Quadratic:
        """Quadratic, both moduli equal."""
        return Quadratic(self.modulus, self.modulus)

    @property
    def dimension(self) -> int | None:
        """The length of the centre; None if that is a number."""
        return len(self.centre) if self.centre.ndim else None

    def value(self, x: Array) -> float:
        """The function at x."""
        return float(self.modulus) * float(np.sum((x - self.centre) ** 2)) / 2

    def gradient(self, x: Array) -> Array:
        """``modulus (x - centre)``."""
        return float(self.modulus) * (x - self.centre)

    def prox(self, x: Array, step: float) -> Array:
        """A point on the way to the centre."""
        return self.centre + (x - self.centre) / (1 + check_step(step) * float(self.modulus))


@dataclass(frozen=True, slots=True)
class Huber:
    r"""Sum of Huber functions: :math:`w\,t^2/(2\delta)` where :math:`|t| \le \delta`, :math:`w(|t| - \delta/2)` beyond.

    ``Huber(w, gamma * w)`` is the Moreau envelope of ``L1Norm(w)`` with parameter gamma.

    Parameters
    ----------
    weight : rational, default 1
        Slope w far away, > 0.
    delta : rational, default 1
        Half-width of the quadratic part, > 0.

    Examples
    --------
    >>> Huber(weight=2, delta="1/2").operator_class
    SmoothConvex(L=Fraction(4, 1))
    """

    weight: Fraction = Fraction(1)
    delta: Fraction = Fraction(1)

    dimension = None

    def __post_init__(self) -> None:
        freeze(
            self,
            weight=check_positive("Huber", "weight", self.weight),
            delta=check_positive("Huber", "delta", self.delta),
        )

    @property
    def operator_class(self) -> SmoothConvex:
        """Convex and weight/delta-smooth."""
        return SmoothConvex(self.weight / self.delta)

    def value(self, x: Array) -> float:
        """The function at x."""
        delta = float(self.delta)
        return float(self.weight) * delta * float(np.sum(PROFILES["huber"].value(x / delta)))

    def gradient(self, x: Array) -> Array:
        """``weight * clip(x / delta, -1, 1)``."""
        return float(self.weight) * np.clip(x / float(self.delta), -1.0, 1.0)

    def prox(self, x: Array, step: float) -> Array:
        """Shrinkage of small entries, a shift of large ones."""
        pull, delta = check_step(step) * float(self.weight), float(self.delta)
        return x - pull * np.clip(x / (delta + pull), -1.0, 1.0)


@dataclass(frozen=True, eq=False, init=False)
class ProfileSum:
    r"""The function :math:`f(x)=w\sum_k\psi(\langle a_k,x\rangle-b_k)+\tfrac{\text{ridge}}2|x|^2`.

    Here :math:`\psi` is a scalar profile, convex with second derivative between 0 and 1.

    Parameters
    ----------
    A : array_like, shape (n, d)
        Directions :math:`a_k`, one a row.
    offsets : array_like, shape (n,), optional
        Shifts :math:`b_k`; 0 by default.
    profile : {"log-cosh", "huber", "hyperbola", "one-sided"}, default "log-cosh"
        Scalar function with second derivative between 0 and 1.
    weight : rational, default 1
        Factor w > 0.
    ridge : rational, default 0
        Coefficient of the quadratic part, >= 0.

    Attributes
    ----------
    operator_class : SmoothStronglyConvex or SmoothConvex
        mu is `ridge`, and L an upper bound, proved, of :math:`w\,\lambda_{\max}(A^\top A) + \text{ridge}`.

    Examples
    --------
    >>> ProfileSum([[1, 0], [0, 2]], weight=3, ridge=1).operator_class
    SmoothStronglyConvex(mu=Fraction(1, 1), L=Fraction(13, 1))
    """

    A: Array
    offsets: Array
    profile: str
    weight: Fraction
    ridge: Fraction
    operator_class: SmoothConvex | SmoothStronglyConvex = field(init=False)

    def __init__(
        self,
        A: ArrayLike,
        offsets: ArrayLike | None = None,
        *,
        profile: str = "log-cosh",
        weight: object = 1,
        ridge: object = 0,
    ) -> None:
        find_profile("ProfileSum", profile)
        rows = read_data(A, name="ProfileSum: A")
        shifts = np.zeros(len(rows)) if offsets is None else read_data(offsets, name="ProfileSum: offsets", ndim=1)
        if shifts.shape != (len(rows),):
            raise DimensionError(
                f"ProfileSum needs one offset for each of the {len(rows)} rows of A, got {len(shifts)}"
            )
        factor = check_positive("ProfileSum", "weight", weight)
        mu = check_scalar("ProfileSum", "ridge", ridge, minimum=0)
        L = factor * curvature(rows, mean=False).L + mu
        known = SmoothStronglyConvex(mu, L) if mu else SmoothConvex(L)
        freeze(self, A=rows, offsets=shifts, profile=profile, weight=factor, ridge=mu, operator_class=known)

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return self.A.shape[1]

    def value(self, x: Array) -> float:
        """The function at x."""
        bent = PROFILES[self.profile].value(self.A @ x - self.offsets)
        return float(self.weight) * float(bent.sum()) + float(self.ridge) * float(x @ x) / 2

    def gradient(self, x: Array) -> Array:
        """``w A' psi'(Ax - b) + ridge x``."""
        slopes = PROFILES[self.profile].slope(self.A @ x - self.offsets)
        return float(self.weight) * (self.A.T @ slopes) + float(self.ridge) * x

    def hessian(self, x: Array) -> Array:
        """Second derivative where there is one, a generalised one elsewhere; shape (d, d)."""
        bent = PROFILES[self.profile].curvature(self.A @ x - self.offsets)
        return float(self.weight) * (self.A.T @ (bent[:, None] * self.A)) + float(self.ridge) * np.eye(self.dimension)

    def prox(self, x: Array, step: float) -> Array:
        """Proximal point, by Newton's method."""
        return solve_prox(self.value, self.gradient, self.hessian, x, check_step(step))


_SINC = Fraction(4346, 10_000)  # sin(2t)/t >= -0.4346 for all t: the least value of sin(s)/s is -0.21723...


@dataclass(frozen=True, eq=False, init=False)
class SineWell:
    r"""A gradient-dominated function, nonconvex where :math:`L/\mu` allows: :math:`c\sum_i (t_i^2/2 + a\sin^2 t_i)`.

    Parameters
    ----------
    mu, L : rational
        Constants of gradient domination and of smoothness, ``0 < mu <= L``; a and c are made from them.
    centre : float or array_like of shape (d,), default 0
        The minimiser; :math:`t = x - \text{centre}`.

    Notes
    -----
    For one entry, :math:`h'(t) = c(t + a\sin 2t)` and :math:`h''(t) = c(1 + 2a\cos 2t)`, so h is L-smooth with
    :math:`L = c(1 + 2a)`, and nonconvex if :math:`a > 1/2`. As :math:`\sin s/s \ge -0.2173` for all s,
    :math:`|h'(t)| \ge c\,r\,|t|` with :math:`r = 1 - 0.4346\,a`; as :math:`\sin^2 t \le t^2`,
    :math:`0 \le h(t) \le c(1+2a)t^2/2`. Where :math:`r > 0`, 0 is therefore the only stationary point and

    .. math:: h'(t)^2 \ge 2\,\frac{c\,r^2}{1+2a}\,h(t),

    and both properties pass to the sum over the entries. The largest a with
    :math:`L/\mu \ge ((1+2a)/r)^2` is taken, rounded down; it exceeds 1/2 where :math:`L/\mu > 6.53`.

    Examples
    --------
    >>> f = SineWell(mu=1, L=100)
    >>> f.amplitude > 0.5  # not convex
    True
    """

    mu: Fraction
    L: Fraction
    centre: Array
    amplitude: Fraction = field(init=False)

    def __init__(self, mu: object, L: object, centre: ArrayLike = 0.0) -> None:
        low, high = check_moduli("SineWell", mu, L)
        root = bound_sqrt_below(high / low)
        amplitude = floor_to((root - 1) / (2 + _SINC * root), 6)
        freeze(self, mu=low, L=high, centre=read_vector("SineWell", "centre", centre), amplitude=amplitude)

    @property
    def operator_class(self) -> GradientDominated:
        """Gradient-dominated and smooth, with one minimiser."""
        return GradientDominated(self.mu, self.L)

    @property
    def dimension(self) -> int | None:
        """The length of the centre; None if that is a number."""
        return len(self.centre) if self.centre.ndim else None

    @property
    def _scale(self) -> tuple[float, float]:
        return float(self.L / (1 + 2 * self.amplitude)), float(self.amplitude)

    def value(self, x: Array) -> float:
        """The function at x; its minimum is 0."""
        c, a = self._scale
        t = x - self.centre
        return c * float(np.sum(t * t / 2 + a * np.sin(t) ** 2))

    def gradient(self, x: Array) -> Array:
        """``c (t + a sin 2t)``, entry by entry."""
        c, a = self._scale
        t = x - self.centre
        return c * (t + a * np.sin(2 * t))

    def curvature(self, x: Array) -> Array:
        """``c (1 + 2a cos 2t)``, the second derivative along each entry."""
        c, a = self._scale
        return c * (1 + 2 * a * np.cos(2 * (x - self.centre)))

    def prox(self, x: Array, step: float) -> Array:
        """Proximal point, for steps so short that it is unique.

        Raises
        ------
        InvalidModelError
            If ``step * c * (2a - 1) >= 1``.
        """
        c, a = self._scale
        if check_step(step) * c * (2 * a - 1) >= 1:
            raise no_prox("SineWell", f"step < {1 / (c * (2 * a - 1)):.6g}, for the function is not convex; got {step}")
        y = solve_entrywise(
            lambda t: self.gradient(t + self.centre),
            lambda t: self.curvature(t + self.centre),
            x - self.centre,
            step,
            (c * (1 - 2 * a), c * (1 + 2 * a)),
        )
        return self.centre + y
