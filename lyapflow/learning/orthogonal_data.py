"""Regression data whose inputs are pairwise orthogonal, exactly; what the networks on such data share."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from ..errors import DimensionError, InvalidModelError
from ..exact.matrices import Matrix, matrix
from ..exact.rationals import as_text, rational
from .spectrum import Array

__all__ = ["OrthogonalData", "read_width"]


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

    @staticmethod
    def read(X: object, y: object) -> OrthogonalData:
        """Data from rows of numbers."""
        try:
            given = list(y)  # type: ignore[call-overload]
        except TypeError:
            raise InvalidModelError(f"y must be a row of numbers, got {y!r:.80}") from None
        labels = tuple(rational(v, name=f"y[{k}]") for k, v in enumerate(given))
        return OrthogonalData(matrix(X, name="X"), labels)

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

    def side(self, sign: int) -> tuple[int, ...]:
        """Which labels have the sign 1 or -1."""
        if sign not in (1, -1):
            raise InvalidModelError(f"sign must be 1 or -1, got {sign!r}")
        return tuple(k for k, label in enumerate(self.labels) if label * sign > 0)


def read_width(width: object) -> int:
    """A number of neurons.

    Raises
    ------
    InvalidModelError
        If it is not an integer >= 1.
    """
    if isinstance(width, bool) or not isinstance(width, int | np.integer) or width < 1:
        raise InvalidModelError(f"width must be an integer >= 1, got {width!r}")
    return int(width)


def _freeze(array: Array) -> Array:
    array.flags.writeable = False
    return array
