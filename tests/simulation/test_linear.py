"""Linear systems without oracles are simulated and attacked like all others."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

import lyapflow as lf

FLOW = lf.LureSystem([[-1, 0], [5, -3]])
STEPS = lf.LureSystem([["1/2", 0], [1, "1/3"]], dt=1)


def test_trajectories_are_those_of_the_matrix():
    x0 = np.array([[1.0, 0.5], [2.0, -1.0]])
    path = lf.simulate(FLOW, [], x0, (0, 2))
    assert path.x[-1] == pytest.approx(expm(2 * np.array([[-1, 0], [5, -3]])) @ x0, abs=1e-8)
    path = lf.simulate(STEPS, [], x0, 3)
    assert path.x[-1] == pytest.approx(np.linalg.matrix_power([[1 / 2, 0], [1, 1 / 3]], 3) @ x0)


@pytest.mark.parametrize("system", [FLOW, STEPS, lf.LureSystem([[0]], dt=1)])
def test_true_certificates_survive(system):
    assert lf.falsify(lf.certify(system), 3, np.random.default_rng(1)) is None


@pytest.mark.parametrize(("system", "claim"), [(FLOW, lf.ExponentialDecay(2)), (STEPS, lf.Contraction("1/4"))])
def test_false_certificates_are_broken(system, claim):
    false = replace(lf.certify(system), claim=claim)
    assert lf.falsify(false, 10, np.random.default_rng(1)) is not None
