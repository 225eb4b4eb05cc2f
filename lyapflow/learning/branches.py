"""What a scalar polynomial flow does on either side of an equilibrium at which its linear part may vanish, by signs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..errors import InvalidModelError
from ..exact.multivariate import Polynomial

__all__ = ["Branches", "judge_origin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branches:
    """The two sides of the equilibrium ``s = 0`` of ``s' = p(s)``, decided exactly.

    Attributes
    ----------
    equation : str
        The polynomial.
    order : int
        Lowest power that occurs; 1 if the linear part decides, more if it is blind.
    coefficient : Fraction
        Of that power.
    above, below : str
        ``"stable"`` or ``"unstable"``: where solutions go from small ``s > 0`` and from small ``s < 0``.
    """

    equation: str
    order: int
    coefficient: Fraction
    above: str
    below: str

    @property
    def is_stable(self) -> bool:
        """Whether the equilibrium is asymptotically stable."""
        return self.above == self.below == "stable"


def judge_origin(equation: Polynomial) -> Branches:
    """The sign of p beside zero is that of its lowest term, and decides both sides.

    Parameters
    ----------
    equation : Polynomial
        p, in which one variable occurs, with p(0) = 0.

    Raises
    ------
    InvalidModelError
        If more variables occur, or none, or zero is no equilibrium.

    Examples
    --------
    >>> from lyapflow.exact.multivariate import variables
    >>> (s,) = variables(["s"])
    >>> sides = judge_origin(s**2 * (2 - s**3))
    >>> sides.order, sides.above, sides.below
    (2, 'unstable', 'stable')
    """
    if len(equation.occurring) != 1:
        raise InvalidModelError(f"a scalar flow has one variable, got {equation} with {len(equation.occurring)}")
    terms = {sum(exponents): c for exponents, c in equation.terms.items()}
    order = min(terms)
    if order == 0:
        raise InvalidModelError(f"s = 0 must be an equilibrium, got {equation}")
    grows = terms[order] > 0
    grows_below = grows if order % 2 == 0 else not grows
    return Branches(
        equation=str(equation),
        order=order,
        coefficient=terms[order],
        above="unstable" if grows else "stable",
        below="stable" if grows_below else "unstable",
    )
