"""The numbers of the study of the neural feature ansatz: computed, and checked against what is predicted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import VerificationError
from ..exact.identities import Identity
from ..learning.evidence import Invariant, Refutation
from ..learning.feature_identities import prove_feature_identities
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

__all__ = [
    "ALPHAS",
    "DEPTHS",
    "BalancedRow",
    "DecayRow",
    "ReluRow",
    "Results",
    "compute",
    "make_flow",
    "prove_laws",
    "refute_ansatz",
]

DEPTHS = (2, 3, 4, 5)
DECAYS = (0.0, 0.01, 0.02, 0.05)
ALPHAS = (1 / 8, 1 / 5, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1.0)
_THIRD = 3**-0.5


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
    return Results(laws=laws, balanced=balanced, decays=decays, relu=relu, refutations=refute_ansatz())


def prove_laws() -> tuple[Identity, ...]:
    """The law of the imbalance and the power of the features, for each depth; all widths, data and losses."""
    return tuple(identity for depth in DEPTHS for identity in prove_feature_identities(depth))


def refute_ansatz() -> tuple[Refutation, ...]:
    """Where the ansatz is false, and what it does not need, each with an exact witness.

    Raises
    ------
    VerificationError
        If a false statement is not refuted.
    """
    found = (
        refute_linear_exponent(3),
        refute_linear_exponent(4),
        refute_relu(),
        refute_unbalanced(),
        refute_need_of_balance(),
    )
    kept = tuple(r for r in found if r is not None)
    if len(kept) != len(found):
        raise VerificationError("a false statement was not refuted", inequality="ansatz", witness=kept)
    return kept


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
