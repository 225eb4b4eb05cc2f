import numpy as np
import pytest

from lyapflow.classes import (
    EQUILIBRIUM,
    Cocoercive,
    Convex,
    ConvexIndicator,
    GradientDominated,
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
from lyapflow.members import random_member
from lyapflow.simulation import contains

CLASSES = [
    Convex(),
    ConvexIndicator(),
    SupportFunction(),
    StronglyConvex(1),
    StronglyConvex(2),
    SmoothConvex(4),
    SmoothConvex(10),
    SmoothStronglyConvex(1, 10),
    SmoothStronglyConvex(2, 4),
    SmoothStronglyConvex(3, 3),
    Quadratic(1, 10),
    Quadratic(2, 4),
    Quadratic(3, 3),
    GradientDominated(1, 10),
    GradientDominated(2, 4),
    Monotone(),
    StronglyMonotone(1),
    StronglyMonotone(2),
    Cocoercive("1/10"),
    Cocoercive("1/4"),
    Lipschitz(4),
    Lipschitz(10),
    SectorBounded(-1, 10),
    SectorBounded(0, 4),
    SlopeRestricted(-1, 10),
    SlopeRestricted(2, 4),
    StaticSector(-1, 10),
    StaticSector(0, 4),
]
PAIRS = [(big, small) for big in CLASSES for small in CLASSES if big != small and contains(big, small)]


@pytest.mark.parametrize("known", CLASSES, ids=repr)
def test_a_class_contains_itself(known):
    assert contains(known, known)


@pytest.mark.parametrize(
    ("declared", "member_class"),
    [
        (SmoothStronglyConvex(1, 10), SmoothStronglyConvex(2, 5)),
        (SmoothStronglyConvex(1, 10), Quadratic(1, 10)),
        (Convex(), SupportFunction()),
        (Convex(), ConvexIndicator()),
        (Convex(), SlopeRestricted(0, 1)),
        (StronglyConvex(1), Quadratic(1, 10)),
        (SmoothConvex(4), SmoothStronglyConvex(2, 4)),
        (Quadratic(1, 10), SmoothStronglyConvex(3, 3)),
        (GradientDominated(1, 10), SmoothStronglyConvex(2, 4)),
        (Monotone(), Convex()),
        (Monotone(), Cocoercive(1)),
        (StronglyMonotone(1), StronglyConvex(2)),
        (Cocoercive("1/10"), SmoothConvex(4)),
        (Lipschitz(10), GradientDominated(2, 4)),
        (Lipschitz(4), Cocoercive("1/4")),
        (Lipschitz(10), SlopeRestricted(-1, 10)),
        (SectorBounded(-1, 10), SectorBounded(0, 4)),
        (SectorBounded(-1, 10), StaticSector(-1, 10)),
        (StaticSector(-1, 10), StaticSector(0, 4)),
        (SlopeRestricted(-1, 10), Quadratic(3, 3)),
    ],
    ids=repr,
)
def test_known_inclusions(declared, member_class):
    assert contains(declared, member_class)
    assert not contains(member_class, declared)


@pytest.mark.parametrize(
    ("declared", "member_class"),
    [
        (SmoothStronglyConvex(1, 10), SmoothStronglyConvex("1/2", 10)),
        (SmoothStronglyConvex(1, 10), SmoothStronglyConvex(1, 11)),
        (ConvexIndicator(), SupportFunction()),
        (ConvexIndicator(), Convex()),
        (Quadratic(1, 10), SmoothStronglyConvex(2, 4)),
        (Convex(), Monotone()),
        (Convex(), SlopeRestricted(-1, 1)),
        (SmoothStronglyConvex(1, 10), GradientDominated(1, 10)),
        (GradientDominated(1, 10), SmoothConvex(10)),
        (Cocoercive("1/10"), Lipschitz(4)),
        (SectorBounded(1, 10), SmoothStronglyConvex(1, 10)),
        (SectorBounded(1, 10), SlopeRestricted(1, 10)),  # its output need not be 0 at 0
        (SlopeRestricted(1, 10), Quadratic(2, 4)),  # coupled entries
        (StaticSector(-1, 10), SectorBounded(0, 4)),  # it may vary with time
        (StaticSector(-1, 10), SlopeRestricted(0, 4)),  # its output need not be 0 at 0
        (Monotone(), SlopeRestricted(-1, 1)),
    ],
    ids=repr,
)
def test_what_is_not_known_is_refused(declared, member_class):
    assert not contains(declared, member_class)


@pytest.mark.parametrize(("declared", "member_class"), PAIRS, ids=repr)
def test_members_of_the_smaller_class_satisfy_the_larger_class_inequalities(declared, member_class):
    rng = np.random.default_rng(7)
    nonsmooth = not member_class.is_single_valued
    for _ in range(6):
        member = random_member(member_class, 2, rng, centred=declared.equilibria != "any")
        points = [np.zeros(2), rng.normal(size=2)] if declared.equilibria != "any" else rng.normal(size=(2, 2)) * 2
        signals = [_evaluate(member, v, nonsmooth) for v in points]
        _check(declared, member, signals)


def _evaluate(member, v, nonsmooth):
    if not nonsmooth:
        return v, member.gradient(v)
    y = member.prox(v, 0.7)
    return y, (v - y) / 0.7


def _check(declared, member, signals):
    """The class inequalities of a point against another one that plays the equilibrium."""
    (y0, u0), (y, u) = signals
    parts = {"y": y - y0, "u": u - u0}
    for inequality in declared.inequalities(("t", EQUILIBRIUM)):
        terms = [float(c) * (parts[a] @ parts[b]) for ((a, _), (b, _)), c in inequality.products]
        if inequality.values:
            values = member.value(y), member.value(y0)
            ((_, weight),) = inequality.values
            terms += [float(weight) * v for v in (values[0], -values[1], -u0 @ (y - y0))]
        assert sum(terms) >= -1e-9 * (1 + sum(abs(t) for t in terms)), inequality.name
