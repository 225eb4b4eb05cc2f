r"""White noise by a storage function: a bound of the variance for all quadratic functions, commuting or not.

For linear members the noise-free flow and the noise add up. If along the noise-free flow

.. math:: V \ge 0, \qquad \dot V + |z|^2 \le 0 \quad (V^+ - V + |z|^2 \le 0)

with V a quadratic form of the state, the response to an impulse from the input, ``W v``, has
:math:`\int_0^t|z|^2 \le V(Wv)` at all times. The variance of z is at most the sum of these over an orthonormal basis of
inputs, :math:`\mathrm{tr}\,W^\top PW`, and over the modes each as often as it occurs. Two parts depend on the member:

* W, where the noise reaches the argument of an oracle at once. Then :math:`W^\top PW \preceq N` by the class
  inequalities at ``y = D u + F e``, with N an unknown.
* the value :math:`\varphi = \tfrac12\langle y,Qy\rangle` in V: at most :math:`\kappa|y|^2` with
  :math:`\kappa \ge \tfrac12\lambda\mu, \tfrac12\lambda L`.

A linear system and its adjoint, with input and output changing places, have the same variance, and Q is symmetric: V
may be one of the adjoint system instead (`AdjointStorage`), which for another input and output is the sharper one.
Where the system is a convex combination of some, constant in time, what is proved at each holds for it: the slack is
affine or concave in A and B. For the adjoint B must be common, since its oracles are evaluated at ``y = B' x``.

Where :math:`\mu = L` for all oracles, these are put in and there is nothing but the linear system.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

from ..classes import Quadratic
from ..classes.inequalities import OperatorClass
from ..dynamics import LureSystem, Mode, PrimalDualSystem, System
from ..exact.dense import accumulate, add, dense, scalar, transform, unit_rows
from ..exact.enclosures import count_eigenvalues_within
from ..exact.matrices import Matrix, identity, inverse, multiply, scale, shape, transpose, zeros
from ..exact.matrices import add as plus
from .dissipation import Assembly
from .gain_claims import SUPPLY, NoiseAmplification
from .groups import Group, list_groups, rename_group
from .noise import list_stirred
from .pencil import Condition, Entry, Form, Pencil
from .ports import find_inlet, find_outlet
from .signals import Signals
from .templates import AdjointStorage, QuadraticStorage, Template

__all__ = ["assemble_noise_bound", "count_modes", "is_known"]

_NOISE = "noise"
_ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class _Loop:
    """A system as far as an assembly asks; where all oracles are known, without them."""

    modes: tuple[Mode, ...]
    oracles: tuple[OperatorClass, ...]
    oracle_names: tuple[str, ...]
    groups: tuple[int, ...]
    dt: Fraction


@dataclass(frozen=True, slots=True)
class _Plant:
    r"""One plant with noise and output: :math:`W = E e + B u,\ y = F e + D u` and :math:`z = H x + J u + J_e e`."""

    E: Matrix
    F: Matrix
    H: Matrix
    J: Matrix
    J_e: Matrix
    covariance: Matrix
    weight: Matrix

    @property
    def adjoint(self) -> _Plant:
        """With input and output changing places."""
        E, F, H, J, J_e = map(transpose, (self.H, self.J, self.E, self.F, self.J_e))
        return _Plant(E, F, H, J, J_e, self.weight, self.covariance)


def is_known(system: System) -> bool:
    """Whether the class of each oracle has one member, ``mu = L``, so that the system is linear."""
    return all(isinstance(oracle, Quadratic) and oracle.mu == oracle.L for oracle in system.oracles)


def assemble_noise_bound(
    system: System, claim: NoiseAmplification, template: Template, *, free: bool = False
) -> Pencil:
    """The pencil of a bound of the variance.

    Parameters
    ----------
    system : LureSystem, PolytopicSystem or PrimalDualSystem
        With quadratic functions; the claim was checked.
    claim : NoiseAmplification
        With its variance, unless `free`.
    template : QuadraticStorage, QuadraticPlusValue or AdjointStorage
        Form of V; with values in continuous time only.
    free : bool, default False
        Whether the variance is an unknown, `SUPPLY`, for a search.
    """
    return _NoiseAssembly(system, claim, template, free=free).whole()


class _NoiseAssembly(Assembly):
    """An assembly whose decrease has an output, with the trace that bounds its variance."""

    def __init__(self, system: System, claim: NoiseAmplification, template: Template, *, free: bool) -> None:
        self.plain, self.claim, self.free, self.known = system, claim, free, is_known(system)
        self.is_adjoint = isinstance(template, AdjointStorage)
        modes, loop = system.modes, _Loop((), system.oracles, system.oracle_names, system.groups, system.dt)
        if self.known:
            modes = tuple(replace(m, vertices=tuple(map(_put_in, m.vertices)), idle=()) for m in modes)
            loop = _Loop((), (), (), (), system.dt)
        if self.is_adjoint:
            modes = tuple(replace(m, vertices=tuple(map(_take_adjoint, m.vertices))) for m in modes)
        form = template.form if isinstance(template, AdjointStorage) else template
        super().__init__(cast(System, replace(loop, modes=modes)), form, Fraction(0), bounded=False)

    def whole(self) -> Pencil:
        """All inequalities."""
        pencil = self.pencil()
        parts, trace = self._noise_parts()
        names = [n for c in (*parts, trace) for form in c.forms for n, *_ in form.middle if n is not None]
        own = [n for n in dict.fromkeys(names) if n not in pencil.unknowns]
        signed = tuple(n for n in own if n.startswith(f"{_NOISE}: "))
        return replace(
            pencil,
            unknowns=(*pencil.unknowns, *own),
            nonnegative=(*pencil.nonnegative, *signed),
            conditions=(*pencil.conditions, *self._lid_conditions(own), *parts, trace),
        )

    def _flow_forms(self, mode: Mode, z: Signals, P: tuple[Entry, ...] = ()) -> Iterator[Form]:
        yield from super()._flow_forms(mode, z, P)
        yield self._output_form(mode, z)

    def _step_forms(self, mode: Mode, z: Signals, P: tuple[Entry, ...] = ()) -> Iterator[Form]:
        yield from super()._step_forms(mode, z, P)
        yield self._output_form(mode, z)

    def _bound_forms(self, mode: Mode, z: Signals, part: str) -> Iterator[Form]:
        yield next(iter(super()._bound_forms(mode, z, part)))  # V >= 0 is enough: the norm is left out

    def _output_form(self, mode: Mode, z: Signals) -> Form:
        plant = self._read(mode, 0)
        x, m = transform(dense(plant.H, len(plant.H[0])), z.x), len(self.system.oracles)
        if m:
            x = add(x, transform(dense(plant.J, m), z.u))
        return Form(x, x, _list_entries(plant.weight), Fraction(-1))

    def _read(self, mode: Mode, vertex: int) -> _Plant:
        """One plant of a mode with its ports; of the adjoint system, that one's."""
        plant = self._read_plain(mode, vertex)
        return plant.adjoint if self.is_adjoint else plant

    def _read_plain(self, mode: Mode, vertex: int) -> _Plant:
        """One plant of a mode with its ports, with oracles that are known put in."""
        own = next(m for m in self.plain.modes if m.label == mode.label)
        inlet = find_inlet(self.plain, own, own.vertices[vertex], self.claim)
        outlet = find_outlet(self.plain, own, self.claim)
        covariance, p = inverse(inlet.weight), len(inlet.weight)
        through = zeros(len(outlet.H), p)
        m = own.vertices[vertex].shape[1]
        if not self.known or not m:
            J = outlet.J if m else zeros(len(outlet.H), 0)
            return _Plant(inlet.E, inlet.F, outlet.H, J, through, covariance, outlet.weight)
        plant, loop = own.vertices[vertex], _find_loop(own.vertices[vertex])
        u_x, u_w = multiply(loop, plant.C), multiply(loop, inlet.F)
        return _Plant(
            plus(inlet.E, multiply(plant.B, u_w)), (), plus(outlet.H, multiply(outlet.J, u_x)), (),
            multiply(outlet.J, u_w), covariance, outlet.weight,
        )  # fmt: skip

    def _lid(self, j: int) -> str:
        """Name of the unknown with which ``lambda phi <= kappa |y|^2``."""
        return f"value bound[{self.system.oracle_names[j]}]"

    def _lid_conditions(self, used: list[str]) -> Iterator[Condition]:
        one = unit_rows(1, 0, 1)
        for j in (j for j in self.valued if self._lid(j) in used):
            oracle = cast(Quadratic, self.system.oracles[j])
            for slope in dict.fromkeys((oracle.mu, oracle.L)):
                entries: tuple[Entry, ...] = ((self._lid(j), 0, 0, scalar(_ONE)),
                                              (self.value_name(j), 0, 0, scalar(-slope / 2)))  # fmt: skip
                name = f"bound of the value of {self.system.oracle_names[j]} at slope {slope}"
                yield Condition(name=name, signals=("1",), forms=(Form(one, one, entries),), parameter=self.parameter)

    def _noise_parts(self) -> tuple[list[Condition], Condition]:
        """What bounds V of an impulse in each mode, and the condition on the sum of the traces."""
        conditions: list[Condition] = []
        total: list[Entry] = [(SUPPLY if self.free else None, 0, 0, scalar(self._number))]
        for mode, count in zip(self.system.modes, count_modes(self.plain), strict=True):
            plants = [self._read(mode, k) for k in range(len(mode.vertices))]
            stirred = () if self.known else list_stirred(mode, plants[0].F)
            times = Fraction(-count)
            if not stirred and all(plant.E == plants[0].E and plant.J_e == plants[0].J_e for plant in plants):
                total += self._trace(mode, plants[0], times)
                continue
            p, covariance = len(plants[0].covariance), plants[0].covariance
            total += [
                (_name_bound(mode, i, j), 0, 0, scalar(times * covariance[i][j]))
                for i in range(p) for j in range(p) if covariance[i][j]
            ]  # fmt: skip
            conditions += [self._stir(mode, k, plant, stirred) for k, plant in enumerate(plants)]
        one = unit_rows(1, 0, 1)
        trace = Condition(
            name="variance", signals=("1",), forms=(Form(one, one, tuple(total)),), parameter=self.parameter
        )
        return conditions, trace

    @property
    def _number(self) -> Fraction:
        return _ONE if self.free else self.claim.variance or _ONE

    def _trace(self, mode: Mode, plant: _Plant, times: Fraction) -> Iterator[Entry]:
        """The trace of V over the noise, where that enters at known places."""
        spread = multiply(multiply(plant.E, plant.covariance), transpose(plant.E))
        for name, i, j, c in self.entries(mode):
            if spread[i][j]:
                yield name, 0, 0, c * scalar(times * spread[i][j])
        for j in self.valued:
            row = (mode.vertices[0].C[j],)
            size = multiply(multiply(row, spread), transpose(row))[0][0]
            if size:
                yield self._lid(j), 0, 0, scalar(times * size)
        if self.discrete:
            fed = multiply(multiply(plant.J_e, plant.covariance), transpose(plant.J_e))
            size = sum((w * fed[j][i] for i, row in enumerate(plant.weight) for j, w in enumerate(row)), Fraction(0))
            if size:
                yield None, 0, 0, scalar(times * size)

    def _stir(self, mode: Mode, vertex: int, plant: _Plant, stirred: tuple[int, ...]) -> Condition:
        """``e' N e - V(E e + B u)``, in discrete time also ``- |z|^2``, on the signals e and u of stirred oracles."""
        own, p, m = mode.vertices[vertex], len(plant.covariance), len(self.system.oracles)
        size = p + len(stirred)
        e = unit_rows(size, 0, p)
        u = accumulate(m, size, ((j, p + k, scalar(_ONE)) for k, j in enumerate(stirred)))
        x, y = transform(dense(plant.E, p), e), transform(dense(plant.F, p), e)
        if m:
            x, y = add(x, transform(dense(own.B, m), u)), add(y, transform(dense(own.D, m), u))
        bound = tuple((_name_bound(mode, i, j), i, j, scalar(_ONE)) for i in range(p) for j in range(p))
        forms = [Form(e, e, bound), Form(x, x, self.entries(mode), Fraction(-1))]
        for j in self.valued:
            row = transform(dense((own.C[j],), len(own.C[j])), x)
            forms.append(Form(row, row, ((self._lid(j), 0, 0, scalar(_ONE)),), Fraction(-1)))
        if self.discrete:
            z = transform(dense(plant.J_e, p), e)
            z = add(z, transform(dense(plant.J, m), u)) if m else z
            forms.append(Form(z, z, _list_entries(plant.weight), Fraction(-1)))
        signals = Signals(size, e, y, u, x, None, None)
        forms += self.multiplied(self._list_groups(stirred), signals, mode.idle)
        at = f" of {mode.label}" if mode.label else ""
        at += f", end {vertex + 1}" if len(mode.vertices) > 1 else ""
        names = (*(f"w{k + 1}" for k in range(p)), *(f"u_{self.system.oracle_names[j]}" for j in stirred))
        return Condition(name=f"{_NOISE}{at}", signals=names, forms=tuple(forms), parameter=self.parameter)

    def _list_groups(self, stirred: tuple[int, ...]) -> tuple[Group, ...]:
        """Class inequalities where the noise reaches arguments, without values; multipliers are common to all modes."""
        found: list[Group] = []
        for group in list_groups(self.system, QuadraticStorage(), "decrease"):
            moved = {name for name, evaluation in group.points if evaluation.oracle in stirred}
            uses = tuple(
                (name, inequality)
                for name, inequality in group.uses
                if not inequality.values and any({p, q} & moved for ((_, p), (_, q)), _ in inequality.products)
            )
            found.append(rename_group(Group(group.points, uses), "decrease", _NOISE))
        return tuple(group for group in found if group.uses)


