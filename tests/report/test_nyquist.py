"""The circle criterion by frequency response: python-control, the figure, and what is proved say the same."""

import control
import numpy as np
import pytest
from matplotlib.figure import Figure

import lyapflow as lf
from lyapflow.errors import InvalidModelError
from lyapflow.report import draw_nyquist
from lyapflow.report.nyquist import read_interval, trace_nyquist


def source_seeking(f):
    return lf.LureSystem([[0, 5, 0], [0, 0, 5], [0, -5, -1]], [[0], [0], ["-1/25"]], [[5, -25, 0]], oracles=[f])


def response_of(system, rate, omega):
    """``H(j w - rate)`` by python-control, in negative feedback."""
    plant = system.to_control()
    shifted = control.ss(plant.A + rate * np.eye(plant.nstates), plant.B, -plant.C, -plant.D)
    return np.squeeze(control.frequency_response(shifted, omega, squeeze=True).frdata), shifted


def criterion_holds(system, rate, low, high):
    """Off the disk for all frequencies, and stable with one slope of the sector."""
    omega = np.unique(np.concatenate([np.geomspace(1e-4, 1e3, 100), np.linspace(0.02, 8, 400)]))
    response, shifted = response_of(system, rate, omega)
    middle = control.feedback(shifted, (low + high) / 2)
    centre, radius = -(1 / low + 1 / high) / 2, (1 / low - 1 / high) / 2
    near = omega[np.argmin(np.abs(response - centre))]
    fine = response_of(system, rate, np.linspace(max(near - 0.03, 1e-4), near + 0.03, 200))[0]
    return middle.poles().real.max() < 0 and np.abs(fine - centre).min() > radius


def find_limit(system, low, high):
    inside, outside = 0.0, 1.0
    for _ in range(16):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if criterion_holds(system, middle, low, high) else (inside, middle)
    return inside


@pytest.mark.parametrize(
    ("system", "low", "high"),
    [
        (lf.flows.heavy_ball_flow(lf.SectorBounded(1, 10), damping=3), 1, 10),
        (lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex(1, 2), damping=1), 1, 2),
        (source_seeking(lf.SectorBounded(1, "3/2")), 1, 1.5),
    ],
)
def test_the_proved_rate_is_that_of_the_frequency_response(system, low, high):
    certificate = lf.certify(system, template=lf.QuadraticStorage())
    assert abs(float(certificate.rate) - find_limit(system, low, high)) < 1e-4


def test_no_rate_where_the_criterion_fails():
    system = source_seeking(lf.SectorBounded(1, 2))
    assert not criterion_holds(system, 0.0, 1, 2)
    assert isinstance(lf.attempt(system, template=lf.QuadraticStorage()), lf.Infeasible)


def test_the_curve_is_that_of_python_control():
    for system in (source_seeking(lf.SmoothConvex(2)), lf.flows.heavy_ball_flow(lf.Lipschitz(1), damping=2)):
        for rate in (0, "1/5"):
            omega, curve = trace_nyquist(system, lf.ExponentialDecay(rate).rate if rate else 0)
            expected, _ = response_of(system, float(lf.ExponentialDecay(rate).rate) if rate else 0.0, omega)
            assert np.allclose(curve, expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("oracle", "label"),
    [
        (lf.SmoothStronglyConvex(1, 10), "critical disk of [1, 10]"),
        (lf.SmoothConvex(10), "critical half-plane of [0, 10]"),
        (lf.SlopeRestricted(-3, 0), "critical half-plane of [-3, 0]"),
        (lf.SlopeRestricted(-3, -1), "critical disk of [-3, -1]"),
        (lf.Lipschitz(2), "the curve must stay inside: sector [-2, 2]"),
        (lf.SmoothStronglyConvex(2, 2), "critical point of the slope 2"),
    ],
)
def test_the_critical_region(oracle, label):
    figure = Figure()
    draw_nyquist(figure, lf.flows.heavy_ball_flow(oracle, damping=3), "1/4")
    (axes,) = figure.axes
    labels = axes.get_legend_handles_labels()[1]
    assert label in labels
    low, high = read_interval(oracle)
    if low * high > 0 and low != high:
        (disk,) = axes.patches
        ends = sorted(float(-1 / v) for v in (low, high))
        assert np.allclose([disk.center[0] - disk.radius, disk.center[0] + disk.radius], ends)


@pytest.mark.parametrize(
    ("system", "rate", "said"),
    [
        (lf.flows.heavy_ball_flow(lf.StronglyConvex(1), damping=2), 0, "finite sector"),
        (lf.flows.forward_backward_flow(lf.SmoothConvex(1), lf.Convex(), step=1), 0, "one oracle"),
        (lf.algorithms.gradient_descent(lf.SmoothConvex(1), step=1), 0, "continuous time"),
        (lf.flows.heavy_ball_flow(lf.SmoothConvex(1), damping=2), -1, "rate must be >= 0"),
    ],
)
def test_refusals(system, rate, said):
    with pytest.raises(InvalidModelError, match=said):
        lf.nyquist_figure(system, rate)
