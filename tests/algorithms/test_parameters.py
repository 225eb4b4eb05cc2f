"""Wrong inputs of the catalogue, and parameters that are rounded on purpose."""

from fractions import Fraction

import pytest

import lyapflow as lf
from lyapflow import algorithms as alg
from lyapflow.exact.matrices import matrix

F = lf.SmoothStronglyConvex(1, 10)
G = lf.Convex()
BOTH = lf.Intersection(lf.StronglyMonotone(1), lf.Lipschitz(10))

MAKERS = {
    "gradient_descent": lambda **p: alg.gradient_descent(F, **p),
    "proximal_point": lambda **p: alg.proximal_point(F, **p),
    "heavy_ball": lambda **p: alg.heavy_ball(F, **{"step": 1, "momentum": 0, **p}),
    "nesterov": lambda **p: alg.nesterov(F, **{"step": 1, "momentum": 0, **p}),
    "proximal_gradient": lambda **p: alg.proximal_gradient(F, G, **p),
    "douglas_rachford": lambda **p: alg.douglas_rachford(F, G, **{"step": 1, **p}),
    "davis_yin": lambda **p: alg.davis_yin(F, G, lf.SmoothConvex(1), **{"step": 1, **p}),
    "chambolle_pock": lambda **p: alg.chambolle_pock(F, F, **{"step_primal": 1, "step_dual": 1, **p}),
    "extragradient": lambda **p: alg.extragradient(BOTH, **p),
    "optimistic_gradient": lambda **p: alg.optimistic_gradient(BOTH, **p),
    "tseng": lambda **p: alg.tseng(lf.Monotone(), BOTH, **p),
    "euler": lambda step: alg.euler(lf.flows.gradient_flow(F), step),
}
POSITIVE = [
    *[(name, "step") for name in MAKERS if name != "chambolle_pock"],
    ("douglas_rachford", "relaxation"),
    ("davis_yin", "relaxation"),
    ("chambolle_pock", "step_primal"),
    ("chambolle_pock", "step_dual"),
]


def test_every_method_is_tried():
    assert set(MAKERS) == set(alg.__all__) - {"nesterov_strongly_convex", "triple_momentum"}


@pytest.mark.parametrize(("name", "parameter"), POSITIVE)
@pytest.mark.parametrize("value", [0, -1, Fraction(-1, 3), float("nan"), float("inf"), None, "step", True])
def test_steps_must_be_positive_numbers(name, parameter, value):
    reason = f"{parameter} must be > 0, got" if type(value) in {int, Fraction} else f"{parameter} must be a finite real"
    with pytest.raises(lf.InvalidModelError, match=reason):
        MAKERS[name](**{parameter: value})


@pytest.mark.parametrize(
    ("name", "parameter", "value", "reason"),
    [
        ("heavy_ball", "momentum", 1, "momentum must be >= 0 and < 1, got 1"),
        ("nesterov", "momentum", "-1/10", "momentum must be >= 0 and < 1, got -1/10"),
        ("nesterov", "momentum", float("nan"), "momentum must be a finite real number"),
        ("chambolle_pock", "extrapolation", 2, "extrapolation must be >= 0 and <= 1, got 2"),
    ],
)
def test_other_parameters_have_ranges(name, parameter, value, reason):
    with pytest.raises(lf.InvalidModelError, match=reason):
        MAKERS[name](**{parameter: value})


