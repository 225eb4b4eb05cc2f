r"""Memory of gradients: filters of their signals, and what Zames-Falb multipliers know of the past.

For a gradient of :math:`F(\mu, L)` let :math:`p = u - \mu y` and :math:`q = L y - u`, in deviations from the
equilibrium, and

.. math:: r = (L - \mu)\left(\varphi - \tfrac\mu2|y|^2\right) - \tfrac12|p|^2, \qquad r^\star = \langle p, q\rangle - r.

The interpolation inequality between two times t and s, multiplied by :math:`L - \mu`, is
:math:`\langle p(t), q(t) - q(s)\rangle \ge r(t) - r(s)`; with one of them at the equilibrium, where all is zero, it is
:math:`r \ge 0` and :math:`r^\star \ge 0`. With the times exchanged it is
:math:`\langle q(t), p(t) - p(s)\rangle \ge r^\star(t) - r^\star(s)`, so that what follows holds for p, q exchanged too.

Filter q and r alike, :math:`\dot\psi = -(\lambda + 2\rho)\psi + q` and :math:`\dot R = -(\lambda + 2\rho)R + r`, both 0
at the start. Then :math:`R \ge 0`, and integrating the inequality over all earlier s with the filter's weight, of total
:math:`w(t) \le 1/(\lambda + 2\rho) \le 1/\lambda`,

.. math:: \langle p, w q - \psi\rangle \ge w r - R \quad\Rightarrow\quad
          \langle p, q - \lambda\psi\rangle \ge r - \lambda R = \dot R + 2\rho R ,

where :math:`(1/\lambda - w)(\langle p, q\rangle - r) \ge 0` was added. A multiplier
:math:`\sigma \ge 0` of :math:`\langle p, q - \lambda\psi\rangle` in the decrease of V is therefore a decrease of
:math:`V + \sum\sigma R`, which lies above V and starts equal to it. Hence :math:`V(t) \le e^{-2\rho t}V(0)`, though V
itself need not fall at every time.

The integral of the last inequality is the usual form, :math:`\int_0^T e^{2\rho t}\langle p, q -
\lambda\psi\rangle\,dt \ge 0`. After G. Zames and P. L. Falb, Stability conditions for systems with monotone and
slope-restricted nonlinearities, SIAM J. Control 6, 1968, and, for the rate, B. Hu and P. Seiler, Exponential decay rate
conditions for uncertain linear systems using integral quadratic constraints, IEEE Trans. Autom. Control 61, 2016.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from ..classes import Quadratic, SlopeRestricted, SmoothConvex, SmoothStronglyConvex
from ..classes.inequalities import Inequality, OperatorClass, Signal, build, inner, signal, total
from ..dynamics import LureSystem, Mode, System
from ..errors import InvalidModelError
from ..exact.matrices import zeros
from .templates import Template, ZamesFalb

__all__ = ["Filter", "check_memory", "extend_modes", "list_filters", "read_moduli", "remember", "split"]

_SOURCE = "Zames-Falb multiplier with decay rate (Zames and Falb, 1968; Hu and Seiler, 2016), for its integral"


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of a gradient's signals.

    Attributes
    ----------
    oracle : int
        Which gradient.
    pole : Fraction
        The number lambda > 0; the filter forgets with ``exp(-(pole + 2 rate) t)``.
    causal : bool
        Whether it filters ``q = L y - u``; else ``p = u - mu y``.
    """

    oracle: int
    pole: Fraction
    causal: bool


def read_moduli(oracle: OperatorClass) -> tuple[Fraction, Fraction] | None:
    """Mu and L of a class of gradients with a Lipschitz constant; None for all other classes.

    >>> read_moduli(SmoothConvex(3))
    (Fraction(0, 1), Fraction(3, 1))
    """
    if type(oracle) is SmoothStronglyConvex or type(oracle) is Quadratic:
        return oracle.mu, oracle.L
    if type(oracle) is SmoothConvex:
        return Fraction(0), oracle.L
    if type(oracle) is SlopeRestricted:
        return oracle.lower, oracle.upper
    return None


