"""The figures of the study of the natural gradient."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..learning.divergence_rates import bound_sublevel_rate
from ..learning.spectrum import Array
from .kl_numbers import NAMES, TARGET, TOLERANCE, Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

__all__ = ["draw_decay", "draw_levels", "draw_paths", "draw_steps"]

_COLORS = {"eta": "#1f5fbf", "natural": "#1b7f4b", "theta": "#b42318"}


def draw_decay(results: Results) -> Callable[[Canvas], None]:
    """Log KL against time with lines of the predicted V-rates."""

    def draw(figure: Canvas) -> None:
        axes = figure.subplots(1, 3)
        for ax, row in zip(axes, results.rates, strict=True):
            t, kl = results.curves[row.flow]
            ax.semilogy(t, kl, color=_COLORS[row.flow], label="KL, seen")
            anchor = len(t) // 2
            line = kl[anchor] * np.exp(-float(row.low) * (t - t[anchor]))
            ax.semilogy(t, line, "k--", lw=0.9, label=f"V-rate {float(row.low):.4g}")
            if row.flow == "natural":
                ax.semilogy(
                    t, kl[0] * np.exp(-float(results.levels[-1].low) * t), ":", color="#b42318", label="bound for all p"
                )
            ax.set(title=NAMES[row.flow], xlabel="t", ylim=(max(kl.min(), 1e-13) / 3, kl[0] * 5))
            ax.legend(fontsize=7)
        axes[0].set_ylabel("KL(q||p)")

    return draw


def draw_paths(results: Results) -> Callable[[Canvas], None]:
    """The simplex with contours of KL, the three paths, and where the ratio of chi^2 and KL is least."""

    def draw(figure: Canvas) -> None:
        figure.set_size_inches(6.2, 4.4)
        ax = figure.subplots()
        q = np.array([float(v) for v in TARGET])
        a, b = np.meshgrid(*[np.linspace(0.002, 0.998, 240)] * 2)
        p = np.stack([a, b, np.where(a + b < 0.999, 1 - a - b, np.nan)])
        kl = np.sum(q[:, None, None] * np.log(q[:, None, None] / p), axis=0)
        plane = ax.contour(
            a + b / 2,
            b * np.sqrt(3) / 2,
            kl,
            levels=[0.005, 0.02, 0.05, 0.1, 0.2, 0.4],
            colors="#8a94a3",
            linewidths=0.9,
        )
        ax.clabel(plane, fontsize=6)
        ax.plot([0, 1, 0.5, 0], [0, 0, np.sqrt(3) / 2, 0], color="#1c2430", lw=1)
        for flow, path in results.paths.items():
            ax.plot(*_place(path), color=_COLORS[flow], label=NAMES[flow])
        ax.plot(*_place(q[None]), "k*", label="q")
        ax.plot(*_place(results.paths["natural"][:1]), "ko", ms=4, label="start")
        witness = results.levels[-1].witness
        if witness is not None:
            ax.plot(*_place(np.array([[float(v) for v in witness]])), "x", color="#b42318", label="least chi²/KL")
        ax.set_aspect("equal")
        ax.set_axis_off()
        ax.legend(fontsize=7, loc="upper right")

    return draw


def _place(p: Array) -> tuple[Array, Array]:
    return p[:, 0] + p[:, 1] / 2, p[:, 1] * np.sqrt(3) / 2


def draw_steps(results: Results) -> Callable[[Canvas], None]:
    """Steps to the tolerance against the step size, with the limits."""

    def draw(figure: Canvas) -> None:
        ax = figure.subplots()
        for row in results.steps:
            sizes, counts = results.scans[row.flow]
            ax.loglog(sizes, np.maximum(counts, 1), ".-", ms=3, lw=0.9, color=_COLORS[row.flow], label=NAMES[row.flow])
            ax.axvline(float(row.limit[0]), ls="--", lw=0.8, color=_COLORS[row.flow])
        ax.set(xlabel="step h (dashed: its limit)", ylabel=f"steps until |x - x_q| ≤ {TOLERANCE:g}")
        ax.legend(fontsize=7)

    return draw


def draw_levels(results: Results) -> Callable[[Canvas], None]:
    """The rate of KL on its sublevel sets against the level, for the target of the study and two of two cells."""

    def draw(figure: Canvas) -> None:
        ax = figure.subplots()
        levels = np.geomspace(1e-4, 1.0, 25)
        for q, color in ((TARGET, "#1b7f4b"), (("0.9", "0.1"), "#1f5fbf"), (("0.99", "0.01"), "#b42318")):
            low = [float(bound_sublevel_rate(q, Fraction(c), digits=5).low) for c in levels]
            ax.semilogx(levels, low, color=color, label=f"q = ({', '.join(q)})")
        ax.axhline(1, ls=":", color="#1c2430", lw=0.9)
        ax.axhline(2, ls=":", color="#1c2430", lw=0.9)
        ax.set(xlabel="KL at the start, c", ylabel="V-rate r(c)", ylim=(0.95, 2.05))
        ax.legend(fontsize=7)

    return draw
