"""What a file rests on: hypotheses that have members, the axioms of the real numbers, names; and how Coq is asked."""

import os
import re
import subprocess
import time
from dataclasses import replace

import pytest

import lyapflow as lf
from lyapflow.cascade import certify_stages, decompose
from lyapflow.cli import main
from lyapflow.coq.compiler import check_text, find_coq
from lyapflow.coq.documents import write_theorem
from lyapflow.coq.prelude import write_prelude
from lyapflow.coq.terms import comment

SMOOTH = lf.SmoothStronglyConvex(1, 4)

# The real line with the function y^2 and its gradient 2 y is a member of every class.
MEMBERS = """
Definition line : space.
Proof. refine (Space R Rplus Rmult Rmult _ _ _ _); intros; try ring. apply Rle_0_sqr. Defined.
Definition out (y u : line) : Prop := u = 2 * y.
Definition f (y : line) : R := y * y.
Ltac see := unfold f; cbn -[Rplus Rmult Rle Rlt Rdiv Ropp IZR].
Ltac compare y := assert (square := Rle_0_sqr y); unfold Rsqr in square; lra.
Ltac pairs := intros y u z v -> ->; see; compare (y - z).
Lemma in_subgradient : @subgradient line 1 f out. Proof. pairs. Qed.
Lemma in_monotone : @monotone line 1 out. Proof. pairs. Qed.
Lemma in_cocoercive : @cocoercive line (1 / 2) out. Proof. pairs. Qed.
Lemma in_lipschitz : @lipschitz line 2 out. Proof. pairs. Qed.
Lemma in_curvature : @curvature line 1 3 f out.
Proof. intros y u z ->. see. split; compare (y - z). Qed.
Lemma in_one_curvature : @curvature line 2 2 f out.
Proof. intros y u z ->. see. split; compare (y - z). Qed.
Lemma in_between : @between line (fun x => 2 * x) 1 3.
Proof. split; intros; see. ring. split; compare a. Qed.
Lemma in_quadratic : @quadratic line 1 3 f out.
Proof.
exists (fun x : line => 2 * x), 0, 0. split; [exact in_between |]. split; intros; see. field. rewrite H. ring.
Qed.
Lemma in_sector : @sector line 1 3 out. Proof. intros y u ->. see. compare y. Qed.
Lemma in_static_sector : @static_sector line 1 3 f out.
Proof.
split; [exact in_sector |]. intros y z H. assert (e := H z). cbn in e. apply Rsqr_0_uniq in e. subst z. see.
split; compare y.
Qed.
Lemma least m : (forall z, f m <= f z) -> m = 0.
Proof. intro H. assert (a := H 0). revert a. see. intro a. apply Rsqr_0_uniq. unfold Rsqr. compare m. Qed.
Lemma in_gradient_dominated : @gradient_dominated line 1 3 f out.
Proof.
repeat split.
- exists 0. intro z. see. compare z.
- intros y u z ->. see. compare (y - z).
- pairs.
- intros m y u H ->. rewrite (least m H). see. compare y.
- intros m y H. rewrite (least m H). see. compare y.
Qed.
"""
CLASSES = {
    *("subgradient", "monotone", "cocoercive", "lipschitz", "curvature", "between", "quadratic", "sector"),
    *("static_sector", "gradient_dominated"),
}
AXIOMS = {"ClassicalDedekindReals.sig_forall_dec", "FunctionalExtensionality.functional_extensionality_dep"}


