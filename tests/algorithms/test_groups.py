"""Several evaluations of one operator: the model, its files, its simulation; and intersections of classes."""

import json
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest

import lyapflow as lf
from lyapflow.certificates.encoding import from_json, to_json
from lyapflow.classes import LinearMembers
from lyapflow.members import LinearMap, SquaredNorm, Translated
from lyapflow.problems import read_problem
from lyapflow.report import state_theorem
from lyapflow.simulation import contains
from lyapflow.simulation.loops import close_loop
from lyapflow.simulation.membership import belongs

BOTH = lf.Intersection(lf.StronglyMonotone(1), lf.Lipschitz(10))
TURN = LinearMap([[1.0, -3.0], [3.0, 1.0]])


def extragradient(step="1/20"):
    return lf.algorithms.extragradient(BOTH, step=step)


# --- the model ----------------------------------------------------------------------------------------------------


def two_oracles(**options):
    return lf.LureSystem([[0]], [[-1, -1]], [[1], [1]], oracles=[lf.Lipschitz(1), lf.Lipschitz(1)], **options)


def test_oracles_are_different_operators_unless_it_is_said():
    assert two_oracles().groups == (0, 1)
    assert two_oracles(groups=[7, 7]).groups == (0, 0)
    assert two_oracles(groups=[3, 1]).groups == (0, 1)
    assert two_oracles() == two_oracles(groups=[0, 1]) != two_oracles(groups=[0, 0])


@pytest.mark.parametrize("groups", [[0], [0, 0, 0], [0, 0.0], "00", [True, False], 3, [0, None]])
def test_groups_are_one_integer_per_oracle(groups):
    with pytest.raises(lf.InvalidModelError, match="groups must be 2 integers, one per oracle"):
        two_oracles(groups=groups)


def test_one_operator_has_one_class():
    with pytest.raises(lf.InvalidModelError, match="one group are one operator, so they must have one class; oracle 1"):
        lf.LureSystem([[0]], [[-1, -1]], [[1], [1]], oracles=[lf.Lipschitz(1), lf.Lipschitz(2)], groups=[0, 0])


def test_euler_keeps_groups():
    assert lf.algorithms.euler(two_oracles(groups=[0, 0]), 1).groups == (0, 0)


# --- proofs and files ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate():
    return lf.certify(extragradient(), lf.Contraction("24/25"))


def test_inequalities_between_the_evaluations_are_what_proves_a_rate(certificate):
    assert lf.verify(certificate).proved
    apart = lf.LureSystem(*(getattr(certificate.system, m) for m in "ABCD"), oracles=[BOTH, BOTH], dt=1)
    assert not isinstance(lf.attempt(apart), lf.Proved)


def test_a_certificate_does_not_survive_the_loss_of_its_groups(certificate):
    apart = lf.LureSystem(*(getattr(certificate.system, m) for m in "ABCD"), oracles=[BOTH, BOTH], dt=1)
    assert not lf.verify(replace(certificate, system=apart)).proved


def test_groups_and_intersections_are_saved(certificate, tmp_path):
    path = lf.save(certificate, tmp_path / "c.json")
    assert lf.load(path) == certificate
    assert lf.verify(path).proved
    text = json.loads(path.read_text())["system"]
    assert text["groups"] == ["0", "0"]
    assert text["oracles"][0] == {
        "class": "Intersection",
        "parts": [{"class": "StronglyMonotone", "mu": "1"}, {"class": "Lipschitz", "L": "10"}],
    }


def test_ungrouped_systems_are_saved_as_before():
    data = to_json(lf.certify(lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(1, 10), step="1/10")))
    assert "groups" not in data["system"]


def is_refused(path):
    try:
        return not lf.verify(path).proved
    except lf.CertificateFormatError:
        return True


@pytest.mark.parametrize("groups", [["0"], ["0", "1/2"], ["5", "5"], "00", None, ["0", "1"]])
def test_edited_groups_are_refused(certificate, tmp_path, groups):
    path = lf.save(certificate, tmp_path / "c.json")
    data = json.loads(path.read_text())
    data["system"]["groups"] = groups
    path.write_text(json.dumps(data))
    assert is_refused(path)


