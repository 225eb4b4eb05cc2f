r"""What V may be at most along a trajectory, in floating point: the solution of the comparison equation of a claim.

On another time scale it is :math:`\dot v = -Av^a - Bv^b`, whose time from v to zero is an incomplete beta function, see
`lyapflow.exact.settling`; its inverse gives v at a time.
"""

from __future__ import annotations

import numpy as np
from scipy.special import beta as complete_beta
from scipy.special import betainc, betaincc, betaincinv

from ..certificates import Certificate
from ..lmi.scaled_claims import FiniteTimeStability, FixedTimeStability, PrescribedTimeStability, ScaledClaim
from .loops import Array
from .storage import measure_decay

__all__ = ["bound_storage", "time_to_zero"]


def bound_storage(certificate: Certificate, start: float, t: Array) -> Array:
    """Largest V that the claim leaves at times t, from its value at the first of them; shape (T,)."""
    claim = certificate.claim
    if not isinstance(claim, ScaledClaim):
        return np.asarray(start * measure_decay(certificate, t) ** 2)
    elapsed = t - t[0]
    if isinstance(claim, PrescribedTimeStability):
        left = np.clip(1 - elapsed / float(claim.scale.time), 0, None)
        return np.asarray(start * left ** float(claim.exponents[0]))
    left = np.clip(time_to_zero(claim, np.array(start)) - elapsed, 0, None)
    if isinstance(claim, FiniteTimeStability):
        (a,), (A,) = (tuple(map(float, pair)) for pair in (claim.exponents, claim.coefficients))
        return np.asarray((A * (1 - a) * left) ** (1 / (1 - a)))
    (a, b), (A, B) = (tuple(map(float, pair)) for pair in (claim.exponents, claim.coefficients))
    near, far, whole = _read_shares(claim)
    share = np.clip(left / whole, 0, 1)
    w, rest = betaincinv(near, far, share), betaincinv(far, near, 1 - share)  # whichever is smaller is the precise one
    with np.errstate(divide="ignore", invalid="ignore"):
        u = np.where(w < 0.5, w / (1 - w), (1 - rest) / rest)
    return np.asarray(np.minimum((A * u / B) ** (1 / (b - a)), start))


def time_to_zero(claim: FiniteTimeStability | FixedTimeStability, v: Array) -> Array:
    """Time from v to zero along the comparison equation; infinite v for all starts of a fixed time."""
    if isinstance(claim, FiniteTimeStability):
        (a,), (A,) = (tuple(map(float, pair)) for pair in (claim.exponents, claim.coefficients))
        return np.asarray(v ** (1 - a) / (A * (1 - a)))
    (a, b), (A, B) = (tuple(map(float, pair)) for pair in (claim.exponents, claim.coefficients))
    near, far, whole = _read_shares(claim)
    with np.errstate(over="ignore"):
        u = B / A * np.asarray(v, dtype=np.float64) ** (b - a)
    return np.asarray(whole * np.where(u < 1, betainc(near, far, u / (1 + u)), betaincc(far, near, 1 / (1 + u))))


def _read_shares(claim: FixedTimeStability) -> tuple[float, float, float]:
    """``(1 - a)/(b - a)``, ``(b - 1)/(b - a)`` and the time from infinity."""
    (a, b), (A, B) = (tuple(map(float, pair)) for pair in (claim.exponents, claim.coefficients))
    near, far = (1 - a) / (b - a), (b - 1) / (b - a)
    return near, far, float((A / B) ** near / (A * (b - a)) * complete_beta(near, far))
