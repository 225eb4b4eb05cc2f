"""What shallow networks on orthogonal inputs have in common: the data, the width, and how a state holds the weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .arguments import FixedModel, read_count
from .orthogonal_data import OrthogonalData
from .spectrum import Array
from .trajectories import read_state

__all__ = ["ShallowNetwork"]


class ShallowNetwork(FixedModel):
    """A hidden layer of m neurons on orthogonal inputs. A state holds the m outer weights, then the inner ones by rows.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs as rows, exactly orthogonal.
    y : array_like, shape (n,)
        Labels.
    width : int
        m >= 1.

    Raises
    ------
    InvalidModelError
        If the inputs are not orthogonal, or an argument is out of its range.
    """

    def __init__(self, X: object, y: object, *, width: int) -> None:
        self._data = OrthogonalData.read(X, y)
        self._width = read_count(width, "width")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._data.describe()}, width={self._width})"

    @property
    def data(self) -> OrthogonalData:
        """The inputs and labels, exact."""
        return self._data

    @property
    def width(self) -> int:
        """The number m of neurons."""
        return self._width

    @property
    def shape(self) -> tuple[int]:
        """Shape of the state: m (d + 1) weights."""
        return (self._width * (self._data.X.shape[1] + 1),)

    def split(self, x: ArrayLike) -> tuple[Array, Array]:
        """The outer weights, shape (m,), and the inner ones, shape (m, d), of a state."""
        state = read_state(x, self.shape)
        return state[: self._width], state[self._width :].reshape(self._width, -1)

    def join(self, outer: ArrayLike, weights: ArrayLike) -> Array:
        """The state with the given weights."""
        first = read_state(outer, (self._width,), "outer")
        W = read_state(weights, (self._width, self._data.X.shape[1]), "weights")
        return np.concatenate([first, W.ravel()])
