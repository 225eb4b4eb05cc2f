"""Figures of the study of shallow ReLU networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..learning import relu_limits as limits
from ..learning.relu_phases import find_seed, follow_bundle
from .shallow_relu_numbers import BLOCKS, PAIR, TOY, UNIT, Descent, follow_outputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..learning import ShallowReLU, Trajectory

__all__ = ["draw_end", "draw_function", "draw_neurons", "draw_pair", "draw_steps"]

_BLUE, _ORANGE, _GREEN, _RED, _SOFT, _INK = "#1f5fbf", "#c05621", "#1b7f4b", "#b42318", "#8a94a3", "#1c2430"


def draw_steps(figure: Figure, runs: Mapping[float, Trajectory], descent: Descent) -> None:
    """The loss against time in units of ln(1/scale), one curve for each scale, and the authors' iteration."""
    axes = figure.subplots()
    for (scale, run), color in zip(runs.items(), (_SOFT, _BLUE, _GREEN), strict=False):
        axes.plot(run.t / -np.log(scale), run.loss, color=color, label=f"$\\lambda = 10^{{{np.log10(scale):.0f}}}$")
    unit = -np.log(1e-6)
    axes.plot(descent.t[::4] / unit, descent.loss[::4], "x", color=_ORANGE, ms=4, label="descent, $\\lambda = 10^{-6}$")
    for sign, name in ((1, "+"), (-1, "-")):
        place = 1 / float(np.linalg.norm(limits.find_drive(TOY.data, sign)))
        axes.axvline(place, color=_RED, ls="--", lw=0.9)
        axes.annotate(f"$1/\\|D_{name}\\|$", (place + 0.02, 0.46), color=_RED)
    axes.axhline(float(limits.find_saddle_loss(TOY.data, (1,))), color=_SOFT, ls=":", lw=0.9)
    axes.set(xlabel="$t\\,/\\,\\ln(1/\\lambda)$", ylabel="loss", xlim=(0, 2.6))
    axes.legend(loc="lower left")


def draw_neurons(figure: Figure, run: Trajectory) -> None:
    """Angle against norm of each neuron of the toy network, at the start, aligned, at the saddle and at the end."""
    axes = figure.subplots(1, 4, sharex=True, sharey=True)
    for ax, (title, place) in zip(axes, _moments(run), strict=True):
        outer, weights = TOY.split(run.x[place])
        angles = np.degrees(np.arctan2(weights[:, 1], weights[:, 0]))
        sizes = np.linalg.norm(weights, axis=1)
        for sign, color, mark in ((1, _BLUE, "o"), (-1, _ORANGE, "s")):
            chosen = sign * outer > 0
            drive = limits.find_drive(TOY.data, sign)
            ax.axvline(np.degrees(np.arctan2(drive[1], drive[0])), color=color, lw=0.8, ls="--")
            ax.semilogy(
                angles[chosen], sizes[chosen], mark, color=color, ms=3, label=f"$a_j {'>' if sign > 0 else '<'} 0$"
            )
        ax.set(title=f"{title}, t = {run.t[place]:.3g}", xlabel="angle of $w_j$", xticks=[-180, -90, 0, 90, 180])
        ax.tick_params(axis="x", labelsize=7)
    axes[0].set_ylabel("norm of $w_j$")
    axes[0].legend(loc="upper left", fontsize=7)


def draw_function(figure: Figure, run: Trajectory) -> None:
    """The function and the neurons, each at its kink with its signed norm, as in the paper's figure."""
    axes = figure.subplots(1, 4, sharex=True, sharey=True)
    at = np.linspace(-2, 3.5, 400)
    points = np.column_stack([at, np.ones_like(at)])
    for ax, (title, place) in zip(axes, _moments(run), strict=True):
        outer, weights = TOY.split(run.x[place])
        ax.plot(at, TOY.predict(run.x[place], points), color=_GREEN, label="$h(x)$")
        ax.plot(TOY.data.X[:, 0], TOY.data.y, "o", color=_GREEN, label="data")
        ax.axhline(0, color=_SOFT, lw=0.7, ls="--")
        signed = np.sign(outer) * np.linalg.norm(weights, axis=1)
        ax.plot(-weights[:, 1] / weights[:, 0], signed, "*", color=_BLUE, ms=6, label="neurons")
        ax.set(
            title=f"{title}, t = {run.t[place]:.3g}",
            xlabel="$x$ and kinks $-w_{j2}/w_{j1}$",
            xlim=(-2, 3.5),
            ylim=(-1.6, 1.6),
        )
        ax.xaxis.label.set_size(8)
    axes[0].set_ylabel("$h(x)$ and $s_j\\|w_j\\|$")
    axes[0].legend(loc="upper left", fontsize=7)


def draw_pair(figure: Figure, run: Trajectory) -> None:
    """Both labels of the pair against time, with the logistic curves of the closed form."""
    axes = figure.subplots()
    outputs = follow_outputs(run) / PAIR.data.y
    outer, weights = PAIR.split(run.x[0])
    marks = run.t[::12]
    for k, sign, color in ((0, 1, _BLUE), (1, -1, _ORANGE)):
        axes.plot(run.t, outputs[:, k], color=color, label=f"label {PAIR.data.y[k]:g}")
        seed = find_seed(PAIR.data, outer, weights, sign)
        axes.plot(marks, follow_bundle(PAIR.data, sign, seed, marks), "o", color=color, ms=2.6)
    axes.plot([], [], "o", color=_SOFT, ms=2.6, label="closed form")
    axes.set(xlabel="time $t$", ylabel="part of the label that is fitted")
    axes.legend(loc="center right")


def draw_end(figure: Figure, runs: Mapping[str, Trajectory]) -> None:
    """The loss of two networks on a logarithmic axis with the rates of the theory."""
    axes = figure.subplots()
    for (name, run), color in zip(runs.items(), (_BLUE, _GREEN), strict=True):
        loss = run.loss
        axes.semilogy(run.t, np.maximum(loss, 1e-30), color=color, label=name)
    lines = {
        "V-rate $2\\lambda_{\\min}(K_-)/n$": (runs["norms 1, 1.4, 1, 0.8"], _slowest(BLOCKS), 1e-9, _RED, "--"),
        "V-rate $4\\|y_-\\|/n$": (runs["norms 1"], 2 * _slowest(UNIT), 1e-7, _ORANGE, "-."),
        "V-rate $2\\|y_-\\|/n$": (runs["norms 1"], _slowest(UNIT), 1e-14, _ORANGE, ":"),
    }
    for label, (run, rate, level, color, style) in lines.items():
        loss = run.loss
        anchor = int(np.argmax(loss < level))
        span = run.t[max(anchor - 90, 0) : anchor + 90]
        axes.semilogy(span, 3 * loss[anchor] * np.exp(-rate * (span - run.t[anchor])), style, color=color, label=label)
    axes.set(xlabel="time $t$", ylabel="loss", ylim=(1e-20, 3))
    axes.legend(loc="upper right", fontsize=8)


def _slowest(network: ShallowReLU) -> float:
    return min(float(limits.bound_rates(network.data, s)[0][0]) for s in (1, -1))


def _moments(run: Trajectory) -> list[tuple[str, int]]:
    """Start, aligned, first saddle, end, as samples of the toy run."""
    loss = run.loss
    first = int(np.argmax(loss < 0.375))
    second = int(np.argmax(loss < 0.125))
    return [("start", 0), ("aligned", int(0.6 * first)), ("saddle", (first + second) // 2), ("end", len(loss) - 1)]
