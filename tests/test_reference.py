"""The tables of published and derived rates against what is proved."""

import tomllib
from fractions import Fraction
from pathlib import Path

import pytest
from systems import TEMPLATES, build_flow, build_method

import lyapflow as lf
from lyapflow.search.witness import find_witness

FOLDER = Path(__file__).parent / "reference"
TABLE = tomllib.loads((FOLDER / "exponential.toml").read_text())["row"]
FACTORS = tomllib.loads((FOLDER / "contraction.toml").read_text())["row"]
RELATIVE = Fraction(1, 10**5)


def expected_rate(row):
    """The listed rate and half a unit of its last printed digit."""
    text, scale = (row["value"], 1) if "value" in row else (row["v_rate"], 2)
    digits = len(text.partition(".")[2])
    slack = Fraction(1, 2 * 10**digits) if digits else Fraction(0)
    return Fraction(text) / scale, slack / scale


@pytest.mark.parametrize("table", [TABLE, FACTORS], ids=["rates", "factors"])
def test_rows_name_their_source(table):
    known = (Path(__file__).parents[1] / "docs" / "references.bib").read_text()
    assert len({row["id"] for row in table}) == len(table)
    for row in table:
        assert row.get("derived") or (row["locator"] and f"{{{row['source']}," in known), row["id"]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["id"])
def test_rate(row):
    value, slack = expected_rate(row)
    system = build_flow(row["flow"])
    certificate = lf.certify(system, template=TEMPLATES[row.get("template", "value")])
    tolerance = value * Fraction(row.get("tolerance", RELATIVE)) + slack
    assert lf.verify(certificate).proved
    assert certificate.rate <= find_witness(system).rate
    assert certificate.rate >= value - tolerance
    if row["kind"] == "tight":
        assert certificate.rate <= value + tolerance


@pytest.mark.parametrize("row", FACTORS, ids=lambda row: row["id"])
def test_factor(row):
    value, slack = expected_rate(row)
    system = build_method(row["method"])
    certificate = lf.certify(system)
    tolerance = (1 - value) * Fraction(row.get("tolerance", RELATIVE)) + slack
    assert lf.verify(certificate).proved
    assert certificate.factor >= find_witness(system).factor
    assert certificate.factor <= value + tolerance
    if row["kind"] != "upper":
        assert certificate.factor >= value - tolerance


def test_where_the_published_criterion_fails_a_member_does_too():
    """At L = 2 the circle criterion is infeasible for the nonminimum-phase plant.

    Every gain in [1, 2] gives a stable loop, but a scaled rotation in the sector does not: the criterion is sharp.
    """
    outcome = lf.attempt(build_flow({"name": "source_seeking", "f": ["SectorBounded", "1", "2"]}))
    assert isinstance(outcome, lf.Infeasible)
    assert outcome.witness.refutes(None)
    assert outcome.witness.slopes[0][1] != 0
