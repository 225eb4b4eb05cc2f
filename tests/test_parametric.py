"""One certificate for all values of a parameter on which everything depends: sums of squares in it."""

import dataclasses
from fractions import Fraction as Q
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lyapflow as lf
from lyapflow.cli import main
from lyapflow.dynamics.parametric import read_numbers
from lyapflow.exact.matrices import add, scale
from lyapflow.lmi.dissipation import assemble, lift_family
from lyapflow.report import to_data
from lyapflow.report.argument import argue
from lyapflow.report.formulas import text_of
from lyapflow.report.statement import state_theorem
from lyapflow.search.families import read_family
from lyapflow.search.pipeline import attempt
from lyapflow.search.rational_families import read_rational
from lyapflow.search.witness import check_witness, find_witness


def descent(L):
    return lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(1, L), step=1 / L)


def best_descent(L):
    return lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(1, L), step=2 / (1 + L))


def splitting(L):
    return lf.flows.forward_backward_flow(lf.SmoothStronglyConvex(1, L), lf.Convex(), step=1 / L)


def reflected(mu):
    return lf.flows.douglas_rachford_flow(lf.SmoothStronglyConvex(mu, 10), lf.Convex(), step=1 / mu)


def heavy_ball(mu):
    return lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex(mu, 10), damping=2 * mu + 1)


def sector(h):
    return lf.LureSystem([[0, 1], [-2, -3]], [[0], [-1]], [[1, h]], oracles=[lf.SectorBounded(0, h)])


def gain(k):
    return lf.LureSystem([[0]], [[-k]], [[1]], oracles=[lf.SmoothStronglyConvex(1, 10)])


FAMILIES = {  # family, range, what no certificate can exceed: parameter of the claim of the slowest member
    "gradient descent, 1/L": (descent, {"L": (2, 10)}, 1 - Q(9, 10) ** 2),
    "gradient descent, 2/(mu+L)": (best_descent, {"L": (2, 10)}, 1 - Q(9, 11) ** 2),
    "forward-backward, 1/L": (splitting, {"L": (2, 10)}, Q(1, 10)),
    "Douglas-Rachford, 1/mu": (reflected, {"mu": (1, 2)}, Q(1, 11)),
    "heavy ball, 2 mu + 1": (heavy_ball, {"mu": (1, 2)}, None),
    "sector, on its own output": (sector, {"h": ("1/2", 1)}, None),
    "gain, half-line": (gain, {"k": (1, None)}, Q(1)),
}


@pytest.fixture(scope="module", params=FAMILIES)
def case(request):
    family, over, best = FAMILIES[request.param]
    return family, over, best, lf.certify(family, over=over)


def test_the_best_claim_is_that_of_the_slowest_member(case):
    _, _, best, certificate = case
    assert isinstance(certificate.system, lf.ParametricSystem)
    assert lf.verify(certificate).proved
    if best is not None:
        assert (1 - Q(1, 10**5)) * best <= certificate.claim.parameter <= best


def test_the_family_is_the_given_one(case):
    family, _, _, certificate = case
    system = certificate.system
    for t in (Q(-1), Q(-1, 3), Q(1, 7), Q(8, 9)):
        s = system.place(t)
        assert system.find(s) == t
        assert read_numbers(system.at(s)) == read_numbers(family(s))


def test_each_member_is_proved_by_itself(case):
    """The pencil of one system knows nothing of parameters: an independent check of the polynomials."""
    family, _, _, certificate = case
    for t in (Q(-1), Q(-7, 11), Q(0), Q(1, 3), Q(9, 10)):
        s = certificate.system.place(t)
        member = certificate.at(s)
        assert member.claim == certificate.claim
        assert member.P == certificate.P
        assert lf.verify(dataclasses.replace(member, system=family(s))).proved


@settings(max_examples=20)
@given(t=st.fractions(min_value=-1, max_value=1, max_denominator=1000))
def test_members_anywhere_are_proved(t):
    certificate = _certify_descent()
    assert lf.verify(certificate.at(certificate.system.place(t))).proved


@cache
def _certify_descent():
    return lf.certify(best_descent, over={"L": (2, 10)})


