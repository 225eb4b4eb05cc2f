"""What the command line says of its results: lines for people, data for machines."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .certificates.certificate import Certificate
from .certificates.settling import tell_scaled
from .certificates.verification import Verification
from .errors import InvalidModelError
from .exact.rationals import shorten, show_above, show_below
from .lmi.claims import Contraction, SublinearDecay
from .lmi.dissipation import UPPER
from .lmi.gain_claims import GainClaim, tell_gain
from .lmi.scaled_claims import FixedTimeStability, PrescribedTimeStability, ScaledClaim
from .lmi.time_scales import FixedTime

if TYPE_CHECKING:
    from .coq.compiler import CoqVerdict
    from .search.bracket import Bracket
    from .studies import Studied

__all__ = [
    "coq_data",
    "studied_data",
    "tell_bracket",
    "tell_claim",
    "tell_coq",
    "tell_studied",
    "tell_verdict",
    "verdict_data",
]


def tell_bracket(bracket: Bracket) -> str:
    """The two ends in decimals, each rounded to its safe side.

    >>> from .algorithms import gradient_descent
    >>> from .classes import SmoothStronglyConvex
    >>> from .search.bracket import bracket
    >>> tell_bracket(bracket(gradient_descent(SmoothStronglyConvex(1, 9), step="1/5")))
    '0.8 <= true factor <= 0.8'
    """
    from .report.numbers import below_one

    certificate, witness = bracket.certificate, bracket.witness
    if witness.factor is not None:
        return f"{show_below(witness.factor)} <= true factor <= {below_one(certificate.factor, digits=9)}"
    return f"{show_below(certificate.rate)} <= true rate <= {show_above(witness.rate or Fraction(0))}"


def tell_studied(one: Studied) -> str:
    """What became of one flow or algorithm, in one line."""
    step = "" if one.step is None else f" (step {one.step})"
    certificate = one.certificate
    if certificate is None:
        return f"{one.request.name}{step}: not proved. {one.failure.explain() if one.failure else ''}"
    if isinstance(certificate.claim, GainClaim):
        return f"{one.request.name}{step}: proved {tell_claim(certificate)}"
    if one.bracket is None:
        return f"{one.request.name}{step}: proved {tell_claim(certificate)}; V = {certificate.formula}"
    rest = f"gap {show_above(one.bracket.gap, 2)}"
    if _is_discrete(certificate):
        rest += f", 1 - factor >= {show_below(1 - certificate.factor)}"
    return f"{one.request.name}{step}: proved {tell_bracket(one.bracket)} ({rest}); {_tell_consequences(certificate)}"


def _is_discrete(certificate: Certificate) -> bool:
    return isinstance(certificate.claim, Contraction)


def _tell_consequences(certificate: Certificate) -> str:
    if not certificate.is_bounded:
        return "no bound by the initial distance"
    transient, settling = certificate.transient_bound, certificate.settling_time()
    time = f"{settling} steps" if _is_discrete(certificate) else show_above(settling, 6)
    return f"transient bound {show_above(transient, 6)}, settling time {time}"


def studied_data(one: Studied) -> dict[str, Any]:
    """The same for machines: rationals are texts."""
    data: dict[str, Any] = {one.request.kind: one.request.name, "step": None if one.step is None else str(one.step)}
    certificate = one.certificate
    if certificate is None:
        return data | {
            "proved": False,
            "outcome": type(one.failure).__name__,
            "explanation": one.failure.explain() if one.failure else "",
        }
    if isinstance(certificate.claim, GainClaim):
        said = {"claim": tell_claim(certificate), "number": str(certificate.claim.number)}
        return data | {"proved": True, **said, "digest": certificate.digest}
    if one.bracket is None:
        order, V = str(certificate.order), certificate.formula
        return data | {"proved": True, "order": order, "storage": V, "digest": certificate.digest}
    witness = one.bracket.witness
    if _is_discrete(certificate):
        ends = {"factor": str(certificate.factor), "witness_factor": str(witness.factor)}
    else:
        ends = {"rate": str(certificate.rate), "witness_rate": str(witness.rate)}
    return data | {
        "proved": True,
        **ends,
        "transient_bound": str(certificate.transient_bound) if certificate.is_bounded else None,
        "settling_time": str(certificate.settling_time()) if certificate.is_bounded else None,
        "witness": str(witness),
        "digest": certificate.digest,
    }


def tell_claim(certificate: Certificate) -> str:
    """What a certificate claims, proved or not."""
    if isinstance(certificate.claim, ScaledClaim):
        return _tell_scaled_claim(certificate, certificate.claim)
    if isinstance(certificate.claim, GainClaim):
        return tell_gain(certificate.claim)
    if isinstance(certificate.claim, SublinearDecay):
        return f"decay of the function value with order {shorten(certificate.order)}"
    bounded = "" if certificate.is_bounded else " of sqrt(V), with no bound by the initial distance"
    if _is_discrete(certificate):
        return f"contraction with factor {shorten(certificate.factor)} per step{bounded}"
    return f"exponential decay with rate {shorten(certificate.rate)}{bounded}"


def _tell_scaled_claim(certificate: Certificate, claim: ScaledClaim) -> str:
    """What a claim on another time scale says of settling, times rounded up."""
    scale = claim.scale
    names = [name for name in ("alpha", "beta") if hasattr(scale, name)]
    numbers = [f"{name} = {shorten(getattr(scale, name))}" for name in names]
    if isinstance(scale, FixedTime):
        numbers += [] if scale.gains == (1, 1) else [f"gains {' and '.join(map(shorten, scale.gains))}"]
    elif scale.gain is not None:
        numbers += [] if scale.gain == 1 and names else [f"gain {shorten(scale.gain)}"]
    try:
        says = _tell_settling(certificate, claim)
    except InvalidModelError:  # numbers of a file, which nobody has proved, may be beyond any bound
        says = "settles at a time that cannot be enclosed"
    return f"{tell_scaled(claim)}: {says} ({', '.join(numbers)})"


def _tell_settling(certificate: Certificate, claim: ScaledClaim) -> str:
    if isinstance(claim, PrescribedTimeStability):
        falls = f"V(t) <= V(0) (1 - t/T)^{show_below(claim.exponents[0], 6)}"
        return f"every start settles at T = {shorten(claim.number)}, as {falls}"
    if isinstance(claim, FixedTimeStability):
        return f"settles within {show_above(certificate.settling_time())} from every start"
    if certificate.is_bounded and certificate.values[UPPER] > 0:
        return f"settles within {show_above(certificate.settling_time(x0=1))} from distance 1"
    return f"settles within {show_above(certificate.settling_time(V0=1))} from V(0) = 1"


def tell_verdict(file: Path, verdict: Verification, certificate: Certificate) -> str:
    """What the checker says of a file."""
    if not verdict.proved:
        lines = [f"{file}: NOT PROVED: {verdict.reason}"]
        if verdict.witness is not None and verdict.witness.signals:
            lines += [
                f"  {name} = {value}"
                for name, value in zip(verdict.witness.signals, verdict.witness.point, strict=True)
            ]
            lines.append(f"  slack = {verdict.witness.value}")
        return "\n".join(lines)
    margin = "on the boundary" if verdict.margin == 0 else f"margin {verdict.margin}"
    system = certificate.system
    oracles = ", ".join(f"{n} {o.describe()}" for n, o in zip(system.oracle_names, system.oracles, strict=True))
    return (
        f"{file}: proved: {tell_claim(certificate)} ({verdict.reason}; {margin})\n"
        f"  system labelled {system.name!r}: {oracles}\n  sha256 {certificate.digest}"
    )


def verdict_data(file: Path, verdict: Verification, certificate: Certificate) -> dict[str, Any]:
    """The same for machines."""
    witness = verdict.witness
    return {
        "file": str(file),
        "usable": True,
        "proved": verdict.proved,
        "margin": str(verdict.margin),
        "claim": tell_claim(certificate),
        "digest": certificate.digest,
        "reason": verdict.reason,
        "witness": None
        if witness is None
        else {
            "inequality": witness.inequality,
            "point": dict(zip(witness.signals, map(str, witness.point), strict=True)),
            "value": str(witness.value),
        },
    }


def tell_coq(file: Path, checked: CoqVerdict) -> str:
    """What the proof assistant says of the theorem of a file."""
    after = f"in {checked.seconds:.1f} s, {len(checked.text.splitlines())} lines"
    if checked.accepted:
        return f"{file}: accepted by Coq {checked.version} ({after})"
    word = "NO ANSWER from" if checked.verdict == "timeout" else "REJECTED by"
    return f"{file}: {word} Coq {checked.version} ({after}): {checked.message}"


def coq_data(checked: CoqVerdict) -> dict[str, Any]:
    """The same for machines."""
    return {
        "verdict": checked.verdict,
        "version": checked.version,
        "seconds": round(checked.seconds, 3),
        "lines": len(checked.text.splitlines()),
        "message": checked.message,
    }
