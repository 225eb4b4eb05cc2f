"""Sublinear claims: published orders and constants, the assembly from definitions, corrupted certificates, members."""

import dataclasses
import os
import random
import tomllib
from fractions import Fraction as Q
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.special import jv
from systems import build_flow

import lyapflow as lf
from lyapflow.cli import main
from lyapflow.exact.matrices import quadratic_value
from lyapflow.lmi.dissipation import assemble
from lyapflow.lmi.logtime import take_logarithmic_time
from lyapflow.problems import read_problem
from lyapflow.report import Simulation, to_data
from lyapflow.report.argument import argue
from lyapflow.report.formulas import text_of
from lyapflow.report.proof import list_steps
from lyapflow.report.statement import state_theorem
from lyapflow.search.slow_members import find_slow_quadratic
from lyapflow.search.witness import find_witness

ROWS = tomllib.loads((Path(__file__).parent / "reference" / "sublinear.toml").read_text())["row"]
TEMPLATES = {"value": lf.QuadraticPlusValue(), "outputs": lf.QuadraticPlusValue(outputs=True)}
TRIALS = int(os.environ.get("LYAPFLOW_TRIALS", "4"))  # `make test-all` makes 250
SYSTEMS = {
    "gradient": lf.flows.gradient_flow(lf.Convex()),
    "gradient-outputs": lf.flows.gradient_flow(lf.SmoothConvex(3)),
    "nesterov-3": lf.flows.nesterov_flow(lf.Convex(), r=3),
    "nesterov-6": lf.flows.nesterov_flow(lf.SmoothConvex(3), r=6),
    "nesterov-2": lf.flows.nesterov_flow(lf.SmoothStronglyConvex(1, 10), r=2),
}
SPLITTING = lf.flows.forward_backward_flow(lf.SmoothConvex(1), lf.Convex(), step=1)


@cache
def certify(name):
    return lf.certify(SYSTEMS[name], lf.SublinearDecay())


@pytest.fixture(params=SYSTEMS)
def proved(request):
    return certify(request.param)


# --- published values ---------------------------------------------------------------------------------------------


def test_rows_name_their_source():
    known = (Path(__file__).parents[1] / "docs" / "references.bib").read_text()
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.get("derived") or (row["locator"] and f"{{{row['source']}," in known), row["id"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_order_and_constant(row):
    system = build_flow(row["flow"])
    template = TEMPLATES[row.get("template", "value")]
    certificate = lf.certify(system, lf.SublinearDecay(), template=template)
    assert lf.verify(certificate).proved
    assert certificate.order == Q(row["order"])
    if "constant" in row:
        constant = certificate.constant([1] + [0] * (len(system.A) - 1))
        assert constant == Q(row["constant"]) if row["kind"] == "tight" else constant <= Q(row["constant"])


@given(r=st.fractions(min_value=Q(1, 20), max_value=12, max_denominator=20))
def test_every_damping_has_its_order(r):
    certificate = lf.certify(lf.flows.nesterov_flow(lf.Convex(), r=r), lf.SublinearDecay())
    assert certificate.order == min(Q(2), 2 * r / 3)
    assert lf.verify(certificate).proved
    if r >= 3:
        assert certificate.constant([1, 0]) == r - 1  # sharper than the published (r - 1)^2 / 2 for r > 3


def test_the_gradient_in_V_halves_the_constant():
    system = lf.flows.gradient_flow(lf.SmoothConvex(5))
    certificate = lf.certify(system, lf.SublinearDecay())
    assert certificate.template.outputs
    assert certificate.formula == "1/2 t (f - f*) + 1/4 |x|^2 + 1/4 t^2 |grad f|^2"
    assert certificate.constant([[3, 4]]) == Q(25, 4)


def test_the_constant_from_a_late_start_is_V_there():
    certificate = lf.certify(lf.flows.nesterov_flow(lf.Convex(), r=3), lf.SublinearDecay())
    assert certificate.formula == "t^2 (f - f*) + 2 |x1|^2 + 2 t <x1, x2> + 1/2 t^2 |x2|^2"
    assert certificate.constant([3, -1], t0=2, gap=5) == 4 * 5 + 2 * 9 + 2 * 2 * -3 + Q(1, 2) * 4
    subcritical = lf.certify(lf.flows.nesterov_flow(lf.Convex(), r=2), lf.SublinearDecay())
    exact = 2 ** (4 / 3) * 5 + 2 ** (-2 / 3) * (10 / 9 * 9 + 4 / 3 * 3 * -2 + 0.5 * 4)
    assert 0 <= float(subcritical.constant([3, -1], t0=2, gap=5)) - exact < 1e-9
    with pytest.raises(lf.ClaimMismatchError, match="t0 > 0"):
        subcritical.constant([1, 0])
    with pytest.raises(lf.DimensionError, match="2 entries"):
        certificate.constant([1])


# --- the assembly, from definitions -------------------------------------------------------------------------------


def has_gradient(system):
    return system.oracles[0].is_single_valued


def dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Q(0))


