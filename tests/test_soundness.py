"""Corrupted certificates must be refused, with a witness that is checked here: the most important file of the suite."""

import dataclasses
import random
import warnings
from fractions import Fraction

import numpy as np
import pytest
from judging import assert_refused, at_rate, holds, is_true_as_far_as_known, with_changes
from systems import CATALOGUE

import lyapflow as lf
from lyapflow.certificates.verification import check
from lyapflow.errors import InvalidModelError
from lyapflow.search.witness import find_witness

replace = dataclasses.replace
PROVED, NOT_PROVED, UNUSABLE = 0, 1, 2


# --- the object ---------------------------------------------------------------------------------------------------


def test_sound_as_found(certificate):
    verdict = lf.verify(certificate)
    assert verdict.proved
    assert bool(verdict)
    assert verdict.witness is None
    assert holds(certificate)
    assert is_true_as_far_as_known(certificate)


def test_a_raised_rate_is_refused(certificate):
    limit = find_witness(certificate.system).rate
    raised = certificate.rate * Fraction(1001, 1000)
    assert_refused(at_rate(certificate, raised if raised > limit else 2 * certificate.rate))


def test_a_rate_just_above_a_linear_member_is_refused(certificate):
    limit = find_witness(certificate.system).rate
    assert_refused(at_rate(certificate, limit * (1 + Fraction(1, 10**30)) + Fraction(1, 10**30)))


def test_no_multiplier_is_there_for_nothing_but_by_proof(certificate):
    tied = {name for e in certificate.pencil().equalities for name, _ in e.terms}
    for name, value in certificate.multipliers.items():
        if value:
            dropped = with_changes(certificate, {name: Fraction(0)})
            if name in tied or not holds(dropped):
                assert_refused(dropped)
            else:
                assert lf.verify(dropped).proved  # a theorem still, by the independent judge


def test_a_multiplier_of_the_other_sign_is_refused(certificate):
    for name, value in certificate.multipliers.items():
        changed = with_changes(certificate, {name: -value or Fraction(-1, 10**40)})
        assert name in assert_refused(changed).witness.inequality


def test_every_unknown_matters(certificate):
    """Any change of one number is refused, or is a proof again by the independent judge."""
    source = random.Random("every unknown matters")
    for name, value in certificate.unknowns:
        for new in (value + 1, -2 * value, value + Fraction(source.randint(-9, 9), 10**6)):
            changed = with_changes(certificate, {name: new})
            if holds(changed):
                assert lf.verify(changed).proved
            else:
                assert_refused(changed)


def test_the_negated_storage_is_refused(certificate):
    negated = with_changes(certificate, {n: -v for n, v in certificate.unknowns if n.startswith("P")})
    if negated.values == certificate.values:  # V is a function value alone
        assert not any(v for n, v in certificate.unknowns if n.startswith("P"))
    else:
        assert_refused(negated)


def test_a_missing_unknown_is_refused(certificate):
    for k in range(len(certificate.unknowns)):
        rest = certificate.unknowns[:k] + certificate.unknowns[k + 1 :]
        if certificate.unknowns[k][0] != "upper bound":
            assert not lf.verify(replace(certificate, unknowns=rest)).proved


def test_an_unknown_that_nobody_knows_is_refused(certificate):
    for name in ("P[1,0]", "p[0,0]", "value[nobody]", "decrease: f nothing(t,*)", "", "1"):
        verdict = lf.verify(replace(certificate, unknowns=(*certificate.unknowns, (name, Fraction(0)))))
        assert not verdict.proved
        assert repr(name) in verdict.reason


def enlarged(oracle):
    """The class with each parameter moved outward, one at a time."""
    ways = {"mu": ("1/2", "1/100"), "lower": ("1/2", "1/100", "-1"), "beta": ("1/2", "1/100")}
    for field in dataclasses.fields(oracle):
        for factor in ways.get(field.name, (2, 100)):
            moved = getattr(oracle, field.name) * Fraction(factor)
            yield replace(oracle, **{field.name: moved})


def with_oracle(system, j, oracle):
    if isinstance(system, lf.PrimalDualSystem):
        return replace(system, oracle=oracle)
    if isinstance(system, lf.ProximalLagrangianSystem | lf.SaddleSystem):
        return replace(system, **{"fg"[j]: oracle})
    return replace(system, oracles=(*system.oracles[:j], oracle, *system.oracles[j + 1 :]))