@pytest.mark.parametrize(
    "parts", [None, [], [{"class": "Lipschitz", "L": "1"}], ["Lipschitz"], [{"class": "Intersection", "parts": []}] * 2]
)
def test_files_with_odd_intersections_are_refused(certificate, tmp_path, parts):
    path = lf.save(certificate, tmp_path / "c.json")
    data = json.loads(path.read_text())
    data["system"]["oracles"][0]["parts"] = parts
    path.write_text(json.dumps(data))
    with pytest.raises(lf.CertificateFormatError):
        lf.load(path)


def test_a_part_that_only_looks_like_one_of_lyapflow_is_no_proof(certificate):
    class Weaker(lf.Lipschitz):
        def inequalities(self, points):
            return lf.Lipschitz(1).inequalities(points)

    known = lf.Intersection(lf.StronglyMonotone(1), Weaker(10))
    system = lf.algorithms.extragradient(known, step="1/20")
    verdict = lf.verify(replace(certificate, system=system))
    assert not verdict.proved
    assert "Weaker derives from one of lyapflow's" in verdict.reason


def test_json_round_trip_of_an_intersection(certificate):
    data = json.loads(json.dumps(to_json(certificate)), parse_int=str, parse_float=str)
    assert from_json(data).system.oracles[0] == BOTH


# --- simulation ---------------------------------------------------------------------------------------------------


def test_evaluations_of_one_operator_share_a_member():
    again = LinearMap(TURN.matrix)
    with pytest.raises(lf.InvalidModelError, match="F1 and F2 evaluate one operator, so members must hold the same"):
        lf.simulate(extragradient(), [TURN, again], [1.0, 0.0], 3)
    assert lf.simulate(extragradient(), [TURN, TURN], [1.0, 0.0], 3).members == (TURN, TURN)


def test_certificates_speak_of_equilibria_where_the_evaluations_agree(certificate):
    """With step 1, x = 1 is a fixed point of the extragradient step of F(x) = x - 0, but not a zero of F."""
    spurious = lf.algorithms.extragradient(BOTH, step=1)
    path = lf.simulate(spurious, [SquaredNorm(1)] * 2, [1.0], 3, equilibrium=[1.0])
    assert path.equilibrium.u[0] != path.equilibrium.u[1]
    with pytest.raises(
        lf.InvalidModelError, match=r"evaluate one operator, so at the equilibrium they must have the same"
    ):
        path.storage(replace(certificate, system=spurious))


def test_proved_factors_survive_falsification(certificate):
    assert lf.falsify(certificate, 10, np.random.default_rng(1)) is None
    wrong = replace(certificate, claim=lf.Contraction(certificate.factor**2))
    found = lf.falsify(wrong, 40, np.random.default_rng(1))
    assert found.members[0] is found.members[1]
    assert found.excess > found.tolerance


# --- intersections ------------------------------------------------------------------------------------------------


def test_an_intersection_has_what_one_part_has():
    known = lf.Intersection(lf.Lipschitz(3), lf.SmoothConvex(5))
    assert known.has_values
    assert known.is_monotone
    assert known.is_single_valued
    assert known.equilibria == "any"
    assert lf.Intersection(lf.Monotone(), lf.SectorBounded(0, 1)).equilibria == "origin"
    assert not lf.Intersection(lf.Monotone(), lf.StronglyMonotone(1)).is_single_valued
    assert "10-Lipschitz" in BOTH.describe()
    assert "1-strongly monotone" in BOTH.describe()


def test_intersections_are_flat_and_differ_by_their_parts():
    nested = lf.Intersection(lf.Monotone(), lf.Intersection(lf.Lipschitz(1), lf.Cocoercive(1)))
    assert nested.parts == (lf.Monotone(), lf.Lipschitz(1), lf.Cocoercive(1))
    assert lf.Intersection(lf.Monotone(), lf.Lipschitz(1), lf.Monotone()).parts == (lf.Monotone(), lf.Lipschitz(1))
    assert lf.Intersection(lf.Monotone(), lf.Lipschitz(1)) != lf.Intersection(lf.Monotone(), lf.Lipschitz(2))
    assert len({BOTH, lf.Intersection(lf.StronglyMonotone(1), lf.Lipschitz(10))}) == 1
    assert repr(BOTH).startswith("Intersection(StronglyMonotone(mu=")


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ((), "at least two different classes"),
        ((lf.Lipschitz(1),), "at least two different classes"),
        ((lf.Lipschitz(1), lf.Lipschitz(1)), "at least two different classes"),
        ((lf.Lipschitz(1), lf.Monotone), "needs classes such as"),
        ((lf.Lipschitz(1), "Monotone"), "needs classes such as"),
        ((lf.StronglyMonotone(2), lf.Lipschitz(1)), "common linear member u = s y"),
    ],
)
def test_what_is_no_intersection(parts, reason):
    with pytest.raises(lf.InvalidModelError, match=reason):
        lf.Intersection(*parts)


