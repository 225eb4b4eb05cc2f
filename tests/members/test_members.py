"""Every member satisfies the inequalities of its class; gradients and prox steps are what they claim to be."""

import subprocess
import sys
from dataclasses import FrozenInstanceError
from fractions import Fraction

import numpy as np
import pytest
from evaluation import Sample, assert_in_class, relative_slacks, sample
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lyapflow.classes import (
    Cocoercive,
    Convex,
    ConvexIndicator,
    GradientDominated,
    Lipschitz,
    Monotone,
    OperatorClass,
    Quadratic,
    SectorBounded,
    SlopeRestricted,
    SmoothConvex,
    SmoothStronglyConvex,
    StronglyConvex,
    StronglyMonotone,
    SupportFunction,
)
from lyapflow.errors import DimensionError, InvalidModelError, MissingDependencyError
from lyapflow.exact.gram import is_bounded_above, is_bounded_below
from lyapflow.exact.matrices import matrix
from lyapflow.members import (
    Box,
    BoxSupport,
    Declared,
    EuclideanBall,
    EuclideanNorm,
    GroupNorm,
    Huber,
    L1Norm,
    LeastSquares,
    LinearMap,
    LogisticLoss,
    Member,
    NonnegativeOrthant,
    NuclearNorm,
    ProfileSum,
    QuadraticFunction,
    Ridged,
    SectorNonlinearity,
    SineWell,
    SlopeNonlinearity,
    SquaredNorm,
    StaticNonlinearity,
    Translated,
    Zero,
    from_pyproximal,
)

D = 4
A = np.array([[1.0, 2.0, 0.0, -1.0], [0.5, -1.0, 3.0, 0.0], [2.0, 0.0, 1.0, 1.0], [0.0, 1.0, -1.0, 2.0], [1, 1, 1, 1]])
HESSIAN = A.T @ A
SKEW = np.array([[0, 1, 0, 2], [-1, 0, 3, 0], [0, -3, 0, -1], [-2, 0, 1, 0]], dtype=float)
CENTRE = np.array([1.0, -2.0, 0.5, 3.0])

SMOOTH = {
    "quadratic": QuadraticFunction(HESSIAN, CENTRE),
    "singular quadratic": QuadraticFunction(np.diag([0.0, 1.0, 2.0, 0.0])),
    "least squares": LeastSquares(A, [1, 2, 3, 4, 5], ridge="1/10"),
    "least squares, wide": LeastSquares(A[:2], [1, 2], mean=False),
    "logistic": LogisticLoss(A, [1, -1, 1, 1, -1]),
    "logistic, ridge": LogisticLoss(10 * A, [1, -1, 1, 1, -1], ridge="1/2", mean=False),
    "huber": Huber("3/2", "1/4"),
    "squared norm": SquaredNorm("1/3", CENTRE),
    "log-cosh": ProfileSum(A, [1, 0, -1, 2, 0], weight=2, ridge="1/5"),
    "profile huber": ProfileSum(A, profile="huber"),
    "hyperbola": ProfileSum(A, [*CENTRE.tolist(), 0], profile="hyperbola"),
    "one-sided": ProfileSum(A, profile="one-sided", ridge=1),
    "ridged logistic": Ridged(LogisticLoss(A, [1, -1, 1, 1, -1]), "1/7"),
    "moved log-cosh": Translated(ProfileSum(A), CENTRE),
    "saturation": SlopeNonlinearity("-1/2", 2, "huber", "1/3"),
    "slopes": SlopeNonlinearity(0, 3, "hyperbola", "-2"),
}
NONSMOOTH = {
    "l1": L1Norm("1/2"),
    "euclidean norm": EuclideanNorm(2),
    "group norm": GroupNorm([(0, 2), (3,)], D, "3/2"),
    "nuclear norm": NuclearNorm((2, 2), "1/2"),
    "box support": BoxSupport(-1.0, [0.5, 2.0, -1.0, 3.0]),
    "box": Box([-1.0, 0.0, 2.0, -np.inf], [1.0, np.inf, 2.0, np.inf]),
    "orthant": NonnegativeOrthant(),
    "ball": EuclideanBall("3/2"),
    "elastic net": Ridged(L1Norm("1/2"), "1/4"),
    "ridged least squares": Ridged(LeastSquares(A[:2], [1, 2]), "1/4"),
    "moved l1": Translated(L1Norm(), CENTRE),
    "moved ball": Translated(EuclideanBall(), CENTRE),
}
OPERATORS = {
    "rotation": LinearMap(SKEW),
    "damped rotation": LinearMap(SKEW + np.diag([1.0, 2.0, 1.0, 0.5])),
    "indefinite": LinearMap(SKEW - np.eye(D)),
    "moved rotation": Translated(LinearMap(SKEW), CENTRE),
    "ridged rotation": Ridged(LinearMap(SKEW), 2),
}
FUNCTIONS = SMOOTH | NONSMOOTH | {"zero": Zero()}
ALL = FUNCTIONS | OPERATORS

