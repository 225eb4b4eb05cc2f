"""One certificate for all parameters in intervals: polytopes of systems, unions of classes."""

import dataclasses
from fractions import Fraction as Q
from functools import cache

import numpy as np
import pytest
from examples import at_most
from hypothesis import given
from hypothesis import strategies as st

import lyapflow as lf
from lyapflow.cli import main
from lyapflow.hulls import covers
from lyapflow.report import Simulation, to_data
from lyapflow.report.argument import argue
from lyapflow.report.formulas import text_of
from lyapflow.report.statement import state_theorem
from lyapflow.search.families import read_family
from lyapflow.search.witness import check_witness

F = lf.SmoothStronglyConvex(1, 10)


def heavy_ball(damping):
    return lf.flows.heavy_ball_flow(F, damping=damping)


def gradient_descent(step):
    return lf.algorithms.gradient_descent(F, step=step)


def _damped(a, b):
    return lf.LureSystem([[0, 1], [0, -a - b]], [[0], [-1]], [[1, 0]], oracles=[F])


def _stepped(a, b):
    return lf.LureSystem([[1]], [[-a - b]], [[1]], oracles=[F], dt=1)


FAMILIES = {
    "damping": (_damped, {"a": (1, "5/4"), "b": (1, "5/4")}),
    "step": (_stepped, {"a": ("1/20", "3/40"), "b": ("1/20", "3/40")}),
    "gains": (
        lambda a, b: lf.LureSystem([[0, 1], [0, -b]], [[0], [-a]], [[1, 0]], oracles=[lf.SmoothStronglyConvex(1, 3)]),
        {"a": (1, "6/5"), "b": (2, "11/5")},
    ),
}


@cache
def certify_family(name):
    family, over = FAMILIES[name]
    return lf.certify(family, over=over)


@pytest.fixture(params=FAMILIES)
def proved(request):
    return certify_family(request.param)


def test_classes_are_nested():
    """Where only the classes vary, the largest one decides, and nothing is lost."""
    over = lf.certify(
        lambda mu, L: lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex(mu, L), damping=2),
        over={"mu": ("1/2", 1), "L": (2, 50)},
    )
    largest = lf.certify(lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex("1/2", 50), damping=2))
    assert over.rate == largest.rate
    assert over.system.oracles == (lf.SmoothStronglyConvex("1/2", 50),)


@at_most(40)
@given(damping=st.fractions(min_value=2, max_value=Q(5, 2), max_denominator=50))
def test_the_rate_is_one_of_every_member(damping):
    certificate = certify_family("damping")
    assert certificate.rate <= lf.certify(heavy_ball(damping)).rate
    assert lf.verify(dataclasses.replace(certificate, system=heavy_ball(damping))).proved