def compile_file(folder, text):
    """What the proof assistant says of a file that it accepts."""
    (folder / "theorem.v").write_text(text)
    done = subprocess.run([*find_coq(), "-q", "theorem.v"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def list_axioms(said):
    """Names at the beginnings of lines."""
    return {*re.findall(r"^([\w.]+)", said, re.MULTILINE)} - {"Axioms"}


def test_every_class_has_a_member(coq):
    parts = ["height", *CLASSES]
    defined = re.findall(r"^Definition (\w+) \{E : space\}", write_prelude(parts), re.MULTILINE)
    assert {*defined} == {*CLASSES, "height", "reads"}
    verdict = coq(write_prelude(parts) + MEMBERS)
    assert verdict.accepted, verdict.message


def test_theorems_rest_on_the_real_numbers_alone(coq, tmp_path):
    text = write_theorem(lf.certify(lf.flows.gradient_flow(lf.StaticSector(1, 4))))
    names = re.findall(r"^Theorem (\w+)", text, re.MULTILINE)
    assert "V_decays" in names
    said = compile_file(tmp_path, text + "".join(f"Print Assumptions Certificate1.{name}.\n" for name in names))
    assert said.count("Axioms:") == len(names)
    assert list_axioms(said) == AXIOMS


def test_parts_of_an_intersection_and_other_oracles_have_names_of_their_own(coq):
    both = lf.Intersection(lf.SectorBounded(0, 4), lf.Lipschitz(3))
    system = lf.LureSystem(
        [[-3]], [[-1, "-1/2"]], [[1], [1]], oracles=[both, lf.Lipschitz("1/2")], oracle_names=["f", "f_1"]
    )
    verdict = coq(write_theorem(lf.certify(system)))
    assert verdict.accepted, verdict.message


@pytest.mark.parametrize("change", ["decrease", "P[", "factor"])
def test_certificate_that_is_not_proved_is_refused_before_it_is_written(change, tmp_path, capsys):
    certificate = lf.certify(lf.algorithms.gradient_descent(SMOOTH, step="1/4"))
    if change == "factor":
        broken = replace(certificate, claim=lf.Contraction("1/100"))
    else:
        gone = next(name for name, _ in certificate.unknowns if name.startswith(change))
        broken = replace(certificate, unknowns=tuple(one for one in certificate.unknowns if one[0] != gone))
    file = lf.save(broken, tmp_path / "broken.json")
    assert main(["export", "--coq", str(file), "-o", str(tmp_path / "broken.v")]) == 2
    assert "export_coq needs a certificate that proves its claim" in capsys.readouterr().err
    assert not (tmp_path / "broken.v").exists()


def test_stage_that_is_not_proved_is_refused(tmp_path):
    cascade = decompose(lf.LureSystem([[-1, 1], [0, -2]]))
    stage = certify_stages(cascade, lf.ExponentialDecay("1/2"))[1]
    with pytest.raises(lf.VerificationError, match="proves its claim"):
        lf.export_coq(replace(stage, unknowns=stage.unknowns[1:]), tmp_path / "stage.v")


HOSTILE = '*) Axiom bad : False. (* " \ud800 \x00 \u202e \n *)'


def test_words_stay_in_their_comment(coq, tmp_path):
    system = lf.LureSystem([[-1]], name=HOSTILE)
    path = lf.export_coq(lf.certify(system), tmp_path / "hostile.v")
    assert "Axiom bad" in path.read_text()
    verdict = coq(path.read_text() + "Fail Check bad.\n")
    assert verdict.accepted, verdict.message


def test_what_cannot_be_seen_is_not_in_a_comment():
    assert comment("a\u202eb\x00c\ud800d\ne\u03bc") == "a?b?c?d e\u03bc"


PROX = lf.StronglyConvex("1/5")
DERIVATIVES = {
    "heavy ball": lf.flows.heavy_ball_flow(lf.Quadratic(1, 4), damping=3),
    "forward-backward": lf.flows.forward_backward_flow(lf.Quadratic(1, 4), lf.Convex(), step="1/20"),
    "group": lf.LureSystem(
        [[-2, 0], [1, -3]],
        [[-1, 0], [0, -1]],
        [[1, 0], [1, 1]],
        [["-1/3", 0], ["1/7", "-1/2"]],
        oracles=[PROX, PROX],
        groups=[0, 0],
    ),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_without_a_definition_are_refused(name):
    certificate = lf.certify(DERIVATIVES[name], template=lf.QuadraticPlusValue(outputs=True))
    with pytest.raises(lf.InvalidModelError, match="ertify without outputs=True"):
        write_theorem(certificate)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), 1e9])
def test_time_limit_must_be_one(timeout, monkeypatch, tmp_path, capsys):
    file = lf.save(lf.certify(lf.flows.gradient_flow(SMOOTH)), tmp_path / "gradient.json")
    assert main(["verify", "--coq", "--timeout", str(timeout), str(file)]) == 2
    assert "timeout must be a positive number of seconds" in capsys.readouterr().err


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A command of the name coqc, by its script."""

    def install(script):
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "coqc").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "coqc").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return install


def test_wrapper_ends_with_its_children(fake, tmp_path):
    fake(f'[ "$1" = --version ] && exit 0\nsleep 60 &\necho $! > {tmp_path}/child\nwait')
    start = time.monotonic()
    assert check_text("", timeout=1).verdict == "timeout"
    assert time.monotonic() - start < 20
    child = (tmp_path / "child").read_text().strip()
    state = subprocess.run(["ps", "-o", "stat=", "-p", child], capture_output=True, text=True, check=False).stdout
    assert state.strip()[:1] in {"", "Z"}


def test_words_that_are_no_text_are_shown(fake):
    fake('[ "$1" = --version ] && exit 0\nprintf "Warning: old\\nFile \\"theorem.v\\", line 1\\nError: \\377"; exit 1')
    verdict = check_text("")
    assert (verdict.verdict, verdict.version) == ("rejected", "of unknown version")
    assert verdict.message == 'File "theorem.v", line 1\nError: \ufffd'


def test_silence_is_not_acceptance(fake):
    fake("exit 0")
    assert check_text("").verdict == "rejected"
