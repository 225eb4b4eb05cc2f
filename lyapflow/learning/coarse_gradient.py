r"""Training through a step: two linear layers around a quantised activation, by a coarse gradient.

The network :math:`v^\top\sigma(Zw)`, :math:`\sigma` the step at 0 and Z of independent standard normal entries, is
trained against :math:`v_\star, w_\star`. The step has no useful derivative, so that of another function stands in its
place. With :math:`\theta` the angle of w and :math:`w_\star`, the loss and the expected coarse gradients have closed
forms (Yin, Lyu, Zhang, Osher, Qi, Xin, arXiv 1903.05662).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InvalidModelError, SimulationError, VerificationError
from ..exact.rationals import as_text, rational
from .arguments import FixedModel, read_name, read_row, require_floats
from .equilibria import EquilibriumClass
from .evidence import PROVED, Refutation, Verdict
from .spectrum import Array
from .trajectories import Trajectory, follow, read_state

__all__ = ["CoarseGradientFlow", "Estimator", "prove_vanishing", "refute_identity_estimator", "refute_potential"]

Estimator: TypeAlias = Literal["relu", "identity"]


class CoarseGradientFlow(FixedModel):
    r"""Gradient flow in v, coarse gradient flow in w.

    .. math::
        f = \tfrac18\left[v^\top Kv - 2v^\top\left(K - \tfrac{2\theta}\pi I\right)v_\star
        + v_\star^\top Kv_\star\right], \qquad K = I + 11^\top,

    :math:`\dot v = -\partial f/\partial v`, and :math:`\dot w = -g`, with unit vectors :math:`\hat w, \hat w_\star`,

    .. math::
        g_{\mathrm{relu}} = \frac1{\sqrt{2\pi}}\left[\tfrac12\left(v^\top Kv - v^\top(11^\top - I)v_\star\right)\hat w
        - v^\top v_\star\cos\tfrac\theta2\,\frac{\hat w + \hat w_\star}{|\hat w + \hat w_\star|}\right],
        \qquad
        g_{\mathrm{id}} = \frac{|v|^2\hat w - v^\top v_\star\hat w_\star}{\sqrt{2\pi}}.

    Along both the loss falls: :math:`\partial f/\partial w\cdot g` is :math:`(v^\top v_\star)^2\sin\theta/|w|` over
    :math:`2(2\pi)^{3/2}` and :math:`(2\pi)^{3/2}`.

    Parameters
    ----------
    outer : sequence of m rationals
        :math:`v_\star`, m >= 2, not 0.
    inner : sequence of n rationals
        :math:`w_\star`, n >= 2, not 0.
    estimator : {"relu", "identity"}, default "relu"
        Whose derivative stands in for that of the step.

    Raises
    ------
    InvalidModelError
        If an argument is out of its range.

    Examples
    --------
    >>> flow = CoarseGradientFlow([1, 2], [1, 0])
    >>> flow.loss([1, 2, 3, 0])
    0.0
    >>> round(flow.loss([1, 2, 0, 1]), 6)
    1.25
    """

    def __init__(self, outer: Sequence[object], inner: Sequence[object], *, estimator: Estimator = "relu") -> None:
        self.outer, self.inner = (read_row(values, name) for values, name in ((outer, "outer"), (inner, "inner")))
        require_floats((*self.outer, *self.inner), "outer and inner")
        if min(len(self.outer), len(self.inner)) < 2 or not any(self.outer) or not any(self.inner):
            raise InvalidModelError("outer and inner must have two or more entries, not all 0")
        read_name(estimator, get_args(Estimator), "estimator")
        self.estimator: Estimator = estimator
        self._v = np.array(self.outer, dtype=float)
        self._w = np.array(self.inner, dtype=float) / np.linalg.norm(np.array(self.inner, dtype=float))

    def __repr__(self) -> str:
        return (
            f"CoarseGradientFlow([{', '.join(map(as_text, self.outer))}], [{', '.join(map(as_text, self.inner))}], "
            f"estimator={self.estimator!r})"
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the state: v, then w."""
        return (len(self.outer) + len(self.inner),)

    def split(self, x: ArrayLike) -> tuple[Array, Array]:
        """The v and the w of a state.

        Raises
        ------
        InvalidModelError
            If w = 0, where nothing is defined.
        """
        state = read_state(x, self.shape)
        v, w = state[: len(self.outer)], state[len(self.outer) :]
        if not np.any(w):
            raise InvalidModelError("w must not be 0: it has no direction there")
        return v, w

    def angle(self, x: ArrayLike) -> float:
        """Of w and the target, in [0, pi]; accurate near both ends."""
        _, w = self.split(x)
        unit = w / np.linalg.norm(w)
        return float(2 * np.arctan2(np.linalg.norm(unit - self._w), np.linalg.norm(unit + self._w)))

    def loss(self, x: ArrayLike) -> float:
        """Half the expected squared error."""
        v, _ = self.split(x)
        away, share = v - self._v, self.angle(x) / np.pi
        return float((away @ away + np.sum(away) ** 2 + 4 * share * (v @ self._v)) / 8)

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """The time derivative of the state; t has no say."""
        v, w = self.split(x)
        target, theta, unit = self._v, self.angle(x), w / np.linalg.norm(w)
        slope = (v - target + np.sum(v - target) + 2 * theta / np.pi * target) / 4
        if self.estimator == "identity":
            coarse = (v @ v) * unit - (v @ target) * self._w
        else:
            between = unit + self._w
            size = np.linalg.norm(between)
            height = v @ v + np.sum(v) ** 2 - np.sum(v) * np.sum(target) + v @ target
            turn = (v @ target) * np.cos(theta / 2) * between / size if size else 0.0
            coarse = height / 2 * unit - turn
        return -np.concatenate([slope, coarse / np.sqrt(2 * np.pi)])

    def decrease(self, x: ArrayLike) -> float:
        """The time derivative of the loss, in closed form; never positive."""
        v, w = self.split(x)
        n, factor = len(v), 1.0 if self.estimator == "identity" else 0.5
        slope = self.vector_field(0.0, x)[:n]
        along = (v @ self._v) ** 2 * np.sin(self.angle(x)) / ((2 * np.pi) ** 1.5 * np.linalg.norm(w))
        return float(-slope @ slope - factor * along)

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """None are known."""
        return {}

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "DOP853",
        rtol: float = 1e-9,
        atol: float | None = None,
    ) -> Trajectory:
        """Integrate the flow numerically; see `SymmetricFactorization.simulate`.

        Raises
        ------
        SimulationError
            If w runs into 0, which the coarse gradient of the identity brings about in finite time: see
            `find_collapse_time`.
        """
        least = 1e-9 * float(np.linalg.norm(self.split(x0)[1]))
        path = follow(_Guarded(self, least), x0, t_eval, method=method, rtol=rtol, atol=atol)
        return replace(path, flow=self)

    def find_collapse_time(self, size: object) -> Fraction | None:
        r"""When w, against the target with that norm, vanishes, times :math:`1/\sqrt{2\pi}`, with the v of `opposite`.

        Under the coarse gradient of the identity \|w\| falls there with the speed
        :math:`(|v|^2 + v^\top v_\star)/\sqrt{2\pi}`, and v rests. None where it does not fall; under that of the ReLU
        it never does.
        """
        start = rational(size, name="size")
        if start <= 0:
            raise InvalidModelError(f"size must be > 0, got {start}: it is the norm of w at the start")
        if self.estimator == "relu":
            return None
        speed = _dot(self.opposite, self.opposite) + _dot(self.opposite, self.outer)
        return start / speed if speed > 0 else None

    def equilibria(self) -> tuple[EquilibriumClass, ...]:
        r"""The minima, w along the target, and the points of `opposite` with w against it; the loss has kinks at both.

        Beside the second ones it changes like :math:`-v^\top v_\star/2\pi` times the angle from the kink: they are
        local minima, with a loss above 0, if :math:`v^\top v_\star < 0`, which is decided exactly, and saddles if not.
        """
        spurious = np.array(self.opposite, dtype=float)
        against = self.loss(np.concatenate([spurious, -self._w]))
        kind = "minimum" if _dot(self.opposite, self.outer) < 0 else "nonstrict saddle"
        return (
            EquilibriumClass(kind="minimum", selection=(), spectrum=(), loss=0.0, dimension=1),
            EquilibriumClass(kind=kind, selection=(), spectrum=(), loss=against, dimension=1),
        )

    @property
    def opposite(self) -> tuple[Fraction, ...]:
        r"""The v for which the loss is least with w against the target, exact: :math:`K^{-1}(11^\top - I)v_\star`."""
        m, total = len(self.outer), sum(self.outer, Fraction(0))
        right = [total - v for v in self.outer]
        share = sum(right, Fraction(0)) / (m + 1)  # K^-1 = I - 11'/(m + 1)
        return tuple(r - share for r in right)


