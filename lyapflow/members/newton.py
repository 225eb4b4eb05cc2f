"""Proximal steps of smooth functions by Newton's method: damped, or entry by entry between brackets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .protocol import Array

__all__ = ["solve_entrywise", "solve_linear", "solve_prox"]

_STEPS = 200


def solve_linear(matrix: Array, right: Array) -> Array:
    """Solution x of ``matrix x = right``."""
    return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)


def solve_prox(
    value: Callable[[Array], float],
    gradient: Callable[[Array], Array],
    hessian: Callable[[Array], Array],
    x: Array,
    step: float,
) -> Array:
    r"""Minimiser of :math:`f(y) + \tfrac1{2\,\text{step}}|y - x|^2`.

    Parameters
    ----------
    value, gradient, hessian : callable
        The function f and its derivatives; a generalised Hessian will do. The sum must be strongly convex.
    x : ndarray, shape (d,)
        The point.
    step : float
        The step, > 0.

    Returns
    -------
    ndarray, shape (d,)
        A point where the gradient of the sum vanishes, to about twelve digits; to nine where rounding in f leaves no
        descent to be seen before that.

    Raises
    ------
    ArithmeticError
        If the method does not converge; it always does for a strongly convex sum that is finite.

    Examples
    --------
    >>> solve_prox(lambda y: float(y @ y) / 2, lambda y: y, lambda y: np.eye(1), np.array([4.0]), 1.0)
    array([2.])
    """
    y, r = x.copy(), step * gradient(x)
    for _ in range(_STEPS):
        size = float(np.linalg.norm(r))
        tolerance = 1e-13 * (1 + float(np.linalg.norm(x)) + float(np.linalg.norm(y - x)))
        if size <= tolerance:
            return y
        direction = -solve_linear(np.eye(y.size) + step * hessian(y), r)
        parts = (step * value(y), float((y - x) @ (y - x)) / 2)
        rounding = 1e-14 * (abs(parts[0]) + parts[1])
        length = 1.0
        while length > 1e-12:
            trial = y + length * direction
            r_trial = step * gradient(trial) + trial - x
            gain = parts[0] - step * value(trial) + parts[1] - float((trial - x) @ (trial - x)) / 2
            if gain >= -1e-4 * length * float(r @ direction):
                break
            # Near the solution the gain is lost in rounding, and a smaller residual is the progress that is left.
            if gain >= -rounding and np.linalg.norm(r_trial) < (1 - 1e-2 * length) * size:
                break
            length /= 2
        else:
            if size <= 1e-9 * (1 + step) * (1 + float(np.linalg.norm(x)) + float(np.linalg.norm(gradient(y)))):
                return y
            break
        y, r = trial, r_trial
    raise ArithmeticError(f"the proximal step did not converge: the residual is {np.linalg.norm(r):.3g} at step={step}")


def solve_entrywise(
    output: Callable[[Array], Array],
    slope: Callable[[Array], Array],
    x: Array,
    step: float,
    bounds: tuple[float, float],
) -> Array:
    """Solution y of ``y + step * output(y) = x`` for a scalar function, applied to each entry, with ``output(0) = 0``.

    Parameters
    ----------
    output, slope : callable
        The function and its derivative, a generalised one where there are kinks.
    x : ndarray, shape (d,)
        The point.
    step : float
        The step, > 0.
    bounds : tuple of float
        Least and largest slope; ``1 + step * bounds[0] > 0`` is needed, and makes the solution unique.

    Returns
    -------
    ndarray, shape (d,)
        The solution to the last digits: Newton steps inside a bracket, every third one a bisection.

    Examples
    --------
    >>> solve_entrywise(lambda y: y, np.ones_like, np.array([4.0, 0.0]), 1.0, (0.0, 2.0))
    array([2., 0.])
    """
    ends = x / (1 + step * bounds[0]), x / (1 + step * bounds[1])
    low, high = np.minimum(*ends), np.maximum(*ends)
    y = (low + high) / 2
    for count in range(_STEPS):
        r = y + step * output(y) - x
        low, high = np.where(r <= 0, y, low), np.where(r >= 0, y, high)
        shift = r / (1 + step * slope(y))
        if np.all((np.abs(shift) <= 4e-16 * np.abs(y)) | (high - low <= 4e-16 * np.abs(y))):
            break
        middle, trial = (low + high) / 2, y - shift
        y = middle if count % 3 == 2 else np.where((low <= trial) & (trial <= high), trial, middle)
    return y
