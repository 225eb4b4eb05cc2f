"""Primal-dual and saddle flows: intervals of singular values, dependent constraints, and published constants."""

import tomllib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lyapflow as lf
from lyapflow.errors import InvalidModelError
from lyapflow.members import SquaredNorm
from lyapflow.report.argument import argue
from lyapflow.report.proof import list_steps
from lyapflow.report.statement import state_theorem
from lyapflow.search.witness import check_witness, find_witness

FOLDER = Path(__file__).parent / "reference"
TABLE = tomllib.loads((FOLDER / "primal_dual.toml").read_text())["row"]
PROXIMAL = tomllib.loads((FOLDER / "proximal_lagrangian.toml").read_text())["row"]

F = lf.SmoothStronglyConvex(1, 10)
DEPENDENT = [[1, 2, 3], [0, 1, 1], [1, 3, 4]]


def make(kind):
    flows, euler = lf.flows, lf.algorithms.euler
    return {
        "constraint": lambda: flows.primal_dual_flow(F, singular_values=(1, 3)),
        "augmented": lambda: flows.primal_dual_flow(F, singular_values=(1, 3), augmentation=1, dual_gain=2),
        "value": lambda: flows.primal_dual_flow(lf.SmoothStronglyConvex(1, 2), singular_values=(1, 2)),
        "point": lambda: flows.primal_dual_flow(F, singular_values=(2, 2)),
        "dependent": lambda: flows.primal_dual_flow(F, constraint=DEPENDENT),
        "proximal": lambda: flows.proximal_augmented_lagrangian_flow(
            F, lf.Convex(), penalty=9, singular_values=("1/2", 1)
        ),
        "proximal strongly convex": lambda: flows.proximal_augmented_lagrangian_flow(
            F, lf.SmoothStronglyConvex(1, 4), penalty=2, singular_values=(1, 2)
        ),
        "saddle": lambda: flows.saddle_flow(F, lf.SmoothConvex(1), operator=[[1, 0, 0], [0, 3, 0]]),
        "saddle irrational": lambda: flows.saddle_flow(F, lf.SmoothConvex(1), operator=[[1, 2, 3], [0, 1, 1]]),
        "saddle tall": lambda: flows.saddle_flow(F, lf.SmoothStronglyConvex(1, 3), operator=[[1, 2], [0, 1], [3, 3]]),
        "saddle any": lambda: flows.saddle_flow(F, lf.SmoothStronglyConvex(2, 5), singular_values=(0, 3)),
        "saddle wide": lambda: flows.saddle_flow(F, lf.SmoothConvex(1), singular_values=(1, 2), dual_gain=2),
        "step": lambda: euler(flows.primal_dual_flow(F, singular_values=(1, 2)), "1/20"),
        "step augmented": lambda: euler(flows.primal_dual_flow(F, singular_values=(1, 2), augmentation=1), "1/20"),
        "step saddle": lambda: euler(flows.saddle_flow(F, F, singular_values=(0, 2)), "1/20"),
        "step proximal": lambda: euler(make("proximal"), "1/20"),
    }[kind]()


KINDS = (
    "constraint", "augmented", "value", "point", "dependent", "proximal", "proximal strongly convex", "saddle",
    "saddle irrational", "saddle tall", "saddle any", "saddle wide", "step", "step augmented", "step saddle",
    "step proximal",
)  # fmt: skip


CLAIMS = {"step proximal": lf.Contraction("0.999")}
"""Where the best claim takes long to find."""


@pytest.fixture(scope="module")
def proofs():
    """One certificate of each kind."""
    return {kind: lf.certify(make(kind), CLAIMS.get(kind)) for kind in KINDS}


def wide(singular_values):
    """A matrix with these singular values and a null space."""
    n = len(singular_values)
    return [[s if i == j else 0 for j in range(n + 1)] for i, s in enumerate(singular_values)]


