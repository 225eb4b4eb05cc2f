"""Bounds of the variance by a V: primal-dual systems and several functions, against Lyapunov equations by SciPy."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov, solve_discrete_lyapunov

import lyapflow as lf
from lyapflow.dynamics.lure import take_euler_step
from lyapflow.lmi.noise_bounds import count_modes
from lyapflow.search.delay_witness import check_delay_witness
from lyapflow.search.noise import find_noise_witness

E = np.array([[1, 2, 0], [0, 1, 1]])
F = lf.Quadratic(1, 10)


def _random_hessian(rng, mu, L, n):
    """Eigenvalues often at the ends, eigenvectors anywhere: it commutes with nothing."""
    turn = np.linalg.qr(rng.standard_normal((n, n)))[0]
    values = np.where(rng.random(n) < 0.6, rng.choice([mu, L], n), rng.uniform(mu, L, n))
    return turn @ np.diag(values) @ turn.T


def _variance(A, B, C, D=None, *, discrete=False):
    solve = solve_discrete_lyapunov if discrete else solve_continuous_lyapunov
    X = solve(A, B @ B.T if discrete else -B @ B.T)
    return float(np.trace(C @ X @ C.T) + (0 if D is None else np.sum(D**2)))


def _close_saddle(Q, port, out, *, step=0.0, gain=1.0, a=0.0, E=E):
    """All written out again."""
    m, n = E.shape
    A = np.block([[-Q - a * E.T @ E, -E.T], [gain * E, np.zeros((m, m))]])
    if step:
        A = np.eye(n + m) + step * A
    one = np.eye(n + m)
    B = {
        "gradient": -(step or 1) * one[:, :n], "measurement": -(step or 1) * one[:, :n] @ Q, "dual": one[:, n:],
        "primal": one[:, :n], "state": one,
    }[port]  # fmt: skip
    C = {"state": one, "primal": one[:n], "dual": one[n:], "gradient": np.hstack([Q, np.zeros((n, m))])}[out]
    return A, B, C, (Q if (port, out) == ("measurement", "gradient") else None)


CASES = [
    ("gradient", "state", 0), ("measurement", "dual", 0), ("dual", "state", 0), ("state", "gradient", 0),
    ("gradient", "dual", "1/20"), ("measurement", "gradient", "1/20"), ("dual", "state", "1/20"),
]  # fmt: skip


@pytest.mark.parametrize(("port", "out", "step"), CASES)
def test_no_member_exceeds_the_bound(port, out, step):
    rng = np.random.default_rng(5)
    system = lf.PrimalDualSystem(F, E, step=step, augmentation="1/2", dual_gain=2)
    claim = lf.NoiseAmplification(port, out)
    certificate = lf.certify(system, claim)
    assert lf.verify(certificate).proved
    bound, h = float(certificate.variance), float(Fraction(step))
    seen = [
        _variance(*_close_saddle(_random_hessian(rng, 1, 10, 3), port, out, step=h, gain=2.0, a=0.5), discrete=h > 0)
        for _ in range(60)
    ]
    assert max(seen) <= bound * (1 + 1e-9)
    assert float(find_noise_witness(system, claim).gain) <= bound


@pytest.mark.parametrize(("port", "out", "step"), CASES)
def test_a_known_function_gives_the_variance_itself(port, out, step):
    system = lf.PrimalDualSystem(lf.Quadratic(3, 3), E, step=step, augmentation="1/2")
    certificate = lf.certify(system, lf.NoiseAmplification(port, out))
    h = float(Fraction(step))
    exact = _variance(*_close_saddle(3 * np.eye(3), port, out, step=h, a=0.5), discrete=h > 0)
    assert exact * (1 - 1e-9) <= float(certificate.variance) <= exact * (1 + 2e-6)


@pytest.mark.parametrize(
    ("port", "out", "value"),
    [("gradient", "state", "5/2"), ("gradient", "primal", "3/2"), ("gradient", "dual", "1"), ("dual", "primal", "1"),
     ("measurement", "primal", "15"), ("measurement", "dual", "10"), ("gradient", "gradient", "15")],
)  # fmt: skip
def test_closed_forms_of_the_flow(port, out, value):
    """With Q = s I: n / (2 s) for x, m / (2 s) for lambda from the gradient, times s^2 from the measurement."""
    certificate = lf.certify(lf.flows.primal_dual_flow(F, constraint=E), lf.NoiseAmplification(port, out))
    assert certificate.variance == Fraction(value)


def test_modes_count_as_often_as_they_occur():
    """Twice the singular value 1, once 2, and a null space of dimension 2."""
    rows = [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 2, 0, 0]]
    system = lf.flows.primal_dual_flow(lf.Quadratic(2, 2), constraint=rows)
    assert count_modes(system) == (2, 1, 2)
    certificate = lf.certify(system, lf.NoiseAmplification())
    assert certificate.variance == Fraction(5 + 3, 4)


def test_wide_enclosures_only_make_the_bound_larger():
    """Two different singular values in one interval: counted twice, and every V holds for both."""
    own = lf.PrimalDualSystem(lf.Quadratic(3, 3), [[1, 0, 0], [0, 2, 0]])
    wide = lf.PrimalDualSystem(lf.Quadratic(3, 3), [[1, 0, 0], [0, 2, 0]], enclosures=[["9/10", "41/10"]])
    claim = lf.NoiseAmplification("dual", "state")
    sharp, loose = (lf.certify(system, claim) for system in (own, wide))
    assert sharp.variance <= loose.variance
    assert lf.verify(loose).proved


def _two_functions(step=0):
    """x' = -f1'(x) - f2'(x) with a velocity: heavy ball on a sum."""
    A, B, C = [[0, 1], [0, -4]], [[0, 0], [-1, -1]], [[1, 0], [1, 0]]
    if step:
        A, B = (np.eye(2) + step * np.array(A)).tolist(), (step * np.array(B)).tolist()
    return lf.LureSystem(A, B, C, oracles=[lf.Quadratic(1, 4), lf.Quadratic("1/2", 2)], dt=1 if step else 0)