def test_it_agrees_with_the_polytope_where_both_apply():
    """Damping moves one entry of A along a segment: the polytope of the ends is the family."""

    def family(damping):
        return lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex(1, 10), damping=damping)

    lifted = lf.certify(family, over={"damping": (2, "5/2")})
    assert isinstance(lifted.system, lf.ParametricSystem)
    polytope = lf.certify(lf.PolytopicSystem([family(2), family(Q(5, 2))]))
    assert abs(lifted.rate - polytope.rate) < 1e-6


def test_it_is_stronger_than_the_polytope_where_multipliers_must_vary():
    def family(step):
        return lf.algorithms.gradient_descent(lf.SmoothStronglyConvex("1/10", 1), step=step)

    polytope = lf.attempt(lf.PolytopicSystem([family(1), family(Q(39, 20))]))
    assert isinstance(polytope, lf.Infeasible)
    assert lf.certify(family, over={"step": (1, "39/20")}).factor < Q(95, 100) + Q(1, 10**6)


def test_it_agrees_with_the_largest_class_where_classes_are_nested():
    def family(L):
        return lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex(1, L), damping=2)

    lifted = lf.certify(lf.ParametricSystem("L", (2, 10), [2, 10], [family(2), family(10)]))
    assert abs(lifted.rate - lf.certify(family, over={"L": (2, 10)}).rate) < 1e-6


def test_an_interval_of_singular_values():
    """A mode of the primal-dual flow, for all singular values of the constraint: the smallest one decides."""
    f = lf.SmoothStronglyConvex(1, 10)

    def mode(s):
        return lf.LureSystem([[0, -s], [s, 0]], [[-1], [0]], [[1, 0]], oracles=[f])

    interval = lf.certify(mode, over={"s": (1, 2)})
    ends = lf.certify(lf.flows.primal_dual_flow(f, constraint=[[1, 0], [0, 2]]))
    assert abs(interval.rate - ends.rate) < 1e-6
    assert lf.verify(interval.at("3/2")).proved


def test_what_moves_classes_only_is_folded_into_them():
    """The step follows L, and mu is in the class alone: the smallest one decides, at each L."""

    def family(mu, L):
        return lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(mu, L), step=1 / L)

    both = lf.certify(family, over={"mu": (1, 2), "L": (4, 10)})
    assert both.system.parameter == "L"
    assert both.system.at(7).oracles == (lf.SmoothStronglyConvex(1, 7),)
    assert both.system.name == "gradient descent, mu in [1, 2], L in [4, 10]"
    alone = lf.certify(descent, over={"L": (4, 10)})
    assert abs(both.factor - alone.factor) < 1e-6


def test_solvers_agree():
    own = _certify_descent().factor
    other = lf.certify(best_descent, over={"L": (2, 10)}, solver="CLARABEL").factor
    assert abs(own - other) < 1e-6


# --- the polynomials, against the pencils of members -----------------------------------------------------------------

KINDS = {
    "SmoothStronglyConvex": lambda s: lf.SmoothStronglyConvex(s, 3 * s + 2),
    "SmoothConvex": lambda s: lf.SmoothConvex(1 / s),
    "StronglyConvex": lambda s: lf.StronglyConvex(s * s),
    "Convex": lambda s: lf.Convex(),
    "Quadratic": lambda s: lf.Quadratic(s, 4 + s),
    "GradientDominated": lambda s: lf.GradientDominated(s / 2, 2 * s),
    "SlopeRestricted": lambda s: lf.SlopeRestricted(-1 / s, s + 1),
    "SectorBounded": lambda s: lf.SectorBounded(-s, s + 1),
    "StaticSector": lambda s: lf.StaticSector(-s, s + 1),
    "Cocoercive": lambda s: lf.Cocoercive(1 / (s + 1)),
    "Lipschitz": lambda s: lf.Lipschitz(s + 1),
    "StronglyMonotone": lambda s: lf.StronglyMonotone(s),
}


def _two_states(oracle, s, dt):
    """All matrices depend on the parameter."""
    D = [[0]] if oracle.is_single_valued else [[-s]]
    return lf.LureSystem([[1, 1 / s], [-s, -1]], [[0], [-1 / (1 + s)]], [[1, s]], D, oracles=[oracle], dt=dt)


FORMS = (lf.QuadraticStorage(), lf.QuadraticPlusValue())
ENDS = ((Q(1), Q(2)), (Q(1), None))


def _combine():
    """All combinations; by default every pair of kind, time, form and interval, in half of them."""
    for kind, (a, dt), (b, form), (c, ends) in product(KINDS, *map(enumerate, ((0, 1), FORMS, ENDS))):
        yield pytest.param(kind, dt, form, ends, marks=pytest.mark.slow if (a + b + c) % 2 else ())


