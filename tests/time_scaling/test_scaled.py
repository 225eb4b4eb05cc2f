"""Flows on other time scales: reference values, proofs, files, two ways to a settling time, and what is refused."""

import dataclasses
import itertools
import json
import math
import os
import tomllib
from fractions import Fraction as Q
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from systems import CATALOGUE

import lyapflow as lf
from lyapflow.certificates.settling import bound_scaled_time
from lyapflow.exact.settling import settling_time_by_terms
from lyapflow.search import scaled_numbers
from lyapflow.search.scaled import find_scaled

REFERENCE = tomllib.loads((Path(__file__).parents[1] / "reference" / "scaled.toml").read_text())
TRIALS = int(os.environ.get("LYAPFLOW_TRIALS", "1"))  # `make test-all` makes 250
F = lf.SmoothStronglyConvex(1, 10)
GRADIENT = lf.flows.gradient_flow(F)
SCALES = {
    "finite": lf.FiniteTime("1/2"),
    "normalised": lf.FiniteTime(0),
    "fixed": lf.FixedTime("1/2", "3/2"),
    "prescribed": lf.PrescribedTime(3),
}
FLOWS = CATALOGUE | {
    "accelerated-metric": lf.flows.accelerated_forward_backward_flow(
        lf.Quadratic(1, 10), lf.Convex(), step="1/20", damping=2
    ),
    "accelerated": lf.flows.accelerated_forward_backward_flow(F, lf.Convex(), step="1/200", damping=2),
    "accelerated-douglas-rachford": lf.flows.accelerated_douglas_rachford_flow(
        lf.Quadratic(1, 10), lf.Convex(), step="1/20", damping=2
    ),
}
SPEED_IS_FREE = {"heavy-ball-nonsmooth": {"finite", "normalised", "fixed"}}  # |F| has no bound by V without an L


def diagonal(*entries):
    return lf.members.QuadraticFunction(np.diag(np.array(entries, dtype=float)))


@cache
def certify(name):
    return lf.certify(FLOWS[name])


@cache
def make_scaled(name, label, seeks=True):
    """With a V that is sought for the settling time, or with that of the certificate, which is quicker."""
    optimise = "settling_time" if seeks and label in {"finite", "fixed"} else None
    if "nonsmooth" in name and label == "normalised":
        optimise = "settling_time"  # the V of the certificate says nothing of the speed
    return lf.scale_time(FLOWS[name], certify(name), SCALES[label], optimise=optimise)


PAIRS = [(n, s) for n in FLOWS for s in SCALES if s not in SPEED_IS_FREE.get(n, ())]
SEEDS = {"heavy-ball-sector": 0}  # elsewhere 11, whose first far start of an oscillating member takes ten seconds
EVERY_SCALE = {"gradient", "heavy-ball-quadratic", "heavy-ball-sector", "primal-dual-augmented", "accelerated-metric"}


def is_default(name, label):
    """All scales for one flow of each kind, which are quick; the others take turns, each on two or three scales."""
    if name in EVERY_SCALE or name in SPEED_IS_FREE:
        return True
    k = list(FLOWS).index(name)
    return label in {("finite", "normalised")[k % 2], ("fixed", "prescribed", "prescribed")[k % 3]}


def mark_slow(name, label):
    return () if is_default(name, label) else pytest.mark.slow


KEPT = [(n, s, False) for n, s in PAIRS if s in {"finite", "fixed"} and "nonsmooth" not in n and not is_default(n, s)]
"""Pairs whose search of a V is slow, with the V of the certificate."""


@pytest.fixture(
    params=[
        *(pytest.param(pair, id="-".join(pair), marks=mark_slow(*pair)) for pair in PAIRS),
        *(pytest.param(pair, id="-".join((*pair[:2], "kept"))) for pair in KEPT),
    ]
)
def scaled(request):
    return make_scaled(*request.param)


# Reference values


