"""Closed forms of the factorization flow: the table, an integrator, 3000 bits; limits, large times, and refusals."""

import os
import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from factorization_starts import KINDS, draw_case
from flint import arb, arb_mat, ctx

import lyapflow as lf

TABLE = tomllib.loads((Path(__file__).parents[1] / "reference" / "factorization.toml").read_text())
TRIALS = int(os.environ.get("LYAPFLOW_TRIALS", "8"))  # `make test-all` makes 250
SYMMETRIC = lf.learning.SymmetricFactorization


def solve(M, X0, **options):
    return lf.cascade.schur(SYMMETRIC(M, rank=np.shape(X0)[1], **options), X0)


def agrees(value, text):
    """To half a unit of the last printed digit."""
    unit = Decimal(1).scaleb(Decimal(text).as_tuple().exponent)
    return abs(Decimal(float(value)) - Decimal(text)) <= unit * Decimal("0.500001")


# --- the table ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", TABLE["row"], ids=lambda row: f"t = {row['t']}")
@pytest.mark.parametrize("dense", [False, True])
def test_reference_row(row, dense):
    turn = np.linalg.qr(np.arange(9.0).reshape(3, 3) ** 2 + np.eye(3))[0] if dense else np.eye(3)
    M = turn @ np.diag(TABLE["M"]) @ turn.T if dense else TABLE["M"]
    M = (M + M.T) / 2 if dense else M
    cascade = solve(M, turn @ TABLE["X0"])
    t = row["t"]
    assert agrees(cascade.P11(t)[0, 0], row["P11"])
    assert agrees(cascade.loss(t), row["f"])
    assert agrees(cascade.excess(t), row["f"])
    assert agrees(1 / cascade.Y(t)[0, 0], row["P11"])
    exact = np.array([[float(Fraction(v)) for v in line] for line in row["S"]])
    if dense:  # the basis of the kernel is another one
        assert np.allclose(np.linalg.eigvalsh(cascade.S(t)), np.linalg.eigvalsh(exact), atol=1e-14)
        length = np.linalg.norm([float(v) for v in row["H"]])
        assert np.linalg.norm(cascade.H(t)) == pytest.approx(length, rel=1e-4 if t == 5 else 1e-6)
    else:
        assert np.allclose(cascade.S(t), exact, rtol=1e-14, atol=0)
        assert all(agrees(v, text) for v, text in zip(cascade.H(t)[:, 0], row["H"], strict=True))


def test_over_parameterised_limits():
    """t |S| -> 1/2 and t^2 f -> 2/16 for diag(3, 1, 0, 0, 0) and r = 4, faster for larger starts."""
    X0 = np.random.default_rng(5).standard_normal((5, 4))
    cascade = solve([3, 1, 0, 0, 0], X0)
    for t, error in ((1e4, 3e-3), (1e7, 3e-6), (1e10, 3e-9)):
        s = np.linalg.eigvalsh(cascade.S(0))[1:]
        exact = np.sort(s / (1 + 2 * s * t))
        assert np.allclose(np.linalg.eigvalsh(cascade.S(t))[1:], exact, rtol=1e-12, atol=0)
        assert t * np.linalg.norm(cascade.S(t), 2) == pytest.approx(0.5, rel=error)
        assert t**2 * cascade.loss(t) == pytest.approx(2 / 16, rel=error)


def test_the_slow_state_in_closed_form():
    """L2 = 0: the eigenvalues of S are exactly s/(1 + 2 s t)."""
    cascade = solve([0, 0, 0], np.diag([1.0, 2.0, 0.5]))
    assert np.allclose(cascade.S(3), np.diag([s / (1 + 6 * s) for s in (1, 4, 0.25)]), rtol=1e-14)


# --- other methods ------------------------------------------------------------------------------------------------


def integrate(M, X0, times):
    """P along the flow, by scipy at its finest."""
    flow = SYMMETRIC(M, rank=X0.shape[1])
    path = flow.simulate(X0, times, rtol=1e-11, atol=1e-11 * np.abs(X0).max())
    return np.array([x @ x.T for x in path.x])


