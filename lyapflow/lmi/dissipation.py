r"""Plant meets uncertainty: the dissipation inequality of a claim, as a pencil.

In continuous time :math:`V = \tilde x^\top P\tilde x + \sum_j\lambda_j\varphi_j`. With the class inequalities
:math:`I_k = a_k\varphi + \text{quadratic} \ge 0`, exponential decay with rate :math:`\rho` of the state norm is

* *decrease*: :math:`-(\dot V + 2\rho V) - \sum_k\sigma_k I_k` is a positive semidefinite form, :math:`\sigma_k \ge 0`;
* *positivity*: :math:`V - |\tilde x|^2 - \sum_k\nu_k I_k` is, :math:`\nu_k \ge 0`;
* *upper bound*: :math:`c_2|\tilde x|^2 - V - \sum_k\omega_k I_k` is, :math:`\omega_k \ge 0`, where such a
  :math:`c_2` exists.

In discrete time V is quadratic in state and outputs of oracles, and *decrease* is
:math:`\rho^2 V_k - V_{k+1} - \sum_k\sigma_k I_k`, with class inequalities between this step, the next and the
equilibrium. Function values occur linearly, so their coefficients must vanish: these are the equalities of the pencil.

A `PrimalDualIteration` whose singular values lie in an interval has one decrease for all of them: see `lifted`. So have
a `SaddleSystem` and a `ProximalLagrangianSystem`: see `spans`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache

from ..dynamics import Mode, ParametricSystem, PrimalDualIteration, ProximalLagrangianSystem, SaddleSystem, System
from ..dynamics.saddle import Span
from ..errors import InvalidModelError
from ..exact.dense import Dense, accumulate, add, scalar
from .checks import check_claim
from .claims import Claim, SublinearDecay
from .groups import Group, find_leaders, list_groups, rename_group
from .lifted import BASE, Lift
from .memory import extend_modes, list_filters
from .metric import reduce_splitting
from .parametric import Lifting, lift
from .pencil import Condition, Entry, Equality, Form, Pencil
from .scaled_claims import ScaledClaim
from .signals import MEMORY, NEXT, NOW, RATE, STEP, Signals, output_oracles, stack, storage_size, unit, valued_oracles
from .spans import SpanCondition, blend
from .sublinear import assemble_sublinear
from .templates import QuadraticPlusValue, Template, VariableMetric

__all__ = [
    "UPPER",
    "Assembly",
    "assemble",
    "check_claim",
    "lift_family",
    "storage_name",
    "value_name",
]

UPPER = "upper bound"
"""Name of the unknown c2 in ``V <= c2 |x|^2``."""

_DECREASE, _POSITIVITY = "decrease", "positivity"
_ONE, _ZERO = Fraction(1), Fraction(0)


def storage_name(mode: Mode, i: int, j: int) -> str:
    """Name of an entry of a mode's storage matrix, ``i <= j``."""
    return f"P{f'({mode.label})' if mode.label else ''}[{i},{j}]"


def value_name(oracle: str) -> str:
    """Name of the weight of an oracle's function value in V."""
    return f"value[{oracle}]"


@cache
def _storage_entries(label: str, size: int) -> tuple[Entry, ...]:
    at = f"({label})" if label else ""
    one = scalar(_ONE)
    return tuple((f"P{at}[{min(i, j)},{max(i, j)}]", i, j, one) for i in range(size) for j in range(size))


def assemble(system: System, claim: Claim, template: Template, *, bounded: bool = False) -> Pencil:
    """The pencil of a claim: a candidate that satisfies it exactly is a proof.

    Parameters
    ----------
    system : System
        In continuous time for `ExponentialDecay` and `SublinearDecay`, in discrete time for `Contraction`.
    claim : ExponentialDecay, Contraction or SublinearDecay
        With a rate, a factor or an order.
    template : QuadraticStorage or QuadraticPlusValue
        Form of V.
    bounded : bool, default False
        Whether to add the upper bound ``V <= c2 |x|^2``; a `SublinearDecay` has none.

    Returns
    -------
    Pencil
        Affine in the parameter of the claim.

    Raises
    ------
    InvalidModelError
        If claim and system do not agree on time, or the claim has no rate or factor.
    """
    check_claim(system, claim, template)
    if isinstance(template, VariableMetric):
        return assemble(reduce_splitting(system).plant, claim, template.form, bounded=bounded)
    if isinstance(system, ParametricSystem):
        return lift_family(system, claim, template, bounded=bounded).pencil
    if claim.parameter is None:
        raise InvalidModelError("assemble needs a claim with a rate, a factor or an order; certify searches for one")
    if isinstance(claim, SublinearDecay):
        return assemble_sublinear(system, claim.parameter, template)
    return Assembly(system, template, claim.parameter, bounded=bounded).pencil()


