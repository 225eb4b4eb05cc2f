"""Splitting methods: proximal gradient, Douglas-Rachford, Davis-Yin.

A prox step is a subgradient evaluated at the prox point, ``y = prox_{step g}(v)``, ``u = (v - y) / step``, so each
method is a Lur'e system with ``-step`` on the diagonal of D.
"""

from __future__ import annotations

from ..classes.inequalities import OperatorClass
from ..dynamics.checks import check_parameter, check_shifts
from ..dynamics.lure import LureSystem
from ..exact.rationals import shorten

__all__ = ["davis_yin", "douglas_rachford", "proximal_gradient"]


def proximal_gradient(f: OperatorClass, g: OperatorClass, *, step: object) -> LureSystem:
    r"""Proximal gradient (forward-backward) method for ``min f + g``.

    **Standard form.** :math:`x_{k+1} = \mathrm{prox}_{\gamma g}(x_k - \gamma\nabla f(x_k))`.

    **State space.** :math:`y_f = x,\ y_g = x - \gamma u_f - \gamma u_g,\ x^+ = y_g`; state :math:`x_k`.

    **Known guarantee** (tight). For f in F(mu, L), convex g and ``step < 2/L``: factor
    ``max(|1 - step mu|, |1 - step L|)`` (Taylor, Hendrickx, Glineur 2018).

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
        One state, oracles ``f`` and ``g``, in discrete time.

    Raises
    ------
    InvalidModelError
        If the step is not positive, or a class does not fit its place.

    Examples
    --------
    >>> from lyapflow.classes import Convex, SmoothStronglyConvex
    >>> proximal_gradient(SmoothStronglyConvex(1, 10), Convex(), step="1/10").oracle_names
    ('f', 'g')
    """
    s = check_parameter("step", step)
    check_shifts(f=f, g=g)
    return LureSystem(
        [[1]],
        [[-s, -s]],
        [[1], [1]],
        [[0, 0], [-s, -s]],
        oracles=[f, g],
        dt=1,
        name=f"proximal gradient method, step {shorten(s, most=20)}",
        oracle_names=["f", "g"],
    )


def douglas_rachford(f: OperatorClass, g: OperatorClass, *, step: object, relaxation: object = 1) -> LureSystem:
    r"""Douglas-Rachford splitting for ``min f + g``, relaxed.

    **Standard form.** With :math:`x_k = \mathrm{prox}_{\gamma f}(z_k)`:
    :math:`z_{k+1} = z_k + \lambda\bigl(\mathrm{prox}_{\gamma g}(2x_k - z_k) - x_k\bigr)`; the classical method has
    relaxation 1, the Peaceman-Rachford method 2.

    **State space.** :math:`y_f = z - \gamma u_f,\ y_g = z - 2\gamma u_f - \gamma u_g,\
    z^+ = z - \lambda\gamma(u_f + u_g)`; state :math:`z_k`.

    **Known guarantee** (tight). f in F(mu, L), g convex: factor ``|1 - relaxation/2| + (relaxation/2) q`` with
    ``q = max((1 - step mu)/(1 + step mu), (step L - 1)/(step L + 1))``, below 1 for ``relaxation < 4/(1 + q)``
    (Giselsson, Boyd 2017).

    Parameters
    ----------
    f, g : OperatorClass
        Classes of the two functions (or monotone operators).
    step : rational
        Prox step :math:`\gamma > 0`.
    relaxation : rational, default 1
        :math:`\lambda > 0`.

    Returns
    -------
    LureSystem
        One state z, oracles ``f`` and ``g``, in discrete time; the minimiser is ``prox_{step f}(z*)``.

    Raises
    ------
    InvalidModelError
        If a parameter is not positive, or a class does not fit its place.

    Examples
    --------
    >>> from lyapflow.classes import Convex, SmoothStronglyConvex
    >>> douglas_rachford(SmoothStronglyConvex(1, 10), Convex(), step="1/3").D
    ((Fraction(-1, 3), Fraction(0, 1)), (Fraction(-2, 3), Fraction(-1, 3)))
    """
    s, r = check_parameter("step", step), check_parameter("relaxation", relaxation)
    check_shifts(f=f, g=g)
    return LureSystem(
        [[1]],
        [[-r * s, -r * s]],
        [[1], [1]],
        [[-s, 0], [-2 * s, -s]],
        oracles=[f, g],
        dt=1,
        name=f"Douglas-Rachford splitting, step {shorten(s, most=20)}, relaxation {shorten(r, most=20)}",
        oracle_names=["f", "g"],
    )


def davis_yin(
    f: OperatorClass, g: OperatorClass, h: OperatorClass, *, step: object, relaxation: object = 1
) -> LureSystem:
    r"""Davis-Yin (three-operator) splitting for ``min f + g + h``, with h smooth.

    **Standard form.** With :math:`x_k = \mathrm{prox}_{\gamma f}(z_k)`:
    :math:`z_{k+1} = z_k + \lambda\bigl(\mathrm{prox}_{\gamma g}(2x_k - z_k - \gamma\nabla h(x_k)) - x_k\bigr)`.

    **State space.** :math:`y_f = z - \gamma u_f,\ y_h = y_f,\
    y_g = z - 2\gamma u_f - \gamma u_h - \gamma u_g,\ z^+ = z - \lambda\gamma(u_f + u_h + u_g)`; state :math:`z_k`.

    **Known guarantee.** Linear convergence where one function is strongly convex and one smooth (Davis, Yin 2017); no
    tight factor is listed. With ``h = 0`` it is Douglas-Rachford splitting, with ``f = 0`` the proximal gradient
    method, relaxed.

    Parameters
    ----------
    f, g : OperatorClass
        Classes of the functions whose prox is taken.
    h : OperatorClass
        Class of the smooth function, evaluated explicitly at ``prox_{step f}(z)``.
    step : rational
        Prox step :math:`\gamma > 0`.
    relaxation : rational, default 1
        :math:`\lambda > 0`.

    Returns
    -------
    LureSystem
        One state z; oracles ``f``, ``h``, ``g`` in the order of evaluation; in discrete time.

    Raises
    ------
    InvalidModelError
        If a parameter is not positive, or a class does not fit its place.

    Examples
    --------
    >>> from lyapflow.classes import Convex, SmoothConvex, SmoothStronglyConvex
    >>> davis_yin(SmoothStronglyConvex(1, 10), Convex(), SmoothConvex(4), step="1/5").oracle_names
    ('f', 'h', 'g')
    """
    s, r = check_parameter("step", step), check_parameter("relaxation", relaxation)
    check_shifts(f=f, g=g, h=h)
    return LureSystem(
        [[1]],
        [[-r * s, -r * s, -r * s]],
        [[1], [1], [1]],
        [[-s, 0, 0], [-s, 0, 0], [-2 * s, -s, -s]],
        oracles=[f, h, g],
        dt=1,
        name=f"Davis-Yin splitting, step {shorten(s, most=20)}, relaxation {shorten(r, most=20)}",
        oracle_names=["f", "h", "g"],
    )
