"""Proximal augmented Lagrangian dynamics: definition, modes, closed forms, files, corruption, simulation."""

import json
import re
from dataclasses import replace
from fractions import Fraction as Q

import numpy as np
import pytest

import lyapflow as lf
from lyapflow.flows import proximal_augmented_lagrangian_flow
from lyapflow.members import Box, L1Norm, QuadraticFunction
from lyapflow.problems import read_problem
from lyapflow.search.witness import check_witness, find_witness
from lyapflow.simulation.loops import close_loop

F, G = lf.SmoothStronglyConvex(1, 10), lf.Convex()
IRRATIONAL = [[1, 1, 0], [0, 1, 2]]
RATIONAL = [["1/2", 0, 0], [0, 2, 0]]
f = QuadraticFunction(np.diag([1.0, 4.0, 10.0]), [3.0, -2.0, 5.0])


def make(f=F, g=G, penalty=2, **options):
    return proximal_augmented_lagrangian_flow(f, g, penalty=penalty, **options)


def slowest_member(L, penalty, s):
    """Rate for the gradient L x and the indicator function of the origin: roots of t^2 - b t + s^2."""
    b = L + s**2 / penalty
    return (b - np.sqrt(complex(b**2 - 4 * s**2)).real) / 2


# --- the model ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("g", [L1Norm("1/2"), Box(-0.5, 0.25)], ids=repr)
def test_the_field_is_that_of_the_saddle_function(g, rng):
    """x' and y' are minus and plus the gradient of L(x; y), with the Moreau envelope differentiated numerically."""
    penalty, T = 0.7, np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 2.0]])
    loop = close_loop(make(g=g.operator_class, penalty="7/10", operator=IRRATIONAL), [f, g])

    def lagrangian(z):
        x, y = z[:3], z[3:]
        v = T @ x + penalty * y
        point = g.prox(v, penalty)
        envelope = g.value(point) + ((v - point) ** 2).sum() / (2 * penalty)
        return f.value(x) + envelope - penalty / 2 * y @ y

    for _ in range(5):
        z = rng.normal(size=5)
        steps = 1e-6 * np.eye(5)
        gradient = np.array([(lagrangian(z + e) - lagrangian(z - e)) / 2e-6 for e in steps])
        np.testing.assert_allclose(loop.evaluate(z)[0], gradient * [-1, -1, -1, 1, 1], atol=1e-7)


def test_the_modes_are_exact_or_enclosed():
    exact = make(operator=RATIONAL)
    assert exact.intervals == ((Q(1, 2), Q(1, 2)), (Q(2), Q(2)))
    assert [(mode.label, len(mode.vertices), mode.idle) for mode in exact.modes] == [
        ("sigma1", 1, ()),
        ("sigma2", 1, ()),
        ("null primal", 1, (1,)),
    ]
    assert exact.shape == (5, 2)
    enclosed = make(operator=IRRATIONAL)
    singular = sorted(np.linalg.svd(np.array(IRRATIONAL, dtype=float), compute_uv=False))
    for mode, (low, high), s in zip(enclosed.modes, enclosed.intervals, singular, strict=False):
        assert low < high < low + Q(1, 10**8)
        assert float(low) <= s <= float(high)
        assert [vertex.C[1][0] for vertex in mode.vertices] == [low, high]
    many = make(operator=[[Q(k + 1, 12) if i == k else 0 for i in range(12)] for k in range(12)])
    assert len(many.modes) == 12  # one storage matrix each, however many there are


def test_the_rotated_plant_is_the_whole_one(rng):
    """In singular bases the linear part of the full flow falls apart into the plants of the modes."""
    system = make(operator=RATIONAL, penalty=3)
    T, p = np.array([[0.5, 0, 0], [0, 2, 0]]), 3.0
    slopes = (4.0, 0.7)  # u_f = 4 y_f, u_g = 0.7 y_g
    delta = slopes[1] / (1 + p * slopes[1])
    full = np.block(
        [[-4 * np.eye(3) - delta * T.T @ T, -delta * p * T.T], [p * delta * T, -p * (1 - p * delta) * np.eye(2)]]
    )
    parts = []
    for mode in system.modes:
        A, B, C, D = (np.array(getattr(mode.vertices[0], key), dtype=float) for key in "ABCD")
        S = np.diag(slopes)
        parts += list(np.linalg.eigvals(A + B @ S @ np.linalg.solve(np.eye(2) - D @ S, C)))
    np.testing.assert_allclose(np.sort_complex(np.linalg.eigvals(full)), np.sort_complex(parts), atol=1e-12)