@pytest.mark.parametrize("row", REFERENCE["normalised"])
def test_normalised_gradient_flow(row):
    scaled = lf.scale_time(GRADIENT, certify("gradient"), lf.FiniteTime(row["alpha"]))
    seen = scaled.measure_settling_time([diagonal(1, 10)], [3.0, 4.0])
    assert seen == pytest.approx(row["exact"], abs=6e-8)
    a = scaled.exponents[0]  # V = f - f*: V' = -|F|^2 and |F|^2 >= 2 V
    claim = lf.FiniteTimeStability(scaled.scale, decay=2 * a, dissipation=1 - a)
    bound = bound_scaled_time(claim, Q(169, 2))
    assert float(bound) == pytest.approx(row["bound"], rel=5e-8)
    assert seen <= scaled.settling_time(x0=[3, 4]) <= bound


@pytest.mark.parametrize("row", REFERENCE["isotropic"])
def test_isotropic_gradient_flow(row):
    flow = lf.flows.gradient_flow(lf.SmoothStronglyConvex(2, 2))
    scaled = lf.scale_time(flow, lf.certify(flow), lf.FiniteTime(row["alpha"]))
    assert scaled.measure_settling_time([lf.members.SquaredNorm(2)], [3.0, 4.0]) == pytest.approx(row["exact"], 1e-9)
    assert float(scaled.settling_time(x0=5)) == pytest.approx(row["exact"], rel=1e-6)


@pytest.mark.parametrize("row", REFERENCE["far"])
def test_fixed_time_gradient_flow_from_far_away(row):
    scaled = make_scaled("gradient", "fixed")
    seen = scaled.measure_settling_time([lf.members.SquaredNorm(1)], [row["distance"]])
    assert seen == pytest.approx(row["exact"], abs=6e-8)
    assert seen < math.pi < scaled.settling_time() < math.pi * (1 + 1e-5)


def test_constants_of_the_fixed_time_gradient_flow():
    claim = lf.FixedTimeStability(SCALES["fixed"], decay=Q(3, 2), dissipation=Q(1, 4), rate=1, speed=2)  # V = f - f*
    assert [float(c) for c in claim.coefficients] == pytest.approx([1.6817928305, 2.3784142300], abs=6e-11)
    assert float(bound_scaled_time(claim, None)) == pytest.approx(math.pi, rel=1e-14)
    (a, b), (A, B) = claim.exponents, claim.coefficients
    assert float(settling_time_by_terms(A, a, B, b, Q(1))) == pytest.approx(4.0602070605, abs=6e-11)


@pytest.mark.parametrize("row", REFERENCE["contraction"])
def test_contractions_settle_as_sharply_as_they_can(row):
    flow = lf.LureSystem([[-1]], [[1]], [[1]], oracles=[lf.Lipschitz(row["q"])])
    scaled = lf.scale_time(flow, lf.certify(flow), lf.FiniteTime(row["alpha"]))
    assert float(scaled.settling_time(x0=1)) == pytest.approx(row["time"], rel=2e-6)
    assert scaled.settling_time(x0=1) >= row["time"] * (1 - 1e-10)


def test_the_sharp_contraction_is_a_rotation():
    """``F = q R x - x`` with ``|F| = r |x|`` at the least of the bound, ``r^2 = (1 - a)(1 - q^2)/(1 + a)``."""
    q, alpha = 0.8, 0.2
    r = math.sqrt((1 - alpha) * (1 - q**2) / (1 + alpha))
    cosine = (1 + q**2 - r**2) / (2 * q)
    R = q * np.array([[cosine, -math.sqrt(1 - cosine**2)], [math.sqrt(1 - cosine**2), cosine]])
    flow = lf.LureSystem([[-1]], [[1]], [[1]], oracles=[lf.Lipschitz(q * (1 + 1e-12))])
    scaled = lf.scale_time(flow, lf.certify(flow), lf.FiniteTime("1/5"))
    seen = scaled.measure_settling_time([lf.members.LinearMap(R)], [1.0, 0.0])
    assert seen == pytest.approx(2.3543620837, abs=6e-10)


class Quartic:
    """``f = x^4/4``, gradient-dominated of order 4."""

    operator_class = lf.Convex()
    dimension = 1

    def value(self, y):
        return float(y[0] ** 4 / 4)

    def gradient(self, y):
        return y**3

    def prox(self, y, step):
        raise NotImplementedError