def test_a_larger_class_is_refused_where_a_member_refutes_the_rate(certificate):
    refuted = 0
    for j, oracle in enumerate(certificate.system.oracles):
        for larger in enlarged(oracle):
            system = with_oracle(certificate.system, j, larger)
            changed = replace(certificate, system=system)
            if find_witness(system).rate < certificate.rate:
                assert_refused(changed)
                refuted += 1
            else:
                assert lf.verify(changed).proved == holds(changed)
    assert refuted


def moved_systems(system):
    if isinstance(system, lf.PrimalDualSystem):
        for name in ("dual_gain", "augmentation"):
            for new in (getattr(system, name) / 7, getattr(system, name) * 7 + 1):
                if name != "dual_gain" or new > 0:
                    yield replace(system, **{name: new})
        return
    if isinstance(system, lf.ProximalLagrangianSystem | lf.SaddleSystem):
        gain = "penalty" if isinstance(system, lf.ProximalLagrangianSystem) else "dual_gain"
        for factor in (Fraction(1, 7), 7):
            yield replace(system, **{gain: factor * getattr(system, gain)})
            if system.operator is None:
                yield replace(system, intervals=[[factor * s for s in box] for box in system.intervals])
                continue
            scaled = [[factor * v for v in row] for row in system.operator]
            yield replace(system, operator=scaled, intervals=None)
        return
    for name in "AB":
        m = getattr(system, name)
        for i, row in enumerate(m):
            for j, v in enumerate(row):
                for new in (v + 1, v - Fraction(1, 7), -v):
                    if new != v:
                        changed = (*row[:j], new, *row[j + 1 :])
                        yield replace(system, **{name: (*m[:i], changed, *m[i + 1 :])})


def test_another_plant_is_refused_or_proved_anew(certificate):
    refuted = 0
    for system in moved_systems(certificate.system):
        changed = replace(certificate, system=system)
        if holds(changed):
            assert lf.verify(changed).proved
            assert is_true_as_far_as_known(changed)
        else:
            assert_refused(changed)
            refuted += 1
    assert refuted


def test_a_template_does_not_prove_for_another(certificate):
    for template in lf.QuadraticStorage(), lf.QuadraticPlusValue(), lf.QuadraticPlusValue(definite=True):
        changed = replace(certificate, template=template)
        proved = lf.verify(changed).proved
        assert proved <= (set(changed.values) == set(changed.pencil().unknowns))
        assert not proved or holds(changed)


def test_an_unstable_plant_is_never_proved():
    system = lf.LureSystem([[1]], [[0]], [[1]], oracles=[lf.Lipschitz(1)])
    empty = lf.Certificate(system=system, claim=lf.ExponentialDecay(1), template=lf.QuadraticStorage(), unknowns=())
    source = random.Random("unstable")
    numbers = [
        Fraction(0),
        Fraction(1),
        Fraction(-1),
        Fraction(10**30),
        *(Fraction(source.gauss(0, 9)) for _ in range(200)),
    ]
    for _ in range(200):
        candidate = replace(empty, unknowns=tuple((n, source.choice(numbers)) for n in empty.pencil().unknowns))
        assert_refused(candidate)


@pytest.mark.parametrize(
    "number", [np.int64(2**62), Fraction(np.int64(2**62)), np.uint64(2**63), Fraction(np.uint64(2**63))]
)
def test_numbers_that_wrap_around_prove_nothing(number):
    """With 64-bit numerators ``-4 * P`` is 0, and x' = x would decay."""
    system = lf.LureSystem([[1]], [[0]], [[1]], oracles=[lf.Lipschitz(1)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # as every user runs it: NumPy only warns
        try:
            certificate = lf.Certificate(
                system=system,
                claim=lf.ExponentialDecay(1),
                template=lf.QuadraticStorage(),
                unknowns=(("P[0,0]", number), ("decrease: f lipschitz(t,*)", Fraction(0))),
            )
            verdict = lf.verify(certificate)
        except InvalidModelError:
            return
    assert not verdict.proved


@pytest.mark.parametrize("number", [1.0, np.float64(1), float("nan"), True, "1", None, 1j])
def test_numbers_that_are_not_rational_prove_nothing_new(number):
    """A float, a text or a bool in a certificate is an error or its exact value: never a false proof, never a crash."""
    found = lf.certify(CATALOGUE["gradient"])
    for name, value in found.unknowns:
        try:
            verdict = lf.verify(at_rate(with_changes(found, {name: number}), 2 * found.rate))
            same = lf.verify(with_changes(found, {name: number}))
        except InvalidModelError:
            continue
        assert not verdict.proved
        assert not same.proved or Fraction(number) == value or holds(with_changes(found, {name: Fraction(number)}))


def test_the_search_and_the_checker_ask_the_same(certificate):
    assert check(certificate.pencil(), certificate.values) is None
