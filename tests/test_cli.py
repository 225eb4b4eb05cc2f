"""The command line as a user runs it: exit codes, one clear sentence for what cannot be used.

Each command runs in a process of its own at least once; elsewhere its function is called, which saves a start of Python
and of the solver.
"""

import contextlib
import io
import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

import lyapflow as lf
from lyapflow.certificates.encoding import from_json, to_json
from lyapflow.cli import main
from lyapflow.lmi.time_scales import FiniteTime, FixedTime, PrescribedTime
from lyapflow.problems import read_problem
from lyapflow.search.scaled import find_scaled
from lyapflow.studies import study

CASES = Path(__file__).parents[1] / "case_studies"

CLASSES = """
title = "two flows"
[functions]
f = { class = "SmoothStronglyConvex", mu = 1, L = 10 }
g = { class = "Convex" }
[[flow]]
name = "gradient"
[[flow]]
name = "douglas_rachford"
step = 0.25 # rate step / (1 + step)
"""

DATA = """
title = "a small lasso"
[data]
table = "table.csv"
target = "y"
standardize = true
[objective]
loss = "least_squares"
ridge = 0.1
l1 = 0.2
[[flow]]
name = "forward_backward"
step = 0.5
"""

METHODS = """
title = "methods for one class"
[functions]
f = { class = "SmoothStronglyConvex", mu = 1, L = 10 }
g = { class = "Convex" }
F = { class = "Intersection", parts = [{ class = "StronglyMonotone", mu = 1 }, { class = "Lipschitz", L = 10 }] }
[[algorithm]]
name = "gradient_descent"
step = "2/11"
[[flow]]
name = "gradient"
[[algorithm]]
name = "extragradient"
step = 0.05
[[algorithm]]
name = "douglas_rachford"
step = "1/3"
factor = "4/5" # 10/13 is true
"""

TABLE = "a,b,y\n1,2,3\n2,1,0.5\n0,-1,2\n4,0.5,-1\n-2,3,1\n"


