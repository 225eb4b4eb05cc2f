"""Accelerated splitting flows: envelopes and their metrics, derivatives of outputs in V, the tables, soundness."""

import dataclasses
import os
import random
from fractions import Fraction as Q
from functools import cache

import numpy as np
import pytest
from evaluation import assert_in_class, sample
from hypothesis import given
from hypothesis import strategies as st

import lyapflow as lf
from lyapflow import members
from lyapflow.exact.matrices import quadratic_value
from lyapflow.lmi.dissipation import assemble
from lyapflow.lmi.metric import find_reduction
from lyapflow.report import Simulation
from lyapflow.report.argument import argue
from lyapflow.report.formulas import text_of
from lyapflow.report.proof import list_steps
from lyapflow.report.statement import state_theorem

FB, DR = lf.flows.accelerated_forward_backward_flow, lf.flows.accelerated_douglas_rachford_flow
OUTPUTS = lf.QuadraticPlusValue(outputs=True)
F = lf.SmoothStronglyConvex(1, 10)
QUADRATIC = members.QuadraticFunction([[3, 1, 0], [1, 4, -1], [0, -1, 2]], [-4, 1, 3])
SINGULAR = members.QuadraticFunction([[1, 1, 0], [1, 1, 0], [0, 0, 0]], [-1, -1, 0])
NONSMOOTH = {"l1": members.L1Norm(1), "box": members.Box(-1.0, 1.0), "none": members.Zero()}


# --- envelopes ----------------------------------------------------------------------------------------------------


def envelopes():
    for kind, f in {"regular": QUADRATIC, "singular": SINGULAR}.items():
        for name, g in NONSMOOTH.items():
            for share in ("1/4", "9/10"):
                step = Q(share) / f.operator_class.L
                yield pytest.param(members.ForwardBackwardEnvelope(f, g, step), id=f"fb-{kind}-{name}-{share}")
                yield pytest.param(members.DouglasRachfordEnvelope(f, g, step), id=f"dr-{kind}-{name}-{share}")


@pytest.mark.parametrize("envelope", list(envelopes()))
def test_envelopes_are_differentiable_and_in_their_classes(envelope, rng):
    for scale in (0.3, 3.0):
        x, z = scale * rng.normal(size=(2, 3))
        slope = envelope.gradient(x)
        for e in np.eye(3):
            quotient = (envelope.value(x + 1e-6 * e) - envelope.value(x - 1e-6 * e)) / 2e-6
            assert abs(quotient - slope @ e) < 1e-5 * (1 + np.abs(slope).max())
        assert_in_class(envelope.operator_class, sample(envelope, x), sample(envelope, z))
        assert_in_class(envelope.operator_class, sample(envelope, z), sample(envelope, x))
        bent = envelope.in_metric()
        x, z = (bent.root @ v for v in (x, z))
        assert_in_class(bent.operator_class, sample(bent, x), sample(bent, z))
        assert_in_class(bent.operator_class, sample(bent, z), sample(bent, x))


@pytest.mark.parametrize("make", [members.ForwardBackwardEnvelope, members.DouglasRachfordEnvelope])
def test_the_envelope_has_the_minimum_of_the_sum(make):
    f, g = QUADRATIC, members.L1Norm(1)
    step = 1 / (2 * f.operator_class.L)
    envelope = make(f, g, step)
    flow = lf.flows.forward_backward_flow(f.operator_class, lf.Convex(), step=step)
    minimiser = lf.find_equilibrium(flow, [f, g]).x[0]
    start = minimiser + (0 if make is members.ForwardBackwardEnvelope else float(step)) * f.gradient(minimiser)
    assert np.allclose(envelope.generalised_gradient(start), 0, atol=1e-9)
    assert abs(envelope.value(start) - f.value(minimiser) - g.value(minimiser)) < 1e-12


