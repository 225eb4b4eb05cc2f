"""Primal-dual iterations with a linear operator, decoupled exactly by its singular values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from ..classes.inequalities import OperatorClass
from ..errors import InvalidModelError
from ..exact.matrices import Matrix, identity, matrix, rank, shape
from ..exact.rationals import rational
from .checks import check_parameter, check_shifts
from .lure import LureSystem, Mode
from .singular import Interval, check_intervals, enclose_singular_values, find_intervals, read_intervals

__all__ = ["PrimalDualIteration", "Span", "make_spans"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An interval of singular values s, with the modes at its ends: V is affine in s between them.

    Attributes
    ----------
    label : str
        Names the interval.
    low, high : Fraction
        Its ends, ``low < high``.
    ends : (Mode, Mode)
        The modes at the ends.
    """

    label: str
    low: Fraction
    high: Fraction
    ends: tuple[Mode, Mode]

    def place(self, t: Fraction) -> Fraction:
        """The singular value at ``-1 <= t <= 1``."""
        return (self.low + self.high) / 2 + t * (self.high - self.low) / 2


def make_spans(intervals: tuple[Interval, ...], ends: Callable[[int], tuple[Mode, Mode]]) -> tuple[Span, ...]:
    """Those of the intervals that are more than a point, with the modes at the ends of the one with that number."""
    return tuple(
        Span(label=f"sigma{k}", low=low, high=high, ends=ends(k))
        for k, (low, high) in enumerate(intervals, start=1)
        if low < high
    )


