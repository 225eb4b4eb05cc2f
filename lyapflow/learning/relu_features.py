r"""Where the neural feature ansatz is false: exact witnesses, and a ReLU network that is trained to one.

A shallow ReLU network :math:`f(x) = \sum_j a_j\max(w_j\cdot x, 0)` on orthonormal inputs, trained from weights of
vanishing size, ends in two neurons (Boursier, Pillaud-Vivien, Flammarion, arXiv 2206.00939). With the inputs as basis
they are :math:`w_\pm = y_\pm/\sqrt{\|y_\pm\|}`, for the positive and the negative part of the labels, so that

.. math::
    W^\top W = w_+w_+^\top + w_-w_-^\top, \qquad
    \mathrm{AGOP} = \tfrac{n_+}n\|w_+\|^2w_+w_+^\top + \tfrac{n_-}n\|w_-\|^2w_-w_-^\top .
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InvalidModelError
from ..exact.elementary import exact_sqrt
from ..exact.matrices import Matrix, add, identity, multiply, scale, transpose
from ..exact.rationals import as_text, rational
from .arguments import read_positive
from .evidence import PROVED, Refutation
from .neural_feature import align, power
from .shallow_relu import ShallowReLU
from .spectrum import Array
from .trajectories import read_numbers

__all__ = [
    "ReluInterpolator",
    "interpolate",
    "refute_linear_exponent",
    "refute_need_of_balance",
    "refute_relu",
    "refute_unbalanced",
    "train_relu",
]

_NONE = Fraction(0)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ReluInterpolator:
    """A shallow ReLU network on the inputs e_1, ..., e_n.

    Attributes
    ----------
    weights : ndarray, shape (m, n)
        Rows w_j.
    outer : ndarray, shape (m,)
        The a_j.
    """

    weights: Array
    outer: Array

    def predict(self) -> Array:
        """Outputs at the inputs, shape (n,)."""
        return np.asarray(self.outer @ np.maximum(self.weights, 0))

    @property
    def feature_matrix(self) -> Array:
        """W'W."""
        return self.weights.T @ self.weights

    @property
    def agop(self) -> Array:
        """Mean of the outer products of the gradients at the inputs."""
        gradients = (self.outer[:, None] * (self.weights > 0)).T @ self.weights
        return gradients.T @ gradients / len(gradients)

    def alignment(self, alpha: float) -> float:
        """The cosine between W'W and AGOP^alpha."""
        return align(self.feature_matrix, power(self.agop, alpha))


def interpolate(y: ArrayLike) -> ReluInterpolator:
    """The two neurons in which training from vanishing weights ends, for labels y of both signs.

    Examples
    --------
    >>> net = interpolate([3**-0.5, 3**-0.5, 3**-0.5, -1])
    >>> round(net.alignment(0.5), 4), bool(np.allclose(net.predict(), [3**-0.5] * 3 + [-1]))
    (0.9659, True)
    """
    labels = read_numbers(y, "y")
    if labels.ndim != 1:
        raise InvalidModelError(f"y must be a row of labels, got the shape {labels.shape}")
    parts = np.stack([np.maximum(labels, 0), np.maximum(-labels, 0)])
    sizes = np.sqrt(np.linalg.norm(parts, axis=1))
    if not np.all(sizes > 0):
        raise InvalidModelError("y must have labels of both signs")
    return ReluInterpolator(weights=parts / sizes[:, None], outer=sizes * [1, -1])


def refute_relu(y: Sequence[object] = ("1/2", "1/2", "1/2", "1/2", -1)) -> Refutation | None:
    r"""Refute the ansatz, with any exponent and constant, for a ReLU network that fits its data exactly.

    Parameters
    ----------
    y : sequence of rationals
        Labels of the inputs e_1, ..., e_n, both signs, none zero, whose positive part and negative part have the norm
        1: then the network is rational.

    Returns
    -------
    Refutation or None
        Decided exactly. None if the ansatz holds for these labels: then as many are positive as negative.

    Examples
    --------
    >>> refute_relu().standing
    'proved'
    >>> refute_relu(["3/5", "4/5", "-5/13", "-12/13"]) is None
    True
    """
    labels = tuple(rational(v, name="y") for v in y)
    parts = tuple(tuple(max(s * v, _NONE) for v in labels) for s in (1, -1))
    if not all(labels) or [exact_sqrt(sum((v * v for v in part), _NONE)) for part in parts] != [1, 1]:
        raise InvalidModelError(f"y must have no zero, and parts of both signs with norm 1, got {list(map(str, y))}")
    weights, outer = parts, (Fraction(1), Fraction(-1))
    n = len(labels)
    outputs = tuple(sum(a * max(w[i], _NONE) for a, w in zip(outer, weights, strict=True)) for i in range(n))
    gradients = [
        [sum((a * w[k] for a, w in zip(outer, weights, strict=True) if w[i] > 0), _NONE) for k in range(n)]
        for i in range(n)
    ]
    agop = tuple(tuple(sum((g[i] * g[j] for g in gradients), Fraction(0)) / n for j in range(n)) for i in range(n))
    if outputs != labels:
        raise ArithmeticError("internal error: the network does not fit its labels")
    values = [_eigenvalues(m, weights) for m in (multiply(transpose(weights), weights), agop)]
    (plus, minus), (a_plus, a_minus) = values
    if plus != minus or a_plus == a_minus:
        return None
    return Refutation(
        statement="W'W is proportional to a positive power of the AGOP for a ReLU network that fits its data",
        witness=f"inputs e_1, ..., e_{n}, labels ({', '.join(map(as_text, labels))}), w = (y_+, y_-), a = (1, -1): "
        f"loss 0; on y_+ and y_- the eigenvalues of W'W are {as_text(plus)}, {as_text(minus)}, those of the AGOP "
        f"{as_text(a_plus)}, {as_text(a_minus)}: equal against different, so that no exponent but 0 fits",
        standing=PROVED,
    )


