"""What is wrong about a stage, or about what drives it, is refused; and told with what to do."""

from dataclasses import replace

import numpy as np
import pytest

import lyapflow as lf
from lyapflow.cascade import (
    ExponentialBound,
    PowerBound,
    add_stages,
    bound_gradient,
    certify_stage,
    certify_stages,
    compose,
    decompose,
    drive,
)

CLAIM = lf.ExponentialDecay("1/2")
CHAIN = lf.LureSystem([[-1, 0], [5, -3]])


class Disguised(lf.SmoothStronglyConvex):
    """Says one thing and computes another."""

    def inequalities(self, points):
        return lf.SmoothStronglyConvex(5, 6).inequalities(points)


def test_a_report_refuses_gains_of_another_system_with_the_same_states(tmp_path):
    unstable = decompose(lf.LureSystem([[1, 0], [5, -3]]))
    with pytest.raises(lf.errors.InvalidModelError, match="another system with the same states"):
        lf.write_report(tmp_path / "page.html", unstable, *certify_stages(decompose(CHAIN), CLAIM))


@pytest.mark.parametrize("position", [-1, 2, True, "0", 0.0])
def test_a_position_that_is_none_is_refused(position):
    """Position -1 would be the last stage without its input."""
    with pytest.raises(lf.errors.InvalidModelError, match="position must be that of a stage, 0 to 1"):
        certify_stage(decompose(CHAIN), position, CLAIM)


@pytest.mark.parametrize("given_up", [0, 0.0, 1.0, 2, "a"])
def test_a_share_that_is_none_is_refused(given_up):
    with pytest.raises(lf.errors.InvalidModelError, match="given_up must be a float"):
        certify_stages(decompose(CHAIN), CLAIM, given_up=given_up)


def test_a_stage_with_wrong_unknowns_is_not_proved():
    stage = certify_stage(decompose(CHAIN), 1, CLAIM)
    assert stage.verify().proved
    for unknowns in ((), stage.unknowns[1:], (*stage.unknowns, ("more", stage.input_gain)),
                     tuple((name, float(value)) for name, value in stage.unknowns)):  # fmt: skip
        verdict = replace(stage, unknowns=unknowns).verify()
        assert not verdict.proved
        assert "unknowns must be" in verdict.reason


def test_a_class_in_disguise_proves_no_stage():
    system = lf.LureSystem([[0, 0], [1, -9]], [[-1], [0]], [[1, 0]], oracles=[Disguised(1, 10)])
    verdict = certify_stage(decompose(system), 0, lf.ExponentialDecay(4)).verify()
    assert not verdict.proved
    assert "derives from one of lyapflow's" in verdict.reason


def test_the_gradient_is_bounded_only_by_what_is_proved():
    sound = lf.certify(lf.flows.gradient_flow(lf.SmoothConvex(L=4)), lf.SublinearDecay(1))
    assert bound_gradient(sound, constant=1, start=1) == PowerBound(8, 1, 1)
    false = replace(sound, claim=lf.SublinearDecay(3))
    with pytest.raises(lf.CompositionError, match="is not proved"):
        bound_gradient(false, constant=1, start=1)
    with pytest.raises(lf.CompositionError, match="with one oracle"):
        bound_gradient(lf.certify(CHAIN), constant=1, start=1)
    with pytest.raises(lf.errors.InvalidModelError, match="needs a Certificate"):
        bound_gradient(None, constant=1, start=1)


def test_a_bound_is_not_read_where_it_does_not_hold():
    assert PowerBound(1, 1, 1)(2.0) == 0.5
    assert ExponentialBound(1, 1)(0.0) == 1
    for bound, t in ((PowerBound(1, 1, 1), 0.5), (ExponentialBound(1, 1), -1.0), (PowerBound(1, 1, 1), float("nan"))):
        with pytest.raises(lf.errors.InvalidModelError, match="the bound holds for t >="):
            bound(t)


WRONG = {
    "partition of letters": (lambda: decompose(CHAIN, partition=[["a"], [1]]), "groups"),
    "partition that is flat": (lambda: decompose(CHAIN, partition=[0, 1]), "groups"),
    "partition of fractions": (lambda: decompose(CHAIN, partition=[[0.5], [1]]), "whole numbers"),
    "partition that is a number": (lambda: decompose(CHAIN, partition=3), "groups"),
    "names that are a number": (lambda: decompose(CHAIN, names=3), "one per state"),
    "a seed": (lambda: decompose(np.negative, dimension=2, rng=3), "default_rng"),
    "a field of words": (lambda: decompose(lambda x: "abc", dimension=2), "real numbers"),
    "a system for a cascade": (lambda: compose(CHAIN), r"decompose\(system\) makes one"),
    "stages of a system": (lambda: certify_stages(CHAIN, CLAIM), r"decompose\(system\) makes one"),
    "a list of certificates": (lambda: compose(decompose(CHAIN), certificates=[1]), "must map"),
    "no certificate": (lambda: compose(decompose(CHAIN), certificates={0: 1}), "Certificate for stage 0"),
    "no stages": (lambda: add_stages(decompose(CHAIN), []), "one certificate for each stage"),
    "numbers for stages": (lambda: add_stages(decompose(CHAIN), [1, 2]), "one certificate for each stage"),
    "no source": (lambda: drive(certify_stage(decompose(CHAIN), 1, CLAIM), 3, storage=1), "from certify_stage"),
    "no stage": (lambda: drive(3, ExponentialBound(1, 1), storage=1), "from certify_stage"),
    "one number for a state": (lambda: certify_stage(decompose(CHAIN), 1, CLAIM).storage(1), "one per state"),
}


@pytest.mark.parametrize("what", sorted(WRONG))
def test_wrong_input_is_refused_with_advice(what):
    ask, advice = WRONG[what]
    with pytest.raises(lf.errors.LyapflowError, match=advice):
        ask()


def test_numbers_beyond_floats_are_composed_and_not_simulated():
    """Thirty equal poles in a row: at a rate just below theirs V has entries beyond 1e308."""
    chain = lf.LureSystem([[-1 if i == j else int(i == j + 1) for j in range(30)] for i in range(30)])
    certificate = compose(decompose(chain))
    assert lf.verify(certificate).proved
    assert certificate.transient_bound > 10**100
    with pytest.raises(lf.errors.SimulationError, match="too large for floating point"):
        lf.falsify(certificate, 1, np.random.default_rng(0))


def test_poles_far_apart_are_composed_without_a_warning():
    certificate = compose(decompose(lf.LureSystem([[-1e-6, 0], [1, -1e6]])))
    assert 0.99e-6 < certificate.rate < 1e-6


def test_a_position_of_a_certificate_is_a_whole_number():
    with pytest.raises(lf.CompositionError, match="there is no stage"):
        compose(decompose(CHAIN), certificates={1.0: lf.certify(lf.LureSystem([[-3]]))})
