r"""Interior points of linear matrix inequalities in high precision: Newton's method for a barrier, in python-flint.

Where inequalities are so badly scaled that double precision cannot tell inside from outside, 192 bits can. What comes
back is a candidate like any other: it proves nothing until it is checked exactly.

The margin t of :math:`F_b(y) \succeq t D_b` is increased from below along the central path of
:math:`\tau t + \sum_b\log\det(F_b(y) - t D_b)` until it is positive, or until the path shows that it will not be
(Boyd, Vandenberghe, Convex Optimization, 2004, section 11.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, arb_mat, ctx, fmpq, fmpq_mat

from .dense import Dense, Scalar, fraction

__all__ = ["InteriorPoint", "find_interior_point"]

_BITS = 192
_MOST_STEPS = 150
_FASTER = 20  # by which tau grows
_CENTRED = 0.5  # Newton decrement below which the path is followed further


@dataclass(frozen=True, slots=True)
class InteriorPoint:
    """Where all inequalities hold with a positive margin, and the Newton steps that it took.

    Attributes
    ----------
    values : tuple of Fraction
        Unknowns; the equalities hold exactly.
    steps : int
        Newton steps.
    """

    values: tuple[Fraction, ...]
    steps: int


def find_interior_point(
    blocks: Sequence[tuple[int, Dense]], equalities: Dense, start: Sequence[Fraction]
) -> InteriorPoint | None:
    """A point strictly inside linear matrix inequalities that are homogeneous in their unknowns.

    Parameters
    ----------
    blocks : sequence of (size, Dense)
        For each inequality, the entries of its symmetric matrix row by row as linear forms: shape (size**2, K).
    equalities : Dense, shape (q, K)
        Linear forms that must vanish.
    start : sequence of K Fraction
        Anywhere, the nearer the better: its matrices set the units.

    Returns
    -------
    InteriorPoint or None
        None if the path shows none, or does not come to an end.
    """
    point = fmpq_mat(len(start), 1, [fmpq(v.numerator, v.denominator) for v in start])
    units = [_units(size, m * point) for size, m in blocks]
    hull = _affine_hull(blocks, units, equalities, point)
    if hull is None:
        return None
    basis, at = hull
    with ctx.workprec(_BITS):
        path = _Path(blocks, units, basis)
        found = path.follow(at)
    if found is None:
        return None
    coordinates, steps = found
    values = basis * fmpq_mat(len(coordinates) + 1, 1, [fmpq(1), *coordinates])
    return InteriorPoint(tuple(fraction(v) for v in values.entries()), steps)


def _units(size: int, matrix: Dense) -> list[Scalar]:
    """Powers of two near the diagonal: what a margin of 1 means in each row."""
    most = max(abs(v) for v in matrix.entries())
    least = max(most / 2**60, fmpq(1, 2**200))
    found = []
    for i in range(size):
        value = max(abs(matrix[i * size + i, 0]), least)
        found.append(fmpq(2) ** (int(value.p).bit_length() - int(value.q).bit_length()))
    return found


def _affine_hull(
    blocks: Sequence[tuple[int, Dense]], units: list[list[Scalar]], equalities: Dense, point: Dense
) -> tuple[Dense, list[Scalar]] | None:
    """All points with the equalities and traces (in units) that add to 1, as ``basis (1, w)``; and w of the start."""
    unknowns = point.nrows()
    trace = [fmpq(0)] * unknowns
    for (size, m), unit in zip(blocks, units, strict=True):
        for i in range(size):
            for k in range(unknowns):
                trace[k] += m[i * size + i, k] / unit[i]
    total = sum((trace[k] * point[k, 0] for k in range(unknowns)), fmpq(0))
    if total <= 0:
        return None
    entries = [v for row in equalities.table() for v in (*row, fmpq(0))]
    reduced, rank = fmpq_mat(equalities.nrows() + 1, unknowns + 1, [*entries, *trace, fmpq(1)]).rref()
    pivots = [next(j for j in range(unknowns + 1) if reduced[i, j] != 0) for i in range(rank)]
    free = [j for j in range(unknowns) if j not in pivots]
    basis = fmpq_mat(unknowns, len(free) + 1)
    for i, pivot in enumerate(pivots):
        if pivot == unknowns:  # the trace vanishes on the equalities
            return None
        basis[pivot, 0] = reduced[i, unknowns]
        for k, j in enumerate(free):
            basis[pivot, k + 1] = -reduced[i, j]
    for k, j in enumerate(free):
        basis[j, k + 1] = fmpq(1)
    return basis, [point[j, 0] / total for j in free]


class _Path:
    """The central path in coordinates z = (w, t), at the working precision."""

    def __init__(self, blocks: Sequence[tuple[int, Dense]], units: list[list[Scalar]], basis: Dense) -> None:
        self._count = basis.ncols()  # coordinates of z
        self._blocks: list[tuple[int, arb_mat, arb_mat]] = []  # size, constant, slopes in z
        for (size, m), unit in zip(blocks, units, strict=True):
            table = (m * basis).table()
            slopes = [(*row[1:], -unit[k // size] if k // size == k % size else fmpq(0)) for k, row in enumerate(table)]
            self._blocks.append(
                (
                    size,
                    arb_mat(fmpq_mat(size**2, 1, [row[0] for row in table])),
                    arb_mat(fmpq_mat(size**2, self._count, [v for row in slopes for v in row])),
                )
            )

    def follow(self, at: list[Scalar]) -> tuple[list[Scalar], int] | None:
        """Coordinates w with a positive margin t, and the number of Newton steps."""
        t = arb(-1)
        while self._matrices(z := arb_mat(self._count, 1, [*map(arb, at), t])) is None:
            t *= 4
            if t < -(arb(2) ** 120):
                return None
        tau = -1 / t
        total = sum(size for size, _, _ in self._blocks)
        for step in range(1, _MOST_STEPS + 1):
            moved = self._newton(z, tau)
            if moved is None:
                return None
            z, decrement = moved
            if decrement >= _CENTRED:
                continue
            t = z[self._count - 1, 0]
            if t > 0:
                return [_to_rational(v) for v in z.entries()[:-1]], step
            if t + 1.5 * total / tau < 0:  # no point on the path has a larger margin than that
                return None
            tau *= _FASTER
        return None

    def _newton(self, z: arb_mat, tau: arb) -> tuple[arb_mat, arb] | None:
        matrices = self._matrices(z)
        if matrices is None:
            return None
        n = self._count
        hessian, gradient = arb_mat(n, n), arb_mat(n, 1, [arb(0)] * (n - 1) + [-tau])
        for (size, _, slopes), matrix in zip(self._blocks, matrices, strict=True):
            inverse = matrix.inv()
            square = range(size**2)
            product = [inverse[a // size, b // size] * inverse[a % size, b % size] for a in square for b in square]
            turned = slopes.transpose()
            hessian += turned * (arb_mat(size**2, size**2, product) * slopes)
            gradient -= turned * arb_mat(size**2, 1, inverse.entries())
        try:
            direction = _middle(_middle(hessian).solve(_middle(-gradient)))
        except ZeroDivisionError:
            return None
        decrement = -(gradient.transpose() * direction)[0, 0].mid()
        length = arb(1)
        while self._matrices(moved := _middle(z + direction * length)) is None:
            length *= arb("0.45")
            if length < arb(2) ** -60:
                return None
        return moved, decrement

    def _matrices(self, z: arb_mat) -> list[arb_mat] | None:
        """All matrices at z if they are positive definite (as far as the precision tells)."""
        found = []
        for size, constant, slopes in self._blocks:
            matrix = arb_mat(size, size, [v.mid() for v in (constant + slopes * z).entries()])
            if not _is_definite(matrix):
                return None
            found.append(matrix)
        return found


def _middle(m: arb_mat) -> arb_mat:
    return arb_mat(m.nrows(), m.ncols(), [v.mid() for v in m.entries()])


def _is_definite(m: arb_mat) -> bool:
    """Whether all pivots are positive, in the middle of the balls."""
    rest = [list(row) for row in m.table()]
    for k, row in enumerate(rest):
        if not row[k] > 0:
            return False
        for below in rest[k + 1 :]:
            factor = below[k] / row[k]
            for j in range(k + 1, len(rest)):
                below[j] = (below[j] - factor * row[j]).mid()
    return True


def _to_rational(value: arb) -> Scalar:
    mantissa, exponent = value.mid().man_exp()
    return fmpq(int(mantissa)) * fmpq(2) ** int(exponent)
