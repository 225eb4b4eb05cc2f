"""What a certificate claims, as inequalities ``X <= 0`` between V, its change and norms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from ..certificates.certificate import Certificate
from ..errors import InvalidModelError
from ..lmi.claims import Contraction, ExponentialDecay
from ..lmi.dissipation import UPPER
from ..lmi.driven import INPUT, OUTPUT
from ..lmi.scaled_claims import FiniteTimeStability, FixedTimeStability, PrescribedTimeStability

__all__ = ["Statement", "list_statements"]

_ONE, _ZERO = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """``change V' + now V + next V+ + above |x|^2 + below |x|^2 + speed |F|^2 + output |z|^2 <= intake |w|^2``.

    V' or V+ as time is.

    Attributes
    ----------
    name : str
        Of the theorem.
    part : str
        Of the proof: names of its multipliers begin so.
    change, now, next, above, below, fast, slow : Fraction
        Coefficients; ``above`` and ``below`` of the norm as in the modes, ``fast`` and ``slow`` of the squared speed in
        these two norms.
    intake, output : Fraction
        What the input of a driven system may supply, and what its output takes.
    """

    name: str
    part: str
    change: Fraction = _ZERO
    now: Fraction = _ZERO
    next: Fraction = _ZERO
    above: Fraction = _ZERO
    below: Fraction = _ZERO
    fast: Fraction = _ZERO
    slow: Fraction = _ZERO
    intake: Fraction = _ZERO
    output: Fraction = _ZERO


def list_statements(certificate: Certificate) -> Iterator[Statement]:
    """All inequalities of a claim, but for a `SublinearDecay`.

    Raises
    ------
    InvalidModelError
        If the claim is of a kind that cannot be exported.
    """
    claim = certificate.claim
    supply = {"intake": certificate.values.get(INPUT, _ZERO), "output": certificate.values.get(OUTPUT, _ZERO)}
    if isinstance(claim, ExponentialDecay) and claim.rate is not None:
        yield Statement(name="V_decays", part="decrease", change=_ONE, now=2 * claim.rate, **supply)
    elif isinstance(claim, Contraction) and claim.factor is not None:
        yield Statement(name="V_contracts", part="decrease", next=_ONE, now=-(claim.factor**2), **supply)
    elif isinstance(claim, FiniteTimeStability | FixedTimeStability):
        yield Statement(name="V_decays", part="decrease", change=_ONE, now=claim.decay, fast=claim.dissipation)
        if isinstance(claim, FixedTimeStability):
            yield Statement(name="V_decays_exponentially", part="rate", change=_ONE, now=2 * claim.rate)
            yield Statement(name="speed_is_bounded_below", part="speed", now=claim.speed, slow=-_ONE)
    elif isinstance(claim, PrescribedTimeStability):
        yield Statement(name="V_decays", part="rate", change=_ONE, now=2 * claim.rate)
        if claim.speed_limit is not None:
            yield Statement(name="speed_is_bounded", part="speed limit", now=-claim.speed_limit, fast=_ONE)
    else:
        raise InvalidModelError(f"export_coq knows no theorem for the claim {claim}")
    yield Statement(name="V_is_positive", part="positivity", now=-_ONE, above=_ONE)
    if UPPER in certificate.values:
        yield Statement(name="V_is_bounded", part=UPPER, now=_ONE, below=-certificate.values[UPPER])
