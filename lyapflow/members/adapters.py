"""Members from other packages: any proximal operator of PyProximal plugs in here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..classes.inequalities import OperatorClass
from ..errors import InvalidModelError, MissingDependencyError
from .protocol import Array, check_class, check_step, no_gradient

__all__ = ["ProximalAdapter", "from_pyproximal"]


@dataclass(frozen=True, eq=False)
class ProximalAdapter:
    """A proximal operator of PyProximal, seen as a member. Made by `from_pyproximal`.

    Attributes
    ----------
    operator : pyproximal.ProxOperator
        The operator.
    operator_class : OperatorClass
        The class it is declared to belong to.
    dimension : int or None
        The dimension d; None if the operator takes every d.
    """

    operator: Any
    operator_class: OperatorClass
    dimension: int | None = None

    def value(self, x: Array) -> float:
        """The operator called at x; indicators, which answer True or False there, become 0 or infinity."""
        found = self.operator(x.copy())
        if isinstance(found, bool | np.bool_):
            return 0.0 if found else np.inf
        return float(found)

    def gradient(self, x: Array) -> Array:
        """Gradient, of operators that declare one.

        Raises
        ------
        InvalidModelError
            If ``operator.hasgrad`` is False: what the operator would return is the gradient of its Moreau envelope.
        """
        if not getattr(self.operator, "hasgrad", False):
            raise no_gradient(type(self.operator).__name__)
        return np.array(self.operator.grad(x.copy()), dtype=np.float64)

    def prox(self, x: Array, step: float) -> Array:
        """Proximal point ``operator.prox(x, tau=step)``."""
        return np.array(self.operator.prox(x.copy(), check_step(step)), dtype=np.float64)


def from_pyproximal(
    operator: object, operator_class: OperatorClass, *, dimension: int | None = None
) -> ProximalAdapter:
    """Member of a proximal operator of PyProximal.

    Parameters
    ----------
    operator : pyproximal.ProxOperator
        The operator; its methods ``prox(x, tau)``, ``__call__`` and, where it has one, ``grad`` are used.
    operator_class : OperatorClass
        The class it belongs to, by the caller's word: PyProximal has nonconvex operators too.
    dimension : int, optional
        The dimension d, where the operator is made for one.

    Returns
    -------
    ProximalAdapter
        The member.

    Raises
    ------
    MissingDependencyError
        If PyProximal is not installed.
    InvalidModelError
        If `operator` is not one of its operators, or `operator_class` is not a class.
    """
    try:
        from pyproximal import ProxOperator
    except ImportError as error:
        raise MissingDependencyError(
            'from_pyproximal needs pyproximal. Install it with: pip install "lyapflow[prox]"'
        ) from error
    if not isinstance(operator, ProxOperator):
        raise InvalidModelError(
            f"from_pyproximal needs an instance of pyproximal.ProxOperator, got {operator!r}. "
            "Other objects become members by having the five names of lyapflow.members.Member."
        )
    if dimension is not None and (isinstance(dimension, bool) or not isinstance(dimension, int) or dimension < 1):
        raise InvalidModelError(f"from_pyproximal needs dimension >= 1 or None, got {dimension!r}")
    return ProximalAdapter(operator, check_class("from_pyproximal", operator_class), dimension)
