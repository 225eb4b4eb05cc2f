"""Floats -> rationals on the affine hull: simplest first, then finer, and each candidate checked exactly.

The equalities of the pencil are solved exactly for pivot unknowns, so rounding the others never breaks them. All are
rounded to one common denominator, because unrelated denominators make any exact method slow. A look at the eigenvalues
in floating point keeps hopeless candidates from the exact check; it proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..exact.dense import Scalar, bits, dyadic, fraction, scalar
from ..exact.rationals import MOST_DIGITS, convergent_near
from ..lmi.pencil import Pencil
from .arrays import Array, ConeData
from .reduction import Face, linear_equalities

__all__ = ["prove", "round_onto"]

_SIMPLE = (1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 16, 18, 20, 24, 32, 36, 40, 48, 50, 60, 64, 72, 81, 100, 120, 144, 1000)
_TOLERANCES = (1e-3, 1e-5, 1e-7, 1e-9)
_MOST = 1e100  # ratios beyond it are noise
_FEW = 24
_ZERO = scalar(Fraction(0))
_FINE_BITS = (16, 24, 32, 40, 48, 56)
_INSIDE = 1e-15  # a candidate inside may look this much outside, in floating point
_BOUNDARY = 1e-9  # a candidate on the boundary may look this much outside, in floating point


@dataclass(frozen=True, slots=True)
class _Roundings:
    """Several ways to round: a row of floats for each, and each number as a rational."""

    floats: Array
    exact: Callable[[int, int], Scalar]
    slack: float


def prove(
    pencil: Pencil, face: Face, values: Mapping[str, float], data: ConeData, *, simple: bool
) -> dict[str, Fraction] | None:
    """Rationals near the floats that satisfy the whole pencil exactly, or None. See `round_onto`."""
    found = round_onto(pencil, face, values, data, pencil.holds, simple=simple)
    return None if found is None else {name: fraction(found[name]) for name in pencil.unknowns}


def round_onto(
    pencil: Pencil,
    face: Face,
    values: Mapping[str, float],
    data: ConeData,
    accept: Callable[[dict[str, Scalar]], object],
    *,
    simple: bool,
) -> dict[str, Scalar] | None:
    """Rationals near the floats, on the affine hull of the equalities and with the right signs, that are accepted.

    Parameters
    ----------
    pencil : Pencil
        What must hold; its constant terms are reached by dividing by the value of `ONE`.
    face : Face
        What must vanish.
    values : mapping
        The solver's floats, `ONE` among them.
    data : ConeData
        The same pencil in floating point and good units, to sort out candidates.
    accept : callable
        Decides exactly; what is true is a yes.
    simple : bool
        Whether to try small denominators first: worth it where the solution may be exact and on the boundary.
    """
    equalities, columns = linear_equalities(pencil, face)
    pivots = [next(j for j, v in enumerate(row) if v) for row in equalities]
    free = [j for j in range(len(columns)) if j not in pivots]
    multipliers = set(pencil.nonnegative)
    signed = [j for j, name in enumerate(columns) if name in multipliers]
    floats = np.array([values[name] for name in columns])
    if not floats[-1] > 0:
        return None
    floats /= floats[-1]  # so that dyadic numbers need no division by `ONE`
    if not np.all(np.isfinite(floats)):
        return None
    nonnegative = set(signed)
    floor = np.array([0.0 if j in nonnegative else -np.inf for j in range(len(columns))])
    solved = np.array([[float(v) for v in row] for row in equalities]).reshape(-1, len(columns))
    sums = [(j, [(i, -row[i]) for i in free if row[i]]) for row, j in zip(equalities, pivots, strict=True)]
    parameter = float(pencil.conditions[0].parameter) if pencil.conditions else 0.0
    for batch in _roundings(pencil, floats, columns, simple=simple):
        near = np.maximum(batch.floats, floor)
        if pivots:
            near[:, pivots] = 0
            near[:, pivots] = -near @ solved.T
        for k in np.nonzero(_are_plausible(data, parameter, near, batch.slack))[0].tolist():
            exact = [_ZERO] * len(columns)
            for j in free:
                v = batch.exact(k, j)
                exact[j] = _ZERO if j in nonnegative and v < 0 else v
            for pivot, terms in sums:
                exact[pivot] = sum((c * exact[j] for j, c in terms), _ZERO)
            one = exact[-1]
            if one <= 0 or any(exact[j] < 0 for j in signed) or _is_too_long(exact):
                continue
            candidate = {name: v / one for name, v in zip(columns, exact, strict=True)}
            if accept(candidate):
                return candidate
    return None


def _are_plausible(data: ConeData, parameter: float, values: Array, slack: float) -> NDArray[np.bool_]:
    """Which rows of unknowns have signs and eigenvalues that look right in floating point."""
    y = values / data.unit
    sizes = np.abs(y)
    size = sizes.max(axis=1)
    plausible = np.isfinite(size) & (size > 0) & (y[:, data.signed] >= -slack * size[:, None]).all(axis=1)
    for base, slope in data.blocks:
        if not plausible.all():
            if not plausible.any():
                break
            at = np.nonzero(plausible)[0]
            plausible[at] = _are_inside(base + parameter * slope, y[at], sizes[at], slack)
        else:
            plausible = _are_inside(base + parameter * slope, y, sizes, slack)
    return plausible


def _are_inside(terms: Array, y: Array, sizes: Array, slack: float) -> NDArray[np.bool_]:
    """For which unknowns, a row each, a matrix has no eigenvalue below minus the slack times the size of its terms."""
    flat = terms.reshape(len(terms), -1)
    least = _smallest_eigenvalues((y @ flat).reshape(-1, *terms.shape[1:]))
    return np.asarray(least >= -slack * (sizes @ np.abs(flat)).max(axis=1))


def _smallest_eigenvalues(matrices: Array) -> Array:
    """Of symmetric matrices; those of up to two rows by the formula."""
    if matrices.shape[1] > 2:
        return np.asarray(np.linalg.eigvalsh(matrices)[:, 0], dtype=np.float64)
    a, d = matrices[:, 0, 0], matrices[:, -1, -1]
    if matrices.shape[1] == 1:
        return a
    return (a + d) / 2 - np.hypot((a - d) / 2, matrices[:, 1, 0])


def _is_too_long(numbers: list[Scalar]) -> bool:
    """Whether a number could not be read back from a certificate file (with room for the division by `ONE`)."""
    return 2 * max(map(bits, numbers)) > MOST_DIGITS


def _roundings(pencil: Pencil, values: Array, columns: tuple[str, ...], *, simple: bool) -> Iterator[_Roundings]:
    """Ways to round, simplest first.

    Simple ones take a number of V as the unit, because a certificate on the boundary has simple ratios: first to small
    common denominators, then each number to the simplest rational in its neighbourhood (few unknowns only).
    """
    if simple:
        multipliers = set(pencil.nonnegative)
        sizes = [abs(float(v)) for name, v in zip(columns, values, strict=True) if name not in multipliers]
        top = max(sizes, default=0.0)
        units = list(dict.fromkeys(s for s in sizes if s > 1e-6 * top))[:4]
        ratios = np.array([np.clip(values / unit, -_MOST, _MOST) for unit in units])
        yield _to_grids(ratios)
        if len(pencil.unknowns) <= _FEW:
            yield _to_simplest(ratios[:2])
    yield _to_dyadic(values)


def _to_grids(ratios: Array) -> _Roundings:
    """Common denominators, the smallest first."""
    numerators = np.round(np.array(_SIMPLE)[:, None, None] * ratios)
    floats = (numerators / np.array(_SIMPLE)[:, None, None]).reshape(-1, ratios.shape[1])
    count = len(ratios)
    return _Roundings(
        floats, lambda k, j: dyadic(numerators[k // count, k % count, j]) / _SIMPLE[k // count], _BOUNDARY
    )


def _to_simplest(ratios: Array) -> _Roundings:
    """Each number for itself, the coarsest tolerance first."""
    found = [
        [convergent_near(r, e) if abs(r) > e**1.5 else Fraction(0) for r in row]
        for e in _TOLERANCES
        for row in ratios.tolist()
    ]
    return _Roundings(np.array(found, dtype=float), lambda k, j: scalar(found[k][j]), _BOUNDARY)


def _to_dyadic(values: Array) -> _Roundings:
    """To dyadic grids relative to each number's own size, the coarsest first."""
    mantissas, exponents = np.frexp(values)
    bits = np.array(_FINE_BITS)[:, None]
    rounded = np.ldexp(np.round(np.ldexp(mantissas, bits + 1)), exponents - bits - 1)
    numbers = rounded.tolist()
    return _Roundings(rounded, lambda k, j: dyadic(numbers[k][j]), _INSIDE)
