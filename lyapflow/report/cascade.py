"""The structure of a cascade as a graph, and its stages with their gains, each proved again."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InvalidModelError
from .figures import COLORS
from .items import PROVED
from .numbers import below_one, with_decimal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..cascade import Cascade, StageCertificate

__all__ = ["CascadeSection", "StageRow", "draw_cascade", "read_cascade"]

_MOST_NAMES = 4
"""Signals that are named at an arrow; and states in a box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRow:
    """A stage with what is proved of it."""

    name: str
    states: str
    oracles: str
    decay: str
    input_gain: Fraction | None
    output_gain: Fraction | None
    proved: bool | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CascadeSection:
    """The structure of a dynamics, and its stages."""

    anchor: str
    cascade: Cascade
    rows: tuple[StageRow, ...]
    title: str

    template = "cascade"

    @property
    def evidence(self) -> str:
        """How the structure is known."""
        return self.cascade.evidence

    @property
    def couplings(self) -> list[tuple[str, str, str]]:
        """Source, target and signals of each coupling."""
        stages = self.cascade.stages
        return [(stages[c.source].name, stages[c.target].name, ", ".join(c.signals)) for c in self.cascade.couplings]

    @property
    def has_gains(self) -> bool:
        """Whether gains were handed over too."""
        return any(row.proved is not None for row in self.rows)

    @property
    def proved(self) -> bool:
        """Whether none of the gains fails."""
        return all(row.proved is not False for row in self.rows)

    @property
    def is_discrete(self) -> bool:
        """Whether time is counted in steps."""
        return getattr(self.cascade.system, "dt", 0) > 0

    @property
    def size(self) -> tuple[float, float]:
        """Of the figure."""
        columns = find_columns(self.cascade)
        tallest = max(columns.count(c) for c in columns)
        return min(8.0, 1.8 + 2.0 * max(columns)), min(6.0, 1.2 + 0.9 * tallest)


def read_cascade(cascade: Cascade, stages: list[StageCertificate], anchor: str) -> CascadeSection:
    """The section of a cascade; the gains are proved again.

    Raises
    ------
    InvalidModelError
        If a gain is of another cascade.
    """
    from ..cascade.stages import drive_stage

    own = {stage: None for stage in cascade.stages} | {one.stage: one for one in stages}
    if len(own) > len(cascade.stages):
        stranger = next(stage for stage in own if stage not in cascade.stages)
        raise InvalidModelError(f"the gain of {stranger} belongs to no stage of the cascade in this report")
    names = getattr(cascade.system, "oracle_names", ())
    rows = []
    for position, stage in enumerate(cascade.stages):
        one = own[stage]
        verdict = None if one is None else one.verify()
        if one is not None and one.system != drive_stage(cascade, position):
            raise InvalidModelError(
                f"the gain of {stage} is that of a stage of another system with the same states: "
                f"{one.system.plant.name!r}. Take the gains that certify_stages finds for the cascade of this report."
            )
        rows.append(
            StageRow(
                name=stage.name,
                states=_shorten(stage.labels, 12),
                oracles=", ".join(names[j] for j in stage.oracles),
                decay="–" if one is None else _tell_decay(one),
                input_gain=None if one is None else one.input_gain,
                output_gain=None if one is None else one.output_gain,
                proved=None if verdict is None else verdict.proved,
                reason="" if verdict is None else verdict.reason,
            )
        )
    name = getattr(cascade.system, "name", "the vector field")
    return CascadeSection(anchor=anchor, cascade=cascade, rows=tuple(rows), title=f"Stages of {name}")


def _tell_decay(one: StageCertificate) -> str:
    number = one.claim.number or Fraction(0)
    if one.system.plant.dt > 0:
        return f"factor {with_decimal(number, decimal=below_one(number))}"
    return f"rate {with_decimal(number, side='down')}"


def _shorten(names: tuple[str, ...], most: int) -> str:
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])}, ... ({len(names)})"


def draw_cascade(figure: Figure, cascade: Cascade) -> None:
    """Stages as boxes, from left to right in their order; arrows carry the signals, feedback in red."""
    axes = figure.subplots()
    axes.set_axis_off()
    column = find_columns(cascade)
    height = [column[:k].count(column[k]) for k in range(len(column))]
    tallest = max(column.count(c) for c in column)
    places = {
        k: (2.4 * column[k], 1.1 * ((tallest - 1) / 2 - height[k] - (tallest - column.count(column[k])) / 2))
        for k in range(len(column))
    }
    for coupling in cascade.couplings:
        _draw_arrow(axes, places[coupling.source], places[coupling.target], _shorten(coupling.signals, _MOST_NAMES))
    for k, stage in enumerate(cascade.stages):
        x, y = places[k]
        label = f"{stage.name}\n{_shorten(stage.labels, _MOST_NAMES)}"
        axes.text(
            x, y, label, ha="center", va="center", fontsize=9, color=COLORS["ink"], zorder=3,
            bbox={"boxstyle": "round,pad=0.55", "facecolor": "#e9f6ef", "edgecolor": COLORS[PROVED], "linewidth": 1.1},
        )  # fmt: skip
    xs, ys = np.array(list(places.values())).T
    axes.set_xlim(xs.min() - 0.9, xs.max() + 0.9)
    axes.set_ylim(ys.min() - (0.5 if cascade.is_triangular else 1.0), ys.max() + 0.7)
    axes.set_aspect("equal")


def find_columns(cascade: Cascade) -> list[int]:
    """How many stages come before each one, along the longest way downstream."""
    column = [0] * len(cascade.stages)
    for target in range(len(column)):
        column[target] = max((column[s] + 1 for s in cascade.find_sources(target) if s < target), default=0)
    return column


def _draw_arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], label: str) -> None:
    forward = end[0] > start[0]
    far = abs(end[0] - start[0]) > 2.5
    bend = 0.0 if forward and not far else -0.35
    color = COLORS["soft"] if forward else COLORS["claimed"]
    axes.annotate(
        "", end, start, zorder=1,
        arrowprops={"arrowstyle": "-|>", "color": color, "shrinkA": 30, "shrinkB": 32, "linewidth": 1.3,
                    "connectionstyle": f"arc3,rad={bend}"},
    )  # fmt: skip
    across, up = end[0] - start[0], end[1] - start[1]
    x = (start[0] + end[0] + bend * up) / 2  # on the curve, which bends aside by half of what its control point does
    y = (start[1] + end[1] - bend * across) / 2
    axes.text(
        x, y, label, ha="center", va="center", fontsize=8.5, color=color, zorder=2,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"},
    )  # fmt: skip
