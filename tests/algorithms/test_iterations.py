"""Each state space against the iteration of the textbook, written out here in plain NumPy.

Nothing that is expected comes from lyapflow: gradients, prox maps and resolvents are closed forms.
"""

import numpy as np
import pytest

import lyapflow as lf
from lyapflow import algorithms as alg
from lyapflow.members import Huber, L1Norm, LinearMap, QuadraticFunction, Translated

F = lf.SmoothStronglyConvex(1, 10)
STEPS = 30

Q = np.array([[5.0, 1.0, 0.0], [1.0, 4.0, 2.0], [0.0, 2.0, 6.0]])  # spectrum inside [1, 10]
b = np.array([1.0, -20.0, 3.0])
f = QuadraticFunction(Q, b)
x0, x1 = np.array([5.0, -3.0, 2.0]), np.array([4.0, 1.0, -1.0])

WEIGHT = 2.0
g = L1Norm(2)
h = Huber(3, 1)  # 3-smooth

M = np.array([[1.0, 3.0, 0.0], [-3.0, 1.0, -2.0], [0.0, 2.0, 1.0]])  # 1-strongly monotone, |M| < 10
centre = np.array([1.0, -2.0, 0.5])
operator = Translated(LinearMap(M), centre)
BOTH = lf.Intersection(lf.StronglyMonotone(1), lf.Lipschitz(10))


def grad_f(x):
    return Q @ x + b


def prox_f(v, step):
    return np.linalg.solve(np.eye(3) + step * Q, v - step * b)


def grad_h(x):
    return 3 * np.clip(x, -1, 1)


def prox_g(v, step):
    return np.sign(v) * np.maximum(np.abs(v) - step * WEIGHT, 0)


def prox_g_conjugate(v):
    return np.clip(v, -WEIGHT, WEIGHT)


def B(x):
    return M @ (x - centre)


def run(step_map, *start):
    """States of an iteration, STEPS of them after the start."""
    states = [start]
    for _ in range(STEPS):
        states.append(step_map(*states[-1]))
    return np.array(states)


def assert_same(system, members, start, expected):
    """The simulated states are the expected ones, and the equilibrium that was found stays where it is."""
    assert system.dt == 1
    path = lf.simulate(system, members, start, STEPS)
    np.testing.assert_allclose(path.x, expected, rtol=1e-10, atol=1e-10)
    still = lf.simulate(system, members, path.equilibrium.x, 5, equilibrium=path.equilibrium)
    assert still.distance.max() <= 1e-12 * (1 + np.linalg.norm(path.equilibrium.x))
    return path


# --- one point ----------------------------------------------------------------------------------------------------


def test_gradient_descent():
    expected = run(lambda x: (x - 0.15 * grad_f(x),), x0)
    path = assert_same(alg.gradient_descent(F, step=0.15), [f], x0, expected)
    np.testing.assert_allclose(path.equilibrium.x[0], np.linalg.solve(Q, -b), atol=1e-12)


def test_proximal_point():
    assert_same(alg.proximal_point(F, step="1/2"), [f], x0, run(lambda x: (prox_f(x, 0.5),), x0))


def test_proximal_point_of_an_operator():
    expected = run(lambda x: (np.linalg.solve(np.eye(3) + 0.5 * M, x + 0.5 * M @ centre),), x0)
    assert_same(alg.proximal_point(lf.StronglyMonotone(1), step="1/2"), [operator], x0, expected)


# --- momentum -----------------------------------------------------------------------------------------------------


def two_steps(update, scale=1.0):
    """States ``(x_k, scale (x_k - x_{k-1}))`` of a method ``x_{k+1} = update(x_k, x_{k-1})``, from x0 and x1."""
    pairs = run(lambda new, old: (update(new, old), new), x1, x0)
    return np.stack([pairs[:, 0], scale * (pairs[:, 0] - pairs[:, 1])], axis=1)


