"""Vector oracles: one multiplier and one value for all rows of a function; what is scalar per row is not enough."""

import dataclasses
import json
import random
from fractions import Fraction

import numpy as np
import pytest
from judging import assert_refused, holds, with_changes

import lyapflow as lf
from lyapflow.errors import CertificateFormatError, DimensionError, InvalidModelError
from lyapflow.exact.matrices import quadratic_value
from lyapflow.members import QuadraticFunction, SquaredNorm
from lyapflow.report.statement import state_theorem
from lyapflow.search.witness import check_witness

F = lf.SmoothStronglyConvex(1, 10)
TURNED = lf.LureSystem([[1, 2], [-3, -3]], [[-1, 0], [0, -1]], [[0, -1], [2, 0]], oracles=[F, F])
"""Converges for every pair of functions of one argument each, but not for every function of both."""

LOOP = lf.LureSystem(
    [[0, 0, 0, 0], [0, 0, 0, 0], [1, 0, -1, 0], [0, 1, 0, -1]],
    [["-1/40", 0, 0, 0], [0, "-1/20", 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
    [[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]],
    oracles=[F] * 4,
    groups=[0, 1, 0, 1],
)
"""A gradient flow with steps of its own in each coordinate, at a point that follows with a lag; and its own point."""


@pytest.fixture(scope="module")
def stacked():
    return lf.certify(lf.StackedSystem(LOOP, [0, 0, 0, 0]), template=lf.QuadraticPlusValue())


def slowest(plant, hessian):
    A, B, C = (np.array(m, dtype=float) for m in (plant.A, plant.B, plant.C))
    return -np.linalg.eigvals(A + B @ hessian @ C).real.max()


def test_scalar_rows_say_nothing_about_functions_of_several_arguments():
    turn = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    assert lf.certify(TURNED).rate > Fraction(1, 2)
    assert slowest(TURNED, turn @ np.diag([1, 10]) @ turn.T) < -1  # a member of the vector class
    system = lf.StackedSystem(TURNED, [0, 0])
    refused = lf.attempt(system)
    assert isinstance(refused, lf.Infeasible)
    assert refused.witness.refutes(None)  # a concrete function of both arguments
    assert check_witness(system, refused.witness)
    assert "turned coordinates" in str(refused.witness)
    (block, Q), s = refused.witness.turns[0], [float(v) for v, _ in refused.witness.slopes]
    hessian = np.array(Q, dtype=float).T @ np.diag(s) @ np.array(Q, dtype=float)
    assert slowest(TURNED, hessian) == pytest.approx(float(refused.witness.rate), abs=1e-9)
    stretched = tuple(tuple(2 * v for v in row) for row in Q)
    with pytest.raises(InvalidModelError, match="orthogonal"):
        check_witness(system, dataclasses.replace(refused.witness, turns=((block, stretched),)))


def test_a_proof_for_rows_is_none_for_the_vector():
    """Multipliers and weights that differ between rows have no place in the pencil of a vector."""
    rows, whole = lf.certify(TURNED), lf.StackedSystem(TURNED, [0, 0])
    forged = lf.Certificate(
        system=whole, claim=rows.claim, template=rows.template, unknowns=rows.unknowns, supremum=None, versions=()
    )
    assert not lf.verify(forged).proved
    kept = [(n, v) for n, v in rows.unknowns if n in set(forged.pencil().unknowns)]
    forged = lf.Certificate(
        system=whole, claim=rows.claim, template=rows.template, unknowns=tuple(kept), supremum=None, versions=()
    )
    assert not lf.verify(forged).proved


def test_proof_holds_for_random_members(stacked):
    assert lf.verify(stacked).proved
    assert holds(stacked)
    rng = np.random.default_rng(0)
    for _ in range(200):
        turn = np.linalg.qr(rng.normal(size=(2, 2)))[0]
        hessian = turn @ np.diag(rng.uniform(1, 10, 2)) @ turn.T
        whole = np.block([[hessian, np.zeros((2, 2))], [np.zeros((2, 2)), hessian]])
        assert slowest(LOOP, whole) >= float(stacked.rate) * (1 - 1e-9)


def interpolation(a, b):
    """``f(a) - f(b) - <f'(b), a - b> - ...`` of F(1, 10) between two points (y, u, f), for vectors y and u."""
    (y, u, f), (z, v, g) = a, b
    dy, du = [s - t for s, t in zip(y, z, strict=True)], [s - t for s, t in zip(u, v, strict=True)]

    def dot(p, q):
        return sum(s * t for s, t in zip(p, q, strict=True))

    rest = dot(du, du) / 10 + dot(dy, dy) - Fraction(2, 10) * dot(du, dy)
    return f - g - dot(v, dy) - rest / (2 * Fraction(9, 10))


def test_forms_agree_with_definitions(stacked):
    """The decrease of V from its definition, with one value and one inequality for both rows of a function."""
    source, P, rate = random.Random(5), stacked.P, stacked.rate
    decrease = next(c for c in stacked.pencil().conditions if c.name == "decrease")
    for _ in range(20):
        x, u, f = ([Fraction(source.randint(-9, 9), source.randint(1, 9)) for _ in range(k)] for k in (4, 4, 2))
        lag, own = ((x[2:], u[:2], f[0]), (x[:2], u[2:], f[1]))
        still = ([0, 0], [0, 0], 0)
        motion = [-u[0] / 40, -u[1] / 20, x[0] - x[2], x[1] - x[3]]
        weights = stacked.values["value[f1]"], stacked.values["value[f3]"]
        V = sum(x[i] * P[i][j] * x[j] for i in range(4) for j in range(4)) + weights[0] * f[0] + weights[1] * f[1]
        change = 2 * sum(x[i] * P[i][j] * motion[j] for i in range(4) for j in range(4))
        change += weights[0] * (u[0] * motion[2] + u[1] * motion[3])
        change += weights[1] * (u[2] * motion[0] + u[3] * motion[1])
        points = {"f1@t": lag, "f3@t": own, "*": still}
        known = Fraction(0)
        for name, value in stacked.multipliers.items():
            part, _, inequality = name.partition(": ")
            if part == "decrease":
                a, b = inequality.partition("(")[2].rstrip(")").split(",")
                known += value * interpolation(points[a], points[b])
        assert -(change + 2 * rate * V) - known == quadratic_value(decrease.at(stacked.values), [*x, *u])


def test_falsification_finds_nothing(stacked):
    assert lf.falsify(stacked, trials=4, rng=np.random.default_rng(1)) is None


def test_the_attack_looks_for_equilibria_that_the_theorem_speaks_of():
    """At a random equilibrium of this system the two points of f are apart, and the theorem says nothing of it."""
    f, B = lf.SmoothStronglyConvex(1, 2), [["1/4", 0, "1/8", 0], [0, "1/4", 0, "1/8"]]
    C = [[1, 0], [0, 1], [2, 0], [0, 2]]
    rows = lf.LureSystem([[-5, 1], [0, -5]], B, C, oracles=[f] * 4, groups=[0, 1, 0, 1])
    for system in (rows, lf.StackedSystem(rows, [0] * 4)):
        assert lf.falsify(lf.certify(system), 3, np.random.default_rng(0)) is None
    wrong = dataclasses.replace(lf.certify(rows), claim=lf.ExponentialDecay(6))
    assert lf.falsify(wrong, 10, np.random.default_rng(0)) is not None


def test_simulation_follows_the_gradient_of_a_function_of_both():
    member = QuadraticFunction([[2, 1], [1, 5]])
    path = lf.simulate(lf.StackedSystem(TURNED, [0, 0]), [member, member], [1.0, -1.0], (0, 1), points=3)
    A, B, C = (np.array(m, dtype=float) for m in (TURNED.A, TURNED.B, TURNED.C))
    values, vectors = np.linalg.eig(A + B @ np.array([[2, 1], [1, 5]]) @ C)
    exact = (vectors @ np.diag(np.exp(values)) @ np.linalg.inv(vectors)).real @ [1.0, -1.0]
    assert np.allclose(path.x[-1].ravel(), exact, atol=1e-6)


def test_one_unknown_for_all_rows(stacked):
    names = [name for name, _ in stacked.unknowns]
    assert [n for n in names if n.startswith("value[")] == ["value[f1]", "value[f3]"]
    assert set(stacked.value_weights) == {"f1", "f2", "f3", "f4"}
    assert stacked.value_weights["f1"] == stacked.value_weights["f2"]
    assert not any("f2" in n or "f4" in n for n in names)


def test_corrupted_numbers_are_refused(stacked):
    for name in stacked.multipliers:
        assert_refused(with_changes(stacked, {name: Fraction(-1, 10**30)}))
    assert_refused(with_changes(stacked, {"value[f1]": stacked.values["value[f1]"] + 1}))
    assert_refused(with_changes(stacked, {"P[0,0]": -stacked.values["P[0,0]"]}))


def test_file(stacked, tmp_path):
    path = lf.save(stacked, tmp_path / "stacked.json")
    assert lf.load(path) == stacked
    assert lf.verify(path).proved
    data = json.loads(path.read_text())
    data["system"]["blocks"] = ["0", "1", "0", "1"]  # rows of their own: another theorem
    path.write_text(json.dumps(data))
    assert not lf.verify(path).proved
    data["system"]["plant"] = {"type": "PolytopicSystem"}
    path.write_text(json.dumps(data))
    with pytest.raises(CertificateFormatError, match="plant of a StackedSystem"):
        lf.verify(path)


def test_statement_speaks_of_sums(stacked, tmp_path):
    text = state_theorem(stacked).text
    assert "f₁ of 2 arguments" in text
    assert "(u₁,u₂) = ∇f₁(y₁,y₂)" in text
    assert "φ₁+φ₂ = f₁(y₁,y₂)" in text
    page = lf.write_report(tmp_path / "report.html", stacked, title="Vector").read_text()
    assert "sum over the rows" in page


def test_what_does_not_know_vectors_refuses(stacked, tmp_path):
    with pytest.raises(InvalidModelError, match="functions of several signals"):
        lf.export_coq(stacked, tmp_path / "stacked.v")
    with pytest.raises(InvalidModelError, match="time scale needs a flow"):
        lf.scale_time(stacked.system, stacked, lf.FiniteTime("1/2", 1))
    with pytest.raises(InvalidModelError, match="euler needs"):
        lf.algorithms.euler(stacked.system, "1/10")
    with pytest.raises(InvalidModelError, match="decompose takes"):
        lf.cascade.decompose(stacked.system)


@pytest.mark.parametrize(
    ("plant", "blocks", "match"),
    [
        (TURNED, [0], "2 integers"),
        (TURNED, "ab", "2 integers"),
        (TURNED, [0, 0.0], "2 integers"),
        (LOOP, [0, 0, 1, 1], "must be in one block"),
        (lf.LureSystem([[0, 0], [0, 0]], [[-1, 0], [0, -1]], [[1, 0], [0, 1]], oracles=[F, lf.SmoothConvex(1)]), [0, 0],
         "same class"),
        (lf.LureSystem([[0]], [[-1, -1]], [[1], [1]], [[0, 0], [1, 0]], oracles=[F, F]), [0, 0], "D = 0"),
        (lf.LureSystem([[1]], [[-1]], [[1]], oracles=[F], dt=1), [0], "continuous time"),
        ("plant", [0], "must be a LureSystem"),
        (lf.LureSystem([[0]], [[-1, -1]], [[1], [2]], oracles=[lf.SlopeRestricted(1, 2)] * 2), [0, 0],
         "entry by entry"),
        (lf.LureSystem([[0]], [[-1, -1]], [[1], [2]], oracles=[lf.StaticSector(1, 2)] * 2), [0, 0], "entry by entry"),
    ],
)  # fmt: skip
def test_blocks_are_checked(plant, blocks, match):
    with pytest.raises(InvalidModelError, match=match):
        lf.StackedSystem(plant, blocks)


def test_members_are_checked():
    system = lf.StackedSystem(TURNED, [0, 0])
    with pytest.raises(InvalidModelError, match="one function of 2 arguments"):
        lf.simulate(system, [SquaredNorm(2), SquaredNorm(2)], [1, 1], (0, 1))
    three = QuadraticFunction(2 * np.eye(3))
    with pytest.raises(DimensionError, match="function of 2 arguments"):
        lf.simulate(system, [three, three], [1, 1], (0, 1))
    one = SquaredNorm(2)
    with pytest.raises(DimensionError, match="one entry per state"):
        lf.simulate(system, [one, one], [[1, 2], [1, 2]], (0, 1))