@pytest.mark.parametrize("step", [0, 0.125])
@pytest.mark.parametrize("port", ["gradient", "measurement", "f2"])
def test_several_functions_that_do_not_commute(port, step):
    system, rng, d = _two_functions(step), np.random.default_rng(2), 3
    certificate = lf.certify(system, lf.NoiseAmplification(port))
    assert lf.verify(certificate).proved
    one, h = np.eye(d), step or 1.0
    worst = 0.0
    for _ in range(60):
        Q, R = _random_hessian(rng, 1, 4, d), _random_hessian(rng, 0.5, 2, d)
        A = np.block([[0 * one, one], [-Q - R, -4 * one]])
        A = np.eye(2 * d) + step * A if step else A
        low = {"gradient": np.hstack([one, one]), "measurement": np.hstack([Q, R]), "f2": one}[port]
        B = np.vstack([0 * low, -h * low])
        worst = max(worst, _variance(A, B, np.eye(2 * d), discrete=step > 0) / d)
    assert worst <= float(certificate.variance) * (1 + 1e-9)


@pytest.mark.parametrize("out", ["state", "gradient"])
def test_prox_steps_are_bounded_too(out):
    """Proximal point on Q: x+ = (I + h Q)^-1 (x + noise at the argument of the oracle ...), written out."""
    system = lf.algorithms.proximal_point(F, step="1/2")
    for port in ("state", "measurement", "gradient"):
        certificate = lf.certify(system, lf.NoiseAmplification(port, out))
        assert lf.verify(certificate).proved
        for s in (1.0, 3.0, 10.0):
            u_x = s / (1 + s / 2)
            u_w = {"state": 0.0, "measurement": u_x, "gradient": -u_x / 2}[port]
            w = {"state": 1.0, "measurement": 0.0, "gradient": -0.5}[port] - u_w / 2
            a = 1 - u_x / 2
            X = w**2 / (1 - a**2)
            seen = X if out == "state" else u_x**2 * X + u_w**2
            assert seen <= float(certificate.variance) * (1 + 1e-9)