def combine(*terms):
    return tuple(sum((Q(c) * v[k] for c, v in terms), Q(0)) for k in range(3))


@pytest.mark.parametrize(
    ("name", "outputs"),
    [(name, outputs) for name in SYSTEMS for outputs in (False, True) if not outputs or has_gradient(SYSTEMS[name])],
)
@pytest.mark.parametrize("seed", range(4))
def test_the_pencil_is_the_derivative_of_V(name, outputs, seed):
    """V(t) and its time derivative are written out in the unscaled letters of the flow, at a random time, in Q^3."""
    system = SYSTEMS[name]
    source = random.Random(seed)

    def draw():
        return Q(source.randint(-9, 9), source.randint(1, 9))

    def vector():
        return tuple(draw() for _ in range(3))

    p, t = Q(source.randint(1, 9)), Q(source.randint(1, 9), source.randint(1, 9))
    template = TEMPLATES["outputs" if outputs else "value"]
    pencil = assemble(system, lf.SublinearDecay(p), template)
    values = {name: draw() for name in pencil.unknowns}
    n, log = len(system.A), take_logarithmic_time(system)
    d, e = log.powers, log.degree
    x, u, du, phi = [vector() for _ in range(n)], vector(), vector(), draw()
    dx = [
        combine(*((system.A[i][k] + system.N[i][k] / t, x[k]) for k in range(n)), (system.B[i][0], u)) for i in range(n)
    ]
    y, dy = (combine(*((system.C[0][k], z[k]) for k in range(n))) for z in (x, dx))
    # zeta_i = t^d_i x_i, and t^e u: with derivatives by the product rule
    zeta = [combine((t ** d[i], x[i])) for i in range(n)]
    dzeta = [combine((t ** d[i], dx[i]), (d[i] * t ** (d[i] - 1), x[i])) for i in range(n)]
    if outputs:
        zeta.append(combine((t**e, u)))
        dzeta.append(combine((t**e, du), (e * t ** (e - 1), u)))
    size = range(len(zeta))
    P = [[values[f"P[{min(i, j)},{max(i, j)}]"] for j in size] for i in size]
    weight = values["value[f]"]
    form = sum((P[i][j] * dot(zeta[i], zeta[j]) for i in size for j in size), Q(0))
    dform = sum((2 * P[i][j] * dot(zeta[i], dzeta[j]) for i in size for j in size), Q(0))
    V = weight * t**p * phi + t ** (p - e) * form
    dV = weight * (p * t ** (p - 1) * phi + t**p * dot(u, dy)) + (p - e) * t ** (p - e - 1) * form
    dV += t ** (p - e) * dform
    # what the inequalities of the pencil are about, multiplied back: t^(p - e) (slack + value) = -t dV - sum(...)
    known = {"interpolation(t,*)": t**e * phi, "interpolation(*,t)": t**e * (dot(u, y) - phi)}
    known["slope"] = t ** (e + 2) * dot(du, dy)
    scaled = [*(combine((t ** d[i], x[i])) for i in range(n)), combine((t**e, u))]
    if outputs:
        scaled.append(combine((t ** (e + 1), du)))
    decrease, positivity, leftover = pencil.conditions

    def total(part):
        return sum(values[name] * known[name.split(" f ")[1]] for name in pencil.nonnegative if name.startswith(part))

    def read(condition):
        return sum(quadratic_value(condition.at(values), [s[k] for s in scaled]) for k in range(3))

    (equality,) = pencil.equalities
    assert read(decrease) + t**e * phi * equality.at(values) == -(t ** (e - p + 1)) * dV - total("decrease")
    left = t ** (e - p) * V - t**e * phi - total("positivity")
    assert read(positivity) + t**e * phi * leftover.at(values)[0][0] == left


# --- soundness ----------------------------------------------------------------------------------------------------


def test_files_are_read_back_and_proved(proved, tmp_path):
    file = lf.save(proved, tmp_path / "c.json")
    assert lf.load(file) == proved
    assert lf.verify(file).proved