def test_without_an_operator_it_is_the_identity():
    plain = lf.certify(make())
    assert isinstance(plain.system, lf.LureSystem)
    for n in (1, 3):
        same = lf.certify(make(operator=np.eye(n, dtype=int).tolist()))
        assert isinstance(same.system, lf.ProximalLagrangianSystem)
        assert [mode.vertices for mode in same.system.modes] == [(plain.system,)]
        assert abs(same.rate - plain.rate) < plain.rate / 10**6


# --- proofs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operator", [RATIONAL, IRRATIONAL, [[1]], [["3/5", "4/5"]], [[3, 0, 0], [0, 0, 1]]], ids=str)
def test_a_matrix_end_to_end(operator, tmp_path):
    system = make(operator=operator)
    bracket = lf.bracket(system)
    certificate, witness = bracket.certificate, bracket.witness
    singular = np.linalg.svd(np.array([[float(Q(v)) for v in row] for row in operator]), compute_uv=False)
    limit = min(slowest_member(10, 2, s) for s in singular)
    assert limit * (1 - 1e-5) <= float(certificate.rate) <= limit * (1 + 1e-12)
    assert certificate.rate <= witness.rate <= limit * (1 + 1e-4)
    assert check_witness(system, witness)
    assert not check_witness(system, replace(witness, rate=witness.rate * Q(999, 1000)))
    path = lf.save(certificate, tmp_path / "certificate.json")
    assert lf.load(path) == certificate
    assert lf.verify(path).proved
    raised = replace(certificate, claim=lf.ExponentialDecay(certificate.rate * Q(1001, 1000)))
    assert not lf.verify(raised).proved
    assert isinstance(lf.attempt(system, lf.ExponentialDecay(certificate.rate * Q(3, 2))), lf.Infeasible)


@pytest.mark.parametrize(
    ("penalty", "loss"),
    [
        ("1/10", 1e-5),
        pytest.param(1, 1e-5, marks=pytest.mark.slow),
        (9, 1e-5),
        pytest.param(100, 1e-4, marks=pytest.mark.slow),
        (1000, 2e-4),
    ],
)
def test_the_penalty_need_not_be_as_large_as_published(penalty, loss):
    limit = slowest_member(10, float(Q(penalty)), 1)
    assert limit * (1 - loss) <= float(lf.certify(make(penalty=penalty)).rate) <= limit


def test_weak_penalties_need_the_outputs_in_v():
    """Without them V is far from tight, so for an operator the rate is smaller."""
    rates = [lf.certify(make(penalty=1000), template=form).rate for form in (None, lf.QuadraticPlusValue())]
    assert rates[0] > Q("1.6") * rates[1]
    assert lf.certify(make(penalty=1000, operator=[[1]])).rate == pytest.approx(rates[1], rel=1e-5)


@pytest.mark.parametrize("g", [lf.Convex(), lf.ConvexIndicator(), lf.SupportFunction(), lf.SmoothConvex(3)], ids=repr)
@pytest.mark.parametrize("template", [lf.QuadraticStorage(), lf.QuadraticPlusValue()], ids=["quadratic", "value"])
def test_both_ends_of_an_interval_prove_what_is_between(g, template):
    wide = lf.ProximalLagrangianSystem(F, g, penalty=2, operator=[[1]], intervals=[("2/3", "3/2")])
    certificate = lf.certify(wide, template=template)
    for k in range(9):
        s = Q(2, 3) + Q(k, 8) * (Q(3, 2) - Q(2, 3))
        between = lf.ProximalLagrangianSystem(F, g, penalty=2, operator=[[s]])
        assert lf.verify(replace(certificate, system=between)).proved, s


