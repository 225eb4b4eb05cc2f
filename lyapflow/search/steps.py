"""The largest step of a discretisation, by a proved factor."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from scipy.optimize import minimize_scalar

from ..algorithms.discretise import Flow, euler
from ..certificates.certificate import Certificate
from ..errors import InvalidModelError, NoCertificateError
from ..exact.rationals import rational, shorten, simplest_between, simplest_near
from ..lmi.claims import Contraction
from ..lmi.templates import Template
from .outcomes import Outcome, Proved
from .pipeline import attempt
from .witness import estimate_ceiling, find_witness

__all__ = ["largest_step"]


_FINEST = Fraction(1, 10**12)
"""The smallest relative accuracy of a step that may be asked for."""


def largest_step(
    flow: Flow, factor: object, *, template: Template | None = None, tolerance: object = "1e-6"
) -> tuple[Fraction, Certificate]:
    r"""The largest step for which the explicit Euler method of a flow is proved to contract with a given factor.

    Parameters
    ----------
    flow : LureSystem, PrimalDualSystem or ProximalLagrangianSystem
        In continuous time.
    factor : rational
        Contraction factor of the state norm per step that is asked for, in (0, 1).
    template : Template, optional
        As in `certify`.
    tolerance : rational, default "1e-6"
        Relative accuracy of the step, at least 1e-12 and less than 1.

    Returns
    -------
    (Fraction, Certificate)
        The step, in the time unit of the flow, and the certificate of ``euler(flow, step)``.

    Raises
    ------
    InvalidModelError
        If an argument is not valid.
    NoCertificateError
        If no step is found with which the factor can be proved.

    Notes
    -----
    A linear member whose slowest mode decays with rate r contracts by at least :math:`1 - hr`, so every step h of
    factor :math:`\rho` is at least :math:`(1-\rho)/r`; its fastest mode bounds h from above. Between these ends a
    logarithmic grid finds steps, and bisection the largest: every step that counts is a proved one. Nothing is claimed
    about steps in between, or about larger ones.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import gradient_flow
    >>> step, certificate = largest_step(gradient_flow(SmoothStronglyConvex(mu=1, L=10)), "9/10")
    >>> step, certificate.factor  # (1 + factor) / L
    (Fraction(19, 100), Fraction(9, 10))
    """
    claim = Contraction(rational(factor, name="factor"))
    width = rational(tolerance, name="tolerance")
    if claim.factor is None or claim.factor == 0 or not _FINEST <= width < 1:
        raise InvalidModelError(
            f"largest_step needs 0 < factor < 1 and {float(_FINEST):g} <= tolerance < 1, got {factor!r}, {tolerance!r}"
        )
    euler(flow, 1)  # whatever is wrong with the flow is said here

    def judge(step: Fraction) -> Outcome:
        return attempt(euler(flow, step), claim, template=template)

    rate = find_witness(flow).rate
    if rate is None or rate <= 0:  # what the flow does not contract, no step does
        about = "No step is small enough to contract, because the flow itself does not: "
        raise NoCertificateError(attempt(flow, template=template), about=about)
    grid = _spread((1 - claim.factor) / rate, (1 + claim.factor) / rate)
    proved, end = _find_bracket(judge, grid)
    if proved is None:
        proved = _judge_best(flow, judge, grid)
        end = proved[0] * (1 + width)
    while end > proved[0] * (1 + width):
        step = simplest_between((2 * proved[0] + end) / 3, (proved[0] + 2 * end) / 3)
        outcome = judge(step)
        if isinstance(outcome, Proved):
            proved = (step, outcome.certificate)
        else:
            end = step
    edge = simplest_between(proved[0], end)  # the boundary itself is often simple, and can then be proved too
    outcome = judge(edge)
    return (edge, outcome.certificate) if isinstance(outcome, Proved) else proved


def _spread(low: Fraction, high: Fraction) -> list[Fraction]:
    """Two steps for each doubling, at least nine, both ends included."""
    count = max(9, 2 * round(np.log2(float(high / low))) + 1)
    inside = [simplest_near(float(v), 1e-3) for v in np.geomspace(float(low), float(high), count)[1:-1]]
    return [low, *inside, high]


def _find_bracket(
    judge: Callable[[Fraction], Outcome], grid: list[Fraction]
) -> tuple[tuple[Fraction, Certificate] | None, Fraction]:
    """The largest step of a grid that is proved, and the one above it that is not."""
    for k in range(len(grid) - 1, -1, -1):
        outcome = judge(grid[k])
        if isinstance(outcome, Proved):
            above = grid[k + 1] if k + 1 < len(grid) else 2 * grid[k]
            return (grid[k], outcome.certificate), above
    return None, grid[-1]


def _judge_best(flow: Flow, judge: Callable[[Fraction], Outcome], grid: list[Fraction]) -> tuple[Fraction, Certificate]:
    """Where a grid has no proved step: the step at which the slowest linear member is fastest."""

    def cost(logarithm: float) -> float:
        return -estimate_ceiling(euler(flow, float(np.exp(logarithm))))

    ends = (np.log(float(grid[0])), np.log(float(grid[-1])))
    found = minimize_scalar(cost, bounds=ends, method="bounded", options={"xatol": 1e-9})
    step = simplest_near(float(np.exp(found.x)), 1e-6)
    outcome = judge(step)
    if not isinstance(outcome, Proved):
        ends_shown = f"{float(grid[0]):.6g} and {float(grid[-1]):.6g}"
        about = (
            f"Of the steps that were tried, between {ends_shown}, none is proved to contract by this factor; ask for a "
            f"larger one. At step {shorten(step, most=20)}: "
        )
        raise NoCertificateError(outcome, about=about)
    return step, outcome.certificate
