"""Methods for saddle points and monotone inclusions: extragradient, optimistic gradient, Tseng's method.

Extragradient and Tseng's method evaluate one operator twice per step: two oracles of one group, so that the class
inequalities between the two points are known. No rate can be proved without them.
"""

from __future__ import annotations

from ..classes.inequalities import OperatorClass
from ..dynamics.checks import check_parameter, check_shifts
from ..dynamics.lure import LureSystem
from ..exact.rationals import shorten

__all__ = ["extragradient", "optimistic_gradient", "tseng"]


def extragradient(F: OperatorClass, *, step: object) -> LureSystem:
    r"""Korpelevich's extragradient method for ``F(x) = 0``.

    **Standard form.** :math:`\bar x_k = x_k - \gamma F(x_k),\ x_{k+1} = x_k - \gamma F(\bar x_k)`.

    **State space.** :math:`y_1 = x,\ y_2 = x - \gamma u_1,\ x^+ = x - \gamma u_2`, with both oracles in one group;
    state :math:`x_k`.

    **Known guarantee.** Linear convergence for a strongly monotone and L-Lipschitz operator (`Intersection` of the two
    classes) and ``step < 1/L`` (Tseng 1995); no tight factor is listed.

    Parameters
    ----------
    F : OperatorClass
        Class of the operator, single valued.
    step : rational
        :math:`\gamma > 0`.

    Returns
    -------
    LureSystem
        One state, oracles ``F1`` (at the base point) and ``F2`` (at the midpoint), in discrete time.

    Raises
    ------
    InvalidModelError
        If the step is not positive, or the class cannot be evaluated explicitly.

    Examples
    --------
    >>> from lyapflow.classes import Intersection, Lipschitz, StronglyMonotone
    >>> method = extragradient(Intersection(StronglyMonotone(1), Lipschitz(10)), step="1/20")
    >>> method.oracle_names, method.groups
    (('F1', 'F2'), (0, 0))
    """
    s = check_parameter("step", step)
    return LureSystem(
        [[1]],
        [[0, -s]],
        [[1], [1]],
        [[0, 0], [-s, 0]],
        oracles=[F, F],
        dt=1,
        name=f"extragradient method, step {shorten(s, most=20)}",
        oracle_names=["F1", "F2"],
        groups=[0, 0],
    )


def optimistic_gradient(F: OperatorClass, *, step: object) -> LureSystem:
    r"""Optimistic gradient (past extragradient, Popov's) method for ``F(x) = 0``.

    **Standard form.** :math:`x_{k+1} = x_k - \gamma\bigl(2F(x_k) - F(x_{k-1})\bigr)`.

    **State space.** State :math:`(x_k, z_k)` with :math:`z_k = x_k + \gamma F(x_{k-1})`, Popov's base point:
    :math:`x^+ = z - 2\gamma u,\ z^+ = z - \gamma u`, ``u`` evaluated at x. One evaluation per step, so one oracle.

    **Known guarantee** (upper). For a mu-strongly monotone and L-Lipschitz operator (`Intersection` of the two classes)
    and ``step = 1/(4 L)``: factor ``sqrt(1 - mu/(4 L))`` (Gidel, Berard, Vignoud, Vincent, Lacoste-Julien 2019); the
    least factor that can be proved is smaller. V must contain :math:`F(x_k)`.

    Parameters
    ----------
    F : OperatorClass
        Class of the operator, single valued.
    step : rational
        :math:`\gamma > 0`.

    Returns
    -------
    LureSystem
        Two states, one oracle ``F``, in discrete time.

    Raises
    ------
    InvalidModelError
        If the step is not positive, or the class cannot be evaluated explicitly.

    Examples
    --------
    >>> from lyapflow.classes import Intersection, Lipschitz, StronglyMonotone
    >>> optimistic_gradient(Intersection(StronglyMonotone(1), Lipschitz(10)), step="1/20").shape
    (2, 1)
    """
    s = check_parameter("step", step)
    return LureSystem(
        [[0, 1], [0, 1]],
        [[-2 * s], [-s]],
        [[1, 0]],
        oracles=[F],
        dt=1,
        name=f"optimistic gradient method, step {shorten(s, most=20)}",
        oracle_names=["F"],
    )


def tseng(A: OperatorClass, B: OperatorClass, *, step: object) -> LureSystem:
    r"""Tseng's forward-backward-forward method for ``0 in A(x) + B(x)``.

    **Standard form.** :math:`\bar x_k = J_{\gamma A}(x_k - \gamma B(x_k)),\
    x_{k+1} = \bar x_k - \gamma\bigl(B(\bar x_k) - B(x_k)\bigr)`.

    **State space.** :math:`y_1 = x,\ y_A = y_2 = x - \gamma u_1 - \gamma u_A,\
    x^+ = x - \gamma u_A - \gamma u_2`, with both evaluations of B in one group; state :math:`x_k`.

    **Known guarantee.** Converges for monotone A and monotone, L-Lipschitz B with ``step < 1/L``, linearly if A or B is
    strongly monotone (Tseng 2000); no tight factor is listed.

    Parameters
    ----------
    A : OperatorClass
        Class of the operator (or function) whose resolvent is taken.
    B : OperatorClass
        Class of the single-valued operator.
    step : rational
        :math:`\gamma > 0`.

    Returns
    -------
    LureSystem
        One state; oracles ``B1``, ``A``, ``B2`` in the order of evaluation; in discrete time.

    Raises
    ------
    InvalidModelError
        If the step is not positive, or a class does not fit its place.

    Examples
    --------
    >>> from lyapflow.classes import Intersection, Lipschitz, Monotone, StronglyMonotone
    >>> tseng(Monotone(), Intersection(StronglyMonotone(1), Lipschitz(10)), step="1/20").groups
    (0, 1, 0)
    """
    s = check_parameter("step", step)
    check_shifts(A=A, B=B)
    return LureSystem(
        [[1]],
        [[0, -s, -s]],
        [[1], [1], [1]],
        [[0, 0, 0], [-s, -s, 0], [-s, -s, 0]],
        oracles=[B, A, B],
        dt=1,
        name=f"Tseng's method, step {shorten(s, most=20)}",
        oracle_names=["B1", "A", "B2"],
        groups=[0, 1, 0],
    )
