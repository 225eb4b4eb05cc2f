"""Linear forms of a plant's signals over the independent ones: what the letters of a dissipation inequality stand for.

The base is ``z = (x, u)``; where V holds the outputs of oracles, ``z = (x, u, u+)`` with the outputs at the next step
in discrete time, and ``z = (x, u, u')`` with their derivatives along the flow in continuous time.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..classes.slopes import is_smooth, read_slopes
from ..dynamics import LureSystem, ParametricSystem, System
from ..exact.dense import Dense, accumulate, add, dense, scalar, stack_rows, take_rows, transform, unit_rows
from .exogenous import Exogenous
from .templates import QuadraticPlusValue, Template, ZamesFalb

__all__ = [
    "MEMORY",
    "NEXT",
    "NOW",
    "RATE",
    "STEP",
    "Signals",
    "output_oracles",
    "stack",
    "storage_size",
    "unit",
    "valued_oracles",
]

NOW, STEP, NEXT = "t", "k", "k+1"
"""Evaluation points: now in continuous time; this step and the next in discrete time."""

RATE = "rate"
"""Evaluation point of derivatives along the flow: of the input, and of the output."""

MEMORY = "memory"
"""Evaluation point of a filter: its state stands for the input."""


def valued_oracles(system: System, template: Template) -> tuple[int, ...]:
    """Oracles whose function value may be a part of V.

    In continuous time those are gradients that are evaluated at ``y = C x``, because then the value has a derivative
    along the flow, ``<u, C x'>``, or whose outputs V holds, because then the input has a derivative too, ``<u, y'>``.
    In discrete time all (sub)gradients, because nothing is differentiated.
    """
    if not isinstance(template, QuadraticPlusValue) and not (isinstance(template, ZamesFalb) and template.value):
        return ()
    plant = system.modes[0].vertices[0]
    moving = output_oracles(system, template)
    return tuple(
        j
        for j, oracle in enumerate(system.oracles)
        if oracle.has_values and (system.dt > 0 or j in moving or not any(plant.D[j]))
    )


def output_oracles(system: System, template: Template) -> tuple[int, ...]:
    """Oracles whose outputs V is quadratic in.

    In discrete time all but inputs, unless V is quadratic in the state. In continuous time, where the template asks for
    it, those whose outputs have a derivative along the flow: Lipschitz gradients and prox steps, of inputs that have
    one.
    """
    if not isinstance(template, QuadraticPlusValue):
        return ()
    if system.dt > 0:
        return tuple(j for j, oracle in enumerate(system.oracles) if not isinstance(oracle, Exogenous))
    if isinstance(system, ParametricSystem):
        system = system.middle
    if not template.outputs or not isinstance(system, LureSystem):
        return ()
    found: list[int] = []
    for j, (oracle, row) in enumerate(zip(system.oracles, system.D, strict=True)):
        smooth = is_smooth(oracle) or row[j] != 0
        if smooth and read_slopes(oracle) is not None and all(k in found for k in range(j) if row[k]):
            found.append(j)
    return tuple(found)


def storage_size(system: System, template: Template, states: int) -> int:
    """Size of a storage matrix: states, and outputs of the oracles that V is quadratic in."""
    return states + len(output_oracles(system, template))


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
        Inputs and outputs of oracles at the next step, or their derivatives in continuous time, if the base has them.
    outputs : tuple of int
        Oracles whose outputs V is quadratic in.
    """

    size: int
    x: Dense
    y: Dense
    u: Dense
    flow: Dense
    y_next: Dense | None
    u_next: Dense | None
    outputs: tuple[int, ...] = ()

    @staticmethod
    def of(plant: LureSystem, outputs: tuple[int, ...] = (), *, with_next: bool = False) -> Signals:
        """The forms of a plant, over ``(x, u)`` or, ``with_next``, ``(x, u, u+)`` with the given outputs."""
        n, m = plant.shape
        size = n + m + (len(outputs) if with_next else 0)
        rest = (Fraction(0),) * (size - n - m)
        flow = dense([a + b + rest for a, b in zip(plant.A, plant.B, strict=True)], size)
        y = dense([c + d + rest for c, d in zip(plant.C, plant.D, strict=True)], size)
        x, u = unit_rows(size, 0, n), unit_rows(size, n, m)
        if not with_next:
            return Signals(size, x, y, u, flow, None, None, outputs)
        one = scalar(Fraction(1))
        u_next = accumulate(m, size, ((j, n + m + k, one) for k, j in enumerate(outputs)))
        y_next = add(transform(dense(plant.C, n), flow), transform(dense(plant.D, m), u_next))
        return Signals(size, x, y, u, flow, y_next, u_next, outputs)

    def evaluation(self, oracle: int, point: str, state: int | None = None) -> Dense:
        """Input and output of an oracle at a point, two rows; for a filter, its state in the place of both."""
        if state is not None:
            return take_rows((self.x, [state, state]))
        if point in {NEXT, RATE} and self.y_next is not None and self.u_next is not None:
            return take_rows((self.y_next, [oracle]), (self.u_next, [oracle]))
        return take_rows((self.y, [oracle]), (self.u, [oracle]))

    @property
    def storage(self) -> Dense:
        """What V is quadratic in: the states, or states and outputs of oracles."""
        return take_rows((self.x, range(self.x.nrows())), (self.u, self.outputs)) if self.outputs else self.x

    @property
    def storage_next(self) -> Dense:
        """The same at the next step, or its derivative."""
        if not self.outputs or self.u_next is None:
            return self.flow
        return take_rows((self.flow, range(self.flow.nrows())), (self.u_next, self.outputs))


def unit(size: int) -> Dense:
    """Identity."""
    return unit_rows(size, 0, size)


def stack(parts: list[Dense]) -> Dense:
    """All rows of matrices, one below the other."""
    return stack_rows(parts)