@pytest.mark.parametrize("value", ["1/3", Fraction(1, 3), 0.25, 2])
@pytest.mark.parametrize("name", sorted(set(MAKERS) - {"chambolle_pock"}))
def test_steps_are_exact(name, value):
    system = MAKERS[name](step=value)
    exact = Fraction(value)
    numbers = {abs(v) for m in (system.A, system.B, system.D) for row in m for v in row}
    assert exact in numbers


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: alg.gradient_descent(lf.Monotone(), step=1), "evaluated explicitly"),
        (lambda: alg.extragradient(lf.StronglyMonotone(1), step=1), "evaluated explicitly"),
        (lambda: alg.optimistic_gradient(lf.Monotone(), step=1), "evaluated explicitly"),
        (lambda: alg.tseng(lf.Monotone(), lf.Monotone(), step=1), "evaluated explicitly"),
        (lambda: alg.tseng(lf.Lipschitz(1), BOTH, step=1), "maximally monotone"),
        (lambda: alg.proximal_point(lf.Lipschitz(1), step=1), "maximally monotone"),
        (lambda: alg.proximal_gradient(F, lf.GradientDominated(1, 2), step=1), "g must be of a class whose ineq"),
        (lambda: alg.douglas_rachford(lf.SectorBounded(1, 2), G, step=1), "f must be of a class whose inequalities"),
        (lambda: alg.davis_yin(F, G, lf.SectorBounded(1, 2), step=1), "h must be of a class whose inequalities"),
        (lambda: alg.chambolle_pock(F, lf.SectorBounded(1, 2), step_primal=1, step_dual=1), "g must be of a class"),
        (lambda: alg.gradient_descent("f", step=1), "must be an operator class"),
        (lambda: alg.triple_momentum(lf.SmoothConvex(1)), "f must be SmoothStronglyConvex"),
        (lambda: alg.nesterov_strongly_convex(lf.GradientDominated(1, 2)), "f must be SmoothStronglyConvex"),
        (lambda: alg.euler(alg.gradient_descent(F, step=1), 1), r"continuous time \(dt = 0\), got dt = 1"),
        (
            lambda: alg.euler(alg.chambolle_pock(F, F, step_primal=1, step_dual=1, operator=[[1]]), 1),
            "LureSystem, a Pri",
        ),
    ],
)
def test_classes_that_do_not_fit(make, reason):
    with pytest.raises(lf.InvalidModelError, match=reason):
        make()


# --- parameters with an irrational square root --------------------------------------------------------------------


@pytest.mark.parametrize("kappa", [1, 4, "9/4", 2, 10, "1e8", "12345.678", "1.0001"])
def test_the_root_of_the_condition_number_is_exact_or_rounded_up(kappa):
    kappa = Fraction(kappa)
    f = lf.SmoothStronglyConvex(1, kappa)
    momentum = alg.nesterov_strongly_convex(f).C[0][1]
    root = (1 + momentum) / (1 - momentum)
    assert kappa <= root**2 <= kappa * (1 + Fraction(3, 10**15))
    assert root.denominator < 10**9
    rho = 1 - 1 / root
    assert alg.triple_momentum(f).A[1][1] == rho**2 / (2 - rho)


def test_perfect_squares_give_short_parameters():
    system = alg.triple_momentum(lf.SmoothStronglyConvex(1, 9))  # rho = 2/3
    assert matrix([[1, "1/6"], [0, "1/3"]]) == system.A  # beta = 1/3, scale 2
    assert matrix([["-5/27"], ["-10/27"]]) == system.B
    assert matrix([[1, "1/10"]]) == system.C  # gamma = 1/5


@pytest.mark.parametrize(
    ("kappa", "scale"), [(1, 1), (3, 1), (5, 2), (16, 2), (63, 2), (65, 4), (256, 4), (10**8, 128)]
)
def test_the_scale_is_the_power_of_two_nearest_to_the_fourth_root(kappa, scale):
    system = alg.triple_momentum(lf.SmoothStronglyConvex(1, kappa))
    assert system.B[1][0] == scale * system.B[0][0]


@pytest.mark.parametrize("wrong", [3, (2, 1), (0, 0), (-1, 1), "12", (1, 2, 3), (1, float("nan"))])
def test_singular_values_are_called_by_their_name(wrong):
    with pytest.raises(lf.InvalidModelError, match="singular_values"):
        alg.chambolle_pock(F, F, step_primal=1, step_dual=1, singular_values=wrong)
