"""Exact matrices as ``tuple[tuple[Fraction, ...], ...]``: immutable, hashable, comparable.

Small algebra for model data stays in Python; elimination goes to python-flint, which does not leave this room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from typing import TypeAlias

from flint import fmpq, fmpq_mat

from ..errors import DimensionError, InvalidModelError
from .rationals import rational

__all__ = [
    "Matrix",
    "Vector",
    "add",
    "identity",
    "inverse",
    "kronecker",
    "matrix",
    "multiply",
    "quadratic_value",
    "rank",
    "scale",
    "shape",
    "symmetric_product",
    "transpose",
    "zeros",
]

Vector: TypeAlias = tuple[Fraction, ...]
Matrix: TypeAlias = tuple[Vector, ...]


def matrix(values: object, *, name: str = "matrix") -> Matrix:
    """Exact matrix from nested sequences or a two-dimensional array.

    Parameters
    ----------
    values : array_like, shape (n, m)
        Rows of numbers; floats keep their exact dyadic value. A scalar is a 1 x 1 matrix.
    name : str, default "matrix"
        Name of the parameter, for the error message.

    Raises
    ------
    DimensionError
        If the rows have different lengths.
    InvalidModelError
        If an entry is not a finite real number.

    Examples
    --------
    >>> matrix([[1, "1/2"]])
    ((Fraction(1, 1), Fraction(1, 2)),)
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        return ((rational(values, name=name),),)
    rows: list[Vector] = []
    for i, row in enumerate(values):
        if isinstance(row, str) or not isinstance(row, Iterable):
            raise DimensionError(f"{name} must be a matrix (a sequence of rows), got a row {row!r} at index {i}")
        rows.append(
            tuple(Fraction(v) if type(v) is int else rational(v, name=f"{name}[{i}, {j}]") for j, v in enumerate(row))
        )
    if len({len(row) for row in rows}) > 1:
        raise DimensionError(f"{name} must have rows of equal length, got lengths {[len(r) for r in rows]}")
    return tuple(rows)


def shape(m: Matrix) -> tuple[int, int]:
    """Numbers of rows and columns; an empty matrix is 0 x 0."""
    return len(m), len(m[0]) if m else 0


def zeros(rows: int, columns: int) -> Matrix:
    """Zero matrix of the given shape."""
    return tuple((Fraction(0),) * columns for _ in range(rows))


@cache
def identity(n: int) -> Matrix:
    """Identity matrix of size `n`."""
    return tuple(tuple(Fraction(int(i == j)) for j in range(n)) for i in range(n))


def transpose(m: Matrix) -> Matrix:
    """Transpose of a matrix with at least one row."""
    return tuple(zip(*m, strict=True))


def add(*matrices: Matrix) -> Matrix:
    """Sum of matrices of one shape."""
    return tuple(
        tuple(sum(entries, Fraction(0)) for entries in zip(*rows, strict=True)) for rows in zip(*matrices, strict=True)
    )


def scale(factor: Fraction, m: Matrix) -> Matrix:
    """The matrix times a number."""
    return tuple(tuple(factor * v for v in row) for row in m)


def multiply(a: Matrix, b: Matrix) -> Matrix:
    """Matrix product, by python-flint.

    Raises
    ------
    DimensionError
        If the inner dimensions differ.
    """
    if shape(a)[1] != shape(b)[0]:
        raise DimensionError(f"a product needs equal inner dimensions, got {shape(a)} and {shape(b)}")
    return from_flint(to_flint(a) * to_flint(b))


def symmetric_product(a: Sequence[Fraction], b: Sequence[Fraction]) -> Matrix:
    """Symmetric matrix of the quadratic form ``z -> (a . z)(b . z)``.

    >>> symmetric_product((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1)))[0]
    (Fraction(0, 1), Fraction(1, 2))
    """
    return tuple(tuple((a[i] * b[j] + a[j] * b[i]) / 2 for j in range(len(a))) for i in range(len(a)))


def quadratic_value(m: Matrix, z: Sequence[Fraction]) -> Fraction:
    """Value of the quadratic form ``z' M z``."""
    return sum((z[i] * m[i][j] * z[j] for i in range(len(z)) for j in range(len(z)) if z[i] and z[j]), Fraction(0))


def inverse(m: Matrix) -> Matrix:
    """Inverse, by python-flint.

    Raises
    ------
    InvalidModelError
        If the matrix is singular.
    """
    try:
        return from_flint(to_flint(m).inv())
    except ZeroDivisionError:
        raise InvalidModelError("matrix must be invertible, got a singular one") from None


def kronecker(a: Matrix, b: Matrix) -> Matrix:
    """Kronecker product."""
    return tuple(tuple(v * w for v in ra for w in rb) for ra in a for rb in b)


def rank(m: Matrix) -> int:
    """Rank, exactly.

    >>> rank(matrix([[1, 2], [2, 4]]))
    1
    """
    return int(to_flint(m).rank()) if m and m[0] else 0


def to_flint(m: Matrix) -> fmpq_mat:
    """The matrix in python-flint; for rooms of `exact` only."""
    rows, columns = shape(m)
    return fmpq_mat(rows, columns, [fmpq(v.numerator, v.denominator) for row in m for v in row])


def from_flint(m: fmpq_mat) -> Matrix:
    """The matrix as fractions; for rooms of `exact` only."""
    if m.nrows() and not m.ncols():
        raise InvalidModelError("a matrix must have at least one column")
    return tuple(tuple(Fraction(int(m[i, j].p), int(m[i, j].q)) for j in range(m.ncols())) for i in range(m.nrows()))
