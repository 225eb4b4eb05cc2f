"""Independent check of the assembly: random rational signals, evaluated from the definitions.

Nothing here goes through forms or pencils: the right-hand side of the ODE, V, its derivative and the class inequalities
are written out from their definitions on vectors in Q^3, and must agree with the pencil's quadratic forms exactly.
"""

import random
from fractions import Fraction as Q

import pytest
from systems import CATALOGUE

import lyapflow as lf
from lyapflow import classes
from lyapflow.exact.matrices import quadratic_value
from lyapflow.lmi.dissipation import assemble

DIMENSION = 3


def dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Q(0))


def combine(*terms):
    return tuple(sum((Q(c) * v[k] for c, v in terms), Q(0)) for k in range(DIMENSION))


def random_vector(source):
    return tuple(Q(source.randint(-9, 9), source.randint(1, 9)) for _ in range(DIMENSION))


def class_inequalities(c, y, u, phi):
    """Left sides of the inequalities of a class at one point against the equilibrium, from the literature."""
    match c:
        case lf.SmoothStronglyConvex(mu=mu, L=L) | lf.SlopeRestricted(lower=mu, upper=L):
            q = dot(u, u) / (2 * (L - mu)) + mu * L / (2 * (L - mu)) * dot(y, y) - mu / (L - mu) * dot(u, y)
            return {"interpolation(t,*)": phi - q, "interpolation(*,t)": dot(u, y) - phi - q}
        case lf.SmoothConvex(L=L):
            q = dot(u, u) / (2 * L)
            return {"interpolation(t,*)": phi - q, "interpolation(*,t)": dot(u, y) - phi - q}
        case lf.StronglyConvex(mu=mu):
            q = mu / 2 * dot(y, y)
            return {"interpolation(t,*)": phi - q, "interpolation(*,t)": dot(u, y) - phi - q}
        case lf.Convex() | lf.ConvexIndicator() | lf.SupportFunction():
            return {"interpolation(t,*)": phi, "interpolation(*,t)": dot(u, y) - phi}
        case lf.Quadratic(mu=mu, L=L):
            s = dot(combine((1, u), (-mu, y)), combine((L, y), (-1, u)))
            return {"sector(t)": s, "value-(t)": phi - dot(u, y) / 2, "value+(t)": dot(u, y) / 2 - phi}
        case lf.GradientDominated(mu=mu, L=L):
            return {
                "domination(t)": dot(u, u) / (2 * mu) - phi,
                "growth(t)": phi - mu / 2 * dot(y, y),
                "descent(t)": phi - dot(u, u) / (2 * L),
                "smooth(t)": L / 2 * dot(y, y) - phi,
                "lipschitz(t)": L * L * dot(y, y) - dot(u, u),
            }
        case lf.Monotone():
            return {"monotone(t,*)": dot(u, y)}
        case lf.StronglyMonotone(mu=mu):
            return {"strongly-monotone(t,*)": dot(u, y) - mu * dot(y, y)}
        case lf.Cocoercive(beta=beta):
            return {"cocoercive(t,*)": dot(u, y) - beta * dot(u, u)}
        case lf.Lipschitz(L=L):
            return {"lipschitz(t,*)": L * L * dot(y, y) - dot(u, u)}
        case lf.SectorBounded(lower=low, upper=high):
            return {"sector(t)": dot(combine((1, u), (-low, y)), combine((high, y), (-1, u)))}
        case lf.StaticSector(lower=low, upper=high):
            return {
                "sector(t)": dot(combine((1, u), (-low, y)), combine((high, y), (-1, u))),
                "integral-above(t)": phi - low / 2 * dot(y, y),
                "integral-below(t)": high / 2 * dot(y, y) - phi,
            }
    raise AssertionError(f"no definition of {c} here")


def equations(name, system, x, u, theta):
    """Right-hand side and oracle inputs, written out from each flow's definition; None where there is no formula."""
    if name.startswith("gradient-lipschitz"):
        return [combine((-2, x[0]), (1, u[0]))], [x[0]]
    if name.startswith("gradient"):
        return [combine((-1, u[0]))], [x[0]]
    if name.startswith("heavy-ball"):
        damping = -system.A[1][1]
        return [x[1], combine((-damping, x[1]), (-1, u[0]))], [x[0]]
    if name.startswith("hessian-damped"):  # x' = w - h u, w' = x'' + h u' = -b x' - u
        velocity = combine((1, x[1]), (system.B[0][0], u[0]))
        return [velocity, combine((system.A[1][1], velocity), (-1, u[0]))], [x[0]]
    if name.startswith("forward-backward"):
        step = -system.B[0][0]
        prox = combine((1, x[0]), (-step, u[0]), (-step, u[1]))
        return [combine((1, prox), (-1, x[0]))], [x[0], prox]
    if name.startswith("douglas-rachford"):
        step = -system.B[0][0]
        first = combine((1, x[0]), (-step, u[0]))
        second = combine((2, first), (-1, x[0]), (-step, u[1]))
        return [combine((1, second), (-1, first))], [first, second]
    if name.startswith("davis-yin"):
        step = -system.B[0][0]
        first = combine((1, x[0]), (-step, u[0]))
        last = combine((2, first), (-1, x[0]), (-step, u[1]), (-step, u[2]))
        return [combine((1, last), (-1, first))], [first, first, last]
    if name.startswith("proximal-lagrangian"):
        if len(x) == 1:  # the null space of the operator
            return [combine((-1, u[0]))], [x[0], combine()]
        s = Q(1) if theta is None else theta
        penalty = system.D[1][1] * -1 if theta is None else system.penalty
        inside = combine((s, x[0]), (penalty, x[1]), (-penalty, u[1]))  # the prox point
        return [combine((-1, u[0]), (-s, u[1])), combine((s, x[0]), (-1, inside))], [x[0], inside]
    if theta is None:  # primal-dual, null space of the constraint
        return [combine((-1, u[0]))], [x[0]]
    a, gain = system.augmentation, system.dual_gain
    return [combine((-1, u[0]), (-1, x[1]), (-a * theta, x[0])), combine((gain * theta, x[0]))], [x[0]]


