"""The flow of sparse attention on all scores and the whole linear map, of which `SparseAttention` is a projection."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from ..errors import InvalidModelError
from .arguments import FixedModel
from .equilibria import EquilibriumClass
from .sparse_attention import SparseAttention
from .spectrum import Array
from .trajectories import Trajectory, follow, read_state

__all__ = ["AttentionScores"]


class AttentionScores(FixedModel):
    r"""The gradient flow on :math:`a \in \mathbb R^T` and :math:`W \in \mathbb R^{d\times d}` of the expected loss.

    With :math:`\alpha = \mathrm{softmax}(a)`, :math:`s = \sum_{t > T-B}\alpha_t` and the second moments :math:`\Sigma`
    of the relevant token,

    .. math::
        V = \tfrac12\Bigl[\sum_{t\le T-B}\tfrac{\alpha_t^2}d\|W\|_F^2
        + \mathrm{tr}\,(sW - W^*)\Sigma(sW - W^*)^\top\Bigr].

    A state is one row of numbers: the T scores, then W row by row.

    Parameters
    ----------
    T, d : int
        As of `SparseAttention`.
    repetition : int, default 1
        As there, B.
    probability : rational, default 0
        As there, p; the fixed vector is the first unit vector.
    target : array_like, shape (d, d), optional
        W*, with columns of length 1; by default the identity.

    Raises
    ------
    InvalidModelError
        If an argument is out of its range, or a column is not of length 1 to nine digits.

    Notes
    -----
    Zucchet et al., arXiv 2505.17863, eqs (7) and (8).

    Examples
    --------
    >>> flow = AttentionScores(6, 3, repetition=2)
    >>> x = flow.embed([1.2, 0.5])
    >>> speed, reduced = flow.vector_field(0, x), flow.reduction.vector_field(0, [1.2, 0.5])
    >>> np.allclose(flow.reduce(x + speed) - flow.reduce(x), reduced)
    True
    """

    def __init__(
        self, T: int, d: int, *, repetition: int = 1, probability: object = 0, target: ArrayLike | None = None
    ) -> None:
        self._reduction = SparseAttention(T, d, repetition=repetition, probability=probability)
        size = self._reduction.d
        self._target = read_state(np.eye(size) if target is None else target, (size, size), "target").copy()
        if not np.allclose(np.sum(self._target**2, axis=0), 1, rtol=0, atol=1e-9):
            raise InvalidModelError("target must have columns of length 1")
        self._target.flags.writeable = False
        p = float(self._reduction.probability)
        self._moments = np.full(size, (1 - p) / size)  # Sigma is diagonal
        self._moments[0] += p

    def __repr__(self) -> str:
        return repr(self._reduction).replace("SparseAttention", "AttentionScores")

    @property
    def reduction(self) -> SparseAttention:
        """The exact projection to a few dimensions."""
        return self._reduction

    @property
    def shape(self) -> tuple[int]:
        """Shape of the state, (T + d^2,)."""
        return (self._reduction.T + self._reduction.d**2,)

    def split(self, x: ArrayLike) -> tuple[Array, Array]:
        """The scores, shape (T,), and W, shape (d, d), of a state."""
        state, d = read_state(x, self.shape), self._reduction.d
        return state[: self._reduction.T], state[self._reduction.T :].reshape(d, d)

    def embed(self, x: ArrayLike) -> Array:
        """The state of the whole flow for one of `reduction`; its scores add up to 0."""
        state, model = read_state(x, self._reduction.shape), self._reduction
        scores = np.full(model.T, -model.repetition * state[-1] / model.T)
        scores[model.T - model.repetition :] += state[-1]
        strengths = np.full(model.d, state[-2] / np.sqrt(float(model.sizes[-1])))
        if model.probability:
            strengths[0] = state[0]
        return np.append(scores, (self._target * strengths).ravel())

    def reduce(self, x: ArrayLike) -> Array:
        """The state of `reduction`: strengths of W, and the last score less the first."""
        scores, W = self.split(x)
        along, model = np.sum(self._target * W, axis=0), self._reduction
        w = (
            [along[0], along[1:].sum() / np.sqrt(model.d - 1)]
            if model.probability
            else [along.sum() / np.sqrt(model.d)]
        )
        return np.append(w, scores[-1] - scores[0])

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """The time derivative of the state, minus the gradient of the loss; t has no say."""
        a, W = self.split(x)
        alpha, slope, _ = self._look(a, W)
        s = float(alpha[self._relevant].sum())
        others = float(np.sum(alpha[~self._relevant] ** 2))
        by_W = others / self._reduction.d * W + s * (s * W - self._target) * self._moments
        return -np.append(alpha * (slope - alpha @ slope), by_W.ravel())

    def loss(self, x: ArrayLike) -> float:
        """The expected loss."""
        a, W = self.split(x)
        alpha = softmax(a)
        miss = float(alpha[self._relevant].sum()) * W - self._target
        noise = float(np.sum(alpha[~self._relevant] ** 2)) / self._reduction.d * float(np.sum(W**2))
        return (noise + float(np.sum(miss**2 * self._moments))) / 2

    def hessian(self, x: ArrayLike) -> Array:
        """Second derivative of the loss, shape (n, n)."""
        a, W = self.split(x)
        alpha, slope, bend = self._look(a, W)
        d, size = self._reduction.d, self._reduction.T
        s, others = float(alpha[self._relevant].sum()), float(np.sum(alpha[~self._relevant] ** 2))
        turn = np.diag(alpha) - np.outer(alpha, alpha)
        push = alpha * (slope - alpha @ slope)
        found = np.zeros(self.shape * 2)
        found[:size, :size] = turn @ bend @ turn + np.diag(push) - np.outer(push, alpha) - np.outer(alpha, push)
        mixed = np.where(self._relevant[:, None], 0.0, 2 * alpha[:, None] * W.ravel() / d)
        mixed[self._relevant] = ((2 * s * W - self._target) * self._moments).ravel()
        found[:size, size:] = turn @ mixed
        found[size:, :size] = found[:size, size:].T
        found[size:, size:] = np.diag(np.tile(others / d + s**2 * self._moments, d))
        return found

    def jacobian(self, x: ArrayLike) -> Array:
        """Derivative of the vector field, minus the Hessian; shape (n, n)."""
        return -self.hessian(x)

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """What the flow conserves: ``scores``, their sum, as softmax does not see a shift of all."""
        return {"scores": np.array(self.split(x)[0].sum())}

    def equilibria(self) -> tuple[EquilibriumClass, ...]:
        """None: no finite state is critical, see `attention_evidence.prove_no_equilibrium`."""
        return ()

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "DOP853",
        rtol: float = 1e-9,
        atol: float | None = 1e-12,
    ) -> Trajectory:
        """Integrate the flow numerically; see `SymmetricFactorization.simulate`."""
        return follow(self, x0, t_eval, method=method, rtol=rtol, atol=atol)

    @property
    def _relevant(self) -> NDArray[np.bool_]:
        return np.arange(self._reduction.T) >= self._reduction.T - self._reduction.repetition

    def _look(self, a: Array, W: Array) -> tuple[Array, Array, Array]:
        """Attention, and first and second derivative of the loss by it."""
        alpha, here = softmax(a), self._relevant
        s, square = float(alpha[here].sum()), float(np.sum(W**2)) / self._reduction.d
        slope = alpha * square
        slope[here] = float(np.sum((s * W - self._target) * self._moments * W))
        bend = np.outer(here, here) * float(np.sum(W**2 * self._moments)) + np.diag(np.where(here, 0.0, square))
        return alpha, slope, bend
