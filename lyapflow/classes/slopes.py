r"""What is known of the derivative of an oracle's output along a motion.

If increments satisfy :math:`\langle\Delta u - \ell\,\Delta y,\ U\,\Delta y - \Delta u\rangle \ge 0`, so do the
derivatives of input and output along any motion on which both have one: divide by the square of the time step. No
second derivative of a function is needed.
"""

from __future__ import annotations

from fractions import Fraction

from ..errors import InvalidModelError
from .functions import Convex, SmoothConvex, SmoothStronglyConvex, StronglyConvex
from .inequalities import Inequality, OperatorClass, sector, signal
from .intersection import Intersection
from .special import Quadratic

__all__ = ["is_smooth", "read_slopes", "slope_inequality"]

_SOURCE = "limit of the inequality of increments"


def read_slopes(oracle: OperatorClass) -> tuple[Fraction, Fraction | None] | None:
    """Bounds of the increments of a gradient; None where none are known.

    >>> read_slopes(SmoothStronglyConvex(1, 10))
    (Fraction(1, 1), Fraction(10, 1))
    """
    if type(oracle) is Intersection:
        known = [bounds for bounds in map(read_slopes, oracle.parts) if bounds is not None]
        uppers = [upper for _, upper in known if upper is not None]
        return (max(low for low, _ in known), min(uppers, default=None)) if known else None
    if type(oracle) is SmoothStronglyConvex or type(oracle) is Quadratic:
        return oracle.mu, oracle.L
    if type(oracle) is SmoothConvex:
        return Fraction(0), oracle.L
    if type(oracle) is StronglyConvex:
        return oracle.mu, None
    return (Fraction(0), None) if isinstance(oracle, Convex) else None


def is_smooth(oracle: OperatorClass) -> bool:
    """Whether every member is known to be a Lipschitz gradient, so that its output moves smoothly with its input."""
    bounds = read_slopes(oracle)
    return bounds is not None and bounds[1] is not None


def slope_inequality(oracle: OperatorClass, point: str) -> Inequality:
    """The inequality between the derivatives of input and output, at the point that names them.

    Raises
    ------
    InvalidModelError
        If none is known.
    """
    bounds = read_slopes(oracle)
    if bounds is None:
        raise InvalidModelError(f"nothing is known of the increments of {oracle!r}")
    return sector("slope", _SOURCE, signal("y", point), signal("u", point), *bounds)
