r"""Loop shifting: the same system with the lower bound of each class moved from its oracle into the plant.

With :math:`v_j = u_j - m_j y_j` a function of F(mu, L) becomes one of F(0, L - mu) with the same class inequalities:
multipliers and theorem stay the same; only V is written in other letters. A solver is spared the cancellation between
``mu`` and ``L``, which decides at large condition numbers; at small ones there is nothing to spare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from ..classes import (
    Convex,
    OperatorClass,
    SectorBounded,
    SmoothConvex,
    SmoothStronglyConvex,
    StronglyConvex,
)
from ..dynamics import LureSystem, System
from ..exact.dense import Scalar, accumulate, congruence, dense, fraction, scalar, scalars
from ..exact.matrices import Matrix, add, identity, inverse, multiply, scale
from ..lmi.dissipation import storage_name, value_name
from ..lmi.signals import storage_size, valued_oracles
from ..lmi.templates import QuadraticPlusValue, Template

__all__ = ["Shift", "shift_loop"]


@dataclass(frozen=True, slots=True)
class Shift:
    """A system and its shifted form.

    Attributes
    ----------
    original, system : System
        Before and after.
    slopes : tuple of Fraction
        m of each oracle.
    """

    original: System
    system: System
    slopes: tuple[Fraction, ...]

    def undo(self, values: Mapping[str, Fraction], template: Template) -> dict[str, Fraction]:
        """Unknowns of a proof for the original system from those for the shifted one."""
        return {name: fraction(value) for name, value in self.carry_back(scalars(values), template).items()}

    def carry_back(self, values: Mapping[str, Scalar], template: Template) -> dict[str, Scalar]:
        """The same inside python-flint."""
        if not any(self.slopes) or not isinstance(template, QuadraticPlusValue):
            return dict(values)
        (mode,) = self.original.modes
        plant = mode.vertices[0]
        n, m = plant.shape
        size = storage_size(self.original, template, n)
        y = tuple((*c, *d)[:size] for c, d in zip(plant.C, plant.D, strict=True))
        rows = list(identity(size))
        for j, slope in enumerate(self.slopes if size > n else ()):  # V is quadratic in outputs too: v = u - m y
            rows[n + j] = tuple(a - slope * b for a, b in zip(rows[n + j], y[j], strict=True))
        half = scalar(Fraction(1, 2))
        names = {(i, j): storage_name(mode, min(i, j), max(i, j)) for i in range(size) for j in range(size)}
        entries = [(i, j, half * values[name]) for (i, j), name in names.items()]
        for j in valued_oracles(self.original, template):  # the value of f is that of f - m/2 |.|^2 plus m/2 |y|^2
            weight = values[value_name(self.original.oracle_names[j])] * scalar(self.slopes[j])
            entries.append((size + j, size + j, -half * half * weight))
        P = congruence(dense([*rows, *y], size), accumulate(size + m, size + m, entries))
        return {**values, **{names[i, j]: P[i, j] for i in range(size) for j in range(i, size)}}


def shift_loop(system: System, template: Template, *, beyond: Fraction = Fraction(100)) -> Shift:
    """The shifted system; the system itself where nothing can be shifted.

    Classes with a condition number up to `beyond` stay as they are: they cost a solver no digits that are worth the way
    there and back.
    """
    pairs = [_lift(oracle, beyond) for oracle in system.oracles]
    slopes = tuple(slope for slope, _ in pairs)
    if (
        not isinstance(system, LureSystem)
        or not any(slopes)
        or (isinstance(template, QuadraticPlusValue) and (template.definite or template.outputs))  # P means its letters
    ):
        return Shift(system, system, (Fraction(0),) * len(pairs))
    M: Matrix = tuple(tuple(s if i == j else Fraction(0) for j in range(len(slopes))) for i, s in enumerate(slopes))
    C, D, BM = system.C, system.D, multiply(system.B, M)
    if any(map(any, D)):
        inside = inverse(add(identity(len(slopes)), scale(Fraction(-1), multiply(D, M))))
        C, D = multiply(inside, C), multiply(inside, D)
    shifted = LureSystem(
        add(system.A, multiply(BM, C)),
        add(system.B, multiply(BM, D)),
        C,
        D,
        oracles=[oracle for _, oracle in pairs],
        dt=system.dt,
        name=system.name,
        oracle_names=system.oracle_names,
        groups=system.groups,
    )
    return Shift(system, shifted, slopes)


def _lift(oracle: OperatorClass, beyond: Fraction) -> tuple[Fraction, OperatorClass]:
    """The slope that is worth taking out of a class, and what is left; their inequalities are the same."""
    kind = type(oracle)
    if isinstance(oracle, SmoothStronglyConvex) and kind is SmoothStronglyConvex and oracle.mu * beyond < oracle.L:
        return oracle.mu, SmoothConvex(oracle.L - oracle.mu)
    if isinstance(oracle, StronglyConvex) and kind is StronglyConvex:
        return oracle.mu, Convex()
    if isinstance(oracle, SectorBounded) and kind is SectorBounded and oracle.lower and oracle.lower < oracle.upper:
        return oracle.lower, SectorBounded(Fraction(0), oracle.upper - oracle.lower)
    return Fraction(0), oracle