def refute_linear_exponent(depth: int = 3, exponent: object = "1/2") -> Refutation | None:
    """Refute an exponent other than 1/L for balanced linear networks: weights diag(1, 2), which fit diag(1, 2^L).

    Examples
    --------
    >>> refute_linear_exponent().witness.partition("; ")[2]
    "W1'W1 = diag(1, 4), J'J = diag(1, 64), 4 != 64^(1/2)"
    >>> refute_linear_exponent(2) is None
    True
    """
    alpha = rational(exponent, name="exponent")
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 2:
        raise InvalidModelError(f"depth must be an integer >= 2, got {depth!r}")
    if alpha * depth == 1:  # 4 = (4^L)^alpha
        return None
    return Refutation(
        statement=f"W1'W1 is proportional to (J'J)^({as_text(alpha)}) for balanced linear networks with {depth} layers",
        witness=f"X = I, Y = diag(1, {2**depth}), W_l = diag(1, 2), l = 1, ..., {depth}: balanced, loss 0; W1'W1 = "
        f"diag(1, 4), J'J = diag(1, {4**depth}), 4 != {4**depth}^({as_text(alpha)})",
        standing=PROVED,
    )


def refute_unbalanced() -> Refutation:
    """Refute the exponent 1/L without balance and without decay: an equilibrium at which it is false for ever."""
    first, second = identity(2), ((Fraction(1), Fraction(0)), (Fraction(0), Fraction(2)))
    product = multiply(second, first)
    feature, agop = multiply(transpose(first), first), multiply(transpose(product), product)
    gap = add(multiply(transpose(second), second), scale(Fraction(-1), multiply(first, transpose(first))))
    if multiply(feature, feature) == agop or not any(any(row) for row in gap):
        raise ArithmeticError("internal error: the weights are balanced")
    return Refutation(
        statement="W1'W1 is proportional to (J'J)^(1/2) for every linear network with two layers that fits its data",
        witness="X = I, Y = diag(1, 2), W1 = I, W2 = diag(1, 2): loss 0, an equilibrium; G1 = diag(0, 3) is "
        "conserved, W1'W1 = I, J'J = diag(1, 4): equal against different eigenvalues",
        standing=PROVED,
    )


def refute_need_of_balance() -> Refutation:
    """Refute that the exponent 1/L needs balanced weights: an equilibrium without balance at which it is true."""
    layers = (identity(2), scale(Fraction(2), identity(2)), scale(Fraction(1, 2), identity(2)))
    product = multiply(layers[2], multiply(layers[1], layers[0]))
    feature, agop = multiply(transpose(layers[0]), layers[0]), multiply(transpose(product), product)
    gap = add(multiply(transpose(layers[1]), layers[1]), scale(Fraction(-1), multiply(layers[0], transpose(layers[0]))))
    if multiply(multiply(feature, feature), feature) != agop or not any(any(row) for row in gap):
        raise ArithmeticError("internal error: the ansatz is false here, or the weights are balanced")
    return Refutation(
        statement="without weight decay, W1'W1 = (J'J)^(1/3) in linear networks with three layers only if they are "
        "balanced",
        witness="X = Y = I, W1 = I, W2 = 2 I, W3 = I/2: loss 0, an equilibrium; G1 = 3 I is conserved, W1'W1 = I = J'J",
        standing=PROVED,
    )


def train_relu(
    y: ArrayLike, *, scale: float = 1e-6, width: int = 100, seed: int = 0, until: float = 400.0, rtol: float = 1e-8
) -> ReluInterpolator:
    r"""Train a shallow ReLU network on the inputs e_1, ..., e_n by gradient flow from small weights.

    Parameters
    ----------
    y : array_like, shape (n,)
        Labels, none zero.
    scale : float, default 1e-6
        Standard deviation of the entries of the first weights; the outer ones are :math:`\pm\|w_j\|`, half of each
        sign.
    width, seed, until, rtol
        Number of neurons, seed of the draw, final time, relative tolerance; `ShallowReLU` integrates. A neuron never
        sees an input for which its weight is not positive: the limit of `interpolate` needs one with
        :math:`a_j > 0` that sees all positive labels at the start, and one with :math:`a_j < 0` that sees all negative
        ones, so there should be many.

    Raises
    ------
    InvalidModelError
        If an argument is out of its range.
    SimulationError
        If the integrator gives up.
    """
    labels = np.atleast_1d(read_numbers(y, "y"))
    network = ShallowReLU(np.eye(labels.size), labels, width=width)
    first = read_positive(scale, "scale") * np.random.default_rng(seed).normal(size=(width, labels.size))
    signs = np.where(np.arange(width) % 2, -1.0, 1.0)
    start = network.join(signs * np.linalg.norm(first, axis=1), first)
    outer, weights = network.split(network.simulate(start, [until], rtol=rtol).x[-1])
    return ReluInterpolator(weights=weights, outer=outer)


def _eigenvalues(m: Matrix, vectors: Matrix) -> list[Fraction]:
    """The eigenvalues of given eigenvectors, each checked exactly."""
    found = []
    for vector in vectors:
        column = tuple((v,) for v in vector)
        image = multiply(m, column)
        value = sum((a[0] * b[0] for a, b in zip(image, column, strict=True)), Fraction(0)) / sum(v * v for v in vector)
        if image != scale(value, column):
            raise ArithmeticError("internal error: a vector that should be an eigenvector is none")
        found.append(value)
    return found
