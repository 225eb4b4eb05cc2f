"""Large steps in linear networks: reference rows, what is proved, what is false."""

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
from lyapflow.learning import large_steps as evidence
from lyapflow.learning_studies import large_steps as study

TABLE = tomllib.loads((Path(__file__).parents[1] / "reference" / "large_steps.toml").read_text())
ROWS = {row["quantity"]: row for row in TABLE["row"]}
Chain = lf.learning.LinearChain


def digits(printed):
    return 0.5 * 10 ** -len(printed.partition(".")[2])


def test_row_of_critical_steps():
    row = ROWS["critical step"]
    for N, y, printed in zip(row["N"], row["y"], row["expected"], strict=True):
        chain = Chain(N, y)
        assert abs(chain.critical_step - float(printed)) <= digits(printed)
        near = Fraction(chain.critical_step)
        assert not chain.exceeds_critical(near * Fraction(999999, 1000000))
        assert chain.exceeds_critical(near * Fraction(1000001, 1000000))


def test_row_of_random_starts():
    row = ROWS["per cent of random starts that converge"]
    assert tuple(row["shares"]) == study.SHARES
    for found in study.tabulate_runs():
        assert found[3:] == pytest.approx(row["expected"])
    for chain in study.CHAINS:
        assert max(evidence.count_converged(chain, share)[1] for share in (1.02, 1.1)) < 3  # bounded oscillation


def test_row_of_sharpness():
    row = ROWS["least sharpness, target diag(2, 1)"]
    found = study.tabulate_sharpness()
    assert [r[0] for r in found] == row["depth"]
    for (_, searched, known), printed in zip(found, row["expected"], strict=True):
        assert abs(searched - float(printed)) <= 2 * digits(printed)
        assert abs(known - float(printed)) <= digits(printed)


@at_most(25)
@given(
    w=st.lists(st.fractions(Fraction(1, 4), 4, max_denominator=8), min_size=2, max_size=4),
    step=st.fractions(Fraction(1, 50), 2, max_denominator=50),
)
def test_verdicts_agree_with_the_jacobian(w, step):
    """The exact multiplier is an eigenvalue of the iteration; no minimum is stable beyond the critical step."""
    y = Fraction(1)
    for v in w:
        y *= v
    chain = Chain(len(w), y)
    values = np.linalg.eigvals(np.eye(len(w)) - float(step) * chain.hessian([float(v) for v in w])).real
    try:
        verdict = evidence.judge_minimum(chain, w, step)
    except VerificationError:
        return
    factor = float(Fraction(verdict.reason.rpartition("= ")[2]))
    assert min(abs(values - factor)) < 1e-7 * max(1, abs(factor))
    if chain.exceeds_critical(step):
        assert "unstable" in verdict.statement


def test_what_is_proved_and_refuted():
    assert all(v.standing == "proved" for v in study.prove_all())
    statements = [v.statement for v in study.prove_all()]
    assert "is stable" in statements[2]
    assert "is unstable" in statements[3]
    assert "a^2 + b^2 < 20/9 are stable" in statements[5]
    found = study.refute_all()
    assert [r.standing for r in found] == ["proved"] * 4 + ["seen in simulation"] * 4


def test_what_is_not_so_is_not_refuted():
    with pytest.raises(VerificationError, match="not beyond"):
        evidence.refute_stability(Chain(2, 1), "9/10")
    for share in (0.9, 1e-9):  # so small a step converges later: no run oscillates
        with pytest.raises(InvalidModelError, match="share must be > 1"):
            evidence.refute_random_convergence(Chain(2, 1), share)
    with pytest.raises(VerificationError, match="0 converge and 0 oscillate"):  # all wait on the plateau of the origin
        evidence.refute_random_convergence(Chain(50, 2), 1.1)
    with pytest.raises(VerificationError, match="modulus 1"):
        evidence.judge_minimum(Chain(2, 1), [1, 1], 1)
    with pytest.raises(VerificationError, match="no minimum"):
        evidence.prove_bounded_stable_set(Chain(2, 1), 2)


def test_steps_near_the_limit():
    chain = Chain(2, 1)
    near = chain.balanced_minimum * (1 + 1e-4)
    assert chain.loss(chain.iterate(near, 0.98, 2000)[-1]) < 1e-20
    assert chain.loss(chain.iterate(near, 1.02, 2000)[-1]) > 1e-4
    assert np.isnan(chain.iterate([50.0, 50.0], 1.0, 50)[-1]).all()


def test_bad_input():
    for arguments in ((1, 1), (2.0, 1), (2, 0), (3, -1)):
        with pytest.raises(InvalidModelError):
            Chain(*arguments)
    with pytest.raises(InvalidModelError, match="product"):
        evidence.judge_minimum(Chain(2, 1), [2, 1], "1/2")
    with pytest.raises(InvalidModelError, match="step"):
        Chain(2, 1).exceeds_critical(0)
    with pytest.raises(InvalidModelError, match="two layers"):
        evidence.prove_bounded_stable_set(Chain(3, 1), "1/2")
    with pytest.raises(InvalidModelError, match="one width"):
        evidence.find_least_sharpness(lf.learning.DeepLinearNetwork([2, 3, 2], [2, 1]))
