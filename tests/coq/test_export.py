"""Certificates as theorems: the real proof assistant accepts them, and refuses them with one number changed."""

import re
from fractions import Fraction

import pytest
from systems import ALGORITHMS, CATALOGUE

import lyapflow as lf
from lyapflow.cascade import certify_stages, decompose
from lyapflow.cli import main
from lyapflow.coq.documents import write_driven, write_theorem
from lyapflow.coq.identities import write_identity, write_invariant
from lyapflow.coq.prelude import write_prelude


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
    end = text.index("Qed.\n", text.index("\nTheorem")) + 5
    return text[:end] + "\nEnd Theorems.\nEnd Certificate1.\n"


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


def test_invariants_are_constant_along_solutions(coq):
    system = lf.PolynomialSystem.build(["u", "v", "w"], lambda u, v, w: [v * w, -u * w, u * v / 3])
    u, v, w = system.variables
    text = write_invariant(system, [u**2 + v**2, v**2 + 3 * w**2])
    verdict = coq(text)
    assert verdict.accepted, verdict.message
    assert coq(replace_once(text, r"\(1 / 3\) \* x_u", lambda _: "(1 / 4) * x_u")).verdict == "rejected"
    assert coq(write_invariant(system, [u**2 + 2 * v**2])).verdict == "rejected"
    with pytest.raises(lf.InvalidModelError, match="polynomials in the variables"):
        write_invariant(system, [])


SUBLINEAR = {
    "momentum": lambda: lf.flows.nesterov_flow(lf.Convex(), r=3),
    "momentum, fractional order": lambda: lf.flows.nesterov_flow(lf.SmoothStronglyConvex(1, 10), r=2),
    "momentum, quadratic": lambda: lf.flows.nesterov_flow(lf.Quadratic(1, 10), r=4),
    "gradient": lambda: lf.flows.gradient_flow(lf.SmoothConvex(10)),
    "intersection": lambda: lf.flows.gradient_flow(lf.Intersection(lf.SmoothConvex(10), lf.Convex())),
}


def sublinear(name):
    flow, _, _outputs = name.partition(" with outputs")
    template = lf.QuadraticPlusValue(outputs=True) if name.endswith("with outputs") else None
    return lf.certify(SUBLINEAR[flow](), lf.SublinearDecay(), template=template)


SUBLINEAR_MUTATIONS = {
    "multiplier": (r"weigh (\d+) _", lambda m: f"weigh {int(m[1]) + 1} _"),
    "order": (r"\+ 2 \* W t", lambda m: "+ 3 * W t"),
    "entry of P": (r"\+ 2 \* \(/ t\^2", lambda m: "+ 3 * (/ t^2"),
    "power of time": (r"/ t\^2 \*", lambda m: "/ t^1 *"),
    "derivative of a power": (r"\(-4\) \* \(/ t\^3", lambda m: "(-5) * (/ t^3"),
    "damping": (r"\(-3\) / t", lambda m: "(-2) / t"),
}


@pytest.mark.slow
def test_sublinear_decay_is_accepted_with_a_gradient_in_V(coq):
    verdict = lf.verify_coq(sublinear("gradient with outputs"))
    assert verdict.accepted, verdict.message
    assert "Theorem V_never_grows" in verdict.text


@pytest.mark.parametrize(
    "mutation", [None, "order", *(pytest.param(m, marks=pytest.mark.slow) for m in SUBLINEAR_MUTATIONS if m != "order")]
)
def test_sublinear_decay_of_momentum(coq, mutation):
    text = write_theorem(sublinear("momentum"))
    if mutation is None:
        assert coq(text).accepted
    else:
        assert coq(replace_once(text, *SUBLINEAR_MUTATIONS[mutation])).verdict == "rejected"


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SUBLINEAR, "momentum, quadratic with outputs"])
def test_sublinear_decay_is_accepted(coq, name):
    verdict = lf.verify_coq(sublinear(name))
    assert verdict.accepted, verdict.message


