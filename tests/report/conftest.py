from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from systems import ALGORITHMS

from lyapflow.algorithms import gradient_descent, proximal_point
from lyapflow.classes import (
    Convex,
    ConvexIndicator,
    GradientDominated,
    Quadratic,
    SectorBounded,
    SmoothStronglyConvex,
    StronglyConvex,
)
from lyapflow.dynamics import LureSystem, PolytopicSystem
from lyapflow.flows import (
    douglas_rachford_flow,
    forward_backward_flow,
    gradient_flow,
    heavy_ball_flow,
    primal_dual_flow,
    proximal_augmented_lagrangian_flow,
)
from lyapflow.lmi.templates import QuadraticPlusValue, VariableMetric
from lyapflow.lmi.time_scales import FiniteTime, FixedTime, PrescribedTime
from lyapflow.search import certify
from lyapflow.search.scaled import find_scaled

F = SmoothStronglyConvex(1, 10)
FLOWS = {
    "gradient": gradient_flow(SmoothStronglyConvex("1/3", 7)),
    "heavy ball": heavy_ball_flow(F, damping=2),
    "heavy ball, nonsmooth": heavy_ball_flow(StronglyConvex(1), damping=2),
    "heavy ball, binary": heavy_ball_flow(SmoothStronglyConvex(0.1, 1), damping=0.3),
    "heavy ball, quadratic": heavy_ball_flow(Quadratic(1, 4), damping=1),
    "forward-backward": forward_backward_flow(F, Convex(), step="1/10"),
    "Douglas-Rachford": douglas_rachford_flow(F, Convex(), step="1/3"),
    "dominated": gradient_flow(GradientDominated(1, 4)),
    "sector": LureSystem([[0, 1], [-2, -3]], [[0], [-1]], [[1, 0]], oracles=[SectorBounded(0, "3/10")]),
    "primal-dual": primal_dual_flow(F, constraint=[[1, 0, 0], [0, 3, 1]]),
    "primal-dual, irrational": primal_dual_flow(F, constraint=[[1, 1, 0], [0, 1, 2]], augmentation="1/2", dual_gain=2),
    "proximal Lagrangian": proximal_augmented_lagrangian_flow(F, Convex(), penalty=2),
    "proximal Lagrangian, irrational": proximal_augmented_lagrangian_flow(
        F, Convex(), penalty="1/2", operator=[[1, 1, 0], [0, 1, 2]]
    ),
}
METHODS = {
    **ALGORITHMS,
    "gradient descent, factor 0": gradient_descent(SmoothStronglyConvex(4, 4), step="1/4"),
    "gradient descent, factor near 1": gradient_descent(SmoothStronglyConvex(1, 10**9), step=Fraction(1, 10**9)),
    "gradient descent, sector": gradient_descent(SectorBounded(1, 10), step="1/10"),
}
TEMPLATES = {  # with a form of V that the search would not choose by itself
    "definite": (FLOWS["heavy ball"], QuadraticPlusValue(definite=True)),
    "definite, discrete": (ALGORITHMS["nesterov"], QuadraticPlusValue(definite=True)),
    "proximal Lagrangian, definite": (
        proximal_augmented_lagrangian_flow(F, ConvexIndicator(), penalty=3, operator=[[1, 0], [0, 3]]),
        QuadraticPlusValue(definite=True),
    ),
    "nonsmooth value, discrete": (proximal_point(StronglyConvex(1), step="1/2"), QuadraticPlusValue()),
}
PAGES = [*FLOWS, "definite", "triple-momentum", "tseng", "douglas-rachford"]
"""A page of each method would take minutes and show nothing new."""


class Shelf:
    """What is made when it is first asked for, by name."""

    def __init__(self, names, make):
        self._names, self._make = names, cache(make)

    def values(self):
        return [self[name] for name in self._names]

    def __getitem__(self, name):
        return self._make(name)


def _find(name):
    if name in TEMPLATES:
        system, form = TEMPLATES[name]
        return certify(system, template=form)
    return certify((FLOWS | METHODS)[name])


@pytest.fixture(scope="session")
def certificates():
    """One certificate of each kind, from the search."""
    return Shelf([*FLOWS, *METHODS, *TEMPLATES], _find)


@pytest.fixture(scope="session", params=[*FLOWS, *METHODS, *TEMPLATES])
def certificate(request, certificates):
    return certificates[request.param]


@pytest.fixture(scope="session", params=PAGES)
def paged(request, certificates):
    return certificates[request.param]


@pytest.fixture(scope="session")
def heavy_ball(certificates):
    return certificates["heavy ball"]


@pytest.fixture(scope="session")
def triple_momentum(certificates):
    return certificates["triple-momentum"]


