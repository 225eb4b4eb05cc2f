r"""Quick exact decisions for large matrices: a congruence, guessed in floating point, that leaves little to check.

Let :math:`M \approx LL^\top` in floating point and X be :math:`L^{-1}`, scaled and rounded to integers. X is lower
triangular with a diagonal that is not zero, so M is positive definite iff :math:`XMX^\top` is; and that product,
formed exactly, is nearly a multiple of the identity. If it is diagonally dominant, Gershgorin's theorem is the proof.
Where the factorization breaks down instead, the row at which it does is a direction to try for the opposite answer.

At n = 200 this takes 0.15 s, and the characteristic polynomial 2 to 12 s. It is not sure to decide: matrices on or very
near the boundary stay open here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from operator import mul

from flint import fmpz_mat

__all__ = ["Verdict", "decide_quickly", "is_dominant"]

_BITS = 40  # of X behind the point; its rounding then moves the product by about n 2**-40
_DOUBLE = 60  # leading bits of an integer that go to a float
_FLAT = 1e-15  # where the diagonal is 1, a pivot below this is noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is proved of a symmetric matrix M; nothing, if neither is.

    Attributes
    ----------
    definite : bool
        Whether it is proved that M is positive definite.
    direction : tuple of int or None
        A vector z with ``z' M z < 0``.
    """

    definite: bool = False
    direction: tuple[int, ...] | None = None


def decide_quickly(m: fmpz_mat) -> Verdict:
    """Try to prove a symmetric integer matrix positive definite, or to find a direction in which it is negative.

    Parameters
    ----------
    m : fmpz_mat, shape (n, n)
        Symmetric; that is not checked.

    Examples
    --------
    >>> decide_quickly(fmpz_mat([[2, 1], [1, 1]])).definite
    True
    >>> decide_quickly(fmpz_mat([[1, 2], [2, 1]])).direction
    (-2, 1)
    """
    found = _guess([[int(v) for v in row] for row in m.table()])
    if isinstance(found, fmpz_mat):
        return Verdict(definite=is_dominant(found * m * found.transpose()))
    if found is not None:
        z = fmpz_mat(1, len(found), found)
        if (z * m * z.transpose())[0, 0] < 0:
            return Verdict(direction=tuple(found))
    return Verdict()


def is_dominant(m: fmpz_mat) -> bool:
    """Whether each diagonal entry is greater than the sum of the sizes of the others in its row, exactly.

    >>> is_dominant(fmpz_mat([[2, -1], [1, 3]])), is_dominant(fmpz_mat([[1, 1], [1, 1]]))
    (True, False)
    """
    return all(2 * row[i] > sum(map(abs, row)) for i, row in enumerate(m.table()))


def _guess(rows: list[list[int]]) -> fmpz_mat | list[int] | None:
    """X for which ``X M X'`` is likely to be dominant, or a direction in which M is likely to be negative, or None."""
    n = len(rows)
    for i, row in enumerate(rows):
        if row[i] < 0:
            return [int(k == i) for k in range(n)]
        for j in range(i):
            if row[j] ** 2 > row[i] * rows[j][j]:  # a minor of two rows is negative
                return [rows[j][j] if k == i else -row[j] if k == j else 0 for k in range(n)]
        if row[i] == 0:
            return None
    shifts = [(row[i].bit_length() + 1) // 2 for i, row in enumerate(rows)]  # 2**-shift takes the diagonal to about 1
    top = max(shifts, default=0)
    entries: list[int] = []
    for direction, pivot in _eliminate([_scale(row[: i + 1], shifts) for i, row in enumerate(rows)]):
        padding = [0] * (n - len(direction))
        if pivot <= _FLAT:
            return _to_integers(direction, shifts, top) + padding
        root = math.sqrt(pivot)
        entries += _to_integers([v / root for v in direction], shifts, top) + padding
    return fmpz_mat(n, n, entries)


def _scale(row: list[int], shifts: list[int]) -> list[float]:
    """A row up to its diagonal as floats, rows and columns scaled by ``2**-shift``; no entry is then above 1."""
    own = shifts[len(row) - 1]
    found = []
    for value, shift in zip(row, shifts, strict=False):
        spare = max(value.bit_length() - _DOUBLE, 0)
        found.append(math.ldexp(value >> spare, spare - own - shift))
    return found


def _eliminate(lower: list[list[float]]) -> Iterator[tuple[list[float], float]]:
    """Rows z_i of the unit lower triangular Z with ``Z M Z'`` diagonal, and that diagonal, while it is positive."""
    factor: list[list[float]] = []  # rows of L, M = L L'
    columns: list[list[float]] = []  # columns of inverse(L), from the diagonal down
    for row in lower:
        entries: list[float] = []
        for value, above in zip(row, factor, strict=False):
            entries.append((value - sum(map(mul, entries, above))) / above[-1])
        pivot = row[-1] - sum(map(mul, entries, entries))
        direction = [-sum(map(mul, entries[k:], column)) for k, column in enumerate(columns)]
        yield [*direction, 1.0], pivot
        root = math.sqrt(pivot)
        factor.append([*entries, root])
        for column, value in zip(columns, direction, strict=True):
            column.append(value / root)
        columns.append([1 / root])


def _to_integers(row: list[float], shifts: list[int], top: int) -> list[int]:
    """A row in the scaled coordinates, as integers in those of M; all rows are scaled alike."""
    return [round(v * 2**_BITS) << (top - shift) for v, shift in zip(row, shifts, strict=False)]
