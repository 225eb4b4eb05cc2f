r"""Claims on other time scales: their numbers for a V that is known, or for the V with the shortest settling time.

With V known, each part of a claim is a small problem of its own, in which the number that multiplies V is unknown:
the best rate, the best speed, and for each decay the best dissipation; see `scaled_numbers`. With V unknown, those
numbers are searched for in floating point, V and the dissipation being the answer of one problem for each trial; V is
scaled by its upper bound, or by the speed, so that the answer is the settling time; see `scaled_storage`. The V that is
found is then treated like a known one. Where no solver helps, the numbers are those of `closed_numbers`.
"""

from __future__ import annotations

import math

from ..certificates.certificate import Certificate
from ..certificates.verification import satisfies
from ..errors import NoCertificateError
from ..lmi.claims import ExponentialDecay
from ..lmi.dissipation import UPPER
from ..lmi.scaled import assemble_parts, list_parts
from ..lmi.scaled_claims import FiniteTimeStability
from ..lmi.time_scales import PrescribedTime, TimeScale
from .best import name_tools
from .closed_numbers import find_closed_claim
from .outcomes import Inconclusive, Reason
from .scaled_numbers import Numbers
from .scaled_storage import find_storages

__all__ = ["find_scaled"]


def find_scaled(certificate: Certificate, scale: TimeScale, *, optimise: bool) -> Certificate:
    """A claim on another time scale, proved: with the V of a certificate, or with one of a shorter settling time.

    Parameters
    ----------
    certificate : Certificate
        Of exponential decay, proved.
    scale : FiniteTime, FixedTime or PrescribedTime
        The time scale.
    optimise : bool
        Whether V is sought again.

    Raises
    ------
    NoCertificateError
        If no numbers of the claim can be proved.
    """
    found = [_certify(certificate, scale)]
    if optimise and not isinstance(scale, PrescribedTime):
        found += [_certify(other, scale) for other in find_storages(certificate, scale)]
    proved = [one for one in found if one is not None]
    if not proved:
        raise NoCertificateError(
            Inconclusive(reason=Reason.SPEED, status="no answer", claim=ExponentialDecay(certificate.rate))
        )
    return min(proved, key=_measure_time)


def _measure_time(certificate: Certificate) -> float:
    """What settling times are compared by: their bound for starts at distance 1, or for all starts."""
    if isinstance(certificate.claim, FiniteTimeStability):
        return float(certificate.settling_time(x0=1)) if certificate.is_bounded else math.inf
    return float(certificate.settling_time())


def _certify(certificate: Certificate, scale: TimeScale) -> Certificate | None:
    """The claim with the V of a certificate of exponential decay, or None."""
    system, template = certificate.system, certificate.template
    claim, own = Numbers(certificate).claim(scale)
    tools = (*name_tools(), ("solver", "CLARABEL"))
    if claim is None:
        claim, own = find_closed_claim(certificate, scale)
        tools = name_tools()
    if claim is None:
        return None
    kept = {n: v for n, v in certificate.values.items() if not n.startswith("decrease: ")}
    pencil = assemble_parts(system, template, list_parts(claim), bounded=UPPER in kept)
    values = kept | own
    if not satisfies(pencil, values):
        raise ArithmeticError("internal error: the parts of a scaled claim do not add up to it")
    return Certificate(
        system=system,
        claim=claim,
        template=template,
        unknowns=tuple((name, values[name]) for name in pencil.unknowns),
        versions=tools,
    )
