"""A static nonlinearity that wanders through a sector, with its integral."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..classes.sectors import StaticSector
from ..errors import InvalidModelError
from .protocol import Array, check_scalar, check_step, freeze, no_prox

__all__ = ["StaticNonlinearity"]


@dataclass(frozen=True, slots=True)
class StaticNonlinearity:
    r"""A static nonlinearity, entry by entry: :math:`u_i = (l + (U - l)\,s_i)\,y_i` with a gain that wanders.

    :math:`s_i = (1 + \cos(\omega |y_i| + \theta))/2`. It lies in the sector whatever its slope, which is unbounded as
    the entry grows. Against `SectorNonlinearity` it has a value, the sum of the integrals over its entries.

    Parameters
    ----------
    lower, upper : rational
        Slopes l and U of the sector, ``lower < upper``.
    frequency : rational, default 1
        :math:`\omega`, not 0.
    phase : rational, default 0
        :math:`\theta`.

    Raises
    ------
    InvalidModelError
        If ``lower < upper`` does not hold, or the frequency is 0.

    Examples
    --------
    >>> bent = StaticNonlinearity(0, 2)
    >>> bent.gradient(np.array([0.0, 2 * np.pi])).round(6)
    array([ 0.      , 12.566371])
    >>> round(bent.value(np.array([2 * np.pi])), 6)
    19.739209
    """

    lower: Fraction
    upper: Fraction
    frequency: Fraction = Fraction(1)
    phase: Fraction = Fraction(0)

    dimension = None

    def __post_init__(self) -> None:
        bounds = StaticSector(self.lower, self.upper)
        frequency = check_scalar("StaticNonlinearity", "frequency", self.frequency)
        phase = check_scalar("StaticNonlinearity", "phase", self.phase)
        if not frequency:
            raise InvalidModelError("StaticNonlinearity needs a frequency that is not 0, got 0")
        freeze(self, lower=bounds.lower, upper=bounds.upper, frequency=frequency, phase=phase)

    @property
    def operator_class(self) -> StaticSector:
        """The sector."""
        return StaticSector(self.lower, self.upper)

    def value(self, x: Array) -> float:
        r"""Sum of the integrals from 0 to each entry.

        :math:`\int_0^r s\cos(\omega s+\theta)\,ds = r^2\,h(\omega r, \theta)`, written so that small entries do not
        cancel.
        """
        low, width = float(self.lower), float(self.upper - self.lower)
        turn = float(self.frequency) * np.abs(x)
        return float(np.sum(x * x * ((low + width / 2) / 2 + width / 2 * _mean_cosine(turn, float(self.phase)))))

    def gradient(self, x: Array) -> Array:
        """The nonlinearity at x."""
        gain = (1 + np.cos(float(self.frequency) * np.abs(x) + float(self.phase))) / 2
        return np.asarray((float(self.lower) + float(self.upper - self.lower) * gain) * x)

    def prox(self, x: Array, step: float) -> Array:
        """Refused: the nonlinearity is not monotone."""
        check_step(step)
        raise no_prox("StaticNonlinearity", "a monotone operator, and it is none. Use its gradient instead.")


def _mean_cosine(z: Array, phase: float) -> Array:
    r""":math:`\int_0^1 s\cos(z s + \theta)\,ds`, with its Taylor series where z is small."""
    small = np.abs(z) < 0.05
    safe = np.where(small, 1.0, z)
    even = np.sin(safe) / safe + (np.cos(safe) - 1) / safe**2  # of cos(z s)
    odd = (np.sin(safe) - safe * np.cos(safe)) / safe**2  # of sin(z s)
    even = np.where(small, 1 / 2 - z**2 / 8 + z**4 / 144 - z**6 / 5760, even)
    odd = np.where(small, z / 3 - z**3 / 30 + z**5 / 840 - z**7 / 45360, odd)
    return np.asarray(np.cos(phase) * even - np.sin(phase) * odd)
