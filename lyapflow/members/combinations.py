"""Members made from members: moved, made strongly convex, or declared to belong to another class."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from numpy.typing import ArrayLike

from ..classes.functions import Convex, SmoothConvex, SmoothStronglyConvex, StronglyConvex, SupportFunction
from ..classes.inequalities import ORIGIN, OperatorClass
from ..classes.intersection import Intersection
from ..classes.operators import Cocoercive, Monotone, StronglyMonotone
from ..classes.sectors import SectorBounded, SlopeRestricted, StaticSector
from ..classes.special import Quadratic
from ..errors import DimensionError, InvalidModelError
from .protocol import Array, Member, check_class, check_positive, check_step, freeze, read_vector

__all__ = ["Declared", "Ridged", "Translated"]


@dataclass(frozen=True, eq=False)
class Declared:
    """A member, declared to belong to another class.

    The declaration is the caller's word: it is not checked. Use it where the true class is narrower than the one a
    proof is about, or where the caller knows more than the member says.

    Parameters
    ----------
    member : Member
        The function or operator.
    operator_class : OperatorClass
        The class it is declared to belong to.
    """

    member: Member
    operator_class: OperatorClass

    def __post_init__(self) -> None:
        check_class("Declared", self.operator_class)

    @property
    def dimension(self) -> int | None:
        """That of the member."""
        return self.member.dimension

    def value(self, x: Array) -> float:
        """That of the member."""
        return self.member.value(x)

    def gradient(self, x: Array) -> Array:
        """That of the member."""
        return self.member.gradient(x)

    def prox(self, x: Array, step: float) -> Array:
        """That of the member."""
        return self.member.prox(x, step)


@dataclass(frozen=True, eq=False, init=False)
class Translated:
    """The member moved to another centre: ``x -> f(x - centre)``, or ``x -> F(x - centre)`` for an operator.

    Parameters
    ----------
    member : Member
        The function or operator.
    centre : float or array_like of shape (d,)
        Where the origin goes.

    Attributes
    ----------
    operator_class : OperatorClass
        That of the member; `Convex` for a support function, which is positively homogeneous no more.

    Raises
    ------
    InvalidModelError
        If the class is measured from the origin or entry by entry (`SectorBounded`, `StaticSector`, `SlopeRestricted`).

    Examples
    --------
    >>> import numpy as np
    >>> from lyapflow.members import L1Norm
    >>> Translated(L1Norm(), [5.0]).prox(np.array([5.5]), 1.0)
    array([5.])
    """

    member: Member
    centre: Array
    operator_class: OperatorClass

    def __init__(self, member: Member, centre: ArrayLike) -> None:
        known = member.operator_class
        if isinstance(known, SectorBounded | StaticSector | SlopeRestricted):
            raise InvalidModelError(f"Translated needs a class that a translation keeps, got {known}")
        where = read_vector("Translated", "centre", centre)
        if where.ndim and member.dimension not in (None, len(where)):
            raise DimensionError(f"Translated needs a centre of shape ({member.dimension},), got shape {where.shape}")
        kept = Convex() if isinstance(known, SupportFunction) else known
        freeze(self, member=member, centre=where, operator_class=kept)

    @property
    def dimension(self) -> int | None:
        """That of the member, or the length of the centre."""
        return len(self.centre) if self.centre.ndim else self.member.dimension

    def belongs_to(self, operator_class: OperatorClass) -> bool:
        """Whether the member itself can tell that it belongs to a class, and a translation keeps that class."""
        known = check_class("Translated.belongs_to", operator_class)
        if isinstance(known, Intersection):
            return all(self.belongs_to(part) for part in known.parts)
        if known.equilibria == ORIGIN or isinstance(known, SlopeRestricted | SupportFunction):
            return False
        decide = getattr(self.member, "belongs_to", None)
        return callable(decide) and bool(decide(known))

    def value(self, x: Array) -> float:
        """That of the member at ``x - centre``."""
        return self.member.value(x - self.centre)

    def gradient(self, x: Array) -> Array:
        """That of the member at ``x - centre``."""
        return self.member.gradient(x - self.centre)

    def prox(self, x: Array, step: float) -> Array:
        """``centre + prox(x - centre)``."""
        return self.centre + self.member.prox(x - self.centre, step)


@dataclass(frozen=True, eq=False, init=False)
class Ridged:
    r"""A convex member plus a multiple of the squared norm: :math:`f(x) + \tfrac{\text{ridge}}2|x|^2`.

    For a monotone operator, ``F(x) + ridge x``. ``Ridged(L1Norm(w), ridge)`` is the elastic net.

    Parameters
    ----------
    member : Member
        A convex function or monotone operator.
    ridge : rational
        Coefficient, > 0.

    Attributes
    ----------
    operator_class : OperatorClass
        That of the member with both moduli raised by `ridge`.

    Examples
    --------
    >>> from lyapflow.members import L1Norm
    >>> Ridged(L1Norm(), "1/2").operator_class
    StronglyConvex(mu=Fraction(1, 2))
    """

    member: Member
    ridge: Fraction
    operator_class: OperatorClass

    def __init__(self, member: Member, ridge: object) -> None:
        amount = check_positive("Ridged", "ridge", ridge)
        freeze(self, member=member, ridge=amount, operator_class=_raise_moduli(member.operator_class, amount))

    @property
    def dimension(self) -> int | None:
        """That of the member."""
        return self.member.dimension

    def value(self, x: Array) -> float:
        """The sum at x."""
        return self.member.value(x) + float(self.ridge) * float(x @ x) / 2

    def gradient(self, x: Array) -> Array:
        """The sum at x."""
        return self.member.gradient(x) + float(self.ridge) * x

    def prox(self, x: Array, step: float) -> Array:
        """A prox of the member at a shorter step from a shrunk point."""
        growth = 1 + check_step(step) * float(self.ridge)
        return self.member.prox(x / growth, step / growth)


def _raise_moduli(known: OperatorClass, amount: Fraction) -> OperatorClass:
    match known:
        case Quadratic(mu=mu, L=L):
            return Quadratic(mu + amount, L + amount)
        case SmoothStronglyConvex(mu=mu, L=L):
            return SmoothStronglyConvex(mu + amount, L + amount)
        case SmoothConvex(L=L):
            return SmoothStronglyConvex(amount, L + amount)
        case StronglyConvex(mu=mu):
            return StronglyConvex(mu + amount)
        case Convex():
            return StronglyConvex(amount)
        case StronglyMonotone(mu=mu):
            return StronglyMonotone(mu + amount)
        case Monotone() | Cocoercive():
            return StronglyMonotone(amount)
    raise InvalidModelError(f"Ridged needs a convex function or a monotone operator, got a member of {known}")
