"""Independent check of the assembly in discrete time: one step of a random system, evaluated from the definitions.

Next states, V at both steps and the class inequalities between this step, the next and the equilibrium are written out
on vectors in Q^2, and must agree with the pencil's quadratic forms and equalities exactly.
"""

import itertools
import random
from fractions import Fraction as Q

import pytest

import lyapflow as lf
from lyapflow.exact.matrices import quadratic_value
from lyapflow.lmi.dissipation import assemble

DIMENSION = 2


def dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Q(0))


def combine(weights, vectors):
    return tuple(sum((Q(w) * v[k] for w, v in zip(weights, vectors, strict=True)), Q(0)) for k in range(DIMENSION))


def minus(a, b):
    return tuple(x - y for x, y in zip(a, b, strict=True))


def lipschitz(L, i, j):
    dy, du = minus(i[0], j[0]), minus(i[1], j[1])
    return L**2 * dot(dy, dy) - dot(du, du)


def strong_monotonicity(mu, i, j):
    dy, du = minus(i[0], j[0]), minus(i[1], j[1])
    return dot(du, dy) - mu * dot(dy, dy)


def interpolation(mu, L, i, j):
    (yi, ui, fi), (yj, uj, fj) = i, j
    dy, du = minus(yi, yj), minus(ui, uj)
    left = fi - fj - dot(uj, dy) - mu / 2 * dot(dy, dy)
    if L is None:
        return left
    bent = tuple(a - mu * b for a, b in zip(du, dy, strict=True))
    return left - dot(bent, bent) / (2 * (L - mu))


def inequalities(oracle, points):
    """Name and left side of each inequality between named points (y, u, value), the equilibrium among them."""
    match oracle:
        case lf.SmoothStronglyConvex(mu=mu, L=L):
            for i, j in itertools.permutations(points, 2):
                yield f"interpolation({i},{j})", interpolation(mu, L, points[i], points[j])
        case lf.Convex():
            for i, j in itertools.permutations(points, 2):
                yield f"interpolation({i},{j})", interpolation(Q(0), None, points[i], points[j])
        case lf.Lipschitz(L=L):
            for i, j in itertools.combinations(points, 2):
                yield f"lipschitz({i},{j})", lipschitz(L, points[i], points[j])
        case lf.StronglyMonotone(mu=mu):
            for i, j in itertools.combinations(points, 2):
                yield f"strongly-monotone({i},{j})", strong_monotonicity(mu, points[i], points[j])
        case _:
            raise AssertionError(f"no definition of {oracle} here")


F, G, M = lf.SmoothStronglyConvex(1, 10), lf.Convex(), lf.Lipschitz("3/2")
SYSTEMS = {
    "one gradient": dict(n=2, oracles=[F], D=[[0]]),
    "gradient and prox": dict(n=1, oracles=[F, G], D=[[0, 0], ["-1/3", "-1/3"]]),
    "two prox steps": dict(n=2, oracles=[F, G], D=[["-1/4", 0], ["-1/2", "-1/4"]]),
    "an operator": dict(n=2, oracles=[M], D=[[0]]),
    "one operator twice": dict(n=1, oracles=[M, M], D=[[0, 0], ["-1/5", 0]], groups=[0, 0]),
    "gradient twice, and a prox step": dict(
        n=2, oracles=[F, lf.StronglyMonotone(2), F], D=[[0, 0, 0], [1, "-1/2", 0], ["1/7", "1/3", 0]], groups=[0, 1, 0]
    ),
}


def build(name):
    source = random.Random(name)
    options = dict(SYSTEMS[name])
    n, m = options.pop("n"), len(options["oracles"])

    def draw(rows, columns):
        return [[Q(source.randint(-5, 5), source.randint(1, 5)) for _ in range(columns)] for _ in range(rows)]

    D = options.pop("D")
    return lf.LureSystem(draw(n, n), draw(n, m), draw(m, n), D, dt=1, **options)


