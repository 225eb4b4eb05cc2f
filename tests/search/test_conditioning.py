"""Condition numbers up to 1e8, for methods whose exact factors are known; never on the unsafe side of them."""

from fractions import Fraction as Q

import pytest

import lyapflow as lf


@pytest.mark.parametrize("exponent", [1, 4, 6, 8])
def test_gradient_descent(exponent):
    mu, L = Q(1), Q(10) ** exponent + Q(1, 7)
    certificate = lf.certify(lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(mu, L), step=2 / (mu + L)))
    exact = (L - mu) / (L + mu)
    assert 0 <= (certificate.factor - exact) / (1 - exact) <= Q(1, 10**6)


@pytest.mark.parametrize("exponent", [2, 4, 6, 8])
def test_douglas_rachford(exponent):
    root = Q(10) ** (exponent // 2)
    f = lf.SmoothStronglyConvex(1, root**2)
    certificate = lf.certify(lf.algorithms.douglas_rachford(f, lf.Convex(), step=1 / root))
    exact = 1 / (1 + 1 / root)  # f = mu/2 |x|^2 attains it
    assert 0 <= (certificate.factor - exact) / (1 - exact) <= Q(1, 10**6)


@pytest.mark.parametrize("exponent", [2, 4, 6, 8])
def test_triple_momentum(exponent):
    root = Q(10) ** (exponent // 2)
    certificate = lf.certify(lf.algorithms.triple_momentum(lf.SmoothStronglyConvex(1, root**2)))
    exact = 1 - 1 / root
    assert 0 <= (certificate.factor - exact) / (1 - exact) <= Q(1, 10**6)
    assert certificate.is_bounded


def test_accuracy_is_what_is_asked_for():
    system = lf.algorithms.triple_momentum(lf.SmoothStronglyConvex(1, 10**6))
    fast, close = (lf.attempt(system, accuracy=a) for a in (1e-3, 1e-7))
    assert Q(999, 1000) <= close.certificate.factor <= fast.certificate.factor
    assert fast.certificate.factor - Q(999, 1000) <= Q(1, 10**6)
    assert close.certificate.factor - Q(999, 1000) <= Q(1, 10**10)
    assert any("192 bits" in step for step in close.steps)
    assert not any("192 bits" in step for step in fast.steps)


@pytest.mark.parametrize("accuracy", [0, 1, 1e-9, "1e-3", None])
def test_a_senseless_accuracy_is_refused(accuracy):
    with pytest.raises(lf.InvalidModelError, match="accuracy"):
        lf.attempt(lf.flows.gradient_flow(lf.SmoothStronglyConvex(1, 10)), accuracy=accuracy)


def test_accuracy_is_that_of_one_minus_the_factor():
    """Not of 1 - factor^2, which is the parameter of the search: near factor 0 the two differ by any ratio."""
    step = Q(890870806, 10**9)
    f = lf.SmoothStronglyConvex(1, Q(126, 100))
    certificate = lf.certify(lf.algorithms.douglas_rachford(f, lf.Convex(), step=step))
    exact = 1 / (1 + step)
    assert 0 <= (certificate.factor - exact) / (1 - exact) <= Q(1, 10**6)