def test_rescaled_gradient_flow_of_a_quartic():
    """q-RGF with q = 6 and gain 1.3: its bound is exact."""
    flow = lf.flows.gradient_flow(lf.Convex())
    from lyapflow.simulation.motion import settle
    from lyapflow.simulation.time_change import follow_orbit

    loop, rest, start = settle(flow, [Quartic()], [2.7], equilibrium=[0.0])
    orbit = follow_orbit(loop, rest, start, lf.FiniteTime("1/5", "13/10"))
    assert orbit.settling_time == pytest.approx(2.861160113315, abs=1e-9)


def test_primal_dual_rows_hold():
    rng = np.random.default_rng(4)
    left, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    right, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    E = np.array([[1.0, 0, 0, 0], [0, 1.5, 0, 0]]) @ right
    flow = lf.flows.primal_dual_flow(lf.SmoothStronglyConvex(1, 5), constraint=E)
    hessian = left @ np.diag([1.0, 2, 4, 5]) @ left.T
    member = lf.members.Declared(
        lf.members.QuadraticFunction((hessian + hessian.T) / 2, rng.normal(size=4)), flow.oracle
    )
    certificate = lf.certify(flow)
    for scale in (lf.FiniteTime(0), lf.FiniteTime("1/2"), SCALES["fixed"]):
        scaled = lf.scale_time(flow, certificate, scale, optimise="settling_time")
        b = rng.normal(size=2)
        rest = lf.find_equilibrium(flow, [member], offset=b)
        start = rest.x + 10 ** rng.uniform(-2, 2) * rng.normal(size=6)
        seen = scaled.measure_settling_time([member], start, offset=b)
        assert seen <= scaled.settling_time(x0=float(np.linalg.norm(start - rest.x)))
        if not isinstance(scale, lf.FiniteTime):
            assert seen <= scaled.settling_time()


# Every flow on every scale


def test_it_is_proved_saved_and_verified(scaled, tmp_path):
    path = lf.save(scaled.certificate, tmp_path / "scaled.json")
    assert lf.verify(path).proved
    again = lf.load(path)
    assert again == scaled.certificate
    assert again.claim.coefficients == scaled.coefficients
    assert all(isinstance(v, Q) for v in (*scaled.exponents, *scaled.coefficients))


@pytest.mark.parametrize(
    ("name", "label"), [pytest.param(*pair, id="-".join(pair), marks=mark_slow(*pair)) for pair in PAIRS]
)
def test_random_members_keep_the_promise(name, label):
    assert lf.falsify(make_scaled(name, label), TRIALS, np.random.default_rng(SEEDS.get(name, 11))) is None


@pytest.mark.slow
@pytest.mark.parametrize("label", SCALES)
def test_a_sector_whose_member_oscillates_keeps_the_promise(label):
    assert lf.falsify(make_scaled("heavy-ball-sector", label), TRIALS, np.random.default_rng(11)) is None


def test_no_number_may_change(scaled):
    """Each number of the claim twice as strong, alone: what was proved is not proved any more."""
    certificate = scaled.certificate
    for field in ("decay", "dissipation", "rate", "speed"):
        number = getattr(certificate.claim, field, None)
        if number is not None:
            wrong = dataclasses.replace(
                certificate, claim=dataclasses.replace(certificate.claim, **{field: 2 * number})
            )
            assert not lf.verify(wrong).proved
    limit = getattr(certificate.claim, "speed_limit", None)
    if limit is not None:
        wrong = dataclasses.replace(certificate, claim=dataclasses.replace(certificate.claim, speed_limit=limit / 2))
        assert not lf.verify(wrong).proved


def test_a_flow_whose_speed_has_no_bound_is_refused():
    name = "heavy-ball-nonsmooth"
    for label in SPEED_IS_FREE[name]:
        with pytest.raises(lf.NoCertificateError, match="speed"):
            lf.scale_time(FLOWS[name], certify(name), SCALES[label], optimise="settling_time")
    assert lf.scale_time(FLOWS[name], certify(name), SCALES["prescribed"]).claim.speed_limit is None