points = arrays(np.float64, D, elements=st.floats(-20, 20, allow_subnormal=False))
steps = st.sampled_from([0.01, 0.3, 1.0, 7.0])
few = settings(max_examples=max(25, settings.default.max_examples // 4))  # these run for each of many members
by_name = pytest.mark.parametrize("name", sorted(ALL))


@by_name
def test_offers_what_a_member_must(name):
    member = ALL[name]
    assert isinstance(member, Member)
    assert isinstance(member.operator_class, OperatorClass)
    assert member.dimension in (None, D)


@by_name
@few
@given(x=points, z=points, step=steps)
def test_satisfies_the_inequalities_of_its_class(name, x, z, step):
    member = ALL[name]
    assert_in_class(member.operator_class, sample(member, x, step), sample(member, z, step))


@pytest.mark.parametrize("name", sorted(ALL.keys() - {"indefinite", "saturation"}))
@few
@given(x=points, z=points, step=steps)
def test_prox_points_satisfy_the_inequalities_too(name, x, z, step):
    member = ALL[name]
    pairs = []
    for point in (x, z):
        y = member.prox(point, step)
        pairs.append(Sample(y, (point - y) / step, member.value(y) if member.operator_class.has_values else None))
    # u = (x - y)/step cancels: allow for the rounding that the division by a short step magnifies
    assert_in_class(member.operator_class, *pairs, tolerance=1e-9 if step >= 1 else 1e-7)


@pytest.mark.parametrize("name", sorted(SMOOTH))
@few
@given(x=points, z=points)
def test_gradient_is_the_derivative_of_the_value(name, x, z):
    member, h = SMOOTH[name], 1e-5
    along = (member.value(x + h * z) - member.value(x - h * z)) / (2 * h)
    slope = float(member.gradient(x) @ z)
    curved = float(member.operator_class.linear_members().upper) * float(z @ z)  # a kink costs up to h * curvature
    rounding = 1e-15 * (abs(member.value(x)) + np.abs(member.gradient(x)) @ np.abs(z)) / h
    assert abs(along - slope) <= 1.01 * h * curved + 100 * rounding + 1e-9


@pytest.mark.parametrize("name", sorted(SMOOTH.keys() | OPERATORS.keys()))
@few
@given(x=points, step=steps)
def test_prox_solves_the_resolvent_equation(name, x, step):
    member = ALL[name]
    if name == "saturation" and step > 1.9:  # slopes down to -1/2: the prox is unique for steps below 2 only
        with pytest.raises(InvalidModelError, match="1 \\+ step"):
            member.prox(x, step)
        return
    y = member.prox(x, step)
    size = 1 + np.linalg.norm(x) + np.linalg.norm(y) + step * np.linalg.norm(member.gradient(y))
    assert np.linalg.norm(y + step * member.gradient(y) - x) <= 1e-9 * size


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - {"saturation"}))
@few
@given(x=points, direction=points, step=steps)
def test_no_other_point_beats_the_prox_point(name, x, direction, step):
    member = FUNCTIONS[name]

    def energy(y):
        return member.value(y) + float((y - x) @ (y - x)) / (2 * step)

    y = member.prox(x, step)
    least = energy(y)
    assert np.isfinite(least)
    for rival in (x, y + direction, y - 1e-3 * direction, member.prox(direction, step), np.zeros(D)):
        assert energy(rival) >= least - 1e-10 * (1 + abs(least))


@given(x=points)
def test_nothing_changes_its_argument(x):
    for member in ALL.values():
        before = x.copy()
        y = member.prox(x, 0.5)
        assert y is not x
        assert (x == before).all()


