"""White noise, relative errors of the gradient, gain and delay margins."""

import tomllib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import control
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solve_continuous_lyapunov, solve_discrete_lyapunov

import lyapflow as lf
from lyapflow.exact.delays import bound_root_abscissa

ROWS = tomllib.loads((Path(__file__).parents[1] / "reference" / "gains.toml").read_text())
F, Q = lf.SmoothStronglyConvex(mu=1, L=10), lf.Quadratic(1, 10)


@pytest.mark.parametrize("row", ROWS["variance"], ids=lambda row: row["name"])
def test_variances_are_those_of_closed_forms(row, tmp_path):
    options = {key: Fraction(row[key]) for key in ("damping", "step") if key in row}
    where = lf.flows if hasattr(lf.flows, row["system"]) else lf.algorithms
    system = getattr(where, row["system"])(Q, **options)
    certificate = lf.certify(system, lf.NoiseAmplification())
    assert certificate.variance == Fraction(row["value"])
    path = tmp_path / "noise.json"
    lf.save(certificate, path)
    assert lf.load(path) == certificate
    assert lf.verify(path).proved
    less = certificate.claim.with_number(certificate.variance * Fraction(9999, 10000))
    assert not lf.verify(replace(certificate, claim=less)).proved
    assert not lf.verify(replace(certificate, unknowns=(("x", Fraction(1)),))).proved
    refused = lf.attempt(system, less)
    assert isinstance(refused, lf.Infeasible)
    assert "is false" in refused.explain()


@settings(max_examples=15, deadline=None)
@given(momentum=st.fractions(0, Fraction(9, 10), max_denominator=20), s=st.fractions(1, 10, max_denominator=30))
def test_variances_of_accelerated_methods_agree_with_published_formulas(momentum, s):
    """Mohammadi, Razaviyayn, Jovanovic (2021), Theorem 1: noise of the position; here of the gradient, times h^2."""
    h, b = Fraction(1, 10), momentum
    ball = lf.algorithms.heavy_ball(Q, step=h, momentum=b)
    out = _see_position(ball)
    found = lf.noise_variance(ball, [s], output=out)
    assert found == h**2 * (1 + b) / (h * s * (1 - b) * (2 * (1 + b) - h * s))
    fast = lf.algorithms.nesterov(Q, step=h, momentum=b)
    found = lf.noise_variance(fast, [s], output=_see_position(fast))
    top = 1 + b * (1 - h * s)
    assert found == h**2 * top / (h * s * (1 - b * (1 - h * s)) * (2 * (1 + b) - (2 * b + 1) * h * s))


def _see_position(system):
    return lf.Port([[1] + [0] * (system.shape[0] - 1)], [[0]])


@settings(max_examples=15, deadline=None)
@given(share=st.floats(0, 1), damping=st.integers(1, 8))
def test_variances_bound_those_of_a_numerical_lyapunov_equation(share, damping):
    s = 1 + 9 * share
    flow = lf.flows.heavy_ball_flow(Q, damping=damping)
    proved = lf.certify(flow, lf.NoiseAmplification(input="state")).variance
    X = solve_continuous_lyapunov(np.array([[0, 1.0], [-s, -damping]]), -np.eye(2))
    assert np.trace(X) <= float(proved) * (1 + 1e-9)
    method = lf.algorithms.nesterov(Q, step="1/10", momentum="1/3")
    proved = lf.certify(method, lf.NoiseAmplification()).variance
    A, B, C = (np.array(part, float) for part in (method.A, method.B, method.C))
    X = solve_discrete_lyapunov(A + s * B @ C, B @ B.T)
    assert np.trace(X) <= float(proved) * (1 + 1e-9)


@pytest.mark.parametrize(("port", "value"), [("gradient", Fraction(1, 3)), ("measurement", Fraction(3))])
def test_primal_dual_dynamics_of_a_known_quadratic_are_a_linear_system(port, value):
    """x' = -s x - E' p, p' = E x: 1 / (2 s) for x and for p per constraint with noise n; times s^2 with -s n."""
    s, E = 3, np.array([[1, 2]])
    A = np.block([[-s * np.eye(2), -E.T], [E, np.zeros((1, 1))]]).astype(int).tolist()
    into = (np.vstack([np.eye(2), np.zeros((1, 2))]) * (1 if port == "gradient" else -s)).astype(int).tolist()
    none = [[]] * 0
    linear = lf.LureSystem(A, [[], [], []], [], [], oracles=[])
    for rows, share in (([[1, 0, 0], [0, 1, 0]], 2), ([[0, 0, 1]], 1)):
        out = lf.Port(rows, [[]] * len(rows))
        certificate = lf.certify(linear, lf.NoiseAmplification(input=lf.Port(into, none), output=out))
        assert lf.verify(certificate).proved
        assert certificate.variance == value / 2 * share
    with pytest.raises(lf.InvalidModelError, match="eigenvalues"):
        lf.noise_variance(linear, [1], input="state")
    assert lf.noise_variance(linear, [0], input="state") > 0


