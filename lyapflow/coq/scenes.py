"""A certificate laid out for a proof: parts of the system, what is known of the oracles, and the numbers of V."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from math import gcd, lcm
from typing import TypeAlias

from ..certificates.certificate import Certificate
from ..exact.factor import weighted_squares
from ..exact.matrices import Matrix, Vector, multiply, transpose
from ..lmi.dissipation import storage_name, value_name
from ..lmi.driven import DrivenSystem
from ..lmi.exogenous import Exogenous
from ..lmi.groups import Group, list_groups
from ..lmi.signals import NEXT, NOW, RATE, STEP, valued_oracles
from .components import Component, Key, list_components, sample
from .families import Family
from .hypotheses import Belief, Point, state_class
from .statements import Statement
from .terms import pair

__all__ = ["Scene", "Slack", "clear_denominators", "collect_groups", "measure_slack"]

_ZERO, _ONE, _TWO = Fraction(0), Fraction(1), Fraction(2)

_Rows: TypeAlias = Mapping[Key, Vector]


@dataclass(frozen=True, slots=True)
class Slack:
    """A nonnegative quadratic form over the base of a part: integers over a common denominator.

    Attributes
    ----------
    places : tuple of int
        Nothing for a plain part, and for all of the base with its images; the vertex; or two vertices, for what lies
        between them.
    divisor : Fraction
        What divides the integers, which have no common factor; positive.
    rows : tuple of tuple of int
        Of the upper triangle.
    """

    places: tuple[int, ...]
    divisor: Fraction
    rows: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """What all theorems about one certificate share.

    Attributes
    ----------
    certificate : Certificate
        In the letters of its proof.
    components : tuple of Component
        Parts of the system.
    beliefs : tuple of tuple of Belief
        Hypotheses about each oracle.
    valued : tuple of int
        Oracles whose values are in V.
    driven : DrivenSystem or None
        What the system of the certificate was extended from: its first oracles are inputs.
    family : Family or None
        What the system is a member of; then the theorems are about all members.
    members : tuple of Scene
        Those of the members.
    """

    certificate: Certificate
    components: tuple[Component, ...]
    beliefs: tuple[tuple[Belief, ...], ...]
    valued: tuple[int, ...]
    driven: DrivenSystem | None = None
    family: Family | None = None
    members: tuple[Scene, ...] = ()

    @staticmethod
    def of(certificate: Certificate, driven: DrivenSystem | None = None) -> Scene:
        """The scene of a certificate; of a driven system, of one about the system that it extends to."""
        system, template = certificate.system, certificate.template
        components = list_components(system, template)
        names = components[0].names
        owners = [names[system.groups.index(group)] for group in system.groups]
        beliefs = tuple(
            () if isinstance(oracle, Exogenous) else state_class(oracle, owner)
            for oracle, owner in zip(system.oracles, owners, strict=True)
        )
        return Scene(certificate, components, beliefs, valued_oracles(system, template), driven)

    @staticmethod
    def of_family(family: Family) -> Scene:
        """The scene of all members of a family."""
        members = tuple(map(Scene.of, family.members))
        first, over = members[0], family.over
        part = sample(first.components[0], family.plants, over)
        oracles = zip(*(member.certificate.system.oracles for member in members), strict=True)
        names = [first.names[first.owner(j)] for j in range(len(first.names))]
        beliefs = tuple(state_class(own[0], name, own, over.spell) for own, name in zip(oracles, names, strict=True))
        return replace(first, components=(part,), beliefs=beliefs, family=family, members=members)

    @property
    def inputs(self) -> int:
        """How many of the first oracles are inputs, of which nothing is known."""
        return self.driven.inputs if self.driven else 0

    def outputs(self) -> list[tuple[str, list[str], list[str], Vector]]:
        """Outputs of a driven system: the name, arguments now and at rest, and the row over these."""
        if self.driven is None:
            return []
        c, p = self.components[0], self.inputs
        now, rest = ([c.x(i, s) for i in c.states] + [c.u(j, s) for j in c.active if j >= p] for s in ("", "s"))
        rows = zip(self.driven.H, self.driven.J or ((),) * self.driven.outputs, strict=True)
        return [(f"z{k}", now, rest, (*h, *j)) for k, (h, j) in enumerate(rows, start=1)]

    @property
    def is_discrete(self) -> bool:
        """Whether time is discrete."""
        return self.components[0].is_discrete

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the oracles."""
        return self.components[0].names

    def owner(self, j: int) -> int:
        """The first oracle of the group: its name is that of the operator, and its input at rest that of the group."""
        return self.certificate.system.groups.index(self.certificate.system.groups[j])

    def with_signals(self, j: int) -> list[Component]:
        """The parts in which an oracle has signals."""
        return [c for c in self.components if j in c.active]

    def star(self, j: int) -> Point:
        """The equilibrium, as a point of an oracle."""
        first = self.owner(j)
        own = self.with_signals(j)
        y, u = pair([c.y(first, "s") for c in own]), pair([c.u(first, "s") for c in own])
        return Point(y, u, f"rest_out_{self.names[first]}")

    def point(self, j: int, time: str) -> Point:
        """An oracle now (``""``) or at the next step (``"n"``)."""
        own = self.with_signals(j)
        y, u = pair([c.y(j, time) for c in own]), pair([c.u(j, time) for c in own])
        return Point(y, u, f"H{time}_{self.names[j]}")

    def height(self, j: int, time: str = "") -> str:
        """The height of the function of an oracle over its tangent at the equilibrium."""
        star = self.star(j)
        return f"height val_{self.names[self.owner(j)]} {star.y} {star.u} {self.point(j, time).y}"

    def weight(self, j: int) -> Fraction:
        """Weight of the value of an oracle in V."""
        return self.certificate.values[value_name(self.certificate.system.oracle_names[j])]

    def storage(self, component: Component, end: int = 0) -> Matrix:
        """Storage matrix of a part, where V varies with the singular value at an end of its interval."""
        values = self.certificate.values
        mode = next(mode for mode in self.certificate.system.modes if mode.label == component.labels[end])
        size = range(len(component.states) + len(component.moving))
        return tuple(tuple(values[storage_name(mode, min(i, j), max(i, j))] for j in size) for i in size)


