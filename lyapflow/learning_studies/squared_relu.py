"""Homogeneous networks beyond the origin: when small weights escape and where they go, proved, seen, or false."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..learning import SquaredReLU
from ..learning import squared_evidence as proofs
from ..learning import squared_refutations as refutations
from ..learning.evidence import Refutation, Verdict
from ..report import Evidence, Figure, Note, Table, write_report
from . import squared_relu_figures as figures
from . import squared_relu_numbers as numbers

__all__ = ["prove_network", "refute_all", "run"]

TASKS: tuple[Callable[[SquaredReLU], Verdict], ...] = (
    proofs.prove_descent,
    proofs.prove_sparsity,
    proofs.prove_origin,
    proofs.prove_escape_law,
)


def prove_network() -> tuple[Verdict, ...]:
    """Descent, sparsity, the origin, the law of the escape, rays and saddles of the network of the study, exactly."""
    network = numbers.MANY
    return (*(task(network) for task in TASKS), *proofs.prove_rays(network), *proofs.prove_saddles(network))


def refute_all() -> tuple[Refutation, ...]:
    """Everything that the study finds false, each with its witness."""
    return (
        refutations.refute_logarithmic_escape(numbers.MANY, 1000, 1000),
        refutations.refute_first_plateau(
            numbers.CLOSE, ("0.0012", "0.001", "0.001", "-0.0004"), times=(508, 510, 511), level="0.181"
        ),
        refutations.refute_origin_minimum(numbers.MANY),
        refutations.refute_strict_saddles(numbers.MANY),
    )


def run(folder: Path, say: Callable[[str], None] = print) -> Path:
    """Derive, simulate, and write the report; returns its path."""
    say("deriving, simulating and writing")
    ray_runs, many, close = numbers.run_rays(), numbers.run_many(), numbers.run_close()
    return write_report(
        Path(folder) / "homogeneous.html",
        Note(
            "The question",
            "A network that is homogeneous in its weights, of degree L = 3, is fitted by gradient descent in "
            "continuous "
            "time from small weights. When does it leave the origin, along which path, where does it stop first, and "
            "which weights stay small until then?\n\nAfter Kumar, Haupt, Towards understanding gradient flow dynamics "
            "of "
            "homogeneous neural networks beyond the origin, arXiv 2502.15952. The test system is H(x) = sum_j v_j "
            "max(w_j . x, 0)^2 on orthonormal inputs, V = sum_i (y_i - H(x_i))^2/2; labels (1, 0.2, -0.6) unless said "
            "otherwise. N = sum_i y_i H(x_i) is the neural correlation; on its rays, grad N = 3 N* theta.",
        ),
        Note(
            "Where this differs from the paper",
            "The paper's first saddle is that of the limit of vanishing weights. How small they must be is another "
            "question. Directions contract like delta^(1 - y_k/y_1), so for labels 1 and 0.8 the start must be smaller "
            "by many orders before the saddle of the label 1 alone is seen. From the norm 0.0019 it is not: both "
            "labels "
            "are learnt together, without a wait between; this is proved below, by enclosing the solution. A start on "
            "the ray to 1e-12 does wait there, as the paper says.",
        ),
        Figure(
            "The loss along the ray, in units of the escape time",
            lambda canvas: figures.draw_losses(canvas, ray_runs),
            kind="seen in simulation",
            caption="delta: norm of the start. Triangles: T_delta = 1/(3 N* delta), where the loss falls. Dotted: the "
            "loss of "
            "the first saddle, half the squares of the other labels.",
        ),
        Figure(
            "The limit path",
            lambda canvas: figures.draw_collapse(canvas, ray_runs),
            kind="seen in simulation",
            caption="All starts on one curve in t - T_delta: p(t), known in closed form (dots).",
        ),
        Table(
            "Times on the ray of the label 1",
            ("delta", "T_delta", "half of the label after it, simulated", "closed form"),
            numbers.tabulate_rays(),
            kinds=("", "", "seen in simulation", ""),
        ),
        Figure(
            "Eight neurons from a random start",
            lambda canvas: figures.draw_staircase(canvas, many),
            kind="seen in simulation",
            caption="Norm of the start 1e-3. Each step of the loss is one neuron that grows; dotted: losses of "
            "saddles.",
        ),
        Figure(
            "Sparsity is kept",
            lambda canvas: figures.draw_neurons(canvas, many),
            kind="seen in simulation",
            caption="Norms of the eight neurons. What is small when the origin is left is small at the first saddle, "
            "and "
            "one neuron for each label is large at the end. Scales differ.",
        ),
        Table(
            "The neurons",
            ("neuron", "norm at the start", "norm at the end", "label that it has learnt"),
            numbers.tabulate_neurons(many),
            kinds=("", "", "seen in simulation", "seen in simulation"),
        ),
        Evidence("Conservation, for every network", proofs.prove_balance),
        Evidence("Descent, sparsity, escape, rays and saddles", prove_network),
        Evidence("What is false", refute_all),
        Figure(
            "Two labels that are close",
            lambda canvas: figures.draw_close(canvas, close),
            kind="seen in simulation",
            caption="Labels 1, 0.8, -0.6. A generic start of norm 0.0019 passes the saddle of the label 1 without a "
            "wait; "
            "from the ray the flow waits there.",
        ),
        Table(
            "Directions, and the second plateau",
            (
                "norm of the start",
                "(w_2/w_1)/delta^0.8 at norm 1/2",
                "growth rate of w_2",
                "length of the plateau at 0.2",
            ),
            numbers.tabulate_directions(),
            kinds=("", *("seen in simulation",) * 3),
        ),
        Evidence(
            "The escape is a power law",
            numbers.measure_escape,
            text="Generic direction, one neuron. That the exponent is -1 is proved above, from both sides.",
        ),
        Table(
            "Degree 2: two linear layers",
            ("norm of the start", "T_delta = ln(1/delta)/|X'y|", "time to norm 0.3"),
            numbers.tabulate_linear(),
            kinds=("", "", "seen in simulation"),
        ),
        title="Homogeneous networks beyond the origin",
    )
