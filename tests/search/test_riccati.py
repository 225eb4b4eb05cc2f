"""Large plants by the Riccati equation: against semidefinite programs, the circle criterion and concrete members."""

import itertools
from dataclasses import replace
from fractions import Fraction

import control
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.optimize import minimize_scalar

import lyapflow as lf
from lyapflow.search import large, pipeline
from lyapflow.search.gain_loop import fails_circle_criterion, find_gain_loop, read_sector
from lyapflow.search.large import SOLVER, attempt_large
from lyapflow.search.riccati import find_extreme_point
from lyapflow.search.witness import check_witness, find_witness


def random_plant(n, seed, *, discrete=False):
    """A stable plant with poles, inputs and outputs of one size, in coordinates that mix them."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n, n)) / np.sqrt(n)
    if discrete:
        A *= 0.8 / abs(np.linalg.eigvals(A)).max()
    else:
        A -= (np.linalg.eigvals(A).real.max() + 0.3) * np.eye(n)
    return A, rng.normal(size=(n, 1)), rng.normal(size=(1, n))


def chain(n, damping=0.2):
    """Masses between springs and walls; force on the last one, its position measured."""
    m = n // 2
    K = 2 * np.eye(m) - np.eye(m, k=1) - np.eye(m, k=-1)
    A = np.block([[np.zeros((m, m)), np.eye(m)], [-K, -damping * np.eye(m)]])
    return A, np.eye(n)[:, [n - 1]], np.eye(n)[[m - 1]]


def peak_gain(plant, *, discrete=False):
    A, B, C = plant
    line = np.exp(1j * np.linspace(0, np.pi, 200)) if discrete else 1j * np.append(0, np.geomspace(1e-3, 1e3, 200))
    return max(abs((C @ np.linalg.solve(s * np.eye(len(A)) - A, B)).item()) for s in line)


def sector_loop(plant, *, share=0.8, dt=0):
    """The plant with a sector that leaves room: its widest slope times the gain is `share`."""
    gain = peak_gain(plant, discrete=dt > 0)
    return lf.LureSystem(*plant, oracles=[lf.SectorBounded(-share / gain, share / 2 / gain)], dt=dt)


def any_claim(system):
    return lf.Contraction() if system.dt > 0 else lf.ExponentialDecay()


def number(certificate):
    return certificate.factor if certificate.system.dt > 0 else certificate.rate


CLASSES = [
    lf.SectorBounded("-1/4", "1/5"),
    lf.Lipschitz("1/4"),
    lf.Cocoercive(4),
    lf.SlopeRestricted("-1/5", "1/6"),
    lf.SmoothStronglyConvex("1/10", "1/4"),
]


@pytest.mark.parametrize("oracle", CLASSES, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize(("n", "dt"), [(2, 0), (4, 0), (6, 0), (3, 1)])
def test_the_semidefinite_program_finds_the_same_rate(oracle, n, dt):
    A, B, C = random_plant(n, seed=n, discrete=dt > 0)
    gain = peak_gain((A, B, C), discrete=dt > 0)
    system = lf.LureSystem(A, -B / gain, C, oracles=[oracle], dt=dt)
    by_riccati = lf.search.outcomes.unwrap(attempt_large(system, any_claim(system)))
    by_program = lf.certify(system, template=lf.QuadraticStorage())
    assert float(number(by_riccati)) == pytest.approx(float(number(by_program)), rel=1e-6)
    assert lf.verify(by_riccati).proved


@pytest.mark.parametrize("oracle", [lf.Monotone(), lf.StronglyMonotone("1/9")], ids=repr)
def test_a_prox_step_in_the_loop(oracle):
    A, B, C = chain(4)
    system = lf.LureSystem(A, -B, C, [[-2]], oracles=[oracle])
    by_riccati = lf.search.outcomes.unwrap(attempt_large(system, lf.ExponentialDecay()))
    by_program = lf.certify(system, template=lf.QuadraticStorage())
    assert float(by_riccati.rate) == pytest.approx(float(by_program.rate), rel=1e-6)


def circle_distance(plant, low, high, rate):
    """The least real part of ``(1 - high G)(1 - low G)*`` on the shifted axis, by python-control's frequency response.

    The circle criterion: it must be positive everywhere, and the loop with a slope inside the sector stable.
    """
    A, B, C = plant
    shifted = control.ss(A + rate * np.eye(len(A)), B, C, 0)

    def distance(omega):
        G = shifted(1j * np.atleast_1d(omega), squeeze=True)
        return np.real((1 - high * G) * np.conj(1 - low * G)) / (1 + np.abs(G) ** 2)

    grid = np.append(0, np.geomspace(1e-3, 1e3, 3000))
    values = distance(grid)
    k = int(np.argmin(values))
    ends = grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]
    found = minimize_scalar(lambda w: distance(w).item(), bounds=ends, method="bounded", options={"xatol": 1e-12})
    middle = A + (low + high) / 2 * B @ C + rate * np.eye(len(A))
    return min(values.min(), found.fun), np.linalg.eigvals(middle).real.max()


PLANTS = {f"chain {n}": chain(n) for n in (6, 24)} | {f"random {n}": random_plant(n, seed=7) for n in (3, 8, 30)}


@pytest.mark.parametrize("name", PLANTS)
def test_the_circle_criterion_by_frequency_response(name):
    plant = PLANTS[name]
    system = sector_loop(plant)
    sector = system.oracles[0]
    low, high = float(sector.lower), float(sector.upper)
    outcome = attempt_large(system, lf.ExponentialDecay())
    rate = float(outcome.certificate.rate)
    distance, abscissa = circle_distance(plant, low, high, rate)
    assert distance > 0
    assert abscissa < 0
    beyond, abscissa = circle_distance(plant, low, high, rate * (1 + 1e-5))
    assert beyond < 0 or abscissa > 0


@settings(max_examples=30)
@given(st.integers(1, 6), st.integers(0, 10**6), st.booleans(), st.floats(0.05, 3))
def test_no_claim_is_better_than_a_concrete_member(n, seed, discrete, share):
    system = sector_loop(random_plant(n, seed, discrete=discrete), share=share, dt=int(discrete))
    outcome = attempt_large(system, any_claim(system))
    witness = find_witness(system)
    assert check_witness(system, witness)
    if isinstance(outcome, lf.Proved):
        assert lf.verify(outcome.certificate).proved
        assert not witness.refutes(number(outcome.certificate))
        assert outcome.certificate.is_bounded
    else:
        assert isinstance(outcome, lf.Infeasible)
        assert outcome.witness.refutes(None)


@settings(max_examples=20)
@given(st.integers(1, 5), st.integers(0, 10**6), st.booleans())
def test_the_extreme_point_is_the_slowest_member_of_the_disk(n, seed, discrete):
    A, B, C = random_plant(n, seed, discrete=discrete)
    system = sector_loop((A, B, C), dt=int(discrete))
    level = find_extreme_point(find_gain_loop(system, read_sector(system))).level
    low, high = float(system.oracles[0].lower), float(system.oracles[0].upper)

    def slowness(angle):
        slope = (low + high) / 2 + (high - low) / 2 * np.exp(1j * angle)
        values = np.linalg.eigvals(A + slope * B @ C)
        return abs(values).max() if discrete else values.real.max()

    angles = np.linspace(0, np.pi, 400)
    k = int(np.argmax([slowness(a) for a in angles]))
    ends = angles[max(k - 1, 0)], angles[min(k + 1, 399)]
    top = -minimize_scalar(lambda a: -slowness(a), bounds=ends, method="bounded", options={"xatol": 1e-12}).fun
    top = max(top, *(slowness(a) for a in ends))
    assert level == pytest.approx(top, rel=1e-6, abs=1e-7)


def test_forty_states_from_python_control_to_a_verified_file(tmp_path):
    A, B, C = chain(40)
    system = lf.LureSystem.from_control(control.ss(A, B, C, 0), oracles=[lf.SectorBounded("-1/10", "1/12")])
    outcome = lf.attempt(system)
    certificate = outcome.certificate
    assert dict(certificate.versions)["solver"] == SOLVER
    assert any(SOLVER in step for step in outcome.steps)
    assert certificate.rate > 0
    gap = outcome.witness.rate - certificate.rate
    assert 0 <= gap < certificate.rate / 10**6
    path = lf.save(certificate, tmp_path / "chain.json")
    verdict = lf.verify(path)
    assert verdict.proved
    assert verdict.margin > 0
    assert lf.load(path) == certificate
    # A sharper claim, with everything else as it is, is refused.
    sharper = replace(certificate, claim=lf.ExponentialDecay(certificate.rate * Fraction(101, 100)))
    assert not lf.verify(sharper).proved
    # What is proved holds along trajectories of members.
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 50))
    for slope, time in itertools.product((-0.1, 0.0, 1 / 12), (0.3, 3.0, 30.0)):
        reached = expm((A + slope * B @ C) * time) @ x
        bound = float(certificate.transient_bound) * np.exp(-float(certificate.rate) * time)
        assert (np.linalg.norm(reached, axis=0) <= bound * np.linalg.norm(x, axis=0)).all()


def test_forty_states_in_discrete_time():
    A, B, C = chain(40)
    A, B = expm(A / 3), np.linalg.solve(A, (expm(A / 3) - np.eye(40)) @ B)
    system = lf.LureSystem(A, B, C, oracles=[lf.SectorBounded("-1/10", "1/12")], dt="1/3")
    outcome = lf.attempt(system)
    factor = outcome.certificate.factor
    assert outcome.witness.factor <= factor < 1
    assert 1 - float(factor) == pytest.approx(1 - float(outcome.witness.factor), rel=1e-6)
    assert lf.verify(outcome.certificate).proved


def test_a_rate_that_is_given():
    system = sector_loop(chain(26))
    best = lf.certify(system)
    modest = lf.certify(system, lf.ExponentialDecay(best.rate / 2))
    assert modest.rate == best.rate / 2
    assert lf.verify(modest).proved
    assert modest.supremum is None
    too_fast = lf.attempt(system, lf.ExponentialDecay(best.rate * Fraction(1001, 1000)))
    assert isinstance(too_fast, lf.Infeasible)
    assert too_fast.witness.refutes(too_fast.rate)
    edge = lf.attempt(system, lf.ExponentialDecay(Fraction(best.supremum)))
    assert not isinstance(edge, lf.Proved) or lf.verify(edge.certificate).proved
    absurd = lf.attempt(system, lf.ExponentialDecay(10**400))
    assert isinstance(absurd, lf.Infeasible)
    tiny = lf.attempt(system, lf.ExponentialDecay(Fraction(1, 10**400)))
    assert isinstance(tiny, lf.Proved)


@pytest.mark.parametrize("share", [1.5, 50])
def test_a_sector_beyond_the_circle_criterion_is_not_proved(share):
    outcome = lf.attempt(sector_loop(chain(24), share=share))
    assert isinstance(outcome, lf.Infeasible)
    assert outcome.witness.refutes(None)
    assert SOLVER in outcome.status


def test_an_unstable_plant_is_not_proved():
    A, B, C = random_plant(22, seed=3)
    outcome = lf.attempt(lf.LureSystem(A + np.eye(22), B, C, oracles=[lf.SectorBounded("-1/100", "1/100")]))
    assert isinstance(outcome, lf.Infeasible)
    assert outcome.witness.refutes(None)


def test_a_plant_that_feedback_stabilises():
    """Unstable with slope 0, stable with every slope of the sector [2, 3]."""
    n = 22
    A = np.diag(-np.arange(1.0, n + 1))
    A[0, 0] = 1.0
    B = C = np.eye(n)[[0]]
    system = lf.LureSystem(A, -B.T, C, oracles=[lf.SectorBounded(2, 3)])
    outcome = lf.attempt(system)
    assert float(outcome.certificate.rate) == pytest.approx(1, rel=1e-6)
    assert outcome.certificate.rate <= 1


HALF = [[Fraction(-(i == j), i + 1) for j in range(22)] for i in range(22)]
ODD = {
    "no input": (HALF, [[0]] * 22, [[1] * 22]),
    "no output": (HALF, [[1]] * 22, [[0] * 22]),
    "not controllable": (HALF, [[int(i < 3)] for i in range(22)], [[1] * 22]),
    "not observable": (HALF, [[1]] * 22, [[int(i > 18) for i in range(22)]]),
    "one eigenvalue": ([[-int(i == j) for j in range(22)] for i in range(22)], [[1]] * 22, [[1] * 22]),
}


@pytest.mark.parametrize("case", ODD)
def test_degenerate_plants(case):
    system = lf.LureSystem(*ODD[case], oracles=[lf.SectorBounded("-1/100", 0)])
    outcome = lf.attempt(system)
    assert isinstance(outcome, lf.Proved)
    assert lf.verify(outcome.certificate).proved
    # No eigenvalue that feedback does not move is overtaken; the others cannot be far.
    assert 0.9 < float(outcome.certificate.rate) * (1 if case == "one eigenvalue" else 22) <= 1.0000001
    assert not outcome.witness.refutes(outcome.certificate.rate)


def test_a_delay_line_contracts_at_last():
    """A nilpotent plant without feedback: every factor above zero is proved, with a transient bound that grows."""
    n = 22
    shift = [[int(j == i + 1) for j in range(n)] for i in range(n)]
    system = lf.LureSystem(shift, [[0]] * n, [[1] * n], oracles=[lf.SectorBounded(-1, 1)], dt=1)
    certificate = lf.certify(system, lf.Contraction("1/2"))
    assert certificate.factor == Fraction(1, 2)
    assert certificate.transient_bound >= 2**21


@pytest.mark.parametrize("exponent", [-6, 6])
def test_units_do_not_matter(exponent):
    """States in units that differ by twelve decades."""
    n = 24
    A, B, C = chain(n)
    units = np.where(np.arange(n) < n // 2, 10.0**exponent, 1.0)
    system = sector_loop((A, B, C))
    scaled = lf.LureSystem(A * units / units[:, None], B / units[:, None], C * units, oracles=[system.oracles[0]])
    rate, other = lf.certify(system).rate, lf.certify(scaled).rate
    assert float(rate) == pytest.approx(float(other), rel=1e-6)


def test_the_search_is_not_believed(monkeypatch):
    """Whatever the Riccati equation gives, only what is checked exactly becomes a certificate."""
    honest = large.find_storage

    def lie(loop, extreme, level):
        found = honest(loop, extreme, level)
        return replace(found, P=np.eye(len(found.P)) + 0.3, margin=1.0)

    monkeypatch.setattr(large, "find_storage", lie)
    outcome = lf.attempt(sector_loop(chain(22)))
    assert isinstance(outcome, lf.Inconclusive)
    assert outcome.reason.name == "ROUNDING_FAILED"


@pytest.mark.parametrize(
    ("options", "states", "expected"),
    [
        ({}, 22, True),
        ({"template": lf.QuadraticStorage()}, 22, True),
        ({"template": lf.QuadraticPlusValue()}, 22, False),
        ({"solver": "CLARABEL"}, 22, False),
        ({}, 20, False),
    ],
)
def test_who_goes_which_way(monkeypatch, options, states, expected):
    class GoneThisWayError(Exception):
        pass

    def notice(*_):
        raise GoneThisWayError

    def refuse(_):
        raise RuntimeError("the semidefinite program")

    monkeypatch.setattr(pipeline, "attempt_large", notice)
    monkeypatch.setattr(pipeline, "estimate_ceiling", refuse)
    with pytest.raises(GoneThisWayError if expected else RuntimeError):
        lf.attempt(sector_loop(chain(states)), **options)


def test_what_is_no_single_sector_goes_to_the_semidefinite_program():
    f = lf.SectorBounded(0, 1)
    two = lf.LureSystem([[-2]], [[1, 1]], [[1], [1]], oracles=[f, f])
    assert attempt_large(two, lf.ExponentialDecay()) is None
    unbounded = lf.flows.gradient_flow(lf.StronglyConvex(1))
    assert attempt_large(unbounded, lf.ExponentialDecay()) is None
    assert attempt_large(lf.flows.gradient_flow(lf.Quadratic(1, 2)), lf.ExponentialDecay()) is None
    constrained = lf.flows.primal_dual_flow(lf.SmoothStronglyConvex(1, 2), constraint=[[1, 1]])
    assert attempt_large(constrained, lf.ExponentialDecay()) is None
    huge = lf.LureSystem([[-1]], [[10**60]], [[1]], oracles=[f])
    assert attempt_large(huge, lf.ExponentialDecay()) is None


# --- the circle criterion as a screen -----------------------------------------------------------------------------


def screened(n, seed, discrete):
    """A system, its sector, and the best parameter of a quadratic V."""
    system = sector_loop(random_plant(n, seed, discrete=discrete), dt=int(discrete))
    form = read_sector(system)
    level = find_extreme_point(find_gain_loop(system, form)).level
    return system, form, 1 - level**2 if discrete else -level


@settings(deadline=None, max_examples=60)
@given(n=st.integers(2, 6), seed=st.integers(0, 10**6), discrete=st.booleans())
def test_what_a_quadratic_storage_proves_is_not_ruled_out(n, seed, discrete):
    system, form, best = screened(n, seed, discrete)
    assert not fails_circle_criterion(system, form, 0.9999 * best)


@settings(deadline=None, max_examples=20)
@given(n=st.integers(2, 4), seed=st.integers(0, 10**6), discrete=st.booleans())
def test_what_is_ruled_out_is_not_proved(n, seed, discrete):
    system, form, best = screened(n, seed, discrete)
    claim = (
        lf.Contraction(Fraction((1 - best) ** 0.5 * 0.98)) if discrete else lf.ExponentialDecay(Fraction(1.05 * best))
    )
    assume(fails_circle_criterion(system, form, float(claim.parameter)))
    assert not isinstance(lf.attempt(system, claim, template=lf.QuadraticStorage()), lf.Proved)


def test_the_screen_spares_a_solve_and_says_so():
    method = lf.algorithms.heavy_ball(lf.SmoothStronglyConvex(1, 10), step="1/10", momentum="1/4")
    outcome = lf.attempt(method)
    assert outcome.steps[0] == "circle criterion: QuadraticStorage is ruled out"
    assert outcome.solves == 1
    alone = lf.attempt(method, template=lf.QuadraticStorage())  # then it is what was asked for
    assert not any("circle" in step for step in alone.steps)