def test_the_names_of_the_inequalities_differ():
    twice = lf.Intersection(lf.Lipschitz(1), lf.Lipschitz(2), lf.SmoothConvex(5), lf.SmoothStronglyConvex(1, 7))
    names = [i.name for i in twice.inequalities(("a", "b", "*"))]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((lf.StronglyMonotone(1), lf.Lipschitz(10)), LinearMembers(lower=1, upper=10, rotations="half-disk")),
        ((lf.Monotone(), lf.StronglyMonotone(2)), LinearMembers(lower=2, upper=None, rotations="half-plane")),
        ((lf.StronglyMonotone(1), lf.Cocoercive("1/5")), LinearMembers(lower=1, upper=5, rotations="disk")),
        ((lf.Lipschitz(3), lf.Cocoercive("1/5")), LinearMembers(lower=0, upper=3, rotations="disk")),
        ((lf.Lipschitz(3), lf.Lipschitz(2)), LinearMembers(lower=-2, upper=2, rotations="disk")),
        ((lf.Lipschitz(3), lf.SmoothConvex(5)), LinearMembers(lower=0, upper=3)),
    ],
)
def test_linear_members_belong_to_every_part(parts, expected):
    known = lf.Intersection(*parts)
    assert known.linear_members() == expected
    low, high = float(expected.lower), float(expected.upper or 40)
    reals = np.linspace(low, high, 9)
    if expected.rotations == "none":
        slopes = [complex(r) for r in reals]
    elif expected.rotations == "half-disk":
        slopes = [complex(r, 0.999999 * t * np.sqrt(high**2 - r**2)) for r in reals for t in (0, 0.5, 1)]
    elif expected.rotations == "disk":
        centre, radius = (low + high) / 2, (high - low) / 2
        slopes = [centre + 0.999999 * r * radius * np.exp(1j * a) for r in (0, 0.5, 1) for a in np.linspace(0, 3.1, 9)]
    else:
        slopes = [complex(r, i) for r in reals for i in (0, 1, 100)]
    for s in slopes:
        turned = LinearMap([[s.real, -s.imag], [s.imag, s.real]])
        assert all(turned.belongs_to(part) for part in parts), s


def test_who_belongs_to_an_intersection():
    assert belongs(BOTH, TURN)
    assert belongs(BOTH, Translated(TURN, [1.0, 2.0]))
    assert not belongs(BOTH, LinearMap([[1.0, -11.0], [11.0, 1.0]]))
    assert not belongs(lf.Intersection(lf.Monotone(), lf.SectorBounded(0, 5)), Translated(TURN, [1.0, 2.0]))
    assert contains(BOTH, lf.SmoothStronglyConvex(2, 9))
    assert not contains(BOTH, lf.SmoothStronglyConvex(2, 11))
    assert contains(lf.Lipschitz(12), BOTH)
    assert contains(lf.Intersection(lf.Monotone(), lf.Lipschitz(12)), BOTH)
    assert not contains(lf.Cocoercive(1), BOTH)


def test_a_class_from_elsewhere_may_be_a_part():
    @dataclass(frozen=True)
    class Foreign(lf.Lipschitz):
        pass

    assert lf.Intersection(lf.Monotone(), Foreign(Fraction(2))).linear_members().upper == 2


def test_close_loop_in_discrete_time_holds_the_increment():
    loop = close_loop(
        lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(1, 10), step="1/4"), [SquaredNorm(2)], dimension=1
    )
    np.testing.assert_array_equal(loop.evaluate(np.array([[3.0]]))[0], [[-1.5]])


PROBLEM = """
title = "One flow"
[functions]
f = { class = "Intersection", parts = PARTS }
[[flow]]
name = "gradient"
"""


