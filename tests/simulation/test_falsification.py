from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from lyapflow.classes import Convex, Lipschitz, Monotone, SectorBounded, SmoothStronglyConvex, StronglyConvex
from lyapflow.dynamics import LureSystem
from lyapflow.errors import InvalidModelError
from lyapflow.flows import (
    douglas_rachford_flow,
    forward_backward_flow,
    gradient_flow,
    heavy_ball_flow,
    primal_dual_flow,
    proximal_augmented_lagrangian_flow,
)
from lyapflow.lmi.claims import ExponentialDecay
from lyapflow.lmi.dissipation import UPPER
from lyapflow.search import certify
from lyapflow.simulation import Counterexample, falsify, simulate

F = SmoothStronglyConvex(1, 10)
SYSTEMS = {
    "gradient": gradient_flow(F),
    "heavy-ball": heavy_ball_flow(F, damping=2),
    "heavy-ball-nonsmooth": heavy_ball_flow(StronglyConvex(1), damping=2),
    "heavy-ball-sector": heavy_ball_flow(SectorBounded(1, 10), damping="3.4"),
    "lipschitz": LureSystem([[-2]], [[1]], [[1]], oracles=[Lipschitz("3/2")]),
    "forward-backward": forward_backward_flow(F, Convex(), step="1/10"),
    "douglas-rachford": douglas_rachford_flow(F, Monotone(), step="1/3"),
    "primal-dual": primal_dual_flow(F, constraint=[[1, 0, 1], [0, 2, 1]], dual_gain=2),
    "proximal-lagrangian": proximal_augmented_lagrangian_flow(F, Convex(), penalty=2, operator=[[1, 0, 1], [0, 2, 1]]),
}


@pytest.fixture(scope="module")
def certificates():
    return {name: certify(system) for name, system in SYSTEMS.items()}


def claim(certificate, factor):
    return replace(certificate, claim=ExponentialDecay(certificate.rate * Fraction(factor)))


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_proved_certificates_survive(name, certificates):
    assert falsify(certificates[name], 12, np.random.default_rng(1)) is None


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_a_doubled_rate_is_caught_with_a_concrete_counterexample(name, certificates):
    wrong = claim(certificates[name], 2)
    found = falsify(wrong, 40, np.random.default_rng(2))
    assert isinstance(found, Counterexample)
    assert found.excess > found.tolerance > 0
    again = simulate(  # at other tolerances and by another method
        wrong.system,
        found.members,
        found.x0,
        (0, max(found.time, 1e-9)),
        rtol=1e-11,
        method="DOP853",
        equilibrium=found.equilibrium,
        offset=found.offset,
    )
    if found.inequality.startswith("V(t)"):
        assert again.storage(wrong)[-1] == pytest.approx(found.left, rel=1e-5)
        assert again.storage(wrong)[-1] > again.bound(wrong)[-1]


@pytest.mark.parametrize("name", ["gradient", "forward-backward", "lipschitz"])
def test_a_tight_rate_is_caught_one_part_in_a_thousand_above(name, certificates):
    assert falsify(claim(certificates[name], "1.001"), 60, np.random.default_rng(3)) is not None


def change(certificate, **factors):
    names = {key: Fraction(value) for key, value in factors.items()}
    unknowns = tuple((n, v * names.get(n[0] if n.startswith("P") else n, 1)) for n, v in certificate.unknowns)
    return replace(certificate, unknowns=unknowns)


def test_a_storage_below_the_norm_is_caught(certificates):
    found = falsify(change(certificates["gradient"], P="0.99"), 3, np.random.default_rng(4))
    assert found.inequality == "|x|^2 <= V"
    assert "fails at time" in str(found)


def test_a_transient_bound_that_is_too_small_is_caught(certificates):
    good = certificates["heavy-ball"]
    small = change(good, **{UPPER: Fraction(1) / good.values[UPPER]})
    found = falsify(small, 20, np.random.default_rng(5))
    assert found.inequality == "|x(t)| <= c exp(-rate t) |x(0)|"


def test_the_same_seed_gives_the_same_counterexample(certificates):
    wrong = claim(certificates["heavy-ball"], 2)
    one, two = (falsify(wrong, 20, np.random.default_rng(6), dimension=2) for _ in range(2))
    assert one.time == two.time
    np.testing.assert_array_equal(one.x0, two.x0)
    assert one.x0.shape == (2, 2)


def test_progress_is_told(certificates):
    seen = []
    falsify(certificates["gradient"], 3, np.random.default_rng(7), progress=lambda *pair: seen.append(pair))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_bad_inputs_are_named(certificates):
    good, rng = certificates["gradient"], np.random.default_rng(8)
    with pytest.raises(InvalidModelError, match="must be a Certificate"):
        falsify("certificate", 1, rng)
    with pytest.raises(InvalidModelError, match="trials must be an integer >= 1, got 0"):
        falsify(good, 0, rng)
    with pytest.raises(InvalidModelError, match="dimension must be an integer >= 1, got True"):
        falsify(good, 1, rng, dimension=True)
    with pytest.raises(InvalidModelError, match=r"default_rng\(seed\)"):
        falsify(good, 1, 5)
