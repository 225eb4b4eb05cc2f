r"""A system whose gradients come with an error, with a gain, or late.

The error e of a gradient of relative size :math:`\delta` is a signal with :math:`|e| \le \delta|u|`: an oracle of its
own, evaluated at the gradient, in the sector :math:`[-\delta,\delta]`. It may vary with time, and needs no law.
"""

from __future__ import annotations

from fractions import Fraction
from typing import overload

from ..classes.functions import Convex, SmoothConvex, SmoothStronglyConvex, StronglyConvex
from ..classes.inequalities import OperatorClass
from ..classes.sectors import SectorBounded, SlopeRestricted
from ..classes.special import Quadratic
from ..errors import InvalidModelError
from ..exact.matrices import Matrix
from ..exact.rationals import rational, shorten
from .constrained import PrimalDualSystem
from .lure import LureSystem

__all__ = ["delay_gradient", "perturb_gradient", "scale_gradient"]


def perturb_gradient(system: LureSystem, *, relative_error: object) -> LureSystem:
    r"""The system with :math:`u_j + e_j,\ |e_j| \le \delta|u_j|` in place of each explicit evaluation :math:`u_j`.

    Each evaluation has an error of its own, which may depend on anything and vary with time. The equilibrium is one
    at which all these gradients are zero, because only there the errors are. Prox steps stay exact.

    Parameters
    ----------
    system : LureSystem
        Flow or method whose explicit oracles are zero at the equilibrium.
    relative_error : rational
        :math:`0 < \delta < 1`.

    Returns
    -------
    LureSystem
        With an oracle of class ``SectorBounded(-delta, delta)`` behind each explicit one.

    Raises
    ------
    InvalidModelError
        If the error is not in (0, 1), the system is no `LureSystem`, or it has no explicit oracle.

    Notes
    -----
    For gradient descent on F(mu, L) with the step :math:`2/(\mu_\delta+L_\delta)`, :math:`\mu_\delta = (1-\delta)\mu`
    and :math:`L_\delta = (1+\delta)L`, the exact factor is :math:`(L_\delta-\mu_\delta)/(L_\delta+\mu_\delta)` (de
    Klerk, Glineur, Taylor 2020, Theorem 5.3).

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> flow = LureSystem([[0]], [[-1]], [[1]], oracles=[SmoothStronglyConvex(1, 10)])
    >>> perturb_gradient(flow, relative_error="1/5").oracles[1]
    SectorBounded(lower=Fraction(-1, 5), upper=Fraction(1, 5))
    """
    if not isinstance(system, LureSystem):
        raise InvalidModelError(f"perturb_gradient needs a LureSystem, got {type(system).__name__}")
    delta = rational(relative_error, name="relative_error")
    if not 0 < delta < 1:
        raise InvalidModelError(f"relative_error must be in (0, 1), got {delta}")
    n, m = system.shape
    explicit = [j for j in range(m) if not system.D[j][j]]
    if not explicit:
        raise InvalidModelError(f"perturb_gradient needs an explicit oracle (D[j, j] = 0), {system.name!r} has none")
    order = [(j, late) for j in range(m) for late in ((False, True) if j in explicit else (False,))]

    def widen(rows: Matrix) -> Matrix:
        """The columns of B or D, those of an oracle again for its error."""
        return tuple(tuple(row[j] for j, _ in order) for row in rows)

    zero, one = Fraction(0), Fraction(1)
    D = widen(system.D)
    rows_d, rows_c = [], []
    for j, late in order:
        if late:
            rows_c.append((zero,) * n)
            rows_d.append(tuple(one if (k, error) == (j, False) else zero for k, error in order))
        else:
            rows_c.append(system.C[j])
            rows_d.append(D[j])
    sector = SectorBounded(-delta, delta)
    groups = [system.groups[j] if not late else m + j for j, late in order]
    return LureSystem(
        system.A,
        widen(system.B),
        rows_c,
        rows_d,
        oracles=[sector if late else system.oracles[j] for j, late in order],
        dt=system.dt,
        name=f"{system.name}, relative gradient error {shorten(delta, most=20)}",
        oracle_names=_name(system, order),
        groups=groups,
        N=system.N if system.is_time_varying else None,
    )


def _name(system: LureSystem, order: list[tuple[int, bool]]) -> list[str]:
    """Names of the oracles and of their errors: the oracle's own after a letter that makes it a new one."""
    prefix = "e"
    while any(prefix + name in system.oracle_names for name in system.oracle_names):
        prefix += "e"
    return [prefix + system.oracle_names[j] if late else system.oracle_names[j] for j, late in order]


