"""Norms and other support functions: proximal oracles without a gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ..classes.functions import SupportFunction
from ..errors import DimensionError, InvalidModelError
from .protocol import Array, check_positive, check_step, common_dimension, freeze, no_gradient, read_vector

__all__ = ["BoxSupport", "EuclideanNorm", "GroupNorm", "L1Norm", "NuclearNorm"]


@dataclass(frozen=True, slots=True)
class L1Norm:
    """The function ``weight * sum |x_i|``, the penalty of the lasso.

    Parameters
    ----------
    weight : rational, default 1
        Factor, > 0.

    Examples
    --------
    >>> L1Norm(1).prox(np.array([3.0, -0.5]), 1.0)
    array([ 2., -0.])
    """

    weight: Fraction = Fraction(1)

    operator_class = SupportFunction()
    dimension = None

    def __post_init__(self) -> None:
        freeze(self, weight=check_positive("L1Norm", "weight", self.weight))

    def value(self, x: Array) -> float:
        """The weighted norm."""
        return float(self.weight) * float(np.abs(x).sum())

    def gradient(self, x: Array) -> Array:
        """Refused: the norm has a kink."""
        raise no_gradient("L1Norm")

    def prox(self, x: Array, step: float) -> Array:
        """Soft thresholding at ``step * weight``."""
        threshold = check_step(step) * float(self.weight)
        return np.sign(x) * np.maximum(np.abs(x) - threshold, 0.0)


@dataclass(frozen=True, slots=True)
class EuclideanNorm:
    """The function ``weight * |x|``, not squared.

    Parameters
    ----------
    weight : rational, default 1
        Factor, > 0.

    Examples
    --------
    >>> EuclideanNorm(1).prox(np.array([3.0, 4.0]), 2.5)
    array([1.5, 2. ])
    """

    weight: Fraction = Fraction(1)

    operator_class = SupportFunction()
    dimension = None

    def __post_init__(self) -> None:
        freeze(self, weight=check_positive("EuclideanNorm", "weight", self.weight))

    def value(self, x: Array) -> float:
        """The weighted norm."""
        return float(self.weight) * float(np.linalg.norm(x))

    def gradient(self, x: Array) -> Array:
        """Refused: the norm has a kink."""
        raise no_gradient("EuclideanNorm")

    def prox(self, x: Array, step: float) -> Array:
        """The point, pulled towards the origin by ``step * weight``."""
        return _shrink(x, check_step(step) * float(self.weight))


def _shrink(x: Array, pull: float) -> Array:
    size = float(np.linalg.norm(x))
    return x * (1 - pull / size) if size > pull else np.zeros_like(x)


@dataclass(frozen=True, slots=True)
class GroupNorm:
    """The function ``weight * sum_g |x_g|`` over disjoint groups of entries, the penalty of the group lasso.

    Parameters
    ----------
    groups : sequence of sequences of int
        Indices of each group, from 0; entries in no group cost nothing.
    size : int
        The dimension d.
    weight : rational, default 1
        Factor, > 0.

    Raises
    ------
    InvalidModelError
        If an index is out of range, or in two places.

    Examples
    --------
    >>> GroupNorm([(0, 1)], 3).prox(np.array([3.0, 4.0, 7.0]), 2.5)
    array([1.5, 2. , 7. ])
    """

    groups: tuple[tuple[int, ...], ...]
    size: int
    weight: Fraction = Fraction(1)

    operator_class = SupportFunction()

    def __post_init__(self) -> None:
        groups = _read_groups(self.groups, self.size)
        freeze(self, groups=groups, weight=check_positive("GroupNorm", "weight", self.weight))

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return self.size

    def value(self, x: Array) -> float:
        """The weighted sum of norms."""
        return float(self.weight) * sum(float(np.linalg.norm(x[list(group)])) for group in self.groups)

    def gradient(self, x: Array) -> Array:
        """Refused: the norm has a kink."""
        raise no_gradient("GroupNorm")

    def prox(self, x: Array, step: float) -> Array:
        """Each group, pulled towards its origin by ``step * weight``."""
        pull, y = check_step(step) * float(self.weight), x.copy()
        for group in self.groups:
            y[list(group)] = _shrink(x[list(group)], pull)
        return y


def _read_groups(groups: Sequence[Sequence[int]], size: int) -> tuple[tuple[int, ...], ...]:
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise InvalidModelError(f"GroupNorm needs a size >= 1, the dimension of the space, got {size!r}")
    read = tuple(tuple(int(index) for index in group) for group in groups)
    indices = [index for group in read for index in group]
    if any(not 0 <= index < size for index in indices) or len(set(indices)) < len(indices):
        raise InvalidModelError(f"GroupNorm needs disjoint groups of indices from 0 to {size - 1}, got {read}")
    return read


@dataclass(frozen=True, slots=True)
class NuclearNorm:
    """The function ``weight *`` sum of the singular values of a matrix, on matrices flattened row by row.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the matrix.
    weight : rational, default 1
        Factor, > 0.

    Examples
    --------
    >>> NuclearNorm((2, 2)).value(np.array([3.0, 0.0, 0.0, 4.0]))
    7.0
    """

    shape: tuple[int, int]
    weight: Fraction = Fraction(1)

    operator_class = SupportFunction()

    def __post_init__(self) -> None:
        shape = tuple(int(k) for k in self.shape)
        if len(shape) != 2 or min(shape) < 1:
            raise DimensionError(f"NuclearNorm needs a shape of two positive integers, got {self.shape}")
        freeze(self, shape=shape, weight=check_positive("NuclearNorm", "weight", self.weight))

    @property
    def dimension(self) -> int:
        """Number of entries of the matrix."""
        return self.shape[0] * self.shape[1]

    def value(self, x: Array) -> float:
        """The weighted sum of singular values."""
        return float(self.weight) * float(np.linalg.svd(x.reshape(self.shape), compute_uv=False).sum())

    def gradient(self, x: Array) -> Array:
        """Refused: the norm has a kink."""
        raise no_gradient("NuclearNorm")

    def prox(self, x: Array, step: float) -> Array:
        """Soft thresholding of the singular values at ``step * weight``."""
        threshold = check_step(step) * float(self.weight)
        left, values, right = np.linalg.svd(x.reshape(self.shape), full_matrices=False)
        return np.asarray((left * np.maximum(values - threshold, 0.0)) @ right).reshape(x.shape)


@dataclass(frozen=True, eq=False, init=False)
class BoxSupport:
    """The function ``sum max(lower_i x_i, upper_i x_i)``: the support function of a box, a norm with uneven slopes.

    Parameters
    ----------
    lower, upper : float or array_like of shape (d,)
        Slopes on the negative and on the positive side, finite, ``lower <= upper``; linear where they are equal.

    Examples
    --------
    >>> BoxSupport(-1.0, 3.0).value(np.array([2.0, -2.0]))
    8.0
    """

    lower: Array
    upper: Array

    operator_class = SupportFunction()

    def __init__(self, lower: ArrayLike, upper: ArrayLike) -> None:
        low, high = read_vector("BoxSupport", "lower", lower), read_vector("BoxSupport", "upper", upper)
        common_dimension("BoxSupport", lower=low, upper=high)
        if not np.all(low <= high):
            raise InvalidModelError(f"BoxSupport needs lower <= upper, got lower={low}, upper={high}")
        freeze(self, lower=low, upper=high)

    @property
    def dimension(self) -> int | None:
        """The length of the bounds; None if both are numbers."""
        return common_dimension("BoxSupport", lower=self.lower, upper=self.upper)

    def value(self, x: Array) -> float:
        """The function at x."""
        return float(np.maximum(self.lower * x, self.upper * x).sum())

    def gradient(self, x: Array) -> Array:
        """Refused: the function has a kink."""
        raise no_gradient("BoxSupport")

    def prox(self, x: Array, step: float) -> Array:
        """The point, minus ``step`` times the projection of ``x / step`` onto the box (Moreau)."""
        step = check_step(step)
        return x - np.clip(x, step * self.lower, step * self.upper)
