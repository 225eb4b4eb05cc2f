"""python-control in and out."""

from fractions import Fraction

import control
import numpy as np
import pytest

import lyapflow as lf


def test_round_trip_keeps_the_plant():
    plant = control.ss([[0, 1], [-1, -0.5]], [[0], [-1]], [[1, 0]], 0)
    system = lf.LureSystem.from_control(plant, oracles=[lf.SectorBounded(0, "1/2")])
    back = system.to_control()
    assert system.dt == 0
    for name in "ABCD":
        assert np.array_equal(getattr(back, name), getattr(plant, name))


def test_floats_are_taken_at_their_exact_values():
    plant = control.ss([[-0.1]], [[1]], [[1]], 0)
    system = lf.LureSystem.from_control(plant, oracles=[lf.Lipschitz("1/20")])
    assert ((Fraction(-3602879701896397, 36028797018963968),),) == system.A


def test_discrete_time_keeps_its_sampling_time():
    plant = control.ss([[0.5]], [[1]], [[1]], 0, 0.25)
    assert lf.LureSystem.from_control(plant, oracles=[lf.Lipschitz(1)]).dt == 0.25


def test_proved_rate_agrees_with_the_circle_criterion():
    """The loop is stable with rate r iff G(jw - r) avoids the disk; for [-k, k] that is |G(jw - r)| < 1 / k."""
    plant = control.ss([[0, 1], [-2, -3]], [[0], [1]], [[1, 0]], 0)
    k = 0.5
    rate = float(lf.certify(lf.LureSystem.from_control(plant, oracles=[lf.SectorBounded(-k, k)])).rate)
    for shift, inside in ((rate * (1 - 1e-4), True), (rate * (1 + 1e-4), False)):
        shifted = control.ss(plant.A + shift * np.eye(2), plant.B, plant.C, plant.D)
        response = control.frequency_response(shifted, np.concatenate([[0.0], np.logspace(-3, 3, 20_001)]))
        peak = np.abs(response.complex).max()
        assert (peak < 1 / k) == inside


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (control.ss([[-1]], [[1, 1]], [[1]], [[0, 0]]), "one input and one output per oracle"),
        (control.tf([1], [1, 1]), "must be a control.StateSpace"),
        (control.ss([[0.5]], [[1]], [[1]], 0, True), "dt"),
    ],
)
def test_plants_that_do_not_fit(plant, said):
    with pytest.raises(lf.InvalidModelError, match=said):
        lf.LureSystem.from_control(plant, oracles=[lf.Lipschitz(1)])