def test_the_worst_eigenvalue_may_lie_inside():
    """Output of which the variance grows and falls with s."""
    flow = lf.flows.heavy_ball_flow(lf.Quadratic("1/10", 10), damping=1)
    port = lf.Port([[Fraction(1, 3), 0]], [[1]])
    certificate = lf.certify(flow, lf.NoiseAmplification(input="state", output=port))
    seen = [lf.noise_variance(flow, [s], input="state", output=port) for s in np.linspace(0.1, 10, 400)]
    assert max(seen) <= certificate.variance <= max(seen) * Fraction(1001, 1000)
    assert lf.verify(certificate).proved


def test_noise_of_an_unstable_eigenvalue_is_refused_with_it():
    found = lf.attempt(lf.algorithms.gradient_descent(Q, step="1/4"), lf.NoiseAmplification())
    assert isinstance(found, lf.Infeasible)
    assert found.witness.gain is None
    inside = lf.flows.gradient_flow(lf.Quadratic(0, 1))
    assert isinstance(lf.attempt(inside, lf.NoiseAmplification()), lf.Infeasible)


@pytest.mark.parametrize("delta", ["1/10", "1/2", "9/10"])
def test_relative_errors_cost_what_is_published(delta):
    """de Klerk, Glineur, Taylor (2020), Theorem 5.3; and (1 - delta) mu for the gradient flow, by V = f - f*."""
    d = Fraction(delta)
    h, kappa = 2 / ((1 - d) + (1 + d) * 10), (1 - d) / ((1 + d) * 10)
    method = lf.perturb_gradient(lf.algorithms.gradient_descent(F, step=h), relative_error=d)
    found = lf.bracket(method)
    exact = (1 - kappa) / (1 + kappa)
    assert exact <= found.certificate.factor <= exact * Fraction(1000001, 1000000)
    assert found.witness.factor <= exact
    flow = lf.bracket(lf.perturb_gradient(lf.flows.gradient_flow(F), relative_error=d))
    assert flow.certificate.rate == 1 - d == flow.witness.rate


def test_relative_errors_are_saved_and_refuse_nonsense(tmp_path):
    flow = lf.perturb_gradient(lf.flows.heavy_ball_flow(F, damping=2), relative_error="1/5")
    certificate = lf.certify(flow)
    lf.save(certificate, tmp_path / "error.json")
    assert lf.verify(tmp_path / "error.json").proved
    assert lf.falsify(certificate, 2, np.random.default_rng(0)) is None
    for value in (0, 1, -1):
        with pytest.raises(lf.InvalidModelError, match="relative_error"):
            lf.perturb_gradient(lf.flows.gradient_flow(F), relative_error=value)
    with pytest.raises(lf.InvalidModelError, match="explicit"):
        lf.perturb_gradient(lf.algorithms.proximal_point(lf.Convex(), step=1), relative_error="1/2")
    with pytest.raises(lf.InvalidModelError, match="gain"):
        lf.scale_gradient(lf.flows.gradient_flow(F), 0)


