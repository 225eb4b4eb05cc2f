r"""Weights with which stages add up: :math:`V = \sum_i\omega_i V_i`.

From :math:`\dot V_i + 2\rho V_i + \eta_i|z_i|^2 \le \gamma_i|w_i|^2`, where the input of a stage is made of what others
hand over to it and the output of a stage is all that it hands over, follows

.. math:: \dot V + 2\rho V \le \sum_{j\to i}(\omega_i\gamma_i - \omega_j\eta_j)\,|z_{j\to i}|^2,

so :math:`\omega_j\eta_j \ge \omega_i\gamma_i` is wanted wherever j drives i. In a cascade the last weight is 1 and each
other follows; with feedback such weights exist if and only if around each loop the product of the gains
:math:`\gamma_i/\eta_j` is at most 1: the small-gain condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ..errors import CompositionError
from ..exact.rationals import rational, round_up, show_above
from .decomposition import Cascade
from .stages import StageCertificate

__all__ = ["check_weights", "find_weights"]

_BITS = 24
"""Of a weight in a cascade: few, so that the numbers of the sum stay short."""


def find_weights(cascade: Cascade, stages: Sequence[StageCertificate]) -> tuple[Fraction, ...]:
    """The smallest weights that are at least 1, exact (in a cascade, rounded up).

    Raises
    ------
    CompositionError
        If the small-gain condition fails for these gains; the message has the loop and the product of its gains.
    """
    weights = [Fraction(1)] * len(stages)
    driven: dict[int, int] = {}
    for _ in stages:
        moved = -1
        for source, target, gain in reversed([*_list_gains(cascade, stages)]):
            need = weights[target] * gain
            if need > weights[source]:
                weights[source] = round_up(need, _BITS) if cascade.is_triangular else need
                driven[source] = moved = target
        if moved < 0:
            return tuple(weights)
    raise CompositionError(_tell_loop(cascade, stages, driven, moved))


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
    for source, target, gain in _list_gains(cascade, stages):
        if weights[source] < weights[target] * gain:
            a, b = stages[source].stage.name, stages[target].stage.name
            raise CompositionError(
                f"{a} drives {b} with the squared gain {show_above(gain)}, so its weight must be at least that times "
                f"{weights[target]}, the weight of {b}: {show_above(weights[target] * gain)}, got {weights[source]}"
            )
    return weights


def _list_gains(cascade: Cascade, stages: Sequence[StageCertificate]) -> Iterator[tuple[int, int, Fraction]]:
    """Source, target and squared gain of each coupling."""
    for c in cascade.couplings:
        enters, leaves = stages[c.target].input_gain, stages[c.source].output_gain
        if enters is None or not leaves:
            raise TypeError("internal error: a coupling without a gain")
        yield c.source, c.target, enters / leaves


def _tell_loop(cascade: Cascade, stages: Sequence[StageCertificate], driven: dict[int, int], start: int) -> str:
    """The loop around which weights would have to grow, and the product of its gains."""
    for _ in stages:  # so many steps along the reasons for the weights end inside a loop
        start = driven[start]
    loop = [start]
    while driven[loop[-1]] != start:
        loop.append(driven[loop[-1]])
    gains = {(a, b): gain for a, b, gain in _list_gains(cascade, stages)}
    product = Fraction(1)
    for a, b in zip(loop, [*loop[1:], start], strict=True):
        product *= gains[a, b]
    first = loop.index(min(loop))
    names = " -> ".join(stages[k].stage.name for k in (*loop[first:], *loop[:first], min(loop)))
    return (
        f"the small-gain condition fails: around the loop {names} the squared gains have the product "
        f"{show_above(product)}, and it must be at most 1. Ask for a smaller rate, or certify the whole at once."
    )
