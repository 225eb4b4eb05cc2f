"""Gradient flows of shallow networks with squared ReLU, homogeneous of degree 3, on orthogonal inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from ..errors import InvalidModelError, SimulationError
from . import squared_rays as rays
from .arguments import read_count, read_index, read_positive
from .equilibria import EquilibriumClass
from .shallow import ShallowNetwork
from .spectrum import Array
from .trajectories import Trajectory, read_state, read_times

__all__ = ["SquaredReLU"]


class SquaredReLU(ShallowNetwork):
    r"""The gradient flow of :math:`\frac12\sum_i(y_i - H(x_i))^2`, :math:`H(x) = \sum_jv_j\max(w_j\cdot x, 0)^2`.

    .. math::
        \dot v_j = \sum_ir_i\max(w_j\cdot x_i, 0)^2, \qquad \dot w_j = 2v_j\sum_ir_i\max(w_j\cdot x_i, 0)\,x_i,
        \qquad r_i = y_i - H(x_i) .

    H is homogeneous of degree 3 in the weights, and its gradient is locally Lipschitz. A state is one row of numbers,
    :math:`v_1, \dots, v_m` and then :math:`w_1, \dots, w_m`; `split` and `join` translate.

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
    A test system for Kumar and Haupt, arXiv 2502.15952: from small weights the flow follows the correlation
    :math:`N(\theta) = \sum_iy_iH(x_i;\theta)`, leaves the origin along one of its rays, and goes to a saddle; see
    `lyapflow.learning.squared_rays`. With orthogonal inputs :math:`w_j\cdot x_i` keeps its sign for ever.

    Examples
    --------
    >>> network = SquaredReLU([[1, 0], [0, 1]], [1, "-3/5"], width=4)
    >>> network.simulate(network.start_ray(0, 1e-2), [50, 100]).loss.round(3)
    array([0.68, 0.18])
    """

    def predict(self, x: ArrayLike, points: ArrayLike | None = None) -> Array:
        """The outputs at the inputs, or at other points given as rows."""
        v, W = self.split(x)
        at = self._data.X if points is None else self._data.read_points(points)
        return np.asarray(v @ np.maximum(W @ at.T, 0.0) ** 2)

    def loss(self, x: ArrayLike) -> float:
        """Half the sum of the squared residuals."""
        return float(np.sum((self._data.y - self.predict(x)) ** 2)) / 2

    def correlate(self, x: ArrayLike) -> float:
        r"""The neural correlation :math:`N(\theta) = \sum_iy_iH(x_i)`."""
        return float(self._data.y @ self.predict(x))

    def measure_neurons(self, x: ArrayLike) -> Array:
        """The norm of each neuron, of v_j and w_j together; shape (m,)."""
        v, W = self.split(x)
        return np.asarray(np.hypot(v, np.linalg.norm(W, axis=1)))

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """The time derivative of the state, minus the gradient of the loss; t has no say."""
        v, W = self.split(x)
        seen = np.maximum(W @ self._data.X.T, 0.0)
        rest = self._data.y - v @ seen**2
        return np.concatenate([seen**2 @ rest, (2 * v[:, None] * ((seen * rest) @ self._data.X)).ravel()])

    def jacobian(self, x: ArrayLike) -> Array:
        """Derivative of the vector field, shape (P, P), symmetric; where w_j . x_i is zero, from the side below it."""
        v, W = self.split(x)
        m, d = W.shape
        X = self._data.X
        seen = np.maximum(W @ X.T, 0.0)
        outputs = np.concatenate([seen.T**2, np.einsum("j,jk,kc->kjc", 2 * v, seen, X).reshape(len(X), -1)], axis=1)
        rest = self._data.y - self.predict(x)
        found = -outputs.T @ outputs
        for j in range(m):
            inner = slice(m + j * d, m + (j + 1) * d)
            found[j, inner] += 2 * (seen[j] * rest) @ X
            found[inner, j] += 2 * (seen[j] * rest) @ X
            found[inner, inner] += 2 * v[j] * (X.T * ((seen[j] > 0) * rest)) @ X
        return found

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """What the flow conserves: ``balance``, the ``|w_j|^2 - 2 v_j^2``."""
        v, W = self.split(x)
        return {"balance": np.sum(W**2, axis=1) - 2 * v**2}

    def random_start(self, seed: int, *, scale: float) -> Array:
        """A state of norm `scale` in a direction drawn uniformly, which does not depend on the scale."""
        scale = read_positive(scale, "scale")
        g = np.random.default_rng(read_count(seed, "seed", least=0)).normal(size=self.shape)
        return np.asarray(scale * g / np.linalg.norm(g))

    def start_ray(self, label: int, scale: float) -> Array:
        """The state of norm `scale` on the ray of one label, all other neurons zero.

        Parameters
        ----------
        label : int
            Which, counted from 0; the first neuron learns it.
        scale : float
            The norm, >= 0.
        """
        y, q, X = self._data.y, self._data.q, self._data.X
        label = read_index(label, len(y), "label")
        v, W = np.zeros(self._width), np.zeros((self._width, X.shape[1]))
        v[0], W[0] = np.sign(y[label]) / np.sqrt(3), np.sqrt(2 / (3 * q[label])) * X[label]
        return read_positive(scale, "scale", or_zero=True) * self.join(v, W)

    def simulate(
        self, x0: ArrayLike, t_eval: ArrayLike, *, rtol: float = 1e-12, atol: float | None = None
    ) -> Trajectory:
        r"""Integrate from t = 0 and sample at increasing times >= 0, by an implicit method where the flow is stiff.

        Parameters
        ----------
        x0 : array_like
            Start.
        t_eval : array_like, shape (T,)
            Sample times.
        rtol : float, default 1e-12
            Relative tolerance, of the v_j, and of the positive :math:`w_j\cdot x_i`, whose logarithms are integrated:
            they keep their sign, and the others do not move. So a weight that waits at :math:`10^{-100}` on a plateau
            of length :math:`10^5` is no burden.
        atol : float, optional
            Absolute tolerance of the v_j; by default `rtol` times the largest entry of the start.

        Raises
        ------
        SimulationError
            If the integrator gives up.
        """
        start, times = read_state(x0, self.shape, "x0"), read_times(t_eval)
        rtol = read_positive(rtol, "rtol")
        v, W = self.split(start)
        first = W @ self._data.X.T
        seen = first > 0
        q, y, m = self._data.q, self._data.y, self._width
        moving = np.flatnonzero(seen)
        floor = (
            rtol * max(float(np.abs(start).max()), np.finfo(float).tiny)
            if atol is None
            else read_positive(atol, "atol")
        )

        def unfold(flat: Array) -> Array:
            products = np.zeros(seen.size)
            products[moving] = np.exp(np.minimum(flat[m:], 30.0))  # a trial step may overshoot
            return products.reshape(seen.shape)

        def push(t: float, flat: Array) -> Array:
            squares = unfold(flat) ** 2
            rest = y - flat[:m] @ squares
            return np.concatenate([squares @ rest, (2 * flat[:m, None] * (rest * q)).ravel()[moving]])

        if times[-1] == 0:
            return Trajectory(t=times, x=start[None].copy(), flow=self, evaluations=0)
        with np.errstate(all="ignore"):
            found = solve_ivp(
                push,
                (0.0, float(times[-1])),
                np.concatenate([v, np.log(first[seen])]),
                method="LSODA",
                t_eval=times,
                rtol=rtol,
                atol=np.concatenate([np.full(m, floor), np.full(len(moving), rtol)]),
            )
        if not found.success or not np.all(np.isfinite(found.y[:m])):
            raise SimulationError(f"the integration stopped before t = {times[-1]:g}: {found.message}")
        states = np.empty((len(times), start.size))
        for row, flat in zip(states, found.y.T, strict=True):
            moved = np.where(seen, unfold(flat) - first, 0.0) / q
            row[:m], row[m:] = flat[:m], (W + moved @ self._data.X).ravel()
        return Trajectory(t=times, x=states, flow=self, evaluations=int(found.nfev))

    def equilibria(self) -> Iterator[EquilibriumClass]:
        """One class for each set of labels that is learnt, by one balanced neuron each, see `squared_rays`."""
        return rays.enumerate_learnt(self._data, self._width)

    def represent(self, groups: Sequence[Sequence[int]]) -> Array:
        """The balanced state in which each of the first neurons has absorbed a group of labels of one sign.

        Parameters
        ----------
        groups : sequence of sequences of int
            Indices of labels, counted from 0, each at most once.

        Raises
        ------
        InvalidModelError
            If there are more groups than neurons, a label occurs twice, or a group has labels of both signs.

        Examples
        --------
        >>> network = SquaredReLU([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [1, "4/5", "-3/5"], width=1)
        >>> x = network.represent([[0, 1]])
        >>> round(network.loss(x), 12), round(float(np.linalg.norm(x)), 5)
        (0.18, 1.67228)
        """
        if not isinstance(groups, Sequence) or not all(
            isinstance(g, Sequence) and not isinstance(g, str) for g in groups
        ):
            raise InvalidModelError(f"groups must be rows of indices of labels, got {groups!r:.60}")
        used = [read_index(k, len(self._data.labels), "label") for group in groups for k in group]
        if len(groups) > self._width or len(set(used)) < len(used):
            raise InvalidModelError(
                f"groups must be at most {self._width}, without a label twice, got {[list(g) for g in groups]}"
            )
        v, W = np.zeros(self._width), np.zeros((self._width, self._data.X.shape[1]))
        for j, group in enumerate(groups):
            v[j], W[j] = rays.absorb(self._data, group)
        return self.join(v, W)
