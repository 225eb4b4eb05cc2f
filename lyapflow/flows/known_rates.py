"""Published rates of the primal-dual flow, in closed form: what a proved rate is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..classes import SmoothStronglyConvex
from ..classes.inequalities import OperatorClass
from ..dynamics.checks import check_parameter
from ..dynamics.singular import read_interval
from ..errors import InvalidModelError

__all__ = ["PrimalDualRates", "list_primal_dual_rates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimalDualRates:
    """Rates of the state norm in closed form, in 1/(time unit); V decays at twice these.

    Attributes
    ----------
    qu_li : Fraction
        That of Qu and Li (2019).
    improved : Fraction
        With the same form of V and a smaller constant in it.
    """

    qu_li: Fraction
    improved: Fraction


def list_primal_dual_rates(f: OperatorClass, *, singular_values: object, dual_gain: object = 1) -> PrimalDualRates:
    r"""Closed-form rates of the primal-dual flow without augmentation, for every E with singular values in an interval.

    With :math:`s_- \le s \le s_+` the singular values and :math:`V = z^\top P z`,
    :math:`P = \begin{pmatrix}\eta c I & \eta E^\top\\ \eta E & c I\end{pmatrix}`, the flow satisfies
    :math:`\dot V \le -2\rho V` with :math:`\rho = \eta s_-^2/(2c)` and

    * :math:`c = 4\max(L, \eta s_+^2/\mu)` (Qu, Li 2019), or
    * :math:`c = \max\bigl(\tfrac L2 + \tfrac{3\eta s_+^2}{2L}, \tfrac\mu2 + \tfrac{3\eta s_+^2}{2\mu}\bigr)`,
      which is at most half of it (derived).

    Parameters
    ----------
    f : SmoothStronglyConvex
        Class of the objective.
    singular_values : (rational, rational)
        ``(low, high)``, ``low > 0``.
    dual_gain : rational, default 1
        :math:`\eta > 0`.

    Returns
    -------
    PrimalDualRates
        Exact; what `certify` proves for the same flow is not less.

    Raises
    ------
    InvalidModelError
        If f is of another class, or a number is out of range.

    Examples
    --------
    >>> list_primal_dual_rates(SmoothStronglyConvex(1, 10), singular_values=(1, 3))
    PrimalDualRates(qu_li=Fraction(1, 80), improved=Fraction(1, 28))
    """
    if not isinstance(f, SmoothStronglyConvex):
        raise InvalidModelError(f"the closed forms are for SmoothStronglyConvex(mu, L), got {f!r}")
    low, high = read_interval(singular_values)
    gain = check_parameter("dual_gain", dual_gain)
    if low == 0:
        raise InvalidModelError(f"singular_values must have low > 0, got {singular_values!r}")
    most = gain * high**2
    published = 4 * max(f.L, most / f.mu)
    improved = max(m / 2 + 3 * most / (2 * m) for m in (f.mu, f.L))
    return PrimalDualRates(qu_li=gain * low**2 / (2 * published), improved=gain * low**2 / (2 * improved))
