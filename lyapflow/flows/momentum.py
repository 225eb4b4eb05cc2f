"""Gradient flow and flows with momentum."""

from __future__ import annotations

from ..classes.inequalities import OperatorClass
from ..dynamics.checks import check_parameter
from ..dynamics.lure import LureSystem
from ..exact.rationals import rational, shorten

__all__ = ["gradient_flow", "heavy_ball_flow", "hessian_damped_flow", "nesterov_flow"]


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


def nesterov_flow(f: OperatorClass, *, r: object = 3) -> LureSystem:
    r"""Nesterov flow: momentum with vanishing damping, the limit of Nesterov's method for convex functions.

    **Standard form.** :math:`\ddot x + \frac{r}{t}\,\dot x + \nabla f(x) = 0`, for t > 0.

    **State space.** State :math:`(x, \dot x)`; ``A = [[0, 1], [0, 0]]``, ``N = [[0, 0], [0, -r]]``, ``B = [0; -1]``,
    ``C = [1, 0]``.

    **Known guarantee.** For convex f, ``f - f* = O(1/t^2)`` for r >= 3 (Su, Boyd, Candes 2016, Theorem 5) and
    ``O(1/t^(2r/3))`` below (Attouch, Chbani, Riahi 2019); ask for it with `SublinearDecay`.

    Parameters
    ----------
    f : OperatorClass
        Class of the function.
    r : rational, default 3
        Damping times time, without unit. Nothing decays for r <= 0.

    Returns
    -------
    LureSystem
        Two states, one oracle ``f``; varies with time.

    Examples
    --------
    >>> from lyapflow.classes import Convex
    >>> nesterov_flow(Convex(), r=3).N[1][1]
    Fraction(-3, 1)
    """
    k = rational(r, name="r")
    name = f"Nesterov flow, damping {shorten(k, most=20)}/t"
    return LureSystem(
        [[0, 1], [0, 0]], [[0], [-1]], [[1, 0]], N=[[0, 0], [0, -k]], oracles=[f], name=name, oracle_names=["f"]
    )


def hessian_damped_flow(f: OperatorClass, *, damping: object, hessian_damping: object, gain: object = 1) -> LureSystem:
    r"""Heavy-ball flow with Hessian-driven damping; the high-resolution limit of Nesterov's method is one.

    **Standard form.** :math:`\ddot x + b\,\dot x + h\,\nabla^2 f(x)\,\dot x + a\,\nabla f(x) = 0` with damping b,
    Hessian damping h and gain a.

    **State space.** State :math:`(x, w)` with :math:`w = \dot x + h\nabla f(x)`, which needs no second derivative;
    ``A = [[0, 1], [0, -b]], B = [-h; b h - a], C = [1, 0], D = 0``.

    **Known guarantee** (lower). Rate ``sqrt(mu)/8`` of the state norm at ``b = 2 sqrt(mu), h = sqrt(s),
    a = 1 + sqrt(mu s)`` with ``s <= 1/L`` (Shi, Du, Jordan, Su 2022, for the function value ``sqrt(mu)/4``).

    Parameters
    ----------
    f : OperatorClass
        Class of the function.
    damping : rational
        b > 0, in 1/(time unit).
    hessian_damping : rational
        h > 0, in time units.
    gain : rational, default 1
        a > 0.

    Returns
    -------
    LureSystem
        Two states, one oracle ``f``.

    Raises
    ------
    InvalidModelError
        If a parameter is not positive.
    """
    b, h, a = (
        check_parameter(name, value)
        for name, value in (("damping", damping), ("hessian_damping", hessian_damping), ("gain", gain))
    )
    name = f"Hessian-damped flow, damping {shorten(b, most=20)}, Hessian damping {shorten(h, most=20)}"
    name += "" if a == 1 else f", gain {shorten(a, most=20)}"
    return LureSystem([[0, 1], [0, -b]], [[-h], [b * h - a]], [[1, 0]], oracles=[f], name=name, oracle_names=["f"])
