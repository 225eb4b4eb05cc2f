"""The gradient flow of symmetric low-rank matrix factorization."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator

from ..errors import DimensionError, InvalidModelError
from .equilibria import EquilibriumClass, count_equilibria, enumerate_equilibria
from .spectrum import Array, Spectrum, decompose, read_matrix
from .trajectories import Trajectory, follow, read_state

__all__ = ["SymmetricFactorization"]


class SymmetricFactorization:
    r"""The flow :math:`\dot X = (M - XX^\top)X` of :math:`f(X) = \tfrac14\|XX^\top - M\|_F^2`, X of shape (n, r).

    Parameters
    ----------
    M : array_like, shape (n, n) or (n,)
        Symmetric matrix with any spectrum; one row of numbers is the diagonal of a diagonal matrix, and then nothing of
        shape (n, n) is formed.
    rank : int
        r >= 1, the number of columns of X; it may exceed n.
    tolerance : float, optional
        Eigenvalues that are nearer to zero than this times the largest count as zero, and neighbours that are as near
        count as equal: the analysis is then that of a matrix at the distance `spectrum.distance`. The default is n
        times the rounding unit, and 0 for a diagonal.

    Raises
    ------
    InvalidModelError
        If M is not symmetric or not finite, or an argument is out of its range.
    DimensionError
        If M is not square.

    Notes
    -----
    Mohammadi, Tinati, Tu, Soltanolkotabi and Jovanović, arXiv 2411.15972. `lyapflow.cascade.schur` solves the flow in
    closed form and bounds its three subsystems.

    Examples
    --------
    >>> flow = SymmetricFactorization([2, 0, 0], rank=2)
    >>> x0 = [[1, 0], [0.5, 1], [0, 0.5]]
    >>> flow.loss(x0)
    0.90625
    >>> flow.vector_field(0, x0)[0]
    array([ 0.75, -0.5 ])
    >>> [(e.kind, e.selection, e.index) for e in flow.equilibria()]
    [('minimum', ((2.0, 1),), 0), ('strict saddle', (), 2)]
    """

    def __init__(self, M: ArrayLike, *, rank: int, tolerance: float | None = None) -> None:
        if isinstance(rank, bool) or not isinstance(rank, int | np.integer) or rank < 1:
            raise InvalidModelError(f"rank must be an integer >= 1, got {rank!r}")
        if tolerance is not None and not (isinstance(tolerance, int | float | np.number) and 0 <= tolerance < 1):
            raise InvalidModelError(f"tolerance must be >= 0 and < 1, got {tolerance!r}")
        self._matrix = read_matrix(M)
        self._rank = int(rank)
        self._tolerance = tolerance

    def __repr__(self) -> str:
        n, r = self.shape
        return f"SymmetricFactorization(n={n}, rank={r})"

    @property
    def matrix(self) -> Array:
        """M in floats, or its diagonal, read-only; entries that rounding made unsymmetric are averaged."""
        return self._matrix

    @property
    def is_diagonal(self) -> bool:
        """Whether M is diagonal; `matrix` is then one row."""
        return self._matrix.ndim == 1

    @property
    def rank(self) -> int:
        """The number of columns of X."""
        return self._rank

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the state X."""
        return len(self._matrix), self._rank

    @cached_property
    def spectrum(self) -> Spectrum:
        """Eigenvalues and eigenvectors of M, computed once."""
        return decompose(self._matrix, self._tolerance)

    def apply(self, x: Array) -> Array:
        """``M x``."""
        return np.asarray(self._matrix[:, None] * x if self.is_diagonal else self._matrix @ x)

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """``(M - x x') x``, at the cost of one product with M.

        Parameters
        ----------
        t : float
            Time; the flow does not depend on it.
        x : array_like, shape (n, r)
            State.
        """
        state = read_state(x, self.shape)
        return self.apply(state) - state @ (state.T @ state)

    def loss(self, x: ArrayLike) -> float:
        r""":math:`\tfrac14\|xx^\top - M\|_F^2`, without forming :math:`xx^\top`.

        The terms cancel where the loss is much smaller than :math:`\|M\|^2`; `SchurCascade.excess` is accurate there.

        Parameters
        ----------
        x : array_like, shape (n, r)
            State.
        """
        state = read_state(x, self.shape)
        square = np.sum((state.T @ state) ** 2) - 2 * np.sum(state * self.apply(state)) + np.sum(self._matrix**2)
        return max(float(square) / 4, 0.0)

    def invariants(self, x: ArrayLike) -> dict[str, Any]:
        r"""What the flow conserves.

        Parameters
        ----------
        x : array_like, shape (n, r)
            State.

        Returns
        -------
        dict
            ``row_space``: the orthogonal projection on the row space of x, shape (r, r), as :math:`\dot X = A(t)X`;
            ``rank``: its rank; ``positive_rank``: the rank of :math:`V_1^\top x`, with the eigenvectors of the positive
            eigenvalues, which decides where the flow goes. Ranks are those of floating point.
        """
        state = read_state(x, self.shape)
        _, sizes, rows = np.linalg.svd(state, full_matrices=False)
        eps = float(np.finfo(np.float64).eps)
        rank = int(np.count_nonzero(sizes > max(self.shape) * eps * sizes.max(initial=0.0)))
        positive = self.spectrum.enter(state)[: self.spectrum.positive]
        return {
            "row_space": rows[:rank].T @ rows[:rank],
            "rank": rank,
            "positive_rank": int(np.linalg.matrix_rank(positive)) if positive.size else 0,
        }

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "DOP853",
        rtol: float = 1e-9,
        atol: float | None = None,
    ) -> Trajectory:
        """Integrate the flow numerically.

        Parameters
        ----------
        x0 : array_like, shape (n, r)
            State at ``t = 0``.
        t_eval : array_like, shape (T,)
            Increasing times >= 0.
        method : str, default "DOP853"
            Method of `scipy.integrate.solve_ivp`.
        rtol : float, default 1e-9
            Relative tolerance.
        atol : float, optional
            Absolute tolerance; by default rtol times the largest entry of x0.

        Raises
        ------
        SimulationError
            If the integrator gives up.
        """
        return follow(self, x0, t_eval, method=method, rtol=rtol, atol=atol)

    def jacobian(self, x: ArrayLike) -> Array:
        """Derivative of the vector field, shape (n r, n r), for states flattened row by row."""
        n, r = self.shape
        if n * r > 4000:
            raise DimensionError(f"a dense Jacobian of size {n * r} is too large; use jacobian_operator")
        operator = self.jacobian_operator(x)
        return np.column_stack([operator.matvec(unit) for unit in np.eye(n * r)])

    def jacobian_operator(self, x: ArrayLike) -> LinearOperator:
        """Derivative of the vector field as an operator on flattened states: symmetric, as the flow is a gradient flow.

        Parameters
        ----------
        x : array_like, shape (n, r)
            Where.
        """
        state = read_state(x, self.shape)
        gram = state.T @ state

        def push(flat: Array) -> Array:
            d = np.asarray(flat).reshape(state.shape)
            return (self.apply(d) - d @ gram - state @ (d.T @ state) - state @ (state.T @ d)).ravel()

        size = state.size
        return LinearOperator((size, size), matvec=push, rmatvec=push, dtype=np.float64)

    def equilibria(self) -> Iterator[EquilibriumClass]:
        """All classes of equilibria, one after the other; `count_equilibria` says how many."""
        return enumerate_equilibria(self.spectrum, self._rank)

    def count_equilibria(self) -> int:
        """Number of classes of equilibria, by a formula."""
        return count_equilibria(self.spectrum, self._rank)

    def represent(self, equilibrium: EquilibriumClass) -> Array:
        """One state of a class of `equilibria`, shape (n, r).

        Its other states are this one turned, ``x q`` with q orthogonal, or take other directions of the eigenspaces.

        Parameters
        ----------
        equilibrium : EquilibriumClass
            One of `equilibria`.
        """
        z = np.zeros(self.shape)
        taken = dict(equilibrium.selection)
        column = 0
        for group in self.spectrum.groups:
            value = float(self.spectrum.values[group.start])
            for i in range(group.start, group.start + taken.get(value, 0)):
                z[i, column] = np.sqrt(value)
                column += 1
        return self.spectrum.leave(z)
