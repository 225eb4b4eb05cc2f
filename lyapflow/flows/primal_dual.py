"""Primal-dual gradient flow for linear constraints."""

from __future__ import annotations

from ..classes.inequalities import OperatorClass
from ..dynamics.constrained import PrimalDualSystem

__all__ = ["primal_dual_flow"]


def primal_dual_flow(
    f: OperatorClass, *, constraint: object, dual_gain: object = 1, augmentation: object = 0
) -> PrimalDualSystem:
    r"""Primal-dual gradient flow of ``min f(x)`` subject to ``E x = b``.

    **Standard form.** :math:`\dot x = -\nabla f(x) - E^\top\lambda - a E^\top(E x - b),\
    \dot\lambda = \eta(E x - b)`.

    **State space.** One mode per singular value of E, see `PrimalDualSystem`.

    **Known guarantee** (lower). Qu, Li (2019): rate
    ``min(eta smin^2 / (4 L), mu smin^2 / (4 smax^2)) / 2`` of the state norm for f in F(mu, L), a = 0.

    Parameters
    ----------
    f : OperatorClass
        Class of the objective.
    constraint : (m, n) array_like
        E, of full row rank; b does not enter the certificate.
    dual_gain : rational, default 1
        :math:`\eta > 0`.
    augmentation : rational, default 0
        :math:`a \ge 0`.

    Returns
    -------
    PrimalDualSystem
        State :math:`(x, \lambda)`, oracle ``f``.

    Raises
    ------
    InvalidModelError
        If a gain is out of range, or E has not full row rank.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> flow = primal_dual_flow(SmoothStronglyConvex(1, 10), constraint=[[1, 0, 0], [0, 3, 0]])
    >>> [mode.label for mode in flow.modes]
    ['sigma1', 'sigma2', 'null']
    """
    return PrimalDualSystem(f, constraint, dual_gain=dual_gain, augmentation=augmentation)
