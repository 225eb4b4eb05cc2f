r"""What is claimed of a flow that runs on another time scale.

What is proved are inequalities between V, its derivative along the unscaled flow :math:`\dot x = F(x)`, and the speed
:math:`r = |F(x)|`:

* *decrease*: :math:`\dot V_F + \theta V + \nu r^2 \le 0`,
* *rate*: :math:`\dot V_F + 2\rho V \le 0`,
* *speed*: :math:`r^2 \ge k V`, and *speed limit*: :math:`r^2 \le K V`.

The weighted inequality of arithmetic and geometric means takes r out of the first,
:math:`\theta V r^{\alpha-1} + \nu r^{\alpha+1} \ge (\theta/a)^a(\nu/(1-a))^{1-a}\,V^a` with :math:`a = (1+\alpha)/2`.
With :math:`\theta = 2\rho a`, :math:`\nu = 2\rho(1-a)/K` that is the bound by rate and speed limit, and with
:math:`\theta = \nu' a k`, :math:`\nu = \nu'(1-a)` that of gradient-like flows, :math:`\dot V_F \le -\nu' r^2`; the best
pair is at least as good as both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from ..errors import InvalidModelError
from ..exact.settling import power_product_below
from .time_scales import FiniteTime, FixedTime, PrescribedTime, check_positive, put_rationals

__all__ = ["FiniteTimeStability", "FixedTimeStability", "PrescribedTimeStability", "ScaledClaim"]

_ONE, _TWO = Fraction(1), Fraction(2)


@dataclass(frozen=True, slots=True)
class FiniteTimeStability:
    r"""Finite-time stability on the time scale :math:`\dot x = c\,|F|^{\alpha-1}F(x)`.

    .. math:: \dot V_F + \theta V + \nu|F|^2 \le 0 \quad\Rightarrow\quad \dot V \le -A V^a,\quad
              A = c\,(\theta/a)^a\,(\nu/(1-a))^{1-a},\quad a = \tfrac{1+\alpha}2,

    so that V is zero from :math:`V(0)^{1-a}/(A(1-a))` on.

    Parameters
    ----------
    scale : FiniteTime
        Exponent and gain.
    decay, dissipation : rational
        :math:`\theta, \nu > 0`: what the unscaled flow takes from V, in shares of V and of the squared speed.

    Raises
    ------
    InvalidModelError
        If a number is out of its range.

    Examples
    --------
    Normalised gradient flow of a function with modulus mu = 1, and V = f - f*:

    >>> claim = FiniteTimeStability(FiniteTime(0), decay=1, dissipation="1/2")
    >>> claim.exponents, claim.coefficients[0] ** 2 < 2
    ((Fraction(1, 2),), True)
    """

    scale: FiniteTime
    decay: Fraction
    dissipation: Fraction

    def __post_init__(self) -> None:
        _check_scale(self, FiniteTime)
        put_rationals(self, decay=self.decay, dissipation=self.dissipation)
        check_positive(self, "decay", "dissipation")

    @property
    def exponents(self) -> tuple[Fraction, ...]:
        """The power a of V in its decrease."""
        return self.scale.exponents

    @property
    def coefficients(self) -> tuple[Fraction, ...]:
        """A, rounded down."""
        return (_take_mean(self.scale.gain, self.exponents[0], self.decay, self.dissipation),)

    def speed_up(self, factor: object) -> FiniteTimeStability:
        """The same with all gains multiplied by a factor > 0; what is proved of the unscaled flow stays."""
        return replace(self, scale=self.scale.speed_up(factor))

    @property
    def number(self) -> Fraction:
        """A."""
        return self.coefficients[0]

    @property
    def parameter(self) -> Fraction:
        """The decay, in which the decrease of V is affine."""
        return self.decay


@dataclass(frozen=True, slots=True)
class FixedTimeStability:
    r"""Fixed-time stability on the time scale :math:`\dot x = (c_1|F|^{\alpha-1} + c_2|F|^{\beta-1})F(x)`.

    .. math:: \dot V_F + \theta V + \nu|F|^2 \le 0,\quad \dot V_F + 2\rho V \le 0,\quad |F|^2 \ge kV
              \quad\Rightarrow\quad \dot V \le -A V^a - B V^b,\quad B = 2\rho\,c_2\,k^{b-1},\quad b = \tfrac{1+\beta}2,

    with A and a as in `FiniteTimeStability`; V is zero after a time that no start exceeds.

    Parameters
    ----------
    scale : FixedTime
        Exponents and gains.
    decay, dissipation, rate, speed : rational
        :math:`\theta, \nu, \rho, k > 0`.

    Raises
    ------
    InvalidModelError
        If a number is out of its range.
    """

    scale: FixedTime
    decay: Fraction
    dissipation: Fraction
    rate: Fraction
    speed: Fraction

    def __post_init__(self) -> None:
        _check_scale(self, FixedTime)
        put_rationals(self, decay=self.decay, dissipation=self.dissipation, rate=self.rate, speed=self.speed)
        check_positive(self, "decay", "dissipation", "rate", "speed")

    @property
    def exponents(self) -> tuple[Fraction, ...]:
        """The powers a and b of V in its decrease."""
        return self.scale.exponents

    @property
    def coefficients(self) -> tuple[Fraction, ...]:
        """A and B, rounded down."""
        (a, b), (first, second) = self.exponents, self.scale.gains
        far = power_product_below(((_TWO * self.rate * second, _ONE), (self.speed, b - 1)))
        return _take_mean(first, a, self.decay, self.dissipation), far

    def speed_up(self, factor: object) -> FixedTimeStability:
        """The same with all gains multiplied by a factor > 0; what is proved of the unscaled flow stays."""
        return replace(self, scale=self.scale.speed_up(factor))

    @property
    def number(self) -> Fraction:
        """A."""
        return self.coefficients[0]

    @property
    def parameter(self) -> Fraction:
        """The decay, in which the decrease of V is affine."""
        return self.decay


@dataclass(frozen=True, slots=True)
class PrescribedTimeStability:
    r"""Stability in a prescribed time on the time scale :math:`\dot x = \frac{c}{T-t}F(x)`.

    .. math:: \dot V_F + 2\rho V \le 0,\quad |F|^2 \le KV \quad\Rightarrow\quad V(t) \le V(0)(1-t/T)^{2\rho c},\quad
              |\dot x| \le \tfrac{c}{T}\sqrt{KV(0)}\,(1-t/T)^{\rho c-1}.

    Parameters
    ----------
    scale : PrescribedTime
        With a gain.
    rate : rational
        :math:`\rho > 0`.
    speed_limit : rational, optional
        K > 0. None where the speed has no bound by V; then nothing is claimed of it.

    Raises
    ------
    InvalidModelError
        If a number is out of its range, or there is no gain.
    """

    scale: PrescribedTime
    rate: Fraction
    speed_limit: Fraction | None = None

    def __post_init__(self) -> None:
        _check_scale(self, PrescribedTime)
        put_rationals(self, rate=self.rate, **({} if self.speed_limit is None else {"speed_limit": self.speed_limit}))
        check_positive(self, "rate", "speed_limit")
        if self.scale.gain is None:
            raise InvalidModelError("PrescribedTimeStability needs a PrescribedTime with a gain, got none")

    @property
    def gain(self) -> Fraction:
        """The gain c of the time scale."""
        return _ONE if self.scale.gain is None else self.scale.gain

    @property
    def exponents(self) -> tuple[Fraction, ...]:
        """Exponent of ``1 - t/T`` in the bound of V, ``2 rate gain``."""
        return (2 * self.rate * self.gain,)

    @property
    def coefficients(self) -> tuple[Fraction, ...]:
        """None: V falls at the speed that the time prescribes."""
        return ()

    @property
    def number(self) -> Fraction:
        """T."""
        return self.scale.time

    @property
    def parameter(self) -> Fraction:
        """The rate, in which the decrease of V is affine."""
        return self.rate


ScaledClaim: TypeAlias = FiniteTimeStability | FixedTimeStability | PrescribedTimeStability


def _check_scale(claim: ScaledClaim, kind: type) -> None:
    if type(claim.scale) is not kind:
        raise InvalidModelError(f"{type(claim).__name__} needs a {kind.__name__}, got {claim.scale!r}")


def _take_mean(gain: Fraction, a: Fraction, decay: Fraction, dissipation: Fraction) -> Fraction:
    """``gain (decay/a)^a (dissipation/(1 - a))^(1 - a)``, rounded down."""
    return power_product_below(((gain, _ONE), (decay / a, a), (dissipation / (1 - a), 1 - a)))
