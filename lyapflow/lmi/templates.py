"""Templates: the form in which a storage function V is sought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["QuadraticPlusValue", "QuadraticStorage", "Template"]


@dataclass(frozen=True, slots=True)
class QuadraticStorage:
    r"""Quadratic storage, :math:`V = \tilde x^\top P \tilde x`."""


@dataclass(frozen=True, slots=True)
class QuadraticPlusValue:
    r"""Quadratic plus function values, :math:`V = \tilde x^\top P \tilde x + \sum_j \lambda_j\varphi_j(\tilde y_j)`.

    In continuous time the sum is over oracles that are gradients and are evaluated explicitly at ``y_j = C_j x``,
    because then :math:`\dot\varphi_j = \langle u_j, C_j\dot x\rangle`. In discrete time it is over all (sub)gradients,
    and the quadratic part is one in state and outputs, :math:`(\tilde x, \tilde u)^\top P\,(\tilde x, \tilde u)`.
    For a `SublinearDecay` the state and the value are multiplied by powers of time, see `lyapflow.lmi.logtime`.

    Parameters
    ----------
    definite : bool, default False
        True asks in addition for P positive semidefinite and ``lambda_j >= 0``. The default asks only that V itself
        is positive definite, which is weaker and proves larger rates.
    outputs : bool, default False
        True makes V quadratic in the gradients too, for a `SublinearDecay`: that sharpens its constant. The derivative
        of a gradient along the flow satisfies what its increments satisfy.
    """

    definite: bool = False
    outputs: bool = False


Template: TypeAlias = QuadraticStorage | QuadraticPlusValue