# --- the tables ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["id"])
def test_the_proved_rate_is_at_least_as_large_as_the_published_ones(row):
    f, values, gain = lf.SmoothStronglyConvex(*row["f"]), list(map(Fraction, row["singular_values"])), row["dual_gain"]
    known = lf.list_primal_dual_rates(f, singular_values=(values[0], values[-1]), dual_gain=gain)
    for name, rate in (("qu_li", known.qu_li), ("improved", known.improved)):
        digits = len(row[name].partition(".")[2])
        assert abs(2 * rate - Fraction(row[name])) <= Fraction(1, 2 * 10**digits) + Fraction(1, 10**8), name
    for options in ({"constraint": wide(values)}, {"singular_values": (values[0], values[-1])}):
        found = lf.bracket(lf.flows.primal_dual_flow(f, dual_gain=gain, **options))
        v_rate = 2 * found.certificate.rate
        assert lf.verify(found.certificate).proved
        assert v_rate >= Fraction(row["quadratic"]) - Fraction(1, 10**5)
        assert v_rate >= 2 * known.improved >= 2 * known.qu_li
        assert found.gap >= 0
        assert abs(2 * found.witness.rate - Fraction(row["limit"])) <= Fraction(1, 10**6)
        assert check_witness(found.certificate.system, found.witness)


@pytest.mark.parametrize("row", PROXIMAL, ids=lambda row: row["id"])
def test_proximal_lagrangian_reaches_the_limit_of_its_linear_members(row):
    f, values = lf.SmoothStronglyConvex(*row["f"]), list(map(Fraction, row["singular_values"]))
    b = f.L + values[0] ** 2 / Fraction(row["penalty"])
    assert float(b) - np.sqrt(float(b * b - 4 * values[0] ** 2)) == pytest.approx(float(row["v_rate"]), abs=1.2e-8)
    for options in ({"operator": wide(values)}, {"singular_values": (values[0], values[-1])}):
        flow = lf.flows.proximal_augmented_lagrangian_flow(f, lf.Convex(), penalty=row["penalty"], **options)
        found = lf.bracket(flow)
        assert lf.verify(found.certificate).proved
        assert abs(2 * found.certificate.rate - Fraction(row["v_rate"])) <= Fraction(2, 10**6)
        assert found.gap >= 0


@pytest.mark.parametrize("interval", [(1, 2), (1, 3), (1, 10), ("1/10", 10)])
def test_an_interval_costs_an_ill_conditioned_objective_nothing(interval):
    """The rate is that of the slowest linear member at the least singular value, s = low: 5 - sqrt(25 - s^2)."""
    found = lf.bracket(lf.flows.primal_dual_flow(F, singular_values=interval))
    low = float(Fraction(interval[0]))
    assert float(found.certificate.rate) == pytest.approx(5 - np.sqrt(25 - low**2), rel=2e-6)
    assert found.witness.at == (("singular_value", Fraction(interval[0])),)


@given(
    kappa=st.fractions("1.1", 50, max_denominator=20),
    mu=st.fractions("1/5", 5, max_denominator=10),
    low=st.fractions("1/4", 2, max_denominator=8),
    ratio=st.fractions(1, 5, max_denominator=8),
    gain=st.fractions("1/5", 8, max_denominator=5),
)
@settings(max_examples=6, deadline=None)
def test_closed_forms_are_never_above_what_is_proved(kappa, mu, low, ratio, gain):
    f, interval = lf.SmoothStronglyConvex(mu, kappa * mu), (low, low * ratio)
    known = lf.list_primal_dual_rates(f, singular_values=interval, dual_gain=gain)
    flow = lf.flows.primal_dual_flow(f, singular_values=interval, dual_gain=gain)
    found = lf.bracket(flow)
    assert found.certificate.rate >= known.improved >= 2 * known.qu_li
    assert found.gap >= 0
    assert lf.verify(found.certificate).proved


def test_closed_form_is_a_theorem_of_ours_too():
    """V of the improved constant, put into the inequality by hand: it decays as claimed at each singular value."""
    mu, L, gain, low, high = 1.0, 10.0, 2.0, 1.0, 3.0
    rates = lf.list_primal_dual_rates(F, singular_values=(1, 3), dual_gain=2)
    c = gain * low**2 / (2 * float(rates.improved))
    for s in np.linspace(low, high, 41):
        for k in np.linspace(mu, L, 41):
            A = np.array([[-k, -s], [gain * s, 0]])
            P = np.array([[gain * c, gain * s], [gain * s, c]])
            assert np.linalg.eigvalsh(A.T @ P + P @ A + 2 * float(rates.improved) * P)[-1] <= 1e-9


