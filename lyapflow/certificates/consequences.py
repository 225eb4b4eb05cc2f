"""What an engineer reads off a certificate: pure functions of its exact numbers, rounded to the safe side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from ..errors import ClaimMismatchError, DimensionError, InvalidModelError
from ..exact.elementary import bound_log_above, bound_power_above, bound_sqrt_above
from ..exact.matrices import Matrix
from ..exact.rationals import as_text, ceil_to, rational

__all__ = ["bound_constant", "bound_settling_steps", "bound_settling_time", "bound_transient", "write_formula"]


def bound_transient(upper: Fraction) -> Fraction:
    r"""Transient bound from :math:`|x|^2 \le V \le c_2|x|^2`: :math:`\sqrt{c_2}`, rounded up.

    >>> bound_transient(Fraction(4))
    Fraction(2, 1)
    """
    return bound_sqrt_above(upper)


def bound_settling_time(rate: Fraction, transient: Fraction, band: object = "0.02") -> Fraction:
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


def bound_settling_steps(factor: Fraction, transient: Fraction, band: object = "0.02") -> Fraction:
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


def bound_constant(
    *,
    P: Matrix,
    weight: Fraction,
    order: Fraction,
    degree: int,
    powers: Sequence[int],
    start: Sequence[object],
    t0: object,
    gap: object,
    gradient: object,
    metric: Fraction = Fraction(1),
) -> Fraction:
    """V of a sublinear claim at the start, rounded up, in a metric of at most that size. See `Certificate.constant`."""
    if isinstance(start, str) or not hasattr(start, "__len__") or len(start) != len(powers):
        raise DimensionError(f"start must have {len(powers)} entries, the deviation of each state, got {start!r}")
    has_gradient = len(P) > len(powers)
    time, height = rational(t0, name="t0"), rational(0 if gap is None else gap, name="gap")
    if time < 0 or height < 0:
        raise InvalidModelError(f"t0 and gap must be >= 0, got t0={time}, gap={height}")
    if time == 0 and order != degree:
        raise ClaimMismatchError(
            f"the order {order} is below the degree {degree} of the system, so V has no bound at t0 = 0. Give t0 > 0."
        )
    if time > 0 and (gap is None or (has_gradient and gradient is None)):
        missing = "gap" if gap is None else "gradient"
        raise InvalidModelError(f"V(t0) contains the {missing} for t0 > 0, got none. Give {missing}.")
    if time == 0 and min(powers) < 0:
        raise ClaimMismatchError("a state is divided by a power of t, so V has no bound at t0 = 0. Give t0 > 0.")
    rows = [_read_vector(row, "start") for row in start]
    if has_gradient:
        rows.append(_read_vector(0 if gradient is None else gradient, "gradient"))
    if len({len(row) for row in rows if row != (Fraction(0),)}) > 1:
        raise DimensionError("start and gradient must have one dimension d throughout")
    scales = [time**d if d else Fraction(1) for d in (*powers, degree)]
    scaled = [tuple(c * v for v in row) for c, row in zip(scales, rows, strict=False)]
    quadratic = sum(
        (
            P[i][j] * v * w
            for i, a in enumerate(scaled)
            for j, b in enumerate(scaled)
            for v, w in zip(a, b, strict=False)
        ),
        Fraction(0),
    )
    quadratic *= metric
    if time == 0:
        return quadratic
    return weight * height * bound_power_above(time, order) + quadratic * bound_power_above(time, order - degree)


def _read_vector(values: object, name: str) -> tuple[Fraction, ...]:
    many = hasattr(values, "__len__") and not isinstance(values, str)
    return tuple(rational(v, name=name) for v in (values if many else [values]))  # type: ignore[attr-defined]


def write_formula(
    *, P: Matrix, weight: Fraction, order: Fraction, degree: int, powers: Sequence[int], oracle: str, mark: str = ""
) -> str:
    """V of a sublinear claim as text. See `Certificate.formula`."""
    names = [f"x{i + 1}" for i in range(len(powers))] if len(powers) > 1 else ["x"]
    names.append(f"grad {oracle}")
    all_powers = (*powers, degree)
    terms = [_write_term(weight, order, f"({oracle} - {oracle}*)")]
    for i, row in enumerate(P):
        for j, value in enumerate(row):
            if i <= j and value:
                power = order - degree + all_powers[i] + all_powers[j]
                product = f"|{names[i]}|{mark}^2" if i == j else f"<{names[i]}, {names[j]}>{mark}"
                terms.append(_write_term(value if i == j else 2 * value, power, product))
    return " + ".join(terms).replace("+ -", "- ")


def _write_term(value: Fraction, power: Fraction, factor: str) -> str:
    number = "" if value == 1 else f"{as_text(value)} "
    time = {Fraction(0): "", Fraction(1): "t "}.get(
        power, f"t^{power if power.denominator == 1 and power > 0 else f'({power})'} "
    )
    return f"{number}{time}{factor}"
