"""The numbers of a report, each on somebody's word: proved, the solver's, or seen in simulation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..certificates import Certificate, Verification
from ..lmi.dissipation import UPPER
from .items import Simulation
from .numbers import approximate

if TYPE_CHECKING:
    from ..search import Bracket

__all__ = ["Quantity", "measure", "observe", "settle"]

BAND = Fraction(1, 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number and on whose word it stands; a column that says nothing is None.

    Attributes
    ----------
    key, name : str
        For machines and for people.
    proved : Fraction or None
        Proved, exactly.
    shown : str
        The proved number as it is read: a decimal rounded to the safe side, with its relation.
    solver, seen : float or None
        The solver's word; what a simulation showed.
    remark : str
        Printed below the name.
    """

    key: str
    name: str
    proved: Fraction | None = None
    shown: str = ""
    solver: float | None = None
    seen: float | None = None
    remark: str = ""


def measure(certificate: Certificate, verdict: Verification, bracket: Bracket | None) -> Iterable[Quantity]:
    """What an engineer reads off a certificate."""
    rate = certificate.rate
    yield Quantity(
        key="rate", name="Decay rate of the state norm", proved=rate if verdict.proved else None,
        shown=f"≥ {approximate(rate, side='down')}", solver=certificate.supremum,
        remark="1/(time unit); V decays at twice this rate."
        + ("" if certificate.is_bounded else " Its constant depends on V(0), not on the initial distance alone.")
        + " Solver's word: the numerical supremum that was approached.",
    )  # fmt: skip
    if bracket is not None:
        yield Quantity(
            key="rate_above", name="No larger rate holds than", proved=bracket.witness.rate,
            shown=f"≤ {approximate(bracket.witness.rate, side='up')}",
            remark=f"Proved by a member of the classes: {bracket.witness}.",
        )  # fmt: skip
        if verdict.proved:
            gap = bracket.witness.rate - rate
            yield Quantity(
                key="gap", name="Gap between the two", proved=gap, shown=f"≤ {approximate(gap, digits=3, side='up')}",
                remark="What the best possible rate may be larger by.",
            )  # fmt: skip
    if not verdict.proved:
        return
    if certificate.is_bounded:
        yield Quantity(
            key="transient_bound", name="Transient bound c", proved=certificate.transient_bound,
            shown=f"≤ {approximate(certificate.transient_bound, side='up')}",
            remark=f"Square root of {certificate.values[UPPER]}, rounded up.",
        )  # fmt: skip
        yield Quantity(
            key="settling_time", name="Settling time, 2 % band", proved=certificate.settling_time(BAND),
            shown=f"≤ {approximate(certificate.settling_time(BAND), side='up')}",
            remark="In the time unit of the dynamics, from any start.",
        )  # fmt: skip
    yield Quantity(
        key="margin", name="Margin of the proof", proved=verdict.margin,
        shown=f"≥ {approximate(verdict.margin, side='down')}" if verdict.margin else "0, on the boundary",
        remark="Largest power of two e with F - e I positive semidefinite for every matrix inequality F, on "
        "the signals that occur in it; 0 is a proof too.",
    )  # fmt: skip


def observe(simulation: Simulation, *, proved: bool) -> Iterable[Quantity]:
    """Proved numbers beside what the trajectory showed."""
    certificate, path = simulation.certificate, simulation.trajectory
    if not proved:
        return
    yield Quantity(
        key="largest_storage_ratio", name="Largest V(t) relative to its bound", proved=Fraction(1), shown="≤ 1",
        seen=_largest_ratio(path.storage(certificate), path.bound(certificate)),
        remark="Over all samples after the first.",
    )  # fmt: skip
    if not certificate.is_bounded:
        return
    yield Quantity(
        key="largest_distance_ratio", name="Largest distance relative to its bound", proved=Fraction(1), shown="≤ 1",
        seen=_largest_ratio(path.distance, path.norm_bound(certificate)), remark="Over all samples after the first.",
    )  # fmt: skip
    bound = certificate.settling_time(BAND)
    yield Quantity(
        key="settling_time", name="Settling time, 2 % band", proved=bound, shown=f"≤ {approximate(bound, side='up')}",
        seen=settle(np.asarray(path.t), np.asarray(path.distance)),
        remark="In the time unit of the dynamics, counted from the first sample.",
    )  # fmt: skip


def _largest_ratio(seen: np.ndarray, bound: np.ndarray) -> float | None:
    inside = bound > 0
    inside[0] = False  # there V is its bound by definition
    return float((seen[inside] / bound[inside]).max()) if inside.any() else None


def settle(t: np.ndarray, distance: np.ndarray) -> float | None:
    """First sample time after which the distance stays within the band; None if it has not settled at the end.

    >>> settle(np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.5, 0.01]))
    2.0
    """
    outside = np.flatnonzero(distance > float(BAND) * distance[0])
    if outside.size == 0:
        return 0.0
    last = int(outside[-1])
    return None if last + 1 >= len(t) else float(t[last + 1] - t[0])
