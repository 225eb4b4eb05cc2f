r"""Where shallow ReLU networks on orthogonal inputs go from vanishing balanced weights: saddles and interpolators.

With :math:`S_\pm = \sum_{\pm y_k>0} y_k^2/\|x_k\|^2`, which is rational, the labels of one sign are fitted with the
least norm by one neuron,

.. math::
    a_\pm = \pm S_\pm^{1/4}, \qquad w_\pm = S_\pm^{-1/4}\sum_{\pm y_k>0}\frac{|y_k|}{\|x_k\|^2}\,x_k,

whose product :math:`|a_\pm|\,\|w_\pm\|` is :math:`\sqrt{S_\pm}`. There the outputs move by the kernel
:math:`K_\pm = \sqrt{S_\pm}\,\bigl(\operatorname{diag}\|x_k\|^2 + y_\pm y_\pm^\top/S_\pm\bigr)`, a root times a rational
matrix, so its eigenvalues are enclosed exactly. The loss decays with the V-rates :math:`2\lambda(K_\pm)/n`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from ..errors import InvalidModelError
from ..exact.elementary import bound_sqrt_above, bound_sqrt_below
from ..exact.enclosures import enclose_eigenvalues
from ..exact.matrices import Matrix
from .equilibria import EquilibriumClass
from .orthogonal_data import OrthogonalData
from .spectrum import Array

__all__ = [
    "bound_rates",
    "enumerate_learnt",
    "find_drive",
    "find_neuron",
    "find_saddle_loss",
    "find_square",
    "order_signs",
    "square_drive",
    "state_kernel",
    "variation_norm",
]

_NONE = Fraction(0)


def find_drive(data: OrthogonalData, sign: int) -> Array:
    r""":math:`D_\pm = \frac1n\sum_{\pm y_k>0}|y_k|x_k`, towards which small neurons turn; shape (d,).

    Examples
    --------
    >>> toy = OrthogonalData.read([["-1/2", 1], [2, 1]], [-1, 1])
    >>> [round(float(np.linalg.norm(find_drive(toy, sign))), 6) for sign in (1, -1)]
    [1.118034, 0.559017]
    """
    chosen = list(data.side(sign))
    return np.asarray(np.abs(data.y[chosen]) @ data.X[chosen] / len(data.y))


def square_drive(data: OrthogonalData, sign: int) -> Fraction:
    r""":math:`\|D_\pm\|^2`, exactly."""
    total = sum((data.labels[k] ** 2 * data.squares[k] for k in data.side(sign)), _NONE)
    return total / len(data.labels) ** 2


def order_signs(data: OrthogonalData) -> tuple[int, ...]:
    """The signs that occur, in the order in which they are learnt: the stronger drive first.

    Raises
    ------
    InvalidModelError
        If both are equally strong: then they are learnt together.
    """
    found = [s for s in (1, -1) if data.side(s)]
    strengths = [square_drive(data, s) for s in found]
    if len(found) == 2 and strengths[0] == strengths[1]:
        raise InvalidModelError(f"|D_+| and |D_-| must differ, or no sign is first; both squares are {strengths[0]}")
    return tuple(s for _, s in sorted(zip(strengths, found, strict=True), reverse=True))


def find_saddle_loss(data: OrthogonalData, learnt: tuple[int, ...]) -> Fraction:
    r"""Loss where the labels of some signs are fitted and the others are not seen: :math:`\frac1{2n}\sum y_k^2`.

    >>> find_saddle_loss(OrthogonalData.read([["-1/2", 1], [2, 1]], [-1, 1]), (1,))
    Fraction(1, 4)
    """
    rest = [s for s in (1, -1) if s not in learnt]
    total = sum((data.labels[k] ** 2 for s in rest for k in data.side(s)), _NONE)
    return total / (2 * len(data.labels))


def find_square(data: OrthogonalData, sign: int) -> Fraction:
    r""":math:`S_\pm = \sum_{\pm y_k>0}y_k^2/\|x_k\|^2`, whose root is the norm needed for the labels of one sign."""
    return sum((data.labels[k] ** 2 / data.squares[k] for k in data.side(sign)), _NONE)


def variation_norm(data: OrthogonalData) -> tuple[Fraction, Fraction]:
    r"""Bounds of :math:`\sqrt{S_+} + \sqrt{S_-}`, the least :math:`\sum_j|a_j|\,\|w_j\|` of any network that fits.

    Examples
    --------
    >>> toy = OrthogonalData.read([["-1/2", 1], [2, 1]], [-1, 1])
    >>> [round(float(v), 10) for v in variation_norm(toy)]
    [1.3416407865, 1.3416407865]
    """
    squares = [find_square(data, s) for s in (1, -1)]
    return sum(map(bound_sqrt_below, squares), _NONE), sum(map(bound_sqrt_above, squares), _NONE)


def find_neuron(data: OrthogonalData, sign: int) -> tuple[float, Array]:
    """The balanced neuron (a, w) that fits the labels of one sign with the least norm."""
    chosen = list(data.side(sign))
    root = float(find_square(data, sign)) ** 0.25
    return sign * root, np.asarray((np.abs(data.y[chosen]) / data.q[chosen]) @ data.X[chosen] / root)


def state_kernel(data: OrthogonalData, sign: int) -> Matrix:
    r"""The rational :math:`\operatorname{diag}\|x_k\|^2 + y_\pm y_\pm^\top/S_\pm`; K is its product with a root."""
    chosen, square = data.side(sign), find_square(data, sign)
    y, q = data.labels, data.squares
    return tuple(tuple(y[k] * y[i] / square + (q[k] if i == k else 0) for i in chosen) for k in chosen)


def bound_rates(data: OrthogonalData, sign: int, *, digits: int = 12) -> tuple[tuple[Fraction, Fraction, int], ...]:
    r"""Bounds of the V-rates :math:`2\lambda(K_\pm)/n` at the end, with multiplicities, rising.

    Examples
    --------
    >>> data = OrthogonalData.read([[1, 0], [0, 1]], [1, "-1/2"])
    >>> [(float(low), float(high)) for low, high, _ in bound_rates(data, 1)]
    [(2.0, 2.0)]
    """
    square, n = find_square(data, sign), len(data.labels)
    below, above = bound_sqrt_below(square, digits=digits + 3), bound_sqrt_above(square, digits=digits + 3)
    return tuple(
        (2 * below * low / n, 2 * above * high / n, count)
        for low, high, count in enclose_eigenvalues(state_kernel(data, sign), digits=digits)
    )


def enumerate_learnt(data: OrthogonalData, width: int) -> Iterator[EquilibriumClass]:
    """One class for each set of signs whose labels are fitted, each by one balanced neuron of least norm.

    The field is not differentiable where a neuron is zero. Each spare neuron counts with the eigenvalues that it has
    in the cone where it sees the inputs that are left of one sign, the one with the stronger drive:
    ``+-|D|`` and zeros. A class selects the root of S of each sign, with that sign, and the number of its labels.

    Raises
    ------
    InvalidModelError
        If there are fewer neurons than signs.
    """
    signs = [s for s in (1, -1) if data.side(s)]
    if width < len(signs):
        raise InvalidModelError(f"width must be >= {len(signs)}, one neuron for each sign of the labels, got {width}")
    for learnt in ((), *((s,) for s in signs), *([tuple(signs)] if len(signs) == 2 else [])):
        yield _describe(data, width, learnt, [s for s in signs if s not in learnt])


def _describe(data: OrthogonalData, width: int, learnt: tuple[int, ...], left: list[int]) -> EquilibriumClass:
    d = data.X.shape[1]
    modes: dict[float, int] = {}

    def put(value: float, times: int) -> None:
        if times:
            modes[value + 0.0] = modes.get(value + 0.0, 0) + times

    for sign in learnt:
        for low, high, count in bound_rates(data, sign):
            put(-float(low + high) / 4, count)
        put(0.0, d + 1 - len(data.side(sign)))
    spare = width - len(learnt)
    if left:
        drive = max(float(square_drive(data, s)) for s in left) ** 0.5
        put(drive, spare)
        put(-drive, spare)
        put(0.0, (d - 1) * spare)
    else:
        put(0.0, (d + 1) * spare)
    return EquilibriumClass(
        kind="strict saddle" if left else "minimum",
        selection=tuple((s * float(find_square(data, s)) ** 0.5, len(data.side(s))) for s in learnt),
        spectrum=tuple(sorted(modes.items(), reverse=True)),
        loss=float(find_saddle_loss(data, learnt)),
        dimension=0,
    )