@pytest.mark.parametrize(("kind", "dt", "template", "ends"), [*_combine()])
def test_the_lifted_inequalities_are_those_of_members(kind, dt, template, ends):
    """At any t and for any unknowns: ``Z'XZ + (1 - t^2) Y'SY`` is a positive multiple of the member's matrix."""
    family = read_rational(lambda p: _two_states(KINDS[kind](p["s"]), p["s"], dt), "s", *ends).close("family")
    claim = lf.Contraction("2/3") if dt else lf.ExponentialDecay("1/3")
    lifting = lift_family(family, claim, template, bounded=True)
    rng = np.random.default_rng(0)
    values = {name: Q(int(rng.integers(-9, 10)), 7) for name in lifting.pencil.unknowns}
    lifted = {c.name: c.at(values) for c in lifting.pencil.conditions}
    for t in (Q(-1), Q(-2, 7), Q(5, 11)):
        pencil = assemble(family.at(family.place(t)), claim, template, bounded=True)
        numbers = lifting.evaluate(values, t)
        for condition in pencil.conditions:
            wanted = condition.at(numbers)
            found = _evaluate(lifted[condition.name], t, len(wanted))
            if f"{condition.name} multiplier" in lifted:
                S = _evaluate(lifted[f"{condition.name} multiplier"], t, len(wanted))
                found = add(found, scale(1 - t * t, S))
            assert _is_positive_multiple(found, wanted)
        for equality in pencil.equalities:
            own = [e for e in lifting.pencil.equalities if e.name.rpartition(", t^")[0] == equality.name]
            total = sum(t ** int(e.name.rpartition("^")[2]) * e.at(values) for e in own)
            assert (total == 0) == (equality.at(numbers) == 0)


def _evaluate(matrix, t, size):
    """``E' X E`` with ``E = (I; t I; ...)``."""
    blocks = range(len(matrix) // size)
    rows = range(size)
    return tuple(
        tuple(sum(t ** (a + b) * matrix[a * size + i][b * size + j] for a in blocks for b in blocks) for j in rows)
        for i in rows
    )


def _is_positive_multiple(found, wanted):
    pairs = [(a, b) for x, y in zip(found, wanted, strict=True) for a, b in zip(x, y, strict=True)]
    ratios = {a / b for a, b in pairs if b}
    return all(not a for a, b in pairs if not b) and len(ratios) <= 1 and all(r > 0 for r in ratios)


# --- what must be refused --------------------------------------------------------------------------------------------


def _mutations(certificate):
    for k, (name, value) in enumerate(certificate.unknowns):
        wrong = list(certificate.unknowns)
        wrong[k] = (name, -value - 1)
        yield name, dataclasses.replace(certificate, unknowns=tuple(wrong))


def test_wrong_numbers_are_refused():
    certificate = _certify_descent()
    refused = [name for name, wrong in _mutations(certificate) if not lf.verify(wrong).proved]
    assert [name for name, _ in certificate.unknowns] == refused


def test_a_stronger_claim_is_refused(case):
    _, _, _, certificate = case
    number = certificate.claim.number
    claim = lf.Contraction(number * Q(99, 100)) if certificate.system.dt else lf.ExponentialDecay(number * Q(101, 100))
    assert not lf.verify(dataclasses.replace(certificate, claim=claim)).proved


def test_another_family_is_refused():
    certificate = _certify_descent()
    system = certificate.system
    longer = lf.ParametricSystem("L", (2, 11), system.nodes, system.systems, denominator=system.denominator)
    assert not lf.verify(dataclasses.replace(certificate, system=longer)).proved
    swapped = [best_descent(s + 1) for s in system.nodes]
    other = lf.ParametricSystem("L", (2, 10), system.nodes, swapped, denominator=system.denominator)
    assert not lf.verify(dataclasses.replace(certificate, system=other)).proved


def test_a_class_that_only_looks_like_one_is_refused():
    class Fake(lf.SmoothStronglyConvex):
        def inequalities(self, points):
            return ()

    systems = [lf.flows.gradient_flow(Fake(1, L)) for L in (2, 10)]
    with pytest.raises(lf.InvalidModelError, match="is not known"):
        lf.ParametricSystem("L", (2, 10), [2, 10], systems)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: lf.ParametricSystem("s", (2, 1), [1], [gain(1)]), "low < high"),
        (lambda: lf.ParametricSystem("s", (1, 2), [1, 1], [gain(1)] * 2), "different"),
        (lambda: lf.ParametricSystem("s", (1, 2), [1, 3], [gain(1)] * 2), "between the ends"),
        (lambda: lf.ParametricSystem("s", (1, 2), [1], [gain(1)] * 2), "one system per node"),
        (lambda: lf.ParametricSystem("s", (1, 2), [1, 2], [gain(1), heavy_ball(1)]), "of one shape"),
        (lambda: lf.ParametricSystem("s", (1, 3), [1, 2], [gain(1)] * 2, denominator=[-2, 1]), "denominator must be"),
        (
            lambda: lf.ParametricSystem(
                "s", (0, 3), [0, 1], [lf.flows.gradient_flow(lf.SmoothStronglyConvex(1, 5 - 3 * s)) for s in (0, 1)]
            ),
            "at s = 9/4 the family has no member",
        ),
        (
            lambda: lf.ParametricSystem("s", (0, 4), [0, 1], [_prox(s) for s in (0, 1)]),
            "at s = 3 the family has no member: D",
        ),
        (
            lambda: lf.ParametricSystem(
                "s", (1, 2), [1], [lf.flows.gradient_flow(lf.Intersection(lf.Convex(), lf.SmoothConvex(3)))]
            ),
            "no intersection",
        ),
    ],
)
def test_families_that_make_no_sense_are_refused(make, said):
    with pytest.raises(lf.InvalidModelError, match=said):
        make()


