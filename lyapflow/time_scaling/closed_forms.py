r"""Settling times in closed form, from constants of the literature: what the proved ones are compared with.

For :math:`\dot V_F \le -\tau V`, :math:`kV \le |F|^2 \le KV` and :math:`V \le c|x - x^\star|^2`,

.. math:: \dot V \le -A V^a - B V^b,\qquad A = \tau c_1 K^{a-1},\quad B = \tau c_2 k^{b-1}.

For gradient-like flows, :math:`\dot V_F \le -\nu|F|^2`, the same holds with :math:`\tau = \nu k` and k in the place of
K. All in floating point: nothing here is proved by lyapflow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InvalidModelError
from ..lmi.time_scales import FiniteTime, FixedTime

__all__ = [
    "Constants",
    "bound_by_constants",
    "bound_contraction",
    "convert_metric",
    "douglas_rachford_constants",
    "forward_backward_constants",
    "gradient_constants",
    "heavy_ball_constants",
    "primal_dual_constants",
    "proximal_lagrangian_constants",
]


@dataclass(frozen=True, slots=True)
class Constants:
    r"""Constants of one flow.

    Parameters
    ----------
    decay : float
        :math:`\tau > 0`, in :math:`\dot V_F \le -\tau V`.
    most, least : float
        K and k in :math:`kV \le |F|^2 \le KV`; for gradient-like flows both are k.
    start : float
        c in :math:`V \le c|x - x^\star|^2`.
    """

    decay: float
    most: float
    least: float
    start: float


def bound_by_constants(constants: Constants, scale: FiniteTime | FixedTime, distance: float | None = None) -> float:
    """Settling time from a distance, or from everywhere for a fixed time.

    Raises
    ------
    InvalidModelError
        If a distance is needed and there is none.

    Examples
    --------
    >>> round(bound_by_constants(gradient_constants(1, 10), FiniteTime(0), 1), 9)  # sqrt(L/mu)
    3.16227766
    """
    a = float(scale.exponents[0])
    if isinstance(scale, FiniteTime):
        if distance is None:
            raise InvalidModelError("a finite time grows with the start; give its distance")
        A = constants.decay * float(scale.gain) * constants.most ** (a - 1)
        return float((constants.start * distance**2) ** (1 - a) / (A * (1 - a)))
    b = float(scale.exponents[1])
    first, second = map(float, scale.gains)
    A = constants.decay * first * constants.most ** (a - 1)
    B = constants.decay * second * constants.least ** (b - 1)
    near = (1 - a) / (b - a)
    return float(np.pi / ((b - a) * np.sin(np.pi * near)) * A ** (near - 1) * B**-near)


def bound_contraction(q: float, scale: FiniteTime, distance: float) -> float:
    r"""Settling time of :math:`\dot x = \sigma(T(x) - x)` over all T with contraction factor q: sharp over that class.

    Examples
    --------
    >>> round(bound_contraction(0.8, FiniteTime(0), 1), 10)
    1.6666666667
    """
    alpha = float(scale.alpha)
    if q < alpha:
        least = (1 - q) ** alpha
    else:
        r = ((1 - alpha) * (1 - q**2) / (1 + alpha)) ** 0.5
        least = (r ** (1 + alpha) + (1 - q**2) * r ** (alpha - 1)) / 2
    return float(distance ** (1 - alpha) / ((1 - alpha) * least * float(scale.gain)))


def gradient_constants(mu: float, L: float) -> Constants:
    """Gradient flow, ``V = f - f*``: gradient-like with ``k = 2 mu``."""
    return Constants(2 * mu, 2 * mu, 2 * mu, L / 2)


def heavy_ball_constants(mu: float, L: float) -> Constants:
    r"""Heavy-ball flow with damping :math:`2\sqrt\mu`, :math:`V = f - f^\star + |\dot x + \sqrt\mu(x - x^\star)|^2/2`.

    V decays with :math:`\sqrt\mu`; :math:`|\dot x| \le 2\sqrt V`, :math:`|\nabla f| \le \sqrt{2LV}`, and
    :math:`V \le |\nabla f|^2/(2\mu) + |\dot x|^2 + \mu|x - x^\star|^2`.
    """
    root = mu**0.5
    start = np.linalg.eigvalsh([[(L + mu) / 2, root / 2], [root / 2, 0.5]])[-1]
    return Constants(root, 4 + (4 * root + (2 * L) ** 0.5) ** 2, 1 / max(3 / mu, 13), float(start))


def forward_backward_constants(mu: float, L: float, step: float) -> Constants:
    """Forward-backward flow, ``V = |x - x*|^2``, from its contraction factor q."""
    q = max(abs(1 - step * mu), abs(1 - step * L))
    return Constants(2 * (1 - q), (1 + q) ** 2, (1 - q) ** 2, 1.0)


def douglas_rachford_constants(mu: float, L: float, step: float) -> Constants:
    """Douglas-Rachford flow, ``V = |z - z*|^2``, from the contraction factor of the reflection of f."""
    q = max((step * L - 1) / (step * L + 1), (1 - step * mu) / (1 + step * mu))
    return Constants(1 - q, ((1 + q) / 2) ** 2, ((1 - q) / 2) ** 2, 1.0)


def primal_dual_constants(mu: float, L: float, smin: float, smax: float, gain: float = 1.0) -> Constants:
    """Primal-dual flow, with the quadratic V of Qu and Li (2019) and its constant improved."""
    c = max(L / 2 + 3 * gain * smax**2 / (2 * L), mu / 2 + 3 * gain * smax**2 / (2 * mu))
    decay = gain * smin**2 / c
    ends = np.concatenate([np.linalg.eigvalsh([[gain * c, gain * s], [gain * s, c]]) for s in (smin, smax)])
    fast = np.linalg.norm([[L, smax], [gain * smax, 0]], 2)
    return _from_norms(decay, float(fast), float(ends.min()), float(max(ends.max(), gain * c)))


def proximal_lagrangian_constants(decay: float, ratio: float, L: float, smax: float, penalty: float) -> Constants:
    """Proximal augmented Lagrangian flow, from a known decay of a quadratic V with ``|x|^2 <= V <= ratio |x|^2``."""
    fast = np.linalg.norm([[L + smax**2 / penalty, smax], [2 * smax, penalty]], 2)
    return _from_norms(decay, float(fast), 1.0, ratio)


def _from_norms(decay: float, fast: float, lower: float, upper: float) -> Constants:
    """From a Lipschitz constant of F and the bounds of a quadratic V; F is bounded below by Cauchy and Schwarz."""
    slow = decay / 2 * (lower / upper) ** 0.5
    return Constants(decay, fast**2 / lower, slow**2 / upper, upper)


def convert_metric(constants: Constants, least: float, largest: float) -> Constants:
    """From a metric whose spectrum lies in ``[least, largest]`` to the Euclidean norm."""
    return Constants(constants.decay, constants.most / least, constants.least / largest, constants.start * largest)
