r"""Nyquist plots with the critical disk: the circle criterion, in which a sector meets a frequency response.

With ``u = -w`` the plant answers :math:`H(s) = -C(sI - A)^{-1}B - D`, in negative feedback with a nonlinearity of the
sector :math:`[\alpha, \beta]`. A storage :math:`V = \tilde x^\top P\tilde x` proves a rate below :math:`\rho` only if
the curve of :math:`H(j\omega - \rho)` stays off the disk with the diameter :math:`[-1/\alpha, -1/\beta]`.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..classes import Cocoercive, Lipschitz, SectorBounded, StaticSector
from ..classes.inequalities import OperatorClass
from ..dynamics import LureSystem
from ..errors import InvalidModelError
from ..exact.rationals import rational
from ..lmi.memory import read_moduli
from .figures import COLORS
from .items import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

__all__ = ["draw_nyquist", "nyquist_figure", "read_interval", "trace_nyquist"]

_POINTS = 1500
_DECADES = 4.0  # on both sides of the plant's own frequencies
_VIEW = 3.0  # the picture shows so many radii around the disk


def nyquist_figure(system: LureSystem, rate: object = 0, *, title: str = "Circle criterion") -> Figure:
    """The Nyquist plot with the critical disk as an item of a report.

    Parameters
    ----------
    system : LureSystem
        In continuous time, with one oracle of a class with a finite sector: a gradient with moduli, `SectorBounded`,
        `StaticSector`, `SlopeRestricted`, `Lipschitz` or `Cocoercive`.
    rate : rational, default 0
        The decay rate whose circle criterion is drawn, in 1/(time unit of the dynamics); >= 0.
    title : str, optional
        Heading.

    Returns
    -------
    Figure
        For `lyapflow.write_report`. A picture in floating point: it proves nothing.

    Raises
    ------
    InvalidModelError
        If the system is not of this kind, or the rate is negative.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import heavy_ball_flow
    >>> nyquist_figure(heavy_ball_flow(SmoothStronglyConvex(1, 10), damping=3), "1/4").title
    'Circle criterion'
    """
    shift, (low, high) = _read_rate(system, rate), _read_system(system)
    caption = (
        f"Frequency response H(jw - {shift}) of the plant in negative feedback, and the critical disk of the sector "
        f"[{low}, {high}]. Where the curve meets it, the sector alone admits no V quadratic in the state for the "
        f"rate {shift}; a V with function values or with memory may. Computed in floating point."
    )
    return Figure(title, partial(draw_nyquist, system=system, rate=shift), caption=caption)


def draw_nyquist(figure: Canvas, system: LureSystem, rate: object = 0) -> None:
    """Draw the curve and the disk on a matplotlib figure of your own. Parameters and errors: `nyquist_figure`.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What is drawn on.
    system : LureSystem
        With one oracle.
    rate : rational, default 0
        The decay rate.
    """
    low, high = _read_system(system)
    shift = _read_rate(system, rate)
    curve = trace_nyquist(system, shift)[1]
    axes = figure.subplots()
    centre, reach = _draw_region(axes, low, high)
    color = COLORS["seen in simulation"]
    label = rf"$H(j\omega-{float(shift):.4g})$" if shift else r"$H(j\omega)$"
    axes.plot(curve.real, curve.imag, color=color, linewidth=1.6, label=label)
    axes.plot(curve.real, -curve.imag, color=color, linewidth=1.0, linestyle=(0, (4, 2)))
    spread = np.abs(curve - centre)
    half = _VIEW * reach if reach else float(np.median(spread)) or 1.0
    half = min(max(1.15 * float(spread.max()), 1.3 * reach), half) if np.isfinite(spread).all() else half
    axes.set_xlim(centre - 1.6 * half, centre + 1.6 * half)
    axes.set_ylim(-half, half)
    axes.set_aspect("equal", adjustable="box")
    axes.set_xlabel("real part")
    axes.set_ylabel("imaginary part")
    axes.legend(loc="upper left")


def trace_nyquist(system: LureSystem, rate: Fraction) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """Frequencies, shape (K,), and the response of the shifted plant there, shape (K,)."""
    A, B, C, D = (np.array(m, dtype=np.float64) for m in (system.A, system.B, system.C, system.D))
    shifted = A + float(rate) * np.eye(len(A))
    poles = np.linalg.eigvals(shifted)
    sizes = np.abs(poles)[np.abs(poles) > 1e-9 * max(np.abs(poles).max(), 1e-300)]
    low, high = (float(sizes.min()), float(sizes.max())) if len(sizes) else (1.0, 1.0)
    grid = np.geomspace(low * 10**-_DECADES, high * 10**_DECADES, _POINTS)
    near = [abs(p.imag) + np.linspace(-8, 8, 161) * max(abs(p.real), 1e-6 * abs(p)) for p in poles if p.imag]
    frequencies = np.unique(np.concatenate([[low * 1e-6], grid, *near]))
    frequencies = frequencies[frequencies > 0]
    inside = 1j * frequencies[:, None, None] * np.eye(len(A)) - shifted
    with np.errstate(all="ignore"):
        response = -(C @ np.linalg.solve(inside, np.broadcast_to(B, (len(frequencies), *B.shape))))[:, 0, 0] - D[0, 0]
    return frequencies, np.asarray(response, dtype=np.complex128)


def read_interval(oracle: OperatorClass) -> tuple[Fraction, Fraction] | None:
    """The sector in which every member lies, as seen from an equilibrium; None where none is known, or no finite one.

    >>> read_interval(Cocoercive("1/4"))
    (Fraction(0, 1), Fraction(4, 1))
    """
    if isinstance(oracle, SectorBounded | StaticSector):
        return oracle.lower, oracle.upper
    if isinstance(oracle, Lipschitz):
        return -oracle.L, oracle.L
    if isinstance(oracle, Cocoercive):
        return Fraction(0), 1 / oracle.beta
    return read_moduli(oracle)


def _read_system(system: LureSystem) -> tuple[Fraction, Fraction]:
    if not isinstance(system, LureSystem) or len(system.oracles) != 1 or system.dt or system.is_time_varying:
        raise InvalidModelError(
            "a Nyquist plot needs a LureSystem with one oracle, in continuous time and not varying with time, got "
            f"{getattr(system, 'name', system)!r}"
        )
    bounds = read_interval(system.oracles[0])
    if bounds is None:
        raise InvalidModelError(
            f"a Nyquist plot needs an oracle in a finite sector, got {system.oracles[0]!r}. Give the class an L."
        )
    return bounds


def _read_rate(system: LureSystem, rate: object) -> Fraction:
    shift = rational(rate, name="rate")
    if shift < 0:
        raise InvalidModelError(f"rate must be >= 0, got {shift}")
    return shift


def _draw_region(axes: Axes, low: Fraction, high: Fraction) -> tuple[float, float]:
    """What the curve must keep out of: a disk, a half-plane, or all but a disk; returns a centre and a radius."""
    from matplotlib.patches import Circle

    color = COLORS["claimed"]
    if low == high:
        point = -1 / float(high) if high else 0.0
        axes.plot([point], [0], marker="o", color=color, linestyle="none", label=f"critical point of the slope {high}")
        return point, abs(point) or 1.0
    if not low or not high:
        edge = -1 / float(high or low)
        far = 1e6 * abs(edge)
        axes.axvspan(*((-far, edge) if not low else (edge, far)), color=color, alpha=0.18, linewidth=0)
        axes.axvline(edge, color=color, linewidth=1.2, label=f"critical half-plane of [{low}, {high}]")
        return edge, abs(edge)
    ends = sorted((-1 / float(low), -1 / float(high)))
    centre, radius = sum(ends) / 2, (ends[1] - ends[0]) / 2
    outside = low < 0 < high
    name = f"the curve must stay inside: sector [{low}, {high}]" if outside else f"critical disk of [{low}, {high}]"
    axes.add_patch(
        Circle(
            (centre, 0), radius, facecolor="none" if outside else color, edgecolor=color,
            alpha=1.0 if outside else 0.35, linewidth=1.4, label=name,
        )
    )  # fmt: skip
    return centre, radius
