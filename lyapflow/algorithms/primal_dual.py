"""The primal-dual hybrid gradient method of Chambolle and Pock."""

from __future__ import annotations

from ..classes.inequalities import OperatorClass
from ..dynamics import LureSystem, PrimalDualIteration
from ..dynamics.checks import check_parameter, check_shifts
from ..dynamics.singular import read_interval
from ..errors import InvalidModelError
from ..exact.rationals import rational, shorten

__all__ = ["chambolle_pock"]


def chambolle_pock(
    f: OperatorClass,
    g: OperatorClass,
    *,
    step_primal: object,
    step_dual: object,
    extrapolation: object = 1,
    operator: object = None,
    singular_values: object = None,
) -> LureSystem | PrimalDualIteration:
    r"""Chambolle-Pock method for ``min f(x) + g(K x)`` with a linear operator K, by default the identity.

    **Standard form.** With :math:`\bar x_{k+1} = x_{k+1} + \theta(x_{k+1} - x_k)`:

    .. math::
        x_{k+1} = \mathrm{prox}_{\tau f}(x_k - \tau K^\top y_k), \qquad
        y_{k+1} = \mathrm{prox}_{\sigma g^*}(y_k + \sigma K\bar x_{k+1}).

    **State space.** One mode per singular value of K, or one proof for all K whose singular values lie in an interval:
    see `PrimalDualIteration`. For the identity, state :math:`(x_k, y_k)`. By Moreau's identity :math:`y^+` is the
    subgradient of g at :math:`y_g = \mathrm{prox}_{g/\sigma}(y/\sigma + \bar x^+)`, so g itself is the oracle, with
    prox step :math:`1/\sigma`:

    .. math::
        y_f = x - \tau y - \tau u_f, \quad
        y_g = x + (\tfrac1\sigma - (1+\theta)\tau)\,y - (1+\theta)\tau u_f - \tfrac1\sigma u_g, \quad
        x^+ = y_f, \quad y^+ = u_g.

    **Known guarantee** (upper). For mu-strongly convex f and 1/delta-smooth g, linear convergence with suitable
    parameters and extrapolation < 1 (Chambolle, Pock 2011). With :math:`\theta = 1` and
    :math:`\tau\sigma = 1` it is Douglas-Rachford splitting with step :math:`\tau`.

    Parameters
    ----------
    f, g : OperatorClass
        Classes of the two functions (or monotone operators); g, not its conjugate.
    step_primal, step_dual : rational
        :math:`\tau > 0` and :math:`\sigma > 0`.
    extrapolation : rational, default 1
        :math:`\theta` in [0, 1].
    operator : (m, n) array_like, optional
        K, of any shape and rank, at the exact values of its entries.
    singular_values : (rational, rational), optional
        Instead of K: ``(low, high)`` for every K with ``low |x| <= |K x| <= high |x|`` and the same for the transpose.
        So K is square and invertible where ``low > 0``; with ``low = 0`` it is any K of norm at most `high`.

    Returns
    -------
    LureSystem or PrimalDualIteration
        Oracles ``f`` and ``g``, in discrete time; a `LureSystem` of two states (primal and dual) for the identity.

    Raises
    ------
    InvalidModelError
        If a parameter is out of range, a class does not fit its place, or both operator and singular values are given.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> f = SmoothStronglyConvex(1, 10)
    >>> chambolle_pock(f, f, step_primal="1/2", step_dual="1/2").shape
    (2, 2)
    >>> from lyapflow import certify
    >>> for_all = chambolle_pock(f, f, step_primal="1/2", step_dual="1/2", singular_values=("1/2", 1))
    >>> float(certify(for_all).factor) < 0.9411
    True
    """
    tau, sigma = check_parameter("step_primal", step_primal), check_parameter("step_dual", step_dual)
    theta = rational(extrapolation, name="extrapolation")
    if not 0 <= theta <= 1:
        raise InvalidModelError(f"extrapolation must be >= 0 and <= 1, got {theta}")
    check_shifts(f=f, g=g)
    reach = (1 + theta) * tau
    given = (shorten(value, most=20) for value in (tau, sigma, theta))
    name = "Chambolle-Pock method, steps {} and {}, extrapolation {}".format(*given)
    if operator is not None and singular_values is not None:
        raise InvalidModelError("give an operator or an interval of singular values, not both: K says what they are")
    if operator is not None or singular_values is not None:
        return PrimalDualIteration(
            f,
            g,
            step_primal=tau,
            step_dual=sigma,
            extrapolation=theta,
            operator=operator,
            intervals=None if singular_values is None else [read_interval(singular_values)],
            name=name,
        )
    return LureSystem(
        [[1, -tau], [0, 0]],
        [[-tau, 0], [0, 1]],
        [[1, -tau], [1, 1 / sigma - reach]],
        [[-tau, 0], [-reach, -1 / sigma]],
        oracles=[f, g],
        dt=1,
        name=name,
        oracle_names=["f", "g"],
    )
