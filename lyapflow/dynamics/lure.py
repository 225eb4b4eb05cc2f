"""Lur'e systems: a linear plant in feedback with oracles, everything exact.

What lives here: the model and its checks. What does not: what is known of the oracles (`classes`), the catalogue
of flows (`flows`), inequalities (`lmi`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from ..classes.inequalities import OperatorClass
from ..errors import DimensionError, InvalidModelError
from ..exact.matrices import Matrix, add, identity, matrix, scale, shape, zeros
from ..exact.rationals import rational, shorten

if TYPE_CHECKING:
    from control import StateSpace

__all__ = ["LureSystem", "Mode"]


@dataclass(frozen=True, slots=True, init=False)
class LureSystem:
    r"""A linear plant in feedback with oracles.

    .. math:: \dot x = (A + N/t)\, x + B u, \quad y = C x + D u, \quad u_j \in O_j(y_j)

    (``x+ = A x + B u`` for ``dt > 0``; N = 0 unless it is given). Every entry of a matrix acts as ``(.) (x) I_d`` on
    signals in :math:`R^d`, so one small model speaks for all dimensions d.

    Parameters
    ----------
    A : (n, n) array_like
        State matrix.
    B : (n, m) array_like
        One column per oracle output; default 0.
    C : (m, n) array_like
        One row per oracle input; default 0.
    D : (m, m) array_like, optional
        Lower triangular, default 0. ``D[j, j] = 0``: oracle j is evaluated explicitly. ``D[j, j] = -step < 0``:
        oracle j is evaluated at the prox point, ``y_j = prox_{step f_j}(v)`` and ``u_j = (v - y_j) / step``.
    oracles : sequence of OperatorClass
        What is known of each oracle, in order. None of them, the default, is a linear system ``x' = A x``.
    dt : rational, default 0
        0 for continuous time, > 0 for discrete time.
    name : str, optional
        A label for reports; no mathematics depends on it.
    oracle_names : sequence of str, optional
        Names of the oracles, default ``f1, f2, ...`` (``f`` if there is one).
    groups : sequence of int, optional
        Which operator each oracle evaluates: oracles with the same number are evaluations of one operator, and its
        class inequalities hold between them too. Default: all different. Stored in order of first appearance,
        ``0, 1, ...``.
    N : (n, n) array_like, optional
        What vanishes with time, default 0; in continuous time only. The dynamics is then one for t > 0.

    Raises
    ------
    DimensionError
        If shapes do not agree.
    InvalidModelError
        If D is not lower triangular with nonpositive diagonal, if a prox step is asked of a class that is not
        maximally monotone, or an explicit evaluation of a class that is not single valued and not a gradient; or if
        oracles of one group are of different classes; or if N is given in discrete time.

    Notes
    -----
    Signals in a proof are deviations from an equilibrium. That one exists is an assumption, printed with every
    certificate. At the equilibrium the oracles of a group have the same input and the same output: that is part of the
    assumption, and makes differences of deviations differences of signals.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> LureSystem([[0]], [[-1]], [[1]], oracles=[SmoothStronglyConvex(1, 10)]).shape
    (1, 1)
    """

    A: Matrix
    B: Matrix
    C: Matrix
    D: Matrix
    oracles: tuple[OperatorClass, ...]
    dt: Fraction
    name: str
    oracle_names: tuple[str, ...]
    groups: tuple[int, ...]
    N: Matrix

    def __init__(
        self,
        A: object,
        B: object = None,
        C: object = None,
        D: object = None,
        *,
        oracles: Sequence[OperatorClass] = (),
        dt: object = 0,
        name: str = "Lur'e system",
        oracle_names: Sequence[str] | None = None,
        groups: Sequence[int] | None = None,
        N: object = None,
    ) -> None:
        def put(field: str, value: object) -> None:
            object.__setattr__(self, field, value)

        oracles = _check_oracles(oracles)
        m = len(oracles)
        put("A", matrix(A, name="A"))
        put("B", zeros(len(self.A), m) if B is None else matrix(B, name="B"))
        put("C", zeros(m, len(self.A)) if C is None else matrix(C, name="C"))
        put("D", zeros(m, m) if D is None else matrix(D, name="D"))
        if not m and B is not None and any(map(len, self.B)):
            raise InvalidModelError("oracles must name one operator class for each column of B, got none")
        put("oracles", oracles)
        put("dt", rational(dt, name="dt"))
        put("name", str(name))
        put("oracle_names", _check_names(oracle_names, m))
        put("groups", _check_groups(groups, oracles))
        put("N", zeros(*shape(self.A)) if N is None else matrix(N, name="N"))
        _check_shapes(self)
        _check_feedthrough(self)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of states n and of oracles m."""
        return len(self.A), len(self.oracles)

    @property
    def is_time_varying(self) -> bool:
        """Whether N is not zero."""
        return any(map(any, self.N))

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The system as a list of modes: here one, with the Euclidean norm of the state."""
        n = identity(self.shape[0])
        return (Mode(label="", vertices=(self,), norm_above=n, norm_below=n),)

    def to_control(self) -> StateSpace:
        """The linear plant (A, B, C, D) as a `control.StateSpace`, in floating point; oracles are not carried.

        Raises
        ------
        InvalidModelError
            If the dynamics varies with time.
        """
        if self.is_time_varying:
            raise InvalidModelError("to_control needs a time-invariant plant (N = 0), got N / t in the state matrix")
        from .control_interop import to_control

        return to_control(self)

    @staticmethod
    def from_control(sys: StateSpace, *, oracles: Sequence[OperatorClass], name: str = "Lur'e system") -> LureSystem:
        """Close a `control.StateSpace` with oracles, no sign implied: ``u_j`` enters as the plant's input.

        Parameters
        ----------
        sys : control.StateSpace
            Plant with one input and one output per oracle; its floats are taken at their exact values.
        oracles : sequence of OperatorClass
            What is known of each oracle. For negative feedback, negate the plant's B.
        name : str, optional
            Label for reports.
        """
        from .control_interop import from_control

        return from_control(sys, oracles=oracles, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A part of a system with a storage matrix of its own.

    Attributes
    ----------
    label : str
        Empty for a system with one mode.
    vertices : tuple of LureSystem
        The true dynamics is a convex combination of these, so an inequality that is affine (or concave) in the
        dynamics and holds at each vertex holds for it. So does ``factor^2 V - V+ >= ...``, where V is a convex function
        of the state.
    norm_above, norm_below : Matrix
        Quadratic forms with ``x' norm_below x <= |state|^2 <= x' norm_above x`` in the user's norm.
    idle : tuple of int, optional
        Oracles that have no signals in this part.
    is_end : bool, default False
        Whether the plant is the end of an interval of plants: V is affine between the two ends, and the decrease of V
        is one condition for the whole interval.
    """

    label: str
    vertices: tuple[LureSystem, ...]
    norm_above: Matrix
    norm_below: Matrix
    idle: tuple[int, ...] = ()
    is_end: bool = False


