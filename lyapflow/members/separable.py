"""Separable convex quadratics with soft limits: what one unit costs, and what it costs to leave its limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ..classes.curvature import read_data
from ..classes.functions import SmoothStronglyConvex
from ..errors import DimensionError, InvalidModelError
from ..exact.rationals import rational
from .protocol import Array, check_step, freeze, read_vector

__all__ = ["SoftLimits"]


@dataclass(frozen=True, eq=False, init=False)
class SoftLimits:
    r"""The function :math:`\sum_i \tfrac{h_i}2 x_i^2 + b_i x_i + \tfrac{w_i}2 \mathrm{dist}(x_i, [l_i, r_i])^2`.

    Parameters
    ----------
    curvature : array_like, shape (d,)
        h, every entry > 0.
    slope : float or array_like of shape (d,), default 0
        b.
    lower, upper : float or array_like of shape (d,)
        The limits l and r, ``lower <= upper``; infinite, as by default, where there is none.
    weight : float or array_like of shape (d,), default 0
        w, every entry >= 0: the curvature that is added beyond the limits.

    Attributes
    ----------
    operator_class : SmoothStronglyConvex
        With the least h_i and the greatest h_i + w_i, exact for the given doubles.

    Raises
    ------
    DimensionError
        If lengths differ.
    InvalidModelError
        If a number is out of range.

    Examples
    --------
    >>> f = SoftLimits([1.0, 2.0], lower=0.0, weight=[3.0, 0.5])
    >>> f.operator_class
    SmoothStronglyConvex(mu=Fraction(1, 1), L=Fraction(4, 1))
    >>> f.gradient(np.array([-1.0, 1.0]))
    array([-4.,  2.])
    """

    curvature: Array
    slope: Array
    lower: Array
    upper: Array
    weight: Array
    operator_class: SmoothStronglyConvex = field(init=False)

    def __init__(
        self,
        curvature: ArrayLike,
        slope: ArrayLike = 0.0,
        *,
        lower: ArrayLike = -np.inf,
        upper: ArrayLike = np.inf,
        weight: ArrayLike = 0.0,
    ) -> None:
        h = read_data(curvature, name="SoftLimits: curvature", ndim=1)
        given = {
            name: read_vector("SoftLimits", name, values, infinite=name in ("lower", "upper"))
            for name, values in {"slope": slope, "lower": lower, "upper": upper, "weight": weight}.items()
        }
        if any(values.ndim and len(values) != len(h) for values in given.values()):
            shapes = ", ".join(f"{name} {values.shape}" for name, values in given.items())
            raise DimensionError(f"SoftLimits needs vectors of the length {len(h)} of curvature, got {shapes}")
        parts = {name: np.broadcast_to(values, h.shape).copy() for name, values in given.items()}
        if not (np.all(h > 0) and np.all(parts["weight"] >= 0)):
            raise InvalidModelError(f"SoftLimits needs curvature > 0 and weight >= 0, got {h} and {parts['weight']}")
        low, high = parts["lower"], parts["upper"]
        if not (np.all(low <= high) and np.all(low < np.inf) and np.all(high > -np.inf)):
            raise InvalidModelError(f"SoftLimits needs lower <= upper, got {low} and {high}")
        steepest = max(map(_add, h.tolist(), parts["weight"].tolist()))
        freeze(self, curvature=h, **parts, operator_class=SmoothStronglyConvex(rational(float(h.min())), steepest))

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return len(self.curvature)

    def excess(self, x: Array) -> Array:
        """How far each entry is beyond its limits: positive above, negative below."""
        return np.asarray(x - np.clip(x, self.lower, self.upper))

    def value(self, x: Array) -> float:
        """The function at x."""
        return float(self.curvature @ x**2 / 2 + self.slope @ x + self.weight @ self.excess(x) ** 2 / 2)

    def gradient(self, x: Array) -> Array:
        """``h x + b + w (x - clip(x))``."""
        return np.asarray(self.curvature * x + self.slope + self.weight * self.excess(x))

    def invert(self, u: Array) -> Array:
        """The only point where the gradient is u."""
        return self._solve(u, 0.0)

    def prox(self, x: Array, step: float) -> Array:
        """Proximal point, entry by entry in closed form."""
        return self._solve(x / check_step(step), 1 / step)

    def _solve(self, u: Array, shift: float) -> Array:
        """Where ``(h + shift) x + b + w (x - clip(x)) = u``."""
        h = self.curvature + shift
        free = (u - self.slope) / h
        # where there is no limit, the distance to it is never looked at
        low, high = np.nan_to_num(self.lower, neginf=0.0), np.nan_to_num(self.upper, posinf=0.0)
        below = (u - self.slope + self.weight * low) / (h + self.weight)
        above = (u - self.slope + self.weight * high) / (h + self.weight)
        return np.where(free < self.lower, below, np.where(free > self.upper, above, free))


def _add(a: float, b: float) -> Fraction:
    return rational(a) + rational(b)
