"""From stages to one certificate of the whole, at the fastest rate at which they are found to add up or a given one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..certificates.certificate import Certificate
from ..certificates.verification import verify
from ..dynamics import LureSystem
from ..errors import CompositionError, InvalidModelError, NoCertificateError
from ..lmi.claims import Contraction, ExponentialDecay, claim_near
from ..search.outcomes import Proved
from .decomposition import Cascade, read_cascade
from .stages import attempt_stage, certify_stages, restrict
from .summation import add_stages

__all__ = ["compose"]

_SHARES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 0.5)
"""Parts of the slowest stage's decay that are given up for gains, in order."""

_GIVEN_UP = (0.1, 1e-3)
"""With feedback: shares of the largest eta that are given up, in order."""

_LOOP_WIDTH = 1e-4
"""With feedback: relative width at which the search for the rate ends."""


def compose(
    cascade: Cascade,
    claim: ExponentialDecay | Contraction | None = None,
    *,
    certificates: Mapping[int, Certificate] | None = None,
    weights: Sequence[object] | None = None,
) -> Certificate:
    r"""One certificate for the whole system, from certificates of its stages.

    Each stage gets its input gain at a common rate, ``V_i' + 2 rate V_i + eta_i |z_i|^2 <= gamma_i |w_i|^2``, and
    ``V = sum_i weight_i V_i``. Of exponentially stable stages in a cascade the rate is that of the slowest one, less
    one part in a million (more where the gains at that rate cannot be proved); with feedback between stages it is the
    largest one at which the small-gain condition is found to hold.

    Parameters
    ----------
    cascade : Cascade
        From `decompose`, of a `LureSystem` that does not vary with time.
    claim : ExponentialDecay or Contraction, optional
        With a number: the rate, or factor, to be proved.
    certificates : mapping of int to Certificate, optional
        Certificates that are there already, by the position of their stage (from 0): each must speak of that stage
        alone, and is verified. They say how fast the stages are, and spare the search for it.
    weights : sequence of rationals, optional
        Weights of the stages, to be proved instead of those that are found.

    Returns
    -------
    Certificate
        Of the whole system, proved: `verify` succeeds on it, without knowing of stages.

    Raises
    ------
    NoCertificateError
        If a stage by itself does not decay, or not at the rate that is asked; the message names it.
    CompositionError
        If stages that decay do not add up: the small-gain condition fails, the weights are wrong, or a certificate is
        not of its stage.
    InvalidModelError
        If the cascade is not of such a system.

    Notes
    -----
    The weights are found by the argument of `lyapflow.cascade.weights`; the sum is then proved for the whole system
    from the definitions, so nothing rests on that argument.

    Examples
    --------
    >>> import lyapflow as lf
    >>> chain = lf.LureSystem([[-1, 0], [5, -3]])
    >>> certificate = lf.cascade.compose(lf.cascade.decompose(chain))
    >>> 0.99999 < certificate.rate < 1, lf.verify(certificate).proved
    (True, True)
    """
    system = read_cascade(cascade).system
    if not isinstance(system, LureSystem):
        raise InvalidModelError(f"compose needs the cascade of a LureSystem, got {type(system).__name__}")
    _check_certificates(cascade, certificates or {})
    if claim is not None:
        return _compose_at(cascade, _check_claim(system, claim), weights)
    slowest = _find_slowest(cascade, certificates or {})
    if not cascade.is_triangular:
        return _compose_loop(cascade, slowest, weights)
    for share in _SHARES:
        try:
            return _compose_at(cascade, _weaken(slowest, share), weights)
        except NoCertificateError:
            if share == _SHARES[-1]:
                raise
        except CompositionError:
            if weights is not None or share == _SHARES[-1]:
                raise
    raise TypeError("internal error: no shares to give up")


