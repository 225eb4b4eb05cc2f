import json
from fractions import Fraction

import numpy as np
import pytest

from lyapflow.certificates.encoding import to_json
from lyapflow.errors import InvalidModelError
from lyapflow.report import Figure, Note, Simulation, Table, to_data
from lyapflow.report.quantities import measure, settle
from lyapflow.search import bracket


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


def test_every_certificate_has_its_quantities(certificate):
    from lyapflow.certificates import verify
    from lyapflow.lmi.claims import Contraction

    found = {q.key: q for q in measure(certificate, verify(certificate), None)}
    discrete = isinstance(certificate.claim, Contraction)
    assert ({"factor", "one_minus_factor"} <= set(found)) == discrete
    assert ("rate" in found) != discrete
    assert ("settling_time" in found) == certificate.is_bounded
    for q in found.values():  # a decimal is on the side on which the statement stays true
        relation, _, decimal = q.shown.partition(" ")
        if relation in "≤≥":
            assert (Fraction(decimal.split()[0]) >= q.proved) if relation == "≤" else Fraction(decimal) <= q.proved


def test_the_numbers_of_an_algorithm(certificates):
    found = bracket(certificates["gradient-descent"].system)
    (section,) = to_data([found])["sections"]
    exact = {q["key"]: q["proved"]["exact"] for q in section["quantities"]}
    read = {q["key"]: q["proved"]["read"] for q in section["quantities"]}
    assert exact["factor"] == exact["factor_below"] == "9/11"
    assert (read["factor"], read["factor_below"]) == ("≤ 0.818182", "≥ 0.818181")
    assert (exact["one_minus_factor"], read["one_minus_factor"]) == ("2/11", "≥ 0.181818")
    assert (exact["settling_time"], read["settling_time"]) == ("20", "≤ 20 steps")
    assert exact["gap"] == section["bracket"]["gap"] == "0"
    assert section["bracket"]["contradiction"] is False
    assert "x⁺ = x-2/11 u_f" in section["theorem"]
    assert section["certificate"]["claim"] == {"type": "Contraction", "factor": "9/11"}


def test_a_factor_near_1_is_never_read_as_1(certificates):
    (section,) = to_data([certificates["gradient descent, factor near 1"]])["sections"]
    read = {q["key"]: q["proved"]["read"] for q in section["quantities"]}
    assert read["factor"].startswith("≤ 0.999999999")
    assert 0 < Fraction(read["one_minus_factor"].removeprefix("≥ ")) <= Fraction(1, 10**9)


def test_a_run_of_an_algorithm_stays_below_what_is_proved(triple_momentum, iterates):
    (_, section) = to_data([triple_momentum, Simulation(triple_momentum, iterates)])["sections"]
    seen = {q["key"]: q["seen in simulation"] for q in section["quantities"]}
    proved = {q["key"]: Fraction(q["proved"]["exact"]) for q in section["quantities"]}
    assert set(seen) == {"largest_storage_ratio", "largest_distance_ratio", "settling_time"}
    assert all(seen[key] <= float(proved[key]) * (1 + 1e-9) for key in seen)
    assert seen["settling_time"] == int(seen["settling_time"])  # steps


def test_steps_are_counted_whatever_they_take(triple_momentum, iterates):
    """A step of a tenth of a time unit is a step all the same."""
    from dataclasses import replace

    from lyapflow.dynamics import LureSystem
    from lyapflow.simulation import simulate

    s = triple_momentum.system
    slow = LureSystem(s.A, s.B, s.C, s.D, oracles=s.oracles, dt="1/10", oracle_names=s.oracle_names, name=s.name)
    certificate = replace(triple_momentum, system=slow)
    path = simulate(slow, iterates.members, iterates.x[0], 30)
    assert path.t[-1] == 3
    (_, section), (_, same) = (
        to_data([c, Simulation(c, p)])["sections"] for c, p in ((certificate, path), (triple_momentum, iterates))
    )
    assert section["quantities"] == same["quantities"]


def test_what_rounding_decides_is_not_compared(triple_momentum, iterates):
    """Long after convergence V is rounding, which no theorem speaks of."""
    from lyapflow.simulation import simulate

    path = simulate(triple_momentum.system, iterates.members, iterates.x[0], 300)
    (_, section) = to_data([triple_momentum, Simulation(triple_momentum, path)])["sections"]
    assert all(q["seen in simulation"] <= 1 + 1e-9 for q in section["quantities"] if "ratio" in q["key"])


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
