"""Problem files: what cannot be used is said in one sentence that names the place."""

import re
from fractions import Fraction

import pytest

import lyapflow as lf
from lyapflow.problems import read_problem

GOOD = """
title = "good"
[functions]
f = { class = "SmoothStronglyConvex", mu = 1, L = 10 }
g = { class = "Convex" }
[[flow]]
name = "forward_backward"
step = 0.1
"""

DATA = """
[data]
table = "table.csv"
target = "y"
[objective]
loss = "least_squares"
[[flow]]
name = "gradient"
"""

TABLE = "a,b,y\n1,2,3\n2,1,0.5\n0,-1,2\n"


@pytest.fixture
def read(tmp_path):
    def reader(text, table=TABLE):
        (tmp_path / "p.toml").write_text(text)
        (tmp_path / "table.csv").write_text(table)
        return read_problem(tmp_path / "p.toml")

    return reader


def test_decimals_are_decimals(read):
    request = read(GOOD).requests[0]
    assert request.step == Fraction(1, 10)
    assert request.make(request.step).D[1][1] == Fraction(-1, 10)


def test_constants_of_data_are_proved(read):
    problem = read(DATA)
    assert problem.dimension == 2
    assert problem.members["f"].curvature.check()


def test_labels_0_and_1(read):
    text = DATA.replace("least_squares", "logistic") + "\n"
    assert read(text, "a,b,y\n1,2,0\n2,1,1\n0,-1,1\n").members["f"].labels.tolist() == [-1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("mu = 1", "mu = 11", "mu=11, L=10"),
        ("mu = 1", "mu = -1", "mu=-1"),
        ("mu = 1", "mu = nan", "mu"),
        ("mu = 1", "mu = 1e1000000000", "exponent"),
        ("mu = 1", f"mu = {'9' * 6000}", "too long"),
        ("mu = 1", "mu = true", "mu"),
        ("mu = 1, ", "", "has the parameters mu, L; got L"),
        ('"Convex"', '"Concave"', "class must be one of"),
        ("step = 0.1", "step = 0", "step must be > 0"),
        ("step = 0.1", "", "needs step"),
        ("step = 0.1", "step = 0.1\nsteps = 2", "got steps"),
        ("step = 0.1", 'step = "best"\ninterval = [2, 1]', "0 < low < high"),
        ("step = 0.1", "step = 0.1\ninterval = [1, 2]", 'interval goes with step = "best"'),
        ("step = 0.1", "step = 0.1\nrate = -1", "forward_backward: ExponentialDecay needs rate > 0"),
        ("step = 0.1", 'step = "best"\ninterval = 3', "interval must be [low, high]"),
        ("forward_backward", "forwards", "name must be one of"),
        ("[[flow]]", "[flow]", "[[flow]]"),
        ("[functions]", "[function]", "got function"),
        ('f = { class = "SmoothStronglyConvex", mu = 1, L = 10 }', "", "needs the functions f"),
        ("title", "title = ", "not a TOML file"),
    ],
)
def test_bad_classes_and_flows(read, old, new, said):
    assert old in GOOD
    with pytest.raises(lf.InvalidModelError, match=re.escape(said)):
        read(GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("a,b,y\n1,two,3\n2,1,4\n", "two"),
        ("a,b,y\n1,,3\n2,1,4\n", "empty"),
        ("a,b,y\n1,2\n2,1,4\n", "line 2"),
        ("a,b,z\n1,2,3\n", "'y'"),
        ("a,b,y\n1,nan,3\n", "nan"),
        ("", "table.csv"),
    ],
)
def test_bad_tables(read, table, said):
    with pytest.raises(lf.InvalidModelError, match=re.escape(said)):
        read(DATA, table)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"least_squares"', '"hinge"', "loss must be"),
        ('"least_squares"', '"logistic"', "labels"),
        ('loss = "least_squares"', 'loss = "least_squares"\nridge = -1', "ridge"),
        ('loss = "least_squares"', 'loss = "least_squares"\nl1 = -1', "l1 must be >= 0"),
        ('loss = "least_squares"', 'loss = "least_squares"\nl1 = 1', "no place for the l1 term"),
        ('target = "y"', "", "needs target"),
        ('"table.csv"', '"other.csv"', "other.csv"),
        ('target = "y"', 'target = "y"\nstandardize = 1', "standardize must be true or false"),
    ],
)
def test_bad_data_sections(read, old, new, said):
    assert old in DATA
    with pytest.raises(lf.InvalidModelError, match=re.escape(said)):
        read(DATA.replace(old, new, 1))


def test_missing_file(tmp_path):
    with pytest.raises(lf.InvalidModelError, match=r"none\.toml: cannot be read"):
        read_problem(tmp_path / "none.toml")
