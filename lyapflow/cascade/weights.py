r"""Weights with which stages add up: :math:`V = \sum_i\omega_i V_i`.

From :math:`\dot V_i + 2\rho V_i + \eta_i|z_i|^2 \le \gamma_i|w_i|^2`, where the input of a stage is made of outputs of
others, follows :math:`\dot V + 2\rho V \le \sum_j\bigl(\sum_{j\to i}\omega_i\gamma_i - \omega_j\eta_j\bigr)|z_j|^2`, so
:math:`\omega_j\eta_j \ge \sum_{j\to i}\omega_i\gamma_i` is what is wanted. In a cascade the last weight is 1 and each
other follows; with feedback such weights exist if and only if the spectral radius of the gains, :math:`\gamma_i/\eta_j`
where j drives i, is below 1: the small-gain condition.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..errors import CompositionError, InvalidModelError
from ..exact.matrices import inverse, matrix
from ..exact.rationals import rational, round_up, show_above
from .decomposition import Cascade
from .stages import StageCertificate

__all__ = ["check_weights", "find_weights"]

_BITS = 24
"""Of a weight: few, so that the numbers of the sum stay short."""


def find_weights(cascade: Cascade, stages: Sequence[StageCertificate]) -> tuple[Fraction, ...]:
    """Weights of the stages, exact.

    Raises
    ------
    CompositionError
        If the small-gain condition fails for these gains; the message has the loop and the product of its gains.
    """
    count = len(stages)
    targets = [sorted({c.target for c in cascade.couplings if c.source == j}) for j in range(count)]
    if cascade.is_triangular:
        weights = [Fraction(1)] * count
        for j in reversed(range(count)):
            if targets[j]:
                need = sum((weights[i] * _get(stages[i].input_gain) for i in targets[j]), Fraction(0))
                weights[j] = round_up(need / _get(stages[j].output_gain), _BITS)
        return tuple(weights)
    system = [[Fraction(int(i == j)) for i in range(count)] for j in range(count)]
    for j in range(count):
        for i in targets[j]:
            system[j][i] -= _get(stages[i].input_gain) / _get(stages[j].output_gain)
    try:
        found = inverse(matrix(system))
    except InvalidModelError:  # an eigenvalue of the gains is 1
        found = ()
    sums = [sum(row, Fraction(0)) for row in found]
    if not sums or min(sums) <= 0:
        raise CompositionError(_tell_loop(cascade, stages))
    top = max(sums)
    rounded = tuple(round_up(s / top, 2 * _BITS) for s in sums)
    return rounded if not _find_excess(cascade, stages, rounded) else tuple(sums)


def check_weights(
    cascade: Cascade, stages: Sequence[StageCertificate], given: Sequence[object]
) -> tuple[Fraction, ...]:
    """The given weights, exact, if the stages add up with them.

    Raises
    ------
    CompositionError
        If they do not; the message says between which stages.
    """
    weights = tuple(rational(w, name="weight") for w in given)
    if len(weights) != len(stages) or any(w <= 0 for w in weights):
        raise CompositionError(f"weights must be {len(stages)} positive numbers, one per stage, got {list(given)}")
    excess = _find_excess(cascade, stages, weights)
    if excess:
        j, need, has = excess
        raise CompositionError(
            f"{stages[j].stage.name} gives up {show_above(has)} of |z|^2 with its weight {weights[j]}, and what it "
            f"drives needs {show_above(need)}: its weight must be at least {show_above(weights[j] * need / has)}"
        )
    return weights


def _find_excess(
    cascade: Cascade, stages: Sequence[StageCertificate], weights: Sequence[Fraction]
) -> tuple[int, Fraction, Fraction] | None:
    """The first stage that gives up less than is needed of it: its position, the need, and what it gives."""
    for j, stage in enumerate(stages):
        targets = {c.target for c in cascade.couplings if c.source == j}
        need = sum((weights[i] * _get(stages[i].input_gain) for i in targets), Fraction(0))
        has = weights[j] * (stage.output_gain or Fraction(0))
        if need > has:
            return j, need, has
    return None


def _tell_loop(cascade: Cascade, stages: Sequence[StageCertificate]) -> str:
    """The loop of stages with the largest product of gains: of two, where there are such."""
    pairs = [(c.source, c.target) for c in cascade.couplings]
    loops = [(i, j) for i, j in pairs if i < j and (j, i) in pairs]
    if not loops:
        return "the small-gain condition fails: no weights make the sum of the stages' storage functions decrease"
    product, (i, j) = max((_get(stages[i].gain) * _get(stages[j].gain), (i, j)) for i, j in loops)
    names = f"{stages[i].stage.name} -> {stages[j].stage.name} -> {stages[i].stage.name}"
    return (
        f"the small-gain condition fails: around the loop {names} the squared gains have the product "
        f"{show_above(product)}, and it must be below 1. Ask for a smaller rate, or certify the whole at once."
    )


def _get(gain: Fraction | None) -> Fraction:
    if gain is None:
        raise TypeError("internal error: a coupling without a gain")
    return gain
