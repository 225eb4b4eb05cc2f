r"""One mode of a deep linear network in closed form: how strong it is after a time, and how long it takes to be learnt.

From an aligned balanced start the modes decouple. With h layers, the strength u of the mode with singular value
:math:`\sigma` follows :math:`\dot u = h\,u^{2-2/h}(\sigma - u)`, which is Saxe's logistic equation for h = 2. In
:math:`v = \log\frac{u}{\sigma - u}`, in which neither the plateau nor the arrival is steep, the time is

.. math:: t = \frac{1}{h\,\sigma^{2-2/h}}\int_{v_0}^{v} (1 + e^{-w})^{1-2/h}\,dw .
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import binom, hyp2f1

from ..errors import InvalidModelError
from .spectrum import Array

__all__ = ["blow_up_time", "learning_time", "mode_strength", "plateau_exponent"]

_TERMS = 60
_SWITCH = 1.0
"""Value of v from which on the series in exp(-v) is used: it converges like exp(-n)."""


def learning_time(sigma: float, start: float, end: float, *, depth: int) -> float:
    r"""Time in which a mode grows from one strength to another.

    Parameters
    ----------
    sigma : float
        Singular value of the target, > 0.
    start, end : float
        Strengths, 0 < start, end < sigma; the time is negative if `end` is the smaller one.
    depth : int
        Number of layers, >= 2.

    Raises
    ------
    InvalidModelError
        If an argument is out of its range.

    Notes
    -----
    Saxe, McClelland and Ganguli, arXiv 1312.6120, for two layers:
    :math:`\frac1{2\sigma}\log\frac{u_f(\sigma - u_0)}{u_0(\sigma - u_f)}`; for more, the integral in terms of a
    hypergeometric function (derived).

    Examples
    --------
    >>> print(f"{learning_time(3, 1e-6, 1.5, depth=2):.9f}")
    2.485687086
    >>> print(f"{learning_time(1, 1e-4, 0.5, depth=5):.6f}")
    83.669861
    """
    h = _check(sigma, start, depth)
    _check(sigma, end, depth)
    return _clock(_logit(end, sigma), h, sigma) - _clock(_logit(start, sigma), h, sigma)


def mode_strength(t: ArrayLike, sigma: float, start: float, *, depth: int) -> Array:
    """Strength of a mode at given times, by solving the time formula for it.

    Parameters
    ----------
    t : array_like, shape (T,)
        Times >= 0, of any length: a plateau costs nothing.
    sigma : float
        Singular value of the target, > 0.
    start : float
        Strength at time 0, 0 < start < sigma.
    depth : int
        Number of layers, >= 2.

    Returns
    -------
    ndarray, shape (T,)

    Examples
    --------
    >>> times = [0, 20.693019]
    >>> [f"{u:.6f}" for u in mode_strength(times, 1, 1e-4, depth=3)]
    ['0.000100', '0.500000']
    """
    h = _check(sigma, start, depth)
    times = np.atleast_1d(np.array(t, dtype=np.float64))
    if times.ndim != 1 or not np.all(np.isfinite(times)) or np.any(times < 0):
        raise InvalidModelError(f"t must be finite times >= 0 in one dimension, got {t!r:.80}")
    first = _logit(start, sigma)
    found = np.array([_solve(float(time), first, h, sigma) for time in times])
    # u = sigma / (1 + exp(-v)), without overflow where v is very negative
    return sigma * np.exp(-np.logaddexp(0.0, -found))


def blow_up_time(sigma: float, start: float, *, depth: int) -> float:
    r"""The estimate :math:`u_0^{-(1-2/h)}/((h-2)\sigma)` of the length of a plateau, for h >= 3 layers.

    It is the time at which :math:`\dot s = \sigma s^{h-1}` is infinite.

    Examples
    --------
    >>> round(blow_up_time(1, 1e-4, depth=4), 9)
    50.0
    """
    h = _check(sigma, start, depth)
    if h < 3:
        raise InvalidModelError(f"a plateau has a power law from depth 3 on, got depth {h}")
    return float(start ** (2 / h - 1) / ((h - 2) * sigma))


def plateau_exponent(depth: int) -> Fraction:
    """The exponent of the start in the length of the plateau, ``-(1 - 2/h)``; 0 stands for a logarithm."""
    return Fraction(2, depth) - 1


def _check(sigma: float, strength: float, depth: int) -> int:
    if isinstance(depth, bool) or not isinstance(depth, int | np.integer) or depth < 2:
        raise InvalidModelError(f"depth must be an integer >= 2, got {depth!r}")
    if not (np.isfinite(sigma) and 0 < strength < sigma):
        raise InvalidModelError(
            f"a strength must be > 0 and < sigma, got {strength!r} and sigma = {sigma!r}; a mode that starts elsewhere "
            "can be simulated"
        )
    return int(depth)


def _logit(strength: float, sigma: float) -> float:
    return float(np.log(strength) - np.log(sigma - strength))


def _clock(v: float, h: int, sigma: float) -> float:
    """An antiderivative of the time by v; for h >= 3 the one that is v / scale in the limit of large v."""
    a = 1 - 2 / h
    scale = h * sigma ** (2 - 2 / h)
    if h == 2:
        return v / scale
    if v >= _SWITCH:
        return (v - _tail(float(np.exp(-v)), a)) / scale
    # below, in s = u^(1/h): t = (1/sigma) (-s^(2-h)/(h-2) + s^2/(2 sigma) 2F1(1, 2/h; 1 + 2/h; u/sigma))
    return (_SWITCH - _tail(float(np.exp(-_SWITCH)), a)) / scale + _early(v, h, sigma) - _early(_SWITCH, h, sigma)


def _tail(y: float, a: float) -> float:
    """The integral of ``((1 + x)^a - 1) / x`` from 0 to y < 1, by the binomial series."""
    n = np.arange(1, _TERMS)
    return float(np.sum(binom(a, n) * y**n / n))


def _early(v: float, h: int, sigma: float) -> float:
    log_part = -float(np.logaddexp(0.0, -v))  # log(u / sigma)
    root = (np.log(sigma) + log_part) / h  # log s
    series = float(hyp2f1(1, 2 / h, 1 + 2 / h, np.exp(log_part)))
    return float((-np.exp((2 - h) * root) / (h - 2) + np.exp(2 * root) / (2 * sigma) * series) / sigma)


def _solve(time: float, first: float, h: int, sigma: float) -> float:
    """The value of v after a time; dv/dt grows from its value at the start to h sigma^(2-2/h)."""
    if time == 0 or h == 2:
        return first + 2 * sigma * time
    zero, last = _clock(first, h, sigma), first + h * sigma ** (2 - 2 / h) * time

    def gap(v: float) -> float:
        return _clock(v, h, sigma) - zero - time

    if gap(last) <= 0:  # up to rounding v moves at one speed: nothing has happened yet, or all has
        slow = h * sigma * np.exp((1 - 2 / h) * (np.log(sigma) - np.logaddexp(0.0, -first)))
        return float(first + slow * time)
    width = 1.0
    while first + width < last and gap(first + width) <= 0:  # `last` may be far beyond what bisection reaches
        width *= 2
    last = min(last, first + width)
    return float(brentq(gap, first, last, xtol=1e-13, rtol=1e-14, maxiter=300))
