"""Definiteness of rational symmetric matrices, decided exactly, with a witness when the answer is no."""

from __future__ import annotations

from fractions import Fraction
from math import lcm

from flint import fmpz_mat

from ..errors import InvalidModelError
from .matrices import Matrix, Vector, quadratic_value

__all__ = ["find_negative_direction", "is_positive_definite", "is_positive_semidefinite", "measure_margin"]


def is_positive_semidefinite(matrix: Matrix) -> bool:
    r"""Whether ``z' M z >= 0`` for every z, decided exactly, the singular case included.

    Parameters
    ----------
    matrix : Matrix, shape (n, n)
        Symmetric, over the rationals.

    Raises
    ------
    InvalidModelError
        If the matrix is not square and symmetric.

    Notes
    -----
    A real symmetric matrix has only real eigenvalues, so by Descartes' rule of signs none of them is negative
    iff the coefficients of its characteristic polynomial alternate in sign (zeros allowed). The matrix is first
    cleared of denominators by a diagonal congruence, which keeps the signs of all eigenvalues.

    Examples
    --------
    >>> slack = ((Fraction(2, 9), Fraction(-2, 9)), (Fraction(-2, 9), Fraction(2, 9)))
    >>> is_positive_semidefinite(slack), is_positive_definite(slack)
    (True, False)
    """
    return all(c >= 0 for c in _alternated(matrix))


def is_positive_definite(matrix: Matrix) -> bool:
    """Whether ``z' M z > 0`` for every nonzero z, decided exactly. See `is_positive_semidefinite`."""
    coefficients = _alternated(matrix)
    return all(c >= 0 for c in coefficients) and coefficients[0] > 0


def _alternated(matrix: Matrix) -> list[int]:
    _require_symmetric(matrix)
    n = len(matrix)
    if n == 0:
        return [1]
    coefficients = [int(c) for c in _cleared(matrix).charpoly().coeffs()]  # coefficients[k] belongs to t**k
    return [c if (n - k) % 2 == 0 else -c for k, c in enumerate(coefficients)]


def _require_symmetric(matrix: Matrix) -> None:
    n = len(matrix)
    for i, row in enumerate(matrix):
        if len(row) != n:
            raise InvalidModelError(f"matrix must be square, got a row of length {len(row)} in {n} rows")
        for j in range(i):
            if row[j] != matrix[j][i]:
                raise InvalidModelError(
                    f"matrix must be symmetric: entry [{i}, {j}] is {row[j]} but [{j}, {i}] is {matrix[j][i]}"
                )


def _cleared(matrix: Matrix) -> fmpz_mat:
    """Integer ``D M D`` with D diagonal and positive (a congruence: signs of eigenvalues stay)."""
    clear: list[int] = []
    for i, row in enumerate(matrix):
        clear.append(lcm(row[i].denominator, *((row[j] * clear[j]).denominator for j in range(i))))
    n = len(matrix)
    return fmpz_mat(n, n, [int(matrix[i][j] * clear[i] * clear[j]) for i in range(n) for j in range(n)])


def find_negative_direction(matrix: Matrix) -> Vector | None:
    """Rational z with ``z' M z < 0``, or None if there is none.

    Symmetric elimination: a negative pivot, or a zero pivot with a nonzero row, shows the direction.

    >>> find_negative_direction(((Fraction(1), Fraction(2)), (Fraction(2), Fraction(1))))
    (Fraction(-2, 1), Fraction(1, 1))
    """
    _require_symmetric(matrix)
    n = len(matrix)
    rest = [list(row) for row in matrix]
    basis = [[Fraction(int(i == j)) for j in range(n)] for i in range(n)]  # rest[i][j] = basis_i' M basis_j
    for k in range(n):
        for i in range(k, n):
            if rest[i][i] < 0:
                return _checked(matrix, basis[i])
        pivot = next((i for i in range(k, n) if rest[i][i] > 0), None)
        if pivot is None:
            return _from_zero_diagonal(matrix, rest, basis, k)
        rest[k], rest[pivot] = rest[pivot], rest[k]
        for row in rest:
            row[k], row[pivot] = row[pivot], row[k]
        basis[k], basis[pivot] = basis[pivot], basis[k]
        for i in range(k + 1, n):
            factor = rest[i][k] / rest[k][k]
            if factor:
                basis[i] = [b - factor * p for b, p in zip(basis[i], basis[k], strict=True)]
                for j in range(k, n):
                    rest[i][j] -= factor * rest[k][j]
        for i in range(k + 1, n):
            rest[k][i] = Fraction(0)
    return None


def _from_zero_diagonal(
    matrix: Matrix, rest: list[list[Fraction]], basis: list[list[Fraction]], k: int
) -> Vector | None:
    for i in range(k, len(rest)):
        for j in range(i + 1, len(rest)):
            if rest[i][j]:
                sign = -1 if rest[i][j] > 0 else 1
                return _checked(matrix, [a + sign * b for a, b in zip(basis[i], basis[j], strict=True)])
    return None


def _checked(matrix: Matrix, direction: list[Fraction]) -> Vector:
    witness = tuple(direction)
    value = quadratic_value(matrix, witness)
    if value >= 0:  # cannot happen; a wrong witness must never leave this room
        raise ArithmeticError(f"internal error: the witness gives {value}, which is not negative")
    return witness


def measure_margin(matrix: Matrix, *, smallest: int = 60) -> Fraction:
    """Largest power of two ``e`` in ``[2**-smallest, 2**smallest]`` with ``M - e I`` positive semidefinite; 0 if none.

    >>> measure_margin(((Fraction(3),),))
    Fraction(2, 1)
    """
    n = len(matrix)
    if n == 0:
        return Fraction(0)

    def holds(exponent: int) -> bool:
        shift = Fraction(2) ** exponent
        return is_positive_semidefinite(
            tuple(tuple(v - shift if i == j else v for j, v in enumerate(row)) for i, row in enumerate(matrix))
        )

    low, high = -smallest, smallest
    if not holds(low):
        return Fraction(0)
    while low < high:  # invariant: holds(low); the answer lies in [low, high]
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return Fraction(2) ** low
