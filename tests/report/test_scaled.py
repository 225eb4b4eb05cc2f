"""Claims on other time scales: what the page, the fragment and the data say, and on which side their numbers lie."""

import json
import re
import shutil
import subprocess
from dataclasses import fields, replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from forms import times, total

from lyapflow.certificates import verify
from lyapflow.dynamics import PolytopicSystem, PrimalDualSystem
from lyapflow.errors import VerificationError
from lyapflow.exact.settling import settling_time_by_terms
from lyapflow.lmi.metric import reduce_splitting
from lyapflow.lmi.scaled_claims import FiniteTimeStability, FixedTimeStability, PrescribedTimeStability
from lyapflow.lmi.templates import VariableMetric
from lyapflow.lmi.time_scales import FixedTime
from lyapflow.report import Simulation, state_theorem, to_data, to_latex, write_report
from lyapflow.report.argument import argue
from lyapflow.report.formulas import text_of
from lyapflow.report.numbers import approximate
from lyapflow.report.proof import list_parts, list_steps

PREAMBLE = r"\documentclass{article}\usepackage{amsmath,amssymb,amsthm}\newtheorem{theorem}{Theorem}\begin{document}"
DECAY = re.compile(r"e\^|exp\(|exponential|2 %")


def find_numbers(text, sign):
    """Decimals after a relation; not the first digits of a fraction."""
    return [Fraction(number) for number in re.findall(rf"{sign} (\d+(?:\.\d+)?)(?!\d|/|\.\d)", text)]


def test_the_statement_names_its_time_scale_and_every_number(scaled):
    text = state_theorem(scaled).text
    claim, scale = scaled.claim, scaled.claim.scale
    for name, letter in (("alpha", "α"), ("beta", "β"), ("time", "T")):
        assert not hasattr(scale, name) or f"{letter} = {getattr(scale, name)}" in text
    letters = {"decay": "δ", "dissipation": "ε", "rate": "ρ", "speed": "κ", "speed_limit": "K"}
    for field in fields(claim):
        assert field.name == "scale" or f"    {letters[field.name]} = {getattr(claim, field.name)}" in text
    for a in claim.exponents[:2] if not isinstance(claim, PrescribedTimeStability) else ():
        assert f"V^({a})" in text
    assert "assumed, not proved" in text


def test_nothing_decays_exponentially(scaled):
    texts = [state_theorem(scaled).text, text_of(argue(scaled)), to_latex(scaled).partition("\n")[2]]
    assert not any(DECAY.search(text) for text in texts)


def test_no_page_speaks_of_exponential_decay(scaled_page, tmp_path):
    page = write_report(tmp_path / "page.html", scaled_page).read_text(encoding="utf-8")
    text = re.sub(r"<style>.*?</style>|<svg.*?</svg>|base64,[^\"]*", "", page, flags=re.DOTALL)
    assert not DECAY.search(text)


def test_numbers_are_rounded_to_the_safe_side(scaled):
    text = state_theorem(scaled).text.partition("STORAGE")[0]
    claim = scaled.claim
    for letter, value in zip("AB", claim.coefficients, strict=False):
        (line,) = (line for line in text.splitlines() if line.strip().startswith(f"{letter} = "))
        (shown,) = find_numbers(line, "≥")
        assert value * Fraction(99999, 100000) < shown <= value
    core = scaled.core
    if isinstance(claim, FixedTimeStability):
        (a, b), (A, B) = claim.exponents, claim.coefficients
        sharp, plain = scaled.settling_time(), settling_time_by_terms(A, a, B, b, Fraction(1))
        times_of = [sharp, plain, core.settling_time(x0=1)]
    elif isinstance(claim, FiniteTimeStability):
        times_of = [core.settling_time(V0=1), core.settling_time(x0=1)]
    else:
        return
    if core is not scaled:
        times_of.append(scaled.settling_time(x0=1))
    lines = [line.partition(" with c₂")[0] for line in text.splitlines() if "T" in line]
    shown = [number for line in lines for number in find_numbers(line, "≤") if number != 1]
    assert len(shown) == len(times_of)
    for number, value in zip(shown, times_of, strict=True):
        assert value <= number < value * Fraction(100001, 100000)


