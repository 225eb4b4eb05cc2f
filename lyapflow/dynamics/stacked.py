"""Lur'e systems with vector oracles: one function of several signals, whose gradient has one row for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..classes import (
    Convex,
    GradientDominated,
    Intersection,
    Quadratic,
    SectorBounded,
    SlopeRestricted,
    SmoothConvex,
    SmoothStronglyConvex,
    StaticSector,
    StronglyConvex,
)
from ..classes.inequalities import OperatorClass
from ..errors import InvalidModelError
from ..exact.matrices import Matrix, identity, multiply, transpose
from .lure import LureSystem, Mode

__all__ = ["StackedSystem"]

_TURNABLE = (Convex, GradientDominated, Quadratic, SmoothConvex, SmoothStronglyConvex, StronglyConvex)
"""Classes of functions that do not change when the space is turned; of a user's class that is not known."""


@dataclass(frozen=True, slots=True, init=False)
class StackedSystem:
    r"""A `LureSystem` some of whose oracles are the components of one vector oracle.

    .. math:: \dot x = A x + B u, \quad y = C x, \quad
              (u_{j})_{j \in b} = \nabla f_b\bigl((y_{j})_{j \in b}\bigr) \quad\text{for each block } b

    A function of several signals has one class inequality, the sum of those of its components: multipliers and the
    weight of its value in V are common to the rows of a block. What is proved holds for every function of the block's
    signals in the class, separable or not.

    Parameters
    ----------
    plant : LureSystem
        The rows, in continuous time, time-invariant, with D = 0: all oracles are evaluated explicitly. Oracles of one
        group (`LureSystem.groups`) are evaluations of one component.
    blocks : sequence of int
        Which vector operator each oracle is a component of, one number per oracle. All components of a block have the
        same class and are evaluated equally often; the k-th evaluations of all of them are one evaluation of the whole.

    Raises
    ------
    InvalidModelError
        If the plant or the blocks are not as above, or a class is one of maps that act entry by entry.

    Examples
    --------
    A gradient flow in two coordinates that are scaled differently; f is any function of both:

    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> f = SmoothStronglyConvex(mu=1, L=3)
    >>> rows = LureSystem([[0, 0], [0, 0]], [[-1, 0], [0, -2]], [[1, 0], [0, 1]], oracles=[f, f])
    >>> StackedSystem(rows, blocks=[0, 0]).leaders
    (0, 0)
    """

    plant: LureSystem
    blocks: tuple[int, ...]

    def __init__(self, plant: LureSystem, blocks: Sequence[int]) -> None:
        if not isinstance(plant, LureSystem):
            raise InvalidModelError(f"plant must be a LureSystem, got {type(plant).__name__}")
        if plant.dt or plant.is_time_varying or any(map(any, plant.D)) or not plant.oracles:
            raise InvalidModelError(
                "plant must be in continuous time, time-invariant, with oracles that are evaluated explicitly (D = 0); "
                f"{plant.name!r} is not"
            )
        object.__setattr__(self, "plant", plant)
        object.__setattr__(self, "blocks", _check_blocks(plant, blocks))

    @property
    def leaders(self) -> tuple[int, ...]:
        """For each oracle, the one of the first component of its block that belongs to the same evaluation."""
        rows = self._components()
        return tuple(
            rows[min(g for g in rows if self.blocks[rows[g][0]] == self.blocks[j])][rows[group].index(j)]
            for j, group in enumerate(self.plant.groups)
        )

    @property
    def vectors(self) -> tuple[tuple[int, ...], ...]:
        """The rows of each evaluation of each vector operator, in the order of its components."""
        found: dict[int, list[int]] = {}
        for j, leader in enumerate(self.leaders):
            found.setdefault(leader, []).append(j)
        order = self.plant.groups
        return tuple(tuple(sorted(rows, key=lambda j: order[j])) for rows in found.values())

    @property
    def can_turn(self) -> bool:
        """Whether all classes are known not to change when the arguments of a function are turned."""
        return all(type(oracle) in _TURNABLE for oracle in self.oracles)

    def turn(self, turns: Sequence[tuple[int, Matrix]]) -> StackedSystem:
        """The same system with the arguments of some functions in other orthonormal coordinates, ``y -> Q y``.

        Parameters
        ----------
        turns : sequence of (block, Q)
            Q orthogonal, exactly, with one row per component.

        Raises
        ------
        InvalidModelError
            If some Q is not orthogonal, or of another size, or classes may change with it.
        """
        if not self.can_turn:
            raise InvalidModelError(f"only {', '.join(c.__name__ for c in _TURNABLE)} are known to stay the same")
        B, C = [list(row) for row in transpose(self.B)], [list(row) for row in self.C]
        for block, Q in turns:
            every = [rows for rows in self.vectors if self.blocks[rows[0]] == block]
            if not every or len(Q) != len(every[0]) or multiply(transpose(Q), Q) != identity(len(Q)):
                raise InvalidModelError(f"a turn of block {block} must be an orthogonal matrix, one row per component")
            for rows in every:
                for part in (B, C):
                    turned = multiply(Q, tuple(tuple(part[j]) for j in rows))
                    for j, row in zip(rows, turned, strict=True):
                        part[j] = list(row)
        own = self.plant
        plant = LureSystem(
            own.A,
            transpose(tuple(map(tuple, B))),
            C,
            oracles=own.oracles,
            name=own.name,
            oracle_names=own.oracle_names,
            groups=own.groups,
        )
        return StackedSystem(plant, self.blocks)

    def _components(self) -> dict[int, list[int]]:
        return _list_components(self.plant)

    @property
    def name(self) -> str:
        """Label of the plant."""
        return self.plant.name

    @property
    def oracles(self) -> tuple[OperatorClass, ...]:
        """Class of each row's operator."""
        return self.plant.oracles

    @property
    def oracle_names(self) -> tuple[str, ...]:
        """Names of the rows."""
        return self.plant.oracle_names

    @property
    def groups(self) -> tuple[int, ...]:
        """Which component each row evaluates."""
        return self.plant.groups

    @property
    def dt(self) -> Fraction:
        """Always 0: continuous time."""
        return self.plant.dt

    @property
    def A(self) -> Matrix:
        """State matrix."""
        return self.plant.A

    @property
    def B(self) -> Matrix:
        """One column per row of an oracle."""
        return self.plant.B

    @property
    def C(self) -> Matrix:
        """Inputs of the oracles."""
        return self.plant.C

    @property
    def D(self) -> Matrix:
        """Zero."""
        return self.plant.D

    @property
    def N(self) -> Matrix:
        """Zero."""
        return self.plant.N

    @property
    def is_time_varying(self) -> bool:
        """Always False."""
        return False

    @property
    def shape(self) -> tuple[int, int]:
        """Number of states n and of rows m."""
        return self.plant.shape

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Those of the plant: one, with the Euclidean norm of the state."""
        return self.plant.modes


def _list_components(plant: LureSystem) -> dict[int, list[int]]:
    """The oracles of each component, in order."""
    found: dict[int, list[int]] = {}
    for j, group in enumerate(plant.groups):
        found.setdefault(group, []).append(j)
    return found


def _check_blocks(plant: LureSystem, blocks: Sequence[int]) -> tuple[int, ...]:
    m = len(plant.oracles)
    if not isinstance(blocks, Sequence) or len(blocks) != m or not all(type(b) is int for b in blocks):
        raise InvalidModelError(f"blocks must be {m} integers, one per oracle, got {blocks!r}")
    numbers = {block: k for k, block in enumerate(dict.fromkeys(blocks))}
    chosen = tuple(numbers[block] for block in blocks)
    first: dict[int, list[int]] = {}
    for own in _list_components(plant).values():
        if len({chosen[j] for j in own}) > 1:
            raise InvalidModelError(
                f"oracles of one group are one component, so they must be in one block; {plant.oracle_names[own[0]]} "
                "and another of its group are not"
            )
        lead = first.setdefault(chosen[own[0]], own)
        if own is not lead and _is_entrywise(plant.oracles[own[0]]):
            raise InvalidModelError(
                f"{plant.oracles[own[0]]!r} is a class of maps that act entry by entry, not of one function of several "
                "arguments; give each row a block of its own"
            )
        if plant.oracles[own[0]] != plant.oracles[lead[0]] or len(own) != len(lead):
            raise InvalidModelError(
                "the components of a block must have the same class and be evaluated equally often; those of "
                f"{plant.oracle_names[lead[0]]} and {plant.oracle_names[own[0]]} differ"
            )
    return chosen


def _is_entrywise(oracle: OperatorClass) -> bool:
    parts = oracle.parts if isinstance(oracle, Intersection) else (oracle,)
    return any(isinstance(part, SectorBounded | SlopeRestricted | StaticSector) for part in parts)
