"""Small hosts of related papers: games, residual, leaky, quantised and threshold networks, ensembles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..report import Evidence, Figure, Note, Table, write_report
from .related_figures import draw_coarse, draw_ensembles, draw_games, draw_late_rates, draw_margins, draw_stairs
from .related_numbers import (
    DEPTHS,
    TIMES,
    Results,
    compute,
    fit_invariant_drift,
    fit_jacobians,
    judge_ensembles,
    judge_games,
    judge_margins,
    judge_quantised,
    judge_residuals,
    judge_small_networks,
)

__all__ = ["Results", "compute", "run", "write"]


def write(results: Results, folder: Path) -> Path:
    """The report, as one HTML file in a folder."""
    times, values, margins = results.path
    at = [int(np.argmin(np.abs(times - t))) for t in TIMES]
    limit = results.limit.singular_values
    return write_report(
        folder / "related_papers.html",
        Note(
            "The question",
            "Seven papers on training, each with the smallest system that shows what it is about: what can be proved "
            "of it, what is false, and what a simulation shows. None of these pages proves the papers' theorems.",
        ),
        Note(
            "Descent-ascent",
            "theta' = -2 omega - lambda theta, omega' = 2 theta - 1 - omega, a game with a saddle point (Y. Zhu et "
            "al., arXiv 2404.12312, with features at rest). V = |z|²/2 proves no rate without decay; V with a cross "
            "term does. The two certificates are with decay 3/10 and with none.",
        ),
        *results.games,
        Evidence("Descent-ascent: steps and strictness", judge_games),
        Figure(
            "Spiral, and steps on both sides of the limit",
            draw_games(results),
            kind="seen in simulation",
            caption="h_max = 13/43. Cross: the saddle point.",
        ),
        Note(
            "Residual networks",
            "f = prod (1 + w_l/D), after R. Cont, A. Rossier, R. Xu, arXiv 2204.07261. Late the loss decays with the "
            "V-rate 2 mu, mu = sum (f/(D q_l))² at the limit; 2 y²/D is right only where all factors q_l are near 1.",
        ),
        Evidence("Residual networks: balance and gradient bound", judge_residuals),
        Figure("V-rate against depth", draw_late_rates(results), kind="seen in simulation"),
        Table(
            "Late V-rates, weights spread evenly over [-1, 1] at the start",
            ("depth", "2 mu", "seen", "2 y²/depth"),
            [
                (d, f"{2 * r.rate:.6f}", f"{2 * (r.measured or np.nan):.6f}", f"{2 * np.e**2 / d:.6f}")
                for d, r in zip(DEPTHS, results.late, strict=True)
            ],
            kinds=("", "", "seen in simulation", ""),
        ),
        Evidence(
            "Deep ReLU networks: drift of the invariants",
            fit_invariant_drift,
            text="Per hidden neuron |row of W_l|² - |column of W_(l+1)|² is kept by the flow (Du, Hu, Lee, arXiv "
            "1806.00900); gradient descent loses it like its step.",
        ),
        Note(
            "Leaky ReLU",
            "Orthogonal inputs, exponential loss, after S. Frei et al., arXiv 2210.07082. In the time s, dt = ds/loss, "
            "the same path is run without stiffness.",
        ),
        Evidence("Leaky ReLU: the limit", judge_margins),
        Figure("Rank two, and the largest margin", draw_margins(results), kind="seen in simulation"),
        Table(
            "Along the training",
            ("s", "second / first", "third / first", "largest / smallest margin"),
            [
                *(
                    (
                        f"{times[k]:.0f}",
                        f"{values[k, 1] / values[k, 0]:.5f}",
                        f"{values[k, 2] / values[k, 0]:.1e}",
                        f"{margins[k, 1]:.5f}",
                    )
                    for k in at
                ),
                ("limit", f"{limit[1] / limit[0]:.5f}", "0", "1"),
            ],
            kinds=("", "seen in simulation", "seen in simulation", "seen in simulation"),
        ),
        Note(
            "Quantised networks",
            "Two linear layers around a step, Gaussian inputs, trained by a coarse gradient (P. Yin et al., arXiv "
            "1903.05662). Both coarse gradients are directions of descent. Where w is against the target and v "
            "best for it that of the ReLU rests, and that of the identity drives w into 0, though the loss does not "
            "fall along w. Across w the loss has a kink there.",
        ),
        Evidence("Quantised networks: coarse gradients", judge_quantised),
        Figure(
            "Descent, and the point with w against the target",
            draw_coarse(results),
            kind="seen in simulation",
            caption="Dotted: when |w| reaches 0 under the coarse gradient of the identity.",
        ),
        Note(
            "Ensembles",
            "x' = u_0 + u_1 x + ... + u_d x^d moves all points with one control: a residual network, linear in its "
            "weights (A. Scagliotti, arXiv 2110.12393). With d = 2 the flows are the Moebius maps.",
        ),
        Evidence("Ensembles: brackets and a cross-ratio", judge_ensembles),
        Figure(
            "Five points through twelve layers",
            draw_ensembles(results),
            kind="seen in simulation",
            caption="Crosses: targets.",
        ),
        Note(
            "Threshold and ReLU networks",
            "Training a threshold network is a lasso over its patterns (T. Ergen et al., arXiv 2303.03382); the loss "
            "of a ReLU network is a polynomial in each cell (F. He, B. Wang, D. Tao, arXiv 2003.12236); Jacobians lose "
            "rank where neurons agree (S. Saarinen, R. Bramley, G. Cybenko, SIAM J. Sci. Comput. 14, 1993).",
        ),
        Evidence("Threshold and ReLU networks: optima, cells, ranks", judge_small_networks),
        Figure("The forward-backward flow of the lasso", draw_stairs(results), kind="seen in simulation"),
        Evidence("Jacobians near equal neurons", fit_jacobians),
        title="Related papers: one small system each",
    )


def run(folder: Path, say: Callable[[str], None] = print) -> Path:
    """The whole study: compute, check, and write the report; returns its path."""
    report = write(compute(say), Path(folder))
    say(f"report: {report}")
    return report
