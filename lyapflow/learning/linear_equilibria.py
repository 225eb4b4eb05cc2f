r"""Critical points of deep linear networks: what is learnt, and the Hessian where the layers are balanced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, product

from .equilibria import EquilibriumClass

__all__ = ["balanced_spectrum", "enumerate_learnt"]


def enumerate_learnt(widths: Sequence[int], values: Sequence[float]) -> Iterator[EquilibriumClass]:
    """All selections of learnt singular values, from the largest to none, each at its balanced aligned points.

    Parameters
    ----------
    widths : sequence of int
        d_0, ..., d_h.
    values : sequence of float
        Singular values of the target, falling, min(d_0, d_h) of them.
    """
    distinct = sorted({v for v in values if v > 0}, reverse=True)
    counts = [sum(v == value for v in values) for value in distinct]
    most = min(sum(counts), *widths)
    for taken in product(*(range(count, -1, -1) for count in counts)):
        if sum(taken) <= most:
            inside = [i for value, d in zip(distinct, taken, strict=True) for i in _places(values, value)[:d]]
            yield _describe(widths, values, inside, list(zip(distinct, counts, taken, strict=True)), most)


def _places(values: Sequence[float], value: float) -> list[int]:
    return [i for i, v in enumerate(values) if v == value]


def _describe(
    widths: Sequence[int],
    values: Sequence[float],
    inside: list[int],
    taken: list[tuple[float, int, int]],
    most: int,
) -> EquilibriumClass:
    modes = balanced_spectrum(widths, values, inside)
    rest = [v for i, v in enumerate(values) if i not in inside]
    best = sorted(values, reverse=True)[:most]
    is_least = sorted((values[i] for i in inside), reverse=True) == best
    unstable = modes[0][0] > 0
    return EquilibriumClass(
        kind="minimum" if is_least else "strict saddle" if unstable else "nonstrict saddle",
        selection=tuple((value, d) for value, _, d in taken if d),
        spectrum=modes,
        loss=sum(v**2 for v in rest) / 2,
        dimension=sum(d * (count - d) for _, count, d in taken),
    )


def balanced_spectrum(
    widths: Sequence[int], values: Sequence[float], inside: Sequence[int]
) -> tuple[tuple[float, int], ...]:
    r"""Eigenvalues of the Jacobian of the flow, which is minus the Hessian, with multiplicities, falling.

    The layers are diagonal with :math:`s_k = \sigma_k^{1/h}` for the learnt modes k, and zero elsewhere. The Hessian is

    * for an ordered pair (k, l) of learnt modes :math:`\sum_{i=1}^h s_k^{2(i-1)}s_l^{2(h-i)}`, which is
      :math:`h\sigma_k^{2-2/h}` for k = l, and h - 1 zeros;
    * for a learnt mode l and one k that is not :math:`s_l^{h-2}(\sigma_l \pm \sigma_k)`;
    * for a learnt mode l and a row or column of the target without a singular value :math:`\sigma_l^{2-2/h}`;
    * for two layers, a mode k that is not learnt and a hidden unit to spare :math:`\pm\sigma_k`;
    * and zero elsewhere.

    Examples
    --------
    >>> balanced_spectrum([2, 2, 2], [3, 1], [0])
    ((1.0, 1), (0.0, 3), (-1.0, 1), (-2.0, 1), (-4.0, 1), (-6.0, 1))
    """
    h = len(widths) - 1
    roots = {k: values[k] ** (1 / h) for k in inside}
    found: dict[float, int] = {}

    def put(value: float, times: int = 1) -> None:
        if times:
            found[value] = found.get(value, 0) + times

    for k in inside:
        for m in inside:
            low, high = sorted((values[k], values[m]))  # so that both orders give one float
            if low == high:
                put(h * low ** (2 - 2 / h))
            else:
                put((high**2 - low**2) / (high ** (2 / h) - low ** (2 / h)))
    outside = [k for k in range(len(values)) if k not in inside]
    for m in inside:
        gain = values[m] ** (1 - 2 / h)
        for k in outside:
            put(gain * (values[m] - values[k]))
            put(gain * (values[m] + values[k]))
        put(values[m] ** (2 - 2 / h), abs(widths[0] - widths[-1]))
    if h == 2:
        for k in outside:
            for sign in (-1, 1) if values[k] else ():
                put(sign * values[k], widths[1] - len(roots))
    size = sum(a * b for a, b in pairwise(widths))
    put(0.0, size - sum(found.values()))
    return tuple(sorted(((0.0 - value, times) for value, times in found.items()), reverse=True))
