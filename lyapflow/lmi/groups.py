"""What is known of each operator in one part of a proof: class inequalities between the points of its evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..classes import Quadratic
from ..classes.inequalities import EQUILIBRIUM, Inequality, OperatorClass, read_inequalities
from ..classes.slopes import slope_inequality
from ..dynamics import StackedSystem, System
from .memory import list_filters, remember
from .signals import MEMORY, NEXT, NOW, RATE, STEP, output_oracles, valued_oracles
from .templates import QuadraticStorage, Template, ZamesFalb

__all__ = ["Evaluation", "Group", "find_leaders", "list_groups", "rename_group"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An oracle at a point in time; or, at `MEMORY`, the state of a filter, by its place among all filters."""

    oracle: int
    time: str
    filter: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """All that is known of one operator in one part of a proof.

    Attributes
    ----------
    points : tuple of (name, Evaluation)
        Where its oracles are evaluated; the class adds the equilibrium.
    uses : tuple of (multiplier, Inequality)
        Class inequalities between the points, each with the name of its multiplier.
    """

    points: tuple[tuple[str, Evaluation], ...]
    uses: tuple[tuple[str, Inequality], ...]


def list_groups(system: System, template: Template, part: str) -> tuple[Group, ...]:
    """Class inequalities of one part of a proof (``"decrease"``, ``"positivity"``, ``"upper bound"``), by operator.

    Oracles of one group evaluate one operator, so its inequalities hold between all of their points.
    """
    discrete, rich = system.dt > 0, not isinstance(template, QuadraticStorage)
    times: tuple[str, ...] = (STEP,) if discrete else (NOW,)
    outputs = output_oracles(system, template)
    if part == "decrease":
        oracles: Sequence[int] = range(len(system.oracles))
        times = (STEP, NEXT) if discrete and rich else times
    else:  # V holds outputs and values of some oracles
        oracles = sorted({*outputs, *valued_oracles(system, template)})
    members: dict[int, list[int]] = {}
    for j in oracles:
        members.setdefault(system.groups[j], []).append(j)
    rated = outputs if part == "decrease" and not discrete else ()
    if isinstance(system, StackedSystem):
        return _list_components(system, members, times, part)
    found = tuple(_list_group(system, group, times, part, rated) for group in members.values())
    if isinstance(template, ZamesFalb) and part == "decrease":
        return tuple(_add_memory(system, template, group) for group in found)
    return found


def _add_memory(system: System, template: ZamesFalb, group: Group) -> Group:
    """A group with what is known of its past. These inequalities hold for integrals, see `lyapflow.lmi.memory`."""
    points, uses = list(group.points), list(group.uses)
    now = {evaluation.oracle: name for name, evaluation in group.points}
    owner = "=".join(system.oracle_names[j] for j in now)
    for k, part in enumerate(list_filters(system, template)):
        if part.oracle in now:
            point = f"{MEMORY} {k + 1}"
            points.append((point, Evaluation(part.oracle, MEMORY, k)))
            inequality = remember(system.oracles[part.oracle], part, now[part.oracle], point)
            uses.append((f"decrease: {owner} {inequality.name}", inequality))
    return Group(tuple(points), tuple(uses))


def find_leaders(system: System) -> tuple[int, ...]:
    """For each oracle, the one that names its value and its multipliers: its own, or that of a vector's first row."""
    return system.leaders if isinstance(system, StackedSystem) else tuple(range(len(system.oracles)))


def _list_components(
    system: StackedSystem, members: dict[int, list[int]], times: tuple[str, ...], part: str
) -> tuple[Group, ...]:
    """The components of vector operators: those of one have the inequalities, and the multipliers, of its first."""
    leaders = system.leaders
    first: dict[tuple[int, ...], Group] = {}
    found: list[Group] = []
    for own in members.values():
        leading = tuple(leaders[j] for j in own)
        if leading not in first:
            first[leading] = _list_group(system, list(leading), times, part, ())
        turn = dict(zip(leading, own, strict=True))
        points = tuple((name, Evaluation(turn[e.oracle], e.time)) for name, e in first[leading].points)
        found.append(Group(points, first[leading].uses))
    return tuple(found)


def _list_group(system: System, group: list[int], times: tuple[str, ...], part: str, rated: tuple[int, ...]) -> Group:
    names = system.oracle_names
    points = tuple(
        (time if len(group) == 1 else f"{names[j]}@{time}", Evaluation(j, time)) for time in times for j in group
    )
    owner = "=".join(names[j] for j in group)
    oracle = system.oracles[group[0]]
    found = read_inequalities(oracle, (*(name for name, _ in points), EQUILIBRIUM))
    moving = [(RATE if len(group) == 1 else f"{names[j]}@{RATE}", j) for j in group if j in rated]
    points += tuple((name, Evaluation(j, RATE)) for name, j in moving)
    found += tuple(i for name, _ in moving for i in _list_slopes(oracle, name, len(group) > 1))
    return Group(points, tuple((f"{part}: {owner} {i.name}", i) for i in found))


def _list_slopes(oracle: OperatorClass, point: str, named: bool) -> tuple[Inequality, ...]:
    """What is known of derivatives; with the gradient of a quadratic function they are signals like any other."""
    slope = slope_inequality(oracle, point)
    slope = replace(slope, name=f"slope({point})") if named else slope
    if type(oracle) is not Quadratic or named:
        return (slope,)
    both = (i for i in read_inequalities(oracle, (NOW, RATE, EQUILIBRIUM)) if i.name.endswith(f"({NOW},{RATE})"))
    return (slope, *both)


def rename_group(group: Group, part: str, other: str) -> Group:
    """The group with the multipliers of another part of the proof."""
    return Group(group.points, tuple((other + name.removeprefix(part), i) for name, i in group.uses))
