"""The emergence of sparse attention: what is proved, what is false, and how long the plateau lasts."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np

from ..errors import VerificationError
from ..learning import SparseAttention
from ..learning import attention_evidence as proofs
from ..learning import attention_refutations as refutations
from ..learning.attention_scores import AttentionScores
from ..learning.attention_times import fit_plateaus, logarithmic_time, plateau_time, scores_plateau_time
from ..learning.evidence import Refutation, ScalingLaw, Verdict, fit_power
from ..report import Evidence, Figure, Note, Table, write_report
from . import sparse_attention_figures as figures

__all__ = [
    "LONG",
    "PAPER",
    "PROBABILITIES",
    "SMALL",
    "WITH_PLATEAU",
    "compare_fits",
    "measure_laws",
    "prove_all",
    "refute_all",
    "run",
    "tabulate_early",
    "tabulate_late",
    "tabulate_plateaus",
    "tabulate_probabilities",
    "tabulate_repetition",
]

PAPER = SparseAttention(512, 64, projection="paper")
SMALL = SparseAttention(256, 16, repetition=4)
PROBABILITIES = ("0", "0.1", "0.3", "0.5", "0.8")
_SIZES = ((256, 64), (512, 64), (1024, 64), (4096, 64), (16384, 64), (65536, 64), (4096, 1024), (16384, 1024))
_GRID = tuple(product((256, 512, 1024, 2048, 4096), (16, 64, 256, 1024), (1, 2, 4, 8, 16, 32)))
WITH_PLATEAU = tuple((T, d, B) for T, d, B in _GRID if 128 * B <= T and 4 * d <= T)
LONG = tuple((T, d, B) for T, d, B in _GRID if T == 4096)
"""Sizes (T, d, B) over which plateaus are fitted."""
_HUGE = 10**40
"""Tokens for which the laws are exact to the accuracy of the integration."""


def prove_all() -> tuple[Verdict, ...]:
    """The projection, descent, the start, plateaus, and that there is no equilibrium."""
    return (
        proofs.prove_projection(),
        proofs.prove_descent(PAPER),
        proofs.prove_descent(SMALL),
        proofs.prove_start(PAPER),
        proofs.prove_start(SparseAttention(4096, 256, probability="0.3")),
        proofs.prove_no_equilibrium(),
        proofs.prove_plateau(PAPER),
        proofs.prove_plateau(SMALL),
    )


def refute_all() -> tuple[Refutation, ...]:
    """Everything that the study finds false, each with its witness."""
    return (
        *refutations.refute_logarithm(),
        refutations.refute_paper_projection(),
        refutations.refute_inverse_repetition(),
        refutations.refute_exponential_end(PAPER),
        refutations.refute_minimiser(PAPER),
        refutations.refute_conserved(),
    )


def measure_laws() -> tuple[ScalingLaw, ...]:
    """Exponents of the plateau where its law is reached, for numbers of tokens that no data have; and of the end.

    Raises
    ------
    VerificationError
        If an exponent is off by more than a millionth, a thousandth for that of the end.
    """
    d = 10**24
    tokens, dims, repeats = [_HUGE * 10**k for k in range(6)], [d * 10**k for k in range(6)], [4**k for k in range(6)]
    probabilities = [Fraction(k, 10) for k in range(10)]
    drives = [float(p**2 * d + 1 - p**2) for p in probabilities]
    half, whole = Fraction(1, 2), Fraction(1)

    def fit(x: list[float], models: list[SparseAttention], name: str, predicted: Fraction) -> ScalingLaw:
        return fit_power(x, [plateau_time(m) for m in models], name=f"plateau against {name}", predicted=predicted)

    laws = [
        fit([float(T) for T in tokens], [SparseAttention(T, d) for T in tokens], "T", whole),
        fit([float(n) for n in dims], [SparseAttention(_HUGE, n) for n in dims], "d", half),
        fit(
            [float(B) for B in repeats],
            [SparseAttention(_HUGE, d, repetition=B) for B in repeats],
            "B, flow on the scores",
            -half,
        ),
        fit(
            [float(B) for B in repeats],
            [SparseAttention(_HUGE, d, repetition=B, projection="paper") for B in repeats],
            "B, reduced system of the paper",
            -whole,
        ),
    ]
    times = [plateau_time(SparseAttention(_HUGE, d, probability=p), 1e-20, of="attention") for p in probabilities]
    laws.append(fit_power(drives, times, name="time to attention 1e-20 against p^2 d + 1 - p^2", predicted=-half))
    late = np.geomspace(1e12, 1e14, 9)
    losses = SparseAttention(64, 16).simulate([0, 0], late, method="Radau", rtol=1e-10).loss
    laws.append(fit_power(late, losses, name="loss in the end against time", predicted=-whole))
    for law, width in zip(laws, (1e-6,) * 5 + (1e-3,), strict=True):
        if abs(law.exponent - float(law.predicted)) > width:
            raise VerificationError(f"{law.name}: {law.exponent:g}", inequality="scaling law", witness=law)
    return tuple(laws)


def compare_fits() -> list[tuple[object, ...]]:
    """Fits over the sizes of the paper's experiments: constant, and exponents of d, T and B."""
    rows: list[tuple[object, ...]] = [
        ("the paper's fit, its reduced system", 1.51, 0.49, 0.99, -0.99),
    ]
    for name, chosen, projection in (
        ("reduced system, where a plateau is seen (128 B and 4 d up to T)", WITH_PLATEAU, "paper"),
        ("reduced system, all of T 256..4096, d 16..1024, B 1..32", _GRID, "paper"),
        ("flow on the scores, the same with a plateau", WITH_PLATEAU, "exact"),
        ("reduced system, T = 4096", LONG, "paper"),
        ("flow on the scores, T = 4096", LONG, "exact"),
    ):
        models = [SparseAttention(T, d, repetition=B, projection=projection) for T, d, B in chosen]  # type: ignore[arg-type]
        constant, by_d, by_T, by_B = fit_plateaus(models)
        rows.append((name, constant, by_d, by_T if len({m.T for m in models}) > 1 else "fixed", by_B))
    return [*rows, ("theory, T large, scores", float(np.sqrt(np.pi / 2)), 0.5, 1.0, -0.5)]


