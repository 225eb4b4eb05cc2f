"""The numbers of a certificate on another time scale: what it says of settling, each rounded to its safe side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..certificates import Certificate, Verification
from ..certificates.consequences import bound_transient
from ..exact.rationals import rational
from ..exact.settling import settling_time_by_terms
from ..lmi.scaled_claims import FiniteTimeStability, FixedTimeStability, PrescribedTimeStability
from .numbers import approximate
from .quantities import Quantity, compare, count_time, measure_margin
from .scaled import claim_of

if TYPE_CHECKING:
    from ..simulation import Trajectory
    from .items import Simulation

__all__ = ["measure_scaled", "observe_scaled", "show_exponents", "show_settling"]

_SETTLED = 1e-6
"""Share of the first distance below which a simulation counts as settled."""

_SLOTS = {
    "decay": ("Decrease: δ in V' ≤ −δV − εr²", "down"),
    "dissipation": ("Dissipation: ε in V' ≤ −δV − εr²", "down"),
    "rate": ("Rate: ρ in V' ≤ −2ρV", "down"),
    "speed": ("Speed: κ in r² ≥ κV", "down"),
    "speed_limit": ("Speed limit: K in r² ≤ KV", "up"),
}


def show_exponents(certificate: Certificate) -> str:
    """Exponents of a time scale, or the prescribed time."""
    scale = claim_of(certificate).scale
    names = {"alpha": "α", "beta": "β", "time": "T"}
    return ", ".join(f"{letter} = {getattr(scale, name)}" for name, letter in names.items() if hasattr(scale, name))


def show_settling(certificate: Certificate) -> str:
    """The settling time in a few words, for a proved certificate."""
    claim = claim_of(certificate)
    if isinstance(claim, PrescribedTimeStability):
        return f"{_show_exact(claim.scale.time, 'up')} from every start"
    if isinstance(claim, FixedTimeStability):
        return f"≤ {approximate(certificate.settling_time(), side='up')} from every start"
    start = "distance 1" if certificate.is_bounded else "V = 1"
    return f"≤ {approximate(_settle_unit(certificate), side='up')} from {start}"


def _settle_unit(certificate: Certificate) -> Fraction:
    """For a start at distance 1 where V is bounded by the distance, else for V(0) = 1."""
    return certificate.settling_time(x0=1) if certificate.is_bounded else certificate.settling_time(V0=1)


def _name_unit(certificate: Certificate) -> str:
    return "|x(0) − x*| = 1" if certificate.is_bounded else "V(0) = 1"


def measure_scaled(certificate: Certificate, verdict: Verification) -> Iterable[Quantity]:
    """What an engineer reads off a certificate on another time scale; only its form where it is not proved."""
    claim = claim_of(certificate)
    if isinstance(claim, PrescribedTimeStability):
        own = _measure_prescribed(certificate, claim)
    else:
        own = _measure_coefficients(certificate, claim)
    if not verdict.proved:
        yield Quantity(key="settling_time", name="Settling time")
        return
    yield from own
    yield from _list_numbers(certificate)
    if certificate.is_bounded:
        yield Quantity(
            key="transient_bound", name="Transient bound", proved=certificate.transient_bound,
            shown=f"≤ {approximate(certificate.transient_bound, side='up')}",
            remark="The distance is never more than that many times the first one, in the Euclidean norm.",
        )  # fmt: skip
    yield measure_margin(verdict)


def _measure_coefficients(
    certificate: Certificate, claim: FiniteTimeStability | FixedTimeStability
) -> Iterator[Quantity]:
    falls = "−" + " − ".join(f"{letter} V^({a})" for letter, a in zip("AB", claim.exponents, strict=False))
    if isinstance(claim, FixedTimeStability):
        (a, b), (A, B) = claim.exponents, claim.coefficients
        yield _time(
            "settling_time", "Settling time, from every start", certificate.settling_time(),
            f"The least time for all starts that V' ≤ {falls} gives. {_UNIT}",
        )  # fmt: skip
        yield _time(
            "settling_time_by_terms", "The same by the plainer bound", settling_time_by_terms(A, a, B, b, Fraction(1)),
            f"1/((1 − a)A) + 1/((b − 1)B) with a = {a}, b = {b}, the bound of Polyakov; never below the one above.",
        )  # fmt: skip
        yield _time(
            "settling_time_unit", f"Settling time for {_name_unit(certificate)}", _settle_unit(certificate),
            "And for all starts nearer than that.",
        )  # fmt: skip
    else:
        (a,) = claim.exponents
        growth = f"|x(0) − x*|^({2 * (1 - a)})" if certificate.is_bounded else f"V(0)^({1 - a})"
        yield _time(
            "settling_time", f"Settling time for {_name_unit(certificate)}", _settle_unit(certificate),
            f"It grows as {growth.replace('^(1)', '')}. {_UNIT}",
        )  # fmt: skip
    for letter, value in zip("AB", claim.coefficients, strict=False):
        yield Quantity(
            key=f"coefficient_{letter}", name=f"Decrease of V on this time scale: {letter} in V' ≤ {falls}",
            proved=value, shown=f"≥ {approximate(value, side='down')}",
        )  # fmt: skip


_UNIT = "In the time unit of the dynamics."


def _time(key: str, name: str, value: Fraction, remark: str) -> Quantity:
    return Quantity(key=key, name=name, proved=value, shown=f"≤ {approximate(value, side='up')}", remark=remark)


def _measure_prescribed(certificate: Certificate, claim: PrescribedTimeStability) -> Iterator[Quantity]:
    time, (exponent,) = claim.scale.time, claim.exponents
    yield Quantity(
        key="settling_time", name="Settling time, from every start", proved=time, shown=_show_exact(time, "up"),
        remark=f"T, as prescribed. {_UNIT}",
    )  # fmt: skip
    yield Quantity(
        key="exponent", name="Exponent 2ρc in V(t) ≤ V(0) (1 − t/T)^(2ρc)", proved=exponent,
        shown=_show_exact(exponent, "down"), remark=f"With the gain c = {claim.gain}.",
    )  # fmt: skip
    if certificate.is_bounded and exponent >= 2 and claim.speed_limit is not None:
        speed = bound_transient(claim.speed_limit * certificate.norm_ratios[0]) * claim.gain / time
        yield Quantity(
            key="largest_speed", name="Largest speed for |x(0) − x*| = 1", proved=speed,
            shown=f"≤ {approximate(speed, side='up')}", remark="At all times up to T; it is proportional to the start.",
        )  # fmt: skip


def _show_exact(value: Fraction, side: str) -> str:
    decimal = approximate(value, side="up" if side == "up" else "down")
    return decimal if Fraction(decimal) == value else f"{'≤' if side == 'up' else '≥'} {decimal}"


def _list_numbers(certificate: Certificate) -> Iterator[Quantity]:
    """The numbers of the unscaled flow, from which everything above follows."""
    claim = claim_of(certificate)
    for key, (name, side) in _SLOTS.items():
        value: Fraction | None = getattr(claim, key, None)
        if value is not None:
            sign, way = ("≤", "up") if side == "up" else ("≥", "down")
            yield Quantity(
                key=key, name=name, proved=value,
                shown=f"{sign} {approximate(value, side='up' if way == 'up' else 'down')}",
                remark="Along the unscaled flow; r is its speed.",
            )  # fmt: skip


def observe_scaled(simulation: Simulation) -> Iterable[Quantity]:
    """Proved numbers beside what a trajectory on the same time scale showed."""
    certificate, path = simulation.certificate, simulation.trajectory
    storage = np.asarray(path.storage(certificate))
    yield Quantity(
        key="largest_storage_ratio", name="Largest V(t) relative to its bound", proved=Fraction(1), shown="≤ 1",
        **compare(storage, np.asarray(path.bound(certificate))),
    )  # fmt: skip
    start = rational(max(float(storage[0]), 0.0), name="V(0)")
    bound = certificate.settling_time(V0=start)
    yield Quantity(
        key="settling_time", name=f"Settling time from V(0) = {float(storage[0]):.6g}", proved=bound,
        shown=f"≤ {approximate(bound, side='up')}", seen=_settle(path),
        remark="Counted from the first sample. Seen: from when on the distance is below a millionth of the first.",
    )  # fmt: skip


def _settle(path: Trajectory) -> float | None:
    """First sample time after which the distance stays small; None if it does not."""
    t, distance = count_time(path), np.asarray(path.distance)
    outside = np.flatnonzero(distance > _SETTLED * distance[0])
    last = int(outside[-1]) + 1 if outside.size else 0
    return None if last >= len(t) else float(t[last] - t[0])
