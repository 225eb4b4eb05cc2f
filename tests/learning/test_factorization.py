"""The factorization model: right-hand side, loss, Jacobian, equilibria, what is conserved, and refusals."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from factorization_starts import KINDS, draw_case

import lyapflow as lf

SYMMETRIC = lf.learning.SymmetricFactorization


@pytest.mark.parametrize("kind", ["plain", "repeated", "deficient"])
def test_definitions(kind):
    rng = np.random.default_rng([31, KINDS.index(kind)])
    for _ in range(4):
        M, X = draw_case(rng, kind)
        flow = SYMMETRIC(M, rank=X.shape[1])
        full = np.diag(M) if np.ndim(M) == 1 else M
        assert np.allclose(flow.vector_field(0, X), (full - X @ X.T) @ X)
        assert flow.loss(X) == pytest.approx(np.sum((X @ X.T - full) ** 2) / 4, rel=1e-10)
        D, h = rng.standard_normal(X.shape), 1e-6
        slope = (flow.loss(X + h * D) - flow.loss(X - h * D)) / (2 * h)
        assert slope == pytest.approx(-np.sum(flow.vector_field(0, X) * D), rel=1e-6, abs=1e-7)
        push = (flow.vector_field(0, X + h * D) - flow.vector_field(0, X - h * D)) / (2 * h)
        assert np.allclose(
            flow.jacobian_operator(X).matvec(D.ravel()), push.ravel(), atol=1e-6 * (1 + np.abs(push).max())
        )
        J = flow.jacobian(X)
        assert np.allclose(J, J.T)
        spectrum = flow.spectrum
        assert np.allclose(spectrum.leave(spectrum.values[:, None] * spectrum.enter(np.eye(len(X)))), full, atol=1e-12)


def test_the_jacobian_spectrum_of_the_table():
    """lambda = (3, 2, 1, -.5, 0), r = 3: formula against central differences, at most 6e-10."""
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((5, 5)))[0]
    M = turn @ np.diag([3, 2, 1, -0.5, 0]) @ turn.T
    flow = SYMMETRIC((M + M.T) / 2, rank=3)
    classes = list(flow.equilibria())
    assert len(classes) == flow.count_equilibria() == sum(comb(3, j) for j in range(4))
    for one in classes:
        X = flow.represent(one)
        assert np.abs(flow.vector_field(0, X)).max() < 1e-14
        h, columns = 1e-3, []
        for unit in np.eye(X.size):
            D = unit.reshape(X.shape)
            # Richardson's extrapolation of central differences is exact for a cubic.
            wide, near = (
                (flow.vector_field(0, X + s * D) - flow.vector_field(0, X - s * D)) / (2 * s) for s in (2 * h, h)
            )
            columns.append(((4 * near - wide) / 3).ravel())
        seen = np.sort(np.linalg.eigvals(np.array(columns).T).real)[::-1]
        assert np.abs(seen - one.eigenvalues).max() <= 6e-10
        assert one.loss == pytest.approx(flow.loss(X), abs=1e-13)
        assert one.index == np.count_nonzero(seen > 1e-8)
        assert one.nullity == np.count_nonzero(np.abs(seen) < 1e-8)
        assert one.kind == ("minimum" if one.rank == 3 else "strict saddle")


@pytest.mark.parametrize(
    ("values", "rank"), [([5, 4, 1, -1], 2), ([2, 2, 1, 0], 3), ([2, 2, 2], 1), ([3, 3, -1], 5), ([-1, 0], 2)]
)
def test_enumeration(values, rank):
    flow = SYMMETRIC(values, rank=rank)
    classes = list(flow.equilibria())
    assert len(classes) == flow.count_equilibria()
    assert len({one.selection for one in classes}) == len(classes)
    # Every choice of basis directions belongs to a class; the classes are the choices up to equal eigenvalues.
    positive = [v for v in values if v > 0]
    choices = {tuple(sorted(c)) for j in range(min(rank, len(positive)) + 1) for c in combinations(positive, j)}
    assert len(choices) == len(classes)
    least = min(one.loss for one in classes)
    for one in classes:
        assert (one.kind == "minimum") == (one.loss == least)
        assert len(one.eigenvalues) == len(values) * rank
        jacobian = np.linalg.eigvalsh(flow.jacobian(flow.represent(one)))[::-1]
        assert np.allclose(jacobian, one.eigenvalues, atol=1e-12)
    assert sum(one.kind == "minimum" for one in classes) == 1


def test_a_family_of_equilibria_has_its_dimension():
    (minimum, *_) = (e for e in SYMMETRIC([2, 2, 2, 1], rank=2).equilibria() if e.kind == "minimum")
    assert minimum.selection == ((2.0, 2),)
    assert minimum.dimension == 2  # the planes in three dimensions
    assert minimum.nullity == 2 + 1  # and the rotations of two columns


def test_invariants_along_a_trajectory():
    rng = np.random.default_rng(4)
    X0 = rng.standard_normal((6, 2)) @ rng.standard_normal((2, 4))
    flow = SYMMETRIC(np.diag([3.0, 2, 1, 0, -1, -2]), rank=4)
    path = flow.simulate(X0, [0, 1, 3], rtol=1e-11)
    before = flow.invariants(X0)
    assert (before["rank"], before["positive_rank"]) == (2, 2)
    for x in path.x:
        assert np.allclose(x @ before["row_space"], x, atol=1e-8)
    assert np.all(np.diff(path.loss) < 0)
    assert path.t[0] == 0
    assert np.array_equal(path.x[0], X0)
    assert flow.invariants(np.zeros((6, 4)))["rank"] == 0
    assert np.array_equal(flow.simulate(X0, [0]).x[0], X0)


def test_zeros_and_equal_eigenvalues_are_decided():
    turn = np.linalg.qr(np.random.default_rng(6).standard_normal((5, 5)))[0]
    M = turn @ np.diag([2, 2, 1, 0, 0]) @ turn.T
    spectrum = SYMMETRIC((M + M.T) / 2, rank=2).spectrum
    assert [g.stop - g.start for g in spectrum.groups] == [2, 1, 2]
    assert spectrum.values[3] == spectrum.values[4] == 0
    assert 0 < spectrum.distance < 1e-14
    coarse = SYMMETRIC([1.0, 1e-9, -1e-9], rank=1, tolerance=1e-6).spectrum
    assert (coarse.positive, coarse.zeros_decided, coarse.distance) == (1, 2, 1e-9)
    assert SYMMETRIC([1.0, 1e-300], rank=1).spectrum.positive == 2  # a diagonal is taken at its word


@pytest.mark.parametrize(
    ("M", "options", "error", "said"),
    [
        ([[1, 2], [3, 4]], {"rank": 1}, lf.InvalidModelError, "RectangularFactorization"),
        ([[1, np.nan], [np.nan, 1]], {"rank": 1}, lf.InvalidModelError, "finite"),
        ([[1, 2, 3], [4, 5, 6]], {"rank": 1}, lf.DimensionError, "square"),
        ([], {"rank": 1}, lf.DimensionError, "square"),
        ("text", {"rank": 1}, lf.InvalidModelError, "real matrix"),
        ([1, 2], {"rank": 0}, lf.InvalidModelError, "rank"),
        ([1, 2], {"rank": 1.5}, lf.InvalidModelError, "rank"),
        ([1, 2], {"rank": True}, lf.InvalidModelError, "rank"),
        ([1, 2], {"rank": 1, "tolerance": -1}, lf.InvalidModelError, "tolerance"),
    ],
)
def test_bad_models(M, options, error, said):
    with pytest.raises(error, match=said):
        SYMMETRIC(M, **options)


def test_bad_states_and_times():
    flow = SYMMETRIC([1, 2], rank=1)
    with pytest.raises(lf.DimensionError, match="shape"):
        flow.loss([1, 2])
    with pytest.raises(lf.InvalidModelError, match="finite"):
        flow.vector_field(0, [[1], [np.inf]])
    for times in ([-1], [1, 0], [np.nan], [[0, 1]], []):
        with pytest.raises(lf.InvalidModelError, match="t_eval"):
            flow.simulate([[1], [1]], times)
    with pytest.raises(lf.DimensionError, match="jacobian_operator"):
        SYMMETRIC(np.ones(3000), rank=2).jacobian(np.ones((3000, 2)))
