r"""The pencil of a claim about gains: the dissipation inequality with its supply.

The input is put before the oracles, as outputs of which nothing is known, and the supply is added to *decrease*:

* `L2Gain`: :math:`-\dot V + g^2|w|^2 - |z|^2`, and *positivity* is :math:`V \ge 0`;
* `InputToState`: :math:`-(\dot V + 2\rho V) + 2\rho g^2|w|^2`, and *positivity* is :math:`V \ge |x|^2`;
* `DelayTolerance`: :math:`-(\dot V + 2\rho V) - \sigma(\beta|\dot y|^2-|v|^2/\beta) - \lambda(\theta|y|^2-|y+v|^2)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

from ..classes.inequalities import OperatorClass
from ..dynamics import Mode, System
from ..errors import InvalidModelError
from ..exact.dense import Dense, add, dense, scalar, take_rows, transform
from ..exact.matrices import Matrix
from .delay_claims import DelayTolerance
from .dissipation import UPPER, Assembly
from .exogenous import Exogenous
from .gain_claims import SUPPLY, GainClaim, InputToState, L2Gain, NoiseAmplification
from .noise import assemble_noise, check_noise, has_one_eigenvalue
from .noise_bounds import assemble_noise_bound, is_known
from .pencil import Entry, Form, Pencil
from .ports import check_ports, extend_modes, find_inlet, find_outlet
from .signals import Signals
from .templates import AdjointStorage, PlainTemplate, QuadraticPlusValue, QuadraticStorage, Template

__all__ = ["assemble_gain", "check_gain", "find_forms"]

_ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class _Driven:
    """A system with its input among the oracles, as far as an assembly asks."""

    modes: tuple[Mode, ...]
    oracles: tuple[OperatorClass, ...]
    oracle_names: tuple[str, ...]
    groups: tuple[int, ...]
    dt: Fraction


def find_forms(system: System, claim: GainClaim) -> tuple[PlainTemplate | AdjointStorage, ...]:
    """Forms of V that a claim about gains can have, the plainest first.

    With function values V must not depend on the input: an error on the argument of an oracle would have to be
    differentiated, or its next value known.
    """
    plain = QuadraticStorage()
    if isinstance(claim, NoiseAmplification):
        if has_one_eigenvalue(system) or is_known(system):
            return (plain,)
        own: tuple[PlainTemplate, ...] = (plain,) if system.dt > 0 else (plain, QuadraticPlusValue())
        first = system.modes[0].vertices
        # y = B' x in the adjoint system, and what is known of an oracle is not affine in its argument
        is_direct = not any(map(any, first[0].D)) and len({plant.B for plant in first}) == 1
        return (*own, *(AdjointStorage(form) for form in own)) if is_direct else own
    if isinstance(claim, DelayTolerance):
        # Values at the undelayed arguments, which need a derivative there.
        return (plain, QuadraticPlusValue()) if all(o.is_single_valued for o in system.oracles) else (plain,)
    if system.dt > 0 and not _is_single(system):
        return (plain,)
    if system.dt > 0 and any(map(any, find_inlet(system, system.modes[0], system.modes[0].vertices[0], claim).F)):
        return (plain,)
    return (plain, QuadraticPlusValue())


def _is_single(system: System) -> bool:
    return len(system.modes) == 1 and len(system.modes[0].vertices) == 1


def check_gain(system: System, claim: GainClaim, template: Template) -> None:
    """Whether a claim about gains can be made of a system, and with this form of V.

    Raises
    ------
    InvalidModelError, DimensionError
        If not.
    """
    check_ports(system, claim)
    if isinstance(claim, NoiseAmplification):
        check_noise(system, claim)
    forms = find_forms(system, claim)
    if template not in forms:
        named = " or ".join(map(str, forms))
        raise InvalidModelError(f"template must be {named} for this claim and system, got {template!r}")


def assemble_gain(
    system: System, claim: GainClaim, template: Template, *, bounded: bool = False, free: bool = False
) -> Pencil:
    """The pencil of a claim about gains.

    Parameters
    ----------
    system : LureSystem, PolytopicSystem or PrimalDualSystem
        The system.
    claim : L2Gain, InputToState or DelayTolerance
        With its number, unless `free`.
    template : QuadraticStorage or QuadraticPlusValue
        Form of V.
    bounded : bool, default False
        Whether to add the upper bound ``V <= c2 |x|^2``.
    free : bool, default False
        Whether the squared gain is an unknown, `SUPPLY`, for a search; not for a `DelayTolerance`.

    Raises
    ------
    InvalidModelError
        If the claim cannot be made, or a number is missing.
    """
    check_gain(system, claim, template)
    if isinstance(claim, NoiseAmplification):
        if bounded or (free and has_one_eigenvalue(system)):
            raise InvalidModelError("NoiseAmplification has no bound of V, and no unknown where its proof is exact")
        if has_one_eigenvalue(system):
            return assemble_noise(system, claim)
    if claim.number is None and not free:
        raise InvalidModelError("assemble_gain needs a claim with its number; certify searches for one")
    if isinstance(claim, InputToState) and claim.parameter is None:
        raise InvalidModelError("assemble_gain needs an InputToState with its rate, or its factor")
    if isinstance(claim, NoiseAmplification):
        return assemble_noise_bound(system, claim, template, free=free)
    return _GainAssembly(system, claim, template, bounded=bounded, free=free).whole()


class _GainAssembly(Assembly):
    """An assembly whose decrease has a supply."""

    def __init__(self, system: System, claim: GainClaim, template: Template, *, bounded: bool, free: bool) -> None:
        again = isinstance(claim, DelayTolerance) and not isinstance(template, QuadraticStorage)
        modes, self.count = extend_modes(system, claim, Exogenous(), again=again)
        first = modes[0].vertices[0]
        driven = _Driven(modes, first.oracles, first.oracle_names, first.groups, first.dt)
        self.plain, self.claim, self.free = system, claim, free
        rate = Fraction(0)
        if isinstance(claim, DelayTolerance):
            rate = claim.rate
        elif isinstance(claim, InputToState):
            rate = claim.parameter or rate
        super().__init__(cast(System, driven), template, rate, bounded=bounded)

    def whole(self) -> Pencil:
        """All inequalities, with the unknowns of the supply."""
        pencil = self.pencil()
        names = self.plain.oracle_names
        own: tuple[str, ...] = (SUPPLY,) if self.free else ()
        if isinstance(self.claim, DelayTolerance):
            own = tuple(name for oracle in names for name in (f"delay: {oracle}", f"shift: {oracle}"))
        return replace(pencil, unknowns=(*pencil.unknowns, *own), nonnegative=(*pencil.nonnegative, *own))

    def _flow_forms(self, mode: Mode, z: Signals, P: tuple[Entry, ...] = ()) -> Iterator[Form]:
        yield from super()._flow_forms(mode, z, P)
        yield from self._supply_forms(mode, z)

    def _step_forms(self, mode: Mode, z: Signals, P: tuple[Entry, ...] = ()) -> Iterator[Form]:
        yield from super()._step_forms(mode, z, P)
        yield from self._supply_forms(mode, z)

    def _bound_forms(self, mode: Mode, z: Signals, part: str) -> Iterator[Form]:
        forms = list(super()._bound_forms(mode, z, part))
        if isinstance(self.claim, L2Gain) and part != UPPER:
            forms = forms[:1]  # V >= 0 is enough: the norm is left out
        yield from forms

    def _supply_forms(self, mode: Mode, z: Signals) -> Iterator[Form]:
        own = next(m for m in self.plain.modes if m.label == mode.label)
        if isinstance(self.claim, DelayTolerance):
            yield from self._delay_forms(self.claim, own, z)
            return
        inlet = find_inlet(self.plain, own, own.vertices[0], self.claim)
        w = take_rows((z.u, range(len(inlet.weight))))
        yield _weigh(w, inlet.weight, self._scale, SUPPLY if self.free else None)
        if isinstance(self.claim, L2Gain):
            outlet = find_outlet(self.plain, own, self.claim)
            x = transform(dense(outlet.H, len(outlet.H[0])), z.x)
            m = len(self.plain.oracles)
            if m:
                u = take_rows((z.u, range(self.count, self.count + m)))
                x = add(x, transform(dense(outlet.J, m), u))
            yield _weigh(x, outlet.weight, Fraction(-1), None)

    @property
    def _scale(self) -> Fraction:
        """What multiplies ``|w|^2``."""
        supply = (self.claim.supply if isinstance(self.claim, InputToState) else None) or _ONE
        return supply if self.free else supply * (self.claim.number or _ONE) ** 2

    def _delay_forms(self, claim: DelayTolerance, mode: Mode, z: Signals) -> Iterator[Form]:
        p, growth, stretch = self.count, scalar(claim.growth), scalar(claim.stretch)
        C = dense(mode.vertices[0].C, z.x.nrows())  # y' and the undelayed y
        speed, place = transform(C, z.flow), transform(C, z.x)
        for j, name in enumerate(self.plain.oracle_names):
            rows = take_rows((speed, [j]), (z.u, [j]), (place, [j]), (z.y, [p + j]))
            delay, shift, one = f"delay: {name}", f"shift: {name}", scalar(_ONE)
            entries: tuple[Entry, ...] = (
                (delay, 0, 0, stretch),  # sigma is the multiplier over the stretch, so that both have a like size
                (delay, 1, 1, -one / stretch),
                (shift, 2, 2, growth),
                (shift, 3, 3, -one),
            )
            yield Form(rows, rows, entries, Fraction(-1))


def _weigh(rows: Dense, weight: Matrix, factor: Fraction, unknown: str | None) -> Form:
    entries = tuple((unknown, i, j, scalar(v)) for i, row in enumerate(weight) for j, v in enumerate(row) if v)
    return Form(rows, rows, entries, factor)
