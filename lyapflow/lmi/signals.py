"""Linear forms of a plant's signals over the independent ones: what the letters of a dissipation inequality stand for.

The base is ``z = (x, u)``; in discrete time, where V holds the outputs of oracles or their values, ``z = (x, u, u+)``
with the outputs at the next step.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..dynamics import LureSystem, System
from ..exact.dense import Dense, add, dense, take_rows, transform, unit_rows
from .templates import QuadraticStorage, Template

__all__ = ["NEXT", "NOW", "STEP", "Signals", "stack", "storage_size", "unit", "valued_oracles"]

NOW, STEP, NEXT = "t", "k", "k+1"
"""Evaluation points: now in continuous time; this step and the next in discrete time."""


def valued_oracles(system: System, template: Template) -> tuple[int, ...]:
    """Oracles whose function value may be a part of V.

    In continuous time those are gradients that are evaluated at ``y = C x``, because then the value has a derivative
    along the flow, ``<u, C x'>``; in discrete time all (sub)gradients, because nothing is differentiated.
    """
    if isinstance(template, QuadraticStorage):
        return ()
    plant = system.modes[0].vertices[0]
    return tuple(
        j for j, oracle in enumerate(system.oracles) if oracle.has_values and (system.dt > 0 or not any(plant.D[j]))
    )


def storage_size(system: System, template: Template, states: int) -> int:
    """Size of a storage matrix: states, and in discrete time outputs of oracles unless V is quadratic in the state."""
    outputs = 0 if system.dt == 0 or isinstance(template, QuadraticStorage) else len(system.oracles)
    return states + outputs


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """Forms of one plant.

    Attributes
    ----------
    size : int
        Number of base signals.
    x, y, u : Dense
        States, inputs and outputs of oracles, one row each.
    flow : Dense
        ``A x + B u``: the derivative of x, or x at the next step.
    y_next, u_next : Dense or None
        Inputs and outputs of oracles at the next step, where the base has them.
    """

    size: int
    x: Dense
    y: Dense
    u: Dense
    flow: Dense
    y_next: Dense | None
    u_next: Dense | None

    @staticmethod
    def of(plant: LureSystem, *, with_next: bool = False) -> Signals:
        """The forms of a plant, over ``(x, u)`` or ``(x, u, u+)``."""
        n, m = plant.shape
        size = n + m * (2 if with_next else 1)
        rest = (Fraction(0),) * (size - n - m)
        flow = dense([a + b + rest for a, b in zip(plant.A, plant.B, strict=True)], size)
        y = dense([c + d + rest for c, d in zip(plant.C, plant.D, strict=True)], size)
        x, u = unit_rows(size, 0, n), unit_rows(size, n, m)
        if not with_next:
            return Signals(size, x, y, u, flow, None, None)
        u_next = unit_rows(size, n + m, m)
        y_next = add(transform(dense(plant.C, n), flow), transform(dense(plant.D, m), u_next))
        return Signals(size, x, y, u, flow, y_next, u_next)

    def evaluation(self, oracle: int, point: str) -> Dense:
        """Input and output of an oracle at a point, two rows."""
        if point == NEXT and self.y_next is not None and self.u_next is not None:
            return take_rows((self.y_next, [oracle]), (self.u_next, [oracle]))
        return take_rows((self.y, [oracle]), (self.u, [oracle]))

    def storage(self, size: int) -> Dense:
        """What V is quadratic in: the states, or states and outputs of oracles."""
        n = self.x.nrows()
        return self.x if size == n else take_rows((self.x, range(n)), (self.u, range(size - n)))

    def storage_next(self, size: int) -> Dense:
        """The same at the next step."""
        n = self.x.nrows()
        if size == n or self.u_next is None:
            return self.flow
        return take_rows((self.flow, range(n)), (self.u_next, range(size - n)))


def unit(size: int) -> Dense:
    """Identity."""
    return unit_rows(size, 0, size)


def stack(parts: list[Dense]) -> Dense:
    """All rows of matrices, one below the other."""
    return take_rows(*((part, range(part.nrows())) for part in parts))
