r"""The flow in closed form at any time, thin and without overflow.

With the start in echelon form (`starts`), :math:`P(t) = D\Phi^{-1/2}QQ^\top\Phi^{-1/2}D` where the rows Q stand below
in the thin QR factorization of :math:`[C; \sqrt\Phi Z_0C]`, :math:`D = e^{\Lambda t}`, :math:`\Phi = (e^{2\Lambda t} -
I)\Lambda^{-1}`, and C scales the columns of selected rows by :math:`e^{-\lambda_i t}`: all its entries are bounded at
all times, and :math:`D^2\Phi^{-1} = \Lambda(I - e^{-2\Lambda t})^{-1}` is. Rows are sorted by size and columns
pivoted, which makes the factorization accurate in each row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, qr, solve_triangular

from ...learning.spectrum import Array
from .starts import EchelonStart

__all__ = ["Stages", "propagate", "separate", "square"]

_WELL_CONDITIONED = 1e-3  # least eigenvalue of the Gram matrix of columns of length one
_FAR = 300.0  # exponents beyond which the columns are scaled; exp(2 * 300) is far from overflow


def roots_of_phi(values: Array, t: float) -> Array:
    r""":math:`\sqrt\Phi` without its growing factor :math:`e^{\max(\lambda, 0)t}`."""
    flat = values == 0
    rates = np.where(flat, 1.0, np.abs(values))
    return np.sqrt(np.where(flat, 2 * t, -np.expm1(-2 * rates * t) / rates))


def propagate(values: Array, rows: Array, selected: NDArray[np.intp], t: float) -> Array:
    """A factor W of P(t), ``P = W W'``, in the eigenbasis.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Eigenvalues.
    rows : ndarray, shape (n, r)
        Start in echelon form.
    selected : ndarray of int, shape (rank,)
        Selected rows.
    t : float
        Time >= 0.
    """
    r = rows.shape[1]
    if t == 0 or not rows.size:
        return rows.copy()
    growth, root = np.maximum(values * t, 0.0), roots_of_phi(values, t)
    if not root.all():  # so small a time that 1 - exp(-2 |values| t) is zero
        return rows.copy()
    shift = np.zeros(r)
    if growth.max() > _FAR:
        shift[: len(selected)] = growth[selected]
    stack = np.zeros((r + len(rows), r))
    stack[np.arange(r), np.arange(r)] = np.exp(-shift)
    stack[r:] = (root[:, None] * rows) * np.exp(np.where(rows != 0, growth[:, None] - shift, 0.0))
    below = _orthonormalise(stack)[r:]
    return np.asarray((np.exp(np.minimum(values * t, 0.0)) / root)[:, None] * below)


def square(factor: Array) -> Array:
    """``W W'``, of which `propagate` finds W."""
    return np.asarray(factor @ factor.T)


def _orthonormalise(stack: Array) -> Array:
    """Q of a thin QR factorization, accurate in each row, with columns in any order."""
    lengths = np.linalg.norm(stack, axis=0)
    if lengths.all():
        scaled = stack / lengths
        gram = scaled.T @ scaled
        if (
            np.linalg.eigvalsh(gram)[0] > _WELL_CONDITIONED
        ):  # Cholesky's way, twice, is then as accurate and much faster
            for _ in range(2):
                right = cholesky(scaled.T @ scaled, check_finite=False)
                scaled = scaled @ solve_triangular(right, np.eye(len(right)), check_finite=False)
            return np.asarray(scaled)
    order = np.argsort(-np.abs(stack).max(axis=1), kind="stable")
    found = np.empty_like(stack)
    found[order] = qr(stack[order], mode="economic", pivoting=True, check_finite=False)[0]
    return found


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Stages:
    """The three subsystems for the selected rows and the rest: S, H and the gap of the inverse of P11.

    Attributes
    ----------
    upper, lower : ndarray
        Eigenvalues of the selected rows, and of the rest.
    triangle : ndarray, shape (rank, rank)
        Selected rows of the start, lower triangular.
    coupling : ndarray
        H at the start.
    spare : ndarray
        The rest of the start across the selected rows; its square is S at the start.
    has_cross : bool
        Whether the rest has components along the selected rows, so that H is not zero, however small.
    used : int
        How many rows of the rest are not zero.
    """

    upper: Array
    lower: Array
    triangle: Array
    coupling: Array
    spare: Array
    has_cross: bool
    used: int

    def spare_factor(self, t: float) -> Array:
        """A factor of S(t); S follows the equation of P, without positive eigenvalues."""
        return propagate(np.minimum(self.lower, 0.0), self.spare, np.zeros(0, dtype=np.intp), t)

    def at(self, t: float) -> tuple[Array, Array]:
        r"""H(t), and :math:`\tilde Y(t)`."""
        inverse = solve_triangular(self.triangle, np.diag(np.exp(-self.upper * t)), lower=True, check_finite=False)
        gap = inverse.T @ inverse - np.diag(np.exp(-2 * self.upper * t) / self.upper)
        if not len(self.lower) or t == 0:
            return self.coupling.copy(), gap
        root = roots_of_phi(self.lower, t)
        growth = np.maximum(self.lower * t, 0.0)
        used = self.coupling != 0
        decay = np.exp(np.where(used, growth[:, None] - self.upper * t, 0.0))
        pushed = root[:, None] * self.coupling * decay  # sqrt(Theta) H0 F
        q = self.spare.shape[1]
        turned = _orthonormalise(np.vstack([np.eye(q), root[:, None] * self.spare])) if q else np.zeros((len(root), 0))
        above, below = turned[:q], turned[q:]
        inside = below.T @ pushed
        rest = pushed - below @ inside
        gap = gap + rest.T @ rest + (above @ inside).T @ (above @ inside)
        falling = np.exp(np.minimum(self.lower * t, 0.0))
        scale = np.divide(falling, root, out=np.zeros_like(root), where=root > 0)
        h = np.where(self.lower[:, None] > 0, self.coupling * decay, scale[:, None] * rest)
        return np.where((root > 0)[:, None], h, self.coupling * decay), gap


def separate(start: EchelonStart) -> Stages:
    """The subsystems of a start."""
    rank, n = len(start.selected), len(start.values)
    rest = np.setdiff1d(np.arange(n), start.selected)
    triangle = np.tril(start.rows[start.selected, :rank])
    lower = start.rows[rest]
    coupling = solve_triangular(triangle, lower[:, :rank].T, lower=True, trans="T", check_finite=False).T
    return Stages(
        upper=start.values[start.selected],
        lower=start.values[rest],
        triangle=triangle,
        coupling=np.ascontiguousarray(coupling),
        spare=np.ascontiguousarray(lower[:, rank:]),
        has_cross=bool(lower[:, :rank].any()),
        used=int(np.count_nonzero(lower.any(axis=1))),
    )
