"""A chain of scalar linear layers, and gradient descent on it with steps of any size."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InvalidModelError
from ..exact.rationals import as_text, rational
from .arguments import FixedModel, read_count, read_positive, require_floats
from .equilibria import EquilibriumClass
from .spectrum import Array
from .trajectories import Trajectory, follow, read_state

__all__ = ["LinearChain", "multiply_others"]

_FAR = 1e8
"""An iterate as large as this is counted as gone."""


class LinearChain(FixedModel):
    r"""The loss :math:`V = \tfrac12(w_1\cdots w_N - y)^2`, its gradient flow, and :math:`w^+ = w - \eta\nabla V`.

    Parameters
    ----------
    N : int
        Layers, >= 2.
    target : rational
        y, > 0.

    Raises
    ------
    InvalidModelError
        If an argument is out of its range.

    Notes
    -----
    The setting is that of A. Craciun, D. Ghoshdastidar, On the stability of gradient descent for large learning rate,
    arXiv 2402.13108. At a minimum the Hessian has the eigenvalue :math:`\sum_i(y/w_i)^2` and N - 1 zeros, those of the
    manifold of minima; by the inequality of the means the first is at least :math:`Ny^{2-2/N}`, and equal to it where
    all :math:`|w_i|` are.

    Examples
    --------
    >>> chain = LinearChain(3, 2)
    >>> round(chain.critical_step, 6), round(chain.sharpness(chain.balanced_minimum), 6)
    (0.264567, 7.559526)
    >>> chain.exceeds_critical("0.264"), chain.exceeds_critical("0.265")
    (False, True)
    """

    def __init__(self, N: int, target: object) -> None:
        self._N, self._y = read_count(N, "N", least=2), rational(target, name="target")
        require_floats((self._y,), "target")
        if self._y <= 0:
            raise InvalidModelError(f"target must be > 0, got {target!r}; turn the sign of a weight for one below")

    def __repr__(self) -> str:
        return f"LinearChain({self._N}, {as_text(self._y)})"

    @property
    def N(self) -> int:
        """Number of layers."""
        return self._N

    @property
    def target(self) -> Fraction:
        """The y, exact."""
        return self._y

    @property
    def shape(self) -> tuple[int]:
        """Shape of the state, (N,)."""
        return (self._N,)

    @property
    def least_sharpness(self) -> float:
        """The smallest sharpness of a minimum, N y^(2 - 2/N)."""
        return float(self._N * float(self._y) ** (2 - 2 / self._N))

    @property
    def critical_step(self) -> float:
        """The step 2/(N y^(2 - 2/N)) from which on no minimum is stable."""
        return 2 / self.least_sharpness

    @property
    def balanced_minimum(self) -> Array:
        """The minimum whose weights are equal, shape (N,)."""
        return np.full(self._N, float(self._y) ** (1 / self._N))

    def exceeds_critical(self, step: object) -> bool:
        """Whether a rational step is greater than the critical one, exactly: both sides to the power N."""
        eta = rational(step, name="step")
        if eta <= 0:
            raise InvalidModelError(f"step must be > 0, got {step!r}")
        return (eta * self._N) ** self._N * self._y ** (2 * self._N - 2) > 2**self._N

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """Minus the gradient of the loss; t has no say."""
        w = read_state(x, self.shape)
        return (float(self._y) - np.prod(w)) * multiply_others(w)

    def loss(self, x: ArrayLike) -> float:
        """Half the squared error of the product."""
        return float((np.prod(read_state(x, self.shape)) - float(self._y)) ** 2) / 2

    def hessian(self, x: ArrayLike) -> Array:
        """Second derivative of the loss, shape (N, N)."""
        w = read_state(x, self.shape)
        slope = multiply_others(w)
        found = np.outer(slope, slope)
        miss = float(np.prod(w)) - float(self._y)
        for i in range(self._N):
            for j in range(i):
                pair = float(np.prod(np.delete(w, [i, j])))
                found[i, j] += miss * pair
                found[j, i] += miss * pair
        return found

    def jacobian(self, x: ArrayLike) -> Array:
        """Derivative of the vector field, minus the Hessian; shape (N, N)."""
        return -self.hessian(x)

    def sharpness(self, x: ArrayLike) -> float:
        """Largest eigenvalue of the Hessian."""
        return float(np.linalg.eigvalsh(self.hessian(x))[-1])

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """What the flow conserves, and steps do not: ``balance``, the differences of squares of neighbours."""
        return {"balance": np.diff(read_state(x, self.shape) ** 2)}

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

    def iterate(self, x0: ArrayLike, step: float, count: int) -> Array:
        """Iterates of gradient descent, shape (count + 1, N); not a number from where they are gone."""
        count, step = read_count(count, "count", least=0), read_positive(step, "step")
        found = np.full((count + 1, self._N), np.nan)
        found[0] = read_state(x0, self.shape, "x0")
        for k in range(count):
            if not np.all(np.abs(found[k]) < _FAR):
                break
            found[k + 1] = found[k] + step * self.vector_field(0.0, found[k])
        return found

    def equilibria(self) -> tuple[EquilibriumClass, ...]:
        """The minima, described at a balanced one, and the origin, a strict saddle for N = 2 only."""
        y, N = float(self._y), self._N
        saddle = ((y, 1), (-y, 1)) if N == 2 else ((0.0, N),)
        return (
            EquilibriumClass(
                kind="minimum",
                selection=((y, 1),),
                spectrum=((0.0, N - 1), (-self.least_sharpness, 1)),
                loss=0.0,
                dimension=N - 1,
            ),
            EquilibriumClass(
                kind="strict saddle" if N == 2 else "nonstrict saddle",
                selection=(),
                spectrum=saddle,
                loss=y**2 / 2,
                dimension=max(0, N - 2),
            ),
        )


def multiply_others(w: Array) -> Array:
    """The product of all other entries along the last axis, for each entry."""
    one = np.ones((*w.shape[:-1], 1))
    before = np.cumprod(np.concatenate([one, w[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([one, w[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return np.asarray(before * after)
