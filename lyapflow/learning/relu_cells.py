r"""Cells of piecewise linear networks, and Jacobians without full rank: two reasons why training is not convex.

For :math:`f(x) = c + \sum_jv_j\max(w_jx + b_j, 0)` on the line the activations of all neurons at all inputs cut the
space of weights into cells, in which the loss is a polynomial (He, Wang, Tao, arXiv 2003.12236). The Jacobian of the
outputs by the weights loses rank where neurons agree (Saarinen, Bramley, Cybenko, SIAM J. Sci. Comput. 14, 1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from ..errors import InvalidModelError, VerificationError
from ..exact.matrices import Matrix, rank
from ..exact.rationals import as_text, shorten
from .arguments import read_count, read_row
from .evidence import PROVED, Refutation, ScalingLaw, Verdict, fit_power
from .spectrum import Array

__all__ = ["count_cells", "differentiate_outputs", "fit_ill_posedness", "prove_rank_loss", "refute_global_minima"]


def differentiate_outputs(inputs: Sequence[object], neurons: Sequence[Sequence[object]]) -> Matrix:
    r"""The exact Jacobian of the outputs by all weights, shape (n, 3 m + 1): by w, b, v of each neuron, and by c.

    Parameters
    ----------
    inputs : sequence of n rationals
        x_i.
    neurons : sequence of m triples of rationals
        (w, b, v). A neuron has the derivative 0 where it is not active.

    Examples
    --------
    >>> [[int(v) for v in row] for row in differentiate_outputs([-1, 2], [(1, 0, 3)])]
    [[0, 0, 0, 1], [6, 3, 2, 1]]
    """
    points = read_row(inputs, "inputs")
    if isinstance(neurons, str) or not isinstance(neurons, Sequence):
        raise InvalidModelError(f"neurons must be triples (w, b, v), got {neurons!r:.60}")
    units = [read_row(unit, "neurons") for unit in neurons]
    if not points or not units or any(len(unit) != 3 for unit in units):
        raise InvalidModelError("there must be inputs, and neurons as triples (w, b, v)")
    rows = []
    for x in points:
        row: list[Fraction] = []
        for w, b, v in units:
            on = Fraction(w * x + b > 0)
            row += [on * v * x, on * v, on * (w * x + b)]
        rows.append((*row, Fraction(1)))
    return tuple(rows)


def count_cells(inputs: Sequence[object]) -> int:
    """The number of activation patterns that one neuron can have at n different inputs on the line: 2 n.

    Each pattern is that of a half-line; all and none are the same for both directions. Counted, not quoted.

    Examples
    --------
    >>> count_cells([0, 1, 2])
    6
    """
    points = sorted(set(read_row(inputs, "inputs")))
    if not points:
        raise InvalidModelError("there must be inputs, got none")
    cuts = [points[0] - 1, *((a + b) / 2 for a, b in pairwise(points)), points[-1] + 1]
    return len({tuple(s * (x - cut) > 0 for x in points) for cut in cuts for s in (1, -1)})


def refute_global_minima(inputs: Sequence[object], labels: Sequence[object]) -> Refutation:
    r"""Refute that every local minimum of a ReLU network is a global one: in the cell where the neuron is dead.

    One neuron, f = c + v max(w x + b, 0). With w = 0, b = -1 and c the mean of the labels, the neuron is 0 at all
    inputs for all small changes of all weights, so the loss depends on c alone there, and c is best. A neuron that is
    active at the largest input only fits that label too.

    Raises
    ------
    InvalidModelError
        If there are not two or more different inputs with a label each.
    VerificationError
        If the live neuron is not better.

    Examples
    --------
    >>> print(refute_global_minima([0, 1, 2], [0, 0, 3]).witness)
    (w, b, v, c) = (0, -1, 1, 1) has the loss 3, and so has c = 1 with all w, b, v near these; (1, -3/2, 6, 0) has 0
    """
    given = read_row(inputs, "inputs"), read_row(labels, "labels")
    if len(set(given[0])) < len(given[0]) or len(given[0]) < 2 or len(given[0]) != len(given[1]):
        raise InvalidModelError(
            f"there must be two or more different inputs, and a label for each, got {len(given[0])} and {len(given[1])}"
        )
    pairs = sorted(zip(*given, strict=True))
    points, values = [x for x, _ in pairs], [y for _, y in pairs]
    mean = sum(values, Fraction(0)) / len(values)
    dead = sum(((y - mean) ** 2 for y in values), Fraction(0)) / 2
    cut = (points[-1] + points[-2]) / 2
    base = sum(values[:-1], Fraction(0)) / (len(values) - 1)
    height = (values[-1] - base) / (points[-1] - cut)
    live = (
        sum(
            ((base + height * max(x - cut, Fraction(0)) - y) ** 2 for x, y in zip(points, values, strict=True)),
            Fraction(0),
        )
        / 2
    )
    if not live < dead:
        raise VerificationError("the live neuron is not better", inequality="local minimum", witness=live)
    return Refutation(
        statement="every local minimum of the loss of a ReLU network is a global one",
        witness=f"(w, b, v, c) = (0, -1, 1, {as_text(mean)}) has the loss {shorten(dead)}, and so has c = "
        f"{as_text(mean)} with all w, b, v near these; (1, {as_text(-cut)}, {as_text(height)}, {as_text(base)}) has "
        f"{shorten(live)}",
        standing=PROVED,
    )


def prove_rank_loss(inputs: Sequence[object], neuron: Sequence[object], count: int) -> Verdict:
    """That the Jacobian of m equal neurons has the rank of one: an equation for the weights has no unique solution.

    Raises
    ------
    VerificationError
        If the ranks differ.

    Examples
    --------
    >>> print(prove_rank_loss([-2, -1, 0, 1, 2, 3], (1, "1/2", 1), 2).reason)
    ranks 3 and 3 of 4 and 7 columns
    """
    ranks = [rank(differentiate_outputs(inputs, [neuron] * m)) for m in (1, read_count(count, "count"))]
    if ranks[0] != ranks[1] or count < 2:
        raise VerificationError("the ranks differ", inequality="rank loss", witness=tuple(ranks))
    return Verdict(
        statement=f"the Jacobian at {count} equal neurons has no more rank than that of one neuron, so Gauss-Newton "
        "steps are not determined there",
        reason=f"ranks {ranks[0]} and {ranks[1]} of 4 and {3 * count + 1} columns",
        standing=PROVED,
    )


def fit_ill_posedness(inputs: Sequence[float], gaps: Sequence[float]) -> ScalingLaw:
    """How the smallest singular value of the Jacobian falls as two neurons approach each other: with their distance.

    The neurons are (1 + gap, gap, 1) and (1, 0, 1), both with all positive inputs active, so that the Jacobian has as
    many singular values that vanish as columns become equal.

    Examples
    --------
    >>> law = fit_ill_posedness([-1, 0.5, 1, 2, 3], [1e-1, 1e-2, 1e-3])
    >>> law.agrees, round(law.exponent, 2)
    (True, 0.99)
    """
    points, sizes = (np.array(read_row(v, name), dtype=float) for v, name in ((inputs, "inputs"), (gaps, "gaps")))
    if len(points) < 3:
        raise InvalidModelError(f"inputs must be three or more, got {len(points)}")
    smallest = [_smallest(points, gap) for gap in sizes.tolist()]
    return fit_power(
        sizes, smallest, name="smallest singular value against the gap of two neurons", predicted=Fraction(1)
    )


def _smallest(x: Array, gap: float) -> float:
    """Of the columns by v of both neurons and by c."""
    columns = np.stack([np.maximum((1 + gap) * x + gap, 0), np.maximum(x, 0), np.ones_like(x)], axis=1)
    return float(np.linalg.svd(columns, compute_uv=False)[-1])
