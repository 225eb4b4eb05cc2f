"""Evidence against: random members and starts, searched for one that breaks what a certificate promises.

A proved certificate has no counterexample. What is looked for are errors in its making: a wrong assembly, a class
inequality that does not hold, an edited file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..certificates import Certificate
from ..classes import Convex, OperatorClass, SmoothConvex, SmoothStronglyConvex, StronglyConvex
from ..classes.inequalities import ANY
from ..dynamics import LureSystem, PrimalDualSystem
from ..errors import InvalidModelError, SimulationError
from ..exact.matrices import shape
from ..members import Member, random_member
from .equilibria import Equilibrium, locate_equilibrium
from .loops import Array, Loop, close_loop
from .storage import Storage, make_storage
from .trajectories import Trajectory, integrate

__all__ = ["Counterexample", "falsify"]

_DRAWS = 20  # members without an equilibrium are outside the theorem: so many draws in a row before giving up
_STARTS = 16
_SPAN = 6.0  # simulated time in units of 1/rate
_COARSE, _FINE = 1e-9, 1e-12  # relative tolerances; the difference of the two runs measures the integrator's error
_SAFETY = 10.0  # factor on that measured error


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Counterexample:
    """A trajectory that breaks a promise of a certificate by more than numerical error.

    Attributes
    ----------
    inequality : str
        What fails: ``"V(t) <= V(0) exp(-2 rate t)"``, ``"|x(t)| <= c exp(-rate t) |x(0)|"`` or ``"|x|^2 <= V"``,
        where x is the deviation from the equilibrium.
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

    @property
    def excess(self) -> float:
        """By how much the left side exceeds the right."""
        return self.left - self.right

    def __str__(self) -> str:
        return (
            f"{self.inequality} fails at time {self.time:.6g}: {self.left:.9g} > {self.right:.9g} (numerical error "
            f"about {self.tolerance:.2g}), for members {list(self.members)} from x0 = {self.x0.tolist()}"
        )


