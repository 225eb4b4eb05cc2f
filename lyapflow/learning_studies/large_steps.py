"""Large steps in linear networks: from which step on no minimum is stable, and what happens beyond."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..learning import DeepLinearNetwork, LinearChain
from ..learning import large_steps as evidence
from ..learning.evidence import PROVED, Refutation, Verdict
from ..report import Evidence, Figure, Note, Table, write_report

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

__all__ = [
    "CHAINS",
    "SHARES",
    "draw_bifurcation",
    "draw_transition",
    "prove_all",
    "refute_all",
    "run",
    "tabulate_runs",
    "tabulate_sharpness",
]

CHAINS = tuple(LinearChain(N, y) for N, y in ((2, 1), (2, 2), (3, 1), (3, 2)))
SHARES = (0.9, 0.98, 1.02, 1.1)
"""Steps, as shares of the critical one."""


def prove_all() -> tuple[Verdict, ...]:
    """The inequality of the means, minima on either side of the limit, and the bounded set of stable ones."""
    found = []
    for identity in evidence.state_mean_identities():
        identity.prove()
        found.append(
            Verdict(
                statement=f"{identity.name}: {identity.statement}", reason="an equality of polynomials", standing=PROVED
            )
        )
    small, flat = CHAINS[0], ([1, 1], [2, "1/2"])
    found += [evidence.judge_minimum(small, w, "9/10") for w in flat]
    found += [evidence.judge_minimum(small, flat[0], "11/10"), evidence.prove_bounded_stable_set(small, "9/10")]
    found.append(evidence.judge_minimum(LinearChain(3, 8), [2, 2, 2], "1/25"))
    return tuple(found)


def refute_all() -> tuple[Refutation, ...]:
    """Stability beyond the critical step, exactly; and convergence or divergence there, as seen."""
    steps = ("11/10", "11/20", "34/50", "27/100")
    return (
        *(evidence.refute_stability(chain, step) for chain, step in zip(CHAINS, steps, strict=True)),
        *(evidence.refute_random_convergence(chain, 1.02) for chain in CHAINS),
    )


def tabulate_runs() -> list[tuple[object, ...]]:
    """N, y, critical step, and per cent of 60 random starts that converge, for each share of the step."""
    return [
        (c.N, str(c.target), c.critical_step, *(evidence.count_converged(c, share)[0] / 0.6 for share in SHARES))
        for c in CHAINS
    ]


def tabulate_sharpness() -> list[tuple[object, ...]]:
    """Depth, least sharpness over the minima for the target diag(2, 1), and h s_1^(2 - 2/h)."""
    rows: list[tuple[object, ...]] = []
    for depth in (2, 3):
        network = DeepLinearNetwork([2] * (depth + 1), [2, 1])
        rows.append((depth, evidence.find_least_sharpness(network), depth * 2 ** (2 - 2 / depth)))
    return rows


def draw_bifurcation(figure: Canvas) -> None:
    """The long run of the balanced map ``a - step a^(N-1) (a^N - y)`` against the step."""
    axes = figure.subplots(1, 2)
    for ax, (N, y), top in zip(axes, ((2, 1), (3, 1)), (1.62, 1.75), strict=True):
        chain = LinearChain(N, y)
        shares = np.linspace(0.7, top, 1400)
        steps = shares * chain.critical_step
        a = np.full(steps.shape, 0.9)
        with np.errstate(all="ignore"):
            for k in range(1200):
                a = a - steps * a ** (N - 1) * (a**N - y)
                a[~(np.abs(a) < 10)] = np.nan
                if k >= 1000:
                    ax.plot(steps, a, ",", color="#1f5fbf", alpha=0.35, rasterized=True)
        ax.axvline(chain.critical_step, ls="--", color="#b42318", lw=1, label="critical step")
        ax.set(xlabel="step $\\eta$", ylabel="$a$ in the long run", title=f"N = {N}, y = {y}")
        ax.legend(loc="lower left")


def draw_transition(figure: Canvas) -> None:
    """Per cent of random starts that converge, against the share of the critical step."""
    axes = figure.subplots()
    shares = np.concatenate([np.linspace(0.6, 0.96, 7), np.linspace(0.97, 1.03, 13), np.linspace(1.05, 1.3, 6)])
    for chain, color in zip(CHAINS, ("#1f5fbf", "#c05621", "#1b7f4b", "#b42318"), strict=True):
        seen = [evidence.count_converged(chain, share, steps=2000)[0] / 0.6 for share in shares]
        axes.plot(shares, seen, ".-", color=color, label=f"N = {chain.N}, y = {chain.target}")
    axes.axvline(1, ls="--", color="#1c2430", lw=0.8)
    axes.set(xlabel="step over the critical one", ylabel="per cent that converge")
    axes.legend()


def run(folder: Path, say: Callable[[str], None] = print) -> Path:
    """Derive, iterate, and write the report; returns its path."""
    say("deriving, iterating and writing")
    return write_report(
        Path(folder) / "large_steps.html",
        Note(
            "The question",
            "Gradient descent on V = (w_1 ... w_N - y)^2 / 2. Minima form a smooth manifold. Which of them are "
            "stable for a "
            "given step, and from which step on is none?\n\nAfter A. Craciun, D. Ghoshdastidar, On the stability of "
            "gradient "
            "descent for large learning rate, arXiv 2402.13108: beyond a critical step gradient descent converges "
            "from a set "
            "of measure zero only. Its constants are not confirmed against the paper's text; those here are "
            "derived: the "
            "critical step is 2/(N y^(2 - 2/N)).",
        ),
        Figure(
            "The balanced map",
            draw_bifurcation,
            kind="seen in simulation",
            caption="a -> a - step a^(N-1) (a^N - y), started at 0.9: its values after 1000 steps. The period "
            "doubles at the "
            "critical step.",
        ),
        Figure(
            "A sharp transition",
            draw_transition,
            kind="seen in simulation",
            caption="60 random starts, 2000 steps; loss below 1e-12 in the end; next to the limit it takes longer.",
        ),
        Evidence("What is proved", prove_all),
        Evidence("What is false", refute_all),
        Table(
            "Per cent of 60 random starts that converge, by share of the critical step",
            ("N", "y", "critical step", *(f"{share:g}" for share in SHARES)),
            tabulate_runs(),
            kinds=("", "", "", *("seen in simulation",) * len(SHARES)),
        ),
        Table(
            "Least sharpness of a minimum, matrices, target diag(2, 1)",
            ("layers", "by search", "h s_1^(2 - 2/h)"),
            tabulate_sharpness(),
            kinds=("", "solver's word", ""),
        ),
        title="Large steps in linear networks",
    )
