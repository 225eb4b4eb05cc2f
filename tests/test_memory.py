"""Multipliers with memory: reference rows, what is known of the past, attacks, files, reports, simulations."""

import json
import tomllib
from dataclasses import replace
from fractions import Fraction as Q
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import assert_refused, at_rate, holds, with_changes
from systems import build_flow, source_seeking

import lyapflow as lf
from lyapflow.errors import CertificateFormatError, ClaimMismatchError, InvalidModelError
from lyapflow.lmi.dissipation import assemble
from lyapflow.lmi.memory import extend, list_filters, read_moduli
from lyapflow.members import QuadraticFunction, SlopeNonlinearity, SquaredNorm
from lyapflow.report import Simulation, state_theorem
from lyapflow.report.argument import argue
from lyapflow.report.formulas import text_of
from lyapflow.search.poles import choose_poles
from lyapflow.search.witness import find_witness

ROWS = tomllib.loads((Path(__file__).parent / "reference" / "memory.toml").read_text())["row"]
F = lf.SmoothStronglyConvex(1, 10)
CAUSAL = lf.ZamesFalb([1], anticausal=False, value=False)
ANTICAUSAL = lf.ZamesFalb([1], causal=False, value=False)
TEMPLATES = {"circle": lf.QuadraticStorage(), "causal": CAUSAL, "anticausal": ANTICAUSAL}


def heavy_ball(f=F, damping=3):
    return lf.flows.heavy_ball_flow(f, damping=damping)


@pytest.fixture(scope="module")
def found():
    """Certificates with one filter, with the other, for slopes, and with several filters and function values."""
    slopes, value = lf.SlopeRestricted(1, 3), lf.SmoothStronglyConvex(1, 2)
    rich = lf.ZamesFalb([1, "7/2"], causal=False)
    return {
        "causal": lf.certify(heavy_ball(), template=CAUSAL),
        "anticausal": lf.certify(source_seeking(lf.SmoothStronglyConvex(1, "3/2")), template=ANTICAUSAL),
        "slopes": lf.certify(heavy_ball(slopes, 2), lf.ExponentialDecay("13/20"), template=CAUSAL),
        "value": lf.certify(source_seeking(value), lf.ExponentialDecay("4/25"), template=rich),
    }


# --- reference ----------------------------------------------------------------------------------------------------


def test_rows_name_their_source():
    known = (Path(__file__).parents[1] / "docs" / "references.bib").read_text()
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.get("derived") or (row["locator"] and f"{{{row['source']}," in known), row["id"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_rate(row):
    system, template = build_flow(row["flow"]), TEMPLATES[row["template"]]
    outcome = lf.attempt(system, template=template)
    if row.get("kind") == "infeasible":
        assert isinstance(outcome, lf.Infeasible)
        return
    certificate = outcome.certificate
    assert lf.verify(certificate).proved
    assert certificate.rate <= find_witness(system).rate
    assert abs(certificate.rate - Q(row["value"])) <= Q(row["tolerance"])


def test_the_best_damping_of_the_circle_criterion_is_one():
    for L, damping in ((4, Q("2.4864294")), (10, Q("3.4747547"))):
        f = lf.SmoothStronglyConvex(1, L)
        best, *others = (
            lf.certify(heavy_ball(f, damping + d), template=lf.QuadraticStorage()).rate
            for d in (0, Q(-1, 20), Q(1, 20))
        )
        assert max(others) < best


def test_memory_goes_beyond_function_values():
    """A plant of fourth order: 1/8 is proved with a filter, and QuadraticPlusValue() ends below 0.104."""
    plant = lf.LureSystem(
        [["-113/20", "-5028197/125000", "-63519/5000", "-8649/2500"], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]],
        [[-1], [0], [0], [0]],
        [[0, "-11/5", "-11/10", "4/5"]],
        oracles=[lf.SmoothStronglyConvex("1/10", "5/2")],
    )
    template = lf.ZamesFalb([6], anticausal=False, value=False)
    assert lf.verify(lf.certify(plant, lf.ExponentialDecay("1/8"), template=template)).proved
    assert not isinstance(lf.attempt(plant, lf.ExponentialDecay("1/8"), template=lf.QuadraticPlusValue()), lf.Proved)
    assert Q("0.103") < lf.certify(plant, template=lf.QuadraticPlusValue()).rate < Q("0.104")


