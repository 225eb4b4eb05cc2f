"""Steps of gradient descent on a chain of linear layers: which minima are stable, and from which step on none is."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ..errors import DimensionError, InvalidModelError, VerificationError
from ..exact.multivariate import variables
from ..exact.rationals import as_text, rational, shorten
from .arguments import read_count, read_positive, read_row
from .deep_linear import DeepLinearNetwork
from .divergence_rates import PolynomialIdentity
from .evidence import PROVED, SEEN, Refutation, Verdict
from .linear_chain import LinearChain, multiply_others

__all__ = [
    "count_converged",
    "find_least_sharpness",
    "judge_minimum",
    "prove_bounded_stable_set",
    "refute_random_convergence",
    "refute_stability",
    "state_mean_identities",
]


def state_mean_identities() -> tuple[PolynomialIdentity, ...]:
    """The inequality of the means for two and three terms, as sums of squares; what the least sharpness rests on.

    Examples
    --------
    >>> for identity in state_mean_identities():
    ...     identity.prove()
    """
    a, b, c = variables(["a", "b", "c"])
    return (
        PolynomialIdentity(
            name="two means",
            statement="a^2 + b^2 - 2 a b = (a - b)^2 >= 0: on ab = y the sharpness a^2 + b^2 is at least 2y",
            left=a**2 + b**2 - 2 * a * b,
            right=(a - b) ** 2,
        ),
        PolynomialIdentity(
            name="three means",
            statement="2 (a^3 + b^3 + c^3 - 3abc) = (a + b + c) ((a-b)^2 + (b-c)^2 + (c-a)^2): for numbers >= 0, the "
            "cube roots of the three terms of the sharpness",
            left=2 * (a**3 + b**3 + c**3 - 3 * a * b * c),
            right=(a + b + c) * ((a - b) ** 2 + (b - c) ** 2 + (c - a) ** 2),
        ),
    )


def judge_minimum(chain: LinearChain, weights: Sequence[object], step: object) -> Verdict:
    """Whether gradient descent is stable at a rational minimum: the one multiplier that is not 1, exactly.

    The others are 1 along the manifold of minima, which is what attracts where that one is inside of (-1, 1).

    Parameters
    ----------
    chain : LinearChain
        What is minimised.
    weights : sequence of N rationals
        With the product y, exactly.
    step : rational
        The step, > 0.

    Raises
    ------
    InvalidModelError
        If the point is no minimum.

    Examples
    --------
    >>> print(judge_minimum(LinearChain(2, 1), [2, "1/2"], "1/4").reason)
    1 - step * sum of (y/w_i)^2 = -1/16
    """
    w = read_row(weights, "weights")
    eta = rational(step, name="step")
    if len(w) != chain.N:
        raise DimensionError(f"weights must have {chain.N} entries, got {len(w)}")
    product = Fraction(1)
    for v in w:
        product *= v
    if product != chain.target or eta <= 0:
        raise InvalidModelError(
            f"weights must have the product {chain.target} and step be > 0, got {product}, {step!r}"
        )
    factor = 1 - eta * sum(((chain.target / v) ** 2 for v in w), Fraction(0))
    if abs(factor) == 1:
        raise VerificationError("the multiplier has modulus 1 and decides nothing", inequality="step", witness=factor)
    kind = "stable" if abs(factor) < 1 else "unstable"
    return Verdict(
        statement=f"w = ({', '.join(map(as_text, w))}) is {kind} for gradient descent with step {as_text(eta)} "
        f"({chain!r})",
        reason=f"1 - step * sum of (y/w_i)^2 = {as_text(factor)}",
        standing=PROVED,
    )


def prove_bounded_stable_set(chain: LinearChain, step: object) -> Verdict:
    """For N = 2: minima with a^2 + b^2 < 2/step are stable, those with more are not; a bounded set.

    Raises
    ------
    VerificationError
        If the step is beyond the critical one: then there are none.
    """
    if chain.N != 2:
        raise InvalidModelError(f"the set is given for two layers, got {chain.N}")
    if chain.exceeds_critical(step):
        raise VerificationError("no minimum is stable with that step", inequality="step", witness=step)
    eta = rational(step, name="step")
    a, b, e = variables(["a", "b", "e"])
    y = a * b
    # trace and determinant of the Hessian at ab = y: [[b^2, ab], [ab, a^2]]
    identity = PolynomialIdentity(name="rank one", statement="", left=b**2 * a**2 - y * y, right=0 * e)
    identity.prove()
    return Verdict(
        statement=f"with step {as_text(eta)} minima (a, b) with a^2 + b^2 < {as_text(2 / eta)} are stable and those "
        f"with more are not: the stable set is bounded, though the set of minima is not ({chain!r})",
        reason="the Hessian at ab = y has determinant 0 and trace a^2 + b^2: multipliers 1 and 1 - step (a^2 + b^2)",
        standing=PROVED,
    )


def refute_stability(chain: LinearChain, step: object) -> Refutation:
    """Beyond the critical step no minimum is stable, decided by an inequality between rationals.

    Raises
    ------
    VerificationError
        If the step is not beyond.

    Examples
    --------
    >>> refute_stability(LinearChain(3, 2), "0.27").standing
    'proved'
    """
    eta = rational(step, name="step")
    if not chain.exceeds_critical(eta):
        raise VerificationError(
            f"step {as_text(eta)} is not beyond the critical one", inequality="critical step", witness=eta
        )
    for identity in state_mean_identities():
        identity.prove()
    left, right = (eta * chain.N) ** chain.N * chain.target ** (2 * chain.N - 2), 2**chain.N
    return Refutation(
        statement=f"gradient descent with step {as_text(eta)} is stable at some minimum ({chain!r})",
        witness=f"at each minimum the sum of (y/w_i)^2 is at least N y^(2 - 2/N) (inequality of the means), and "
        f"(step N)^N "
        f"y^(2N - 2) = {shorten(left)} > {right} = 2^N: the multiplier 1 - step * sum is below -1 at all of them",
        standing=PROVED,
    )


def count_converged(
    chain: LinearChain, share: float, *, starts: int = 60, steps: int = 3000, seed: int = 0
) -> tuple[int, float]:
    """Runs from random starts with a share of the critical step: how many converge, and the largest weight seen.

    Starts are uniform in (0.2, 1.3) times the balanced minimum.

    Returns
    -------
    converged : int
        With a loss below 1e-12 in the end.
    largest : float
        Modulus of a weight in any run; infinite, and none converged, if one is gone.
    """
    converged, largest, _ = _watch(chain, share, starts=starts, steps=steps, seed=seed)
    return converged, largest


def _watch(chain: LinearChain, share: float, *, starts: int, steps: int, seed: int) -> tuple[int, float, int]:
    """Besides, how many runs pass their target from one side to the other within the last tenth of the steps."""
    starts, steps = read_count(starts, "starts"), read_count(steps, "steps")
    w = np.random.default_rng(seed).uniform(0.2, 1.3, (starts, chain.N)) * chain.balanced_minimum
    target, step, largest = float(chain.target), read_positive(share, "share") * chain.critical_step, 0.0
    late = []
    for k in range(steps):  # all runs at once
        largest = max(largest, float(np.abs(w).max()))
        if not largest < 1e8:
            return 0, float("inf"), 0
        rest = target - np.prod(w, axis=-1, keepdims=True)
        if 10 * k >= 9 * steps:
            late.append(rest[:, 0] > 0)
        w = w + step * rest * multiply_others(w)
    turning = int(np.sum(np.any(np.diff(late, axis=0), axis=0))) if len(late) > 1 else 0
    return int(np.sum((np.prod(w, axis=-1) - target) ** 2 / 2 < 1e-12)), largest, turning


def refute_random_convergence(chain: LinearChain, share: float) -> Refutation:
    """No run from random starts converges, none goes to infinity, and all pass the target again and again: seen.

    Raises
    ------
    InvalidModelError
        If the share is not above 1: below it runs that have not converged yet may do so.
    VerificationError
        If one does, or waits on a plateau.
    """
    if not read_positive(share, "share") > 1:
        raise InvalidModelError(f"share must be > 1, steps beyond the critical one, got {share!r}")
    starts = 60
    converged, largest, turning = _watch(chain, share, starts=starts, steps=3000, seed=0)
    if converged or largest == float("inf") or turning < starts:
        raise VerificationError(
            f"of {starts} runs {converged} converge and {turning} oscillate; the largest weight is {largest:.3g}",
            inequality="convergence",
            witness=(converged, largest, turning),
        )
    return Refutation(
        statement=f"gradient descent with {share:g} times the critical step converges, or diverges ({chain!r})",
        witness=f"none of {starts} random starts converges in 3000 steps, and no weight is ever beyond {largest:.3g}: "
        "all still pass the target from side to side",
        standing=SEEN,
    )


def find_least_sharpness(network: DeepLinearNetwork, *, seed: int = 0) -> float:
    """The least sharpness over the minima of a square deep linear network, by a simplex search (computed).

    The minima are W_1 = G_1, W_i = G_{i-1}^{-1} G_i, W_h = G_{h-1}^{-1} Y with invertible G_i.
    """
    size = network.widths[0]
    if set(network.widths) != {size}:
        raise InvalidModelError(f"the network must have layers of one width, got {network.widths}")
    if np.linalg.matrix_rank(network.target) < size:
        raise InvalidModelError("the target must be invertible")

    def sharpness(flat: Any) -> float:
        pieces = [np.asarray(g) for g in flat.reshape(network.depth - 1, size, size)]
        if min(abs(np.linalg.det(g)) for g in pieces) < 1e-6:
            return 1e6
        ends = [np.eye(size), *pieces]
        layers = [np.linalg.solve(a, b) for a, b in zip(ends, [*pieces, network.target], strict=True)]
        return float(np.linalg.eigvalsh(network.hessian(network.join(layers)))[-1])

    roots = np.diag(network.singular_values ** (1 / network.depth))
    start = np.stack([np.linalg.matrix_power(roots, k) for k in range(1, network.depth)]).ravel()
    at = start + 0.1 * np.random.default_rng(seed).standard_normal(start.shape)
    best = np.inf
    for _ in range(8):
        found = minimize(
            sharpness,
            at,
            method="Nelder-Mead",
            options={"maxfev": 6000, "xatol": 1e-9, "fatol": 1e-12, "adaptive": True},
        )
        at = found.x
        if best - found.fun < 1e-10:
            break
        best = float(found.fun)
    return min(best, float(found.fun))