def test_the_moreau_envelope(rng):
    for g in NONSMOOTH.values():
        M = members.MoreauEnvelope(g, "1/3")
        for x, z in rng.normal(size=(4, 2, 3)):
            assert_in_class(M.operator_class, sample(M, x), sample(M, z))
            y = M.prox(x, 0.7)
            assert np.allclose((x - y) / 0.7, M.gradient(y))


@pytest.mark.parametrize(
    ("f", "step", "said"),
    [(members.Huber(), "1/4", "quadratic f"), (QUADRATIC, 1, "step"), (QUADRATIC, 0, "step > 0")],
)
def test_envelopes_that_are_none_are_refused(f, step, said):
    with pytest.raises(lf.InvalidModelError, match=said):
        members.ForwardBackwardEnvelope(f, members.L1Norm(), step)


# --- quadratic f: a gradient in a metric --------------------------------------------------------------------------


@given(
    mu=st.fractions(min_value=Q(1, 50), max_value=1, max_denominator=50),
    kappa=st.integers(2, 200),
    share=st.fractions(min_value=Q(1, 20), max_value=Q(19, 20), max_denominator=20),
)
def test_accelerated_rates_of_quadratic_functions(mu, kappa, share):
    """V-rates of at least the root of the modulus, mu and mu/(1 + step mu), at twice that damping."""
    f, step = lf.Quadratic(mu, mu * kappa), share / (mu * kappa)
    for make, modulus in ((FB, mu), (DR, mu / (1 + step * mu))):
        root = Q(float(modulus) ** 0.5)
        certificate = lf.certify(make(f, lf.Convex(), step=step, damping=2 * root))
        assert isinstance(certificate.template, lf.VariableMetric)
        assert certificate.rate >= root / 2
        assert certificate.rate <= root * (1 + Q(1, 10**6))
        assert lf.verify(certificate).proved


@pytest.mark.parametrize("make", [FB, DR])
@pytest.mark.parametrize("mu", [0, 1])
@pytest.mark.parametrize("r", [3, 5, 2])
def test_sublinear_rates_of_quadratic_functions(make, mu, r):
    flow = make(lf.Quadratic(mu, 10), lf.ConvexIndicator(), step="1/20", r=r)
    certificate = lf.certify(flow, lf.SublinearDecay())
    assert certificate.order == min(Q(2), Q(2 * r, 3))
    assert lf.verify(certificate).proved
    if r >= 3:
        largest = find_reduction(flow).largest
        assert certificate.constant([1, 0]) == (r - 1) * largest  # |x|_W^2 <= largest |x|^2


def test_the_metric_is_exact():
    for make, mu, L, least, largest in (
        (FB, 1, 20, Q(1, 2), Q(19, 20)),
        (DR, Q(20, 21), Q(400, 21), Q(1, 3), Q(19, 21)),
    ):
        reduction = find_reduction(make(lf.Quadratic(1, 10), lf.Convex(), step="1/20", damping=2))
        assert reduction.plant.oracles == (lf.SmoothStronglyConvex(mu, L),)
        assert (reduction.least, reduction.largest) == (least, largest)


@pytest.mark.parametrize(
    "flow",
    [
        FB(F, lf.Convex(), step="1/20", damping=2),
        FB(lf.Quadratic(1, 10), lf.Convex(), step="1/10", damping=2),
        lf.flows.davis_yin_flow(lf.Quadratic(1, 10), lf.Convex(), lf.Convex(), step="1/20"),
        lf.flows.heavy_ball_flow(lf.Quadratic(1, 10), damping=2),
    ],
)
def test_where_there_is_no_metric(flow):
    with pytest.raises(lf.InvalidModelError, match="VariableMetric needs"):
        lf.attempt(flow, template=lf.VariableMetric())


def test_flows_of_first_order_may_use_the_metric_too():
    flow = lf.flows.forward_backward_flow(lf.Quadratic(1, 10), lf.Convex(), step="1/20")
    certificate = lf.certify(flow, template=lf.VariableMetric())
    assert certificate.rate == Q(1, 20)