# --- what is known of the past ------------------------------------------------------------------------------------

number = st.fractions(min_value=-5, max_value=5, max_denominator=7)
vector = st.tuples(number, number)


def dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Q(0))


def combine(*terms):
    return tuple(sum((Q(c) * v[k] for c, v in terms), Q(0)) for k in range(len(terms[0][1])))


@settings(max_examples=30)
@given(y=vector, u=vector, z=vector, v=vector, f=number, g=number, mu=number, width=st.fractions(1, 9))
def test_the_inequality_of_two_times_is_interpolation(y, u, z, v, f, g, mu, width):
    """``<p, q - q'> - (r - r')`` is ``L - mu`` times the interpolation inequality between two points, exactly."""
    L = mu + width

    def read(y, u, phi):
        p, q, bent = combine((1, u), (-mu, y)), combine((L, y), (-1, u)), phi - mu / 2 * dot(y, y)
        return p, q, bent, (L - mu) * bent - dot(p, p) / 2

    p, q, bent, r = read(y, u, f)
    p_before, q_before, bent_before, r_before = read(z, v, g)
    apart = combine((1, p_before), (-1, p))
    # f - mu/2 |.|^2 is convex with an (L - mu)-Lipschitz gradient
    interpolation = bent_before - bent - dot(p, combine((1, z), (-1, y))) - dot(apart, apart) / (2 * (L - mu))
    assert dot(p, combine((1, q), (-1, q_before))) - (r - r_before) == (L - mu) * interpolation


def run_filters(y, member, moduli, pole, rate, step):
    """Filters along a sampled input: the inequality and its lower bound, for both kinds; trapezoidal rule."""
    mu, L = (float(v) for v in moduli)
    u = np.array([member.gradient(v) for v in y])
    phi = np.array([member.value(v) for v in y]) - member.value(np.zeros(y.shape[1]))
    p, q = u - mu * y, L * y - u
    pq = (p * q).sum(1)
    r = (L - mu) * (phi - mu / 2 * (y * y).sum(1)) - (p * p).sum(1) / 2
    decay = np.exp(-(pole + 2 * rate) * step)

    def low_pass(signal):
        state = np.zeros_like(signal)
        for k in range(1, len(signal)):
            state[k] = decay * state[k - 1] + step / 2 * (decay * signal[k - 1] + signal[k])
        return state

    for own, other, kept in ((p, q, r), (q, p, pq - r)):
        yield (own * (other - pole * low_pass(other))).sum(1), kept - pole * low_pass(kept[:, None])[:, 0]


def draw_input(rng, step, count=4000, dimension=2):
    t = np.arange(count) * step
    waves = [rng.normal(size=dimension) * np.sin(w * t + rng.uniform(0, 6))[:, None] for w in rng.uniform(0.2, 6, 5)]
    return np.sum(waves, axis=0)


def test_the_past_of_gradients(rng):
    """Pointwise, and the integral at every time; a rotation, which is monotone and no gradient, breaks it."""
    step = 2e-3
    cases = [
        (SlopeNonlinearity("-1/2", 3, "huber"), (Q(-1, 2), Q(3))),
        (SlopeNonlinearity(0, 4, "log-cosh", "1/2"), (Q(0), Q(4))),
        (QuadraticFunction([[2.0, 1.0], [1.0, 5.0]]), (Q(1), Q(6))),
    ]
    for member, moduli in cases:
        for rate in (0.0, 0.4):
            y = draw_input(rng, step)
            for left, right in run_filters(y, member, moduli, 1.3, rate, step):
                size = np.abs(left).max()
                assert (left - right).min() > -1e-5 * size
                weight = np.exp(2 * rate * np.arange(len(y)) * step)
                assert np.cumsum(weight * left).min() * step > -1e-3 * size


