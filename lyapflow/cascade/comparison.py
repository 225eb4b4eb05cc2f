r"""What drives a stage is known as a function of time: then so is the stage.

From :math:`\dot V + 2\rho V \le \gamma|w|^2` and :math:`|x|^2 \le V`, by the comparison lemma:

* :math:`|w|^2 \le K e^{-2\sigma t}` gives :math:`V \le e^{-2\rho t}V_0 + \gamma K\,
  \frac{e^{-2\sigma t} - e^{-2\rho t}}{2(\rho - \sigma)}`: the rate is the smaller one, and between equal ones any
  smaller one;
* :math:`|w|^2 \le K t^{-p}` for :math:`t \ge t_0 > p/(2\rho)` gives :math:`V \le C t^{-p}` there, with
  :math:`C = \max\bigl(t_0^p V(t_0),\ \gamma K/(2\rho - p/t_0)\bigr)`, because :math:`C t^{-p}` is a supersolution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from ..certificates.certificate import Certificate
from ..certificates.verification import verify
from ..classes import SmoothConvex, SmoothStronglyConvex
from ..errors import CompositionError, InvalidModelError
from ..exact.elementary import bound_power_above
from ..exact.rationals import rational
from ..lmi.claims import ExponentialDecay, SublinearDecay
from .stages import StageCertificate

__all__ = ["ExponentialBound", "PowerBound", "bound_gradient", "drive"]

_SLOWER = Fraction(99, 100)
"""Between equal rates: share of the rate that is kept."""


@dataclass(frozen=True, slots=True)
class ExponentialBound:
    r"""A signal with :math:`|w(t)|^2 \le K e^{-2\sigma t}` for t >= 0.

    Parameters
    ----------
    constant : rational
        K >= 0.
    rate : rational
        sigma > 0, in 1/(time unit): that of the norm.
    """

    constant: Fraction
    rate: Fraction

    def __post_init__(self) -> None:
        _settle(self, "constant", "rate")

    def __call__(self, t: float) -> float:
        """The bound of ``|w(t)|^2`` in floating point; for t >= 0."""
        _check_time(t, 0)
        return float(self.constant) * math.exp(-2 * float(self.rate) * t)


@dataclass(frozen=True, slots=True)
class PowerBound:
    r"""A signal with :math:`|w(t)|^2 \le K t^{-p}` for t >= start.

    Parameters
    ----------
    constant : rational
        K >= 0.
    order : rational
        p > 0: that of the squared norm.
    start : rational
        > 0.
    """

    constant: Fraction
    order: Fraction
    start: Fraction

    def __post_init__(self) -> None:
        _settle(self, "constant", "order", "start")

    def __call__(self, t: float) -> float:
        """The bound of ``|w(t)|^2`` in floating point; for t >= start."""
        _check_time(t, float(self.start))
        return float(self.constant) * t ** -float(self.order)


def _check_time(t: float, start: float) -> None:
    if not t >= start:
        raise InvalidModelError(f"the bound holds for t >= {start:g}, got t = {t}")


def _settle(bound: object, first: str, *positive: str) -> None:
    for name in (first, *positive):
        value = rational(getattr(bound, name), name=name)
        if value < 0 or (name != first and value == 0):
            raise InvalidModelError(f"{name} must be {'> 0' if name != first else '>= 0'}, got {value}")
        object.__setattr__(bound, name, value)


def drive(
    stage: StageCertificate, source: ExponentialBound | PowerBound, *, storage: object
) -> ExponentialBound | PowerBound:
    """A bound of ``|x|^2`` of a stage that is driven by a bounded signal: proved, **if** that of the signal holds.

    Parameters
    ----------
    stage : StageCertificate
        With an input, in continuous time.
    source : ExponentialBound or PowerBound
        Of ``|w|^2``, the whole input of the stage, less its value at the equilibrium. That it is one is the caller's
        word: nothing here connects it with the stage. The input w enters through ``stage.system.E`` and
        ``stage.system.F``; it is made of all that other stages hand over, not of one signal of several.
    storage : rational
        An upper bound of V where the source starts: at 0, or at its ``start``. See `StageCertificate.storage`.

    Returns
    -------
    ExponentialBound or PowerBound
        As slow as the slower of the two, with its explicit constant.

    Raises
    ------
    CompositionError
        If the stage has no input, is not proved, or a power of time starts too early for it.
    InvalidModelError
        If the storage is negative, or an argument is of another kind.

    Notes
    -----
    x are the states of the stage less their equilibrium; after a transformation, in the coordinates of the stages.
    """
    if not isinstance(stage, StageCertificate) or not isinstance(source, ExponentialBound | PowerBound):
        raise InvalidModelError(
            "drive needs a StageCertificate, from certify_stage, and an ExponentialBound or PowerBound, got "
            f"{type(stage).__name__} and {type(source).__name__}"
        )
    if not isinstance(stage.claim, ExponentialDecay) or stage.claim.rate is None or stage.input_gain is None:
        raise CompositionError(f"{stage.stage} must have an input and a rate in continuous time to be driven")
    verdict = stage.verify()
    if not verdict.proved:
        raise CompositionError(f"the certificate of {stage.stage} is not proved: {verdict.reason}")
    start = rational(storage, name="storage")
    if start < 0:
        raise InvalidModelError(f"storage must be >= 0, got {start}")
    rate, gain = stage.claim.rate, stage.input_gain * source.constant
    if isinstance(source, PowerBound):
        p, t0 = source.order, source.start
        if t0 * 2 * rate <= p:
            raise CompositionError(
                f"a signal that decays as 1/t^{p} drives a stage of rate {rate} from t = {p / (2 * rate)} on; its "
                f"bound starts at {t0}. Give it a later start."
            )
        return PowerBound(max(gain / (2 * rate - p / t0), start * _power(t0, p)), p, t0)
    slower = min(rate, source.rate)
    if rate == source.rate:
        slower = _SLOWER * rate  # |w|^2 is below K exp(-2 slower t) too
    return ExponentialBound(start + gain / (2 * (max(rate, source.rate) - slower)), slower)


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    return base**exponent.numerator if exponent.denominator == 1 else bound_power_above(base, exponent)


def bound_gradient(certificate: Certificate, *, constant: object, start: object) -> PowerBound:
    r"""The gradient along a flow with a `SublinearDecay`: :math:`|\nabla f|^2 \le 2L(f - f^\star) \le 2LC\,t^{-p}`.

    Parameters
    ----------
    certificate : Certificate
        Of sublinear decay, of one smooth convex function.
    constant : rational
        C, from ``certificate.constant(...)``: it is taken on trust.
    start : rational
        From when on, > 0: at least the ``t0`` that the constant was computed with, because it holds from there.

    Raises
    ------
    CompositionError
        If the certificate claims something else, or is not proved, or the function has no L.
    InvalidModelError
        If it is not a certificate.
    """
    if not isinstance(certificate, Certificate):
        raise InvalidModelError(f"bound_gradient needs a Certificate, got {type(certificate).__name__}")
    claim, oracles = certificate.claim, certificate.system.oracles
    if not isinstance(claim, SublinearDecay) or claim.order is None or len(oracles) != 1:
        raise CompositionError(f"bound_gradient needs a certificate of SublinearDecay with one oracle, got {claim}")
    verdict = verify(certificate)
    if not verdict.proved:
        raise CompositionError(f"the certificate of {certificate.system.name!r} is not proved: {verdict.reason}")
    (oracle,) = oracles
    if not isinstance(oracle, SmoothConvex | SmoothStronglyConvex):
        raise CompositionError(f"|grad f|^2 <= 2 L (f - f*) needs a smooth convex f, got {oracle!r}")
    return PowerBound(2 * oracle.L * rational(constant, name="constant"), claim.order, rational(start, name="start"))
