"""Whether a system lies in a polytope of systems, in floating point: for families by samples, and for simulations."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from .dynamics import LureSystem, PolytopicSystem

__all__ = ["covers"]

_TOLERANCE = 1e-9  # of each entry of A and B, relative to its own size at the vertices


def covers(polytope: PolytopicSystem, member: LureSystem) -> bool:
    """Whether a system lies between the vertices; A and B up to rounding, entry by entry, everything else exactly.

    Parameters
    ----------
    polytope : PolytopicSystem
        n states and m oracles.
    member : LureSystem
        Of any size; its oracles and names are not compared.
    """
    first = polytope.vertices[0]
    if any(getattr(member, key) != getattr(first, key) for key in ("shape", "C", "D", "N", "dt", "groups")):
        return False
    entries = np.array([_flatten(system) for system in (*polytope.vertices, member)])
    size = np.abs(entries[:-1]).max(axis=0)  # one large entry must not hide the others
    if np.any(entries[-1][size == 0]):
        return False
    scaled = entries[:, size > 0] / size[size > 0]
    rows, wanted = np.vstack([scaled[:-1].T, np.ones(len(scaled) - 1)]), np.append(scaled[-1], 1.0)
    return bool(nnls(rows, wanted)[1] <= _TOLERANCE)


def _flatten(system: LureSystem) -> list[float]:
    return [float(v) for m in (system.A, system.B) for row in m for v in row]
