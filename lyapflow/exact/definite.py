"""Definiteness of rational symmetric matrices, decided exactly, with a witness when the answer is no."""

from __future__ import annotations

from fractions import Fraction

from flint import fmpq_mat, fmpz, fmpz_mat

from ..errors import InvalidModelError
from .dominance import decide_quickly
from .enclosures import bracket_smallest
from .matrices import Matrix, Vector, quadratic_value, to_flint

__all__ = [
    "find_negative_direction",
    "is_positive_definite",
    "is_positive_semidefinite",
    "measure_margin",
    "smallest_sign",
]

_LARGE = 30
"""From this size on, a congruence to a dominant matrix is quicker than the characteristic polynomial, if it decides."""


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
    cleared of denominators by a diagonal congruence, which keeps the signs of all eigenvalues. A large matrix that is
    not near the boundary is decided sooner by `dominance.decide_quickly`, as exactly.

    Examples
    --------
    >>> slack = ((Fraction(2, 9), Fraction(-2, 9)), (Fraction(-2, 9), Fraction(2, 9)))
    >>> is_positive_semidefinite(slack), is_positive_definite(slack)
    (True, False)
    """
    _require_symmetric(matrix)
    return smallest_sign(to_flint(matrix)) >= 0


def is_positive_definite(matrix: Matrix) -> bool:
    """Whether ``z' M z > 0`` for every nonzero z, decided exactly. See `is_positive_semidefinite`."""
    _require_symmetric(matrix)
    return smallest_sign(to_flint(matrix)) > 0


def smallest_sign(m: fmpq_mat) -> int:
    """Sign of the smallest eigenvalue of a symmetric matrix in python-flint; symmetry is not checked.

    >>> smallest_sign(fmpq_mat(2, 2, [1, 1, 1, 1])), smallest_sign(fmpq_mat(2, 2, [1, 2, 2, 1]))
    (0, -1)
    """
    cleared, kept, _ = _clear(m)
    sign = _smallest_sign(cleared)
    return min(sign, 0) if len(kept) < m.nrows() else sign


def _smallest_sign(m: fmpz_mat) -> int:
    n = m.nrows()
    if n >= _LARGE:
        verdict = decide_quickly(m)
        if verdict.definite or verdict.direction is not None:
            return 1 if verdict.definite else -1
    coefficients = [int(c) for c in m.charpoly().coeffs()]  # coefficients[k] belongs to t**k
    alternated = [c if (n - k) % 2 == 0 else -c for k, c in enumerate(coefficients)]
    if any(c < 0 for c in alternated):
        return -1
    return 1 if alternated[0] > 0 else 0


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


def _clear(m: fmpq_mat) -> tuple[fmpz_mat, list[int], list[fmpz]]:
    """Integer ``D M D`` with D diagonal and positive (a congruence: signs of eigenvalues stay), its rows in M, and D.

    A row of zeros is left out: it adds the eigenvalue 0.
    """
    table = m.table()
    kept = [i for i, row in enumerate(table) if any(row)]
    clear: list[fmpz] = []
    for i in kept:
        row, least = table[i], table[i][i].q
        for j, factor in zip(kept, clear, strict=False):
            least = least.lcm((row[j] * factor).q)
        clear.append(least)
    entries = [
        (table[i][j] * (a * b)).p for i, a in zip(kept, clear, strict=True) for j, b in zip(kept, clear, strict=True)
    ]
    return fmpz_mat(len(kept), len(kept), entries), kept, clear


def find_negative_direction(matrix: Matrix) -> Vector | None:
    """Rational z with ``z' M z < 0``, or None if there is none.

    Symmetric elimination: a negative pivot, or a zero pivot with a nonzero row, shows the direction. For a large matrix
    a direction that floating point suggests is tried first.

    >>> find_negative_direction(((Fraction(1), Fraction(2)), (Fraction(2), Fraction(1))))
    (Fraction(-2, 1), Fraction(1, 1))
    """
    _require_symmetric(matrix)
    n = len(matrix)
    if n >= _LARGE:
        cleared, kept, clear = _clear(to_flint(matrix))
        verdict = decide_quickly(cleared)
        if verdict.definite:
            return None
        if verdict.direction is not None:
            suggested = {i: int(z * d) for i, z, d in zip(kept, verdict.direction, clear, strict=True)}
            return _checked(matrix, [Fraction(suggested.get(i, 0)) for i in range(n)])
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
    _require_symmetric(matrix)
    n = len(matrix)
    cleared, kept, clear = _clear(to_flint(matrix))
    if n == 0 or len(kept) < n:
        return Fraction(0)
    squares = fmpz_mat(n, n, [d * d if i == j else 0 for i, d in enumerate(clear) for j in range(n)])

    def holds(exponent: int) -> bool:  # D (M - 2**exponent I) D, times a power of two where the exponent is negative
        return _smallest_sign(cleared * 2 ** max(-exponent, 0) - squares * 2 ** max(exponent, 0)) >= 0

    low, high = -smallest, smallest
    bracket = bracket_smallest(matrix) if n >= _LARGE else None
    if bracket is not None and holds(near := max(low, min(high, _floor_log(bracket[0])))):
        low, high = near, max(min(high, _floor_log(bracket[1])), near)
    elif not holds(low):
        return Fraction(0)
    while low < high:  # invariant: holds(low); the answer lies in [low, high]
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return Fraction(2) ** low


def _floor_log(value: Fraction) -> int:
    """Largest e with ``2**e <= value``, for a positive value."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    return exponent if Fraction(2) ** exponent <= value else exponent - 1
