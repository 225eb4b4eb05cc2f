"""The Euler method of the primal-dual flow: modes, closed forms, files, simulation."""

import contextlib
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import lyapflow as lf
from lyapflow.members import QuadraticFunction

F = lf.SmoothStronglyConvex(1, 10)
FLOW = lf.flows.primal_dual_flow(F, constraint=[[1, 2, 3], [0, 1, 5]], dual_gain=2, augmentation="1/3")


def method(step="1/100"):
    return lf.algorithms.euler(FLOW, step)


@pytest.fixture(scope="module")
def certificate():
    return lf.certify(method())


def test_the_method_is_the_flow_with_a_step():
    made = method("1/7")
    assert (made.dt, made.step, made.name) == (
        1,
        lf.exact.rationals.rational("1/7"),
        "primal-dual flow, Euler step 1/7",
    )
    assert replace_step(made) == FLOW
    for ours, theirs in zip(made.modes, FLOW.modes, strict=True):
        for vertex, flow in zip(ours.vertices, theirs.vertices, strict=True):
            taken = lf.algorithms.euler(flow, "1/7")
            assert (vertex.A, vertex.B, vertex.C, vertex.dt) == (taken.A, taken.B, taken.C, 1)


def replace_step(system):
    return lf.PrimalDualSystem(
        system.oracle,
        system.constraint,
        dual_gain=system.dual_gain,
        augmentation=system.augmentation,
        enclosures=system.enclosures,
    )


@settings(deadline=None, max_examples=15)
@given(k=st.integers(1, 9), s=st.integers(1, 4), h=st.integers(1, 9))
def test_a_known_quadratic_contracts_by_its_spectral_radius(k, s, h):
    """f = k |x|^2 / 2 and E = [s]: one linear mode, with the matrix I + h [[-k, -1], [s^2, 0]]."""
    assume(k != 2 * s)  # a double eigenvalue, where V grows without bound on the way to the radius
    step = h / 100
    radius = abs(np.linalg.eigvals(np.eye(2) + step * np.array([[-k, -1.0], [s**2, 0.0]]))).max()
    system = lf.algorithms.euler(lf.flows.primal_dual_flow(lf.Quadratic(k, k), constraint=[[s]]), step)
    outcome = lf.attempt(system)
    if radius >= 1:
        assert not isinstance(outcome, lf.Proved)
    elif radius < 1 - 1e-6:
        assert float(outcome.certificate.factor) == pytest.approx(radius, abs=2e-6 * (1 - radius) + 1e-12)
        assert outcome.certificate.factor >= outcome.witness.factor


def test_small_steps_lose_the_rate_of_the_flow():
    rate, step = lf.certify(FLOW).rate, 1e-4
    assert 1 - float(lf.certify(method(step)).factor) == pytest.approx(step * float(rate), rel=1e-2)


def test_files_hold_the_step_and_depend_on_it(certificate, tmp_path):
    path = lf.save(certificate, tmp_path / "c.json")
    assert lf.load(path) == certificate
    assert lf.verify(path).proved
    data = json.loads(path.read_text())
    assert data["system"]["step"] == "1/100"
    for wrong in ("1/10", "1/200", "-1/100", "0", None, "x"):
        data["system"]["step"] = wrong
        path.write_text(json.dumps(data))
        with contextlib.suppress(lf.CertificateFormatError):
            assert not lf.verify(path).proved, wrong
    del data["system"]["step"]  # then it would be a flow
    path.write_text(json.dumps(data))
    with pytest.raises(lf.CertificateFormatError):
        lf.load(path)


def test_files_of_flows_are_as_before():
    from lyapflow.certificates.encoding import to_json

    assert "step" not in to_json(lf.certify(FLOW))["system"]


def test_proofs_survive_falsification_and_better_claims_do_not(certificate):
    assert lf.falsify(certificate, 10, np.random.default_rng(1)) is None
    better = replace(certificate, claim=lf.Contraction(1 - 3 * (1 - certificate.factor)))
    assert not lf.verify(better).proved
    assert lf.falsify(better, 40, np.random.default_rng(1)) is not None


def test_a_run_takes_the_steps_that_are_printed():
    E, H, b = np.array([[1.0, 2, 3], [0, 1, 5]]), np.diag([1.0, 4, 10]), np.array([1.0, -1])
    path = lf.simulate(method(), [QuadraticFunction(H, np.zeros(3))], np.ones(5), 3, offset=b)
    x, dual = np.ones(3), np.ones(2)
    for k in range(3):
        error = E @ x - b
        x, dual = x - (H @ x + E.T @ dual + E.T @ error / 3) / 100, dual + 2 * error / 100
        assert path.x[k + 1] == pytest.approx(np.concatenate([x, dual]), rel=1e-12)


def test_the_largest_step_is_proved():
    step, certificate = lf.largest_step(FLOW, "999/1000", tolerance="1e-2")
    assert certificate.system == lf.algorithms.euler(FLOW, step)
    assert lf.verify(certificate).proved


@pytest.mark.parametrize("step", [-1, "-1/2"])
def test_steps_are_positive(step):
    with pytest.raises(lf.InvalidModelError, match="step must be > 0"):
        lf.PrimalDualSystem(F, [[1]], step=step)
    with pytest.raises(lf.InvalidModelError, match="step must be > 0"):
        lf.algorithms.euler(FLOW, step)


def test_values_of_f_are_no_part_of_a_v_over_modes_in_discrete_time():
    with pytest.raises(lf.InvalidModelError, match=r"QuadraticStorage\(\) for a PrimalDualSystem in discrete time"):
        lf.attempt(method(), template=lf.QuadraticPlusValue())
