"""Members of several classes at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import InvalidModelError
from .inequalities import ANY, ORIGIN, ZERO_OUTPUT, Inequality, LinearMembers, OperatorClass
from .sectors import MAY_VARY, SectorBounded, SlopeRestricted, StaticSector

__all__ = ["Intersection"]

_STRICTNESS = (ANY, ZERO_OUTPUT, ORIGIN)  # each equilibrium of a later kind is one of the kinds before


@dataclass(frozen=True, slots=True, init=False)
class Intersection:
    """Functions or operators that belong to each of several classes, such as strongly monotone and Lipschitz ones.

    A function belongs to a class of operators if its gradient (subdifferential) does. Members are static, as those of
    all classes but `SectorBounded` are, unless all parts are sectors.

    Parameters
    ----------
    *parts : OperatorClass
        Two classes or more; those of an intersection count one by one.

    Attributes
    ----------
    parts : tuple of OperatorClass
        The classes.

    Raises
    ------
    InvalidModelError
        If there are fewer than two different classes, or no real number s is known whose linear map ``u = s y`` is a
        member of all.

    Notes
    -----
    The inequalities are those of all parts. They need not describe the intersection completely: that of strongly
    monotone and Lipschitz operators is described for two points, not for more (Ryu, Taylor, Bergeling, Giselsson 2020).

    Examples
    --------
    >>> from lyapflow.classes import Lipschitz, StronglyMonotone
    >>> F = Intersection(StronglyMonotone(1), Lipschitz(10))
    >>> [i.name for i in F.inequalities(("t", "*"))]
    ['1-strongly-monotone(t,*)', '2-lipschitz(t,*)']
    >>> F.is_monotone and F.is_single_valued
    True
    """

    parts: tuple[OperatorClass, ...]

    def __init__(self, *parts: OperatorClass) -> None:
        found: list[OperatorClass] = []
        for part in parts:
            if isinstance(part, type) or not isinstance(part, OperatorClass):
                raise InvalidModelError(
                    f"Intersection needs classes such as StronglyMonotone(1) and Lipschitz(10), got {part!r}"
                )
            if part.equilibria not in _STRICTNESS:
                raise InvalidModelError(f"equilibria must be one of {_STRICTNESS}, got {part.equilibria!r} of {part!r}")
            found += part.parts if isinstance(part, Intersection) else (part,)
        object.__setattr__(self, "parts", tuple(dict.fromkeys(found)))
        if len(self.parts) < 2:
            raise InvalidModelError(f"Intersection needs at least two different classes, got {list(parts)}")
        members = self.linear_members()
        if members.lower is not None and members.upper is not None and members.lower > members.upper:
            raise InvalidModelError(
                f"Intersection needs classes with a common linear member u = s y, got {list(self.parts)}: s would have "
                f"to be at least {members.lower} and at most {members.upper}"
            )

    def __repr__(self) -> str:
        return f"Intersection({', '.join(map(repr, self.parts))})"

    @property
    def has_values(self) -> bool:
        """Whether one part is a class of functions: then each member is a (sub)gradient."""
        return any(part.has_values for part in self.parts)

    @property
    def is_monotone(self) -> bool:
        """Whether one part is maximally monotone."""
        return any(part.is_monotone for part in self.parts)

    @property
    def is_single_valued(self) -> bool:
        """Whether one part is single valued."""
        return any(part.is_single_valued for part in self.parts)

    @property
    def equilibria(self) -> str:
        """Those around which the inequalities of all parts hold."""
        return max((part.equilibria for part in self.parts), key=_STRICTNESS.index)

    def inequalities(self, points: Sequence[str]) -> tuple[Inequality, ...]:
        """Those of all parts, numbered by the part."""
        return tuple(
            replace(inequality, name=f"{k}-{inequality.name}")
            for k, part in enumerate(self.parts, start=1)
            for inequality in part.inequalities(points)
        )

    def linear_members(self) -> LinearMembers:
        """The real s that are common to all parts, and the complex ones as far as one region has a name.

        Where it has none, the disk over the common real interval is named: it lies in every disk and half-plane over a
        longer interval.
        """
        members = [part.linear_members() for part in self.parts]
        low = max((m.lower for m in members if m.lower is not None), default=None)
        high = min((m.upper for m in members if m.upper is not None), default=None)
        kinds = {m.rotations for m in members}
        if "none" in kinds:
            return LinearMembers(lower=low, upper=high)
        if high is None:
            return LinearMembers(lower=low, upper=None, rotations="half-plane")
        around_zero = all(m.lower == -m.upper for m in members if m.rotations == "disk" and m.upper is not None)
        half = "half-plane" in kinds and around_zero
        return LinearMembers(lower=low, upper=high, rotations="half-disk" if half else "disk")

    @property
    def is_varying(self) -> bool:
        """Whether members may vary with time: a single static part makes them static."""
        return all(isinstance(part, SectorBounded) for part in self.parts)

    def describe(self) -> str:
        """The hypothesis in words; what is said of operators is said of the gradient where the member is a function."""
        functions = [part.describe() for part in self.parts if _is_of_functions(part)]
        others = [part.describe() for part in self.parts if not _is_of_functions(part)]
        others = [text.removesuffix(MAY_VARY) for text in others]
        if not functions:
            return " and ".join(others) + (MAY_VARY if self.is_varying else "")
        gradient = "gradient" if self.is_single_valued else "subdifferential"
        return " and ".join(functions) + (f"; its {gradient} is {' and '.join(others)}" if others else "")


def _is_of_functions(part: OperatorClass) -> bool:
    """Whether a class speaks of functions, whose gradients are the operators; a nonlinearity is its own operator."""
    return part.has_values and not isinstance(part, SlopeRestricted | StaticSector)
