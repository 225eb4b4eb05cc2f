"""Which power of the AGOP is W1'W1 in a trained network? After Tansley, Massart and Cartis, arXiv 2510.15563."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import VerificationError
from ..learning.evidence import Invariant, Refutation
from ..learning.neural_feature import NeuralFeatureFlow
from ..learning.relu_features import (
    interpolate,
    refute_linear_exponent,
    refute_need_of_balance,
    refute_relu,
    refute_unbalanced,
    train_relu,
)
from ..learning.spectrum import Array
from ..report import Figure, Note, Table, write_report

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

__all__ = [
    "BalancedRow",
    "DecayRow",
    "ReluRow",
    "Results",
    "compute",
    "draw_decay",
    "draw_exponents",
    "make_flow",
    "run",
    "write",
]

DEPTHS = (2, 3, 4, 5)
DECAYS = (0.0, 0.01, 0.02, 0.05)
ALPHAS = (1 / 8, 1 / 5, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1.0)
_THIRD = 3**-0.5
_COLORS = ("#b42318", "#8a94a3", "#1f5fbf", "#1b7f4b")


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancedRow:
    """A balanced network after training: misfits with and without the root, fitted exponent, cosines."""

    depth: int
    misfit: float
    power_misfit: float
    exponent: float
    cosines: tuple[float, ...]

    def cosine(self, alpha: float) -> float:
        """The cosine for one of the exponents."""
        return self.cosines[ALPHAS.index(alpha)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecayRow:
    """An unbalanced network with three layers: rates of the imbalance and of the misfit, and the cosine over time."""

    decay: float
    imbalance_rate: float
    misfit_rate: float | None
    t: Array
    lack: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class ReluRow:
    """A ReLU network: its largest error, two eigenvalues of W'W and of the AGOP, the cosine at 1/2 and its limit."""

    name: str
    error: float
    features: tuple[float, float]
    gradients: tuple[float, float]
    cosine: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Results:
    """All that the study finds."""

    laws: tuple[Invariant, ...]
    balanced: tuple[BalancedRow, ...]
    decays: tuple[DecayRow, ...]
    relu: tuple[ReluRow, ...]
    refutations: tuple[Refutation, ...]


def make_flow(depth: int, decay: float = 0.0) -> NeuralFeatureFlow:
    """Random regression data of the study: 5 inputs, 3 outputs, 40 samples, hidden layers of width 4."""
    draw = np.random.default_rng(3)
    inputs = draw.normal(size=(5, 40))
    targets = draw.normal(size=(3, 5)) @ inputs + 0.1 * draw.normal(size=(3, 40))
    return NeuralFeatureFlow(inputs, targets, [4] * (depth - 1), decay=decay)


def compute(say: Callable[[str], None] = print) -> Results:
    """Everything but the report; some seconds.

    Raises
    ------
    VerificationError
        If an identity is not proved, a false statement is not refuted, or a measured number is not the predicted one.
    """
    laws = tuple(make_flow(depth).prove_balance() for depth in DEPTHS)
    say(
        f"depths {', '.join(map(str, DEPTHS))}: G' = -2 lambda G and (W1'W1)^L = J'J are proved, for all widths and "
        "losses"
    )
    balanced = tuple(_train_balanced(depth) for depth in DEPTHS)
    for row in balanced:
        best = ALPHAS[int(np.argmax(row.cosines))]
        if max(abs(best - 1 / row.depth), abs(row.exponent - 1 / row.depth)) > 1e-6 or row.power_misfit > 1e-8:
            raise VerificationError(
                f"depth {row.depth}: the best exponent is {best:g}, the misfit {row.power_misfit:.1g}",
                inequality="exponent 1/L",
                witness=row,
            )
    say("balanced: the best exponent is 1/L at every depth")
    decays = tuple(_train_with_decay(decay) for decay in DECAYS)
    for line in decays:
        rate = line.misfit_rate
        if abs(line.imbalance_rate - 2 * line.decay) > 1e-6 or (rate and abs(rate / (2 * line.decay) - 1) > 0.1):
            raise VerificationError(
                f"decay {line.decay:g}: rates {line.imbalance_rate:g} and {rate}",
                inequality="rate 2 lambda",
                witness=line,
            )
    say("rates of the imbalance: " + ", ".join(f"{line.imbalance_rate:.6f}" for line in decays))
    relu = tuple(_train_relu(name, y) for name, y in _RELU)
    say("ReLU: cosines at 1/2 " + ", ".join(f"{row.cosine:.4f}" for row in relu))
    found = (
        refute_linear_exponent(3),
        refute_linear_exponent(4),
        refute_relu(),
        refute_unbalanced(),
        refute_need_of_balance(),
    )
    refutations = tuple(r for r in found if r is not None)
    if len(refutations) != len(found):
        raise VerificationError("a false statement was not refuted", inequality="ansatz", witness=refutations)
    return Results(laws=laws, balanced=balanced, decays=decays, relu=relu, refutations=refutations)


_RELU = (
    ("three labels above zero, one below", (_THIRD, _THIRD, _THIRD, -1.0)),
    ("two above, two below", (0.6, 0.8, -5 / 13, -12 / 13)),
)


def _train_balanced(depth: int) -> BalancedRow:
    flow = make_flow(depth)
    x = flow.simulate(flow.balanced_start(depth), [30.0]).x[-1]
    return BalancedRow(
        depth=depth,
        misfit=flow.misfit(x),
        power_misfit=flow.power_misfit(x),
        exponent=flow.fit_exponent(x).exponent,
        cosines=tuple(flow.alignment(x, alpha) for alpha in ALPHAS),
    )


def _train_with_decay(decay: float) -> DecayRow:
    flow = make_flow(3, decay)
    run = flow.simulate(flow.random_start(1, scale=0.6), np.linspace(0, 120, 121))
    imbalance, misfit = (np.array([f(x) for x in run.x]) for f in (flow.imbalance, flow.misfit))
    late = run.t >= 60
    return DecayRow(
        decay=decay,
        imbalance_rate=-float(np.polyfit(run.t, np.log(imbalance), 1)[0]),
        misfit_rate=-float(np.polyfit(run.t[late], np.log(misfit[late]), 1)[0]) if decay else None,
        t=run.t,
        lack=1 - np.array([flow.alignment(x, 1 / 3) for x in run.x]),
    )


def _train_relu(name: str, y: tuple[float, ...]) -> ReluRow:
    net = train_relu(y)
    features, gradients = (np.linalg.eigvalsh(m)[::-1] for m in (net.feature_matrix, net.agop))
    return ReluRow(
        name=name,
        error=float(np.abs(net.predict() - y).max()),
        features=(float(features[0]), float(features[1])),
        gradients=(float(gradients[0]), float(gradients[1])),
        cosine=net.alignment(0.5),
        limit=interpolate(y).alignment(0.5),
    )


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
        Table(
            "Shown in exact arithmetic, for all widths, data and losses",
            ("depth", "identity"),
            [(depth, law.statement) for depth, law in zip(DEPTHS, results.laws, strict=True)],
        ),
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
        Table(
            "What is false",
            ("statement", "witness", "decided"),
            [(r.statement, r.witness, "exact arithmetic") for r in results.refutations],
        ),
        title="The neural feature ansatz",
    )


def run(folder: Path, say: Callable[[str], None] = print) -> Path:
    """The whole study: compute, check, and write the report; returns its path."""
    report = write(compute(say), Path(folder))
    say(f"report: {report}")
    return report
