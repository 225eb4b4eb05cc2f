"""Scaling: rows of each matrix inequality and unknowns in units in which all entries have a like size.

An inequality stays the same under a congruence, and powers of two are undone without rounding. The certificate is about
the user's units: only the solver sees these.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from .arrays import Array, ConeData
from .reduction import ONE

__all__ = ["equilibrate", "rescale"]

_FEW = 500


def rescale(data: ConeData, parameter: float, values: Mapping[str, float]) -> ConeData:
    """The same cone problem in units in which a known interior point has unit unknowns and unit diagonals."""
    y = data.variables(values)
    size = max(np.abs(y).max(), np.finfo(np.float64).tiny)
    unit = _power_of_two(np.maximum(np.abs(y), 1e-12 * size))
    rows = []
    for base, slope in data.blocks:
        diagonal = np.einsum("kii,k->i", base + parameter * slope, y)
        least = max(1e-14 * np.abs(diagonal).max(), np.finfo(np.float64).tiny)
        rows.append(np.exp2(-np.round(np.log2(np.maximum(diagonal, least)) / 2)))
    return _scaled(data, rows, unit, parameter)


def equilibrate(data: ConeData, parameter: float, *, loose: Collection[str] = (ONE,)) -> ConeData:
    """The same cone problem with rows and unknowns scaled by powers of two, for parameters near the given one.

    The scales minimise the sum of squares of the logarithms of all entries (Curtis and Reid), so a change of the user's
    units changes nothing but the scales themselves. The `loose` unknowns, which multiply the norm that V is compared
    with, have no say in the rows: that norm may measure states of very different units alike.
    """
    heard = np.array([name not in loose for name in data.names])
    unknowns = len(data.names)
    shapes = (unknowns, *(base.shape[1] for base, _ in data.blocks))
    parts = [
        ((base + parameter * slope) * _upper_triangle(size)).reshape(unknowns, -1)
        for (base, slope), size in zip(data.blocks, shapes[1:], strict=True)
    ]
    equalities = data.equalities[0] + parameter * data.equalities[1]
    entries = (np.concatenate([*parts, equalities.T], axis=1) * heard[:, None]).ravel()
    at = np.nonzero(entries)[0]
    sizes: Array = -np.log2(np.abs(entries[at]))
    if len(at) <= _FEW:
        scales = _fit(shapes, len(equalities), at.tobytes()) @ sizes
    else:  # the matrix of a large problem is not worth keeping
        owners = _find_owners(shapes, len(equalities), at)
        scales = _solve_least_squares(owners, sum(shapes) + len(equalities), sizes)
    powers = np.exp2(np.round(scales))
    unit, rows = powers[:unknowns], [powers[a:b] for a, b in pairwise(accumulate(shapes))]
    for norm, name in enumerate(data.names):
        if name in loose:
            size = _decisive_size([base[norm] for base, _ in data.blocks], rows)
            unit[norm] = _power_of_two(1 / size) if size > 0 else 1.0
    return _scaled(data, rows, unit, parameter)


@cache
def _upper_triangle(size: int) -> Array:
    """Ones on and above the diagonal."""
    return np.triu(np.ones((size, size)))


@lru_cache(maxsize=256)
def _fit(shapes: tuple[int, ...], equalities: int, filled: bytes) -> Array:
    """Scales from the logarithms of the entries, as a matrix, for one pattern of entries that are not zero."""
    owners = _find_owners(shapes, equalities, np.frombuffer(filled, dtype=np.intp))
    return _solve_least_squares(owners, sum(shapes) + equalities, np.eye(owners.shape[1]))


def _find_owners(shapes: tuple[int, ...], equalities: int, at: NDArray[np.intp]) -> NDArray[np.intp]:
    """Which scales multiply each entry, shape (3, entries): three of a block's, two of an equality's and none.

    Entries are counted unknown by unknown, blocks first; the number of all scales stands for none.
    """
    unknowns, *sizes = shapes
    starts = np.cumsum([*shapes, equalities])
    owners = []
    for start, size in zip(starts, sizes, strict=False):
        k, i, j = np.indices((unknowns, size, size)).reshape(3, unknowns, -1)
        owners.append(np.stack([k, start + i, start + j]))
    k, q = np.indices((unknowns, equalities))
    owners.append(np.stack([k, starts[-2] + q, np.full_like(q, starts[-1])]))
    return np.concatenate(owners, axis=2).reshape(3, -1)[:, at]


def _solve_least_squares(owners: NDArray[np.intp], count: int, target: Array) -> Array:
    """The logarithms of scales whose sums are nearest to the target, one row for each entry, by a ridge."""
    whole, columns = count + 1, target.reshape(len(target), -1)
    pairs = (owners[:, None] * whole + owners[None]).ravel()
    normal = np.bincount(pairs, minlength=whole * whole).reshape(whole, whole)[:-1, :-1] + 1e-6 * np.eye(count)
    right = np.zeros((whole, columns.shape[1]))
    for row in owners:
        np.add.at(right, row, columns)
    found = np.linalg.solve(normal, right[:-1])
    return np.asarray(found.reshape(count, *target.shape[1:]), dtype=np.float64)


def _decisive_size(parts: list[Array], rows: list[Array]) -> float:
    """Size of the scaled norm where it decides: its least entry where it bounds V from above, else its largest."""
    found = np.concatenate([part.diagonal() * d * d for part, d in zip(parts, rows, strict=True)])
    diagonal = found[found != 0]
    if not len(diagonal):
        return 0.0
    least = float(diagonal.min())
    return least if least > 0 else float(np.abs(diagonal).max())


def _reciprocal(sizes: Array) -> Array:
    """One over the size, and 1 where there is nothing."""
    return np.where(sizes > 0, 1 / np.where(sizes > 0, sizes, 1), 1.0)


def _power_of_two(values: Array | float) -> Array:
    return np.asarray(np.exp2(np.round(np.log2(values))))


def _scaled(data: ConeData, rows: list[Array], unit: Array, parameter: float) -> ConeData:
    weights = [(d[:, None] * d) * unit[:, None, None] for d in rows]
    base, slope = (part * unit for part in data.equalities)
    if len(base):
        weight = _reciprocal(np.abs(base + parameter * slope).max(axis=1, initial=0))[:, None]
        base, slope = base * weight, slope * weight
    with np.errstate(over="ignore", invalid="ignore"):  # beyond the range of floats the solver gives up, and says so
        blocks = tuple((b * w, m * w) for (b, m), w in zip(data.blocks, weights, strict=True))
    return replace(
        data,
        blocks=blocks,
        equalities=(base, slope),
        unit=data.unit * unit,
        metric=None,
    )
