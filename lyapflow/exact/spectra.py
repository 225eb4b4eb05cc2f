"""Rigorous bounds of the spectral abscissa and radius of matrices by rationals, and a disk around one eigenvalue.

Everything here is outward rounded: a lower bound is never above the number, an upper bound never below it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import lcm
from typing import cast

from flint import acb, acb_mat, arb, fmpq, fmpz_poly

from .elementary import lower_end, round_outward, upper_end, working_precision
from .matrices import Matrix, identity, to_flint

__all__ = [
    "bound_abscissa",
    "bound_abscissa_between",
    "bound_radius",
    "bound_radius_between",
    "characteristic",
    "complex_roots",
    "enclose_eigenvalue",
]

_NEWTON_STEPS = 3


def characteristic(matrix: Matrix) -> fmpz_poly:
    """Integer polynomial with the roots of the characteristic polynomial."""
    coefficients = to_flint(matrix).charpoly().coeffs()
    clear = lcm(*(int(c.q) for c in coefficients))
    return fmpz_poly([int(c.p) * (clear // int(c.q)) for c in coefficients])


def complex_roots(factor: fmpz_poly) -> list[tuple[acb, int]]:
    """Balls around the roots, with multiplicities."""
    return cast(list[tuple[acb, int]], factor.complex_roots())  # the stub leaves out the multiplicities


def bound_abscissa(matrix: Matrix, *, digits: int = 12) -> tuple[Fraction, Fraction]:
    """Lower and upper bound of the spectral abscissa ``max Re eig`` of a rational matrix.

    Examples
    --------
    >>> bound_abscissa(((Fraction(-3), Fraction(1)), (Fraction(0), Fraction(-1))))
    (Fraction(-1, 1), Fraction(-1, 1))
    """
    return _bound_largest(matrix, digits, lambda root: root, lambda root: root.real)


def bound_radius(matrix: Matrix, *, digits: int = 15) -> tuple[Fraction, Fraction]:
    """Lower and upper bound of the spectral radius ``max |eig|`` of a rational matrix.

    Examples
    --------
    >>> bound_radius(((Fraction(-3), Fraction(1)), (Fraction(0), Fraction(-1))))
    (Fraction(3, 1), Fraction(3, 1))
    """
    return _bound_largest(matrix, digits, abs, abs)


def _bound_largest(
    matrix: Matrix, digits: int, measure: Callable[[Fraction], Fraction], measure_ball: Callable[[acb], arb]
) -> tuple[Fraction, Fraction]:
    """Bounds of the largest measure of an eigenvalue, which is measured exactly where it is rational."""
    lows: list[Fraction] = []
    highs: list[Fraction] = []
    with working_precision():
        for factor, _ in characteristic(matrix).factor()[1]:
            if factor.degree() == 1:
                size = measure(Fraction(-int(factor[0]), int(factor[1])))
                lows.append(size)
                highs.append(size)
                continue
            for root, _ in complex_roots(factor):
                ball = measure_ball(root)
                low, high = round_outward(lower_end(ball), upper_end(ball), digits)
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
    return round_outward(max(Fraction(0), *moduli), Fraction(0), 15)[0]


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
    return round_outward(lowest, lowest, 15)[0]


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


def _ceil_to_power(value: Fraction) -> Fraction:
    """A power of two that is not below a positive number, and at most four times as large."""
    return Fraction(2) ** (value.numerator.bit_length() - value.denominator.bit_length() + 1)
