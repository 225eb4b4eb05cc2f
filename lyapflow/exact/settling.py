r"""Rigorous settling times of the scalar equation :math:`\dot v = -(A v^p + B v^q)^k`, rounded up.

The time from :math:`v_0` to zero is an incomplete beta function,

.. math:: T(v_0) = \int_0^{v_0}\!\frac{dv}{(A v^p + B v^q)^k} = \frac{(A/B)^{m_p}}{A^k (q-p)}\,B_w(m_p, m_q),
          \qquad w = \frac{u}{1+u},\quad u = \tfrac BA v_0^{q-p},

with :math:`m_p = (1-kp)/(q-p)` and :math:`m_q = (kq-1)/(q-p)`; for :math:`v_0\to\infty` it is complete. Evaluated in
balls.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

from flint import arb, fmpq, fmpz

from ..errors import InvalidModelError
from .elementary import exact_sqrt, lower_end, upper_end, working_precision
from .rationals import round_down, round_up

__all__ = ["power_product_below", "settling_time", "settling_time_by_terms"]

_BITS = 60  # of the rationals that are returned
_MOST_ROOT, _MOST_POWER = 24, 96  # roots and powers up to these are looked for among the rationals
_MOST_LOG = 10_000  # a number whose logarithm is larger than this has no business in a model


def power_product_below(factors: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
    """Rational not above a product of powers of positive numbers; the product itself where it is rational and simple.

    Parameters
    ----------
    factors : sequence of (base, exponent)
        Bases > 0.

    Raises
    ------
    InvalidModelError
        If the product is too large or too small, or cannot be told from zero.

    Examples
    --------
    >>> power_product_below([(Fraction(2), Fraction(1, 2)), (Fraction(8), Fraction(1, 2))])
    Fraction(4, 1)
    >>> power_product_below([(Fraction(2), Fraction(1, 2))]) ** 2 < 2
    True
    """
    order = lcm(*(exponent.denominator for _, exponent in factors))
    if order <= _MOST_ROOT and all(abs(exponent * order) <= _MOST_POWER for _, exponent in factors):
        power = Fraction(1)
        for base, exponent in factors:
            power *= base ** int(exponent * order)
        root = Fraction(*(int(fmpz(part).root(order)) for part in power.as_integer_ratio()))
        if root**order == power:
            return root
    with working_precision():
        logarithm = sum((_ball(base).log() * _ball(exponent) for base, exponent in factors), arb(0))
        if not abs(logarithm) < _MOST_LOG:
            raise InvalidModelError("a coefficient leaves the range of what can be enclosed. Choose other units.")
        low = lower_end(logarithm.exp())
        if not low > 0:  # a huge exponent has made the ball wide
            raise InvalidModelError("a coefficient cannot be told from zero. Choose smaller exponents.")
        return round_down(low, _BITS)


def settling_time(A: Fraction, p: Fraction, B: Fraction, q: Fraction, k: Fraction, v0: Fraction | None) -> Fraction:
    """Rational not below the settling time from `v0`, or from anywhere (None), and above it by rounding only.

    Parameters
    ----------
    A, B : Fraction
        ``A > 0``; ``B > 0``, or ``B = 0`` with a `v0`.
    p, q, k : Fraction
        ``k > 0`` and ``0 <= p k < 1``; ``q k > 1`` where B is positive.
    v0 : Fraction or None
        Start, >= 0.

    Examples
    --------
    >>> half, one = Fraction(1, 2), Fraction(1)
    >>> float(settling_time(one, half, one, Fraction(3, 2), one, None))  # pi
    3.141592653589793
    >>> settling_time(one, half, Fraction(0), one, one, Fraction(9))  # v' = -sqrt(v)
    Fraction(6, 1)
    """
    if v0 is not None and not v0:
        return Fraction(0)
    with working_precision():
        a, b, power = _ball(A), _ball(B), _ball(k)
        if not B:
            if v0 is None:
                raise InvalidModelError("without B the settling time has no bound that holds from everywhere")
            exact = _exact_power(v0, 1 - k * p)
            rise = _ball(v0) ** _ball(1 - k * p) if exact is None else _ball(exact)
            return _up(rise / (a**power * _ball(1 - k * p)))
        m_p, m_q = (1 - k * p) / (q - p), (k * q - 1) / (q - p)
        scale = (a / b) ** _ball(m_p) / (a**power * _ball(q - p))
        whole = _ball(m_p).gamma() * _ball(m_q).gamma() / power.gamma()
        if v0 is None:
            return _up(scale * whole)
        u = b / a * _ball(v0) ** _ball(q - p)
        if u > 1:  # nearer to the whole than to zero
            rest = (1 / (1 + u)).beta_lower(_ball(m_q), _ball(m_p))
            return min(_up(scale * (whole - rest)), _up(scale * whole)) if rest.is_finite() else _up(scale * whole)
        return _up(scale * (u / (1 + u)).beta_lower(_ball(m_p), _ball(m_q)))


def settling_time_by_terms(A: Fraction, p: Fraction, B: Fraction, q: Fraction, k: Fraction) -> Fraction:
    """The plainer bound from everywhere (Polyakov 2012): the first term alone below 1, the second alone above.

    >>> half, one = Fraction(1, 2), Fraction(1)
    >>> settling_time_by_terms(one, half, one, Fraction(3, 2), one)
    Fraction(4, 1)
    """
    with working_precision():
        low, high = _ball(A) ** _ball(k) * _ball(1 - p * k), _ball(B) ** _ball(k) * _ball(q * k - 1)
        return _up(1 / low + 1 / high)


def _ball(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))


def _up(ball: arb) -> Fraction:
    if not ball.is_finite():
        raise InvalidModelError("the settling time leaves the range of what can be enclosed. Choose other units.")
    top = upper_end(ball)
    return round_up(top, _BITS) if top > 0 else Fraction(0)


def _exact_power(base: Fraction, exponent: Fraction) -> Fraction | None:
    """The power where it is rational by a square root at most."""
    doubled = 2 * exponent
    if doubled.denominator != 1:
        return None
    root = exact_sqrt(base) if exponent.denominator == 2 else base
    return None if root is None else root ** int(doubled if exponent.denominator == 2 else exponent)