def tabulate_plateaus() -> list[tuple[object, ...]]:
    """T, d, plateau of the reduced system, that over sqrt(d) T, T*, the paper's fit, and eq. (6) twice."""
    rows: list[tuple[object, ...]] = []
    for T, d in _SIZES:
        model = SparseAttention(T, d, projection="paper")
        time = plateau_time(model)
        fitted = 1.51 * T**0.99 * d**0.49
        formulas = [logarithmic_time(model, 0.8, factor=k) for k in (1, 2)]
        rows.append((T, d, time, time / (T * d**0.5), model.emergence_time, fitted, *formulas))
    return rows


def tabulate_repetition() -> list[tuple[object, ...]]:
    """T = 256, d = 16: B, the flow on all scores and W, its exact projection, the paper's reduced system, and T*."""
    rows: list[tuple[object, ...]] = []
    for B in (1, 2, 4, 8, 16):
        flow = AttentionScores(256, 16, repetition=B)
        paper = SparseAttention(256, 16, repetition=B, projection="paper")
        exact = flow.reduction
        rows.append((B, scores_plateau_time(flow), plateau_time(exact), plateau_time(paper), exact.emergence_time))
    return rows


def tabulate_probabilities() -> list[tuple[object, ...]]:
    """T = 4096, d = 256: p, the time to an attention of 0.05, T*, and the plateau of the test loss."""
    rows: list[tuple[object, ...]] = []
    for p in PROBABILITIES:
        model = SparseAttention(4096, 256, probability=p, projection="paper")
        rows.append((p, plateau_time(model, 0.05, of="attention"), model.emergence_time, plateau_time(model)))
    return rows


def tabulate_early() -> list[tuple[object, ...]]:
    """T = 65536, d = 4096: time over T*, w from simulation, and in closed form."""
    model = SparseAttention(65536, 4096, projection="paper")
    shares = np.array([0.2, 0.5, 0.8, 0.95])
    times = shares * model.emergence_time
    seen, known = model.simulate([0, 0], times, method="DOP853", rtol=1e-11).x[:, 0], model.solve_early(times)[:, 0]
    return [tuple(map(float, row)) for row in zip(shares, seen, known, strict=True)]


def tabulate_late() -> list[tuple[object, ...]]:
    """T, d, and 4 t V at t = 1e5, 1e6, 1e7, 1e8."""
    rows: list[tuple[object, ...]] = []
    for T, d in ((64, 16), (512, 64)):
        run = SparseAttention(T, d, projection="paper").simulate(
            [0, 0], [1e5, 1e6, 1e7, 1e8], method="Radau", rtol=1e-10
        )
        rows.append((T, d, *map(float, 4 * run.t * run.loss)))
    return rows


