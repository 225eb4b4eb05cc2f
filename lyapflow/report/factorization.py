"""A factorization flow in its three stages: what is proved of each, again, and its norms under their bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import VerificationError
from .figures import COLORS
from .items import PROVED, SEEN
from .numbers import with_decimal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..cascade import SchurCascade

__all__ = ["BoundRow", "FactorizationSection", "draw_stages", "read_factorization"]

_SHOWN = {"S": "$|S|_2$", "H": "$|H|_F$", "Y": r"$|P_{11}^{-1}-\Lambda_1^{-1}|_F$", "excess": "$f - f^*$"}
_ROUNDING = 1e-15
"""Relative to the start; below it a norm is what rounding left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRow:
    """One bound, with the verdict of today."""

    name: str
    quantity: str
    statement: str
    decay: str
    constant: float
    rests_on: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FactorizationSection:
    """One trajectory of a factorization flow."""

    anchor: str
    cascade: SchurCascade
    rows: tuple[BoundRow, ...]
    identities: tuple[tuple[str, str], ...]

    template = "factorization"

    @property
    def title(self) -> str:
        """Heading."""
        n, r = self.cascade.flow.shape
        return f"Factorization flow, n = {n}, r = {r}, k = {self.cascade.condition.needed}"

    @property
    def proved(self) -> bool:
        """Whether nothing that is claimed to be proved fails."""
        return all(row.verdict != "NOT PROVED" for row in self.rows)

    @property
    def limit(self) -> str:
        """Where it goes, in words."""
        found = self.cascade.limit
        return f"a {found.kind} of rank {len(found.eigenvalues)}, with loss {found.loss:.6g}"


def read_factorization(cascade: SchurCascade, anchor: str) -> FactorizationSection:
    """The section; identities and gaps are proved again."""
    from ..cascade.factorization.proofs import prove_identities

    rows = []
    for one in cascade.certificates:
        try:
            verdict, reason = (PROVED, "") if one.verify() else ("computed", one.standing)
        except VerificationError as problem:
            verdict, reason = "NOT PROVED", str(problem)
        power = f"^{one.order}" if one.order > 1 else ""
        decay = f"1/t{power}" if one.rate is None else f"rate {with_decimal(one.rate, side='down')}"
        if one.rate is not None and one.growth:
            decay += f", times (1 + t){f'^{one.growth}' if one.growth > 1 else ''}"
        if one.rate is None and not one.order:
            decay = "constant"
        rows.append(
            BoundRow(
                name=one.name, quantity=one.quantity, statement=one.statement, decay=decay, constant=one.constant,
                rests_on="; ".join(one.inequalities), verdict=verdict, reason=reason,
            )
        )  # fmt: skip
    names = tuple(dict.fromkeys(name for one in cascade.certificates for name in one.identities))
    identities = tuple(zip(names, prove_identities(*names), strict=True)) if names else ()
    return FactorizationSection(anchor=anchor, cascade=cascade, rows=tuple(rows), identities=identities)


def draw_stages(figure: Figure, cascade: SchurCascade) -> None:
    """Norms of the stages along the closed form, under their bounds; time and size on logarithmic scales."""
    times = np.geomspace(1e-2, 1e4, 160) / _find_speed(cascade)
    excess = np.atleast_1d(cascade.excess(times))
    if not cascade.condition.holds:
        axes = figure.subplots()
        axes.loglog(times, np.maximum(excess, _ROUNDING * max(excess[0], 1e-300)), color=COLORS[SEEN])
        axes.set_xlabel("$t$")
        axes.set_ylabel("loss above that of the limit")
        return
    bounds = cascade.bounds(times)
    inverse = np.diag(1 / np.maximum(cascade.flow.spectrum.values[: cascade.condition.needed], 1e-300))
    seen = {
        "S": np.array([np.linalg.norm(s, 2) if s.size else 0.0 for s in cascade.S(times)]),
        "H": np.array([np.linalg.norm(h) for h in cascade.H(times)]),
        "Y": np.array([np.linalg.norm(y - inverse) for y in cascade.Y(times)]),
        "excess": excess,
    }
    panels = [name for name in _SHOWN if np.max(seen[name]) > 0]
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, name in zip(grid, panels, strict=True):
        curve = seen[name]
        shown = curve > _ROUNDING * curve.max()
        bound = np.atleast_1d(bounds[name])
        axes.loglog(times, bound, "--", color=COLORS[PROVED], linewidth=1.2, label="bound")
        axes.loglog(times[shown], curve[shown], color=COLORS[SEEN], linewidth=1.4, label="closed form")
        axes.set_ylim(bottom=0.3 * curve[shown].min(), top=4 * bound.max())
        axes.set_title(_SHOWN[name])
        axes.set_xlabel("$t$")
    grid[0].legend(loc="lower left")


def _find_speed(cascade: SchurCascade) -> float:
    """The largest eigenvalue in absolute value: what time is counted in."""
    return float(np.abs(cascade.flow.spectrum.values).max(initial=0.0)) or 1.0
