"""Builders of random functions of each class; `random` chooses among them.

Every builder returns an object that belongs to the class by construction. Factors that double precision would round
out of a class are pulled inward by `INWARD`, far more than the rounding of a few hundred products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from ..classes.functions import (
    Convex,
    ConvexIndicator,
    SmoothConvex,
    SmoothStronglyConvex,
    StronglyConvex,
    SupportFunction,
)
from ..classes.special import GradientDominated, Quadratic
from .combinations import Ridged, Translated
from .functions import QuadraticFunction
from .norms import BoxSupport, EuclideanNorm, GroupNorm, L1Norm, NuclearNorm
from .profiles import PROFILES
from .protocol import Array, Member
from .sets import Box, EuclideanBall, NonnegativeOrthant, Zero
from .smooth import Huber, ProfileSum, SineWell, SquaredNorm

__all__ = [
    "CONVEX",
    "FUNCTIONS",
    "INWARD",
    "SMOOTH",
    "Builder",
    "build_ridged",
    "draw_contraction",
    "draw_profile",
    "draw_scale",
    "move",
    "pick",
]

Builder: TypeAlias = Callable[[Any, Array, np.random.Generator], Member]
"""From a class, a centre and a generator to a member; if the centre is 0, then 0 is in its output there."""

INWARD = 1e-11


def pick(builders: Sequence[Builder], rng: np.random.Generator) -> Builder:
    """One of the builders, at random."""
    return builders[int(rng.integers(len(builders)))]


def draw_profile(rng: np.random.Generator) -> str:
    """The name of a profile."""
    return sorted(PROFILES)[int(rng.integers(len(PROFILES)))]


def draw_scale(rng: np.random.Generator, *, low: float = -2.0, high: float = 2.0) -> Fraction:
    """A positive scale, logarithmically uniform between powers of ten, with a short denominator."""
    return Fraction(round(10 ** rng.uniform(low, high) * 1000) or 1, 1000)


def move(member: Member, centre: Array) -> Member:
    """The member with its origin at the centre."""
    return Translated(member, centre) if centre.any() else member


def draw_orthogonal(size: int, rng: np.random.Generator) -> Array:
    """An orthogonal matrix, uniform on the group, up to rounding."""
    factor, triangle = np.linalg.qr(rng.normal(size=(size, size)))
    return factor * np.where(np.diag(triangle) < 0, -1.0, 1.0)


def draw_contraction(size: int, rng: np.random.Generator) -> Array:
    """A matrix of norm below 1: a rotation, a reflection, or a product of both with random shrinkage between."""
    values = np.ones(size) if rng.random() < 0.5 else rng.uniform(0, 1, size=size)
    return (1 - INWARD) * (draw_orthogonal(size, rng) * values) @ draw_orthogonal(size, rng)


# --- quadratic functions ---------------------------------------------------------------------------------------------


def _lowest(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    return SquaredNorm(known.mu, centre) if known.mu else _flat(known, centre, rng)


def _highest(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    return SquaredNorm(known.L, centre)


def _quadratic(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    """Eigenvalues at both ends and between, along random axes."""
    low, high = float(getattr(known, "mu", 0)), float(known.L)
    room = high - low - 2 * INWARD * high
    if room <= 0:
        return SquaredNorm(known.L, centre)
    inner = np.where(rng.random(centre.size) < 0.5, rng.integers(0, 2, centre.size), rng.uniform(size=centre.size))
    axes = draw_orthogonal(centre.size, rng)
    hessian = (axes * (low + INWARD * high + room * inner)) @ axes.T
    hessian = (hessian + hessian.T) / 2
    return QuadraticFunction(hessian, -hessian @ centre)


# --- smooth functions ------------------------------------------------------------------------------------------------


def _profiles(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    """A sum of profiles along the rows of a contraction, on top of the least curvature."""
    mu = getattr(known, "mu", Fraction(0))
    if mu == known.L:
        return SquaredNorm(mu, centre)
    rows = draw_contraction(centre.size, rng)
    offsets = rng.normal(size=centre.size) if centre.any() else None
    return move(ProfileSum(rows, offsets, profile=draw_profile(rng), weight=known.L - mu, ridge=mu), centre)


def _huber(known: SmoothConvex, centre: Array, rng: np.random.Generator) -> Member:
    delta = draw_scale(rng)
    return move(Huber(known.L * delta, delta), centre)


def _flat(known: SmoothConvex | Quadratic, centre: Array, rng: np.random.Generator) -> Member:
    return SquaredNorm(known.L * min(draw_scale(rng, low=-3, high=0), Fraction(1)), centre)


def _well(known: GradientDominated, centre: Array, rng: np.random.Generator) -> Member:
    return SineWell(known.mu, known.L, centre)


# --- sets, norms, convex functions -----------------------------------------------------------------------------------


def _box(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    """A box with the centre inside or on the boundary, with sides that are missing or of length 0."""
    sides = np.array([0.0, 0.5, 2.0, np.inf])
    lower, upper = -rng.choice(sides, size=centre.size), rng.choice(sides, size=centre.size)
    return Box(centre + lower, centre + upper)


def _orthant(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    return move(NonnegativeOrthant(), centre)


def _ball(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    return move(EuclideanBall(draw_scale(rng)), centre)


def _nothing(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    return Zero()


def _box_support(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    """Uneven slopes; where the member need not be centred, both may have one sign, or be equal (a linear function)."""
    lower, upper = -rng.uniform(0, 2, size=centre.size), rng.uniform(0, 2, size=centre.size)
    if centre.any():
        lower, upper = lower + centre, np.where(rng.random(centre.size) < 0.3, lower, upper) + centre
    return BoxSupport(lower, upper)


def _norm(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    """A weighted norm: of the entries, of the vector, of two groups, or of the matrix."""
    weight, size = draw_scale(rng), centre.size
    half = size // 2
    choices: list[Member] = [L1Norm(weight), EuclideanNorm(weight)]
    if half:
        choices.append(GroupNorm((tuple(range(half)), tuple(range(half, size))), size, weight))
    if half and size == 2 * half:
        choices.append(NuclearNorm((2, half), weight))
    return choices[int(rng.integers(len(choices)))]


def _moved_norm(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    return move(_norm(known, centre, rng), centre)


def _smooth_convex(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    return pick(SMOOTH, rng)(SmoothConvex(draw_scale(rng)), centre, rng)


def build_ridged(known: Any, centre: Array, rng: np.random.Generator) -> Member:
    """A convex member at the origin plus the least curvature; then moved."""
    origin = np.zeros_like(centre)
    return move(Ridged(pick(CONVEX, rng)(Convex(), origin, rng), known.mu), centre)


CONVEX: tuple[Builder, ...] = (_box, _ball, _box_support, _moved_norm, _moved_norm, _smooth_convex)
SMOOTH: tuple[Builder, ...] = (_highest, _flat, _quadratic, _profiles, _huber)
FUNCTIONS: dict[type, tuple[Builder, ...]] = {
    Quadratic: (_lowest, _highest, _quadratic, _quadratic),
    SmoothStronglyConvex: (_lowest, _highest, _quadratic, _profiles, _profiles),
    SmoothConvex: SMOOTH,
    StronglyConvex: (_lowest, build_ridged, build_ridged),
    Convex: CONVEX,
    ConvexIndicator: (_box, _box, _orthant, _ball, _nothing),
    SupportFunction: (_norm, _norm, _box_support, _nothing),
    GradientDominated: (_lowest, _highest, _quadratic, _well, _well),
}
"""Builders of each class of functions; `random` has those of the operators."""