def check_memory(system: System, template: ZamesFalb) -> None:
    """Whether there are filters at all.

    Raises
    ------
    InvalidModelError
        If the system is not of the kind, the poles are not chosen, or no oracle is a gradient with moduli.
    """
    if not isinstance(system, LureSystem) or system.dt != 0 or system.is_time_varying:
        raise InvalidModelError(
            "ZamesFalb needs a LureSystem in continuous time that does not vary with time (dt = 0, N = 0), got "
            f"{system.name!r} ({type(system).__name__}, dt = {system.dt})"
        )
    if all(read_moduli(oracle) is None for oracle in system.oracles):
        given = ", ".join(type(oracle).__name__ for oracle in system.oracles) or "no oracle"
        raise InvalidModelError(
            "ZamesFalb needs an oracle of class SmoothStronglyConvex, SmoothConvex, Quadratic or SlopeRestricted (a "
            f"gradient with a Lipschitz constant), got {given}. Such multipliers are not valid for time-varying "
            "sectors, for operators that are no gradients, or with L = infinity; use QuadraticStorage()."
        )


def list_filters(system: System, template: Template) -> tuple[Filter, ...]:
    """The filters of a template, in the order of their states, which come after those of the system.

    Raises
    ------
    InvalidModelError
        If the template leaves the poles open.
    """
    if not isinstance(template, ZamesFalb):
        return ()
    if template.poles is None:
        raise InvalidModelError("ZamesFalb needs poles in a certificate; certify chooses them where they are None")
    kinds = (*((True,) if template.causal else ()), *((False,) if template.anticausal else ()))
    return tuple(
        Filter(j, pole, causal)
        for j, oracle in enumerate(system.oracles)
        if read_moduli(oracle) is not None
        for causal in kinds
        for pole in template.poles
    )


def split(oracle: OperatorClass, point: str) -> tuple[Signal, Signal]:
    """The signals p and q of a gradient at a point.

    Raises
    ------
    InvalidModelError
        If the class has none.
    """
    moduli = read_moduli(oracle)
    if moduli is None:
        raise InvalidModelError(f"there is no Zames-Falb multiplier for {oracle!r}")
    mu, L = moduli
    y, u = signal("y", point), signal("u", point)
    return total((1, u), (-mu, y)), total((L, y), (-1, u))


def remember(oracle: OperatorClass, part: Filter, now: str, past: str) -> Inequality:
    """The inequality of a filter; that its integral is nonnegative is what holds.

    >>> remember(SmoothConvex(1), Filter(0, Fraction(2), True), "t", "memory 1").name
    'zames-falb(t,memory 1)'
    """
    p, q = split(oracle, now)
    own, other = (p, q) if part.causal else (q, p)
    letters = ("p", "q") if part.causal else ("q", "p")
    return build(
        f"zames-falb({now},{past})",
        rf"$\int\langle {letters[0]},\ {letters[1]} - \lambda\psi\rangle \geq 0$",
        _SOURCE,
        [inner(own, other), inner(own, signal("y", past), -part.pole)],
    )


def extend_modes(system: System, template: Template) -> tuple[Mode, ...]:
    """The modes of a system with the filters as further states, at rate 0; V is compared with the state alone."""
    filters = list_filters(system, template)
    if not filters:
        return system.modes
    (mode,) = system.modes
    plant = extend(mode.vertices[0], filters)
    more = len(filters)

    def pad(norm: tuple[tuple[Fraction, ...], ...]) -> tuple[tuple[Fraction, ...], ...]:
        return (*(row + (Fraction(0),) * more for row in norm), *zeros(more, len(norm) + more))

    return (replace(mode, vertices=(plant,), norm_above=pad(mode.norm_above), norm_below=pad(mode.norm_below)),)


def extend(plant: LureSystem, filters: tuple[Filter, ...], rate: Fraction = Fraction(0)) -> LureSystem:
    """The plant with the filters of its signals at a decay rate, as a system with the same oracles."""
    m, more = plant.shape[1], len(filters)
    states, inputs = [row + (Fraction(0),) * more for row in plant.A], list(plant.B)
    for k, part in enumerate(filters):
        j = part.oracle
        fed = split(plant.oracles[j], "t")[1 if part.causal else 0]
        y, u = (fed.get((kind, "t"), Fraction(0)) for kind in "yu")
        decay = tuple(-(part.pole + 2 * rate) if i == k else Fraction(0) for i in range(more))
        states.append((*(y * c for c in plant.C[j]), *decay))
        inputs.append(tuple(y * plant.D[j][i] + (u if i == j else 0) for i in range(m)))
    return LureSystem(
        states,
        inputs,
        [row + (Fraction(0),) * more for row in plant.C],
        plant.D,
        oracles=plant.oracles,
        name=plant.name,
        oracle_names=plant.oracle_names,
        groups=plant.groups,
    )
