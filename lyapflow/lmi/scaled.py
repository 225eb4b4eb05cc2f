r"""The pencil of a claim on another time scale: inequalities between V, its derivative and the squared speed.

Each part of it, see `time_scales`, is :math:`-e\dot V_F + sV + q|F|^2 \ge 0` on the class, with e either 0 or 1; each
has multipliers of its own, for the class inequalities of the decrease. The number s stands as the parameter of its
condition, so that the search may know V and seek the number instead.

The speed is that of the user's state: :math:`|F|^2` from above where q is negative, from below where it is positive.
From below it is not affine in a plant that lies between vertices, but :math:`|F|^2 \ge 2\langle F, M\rangle - |M|^2`
is, with M the field of the first vertex.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from ..dynamics import LureSystem, Mode, PolytopicSystem, PrimalDualSystem, ProximalLagrangianSystem, System
from ..errors import InvalidModelError
from ..exact.dense import Dense, scalar
from ..exact.matrices import Matrix
from .dissipation import UPPER, Assembly, value_name
from .groups import rename_group
from .metric import Reduction, reduce_splitting
from .pencil import Condition, Entry, Equality, Form, Pencil
from .scaled_claims import FiniteTimeStability, FixedTimeStability, ScaledClaim
from .signals import RATE, Signals, output_oracles
from .templates import Template, VariableMetric, ZamesFalb

__all__ = [
    "DISSIPATION",
    "Part",
    "assemble_parts",
    "assemble_scaled",
    "check_scaled",
    "list_parts",
    "settle_numbers",
]

DISSIPATION = "dissipation"
"""Name of the weight of the squared speed in the decrease, where it is an unknown."""

_ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Part:
    """The inequality ``-[V'] + weight * number * V + speed |F|^2 >= 0`` on the class.

    Attributes
    ----------
    name : str
        Of its conditions, and of its multipliers.
    has_derivative : bool
        Whether ``-V'`` is in it.
    weight, number : Fraction
        What multiplies V; the number is the parameter of the condition.
    speed : Fraction or None
        What multiplies the squared speed; None for minus an unknown, `DISSIPATION`.
    """

    name: str
    has_derivative: bool
    weight: Fraction
    number: Fraction
    speed: Fraction | None


def list_parts(claim: ScaledClaim) -> tuple[Part, ...]:
    """The inequalities of a claim, besides the two bounds of V."""
    if isinstance(claim, FiniteTimeStability):
        return (Part("decrease", True, -_ONE, claim.decay, -claim.dissipation),)
    rate = Part("rate", True, Fraction(-2), claim.rate, Fraction(0))
    if isinstance(claim, FixedTimeStability):
        decrease = Part("decrease", True, -_ONE, claim.decay, -claim.dissipation)
        return decrease, rate, Part("speed", False, -_ONE, claim.speed, _ONE)
    if claim.speed_limit is None:
        return (rate,)
    return rate, Part("speed limit", False, _ONE, claim.speed_limit, -_ONE)


def check_scaled(system: System) -> None:
    """Whether a claim on another time scale can be made of a system.

    Raises
    ------
    InvalidModelError
        If not.
    """
    kinds = LureSystem | PrimalDualSystem | ProximalLagrangianSystem | PolytopicSystem
    if not isinstance(system, kinds) or system.dt != 0:
        raise InvalidModelError(
            "a time scale needs a flow: a LureSystem, a PrimalDualSystem, a ProximalLagrangianSystem or a "
            f"PolytopicSystem in continuous time, got {getattr(system, 'name', system)!r} ({type(system).__name__}, "
            f"dt = {getattr(system, 'dt', 'unknown')})"
        )
    if isinstance(system, ProximalLagrangianSystem) and system.operator is None:
        raise InvalidModelError(
            f"a time scale needs a known operator, got an interval of singular values for {system.name!r}. Give the "
            "operator."
        )
    if isinstance(system, PrimalDualSystem) and system.is_deficient:
        raise InvalidModelError(
            "a time scale needs a constraint matrix of full row rank: with dependent rows the speed of the flow does "
            "not vanish where E x = b has no solution. Remove the dependent rows."
        )
    if isinstance(system, LureSystem) and system.is_time_varying:
        raise InvalidModelError(f"a time scale needs a flow that does not vary with time (N = 0), got {system.name!r}")


def assemble_scaled(system: System, claim: ScaledClaim, template: Template, *, bounded: bool) -> Pencil:
    """The pencil of a claim on another time scale.

    Raises
    ------
    InvalidModelError
        If such a claim cannot be made of the system.
    """
    check_scaled(system)
    if isinstance(template, ZamesFalb):
        raise InvalidModelError("a time scale needs a V of the state alone, got one with memory; use another template")
    return assemble_parts(system, template, list_parts(claim), bounded=bounded)


def assemble_parts(system: System, template: Template, parts: tuple[Part, ...], *, bounded: bool) -> Pencil:
    """The pencil of the given inequalities and of the bounds of V."""
    reduction = None
    if isinstance(template, VariableMetric):
        reduction = reduce_splitting(system)
        system, template = reduction.plant, template.form
    base = Assembly(system, template, Fraction(0), bounded=bounded)
    bounds = base.pencil().without("decrease")
    own = [_Scaled(base, part, reduction) for part in parts]
    multipliers = [name for one in own for name in one.multipliers]
    free = (DISSIPATION,) if any(part.speed is None for part in parts) else ()
    last = (UPPER,) if UPPER in bounds.unknowns else ()
    return Pencil(
        unknowns=(*(n for n in bounds.unknowns if n != UPPER), *multipliers, *free, *last),
        nonnegative=(*bounds.nonnegative, *multipliers, *free),
        conditions=(*(c for one in own for c in one.conditions()), *bounds.conditions),
        equalities=(*(e for one in own for e in one.equalities()), *bounds.equalities),
    )


class _Scaled:
    """One part of a claim."""

    def __init__(self, base: Assembly, part: Part, reduction: Reduction | None) -> None:
        self.base, self.part, self.reduction = base, part, reduction
        self.groups = tuple(rename_group(group, "decrease", part.name) for group in base.groups["decrease"])

    @property
    def multipliers(self) -> list[str]:
        """Names."""
        return [name for group in self.groups for name, _ in group.uses]

    def conditions(self) -> Iterator[Condition]:
        """One for each vertex of each mode."""
        base, part = self.base, self.part
        own = output_oracles(base.system, base.template)
        for mode in base.system.modes:
            where = f" of {mode.label}" if mode.label else ""
            pole = Signals.of(mode.vertices[0], own, with_next=bool(own))
            for k, plant in enumerate(mode.vertices):
                at = f", end {k + 1}" if len(mode.vertices) > 1 else ""
                z = Signals.of(plant, own, with_next=bool(own))
                forms = [Form(z.storage, z.storage, base.entries(mode), Fraction(0), part.weight)]
                if part.has_derivative:
                    forms += base.derivative_forms(mode, z)
                forms += self._speed_forms(mode, z.flow, pole.flow)
                forms += base.multiplied(self.groups, z, mode.idle)
                yield Condition(
                    name=f"{part.name}{where}{at}",
                    signals=base.name_signals(mode),
                    forms=tuple(forms),
                    parameter=part.number,
                )

    def _speed_forms(self, mode: Mode, flow: Dense, pole: Dense) -> Iterator[Form]:
        weight = -_ONE if self.part.speed is None else self.part.speed
        if not weight:
            return
        unknown = DISSIPATION if self.part.speed is None else None
        if weight < 0:
            scale = 1 / self.reduction.least if self.reduction else _ONE
            yield Form(flow, flow, _entries(mode.norm_above, unknown), weight * scale)
            return
        scale = 1 / self.reduction.largest if self.reduction else _ONE
        norm = _entries(mode.norm_below, unknown)
        if len(mode.vertices) == 1:
            yield Form(flow, flow, norm, weight * scale)
            return
        yield Form(flow, pole, norm, 2 * weight * scale)
        yield Form(pole, pole, norm, -weight * scale)

    def equalities(self) -> Iterator[Equality]:
        """Coefficients of the function values, whose derivatives are in the forms."""
        base, part = self.base, self.part
        for group in self.groups:
            for point, evaluation in group.points:
                if evaluation.time == RATE:
                    continue
                name = base.system.oracle_names[evaluation.oracle]
                parts = []
                if evaluation.oracle in base.valued:
                    parts.append((value_name(name), Fraction(0), part.weight))
                parts += [
                    (multiplier, -value, Fraction(0))
                    for multiplier, inequality in group.uses
                    for at, value in inequality.values
                    if at == point
                ]
                if parts:
                    yield Equality(name=f"{part.name}: value of {name}", parts=tuple(parts), parameter=part.number)


def _entries(norm: Matrix, unknown: str | None) -> tuple[Entry, ...]:
    return tuple((unknown, i, j, scalar(v)) for i, row in enumerate(norm) for j, v in enumerate(row) if v)


def settle_numbers(pencil: Pencil) -> Pencil:
    """The same pencil with the parameters of its conditions written into their weights, and 0 in their place."""

    def settle(form: Form, p: Fraction) -> Form:
        return replace(form, weight=form.weight + p * form.slope, slope=Fraction(0)) if form.slope else form

    return replace(
        pencil,
        conditions=tuple(
            replace(c, forms=tuple(settle(f, c.parameter) for f in c.forms), parameter=Fraction(0))
            for c in pencil.conditions
        ),
        equalities=tuple(
            replace(e, parts=tuple((n, w + e.parameter * s, Fraction(0)) for n, w, s in e.parts), parameter=Fraction(0))
            for e in pencil.equalities
        ),
    )
