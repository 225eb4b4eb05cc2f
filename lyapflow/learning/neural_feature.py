"""Deep linear networks with weight decay, and the neural feature ansatz: W1'W1 against powers of J'J."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DimensionError, InvalidModelError
from .equilibria import EquilibriumClass
from .evidence import PROVED, Invariant, ScalingLaw, fit_power
from .feature_identities import prove_feature_identities
from .spectrum import Array
from .trajectories import Trajectory, follow, read_state

__all__ = ["NeuralFeatureFlow", "align", "power"]


class NeuralFeatureFlow:
    r"""The gradient flow of :math:`\frac1{2N}\|W_L\cdots W_1X - Y\|_F^2 + \frac\lambda2\sum_l\|W_l\|_F^2`.

    The state is the row of all entries of :math:`W_1, \dots, W_L`, each row by row; `split` and `join` translate.

    Parameters
    ----------
    X : array_like, shape (d_0, N)
        Inputs, one a column.
    Y : array_like, shape (d_L, N)
        Targets.
    widths : sequence of int
        The hidden widths :math:`d_1, \dots, d_{L-1}`, at least one.
    decay : float, default 0
        The weight decay :math:`\lambda\ge0`.

    Raises
    ------
    DimensionError
        If X and Y have not as many columns.
    InvalidModelError
        If an argument is out of its range.

    Notes
    -----
    With J = W_L ... W_1, the average gradient outer product (AGOP) of f(x) = Jx is J'J. The ansatz says
    :math:`W_1^\top W_1\propto(J^\top J)^\alpha`; Tansley, Massart and Cartis, arXiv 2510.15563 (AISTATS 2026).
    Balanced weights, :math:`W_{l+1}^\top W_{l+1} = W_lW_l^\top`, fulfil it with :math:`\alpha = 1/L` and the constant
    1, and stay balanced.

    Examples
    --------
    >>> flow = NeuralFeatureFlow(np.eye(2), np.diag([1.0, 8.0]), [2, 2])
    >>> x = flow.join([np.diag([1.0, 2.0])] * 3)
    >>> flow.loss(x), round(flow.alignment(x, 1 / 3), 6), round(flow.alignment(x, 1 / 2), 4)
    (0.0, 1.0, 0.9927)
    """

    def __init__(self, X: ArrayLike, Y: ArrayLike, widths: Sequence[int], *, decay: float = 0.0) -> None:
        inputs, targets = (np.asarray(v, dtype=float) for v in (X, Y))
        if inputs.ndim != 2 or targets.ndim != 2 or inputs.shape[1] != targets.shape[1] or not inputs.shape[1]:
            raise DimensionError(
                f"X and Y must be matrices with as many columns, got {inputs.shape} and {targets.shape}"
            )
        if not (np.all(np.isfinite(inputs)) and np.all(np.isfinite(targets))):
            raise InvalidModelError("X and Y must have finite entries")
        if not widths or any(isinstance(w, bool) or int(w) != w or w < 1 for w in widths):
            raise InvalidModelError(f"widths must be one or more integers >= 1, got {list(widths)}")
        if not 0 <= decay < np.inf:
            raise InvalidModelError(f"decay must be >= 0 and finite, got {decay!r}")
        sizes = [len(inputs), *map(int, widths), len(targets)]
        self._shapes = [(b, a) for a, b in pairwise(sizes)]
        self._ends = np.cumsum([0, *(a * b for a, b in self._shapes)])
        self._decay = float(decay)
        self._moment, self._target = inputs @ inputs.T / inputs.shape[1], targets @ inputs.T / inputs.shape[1]
        self._inputs, self._targets = inputs, targets

    def __repr__(self) -> str:
        widths = [len(self._moment), *(rows for rows, _ in self._shapes)]
        return f"NeuralFeatureFlow(widths={widths}, decay={self._decay:g})"

    @property
    def depth(self) -> int:
        """L, the number of layers."""
        return len(self._shapes)

    @property
    def decay(self) -> float:
        """The weight decay."""
        return self._decay

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the state: one row of all weights."""
        return (int(self._ends[-1]),)

    def split(self, x: ArrayLike) -> list[Array]:
        """The weights W_1, ..., W_L of a state."""
        state = read_state(x, self.shape)
        return [state[a:b].reshape(s) for a, b, s in zip(self._ends[:-1], self._ends[1:], self._shapes, strict=True)]

    def join(self, weights: Sequence[ArrayLike]) -> Array:
        """The state of weights W_1, ..., W_L."""
        given = [np.asarray(w, dtype=float) for w in weights]
        if [w.shape for w in given] != self._shapes:
            raise DimensionError(f"weights must have shapes {self._shapes}, got {[w.shape for w in given]}")
        return np.concatenate([w.ravel() for w in given])

    def product(self, x: ArrayLike) -> Array:
        """J = W_L ... W_1, shape (d_L, d_0)."""
        return _multiply(self.split(x), self._shapes[0][1])

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """Minus the gradient of `loss`; it does not depend on t."""
        weights = self.split(x)
        error = self.product(x) @ self._moment - self._target
        moved = [
            -after.T @ error @ before.T - self._decay * w
            for w, (before, after) in zip(weights, self._around(weights), strict=True)
        ]
        return self.join(moved)

    def jacobian(self, x: ArrayLike) -> Array:
        """Derivative of the vector field, shape (P, P), symmetric; a dense one, for small networks."""
        weights, size = self.split(x), self.shape[0]
        error, around = self.product(x) @ self._moment - self._target, self._around(weights)
        found = np.empty((size, size))
        for k, unit in enumerate(np.eye(size)):
            moves = self.split(unit)
            turned = [_differentiate(weights[:i], moves[:i], self._shapes[0][1]) for i in range(self.depth + 1)]
            error_moves = turned[-1] @ self._moment
            parts = []
            for i, (before, after) in enumerate(around):
                after_moves = _differentiate(weights[i + 1 :], moves[i + 1 :], self._shapes[i][0])
                part = (
                    after_moves.T @ error @ before.T + after.T @ error_moves @ before.T + after.T @ error @ turned[i].T
                )
                parts.append(-part - self._decay * moves[i])
            found[k] = self.join(parts)
        return found

    def loss(self, x: ArrayLike) -> float:
        """The mean square loss, halved, with half the decay times the squares of all weights."""
        rest = self.product(x) @ self._inputs - self._targets
        return float(np.sum(rest**2) / (2 * rest.shape[1]) + self._decay / 2 * np.sum(np.asarray(x, dtype=float) ** 2))

    def feature_matrix(self, x: ArrayLike) -> Array:
        """The neural feature matrix W_1' W_1, shape (d_0, d_0)."""
        first = self.split(x)[0]
        return first.T @ first

    def agop(self, x: ArrayLike) -> Array:
        """The average gradient outer product J'J, shape (d_0, d_0)."""
        product = self.product(x)
        return product.T @ product

    def alignment(self, x: ArrayLike, alpha: float) -> float:
        """The cosine between W_1' W_1 and (J'J)^alpha; 1 where the ansatz holds with this exponent."""
        return align(self.feature_matrix(x), power(self.agop(x), alpha))

    def fit_exponent(self, x: ArrayLike) -> ScalingLaw:
        """The power of J'J that W_1' W_1 is, fitted at the eigenvectors of J'J with positive eigenvalues.

        At least three eigenvalues must be positive and differ.
        """
        values, vectors = np.linalg.eigh(self.agop(x))
        kept = values > len(values) * np.finfo(float).eps * max(float(values[-1]), np.finfo(float).tiny)
        forms = np.sum(vectors * (self.feature_matrix(x) @ vectors), axis=0)
        name = f"W1'W1 against J'J, {self.depth} layers"
        return fit_power(values[kept], forms[kept], name=name, predicted=Fraction(1, self.depth))

    def misfit(self, x: ArrayLike) -> float:
        """Frobenius norm of W_1' W_1 - (J'J)^(1/L). The root makes round-off eps of null directions eps^(1/L)."""
        return float(np.linalg.norm(self.feature_matrix(x) - power(self.agop(x), 1 / self.depth)))

    def power_misfit(self, x: ArrayLike) -> float:
        """Frobenius norm of (W_1' W_1)^L - J'J, relative to J'J: the same question, without a root."""
        agop = self.agop(x)
        gap = np.linalg.matrix_power(self.feature_matrix(x), self.depth) - agop
        return float(np.linalg.norm(gap) / max(float(np.linalg.norm(agop)), np.finfo(float).tiny))

    def imbalances(self, x: ArrayLike) -> list[Array]:
        """G_l = W_{l+1}' W_{l+1} - W_l W_l' for l = 1, ..., L - 1."""
        weights = self.split(x)
        return [above.T @ above - below @ below.T for below, above in pairwise(weights)]

    def imbalance(self, x: ArrayLike) -> float:
        """The root of the sum of the squares of all G_l; it falls like exp(-2 decay t), exactly."""
        return float(np.sqrt(sum(np.sum(g**2) for g in self.imbalances(x))))

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """The G_l, which the flow conserves without decay; with decay nothing that is known."""
        return {} if self._decay else {f"G{k}": g for k, g in enumerate(self.imbalances(x), 1)}

    def prove_balance(self) -> Invariant:
        """The law G' = -2 decay G and the exponent 1/L of balanced weights, by `prove_feature_identities`."""
        proved = prove_feature_identities(self.depth)
        law = "G_l' = -2 lambda G_l, so that exp(2 lambda t) G_l is conserved"
        return Invariant(name="balance", statement=f"{law}; {proved[-1].statement}", standing=PROVED)

    def balanced_start(self, seed: int, *, scale: float = 1.0) -> Array:
        """Balanced weights with random singular vectors and values up to `scale`; their rank is the least width."""
        draw = np.random.default_rng(seed)
        rank = min(min(s) for s in self._shapes)
        sizes = scale * np.sort(draw.uniform(0.3, 1.0, rank))[::-1]
        bases = [
            np.linalg.qr(draw.normal(size=(d, rank)))[0] for d in (self._shapes[0][1], *(s[0] for s in self._shapes))
        ]
        return self.join([(after * sizes) @ before.T for before, after in pairwise(bases)])

    def random_start(self, seed: int, *, scale: float = 1.0) -> Array:
        """Weights with independent normal entries of standard deviation `scale`: not balanced."""
        return scale * np.random.default_rng(seed).normal(size=self.shape)

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "DOP853",
        rtol: float = 1e-9,
        atol: float | None = None,
    ) -> Trajectory:
        """Integrate the flow numerically; see `SymmetricFactorization.simulate`."""
        return follow(self, x0, t_eval, method=method, rtol=rtol, atol=atol)

    def equilibria(self) -> tuple[EquilibriumClass, ...]:
        """The one that is known for all data: zero, with the spectrum of the Jacobian there.

        With two layers it is a strict saddle while the decay is below the norm of YX'/N. With three or more, the loss
        has no second derivative but the decay: without it a saddle that is not strict (if YX' is not 0), with it a
        local minimum.
        """
        sizes = np.linalg.svd(self._target, compute_uv=False) if self.depth == 2 else np.zeros(0)
        many = self._shapes[0][0]
        modes: dict[float, int] = {}
        for size in sizes[sizes > 0]:
            for sign in (1, -1):
                value = sign * float(size) - self._decay
                modes[value] = modes.get(value, 0) + many
        rest = self.shape[0] - sum(modes.values())
        if rest:
            modes[0.0 - self._decay] = modes.get(0.0 - self._decay, 0) + rest
        spectrum = tuple(sorted(modes.items(), reverse=True))
        if spectrum[0][0] > 0:
            kind = "strict saddle"
        else:
            kind = "minimum" if self._decay or not np.any(self._target) else "nonstrict saddle"
        zero = np.zeros(self.shape)
        return (EquilibriumClass(kind=kind, selection=(), spectrum=spectrum, loss=self.loss(zero), dimension=0),)

    def _around(self, weights: list[Array]) -> list[tuple[Array, Array]]:
        """Products of the layers before and after each."""
        return [
            (_multiply(weights[:i], self._shapes[0][1]), _multiply(weights[i + 1 :], self._shapes[i][0]))
            for i in range(self.depth)
        ]


def power(matrix: ArrayLike, alpha: float) -> Array:
    """A positive semidefinite matrix to a power > 0; eigenvalues below zero, by round-off, count as zero.

    >>> power([[4, 0], [0, 9]], 0.5)
    array([[2., 0.],
           [0., 3.]])
    """
    values, vectors = np.linalg.eigh(np.asarray(matrix, dtype=float))
    return np.asarray((vectors * np.clip(values, 0, None) ** alpha) @ vectors.T)


def align(a: ArrayLike, b: ArrayLike) -> float:
    """The cosine of the angle between two matrices, in the inner product of Frobenius."""
    first, second = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return float(np.sum(first * second) / np.linalg.norm(first) / np.linalg.norm(second))


def _multiply(weights: Sequence[Array], size: int) -> Array:
    return reduce(lambda so_far, w: w @ so_far, weights, np.eye(size))


def _differentiate(weights: Sequence[Array], moves: Sequence[Array], size: int) -> Array:
    """The derivative of a product of weights."""
    value, change = np.eye(size), np.zeros((size, size))
    for w, move in zip(weights, moves, strict=True):
        value, change = w @ value, w @ change + move @ value
    return change