def test_the_past_of_an_operator_that_is_no_gradient():
    """``u = y + 3 J y`` is cocoercive, so its sector holds; turned the right way, its integral falls without end."""
    step, L, pole = 1e-3, 12.0, 0.5  # sector [0, 12]
    t = np.arange(40_000) * step
    lowest = []
    for turn in (1.0, -1.0):
        y = np.stack([np.cos(turn * t), np.sin(turn * t)], axis=1)
        u = y + 3 * y @ np.array([[0.0, 1.0], [-1.0, 0.0]])
        p, q = u, L * y - u
        assert (p * q).sum(1).min() > 0
        psi = np.zeros_like(q)
        for k in range(1, len(t)):
            psi[k] = psi[k - 1] + step * (q[k - 1] - pole * psi[k - 1])
        lowest.append(np.cumsum((p * (q - pole * psi)).sum(1)).min() * step)
    assert min(lowest) < -100


# --- the inequalities, written out ----------------------------------------------------------------------------------


def evaluate_by_definition(certificate, point):
    """``-(V' + 2 rate V) - sum of multipliers times inequalities``, from the definitions, in dimension two."""
    system, values, rate = certificate.system, certificate.values, certificate.rate
    filters = list_filters(system, certificate.template)
    n, mu_L = len(system.A), read_moduli(system.oracles[0])
    mu, L = mu_L
    x, psi, u = point[:n], point[n : n + len(filters)], point[-1]
    y = combine(*zip(system.C[0], x, strict=True))
    p, q = combine((1, u), (-mu, y)), combine((L, y), (-1, u))
    flow = [combine(*zip(system.A[i], x, strict=True), (system.B[i][0], u)) for i in range(n)]
    for part, state in zip(filters, psi, strict=True):
        flow.append(combine((-(part.pole + 2 * rate), state), (1, q if part.causal else p)))
    zeta, P = [*x, *psi], certificate.P
    size = range(len(zeta))
    total = -sum(
        2 * P[i][j] * dot(zeta[i], flow[j]) + 2 * rate * P[i][j] * dot(zeta[i], zeta[j]) for i in size for j in size
    )
    weight = next(iter(certificate.value_weights.values()), Q(0))
    phi = Q(11, 7)  # drops out, by the equality
    gap = (dot(u, u) / L + mu * dot(y, y) - 2 * mu / L * dot(u, y)) / (2 * (1 - mu / L))
    rate_of_y = combine(*zip(system.C[0], flow[:n], strict=True))
    total -= weight * dot(u, rate_of_y) + 2 * rate * weight * phi
    for name, value in values.items():
        if name == "decrease: f interpolation(t,*)":
            total -= value * (phi - gap)
        if name == "decrease: f interpolation(*,t)":
            total -= value * (dot(u, y) - phi - gap)
    for k, (part, state) in enumerate(zip(filters, psi, strict=True)):
        own, other = (p, q) if part.causal else (q, p)
        total -= values[f"decrease: f zames-falb(t,memory {k + 1})"] * dot(
            own, combine((1, other), (-part.pole, state))
        )
    return total


def test_the_pencil_is_what_is_written(found, rng):
    for certificate in found.values():
        condition = next(c for c in certificate.pencil().conditions if c.name == "decrease")
        matrix = condition.at(certificate.values)
        for _ in range(5):
            point = [tuple(Q(int(v), 7) for v in rng.integers(-9, 10, 2)) for _ in condition.signals]
            size = range(len(point))
            form = sum(matrix[i][j] * dot(point[i], point[j]) for i in size for j in size)
            assert form == evaluate_by_definition(certificate, point)


