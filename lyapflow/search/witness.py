"""Evidence against: the linear members of the classes that make the closed loop slowest.

A linear member ``u_j = s_j y_j`` turns the system into a linear one whose decay rate is the negative of its spectral
abscissa, so it bounds the true rate of the class from above. The search is numerical; the bound that is returned is
rigorous (rational data, root balls).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ..classes.inequalities import LinearMembers
from ..dynamics import (
    LureSystem,
    ParametricSystem,
    ProximalLagrangianSystem,
    SaddleSystem,
    StackedSystem,
    System,
)
from ..errors import InvalidModelError
from ..exact.matrices import Matrix
from ..exact.polynomials import spread
from ..exact.rationals import shorten, show_above, show_below
from .gain_loop import find_gain_loop, find_slope, read_sector
from .linear_loop import LONG, SHORT, LinearLoop, round_slope
from .member_bounds import Slope, bound_factor, bound_rate, is_large
from .riccati import find_extreme_point
from .turned import find_turns

__all__ = ["Witness", "check_witness", "estimate_ceiling", "find_turned_witness", "find_witness"]

_FAR = Fraction(1, 10**12)  # stands for the end of a half-line
_PLACES = 9  # values of a parameter between its ends at which members are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A concrete member of the classes.

    Attributes
    ----------
    slopes : tuple of (real part, imaginary part)
        Of each oracle, ``u_j = s_j y_j``; a complex slope is a scaled rotation of the plane.
    oracle_names : tuple of str
        Names of the oracles.
    rate : Fraction or None
        Continuous time: proved upper bound of the decay rate of this member, hence of every rate that holds for the
        whole class.
    factor : Fraction or None
        Discrete time: proved lower bound of the contraction factor of this member, hence of every factor that holds for
        the whole class.
    at : tuple of (str, Fraction), optional
        Parameters of the system that has this member, in a family of systems; the singular value of its operator, where
        an interval of them is known.
    turns : tuple of (int, Matrix), optional
        For blocks of a `StackedSystem`, the orthogonal Q in whose coordinates the slopes are: the function has the
        Hessian ``Q' diag(slopes) Q``.
    """

    slopes: tuple[Slope, ...]
    oracle_names: tuple[str, ...]
    rate: Fraction | None = None
    factor: Fraction | None = None
    at: tuple[tuple[str, Fraction], ...] = ()
    turns: tuple[tuple[int, Matrix], ...] = ()

    def refutes(self, claimed: Fraction | None) -> bool:
        """Whether this member decays more slowly than the given rate or factor (None: does not converge at all)."""
        if self.factor is not None:
            return self.factor >= 1 if claimed is None else self.factor > claimed
        rate = self.rate or Fraction(0)
        return rate <= 0 if claimed is None else rate < claimed

    def __str__(self) -> str:
        parts = []
        for name, (real, imaginary) in zip(self.oracle_names, self.slopes, strict=True):
            s = (
                shorten(real, most=24)
                if not imaginary
                else f"({shorten(real, most=24)} + {shorten(imaginary, most=24)} i)"
            )
            parts.append(f"{name}: u = {s} y")
        if self.refutes(None):
            verb = "does not converge"
        elif self.factor is not None:
            verb = f"contracts with factor at least {show_below(self.factor)}"
        else:
            verb = f"decays with rate at most {show_above(self.rate or Fraction(0))}"
        where = "".join(f"at {name} = {shorten(value, most=24)} " for name, value in self.at)
        turned = " in turned coordinates of its arguments" if self.turns else ""
        who = f"the linear member {', '.join(parts)}{turned}" if parts else "the linear system itself"
        return f"{where}{who} {verb}"


def check_witness(system: System, witness: Witness) -> bool:
    """Whether a witness belongs to the classes of a system and its rate is an upper bound there, exactly."""
    if isinstance(system, ParametricSystem):
        return bool(witness.at) and check_witness(system.at(witness.at[0][1]), witness)
    if witness.turns:
        if not isinstance(system, StackedSystem) or not system.can_turn:
            return False
        return check_witness(system.turn(witness.turns), replace(witness, turns=()))
    if len(witness.slopes) != len(system.oracles):
        return False
    for (real, imaginary), oracle in zip(witness.slopes, system.oracles, strict=True):
        if not _contains(oracle.linear_members(), real, imaginary):
            return False
    if any(witness.slopes[j] != witness.slopes[system.groups.index(g)] for j, g in enumerate(system.groups)):
        return False  # oracles of one group are one operator
    if system.dt > 0:
        return (
            witness.factor is not None
            and witness.rate is None
            and bound_factor(system, witness.slopes) >= witness.factor
        )
    return witness.rate is not None and witness.factor is None and bound_rate(system, witness.slopes) <= witness.rate