@pytest.mark.parametrize("g", [lf.StronglyConvex(1), lf.SmoothStronglyConvex(1, 2), lf.Quadratic(1, 2)], ids=repr)
def test_strongly_convex_g_needs_rational_singular_values(g):
    certificate = lf.certify(make(g=g, operator=RATIONAL))
    assert lf.verify(certificate).proved
    for wrong in ({"operator": IRRATIONAL}, {"operator": [[1]], "intervals": [(1, 2)]}):
        with pytest.raises(lf.InvalidModelError, match=re.escape(repr(g))):
            lf.ProximalLagrangianSystem(F, g, penalty=2, **wrong)


def test_the_rate_bound_of_members_holds_between_the_ends_of_an_enclosure():
    system = make(operator=IRRATIONAL)
    witness = find_witness(system)
    T = np.array(IRRATIONAL, dtype=float)
    k, m = (float(real) for real, _ in witness.slopes)
    delta = m / (1 + 2 * m)
    full = np.block(
        [[-k * np.eye(3) - delta * T.T @ T, -2 * delta * T.T], [2 * delta * T, -2 * (1 - 2 * delta) * np.eye(2)]]
    )
    assert float(witness.rate) == pytest.approx(-np.linalg.eigvals(full).real.max(), rel=1e-9)


# --- files and corruption -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def irrational():
    return lf.certify(make(operator=IRRATIONAL), template=lf.QuadraticPlusValue())


def test_corrupted_certificates_are_refused(irrational):
    assert {"P(sigma1)[0,1]", "P(null primal)[0,0]", "value[f]", "upper bound"} <= set(irrational.values)
    names = [name for name, _ in irrational.unknowns]
    assert any(name.startswith("decrease: g") for name in names)
    for name in names:
        wrong = tuple((n, -abs(v) - 1 if n == name else v) for n, v in irrational.unknowns)
        assert not lf.verify(replace(irrational, unknowns=wrong)).proved, name
    assert not lf.verify(replace(irrational, unknowns=irrational.unknowns[1:])).proved


def test_edited_files_are_refused(irrational, tmp_path):
    path = lf.save(irrational, tmp_path / "c.json")
    data = json.loads(path.read_text())
    for key, value in (
        ("penalty", "0"),
        ("penalty", None),
        ("operator", [["1", "1", "0"], ["2", "2", "0"]]),
        ("operator", [["1", "1", "0"], ["0", "1", "3"]]),
        ("operator", [["1", "1"], ["0"]]),
        ("intervals", [["1", "2"]]),
        ("intervals", [["1", "2"], ["3/2", "3"]]),
        ("g", {"class": "StronglyConvex", "mu": "1"}),
        ("g", {"class": "Monotone"}),
        ("f", {"class": "Lipschitz", "L": "1"}),
    ):
        path.write_text(json.dumps(data | {"system": data["system"] | {key: value}}))
        with pytest.raises(lf.LyapflowError):
            lf.load(path)
    for key, value in (("penalty", "1"), ("f", {"class": "SmoothStronglyConvex", "mu": "1", "L": "11"})):
        path.write_text(json.dumps(data | {"system": data["system"] | {key: value}}))
        assert not lf.verify(path).proved


def test_subclasses_are_not_believed(irrational):
    class Bent(lf.ProximalLagrangianSystem):
        pass

    bent = Bent(F, G, penalty=2, operator=IRRATIONAL)
    assert "Bent" in lf.verify(replace(irrational, system=bent)).reason


# --- simulation ---------------------------------------------------------------------------------------------------


def test_it_rests_where_the_problem_is_solved():
    """Soft thresholding in the rows of T, checked by the optimality conditions."""
    T = np.array(IRRATIONAL, dtype=float)
    rest = lf.find_equilibrium(make(operator=IRRATIONAL), [f, L1Norm(1)])
    x, y = rest.x[:3], rest.x[3:]
    np.testing.assert_allclose(f.gradient(x), -T.T @ y, atol=1e-12)
    for image, slope in zip(T @ x, y, strict=True):
        assert abs(slope) <= 1 + 1e-12
        assert abs(image) < 1e-12 or slope == pytest.approx(np.sign(image), abs=1e-12)
    path = lf.simulate(make(operator=IRRATIONAL), [f, L1Norm(1)], np.arange(5.0), (0, 150))
    np.testing.assert_allclose(path.x[-1], rest.x, atol=1e-9)


