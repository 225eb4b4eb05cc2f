"""Whether the constraints of a primal-dual flow have a solution, exactly, and what moves if they have none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from fractions import Fraction

from ..errors import DimensionError, InvalidModelError
from ..exact.matrices import Matrix, inverse, multiply, rank, transpose
from ..exact.rationals import as_text, rational
from .constrained import PrimalDualSystem

__all__ = ["Consistency", "check_consistency"]

_MOST_WRITTEN = 6
"""Entries of a vector that are told in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    r"""What a right side b means for a primal-dual flow or method: all numbers are exact.

    The dual variable splits into its component in the range of E, which converges with x, and the one in the null space
    of :math:`E^\top`, of which nothing but b moves anything: it is constant if ``E x = b`` has a solution, and grows
    linearly if not.

    Attributes
    ----------
    rows, rank : int
        Of E.
    residual : tuple of Fraction
        :math:`r = b - E z` with z a least-squares solution; ``E' r = 0``, and r is zero if and only if ``E x = b`` has
        a solution. Otherwise r proves that it has none: ``<r, E x> = 0`` for every x and ``<r, b> = |r|^2 > 0``.
    drift : tuple of Fraction
        :math:`-\eta r`, how the component of :math:`\lambda` in the null space of :math:`E^\top` changes, in 1/(time
        unit), or per step of a method.
    is_method : bool
        Whether time is counted in steps.
    """

    rows: int
    rank: int
    residual: tuple[Fraction, ...]
    drift: tuple[Fraction, ...]
    is_method: bool = False

    @property
    def is_consistent(self) -> bool:
        """Whether ``E x = b`` has a solution."""
        return not any(self.residual)

    def explain(self) -> str:
        """What converges, and what does not."""
        if self.rank == self.rows:
            return (
                f"E x = b has a solution for every b, because E has full row rank {self.rows}. The certificate speaks "
                "of the whole of (x, lambda)."
            )
        rest = f"the component of lambda in the null space of E', of dimension {self.rows - self.rank},"
        per, number = ("per step", "factor") if self.is_method else ("per unit of time", "rate")
        if self.is_consistent:
            return (
                f"E x = b has a solution. (x, E'lambda) converges with the certificate's {number}; {rest} stays what "
                "it is at the start."
            )
        told = ", ".join(map(as_text, self.drift[:_MOST_WRITTEN])) + (", ..." if self.rows > _MOST_WRITTEN else "")
        return (
            f"E x = b has no solution. (x, E'lambda) converges with the certificate's {number} all the same, x to the "
            f"minimiser of f among the least-squares solutions; {rest} does not: it changes by ({told}) {per}."
        )


def check_consistency(flow: PrimalDualSystem, b: object) -> Consistency:
    """Whether ``E x = b`` has a solution, and which part of the state of a primal-dual flow converges.

    Parameters
    ----------
    flow : PrimalDualSystem
        Flow or method with a known constraint matrix E.
    b : sequence of m rationals
        Right side, at the exact values of its entries: a float that is not the number that was meant makes dependent
        rows inconsistent.

    Returns
    -------
    Consistency
        Rank, the part of b that cannot be reached, and the drift of the dual variable.

    Raises
    ------
    InvalidModelError
        If flow is of another kind, or an entry is no number.
    DimensionError
        If b has not one entry per row of E.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> flow = PrimalDualSystem(SmoothStronglyConvex(1, 10), [[1, 1], [1, 1]], dual_gain=2)
    >>> check_consistency(flow, [3, 3]).is_consistent
    True
    >>> check_consistency(flow, [3, 1]).drift
    (Fraction(-2, 1), Fraction(2, 1))
    """
    if not isinstance(flow, PrimalDualSystem):
        raise InvalidModelError(
            f"check_consistency needs a PrimalDualSystem, whose constraint matrix is known, got {type(flow).__name__}"
        )
    E = flow.constraint
    if isinstance(b, str | Set | Mapping) or not isinstance(b, Iterable):
        raise InvalidModelError(f"b must be a sequence of numbers, one per row of the constraint, got {b!r}")
    right = tuple(rational(value, name="b") for value in b)
    if len(right) != len(E):
        raise DimensionError(f"b must have one entry per row of the constraint, {len(E)}, got {len(right)}")
    columns = _take_independent_columns(E, flow.rank)
    reached = multiply(transpose(columns), tuple((v,) for v in right))
    weights = multiply(inverse(multiply(transpose(columns), columns)), reached)
    nearest = multiply(columns, weights)
    residual = tuple(v - near for v, (near,) in zip(right, nearest, strict=True))
    gain = -flow.dual_gain * (flow.step or 1)
    drift = tuple(gain * value for value in residual)
    return Consistency(rows=len(E), rank=flow.rank, residual=residual, drift=drift, is_method=flow.step > 0)


def _take_independent_columns(E: Matrix, wanted: int) -> Matrix:
    """Columns that span the range of E."""
    chosen: list[tuple[Fraction, ...]] = []
    for column in transpose(E):
        if len(chosen) == wanted:
            break
        if rank((*chosen, column)) > len(chosen):
            chosen.append(column)
    return transpose(tuple(chosen))
