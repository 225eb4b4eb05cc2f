"""Rigorous enclosures of eigenvalues by rationals.

Everything here is outward rounded: a lower bound is never above the number, an upper bound never below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import cast

from flint import acb, acb_mat, arb, arb_mat, fmpq, fmpq_mat, fmpq_poly, fmpz_poly

from .elementary import lower_end, upper_end, working_precision
from .matrices import Matrix, identity, to_flint
from .rationals import ceil_to

__all__ = [
    "bound_abscissa",
    "bound_abscissa_between",
    "bound_radius",
    "bound_radius_between",
    "bracket_smallest",
    "count_eigenvalues_above",
    "count_eigenvalues_within",
    "enclose_eigenvalue",
    "enclose_eigenvalues",
]

_NEWTON_STEPS = 3


def _characteristic(matrix: Matrix) -> fmpz_poly:
    """Integer polynomial with the roots of the characteristic polynomial."""
    coefficients = to_flint(matrix).charpoly().coeffs()
    clear = lcm(*(int(c.q) for c in coefficients))
    return fmpz_poly([int(c.p) * (clear // int(c.q)) for c in coefficients])


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
    polynomial = _characteristic(matrix)
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
    polynomial, guesses = _characteristic(matrix), _guess_eigenvalues(matrix)
    found: list[tuple[Fraction, Fraction, int]] = []
    with working_precision():
        for factor, multiplicity in polynomial.factor()[1]:
            if factor.degree() == 1:
                root = Fraction(-int(factor[0]), int(factor[1]))
                found.append((root, root, multiplicity))
                continue
            isolated = _isolate(factor, guesses, digits)
            if isolated is not None:
                found += [(low, high, multiplicity) for low, high in isolated]
                continue
            for part, repeated in _real_parts(factor):
                found.append((*_round_outward(lower_end(part), upper_end(part), digits), multiplicity * repeated))
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
        low, high = _round_outward(better - half, better + half, digits + 1)
        ends = [factor(fmpq(end.numerator, end.denominator)) for end in (low, high)]
        if (ends[0] > 0) != (ends[1] > 0) and ends[0] != 0 and ends[1] != 0 and (not found or found[-1][1] < low):
            found.append((low, high))
    return found if len(found) == factor.degree() else None


def _moduli(factor: fmpz_poly) -> list[arb]:
    """Balls around the moduli of the roots."""
    roots = cast(list[tuple[acb, int]], factor.complex_roots())
    return [abs(root) for root, _ in roots]


def _real_parts(factor: fmpz_poly) -> list[tuple[arb, int]]:
    """Balls around the real parts of the roots, with multiplicities."""
    roots = cast(list[tuple[acb, int]], factor.complex_roots())  # the stub leaves out the multiplicities
    return [(root.real, multiplicity) for root, multiplicity in roots]


def _round_outward(low: Fraction, high: Fraction, digits: int) -> tuple[Fraction, Fraction]:
    size = max(abs(low), abs(high))
    places = digits
    while size and size * Fraction(10) ** places < Fraction(10) ** digits:
        places += 1
    return -ceil_to(-low, places), ceil_to(high, places)


def _merge(intervals: list[tuple[Fraction, Fraction, int]]) -> tuple[tuple[Fraction, Fraction, int], ...]:
    merged: list[tuple[Fraction, Fraction, int]] = []
    for low, high, multiplicity in intervals:
        if merged and low <= merged[-1][1]:
            before = merged.pop()
            merged.append((before[0], max(before[1], high), before[2] + multiplicity))
        else:
            merged.append((low, high, multiplicity))
    return tuple(merged)


def bound_abscissa(matrix: Matrix, *, digits: int = 12) -> tuple[Fraction, Fraction]:
    """Lower and upper bound of the spectral abscissa ``max Re eig`` of a rational matrix.

    Examples
    --------
    >>> bound_abscissa(((Fraction(-3), Fraction(1)), (Fraction(0), Fraction(-1))))
    (Fraction(-1, 1), Fraction(-1, 1))
    """
    lows: list[Fraction] = []
    highs: list[Fraction] = []
    with working_precision():
        for factor, _ in _characteristic(matrix).factor()[1]:
            if factor.degree() == 1:
                root = Fraction(-int(factor[0]), int(factor[1]))
                lows.append(root)
                highs.append(root)
                continue
            for part, _ in _real_parts(factor):
                low, high = _round_outward(lower_end(part), upper_end(part), digits)
                lows.append(low)
                highs.append(high)
    return max(lows), max(highs)


def bound_radius(matrix: Matrix, *, digits: int = 15) -> tuple[Fraction, Fraction]:
    """Lower and upper bound of the spectral radius ``max |eig|`` of a rational matrix.

    Examples
    --------
    >>> bound_radius(((Fraction(-3), Fraction(1)), (Fraction(0), Fraction(-1))))
    (Fraction(3, 1), Fraction(3, 1))
    """
    lows: list[Fraction] = []
    highs: list[Fraction] = []
    with working_precision():
        for factor, _ in _characteristic(matrix).factor()[1]:
            if factor.degree() == 1:
                root = abs(Fraction(int(factor[0]), int(factor[1])))
                lows.append(root)
                highs.append(root)
                continue
            for modulus in _moduli(factor):
                low, high = _round_outward(lower_end(modulus), upper_end(modulus), digits)
                lows.append(low)
                highs.append(high)
    return max(lows), max(highs)


def bound_radius_between(low: Matrix, high: Matrix, imaginary: tuple[Matrix, Matrix] | None = None) -> Fraction:
    """Lower bound of the spectral radius that holds for every 2x2 matrix whose entries lie between those of two.

    Parameters
    ----------
    low, high : Matrix, shape (2, 2)
        Each entry lies between theirs, in either order.
    imaginary : (Matrix, Matrix), optional
        The same for imaginary parts.

    Examples
    --------
    >>> two = Fraction(2), Fraction(0)
    >>> bound_radius_between((two, two[::-1]), (two, (Fraction(0), Fraction(3)))) <= 2
    True
    """
    with working_precision():
        moduli = [lower_end(value.abs_lower()) for value in _eigenvalues_between(low, high, imaginary)]
    return _round_outward(max(Fraction(0), *moduli), Fraction(0), 15)[0]


def bound_abscissa_between(low: Matrix, high: Matrix, imaginary: tuple[Matrix, Matrix] | None = None) -> Fraction:
    """Lower bound of the spectral abscissa that holds for the same matrices as that of `bound_radius_between`.

    Examples
    --------
    >>> one = Fraction(-2), Fraction(0)
    >>> bound_abscissa_between((one, one[::-1]), (one, (Fraction(0), Fraction(-3)))) <= -2
    True
    """
    with working_precision():
        lowest = max(lower_end(value.real) for value in _eigenvalues_between(low, high, imaginary))
    return _round_outward(lowest, lowest, 15)[0]


def _eigenvalues_between(low: Matrix, high: Matrix, imaginary: tuple[Matrix, Matrix] | None) -> list[acb]:
    """Two balls, each with an eigenvalue of every matrix between two, and together with both."""
    parts = [(low, high)] if imaginary is None else [(low, high), imaginary]
    (a, b), (c, d) = (
        [sum((_between(p[i][j], q[i][j]) * acb(0, 1) ** k for k, (p, q) in enumerate(parts)), acb(0)) for j in (0, 1)]
        for i in (0, 1)
    )
    trace, determinant = a + d, a * d - b * c
    root = (trace * trace - 4 * determinant).sqrt()
    return [(trace + sign * root) / 2 for sign in (1, -1)]


def _between(a: Fraction, b: Fraction) -> acb:
    """A ball that holds all numbers between two."""
    return acb(arb(fmpq(a.numerator, a.denominator)).union(arb(fmpq(b.numerator, b.denominator))))


def enclose_eigenvalue(real: Matrix, imaginary: Matrix | None, near: complex) -> tuple[complex, Fraction] | None:
    r"""A disk around an approximate eigenvalue that is proved to hold an eigenvalue, for large matrices.

    Parameters
    ----------
    real, imaginary : Matrix, shape (n, n)
        Parts of the matrix M; None for the imaginary part of a real matrix.
    near : complex
        The approximation.

    Returns
    -------
    (complex, Fraction) or None
        Centre (two floats, at their exact values) and radius of the disk, a power of two; None if the approximation
        is of no use.

    Notes
    -----
    The trace of :math:`(M - s)^{-1}` is the sum of :math:`1/(\lambda_i - s)`, so one of these n numbers is at least as
    large as its n-th part: an eigenvalue lies within :math:`n/|\mathrm{tr}(M - s)^{-1}|` of s. The trace gives Newton's
    step for s too. Two inverses in ball arithmetic, 1 s at n = 200, where all roots of the characteristic polynomial
    take minutes.

    Examples
    --------
    >>> centre, radius = enclose_eigenvalue(((Fraction(0), Fraction(2)), (Fraction(1), Fraction(0))), None, 1.414 + 0j)
    >>> abs(centre - 2**0.5) < 1e-15, radius < Fraction(1, 10**14)
    (True, True)
    """
    n = len(real)
    centre = near + 2.0**-48 * (abs(near) or 1.0)  # not at the eigenvalue itself, where there is no inverse
    found: tuple[complex, Fraction] | None = None
    with working_precision():
        m = acb_mat(to_flint(real))
        if imaginary is not None:
            m += acb_mat(to_flint(imaginary)) * acb(0, 1)
        unit = acb_mat(to_flint(identity(n)))
        for _ in range(_NEWTON_STEPS):
            trace = (m - unit * acb(centre)).inv(nonstop=True).trace()
            if not trace.is_finite() or trace.contains(0):
                break
            radius = _ceil_to_power(upper_end(n / abs(trace)))
            if found is None or radius < found[1]:
                found = centre, radius
            centre = complex(acb(centre) + 1 / trace)
    return found


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


def _ceil_to_power(value: Fraction) -> Fraction:
    """A power of two that is not below a positive number, and at most four times as large."""
    return Fraction(2) ** (value.numerator.bit_length() - value.denominator.bit_length() + 1)