@pytest.mark.parametrize("port", ["gradient", "dual", "measurement"])
def test_bounds_are_saved_attacked_and_reported(port, tmp_path):
    system = lf.flows.primal_dual_flow(F, constraint=[[1, 1]])
    certificate = lf.certify(system, lf.NoiseAmplification(port))
    path = tmp_path / "noise.json"
    lf.save(certificate, path)
    assert lf.load(path) == certificate
    assert lf.verify(path).proved
    less = certificate.claim.with_number(certificate.variance * Fraction(99, 100))
    assert not lf.verify(replace(certificate, claim=less)).proved
    for k, (name, value) in enumerate(certificate.unknowns):
        for new in (-value - 1, value * Fraction(9, 10) - Fraction(1, 10**6)):
            wrong = (*certificate.unknowns[:k], (name, new), *certificate.unknowns[k + 1 :])
            if ": " not in name or new < 0:  # a smaller multiplier may do
                assert not lf.verify(replace(certificate, unknowns=wrong)).proved, name
    assert not lf.verify(replace(certificate, unknowns=certificate.unknowns[1:])).proved
    assert not lf.verify(replace(certificate, unknowns=())).proved
    data = json.loads(path.read_text())
    other = {"type": "QuadraticStorage"} if data["template"]["type"] == "AdjointStorage" else {
        "type": "AdjointStorage", "form": data["template"]}  # fmt: skip
    path.write_text(json.dumps(data | {"template": other}))
    assert not lf.verify(path).proved
    report = tmp_path / "report.html"
    lf.write_report(report, certificate)
    text = report.read_text()
    for words in ("starts there", "of all components of z together", "as often as it occurs (sigma1: 1, null: 1)"):
        assert words in text
    assert (certificate.template == lf.AdjointStorage()) == ("adjoint" in text)
    with pytest.raises(lf.InvalidModelError):
        lf.export_coq(certificate, tmp_path / "x.v")


def test_too_small_variances_are_refuted_by_a_member():
    system = lf.flows.primal_dual_flow(F, constraint=E)
    refused = lf.attempt(system, lf.NoiseAmplification(variance=2))
    assert isinstance(refused, lf.Infeasible)
    assert refused.witness.gain == Fraction(5, 2)
    assert "per dimension" not in refused.explain()
    between = lf.attempt(system, lf.NoiseAmplification("dual", variance=7))  # neither proved nor refuted
    assert not isinstance(between, lf.Proved)


def test_what_noise_cannot_speak_of_is_refused():
    noise = lf.NoiseAmplification()
    with pytest.raises(lf.InvalidModelError, match="Quadratic"):
        lf.attempt(lf.flows.primal_dual_flow(lf.SmoothStronglyConvex(1, 10), constraint=E), noise)
    with pytest.raises(lf.InvalidModelError, match="rank"):
        lf.attempt(lf.flows.primal_dual_flow(F, constraint=[[1, 1], [1, 1]]), noise)
    with pytest.raises(lf.InvalidModelError, match="infinite"):
        lf.attempt(lf.flows.primal_dual_flow(F, constraint=E), lf.NoiseAmplification("measurement", "gradient"))
    with pytest.raises(lf.InvalidModelError, match="noise_variance"):
        lf.noise_variance(_two_functions(), [1])
    with pytest.raises(lf.InvalidModelError, match="no channels"):
        lf.attempt(lf.LureSystem([[-1]]), noise)  # there is no gradient
    with pytest.raises(lf.DimensionError):
        lf.attempt(_two_functions(), lf.NoiseAmplification(lf.Port([[1], [1]], [[1]])))


