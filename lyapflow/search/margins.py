r"""Margins of a flow in the language of control: how much its gradient may be scaled, how wrong and how late it may be.

Everything is a bracket: a number that is proved, by a certificate that is handed over, beside a concrete linear member
that fails beyond the other. Members are searched; nothing is claimed of what lies between.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..certificates.certificate import Certificate
from ..dynamics import LureSystem, PrimalDualSystem
from ..dynamics.perturbed import perturb_gradient, scale_gradient
from ..errors import ClaimMismatchError, InvalidModelError, NoCertificateError
from ..exact.rationals import rational
from ..lmi.claims import Contraction, ExponentialDecay, claim_near
from .margin_brackets import Asked, Margin, find_delay, find_error, find_margin
from .pipeline import attempt
from .witness import estimate_ceiling

__all__ = ["Margins", "largest_gradient_error", "margins"]

_SHARE = 1e-3
"""Part of the rate, or of one minus the squared factor, that must remain where none is named."""

_FAR = Fraction(1000)
"""Gains beyond this, or below its inverse, are not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """Margins of a system; see `margins`.

    Attributes
    ----------
    gain_up, gain_down : Margin
        By what the gradient may be multiplied, at most and at least.
    error : Margin or None
        Relative error of the gradient; None for a `PrimalDualSystem`, at whose equilibrium the gradient, and with it
        the error, need not be zero (an `InputToState` bounds what an absolute error does).
    delay : Margin or None
        How late the gradient may come: a time, or whole steps (at most 6 are tried) in discrete time; None where an
        oracle acts on outputs of others (D != 0), and for a `PrimalDualSystem` in discrete time or with dependent rows.
    """

    gain_up: Margin
    gain_down: Margin
    error: Margin | None
    delay: Margin | None

    def __str__(self) -> str:
        found = (self.gain_up, self.gain_down, self.error, self.delay)
        return "\n".join(str(margin) for margin in found if margin is not None)


def margins(
    flow: LureSystem | PrimalDualSystem | Certificate,
    *,
    rate: object = None,
    factor: object = None,
    tolerance: object = "1/10000",
) -> Margins:
    r"""Gain, error and delay margins of a flow or method, proved, each beside a linear member that fails.

    Parameters
    ----------
    flow : LureSystem, PrimalDualSystem or Certificate
        With explicit oracles (D = 0 for the delay); of a certificate the system is taken.
    rate : rational, optional
        Continuous time: the decay rate that must remain. Default: a thousandth of the rate that linear members leave
        open; members then fail that do not converge at all. For the delay the default is 0, boundedness of the state.
    factor : rational, optional
        Discrete time: the contraction factor that must remain. Default: likewise, of one minus the squared factor.
    tolerance : rational, default 1/10000
        Relative accuracy of the search for each margin, in (0, 1).

    Returns
    -------
    Margins
        Gains k are constant: the class of :math:`k\nabla f`. A gain that varies with time in
        :math:`[1-\delta,1+\delta]`, also differently for each evaluation, is covered by the relative error
        :math:`\delta`.

    Raises
    ------
    InvalidModelError
        If an argument is not valid.
    ClaimMismatchError
        If a certificate is about a system of another kind.

    Notes
    -----
    A gain beyond the margin comes back from `attempt` as `Infeasible` with the unstable member. Searches take a margin
    for an interval: each value that counts is proved at itself; values below it are not proved one by one, except for
    errors and delays, whose certificates cover all smaller ones.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.algorithms import gradient_descent
    >>> found = margins(gradient_descent(SmoothStronglyConvex(mu=1, L=10), step="1/10"))
    >>> float(round(found.gain_up.proved, 3)), float(round(found.gain_up.fails, 3))  # 2 / (step L)
    (2.0, 2.0)
    """
    system = flow.system if isinstance(flow, Certificate) else flow
    if not isinstance(system, LureSystem | PrimalDualSystem):
        kind = ClaimMismatchError if isinstance(flow, Certificate) else InvalidModelError
        raise kind(
            f"margins needs a LureSystem or a PrimalDualSystem, or a certificate of one, got {type(system).__name__}"
        )
    width = _read_width(tolerance)
    asked = _read_claim(system, rate, factor)
    up = find_margin("gain up", lambda k: scale_gradient(system, k), asked, (Fraction(1), _FAR), width)
    down = find_margin("gain down", lambda k: scale_gradient(system, 1 / k), asked, (Fraction(1), _FAR), width)
    down = Margin(
        name=down.name,
        proved=None if down.proved is None else 1 / down.proved,
        certificate=down.certificate,
        witness=down.witness,
        fails=None if down.fails is None else 1 / down.fails,
    )
    error = find_error(system, asked, width) if isinstance(system, LureSystem) else None
    return Margins(gain_up=up, gain_down=down, error=error, delay=find_delay(system, asked))


