"""Certificates as theorems: the real proof assistant accepts them, and refuses them with one number changed."""

import os
import re
from fractions import Fraction

import pytest
from systems import ALGORITHMS, CATALOGUE

import lyapflow as lf
from lyapflow.cli import main
from lyapflow.coq.compiler import check_text, find_coq
from lyapflow.coq.documents import write_theorem
from lyapflow.coq.identities import write_identity


@pytest.fixture(scope="session")
def coq():
    """The proof assistant; missing, it fails where it must be there, and is skipped loudly elsewhere."""
    if find_coq() is None:
        message = "coqc is not on PATH: theorems are not checked. apt-get install --no-install-recommends coq"
        if os.environ.get("CI") or os.environ.get("LYAPFLOW_REQUIRE_COQ"):
            pytest.fail(message)
        pytest.skip(message)
    return check_text


@pytest.fixture(scope="session")
def heavy_ball():
    return lf.certify(CATALOGUE["heavy-ball"])


@pytest.fixture(scope="session")
def theorem(heavy_ball):
    return write_theorem(heavy_ball)


def replace_once(text, pattern, new):
    found = re.search(pattern, text)
    assert found, pattern
    changed = text[: found.start()] + new(found) + text[found.end() :]
    assert changed != text
    return changed


MUTATIONS = {
    "multiplier": (r"weigh \((\d+)\)", lambda m: f"weigh ({int(m[1]) + 1})"),
    "rate": (r"\((\d+) / (\d+)\) \* V x1", lambda m: f"({int(m[1]) + 1} / {m[2]}) * V x1"),
    "entry of P": (r"(R :=\n  \()(\d+)", lambda m: f"{m[1]}{int(m[2]) + 1}"),
    "sign of the dynamics": (r"sealed \(\(-2\)", lambda m: "sealed (2"),
    "class": (r"curvature 1 10 val_f out_f\.", lambda m: "curvature 1 11 val_f out_f."),
}


def first_theorem(text):
    """The file without its later theorems."""
    return text[: text.index("Qed.\n\nTheorem") + 5] + "\nEnd Theorems.\nEnd Certificate1.\n"


def test_first_theorem_alone_is_accepted(coq, theorem):
    verdict = coq(first_theorem(theorem))
    assert verdict.accepted, verdict.message
    assert not re.search(r"\b(Admitted|admit|Axiom|Parameter|Abort)\b", theorem)
    assert len(re.findall(r"^Theorem ", theorem, re.MULTILINE)) == 3


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_one_change_is_rejected(coq, theorem, mutation):
    verdict = coq(replace_once(first_theorem(theorem), *MUTATIONS[mutation]))
    assert verdict.verdict == "rejected"
    assert "Error" in verdict.message


def test_certificate_that_proves_nothing_is_not_exported(heavy_ball):
    from dataclasses import replace

    claim = lf.ExponentialDecay(heavy_ball.rate * 2)
    with pytest.raises(lf.InvalidModelError, match="semidefinite"):
        write_theorem(replace(heavy_ball, claim=claim))


def test_identities_of_polynomials_are_decided(coq):
    one = Fraction(1)
    left = {(2, 0): one, (1, 1): one, (0, 2): one / 4}
    head = "From Coq Require Import Reals.\nLocal Open Scope R_scope.\n"
    text = head + write_identity("square", ["x", "y"], left, [(one / 4, {(1, 0): 2 * one, (0, 1): one})])
    assert coq(text).accepted
    assert coq(text.replace("4 * x * y", "5 * x * y")).verdict == "rejected"


def test_time_limit_is_kept(coq, theorem):
    assert coq(theorem, timeout=0.01).verdict == "timeout"


def test_command_line_writes_checks_and_reports(coq, tmp_path, capsys):
    certificate = lf.certify(CATALOGUE["gradient"])
    file = lf.save(certificate, tmp_path / "gradient.json")
    assert main(["export", "--coq", str(file), "-o", str(tmp_path / "theorem.v")]) == 0
    assert (tmp_path / "theorem.v").read_text() == write_theorem(certificate)
    assert main(["verify", "--coq", str(file)]) == 0
    assert "accepted by Coq" in capsys.readouterr().out
    checked = lf.verify_coq(certificate)
    lf.write_report(tmp_path / "with.html", certificate, machine_checks={certificate: checked})
    lf.write_report(tmp_path / "without.html", certificate)
    words = f"Machine-checked by Coq {checked.version}"
    assert words in (tmp_path / "with.html").read_text()
    assert words not in (tmp_path / "without.html").read_text()


def test_message_says_how_to_install(monkeypatch, tmp_path, capsys):
    file = lf.save(lf.certify(CATALOGUE["gradient"]), tmp_path / "gradient.json")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["verify", "--coq", str(file)]) == 2
    assert "apt-get install" in capsys.readouterr().err


def others():
    """Other kinds of claims and systems."""
    f = lf.SmoothStronglyConvex(1, 10)
    heavy = [lf.flows.heavy_ball_flow(f, damping=d) for d in (2, 3)]
    steps = [lf.algorithms.gradient_descent(f, step=s) for s in ("1/20", "1/10")]
    flow = lf.flows.gradient_flow(f)
    gains = [lf.LureSystem([[0]], [[-gain]], [[1]], oracles=[f]) for gain in (1, 2)]
    return {
        "polytope": lambda: lf.certify(lf.PolytopicSystem(heavy)),
        "polytope in discrete time": lambda: lf.certify(lf.PolytopicSystem(steps)),
        "family": lambda: lf.certify(lambda d: lf.flows.heavy_ball_flow(f, damping=d), over={"d": (2, 3)}),
        "finite time": lambda: lf.scale_time(flow, lf.certify(flow), lf.FiniteTime("1/2")).certificate,
        "fixed time": lambda: lf.scale_time(flow, lf.certify(flow), lf.FixedTime("1/2", "3/2")).certificate,
        "fixed time of a polytope": lambda: (
            lf.scale_time(
                lf.PolytopicSystem(gains), lf.certify(lf.PolytopicSystem(gains)), lf.FixedTime("1/2", "3/2")
            ).certificate
        ),
        "prescribed time": lambda: lf.scale_time(flow, lf.certify(flow), lf.PrescribedTime(2)).certificate,
        "variable metric": lambda: lf.certify(
            lf.flows.forward_backward_flow(lf.Quadratic(1, 4), lf.Convex(), step="1/8"), template=lf.VariableMetric()
        ),
        "outputs in V": lambda: lf.certify(
            lf.flows.forward_backward_flow(f, lf.Convex(), step="1/20"), template=lf.QuadraticPlusValue(outputs=True)
        ),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", others())
def test_other_claims_are_accepted(coq, name):
    verdict = lf.verify_coq(others()[name](), timeout=600)
    assert verdict.accepted, verdict.message


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CATALOGUE, *(f"algorithm {name}" for name in ALGORITHMS)])
def test_catalogue_is_accepted(coq, name):
    system = ALGORITHMS[name.removeprefix("algorithm ")] if name.startswith("algorithm ") else CATALOGUE[name]
    verdict = lf.verify_coq(lf.certify(system), timeout=600)
    assert verdict.accepted, verdict.message
