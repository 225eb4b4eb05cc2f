"""Where the factorization flow goes from a start: to the minimum, or to a strict saddle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...learning.spectrum import Array, Spectrum
from .starts import EchelonStart

__all__ = ["Limit", "find_limit"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Limit:
    r"""Where :math:`P(t) = X(t)X(t)^\top` goes.

    Attributes
    ----------
    kind : str
        ``"minimum"`` or ``"strict saddle"``.
    eigenvalues : ndarray, shape (rank,)
        Those of the limit that are not zero.
    factor : ndarray, shape (n, rank)
        F with the limit ``F F'``.
    loss : float
        Value of the loss.
    """

    kind: str
    eigenvalues: Array
    factor: Array
    loss: float

    @property
    def matrix(self) -> Array:
        """The limit of P, shape (n, n)."""
        return np.asarray(self.factor @ self.factor.T)


def find_limit(spectrum: Spectrum, start: EchelonStart, *, rank: int) -> Limit:
    r"""The limit: :math:`\sum\lambda_i v_iv_i^\top` over the selected directions, whether they are all or not.

    Parameters
    ----------
    spectrum : Spectrum
        Of the matrix.
    start : EchelonStart
        The start.
    rank : int
        r, the number of columns of the state.
    """
    values, selected = start.values, start.selected
    rows = np.zeros((len(values), len(selected)))
    rows[selected, np.arange(len(selected))] = np.sqrt(values[selected])
    rest = np.delete(values, selected)
    spare = rank > len(selected)
    least = values[selected].min(initial=np.inf)
    unstable = (spare and np.any(rest > 0)) or np.any(rest > least)
    return Limit(
        kind="strict saddle" if unstable else "minimum",
        eigenvalues=values[selected],
        factor=spectrum.leave(start.turn_back(rows)),
        loss=float(np.sum(rest**2)) / 4,
    )
