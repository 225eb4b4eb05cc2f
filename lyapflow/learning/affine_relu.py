"""A shallow ReLU network of one variable, fitted to an affine function on the unit interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DimensionError, InvalidModelError
from ..exact.matrices import Matrix
from ..exact.rationals import as_text, rational
from .arguments import FixedModel, read_count, read_row, require_floats
from .equilibria import EquilibriumClass
from .spectrum import Array
from .trajectories import Trajectory, follow, read_numbers, read_state

__all__ = ["AffineReLU"]


class AffineReLU(FixedModel):
    r"""The gradient flow of the mean square between a shallow ReLU network and an affine function.

    .. math:: V = \int_0^1\Bigl(c + \sum_j v_j(w_jx + b_j)_+ - \alpha x - \beta\Bigr)^2dx .

    A state is one row of numbers: w, b, v, each of N, and c. All integrals are those of piecewise quadratic
    functions, so
    that loss, gradient and Hessian at rational states are rational, and exact.

    Parameters
    ----------
    N : int
        Neurons, >= 1.
    alpha : rational
        Slope of the target, not 0.
    beta : rational, default 0
        Its value at 0.

    Raises
    ------
    InvalidModelError
        If an argument is out of its range.

    Notes
    -----
    The setting is that of P. Cheridito, A. Jentzen, F. Rossmannek, arXiv 2208.02083 and 2103.10922. Critical points
    other
    than minima whose n breakpoints are active have a residual that is a zigzag of n + 1 equal teeth, n even, and the
    loss
    :math:`\alpha^2/(12(n+1)^4)`. A neuron with w = 0 is off for b <= 0.

    Examples
    --------
    >>> model = AffineReLU(2, "1.3", "0.4")
    >>> point = model.zigzag(2)
    >>> model.exact_loss(point), set(model.exact_gradient(point))
    (Fraction(169, 97200), {Fraction(0, 1)})
    """

    def __init__(self, N: int, alpha: object, beta: object = 0) -> None:
        self._N, self._alpha, self._beta = (
            read_count(N, "N"),
            rational(alpha, name="alpha"),
            rational(beta, name="beta"),
        )
        require_floats((self._alpha, self._beta), "alpha and beta")
        if not self._alpha:
            raise InvalidModelError("alpha must not be 0: the bias alone fits a constant")

    def __repr__(self) -> str:
        return f"AffineReLU({self._N}, {as_text(self._alpha)!r}, {as_text(self._beta)!r})"

    @property
    def N(self) -> int:
        """Number of neurons."""
        return self._N

    @property
    def alpha(self) -> Fraction:
        """Slope of the target."""
        return self._alpha

    @property
    def beta(self) -> Fraction:
        """Value of the target at 0."""
        return self._beta

    @property
    def shape(self) -> tuple[int]:
        """Shape of the state, (3N + 1,)."""
        return (3 * self._N + 1,)

    @property
    def threshold(self) -> Fraction:
        r"""The least critical loss above 0 with active breakpoints, :math:`\alpha^2/(12(2\lfloor N/2\rfloor+1)^4)`.

        Cheridito, Jentzen and Rossmannek guarantee global convergence from a limiting loss below it.
        """
        return self.critical_loss(2 * (self._N // 2))

    def critical_loss(self, count: int) -> Fraction:
        """The loss of a zigzag with an even number of breakpoints."""
        if read_count(count, "count", least=0) % 2:
            raise InvalidModelError(f"a zigzag has an even number of breakpoints >= 0, got {count}")
        return self._alpha**2 / (12 * Fraction(count + 1) ** 4)

    def zigzag(self, count: int) -> tuple[Fraction, ...]:
        """The critical point with so many breakpoints, one for each of the first neurons; the others are off.

        Breakpoints are at i/(n + 1); odd ones look right, with v = 2 alpha/(n + 1), even ones left, with minus that.
        """
        self.critical_loss(count)
        if count > self._N:
            raise InvalidModelError(f"count must be at most the {self._N} neurons, got {count}")
        side = [Fraction((-1) ** (i + 1)) for i in range(1, count + 1)]
        rest = self._N - count
        w = [*side, *[Fraction(0)] * rest]
        b = [*(-e * Fraction(i, count + 1) for i, e in enumerate(side, start=1)), *[Fraction(-1)] * rest]
        v = [*(e * 2 * self._alpha / (count + 1) for e in side), *[Fraction(0)] * rest]
        values = [*w, *b, *v, Fraction(0)]
        # the bias c that makes the mean of the residual zero
        return (*values[:-1], -sum((a * m0 + q * m1 for a, q, _, (m0, m1, _) in self._pieces(values)), Fraction(0)))

    def minimum(self) -> tuple[Fraction, ...]:
        """A global minimum: one neuron that is on everywhere, the others off."""
        rest = self._N - 1
        zeros, minus = [Fraction(0)] * rest, [Fraction(-1)] * rest
        return (Fraction(1), *zeros, Fraction(1), *minus, self._alpha, *zeros, self._beta - self._alpha)

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """Minus the gradient of the loss; t has no say."""
        return -np.array(self._slope(read_state(x, self.shape).tolist()), dtype=float)

    def loss(self, x: ArrayLike) -> float:
        """The integral of the squared residual."""
        return float(self._loss(read_state(x, self.shape).tolist()))

    def hessian(self, x: ArrayLike) -> Array:
        """Second derivative of the loss, shape (n, n), where no neuron has w = 0 and a breakpoint at 0 or 1."""
        return np.array(self._curvature(read_state(x, self.shape).tolist()), dtype=float)

    def jacobian(self, x: ArrayLike) -> Array:
        """Derivative of the vector field, minus the Hessian; shape (n, n)."""
        return -self.hessian(x)

    def exact_loss(self, x: Sequence[object]) -> Fraction:
        """The loss at a rational state."""
        return rational(self._loss(self._read_exactly(x)))

    def exact_gradient(self, x: Sequence[object]) -> tuple[Fraction, ...]:
        """The gradient at a rational state."""
        return tuple(self._slope(self._read_exactly(x)))

    def exact_hessian(self, x: Sequence[object]) -> Matrix:
        """The Hessian at a rational state."""
        return tuple(map(tuple, self._curvature(self._read_exactly(x))))

    def residual(self, x: ArrayLike, at: ArrayLike) -> Array:
        """Network less target at places of the interval."""
        state, place = read_state(x, self.shape), read_numbers(at, "at")
        w, b, v = state[:-1].reshape(3, self._N)
        fitted = np.maximum(np.multiply.outer(place, w) + b, 0) @ v + state[-1]
        return np.asarray(fitted - float(self._alpha) * place - float(self._beta))

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """What the flow conserves: ``balance``, v_j^2 - w_j^2 - b_j^2 of each neuron."""
        w, b, v = read_state(x, self.shape)[:-1].reshape(3, self._N)
        return {"balance": v**2 - w**2 - b**2}

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "LSODA",
        rtol: float = 1e-8,
        atol: float | None = 1e-10,
    ) -> Trajectory:
        """Integrate the flow numerically, which is continuous with kinks; see `SymmetricFactorization.simulate`."""
        return follow(self, x0, t_eval, method=method, rtol=rtol, atol=atol)

    def equilibria(self) -> tuple[EquilibriumClass, ...]:
        """The minima, described at `minimum`, and the zigzags with 2, 4, ... breakpoints; spectra are computed."""
        found = [self._describe("minimum", self.minimum(), 0)]
        found += [self._describe("strict saddle", self.zigzag(n), n) for n in range(2, self._N + 1, 2)]
        return tuple(found)

    def _describe(self, kind: str, point: tuple[Fraction, ...], count: int) -> EquilibriumClass:
        values = np.linalg.eigvalsh(-np.array(self.exact_hessian(point), dtype=float))
        size = np.abs(values).max()
        values = np.where(np.abs(values) < 1e-12 * size, 0.0, values)
        spectrum: dict[float, int] = {}
        for value in values[::-1].tolist():
            spectrum[value + 0.0] = spectrum.get(value + 0.0, 0) + 1
        breaks = tuple((i / (count + 1), 1) for i in range(1, count + 1))
        loss = float(self.exact_loss(point))
        return EquilibriumClass(kind=kind, selection=breaks, spectrum=tuple(spectrum.items()), loss=loss, dimension=0)

    def _read_exactly(self, x: Sequence[object]) -> list[Any]:
        state = read_row(x, "x")
        if len(state) != self.shape[0]:
            raise DimensionError(f"x must have {self.shape[0]} entries, got {len(state)}")
        return list(state)

    @cached_property
    def _targets(self) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        return (self._alpha, self._beta), (float(self._alpha), float(self._beta))

    def _pieces(self, x: list[Any]) -> Iterator[tuple[Any, Any, list[int], tuple[Any, Any, Any]]]:
        """Where the residual is affine: its value at 0, its slope, the neurons that are on, moments."""
        exact = isinstance(x[-1], Fraction)
        alpha, beta = self._targets[0 if exact else 1]
        one = Fraction(1) if exact else 1.0
        N = self._N
        w, b, v = x[:N], x[N : 2 * N], x[2 * N : 3 * N]
        breaks = {-b[j] / w[j] for j in range(N) if w[j] and 0 < -b[j] / w[j] < 1}
        ends = [0 * one, *sorted(breaks), one]
        for low, high in pairwise(ends):
            middle = (low + high) / 2
            on = [j for j in range(N) if w[j] * middle + b[j] > 0]
            value = x[-1] - beta + sum((v[j] * b[j] for j in on), 0 * one)
            slope = sum((v[j] * w[j] for j in on), 0 * one) - alpha
            yield value, slope, on, (high - low, (high**2 - low**2) / 2, (high**3 - low**3) / 3)

    def _loss(self, x: list[Any]) -> Any:
        return sum(a * a * m0 + 2 * a * q * m1 + q * q * m2 for a, q, _, (m0, m1, m2) in self._pieces(x))

    def _integrate(self, x: list[Any]) -> tuple[list[Any], list[Any], Any]:
        """Integrals of the residual and of x times it over the places where each neuron is on, and over all."""
        N = self._N
        plain, weighted, whole = [0 * x[-1]] * N, [0 * x[-1]] * N, 0 * x[-1]
        for a, q, on, (m0, m1, m2) in self._pieces(x):
            whole = whole + a * m0 + q * m1
            for j in on:
                plain[j] = plain[j] + a * m0 + q * m1
                weighted[j] = weighted[j] + a * m1 + q * m2
        return plain, weighted, whole

    def _slope(self, x: list[Any]) -> list[Any]:
        N = self._N
        w, b, v = x[:N], x[N : 2 * N], x[2 * N : 3 * N]
        plain, weighted, whole = self._integrate(x)
        by_v = [2 * (w[j] * weighted[j] + b[j] * plain[j]) for j in range(N)]
        by_w, by_b = ([2 * v[j] * r[j] for j in range(N)] for r in (weighted, plain))
        return [*by_w, *by_b, *by_v, 2 * whole]

    def _curvature(self, x: list[Any]) -> list[list[Any]]:
        N, size = self._N, self.shape[0]
        w, b, v = x[:N], x[N : 2 * N], x[2 * N : 3 * N]
        zero = 0 * x[-1]
        found = [[zero] * size for _ in range(size)]
        for _, _, on, (m0, m1, m2) in self._pieces(x):  # derivatives of the network: affine on each piece
            parts = {size - 1: (zero + 1, zero)}
            for j in on:
                parts |= {j: (zero, v[j]), N + j: (v[j], zero), 2 * N + j: (b[j], w[j])}
            for i, (a, q) in parts.items():
                for k, (c, p) in parts.items():
                    found[i][k] = found[i][k] + 2 * (a * c * m0 + (a * p + q * c) * m1 + q * p * m2)
        plain, weighted, _ = self._integrate(x)
        for j in range(N):
            for i, r in ((j, weighted[j]), (N + j, plain[j])):
                found[i][2 * N + j] = found[i][2 * N + j] + 2 * r
                found[2 * N + j][i] = found[2 * N + j][i] + 2 * r
            if not w[j] or not 0 < -b[j] / w[j] < 1:
                continue
            place = -b[j] / w[j]  # the breakpoint moves with w and b
            push = 2 * v[j] * self._residual_at(x, place) / abs(w[j])
            for i, e in ((j, place), (N + j, zero + 1)):
                for k, f in ((j, place), (N + j, zero + 1)):
                    found[i][k] = found[i][k] + push * e * f
        return found

    def _residual_at(self, x: list[Any], place: Any) -> Any:
        N = self._N
        alpha, beta = self._targets[0 if isinstance(x[-1], Fraction) else 1]
        heights = ((x[j] * place + x[N + j], x[2 * N + j]) for j in range(N))
        return x[-1] - alpha * place - beta + sum((v * h for h, v in heights if h > 0), 0 * place)
