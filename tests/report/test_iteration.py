"""Primal-dual iterations: the theorem, and the printed proof expanded again, independent of the checker's pencil."""

import re
from fractions import Fraction
from html import unescape

import pytest
from forms import times, total

from lyapflow.algorithms import chambolle_pock
from lyapflow.classes import Convex, Intersection, Lipschitz, SmoothStronglyConvex, StronglyMonotone
from lyapflow.report import to_data, to_latex, write_report
from lyapflow.report.argument import argue
from lyapflow.report.formulas import text_of
from lyapflow.report.iteration import mark_of
from lyapflow.report.proof import list_parts, list_steps
from lyapflow.report.statement import state_theorem
from lyapflow.search import certify

F = SmoothStronglyConvex(1, 10)
STEPS = {"step_primal": "1/4", "step_dual": "1/3"}
SYSTEMS = {
    "irrational": chambolle_pock(F, F, operator=[[1, 0, 1], [0, 2, 1]], **STEPS),
    "points, tall": chambolle_pock(F, F, operator=[[3, 0], [0, 2], [0, 0]], **STEPS),
    "both null spaces": chambolle_pock(F, F, operator=[[1, 0], [0, 0]], extrapolation="1/2", **STEPS),
    "interval": chambolle_pock(F, F, singular_values=("1/2", 2), **STEPS),
    "interval from 0": chambolle_pock(F, F, singular_values=(0, 1), **STEPS),
    "operators": chambolle_pock(
        Intersection(StronglyMonotone(1), Lipschitz(10)), Convex(), singular_values=("1/2", 1), **STEPS
    ),
}
TIMES = [Fraction(-1), Fraction(-1, 2), Fraction(0), Fraction(1, 3), Fraction(1)]
"""Values of t. Both sides are polynomials of degree 4 at most, so equal at five places is equal."""


@pytest.fixture(scope="module", params=SYSTEMS)
def iteration(request):
    return certify(SYSTEMS[request.param])


def singular_value(system, mode, t):
    """s at a place of an interval, or of a point; 0 on the null spaces."""
    if mode.startswith("null"):
        return Fraction(0)
    low, high = system.intervals[int(mark_of(mode)) - 1]
    return (low + high) / 2 + t * (high - low) / 2


def signals(system, s, states, later):
    """Inputs and outputs of both oracles, from the definition of the iteration."""
    tau, sigma, theta = system.step_primal, system.step_dual, system.extrapolation
    (x, w), (x_next, w_next) = states, later
    reach = total((1 + theta, x_next), (-theta, x))
    return {
        ("y", 0): x_next,
        ("u", 0): total((1 / tau, x), (-1 / tau, x_next), (-s, w)),
        ("y", 1): total((1 / sigma, w), (-1 / sigma, w_next), (s, reach)),
        ("u", 1): w_next,
    }


def letters(step):
    """States now and at the next step as forms in what the step's squares are forms in."""
    one = Fraction(1)
    if step.mode == "null primal":
        return ({("x",): one}, {}), None
    if step.mode == "null dual":
        return ({}, {("w",): one}), None
    return ({("x",): one}, {("w",): one}), ({("x+",): one}, {("w+",): one})


def moved(system, s, step, states):
    """States at the next step where the squares are forms in states and outputs."""
    u = ({("u_f",): Fraction(1)}, {("u_g",): Fraction(1)})
    primal = total((1, states[0]), (-system.step_primal * s, states[1]), (-system.step_primal, u[0]))
    return {} if step.mode == "null dual" else primal, {} if step.mode == "null primal" else u[1]


def storage(certificate, step, t, states):
    """V of a mode at t, affine between the ends of an interval."""
    matrices = certificate.storage
    x = [form for form in states if form] if step.mode.startswith("null") else list(states)

    def quadratic(P):
        assert len(P) == len(x)
        return total(*[(P[i][j], times(x[i], x[j])) for i in range(len(x)) for j in range(len(x))])

    base = step.mode.removesuffix(" low").removesuffix(" high")
    if base in matrices:
        return quadratic(matrices[base])
    return total(
        *[((1 + sign * t) / 2, quadratic(matrices[f"{base} {end}"])) for sign, end in ((-1, "low"), (1, "high"))]
    )


def square_part(step, names):
    forms = [(d, {name: v for name, v in zip(names, vector, strict=True) if v}) for d, vector in step.squares]
    return total(*[(d, times(form, form)) for d, form in forms])


def class_part(part, values):
    """Multipliers times the quadratic parts of the class inequalities."""
    found = []
    for used in part.used:
        j = {"f": 0, "g": 1}[used.name.removeprefix(f"{part.name}: ").partition(" ")[0]]
        for ((a, _), (b, _)), coefficient in used.inequality.products:
            found.append((used.value * coefficient, times(values[a, j], values[b, j])))
    return total(*found)


def at_time(form, t):
    """A form in z and t z, at a given t."""
    found = {}
    for pair, value in form.items():
        power = sum(name[0] == "t" for name in pair)
        key = tuple(sorted(name[1:] if name[0] == "t" else name for name in pair))
        found[key] = found.get(key, Fraction(0)) + value * t**power
    return {key: value for key, value in found.items() if value}