def test_a_wrong_claim_is_falsified():
    certificate = lf.scale_time(GRADIENT, certify("gradient"), lf.FiniteTime(0)).certificate
    wrong = dataclasses.replace(certificate, claim=dataclasses.replace(certificate.claim, decay=6, dissipation=3))
    found = lf.falsify(wrong, 60, np.random.default_rng(0))
    assert found is not None
    assert "T(V(0))" in found.inequality


@pytest.mark.parametrize("field", ["coefficients", "exponents"])
def test_a_coefficient_that_does_not_follow_is_seen(tmp_path, field):
    path = lf.save(make_scaled("gradient", "fixed", seeks=False).certificate, tmp_path / "c.json")
    data = json.loads(path.read_text())
    data["claim"][field][0] = "7/2"
    path.write_text(json.dumps(data))
    verdict = lf.verify(path)
    assert not verdict.proved
    assert field in verdict.reason


def test_a_coefficient_that_cannot_be_told_from_zero(tmp_path):
    """A huge exponent of a speed near 1: B lies in a ball around numbers of both signs, and none is printed."""
    certificate = make_scaled("gradient", "fixed", seeks=False).certificate
    scale = lf.FixedTime("1/2", Q(2) ** 169)
    claim = dataclasses.replace(certificate.claim, scale=scale, speed=1 - Q(1, 2**165))
    with pytest.raises(lf.InvalidModelError, match="zero"):
        _ = claim.coefficients
    with pytest.raises(lf.InvalidModelError, match="zero"):
        lf.save(dataclasses.replace(certificate, claim=claim), tmp_path / "c.json")


# Without a solver


@pytest.mark.parametrize(
    "name",
    ["gradient", "heavy-ball-sector", "forward-backward", "douglas-rachford", "davis-yin", "primal-dual-augmented"],
)
def test_closed_forms_where_the_solver_fails(monkeypatch, name):
    certificate = certify(name)
    if certificate.template != lf.QuadraticStorage():
        certificate = lf.certify(FLOWS[name], template=lf.QuadraticStorage())
    monkeypatch.setattr(scaled_numbers, "tighten", lambda pencil, objective: None)
    monkeypatch.setattr(scaled_numbers, "minimise", lambda *args: None)
    for scale in SCALES.values():
        found = find_scaled(certificate, scale, optimise=False)
        assert lf.verify(found).proved


# Settling times, two ways


@pytest.mark.parametrize("label", SCALES)
def test_direct_simulation_and_time_change_agree(label):
    flow = lf.flows.heavy_ball_flow(F, damping=2)
    scaled = lf.scale_time(flow, lf.certify(flow), SCALES[label], optimise="settling_time")
    x0 = np.array([[3.0, 4.0], [0.0, 1.0]])
    path = scaled.simulate([diagonal(1, 10)], x0, threshold=1e-5)
    assert path.distance[-1] == pytest.approx(1e-5 * path.distance[0], rel=1e-6)
    seen = scaled.measure_settling_time([diagonal(1, 10)], x0, threshold=1e-5)
    assert seen == pytest.approx(path.t[-1], rel=1e-7)
    assert seen < scaled.measure_settling_time([diagonal(1, 10)], x0) <= scaled.settling_time(x0=x0.tolist())
    V, bound = path.storage(scaled.certificate), path.bound(scaled.certificate)
    assert np.all(bound * (1 + 1e-6) + 1e-12 * V[0] >= V)
    assert np.all(path.distance <= path.norm_bound(scaled.certificate) * (1 + 1e-6))


def test_fixed_time_is_bounded_and_approached():
    scaled = make_scaled("gradient", "fixed")
    far = 10.0 ** np.arange(9)
    seen = [scaled.measure_settling_time([lf.members.SquaredNorm(1)], [distance]) for distance in far]
    assert all(a < b for a, b in itertools.pairwise(seen))
    assert max(seen) < math.pi <= scaled.settling_time()
    assert seen == pytest.approx(2 * np.arctan(np.sqrt(far)), rel=1e-9)