def falsify(
    certificate: Certificate,
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
    certificate : Certificate
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
    tolerances a thousand times smaller; the equilibrium's, estimated to first order; and rounding in V.

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
    if not isinstance(certificate, Certificate):
        raise InvalidModelError(f"certificate must be a Certificate, got {type(certificate).__name__}")
    for name, number in (("trials", trials), ("dimension", dimension)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
            raise InvalidModelError(f"{name} must be an integer >= 1, got {number!r}")
    if not isinstance(rng, np.random.Generator):
        raise InvalidModelError(f"rng must be a numpy.random.Generator, got {rng!r}. Pass np.random.default_rng(seed).")
    for done, stream in enumerate(rng.spawn(int(trials)), start=1):
        found = _run_trial(certificate, int(dimension), stream)
        if found is not None:
            return found
        if progress is not None:
            progress(done, int(trials))
    return None


def _run_trial(certificate: Certificate, dimension: int, rng: np.random.Generator) -> Counterexample | None:
    loop, rest, offset = _draw_loop(certificate, dimension, rng)
    storage = make_storage(certificate, loop, rest)
    x0 = _choose_start(storage, rng)
    size = float(np.linalg.norm(x0 - rest.x))
    end = _SPAN / float(certificate.rate)
    times = np.unique(np.concatenate([[0.0], np.geomspace(1e-5 * end, end, 60), np.linspace(0, end, 61)]))
    coarse = integrate(loop, rest, x0, times, rtol=_COARSE, atol=1e-3 * _COARSE * size)
    if not _find_violations(certificate, storage, coarse, np.zeros(len(times))):
        return None
    fine = integrate(loop, rest, x0, times, rtol=_FINE, atol=1e-3 * _FINE * size)
    violations = _find_violations(certificate, storage, fine, _measure_error(coarse, fine))
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
    )


def _draw_loop(
    certificate: Certificate, dimension: int, rng: np.random.Generator
) -> tuple[Loop, Equilibrium, Array | None]:
    """Random members, closed, with an equilibrium; its existence is an assumption of the theorem."""
    system = certificate.system
    offset, size = None, dimension
    centred = any(oracle.equilibria != ANY for oracle in system.oracles)
    if isinstance(system, PrimalDualSystem):
        rows, size = shape(system.constraint)
        offset = rng.normal(size=rows)
    remaining = _DRAWS
    while True:
        members = [
            random_member(_narrow(oracle, _is_explicit(system, j), rng), size, rng, centred=centred)
            for j, oracle in enumerate(system.oracles)
        ]
        loop = close_loop(system, members, offset=offset, dimension=size)
        try:
            return loop, locate_equilibrium(loop, np.zeros(loop.state_shape)), offset
        except SimulationError:
            remaining -= 1
            if not remaining:
                raise


def _is_explicit(system: LureSystem | PrimalDualSystem, j: int) -> bool:
    return isinstance(system, PrimalDualSystem) or system.D[j][j] == 0


def _narrow(oracle: OperatorClass, explicit: bool, rng: np.random.Generator) -> OperatorClass:
    """A class of members that can be evaluated: where a gradient is asked of nonsmooth functions, smooth ones."""
    growth = Fraction(round(10 ** rng.uniform(1, 4)), 10)
    if explicit and isinstance(oracle, StronglyConvex):
        return SmoothStronglyConvex(oracle.mu, oracle.mu * (1 + growth))
    if explicit and isinstance(oracle, Convex):
        return SmoothConvex(growth)
    return oracle


def _choose_start(storage: Storage, rng: np.random.Generator) -> Array:
    """Among random states of all sizes, the one from which V falls most slowly."""
    rest = storage.equilibrium.x
    directions = rng.normal(size=(_STARTS, *rest.shape))
    scales = 10 ** rng.uniform(-2, 2, size=_STARTS)
    starts = [rest + s * v / np.linalg.norm(v) for s, v in zip(scales, directions, strict=True)]
    return max(starts, key=storage.measure_growth)


def _measure_error(coarse: Trajectory, fine: Trajectory) -> Array:
    """Error of the states: the largest relative difference of two runs so far, since at single times it may vanish."""
    difference = np.linalg.norm((fine.x - coarse.x).reshape(len(fine.t), -1), axis=1)
    distance = np.maximum(fine.distance, np.finfo(np.float64).tiny)
    return np.asarray(_SAFETY * (np.maximum.accumulate(difference / distance) + _FINE) * distance)


_Violation = tuple[str, int, float, float, float]


def _find_violations(certificate: Certificate, storage: Storage, path: Trajectory, error: Array) -> list[_Violation]:
    """Promises that fail by more than the given error of the states, that of the equilibrium, and rounding."""
    V, distance, rest = storage.evaluate(path), path.distance, path.equilibrium
    rounding, slope = storage.measure_rounding(path), storage.measure_slope(path)
    decay = np.exp(-float(certificate.rate) * path.t)
    error = error + 4 * np.finfo(np.float64).eps * (distance + float(np.linalg.norm(rest.x)))
    tolerance = slope * (error + rest.error) + rounding + decay**2 * (slope[0] * rest.error + rounding[0])
    checks = [
        ("V(t) <= V(0) exp(-2 rate t)", V, V[0] * decay**2, tolerance),
        ("|x|^2 <= V", distance**2, V, rounding + (slope + 2 * distance) * rest.error),
    ]
    if certificate.is_bounded:
        c = float(certificate.transient_bound)
        bound = c * decay * distance[0]
        checks.append(("|x(t)| <= c exp(-rate t) |x(0)|", distance, bound, error + rest.error * (1 + c * decay)))
    found = []
    for inequality, left, right, allowed in checks:
        k = int(np.argmax((left - right - allowed) / np.maximum(right, np.finfo(np.float64).tiny)))
        if left[k] - right[k] > allowed[k]:
            found.append((inequality, k, float(left[k]), float(right[k]), float(allowed[k])))
    return found