def test_heavy_ball():
    expected = two_steps(lambda new, old: new - 0.1 * grad_f(new) + 0.5 * (new - old))
    assert_same(alg.heavy_ball(F, step=0.1, momentum="1/2"), [f], [x1, x1 - x0], expected)


def nesterov_update(step, momentum):
    def update(new, old):
        ahead = new + momentum * (new - old)
        return ahead - step * grad_f(ahead)

    return update


def test_nesterov():
    expected = two_steps(nesterov_update(0.1, 0.25))
    assert_same(alg.nesterov(F, step=0.1, momentum="1/4"), [f], [x1, x1 - x0], expected)


@pytest.mark.parametrize("known", [F, lf.Quadratic(1, 10), lf.SmoothStronglyConvex(1, 9)])
def test_nesterov_with_textbook_parameters(known):
    L = float(known.L)
    root = np.sqrt(L)
    expected = two_steps(nesterov_update(1 / L, (1 - 1 / root) / (1 + 1 / root)))
    assert_same(alg.nesterov_strongly_convex(known), [f], [x1, x1 - x0], expected)


@pytest.mark.parametrize(("L", "scale"), [(9, 2.0), (10, 2.0), (1000, 4.0)])
def test_triple_momentum(L, scale):
    rho = 1 - 1 / np.sqrt(L)
    alpha, beta = (1 + rho) / L, rho**2 / (2 - rho)
    gamma = rho**2 / ((1 + rho) * (2 - rho))

    def update(new, old):
        return (1 + beta) * new - beta * old - alpha * grad_f((1 + gamma) * new - gamma * old)

    system = alg.triple_momentum(lf.SmoothStronglyConvex(1, L))
    assert_same(system, [f], [x1, scale * (x1 - x0)], two_steps(update, scale))


# --- splitting ----------------------------------------------------------------------------------------------------


def assert_lasso_solution(x):
    slope = grad_f(x)
    np.testing.assert_allclose(slope[x != 0], -WEIGHT * np.sign(x[x != 0]), atol=1e-9)
    assert np.all(np.abs(slope) <= WEIGHT + 1e-9)


def test_proximal_gradient():
    expected = run(lambda x: (prox_g(x - 0.15 * grad_f(x), 0.15),), x0)
    path = assert_same(alg.proximal_gradient(F, lf.Convex(), step=0.15), [f, g], x0, expected)
    assert_lasso_solution(path.equilibrium.x[0])


@pytest.mark.parametrize("relaxation", [0.5, 1, 1.5])
def test_douglas_rachford(relaxation):
    def step(z):
        x = prox_f(z, 0.25)
        return (z + relaxation * (prox_g(2 * x - z, 0.25) - x),)

    system = alg.douglas_rachford(F, lf.Convex(), step="1/4", relaxation=relaxation)
    path = assert_same(system, [f, g], x0, run(step, x0))
    solution = prox_f(path.equilibrium.x[0], 0.25)
    assert_lasso_solution(np.where(np.abs(solution) < 1e-9, 0, solution))


@pytest.mark.parametrize("relaxation", [0.75, 1])
def test_davis_yin(relaxation):
    def step(z):
        x = prox_f(z, 0.25)
        return (z + relaxation * (prox_g(2 * x - z - 0.25 * grad_h(x), 0.25) - x),)

    system = alg.davis_yin(F, lf.Convex(), lf.SmoothConvex(3), step="1/4", relaxation=relaxation)
    assert_same(system, [f, h, g], x0, run(step, x0))


@pytest.mark.parametrize("extrapolation", [0, 0.5, 1])
def test_chambolle_pock(extrapolation):
    tau, sigma = 0.5, 0.75

    def step(x, y):
        new = prox_f(x - tau * y, tau)
        return new, prox_g_conjugate(y + sigma * (new + extrapolation * (new - x)))

    system = alg.chambolle_pock(F, lf.Convex(), step_primal=tau, step_dual=sigma, extrapolation=extrapolation)
    start = [x0, np.array([1.0, -2.0, 0.5])]
    path = assert_same(system, [f, g], start, run(step, *start))
    assert_lasso_solution(path.equilibrium.x[0])


