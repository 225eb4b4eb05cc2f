r"""The Kalman-Yakubovich-Popov lemma at work: best rate and V of a large plant without a semidefinite program.

For a plant :math:`x' = A x + B w`, :math:`z = C x` with :math:`|w| \le |z|`, a quadratic V proves decay with rate
:math:`\rho` iff :math:`|C (s - A)^{-1} B| < 1` for all s with :math:`\mathrm{Re}\, s \ge -\rho` (in discrete time:
:math:`|s| \ge \rho`). The extreme point where the gain is still one gives the best rate at once, and a Riccati equation
gives V at any smaller one.

All of this is floating point: a proposal, of which nothing is believed.

References
----------
S. Boyd, V. Balakrishnan and P. Kabamba, *A bisection method for computing the H-infinity norm of a transfer matrix and
related problems*, Math. Control Signals Systems 2 (1989), theorem 2: crossings are eigenvalues of a Hamiltonian matrix.
J. V. Burke, A. S. Lewis and M. L. Overton, *Robust stability and a criss-cross algorithm for pseudospectra*, IMA J.
Numer. Anal. 23 (2003).
"""

from __future__ import annotations

import cmath
import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, eigvals, eigvalsh, solve_continuous_are, solve_discrete_are
from scipy.optimize import brentq

from .gain_loop import Array, GainLoop

__all__ = ["ExtremePoint", "Storage", "find_extreme_point", "find_storage"]

_AXIS = 1e-6  # real parts below this, relative to the largest eigenvalue of a Hamiltonian matrix, may be zero
_STEP = 1e-10  # relative distance from the extreme point at which the search for it stops
_LEAST = 1e-8  # radius at which a search in discrete time starts, where A has no larger eigenvalue
_SHARE = 1e-3  # of a level: a longer way to the extreme point need not go into slack
_MOST_STEPS = 50
_MOST_TRIES = 8
_MOST_FREQUENCIES = 24
_ALIGNED = 1e-12  # a squared part below this, relative to the whole, is rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtremePoint:
    """The rightmost point where the gain is one (in discrete time: the one farthest from 0).

    Attributes
    ----------
    level : float
        Its abscissa, minus the best rate; or its modulus, the best factor.
    s : complex
        The point, with imaginary part >= 0: an eigenvalue of the slowest linear member.
    """

    level: float
    s: complex


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A storage matrix P and what is needed to round it, in balanced coordinates.

    Attributes
    ----------
    P : array, shape (n, n)
        Symmetric, positive definite; the multiplier of ``|w| <= |z|`` that goes with it is 1.
    margin : float
        Smallest eigenvalue of the slack of the decrease inequality, > 0.
    """

    P: Array
    margin: float


def find_extreme_point(loop: GainLoop) -> ExtremePoint:
    """The extreme point of gain one, by climbing: across a level to the highest gain, from there out to gain one.

    Each crossing looks at the whole level, by the eigenvalues of one Hamiltonian matrix of size 2n, so that the end is
    no local one; three to six of them are usual.
    """
    level, at = loop.spectral_level(), 0.0
    if loop.discrete:
        level = max(level, _LEAST)
    for _ in range(_MOST_STEPS):
        start = level + _STEP * abs(level)
        peak = _find_peak(loop, start)
        if peak is None:
            break
        level, at = _climb(loop, start, peak), peak
    return ExtremePoint(level=level, s=loop.point(level, at))


def _find_peak(loop: GainLoop, level: float) -> float | None:
    """Frequency (or angle) on a level where the gain is above one, the best of those looked at; None if it never is."""
    crossings = _cross(loop, level)
    ends = [0.0, *sorted(crossings[crossings > 0]), *([math.pi] if loop.discrete else [])]
    seen = {0.0, ends[-1], *((a + b) / 2 for a, b in itertools.pairwise(ends))}
    gains = {at: loop.gain(loop.point(level, at)) for at in seen}
    best = max(gains, key=gains.__getitem__)
    return best if gains[best] > 1 else None


def _cross(loop: GainLoop, level: float) -> Array:
    """Frequencies (or angles) on a level where the gain may be one: too many do no harm."""
    A, B = loop.shift(level)
    n = len(A)
    inputs, outputs = B @ B.T, loop.C.T @ loop.C
    if loop.discrete:
        nothing, same = np.zeros((n, n)), np.eye(n)
        values = eigvals(np.block([[A, inputs], [nothing, same]]), np.block([[same, nothing], [outputs, A.T]]))
        values = values[np.isfinite(values) & (values != 0)]
        values = np.log(values)  # the unit circle becomes the imaginary axis
        return np.asarray(values.imag[abs(values.real) < _AXIS])
    values = eigvals(np.block([[A, inputs], [-outputs, -A.T]]))
    return np.asarray(values.imag[abs(values.real) < _AXIS * abs(values).max()])


def _climb(loop: GainLoop, level: float, at: float) -> float:
    """A level beyond the given one where the gain has fallen to one."""

    def excess(reach: float) -> float:
        return min(loop.gain(loop.point(reach, at)), 1e100) - 1

    step = 1e-6 * abs(level) or 1e-12
    while excess(level + step) > 0:
        step *= 4
    return float(brentq(excess, level, level + step, xtol=1e-13 * abs(level) or 1e-13, rtol=1e-14))


def find_storage(loop: GainLoop, extreme: ExtremePoint, level: float) -> Storage | None:
    """A storage matrix that proves decay at a level (minus the rate, or the factor), or None.

    The Riccati equation is solved a little towards the extreme point (half the way, if that is short), which leaves a
    slack in proportion to P. Its constant term is enlarged, so that no state counts for too little and V bounds the
    state norm well: where the extreme response points by the little that the gain leaves there, in all other directions
    by what it leaves at other frequencies.
    """
    middle = level - min((level - extreme.level) / 2, _SHARE * abs(level))
    at = cmath.phase(extreme.s) if loop.discrete else extreme.s.imag
    room, response = _find_room(loop, middle, at)
    if room <= 0 or (loop.discrete and middle <= 0):
        return None
    same, outputs = np.eye(len(loop.A)), loop.C.T @ loop.C
    size = float(np.linalg.norm(response)) ** 2
    low = room / 2 / size if size > 0 else 1.0
    basis = np.linalg.qr(np.hstack([response.real, response.imag] if np.any(response.imag) else [response.real]))[0]
    away = same - basis @ basis.T
    high = max(_find_least_quotient(loop, middle, at, low, away) / 2, low)
    A, B = loop.shift(middle)
    solve = solve_discrete_are if loop.discrete else solve_continuous_are
    for _ in range(_MOST_TRIES):
        try:
            P = solve(A, B, outputs + low * same + high * away, -np.eye(1))
        except (LinAlgError, ValueError):  # no stabilising solution, or none that floating point finds
            P = None
        if P is not None and np.all(np.isfinite(P)):
            P = (P + P.T) / 2
            margin = _measure_slack(loop, level, P)
            if margin > 0 and eigvalsh(P)[0] > 0:
                # In discrete time A and B were divided by the factor: its square is taken back from P.
                return Storage(P=P / level**2 if loop.discrete else P, margin=margin)
        high /= 10
    return None


def _find_room(loop: GainLoop, level: float, at: float) -> tuple[float, NDArray[np.complexfloating]]:
    """One minus the squared gain, and the state's response."""
    response = loop.respond(loop.point(level, at))
    return 1 - abs(complex((loop.C @ response).item())) ** 2, response