def delay_gradient(system: LureSystem, steps: int) -> LureSystem:
    r"""The method whose oracles act on arguments of some steps ago, :math:`u_k \in O(C x_{k-d})`, exactly.

    The arguments of the last d steps join the state: :math:`h^1_{k+1} = C x_k,\ h^{i+1}_{k+1} = h^i_k`, and the oracles
    are evaluated at :math:`h^d_k`. The norm of the state counts them too.

    Parameters
    ----------
    system : LureSystem
        In discrete time, with all oracles evaluated at ``y = C x`` (D = 0).
    steps : int
        d >= 0.

    Returns
    -------
    LureSystem
        With ``n + d m`` states. In continuous time see `DelayTolerance`.

    Raises
    ------
    InvalidModelError
        If the system is in continuous time, ``D != 0``, or d is no integer >= 0.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.algorithms import gradient_descent
    >>> late = delay_gradient(gradient_descent(SmoothStronglyConvex(1, 10), step="1/20"), 2)
    >>> late.shape, late.C
    ((3, 1), ((Fraction(0, 1), Fraction(0, 1), Fraction(1, 1)),))
    """
    if not isinstance(system, LureSystem) or system.dt == 0 or any(v for row in system.D for v in row):
        raise InvalidModelError(
            "delay_gradient needs a LureSystem in discrete time whose oracles are all evaluated at y = C x (D = 0), "
            f"got {getattr(system, 'name', system)!r}. In continuous time claim a DelayTolerance."
        )
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
        raise InvalidModelError(f"steps must be an integer >= 0, got {steps!r}")
    if not steps:
        return system
    n, m = system.shape
    zero, one = Fraction(0), Fraction(1)
    size = n + steps * m
    rows = [(*row, *(zero,) * (steps * m)) for row in system.A]
    rows += [(*row, *(zero,) * (steps * m)) for row in system.C]
    rows += [tuple(one if j == n + i else zero for j in range(size)) for i in range((steps - 1) * m)]
    B = [*system.B, *((zero,) * m for _ in range(steps * m))]
    C = [tuple(one if j == size - m + i else zero for j in range(size)) for i in range(m)]
    return LureSystem(
        rows,
        B,
        C,
        system.D,
        oracles=system.oracles,
        dt=system.dt,
        name=f"{system.name}, gradient {steps} step{'' if steps == 1 else 's'} late",
        oracle_names=system.oracle_names,
        groups=system.groups,
    )


@overload
def scale_gradient(system: LureSystem, gain: object) -> LureSystem: ...


@overload
def scale_gradient(system: PrimalDualSystem, gain: object) -> PrimalDualSystem: ...


def scale_gradient(system: LureSystem | PrimalDualSystem, gain: object) -> LureSystem | PrimalDualSystem:
    """The system with each explicit oracle's output multiplied by a gain: how much a gradient is trusted.

    Parameters
    ----------
    system : LureSystem or PrimalDualSystem
        Flow or method.
    gain : rational
        k > 0; constant.

    Returns
    -------
    LureSystem or PrimalDualSystem
        ``B`` and ``D`` with the columns of explicit oracles multiplied by k; for a `PrimalDualSystem` that of k f,
        whose class is the one with bounds k times those of f.

    Raises
    ------
    InvalidModelError
        If the gain is not positive, the system is of another kind, or what k f is in is no class of this library.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> flow = LureSystem([[0]], [[-1]], [[1]], oracles=[SmoothStronglyConvex(1, 10)])
    >>> scale_gradient(flow, 3).B
    ((Fraction(-3, 1),),)
    """
    if not isinstance(system, LureSystem | PrimalDualSystem):
        raise InvalidModelError(f"scale_gradient needs a LureSystem or a PrimalDualSystem, got {type(system).__name__}")
    k = rational(gain, name="gain")
    if k <= 0:
        raise InvalidModelError(f"gain must be > 0, got {k}")
    if isinstance(system, PrimalDualSystem):
        return PrimalDualSystem(
            _scale_class(system.oracle, k),
            system.constraint,
            dual_gain=system.dual_gain,
            augmentation=system.augmentation,
            step=system.step,
            enclosures=system.enclosures,
            name=f"{system.name}, gradient times {shorten(k, most=20)}",
        )
    factors = [k if not row[j] else Fraction(1) for j, row in enumerate(system.D)]

    def scaled(rows: Matrix) -> Matrix:
        return tuple(tuple(v * f for v, f in zip(row, factors, strict=True)) for row in rows)

    return LureSystem(
        system.A,
        scaled(system.B),
        system.C,
        scaled(system.D),
        oracles=system.oracles,
        dt=system.dt,
        name=f"{system.name}, gradient times {shorten(k, most=20)}",
        oracle_names=system.oracle_names,
        groups=system.groups,
        N=system.N if system.is_time_varying else None,
    )


def _scale_class(oracle: OperatorClass, k: Fraction) -> OperatorClass:
    """The class of ``k f`` for f in a class: all of it, and nothing else."""
    if type(oracle) is Convex:
        return oracle
    if type(oracle) is StronglyConvex:
        return StronglyConvex(k * oracle.mu)
    if type(oracle) is SmoothConvex:
        return SmoothConvex(k * oracle.L)
    if type(oracle) is SmoothStronglyConvex:
        return SmoothStronglyConvex(k * oracle.mu, k * oracle.L)
    if type(oracle) is Quadratic:
        return Quadratic(k * oracle.mu, k * oracle.L)
    if type(oracle) is SlopeRestricted:
        return SlopeRestricted(k * oracle.lower, k * oracle.upper)
    raise InvalidModelError(
        "a multiple of f must be of a class with bounds (Convex, StronglyConvex, SmoothConvex, SmoothStronglyConvex, "
        f"Quadratic, SlopeRestricted), got {oracle!r}. Put the gain into the bounds of the class yourself."
    )
