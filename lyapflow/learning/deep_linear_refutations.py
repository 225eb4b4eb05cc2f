"""What is believed of deep linear networks and false, each with a witness that is decided exactly."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidModelError, VerificationError
from ..exact.multivariate import variables
from ..exact.rationals import rational
from . import layers as formulas
from .critical_points import count_hessian_signs, judge_escape, select_exactly
from .deep_linear import DeepLinearNetwork
from .evidence import PROVED, Refutation

__all__ = [
    "refute_critical_value",
    "refute_hessian_test",
    "refute_origin_minimum",
    "refute_outer_blocks",
    "refute_properness",
]


def refute_outer_blocks(network: DeepLinearNetwork) -> tuple[Refutation, ...]:
    """The first and the last diagonal block of ``A'A - AA'`` move: their derivatives at a rational state.

    Raises
    ------
    VerificationError
        If they do not move there.
    """
    numbers = [Fraction(1, 2 + k) for k in range(network.shape[0])]
    layers = network.cut_exactly(numbers)
    speeds = formulas.descend(layers, network.exact_target)
    first, last = speeds[0] @ layers[0].T, layers[-1].T @ speeds[-1]
    found = []
    for name, block in (("first", -(first + first.T)), ("last", last + last.T)):
        change = rational(block[0, 0])
        if not change:
            raise VerificationError(f"the {name} block does not move there", inequality="outer blocks", witness=change)
        found.append(
            Refutation(
                statement=f"the {name} diagonal block of A'A - AA' is conserved, as those between are ({network!r})",
                witness=f"at the weights 1/2, 1/3, 1/4, ... its first entry changes at the rate {_write(change)}",
                standing=PROVED,
            )
        )
    return tuple(found)


def refute_properness(network: DeepLinearNetwork) -> Refutation:
    """A line of states that runs to infinity on one level of the loss, as a polynomial identity in its parameter.

    Raises
    ------
    VerificationError
        If the loss is not constant along it.
    """
    (far,) = variables(["r"])
    layers = network.cut_exactly([0 * far] * network.shape[0])
    layers[1][0, 0] = far
    loss = formulas.squared_error(layers, network.exact_target)
    origin = _loss_at_zero(network)
    if loss - origin:
        raise VerificationError("the loss changes along the line", inequality="properness", witness=loss)
    return Refutation(
        statement=f"the loss is proper: its level sets are bounded ({network!r})",
        witness=f"all layers zero but for the first entry r of W_2: the loss is {_write(origin)} for every r, "
        "a polynomial identity",
        standing=PROVED,
    )


def refute_origin_minimum(network: DeepLinearNetwork) -> Refutation:
    """With three or more layers the Hessian of the origin is positive semidefinite, and the origin no local minimum.

    Raises
    ------
    VerificationError
        If the loss does not fall, or the Hessian is not zero.
    InvalidModelError
        If there are two layers, or nothing to learn.
    """
    _need_blindness(network)
    zero = network.cut_exactly([Fraction(0)] * network.shape[0])
    signs = count_hessian_signs(network, zero)
    (row, column), entry = max(np.ndenumerate(network.exact_target), key=lambda one: abs(one[1]))
    (s,) = variables(["s"])
    layers = network.cut_exactly([0 * s] * network.shape[0])
    for i, layer in enumerate(layers):
        layer[row if i == 0 else 0, column if i == network.depth - 1 else 0] = -s if i == 0 and entry < 0 else s
    change = formulas.squared_error(layers, network.exact_target) - _loss_at_zero(network)
    lowest = change.terms[min(change.terms)]
    if signs[0] or signs[2] or lowest >= 0:
        raise VerificationError("the loss does not fall from the origin", inequality="origin", witness=change)
    signed = ", -s in the first," if entry < 0 else ""
    at = Fraction(1, 10)
    while (point := change.evaluate([at])) >= 0:  # the lowest term rules in the end
        at /= 10
    return Refutation(
        statement=f"the origin is a local minimum, because its Hessian is positive semidefinite ({network!r})",
        witness=f"the Hessian is 0 there; along the state with s at one place of every layer{signed} the loss changes "
        f"by {change}, which is negative for all small s > 0: at s = {at} it is {point}",
        standing=PROVED,
    )


def refute_hessian_test(network: DeepLinearNetwork) -> Refutation:
    """Two equilibria whose Hessians have no negative and some zero eigenvalues; one is stable, the other is not.

    The stable one is a point of least loss, and the flow an analytic gradient flow. The other one is left along a line
    that the flow keeps.

    Raises
    ------
    VerificationError
        If one of them is not as said.
    InvalidModelError
        If there are two layers, or nothing to learn.
    """
    _need_blindness(network)
    classes = list(network.equilibria())
    best = next(e for e in classes if e.kind == "minimum")
    blind = next(e for e in classes if e.kind == "nonstrict saddle")
    stable = count_hessian_signs(network, select_exactly(network, best))
    layers = select_exactly(network, blind)
    unstable, loss = count_hessian_signs(network, layers), formulas.squared_error(layers, network.exact_target)
    sides = judge_escape(network, blind)
    if stable[0] or not stable[1] or unstable[0] or not unstable[1] or sides is None or sides.above != "unstable":
        raise VerificationError("the two points are not alike", inequality="Hessian test", witness=(stable, unstable))
    return Refutation(
        statement=f"the Hessian test decides stability ({network!r})",
        witness=f"negative, zero, positive eigenvalues: {stable} at a minimum of the loss, stable, and {unstable} at "
        f"the saddle of loss {_write(loss)}, which is left along s' = {sides.equation}, s > 0",
        standing=PROVED,
    )


def refute_critical_value(network: DeepLinearNetwork) -> Refutation:
    """Two critical points of one loss, one strict and the other not: the origin, and the outer layers zero.

    Raises
    ------
    VerificationError
        If the Hessians are not of two kinds.
    InvalidModelError
        If there are two layers, or nothing to learn.
    """
    _need_blindness(network)
    layers = network.cut_exactly([Fraction(0)] * network.shape[0])
    for layer in layers[1:-1]:
        for k in range(min(layer.shape)):
            layer[k, k] = Fraction(1)
    origin = count_hessian_signs(network, network.cut_exactly([Fraction(0)] * network.shape[0]))
    other = count_hessian_signs(network, layers)
    losses = _loss_at_zero(network), rational(formulas.squared_error(layers, network.exact_target))
    moving = any(v for w in formulas.descend(layers, network.exact_target) for v in w.ravel())
    if moving or losses[0] != losses[1] or origin[0] or not other[0]:
        raise VerificationError("the two points are alike", inequality="critical value", witness=(origin, other))
    return Refutation(
        statement=f"the critical value tells whether a saddle is strict ({network!r})",
        witness=f"loss {_write(losses[0])} twice: at the origin the Hessian has {origin} negative, zero and positive "
        f"eigenvalues, at W_1 = W_{network.depth} = 0 with identities between {other}",
        standing=PROVED,
    )


def _need_blindness(network: DeepLinearNetwork) -> None:
    if network.depth < 3 or not np.any(network.target):
        raise InvalidModelError(
            f"the Hessian is blind from three layers on, for a target other than 0, got {network!r}"
        )


def _loss_at_zero(network: DeepLinearNetwork) -> Fraction:
    target: NDArray[Any] = network.exact_target
    return rational((target * target).sum() / 2)


def _write(value: Fraction) -> str:
    """Exact if that is short."""
    text = str(value)
    return text if len(text) <= 24 else f"{float(value):.6g} (a rational that is not 0)"
