"""What a search may say: liars prove nothing, failures are no answers, a no has a witness, and scales do not matter."""

import dataclasses
import math
import random
import re
from fractions import Fraction

import numpy as np
import pytest

import lyapflow as lf
from lyapflow.errors import InvalidModelError, NoCertificateError
from lyapflow.exact.matrices import inverse, matrix, multiply
from lyapflow.exact.spectra import bound_abscissa
from lyapflow.search.backend import Answer, MarginProblem
from lyapflow.search.outcomes import Reason

F = lf.SmoothStronglyConvex(1, 10)
SYSTEMS = {
    "gradient": lf.flows.gradient_flow(F),
    "heavy-ball": lf.flows.heavy_ball_flow(F, damping=2),
    "forward-backward": lf.flows.forward_backward_flow(F, lf.Convex(), step="1/5"),
}
CLAIMS = {"best rate": None, "given rate": lf.ExponentialDecay("1/10")}


def fake(answer):
    """A solver factory; `answer` gets the cone data and the parameter."""

    class Fake:
        def __init__(self, data):
            self.data = data

        def solve(self, parameter):
            return answer(self.data, parameter)

    return Fake


def saying(status, margin=None, values=None):
    return fake(lambda data, _: Answer(status=status, margin=margin, values=None if values is None else values(data)))


def all_equal(number):
    return lambda data: dict.fromkeys(data.names, number)


def garbage(data):
    source = random.Random("garbage")
    return {name: source.gauss(0, 10.0 ** source.randint(-9, 9)) for name in data.names}


def mixed(data):
    return {name: 1e308 if ": " in name else 1e-300 for name in data.names}


LIARS = {
    "inaccurate": saying("optimal_inaccurate", None, all_equal(1.0)),
    "inaccurate, with a margin": saying("optimal_inaccurate", 0.5, garbage),
    "stopped": saying("user_limit"),
    "failed": saying("solver_error"),
    "unheard of": saying("banana"),
    "garbage": saying("optimal", 1.0, garbage),
    "ones": saying("optimal", 1.0, all_equal(1.0)),
    "minus ones": saying("optimal", 1.0, all_equal(-1.0)),
    "zeros": saying("optimal", 1.0, all_equal(0.0)),
    "denormal": saying("optimal", 1.0, all_equal(5e-324)),
    "huge": saying("optimal", 1.0, all_equal(1e300)),
    "huge and tiny": saying("optimal", 1.0, mixed),
    "infinite": saying("optimal", 1.0, all_equal(math.inf)),
    "NaN": saying("optimal", 1.0, all_equal(math.nan)),
    "NaN margin": saying("optimal", math.nan, all_equal(math.nan)),
    "infinite margin": saying("optimal", math.inf, all_equal(1.0)),
    "a margin and no values": saying("optimal", 1.0),
}


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
@pytest.mark.parametrize("name", ["gradient", "forward-backward"])
@pytest.mark.parametrize("liar", LIARS.values(), ids=LIARS)
def test_a_liar_leaves_the_search_inconclusive(liar, name, claim):
    system = SYSTEMS[name]
    outcome = lf.attempt(system, claim, solver=liar, template=lf.QuadraticPlusValue())
    assert isinstance(outcome, lf.Inconclusive)
    assert outcome.advice
    assert outcome.status in outcome.explain()
    with pytest.raises(NoCertificateError) as caught:
        lf.certify(system, claim, solver=liar, template=lf.QuadraticPlusValue())
    assert isinstance(caught.value.outcome, lf.Inconclusive)


