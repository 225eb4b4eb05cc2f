"""The one room that knows python-control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import control
import numpy as np

from ..errors import DimensionError, InvalidModelError
from ..exact.matrices import Matrix, matrix

if TYPE_CHECKING:
    from ..classes.inequalities import OperatorClass
    from .lure import LureSystem

__all__ = ["from_control", "read_plant", "to_control"]


def to_control(system: LureSystem) -> control.StateSpace:
    """The plant as a `control.StateSpace`; exact entries are rounded to the nearest double."""
    parts = (np.array(m, dtype=float) for m in (system.A, system.B, system.C, system.D))
    return control.ss(*parts, float(system.dt))


def from_control(sys: control.StateSpace, *, oracles: Sequence[OperatorClass], name: str) -> LureSystem:
    """Close a plant with oracles. See `LureSystem.from_control`."""
    from .lure import LureSystem

    if not isinstance(oracles, Sequence):
        raise InvalidModelError(f"oracles must be a sequence of operator classes, got {oracles!r}. Pass [{oracles!r}].")
    if not isinstance(sys, control.StateSpace):
        raise InvalidModelError(f"sys must be a control.StateSpace (use control.ss), got {type(sys).__name__}")
    if sys.ninputs != len(oracles) or sys.noutputs != len(oracles):
        raise DimensionError(
            f"sys must have one input and one output per oracle ({len(oracles)}), got {sys.ninputs} inputs and "
            f"{sys.noutputs} outputs"
        )
    if sys.dt is None or sys.dt is True:
        raise InvalidModelError(f"sys.dt must be 0 or a sampling time, got {sys.dt}. Pass dt to control.ss.")
    return LureSystem(sys.A, sys.B, sys.C, sys.D, oracles=oracles, dt=sys.dt, name=name)


def read_plant(sys: control.StateSpace) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """Matrices of a plant in continuous time, not necessarily square, at the exact values of its floats."""
    if not isinstance(sys, control.StateSpace):
        raise InvalidModelError(f"plant must be a control.StateSpace (use control.ss), got {type(sys).__name__}")
    if sys.dt != 0:
        raise InvalidModelError(f"plant must be in continuous time (dt = 0), got dt = {sys.dt}")
    if not sys.nstates or not sys.ninputs or not sys.noutputs:
        raise DimensionError(
            f"plant must have states, inputs and outputs, got {sys.nstates}, {sys.ninputs} and {sys.noutputs}"
        )
    A, B, C, D = (matrix(getattr(sys, key), name=f"plant: {key}") for key in "ABCD")
    return A, B, C, D
