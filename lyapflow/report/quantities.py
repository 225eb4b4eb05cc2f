"""The numbers of a report, each on somebody's word: proved, the solver's, or seen in simulation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from ..certificates import Certificate, Verification
from ..lmi.dissipation import UPPER
from ..lmi.logtime import take_logarithmic_time
from .clock import Clock, is_discrete, is_sublinear
from .items import Simulation
from .numbers import approximate, below_one

if TYPE_CHECKING:
    from ..search import Bracket
    from ..simulation import Trajectory

__all__ = ["Quantity", "compare", "count_time", "measure", "measure_margin", "observe", "settle", "show_steps"]

BAND = Fraction(1, 50)
_ROUNDING = 1e-6
"""Bounds of the distance that are smaller than this, relative to the first, are not compared with a simulation."""


class _Comparison(TypedDict):
    seen: float | None
    remark: str


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
    if is_sublinear(certificate):
        yield from _measure_order(certificate, verdict)
    else:
        yield from (
            _measure_factor(certificate, verdict) if is_discrete(certificate) else _measure_rate(certificate, verdict)
        )
    if bracket is not None:
        yield _read_witness(bracket)
        if verdict.proved:
            side = "factor may be smaller" if is_discrete(certificate) else "rate may be larger"
            yield Quantity(
                key="gap", name="Gap between the two", proved=bracket.gap,
                shown=f"≤ {approximate(bracket.gap, digits=3, side='up')}",
                remark=f"What the best possible {side} by.",
            )  # fmt: skip
    if not verdict.proved:
        return
    if certificate.is_bounded:
        yield Quantity(
            key="transient_bound", name="Transient bound c", proved=certificate.transient_bound,
            shown=f"≤ {approximate(certificate.transient_bound, side='up')}",
            remark=_explain_bound(certificate),
        )  # fmt: skip
        yield _settling_time(certificate, remark="{unit}, from any start.")
    yield measure_margin(verdict)


def measure_margin(verdict: Verification) -> Quantity:
    """How far the proof is from the boundary."""
    return Quantity(
        key="margin", name="Margin of the proof", proved=verdict.margin,
        shown=f"≥ {approximate(verdict.margin, side='down')}" if verdict.margin else "0, on the boundary",
        remark="Largest power of two e with F - e I positive semidefinite for every matrix inequality F, on "
        "the signals that occur in it; 0 is a proof too.",
    )  # fmt: skip


def _explain_bound(certificate: Certificate) -> str:
    if certificate.core is certificate:
        return f"Square root of {certificate.values[UPPER]}, rounded up."
    return "In the Euclidean norm: that in the norm of W times the root of the condition number of W, rounded up."


def _measure_rate(certificate: Certificate, verdict: Verification) -> Iterable[Quantity]:
    rate = certificate.rate
    yield Quantity(
        key="rate", name="Decay rate of the state norm", proved=rate if verdict.proved else None,
        shown=f"≥ {approximate(rate, side='down')}", solver=certificate.supremum,
        remark=f"1/(time unit); V decays at twice this rate.{_constant(certificate)} Solver's word: the numerical "
        "supremum that was approached.",
    )  # fmt: skip


def _measure_order(certificate: Certificate, verdict: Verification) -> Iterable[Quantity]:
    order = certificate.order
    yield Quantity(
        key="order", name="Order of the decay of the function value", proved=order if verdict.proved else None,
        shown=f"≥ {approximate(order, side='down')}", solver=certificate.supremum,
        remark="Power p of time in the bound C / t^p of the value above its minimum. Solver's word: the numerical "
        "supremum that was approached.",
    )  # fmt: skip
    log = take_logarithmic_time(certificate.core.system)
    slow = [i for i, power in enumerate(log.powers) if power == 0]
    if verdict.proved and order == log.degree and len(slow) == 1:
        factor = certificate.P[slow[0]][slow[0]]
        yield Quantity(
            key="constant", name="Constant for a start at rest at time 0, over the squared distance", proved=factor,
            shown=f"≤ {approximate(factor, side='up')}", remark="C / |x(0) - x*|^2. From another start C = V(t0).",
        )  # fmt: skip


def _measure_factor(certificate: Certificate, verdict: Verification) -> Iterable[Quantity]:
    factor = certificate.factor
    yield Quantity(
        key="factor", name="Contraction factor of the state norm", proved=factor if verdict.proved else None,
        shown=f"≤ {below_one(factor)}", solver=certificate.supremum,
        remark=f"Per step; V contracts by its square.{_constant(certificate)} Solver's word: the numerical infimum "
        "that was approached.",
    )  # fmt: skip
    if verdict.proved:
        yield Quantity(
            key="one_minus_factor", name="One minus the factor", proved=1 - factor,
            shown=f"≥ {approximate(1 - factor, side='down')}", remark="What each step takes off, relatively.",
        )  # fmt: skip


def _constant(certificate: Certificate) -> str:
    return "" if certificate.is_bounded else " Its constant depends on V(0), not on the initial distance alone."


def _read_witness(bracket: Bracket) -> Quantity:
    """What no claim can go beyond."""
    witness = bracket.witness
    remark = f"Proved by a member of the classes: {witness}."
    if witness.factor is not None:
        return Quantity(
            key="factor_below", name="No smaller factor holds than", proved=witness.factor,
            shown=f"≥ {approximate(witness.factor, side='down')}", remark=remark,
        )  # fmt: skip
    rate = witness.rate or Fraction(0)
    return Quantity(
        key="rate_above", name="No larger rate holds than", proved=rate, shown=f"≤ {approximate(rate, side='up')}",
        remark=remark,
    )  # fmt: skip


def _settling_time(certificate: Certificate, *, seen: float | None = None, remark: str) -> Quantity:
    """The 2 % band; a number of steps in discrete time."""
    bound = certificate.settling_time(BAND)
    shown, unit = f"≤ {approximate(bound, side='up')}", "In the time unit of the dynamics"
    if is_discrete(certificate):
        shown, unit = f"≤ {show_steps(bound)}", "In steps"
    return Quantity(
        key="settling_time", name="Settling time, 2 % band", proved=bound, shown=shown, seen=seen,
        remark=remark.format(unit=unit),
    )  # fmt: skip


def show_steps(number: Fraction) -> str:
    """A whole number of steps in words.

    >>> show_steps(Fraction(1)), show_steps(Fraction(20))
    ('1 step', '20 steps')
    """
    return f"{number} step{'' if number == 1 else 's'}"


def observe(simulation: Simulation, *, proved: bool) -> Iterable[Quantity]:
    """Proved numbers beside what the trajectory showed."""
    certificate, path = simulation.certificate, simulation.trajectory
    if not proved:
        return
    time = Clock.of(certificate.system).time
    if is_sublinear(certificate):
        yield Quantity(
            key="largest_value_ratio", name="Largest t^p (f - f*) relative to its bound V(t0)", proved=Fraction(1),
            shown="≤ 1", **compare(path.scaled_value(certificate), path.bound(certificate), _ROUNDING**2),
        )  # fmt: skip
    yield Quantity(
        key="largest_storage_ratio", name=f"Largest V({time}) relative to its bound", proved=Fraction(1), shown="≤ 1",
        **compare(path.storage(certificate), path.bound(certificate), _ROUNDING**2),
    )  # fmt: skip
    if not certificate.is_bounded:
        return
    yield Quantity(
        key="largest_distance_ratio", name="Largest distance relative to its bound", proved=Fraction(1), shown="≤ 1",
        **compare(path.distance, path.norm_bound(certificate), _ROUNDING),
    )  # fmt: skip
    seen = settle(count_time(path), np.asarray(path.distance))
    yield _settling_time(certificate, seen=seen, remark="{unit}, counted from the first sample.")


def count_time(path: Trajectory) -> np.ndarray:
    """Times of the samples; in discrete time the number of steps since the first one."""
    times, dt = np.asarray(path.t), float(path.system.dt)
    return np.round((times - times[0]) / dt) if dt else times


def compare(seen: np.ndarray, bound: np.ndarray, rounding: float = _ROUNDING**2) -> _Comparison:
    """The largest ratio, where the bound is not so small that rounding decides."""
    inside = bound > rounding * bound[0]
    whole = inside.all()
    inside[0] = False  # there V is its bound by definition
    return {
        "seen": float((seen[inside] / bound[inside]).max()) if inside.any() else None,
        "remark": "Over all samples after the first"
        + ("." if whole else ", except where the bound is so small that rounding decides."),
    }


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
