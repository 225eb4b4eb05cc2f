"""Figures of the study of deep linear networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..learning import DeepLinearNetwork
from ..learning.mode_times import blow_up_time, learning_time

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..learning import Trajectory

__all__ = ["draw_plateaus", "draw_portrait", "draw_semistable", "draw_staircases"]

_BLUE, _ORANGE, _GREEN, _RED, _SOFT, _INK = "#1f5fbf", "#c05621", "#1b7f4b", "#b42318", "#8a94a3", "#1c2430"


def draw_staircases(figure: Figure, runs: Mapping[int, Trajectory]) -> None:
    """Loss above, strengths below, one column for each depth."""
    axes = figure.subplots(2, len(runs), sharex="col", sharey="row", squeeze=False)
    for column, (depth, run) in enumerate(runs.items()):
        network = _network_of(run)
        seen = np.array([np.diag(np.linalg.multi_dot(network.split(x))) for x in run.x])
        marks = run.t[::12]
        known = network.solve_aligned(seen[0], marks)
        upper, lower = axes[0, column], axes[1, column]
        upper.plot(run.t, run.loss, color=_INK, label="integrated")
        upper.plot(marks, network.aligned_loss(known), "o", color=_RED, ms=2.2, label="closed form")
        for one in network.equilibria():
            values = {v for v, _ in one.selection}
            if values == set(network.singular_values[: len(values)]):  # the order in which they are learnt
                upper.axhline(one.loss, color=_SOFT, lw=0.7, ls=":")
        upper.set_title(f"{depth} layers")
        for k, (sigma, color) in enumerate(zip(network.singular_values, (_BLUE, _ORANGE, _GREEN), strict=False)):
            lower.plot(run.t, seen[:, k], color=color, label=f"$\\sigma$ = {sigma:g}")
            lower.plot(marks, known[:, k], "o", color=color, ms=2.2)
        lower.set_xlabel("time $t$")
    axes[0, 0].set_ylabel("loss")
    axes[1, 0].set_ylabel("strength of the mode")
    axes[0, 0].legend(loc="upper right")
    axes[1, 0].legend(loc="lower right")


def draw_portrait(figure: Figure) -> None:
    """The plane of two scalar weights with its invariant hyperbolas, target 1."""
    axes = figure.subplots()
    grid = np.linspace(-2, 2, 161)
    w1, w2 = np.meshgrid(grid, grid)
    rest = 1 - w1 * w2
    axes.streamplot(grid, grid, rest * w2, rest * w1, color=_SOFT, density=0.8, linewidth=0.6, arrowsize=0.8)
    axes.contour(w1, w2, w1**2 - w2**2, levels=[-2, -1, 0, 1, 2], colors=_BLUE, linewidths=0.9, linestyles="--")
    axes.plot([], [], "--", color=_BLUE, lw=0.9, label="$w_1^2 - w_2^2 = c$, c = -2, ..., 2")
    for side in (np.linspace(0.5, 2, 100), np.linspace(-2, -0.5, 100)):
        axes.plot(side, 1 / side, color=_GREEN, lw=2, label="minima, $w_1w_2 = 1$" if side[0] > 0 else None)
    axes.plot([-2, 2], [2, -2], color=_RED, lw=1.5, label="drawn to the saddle, $w_1 = -w_2$")
    axes.plot([0], [0], "o", color=_RED, ms=5)
    axes.set(xlabel="$w_1$", ylabel="$w_2$", aspect="equal", xlim=(-2, 2), ylim=(-2, 2))
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1))


def draw_semistable(figure: Figure, runs: Mapping[str, Trajectory]) -> None:
    """The scalar flow with arrows, and the matrices from either side."""
    left, right = figure.subplots(1, 2)
    s = np.linspace(-0.75, 1.1, 300)
    left.plot(s, s**2 * (1 - s**3), color=_INK)
    left.axhline(0, color=_SOFT, lw=0.8)
    for place in (-0.6, -0.3, 0.25, 0.6):
        left.annotate("", (place + 0.16, 0), (place, 0), arrowprops={"arrowstyle": "-|>", "color": _BLUE})
    left.plot([0], [0], "o", color=_RED, label="semi-stable")
    left.plot([1], [0], "o", color=_GREEN, label="stable")
    left.set(xlabel="$s$", ylabel="$\\dot s$", title="one mode, three layers")
    left.legend(loc="upper left")
    for (name, run), color in zip(runs.items(), (_BLUE, _ORANGE), strict=True):
        network = _network_of(run)
        right.plot(run.t, [network.split(x)[0][1, 1] for x in run.x], color=color, label=f"from {name}")
    t = next(iter(runs.values())).t
    right.plot(t[::20], -1 / (t[::20] + 20), "o", color=_ORANGE, ms=2.5, label="$-1/(t + 20)$")
    right.axhline(0, color=_SOFT, lw=0.8)
    right.set(xlabel="time $t$", ylabel="second entry of a layer", title="beside the saddle")
    right.legend(loc="center right")


def draw_plateaus(figure: Figure) -> None:
    """Time to half strength over many decades of the start."""
    axes = figure.subplots()
    starts = np.geomspace(1e-12, 1e-1, 60)
    for depth, color in zip((2, 3, 4, 5), (_INK, _BLUE, _ORANGE, _GREEN), strict=True):
        times = [learning_time(1, start, 0.5, depth=depth) for start in starts]
        axes.loglog(starts, times, color=color, label=f"{depth} layers")
        if depth > 2:
            axes.loglog(starts, [blow_up_time(1, start, depth=depth) for start in starts], ":", color=color)
    axes.set(xlabel="initial strength", ylabel="time to half strength")
    axes.legend()


def _network_of(run: Trajectory) -> DeepLinearNetwork:
    if not isinstance(run.flow, DeepLinearNetwork):
        raise TypeError("internal error: this figure is about deep linear networks")
    return run.flow
