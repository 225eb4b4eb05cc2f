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

ALGORITHMS = """
[functions]
f = { class = "SmoothStronglyConvex", mu = 1, L = 10 }
F = { class = "Intersection", parts = [{ class = "StronglyMonotone", mu = 1 }, { class = "Lipschitz", L = 10 }] }
[[algorithm]]
name = "triple_momentum"
[[algorithm]]
name = "heavy_ball"
step = 0.1
momentum = 0.25
factor = 0.9
[[algorithm]]
name = "extragradient"
step = 0.05
[[algorithm]]
name = "euler"
step = 0.1
flow = { name = "heavy_ball", damping = 2 }
"""

DOUGLAS_RACHFORD = """
[[algorithm]]
name = "douglas_rachford"
step = 0.1
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


def test_algorithms_are_those_of_the_catalogue(read):
    requests = read(ALGORITHMS).requests
    f = lf.SmoothStronglyConvex(1, 10)
    F = lf.Intersection(lf.StronglyMonotone(1), lf.Lipschitz(10))
    flow = lf.flows.heavy_ball_flow(f, damping=2)
    wanted = [
        lf.algorithms.triple_momentum(f),
        lf.algorithms.heavy_ball(f, step="1/10", momentum="1/4"),
        lf.algorithms.extragradient(F, step="1/20"),
        lf.algorithms.euler(flow, "1/10"),
    ]
    assert [request.make(request.step) for request in requests] == wanted
    assert [request.claim for request in requests] == [
        lf.Contraction(),
        lf.Contraction("9/10"),
        *[lf.Contraction()] * 2,
    ]
    assert {request.kind for request in requests} == {"algorithm"}
    assert requests[3].functions == ("f",)


def test_flows_and_algorithms_of_one_name(read):
    flow, method = read(GOOD.replace("forward_backward", "douglas_rachford") + DOUGLAS_RACHFORD).requests
    assert (flow.kind, flow.make(flow.step).dt) == ("flow", 0)
    assert (method.kind, method.make(method.step).dt) == ("algorithm", 1)
    assert (flow.claim, method.claim) == (lf.ExponentialDecay(), lf.Contraction())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("triple_momentum", "triple", "[[algorithm]]: name must be one of chambolle_pock, "),
        ("factor = 0.9", "rate = 0.9", "got rate"),
        ("factor = 0.9", "factor = 1", "Contraction needs 0 <= factor < 1"),
        ("momentum = 0.25", "", "[[algorithm]] heavy_ball needs momentum"),
        ("momentum = 0.25", "momentum = 1", "momentum must be >= 0 and < 1"),
        ("step = 0.05", "step = 0", "[[algorithm]] extragradient: step must be > 0"),
        ('class = "Lipschitz", L = 10', 'class = "Lipschitz", M = 10', "F: Lipschitz has the parameters L; got M"),
        ("F = {", "G = {", "[functions] may have the keys f, g, h, F, A, B; got G"),
        (", damping = 2 }", " }", "[[flow]] heavy_ball needs damping"),
        ("damping = 2 }", "damping = 2, rate = 1 }", "its flow has a step of its own, a number, and no rate"),
        ('{ name = "heavy_ball", damping = 2 }', '"heavy_ball"', "[[flow]] must be a table with a name"),
        (
            '{ name = "heavy_ball", damping = 2 }',
            '{ name = "primal_dual" }',
            "give a constraint matrix or an interval of its singular values",
        ),
        ('[[algorithm]]\nname = "triple', '[algorithm]\nname = "triple', "is not a TOML file"),
    ],
)
def test_bad_algorithms(read, old, new, said):
    assert old in ALGORITHMS
    with pytest.raises(lf.InvalidModelError, match=re.escape(said)):
        read(ALGORITHMS.replace(old, new, 1))


def test_every_entry_of_the_catalogue_has_its_functions():
    from lyapflow.catalogue import KINDS, read_catalogue

    known = {kind: read_catalogue(kind) for kind in KINDS}
    assert len(known["flow"]) == len(lf.flows.__all__)
    assert len(known["algorithm"]) == len(lf.algorithms.__all__)
    assert str(known["flow"]["heavy_ball"]) == "heavy_ball(f, damping)"
    assert str(known["algorithm"]["douglas_rachford"]) == "douglas_rachford(f, g, step, relaxation?)"
    for entries in known.values():
        for entry in entries.values():
            assert entry.summary.endswith(".")
            assert entry.functions or entry.name == "euler"


OPERATOR = """
[functions]
f = { class = "SmoothStronglyConvex", mu = 1, L = 10 }
g = { class = "Convex" }

[[algorithm]]
name = "chambolle_pock"
step_primal = 0.5
step_dual = 0.5
operator = "K.csv"

[[algorithm]]
name = "chambolle_pock"
step_primal = 0.5
step_dual = 0.5
singular_values = ["1/2", 1]
"""


def test_operators_are_rows_or_tables(read, tmp_path):
    (tmp_path / "K.csv").write_text("a,b,c\n2,0,0\n0,0.5,0.25\n")
    matrix, interval = (request.make(None) for request in read(OPERATOR).requests)
    assert matrix.operator == ((2, 0, 0), (0, Fraction(1, 2), Fraction(1, 4)))
    assert interval.intervals == ((Fraction(1, 2), Fraction(1)),)
    (rows, _) = (
        request.make(None) for request in read(OPERATOR.replace('"K.csv"', "[[2, 0, 0], [0, 0.5, 0.25]]")).requests
    )
    assert rows == matrix
    for wrong, said in (
        ('"none.csv"', "none.csv"),
        ("[[0]]", "operator must not be zero"),
        ("[[1], [1, 2]]", "operator"),
    ):
        with pytest.raises(lf.InvalidModelError, match=re.escape(said)):
            read(OPERATOR.replace('"K.csv"', wrong))
    with pytest.raises(lf.InvalidModelError, match="singular_values must be a pair"):
        read(OPERATOR.replace('["1/2", 1]', "[1, 0.5]"))


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
