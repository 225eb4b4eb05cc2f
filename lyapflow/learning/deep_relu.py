"""Deep ReLU networks without biases: what the gradient flow keeps, and how fast an explicit method loses it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DimensionError, InvalidModelError
from .arguments import FixedModel, read_count, read_positive, read_row
from .equilibria import EquilibriumClass
from .evidence import ScalingLaw, fit_power
from .spectrum import Array
from .trajectories import Trajectory, follow, read_numbers, read_state

__all__ = ["DeepReLUNetwork", "fit_drift"]


class DeepReLUNetwork(FixedModel):
    r"""Gradient flow of :math:`\tfrac1{2n}\|f(X) - Y\|_F^2` for :math:`f(x) = W_h\phi(W_{h-1}\cdots\phi(W_1x))`.

    Per hidden neuron i of layer l the flow keeps :math:`|\mathrm{row}_i W_l|^2 - |\mathrm{col}_i W_{l+1}|^2`, because
    its input can be scaled by any positive number and its output by the inverse. A state is one row of numbers, the
    layers one after the other.

    Parameters
    ----------
    X : array_like, shape (d, n)
        Inputs, one column each.
    Y : array_like, shape (m, n)
        Labels.
    widths : sequence of int
        Of the hidden layers, at least one.

    Raises
    ------
    DimensionError
        If X and Y do not have as many columns.
    InvalidModelError
        If a width is not a positive integer.

    Notes
    -----
    Du, Hu, Lee, arXiv 1806.00900. The field jumps where a neuron is 0 at an input; tight tolerances only stall there.

    Examples
    --------
    >>> network = DeepReLUNetwork([[1.0, -1.0]], [[1.0, 0.0]], [2])
    >>> network.loss([1, 0, 1, 0])
    0.0
    """

    def __init__(self, X: ArrayLike, Y: ArrayLike, widths: Sequence[int]) -> None:
        self._X, self._Y = read_numbers(X, "X"), read_numbers(Y, "Y")
        if self._X.ndim != 2 or self._Y.ndim != 2 or self._X.shape[1] != self._Y.shape[1] or not self._X.size:
            raise DimensionError(f"X and Y must have one column for each input, got {self._X.shape}, {self._Y.shape}")
        if not isinstance(widths, Sequence) or not widths:
            raise InvalidModelError(f"widths must be a row of integers >= 1, at least one, got {widths!r:.60}")
        hidden = tuple(read_count(d, "widths") for d in widths)
        self.widths = (len(self._X), *hidden, len(self._Y))

    def __repr__(self) -> str:
        return f"DeepReLUNetwork(widths={list(self.widths)})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the state: the number of weights."""
        return (sum(a * b for a, b in pairwise(self.widths)),)

    def split(self, x: ArrayLike) -> list[Array]:
        """The layers W_1, ..., W_h of a state; W_l has shape (d_l, d_{l-1})."""
        flat, found, at = read_state(x, self.shape), [], 0
        for before, after in pairwise(self.widths):
            found.append(flat[at : at + before * after].reshape(after, before))
            at += before * after
        return found

    def _forward(self, layers: Sequence[Array]) -> tuple[list[Array], Array]:
        seen = [self._X]
        for W in layers[:-1]:
            seen.append(np.maximum(W @ seen[-1], 0))
        return seen, layers[-1] @ seen[-1]

    def loss(self, x: ArrayLike) -> float:
        """Half the mean squared error."""
        _, output = self._forward(self.split(x))
        return float(np.sum((output - self._Y) ** 2) / (2 * self._X.shape[1]))

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """The time derivative of the state, minus the gradient; at a kink that of the inactive side."""
        layers = self.split(x)
        seen, output = self._forward(layers)
        back, slopes = (output - self._Y) / self._X.shape[1], []
        for k in range(len(layers) - 1, -1, -1):
            slopes.append(back @ seen[k].T)
            back = (layers[k].T @ back) * (seen[k] > 0)
        return -np.concatenate([s.ravel() for s in reversed(slopes)])

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """Per hidden neuron, the squared norm of what comes in less that of what goes out."""
        layers = self.split(x)
        return {
            f"balance {k + 1}": np.sum(a**2, axis=1) - np.sum(b**2, axis=0) for k, (a, b) in enumerate(pairwise(layers))
        }

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "RK45",
        rtol: float = 1e-6,
        atol: float | None = None,
    ) -> Trajectory:
        """Integrate the flow numerically; see `SymmetricFactorization.simulate`."""
        return follow(self, x0, t_eval, method=method, rtol=rtol, atol=atol)

    def iterate(self, x0: ArrayLike, step: float, count: int) -> Array:
        """The state after so many steps of gradient descent."""
        x, h = read_state(x0, self.shape, "x0").copy(), read_positive(step, "step")
        for _ in range(read_count(count, "count", least=0)):
            x = x + h * self.vector_field(0.0, x)
        return x

    def equilibria(self) -> tuple[EquilibriumClass, ...]:
        """The origin, at which the gradient is 0; others depend on the data. With labels 0 it is a minimum.

        With two layers the loss falls beside it like a square, and has no second derivative there.
        """
        loss = float(np.sum(self._Y**2) / (2 * self._X.shape[1]))
        kind = "nonstrict saddle" if np.any(self._Y) else "minimum"
        return (EquilibriumClass(kind=kind, selection=(), spectrum=(), loss=loss, dimension=0),)


def fit_drift(network: DeepReLUNetwork, x0: ArrayLike, *, until: float, steps: Sequence[float]) -> ScalingLaw:
    """How the drift of the invariants under gradient descent scales with the step: like the step.

    Examples
    --------
    >>> network = DeepReLUNetwork([[1.0, -1.0]], [[1.0, -0.5]], [2])
    >>> law = fit_drift(network, [1, -1, 0.5, 0.2], until=1.0, steps=[0.1, 0.01, 0.001])
    >>> round(law.exponent, 1)
    1.0
    """
    first = np.concatenate(list(network.invariants(x0).values()))
    drift, end = [], read_positive(until, "until")
    for step in map(float, read_row(steps, "steps")):
        last = network.invariants(network.iterate(x0, step, round(end / read_positive(step, "steps"))))
        drift.append(float(np.max(np.abs(np.concatenate(list(last.values())) - first))))
    return fit_power(
        np.asarray(steps, dtype=float), drift, name="drift of the invariants against the step", predicted=Fraction(1)
    )