@pytest.mark.parametrize(
    ("member", "known"),
    [
        (SquaredNorm(3), SmoothConvex(2)),
        (SquaredNorm(1), StronglyConvex("11/10")),
        (SquaredNorm(1), Quadratic(2, 3)),
        (L1Norm(), StronglyConvex("1/100")),
        (LogisticLoss(A, [1, -1, 1, 1, -1]), SmoothConvex("1/20")),
        (SineWell(1, 100), SmoothConvex(100)),
        (LinearMap(SKEW), StronglyMonotone("1/100")),
        (LinearMap(SKEW), Cocoercive("1/100")),
        (LinearMap(SKEW - np.eye(D)), Monotone()),
        (SlopeNonlinearity(-1, 1), SlopeRestricted(0, 1)),
        (SlopeNonlinearity(-1, 1), Lipschitz("1/2")),
    ],
)
def test_a_false_declaration_is_seen(member, known):
    rng = np.random.default_rng(1)
    declared = Declared(member, known)
    worst = min(
        min(relative_slacks(known, sample(declared, 3 * a), sample(declared, 3 * b)).values())
        for a, b in rng.normal(size=(200, 2, D))
    )
    assert worst < -1e-3


# --- classes and exact constants -------------------------------------------------------------------------------------


def test_classes_of_the_functions():
    assert QuadraticFunction([[3, 1], [1, 3]]).operator_class == Quadratic(2, 4)
    assert QuadraticFunction([[1, 1], [1, 1]]).operator_class == Quadratic(0, 2)
    assert Huber(3, "1/2").operator_class == SmoothConvex(6)
    assert LeastSquares(np.eye(2), [0, 0], ridge=1).operator_class == SmoothStronglyConvex("3/2", "3/2")
    assert LogisticLoss(np.eye(2), [1, 1], mean=False).operator_class == SmoothConvex("1/4")
    assert L1Norm().operator_class == SupportFunction()
    assert Box(0.0, 1.0).operator_class == ConvexIndicator()
    assert SineWell(1, 7).operator_class == GradientDominated(1, 7)
    assert SectorNonlinearity(0, 2).operator_class == SectorBounded(0, 2)
    assert SlopeNonlinearity(0, 2).operator_class == SlopeRestricted(0, 2)


def test_classes_of_combinations():
    assert Translated(L1Norm(), 1.0).operator_class == Convex()
    assert Translated(Box(0.0, 1.0), 1.0).operator_class == ConvexIndicator()
    assert Ridged(L1Norm(), 2).operator_class == StronglyConvex(2)
    assert Ridged(Huber(), 2).operator_class == SmoothStronglyConvex(2, 3)
    assert Ridged(SquaredNorm(1), 2).operator_class == Quadratic(3, 3)
    assert Ridged(LinearMap(SKEW), 2).operator_class == StronglyMonotone(2)
    assert Ridged(Ridged(LinearMap(SKEW), 2), 2).operator_class == StronglyMonotone(4)
    with pytest.raises(InvalidModelError, match="Ridged needs a convex function"):
        Ridged(SineWell(1, 2), 1)
    with pytest.raises(InvalidModelError, match="translation"):
        Translated(SlopeNonlinearity(0, 1), 1.0)


@given(entries=arrays(np.float64, (3, 3), elements=st.integers(-9, 9).map(float)))
def test_moduli_of_quadratics_and_linear_maps_are_proved(entries):
    gram = entries.T @ entries
    if gram.any():
        f = QuadraticFunction(gram).operator_class
        assert is_bounded_above(matrix(gram.tolist()), f.L)
        assert is_bounded_below(matrix(gram.tolist()), getattr(f, "mu", Fraction(0)))
    if entries.any():
        operator = LinearMap(entries)
        assert operator.belongs_to(operator.operator_class)


def test_linear_map_decides_membership_exactly():
    third = LinearMap(np.eye(2) / 4)
    assert third.belongs_to(Cocoercive(4))
    assert not third.belongs_to(Cocoercive(Fraction(4) + Fraction(1, 10**30)))
    assert third.belongs_to(Quadratic("1/4", "1/4"))
    assert third.belongs_to(GradientDominated("1/8", "1/4"))
    assert third.belongs_to(SectorBounded("1/4", 1))
    assert not third.belongs_to(SupportFunction())
    assert LinearMap(np.zeros((2, 2))).belongs_to(ConvexIndicator())
    rotation = LinearMap([[0, -1], [1, 0]])
    assert rotation.belongs_to(SectorBounded(-1, 1))
    assert not rotation.belongs_to(Convex())
    assert not LinearMap([[2, 1], [1, 2]]).belongs_to(SlopeRestricted(0, 4))
    assert LinearMap([[1, 0], [0, 2]]).belongs_to(SlopeRestricted(0, 2))


@given(
    kappa=st.fractions(1, 10_000),
    t=arrays(np.float64, 200, elements=st.floats(-50, 50, allow_subnormal=False)),
)
def test_sine_well_has_its_constants(kappa, t):
    f = SineWell(1, kappa)
    for entry in [*t, 4.4934 / 2, -4.4934 / 2]:
        x = np.array([entry])
        value, slope, bend = f.value(x), f.gradient(x)[0], f.curvature(x)[0]
        assert slope**2 >= 2 * value * (1 - 1e-12)
        assert slope * entry >= 0
        assert abs(bend) <= float(kappa) * (1 + 1e-12)


