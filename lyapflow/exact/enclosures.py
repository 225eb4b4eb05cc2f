"""Rigorous enclosures of the eigenvalues of symmetric matrices by rationals.

Everything here is outward rounded: a lower bound is never above the number, an upper bound never below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from flint import arb, arb_mat, fmpq, fmpq_mat, fmpq_poly, fmpz_poly

from .elementary import lower_end, round_outward, upper_end, working_precision
from .matrices import Matrix, to_flint
from .spectra import characteristic, complex_roots

__all__ = ["bracket_smallest", "count_eigenvalues_above", "count_eigenvalues_within", "enclose_eigenvalues"]


def count_eigenvalues_above(matrix: Matrix, bound: Fraction) -> int:
    """Number of eigenvalues of a symmetric matrix that are greater than `bound`, with multiplicity, exactly.

    The characteristic polynomial is real-rooted, so Descartes' rule of signs, after the shift, counts exactly.

    >>> count_eigenvalues_above(((Fraction(2), Fraction(0)), (Fraction(0), Fraction(1))), Fraction(1))
    1
    """
    n = len(matrix)
    shift = fmpq(bound.numerator, bound.denominator)
    moved = to_flint(matrix) - fmpq_mat(n, n, [shift if i == j else fmpq(0) for i in range(n) for j in range(n)])
    signs = [1 if c > 0 else -1 for c in moved.charpoly().coeffs() if c != 0]
    return sum(a != b for a, b in pairwise(signs))


def count_eigenvalues_within(matrix: Matrix, intervals: Sequence[tuple[Fraction, Fraction]]) -> int:
    """Number of eigenvalues of a symmetric matrix in disjoint closed intervals, with multiplicity, exactly.

    One characteristic polynomial for all: where it changes its sign in as many intervals as its degree, each holds one
    root; else Descartes' rule counts, as in `count_eigenvalues_above`.

    >>> two = ((Fraction(2), Fraction(0)), (Fraction(0), Fraction(1)))
    >>> count_eigenvalues_within(two, [(Fraction(0), Fraction(1)), (Fraction(3), Fraction(4))])
    1
    """
    polynomial = characteristic(matrix)
    ends = [[polynomial(fmpq(end.numerator, end.denominator)) for end in interval] for interval in intervals]
    if sum(low * high < 0 for low, high in ends) == len(matrix):
        return len(matrix)
    return sum(_count_roots(polynomial, low)[1] - _count_roots(polynomial, high)[0] for low, high in intervals)


def _count_roots(polynomial: fmpz_poly, bound: Fraction) -> tuple[int, int]:
    """Roots above a bound, and from it on, of a real-rooted polynomial."""
    moved = polynomial(fmpq_poly([fmpq(bound.numerator, bound.denominator), 1])).coeffs()
    signs = [1 if c > 0 else -1 for c in moved if c != 0]
    above = sum(a != b for a, b in pairwise(signs))
    return above, above + next(k for k, c in enumerate(moved) if c != 0)


def enclose_eigenvalues(matrix: Matrix, *, digits: int = 15) -> tuple[tuple[Fraction, Fraction, int], ...]:
    """Disjoint rational intervals that together hold every eigenvalue of a symmetric matrix.

    Parameters
    ----------
    matrix : Matrix, shape (n, n)
        Symmetric, over the rationals.
    digits : int, default 15
        Relative width of the intervals is about ``10**-digits``; a rational eigenvalue that short gets a point.

    Returns
    -------
    tuple of (low, high, multiplicity)
        In increasing order; ``low <= high`` and the multiplicities add up to n.

    Examples
    --------
    >>> enclose_eigenvalues(((Fraction(2), Fraction(0)), (Fraction(0), Fraction(1))))
    ((Fraction(1, 1), Fraction(1, 1), 1), (Fraction(2, 1), Fraction(2, 1), 1))
    """
    polynomial, guesses = characteristic(matrix), _guess_eigenvalues(matrix)
    found: list[tuple[Fraction, Fraction, int]] = []
    with working_precision():
        for factor, multiplicity in polynomial.factor()[1]:
            if factor.degree() == 1:
                only = Fraction(-int(factor[0]), int(factor[1]))
                found.append((only, only, multiplicity))
                continue
            isolated = _isolate(factor, guesses, digits)
            if isolated is not None:
                found += [(low, high, multiplicity) for low, high in isolated]
                continue
            for root, repeated in complex_roots(factor):
                low, high = round_outward(lower_end(root.real), upper_end(root.real), digits)
                found.append((low, high, multiplicity * repeated))
    return _merge(sorted(found))


def _guess_eigenvalues(matrix: Matrix) -> list[float]:
    """In floating point, which proves nothing; none where entries leave its range."""
    import numpy as np  # for a guess; whoever only verifies should not have to load it

    try:
        return sorted(np.linalg.eigvalsh(np.array([[float(v) for v in row] for row in matrix])).tolist())
    except (OverflowError, np.linalg.LinAlgError):
        return []


def _isolate(factor: fmpz_poly, guesses: list[float], digits: int) -> list[tuple[Fraction, Fraction]] | None:
    """Disjoint intervals around the roots, if guesses of them are so good that it changes its sign in each.

    As many changes of sign as the degree leave no room for another root. Far quicker than isolating complex roots.
    """
    slope, found = factor.derivative(), list[tuple[Fraction, Fraction]]()
    for guess in map(Fraction, guesses):
        at = fmpq(guess.numerator, guess.denominator)
        fall = slope(at)
        if fall == 0:
            continue
        move = factor(at) / fall
        better = guess - Fraction(int(move.p), int(move.q))
        if abs(better - guess) > abs(guess) / 2**30:  # not a root of this factor
            continue
        half = abs(better) / 10**digits / 4
        low, high = round_outward(better - half, better + half, digits + 1)
        ends = [factor(fmpq(end.numerator, end.denominator)) for end in (low, high)]
        if (ends[0] > 0) != (ends[1] > 0) and ends[0] != 0 and ends[1] != 0 and (not found or found[-1][1] < low):
            found.append((low, high))
    return found if len(found) == factor.degree() else None


def _merge(intervals: list[tuple[Fraction, Fraction, int]]) -> tuple[tuple[Fraction, Fraction, int], ...]:
    merged: list[tuple[Fraction, Fraction, int]] = []
    for low, high, multiplicity in intervals:
        if merged and low <= merged[-1][1]:
            before = merged.pop()
            merged.append((before[0], max(before[1], high), before[2] + multiplicity))
        else:
            merged.append((low, high, multiplicity))
    return tuple(merged)


def bracket_smallest(matrix: Matrix) -> tuple[Fraction, Fraction] | None:
    """Between these lies the smallest eigenvalue, if the symmetric matrix is positive definite; None if it is singular.

    From the Frobenius norm of the inverse: they differ by at most a factor of the square root of n. Nearly singular
    matrices, beyond the working precision, give None too.

    >>> low, high = bracket_smallest(((Fraction(2), Fraction(0)), (Fraction(0), Fraction(1, 2))))
    >>> float(low) <= 0.5 <= float(high) < 0.7
    True
    """
    with working_precision():
        inverse = arb_mat(to_flint(matrix)).inv(nonstop=True)
        norm = sum((v * v for v in inverse.entries()), arb(0)).sqrt()
        if not norm.is_finite():
            return None
        return lower_end(1 / norm), upper_end(arb(len(matrix)).sqrt() / norm)