@pytest.mark.parametrize("liar", ["stopped", "failed", "unheard of"])
def test_a_failure_is_called_a_failure(liar):
    for claim in CLAIMS.values():
        outcome = lf.attempt(SYSTEMS["gradient"], claim, solver=LIARS[liar])
        assert outcome.reason is Reason.SOLVER_FAILED


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
@pytest.mark.parametrize("values", [None, garbage], ids=["no values", "garbage"])
def test_a_solver_that_says_infeasible_is_quoted(system, values):
    outcome = lf.attempt(system, CLAIMS["given rate"], solver=saying("infeasible", None, values))
    assert isinstance(outcome, lf.Infeasible)
    assert outcome.status == "infeasible"
    assert "solver's word" in outcome.explain()
    assert "is false" not in outcome.explain()  # it is true: only the solver says no


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_a_solver_that_always_says_infeasible_has_not_failed(system):
    outcome = lf.attempt(system, solver=saying("infeasible"))
    assert not isinstance(outcome, lf.Proved)
    assert isinstance(outcome, lf.Infeasible) or outcome.reason is not Reason.SOLVER_FAILED


def test_an_optimal_no_is_a_no():
    outcome = lf.attempt(SYSTEMS["gradient"], CLAIMS["given rate"], solver=saying("optimal", -0.5, garbage))
    assert isinstance(outcome, lf.Infeasible)
    assert "is false" not in outcome.explain()


def relabelled(status, margin=lambda t: t):
    """Right values in the wrong words."""

    def answer(data, parameter):
        true = MarginProblem(data, solver="CLARABEL").solve(parameter)
        return dataclasses.replace(true, status=status, margin=None if true.margin is None else margin(true.margin))

    return fake(answer)


@pytest.mark.parametrize("status", ["optimal_inaccurate", "user_limit", "infeasible", "banana"])
@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_values_that_verify_are_a_proof_whatever_the_status(system, status):
    outcome = lf.attempt(system, CLAIMS["given rate"], solver=relabelled(status))
    assert isinstance(outcome, lf.Proved)
    assert lf.verify(outcome.certificate).proved


@pytest.mark.parametrize("margin", [lambda t: -1.0, lambda t: None, lambda t: math.nan], ids=["no", "none", "nan"])
def test_values_that_verify_are_a_proof_whatever_the_margin(margin):
    outcome = lf.attempt(SYSTEMS["heavy-ball"], CLAIMS["given rate"], solver=relabelled("optimal", margin))
    assert isinstance(outcome, lf.Proved)
    assert lf.verify(outcome.certificate).proved


@pytest.mark.parametrize("margin", [lambda t: 1.0, abs, lambda t: t + 1e-3], ids=["always yes", "absolute", "optimist"])
@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_margins_that_lie_prove_nothing_false(system, margin):
    outcome = lf.attempt(system, solver=relabelled("optimal", margin), template=lf.QuadraticPlusValue())
    if isinstance(outcome, lf.Proved):
        assert lf.verify(outcome.certificate).proved
        assert outcome.certificate.rate <= lf.bracket(system).witness.rate
    else:
        assert isinstance(outcome, lf.Inconclusive)


def test_best_rate_from_inaccurate_answers():
    outcome = lf.attempt(SYSTEMS["gradient"], solver=relabelled("optimal_inaccurate"))
    assert isinstance(outcome, lf.Proved)
    assert outcome.certificate.rate == 1


# --- a no that is proved ------------------------------------------------------------------------------------------


def closed_loop(system, slopes):
    """A + B S (I - D S)^-1 C for real slopes, written out here."""
    m = len(slopes)
    S = [[slopes[i] if i == j else Fraction(0) for j in range(m)] for i in range(m)]
    loop = [[Fraction(i == j) - system.D[i][j] * slopes[j] for j in range(m)] for i in range(m)]
    feedback = multiply(multiply(system.B, matrix(S)), multiply(inverse(matrix(loop)), system.C))
    return matrix([[a + b for a, b in zip(r, s, strict=True)] for r, s in zip(system.A, feedback, strict=True)])


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_too_high_a_claim_is_refuted_by_a_member(system):
    best = lf.certify(system).rate
    with pytest.raises(NoCertificateError) as caught:
        lf.certify(system, lf.ExponentialDecay(20 * best))
    outcome = caught.value.outcome
    assert isinstance(outcome, lf.Infeasible)
    assert "is false" in outcome.explain()
    assert outcome.explain() in str(caught.value)
    witness = outcome.witness
    assert witness.refutes(20 * best)
    assert best <= witness.rate < 20 * best
    slopes = [real for real, imaginary in witness.slopes]
    assert not any(imaginary for _, imaginary in witness.slopes)
    for slope, oracle in zip(slopes, system.oracles, strict=True):
        limits = oracle.linear_members()
        assert limits.lower <= slope
        assert limits.upper is None or slope <= limits.upper
    loop = closed_loop(system, slopes)
    assert -bound_abscissa(loop)[0] <= witness.rate
    assert float(witness.rate) == pytest.approx(-np.linalg.eigvals(np.array(loop, dtype=float)).real.max(), rel=1e-6)


