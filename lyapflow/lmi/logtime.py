r"""Logarithmic time: a flow whose decay is a power of time, as one that does not vary with time.

With :math:`s = \ln t`, states multiplied by powers of t, :math:`\xi_i = t^{d_i}\tilde x_i`, and the output of the
oracle by another, :math:`z = t^{e}\tilde u`, the flow :math:`\dot x = (A + N/t)x + Bu` becomes
:math:`\mathrm d\xi/\mathrm ds = A'\xi + B'z` with constant matrices, if powers exist that balance all terms: momentum
with damping r/t has ``d = (0, 1)`` and ``e = 2``, the gradient flow ``d = 0`` and ``e = 1``. Then

.. math:: V(t) = t^{p-e}\,W, \qquad W = \lambda\,t^{e}\varphi + \xi^\top P\xi

never grows if :math:`\mathrm dW/\mathrm ds + (p - e)\,W \le 0`: the order p of the decay plays the part of a rate. What
is known of the oracle must not change when time is scaled, so a class counts as the cone of convex functions around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..classes import (
    Convex,
    Intersection,
    Quadratic,
    SmoothConvex,
    SmoothStronglyConvex,
    StronglyConvex,
)
from ..classes.inequalities import OperatorClass
from ..dynamics import LureSystem, System
from ..errors import InvalidModelError
from ..exact.dense import dense, reduced_rows
from ..exact.matrices import Matrix

__all__ = ["LogTime", "take_logarithmic_time"]

_CONVEX = (Convex, StronglyConvex, SmoothConvex, SmoothStronglyConvex, Quadratic)
_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class LogTime:
    """A system in logarithmic time.

    Attributes
    ----------
    plant : LureSystem
        ``A'``, ``B'``, ``C`` with a convex oracle; its time is ``s = ln t``.
    powers : tuple of int
        d: state i is multiplied by ``t**d[i]``.
    degree : int
        e: the output of the oracle and its value are multiplied by ``t**e``.
    """

    plant: LureSystem
    powers: tuple[int, ...]
    degree: int


def take_logarithmic_time(system: System) -> LogTime:
    """The system in logarithmic time.

    Raises
    ------
    InvalidModelError
        If it has more than one oracle, or one that is not a gradient of a convex function evaluated at ``y = C x``; if
        no powers of t balance its terms; or if it has equilibria where the gradient is not zero.

    Examples
    --------
    >>> from lyapflow.flows import nesterov_flow
    >>> log = take_logarithmic_time(nesterov_flow(Convex(), r=3))
    >>> log.powers, log.degree, log.plant.A[1][1]
    ((0, 1), 2, Fraction(-2, 1))
    """
    if not isinstance(system, LureSystem) or len(system.oracles) != 1 or any(system.D[0]):
        raise InvalidModelError(
            "SublinearDecay needs a LureSystem with one oracle, a gradient that is evaluated at y = C x, or a forward-"
            "backward or Douglas-Rachford flow with f of class Quadratic(mu, L), a convex g and step * L < 1, got "
            f"{system.name!r}"
        )
    if not _is_convex(system.oracles[0]):
        raise InvalidModelError(f"SublinearDecay needs a class of convex functions, got {system.oracles[0]!r}")
    if not _rests_at_minimisers(system):
        raise InvalidModelError(
            "SublinearDecay needs a system whose equilibria are minimisers: A x + B u = 0 and N x = 0 must imply u = 0"
        )
    powers, degree = _balance(system)
    n = range(len(powers))
    diagonal = {(i, i): Fraction(powers[i]) for i in n}
    A = [[system.A[i][k] + system.N[i][k] + diagonal.get((i, k), _ZERO) for k in n] for i in n]
    plant = LureSystem(A, system.B, system.C, oracles=[Convex()], oracle_names=system.oracle_names, name=system.name)
    return LogTime(plant, powers, degree)


def _is_convex(oracle: OperatorClass) -> bool:
    """Whether every member is a convex function."""
    if type(oracle) is Intersection:
        return any(type(part) in _CONVEX for part in oracle.parts)
    return type(oracle) in _CONVEX


def _rests_at_minimisers(system: LureSystem) -> bool:
    """Whether the output of the oracle is zero wherever the state rests: u is a pivot that no free column feeds."""
    n = len(system.A)
    rows: Matrix = (
        *(a + b for a, b in zip(system.A, system.B, strict=True)),
        *((*row, _ZERO) for row in system.N),
    )
    return any(not any(row[:n]) and row[n] for row in reduced_rows(dense(rows, n + 1)))


def _balance(system: LureSystem) -> tuple[tuple[int, ...], int]:
    """Powers of t for states and output, with 0 for the input of the oracle."""
    n = len(system.A)
    # (i, k, shift): the power of k is that of i plus the shift; n is the output of the oracle, n + 1 its input
    links = [(i, k, 1) for i, row in enumerate(system.A) for k, v in enumerate(row) if v]
    links += [(i, k, 0) for i, row in enumerate(system.N) for k, v in enumerate(row) if v]
    links += [(i, n, 1) for i, row in enumerate(system.B) if row[0]]
    links += [(n + 1, k, 0) for k, v in enumerate(system.C[0]) if v]
    links += [(k, i, -shift) for i, k, shift in links]
    found = {n + 1: 0}
    waiting = [n + 1]
    while waiting:
        i = waiting.pop()
        for _, k, shift in (link for link in links if link[0] == i):
            if k not in found:
                found[k] = found[i] + shift
                waiting.append(k)
    if len(found) < n + 2 or any(found[k] != found[i] + shift for i, k, shift in links):
        raise InvalidModelError(
            "SublinearDecay needs dynamics whose terms are balanced by powers of t, such as "
            f"x'' + (r/t) x' + grad f = 0, got {system.name!r}. A damping that is constant balances nothing."
        )
    return tuple(found[i] for i in range(n)), found[n]
