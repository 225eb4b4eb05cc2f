r"""Bounds of the three subsystems and of the whole, as functions of time.

With :math:`l_1 \le \lambda_{\min}(\Lambda_1)`, :math:`l_2 \le \lambda_{\min}(\Lambda_2)`, :math:`s_0 = \|S_0\|_2`,
:math:`\varrho` the rank of S, :math:`\bar\theta(t) \ge \|\Theta(t)(I + S_0\Theta(t))^{-1}\|_2` and :math:`p \ge
\|P(t)\|_2`:

.. math::

    \|S\|_2 \le \frac{s_0e^{-2l_2t}}{1 + s_0(1 - e^{-2l_2t})/l_2},\quad
    \operatorname{tr}S \le \frac{\tau_0e^{-2l_2t}}{1 + \tau_0(1 - e^{-2l_2t})/(\varrho l_2)},\quad
    \|H\|_F \le e^{-(l_1 + l_2)t}\|H_0\|_F,

.. math::

    \|\tilde Y\|_F \le e^{-2l_1t}(\|\tilde Y_0\|_F + \bar\theta\|H_0\|_F^2),\qquad
    \|P_{11} - \Lambda_1\|_F \le p\,\lambda_{\max}(\Lambda_1)\|\tilde Y\|_F,

with :math:`(1 - e^{-2l_2t})/l_2` read as 2t where :math:`l_2 = 0`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...exact.matrices import matrix
from ...exact.matrices import rank as rank_of
from ...learning.spectrum import Array
from .gaps import SpectralGaps
from .propagators import Stages

__all__ = ["StageConstants", "bound_stages", "measure_constants"]

_EPS = float(np.finfo(np.float64).eps)
_TINY = float(np.finfo(np.float64).tiny)

_MOST_ENTRIES = 10_000
"""Of a start whose exact rank is found; of a larger one S is taken to be there."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StageConstants:
    """Numbers of a start, computed and rounded up; those of stages that there are not are zero.

    Attributes
    ----------
    above, below : float
        Lower bounds of the smallest eigenvalues of L1 and L2; infinite where there are none.
    largest : float
        Largest eigenvalue of L1.
    s, trace, rank : float, float, int
        Norm and trace of S at the start, and an upper bound of its rank.
    h, gap : float
        Norms of H and of the gap of the inverse of P11 at the start.
    spread : float
        Upper bound of theta for all times: the inverse of the smallest eigenvalue of S, or infinite.
    size : float
        Upper bound of the norm of P at all times.
    weights, fall : ndarray
        Diagonal of S at the start times the eigenvalues of L2, and these.
    deepest : float
        Largest eigenvalue of L2.
    margin : float
        The factor by which the constants were rounded up.
    has_upper, has_spare : bool
        Whether there is a stage P11; whether S is not zero.
    """

    above: float
    below: float
    largest: float
    s: float
    trace: float
    rank: int
    h: float
    gap: float
    spread: float
    size: float
    weights: Array
    fall: Array
    deepest: float
    margin: float
    has_upper: bool
    has_spare: bool


def measure_constants(stages: Stages, x0: Array, gaps: SpectralGaps, *, is_exact_basis: bool) -> StageConstants:
    """The constants of a start that satisfies the rank condition."""
    spare, fall = stages.spare, -stages.lower
    sizes = np.linalg.svd(spare, compute_uv=False) if spare.size else np.zeros(0)
    # Ranks are counted from above: what is tiny now may be all that is left later.
    rank = min(stages.used, spare.shape[1])
    margin = _choose_margin(stages, x0, is_exact_basis=is_exact_basis)
    squares = np.sum(spare**2, axis=1)
    has_spare, has_cross = _has_spare(stages, x0), stages.has_cross
    s = _square(float(sizes.max(initial=0.0)), nonzero=has_spare)
    _, gap = stages.at(0.0)
    # S is positive definite only if each of its rows has its own direction; rounded down.
    full = len(fall) > 0 and rank == len(fall)
    least = float(sizes[-1]) ** 2 - 16 * len(fall) * _EPS * s if full else 0.0
    largest = float(stages.upper.max(initial=0.0))
    return StageConstants(
        above=np.inf if gaps.above is None else float(gaps.above) * (1 - _EPS),
        below=np.inf if gaps.below is None else float(gaps.below) * (1 - _EPS),
        largest=largest * (1 + 8 * _EPS),
        s=s * margin,
        trace=max(float(squares.sum()), s) * margin,
        rank=rank,
        h=max(float(np.linalg.norm(stages.coupling)), _TINY if has_cross else 0.0) * margin,
        gap=float(np.linalg.norm(gap)) * margin,
        spread=margin / least if least > 0 else np.inf,
        size=max(float(np.linalg.norm(x0, 2)) ** 2, largest) * margin,
        weights=fall * squares * margin,
        fall=fall,
        deepest=float(fall.max(initial=0.0)) * (1 + 8 * _EPS),
        margin=margin,
        has_upper=len(stages.upper) > 0,
        has_spare=has_spare,
    )


