"""Evidence about learning dynamics, beside certificates: what is conserved, how fast, how it scales, what is false.

Each piece carries its standing: ``"proved"`` (decided in exact arithmetic, from the definitions), ``"computed"`` (in
floating point), or ``"seen in simulation"``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from ..dynamics.polynomial import PolynomialSystem
from ..errors import InvalidModelError, VerificationError
from ..exact.multivariate import Polynomial

__all__ = [
    "COMPUTED",
    "PROVED",
    "SEEN",
    "Invariant",
    "LocalRate",
    "Refutation",
    "ScalingLaw",
    "Verdict",
    "check_invariant",
    "fit_power",
    "prove_invariant",
]

PROVED, COMPUTED, SEEN = "proved", "computed", "seen in simulation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """A function of the state that does not change along trajectories.

    Attributes
    ----------
    name : str
        What is conserved.
    statement : str
        As a formula.
    standing : str
        ``"proved"``: its derivative is the zero polynomial; or ``"seen in simulation"``.
    drift : float
        Largest change that was seen, relative to the largest value; 0 where it is proved.
    """

    name: str
    statement: str
    standing: str
    drift: float = 0.0


def prove_invariant(system: PolynomialSystem, functions: Sequence[Polynomial], *, name: str) -> Invariant:
    """The derivative of each function along the system is the zero polynomial: an exact identity.

    The statement names the functions themselves, so that it says no more than was decided.

    Raises
    ------
    VerificationError
        If it is not; the derivative is the `witness`.

    Examples
    --------
    >>> system = PolynomialSystem.build(["u", "v"], lambda u, v: [(1 - u * v) * v, (1 - u * v) * u])
    >>> u, v = system.variables
    >>> print(prove_invariant(system, [u**2 - v**2], name="balance").statement)
    u^2 - v^2
    """
    if not functions:
        raise InvalidModelError(f"{name}: functions must hold at least one polynomial to differentiate, got none")
    for function in functions:
        change = system.derivative_along(function)
        if change:
            raise VerificationError(
                f"{name}: the derivative of {function} along the system is {change}, not 0",
                inequality=name,
                witness=change,
            )
    return Invariant(name=name, statement="; ".join(map(str, functions)), standing=PROVED)


def check_invariant(
    function: Callable[[NDArray[np.float64]], ArrayLike],
    states: Sequence[NDArray[np.float64]],
    *,
    name: str,
    statement: str,
    tolerance: float,
) -> Invariant:
    """A function along sampled states of a trajectory changes by no more than a tolerance, relative to its size.

    Raises
    ------
    VerificationError
        If it does; the drift is the `witness`.
    """
    values = np.array([np.ravel(np.asarray(function(state), dtype=float)) for state in states])
    drift = float(np.abs(values - values[0]).max() / max(float(np.abs(values).max()), np.finfo(float).tiny))
    if not drift <= tolerance:
        raise VerificationError(
            f"{name}: {statement} moved by {drift:.2g} of its size, more than {tolerance:g}",
            inequality=name,
            witness=drift,
        )
    return Invariant(name=name, statement=statement, standing=SEEN, drift=drift)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRate:
    """The exponential rate of the state norm near an equilibrium, from the Jacobian there.

    Attributes
    ----------
    name : str
        Of the equilibrium, and of the flow.
    rate : float
        Minus the largest real part of the eigenvalues that are not zero by symmetry.
    exact : Fraction or None
        The same, or a proved lower bound, where it is exact.
    standing : str
        ``"proved"`` or ``"computed"``.
    measured : float or None
        Fitted along a trajectory, where one was run.
    """

    name: str
    rate: float
    exact: Fraction | None = None
    standing: str = COMPUTED
    measured: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingLaw:
    """A fitted exponent, ``y = c x^exponent``, against the predicted one.

    Attributes
    ----------
    name : str
        What scales with what.
    predicted : Fraction
        Exponent that theory gives.
    exponent : float
        Fitted by least squares in logarithms.
    interval : (float, float)
        Its 95 % confidence interval.
    constant : float
        Fitted c.
    """

    name: str
    predicted: Fraction
    exponent: float
    interval: tuple[float, float]
    constant: float

    @property
    def agrees(self) -> bool:
        """Whether the predicted exponent lies in the interval."""
        return self.interval[0] <= self.predicted <= self.interval[1]


def fit_power(x: ArrayLike, y: ArrayLike, *, name: str, predicted: Fraction) -> ScalingLaw:
    """Fit a power law.

    Parameters
    ----------
    x, y : array_like, shape (m,)
        Positive, m >= 3.
    name : str
        What scales with what.
    predicted : Fraction
        The exponent to compare with.

    Raises
    ------
    InvalidModelError
        If there are fewer than three points, some are not positive and finite, or all x are equal.
    """
    try:
        xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise InvalidModelError(f"a power law needs rows of numbers, got {x!r:.60} and {y!r:.60}") from None
    if xs.shape != ys.shape or xs.ndim != 1 or len(xs) < 3 or not all(np.all((v > 0) & (v < np.inf)) for v in (xs, ys)):
        raise InvalidModelError(
            f"a power law needs at least three pairs of positive numbers, got {xs.shape}, {ys.shape}"
        )
    if np.ptp(xs) == 0:
        raise InvalidModelError(f"a power law needs different x, got {xs[0]:g} only")
    u, v = np.log(xs), np.log(ys)
    spread = float(np.sum((u - u.mean()) ** 2))
    slope = float((u - u.mean()) @ (v - v.mean())) / spread
    rest = v - v.mean() - slope * (u - u.mean())
    half = float(student.ppf(0.975, len(u) - 2)) * float(np.sqrt(np.sum(rest**2) / (len(u) - 2) / spread))
    return ScalingLaw(
        name=name,
        predicted=predicted,
        exponent=slope,
        interval=(slope - half, slope + half),
        constant=float(np.exp(v.mean() - slope * u.mean())),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refutation:
    """A statement that is false, with the concrete witness that shows it.

    Attributes
    ----------
    statement : str
        What is claimed somewhere, or could be believed.
    witness : str
        The concrete object: a point, a trajectory, an eigenvalue, with its numbers.
    standing : str
        ``"proved"`` where the witness was decided exactly, else ``"computed"`` or ``"seen in simulation"``.
    """

    statement: str
    witness: str
    standing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A statement that is true, of a system or one of its points, with what decided it.

    Attributes
    ----------
    statement : str
        What holds.
    reason : str
        What was decided, with its numbers.
    standing : str
        ``"proved"`` where it was decided exactly, else ``"computed"`` or ``"seen in simulation"``.
    """

    statement: str
    reason: str
    standing: str
