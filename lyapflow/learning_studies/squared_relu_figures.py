"""Figures of the study of homogeneous networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..learning import squared_rays as rays
from .squared_relu_numbers import CLOSE, MANY, ONE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..learning import Trajectory

__all__ = ["draw_close", "draw_collapse", "draw_losses", "draw_neurons", "draw_staircase"]

_BLUE, _ORANGE, _GREEN, _RED, _SOFT, _INK = "#1f5fbf", "#c05621", "#1b7f4b", "#b42318", "#8a94a3", "#1c2430"


def draw_losses(figure: Figure, runs: Mapping[float, Trajectory]) -> None:
    """The loss along the ray against the norm of the start times t, with ticks at the norm times T_delta."""
    axes = figure.subplots()
    value = rays.find_rays(ONE.data)[0].value
    for k, ((size, run), color) in enumerate(zip(runs.items(), (_SOFT, _BLUE, _GREEN), strict=False)):
        axes.plot(size * run.t, run.loss, color=color, label=f"$\\delta = 10^{{{np.log10(size):.0f}}}$")
        place = size * rays.escape_time(value, size, degree=3)
        axes.plot([place], [0.66 - 0.06 * k], "v", color=color, ms=7)
    axes.axvline(1 / (3 * value), color=_RED, ls="--", lw=0.9, label="$\\delta\\,T_\\delta = 1/(3N^*)$")
    axes.axhline(0.2, color=_SOFT, ls=":", lw=0.9)
    axes.set(xlabel="$\\delta\\,t$", ylabel="loss", xlim=(0, 1.0))
    axes.legend(loc="lower left")


def draw_collapse(figure: Figure, runs: Mapping[float, Trajectory]) -> None:
    """The output along the ray against t - T_delta for all norms, on the limit path."""
    axes = figure.subplots()
    value = rays.find_rays(ONE.data)[0].value
    times = np.linspace(-6, 5, 61)
    axes.plot(times, rays.follow_ray(ONE.data, 0, times), "o", color=_RED, ms=3, label="limit path $p(t)$")
    for (size, run), color in zip(runs.items(), (_SOFT, _BLUE, _GREEN), strict=False):
        shifted = run.t - rays.escape_time(value, size, degree=3)
        outputs = [float(ONE.predict(x)[0]) for x in run.x]
        axes.plot(shifted, outputs, color=color, label=f"$\\delta = 10^{{{np.log10(size):.0f}}}$")
    axes.set(xlabel="$t - T_\\delta$", ylabel="$H(x_1)$", xlim=(-6, 5))
    axes.legend(loc="upper left")


def draw_staircase(figure: Figure, run: Trajectory) -> None:
    """The loss of eight neurons, and their norms, against time."""
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(run.t, run.loss, color=_INK)
    for level in (0.7, 0.2, 0.18, 0.0):
        above.axhline(level, color=_SOFT, ls=":", lw=0.8)
    above.set(ylabel="loss")
    sizes = np.array([MANY.measure_neurons(x) for x in run.x])
    order = np.argsort(-sizes[-1])
    for j, color in zip(order, (_BLUE, _ORANGE, _GREEN, *[_SOFT] * 5), strict=True):
        below.semilogy(run.t, sizes[:, j], color=color, label=f"neuron {j + 1}" if color != _SOFT else None)
    below.set(xlabel="time $t$", ylabel="norm of the neuron")
    below.legend(loc="center right", fontsize=8)


def draw_neurons(figure: Figure, run: Trajectory) -> None:
    """Bars of the norms: at the start, just before the escape, at the first saddle, and at the end."""
    axes = figure.subplots(1, 4, sharex=True)
    loss = run.loss
    first, second = int(np.argmax(loss < 0.45)), int(np.argmax(loss < 0.19))
    places = {
        "start": 0,
        "before the escape": int(0.97 * first),
        "first saddle": (first + second) // 2,
        "end": len(loss) - 1,
    }
    names = np.arange(1, MANY.width + 1)
    for ax, (title, place) in zip(axes, places.items(), strict=True):
        ax.bar(names, MANY.measure_neurons(run.x[place]), color=_BLUE, width=0.7)
        ax.set(title=f"{title}\nt = {run.t[place]:.0f}\n", xlabel="neuron", xticks=names)
        ax.ticklabel_format(axis="y", style="sci", scilimits=(-2, 2))
    axes[0].set_ylabel("norm")


def draw_close(figure: Figure, runs: Mapping[str, Trajectory]) -> None:
    """The loss for close labels from two starts; each with its own origin of time."""
    axes = figure.subplots()
    for (name, run), color in zip(runs.items(), (_RED, _BLUE), strict=True):
        start = float(run.t[int(np.argmax(run.loss < 0.75))])
        axes.plot(run.t - start, run.loss, color=color, label=name)
    labels = CLOSE.data.y
    for level, name in ((np.sum(labels[1:] ** 2) / 2, "label 1 alone"), (labels[2] ** 2 / 2, "labels 1 and 0.8")):
        axes.axhline(level, color=_SOFT, ls=":", lw=0.9)
        axes.annotate(name, (31, level + 0.015), color=_SOFT, fontsize=8)
    axes.set(xlabel="time after the loss is 0.75", ylabel="loss", xlim=(-10, 40))
    axes.legend(loc="upper right")
