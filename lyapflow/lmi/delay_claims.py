"""What is claimed of a system that hears late: a delay of its gradients that is tolerated.

A dissipation inequality, in which the input is what the delay makes of the argument of a gradient, and the supply what
is known of that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from ..errors import InvalidModelError
from ..exact.elementary import bound_exponential_above
from ..exact.rationals import rational
from .claims import put_positive

__all__ = ["DelayTolerance"]


@dataclass(frozen=True, slots=True)
class DelayTolerance:
    r"""Decay although every explicit oracle acts on what its argument was a while ago.

    .. math:: \dot x(t) = A x(t) + B u(t), \quad u_j(t) \in O_j(C_j x(t-\theta))

    for every constant delay :math:`0 \le \theta \le \tau`. With :math:`y = Cx` and the deviations
    :math:`v(t) = y(t-\theta) - y(t)` from what is undelayed, two facts bound the delay, with a weight
    :math:`e^{2\rho t}` and up to what the history on :math:`[-\tau,0]` adds:

    .. math:: \int|v|^2 \le \beta^2\int|\dot y|^2,\quad \beta = \tfrac{e^{\rho\tau}-1}{\rho}; \qquad
              \int|y+v|^2 \le e^{2\rho\tau}\int|y|^2.

    The first is Young's inequality for :math:`v = -\int_{t-\theta}^t\dot y`, the second a shift of time. What is proved
    is :math:`\dot V + 2\rho V + \sum_j\sigma_j(\beta|\dot y_j|^2-|v_j|^2/\beta) +
    \lambda_j(e^{2\rho\tau}|y_j|^2-|y_j+v_j|^2) \le 0` with :math:`\sigma_j,\lambda_j \ge 0` (Kao, Rantzer 2007, for
    multipliers of this kind), so that :math:`|x(t)-x^\star|^2 \le K e^{-2\rho t}` with K from V(0) and the history.

    Parameters
    ----------
    delay : rational, optional
        :math:`\tau > 0`. None asks for the largest that can be proved at the rate.
    rate : rational, default 0
        :math:`\rho \ge 0`; at 0 the state stays bounded.

    Raises
    ------
    InvalidModelError
        If a number is out of its range.

    Examples
    --------
    >>> DelayTolerance("1/2").stretch
    Fraction(1, 2)
    """

    delay: Fraction | None = None
    rate: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        put_positive(self, delay=self.delay)
        rate = rational(self.rate, name="rate")
        if rate < 0:
            raise InvalidModelError(f"DelayTolerance needs rate >= 0, got {rate}")
        object.__setattr__(self, "rate", rate)
        if self.delay is not None and rate * self.delay > 50:
            raise InvalidModelError(f"DelayTolerance needs rate * delay <= 50, got {float(rate * self.delay):.6g}")

    @property
    def number(self) -> Fraction | None:
        """The delay."""
        return self.delay

    def with_number(self, number: Fraction) -> DelayTolerance:
        """The claim with this delay."""
        return replace(self, delay=number)

    @property
    def stretch(self) -> Fraction:
        r""":math:`\beta \ge (e^{\rho\tau}-1)/\rho`, a rational upper bound; :math:`\tau` at rate 0."""
        delay = self.delay or Fraction(0)
        if not self.rate:
            return delay
        return (bound_exponential_above(self.rate * delay, digits=18) - 1) / self.rate

    @property
    def growth(self) -> Fraction:
        r"""A rational upper bound of :math:`e^{2\rho\tau}`."""
        return bound_exponential_above(2 * self.rate * (self.delay or Fraction(0)), digits=18)
