import json
from fractions import Fraction

import numpy as np
import pytest

from lyapflow.certificates.encoding import to_json
from lyapflow.errors import InvalidModelError
from lyapflow.report import Figure, Note, Simulation, Table, to_data
from lyapflow.report.quantities import settle


def test_the_twin_is_json_and_holds_the_exact_numbers(heavy_ball, trajectory):
    items = [
        heavy_ball,
        Simulation(heavy_ball, trajectory),
        Table("T", ["a", "b"], [[Fraction(1, 3), 0.5], [None, float("inf")]], ["", "solver's word"]),
        Note("N", "words"),
        Figure("F", print, "", "caption"),
    ]
    data = json.loads(json.dumps(to_data(items), allow_nan=False))
    certificate, simulation, table, note, figure = data["sections"]
    assert data["proved"] is True
    assert certificate["verdict"] == "proved"
    assert certificate["certificate"] == json.loads(json.dumps(to_json(heavy_ball)))
    rate = next(q for q in certificate["quantities"] if q["key"] == "rate")
    assert rate["proved"]["exact"] == str(heavy_ball.rate)
    assert rate["solver's word"] == heavy_ball.supremum
    assert simulation["certificate"] == heavy_ball.digest
    assert table["rows"][0] == [{"exact": "1/3", "decimal": "0.333333"}, 0.5]
    assert table["rows"][1] == [None, "inf"]
    assert (note["text"], figure["caption"]) == ("words", "caption")


def test_no_quantity_mixes_the_words(heavy_ball, trajectory):
    data = to_data([heavy_ball, Simulation(heavy_ball, trajectory)])
    for section in data["sections"]:
        for q in section["quantities"]:
            assert set(q) <= {"key", "name", "proved", "solver's word", "seen in simulation"}
            if "proved" in q:
                Fraction(q["proved"]["exact"])


def test_what_is_not_proved_is_not_called_so(broken):
    data = to_data([broken])
    (section,) = data["sections"]
    assert data["proved"] is False
    assert section["verdict"] == "NOT PROVED"
    assert section["violated"]
    assert "theorem" not in section
    assert not any("proved" in q for q in section["quantities"])


def test_simulated_numbers_stay_below_what_is_proved(heavy_ball, trajectory):
    (_, section) = to_data([heavy_ball, Simulation(heavy_ball, trajectory)])["sections"]
    for q in section["quantities"]:
        assert q["seen in simulation"] <= float(Fraction(q["proved"]["exact"])) * (1 + 1e-9), q["key"]


@pytest.mark.parametrize(
    ("distance", "time"),
    [([1, 0.5, 0.01, 0.001], 2.0), ([1, 0.01, 0.5, 0.01], 3.0), ([1, 1, 1, 1], None), ([0] * 4, 0.0)],
)
def test_settling_is_for_good(distance, time):
    assert settle(np.arange(4.0), np.array(distance, dtype=float)) == time


@pytest.mark.parametrize(
    "make",
    [
        lambda: Table("T", ["a"], [[1, 2]]),
        lambda: Table("T", ["a"], [["b"]], ["certain"]),
        lambda: Table("T", ["a"], [["b"]], ["proved", "proved"]),
        lambda: Table("T", ["a"], ["b"]),
        lambda: Figure("F", "not a function"),
        lambda: Figure("F", print, "certain"),
        lambda: Figure("F", print, "proved"),
        lambda: Table("T", ["a"], [["b"]], ["proved"]),
        lambda: Simulation("no certificate", None),
    ],
)
def test_items_are_checked_at_the_door(make):
    with pytest.raises(InvalidModelError):
        make()
