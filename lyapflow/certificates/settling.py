"""Settling times on other time scales: pure functions of the numbers of a claim, rounded up."""

from __future__ import annotations

from fractions import Fraction

from ..errors import ClaimMismatchError, DimensionError, InvalidModelError
from ..exact.matrices import Matrix, quadratic_value
from ..exact.rationals import rational
from ..exact.settling import settling_time
from ..lmi.scaled_claims import FiniteTimeStability, FixedTimeStability, ScaledClaim
from .storages import has_length

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


def bound_start(
    V0: object, x0: object, *, states: int, is_flat: bool, upper: Fraction | None, form: Matrix | None
) -> Fraction | None:
    """V at the start at most, from itself or from the deviation of the state; None where neither is given.

    Parameters
    ----------
    V0 : rational or None
        V, or an upper bound.
    x0 : rational, nested sequence of rationals, or None
        Deviation of the state, or its norm.
    states : int
        Number of states.
    is_flat : bool
        Whether each state is one number; else it is a row of numbers.
    upper : Fraction or None
        c in ``V <= c |x - x*|^2``, if there is one.
    form : Matrix or None
        P where V is ``x' P x`` for the n states, one row of x0 each.

    Raises
    ------
    DimensionError
        If x0 is no deviation of so many states.
    ClaimMismatchError
        If V has no bound by x0.
    InvalidModelError
        If both are given, or one is not valid.
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
    rows = _read_rows(x0, states, is_flat=is_flat) if has_length(x0) else ((rational(x0, name="x0"),),)
    if form is not None and has_length(x0):
        return sum((quadratic_value(form, column) for column in zip(*rows, strict=True)), Fraction(0))
    if upper is None:
        raise ClaimMismatchError(
            "x0 says nothing of V here: no bound V <= c |x - x*|^2 is proved, as V contains the value of a function "
            "without a Lipschitz gradient. Give V0."
        )
    return upper * sum((v * v for row in rows for v in row), Fraction(0))


def tell_scaled(claim: ScaledClaim) -> str:
    """The kind of a claim in words."""
    kinds = {FiniteTimeStability: "finite-time", FixedTimeStability: "fixed-time"}
    return f"{kinds.get(type(claim), 'prescribed-time')} stability"


def _read_rows(x0: object, states: int, *, is_flat: bool) -> tuple[tuple[Fraction, ...], ...]:
    """The deviation of each state."""
    given = [tuple(row) if has_length(row) else (row,) for row in x0]  # type: ignore[attr-defined]
    if states == 1 and not is_flat and not any(map(has_length, x0)):  # type: ignore[call-overload]
        given = [tuple(value for row in given for value in row)]
    widths = {len(row) for row in given}
    if len(given) != states or len(widths) != 1 or 0 in widths or (is_flat and widths != {1}):
        shape = f"{states} rows of one length, the deviation of each state" if states > 1 else "one row of numbers"
        shape = f"{states} numbers, the deviation of the flat state" if is_flat else shape
        raise DimensionError(f"x0 must have {shape}, or be one number, the norm; got {x0!r:.200}")
    return tuple(tuple(rational(value, name="x0") for value in row) for row in given)
