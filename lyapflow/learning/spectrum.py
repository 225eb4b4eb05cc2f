"""The spectrum of the symmetric matrix that is factorized: which eigenvalues are zero, and which are equal."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DimensionError, InvalidModelError

__all__ = ["Array", "Spectrum", "decompose", "read_matrix"]

Array = NDArray[np.float64]
_ASYMMETRY = 1e-13  # relative; what rounding leaves of a symmetric product


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Spectrum:
    """Eigenvalues in falling order, those within a tolerance of zero or of each other set equal.

    Attributes
    ----------
    values : ndarray, shape (n,)
        Eigenvalues, falling.
    vectors : ndarray, shape (n, n), or None
        Orthonormal eigenvectors in the columns; None for a diagonal matrix, whose basis is the given one in another
        order.
    order : ndarray of int, shape (n,)
        For a diagonal matrix, the rows in the order of `values`.
    tolerance : float
        Absolute; what is nearer to zero, or to the next eigenvalue, counts as equal.
    distance : float
        Largest change of an eigenvalue by that decision; 0 if nothing was decided.
    zeros_decided : int
        Eigenvalues that were computed as nonzero and set to zero.
    """

    values: Array
    vectors: Array | None
    order: NDArray[np.intp]
    tolerance: float
    distance: float
    zeros_decided: int

    def __post_init__(self) -> None:
        for array in (self.values, self.vectors, self.order):
            if array is not None:
                array.flags.writeable = False

    @property
    def positive(self) -> int:
        """Number of positive eigenvalues, k."""
        return int(np.count_nonzero(self.values > 0))

    @property
    def groups(self) -> tuple[slice, ...]:
        """Places of equal eigenvalues, one slice for each distinct value."""
        ends = [0, *(np.flatnonzero(np.diff(self.values)) + 1).tolist(), len(self.values)]
        return tuple(slice(a, b) for a, b in pairwise(ends))

    def enter(self, x: Array) -> Array:
        """``V' x``: coordinates in the eigenbasis."""
        return np.asarray(x[self.order] if self.vectors is None else self.vectors.T @ x)

    def leave(self, z: Array) -> Array:
        """``V z``: back from the eigenbasis."""
        if self.vectors is not None:
            return np.asarray(self.vectors @ z)
        x = np.empty_like(z)
        x[self.order] = z
        return x


def read_matrix(M: ArrayLike, *, name: str = "M") -> Array:
    """A symmetric matrix, or the diagonal of one, in floats.

    Raises
    ------
    InvalidModelError
        If an entry is not a finite real number, or the matrix is not symmetric.
    DimensionError
        If it is neither a square matrix nor a row of eigenvalues, or is empty.
    """
    try:
        given = np.array(M, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidModelError(f"{name} must be a real matrix, got {M!r:.80}") from None
    if given.ndim not in (1, 2) or not given.size or given.shape[0] != given.shape[-1]:
        raise DimensionError(
            f"{name} must be a square matrix, or one row of numbers, its diagonal; got an array of shape {given.shape}"
        )
    if not np.all(np.isfinite(given)):
        raise InvalidModelError(
            f"{name} must have finite entries, got {np.count_nonzero(~np.isfinite(given))} that are not"
        )
    if given.ndim == 2:
        gap = np.abs(given - given.T)
        if gap.max() > _ASYMMETRY * np.abs(given).max():
            i, j = (int(v) for v in np.unravel_index(int(gap.argmax()), gap.shape))
            raise InvalidModelError(
                f"{name} must be symmetric: entry [{i}, {j}] is {given[i, j]!r} but [{j}, {i}] is {given[j, i]!r}. For "
                "a rectangular or unsymmetric matrix use RectangularFactorization"
            )
        given = np.where(gap == 0, given, given / 2 + given.T / 2)  # halves, as the sum of two might overflow
        diagonal = np.diagonal(given)
        if np.array_equal(given, np.diag(diagonal)):
            given = diagonal.copy()
    given.flags.writeable = False
    return given


def decompose(matrix: Array, tolerance: float | None) -> Spectrum:
    """Eigenvalues and eigenvectors of what `read_matrix` returned.

    Parameters
    ----------
    matrix : ndarray, shape (n, n) or (n,)
        A matrix, or a diagonal.
    tolerance : float or None
        Relative to the largest eigenvalue. The default is ``n`` times the rounding unit for a matrix, whose eigenvalues
        are computed, and 0 for a diagonal, whose eigenvalues are known.
    """
    n = len(matrix)
    if tolerance is None:
        tolerance = 0.0 if matrix.ndim == 1 else n * float(np.finfo(np.float64).eps)
    if not 0 <= tolerance < 1:
        raise InvalidModelError(f"tolerance must be >= 0 and < 1, got {tolerance!r}")
    if matrix.ndim == 1:
        order = np.argsort(-matrix, kind="stable")
        computed, vectors = matrix[order], None
    else:
        computed, vectors = np.linalg.eigh(matrix)
        computed, vectors, order = computed[::-1], np.ascontiguousarray(vectors[:, ::-1]), np.arange(n)
    absolute = tolerance * float(np.abs(computed).max())
    values = computed.copy()
    values[np.abs(values) <= absolute] = 0.0
    breaks = np.flatnonzero(np.diff(values) < -absolute) + 1
    for group in np.split(np.arange(n), breaks):
        inside = values[group]
        if inside[0] != inside[-1] and np.all(inside != 0):
            values[group] = inside.mean()
    return Spectrum(
        values=values,
        vectors=vectors,
        order=order,
        tolerance=absolute,
        distance=float(np.abs(values - computed).max()),
        zeros_decided=int(np.count_nonzero((values == 0) & (computed != 0))),
    )
