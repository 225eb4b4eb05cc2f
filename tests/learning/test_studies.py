"""`lyapflow study NAME`: the studies of the catalogue, by their names."""

import importlib
import json

import pytest

import lyapflow as lf
from lyapflow.cli import main
from lyapflow.learning_studies import STUDIES, run_study


def test_every_study_has_a_room_that_writes():
    for name, room in STUDIES.items():
        assert name == name.lower()
        assert callable(importlib.import_module(f"lyapflow.learning_studies.{room}").run)


def test_a_study_by_name(tmp_path, capsys):
    assert main(["study", "deep-linear-networks", "-o", str(tmp_path / "out"), "--json"]) == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    page = (tmp_path / "out" / "deep_linear_networks.html").read_text()
    assert file.endswith("deep_linear_networks.html")
    assert "NOT PROVED" not in page
    assert page.count("<b>False:</b>") == 6
    assert page.count("<figure>") == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kl-natural-gradient", ["1.8203388", "5.244836", "Where this differs from the paper", "1599/6934"]),
        ("homogeneous-networks", ["0.535624", "14180", "0.18024", "Where this differs from the paper"]),
        ("shallow-relu", ["0.8944", "1.34164078", "25/64*s^4", "Where this differs from the paper"]),
        ("neural-feature-ansatz", ["0.9659", "diag(1, 64)", "0.1000000", "not necessary"]),
        ("related-papers", ["16925/1962", "13/43", "26/25", "0.53451", "cross-ratio"]),
        ("large-steps", ["20/9", "is below -1 at all of them", "7.559526"]),
        ("affine-relu", ["169/97200", "0.00173868312", "strict saddle"]),
        ("sparse-attention", ["5319.2697", "589/28224", "16577.78", "Where this differs from the paper"]),
    ],
)
def test_studies_write_their_reports(name, words, tmp_path):
    lines = []
    report = run_study(name, tmp_path, say=lines.append)
    assert report.parent == tmp_path
    text = report.read_text()
    assert all(word in text for word in words)
    assert "http" not in text.replace("http://www.w3.org", "")
    assert text.count("<svg") >= 2
    assert lines


def test_unknown_names_are_answered_with_the_known_ones(tmp_path, capsys):
    assert main(["study", "deep-linear-network", "-o", str(tmp_path)]) == 2
    answer = capsys.readouterr().err
    assert "there are: " in answer
    assert all(known in answer for known in STUDIES)
    with pytest.raises(lf.InvalidModelError, match="there is no study"):
        run_study("x", tmp_path)


def test_a_file_stays_a_file(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("none.toml", "folder/deep-linear-networks"):
        assert main(["study", path]) == 2
        assert "No such file" in capsys.readouterr().err
    (tmp_path / "deep-linear-networks").write_text("this is = not [ a problem")
    assert main(["study", "deep-linear-networks"]) == 2
    assert "TOML" in capsys.readouterr().err
    assert not (tmp_path / "study").exists()


def test_options_of_problem_files_are_refused(tmp_path, capsys):
    assert main(["study", "deep-linear-networks", "--solver", "SCS", "-o", str(tmp_path)]) == 2
    assert "--solver" in capsys.readouterr().err


def test_the_list_names_the_studies(capsys):
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in STUDIES)