def test_a_nonsmooth_flow_settles_by_both_ways():
    flow = lf.flows.forward_backward_flow(F, lf.Convex(), step="1/10")
    scaled = lf.scale_time(flow, lf.certify(flow), lf.FiniteTime("1/2"))
    members = [lf.members.QuadraticFunction(np.diag([1.0, 10.0]), [-3.0, 1.0]), lf.members.L1Norm(2)]
    path = scaled.simulate(members, [5.0, -4.0], threshold=1e-4)
    assert path.t[-1] == pytest.approx(scaled.measure_settling_time(members, [5.0, -4.0], threshold=1e-4), rel=1e-6)
    assert path.t[-1] <= scaled.settling_time(x0=float(path.distance[0]))


# Gains


def test_gains_for_a_time():
    scaled = make_scaled("gradient", "fixed", seeks=False).settle_within("1/2")
    assert Q(1, 2) * (1 - Q(1, 10**9)) <= scaled.settling_time() <= Q(1, 2)
    assert lf.verify(scaled.certificate).proved
    finite = lf.scale_time(GRADIENT, certify("gradient"), lf.FiniteTime(0)).settle_within(2, x0=100)
    assert finite.settling_time(x0=100) <= 2
    assert finite.measure_settling_time([diagonal(1, 10)], [60.0, 80.0]) <= 2


def test_equal_peaks_of_the_speed():
    scaled = make_scaled("gradient", "fixed", seeks=False)
    peak = 40.11234
    same = scaled.match_speed(peak)
    first, second = map(float, same.scale.gains)
    assert first * peak**0.5 + second * peak**1.5 == pytest.approx(peak, rel=1e-12)
    assert lf.verify(same.certificate).proved


def test_prescribed_time_is_kept_and_its_speed_bounded():
    scaled = lf.scale_time(GRADIENT, certify("gradient"), lf.PrescribedTime("5/2"))
    assert scaled.settling_time() == Q(5, 2)
    assert scaled.exponents == (2,)  # the least gain with a bounded speed
    assert scaled.measure_settling_time([diagonal(1, 10)], [3.0, 4.0]) == pytest.approx(2.5, rel=1e-9)


# Discretisations


def test_what_a_time_scale_pays():
    """It does not help the explicit scheme; it helps the semi-implicit one, the more the smaller the tolerance."""
    scaled = lf.scale_time(GRADIENT, certify("gradient"), lf.FiniteTime("1/2"))
    f, x0 = [diagonal(1, 10)], [3.0, 4.0]

    def run(flow, scheme, step, tolerance):
        found = lf.iterate_flow(flow, f, x0, scheme=scheme, step=step, tolerance=tolerance)
        assert found.converged
        assert found.speed[-1] <= tolerance * found.speed[0]
        return found.steps

    plain, own = ([run(who, "explicit", np.inf, 10.0**-k) for k in (3, 6, 9)] for who in (GRADIENT, scaled))
    assert all(b >= a for a, b in zip(plain, own, strict=True))
    plain, own = ([run(who, "semi-implicit", 0.1, 10.0**-k) for k in (3, 6, 9)] for who in (GRADIENT, scaled))
    assert plain[2] - plain[1] >= 0.9 * (plain[1] - plain[0])  # so many steps for each digit
    assert own[2] - own[1] <= (own[1] - own[0]) / 2  # ever fewer
    assert own[2] < plain[2] / 2


def test_the_semi_implicit_scheme_follows_the_flow():
    scaled = lf.scale_time(GRADIENT, certify("gradient"), lf.FiniteTime("1/2"))
    found = [
        lf.iterate_flow(scaled, [diagonal(1, 10)], [3.0, 4.0], scheme="semi-implicit", step=h, tolerance=1e-8).t[-1]
        for h in (0.02, 0.01)
    ]
    exact = scaled.measure_settling_time([diagonal(1, 10)], [3.0, 4.0])
    first, second = (abs(t - exact) for t in found)
    assert second < 0.75 * first < 0.2


# What is refused


