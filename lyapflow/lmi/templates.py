"""Templates: the form in which a storage function V is sought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ..errors import InvalidModelError

__all__ = ["PlainTemplate", "QuadraticPlusValue", "QuadraticStorage", "Template", "VariableMetric"]


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
        True makes V quadratic in outputs of oracles in continuous time too, as far as they have derivatives along the
        flow: Lipschitz gradients and prox steps. These satisfy what increments satisfy. V may then contain Moreau and
        forward-backward envelopes; for a `SublinearDecay` it sharpens the constant.
    """

    definite: bool = False
    outputs: bool = False


PlainTemplate: TypeAlias = QuadraticStorage | QuadraticPlusValue


@dataclass(frozen=True, slots=True)
class VariableMetric:
    r"""A form of V in the metric W in which a splitting step with quadratic f is a gradient.

    All inner products are :math:`\langle a, Wb\rangle`, and the value is the forward-backward or Douglas-Rachford
    envelope of ``f + g``; see `lyapflow.lmi.metric`. For flows with f of class `Quadratic` and ``step * L < 1``.

    Parameters
    ----------
    form : QuadraticStorage or QuadraticPlusValue, optional
        Form of V there, default ``QuadraticPlusValue()``.
    """

    form: PlainTemplate = QuadraticPlusValue()

    def __post_init__(self) -> None:
        if not isinstance(self.form, QuadraticStorage | QuadraticPlusValue):
            raise InvalidModelError(
                f"VariableMetric needs form to be QuadraticStorage() or QuadraticPlusValue(), got {self.form!r}"
            )


Template: TypeAlias = PlainTemplate | VariableMetric