def take_euler_step(flow: LureSystem, step: Fraction) -> LureSystem:
    """The explicit Euler method of a flow: ``A -> I + step A, B -> step B``; one step is one unit of its time."""
    if flow.is_time_varying:
        raise InvalidModelError(f"euler needs a time-invariant flow (N = 0), got {flow.name!r}")
    return LureSystem(
        add(identity(len(flow.A)), scale(step, flow.A)),
        scale(step, flow.B),
        flow.C,
        flow.D,
        oracles=flow.oracles,
        dt=1,
        name=name_euler(flow.name, step),
        oracle_names=flow.oracle_names,
        groups=flow.groups,
    )


def name_euler(name: str, step: Fraction) -> str:
    """Name of the Euler method of a flow."""
    return f"{name}, Euler step {shorten(step, most=20)}"


def _check_oracles(oracles: Sequence[OperatorClass]) -> tuple[OperatorClass, ...]:
    if not isinstance(oracles, list | tuple) and (
        isinstance(oracles, OperatorClass) or not isinstance(oracles, Sequence)
    ):
        raise InvalidModelError(f"oracles must be a sequence of operator classes, got {oracles!r}. Pass [{oracles!r}].")
    for j, oracle in enumerate(oracles):
        if isinstance(oracle, type) or not (_has_members(type(oracle)) or isinstance(oracle, OperatorClass)):
            raise InvalidModelError(
                f"oracles[{j}] must be an operator class such as SmoothStronglyConvex(mu=1, L=10), got {oracle!r}"
            )
    return tuple(oracles)