@dataclass(frozen=True, slots=True)
class _Guarded:
    """The flow, that stops before w has no direction."""

    flow: CoarseGradientFlow
    least: float

    @property
    def shape(self) -> tuple[int, ...]:
        return self.flow.shape

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        if np.linalg.norm(self.flow.split(x)[1]) <= self.least:
            raise SimulationError(f"w runs into 0 at t = {t:.9g}, where it has no direction; stop before")
        return self.flow.vector_field(t, x)

    def loss(self, x: ArrayLike) -> float:
        return self.flow.loss(x)


def prove_vanishing(flow: CoarseGradientFlow) -> Verdict:
    r"""That the coarse gradient of the ReLU vanishes at the minima and where w is against the target, v best for it.

    The loss has no gradient in w there: along w it is constant, and across it has a kink.

    Raises
    ------
    VerificationError
        If it does not.

    Examples
    --------
    >>> prove_vanishing(CoarseGradientFlow([1, 2], [1, 0])).standing
    'proved'
    """
    heights = [_height(flow.outer, flow.outer) - 2 * _dot(flow.outer, flow.outer), _height(flow.opposite, flow.outer)]
    slopes = [b + sum(flow.opposite) - (sum(flow.outer) - a) for a, b in zip(flow.outer, flow.opposite, strict=True)]
    if any(heights) or any(slopes):
        raise VerificationError("it does not vanish", inequality="coarse gradient", witness=(heights, slopes))
    return Verdict(
        statement=f"the coarse gradient of the ReLU is 0 at the minima, and where w is against the target and v best "
        f"for it ([{', '.join(map(as_text, flow.outer))}], [{', '.join(map(as_text, flow.inner))}])",
        reason=f"its coefficient is 0 at v = v* and at v = ({', '.join(map(as_text, flow.opposite))}), where df/dv = 0",
        standing=PROVED,
    )


