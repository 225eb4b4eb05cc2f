"""The pencil in floating point: what a solver is given. Scaling is the business of `scaling`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..exact.dense import floats
from ..lmi.pencil import Condition, Entry, Pencil
from .reduction import NO_FACE, ONE, Face

__all__ = ["Array", "ConeData", "Metric", "diagonals", "may_have_face", "on_face", "restrict", "to_arrays"]

Array = NDArray[np.float64]

_FEW = 100
"""Up to so many numbers in the rows of a stack, all products of two of them are worth a table."""

_ROUND_OFF = 1e-15
"""A sum this much smaller than its terms is zero."""


@dataclass(frozen=True, eq=False)
class Metric:
    """What the margin t of a cone problem is measured in: ``F(y) - t N >= 0``, ``y_k - t w_k >= 0``, ``E y = t e``.

    Attributes
    ----------
    blocks : tuple of array
        N of each block.
    signed : array
        w of each signed unknown.
    equalities : array
        e of each equality.
    scale : array of shape (K,)
        The linear form in the variables that is 1.
    """

    blocks: tuple[Array, ...]
    signed: Array
    equalities: Array
    scale: Array


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
    metric : Metric or None
        None is the identity on matrices and signed unknowns, zero on equalities; traces and signed unknowns add to 1.
    """

    names: tuple[str, ...]
    blocks: tuple[tuple[Array, Array], ...]
    equalities: tuple[Array, Array]
    signed: tuple[int, ...]
    unit: Array
    metric: Metric | None = None

    def variables(self, values: Mapping[str, float]) -> Array:
        """The solver's variables at given unknowns."""
        return np.array([values[name] for name in self.names]) / self.unit

    def toward(self, values: Mapping[str, float]) -> ConeData:
        """The same problem with its margin measured by how the parameter moves the inequalities.

        At given unknowns: then the margin at p is about the step to a better p, in a Newton (Dinkelbach) iteration for
        the best one. The scale is set by what the parameter multiplies, the storage function.
        """
        scale = -sum(diagonals(slope).sum(axis=1) for _, slope in self.blocks)
        y = self.variables(values)
        y = y / (scale @ y)
        blocks = tuple(-np.tensordot(y, slope, 1) for _, slope in self.blocks)
        return replace(self, metric=Metric(blocks, np.zeros(len(self.signed)), -self.equalities[1] @ y, scale))


def to_arrays(pencil: Pencil) -> ConeData:
    """Cone data of a pencil for every parameter, with all of its rows."""
    names = (*pencil.unknowns, ONE)
    index: dict[str | None, int] = {name: k for k, name in enumerate(names)}
    index[None] = len(names) - 1
    with np.errstate(over="ignore", invalid="ignore"):  # numbers out of range are seen by who asks
        blocks = tuple(_block(condition, index, len(names)) for condition in pencil.conditions)
    base, slope = np.zeros((2, len(pencil.equalities), len(names)))
    for row, equality in enumerate(pencil.equalities):
        for name, weight, change in equality.parts:
            base[row, index[name]] += float(weight)
            slope[row, index[name]] += float(change)
    nonnegative = set(pencil.nonnegative)
    signed = tuple(k for k, name in enumerate(names) if name in nonnegative or name == ONE)
    return ConeData(names=names, blocks=blocks, equalities=(base, slope), signed=signed, unit=np.ones(len(names)))


def restrict(data: ConeData, whole: Pencil, part: Pencil) -> ConeData:
    """Cone data of a part of a pencil from those of the whole one."""
    at = [data.names.index(name) for name in (*part.unknowns, ONE)]
    conditions = {condition.name for condition in part.conditions}
    equalities = {equality.name for equality in part.equalities}
    rows = np.ix_([k for k, equality in enumerate(whole.equalities) if equality.name in equalities], at)
    return ConeData(
        names=tuple(data.names[k] for k in at),
        blocks=tuple(
            (base[at], slope[at])
            for condition, (base, slope) in zip(whole.conditions, data.blocks, strict=True)
            if condition.name in conditions
        ),
        equalities=(data.equalities[0][rows], data.equalities[1][rows]),
        signed=tuple(k for k, j in enumerate(at) if j in data.signed),
        unit=data.unit[at],
    )


def _block(condition: Condition, index: Mapping[str | None, int], unknowns: int) -> tuple[Array, Array]:
    """Base and slope of one matrix inequality; what cancels exactly is zero, not round-off."""
    stack, size = condition.stack, len(condition.signals)
    base, slope = np.zeros((2, unknowns, size, size))
    rows = np.array(floats(stack.rows)).reshape(-1, size)
    form, bound = _read_forms(rows), _read_forms(np.abs(rows))
    at, middle = _gather(stack.fixed, index, len(rows))
    product = form(middle)
    base[at] = np.where(np.abs(product) <= _ROUND_OFF * bound(np.abs(middle)), 0, product)
    if stack.moving:
        at, middle = _gather(stack.moving, index, len(rows))
        slope[at] = form(middle)
    return base, slope


