"""The emergence of sparse attention: a softmax learns to look at few tokens of many, after a long plateau."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from math import log
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erfinv, expit

from ..dynamics.polynomial import PolynomialSystem
from ..errors import InvalidModelError
from ..exact.multivariate import Polynomial
from ..exact.rationals import as_text, rational
from .arguments import FixedModel, read_count, read_name, require_floats
from .equilibria import EquilibriumClass
from .spectrum import Array
from .trajectories import Trajectory, follow, read_numbers, read_state

__all__ = ["Projection", "SparseAttention"]

Projection: TypeAlias = Literal["exact", "paper"]


class SparseAttention(FixedModel):
    r"""Few numbers that follow a softmax over T tokens and a linear map, while they learn to copy the last token.

    The model is :math:`y = W\sum_t\alpha_tx_t` with :math:`\alpha = \mathrm{softmax}(a)`, the tokens are
    :math:`\mathcal N(0, I/d)`, the last B of them equal, and with probability p they are one fixed unit vector. The
    target
    is :math:`W^*x_T`. From a = 0 and W = 0 the gradient flow of the expected loss keeps to a few dimensions:
    :math:`\Delta a`, the score of a relevant token less that of another one; and the strength w of W along
    :math:`W^*`, or with p > 0 two of them, along the fixed vector and across. With s the attention that all relevant
    tokens get, :math:`s = B/((T-B)e^{-\Delta a} + B)`,

    .. math::
        V = \tfrac12\sum_k\Bigl[\frac{(1-s)^2w_k^2}{d(T-B)} + \sigma_k(sw_k - c_k)^2\Bigr], \qquad
        \dot w_k = -\frac{\partial V}{\partial w_k}, \qquad \dot{\Delta a} = -g\,\frac{\partial V}{\partial\Delta a},

    with :math:`c = \sqrt d,\ \sigma = 1/d` for p = 0, else :math:`c = (1, \sqrt{d-1})` and
    :math:`\sigma = (p + (1-p)/d, (1-p)/d)`.

    Parameters
    ----------
    T : int
        Tokens, > repetition.
    d : int
        Dimension of a token, >= 1; >= 2 with p > 0.
    repetition : int, default 1
        B, how many tokens at the end are the relevant one.
    probability : rational, default 0
        p of the fixed vector, 0 <= p < 1.
    projection : {"exact", "paper"}, default "exact"
        The gain g: 1/B + 1/(T - B), with which this is the gradient flow on all scores and W; or 1, the gradient
        flow of
        V in the plane, which is the reduced system of the paper. For B = 1 they differ by a factor T/(T - 1); for
        B > 1 they have other plateaus, and only the first one is that of the scores.

    Raises
    ------
    InvalidModelError
        If an argument is out of its range.

    Notes
    -----
    After N. Zucchet, F. d'Angelo, A. Lampinen, S. Chan, The emergence of sparse attention, arXiv 2505.17863, section 3.

    Examples
    --------
    >>> model = SparseAttention(512, 64)
    >>> model.loss([0, 0]), model.vector_field(0, [0, 0]).tolist()
    (0.5, [0.000244140625, -0.0])
    >>> round(model.emergence_time, 1)
    5133.6
    >>> list(model.equilibria())
    []
    """

    def __init__(
        self,
        T: int,
        d: int,
        *,
        repetition: int = 1,
        probability: object = 0,
        projection: Projection = "exact",
    ) -> None:
        self._T, self._d, self._B = (read_count(v, n) for n, v in (("T", T), ("d", d), ("repetition", repetition)))
        self._p = rational(probability, name="probability")
        require_floats(map(Fraction, (self._T, self._d)), "T and d")
        if self._B >= self._T:
            raise InvalidModelError(f"T must be > repetition, got T = {T} and repetition = {repetition}")
        if not 0 <= self._p < 1:
            raise InvalidModelError(f"probability must be >= 0 and < 1, got {probability!r}")
        if self._p and self._d < 2:
            raise InvalidModelError("d must be >= 2 where one vector occurs again and again, got 1")
        read_name(projection, get_args(Projection), "projection")
        self._projection: Projection = projection
        self._shift = log(self._B) - log(self._T - self._B)
        self._gain, self._noise = float(self.gain), float(self.noise)
        self._targets = np.sqrt(np.array([float(m) for m in self.sizes]))
        self._signals = np.array([float(v) for v in self.signals])

    def __repr__(self) -> str:
        p = f", probability={as_text(self._p)!r}" if self._p else ""
        how = "" if self._projection == "exact" else f", projection={self._projection!r}"
        return f"SparseAttention({self._T}, {self._d}, repetition={self._B}{p}{how})"

    @property
    def T(self) -> int:
        """Number of tokens."""
        return self._T

    @property
    def d(self) -> int:
        """Dimension of a token."""
        return self._d

    @property
    def repetition(self) -> int:
        """Number of relevant tokens, B."""
        return self._B

    @property
    def probability(self) -> Fraction:
        """How often the relevant token is the fixed vector, p."""
        return self._p

    @property
    def projection(self) -> Projection:
        """Which gain the scores have."""
        return self._projection

    @property
    def shape(self) -> tuple[int]:
        """Shape of the state: (2,) for (w, delta a), (3,) with p > 0."""
        return (len(self.sizes) + 1,)

    @property
    def gain(self) -> Fraction:
        """The g of the class's formula, exact."""
        return Fraction(1) if self._projection == "paper" else Fraction(1, self._B) + Fraction(1, self._T - self._B)

    @property
    def noise(self) -> Fraction:
        """The weight 1/(d (T - B)) of what the irrelevant tokens add, exact."""
        return Fraction(1, self._d * (self._T - self._B))

    @property
    def sizes(self) -> tuple[Fraction, ...]:
        """The squares of the targets c, exact: they add up to d."""
        return (Fraction(1), Fraction(self._d - 1)) if self._p else (Fraction(self._d),)

    @property
    def signals(self) -> tuple[Fraction, ...]:
        """The weights sigma, exact."""
        rest = (1 - self._p) / self._d
        return (self._p + rest, rest) if self._p else (rest,)

    def attention(self, x: ArrayLike) -> float:
        """What one relevant token gets of the attention, alpha = s / B."""
        return float(expit(read_state(x, self.shape)[-1] + self._shift)) / self._B

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """The time derivative of the state; t has no say."""
        return -self._metric * self._slope(read_state(x, self.shape))

    def loss(self, x: ArrayLike) -> float:
        """The expected loss; 1/2 at the start for p = 0."""
        return self._loss(x, self._signals)

    def test_loss(self, x: ArrayLike) -> float:
        """The expected loss on tokens that are never the fixed vector: the same with p = 0."""
        return self._loss(x, np.full(len(self.sizes), 1 / self._d))

    def hessian(self, x: ArrayLike) -> Array:
        """Second derivative of the loss by (w, delta a), shape (n, n)."""
        state = read_state(x, self.shape)
        w, s, u = state[:-1], *self._split(state)
        miss = s * w - self._targets
        second = self._noise * w @ w + self._signals @ w**2
        first = -u * self._noise * (w @ w) + self._signals * w @ miss
        found = np.diag(np.append(u**2 * self._noise + self._signals * s**2, (s * u) ** 2 * second))
        found[-1, -1] += s * u * (u - s) * first
        cross = s * u * (-2 * u * self._noise * w + self._signals * (2 * s * w - self._targets))
        found[:-1, -1] = found[-1, :-1] = cross
        return found

    def jacobian(self, x: ArrayLike) -> Array:
        """Derivative of the vector field, shape (n, n)."""
        return -self._metric[:, None] * self.hessian(x)

    def sharpness(self, x: ArrayLike) -> float:
        """Largest eigenvalue of the Hessian of the loss."""
        return float(np.linalg.eigvalsh(self.hessian(x))[-1])

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """What the flow conserves: nothing that is known."""
        read_state(x, self.shape)
        return {}

    def equilibria(self) -> tuple[EquilibriumClass, ...]:
        """None: no finite state is critical, see `attention_evidence.prove_no_equilibrium`."""
        return ()

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "LSODA",
        rtol: float = 1e-9,
        atol: float | None = 1e-12,
    ) -> Trajectory:
        """Integrate the flow numerically; see `SymmetricFactorization.simulate`.

        The end is slow and stiff, so that the method is one that switches to an implicit one there.
        """
        return follow(self, x0, t_eval, method=method, rtol=rtol, atol=atol)

    @property
    def growth(self) -> float:
        r"""The rate :math:`\lambda` with which (w, delta a) leaves the start, for T much larger than B.

        :math:`\sqrt B/(\sqrt d\,T)` for the exact projection, :math:`B/(\sqrt d\,T)` for the paper's.
        """
        gain = 1 if self._projection == "paper" else 1 / self._B
        return float(np.sqrt(gain) * self._B / self._T * np.linalg.norm(self._signals * self._targets))

    @property
    def emergence_time(self) -> float:
        r"""The time :math:`T^* = \sqrt{\pi/2}/\lambda` at which the early phase ends (derived).

        As long as the attention is small and w far from its target, :math:`\dot w = \lambda e^{w^2/2}` in units of
        :math:`1/\sqrt g`; its solution is infinite at this time.
        """
        return float(np.sqrt(np.pi / 2)) / self.growth

    def solve_early(self, t: ArrayLike) -> Array:
        r"""The early phase from zero in closed form: :math:`w = \sqrt{2/g}\,\mathrm{erf}^{-1}(\sqrt{2/\pi}\lambda t)`.

        Parameters
        ----------
        t : array_like, shape (m,)
            Times, 0 <= t < `emergence_time`.

        Returns
        -------
        ndarray, shape (m, n)
            States.
        """
        times = np.atleast_1d(read_numbers(t, "t"))
        if times.ndim != 1 or not np.all((times >= 0) & (times < self.emergence_time)):
            raise InvalidModelError(f"t must be >= 0 and < {self.emergence_time:.6g} in one dimension, got {t!r:.80}")
        z = np.sqrt(2) * erfinv(np.sqrt(2 / np.pi) * self.growth * times)
        gain = 1 if self._projection == "paper" else 1 / self._B
        drive = self._signals * self._targets
        return np.column_stack([np.outer(z / np.sqrt(gain), drive / np.linalg.norm(drive)), z**2 / 2])

    @cached_property
    def polynomial_system(self) -> PolynomialSystem:
        r"""The flow in rational coordinates, for exact arithmetic: :math:`v_k = w_k/c_k`, s, and :math:`u = 1 - s`.

        s is the attention to all relevant tokens; u follows it, so that no difference of near numbers is taken.
        """
        names = (*(f"v{k}" for k in range(len(self.sizes))), "s", "u")

        def field(*state: Polynomial) -> list[Polynomial]:
            *v, s, u = state
            noise, slope = self.noise, 0 * s
            for size, signal, v_k in zip(self.sizes, self.signals, v, strict=True):
                slope = slope + size * (signal * v_k * (s * v_k - 1) - noise * u * v_k**2)
            change = -self.gain * s**2 * u**2 * slope
            speeds = [
                -(noise * u**2 * v_k + signal * s * (s * v_k - 1)) for signal, v_k in zip(self.signals, v, strict=True)
            ]
            return [*speeds, change, -change]

        return PolynomialSystem.build(names, field, name=repr(self))

    @cached_property
    def polynomial_loss(self) -> Polynomial:
        """The loss in the variables of `polynomial_system`."""
        return self._write_loss(self.signals)

    @cached_property
    def polynomial_test_loss(self) -> Polynomial:
        """The loss for p = 0 in the variables of `polynomial_system`."""
        return self._write_loss(tuple(Fraction(1, self._d) for _ in self.sizes))

    @property
    def exact_start(self) -> tuple[Fraction, ...]:
        """The start at a = 0, W = 0 in the variables of `polynomial_system`."""
        s = Fraction(self._B, self._T)
        return (*(Fraction(0) for _ in self.sizes), s, 1 - s)

    def _write_loss(self, signals: tuple[Fraction, ...]) -> Polynomial:
        *v, s, u = self.polynomial_system.variables
        total = 0 * s
        for size, signal, v_k in zip(self.sizes, signals, v, strict=True):
            total = total + size * (self.noise * u**2 * v_k**2 + signal * (s * v_k - 1) ** 2)
        return total / 2

    def _split(self, state: Array) -> tuple[float, float]:
        """The attention to all relevant tokens, and to all others, each without cancellation."""
        return float(expit(state[-1] + self._shift)), float(expit(-state[-1] - self._shift))

    def _loss(self, x: ArrayLike, signals: Array) -> float:
        state = read_state(x, self.shape)
        w, s, u = state[:-1], *self._split(state)
        return float(u**2 * self._noise * (w @ w) + signals @ (s * w - self._targets) ** 2) / 2

    def _slope(self, state: Array) -> Array:
        w, s, u = state[:-1], *self._split(state)
        push = self._signals * (s * w - self._targets)
        last = s * u * (w @ push - u * self._noise * (w @ w))
        return np.append(u**2 * self._noise * w + s * push, last)

    @cached_property
    def _metric(self) -> Array:
        return np.append(np.ones(len(self.sizes)), self._gain)