@pytest.mark.slow
@pytest.mark.parametrize("make", ["accelerated_forward_backward_flow", "accelerated_douglas_rachford_flow"])
def test_sublinear_decay_in_a_metric_is_accepted(coq, make):
    flow = getattr(lf.flows, make)(lf.Quadratic(0, 10), lf.SupportFunction(), step="1/20", r=4)
    verdict = lf.verify_coq(lf.certify(flow, lf.SublinearDecay()))
    assert verdict.accepted, verdict.message


SMOOTH = lf.SmoothStronglyConvex(1, 4)
CASCADES = {
    "linear": (lf.LureSystem([[-1, 1], [0, -2]]), lf.ExponentialDecay("1/2")),
    "chain of three": (lf.LureSystem([[-1, 0, 0], [1, -2, 0], [0, 1, -3]]), lf.ExponentialDecay("1/2")),
    "input into an oracle": (
        lf.LureSystem([[-1, 0], [0, 0]], [[0], [-1]], [[1, 1]], oracles=[SMOOTH]),
        lf.ExponentialDecay("1/2"),
    ),
    "value in V": (
        lf.LureSystem(
            [[0, 1, 0], [0, -2, 0], [1, 0, 0]], [[0, 0], [-1, 0], [0, -1]], [[1, 0, 0], [0, 0, 1]], oracles=[SMOOTH] * 2
        ),
        lf.ExponentialDecay("1/2"),
    ),
    "discrete time": (
        lf.LureSystem([[1, 0], [1, "1/3"]], [["-1/10"], [0]], [[1, 0]], oracles=[SMOOTH], dt=1),
        lf.Contraction("19/20"),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASCADES)
def test_stages_of_a_cascade_are_accepted(coq, name):
    system, claim = CASCADES[name]
    for stage in certify_stages(decompose(system), claim):
        verdict = lf.verify_coq(stage)
        assert verdict.accepted, verdict.message


STAGE_MUTATIONS = {
    "gain": (r"<= (.+) \* intake", lambda m: f"<= (1 / 2) * {m[1]} * intake"),
    "sign of the input": (r"\[\+\] u_w1\)", lambda m: "[+] 2 [*] u_w1)"),
}


@pytest.mark.parametrize("mutation", [None, *STAGE_MUTATIONS])
def test_driven_stage(coq, tmp_path, mutation):
    stage = certify_stages(decompose(CASCADES["linear"][0]), CASCADES["linear"][1])[1]
    text = lf.export_coq(stage, tmp_path / "stage.v").read_text()
    if mutation is None:
        assert coq(text).accepted
    else:
        assert coq(replace_once(text, *STAGE_MUTATIONS[mutation])).verdict == "rejected"


@pytest.mark.slow
@pytest.mark.parametrize("dt", [0, 1])
def test_linear_systems_are_accepted(coq, dt):
    A = [["1/2", 1], [0, "1/3"]] if dt else [[-1, 1], [0, -2]]
    verdict = lf.verify_coq(lf.certify(lf.LureSystem(A, dt=dt)))
    assert verdict.accepted, verdict.message


def test_integral_of_a_static_sector_is_used(coq):
    text = write_theorem(lf.certify(CATALOGUE["heavy-ball-static"]))
    assert coq(text).accepted
    wider = replace_once(text, r"static_sector 1 10 val_f out_f\.", lambda _: "static_sector 1 11 val_f out_f.")
    assert coq(wider).verdict == "rejected"


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
@pytest.mark.parametrize("name", [*sorted(CATALOGUE), *(f"algorithm {name}" for name in ALGORITHMS)])
def test_catalogue_is_accepted(coq, name):
    system = ALGORITHMS[name.removeprefix("algorithm ")] if name.startswith("algorithm ") else CATALOGUE[name]
    verdict = lf.verify_coq(lf.certify(system), timeout=600)
    assert verdict.accepted, verdict.message


SPANS = {
    "no operator": lambda: lf.algorithms.chambolle_pock(
        SMOOTH, SMOOTH, step_primal="1/2", step_dual="1/2", singular_values=("1/2", 1)
    ),
    "null spaces": lambda: lf.algorithms.chambolle_pock(
        lf.StronglyConvex(1), SMOOTH, step_primal="1/3", step_dual="1/2", extrapolation="1/2", singular_values=(0, 1)
    ),
    "operator": lambda: lf.algorithms.chambolle_pock(
        SMOOTH, SMOOTH, step_primal="1/5", step_dual="1/5", operator=[[1, 2], [0, 1], [1, 1]]
    ),
    "wide operator": lambda: lf.algorithms.chambolle_pock(
        SMOOTH, SMOOTH, step_primal="1/5", step_dual="1/5", operator=[[1, 2, 0]]
    ),
}
SPAN_MUTATIONS = {
    "lower end": (r"between T \(1 / 2\)", lambda m: "between T (1 / 3)"),
    "upper end": (r"between T \(1 / 2\) 1", lambda m: "between T (1 / 2) (3 / 2)"),
    "extrapolation": (r"(\[\+\] )2( \[\*\] T \(F1)", lambda m: f"{m[1]}(3 / 2){m[2]}"),
    "V between the ends": (r"(\d+)(\)? \* << x\d \[-\] x\ds, T )", lambda m: f"{int(m[1]) + 1}{m[2]}"),
    "multiplier of the interval": (r"(slack2 : list \(list Z\) :=\n  \(\()(\d+)", lambda m: f"{m[1]}{int(m[2]) + 1}"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SPANS)
def test_intervals_of_singular_values_are_accepted(coq, name):
    verdict = lf.verify_coq(lf.certify(SPANS[name]()))
    assert verdict.accepted, verdict.message


@pytest.mark.slow
@pytest.mark.parametrize("mutation", SPAN_MUTATIONS)
def test_one_change_is_rejected_for_an_interval_of_singular_values(coq, mutation):
    text = first_theorem(write_theorem(lf.certify(SPANS["no operator"]())))
    assert coq(replace_once(text, *SPAN_MUTATIONS[mutation])).verdict == "rejected"


def gain(k, oracle):
    return lf.LureSystem([[0]], [[-k]], [[1]], oracles=[oracle])


FAMILIES = {
    "half-line": (lambda p: gain(p, lf.SmoothStronglyConvex(1, 10)), (1, None)),
    "flow": (lambda p: lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex(p, 10), damping=2 * p + 1), (1, 2)),
    "step": (lambda p: lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(1, p), step=2 / (1 + p)), (2, 10)),
    "prox": (lambda p: lf.flows.douglas_rachford_flow(SMOOTH, lf.Convex(), step=p), ("1/2", 1)),
    "negative": (lambda p: lf.flows.heavy_ball_flow(SMOOTH, damping=3 + p), (-1, "-1/3")),
    "quadratic": (lambda p: lf.algorithms.gradient_descent(lf.Quadratic(1, p), step=1 / p), (4, 5)),
    "gradient-dominated": (lambda p: gain(1 / p, lf.GradientDominated(1, p)), (2, 4)),
    "slope": (
        lambda p: lf.LureSystem([[1]], [[-2 / (1 + p)]], [[1]], oracles=[lf.SlopeRestricted(1, p)], dt=1),
        (2, 10),
    ),
    "Lipschitz": (lambda p: lf.LureSystem([[-2 * p]], [[-1]], [[1]], oracles=[lf.Lipschitz(p)]), (1, 2)),
    "monotone": (lambda p: lf.LureSystem([[-1]], [[-1]], [[1]], [[-p]], oracles=[lf.StronglyMonotone(1 / p)]), (1, 2)),
    "cocoercive": (lambda p: lf.LureSystem([[-p]], [[-p]], [[1]], oracles=[lf.Cocoercive(1 / p)]), (1, 2)),
    "sector": (
        lambda p: lf.LureSystem([[0, 1], [-2, -3]], [[0], [-1]], [[1, p]], oracles=[lf.SectorBounded(0, p)]),
        ("1/2", 1),
    ),
    "values of the next step": (
        lambda p: lf.algorithms.nesterov(lf.SmoothStronglyConvex(1, p), step=1 / p, momentum="1/4"),
        (2, 4),
    ),
}