def test_a_fixed_time_is_told_with_the_plainer_bound_beside_it(fixed):
    text = state_theorem(fixed).text
    assert "whatever the start" in text
    assert "the plainer bound by terms, of Polyakov" in text
    rows = {row["key"]: row for row in to_data([fixed])["sections"][0]["quantities"]}
    sharp, plain = (Fraction(rows[key]["proved"]["exact"]) for key in ("settling_time", "settling_time_by_terms"))
    assert sharp == fixed.settling_time() < plain


def test_an_unbounded_storage_function_speaks_of_V(scaled_certificates, tmp_path):
    for name in ("heavy ball: finite", "heavy ball: fixed", "heavy ball: prescribed, slow"):
        whole = scaled_certificates[name]
        kept = tuple((name, value) for name, value in whole.unknowns if not name.startswith("upper bound"))
        certificate = replace(whole, unknowns=kept)
        assert verify(certificate).proved
        assert "‖x(0)-x*‖" not in state_theorem(certificate).text
        page = write_report(tmp_path / "page.html", certificate).read_text(encoding="utf-8")
        assert "|x(0) − x*|" not in page
        assert "NOT PROVED" not in page


def test_quantities_are_those_of_the_certificate(scaled):
    data = to_data([scaled])
    assert data["proved"]
    (section,) = data["sections"]
    rows = {row["key"]: row for row in section["quantities"]}
    assert not {"rate_above", "gap", "factor"} & set(rows)
    for row in section["quantities"]:
        relation, _, number = row["proved"]["read"].rpartition(" ")
        exact = Fraction(row["proved"]["exact"])
        if number.replace(".", "").isdigit() and relation in {"≤", "≥"}:
            assert exact <= Fraction(number) if relation == "≤" else exact >= Fraction(number)
    if isinstance(scaled.claim, FiniteTimeStability):
        assert Fraction(rows["settling_time"]["proved"]["exact"]) == scaled.settling_time(x0=1)
    else:
        assert Fraction(rows["settling_time"]["proved"]["exact"]) == scaled.settling_time()
    json.dumps(data)


def move(plant, states):
    """The derivative of each state, and each input, as forms."""
    n, m = len(plant.A), len(plant.C)
    outputs = [{("u", j): Fraction(1)} for j in range(m)]
    flow = [total(*zip(plant.A[i], states, strict=True), *zip(plant.B[i], outputs, strict=True)) for i in range(n)]
    inputs = [total(*zip(plant.C[j], states, strict=True), *zip(plant.D[j], outputs, strict=True)) for j in range(m)]
    return flow, inputs, outputs


def left_of(certificate, step, mode, plant, first):
    """Left side of a part, from its definition."""
    core, claim = certificate.core, certificate.claim
    states = [{("x", i): Fraction(1)} for i in range(len(plant.A))]
    flow, inputs, outputs = move(plant, states)
    P = core.storage[mode.label]
    size = range(len(states))
    weights = {core.system.oracle_names.index(name): weight for name, weight in core.value_weights.items()}
    V = total(*[(P[i][k], times(states[i], states[k])) for i in size for k in size],
              *[(weight, {("phi", j): Fraction(1)}) for j, weight in weights.items()])  # fmt: skip
    moved = [total(*zip(row, flow, strict=True)) for row in plant.C]
    slope = total(*[(2 * P[i][k], times(states[i], flow[k])) for i in size for k in size],
                  *[(weight, times(outputs[j], moved[j])) for j, weight in weights.items()])  # fmt: skip
    assert all(not any(row) for row in plant.D) or not weights
    least = largest = Fraction(1)
    if isinstance(certificate.template, VariableMetric):
        reduction = reduce_splitting(certificate.system)
        least, largest = reduction.least, reduction.largest
    above = total(*[(v / least, times(flow[i], flow[i])) for i, v in enumerate(diagonal(mode.norm_above))])
    pole, *_ = move(first, states)
    below = total(*[
        term
        for i, v in enumerate(diagonal(mode.norm_below))
        for term in ((2 * v / largest, times(flow[i], pole[i])), (-v / largest, times(pole[i], pole[i])))
    ])  # fmt: skip
    return (
        {
            "decrease": lambda: total((-1, slope), (-claim.decay, V), (-claim.dissipation, above)),
            "rate": lambda: total((-1, slope), (-2 * claim.rate, V)),
            "speed": lambda: total((1, below), (-claim.speed, V)),
            "speed limit": lambda: total((claim.speed_limit, V), (-1, above)),
        }[step.part](),
        inputs,
        outputs,
    )