def test_the_bounds_are_those_of_the_state(found):
    for certificate in found.values():
        n, pencil = len(certificate.system.A), certificate.pencil()
        assert holds(certificate)
        if len(certificate.value_weights) == 0:
            P = certificate.P
            for name in ("positivity", "upper bound"):
                matrix = next(c for c in pencil.conditions if c.name == name).at(certificate.values)
                upper = certificate.values["upper bound"]
                for i in range(len(P)):
                    for j in range(len(P)):
                        inside = Q(i == j and i < n)
                        if name == "positivity":
                            assert matrix[i][j] == P[i][j] - inside
                        else:
                            assert matrix[i][j] == (upper * inside - P[i][j] if max(i, j) < n else 0)


# --- attacks ------------------------------------------------------------------------------------------------------


def test_sound_as_found(found):
    for certificate in found.values():
        assert lf.verify(certificate).proved
        assert certificate.rate <= find_witness(certificate.system).rate
        assert any("zames-falb" in name and value > 0 for name, value in certificate.multipliers.items())


def test_a_negative_multiplier_is_refused(found):
    for certificate in found.values():
        for name, value in certificate.multipliers.items():
            changed = with_changes(certificate, {name: -value or Q(-1, 10**40)})
            assert name in assert_refused(changed).witness.inequality


def test_the_sum_condition_cannot_be_violated(found):
    """What is left of P0 after the filters is the multiplier of the sector: to take more is a negative multiplier."""
    certificate = found["causal"]
    sector = [n for n in certificate.multipliers if "interpolation" in n and n.startswith("decrease")]
    width = Q(10 - 1)
    own = certificate.values["decrease: f zames-falb(t,memory 1)"]
    less = {name: -own * width / 2 for name in sector}  # P0 is half of c / pole
    assert "multiplier" in assert_refused(with_changes(certificate, less)).witness.inequality
    assert_refused(with_changes(certificate, {"decrease: f zames-falb(t,memory 1)": 100 * own}))


def test_other_claims_are_refused(found):
    for certificate in found.values():
        assert_refused(at_rate(certificate, 2 * certificate.rate))
        template = certificate.template
        for moved in (tuple(100 * p for p in template.poles), tuple(p / 100 for p in template.poles)):
            changed = replace(certificate, template=replace(template, poles=moved))
            assert lf.verify(changed).proved == holds(changed)
        swapped = replace(template, causal=template.anticausal, anticausal=template.causal)
        changed = replace(certificate, template=swapped)
        assert lf.verify(changed).proved == holds(changed)
        larger = replace(certificate.system, oracles=[lf.SmoothStronglyConvex("1/100", 100)])
        assert_refused(replace(certificate, system=larger))
        for plain in (lf.QuadraticStorage(), lf.QuadraticPlusValue()):
            assert not lf.verify(replace(certificate, template=plain)).proved


def test_a_class_without_such_multipliers_is_refused(found):
    for oracle in (lf.SectorBounded(1, 10), lf.StaticSector(1, 10), lf.Lipschitz(10), lf.Cocoercive("1/10")):
        certificate = replace(found["causal"], system=replace(found["causal"].system, oracles=[oracle]))
        with pytest.raises(InvalidModelError, match="gradient with a Lipschitz constant"):
            lf.verify(certificate)


def test_a_memory_on_another_time_scale_is_refused(found):
    certificate = found["causal"]
    plain = lf.certify(certificate.system, template=lf.QuadraticStorage())
    scaled = lf.scale_time(plain.system, plain, lf.FiniteTime("1/2")).certificate
    with pytest.raises(InvalidModelError, match="memory"):
        lf.verify(replace(scaled, template=CAUSAL))
    with pytest.raises(ClaimMismatchError, match="memory"):
        lf.scale_time(certificate.system, certificate, lf.FiniteTime("1/2"))
    with pytest.raises(InvalidModelError, match="memory"):
        lf.export_coq(certificate, "never.v")