@dataclass(frozen=True, slots=True, init=False)
class PrimalDualIteration:
    r"""The method of Chambolle and Pock for ``min f(x) + g(K x)``.

    .. math::
        x^+ = \mathrm{prox}_{\tau f}(x - \tau K^\top y), \qquad
        y^+ = \mathrm{prox}_{\sigma g^*}\bigl(y + \sigma K(x^+ + \theta(x^+ - x))\bigr)

    In the singular bases of K it splits into one mode with two states per singular value s, where K is the number s;
    ``x+ = prox(x)`` on the null space of K, and ``y+ = prox(y)`` on that of its transpose. Class inequalities do not
    change under rotations, so they hold for the sum over the modes: multipliers are common, storage matrices are not.
    For an interval of singular values the storage matrix is affine in s, and the proof holds for every s in it.

    Parameters
    ----------
    f, g : OperatorClass
        What is known of the two functions (or monotone operators); of g, not of its conjugate.
    step_primal, step_dual : rational
        :math:`\tau > 0` and :math:`\sigma > 0`.
    extrapolation : rational, default 1
        :math:`\theta` in [0, 1].
    operator : (m, n) array_like, optional
        K, at the exact values of its entries.
    intervals : sequence of (low, high), optional
        Where the singular values lie. With an operator: increasing and disjoint, proved to hold all positive singular
        values; computed if omitted, one for each up to 8 different ones, else one that covers all. Without an
        operator: a single interval, and the theorem is about every K, of any dimensions, all of whose *modes* have s
        in it: the eigenvalues of ``K'K`` and of ``KK'`` lie in ``[low^2, high^2]``. So K is square and invertible
        where ``low > 0``, and with ``low = 0`` every K of norm at most `high` is covered, null spaces included.
    name : str, optional
        A label for reports; no mathematics depends on it.

    Raises
    ------
    InvalidModelError
        If a parameter is out of range, a class does not fit its place, K is zero, or intervals miss a singular value.
    """

    f: OperatorClass
    g: OperatorClass
    step_primal: Fraction
    step_dual: Fraction
    extrapolation: Fraction
    operator: Matrix | None
    intervals: tuple[Interval, ...]
    name: str

    def __init__(
        self,
        f: OperatorClass,
        g: OperatorClass,
        *,
        step_primal: object,
        step_dual: object,
        extrapolation: object = 1,
        operator: object = None,
        intervals: object = None,
        name: str = "Chambolle-Pock method",
    ) -> None:
        theta = rational(extrapolation, name="extrapolation")
        if not 0 <= theta <= 1:
            raise InvalidModelError(f"extrapolation must be >= 0 and <= 1, got {theta}")
        check_shifts(f=f, g=g)
        K = None if operator is None else matrix(operator, name="operator")
        if K is None:
            boxes = read_intervals(intervals)
            if len(boxes) != 1 or boxes[0][1] == 0:
                raise InvalidModelError(
                    f"without an operator there must be one interval of singular values, with high > 0, got {intervals}"
                )
        else:
            boxes = find_intervals(K) if intervals is None else check_intervals(K, read_intervals(intervals))
        for field, value in {
            "f": f,
            "g": g,
            "step_primal": check_parameter("step_primal", step_primal),
            "step_dual": check_parameter("step_dual", step_dual),
            "extrapolation": theta,
            "operator": K,
            "intervals": boxes,
            "name": str(name),
        }.items():
            object.__setattr__(self, field, value)
        self.plant(boxes[0][1])  # the classes fit their prox steps, or this is an error

    @property
    def oracles(self) -> tuple[OperatorClass, ...]:
        """The classes of f and g."""
        return self.f, self.g

    @property
    def oracle_names(self) -> tuple[str, ...]:
        """Always ``("f", "g")``."""
        return "f", "g"

    @property
    def groups(self) -> tuple[int, ...]:
        """Always ``(0, 1)``: two operators."""
        return 0, 1

    @property
    def dt(self) -> Fraction:
        """Always 1: discrete time."""
        return Fraction(1)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of states (primal and dual) and of oracles; without an operator, one state of each kind."""
        return 2 if self.operator is None else sum(shape(self.operator)), 2

    @property
    def modes(self) -> tuple[Mode, ...]:
        """One per singular value or two per interval, and one for each null space that K is known to have."""
        found: list[Mode] = []
        for k, (low, high) in enumerate(self.intervals, start=1):
            if low == high:
                found.append(self._mode(f"sigma{k}", self.plant(low)))
            else:
                found += self._ends(k)
        if self.operator is not None:
            m, n = shape(self.operator)
            r = rank(self.operator)
            D = [[-self.step_primal, 0], [0, -1 / self.step_dual]]
            if n > r:
                plant = LureSystem([[1]], [[-self.step_primal, 0]], [[1], [0]], D, oracles=self.oracles, dt=1)
                found.append(self._mode("null primal", plant, idle=(1,)))
            if m > r:
                plant = LureSystem([[0]], [[0, 1]], [[0], [1 / self.step_dual]], D, oracles=self.oracles, dt=1)
                found.append(self._mode("null dual", plant, idle=(0,)))
        return tuple(found)

    @property
    def spans(self) -> tuple[Span, ...]:
        """The intervals that are more than a point."""
        return make_spans(self.intervals, self._ends)

    def plant(self, s: Fraction) -> LureSystem:
        """The iteration where K is the number s."""
        tau, sigma, theta = self.step_primal, self.step_dual, self.extrapolation
        reach = (1 + theta) * tau * s
        return LureSystem(
            [[1, -tau * s], [0, 0]],
            [[-tau, 0], [0, 1]],
            [[1, -tau * s], [s, 1 / sigma - reach * s]],
            [[-tau, 0], [-reach, -1 / sigma]],
            oracles=self.oracles,
            dt=1,
            oracle_names=self.oracle_names,
        )

    def enclose_singular_values(self) -> tuple[Interval, ...]:
        """An interval around each positive singular value of the operator; without one, the ends as points."""
        if self.operator is None:
            return tuple((s, s) for s in sorted({*self.intervals[0]}))
        return enclose_singular_values(self.operator)

    def _ends(self, k: int) -> tuple[Mode, Mode]:
        low, high = (
            self._mode(f"sigma{k} {end}", self.plant(s), is_end=True)
            for end, s in zip(("low", "high"), self.intervals[k - 1], strict=True)
        )
        return low, high

    def _mode(self, label: str, plant: LureSystem, *, idle: tuple[int, ...] = (), is_end: bool = False) -> Mode:
        one = identity(plant.shape[0])
        return Mode(label=label, vertices=(plant,), norm_above=one, norm_below=one, idle=idle, is_end=is_end)
