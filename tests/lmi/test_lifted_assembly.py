"""Independent check of the lifted inequality: one step of the method, evaluated from its definition at random s.

States, V at both steps and the class inequalities are written out for a singular value s in the interval, on vectors in
Q^2, and must agree with the lifted form at (z, t z) exactly. What S and N add there has the sign that the proof needs.
"""

import random
from fractions import Fraction as Q

import pytest

import lyapflow as lf
from lyapflow.dynamics import PrimalDualIteration
from lyapflow.exact.matrices import quadratic_value
from lyapflow.lmi.dissipation import assemble

DIMENSION = 2
NOTHING = (Q(0),) * DIMENSION
CLASSES = {
    "smooth and strongly convex": lf.SmoothStronglyConvex("1/2", 7),
    "convex": lf.Convex(),
}
PAIRS = [
    ("smooth and strongly convex", "smooth and strongly convex"),
    ("convex", "smooth and strongly convex"),
    ("smooth and strongly convex", "convex"),
]


def dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Q(0))


def combine(weights, vectors):
    return tuple(sum((Q(w) * v[k] for w, v in zip(weights, vectors, strict=True)), Q(0)) for k in range(DIMENSION))


def interpolation(oracle, i, j):
    """``f_i - f_j - <u_j, y_i - y_j> - ...``, Taylor, Hendrickx, Glineur 2017, theorem 4."""
    mu, L = getattr(oracle, "mu", Q(0)), getattr(oracle, "L", None)
    (yi, ui, fi), (yj, uj, fj) = i, j
    dy, du = combine([1, -1], [yi, yj]), combine([1, -1], [ui, uj])
    left = fi - fj - dot(uj, dy) - mu / 2 * dot(dy, dy)
    bent = combine([1, -mu], [du, dy])
    return left if L is None else left - dot(bent, bent) / (2 * (L - mu))


def symmetric(values, name, size):
    return [[values[f"{name}[{min(i, j)},{max(i, j)}]"] for j in range(size)] for i in range(size)]


def form(matrix, vectors):
    return sum((quadratic_value(matrix, [v[k] for v in vectors]) for k in range(DIMENSION)), Q(0))


@pytest.mark.parametrize("pair", PAIRS, ids=" / ".join)
@pytest.mark.parametrize("seed", range(4))
def test_lifted_form_agrees_with_definitions(pair, seed):
    source = random.Random(f"{pair} {seed}")

    def number():
        return Q(source.randint(-9, 9), source.randint(1, 9))

    def vector():
        return tuple(number() for _ in range(DIMENSION))

    tau, sigma, theta = Q(source.randint(1, 9), 7), Q(source.randint(1, 9), 5), Q(source.randint(0, 6), 6)
    low = Q(source.randint(0, 3), 3)
    high = low + Q(source.randint(1, 9), 4)
    f, g = (CLASSES[name] for name in pair)
    system = PrimalDualIteration(f, g, step_primal=tau, step_dual=sigma, extrapolation=theta, intervals=[(low, high)])
    factor = Q(5, 7)
    pencil = assemble(system, lf.Contraction(factor), lf.QuadraticStorage(), bounded=True)
    conditions = {c.name: c for c in pencil.conditions}
    values = {u: number() for u in pencil.unknowns}
    ends = [symmetric(values, f"P(sigma1 {end})", 2) for end in ("low", "high")]
    S = symmetric(values, "S(sigma1)", 4)

    for _ in range(3):
        t = Q(source.randint(-10, 10), 10)
        s = low + (high - low) * (1 + t) / 2
        x, y, u_f, u_g = (vector() for _ in range(4))
        phi = {"f": number(), "g": number()}
        # x+ = y_f is the prox point of x - tau s y, with subgradient u_f; y+ = u_g, by Moreau's identity
        x_next, y_next = combine([1, -tau * s, -tau], [x, y, u_f]), u_g
        extrapolated = combine([1 + theta, -theta], [x_next, x])
        y_g = combine([1 / sigma, s, -1 / sigma], [y, extrapolated, u_g])
        weights = (high - s) / (high - low), (s - low) / (high - low)
        P = [[sum(w * end[i][j] for w, end in zip(weights, ends, strict=True)) for j in (0, 1)] for i in (0, 1)]

        inside = Q(0)
        for name, oracle, point in (("f", f, (x_next, u_f)), ("g", g, (y_g, u_g))):
            here, rest = (*point, phi[name]), (NOTHING, NOTHING, Q(0))
            for label, i, j in (("k,*", here, rest), ("*,k", rest, here)):
                inside += values[f"decrease: {name} interpolation({label})"] * interpolation(oracle, i, j)
        expected = factor**2 * form(P, [x, y]) - form(P, [x_next, y_next]) - inside

        z = [x, y, x_next, y_next]
        w = [*z, *(combine([t], [v]) for v in z)]
        found = form(conditions["decrease of sigma1"].at(values), w) + (1 - t**2) * form(S, z)
        for equality in pencil.equalities:
            if equality.name.startswith("decrease: value of "):
                found += equality.at(values) * phi[equality.name[-1]]
        assert found == expected

    assert [list(row) for row in conditions["decrease multiplier of sigma1"].at(values)] == S
    for end, P in zip(("low", "high"), ends, strict=True):
        x = [vector(), vector(), NOTHING, NOTHING]
        square = dot(x[0], x[0]) + dot(x[1], x[1])
        lower, upper = (conditions[f"{part} of sigma1 {end}"].at(values) for part in ("positivity", "upper bound"))
        assert form(lower, x) == form(P, x[:2]) - square
        assert form(upper, x) == values["upper bound"] * square - form(P, x[:2])