def certify_family(name):
    certificate = lf.certify(FAMILIES[name][0], over={"p": FAMILIES[name][1]})
    assert isinstance(certificate.system, lf.ParametricSystem)
    return certificate


@pytest.mark.parametrize("name", ["half-line", *(pytest.param(n, marks=pytest.mark.slow) for n in [*FAMILIES][1:])])
def test_families_are_accepted_for_all_values(coq, name):
    verdict = lf.verify_coq(certify_family(name), timeout=600)
    assert verdict.accepted, verdict.message
    assert verdict.text.count("Section Theorems.") == 1
    assert "Variable s : R." in verdict.text


FAMILY_MUTATIONS = {
    "multiplier": (r"(apply \(weigh \()(\d+)", lambda m: f"{m[1]}{int(m[2]) + 1}"),
    "power of the parameter": (r"\(s - 1\)\^2", lambda m: "(s - 1)^3"),
    "rate": (r"\((\d+) / (\d+)\) \* V x1", lambda m: f"({int(m[1]) + 1} / {m[2]}) * V x1"),
    "range": (r"s <= 2\.", lambda m: "s <= 3."),
    "dynamics": (r"\(\(-1\) \+ \(-2\) \* s\)", lambda m: "((-1) + (-1) * s)"),
    "class": (r"curvature s 10", lambda m: "curvature (s - 1 / 100) 10"),
    "slack": (r"(slack\d+ : list \(list Z\) :=\n  \(\()(\d+)", lambda m: f"{m[1]}{int(m[2]) + 1}"),
}