# --- general f: outputs in V --------------------------------------------------------------------------------------

A2 = [  # (L, step L, damping, V-rate of the derived table, whose V has no derivative of the prox point)
    (10, "1", "4", 0.535),
    (10, "1/2", "5/2", 0.768),
    (10, "1/4", "2.1213", 1.037),
    (10, "1/10", "2", 1.229),
    (100, "1/2", "6", 0.333),
    (100, "1/10", "5/2", 0.811),
    (100, "1/100", "2.1213", 1.285),
]


@pytest.mark.parametrize(("L", "share", "damping", "v_rate"), A2)
def test_the_table_of_general_functions_is_passed(L, share, damping, v_rate):
    flow = FB(lf.SmoothStronglyConvex(1, L), lf.Convex(), step=Q(share) / L, damping=damping)
    outcome = lf.attempt(flow)
    assert 2 * outcome.certificate.rate >= Q(v_rate) - Q(1, 1000)
    assert outcome.certificate.rate <= outcome.witness.rate
    assert lf.verify(outcome.certificate).proved


@pytest.mark.parametrize("kappa", [3, 10, 40])
def test_a_short_step_keeps_the_rate_of_the_smooth_flow(kappa):
    """T18: V-rate sqrt(mu) at damping 2 sqrt(mu) for steps up to mu/L^2."""
    flow = FB(lf.SmoothStronglyConvex(1, kappa), lf.Convex(), step=Q(1, kappa**2), damping=2)
    assert lf.certify(flow).rate >= Q(1, 2)


def test_douglas_rachford_for_general_functions():
    certificate = lf.certify(DR(F, lf.Convex(), step="1/4", damping=2))
    assert certificate.template == OUTPUTS
    assert certificate.rate > Q(12, 25)


def dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Q(0))


def combine(*terms):
    return tuple(sum((Q(c) * v[k] for c, v in terms), Q(0)) for k in range(3))