def test_every_condition_of_an_operator_is_there():
    """Two columns more than the rank, and one row more: both null spaces; a point and an interval."""
    K = [[2, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]]
    F = CLASSES["smooth and strongly convex"]
    system = PrimalDualIteration(F, F, step_primal="1/3", step_dual="1/4", operator=K)
    names = {c.name for c in assemble(system, lf.Contraction("9/10"), lf.QuadraticStorage()).conditions}
    low, middle, high = "sigma1", "sigma2", "sigma3"  # the inverse golden ratio, itself, and 2
    assert names == {
        *(f"decrease of {label}" for label in (low, middle, high, "null primal", "null dual")),
        *(f"decrease multiplier of {label}" for label in (low, middle)),
        *(f"positivity of {label} {end}" for label in (low, middle) for end in ("low", "high")),
        *(f"positivity of {label}" for label in (high, "null primal", "null dual")),
    }


def test_null_spaces_say_nothing_of_the_other_function():
    """On the null space of K the step is x+ = prox(x), and that of g has no signals there."""
    F = CLASSES["smooth and strongly convex"]
    system = PrimalDualIteration(F, F, step_primal="1/3", step_dual="1/4", operator=[[1, 0], [0, 0]])
    pencil = assemble(system, lf.Contraction("9/10"), lf.QuadraticStorage())
    values = {name: Q(k + 1, 7) for k, name in enumerate(pencil.unknowns)}
    for label, other in (("primal", "g"), ("dual", "f")):
        condition = next(c for c in pencil.conditions if c.name == f"decrease of null {label}")
        used = {name for name, term in condition.terms if any(map(any, term))}
        assert not any(f": {other} " in name for name in used)
        assert f"P(null {label})[0,0]" in used
    condition = next(c for c in pencil.conditions if c.name == "decrease of null primal")
    x, u = Q(3, 2), Q(-5, 3)
    x_next, P = x - u / 3, values["P(null primal)[0,0]"]
    expected = Q(9, 10) ** 2 * P * x**2 - P * x_next**2
    here, rest = ((x_next,), (u,), Q(0)), ((Q(0),), (Q(0),), Q(0))
    pairs = (("k,*", here, rest), ("*,k", rest, here))
    for name, (yi, ui, fi), (yj, uj, fj) in pairs:
        padded = [((*y, Q(0)), (*v, Q(0)), h) for y, v, h in ((yi, ui, fi), (yj, uj, fj))]
        expected -= values[f"decrease: f interpolation({name})"] * interpolation(F, *padded)
    assert quadratic_value(condition.at(values), (x, u, Q(0))) == expected


def test_other_forms_of_V_are_refused():
    F = CLASSES["smooth and strongly convex"]
    system = PrimalDualIteration(F, F, step_primal=1, step_dual=1, intervals=[(0, 1)])
    with pytest.raises(lf.InvalidModelError, match=r"QuadraticStorage\(\) for a PrimalDualIteration"):
        assemble(system, lf.Contraction("9/10"), lf.QuadraticPlusValue())
