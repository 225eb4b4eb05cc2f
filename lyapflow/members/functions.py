"""Quadratic functions and the losses of data fitting: least squares and logistic."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ..classes.curvature import Curvature, curvature, read_data
from ..classes.functions import SmoothConvex, SmoothStronglyConvex
from ..classes.special import Quadratic
from ..errors import DimensionError, InvalidModelError
from ..exact import matrices
from ..exact.gram import find_eigenvalue_bound, is_bounded_below
from .newton import solve_linear, solve_prox
from .protocol import Array, check_step, freeze, require_symmetric

__all__ = ["LeastSquares", "LogisticLoss", "QuadraticFunction"]


@dataclass(frozen=True, eq=False, init=False)
class QuadraticFunction:
    r"""The convex quadratic :math:`f(x) = \tfrac12 x^\top Q x + b^\top x`.

    Parameters
    ----------
    Q : array_like, shape (d, d)
        Hessian: symmetric, positive semidefinite and not zero.
    b : array_like, shape (d,), optional
        Linear term; 0 by default.

    Attributes
    ----------
    operator_class : Quadratic
        ``Quadratic(mu, L)`` with bounds of the spectrum proved for the doubles in Q; mu = 0 where Q is singular, or so
        nearly that no short mu > 0 can be proved.

    Raises
    ------
    DimensionError
        If the shapes do not fit.
    InvalidModelError
        If Q is not symmetric, is zero, or is not positive semidefinite (decided exactly).

    Examples
    --------
    >>> f = QuadraticFunction([[2, 0], [0, 1]], [-2, 0])
    >>> f.operator_class
    Quadratic(mu=Fraction(1, 1), L=Fraction(2, 1))
    >>> f.gradient(np.array([1.0, 1.0]))
    array([0., 1.])
    """

    Q: Array
    b: Array
    operator_class: Quadratic = field(init=False)

    def __init__(self, Q: ArrayLike, b: ArrayLike | None = None) -> None:
        hessian = read_data(Q, name="QuadraticFunction: Q")
        require_symmetric("QuadraticFunction", "Q", hessian)
        linear = np.zeros(len(hessian)) if b is None else read_data(b, name="QuadraticFunction: b", ndim=1)
        if linear.shape != (len(hessian),):
            raise DimensionError(f"QuadraticFunction needs b of shape ({len(hessian)},), got shape {linear.shape}")
        freeze(self, Q=hessian, b=linear, operator_class=_quadratic_class(hessian))

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return len(self.Q)

    def value(self, x: Array) -> float:
        """``x'Qx/2 + b'x``."""
        return float(x @ (self.Q @ x) / 2 + self.b @ x)

    def gradient(self, x: Array) -> Array:
        """``Qx + b``."""
        return self.Q @ x + self.b

    def prox(self, x: Array, step: float) -> Array:
        """Solution y of ``(I + step Q) y = x - step b``."""
        step = check_step(step)
        return solve_linear(np.eye(len(self.Q)) + step * self.Q, x - step * self.b)


def _quadratic_class(hessian: Array) -> Quadratic:
    exact = matrices.matrix(hessian.tolist(), name="QuadraticFunction: Q")
    eigenvalues = np.linalg.eigvalsh(hessian)
    low, size = float(eigenvalues[0]), float(np.abs(eigenvalues).max())
    if not is_bounded_below(exact, Fraction(0)):
        raise InvalidModelError(
            f"QuadraticFunction needs Q to be positive semidefinite, but it is not; its smallest eigenvalue is about "
            f"{low:.3g}. If this is rounding, add a multiple of the identity."
        )
    upper = find_eigenvalue_bound(exact, float(eigenvalues[-1]), upper=True)
    if not upper:
        raise InvalidModelError("QuadraticFunction needs a Q that is not zero, with entries of a common scale")
    lower = find_eigenvalue_bound(exact, low, upper=False, size=size)
    return Quadratic(max(lower or Fraction(0), Fraction(0)), upper)


@dataclass(frozen=True, eq=False, init=False)
class LeastSquares:
    r"""The least-squares loss :math:`f(x) = \tfrac1{2n}|Ax-b|^2 + \tfrac{\text{ridge}}2|x|^2`.

    Parameters
    ----------
    A : array_like, shape (n, d)
        Data, one observation a row.
    b : array_like, shape (n,)
        Responses.
    ridge : rational, default 0
        Coefficient of the quadratic penalty, >= 0.
    mean : bool, default True
        Whether to divide by n.

    Attributes
    ----------
    curvature : Curvature
        Moduli, proved from the doubles in A.
    operator_class : SmoothStronglyConvex or SmoothConvex
        The class with these moduli.

    Examples
    --------
    >>> f = LeastSquares([[1, 0], [0, 2]], [1, 2], mean=False)
    >>> f.operator_class
    SmoothStronglyConvex(mu=Fraction(1, 1), L=Fraction(4, 1))
    >>> f.value(np.array([1.0, 1.0]))
    0.0
    """

    A: Array
    b: Array
    ridge: Fraction
    mean: bool
    curvature: Curvature = field(init=False, repr=False)

    def __init__(self, A: ArrayLike, b: ArrayLike, *, ridge: object = 0, mean: bool = True) -> None:
        data, response = _read_pairs("LeastSquares", A, b, "b")
        found = curvature(data, ridge=ridge, mean=mean)
        freeze(self, A=data, b=response, ridge=found.ridge, mean=mean, curvature=found)

    @property
    def operator_class(self) -> SmoothConvex | SmoothStronglyConvex:
        """The class with the proved moduli."""
        return self.curvature.function_class()

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return self.A.shape[1]

    @property
    def _weight(self) -> float:
        return 1 / len(self.b) if self.mean else 1.0

    def value(self, x: Array) -> float:
        """The loss at x."""
        residual = self.A @ x - self.b
        return float(self._weight * (residual @ residual) + float(self.ridge) * (x @ x)) / 2

    def gradient(self, x: Array) -> Array:
        """``A'(Ax - b)/n + ridge x``."""
        return self._weight * (self.A.T @ (self.A @ x - self.b)) + float(self.ridge) * x

    def prox(self, x: Array, step: float) -> Array:
        """Solution of the regularised normal equations."""
        step = check_step(step)
        hessian = self._weight * (self.A.T @ self.A)
        shifted = step * hessian + (1 + step * float(self.ridge)) * np.eye(self.dimension)
        return solve_linear(shifted, x + step * self._weight * (self.A.T @ self.b))


