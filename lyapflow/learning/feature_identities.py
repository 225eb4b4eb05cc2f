r"""Balance of deep linear networks and the neural feature matrix, as matrix identities proved for all widths.

For :math:`f(x) = W_L\cdots W_1x = Jx` and any differentiable loss of J with weight decay, the gradient flow is
:math:`\dot W_l = -(W_L\cdots W_{l+1})^\top E\,(W_{l-1}\cdots W_1)^\top - \lambda W_l`, with the derivative E of the
loss by J, of which nothing else is used.
"""

from __future__ import annotations

from functools import reduce
from itertools import pairwise

from ..errors import InvalidModelError
from ..exact.identities import Identity
from ..exact.words import Expression, Letter, Rules, differentiate, letter

__all__ = ["prove_feature_identities", "state_balance_law", "state_feature_power"]


def state_balance_law(depth: int) -> tuple[Identity, ...]:
    r"""That :math:`G_l = W_{l+1}^\top W_{l+1} - W_lW_l^\top` obeys :math:`\dot G_l = -2\lambda G_l`.

    Each side is affine in lambda, so that the identity is stated, and proved, for lambda = 0 and for lambda = 1.

    Parameters
    ----------
    depth : int
        Number of layers, at least 2.

    Examples
    --------
    >>> law = state_balance_law(3)
    >>> print(law[0].name, "|", law[0].right, "|", law[1].right)
    G1, lambda = 0 | 0 | 2 W1 W1' - 2 W2' W2
    >>> for identity in law:
    ...     identity.prove()
    """
    weights, found = _weights(depth), []
    E = letter("E", f"d{depth}", "d0")
    for layer in range(1, depth):
        above, below = weights[layer], weights[layer - 1]
        gap = above.T * above - below * below.T
        for decay in (0, 1):
            found.append(
                Identity(
                    name=f"G{layer}, lambda = {decay}",
                    statement=f"G{layer}' = -2 lambda G{layer} for G{layer} = W{layer + 1}' W{layer + 1} - W{layer} "
                    f"W{layer}', depth {depth}, lambda = {decay}",
                    left=differentiate(gap, _flow(weights, E, decay)),
                    right=(-2 * decay) * gap,
                    hypotheses=("the gradient flow of any loss of J with derivative E",),
                )
            )
    return tuple(found)


def state_feature_power(depth: int) -> Identity:
    r"""That :math:`(W_1^\top W_1)^L = J^\top J` for balanced weights.

    The root of order L of a positive semidefinite matrix that is positive semidefinite is unique, so
    :math:`W_1^\top W_1 = (J^\top J)^{1/L}`.

    Examples
    --------
    >>> state_feature_power(4).prove()
    """
    weights = _weights(depth)
    product = reduce(lambda so_far, w: w * so_far, weights)
    square = weights[0].T * weights[0]
    rules: Rules = {(_only(above.T), _only(above)): below * below.T for below, above in pairwise(weights)}
    return Identity(
        name=f"feature power {depth}",
        statement=f"(W1' W1)^{depth} = J' J for J = {' '.join(f'W{k}' for k in range(depth, 0, -1))}, balanced",
        left=product.T * product,
        right=reduce(lambda a, b: a * b, [square] * depth),
        rules=rules,
        hypotheses=tuple(f"W{k + 1}' W{k + 1} = W{k} W{k}'" for k in range(1, depth)),
    )


def prove_feature_identities(depth: int) -> tuple[Identity, ...]:
    """All identities for a depth, each proved.

    Raises
    ------
    VerificationError
        If one is not.
    """
    stated = (*state_balance_law(depth), state_feature_power(depth))
    for identity in stated:
        identity.prove()
    return stated


def _weights(depth: int) -> list[Expression]:
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 2:
        raise InvalidModelError(f"depth must be an integer >= 2, got {depth!r}")
    return [letter(f"W{k}", f"d{k}", f"d{k - 1}") for k in range(1, depth + 1)]


def _flow(weights: list[Expression], E: Expression, decay: int) -> dict[Letter, Expression]:
    found = {_only(E): 0 * E}
    for k, weight in enumerate(weights):
        push = E
        for later in reversed(weights[k + 1 :]):  # (W_L ... W_{l+1})' E = W_{l+1}' ... W_L' E
            push = later.T * push
        for earlier in weights[:k]:  # times (W_{l-1} ... W_1)' = W_1' ... W_{l-1}'
            push = push * earlier.T
        found[_only(weight)] = -push - decay * weight
    return found


def _only(expression: Expression) -> Letter:
    ((one,),) = expression.terms
    return one