def test_problem_files_know_intersections(tmp_path):
    path = tmp_path / "problem.toml"
    parts = '[{ class = "StronglyMonotone", mu = 1 }, { class = "Lipschitz", L = 10 }]'
    path.write_text(PROBLEM.replace("PARTS", parts))
    assert read_problem(path).oracles == {"f": BOTH}
    path.write_text(PROBLEM.replace("PARTS", '"Lipschitz"'))
    with pytest.raises(lf.InvalidModelError, match="f: parts must be an array of classes, got 'Lipschitz'"):
        read_problem(path)


def test_reports_name_the_parts(tmp_path):
    flow = lf.certify(lf.flows.gradient_flow(BOTH))
    text = lf.write_report(tmp_path / "r.html", flow).read_text()
    assert "Intersection(StronglyMonotone(mu=1), Lipschitz(L=10))" in text


def test_the_theorem_says_which_oracles_are_one_operator():
    """In continuous time: x' = -F(x - F(x)/20)."""
    shape = [[0]], [[0, -1]], [[1], [1]], [[0, 0], ["-1/20", 0]]
    flow = lf.LureSystem(*shape, oracles=[BOTH, BOTH], oracle_names=["F1", "F2"], groups=[0, 0])
    statement = state_theorem(lf.certify(flow))
    text = str(statement.hypotheses)
    assert "is one operator, evaluated at 2 points" in text
    assert r"y_{F1}^{\\star} = y_{F2}^{\\star}" in text  # a repr, so backslashes are doubled


# --- what an intersection says of its members -------------------------------------------------------------------------


def statement_of(known):
    """The theorem about one step with a member of the class."""
    step = lf.LureSystem([["1/2"]], [["-1/20"]], [[1]], oracles=[known], dt=1)
    return state_theorem(lf.certify(step)).text


SECTOR, SLOPES = lf.SectorBounded(1, 10), lf.SlopeRestricted(1, 9)


@pytest.mark.parametrize(
    ("parts", "motion", "hypothesis"),
    [
        (
            (SECTOR, lf.SmoothStronglyConvex(1, 10)),
            "u_f = ∇f(y_f)",
            "function f is 1-strongly convex with a 10-Lipschitz gradient; its gradient is in the sector [1, 10], "
            "measured from y = 0.",
        ),
        (
            (lf.Convex(), lf.Lipschitz(10)),
            "u_f = ∇f(y_f)",
            "function f is closed, proper and convex; its gradient is 10-Lipschitz continuous.",
        ),
        (
            (lf.SmoothConvex(2), lf.SlopeRestricted(1, 10)),
            "u_f = ∇f(y_f)",
            "its gradient is a static nonlinearity, entry by entry, with slopes between 1 and 10.",
        ),
        ((SECTOR, SLOPES), "u_f = f(y_f)", "map f is in the sector [1, 10], measured from y = 0 and a static"),
        ((SECTOR, lf.Lipschitz(9)), "u_f = f(y_f)", "map f is in the sector [1, 10], measured from y = 0 and 9-Lip"),
        (BOTH.parts, "u_f = f(y_f)", "operator f is maximally monotone and 1-strongly monotone and 10-Lipschitz"),
    ],
)
def test_theorems_about_intersections_are_about_static_members(parts, motion, hypothesis):
    """Inequalities between two steps hold of static members only, and those of f's gradient are not those of f."""
    for ordered in (parts, parts[::-1]):
        text = statement_of(lf.Intersection(*ordered))
        assert motion in text
        assert "vary" not in text
        assert "f(k," not in text
    assert hypothesis in statement_of(lf.Intersection(*parts))


def test_sectors_alone_may_vary_with_time():
    text = statement_of(lf.Intersection(SECTOR, lf.SectorBounded(0, 9)))
    assert "u_f = f(k,y_f)" in text
    assert text.count("it may vary with time") == 1
    assert "vary" in statement_of(SECTOR)


def test_intersections_of_sectors_say_nothing_between_steps():
    """So that their certificates hold for members that vary with time."""
    for inequality in lf.Intersection(SECTOR, lf.SectorBounded(0, 9)).inequalities(("k", "k+1", "*")):
        assert not inequality.values
        assert len({point for (_, p), (_, q) in dict(inequality.products) for point in (p, q)}) == 1
