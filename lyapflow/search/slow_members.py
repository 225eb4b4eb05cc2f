r"""Evidence against sublinear claims: convex functions along which the value is known to decay no faster.

* *Powers.* With :math:`f(y) = \tfrac{k}{q}|y|^q` a system that powers of time balance has the solution
  :math:`y = t^{-a}, a = e/(q-2)`, if the k that it needs is positive. There f is a multiple of
  :math:`t^{-(e+2a)}`: no order beyond e holds for all convex functions. Decided in rational arithmetic.
* *Momentum with damping r/t, r < 3.* For :math:`f = |y|` little is lost in the inequalities that prove the order
  :math:`w = 2r/3`: :math:`V' = -c\,t^{w-3}|y|^2 \ge -c\,V(t_0)^2 t^{-w-3}`, which is integrable. From a start near 0
  V stays above a positive number, and at the turning points, where :math:`\dot y = 0`, it is
  :math:`t^w f (1 + O(t^{-2}|y|))`.
* *Damping r/t, order above r.* With :math:`f = \tfrac k2|y|^2` the solution is
  :math:`t^{-\nu}J_\nu(\sqrt k\,t), \nu = \tfrac{r-1}2`, with peaks of the size :math:`t^{-r/2}` (DLMF 10.17.3),
  whatever the k.
* *Ever smaller quadratics, order above the degree e.* Time in units of :math:`s^{-1/e}` takes
  :math:`\tfrac s2|y|^2` to :math:`\tfrac12|y|^2`, so at a fixed number of units the value is a fixed part of s: no
  constant C(x0) is enough for all of a class that holds every small s.
* *Damping r/t, r <= 0.* The energy :math:`f + \tfrac12|\dot y|^2` of :math:`f = \tfrac12 |y|^2` never falls, and at the
  turning points it is f.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..classes import Convex, SmoothConvex
from ..dynamics import System
from ..errors import InvalidModelError
from ..exact.matrices import add, identity, inverse, multiply, scale
from ..exact.rationals import shorten
from ..lmi.logtime import LogTime, take_logarithmic_time

__all__ = ["SlowMember", "find_slow_member", "find_slow_quadratic"]

_MOST_HALVINGS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowMember:
    """A concrete convex function along which the value decays no faster than a power of time.

    Attributes
    ----------
    function : str
        The function.
    reason : str
        Why it is slow, in a clause.
    order : Fraction
        The power: no larger order holds. At most 0: the value does not decay.
    is_uniform : bool
        False if it takes many functions: each alone may decay faster, but with no common constant.
    """

    function: str
    reason: str
    order: Fraction
    is_uniform: bool = True

    def refutes(self, claimed: Fraction | None) -> bool:
        """Whether no such order holds (None: whether none at all does)."""
        return self.order <= 0 if claimed is None else self.order < claimed

    def __str__(self) -> str:
        if self.order <= 0:
            return f"for {self.function}, {self.reason}"
        power = f"1/t^({shorten(self.order, most=24)})"
        if not self.is_uniform:
            return f"for {self.function} no constant C(x0) is enough for all beyond {power}: {self.reason}"
        return f"for {self.function} the value decays no faster than {power}: {self.reason}"


def find_slow_member(system: System, order: Fraction | None) -> SlowMember | None:
    """A member that refutes an order (None: any order at all), if one is known.

    Examples
    --------
    >>> from lyapflow.flows import gradient_flow
    >>> print(find_slow_member(gradient_flow(Convex()), Fraction(3, 2)).function)
    f(x) = 1/35 |x|^7
    """
    quadratic = find_slow_quadratic(system, order)
    oracle = system.oracles[0]
    if order is None or (quadratic is not None and quadratic.order <= 0) or type(oracle) not in (Convex, SmoothConvex):
        return quadratic
    log, damping = take_logarithmic_time(system), _read_damping(system)
    if damping is not None and damping < 3:
        found = SlowMember(
            function="f(x) = |x|"
            + ("" if type(oracle) is Convex else ", which Huber functions approach from late starts,"),
            reason=f"V of order 2r/3 stays positive, r = {shorten(damping, most=24)} (Aujol et al. 2019)",
            order=2 * damping / 3,
        )
        return found if found.refutes(order) else None
    return _find_power(log, order, smooth=type(oracle) is SmoothConvex) or quadratic


def find_slow_quadratic(system: System, order: Fraction | None) -> SlowMember | None:
    """A quadratic member that refutes an order (None: any order at all), if one is known.

    Examples
    --------
    >>> from lyapflow.classes import Quadratic
    >>> from lyapflow.flows import nesterov_flow
    >>> find_slow_quadratic(nesterov_flow(Quadratic(1, 4), r=3), Fraction(4)).order
    Fraction(3, 1)
    """
    degree, damping = take_logarithmic_time(system).degree, _read_damping(system)
    bounds = system.oracles[0].linear_members()
    is_gradient_flow = len(system.modes[0].norm_above) == 1 and not any(map(any, system.modes[0].vertices[0].N))
    if bounds.upper == 0 or (damping is None and not is_gradient_flow):
        return None
    function = f"f(x) = {_curvature(system)}/2 |x|^2"
    if damping is not None and damping <= 0:
        reason = f"with damping {shorten(damping, most=24)}/t, the energy never falls"
        return SlowMember(function=function, reason=reason, order=Fraction(0))
    if order is None:
        return None
    found = []
    if damping is not None:
        reason = "x(t) is a Bessel function times a power of t (DLMF 10.17)"
        found.append(SlowMember(function=function, reason=reason, order=damping))
    if bounds.lower == 0:
        unit = "1/s" if degree == 1 else f"1/s^(1/{degree})"
        reason = f"at the time {unit} the value is still a fixed part of s"
        function = "f(x) = s/2 |x|^2 with ever smaller s"
        found.append(SlowMember(function=function, reason=reason, order=Fraction(degree), is_uniform=False))
    return min((slow for slow in found if slow.refutes(order)), key=lambda slow: slow.order, default=None)


def _curvature(system: System) -> Fraction:
    """The curvature of a quadratic member."""
    bounds = system.oracles[0].linear_members()
    return max(bounds.lower or Fraction(0), Fraction(1)) if bounds.upper is None else bounds.upper


def _read_damping(system: System) -> Fraction | None:
    """r, if the system is ``x'' + (r/t) x' + c grad f(x) = 0``."""
    zero, one = Fraction(0), Fraction(1)
    (plant,) = system.modes[0].vertices
    r, gain = -plant.N[1][1] if len(plant.A) == 2 else zero, -plant.B[-1][0]
    form = (((zero, one), (zero, zero)), ((zero, zero), (zero, -r)), ((zero,), (-gain,)), ((one, zero),))
    return r if form == (plant.A, plant.N, plant.B, plant.C) and gain > 0 else None