# --- files --------------------------------------------------------------------------------------------------------


def test_files(found, tmp_path):
    for name, certificate in found.items():
        path = lf.save(certificate, tmp_path / f"{name}.json")
        assert lf.load(path) == certificate
        assert lf.verify(path).proved


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("template", "poles", 0), "-1"),
        (("template", "poles", 0), "2"),
        (("template", "poles"), []),
        (("template", "causal"), False),
        (("claim", "rate"), "3/4"),
        (("system", "oracles", 0), {"class": "SectorBounded", "lower": "1", "upper": "10"}),
        (("system", "oracles", 0), {"class": "SmoothStronglyConvex", "mu": "1", "L": "100"}),
        (("unknowns", "decrease: f zames-falb(t,memory 1)"), "-1"),
    ],
    ids=str,
)
def test_an_edited_file_is_refused(found, tmp_path, place, value):
    path = lf.save(found["causal"], tmp_path / "c.json")
    data = json.loads(path.read_text())
    part = data
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    path.write_text(json.dumps(data))
    try:
        assert not lf.verify(path).proved
    except CertificateFormatError:
        return


# --- what is not supported ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: lf.ZamesFalb([]), "poles"),
        (lambda: lf.ZamesFalb([0]), "poles > 0"),
        (lambda: lf.ZamesFalb([1, 1]), "different poles"),
        (lambda: lf.ZamesFalb([1], causal=False, anticausal=False), "neither"),
        (lambda: lf.ZamesFalb([1], causal=1), "True or False"),
        (lambda: lf.certify(heavy_ball(lf.StronglyConvex(1), 2), template=CAUSAL), "L = infinity"),
        (lambda: lf.certify(heavy_ball(lf.SectorBounded(1, 2), 2), template=lf.ZamesFalb()), "time-varying sectors"),
        (lambda: lf.certify(lf.algorithms.gradient_descent(F, step="1/10"), template=CAUSAL), "ExponentialDecay"),
        (lambda: lf.certify(lf.flows.nesterov_flow(lf.SmoothConvex(1), r=3), template=CAUSAL), "does not vary"),
        (lambda: lf.certify(lf.flows.primal_dual_flow(F, constraint=[[1]]), template=CAUSAL), "LureSystem"),
        (lambda: lf.certify(heavy_ball(lf.SmoothConvex(1)), lf.SublinearDecay(), template=CAUSAL), "ExponentialDecay"),
        (lambda: lf.certify(lambda b: heavy_ball(F, b), over={"b": (2, 3)}, template=CAUSAL), "LureSystem"),
        (lambda: assemble(heavy_ball(), lf.ExponentialDecay(1), lf.ZamesFalb()), "poles in a certificate"),
        (lambda: lf.VariableMetric(CAUSAL), "VariableMetric needs form"),
    ],
)
def test_refusals(make, said):
    with pytest.raises(InvalidModelError, match=said):
        make()


def test_beside_another_operator_there_are_filters_for_the_gradient_only():
    flow = lf.flows.forward_backward_flow(F, lf.Convex(), step="1/10")
    filters = list_filters(flow, lf.ZamesFalb([1, 2]))
    assert [(part.oracle, part.pole, part.causal) for part in filters] == [
        (0, 1, True),
        (0, 2, True),
        (0, 1, False),
        (0, 2, False),
    ]
    certificate = lf.certify(flow, lf.ExponentialDecay("1/20"), template=CAUSAL)
    assert lf.verify(certificate).proved
    assert len(certificate.P) == 2


