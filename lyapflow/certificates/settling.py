"""Settling times on other time scales: pure functions of the numbers of a claim, rounded up."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ..errors import ClaimMismatchError, DimensionError, InvalidModelError
from ..exact.matrices import Matrix, quadratic_value
from ..exact.rationals import rational
from ..exact.settling import settling_time
from ..lmi.time_scales import FiniteTimeStability, FixedTimeStability, ScaledClaim

__all__ = ["bound_scaled_time", "bound_start", "tell_scaled"]


def bound_scaled_time(claim: ScaledClaim, start: Fraction | None) -> Fraction:
    r"""Time from which the state is at the equilibrium, from :math:`\dot V \le -AV^a - BV^b`.

    Parameters
    ----------
    claim : FiniteTimeStability, FixedTimeStability or PrescribedTimeStability
        With its exponents and coefficients.
    start : Fraction or None
        V at the start, >= 0; None for all starts.

    Raises
    ------
    InvalidModelError
        If there is no start, and no time holds for all.

    Examples
    --------
    >>> from lyapflow.lmi.time_scales import FiniteTime
    >>> claim = FiniteTimeStability(FiniteTime(0), decay=2, dissipation=2)  # A = 4 at a = 1/2
    >>> bound_scaled_time(claim, Fraction(9))
    Fraction(3, 2)
    """
    one = Fraction(1)
    if isinstance(claim, FixedTimeStability):
        (a, b), (A, B) = claim.exponents, claim.coefficients
        return settling_time(A, a, B, b, one, start)
    if isinstance(claim, FiniteTimeStability):
        if start is None:
            raise InvalidModelError("a finite time grows with the start; give V0 or x0, or choose a FixedTime")
        return settling_time(claim.coefficients[0], claim.exponents[0], Fraction(0), one, one, start)
    return claim.scale.time


def bound_start(V0: object, x0: object, *, upper: Fraction | None, form: Matrix | None) -> Fraction | None:
    """V at the start at most, from itself or from the deviation of the state; None where neither is given.

    Parameters
    ----------
    V0 : rational or None
        V, or an upper bound.
    x0 : rational, nested sequence of rationals, or None
        Deviation of the state, or its norm.
    upper : Fraction or None
        c in ``V <= c |x - x*|^2``, if there is one.
    form : Matrix or None
        P where V is ``x' P x`` for the n states, one row of x0 each.
    """
    if V0 is not None and x0 is not None:
        raise InvalidModelError("give V0 or x0, not both")
    if V0 is not None:
        value = rational(V0, name="V0")
        if value < 0:
            raise InvalidModelError(f"V0 must be >= 0, got {value}")
        return value
    if x0 is None:
        return None
    if form is not None and len(form) > 1 and _has_length(x0):
        rows = [tuple(_read_numbers(row)) for row in x0]  # type: ignore[attr-defined]
        if len(rows) != len(form) or len({len(row) for row in rows}) != 1:
            raise DimensionError(
                f"x0 must have {len(form)} rows, the deviation of each state, or be one number, the norm; got {x0!r}"
            )
        return sum((quadratic_value(form, column) for column in zip(*rows, strict=True)), Fraction(0))
    if upper is None:
        raise ClaimMismatchError(
            "x0 says nothing of V here: no bound V <= c |x - x*|^2 is proved, as V contains the value of a function "
            "without a Lipschitz gradient. Give V0."
        )
    return upper * sum((v * v for v in _read_numbers(x0)), Fraction(0))


def tell_scaled(claim: ScaledClaim) -> str:
    """The kind of a claim in words."""
    kinds = {FiniteTimeStability: "finite-time", FixedTimeStability: "fixed-time"}
    return f"{kinds.get(type(claim), 'prescribed-time')} stability"


def _has_length(values: object) -> bool:
    return hasattr(values, "__len__") and not isinstance(values, str)


def _read_numbers(values: object) -> Iterator[Fraction]:
    if not _has_length(values):
        yield rational(values, name="x0")
        return
    for value in values:  # type: ignore[attr-defined]
        yield from _read_numbers(value)