@pytest.mark.parametrize(
    "template", [lf.QuadraticPlusValue(), lf.QuadraticPlusValue(definite=True), lf.QuadraticStorage()], ids=str
)
@pytest.mark.parametrize("name", SYSTEMS)
def test_forms_agree_with_definitions(name, template):
    system = build(name)
    source = random.Random(f"{name} {template}")
    n, m = system.shape
    factor = Q(3, 7)
    pencil = assemble(system, lf.Contraction(factor), template, bounded=True)
    values = {u: Q(source.randint(-9, 9), source.randint(1, 9)) for u in pencil.unknowns}
    rich = not isinstance(template, lf.QuadraticStorage)

    def vector():
        return tuple(Q(source.randint(-9, 9), source.randint(1, 9)) for _ in range(DIMENSION))

    x, u, u_next = [vector() for _ in range(n)], [vector() for _ in range(m)], [vector() for _ in range(m)]
    phi, phi_next = [Q(source.randint(-9, 9)) for _ in range(m)], [Q(source.randint(-9, 9)) for _ in range(m)]
    signals = [*x, *u]
    x_next = [combine([*a, *b], signals) for a, b in zip(system.A, system.B, strict=True)]
    y = [combine([*c, *d], signals) for c, d in zip(system.C, system.D, strict=True)]
    y_next = [combine([*c, *d], [*x_next, *u_next]) for c, d in zip(system.C, system.D, strict=True)]

    def V(state, outputs, heights):
        inside = [*state, *outputs] if rich else state
        total = Q(0)
        for i, a in enumerate(inside):
            for j, b in enumerate(inside):
                total += values[f"P[{min(i, j)},{max(i, j)}]"] * dot(a, b)
        return total + sum(
            (values.get(f"value[{o}]", Q(0)) * h for o, h in zip(system.oracle_names, heights, strict=True)), Q(0)
        )

    def multiplied(part, times):
        total = Q(0)
        for group in dict.fromkeys(system.groups):
            members = [j for j in range(m) if system.groups[j] == group]
            points = {}
            for time in times:
                for j in members:
                    label = time if len(members) == 1 else f"{system.oracle_names[j]}@{time}"
                    now = time == "k"
                    points[label] = (y[j], u[j], phi[j]) if now else (y_next[j], u_next[j], phi_next[j])
            points["*"] = ((Q(0),) * DIMENSION, (Q(0),) * DIMENSION, Q(0))
            owner = "=".join(system.oracle_names[j] for j in members)
            for label, left in inequalities(system.oracles[members[0]], points):
                total += values[f"{part}: {owner} {label}"] * left
        return total

    square = sum((dot(v, v) for v in x), Q(0))
    here, there = V(x, u, phi), V(x_next, u_next, phi_next)
    expected = {
        "decrease": factor**2 * here - there - multiplied("decrease", ["k", "k+1"] if rich else ["k"]),
        "positivity": here - square - (multiplied("positivity", ["k"]) if rich else 0),
        "upper bound": values["upper bound"] * square - here - (multiplied("upper bound", ["k"]) if rich else 0),
    }
    equalities = {e.name: e.at(values) for e in pencil.equalities}
    for part, value in expected.items():
        condition = next(c for c in pencil.conditions if c.name == part)
        z = [*x, *u, *u_next][: len(condition.signals)]
        form = sum((quadratic_value(condition.at(values), [v[k] for v in z]) for k in range(DIMENSION)), Q(0))
        for heights, what in ((phi, "value"), (phi_next, "next value")):
            for oracle, height in zip(system.oracle_names, heights, strict=True):
                form += equalities.get(f"{part}: {what} of {oracle}", Q(0)) * height
        assert form == value, part
        size = range(len(condition.signals))
        for unknown, term in condition.terms:  # what is multiplied out for inspection says the same
            assert any(any(row) for row in term), unknown
        multiplied_out = [
            [condition.constant[i][j] + sum((values[u] * t[i][j] for u, t in condition.terms), Q(0)) for j in size]
            for i in size
        ]
        assert tuple(map(tuple, multiplied_out)) == condition.at(values)
    if isinstance(template, lf.QuadraticPlusValue) and template.definite:
        storage = next(c for c in pencil.conditions if c.name == "storage").at(values)
        assert all(storage[i][j] == values[f"P[{min(i, j)},{max(i, j)}]"] for i in range(n + m) for j in range(n + m))
        assert {f"value[{o}]" for o, c in zip(system.oracle_names, system.oracles, strict=True) if c.has_values} <= set(
            pencil.nonnegative
        )


def test_claims_of_the_wrong_time_are_refused():
    system = build("one gradient")
    with pytest.raises(lf.InvalidModelError, match=r"dt = 1.*Contraction"):
        assemble(system, lf.ExponentialDecay(1), lf.QuadraticStorage())
    with pytest.raises(lf.InvalidModelError, match=r"dt = 0.*ExponentialDecay"):
        assemble(lf.flows.gradient_flow(F), lf.Contraction("1/2"), lf.QuadraticStorage())
