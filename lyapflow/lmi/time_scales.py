r"""Time scales: how fast a flow is run through.

A flow :math:`\dot x = F(x)` on another time scale is :math:`\dot x = \sigma F(x)` with a positive :math:`\sigma` that
depends on the speed :math:`r = |F(x)|`, or on the time: the orbits stay what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ..errors import InvalidModelError
from ..exact.rationals import rational

__all__ = ["FiniteTime", "FixedTime", "PrescribedTime", "TimeScale", "check_positive", "put_rationals"]

_ONE = Fraction(1)


def put_rationals(owner: object, **numbers: object) -> None:
    """Numbers of a frozen dataclass as rationals."""
    for name, value in numbers.items():
        object.__setattr__(owner, name, rational(value, name=name))


def _is_pair(values: object) -> bool:
    is_sequence = hasattr(values, "__len__") and hasattr(values, "__getitem__") and getattr(values, "ndim", 1) == 1
    return is_sequence and not isinstance(values, str | Mapping) and len(values) == 2  # type: ignore[arg-type]


def check_positive(owner: object, *names: str) -> None:
    """Refuse numbers that are not positive; None is not given.

    Raises
    ------
    InvalidModelError
        If one is not.
    """
    for name in names:
        value = getattr(owner, name)
        if value is not None and value <= 0:
            raise InvalidModelError(f"{type(owner).__name__} needs {name} > 0, got {value}")


def _check_alpha(owner: FiniteTime | FixedTime) -> None:
    if not 0 <= owner.alpha < 1:
        raise InvalidModelError(
            f"{type(owner).__name__} needs 0 <= alpha < 1, got {owner.alpha}. With alpha = 1 nothing is scaled, and "
            "above it no time is finite."
        )


@dataclass(frozen=True, slots=True)
class FiniteTime:
    r"""The time scale :math:`\dot x = c\,|F|^{\alpha-1}F(x)`: every start settles in a finite time.

    Parameters
    ----------
    alpha : rational
        :math:`0 \le \alpha < 1`. The speed is :math:`c\,|F|^\alpha`; with 0 it is constant, and the right side not
        continuous at the equilibrium.
    gain : rational, default 1
        c > 0.

    Raises
    ------
    InvalidModelError
        If a number is out of its range.

    Examples
    --------
    >>> FiniteTime("1/2").exponents
    (Fraction(3, 4),)
    """

    alpha: Fraction
    gain: Fraction = _ONE

    def __post_init__(self) -> None:
        put_rationals(self, alpha=self.alpha, gain=self.gain)
        _check_alpha(self)
        check_positive(self, "gain")

    @property
    def exponents(self) -> tuple[Fraction, ...]:
        """Exponent of V in its decrease, ``(1 + alpha)/2``."""
        return ((1 + self.alpha) / 2,)

    def speed_up(self, factor: object) -> FiniteTime:
        """The same with another gain."""
        return FiniteTime(self.alpha, self.gain * rational(factor, name="factor"))


@dataclass(frozen=True, slots=True)
class FixedTime:
    r"""The time scale :math:`\dot x = (c_1|F|^{\alpha-1} + c_2|F|^{\beta-1})F(x)`: one time for all starts.

    Parameters
    ----------
    alpha : rational
        :math:`0 \le \alpha < 1`.
    beta : rational
        :math:`\beta > 1`.
    gains : (rational, rational), default (1, 1)
        :math:`c_1, c_2 > 0`.

    Raises
    ------
    InvalidModelError
        If a number is out of its range.

    Examples
    --------
    >>> FixedTime("1/2", "3/2").exponents
    (Fraction(3, 4), Fraction(5, 4))
    """

    alpha: Fraction
    beta: Fraction
    gains: tuple[Fraction, Fraction] = (_ONE, _ONE)

    def __post_init__(self) -> None:
        put_rationals(self, alpha=self.alpha, beta=self.beta)
        _check_alpha(self)
        if self.beta <= 1:
            raise InvalidModelError(
                f"FixedTime needs beta > 1, got {self.beta}. Without a power above 1 far starts take ever longer; "
                "FiniteTime has none."
            )
        if not _is_pair(self.gains):
            raise InvalidModelError(f"gains must be two numbers, got {self.gains!r}")
        first, second = (rational(gain, name="gains") for gain in self.gains)
        if first <= 0 or second <= 0:
            raise InvalidModelError(f"FixedTime needs gains > 0, got {first} and {second}")
        object.__setattr__(self, "gains", (first, second))

    @property
    def exponents(self) -> tuple[Fraction, ...]:
        """Exponents of V in its decrease, ``(1 + alpha)/2`` and ``(1 + beta)/2``."""
        return (1 + self.alpha) / 2, (1 + self.beta) / 2

    def speed_up(self, factor: object) -> FixedTime:
        """The same with other gains."""
        c = rational(factor, name="factor")
        return FixedTime(self.alpha, self.beta, (self.gains[0] * c, self.gains[1] * c))


@dataclass(frozen=True, slots=True)
class PrescribedTime:
    r"""The time scale :math:`\dot x = \frac{c}{T-t}F(x)`: every start has settled by the time T.

    Parameters
    ----------
    time : rational
        T > 0.
    gain : rational, optional
        c > 0. The bound of the speed that can be proved stays finite for ``rate * c >= 1``; by default it is the least
        such gain for the rate of the certificate.

    Raises
    ------
    InvalidModelError
        If a number is out of its range.
    """

    time: Fraction
    gain: Fraction | None = None

    def __post_init__(self) -> None:
        put_rationals(self, time=self.time, **({} if self.gain is None else {"gain": self.gain}))
        check_positive(self, "time", "gain")


TimeScale: TypeAlias = FiniteTime | FixedTime | PrescribedTime
