"""From stages to the whole: one certificate, whose V is a weighted sum of the stages' own, proved like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from numpy.linalg import LinAlgError

from ..certificates.certificate import Certificate
from ..certificates.verification import satisfies, verify
from ..classes.inequalities import Inequality
from ..dynamics import LureSystem
from ..errors import CompositionError, InvalidModelError, NoCertificateError
from ..exact.matrices import Matrix, inverse, multiply, transpose
from ..lmi.claims import Contraction, ExponentialDecay
from ..lmi.dissipation import UPPER, assemble, storage_name
from ..lmi.groups import Group, list_groups
from ..lmi.pencil import Pencil
from ..lmi.templates import PlainTemplate, QuadraticPlusValue, QuadraticStorage
from ..search.best import name_tools
from ..search.bounds import sharpen_proof
from ..search.outcomes import Proved
from .decomposition import Cascade, read_cascade
from .stages import StageCertificate, attempt_stage, certify_stages, restrict, weaken
from .weights import check_weights, find_weights

__all__ = ["add_stages", "compose"]

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
            return _compose_at(cascade, weaken(slowest, share), weights)
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
            found, kept = _compose_at(cascade, weaken(slowest, share), weights), share
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


def add_stages(
    cascade: Cascade, stages: Sequence[StageCertificate], weights: Sequence[object] | None = None
) -> Certificate:
    """The certificate of the whole whose V is the weighted sum of the stages', proved.

    Parameters
    ----------
    cascade : Cascade
        What the stages are stages of.
    stages : sequence of StageCertificate
        One for each stage, in order, all at one rate.
    weights : sequence of rationals, optional
        Default: those of `find_weights`.

    Raises
    ------
    CompositionError
        If a stage's proof fails, the stages do not belong to the cascade, or they do not add up.
    """
    system = read_cascade(cascade).system
    strangers = [type(one).__name__ for one in stages if not isinstance(one, StageCertificate)]
    if not isinstance(system, LureSystem) or strangers or [s.stage for s in stages] != list(cascade.stages):
        raise CompositionError(
            "add_stages needs the cascade of a LureSystem, and one certificate for each stage of it, in order; "
            f"got {', '.join(strangers) or f'{len(stages)} for {len(cascade.stages)} stages, or another order'}"
        )
    claim = stages[0].claim
    for one in stages:
        if one.claim != claim:
            raise CompositionError(
                f"stages must be certified at one rate: {one.stage.name} has {one.claim}, not {claim}"
            )
        if not one.verify().proved:
            raise CompositionError(f"the certificate of {one.stage.name} is not proved: {one.verify().reason}")
    chosen = find_weights(cascade, stages) if weights is None else check_weights(cascade, stages, weights)
    valued = any(isinstance(one.template, QuadraticPlusValue) for one in stages)
    template: PlainTemplate = QuadraticPlusValue() if valued else QuadraticStorage()
    pencil = assemble(system, claim, template, bounded=True)
    size = _bound_size(cascade.transformation) / min(chosen)
    values = dict.fromkeys(pencil.unknowns, Fraction(0)) | _sum_storages(cascade, stages, [size * w for w in chosen])
    for one, weight in zip(stages, chosen, strict=True):
        values |= _translate(cascade, one, template, size * weight)
    values.pop(UPPER, None)
    found = {n: v for n, v in values.items() if not n.startswith(f"{UPPER}: ")}
    if not satisfies(pencil.without(UPPER), found):
        raise CompositionError(
            "the weighted sum of the stages is not a proof for the whole: what counted as zero between stages is too "
            "large for their gains. Ask for a smaller rate."
        )
    sharp = _sharpen(pencil, system, found)
    kept = pencil if UPPER in sharp else pencil.without(UPPER)
    if not satisfies(kept, sharp):
        raise ArithmeticError("internal error: a proof was lost while its constants were sharpened")
    return Certificate(
        system=system,
        claim=claim,
        template=template,
        unknowns=tuple((name, sharp[name]) for name in kept.unknowns),
        versions=name_tools(),
    )


def _sharpen(pencil: Pencil, system: LureSystem, found: dict[str, Fraction]) -> dict[str, Fraction]:
    """The proof with sharp constants; with the trace of P where it is too ill conditioned for eigenvalues in floats."""
    try:
        sharp = sharpen_proof(pencil, system.modes, found) or found
    except (LinAlgError, OverflowError):  # eigenvalues beyond the range of floats
        sharp = found
    if UPPER in sharp or UPPER not in pencil.unknowns or any(n.startswith("value[") for n in pencil.unknowns):
        return sharp
    mode = system.modes[0]
    trace = sum((sharp[storage_name(mode, i, i)] for i in range(system.shape[0])), Fraction(0))
    return sharp | {UPPER: trace}


def _bound_size(T: Matrix | None) -> Fraction:
    """An upper bound of ``|T|^2``, so that ``|z|^2 >= |x|^2 / bound``."""
    return Fraction(1) if T is None else sum((v * v for row in T for v in row), Fraction(0))


def _sum_storages(
    cascade: Cascade, stages: Sequence[StageCertificate], weights: Sequence[Fraction]
) -> dict[str, Fraction]:
    """Entries of the whole P, in the coordinates of the system."""
    n = sum(len(one.stage.states) for one in stages)
    table = [[Fraction(0)] * n for _ in range(n)]
    for one, weight in zip(stages, weights, strict=True):
        own, mode = dict(one.unknowns), one.system.plant.modes[0]
        for a, i in enumerate(one.stage.states):
            for b, j in enumerate(one.stage.states):
                table[i][j] = weight * own[storage_name(mode, min(a, b), max(a, b))]
    P: Matrix = tuple(map(tuple, table))
    if cascade.transformation is not None:
        back = inverse(cascade.transformation)
        P = multiply(transpose(back), multiply(P, back))
    whole = cascade.system
    if not isinstance(whole, LureSystem):
        raise TypeError("internal error: only Lur'e systems are composed")
    return {storage_name(whole.modes[0], i, j): P[i][j] for i in range(n) for j in range(i, n)}


def _translate(
    cascade: Cascade, one: StageCertificate, template: PlainTemplate, weight: Fraction
) -> dict[str, Fraction]:
    """The weighted multipliers and values of a stage under the names that they have in the whole."""
    whole, own, extended = cascade.system, dict(one.unknowns), one.system.extended
    if not isinstance(whole, LureSystem):
        raise TypeError("internal error: only Lur'e systems are composed")
    found = {name: weight * value for name, value in own.items() if name.startswith("value[")}
    for part in ("decrease", "positivity"):
        there = list_groups(whole, template, part)
        for group in list_groups(extended, one.template, part):
            if not group.uses:
                continue
            names = [extended.oracle_names[e.oracle] for _, e in group.points]
            for other in there:
                held = [whole.oracle_names[e.oracle] for _, e in other.points]
                if set(names) <= set(held):
                    known = _index(other, [*zip(held, (e.time for _, e in other.points), strict=True)])
                    places = [*zip(names, (e.time for _, e in group.points), strict=True)]
                    for key, name in _index(group, places).items():
                        found[known[key]] = weight * own[name]
    return found


def _index(group: Group, places: Sequence[tuple[str, str]]) -> dict[object, str]:
    """Names of multipliers by what their inequalities say, the points by oracle and time."""
    where = {point: place for (point, _), place in zip(group.points, places, strict=True)}
    return {_describe(inequality, where): name for name, inequality in group.uses}


def _describe(inequality: Inequality, where: Mapping[str, tuple[str, str]]) -> object:
    values = frozenset((where[p], c) for p, c in inequality.values)
    products = frozenset(
        (frozenset({(a[0], where[a[1]]), (b[0], where[b[1]])}), a == b, c) for (a, b), c in inequality.products
    )
    return inequality.name.split("(")[0], values, products


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
