"""Proved rates never lie above what concrete members do: on the catalogue, and on systems drawn at random."""

import re
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from systems import CATALOGUE

import lyapflow as lf
from lyapflow.search.witness import find_witness

D = 2  # dimension of the signals of concrete members


def test_proved_rate_is_not_above_the_witness(certificate):
    witness = find_witness(certificate.system)
    assert 0 < certificate.rate <= witness.rate
    assert not witness.refutes(certificate.rate)
    assert witness.refutes(witness.rate + Fraction(1, 10**40))


@pytest.mark.parametrize("name", ["gradient", "heavy-ball", "forward-backward", "primal-dual-augmented"])
def test_bracket(name):
    found = lf.bracket(CATALOGUE[name])
    assert found.gap == found.witness.rate - found.certificate.rate >= 0
    assert lf.verify(found.certificate).proved
    proved, true = re.search(r"proved ([\d.e+-]+) <= true rate <= ([\d.e+-]+)", str(found)).groups()
    assert Fraction(proved) <= found.certificate.rate  # what is printed is rounded to the safe side
    assert Fraction(true) >= found.witness.rate
    assert float(proved) == pytest.approx(float(found.certificate.rate), rel=1e-5)


@pytest.mark.parametrize("mu", ["2/3", "1/7", "0.99999999999", "123456789.123456789", 0.1])
def test_printed_bounds_of_a_member_are_rounded_up(mu):
    witness = find_witness(lf.flows.gradient_flow(lf.StronglyConvex(mu)))
    printed = re.search(r"rate at most ([\d.e+-]+)$", str(witness))[1]
    assert Fraction(printed) >= witness.rate


# --- concrete members, written out here ---------------------------------------------------------------------------


def draw_member(oracle, rng):
    """A linear member of a class on R^2, not only a multiple of the identity: rotations, skew parts, any eigenbasis."""
    limits = oracle.linear_members()
    low = float(limits.lower)
    high = low + 10.0 ** rng.uniform(-2, 3) if limits.upper is None else float(limits.upper)

    def turn():
        return np.linalg.qr(rng.normal(size=(D, D)))[0]

    if limits.rotations == "disk":
        centre, radius = (low + high) / 2, (high - low) / 2
        return centre * np.eye(D) + radius * turn() @ np.diag(rng.choice([1.0, 1.0, rng.random()], size=D)) @ turn()
    eigenvalues = rng.choice([low, high, low + (high - low) * rng.random()], size=D)
    basis = turn()
    S = basis @ np.diag(eigenvalues) @ basis.T
    if limits.rotations == "half-plane":
        K = rng.normal(size=(D, D)) * 10.0 ** rng.uniform(-1, 1)
        S = S + K - K.T
    return S


def in_class(oracle, S):
    """The definition of the class, for a linear map (with a little slack for rounding)."""
    sym, norm = np.linalg.eigvalsh((S + S.T) / 2), np.linalg.norm(S, 2)
    slack = 1e-9 * (1 + norm)
    match oracle:
        case lf.SmoothStronglyConvex(mu=low, L=high) | lf.Quadratic(mu=low, L=high):
            return np.allclose(S, S.T) and float(low) - slack <= sym[0] and sym[-1] <= float(high) + slack
        case lf.GradientDominated(mu=low, L=high):
            return np.allclose(S, S.T) and float(low) - slack <= sym[0] and sym[-1] <= float(high) + slack
        case lf.SlopeRestricted(lower=low, upper=high) | lf.StaticSector(lower=low, upper=high):
            return np.allclose(S, S.T) and float(low) - slack <= sym[0] and sym[-1] <= float(high) + slack
        case lf.SmoothConvex(L=high):
            return np.allclose(S, S.T) and -slack <= sym[0] and sym[-1] <= float(high) + slack
        case lf.StronglyConvex(mu=low):
            return np.allclose(S, S.T) and float(low) - slack <= sym[0]
        case lf.Convex():
            return np.allclose(S, S.T) and -slack <= sym[0]
        case lf.Monotone():
            return -slack <= sym[0]
        case lf.StronglyMonotone(mu=low):
            return float(low) - slack <= sym[0]
        case lf.Cocoercive(beta=beta):
            return np.linalg.eigvalsh((S + S.T) / 2 - float(beta) * S.T @ S)[0] >= -slack * (1 + norm)
        case lf.Lipschitz(L=high):
            return norm <= float(high) + slack
        case lf.SectorBounded(lower=low, upper=high):
            left, right = S - float(low) * np.eye(D), float(high) * np.eye(D) - S
            return np.linalg.eigvalsh(left.T @ right + right.T @ left)[0] >= -slack * (1 + norm)
    raise AssertionError(f"no definition of {oracle} here")


def closed_loop(system, maps):
    A, B, C, F = (np.kron(np.array(m, dtype=float), np.eye(D)) for m in (system.A, system.B, system.C, system.D))
    S = np.zeros((len(F), len(F)))
    for j, one in enumerate(maps):
        S[j * D : (j + 1) * D, j * D : (j + 1) * D] = one
    return A + B @ S @ np.linalg.solve(np.eye(len(F)) - F @ S, C)