@pytest.mark.slow
@pytest.mark.parametrize("mutation", FAMILY_MUTATIONS)
def test_one_change_is_rejected_for_a_family(coq, mutation):
    text = first_theorem(write_theorem(certify_family("flow")))
    assert coq(replace_once(text, *FAMILY_MUTATIONS[mutation])).verdict == "rejected"


@pytest.mark.slow
def test_the_proof_for_a_range_is_none_for_a_wider_one(coq):
    text = first_theorem(write_theorem(certify_family("flow")))
    wider = text.replace("s <= 2.", "s <= 3.").replace("2 - s", "3 - s")
    verdict = coq(wider)
    assert verdict.verdict == "rejected"
    assert "s_below" not in verdict.message


@pytest.mark.slow
def test_first_theorem_of_a_family_alone_is_accepted(coq):
    verdict = coq(first_theorem(write_theorem(certify_family("flow"))))
    assert verdict.accepted, verdict.message


def test_family_with_derivatives_of_outputs_is_proved_at_its_nodes():
    certificate = lf.certify(
        lambda h: lf.flows.forward_backward_flow(SMOOTH, lf.Convex(), step=h),
        over={"h": ("1/20", "1/10")},
        template=lf.QuadraticPlusValue(outputs=True),
    )
    text = write_theorem(certificate)
    assert text.count("Section Theorems.") == len(certificate.system.nodes)
    assert "This file proves the members with h =" in text


def test_family_that_proves_nothing_is_not_exported():
    from dataclasses import replace

    certificate = certify_family("step")
    with pytest.raises(lf.InvalidModelError, match="semidefinite"):
        write_theorem(replace(certificate, claim=lf.Contraction(certificate.factor / 2)))


ONE_CURVATURE = {
    "flow": lambda: lf.flows.heavy_ball_flow(lf.Quadratic(1, 1), damping=2),
    "algorithm": lambda: lf.algorithms.gradient_descent(lf.Quadratic(2, 2), step="1/5"),
}


