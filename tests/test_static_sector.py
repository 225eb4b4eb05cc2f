"""Popov's criterion: static nonlinearities in a sector, against its classical frequency condition."""

import numpy as np
import pytest
from judging import assert_refused, at_rate, with_changes
from scipy.integrate import quad

import lyapflow as lf
from lyapflow.members import StaticNonlinearity
from lyapflow.report import state_theorem


def cube(oracle):
    """1 / (s + 1)^3 in negative feedback: slopes up to 8, the circle criterion up to 4."""
    return lf.LureSystem([[-1, 0, 0], [1, -1, 0], [0, 1, -1]], [[-1], [0], [0]], [[0, 0, 1]], oracles=[oracle])


def test_popov_reaches_the_limit_of_linear_members():
    """Popov's line through -1/8 with slope 1 leaves the curve to its right; the circle criterion ends at 4."""
    omega = np.geomspace(1e-3, 1e3, 20_000)
    response = 1 / (1 + 1j * omega) ** 3
    assert ((1 + 1j * omega) * response).real.min() > -1 / 8 - 1e-6
    assert abs(response.real.min() + 1 / 4) < 1e-6
    assert lf.certify(cube(lf.StaticSector(0, "79/10"))).rate > 0
    assert isinstance(lf.attempt(cube(lf.StaticSector(0, "81/10"))), lf.Infeasible)  # a linear member is unstable
    assert lf.certify(cube(lf.SectorBounded(0, "39/10"))).rate > 0
    assert not isinstance(lf.attempt(cube(lf.SectorBounded(0, "41/10"))), lf.Proved)


def test_the_more_is_known_the_larger_the_rate():
    rates = [lf.certify(lf.flows.heavy_ball_flow(c, damping=3)).rate for c in (
        lf.SectorBounded(1, 10), lf.StaticSector(1, 10), lf.SlopeRestricted(1, 10)
    )]  # fmt: skip
    assert rates == sorted(rates)
    assert rates[1] > rates[0] + 1e-3


def test_attacks(rng):
    certificate = lf.certify(cube(lf.StaticSector(0, 6)))
    assert certificate.value_weights["f"]
    assert lf.verify(certificate).proved
    assert_refused(at_rate(certificate, 2 * certificate.rate))
    for name in certificate.multipliers:
        assert_refused(with_changes(certificate, {name: -1}))
    assert lf.falsify(certificate, 4, rng) is None


def test_the_statement_names_the_nonlinearity():
    text = state_theorem(lf.certify(cube(lf.StaticSector(0, 6)))).text
    assert "continuous static nonlinearity, applied entry by entry, in the sector [0, 6], measured from y = 0" in text
    assert "y_f* = 0" in text


def test_files(tmp_path):
    certificate = lf.certify(cube(lf.StaticSector(0, 6)))
    path = lf.save(certificate, tmp_path / "popov.json")
    assert lf.load(path) == certificate
    assert lf.verify(path).proved
    theorem = lf.export_coq(certificate, tmp_path / "popov.v")
    assert "Hypothesis class_f : static_sector 0 6 val_f out_f." in theorem.read_text()


@pytest.mark.parametrize("phase", [0, "1/2", 3])
def test_the_value_is_the_integral(phase):
    member = StaticNonlinearity("1/3", 5, "7/2", phase)
    for y in (1e-3, 0.0142, 0.0144, 0.5, 3.0, -2.0):
        value = quad(lambda s: float(member.gradient(np.array([s]))[0]), 0, y, epsabs=1e-15, epsrel=1e-12)[0]
        assert np.isclose(member.value(np.array([y])), value, rtol=1e-10)