def diagonal(matrix):
    assert all(v == 0 for i, row in enumerate(matrix) for k, v in enumerate(row) if i != k)
    return [row[i] for i, row in enumerate(matrix)]


def test_each_part_is_the_printed_sum(scaled):
    """Expanded from the equations of motion and the numbers of the claim; not with the pencil of the checker."""
    parts = {part.name: part for part in list_parts(scaled)}
    names = scaled.core.system.oracle_names
    counts = {}
    for step in list_steps(scaled):
        if step.part in {"positivity", "upper bound", "storage"}:
            continue
        mode = next(mode for mode in scaled.core.system.modes if mode.label == step.mode)
        k = counts[step.part, step.mode] = counts.get((step.part, step.mode), -1) + 1
        left, inputs, outputs = left_of(scaled, step, mode, mode.vertices[k], mode.vertices[0])
        terms = []
        for used in parts[step.part].used:
            owner = names.index(used.name.removeprefix(f"{step.part}: ").partition(" ")[0])
            forms = {"y": inputs, "u": outputs}
            for ((a, _), (b, _)), c in used.inequality.products:
                terms.append((used.value * c, times(forms[a][owner], forms[b][owner])))
            terms += [(used.value * c, {("phi", owner): Fraction(1)}) for _, c in used.inequality.values]
        signals = [("x", i) for i in range(len(mode.vertices[k].A))] + [("u", j) for j in range(len(outputs))]
        size = range(len(signals))
        terms += [(1, {tuple(sorted((signals[i], signals[j]))): step.slack[i][j] * (1 + (i != j))})
                  for i in size for j in size if i <= j]  # fmt: skip
        assert left == total(*terms), step.name
        for weight, _ in step.squares:
            assert weight > 0
    assert {part for part, _ in counts} == set(parts) - {"positivity", "upper bound"}


def test_the_argument_takes_the_speed_out(scaled):
    text = text_of(argue(scaled))
    claim = scaled.claim
    assert "along the unscaled flow" in text
    if isinstance(claim, PrescribedTimeStability):
        assert "r² ≤ K V" in text
        return
    a = claim.exponents[0]
    assert f"= A V^({a})" in text
    assert "arithmetic and the geometric mean" in text
    assert ("r² ≥ κV" in text) == isinstance(claim, FixedTimeStability)
    if isinstance(scaled.system, PrimalDualSystem | PolytopicSystem) and isinstance(claim, FixedTimeStability):
        between = any(len(mode.vertices) > 1 for mode in scaled.system.modes)
        assert ("2⟨F,M⟩-‖M‖²" in text or "2⟨F,M⟩-|M|²" in text) == between


def test_a_page_of_all_kinds_reads_well(scaled_certificates, certificates, tmp_path):
    items = [certificates["heavy ball"], *(scaled_certificates[f"heavy ball: {s}"] for s in ("finite", "fixed"))]
    items.append(scaled_certificates["gradient: prescribed"])
    page = write_report(tmp_path / "page.html", *items).read_text(encoding="utf-8")
    table = page.partition("<table")[2].partition("</table>")[0]
    assert "Settling time (2 %)" not in table
    assert " to 2 %" in table
    assert " from every start" in table
    assert " from distance 1" in table
    for kind in ("exponential decay with rate", "finite-time stability with", "fixed-time stability with",
                 "prescribed-time stability with"):  # fmt: skip
        assert kind in table
    assert page.count("<figure>") == 4  # the phase portrait, two curves, and bounds on the prescribed time
    assert "in fixed time" in page
    alone = write_report(tmp_path / "alone.html", certificates["heavy ball"]).read_text(encoding="utf-8")
    assert "Settling time (2 %)" in alone


