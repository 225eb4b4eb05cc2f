"""The weighted sum of the stages' V as a V of the whole: its numbers, carried over from theirs, and its exact proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from numpy.linalg import LinAlgError

from ..certificates.certificate import Certificate
from ..certificates.verification import satisfies
from ..classes.inequalities import Inequality
from ..dynamics import LureSystem
from ..errors import CompositionError
from ..exact.matrices import Matrix, inverse, multiply, transpose
from ..lmi.dissipation import UPPER, assemble, storage_name
from ..lmi.groups import Group, list_groups
from ..lmi.pencil import Pencil
from ..lmi.templates import PlainTemplate, QuadraticPlusValue, QuadraticStorage
from ..search.best import name_tools
from ..search.bounds import sharpen_proof
from .decomposition import Cascade, read_cascade
from .stages import StageCertificate
from .weights import check_weights, find_weights

__all__ = ["add_stages"]


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
    weighted = [(one, size * w) for one, w in zip(stages, chosen, strict=True)]
    values = dict.fromkeys(pencil.unknowns, Fraction(0)) | _sum_storages(system, cascade.transformation, weighted)
    for one, weight in weighted:
        values |= _translate(system, one, template, weight)
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
    whole: LureSystem, T: Matrix | None, weighted: Sequence[tuple[StageCertificate, Fraction]]
) -> dict[str, Fraction]:
    """Entries of the whole P, in the coordinates of the system."""
    n = sum(len(one.stage.states) for one, _ in weighted)
    table = [[Fraction(0)] * n for _ in range(n)]
    for one, weight in weighted:
        own, mode = dict(one.unknowns), one.system.plant.modes[0]
        for a, i in enumerate(one.stage.states):
            for b, j in enumerate(one.stage.states):
                table[i][j] = weight * own[storage_name(mode, min(a, b), max(a, b))]
    P: Matrix = tuple(map(tuple, table))
    if T is not None:
        back = inverse(T)
        P = multiply(transpose(back), multiply(P, back))
    return {storage_name(whole.modes[0], i, j): P[i][j] for i in range(n) for j in range(i, n)}


def _translate(
    whole: LureSystem, one: StageCertificate, template: PlainTemplate, weight: Fraction
) -> dict[str, Fraction]:
    """The weighted multipliers and values of a stage under the names that they have in the whole."""
    own, extended = dict(one.unknowns), one.system.extended
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