def collect_groups(scene: Scene, statement: Statement) -> tuple[Group, ...]:
    """Class inequalities of a part of the proof, with the names of their multipliers."""
    system, template = scene.certificate.system, scene.certificate.template
    known = "decrease" if statement.part in {"decrease", "rate", "speed", "speed limit"} else "positivity"
    return tuple(
        Group(group.points, tuple((statement.part + name.removeprefix(known), i) for name, i in group.uses))
        for group in list_groups(system, template, known)
    )


def measure_slack(scene: Scene, statement: Statement, component: Component) -> tuple[Slack, ...]:
    """The slack of a statement in one part: at each vertex, and between vertices; without those that are zero.

    Raises
    ------
    InvalidModelError
        If it is not positive semidefinite: then the certificate proves nothing.
    """
    if component.is_span and statement.next:
        return tuple(
            _clear(places, slack) for places, slack in _read_lifted(scene, component) if weighted_squares(slack)
        )
    pole = component.rows(component.plants[0])
    storages = [scene.storage(component, k if component.is_span else 0) for k in range(len(component.plants))]
    slacks = [
        _sum_up(scene, statement, component, component.rows(plant), pole, P)
        for plant, P in zip(component.plants, storages, strict=True)
    ]
    found: list[tuple[tuple[int, ...], Matrix]] = [
        ((k,) if len(slacks) > 1 else (), slack) for k, slack in enumerate(slacks)
    ]
    vertices = [component.rows(plant) for plant in component.plants]
    for a, b in combinations(range(len(slacks)), 2):
        middle: dict[Key, Vector] = {
            key: tuple((v + w) / 2 for v, w in zip(row, vertices[b][key], strict=True))
            for key, row in vertices[a].items()
        }
        mean = tuple(
            tuple((v + w) / 2 for v, w in zip(*rows, strict=True))
            for rows in zip(storages[a], storages[b], strict=True)
        )
        here = _sum_up(scene, statement, component, middle, pole, mean)
        bend = tuple(
            tuple(4 * v - 2 * (p + q) for v, p, q in zip(*rows, strict=True))
            for rows in zip(here, slacks[a], slacks[b], strict=True)
        )
        found.append(((a, b), bend))
    return tuple(_clear(places, slack) for places, slack in found if weighted_squares(slack))