def test_chambolle_pock_with_reciprocal_steps_is_douglas_rachford():
    """With extrapolation 1 and sigma = 1/tau, ``z = x - tau y`` moves as in Douglas-Rachford splitting."""
    tau, start = 0.25, np.array([x0, [1.0, -2.0, 0.5]])
    method = alg.chambolle_pock(F, lf.Convex(), step_primal=tau, step_dual=1 / tau)
    primal_dual = lf.simulate(method, [f, g], start, STEPS).x
    splitting = alg.douglas_rachford(F, lf.Convex(), step=tau)
    z = lf.simulate(splitting, [f, g], start[0] - tau * start[1], STEPS).x
    np.testing.assert_allclose(primal_dual[:, 0] - tau * primal_dual[:, 1], z[:, 0], atol=1e-10)


# --- saddle points ------------------------------------------------------------------------------------------------


def test_extragradient():
    expected = run(lambda x: (x - 0.1 * B(x - 0.1 * B(x)),), x0)
    path = assert_same(alg.extragradient(BOTH, step=0.1), [operator, operator], x0, expected)
    np.testing.assert_allclose(path.equilibrium.x[0], centre, atol=1e-12)


def test_optimistic_gradient():
    pairs = run(lambda new, old: (new - 0.1 * (2 * B(new) - B(old)), new), x1, x0)
    expected = np.stack([pairs[:, 0], pairs[:, 0] + 0.1 * np.array([B(old) for old in pairs[:, 1]])], axis=1)
    assert_same(alg.optimistic_gradient(BOTH, step=0.1), [operator], [x1, x1 + 0.1 * B(x0)], expected)


def test_tseng():
    def step(x):
        inner = prox_g(x - 0.1 * B(x), 0.1)
        return (inner - 0.1 * (B(inner) - B(x)),)

    path = assert_same(alg.tseng(lf.Convex(), BOTH, step=0.1), [operator, g, operator], x0, run(step, x0))
    x = path.equilibrium.x[0]
    assert np.all(np.abs(B(x)) <= WEIGHT + 1e-9)


# --- Euler --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gradient", "proximal gradient", "Douglas-Rachford", "Davis-Yin"])
def test_euler_turns_flows_into_the_methods_of_the_catalogue(name):
    convex, smooth = lf.Convex(), lf.SmoothConvex(3)
    pairs = {
        "gradient": (alg.euler(lf.flows.gradient_flow(F), "1/7"), alg.gradient_descent(F, step="1/7")),
        "proximal gradient": (
            alg.euler(lf.flows.forward_backward_flow(F, convex, step="1/7"), 1),
            alg.proximal_gradient(F, convex, step="1/7"),
        ),
        "Douglas-Rachford": (
            alg.euler(lf.flows.douglas_rachford_flow(F, convex, step="1/7"), "3/2"),
            alg.douglas_rachford(F, convex, step="1/7", relaxation="3/2"),
        ),
        "Davis-Yin": (
            alg.euler(lf.flows.davis_yin_flow(F, convex, smooth, step="1/7"), "3/4"),
            alg.davis_yin(F, convex, smooth, step="1/7", relaxation="3/4"),
        ),
    }
    made, known = pairs[name]
    assert [made.A, made.B, made.C, made.D, made.dt] == [known.A, known.B, known.C, known.D, known.dt]
    assert (made.oracles, made.oracle_names) == (known.oracles, known.oracle_names)


def test_euler_tends_to_the_flow():
    """The error at time 1 is of first order: it halves with the step."""
    flow = lf.flows.heavy_ball_flow(F, damping=2)
    start = np.array([x0, x1])
    exact = lf.simulate(flow, [f], start, (0, 1), points=2).x[-1]
    errors = [
        np.linalg.norm(lf.simulate(alg.euler(flow, 2.0**-k), [f], start, 2**k).x[-1] - exact) for k in range(8, 12)
    ]
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 2, rtol=0.02)
