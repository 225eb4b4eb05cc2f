"""Saddle-point flows: for linear constraints, and with a bilinear coupling of two functions."""

from __future__ import annotations

from ..classes.inequalities import OperatorClass
from ..dynamics.bilinear import SaddleSystem
from ..dynamics.constrained import PrimalDualSystem
from ..dynamics.singular import divide_interval, read_interval
from ..errors import InvalidModelError

__all__ = ["primal_dual_flow", "saddle_flow"]


def primal_dual_flow(
    f: OperatorClass,
    *,
    constraint: object = None,
    singular_values: object = None,
    dual_gain: object = 1,
    augmentation: object = 0,
) -> PrimalDualSystem | SaddleSystem:
    r"""Primal-dual gradient flow of ``min f(x)`` subject to ``E x = b``.

    **Standard form.** :math:`\dot x = -\nabla f(x) - E^\top\lambda - a E^\top(E x - b),\
    \dot\lambda = \eta(E x - b)`. With the time in units of the primal variable, :math:`1/\eta` is the ratio of the two
    time scales.

    **State space.** One mode per singular value of E, see `PrimalDualSystem`; or one proof for all E whose singular
    values lie in an interval, see `SaddleSystem`.

    **Known guarantee** (lower). Qu, Li (2019): rate
    ``min(eta smin^2 / (4 L), mu smin^2 / (4 smax^2)) / 2`` of the state norm for f in F(mu, L), a = 0; see
    `lyapflow.list_primal_dual_rates`.

    Parameters
    ----------
    f : OperatorClass
        Class of the objective.
    constraint : (m, n) array_like, optional
        E, not zero, at the exact values of its entries; b does not enter the certificate. Rows may be dependent: then
        the theorem is about x and the component of :math:`\lambda` in the range of E, see `PrimalDualSystem` and
        `check_consistency`.
    singular_values : (rational, rational), optional
        Instead of E: ``(low, high)``, ``low > 0``, for every E, of any dimensions and rank, whose positive singular
        values lie between them. The null space of E is included; where rows are dependent, the theorem is about the
        component of :math:`\lambda` in the range of E.
    dual_gain : rational, default 1
        :math:`\eta > 0`.
    augmentation : rational, default 0
        :math:`a \ge 0`.

    Returns
    -------
    PrimalDualSystem or SaddleSystem
        State :math:`(x, \lambda)`, oracle ``f``.

    Raises
    ------
    InvalidModelError
        If a gain is out of range, E is zero, or not one of E and singular values is given.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> flow = primal_dual_flow(SmoothStronglyConvex(1, 10), constraint=[[1, 0, 0], [0, 3, 0]])
    >>> [mode.label for mode in flow.modes]
    ['sigma1', 'sigma2', 'null']
    >>> from lyapflow.search import certify
    >>> for_all = primal_dual_flow(SmoothStronglyConvex(1, 10), singular_values=(1, 3))
    >>> round(float(certify(for_all).rate), 5)
    0.10102
    """
    if (constraint is None) == (singular_values is None):
        raise InvalidModelError(
            "give a constraint matrix or an interval of its singular values, and not both: a matrix says what they are"
        )
    if singular_values is None:
        return PrimalDualSystem(f, constraint, dual_gain=dual_gain, augmentation=augmentation)
    boxes = divide_interval(*read_interval(singular_values))
    return SaddleSystem(f, None, dual_gain=dual_gain, augmentation=augmentation, intervals=boxes)


def saddle_flow(
    f: OperatorClass,
    g: OperatorClass,
    *,
    operator: object = None,
    singular_values: object = None,
    dual_gain: object = 1,
) -> SaddleSystem:
    r"""Saddle-point flow (gradient descent-ascent) of ``min_x max_y f(x) + <y, E x> - g(y)``.

    **Standard form.** :math:`\dot x = -\nabla f(x) - E^\top y,\ \dot y = \eta\,(E x - \nabla g(y))`.

    **State space.** One mode per singular value of E, or one proof for all E whose singular values lie in an interval:
    see `SaddleSystem`.

    **Known guarantee** (lower). For mu-strongly convex f and nu-strongly convex g: rate ``min(mu, eta nu)``,
    whatever E is: the field is strongly monotone in the inner product with weights 1 and ``1/eta``. Where g is convex
    only, the rate rests on E of full row rank, as in `primal_dual_flow`.

    Parameters
    ----------
    f, g : OperatorClass
        Classes of the two functions; g, not its conjugate.
    operator : (m, n) array_like, optional
        E, not zero, of any rank, at the exact values of its entries.
    singular_values : (rational, rational), optional
        Instead of E: ``(low, high)`` for every E, of any dimensions, with
        :math:`\mathrm{low}^2 I \preceq E E^\top \preceq \mathrm{high}^2 I`. So E has full row rank where ``low > 0``,
        and its null space is included; with ``low = 0`` it is any E of norm at most `high`.
    dual_gain : rational, default 1
        :math:`\eta > 0`: how much faster the ascent is than the descent.

    Returns
    -------
    SaddleSystem
        State (x, y), oracles ``f`` and ``g``.

    Raises
    ------
    InvalidModelError
        If the gain is not positive, a class does not fit its place, or not one of E and singular values is given.

    Examples
    --------
    >>> from lyapflow.classes import SmoothConvex, SmoothStronglyConvex
    >>> from lyapflow.search import certify
    >>> certify(saddle_flow(SmoothStronglyConvex(1, 10), SmoothStronglyConvex(2, 5), singular_values=(0, 3))).rate
    Fraction(1, 1)
    >>> flow = saddle_flow(SmoothStronglyConvex(1, 10), SmoothConvex(1), operator=[[1, 0, 0], [0, 3, 0]])
    >>> [mode.label for mode in flow.modes]
    ['sigma1', 'sigma2', 'null primal']
    """
    if g is None or (operator is None) == (singular_values is None):
        raise InvalidModelError(
            "a saddle flow needs two classes, and an operator or an interval of its singular values, not both: an "
            "operator says what they are"
        )
    if singular_values is None:
        return SaddleSystem(f, g, dual_gain=dual_gain, operator=operator)
    return SaddleSystem(f, g, dual_gain=dual_gain, intervals=divide_interval(*read_interval(singular_values)))