def check_against_members(certificate, rng, *, members=6):
    """Spectral abscissa, transient bound and, for time-varying classes, switching between members."""
    system, rate = certificate.system, float(certificate.rate)
    bound = float(certificate.transient_bound) if certificate.is_bounded else None
    loops = []
    for _ in range(members):
        maps = [draw_member(oracle, rng) for oracle in system.oracles]
        assert all(in_class(o, S) for o, S in zip(system.oracles, maps, strict=True))
        M = closed_loop(system, maps)
        size = np.abs(M).max()
        assert np.linalg.eigvals(M).real.max() <= -rate + 1e-6 * (1 + size)
        loops.append(M)
        if bound is not None and size < 1e3:
            for t in np.linspace(0, 3 / rate, 7) if rate > 1e-2 * size else ():
                assert np.linalg.norm(expm(M * t), 2) <= bound * np.exp(-rate * t) * (1 + 1e-6) + 1e-9
    if all(isinstance(o, lf.SectorBounded) for o in system.oracles):
        for first, second in pairwise(loops):
            a, b = 10.0 ** rng.uniform(-1, 1, size=2) / (1 + np.abs(first).max())
            cycle = expm(first * a) @ expm(second * b)
            assert np.abs(np.linalg.eigvals(cycle)).max() <= np.exp(-rate * (a + b)) * (1 + 1e-6)


def test_the_catalogue_against_members(certificate, rng):
    if isinstance(certificate.system, lf.LureSystem):
        check_against_members(certificate, rng)


def test_primal_dual_flows_against_members(rng):
    f = lf.SmoothStronglyConvex(1, 10)
    for E, gain, a in (([[1, 0, 1], [0, 2, 1]], 2, 0), ([[1, 1]], 1, "1/2"), ([[1, 2], [3, 4]], "1/3", 1)):
        certificate = lf.certify(lf.flows.primal_dual_flow(f, constraint=E, dual_gain=gain, augmentation=a))
        E = np.array(E, dtype=float)
        m, n = E.shape
        rate, bound = float(certificate.rate), float(certificate.transient_bound)
        for _ in range(8):
            basis = np.linalg.qr(rng.normal(size=(n, n)))[0]
            H = basis @ np.diag(rng.choice([1, 10, rng.uniform(1, 10)], size=n)) @ basis.T
            top = np.hstack([-H - float(Fraction(a)) * E.T @ E, -E.T])
            M = np.vstack([top, np.hstack([float(Fraction(gain)) * E, np.zeros((m, m))])])
            assert np.linalg.eigvals(M).real.max() <= -rate + 1e-9
            for t in np.linspace(0, 3 / rate, 7):
                assert np.linalg.norm(expm(M * t), 2) <= bound * np.exp(-rate * t) * (1 + 1e-9)


# --- systems drawn at random --------------------------------------------------------------------------------------

entries = st.fractions(-2, 2, max_denominator=4)
moduli = st.sampled_from(["1/10", "1/3", 1, 2, 5]).map(Fraction)
templates = st.sampled_from([None, lf.QuadraticStorage(), lf.QuadraticPlusValue(definite=True)])
ratios = st.sampled_from([1, "1001/1000", "3/2", 2, 10, 100]).map(Fraction)


@st.composite
def classes(draw, *, prox):
    mu = draw(moduli)
    L = mu * draw(ratios)
    common = [
        lf.Convex(),
        lf.StronglyConvex(mu),
        lf.SmoothConvex(L),
        lf.SmoothStronglyConvex(mu, L),
        lf.Quadratic(mu, L),
        lf.Cocoercive(1 / L),
        lf.SlopeRestricted(0, L),
        lf.SlopeRestricted(mu, L + mu),
    ]
    resolvents = [lf.Monotone(), lf.StronglyMonotone(mu)]
    explicit = [
        lf.GradientDominated(mu, L),
        lf.Lipschitz(mu),
        lf.SectorBounded(-mu, L),
        lf.SlopeRestricted(-mu, L),
        lf.SectorBounded(mu, L + mu),
    ]
    return draw(st.sampled_from(common + (resolvents if prox else explicit)))


@st.composite
def systems(draw):
    """Small loops, more often damped and in negative feedback than not, so that many are stable."""
    n, m = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    shift = draw(st.sampled_from([0, 1, 3]))
    A = [[draw(entries) - shift * (i == j) for j in range(n)] for i in range(n)]
    B = [[draw(entries) for _ in range(m)] for _ in range(n)]
    collocated = draw(st.booleans())
    C = [[-B[i][j] if collocated else draw(entries) for i in range(n)] for j in range(m)]
    feedthrough = [[Fraction(0)] * m for _ in range(m)]
    oracles = []
    for j in range(m):
        prox = draw(st.booleans())
        oracles.append(draw(classes(prox=prox)))
        if prox:
            feedthrough[j][j] = -draw(moduli)
        for k in range(j):
            feedthrough[j][k] = draw(entries)
    return lf.LureSystem(A, B, C, feedthrough, oracles=oracles)


def test_random_systems():
    proved = 0

    @settings(max_examples=60)
    @given(systems(), templates, st.integers(0, 2**32))
    def check(system, template, seed):
        nonlocal proved
        witness = find_witness(system)
        outcome = lf.attempt(system, template=template)
        match outcome:
            case lf.Proved(certificate=certificate):
                assert lf.verify(certificate).proved
                assert 0 < certificate.rate <= witness.rate
                check_against_members(certificate, np.random.default_rng(seed))
                proved += 1
            case lf.Infeasible(witness=found):
                assert ("is false" in outcome.explain()) == (found.rate <= 0)
            case lf.Inconclusive():
                assert outcome.advice

    check()
    assert proved >= 15  # not vacuous
