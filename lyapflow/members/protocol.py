"""What a member of a class must offer, and the checks that all members share."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..classes.curvature import read_data
from ..classes.inequalities import OperatorClass
from ..classes.interpolation import check_positive
from ..errors import DimensionError, InvalidModelError
from ..exact.rationals import rational

__all__ = [
    "Array",
    "Member",
    "check_class",
    "check_positive",
    "check_scalar",
    "check_step",
    "common_dimension",
    "freeze",
    "no_gradient",
    "no_prox",
    "no_value",
    "read_vector",
    "require_symmetric",
]

Array: TypeAlias = NDArray[np.float64]


@runtime_checkable
class Member(Protocol):
    """One concrete function or operator on R^d, evaluated in floating point.

    Any object with these five names can stand in a simulation. A method that a member cannot offer raises
    `InvalidModelError`: a nonsmooth function has no gradient, an operator no value.
    """

    @property
    def operator_class(self) -> OperatorClass:
        """A class that the member belongs to."""

    @property
    def dimension(self) -> int | None:
        """The dimension d of the space; None if the member is defined on every space."""

    def value(self, x: Array) -> float:
        """Value of the function at a point of shape (d,); infinity outside its domain."""

    def gradient(self, x: Array) -> Array:
        """Output of the oracle: the gradient of a function, the value of a single-valued operator."""

    def prox(self, x: Array, step: float) -> Array:
        """The point y with ``(x - y) / step`` in the oracle's output at y: proximal or resolvent step."""


def check_scalar(owner: str, name: str, value: object, *, minimum: int | None = None) -> Fraction:
    """The parameter as a rational, at least `minimum`."""
    number = rational(value, name=f"{owner}: {name}")
    if minimum is not None and number < minimum:
        raise InvalidModelError(f"{owner} needs {name} >= {minimum}, got {name}={number}")
    return number


def freeze(member: object, /, **fields: object) -> None:
    """Set fields of a frozen dataclass while it is being made; arrays become read-only."""
    for name, value in fields.items():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
        object.__setattr__(member, name, value)


def read_vector(owner: str, name: str, values: ArrayLike, *, infinite: bool = False) -> Array:
    """Numbers or vectors of numbers, each a new array of shape () or (d,); infinities where they are allowed."""
    raw = np.asarray(values)
    if infinite and raw.dtype.kind == "f" and raw.size and not np.isnan(raw).any():
        finite = np.isfinite(raw)
        array = read_data(np.atleast_1d(np.where(finite, raw, 0.0)), name=f"{owner}: {name}", ndim=1)
        array = np.where(np.atleast_1d(finite), array, np.atleast_1d(raw).astype(np.float64))
    else:
        array = read_data(np.atleast_1d(raw), name=f"{owner}: {name}", ndim=1)
    return array.reshape(()) if raw.ndim == 0 else array


def common_dimension(owner: str, **arrays: Array) -> int | None:
    """The one length of the vectors among the arrays; None if all are numbers."""
    lengths = {array.shape[0] for array in arrays.values() if array.ndim}
    if len(lengths) > 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise DimensionError(f"{owner} needs vectors of one length, got shapes {shapes}")
    return lengths.pop() if lengths else None


def require_symmetric(owner: str, name: str, array: Array) -> None:
    """Refuse a matrix that is not square and exactly symmetric."""
    if array.shape[0] != array.shape[1]:
        raise DimensionError(f"{owner} needs a square {name}, got shape {array.shape}")
    wrong = np.argwhere(array != array.T)
    if wrong.size:
        i, j = (int(k) for k in wrong[0])
        raise InvalidModelError(
            f"{owner} needs a symmetric {name}: {name}[{i}, {j}] = {array[i, j]} but {name}[{j}, {i}] = {array[j, i]}. "
            f"Pass ({name} + {name}.T) / 2 if this is rounding."
        )


def check_step(step: float) -> float:
    """The step of a prox, if it is positive and finite."""
    if not 0 < step < np.inf:
        raise InvalidModelError(f"a prox step needs 0 < step < infinity, got step={step}")
    return float(step)


def check_class(owner: str, operator_class: object) -> OperatorClass:
    """The class, if it is an instance of one."""
    if isinstance(operator_class, type) or not isinstance(operator_class, OperatorClass):
        raise InvalidModelError(
            f"{owner} needs operator_class to be a class of lyapflow.classes with its parameters, such as Convex(); "
            f"got {operator_class!r}"
        )
    return operator_class


def no_gradient(owner: str) -> InvalidModelError:
    """The error of a member that is not differentiable, or not single valued."""
    return InvalidModelError(f"a gradient needs a differentiable function, and {owner} is none. Use its prox instead.")


def no_value(owner: str) -> InvalidModelError:
    """The error of an operator that is not the gradient of a known function."""
    return InvalidModelError(f"a value needs a function, and {owner} is an operator. Use its gradient or its prox.")


def no_prox(owner: str, reason: str) -> InvalidModelError:
    """The error of a prox that is not single valued, or not offered."""
    return InvalidModelError(f"the prox of {owner} needs {reason}")
