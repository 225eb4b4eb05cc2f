"""What was once printed as proved and was not a theorem stays refused."""

from fractions import Fraction

import numpy as np
import pytest

from lyapflow.errors import InvalidModelError
from lyapflow.learning import DeepLinearNetwork, NeuralFeatureFlow
from lyapflow.learning.deep_linear_evidence import (
    find_local_rate,
    prove_balance,
    prove_branches,
    prove_critical_points,
)
from lyapflow.learning.deep_linear_refutations import refute_hessian_test, refute_origin_minimum
from lyapflow.learning.divergence_rates import refute_rate
from lyapflow.learning.evidence import prove_invariant
from lyapflow.learning.relu_features import refute_linear_exponent
from lyapflow.report import Evidence
from lyapflow.report import evidence as room

TINY = Fraction(1, 10**400)


@pytest.mark.parametrize("target", [[TINY], [1 + TINY]])
def test_values_that_floats_cannot_tell_apart_are_refused(target):
    network = DeepLinearNetwork([2, 1, 1, 2], [*target, 1] if target[0] > 1 else target)
    for prove in (prove_critical_points, prove_branches):
        with pytest.raises(InvalidModelError, match="apart"):
            prove(network)


def test_the_printed_bound_is_below_the_claim():
    e = Fraction(1, 10**9)
    witness = refute_rate(["1/2", "3/10", "1/5"], 2, at=[Fraction(1, 2) - e, "3/10", Fraction(1, 5) + e]).witness
    shown = witness.rpartition("<= ")[2].partition(" < ")[0]
    assert Fraction(shown) < 2


@pytest.mark.parametrize("depth", [0, 1, -2, "3", 3.0])
def test_no_network_has_such_a_depth(depth):
    with pytest.raises(InvalidModelError, match="depth"):
        refute_linear_exponent(depth)


def test_nothing_is_no_invariant():
    with pytest.raises(InvalidModelError, match="at least one"):
        prove_invariant(DeepLinearNetwork([1, 1, 1], [1]).polynomials, [], name="x")


def test_the_point_beside_the_origin_has_less_loss():
    refuted = refute_origin_minimum(DeepLinearNetwork([1, 1, 1, 1], [Fraction(1, 10**5)]))
    assert "it is -" in refuted.witness


def test_private_functions_that_hand_through_are_no_evidence():
    with pytest.raises(InvalidModelError, match="derive"):
        Evidence("t", room._list, ([],))


def test_decay_as_large_as_the_target_makes_zero_the_minimum():
    (zero,) = NeuralFeatureFlow(np.eye(2), np.eye(2), [2], decay=0.5).equilibria()
    assert zero.kind == "minimum"


def test_a_network_that_lies_about_itself_is_no_argument():
    class Liar(DeepLinearNetwork):
        def __repr__(self):
            return "P = NP"

    with pytest.raises(InvalidModelError, match="own classes"):
        Evidence("t", prove_balance, (Liar([1, 1, 1], [1]),))
    with pytest.raises(InvalidModelError, match="own classes"):
        Evidence("t", prove_balance, (prove_balance(DeepLinearNetwork([1, 1, 1], [1])),))
    Evidence("t", prove_balance, (DeepLinearNetwork([1, 1, 1], [1]),))


def test_targets_of_any_sign_and_place_are_refuted():
    for target in ([[-1, 0], [0, -2]], [[0, 1], ["1/3", 0]]):
        found = refute_origin_minimum(DeepLinearNetwork([2, 2, 2, 2], target))
        assert found.standing == "proved"
        assert "s = 1/10 it is -" in found.witness


def test_rates_above_two_are_refuted_near_the_target():
    for rate in ("2.0001", 2.5, 3):
        found = refute_rate(["1/2", "1/2"], rate)
        assert found.standing == "proved"
    assert refute_rate(["1/2", "1/2"], 2) is None


@pytest.mark.parametrize(
    "ask",
    [
        lambda: DeepLinearNetwork(3, [1]),
        lambda: DeepLinearNetwork([1, 1, 1], [1e200]),
        lambda: find_local_rate(DeepLinearNetwork([2, 2, 2], [0, 0])),
        lambda: refute_rate(0.5, 1),
    ],
)
def test_wrong_inputs_are_named(ask):
    with pytest.raises(InvalidModelError, match=r"must|needs"):
        ask()


def test_what_was_learnt_is_printed_exactly():
    network = DeepLinearNetwork([2, 2, 2, 2], ["4/3", "1/7"])
    assert "learnt 4/3, 1/7" in prove_critical_points(network)[0].statement
    assert "loss 1/98" in refute_hessian_test(network).witness


def test_a_proved_invariant_states_its_own_functions():
    system = DeepLinearNetwork([1, 1, 1], [1]).polynomials
    u, v = system.variables
    assert prove_invariant(system, [u**2 - v**2], name="anything").statement == str(u**2 - v**2)
