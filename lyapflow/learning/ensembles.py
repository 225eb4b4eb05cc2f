r"""Steering many points at once with one control: a residual network whose layers are linear in their weights.

:math:`\dot x = \sum_k u_k(t)x^k` moves every point of an ensemble on the line by the same control. What a deep network
of this kind can do is a question of Lie brackets (Scagliotti, arXiv 2110.12393).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InvalidModelError, VerificationError
from ..exact.matrices import rank
from ..exact.multivariate import Polynomial, variables
from ..exact.rationals import as_text
from .arguments import FixedModel, read_count, read_positive, read_row
from .equilibria import EquilibriumClass
from .evidence import PROVED, Refutation, Verdict
from .spectrum import Array
from .trajectories import Trajectory, follow, read_numbers, read_state

__all__ = ["EnsembleControl", "prove_brackets", "refute_steering"]


class EnsembleControl(FixedModel):
    r"""Gradient flow of the controls that steer points on the line through N explicit Euler layers.

    .. math:: x_{l+1} = x_l + \tfrac1N\sum_{k=0}^{d}u_{lk}\,x_l^k, \qquad
        V = \tfrac1M\sum_j|x_N^j - y^j|^2 + \tfrac c{2N}|u|^2

    A state holds the controls, shape (N, d + 1).

    Parameters
    ----------
    points, targets : sequence of M numbers
        Where the points are, different from each other, and where they should go.
    degree : int
        d >= 0 of the fields 1, x, ..., x^d.
    layers : int
        N >= 1.
    cost : float, default 0
        c >= 0.

    Raises
    ------
    InvalidModelError
        If an argument is out of its range.

    Examples
    --------
    >>> control = EnsembleControl([0, 1], [1, 2], degree=1, layers=2)
    >>> control.loss([[0, 0], [0, 0]]), control.loss([[1, 0], [1, 0]])
    (1.0, 0.0)
    """

    def __init__(self, points: ArrayLike, targets: ArrayLike, *, degree: int, layers: int, cost: float = 0.0) -> None:
        self.points, self.targets = read_numbers(points, "points"), read_numbers(targets, "targets")
        if self.points.ndim != 1 or self.points.shape != self.targets.shape or not self.points.size:
            raise InvalidModelError(
                f"points and targets must be rows of one length, got {self.points.shape} and {self.targets.shape}"
            )
        if len(set(self.points.tolist())) < len(self.points):
            raise InvalidModelError("points must be different: a flow keeps equal ones together")
        if not (np.all(np.isfinite(self.points)) and np.all(np.isfinite(self.targets))):
            raise InvalidModelError("points and targets must be finite")
        self.degree, self.layers = read_count(degree, "degree", least=0), read_count(layers, "layers")
        self.cost = read_positive(cost, "cost", or_zero=True)

    def __repr__(self) -> str:
        return f"EnsembleControl({len(self.points)} points, degree={self.degree}, layers={self.layers})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the state, (layers, degree + 1)."""
        return self.layers, self.degree + 1

    def move(self, x: ArrayLike) -> Array:
        """The points after every layer, shape (layers + 1, M)."""
        controls, path = read_state(x, self.shape), [self.points]
        for layer in controls:
            path.append(path[-1] + np.polynomial.polynomial.polyval(path[-1], layer) / self.layers)
        return np.array(path)

    def loss(self, x: ArrayLike) -> float:
        """Mean squared distance to the targets, and the cost of the controls."""
        away = self.move(x)[-1] - self.targets
        return float(np.mean(away**2) + self.cost / (2 * self.layers) * np.sum(np.square(x)))

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """Minus the gradient of the loss, by the adjoint equation; t has no say."""
        controls, path = read_state(x, self.shape), self.move(x)
        adjoint = 2 * (path[-1] - self.targets) / len(self.points)
        slope = np.empty(self.shape)
        for k in range(self.layers - 1, -1, -1):
            powers = path[k][:, None] ** np.arange(self.degree + 1)
            slope[k] = adjoint @ powers / self.layers
            bend = np.polynomial.polynomial.polyval(path[k], np.polynomial.polynomial.polyder(controls[k]))
            adjoint = adjoint * (1 + bend / self.layers)
        return -slope - self.cost / self.layers * controls

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """None are known of the training."""
        return {}

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "LSODA",
        rtol: float = 1e-8,
        atol: float | None = 1e-10,
    ) -> Trajectory:
        """Integrate the training numerically; see `SymmetricFactorization.simulate`."""
        return follow(self, x0, t_eval, method=method, rtol=rtol, atol=atol)

    def equilibria(self) -> tuple[EquilibriumClass, ...]:
        """None are known in closed form."""
        return ()


