"""The largest step by proved factor, against closed forms."""

from fractions import Fraction

import pytest

import lyapflow as lf
from lyapflow.search.steps import largest_step
from lyapflow.search.witness import find_witness

F = lf.SmoothStronglyConvex(mu=1, L=100)


# --- the largest step ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", ["83/100", "9/10", "999/1000"])
def test_the_largest_step_of_gradient_descent(factor):
    """``|1 - step L| <= factor``; the smallest step of this factor, (1 - factor) / mu, is below it."""
    flow = lf.flows.gradient_flow(lf.SmoothStronglyConvex(mu=1, L=10))
    step, certificate = largest_step(flow, factor)
    exact = (1 + Fraction(factor)) / 10
    assert exact * (1 - Fraction(2, 10**6)) <= step <= exact
    assert certificate.system == lf.algorithms.euler(flow, step)
    assert certificate.factor == Fraction(factor)
    assert lf.verify(certificate).proved


def test_the_largest_relaxation_of_douglas_rachford():
    """The flow's Euler step is the relaxation: ``relaxation (1 + q)/2 - 1 <= factor`` with q = 7/13."""
    flow = lf.flows.douglas_rachford_flow(lf.SmoothStronglyConvex(mu=1, L=10), lf.Convex(), step="1/3")
    step, certificate = largest_step(flow, "9/10", tolerance="1e-4")
    exact = Fraction(19, 10) * Fraction(13, 10)
    assert exact * (1 - Fraction(2, 10**4)) <= step <= exact
    assert lf.verify(certificate).proved


def test_momentum_allows_a_step_that_no_linear_member_refutes():
    flow = lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex(mu=1, L=10), damping=2)
    step, certificate = largest_step(flow, "24/25")
    assert find_witness(certificate.system).factor <= certificate.factor
    assert step > Fraction(1, 7)  # 0.1465: slope 10 gives |1 + step lambda|^2 = 1 - 2 step + 10 step^2
    assert 1 - 2 * step + 10 * step**2 <= certificate.factor**2


def test_no_step_has_a_factor_below_the_best():
    flow = lf.flows.gradient_flow(lf.SmoothStronglyConvex(mu=1, L=10))
    with pytest.raises(lf.NoCertificateError, match="is false"):
        largest_step(flow, "4/5")  # 9/11 is the best, at step 2/11


def test_a_flow_that_does_not_converge_has_no_step():
    with pytest.raises(lf.NoCertificateError):
        largest_step(lf.flows.gradient_flow(lf.SmoothConvex(1)), "9/10")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"factor": 0}, "0 < factor < 1"),
        ({"factor": 1}, "0 <= factor < 1"),
        ({"factor": float("nan")}, "factor must be a finite real number"),
        ({"tolerance": 0}, "1e-12 <= tolerance < 1"),
        ({"flow": lf.algorithms.gradient_descent(F, step=1)}, "continuous time"),
        ({"flow": F}, "euler needs a LureSystem"),
    ],
)
def test_arguments_of_the_largest_step(change, reason):
    arguments = {"flow": lf.flows.gradient_flow(F), "factor": "9/10", **change}
    with pytest.raises(lf.InvalidModelError, match=reason):
        largest_step(arguments.pop("flow"), arguments.pop("factor"), **arguments)


def test_largest_step_says_what_was_tried():
    with pytest.raises(lf.NoCertificateError, match=r"between 0.5 and 1.5, none is proved .* ask for a larger one"):
        lf.largest_step(lf.flows.gradient_flow(lf.SmoothStronglyConvex(1, 10)), "1/2")
    with pytest.raises(lf.NoCertificateError, match=r"because the flow itself does not: .* u = 0 y"):
        lf.largest_step(lf.flows.gradient_flow(lf.SmoothConvex(10)), "1/2")


@pytest.mark.parametrize("tolerance", [0, 1, -1, 1e-300, "1e-13"])
def test_tolerances_of_the_largest_step(tolerance):
    with pytest.raises(lf.InvalidModelError, match="1e-12 <= tolerance < 1"):
        lf.largest_step(lf.flows.gradient_flow(lf.SmoothStronglyConvex(1, 10)), "9/10", tolerance=tolerance)