def test_every_member_between_the_corners_is_proved_by_the_same_numbers(proved):
    """The exact inequalities of random systems between the vertices hold at the certificate's unknowns."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        shares = [Q(int(v)) for v in rng.integers(1, 20, size=len(proved.system.vertices))]
        member = proved.system.combine([v / sum(shares) for v in shares])
        assert lf.verify(dataclasses.replace(proved, system=member)).proved


def test_files_are_read_back_and_proved(proved, tmp_path):
    file = lf.save(proved, tmp_path / "c.json")
    assert lf.load(file) == proved
    assert lf.verify(file).proved
    assert main(["verify", str(file)]) == 0


def test_a_wider_polytope_is_refused(proved):
    first = proved.system.vertices[0]
    wild = dataclasses.replace(
        proved, system=lf.PolytopicSystem([*proved.system.vertices, _accelerate(first, 100)], name="wider")
    )
    verdict = lf.verify(wild)
    assert not verdict.proved
    assert verdict.witness is not None


def _accelerate(system, factor):
    B = [[factor * v for v in row] for row in system.B]
    names = {"oracle_names": system.oracle_names}
    return lf.LureSystem(system.A, B, system.C, system.D, oracles=system.oracles, dt=system.dt, **names)


def test_corrupted_numbers_are_refused(proved):
    for k, (name, value) in enumerate(proved.unknowns):
        unknowns = list(proved.unknowns)
        unknowns[k] = (name, -value or Q(-1))
        assert not lf.verify(dataclasses.replace(proved, unknowns=tuple(unknowns))).proved, name


def test_random_members_keep_the_promise(proved):
    assert lf.falsify(proved, 6, np.random.default_rng(1)) is None


def test_the_bracket_is_that_of_the_slowest_vertex():
    certificate = certify_family("damping")
    bracket = lf.bracket(certificate.system)
    assert bracket.witness.rate == Q(1, 2) == certificate.rate  # of damping 5/2


def test_a_trajectory_of_a_member_is_under_the_bound(tmp_path):
    certificate = certify_family("damping")
    path = lf.simulate(heavy_ball("9/4"), [lf.members.SquaredNorm(5)], [[1.0, 2.0], [0.0, 0.0]], (0, 10))
    assert np.all(path.storage(certificate) <= path.bound(certificate) * (1 + 1e-9))
    page = lf.write_report(tmp_path / "r.html", Simulation(certificate, path)).read_text()
    assert "NOT PROVED" not in page
    outside = lf.simulate(heavy_ball(3), [lf.members.SquaredNorm(5)], [[1.0, 2.0], [0.0, 0.0]], (0, 1))
    with pytest.raises(lf.InvalidModelError, match="about another one"):
        outside.storage(certificate)


def test_the_theorem_names_the_vertices(proved):
    theorem = state_theorem(proved).text
    assert "Consider any dynamics, constant in time" in theorem
    assert "A₂ = " in theorem
    assert "concave in (A,B)" in text_of(argue(proved))
    assert to_data([proved])["proved"]


def test_a_no_is_not_said_to_be_false():
    """The polytope of the corners holds more than the family: step 1/2 with curvature 10, say."""

    def family(L, h):
        return lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(1, L), step=1 / (L + h))

    outcome = lf.attempt(family, over={"L": (2, 10), "h": (0, 1)})
    assert isinstance(outcome, lf.Infeasible)
    assert outcome.witness is None
    assert "may still be true" in outcome.explain()
    parts = [lf.certify(family, over={"L": (low, low + 1), "h": (0, 1)}) for low in range(2, 10)]
    assert all(part.factor < 1 for part in parts)


def test_a_no_names_the_member_that_refutes_it():
    outcome = lf.attempt(gradient_descent, over={"step": ("1/10", "3/10")})
    assert isinstance(outcome, lf.Infeasible)
    assert outcome.witness.refutes(None)
    values = dict(outcome.witness.at)
    assert values["step"] > Q(1, 5)  # 2 / L
    assert check_witness(gradient_descent(**values), outcome.witness)
    assert str(outcome.witness).startswith("at step = ")


@pytest.mark.parametrize(
    ("family", "over", "said"),
    [
        (heavy_ball(2), {"damping": (1, 2)}, "function that makes systems"),
        (heavy_ball, {"damping": (2, 1)}, "low <= high"),
        (heavy_ball, {"damping": 2}, "pair"),
        (heavy_ball, {"damping": (None, 2)}, "only the upper one may be None"),
        (heavy_ball, {1: (1, 2)}, "by strings"),
        (heavy_ball, {}, "must name"),
        (
            lambda s: lf.LureSystem([[0, 1], [0, -1 - 2 ** float(s)]], [[0], [-1 - s]], [[1, 0]], oracles=[F]),
            {"s": (0, 1)},
            "hull",
        ),
        (
            lambda s, r: lf.flows.forward_backward_flow(F, lf.Convex(), step=s + r),
            {"s": ("1/10", "1/5"), "r": (0, "1/10")},
            "common C, D",
        ),
        (
            lambda s: lf.flows.forward_backward_flow(F, lf.Convex(), step=2 ** float(s)),
            {"s": (-2, -1)},
            "common C, D",
        ),
        (lambda s, r: heavy_ball(s + r), {"s": (2, None), "r": (0, 1)}, "without an upper end is for one parameter"),
        (lambda s: heavy_ball(2 ** float(s)), {"s": (1, None)}, "without an upper end is for one parameter"),
        (
            lambda s: lf.flows.primal_dual_flow(F, constraint=[[1]], dual_gain=s),
            {"s": (1, 2)},
            "must make a LureSystem",
        ),
        (lambda r: lf.flows.nesterov_flow(F, r=r), {"r": (3, 4)}, "constant in time"),
        (
            lambda s: lf.flows.gradient_flow(lf.Convex() if s < 1 else lf.StronglyConvex(s)),
            {"s": (0, 2)},
            "classes of one kind",
        ),
    ],
)
def test_families_that_are_none_are_refused(family, over, said):
    with pytest.raises(lf.InvalidModelError, match=said):
        lf.attempt(family, over=over)


def test_weights_must_be_convex():
    system = certify_family("damping").system
    for weights in ([1], [2, -1], [Q(1, 2), Q(1, 3)]):
        with pytest.raises(lf.InvalidModelError, match="weights"):
            system.combine(weights)


# --- what must be refused --------------------------------------------------------------------------------------------


def _decoupled(p, size):
    """One state is large and fast; the other is unstable in between."""
    bump = 8 * p * (1 - p)
    return lf.LureSystem([[-size, 0], [0, -1 + bump]], [[-1], [0]], [[1, 0]], oracles=[lf.SmoothStronglyConvex(1, 2)])


@pytest.mark.parametrize("size", [1, 10**10])
def test_a_large_entry_hides_no_other_one(size):
    with pytest.raises(lf.NoCertificateError, match=r"at p = 1/2 the linear member .* does not converge"):
        lf.certify(lambda p: _decoupled(p, size), over={"p": (0, 1)})
    with pytest.raises(lf.InvalidModelError, match="must move along"):
        lf.certify(lambda p, q: _decoupled(p, size * q), over={"p": (0, 1), "q": (1, 2)})
    with pytest.raises(lf.InvalidModelError, match="convex hull"):
        lf.certify(lambda p, q: _decoupled(Q(str(float(p) ** 0.5)), size * q), over={"p": (0, 1), "q": (1, 2)})


def test_a_polytope_with_a_large_entry_covers_only_what_lies_between():
    vertices = [_decoupled(Q(0), 10**10), _scale_entry(_decoupled(Q(0), 10**10))]
    polytope = lf.PolytopicSystem(vertices)
    assert covers(polytope, polytope.combine([Q(1, 3), Q(2, 3)]))
    assert not covers(polytope, _decoupled(Q(1, 2), 10**10))
    assert not covers(polytope, heavy_ball(2))


def _scale_entry(system):
    A = [[2 * system.A[0][0], 0], [0, system.A[1][1]]]
    return lf.LureSystem(A, system.B, system.C, oracles=system.oracles)


def test_a_family_that_varies_with_time_in_between_is_refused():
    def family(p):
        N = [[0, 0], [0, 100 * p * (1 - p)]]
        return lf.LureSystem([[0, 1], [0, -2]], [[0], [-1]], [[1, 0]], oracles=[lf.SmoothStronglyConvex(1, 2)], N=N)

    with pytest.raises(lf.InvalidModelError, match="constant in time"):
        lf.certify(family, over={"p": (0, 1)})


@dataclasses.dataclass(frozen=True)
class Expansive:
    """``<u, y> >= upper |y|^2``: its largest class has the smallest number."""

    upper: Q

    def __getattr__(self, name):
        return getattr(lf.StronglyMonotone(self.upper), name)


def test_which_of_two_foreign_classes_is_larger_is_not_guessed():
    with pytest.raises(lf.InvalidModelError, match="lyapflow's own"):
        read_family(lambda p: lf.LureSystem([[0]], [[-1]], [[1]], [[-1]], oracles=[Expansive(p)]), {"p": (1, 5)})


def _with_two_oracles_below(p):
    more = p < 1
    return lf.LureSystem(
        [[-1]],
        [[-1] * (1 + more)],
        [[1]] * (1 + more),
        oracles=[lf.SmoothStronglyConvex(1, 2)] * (1 + more),
        oracle_names=["f", "g"][: 1 + more],
    )


def _with_two_oracles_between(p):
    return _with_two_oracles_below(0 if 0 < p < 1 else 1)


@pytest.mark.parametrize("family", [_with_two_oracles_below, _with_two_oracles_between])
def test_all_members_must_have_the_same_oracles(family):
    with pytest.raises(lf.InvalidModelError, match="oracles"):
        lf.certify(family, over={"p": (0, 1)})


def test_a_wrong_name_of_a_parameter_is_told():
    with pytest.raises(lf.InvalidModelError, match="parameters q by name"):
        lf.certify(heavy_ball, over={"q": (1, 2)})
    with pytest.raises(lf.InvalidModelError, match="parameters q by name"):
        lf.tune(heavy_ball, {"q": (1, 2)})


def test_a_range_that_floats_cannot_tell_from_a_point_is_tuned():
    best = lf.tune(lambda damping: heavy_ball(2 + 0 * damping), {"damping": (10**20, 10**20 + 1)})
    assert best.certificate.rate == lf.certify(heavy_ball(2)).rate


@pytest.mark.parametrize("template", [lf.QuadraticPlusValue(), lf.QuadraticPlusValue(outputs=True)])
def test_v_of_a_polytope_in_discrete_time_is_quadratic_in_the_state(template):
    """Vertices suffice because V is convex along the step; with values or outputs it need not be."""
    with pytest.raises(lf.InvalidModelError):
        lf.certify(FAMILIES["step"][0], over=FAMILIES["step"][1], template=template)


def test_the_report_prints_no_equation_that_holds_at_one_vertex_only():
    certificate = certify_family("step")
    text = text_of(argue(certificate))
    assert "Ax+Bu" in text.replace(" ", "")


def test_a_family_keeps_its_name_where_only_the_classes_vary():
    system = lf.certify(lambda L: lf.flows.gradient_flow(lf.SmoothStronglyConvex(1, L)), over={"L": (2, 4)}).system
    assert system.name.endswith("L in [2, 4]")


def test_only_members_of_the_family_refute_it():
    """A member of the polytope that is none of the family is no evidence; one of the family is."""
    outcome = lf.attempt(heavy_ball, lf.ExponentialDecay(3), over={"damping": (2, "5/2")})
    assert isinstance(outcome, lf.Infeasible)
    assert check_witness(heavy_ball(**dict(outcome.witness.at)), outcome.witness)
    assert "at damping = 5/2 the linear member" in outcome.explain()


def test_where_a_family_has_no_member_is_told():
    with pytest.raises(lf.InvalidModelError, match="at damping = 0 the family has no member: damping must be"):
        lf.certify(heavy_ball, over={"damping": (0, 2)})
    with pytest.raises(lf.InvalidModelError, match="at damping = -1 the family has no member"):
        lf.tune(heavy_ball, {"damping": (-1, 2)})


# --- what a random look would miss -----------------------------------------------------------------------------------


def _bump(s, height, width):
    """A peak at 7/10 that no random number of a short list meets."""
    return height / (1 + width * (s - Q(7, 10)) ** 2)


def test_a_narrow_peak_of_a_matrix_is_seen():
    def family(s):
        return lf.LureSystem([[-2 - s + _bump(s, 10, 10**4)]], [[1]], [[1]], oracles=[lf.Lipschitz("1/10")])

    assert lf.search.witness.find_witness(family(Q(7, 10))).refutes(None)
    with pytest.raises((lf.NoCertificateError, lf.InvalidModelError)):
        lf.certify(family, over={"s": (0, 1)})
    with pytest.raises(lf.InvalidModelError, match="must move along"):
        lf.certify(lambda s, h: _shift(family(s), h), over={"s": (0, 1), "h": (0, 1)})


def _shift(system, h):
    return lf.LureSystem([[system.A[0][0] - h]], [[1 + h]], system.C, oracles=system.oracles)


def _rise(r, width):
    """From almost 0 to 1, all of it near 1."""
    return 1 / (1 + width * (1 - r))


@pytest.mark.parametrize("widths", [(100, 10**4), (10**8, 10**4)])
def test_entries_that_rise_through_different_functions_leave_the_hull(widths):
    def family(s, r):
        B = -10 * (5 * s + _rise(r, widths[0]))
        return lf.LureSystem([[-3 + 10 * _rise(r, widths[1])]], [[B]], [[1]], oracles=[lf.SectorBounded("9/10", 1)])

    with pytest.raises(lf.InvalidModelError, match="must move along"):
        lf.certify(family, lf.ExponentialDecay(1), over={"s": (0, 1), "r": (0, 1)})


@pytest.mark.parametrize("where", ["matrix", "class"])
def test_every_corner_is_looked_at(where):
    def family(a, b, c):
        bump = 40 * c * (1 - c) * _rise(a, 10**4) * _rise(b, 10**4)
        if where == "matrix":
            return lf.LureSystem([[-3 - c + bump]], [[1]], [[1]], oracles=[lf.Lipschitz(1)])
        return lf.LureSystem([[-3 - a]], [[1]], [[1]], oracles=[lf.Lipschitz((1 + c) / 4 + bump)])

    with pytest.raises(lf.InvalidModelError, match="must move along"):
        lf.certify(family, lf.ExponentialDecay(1), over={"a": (0, 1), "b": (0, 1), "c": (0, 1)})


def test_a_narrow_peak_of_a_class_is_seen():
    def family(s):
        return lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(1, 10 - s + _bump(s, 90, 10**5)), step="1/10")

    with pytest.raises((lf.NoCertificateError, lf.InvalidModelError)):
        lf.certify(family, over={"s": (0, 1)})


def test_a_step_that_turns_back_is_followed():
    """The slowest member is inside."""

    def family(s):
        step = Q(19, 10) - (s - Q(1, 50)) ** 2 / 10
        return lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(Q(1, 10), 1), step=step)

    certificate = lf.certify(family, over={"s": (0, 1)})
    assert certificate.factor >= lf.certify(family(Q(1, 50))).factor - Q(1, 10**6)
    assert certificate.factor >= Q(9, 10)


def test_classes_that_move_in_opposite_directions_are_not_united():
    """Each member has the rate 10, the union of the classes at the ends has 2."""

    def family(a):
        f, g = lf.SmoothStronglyConvex(a, 2 * a), lf.SmoothStronglyConvex(10 - a, 20 - 2 * a)
        return lf.LureSystem([[0]], [[-1, -1]], [[1], [1]], oracles=[f, g])

    assert lf.certify(family, over={"a": (1, 9)}).rate > Q(999, 100)
    assert isinstance(lf.attempt(family, lf.ExponentialDecay(9), over={"a": (1, 9)}), lf.Proved)


def test_a_member_of_the_union_of_classes_refutes_nothing():
    def family(a, h):
        f, g = lf.SmoothStronglyConvex(a, a + Q(1, 10)), lf.SmoothStronglyConvex(a + 1, a + 2 + h)
        return lf.LureSystem([[0]], [[1, -1]], [[1], [1]], oracles=[f, g])

    outcome = lf.attempt(family, over={"a": (1, 5), "h": (0, 1)})
    assert isinstance(outcome, lf.Infeasible)
    assert outcome.witness is None


@pytest.mark.parametrize(
    ("family", "said"),
    [
        (lambda s: gradient_descent(1 / s), "at s = 0 the family fails with ZeroDivisionError"),
        (lambda s: lf.LureSystem([[-1]] * s, [[1]], [[1]], oracles=[F]), "fails with TypeError"),
        (max, "fails with TypeError"),
    ],
)
def test_what_goes_wrong_in_a_family_is_told_with_its_place(family, said):
    with pytest.raises(lf.InvalidModelError, match=said):
        lf.certify(family, over={"s": (0, 1)})


def test_intersections_are_nested_part_by_part():
    def family(L):
        return lf.flows.gradient_flow(lf.Intersection(lf.StronglyMonotone(1), lf.Lipschitz(L)))

    over = lf.certify(family, over={"L": (2, 5)})
    assert over.system.oracles == (lf.Intersection(lf.StronglyMonotone(1), lf.Lipschitz(5)),)
    assert over.rate == 1