def test_a_larger_order_is_refused(proved):
    raised = dataclasses.replace(proved, claim=lf.SublinearDecay(proved.order * (1 + Q(1, 10**20))))
    verdict = lf.verify(raised)
    assert not verdict.proved
    assert verdict.witness is not None


def test_every_changed_number_that_is_accepted_is_a_theorem(proved):
    """A change is refused, unless it makes V larger or the inequality looser, as the conditions themselves decide."""
    refused = 0
    for k, (name, value) in enumerate(proved.unknowns):
        for change in (Q(1, 10**12), Q(-1, 10**12)):
            unknowns = list(proved.unknowns)
            unknowns[k] = (name, value + change)
            verdict = lf.verify(dataclasses.replace(proved, unknowns=tuple(unknowns)))
            refused += not verdict.proved
            if value + change < 0 and name in proved.multipliers:
                assert not verdict.proved
    assert refused >= len(proved.unknowns)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"system": lf.flows.heavy_ball_flow(lf.Convex(), damping=1)}, "balanced by powers of t"),
        ({"system": lf.flows.gradient_flow(lf.GradientDominated(1, 2))}, "convex functions"),
        ({"template": lf.QuadraticPlusValue(outputs=True), "system": SYSTEMS["gradient"]}, "Lipschitz gradient"),
    ],
)
def test_what_does_not_fit_together_is_no_proof(change, said):
    certificate = lf.certify(SYSTEMS["gradient-outputs"], lf.SublinearDecay(), template=lf.QuadraticPlusValue())
    with pytest.raises(lf.InvalidModelError, match=said):
        lf.verify(dataclasses.replace(certificate, **change))


def test_the_slope_needs_a_gradient_that_can_be_differentiated():
    with pytest.raises(lf.InvalidModelError, match="Lipschitz gradient"):
        lf.attempt(SYSTEMS["gradient"], lf.SublinearDecay(), template=lf.QuadraticPlusValue(outputs=True))


# --- what cannot hold ---------------------------------------------------------------------------------------------


def _inertial(f, g, r):
    return lf.flows.accelerated_forward_backward_flow(f, g, step="1/8", r=r)


@pytest.mark.parametrize(
    ("system", "order"),
    [
        (lf.flows.gradient_flow(lf.Convex()), Q(11, 10)),
        (lf.flows.gradient_flow(lf.SmoothConvex(2)), Q(1001, 1000)),
        (lf.flows.nesterov_flow(lf.Convex(), r=3), Q(21, 10)),
        (lf.flows.nesterov_flow(lf.SmoothConvex(2), r=8), Q(5, 2)),
        (lf.flows.nesterov_flow(lf.Convex(), r=2), Q(3, 2)),
        (lf.flows.nesterov_flow(lf.Convex(), r=0), None),
        (lf.flows.nesterov_flow(lf.SmoothStronglyConvex(1, 2), r=-1), None),
        (lf.flows.nesterov_flow(lf.SmoothStronglyConvex(1, 2), r=3), Q(7, 2)),
        (lf.flows.nesterov_flow(lf.Quadratic(1, 2), r=4), Q(9, 2)),
        (lf.flows.nesterov_flow(lf.Quadratic(0, 2), r=5), Q(9, 4)),
        (lf.flows.gradient_flow(lf.Quadratic(0, 2)), Q(3, 2)),
        (_inertial(lf.Quadratic(0, 4), lf.Convex(), r=3), Q(3)),
        (_inertial(lf.Quadratic(0, 4), lf.ConvexIndicator(), r=3), Q(5, 2)),
        (_inertial(lf.Quadratic(1, 4), lf.SmoothConvex(2), r=3), Q(7, 2)),
        (_inertial(lf.Quadratic(1, 4), lf.Convex(), r=0), None),
    ],
)
def test_orders_beyond_the_best_are_refuted_by_a_member(system, order):
    outcome = lf.attempt(system, lf.SublinearDecay(order))
    assert isinstance(outcome, lf.Infeasible)
    assert isinstance(outcome.witness, lf.SlowMember)
    assert outcome.witness.refutes(order)
    assert not outcome.witness.refutes(outcome.witness.order or Q(1, 10**9)) or order is None
    assert "is false" in outcome.explain()


