"""The state of the factorization flow, in as few coordinates as a start moves in, and its excess of loss."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...learning.spectrum import Array, Spectrum
from .propagators import Stages, propagate, separate, square
from .starts import EchelonStart, compress

__all__ = ["ThinState", "make_thin"]

_CHUNK = 8
"""Times that are taken at once."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ThinState:
    """The state along a trajectory; made by `make_thin`.

    Attributes
    ----------
    spectrum : Spectrum
        Of the matrix.
    start : EchelonStart
        The start in m <= n coordinates.
    basis : ndarray, shape (n, m), or None
        Orthonormal basis of these; None for a diagonal matrix, where nothing is saved.
    """

    spectrum: Spectrum
    start: EchelonStart
    basis: Array | None

    @cached_property
    def _stages(self) -> Stages:
        return separate(self.start)

    def rows(self, t: float) -> Array:
        """A factor of P(t), shape (m, r), in the eigenbasis."""
        return propagate(self.start.values, self.start.rows, self.start.selected, t)

    def factors(self, times: Array) -> Array:
        """A factor of P at each of T times, shape (T, n, r), in the given coordinates."""
        found = np.empty((times.size, len(self.spectrum.values), self.start.rows.shape[1]))
        for k in range(0, times.size, _CHUNK):  # some times at once: one product with the basis is faster than many
            rows = [self.start.turn_back(self.rows(float(s))) for s in times[k : k + _CHUNK]]
            states = self._leave(np.hstack(rows))
            found[k : k + _CHUNK] = np.moveaxis(states.reshape(len(states), len(rows), -1), 1, 0)
        return found

    def _leave(self, rows: Array) -> Array:
        return self.spectrum.leave(rows) if self.basis is None else np.asarray(self.basis @ rows)

    def excess(self, t: float) -> float:
        """The loss less that of the limit.

        From the state, or where that would cancel from the subsystems of the selected rows.
        """
        stages, selected = self._stages, self.start.selected
        rows = self.rows(t)
        upper, lower = rows[selected], np.delete(rows, selected, axis=0)
        found = _add_up(square(upper) - np.diag(stages.upper), upper, lower, lower, stages.lower)
        if found > 1e-6 * float(np.sum(self.spectrum.values**2)):
            return max(found, 0.0)
        h, gap = stages.at(t)
        inside = -square(upper) @ gap * stages.upper
        lower = np.hstack([stages.spare_factor(t), h @ upper])
        return max(_add_up(inside, upper, h @ upper, lower, stages.lower), 0.0)


def make_thin(spectrum: Spectrum, start: EchelonStart) -> ThinState:
    """The state from a start, without the directions in which it has no part."""
    vectors = spectrum.vectors
    thin, basis = (start, None) if vectors is None else compress(start, vectors)
    return ThinState(spectrum=spectrum, start=thin, basis=basis)


def _add_up(inside: Array, upper: Array, across: Array, lower: Array, values: Array) -> float:
    """The excess from P11 - L1, factors of P21 and P22, and the eigenvalues that P22 would have to represent."""
    cross = np.sum((upper.T @ upper) * (across.T @ across))
    quartic = np.sum((lower.T @ lower) ** 2)
    linear = values @ np.sum(lower**2, axis=1)
    return float(np.sum(inside**2) + 2 * cross + quartic - 2 * linear) / 4