def test_the_operator_of_the_identity_moves_as_the_plain_system():
    start = np.array([[3.0, -1.0, 2.0], [0.5, 1.0, -4.0]])
    plain = lf.simulate(make(), [f, L1Norm(1)], start, (0, 5), points=11)
    flat = lf.simulate(make(operator=np.eye(3, dtype=int).tolist()), [f, L1Norm(1)], start.ravel(), (0, 5), points=11)
    np.testing.assert_allclose(flat.x, plain.x.reshape(11, 6), atol=1e-8)


def test_storage_by_hand():
    T = [[2, 0, 0], [0, 1, 1]]
    certificate = lf.certify(make(operator=T), template=lf.QuadraticPlusValue())
    path = lf.simulate(certificate.system, [f, L1Norm(1)], np.arange(5.0), (0, 5), points=11)
    z, half = path.x - path.equilibrium.x, np.sqrt(0.5)
    modes = {
        "sigma1": (half * (z[:, 1] + z[:, 2]), z[:, 4]),
        "sigma2": (z[:, 0], z[:, 3]),
        "null primal": (half * (z[:, 1] - z[:, 2]),),
    }
    by_hand = float(certificate.value_weights["f"]) * np.einsum("ti,ij,tj->t", z[:, :3], f.Q, z[:, :3]) / 2
    for label, coordinates in modes.items():
        P = np.array(certificate.storage[label], dtype=float)
        by_hand = by_hand + np.einsum("kt,kl,lt->t", np.array(coordinates), P, np.array(coordinates))
    np.testing.assert_allclose(path.storage(certificate), by_hand, rtol=1e-9)


def test_no_random_members_break_a_proof(irrational):
    assert lf.falsify(irrational, 20, np.random.default_rng(0)) is None
    found = lf.falsify(
        replace(irrational, claim=lf.ExponentialDecay(3 * irrational.rate)), 40, np.random.default_rng(1)
    )
    assert found.excess > found.tolerance > 0


def test_members_have_the_dimensions_of_the_operator():
    system = make(operator=IRRATIONAL)
    with pytest.raises(lf.DimensionError, match="oracle g must have dimension 2, one per row of the operator, got 3"):
        lf.simulate(system, [f, f], np.zeros(5), (0, 1))
    with pytest.raises(lf.DimensionError, match=r"the flat state \(x, y\)"):
        lf.simulate(system, [f, L1Norm(1)], np.zeros((2, 3)), (0, 1))
    with pytest.raises(lf.InvalidModelError, match="a ProximalLagrangianSystem has none"):
        lf.simulate(system, [f, L1Norm(1)], np.zeros(5), (0, 1), offset=[0.0, 0.0])


# --- other rooms --------------------------------------------------------------------------------------------------


def test_problem_files_name_it(tmp_path):
    path = tmp_path / "problem.toml"
    path.write_text(
        """
        [functions]
        f = { class = "SmoothStronglyConvex", mu = 1, L = 10 }
        g = { class = "Convex" }
        [[flow]]
        name = "proximal_augmented_lagrangian"
        penalty = 2
        [[flow]]
        name = "proximal_augmented_lagrangian"
        penalty = 2
        operator = "T.csv"
        """
    )
    (tmp_path / "T.csv").write_text("a,b,c\n1,1,0\n0,1,2\n")
    plain, matrix = (request.make(None) for request in read_problem(path).requests)
    assert plain == make()
    assert matrix == make(operator=IRRATIONAL)


def test_a_sweep_judges_it():
    result = lf.sweep(lambda penalty: make(penalty=penalty, operator=RATIONAL), {"penalty": [1, 2]})
    assert [row.outcome for row in result.rows] == ["proved", "proved"]


