r"""Where the factorization flow starts: the rank condition, and coordinates in which every exponent is at most zero.

Rows of :math:`Z_0 = V^\top X_0` stand in the order of falling eigenvalues. A positive row is **selected** when it
increases the rank of those before it. In the orthonormal basis of :math:`\mathbb R^r` that the selected rows build one
after the other, the matrix is in echelon form: a row has a component along a selected one only if its own eigenvalue
is smaller, or it is that row's. So :math:`e^{(\lambda_j - \lambda_i)t}` never grows where it is multiplied with
something nonzero, and :math:`P(t)\to\sum\lambda_i v_iv_i^\top` over the selected rows, whether there are enough of
them or not.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from ...learning.spectrum import Array, Spectrum

__all__ = ["EchelonStart", "RankCondition", "Turn", "compress", "read_start"]

_DOUBTFUL = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class RankCondition:
    r"""Whether :math:`V_1^\top X_0` has full row rank k, which decides where the flow goes; in floating point.

    Attributes
    ----------
    rank : int
        Rank of :math:`V_1^\top X_0`, to the tolerance.
    needed : int
        k, the number of positive eigenvalues.
    smallest_singular_value : float
        The k-th singular value of :math:`V_1^\top X_0`; 0 if r < k, infinite if k = 0.
    tolerance : float
        Relative size of a residual that counts as zero.
    is_ambiguous : bool
        Whether a row that counts as independent is so by less than a thousand tolerances.
    """

    rank: int
    needed: int
    smallest_singular_value: float
    tolerance: float
    is_ambiguous: bool

    @property
    def holds(self) -> bool:
        """Whether the rank is k; then, and only then, the flow goes to the minimum with all positive eigenvalues."""
        return self.rank == self.needed

    def explain(self) -> str:
        """One sentence."""
        said = f"V1'X0 has rank {self.rank} of {self.needed}"
        doubt = "; that is a close decision, so take it with care" if self.is_ambiguous else ""
        return f"{said} (smallest singular value {self.smallest_singular_value:.3g}{doubt})"


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """An orthogonal change of basis inside one eigenspace, as Householder reflectors."""

    place: slice
    reflectors: Array
    factors: Array

    def apply(self, rows: Array, *, back: bool) -> Array:
        """The rows of the eigenspace in the turned basis, or back from it."""
        trans = "N" if back else "T"
        _, work, _ = lapack.dormqr("L", trans, self.reflectors, self.factors, rows, -1)
        turned, _, info = lapack.dormqr("L", trans, self.reflectors, self.factors, rows, int(work[0]))
        if info:
            raise ArithmeticError(f"internal error: dormqr says {info}")
        return np.asarray(turned)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EchelonStart:
    """A start in echelon form.

    Attributes
    ----------
    values : ndarray, shape (n,)
        Eigenvalues, falling.
    rows : ndarray, shape (n, r)
        The start; XX' is what matters, so that a basis of the row space may be chosen.
    selected : ndarray of int, shape (rank,)
        Selected rows; the columns of `rows` are theirs first.
    condition : RankCondition
        What was decided.
    turns : tuple of Turn
        Changes of basis inside eigenspaces of which a part is selected.
    """

    values: Array
    rows: Array
    selected: NDArray[np.intp]
    condition: RankCondition
    turns: tuple[Turn, ...] = field(repr=False)

    def turn_back(self, rows: Array) -> Array:
        """Rows in the basis of the spectrum."""
        if not self.turns:
            return rows
        rows = rows.copy()
        for turn in self.turns:
            rows[turn.place] = turn.apply(rows[turn.place], back=True)
        return rows


def read_start(spectrum: Spectrum, x0: Array) -> EchelonStart:
    """The echelon form of a start.

    Parameters
    ----------
    spectrum : Spectrum
        Of the matrix.
    x0 : ndarray, shape (n, r)
        Start, in the given coordinates.
    """
    z = spectrum.enter(x0)
    n, r = z.shape
    tolerance = 4 * max(r, 4 if spectrum.vectors is None else n) * float(np.finfo(np.float64).eps)
    whole = float(np.linalg.norm(z))
    basis, selected, turns = np.zeros((r, 0)), list[int](), list[Turn]()
    doubtful = False
    for place in (g for g in spectrum.groups if spectrum.values[g.start] > 0):
        rows = z[place]
        # The rows of a diagonal matrix are exact; those that V mixes carry errors of the size of the whole.
        size = float(np.linalg.norm(rows)) if spectrum.vectors is None else whole
        if size == 0 or basis.shape[1] == r:
            found = 0
        else:
            outer, sizes, inner, rest = _take_residual(rows, basis)
            found = min(int(np.count_nonzero(sizes > tolerance * size)), r - basis.shape[1])
            doubtful |= bool(found and sizes[found - 1] < _DOUBTFUL * tolerance * size)
        if found:
            count = place.stop - place.start
            new = np.linalg.qr(rest.T)[0] if found == count else inner[:found].T
            basis = np.column_stack([basis, _purify(new, basis)])
            selected += range(place.start, place.start + found)
            if found < count:
                turns.append(_make_turn(place, outer[:, :found]))
    k = spectrum.positive
    smallest = np.inf if k == 0 else 0.0
    if 0 < k <= r:
        smallest = float(np.linalg.svd(z[:k], compute_uv=False)[k - 1])
    rank = len(selected)
    return EchelonStart(
        values=spectrum.values,
        rows=_form_echelon(spectrum, z, basis, selected, turns),
        selected=np.array(selected, dtype=np.intp),
        condition=RankCondition(
            rank=rank, needed=k, smallest_singular_value=smallest, tolerance=tolerance, is_ambiguous=doubtful
        ),
        turns=tuple(turns),
    )


def compress(start: EchelonStart, vectors: Array) -> tuple[EchelonStart, Array]:
    """The start with each large eigenspace of a value <= 0 reduced to the directions that the start has in it.

    A matrix of low rank has one eigenvalue 0 in thousands of directions; the flow moves in r of them.

    Parameters
    ----------
    start : EchelonStart
        The whole.
    vectors : ndarray, shape (n, n)
        The basis of the spectrum.

    Returns
    -------
    EchelonStart, ndarray of shape (n, m)
        The start in m <= n coordinates, and their orthonormal basis; the given ones where nothing can be saved.
    """
    values, r = start.values, start.rows.shape[1]
    ends = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    parts, columns, kept = [], [], []
    for a, b in pairwise(ends):
        if values[a] > 0 or b - a <= r:
            parts.append(start.rows[a:b])
            columns.append(vectors[:, a:b])
            kept.append(values[a:b])
            continue
        turned, triangle = np.linalg.qr(start.rows[a:b])
        parts.append(triangle)
        columns.append(vectors[:, a:b] @ turned)
        kept.append(values[a : a + r])
    if sum(map(len, kept)) == len(values):
        return start, vectors
    return replace(start, values=np.concatenate(kept), rows=np.vstack(parts)), np.hstack(columns)


def _take_residual(rows: Array, basis: Array) -> tuple[Array, Array, Array, Array]:
    """Singular value decomposition of what is new in some rows, and it itself; projected twice, for orthogonality."""
    rest = rows
    for _ in range(2):
        rest = rest - (rest @ basis) @ basis.T
    return (*np.linalg.svd(rest, full_matrices=False), rest)


def _purify(new: Array, basis: Array) -> Array:
    """New directions, orthogonal to the old ones to working accuracy; triangular form is kept."""
    for _ in range(2):
        new = new - basis @ (basis.T @ new)
        turned, right = np.linalg.qr(new)
        new = turned * np.where(np.diagonal(right) < 0, -1.0, 1.0)
    return np.asarray(new)


def _make_turn(place: slice, directions: Array) -> Turn:
    reflectors, factors, _, info = lapack.dgeqrf(np.asfortranarray(directions))
    if info:
        raise ArithmeticError(f"internal error: dgeqrf says {info}")
    return Turn(place, reflectors, factors)


def _form_echelon(spectrum: Spectrum, z: Array, basis: Array, selected: list[int], turns: list[Turn]) -> Array:
    """The start in the new basis, with zeros where they belong."""
    rank, k = len(selected), spectrum.positive
    complement = np.linalg.qr(basis, mode="complete")[0][:, rank:] if rank else np.eye(z.shape[1])
    rows = z @ np.column_stack([basis, complement])
    for turn in turns:
        rows[turn.place] = turn.apply(rows[turn.place], back=False)
    rows[:k, rank:] = 0.0
    chosen = set(selected)
    for column, i in enumerate(selected):
        rows[:i, column] = 0.0
        same = np.flatnonzero(spectrum.values == spectrum.values[i])
        rows[[j for j in same if j not in chosen], column] = 0.0
    rows.flags.writeable = False
    return np.asarray(rows)
