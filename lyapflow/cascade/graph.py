"""Who depends on whom: the dependency graph of a dynamics, and its strongly connected components in order.

Of Lur'e and polynomial systems the graph is exact: a coefficient is zero or it is not. Of a Python function it is what
two checks see: not-a-number put in for a state makes every output that is computed from it not a number, and at random
points each state is moved alone. Neither can prove that there is no dependence.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from graphlib import TopologicalSorter

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from ..dynamics import LureSystem
from ..dynamics.polynomial import PolynomialSystem
from ..errors import DimensionError, InvalidModelError

__all__ = ["EXACT", "Graph", "read_field", "read_lure", "read_polynomial", "sort_components"]

EXACT = "exact: a coefficient is zero or it is not"
"""How the graph of a Lur'e or polynomial system is known."""

Field = Callable[[NDArray[np.float64]], ArrayLike]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A dependency graph.

    Attributes
    ----------
    depends : array of bool, shape (N, N)
        ``depends[i, j]``: the derivative, or the value, of node i contains node j.
    evidence : str
        How it is known.
    """

    depends: NDArray[np.bool_]
    evidence: str = EXACT


def read_lure(system: LureSystem, *, tolerance: float = 0.0) -> Graph:
    """Nodes are the n states and then the m outputs of oracles.

    Parameters
    ----------
    system : LureSystem
        The system.
    tolerance : float, default 0
        Entries up to this size, relative to the largest one, count as zero; 0 is exact.
    """
    n, m = system.shape
    sizes = np.zeros((n + m, n + m))
    sizes[:n, :n] = np.abs(np.array(system.A, dtype=float)) + np.abs(np.array(system.N, dtype=float))
    if m:
        sizes[:n, n:] = np.abs(np.array(system.B, dtype=float))
        sizes[n:, :n] = np.abs(np.array(system.C, dtype=float))
        sizes[n:, n:] = np.abs(np.array(system.D, dtype=float))
    if tolerance:
        limit = tolerance * sizes.max(initial=0)
        return Graph(sizes > limit, f"numerical: entries below {limit:.1e} count as zero")
    exact = np.zeros_like(sizes, dtype=bool)  # a number too small for a float is not zero
    for block, rows, columns in (
        (system.A, 0, 0), (system.N, 0, 0), (system.B, 0, n), (system.C, n, 0), (system.D, n, n)
    ):  # fmt: skip
        for i, row in enumerate(block):
            for j, value in enumerate(row):
                exact[rows + i, columns + j] |= value != 0
    return Graph(exact)


def read_polynomial(system: PolynomialSystem) -> Graph:
    """Nodes are the states."""
    n = len(system.equations)
    depends = np.zeros((n, n), dtype=bool)
    for i, equation in enumerate(system.equations):
        depends[i, list(equation.occurring)] = True
    return Graph(depends)


def read_field(
    field: Field, dimension: int, rng: np.random.Generator, *, trials: int = 20, spread: float = 1.0
) -> Graph:
    """Nodes are the states of ``x' = field(x)``.

    Parameters
    ----------
    field : callable
        Takes an array of shape (dimension,), returns one.
    dimension : int
        Number of states.
    rng : numpy.random.Generator
        Draws the points.
    trials : int, default 20
        How many.
    spread : float, default 1
        Standard deviation of the points.

    Raises
    ------
    DimensionError
        If the field does not return as many numbers as there are states.
    InvalidModelError
        If it returns no finite numbers at any of the points.
    """
    depends = np.zeros((dimension, dimension), dtype=bool)
    usable = 0
    for trial in range(trials):
        x = spread * rng.standard_normal(dimension)
        base = _evaluate(field, x, dimension)
        if not np.all(np.isfinite(base)):
            continue
        usable += 1
        for j in range(dimension):
            moved = x.copy()
            moved[j] += spread * rng.standard_normal()
            depends[:, j] |= _evaluate(field, moved, dimension) != base
            if trial == 0 or usable == 1:
                lost = x.copy()
                lost[j] = np.nan
                depends[:, j] |= np.isnan(_evaluate(field, lost, dimension))
    if not usable:
        raise InvalidModelError(
            f"the vector field must be finite somewhere; it was not at {trials} random points of size {spread}"
        )
    evidence = f"seen: not-a-number was put in for each state, and each was moved alone at {usable} random points"
    return Graph(depends, evidence)


def _evaluate(field: Field, x: NDArray[np.float64], dimension: int) -> NDArray[np.float64]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = field(x)
        try:
            value = np.asarray(found, dtype=float)
        except (TypeError, ValueError):
            raise InvalidModelError(f"the vector field must return real numbers, got {found!r:.80}") from None
    if value.shape != (dimension,):
        raise DimensionError(f"the vector field must return shape ({dimension},), got {value.shape}")
    return value


def sort_components(depends: NDArray[np.bool_]) -> list[list[int]]:
    """Strongly connected components, each after all that it depends on; ties go to the smallest node."""
    count, labels = connected_components(csr_matrix(depends.astype(np.int8)), connection="strong")
    members = [np.nonzero(labels == label)[0].tolist() for label in range(count)]
    order = sorted(range(count), key=lambda label: members[label][0])
    needs = {label: _find_needs(depends, labels, members[label]) for label in order}
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    found: list[list[int]] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=lambda label: members[label][0])
        found += [members[label] for label in ready]
        sorter.done(*ready)
    return found


def _find_needs(depends: NDArray[np.bool_], labels: NDArray[np.signedinteger], own: Iterable[int]) -> list[int]:
    nodes = list(own)
    return sorted({int(labels[j]) for j in np.nonzero(depends[nodes].any(axis=0))[0]} - {int(labels[nodes[0]])})