def _find_least_quotient(loop: GainLoop, level: float, at: float, low: float, away: Array) -> float:
    """Least of what the gain leaves at other frequencies, in units of the response in the directions `away`."""
    found: list[float] = []
    for other in _list_frequencies(loop, at):
        room, response = _find_room(loop, level, other)
        size = float(np.linalg.norm(response)) ** 2
        part = float(np.linalg.norm(away @ response)) ** 2
        if part > _ALIGNED * size:
            found.append((room - low * size) / part)
    return min(found, default=0.0)


def _list_frequencies(loop: GainLoop, at: float) -> set[float]:
    """Frequencies (or angles) at which other directions may resonate: those of the eigenvalues, and some near `at`."""
    values = eigvals(loop.A)
    own = np.unique(np.abs(np.angle(values) if loop.discrete else values.imag))
    chosen = own[np.linspace(0, len(own) - 1, min(len(own), _MOST_FREQUENCIES)).astype(int)].tolist()
    unit = max(at, 1.0 if loop.discrete else float(np.abs(values).min()))
    near = [at + sign * unit / 10**k for k in range(4) for sign in (1, -1)]
    return {other for other in (*chosen, *near) if other != at}


def _measure_slack(loop: GainLoop, level: float, P: Array) -> float:
    """Smallest eigenvalue of the decrease inequality's slack after elimination of w; negative if that fails."""
    A, B = loop.shift(level)
    outputs = loop.C.T @ loop.C
    if loop.discrete:
        own = 1 - float((B.T @ P @ B).item())
        if own <= 0:
            return -math.inf
        cross = A.T @ P @ B
        slack = P - A.T @ P @ A - outputs - cross @ cross.T / own
    else:
        cross = P @ B
        slack = -(A.T @ P + P @ A) - outputs - cross @ cross.T
    return float(eigvalsh((slack + slack.T) / 2)[0])