def test_the_decrease_on_an_interval_is_the_printed_sum(iteration):
    system = iteration.system
    steps = list_steps(iteration)
    decrease = next(part for part in list_parts(iteration) if part.name == "decrease")
    spans = [step for step in steps if step.part == "decrease multiplier"]
    assert len(spans) == len(system.spans)
    for multiplier in spans:
        (step,) = (one for one in steps if one.part == "decrease" and one.mode == multiplier.mode)
        z = [("x",), ("w",), ("x+",), ("w+",)]
        states, later = letters(step)
        for t in TIMES:
            values = signals(system, singular_value(system, step.mode, t), states, later)
            V, V_next = (storage(iteration, step, t, at) for at in (states, later))
            left = total((iteration.factor**2, V), (-1, V_next), (-1, class_part(decrease, values)))
            squares = at_time(square_part(step, [*z, *(("t", *name) for name in z)]), t)
            assert left == total((1, squares), (1 - t**2, square_part(multiplier, z))), (step.name, t)


def test_the_decrease_at_a_point_is_the_printed_sum(iteration):
    system = iteration.system
    steps = list_steps(iteration)
    decrease = next(part for part in list_parts(iteration) if part.name == "decrease")
    spans = {span.label for span in system.spans}
    points = [step for step in steps if step.part == "decrease" and step.mode not in spans]
    for step in points:
        s = singular_value(system, step.mode, Fraction(0))
        states, _ = letters(step)
        later = moved(system, s, step, states)
        values = signals(system, s, states, later)
        if step.mode.startswith("null"):  # an oracle has no signals on the null space of the other side
            idle = 1 if step.mode == "null primal" else 0
            values |= {(kind, idle): {} for kind in "yu"}
        V, V_next = (storage(iteration, step, Fraction(0), at) for at in (states, later))
        left = total((iteration.factor**2, V), (-1, V_next), (-1, class_part(decrease, values)))
        names = [next(iter(form)) for form in states if form] + [("u_f",), ("u_g",)]
        assert left == square_part(step, names), step.name
    assert len(points) + len(spans) == len({mark_of(mode.label) for mode in system.modes})


def test_the_bounds_are_the_printed_sums(iteration):
    for step in list_steps(iteration):
        if step.part not in {"positivity", "upper bound"}:
            continue
        t = {"low": Fraction(-1), "high": Fraction(1)}.get(step.mode.rpartition(" ")[2], Fraction(0))
        states, _ = letters(step)
        V = storage(iteration, step, t, states)
        N = total(*[(1, times(form, form)) for form in states])
        left = (
            total((1, V), (-1, N))
            if step.part == "positivity"
            else total((iteration.values["upper bound"], N), (-1, V))
        )
        names = [next(iter(form)) for form in states if form] + [("u_f",), ("u_g",)]
        assert left == square_part(step, names), step.name


def test_the_statement_holds_the_iteration_and_its_hypotheses(iteration):
    text = state_theorem(iteration).text
    system = iteration.system
    assert f"ρ = {iteration.factor}" in text
    assert "‖(x,λ)(k)-(x*,λ*)‖ ≤ c ρ^k ‖(x,λ)(0)-(x*,λ*)‖" in text
    assert "y_g* = Kx*, u_f* = -Kᵀλ*, u_g* = λ*" in text
    assert f"σ = {system.step_dual}" in text
    assert f"θ = {system.extrapolation}" in text
    assert ("any real matrix K" in text) == (system.operator is None)
    if system.operator is not None:
        assert f"K = [{'; '.join(', '.join(map(str, row)) for row in system.operator)}]" in text
    for P in iteration.storage.values():
        for value in (v for row in P for v in row):
            assert abs(value) in {0, 1} or str(abs(value)) in text or str(abs(2 * value)) in text


def test_what_is_known_of_the_operator():
    text = {name: state_theorem(certify(SYSTEMS[name])).text for name in ("interval", "interval from 0", "operators")}
    assert "1/2 |x| ≤ |Kx| ≤ 2 |x|" in text["interval"]
    assert "1/2 |λ| ≤ |Kᵀλ| ≤ 2 |λ|" in text["interval"]
    assert "\n    |Kx| ≤ |x|\n    |Kᵀλ| ≤ |λ|\n" in text["interval from 0"]
    assert "null spaces belong to s = 0" in text["interval from 0"]
    assert "prox_(τ f)(x-τKᵀλ)" in text["interval"]
    assert "x⁺ = (I+τf)⁻¹(x-τKᵀλ)" in text["operators"]
    assert "λ⁺ = prox_(σ g*)(λ+σK(x⁺+θ(x⁺-x)))" in text["operators"]
    assert "u_g = λ⁺ ∈ ∂g(y_g)" in text["operators"]


def test_the_argument_holds_every_number_and_its_weights(iteration):
    text = text_of(argue(iteration))
    for step in list_steps(iteration):
        assert all(f"= {weight}" in text for weight, _ in step.squares)
        assert all(weight > 0 for weight, _ in step.squares)
    assert ("(1-t²)T₁" in text) == bool(iteration.system.spans)
    assert text.count(" (t = -1)") == 2 * len(iteration.system.spans)
    assert "Hence V⁺ ≤ ρ²V" in text


def test_the_page_and_the_fragment(iteration, tmp_path):
    page = unescape(write_report(tmp_path / "r.html", iteration).read_text())
    assert "NOT PROVED" not in page
    assert not re.search(r'class="formula"', page)  # every formula could be set
    fragment = to_latex(iteration)
    assert fragment.count("{") == fragment.count("}")
    (section,) = to_data([iteration])["sections"]
    assert section["certificate"]["system"]["type"] == "PrimalDualIteration"