@pytest.mark.parametrize("make", [FB, DR])
@pytest.mark.parametrize("f", [F, lf.Quadratic(1, 10)])
@pytest.mark.parametrize("seed", range(4))
def test_the_pencil_is_the_derivative_of_V(make, f, seed):
    """V, its derivative and the class inequalities from their definitions in Q^3, derivatives of outputs free."""
    source = random.Random(seed)

    def vector():
        return tuple(Q(source.randint(-9, 9), source.randint(1, 9)) for _ in range(3))

    gamma, b, rate = Q(1, 7), Q(source.randint(1, 9), 4), Q(source.randint(1, 9), 11)
    pencil = assemble(make(f, lf.Convex(), step=gamma, damping=b), lf.ExponentialDecay(rate), OUTPUTS, bounded=True)
    values = {name: Q(source.randint(-9, 9), source.randint(1, 9)) for name in pencil.unknowns}
    x, p, u, v, du, dv = (vector() for _ in range(6))
    phi, psi = Q(source.randint(-9, 9)), Q(source.randint(-9, 9))
    dp = combine((-b, p), (-1, u), (-1, v))
    if make is FB:  # where f and g are evaluated, and how these points move
        y, z = x, combine((1, x), (-gamma, u), (-gamma, v))
        dy, dz = p, combine((1, p), (-gamma, du), (-gamma, dv))
    else:
        y, z = combine((1, x), (-gamma, u)), combine((1, x), (-2 * gamma, u), (-gamma, v))
        dy, dz = combine((1, p), (-gamma, du)), combine((1, p), (-2 * gamma, du), (-gamma, dv))
    zeta, dzeta = (x, p, u, v), (p, dp, du, dv)
    P = [[values[f"P[{min(i, j)},{max(i, j)}]"] for j in range(4)] for i in range(4)]
    lam, kap = values["value[f]"], values["value[g]"]
    V = sum((P[i][j] * dot(zeta[i], zeta[j]) for i in range(4) for j in range(4)), Q(0)) + lam * phi + kap * psi
    dV = sum((2 * P[i][j] * dot(zeta[i], dzeta[j]) for i in range(4) for j in range(4)), Q(0))
    dV += lam * dot(u, dy) + kap * dot(v, dz)

    def sector(a, b):
        return dot(combine((1, b), (-1, a)), combine((10, a), (-1, b)))

    known = {"g interpolation(t,*)": psi, "g interpolation(*,t)": dot(v, z) - psi, "g slope": dot(dv, dz)}
    known["f slope"] = sector(dy, du)
    if f is F:
        q = dot(u, u) / 18 + Q(10, 18) * dot(y, y) - Q(1, 9) * dot(u, y)
        known |= {"f interpolation(t,*)": phi - q, "f interpolation(*,t)": dot(u, y) - phi - q}
    else:
        known |= {"f value-(t)": phi - dot(u, y) / 2, "f value+(t)": dot(u, y) / 2 - phi, "f sector(t)": sector(y, u)}
        known["f sector(t,rate)"] = sector(combine((1, y), (-1, dy)), combine((1, u), (-1, du)))
        turn = dot(u, dy) - dot(du, y)
        known |= {"f symmetry-(t,rate)": turn, "f symmetry+(t,rate)": -turn}

    def total(part):
        own = [name for name in pencil.nonnegative if name.startswith(f"{part}: ")]
        return sum((values[name] * known[name.removeprefix(f"{part}: ")] for name in own), Q(0))

    size = dot(x, x) + dot(p, p)
    expected = {
        "decrease": -(dV + 2 * rate * V) - total("decrease"),
        "positivity": V - size - total("positivity"),
        "upper bound": values["upper bound"] * size - V - total("upper bound"),
    }
    equalities = {e.name: e.at(values) for e in pencil.equalities}
    signals = (x, p, u, v, du, dv)
    for condition in pencil.conditions:
        part = condition.name
        form = sum(
            quadratic_value(condition.at(values), [s[k] for s in signals[: len(condition.signals)]]) for k in range(3)
        )
        form += phi * equalities.get(f"{part}: value of f", 0) + psi * equalities.get(f"{part}: value of g", 0)
        assert form == expected[part], part


@pytest.mark.parametrize(
    ("system", "said"),
    [
        (lf.flows.heavy_ball_flow(lf.StronglyConvex(1), damping=2), "derivative along the flow"),
        (lf.flows.primal_dual_flow(F, constraint=[[1, 1]]), "derivative along the flow"),
        (lf.flows.gradient_flow(lf.SectorBounded(1, 2)), "derivative along the flow"),
        (lf.algorithms.gradient_descent(F, step="1/10"), "discrete time"),
    ],
)
def test_outputs_that_do_not_move_smoothly_are_refused(system, said):
    with pytest.raises(lf.InvalidModelError, match=said):
        lf.attempt(system, template=OUTPUTS)


# --- soundness, members, reports ----------------------------------------------------------------------------------

TRIALS = int(os.environ.get("LYAPFLOW_TRIALS", "5"))  # `make test-all` makes 250
CLAIMS = {
    "fb-metric": (FB(lf.Quadratic(1, 10), lf.SupportFunction(), step="1/20", damping=2), lf.ExponentialDecay()),
    "dr-metric": (DR(lf.Quadratic(1, 10), lf.SupportFunction(), step="1/20", damping=2), lf.ExponentialDecay()),
    "fb-outputs": (FB(F, lf.SupportFunction(), step="1/20", damping=2), lf.ExponentialDecay()),
    "dr-outputs": (DR(F, lf.SupportFunction(), step="1/4", damping=2), lf.ExponentialDecay()),
    "fb-order": (FB(lf.Quadratic(0, 10), lf.SupportFunction(), step="1/20", r=3), lf.SublinearDecay()),
    "dr-order": (DR(lf.Quadratic(0, 10), lf.SupportFunction(), step="1/20", r=4), lf.SublinearDecay()),
}


