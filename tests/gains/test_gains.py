"""Claims about gains: closed forms, the frequency response as a second method, attacks, files, reports."""

import json
import tomllib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import control
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lyapflow as lf
from lyapflow.cli import main
from lyapflow.lmi.gain_claims import tell_gain
from lyapflow.search.delay_witness import check_delay_witness
from lyapflow.search.gain_witness import check_gain_witness

ROWS = tomllib.loads((Path(__file__).parents[1] / "reference" / "gains.toml").read_text())
F = lf.SmoothStronglyConvex(mu=1, L=10)


def _make(row, oracle):
    options = {key: Fraction(row[key]) for key in ("damping", "step") if key in row}
    where = lf.flows if hasattr(lf.flows, row["system"]) else lf.algorithms
    return getattr(where, row["system"])(oracle, **options)


def _claim(row):
    ports = {key: row[key] for key in ("input", "output") if key in row}
    return getattr(lf, row["claim"])(**ports)


@pytest.mark.parametrize("row", ROWS["gain"], ids=lambda row: row["name"])
def test_proved_gains_are_those_of_closed_forms(row):
    system, claim = _make(row, lf.SmoothStronglyConvex(mu=row["mu"], L=row["L"])), _claim(row)
    certificate = lf.certify(system, claim)
    assert lf.verify(certificate).proved
    assert row["value"] * (1 - 1e-12) <= certificate.gain <= row["value"] * (1 + 2e-6)
    witness = lf.find_gain_witness(system, claim)
    assert check_gain_witness(system, claim, witness)
    assert witness.gain <= certificate.gain
    if row["kind"] == "tight":
        assert witness.gain >= row["value"] * (1 - 1e-7)


def test_simple_gains_are_exact():
    assert lf.certify(lf.flows.gradient_flow(F), lf.L2Gain()).gain == 1
    best = lf.certify(lf.flows.gradient_flow(F), lf.InputToState())
    assert (best.gain, best.rate, best.transient_bound) == (1, Fraction(1, 2), 1)


@pytest.mark.parametrize("port", ["gradient", "measurement", "dual", "primal", "state"])
@pytest.mark.parametrize("out", ["state", "primal", "dual", "gradient"])
def test_primal_dual_gains_bound_the_frequency_response_of_linear_members(port, out):
    E = np.array([[1.0, 2, 0], [0, 1, 1]])
    system = lf.flows.primal_dual_flow(F, constraint=[[1, 2, 0], [0, 1, 1]])
    certificate = lf.certify(system, lf.L2Gain(input=port, output=out))
    assert lf.verify(certificate).proved
    worst = 0.0
    for s in (1.0, 3.0, 10.0):  # f = s |x|^2 / 2, all written out again
        A = np.block([[-s * np.eye(3), -E.T], [E, np.zeros((2, 2))]])
        I5, I3, Z = np.eye(5), np.eye(3), np.zeros
        B = {
            "gradient": np.vstack([-I3, Z((2, 3))]),
            "measurement": np.vstack([-s * I3, Z((2, 3))]),
            "dual": I5[:, 3:],
            "primal": I5[:, :3],
            "state": I5,
        }[port]
        C = {"state": I5, "primal": I5[:3], "dual": I5[3:], "gradient": np.hstack([s * I3, Z((3, 2))])}[out]
        D = s * I3 if (port, out) == ("measurement", "gradient") else Z((len(C), B.shape[1]))
        response = control.ss(A, B, C, D)(1j * np.concatenate([[0], np.geomspace(1e-2, 1e2, 200)]), squeeze=False)
        worst = max(worst, np.linalg.norm(np.moveaxis(response, -1, 0), 2, axis=(1, 2)).max())
    witness = lf.find_gain_witness(system, lf.L2Gain(input=port, output=out))
    assert witness.gain <= certificate.gain
    assert worst <= float(certificate.gain) * (1 + 1e-9)
    assert float(witness.gain) >= worst * (1 - 1e-3)


@settings(max_examples=12, deadline=None)
@given(
    damping=st.integers(1, 6), kappa=st.integers(2, 50), port=st.sampled_from(["gradient", "state"]),
    share=st.floats(0, 1),
)  # fmt: skip
def test_no_member_of_the_heavy_ball_flow_exceeds_its_gain(damping, kappa, port, share):
    system = lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex(mu=1, L=kappa), damping=damping)
    gain = float(lf.certify(system, lf.L2Gain(input=port)).gain)
    s = 1 + share * (kappa - 1)
    B = np.eye(2) if port == "state" else np.array([[0.0], [-1.0]])
    loop = control.ss([[0, 1], [-s, -damping]], B, np.eye(2), np.zeros((2, B.shape[1])))
    response = loop(1j * np.concatenate([[0], np.geomspace(1e-2, 1e2, 300)]), squeeze=False)
    assert np.linalg.norm(np.moveaxis(response, -1, 0), 2, axis=(1, 2)).max() <= gain * (1 + 1e-9)


