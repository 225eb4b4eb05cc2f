"""Claims: what a certificate promises.

Every claim has a `number`, by which people know it, and a `parameter` in which its inequalities are affine and which
grows with the strength of the claim: the rate or the order in continuous time, ``1 - factor^2`` in discrete time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ..errors import InvalidModelError
from ..exact.rationals import convergent_near, rational

__all__ = ["Claim", "Contraction", "ExponentialDecay", "SublinearDecay", "claim_near", "put_positive"]


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
        put_positive(self, rate=self.rate)

    @property
    def number(self) -> Fraction | None:
        """The rate."""
        return self.rate

    @property
    def parameter(self) -> Fraction | None:
        """The rate."""
        return self.rate


@dataclass(frozen=True, slots=True)
class Contraction:
    r"""Geometric decay of the state norm in discrete time.

    .. math:: \|x_k - x^\star\| \le \sqrt{V_k} \le \rho^k\sqrt{V_0}

    Where V is bounded by the state norm too, :math:`V \le c^2\|x - x^\star\|^2`, this is
    :math:`\|x_k - x^\star\| \le c\,\rho^k\,\|x_0 - x^\star\|`.

    Parameters
    ----------
    factor : rational, optional
        :math:`0 \le \rho < 1`, per step. None asks for the smallest factor that can be proved.

    Raises
    ------
    InvalidModelError
        If the factor is not in [0, 1).

    Examples
    --------
    >>> Contraction("9/11").parameter
    Fraction(40, 121)
    """

    factor: Fraction | None = None

    def __post_init__(self) -> None:
        if self.factor is None:
            return
        factor = rational(self.factor, name="factor")
        if not 0 <= factor < 1:
            raise InvalidModelError(f"Contraction needs 0 <= factor < 1, got {factor}")
        object.__setattr__(self, "factor", factor)

    @property
    def number(self) -> Fraction | None:
        """The factor."""
        return self.factor

    @property
    def parameter(self) -> Fraction | None:
        r""":math:`1 - \rho^2`, in which ``rho^2 V - V+`` is affine."""
        return None if self.factor is None else 1 - self.factor**2


@dataclass(frozen=True, slots=True)
class SublinearDecay:
    r"""Decay of the function value with a power of time, in continuous time.

    .. math:: f(y(t)) - f^\star \le \frac{V(t)}{t^{p}} \le \frac{V(t_0)}{t^{p}} \qquad (t \ge t_0 > 0)

    V is quadratic in the state, the velocities multiplied by t, and contains :math:`t^p (f - f^\star)`; what is proved
    is that it never grows. Made for convex functions without strong convexity, where no exponential rate holds.

    Parameters
    ----------
    order : rational, optional
        The power p > 0. None asks for the largest that can be proved.

    Raises
    ------
    InvalidModelError
        If the order is not positive.

    Examples
    --------
    >>> SublinearDecay("5/3").number
    Fraction(5, 3)
    """

    order: Fraction | None = None

    def __post_init__(self) -> None:
        put_positive(self, order=self.order)

    @property
    def number(self) -> Fraction | None:
        """The order."""
        return self.order

    @property
    def parameter(self) -> Fraction | None:
        """The order, in which the decrease of V in logarithmic time is affine."""
        return self.order


Claim: TypeAlias = ExponentialDecay | Contraction | SublinearDecay


def claim_near(claim: Claim, parameter: float, relative: float) -> Claim:
    """The claim of one kind with a short number and about the given parameter.

    Parameters
    ----------
    claim : ExponentialDecay, Contraction or SublinearDecay
        Says which kind.
    parameter : float
        Positive; at most 1 for a contraction.
    relative : float
        How far the rate, the order, or one minus the factor, may be off; at least 1e-15.

    Examples
    --------
    >>> claim_near(Contraction(), 0.33055, 1e-3)
    Contraction(factor=Fraction(9, 11))
    """
    if isinstance(claim, ExponentialDecay | SublinearDecay):
        return type(claim)(convergent_near(parameter, relative))
    # In terms of 1 - factor, so that factors close to 1 lose no digits.
    return Contraction(1 - convergent_near(parameter / (1 + math.sqrt(1 - parameter)), relative))


def put_positive(claim: object, **values: object) -> None:
    """Put rationals in place of the fields that were given, each > 0 or None, while a claim is made.

    Raises
    ------
    InvalidModelError
        If one is not positive.
    """
    for name, value in values.items():
        if value is None:
            continue
        number = rational(value, name=name)
        if number <= 0:
            raise InvalidModelError(f"{type(claim).__name__} needs {name} > 0, got {number}")
        object.__setattr__(claim, name, number)
