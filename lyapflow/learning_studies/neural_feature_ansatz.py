"""Which power of the AGOP is W1'W1 in a trained network? After Tansley, Massart and Cartis, arXiv 2510.15563."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..report import Evidence, Figure, Note, Table, write_report
from .neural_feature_numbers import ALPHAS, Results, compute, prove_laws, refute_ansatz

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

__all__ = ["Results", "compute", "draw_decay", "draw_exponents", "run", "write"]

_COLORS = ("#b42318", "#8a94a3", "#1f5fbf", "#1b7f4b")


def draw_decay(results: Results) -> Callable[[Canvas], None]:
    """One minus the cosine against time, for each weight decay."""

    def draw(figure: Canvas) -> None:
        ax = figure.subplots()
        for line, color in zip(results.decays, _COLORS, strict=True):
            ax.semilogy(line.t, np.maximum(line.lack, 1e-16), color=color, label=f"decay {line.decay:g}")
            if line.decay:
                anchor = 40
                fall = line.lack[anchor] * np.exp(-4 * line.decay * (line.t - line.t[anchor]))
                ax.semilogy(line.t, fall, ":", lw=0.9, color=color)
        ax.set(xlabel="t", ylabel="1 - cos(W1'W1, (J'J)^(1/3))", ylim=(1e-13, 2))
        ax.legend(fontsize=7)

    return draw


def draw_exponents(results: Results) -> Callable[[Canvas], None]:
    """Bars of the cosine for each exponent; 1/L is marked."""

    def draw(figure: Canvas) -> None:
        axes = figure.subplots(1, len(results.balanced), sharey=True)
        for ax, row in zip(axes, results.balanced, strict=True):
            right = [abs(a * row.depth - 1) < 1e-9 for a in ALPHAS]
            ax.bar(range(len(ALPHAS)), row.cosines, color=["#1b7f4b" if r else "#c3cad4" for r in right])
            ax.set_axisbelow(True)
            ax.set_xticks(range(len(ALPHAS)), ["1/8", "1/5", "1/4", "1/3", "1/2", "2/3", "1"], fontsize=6)
            ax.set(title=f"{row.depth} layers", ylim=(0.9, 1.003), xlabel="exponent")
        axes[0].set_ylabel("cosine")

    return draw


def write(results: Results, folder: Path) -> Path:
    """The report, as one HTML file in a folder."""
    return write_report(
        folder / "neural_feature_ansatz.html",
        Note(
            "The question",
            "The neural feature ansatz says that after training, W1'W1 is proportional to a power of the average "
            "gradient outer product (AGOP) of the network. Which power, when, and when not?\n\nAfter E. Tansley, E. "
            "Massart, C. Cartis, On the neural feature ansatz for deep neural networks, arXiv 2510.15563 (AISTATS "
            "2026). For a linear network f(x) = Jx the AGOP is J'J. L is the number of layers, lambda the weight "
            "decay.",
        ),
        Evidence("Identities, for all widths, data and losses", prove_laws),
        Note(
            "What follows",
            "Balanced weights (G = 0) stay balanced, and W1'W1 is the root of order L of J'J, with the constant 1, "
            "throughout training. With weight decay G falls like exp(-2 lambda t), and the sum of the squares of all "
            "G has the V-rate 4 lambda, exactly. Without it G is conserved: an ansatz that is false at an equilibrium "
            "with G other than 0 stays so. Balance is sufficient, not necessary; both witnesses are below.",
        ),
        Figure(
            "Which exponent",
            draw_exponents(results),
            kind="seen in simulation",
            caption="Cosine between W1'W1 and powers of J'J in balanced networks after training; green: 1/L. The axis "
            "begins at 0.9.",
        ),
        Table(
            "Balanced networks after training",
            (
                "depth",
                "|W1'W1 - (J'J)^(1/L)|",
                "|(W1'W1)^L - J'J| / |J'J|",
                "fitted exponent",
                "cos at 1/2",
                "cos at 1",
            ),
            [
                (
                    r.depth,
                    f"{r.misfit:.1e}",
                    f"{r.power_misfit:.1e}",
                    f"{r.exponent:.8f}",
                    *(f"{r.cosine(a):.4f}" for a in (0.5, 1.0)),
                )
                for r in results.balanced
            ],
            kinds=("", *["seen in simulation"] * 5),
        ),
        Note(
            "A pitfall",
            "The first misfit looks like a failure and is not one: the root makes eps^(1/L) of the round-off eps in "
            "the null directions of J. Powers of W1'W1 instead of roots of J'J ask the same question, to the accuracy "
            "of the integrator.",
        ),
        Figure(
            "Weight decay restores the ansatz",
            draw_decay(results),
            kind="seen in simulation",
            caption="Three layers, not balanced. Dotted: exp(-4 lambda t), as one minus a cosine is quadratic in the "
            "misfit.",
        ),
        Table(
            "Three layers, not balanced, t up to 120",
            ("decay", "rate of G", "2 decay", "rate of the misfit", "1 - cos at the end"),
            [
                (
                    f"{r.decay:g}",
                    f"{abs(r.imbalance_rate):.7f}",
                    f"{2 * r.decay:g}",
                    None if r.misfit_rate is None else f"{r.misfit_rate:.5f}",
                    f"{max(r.lack[-1], 0):.1e}",
                )
                for r in results.decays
            ],
            kinds=("", "seen in simulation", "", "seen in simulation", "seen in simulation"),
        ),
        Table(
            "Shallow ReLU networks, trained from weights of size 1e-6",
            ("labels", "largest error", "eig W'W", "eig AGOP", "cos at 1/2", "its limit"),
            [
                (
                    r.name,
                    f"{r.error:.1e}",
                    "{:.4f}, {:.4f}".format(*r.features),
                    "{:.4f}, {:.4f}".format(*r.gradients),
                    f"{r.cosine:.4f}",
                    f"{r.limit:.4f}",
                )
                for r in results.relu
            ],
            kinds=("", *["seen in simulation"] * 4, ""),
        ),
        Evidence("What is false", refute_ansatz, text="All witnesses are exact."),
        title="The neural feature ansatz",
    )


def run(folder: Path, say: Callable[[str], None] = print) -> Path:
    """The whole study: compute, check, and write the report; returns its path."""
    report = write(compute(say), Path(folder))
    say(f"report: {report}")
    return report
