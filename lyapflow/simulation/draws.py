"""Random systems, members and starts for the attack on a certificate."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..certificates import Certificate
from ..classes import Convex, OperatorClass, SmoothConvex, SmoothStronglyConvex, StronglyConvex
from ..classes.inequalities import ANY
from ..dynamics import (
    PolytopicSystem,
    PrimalDualIteration,
    PrimalDualSystem,
    ProximalLagrangianSystem,
    SaddleSystem,
    StackedSystem,
    System,
)
from ..errors import SimulationError
from ..exact.matrices import shape
from ..members import random_member
from .equilibria import Equilibrium, find_parted, locate_equilibrium
from .iterations import draw_operator
from .loops import Array, Loop, close_loop, to_array
from .saddles import find_idle_part
from .storage import Storage

__all__ = ["choose_start", "draw_loop", "draw_place", "draw_start", "draw_vertex"]

_DRAWS = 20  # members without an equilibrium are outside the theorem: so many draws in a row before giving up
_STARTS = 16


def draw_loop(
    certificate: Certificate, dimension: int, rng: np.random.Generator
) -> tuple[Loop, Equilibrium, Array | None]:
    """Random members, closed, with an equilibrium; its existence is an assumption of the theorem."""
    system = certificate.system
    offset, sizes = None, [dimension] * len(system.oracles)
    centred = any(oracle.equilibria != ANY for oracle in system.oracles)
    operated = PrimalDualIteration | ProximalLagrangianSystem | SaddleSystem
    if isinstance(system, operated) and system.operator is None:
        system = draw_operator(system, dimension, rng)
    if isinstance(system, PrimalDualSystem):
        rows, columns = shape(system.constraint)
        offset, sizes = rng.normal(size=rows), [columns]
        if system.is_deficient:  # other right sides have no solution
            offset = to_array(system.constraint) @ rng.normal(size=columns)
    if isinstance(system, operated):
        sizes = list(shape(system.operator or ()))[::-1]
    if isinstance(system, StackedSystem):
        return *_draw_stack(system, rng, centred=centred), None
    remaining = _DRAWS
    while True:
        operators = [
            random_member(_narrow(system.oracles[j], _is_explicit(system, group), rng), sizes[j], rng, centred=centred)
            for group, j in {group: j for j, group in enumerate(system.groups)}.items()
        ]
        members = [operators[group] for group in system.groups]
        loop = close_loop(system, members, offset=offset, dimension=sizes[0] if sizes else dimension)
        try:
            rest = locate_equilibrium(loop, np.zeros(loop.state_shape))
        except SimulationError:
            remaining -= 1
            if not remaining:
                raise
            continue
        if centred or find_parted(system, rest) is None:
            return loop, rest, offset
        centred = True  # members whose gradient is zero at 0 are at rest there, wherever they are evaluated


def _draw_stack(system: StackedSystem, rng: np.random.Generator, *, centred: bool) -> tuple[Loop, Equilibrium]:
    """Random functions of several arguments, one per block, closed, with an equilibrium."""
    sizes = {system.blocks[rows[0]]: (system.oracles[rows[0]], len(rows)) for rows in system.vectors}
    for last in range(_DRAWS - 1, -1, -1):
        found = {
            block: random_member(_narrow(oracle, True, rng), size, rng, centred=centred)
            for block, (oracle, size) in sizes.items()
        }
        loop = close_loop(system, [found[block] for block in system.blocks])
        try:
            rest = locate_equilibrium(loop, np.zeros(loop.state_shape))
        except SimulationError:
            if not last:
                raise
            continue
        if centred or find_parted(system, rest) is None:
            return loop, rest
        centred = True
    raise SimulationError("no draw was made")


def draw_vertex(polytope: PolytopicSystem, rng: np.random.Generator) -> System:
    """A vertex, or a system between them."""
    shares = rng.integers(0, 8, size=len(polytope.vertices)) * (rng.random() < 0.5)
    shares[rng.integers(len(shares))] += 1
    return polytope.combine([Fraction(int(v), int(shares.sum())) for v in shares])


def draw_place(rng: np.random.Generator, *, closed: bool) -> Fraction:
    """A parameter in units of its range, an end now and then."""
    return Fraction(int(np.clip(rng.integers(-80, 81), -64, 64 if closed else 63)), 64)


def _is_explicit(system: System, group: int) -> bool:
    """Whether an operator is evaluated explicitly somewhere."""
    if isinstance(system, PrimalDualSystem | SaddleSystem):
        return True
    if isinstance(system, PrimalDualIteration):
        return False
    plant = system.modes[0].vertices[0]
    return any(plant.D[j][j] == 0 for j, own in enumerate(system.groups) if own == group)


def _narrow(oracle: OperatorClass, explicit: bool, rng: np.random.Generator) -> OperatorClass:
    """A class of members that can be evaluated: where a gradient is asked of nonsmooth functions, smooth ones."""
    growth = Fraction(round(10 ** rng.uniform(1, 4)), 10)
    if explicit and isinstance(oracle, StronglyConvex):
        return SmoothStronglyConvex(oracle.mu, oracle.mu * (1 + growth))
    if explicit and isinstance(oracle, Convex):
        return SmoothConvex(growth)
    return oracle


def choose_start(storage: Storage, rng: np.random.Generator) -> Array:
    """Among random states of all sizes, the one from which V falls most slowly."""
    rest = storage.equilibrium.x
    directions = rng.normal(size=(_STARTS, *rest.shape))
    scales = 10 ** rng.uniform(-2, 2, size=_STARTS)
    starts = [rest + s * v / np.linalg.norm(v) for s, v in zip(scales, directions, strict=True)]
    starts = [x - find_idle_part(storage.loop.system, x - rest) for x in starts]
    return max(starts, key=storage.measure_growth)


def draw_start(rest: Equilibrium, rng: np.random.Generator, *, decades: float = 2.0) -> Array:
    """A random state of a random size, from 10 to minus so many decades to 10 to as many."""
    direction = rng.normal(size=rest.x.shape)
    return np.asarray(rest.x + 10 ** rng.uniform(-decades, decades) * direction / np.linalg.norm(direction))
