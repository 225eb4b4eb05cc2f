"""Is a claimed factor true? Quadratic functions of one variable decide against it, in exact arithmetic.

On ``f = s x^2 / 2`` and ``g = t x^2 / 2`` a method is a matrix M(s, t), written out here from the textbook form of the
method and from no tool's own model. A factor of V below the square of M's spectral radius is refuted: floating point
says where to look, rationals decide.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product

import numpy as np

from .problems import Problem

__all__ = ["is_refuted", "iteration", "largest_radius", "true_gap"]

_DIGITS = 60  # of square roots in the formulas of the momentum methods
_CLOSEST = 3  # members that are tried exactly

Matrix = list[list[Fraction]]


def is_refuted(problem: Problem, squared: Fraction) -> bool:
    """Whether some member of the class contracts by less than the claimed factor of V; never true of a true claim."""
    members = sorted(_members(problem), key=lambda m: _radius(problem, *m), reverse=True)
    return any(_exceeds(iteration(problem, s, shrink), squared) for s, shrink in members[:_CLOSEST])


def largest_radius(problem: Problem) -> float:
    """The largest spectral radius found, in floating point: no true factor of the distance is smaller."""
    return max(_radius(problem, s, shrink) for s, shrink in _members(problem))


def true_gap(problem: Problem) -> Fraction:
    """``1 - factor`` for the methods of the sweeps, whose best factor is known in closed form.

    Gradient descent, proximal gradient and Douglas-Rachford: the slowest quadratic. Triple momentum: ``sqrt(mu/L)``
    (Van Scoy, Freeman, Lynch 2018, theorem 1).
    """
    if problem.method == "triple momentum":
        return _root(Fraction(problem.mu) / Fraction(problem.L))
    if problem.method not in ("gradient descent", "proximal gradient", "Douglas-Rachford"):
        raise ValueError(f"no closed form is known here for {problem.method}")
    ends = (Fraction(problem.mu), Fraction(problem.L))
    return 1 - max(abs(iteration(problem, s, shrink)[0][0]) for s, shrink in product(ends, (Fraction(0), Fraction(1))))


def iteration(problem: Problem, s: Fraction, shrink: Fraction) -> Matrix:
    """M for curvature s of f; the prox of g, where there is a g, multiplies by `shrink`."""
    p = {name: Fraction(value) for name, value in problem.parameters.items()}
    match problem.method:
        case "gradient descent":
            return [[1 - p["step"] * s]]
        case "heavy ball":
            return _two_step(s, p["step"], p["momentum"], Fraction(0))
        case "Nesterov":
            return _two_step(s, p["step"], p["momentum"], p["momentum"])
        case "triple momentum":
            L = Fraction(problem.L)
            q = _root(Fraction(problem.mu) / L)
            momentum = (1 - q) ** 2 / (1 + q)
            return _two_step(s, (2 - q) / L, momentum, momentum / (2 - q))
        case "proximal gradient":
            return [[shrink * (1 - p["step"] * s)]]
        case "Douglas-Rachford":
            x = 1 / (1 + p["step"] * s)
            return [[1 + shrink * (2 * x - 1) - x]]
        case "Chambolle-Pock":
            a, b, c = p["primal"], p["dual"], p["extrapolation"]
            x = [1 / (1 + a * s), -a / (1 + a * s)]  # x+ in terms of x and y
            y = [b * ((1 + c) * x[0] - c), 1 + b * (1 + c) * x[1]]
            return [x, [(1 - shrink) * v for v in y]]  # Moreau: the prox of g* from that of g
    raise ValueError(f"unknown method {problem.method}")


def _two_step(s: Fraction, step: Fraction, momentum: Fraction, lookahead: Fraction) -> Matrix:
    """``x+ = x + momentum (x - x-) - step s (x + lookahead (x - x-))``."""
    first = 1 + momentum - step * s * (1 + lookahead)
    return [[first, step * s * lookahead - momentum], [Fraction(1), Fraction(0)]]


def _members(problem: Problem) -> list[tuple[Fraction, Fraction]]:
    """Curvatures of f, and factors of the prox of g."""
    curvatures = [Fraction(v) for v in (problem.mu, *np.geomspace(problem.mu, problem.L, 65)[1:-1], problem.L)]
    if problem.method == "Chambolle-Pock":  # g in F(mu, L), prox step 1 / dual
        shrinks = [1 / (1 + t / Fraction(problem.parameters["dual"])) for t in curvatures]
    elif problem.method in ("proximal gradient", "Douglas-Rachford"):  # g convex: from 0 to the indicator of a point
        shrinks = [Fraction(k, 8) for k in range(9)]
    else:
        shrinks = [Fraction(1)]
    return list(product(curvatures, shrinks))


def _radius(problem: Problem, s: Fraction, shrink: Fraction) -> float:
    M = iteration(problem, s, shrink)
    return float(np.abs(np.linalg.eigvals(np.array(M, dtype=float))).max())


def _exceeds(M: Matrix, squared: Fraction) -> bool:
    """Whether the square of the spectral radius of M is larger than the claim: Jury's test of ``M^2 / claim``."""
    if len(M) == 1:
        return M[0][0] ** 2 > squared
    if squared <= 0:
        return any(v for row in M for v in row)
    (a, b), (c, d) = M
    trace, determinant = a + d, a * d - b * c
    trace, determinant = (trace**2 - 2 * determinant) / squared, (determinant / squared) ** 2  # of M^2 / claim
    return abs(determinant) > 1 or abs(trace) > 1 + determinant


def _root(number: Fraction) -> Fraction:
    with localcontext() as context:
        context.prec = _DIGITS
        return Fraction((Decimal(number.numerator) / Decimal(number.denominator)).sqrt())
