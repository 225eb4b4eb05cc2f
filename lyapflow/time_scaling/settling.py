"""Settling times of scalar comparison equations: bounds that are rounded up, and gains for a time that is given."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..errors import InvalidModelError
from ..exact.elementary import bound_power_above
from ..exact.rationals import rational, round_up
from ..exact.settling import settling_time, settling_time_by_terms

__all__ = ["ComparisonEquation", "bound_settling_time", "bound_settling_time_by_terms", "find_gain"]

_BITS = 60


@dataclass(frozen=True, slots=True)
class ComparisonEquation:
    r"""The scalar equation :math:`\dot v = -(A v^p + B v^q)^k`, which bounds V along a scaled flow.

    Parameters
    ----------
    A, p : rational
        ``A > 0`` and ``0 <= p k < 1``: zero is reached in finite time.
    B, q : rational, optional
        ``B > 0`` and ``q k > 1``: in a time that no start exceeds. Without them, ``B = 0``.
    k : rational, default 1
        > 0.

    Raises
    ------
    InvalidModelError
        If a number is out of its range.
    """

    A: Fraction
    p: Fraction
    B: Fraction = Fraction(0)
    q: Fraction | None = None
    k: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        for name in ("A", "p", "B", "k"):
            object.__setattr__(self, name, rational(getattr(self, name), name=name))
        if self.q is not None:
            object.__setattr__(self, "q", rational(self.q, name="q"))
        if self.A <= 0 or self.k <= 0 or not 0 <= self.p * self.k < 1:
            raise InvalidModelError(f"A > 0, k > 0 and 0 <= p k < 1 must hold, got A={self.A}, p={self.p}, k={self.k}")
        if (self.B > 0) != (self.q is not None) or self.B < 0 or (self.q is not None and self.q * self.k <= 1):
            raise InvalidModelError(f"B > 0 with q k > 1 must hold, or B = 0 without q, got B={self.B}, q={self.q}")

    @property
    def is_fixed(self) -> bool:
        """Whether the settling time is bounded over all starts."""
        return self.q is not None

    def speed_up(self, gain: object) -> ComparisonEquation:
        """The equation with A and B multiplied by a gain: settling times are divided by its k-th power."""
        factor = rational(gain, name="gain")
        return ComparisonEquation(self.A * factor, self.p, self.B * factor, self.q, self.k)


def bound_settling_time(equation: ComparisonEquation, v0: object = None) -> Fraction:
    r"""The settling time, rounded up: of a start, or the least upper bound over all.

    Parameters
    ----------
    equation : ComparisonEquation
        What V obeys as an inequality.
    v0 : rational, optional
        V at the start, >= 0. Without it the equation must have a second term.

    Returns
    -------
    Fraction
        From anywhere :math:`\frac{\Gamma(m_p)\Gamma(m_q)}{A^k\Gamma(k)(q-p)}(A/B)^{m_p}` with
        :math:`m_p = \frac{1-kp}{q-p}, m_q = \frac{kq-1}{q-p}` (Aldana-Lopez et al. 2019); from v0 the same with an
        incomplete beta function.

    Raises
    ------
    InvalidModelError
        If v0 is negative, or missing where it is needed.

    Examples
    --------
    >>> float(bound_settling_time(ComparisonEquation(2, "1/2", "1/2", "3/2")))  # pi
    3.141592653589793
    >>> float(bound_settling_time(ComparisonEquation(2, "1/2", "1/2", "3/2"), 1))
    0.9272952180016122
    """
    _check(equation)
    start = None if v0 is None else rational(v0, name="v0")
    if start is not None and start < 0:
        raise InvalidModelError(f"v0 must be >= 0, got {start}")
    if start is None and not equation.is_fixed:
        raise InvalidModelError("without B the settling time grows with the start; give v0")
    q = equation.p if equation.q is None else equation.q
    return settling_time(equation.A, equation.p, equation.B, q, equation.k, start)


def bound_settling_time_by_terms(equation: ComparisonEquation) -> Fraction:
    r"""The plainer bound :math:`\frac1{A^k(1-pk)} + \frac1{B^k(qk-1)}` (Polyakov 2012), rounded up.

    Raises
    ------
    InvalidModelError
        If the equation has no second term.

    Examples
    --------
    >>> bound_settling_time_by_terms(ComparisonEquation(2, "1/2", "1/2", "3/2"))
    Fraction(5, 1)
    """
    _check(equation)
    if equation.q is None:
        raise InvalidModelError("without B the settling time grows with the start; use bound_settling_time with v0")
    return settling_time_by_terms(equation.A, equation.p, equation.B, equation.q, equation.k)


def find_gain(equation: ComparisonEquation, time: object, v0: object = None) -> Fraction:
    """A gain, near the smallest, with which the settling time is at most the given one: predefined time.

    Parameters
    ----------
    equation : ComparisonEquation
        With gain 1.
    time : rational
        What must not be exceeded, > 0.
    v0 : rational, optional
        As in `bound_settling_time`.

    Raises
    ------
    InvalidModelError
        If the time is not positive.

    Examples
    --------
    >>> equation = ComparisonEquation(1, "1/2", 1, "3/2")
    >>> gain = find_gain(equation, 2)
    >>> bound_settling_time(equation.speed_up(gain)) <= 2
    True
    """
    wanted = rational(time, name="time")
    if wanted <= 0:
        raise InvalidModelError(f"time must be > 0, got {wanted}")
    ratio = bound_settling_time(equation, v0) / wanted * (1 + Fraction(1, 2**_BITS // 4))  # room for two roundings up
    return round_up(bound_power_above(ratio, 1 / equation.k, digits=18), _BITS) if ratio else Fraction(1)


def _check(equation: ComparisonEquation) -> None:
    if not isinstance(equation, ComparisonEquation):
        raise InvalidModelError(f"equation must be a ComparisonEquation, got {equation!r}")