def refute_identity_estimator(flow: CoarseGradientFlow) -> Refutation | None:
    """Refute that the coarse gradient of the identity vanishes where w is against the target and v best for it.

    The loss does not change along w there, and across it has a kink: a coarse gradient along w lowers nothing.

    Returns
    -------
    Refutation or None
        None if it does for these weights.

    Examples
    --------
    >>> print(refute_identity_estimator(CoarseGradientFlow([1, 2], [1, 0])).witness)
    v = (1, 0): df/dv = 0, the loss does not change along w, and sqrt(2 pi) g = 2 w/|w|
    """
    v = flow.opposite
    size = _dot(v, v) + _dot(v, flow.outer)
    if not size:
        return None
    return Refutation(
        statement="the coarse gradient of the identity vanishes where w is against the target and v best for it "
        f"([{', '.join(map(as_text, flow.outer))}], [{', '.join(map(as_text, flow.inner))}])",
        witness=f"v = ({', '.join(map(as_text, v))}): df/dv = 0, the loss does not change along w, and sqrt(2 pi) g = "
        f"{as_text(size)} w/|w|",
        standing=PROVED,
    )


def refute_potential(flow: CoarseGradientFlow) -> Refutation:
    r"""Refute that the field of the flow, with the estimator that it has, is the gradient of a function.

    The gradient in v does not depend on \|w\|; so in a gradient field the part of g along w would not depend on v.

    Examples
    --------
    >>> print(refute_potential(CoarseGradientFlow([1, 2], [1, 0])).witness)
    w along the target, v = 0: d(sqrt(2 pi) g w/|w|)/dv = (-2, -5/2), and d(df/dv)/d|w| = 0
    """
    total = sum(flow.outer, Fraction(0))
    slope = tuple(-v if flow.estimator == "identity" else -(total + v) / 2 for v in flow.outer)
    if not any(slope):  # only for outer weights that are all 0
        raise VerificationError("the slopes agree there", inequality="potential", witness=slope)
    return Refutation(
        statement=f"the coarse gradient flow descends a function as its gradient flow ({flow!r})",
        witness=f"w along the target, v = 0: d(sqrt(2 pi) g w/|w|)/dv = ({', '.join(map(as_text, slope))}), and "
        "d(df/dv)/d|w| = 0",
        standing=PROVED,
    )


def _dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))


def _height(v: Sequence[Fraction], target: Sequence[Fraction]) -> Fraction:
    """Twice the coefficient of w/|w| in the coarse gradient of the ReLU, but for the turning part."""
    return _dot(v, v) + sum(v) ** 2 - sum(v) * sum(target) + _dot(v, target)