@cache
def _has_members(kind: type) -> bool:
    """Whether a type has all that an operator class needs, so that its instances have it too."""
    return all(hasattr(kind, name) for name in dir(OperatorClass) if not name.startswith("_"))


def _check_names(names: Sequence[str] | None, m: int) -> tuple[str, ...]:
    if names is None:
        return ("f",) if m == 1 else tuple(f"f{j + 1}" for j in range(m))
    chosen = tuple(str(name) for name in names)
    if len(chosen) != m or len(set(chosen)) != m or not all(name.isidentifier() for name in chosen):
        raise InvalidModelError(f"oracle_names must be {m} different identifiers, got {list(chosen)}")
    return chosen


def _check_groups(groups: Sequence[int] | None, oracles: tuple[OperatorClass, ...]) -> tuple[int, ...]:
    m = len(oracles)
    if groups is None:
        return tuple(range(m))
    if not isinstance(groups, Sequence) or len(groups) != m or not all(type(g) is int for g in groups):
        raise InvalidModelError(f"groups must be {m} integers, one per oracle, got {groups!r}")
    numbers = {group: k for k, group in enumerate(dict.fromkeys(groups))}
    for j, group in enumerate(groups):
        first = oracles[groups.index(group)]
        if oracles[j] != first:
            raise InvalidModelError(
                f"oracles of one group are one operator, so they must have one class; oracle {j} has {oracles[j]!r}, "
                f"and another of its group has {first!r}"
            )
    return tuple(numbers[group] for group in groups)


_SHAPES = {
    "A": "as many columns as rows",
    "B": "one row per state, one column per oracle",
    "C": "one row per oracle, one column per state",
    "D": "one row and one column per oracle",
    "N": "that of A",
}


def _check_shapes(system: LureSystem) -> None:
    n, m = len(system.A), len(system.oracles)
    if n == 0:
        raise DimensionError("A must have at least one row, got an empty matrix")
    for field, reason in _SHAPES.items():
        expected = (n if field in "ABN" else m, n if field in "ACN" else m)
        given = shape(getattr(system, field))
        if given != expected and not (m == 0 and not given[0]):  # a matrix without rows has no columns either
            raise DimensionError(f"{field} must have shape {expected} ({reason}), got {given}")
    if system.dt < 0:
        raise InvalidModelError(f"dt must be 0 (continuous time) or > 0 (discrete time), got {system.dt}")
    if system.dt > 0 and system.is_time_varying:
        raise InvalidModelError(f"N / t belongs to continuous time (dt = 0), got N with dt = {system.dt}")


def _check_feedthrough(system: LureSystem) -> None:
    for j, (row, oracle) in enumerate(zip(system.D, system.oracles, strict=True)):
        if any(row[j + 1 :]):
            raise InvalidModelError(f"D must be lower triangular (oracles are evaluated in order), got D[{j}]={row}")
        if row[j] > 0:
            raise InvalidModelError(f"D[{j}, {j}] must be 0 (explicit) or -step < 0 (prox step), got {row[j]}")
        if row[j] < 0 and not oracle.is_monotone:
            raise InvalidModelError(
                f"oracle {j} has a prox step (D[{j}, {j}] = {row[j]}), so its class must be maximally monotone, "
                f"got {oracle!r}"
            )
        if row[j] == 0 and not oracle.is_single_valued and not oracle.has_values:
            raise InvalidModelError(
                f"oracle {j} is evaluated explicitly (D[{j}, {j}] = 0), so its class must be single valued, got "
                f"{oracle!r}. Give it a prox step D[{j}, {j}] = -step."
            )