def test_discrete_gains_hold_along_simulated_errors():
    """Energy and largest value, for a nonquadratic member with random and constant errors."""
    rng = np.random.default_rng(1)
    system = lf.algorithms.nesterov_strongly_convex(F)
    energy, peak = lf.certify(system, lf.L2Gain()), lf.certify(system, lf.InputToState())
    A, B, C = (np.array(part, float) for part in (system.A, system.B, system.C))

    def gradient(y):  # slopes between 1 and 10
        return y + 9 * np.where(np.abs(y) < 0.3, y, 0.3 * np.sign(y))

    for trial in range(20):
        w = rng.standard_normal(300) if trial % 2 else np.full(300, rng.standard_normal())
        x, z, largest = np.zeros(2), 0.0, 0.0
        for error in w:
            z += x @ x
            x = A @ x + B[:, 0] * (gradient(C[0] @ x) + error)
            largest = max(largest, np.linalg.norm(x))
        assert z <= float(energy.gain) ** 2 * (w @ w) * (1 + 1e-9)
        assert largest <= float(peak.gain) * np.abs(w).max() * (1 + 1e-9)


@pytest.mark.parametrize(
    "claim",
    [
        lf.L2Gain(),
        lf.L2Gain(input=lf.Port([[0], [1]], [[0]]), output=lf.Port([[1, 0]], [[0]])),
        lf.InputToState(rate="1/5"),
        lf.DelayTolerance(rate="1/50"),
    ],
    ids=["L2Gain", "Port", "InputToState", "DelayTolerance"],
)
def test_certificates_are_saved_verified_and_attacked(claim, tmp_path):
    certificate = lf.certify(lf.flows.heavy_ball_flow(F, damping=2), claim)
    path = tmp_path / "gain.json"
    lf.save(certificate, path)
    assert lf.load(path) == certificate
    assert lf.verify(path).proved
    stronger = certificate.claim.number * Fraction(
        *((11, 10) if isinstance(claim, lf.DelayTolerance) else (9, 10))
    )  # more than can be true of these numbers
    assert not lf.verify(replace(certificate, claim=certificate.claim.with_number(stronger))).proved
    for k, (name, value) in enumerate(certificate.unknowns):
        wrong = (*certificate.unknowns[:k], (name, -value - 1), *certificate.unknowns[k + 1 :])
        assert not lf.verify(replace(certificate, unknowns=wrong)).proved, name
    fewer = replace(certificate, unknowns=certificate.unknowns[1:])
    assert not lf.verify(fewer).proved
    data = json.loads(path.read_text())
    key = "delay" if isinstance(claim, lf.DelayTolerance) else "gain"
    data["claim"][key] = str(stronger)
    path.write_text(json.dumps(data))
    assert not lf.verify(path).proved


def test_a_claim_of_a_foreign_type_is_not_proved():
    class Loud(lf.L2Gain):
        pass

    certificate = lf.certify(lf.flows.gradient_flow(F), lf.L2Gain())
    assert not lf.verify(replace(certificate, claim=Loud(gain=1))).proved
    name = type("Name", (str,), {})("gradient")
    assert not lf.verify(replace(certificate, claim=lf.L2Gain(input=name, gain=1))).proved


def test_values_of_oracles_at_disturbed_arguments_are_no_part_of_V():
    """With an error on the argument the value has no derivative, or next value, that V could use."""
    flow = lf.certify(lf.flows.gradient_flow(F), lf.L2Gain(input="measurement"), template=lf.QuadraticPlusValue())
    assert not flow.value_weights
    method = lf.algorithms.gradient_descent(F, step="1/10")
    with pytest.raises(lf.InvalidModelError, match="QuadraticStorage"):
        lf.attempt(method, lf.L2Gain(input="measurement"), template=lf.QuadraticPlusValue())


def test_what_is_false_is_refuted_by_a_member():
    flow = lf.flows.gradient_flow(F)
    small = lf.attempt(flow, lf.L2Gain(gain="99/100"))
    assert isinstance(small, lf.Infeasible)
    assert small.witness.slopes == (1,)
    assert "is false" in small.explain()
    unstable = lf.attempt(lf.algorithms.gradient_descent(F, step="1/4"), lf.InputToState())
    assert isinstance(unstable, lf.Infeasible)
    assert unstable.witness.gain is None
    assert "not stable" in unstable.explain()
    late = lf.attempt(flow, lf.DelayTolerance("1/5"))
    assert isinstance(late, lf.Infeasible)
    assert "is false" in late.explain()
    assert check_delay_witness(flow, late.witness)
    assert not check_delay_witness(flow, replace(late.witness, slope=Fraction(11)))
    assert not check_delay_witness(flow, replace(late.witness, delay=Fraction(1, 7)))