def _name_bound(mode: Mode, i: int, j: int) -> str:
    return f"N{f'({mode.label})' if mode.label else ''}[{min(i, j)},{max(i, j)}]"


def _take_adjoint(plant: LureSystem) -> LureSystem:
    if not plant.oracles:
        return LureSystem(transpose(plant.A), dt=plant.dt, name=plant.name)
    return LureSystem(
        transpose(plant.A),
        transpose(plant.C),
        transpose(plant.B),
        oracles=plant.oracles,
        dt=plant.dt,
        name=plant.name,
        oracle_names=plant.oracle_names,
        groups=plant.groups,
    )


def _list_entries(weight: Matrix) -> tuple[Entry, ...]:
    return tuple((None, i, j, scalar(v)) for i, row in enumerate(weight) for j, v in enumerate(row) if v)


def count_modes(system: System) -> tuple[int, ...]:
    """How often each mode occurs: singular values in each interval, and the dimension of the null space."""
    if not isinstance(system, PrimalDualSystem):
        return (1,) * len(system.modes)
    E = system.constraint
    gram = multiply(E, transpose(E))  # of full row rank: all its eigenvalues are squared singular values
    found = [count_eigenvalues_within(gram, [box]) for box in system.enclosures]
    rest = shape(E)[1] - sum(found)
    return (*found, rest) if len(system.modes) > len(found) else tuple(found)


def _find_loop(plant: LureSystem) -> Matrix:
    """``u = loop (C x + F w)`` for oracles that are known."""
    m = len(plant.oracles)
    slopes = [cast(Quadratic, oracle).mu for oracle in plant.oracles]
    S = tuple(tuple(s if i == j else Fraction(0) for j in range(m)) for i, s in enumerate(slopes))
    return multiply(S, inverse(plus(identity(m), scale(Fraction(-1), multiply(plant.D, S)))))


def _put_in(plant: LureSystem) -> LureSystem:
    """The linear system that a plant is with oracles that are known."""
    if not plant.oracles:
        return plant
    A = plus(plant.A, multiply(multiply(plant.B, _find_loop(plant)), plant.C))
    return LureSystem(A, dt=plant.dt, name=plant.name)
