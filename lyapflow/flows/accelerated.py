"""Accelerated splitting flows: momentum on the generalised gradient of forward-backward and Douglas-Rachford."""

from __future__ import annotations

from fractions import Fraction

from ..classes.inequalities import OperatorClass
from ..dynamics.checks import check_parameter, check_shifts
from ..dynamics.lure import LureSystem
from ..errors import InvalidModelError
from ..exact.rationals import rational, shorten

__all__ = ["accelerated_douglas_rachford_flow", "accelerated_forward_backward_flow"]


def accelerated_forward_backward_flow(
    f: OperatorClass, g: OperatorClass, *, step: object, damping: object = None, r: object = None
) -> LureSystem:
    r"""Accelerated forward-backward flow of ``min f + g``.

    **Standard form.** :math:`\ddot x + b\,\dot x + G(x) = 0` with
    :math:`G(x) = (x - \mathrm{prox}_{\gamma g}(x - \gamma\nabla f(x)))/\gamma`; :math:`b = r/t` for vanishing damping.

    **State space.** State :math:`(x, \dot x)`; :math:`y_1 = x,\ y_2 = x - \gamma u_1 - \gamma u_2,\
    \ddot x = -b\,\dot x - u_1 - u_2`.

    **Known guarantee** (lower). For quadratic f with spectrum in [mu, L] and ``step < 1/L`` that of the heavy-ball flow
    of a function in F(mu, 1/step), in the metric ``I - step Q``: ``sqrt(mu)/2`` and more; the envelope of ``f + g``
    decays like ``1/t^2`` for r >= 3. For f in F(mu, L), ``step <= mu/L^2`` and ``b = 2 sqrt(mu)``: ``sqrt(mu)/2``
    (after Ozaslan, Jovanovic 2024).

    Parameters
    ----------
    f : OperatorClass
        Class of the smooth function. Of class `Quadratic`, V is sought in the metric ``I - step Q``.
    g : OperatorClass
        Class of the function whose prox is taken.
    step : rational
        Prox step :math:`\gamma > 0`. The gradient is not multiplied by it.
    damping : rational, optional
        Constant damping b > 0, in 1/(time unit).
    r : rational, optional
        Vanishing damping r/t; 3 where neither is given.

    Returns
    -------
    LureSystem
        Two states, oracles ``f`` and ``g``.

    Raises
    ------
    InvalidModelError
        If a parameter is not positive, or both dampings are given.

    Examples
    --------
    >>> from lyapflow.classes import Convex, Quadratic
    >>> from lyapflow.search import certify
    >>> flow = accelerated_forward_backward_flow(Quadratic(1, 10), Convex(), step="1/20", damping=2)
    >>> certify(flow).rate > Fraction(7, 10)
    True
    """
    gamma = check_parameter("step", step)
    D = [[0, 0], [-gamma, -gamma]]
    return _accelerate("forward-backward", f, g, gamma, D, damping, r)


def accelerated_douglas_rachford_flow(
    f: OperatorClass, g: OperatorClass, *, step: object, damping: object = None, r: object = None
) -> LureSystem:
    r"""Accelerated Douglas-Rachford flow of ``min f + g``.

    **Standard form.** :math:`\ddot z + b\,\dot z + G(z) = 0` with :math:`G(z) = (x - y)/\gamma`,
    :math:`x = \mathrm{prox}_{\gamma f}(z)`, :math:`y = \mathrm{prox}_{\gamma g}(2x - z)`; :math:`b = r/t` for vanishing
    damping.

    **State space.** State :math:`(z, \dot z)`; :math:`y_1 = z - \gamma u_1,\ y_2 = z - 2\gamma u_1 - \gamma u_2,\
    \ddot z = -b\,\dot z - u_1 - u_2`.

    **Known guarantee** (lower). For quadratic f with spectrum in [mu, L] and ``step < 1/L`` that of the heavy-ball flow
    of a function in ``F(mu/(1 + step mu), 1/(step (1 + step mu)))``, in a metric: ``sqrt(mu/(1 + step mu))/2`` and more
    (after Ozaslan, Jovanovic 2024).

    Parameters
    ----------
    f, g : OperatorClass
        Classes of the two functions. With f of class `Quadratic`, V is sought in a metric.
    step : rational
        Prox step :math:`\gamma > 0`.
    damping : rational, optional
        Constant damping b > 0, in 1/(time unit).
    r : rational, optional
        Vanishing damping r/t; 3 where neither is given.

    Returns
    -------
    LureSystem
        Two states, oracles ``f`` and ``g``; the minimiser is ``prox_{step f}(z*)``.

    Raises
    ------
    InvalidModelError
        If a parameter is not positive, or both dampings are given.
    """
    gamma = check_parameter("step", step)
    D = [[-gamma, 0], [-2 * gamma, -gamma]]
    return _accelerate("Douglas-Rachford", f, g, gamma, D, damping, r)


def _accelerate(
    kind: str,
    f: OperatorClass,
    g: OperatorClass,
    step: Fraction,
    D: object,
    damping: object,
    r: object,
) -> LureSystem:
    if damping is not None and r is not None:
        raise InvalidModelError(f"give damping or r, not both, got damping={damping} and r={r}")
    check_shifts(f=f, g=g)
    constant = Fraction(0) if damping is None else check_parameter("damping", damping)
    vanishing = Fraction(0) if damping is not None else rational(3 if r is None else r, name="r")
    told = shorten(constant, most=20) if damping is not None else f"{shorten(vanishing, most=20)}/t"
    return LureSystem(
        [[0, 1], [0, -constant]],
        [[0, 0], [-1, -1]],
        [[1, 0], [1, 0]],
        D,
        N=[[0, 0], [0, -vanishing]],
        oracles=[f, g],
        name=f"accelerated {kind} flow, step {shorten(step, most=20)}, damping {told}",
        oracle_names=["f", "g"],
    )
