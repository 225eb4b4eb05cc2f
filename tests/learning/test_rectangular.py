"""Rectangular factorization: the conservation law, balanced starts in closed form, unbalanced ones refused."""

from dataclasses import replace

import numpy as np
import pytest

import lyapflow as lf
from lyapflow.exact.words import unit
from lyapflow.learning.rectangular import state_rectangular

N = np.array([[3.0, 0, 1, 0], [0, 1, 0, 2], [1, 1, 1, 1]])


@pytest.mark.parametrize("one", state_rectangular(), ids=lambda one: one.name)
def test_identities(one):
    one.prove()
    with pytest.raises(lf.VerificationError, match="not proved"):
        replace(one, right=one.right + (one.left if one.left.terms else unit("r"))).prove()


def test_without_balance_there_is_no_embedding():
    upper = next(one for one in state_rectangular() if one.name == "embedding of U")
    with pytest.raises(lf.VerificationError):
        replace(upper, rules={}).prove()


@pytest.mark.parametrize("rank", [1, 2, 5])
def test_balanced_starts_in_closed_form(rank):
    rng = np.random.default_rng(rank)
    U0, V0 = rng.standard_normal((3, rank)), rng.standard_normal((4, rank))
    U, V = lf.learning.balance(U0, V0)
    assert np.allclose(U @ V.T, U0 @ V0.T)
    assert np.allclose(U.T @ U, V.T @ V)
    flow = lf.learning.RectangularFactorization(N, rank=rank)
    path = flow.simulate(np.vstack([U, V]), [0.1, 1, 4], rtol=1e-11)
    symmetric, W0 = flow.embed(U, V)
    cascade = lf.cascade.schur(symmetric, W0)
    for t, x in zip(path.t, path.x, strict=True):
        W = cascade.factor(t)
        assert np.allclose(2 * W[:3] @ W[3:].T, x[:3] @ x[3:].T, atol=1e-8)
        # f = |UV' - N|^2/2 and |WW' - M|^2/4 differ by the squares of the diagonal blocks, which carry the same
        # singular values
        assert np.allclose(2 * W[:3] @ W[:3].T, x[:3] @ x[:3].T, atol=1e-8)


def test_the_balance_is_conserved_and_unbalanced_starts_are_refused():
    rng = np.random.default_rng(0)
    U, V = rng.standard_normal((3, 2)), 2 * rng.standard_normal((4, 2))
    flow = lf.learning.RectangularFactorization(N, rank=2)
    path = flow.simulate(np.vstack([U, V]), [0, 1, 5], rtol=1e-11)
    first = flow.invariants(path.x[0])["balance"]
    for x in path.x:
        assert np.allclose(flow.invariants(x)["balance"], first, atol=1e-8)
    assert np.all(np.diff(path.loss) < 0)
    with pytest.raises(lf.InvalidModelError, match=r"balance\(U0, V0\)"):
        flow.embed(U, V)


def test_bad_models():
    with pytest.raises(lf.DimensionError, match="matrix"):
        lf.learning.RectangularFactorization([1, 2], rank=1)
    with pytest.raises(lf.InvalidModelError, match="rank"):
        lf.learning.RectangularFactorization(N, rank=0)
    with pytest.raises(lf.InvalidModelError, match="finite"):
        lf.learning.RectangularFactorization([[np.inf]], rank=1)
    with pytest.raises(lf.DimensionError, match="columns"):
        lf.learning.balance([[1.0, 2.0]], [[1.0]])


ASKED = {
    "words for a matrix": lambda: lf.learning.RectangularFactorization("a", rank=1),
    "rows of different lengths": lambda: lf.learning.RectangularFactorization([[1, 2], [3]], rank=1),
    "words to be balanced": lambda: lf.learning.balance("a", "b"),
    "a tolerance in words": lambda: lf.learning.SymmetricFactorization([1], rank=1, tolerance="a"),
    "times in words": lambda: lf.learning.SymmetricFactorization([1], rank=1).simulate([[1]], "a"),
    "an unknown method": lambda: lf.learning.SymmetricFactorization([1], rank=1).simulate([[1]], [1], method="Euler"),
    "a negative tolerance": lambda: lf.learning.SymmetricFactorization([1], rank=1).simulate([[1]], [1], rtol=-1),
    "a time in words": lambda: lf.cascade.schur(lf.learning.SymmetricFactorization([1], rank=1), [[1]]).P("a"),
}


@pytest.mark.parametrize("what", sorted(ASKED))
def test_bad_numbers_are_refused_with_advice(what):
    with pytest.raises(lf.InvalidModelError, match="must be"):
        ASKED[what]()


def test_an_overflow_is_told():
    with pytest.raises(lf.SimulationError, match="scale M and the start down"):
        lf.learning.SymmetricFactorization([1e200, 0], rank=1).simulate([[1e150], [1]], [0, 1])


def test_matrices_of_any_size_are_read_as_they_are():
    for one in (1e308, 5e-324):
        given = np.full((2, 2), one)
        assert np.array_equal(lf.learning.SymmetricFactorization(given, rank=1).matrix, given)
