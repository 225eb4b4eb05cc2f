"""Matrices of rationals inside python-flint, for work that is repeated often: forms are assembled and evaluated here.

`matrices` speaks in tuples of `Fraction`, which every floor can read; a `Dense` is opaque outside this floor, and is
made and used up by the functions of this room alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

from flint import fmpq, fmpq_mat, fmpz_mat

from .definite import smallest_sign
from .matrices import Matrix, from_flint

__all__ = [
    "Dense",
    "Scalar",
    "Whole",
    "accumulate",
    "add",
    "as_matrix",
    "bits",
    "congruence",
    "dense",
    "dyadic",
    "floats",
    "fraction",
    "is_semidefinite",
    "is_whole_semidefinite",
    "nonzero_rows",
    "numerators",
    "reduced_rows",
    "scalar",
    "scalars",
    "stack_rows",
    "take_rows",
    "transform",
    "unit_rows",
    "zero",
]

Dense: TypeAlias = fmpq_mat
Scalar: TypeAlias = fmpq
Whole: TypeAlias = fmpz_mat

_SMALL = 12
"""Up to this size one common denominator costs less than a congruence that clears rows one by one."""


def scalar(value: Fraction) -> Scalar:
    """A rational inside python-flint."""
    return fmpq(value.numerator, value.denominator)


def dyadic(value: float) -> Scalar:
    """The exact value of a float."""
    return fmpq(*value.as_integer_ratio())


def bits(value: Scalar) -> int:
    """Bits of the longer one of numerator and denominator."""
    return int(value.height_bits())


def scalars(values: Mapping[str, Fraction]) -> dict[str, Scalar]:
    """Named rationals inside python-flint."""
    return {name: fmpq(value.numerator, value.denominator) for name, value in values.items()}


def fraction(value: Scalar) -> Fraction:
    """The rational as a `Fraction`."""
    return Fraction(int(value.p), int(value.q))


def dense(rows: Sequence[Sequence[Fraction]], columns: int) -> Dense:
    """A matrix with the given number of columns from rows of fractions."""
    return fmpq_mat(len(rows), columns, [fmpq(v.numerator, v.denominator) for row in rows for v in row])


def zero(rows: int, columns: int) -> Dense:
    """Zero matrix."""
    return fmpq_mat(rows, columns)


def unit_rows(size: int, start: int, count: int) -> Dense:
    """Rows `start` to ``start + count`` of the identity of a size."""
    found = fmpq_mat(count, size)
    for k in range(count):
        found[k, start + k] = 1
    return found


def take_rows(*parts: tuple[Dense, Iterable[int]]) -> Dense:
    """Chosen rows of matrices with equally many columns, one below the other."""
    columns = parts[0][0].ncols()
    entries = [v for m, chosen in parts for rows in (m.table(),) for i in chosen for v in rows[i]]
    return fmpq_mat(len(entries) // columns, columns, entries)


def stack_rows(parts: Sequence[Dense]) -> Dense:
    """All rows of matrices with equally many columns, one below the other."""
    entries = [v for m in parts for v in m.entries()]
    return fmpq_mat(sum(m.nrows() for m in parts), parts[0].ncols(), entries)


def transform(a: Dense, b: Dense) -> Dense:
    """Matrix product."""
    return a * b


def add(a: Dense, b: Dense, sign: int = 1) -> Dense:
    """Sum of two matrices, or their difference."""
    return a + b if sign > 0 else a - b


def accumulate(rows: int, columns: int, entries: Iterable[tuple[int, int, Scalar]]) -> Dense:
    """A matrix from its entries; those at one place add up."""
    nothing = fmpq(0)
    found = [nothing] * (rows * columns)
    for i, j, value in entries:
        at = i * columns + j
        found[at] = value if found[at] is nothing else found[at] + value
    return fmpq_mat(rows, columns, found)


def reduced_rows(m: Dense) -> list[list[Scalar]]:
    """Nonzero rows of the reduced row echelon form."""
    reduced, rank = m.rref()
    return list(reduced.table()[: int(rank)])


def congruence(rows: Dense, middle: Dense) -> Dense:
    """The symmetric matrix of the form ``2 (rows z)' middle (rows z)``."""
    product = rows.transpose() * middle * rows
    return product + product.transpose()


def nonzero_rows(m: Dense) -> list[list[tuple[int, Scalar]]]:
    """Column and value of the entries of each row that are not zero."""
    return [[(j, v) for j, v in enumerate(row) if v] for row in m.table()]


def floats(m: Dense) -> list[list[float]]:
    """The nearest floats."""
    return [[float(v) for v in row] for row in m.table()]


def as_matrix(m: Dense) -> Matrix:
    """The matrix as tuples of fractions."""
    return from_flint(m)


def is_semidefinite(m: Dense) -> bool:
    """Whether a symmetric matrix is positive semidefinite, exactly. See `definite.is_positive_semidefinite`."""
    n = m.nrows()
    if n > _SMALL:
        return smallest_sign(m) >= 0
    return _has_no_negative_root(numerators(m))


def is_whole_semidefinite(rows: Whole, middle: Whole) -> bool:
    """Whether the form ``2 (rows z)' middle (rows z)`` is positive semidefinite, in integers."""
    product = rows.transpose() * middle * rows
    return _has_no_negative_root(product + product.transpose())


def _has_no_negative_root(m: Whole) -> bool:
    """Whether no eigenvalue of a symmetric matrix is negative: Descartes' rule, see `definite`."""
    n = m.nrows()
    return all(c >= 0 if (n - k) % 2 == 0 else c <= 0 for k, c in enumerate(m.charpoly().coeffs()))


def numerators(m: Dense) -> Whole:
    """The matrix times the least common denominator of its entries."""
    return m.numer_denom()[0]
