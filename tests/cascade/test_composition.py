"""From stages to one certificate for the whole."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from cascades import observer_and_controller
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import lyapflow as lf
from lyapflow.cascade import (
    ExponentialBound,
    PowerBound,
    add_stages,
    bound_gradient,
    certify_stage,
    certify_stages,
    compose,
    decompose,
    drive,
)

F = lf.SmoothStronglyConvex(1, 10)


def strict_feedback(*poles, gain=1):
    n = len(poles)
    return lf.LureSystem([[poles[i] if i == j else gain * (i == j + 1) for j in range(n)] for i in range(n)])


KNOWN = {
    "one pole after a slower one": (strict_feedback(-1, -3, gain=5), 1),
    "one pole after a faster one": (strict_feedback(-3, -1, gain=5), 1),
    "five poles": (strict_feedback(-4, -2, -3, -1, -5), 1),
    "two equal poles": (strict_feedback(-2, -2, gain=5), 2),
    "gradient flow, filtered": (lf.LureSystem([[0, 0], [1, -2]], [[-1], [0]], [[1, 0]], oracles=[F]), 1),
    "gradient flow, its gradient filtered": (
        lf.LureSystem([[0, 0], [0, -2]], [[-1], [1]], [[1, 0]], oracles=[F]),
        1,
    ),
    "fast dual after slow primal": (lf.LureSystem([[0, 0], [50, -50]], [[-1], [0]], [[1, 0]], oracles=[F]), 1),
    "slow dual after fast primal": (
        lf.LureSystem([[0, 0], [1, "-1/10"]], [[-1], [0]], [[1, 0]], oracles=[F]),
        Fraction(1, 10),
    ),
    "two gradient flows": (
        lf.LureSystem([[0, 0], [1, -2]], [[-1, 0], [0, -1]], [[1, 0], [0, 1]], oracles=[F, F]),
        1,
    ),
    "heavy ball, then a gradient flow": (
        lf.LureSystem([[0, 1, 0], [0, -2, 0], [1, 0, 0]], [[0, 0], [-1, 0], [0, -1]], [[1, 0, 0], [0, 0, 1]],
                      oracles=[F, F]),
        Fraction(71629761, 10**8),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_cascade_is_as_fast_as_its_slowest_stage(name):
    system, rate = KNOWN[name]
    certificate = compose(decompose(system))
    assert rate * (1 - 3e-6) <= certificate.rate <= rate
    assert lf.verify(certificate).proved
    assert certificate.is_bounded


@pytest.mark.parametrize("reveal", ["schur", [[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, -1, 0], [0, 1, 0, -1]]])
def test_observer_and_controller_recover_the_double_pole(reveal):
    system = observer_and_controller()
    certificate = compose(decompose(system, transformation=reveal))
    assert 2 * (1 - 3e-6) <= certificate.rate <= 2
    assert lf.verify(certificate).proved
    assert certificate.system == system


@pytest.mark.parametrize(
    ("system", "factor"),
    [
        (lf.LureSystem([["1/2", 0], [1, "1/3"]], dt=1), Fraction(1, 2)),
        (lf.LureSystem([[1, 0], [1, "1/3"]], [["-1/10"], [0]], [[1, 0]], oracles=[F], dt=1), Fraction(9, 10)),
    ],
)
def test_cascades_in_discrete_time(system, factor):
    certificate = compose(decompose(system))
    assert factor <= certificate.factor <= factor + Fraction(1, 10**5)
    assert lf.verify(certificate).proved


def test_the_composed_certificate_is_one_like_any_other(tmp_path):
    certificate = compose(decompose(KNOWN["two gradient flows"][0]), lf.ExponentialDecay("1/2"))
    lf.save(certificate, tmp_path / "cert.json")
    assert lf.verify(tmp_path / "cert.json").proved
    assert lf.falsify(certificate, 3, np.random.default_rng(1)) is None


def test_the_unstable_stage_is_named():
    system = lf.LureSystem([[-1, 0, 0], [1, "1/2", 0], [0, 1, -3]])
    with pytest.raises(lf.NoCertificateError, match=r"stage 2 \(x2\): .* is false") as caught:
        compose(decompose(system))
    assert caught.value.outcome.witness.refutes(None)


def test_a_stage_that_is_too_slow_is_named():
    with pytest.raises(lf.NoCertificateError, match=r"stage 1 \(x1\)"):
        compose(decompose(strict_feedback(-1, -3)), lf.ExponentialDecay(2))


@pytest.mark.parametrize(("a", "b"), [("1/2", "1/2"), (2, "1/8"), (100, "1/400")])
def test_small_gain_with_feedback(a, b):
    """x' = -x + a y, y' = -y + b x: the rate is 1 - sqrt(a b), and for positive a, b small gain is sharp."""
    cascade = decompose(lf.LureSystem([[-1, a], [b, -1]]), partition=[[0], [1]])
    assert not cascade.is_triangular
    certificate = compose(cascade)
    assert Fraction("0.499") < certificate.rate <= Fraction(1, 2)
    assert lf.verify(certificate).proved


def test_fast_dual_and_slow_primal_in_a_loop():
    """x' = -grad f(x) - l, e l' = -l + x / 2: the faster the dual, the closer to the rate of f + |x|^2 / 4."""
    rates = []
    for fast in (5, 50):
        system = lf.LureSystem([[0, -1], [Fraction(fast, 2), -fast]], [[-1], [0]], [[1, 0]], oracles=[F])
        rates.append(compose(decompose(system, partition=[[0], [1]])).rate)
    assert Fraction(4, 10) < rates[0] < rates[1] <= 1


def test_too_much_gain_is_refused_with_the_loop():
    cascade = decompose(lf.LureSystem([[-1, "3/2"], [1, -1]]), partition=[[0], [1]])
    with pytest.raises(lf.CompositionError, match=r"stage 1 -> stage 2 -> stage 1 .* product 2\.2"):
        compose(cascade)


def test_what_leaves_a_loop_does_not_weigh_on_it():
    system = lf.LureSystem([[-1, "1/2", 0], ["1/2", -1, 0], [1, 0, -2]])
    assert compose(decompose(system, partition=[[0], [1], [2]])).rate > Fraction("0.499")


def test_weights_of_ones_own():
    cascade = decompose(strict_feedback(-3, -1, gain=5))
    claim = lf.ExponentialDecay("1/2")
    certificate = compose(cascade, claim, weights=(1000, 1))
    assert lf.verify(certificate).proved
    with pytest.raises(lf.CompositionError, match=r"stage 1 drives stage 2 .* must be at least"):
        compose(cascade, claim, weights=("1/1000", 1))
    with pytest.raises(lf.CompositionError, match="2 positive numbers"):
        compose(cascade, claim, weights=(1, -1))


def test_certificates_of_stages_that_are_there_already():
    system = KNOWN["two gradient flows"][0]
    cascade = decompose(system)
    own = lf.certify(lf.flows.gradient_flow(F))
    assert compose(cascade, certificates={0: own}).rate > Fraction("0.99999")
    with pytest.raises(lf.CompositionError, match="of another system"):
        compose(cascade, certificates={1: own})
    with pytest.raises(lf.CompositionError, match="no stage 7"):
        compose(cascade, certificates={7: own})
    broken = replace(own, unknowns=tuple((n, -v) for n, v in own.unknowns))
    with pytest.raises(lf.CompositionError, match="not proved"):
        compose(cascade, certificates={0: broken})


def test_corrupted_gains_are_refused():
    cascade = decompose(KNOWN["two gradient flows"][0])
    stages = certify_stages(cascade, lf.ExponentialDecay("1/2"))
    assert all(one.verify().proved for one in stages)
    assert lf.verify(add_stages(cascade, stages)).proved
    for k, one in enumerate(stages):
        for position, (name, value) in enumerate(one.unknowns):
            wrong = list(one.unknowns)
            wrong[position] = (name, -value if "gain" not in name else (value / 10 if name[0] == "i" else 10 * value))
            bad = replace(one, unknowns=tuple(wrong))
            if not value:
                continue
            assert not bad.verify().proved, name
            with pytest.raises(lf.CompositionError, match=f"{one.stage.name} is not proved"):
                add_stages(cascade, [*stages[:k], bad, *stages[k + 1 :]])
    with pytest.raises(lf.CompositionError, match="one certificate for each stage"):
        add_stages(cascade, stages[::-1])
    mixed = certify_stage(cascade, 1, lf.ExponentialDecay("1/3"))
    with pytest.raises(lf.CompositionError, match="at one rate"):
        add_stages(cascade, [stages[0], mixed])


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1))
def test_random_cascades_are_as_fast_as_their_slowest_stage(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    A = np.tril(rng.integers(-4, 5, (n, n)), -1) - np.diag(rng.integers(1, 5, n))
    order = rng.permutation(n)
    certificate = compose(decompose(lf.LureSystem(A[np.ix_(order, order)].tolist())))
    slowest = -int(A.diagonal().max())
    assert slowest * (1 - 2e-2) <= certificate.rate <= slowest
    assert lf.verify(certificate).proved


def test_a_gain_is_one_in_simulation():
    """The dissipation inequality of a stage along trajectories with an input, for a linear member."""
    system = KNOWN["heavy ball, then a gradient flow"][0]
    stage = certify_stage(decompose(system), 1, lf.ExponentialDecay("1/2"))
    P, gamma = dict(stage.unknowns)["P[0,0]"], float(stage.input_gain)
    for slope in (1.0, 4.0, 10.0):
        path = solve_ivp(lambda t, x, s=slope: -s * x + np.sin(3 * t), (0, 6), [1.0], rtol=1e-9, dense_output=True)
        t = np.linspace(0, 6, 200)
        x, w = path.sol(t)[0], np.sin(3 * t)
        V, rise = float(P) * x**2, 2 * float(P) * x * (-slope * x + w)
        assert np.all(rise + V <= gamma * w**2 + 1e-9)


def test_a_stage_driven_by_slower_decay():
    """x1' = -grad f(x1), convex; x2' = -2 x2 + grad f(x1): the square of x2 decays like 1/t, with its constant."""
    system = lf.LureSystem([[0, 0], [0, -2]], [[-1], [1]], [[1, 0]], oracles=[lf.SmoothConvex(4)])
    cascade = decompose(system)
    with pytest.raises(lf.NoCertificateError, match=r"stage 1 \(x1\)"):
        compose(cascade)
    upstream = lf.certify(lf.flows.gradient_flow(lf.SmoothConvex(4)), lf.SublinearDecay(1))
    stage = certify_stage(cascade, 1, lf.ExponentialDecay(1))
    start = np.array([3.0, 2.0])
    for slope in (4.0, 0.3, 0.02):
        constant = upstream.constant([3], t0=1, gap=slope * 4.5, gradient=[slope * 3])
        bound = drive(stage, bound_gradient(upstream, constant=constant, start=1), storage=stage.storage([2]))
        assert isinstance(bound, PowerBound)
        assert bound.order == 1
        t = np.linspace(1, 60, 300)
        path = solve_ivp(lambda t, x, s=slope: [-s * x[0], -2 * x[1] + s * x[0]], (1, 60), start, t_eval=t, rtol=1e-9)
        assert np.all(path.y[1] ** 2 <= [bound(float(time)) for time in t])


@pytest.mark.parametrize("rates", [(1, 3), (3, 1), (2, 2)])
def test_a_stage_driven_by_exponential_decay(rates):
    source, own = rates
    cascade = decompose(strict_feedback(-source, -own, gain=5))
    stage = certify_stage(cascade, 1, lf.ExponentialDecay(Fraction(99, 100) * own))
    bound = drive(stage, ExponentialBound(4, source), storage=stage.storage([1]))
    assert Fraction(98, 100) * min(rates) <= bound.rate <= min(rates)
    t = np.linspace(0, 8, 200)
    path = solve_ivp(lambda t, x: [-source * x[0], -own * x[1] + 5 * x[0]], (0, 8), [2, 1], t_eval=t, rtol=1e-10)
    assert np.all(path.y[1] ** 2 <= [bound(float(time)) * (1 + 1e-9) for time in t])


def test_wrong_comparisons_are_refused():
    cascade = decompose(strict_feedback(-1, -3))
    first, second = certify_stages(cascade, lf.ExponentialDecay("1/2"))
    with pytest.raises(lf.CompositionError, match="must have an input"):
        drive(first, ExponentialBound(1, 1), storage=1)
    with pytest.raises(lf.CompositionError, match="Give it a later start"):
        drive(second, PowerBound(1, 2, 2), storage=1)
    with pytest.raises(lf.InvalidModelError, match="storage must be >= 0"):
        drive(second, ExponentialBound(1, 1), storage=-1)
    with pytest.raises(lf.InvalidModelError, match="rate must be > 0"):
        ExponentialBound(1, 0)
    with pytest.raises(lf.CompositionError, match="SublinearDecay"):
        bound_gradient(lf.certify(lf.flows.gradient_flow(F)), constant=1, start=1)


def test_only_a_lure_system_is_composed():
    cascade = decompose(lf.PolynomialSystem.build(["x"], lambda x: [-x]))
    with pytest.raises(lf.InvalidModelError, match="cascade of a LureSystem"):
        compose(cascade)
    varying = lf.LureSystem([[-1]], N=[[1]])
    with pytest.raises(lf.InvalidModelError, match="does not vary with time"):
        compose(decompose(varying))
    with pytest.raises(lf.InvalidModelError, match="ExponentialDecay with a number"):
        compose(decompose(strict_feedback(-1)), lf.ExponentialDecay())


def test_the_report_draws_the_stages(tmp_path):
    cascade = decompose(KNOWN["two gradient flows"][0])
    claim = lf.ExponentialDecay("1/2")
    stages = certify_stages(cascade, claim)
    page = tmp_path / "report.html"
    lf.write_report(page, cascade, *stages, compose(cascade, claim))
    text = page.read_text()
    assert "Stages of" in text
    assert "no stage drives one before it" in text
    assert text.count("rate 1/2 = 0.5") == 2
    assert "NOT PROVED" not in text
    wrong = replace(stages[1], unknowns=tuple((n, -v) for n, v in stages[1].unknowns))
    lf.write_report(page, cascade, stages[0], wrong)
    assert "NOT PROVED" in page.read_text()
    with pytest.raises(lf.InvalidModelError, match="needs its cascade"):
        lf.write_report(page, stages[0])


def test_three_stages_in_a_ring():
    """x_i' = -x_i + a x_{i-1}: the rate is 1 - a, and gains of rank one make small gain sharp."""
    ring = lf.LureSystem([[-1, 0, "1/4"], ["1/4", -1, 0], [0, "1/4", -1]])
    certificate = compose(decompose(ring, partition=[[0], [1], [2]]))
    assert Fraction("0.74") < certificate.rate <= Fraction(3, 4)
    wild = lf.LureSystem([[-1, 0, 2], [2, -1, 0], [0, 2, -1]])
    with pytest.raises(lf.CompositionError, match="stage 1 -> stage 2 -> stage 3 -> stage 1"):
        compose(decompose(wild, partition=[[0], [1], [2]]))
