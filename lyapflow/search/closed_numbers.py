r"""Numbers of a claim on another time scale in closed form, without a solver, for a V that is known.

* Rate and speed limit K give the decrease: :math:`\theta = 2\rho a`, :math:`\nu = 2\rho(1-a)/K`; its multipliers are
  those of the rate plus :math:`\nu` times those of the speed limit.
* K is the smallest power of two for which equal multipliers prove :math:`|F|^2 \le KV`; such a K exists where the
  outputs of the oracles are bounded by the state.
* For quadratic V the speed is bounded below by the rate (Cauchy and Schwarz):
  :math:`2\rho V \le -\dot V_F \le 2\sqrt{V}\,|F|_P`, so :math:`|F|^2 \ge \rho^2 V/c_2`, with :math:`\rho/c_2` times the
  multipliers of the rate.

All of it is checked exactly like any other candidate; where it does not hold, there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from ..certificates.certificate import Certificate
from ..certificates.verification import satisfies
from ..lmi.pencil import Pencil
from ..lmi.scaled import Part
from ..lmi.scaled_claims import FiniteTimeStability, FixedTimeStability, PrescribedTimeStability, ScaledClaim
from ..lmi.time_scales import FiniteTime, PrescribedTime, TimeScale
from .scaled_numbers import assemble_part, read_multipliers, read_storage

__all__ = ["find_closed_claim"]

_POWERS = range(-12, 41)
"""Of two, for K."""

_MULTIPLIERS = tuple(Fraction(4) ** k for k in range(-6, 10))
"""Sizes that are tried for the multipliers."""


def find_closed_claim(certificate: Certificate, scale: TimeScale) -> tuple[ScaledClaim | None, dict[str, Fraction]]:
    """The claim and the multipliers that prove its parts; None where the closed forms prove nothing.

    Parameters
    ----------
    certificate : Certificate
        Of exponential decay, proved.
    scale : FiniteTime, FixedTime or PrescribedTime
        The time scale.
    """
    rate, sigma = certificate.rate, read_multipliers(certificate)
    proof = {f"rate: {n}": v for n, v in sigma.items()}
    if isinstance(scale, PrescribedTime):
        gain = 1 / rate if scale.gain is None else scale.gain
        return PrescribedTimeStability(PrescribedTime(scale.time, gain), rate), proof
    limit = _find_limit(certificate)
    if limit is None:
        return None, {}
    K, omega = limit
    a = scale.exponents[0]
    decay, dissipation = 2 * rate * a, 2 * rate * (1 - a) / K
    own = {f"decrease: {n}": v + dissipation * omega[n] for n, v in sigma.items()}
    if isinstance(scale, FiniteTime):
        return FiniteTimeStability(scale, decay, dissipation), own
    speed = _find_speed(certificate, sigma)
    if speed is None:
        return None, {}
    k, more = speed
    return FixedTimeStability(scale, decay, dissipation, rate, k), own | proof | more


def _find_limit(certificate: Certificate) -> tuple[Fraction, dict[str, Fraction]] | None:
    """The number K and its multipliers."""
    storage = read_storage(certificate)
    for power in _POWERS:
        K = Fraction(2) ** power
        pencil = assemble_part(certificate, Part("speed limit", False, Fraction(1), K, Fraction(-1)))
        for size in _MULTIPLIERS:
            values = _balance(pencil, storage | dict.fromkeys(pencil.nonnegative, size))
            if satisfies(pencil, values):
                return K, {n.removeprefix("speed limit: "): values[n] for n in pencil.nonnegative}
    return None


def _balance(pencil: Pencil, values: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """Multipliers enlarged until the coefficients of function values vanish, as far as one of them can do it."""
    found = dict(values)
    for equality in pencil.equalities:
        rest = equality.at(found)
        for name, c in equality.terms:
            if name in pencil.nonnegative and c * rest < 0:
                found[name] -= rest / c
                break
    return found


def _find_speed(certificate: Certificate, sigma: Mapping[str, Fraction]) -> tuple[Fraction, dict[str, Fraction]] | None:
    """The number k and its multipliers, for quadratic V."""
    if not certificate.is_bounded:
        return None
    upper = certificate.norm_ratios[0]
    k = certificate.rate**2 / upper
    own = {f"speed: {n}": v * certificate.rate / upper for n, v in sigma.items()}
    pencil = assemble_part(certificate, Part("speed", False, Fraction(-1), k, Fraction(1)))
    return (k, own) if satisfies(pencil, read_storage(certificate) | own) else None
