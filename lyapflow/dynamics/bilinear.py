"""Saddle-point flows with a bilinear coupling, decoupled exactly by the singular values of its linear operator."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..classes.inequalities import OperatorClass
from ..errors import InvalidModelError
from ..exact.matrices import Matrix, identity, matrix, rank, shape
from ..exact.rationals import rational
from .checks import check_parameter, check_shifts
from .lure import LureSystem, Mode, take_euler_step
from .saddle import Span, make_spans
from .singular import Interval, check_intervals, enclose_singular_values, find_intervals, read_intervals, read_pieces

__all__ = ["SaddleSystem"]


@dataclass(frozen=True, slots=True, init=False)
class SaddleSystem:
    r"""The saddle-point flow of ``min_x max_y f(x) + <y, E x> - g(y)``, or its explicit Euler method.

    .. math::
        \dot x = -\nabla f(x) - E^\top y - a E^\top(E x - b), \qquad \dot y = \eta\,(E x - \nabla g(y))

    with dual gain :math:`\eta`. Without g, that is for :math:`g(y) = \langle b, y\rangle`, it is the primal-dual flow
    of ``min f(x)`` subject to ``E x = b``, with augmentation a; then E is known by its singular values only (for a
    matrix there is `PrimalDualSystem`). In the singular bases of E it splits into one mode with two states per singular
    value s, where E is the number s; ``x' = -grad f(x)`` on the null space of E, and ``y' = -eta grad g(y)`` on that of
    its transpose. Class inequalities do not change under rotations, so they hold for the sum over the modes:
    multipliers are common, storage matrices are not. On an interval of singular values the storage matrix is affine in
    s, and the proof holds for every s in it.

    Parameters
    ----------
    f : OperatorClass
        What is known of f.
    g : OperatorClass or None
        What is known of g; None for a linear function.
    dual_gain : rational, default 1
        :math:`\eta > 0`.
    augmentation : rational, default 0
        :math:`a \ge 0`; not with g.
    operator : (m, n) array_like, optional
        E, not zero, at the exact values of its entries; not without g.
    step : rational, default 0
        :math:`h \ge 0`; 0 is the flow.
    intervals : sequence of (low, high), optional
        Where the singular values lie. With an operator: increasing and disjoint, proved to hold all positive ones;
        computed if omitted. Without one: increasing, they may touch, and the theorem is about every E, of any
        dimensions, for which all eigenvalues of ``E E'`` are squares of numbers in one of them: so E has full row rank
        where the first one does not begin at 0. Where it does, null spaces of both sides are included. Without g it
        is about positive singular values only, and if rows of E are dependent, y stands for its component in the range
        of E.
    name : str, optional
        A label for reports; no mathematics depends on it.

    Raises
    ------
    InvalidModelError
        If a parameter is out of range or without sense, a class does not fit its place, E is zero, or intervals miss a
        singular value.
    """

    f: OperatorClass
    g: OperatorClass | None
    dual_gain: Fraction
    augmentation: Fraction
    operator: Matrix | None
    step: Fraction
    intervals: tuple[Interval, ...]
    name: str

    def __init__(
        self,
        f: OperatorClass,
        g: OperatorClass | None,
        *,
        dual_gain: object = 1,
        augmentation: object = 0,
        operator: object = None,
        step: object = 0,
        intervals: object = None,
        name: str | None = None,
    ) -> None:
        for key, oracle in (("f", f), *((("g", g),) if g is not None else ())):
            if isinstance(oracle, type) or not isinstance(oracle, OperatorClass) or not oracle.has_values:
                raise InvalidModelError(f"a saddle flow needs a class of functions for {key}, got {oracle!r}")
            check_shifts(**{key: oracle})
        a, h = rational(augmentation, name="augmentation"), rational(step, name="step")
        if a < 0 or (a and g is not None):
            raise InvalidModelError(f"augmentation must be >= 0, and 0 where there is a g, got {a}")
        if h < 0:
            raise InvalidModelError(f"step must be > 0, or 0 for the flow, got {h}")
        E = None if operator is None else matrix(operator, name="operator")
        if E is not None and g is None:
            raise InvalidModelError(
                "without g the flow is one for the constraint E x = b; for a known E it is PrimalDualSystem(f, E)"
            )
        if E is None:
            boxes = read_pieces(intervals)
            if g is None and boxes[0][0] == 0:
                raise InvalidModelError(
                    "singular values of a constraint must be bounded from below, low > 0: the rate falls to 0 with them"
                )
        else:
            boxes = find_intervals(E) if intervals is None else check_intervals(E, read_intervals(intervals))
        label = "saddle" if g is not None else "primal-dual"
        for field, value in {
            "f": f,
            "g": g,
            "dual_gain": check_parameter("dual_gain", dual_gain),
            "augmentation": a,
            "operator": E,
            "step": h,
            "intervals": boxes,
            "name": str(name or f"{label} {'method' if h else 'flow'}"),
        }.items():
            object.__setattr__(self, field, value)

    @property
    def oracles(self) -> tuple[OperatorClass, ...]:
        """The classes of f and, if there is one, g."""
        return (self.f,) if self.g is None else (self.f, self.g)

    @property
    def oracle_names(self) -> tuple[str, ...]:
        """``("f", "g")``, or ``("f",)``."""
        return ("f", "g")[: len(self.oracles)]

    @property
    def groups(self) -> tuple[int, ...]:
        """All different."""
        return tuple(range(len(self.oracles)))

    @property
    def dt(self) -> Fraction:
        """0 for the flow, 1 for the method."""
        return Fraction(1 if self.step else 0)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of states (primal and dual) and of oracles; without an operator, one state of each kind."""
        return 2 if self.operator is None else sum(shape(self.operator)), len(self.oracles)

    @property
    def degree(self) -> int:
        """Of the plant as a polynomial in the singular value."""
        return 2 if self.augmentation else 1

    @property
    def modes(self) -> tuple[Mode, ...]:
        """One per singular value or two per interval, and one for each null space that E has or may have alone."""
        found: list[Mode] = []
        for k, (low, high) in enumerate(self.intervals, start=1):
            if low == high:
                found.append(_make_mode(f"sigma{k}", self.plant(low)))
            else:
                found += self._ends(k)
        m, n, r = 0, 0, 0
        if self.operator is not None:
            m, n = shape(self.operator)
            r = rank(self.operator)
        elif self.intervals[0][0]:
            n = 1  # E is wide, or square
        zero, gain = Fraction(0), self.dual_gain
        if n > r:
            found.append(_make_mode("null primal", self._single([-1, 0], [1, 0]), idle=self.groups[1:]))
        if m > r:
            found.append(_make_mode("null dual", self._single([zero, -gain], [0, 1]), idle=(0,)))
        return tuple(found)

    @property
    def spans(self) -> tuple[Span, ...]:
        """The intervals that are more than a point."""
        return make_spans(self.intervals, self._ends)

    def plant(self, s: Fraction) -> LureSystem:
        """The flow, or a step, where E is the number s."""
        k = len(self.oracles)
        A = [[-self.augmentation * s * s, -s], [self.dual_gain * s, 0]]
        B = [row[:k] for row in ([-1, 0], [0, -self.dual_gain])]
        return self._discretise(A, B, [[1, 0], [0, 1]][:k])

    def enclose_singular_values(self) -> tuple[Interval, ...]:
        """An interval around each positive singular value of the operator; without one, the ends as points."""
        if self.operator is None:
            return tuple((s, s) for s in sorted({s for box in self.intervals for s in box}))
        return enclose_singular_values(self.operator)

    def _ends(self, k: int) -> tuple[Mode, Mode]:
        low, high = (
            _make_mode(f"sigma{k} {end}", self.plant(s), is_end=True)
            for end, s in zip(("low", "high"), self.intervals[k - 1], strict=True)
        )
        return low, high

    def _single(self, B: list[object], C: list[object]) -> LureSystem:
        """One state of its own."""
        k = len(self.oracles)
        return self._discretise([[0]], [B[:k]], [[c] for c in C[:k]])

    def _discretise(self, A: object, B: object, C: object) -> LureSystem:
        flow = LureSystem(A, B, C, oracles=self.oracles, oracle_names=self.oracle_names)
        return take_euler_step(flow, self.step) if self.step else flow


def _make_mode(label: str, plant: LureSystem, *, idle: tuple[int, ...] = (), is_end: bool = False) -> Mode:
    one = identity(plant.shape[0])
    return Mode(label=label, vertices=(plant,), norm_above=one, norm_below=one, idle=idle, is_end=is_end)
