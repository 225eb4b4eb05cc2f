"""Evidence against: random members and starts, searched for one that breaks what a certificate promises.

A proved certificate has no counterexample. What is looked for are errors in its making: a wrong assembly, a class
inequality that does not hold, an edited file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

import numpy as np

from ..certificates import Certificate
from ..certificates.evidence import Evidence, find_certificate
from ..dynamics import ParametricSystem, PolytopicSystem
from ..errors import ClaimMismatchError, InvalidModelError
from ..exact.matrices import Matrix
from ..lmi.claims import SublinearDecay
from ..lmi.gain_claims import GainClaim
from ..lmi.scaled_claims import ScaledClaim
from ..lmi.templates import VariableMetric, ZamesFalb
from ..members import Member
from .draws import choose_start, draw_loop, draw_place, draw_start, draw_vertex
from .equilibria import Equilibrium
from .iterations import find_operator
from .loops import Array, Loop
from .memory import attach_filters
from .metric import reduce_equilibrium, reduce_loop
from .motion import integrate, iterate
from .scaled import check_orbit
from .storage import Storage, make_storage, measure_decay
from .sublinear import Checks, SublinearStorage, list_promises
from .trajectories import Trajectory

__all__ = ["Counterexample", "falsify"]

_SPAN = 6.0  # simulated time in units of 1/rate
_LONG = 100.0  # simulated time of a sublinear claim, from 1
_MOST_STEPS = 1_000  # simulated steps in discrete time: an error shows at the first, if anywhere
_SCALED_DECADES = 6.0  # starts on another time scale: between 10 to minus this, and 10 to this
_COARSE, _FINE = 1e-9, 1e-12  # relative tolerances; the difference of the two runs measures the integrator's error
_SAFETY = 10.0  # factor on that measured error

_Violation = tuple[str, int, float, float, float]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Counterexample:
    """A trajectory that breaks a promise of a certificate by more than numerical error.

    Attributes
    ----------
    inequality : str
        What fails: ``"V(t) <= V(0) exp(-2 rate t)"``, ``"|x(t)| <= c exp(-rate t) |x(0)|"`` or ``"|x|^2 <= V"``,
        where x is the deviation from the equilibrium; in discrete time ``"V(k+1) <= factor^2 V(k)"`` and
        ``"|x(k)| <= c factor^k |x(0)|"``; of a sublinear claim ``"V(t) <= V(s) for s <= t"`` and
        ``"t^p (f - f*) <= V"``; on another time scale ``"t <= T(V(0)) - T(V(t))"`` and bounds of the speed.
    members : tuple of Member
        The concrete oracles.
    x0 : ndarray
        The start.
    time : float
        When the inequality fails.
    left, right : float
        Its two sides.
    tolerance : float
        Estimated numerical error of their difference, which ``left - right`` exceeds.
    equilibrium : Equilibrium
        From which deviations are measured.
    offset : ndarray or None
        Right side b of a primal-dual system.
    operator : Matrix or None
        Linear operator, or constraint matrix, of a system that has one.
    at : tuple of (str, Fraction)
        Parameter of the system, for a certificate of a family.
    """

    inequality: str
    members: tuple[Member, ...]
    x0: Array
    time: float
    left: float
    right: float
    tolerance: float
    equilibrium: Equilibrium
    offset: Array | None
    operator: Matrix | None = None
    at: tuple[tuple[str, Fraction], ...] = ()

    @property
    def excess(self) -> float:
        """By how much the left side exceeds the right."""
        return self.left - self.right

    def __str__(self) -> str:
        where = "".join(f"at {name} = {value}, " for name, value in self.at)
        return (
            f"{where}{self.inequality} fails at time {self.time:.6g}: {self.left:.9g} > {self.right:.9g} (numerical "
            f"error about {self.tolerance:.2g}), for members {list(self.members)} from x0 = {self.x0.tolist()}"
        )


def falsify(
    certificate: Certificate | Evidence,
    trials: int,
    rng: np.random.Generator,
    *,
    dimension: int = 3,
    progress: Callable[[int, int], None] | None = None,
) -> Counterexample | None:
    """Search for members and a start that break a certificate.

    Each trial draws members of the declared classes and, among random starts over several scales, takes the one from
    which V falls most slowly; the trajectory is checked against all that the certificate promises.

    Parameters
    ----------
    certificate : Certificate, or what has one as its ``certificate``
        The claim under attack.
    trials : int
        Number of trials, >= 1.
    rng : numpy.random.Generator
        Source of randomness: the same state gives the same trials.
    dimension : int, default 3
        Dimension d of the signals; for a primal-dual system the constraint determines it.
    progress : callable, optional
        Called as ``progress(done, trials)`` after each trial.

    Returns
    -------
    Counterexample or None
        The first that is found. None is no proof.

    Raises
    ------
    InvalidModelError
        If an argument is not valid.
    SimulationError
        If no draw of members has an equilibrium, or an integration fails.

    Notes
    -----
    A violation counts only if it exceeds the numerical error: the integrator's, measured by a second run with
    tolerances a thousand times smaller, or that of the steps in discrete time, measured by a second run that rounds
    differently; the equilibrium's, estimated to first order; and rounding in V.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import gradient_flow
    >>> from lyapflow.lmi.claims import ExponentialDecay
    >>> from lyapflow.search import certify
    >>> certificate = certify(gradient_flow(SmoothStronglyConvex(1, 10)))
    >>> falsify(certificate, 3, np.random.default_rng(0)) is None
    True
    >>> wrong = replace(certificate, claim=ExponentialDecay(2))
    >>> falsify(wrong, 20, np.random.default_rng(0)).inequality
    'V(t) <= V(0) exp(-2 rate t)'
    """
    found = find_certificate(certificate)
    if found is None:
        raise InvalidModelError(f"certificate must be a Certificate, got {type(certificate).__name__}")
    if isinstance(found.claim, GainClaim):
        raise ClaimMismatchError(
            f"falsify simulates systems without disturbance or delay, and the claim is a {type(found.claim).__name__}. "
            "Ask find_gain_witness or find_delay_witness for members that contradict it."
        )
    for name, number in (("trials", trials), ("dimension", dimension)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
            raise InvalidModelError(f"{name} must be an integer >= 1, got {number!r}")
    if not isinstance(rng, np.random.Generator):
        raise InvalidModelError(f"rng must be a numpy.random.Generator, got {rng!r}. Pass np.random.default_rng(seed).")
    for done, stream in enumerate(rng.spawn(int(trials)), start=1):
        counterexample = _run_trial(found, int(dimension), stream)
        if counterexample is not None:
            return counterexample
        if progress is not None:
            progress(done, int(trials))
    return None


def _run_trial(certificate: Certificate, dimension: int, rng: np.random.Generator) -> Counterexample | None:
    if isinstance(certificate.system, PolytopicSystem):
        certificate = replace(certificate, system=draw_vertex(certificate.system, rng))
    at: tuple[tuple[str, Fraction], ...] = ()
    if isinstance(certificate.system, ParametricSystem):
        family = certificate.system
        place = family.place(draw_place(rng, closed=family.ends[1] is not None))
        certificate, at = certificate.at(place), ((family.parameter, place),)
    loop, rest, offset = draw_loop(certificate, dimension, rng)
    if isinstance(certificate.claim, ScaledClaim):
        x0 = draw_start(rest, rng, decades=_SCALED_DECADES)
        times, checks = check_orbit(certificate, loop, rest, x0)
        return _tell(_pick(checks), times, loop, rest, x0, offset, at)
    if isinstance(certificate.template, VariableMetric):  # attacked in the letters of its proof
        loop, root = reduce_loop(certificate, loop)
        rest, certificate = reduce_equilibrium(loop, root, rest), certificate.core
    states = None
    if isinstance(certificate.template, ZamesFalb):
        states = len(rest.x)
        certificate, loop, rest = attach_filters(certificate, loop, rest)
    if isinstance(certificate.claim, SublinearDecay):
        slow = SublinearStorage.of(certificate, loop, rest)
        x0 = draw_start(rest, rng)
        run, find = _integrate_long, lambda path, error: _pick(list_promises(slow, path, error))
    else:
        storage = make_storage(certificate, loop, rest)
        x0 = choose_start(storage, rng)
        if states is not None:
            x0[states:] = rest.x[states:]  # the filters of V are at rest at the start
        run = _iterate if certificate.system.dt else _integrate
        find = partial(_find_violations, certificate, storage, states)
    coarse = run(certificate, loop, rest, x0, fine=False)
    if not find(coarse, np.zeros(len(coarse.t))):
        return None
    fine = run(certificate, loop, rest, x0, fine=True)
    return _tell(find(fine, _measure_error(coarse, fine)), fine.t, loop, rest, x0, offset, at)


def _tell(
    violations: list[_Violation],
    times: Array,
    loop: Loop,
    rest: Equilibrium,
    x0: Array,
    offset: Array | None,
    at: tuple[tuple[str, Fraction], ...],
) -> Counterexample | None:
    """The worst violation as a counterexample; None if there is none."""
    if not violations:
        return None
    inequality, k, left, right, tolerance = max(violations, key=lambda v: (v[2] - v[3]) / v[3])
    return Counterexample(
        inequality=inequality,
        members=loop.members,
        x0=x0,
        time=float(times[k]),
        left=left,
        right=right,
        tolerance=tolerance,
        equilibrium=rest,
        offset=offset,
        operator=find_operator(loop.system),
        at=at,
    )


def _integrate(certificate: Certificate, loop: Loop, rest: Equilibrium, x0: Array, *, fine: bool) -> Trajectory:
    """A run in continuous time, with tolerances a thousand times smaller if it is the fine one."""
    end = _SPAN / float(certificate.rate)
    times = np.unique(np.concatenate([[0.0], np.geomspace(1e-5 * end, end, 60), np.linspace(0, end, 61)]))
    relative = _FINE if fine else _COARSE
    size = float(np.linalg.norm(x0 - rest.x))
    return integrate(loop, rest, x0, times, rtol=relative, atol=1e-3 * relative * size)


def _integrate_long(certificate: Certificate, loop: Loop, rest: Equilibrium, x0: Array, *, fine: bool) -> Trajectory:
    """As `_integrate`, over decades of time."""
    times = np.geomspace(1.0, _LONG, 121)
    relative = _FINE if fine else _COARSE
    size = float(np.linalg.norm(x0 - rest.x))
    return integrate(loop, rest, x0, times, rtol=relative, atol=1e-3 * relative * size)


def _iterate(certificate: Certificate, loop: Loop, rest: Equilibrium, x0: Array, *, fine: bool) -> Trajectory:
    """A run in discrete time, in deviations from the equilibrium if it is the fine one."""
    factor = max(float(certificate.factor), np.finfo(np.float64).tiny)
    steps = int(np.clip(np.ceil(_SPAN / -np.log(factor)), 2, _MOST_STEPS))
    times = np.linspace(0, steps * float(certificate.system.dt), steps + 1)
    return iterate(loop, rest, x0, times, in_deviations=fine)


def _measure_error(coarse: Trajectory, fine: Trajectory) -> Array:
    """Error of the states: the largest relative difference of two runs so far, since at single times it may vanish."""
    difference = np.linalg.norm((fine.x - coarse.x).reshape(len(fine.t), -1), axis=1)
    distance = np.maximum(fine.distance, np.finfo(np.float64).tiny)
    return np.asarray(_SAFETY * (np.maximum.accumulate(difference / distance) + _FINE) * distance)


def _find_violations(
    certificate: Certificate, storage: Storage, states: int | None, path: Trajectory, error: Array
) -> list[_Violation]:
    """Promises that fail by more than the given error of the states, that of the equilibrium, and rounding.

    Where V has a memory, only so many states are the system's; the others are filters, and have no part in its norm.
    """
    V, distance, rest = storage.evaluate(path), path.distance, path.equilibrium
    if states is not None:
        distance = np.linalg.norm((path.x - rest.x)[:, :states].reshape(len(path.t), -1), axis=1)
    rounding, slope = storage.measure_rounding(path), storage.measure_slope(path)
    decay = measure_decay(certificate, path.t)
    error = error + 4 * np.finfo(np.float64).eps * (distance + float(np.linalg.norm(rest.x)))
    checks = [("|x|^2 <= V", distance**2, V, rounding + (slope + 2 * distance) * rest.error)]
    own = slope * (error + rest.error) + rounding
    if certificate.system.dt:
        square, before = float(certificate.factor) ** 2, np.r_[0, np.arange(len(V) - 1)]
        start = np.r_[1.0, np.full(len(V) - 1, square)]  # nothing is promised of the first sample
        checks.append(("V(k+1) <= factor^2 V(k)", V, start * V[before], own + start * own[before]))
    else:
        tolerance = own + decay**2 * (slope[0] * rest.error + rounding[0])
        checks.append(("V(t) <= V(0) exp(-2 rate t)", V, V[0] * decay**2, tolerance))
    if certificate.is_bounded:
        c = float(certificate.transient_bound)
        name = "|x(k)| <= c factor^k |x(0)|" if certificate.system.dt else "|x(t)| <= c exp(-rate t) |x(0)|"
        checks.append((name, distance, c * decay * distance[0], error + rest.error * (1 + c * decay)))
    return _pick(checks)


def _pick(checks: Checks) -> list[_Violation]:
    """The worst violation of each promise."""
    found = []
    for inequality, left, right, allowed in checks:
        with np.errstate(over="ignore"):
            k = int(np.argmax((left - right - allowed) / np.maximum(right, np.finfo(np.float64).tiny)))
        if left[k] - right[k] > allowed[k]:
            found.append((inequality, k, float(left[k]), float(right[k]), float(allowed[k])))
    return found
