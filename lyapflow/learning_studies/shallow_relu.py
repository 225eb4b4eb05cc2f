"""Shallow ReLU networks on orthogonal inputs: what is proved, what is false, and when each phase of training ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..exact.rationals import show_above, show_below
from ..learning import ShallowReLU
from ..learning import relu_evidence as proofs
from ..learning import relu_limits as limits
from ..learning import relu_refutations as refutations
from ..learning.evidence import Refutation, Verdict
from ..report import Evidence, Figure, Note, Table, write_report
from . import shallow_relu_figures as figures
from . import shallow_relu_numbers as numbers

__all__ = ["bound_end_rates", "prove_networks", "refute_all", "run"]

TASKS: tuple[Callable[[ShallowReLU], Verdict], ...] = (
    proofs.prove_switches,
    proofs.prove_signs,
    proofs.prove_decay,
    proofs.prove_saddle,
    proofs.prove_least_norm,
)


def prove_networks() -> tuple[Verdict, ...]:
    """Activations, signs, decay, saddles and least norms for the data of the study, in exact arithmetic."""
    return tuple(task(network) for task in TASKS for network in (numbers.TOY, numbers.SIX))


def refute_all() -> tuple[Refutation, ...]:
    """Everything that the study finds false, each with its witness."""
    return (
        refutations.refute_saddle_stability(numbers.PAIR),
        refutations.refute_saddle_stability(numbers.TOY),
        refutations.refute_fixed_rate(numbers.PAIR, "1/10", 10),
        refutations.refute_fixed_rate(numbers.TOY, "1/100", 1000),
        refutations.refute_every_balanced_start(numbers.TOY),
    )


def bound_end_rates() -> list[tuple[object, ...]]:
    """Network, sign of the labels, and bounds of the V-rates of the loss at the end."""
    names = {"the toy": numbers.TOY, "norms 1, 1.4, 1, 0.8": numbers.BLOCKS, "five points": numbers.SIX}
    return [
        (name, f"{sign:+d}", show_below(low, 9), show_above(high, 9))
        for name, network in names.items()
        for sign in (1, -1)
        for low, high, count in limits.bound_rates(network.data, sign)
        for _ in range(count)
    ]


def run(folder: Path, say: Callable[[str], None] = print) -> Path:
    """Derive, simulate, and write the report; returns its path."""
    say("deriving, simulating and writing")
    runs, descent, pair, end = numbers.run_scales(), numbers.run_descent(), numbers.follow_pair(), numbers.run_end()
    small = runs[1e-6]
    return write_report(
        Path(folder) / "shallow_relu.html",
        Note(
            "The question",
            "A network h(x) = a_1 max(w_1 . x, 0) + ... + a_m max(w_m . x, 0) is fitted to n points by gradient "
            "descent in continuous time, from small weights. How long does it wait, in what order does it learn, "
            "and which of the many networks that fit does it find?\n\nAfter Boursier, Pillaud-Vivien, Flammarion, "
            "Gradient flow dynamics of shallow ReLU networks for square loss and orthogonal inputs, arXiv 2206.00939. "
            "V = sum_k (y_k - h(x_k))^2/(2n); a_j' = w_j . D_j, w_j' = a_j D_j, with D_j = sum (y_k - h(x_k)) x_k/n "
            "over the inputs that neuron j sees. The inputs are orthogonal, and w_j . x_k = 0 counts as not seen. "
            "V-rate: decay rate of the loss; it is twice that of the state.",
        ),
        Note(
            "Where this differs from the paper",
            "The authors' program descends the mean squared error, which is twice the loss here: one of its steps of "
            "size 0.001 is 0.002 of this time. A small balanced start alone need not converge: the paper assumes a "
            "neuron of either sign that sees all inputs of that sign. Without any of one sign the loss never falls "
            "below that of the saddle; see what is false.",
        ),
        Figure(
            "The loss falls in two steps",
            lambda canvas: figures.draw_steps(canvas, runs, descent),
            kind="seen in simulation",
            caption="The paper's toy data, 60 neurons, time in units of ln(1/lambda). Dashed: 1/|D_+| and 1/|D_-|, "
            "where the positive and the negative label are learnt as lambda vanishes. Dotted: the loss of the first "
            "saddle. Crosses: the authors' iteration, gradient descent with step 0.001.",
        ),
        Figure(
            "The function and its neurons",
            lambda canvas: figures.draw_function(canvas, small),
            kind="seen in simulation",
            caption="The paper's picture: the function that is learnt, and each neuron at its kink with "
            "its signed norm. lambda = 1e-6.",
        ),
        Figure(
            "The map of neurons",
            lambda canvas: figures.draw_neurons(canvas, small),
            kind="seen in simulation",
            caption="Direction and size of each weight. Dashed: D_+ and D_-. First they turn, while all are small; "
            "then one bundle grows, then the other.",
        ),
        Table(
            "When each label is fitted to one half",
            ("lambda", "t_+", "t_-", "slope of t_+", "slope of t_-", "loss halfway between"),
            numbers.tabulate_times(runs),
            kinds=("", *("seen in simulation",) * 5),
        ),
        Figure(
            "One neuron for each label",
            lambda canvas: figures.draw_pair(canvas, pair),
            kind="seen in simulation",
            caption="Lines: integrated. Dots: the logistic curve from the effective seed, without any fit.",
        ),
        Table(
            "The same times in closed form",
            ("lambda", "label", "time to one half, closed form", "simulated"),
            numbers.tabulate_pair(),
            kinds=("", "", "", "seen in simulation"),
        ),
        Evidence(
            "For every network and all data",
            proofs.prove_identities,
            text="Any inputs, outputs and activations: X, S, w and a are letters for matrices of any size.",
        ),
        Evidence("For given orthogonal data", prove_networks),
        Evidence("What is false", refute_all),
        Table(
            "V-rates at the interpolator of least norm",
            ("network", "labels", "at least", "at most"),
            bound_end_rates(),
        ),
        Evidence("Local rate", numbers.measure_end),
        Figure(
            "The end",
            lambda canvas: figures.draw_end(canvas, end),
            kind="seen in simulation",
            caption="On orthonormal inputs the loss first decays along the ray of the bundle, with 4|y_-|/n, until "
            "modes of half that rate surface.",
        ),
        Table(
            "As the scale vanishes: five points in six dimensions",
            ("lambda", "loss at the saddle", "|theta|^2/2 at the end", "s_1", "s_2", "s_3", "s_4"),
            numbers.tabulate_ends(),
            kinds=("", *("seen in simulation",) * 6),
        ),
        title="Shallow ReLU networks on orthogonal inputs",
    )
