"""Filters along a simulation: V of a certificate with memory is one of the state and of filters that start at rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.integrate import solve_ivp

from ..certificates import Certificate
from ..dynamics import LureSystem
from ..errors import SimulationError
from ..lmi.memory import extend, list_filters
from ..lmi.templates import QuadraticPlusValue, QuadraticStorage, ZamesFalb
from .equilibria import Equilibrium
from .loops import Array, Loop, LureLoop, close_loop
from .metric import ReducedPath

if TYPE_CHECKING:
    from .trajectories import Trajectory

__all__ = ["attach_filters", "filter_path"]

_RELATIVE = 1e-10


def attach_filters(
    certificate: Certificate, loop: Loop, rest: Equilibrium
) -> tuple[Certificate, LureLoop, Equilibrium]:
    """The certificate's V as one of states and filters, the loop with the filters, and its equilibrium.

    The first of these is for evaluation only: it says what V is, and proves nothing.
    """
    system, template = certificate.system, certificate.template
    if not (isinstance(system, LureSystem) and isinstance(loop, LureLoop) and isinstance(template, ZamesFalb)):
        raise TypeError("internal error: filters belong to a Lur'e system and a template with memory")
    plant = extend(system, list_filters(system, template), certificate.rate)
    wide = close_loop(plant, loop.members, dimension=loop.dimension)
    if not isinstance(wide, LureLoop):
        raise TypeError("internal error: the loop of a Lur'e system is one")
    n = len(system.A)
    decay = -np.diag(wide.A)[n:, None]
    psi = (wide.A[n:, :n] @ rest.x + wide.B[n:] @ rest.u) / decay
    reach = np.linalg.norm(wide.A[n:, :n], axis=1) + np.abs(wide.B[n:]) @ loop.measure_reach()[1]
    error = rest.error * (1 + float(np.sum(reach / decay[:, 0])))
    seen = replace(certificate, system=plant, template=QuadraticPlusValue() if template.value else QuadraticStorage())
    return seen, wide, replace(rest, x=np.concatenate([rest.x, psi]), error=error)


def filter_path(wide: LureLoop, rest: Equilibrium, path: Trajectory) -> ReducedPath:
    """A trajectory with the filters, at rest where it starts."""
    n = len(path.equilibrium.x)
    A, B = wide.A[n:], wide.B[n:]

    def field_at(t: float, psi: Array) -> Array:
        x = path.at(t)
        forced = A[:, :n] @ (x - rest.x[:n]) + B @ (path.loop.evaluate(x)[2] - rest.u)
        return np.asarray(A[:, n:] @ psi.reshape(forced.shape) + forced).ravel()

    size = float(path.distance[0]) or 1.0
    found = solve_ivp(
        field_at, (path.t[0], path.t[-1]), np.zeros(rest.x[n:].size), method="LSODA", t_eval=path.t,
        rtol=_RELATIVE, atol=1e-3 * _RELATIVE * size,
    )  # fmt: skip
    if found.status != 0:
        raise SimulationError(f"the filters of V must be integrated along the trajectory: {found.message}")
    psi = found.y.T.reshape(len(path.t), *rest.x[n:].shape) + rest.x[n:]
    return ReducedPath(path.t, np.concatenate([path.x, psi], axis=1), path.y, path.u, path.values)