def _contains(m: LinearMembers, real: Fraction, imaginary: Fraction) -> bool:
    if imaginary and m.rotations == "none":
        return False
    if m.rotations == "half-disk" and m.upper is not None and real**2 + imaginary**2 > m.upper**2:
        return False
    if m.rotations == "disk" and m.lower is not None and m.upper is not None:
        centre, radius = (m.lower + m.upper) / 2, (m.upper - m.lower) / 2
        return (real - centre) ** 2 + imaginary**2 <= radius**2
    return (m.lower is None or real >= m.lower) and (m.upper is None or real <= m.upper)


def find_witness(system: System) -> Witness:
    """The slowest linear member that a search over slopes finds, with a rigorous bound of its rate or factor.

    Raises
    ------
    InvalidModelError
        If the dynamics varies with time, so that its members have no rate.
    """
    if isinstance(system, ParametricSystem):
        slowest = _find_slowest(system)[0]
        return replace(find_witness(system.at(slowest)), at=((system.parameter, slowest),))
    if isinstance(system, LureSystem) and system.is_time_varying:
        raise InvalidModelError(f"a linear member has a rate where nothing varies with time, got {system.name!r}")
    loop = LinearLoop(system)
    extreme = _find_extreme_slope(system, loop.members) if is_large(system) else None
    if extreme is not None:
        slopes: tuple[complex, ...] = (extreme,)
    else:
        slopes = loop.refine(loop.search()[0], effort=SHORT if is_large(system) else LONG)
    exact = tuple(round_slope(slopes[g], loop.members[g]) for g in system.groups)
    at = _name_singular_value(system, exact)
    if system.dt > 0:
        return Witness(slopes=exact, oracle_names=system.oracle_names, factor=bound_factor(system, exact), at=at)
    return Witness(slopes=exact, oracle_names=system.oracle_names, rate=bound_rate(system, exact), at=at)


def _name_singular_value(system: System, slopes: tuple[Slope, ...]) -> tuple[tuple[str, Fraction], ...]:
    """Where only an interval of singular values is known: the one that the slowest operator has, if it is no other."""
    if not isinstance(system, SaddleSystem | ProximalLagrangianSystem) or system.operator is not None:
        return ()
    places = [low for low, _ in system.enclose_singular_values()]
    if system.dt > 0:
        found = max(places, key=lambda s: bound_factor(system.plant(s), slopes))
        is_slowest = bound_factor(system.plant(found), slopes) >= bound_factor(system, slopes)
    else:
        found = min(places, key=lambda s: bound_rate(system.plant(s), slopes))
        is_slowest = bound_rate(system.plant(found), slopes) <= bound_rate(system, slopes)
    return (("singular_value", found),) if is_slowest else ()


def find_turned_witness(system: StackedSystem) -> Witness | None:
    """The slowest linear member that a search over Hessians that are not diagonal finds, with a rigorous bound."""
    turns = find_turns(system) if system.can_turn else ()
    return replace(find_witness(system.turn(turns)), turns=turns) if turns else None


def _find_slowest(system: ParametricSystem) -> tuple[Fraction, float]:
    """Among some values of the parameter, the one whose linear members leave the least open, and how much."""
    ends = [Fraction(-1), 1 - _FAR if system.ends[1] is None else Fraction(1)]
    places = [system.place(t) for t in (*ends, *spread(_PLACES))]
    ceilings = [estimate_ceiling(system.at(s)) for s in places]
    least = int(np.argmin(ceilings))
    return places[least], ceilings[least]


def _find_extreme_slope(system: System, members: list[LinearMembers]) -> complex | None:
    """Where complex members fill a disk or a half-plane the slowest one is known: it meets the extreme point."""
    if len(members) > 1 or members[0].rotations not in {"disk", "half-plane"}:
        return None
    form = read_sector(system)
    loop = None if form is None else find_gain_loop(system, form)
    return None if loop is None else find_slope(system, find_extreme_point(loop).s)


def estimate_ceiling(system: System) -> float:
    """The parameter of the strongest claim that the linear members leave open, numerically: where a search starts."""
    if isinstance(system, ParametricSystem):
        return _find_slowest(system)[1]
    loop = LinearLoop(system)
    slopes, found = loop.search()
    refined = loop.refine(slopes, effort=SHORT)
    return found if refined is slopes else float(loop.parameters(np.array([refined]))[0])
