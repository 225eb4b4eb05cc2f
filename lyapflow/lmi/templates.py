"""Templates: the form in which a storage function V is sought."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ..errors import InvalidModelError
from ..exact.rationals import rational

__all__ = [
    "AdjointStorage",
    "PlainTemplate",
    "QuadraticPlusValue",
    "QuadraticStorage",
    "Template",
    "VariableMetric",
    "ZamesFalb",
]


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
class AdjointStorage:
    r"""A form of V for the adjoint system, :math:`\dot x = A^\top x + C^\top v,\ v = Q B^\top x`.

    For a `NoiseAmplification` only: a linear system and its adjoint, with input and output changing places, have the
    same variance, and Q is symmetric. See `lyapflow.lmi.noise_bounds`.

    Parameters
    ----------
    form : QuadraticStorage or QuadraticPlusValue, optional
        Form of V there, default ``QuadraticStorage()``.
    """

    form: PlainTemplate = QuadraticStorage()

    def __post_init__(self) -> None:
        if not isinstance(self.form, QuadraticStorage | QuadraticPlusValue):
            raise InvalidModelError(
                f"AdjointStorage needs form to be QuadraticStorage() or QuadraticPlusValue(), got {self.form!r}"
            )


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


@dataclass(frozen=True, slots=True)
class ZamesFalb:
    r"""Storage with memory: V over the states and over filters of each gradient, for Zames-Falb multipliers.

    For a gradient of ``F(mu, L)`` with deviations :math:`p = u - \mu y` and :math:`q = L y - u`, and a decay rate
    :math:`\rho`, each pole :math:`\lambda` gives the filters, at rest at the start,

    .. math:: \dot\psi_1 = -(\lambda + 2\rho)\psi_1 + q, \qquad \dot\psi_2 = -(\lambda + 2\rho)\psi_2 + p

    and what is known of the past of the gradient, for every T >= 0 (a *hard* integral quadratic constraint):

    .. math:: \int_0^T e^{2\rho t}\langle p, q - \lambda\psi_1\rangle\,dt \ge 0, \qquad
              \int_0^T e^{2\rho t}\langle q, p - \lambda\psi_2\rangle\,dt \ge 0

    Their multipliers are nonnegative unknowns of the certificate, and V is quadratic in state and filters. In the
    letters of the literature, :math:`P_0\langle p,q\rangle - \sum c_i\langle p,\psi_{1,i}\rangle - \sum c'_i\langle q,
    \psi_{2,i}\rangle` with ``c_i, c'_i >= 0`` and ``sum c_i / pole_i + sum c'_i / pole_i <= P0``.

    In continuous time, for `ExponentialDecay` of a `LureSystem` whose oracles are gradients in any dimension
    (`SmoothStronglyConvex`, `SmoothConvex`, `Quadratic`, `SlopeRestricted`). Operators that are no gradients, sectors
    and functions with ``L = infinity`` have no such multipliers; beside one that has, they keep their own inequalities.

    Parameters
    ----------
    poles : sequence of rationals, optional
        The numbers lambda, different and > 0, in 1/(time unit of the dynamics). None asks for some that suit the time
        constants of the system; a certificate says which.
    causal, anticausal : bool, default True
        Which filters there are, of q and of p; at least one.
    value : bool, default True
        Whether V contains function values too, as in `QuadraticPlusValue`: the multiplier of Popov's criterion.

    Raises
    ------
    InvalidModelError
        If a pole is not positive or occurs twice, or there is no filter.

    Examples
    --------
    >>> ZamesFalb(poles=["1/2", 3]).poles
    (Fraction(1, 2), Fraction(3, 1))
    """

    poles: tuple[Fraction, ...] | None = None
    causal: bool = True
    anticausal: bool = True
    value: bool = True

    def __post_init__(self) -> None:
        for name in ("causal", "anticausal", "value"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidModelError(f"ZamesFalb needs {name} to be True or False, got {getattr(self, name)!r}")
        if not (self.causal or self.anticausal):
            raise InvalidModelError("ZamesFalb needs causal=True or anticausal=True, got neither")
        if self.poles is None:
            return
        if not isinstance(self.poles, list | tuple) or not self.poles:
            raise InvalidModelError(
                f"ZamesFalb needs poles to be a sequence of rationals > 0, or None, got {self.poles!r}"
            )
        poles = tuple(rational(pole, name="poles") for pole in self.poles)
        if min(poles) <= 0 or len(set(poles)) < len(poles):
            shown = ", ".join(str(pole)[:20] for pole in poles)
            raise InvalidModelError(f"ZamesFalb needs different poles > 0, got {shown}")
        object.__setattr__(self, "poles", poles)


Template: TypeAlias = PlainTemplate | AdjointStorage | VariableMetric | ZamesFalb
