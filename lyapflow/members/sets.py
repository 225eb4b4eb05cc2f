"""Indicator functions of convex sets: 0 on the set and infinity off it; the prox is the projection, at any step.

A point x counts as inside up to ``1e-12 (1 + max |x_i|)``, so that a projection, a translated one too, is inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ..classes.functions import ConvexIndicator
from ..errors import InvalidModelError
from .protocol import Array, check_positive, check_step, common_dimension, freeze, no_gradient, read_vector

__all__ = ["Box", "EuclideanBall", "NonnegativeOrthant", "Zero"]

_ROUNDING = 1e-12


def _indicate(excess: float, x: Array) -> float:
    return 0.0 if excess <= _ROUNDING * (1 + float(np.abs(x).max(initial=0.0))) else np.inf


@dataclass(frozen=True, eq=False, init=False)
class Box:
    """The set ``lower <= x <= upper``, entry by entry.

    Parameters
    ----------
    lower, upper : float or array_like of shape (d,)
        Bounds, ``lower <= upper``; infinite where there is none.

    Examples
    --------
    >>> Box([0.0, -np.inf], 1.0).prox(np.array([-3.0, -3.0]), 1.0)
    array([ 0., -3.])
    """

    lower: Array
    upper: Array

    operator_class = ConvexIndicator()

    def __init__(self, lower: ArrayLike, upper: ArrayLike) -> None:
        low = read_vector("Box", "lower", lower, infinite=True)
        high = read_vector("Box", "upper", upper, infinite=True)
        common_dimension("Box", lower=low, upper=high)
        if not (np.all(low <= high) and np.all(low < np.inf) and np.all(high > -np.inf)):
            raise InvalidModelError(
                f"Box needs lower <= upper, with lower < infinity and upper > -infinity; got lower={low}, upper={high}"
            )
        freeze(self, lower=low, upper=high)

    @property
    def dimension(self) -> int | None:
        """The length of the bounds; None if both are numbers."""
        return common_dimension("Box", lower=self.lower, upper=self.upper)

    def value(self, x: Array) -> float:
        """0 in the box, infinity outside."""
        return _indicate(float(np.maximum(self.lower - x, x - self.upper).max()), x)

    def gradient(self, x: Array) -> Array:
        """Refused: an indicator has none."""
        raise no_gradient("Box")

    def prox(self, x: Array, step: float) -> Array:
        """Projection onto the box."""
        check_step(step)
        return np.clip(x, self.lower, self.upper)


@dataclass(frozen=True, slots=True)
class NonnegativeOrthant:
    """The set of points without a negative entry.

    Examples
    --------
    >>> NonnegativeOrthant().prox(np.array([2.0, -2.0]), 1.0)
    array([2., 0.])
    """

    operator_class = ConvexIndicator()
    dimension = None

    def value(self, x: Array) -> float:
        """0 on the set, infinity outside."""
        return _indicate(float(-x.min()), x)

    def gradient(self, x: Array) -> Array:
        """Refused: an indicator has none."""
        raise no_gradient("NonnegativeOrthant")

    def prox(self, x: Array, step: float) -> Array:
        """Projection: negative entries become 0."""
        check_step(step)
        return np.maximum(x, 0.0)


@dataclass(frozen=True, slots=True)
class EuclideanBall:
    """The set ``|x| <= radius``.

    Parameters
    ----------
    radius : rational, default 1
        Radius, > 0.

    Examples
    --------
    >>> EuclideanBall(5).prox(np.array([6.0, 8.0]), 1.0)
    array([3., 4.])
    """

    radius: Fraction = Fraction(1)

    operator_class = ConvexIndicator()
    dimension = None

    def __post_init__(self) -> None:
        freeze(self, radius=check_positive("EuclideanBall", "radius", self.radius))

    def value(self, x: Array) -> float:
        """0 in the ball, infinity outside."""
        return _indicate(float(np.linalg.norm(x)) - float(self.radius), x)

    def gradient(self, x: Array) -> Array:
        """Refused: an indicator has none."""
        raise no_gradient("EuclideanBall")

    def prox(self, x: Array, step: float) -> Array:
        """Projection onto the ball."""
        check_step(step)
        size, radius = float(np.linalg.norm(x)), float(self.radius)
        return x * (radius / size) if size > radius else x.copy()


@dataclass(frozen=True, slots=True)
class Zero:
    """The function 0: the indicator of the whole space.

    Examples
    --------
    >>> Zero().value(np.ones(3))
    0.0
    """

    operator_class = ConvexIndicator()
    dimension = None

    def value(self, x: Array) -> float:
        """0."""
        return 0.0

    def gradient(self, x: Array) -> Array:
        """The zero vector."""
        return np.zeros_like(x)

    def prox(self, x: Array, step: float) -> Array:
        """The point itself, copied."""
        check_step(step)
        return x.copy()
