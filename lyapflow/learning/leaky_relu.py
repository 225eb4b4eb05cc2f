r"""Leaky ReLU networks on orthogonal data, exponential loss: the direction in which the weights run to infinity.

With :math:`f(x) = \sum_j a_j\phi(w_j\cdot x)`, :math:`\phi` of slope 1 and :math:`\gamma`, fixed
:math:`a_j = \pm1/\sqrt m`, half of each, and orthogonal inputs, the margin-maximising weights are
:math:`w_j = a_jz_\pm`:

.. math::
    z_+ = \sum_i\lambda_iy_ig_ix_i,\quad g_i = 1 \text{ if } y_i = 1 \text{ else } \gamma,\qquad
    z_- = \sum_i\lambda_iy_ig_i'x_i,\quad g_i' = 1 + \gamma - g_i,\qquad
    \lambda_i = \frac{2}{(1+\gamma^2)|x_i|^2}.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp, softmax

from ..errors import InvalidModelError, VerificationError
from ..exact.rationals import as_text, rational, shorten
from .arguments import FixedModel, read_count, read_row, require_floats
from .equilibria import EquilibriumClass
from .evidence import PROVED, Refutation, Verdict
from .spectrum import Array
from .trajectories import Trajectory, follow, read_state

__all__ = ["LeakyReLUNetwork", "MarginLimit", "find_margin_limit", "prove_margin_limit", "refute_low_rank"]


@dataclass(frozen=True, slots=True)
class _Stretched:
    """The same flow with entries below 0 divided by the slope; `follow` needs no more of a flow."""

    network: LeakyReLUNetwork

    @property
    def shape(self) -> tuple[int, ...]:
        return self.network.shape

    def stretch(self, x: ArrayLike) -> Array:
        w = read_state(x, self.shape, "x0")
        return np.where(w > 0, w, w / float(self.network.slope))

    def bend(self, x: ArrayLike) -> Array:
        v = np.asarray(x, dtype=float)
        return np.where(v > 0, v, float(self.network.slope) * v)

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        return self.network.push * softmax(-self.network.margins(self.bend(x)))

    def loss(self, x: ArrayLike) -> float:
        return self.network.loss(self.bend(x))


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginLimit:
    """The weights of least norm with margins 1, exactly.

    Attributes
    ----------
    plus, minus : tuple of Fraction
        :math:`z_+` and :math:`z_-`, in the basis of the inputs' directions.
    squared_norm : Fraction
        Of all weights, ``|W|^2``.
    gram : tuple of Fraction
        Squared singular values as trace and determinant of the 2x2 Gram matrix.
    """

    plus: tuple[Fraction, ...]
    minus: tuple[Fraction, ...]
    squared_norm: Fraction
    gram: tuple[Fraction, Fraction]

    @property
    def singular_values(self) -> tuple[float, float]:
        """Of the weights; there are two."""
        trace, determinant = map(float, self.gram)
        root = np.sqrt(max(trace * trace - 4 * determinant, 0.0))
        return float(np.sqrt((trace + root) / 2)), float(np.sqrt(2 * determinant / (trace + root)))

    @property
    def normalised_margin(self) -> float:
        """The margin 1 over the norm of the weights."""
        return float(self.squared_norm) ** -0.5


class LeakyReLUNetwork(FixedModel):
    r"""Training of the first layer by :math:`dW/ds = -\nabla\log\hat L`, the gradient flow in a time of its own.

    With :math:`\hat L = \frac1n\sum_i e^{-y_if(x_i)}`; :math:`dt = ds/\hat L` is the time of the flow of
    :math:`\hat L`, whose path is the same. A state holds the rows w_1, ..., w_m in the basis of the inputs' directions,
    shape (m, n).

    Parameters
    ----------
    norms : sequence of n rationals
        Lengths of the orthogonal inputs, > 0.
    labels : sequence of n of 1 and -1
        Both occur.
    slope : rational
        :math:`\gamma` of :math:`\phi`, 0 < slope < 1.
    width : int
        m, even.

    Raises
    ------
    InvalidModelError
        If a parameter is out of its range.

    Notes
    -----
    A host for Frei, Vardi, Bartlett, Srebro, Hu, arXiv 2210.07082. `loss` is :math:`\log\hat L`.

    Examples
    --------
    >>> network = LeakyReLUNetwork([1, 1], [1, -1], slope="1/2", width=2)
    >>> network.loss([[0, 0], [0, 0]])
    0.0
    >>> round(find_margin_limit(network).normalised_margin, 6)
    0.559017
    """

    def __init__(self, norms: Sequence[object], labels: Sequence[int], *, slope: object, width: int) -> None:
        self.norms, signs = read_row(norms, "norms"), read_row(labels, "labels")
        self.slope = rational(slope, name="slope")
        if len(self.norms) != len(signs) or len(self.norms) < 2:
            raise InvalidModelError(
                f"there must be a label for each of two or more inputs, got {len(signs)} for {len(self.norms)}"
            )
        if min(self.norms) <= 0 or set(signs) != {1, -1}:
            raise InvalidModelError("norms must be > 0, and labels 1 and -1, both present")
        self.labels = tuple(map(int, signs))
        require_floats((*self.norms, self.slope), "norms and slope")
        if not 0 < self.slope < 1:
            raise InvalidModelError(f"slope must be in (0, 1), got {self.slope}")
        self.width = read_count(width, "width", least=2)
        if width % 2:
            raise InvalidModelError(f"width must be an even integer >= 2, got {width!r}")
        self._norms, self._labels = np.array(self.norms, dtype=float), np.array(self.labels, dtype=float)
        self._outer = np.repeat([1.0, -1.0], width // 2) / np.sqrt(width)
        self.push = self._outer[:, None] * (self._labels * self._norms)
        self.push.flags.writeable = False

    def __repr__(self) -> str:
        norms, labels = (", ".join(map(shorten, map(Fraction, v))) for v in (self.norms, self.labels))
        return f"LeakyReLUNetwork([{norms}], [{labels}], slope={self.slope}, width={self.width})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the state, (m, n)."""
        return self.width, len(self.norms)

    def margins(self, x: ArrayLike) -> Array:
        """The y_i f(x_i), shape (n,)."""
        seen = read_state(x, self.shape) * self._norms
        return self._labels * (self._outer @ np.where(seen > 0, seen, float(self.slope) * seen))

    def loss(self, x: ArrayLike) -> float:
        """The logarithm of the mean exponential loss."""
        return float(logsumexp(-self.margins(x)) - np.log(len(self.norms)))

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """The derivative by s, minus the gradient of the loss; at a kink that of the slope below."""
        state = read_state(x, self.shape)
        active = np.where(state > 0, 1.0, float(self.slope))
        return self.push * active * softmax(-self.margins(state))

    def jacobian(self, x: ArrayLike) -> Array:
        """Derivative of the vector field away from kinks, shape (m n, m n)."""
        state = read_state(x, self.shape)
        share = softmax(-self.margins(state))
        slopes = self.push * np.where(state > 0, 1.0, float(self.slope))
        rows = np.zeros((state.size, len(share)))  # the derivative of margin i by the weights
        for i in range(len(share)):
            part = np.zeros(self.shape)
            part[:, i] = slopes[:, i]
            rows[:, i] = part.ravel()
        return -rows @ (np.diag(share) - np.outer(share, share)) @ rows.T

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """None are known."""
        return {}

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "LSODA",
        rtol: float = 1e-9,
        atol: float | None = None,
    ) -> Trajectory:
        r"""Integrate in coordinates in which the field has no jumps, so that no step size stalls at a kink.

        Entries below 0 are divided by the slope: each entry then moves with the speed
        :math:`a_jp_iy_i|x_i|`, on both sides of its kink, and keeps its direction for ever.

        Raises
        ------
        SimulationError
            If the integrator gives up.
        """
        within = _Stretched(self)
        path = follow(within, within.stretch(x0), t_eval, method=method, rtol=rtol, atol=rtol if atol is None else atol)
        return replace(path, x=within.bend(path.x), flow=self)

    def equilibria(self) -> tuple[EquilibriumClass, ...]:
        """None: the loss falls for ever, towards minus infinity."""
        return ()


