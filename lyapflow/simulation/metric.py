"""From a splitting loop to the loop of its envelope, in the coordinates in which the metric is the Euclidean one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..certificates import Certificate
from ..errors import InvalidModelError
from ..lmi.metric import FORWARD_BACKWARD, Reduction, reduce_splitting
from ..members.envelopes import DouglasRachfordEnvelope, ForwardBackwardEnvelope, InMetric
from .equilibria import Equilibrium, read_values
from .loops import Array, Loop, LureLoop, close_loop

__all__ = ["ReducedPath", "reduce_equilibrium", "reduce_loop", "reduce_path"]


class Path(Protocol):
    """A trajectory of a splitting flow."""

    @property
    def t(self) -> Array:
        """Times."""

    @property
    def x(self) -> Array:
        """States, shape (T, n, d)."""


@dataclass(frozen=True, slots=True, eq=False)
class ReducedPath:
    """States in the metric's coordinates, with the envelope's signals and values."""

    t: Array
    x: Array
    y: Array
    u: Array
    values: Array


def reduce_loop(certificate: Certificate, loop: Loop) -> tuple[LureLoop, Array]:
    """The loop of the envelope, and the root of the metric."""
    reduction: Reduction = reduce_splitting(certificate.system)
    make = ForwardBackwardEnvelope if reduction.kind == FORWARD_BACKWARD else DouglasRachfordEnvelope
    f, g = loop.members
    member: InMetric = make(f, g, reduction.step).in_metric(loop.state_shape[1])
    reduced = close_loop(reduction.plant, [member])
    if not isinstance(reduced, LureLoop):
        raise InvalidModelError("a variable metric belongs to a LureSystem")
    return reduced, member.root


def reduce_equilibrium(loop: LureLoop, root: Array, rest: Equilibrium) -> Equilibrium:
    """The equilibrium in the metric's coordinates; the metric is at most 1, so errors do not grow."""
    x = rest.x @ root
    _, y, u = loop.evaluate(x)
    return Equilibrium(x=x, y=y, u=u, values=read_values(loop, y), residual=rest.residual, error=rest.error)


def reduce_path(loop: LureLoop, root: Array, path: Path) -> ReducedPath:
    """A trajectory in the metric's coordinates."""
    x = path.x @ root
    signals = [loop.evaluate(state)[1:] for state in x]
    y, u = (np.array([pair[k] for pair in signals]) for k in (0, 1))
    return ReducedPath(path.t, x, y, u, np.array([read_values(loop, inputs) for inputs in y]))