def _has_spare(stages: Stages, x0: Array) -> bool:
    """Whether S is not zero, which decides what is claimed for all times: where floats see none, by the exact rank."""
    k = len(stages.upper)
    if stages.spare.any() or x0.shape[1] == k or not len(stages.lower):
        return bool(stages.spare.any())
    return x0.size > _MOST_ENTRIES or rank_of(matrix(x0.tolist(), name="X0")) > k


def _square(size: float, *, nonzero: bool) -> float:
    """The square, which must not vanish where the number does not."""
    return max(size**2, _TINY) if nonzero else size**2


def _choose_margin(stages: Stages, x0: Array, *, is_exact_basis: bool) -> float:
    """By which factor the constants may be too small: a first-order bound of the errors of the start's rows."""
    lengths = np.linalg.norm(stages.triangle, axis=1)
    if not len(lengths):
        return 1 + 1e-9
    condition = float(np.linalg.norm(np.linalg.inv(stages.triangle / lengths[:, None])))
    relative = 1.0 if is_exact_basis else float(np.linalg.norm(x0) / lengths.min())
    return 1 + 1e-9 + 64 * len(x0) * _EPS * condition * relative


def bound_stages(c: StageConstants, t: Array) -> dict[str, Array]:
    """All bounds at some times, by name."""
    s, trace = bound_spare(c, t)
    # Without a stage P11 there is no H, and nothing of it in the whole.
    zero = np.zeros_like(t)
    h = c.h * np.exp(-(c.above + c.below) * t) if c.has_upper and c.h else zero
    gap, block = zero, zero
    if c.has_upper:
        theta = np.minimum(_theta(c.below, t), c.spread) if c.h else zero
        gap = np.exp(-2 * c.above * t) * (c.gap + c.h**2 * theta)
        # Both hold: through the inverse, and because 0 <= P11 <= p.
        block = c.size * c.largest * gap
    across, rest = c.size * h, trace + c.size * h**2
    # S <= E S0 E, so that tr(L2 S) falls exponentially where L2 is singular, too.
    linear = np.exp(-2 * np.multiply.outer(t, c.fall)) @ c.weights + c.deepest * c.size * h**2
    whole = np.sqrt(block**2 + 2 * across**2 + rest**2)
    found = {
        "S": s,
        "trace S": trace,
        "H": h,
        "Y": gap,
        "P11": block,
        "P": whole,
        "excess": (whole**2 + 2 * linear) / 4,
    }
    tiny = 1 + 64 * _EPS
    return {name: value * tiny + np.finfo(np.float64).tiny for name, value in found.items()}


def bound_spare(c: StageConstants, t: Array) -> tuple[Array, Array]:
    """Norm and trace of S."""
    if not c.has_spare:
        return np.zeros_like(t), np.zeros_like(t)
    theta, decay = _theta(c.below, t), np.exp(-2 * c.below * t)
    return c.s * decay / (1 + c.s * theta), c.trace * decay / (1 + c.trace * theta / c.rank)


def _theta(below: float, t: Array) -> Array:
    """``(1 - exp(-2 below t)) / below``, the norm of Theta; 2 t for a zero."""
    if np.isinf(below):
        return np.zeros_like(t)
    return np.asarray(2 * t if below == 0 else -np.expm1(-2 * below * t) / below)
