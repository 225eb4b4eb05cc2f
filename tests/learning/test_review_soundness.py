"""What was once printed as proved and was not a theorem stays refused."""

from fractions import Fraction

import numpy as np
import pytest

from lyapflow.errors import InvalidModelError
from lyapflow.learning import DeepLinearNetwork, NeuralFeatureFlow
from lyapflow.learning.deep_linear_evidence import prove_balance, prove_branches, prove_critical_points
from lyapflow.learning.deep_linear_refutations import refute_origin_minimum
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
        prove_invariant(DeepLinearNetwork([1, 1, 1], [1]).polynomials, [], name="x", statement="all")


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
