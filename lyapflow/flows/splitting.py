"""Splitting flows: forward-backward, Douglas-Rachford, Davis-Yin.

A prox step is a subgradient evaluated at the prox point, ``y = prox_{step g}(v)``, ``u = (v - y) / step``, so each
flow is a Lur'e system with ``-step`` on the diagonal of D.
"""

from __future__ import annotations

from ..classes.inequalities import OperatorClass
from ..dynamics.checks import check_parameter, check_shifts
from ..dynamics.lure import LureSystem
from ..exact.rationals import shorten

__all__ = ["davis_yin_flow", "douglas_rachford_flow", "forward_backward_flow"]


def forward_backward_flow(f: OperatorClass, g: OperatorClass, *, step: object) -> LureSystem:
    r"""Forward-backward (proximal gradient) flow of ``min f + g``.

    **Standard form.** :math:`\dot x = \mathrm{prox}_{\gamma g}(x - \gamma\nabla f(x)) - x`.

    **State space.** :math:`y_1 = x,\ y_2 = x - \gamma u_1 - \gamma u_2,\ \dot x = -\gamma(u_1 + u_2)`.

    **Known guarantee** (tight). For f in F(mu, L) and convex g, step ``<= 4/(L + 3 mu)``: rate ``step * mu``; global
    exponential stability by IQCs in Hassan-Moghaddam, Jovanovic (2021).

    Parameters
    ----------
    f : OperatorClass
        Class of the smooth function, evaluated explicitly.
    g : OperatorClass
        Class of the function whose prox is taken.
    step : rational
        Prox step :math:`\gamma > 0`.

    Returns
    -------
    LureSystem
        One state x, oracles ``f`` and ``g``.

    Raises
    ------
    InvalidModelError
        If the step is not positive.
    """
    s = check_parameter("step", step)
    check_shifts(f=f, g=g)
    return LureSystem(
        [[0]],
        [[-s, -s]],
        [[1], [1]],
        [[0, 0], [-s, -s]],
        oracles=[f, g],
        name=f"forward-backward flow, step {shorten(s, most=20)}",
        oracle_names=["f", "g"],
    )


def douglas_rachford_flow(f: OperatorClass, g: OperatorClass, *, step: object) -> LureSystem:
    r"""Douglas-Rachford flow of ``min f + g``.

    **Standard form.**
    :math:`\dot z = \mathrm{prox}_{\gamma g}(2\,\mathrm{prox}_{\gamma f}(z) - z) - \mathrm{prox}_{\gamma f}(z)`.

    **State space.** :math:`y_1 = z - \gamma u_1,\ y_2 = z - 2\gamma u_1 - \gamma u_2,\
    \dot z = -\gamma(u_1 + u_2)`.

    **Known guarantee** (tight). f in F(mu, L), g convex: rate ``(1 - q)/2`` with
    ``q = max((1 - step mu)/(1 + step mu), (step L - 1)/(step L + 1))``, from the contraction of the reflected resolvent
    (Giselsson, Boyd 2017).

    Parameters
    ----------
    f, g : OperatorClass
        Classes of the two functions (or monotone operators).
    step : rational
        Prox step :math:`\gamma > 0`.

    Returns
    -------
    LureSystem
        One state z, oracles ``f`` and ``g``; the minimiser is ``prox_{step f}(z*)``.

    Raises
    ------
    InvalidModelError
        If the step is not positive.
    """
    s = check_parameter("step", step)
    check_shifts(f=f, g=g)
    return LureSystem(
        [[0]],
        [[-s, -s]],
        [[1], [1]],
        [[-s, 0], [-2 * s, -s]],
        oracles=[f, g],
        name=f"Douglas-Rachford flow, step {shorten(s, most=20)}",
        oracle_names=["f", "g"],
    )


def davis_yin_flow(f: OperatorClass, g: OperatorClass, h: OperatorClass, *, step: object) -> LureSystem:
    r"""Davis-Yin (three-operator) flow of ``min f + g + h``, with h smooth.

    **Standard form.** With :math:`x_f = \mathrm{prox}_{\gamma f}(z)`:
    :math:`\dot z = \mathrm{prox}_{\gamma g}(2 x_f - z - \gamma\nabla h(x_f)) - x_f`.

    **State space.** :math:`y_f = z - \gamma u_f,\ y_h = y_f,\
    y_g = z - 2\gamma u_f - \gamma u_h - \gamma u_g,\ \dot z = -\gamma(u_f + u_h + u_g)`.

    **Known guarantee.** The iteration is that of Davis, Yin (2017); the flow is its limit of small relaxation. With
    ``h = 0`` it is the Douglas-Rachford flow, with ``f = 0`` the forward-backward flow.

    Parameters
    ----------
    f, g : OperatorClass
        Classes of the functions whose prox is taken.
    h : OperatorClass
        Class of the smooth function, evaluated explicitly at ``prox_{step f}(z)``.
    step : rational
        Prox step :math:`\gamma > 0`.

    Returns
    -------
    LureSystem
        One state z; oracles ``f``, ``h``, ``g`` in the order of evaluation.

    Raises
    ------
    InvalidModelError
        If the step is not positive.
    """
    s = check_parameter("step", step)
    check_shifts(f=f, g=g, h=h)
    return LureSystem(
        [[0]],
        [[-s, -s, -s]],
        [[1], [1], [1]],
        [[-s, 0, 0], [-s, 0, 0], [-2 * s, -s, -s]],
        oracles=[f, h, g],
        name=f"Davis-Yin flow, step {shorten(s, most=20)}",
        oracle_names=["f", "h", "g"],
    )