@pytest.mark.parametrize("name", ONE_CURVATURE)
def test_quadratics_with_one_curvature_are_accepted(coq, name):
    verdict = lf.verify_coq(lf.certify(ONE_CURVATURE[name]()))
    assert verdict.accepted, verdict.message


SQUARES = """
Definition accepted := ({}).
Goal forall M, In M accepted -> sum_of_squares M = true.
Proof. cbn. intros M H. repeat destruct H as [<- | H]; try reflexivity. destruct H. Qed.
Goal forall M, In M ({}) -> sum_of_squares M = false.
Proof. cbn. intros M H. repeat destruct H as [<- | H]; try reflexivity. destruct H. Qed.
"""


def test_elimination_accepts_semidefinite_matrices_only(coq):
    def spell(matrices):
        rows = [" :: ".join([*(f"({' :: '.join([*row, 'nil'])})" for row in m), "nil"]) for m in matrices]
        return " :: ".join([*(f"({row})%Z" for row in rows), "nil"])

    # Each string is a row of the upper triangle, by its digits.
    accepted = [["41", "1"], ["00", "0"], ["00", "7"], ["442", "42", "1"], ["2112", "211", "21", "2"]]
    refused = [
        ["12", "1"],
        ["01", "5"],
        ["- 1"],
        ["442", "42", "0"],
        ["11", ""],
        ["1", "1"],
        ["2225", "211", "21", "2"],
    ]
    split = [[[*row] if "-" not in row else [row] for row in m] for m in (*accepted, *refused)]
    text = write_prelude(["squares"]) + SQUARES.format(spell(split[: len(accepted)]), spell(split[len(accepted) :]))
    verdict = coq(text)
    assert verdict.accepted, verdict.message


def increase(m):
    """A whole match whose last group is a number, one more."""
    return f"{m[0][: -len(m[2])]}{int(m[2]) + 1}"


# One change in the file each; none of these numbers is free, because the identities are exact.
ANY_MUTATIONS = {
    "multiplier": (r"(weigh \()(\d+)", increase),
    "rate": (r"((?:\+|<=) \(?)(\d+)(?=(?: / \d+\))? \* V )", increase),
    "entry of P": (
        r"(Definition V [^\n]*:=\n  \(?)((?:\d+ \* )?)<<",
        lambda m: f"{m[1]}{int(m[2][:-3] or 1) + 1} * <<",
    ),
    "sign of the dynamics": (r"(Definition F\d[^\n]*\n[^\n]*?)\(-(\d)", lambda m: f"{m[1]}({m[2]}"),
    "slack": (r"(slack\d+ : list \(list Z\) :=\n  \(\()(\d+)", increase),
}
MUTATED = {
    **{f"exponential: {n}": lambda n=n: CATALOGUE[n] for n in ("douglas-rachford", "hessian-damped", "primal-dual")},
    **{f"contraction: {n}": lambda n=n: ALGORITHMS[n] for n in ("davis-yin", "nesterov", "tseng")},
    "contraction: interval of singular values": lambda: SPANS["no operator"](),
    **{f"other: {n}": n for n in ("polytope", "finite time", "fixed time", "prescribed time", "variable metric")},
    "stage: discrete time": "discrete time",  # the first stage of the others has no multiplier to change
}


def write_mutated(name):
    """The file about one certificate of each kind."""
    kind, _, key = name.partition(": ")
    if kind == "stage":
        return write_driven(certify_stages(decompose(CASCADES[key][0]), CASCADES[key][1])[0])
    return write_theorem(others()[key]() if kind == "other" else lf.certify(MUTATED[name]()))


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTATED)
def test_one_change_is_rejected_for_every_claim(coq, name):
    text = first_theorem(write_mutated(name))
    verdict = coq(text)
    assert verdict.accepted, verdict.message
    for mutation, (pattern, new) in ANY_MUTATIONS.items():
        if mutation != "slack" or "slack1" in text:
            verdict = coq(replace_once(text, pattern, new))
            assert verdict.verdict == "rejected", mutation