def run(folder: Path, say: Callable[[str], None] = print) -> Path:
    """Derive, simulate, and write the report; returns its path."""
    say("simulating")
    repetition, probabilities = tabulate_repetition(), tabulate_probabilities()
    say("deriving and writing")
    return write_report(
        Path(folder) / "sparse_attention.html",
        Note(
            "The question",
            "A softmax over T tokens learns to look at the last one, and a linear map to copy it. For a long time "
            "nothing "
            "seems to happen; then both are learnt almost at once. How long does that take, how do repetitions of the "
            "relevant token shorten it, and how does it end?\n\nAfter N. Zucchet, F. d'Angelo, A. Lampinen, S. "
            "Chan, The "
            "emergence of sparse attention: impact of data distribution and benefits of repetition, arXiv 2505.17863 "
            "(NeurIPS 2025). Gradient flow of the expected loss from zero; w: strength of the map, delta a: score of a "
            "relevant token over that of another one. The plateau is over when the test loss is 0.1, a fifth of "
            "that at "
            "the start.",
        ),
        Note(
            "Where this differs from the paper",
            "Eq. (6) of the paper gives sqrt(d) T/2 ln(eps sqrt(d) T) as the time to learn a share eps of the loss. "
            "At its "
            "own eps = 0.8 that is three to five times too long and has a logarithm that the plateau does not have: "
            "the "
            "formula linearises at the start, which is good for shares up to about 1/(sqrt(d) T). The early phase "
            "has a "
            "closed form, and ends at T* = sqrt(pi/2) sqrt(d) T.\n\nFor tokens that are repeated B times in the "
            "context, "
            "the paper's reduced system is the gradient flow of the loss in the plane (w, delta a); its plateau "
            "goes like "
            "1/B. The gradient flow on the scores themselves has the gain 1/B + 1/(T - B) in its place, and a "
            "plateau like "
            "1/sqrt(B). For B = 1 both agree up to a factor T/(T - 1).",
        ),
        Figure(
            "The loss stays, and falls",
            figures.draw_plateaus,
            kind="seen in simulation",
            caption="d = 64, B = 1. Ticks: T* = sqrt(pi/2) sqrt(d) T. Crosses: eq. (6) at its eps = 0.8. Right: "
            "time in "
            "units of sqrt(d) T; dashed: sqrt(pi/2).",
        ),
        Figure(
            "Repetition in the context",
            lambda canvas: figures.draw_repetition(canvas, repetition),
            kind="seen in simulation",
            caption="T = 256, d = 16. Slope -1 for the reduced system of the paper, -1/2 for the flow on all scores "
            "and W "
            "(dots: integrated in 512 dimensions; line: its exact projection).",
        ),
        Figure(
            "Repetition across samples",
            lambda canvas: figures.draw_probabilities(canvas, probabilities),
            kind="seen in simulation",
            caption="T = 4096, d = 256: with probability p the relevant token is one fixed vector. Line: sqrt(pi/2) "
            "sqrt(d) "
            "T / sqrt(p^2 d + 1 - p^2).",
        ),
        Figure(
            "Emergence and the end",
            figures.draw_emergence,
            kind="seen in simulation",
            caption="T = 512, d = 64. Left: w with its closed form in the early phase, and attention. Middle: the "
            "largest "
            "eigenvalue of the Hessian. Right: the loss in the end, 1/(4t) dashed, whatever T and d are; 1/(4 g t) "
            "with a gain g.",
        ),
        Evidence("What is proved", prove_all),
        Evidence("What is false", refute_all),
        Table(
            "The plateau, B = 1",
            ("T", "d", "plateau", "over sqrt(d) T", "T*", "the paper's fit", "eq. (6), 0.8", "with 2 in the logarithm"),
            tabulate_plateaus(),
            kinds=("", "", "seen in simulation", "seen in simulation", "", "", "", ""),
        ),
        Table(
            "The plateau, repeated in the context: T = 256, d = 16",
            (
                "B",
                "all scores and W",
                "exact projection",
                "reduced system of the paper",
                "T* = sqrt(pi/2) sqrt(d) T / sqrt(B)",
            ),
            repetition,
            kinds=("", "seen in simulation", "seen in simulation", "seen in simulation", ""),
        ),
        Table(
            "The plateau, repeated across samples: T = 4096, d = 256",
            ("p", "until attention is 0.05", "T*", "until test loss is 0.1"),
            probabilities,
            kinds=("", "seen in simulation", "", "seen in simulation"),
        ),
        Evidence(
            "Laws",
            measure_laws,
            text="Fitted where they are exact to the accuracy of the integration: T from 1e40 on, d from 1e24 on. "
            "For the "
            "sizes of experiments see the next table.",
        ),
        Table(
            "Fits of C d^x T^y B^z over the sizes of experiments",
            ("of", "C", "x", "y", "z"),
            compare_fits(),
            kinds=("", "seen in simulation", "seen in simulation", "seen in simulation", "seen in simulation"),
        ),
        Table(
            "The early phase, T = 65536, d = 4096",
            ("t/T*", "w", "closed form"),
            tabulate_early(),
            kinds=("", "seen in simulation", ""),
        ),
        Table(
            "The end: 4 t times the loss",
            ("T", "d", "t = 1e5", "1e6", "1e7", "1e8"),
            tabulate_late(),
            kinds=("", "", *("seen in simulation",) * 4),
        ),
        title="The emergence of sparse attention",
    )
