"""Primal-dual flow of the proximal augmented Lagrangian."""

from __future__ import annotations

from fractions import Fraction

from ..classes.inequalities import OperatorClass
from ..dynamics import LureSystem, ProximalLagrangianSystem
from ..dynamics.checks import check_parameter
from ..dynamics.proximal import make_plant
from ..dynamics.singular import divide_interval, read_interval
from ..errors import InvalidModelError

__all__ = ["proximal_augmented_lagrangian_flow"]


def proximal_augmented_lagrangian_flow(
    f: OperatorClass, g: OperatorClass, *, penalty: object, operator: object = None, singular_values: object = None
) -> LureSystem | ProximalLagrangianSystem:
    r"""Primal-dual flow of the proximal augmented Lagrangian of ``min f(x) + g(T x)``, T the identity by default.

    **Standard form.** With the Moreau envelope M of :math:`\gamma g` it is the descent in x, and the ascent in y, of
    :math:`\mathcal L(x; y) = f(x) + M(T x + \gamma y) - \tfrac\gamma2|y|^2`:

    .. math::
        \dot x = -\nabla f(x) - T^\top\nabla M(T x + \gamma y), \qquad
        \dot y = \gamma\,(\nabla M(T x + \gamma y) - y) = T x - \mathrm{prox}_{\gamma g}(T x + \gamma y).

    At rest :math:`y^\star` is a subgradient of g at :math:`T x^\star`, and :math:`\nabla f(x^\star) = -T^\top y^\star`.

    **State space.** One mode per singular value of T, see `ProximalLagrangianSystem`. For the identity, state
    :math:`(x, y)`; the gradient of M is the output of g with prox step :math:`\gamma`:

    .. math::
        \dot x = -u_f - u_g, \quad \dot y = \gamma(u_g - y), \quad y_f = x, \quad y_g = x + \gamma y - \gamma u_g.

    **Known guarantee** (lower). For f in F(mu, L), any convex g and T of full row rank the decay is exponential: for
    :math:`\gamma \ge L - \mu` (Dhingra, Khong, Jovanović 2019), and with a quadratic V (Ding, Jovanović 2020). Where g
    may be the indicator function of the origin no rate exceeds that of :math:`\nabla f(x) = L x`, which is
    :math:`\tfrac12\bigl(b - \sqrt{b^2 - 4 s^2}\bigr)` with :math:`b = L + s^2/\gamma`, for each singular value s of T
    with :math:`b \ge 2 s`.

    Parameters
    ----------
    f : OperatorClass
        Class of the smooth function.
    g : OperatorClass
        Class of the convex function that has a prox step.
    penalty : rational
        :math:`\gamma > 0`; the larger, the weaker the quadratic term of the augmented Lagrangian.
    operator : (m, n) array_like, optional
        T, of full row rank, at the exact values of its entries.
    singular_values : (rational, rational), optional
        Instead of T: ``(low, high)`` for every T, of any dimensions, with
        :math:`\mathrm{low}^2 I \preceq T T^\top \preceq \mathrm{high}^2 I`. So T has full row rank where
        ``low > 0``, and its null space is included; with ``low = 0`` it is any T of norm at most `high`.

    Returns
    -------
    LureSystem or ProximalLagrangianSystem
        State :math:`(x, y)`, oracles ``f`` and ``g``; a `LureSystem` of two states for the identity, in any
        dimension.

    Raises
    ------
    InvalidModelError
        If the penalty is not positive, a class does not fit its place, T has not full row rank, T has an irrational
        singular value and g is of a class of strongly convex functions, or both T and singular values are given.

    Examples
    --------
    >>> from lyapflow.classes import Convex, SmoothStronglyConvex
    >>> from lyapflow.search import certify
    >>> flow = proximal_augmented_lagrangian_flow(SmoothStronglyConvex(1, 3), Convex(), penalty=2)
    >>> round(float(certify(flow).rate), 5)
    0.31386
    >>> flow = proximal_augmented_lagrangian_flow(
    ...     SmoothStronglyConvex(1, 3), Convex(), penalty=2, operator=[[1, 0, 0], [0, 3, 0]]
    ... )
    >>> [mode.label for mode in flow.modes]
    ['sigma1', 'sigma2', 'null primal']
    >>> flow = proximal_augmented_lagrangian_flow(
    ...     SmoothStronglyConvex(1, 10), Convex(), penalty=9, singular_values=("1/2", 2)
    ... )
    >>> round(float(certify(flow).rate), 5)
    0.02499
    """
    if operator is not None and singular_values is not None:
        raise InvalidModelError("give an operator or an interval of singular values, not both: T says what they are")
    if singular_values is not None:
        boxes = divide_interval(*read_interval(singular_values))
        return ProximalLagrangianSystem(f, g, penalty=penalty, intervals=boxes)
    if operator is None:
        return make_plant(f, g, check_parameter("penalty", penalty), Fraction(1))
    return ProximalLagrangianSystem(f, g, penalty=penalty, operator=operator)
