"""A plant in the loop: an optimisation flow as the controller of a plant that it drives to its optimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from ..classes.inequalities import ANY, OperatorClass
from ..dynamics.checks import check_parameter
from ..dynamics.lure import LureSystem
from ..dynamics.plants import StablePlant, read_stable_plant
from ..dynamics.stacked import StackedSystem
from ..errors import DimensionError, InvalidModelError
from ..exact.matrices import Matrix, identity, matrix, multiply, rank, shape, transpose

if TYPE_CHECKING:
    from control import StateSpace

__all__ = ["Cost", "Costs", "close_plant", "feedback_optimization", "read_costs"]

Cost: TypeAlias = OperatorClass | Sequence[OperatorClass | None] | None
"""Of some signals: one function of all of them, or one of each (None: none)."""


@dataclass(frozen=True, slots=True)
class Costs:
    """The cost as vector operators over the signals ``(u, y)``.

    Attributes
    ----------
    functions : tuple of (OperatorClass, tuple of int)
        Each function's class, and its arguments: index i is input i, index p + k is output k.
    """

    functions: tuple[tuple[OperatorClass, tuple[int, ...]], ...]


def feedback_optimization(
    plant: StateSpace,
    f: Cost | tuple[Cost, Cost],
    gain: object = 1,
    *,
    constraint: object = None,
    dual_gain: object = 1,
) -> LureSystem | StackedSystem:
    r"""A stable plant in the loop with a gradient flow that drives it to its optimal steady state.

    The plant is :math:`\dot x = Ax + Bu + w_1`, :math:`y = Cx + Du + w_2`, with constant unknown disturbances and the
    steady-state map :math:`y = Gu + \text{const}`, :math:`G = D - CA^{-1}B`. The controller follows the gradient of the
    cost along that map, evaluated at the output as it is measured:

    .. math:: \dot u = -\varepsilon\,\bigl(\nabla f_u(u) + G^\top\nabla f_y(y) + G^\top E^\top\lambda\bigr), \qquad
              \dot\lambda = \eta\,(E y - b)

    The dual variables are there only with a constraint :math:`Ey = b`. At an equilibrium u solves
    :math:`\min_u f_u(u) + f_y(y)` subject to the steady state (and the constraint).

    Parameters
    ----------
    plant : control.StateSpace
        In continuous time, with p inputs and q outputs; its floats are taken at their exact values, and it is proved to
        be stable.
    f : (cost of inputs, cost of outputs), or OperatorClass
        Each cost is one class, of a function of all the inputs (or outputs); or a sequence of classes, one for each
        input (or output) where the cost is a sum, with None where there is none; or None. One class instead of the pair
        is that of one function f(u, y) of both. Classes of functions with a Lipschitz gradient, whose inequalities hold
        around any equilibrium.
    gain : rational, default 1
        :math:`\varepsilon > 0`, in 1/(time unit of the plant).
    constraint : (r, q) array_like, optional
        E, exact; ``E G`` must have full row rank, so that there is a steady state for each b.
    dual_gain : rational, default 1
        :math:`\eta > 0`; with a constraint only.

    Returns
    -------
    LureSystem or StackedSystem
        States x, u (and the dual variables). The second if a function has several arguments.

    Raises
    ------
    InvalidModelError
        If the plant is not stable (the message names the eigenvalue), a class is not one of smooth functions, or a
        parameter is out of range.
    DimensionError
        If there is not one class for each input or output, or a constraint has not one column per output.

    Notes
    -----
    Oracles are named a (inputs), b (outputs) and c, with numbers. The last ones evaluate the cost of the outputs once
    more, at the steady output G u of the present input; the motion does not use them. V may then contain the cost
    :math:`f_u(u) + f_y(Gu)` that the flow would decrease if the plant were infinitely fast, and this makes every gain
    below the classical bound of time-scale separation provable: see `classical_gain`.

    References
    ----------
    Hauswirth, Bolognani, Hug, Dörfler (2021), Timescale separation in autonomous optimization, IEEE Transactions on
    Automatic Control 66(2). Menta, Hauswirth, Bolognani, Hug, Dörfler (2018), Stability of dynamic feedback
    optimization with applications to power systems, Allerton.

    Examples
    --------
    >>> import control
    >>> import lyapflow as lf
    >>> plant = control.ss([[-1, 1], [0, -2]], [[0], [1]], [[1, 0]], 0)
    >>> loop = feedback_optimization(plant, (lf.SmoothStronglyConvex(1, 2), lf.SmoothConvex(1)), "1/2")
    >>> lf.certify(loop).rate > Fraction(1, 3)
    True
    """
    return close_plant(read_stable_plant(plant), f, gain, constraint=constraint, dual_gain=dual_gain)


def close_plant(
    plant: StablePlant, f: Cost | tuple[Cost, Cost], gain: object, *, constraint: object = None, dual_gain: object = 1
) -> LureSystem | StackedSystem:
    """The closed loop of `feedback_optimization` around a plant that has been read."""
    epsilon, eta = check_parameter("gain", gain), check_parameter("dual_gain", dual_gain)
    n, p, _ = plant.shape
    G = plant.steady_gain
    E = () if constraint is None else _check_constraint(constraint, G)
    if not E and eta != 1:
        raise InvalidModelError(f"dual_gain belongs to a constraint on the outputs, and there is none; got {eta}")
    r = len(E)
    zero, one = Fraction(0), Fraction(1)
    signals = [tuple(one if k == n + i else zero for k in range(n + p + r)) for i in range(p)]  # u, then y, then G u
    signals += [(*c, *d, *(zero,) * r) for c, d in zip(plant.C, plant.D, strict=True)]
    settled = [*signals[:p], *((*(zero,) * n, *g, *(zero,) * r) for g in G)]
    sensitivity = (*identity(p), *G)  # of (u, y) in u
    rows = _Rows()
    functions = read_costs(f, plant).functions
    if not E and not any(k >= p for _, arguments in functions for k in arguments):
        raise InvalidModelError(
            "f must have a cost of outputs, or there must be a constraint: else nothing is fed back"
        )
    for block, (oracle, arguments) in enumerate(functions):
        own = {k: rows.add(oracle, signals[k], sensitivity[k], _name(k, p), block) for k in arguments}
        if any(k >= p for k in arguments):
            for k in arguments:
                rows.add(oracle, settled[k], None, _name(k, p, settled=True), block, like=own[k])
    A = [(*a, *b, *(zero,) * r) for a, b in zip(plant.A, plant.B, strict=True)]
    pull = transpose(multiply(E, G)) if E else ((),) * p  # of the dual variables on u
    A += [(*(zero,) * (n + p), *(-epsilon * v for v in row)) for row in pull]
    A += [tuple(eta * v for v in row) for row in multiply(E, tuple(signals[p:]))] if E else []
    B = [[zero] * len(rows.oracles) for _ in range(n + p + r)]
    for j, slope in enumerate(rows.slopes):
        for i in range(p if slope else 0):
            B[n + i][j] = -epsilon * (slope or ())[i]
    loop = LureSystem(
        A,
        B,
        rows.inputs,
        oracles=rows.oracles,
        oracle_names=rows.names,
        groups=rows.groups,
        name=f"plant in the loop with a {'primal-dual' if E else 'gradient'} flow",
    )
    is_scalar = len(set(rows.blocks)) == len(set(rows.groups))
    return loop if is_scalar else StackedSystem(loop, rows.blocks)


class _Rows:
    """The oracles of a loop while they are listed."""

    def __init__(self) -> None:
        self.oracles: list[OperatorClass] = []
        self.inputs: list[tuple[Fraction, ...]] = []
        self.slopes: list[tuple[Fraction, ...] | None] = []
        self.names: list[str] = []
        self.groups: list[int] = []
        self.blocks: list[int] = []

    def add(
        self,
        oracle: OperatorClass,
        signal: tuple[Fraction, ...],
        slope: tuple[Fraction, ...] | None,
        name: str,
        block: int,
        like: int | None = None,
    ) -> int:
        """One more row; `like` is the row whose component it evaluates at another point."""
        self.oracles.append(oracle)
        self.inputs.append(signal)
        self.slopes.append(slope)
        self.names.append(name)
        self.groups.append(len(self.groups) if like is None else self.groups[like])
        self.blocks.append(block)
        return len(self.oracles) - 1


def _name(k: int, p: int, *, settled: bool = False) -> str:
    if settled:
        return f"c{k - p + 1}" if k >= p else f"d{k + 1}"
    return f"a{k + 1}" if k < p else f"b{k - p + 1}"


def read_costs(f: Cost | tuple[Cost, Cost], plant: StablePlant) -> Costs:
    """The cost as functions of some inputs and outputs each.

    Raises
    ------
    InvalidModelError, DimensionError
        As `feedback_optimization`.
    """
    _, p, q = plant.shape
    if isinstance(f, OperatorClass):
        return Costs(((_check_class(f), tuple(range(p + q))),))
    if not isinstance(f, Sequence) or len(f) != 2:
        raise InvalidModelError(
            f"f must be a pair (cost of inputs, cost of outputs), or one class of functions of both, got {f!r}"
        )
    found = [*_read_cost(f[0], 0, p, "inputs"), *_read_cost(f[1], p, q, "outputs")]
    return Costs(tuple(found))


def _read_cost(cost: object, start: int, count: int, what: str) -> list[tuple[OperatorClass, tuple[int, ...]]]:
    if cost is None:
        return []
    if isinstance(cost, OperatorClass):
        return [(_check_class(cost), tuple(range(start, start + count)))]
    if not isinstance(cost, list | tuple):
        raise InvalidModelError(f"the cost of {what} must be a class, a sequence of classes, or None, got {cost!r}")
    if len(cost) != count:
        raise DimensionError(f"the cost of {what} must be one class, or one for each of the {count}, got {len(cost)}")
    return [(_check_class(c), (start + k,)) for k, c in enumerate(cost) if c is not None]


def _check_class(oracle: object) -> OperatorClass:
    if isinstance(oracle, type) or not isinstance(oracle, OperatorClass):
        raise InvalidModelError(f"a cost must be a class such as SmoothStronglyConvex(mu=1, L=10), got {oracle!r}")
    if not oracle.has_values or not oracle.is_single_valued or oracle.equilibria != ANY:
        raise InvalidModelError(
            "a cost must be of a class of functions with a Lipschitz gradient whose inequalities hold around any "
            f"equilibrium (at the optimum single gradients are not zero), got {oracle!r}"
        )
    return oracle


def _check_constraint(constraint: object, G: Matrix) -> Matrix:
    E = matrix(constraint, name="constraint")
    if not E or shape(E)[1] != len(G):
        raise DimensionError(f"constraint must have one column per output ({len(G)}), got shape {shape(E)}")
    found = rank(multiply(E, G))
    if found < len(E):
        raise InvalidModelError(
            "constraint times steady-state map must have full row rank, so that E y = b has a steady state for each b; "
            f"got rank {found} with {len(E)} rows. Remove the dependent rows."
        )
    return E
