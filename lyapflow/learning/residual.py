"""Residual networks of one unit: a Polyak-Lojasiewicz inequality on a box and none everywhere, and what is kept."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from ..dynamics.polynomial import PolynomialSystem
from ..errors import InvalidModelError, VerificationError
from ..exact.multivariate import Polynomial, variables
from ..exact.rationals import as_text, rational, shorten, show_below
from .arguments import FixedModel, read_count, read_positive, require_floats
from .equilibria import EquilibriumClass
from .evidence import PROVED, Invariant, LocalRate, Refutation, Verdict, prove_invariant
from .spectrum import Array
from .trajectories import Trajectory, follow, read_state

__all__ = [
    "ScalarResidualNetwork",
    "predict_late_rate",
    "prove_balance",
    "prove_gradient_bound",
    "refute_global_bound",
]


class ScalarResidualNetwork(FixedModel):
    r"""Gradient flow of :math:`\tfrac12(f - y)^2` for :math:`f = \prod_l(1 + w_l/D)`, a residual network of depth D.

    With :math:`q_l = 1 + w_l/D`:

    .. math:: \dot w_l = -\frac{f - y}{D}\prod_{k\ne l}q_k

    Parameters
    ----------
    depth : int
        D, at least 2.
    target : rational
        y > 0; a float stands for its exact value.

    Raises
    ------
    InvalidModelError
        If the depth or the target is out of its range.

    Notes
    -----
    A host for Cont, Rossier, Xu, arXiv 2204.07261, linear convergence of deep residual networks. Late the loss decays
    with the V-rate :math:`2\mu`, :math:`\mu = \sum_l(f/(Dq_l))^2` at the limit; it is :math:`2y^2/D` where all
    :math:`q_l` are near 1, and another one where they are not.

    Examples
    --------
    >>> network = ScalarResidualNetwork(2, 4)
    >>> network.loss([0, 0]), network.vector_field(0, [0, 0])
    (4.5, array([1.5, 1.5]))
    """

    def __init__(self, depth: int, target: object) -> None:
        self.depth, self.target = read_count(depth, "depth", least=2), rational(target, name="target")
        require_floats((self.target,), "target")
        if self.target <= 0:
            raise InvalidModelError(f"target must be > 0, got {self.target}")

    def __repr__(self) -> str:
        return f"ScalarResidualNetwork({self.depth}, {shorten(self.target)})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the state, (depth,)."""
        return (self.depth,)

    def factors(self, x: ArrayLike) -> Array:
        """The q_l = 1 + w_l / depth of a state."""
        return 1 + read_state(x, self.shape) / self.depth

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """The time derivative of the state, minus the gradient of the loss; t has no say."""
        q = self.factors(x)
        return -(np.prod(q) - float(self.target)) * self._slopes(q)

    def jacobian(self, x: ArrayLike) -> Array:
        """Derivative of the vector field, shape (n, n)."""
        q = self.factors(x)
        slopes, rest = self._slopes(q), np.prod(q) - float(self.target)
        cross = np.zeros((self.depth, self.depth))
        for k in range(self.depth):
            others = np.delete(np.arange(self.depth), k)
            for i, j in enumerate(others):
                cross[k, j] = np.prod(np.delete(q[others], i)) / self.depth**2
        return -np.outer(slopes, slopes) - rest * cross

    def loss(self, x: ArrayLike) -> float:
        """Half the squared error."""
        return float(np.prod(self.factors(x)) - float(self.target)) ** 2 / 2

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """The differences of the squares of neighbouring q_l."""
        return {"balance": np.diff(self.factors(x) ** 2)}

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "DOP853",
        rtol: float = 1e-9,
        atol: float | None = None,
    ) -> Trajectory:
        """Integrate the flow numerically; see `SymmetricFactorization.simulate`."""
        return follow(self, x0, t_eval, method=method, rtol=rtol, atol=atol)

    def equilibria(self) -> tuple[EquilibriumClass, ...]:
        """The minima, at their balanced point, and the points at which two or more factors vanish, at all zero."""
        n, y = self.depth, float(self.target)
        curvature = (y ** (1 - 1 / n)) ** 2 / n
        least = EquilibriumClass(
            kind="minimum", selection=((y, 1),), spectrum=((0.0, n - 1), (-curvature, 1)), loss=0.0, dimension=n - 1
        )
        values = ((y / 4, 1), (-y / 4, 1)) if n == 2 else ((0.0, n),)
        kind = "strict saddle" if n == 2 else "nonstrict saddle"
        return least, EquilibriumClass(kind=kind, selection=(), spectrum=values, loss=y * y / 2, dimension=n - 2)

    def _slopes(self, q: Array) -> Array:
        """The derivative of f by each weight."""
        return np.array([np.prod(np.delete(q, k)) for k in range(self.depth)]) / self.depth


def _state_flow(depth: int) -> tuple[PolynomialSystem, tuple[Polynomial, ...], Polynomial]:
    """The flow in q with the target as one more state that rests, the slopes of f by the weights, and the error."""
    read_count(depth, "depth", least=2)
    *q, y = variables([*(f"q{k + 1}" for k in range(depth)), "y"])
    slopes = []
    for k in range(depth):
        product = 1 + 0 * y
        for j, other in enumerate(q):
            product = product if j == k else product * other
        slopes.append(product / depth)
    error = slopes[0] * depth * q[0] - y
    equations = (*(-(error * s) / depth for s in slopes), 0 * y)
    return PolynomialSystem(equations, name=f"residual network of depth {depth}"), tuple(slopes), error


