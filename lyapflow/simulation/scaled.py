r"""What a certificate on another time scale promises of an orbit, with the numerical error of each side.

An orbit from :math:`V_0` to V takes at most the time that the comparison equation takes between the two,
:math:`t \le T(V_0) - T(V)`; that is the bound of the settling time for every part of the orbit, and nothing in it is
lost near the equilibrium.
"""

from __future__ import annotations

import numpy as np

from ..certificates import Certificate
from ..errors import ClaimMismatchError
from ..lmi.scaled_claims import FixedTimeStability, PrescribedTimeStability, ScaledClaim
from ..lmi.templates import VariableMetric
from .comparison import time_to_zero
from .equilibria import Equilibrium
from .loops import Array, Loop
from .metric import reduce_equilibrium, reduce_loop, reduce_path
from .storage import Samples, Storage, make_storage
from .sublinear import Checks
from .time_change import follow_orbit
from .trajectories import Trajectory

__all__ = ["check_orbit"]

_ERROR = 1e-6  # relative error of times and speeds, far above the integrator's
_HIDDEN = 1e-12  # error of values from numbers of order 1 inside of members, which a storage cannot know of
_NEAREST = 1e-10  # distance below which such numbers are felt in all
_TINY = float(np.finfo(np.float64).tiny)


def check_orbit(certificate: Certificate, loop: Loop, equilibrium: Equilibrium, x0: Array) -> tuple[Array, Checks]:
    """Times of the samples of an orbit, and the promises along it."""
    claim = certificate.claim
    if not isinstance(claim, ScaledClaim):
        raise ClaimMismatchError(f"an orbit on two clocks belongs to a claim on another time scale, got {claim}")
    orbit = follow_orbit(loop, equilibrium, x0, claim.scale, rtol=1e-8)
    path = orbit.trace(loop, equilibrium)
    kept = np.isin(orbit.t, path.t)
    s = np.interp(path.t, orbit.t[kept], orbit.s[kept])
    relative = _ERROR + 4 * np.interp(path.t, orbit.t[kept], orbit.error[kept])
    storage, samples = _read_storage(certificate, loop, equilibrium, path)
    V = storage.evaluate(samples)
    noise = storage.measure_rounding(samples) + storage.measure_slope(samples) * equilibrium.error
    noise += _HIDDEN * sum(abs(weight) for _, weight in storage.weights)
    speed = np.array([float(np.linalg.norm(loop.evaluate(x)[0])) ** 2 for x in path.x])
    above, below = _norm_ratios(certificate)
    checks: Checks = [("|x|^2 <= V", below * path.distance**2, V, noise + relative * V)]
    if above is not None:
        checks.append(("V <= c |x|^2", V, above * path.distance**2, noise + relative * V))
    if isinstance(claim, PrescribedTimeStability):
        left = np.exp(-2 * float(claim.rate) * s)
        checks.append(("V(t) <= V(0) (1 - t/T)^(2 rate gain)", V, V[0] * left, noise + left * noise[0] + relative * V))
        if claim.speed_limit is not None:
            limit = float(claim.speed_limit)
            checks.append(("|F|^2 <= K V", speed, limit * V, limit * noise + relative * speed))
        return _keep(path, checks)
    most = time_to_zero(claim, V[0] + noise[0])
    least = time_to_zero(claim, np.maximum(V - noise, 0))
    checks.append(("t <= T(V(0)) - T(V(t))", path.t, most - least, relative * float(most) + _TINY))
    if isinstance(claim, FixedTimeStability):
        k = float(claim.speed)
        checks.append(("k V <= |F|^2", k * V, speed, k * noise + relative * speed))
    return _keep(path, checks)


def _keep(path: Trajectory, checks: Checks) -> tuple[Array, Checks]:
    """What is seen well enough, and the start."""
    kept = path.distance >= _NEAREST
    kept[0] = True
    return path.t[kept], [(name, left[kept], right[kept], error[kept]) for name, left, right, error in checks]


def _read_storage(
    certificate: Certificate, loop: Loop, equilibrium: Equilibrium, path: Samples
) -> tuple[Storage, Samples]:
    """V, and the samples in its coordinates."""
    if not isinstance(certificate.template, VariableMetric):
        return make_storage(certificate, loop, equilibrium), path
    reduced, root = reduce_loop(certificate, loop)
    rest = reduce_equilibrium(reduced, root, equilibrium)
    return make_storage(certificate.core, reduced, rest), reduce_path(reduced, root, path)  # type: ignore[arg-type]


def _norm_ratios(certificate: Certificate) -> tuple[float | None, float]:
    """Bounds of V by the squared distance, as far as they are proved; the lower one is 1 in V's own norm."""
    if certificate.is_bounded:
        above, below = certificate.norm_ratios
        return float(above), float(below)
    return None, 1.0 if not isinstance(certificate.template, VariableMetric) else 0.0