def _prox(s):
    return lf.LureSystem([[0]], [[-1]], [[1]], [[-1 + Q(s) / 2]], oracles=[lf.StronglyMonotone(1)])


def test_values_outside_are_refused():
    certificate = _certify_descent()
    for s in (1, 11):
        with pytest.raises(lf.InvalidModelError, match="must lie in"):
            certificate.at(s)
    with pytest.raises(lf.ClaimMismatchError, match="has members"):
        certificate.at(3).at(3)


def test_sublinear_claims_are_not_made_of_families():
    with pytest.raises(lf.InvalidModelError, match="takes ExponentialDecay or Contraction"):
        lf.certify(gain, lf.SublinearDecay(), over={"k": (1, None)})


def test_a_parameter_has_a_name_that_formulas_can_carry(tmp_path):
    nodes = [gain(1), gain(2)]
    for name in ("", "L m", r"L} \leq 10^{9} \mathrm{", "1", None):
        with pytest.raises(lf.InvalidModelError, match="identifier"):
            lf.ParametricSystem(name, (1, 2), [1, 2], nodes)
    with pytest.raises(lf.InvalidModelError, match="pair"):
        lf.ParametricSystem("s", "12", [1, 2], nodes)
    with pytest.raises(lf.InvalidModelError, match="one or more"):
        lf.ParametricSystem("s", (1, 2), [], [])


@pytest.mark.parametrize("name", ["t", "x", "k", "d", "rho", "mu", "step_size"])
def test_parameters_are_told_from_other_letters(name):
    certificate = lf.certify(lambda **values: gain(values[name]), over={name: (1, 2)})
    theorem = state_theorem(certificate).text
    assert f"s_{name}" in theorem or name == "mu"
    assert "any number 1 ≤" in theorem


def test_weights_of_values_are_numbers_in_a_definite_storage(tmp_path):
    certificate = lf.certify(heavy_ball, over={"mu": (1, 2)}, template=lf.QuadraticPlusValue(definite=True))
    assert certificate.value_weights["f"] >= 0
    assert lf.verify(certificate.at("3/2")).proved
    assert "NOT PROVED" not in lf.write_report(tmp_path / "r.html", certificate).read_text()


def test_an_entry_of_D_must_not_vanish_in_between():
    """Where it does, V could hold the value of one function more."""

    def family(s):
        D = [[0, 0], [(s - Q(3, 2)) / 100, 0]]
        oracles = [lf.SmoothStronglyConvex(1, 2), lf.SmoothStronglyConvex(1, 2 + s)]
        B = [[0, 0], [-1, -Q(1, 10)]]
        return lf.LureSystem([[0, 1], [0, -3]], B, [[1, 0], [1, 0]], D, oracles=oracles)

    with pytest.raises(lf.InvalidModelError, match="entry of D"):
        lf.certify(family, over={"s": (1, 2)})