# --- the Euler method ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def method():
    return lf.bracket(lf.algorithms.euler(make(operator=IRRATIONAL), "1/50"))


def test_the_method_is_the_flow_with_a_step(method):
    flow, made = make(operator=IRRATIONAL), method.certificate.system
    assert (made.dt, made.step) == (1, Q(1, 50))
    assert made.name == "proximal augmented Lagrangian flow, Euler step 1/50"
    for ours, theirs in zip(made.modes, flow.modes, strict=True):
        for vertex, plant in zip(ours.vertices, theirs.vertices, strict=True):
            taken = lf.algorithms.euler(plant, "1/50")
            assert (vertex.A, vertex.B, vertex.C, vertex.D) == (taken.A, taken.B, taken.C, taken.D)
    plain = lf.certify(lf.algorithms.euler(make(), "1/50")).factor
    assert abs(plain - lf.certify(lf.algorithms.euler(make(operator=[[1]]), "1/50")).factor) < Q(1, 10**6)


def test_the_method_is_proved_and_nothing_better(method, tmp_path):
    certificate = method.certificate
    assert method.witness.factor <= certificate.factor < method.witness.factor + Q(1, 10**5)
    assert check_witness(certificate.system, method.witness)
    path = lf.save(certificate, tmp_path / "c.json")
    assert lf.load(path) == certificate
    assert lf.verify(path).proved
    data = json.loads(path.read_text())
    for wrong in ("1/10", "1/60", "0", "-1"):
        path.write_text(json.dumps(data | {"system": data["system"] | {"step": wrong}}))
        try:
            assert not lf.verify(path).proved, wrong
        except lf.LyapflowError:
            assert wrong in {"0", "-1"}  # a flow has no factor, and a step is not negative
    assert lf.falsify(certificate, 10, np.random.default_rng(1)) is None
    better = replace(certificate, claim=lf.Contraction(1 - 3 * (1 - certificate.factor)))
    assert not lf.verify(better).proved
    assert lf.falsify(better, 40, np.random.default_rng(1)) is not None


def test_both_ends_prove_what_is_between_for_the_method_too():
    options = {"penalty": 2, "step": "1/20"}
    certificate = lf.certify(lf.ProximalLagrangianSystem(F, G, operator=[[1]], intervals=[("2/3", "3/2")], **options))
    for s in (Q(2, 3), Q(4, 5), Q(1), Q(6, 5), Q(3, 2)):
        between = lf.ProximalLagrangianSystem(F, G, operator=[[s]], **options)
        assert lf.verify(replace(certificate, system=between)).proved, s


def test_a_run_takes_the_steps_that_are_printed(method):
    T, member = np.array(IRRATIONAL, dtype=float), L1Norm(1)
    path = lf.simulate(method.certificate.system, [f, member], np.ones(5), 3)
    x, y = np.ones(3), np.ones(2)
    for k in range(3):
        v = T @ x + 2 * y
        inside = np.sign(v) * np.maximum(np.abs(v) - 2, 0)
        dx, dy = -f.gradient(x) - T.T @ (v - inside) / 2, T @ x - inside
        x, y = x + dx / 50, y + dy / 50
        np.testing.assert_allclose(path.x[k + 1], np.concatenate([x, y]), rtol=1e-12)


def test_the_largest_step_is_proved():
    step, certificate = lf.largest_step(make(operator=RATIONAL), "999/1000", tolerance="1e-2")
    assert certificate.system == lf.algorithms.euler(make(operator=RATIONAL), step)
    assert lf.verify(certificate).proved


def test_steps_are_positive():
    with pytest.raises(lf.InvalidModelError, match="step must be > 0"):
        lf.ProximalLagrangianSystem(F, G, penalty=1, operator=[[1]], step=-1)
    with pytest.raises(lf.InvalidModelError, match=r"QuadraticStorage\(\) for a ProximalLagrangianSystem in discrete"):
        lf.attempt(lf.algorithms.euler(make(operator=[[1]]), "1/50"), template=lf.QuadraticPlusValue())
