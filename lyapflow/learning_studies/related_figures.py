"""The figures of the study of related papers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .related_numbers import ANGLED, DEPTHS, ENSEMBLE, PENALISED, Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

__all__ = ["draw_coarse", "draw_ensembles", "draw_games", "draw_late_rates", "draw_margins", "draw_stairs"]

_BLUE, _RED, _GREEN, _GREY = "#1f5fbf", "#b42318", "#1b7f4b", "#8a94a3"


def draw_games(results: Results) -> Callable[[Canvas], None]:
    """The spiral of the flow, and descent-ascent with steps on both sides of the limit."""

    def draw(figure: Canvas) -> None:
        axes = figure.subplots(1, 2)
        start, rest = np.array([1.5, 1.0]), np.array([float(v) for v in PENALISED.saddle])
        flow = PENALISED.simulate(start, np.linspace(0, 12, 600)).x
        limit = 13 / 43
        axes[0].plot(flow[:, 0], flow[:, 1], color=_BLUE, label="flow")
        for share, color in ((0.95, _GREEN), (1.05, _RED)):
            points = PENALISED.iterate(start, share * limit, 25)
            axes[0].plot(points[:, 0], points[:, 1], ".-", lw=0.6, ms=4, color=color, label=f"steps, {share:g} h_max")
            away = np.linalg.norm(PENALISED.iterate(start, share * limit, 400) - rest, axis=1)
            axes[1].semilogy(away, color=color, label=f"{share:g} h_max")
        axes[0].plot(*rest, "k+", ms=9)
        axes[0].set(xlabel="theta", ylabel="omega", ylim=(-2.1, 3.0))  # with room for the legend
        axes[1].set(xlabel="steps", ylabel="distance to the saddle point")
        for ax in axes:
            ax.legend(fontsize=7)

    return draw


def draw_late_rates(results: Results) -> Callable[[Canvas], None]:
    """V-rates of residual networks against their depth."""

    def draw(figure: Canvas) -> None:
        ax = figure.subplots()
        ax.loglog(DEPTHS, [2 * np.e**2 / d for d in DEPTHS], "--", color=_GREY, label="2 y²/depth, all factors near 1")
        ax.loglog(DEPTHS, [2 * r.rate for r in results.late], "o", mfc="none", color=_BLUE, label="2 mu at the limit")
        seen = [2 * (r.measured or np.nan) for r in results.late]
        ax.loglog(DEPTHS, seen, "x", color=_RED, label="seen")
        ax.set(xlabel="depth", ylabel="V-rate of the loss")
        ax.legend(fontsize=7)

    return draw


def draw_margins(results: Results) -> Callable[[Canvas], None]:
    """Singular values over the first, and the margin over the norm, against the time s."""

    def draw(figure: Canvas) -> None:
        times, values, margins = results.path
        left, right = figure.subplots(1, 2)
        low, high = results.limit.singular_values[::-1]
        left.loglog(times, values[:, 1] / values[:, 0], color=_BLUE, label="second / first")
        left.loglog(times, values[:, 2] / values[:, 0], color=_RED, label="third / first")
        left.axhline(low / high, ls="--", lw=0.9, color=_GREY, label="limit")
        left.set(xlabel="s")
        right.semilogx(times, margins[:, 0], color=_BLUE, label="smallest margin / |W|")
        right.axhline(results.limit.normalised_margin, ls="--", lw=0.9, color=_GREY, label="limit")
        right.set(xlabel="s")
        for ax in (left, right):
            ax.legend(fontsize=7)

    return draw


def draw_coarse(results: Results) -> Callable[[Canvas], None]:
    """Loss and angle under the coarse gradient of the ReLU; what both do from w against the target."""

    def draw(figure: Canvas) -> None:
        left, right = figure.subplots(1, 2)
        t, loss, angle = results.quantised
        left.semilogy(t, loss, color=_BLUE, label="loss")
        left.semilogy(t, angle, color=_GREEN, label="angle")
        left.set(xlabel="t", title="coarse gradient of the ReLU")
        for (name, (times, size)), color in zip(results.stuck.items(), (_BLUE, _RED), strict=True):
            right.plot(times, size, color=color, label=name)
        end = ANGLED.find_collapse_time(1)
        if end is not None:
            right.axvline(float(end) * np.sqrt(2 * np.pi) * results.stuck["relu"][1][0], ls=":", color=_GREY)
        right.set(xlabel="t", ylabel="|w|", title="w against the target at the start")
        for ax in (left, right):
            ax.legend(fontsize=7)

    return draw


def draw_ensembles(results: Results) -> Callable[[Canvas], None]:
    """How five points are carried through the layers, by fields up to x² and up to x³."""

    def draw(figure: Canvas) -> None:
        axes = figure.subplots(1, len(results.ensembles) + 1)
        for ax, (degree, _, _, path) in zip(axes[1:], results.ensembles, strict=True):
            ax.plot(path, color=_BLUE, lw=1)
            ax.plot([len(path) - 1] * len(ENSEMBLE.targets), ENSEMBLE.targets, "k+", ms=8)
            ax.set(xlabel="layer", title=f"1, ..., x^{degree}")
        for (degree, t, loss, _), color in zip(results.ensembles, (_RED, _GREEN), strict=True):
            axes[0].loglog(t[1:], loss[1:], color=color, label=f"1, ..., x^{degree}")
        axes[0].set(xlabel="t", ylabel="loss")
        axes[0].legend(fontsize=7)

    return draw


def draw_stairs(results: Results) -> Callable[[Canvas], None]:
    """The convex loss above its least value, along the forward-backward flow."""

    def draw(figure: Canvas) -> None:
        ax = figure.subplots()
        t, above = results.stairs
        ax.semilogy(t, np.maximum(above, 1e-16), color=_BLUE)
        ax.set(xlabel="t", ylabel="loss - least loss")

    return draw