def largest_gradient_error(
    system: LureSystem, *, rate: object = None, factor: object = None, tolerance: object = "1/10000"
) -> tuple[Fraction, Certificate]:
    r"""The largest relative error of the gradient for which decay is proved.

    Parameters
    ----------
    system : LureSystem
        With explicit oracles that are zero at the equilibrium.
    rate, factor : rational, optional
        The rate (continuous time) or factor (discrete time) that must remain; default as in `margins`.
    tolerance : rational, default 1/10000
        Relative accuracy of the search, in (0, 1).

    Returns
    -------
    (Fraction, Certificate)
        The error and the certificate of ``perturb_gradient(system, relative_error=error)``; it holds for all smaller
        errors too, which are among the signals of that sector.

    Raises
    ------
    InvalidModelError
        If an argument is not valid.
    NoCertificateError
        If no error is proved to be tolerated.

    Examples
    --------
    Gradient flow keeps rate ``(1 - error) mu``:

    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import gradient_flow
    >>> error, certificate = largest_gradient_error(gradient_flow(SmoothStronglyConvex(mu=1, L=10)), rate="1/2")
    >>> 0.4999 < error <= 0.5, certificate.rate
    (True, Fraction(1, 2))
    """
    if not isinstance(system, LureSystem):
        raise InvalidModelError(
            f"largest_gradient_error needs a LureSystem, whose gradients are zero at the equilibrium, got "
            f"{type(system).__name__}. An InputToState bounds what an absolute error does."
        )
    asked = _read_claim(system, rate, factor)
    found = find_error(system, asked, _read_width(tolerance))
    if found.proved is None or found.certificate is None:
        raise NoCertificateError(attempt(perturb_gradient(system, relative_error=Fraction(1, 1000)), asked[0]))
    return found.proved, found.certificate


def _read_width(tolerance: object) -> Fraction:
    width = rational(tolerance, name="tolerance")
    if not 0 < width < 1:
        raise InvalidModelError(f"tolerance must be in (0, 1), got {width}")
    return width


def _read_claim(system: LureSystem | PrimalDualSystem, rate: object, factor: object) -> Asked:
    """What must remain, and whether it was asked for; else a small part of what linear members leave open."""
    if system.dt > 0 and rate is not None:
        raise InvalidModelError("a rate belongs to continuous time; name a factor")
    if system.dt == 0 and factor is not None:
        raise InvalidModelError("a factor belongs to discrete time; name a rate")
    if rate is not None:
        return ExponentialDecay(rational(rate, name="rate")), True
    if factor is not None:
        return Contraction(rational(factor, name="factor")), True
    kind = Contraction() if system.dt > 0 else ExponentialDecay()
    ceiling = estimate_ceiling(system)
    if ceiling <= 0:
        raise NoCertificateError(attempt(system), about="A system that does not converge has no margins: ")
    found = claim_near(kind, _SHARE * ceiling, 1e-2)
    return (found if isinstance(found, ExponentialDecay | Contraction) else kind), False
