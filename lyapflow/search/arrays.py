"""The pencil in floating point, equilibrated: what a solver is given.

Rows of each matrix inequality and unknowns are scaled by powers of two until all entries have a like size; an
inequality stays the same under such a congruence, and powers of two are undone without rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..exact.matrices import Matrix
from ..lmi.pencil import Pencil
from .reduction import ONE, Face, linear_equalities

__all__ = ["ConeData", "equilibrate", "rescale", "to_arrays"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ConeData:
    """A homogeneous cone problem that is affine in one parameter p: data = base + p * slope.

    Attributes
    ----------
    names : tuple of str
        Unknowns, `ONE` last.
    blocks : tuple of (base, slope)
        Each of shape (K, s, s): one symmetric matrix per unknown.
    equalities : (base, slope)
        Each of shape (q, K).
    signed : tuple of int
        Unknowns that must be >= 0.
    unit : array of shape (K,)
        Value of unknown k is ``unit[k]`` times the solver's variable k.
    """

    names: tuple[str, ...]
    blocks: tuple[tuple[Array, Array], ...]
    equalities: tuple[Array, Array]
    signed: tuple[int, ...]
    unit: Array


def to_arrays(low: Pencil, high: Pencil, face: Face, span: tuple[float, float]) -> ConeData:
    """Cone data that agree with two pencils at the two ends of a parameter interval, and are affine between.

    Parameters
    ----------
    low, high : Pencil
        One structure at the two parameter values `span`; the same pencil twice for no parameter.
    face : Face
        What must vanish.
    span : (float, float)
        Parameter values of the two pencils, different.
    """
    names = (*low.unknowns, ONE)
    ends = [(_blocks(p, face, names), _equalities(p, face)) for p in (low, high)]
    width = span[1] - span[0]

    def affine(a: Array, b: Array) -> tuple[Array, Array]:
        slope = (b - a) / width
        return a - span[0] * slope, slope

    blocks = tuple(affine(a, b) for a, b in zip(ends[0][0], ends[1][0], strict=True) if a.shape[1])
    signed = tuple(
        k for k, name in enumerate(names) if (name in low.nonnegative or name == ONE) and name not in face.zero_unknowns
    )
    return ConeData(
        names=names, blocks=blocks, equalities=affine(ends[0][1], ends[1][1]), signed=signed, unit=np.ones(len(names))
    )


def _blocks(pencil: Pencil, face: Face, names: tuple[str, ...]) -> list[Array]:
    index = {name: k for k, name in enumerate(names)}
    found = []
    for condition, kept in zip(pencil.conditions, face.kept, strict=True):
        block = np.zeros((len(names), len(kept), len(kept)))
        for name, term in (*condition.terms, (ONE, condition.constant)):
            block[index[name]] = [[float(term[i][j]) for j in kept] for i in kept]
        found.append(block)
    return found


def _equalities(pencil: Pencil, face: Face) -> Array:
    reduced: Matrix = linear_equalities(pencil, face)[0]
    return np.array([[float(v) for v in row] for row in reduced]).reshape(-1, len(pencil.unknowns) + 1)


def rescale(data: ConeData, parameter: float, values: Mapping[str, float]) -> ConeData:
    """The same cone problem in units in which a known interior point has unit unknowns and unit diagonals."""
    y = np.array([values[name] for name in data.names]) / data.unit
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
    blocks = [np.abs(base + parameter * slope) * heard[:, None, None] for base, slope in data.blocks]
    equalities = np.abs(data.equalities[0] + parameter * data.equalities[1]) * heard
    unknowns = len(data.names)
    starts = np.cumsum([unknowns, *(block.shape[1] for block in blocks)])
    triples = [  # (unknown, row, column) or (unknown, equality, -1) of each entry, by the index of its scale
        np.stack([k, start + i, start + j], axis=1)[i <= j]
        for start, (k, i, j) in zip(starts, map(np.nonzero, blocks), strict=False)
    ]
    q, k = np.nonzero(equalities)
    triples.append(np.stack([k, starts[-1] + q, np.full_like(q, -1)], axis=1))
    sizes = [block[np.nonzero(block)][np.less_equal(*np.nonzero(block)[1:])] for block in blocks]
    sizes.append(equalities[q, k])
    index, target = np.concatenate(triples), -np.log2(np.concatenate(sizes))
    system = np.zeros((len(index), starts[-1] + len(equalities)))
    for column in index.T:
        known = column >= 0
        system[np.nonzero(known)[0], column[known]] += 1
    scales = np.linalg.lstsq(system, target, rcond=None)[0]
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
        return part * d[:, None] * d * unit[:, None, None]

    base, slope = (part * unit for part in data.equalities)
    size = np.abs(base + parameter * slope).max(axis=1, initial=0)
    weight = _reciprocal(size)[:, None]
    return replace(
        data,
        blocks=tuple((scale(b, d), scale(m, d)) for (b, m), d in zip(data.blocks, rows, strict=True)),
        equalities=(base * weight, slope * weight),
        unit=data.unit * unit,
    )