@dataclass(frozen=True, eq=False, init=False)
class LogisticLoss:
    r"""The logistic loss :math:`f(x)=\tfrac1n\sum_i\log(1+e^{-b_i\langle a_i,x\rangle})+\tfrac{\text{ridge}}2|x|^2`.

    Parameters
    ----------
    A : array_like, shape (n, d)
        Data, one observation :math:`a_i` a row.
    labels : array_like, shape (n,)
        Labels :math:`b_i`, each -1 or +1.
    ridge : rational, default 0
        Coefficient of the quadratic penalty, >= 0.
    mean : bool, default True
        Whether to divide by n.

    Attributes
    ----------
    curvature : Curvature
        Moduli, proved from the doubles in A.

    Examples
    --------
    >>> f = LogisticLoss([[2.0], [-2.0]], [1, -1], ridge="1/10")
    >>> f.operator_class
    SmoothStronglyConvex(mu=Fraction(1, 10), L=Fraction(11, 10))
    >>> f.gradient(np.zeros(1))
    array([-1.])
    """

    A: Array
    labels: Array
    ridge: Fraction
    mean: bool
    curvature: Curvature = field(init=False, repr=False)

    def __init__(self, A: ArrayLike, labels: ArrayLike, *, ridge: object = 0, mean: bool = True) -> None:
        data, signs = _read_pairs("LogisticLoss", A, labels, "labels")
        if not np.all(np.abs(signs) == 1):
            raise InvalidModelError(
                f"LogisticLoss needs labels that are -1 or +1, got {np.unique(signs)[:5].tolist()}. "
                "Labels 0 and 1 become -1 and +1 by 2 * labels - 1."
            )
        found = curvature(data, loss="logistic", ridge=ridge, mean=mean)
        freeze(self, A=data, labels=signs, ridge=found.ridge, mean=mean, curvature=found)

    @property
    def operator_class(self) -> SmoothConvex | SmoothStronglyConvex:
        """The class with the proved moduli."""
        return self.curvature.function_class()

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return self.A.shape[1]

    @property
    def _weight(self) -> float:
        return 1 / len(self.labels) if self.mean else 1.0

    def _misfit(self, x: Array) -> tuple[Array, Array]:
        """Margins, and the logistic function of their negatives, without overflow."""
        margins = self.labels * (self.A @ x)
        return margins, np.exp(-np.logaddexp(0.0, margins))

    def value(self, x: Array) -> float:
        """The loss at x, without overflow."""
        losses = np.logaddexp(0.0, -self.labels * (self.A @ x))
        return float(self._weight * losses.sum() + float(self.ridge) * (x @ x) / 2)

    def gradient(self, x: Array) -> Array:
        """``-A'(labels * sigmoid(-margins))/n + ridge x``."""
        _, misfit = self._misfit(x)
        return -self._weight * (self.A.T @ (self.labels * misfit)) + float(self.ridge) * x

    def hessian(self, x: Array) -> Array:
        """Second derivative, shape (d, d)."""
        _, misfit = self._misfit(x)
        bent = self.A * (misfit * (1 - misfit))[:, None]
        return self._weight * (self.A.T @ bent) + float(self.ridge) * np.eye(self.dimension)

    def prox(self, x: Array, step: float) -> Array:
        """Proximal point, by Newton's method."""
        return solve_prox(self.value, self.gradient, self.hessian, x, check_step(step))


def _read_pairs(owner: str, A: ArrayLike, b: ArrayLike, name: str) -> tuple[Array, Array]:
    data = read_data(A, name=f"{owner}: A")
    response = read_data(b, name=f"{owner}: {name}", ndim=1)
    if len(response) != len(data):
        raise DimensionError(
            f"{owner} needs one entry of {name} for each of the {len(data)} rows of A, got {len(response)}"
        )
    return data, response