@pytest.mark.parametrize("alpha", [1, 2, "-1/2", math.nan, None, "x"])
def test_alpha_out_of_range(alpha):
    with pytest.raises(lf.InvalidModelError, match="alpha"):
        lf.FiniteTime(alpha)
    with pytest.raises(lf.InvalidModelError, match="alpha"):
        lf.FixedTime(alpha, 2)


@pytest.mark.parametrize("beta", [1, "1/2", 0, -3, math.inf])
def test_beta_out_of_range(beta):
    with pytest.raises(lf.InvalidModelError, match="beta"):
        lf.FixedTime("1/2", beta)


@pytest.mark.parametrize("time", [0, -1, "x", math.inf])
def test_time_out_of_range(time):
    with pytest.raises(lf.InvalidModelError, match="time"):
        lf.PrescribedTime(time)
    with pytest.raises(lf.InvalidModelError, match="time"):
        make_scaled("gradient", "fixed", seeks=False).settle_within(time)


@pytest.mark.parametrize("gains", [(0, 1), (1, -1), (1,), (1, 2, 3), 1, "11", np.array(1.0), {1: 2, 3: 4}])
def test_gains_out_of_range(gains):
    with pytest.raises(lf.InvalidModelError, match="gains"):
        lf.FixedTime("1/2", 2, gains)
    with pytest.raises(lf.InvalidModelError, match="gain"):
        lf.FiniteTime("1/2", 0)


def test_the_certificate_of_another_flow():
    other = lf.flows.heavy_ball_flow(F, damping=2)
    with pytest.raises(lf.ClaimMismatchError, match="other data"):
        lf.scale_time(other, certify("gradient"), SCALES["fixed"])


def test_claims_that_are_not_exponential():
    flow = lf.flows.gradient_flow(lf.SmoothConvex(1))
    with pytest.raises(lf.ClaimMismatchError, match="exponential"):
        lf.scale_time(flow, lf.certify(flow, lf.SublinearDecay()), SCALES["fixed"])
    method = lf.algorithms.gradient_descent(F, step="1/10")
    with pytest.raises(lf.ClaimMismatchError, match="exponential"):
        lf.scale_time(method, lf.certify(method), SCALES["fixed"])
    twice = make_scaled("gradient", "fixed", seeks=False).certificate
    with pytest.raises(lf.ClaimMismatchError, match="exponential"):
        lf.scale_time(GRADIENT, twice, SCALES["fixed"])


def test_a_certificate_that_proves_nothing():
    wrong = dataclasses.replace(certify("gradient"), claim=lf.ExponentialDecay(3))
    with pytest.raises(lf.VerificationError, match="decrease"):
        lf.scale_time(GRADIENT, wrong, SCALES["fixed"])


def test_arguments_that_make_no_sense():
    certificate = certify("gradient")
    with pytest.raises(lf.InvalidModelError, match="optimise"):
        lf.scale_time(GRADIENT, certificate, SCALES["fixed"], optimise="speed")
    with pytest.raises(lf.InvalidModelError, match="FiniteTime"):
        lf.scale_time(GRADIENT, certificate, 3)
    with pytest.raises(lf.InvalidModelError, match="Certificate"):
        lf.scale_time(GRADIENT, None, SCALES["fixed"])
    scaled = lf.scale_time(GRADIENT, certificate, lf.FiniteTime(0))
    with pytest.raises(lf.InvalidModelError, match="V0 or x0"):
        scaled.settling_time()
    with pytest.raises(lf.InvalidModelError, match="not both"):
        scaled.settling_time(V0=1, x0=1)
    with pytest.raises(lf.InvalidModelError, match="band"):
        scaled.certificate.settling_time("0.05")
    with pytest.raises(lf.InvalidModelError, match="another time scale"):
        certificate.settling_time(x0=1)
    with pytest.raises(lf.ClaimMismatchError, match="settling_time"):
        _ = scaled.certificate.rate


@pytest.mark.parametrize("x0", [[], [[]], [[3, 4], [0, 0]], [[3, 4], [1]], np.array(5.0), [[[3, 4]]], {"a": 1}])
def test_a_start_of_another_shape(x0):
    """An empty start is no start at the equilibrium, which would settle at once."""
    scaled = lf.scale_time(GRADIENT, certify("gradient"), lf.FiniteTime(0))
    with pytest.raises(lf.InvalidModelError, match="x0"):
        scaled.settling_time(x0=x0)
    assert scaled.settling_time(x0=[3, 4]) == scaled.settling_time(x0=[[3, 4]]) == scaled.settling_time(x0=5)


