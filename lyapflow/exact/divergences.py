r"""Rigorous bounds of :math:`\mathrm{KL}(q\|p)` and of the least ratio :math:`\chi^2(q\|p)/\mathrm{KL}(q\|p)`.

Everything here is outward rounded, and every decision is made by balls that exclude the other answer.

The ratio of two cells. With :math:`u = Q/P`, :math:`v = (1-Q)/(1-P)` and :math:`f_r(P) = \chi^2 - r\,\mathrm{KL}`,

.. math:: f_r'(P) = (u - v)(r - u - v), \qquad P(1-P)(u + v - r) = rP^2 + (1 - 2Q - r)P + Q .

For :math:`1 \le r \le 2` the quadratic is not negative at 0, Q and 1, so its roots, if real and in (0, 1), lie on one
side of Q. To the right of Q, where :math:`u < 1 < v`, the function rises from ``f_r(Q) = 0``, falls between the roots
and rises for good: it is nonnegative there if it is at the larger root, and one ball decides that.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import arb, fmpq

from ..errors import DimensionError, InvalidModelError
from .elementary import lower_end, upper_end, working_precision
from .rationals import ceil_to, floor_to, simplest_between

__all__ = ["bound_divergence", "bound_least_ratio", "chi_square", "has_ratio"]

_HALVINGS = 60
_SHORT = Fraction(1, 10**6)


def chi_square(q: Sequence[Fraction], p: Sequence[Fraction]) -> Fraction:
    r"""The exact :math:`\chi^2(q\|p) = \sum_i (q_i - p_i)^2/p_i` of positive rational vectors.

    >>> chi_square([Fraction(1, 2), Fraction(1, 2)], [Fraction(1, 4), Fraction(3, 4)])
    Fraction(1, 3)
    """
    _check(q, p)
    return sum(((a - b) ** 2 / b for a, b in zip(q, p, strict=True)), Fraction(0))


def bound_divergence(q: Sequence[Fraction], p: Sequence[Fraction], *, digits: int = 15) -> tuple[Fraction, Fraction]:
    r"""Lower and upper bound of :math:`\mathrm{KL}(q\|p) = \sum_i q_i\log(q_i/p_i)` of positive rational vectors.

    >>> low, high = bound_divergence([Fraction(1, 2), Fraction(1, 2)], [Fraction(1, 4), Fraction(3, 4)])
    >>> float(low) <= 0.14384103622589045 <= float(high), high - low < Fraction(1, 10**14)
    (True, True)
    """
    _check(q, p)
    with working_precision():
        total = sum((_ball(a) * _ball(a / b).log() for a, b in zip(q, p, strict=True)), arb(0))
        return floor_to(lower_end(total), digits), ceil_to(upper_end(total), digits)


def has_ratio(cell: Fraction, ratio: Fraction, level: Fraction | None = None) -> bool:
    r"""Whether :math:`\chi^2 \ge r\,\mathrm{KL}` is proved for q = (Q, 1 - Q) and every p = (P, 1 - P) with P >= Q.

    Parameters
    ----------
    cell : Fraction
        Q, between 0 and 1.
    ratio : Fraction
        r, in [1, 2].
    level : Fraction, optional
        Only for p with :math:`\mathrm{KL}(q\|p)` up to this; by default for all.

    Returns
    -------
    bool
        True is a proof; False is none, of neither.

    Examples
    --------
    >>> has_ratio(Fraction(1, 5), Fraction("1.82033")), has_ratio(Fraction(1, 5), Fraction("1.82035"))
    (True, False)
    >>> has_ratio(Fraction(1, 5), Fraction("1.88"), Fraction(1, 100))
    True
    """
    _check_cell(cell, ratio, level)
    with working_precision():
        if (valley := _find_valley(cell, ratio)) is None or _excess(cell, valley, ratio) > 0:
            return True
        if level is None:
            return False
        _, beyond = _bracket_level(cell, level)
        return bool(_ball(beyond) < valley) and bool(_excess(cell, _ball(beyond), ratio) > 0)


def bound_least_ratio(
    cell: Fraction, level: Fraction | None = None, *, digits: int = 9
) -> tuple[Fraction, Fraction, Fraction | None]:
    r"""Lower and upper bound of the least :math:`\chi^2/\mathrm{KL}` for q = (Q, 1 - Q) and p = (P, 1 - P), P > Q.

    Parameters
    ----------
    cell : Fraction
        Q, between 0 and 1.
    level : Fraction, optional
        Only p with :math:`\mathrm{KL}(q\|p)` up to this count; by default all.
    digits : int, default 9
        Decimal digits of the bounds after the point.

    Returns
    -------
    low, high : Fraction
        The infimum lies between; both are proved.
    witness : Fraction or None
        A P whose ratio is at most `high`; None if the infimum is the limit 2 at P = Q.

    Examples
    --------
    >>> low, high, at = bound_least_ratio(Fraction(1, 10))
    >>> float(low) <= 1.63601 <= float(high) + 1e-5, 0 <= high - low < 1e-8
    (True, True)
    """
    _check_cell(cell, Fraction(1), level)
    if has_ratio(cell, Fraction(2), level):
        return Fraction(2), Fraction(2), None
    low, above = Fraction(1), Fraction(2)
    while above - low > Fraction(1, 10**digits):
        middle = floor_to((low + above) / 2, digits + 1)
        if has_ratio(cell, middle, level):
            low = middle
        else:
            above = middle
    with working_precision():
        valley = _find_valley(cell, above)
        middle = cell
        if valley is not None:  # a short rational: the ratio is flat at its least
            near = lower_end(valley)
            middle = max(cell, simplest_between(near * (1 - _SHORT), near))
        if level is not None:
            middle = min(middle, _bracket_level(cell, level)[0])
        if middle <= cell:
            return low, Fraction(2), None
    q, p = (cell, 1 - cell), (middle, 1 - middle)
    return low, ceil_to(chi_square(q, p) / bound_divergence(q, p, digits=30)[0], digits), middle


def _find_valley(cell: Fraction, ratio: Fraction) -> arb | None:
    """The larger root of the quadratic, if the roots are right of Q; None where f_r rises from Q on."""
    half = (ratio + 2 * cell - 1) / (2 * ratio)
    under = half * half - cell / ratio
    if under <= 0 or half <= cell:
        return None
    return _ball(half) + _ball(under).sqrt()


def _excess(cell: Fraction, at: arb, ratio: Fraction) -> arb:
    """The value of f_r."""
    q, rest = _ball(cell), _ball(1 - cell)
    kl = q * (q / at).log() + rest * (rest / (1 - at)).log()
    return q * q / at + rest * rest / (1 - at) - 1 - _ball(ratio) * kl


def _bracket_level(cell: Fraction, level: Fraction) -> tuple[Fraction, Fraction]:
    """Rationals right of Q, the KL of the first at most the level and that of the second at least, close together."""
    q, rest = _ball(cell), _ball(1 - cell)
    inside, beyond = cell, Fraction(1)
    for _ in range(_HALVINGS):
        middle = (inside + beyond) / 2
        kl = q * _ball(cell / middle).log() + rest * _ball((1 - cell) / (1 - middle)).log()
        if kl >= _ball(level):
            beyond = middle
        elif kl <= _ball(level):
            inside = middle
        else:
            break
    return inside, beyond


def _ball(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))


def _check(q: Sequence[Fraction], p: Sequence[Fraction]) -> None:
    if len(q) != len(p):
        raise DimensionError(f"q and p must have as many cells, got {len(q)} and {len(p)}")
    if not all(v > 0 for v in (*q, *p)):
        raise InvalidModelError("q and p must be positive; move what is zero out of the support")


def _check_cell(cell: Fraction, ratio: Fraction, level: Fraction | None) -> None:
    if not 0 < cell < 1:
        raise InvalidModelError(f"cell must lie between 0 and 1, got {cell}")
    if not 1 <= ratio <= 2:
        raise InvalidModelError(f"ratio must lie in [1, 2], got {ratio}; it is 2 at p = q, and never below 1")
    if level is not None and level <= 0:
        raise InvalidModelError(f"level must be > 0, got {level}")
