"""The parts of a system, each in a space of its own, and their signals as the definitions of the system have them.

A `LureSystem` is one part. Dynamics that are decoupled by singular values have one part per mode; where a singular
value lies in an interval, a symmetric map with its spectrum there stands for it. A polytope is one part whose plant is
a weighted mean of its vertices. Where V, too, varies with the singular value, the first next state takes the place of
the first output among the independent signals: then all signals are affine in the singular value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias

from ..dynamics import (
    LureSystem,
    PolytopicSystem,
    PrimalDualIteration,
    PrimalDualSystem,
    ProximalLagrangianSystem,
    SaddleSystem,
    StackedSystem,
    System,
)
from ..dynamics.lure import Mode
from ..errors import InvalidModelError
from ..exact.matrices import Matrix, Vector
from ..lmi.signals import output_oracles
from ..lmi.templates import Template
from .ratios import Range
from .terms import Terms, difference, number

__all__ = ["Component", "Key", "list_components", "safe_names", "sample"]

Key: TypeAlias = tuple[str, int]
"""A signal: ``x``, ``F`` (the right side), ``y`` or ``u``, with ``+`` at the next step or ``'`` for a derivative."""

_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of a system.

    Attributes
    ----------
    labels : tuple of str
        Of the mode in the certificate; of two modes, at the ends of an interval, where V is affine between them.
    mark : str
        Ends all names of this part.
    space : str
        Name of its space.
    plants : tuple of LureSystem
        One, or the vertices.
    kind : "plain", "interval", "hull" or "family"
        How the plant lies among them.
    over : Range or None
        The parameter that they are samples of.
    ends : (Fraction, Fraction) or None
        Ends of the interval.
    names : tuple of str
        Names of the oracles.
    owners : tuple of int
        The first oracle of the same operator, for each: one operator has one output at the equilibrium.
    active, moving : tuple of int
        Oracles that have signals here; those whose outputs V contains.
    norm_above, norm_below : Matrix
        As in `lyapflow.dynamics.lure.Mode`.
    """

    labels: tuple[str, ...]
    mark: str
    space: str
    plants: tuple[LureSystem, ...]
    kind: Literal["plain", "interval", "hull", "family"]
    ends: tuple[Fraction, Fraction] | None
    over: Range | None
    names: tuple[str, ...]
    owners: tuple[int, ...]
    active: tuple[int, ...]
    moving: tuple[int, ...]
    norm_above: Matrix
    norm_below: Matrix

    @property
    def states(self) -> range:
        """Numbers of its states."""
        return range(len(self.plants[0].A))

    @property
    def is_discrete(self) -> bool:
        """Whether time is discrete."""
        return self.plants[0].dt > 0

    @property
    def is_span(self) -> bool:
        """Whether V is affine in the singular value."""
        return len(self.labels) > 1

    @property
    def map(self) -> str:
        """Name of the symmetric map that stands for a singular value."""
        return f"T{self.mark}"

    def x(self, i: int, star: str = "") -> str:
        """A state, or with ``star="s"`` its value at the equilibrium."""
        return f"x{i + 1}{star}{self.mark}"

    def u(self, j: int, star: str = "") -> str:
        """An output: now, ``"s"`` at the equilibrium, ``"n"`` at the next step, ``"d"`` its derivative."""
        return f"u{star}_{self.names[self.owners[j] if star == 's' else j]}{self.mark}"

    def base(self) -> list[tuple[Key, str]]:
        """The independent deviations from the equilibrium: key and vector."""
        found: list[tuple[Key, str]] = [(("x", i), difference(self.x(i), self.x(i, "s"))) for i in self.states]
        if self.is_span:
            found.append((("F", 0), difference(self.field(0), self.x(0, "s"))))
            return found + [(("u", j), difference(self.u(j), self.u(j, "s"))) for j in self.active[1:]]
        found += [(("u", j), difference(self.u(j), self.u(j, "s"))) for j in self.active]
        if self.is_discrete:
            return found + [(("u+", j), difference(self.u(j, "n"), self.u(j, "s"))) for j in self.moving]
        return found + [(("u'", j), self.u(j, "d")) for j in self.moving]

    def rows(self, plant: LureSystem) -> Mapping[Key, Vector]:
        """Deviations of all signals over the base, for one plant."""
        keys: list[Key] = [("x", i) for i in self.states] + [("u", j) for j in self.active]
        keys += [("u+" if self.is_discrete else "u'", j) for j in self.moving]
        size = len(keys)
        found: dict[Key, Vector] = {
            key: tuple(Fraction(int(k == at)) for k in range(size)) for at, key in enumerate(keys)
        }
        now = [("x", i) for i in self.states], [("u", j) for j in self.active]

        def mix(parts: Sequence[tuple[Fraction, Key]]) -> Vector:
            return tuple(sum((c * found[key][k] for c, key in parts if c), _ZERO) for k in range(size))

        def read(row: Vector, fed: Vector, states: Sequence[Key], outputs: Sequence[Key]) -> Vector:
            own = [*zip(row, states, strict=True)]
            return mix(own + [(fed[j], key) for key in outputs for j in [key[1]]])

        for i in self.states:
            found["F", i] = read(plant.A[i], plant.B[i], *now)
        later = [("F", i) for i in self.states], [("u+" if self.is_discrete else "u'", j) for j in self.moving]
        for j in self.active:
            found["y", j] = read(plant.C[j], plant.D[j], *now)
            if all(k in self.moving for k in self.active if plant.D[j][k]):
                found["y+" if self.is_discrete else "y'", j] = read(plant.C[j], plant.D[j], *later)
        return self._exchange(found) if self.is_span else found

    def _exchange(self, rows: Mapping[Key, Vector]) -> Mapping[Key, Vector]:
        """The same rows with the first next state for the first output."""
        n = len(self.states)
        pole = rows["F", 0]

        def turn(row: Vector) -> Vector:
            share = row[n] / pole[n]
            return tuple(share if k == n else v - share * p for k, (v, p) in enumerate(zip(row, pole, strict=True)))

        return {key: turn(row) for key, row in rows.items()}

    def spell(self, values: Sequence[Vector], vectors: Sequence[str]) -> Terms:
        """A row, given at each vertex, over vectors."""
        found: Terms = []
        for column, vector in zip(zip(*values, strict=True), vectors, strict=True):
            if self.kind == "plain" or len(set(column)) == 1:
                found += [(number(column[0]), vector)] if column[0] else []
            elif self.over is not None:
                found.append((self.over.spell(column), vector))
            elif self.ends is not None:
                (low, high), (first, last) = self.ends, column
                slope = (last - first) / (high - low)
                still = first - low * slope
                found += [(number(still), vector)] if still else []
                found.append((number(slope), f"{self.map} {vector if vector.isidentifier() else f'({vector})'}"))
            else:
                parts = [f"w{k + 1} * {number(c)}" for k, c in enumerate(column) if c]
                found.append((f"({' + '.join(parts)})", vector))
        return found

    def fed(self, j: int) -> tuple[int, ...]:
        """Oracles whose outputs the input of oracle j holds."""
        if self.is_span:
            return self.active  # its input is written with the first next state
        return tuple(k for k in self.active if any(plant.D[j][k] for plant in self.plants))

    def arguments_of_y(self, j: int, time: str = "") -> list[str]:
        """Arguments of the function that gives an input: now, ``"s"``, ``"n"`` or ``"d"``."""
        outputs = [self.u(k, time) for k in self.fed(j)]
        if time in {"n", "d"}:
            return [f"({self.field(i)})" for i in self.states] + outputs
        return [self.x(i, time) for i in self.states] + outputs

    def y(self, j: int, time: str = "") -> str:
        """The input of an oracle."""
        return " ".join([f"y_{self.names[j]}{self.mark}", *self.arguments_of_y(j, time)])

    def arguments(self, star: str = "") -> list[str]:
        """Arguments of the right side."""
        return [self.x(i, star) for i in self.states] + [self.u(j, star) for j in self.active]

    def field(self, i: int, star: str = "") -> str:
        """The right side: the derivative of a state, or its next value."""
        return " ".join([f"F{i + 1}{self.mark}", *self.arguments(star)])


def sample(component: Component, plants: tuple[LureSystem, ...], over: Range) -> Component:
    """The part of one member of a family, as that of all."""
    return replace(component, plants=plants, kind="family", over=over)


def list_components(system: System, template: Template) -> tuple[Component, ...]:
    """The parts of a system.

    Raises
    ------
    InvalidModelError
        If the system is of a kind that has none here.
    """
    if isinstance(system, StackedSystem):
        raise InvalidModelError(
            f"{system.name!r} has functions of several signals, which cannot be exported. Give each signal a function "
            "of its own (a sum of costs), so that the system is a LureSystem."
        )
    if isinstance(system, SaddleSystem | ProximalLagrangianSystem) and any(mode.is_end for mode in system.modes):
        raise InvalidModelError(
            f"{system.name!r} has an interval of singular values with a V of its own for each, which cannot be "
            "exported. Give the operator, with rational singular values."
        )
    if isinstance(system, PrimalDualSystem) and system.is_deficient:
        raise InvalidModelError(
            f"{system.name!r} has dependent rows, so that only a part of the dual variable decays, and cannot be "
            "exported. Remove the dependent rows."
        )
    if isinstance(system, LureSystem) and system.is_time_varying:
        raise InvalidModelError(f"{system.name!r} varies with time, and its claim must be a SublinearDecay")
    moving = output_oracles(system, template)
    intervals = _list_intervals(system)
    names = safe_names(system)
    groups = _pair_ends(system.modes)
    many = len(groups) > 1
    return tuple(
        _make_component(
            system, modes, names, moving, k if many else 0, intervals[k - 1] if k <= len(intervals) else None
        )
        for k, modes in enumerate(groups, start=1)
    )


def _pair_ends(modes: Sequence[Mode]) -> list[tuple[Mode, ...]]:
    """Each mode by itself, but the two ends of an interval together."""
    found: list[tuple[Mode, ...]] = []
    for mode in modes:
        if mode.is_end and found and found[-1][0].is_end and len(found[-1]) == 1:
            found[-1] = (found[-1][0], mode)
        else:
            found.append((mode,))
    return found


def _make_component(
    system: System,
    modes: tuple[Mode, ...],
    names: tuple[str, ...],
    moving: tuple[int, ...],
    number_of: int,
    ends: tuple[Fraction, Fraction] | None,
) -> Component:
    mode, plants = modes[0], tuple(plant for mode in modes for plant in mode.vertices)
    active = tuple(j for j in range(len(names)) if j not in mode.idle)
    kind: Literal["plain", "interval", "hull"] = "plain"
    if len(plants) > 1:
        kind = "hull" if isinstance(system, PolytopicSystem) else "interval"
    return Component(
        labels=tuple(mode.label for mode in modes),
        mark=f"_{number_of}" if number_of else "",
        space=f"E{number_of or ''}",
        plants=plants,
        kind=kind,
        ends=ends if kind == "interval" else None,
        over=None,
        names=names,
        owners=tuple(map(system.groups.index, system.groups)),
        active=active,
        moving=moving,
        norm_above=mode.norm_above,
        norm_below=mode.norm_below,
    )


def _list_intervals(system: System) -> tuple[tuple[Fraction, Fraction], ...]:
    if isinstance(system, PrimalDualSystem):
        return system.enclosures
    return system.intervals if isinstance(system, ProximalLagrangianSystem | PrimalDualIteration) else ()


def safe_names(system: System) -> tuple[str, ...]:
    """Names of the oracles that the proof assistant can read: those of the system, if they are plain."""
    own = system.oracle_names
    plain = all(name.isascii() and name.replace("_", "").isalnum() for name in own)
    return own if plain else tuple(f"o{j + 1}" for j in range(len(own)))