@cache
def certify(name):
    return lf.certify(*CLAIMS[name])


@pytest.fixture(params=CLAIMS)
def proved(request):
    return certify(request.param)


def test_files_are_read_back_and_proved(proved, tmp_path):
    file = lf.save(proved, tmp_path / "c.json")
    assert lf.load(file) == proved
    assert lf.verify(file).proved


def test_corrupted_numbers_are_refused(proved):
    claim = type(proved.claim)(proved.claim.number * Q(101, 100))
    assert not lf.verify(dataclasses.replace(proved, claim=claim)).proved
    for k, (name, value) in enumerate(proved.unknowns):
        unknowns = list(proved.unknowns)
        unknowns[k] = (name, -value or Q(-1))
        if name != "P[0,1]" or isinstance(proved.claim, lf.ExponentialDecay):
            assert not lf.verify(dataclasses.replace(proved, unknowns=tuple(unknowns))).proved, name


def test_the_metric_cannot_be_had_for_another_class(proved):
    general = FB(lf.SmoothStronglyConvex(1, 10), lf.Convex(), step="1/20", damping=2)
    changed = dataclasses.replace(proved, system=general, template=lf.VariableMetric())
    with pytest.raises(lf.InvalidModelError):
        lf.verify(changed)


def test_random_members_keep_the_promise(proved):
    assert lf.falsify(proved, TRIALS, np.random.default_rng(3)) is None


def test_the_equilibrium_is_found_in_spite_of_momentum(rng):
    """The flow without momentum finds it; momentum would go round it for long."""
    X = rng.normal(size=(60, 8)) @ np.diag(np.geomspace(1, 0.05, 8))
    f, g = members.QuadraticFunction(X.T @ X / 60, -X.T @ rng.normal(size=60)), members.L1Norm("1/10")
    step = 1 / (2 * f.operator_class.L)
    for make in (FB, DR):
        flow = make(f.operator_class, lf.SupportFunction(), step=step, damping="1/50")
        rest = lf.find_equilibrium(flow, [f, g])
        assert rest.residual < 1e-9
        assert np.abs(rest.x[1]).max() < 1e-12


def test_a_wrong_rate_is_falsified():
    certificate = lf.certify(*CLAIMS["fb-metric"])
    wrong = dataclasses.replace(certificate, claim=lf.ExponentialDecay(2 * certificate.rate))
    assert lf.falsify(wrong, 60, np.random.default_rng(0)) is not None


def test_the_value_stays_below_its_bound_on_a_lasso():
    f, g = SINGULAR, members.L1Norm("1/2")
    flow = FB(lf.Quadratic(0, f.operator_class.L), lf.SupportFunction(), step=1 / (2 * f.operator_class.L), r=3)
    certificate = lf.certify(flow, lf.SublinearDecay())
    path = lf.simulate(flow, [f, g], [[4.0, -3.0, 2.0], [0.0, 0.0, 0.0]], (0.01, 60), points=1500)
    V = path.storage(certificate)
    assert np.all(np.diff(V) <= 1e-7 * V[0])
    assert np.all(path.scaled_value(certificate) <= V + 1e-9)
    deviation = [list(map(Q, (path.x[0, 0] - path.equilibrium.x[0]).tolist())), [0, 0, 0]]
    assert path.scaled_value(certificate).max() <= float(certificate.constant(deviation))


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in {"fb-metric", "dr-outputs", "dr-order"} else pytest.mark.slow) for n in CLAIMS],
)
def test_a_page_with_a_run_is_proved(name, tmp_path):
    proved = certify(name)
    f, g = members.QuadraticFunction(np.diag([1.0, 10.0]), [3.0, 4.0]), members.L1Norm(1)
    path = lf.simulate(proved.system, [f, g], [[5.0, 6.0], [0.0, 0.0]], (0.01, 5))
    page = lf.write_report(tmp_path / "r.html", Simulation(proved, path)).read_text()
    assert "NOT PROVED" not in page