def test_sine_well_uses_the_room_it_has():
    assert SineWell(1, 1).amplitude == 0
    assert SineWell(1, "6.5").amplitude < Fraction(1, 2) < SineWell(1, "6.6").amplitude
    grid = np.linspace(0.01, 10, 20_000)
    f = SineWell(1, 20)
    ratio = min(f.gradient(np.array([t]))[0] ** 2 / (2 * f.value(np.array([t]))) for t in grid)
    assert 1 <= ratio < 3  # true constant of gradient domination: the declared one is of the right size
    with pytest.raises(InvalidModelError, match="step <"):
        f.prox(np.ones(1), 1.0)


@given(x=points, kappa=st.fractions(1, 100))
def test_sine_well_has_a_prox_for_short_steps(x, kappa):
    f = SineWell(1, kappa, CENTRE)
    step = float(Fraction(9, 10) / kappa)
    y = f.prox(x, step)
    assert y + step * f.gradient(y) == pytest.approx(x, rel=1e-12, abs=1e-12)


@given(x=points, frequency=st.fractions(0, 10), phase=st.fractions(-3, 3), radial=st.booleans())
def test_sector_nonlinearity_stays_in_its_sector(x, frequency, phase, radial):
    member = SectorNonlinearity(-1, "5/2", frequency, phase, radial=radial)
    assert_in_class(member.operator_class, sample(member, x), sample(member, np.zeros(D)))


def test_logistic_loss_is_stable():
    f = LogisticLoss([[1e4], [-1e4]], [1, -1])
    assert f.value(np.array([1.0])) == 0.0
    assert f.value(np.array([-1.0])) == 1e4
    assert f.gradient(np.array([-1.0])) == pytest.approx([-1e4])
    assert np.isfinite(f.hessian(np.array([1.0]))).all()
    y = f.prox(np.array([-3.0]), 0.5)
    assert y + 0.5 * f.gradient(y) == pytest.approx([-3.0], abs=1e-9)


def test_values_and_projections_by_hand():
    assert Huber(2, 1).value(np.array([0.5, -3.0])) == pytest.approx(2 * 0.125 + 2 * 2.5)
    assert L1Norm(2).prox(np.array([3.0, -1.0]), 1.0).tolist() == [1.0, 0.0]
    assert GroupNorm([(0, 1)], 3, 2).value(np.array([3.0, 4.0, 9.0])) == 10.0
    assert Box(0.0, 1.0).value(np.array([2.0])) == np.inf
    assert EuclideanBall().value(np.array([3.0, 0.0])) == np.inf
    assert NonnegativeOrthant().value(np.array([-1.0])) == np.inf
    turned = NuclearNorm((2, 3)).prox(np.array([[3.0, 0, 0], [0, 0.5, 0]]).ravel(), 1.0)
    assert turned.reshape(2, 3) == pytest.approx(np.array([[2.0, 0, 0], [0, 0, 0]]))


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["l1", "euclidean norm", "group norm", "nuclear norm", "box support", "box", "orthant"]
)
def test_nonsmooth_functions_have_no_gradient(name):
    with pytest.raises(InvalidModelError, match="differentiable"):
        NONSMOOTH[name].gradient(np.zeros(D))


def test_operators_have_no_value():
    for member in (LinearMap(SKEW), SectorNonlinearity(0, 1)):
        with pytest.raises(InvalidModelError, match="value needs a function"):
            member.value(np.zeros(D))
    with pytest.raises(InvalidModelError, match="monotone"):
        SectorNonlinearity(0, 1).prox(np.zeros(D), 1.0)
    with pytest.raises(InvalidModelError, match="singular"):
        LinearMap([[-1.0]]).prox(np.ones(1), 1.0)


