"""Random members belong to the class that was asked for, exactly where that can be decided."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from evaluation import Sample, assert_in_class, sample

from lyapflow.classes import (
    Cocoercive,
    Convex,
    ConvexIndicator,
    GradientDominated,
    Intersection,
    LinearMembers,
    Lipschitz,
    Monotone,
    Quadratic,
    SectorBounded,
    SlopeRestricted,
    SmoothConvex,
    SmoothStronglyConvex,
    StaticSector,
    StronglyConvex,
    StronglyMonotone,
    SupportFunction,
)
from lyapflow.errors import InvalidModelError
from lyapflow.exact.gram import exact_gram, is_bounded_above, is_bounded_below
from lyapflow.exact.matrices import matrix
from lyapflow.members import (
    Declared,
    LinearMap,
    Member,
    ProfileSum,
    QuadraticFunction,
    SineWell,
    SquaredNorm,
    Translated,
    random_member,
)

DRAWS = 40 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 16  # of each class, dimension and place of rest
CLASSES = [
    Convex(),
    ConvexIndicator(),
    SupportFunction(),
    StronglyConvex("1/3"),
    SmoothConvex(7),
    SmoothStronglyConvex(1, 10),
    SmoothStronglyConvex("1/3", "1/3"),
    SmoothStronglyConvex("1/1000", 1000),
    Quadratic("1/3", "100/7"),
    GradientDominated(1, 3),
    GradientDominated("1/10", 10),
    Monotone(),
    StronglyMonotone("1/3"),
    Cocoercive("3/7"),
    Lipschitz("7/3"),
    Intersection(StronglyMonotone("1/3"), Lipschitz("7/3")),
    Intersection(Monotone(), Lipschitz(2), Cocoercive("1/5")),
    Intersection(SmoothConvex(7), GradientDominated(2, 9)),
    SectorBounded(-1, "5/3"),
    SectorBounded("1/3", 1000),
    SlopeRestricted("-1/2", 1),
    SlopeRestricted(0, 10),
    StaticSector("-1/2", 3),
    StaticSector("1/3", 1000),
]
every_class = pytest.mark.parametrize("known", CLASSES, ids=str)


def core(member):
    while isinstance(member, Declared | Translated):
        member = member.member
    return member


def draws(known, count, dimension=3, **options):
    rng = np.random.default_rng(7)
    return [random_member(known, dimension, rng, **options) for _ in range(count)]


@every_class
@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_members_satisfy_the_inequalities(known, dimension, rng):
    measured_from_zero = known.equilibria != "any"
    for centred in (True, False):
        for _ in range(DRAWS):
            member = random_member(known, dimension, rng, centred=centred or measured_from_zero)
            assert isinstance(member, Member)
            assert member.operator_class == known
            assert member.dimension in (None, dimension)
            scale, step = 10 ** rng.uniform(-1, 1.5), 10 ** rng.uniform(-1, 1)
            rest = sample(member, scale * rng.normal(size=dimension), step)
            if measured_from_zero:
                zero = np.zeros(dimension)
                rest = Sample(zero, zero, member.value(zero) if known.has_values else None)
            for _ in range(5):
                here = sample(member, scale * rng.normal(size=dimension), step)
                assert_in_class(known, here, rest)


@every_class
def test_centred_members_rest_at_the_origin(known):
    zero = np.zeros(4)
    for member in draws(known, 30, dimension=4, centred=True):
        if known.is_single_valued:
            assert (member.gradient(zero) == 0).all()
        else:
            assert member.prox(zero, 1.5) == pytest.approx(zero)


@every_class
def test_linear_maps_and_quadratics_belong_exactly(known):
    for member in draws(known, 60):
        match core(member):
            case LinearMap() as linear:
                assert linear.belongs_to(known)
            case QuadraticFunction(Q=hessian) if hasattr(known, "L"):
                exact = matrix(hessian.tolist())
                assert is_bounded_above(exact, known.L)
                assert is_bounded_below(exact, getattr(known, "mu", Fraction(0)))
            case SquaredNorm(modulus=modulus) if hasattr(known, "L"):
                assert getattr(known, "mu", 0) <= modulus <= known.L


def test_profile_sums_stay_below_the_smoothness_exactly():
    known, seen = SmoothStronglyConvex(1, 10), 0
    for member in draws(known, 80):
        if isinstance(core(member), ProfileSum):
            inner, seen = core(member), seen + 1
            assert is_bounded_above(exact_gram(inner.A.tolist()), (known.L - inner.ridge) / inner.weight)
            assert inner.ridge >= known.mu
    assert seen > 10


@every_class
def test_the_same_seed_gives_the_same_member(known):
    x = np.array([0.3, -1.0, 2.0])
    a, b = (sample(random_member(known, 3, np.random.default_rng(3)), x) for _ in range(2))
    assert (a.u == b.u).all()


def test_extremes_are_drawn():
    known = SmoothStronglyConvex(1, 10)
    moduli = {core(m).modulus for m in draws(known, 80) if isinstance(core(m), SquaredNorm)}
    assert moduli == {1, 10}
    wells = [core(m) for m in draws(GradientDominated(1, 100), 60) if isinstance(core(m), SineWell)]
    assert any(w.amplitude > Fraction(1, 2) for w in wells)
    assert any(isinstance(core(m), ProfileSum) for m in draws(SmoothConvex(1), 60))
    turns = [core(m).matrix for m in draws(Monotone(), 60) if isinstance(core(m), LinearMap)]
    assert any((turn == -turn.T).all() for turn in turns)
    assert len({type(core(m)) for m in draws(Convex(), 200)}) >= 6


@dataclass(frozen=True)
class HalfPlane:
    """A class of the user's own, known by its linear members only."""

    lower: Fraction
    has_values: bool = False
    is_monotone = True
    is_single_valued = True
    equilibria = "any"

    def inequalities(self, points: Sequence[str]):
        return ()

    def linear_members(self):
        return LinearMembers(lower=self.lower, upper=None)

    def describe(self):
        return "example"


def test_unknown_classes_give_their_linear_members(rng):
    known = HalfPlane(Fraction(1, 3))
    for _ in range(20):
        member = random_member(known, 2, rng)
        assert member.operator_class == known
        slope = core(member).matrix
        assert Fraction(slope[0, 0]) >= Fraction(1, 3)
        assert slope[0, 1] == 0
    curved = random_member(HalfPlane(Fraction(1, 3), has_values=True), 2, rng)
    assert core(curved).modulus >= Fraction(1, 3)


@pytest.mark.parametrize(("known", "dimension"), [(Convex, 2), ("Convex", 2), (Convex(), 0), (Convex(), 1.5)])
def test_bad_requests_are_refused(known, dimension, rng):
    with pytest.raises(InvalidModelError, match="random_member"):
        random_member(known, dimension, rng)
