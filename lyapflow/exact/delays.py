r"""Characteristic roots of a linear delay system, proved by balls: :math:`p(s) + q(s)e^{-\tau s} = 0`."""

from __future__ import annotations

from fractions import Fraction

from flint import acb, arb, fmpq

from .elementary import lower_end, working_precision
from .polynomials import coefficients, interpolate
from .rationals import rational

__all__ = ["bound_root_abscissa", "fit_polynomial"]


def fit_polynomial(places: tuple[Fraction, ...], values: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """Coefficients, the constant one first, of the polynomial through the given points.

    >>> fit_polynomial((Fraction(0), Fraction(1), Fraction(2)), (Fraction(1), Fraction(2), Fraction(5)))
    (Fraction(1, 1), Fraction(0, 1), Fraction(1, 1))
    """
    return coefficients(interpolate(places, [[v] for v in values])[0])


def bound_root_abscissa(
    p: tuple[Fraction, ...], q: tuple[Fraction, ...], delay: Fraction, near: complex, radius: float = 1e-8
) -> Fraction | None:
    r"""Proved lower bound of the real part of a root of :math:`p(s) + q(s)e^{-\tau s}` near a point.

    One step of Newton's method on a disk: if it maps the disk into itself, there is a root inside.

    Parameters
    ----------
    p, q : tuple of Fraction
        Coefficients, the constant ones first.
    delay : Fraction
        tau.
    near : complex
        Where to look.
    radius : float, default 1e-8
        Of the square around it, absolute.

    Returns
    -------
    Fraction or None
        None if no root is proved there.

    Examples
    --------
    ``s + exp(-2 s)`` has a root with positive real part, because 2 is above pi/2:

    >>> bound_root_abscissa((Fraction(0), Fraction(1)), (Fraction(1),), Fraction(2), 0.0864080 + 0.8368432j, 1e-5) > 0
    True
    """
    with working_precision():
        middle = acb(_ball(near.real), _ball(near.imag))
        inside = acb(arb(_ball(near.real), radius), arb(_ball(near.imag), radius))
        value = _value(p, q, delay, middle)
        slope = _slope(p, q, delay, inside)
        if slope.contains(0):
            return None
        image = middle - value / slope
        if not inside.contains_interior(image):
            return None
        return lower_end(image.real)


def _ball(value: float) -> arb:
    exact = rational(value)
    return arb(fmpq(exact.numerator, exact.denominator))


def _number(value: Fraction) -> acb:
    return acb(arb(fmpq(value.numerator, value.denominator)))


def _horner(coefficients: tuple[Fraction, ...], at: acb) -> acb:
    total = acb(0)
    for c in reversed(coefficients):
        total = total * at + _number(c)
    return total


def _derive(coefficients: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    return tuple(k * c for k, c in enumerate(coefficients))[1:] or (Fraction(0),)


def _value(p: tuple[Fraction, ...], q: tuple[Fraction, ...], delay: Fraction, at: acb) -> acb:
    return _horner(p, at) + _horner(q, at) * (-_number(delay) * at).exp()


def _slope(p: tuple[Fraction, ...], q: tuple[Fraction, ...], delay: Fraction, at: acb) -> acb:
    late = (-_number(delay) * at).exp()
    return _horner(_derive(p), at) + (_horner(_derive(q), at) - _number(delay) * _horner(q, at)) * late
