"""Primal-dual dynamics for linear constraints, decoupled exactly by the singular values of the constraint matrix."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from ..classes.inequalities import ANY, OperatorClass
from ..errors import DimensionError, InvalidModelError
from ..exact.enclosures import count_eigenvalues_above, count_eigenvalues_within, enclose_eigenvalues
from ..exact.matrices import Matrix, matrix, multiply, rank, shape, transpose
from ..exact.rationals import rational
from .lure import LureSystem, Mode, take_euler_step

__all__ = ["PrimalDualSystem"]


@dataclass(frozen=True, slots=True, init=False)
class PrimalDualSystem:
    r"""The saddle-point flow of ``min f(x)`` subject to ``E x = b``, or its explicit Euler method.

    .. math::
        \dot x = -\nabla f(x) - E^\top\lambda - a E^\top(E x - b), \qquad \dot\lambda = \eta\,(E x - b)

    with dual gain :math:`\eta` and augmentation a. In the singular bases of E, with :math:`w = E^\top\lambda`, the
    plant splits into one mode per singular value, with :math:`\theta` its square:

    .. math:: \dot x = -u - w - a\theta x, \qquad \dot w = \eta\,\theta\,x

    and ``x' = -u`` on the null space of E. With a step h the dynamics is in discrete time: the state moves by h times
    the right sides. The class inequalities of f do not change under rotations, so they hold
    for the sum over the modes: multipliers are common, storage matrices are not.

    If rows of E are dependent, :math:`\lambda` stands in every theorem for its component in the range of E, and nothing
    is said of the other one, in the null space of :math:`E^\top`, which is constant if ``E x = b`` has a solution and
    grows linearly if not; in the latter case the theorem holds for the projection of b onto the range of E, since
    nothing else of b acts on x and on that component. See `check_consistency`.

    Parameters
    ----------
    oracle : OperatorClass
        What is known of f.
    constraint : (m, n) array_like
        E, not zero, taken at the exact values of its entries.
    dual_gain : rational, default 1
        :math:`\eta > 0`.
    augmentation : rational, default 0
        :math:`a \ge 0`.
    step : rational, default 0
        :math:`h \ge 0`; 0 is the flow.
    enclosures : sequence of (low, high), optional
        Intervals for the squared singular values, increasing and disjoint; computed if omitted, and in either case
        proved to hold all of them.
    name : str, optional
        A label for reports; no mathematics depends on it.

    Raises
    ------
    InvalidModelError
        If E is zero, if a gain is out of range, or if the enclosures miss a positive singular value.
    """

    oracle: OperatorClass
    constraint: Matrix
    dual_gain: Fraction
    augmentation: Fraction
    step: Fraction
    enclosures: tuple[tuple[Fraction, Fraction], ...]
    name: str
    rank: int = field(init=False, compare=False, repr=False)
    """Of the constraint matrix, exactly."""

    def __init__(
        self,
        oracle: OperatorClass,
        constraint: object,
        *,
        dual_gain: object = 1,
        augmentation: object = 0,
        step: object = 0,
        enclosures: object = None,
        name: str | None = None,
    ) -> None:
        if isinstance(oracle, type) or not isinstance(oracle, OperatorClass) or not oracle.has_values:
            raise InvalidModelError(f"primal-dual dynamics needs a class of functions for f, got {oracle!r}")
        if oracle.equilibria != ANY:
            raise InvalidModelError(
                f"f must be of a class whose inequalities hold around any equilibrium, got {oracle!r}: at a "
                "constrained minimiser the gradient of f is not zero"
            )
        E = matrix(constraint, name="constraint")
        gain, a = rational(dual_gain, name="dual_gain"), rational(augmentation, name="augmentation")
        h = rational(step, name="step")
        if gain <= 0:
            raise InvalidModelError(f"dual_gain must be > 0, got {gain}")
        if a < 0:
            raise InvalidModelError(f"augmentation must be >= 0, got {a}")
        if h < 0:
            raise InvalidModelError(f"step must be > 0, or 0 for the flow, got {h}")
        gram = _check_constraint(E)
        boxes = (
            tuple((low, high) for low, high, _ in enclose_eigenvalues(gram) if high > 0)
            if enclosures is None
            else (_check_enclosures(gram, enclosures))
        )
        for key, value in {
            "oracle": oracle,
            "constraint": E,
            "dual_gain": gain,
            "augmentation": a,
            "step": h,
            "enclosures": boxes,
            "rank": (r := rank(E)),
            "name": str(name or _name_system(E, r, h)),
        }.items():
            object.__setattr__(self, key, value)

    @property
    def oracles(self) -> tuple[OperatorClass, ...]:
        """The class of f."""
        return (self.oracle,)

    @property
    def oracle_names(self) -> tuple[str, ...]:
        """Always ``("f",)``."""
        return ("f",)

    @property
    def groups(self) -> tuple[int, ...]:
        """Always ``(0,)``: one operator."""
        return (0,)

    @property
    def dt(self) -> Fraction:
        """0 for the flow, 1 for the method."""
        return Fraction(1 if self.step else 0)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of states (primal and dual) and of oracles."""
        m, n = shape(self.constraint)
        return n + m, 1

    @property
    def is_deficient(self) -> bool:
        """Whether rows of the constraint matrix are dependent."""
        return self.rank < len(self.constraint)

    @property
    def modes(self) -> tuple[Mode, ...]:
        """One mode per enclosure, and one for the null space of E if it has one."""
        found = [self._range_mode(k, low, high) for k, (low, high) in enumerate(self.enclosures, start=1)]
        if shape(self.constraint)[1] > self.rank:
            null = self._plant([[0]], [[-1]], [[1]])
            one = ((Fraction(1),),)
            found.append(Mode(label="null", vertices=(null,), norm_above=one, norm_below=one))
        return tuple(found)

    def _range_mode(self, k: int, low: Fraction, high: Fraction) -> Mode:
        vertices = tuple(
            self._plant([[-self.augmentation * theta, -1], [self.dual_gain * theta, 0]], [[-1], [0]], [[1, 0]])
            for theta in sorted({low, high})
        )
        zero, one = Fraction(0), Fraction(1)
        return Mode(  # |lambda|^2 = |w|^2 / theta, and theta lies between low and high
            label=f"sigma{k}",
            vertices=vertices,
            norm_above=((one, zero), (zero, 1 / low)),
            norm_below=((one, zero), (zero, 1 / high)),
        )

    def _plant(self, A: object, B: object, C: object) -> LureSystem:
        flow = LureSystem(A, B, C, oracles=[self.oracle])
        return take_euler_step(flow, self.step) if self.step else flow


