"""Equilibria of learning flows as classes, with the spectrum of the Jacobian and what it makes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import comb

import numpy as np

from .spectrum import Array, Spectrum

__all__ = ["EquilibriumClass", "count_equilibria", "enumerate_equilibria"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EquilibriumClass:
    """A family of equilibria that are alike: one orbit, or one manifold of orbits, of the symmetries of the flow.

    Attributes
    ----------
    kind : str
        ``"minimum"``, ``"strict saddle"`` (the Jacobian has a positive eigenvalue) or ``"nonstrict saddle"``.
    selection : tuple of (float, int)
        What is represented: each eigenvalue of the data that is, and how many of its directions.
    spectrum : tuple of (float, int)
        Eigenvalues of the Jacobian at each point of the family with their multiplicities, falling.
    loss : float
        Value of the loss.
    dimension : int
        Dimension of the family, symmetries of the parametrisation not counted.
    """

    kind: str
    selection: tuple[tuple[float, int], ...]
    spectrum: tuple[tuple[float, int], ...]
    loss: float
    dimension: int

    @property
    def rank(self) -> int:
        """Number of directions that are represented."""
        return sum(count for _, count in self.selection)

    @property
    def index(self) -> int:
        """Number of unstable directions: positive eigenvalues of the Jacobian."""
        return sum(count for value, count in self.spectrum if value > 0)

    @property
    def nullity(self) -> int:
        """Number of zero eigenvalues of the Jacobian; those beyond the family's tangent space are slow."""
        return sum(count for value, count in self.spectrum if value == 0)

    @property
    def eigenvalues(self) -> Array:
        """The spectrum as an array, falling, each eigenvalue as often as it occurs."""
        return np.array([value for value, count in self.spectrum for _ in range(count)])


def count_equilibria(spectrum: Spectrum, rank: int) -> int:
    r"""Number of classes: :math:`\sum_{j\le\min(k, r)}\binom kj` where the k positive eigenvalues are distinct.

    With multiplicities, the number of ways to take at most r directions, so many from each eigenspace.
    """
    ways = [1] + [0] * rank  # ways[j]: to take j directions from the eigenspaces so far
    for size in _sizes(spectrum):
        ways = [sum(ways[j - d] for d in range(min(size, j) + 1)) for j in range(rank + 1)]
    return sum(ways)


def enumerate_equilibria(spectrum: Spectrum, rank: int) -> Iterator[EquilibriumClass]:
    """All classes of equilibria of the symmetric factorization flow, from the largest selection to none."""
    groups = [g for g in spectrum.groups if spectrum.values[g.start] > 0]
    for taken in product(*(range(size, -1, -1) for size in _sizes(spectrum))):
        if sum(taken) <= rank:
            yield _describe(spectrum, rank, [(g, d) for g, d in zip(groups, taken, strict=True)])


def _sizes(spectrum: Spectrum) -> list[int]:
    return [g.stop - g.start for g in spectrum.groups if spectrum.values[g.start] > 0]


def _describe(spectrum: Spectrum, rank: int, taken: list[tuple[slice, int]]) -> EquilibriumClass:
    values = spectrum.values
    inside = [i for g, d in taken for i in range(g.start, g.start + d)]
    outside = sorted(set(range(len(values))) - set(inside))
    eigenvalues = classify_modes(values, inside, outside, rank)
    # No positive eigenvalue means: every positive eigenvalue of M, or the r largest, are represented, and the loss is
    # least.
    unstable = eigenvalues[0][0] > 0 if eigenvalues else False
    return EquilibriumClass(
        kind="strict saddle" if unstable else "minimum",
        selection=tuple((float(values[g.start]), d) for g, d in taken if d),
        spectrum=eigenvalues,
        loss=float(np.sum(values[outside] ** 2)) / 4,
        dimension=sum(d * (g.stop - g.start - d) for g, d in taken),
    )


def classify_modes(values: Array, inside: list[int], outside: list[int], rank: int) -> tuple[tuple[float, int], ...]:
    r"""Spectrum of the Jacobian where the eigenvalues `inside` are represented.

    For i outside: :math:`\lambda_i` with multiplicity ``r - |I|``, and :math:`\lambda_i - \lambda_j` for each j
    inside; for i inside: 0 with multiplicity ``r - |I|``, and :math:`-2\lambda_i`; for pairs inside:
    :math:`-(\lambda_i + \lambda_j)` and 0.
    """
    spare = rank - len(inside)
    modes: dict[float, int] = {}

    def put(value: float, times: int = 1) -> None:
        if times:
            modes[value + 0.0] = modes.get(value + 0.0, 0) + times

    for i in outside:
        put(float(values[i]), spare)
        for j in inside:
            put(float(values[i] - values[j]))
    put(0.0, spare * len(inside) + comb(len(inside), 2))
    for a, i in enumerate(inside):
        for j in inside[a:]:
            put(-float(values[i] + values[j]))
    return tuple(sorted(modes.items(), reverse=True))