def prove_balance(depth: int) -> Invariant:
    """The differences of squares ``q_l^2 - q_k^2`` are conserved, for every target.

    Raises
    ------
    VerificationError
        If they are not.

    Examples
    --------
    >>> print(prove_balance(3).statement)
    q1^2 - q2^2; q2^2 - q3^2
    """
    system, _, _ = _state_flow(depth)
    *q, _ = system.variables
    gaps = [a**2 - b**2 for a, b in pairwise(q)]
    return prove_invariant(system, gaps, name=f"balance of a residual network of depth {depth}")


def prove_gradient_bound(network: ScalarResidualNetwork, radius: object) -> Verdict:
    r"""That :math:`|\nabla V|^2 \ge 2\mu V` for the loss V on the box :math:`|w_l| \le R`, R < D.

    The identity :math:`|\nabla V|^2 = 2V\sum_l(\partial f/\partial w_l)^2` is one of polynomials, and each derivative
    is at least :math:`(1 - R/D)^{D-1}/D` there, so :math:`\mu = (1 - R/D)^{2(D-1)}/D`.

    Parameters
    ----------
    network : ScalarResidualNetwork
        Of any depth and target.
    radius : rational
        R, 0 <= R < depth.

    Raises
    ------
    InvalidModelError
        If the radius is out of its range.
    VerificationError
        If the identity is none.

    Examples
    --------
    >>> print(prove_gradient_bound(ScalarResidualNetwork(5, 2), 1).statement)
    |grad V|^2 >= 2 mu V, mu >= 0.033554432, for |w_l| <= 1 (ScalarResidualNetwork(5, 2))
    """
    R, depth = rational(radius, name="radius"), network.depth
    if not 0 <= R < depth:
        raise InvalidModelError(f"radius must be in [0, depth = {depth}), so that no factor vanishes, got {R}")
    _, slopes, error = _state_flow(depth)
    squares = sum((s**2 for s in slopes[1:]), slopes[0] ** 2)
    gradient = sum(((error * s) ** 2 for s in slopes[1:]), (error * slopes[0]) ** 2)
    if gradient - error**2 * squares:
        raise VerificationError("the gradient is another one", inequality="gradient bound", witness=gradient)
    mu = (1 - R / depth) ** (2 * (depth - 1)) / depth
    return Verdict(
        statement=f"|grad V|^2 >= 2 mu V, mu >= {show_below(mu)}, for |w_l| <= {as_text(R)} ({network!r})",
        reason="|grad V|^2 = (f - y)^2 sum (df/dw_l)^2, an identity of polynomials, and every factor of df/dw_l is at "
        f"least {as_text(1 - R / depth)}",
        standing=PROVED,
    )


def refute_global_bound(network: ScalarResidualNetwork) -> Refutation:
    """Refute that ``|grad V|^2 >= 2 mu V`` holds everywhere with some mu > 0: where two factors vanish.

    Raises
    ------
    VerificationError
        If the gradient does not vanish there.

    Examples
    --------
    >>> print(refute_global_bound(ScalarResidualNetwork(3, 2)).witness)
    w = (-3, -3, 0, ...): q_1 = q_2 = 0, the gradient is 0 and V = 2
    """
    system, slopes, error = _state_flow(network.depth)
    point = [Fraction(0), Fraction(0), *(Fraction(1) for _ in range(network.depth - 2)), network.target]
    gradient = [(error * s).evaluate(point) for s in slopes]
    loss = error.evaluate(point) ** 2 / 2
    if any(gradient) or not loss or system.equations[0].evaluate(point):
        raise VerificationError("the gradient is not 0 there", inequality="global bound", witness=tuple(gradient))
    rest = ", 0, ..." if network.depth > 2 else ""
    return Refutation(
        statement=f"|grad V|^2 >= 2 mu V everywhere for some mu > 0 ({network!r})",
        witness=f"w = (-{network.depth}, -{network.depth}{rest}): q_1 = q_2 = 0, the gradient is 0 and V = "
        f"{shorten(loss)}",
        standing=PROVED,
    )


def predict_late_rate(network: ScalarResidualNetwork, x0: ArrayLike, *, until: float = 60.0) -> LocalRate:
    """The rate of the state at the limit of the trajectory from a start, and as it is seen on the way.

    Raises
    ------
    InvalidModelError
        If the trajectory does not approach a minimum in the time given.

    Examples
    --------
    >>> rate = predict_late_rate(ScalarResidualNetwork(2, 4), [0, 0])
    >>> round(rate.rate, 6), round(rate.measured, 4)
    (2.0, 2.0)
    """
    until = read_positive(until, "until")
    path = network.simulate(x0, np.linspace(0, until, 2000), rtol=1e-12, atol=1e-13)
    q = network.factors(path.x[-1])
    mu = float(np.sum((np.prod(q) / (network.depth * q)) ** 2))
    late = (path.loss < 1e-8 * path.loss[0]) & (path.loss > 1e-15 * path.loss[0])
    if np.count_nonzero(late) < 3 or path.loss[-1] > 1e-8 * path.loss[0]:
        raise InvalidModelError(f"the trajectory must reach its limit by t = {until:g}; give it more time")
    slope = float(np.polyfit(path.t[late], np.log(path.loss[late]), 1)[0])
    return LocalRate(name=f"minimum of {network!r}", rate=mu, measured=-slope / 2)