def find_margin_limit(network: LeakyReLUNetwork) -> MarginLimit:
    """The weights of least norm among those with margins 1, in closed form."""
    g = network.slope
    factor = [2 / ((1 + g * g) * v * v) for v in network.norms]
    plus = tuple(
        lam * y * (1 if y > 0 else g) * v for lam, y, v in zip(factor, network.labels, network.norms, strict=True)
    )
    minus = tuple(
        lam * y * (g if y > 0 else 1) * v for lam, y, v in zip(factor, network.labels, network.norms, strict=True)
    )
    a, b, c = (sum((p * q for p, q in zip(u, v, strict=True)), Fraction(0)) for u, v in _pairs(plus, minus))
    return MarginLimit(plus=plus, minus=minus, squared_norm=(a + c) / 2, gram=((a + c) / 2, (a * c - b * b) / 4))


def prove_margin_limit(network: LeakyReLUNetwork) -> tuple[Verdict, ...]:
    r"""The weights of `find_margin_limit` satisfy the Karush-Kuhn-Tucker conditions, and their rank is two.

    All margins are 1, the multipliers are positive, and each neuron is
    :math:`w_j = a_j\sum_i\lambda_iy_i\phi'(w_j\cdot x_i)x_i`; checked in rational arithmetic for one neuron of each
    sign.

    Raises
    ------
    VerificationError
        If a condition fails.

    Examples
    --------
    >>> network = LeakyReLUNetwork([1, "6/5", "4/5", "3/2", 1], [1, 1, -1, 1, -1], slope="3/10", width=10)
    >>> for verdict in prove_margin_limit(network):
    ...     print(verdict.statement.partition(" (L")[0])
    KKT point of min |W|^2 with margins >= 1: all margins are 1, |W|^2 = 16925/1962
    the weights of this KKT point have rank 2
    """
    limit, g = find_margin_limit(network), network.slope

    def bend(v: Fraction) -> Fraction:
        return v if v > 0 else g * v

    margins, stationary = set(), True
    for k, (y, norm) in enumerate(zip(network.labels, network.norms, strict=True)):
        plus, minus = limit.plus[k] * norm, limit.minus[k] * norm
        margins.add(y * (bend(plus) - bend(-minus)) / 2)  # sum over neurons of a_j phi(a_j z x), |a_j|^2 = 1/m
        lam = 2 / ((1 + g * g) * norm * norm)
        slopes = [Fraction(1) if v > 0 else g for v in (plus, -minus)]
        stationary &= limit.plus[k] == lam * y * slopes[0] * norm and limit.minus[k] == lam * y * slopes[1] * norm
    if margins != {Fraction(1)} or not stationary or not limit.gram[1]:
        raise VerificationError("a condition fails", inequality="KKT conditions", witness=tuple(sorted(margins)))
    expected = 2 / (1 + g * g) * sum((1 / (v * v) for v in network.norms), Fraction(0))
    if limit.squared_norm != expected:
        raise VerificationError("the norm is another one", inequality="norm", witness=limit.squared_norm)
    return (
        Verdict(
            statement=f"KKT point of min |W|^2 with margins >= 1: all margins are 1, |W|^2 = "
            f"{shorten(limit.squared_norm)} ({network!r})",
            reason="w_j = a_j z_+ or a_j z_-, z_+ and z_- as sums of lambda_i y_i phi'(w_j x_i) x_i with lambda_i > 0; "
            "|W|^2 = 2/(1 + slope^2) sum 1/|x_i|^2",
            standing=PROVED,
        ),
        Verdict(
            statement=f"the weights of this KKT point have rank 2 ({network!r})",
            reason=f"all neurons are multiples of z_+ or z_-; the determinant of their Gram matrix is "
            f"{shorten(4 * limit.gram[1])}",
            standing=PROVED,
        ),
    )


def refute_low_rank(network: LeakyReLUNetwork) -> Refutation:
    r"""Refute that the KKT point of the margins has rank one: :math:`z_+` and :math:`z_-` are not parallel.

    Raises
    ------
    VerificationError
        If they are.
    """
    limit = find_margin_limit(network)
    first = next(k for k, y in enumerate(network.labels) if y > 0)
    other = next(k for k, y in enumerate(network.labels) if y < 0)
    minor = limit.plus[first] * limit.minus[other] - limit.plus[other] * limit.minus[first]
    if not minor:
        raise VerificationError("z_+ and z_- are parallel", inequality="rank one", witness=minor)
    return Refutation(
        statement=f"the weights of the KKT point of the margins have one direction, rank 1 ({network!r})",
        witness=f"the minor of z_+ and z_- at the inputs {first + 1} and {other + 1} is {as_text(minor)}",
        standing=PROVED,
    )


def _pairs(plus: tuple[Fraction, ...], minus: tuple[Fraction, ...]) -> list[tuple[tuple[Fraction, ...], ...]]:
    return [(plus, plus), (plus, minus), (minus, minus)]