def test_errors_are_right_at_several_evaluations():
    """An error enters wherever its gradient does, and nowhere else: the perturbed right side against a direct one."""
    system = lf.algorithms.extragradient(lf.SmoothStronglyConvex(1, 10), step="1/20")
    wrong = lf.perturb_gradient(system, relative_error="1/4")
    assert wrong.oracle_names[1::2] == tuple("e" + name for name in system.oracle_names)
    rng = np.random.default_rng(3)
    x, s, e = rng.standard_normal(1), 4.0, (0.2, -0.1)
    A, B, C, D = (np.array(part, float) for part in (wrong.A, wrong.B, wrong.C, wrong.D))
    u = np.zeros(4)
    for j in range(4):
        u[j] = (s if j % 2 == 0 else e[j // 2]) * (C[j] @ x + D[j] @ u)
    first = s * x[0] * (1 + e[0])
    second = s * (x[0] - first / 20) * (1 + e[1])
    assert np.allclose(A @ x + B @ u, x - second / 20)


def test_margins_bracket_those_of_linear_members():
    method = lf.margins(lf.algorithms.gradient_descent(F, step="1/10"))
    assert 1.999 < method.gain_up.proved < 2 <= method.gain_up.fails < 2.001
    assert method.delay.proved == 0  # z^2 - z + 1 has its roots on the circle, which is no proof that it fails
    assert method.delay.fails == 2
    short = lf.margins(lf.algorithms.gradient_descent(F, step="1/20"), tolerance="1/100").delay
    assert (short.proved, short.fails) == (2, 3)  # stable for h L < 2 sin(pi / (2 (2 d + 1))): 0.618 and 0.445
    assert lf.verify(method.gain_up.certificate).proved
    assert method.gain_up.witness.refutes(None)
    late = lf.attempt(lf.scale_gradient(lf.algorithms.gradient_descent(F, step="1/10"), 2), lf.Contraction())
    assert isinstance(late, lf.Infeasible)
    assert late.witness.refutes(None)  # a concrete unstable member, no bare no
    flow = lf.margins(lf.flows.heavy_ball_flow(F, damping=2), tolerance="1/100")
    assert flow.error.proved < flow.error.fails
    assert flow.delay.proved < flow.delay.witness.crossing < flow.delay.fails
    assert lf.verify(flow.delay.certificate).proved


def test_late_methods_are_those_of_a_direct_implementation():
    method = lf.delay_gradient(lf.algorithms.gradient_descent(F, step="1/40"), 2)
    A, B, C = (np.array(part, float) for part in (method.A, method.B, method.C))
    x = np.ones(3)
    history = [1.0, 1.0, 1.0]
    for _ in range(20):
        history.append(history[-1] - 4 / 40 * history[-3])
        x = A @ x + B[:, 0] * 4 * (C[0] @ x)
        assert x[0] == pytest.approx(history[-1], rel=1e-12)
    slow = lf.bracket(method)
    assert lf.verify(slow.certificate).proved
    assert slow.certificate.factor < 1
    for wrong in (-1, True, 1.5):
        with pytest.raises(lf.InvalidModelError, match="steps"):
            lf.delay_gradient(method, wrong)
    with pytest.raises(lf.InvalidModelError, match="DelayTolerance"):
        lf.delay_gradient(lf.flows.gradient_flow(F), 1)


def test_largest_error_needs_decay():
    with pytest.raises(lf.NoCertificateError):
        lf.margins(lf.algorithms.gradient_descent(F, step="1/4"))
    error, certificate = lf.largest_gradient_error(lf.flows.gradient_flow(F), rate="1/2", tolerance="1/100")
    assert 0.49 < error <= Fraction(1, 2)
    assert lf.verify(certificate).proved


@pytest.mark.parametrize("damping", [1, 2, 5])
def test_delays_agree_with_the_delay_margin_of_python_control(damping):
    flow = lf.flows.heavy_ball_flow(F, damping=damping)
    witness = lf.find_delay_witness(flow, lf.DelayTolerance())
    loop = control.tf([float(witness.slope)], [1, damping, 0])
    _, phase, _, _, crossover, _ = control.stability_margins(loop)
    assert np.deg2rad(phase) / crossover == pytest.approx(witness.crossing, rel=1e-6)
    proved = lf.certify(flow, lf.DelayTolerance()).delay
    assert 0.5 * witness.crossing < proved < witness.crossing
    if damping == 2:
        assert proved > Fraction(damping, 10)  # damping / L: V = f - f* + |x'|^2 / 2 by itself


def test_delays_of_the_gradient_flow():
    """Between small gain, 1/L, and the truth for linear members, pi / (2 L)."""
    flow = lf.flows.gradient_flow(F)
    certificate = lf.certify(flow, lf.DelayTolerance())
    assert 0.1 < certificate.delay < np.pi / 20
    slower = lf.certify(flow, lf.DelayTolerance(rate="1/2"))
    assert slower.delay < certificate.delay
    assert slower.claim.stretch >= (np.exp(0.5 * float(slower.delay)) - 1) / 0.5 - 1e-15
    assert slower.claim.growth >= np.exp(float(slower.delay)) - 1e-15


@pytest.mark.parametrize("slope", [1.0, 4.0, 10.0])
def test_delayed_members_stay_below_the_proved_bound(slope):
    """Method of steps with Euler's method, from a constant history: |x|^2 exp(2 rate t) <= K |x(0)|^2."""
    certificate = lf.certify(lf.flows.gradient_flow(F), lf.DelayTolerance(rate="1/2"))
    delay, values = float(certificate.delay), certificate.values
    K = float(values["upper bound"] + values["shift: f"] * certificate.claim.growth * certificate.delay)
    n = 400
    h = delay / n
    x = [1.0] * (n + 1)
    for k in range(20 * n):
        x.append(x[-1] - h * slope * x[k])
    t = h * np.arange(len(x) - n)
    assert np.all(np.array(x[n:]) ** 2 * np.exp(t) <= K * 1.01)


def test_a_root_is_proved_only_where_there_is_one():
    p, q = (Fraction(0), Fraction(1)), (Fraction(1),)  # s + exp(-s tau)
    assert bound_root_abscissa(p, q, Fraction(2), 0.0864080 + 0.8368432j, 1e-5) > 0
    assert bound_root_abscissa(p, q, Fraction(2), 0.5 + 0.9j, 1e-3) is None
    assert bound_root_abscissa((Fraction(1), Fraction(1)), (Fraction(0),), Fraction(1), -1.0 + 0j) < 0
