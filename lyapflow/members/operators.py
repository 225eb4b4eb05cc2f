"""Operators that need not be gradients: linear maps, and the static nonlinearities of control theory."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ..classes.curvature import read_data
from ..classes.functions import ConvexIndicator, SupportFunction
from ..classes.inequalities import EQUILIBRIUM, Inequality, OperatorClass, read_inequalities
from ..classes.intersection import Intersection
from ..classes.operators import Lipschitz, Monotone, StronglyMonotone
from ..classes.sectors import SectorBounded, SlopeRestricted, StaticSector
from ..errors import DimensionError, InvalidModelError
from ..exact import matrices
from ..exact.definite import is_positive_semidefinite
from ..exact.elementary import bound_sqrt_above
from ..exact.gram import find_eigenvalue_bound, is_bounded_below
from ..exact.matrices import Matrix
from .newton import solve_entrywise, solve_linear
from .profiles import PROFILES, find_profile
from .protocol import Array, check_class, check_scalar, check_step, freeze, no_prox, no_value

__all__ = ["LinearMap", "SectorNonlinearity", "SlopeNonlinearity"]


@dataclass(frozen=True, eq=False, init=False)
class LinearMap:
    """The operator ``u = M y``, symmetric or not.

    Parameters
    ----------
    matrix : array_like, shape (d, d)
        The matrix M; its doubles count at their exact values.

    Attributes
    ----------
    operator_class : StronglyMonotone, Monotone or Lipschitz
        By the symmetric part S of M: strongly monotone with a proved modulus, monotone where S is positive
        semidefinite and no more can be proved, otherwise Lipschitz with a proved constant. `belongs_to` decides every
        other class.

    Examples
    --------
    >>> rotation = LinearMap([[0, -1], [1, 0]])
    >>> rotation.operator_class
    Monotone()
    >>> from lyapflow.classes import Cocoercive, Lipschitz
    >>> rotation.belongs_to(Lipschitz(1)), rotation.belongs_to(Cocoercive(1))
    (True, False)
    """

    matrix: Array
    operator_class: Monotone | StronglyMonotone | Lipschitz = field(init=False)

    def __init__(self, matrix: ArrayLike) -> None:
        array = read_data(matrix, name="LinearMap: matrix")
        if array.shape[0] != array.shape[1]:
            raise DimensionError(f"LinearMap needs a square matrix, got shape {array.shape}")
        freeze(self, matrix=array, operator_class=_linear_class(array))

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return len(self.matrix)

    def belongs_to(self, operator_class: OperatorClass) -> bool:
        """Whether the map satisfies a class, decided exactly.

        A map that is not symmetric belongs to no class of functions. For a class of functions the map is taken as the
        gradient of ``x'Mx/2``.
        """
        return _is_linear_member(self.matrix, check_class("LinearMap.belongs_to", operator_class))

    def value(self, x: Array) -> float:
        """Refused: an operator has none."""
        raise no_value("LinearMap")

    def gradient(self, x: Array) -> Array:
        """``M x``."""
        return self.matrix @ x

    def prox(self, x: Array, step: float) -> Array:
        """Resolvent: the solution y of ``(I + step M) y = x``.

        Raises
        ------
        InvalidModelError
            If M is not monotone and ``I + step M`` is singular.
        """
        try:
            return solve_linear(np.eye(len(self.matrix)) + check_step(step) * self.matrix, x)
        except np.linalg.LinAlgError:
            raise no_prox("LinearMap", f"I + step M to be invertible, and it is singular at step={step}") from None


def _linear_class(array: Array) -> Monotone | StronglyMonotone | Lipschitz:
    exact = matrices.matrix(array.tolist(), name="LinearMap: matrix")
    symmetric = _symmetric_part(exact)
    eigenvalues = np.linalg.eigvalsh((array + array.T) / 2)
    size = float(np.abs(eigenvalues).max())
    modulus = find_eigenvalue_bound(symmetric, float(eigenvalues[0]), upper=False, size=size)
    if modulus is not None and modulus > 0:
        return StronglyMonotone(modulus)
    if is_bounded_below(symmetric, Fraction(0)):
        return Monotone()
    gram = matrices.multiply(matrices.transpose(exact), exact)
    square = find_eigenvalue_bound(gram, float(np.linalg.norm(array, 2)) ** 2, upper=True)
    if square is None:
        raise InvalidModelError("LinearMap needs a matrix with entries of a common scale, near 1")
    return Lipschitz(bound_sqrt_above(square))


def _symmetric_part(m: Matrix) -> Matrix:
    return matrices.scale(Fraction(1, 2), matrices.add(m, matrices.transpose(m)))


def _is_linear_member(array: Array, known: OperatorClass) -> bool:
    if isinstance(known, Intersection):
        return all(_is_linear_member(array, part) for part in known.parts)
    exact = matrices.matrix(array.tolist())
    if isinstance(known, ConvexIndicator | SupportFunction):
        return not array.any()
    if known.has_values and exact != matrices.transpose(exact):
        return False
    if isinstance(known, SlopeRestricted | StaticSector) and np.count_nonzero(array - np.diag(np.diag(array))):
        return False
    inequalities = read_inequalities(known, ("t", EQUILIBRIUM))
    return all(is_positive_semidefinite(_quadratic_form(i, exact)) for i in inequalities)


def _quadratic_form(inequality: Inequality, m: Matrix) -> Matrix:
    """The inequality along ``u = M y``, as a symmetric matrix of a quadratic form in y."""
    n = len(m)
    maps = {"y": matrices.identity(n), "u": m}
    terms = [matrices.zeros(n, n)]
    for ((first, _), (second, _)), weight in inequality.products:
        product = matrices.multiply(matrices.transpose(maps[first]), maps[second])
        terms.append(matrices.scale(weight, _symmetric_part(product)))
    for _, weight in inequality.values:
        terms.append(matrices.scale(weight / 2, m))
    return matrices.add(*terms)


@dataclass(frozen=True, slots=True)
class SlopeNonlinearity:
    r"""A smooth static nonlinearity, applied entry by entry, with slopes between two bounds and output 0 at 0.

    With a profile :math:`\psi` of slope between 0 and 1,
    :math:`u_i = l\,y_i + (U-l)\,(\psi'(y_i - o) - \psi'(-o))`: saturation for the Huber profile, a smooth one for
    the others.

    Parameters
    ----------
    lower, upper : rational
        Bounds l and U of the slope, ``lower < upper``.
    profile : {"log-cosh", "huber", "hyperbola", "one-sided"}, default "log-cosh"
        Convex function whose derivative is the shape of the nonlinearity.
    offset : rational, default 0
        Shift o along the axis; the shape is lopsided where it is not 0.

    Examples
    --------
    >>> saturation = SlopeNonlinearity(0, 1, "huber")
    >>> saturation.gradient(np.array([0.5, 7.0]))
    array([0.5, 1. ])
    """

    lower: Fraction
    upper: Fraction
    profile: str = "log-cosh"
    offset: Fraction = Fraction(0)

    dimension = None

    def __post_init__(self) -> None:
        find_profile("SlopeNonlinearity", self.profile)
        slopes = SlopeRestricted(self.lower, self.upper)
        offset = check_scalar("SlopeNonlinearity", "offset", self.offset)
        freeze(self, lower=slopes.lower, upper=slopes.upper, offset=offset)

    @property
    def operator_class(self) -> SlopeRestricted:
        """Slopes between the bounds."""
        return SlopeRestricted(self.lower, self.upper)

    def value(self, x: Array) -> float:
        """Sum of the integrals of the nonlinearity from 0 to each entry."""
        profile, offset = PROFILES[self.profile], np.asarray(-float(self.offset))
        bent = profile.value(x + offset) - profile.value(offset) - profile.slope(offset) * x
        return float(self.lower) * float(x @ x) / 2 + float(self.upper - self.lower) * float(bent.sum())

    def gradient(self, x: Array) -> Array:
        """The nonlinearity, entry by entry."""
        profile, offset = PROFILES[self.profile], np.asarray(-float(self.offset))
        return float(self.lower) * x + float(self.upper - self.lower) * (
            profile.slope(x + offset) - profile.slope(offset)
        )

    def slope(self, x: Array) -> Array:
        """The derivative at each entry, a generalised one at kinks."""
        bent = PROFILES[self.profile].curvature(x - float(self.offset))
        return float(self.lower) + float(self.upper - self.lower) * bent

    def prox(self, x: Array, step: float) -> Array:
        """Resolvent, entry by entry.

        Raises
        ------
        InvalidModelError
            If ``1 + step * lower <= 0``: there may be several.
        """
        if 1 + check_step(step) * float(self.lower) <= 0:
            raise no_prox("SlopeNonlinearity", f"1 + step * lower > 0, got step={step} and lower={self.lower}")
        return solve_entrywise(self.gradient, self.slope, x, step, (float(self.lower), float(self.upper)))


@dataclass(frozen=True, slots=True)
class SectorNonlinearity:
    r"""A static nonlinearity that wanders through its whole sector: :math:`u = (l + (U - l)\,s)\,y`, ``0 <= s <= 1``.

    The gain :math:`s = (1 + \cos(\omega r + \theta))/2` depends on the size of each entry, or of the whole vector.
    It lies in the sector whatever its slope, which is unbounded as the frequency grows.

    Parameters
    ----------
    lower, upper : rational
        Slopes l and U of the sector, ``lower < upper``.
    frequency : rational, default 1
        :math:`\omega`.
    phase : rational, default 0
        :math:`\theta`.
    radial : bool, default False
        Whether one gain, by the norm of the vector, applies to all entries.

    Examples
    --------
    >>> SectorNonlinearity(-1, 1).gradient(np.array([0.0, np.pi]))
    array([ 0.        , -3.14159265])
    """

    lower: Fraction
    upper: Fraction
    frequency: Fraction = Fraction(1)
    phase: Fraction = Fraction(0)
    radial: bool = False

    dimension = None

    def __post_init__(self) -> None:
        bounds = SectorBounded(self.lower, self.upper)
        frequency = check_scalar("SectorNonlinearity", "frequency", self.frequency)
        phase = check_scalar("SectorNonlinearity", "phase", self.phase)
        freeze(self, lower=bounds.lower, upper=bounds.upper, frequency=frequency, phase=phase)

    @property
    def operator_class(self) -> SectorBounded:
        """The sector."""
        return SectorBounded(self.lower, self.upper)

    def value(self, x: Array) -> float:
        """Refused: an operator has none."""
        raise no_value("SectorNonlinearity")

    def gradient(self, x: Array) -> Array:
        """The nonlinearity at x."""
        radius = np.linalg.norm(x) if self.radial else np.abs(x)
        gain = (1 + np.cos(float(self.frequency) * radius + float(self.phase))) / 2
        return np.asarray((float(self.lower) + float(self.upper - self.lower) * gain) * x)

    def prox(self, x: Array, step: float) -> Array:
        """Refused: the nonlinearity is not monotone."""
        raise no_prox("SectorNonlinearity", "a monotone operator, and it is none. Use its gradient instead.")
