"""Random systems and classes, in continuous and in discrete time, as functions of a `random.Random`.

One generator for two uses: seeded it is a stream of systems, and hypothesis can drive (and shrink) it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random

import lyapflow as lf

__all__ = ["KINDS", "draw_system"]

System = lf.LureSystem | lf.PrimalDualSystem


# --- numbers and classes ---------------------------------------------------------------------------------------------


def _number(source: Random) -> Fraction:
    """A positive number, mostly of the size of one, with a short numerator and denominator."""
    return Fraction(source.randint(1, 40), source.choice((2, 3, 4, 7, 10))) * source.choice(
        (1, 1, 1, 1, Fraction(1, 10), 10)
    )


def _moduli(source: Random) -> tuple[Fraction, Fraction]:
    """``mu < L`` with a condition number up to some 1e5."""
    mu = _number(source)
    return mu, mu * (1 + _number(source) * source.choice((1, 1, 1, 10, 100, 1000)))


def _share(source: Random, most: Fraction | int = 1) -> Fraction:
    """A number in (0, most]."""
    return Fraction(source.randint(1, 12), 12) * most


def _smooth_strong(source: Random) -> lf.SmoothStronglyConvex | lf.Quadratic:
    make = lf.Quadratic if source.randint(0, 4) == 0 else lf.SmoothStronglyConvex
    return make(*_moduli(source))


def _turning(source: Random) -> lf.Intersection:
    """Strongly monotone and Lipschitz operators, as in saddle-point problems."""
    mu, L = _moduli(source)
    return lf.Intersection(lf.StronglyMonotone(mu), lf.Lipschitz(L))


def _slopes(source: Random) -> tuple[Fraction, Fraction]:
    lower, upper = _moduli(source)
    return (lower, upper) if source.randint(0, 1) else (lower - upper / 2, upper)


def _smooth(source: Random) -> object:
    """A class that can be evaluated explicitly, gradients most of the time."""
    makers: tuple[Callable[[], object], ...] = (
        lambda: _smooth_strong(source),
        lambda: _smooth_strong(source),
        lambda: _smooth_strong(source),
        lambda: lf.SmoothConvex(_number(source)),
        lambda: lf.GradientDominated(*_moduli(source)),
        lambda: lf.Cocoercive(_number(source)),
        lambda: lf.Lipschitz(_number(source)),
        lambda: lf.SectorBounded(*_slopes(source)),
        lambda: lf.SlopeRestricted(*_slopes(source)),
        lambda: _turning(source),
    )
    return source.choice(makers)()


def _proximable(source: Random) -> object:
    """A class of functions or maximally monotone operators, for prox steps."""
    makers: tuple[Callable[[], object], ...] = (
        lf.Convex,
        lf.ConvexIndicator,
        lf.SupportFunction,
        lf.Monotone,
        lambda: lf.StronglyConvex(_number(source)),
        lambda: lf.StronglyMonotone(_number(source)),
        lambda: lf.SmoothConvex(_number(source)),
        lambda: lf.Cocoercive(_number(source)),
        lambda: _smooth_strong(source),
    )
    return source.choice(makers)()


# --- the catalogue with random parameters ----------------------------------------------------------------------------


def _flow(source: Random) -> System:
    f = _smooth_strong(source)
    step = _share(source, 2) / f.L
    matrix = [[source.randint(-2, 2) for _ in range(3)] for _ in range(source.randint(1, 2))]
    matrix[0][0] = 5  # of full row rank, whatever the others are
    matrix[-1][-1] += 7
    makers: tuple[Callable[[], System], ...] = (
        lambda: lf.flows.gradient_flow(lf.StronglyConvex(f.mu)),
        lambda: lf.flows.heavy_ball_flow(f, damping=_number(source)),
        lambda: lf.flows.heavy_ball_flow(lf.StronglyConvex(f.mu), damping=_number(source)),
        lambda: lf.flows.forward_backward_flow(f, _proximable(source), step=step),
        lambda: lf.flows.douglas_rachford_flow(f, _proximable(source), step=_number(source)),
        lambda: lf.flows.davis_yin_flow(
            f, _proximable(source), lf.SmoothConvex(_number(source)), step=_number(source) / 10
        ),
        lambda: lf.flows.primal_dual_flow(
            f, constraint=matrix, dual_gain=_number(source), augmentation=source.randint(0, 2)
        ),
    )
    return source.choice(makers)()


def _algorithm(source: Random) -> System:
    f, g = _smooth_strong(source), _proximable(source)
    F = _turning(source)
    short = _share(source) / F.parts[1].L
    step, momentum = _share(source, Fraction(5, 2)) / f.L, _share(source, Fraction(19, 20))
    makers: tuple[Callable[[], System], ...] = (
        lambda: lf.algorithms.gradient_descent(f, step=step),
        lambda: lf.algorithms.heavy_ball(f, step=step, momentum=momentum),
        lambda: lf.algorithms.nesterov(f, step=step, momentum=momentum),
        lambda: lf.algorithms.triple_momentum(f),
        lambda: lf.algorithms.proximal_point(_proximable(source), step=_number(source)),
        lambda: lf.algorithms.proximal_gradient(f, g, step=step),
        lambda: lf.algorithms.douglas_rachford(f, g, step=_number(source)),
        lambda: lf.algorithms.davis_yin(f, g, lf.SmoothConvex(_number(source)), step=_number(source) / 10),
        lambda: lf.algorithms.chambolle_pock(f, g, step_primal=_number(source), step_dual=_number(source)),
        lambda: lf.algorithms.extragradient(F, step=short),
        lambda: lf.algorithms.optimistic_gradient(F, step=short),
        lambda: lf.algorithms.tseng(g, F, step=short),
        lambda: lf.algorithms.euler(lf.flows.heavy_ball_flow(f, damping=_number(source)), step),
    )
    return source.choice(makers)()


# --- Lur'e systems ---------------------------------------------------------------------------------------------------


def _lure_flow(source: Random) -> System:
    """A stable plant; half of the time a passive one in negative feedback, else one of small gain."""
    n, m = source.randint(1, 3), source.randint(1, 3)
    oracles = [_proximable(source) if source.randint(0, 1) else _smooth(source) for _ in range(m)]
    skew = [[source.randint(-3, 3) for _ in range(n)] for _ in range(n)]
    decay = [_number(source) for _ in range(n)]
    A = [[skew[i][j] - skew[j][i] - (decay[i] if i == j else 0) for j in range(n)] for i in range(n)]
    C = _entries(source, m, n)
    if source.randint(0, 1):
        B = [[-C[j][i] for j in range(m)] for i in range(n)]
    else:
        sizes = [_size(oracle) * (1 + n * m) for oracle in oracles]
        B = [[4 * v * min(decay) / sizes[j] for j, v in enumerate(row)] for row in _entries(source, n, m)]
    return lf.LureSystem(A, B, C, _feedthrough(source, oracles), oracles=oracles)


def _lure_map(source: Random) -> System:
    """A stable map; half of the time the Euler scheme of a flow, else one of small gain."""
    if source.randint(0, 1):
        flow = _lure_flow(source)
        size = sum(abs(v) for row in flow.A for v in row) + sum(_size(oracle) for oracle in flow.oracles)
        return lf.algorithms.euler(flow, _share(source) / size)
    n, m = source.randint(1, 3), source.randint(1, 3)
    oracles = [_proximable(source) if source.randint(0, 1) else _smooth(source) for _ in range(m)]
    A = [[v / n for v in row] for row in _entries(source, n, n)]
    sizes = [_size(oracle) * (n + m) for oracle in oracles]
    B = [[v / sizes[j] for j, v in enumerate(row)] for row in _entries(source, n, m)]
    return lf.LureSystem(A, B, _entries(source, m, n), _feedthrough(source, oracles), oracles=oracles, dt=1)


def _entries(source: Random, rows: int, columns: int) -> list[list[Fraction]]:
    return [[Fraction(source.randint(-3, 3), 4) for _ in range(columns)] for _ in range(rows)]


def _size(oracle: object) -> Fraction:
    """The largest slope, or 1 where there is none."""
    members = oracle.linear_members()
    return max(abs(members.lower or 0), abs(members.upper or 0)) or Fraction(1)


def _feedthrough(source: Random, oracles: list[object]) -> list[list[Fraction]]:
    """Prox steps where the class allows no other evaluation, and now and then where it does; some coupling below."""
    m = len(oracles)
    D = [[Fraction(0)] * m for _ in range(m)]
    for j, oracle in enumerate(oracles):
        if not oracle.is_single_valued or (oracle.is_monotone and source.randint(0, 3) == 0):
            D[j][j] = -_number(source)
        for i in range(j):
            if source.randint(0, 2) == 0:
                D[j][i] = Fraction(source.randint(-2, 2), 4) / _size(oracles[i])
    return D


KINDS: dict[str, Callable[[Random], System]] = {
    "flows of the catalogue": _flow,
    "methods of the catalogue": _algorithm,
    "Lur'e systems, continuous": _lure_flow,
    "Lur'e systems, discrete": _lure_map,
}
"""Kinds of systems, by the name under which they are counted."""


def draw_system(source: Random) -> tuple[str, System]:
    """A kind and a system of that kind."""
    kind = source.choice(tuple(KINDS))
    return kind, KINDS[kind](source)