@pytest.mark.parametrize(
    ("system", "order"),
    [
        # the start contracts like t^-1 by itself, so larger orders may hold
        (lf.LureSystem([[0]], [[-1]], [[1]], oracles=[lf.Convex()], N=[[-1]]), Q(3)),
        # of these classes no quadratic function but 0 is a member
        (lf.flows.gradient_flow(lf.Intersection(lf.Convex(), lf.ConvexIndicator())), Q(2)),
        (lf.flows.nesterov_flow(lf.Intersection(lf.Convex(), lf.SupportFunction()), r=-1), None),
    ],
)
def test_no_quadratic_is_named_that_is_no_member_or_not_slow(system, order):
    assert find_slow_quadratic(system, order) is None


def test_the_slow_power_is_a_solution():
    """f = (k/q)|x|^q with x = t^-a, put into the equation of motion."""
    witness = lf.attempt(lf.flows.nesterov_flow(lf.Convex(), r=4), lf.SublinearDecay(Q(5, 2))).witness
    factor, q = witness.function.removeprefix("f(x) = ").split(" |x|^")
    q, k = int(q), Q(factor) * int(q)
    a = Q(2, q - 2)
    assert witness.order == q * a
    assert a * (a + 1) - 4 * a + k == 0  # t^(a+2) (x'' + (4/t) x' + k x^(q-1))


@pytest.mark.parametrize("r", [1, 2, 3, 5])
@pytest.mark.parametrize("k", [0.5, 2.0])
def test_the_slow_quadratic_has_a_bessel_function(r, k):
    """It solves x'' + (r/t) x' + k x = 0, and the peaks of t^r k x^2 / 2 do not fall to zero."""
    nu = (r - 1) / 2
    t = np.linspace(1, 2000, 400_001)
    s = np.sqrt(k) * t
    x = t**-nu * jv(nu, s)
    speed = -np.sqrt(k) * t**-nu * jv(nu + 1, s)  # DLMF 10.6.6
    acceleration = -k * t**-nu * jv(nu, s) - r / t * speed
    assert np.allclose(np.gradient(speed, t, edge_order=2), acceleration, atol=1e-4)
    value = t**r * k * x**2 / 2
    quarter = len(t) // 4
    assert value[3 * quarter :].max() > 0.99 * value[quarter : 2 * quarter].max()


def test_the_value_of_a_small_quadratic_is_still_there_after_its_own_time():
    for s in (1e-2, 1e-4, 1e-6):
        end = s**-0.5
        path = solve_ivp(lambda t, x, s=s: [x[1], -3 / t * x[1] - s * x[0]], (1, end), [1, 0], rtol=1e-10, atol=1e-12)
        assert path.y[0, -1] ** 2 > 0.7  # the value over s/2: no C / t^p with p > 2 is above it for all s


def test_strong_convexity_leaves_larger_orders_open():
    outcome = lf.attempt(lf.flows.nesterov_flow(lf.SmoothStronglyConvex(1, 2), r=9), lf.SublinearDecay(3))
    assert isinstance(outcome, lf.Infeasible)
    assert outcome.witness is None
    assert "solver's word" in outcome.explain()


@pytest.mark.parametrize(
    ("system", "claim", "template", "said"),
    [
        (lf.flows.heavy_ball_flow(lf.Convex(), damping=1), lf.SublinearDecay(), None, "constant balances nothing"),
        (lf.flows.nesterov_flow(lf.Convex()), lf.ExponentialDecay(), None, "Use SublinearDecay"),
        (lf.flows.nesterov_flow(lf.Convex()), None, None, "Use SublinearDecay"),
        (lf.flows.gradient_flow(lf.Lipschitz(1)), lf.SublinearDecay(), None, "convex functions"),
        (
            lf.flows.forward_backward_flow(lf.SmoothConvex(1), lf.Convex(), step=1),
            lf.SublinearDecay(),
            None,
            "one oracle",
        ),
        (lf.algorithms.gradient_descent(lf.SmoothConvex(1), step=1), lf.SublinearDecay(), None, "continuous time"),
        (lf.flows.gradient_flow(lf.Convex()), lf.SublinearDecay(), lf.QuadraticStorage(), "function value"),
        (lf.LureSystem([[0]], [[0]], [[1]], oracles=[lf.Convex()]), lf.SublinearDecay(), None, "are minimisers"),
    ],
)
def test_claims_that_make_no_sense_are_errors(system, claim, template, said):
    with pytest.raises(lf.InvalidModelError, match=said):
        lf.attempt(system, claim, template=template)