def test_an_unstable_system_is_infeasible_with_a_witness():
    for system in (
        lf.LureSystem([[0]], [[1]], [[1]], oracles=[F]),
        lf.LureSystem([[0, 1], [0, 1]], [[0], [-1]], [[1, 0]], oracles=[F]),
        lf.LureSystem([[0, 1], [0, 0]], [[0], [-1]], [[1, 0]], oracles=[F]),  # marginal: no damping
        lf.LureSystem([[-1]], [[1]], [[1]], oracles=[lf.Lipschitz(1)]),
        lf.flows.gradient_flow(lf.SmoothConvex(1)),
    ):
        for claim in (None, lf.ExponentialDecay("1/1000000")):
            outcome = lf.attempt(system, claim)
            assert isinstance(outcome, lf.Infeasible)
            assert outcome.witness.rate <= 0
            assert "does not converge" in outcome.explain()


@pytest.mark.parametrize("rate", ["1/10", "1/5", "7/10", "3/10"])
def test_a_claim_at_the_very_rate_of_a_member_is_not_called_false(rate):
    """``float("1/10")`` lies above 1/10; the claim does not."""
    system = lf.flows.gradient_flow(lf.StronglyConvex(rate))
    outcome = lf.attempt(system, lf.ExponentialDecay(rate), solver=saying("infeasible"))
    assert isinstance(outcome, lf.Infeasible)
    assert not outcome.witness.refutes(Fraction(rate))
    assert "is false" not in outcome.explain()
    assert isinstance(lf.attempt(system, lf.ExponentialDecay(rate)), lf.Proved)


def test_a_claim_that_one_template_proves_is_not_called_false_by_another():
    system = lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex(1, 100), damping="10.1")  # s = 1 decays with 1/10 exactly
    claim = lf.ExponentialDecay("1/10")
    assert isinstance(lf.attempt(system, claim), lf.Proved)
    outcome = lf.attempt(system, claim, template=lf.QuadraticStorage())
    assert isinstance(outcome, lf.Proved) or "is false" not in outcome.explain()


@pytest.mark.parametrize("excess", ["1e-6", "1e-9", "1e-12", "1e-15", "1e-20", "1e-40"])
def test_a_refutation_is_true_as_it_is_printed(excess):
    """A claim of 1 + 1e-12 is false; "the claim of rate 1 is false" would not be true."""
    outcome = lf.attempt(SYSTEMS["gradient"], lf.ExponentialDecay(1 + Fraction(excess)))
    assert isinstance(outcome, lf.Infeasible)
    assert outcome.witness.refutes(1 + Fraction(excess))
    text = outcome.explain()
    assert "is false" in text
    printed = re.search(r"claim of rate ([\d./e+-]+) is false", text)[1]
    assert Fraction(printed) > 1


def test_time_is_read_off_the_system():
    """x+ = x / 2 converges; read as x' = x / 2 it does not."""
    system = lf.LureSystem([["1/2"]], [[0]], [[1]], oracles=[lf.Lipschitz(1)], dt=1)
    for search in (lf.attempt, lf.certify):
        with pytest.raises(InvalidModelError, match="dt"):
            search(system, CLAIMS["given rate"])
    found = lf.bracket(system)
    assert (found.certificate.factor, found.witness.factor, found.gap) == (Fraction(1, 2), Fraction(1, 2), 0)
    assert isinstance(lf.attempt(system, lf.Contraction("49/100")), lf.Infeasible)