def test_a_page_stands_alone(fixed, tmp_path):
    page = write_report(tmp_path / "page.html", fixed).read_text(encoding="utf-8")
    assert "http" not in page
    assert "<script" not in page
    assert 'class="formula"' not in page  # every formula was typeset
    assert write_report(tmp_path / "again.html", fixed).read_text(encoding="utf-8") == page


@pytest.mark.parametrize("name", ["decay", "dissipation", "rate", "speed"])
def test_a_changed_number_is_not_proved_anywhere(fixed, name, tmp_path):
    claim = replace(fixed.claim, **{name: getattr(fixed.claim, name) * 2})
    broken = replace(fixed, claim=claim)
    page = write_report(tmp_path / "page.html", broken).read_text(encoding="utf-8")
    assert "NOT PROVED" in page
    assert "<figure>" not in page
    assert "CONCLUSION" not in page
    section = to_data([broken])["sections"][0]
    assert section["verdict"] == "NOT PROVED"
    assert not any("proved" in row for row in section["quantities"])
    with pytest.raises(VerificationError, match="proves its claim"):
        to_latex(broken)


def test_a_simulation_stands_beside_its_bound(scaled_certificates, tmp_path):
    """A stand-in for a trajectory: a page asks for V, its bound, the distance and the times, and nothing else."""
    certificate = scaled_certificates["gradient: prescribed"]
    t = np.linspace(0, 2, 50)
    left = 1 - t / 2
    run = SimpleNamespace(
        t=t, x=left[:, None, None], system=certificate.system, distance=left, members=(),
        storage=lambda _: left**2, bound=lambda _: left**2,
        equilibrium=SimpleNamespace(x=np.zeros((1, 1)), residual=0.0),
    )  # fmt: skip
    page = write_report(tmp_path / "page.html", Simulation(certificate, run)).read_text(encoding="utf-8")
    assert "Largest V(t) relative to its bound" in page
    assert "2 % band" not in page


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed; nothing else needs it")
def test_the_fragments_compile(scaled_certificates, tmp_path):
    body = "\n".join(to_latex(certificate) for certificate in scaled_certificates.values())
    (tmp_path / "proofs.tex").write_text(PREAMBLE + body + r"\end{document}", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "proofs.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]


def test_a_speed_without_a_bound_is_not_spoken_of(scaled_certificates, tmp_path):
    """Such a certificate is what a flow gets whose speed no V bounds."""
    whole = scaled_certificates["gradient: prescribed"]
    certificate = replace(
        whole,
        claim=replace(whole.claim, speed_limit=None),
        unknowns=tuple((n, v) for n, v in whole.unknowns if not n.startswith("speed limit")),
    )
    assert verify(certificate).proved
    text = state_theorem(certificate).text + text_of(argue(certificate))
    assert "K" not in text
    assert "No bound of the speed up to T is proved." in text
    assert "The speed stays bounded." in state_theorem(whole).text
    page = write_report(tmp_path / "page.html", certificate).read_text(encoding="utf-8")
    assert "speed / its bound" not in page
    assert {q["key"] for q in to_data([certificate])["sections"][0]["quantities"]}.isdisjoint({"speed_limit"})
    to_latex(certificate)


@pytest.mark.parametrize("alpha", [0.3, 1 - Fraction(1, 10**50)])
def test_exponents_that_are_no_short_fractions(fixed, tmp_path, alpha):
    scale = FixedTime(alpha, 1.7, (0.1, 0.7))
    certificate = replace(fixed, claim=replace(fixed.claim, scale=scale))
    assert str(scale.alpha) in state_theorem(certificate).text
    write_report(tmp_path / "page.html", certificate)


def test_times_that_cannot_be_drawn(fixed, tmp_path):
    page = {}
    for gain in (1, Fraction(1, 10**1000)):
        certificate = replace(fixed, claim=replace(fixed.claim, scale=FixedTime("1/2", "3/2", (gain, gain))))
        page[gain] = write_report(tmp_path / "page.html", certificate).read_text(encoding="utf-8")
        assert verify(certificate).proved
        assert approximate(certificate.settling_time(), side="up") in page[gain]
    assert ["distance of the start" in text for text in page.values()] == [True, False]
