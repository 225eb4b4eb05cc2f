"""Gradient flow and flows with momentum."""

from __future__ import annotations

from ..classes.inequalities import OperatorClass
from ..dynamics.checks import check_parameter
from ..dynamics.lure import LureSystem
from ..exact.rationals import shorten

__all__ = ["gradient_flow", "heavy_ball_flow"]


def gradient_flow(f: OperatorClass) -> LureSystem:
    r"""Gradient flow.

    **Standard form.** :math:`\dot x = -\nabla f(x)`.

    **State space.** ``A = 0, B = -1, C = 1, D = 0``; state x.

    **Known guarantee** (tight). Rate mu of the state norm for mu-strongly convex f, whatever L is
    (Moucer, Taylor, Bach 2023, section 2).

    Parameters
    ----------
    f : OperatorClass
        Class of the function (or of the operator in place of its gradient).

    Returns
    -------
    LureSystem
        One state, one oracle ``f``.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> gradient_flow(SmoothStronglyConvex(mu=1, L=10)).B
    ((Fraction(-1, 1),),)
    """
    return LureSystem([[0]], [[-1]], [[1]], oracles=[f], name="gradient flow", oracle_names=["f"])


def heavy_ball_flow(f: OperatorClass, *, damping: object) -> LureSystem:
    r"""Heavy-ball flow (Polyak's ODE).

    **Standard form.** :math:`\ddot x + b\,\dot x + \nabla f(x) = 0` with damping b.

    **State space.** State :math:`(x, \dot x)`; ``A = [[0, 1], [0, -damping]], B = [0; -1], C = [1, 0], D = 0``.

    **Known guarantee** (lower). For mu-strongly convex f and damping ``2 sqrt(mu)``: rate ``(2/3) sqrt(mu)`` with
    quadratic-plus-value storage (Moucer, Taylor, Bach 2023).

    Parameters
    ----------
    f : OperatorClass
        Class of the function.
    damping : rational
        b > 0, in 1/(time unit).

    Returns
    -------
    LureSystem
        Two states, one oracle ``f``.

    Raises
    ------
    InvalidModelError
        If damping is not positive.
    """
    b = check_parameter("damping", damping)
    name = f"heavy-ball flow, damping {shorten(b, most=20)}"
    return LureSystem([[0, 1], [0, -b]], [[0], [-1]], [[1, 0]], oracles=[f], name=name, oracle_names=["f"])