@pytest.mark.parametrize("template", ["quadratic", lf.QuadraticStorage, 1])
def test_a_wrong_template_is_refused_whatever_the_system(template):
    for system in (SYSTEMS["gradient"], lf.LureSystem([[1]], [[0]], [[1]], oracles=[F])):
        with pytest.raises(InvalidModelError, match="template"):
            lf.attempt(system, template=template)


@pytest.mark.parametrize("rate", ["1e-30", "1e-320", "1e-400", "1e300", "1e400"])
def test_extreme_claims(rate):
    outcome = lf.attempt(SYSTEMS["gradient"], lf.ExponentialDecay(rate))
    assert outcome.explain()
    if Fraction(rate) > 1:
        assert isinstance(outcome, lf.Infeasible)
        assert "is false" in outcome.explain()
    else:
        assert not isinstance(outcome, lf.Infeasible)
        assert isinstance(outcome, lf.Inconclusive) or lf.verify(outcome.certificate).proved


@pytest.mark.parametrize("mu", ["1e-400", "1e-200", "1e200", "1e400"])
def test_extreme_moduli_are_proved_or_an_outcome(mu):
    """The best rate is mu, so nothing may be said to be impossible."""
    try:
        outcome = lf.attempt(lf.flows.gradient_flow(lf.StronglyConvex(mu)))
    except InvalidModelError:  # "rescale" is an answer too
        return
    assert not isinstance(outcome, lf.Infeasible)
    if isinstance(outcome, lf.Proved):
        assert outcome.certificate.rate <= Fraction(mu)


# --- a second solver, other coordinates, other units --------------------------------------------------------------


@pytest.mark.parametrize("name", ["heavy-ball", "forward-backward"])
def test_a_second_solver_agrees(name):
    system = SYSTEMS[name]
    first = lf.certify(system, template=lf.QuadraticPlusValue())
    second = lf.certify(system, template=lf.QuadraticPlusValue(), solver="SCS")
    assert lf.verify(second).proved
    assert float(second.rate) == pytest.approx(float(first.rate), rel=1e-4)


def transformed(system, T):
    back = inverse(T)
    A, B, C = multiply(multiply(T, system.A), back), multiply(T, system.B), multiply(system.C, back)
    return lf.LureSystem(A, B, C, system.D, oracles=system.oracles)


COORDINATES = {
    "permutation": [[0, 1], [1, 0]],
    "powers of two": [[1024, 0], [0, "1/64"]],
    "shear": [[1, 3], [0, 1]],
    "rational": [["3/7", "-5/2"], ["11/3", "1/9"]],
}


@pytest.mark.parametrize("T", COORDINATES.values(), ids=COORDINATES)
def test_a_similarity_keeps_the_rate(T):
    for f, damping in ((F, 2), (lf.SectorBounded(1, 10), "3.4")):
        system = lf.flows.heavy_ball_flow(f, damping=damping)
        moved = lf.certify(transformed(system, matrix(T)))
        assert lf.verify(moved).proved
        assert float(moved.rate) == pytest.approx(float(lf.certify(system).rate), rel=1e-5)


