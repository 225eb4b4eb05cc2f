"""Tuning: the parameters of a family of systems with the strongest claim that can be proved.

Optimisers of SciPy outside, proofs inside: every number that is compared is a proved one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from scipy.optimize import Bounds, direct, minimize, minimize_scalar

from ..certificates.certificate import Certificate
from ..dynamics import System
from ..errors import InvalidModelError
from ..exact.rationals import simplest_near
from ..lmi.claims import Claim, Contraction, ExponentialDecay, SublinearDecay
from ..lmi.gain_claims import GainClaim
from ..lmi.templates import Template
from .families import make_member, read_range
from .outcomes import Proved, unwrap
from .pipeline import attempt

__all__ = ["Family", "Progress", "Tuned", "tune"]

Family: TypeAlias = Callable[..., System]
"""Makes a system from parameters by their names."""

Progress: TypeAlias = Callable[[Mapping[str, Fraction], Fraction | None], None]
"""Receives parameters and the number that is proved there: a rate, a factor, an order; or None."""

_LARGEST = Fraction(10**100)
_NARROWEST = 1e-15  # a range that floats cannot tell from a point

_FEW, _MANY = 9, 60
"""Points of the first look along one parameter; evaluations of that over several, for each of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """The best parameters that were found.

    Attributes
    ----------
    parameters : mapping of str to Fraction
        Short rationals.
    certificate : Certificate
        What is proved there.
    tried : int
        Number of parameters that were tried. Nothing is claimed about those in between.
    """

    parameters: Mapping[str, Fraction]
    certificate: Certificate
    tried: int

    def __str__(self) -> str:
        what = ", ".join(f"{name} = {value}" for name, value in self.parameters.items())
        number = self.certificate.claim.number or Fraction(0)
        return f"{what}: {type(self.certificate.claim).__name__}, {float(number):.9g} proved ({self.tried} tried)"


def tune(
    family: Family,
    ranges: Mapping[str, tuple[object, object]],
    *,
    claim: Claim | None = None,
    template: Template | None = None,
    tolerance: float = 1e-4,
    progress: Progress | None = None,
) -> Tuned:
    """The parameters with the largest proved rate or order, or the smallest proved factor.

    One parameter: a grid finds the neighbourhood, SciPy's bounded scalar minimiser the optimum. Several: SciPy's
    DIRECT, then Nelder and Mead's method. On logarithmic scales where a range is positive.

    Parameters
    ----------
    family : callable
        Makes a system from the parameters, which are handed over by name as `Fraction`.
    ranges : mapping of str to (rational, rational)
        Lower and upper end of each parameter.
    claim : ExponentialDecay, Contraction or SublinearDecay, optional
        What is to be as strong as possible, without a number; default as in `certify`.
    template : Template, optional
        As in `certify`.
    tolerance : float, default 1e-4
        Accuracy of the parameters, relative to themselves or to the width of a range that is not positive.
    progress : callable, optional
        Called with each choice of parameters and what is proved there.

    Returns
    -------
    Tuned
        Parameters and certificate.

    Raises
    ------
    InvalidModelError
        If a range is not ``low < high``, there is none, the tolerance is not in (0, 1), or the claim has a number.
    NoCertificateError
        If nothing can be proved at any point that was tried.

    Examples
    --------
    >>> from lyapflow.classes import Convex, SmoothStronglyConvex
    >>> from lyapflow.flows import douglas_rachford_flow
    >>> f = SmoothStronglyConvex(1, 4)
    >>> best = tune(lambda step: douglas_rachford_flow(f, Convex(), step=step), {"step": ("1/10", 10)})
    >>> dict(best.parameters), best.certificate.rate  # 1 / sqrt(mu L)
    ({'step': Fraction(1, 2)}, Fraction(1, 3))
    """
    if not callable(family):
        raise InvalidModelError(f"family must be a function that makes a system, got {type(family).__name__}")
    if claim is not None and not isinstance(claim, ExponentialDecay | Contraction | SublinearDecay):
        raise InvalidModelError(f"claim must be ExponentialDecay(), Contraction() or SublinearDecay(), got {claim!r}")
    if claim is not None and claim.number is not None:
        raise InvalidModelError(f"tune looks for the strongest claim; give one without a number, got {claim}")
    if not isinstance(tolerance, float) or not 0 < tolerance < 1:
        raise InvalidModelError(f"tolerance must be a float in (0, 1), got {tolerance!r}")
    search = _Search(family, _read_ranges(ranges), claim, template, tolerance, progress)
    if len(search.axes) == 1:
        _search_line(search)
    else:
        _search_box(search)
    return search.report()


