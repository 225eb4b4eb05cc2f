"""The best step by proved rate, against closed forms."""

from fractions import Fraction

import pytest

import lyapflow as lf
from lyapflow.search.steps import find_best_step

F = lf.SmoothStronglyConvex(mu=1, L=100)


def test_douglas_rachford_finds_the_geometric_mean():
    seen = []
    step, certificate = find_best_step(
        lambda s: lf.flows.douglas_rachford_flow(F, lf.Convex(), step=s),
        (Fraction(1, 100), 1),
        points=5,
        tolerance=1e-3,
        report=lambda s, rate: seen.append((s, rate)),
    )
    assert float(step) == pytest.approx(0.1, rel=5e-3)  # 1 / sqrt(mu L)
    assert lf.verify(certificate).proved
    assert certificate.rate == max(rate for _, rate in seen)
    assert certificate.rate <= Fraction(1, 11)  # step mu / (1 + step mu) at the best step


@pytest.mark.parametrize("interval", [(0, 1), (1, 1), (2, 1), (-1, 1)])
def test_intervals_that_are_none(interval):
    with pytest.raises(lf.InvalidModelError, match="0 < low < high"):
        find_best_step(lambda s: lf.flows.douglas_rachford_flow(F, lf.Convex(), step=s), interval)


def test_no_proof_anywhere_is_said():
    with pytest.raises(lf.NoCertificateError):
        find_best_step(
            lambda s: lf.flows.forward_backward_flow(lf.SmoothConvex(1), lf.Convex(), step=s), ("0.1", 1), points=3
        )