@pytest.mark.parametrize("exponent", [-8, 8])
def test_units_do_not_matter(exponent):
    s = Fraction(10) ** exponent
    f = lf.SmoothStronglyConvex(s, 10 * s)
    fast = lf.SmoothStronglyConvex(s * s, 10 * s * s)
    pairs = [
        (lf.flows.gradient_flow(f), SYSTEMS["gradient"], s),
        (lf.flows.heavy_ball_flow(fast, damping=2 * s), SYSTEMS["heavy-ball"], s),
        (lf.flows.forward_backward_flow(f, lf.Convex(), step=Fraction(1, 5) / s), SYSTEMS["forward-backward"], 1),
        (
            lf.flows.douglas_rachford_flow(f, lf.Convex(), step=Fraction(1, 3) / s),
            lf.flows.douglas_rachford_flow(F, lf.Convex(), step="1/3"),
            1,
        ),
        (lf.flows.primal_dual_flow(f, constraint=[[s]]), lf.flows.primal_dual_flow(F, constraint=[[1]]), s),
    ]
    for scaled, plain, factor in pairs:
        found = lf.certify(scaled)
        assert lf.verify(found).proved
        assert float(found.rate / factor) == pytest.approx(float(lf.certify(plain).rate), rel=1e-5), scaled.name


def test_the_oracles_may_change_places():
    system = SYSTEMS["forward-backward"]
    f, g = system.oracles
    one = lf.LureSystem([[-1, 0], [1, -2]], [[-1, 0], [0, -1]], [[1, 0], [0, 1]], oracles=[f, g])
    two = lf.LureSystem([[-1, 0], [1, -2]], [[0, -1], [-1, 0]], [[0, 1], [1, 0]], oracles=[g, f])
    assert float(lf.certify(one).rate) == pytest.approx(float(lf.certify(two).rate), rel=1e-5)


class Failing:
    """Clarabel on a bad day."""

    def __init__(self, data):
        pass

    def solve(self, parameter):
        return Answer(status="NumericalError", margin=None, values=None)


@pytest.mark.parametrize("claim", [None, lf.ExponentialDecay("9/10")], ids=["best rate", "given rate"])
def test_where_clarabel_fails_scs_is_asked_and_the_outcome_says_so(monkeypatch, claim):
    monkeypatch.setattr("lyapflow.search.pipeline.DirectMarginProblem", Failing)
    monkeypatch.setattr("lyapflow.search.attempts.polish", lambda *_: None)
    outcome = lf.attempt(SYSTEMS["gradient"], claim)
    assert isinstance(outcome, lf.Proved)
    assert lf.verify(outcome.certificate).proved
    assert outcome.certificate.rate >= Fraction(9, 10)
    asked = next(k for k, step in enumerate(outcome.steps) if "SCS" in step)
    assert any("NumericalError" in step for step in outcome.steps[: asked + 1])
    assert "proved" in outcome.steps[-1]


def test_where_every_solver_fails_high_precision_may_not(monkeypatch):
    monkeypatch.setattr("lyapflow.search.pipeline.DirectMarginProblem", Failing)
    monkeypatch.setattr("lyapflow.search.attempts.MarginProblem", lambda data, solver: Failing(data))
    monkeypatch.setattr("lyapflow.search.best.MarginProblem", lambda data, solver: Failing(data))
    proved = lf.attempt(SYSTEMS["gradient"])
    assert "192 bits" in proved.steps[-1] or any("192 bits" in step for step in proved.steps)
    assert lf.verify(proved.certificate).proved
    monkeypatch.setattr("lyapflow.search.attempts.polish", lambda *_: None)
    outcome = lf.attempt(SYSTEMS["gradient"])
    assert isinstance(outcome, lf.Inconclusive)
    assert outcome.reason is Reason.SOLVER_FAILED
    assert any("SCS" in step for step in outcome.steps)


def test_steps_end_with_what_proved():
    outcome = lf.attempt(lf.algorithms.nesterov(F, step="1/10", momentum="1/2"))
    assert any("Newton" in step for step in outcome.steps)
    assert outcome.solves >= 3
    assert sum("proved" in step and "not proved" not in step for step in outcome.steps) >= 1


def test_a_spectral_radius_of_exactly_one_is_no_error():
    """Floats put it on either side of one; the eigenvalues are a pair on the unit circle, and no claim holds."""
    h = Fraction(13, 43)
    A = [[1 - h * Fraction(3, 10), -2 * h], [2 * h, 1 - h]]
    assert not isinstance(lf.attempt(lf.LureSystem(A, dt=1)), lf.Proved)