@pytest.mark.parametrize("step", [0.0, -1.0, np.nan, np.inf])
def test_a_prox_step_must_be_positive(step):
    for member in ALL.values():
        with pytest.raises(InvalidModelError, match="step"):
            member.prox(np.ones(D), step)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: QuadraticFunction([[1, 2], [0, 1]]), "Q\\[0, 1\\] = 2"),
        (lambda: QuadraticFunction([[1, 0], [0, -1]]), "positive semidefinite"),
        (lambda: QuadraticFunction([[0.0]]), "not zero"),
        (lambda: QuadraticFunction([[np.nan]]), "QuadraticFunction: Q must be finite"),
        (lambda: LogisticLoss([[1.0]], [0]), "2 \\* labels - 1"),
        (lambda: L1Norm(0), "L1Norm needs weight > 0"),
        (lambda: Huber(1, -1), "Huber needs delta > 0"),
        (lambda: Box(1.0, 0.0), "lower <= upper"),
        (lambda: Box(np.nan, 0.0), "lower must be finite"),
        (lambda: Box(np.inf, np.inf), "lower < infinity"),
        (lambda: BoxSupport(0.0, np.inf), "upper must be finite"),
        (lambda: GroupNorm([(0,), (0, 1)], 2), "disjoint"),
        (lambda: GroupNorm([(2,)], 2), "from 0 to 1"),
        (lambda: ProfileSum([[1.0]], profile="cubic"), "profile to be one of"),
        (lambda: SlopeNonlinearity(1, 1), "lower < upper"),
        (lambda: StaticNonlinearity(1, 1), "lower < upper"),
        (lambda: StaticNonlinearity(0, 1, 0), "frequency"),
        (lambda: SineWell(2, 1), "0 < mu <= L"),
        (lambda: Declared(L1Norm(), Convex), "such as Convex\\(\\)"),
    ],
)
def test_bad_data_is_refused(make, message):
    with pytest.raises(InvalidModelError, match=message):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: QuadraticFunction([[1.0, 2.0]]),
        lambda: QuadraticFunction(np.eye(2), [1.0]),
        lambda: LeastSquares(np.eye(2), [1.0]),
        lambda: LogisticLoss(np.eye(2), [1.0, 1.0, 1.0]),
        lambda: LinearMap([[1.0, 2.0]]),
        lambda: Box([0.0, 0.0], [1.0, 1.0, 1.0]),
        lambda: NuclearNorm((0, 2)),
        lambda: ProfileSum(np.eye(2), [1.0]),
        lambda: Translated(QuadraticFunction(np.eye(2)), [1.0]),
    ],
)
def test_shapes_that_do_not_fit_are_refused(make):
    with pytest.raises(DimensionError):
        make()


def test_members_are_immutable():
    data = np.eye(2)
    f = QuadraticFunction(data)
    data[0, 0] = 7.0
    assert f.Q[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        f.Q[0, 0] = 2.0
    with pytest.raises(FrozenInstanceError):
        f.Q = data


# --- PyProximal ------------------------------------------------------------------------------------------------------


@given(x=points, z=points, step=steps)
def test_pyproximal_l1_and_box_are_members(x, z, step):
    import pyproximal

    pairs = [
        (from_pyproximal(pyproximal.L1(0.5), SupportFunction()), L1Norm("1/2")),
        (from_pyproximal(pyproximal.Box(-1.0, 2.0), ConvexIndicator(), dimension=D), Box(-1.0, 2.0)),
    ]
    for adapted, own in pairs:
        assert adapted.prox(x, step) == pytest.approx(own.prox(x, step))
        assert adapted.value(x) == pytest.approx(own.value(x))
        assert_in_class(adapted.operator_class, sample(adapted, x, step), sample(adapted, z, step))


def test_pyproximal_gradients():
    import pyproximal

    smooth = from_pyproximal(pyproximal.L2(sigma=3.0, b=np.array([1.0, 2.0])), Quadratic(3, 3), dimension=2)
    assert smooth.dimension == 2
    assert smooth.gradient(np.zeros(2)) == pytest.approx([-3.0, -6.0])
    with pytest.raises(InvalidModelError, match="L1 is none"):  # its grad is that of the Moreau envelope
        from_pyproximal(pyproximal.L1(), SupportFunction()).gradient(np.ones(2))


def test_pyproximal_is_checked_at_the_door(monkeypatch):
    import pyproximal

    with pytest.raises(InvalidModelError, match="instance of pyproximal"):
        from_pyproximal(L1Norm(), SupportFunction())
    with pytest.raises(InvalidModelError, match="operator_class"):
        from_pyproximal(pyproximal.L1(), SupportFunction)
    with pytest.raises(InvalidModelError, match="dimension >= 1"):
        from_pyproximal(pyproximal.L1(), SupportFunction(), dimension=0)
    monkeypatch.setitem(sys.modules, "pyproximal", None)
    with pytest.raises(MissingDependencyError, match="lyapflow\\[prox\\]"):
        from_pyproximal(object(), SupportFunction())


def test_importing_members_imports_no_optional_package():
    code = "import sys, lyapflow.members; sys.exit(bool({'pyproximal', 'pylops', 'cvxpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
