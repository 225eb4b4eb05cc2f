"""Low-rank factorization of a rectangular matrix: reduced to the symmetric one where the start is balanced."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DimensionError, InvalidModelError
from ..exact.identities import Identity
from ..exact.words import Rules, differentiate, letter
from .equilibria import EquilibriumClass
from .factorization import SymmetricFactorization
from .linear_equilibria import enumerate_learnt
from .spectrum import Array
from .trajectories import Trajectory, follow, read_numbers, read_state

__all__ = ["RectangularFactorization", "balance", "state_rectangular"]

_BALANCED = 1e-12  # relative size of U'U - V'V that counts as rounding


class RectangularFactorization:
    r"""The flow :math:`\dot U = (N - UV^\top)V,\ \dot V = (N - UV^\top)^\top U` of :math:`\tfrac12\|UV^\top - N\|_F^2`.

    The state is ``[U; V]``, of shape (p + q, r).

    Parameters
    ----------
    N : array_like, shape (p, q)
        The matrix to be factorized.
    rank : int
        r >= 1, the number of columns of U and V.

    Raises
    ------
    InvalidModelError
        If N is not finite, or the rank not a positive integer.
    DimensionError
        If N is not a matrix.

    Notes
    -----
    :math:`U^\top U - V^\top V` is conserved. From a balanced start, where it is zero, :math:`W = [U; V]/\sqrt2`
    follows the symmetric flow of ``[[0, N], [N', 0]]``, see `embed`. Both are proved as identities, see
    `state_rectangular`.

    Examples
    --------
    >>> flow = RectangularFactorization([[3, 0], [0, 1], [0, 0]], rank=1)
    >>> U, V = balance([[2], [1], [0]], [[1], [1]])
    >>> bool(np.allclose(U @ V.T, [[2, 2], [1, 1], [0, 0]]))
    True
    >>> symmetric, W = flow.embed(U, V)
    >>> symmetric.shape, W.shape
    ((5, 1), (5, 1))
    """

    def __init__(self, N: ArrayLike, *, rank: int) -> None:
        if isinstance(rank, bool) or not isinstance(rank, int | np.integer) or rank < 1:
            raise InvalidModelError(f"rank must be an integer >= 1, got {rank!r}")
        matrix = read_numbers(N, "N").copy()
        if matrix.ndim != 2 or not matrix.size:
            raise DimensionError(f"N must be a matrix, got an array of shape {matrix.shape}")
        if not np.all(np.isfinite(matrix)):
            raise InvalidModelError(
                f"N must have finite entries, got {np.count_nonzero(~np.isfinite(matrix))} that are not"
            )
        matrix.flags.writeable = False
        self._matrix = matrix
        self._rank = int(rank)

    def __repr__(self) -> str:
        p, q = self._matrix.shape
        return f"RectangularFactorization(p={p}, q={q}, rank={self._rank})"

    @property
    def matrix(self) -> Array:
        """N, read-only."""
        return self._matrix

    @property
    def rank(self) -> int:
        """The number of columns of U and V."""
        return self._rank

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the state ``[U; V]``."""
        return sum(self._matrix.shape), self._rank

    def split(self, x: ArrayLike) -> tuple[Array, Array]:
        """U and V of a state."""
        state = read_state(x, self.shape)
        p = self._matrix.shape[0]
        return state[:p], state[p:]

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """The time derivative of the state.

        Parameters
        ----------
        t : float
            Time; the flow does not depend on it.
        x : array_like, shape (p + q, r)
            State.
        """
        U, V = self.split(x)
        return np.vstack([self._matrix @ V - U @ (V.T @ V), self._matrix.T @ U - V @ (U.T @ U)])

    def loss(self, x: ArrayLike) -> float:
        r""":math:`\tfrac12\|UV^\top - N\|_F^2`."""
        U, V = self.split(x)
        return float(np.sum((U @ V.T - self._matrix) ** 2)) / 2

    def jacobian(self, x: ArrayLike) -> Array:
        """Derivative of the vector field, shape (N, N) with N = (p + q) r, for states flattened row by row."""
        U, V = self.split(x)
        rest, p = self._matrix - U @ V.T, len(U)
        columns = []
        for unit in np.eye(U.size + V.size):
            d = unit.reshape(self.shape)
            moved = d[:p] @ V.T + U @ d[p:].T
            columns.append(np.vstack([rest @ d[p:] - moved @ V, rest.T @ d[:p] - moved.T @ U]).ravel())
        return np.column_stack(columns)

    def equilibria(self) -> Iterator[EquilibriumClass]:
        """One class for each selection of singular values of N that U V' can represent, described where it is balanced.

        It is the deep linear network of two layers, see `DeepLinearNetwork.equilibria`.
        """
        sizes = np.linalg.svd(self._matrix, compute_uv=False)
        p, q = self._matrix.shape
        return enumerate_learnt((p, self._rank, q), sizes.tolist())

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """What the flow conserves: ``balance``, the matrix ``U'U - V'V`` of shape (r, r)."""
        U, V = self.split(x)
        return {"balance": U.T @ U - V.T @ V}

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "DOP853",
        rtol: float = 1e-9,
        atol: float | None = None,
    ) -> Trajectory:
        """Integrate the flow numerically, balanced or not; see `SymmetricFactorization.simulate`."""
        return follow(self, x0, t_eval, method=method, rtol=rtol, atol=atol)

    def embed(self, U0: ArrayLike, V0: ArrayLike) -> tuple[SymmetricFactorization, Array]:
        """The symmetric flow that a balanced start follows, and its start ``[U0; V0] / sqrt(2)``.

        Parameters
        ----------
        U0 : array_like, shape (p, r)
            Start of U.
        V0 : array_like, shape (q, r)
            Start of V.

        Returns
        -------
        flow : SymmetricFactorization
            Of ``[[0, N], [N', 0]]``: its eigenvalues are plus and minus the singular values of N, and zeros.
        W0 : ndarray, shape (p + q, r)
            ``U = sqrt(2) W[:p]`` and ``V = sqrt(2) W[p:]`` at all times.

        Raises
        ------
        InvalidModelError
            If the start is not balanced: the embedding is not valid then.
        """
        (p, q), r = self._matrix.shape, self._rank
        U, V = read_state(U0, (p, r), "U0"), read_state(V0, (q, r), "V0")
        gap = float(np.linalg.norm(U.T @ U - V.T @ V))
        size = float(np.linalg.norm(U)) ** 2 + float(np.linalg.norm(V)) ** 2
        if gap > _BALANCED * size:
            raise InvalidModelError(
                f"a start must be balanced, U0'U0 = V0'V0, for the symmetric flow to solve it; got |U0'U0 - V0'V0| = "
                f"{gap:.3g}, {gap / size:.3g} of |U0|^2 + |V0|^2, which the flow conserves. Take balance(U0, V0), the "
                "balanced pair with the same product, or simulate the unbalanced flow"
            )
        both = np.zeros((p + q, p + q))
        both[:p, p:], both[p:, :p] = self._matrix, self._matrix.T
        return SymmetricFactorization(both, rank=r), np.vstack([U, V]) / np.sqrt(2)


def balance(U0: ArrayLike, V0: ArrayLike) -> tuple[Array, Array]:
    """The balanced pair with the same product: ``U V' = U0 V0'`` and ``U'U = V'V``.

    Parameters
    ----------
    U0 : array_like, shape (p, r)
        Left factor.
    V0 : array_like, shape (q, r)
        Right factor.

    Raises
    ------
    DimensionError
        If they are not matrices with equally many columns.
    InvalidModelError
        If an entry is not finite.
    """
    U, V = read_numbers(U0, "U0"), read_numbers(V0, "V0")
    if U.ndim != 2 or V.ndim != 2 or U.shape[1] != V.shape[1]:
        raise DimensionError(
            f"U0 and V0 must be matrices with equally many columns, got shapes {U.shape} and {V.shape}"
        )
    U, V = read_state(U, U.shape, "U0"), read_state(V, V.shape, "V0")
    (left, a), (right, b) = np.linalg.qr(U), np.linalg.qr(V)
    outer, sizes, inner = np.linalg.svd(a @ b.T, full_matrices=False)
    padding = ((0, 0), (0, U.shape[1] - len(sizes)))
    roots = np.sqrt(sizes)
    return np.pad(left @ outer * roots, padding), np.pad(right @ inner.T * roots, padding)


def state_rectangular() -> tuple[Identity, ...]:
    """The conservation law and the embedding, as identities that `Identity.prove` proves for every size."""
    N, U, V = letter("N", "p", "q"), letter("U", "p", "r"), letter("V", "q", "r")
    ((u,),), ((v,),) = U.terms, V.terms
    flow = {u: N * V - U * V.T * V, v: N.T * U - V * U.T * U}
    balanced: Rules = {(v.T, v): U.T * U}
    said = ("U'U = V'V, which is conserved",)
    gram = Fraction(1, 2) * (U.T * U + V.T * V)  # W'W of W = [U; V] / sqrt(2)
    return (
        Identity(
            name="balance",
            statement="(U'U - V'V)' = 0 for U' = (N - U V') V and V' = (N - U V')' U",
            left=differentiate(U.T * U - V.T * V, flow),
            right=0 * gram,
        ),
        Identity(
            name="embedding of U",
            statement="U' is the upper part of sqrt(2) ([[0, N], [N', 0]] - W W') W",
            left=flow[u],
            right=N * V - U * gram,
            rules=balanced,
            hypotheses=said,
        ),
        Identity(
            name="embedding of V",
            statement="V' is the lower part of sqrt(2) ([[0, N], [N', 0]] - W W') W",
            left=flow[v],
            right=N.T * U - V * gram,
            rules=balanced,
            hypotheses=said,
        ),
    )