def test_witnesses_are_checked():
    flow, claim = lf.flows.gradient_flow(F), lf.L2Gain()
    witness = lf.find_gain_witness(flow, claim)
    assert not check_gain_witness(flow, claim, replace(witness, gain=witness.gain * 2))
    assert not check_gain_witness(flow, claim, replace(witness, slopes=(Fraction(1, 2),)))
    assert not check_gain_witness(flow, claim, replace(witness, gain=None))


def test_wrong_arguments_say_what_must_hold():
    flow = lf.flows.gradient_flow(F)
    for make in (
        lambda: lf.L2Gain(gain=0),
        lambda: lf.L2Gain(input=3),
        lambda: lf.InputToState(rate=1, factor="1/2"),
        lambda: lf.InputToState(gain=1),
        lambda: lf.DelayTolerance(rate=-1),
        lambda: lf.DelayTolerance(1000, rate=1),
        lambda: lf.attempt(flow, lf.L2Gain(input="dual")),
        lambda: lf.attempt(flow, lf.InputToState(factor="1/2")),
        lambda: lf.attempt(lf.flows.forward_backward_flow(F, lf.Convex(), step="1/20"), lf.DelayTolerance()),
        lambda: lf.attempt(lf.flows.nesterov_flow(lf.Convex(), r=3), lf.L2Gain()),
        lambda: lf.attempt(flow, lf.NoiseAmplification()),
    ):
        with pytest.raises(lf.InvalidModelError):
            make()
    with pytest.raises(lf.DimensionError):
        lf.attempt(flow, lf.L2Gain(input=lf.Port([[1], [1]], [[0]])))


def test_reports_state_the_ports_and_refusals_are_clear(tmp_path):
    flow = lf.flows.gradient_flow(F)
    items = [lf.certify(flow, claim) for claim in (lf.L2Gain(), lf.InputToState(), lf.DelayTolerance())]
    quadratic = lf.certify(lf.flows.gradient_flow(lf.Quadratic(1, 10)), lf.NoiseAmplification())
    path = tmp_path / "report.html"
    lf.write_report(path, *items, quadratic)
    text = path.read_text()
    for words in ("An error w is added", "The output z is", "Every oracle acts late", "white noise"):
        assert words in text
    wrong = replace(items[0], claim=lf.L2Gain(gain="1/2"))
    lf.write_report(path, wrong)
    assert "NOT PROVED" in path.read_text()
    assert tell_gain(wrong.claim) == "L2 gain 1/2 from 'gradient' to 'state'"
    with pytest.raises(lf.InvalidModelError):
        lf.export_coq(items[0], tmp_path / "x.v")
    with pytest.raises(lf.ClaimMismatchError):
        lf.scale_time(flow, items[0], lf.FiniteTime("1/2"))
    with pytest.raises(lf.ClaimMismatchError):
        lf.falsify(items[0], 1, np.random.default_rng(0))
    for name in ("rate", "factor", "order", "transient_bound", "delay", "variance"):
        with pytest.raises(lf.ClaimMismatchError):
            getattr(items[0], name)


PROBLEM = """
title = "Gains"
[functions]
f = { class = "SmoothStronglyConvex", mu = 1, L = 10 }
[[flow]]
name = "primal_dual"
constraint = [[1, 2, 0], [0, 1, 1]]
gain = 10
input = "measurement"
output = "dual"
[[algorithm]]
name = "gradient_descent"
step = "1/10"
gain = "best"
"""


def test_problem_files_ask_for_gains(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)  # certify writes beside
    path = tmp_path / "problem.toml"
    path.write_text(PROBLEM)
    assert main(["study", str(path), "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "proved L2 gain 10 from 'measurement' to 'dual'" in said
    assert "proved L2 gain 1 from 'gradient' to 'state'" in said
    files = sorted((tmp_path / "out").glob("*.json"))
    assert len(files) == 2
    assert main(["verify", *map(str, files)]) == 0
    path.write_text(PROBLEM.replace("gain = 10", "gain = 9"))
    assert main(["certify", str(path)]) == 1
    for wrong in ("rate = 1\ngain = 10", "factor = 1", "input = 3\ngain = 10"):
        path.write_text(PROBLEM.replace("gain = 10", wrong))
        assert main(["certify", str(path)]) == 2


def test_dependent_constraints_have_no_gain():
    """An input may drive the part of the multipliers that decays nowhere."""
    flow = lf.flows.primal_dual_flow(lf.SmoothStronglyConvex(1, 10), constraint=[[1, 1], [1, 1]])
    with pytest.raises(lf.InvalidModelError, match="full row rank"):
        lf.attempt(flow, lf.L2Gain("state", "state"))
