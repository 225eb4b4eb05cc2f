"""A `StackedSystem` closed with concrete functions of several signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..dynamics import StackedSystem
from ..errors import DimensionError, InvalidModelError
from ..members.protocol import Array, Member
from .saddles import measure_gain

__all__ = ["StackedLoop", "check_stack"]


@dataclass(frozen=True, slots=True, eq=False)
class StackedLoop:
    """A `StackedSystem` on states of shape (n, 1), with one member per row: the same object for all rows of a block."""

    system: StackedSystem
    members: tuple[Member, ...]
    A: Array
    B: Array
    C: Array

    @property
    def state_shape(self) -> tuple[int, ...]:
        """(n, 1)."""
        return len(self.A), 1

    def evaluate(self, x: Array) -> tuple[Array, Array, Array]:
        """Each function at its rows of ``y = C x``."""
        y = self.C @ x
        u = np.zeros_like(y)
        for rows in self.system.vectors:
            u[list(rows), 0] = self.members[rows[0]].gradient(y[list(rows), 0])
        return self.A @ x + self.B @ u, y, u

    def drift(self, x: Array, t: float) -> Array | float:
        """Nothing varies with time."""
        return 0.0

    def measure_terms(self, x: Array, u: Array) -> float:
        """Norm of ``|A| |x| + |B| |u|``."""
        return float(np.linalg.norm(np.abs(self.A) @ np.abs(x) + np.abs(self.B) @ np.abs(u)))

    def measure_reach(self) -> tuple[Array, Array]:
        """Gains of the rows; for the outputs those of all arguments of the function, times its largest slope."""
        inputs = np.linalg.norm(self.C, axis=1)
        outputs = np.zeros(len(self.members))
        for rows in self.system.vectors:
            outputs[list(rows)] = np.linalg.norm(self.C[list(rows)], 2) * measure_gain(self.members[rows[0]])
        return inputs, outputs

    def project(self, j: int, dx: Array) -> Array:
        """``C_j dx``."""
        return np.asarray(self.C[j] @ dx)

    def trim(self, j: int, signal: Array) -> Array:
        """All of it."""
        return signal

    def read_values(self, y: Array) -> Array:
        """The value of each function at its first row, and 0 at the others: what counts is the sum."""
        found = np.zeros(len(self.members))
        for rows in self.system.vectors:
            try:
                found[rows[0]] = self.members[rows[0]].value(y[list(rows), 0])
            except InvalidModelError:
                found[list(rows)] = np.nan
        return found


def check_stack(system: StackedSystem, members: Sequence[Member]) -> None:
    """Whether the rows of each block have one member, with as many entries as the function has arguments.

    Raises
    ------
    InvalidModelError
        If rows of a block have different members.
    DimensionError
        If a member has another dimension.
    """
    for rows in system.vectors:
        first, name = members[rows[0]], system.oracle_names[rows[0]]
        if any(members[j] is not first for j in rows):
            raise InvalidModelError(
                f"the rows {', '.join(system.oracle_names[j] for j in rows)} are one function of {len(rows)} "
                "arguments, so members must hold the same object for each of them"
            )
        if first.dimension not in (None, len(rows)):
            raise DimensionError(
                f"the member for {name} must be a function of {len(rows)} arguments, got dimension {first.dimension}"
            )
