"""Evidence in reports: derived by the report itself, or not called proved."""

import functools
import json

import pytest

import lyapflow as lf
from lyapflow.learning import DeepLinearNetwork, critical_points, layers
from lyapflow.learning import deep_linear_evidence as proofs
from lyapflow.learning.deep_linear_identities import state_adjacency
from lyapflow.learning.evidence import PROVED, Refutation, Verdict
from lyapflow.report import Evidence, Note, to_data

SMALL = DeepLinearNetwork([2, 2, 2], [2, 1])


def say_proved():
    return Verdict(statement="the moon is a cheese", reason="because", standing=PROVED)


def test_pieces_stand_under_their_word(tmp_path):
    items = (
        Evidence("Identities", state_adjacency, (2,), "For every width."),
        Evidence("Conserved", proofs.prove_balance, (SMALL,)),
        Evidence("Critical points", proofs.prove_critical_points, (SMALL,)),
        Evidence("Rate", proofs.find_local_rate, (SMALL,)),
        Note("Words", "of the author"),
    )
    page = lf.write_report(tmp_path / "page.html", *items).read_text()
    data = to_data(items)
    json.dumps(data)
    standings = [[p["standing"] for p in s.get("pieces", [])] for s in data["sections"]]
    assert standings == [["proved"] * 6, ["proved"], ["proved"] * 4, ["computed"], []]
    assert data["proved"]
    assert "lyapflow.learning.deep_linear_evidence.prove_balance" in page
    assert "NOT PROVED" not in page
    assert page.count('<span class="chip proved">') == 11 + 1  # pieces, and the legend


@pytest.mark.parametrize(
    "derive",
    [
        say_proved,
        lambda: say_proved(),
        functools.partial(Refutation, statement="", witness="", standing=PROVED),
        Refutation,
        "prove_balance",
    ],
)
def test_an_author_cannot_call_something_proved(derive):
    with pytest.raises(lf.InvalidModelError, match="must be a function of a module of lyapflow"):
        Evidence("Mine", derive)


def test_a_borrowed_name_does_not_help():
    say = lambda network: say_proved()  # noqa: E731
    say.__module__, say.__qualname__ = proofs.prove_balance.__module__, "prove_balance"
    with pytest.raises(lf.InvalidModelError, match="must be a function of a module of lyapflow"):
        Evidence("Mine", say)


def test_what_cannot_be_derived_is_printed_so(tmp_path, monkeypatch):
    right = layers.descend
    item = Evidence("Conserved", proofs.prove_balance, (DeepLinearNetwork([2, 2, 2], [2, 1]),))
    monkeypatch.setattr(
        layers, "descend", lambda these, target: [w * (k + 1) for k, w in enumerate(right(these, target))]
    )
    page = lf.write_report(tmp_path / "page.html", item).read_text()
    assert page.count("NOT PROVED") == 2  # at the top, and in the section
    data = to_data([item])
    assert not data["proved"]
    assert "pieces" not in data["sections"][0]


def test_other_returns_are_refused():
    with pytest.raises(lf.InvalidModelError, match="must return pieces of evidence"):
        to_data([Evidence("Numbers", critical_points.select_exactly, (SMALL, next(SMALL.equilibria())))])
