"""Proved bounds against the closed forms, along random trajectories; certificates, and corrupted ones."""

import os
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from factorization_starts import KINDS, draw_case

import lyapflow as lf
from lyapflow.cascade.factorization.gaps import measure_gaps

STARTS = 4 * max(int(os.environ.get("LYAPFLOW_TRIALS", "0")), 40)  # `make test-all` makes 1000
TIMES = np.array([0, 1e-6, 1e-2, 0.3, 3, 50, 1e6])
SYMMETRIC = lf.learning.SymmetricFactorization


def measure(cascade):
    """The bounded quantities from the closed forms, and how much of each is rounding."""
    k = cascade.condition.needed
    upper = np.diag(cascade.flow.spectrum.values[:k])
    limit = cascade.limit.matrix
    spare, rounding = cascade.S(TIMES), 1e-13 * max(np.linalg.norm(cascade.X0) ** 2, np.linalg.norm(upper))
    yield "S", [np.linalg.norm(s, 2) if s.size else 0 for s in spare], 0
    yield "trace S", [np.trace(s) for s in spare], 0
    yield "H", [np.linalg.norm(h) for h in cascade.H(TIMES)], 0
    yield "Y", [np.linalg.norm(y) for y in (cascade._stages.at(t)[1] for t in TIMES)], 0
    yield "P11", [np.linalg.norm(p - upper) for p in cascade.P11(TIMES)], rounding
    yield "P", [np.linalg.norm(w @ w.T - limit) for w in cascade.factor(TIMES)], rounding
    yield "excess", cascade.excess(TIMES), 0


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_hold(kind):
    rng = np.random.default_rng([19, KINDS.index(kind)])
    compared = 0
    for _ in range(-(-STARTS // len(KINDS))):
        M, X0 = draw_case(rng, kind)
        cascade = lf.cascade.schur(SYMMETRIC(M, rank=X0.shape[1]), X0)
        if not cascade.condition.holds:
            assert cascade.certificates == ()
            assert np.all(np.isfinite(cascade.factor(TIMES)))
            continue
        bounds, compared = cascade.bounds(TIMES), compared + 1
        for name, values, rounding in measure(cascade):
            # Norms below 1e-140 are not norms: their squares underflow.
            assert np.all(np.asarray(values) <= bounds[name] + rounding + 1e-140), (name, values, bounds[name])
        for one in cascade.certificates:
            later = TIMES[TIMES > 0]
            rate = 0.0 if one.rate is None else float(one.rate)
            simple = one.constant * (1 + later) ** one.growth * np.exp(-rate * later) / later**one.order
            assert np.all(bounds[one.name][1:] <= simple * (1 + 1e-9) + 1e-300), one.name
    assert compared


@pytest.mark.parametrize("seed", range(6))
def test_bounds_hold_along_integrated_trajectories(seed):
    """No closed form: S, H and P11 from the integrated state."""
    rng = np.random.default_rng([23, seed])
    n, k, r = 7, 3, 3 + seed % 3
    values = np.sort(np.concatenate([rng.uniform(0.3, 2, k), -rng.uniform(0, 1, n - k) * (seed % 2)]))[::-1]
    X0 = rng.standard_normal((n, r))
    flow = SYMMETRIC(values, rank=r)
    times = np.linspace(0, 12, 25)
    bounds = lf.cascade.schur(flow, X0).bounds(times)
    for i, x in enumerate(flow.simulate(X0, times, rtol=1e-11).x):
        P = x @ x.T
        H = np.linalg.solve(P[:k, :k], P[:k, k:]).T
        S = P[k:, k:] - H @ P[:k, k:]
        gap = np.linalg.inv(P[:k, :k]) - np.diag(1 / values[:k])
        block = P[:k, :k] - np.diag(values[:k])
        seen = {"S": np.linalg.norm(S, 2), "trace S": np.trace(S), "H": np.linalg.norm(H), "Y": np.linalg.norm(gap)}
        seen |= {"P11": np.linalg.norm(block), "P": np.linalg.norm(P - np.diag(np.maximum(values, 0)))}
        for name, value in seen.items():
            assert value <= bounds[name][i] + 1e-8, name
        assert flow.loss(x) - np.sum(np.minimum(values, 0) ** 2) / 4 <= bounds["excess"][i] + 1e-8


# --- certificates -------------------------------------------------------------------------------------------------


def certify(M, rank, seed=0):
    flow = SYMMETRIC(M, rank=rank)
    cascade = lf.cascade.schur(flow, np.random.default_rng(seed).standard_normal(flow.shape))
    return {one.name: one for one in cascade.certificates}


def test_rates_of_the_three_kinds():
    slow = certify([3, 1, 0, 0], 3)  # over-parameterised, a zero eigenvalue
    assert {name: (c.rate, c.order) for name, c in slow.items()} == {
        "S": (None, 1),
        "trace S": (None, 1),
        "H": (1, 0),
        "Y": (2, 0),
        "P11": (2, 0),
        "P": (None, 1),
        "excess": (None, 2),
    }
    exact = certify([3, 1, 0, 0], 2)  # r = k: S = 0, everything exponential
    assert {name: c.rate for name, c in exact.items()} == {"H": 1, "Y": 2, "P11": 2, "P": 1, "excess": 2}
    definite = certify([3, 1, Fraction(-1, 4), -2], 3)
    assert {name: c.rate for name, c in definite.items()} == {
        "S": Fraction(1, 2),
        "trace S": Fraction(1, 2),
        "H": Fraction(5, 4),
        "Y": 2,
        "P11": 2,
        "P": Fraction(1, 2),
        "excess": Fraction(1, 2),
    }
    for found in (slow, exact, definite):
        assert all(c.verify() and c.standing == "proved" for c in found.values())


def test_a_dense_matrix_is_proved_and_a_large_one_computed():
    rng = np.random.default_rng(3)
    for n, proved in ((30, True), (121, False)):
        turn = np.linalg.qr(rng.standard_normal((n, n)))[0]
        M = turn * np.linspace(-1, 2.01, n) @ turn.T
        found = certify((M + M.T) / 2, n)
        least = np.linspace(-1, 2.01, n)
        assert float(found["Y"].rate) == pytest.approx(2 * least[least > 0].min(), rel=1e-8)
        assert all(c.verify() is proved for c in found.values())
        assert proved or "more than 120 rows" in found["H"].standing


def test_zeros_of_a_dense_matrix():
    exact = certify(
        [[1, 1, 0], [1, 1, 0], [0, 0, -1]], 2
    )  # singular, and proved to be by its characteristic polynomial
    assert exact["S"].rate is None
    assert all(c.verify() for c in exact.values())
    vectors = np.linalg.qr(np.random.default_rng(1).standard_normal((4, 2)))[0]
    decided = certify(vectors @ vectors.T, 3)  # singular up to rounding only
    assert decided["S"].rate is None
    assert "zeros decided by the tolerance" in decided["S"].standing or decided["S"].is_proved


def test_corrupted_certificates_are_refused():
    found = certify([[2, 1, 0], [1, -1, 0.5], [0, 0.5, -3]], 2)
    for one in found.values():
        assert one.verify()
        with pytest.raises(lf.VerificationError, match="rate"):
            replace(one, rate=one.rate * Fraction(1001, 1000)).verify()
        wider = replace(one.gaps, above=one.gaps.above * Fraction(1001, 1000))
        with pytest.raises(lf.VerificationError, match="not proved"):
            replace(one, gaps=wider).verify()
        with pytest.raises(lf.InvalidModelError, match="must be one of"):
            replace(one, identities=("stage Q",)).verify()
    with pytest.raises(lf.VerificationError):
        replace(found["H"].gaps, below=found["H"].gaps.below + 1).verify()
    with pytest.raises(lf.VerificationError):
        replace(found["H"].gaps, count=2).verify()


@pytest.mark.parametrize("kind", KINDS)
def test_gaps_are_below_the_eigenvalues(kind):
    rng = np.random.default_rng([29, KINDS.index(kind)])
    for _ in range(4):
        M, X0 = draw_case(rng, kind)
        flow = SYMMETRIC(M, rank=X0.shape[1])
        gaps, values, k = measure_gaps(flow), flow.spectrum.values, flow.spectrum.positive
        assert (gaps.above is None) == (k == 0)
        assert gaps.above is None or 0 < gaps.above <= values[k - 1]
        assert gaps.below is None or 0 <= gaps.below <= -values[k]
        gaps.verify()


@pytest.mark.parametrize(
    "forged",
    [
        {"modes": ((9, 9),)},
        {"constant": 0.0},
        {"identities": ()},
        {"order": 5},
        {"growth": 3},
        {"quantity": "|X|"},
        {"statement": "X = 0"},
    ],
)
def test_a_bound_that_does_not_follow_is_refused(forged):
    flow = lf.learning.SymmetricFactorization([2, 1, -1], rank=2)
    for one in lf.cascade.schur(flow, [[1, 0], [0, 1], [1, 1]]).certificates:
        assert one.verify()
        with pytest.raises(lf.errors.VerificationError, match="must be"):
            replace(one, **forged).verify()


def test_a_rate_with_forged_modes_is_refused():
    flow = lf.learning.SymmetricFactorization([2, 1, -1], rank=2)
    h = next(c for c in lf.cascade.schur(flow, [[1, 0], [0, 1], [1, 1]]).certificates if c.name == "H")
    with pytest.raises(lf.errors.VerificationError, match="modes of the bound of 'H'"):
        replace(h, modes=((9, 0),), rate=9 * h.rate / 2).verify()


@pytest.mark.parametrize("tiny", [1e-170, 1e-200, 5e-324])
def test_what_floats_square_to_nothing_is_there_all_the_same(tiny):
    """S(0) = tiny^2 is 0 in floats; it stays for ever, so no exponential rate of the whole is true."""
    cascade = lf.cascade.schur(SYMMETRIC([2, 0], rank=2), [[1, 0], [0, tiny]])
    rates = {one.name: one.rate for one in cascade.certificates if one.verify()}
    assert rates["P"] is None
    assert rates["excess"] is None
    assert "S" in rates


def test_where_floats_see_no_spare_direction_the_exact_rank_decides():
    """Columns that differ in the last bit of one entry: the rank is 2, whatever the projection leaves of it."""
    cascade = lf.cascade.schur(SYMMETRIC([2, 0], rank=2), [[3, 3], [1, 1 + 2**-52]])
    assert {one.name: one.rate for one in cascade.certificates}["P"] is None
