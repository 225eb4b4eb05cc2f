"""The studies of learning flows run, check themselves, and write reports that stand alone."""

import pytest

from lyapflow.learning_studies import kl_natural_gradient, neural_feature_ansatz


@pytest.mark.slow
@pytest.mark.parametrize(
    ("study", "words"),
    [
        (kl_natural_gradient, ["1.8203388", "5.244836", "Where this differs from the paper", "1599/6934"]),
        (neural_feature_ansatz, ["0.9659", "diag(1, 64)", "0.1000000", "not necessary"]),
    ],
    ids=["kl_natural_gradient", "neural_feature_ansatz"],
)
def test_studies_write_their_reports(study, words, tmp_path):
    lines = []
    report = study.run(tmp_path, lines.append)
    assert report.parent == tmp_path
    text = report.read_text()
    assert all(word in text for word in words)
    assert "http" not in text.replace("http://www.w3.org", "")
    assert text.count("<svg") >= 2
    assert lines
