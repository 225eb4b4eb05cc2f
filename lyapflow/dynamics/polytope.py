"""Polytopes of Lur'e systems: one statement for all parameters in given intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..classes.inequalities import OperatorClass
from ..errors import InvalidModelError
from ..exact.matrices import Matrix, identity
from .lure import LureSystem, Mode

__all__ = ["PolytopicSystem"]


@dataclass(frozen=True, slots=True, init=False)
class PolytopicSystem:
    r"""All Lur'e systems whose matrices lie in the convex hull of some vertices.

    .. math:: \dot x = Ax + Bu,\quad y = Cx + Du,\quad u_j \in O_j(y_j),\qquad (A, B) \in \mathrm{conv}\{(A_k, B_k)\}

    (``x+ = A x + B u`` for ``dt > 0``), constant in time, with common C, D and oracles. What is proved holds for each
    of them with one V. Made by ``certify(family, over={...})``.

    Parameters
    ----------
    vertices : sequence of LureSystem
        At least one; they differ in A and B only.
    name : str, optional
        A label for reports.

    Raises
    ------
    InvalidModelError
        If the vertices differ in anything but A and B, or vary with time.
    """

    vertices: tuple[LureSystem, ...]
    name: str

    def __init__(self, vertices: Sequence[LureSystem], *, name: str = "polytope of Lur'e systems") -> None:
        chosen = tuple(vertices)
        if not chosen or not all(isinstance(v, LureSystem) for v in chosen):
            raise InvalidModelError(f"vertices must be one or more LureSystem, got {vertices!r:.200}")
        first = chosen[0]
        for vertex in chosen:
            if _common(vertex) != _common(first) or vertex.is_time_varying or len(vertex.A) != len(first.A):
                raise InvalidModelError(
                    "vertices must have common C, D, oracles, their names and groups, and dt, the same number of "
                    "states, and no N"
                )
        object.__setattr__(self, "vertices", chosen)
        object.__setattr__(self, "name", str(name))

    @property
    def oracles(self) -> tuple[OperatorClass, ...]:
        """What is known of each oracle."""
        return self.vertices[0].oracles

    @property
    def oracle_names(self) -> tuple[str, ...]:
        """Names of the oracles."""
        return self.vertices[0].oracle_names

    @property
    def groups(self) -> tuple[int, ...]:
        """Which operator each oracle evaluates."""
        return self.vertices[0].groups

    @property
    def dt(self) -> Fraction:
        """0 for continuous time, > 0 for discrete time."""
        return self.vertices[0].dt

    @property
    def shape(self) -> tuple[int, int]:
        """Number of states n and of oracles m."""
        return self.vertices[0].shape

    @property
    def modes(self) -> tuple[Mode, ...]:
        """One mode with all vertices, with the Euclidean norm of the state."""
        n = identity(self.shape[0])
        return (Mode(label="", vertices=self.vertices, norm_above=n, norm_below=n),)

    def combine(self, weights: Sequence[Fraction]) -> LureSystem:
        """The member with the given weights, which must be nonnegative and add up to 1."""
        if len(weights) != len(self.vertices) or min(weights) < 0 or sum(weights) != 1:
            raise InvalidModelError(
                f"weights must be {len(self.vertices)} numbers >= 0 that add up to 1, got {weights}"
            )
        first = self.vertices[0]
        A, B = (_mix([getattr(v, key) for v in self.vertices], weights) for key in "AB")
        return LureSystem(
            A,
            B,
            first.C,
            first.D,
            oracles=first.oracles,
            dt=first.dt,
            name=self.name,
            oracle_names=first.oracle_names,
            groups=first.groups,
        )


def _common(system: LureSystem) -> tuple[object, ...]:
    return system.C, system.D, system.oracles, system.oracle_names, system.groups, system.dt


def _mix(matrices: list[Matrix], weights: Sequence[Fraction]) -> Matrix:
    rows, columns = len(matrices[0]), len(matrices[0][0])
    return tuple(
        tuple(sum((w * m[i][j] for w, m in zip(weights, matrices, strict=True)), Fraction(0)) for j in range(columns))
        for i in range(rows)
    )
