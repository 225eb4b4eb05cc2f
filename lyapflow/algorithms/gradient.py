"""One-point methods: gradient descent and the proximal point method."""

from __future__ import annotations

from ..classes.inequalities import OperatorClass
from ..dynamics.checks import check_parameter
from ..dynamics.lure import LureSystem
from ..exact.rationals import shorten

__all__ = ["gradient_descent", "proximal_point"]


def gradient_descent(f: OperatorClass, *, step: object) -> LureSystem:
    r"""Gradient descent; for an operator, the forward step.

    **Standard form.** :math:`x_{k+1} = x_k - \alpha\nabla f(x_k)`.

    **State space.** ``A = 1, B = -step, C = 1, D = 0``; state :math:`x_k`.

    **Known guarantee** (tight). For f in F(mu, L) and ``step < 2/L``: factor ``max(|1 - step mu|, |1 - step L|)``
    (Taylor, Hendrickx, Glineur 2018, with no second function). For a mu-strongly monotone and L-Lipschitz operator:
    ``sqrt(1 - 2 step mu + step^2 L^2)``.

    Parameters
    ----------
    f : OperatorClass
        Class of the function (or of the operator in place of its gradient).
    step : rational
        :math:`\alpha > 0`.

    Returns
    -------
    LureSystem
        One state, one oracle ``f``, in discrete time.

    Raises
    ------
    InvalidModelError
        If the step is not positive, or the class cannot be evaluated explicitly.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> method = gradient_descent(SmoothStronglyConvex(mu=1, L=10), step="2/11")
    >>> method.B, method.dt
    (((Fraction(-2, 11),),), Fraction(1, 1))
    """
    s = check_parameter("step", step)
    name = f"gradient descent, step {shorten(s, most=20)}"
    return LureSystem([[1]], [[-s]], [[1]], oracles=[f], dt=1, name=name, oracle_names=["f"])


def proximal_point(f: OperatorClass, *, step: object) -> LureSystem:
    r"""Proximal point method.

    **Standard form.** :math:`x_{k+1} = \mathrm{prox}_{\gamma f}(x_k)`; for an operator, its resolvent.

    **State space.** :math:`y = x - \gamma u,\ x^+ = y`; state :math:`x_k`.

    **Known guarantee** (tight). Factor ``1/(1 + step mu)`` for a mu-strongly monotone operator, thus for the
    subdifferential of a mu-strongly convex function (Bauschke, Combettes 2017, resolvents of strongly monotone
    operators); attained by ``u = mu y``.

    Parameters
    ----------
    f : OperatorClass
        Class of the function (or of the maximally monotone operator).
    step : rational
        Prox step :math:`\gamma > 0`.

    Returns
    -------
    LureSystem
        One state, one oracle ``f``, in discrete time.

    Raises
    ------
    InvalidModelError
        If the step is not positive, or the class is not monotone.

    Examples
    --------
    >>> from lyapflow.classes import StronglyConvex
    >>> proximal_point(StronglyConvex(1), step=3).D
    ((Fraction(-3, 1),),)
    """
    s = check_parameter("step", step)
    name = f"proximal point method, step {shorten(s, most=20)}"
    return LureSystem([[1]], [[-s]], [[1]], [[-s]], oracles=[f], dt=1, name=name, oracle_names=["f"])
