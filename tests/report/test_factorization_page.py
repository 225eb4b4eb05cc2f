"""The page of a factorization flow."""

import dataclasses
import json

import numpy as np
import pytest

import lyapflow as lf
from lyapflow.report.data import to_data
from lyapflow.report.factorization import read_factorization


@pytest.fixture(scope="module")
def cascade():
    start = np.random.default_rng(3).standard_normal((4, 3))
    return lf.cascade.schur(lf.learning.SymmetricFactorization([3, 1, 0, -1], rank=3), start)


def test_what_is_proved_is_proved_when_the_page_is_written(cascade, tmp_path):
    page = tmp_path / "page.html"
    lf.write_report(page, cascade)
    text = page.read_text()
    assert "Factorization flow, n = 4, r = 3, k = 2" in text
    assert "NOT PROVED" not in text
    assert "the Schur complement S = P22 - P21 Y P12 moves on its own" in text
    assert text.count("<svg") >= 1


def test_a_false_rate_is_told_as_not_proved(cascade):
    false = dataclasses.replace(cascade.certificates[2], rate=cascade.certificates[2].rate * 2)
    tampered = lf.cascade.schur(cascade.flow, cascade.X0)
    tampered.__dict__["certificates"] = (false,)
    section = read_factorization(tampered, "s1")
    assert [row.verdict for row in section.rows] == ["NOT PROVED"]
    assert not section.proved


def test_without_the_rank_condition_there_are_no_stages(tmp_path):
    flow = lf.learning.SymmetricFactorization([3, 2, -1], rank=1)
    cascade = lf.cascade.schur(flow, [[1.0], [1.0], [1.0]])
    lf.write_report(tmp_path / "page.html", cascade)
    assert "The stages need the rank condition" in (tmp_path / "page.html").read_text()


def test_as_data(cascade):
    (section,) = to_data([cascade])["sections"]
    assert section["type"] == "factorization"
    assert {row["verdict"] for row in section["bounds"]} == {"proved"}
    assert json.dumps(section)
