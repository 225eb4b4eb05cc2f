r"""Products of layers :math:`P = W_1\cdots W_h` and the derivatives of :math:`\tfrac12\|\Sigma - P\|_F^2`.

The matrices are arrays of floats, or of objects: fractions and polynomials go through the same lines, so that what is
proved exactly is what is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Layers", "balances", "chain", "descend", "second_derivative", "squared_error", "stack"]

Layers = Sequence[NDArray[Any]]
"""The matrices :math:`W_1, \\dots, W_h`; W_i has shape (d_{i-1}, d_i)."""


def chain(layers: Layers, start: int, stop: int) -> NDArray[Any]:
    """The product of ``layers[start:stop]``, the identity if there are none.

    >>> chain([np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])], 0, 2)
    array([[11.]])
    """
    if start == stop:
        size = layers[start].shape[0] if start < len(layers) else layers[-1].shape[1]
        return np.eye(size, dtype=layers[0].dtype)
    product = layers[start]
    for layer in layers[start + 1 : stop]:
        product = product @ layer
    return product


def squared_error(layers: Layers, target: NDArray[Any]) -> Any:
    r""":math:`\tfrac12\|\Sigma - P\|_F^2`."""
    rest = target - chain(layers, 0, len(layers))
    return (rest * rest).sum() / 2


def descend(layers: Layers, target: NDArray[Any]) -> list[NDArray[Any]]:
    r"""Minus the gradient: :math:`(W_1\cdots W_{i-1})^\top(\Sigma - P)(W_{i+1}\cdots W_h)^\top` for each layer."""
    h = len(layers)
    rest = target - chain(layers, 0, h)
    return [chain(layers, 0, i).T @ rest @ chain(layers, i + 1, h).T for i in range(h)]


def second_derivative(layers: Layers, target: NDArray[Any]) -> NDArray[Any]:
    """The Hessian of the squared error, for layers flattened row by row one after the other; shape (n, n)."""
    h = len(layers)
    rest = target - chain(layers, 0, h)
    left = [chain(layers, 0, i) for i in range(h)]
    right = [chain(layers, i + 1, h) for i in range(h)]
    ends = np.cumsum([0, *(w.size for w in layers)])
    hessian = np.zeros((ends[-1], ends[-1]), dtype=rest.dtype)
    for i in range(h):
        for j in range(i, h):
            # gradient i moves with D_j by L_i' L_j D_j R_j R_i' and, j > i, by -L_i' rest R_j' D_j' M', M between both
            block = _outer(left[i].T @ left[j], (right[j] @ right[i].T).T)
            if j > i:
                between = chain(layers, i + 1, j).T
                # entry (a, b) by (p, q): (L_i' rest R_j')[a, q] between[p, b]
                turned = np.multiply.outer(left[i].T @ rest @ right[j].T, between).transpose(0, 3, 2, 1)
                block = block - turned.reshape(block.shape)
            hessian[ends[i] : ends[i + 1], ends[j] : ends[j + 1]] = block
            hessian[ends[j] : ends[j + 1], ends[i] : ends[i + 1]] = block.T
    return hessian


def balances(layers: Layers) -> list[NDArray[Any]]:
    r"""The conserved matrices :math:`W_i^\top W_i - W_{i+1}W_{i+1}^\top`, i = 1, ..., h - 1."""
    return [a.T @ a - b @ b.T for a, b in pairwise(layers)]


def stack(layers: Layers) -> NDArray[Any]:
    """The block-shift adjacency matrix: the layers on the first upper block diagonal."""
    widths = [layers[0].shape[0], *(w.shape[1] for w in layers)]
    ends = np.cumsum([0, *widths])
    adjacency = np.zeros((ends[-1], ends[-1]), dtype=layers[0].dtype)
    for i, layer in enumerate(layers):
        adjacency[ends[i] : ends[i + 1], ends[i + 1] : ends[i + 2]] = layer
    return adjacency


def _outer(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Kronecker product, for objects too."""
    rows, columns = a.shape[0] * b.shape[0], a.shape[1] * b.shape[1]
    return np.multiply.outer(a, b).transpose(0, 2, 1, 3).reshape(rows, columns)