def test_a_time_varying_system_is_guarded():
    flow = lf.flows.nesterov_flow(lf.SmoothConvex(1))
    for refused in (
        lambda: flow.to_control(),
        lambda: lf.algorithms.euler(flow, "1/10"),
        lambda: lf.LureSystem([[0]], [[-1]], [[1]], oracles=[lf.Convex()], dt=1, N=[[1]]),
        lambda: lf.simulate(flow, [lf.members.Huber(1, 1)], [[1.0], [0.0]], (0, 1)),
    ):
        with pytest.raises(lf.InvalidModelError):
            refused()
    with pytest.raises(lf.ClaimMismatchError, match="order"):
        lf.certify(lf.flows.gradient_flow(lf.StronglyConvex(1))).order  # noqa: B018
    with pytest.raises(lf.ClaimMismatchError, match="rate"):
        lf.certify(flow, lf.SublinearDecay()).rate  # noqa: B018


def test_named_members_belong_to_their_class():
    """The quadratic that refutes r <= 0 has a curvature of the class, of an intersection too."""
    both = lf.Intersection(lf.SmoothConvex("1/2"), lf.StronglyConvex("1/4"))
    for oracle, text in ((both, "1/2/2 |x|^2"), (lf.StronglyConvex(3), "3/2 |x|^2"), (lf.Convex(), "1/2 |x|^2")):
        outcome = lf.attempt(lf.flows.nesterov_flow(oracle, r=-1), lf.SublinearDecay())
        assert text in outcome.witness.function


def test_what_V_contains_at_a_late_start_must_be_given():
    nesterov = lf.certify(lf.flows.nesterov_flow(lf.SmoothConvex(10), r=3), lf.SublinearDecay())
    gradient = lf.certify(lf.flows.gradient_flow(lf.SmoothConvex(5)), lf.SublinearDecay())
    with pytest.raises(lf.InvalidModelError, match="contains the gap"):
        nesterov.constant([1, 0], t0=1)
    with pytest.raises(lf.InvalidModelError, match="contains the gradient"):
        gradient.constant([1], t0=1, gap="5/2")
    assert nesterov.constant([1, 0], t0=1, gap=5) == 7
    assert gradient.constant([1], t0=1, gap="5/2", gradient=5) == Q(1, 2) * Q(5, 2) + Q(1, 4) + Q(25, 4)
    for t0 in ("1e-300", "1e300"):
        assert (
            lf.certify(lf.flows.nesterov_flow(lf.Convex(), r=2), lf.SublinearDecay()).constant([1, 0], t0=t0, gap=1) > 0
        )


def test_consequences_of_other_claims_are_refused():
    certificate = lf.certify(lf.flows.nesterov_flow(lf.SmoothConvex(10), r=3), lf.SublinearDecay())
    for read in (lambda: certificate.rate, lambda: certificate.transient_bound, lambda: certificate.settling_time()):
        with pytest.raises(lf.ClaimMismatchError, match=r"order|constant"):
            read()


def test_a_derivative_needs_a_lipschitz_gradient():
    """A sector bounds the gradient from the origin only: its increments may be of any size."""
    loose = lf.Intersection(lf.StronglyConvex(1), lf.SectorBounded(1, 10))
    with pytest.raises(lf.InvalidModelError, match="Lipschitz gradient"):
        lf.attempt(lf.flows.gradient_flow(loose), lf.SublinearDecay(), template=lf.QuadraticPlusValue(outputs=True))


def test_nothing_rests_where_N_does_not_vanish():
    system = lf.LureSystem([[0]], [[-1]], [[1]], N=[["-1/2"]], oracles=[lf.SmoothConvex(4)])
    with pytest.raises(lf.SimulationError, match="nothing rests there"):
        lf.simulate(system, [lf.members.SquaredNorm(1, [1.0])], [[2.0]], (1, 2))
    with pytest.raises(lf.InvalidModelError, match="varies with time"):
        find_witness(lf.flows.nesterov_flow(lf.SmoothConvex(1)))


def test_numbers_out_of_range_are_said_to_be():
    outcome = lf.attempt(lf.flows.nesterov_flow(lf.Convex(), r="1e310"), lf.SublinearDecay())
    assert isinstance(outcome, lf.Inconclusive)
    assert "1e100" in outcome.explain()


def test_a_sweep_of_orders_is_refused():
    result = lf.sweep(
        lambda r: lf.certify(lf.flows.nesterov_flow(lf.Convex(), r=r), lf.SublinearDecay()), {"r": [Q(1), Q(3)]}
    )
    for row in result:
        assert row.outcome == "failed"
        assert "has an order" in row.explanation