def _compose_loop(
    cascade: Cascade, slowest: ExponentialDecay | Contraction, weights: Sequence[object] | None
) -> Certificate:
    """With feedback: the rate by bisection, as a share of the slowest stage's that is given up."""
    found, kept, lost = None, 1.0, 0.0
    refusal: Exception | None = None
    share = 0.9
    while kept - lost > _LOOP_WIDTH or (found is None and share < 0.999):
        try:
            found, kept = _compose_at(cascade, _weaken(slowest, share), weights), share
        except (NoCertificateError, CompositionError) as problem:
            refusal, lost = problem, share
        if found is None:
            share = 1 - (1 - share) / 4
            if share > 0.9999:
                break
        else:
            share = (kept + lost) / 2
    if found is None:  # the advice of the last trial, a smaller rate, was followed already
        reason = str(refusal).split(". Ask for")[0].split(" Ask for")[0].rstrip(".")
        raise CompositionError(f"no positive rate was found: {reason}. Certify the whole at once.") from refusal
    return found


def _compose_at(
    cascade: Cascade, claim: ExponentialDecay | Contraction, weights: Sequence[object] | None
) -> Certificate:
    if cascade.is_triangular:
        return add_stages(cascade, certify_stages(cascade, claim), weights)
    refusal = None
    for given_up in _GIVEN_UP:
        try:
            return add_stages(cascade, certify_stages(cascade, claim, given_up=given_up), weights)
        except CompositionError as problem:
            refusal = problem
    raise refusal or TypeError("internal error: no shares to give up")


def _check_claim(system: LureSystem, claim: ExponentialDecay | Contraction) -> ExponentialDecay | Contraction:
    wanted = Contraction if system.dt > 0 else ExponentialDecay
    if not isinstance(claim, wanted) or claim.number is None:
        raise InvalidModelError(
            f"compose needs {wanted.__name__} with a number, or no claim for the best, got {claim!r}"
        )
    return claim


def _check_certificates(cascade: Cascade, certificates: Mapping[int, Certificate]) -> None:
    if not isinstance(certificates, Mapping):
        raise InvalidModelError(
            f"certificates must map positions of stages to certificates, got {type(certificates).__name__}"
        )
    for position, certificate in certificates.items():
        if not isinstance(certificate, Certificate):
            raise InvalidModelError(
                f"certificates must hold a Certificate for stage {position}, got {type(certificate).__name__}"
            )
        if not isinstance(position, int) or position not in range(len(cascade.stages)):
            raise CompositionError(f"there is no stage {position}: positions are 0 to {len(cascade.stages) - 1}")
        stage = cascade.stages[position]
        own, given = restrict(cascade, stage), certificate.system
        same = isinstance(given, LureSystem) and all(
            getattr(own, field) == getattr(given, field) for field in ("A", "B", "C", "D", "oracles", "dt", "N")
        )
        if not same:
            raise CompositionError(f"the certificate for {stage} is of another system, {given.name!r}")
        verdict = verify(certificate)
        if not verdict.proved:
            raise CompositionError(f"the certificate for {stage} is not proved: {verdict.reason}")
        if not isinstance(certificate.claim, ExponentialDecay | Contraction):
            raise CompositionError(
                f"the certificate for {stage} claims {certificate.claim}; one certificate for the whole is composed of "
                "exponential decay. For a stage driven by slower decay see lyapflow.cascade.drive."
            )


def _find_slowest(cascade: Cascade, certificates: Mapping[int, Certificate]) -> ExponentialDecay | Contraction:
    """The decay of the slowest stage by itself."""
    slowest: ExponentialDecay | Contraction | None = None
    for k, stage in enumerate(cascade.stages):
        if k in certificates:
            claim = certificates[k].claim
        else:
            outcome = attempt_stage(cascade, k)
            if not isinstance(outcome, Proved):
                raise NoCertificateError(outcome, about=f"{stage}: ")
            claim = outcome.certificate.claim
        if not isinstance(claim, ExponentialDecay | Contraction):
            raise TypeError("internal error: a stage claims something else")
        if slowest is None or (claim.parameter or 0) < (slowest.parameter or 0):
            slowest = claim
    if slowest is None:
        raise TypeError("internal error: a cascade without stages")
    return slowest


def _weaken(claim: ExponentialDecay | Contraction, share: float) -> ExponentialDecay | Contraction:
    """The claim with a short number a share below the given one: the rate, or one minus the squared factor."""
    found = claim_near(claim, float(claim.parameter or 0) * (1 - share), min(share, 1e-3) / 4)
    if isinstance(found, ExponentialDecay | Contraction):
        return found
    raise TypeError("internal error: a claim changed its kind")
