"""Sparse attention: every row of the reference, the proofs, what is false, and corrupted claims refused."""

import tomllib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from examples import at_most
from hypothesis import given
from hypothesis import strategies as st

import lyapflow as lf
from lyapflow.errors import InvalidModelError, VerificationError
from lyapflow.exact.solutions import bracket_crossing
from lyapflow.learning import attention_evidence as proofs
from lyapflow.learning import attention_refutations as refutations
from lyapflow.learning.attention_times import (
    fit_plateaus,
    linear_time,
    logarithmic_time,
    plateau_time,
    scores_plateau_time,
)
from lyapflow.learning.divergence_rates import PolynomialIdentity
from lyapflow.learning_studies import sparse_attention as study

TABLE = tomllib.loads((Path(__file__).parents[1] / "reference" / "sparse_attention.toml").read_text())
Attention = lf.learning.SparseAttention


def make(row, **more):
    given = {"T": row["T"], "d": row["d"], "projection": row.get("projection", "exact")} | more
    return Attention(given.pop("T"), given.pop("d"), **given)


def follow_emergence():
    times = np.concatenate([np.linspace(5200, 5400, 4001), np.geomspace(5500, 2e4, 2000)])
    return times, study.PAPER.simulate([0, 0], times).x


def evaluate(row):
    """The numbers of a row that is not enclosed."""
    match row["quantity"]:
        case "T*":
            return [make(row).emergence_time]
        case "the paper's fit":
            return [1.51 * row["T"] ** 0.99 * row["d"] ** 0.49]
        case "eq. (6) at 0.8, factors 1 and 2":
            return [logarithmic_time(make(row), 0.8, factor=k) for k in (1, 2)]
        case "plateau over sqrt(d) T":
            return [plateau_time(make(row, T=T)) / (T * row["d"] ** 0.5) for T in row["T"]]
        case "limit of plateau over sqrt(d) T":
            return [plateau_time(Attention(10**40, 10**24)) / 10**52]
        case "fit over T 256..4096, d 16..1024, B 1..32: C, d, T, B":
            return fit_plateaus([Attention(*s[:2], repetition=s[2], projection="paper") for s in study.WITH_PLATEAU])
        case "fit over d 16..1024, B 1..32, T = 4096: d, B":
            return fit_plateaus([Attention(T, d, repetition=B) for T, d, B in study.LONG])[1::2]
        case "plateau, all scores and W":
            flows = [lf.learning.AttentionScores(row["T"], row["d"], repetition=B) for B in row["B"]]
            found = [scores_plateau_time(flow) for flow in flows]
            assert found == pytest.approx([plateau_time(flow.reduction) for flow in flows], rel=1e-6)
            return found
        case "plateau by B":
            return [plateau_time(make(row, repetition=B)) for B in row["B"]]
        case "w at shares of T*":
            return (
                study.PAPER.__class__(row["T"], row["d"], projection="paper")
                .simulate([0, 0], np.array(row["shares"]) * make(row).emergence_time, method="DOP853", rtol=1e-11)
                .x[:, 0]
            )
        case "w at shares of T*, closed form":
            return make(row).solve_early(np.array(row["shares"]) * make(row).emergence_time)[:, 0]
        case "time to attention 0.05":
            return [plateau_time(make(row, probability=p), 0.05, of="attention") for p in row["p"]]
        case "T* by p":
            return [make(row, probability=p).emergence_time for p in row["p"]]
        case "plateau of the test loss by p":
            return [plateau_time(make(row, probability=p)) for p in row["p"]]
        case "4 t loss at 1e7":
            models = [make(row, T=T, d=d) for T, d in zip(row["T"], row["d"], strict=True)]
            return [4e7 * m.simulate([0, 0], [1e7], method="Radau", rtol=1e-10).loss[0] for m in models]
        case "their estimate (T-1)/(sqrt(d) T^2)":
            return [(row["T"] - 1) / (row["d"] ** 0.5 * row["T"] ** 2)]
        case "largest sharpness, and its time":
            times, states = follow_emergence()
            sharpness = [study.PAPER.sharpness(x) for x in states]
            return [max(sharpness), times[int(np.argmax(sharpness))]]
        case "sharpness in the end":
            return [study.PAPER.sharpness(follow_emergence()[1][-1])]
        case "drift of w^2/2 - delta a - (exp(delta a) - 1)/(T - 1) at t = 2e4":
            w, score = study.PAPER.simulate([0, 0], [2e4]).x[0]
            return [w**2 / 2 - score - np.expm1(score) / (study.PAPER.T - 1)]
        case "largest w":
            return [follow_emergence()[1][:, 0].max()]
    raise AssertionError(f"no test for {row['quantity']}")


def unit(printed):
    """Half of one unit of the last printed digit."""
    return Fraction(1, 2 * 10 ** len(printed.partition(".")[2]))


@pytest.mark.parametrize("row", [r for r in TABLE["row"] if r["kind"] != "enclosed"], ids=lambda r: r["quantity"])
def test_rows(row):
    found = evaluate(row)
    assert len(found) == len(row["expected"])
    tolerances = row.get("within") or [None] * len(found)
    for value, printed, within in zip(found, row["expected"], tolerances, strict=True):
        if within is not None:
            assert value == pytest.approx(float(printed), rel=within)
        else:
            assert abs(value - float(printed)) <= 1.001 * float(unit(printed))


