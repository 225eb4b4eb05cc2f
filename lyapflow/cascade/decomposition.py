"""Block-triangular structure: a dynamics as stages, each driven by those before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import index

import numpy as np

from ..dynamics import LureSystem
from ..dynamics.polynomial import PolynomialSystem
from ..errors import InvalidModelError
from ..exact.matrices import Matrix, inverse, matrix, multiply, shape
from .graph import Field, Graph, read_field, read_lure, read_polynomial, sort_components
from .transformations import find_transformation, join_equals

__all__ = ["Cascade", "Coupling", "Stage", "decompose", "pick", "read_cascade"]

_TOLERANCE = 1e-12
"""After a numerical transformation, entries this small, relative to the largest one, count as zero."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A group of states that depend on each other, with the oracles between them.

    Attributes
    ----------
    name : str
        ``stage 1, stage 2, ...`` in the order of the cascade.
    states, oracles : tuple of int
        Which of the system's, in its order.
    labels : tuple of str
        Names of the states.
    """

    name: str
    states: tuple[int, ...]
    oracles: tuple[int, ...]
    labels: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.labels)})"


@dataclass(frozen=True, slots=True)
class Coupling:
    """What one stage tells another.

    Attributes
    ----------
    source, target : int
        Positions of the stages.
    signals : tuple of str
        States, and outputs of oracles, of the source that occur in the target.
    """

    source: int
    target: int
    signals: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Cascade:
    """A dynamics as stages.

    Attributes
    ----------
    system : LureSystem, PolynomialSystem or callable
        The whole.
    stages : tuple of Stage
        Each after those that drive it, where there is such an order.
    couplings : tuple of Coupling
        Who drives whom.
    evidence : str
        How the structure is known.
    transformation : Matrix or None
        T in ``x = T z``, where the stages are groups of entries of z.
    coordinates : LureSystem, PolynomialSystem or callable
        The system in the coordinates of the stages.
    """

    system: LureSystem | PolynomialSystem | Field
    stages: tuple[Stage, ...]
    couplings: tuple[Coupling, ...]
    evidence: str
    transformation: Matrix | None
    coordinates: LureSystem | PolynomialSystem | Field

    @property
    def is_triangular(self) -> bool:
        """Whether no stage drives one before it."""
        return all(c.source < c.target for c in self.couplings)

    def find_sources(self, target: int) -> tuple[int, ...]:
        """Stages that drive a stage."""
        return tuple(sorted({c.source for c in self.couplings if c.target == target}))

    def __str__(self) -> str:
        lines = [str(stage) for stage in self.stages]
        lines += [
            f"{self.stages[c.source].name} -> {self.stages[c.target].name}: {', '.join(c.signals)}"
            for c in self.couplings
        ]
        return "\n".join([*lines, f"structure {self.evidence}"])


def decompose(
    system: LureSystem | PolynomialSystem | Field,
    *,
    partition: Sequence[Sequence[int]] | None = None,
    transformation: object = None,
    dimension: int | None = None,
    names: Sequence[str] | None = None,
    rng: np.random.Generator | None = None,
) -> Cascade:
    """Find the block-triangular structure of a dynamics.

    The nodes of its dependency graph are states, and outputs of oracles; the strongly connected components, in
    topological order, are the stages. An output that belongs to no component with a state joins the last stage that it
    depends on.

    Parameters
    ----------
    system : LureSystem, PolynomialSystem or callable
        A callable takes an array of shape (dimension,) and returns the derivative.
    partition : sequence of sequences of int, optional
        The states of each stage, to be taken instead; there may be feedback between stages then.
    transformation : "schur" or (n, n) array_like, optional
        New coordinates z for a `LureSystem`, ``x = T z``: T itself, or ``"schur"`` for those that reveal what a linear
        part hides: what the oracles do not reach and what they do not see (exactly), and the real Schur form of what
        has no oracles (in floating point).
    dimension : int, optional
        Number of states of a callable.
    names : sequence of str, optional
        Names of the states, default ``x1, x2, ...`` (``z1, ...`` after a transformation).
    rng : numpy.random.Generator, optional
        Draws the points at which a callable is looked at; default a generator of seed 0.

    Returns
    -------
    Cascade
        Its ``evidence`` says how the structure is known: exactly, numerically, or by looking.

    Raises
    ------
    InvalidModelError
        If an argument is not valid.

    Examples
    --------
    >>> from lyapflow.dynamics import LureSystem
    >>> print(decompose(LureSystem([[-1, 0, 0], [1, -2, 1], [0, -1, -2]])))
    stage 1 (x1)
    stage 2 (x2, x3)
    stage 1 -> stage 2: x1
    structure exact: a coefficient is zero or it is not
    """
    T: Matrix | None = None
    coordinates = system
    if isinstance(system, LureSystem):
        n, tolerance = system.shape[0], 0.0
        if transformation is not None:
            T, tolerance = _read_transformation(system, transformation)
            coordinates = _transform(system, T)
            if not isinstance(coordinates, LureSystem):
                raise TypeError("internal error: a transformed system is of another kind")
            graph = read_lure(coordinates, tolerance=tolerance)
            if tolerance:
                graph = join_equals(graph, coordinates)
        else:
            graph = read_lure(system)
    elif transformation is not None:
        raise InvalidModelError(f"a transformation goes with a LureSystem, got {type(system).__name__}")
    elif isinstance(system, PolynomialSystem):
        n, graph = len(system.equations), read_polynomial(system)
    elif callable(system):
        if isinstance(dimension, bool) or not isinstance(dimension, int | np.integer) or dimension < 1:
            raise InvalidModelError(f"a callable needs dimension, the number of its states, got {dimension!r}")
        if rng is not None and not isinstance(rng, np.random.Generator):
            raise InvalidModelError(
                f"rng must be a numpy.random.Generator, got {rng!r}. Pass np.random.default_rng(seed)."
            )
        n, graph = dimension, read_field(system, dimension, np.random.default_rng(0) if rng is None else rng)
    else:
        raise InvalidModelError(
            f"decompose takes a LureSystem, a PolynomialSystem or a callable, got {type(system).__name__}. Systems "
            "that are split into modes already (primal-dual flows with singular values) have no dependency graph."
        )
    labels = _name_states(system, n, names, transformed=T is not None)
    groups = sort_components(graph.depends) if partition is None else _read_partition(partition, n)
    owners = _settle(groups, graph, n)
    count = max(owners) + 1
    oracles = system.oracle_names if isinstance(system, LureSystem) else ()
    every = (*labels, *(f"u_{name}" for name in oracles))
    stages = tuple(
        Stage(
            name=f"stage {k + 1}",
            states=tuple(i for i in range(n) if owners[i] == k),
            oracles=tuple(j for j in range(len(oracles)) if owners[n + j] == k),
            labels=tuple(labels[i] for i in range(n) if owners[i] == k),
        )
        for k in range(count)
    )
    return Cascade(
        system=system,
        stages=stages,
        couplings=tuple(_list_couplings(graph, owners, every)),
        evidence=graph.evidence,
        transformation=T,
        coordinates=coordinates,
    )


def _read_transformation(system: LureSystem, given: object) -> tuple[Matrix, float]:
    n = system.shape[0]
    if isinstance(given, str):
        if given != "schur":
            raise InvalidModelError(f"transformation must be 'schur' or an array, got {given!r}")
        return find_transformation(system), _TOLERANCE
    T = matrix(given, name="transformation")
    if shape(T) != (n, n):
        raise InvalidModelError(f"transformation must have shape {(n, n)}, one column per new state, got {shape(T)}")
    return T, 0.0


def _transform(system: LureSystem, T: Matrix) -> LureSystem:
    """The system in the coordinates z of ``x = T z``, exactly."""
    back = inverse(T)
    has_oracles = bool(system.oracles)
    return LureSystem(
        multiply(back, multiply(system.A, T)),
        multiply(back, system.B) if has_oracles else None,
        multiply(system.C, T) if has_oracles else None,
        system.D,
        oracles=system.oracles,
        dt=system.dt,
        name=system.name,
        oracle_names=system.oracle_names,
        groups=system.groups,
        N=multiply(back, multiply(system.N, T)),
    )


def _name_states(system: object, n: int, names: Sequence[str] | None, *, transformed: bool) -> tuple[str, ...]:
    if names is None:
        if isinstance(system, PolynomialSystem):
            return system.names
        letter = "z" if transformed else "x"
        return tuple(f"{letter}{i + 1}" for i in range(n))
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise InvalidModelError(f"names must be a sequence of {n} names, one per state, got {names!r}")
    chosen = tuple(map(str, names))
    if len(chosen) != n or len(set(chosen)) != n:
        raise InvalidModelError(f"names must be {n} different names, one per state, got {list(chosen)}")
    return chosen


def _read_partition(partition: Sequence[Sequence[int]], n: int) -> list[list[int]]:
    try:
        groups = [[index(i) for i in group] for group in partition]
    except TypeError:
        raise InvalidModelError(
            f"partition must be a sequence of groups of states, whole numbers, such as [[0], [1, 2]], "
            f"got {partition!r:.80}"
        ) from None
    if sorted(i for group in groups for i in group) != list(range(n)) or not all(groups):
        raise InvalidModelError(
            f"partition must name each of the states 0 to {n - 1} once, in groups that are not empty, got {groups}"
        )
    return groups


def _settle(groups: list[list[int]], graph: Graph, n: int) -> list[int]:
    """The stage of each node: groups with a state are stages, the others join the last stage that they depend on."""
    owners = [-1] * len(graph.depends)
    stage = 0
    for group in groups:
        if any(i < n for i in group):
            for i in group:
                owners[i] = stage
            stage += 1
    waiting = [i for i in range(len(owners)) if owners[i] < 0]
    order = [i for group in groups for i in group if i in waiting]
    for i in [*order, *(i for i in waiting if i not in order)]:
        sources = [owners[j] for j in np.nonzero(graph.depends[i])[0] if owners[j] >= 0]
        users = [owners[j] for j in np.nonzero(graph.depends[:, i])[0] if owners[j] >= 0]
        owners[i] = max(sources) if sources else min(users, default=0)
    return owners


def _list_couplings(graph: Graph, owners: list[int], names: Sequence[str]) -> Iterator[Coupling]:
    told: dict[tuple[int, int], set[int]] = {}
    for i, j in zip(*np.nonzero(graph.depends), strict=True):
        if owners[i] != owners[j]:
            told.setdefault((owners[j], owners[i]), set()).add(int(j))
    for (source, target), nodes in sorted(told.items()):
        yield Coupling(source, target, tuple(names[j] for j in sorted(nodes)))


def read_cascade(given: object) -> Cascade:
    """What was given, if it is a `Cascade`.

    Raises
    ------
    InvalidModelError
        If it is something else.
    """
    if not isinstance(given, Cascade):
        raise InvalidModelError(
            f"cascade must be a Cascade, got {type(given).__name__}. lyapflow.cascade.decompose(system) makes one."
        )
    return given


def pick(m: Matrix, rows: Sequence[int], columns: Sequence[int]) -> tuple[tuple[Fraction, ...], ...]:
    """A submatrix."""
    return tuple(tuple(m[i][j] for j in columns) for i in rows)
