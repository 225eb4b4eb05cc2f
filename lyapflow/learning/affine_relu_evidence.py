"""Critical points of shallow ReLU networks with an affine target: exact gradients and signs of Hessians."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..errors import VerificationError
from ..exact.definite import find_negative_direction
from ..exact.inertia import count_signs
from ..exact.matrices import quadratic_value
from ..exact.rationals import as_text, show_above, show_below
from .affine_relu import AffineReLU
from .arguments import read_count, read_positive
from .evidence import PROVED, SEEN, Refutation, Verdict
from .spectrum import Array
from .trajectories import Trajectory

__all__ = ["escape", "find_escape", "judge_escape", "judge_zigzag", "refute_minimum"]


def judge_zigzag(model: AffineReLU, count: int) -> Verdict:
    """The zigzag with so many breakpoints is critical, has the known loss, and is a strict saddle: all exact.

    Raises
    ------
    VerificationError
        If one of these is not so.

    Examples
    --------
    >>> judge_zigzag(AffineReLU(2, "1.3", "0.4"), 2).standing
    'proved'
    """
    point = model.zigzag(count)
    loss, gradient = model.exact_loss(point), model.exact_gradient(point)
    hessian = model.exact_hessian(point)
    positive, zero = count_signs(hessian)
    negative = len(hessian) - positive - zero
    if any(gradient) or loss != model.critical_loss(count) or not negative:
        raise VerificationError(
            f"{model!r}: loss {loss}, gradient {gradient}, {negative} negative eigenvalues",
            inequality="zigzag",
            witness=point,
        )
    return Verdict(
        statement=f"the zigzag with {count} breakpoints is a strict saddle with the loss alpha^2/(12 * "
        f"{count + 1}^4) = "
        f"{as_text(loss)} ({model!r})",
        reason=f"gradient exactly 0; the exact Hessian has {negative} negative, {zero} zero and {positive} positive "
        "eigenvalues",
        standing=PROVED,
    )


def find_escape(model: AffineReLU, count: int) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    """A rational direction of negative curvature at a zigzag, and a rational point along it with a smaller loss.

    Raises
    ------
    VerificationError
        If there is none.
    """
    point = model.zigzag(count)
    hessian = model.exact_hessian(point)
    direction = find_negative_direction(hessian)
    if direction is None or quadratic_value(hessian, direction) >= 0:
        raise VerificationError(f"{model!r}: no negative curvature", inequality="zigzag", witness=point)
    longest = max(abs(v) for v in direction)
    loss, step = model.exact_loss(point), Fraction(1, 100) / longest
    for _ in range(40):
        for sign in (1, -1):
            lower = tuple(p + sign * step * v for p, v in zip(point, direction, strict=True))
            if model.exact_loss(lower) < loss:
                return tuple(direction), lower
        step /= 4
    raise VerificationError(f"{model!r}: the loss does not fall", inequality="zigzag", witness=point)


def refute_minimum(model: AffineReLU, count: int = 2) -> Refutation:
    """The zigzag is no local minimum: a rational direction of negative curvature, and a lower rational point.

    Raises
    ------
    VerificationError
        If there is none.
    """
    judge_zigzag(model, count)
    point = model.zigzag(count)
    direction, lower = find_escape(model, count)
    loss, less = model.exact_loss(point), model.exact_loss(lower)
    curvature = quadratic_value(model.exact_hessian(point), direction) / sum(v**2 for v in direction)
    far = max(abs(a - b) for a, b in zip(lower, point, strict=True))
    digits = 9
    while Fraction(show_above(less, digits)) >= Fraction(show_below(loss, digits)):  # rounded numbers must show it too
        digits *= 2
    return Refutation(
        statement=f"the critical point with {count} breakpoints is a local minimum ({model!r})",
        witness=f"its gradient is 0; along a rational direction the curvature is at most "
        f"{show_above(curvature, 6)}, and "
        f"within {show_above(far, 6)} of it a rational point has a loss of at most {show_above(less, digits)} < "
        f"{show_below(loss, digits)}",
        standing=PROVED,
    )


def escape(
    model: AffineReLU, count: int = 2, *, push: float = 1e-3, end: float = 4000.0, points: int = 400
) -> Trajectory:
    """The flow from beside a zigzag, pushed along its direction of least curvature."""
    push, end, points = read_positive(push, "push"), read_positive(end, "end"), read_count(points, "points", least=3)
    point = np.array([float(v) for v in model.zigzag(count)])
    vectors: Array = np.linalg.eigh(model.hessian(point))[1]
    times = np.concatenate([[0.0], np.geomspace(1e-2, end, points - 1)])
    return model.simulate(point + push * vectors[:, 0], times)


def judge_escape(model: AffineReLU, count: int = 2) -> Verdict:
    """The flow from beside a zigzag falls below its loss, to less than a thousandth.

    Raises
    ------
    VerificationError
        If it does not.
    """
    run = escape(model, count)
    losses, critical = run.loss, float(model.critical_loss(count))
    if not losses[-1] < 1e-3 * critical:
        raise VerificationError(f"the loss ends at {losses[-1]:.3g}", inequality="escape", witness=losses[-1])
    return Verdict(
        statement=f"from beside the zigzag with {count} breakpoints the flow goes to the global minimum ({model!r})",
        reason=f"pushed by 1e-3, the loss falls from {losses[0]:.6g} to {losses[-1]:.3g} by t = {run.t[-1]:g}",
        standing=SEEN,
    )