@pytest.fixture(scope="session")
def iterates(triple_momentum):
    """A run of an algorithm."""
    from lyapflow.members import QuadraticFunction
    from lyapflow.simulation import simulate

    member = QuadraticFunction(np.diag([1.0, 4.0, 10.0]), [1.0, 2.0, -1.0])
    return simulate(triple_momentum.system, [member], np.array([[3.0, -2, 1], [0, 1, -1]]), 30)


@pytest.fixture(scope="session")
def unbounded(triple_momentum):
    """The same proof without its upper bound."""
    from dataclasses import replace

    kept = tuple((name, value) for name, value in triple_momentum.unknowns if not name.startswith("upper bound"))
    return replace(triple_momentum, unknowns=kept)


@pytest.fixture(scope="session")
def trajectory(heavy_ball):
    from lyapflow.members import QuadraticFunction
    from lyapflow.simulation import simulate

    member = QuadraticFunction(np.diag([1.0, 4.0, 10.0]), [1.0, 2.0, -1.0])
    return simulate(heavy_ball.system, [member], np.array([[3.0, -2, 1], [0, 1, -1]]), (0, 14))


@pytest.fixture(scope="session")
def broken(heavy_ball):
    """A certificate that claims more than it proves."""
    from dataclasses import replace

    from lyapflow.lmi.claims import ExponentialDecay

    return replace(heavy_ball, claim=ExponentialDecay(Fraction(9, 10)))


@pytest.fixture(scope="session")
def broken_method(triple_momentum):
    """The same in discrete time."""
    from dataclasses import replace

    from lyapflow.lmi.claims import Contraction

    return replace(triple_momentum, claim=Contraction(Fraction(1, 2)))


SCALES = {
    "finite": FiniteTime("1/2"),
    "constant speed": FiniteTime(0, "3/7"),
    "fixed": FixedTime("1/2", "3/2"),
    "fixed, with gains": FixedTime("1/3", "7/3", (2, "5/2")),
    "prescribed": PrescribedTime(2),
    "prescribed, slow": PrescribedTime("7/3", "1/100"),
}
SCALED = {
    "heavy ball": ["finite", "fixed", "prescribed, slow"],
    "gradient": ["constant speed", "fixed, with gains", "prescribed"],
    "sector": ["fixed"],
    "Douglas-Rachford": ["fixed, with gains"],
    "primal-dual": ["fixed", "prescribed"],
    "primal-dual, irrational": ["finite", "fixed", "prescribed"],
    "between": ["constant speed", "fixed", "prescribed"],
    "metric": ["finite", "fixed, with gains", "prescribed"],
    "many states": ["fixed"],
}


ON_SCALES = [f"{name}: {scale}" for name, scales in SCALED.items() for scale in scales]
SCALED_PAGES = {
    "heavy ball: finite", "gradient: constant speed", "sector: fixed", "Douglas-Rachford: fixed, with gains",
    "primal-dual: prescribed", "primal-dual, irrational: finite", "between: fixed", "metric: prescribed",
    "many states: fixed",
}  # fmt: skip
"""A page of each system, and of each scale: the others are slow."""


def _find_more(name):
    """What only time scales are tried on."""
    if name == "between":
        steeper = LureSystem([[0]], [[-2]], [[1]], oracles=[F])
        return certify(PolytopicSystem([gradient_flow(F), steeper]))
    if name == "metric":
        splitting = forward_backward_flow(Quadratic(1, 4), Convex(), step="1/10")
        return certify(splitting, template=VariableMetric())
    n = range(14)
    wide = LureSystem(
        [[-(i == k) for k in n] for i in n], [[-(i == 0)] for i in n], [[int(i == 0) for i in n]],
        oracles=[SmoothStronglyConvex(1, 2)],
    )  # fmt: skip
    return certify(wide)


@pytest.fixture(scope="session")
def scaled_certificates(certificates):
    """Certificates on other time scales, by system and scale."""
    more = Shelf(["between", "metric", "many states"], _find_more)

    def find(full):
        name, _, scale = full.rpartition(": ")
        known = more if name in {"between", "metric", "many states"} else certificates
        return find_scaled(known[name], SCALES[scale], optimise=False)

    return Shelf(ON_SCALES, find)


@pytest.fixture(scope="session", params=ON_SCALES)
def scaled(request, scaled_certificates):
    return scaled_certificates[request.param]


@pytest.fixture(params=[pytest.param(n, marks=() if n in SCALED_PAGES else pytest.mark.slow) for n in ON_SCALES])
def scaled_page(request, scaled_certificates):
    return scaled_certificates[request.param]


@pytest.fixture(scope="session")
def fixed(scaled_certificates):
    return scaled_certificates["heavy ball: fixed"]
