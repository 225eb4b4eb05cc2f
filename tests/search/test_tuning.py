"""Parameters with the strongest claim, against closed forms; every number that is compared is a proved one."""

from fractions import Fraction as Q

import pytest

import lyapflow as lf

F = lf.SmoothStronglyConvex(1, 10)


def forward_backward(step):
    return lf.flows.forward_backward_flow(F, lf.Convex(), step=step)


def test_douglas_rachford_finds_the_geometric_mean():
    f, seen = lf.SmoothStronglyConvex(mu=1, L=100), []
    best = lf.tune(
        lambda step: lf.flows.douglas_rachford_flow(f, lf.Convex(), step=step),
        {"step": (Q(1, 100), 1)},
        progress=lambda parameters, rate: seen.append(rate),
    )
    assert float(best.parameters["step"]) == pytest.approx(0.1, rel=1e-4)  # 1 / sqrt(mu L)
    assert lf.verify(best.certificate).proved
    assert best.certificate.rate == max(rate for rate in seen)
    assert best.certificate.rate <= Q(1, 11)  # step mu / (1 + step mu) at the best step
    assert best.tried == len(seen)


def test_heavy_ball_without_a_smoothness_constant_finds_the_best_damping():
    """V-rate sqrt(2 mu) at damping 3 sqrt(mu/2), where the storage degenerates: a supremum."""
    mu = Q(1, 4)
    f = lf.StronglyConvex(mu)
    best = lf.tune(lambda damping: lf.flows.heavy_ball_flow(f, damping=damping), {"damping": ("1/2", 2)})
    assert float(best.parameters["damping"]) == pytest.approx(3 * (float(mu) / 2) ** 0.5, rel=1e-4)
    assert 2 * float(best.certificate.rate) == pytest.approx((2 * float(mu)) ** 0.5, rel=1e-4)


@pytest.mark.parametrize(("L", "damping", "v_rate"), [(10, 2.08, 1.4492), (100, 2.12, 1.4166)])
def test_heavy_ball_beats_the_textbook_damping(L, damping, v_rate):
    f = lf.SmoothStronglyConvex(1, L)
    best = lf.tune(lambda damping: lf.flows.heavy_ball_flow(f, damping=damping), {"damping": (1, 4)})
    assert float(best.parameters["damping"]) == pytest.approx(damping, abs=0.02)
    assert 2 * float(best.certificate.rate) >= v_rate
    assert best.certificate.rate > lf.certify(lf.flows.heavy_ball_flow(f, damping=2)).rate


def test_the_best_forward_backward_step():
    """With V = |x|^2: the maximum 4 kappa/(kappa + 1)^2 of the closed form, at step 4/(L + mu)."""
    best = lf.tune(forward_backward, {"step": ("1/100", "7/10")}, template=lf.QuadraticStorage())
    assert float(best.parameters["step"]) == pytest.approx(4 / 11, rel=1e-4)
    assert float(best.certificate.rate) == pytest.approx(40 / 121, rel=1e-6)


def test_a_method_in_discrete_time():
    best = lf.tune(lambda step: lf.algorithms.gradient_descent(F, step=step), {"step": ("1/100", 1)})
    assert best.certificate.factor == Q(9, 11)
    assert best.parameters == {"step": Q(2, 11)}


def test_several_parameters():
    """Heavy-ball flow with a gain in front of the gradient: a change of the unit of time, so faster without end."""
    plain = lf.certify(lf.flows.heavy_ball_flow(F, damping="21/10"))

    def family(damping, hessian_damping):
        return lf.flows.hessian_damped_flow(F, damping=damping, hessian_damping=hessian_damping)

    best = lf.tune(family, {"damping": (1, 4), "hessian_damping": ("1/100", "1/2")}, tolerance=1e-2)
    assert set(best.parameters) == {"damping", "hessian_damping"}
    assert best.certificate.rate > plain.rate
    assert "proved" in str(best)


def test_orders_can_be_tuned():
    best = lf.tune(lambda r: lf.flows.nesterov_flow(lf.Convex(), r=r), {"r": ("1/2", "5/2")}, claim=lf.SublinearDecay())
    assert best.parameters == {"r": Q(5, 2)}
    assert best.certificate.order == Q(5, 3)


def test_no_proof_anywhere_is_said():
    f = lf.SmoothConvex(1)
    with pytest.raises(lf.NoCertificateError):
        lf.tune(lambda step: lf.flows.forward_backward_flow(f, lf.Convex(), step=step), {"step": ("0.1", 1)})


@pytest.mark.parametrize(
    ("ranges", "options", "said"),
    [
        ({"step": (1, 1)}, {}, "low < high"),
        ({"step": (2, 1)}, {}, "low < high"),
        ({"step": 1}, {}, "pair"),
        ({}, {}, "must name"),
        ({"step": (1, 2)}, {"tolerance": 0.0}, "tolerance"),
        ({"step": (1, 2)}, {"claim": lf.ExponentialDecay(1)}, "without a number"),
        ({"step": (1, 2)}, {"claim": "x"}, "claim must be"),
        ({"step": (1, "1e400")}, {}, "1e100"),
        ({"step": ("1e-200", 1)}, {}, "1e100"),
    ],
)
def test_what_makes_no_sense_is_refused(ranges, options, said):
    with pytest.raises(lf.InvalidModelError, match=said):
        lf.tune(forward_backward, ranges, **options)


def test_a_family_is_a_function():
    with pytest.raises(lf.InvalidModelError, match="function"):
        lf.tune(lf.flows.gradient_flow(F), {"step": (1, 2)})