def _find_power(log: LogTime, order: Fraction, *, smooth: bool) -> SlowMember | None:
    """The least flat power among ever flatter ones that is slower than the order."""
    excess = order - log.degree
    if excess <= 0:
        return None
    a = excess / 2
    for _ in range(_MOST_HALVINGS):
        q = 3 + int(log.degree / a)  # a = e/(q - 2) is less than half of the excess
        a = Fraction(log.degree, q - 2)
        k = _find_gain(log, a)
        if k is not None and k > 0 and log.degree + 2 * a < order:
            where = ", continued linearly beyond the start," if smooth else ""
            return SlowMember(
                function=f"f(x) = {shorten(k / q, most=24)} |x|^{q}{where}",
                reason=f"x(t) = t^(-{a}) is a solution",
                order=log.degree + 2 * a,
            )
        a /= 2
    return None


def _find_gain(log: LogTime, a: Fraction) -> Fraction | None:
    """Gain k > 0 with the solution ``y = t^-a`` for ``u = k |y|^(q-2) y``: ``-a xi = A' xi + B' k``, ``C xi = 1``."""
    plant = log.plant
    moved = add(plant.A, scale(a, identity(len(plant.A))))
    try:
        response = multiply(plant.C, multiply(inverse(moved), plant.B))[0][0]
    except InvalidModelError:
        return None
    return -1 / response if response else None