def prove_brackets(points: Sequence[object], degree: int) -> Verdict:
    r"""That the iterated Lie brackets of the fields 1, x, ..., x^d span all velocities of an ensemble, d >= 3.

    :math:`[x^i, x^j] = (j - i)x^{i+j-1}`, so brackets with :math:`x^3` and :math:`x^2` lead to every power; the powers
    0, ..., M - 1 at M different points form a matrix of rank M. By Chow and Rashevsky the ensemble can then be steered
    anywhere that keeps the points in order.

    Parameters
    ----------
    points : sequence of M rationals
        Different.
    degree : int
        d >= 3.

    Raises
    ------
    InvalidModelError
        If the degree is below 3, where the brackets of powers 0, 1, 2 lead to no other.
    VerificationError
        If the rank is smaller: two points are equal.

    Examples
    --------
    >>> print(prove_brackets([0, 1, "3/2", 2, 5], 3).statement)
    the brackets of 1, x, ..., x^3 span the velocities of 5 points on the line
    """
    where = read_row(points, "points")
    if not where:
        raise InvalidModelError("there must be points, got none")
    if read_count(degree, "degree", least=0) < 3:
        raise InvalidModelError(f"degree must be an integer >= 3, got {degree!r}: 1, x, x^2 are closed under brackets")
    (x,) = variables(["x"])
    known = {k: x**k for k in range(degree + 1)}
    for power in range(degree + 1, len(where)):  # [x^2, x^(p-1)] = (p - 3) x^p
        bracket = _bracket(known[2], known[power - 1], 0)
        if bracket - (power - 3) * x**power:
            raise VerificationError("the bracket is another one", inequality="bracket", witness=bracket)
        known[power] = bracket / (power - 3)
    found = rank(tuple(tuple(known[k].evaluate([v]) for v in where) for k in range(len(where))))
    if found < len(where):
        raise VerificationError("points must be different", inequality="rank", witness=found)
    return Verdict(
        statement=f"the brackets of 1, x, ..., x^{degree} span the velocities of {len(where)} points on the line",
        reason=f"[x^2, x^p] = (p - 2) x^(p+1); the powers 0 to {len(where) - 1} at the points have rank {found}",
        standing=PROVED,
    )


def refute_steering(points: Sequence[object], targets: Sequence[object]) -> Refutation | None:
    r"""Refute that the fields 1, x, x^2 steer four points to four given places: the cross-ratio is kept.

    :math:`\frac{(a-b)(c-d)}{(a-c)(b-d)}` has the derivative 0 along each of the fields, an identity of polynomials.

    Parameters
    ----------
    points, targets : sequence of 4 rationals
        Different from each other.

    Returns
    -------
    Refutation or None
        None if the cross-ratios are equal, so that this is no obstacle.

    Raises
    ------
    InvalidModelError
        If there are not four different points.

    Examples
    --------
    >>> print(refute_steering([0, 1, 2, 3], [0, 1, 2, 4]).witness)
    the cross-ratio of the points is 1/4, that of the targets 1/3
    >>> refute_steering([0, 1, 2, 3], [5, 6, 7, 8]) is None
    True
    """
    places = [read_row(points, "points"), read_row(targets, "targets")]
    if any(len(set(p)) != 4 or len(p) != 4 for p in places):
        raise InvalidModelError("points and targets must be four different numbers each")
    a, b, c, d = every = variables(["a", "b", "c", "d"])
    top, bottom = (a - b) * (c - d), (a - c) * (b - d)
    for power in range(3):
        change = [sum((form.derivative(k) * v**power for k, v in enumerate(every)), 0 * a) for form in (top, bottom)]
        if rest := change[0] * bottom - top * change[1]:
            raise VerificationError("the cross-ratio moves", inequality="cross-ratio", witness=rest)
    before, after = (_ratio(top, bottom, p) for p in places)
    if before == after:
        return None
    return Refutation(
        statement=f"u_0 + u_1 x + u_2 x^2 steers ({', '.join(map(as_text, places[0]))}) to "
        f"({', '.join(map(as_text, places[1]))})",
        witness=f"the cross-ratio of the points is {as_text(before)}, that of the targets {as_text(after)}",
        standing=PROVED,
    )


def _bracket(f: Polynomial, g: Polynomial, variable: int) -> Polynomial:
    return g.derivative(variable) * f - f.derivative(variable) * g


def _ratio(top: Polynomial, bottom: Polynomial, place: Sequence[Fraction]) -> Fraction:
    return top.evaluate(place) / bottom.evaluate(place)
