"""What exponential decay of V says of the state: pure functions of exact numbers, rounded to the safe side."""

from __future__ import annotations

import math
from fractions import Fraction

from ..errors import InvalidModelError
from ..exact.elementary import bound_log_above, bound_sqrt_above
from ..exact.rationals import ceil_to, rational

__all__ = ["BAND", "bound_settling_steps", "bound_settling_time", "bound_transient"]

BAND = "0.02"
"""Part of the initial distance within which a state counts as settled, unless another is asked for."""


def bound_transient(upper: Fraction) -> Fraction:
    r"""Transient bound from :math:`|x|^2 \le V \le c_2|x|^2`: :math:`\sqrt{c_2}`, rounded up.

    >>> bound_transient(Fraction(4))
    Fraction(2, 1)
    """
    return bound_sqrt_above(upper)


def bound_settling_time(rate: Fraction, transient: Fraction, band: object = BAND) -> Fraction:
    r"""Time after which the state stays within ``band`` of its initial distance.

    .. math:: t_s = \frac{1}{\rho}\ln\frac{c}{\text{band}}

    Parameters
    ----------
    rate : Fraction
        State decay rate > 0, in 1/(time unit).
    transient : Fraction
        Transient bound c >= 1.
    band : rational, default 0.02
        In (0, 1).

    Returns
    -------
    Fraction
        In the time unit of the dynamics, rounded up at the sixth digit.

    Raises
    ------
    InvalidModelError
        If the band is not in (0, 1).

    Examples
    --------
    >>> float(bound_settling_time(Fraction(2), Fraction(1)))
    1.956012
    """
    return ceil_to(bound_log_above(transient / _check_band(band)) / rate, 6)


def bound_settling_steps(factor: Fraction, transient: Fraction, band: object = BAND) -> Fraction:
    r"""Number of steps after which the state stays within ``band`` of its initial distance.

    .. math:: k_s = \left\lceil \frac{\ln(c/\text{band})}{\ln(1/\rho)} \right\rceil

    Parameters
    ----------
    factor : Fraction
        Contraction factor per step, in [0, 1).
    transient : Fraction
        Transient bound c >= 1.
    band : rational, default 0.02
        In (0, 1).

    Returns
    -------
    Fraction
        An integer: a number of steps, rounded up.

    Raises
    ------
    InvalidModelError
        If the band is not in (0, 1).

    Examples
    --------
    >>> bound_settling_steps(Fraction(9, 11), Fraction(1))
    Fraction(20, 1)
    """
    ratio = transient / _check_band(band)
    if factor == 0:
        return Fraction(1)
    # ln(1/factor) from below: -ln(factor) >= -(upper bound of ln(factor)), with digits that fit factors close to 1.
    digits = 15 + len(str(int(1 / (1 - factor))))
    decay = -bound_log_above(factor, digits=digits)
    return Fraction(math.ceil(bound_log_above(ratio) / decay))


def _check_band(band: object) -> Fraction:
    width = rational(band, name="band")
    if not 0 < width < 1:
        raise InvalidModelError(f"band must be in (0, 1), got {width}")
    return width
