"""Gradient flows of shallow ReLU networks on orthogonal inputs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InvalidModelError
from . import relu_limits as limits
from .arguments import read_count, read_positive
from .equilibria import EquilibriumClass
from .relu_pieces import Pieces, Switch, integrate_pieces
from .shallow import ShallowNetwork
from .spectrum import Array
from .trajectories import Trajectory, read_state, read_times

__all__ = ["ShallowReLU"]


class ShallowReLU(ShallowNetwork):
    r"""The gradient flow of :math:`\frac1{2n}\sum_k(y_k - h(x_k))^2`, :math:`h(x) = \sum_j a_j\max(w_j\cdot x, 0)`.

    .. math::
        \dot a_j = w_j\cdot D_j, \qquad \dot w_j = a_jD_j, \qquad
        D_j = \tfrac1n\sum_k 1[w_j\cdot x_k > 0]\,(y_k - h(x_k))\,x_k .

    A state is one row of numbers, :math:`a_1, \dots, a_m` and then :math:`w_1, \dots, w_m`; `split` and `join`
    translate. At a kink the derivative of the ReLU is 0: an input with :math:`w_j\cdot x_k = 0` is not seen.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Inputs, one a row, pairwise orthogonal exactly, none zero. Floats stand for their exact values.
    y : sequence of n numbers
        Labels, none zero.
    width : int
        Number m of neurons.

    Raises
    ------
    InvalidModelError
        If the inputs are not orthogonal, an input or a label is zero, or the width is no integer >= 1.
    DimensionError
        If there are not as many labels as inputs.

    Notes
    -----
    Boursier, Pillaud-Vivien and Flammarion, arXiv 2206.00939. From small balanced weights the neurons first turn
    towards :math:`D_\pm = \frac1n\sum_{\pm y_k>0}|y_k|x_k`, then the labels of one sign are fitted, then the others;
    see `lyapflow.learning.relu_limits`.

    Examples
    --------
    >>> network = ShallowReLU([["-1/2", 1], [2, 1]], [-1, 1], width=60)
    >>> start = network.random_start(0, scale=1e-6)
    >>> network.simulate(start, [20, 80]).loss.round(3)
    array([0.25, 0.  ])
    >>> len(network.find_switches(start, 80))
    32
    """

    def predict(self, x: ArrayLike, points: ArrayLike | None = None) -> Array:
        """The outputs at the inputs, or at other points given as rows."""
        a, W = self.split(x)
        at = self._data.X if points is None else self._data.read_points(points)
        return np.asarray(a @ np.maximum(W @ at.T, 0.0))

    def loss(self, x: ArrayLike) -> float:
        """Half the mean of the squared residuals."""
        return float(np.mean((self._data.y - self.predict(x)) ** 2)) / 2

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """The time derivative of the state, minus the gradient of the loss where there is one; t has no say."""
        a, W = self.split(x)
        products = W @ self._data.X.T
        seen = products > 0
        rest = (self._data.y - a @ (seen * products)) / len(self._data.y)
        return np.concatenate([(seen * products) @ rest, (a[:, None] * ((seen * rest) @ self._data.X)).ravel()])

    def jacobian(self, x: ArrayLike) -> Array:
        """Derivative of the vector field while no neuron changes what it sees, shape (P, P), symmetric."""
        a, W = self.split(x)
        m, d = W.shape
        n = len(self._data.y)
        seen = (W @ self._data.X.T > 0).astype(float)
        outputs = np.concatenate(
            [(seen * (W @ self._data.X.T)).T, np.einsum("j,jk,kc->kjc", a, seen, self._data.X).reshape(n, -1)], axis=1
        )
        found = -outputs.T @ outputs / n
        drives = (seen * ((self._data.y - self.predict(x)) / n)) @ self._data.X
        for j in range(m):
            inner = slice(m + j * d, m + (j + 1) * d)
            found[j, inner] += drives[j]
            found[inner, j] += drives[j]
        return found

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """What the flow conserves: ``balance``, the ``a_j^2 - |w_j|^2``."""
        a, W = self.split(x)
        return {"balance": a**2 - np.sum(W**2, axis=1)}

    def random_start(self, seed: int, *, scale: float) -> Array:
        r"""Balanced normal weights: :math:`w_j = \lambda g_j/\sqrt{md}`, :math:`a_j = \pm\|w_j\|` with fair signs.

        Parameters
        ----------
        seed : int
            Of the draw, which does not depend on the scale.
        scale : float
            The :math:`\lambda > 0`.
        """
        scale = read_positive(scale, "scale")
        draw = np.random.default_rng(read_count(seed, "seed", least=0))
        g = draw.normal(size=(self._width, self._data.X.shape[1]))
        signs = draw.choice([-1.0, 1.0], size=self._width)
        weights = g / np.sqrt(g.size)
        return scale * self.join(signs * np.linalg.norm(weights, axis=1), weights)

    def simulate(
        self, x0: ArrayLike, t_eval: ArrayLike, *, rtol: float = 1e-10, atol: float | None = None
    ) -> Trajectory:
        r"""Integrate from t = 0, piece by piece between changes of activation, and sample at increasing times >= 0.

        Parameters
        ----------
        x0 : array_like
            Start.
        t_eval : array_like, shape (T,)
            Sample times.
        rtol : float, default 1e-10
            Relative tolerance. There are no kinks within a piece, so tight ones cost little.
        atol : float, optional
            Absolute tolerance; by default `rtol` times the size of each neuron at the start.

        Raises
        ------
        SimulationError
            If the integrator gives up.

        Notes
        -----
        A product :math:`w_j\cdot x_k` that has come down to zero is handed out a few roundings below zero, so that
        the state says that the input is not seen.
        """
        start = read_state(x0, self.shape, "x0")
        times, found = self._integrate(start, t_eval, rtol, atol)
        _, W = self.split(start)
        first = W @ self._data.X.T
        states = np.empty((len(times), start.size))
        states[:, : self._width] = found.outer
        moved = (found.products - first) / self._data.q
        weights = W + moved @ self._data.X
        hidden = self._hide(weights, (found.products == 0) & (first > 0), W)
        states[:, self._width :] = hidden.reshape(len(times), -1)
        return Trajectory(t=times, x=states, flow=self, evaluations=found.evaluations)

    def find_switches(self, x0: ArrayLike, until: float, *, rtol: float = 1e-10) -> tuple[Switch, ...]:
        """The changes of activation up to a time, each a neuron that ceases to see an input, in order."""
        return self._integrate(read_state(x0, self.shape, "x0"), [until], rtol, None)[1].switches

    def equilibria(self) -> Iterator[EquilibriumClass]:
        """The saddle at zero, those that have learnt the labels of one sign, and the interpolators of least norm."""
        return limits.enumerate_learnt(self._data, self._width)

    def least_interpolator(self) -> Array:
        """The state of at most two neurons that fits the data with the least norm, see `relu_limits`."""
        return self.represent((1, -1))

    def represent(self, signs: tuple[int, ...]) -> Array:
        """The balanced state that has learnt the labels of some signs with one neuron each, the others zero.

        Raises
        ------
        InvalidModelError
            If there are too few neurons.
        """
        if not isinstance(signs, tuple) or len(set(signs)) < len(signs):
            raise InvalidModelError(f"signs must be (1,), (-1,), (1, -1) or (), got {signs!r:.60}")
        neurons = [limits.find_neuron(self._data, s) for s in signs if self._data.side(s)]
        if len(neurons) > self._width:
            raise InvalidModelError(f"width must be >= {len(neurons)}, one neuron for each sign, got {self._width}")
        a, W = np.zeros(self._width), np.zeros((self._width, self._data.X.shape[1]))
        for j, (outer, weights) in enumerate(neurons):
            a[j], W[j] = outer, weights
        return self.join(a, self._hide(W, (W @ self._data.X.T != 0) & (a[:, None] * self._data.y <= 0), W))

    def _hide(self, weights: Array, gone: NDArray[np.bool_], made_from: Array) -> Array:
        """Weights with some products, zero but for rounding, a few roundings below zero: such inputs are not seen."""
        sizes = (np.linalg.norm(weights, axis=-1) + np.linalg.norm(made_from, axis=-1))[..., None] / np.sqrt(
            self._data.q
        )
        return np.asarray(weights - np.where(gone, 16 * np.finfo(float).eps * sizes, 0.0) @ self._data.X)

    def _integrate(self, start: Array, t_eval: ArrayLike, rtol: float, atol: float | None) -> tuple[Array, Pieces]:
        times = read_times(t_eval)
        rtol = read_positive(rtol, "rtol")
        a, W = self.split(start)
        sizes = np.maximum(np.hypot(a, np.linalg.norm(W, axis=1)), np.finfo(float).tiny)
        floor = rtol * sizes if atol is None else np.full(len(a), read_positive(atol, "atol"))
        return times, integrate_pieces(self._data, a, W @ self._data.X.T, times, rtol=rtol, atol=floor)
