"""The numbers of the study of the natural gradient: computed, and checked against what is predicted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..errors import VerificationError
from ..exact.rationals import show_below
from ..learning.divergence_rates import (
    PolynomialIdentity,
    SublevelRate,
    bound_sublevel_rate,
    refute_rate,
    state_identities,
)
from ..learning.evidence import PROVED, Refutation, Verdict
from ..learning.natural_gradient import Coordinates, KLNaturalGradient
from ..learning.spectrum import Array

__all__ = [
    "BINARY",
    "NAMES",
    "START",
    "TARGET",
    "TOLERANCE",
    "FlowRow",
    "Results",
    "StepRow",
    "compute",
    "prove_identities",
    "refute_rates",
]

TARGET = ("0.5", "0.3", "0.2")
START = ("0.2", "0.2", "0.6")
NAMES: dict[Coordinates, str] = {"eta": "gradient in eta", "natural": "natural gradient", "theta": "gradient in theta"}
_WINDOWS: dict[Coordinates, tuple[float, float]] = {"eta": (2.0, 2.6), "natural": (5.0, 8.0), "theta": (60.0, 100.0)}
_ENDS: dict[Coordinates, float] = {"eta": 5.0, "natural": 12.0, "theta": 60.0}
BINARY = (("1/2", "1/2"), ("0.9", "0.1"), ("0.99", "0.01"), ("0.999", "0.001"))
_LEVELS = ("1/1000", "1/200", "1/100", "1/50", "1/20", "1/10", None)
TOLERANCE, _MOST_STEPS = 1e-6, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRow:
    """One flow: its V-rate of KL near q, exact bounds and measured; with the scale of its coordinates, if any."""

    flow: Coordinates
    scale: Fraction | None
    low: Fraction
    measured: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """One flow: the largest step, the best factor, and what iterations with 3 % less and 3 % more do."""

    flow: Coordinates
    limit: tuple[Fraction, Fraction]
    everywhere: Fraction | None
    factor: tuple[Fraction, Fraction]
    below: float
    above: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Results:
    """All that the study finds."""

    identities: tuple[PolynomialIdentity, ...]
    rates: tuple[FlowRow, ...]
    affine: tuple[FlowRow, ...]
    steps: tuple[StepRow, ...]
    levels: tuple[SublevelRate, ...]
    binary: tuple[SublevelRate, ...]
    refutations: tuple[Refutation, ...]
    curves: dict[Coordinates, tuple[Array, Array]]
    paths: dict[Coordinates, Array]
    scans: dict[Coordinates, tuple[Array, Array]]


def compute(say: Callable[[str], None] = print) -> Results:
    """Everything but the report; a few seconds.

    Raises
    ------
    VerificationError
        If an identity is not proved, a false rate is not refuted, or a measured number is not the predicted one.
    """
    identities = state_identities()
    for identity in identities:
        identity.prove()
    say(f"{len(identities)} identities are proved, for every number of cells")
    rates = tuple(_measure(flow, None, _WINDOWS[flow]) for flow in NAMES)
    affine = tuple(
        _measure(flow, c, (6 / float(rate), 8 / float(rate)))
        for flow in ("eta", "theta")
        for c in (Fraction(1, 4), Fraction(1), Fraction(4))
        for rate in (c if flow == "eta" else 1 / c,)
    )
    for row in (*rates, *affine):
        if abs(row.measured / float(row.low) - 1) > 0.015:
            raise VerificationError(
                f"{row.flow}, scale {row.scale}: V-rate {row.measured:g} was measured, not {float(row.low):g}",
                inequality="V-rate",
                witness=row,
            )
    say("V-rates near q: " + ", ".join(f"{row.flow} {float(row.low):.6f}" for row in rates))
    levels = tuple(bound_sublevel_rate(TARGET, level) for level in _LEVELS)
    binary = tuple(bound_sublevel_rate(q) for q in BINARY)
    say(f"V-rate of KL along the natural flow on the whole simplex: {show_below(levels[-1].low)}")
    steps = tuple(_try_steps(flow) for flow in NAMES)
    curves, paths = _follow()
    return Results(
        identities=identities,
        rates=rates,
        affine=affine,
        steps=steps,
        levels=levels,
        binary=binary,
        refutations=refute_rates(),
        curves=curves,
        paths=paths,
        scans={flow: _scan(flow) for flow in NAMES},
    )


def _measure(flow: Coordinates, scale: Fraction | None, window: tuple[float, float]) -> FlowRow:
    """The slope of log KL in a window of time, and its limit."""
    model = KLNaturalGradient(TARGET, flow=flow, scale=scale)
    times = np.linspace(*window, 21)
    losses = model.simulate(model.from_probabilities([float(v) for v in START]), times).loss
    rate = model.local_rate()
    if rate.exact is None:
        raise VerificationError(f"{flow}: the local rate has no exact bound", inequality="local rate", witness=rate)
    return FlowRow(flow=flow, scale=scale, low=2 * rate.exact, measured=-float(np.polyfit(times, np.log(losses), 1)[0]))


def _try_steps(flow: Coordinates) -> StepRow:
    """What 1500 steps of 3 % less and 3 % more than the limit leave of a small distance."""
    model = KLNaturalGradient(TARGET, flow=flow)
    limit = model.step_limit()
    rest = model.from_probabilities([float(v) for v in model.q])
    start = rest + 1e-3 * np.array([1.0, -1.0])
    left = []
    for factor in (0.97, 1.03):
        ends = model.iterate(start, factor * float(limit.local[0]), 1500)
        gone = np.linalg.norm(ends - rest, axis=1) / np.linalg.norm(start - rest)
        left.append(float(gone[-1]) if np.isfinite(gone[-1]) else float("inf"))
    if not left[0] < 1e-6 or not left[1] > 1:
        raise VerificationError(
            f"{flow}: steps of 3 % less and 3 % more leave {left} of the distance",
            inequality="step limit",
            witness=left,
        )
    return StepRow(
        flow=flow, limit=limit.local, everywhere=limit.everywhere, factor=limit.factor, below=left[0], above=left[1]
    )


def prove_identities() -> tuple[Verdict, ...]:
    """The identities of the three flows, each proved as an equality of polynomials, for every number of cells."""
    found = []
    for one in state_identities():
        one.prove()
        reason = "an equality of polynomials, cell by cell, for every number of cells"
        found.append(Verdict(statement=f"{one.name}: {one.statement}", reason=reason, standing=PROVED))
    return tuple(found)


def refute_rates() -> tuple[Refutation, ...]:
    """V-rates of KL along the natural flow that are too large, each with its rational witness.

    Raises
    ------
    VerificationError
        If one is not refuted.
    """
    least = bound_sublevel_rate(TARGET)
    found = [refute_rate(TARGET, 2), refute_rate(TARGET, 2, at=("0.45", "0.27", "0.28"))]
    found += [refute_rate(TARGET, least.high + Fraction(1, 10**6)), *(refute_rate(q, 2) for q in BINARY[1:])]
    found.append(refute_rate(BINARY[-1], "1.0875"))
    kept = tuple(r for r in found if r is not None)
    if len(kept) != len(found):
        raise VerificationError("a V-rate that is too large was not refuted", inequality="V-rate", witness=kept)
    return kept


def _follow() -> tuple[dict[Coordinates, tuple[Array, Array]], dict[Coordinates, Array]]:
    """KL against time, and the paths in the simplex, from the common start."""
    curves: dict[Coordinates, tuple[Array, Array]] = {}
    paths: dict[Coordinates, Array] = {}
    for flow, end in _ENDS.items():
        model = KLNaturalGradient(TARGET, flow=flow)
        run = model.simulate(model.from_probabilities([float(v) for v in START]), np.linspace(0, end, 400))
        curves[flow] = run.t, run.loss
        paths[flow] = np.array([model.to_probabilities(x) for x in run.x])
    return curves, paths


def _scan(flow: Coordinates) -> tuple[Array, Array]:
    """Steps until the state is within the tolerance of q, from the common start; not a number for never."""
    model = KLNaturalGradient(TARGET, flow=flow)
    limit = float(model.step_limit().local[0])
    sizes = limit * np.concatenate([np.geomspace(0.02, 0.5, 16), np.linspace(0.53, 1.05, 27)])
    start = model.from_probabilities([float(v) for v in START])
    counts = [model.count_steps(start, h, tolerance=TOLERANCE, most=_MOST_STEPS) for h in sizes]
    return sizes, np.array([np.nan if c is None else float(c) for c in counts])
