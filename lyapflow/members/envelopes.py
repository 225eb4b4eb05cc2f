r"""Envelopes of nonsmooth problems as smooth functions: Moreau, forward-backward, Douglas-Rachford.

They have the minimum of the problem that they envelop, can be evaluated, differentiated and drawn, and are storage
functions of splitting flows; see `lyapflow.lmi.metric` for the inequalities between them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from ..classes import OperatorClass, Quadratic, SmoothConvex, SmoothStronglyConvex
from ..classes.interpolation import check_positive
from ..errors import DimensionError, InvalidModelError
from .protocol import Array, Member, check_step, freeze, no_prox

__all__ = ["DouglasRachfordEnvelope", "ForwardBackwardEnvelope", "InMetric", "MoreauEnvelope"]

_Bounds: TypeAlias = tuple[Fraction, Fraction]


@dataclass(frozen=True, eq=False, init=False)
class MoreauEnvelope:
    r"""The Moreau envelope :math:`M(x) = \min_y g(y) + \tfrac1{2\gamma}|x - y|^2` of a convex function.

    Parameters
    ----------
    g : Member
        A convex function with a prox.
    step : rational
        :math:`\gamma > 0`.

    Attributes
    ----------
    operator_class : SmoothConvex
        With ``L = 1/step``.

    Examples
    --------
    >>> from lyapflow.members import L1Norm
    >>> M = MoreauEnvelope(L1Norm(), "1/2")
    >>> M.value(np.array([2.0, 0.1])), M.gradient(np.array([2.0, 0.1]))
    (1.76, array([1. , 0.2]))
    """

    g: Member
    step: Fraction
    operator_class: SmoothConvex

    def __init__(self, g: Member, step: object) -> None:
        gamma = check_positive("MoreauEnvelope", "step", step)
        freeze(self, g=g, step=gamma, operator_class=SmoothConvex(1 / gamma))

    @property
    def dimension(self) -> int | None:
        """That of g."""
        return self.g.dimension

    def value(self, x: Array) -> float:
        """``g(y) + |x - y|^2 / (2 step)`` at the prox point y."""
        y = self.g.prox(x, float(self.step))
        return self.g.value(y) + float((x - y) @ (x - y)) / (2 * float(self.step))

    def gradient(self, x: Array) -> Array:
        """``(x - prox(x)) / step``."""
        return np.asarray((x - self.g.prox(x, float(self.step))) / float(self.step))

    def prox(self, x: Array, step: float) -> Array:
        """On the way to a longer prox of g."""
        total = check_step(step) + float(self.step)
        return np.asarray(x + step / total * (self.g.prox(x, total) - x))


@dataclass(frozen=True, eq=False, init=False)
class _SplittingEnvelope(ABC):
    """What the envelopes of the two splittings share: f, g, the step, and the metric in which they are F(mu, L)."""

    f: Member
    g: Member
    step: Fraction
    operator_class: OperatorClass
    metric_class: OperatorClass

    def __init__(self, f: Member, g: Member, step: object) -> None:
        owner = type(self).__name__
        gamma, known = check_positive(owner, "step", step), f.operator_class
        if not isinstance(known, Quadratic) or gamma * known.L >= 1:
            raise InvalidModelError(
                f"{owner} needs a quadratic f, such as a QuadraticFunction, and step * L < 1, got step={gamma} and f "
                f"of class {known!r}"
            )
        plain, in_metric = self._bound(known.mu, known.L, gamma)
        freeze(self, f=f, g=g, step=gamma, operator_class=_curved(*plain), metric_class=_curved(*in_metric))

    @staticmethod
    @abstractmethod
    def _bound(mu: Fraction, L: Fraction, gamma: Fraction) -> tuple[_Bounds, _Bounds]:
        """Curvature of the envelope in the Euclidean norm, and in its metric."""

    @property
    def dimension(self) -> int | None:
        """That of f, or of g."""
        return self.g.dimension if self.f.dimension is None else self.f.dimension

    def hessian_of_f(self, dimension: int) -> Array:
        """Q, column by column: the gradient of f is affine."""
        origin = self.f.gradient(np.zeros(dimension))
        Q = np.array([self.f.gradient(e) - origin for e in np.eye(dimension)])
        return (Q + Q.T) / 2

    @abstractmethod
    def weights(self, eigenvalues: Array) -> Array:
        """Eigenvalues of W from those of Q."""

    @abstractmethod
    def split(self, x: Array) -> tuple[Array, Array, Array]:
        """The point at which f is evaluated, its gradient there, and the prox point of g."""

    def metric(self, dimension: int) -> Array:
        """W, in whose inner product the generalised gradient is the gradient."""
        q, U = np.linalg.eigh(self.hessian_of_f(dimension))
        return np.asarray((U * self.weights(q)) @ U.T)

    def generalised_gradient(self, x: Array) -> Array:
        """G(x): the gradient in the metric."""
        point, _, y = self.split(x)
        return np.asarray((point - y) / float(self.step))

    def gradient(self, x: Array) -> Array:
        """``W G(x)``."""
        return np.asarray(self.metric(len(x)) @ self.generalised_gradient(x))

    def value(self, x: Array) -> float:
        """``f(p) + <grad f(p), y - p> + g(y) + |y - p|^2 / (2 step)`` at the two points of the splitting."""
        point, slope, y = self.split(x)
        move = y - point
        return float(self.f.value(point) + slope @ move + self.g.value(y) + (move @ move) / (2 * float(self.step)))

    def prox(self, x: Array, step: float) -> Array:
        """Not offered."""
        raise no_prox(type(self).__name__, "a formula, which is not known")

    def in_metric(self, dimension: int | None = None) -> InMetric:
        """The same function in the coordinates ``W^(1/2) x``, where its inner product is the Euclidean one."""
        size = self.dimension if dimension is None else dimension
        if size is None:
            raise DimensionError("in_metric needs a dimension, for neither f nor g has one")
        q, U = np.linalg.eigh(self.hessian_of_f(size))
        root = np.sqrt(self.weights(q))
        return InMetric(self, np.asarray((U * root) @ U.T), np.asarray((U / root) @ U.T))


@dataclass(frozen=True, eq=False, init=False)
class ForwardBackwardEnvelope(_SplittingEnvelope):
    r"""The forward-backward envelope of ``f + g`` with quadratic f.

    .. math:: J(x) = f(x) - \tfrac\gamma2|\nabla f(x)|^2 + M(x - \gamma\nabla f(x))

    with the Moreau envelope M of g.

    Parameters
    ----------
    f : Member
        Of class `Quadratic(mu, L)`.
    g : Member
        A convex function with a prox.
    step : rational
        :math:`\gamma` in ``(0, 1/L)``.

    Attributes
    ----------
    operator_class : OperatorClass
        In the Euclidean norm.
    metric_class : OperatorClass
        In the norm of ``W = I - step Q``: F(mu, 1/step).

    Examples
    --------
    >>> from lyapflow.members import L1Norm, QuadraticFunction
    >>> J = ForwardBackwardEnvelope(QuadraticFunction([[2, 0], [0, 1]], [-4, 0]), L1Norm(), "1/4")
    >>> J.value(np.array([1.5, 0.0])), J.generalised_gradient(np.array([1.5, 0.0]))
    (-2.25, array([0., 0.]))
    >>> J.metric_class
    SmoothStronglyConvex(mu=Fraction(1, 1), L=Fraction(4, 1))
    """

    @staticmethod
    def _bound(mu: Fraction, L: Fraction, gamma: Fraction) -> tuple[_Bounds, _Bounds]:
        low = min(q * (1 - gamma * q) for q in (mu, L))
        return (low, (1 - gamma * mu) / gamma), (mu, 1 / gamma)

    def weights(self, eigenvalues: Array) -> Array:
        """``1 - step q``."""
        return np.asarray(1 - float(self.step) * eigenvalues)

    def split(self, x: Array) -> tuple[Array, Array, Array]:
        """X itself, and the prox after a gradient step."""
        slope = self.f.gradient(x)
        return x, slope, self.g.prox(x - float(self.step) * slope, float(self.step))


@dataclass(frozen=True, eq=False, init=False)
class DouglasRachfordEnvelope(_SplittingEnvelope):
    r"""The Douglas-Rachford envelope of ``f + g`` with quadratic f.

    The forward-backward envelope at :math:`\mathrm{prox}_{\gamma f}(z)`.

    Parameters
    ----------
    f : Member
        Of class `Quadratic(mu, L)`.
    g : Member
        A convex function with a prox.
    step : rational
        :math:`\gamma` in ``(0, 1/L)``.

    Attributes
    ----------
    operator_class : OperatorClass
        In the Euclidean norm.
    metric_class : OperatorClass
        In the norm of ``W = 2 (I + step Q)^-1 - I``: F(mu/(1 + step mu), 1/(step (1 + step mu))).
    """

    @staticmethod
    def _bound(mu: Fraction, L: Fraction, gamma: Fraction) -> tuple[_Bounds, _Bounds]:
        low = min(q * (1 - gamma * q) / (1 + gamma * q) ** 2 for q in (mu, L))
        shrunk = 1 + gamma * mu
        return (low, (1 - gamma * mu) / (gamma * shrunk**2)), (mu / shrunk, 1 / (gamma * shrunk))

    def weights(self, eigenvalues: Array) -> Array:
        """``(1 - step q) / (1 + step q)``."""
        scaled = float(self.step) * eigenvalues
        return np.asarray((1 - scaled) / (1 + scaled))

    def split(self, x: Array) -> tuple[Array, Array, Array]:
        """The prox point of f, and that of g at its reflection."""
        gamma = float(self.step)
        point = self.f.prox(x, gamma)
        return point, np.asarray((x - point) / gamma), self.g.prox(2 * point - x, gamma)


def _curved(mu: Fraction, L: Fraction) -> OperatorClass:
    return SmoothStronglyConvex(mu, L) if mu > 0 else SmoothConvex(L)


@dataclass(frozen=True, eq=False)
class InMetric:
    """An envelope in the coordinates ``W^(1/2) x``; made by its `in_metric`.

    Attributes
    ----------
    envelope : ForwardBackwardEnvelope or DouglasRachfordEnvelope
        The function.
    root, inverse_root : ndarray, shape (d, d)
        The root of W, and its inverse.
    """

    envelope: _SplittingEnvelope
    root: Array
    inverse_root: Array

    @property
    def operator_class(self) -> OperatorClass:
        """That of the envelope in its metric."""
        return self.envelope.metric_class

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return len(self.root)

    def value(self, x: Array) -> float:
        """That of the envelope."""
        return self.envelope.value(self.inverse_root @ x)

    def gradient(self, x: Array) -> Array:
        """The generalised gradient in these coordinates."""
        return np.asarray(self.root @ self.envelope.generalised_gradient(self.inverse_root @ x))

    def prox(self, x: Array, step: float) -> Array:
        """Not offered."""
        return self.envelope.prox(x, step)