@pytest.mark.parametrize("step", [0, 0.125])
@pytest.mark.parametrize("port", ["gradient", "measurement", "state"])
def test_all_systems_between_vertices(port, step):
    """Both A and B vary; the adjoint has no say then."""
    flows = [([[-1]], [[-1]]), ([[-3]], [["-1/2"]])]
    vertices = [lf.LureSystem(A, B, [[1]], oracles=[F]) for A, B in flows]
    vertices = [take_euler_step(v, Fraction(step)) for v in vertices] if step else vertices
    certificate = lf.certify(lf.PolytopicSystem(vertices), lf.NoiseAmplification(port))
    assert lf.verify(certificate).proved
    assert not isinstance(certificate.template, lf.AdjointStorage)
    worst = 0.0
    for s in np.linspace(1, 10, 10):
        for t in np.linspace(0, 1, 11):
            (a, b) = (
                sum(w * float(getattr(v, M)[0][0]) for w, v in zip((1 - t, t), vertices, strict=True)) for M in "AB"
            )
            closed, into = np.array([[a + b * s]]), {"gradient": b, "measurement": b * s, "state": 1.0}[port]
            worst = max(worst, _variance(closed, np.array([[into]]), np.eye(1), discrete=step > 0))
    assert worst <= float(certificate.variance) * (1 + 1e-9)


def test_noise_that_reaches_nothing_has_any_variance():
    nothing = lf.Port([[0]], [[0]])
    for claim in (lf.NoiseAmplification(nothing), lf.NoiseAmplification(output=nothing, variance=3)):
        certificate = lf.certify(lf.flows.gradient_flow(F), claim)
        assert lf.verify(certificate).proved
        assert certificate.variance in (3, Fraction(1, 10**9))


@pytest.mark.parametrize("claim", [lf.L2Gain(gain=9), lf.ExponentialDecay("1/10"), lf.DelayTolerance("1/100")])
def test_an_adjoint_V_goes_with_noise_only(claim):
    flow = lf.flows.gradient_flow(F)
    with pytest.raises(lf.InvalidModelError, match="template"):
        lf.attempt(flow, claim, template=lf.AdjointStorage())
    certificate = replace(lf.certify(flow, claim), template=lf.AdjointStorage())
    with pytest.raises(lf.InvalidModelError, match="template"):
        lf.verify(certificate)
    with pytest.raises(lf.InvalidModelError, match="form"):
        lf.AdjointStorage(lf.AdjointStorage())


def test_margins_of_a_saddle_flow():
    """Gains of the gradient by the class of k f; delays summed over the modes; no relative error, and why."""
    flow = lf.flows.primal_dual_flow(lf.SmoothStronglyConvex(1, 10), constraint=E)
    found = lf.margins(flow, rate="1/20", tolerance="1/10")
    assert found.error is None
    assert found.gain_down.proved < 1 < found.gain_up.proved
    for margin in (found.gain_up, found.gain_down, found.delay):
        assert lf.verify(margin.certificate).proved
    assert found.gain_up.certificate.system.oracle == lf.SmoothStronglyConvex(
        found.gain_up.proved, 10 * found.gain_up.proved
    )
    assert found.delay.proved < found.delay.witness.crossing < found.delay.fails
    assert check_delay_witness(flow, found.delay.witness)
    assert not check_delay_witness(flow, replace(found.delay.witness, delay=found.delay.proved))
    with pytest.raises(lf.InvalidModelError, match="InputToState"):
        lf.largest_gradient_error(flow)
    with pytest.raises(lf.InvalidModelError, match="multiple of f"):
        lf.scale_gradient(lf.flows.primal_dual_flow(lf.ConvexIndicator(), constraint=E), 2)


def test_margins_of_a_saddle_method():
    """Gradient step h k L below 2 on the null space of E."""
    method = lf.PrimalDualSystem(lf.SmoothStronglyConvex(1, 10), [[1, 1]], step="1/20")
    found = lf.margins(method, tolerance="1/10")
    assert found.delay is None
    assert 1 < found.gain_up.proved < found.gain_up.fails <= Fraction(4) * Fraction(11, 10)
    assert str(found).count("\n") == 1
