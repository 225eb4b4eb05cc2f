"""Saddles of shallow ReLU networks with an affine target: exact Hessians, and the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..learning import AffineReLU, Trajectory
from ..learning import affine_relu_evidence as evidence
from ..learning.evidence import Refutation, Verdict
from ..report import Evidence, Figure, Note, Table, write_report

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

__all__ = ["MODEL", "draw_escape", "draw_residuals", "prove_all", "refute_all", "run", "tabulate_values"]

MODEL = AffineReLU(2, "1.3", "0.4")


def prove_all() -> tuple[Verdict, ...]:
    """Zigzags with two, four and six breakpoints, and the flow from beside the first."""
    return (
        evidence.judge_zigzag(MODEL, 2),
        evidence.judge_zigzag(AffineReLU(4, "1.3", "0.4"), 4),
        evidence.judge_zigzag(AffineReLU(6, "1.3", "0.4"), 6),
        evidence.judge_escape(MODEL),
    )


def refute_all() -> tuple[Refutation, ...]:
    """That these are local minima."""
    return evidence.refute_minimum(MODEL), evidence.refute_minimum(AffineReLU(4, "1.3", "0.4"), 4)


def tabulate_values() -> list[tuple[object, ...]]:
    """Breakpoints, critical loss, and eigenvalues of the Hessian of that zigzag, the others being off."""
    rows: list[tuple[object, ...]] = []
    for count in (2, 4):
        model = AffineReLU(count, "1.3", "0.4")
        hessian = np.array(model.exact_hessian(model.zigzag(count)), dtype=float)
        values = np.linalg.eigvalsh(hessian)
        shown = ", ".join(f"{0.0 if abs(v) < 1e-12 else v:.3g}" for v in values)
        rows.append((count, str(model.critical_loss(count)), float(model.critical_loss(count)), shown))
    return rows


def draw_residuals(figure: Canvas) -> None:
    """The zigzags with two, four and six breakpoints."""
    axes = figure.subplots()
    place = np.linspace(0, 1, 1261)
    for count, color in ((2, "#1c2430"), (4, "#1f5fbf"), (6, "#c05621")):
        model = AffineReLU(count, "1.3", "0.4")
        point = [float(v) for v in model.zigzag(count)]
        axes.plot(place, model.residual(point, place), color=color, label=f"{count}: loss {model.loss(point):.3g}")
    axes.axhline(0, color="#8a94a3", lw=0.7)
    axes.set(xlabel="$x$", ylabel="residual")
    axes.legend(title="breakpoints")


def draw_escape(figure: Canvas, path: Trajectory) -> None:
    """The residual at the zigzag and later, and the loss along the way."""
    left, right = figure.subplots(1, 2)
    place = np.linspace(0, 1, 601)
    colors = ("#1c2430", "#1f5fbf", "#c05621", "#1b7f4b")
    critical = float(MODEL.critical_loss(2))
    marks = [0] + [int(np.argmax(path.loss < share * critical)) for share in (0.9, 0.3, 0.01)]
    for k, color in zip(marks, colors, strict=True):
        left.plot(place, MODEL.residual(path.x[k], place), color=color, label=f"t = {path.t[k]:.3g}")
        right.plot([path.t[k]], [path.loss[k]], "o", color=color)
    left.axhline(0, color="#8a94a3", lw=0.7)
    left.set(xlabel="$x$", ylabel="residual")
    left.legend(ncols=2, fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    right.semilogy(path.t, path.loss, color="#1c2430", zorder=0)
    right.axhline(critical, ls=":", color="#b42318", label="$\\alpha^2/972$")
    right.set(xlabel="time $t$", ylabel="loss", xlim=(0, 2000))
    right.legend()


def run(folder: Path, say: Callable[[str], None] = print) -> Path:
    """Derive, simulate, and write the report; returns its path."""
    say("deriving, simulating and writing")
    path = evidence.escape(MODEL)
    return write_report(
        Path(folder) / "affine_relu.html",
        Note(
            "The question",
            "A shallow ReLU network c + sum v_j (w_j x + b_j)_+ is fitted to alpha x + beta on [0, 1] in the mean "
            "square. Has "
            "the loss critical points other than minima, and are they in the way?\n\nAfter P. Cheridito, A. "
            "Jentzen, F. "
            "Rossmannek, arXiv 2208.02083 and 2103.10922. A critical point with n active breakpoints has a zigzag "
            "for a "
            "residual, n even, and the loss alpha^2/(12 (n+1)^4). alpha = 1.3, beta = 0.4.",
        ),
        Figure("Residuals at critical points", draw_residuals, caption="alpha = 1.3, beta = 0.4."),
        Figure(
            "A zigzag, and the way out",
            lambda canvas: draw_escape(canvas, path),
            kind="seen in simulation",
            caption="Two neurons. Left: the residual at the saddle and on the way. Right: the loss; the flow starts "
            "1e-3 beside "
            "the saddle, in the direction of least curvature.",
        ),
        Evidence(
            "What holds", prove_all, text="Gradients and Hessians are rational here: pieces of quadratic functions."
        ),
        Evidence("What is false", refute_all),
        Table("Critical losses and Hessians", ("breakpoints", "loss", "", "eigenvalues"), tabulate_values()),
        title="Saddles of shallow ReLU networks with an affine target",
    )
