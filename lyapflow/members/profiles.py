r"""Scalar convex profiles :math:`\psi` with :math:`\psi(0) = \psi'(0) = 0` and :math:`0 \le \psi'' \le 1`.

Both bounds are attained or approached, so sums of profiles reach the whole class they are put in. The bounds hold by
these formulas: log-cosh, :math:`1 - \tanh^2 t`; Huber, 1 where :math:`|t| < 1` and 0 beyond; hyperbola,
:math:`(1 + t^2)^{-3/2}`; one-sided, 1 where :math:`t > 0` and 0 elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import InvalidModelError
from .protocol import Array

__all__ = ["PROFILES", "Profile", "find_profile"]


@dataclass(frozen=True, slots=True)
class Profile:
    """A scalar function, applied entry by entry, with its first two derivatives."""

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    curvature: Callable[[Array], Array]


def _log_cosh(t: Array) -> Array:
    size = np.abs(t)
    near = np.log1p(np.sinh(np.minimum(size, 1.0)) ** 2) / 2  # keeps the relative accuracy of small values
    return np.where(size < 1, near, size + np.log1p(np.exp(-2 * size)) - np.log(2.0))


def _huber(t: Array) -> Array:
    size = np.abs(t)
    return np.where(size <= 1, t * t / 2, size - 0.5)


PROFILES = {
    "log-cosh": Profile(_log_cosh, np.tanh, lambda t: 1 - np.tanh(t) ** 2),
    "huber": Profile(_huber, lambda t: np.clip(t, -1.0, 1.0), lambda t: np.where(np.abs(t) < 1, 1.0, 0.0)),
    "hyperbola": Profile(
        lambda t: t * t / (np.hypot(1.0, t) + 1), lambda t: t / np.hypot(1.0, t), lambda t: np.hypot(1.0, t) ** -3.0
    ),
    "one-sided": Profile(
        lambda t: np.maximum(t, 0.0) ** 2 / 2, lambda t: np.maximum(t, 0.0), lambda t: np.where(t > 0, 1.0, 0.0)
    ),
}


def find_profile(owner: str, name: str) -> Profile:
    """The profile of that name.

    >>> float(find_profile("example", "huber").value(np.array(3.0)))
    2.5
    """
    if name not in PROFILES:
        raise InvalidModelError(f"{owner} needs profile to be one of {sorted(PROFILES)}, got {name!r}")
    return PROFILES[name]
