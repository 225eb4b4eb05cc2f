"""The best step of a flow, by its proved rate."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from scipy.optimize import minimize_scalar

from ..certificates.certificate import Certificate
from ..dynamics import System
from ..errors import InvalidModelError
from ..exact.rationals import rational, simplest_near
from ..lmi.templates import Template
from .outcomes import Proved, unwrap
from .pipeline import attempt

__all__ = ["find_best_step"]


def find_best_step(
    make: Callable[[Fraction], System],
    interval: tuple[object, object],
    *,
    template: Template | None = None,
    points: int = 9,
    tolerance: float = 1e-3,
    report: Callable[[Fraction, Fraction | None], None] | None = None,
) -> tuple[Fraction, Certificate]:
    """The step in an interval with the largest proved rate, and the certificate there.

    A logarithmic grid finds the neighbourhood, SciPy's bounded scalar minimiser the step; every rate that is compared
    is a proved one. Nothing is claimed about steps in between.

    Parameters
    ----------
    make : callable
        Makes the flow from a step.
    interval : (rational, rational)
        Smallest and largest step, positive.
    template : Template, optional
        As in `certify`.
    points : int, default 9
        Points of the grid, at least 3.
    tolerance : float, default 1e-3
        Relative accuracy of the step.
    report : callable, optional
        Called with each step and its proved rate, or None where there is none.

    Returns
    -------
    (Fraction, Certificate)
        The step, a short rational, and its certificate.

    Raises
    ------
    InvalidModelError
        If the interval is not ``0 < low < high``.
    NoCertificateError
        If no rate can be proved at any step that was tried.
    """
    low, high = rational(interval[0], name="interval[0]"), rational(interval[1], name="interval[1]")
    if not 0 < low < high:
        raise InvalidModelError(f"interval must be 0 < low < high, got ({low}, {high})")
    tried: dict[Fraction, Certificate | None] = {}

    def cost(logarithm: float) -> float:
        step = min(max(simplest_near(float(np.exp(logarithm)), tolerance / 10), low), high)
        if step not in tried:
            outcome = attempt(make(step), template=template)
            tried[step] = outcome.certificate if isinstance(outcome, Proved) else None
            if report is not None:
                certificate = tried[step]
                report(step, None if certificate is None else certificate.rate)
        found = tried[step]
        return 0.0 if found is None else -float(found.rate)

    grid = np.linspace(np.log(float(low)), np.log(float(high)), max(points, 3))
    best = int(np.argmin([cost(v) for v in grid]))
    bounds = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
    minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": tolerance})
    proved = {step: c for step, c in tried.items() if c is not None}
    if not proved:
        unwrap(attempt(make(low), template=template))
    step = max(proved, key=lambda s: proved[s].rate)
    return step, proved[step]