def enclosed(slow):
    return [r for r in TABLE["row"] if r["kind"] == "enclosed" and r.get("slow", False) is slow]


def check_enclosed(row):
    model = make(row)
    is_plateau = row["quantity"].startswith("plateau")
    models = [make(row, repetition=B) for B in row.get("B", [1])]
    bounds = [proofs.bracket_plateau(m) for m in models] if is_plateau else proofs.enclose_start_eigenvalues(model)
    for (low, high), printed in zip(bounds, row["expected"], strict=True):
        assert low <= high
        assert abs(low - Fraction(printed)) <= unit(printed)
        assert abs(high - Fraction(printed)) <= unit(printed)
    if is_plateau:
        for (low, high), m in zip(bounds, models, strict=True):
            assert float(low) * (1 - 1e-8) <= plateau_time(m) <= float(high) * (1 + 1e-8)
    else:
        np.testing.assert_allclose(np.linalg.eigvalsh(model.hessian([0, 0])), [float(b[0]) for b in bounds], rtol=1e-9)


@pytest.mark.parametrize("row", enclosed(slow=False), ids=lambda r: r["quantity"])
def test_rows_that_are_proved(row):
    check_enclosed(row)


@pytest.mark.slow
@pytest.mark.parametrize("row", enclosed(slow=True), ids=lambda r: r["quantity"])
def test_slow_rows_that_are_proved(row):
    check_enclosed(row)


def test_kinds_of_rows():
    assert {r["kind"] for r in TABLE["row"]} == {"enclosed", "computed", "formula"}
    assert all(r["source"] for r in TABLE["row"])


@pytest.mark.parametrize(
    "model",
    [
        Attention(5, 3),
        Attention(9, 4, repetition=3, projection="paper"),
        Attention(7, 5, repetition=2, probability="0.3"),
    ],
    ids=repr,
)
def test_three_forms_of_the_field_agree(model, rng):
    """Floats against the exact polynomials, and against the flow on all scores."""
    x = rng.standard_normal(model.shape)
    c = np.sqrt([float(m) for m in model.sizes])
    s = model.repetition * model.attention(x)
    point = [*(x[:-1] / c), s, 1 - s]
    speed = model.vector_field(0, x)
    exact = [float(e.evaluate(point)) for e in model.polynomial_system.equations]
    np.testing.assert_allclose([*(speed[:-1] / c), s * (1 - s) * speed[-1]], exact[:-1], rtol=1e-12)
    assert model.loss(x) == pytest.approx(float(model.polynomial_loss.evaluate(point)))
    assert model.test_loss(x) == pytest.approx(float(model.polynomial_test_loss.evaluate(point)))
    if model.projection == "exact":
        target, _ = np.linalg.qr(rng.standard_normal((model.d, model.d)))
        flow = lf.learning.AttentionScores(
            model.T, model.d, repetition=model.repetition, probability=model.probability, target=target
        )
        whole = flow.embed(x)
        np.testing.assert_allclose(flow.reduce(whole), x, rtol=1e-12)
        np.testing.assert_allclose(flow.vector_field(0, whole), flow.embed(x + speed) - whole, atol=1e-12)
        assert flow.loss(whole) == pytest.approx(model.loss(x))


@at_most(15)
@given(T=st.integers(3, 40), d=st.integers(2, 30), B=st.integers(1, 5), p=st.sampled_from(["0", "1/10", "2/3"]))
def test_descent_and_start_are_proved(T, d, B, p):
    model = Attention(max(T, B + 1), d, repetition=B, probability=p)
    assert proofs.prove_descent(model).standing == "proved"
    start = model.exact_start
    assert all(e.evaluate(start) > 0 for e in model.polynomial_system.equations[: len(model.sizes)])
    low, *_ = np.linalg.eigvalsh(model.hessian(np.zeros(model.shape)))
    assert low < 0
    bends = bool(p != "0" or np.ones(2) @ model.hessian([0, 0]) @ np.ones(2) < 0)
    if bends:  # for many tokens; the index is one for any number
        assert proofs.prove_start(model).standing == "proved"
    else:
        with pytest.raises(VerificationError, match="along"):
            proofs.prove_start(model)


def test_proofs_of_the_study():
    assert proofs.prove_projection().standing == proofs.prove_no_equilibrium().standing == "proved"
    assert "[192.6251" in proofs.prove_plateau(Attention(64, 16, repetition=4)).statement
    assert not list(study.PAPER.equilibria())
    assert not list(lf.learning.AttentionScores(6, 3).equilibria())


@pytest.mark.parametrize("k", [0, 1])
def test_corrupted_identities_are_refused(k):
    good = proofs.state_identities()[k]
    bad = PolynomialIdentity(name=good.name, statement="", left=good.left, right=good.right * 2)
    with pytest.raises(VerificationError):
        bad.prove()