def cases():
    """Each system of the catalogue, one mode end at a time: (name, system, mode, end, singular value or its square)."""
    for name, system in CATALOGUE.items():
        for k, mode in enumerate(system.modes):
            for end in range(len(mode.vertices)):
                theta = None
                if isinstance(system, lf.PrimalDualSystem) and mode.label != "null":
                    theta = system.enclosures[k][end if len(mode.vertices) > 1 else 0]
                if isinstance(system, lf.ProximalLagrangianSystem) and not mode.idle:
                    theta = system.intervals[k][end if len(mode.vertices) > 1 else 0]
                yield pytest.param(name, system, mode, end, theta, id=f"{name}-{mode.label}-{end}")


@pytest.mark.parametrize("template", [lf.QuadraticPlusValue(), lf.QuadraticStorage()], ids=["value", "quadratic"])
@pytest.mark.parametrize(("name", "system", "mode", "end", "theta"), list(cases()))
def test_forms_agree_with_definitions(name, system, mode, end, theta, template):
    source = random.Random(f"{name} {mode.label} {end} {template}")
    rate = Q(3, 7)
    pencil = assemble(system, lf.ExponentialDecay(rate), template, bounded=True)
    unknowns = {u: Q(source.randint(-9, 9), source.randint(1, 9)) for u in pencil.unknowns}
    n, m = mode.vertices[end].shape
    x = [random_vector(source) for _ in range(n)]
    u = [random_vector(source) for _ in range(m)]
    phi = [Q(source.randint(-9, 9)) for _ in range(m)]
    for j in mode.idle:  # an oracle without signals here
        phi[j], u[j] = Q(0), combine()
    dx, y = equations(name, system, x, u, theta)

    at = f"({mode.label})" if mode.label else ""
    P = [[unknowns[f"P{at}[{min(i, j)},{max(i, j)}]"] for j in range(n)] for i in range(n)]
    weights = [unknowns.get(f"value[{oracle}]", Q(0)) for oracle in system.oracle_names]
    if isinstance(template, lf.QuadraticStorage):
        assert not any(name.startswith("value[") for name in unknowns)
    V = sum((P[i][j] * dot(x[i], x[j]) for i in range(n) for j in range(n)), Q(0))
    V += sum((w * p for w, p in zip(weights, phi, strict=True)), Q(0))
    dV = sum((2 * P[i][j] * dot(x[i], dx[j]) for i in range(n) for j in range(n)), Q(0))
    for j, w in enumerate(weights):
        if w:  # explicitly evaluated, y_j = x_1 in every flow here, so phi' = <u, x_1'>
            dV += w * dot(u[j], dx[0])
    above, below = norms(system, x, theta)
    multiplied = {
        part: multiply(system, part, unknowns, y, u, phi) for part in ("decrease", "positivity", "upper bound")
    }
    expected = {
        "decrease": -(dV + 2 * rate * V) - multiplied["decrease"],
        "positivity": V - above - multiplied["positivity"],
        "upper bound": unknowns["upper bound"] * below - V - multiplied["upper bound"],
    }
    z = [*x, *(random_vector(source) if j in mode.idle else v for j, v in enumerate(u))]
    equalities = {e.name: e.at(unknowns) for e in pencil.equalities}
    for part, value in expected.items():
        condition = find_condition(pencil, part, mode, end)
        form = sum((quadratic_value(condition.at(unknowns), [v[k] for v in z]) for k in range(DIMENSION)), Q(0))
        values = sum(
            (equalities.get(f"{part}: value of {o}", Q(0)) * p for o, p in zip(system.oracle_names, phi, strict=True)),
            Q(0),
        )
        assert form + values == value, part


def find_condition(pencil, part, mode, end):
    where = f" of {mode.label}" if mode.label else ""
    ends = f", end {end + 1}" if part == "decrease" and len(mode.vertices) > 1 else ""
    return next(c for c in pencil.conditions if c.name == f"{part}{where}{ends}")


def norms(system, x, theta):
    """The state norm |x|^2 + |lambda|^2 with lambda = w / sigma, bounded by the enclosure of sigma^2."""
    if theta is None or isinstance(system, lf.ProximalLagrangianSystem):
        square = sum((dot(v, v) for v in x), Q(0))
        return square, square
    low, high = next(box for box in system.enclosures if box[0] <= theta <= box[1])
    return (dot(x[0], x[0]) + dot(x[1], x[1]) / low, dot(x[0], x[0]) + dot(x[1], x[1]) / high)


def multiply(system, part, unknowns, y, u, phi):
    total = Q(0)
    for j, oracle in enumerate(system.oracles):
        for label, left in class_inequalities(oracle, y[j], u[j], phi[j]).items():
            total += unknowns.get(f"{part}: {system.oracle_names[j]} {label}", Q(0)) * left
    return total


def test_every_class_is_used():
    """Each class of the library stands in the catalogue (`Convex` also as the base of two)."""
    used = {type(oracle).__name__ for system in CATALOGUE.values() for oracle in system.oracles}
    described = {name for name in classes.__all__ if hasattr(getattr(classes, name), "describe")}
    everything = described - {"OperatorClass", "Intersection"}  # an intersection has the inequalities of its parts
    assert used == everything
