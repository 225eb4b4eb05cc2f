"""Whether a certificate speaks of what is simulated: the dynamics, the members, the equilibrium."""

from __future__ import annotations

import numpy as np

from ..certificates import Certificate
from ..classes.inequalities import ANY, ZERO_OUTPUT
from ..dynamics import (
    LureSystem,
    ParametricSystem,
    PolytopicSystem,
    PrimalDualIteration,
    PrimalDualSystem,
    ProximalLagrangianSystem,
    SaddleSystem,
    System,
)
from ..errors import InvalidModelError
from ..hulls import covers
from .equilibria import Equilibrium, find_parted
from .iterations import find_operator, fits
from .loops import Loop
from .membership import belongs

__all__ = ["check_subject"]


def check_subject(certificate: Certificate, loop: Loop, equilibrium: Equilibrium) -> None:
    """Whether a certificate speaks of a closed loop and of deviations from an equilibrium.

    Raises
    ------
    InvalidModelError
        If it does not.
    """
    subject = certificate.system
    if isinstance(subject, ParametricSystem):
        raise InvalidModelError(
            f"the certificate is about all {subject.parameter} in {subject.span}; take that of the simulated system, "
            "certificate.at(value)"
        )
    if not _covers(subject, loop.system):
        raise InvalidModelError(
            f"the certificate must be about the simulated system, and it is about another one: {subject.name!r} with "
            f"other matrices than {loop.system.name!r}"
        )
    _check_groups(subject, equilibrium)
    for j, (name, declared, member) in enumerate(zip(subject.oracle_names, subject.oracles, loop.members, strict=True)):
        if not belongs(declared, member):
            raise InvalidModelError(
                f"the certificate must cover the member for oracle {name}, and it speaks of {declared!r}; the class "
                f"{member.operator_class!r} is not known to be contained in it"
            )
        if declared.equilibria == ANY:
            continue
        y, u = float(np.linalg.norm(equilibrium.y[j])), float(np.linalg.norm(equilibrium.u[j]))
        if u > 1e-8 * (1 + y) or (declared.equilibria != ZERO_OUTPUT and y > 1e-8):
            raise InvalidModelError(
                f"the equilibrium must be one that {declared!r} speaks of: {declared.describe()}. It has |y*| = "
                f"{y:.3g} and |u*| = {u:.3g} at oracle {name}."
            )


def _check_groups(subject: System, equilibrium: Equilibrium) -> None:
    """At the equilibrium of a theorem, oracles of one group have one input and one output."""
    parted = find_parted(subject, equilibrium)
    if parted is not None:
        i, j, kind, apart = parted
        raise InvalidModelError(
            f"oracles {subject.oracle_names[i]} and {subject.oracle_names[j]} evaluate one operator, so at the "
            f"equilibrium they must have the same {kind}*, but these differ by {apart:.3g}"
        )


def _covers(subject: System, simulated: System) -> bool:
    """Whether a theorem about one system speaks of the motion of another."""
    if isinstance(subject, PolytopicSystem) and isinstance(simulated, LureSystem):
        return covers(subject, simulated)
    if find_operator(simulated) is not None:
        return _dynamics(subject) == _dynamics(simulated) and fits(subject, simulated)
    return _dynamics(subject) == _dynamics(simulated)


def _dynamics(system: System) -> tuple[object, ...]:
    """Everything that moves the state, names and classes and the linear operator aside."""
    if isinstance(system, PrimalDualSystem):
        return "constraint", system.dual_gain, system.augmentation, system.step
    if isinstance(system, SaddleSystem):
        kind = "constraint" if system.g is None else "saddle"
        return kind, system.dual_gain, system.augmentation, system.step
    if isinstance(system, PrimalDualIteration):
        return system.step_primal, system.step_dual, system.extrapolation
    if isinstance(system, ProximalLagrangianSystem):
        return system.penalty, system.step
    if isinstance(system, PolytopicSystem | ParametricSystem):
        return (system,)
    return system.A, system.B, system.C, system.D, system.N, system.dt, system.groups