# --- a no ------------------------------------------------------------------------------------------------------------


def test_a_claim_beyond_the_slowest_member_is_refuted_by_it():
    outcome = attempt(heavy_ball, lf.ExponentialDecay(1), over={"mu": (1, 2)})
    assert isinstance(outcome, lf.Infeasible)
    assert outcome.witness.refutes(Q(1))
    assert dict(outcome.witness.at).keys() == {"mu"}
    system = read_family(heavy_ball, {"mu": (1, 2)})
    assert check_witness(system, outcome.witness)
    assert not check_witness(system, dataclasses.replace(outcome.witness, at=()))
    assert not check_witness(system, dataclasses.replace(outcome.witness, rate=Q(0)))


def test_where_the_rate_vanishes_along_a_half_line_that_is_said():
    outcome = attempt(splitting, over={"L": (2, None)})
    assert isinstance(outcome, lf.Inconclusive)
    assert "Along the family" in outcome.explain()
    refuted = attempt(splitting, lf.ExponentialDecay("1/100"), over={"L": (2, None)})
    assert isinstance(refuted, lf.Infeasible)
    assert refuted.witness.refutes(Q(1, 100))


def test_the_proof_is_never_above_the_witness(case):
    _, _, _, certificate = case
    witness = find_witness(certificate.system)
    if certificate.system.dt:
        assert witness.factor <= certificate.factor
    else:
        assert witness.rate >= certificate.rate


# --- files, reports, simulations -------------------------------------------------------------------------------------


def test_files_are_read_back_and_proved(case, tmp_path):
    certificate = case[-1]
    file = lf.save(certificate, tmp_path / "c.json")
    assert lf.load(file) == certificate
    assert main(["verify", str(file)]) == 0
    file.write_text(file.read_text().replace('"ParametricSystem"', '"PolytopicSystem"'))
    assert main(["verify", str(file)]) != 0


def test_reports_say_what_depends_on_the_parameter(tmp_path):
    certificate = _certify_descent()
    theorem = state_theorem(certificate).text
    assert "For any number 2 ≤ L ≤ 10, constant in time" in theorem
    assert "b_(1,1) = (-2)/(L+1)" in theorem
    assert "(SmoothStronglyConvex: mu, L)" in theorem
    assert "where, at L = 2" in theorem
    proof = text_of(argue(certificate))
    assert "L = 6+4 τ" in proof
    assert "each power of τ is zero" in proof
    assert "Example. The proof at L = 6" in proof
    assert to_data([certificate])["proved"]
    page = lf.write_report(tmp_path / "r.html", certificate).read_text()
    assert "NOT PROVED" not in page
    assert "L = " in page


def test_reports_of_wrong_certificates_say_so(tmp_path):
    certificate = dataclasses.replace(_certify_descent(), claim=lf.Contraction("1/2"))
    assert "NOT PROVED" in lf.write_report(tmp_path / "r.html", certificate).read_text()


def test_falsification_draws_the_parameter():
    certificate = _certify_descent()
    assert lf.falsify(certificate, 10, np.random.default_rng(0)) is None
    wrong = dataclasses.replace(certificate, claim=lf.Contraction("3/4"))
    found = lf.falsify(wrong, 40, np.random.default_rng(0))
    assert str(found).startswith("at L = ")
    assert dict(found.at)["L"] > 7  # (L - 1) / (L + 1) > 3/4


def test_a_trajectory_is_compared_with_the_certificate_of_its_member():
    certificate = _certify_descent()
    path = lf.simulate(best_descent(Q(5)), [lf.members.SquaredNorm(5)], [[1.0, 2.0]], (0, 10))
    assert np.all(path.storage(certificate.at(5)) <= path.bound(certificate.at(5)) * (1 + 1e-9))
    with pytest.raises(lf.InvalidModelError, match=r"certificate.at\(value\)"):
        path.storage(certificate)


def test_a_proof_without_room_is_found_a_little_below_the_best():
    """On the half-line the inequality loses its interior at infinity, so that only simple numbers prove it."""

    def family(k):
        return lf.LureSystem([[-k]], [[1]], [[1]], oracles=[lf.SectorBounded(0, k / 2)])

    assert lf.certify(family, over={"k": (1, None)}).rate >= Q(499, 1000)
