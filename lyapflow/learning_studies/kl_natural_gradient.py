"""How fast do three flows minimise KL(q||p), and what is "rate 2" true of? After Datar and Ay, arXiv 2504.19259."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import VerificationError
from ..exact.rationals import as_text, show_above, show_below
from ..learning.divergence_rates import (
    PolynomialIdentity,
    SublevelRate,
    bound_sublevel_rate,
    refute_rate,
    state_identities,
)
from ..learning.evidence import Refutation
from ..learning.natural_gradient import Coordinates, KLNaturalGradient
from ..learning.spectrum import Array
from ..report import Figure, Note, Table, write_report

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

__all__ = [
    "NAMES",
    "TARGET",
    "FlowRow",
    "Results",
    "StepRow",
    "compute",
    "draw_decay",
    "draw_paths",
    "draw_steps",
    "run",
    "write",
]

TARGET = ("0.5", "0.3", "0.2")
START = ("0.2", "0.2", "0.6")
NAMES: dict[Coordinates, str] = {"eta": "gradient in eta", "natural": "natural gradient", "theta": "gradient in theta"}
_COLORS = {"eta": "#1f5fbf", "natural": "#1b7f4b", "theta": "#b42318"}
_WINDOWS: dict[Coordinates, tuple[float, float]] = {"eta": (2.0, 2.6), "natural": (5.0, 8.0), "theta": (60.0, 100.0)}
_ENDS: dict[Coordinates, float] = {"eta": 5.0, "natural": 12.0, "theta": 60.0}
_BINARY = (("1/2", "1/2"), ("0.9", "0.1"), ("0.99", "0.01"), ("0.999", "0.001"))
_LEVELS = ("1/1000", "1/200", "1/100", "1/50", "1/20", "1/10", None)
_TOLERANCE, _MOST_STEPS = 1e-6, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRow:
    """One flow: its V-rate of KL near q, exact bounds and measured; with the scale of its coordinates, if any."""

    flow: Coordinates
    scale: Fraction | None
    low: Fraction
    measured: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """One flow: the largest step, the best factor, and what iterations with 3 % less and 3 % more do."""

    flow: Coordinates
    limit: tuple[Fraction, Fraction]
    everywhere: Fraction | None
    factor: tuple[Fraction, Fraction]
    below: float
    above: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Results:
    """All that the study finds."""

    identities: tuple[PolynomialIdentity, ...]
    rates: tuple[FlowRow, ...]
    affine: tuple[FlowRow, ...]
    steps: tuple[StepRow, ...]
    levels: tuple[SublevelRate, ...]
    binary: tuple[SublevelRate, ...]
    refutations: tuple[Refutation, ...]
    curves: dict[Coordinates, tuple[Array, Array]]
    paths: dict[Coordinates, Array]
    scans: dict[Coordinates, tuple[Array, Array]]


def compute(say: Callable[[str], None] = print) -> Results:
    """Everything but the report; a few seconds.

    Raises
    ------
    VerificationError
        If an identity is not proved, a false rate is not refuted, or a measured number is not the predicted one.
    """
    identities = state_identities()
    for identity in identities:
        identity.prove()
    say(f"{len(identities)} identities are proved, for every number of cells")
    rates = tuple(_measure(flow, None, _WINDOWS[flow]) for flow in NAMES)
    affine = tuple(
        _measure(flow, c, (6 / float(rate), 8 / float(rate)))
        for flow in ("eta", "theta")
        for c in (Fraction(1, 4), Fraction(1), Fraction(4))
        for rate in (c if flow == "eta" else 1 / c,)
    )
    for row in (*rates, *affine):
        if abs(row.measured / float(row.low) - 1) > 0.015:
            raise VerificationError(
                f"{row.flow}, scale {row.scale}: V-rate {row.measured:g} was measured, not {float(row.low):g}",
                inequality="V-rate",
                witness=row,
            )
    say("V-rates near q: " + ", ".join(f"{row.flow} {float(row.low):.6f}" for row in rates))
    levels = tuple(bound_sublevel_rate(TARGET, level) for level in _LEVELS)
    binary = tuple(bound_sublevel_rate(q) for q in _BINARY)
    say(f"V-rate of KL along the natural flow on the whole simplex: {show_below(levels[-1].low)}")
    steps = tuple(_try_steps(flow) for flow in NAMES)
    curves, paths = _follow()
    return Results(
        identities=identities,
        rates=rates,
        affine=affine,
        steps=steps,
        levels=levels,
        binary=binary,
        refutations=_refute(levels[-1]),
        curves=curves,
        paths=paths,
        scans={flow: _scan(flow) for flow in NAMES},
    )


def _measure(flow: Coordinates, scale: Fraction | None, window: tuple[float, float]) -> FlowRow:
    """The slope of log KL in a window of time, and its limit."""
    model = KLNaturalGradient(TARGET, flow=flow, scale=scale)
    times = np.linspace(*window, 21)
    losses = model.simulate(model.from_probabilities([float(v) for v in START]), times).loss
    rate = model.local_rate()
    if rate.exact is None:
        raise VerificationError(f"{flow}: the local rate has no exact bound", inequality="local rate", witness=rate)
    return FlowRow(flow=flow, scale=scale, low=2 * rate.exact, measured=-float(np.polyfit(times, np.log(losses), 1)[0]))


def _try_steps(flow: Coordinates) -> StepRow:
    """What 1500 steps of 3 % less and 3 % more than the limit leave of a small distance."""
    model = KLNaturalGradient(TARGET, flow=flow)
    limit = model.step_limit()
    rest = model.from_probabilities([float(v) for v in model.q])
    start = rest + 1e-3 * np.array([1.0, -1.0])
    left = []
    for factor in (0.97, 1.03):
        ends = model.iterate(start, factor * float(limit.local[0]), 1500)
        gone = np.linalg.norm(ends - rest, axis=1) / np.linalg.norm(start - rest)
        left.append(float(gone[-1]) if np.isfinite(gone[-1]) else float("inf"))
    if not left[0] < 1e-6 or not left[1] > 1:
        raise VerificationError(
            f"{flow}: steps of 3 % less and 3 % more leave {left} of the distance",
            inequality="step limit",
            witness=left,
        )
    return StepRow(
        flow=flow, limit=limit.local, everywhere=limit.everywhere, factor=limit.factor, below=left[0], above=left[1]
    )


def _refute(least: SublevelRate) -> tuple[Refutation, ...]:
    found = [refute_rate(TARGET, 2), refute_rate(TARGET, 2, at=("0.45", "0.27", "0.28"))]
    found += [refute_rate(TARGET, least.high + Fraction(1, 10**6)), *(refute_rate(q, 2) for q in _BINARY[1:])]
    found.append(refute_rate(_BINARY[-1], "1.0875"))
    kept = tuple(r for r in found if r is not None)
    if len(kept) != len(found):
        raise VerificationError("a V-rate that is too large was not refuted", inequality="V-rate", witness=kept)
    return kept


def _follow() -> tuple[dict[Coordinates, tuple[Array, Array]], dict[Coordinates, Array]]:
    """KL against time, and the paths in the simplex, from the common start."""
    curves: dict[Coordinates, tuple[Array, Array]] = {}
    paths: dict[Coordinates, Array] = {}
    for flow, end in _ENDS.items():
        model = KLNaturalGradient(TARGET, flow=flow)
        run = model.simulate(model.from_probabilities([float(v) for v in START]), np.linspace(0, end, 400))
        curves[flow] = run.t, run.loss
        paths[flow] = np.array([model.to_probabilities(x) for x in run.x])
    return curves, paths


def _scan(flow: Coordinates) -> tuple[Array, Array]:
    """Steps until the state is within the tolerance of q, from the common start; not a number for never."""
    model = KLNaturalGradient(TARGET, flow=flow)
    limit = float(model.step_limit().local[0])
    sizes = limit * np.concatenate([np.geomspace(0.02, 0.5, 16), np.linspace(0.53, 1.05, 27)])
    start = model.from_probabilities([float(v) for v in START])
    counts = [model.count_steps(start, h, tolerance=_TOLERANCE, most=_MOST_STEPS) for h in sizes]
    return sizes, np.array([np.nan if c is None else float(c) for c in counts])


def draw_decay(results: Results) -> Callable[[Canvas], None]:
    """Log KL against time with lines of the predicted V-rates."""

    def draw(figure: Canvas) -> None:
        axes = figure.subplots(1, 3)
        for ax, row in zip(axes, results.rates, strict=True):
            t, kl = results.curves[row.flow]
            ax.semilogy(t, kl, color=_COLORS[row.flow], label="KL, seen")
            anchor = len(t) // 2
            line = kl[anchor] * np.exp(-float(row.low) * (t - t[anchor]))
            ax.semilogy(t, line, "k--", lw=0.9, label=f"V-rate {float(row.low):.4g}")
            if row.flow == "natural":
                ax.semilogy(
                    t, kl[0] * np.exp(-float(results.levels[-1].low) * t), ":", color="#b42318", label="bound for all p"
                )
            ax.set(title=NAMES[row.flow], xlabel="t", ylim=(max(kl.min(), 1e-13) / 3, kl[0] * 5))
            ax.legend(fontsize=7)
        axes[0].set_ylabel("KL(q||p)")

    return draw


def draw_paths(results: Results) -> Callable[[Canvas], None]:
    """The simplex with contours of KL, the three paths, and where the ratio of chi^2 and KL is least."""

    def draw(figure: Canvas) -> None:
        figure.set_size_inches(6.2, 4.4)
        ax = figure.subplots()
        q = np.array([float(v) for v in TARGET])
        a, b = np.meshgrid(*[np.linspace(0.002, 0.998, 240)] * 2)
        p = np.stack([a, b, np.where(a + b < 0.999, 1 - a - b, np.nan)])
        kl = np.sum(q[:, None, None] * np.log(q[:, None, None] / p), axis=0)
        plane = ax.contour(
            a + b / 2,
            b * np.sqrt(3) / 2,
            kl,
            levels=[0.005, 0.02, 0.05, 0.1, 0.2, 0.4],
            colors="#8a94a3",
            linewidths=0.9,
        )
        ax.clabel(plane, fontsize=6)
        ax.plot([0, 1, 0.5, 0], [0, 0, np.sqrt(3) / 2, 0], color="#1c2430", lw=1)
        for flow, path in results.paths.items():
            ax.plot(*_place(path), color=_COLORS[flow], label=NAMES[flow])
        ax.plot(*_place(q[None]), "k*", label="q")
        ax.plot(*_place(results.paths["natural"][:1]), "ko", ms=4, label="start")
        witness = results.levels[-1].witness
        if witness is not None:
            ax.plot(*_place(np.array([[float(v) for v in witness]])), "x", color="#b42318", label="least chi²/KL")
        ax.set_aspect("equal")
        ax.set_axis_off()
        ax.legend(fontsize=7, loc="upper right")

    return draw


def _place(p: Array) -> tuple[Array, Array]:
    return p[:, 0] + p[:, 1] / 2, p[:, 1] * np.sqrt(3) / 2


def draw_steps(results: Results) -> Callable[[Canvas], None]:
    """Steps to the tolerance against the step size, with the limits."""

    def draw(figure: Canvas) -> None:
        ax = figure.subplots()
        for row in results.steps:
            sizes, counts = results.scans[row.flow]
            ax.loglog(sizes, np.maximum(counts, 1), ".-", ms=3, lw=0.9, color=_COLORS[row.flow], label=NAMES[row.flow])
            ax.axvline(float(row.limit[0]), ls="--", lw=0.8, color=_COLORS[row.flow])
        ax.set(xlabel="step h (dashed: its limit)", ylabel=f"steps until |x - x_q| ≤ {_TOLERANCE:g}")
        ax.legend(fontsize=7)

    return draw


def _draw_levels(results: Results) -> Callable[[Canvas], None]:
    def draw(figure: Canvas) -> None:
        ax = figure.subplots()
        levels = np.geomspace(1e-4, 1.0, 25)
        for q, color in ((TARGET, "#1b7f4b"), (("0.9", "0.1"), "#1f5fbf"), (("0.99", "0.01"), "#b42318")):
            low = [float(bound_sublevel_rate(q, Fraction(c), digits=5).low) for c in levels]
            ax.semilogx(levels, low, color=color, label=f"q = ({', '.join(q)})")
        ax.axhline(1, ls=":", color="#1c2430", lw=0.9)
        ax.axhline(2, ls=":", color="#1c2430", lw=0.9)
        ax.set(xlabel="KL at the start, c", ylabel="V-rate r(c)", ylim=(0.95, 2.05))
        ax.legend(fontsize=7)

    return draw


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
        (", ".join(q), show_below(r.low, 7), show_above(r.high, 7))
        for q, r in zip(_BINARY, results.binary, strict=True)
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
            _draw_levels(results),
            caption="Lower bounds by ball arithmetic; dotted: 2 near q, 1 for every q.",
        ),
        Table("Two cells: the least chi²/KL", ("q", "at least", "at most"), binary),
        Table(
            "What is false",
            ("statement", "witness", "decided"),
            [(r.statement, r.witness, "exact χ², KL by balls") for r in results.refutations],
        ),
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
        Table(
            "Identities, shown as equalities of polynomials",
            ("name", "what it says"),
            [(i.name, i.statement) for i in results.identities],
        ),
        title="Natural gradient for KL",
    )


def run(folder: Path, say: Callable[[str], None] = print) -> Path:
    """The whole study: compute, check, and write the report; returns its path."""
    report = write(compute(say), Path(folder))
    say(f"report: {report}")
    return report