@pytest.mark.parametrize("name", ["heavy-ball", "primal-dual"])
def test_a_start_with_other_states(name):
    flow = {
        "heavy-ball": lf.flows.heavy_ball_flow(F, damping=2),  # two rows
        "primal-dual": lf.flows.primal_dual_flow(F, constraint=[[1, 0, 0], [0, 3, 0]]),  # five numbers
    }[name]
    scaled = lf.scale_time(flow, lf.certify(flow), lf.FiniteTime("1/2"))
    for x0 in ([], [1, 2, 3], [[3, 4]], [[0] * 5] * 3):
        with pytest.raises(lf.InvalidModelError, match="x0 must have"):
            scaled.settling_time(x0=x0)
    right = [[3, 0], [0, 4]] if name == "heavy-ball" else [3, 0, 0, 0, 4]
    assert scaled.settling_time(x0=right) == scaled.settling_time(x0=5)


def test_what_a_time_scale_has_not():
    certificate = lf.scale_time(GRADIENT, certify("gradient"), lf.FiniteTime(0)).certificate
    for name in ("factor", "order", "formula"):
        with pytest.raises(lf.ClaimMismatchError, match="settling_time"):
            getattr(certificate, name)


def test_simulations_that_make_no_sense():
    scaled = lf.scale_time(GRADIENT, certify("gradient"), lf.FiniteTime(0))
    f, x0 = [diagonal(1, 10)], [3.0, 4.0]
    for name, wrong in (("points", 0), ("points", 1.5), ("method", "Euler"), ("rtol", -1.0), ("threshold", 0.0)):
        with pytest.raises(lf.InvalidModelError, match=name):
            scaled.simulate(f, x0, **{name: wrong})
    with pytest.raises(lf.InvalidModelError, match="rtol"):
        scaled.measure_settling_time(f, x0, rtol=math.nan)
    with pytest.raises(lf.InvalidModelError, match="got Certificate"):
        lf.iterate_flow(scaled.certificate, f, x0, scheme="explicit", step=1.0)
    for speed in ("1e400", "1e-400", 0):
        with pytest.raises(lf.InvalidModelError, match="speed"):
            scaled.match_speed(speed)


def test_families_over_a_parameter_are_refused():
    family = lf.certify(
        lambda step: lf.flows.forward_backward_flow(F, lf.Convex(), step=step), over={"step": ("1/20", "1/10")}
    )
    assert isinstance(family.system, lf.ParametricSystem)
    with pytest.raises(lf.InvalidModelError, match="flow"):
        lf.scale_time(family.system, family, SCALES["fixed"])


# Numbers of any size


@pytest.mark.parametrize("unit", [10**6, Q(1, 10**6)])
def test_other_units(unit):
    """A flow ``unit`` times as fast settles, with gain 1 and alpha = 0, in the same time: its speed is always 1."""
    flow = lf.flows.gradient_flow(lf.SmoothStronglyConvex(unit, 10 * unit))
    for scale, expected in ((lf.FiniteTime(0), 1.0), (lf.FiniteTime("1/2"), float(unit) ** -0.5)):
        here = lf.scale_time(GRADIENT, certify("gradient"), scale).settling_time(x0=1)
        there = lf.scale_time(flow, lf.certify(flow), scale).settling_time(x0=1)
        assert float(there / here) == pytest.approx(expected, rel=1e-4)


def test_a_scaled_flow_stands_for_its_certificate(tmp_path):
    scaled = make_scaled("gradient", "fixed", seeks=False)
    assert lf.verify(scaled).proved
    assert lf.load(lf.save(scaled, tmp_path / "c.json")) == scaled.certificate
    assert lf.falsify(scaled, 1, np.random.default_rng(2)) is None
    page = lf.write_report(tmp_path / "c.html", scaled)
    assert "fixed" in page.read_text()