def test_a_wrong_gain_is_refused(monkeypatch):
    """The identity of the descent holds for the field as it is, and for no other."""
    model = Attention(16, 4, repetition=2)
    _ = model.polynomial_system, model.polynomial_loss
    monkeypatch.setattr(Attention, "gain", property(lambda self: Fraction(1, 3)))
    with pytest.raises(VerificationError, match="differ"):
        proofs.prove_descent(model)


def test_refutations():
    found = [
        refutations.refute_paper_projection(),
        refutations.refute_exponential_end(study.PAPER),
        refutations.refute_exponential_end(Attention(64, 16, repetition=4, probability="0.3")),
        refutations.refute_minimiser(study.SMALL),
        refutations.refute_conserved(),
    ]
    assert all(r.standing == "proved" for r in found)
    assert "589/28224" in found[0].witness
    assert "589/7168" in found[0].witness


@pytest.mark.slow
def test_refutations_by_enclosed_solutions():
    found = (*refutations.refute_logarithm(), refutations.refute_inverse_repetition())
    assert all(r.standing == "proved" for r in found)
    assert "16577.78" in found[0].witness
    assert "3.11 times" in found[0].witness
    assert "1.97389" in found[1].witness
    assert "3.69181" in found[2].witness


def test_the_plateau_does_not_follow_other_formulas():
    """What the refutations say, for one small system by integration."""
    model = study.PAPER
    time = plateau_time(model)
    assert logarithmic_time(model, 0.8) > 3 * time
    large = Attention(10**9, 10**6)  # the linearisation is right for shares of about its rate
    for share in (large.growth / 10, large.growth):
        assert plateau_time(large, 0.5 * (1 - share)) == pytest.approx(linear_time(large, share), rel=0.01)
    assert linear_time(model, 0.8) == pytest.approx(logarithmic_time(model, 0.8, factor=2), rel=1e-6)


def test_laws():
    laws = study.measure_laws()
    assert [float(law.predicted) for law in laws] == [1, 0.5, -0.5, -1, -0.5, -1]
    assert all(abs(law.exponent - float(law.predicted)) < 1e-6 for law in laws)


def test_the_end_is_slow():
    run = Attention(64, 16).simulate([0, 0], np.geomspace(1e5, 1e9, 9), method="Radau", rtol=1e-7)
    assert np.all(np.diff(run.x[:, -1]) > 0)  # the score has no limit
    for model in (Attention(64, 16), Attention(64, 16, repetition=4), Attention(64, 16, projection="paper")):
        run = model.simulate([0, 0], [1e8, 1e9], method="Radau", rtol=1e-8)
        np.testing.assert_allclose(4 * float(model.gain) * run.t * run.loss, 1, rtol=1e-4)  # V = 1/(4 g t)


def test_bad_input_is_refused():
    for arguments in ((1, 4), (0, 4), (8, 0), (8.0, 4), (True, 4)):
        with pytest.raises(InvalidModelError):
            Attention(*arguments)
    for more in ({"repetition": 8}, {"probability": 1}, {"probability": "-0.1"}, {"projection": "none"}):
        with pytest.raises(InvalidModelError):
            Attention(8, 4, **more)
    with pytest.raises(InvalidModelError, match="d must be"):
        Attention(8, 1, probability="0.1")
    with pytest.raises(InvalidModelError, match="columns"):
        lf.learning.AttentionScores(8, 2, target=[[1, 0], [1, 1]])
    model = Attention(8, 4)
    with pytest.raises(InvalidModelError, match="beyond the level"):
        plateau_time(model, 0.6)
    with pytest.raises(InvalidModelError, match="t must be"):
        model.solve_early([2 * model.emergence_time])
    with pytest.raises(InvalidModelError, match="tell the exponents apart"):
        fit_plateaus([Attention(8 * k, 4 * k) for k in (1, 2, 3)])
    with pytest.raises(InvalidModelError, match="p = 0"):
        proofs.bracket_plateau(Attention(8, 4, probability="0.1"))
    for wrong in (1, 0):
        with pytest.raises(InvalidModelError, match="level"):
            proofs.bracket_plateau(model, wrong)


@pytest.mark.parametrize("model", [Attention(2, 1), Attention(10**30, 10**12), Attention(3, 2, repetition=2)], ids=repr)
def test_extreme_sizes(model):
    """Proofs and witnesses hold, and print what they say."""
    assert proofs.prove_descent(model).standing == "proved"
    for refuted in (refutations.refute_exponential_end(model), refutations.refute_minimiser(model)):
        assert refuted.standing == "proved"
    if model.T > 10**6:
        return  # boxes of so flat a plateau are refused, not wrong
    low, high = proofs.bracket_plateau(model, "1/4", digits=6)
    assert float(low) * (1 - 1e-8) <= plateau_time(model, 0.25) <= float(high) * (1 + 1e-8)


def test_the_bracket_is_no_formality():
    """A level that is not reached in time is not bracketed."""
    model = Attention(64, 16, repetition=4)
    system = model.polynomial_system
    with pytest.raises(VerificationError, match="not crossed"):
        bracket_crossing(system.equations, model.exact_start, model.polynomial_loss, "1/10", before=150)
