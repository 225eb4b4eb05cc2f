"""Scaling: rows of each matrix inequality and unknowns in units in which all entries have a like size.

An inequality stays the same under a congruence, and powers of two are undone without rounding. The certificate is about
the user's units: only the solver sees these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .arrays import Array, ConeData
from .reduction import ONE

__all__ = ["equilibrate", "rescale"]


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


def equilibrate(data: ConeData, parameter: float, *, loose: str | None = ONE) -> ConeData:
    """The same cone problem with rows and unknowns scaled by powers of two, for parameters near the given one.

    The scales minimise the sum of squares of the logarithms of all entries (Curtis and Reid), so a change of the user's
    units changes nothing but the scales themselves. One unknown, the `loose` one that multiplies the norm which V is
    compared with, has no say in the rows: that norm may measure states of very different units alike.
    """
    heard = np.array([name != loose for name in data.names])
    unknowns = len(data.names)
    starts = np.cumsum([unknowns, *(base.shape[1] for base, _ in data.blocks)])
    last = starts[-1] + len(data.equalities[0])
    columns: list[NDArray[np.intp]] = []  # the two or three scales of each entry; `last` is no scale
    sizes: list[Array] = []
    for start, (base, slope) in zip(starts, data.blocks, strict=False):
        block = np.triu(base + parameter * slope) * heard[:, None, None]
        k, i, j = np.nonzero(block)
        columns.append(np.stack([k, start + i, start + j]))
        sizes.append(np.abs(block[k, i, j]))
    equalities = (data.equalities[0] + parameter * data.equalities[1]) * heard
    q, k = np.nonzero(equalities)
    columns.append(np.stack([k, starts[-1] + q, np.full_like(q, last)]))
    sizes.append(np.abs(equalities[q, k]))
    index, target = np.concatenate(columns, axis=1), -np.log2(np.concatenate(sizes))
    system = np.zeros((len(target), last + 1))
    every = np.arange(len(target))
    for column in index:
        system[every, column] += 1
    system[:, last] = 0
    normal = system.T @ system  # singular: a ridge picks the solution of least norm
    normal.flat[:: last + 2] += 1e-6
    scales = np.linalg.solve(normal, system.T @ target)
    rows = [np.exp2(np.round(scales[a:b])) for a, b in pairwise(starts)]
    unit = np.exp2(np.round(scales[:unknowns]))
    if loose is not None:
        norm = data.names.index(loose)
        unit[norm] = _power_of_two(_reciprocal(_decisive_size([base[norm] for base, _ in data.blocks], rows)))
    return _scaled(data, rows, unit, parameter)


def _decisive_size(parts: list[Array], rows: list[Array]) -> np.float64:
    """Size of the scaled norm where it decides: its least entry where it bounds V from above, else its largest."""
    found = [np.diag(part) * d * d for part, d in zip(parts, rows, strict=True)]
    diagonal = np.concatenate([v[v != 0] for v in found])
    if not len(diagonal):
        return np.float64(0)
    return diagonal.min() if diagonal.min() > 0 else np.abs(diagonal).max()


def _reciprocal(sizes: NDArray[np.float64] | np.float64) -> Array:
    """One over the size, and 1 where there is nothing."""
    return np.where(sizes > 0, 1 / np.where(sizes > 0, sizes, 1), 1.0)


def _power_of_two(values: Array) -> Array:
    return np.exp2(np.round(np.log2(values)))


def _scaled(data: ConeData, rows: list[Array], unit: Array, parameter: float) -> ConeData:
    def scale(part: Array, d: Array) -> Array:
        return part * (d[:, None] * d) * unit[:, None, None]

    base, slope = (part * unit for part in data.equalities)
    size = np.abs(base + parameter * slope).max(axis=1, initial=0)
    weight = _reciprocal(size)[:, None]
    return replace(
        data,
        blocks=tuple((scale(b, d), scale(m, d)) for (b, m), d in zip(data.blocks, rows, strict=True)),
        equalities=(base * weight, slope * weight),
        unit=data.unit * unit,
        metric=None,
    )