# --- members ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SYSTEMS)
def test_random_members_keep_the_promise(name):
    assert lf.falsify(certify(name), TRIALS, np.random.default_rng(3)) is None


def test_a_wrong_order_is_falsified():
    certificate = certify("nesterov-6")
    wrong = dataclasses.replace(certificate, claim=lf.SublinearDecay(Q(5, 2)))
    found = lf.falsify(wrong, 40, np.random.default_rng(0))
    assert found is not None
    assert found.left > found.right


def test_the_value_along_a_trajectory_stays_below_its_bound():
    certificate = lf.certify(lf.flows.nesterov_flow(lf.SmoothConvex(1), r=3), lf.SublinearDecay())
    path = lf.simulate(certificate.system, [lf.members.Huber(1, 1)], [[3.0, 4.0], [0.0, 0.0]], (0.01, 50), points=2000)
    scaled, V = path.scaled_value(certificate), path.storage(certificate)
    assert np.all(np.diff(V) <= 1e-8 * V[0])
    assert np.all(scaled <= V + 1e-9)
    assert abs(V[0] - 2 * 25) < 0.01
    assert scaled.max() > 5  # the bound is not idle


# --- files and reports --------------------------------------------------------------------------------------------

ORDERS = """
[functions]
f = { class = "SmoothConvex", L = 10 }

[[flow]]
name = "nesterov"
order = "best"

[[flow]]
name = "gradient"
order = "1/2"

[[flow]]
name = "gradient"
order = 2
"""


def test_a_flow_that_cannot_be_claimed_is_found_while_reading(tmp_path, capsys):
    (tmp_path / "p.toml").write_text('[functions]\nf = { class = "Convex" }\n[[flow]]\nname = "nesterov"\n')
    assert main(["certify", str(tmp_path / "p.toml"), "-o", str(tmp_path)]) == 2
    assert "Use SublinearDecay" in capsys.readouterr().err
    (tmp_path / "q.toml").write_text(ORDERS)
    assert main(["sweep", str(tmp_path / "q.toml"), "--grid", "L=2,3", "-o", str(tmp_path / "s")]) == 2
    assert "leave out order" in capsys.readouterr().err


def test_problem_files_ask_for_orders(tmp_path, capsys):
    (tmp_path / "p.toml").write_text(ORDERS)
    assert main(["certify", str(tmp_path / "p.toml"), "-o", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "nesterov: proved decay of the function value with order 2; V = t^2 (f - f*)" in said
    assert "gradient: proved decay of the function value with order 1/2" in said
    assert "The claim of order 2 is false" in said
    assert main(["verify", str(tmp_path / "1-nesterov.json")]) == 0
    assert "order 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "said"), [("order = 1\nrate = 1", "not both"), ("order = -1", "order > 0"), ('order = "x"', "order")]
)
def test_orders_that_make_no_sense_are_refused(line, said, tmp_path):
    (tmp_path / "p.toml").write_text(f'[functions]\nf = {{ class = "Convex" }}\n[[flow]]\nname = "gradient"\n{line}\n')
    with pytest.raises(lf.InvalidModelError, match=said):
        read_problem(tmp_path / "p.toml")


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in {"gradient-outputs", "nesterov-3"} else pytest.mark.slow) for n in SYSTEMS],
)
def test_the_page_shows_the_decay(name, tmp_path):
    proved = certify(name)
    n = len(proved.system.A)
    start = np.zeros((n, 2))
    start[0] = 3.0, 4.0
    path = lf.simulate(proved.system, [lf.members.SquaredNorm(1)], start, (0.1, 20))
    page = lf.write_report(tmp_path / "r.html", Simulation(proved, path)).read_text()
    assert "decay of the function value" in page
    assert "NOT PROVED" not in page


def test_the_report_states_the_theorem_and_proves_it(proved):
    theorem = state_theorem(proved).text
    assert "V(t₀)/t^p" in theorem
    assert str(proved.order) in theorem
    assert "t d/dt" in text_of(argue(proved))
    data = to_data([proved])
    assert data["sections"][0]["quantities"][0]["proved"]["exact"] == str(proved.order)


def test_each_step_of_the_written_proof_is_an_identity(proved):
    """The squares of the report are those of the matrices that the checker decides."""
    for step in list_steps(proved):
        size = range(len(step.slack))
        rebuilt = tuple(tuple(sum((d * v[i] * v[j] for d, v in step.squares), Q(0)) for j in size) for i in size)
        assert rebuilt == step.slack
