"""Random systems and classes: nothing false is proved, and the attacks that say so do see what is false."""

import os
from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from systems import CATALOGUE

import lyapflow as lf
from benchmarks.drawing import draw_system
from benchmarks.random_systems import judge_system
from benchmarks.refutation import attack_by_linear_member, close, enclose
from benchmarks.runs import attack_by_run

EXAMPLES = 10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 30


@settings(max_examples=EXAMPLES)
@given(source=st.randoms(use_true_random=False), seed=st.integers(0, 2**32 - 1))
def test_nothing_false_is_proved(source, seed):
    _, system = draw_system(source)
    assert judge_system(system, np.random.default_rng(seed)).false == ()


# --- the attacks see what is false -----------------------------------------------------------------------------------

TIGHT = ("gradient", "forward-backward", "douglas-rachford-monotone", "heavy-ball-sector", "primal-dual")


@pytest.mark.parametrize("name", TIGHT)
def test_a_raised_rate_is_refuted_by_a_linear_member(name, rng):
    certificate = lf.certify(CATALOGUE[name])
    honest = attack_by_linear_member(certificate, rng)
    assert honest.verdict in ("equal", "faster")
    raised = replace(certificate, claim=lf.ExponentialDecay(certificate.rate * Fraction(11, 10)))
    assert attack_by_linear_member(raised, rng).verdict == "slower"


def test_a_rate_raised_by_a_billionth_is_refuted_where_the_proved_one_is_exact(rng):
    certificate = lf.certify(CATALOGUE["gradient"])
    assert certificate.rate == 1
    raised = replace(certificate, claim=lf.ExponentialDecay(1 + Fraction(1, 10**9)))
    assert attack_by_linear_member(certificate, rng).verdict == "equal"
    assert attack_by_linear_member(raised, rng).verdict == "slower"


METHODS = {
    "gradient descent": lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(1, 10), step="2/11"),
    "triple momentum": lf.algorithms.triple_momentum(lf.SmoothStronglyConvex(1, 9)),
    "extragradient": lf.algorithms.extragradient(lf.Intersection(lf.StronglyMonotone(1), lf.Lipschitz(5)), step="1/10"),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_smaller_factor_is_refuted(name, rng):
    """By a linear member where that is as slow as the proved factor, and by a run once the claim is bold enough."""
    certificate = lf.certify(METHODS[name])
    gap = 1 - certificate.factor
    assert attack_by_linear_member(certificate, rng).verdict in ("equal", "faster")
    assert all(attack_by_run(certificate, rng) is None for _ in range(5))
    smaller = replace(certificate, claim=lf.Contraction(1 - gap * Fraction(3, 2)))
    assert attack_by_linear_member(smaller, rng).verdict == "slower"
    bold = replace(certificate, claim=lf.Contraction(certificate.factor / 5))
    assert any(attack_by_run(bold, rng) for _ in range(20))


@pytest.mark.parametrize("name", ["gradient", "heavy-ball", "forward-backward", "douglas-rachford", "primal-dual"])
def test_a_run_sees_that_v_does_not_fall_so_fast(name, rng):
    certificate = lf.certify(CATALOGUE[name])
    wrong = replace(certificate, claim=lf.ExponentialDecay(30 * certificate.rate))
    assert all(attack_by_run(certificate, rng) is None for _ in range(5))
    assert any(attack_by_run(wrong, rng) for _ in range(20))


@pytest.mark.parametrize("seed", [278, 863, 1881])
def test_a_run_differentiates_the_outputs_that_v_contains(seed):
    """Without their derivatives true claims look false: V contains them, and values at inputs that depend on them."""
    _, system = draw_system(Random(seed))
    certificate = lf.certify(system)
    assert certificate.template == lf.QuadraticPlusValue(definite=False, outputs=True)
    assert attack_by_run(certificate, np.random.default_rng(seed)) is None
    wrong = replace(certificate, claim=lf.ExponentialDecay(30 * certificate.rate))
    assert any(attack_by_run(wrong, np.random.default_rng(k)) for k in range(5))


def test_a_loop_closed_with_members_of_the_plane_has_the_eigenvalues_of_the_scalar_ones():
    flow = lf.flows.douglas_rachford_flow(lf.SmoothStronglyConvex(1, 10), lf.Convex(), step="1/3")
    v = [Fraction(0), Fraction(1), Fraction(1, 3), Fraction(0), Fraction(0), Fraction(0), Fraction(1, 5), Fraction(0)]
    loop = close(flow, v, Fraction)  # curvatures 1 and 10 of f, whose axes are turned; g = 0
    rates = sorted((-np.linalg.eigvals(loop.astype(float))).tolist())
    assert rates == pytest.approx([1 / 4, 10 / 13], rel=1e-12)  # z' = prox_f(z) - z
    assert loop.trace() == -(Fraction(1, 4) + Fraction(10, 13))


@pytest.mark.parametrize(
    ("claim", "verdict"), [("1/2", "equal"), ("500000000001/1000000000000", "faster"), ("4999/10000", "slower")]
)
def test_enclosures_decide_on_the_side_of_the_claim(claim, verdict):
    loop = np.array([[Fraction(1, 2), Fraction(7)], [Fraction(0), Fraction(1, 3)]], dtype=object)
    assert enclose(loop, Fraction(claim), discrete=True) == verdict
    assert enclose(loop, Fraction(claim), discrete=False) == verdict
