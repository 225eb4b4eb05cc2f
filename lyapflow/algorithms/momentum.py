"""Gradient methods with momentum: heavy ball, Nesterov's method, triple momentum.

All have the state ``(x_k, x_k - x_{k-1})``: unlike ``(x_k, x_{k-1})`` its parts stay of their own size where the
condition number is large, and so does V.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor

from ..classes.functions import SmoothStronglyConvex
from ..classes.inequalities import OperatorClass
from ..classes.special import Quadratic
from ..dynamics.checks import check_parameter
from ..dynamics.lure import LureSystem
from ..errors import InvalidModelError
from ..exact.elementary import bound_sqrt_above
from ..exact.rationals import rational, shorten, simplest_between

__all__ = ["heavy_ball", "nesterov", "nesterov_strongly_convex", "triple_momentum"]


def heavy_ball(f: OperatorClass, *, step: object, momentum: object) -> LureSystem:
    r"""Polyak's heavy-ball method.

    **Standard form.** :math:`x_{k+1} = x_k - \alpha\nabla f(x_k) + \beta(x_k - x_{k-1})`.

    **State space.** State :math:`(x_k, x_k - x_{k-1})`;
    ``A = [[1, momentum], [0, momentum]], B = [-step; -step], C = [1, 0], D = 0``.

    **Known guarantee** (tight, quadratics only). With ``step = (2/(sqrt(L) + sqrt(mu)))^2`` and
    ``momentum = ((sqrt(L) - sqrt(mu))/(sqrt(L) + sqrt(mu)))^2``, the spectral radius on quadratic functions is
    ``sqrt(momentum)`` (Polyak 1964). On F(mu, L) these parameters need not converge (Lessard, Recht, Packard 2016).

    Parameters
    ----------
    f : OperatorClass
        Class of the function.
    step : rational
        :math:`\alpha > 0`.
    momentum : rational
        :math:`\beta` in [0, 1).

    Returns
    -------
    LureSystem
        Two states, one oracle ``f``, in discrete time.

    Raises
    ------
    InvalidModelError
        If a parameter is out of range, or the class cannot be evaluated explicitly.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> heavy_ball(SmoothStronglyConvex(mu=1, L=10), step="1/10", momentum="1/2").shape
    (2, 1)
    """
    s, b = check_parameter("step", step), _check_momentum(momentum)
    return _two_step(f, s, b, Fraction(0), name=f"heavy ball, {_tell(s, b)}")


def nesterov(f: OperatorClass, *, step: object, momentum: object) -> LureSystem:
    r"""Nesterov's accelerated gradient method with constant momentum.

    **Standard form.** :math:`y_k = x_k + \beta(x_k - x_{k-1}),\ x_{k+1} = y_k - \alpha\nabla f(y_k)`.

    **State space.** State :math:`(x_k, x_k - x_{k-1})`;
    ``A = [[1, momentum], [0, momentum]], B = [-step; -step], C = [1, momentum], D = 0``.

    **Known guarantee.** See `nesterov_strongly_convex` for the textbook choice of both parameters.

    Parameters
    ----------
    f : OperatorClass
        Class of the function.
    step : rational
        :math:`\alpha > 0`.
    momentum : rational
        :math:`\beta` in [0, 1).

    Returns
    -------
    LureSystem
        Two states, one oracle ``f``, in discrete time.

    Raises
    ------
    InvalidModelError
        If a parameter is out of range, or the class cannot be evaluated explicitly.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> nesterov(SmoothStronglyConvex(mu=1, L=9), step="1/9", momentum="1/2").C
    ((Fraction(1, 1), Fraction(1, 2)),)
    """
    s, b = check_parameter("step", step), _check_momentum(momentum)
    return _two_step(f, s, b, b, name=f"Nesterov's method, {_tell(s, b)}")


def nesterov_strongly_convex(f: SmoothStronglyConvex | Quadratic) -> LureSystem:
    r"""Nesterov's method with the textbook parameters for F(mu, L).

    **Standard form.** That of `nesterov` with :math:`\alpha = 1/L` and
    :math:`\beta = (r - 1)/(r + 1),\ r = \sqrt{L/\mu}`.

    **State space.** That of `nesterov`. Where r is irrational, the simplest rational is taken that is above it by at
    most one part in :math:`10^{15}`: the parameters are those of a mu that is smaller by as little, and exact data of
    the system.

    **Known guarantee** (upper). :math:`f(x_k) - f^\star` decays with the factor :math:`1 - 1/r` per step (Nesterov
    2018), so the state norm with the factor :math:`\sqrt{1 - 1/r}`; the least factor that can be proved
    is smaller.

    Parameters
    ----------
    f : SmoothStronglyConvex or Quadratic
        Class of the function; it has the mu and L of the parameters.

    Returns
    -------
    LureSystem
        Two states, one oracle ``f``, in discrete time.

    Raises
    ------
    InvalidModelError
        If f is of another class.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> nesterov_strongly_convex(SmoothStronglyConvex(mu=1, L=9)).C
    ((Fraction(1, 1), Fraction(1, 2)),)
    """
    r = _root_condition("nesterov_strongly_convex", f)
    return nesterov(f, step=1 / f.L, momentum=(r - 1) / (r + 1))


def triple_momentum(f: SmoothStronglyConvex | Quadratic) -> LureSystem:
    r"""Triple momentum method, the fastest known one-gradient method on F(mu, L).

    **Standard form.** With :math:`\rho = 1 - 1/r,\ r = \sqrt{L/\mu}`, and
    :math:`\alpha = \frac{1+\rho}{L},\ \beta = \frac{\rho^2}{2-\rho},\ \gamma = \frac{\rho^2}{(1+\rho)(2-\rho)}`:

    .. math::
        \xi_{k+1} = (1+\beta)\xi_k - \beta\xi_{k-1} - \alpha\nabla f(y_k), \qquad
        y_k = (1+\gamma)\xi_k - \gamma\xi_{k-1}.

    **State space.** State :math:`(\xi_k, c(\xi_k - \xi_{k-1}))`, so that is the norm of a claim;
    ``A = [[1, beta/c], [0, beta]], B = [-alpha; -c alpha], C = [1, gamma/c], D = 0``. The scale c is the power of two
    nearest to :math:`\sqrt r`: with it V stays well conditioned up to very large condition numbers. Where r is
    irrational, it is rounded up as in `nesterov_strongly_convex`.

    **Known guarantee** (upper). Factor :math:`\rho` (Van Scoy, Freeman, Lynch 2018). A rational r above
    :math:`\sqrt{L/\mu}` belongs to a smaller mu, whose class contains f: so the factor ``1 - 1/r`` holds exactly.

    Parameters
    ----------
    f : SmoothStronglyConvex or Quadratic
        Class of the function; it has the mu and L of the parameters.

    Returns
    -------
    LureSystem
        Two states, one oracle ``f``, in discrete time.

    Raises
    ------
    InvalidModelError
        If f is of another class.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> triple_momentum(SmoothStronglyConvex(mu=1, L=9)).B  # rho = 2/3, c = 2
    ((Fraction(-5, 27),), (Fraction(-10, 27),))
    """
    r = _root_condition("triple_momentum", f)
    rho = 1 - 1 / r
    scale = Fraction(2) ** ((floor(f.L / f.mu).bit_length() + 1) // 4)
    alpha, beta = (1 + rho) / f.L, rho**2 / (2 - rho)
    return _two_step(f, alpha, beta, beta / (1 + rho), scale=scale, name="triple momentum")


def _two_step(
    f: OperatorClass, step: Fraction, momentum: Fraction, ahead: Fraction, *, name: str, scale: Fraction = Fraction(1)
) -> LureSystem:
    """State ``(x, d)`` with ``d = scale (x_k - x_{k-1})``; the gradient is taken ``ahead`` times the difference."""
    return LureSystem(
        [[1, momentum / scale], [0, momentum]],
        [[-step], [-scale * step]],
        [[1, ahead / scale]],
        oracles=[f],
        dt=1,
        name=name,
        oracle_names=["f"],
    )


def _check_momentum(momentum: object) -> Fraction:
    b = rational(momentum, name="momentum")
    if not 0 <= b < 1:
        raise InvalidModelError(f"momentum must be >= 0 and < 1, got {b}")
    return b


def _root_condition(owner: str, f: object) -> Fraction:
    """The square root of L/mu; where it is irrational, a short rational above it by at most 1e-15, relatively."""
    if not isinstance(f, SmoothStronglyConvex | Quadratic):
        raise InvalidModelError(
            f"{owner} takes its parameters from mu and L, so f must be SmoothStronglyConvex(mu, L) or "
            f"Quadratic(mu, L), got {f!r}"
        )
    if not f.mu:
        raise InvalidModelError(f"{owner} takes its parameters from mu > 0, got mu = 0")
    low = bound_sqrt_above(f.L / f.mu, digits=24)
    exact = low * low == f.L / f.mu
    return low if exact else simplest_between(low, low * (1 + Fraction(1, 10**15)))


def _tell(step: Fraction, momentum: Fraction) -> str:
    return f"step {shorten(step, most=20)}, momentum {shorten(momentum, most=20)}"