def test_the_report_tells_the_metric_and_the_proof(proved):
    theorem = state_theorem(proved).text
    assert ("the inner product" in theorem) == isinstance(proved.template, lf.VariableMetric)
    assert "identity in the signals" in text_of(argue(proved))
    for step in list_steps(proved):
        size = range(len(step.slack))
        rebuilt = tuple(tuple(sum((d * v[i] * v[j] for d, v in step.squares), Q(0)) for j in size) for i in size)
        assert rebuilt == step.slack


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"step": "1/20", "damping": 2, "r": 3}, "not both"),
        ({"step": 0}, "step"),
        ({"step": 1, "damping": -1}, "damping"),
    ],
)
def test_senseless_parameters_are_refused(options, said):
    with pytest.raises(lf.InvalidModelError, match=said):
        FB(F, lf.Convex(), **options)


@pytest.mark.parametrize("g", [lf.Quadratic(1, 2), lf.StronglyConvex(1), lf.SmoothConvex(1), lf.SupportFunction()])
def test_no_member_is_named_that_g_does_not_have(g):
    """With quadratic g the claim is even true: the flow is a Bessel function."""
    flow = FB(lf.Quadratic(0, 10), g, step="1/20", r=2)
    outcome = lf.attempt(flow, lf.SublinearDecay("19/10"))
    assert isinstance(outcome, lf.Infeasible)
    assert outcome.witness is None
    assert "may still be true" in outcome.explain()
    undamped = lf.attempt(FB(lf.Quadratic(0, 10), g, step="1/20", r=0), lf.SublinearDecay())
    assert "quadratic members" in undamped.explain()


def test_several_evaluations_of_a_quadratic_gradient_of_which_one_moves():
    q = lf.Quadratic(1, 10)
    system = lf.LureSystem(
        [[0]],
        [[-1, 0, -1]],
        [[1], [1], [1]],
        [[0, 0, 0], [0, 0, 0], [0, "-1/100", 0]],
        oracles=[q, lf.SectorBounded(0, 1), q],
        groups=[0, 1, 0],
    )
    outcome = lf.attempt(system, template=OUTPUTS)
    assert isinstance(outcome, lf.Proved | lf.Infeasible | lf.Inconclusive)


def test_classes_that_cannot_be_hashed_are_served():
    @dataclasses.dataclass
    class Own:
        has_values = True
        is_monotone = True
        is_single_valued = True
        equilibria = "any"

        def inequalities(self, points):
            return F.inequalities(points)

        def linear_members(self):
            return F.linear_members()

        def describe(self):
            return "strongly convex"

    assert lf.certify(lf.flows.gradient_flow(Own())).rate == 1


def test_methods_whose_parameters_need_a_modulus():
    for make in (lf.algorithms.triple_momentum, lf.algorithms.nesterov_strongly_convex):
        with pytest.raises(lf.InvalidModelError, match="mu > 0"):
            make(lf.Quadratic(0, 10))


def test_what_cannot_hold_is_refuted_by_a_member():
    outcome = lf.attempt(FB(lf.Quadratic(0, 10), lf.Convex(), step="1/20", r=3), lf.SublinearDecay(3))
    assert isinstance(outcome, lf.Infeasible)
    assert outcome.witness.refutes(Q(3))
    assert "the envelope J(x)" in outcome.explain()
    too_fast = lf.attempt(CLAIMS["fb-metric"][0], lf.ExponentialDecay(2))
    assert too_fast.witness.refutes(Q(2))
    assert isinstance(
        lf.attempt(FB(lf.Quadratic(1, 2), lf.Convex(), step="1/4", r=0), lf.SublinearDecay()), lf.Infeasible
    )