def _read_lifted(scene: Scene, c: Component) -> Iterator[tuple[tuple[int, ...], Matrix]]:
    """The decrease of a V that is affine in the singular value s, as the certificate has it.

    It is a form in z and tz with ``s = centre + t radius``, plus ``(1 - t^2) z'Sz``; z is the base of the part.
    """
    at = c.labels[0].removesuffix(" low")
    found = {condition.name: condition for condition in scene.certificate.pencil().conditions}
    values, size = scene.certificate.values, len(c.base())
    low, high = c.ends or (_ZERO, _ONE)
    centre, radius = (low + high) / 2, (high - low) / 2
    units = range(2 * size)
    turn = tuple(  # (z, tz) over (z, sz)
        tuple(_ONE * (i == j) if i < size else (_ONE * (i == j) - centre * (i - size == j)) / radius for j in units)
        for i in units
    )
    yield (), multiply(transpose(turn), multiply(found[f"decrease of {at}"].at(values), turn))
    S = found[f"decrease multiplier of {at}"].at(values)
    yield (0, 1), tuple(tuple(4 * v for v in row) for row in S)


def _clear(places: tuple[int, ...], slack: Matrix) -> Slack:
    """The same form with integers that have no common factor."""
    upper = [row[i:] for i, row in enumerate(slack)]
    return Slack(places, *clear_denominators(upper))


def clear_denominators(rows: Sequence[Sequence[Fraction]]) -> tuple[Fraction, tuple[tuple[int, ...], ...]]:
    """The factor that makes integers without a common factor of some numbers, and the integers."""
    entries = [v for row in rows for v in row if v]
    factor = Fraction(lcm(*(v.denominator for v in entries)), gcd(*(v.numerator for v in entries)) or 1)
    return factor, tuple(tuple(int(v * factor) for v in row) for row in rows)


def _sum_up(scene: Scene, statement: Statement, component: Component, rows: _Rows, rows0: _Rows, P: Matrix) -> Matrix:
    """``-X`` minus the class inequalities, as a matrix over the base of a part."""
    size = len(component.base())
    total = [[_ZERO] * size for _ in range(size)]

    def add(weight: Fraction, a: Vector, b: Vector) -> None:
        for i, v in enumerate(a):
            for j, w in enumerate(b):
                if v and w:
                    total[i][j] += weight * v * w / 2
                    total[j][i] += weight * v * w / 2

    def add_form(weight: Fraction, form: Matrix, left: Sequence[Vector], right: Sequence[Vector]) -> None:
        for i, a in enumerate(left):
            for j, b in enumerate(right):
                if weight * form[i][j]:
                    add(weight * form[i][j], a, b)

    states = [("x", i) for i in component.states]
    here = [rows[key] for key in [*states, *(("u", j) for j in component.moving)]]
    mark = "+" if component.is_discrete else "'"
    later = [rows["F", i] for i in component.states] + [rows[f"u{mark}", j] for j in component.moving]
    add_form(-statement.now, P, here, here)
    add_form(-statement.next, P, later, later)
    add_form(-2 * statement.change, P, here, later)
    for j in scene.valued:
        if statement.change and j in component.active:
            add(-statement.change * scene.weight(j), rows["u", j], rows[f"y{mark}", j])
    x, F = here[: len(states)], later[: len(states)]
    add_form(-statement.above, component.norm_above, x, x)
    add_form(-statement.below, component.norm_below, x, x)
    add_form(-statement.fast, component.norm_above, F, F)
    pole = [rows0["F", i] for i in component.states]  # |F|^2 >= 2 <F, M> - |M|^2 is affine in the plant
    add_form(-2 * statement.slow, component.norm_below, F, pole)
    add_form(statement.slow, component.norm_below, pole, pole)
    for k in range(scene.inputs):
        add(statement.intake, rows["u", k], rows["u", k])
    keys = [*states, *(("u", j) for j in component.active if j >= scene.inputs)]
    for _, _, _, row in scene.outputs():
        z = tuple(sum((c * rows[key][k] for c, key in zip(row, keys, strict=True)), _ZERO) for k in range(size))
        add(-statement.output, z, z)
    times = {NOW: "", STEP: "", NEXT: "+", RATE: "'"}
    for group in collect_groups(scene, statement):
        places = {name: (e.oracle, times[e.time]) for name, e in group.points}
        for name, inequality in group.uses:
            weight = scene.certificate.values[name]
            for ((a, p), (b, q)), c in inequality.products if weight else ():
                (i, s), (j, t) = places[p], places[q]
                if i in component.active and j in component.active:
                    add(-weight * c, rows[a + s, i], rows[b + t, j])
    return tuple(map(tuple, total))