def _read_forms(rows: Array) -> Callable[[Array], Array]:
    """From several M to ``rows' M rows`` plus its transpose, of each: in one product where there are few rows."""
    if rows.size > _FEW:
        return lambda middle: _symmetrise(rows.T @ middle @ rows)
    count, size = rows.shape
    pairs = rows[:, None, :, None] * rows[:, None, :]
    table = (pairs + pairs.transpose(0, 1, 3, 2)).reshape(count**2, size**2)
    return lambda middle: (middle.reshape(-1, count**2) @ table).reshape(-1, size, size)


def _gather(entries: Sequence[Entry], index: Mapping[str | None, int], rows: int) -> tuple[list[int], Array]:
    """Which unknowns occur, and the entries of each as a matrix."""
    places: dict[int, int] = {}
    flat = [(places.setdefault(index[name], len(places)) * rows + i) * rows + j for name, i, j, _ in entries]
    numbers = [float(c) for *_, c in entries]
    found = np.bincount(np.array(flat, dtype=np.intp), numbers, len(places) * rows * rows)
    return list(places), np.asarray(found, dtype=np.float64).reshape(-1, rows, rows)


def _symmetrise(product: Array) -> Array:
    return product + product.transpose(0, 2, 1)


def may_have_face(data: ConeData, parameter: float) -> bool:
    """Whether something may have to vanish: a quick look in floating point, which `find_face` decides exactly."""
    free = np.ones(len(data.names), dtype=bool)
    free[list(data.signed)] = False
    for base, slope in data.blocks:
        terms = base + parameter * slope
        diagonal = diagonals(terms)
        positive = np.where(free[:, None], np.abs(diagonal), diagonal)
        supported = (positive > 1e-13 * np.abs(terms).max(initial=0)).any(axis=0)
        if not supported.all() and (_occurs(base, slope) & ~supported).any():
            return True
    if not len(data.equalities[0]):
        return False
    rows = data.equalities[0] + parameter * data.equalities[1]
    one_sided = (rows >= 0).all(axis=1) | (rows <= 0).all(axis=1)
    return bool((one_sided & ~rows[:, free].any(axis=1)).any())


def diagonals(matrices: Array) -> Array:
    """The diagonal of each of several square matrices, one row each; where there are any, a view."""
    return matrices.reshape(len(matrices), -1)[:, :: matrices.shape[-1] + 1]


def _occurs(base: Array, slope: Array) -> NDArray[np.bool_]:
    """Which signals occur in a matrix inequality at all."""
    found = base.reshape(-1, base.shape[-1]).any(axis=0)
    return np.asarray(found if found.all() else found | slope.reshape(-1, base.shape[-1]).any(axis=0))


def on_face(data: ConeData, face: Face, parameter: float) -> ConeData:
    """The cone problem without the rows that vanish, with what makes them vanish as equalities of full rank."""
    if face is not NO_FACE:
        extra = [[part[:, i, j] for part in data.blocks[k]] for k, i, j in face.zero_entries]
        for name in face.zero_unknowns:
            row = np.zeros(len(data.names))
            row[data.names.index(name)] = 1.0
            extra.append([row, np.zeros_like(row)])
        stacked = [np.vstack([own, *(pair[k] for pair in extra)]) for k, own in enumerate(data.equalities)]
        zero = {data.names.index(name) for name in face.zero_unknowns}
        data = replace(
            data,
            equalities=(stacked[0], stacked[1]),
            signed=tuple(k for k in data.signed if k not in zero),
        )
    blocks = []
    for k, (base, slope) in enumerate(data.blocks):
        rows = [i for i in np.nonzero(_occurs(base, slope))[0].tolist() if (k, i) not in face.zero_rows]
        if len(rows) < base.shape[1]:
            base, slope = base[:, rows][:, :, rows], slope[:, rows][:, :, rows]
        if rows:
            blocks.append((base, slope))
    return replace(data, blocks=tuple(blocks), equalities=_independent(*data.equalities, parameter))


def _independent(base: Array, slope: Array, parameter: float) -> tuple[Array, Array]:
    """Rows of full rank, in order."""
    rows = base + parameter * slope
    filled = rows != 0
    if not len(rows) or (filled & (filled.sum(axis=0) == 1)).any(axis=1).all():  # each row has an unknown of its own
        return base, slope
    sizes = np.linalg.norm(rows, axis=1)
    rows = rows[sizes > 0] / sizes[sizes > 0, None]
    at = np.nonzero(sizes > 0)[0]
    if len(rows) and np.linalg.matrix_rank(rows) < len(rows):
        chosen: list[int] = []
        for k in range(len(rows)):
            if np.linalg.matrix_rank(rows[[*chosen, k]], tol=1e-10) > len(chosen):
                chosen.append(k)
        at = at[chosen]
    return base[at], slope[at]
