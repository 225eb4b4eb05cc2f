"""Proximal augmented Lagrangian dynamics, decoupled exactly by the singular values of its linear operator."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..classes.inequalities import EQUILIBRIUM, OperatorClass, read_inequalities
from ..errors import DimensionError, InvalidModelError
from ..exact.matrices import Matrix, identity, matrix, rank, shape
from ..exact.rationals import rational
from .checks import check_parameter, check_shifts
from .lure import LureSystem, Mode, take_euler_step
from .saddle import Span, make_spans
from .singular import Interval, check_intervals, enclose_singular_values, find_intervals, read_intervals, read_pieces

__all__ = ["ProximalLagrangianSystem", "make_plant"]

_NAME = "proximal augmented Lagrangian"


@dataclass(frozen=True, slots=True, init=False)
class ProximalLagrangianSystem:
    r"""Primal-dual flow of the proximal augmented Lagrangian of ``min f(x) + g(T x)``, or its explicit Euler method.

    .. math::
        \dot x = -\nabla f(x) - T^\top\nabla M(T x + \gamma y), \qquad
        \dot y = \gamma\,(\nabla M(T x + \gamma y) - y)

    with the penalty :math:`\gamma` and the Moreau envelope M of :math:`\gamma g`, whose gradient is a subgradient of g
    at the point :math:`\mathrm{prox}_{\gamma g}(T x + \gamma y)`. In the singular bases of T it splits into one mode
    with two states per singular value s, where T is the number s; ``x' = -u`` on the null space of T. Class
    inequalities do not change under rotations, so they hold for the sum over the modes: multipliers are common, storage
    matrices are not. Where s is irrational it lies in an interval, and the decrease is proved at the two ends: what is
    left of ``-(V' + 2 rate V)`` after the class inequalities is concave in s. With a step h the dynamics is in discrete
    time: the state moves by h times the right sides.

    Without an operator the theorem is about every T whose singular values lie in the intervals; the storage matrix is
    affine in s on each, and the proof holds for every s in it, of any class g.

    Parameters
    ----------
    f, g : OperatorClass
        What is known of the two functions; of g, not of its conjugate.
    penalty : rational
        :math:`\gamma > 0`.
    operator : (m, n) array_like, optional
        T, of full row rank, at the exact values of its entries.
    step : rational, default 0
        :math:`h \ge 0`; 0 is the flow.
    intervals : sequence of (low, high), optional
        Where the singular values lie. With an operator: increasing and disjoint, proved to hold all of them; computed
        if omitted, points where they are rational. Without one: increasing, they may touch, and T is any matrix, of any
        dimensions, for which all eigenvalues of ``T T'`` are squares of numbers in one of them: of full row rank where
        the first one does not begin at 0, and else null spaces of both sides are included.
    name : str, optional
        A label for reports; no mathematics depends on it.

    Raises
    ------
    InvalidModelError
        If T has not full row rank (then y need not be unique at rest), if a class does not fit its place, if the
        penalty is not positive or the step negative, if intervals miss a singular value, or if one of a known T is more
        than a point and g is of a class of strongly convex functions, whose inequalities are not convex in s.
    """

    f: OperatorClass
    g: OperatorClass
    penalty: Fraction
    operator: Matrix | None
    step: Fraction
    intervals: tuple[Interval, ...]
    name: str

    def __init__(
        self,
        f: OperatorClass,
        g: OperatorClass,
        *,
        penalty: object,
        operator: object = None,
        step: object = 0,
        intervals: object = None,
        name: str | None = None,
    ) -> None:
        T = None if operator is None else _read_operator(operator)
        h = rational(step, name="step")
        if h < 0:
            raise InvalidModelError(f"step must be > 0, or 0 for the flow, got {h}")
        # One interval for many singular values would have one storage matrix, and that costs the rate a lot.
        if T is None:
            boxes = read_pieces(intervals)
        elif intervals is None:
            boxes = find_intervals(T, most=len(T))
        else:
            boxes = check_intervals(T, read_intervals(intervals))
        for field, value in {
            "f": f,
            "g": g,
            "penalty": check_parameter("penalty", penalty),
            "operator": T,
            "step": h,
            "intervals": boxes,
            "name": str(name or (f"{_NAME} method" if h else f"{_NAME} flow")),
        }.items():
            object.__setattr__(self, field, value)
        self.plant(boxes[0][1])  # the classes fit their places, or this is an error
        if T is not None and any(low < high for low, high in boxes):
            _check_concave(g)

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
        """0 for the flow, 1 for the method."""
        return Fraction(1 if self.step else 0)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of states (primal and dual) and of oracles; without an operator, one state of each kind."""
        return 2 if self.operator is None else sum(shape(self.operator)), 2

    @property
    def degree(self) -> int:
        """Of the plant as a polynomial in the singular value."""
        return 1

    @property
    def modes(self) -> tuple[Mode, ...]:
        """One per interval, two where T is not known, and one for the null space if T has or may have one.

        With an operator, the ends of an interval are the vertices of one mode.
        """
        found: list[Mode] = []
        for k, box in enumerate(self.intervals, start=1):
            if self.operator is None and box[0] < box[1]:
                found += self._ends(k)
            else:
                found.append(_make_mode(f"sigma{k}", tuple(self.plant(s) for s in sorted({*box}))))
        m, n = (0, 1 if self.intervals[0][0] else 0) if self.operator is None else shape(self.operator)
        if n > m:
            D = [[0, 0], [0, -self.penalty]]
            null = LureSystem([[0]], [[-1, 0]], [[1], [0]], D, oracles=self.oracles, oracle_names=self.oracle_names)
            found.append(_make_mode("null primal", (self._discretise(null),), idle=(1,)))
        return tuple(found)

    @property
    def spans(self) -> tuple[Span, ...]:
        """Without an operator, the intervals that are more than a point: V is affine in s there."""
        return make_spans(self.intervals, self._ends) if self.operator is None else ()

    def _ends(self, k: int) -> tuple[Mode, Mode]:
        low, high = (
            _make_mode(f"sigma{k} {end}", (self.plant(s),), is_end=True)
            for end, s in zip(("low", "high"), self.intervals[k - 1], strict=True)
        )
        return low, high

    def plant(self, s: Fraction) -> LureSystem:
        """The flow, or a step, where T is the number s."""
        return self._discretise(make_plant(self.f, self.g, self.penalty, s))

    def _discretise(self, flow: LureSystem) -> LureSystem:
        return take_euler_step(flow, self.step) if self.step else flow

    def enclose_singular_values(self) -> tuple[Interval, ...]:
        """A narrow interval around each singular value; without an operator, the ends as points."""
        if self.operator is None:
            return tuple((s, s) for s in sorted({s for box in self.intervals for s in box}))
        return enclose_singular_values(self.operator)


def make_plant(f: OperatorClass, g: OperatorClass, penalty: Fraction, s: Fraction) -> LureSystem:
    """The flow where T is the number s.

    Raises
    ------
    InvalidModelError
        If a class does not fit its place.
    """
    for name, oracle in (("f", f), ("g", g)):
        if isinstance(oracle, type) or not isinstance(oracle, OperatorClass) or not oracle.has_values:
            raise InvalidModelError(
                f"the proximal augmented Lagrangian needs a class of functions for {name}, got {oracle!r}"
            )
    check_shifts(f=f, g=g)
    return LureSystem(
        [[0, 0], [0, -penalty]],
        [[-1, -s], [0, penalty]],
        [[1, 0], [s, penalty]],
        [[0, 0], [0, -penalty]],
        oracles=[f, g],
        name=f"{_NAME} flow",
        oracle_names=["f", "g"],
    )


def _make_mode(
    label: str, vertices: tuple[LureSystem, ...], *, idle: tuple[int, ...] = (), is_end: bool = False
) -> Mode:
    one = identity(vertices[0].shape[0])
    return Mode(label=label, vertices=vertices, norm_above=one, norm_below=one, idle=idle, is_end=is_end)


def _read_operator(operator: object) -> Matrix:
    T = matrix(operator, name="operator")
    m, n = shape(T)
    if m == 0 or n == 0:
        raise DimensionError("operator must have at least one row and one column")
    found = rank(T)
    if found < m:
        raise InvalidModelError(
            f"operator must have full row rank, so that the multiplier y at an equilibrium is unique; got rank {found} "
            f"with {m} rows. Remove the dependent rows: write g in the independent ones."
        )
    return T


def _check_concave(g: OperatorClass) -> None:
    """The input of g is affine in s: an inequality that is convex in it can be subtracted from what is affine in s."""
    y = ("y", "t")
    for inequality in read_inequalities(g, ("t", EQUILIBRIUM)):
        if dict(inequality.products).get((y, y), Fraction(0)) < 0:
            raise InvalidModelError(
                "g must be of a class without strong convexity where a singular value of the operator lies in an "
                f"interval, so that its two ends decide what is between them; got {g!r}. Use a larger class, such as "
                "Convex() or SmoothConvex(L), or an operator with rational singular values."
            )