def lift_family(
    system: ParametricSystem, claim: Claim | ScaledClaim, template: Template, *, bounded: bool = False
) -> Lifting:
    """The pencil of a claim about all members of a family, as `assemble`, with what its multipliers are for each."""
    if isinstance(claim, ScaledClaim):
        raise InvalidModelError(f"a family over a parameter takes ExponentialDecay or Contraction, got {claim}")
    return lift(system, lambda member: assemble(member, claim, template, bounded=bounded))


class Assembly:
    """What the inequalities of one claim about one system share."""

    def __init__(self, system: System, template: Template, parameter: Fraction, *, bounded: bool) -> None:
        self.system, self.template, self.parameter, self.bounded = system, template, parameter, bounded
        self.modes, self.filters = extend_modes(system, template), len(list_filters(system, template))
        self.valued = valued_oracles(system, template)
        self.leaders = find_leaders(system)
        self.discrete = system.dt > 0
        self.groups = {part: list_groups(system, template, part) for part in (_DECREASE, _POSITIVITY)}
        if bounded:  # the same inequalities as for positivity, with multipliers of their own
            self.groups[UPPER] = tuple(rename_group(group, _POSITIVITY, UPPER) for group in self.groups[_POSITIVITY])
        self.definite = isinstance(template, QuadraticPlusValue) and template.definite
        self.lifts: tuple[Lift, ...] = ()
        self.spans: tuple[SpanCondition, ...] = ()
        if isinstance(system, PrimalDualIteration):
            self.lifts = tuple(Lift.of(system, span) for span in system.spans)
        if isinstance(system, SaddleSystem | ProximalLagrangianSystem):
            self.spans = tuple(self._spread(system, span) for span in system.spans)

    def pencil(self) -> Pencil:
        """All inequalities."""
        weights = [self.value_name(j) for j in self.valued if self.leaders[j] == j]
        every = (name for groups in self.groups.values() for group in groups for name, _ in group.uses)
        multipliers = list(dict.fromkeys(every))  # the rows of a vector oracle share theirs
        storage = [name for mode in self.modes for name in dict.fromkeys(e[0] for e in self.entries(mode)) if name]
        lifted = [name for lift in self.lifts for name in lift.unknowns]
        lifted += [name for span in self.spans for name in span.unknowns]
        return Pencil(
            unknowns=(*storage, *lifted, *weights, *multipliers, *((UPPER,) if self.bounded else ())),
            nonnegative=(*multipliers, *(weights if self.definite else ())),
            conditions=(
                *(c for lift in self.lifts for c in self._lifted_conditions(lift)),
                *(c for span in self.spans for c in span.conditions()),
                *(c for mode in self.modes for c in self._conditions(mode)),
            ),
            equalities=tuple(self._equalities()),
        )

    def value_name(self, j: int) -> str:
        """Name of the weight of an oracle's value: one for all rows of a vector oracle."""
        return value_name(self.system.oracle_names[self.leaders[j]])

    def entries(self, mode: Mode) -> tuple[Entry, ...]:
        """Entries of the storage matrix of a mode."""
        return _storage_entries(mode.label, self._size(mode))

    def _size(self, mode: Mode) -> int:
        return storage_size(self.system, self.template, mode.vertices[0].shape[0])

    def _conditions(self, mode: Mode) -> Iterator[Condition]:
        where = f" of {mode.label}" if mode.label else ""
        own = output_oracles(self.system, self.template)
        every, base = self.name_signals(mode), self.name_signals(mode, moving=False)
        for k, plant in enumerate(() if mode.is_end else mode.vertices):
            at = f", end {k + 1}" if len(mode.vertices) > 1 else ""
            signals = Signals.of(plant, own, with_next=bool(own))
            decrease = self._step_forms if self.discrete else self._flow_forms
            forms = (*decrease(mode, signals), *self.multiplied(self.groups[_DECREASE], signals, mode.idle))
            yield self._condition(f"{_DECREASE}{where}{at}", every, forms)
        signals = Signals.of(mode.vertices[0], own)
        for part in list(self.groups)[1:]:
            forms = (*self._bound_forms(mode, signals, part), *self.multiplied(self.groups[part], signals, mode.idle))
            yield self._condition(f"{part}{where}", base, forms)
        if self.definite:
            whole = unit(self._size(mode))
            names = base[: len(mode.norm_above)] + tuple(f"u_{self.system.oracle_names[j]}" for j in own)
            yield self._condition(f"storage{where}", names, (Form(whole, whole, self.entries(mode)),))

    def name_signals(self, mode: Mode, *, moving: bool = True) -> tuple[str, ...]:
        """Names of states and outputs, and of the moving outputs that V contains: next ones, or derivatives."""
        outputs = tuple(f"u_{name}" for name in self.system.oracle_names)
        own = output_oracles(self.system, self.template) if moving else ()
        marks = tuple(f"{outputs[j]}{'+' if self.discrete else chr(39)}" for j in own)
        states = mode.vertices[0].shape[0] - self.filters
        filters = (f"psi{k + 1}" for k in range(self.filters))
        return (*(f"x{i + 1}" for i in range(states)), *filters, *outputs, *marks)

    def _lifted_conditions(self, lift: Lift) -> Iterator[Condition]:
        at = lift.span.label
        storage = lift.storage_forms(*map(self.entries, lift.span.ends))
        forms = (*storage, *self.multiplied(self.groups[_DECREASE], lift.now), *lift.interval_forms())
        yield self._condition(f"{_DECREASE} of {at}", lift.signals, forms)
        yield self._condition(f"{_DECREASE} multiplier of {at}", BASE, (lift.multiplier_form(),))

    def _spread(self, system: SaddleSystem | ProximalLagrangianSystem, span: Span) -> SpanCondition:
        """The decrease on an interval: P is affine there, and so are, or quadratic, the plant's signals."""
        low, high = map(self.entries, span.ends)
        decrease = self._step_forms if self.discrete else self._flow_forms

        def at(t: Fraction) -> Condition:
            mode = replace(span.ends[0], vertices=(system.plant(span.place(t)),))
            signals = Signals.of(mode.vertices[0])
            forms = (*decrease(mode, signals, blend(low, high, t)), *self.multiplied(self.groups[_DECREASE], signals))
            return self._condition(f"{_DECREASE} of {span.label}", self.name_signals(mode), forms)

        return SpanCondition.of(span.label, at, 1 + 2 * system.degree)

    def _condition(self, name: str, signals: tuple[str, ...], forms: tuple[Form, ...]) -> Condition:
        return Condition(name=name, signals=signals, forms=forms, parameter=self.parameter)

    def _flow_forms(self, mode: Mode, z: Signals, P: tuple[Entry, ...] = ()) -> Iterator[Form]:
        """``-(V' + 2 rate V)``, without function values: those have the derivative ``<u, C x'>``."""
        yield from self.derivative_forms(mode, z, P)
        yield Form(z.storage, self._turn_filters(z.storage), P or self.entries(mode), _ZERO, Fraction(-2))

    def _turn_filters(self, storage: Dense) -> Dense:
        """``zeta + d(zeta')/d(rate)``: with the rate a filter forgets faster, ``-2 psi``, which makes -1 of each 1."""
        if not self.filters:
            return storage
        n, one = storage.nrows(), scalar(_ONE)
        signs = ((i, i, one if i < n - self.filters else -one) for i in range(n))
        return accumulate(n, storage.ncols(), signs)

    def derivative_forms(self, mode: Mode, z: Signals, P: tuple[Entry, ...] = ()) -> Iterator[Form]:
        """``-V'``."""
        yield Form(z.storage, z.storage_next, P or self.entries(mode), Fraction(-2))
        for j in self.valued:
            name = self.value_name(j)
            plant = mode.vertices[0]  # the row of an explicit gradient is common to all vertices
            pairing = tuple((name, j, i, scalar(c)) for i, c in enumerate(plant.C[j]) if c)
            yield Form(z.u, z.flow, pairing, Fraction(-1))
            if z.u_next is not None and any(plant.D[j]):
                fed = tuple((name, j, k, scalar(d)) for k, d in enumerate(plant.D[j]) if d)
                yield Form(z.u, z.u_next, fed, Fraction(-1))

    def _step_forms(self, mode: Mode, z: Signals, P: tuple[Entry, ...] = ()) -> Iterator[Form]:
        """``factor^2 V - V+``, as a form in V and its increment, so that nothing large cancels in floating point."""
        P, here = P or self.entries(mode), z.storage
        change = add(z.storage_next, here, -1)
        yield Form(here, change, P, Fraction(-2))
        yield Form(change, change, P, Fraction(-1))
        yield Form(here, here, P, _ZERO, Fraction(-1))

    def _bound_forms(self, mode: Mode, z: Signals, part: str) -> Iterator[Form]:
        """``V - |x|^2`` or ``c2 |x|^2 - V``, without function values."""
        lower = part == _POSITIVITY
        sign = Fraction(1 if lower else -1)
        here = z.storage
        if self.filters and not lower:  # at the start the filters are at rest
            n = here.nrows()
            here = accumulate(n, here.ncols(), ((i, i, scalar(_ONE)) for i in range(n - self.filters)))
        yield Form(here, here, self.entries(mode), sign)
        norm = mode.norm_above if lower else mode.norm_below
        unknown = None if lower else UPPER
        entries = tuple((unknown, i, j, scalar(v)) for i, row in enumerate(norm) for j, v in enumerate(row) if v)
        yield Form(z.x, z.x, entries, -sign)

    def multiplied(self, groups: tuple[Group, ...], z: Signals, idle: tuple[int, ...] = ()) -> Iterator[Form]:
        """Minus the sum of multipliers times class inequalities, one form per operator that is not idle."""
        for group in groups:
            if group.points[0][1].oracle in idle:
                continue
            place = {name: 2 * k for k, (name, _) in enumerate(group.points)}  # rows y, u of each point
            entries = tuple(
                (multiplier, place[p] + (a == "u"), place[q] + (b == "u"), scalar(c))
                for multiplier, inequality in group.uses
                for ((a, p), (b, q)), c in inequality.products
            )
            first = z.x.nrows() - self.filters
            at = [(e, None if e.filter is None else first + e.filter) for _, e in group.points]
            rows = stack([z.evaluation(e.oracle, e.time, state) for e, state in at])
            yield Form(rows, rows, entries, Fraction(-1))

    def _equalities(self) -> Iterator[Equality]:
        """Coefficients of the function values in each inequality."""
        now = STEP if self.discrete else NOW
        decay = (_ONE, Fraction(-1)) if self.discrete else (_ZERO, Fraction(-2))
        weight = {
            (_DECREASE, now): decay,
            (_DECREASE, NEXT): (Fraction(-1), _ZERO),
            (_POSITIVITY, now): (_ONE, _ZERO),
            (UPPER, now): (Fraction(-1), _ZERO),
        }
        for part, groups in self.groups.items():
            for group in groups:
                for point, evaluation in group.points:
                    if evaluation.time in {RATE, MEMORY} or self.leaders[evaluation.oracle] != evaluation.oracle:
                        continue
                    name = self.system.oracle_names[evaluation.oracle]
                    own = evaluation.oracle in self.valued
                    parts = [(self.value_name(evaluation.oracle), *weight[part, evaluation.time])] if own else []
                    parts += [
                        (multiplier, -value, _ZERO)
                        for multiplier, inequality in group.uses
                        for at, value in inequality.values
                        if at == point
                    ]
                    if parts:
                        what = "next value" if evaluation.time == NEXT else "value"
                        yield Equality(name=f"{part}: {what} of {name}", parts=tuple(parts), parameter=self.parameter)