@dataclass(frozen=True, slots=True)
class _Axis:
    """One parameter, as a number between 0 and 1."""

    name: str
    low: Fraction
    high: Fraction

    def place(self, at: float, tolerance: float) -> Fraction:
        """The short rational at a place."""
        low, high = float(self.low), float(self.high)
        value = low * (high / low) ** at if low > 0 else low + at * (high - low)
        finest = tolerance / 10 if low > 0 else tolerance / 10 * (high - low) / max(abs(value), 1e-300)
        return min(max(simplest_near(value, min(finest, 0.1)), self.low), self.high)

    @property
    def width(self) -> float:
        """Of the range, as the tolerance counts."""
        return max(float(np.log(float(self.high / self.low))), _NARROWEST) if self.low > 0 else 1.0


def _read_ranges(ranges: Mapping[str, tuple[object, object]]) -> tuple[_Axis, ...]:
    if not isinstance(ranges, Mapping) or not ranges:
        raise InvalidModelError(f"ranges must name parameters, such as {{'damping': (1, 4)}}, got {ranges!r}")
    found = []
    for name, ends in ranges.items():
        low, high = read_range(name, ends)
        if max(abs(low), abs(high)) > _LARGEST or (low > 0 and low < 1 / _LARGEST):
            raise InvalidModelError(f"the range of {name} must lie between 1e-100 and 1e100, got ({low}, {high})")
        if not low < high:
            raise InvalidModelError(f"the range of {name} must be low < high, got ({low}, {high})")
        found.append(_Axis(str(name), low, high))
    return tuple(found)


class _Search:
    """What has been tried so far."""

    def __init__(
        self,
        family: Family,
        axes: tuple[_Axis, ...],
        claim: Claim | None,
        template: Template | None,
        tolerance: float,
        progress: Progress | None,
    ) -> None:
        self.family, self.axes, self.claim, self.template = family, axes, claim, template
        self.tolerance, self.progress = tolerance, progress
        self.tried: dict[tuple[Fraction, ...], Certificate | None] = {}

    def cost(self, at: object) -> float:
        """Minus the parameter of the strongest claim at a place of the unit box; 0 where there is none."""
        places = np.clip(np.atleast_1d(np.asarray(at, dtype=float)), 0.0, 1.0)
        point = tuple(axis.place(v, self.tolerance) for axis, v in zip(self.axes, places, strict=True))
        if point not in self.tried:
            named = self._name(point)
            outcome = attempt(make_member(self.family, named), self.claim, template=self.template)
            self.tried[point] = outcome.certificate if isinstance(outcome, Proved) else None
            if self.progress is not None:
                found = self.tried[point]
                self.progress(named, None if found is None else found.claim.number)
        found = self.tried[point]
        return 0.0 if found is None else -float(_read_parameter(found))

    def report(self) -> Tuned:
        proved = {point: c for point, c in self.tried.items() if c is not None}
        if not proved:
            first = self._name(next(iter(self.tried)))
            unwrap(attempt(make_member(self.family, first), self.claim, template=self.template))
        best = max(proved, key=lambda point: _read_parameter(proved[point]))
        parameters = MappingProxyType(self._name(best))
        return Tuned(parameters=parameters, certificate=proved[best], tried=len(self.tried))

    def _name(self, point: tuple[Fraction, ...]) -> dict[str, Fraction]:
        return {axis.name: value for axis, value in zip(self.axes, point, strict=True)}


def _search_line(search: _Search) -> None:
    grid = np.linspace(0, 1, _FEW)
    best = int(np.argmin([search.cost(v) for v in grid]))
    bounds = (grid[max(best - 1, 0)], grid[min(best + 1, _FEW - 1)])
    finest = search.tolerance / search.axes[0].width / 2
    minimize_scalar(search.cost, bounds=bounds, method="bounded", options={"xatol": finest})


def _search_box(search: _Search) -> None:
    size = len(search.axes)
    start = direct(search.cost, Bounds(np.zeros(size), np.ones(size)), maxfun=_MANY * size, locally_biased=True).x
    finest = search.tolerance / max(axis.width for axis in search.axes) / 2
    corners = np.vstack([start, *(np.where(np.arange(size) == k, start + 0.03, start) for k in range(size))])
    most = 4 * _MANY * size
    minimize(
        search.cost,
        start,
        method="Nelder-Mead",
        options={"xatol": finest, "fatol": 1e-9, "maxfev": most, "initial_simplex": corners},
    )


def _read_parameter(certificate: Certificate) -> Fraction:
    """What is made large."""
    claim = certificate.claim
    return Fraction(0) if isinstance(claim, GainClaim) else claim.parameter or Fraction(0)
