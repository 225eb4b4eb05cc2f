r"""Coordinates that reveal what a linear part hides.

Of a Lur'e system the oracles reach the subspace :math:`\langle A \mid \operatorname{im} B\rangle` only, and see nothing
of the largest A-invariant subspace in :math:`\ker C` (Kalman's decomposition). Both are rational, so they are found
exactly. What remains, parts without oracles, goes to its real Schur form, whose basis is orthonormal and rounded.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np
from scipy.linalg import schur

from ..dynamics import LureSystem
from ..exact.dense import dense, fraction, reduced_rows, stack_rows, transform
from ..exact.matrices import Matrix, inverse, multiply, transpose
from ..exact.rationals import rational
from .graph import Graph, sort_components

__all__ = ["find_transformation", "join_equals"]

_EQUAL = 1e-3
"""Eigenvalues this close, relative to the largest one, belong together: apart, their blocks would hide a resonance."""

Rows = list[list[Fraction]]


def find_transformation(system: LureSystem) -> Matrix:
    """T in ``x = T z``, with what drives others in the later entries of z.

    The groups of z are, in this order: what the oracles reach and do not see; what they reach and see; what they
    neither reach nor see; what they see and do not reach. Groups without oracles are in real Schur form.
    """
    n, m = system.shape
    reached = _reach(system.A, system.B, n, m)
    hidden = _complement(_reach(transpose(system.A), transpose(system.C) if m else (), n, m), n)
    both = _intersect(reached, hidden, n)
    groups = [both, _extend(both, reached, n), _extend(both, hidden, n)]
    rest = _extend([row for group in groups for row in group], _unit(n), n)
    T = transpose(tuple(tuple(row) for group in (*groups, rest) for row in group))
    inside = multiply(inverse(T), multiply(system.A, T))
    turn = [[Fraction(int(i == j)) for j in range(n)] for i in range(n)]
    start = 0
    for k, group in enumerate((*groups, rest)):
        own = range(start, start + len(group))
        start += len(group)
        if k == 1 or len(group) < 2:
            continue
        block = np.array([[float(inside[i][j]) for j in own] for i in own])
        _, basis = schur(block, output="real")
        for a, i in enumerate(own):
            for b, j in enumerate(own):
                turn[i][j] = rational(float(basis[a, b]))
    return multiply(T, tuple(map(tuple, turn)))


def join_equals(graph: Graph, system: LureSystem) -> Graph:
    """The graph with parts that have eigenvalues in common joined: the blocks of a block Schur form."""
    n = system.shape[0]
    A = np.array(system.A, dtype=float)
    linear = [c for c in sort_components(graph.depends) if all(i < n for i in c)]
    spectra = [np.linalg.eigvals(A[np.ix_(c, c)]) for c in linear]
    size = max((float(np.abs(s).max()) for s in spectra), default=0.0)
    depends = graph.depends.copy()
    for (a, s), (b, t) in combinations(zip(linear, spectra, strict=True), 2):
        if np.abs(s[:, None] - t).min() <= _EQUAL * size:
            depends[a[0], b[0]] = depends[b[0], a[0]] = True
    return replace(graph, depends=depends)


def _reach(A: Matrix, B: Matrix, n: int, m: int) -> Rows:
    """Basis of the smallest A-invariant subspace that contains the columns of B, as rows."""
    if not m:
        return []
    map_ = dense(transpose(A), n)
    found = dense(transpose(B), n)
    rank = 0
    while True:
        rows = reduced_rows(found)
        if len(rows) == rank or not rows:
            return [[fraction(v) for v in row] for row in rows]
        rank = len(rows)
        kept = dense([[fraction(v) for v in row] for row in rows], n)
        found = stack_rows([kept, transform(kept, map_)])


def _complement(rows: Rows, n: int) -> Rows:
    """Basis of all x with ``row . x = 0`` for each row."""
    reduced = [[fraction(v) for v in row] for row in reduced_rows(dense(rows, n))] if rows else []
    pivots = [next(j for j, v in enumerate(row) if v) for row in reduced]
    basis = []
    for free in (j for j in range(n) if j not in pivots):
        x = [Fraction(0)] * n
        x[free] = Fraction(1)
        for row, pivot in zip(reduced, pivots, strict=True):
            x[pivot] = -row[free]
        basis.append(x)
    return basis


def _intersect(a: Rows, b: Rows, n: int) -> Rows:
    """Basis of the intersection of two subspaces."""
    return _complement(_complement(a, n) + _complement(b, n), n)


def _extend(base: Rows, rows: Rows, n: int) -> Rows:
    """Those of some rows that make a basis of the sum, together with a base."""
    chosen: Rows = []
    rank = len(base)
    for row in rows:
        if len(reduced_rows(dense([*base, *chosen, row], n))) > rank:
            chosen.append(row)
            rank += 1
    return chosen


def _unit(n: int) -> Rows:
    return [[Fraction(int(i == j)) for j in range(n)] for i in range(n)]
