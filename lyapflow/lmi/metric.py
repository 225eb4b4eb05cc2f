r"""Splitting with a quadratic f as a gradient in a variable metric.

Let f be quadratic with Hessian Q, :math:`\mu I \preceq Q \preceq LI`, g closed, proper and convex, and
:math:`\gamma L < 1`. Then the generalised gradient of a splitting step is the gradient of an envelope of ``f + g`` in
the inner product :math:`\langle a, Wb\rangle`, and the envelope belongs to :math:`\mathcal F(\mu', L')` there:

* forward-backward, :math:`G = (x - \mathrm{prox}_{\gamma g}(x - \gamma\nabla f))/\gamma`: :math:`W = I - \gamma Q`,
  :math:`\mu' = \mu`, :math:`L' = 1/\gamma`. For :math:`J = \tfrac12x^\top QWx + M(Wx)` plus linear terms, M the Moreau
  envelope of g, and in the coordinates :math:`W^{1/2}x` its Hessian is :math:`Q + W^{1/2}M''W^{1/2}` with
  :math:`0 \preceq M'' \preceq I/\gamma`, and :math:`Q + W/\gamma = I/\gamma`.
* Douglas-Rachford, :math:`G = (x - y)/\gamma`, :math:`x = \mathrm{prox}_{\gamma f}(z)`,
  :math:`y = \mathrm{prox}_{\gamma g}(2x - z)`: with :math:`R = (I + \gamma Q)^{-1}`, :math:`W = 2R - I`, the Hessian
  is :math:`(R - W^{1/2}TW^{1/2})/\gamma`, T the derivative of the prox, :math:`0 \preceq T \preceq I`. It lies between
  :math:`(I - R)/\gamma` and :math:`R/\gamma`, so :math:`\mu' = \mu/(1 + \gamma\mu)` and
  :math:`L' = 1/(\gamma(1 + \gamma\mu))`.

(Second derivatives where they exist, which is almost everywhere; the inequalities follow by integration.) A splitting
flow that sees f and g only through G is thus a flow with one oracle, and what is proved of that holds in the norm of W.
The minimum of the envelope is that of ``f + g``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..classes import (
    Convex,
    ConvexIndicator,
    OperatorClass,
    Quadratic,
    SmoothConvex,
    SmoothStronglyConvex,
    StronglyConvex,
    SupportFunction,
)
from ..dynamics import LureSystem, System
from ..errors import InvalidModelError

__all__ = ["DOUGLAS_RACHFORD", "FORWARD_BACKWARD", "Reduction", "find_reduction", "reduce_splitting"]

FORWARD_BACKWARD, DOUGLAS_RACHFORD = "forward-backward", "Douglas-Rachford"

_CONVEX = (
    Convex,
    ConvexIndicator,
    SupportFunction,
    StronglyConvex,
    SmoothConvex,
    SmoothStronglyConvex,
    Quadratic,
)


@dataclass(frozen=True, slots=True)
class Reduction:
    """A splitting system as one with a single oracle, in a metric of its own.

    Attributes
    ----------
    plant : LureSystem
        The system with the gradient of the envelope as its oracle.
    kind : str
        `FORWARD_BACKWARD` or `DOUGLAS_RACHFORD`.
    step : Fraction
        The prox step.
    least, largest : Fraction
        Bounds of the spectrum of W, both positive.
    """

    plant: LureSystem
    kind: str
    step: Fraction
    least: Fraction
    largest: Fraction


def find_reduction(system: System) -> Reduction | None:
    """The reduction of a system; None if it has none."""
    if not isinstance(system, LureSystem) or system.dt or len(system.oracles) != 2 or system.groups != (0, 1):
        return None
    f, g = system.oracles
    kind, step = _read_kind(system)
    if type(f) is not Quadratic or type(g) not in _CONVEX or step <= 0 or step * f.L >= 1:
        return None
    if kind == FORWARD_BACKWARD:
        mu, L = f.mu, 1 / step
        least, largest = 1 - step * f.L, 1 - step * f.mu
    else:
        mu, L = f.mu / (1 + step * f.mu), 1 / (step * (1 + step * f.mu))
        least, largest = ((1 - step * q) / (1 + step * q) for q in (f.L, f.mu))
    oracle: OperatorClass = SmoothStronglyConvex(mu, L) if mu else SmoothConvex(L)
    B = [[row[0]] for row in system.B]
    name = "FBE" if kind == FORWARD_BACKWARD else "DRE"
    plant = LureSystem(system.A, B, [system.C[0]], oracles=[oracle], oracle_names=[name], name=system.name, N=system.N)
    return Reduction(plant, kind, step, least, largest)


def _read_kind(system: LureSystem) -> tuple[str, Fraction]:
    """Which splitting, and its step; a step of 0 for neither."""
    zero, step = Fraction(0), -system.D[1][1]
    same = system.C[0] == system.C[1] and all(row[0] == row[1] for row in system.B)
    if same and ((zero, zero), (-step, -step)) == system.D:
        return FORWARD_BACKWARD, step
    if same and ((-step, zero), (-2 * step, -step)) == system.D:
        return DOUGLAS_RACHFORD, step
    return "", zero


def reduce_splitting(system: System) -> Reduction:
    """The reduction of a system.

    Raises
    ------
    InvalidModelError
        If it has none.
    """
    found = find_reduction(system)
    if found is None:
        raise InvalidModelError(
            "VariableMetric needs a forward-backward or Douglas-Rachford flow with f of class Quadratic(mu, L), a "
            f"convex g and step * L < 1, got {system.name!r}"
        )
    return found
