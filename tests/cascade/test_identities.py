"""The identities of the cascade: proved by rewriting, seen at rational points, refused when corrupted."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import lyapflow as lf
from lyapflow.cascade.factorization.proofs import draw_point, prove_identities, state_identities
from lyapflow.exact.words import Expression, differentiate, evaluate, letter, rewrite, unit

IDENTITIES = state_identities()


@pytest.mark.parametrize("name", IDENTITIES)
def test_proved_for_every_size(name):
    IDENTITIES[name].prove()


@pytest.mark.parametrize("name", IDENTITIES)
def test_the_other_method_agrees(name):
    """Rational matrices of random sizes, multiplied out: no rewriting."""
    for seed in range(4):
        values, sizes = draw_point(seed, start=name.startswith("start"))
        assert IDENTITIES[name].measure(values, sizes) == 0


@pytest.mark.parametrize("name", IDENTITIES)
def test_floats_agree_to_twelve_digits(name):
    one = IDENTITIES[name]
    exact, sizes = draw_point(7, start=name.startswith("start"))
    values = {key: np.array([[float(v) for v in row] for row in value]) for key, value in exact.items()}

    def total(expression):
        found, size = np.zeros((sizes[one.left.rows], sizes[one.left.columns])), 1.0
        for word, c in expression.terms.items():
            product = np.eye(sizes[one.left.rows])
            for key in word:
                product = product @ (values[key] if key in values else values[key.T].T)
            found, size = found + float(c) * product, size + np.abs(product).max() * abs(float(c))
        return (np.trace(found) if one.is_trace else found), size

    left, size = total(one.left)
    right, other = total(one.right)
    assert np.abs(left - right).max() <= 1e-12 * max(size, other)


@pytest.mark.parametrize("name", IDENTITIES)
def test_a_corrupted_identity_is_refused(name):
    one = IDENTITIES[name]
    for word, c in one.right.terms.items():
        wrong = Expression(one.right.rows, one.right.columns, {**one.right.terms, word: c * Fraction(3, 2)})
        bad = replace(one, right=wrong)
        with pytest.raises(lf.VerificationError, match="not proved") as caught:
            bad.prove()
        assert not caught.value.witness.is_zero
        gaps = [bad.measure(*draw_point(seed, start=name.startswith("start"))) for seed in range(3)]
        assert max(gaps) > 0


def test_a_point_that_breaks_a_hypothesis_is_refused():
    values, sizes = draw_point(0)
    with pytest.raises(lf.VerificationError, match="hypothesis"):
        IDENTITIES["start S"].measure(values, sizes)


def test_an_unknown_name():
    with pytest.raises(lf.InvalidModelError, match="stage S"):
        prove_identities("stage Q")
    assert len(prove_identities()) == len(IDENTITIES)


def test_shapes_must_fit():
    a, x = letter("A", "n"), letter("X", "n", "r")
    with pytest.raises(lf.DimensionError):
        _ = x * a
    with pytest.raises(lf.DimensionError):
        _ = x + a
    with pytest.raises(lf.InvalidModelError, match="derivative"):
        differentiate(a * x, {})


def test_rules_that_do_not_end_are_stopped():
    a, b = letter("A", "n"), letter("B", "n")
    (one,), (other,) = a.terms, b.terms
    with pytest.raises(lf.InvalidModelError, match="come to an end"):
        rewrite(a, {one: b, other: a})


def test_letters_do_not_commute_but_traces_turn():
    a, b = letter("A", "n"), letter("B", "n")
    assert not rewrite(a * b - b * a, {}).is_zero
    assert rewrite(a * b - b * a, {}, cyclic=True).is_zero
    assert not rewrite(a * a * b * b - a * b * a * b, {}, cyclic=True).is_zero
    assert str(unit("n") - Fraction(1, 2) * a) == "I - 1/2 A"
    ((one,),) = a.terms
    assert evaluate(a - a, {one: ((Fraction(1),),)}, {"n": 1}) == ((0,),)
