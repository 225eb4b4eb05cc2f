r"""Critical points of deep linear networks at rational weights: representatives, Hessians, and the flow beside them.

A selection of learnt singular values is represented by :math:`W_1 = \mathrm{diag}(\sigma_k)` and ones in the other
layers: an action of invertible matrices, which keeps the loss and so turns the Hessian by a congruence, leads from
there to the balanced point, so both have the same signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dynamics.polynomial import PolynomialSystem
from ..errors import InvalidModelError, VerificationError
from ..exact.inertia import count_signs
from ..exact.matrices import Matrix, matrix
from ..exact.multivariate import variables
from ..exact.rationals import rational, shorten
from . import layers as formulas
from .branches import Branches, judge_origin
from .deep_linear import DeepLinearNetwork
from .equilibria import EquilibriumClass

__all__ = [
    "count_hessian_signs",
    "judge_escape",
    "name_learnt",
    "read_diagonal",
    "reduce_to_modes",
    "select_exactly",
]


def read_diagonal(network: DeepLinearNetwork) -> list[Fraction]:
    """The singular values, where the target is diagonal with entries >= 0.

    Raises
    ------
    InvalidModelError
        If the target is another one, or floats cannot tell its entries apart.
    """
    target = network.exact_target
    values = [rational(target[k, k]) for k in range(min(target.shape))]
    if any(v < 0 for v in values) or any(v for (a, b), v in np.ndenumerate(target) if a != b):
        raise InvalidModelError(
            "the target must be diagonal with entries >= 0 to be taken apart exactly, got another one"
        )
    if len({0.0, *map(float, values)}) < len({Fraction(0), *values}):
        raise InvalidModelError(
            "the singular values must stay apart from each other and from 0 as floats, which label the classes of "
            "equilibria; scale the target, or make equal what is nearly equal"
        )
    return values


def select_exactly(network: DeepLinearNetwork, equilibrium: EquilibriumClass) -> list[NDArray[Any]]:
    """Rational layers with the product that a class of `equilibria` has learnt."""
    values = read_diagonal(network)
    layers = network.cut_exactly([Fraction(0)] * network.shape[0])
    for place, k in enumerate(_find_places(values, equilibrium)):
        for i, layer in enumerate(layers):
            layer[k if i == 0 else place, k if i == network.depth - 1 else place] = values[k] if i == 0 else Fraction(1)
    return layers


def name_learnt(network: DeepLinearNetwork, equilibrium: EquilibriumClass) -> str:
    """The singular values that a class of `equilibria` has learnt, each exactly where that is short."""
    values = read_diagonal(network)
    return ", ".join(shorten(values[k]) for k in _find_places(values, equilibrium)) or "nothing"


def count_hessian_signs(network: DeepLinearNetwork, layers: formulas.Layers) -> tuple[int, int, int]:
    """Negative, zero and positive eigenvalues of the Hessian at rational layers, exactly."""
    positive, zero = count_signs(_as_matrix(formulas.second_derivative(layers, network.exact_target)))
    return network.shape[0] - zero - positive, zero, positive


def reduce_to_modes(network: DeepLinearNetwork, modes: Sequence[int] | None = None) -> PolynomialSystem:
    """The flow on the aligned balanced manifold, where mode k has the entry s_k in every layer, in exact polynomials.

    Parameters
    ----------
    network : DeepLinearNetwork
        With a diagonal target, entries >= 0.
    modes : sequence of int, optional
        Places on the diagonal of the target, different, each with a hidden unit of its own; by default as many as there
        are units for, from the first.

    Raises
    ------
    VerificationError
        If the flow leaves the manifold.
    InvalidModelError
        If the target is another one, or there are too many modes.

    Examples
    --------
    >>> print(reduce_to_modes(DeepLinearNetwork([2, 2, 2, 2], [2, 1])))
    s1' = -s1^5 + 2*s1^2
    s2' = -s2^5 + s2^2
    """
    values, most = read_diagonal(network), min(network.widths)
    chosen = tuple(range(most) if modes is None else modes)
    if not 1 <= len(set(chosen)) == len(chosen) <= most or not set(chosen) <= set(range(len(values))):
        raise InvalidModelError(f"modes must be 1 to {most} different places on the diagonal, got {list(chosen)}")
    s = variables([f"s{k + 1}" for k in chosen])
    layers = network.cut_exactly([0 * s[0]] * network.shape[0])
    places = [
        [(k if i == 0 else j, k if i == network.depth - 1 else j) for j, k in enumerate(chosen)]
        for i in range(network.depth)
    ]
    for layer, own in zip(layers, places, strict=True):
        for place, one in zip(own, s, strict=True):
            layer[place] = one
    speeds = formulas.descend(layers, network.exact_target)
    equations = [speeds[0][place] for place in places[0]]
    for speed, own in zip(speeds, places, strict=True):
        wanted = dict(zip(own, equations, strict=True))
        for place, entry in np.ndenumerate(speed):
            if rest := entry - wanted.get(place, 0 * s[0]):
                raise VerificationError(
                    f"the flow leaves the aligned manifold: the entry {place} of a layer moves by {entry}",
                    inequality="aligned manifold",
                    witness=rest,
                )
    return PolynomialSystem(tuple(equations), name=f"modes of {network!r}")


def judge_escape(network: DeepLinearNetwork, equilibrium: EquilibriumClass) -> Branches | None:
    """The largest mode that a class of `equilibria` has not learnt: which of its sides is stable at the balanced point.

    The aligned manifold of the learnt modes and this one is invariant, and the equation of the mode holds no other.
    None if there is no such mode, or no hidden unit to spare for it.
    """
    values = read_diagonal(network)
    inside = _find_places(values, equilibrium)
    outside = sorted((k for k in range(len(values)) if k not in inside and values[k]), key=lambda k: -values[k])
    if not outside or len(inside) == min(network.widths):
        return None
    return judge_origin(reduce_to_modes(network, [*inside, outside[0]]).equations[-1])


def _find_places(values: Sequence[Fraction], equilibrium: EquilibriumClass) -> list[int]:
    """Where on the diagonal the learnt singular values stand."""
    left, places = dict(equilibrium.selection), []
    for k, value in enumerate(values):
        if left.get(float(value), 0):
            left[float(value)] -= 1
            places.append(k)
    return places


def _as_matrix(values: NDArray[Any]) -> Matrix:
    return matrix([[rational(v) for v in row] for row in values])
