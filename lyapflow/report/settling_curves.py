"""Figures of a certificate on another time scale: settling time against the start, or bounds of V and the speed."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..certificates import Certificate
from ..exact.settling import settling_time_by_terms
from ..lmi.scaled_claims import FixedTimeStability, PrescribedTimeStability
from .figures import COLORS
from .items import PROVED
from .numbers import approximate
from .scaled import claim_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["choose_curves", "draw_prescribed", "draw_settling", "has_curves"]

_DECADES = 6
"""Starts are drawn from 10^-6 to 10^6."""

_PER_DECADE = 8

_SMALLEST, _LARGEST = Fraction(1, 10**150), Fraction(10**150)
"""What is drawn lies between them, far within the range of floats."""


def has_curves(certificate: Certificate) -> bool:
    """Whether all that is drawn of a proved certificate is of a size that can be drawn."""
    claim = claim_of(certificate)
    if isinstance(claim, PrescribedTimeStability):
        return all(_SMALLEST <= number <= _LARGEST for number in (claim.scale.time, *claim.exponents))
    ends = (Fraction(10) ** -_DECADES, Fraction(10) ** _DECADES)
    times = [certificate.settling_time(**{"x0" if certificate.is_bounded else "V0": start}) for start in ends]
    if isinstance(claim, FixedTimeStability):
        (a, b), (A, B) = claim.exponents, claim.coefficients
        times += [certificate.settling_time(), settling_time_by_terms(A, a, B, b, Fraction(1))]
    return all(_SMALLEST <= time <= _LARGEST for time in times)


def choose_curves(certificate: Certificate) -> tuple[Callable[..., None], str]:
    """What draws a proved certificate, and the caption."""
    claim = claim_of(certificate)
    if isinstance(claim, PrescribedTimeStability):
        if claim.speed_limit is None:
            return draw_prescribed, "Bound of V on the prescribed time, relative to its value at the start."
        caption = "Bounds of V and of the speed on the prescribed time, relative to their values at the start."
        if claim.exponents[0] < 2:
            caption += " The bound of the speed grows without end, because ρc is below 1."
        return draw_prescribed, caption
    start = "the distance of the start" if certificate.is_bounded else "V at the start"
    caption = f"Proved bound of the settling time against {start}, each value rounded up before it is drawn."
    if isinstance(claim, FixedTimeStability):
        caption += " No start takes longer than the horizontal line."
    return draw_settling, caption


def draw_settling(figure: Figure, certificate: Certificate) -> None:
    """Settling time against the start, over twelve decades of it."""
    claim, axes = claim_of(certificate), figure.subplots()
    exponents = range(-_DECADES * _PER_DECADE, _DECADES * _PER_DECADE + 1)
    starts = [Fraction(10.0 ** (k / _PER_DECADE)) for k in exponents]
    if certificate.is_bounded:
        times = [float(certificate.settling_time(x0=start)) for start in starts]
        axes.set_xlabel(r"distance of the start $\|x(0)-x^*\|$")
    else:
        times = [float(certificate.settling_time(V0=start)) for start in starts]
        axes.set_xlabel(r"start $V(0)$")
    axes.plot([float(s) for s in starts], times, color=COLORS[PROVED], linewidth=2.2, label="settling time (proved)")
    if isinstance(claim, FixedTimeStability):
        (a, b), (A, B) = claim.exponents, claim.coefficients
        _draw_level(axes, certificate.settling_time(), "every start", (0, (5, 1.6)), COLORS[PROVED])
        plain = settling_time_by_terms(A, a, B, b, Fraction(1))
        _draw_level(axes, plain, "every start, plainer bound", (0, (1, 1.6)), COLORS["soft"])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(float(starts[0]), float(starts[-1]))
    axes.set_ylabel("settling time at most")
    axes.legend(loc="lower right")


def _draw_level(axes: Axes, value: Fraction, words: str, dashes: tuple[int, tuple[float, ...]], color: str) -> None:
    label = rf"{words}: $\leq$ {approximate(value, side='up')} (proved)"
    axes.axhline(float(value), color=color, linewidth=1.3, linestyle=dashes, label=label)


def draw_prescribed(figure: Figure, certificate: Certificate) -> None:
    """Bounds of V and, where there is one, of the speed against time, relative to the start."""
    claim = claim_of(certificate)
    exponent, time = float(claim.exponents[0]), float(claim.number)
    has_speed = isinstance(claim, PrescribedTimeStability) and claim.speed_limit is not None
    left, *others = figure.subplots(1, 2 if has_speed else 1, squeeze=False)[0]
    share = np.linspace(0, 1, 201)[:-1]
    left.plot(share * time, (1 - share) ** exponent, color=COLORS[PROVED], linewidth=2.2, label="bound (proved)")
    left.plot([time], [0], marker="o", color=COLORS[PROVED], markersize=4, linestyle="none")
    left.set_ylabel(r"$V(t)\,/\,V(0)$ at most")
    power = exponent / 2 - 1
    for right in others:
        right.plot(share * time, (1 - share) ** power, color=COLORS[PROVED], linewidth=2.2, label="bound (proved)")
        right.set_ylabel("speed / its bound at the start")
        right.set_ylim(0, 1.15 if power >= 0 else 10)
    for axes in (left, *others):
        axes.set_xlim(0, time * 1.02)
        axes.set_xlabel("time $t$")
        axes.legend(loc="upper right" if axes is left else "lower left")
    left.set_ylim(bottom=0)
