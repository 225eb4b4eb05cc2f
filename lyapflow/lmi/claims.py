"""Claims: what a certificate promises."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..errors import InvalidModelError
from ..exact.rationals import rational

__all__ = ["ExponentialDecay"]


@dataclass(frozen=True, slots=True)
class ExponentialDecay:
    r"""Exponential decay of the state norm in continuous time.

    .. math:: \|x(t) - x^\star\| \le \sqrt{V(t)} \le e^{-\rho t}\sqrt{V(0)}

    Where V is bounded by the state norm too, :math:`V \le c^2\|x - x^\star\|^2`, this is
    :math:`\|x(t) - x^\star\| \le c\, e^{-\rho t}\, \|x(0) - x^\star\|`. With a function value in V and
    ``L = infinity`` no such c exists: the rate is that of each trajectory, and its constant depends on V(0).

    Parameters
    ----------
    rate : rational, optional
        :math:`\rho > 0`, in 1/(time unit of the dynamics). None asks for the best rate that can be proved.

    Raises
    ------
    InvalidModelError
        If the rate is not positive.

    Examples
    --------
    >>> ExponentialDecay("1/3").rate
    Fraction(1, 3)
    """

    rate: Fraction | None = None

    def __post_init__(self) -> None:
        if self.rate is None:
            return
        rate = rational(self.rate, name="rate")
        if rate <= 0:
            raise InvalidModelError(f"ExponentialDecay needs rate > 0, got {rate}")
        object.__setattr__(self, "rate", rate)
