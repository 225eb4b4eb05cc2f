"""Figures of the study of sparse attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..learning import SparseAttention
from ..learning.attention_times import logarithmic_time

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_emergence", "draw_plateaus", "draw_probabilities", "draw_repetition"]

_BLUE, _ORANGE, _GREEN, _RED, _SOFT, _INK = "#1f5fbf", "#c05621", "#1b7f4b", "#b42318", "#8a94a3", "#1c2430"


def draw_plateaus(figure: Figure) -> None:
    """Loss against time for several numbers of tokens, with T* and eq. (6)."""
    left, right = figure.subplots(1, 2, sharey=True)
    for T, color in zip((256, 1024, 4096, 16384), (_BLUE, _GREEN, _ORANGE, _RED), strict=True):
        model = SparseAttention(T, 64)
        mark = model.emergence_time
        times = np.unique(np.concatenate([np.geomspace(mark / 30, 15 * mark, 200), np.linspace(0.8, 1.6, 200) * mark]))
        loss = model.simulate([0, 0], times).loss
        left.semilogx(times, loss, color=color, label=f"T = {T}")
        left.plot([mark, mark], [0, 0.06], color=color, lw=2.5)
        left.plot([logarithmic_time(model, 0.8)], [0.03], "x", color=color)
        right.plot(times / (8 * T), loss, color=color)
    right.axvline(np.sqrt(np.pi / 2), ls="--", lw=0.9, color=_INK)
    left.axhline(0.1, ls=":", lw=0.8, color=_SOFT)
    right.axhline(0.1, ls=":", lw=0.8, color=_SOFT)
    left.plot([], [], color=_SOFT, lw=2.5, label="T*")
    left.plot([], [], "x", color=_SOFT, label="eq. (6)")
    left.set(xlabel="time $t$", ylabel="loss", xlim=(3, 4e6))
    right.set(xlabel="$t/(\\sqrt{d}\\,T)$", xlim=(0, 2.5))
    left.legend(loc="center left")


def draw_repetition(figure: Figure, rows: Sequence[Sequence[Any]]) -> None:
    """Plateau against B with lines of slope -1 and -1/2."""
    axes = figure.subplots()
    B, scores, exact, paper, known = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    axes.loglog(B, paper, "s-", color=_ORANGE, label="reduced system of the paper")
    axes.loglog(B, exact, "-", color=_BLUE, label="exact projection")
    axes.loglog(B, scores, "o", color=_BLUE, label="all scores and W")
    axes.loglog(B, known, ":", color=_INK, label="$\\sqrt{\\pi/2}\\,\\sqrt{d}\\,T/\\sqrt{B}$, slope $-1/2$")
    axes.loglog(B, paper[0] / B, "--", color=_SOFT, label="slope $-1$")
    axes.set(xlabel="repetition $B$", ylabel="length of the plateau")
    axes.set_xticks(B, [f"{b:g}" for b in B])
    axes.minorticks_off()
    axes.legend()


def draw_probabilities(figure: Figure, rows: Sequence[Sequence[Any]]) -> None:
    """Plateaus against p, and test losses against time."""
    left, right = figure.subplots(1, 2)
    p, attention, _, test = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    fine = np.linspace(0, 0.9, 91)
    law = [SparseAttention(4096, 256, probability=str(round(q, 2))).emergence_time for q in fine]
    left.semilogy(fine, law, color=_INK, label="T*")
    left.plot(p, attention, "o", color=_BLUE, label="until attention is 0.05")
    left.plot(p, test, "s", color=_ORANGE, label="until test loss is 0.1")
    left.set(xlabel="probability $p$ of the fixed vector", ylabel="time")
    left.legend()
    times = np.geomspace(100, 3e5, 800)
    for row, color in zip(rows, (_INK, _BLUE, _GREEN, _ORANGE, _RED), strict=True):
        model = SparseAttention(4096, 256, probability=row[0])
        run = model.simulate(np.zeros(model.shape), times)
        right.semilogx(times, [model.test_loss(x) for x in run.x], color=color, label=f"p = {row[0]}")
    right.set(xlabel="time $t$", ylabel="test loss", xlim=(100, 3e5))
    right.legend(loc="lower left")


def draw_emergence(figure: Figure) -> None:
    """The strength and the attention, the sharpness, and the loss in the end."""
    figure.set_size_inches(9.5, 3.2)
    left, middle, right = figure.subplots(1, 3)
    model = SparseAttention(512, 64)
    end = model.emergence_time
    times = np.unique(np.concatenate([np.linspace(0, 2 * end, 200), np.linspace(0.98, 1.08, 200) * end]))
    run = model.simulate([0, 0], times)
    early = np.linspace(0, 0.9999 * end, 400)
    left.plot(times, run.x[:, 0] / 8, color=_BLUE, label="$w/\\sqrt{d}$")
    left.plot(times, [model.attention(x) for x in run.x], color=_GREEN, label="attention $\\alpha$")
    left.plot(early, model.solve_early(early)[:, 0] / 8, ":", color=_RED, label="$w$, closed form")
    left.axvline(end, ls="--", lw=0.8, color=_SOFT)
    left.set(xlabel="time $t$")
    left.legend(loc="upper left", fontsize=7)
    middle.plot(times, [model.sharpness(x) for x in run.x], color=_INK)
    middle.axhline(1 / 64, ls=":", color=_SOFT, label="$1/d$")
    middle.set(xlabel="time $t$", ylabel="sharpness")
    middle.legend(fontsize=7)
    late = np.geomspace(1e2, 1e8, 300)
    for T, d, color in ((64, 16, _BLUE), (512, 64, _ORANGE), (4096, 64, _GREEN)):
        path = SparseAttention(T, d).simulate([0, 0], late, method="Radau", rtol=1e-8)
        right.loglog(late, path.loss, color=color, label=f"T = {T}, d = {d}")
    right.loglog(late, 1 / (4 * late), "--", color=_INK, lw=0.9, label="$1/(4t)$")
    right.set(xlabel="time $t$", ylabel="loss")
    right.legend(fontsize=7)