@pytest.mark.parametrize("trial", range(min(TRIALS, 100)))
def test_closed_form_against_an_integrator(trial):
    """Relative error of P at most 1e-8; sizes to 60, over- and under-parameterised, dense and singular."""
    rng = np.random.default_rng([7, trial])
    n = int(rng.integers(2, 61 if trial % 4 == 3 else 20))
    r, k = int(rng.integers(1, n + 3)), int(rng.integers(0, n + 1))
    values = np.where(np.arange(n) < k, rng.uniform(0.1, 2, n), -rng.uniform(0, 2, n) * (rng.random(n) < 0.7))
    turn = np.linalg.qr(rng.standard_normal((n, n)))[0]
    M = turn * values @ turn.T
    M, X0, times = (
        (M + M.T) / 2,
        rng.standard_normal((n, r)) * 10 ** rng.uniform(-2, 0.5),
        np.array([0.05, 0.5, 2, 8.0]),
    )
    for found, expected in zip(solve(M, X0).P(times), integrate(M, X0, times), strict=True):
        assert np.linalg.norm(found - expected) <= 1e-8 * np.linalg.norm(expected)


def solve_in_many_bits(values, z, t):
    """P = D Z0 (I + Z0' Phi Z0)^-1 Z0' D in ball arithmetic, the plain formula."""
    n, r = z.shape
    ctx.prec = 6000 + int(6 * np.abs(values).max() * t)
    try:
        grow = [(arb(v) * t).exp() for v in values]
        phi = [2 * arb(t) if v == 0 else (g * g - 1) / arb(v) for v, g in zip(values, grow, strict=True)]
        rows = arb_mat(n, r, [arb(v) for v in z.ravel()])
        weighted = arb_mat(n, r, [phi[i] * arb(z[i, j]) for i in range(n) for j in range(r)])
        middle = arb_mat(r, r, [int(i == j) for i in range(r) for j in range(r)]) + rows.transpose() * weighted
        left = arb_mat(n, r, [grow[i] * arb(z[i, j]) for i in range(n) for j in range(r)])
        return np.array([float(v.mid()) for v in (left * middle.inv() * left.transpose()).entries()]).reshape(n, n)
    finally:
        ctx.prec = 53


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"deficient"}))
def test_closed_form_against_thousands_of_bits(kind):
    """Rows that differ by 24 orders of magnitude included: the relative error of P stays at working precision."""
    rng = np.random.default_rng([11, KINDS.index(kind)])
    for _ in range(max(2, TRIALS // 5)):
        values, z = draw_case(rng, kind, most=6, dense=False)
        cascade = solve(values, z)
        for t in (1e-9, 0.1, 3, 60, 400):
            expected = solve_in_many_bits(values, z, t)
            assert np.linalg.norm(cascade.P(t) - expected) <= 1e-13 * np.linalg.norm(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_stages_make_up_the_state(kind):
    rng = np.random.default_rng([13, KINDS.index(kind)])
    for _ in range(6):
        values, z = draw_case(rng, kind, dense=False)
        if kind in ("rows", "huge", "tiny"):
            z = np.sign(z) * np.abs(z) ** 0.1
        cascade = solve(values, z)
        k, order = cascade.condition.needed, np.argsort(-values, kind="stable")
        if not cascade.condition.holds or cascade.condition.smallest_singular_value < 1e-3:
            continue
        for t in (0, 0.3, 2):
            S, H, P11 = cascade.S(t), cascade.H(t), cascade.P11(t)
            P = cascade.P(t)[np.ix_(order, order)]
            whole = np.block([[P11, P11 @ H.T], [H @ P11, S + H @ P11 @ H.T]])
            assert np.allclose(whole, P, rtol=1e-9, atol=1e-11 * (1 + np.abs(P).max()))
            assert np.allclose(cascade.Y(t) @ P11, np.eye(k), atol=1e-7)
            loss = np.sum((P - np.diag(values[order])) ** 2) / 4
            assert cascade.loss(t) == pytest.approx(loss, rel=1e-10, abs=1e-14)


# --- where it goes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_the_limit_is_where_the_integrator_goes(seed):
    """Selected rows, for starts that miss directions: repeated eigenvalues, r < k, dependent and zero rows."""
    rng = np.random.default_rng([17, seed])
    values = np.array([3.0, 3, 2, 2, 2, 1, -1, 0])
    z = rng.standard_normal((8, 3 if seed % 2 else 6))
    z[1] = 2 * z[0]
    z[3] = z[0] - z[2]
    if seed > 2:
        z[4] = 0
        z[5] = z[0] + z[2]
    if seed % 2 == 0:
        turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        z[2:5] = turn @ z[2:5]
    cascade = solve(values, z)
    assert not cascade.condition.holds
    # The exact start of the integration: the flow keeps the rank of the rows only up to rounding, which grows like e^t.
    moved = integrate(values, z, np.array([7.0]))[0]
    assert np.allclose(cascade.P(7), moved, atol=1e-7)
    assert np.allclose(cascade.P(60), cascade.limit.matrix, atol=0.05)  # an eigenvalue 0: like 1/t
    assert np.allclose(cascade.P(1e9), cascade.limit.matrix, atol=1e-8)
    assert cascade.limit.kind == "strict saddle"
    assert cascade.loss(1e9) == pytest.approx(cascade.limit.loss, abs=1e-8)
    with pytest.raises(lf.InvalidModelError, match=f"rank {cascade.condition.rank} of 6"):
        cascade.S(1)
    with pytest.raises(lf.InvalidModelError, match="full row rank"):
        cascade.bounds(1)
    assert cascade.certificates == ()


def test_the_generic_limit_is_the_truncation():
    cascade = solve([5, 4, 3, -1], np.random.default_rng(0).standard_normal((4, 2)))
    assert cascade.limit.kind == "minimum"
    assert cascade.limit.matrix == pytest.approx(np.diag([5, 4, 0, 0]))
    assert cascade.limit.loss == pytest.approx((9 + 1) / 4)
    assert cascade.condition.smallest_singular_value == 0


@pytest.mark.parametrize(
    ("M", "X0", "kind"),
    [
        ([0.0], [[2.0]], "minimum"),
        ([-1.0], [[2.0, 1.0]], "minimum"),
        ([1.0], [[0.0]], "strict saddle"),
        ([0, 0], [[0, 0, 0], [0, 0, 0]], "minimum"),
        (np.zeros((2, 2)), [[1], [2]], "minimum"),
        ([[-2, 1], [1, -2]], [[1, 2, 3], [4, 5, 6]], "minimum"),
        (np.eye(3), np.eye(3), "minimum"),
        (np.eye(3), [[1], [1], [1]], "minimum"),
        (np.eye(3), [[1, 1], [1, 1], [1, 1]], "strict saddle"),
        ([1e12, 1e-12], [[1e-9], [1e9]], "minimum"),
    ],
)
def test_corners(M, X0, kind):
    cascade = solve(M, X0)
    assert cascade.limit.kind == kind
    for t in (0, 1e-300, 1e-9, 1, 1e6, 1e12, 1e280):
        assert np.all(np.isfinite(cascade.P(t)))
        assert np.isfinite(cascade.loss(t))
        assert cascade.excess(t) >= 0
    assert cascade.P(0) == pytest.approx(np.array(X0) @ np.transpose(X0))
    assert np.all(np.diff(cascade.loss(np.array([0, 1e-3, 0.1, 1, 10, 1e6, 1e12]))) <= 1e-9 * cascade.loss(0) + 1e-20)


def test_the_excess_keeps_its_digits():
    """Far below the rounding of f: (P11 - 1)^2 / 4 for x' = (1 - x^2) x from x = 2."""
    cascade = solve([1.0], [[2.0]])
    for t in (1.0, 10.0, 100.0, 300.0):
        gap = -0.75 * np.exp(-2 * t)  # 1/P - 1
        assert cascade.excess(t) == pytest.approx((gap / (1 + gap)) ** 2 / 4, rel=1e-12)


def test_a_close_decision_is_reported():
    almost = solve([2.0, 1.0], [[1.0, 0.0], [1.0, 1e-13]])
    assert almost.condition.holds
    assert almost.condition.is_ambiguous
    assert "close decision" in almost.condition.explain()
    assert not solve([2.0, 1.0], [[1.0, 0.0], [1.0, 0.0]]).condition.holds


def test_bad_arguments_are_refused():
    flow = SYMMETRIC([1.0, 2.0], rank=1)
    with pytest.raises(lf.DimensionError, match="shape"):
        lf.cascade.schur(flow, [[1.0]])
    with pytest.raises(lf.InvalidModelError, match="finite"):
        lf.cascade.schur(flow, [[1.0], [np.nan]])
    with pytest.raises(lf.InvalidModelError, match="SymmetricFactorization"):
        lf.cascade.schur(np.eye(2), [[1.0], [2.0]])
    cascade = lf.cascade.schur(flow, [[1.0], [2.0]])
    for t in (-1, np.inf, [[1.0]], [0, np.nan]):
        with pytest.raises(lf.InvalidModelError, match="finite and >= 0"):
            cascade.factor(t)
    with pytest.raises(lf.InvalidModelError, match="overflow"):
        lf.cascade.schur(SYMMETRIC([1e10], rank=1), [[1.0]]).factor(1e299)
