"""The printed proof, expanded again from the equations: independent of the pencil that the checker uses."""

from fractions import Fraction

import pytest

from lyapflow.dynamics import PrimalDualSystem
from lyapflow.errors import InvalidModelError
from lyapflow.report.argument import argue
from lyapflow.report.formulas import text_of
from lyapflow.report.proof import list_parts, list_steps


def times(a, b):
    """Product of two linear forms as a quadratic form, keyed by sorted pairs."""
    found = {}
    for i, x in a.items():
        for j, y in b.items():
            key = tuple(sorted((i, j)))
            found[key] = found.get(key, Fraction(0)) + x * y
    return found


def total(*terms):
    """Weighted sum of forms; zero entries are dropped."""
    found = {}
    for weight, form in terms:
        for key, value in form.items():
            found[key] = found.get(key, Fraction(0)) + weight * value
    return {key: value for key, value in found.items() if value}


def plant_of(system, step):
    """Dynamics of the mode that the step speaks of, written out from its definition."""
    if not isinstance(system, PrimalDualSystem):
        return system.A, system.B, system.C, system.D
    if step.mode == "null":
        return ((0,),), ((-1,),), ((1,),), ((0,),)
    theta = step.theta
    return ((-system.augmentation * theta, -1), (system.dual_gain * theta, 0)), ((-1,), (0,)), ((1, 0),), ((0,),)


def left_side(certificate, step, plant, values):
    """Left side of the condition, in states, outputs and values."""
    A, B, C, _ = plant
    n, m = len(A), len(B[0])
    x = [{("x", i): Fraction(1)} for i in range(n)]
    u = [{("u", j): Fraction(1)} for j in range(m)]
    dx = [total(*[(A[i][k], x[k]) for k in range(n)], *[(B[i][j], u[j]) for j in range(m)]) for i in range(n)]
    P = certificate.storage[step.mode]
    pairs = [(P[i][k], i, k) for i in range(n) for k in range(n)]
    V = total(*[(p, times(x[i], x[k])) for p, i, k in pairs])
    slope = total(*[(2 * p, times(x[i], dx[k])) for p, i, k in pairs])
    for j, weight in values.items():
        V = total((1, V), (weight, {("phi", j): Fraction(1)}))
        dy = total(*[(C[j][k], dx[k]) for k in range(n)])
        slope = total((1, slope), (weight, times(u[j], dy)))
    norm = {("x", i): Fraction(1) for i in range(n)}
    if step.theta is not None:
        low, high = next(box for box in certificate.system.enclosures if box[0] <= step.theta <= box[1])
        norm[("x", 1)] = 1 / (low if step.part == "positivity" else high)
    N = {(key, key): weight for key, weight in norm.items()}
    if step.part == "decrease":
        return total((-1, slope), (-2 * certificate.rate, V))
    if step.part == "positivity":
        return total((1, V), (-1, N))
    return total((certificate.values["upper bound"], N), (-1, V))


def class_part(step, part, plant):
    """Multipliers times class inequalities, with the inputs written in states and outputs."""
    _, _, C, D = plant
    n, m = len(C[0]), len(C)
    terms = []
    for used in part.used:
        j = used.oracle
        y = total(
            *[(C[j][k], {("x", k): Fraction(1)}) for k in range(n)],
            *[(D[j][k], {("u", k): Fraction(1)}) for k in range(m)],
        )
        signal = {"y": y, "u": {("u", j): Fraction(1)}}
        for ((a, _), (b, _)), coefficient in used.inequality.products:
            terms.append((used.value * coefficient, times(signal[a], signal[b])))
        for _, coefficient in used.inequality.values:
            terms.append((used.value * coefficient, {("phi", j): Fraction(1)}))
    return total(*terms)


def square_part(step, plant):
    n = len(plant[0])
    names = [("x", k) if k < n else ("u", k - n) for k in range(len(step.signals))]
    forms = [(d, {name: v for name, v in zip(names, vector, strict=True) if v}) for d, vector in step.squares]
    return total(*[(d, times(form, form)) for d, form in forms])


def test_each_condition_is_the_printed_sum(certificate):
    parts = {part.name: part for part in list_parts(certificate)}
    names = certificate.system.oracle_names
    values = {names.index(name): w for name, w in certificate.value_weights.items()}
    checked = 0
    for step in list_steps(certificate):
        if step.part == "storage":
            continue
        plant = plant_of(certificate.system, step)
        left = left_side(certificate, step, plant, values)
        right = total((1, class_part(step, parts[step.part], plant)), (1, square_part(step, plant)))
        assert left == right, step.name
        checked += 1
    modes = len(certificate.system.modes)
    assert checked >= modes * (3 if certificate.is_bounded else 2)


def test_multipliers_and_weights_have_the_right_sign(certificate):
    assert all(used.value >= 0 for part in list_parts(certificate) for used in part.used)
    assert all(weight > 0 for step in list_steps(certificate) for weight, _ in step.squares)


def test_every_multiplier_is_listed(certificate):
    listed = {used.name: used.value for part in list_parts(certificate) for used in part.used}
    assert listed == dict(certificate.multipliers)


def test_enclosures_that_are_not_points_are_proved_at_both_ends(certificates):
    certificate = certificates["primal-dual, irrational"]
    ends = {step.theta for step in list_steps(certificate) if step.part == "decrease" and step.theta is not None}
    assert ends == {theta for box in certificate.system.enclosures for theta in box}


def test_definite_templates_show_their_storage_matrix(certificates):
    steps = list_steps(certificates["definite"])
    assert "storage" in {step.part for step in steps}
    assert "positive semidefinite" in text_of(argue(certificates["definite"]))


def test_what_is_not_proved_has_no_steps(heavy_ball):
    from dataclasses import replace

    values = heavy_ball.values | {"P[0,0]": heavy_ball.values["P[0,0]"] / 10}
    with pytest.raises(InvalidModelError, match="positive semidefinite"):
        list_steps(replace(heavy_ball, unknowns=tuple(values.items())))


def test_the_printed_proof_holds_every_number(certificate):
    text = text_of(argue(certificate))
    for step in list_steps(certificate):
        for weight, _ in step.squares:
            assert f"= {weight}" in text
    for part in list_parts(certificate):
        for used in part.used:
            assert not used.value or f"= {used.value}" in text