# --- the theorem on an interval --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["constraint", "augmented", "value", "saddle wide"])
def test_the_decrease_holds_at_every_singular_value(proofs, kind):
    """The inequality written down once more, in floats: with P affine in s and multipliers common to all s."""
    certificate = proofs[kind]
    system, rate = certificate.system, float(certificate.rate)
    values = {name: float(value) for name, value in certificate.unknowns}
    weights = [float(certificate.value_weights.get(name, 0)) for name in system.oracle_names]
    eta, a = float(system.dual_gain), float(system.augmentation)
    k = len(system.oracles)
    storage = {label: np.array(P, dtype=float) for label, P in certificate.storage.items()}
    for span in system.spans:
        for t in np.linspace(-1, 1, 21):
            s = float(span.low) * (1 - t) / 2 + float(span.high) * (1 + t) / 2
            P = storage[f"{span.label} low"] * (1 - t) / 2 + storage[f"{span.label} high"] * (1 + t) / 2
            flow = np.hstack([[[-a * s * s, -s], [eta * s, 0]], np.diag([-1, -eta])[:, :k]])
            x = np.eye(2, 2 + k)
            form = x.T @ P @ flow + flow.T @ P @ x + 2 * rate * x.T @ P @ x
            for j in range(k):
                y, u = np.eye(2 + k)[j], np.eye(2 + k)[2 + j]
                form += weights[j] / 2 * (np.outer(u, flow[j]) + np.outer(flow[j], u))
                form += _multiply(system, values, system.oracle_names[j], y, u)
            assert np.linalg.eigvalsh(form)[-1] <= 1e-7 * np.abs(form).max()
            assert np.linalg.eigvalsh(P)[0] >= -1e-9 if any(weights) else np.linalg.eigvalsh(P)[0] >= 1 - 1e-9


