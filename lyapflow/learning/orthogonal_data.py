"""Regression data whose inputs are pairwise orthogonal, exactly; what the networks on such data share."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DimensionError, InvalidModelError
from ..exact.matrices import Matrix, matrix
from ..exact.rationals import as_text
from .arguments import read_row, require_floats
from .spectrum import Array
from .trajectories import read_numbers

__all__ = ["OrthogonalData"]


@dataclass(frozen=True)
class OrthogonalData:
    """Inputs x_1, ..., x_n and labels y_1, ..., y_n, as rationals.

    Attributes
    ----------
    inputs : Matrix, shape (n, d)
        One input a row; floats stand for their exact values. None is zero, and each two are orthogonal.
    labels : tuple of n Fraction
        None is zero.

    Raises
    ------
    InvalidModelError
        If an input or a label is zero, or two inputs are not orthogonal.
    DimensionError
        If there are not as many labels as inputs.

    Examples
    --------
    >>> data = OrthogonalData.read([["-1/2", 1], [2, 1]], [-1, 1])
    >>> data.squares
    (Fraction(5, 4), Fraction(5, 1))
    """

    inputs: Matrix
    labels: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        rows = (self.labels, *self.inputs) if isinstance(self.inputs, tuple) else ()
        if not rows or not all(isinstance(r, tuple) and all(isinstance(v, Fraction) for v in r) for r in rows):
            raise InvalidModelError("inputs and labels must be tuples of Fraction; OrthogonalData.read makes them")
        if not self.inputs:
            raise InvalidModelError("X must have at least one row, got none")
        if len(self.labels) != len(self.inputs):
            raise DimensionError(f"y must have one label for each of {len(self.inputs)} inputs, got {len(self.labels)}")
        if not all(self.labels):
            raise InvalidModelError("y must have no label 0: such an input is fitted by not being seen; leave it out")
        for k, x in enumerate(self.inputs):
            for other, z in enumerate(self.inputs[: k + 1]):
                product = sum((a * b for a, b in zip(x, z, strict=True)), Fraction(0))
                if other < k and product:
                    raise InvalidModelError(
                        f"X must have pairwise orthogonal rows, got x_{other + 1} . x_{k + 1} = {float(product):.3g}. "
                        "The flow does not see rotations: the rows of diag(norms) stand for any orthogonal inputs."
                    )
                if other == k and not product:
                    raise InvalidModelError(f"X must have no zero row, got x_{k + 1} = 0")
        require_floats(self.labels, "y")
        require_floats(self.squares, "the squared norms of X")

    @staticmethod
    def read(X: object, y: object) -> OrthogonalData:
        """Data from rows of numbers."""
        return OrthogonalData(matrix(X, name="X"), read_row(y, "y"))

    @cached_property
    def squares(self) -> tuple[Fraction, ...]:
        """The squared norms of the inputs."""
        return tuple(sum((v * v for v in x), Fraction(0)) for x in self.inputs)

    @cached_property
    def X(self) -> Array:
        """The inputs in floats, shape (n, d), read-only."""
        return _freeze(np.array([[float(v) for v in x] for x in self.inputs]))

    @cached_property
    def y(self) -> Array:
        """The labels in floats, shape (n,), read-only."""
        return _freeze(np.array([float(v) for v in self.labels]))

    @cached_property
    def q(self) -> Array:
        """The squared norms in floats, shape (n,), read-only."""
        return _freeze(np.array([float(v) for v in self.squares]))

    def describe(self) -> str:
        """The squared norms and the labels, exactly: up to a rotation of the inputs they are the data.

        >>> OrthogonalData.read([["-1/2", 1], [2, 1]], [-1, 1]).describe()
        'y=(-1, 1), |x|^2=(5/4, 5)'
        """
        names = {"y": self.labels, "|x|^2": self.squares}
        parts = {name: ", ".join(map(as_text, v[:6])) + ", ..." * (len(v) > 6) for name, v in names.items()}
        return ", ".join(f"{name}=({text})" for name, text in parts.items())

    def read_points(self, points: ArrayLike) -> Array:
        """Other points than the inputs, one a row, in floats.

        Raises
        ------
        DimensionError
            If they have another dimension.
        """
        found = read_numbers(points, "points")
        if found.ndim != 2 or found.shape[1] != self.X.shape[1]:
            raise DimensionError(f"points must have shape (k, {self.X.shape[1]}), got {found.shape}")
        return found

    def side(self, sign: int) -> tuple[int, ...]:
        """Which labels have the sign 1 or -1."""
        if not isinstance(sign, int) or sign not in (1, -1):
            raise InvalidModelError(f"sign must be 1 or -1, got {sign!r}")
        return tuple(k for k, label in enumerate(self.labels) if label * sign > 0)


def _freeze(array: Array) -> Array:
    array.flags.writeable = False
    return array