def test_poles_are_chosen_in_the_units_of_the_system():
    f = lf.SmoothStronglyConvex(1, 4)
    assert choose_poles(heavy_ball(f, 2)) == (2,)
    fast = lf.LureSystem([[0, 1000], [0, -2000]], [[0], [-1000]], [[1, 0]], oracles=[f])
    assert choose_poles(fast) == (2000,)
    certificate = lf.certify(heavy_ball(f, 2), lf.ExponentialDecay("7/10"), template=lf.ZamesFalb())
    assert certificate.template == lf.ZamesFalb([2])
    assert lf.verify(certificate).proved


# --- evidence against, simulations, reports ---------------------------------------------------------------------------


def test_no_counterexample(found, rng):
    for certificate in found.values():
        assert lf.falsify(certificate, 3, rng) is None
    wrong = at_rate(found["causal"], 2 * found["causal"].rate)
    assert "V(t)" in lf.falsify(wrong, 20, rng).inequality


def test_a_trajectory_stays_below_its_bounds(found):
    certificate = found["causal"]
    path = lf.simulate(certificate.system, [SquaredNorm(5, [1.0, 2.0])], [[4.0, -1.0], [0.0, 3.0]], (0, 20))
    V, bound = path.storage(certificate), path.bound(certificate)
    assert (bound * (1 + 1e-8) >= V).all()
    assert (path.distance**2 <= V * (1 + 1e-8) + 1e-18).all()
    assert (path.distance <= path.norm_bound(certificate)).all()
    assert np.isclose(
        V[0],
        sum(
            float(certificate.P[i][j])
            * float((path.x[0] - path.equilibrium.x)[i] @ (path.x[0] - path.equilibrium.x)[j])
            for i in range(2)
            for j in range(2)
        ),
    )


def test_the_statement_says_what_is_remembered(found):
    for certificate in found.values():
        text = state_theorem(certificate).text
        assert "filters, which are at rest at the start" in text
        assert "They are no part of the dynamics" in text
        assert str(certificate.rate) in text


def test_reports(found, tmp_path):
    path = lf.simulate(heavy_ball(), [SquaredNorm(5)], [[4.0], [1.0]], (0, 10))
    page = lf.write_report(
        tmp_path / "memory.html",
        found["causal"],
        Simulation(found["causal"], path),
        lf.nyquist_figure(heavy_ball(), "1/4"),
    ).read_text()
    assert "NOT PROVED" not in page
    assert "zames-falb(t,memory 1)" in page
    assert "alone need not fall at every time" in page
    assert "critical disk" in page


def test_the_proof_is_written_out(found):
    for certificate in found.values():
        text = text_of(argue(certificate))
        for k in range(len(list_filters(certificate.system, certificate.template))):
            assert f"R{'₁₂₃'[k]}" in text
        assert "alone need not fall at every time" in text
        assert "the rest of P₀ are the multipliers of the class inequalities" in text


def test_a_wide_plant_is_told_by_its_matrices():
    n = 13
    A = [[-3 if i == j else Q(1, 2) if j == i - 1 else 0 for j in range(n)] for i in range(n)]
    plant = lf.LureSystem(A, [[-1]] + [[0]] * (n - 1), [[1] + [0] * (n - 1)], oracles=[lf.SmoothStronglyConvex(1, 2)])
    certificate = lf.certify(plant, lf.ExponentialDecay(1), template=CAUSAL)
    assert lf.verify(certificate).proved
    assert "z = (x̃,psi)" in state_theorem(certificate).text.replace("tilde", "")


def test_the_filters_do_not_act_back():
    system = source_seeking(lf.SmoothStronglyConvex(1, 2))
    wide = extend(system, list_filters(system, lf.ZamesFalb([1, 2])), Q(1, 10))
    n = len(system.A)
    assert all(row[:n] == own and not any(row[n:]) for row, own in zip(wide.A, system.A, strict=False))
    assert [wide.A[n + k][n + k] for k in range(4)] == [Q(-6, 5), Q(-11, 5), Q(-6, 5), Q(-11, 5)]
