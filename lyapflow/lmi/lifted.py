r"""The decrease of V for every singular value in an interval, as one matrix inequality.

With :math:`s = \tfrac{a+b}2 + t\,\tfrac{b-a}2` the signals of a `PrimalDualIteration` are affine in t over the base
:math:`z = (x, y, x^+, y^+)`, and V is affine in t, so the decrease is a quadratic form in :math:`w = (z, t z)`. It is
nonnegative for all :math:`|t| \le 1` if there are :math:`S \succeq 0` and a skew N such that

.. math:: w^\top Q\,w - (1 - t^2)\,z^\top S z + 2\,z^\top N (t z) \succeq 0 \quad\text{as a form in free } w,

where the last term is zero and the one before is not positive. For polynomials of degree 2 on an interval nothing is
lost by this (the matrix version of the theorem of Markov and Lukacs).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from ..dynamics import PrimalDualIteration
from ..dynamics.saddle import Span
from ..exact.dense import Dense, add, dense, scalar, unit_rows
from .pencil import Entry, Form
from .signals import Signals

__all__ = ["BASE", "Lift"]

BASE = ("x1", "x2", "x1+", "x2+")
"""z: primal and dual state, now and at the next step; the lifted base is followed by t times the same."""

_N = len(BASE)
_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True, eq=False)
class Lift:
    """The lifted inequality of one interval of singular values.

    Attributes
    ----------
    span : Span
        The interval.
    now, scaled : Signals
        Forms of the signals over the lifted base, and of t times the state now and at the next step.
    """

    span: Span
    now: Signals
    scaled: Signals

    @staticmethod
    def of(system: PrimalDualIteration, span: Span) -> Lift:
        """The signals over the lifted base."""
        tau, sigma, theta = system.step_primal, system.step_dual, system.extrapolation
        centre, radius = (span.low + span.high) / 2, (span.high - span.low) / 2
        zero, one = Fraction(0), Fraction(1)

        def affine(constant: list[Fraction], linear: list[Fraction]) -> list[Fraction]:
            """The row of ``(constant + s linear) z``."""
            return [c + centre * v for c, v in zip(constant, linear, strict=True)] + [radius * v for v in linear]

        still = [zero] * _N
        y_f, u_g = [zero, zero, one, zero], [zero, zero, zero, one]
        u_f = affine([1 / tau, zero, -1 / tau, zero], [zero, -one, zero, zero])
        y_g = affine([zero, 1 / sigma, zero, -1 / sigma], [-theta, zero, 1 + theta, zero])
        y, u = dense([affine(y_f, still), y_g], 2 * _N), dense([u_f, affine(u_g, still)], 2 * _N)
        now, scaled = (
            Signals(2 * _N, unit_rows(2 * _N, at, 2), y, u, unit_rows(2 * _N, at + 2, 2), None, None) for at in (0, _N)
        )
        return Lift(span, now, scaled)

    @property
    def signals(self) -> tuple[str, ...]:
        """What the rows of the inequality stand for."""
        return BASE + tuple(f"t {name}" for name in BASE)

    @property
    def unknowns(self) -> tuple[str, ...]:
        """Entries of S and N, with ``i <= j`` and ``i < j``."""
        names = [name for entries in (self._multiplier, self._skew) for name, *_ in entries]
        return tuple(dict.fromkeys(name for name in names if name is not None))

    def storage_forms(self, low: tuple[Entry, ...], high: tuple[Entry, ...]) -> Iterator[Form]:
        """``factor^2 V - V+`` for ``P = (1 - t)/2 P_low + (1 + t)/2 P_high``, as a form in V and its increment."""
        here, change = self.now.x, add(self.now.flow, self.now.x, -1)
        scaled_change = add(self.scaled.flow, self.scaled.x, -1)
        for P, sign in ((low, -1), (high, 1)):
            weighted, weighted_change = add(here, self.scaled.x, sign), add(change, scaled_change, sign)
            yield Form(weighted, change, P, Fraction(-1))
            yield Form(weighted_change, change, P, -_HALF)
            yield Form(weighted, here, P, Fraction(0), -_HALF)

    def interval_forms(self) -> Iterator[Form]:
        """What S and N add to the inequality."""
        z, tz = _halves()
        yield Form(add(tz, z, -1), add(tz, z), self._multiplier)
        yield Form(z, tz, self._skew, Fraction(2))

    def multiplier_form(self) -> Form:
        """S itself, which must be positive semidefinite."""
        every = unit_rows(_N, 0, _N)
        return Form(every, every, self._multiplier)

    @property
    def _multiplier(self) -> tuple[Entry, ...]:
        one = scalar(Fraction(1))
        at = self.span.label
        return tuple((f"S({at})[{min(i, j)},{max(i, j)}]", i, j, one) for i in range(_N) for j in range(_N))

    @property
    def _skew(self) -> tuple[Entry, ...]:
        sign = (scalar(Fraction(1)), scalar(Fraction(-1)))
        at = self.span.label
        return tuple(
            (f"N({at})[{min(i, j)},{max(i, j)}]", i, j, sign[i > j]) for i in range(_N) for j in range(_N) if i != j
        )


def _halves() -> tuple[Dense, Dense]:
    """The rows of z and of t z over the lifted base."""
    return unit_rows(2 * _N, 0, _N), unit_rows(2 * _N, _N, _N)
