"""Poles of the filters of a V with memory, where the user leaves them open: from the system's own time constants."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..dynamics import LureSystem
from ..exact.rationals import convergent_near

__all__ = ["choose_poles"]

_ROUGH = 0.1
"""Relative: a pole is a short number, and its exact value matters little."""


def choose_poles(system: LureSystem) -> tuple[Fraction, ...]:
    """One pole, about the largest natural frequency of the loop with linear members at the ends of their sectors.

    Faster filters are closer to no memory at all, and slower ones forget too late; on random plants of fourth order a
    second pole gained less than rounding, at several times the cost.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import heavy_ball_flow
    >>> choose_poles(heavy_ball_flow(SmoothStronglyConvex(1, 100), damping=2))
    (Fraction(10, 1),)
    """
    A, B, C, D = (np.array(m, dtype=np.float64) for m in (system.A, system.B, system.C, system.D))
    members = [oracle.linear_members() for oracle in system.oracles]
    lower = [float(m.lower if m.lower is not None else m.upper or 0) for m in members]
    upper = [float(m.upper if m.upper is not None else m.lower or 0) for m in members]
    found = 0.0
    for slopes in (lower, upper):
        S = np.diag(slopes)
        with np.errstate(all="ignore"):
            closed = A + B @ S @ np.linalg.solve(np.eye(len(D)) - D @ S, C)
        found = max(found, float(np.abs(np.linalg.eigvals(closed)).max()))
    return (convergent_near(found, _ROUGH) if found > 0 else Fraction(1),)