def run(*arguments, folder="."):
    """The command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*map(str, arguments)])
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def run_process(*arguments, folder=None):
    """The same in a process of its own."""
    command = [sys.executable, "-m", "lyapflow.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=240)


@pytest.fixture
def certificate_file(tmp_path):
    certificate = lf.certify(lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex(1, 10), damping=2))
    return lf.save(certificate, tmp_path / "certificate.json")


def test_certify_then_verify(tmp_path):
    (tmp_path / "problem.toml").write_text(CLASSES)
    done = run_process("certify", "problem.toml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "gradient: proved 1 <= true rate <= 1" in done.stdout
    assert "douglas_rachford (step 1/4): proved 0.2 <= true rate" in done.stdout
    files = sorted(tmp_path.glob("*.json"))
    assert [f.name for f in files] == ["1-gradient.json", "2-douglas_rachford.json"]
    again = run_process("verify", *files)
    assert again.returncode == 0
    assert again.stdout.count(": proved: exponential decay with rate") == 2


def test_certify_verify_and_report_algorithms(tmp_path):
    (tmp_path / "p.toml").write_text(METHODS)
    done = run("certify", "p.toml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "gradient: proved 1 <= true rate <= 1" in done.stdout
    assert "gradient_descent (step 2/11): proved 0.818181818 <= true factor <= 0.818181819" in done.stdout
    assert "(gap 0, 1 - factor >= 0.181818181); transient bound 1, settling time 20 steps" in done.stdout
    assert "true factor <= 0.8 (gap" in done.stdout
    files = sorted(tmp_path.glob("*.json"))
    # flows come first, whatever the order in the file
    names = ["1-gradient", "2-gradient_descent", "3-extragradient", "4-douglas_rachford"]
    assert [f.stem for f in files] == names
    again = run("verify", *files)
    assert again.returncode == 0
    assert ": proved: contraction with factor 9/11 per step (" in again.stdout
    assert again.stdout.count(": proved: exponential decay with rate") == 1
    written = run("report", *files, "-o", "r.html", "--latex", "r.tex", folder=tmp_path)
    assert written.returncode == 0, written.stderr
    assert "contraction with factor" in (tmp_path / "r.html").read_text()
    assert r"\rho = \frac{9}{11}" in (tmp_path / "r.tex").read_text()


def test_algorithms_for_machines(tmp_path):
    (tmp_path / "p.toml").write_text(METHODS.replace('"4/5"', '"3/4"'))
    done = run("certify", "p.toml", "--json", folder=tmp_path)
    assert done.returncode == 1
    data = json.loads(done.stdout)
    assert [one["flow"] for one in data["flows"]] == ["gradient"]
    descent, twice, false = data["algorithms"]
    assert (descent["factor"], descent["witness_factor"], descent["settling_time"]) == ("9/11", "9/11", "20")
    assert (twice["algorithm"], twice["proved"]) == ("extragradient", True)
    assert not false["proved"]
    assert "contraction factor 3/4 is false: the linear member" in false["explanation"]


def test_smaller_factor_is_refused_with_a_witness(tmp_path):
    method = lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(1, 10), step="2/11")
    file = lf.save(lf.certify(method), tmp_path / "c.json")
    file.write_text(file.read_text().replace('"factor": "9/11"', '"factor": "8/11"'))
    done = run("verify", file)
    assert done.returncode == 1
    assert "NOT PROVED: the inequality 'decrease' fails: at x1 = " in done.stdout
    assert "slack = -" in done.stdout
    verdict = json.loads(run("verify", "--json", file).stdout)[0]
    assert verdict["claim"] == "contraction with factor 8/11 per step"
    assert set(verdict["witness"]["point"]) == {"x1", "u_f"}


def test_study_runs_algorithms_on_data(tmp_path):
    (tmp_path / "table.csv").write_text(TABLE)
    algorithms = DATA.replace("[[flow]]", "[[algorithm]]").replace("forward_backward", "proximal_gradient")
    (tmp_path / "p.toml").write_text(algorithms.replace("step = 0.5", 'step = "best"'))
    done = run("study", "p.toml", "-o", "out", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "looking for the step with the smallest proved factor" in done.stderr
    report = (tmp_path / "out" / "report.html").read_text()
    assert "proximal gradient method" in report
    assert "In steps, counted from the first sample." in report
    assert lf.verify(tmp_path / "out" / "1-proximal_gradient.json").proved


def test_verify_loads_no_solver(certificate_file):
    code = (
        "import sys; from lyapflow.cli import main; code = main(['verify', sys.argv[1]]); "
        "heavy = {'cvxpy', 'scipy', 'control', 'matplotlib', 'numpy', 'rich'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(certificate_file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_raised_rate_is_refused_with_a_witness(certificate_file):
    data = json.loads(certificate_file.read_text())
    data["claim"]["rate"] = "4/5"
    certificate_file.write_text(json.dumps(data))
    done = run_process("verify", certificate_file)
    assert done.returncode == 1
    assert "NOT PROVED" in done.stdout
    assert "slack = -" in done.stdout
    verdict = json.loads(run_process("verify", "--json", certificate_file).stdout)[0]
    assert not verdict["proved"]
    assert verdict["witness"]["value"].startswith("-")


@pytest.mark.parametrize(
    "content", ["", "{", "[1, 2]", '{"format": "other"}', "\x00\x01", '{"format": "lyapflow certificate"}']
)
def test_unusable_file_is_one_sentence(tmp_path, content):
    path = tmp_path / "junk.json"
    path.write_text(content)
    done = run_process("verify", path)
    assert done.returncode == 2
    assert done.stderr.startswith("lyapflow: ")
    assert str(path) in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_one_bad_file_does_not_hide_the_others(certificate_file, tmp_path):
    missing = tmp_path / "missing.json"
    done = run_process("verify", missing, certificate_file)
    assert done.returncode == 2
    assert "proved" in done.stdout
    assert "missing.json" in done.stderr


def test_study_on_data(tmp_path):
    (tmp_path / "problem.toml").write_text(DATA)
    (tmp_path / "table.csv").write_text(TABLE)
    done = run_process("study", "problem.toml", "-o", "out", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["flows"][0]["proved"]
    assert done.stderr == ""  # --json is quiet
    assert (tmp_path / "out" / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert lf.verify(tmp_path / "out" / "1-forward_backward.json").proved


def test_a_study_reports_what_it_could_not_prove_and_keeps_nothing_stale(tmp_path):
    (tmp_path / "p.toml").write_text(CLASSES)
    assert run("study", "p.toml", "-o", "out", folder=tmp_path).returncode == 0
    (tmp_path / "p.toml").write_text(CLASSES.replace('name = "gradient"', 'name = "gradient"\nrate = 2'))
    done = run("study", "p.toml", "-o", "out", folder=tmp_path)
    assert done.returncode == 1
    report = (tmp_path / "out" / "report.html").read_text()
    assert "gradient: no certificate" in report
    assert "is false: the linear member" in report
    assert not (tmp_path / "out" / "1-gradient.json").exists()
    assert (tmp_path / "out" / "1-gradient.old.json").exists()
    assert (tmp_path / "out" / "2-douglas_rachford.json").exists()


def test_what_is_proved_is_saved_at_once(tmp_path):
    """The second flow fails in the middle of the work; the certificate of the first is there."""
    (tmp_path / "p.toml").write_text(CLASSES)
    problem = read_problem(tmp_path / "p.toml")

    def interrupt(step):
        raise KeyboardInterrupt

    broken = replace(problem, requests=(problem.requests[0], replace(problem.requests[1], make=interrupt)))
    with pytest.raises(KeyboardInterrupt):
        study(broken, tmp_path / "out")
    assert lf.verify(tmp_path / "out" / "1-gradient.json").proved
    assert not list((tmp_path / "out").glob("*.part"))


def test_folders_are_looked_at_before_the_work(tmp_path):
    (tmp_path / "p.toml").write_text(CLASSES)
    (tmp_path / "afile").write_text("")
    for command, folder, said in (("certify", "none", "does not exist"), ("study", "afile", "it is a file")):
        done = run(command, "p.toml", "-o", folder, folder=tmp_path)
        assert done.returncode == 2
        assert said in done.stderr
        assert "searching" not in done.stderr


def test_targets_that_are_no_files_stay_what_they_are(certificate_file, tmp_path):
    certificate = lf.load(certificate_file)
    (tmp_path / "link.json").symlink_to(tmp_path / "behind.json")
    lf.save(certificate, tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert lf.verify(tmp_path / "behind.json").proved
    with pytest.raises(lf.CertificateFormatError, match="not a file"):
        lf.save(certificate, tmp_path)
    with pytest.raises(lf.CertificateFormatError, match="not a file"):
        lf.save(certificate, "/dev/null")
    assert Path("/dev/null").is_char_device()


def test_report_and_latex(certificate_file, tmp_path):
    done = run_process("report", certificate_file, "-o", tmp_path / "r.html", "--latex", tmp_path / "r.tex")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r.html").exists()
    assert "\\begin{" in (tmp_path / "r.tex").read_text()


def test_unprovable_flow_is_exit_code_1(tmp_path):
    (tmp_path / "p.toml").write_text(CLASSES.replace('name = "gradient"', 'name = "gradient"\nrate = 2'))
    done = run("certify", "p.toml", folder=tmp_path)
    assert done.returncode == 1
    assert "is false: the linear member" in done.stdout


def test_list_names_every_flow_and_class(capsys):
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    assert all(f"{name.removesuffix('_flow')}(" in printed for name in lf.flows.__all__)
    assert all(f"\n  {name}(" in printed for name in lf.algorithms.__all__)
    assert "triple_momentum(f)" in printed
    assert "euler(flow, step)" in printed
    assert "heavy_ball(f, damping)" in printed
    assert "GradientDominated(mu, L)" in printed


def test_committed_problem_files_are_readable():
    files = sorted(CASES.glob("*.toml"))
    found = {file.stem: len(read_problem(file).requests) for file in files}
    assert found == {
        "dispatch_118": 1,
        "dispatch_118_secure": 1,
        "elastic_net_diabetes": 2,
        "logistic_breast_cancer": 2,
    }


@pytest.fixture(scope="module")
def scaled_files(tmp_path_factory):
    """Certificates on three time scales, of one flow."""
    folder = tmp_path_factory.mktemp("scaled")
    certificate = lf.certify(lf.flows.gradient_flow(lf.SmoothStronglyConvex(1, 10)))
    scales = {"finite": FiniteTime("1/2"), "fixed": FixedTime("1/2", "3/2"), "prescribed": PrescribedTime("1/3")}
    made = {name: find_scaled(certificate, scale, optimise=False) for name, scale in scales.items()}
    return {name: (lf.save(one, folder / f"{name}.json"), one) for name, one in made.items()}


def read_decimal(text, before, after):
    return Fraction(text.partition(before)[2].partition(after)[0])


def test_time_scales_are_told_with_times_rounded_up(scaled_files):
    done = run("verify", *(file for file, _ in scaled_files.values()))
    assert done.returncode == 0, done.stderr
    finite, fixed, prescribed = (line for line in done.stdout.splitlines() if ": proved: " in line)
    assert "finite-time stability: settles within " in finite
    assert "from distance 1 (alpha = 1/2)" in finite
    assert "fixed-time stability: settles within " in fixed
    assert "from every start (alpha = 1/2, beta = 3/2)" in fixed
    assert "every start settles at T = 1/3, as V(t) <= V(0) (1 - t/T)^2 (gain 1)" in prescribed
    assert "rate" not in done.stdout
    shown = read_decimal(finite, "within ", " from"), read_decimal(fixed, "within ", " from")
    exact = scaled_files["finite"][1].settling_time(x0=1), scaled_files["fixed"][1].settling_time()
    for number, value in zip(shown, exact, strict=True):
        assert value <= number < value * (1 + Fraction(1, 10**8))


def test_time_scales_are_reported(scaled_files, certificate_file, tmp_path):
    files = [certificate_file, *(file for file, _ in scaled_files.values())]
    done = run("report", *files, "-o", tmp_path / "r.html", "--latex", tmp_path / "r.tex", "--json")
    assert done.returncode == 0, done.stderr
    assert "in fixed time" in (tmp_path / "r.html").read_text()
    assert (tmp_path / "r.tex").read_text().count(r"\begin{theorem}") == 4
    sections = json.loads(done.stdout)["sections"]
    assert [section["verdict"] for section in sections] == ["proved"] * 4
    assert "fixed-time stability" in sections[2]["theorem"]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["claim"].update(decay=double(data["claim"]["decay"])),
        lambda data: data["claim"].update(dissipation=double(data["claim"]["dissipation"])),
        lambda data: data["claim"].update(rate=double(data["claim"]["rate"])),
        lambda data: data["claim"].update(speed=double(data["claim"]["speed"])),
        lambda data: data["unknowns"].update({"upper bound": "1/2"}),
        lambda data: data["unknowns"].update({next(n for n in data["unknowns"] if n.startswith("speed: ")): "-1"}),
    ],
)
@pytest.mark.parametrize("has_seal", [False, True])
def test_a_changed_number_of_a_time_scale_is_refused(scaled_files, change, has_seal, tmp_path):
    """As it is, and written anew by lyapflow itself, with a digest and coefficients that fit."""
    data = json.loads(scaled_files["fixed"][0].read_text())
    change(data)
    path = tmp_path / "changed.json"
    if has_seal:
        forged = from_json(json.loads(json.dumps(data), parse_int=str))
        data = {**to_json(forged), "digest": forged.digest}
    path.write_text(json.dumps(data))
    done = run("verify", path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "NOT PROVED" in done.stdout
    if has_seal:
        page = run("report", path, "-o", tmp_path / "r.html")
        assert page.returncode == 1
        assert "NOT PROVED" in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize("place", ["coefficients", "exponents"])
def test_changed_coefficients_of_a_time_scale_are_refused(scaled_files, place, tmp_path):
    """They follow from the rest of the file, and must be what follows."""
    data = json.loads(scaled_files["fixed"][0].read_text())
    data["claim"][place][1] = double(data["claim"][place][1])
    (tmp_path / "changed.json").write_text(json.dumps(data))
    done = run("verify", tmp_path / "changed.json")
    assert done.returncode in {1, 2}
    assert ": proved: " not in done.stdout
    assert f"claim/{place}" in done.stdout + done.stderr


def double(text):
    return str(2 * Fraction(text))