def _name_system(E: Matrix, found: int, step: Fraction) -> str:
    rows = f", {len(E)} rows of rank {found}" if found < len(E) else ""
    return f"primal-dual {'method' if step else 'flow'}{rows}"


def _check_constraint(E: Matrix) -> Matrix:
    m, n = shape(E)
    if m == 0 or n == 0:
        raise DimensionError("constraint must have at least one row and one column")
    if not any(map(any, E)):
        raise InvalidModelError("constraint must not be zero: x and lambda would have nothing to do with each other")
    return multiply(E, transpose(E)) if m <= n else multiply(transpose(E), E)


def _check_enclosures(gram: Matrix, enclosures: object) -> tuple[tuple[Fraction, Fraction], ...]:
    pairs = matrix(enclosures, name="enclosures")
    if shape(pairs)[1] != 2:
        raise DimensionError("enclosures must be a sequence of pairs (low, high)")
    boxes = tuple((low, high) for low, high in pairs)
    before = Fraction(0)
    for low, high in boxes:
        if not before < low <= high:
            raise InvalidModelError(f"enclosures must be positive, increasing and disjoint, got {low}, {high}")
        before = high
    inside = count_eigenvalues_within(gram, boxes)
    wanted = count_eigenvalues_above(gram, Fraction(0))
    if inside != wanted:
        raise InvalidModelError(
            f"enclosures must hold the squares of all {wanted} positive singular values of the constraint matrix, "
            f"they hold {inside}"
        )
    return boxes
