"""How fast do three flows minimise KL(q||p), and what is "rate 2" true of? After Datar and Ay, arXiv 2504.19259."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..exact.rationals import as_text, show_above, show_below
from ..learning.natural_gradient import KLNaturalGradient
from ..report import Evidence, Figure, Note, Table, write_report
from .kl_figures import draw_decay, draw_levels, draw_paths, draw_steps
from .kl_numbers import BINARY, NAMES, START, TARGET, Results, compute, prove_identities, refute_rates

__all__ = ["NAMES", "TARGET", "Results", "compute", "draw_decay", "draw_paths", "draw_steps", "run", "write"]


def write(results: Results, folder: Path) -> Path:
    """The report, as one HTML file in a folder."""
    flow = KLNaturalGradient(TARGET)
    rows = [
        (
            NAMES[r.flow],
            show_below(r.low, 7),
            f"{r.measured:.5g}",
            {"eta": "at least 4", "natural": "2", "theta": "at most 1/2"}[r.flow],
        )
        for r in results.rates
    ]
    affine = [(NAMES[r.flow], r.scale, r.low, f"{r.measured:.5g}") for r in results.affine]
    steps = [
        (
            NAMES[r.flow],
            show_below(r.limit[0], 6),
            "none shown" if r.everywhere is None else as_text(r.everywhere),
            show_above(r.factor[1], 6),
            f"{r.below:.1e}",
            f"{r.above:.1e}",
        )
        for r in results.steps
    ]
    levels = [
        ("any" if r.level is None else as_text(r.level), show_below(r.low, 8), show_above(r.high, 8))
        for r in results.levels
    ]
    binary = [
        (", ".join(q), show_below(r.low, 7), show_above(r.high, 7)) for q, r in zip(BINARY, results.binary, strict=True)
    ]
    start = flow.decrease(START[:-1])
    return write_report(
        folder / "kl_natural_gradient.html",
        Note(
            "The question",
            "A distribution p on three cells moves so that KL(q||p) falls: along its gradient in the coordinates eta "
            "(the probabilities), in theta (their log-ratios), or along the natural gradient, p' = q - p. Which is "
            "fastest, and what is the natural flow's rate 2 true of?\n\nAfter J. Datar, N. Ay, Convergence properties "
            "of natural gradient descent for minimizing KL divergence, arXiv 2504.19259 (TMLR 2025). V-rate: decay "
            "rate of KL; it is twice that of the state.",
        ),
        Note(
            "Where this differs from the paper",
            "The paper (abstract) gives the natural flow the rate 2, between those of the two gradient flows. That is "
            "so near q, and everywhere for |p - q|². For KL it is not: dKL/dt = -chi²(q||p) exactly (at the start "
            f"{as_text(start)}), and the least chi²/KL for this q is between {show_below(results.levels[-1].low, 8)} "
            f"and {show_above(results.levels[-1].high, 8)}. It depends on the smallest cell of q only and falls to 1 "
            "as that vanishes; 1 holds for every q. Near q the order of the three flows is as in the paper, and "
            "strict: at most 1/2, 2, at least 4.",
        ),
        Table(
            "V-rate of KL near q",
            ("flow", "from eigenvalues", "seen", "for every q"),
            rows,
            kinds=("", "", "seen in simulation", ""),
        ),
        Figure(
            "KL along the three flows",
            draw_decay(results),
            caption="Dashed: the V-rate near q. Dotted: the bound from this start that holds everywhere.",
        ),
        Figure(
            "Paths in the simplex",
            draw_paths(results),
            caption="Contours of KL. Corners: first cell right, second cell above, third cell left.",
        ),
        Table(
            "V-rate of KL along the natural flow, on KL ≤ c",
            ("c", "at least", "at most"),
            levels,
        ),
        Figure(
            "The rate by level",
            draw_levels(results),
            caption="Lower bounds by ball arithmetic; dotted: 2 near q, 1 for every q.",
        ),
        Table("Two cells: the least chi²/KL", ("q", "at least", "at most"), binary),
        Evidence("What is false", refute_rates, text="Rational points; chi² is exact there, and KL enclosed by balls."),
        Table(
            "Affine coordinates, eta = M eta', MM' = cC",
            ("flow", "c", "V-rate near q", "seen"),
            affine,
            kinds=("", "", "", "seen in simulation"),
        ),
        Table(
            "Steps",
            ("flow", "limit near q", "from every start", "best factor", "left with 3 % less", "left with 3 % more"),
            steps,
            kinds=("", "", "", "", "seen in simulation", "seen in simulation"),
        ),
        Figure(
            "Steps to the tolerance",
            draw_steps(results),
            kind="seen in simulation",
            caption="All from the same start. The natural iteration needs one step at h = 1.",
        ),
        Evidence("Identities", prove_identities),
        title="Natural gradient for KL",
    )


def run(folder: Path, say: Callable[[str], None] = print) -> Path:
    """The whole study: compute, check, and write the report; returns its path."""
    report = write(compute(say), Path(folder))
    say(f"report: {report}")
    return report