def _multiply(system, values, name, y, u):
    """Class inequalities of F(mu, L) around an equilibrium times their multipliers, without function values."""
    oracle = system.oracles[system.oracle_names.index(name)]
    mu, L = float(getattr(oracle, "mu", 0)), float(oracle.L)
    q = np.outer(u, u) / (2 * L) + mu / (2 * (1 - mu / L)) * np.outer(y - u / L, y - u / L)
    pairing = (np.outer(y, u) + np.outer(u, y)) / 2
    first, second = (values[f"decrease: {name} interpolation({at})"] for at in ("t,*", "*,t"))
    return first * -q + second * (pairing - q)


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_verified_from_the_file(proofs, kind, tmp_path):
    path = lf.save(proofs[kind], tmp_path / "certificate.json")
    assert lf.load(path) == proofs[kind]
    assert lf.verify(path).proved


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_numbers_are_refused(proofs, kind):
    certificate = proofs[kind]
    if certificate.system.dt:
        stronger = lf.Contraction(1 - (1 - certificate.factor) * Fraction(3, 2))
    else:
        stronger = lf.ExponentialDecay(certificate.rate * Fraction(3, 2))
    assert not lf.verify(replace(certificate, claim=stronger)).proved
    every = max(1, len(certificate.unknowns) // 10)
    for k, (name, value) in enumerate(certificate.unknowns[::every]):
        wrong = value + 1000 * (abs(value) + 1) if k % 2 else -value - 1000
        if name == "upper bound" and wrong > value:  # a weaker claim
            continue
        unknowns = tuple((n, wrong if n == name else v) for n, v in certificate.unknowns)
        assert not lf.verify(replace(certificate, unknowns=unknowns)).proved, name


@pytest.mark.parametrize("kind", ["constraint", "proximal", "saddle wide"])
def test_a_certificate_is_none_for_a_wider_interval(proofs, kind):
    system = proofs[kind].system
    boxes = [list(box) for box in system.intervals]
    boxes[0][0] = boxes[0][0] / 2
    rest = {"intervals": boxes, "name": system.name}
    if isinstance(system, lf.ProximalLagrangianSystem):
        other = lf.ProximalLagrangianSystem(system.f, system.g, penalty=system.penalty, **rest)
    else:
        other = lf.SaddleSystem(system.f, system.g, dual_gain=system.dual_gain, **rest)
    assert not lf.verify(replace(proofs[kind], system=other)).proved


@pytest.mark.parametrize("kind", KINDS)
def test_witness_is_never_below_the_proof(proofs, kind):
    certificate = proofs[kind]
    witness = find_witness(certificate.system)
    assert check_witness(certificate.system, witness)
    assert not witness.refutes(certificate.claim.number)
    assert (certificate.factor >= witness.factor) if certificate.system.dt else (certificate.rate <= witness.rate)


@pytest.mark.parametrize("kind", ["constraint", "dependent", "proximal", "saddle any", "step"])
def test_attacks_fail_and_a_false_claim_is_refuted(proofs, kind):
    certificate = proofs[kind]
    assert lf.falsify(certificate, 1, np.random.default_rng(1)) is None
    if certificate.system.dt:
        twice = lf.Contraction(max(Fraction(0), 1 - 2 * (1 - certificate.factor)))
    else:
        twice = lf.ExponentialDecay(2 * certificate.rate)
    assert lf.falsify(replace(certificate, claim=twice), 20, np.random.default_rng(0)) is not None


def test_a_certificate_of_an_interval_covers_its_matrices(proofs):
    members = [SquaredNorm(4, [1.0, -2.0, 0.5])]
    inside = lf.flows.primal_dual_flow(F, constraint=[[1, 0, 0], [0, 2, 1]])
    path = lf.simulate(inside, members, [1.0, 2, 3, 4, 5], (0, 20), offset=[1.0, 2.0])
    assert np.all(path.storage(proofs["constraint"]) <= path.bound(proofs["constraint"]) * (1 + 1e-7) + 1e-15)
    assert np.all(path.distance <= path.norm_bound(proofs["constraint"]) * (1 + 1e-7) + 1e-15)
    for outside in ([[1, 0, 0], [0, 4, 0]], [["1/2", 0, 0], [0, 2, 0]]):
        path = lf.simulate(lf.flows.primal_dual_flow(F, constraint=outside), members, [1.0, 2, 3, 4, 5], (0, 1))
        with pytest.raises(lf.InvalidModelError, match="must be about the simulated system"):
            path.storage(proofs["constraint"])
    with pytest.raises(lf.InvalidModelError, match="needs the operator"):
        lf.simulate(make("constraint"), members, [0.0, 0.0], (0, 1))
    tall = lf.flows.saddle_flow(F, lf.SmoothConvex(1), operator=[[1], [1]], dual_gain=2)
    path = lf.simulate(tall, [SquaredNorm(2, [1.0]), SquaredNorm(1, [1.0, 0.0])], [1.0, 2, 3], (0, 1))
    with pytest.raises(lf.InvalidModelError, match="must be about the simulated system"):
        path.storage(proofs["saddle wide"])  # its theorem is about matrices of full row rank


# --- saddle flows ----------------------------------------------------------------------------------------------------


def test_a_saddle_flow_moves_as_defined():
    E = np.array([[1.0, 2, 3], [0, 1, 1]])
    flow = lf.flows.saddle_flow(F, F, operator=[[1, 2, 3], [0, 1, 1]], dual_gain=2)
    f, g = SquaredNorm(4, [1.0, 0, 2]), SquaredNorm(3, [1.0, -1])
    rest = lf.find_equilibrium(flow, [f, g]).x
    assert np.allclose(4 * (rest[:3] - [1, 0, 2]) + E.T @ rest[3:], 0, atol=1e-9)
    assert np.allclose(E @ rest[:3] - 3 * (rest[3:] - [1, -1]), 0, atol=1e-9)
    start = rest + np.array([1.0, 2, -1, 3, 1])
    path = lf.simulate(flow, [f, g], start, (0, 1e-5), points=2)
    x, y = start[:3], start[3:]
    slope = np.concatenate([-4 * (x - [1, 0, 2]) - E.T @ y, 2 * (E @ x - 3 * (y - [1, -1]))])
    assert np.allclose((path.x[1] - path.x[0]) / 1e-5, slope, rtol=1e-3)
    certificate = lf.certify(flow)
    long = lf.simulate(flow, [f, g], start, (0, 8))
    assert np.all(long.storage(certificate) <= long.bound(certificate) * (1 + 1e-7) + 1e-14)


@pytest.mark.parametrize(("mu", "nu", "gain"), [(1, 2, 1), (3, 1, 2), (2, 2, "1/4")])
def test_strong_convexity_on_both_sides_is_the_rate_for_any_operator(mu, nu, gain):
    f, g = lf.SmoothStronglyConvex(mu, 10), lf.SmoothStronglyConvex(nu, 10)
    found = lf.bracket(lf.flows.saddle_flow(f, g, singular_values=(0, 3), dual_gain=gain))
    assert float(found.certificate.rate) == pytest.approx(min(mu, float(Fraction(gain)) * nu), rel=2e-7)
    assert 0 <= found.gap <= Fraction(1, 10**6)


def test_a_linear_g_is_a_constraint():
    flat = lf.certify(lf.flows.saddle_flow(F, lf.SmoothConvex("1/1000000"), singular_values=(1, 2))).rate
    assert float(flat) == pytest.approx(float(lf.certify(make("constraint")).rate), rel=1e-4)


def test_no_rate_without_full_rank():
    outcome = lf.attempt(lf.flows.saddle_flow(F, lf.SmoothConvex(1), operator=[[1], [1]]))
    assert isinstance(outcome, lf.Infeasible)
    assert outcome.witness.refutes(None)


# --- dependent constraints -------------------------------------------------------------------------------------------


def test_consistency_is_decided_exactly():
    flow = lf.flows.primal_dual_flow(F, constraint=DEPENDENT, dual_gain=2)
    assert flow.is_deficient
    assert flow.rank == 2
    whole = lf.check_consistency(flow, [1, 2, 3])
    assert whole.is_consistent
    assert not any(whole.drift)
    assert "stays what it is" in whole.explain()
    broken = lf.check_consistency(flow, [1, 2, Fraction(3) + Fraction(1, 10**30)])
    assert not broken.is_consistent
    r = broken.residual
    assert all(sum(row[j] * v for row, v in zip(DEPENDENT, r, strict=True)) == 0 for j in range(3))
    assert sum(v * w for v, w in zip(r, [1, 2, 3 + Fraction(1, 10**30)], strict=True)) == sum(v * v for v in r) > 0
    assert broken.drift == tuple(-2 * v for v in r)
    assert "has no solution" in broken.explain()
    full = lf.check_consistency(lf.flows.primal_dual_flow(F, constraint=[[1, 2]]), [5])
    assert full.is_consistent
    assert "for every b" in full.explain()
    step = lf.check_consistency(lf.algorithms.euler(flow, "1/100"), [1, 2, 4])
    assert step.drift == tuple(v / 100 for v in lf.check_consistency(flow, [1, 2, 4]).drift)
    assert "per step" in step.explain()
    assert "per unit of time" in broken.explain()
    with pytest.raises(InvalidModelError, match="sequence of numbers"):  # a set has no order
        lf.check_consistency(flow, {1, 2, 3})


def test_what_drifts_is_what_is_said():
    """Euler's method by hand: x settles at a least-squares solution, lambda runs away along the drift."""
    flow, E, b = lf.flows.primal_dual_flow(F, constraint=DEPENDENT), np.array(DEPENDENT, dtype=float), [1.0, 2, 5]
    answer = lf.check_consistency(flow, b)
    h, x, dual = 0.01, np.zeros(3), np.array([1.0, 0, 2])
    for _ in range(60_000):
        x, dual = x + h * (-4 * (x - 1) - E.T @ dual), dual + h * (E @ x - b)
    least = np.linalg.lstsq(E, np.array(b), rcond=None)[0]
    assert np.allclose(E @ x, E @ least, atol=1e-6)
    before = dual.copy()
    for _ in range(100):
        x, dual = x + h * (-4 * (x - 1) - E.T @ dual), dual + h * (E @ x - b)
    assert np.allclose(dual - before, np.array(answer.drift, dtype=float), atol=1e-6)


def test_dependent_rows_are_simulated_where_they_agree(proofs):
    flow, certificate = make("dependent"), proofs["dependent"]
    path = lf.simulate(flow, [SquaredNorm(4, [1.0, 2, 3])], [1.0, 2, 3, 4, 5, 6], (0, 200), offset=[1.0, 2, 3])
    assert np.all(path.distance <= path.norm_bound(certificate) * (1 + 1e-6) + 1e-9)
    kernel = np.array([1.0, 1, -1]) / np.sqrt(3)
    assert np.allclose(path.x[:, 3:] @ kernel, path.x[0, 3:] @ kernel, atol=1e-7)
    with pytest.raises(lf.InvalidModelError, match="distance from the range of E"):
        lf.simulate(flow, [SquaredNorm(4, [1.0, 2, 3])], [0.0] * 6, (0, 1), offset=[1.0, 2, 4])


def test_removing_dependent_rows_changes_no_rate(proofs):
    """The rows [1 2 3], [0 1 1] span the same; the rate is that of singular values, which are others."""
    repeated = lf.certify(lf.flows.primal_dual_flow(F, constraint=[[1, 0], [1, 0]]))
    once = lf.certify(lf.flows.primal_dual_flow(F, constraint=[[1, 0]], dual_gain=2, augmentation=0))
    assert float(repeated.rate) == pytest.approx(float(once.rate), rel=1e-6)  # lambda1 + lambda2 is one multiplier
    assert [mode.label for mode in proofs["dependent"].system.modes] == ["sigma1", "sigma2", "null"]


# --- noes ------------------------------------------------------------------------------------------------------------


def test_too_much_is_refused_with_a_member():
    too_fast = lf.attempt(make("constraint"), lf.ExponentialDecay(1))
    assert isinstance(too_fast, lf.Infeasible)
    assert too_fast.witness.at == (("singular_value", 1),)
    assert "at singular_value = 1 the linear member f: u = 10 y decays" in too_fast.explain()
    for step in (lf.algorithms.euler(make("constraint"), 1), lf.algorithms.euler(make("saddle any"), 1)):
        unstable = lf.attempt(step)
        assert isinstance(unstable, lf.Infeasible)
        assert unstable.witness.refutes(None)
        assert "does not converge" in unstable.explain()
    gain = lf.algorithms.euler(lf.flows.primal_dual_flow(F, singular_values=(1, 3), dual_gain=200), "1/20")
    unstable = lf.attempt(gain)
    assert isinstance(unstable, lf.Infeasible)
    assert unstable.witness.refutes(None)
    assert unstable.witness.at[0][0] == "singular_value"


def test_what_cannot_be_carried_over_is_refused(proofs, tmp_path):
    for kind, why in (("constraint", "interval of singular values"), ("dependent", "dependent rows")):
        with pytest.raises(lf.InvalidModelError, match=why):
            lf.export_coq(proofs[kind], tmp_path / "proof.v")
    for kind, why in (("constraint", "needs a flow"), ("proximal", "known operator"), ("dependent", "full row rank")):
        with pytest.raises(lf.InvalidModelError, match=why):
            lf.scale_time(make(kind), proofs[kind], lf.FixedTime("1/2", "3/2"))


# --- reports ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_proof_is_written(proofs, kind):
    certificate = proofs[kind]
    steps = list_steps(certificate)
    assert [step.name for step in steps] == [condition.name for condition in certificate.pencil().conditions]
    assert argue(certificate)
    for step in steps:
        assert len(step.signals) == len(step.slack)


def test_the_statement_says_what_is_covered(proofs):
    text = state_theorem(proofs["constraint"]).text
    assert "of any dimensions and rank, all of whose positive singular values lie in" in text
    assert "if rows of K are dependent" in text
    assert "rank 2, is checked" in state_theorem(proofs["dependent"]).text
    assert "So K has full row rank" in state_theorem(proofs["saddle wide"]).text
    assert "It may have any dimensions and rank" in state_theorem(proofs["saddle any"]).text


def test_a_report_is_one_page(proofs, tmp_path):
    path = lf.write_report(tmp_path / "report.html", proofs["point"])
    text = Path(path).read_text()
    assert "Dual gain" in text
    assert "Singular values of K" in text
