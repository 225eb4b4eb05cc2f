"""The rows of the benchmark as data: a method, its moduli and its parameters, the same doubles for every tool.

Each repeat has slightly different moduli, so that no cache of answers can reply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

__all__ = ["DEEP_CONDITIONS", "FLOWS", "METHODS", "SWEPT", "Problem", "flow_modulus", "make_problem", "row", "sweep"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One method on F(mu, L): f smooth and strongly convex; a second function, where there is one, as in `METHODS`.

    Attributes
    ----------
    method : str
        A key of `METHODS`.
    mu, L : float
        Moduli of f, 0 < mu < L.
    parameters : mapping of str to float
        Step sizes and momenta.
    """

    method: str
    mu: float
    L: float
    parameters: Mapping[str, float]


def _momentum(mu: float, L: float) -> dict[str, float]:
    q = sqrt(mu / L)
    return {"step": 1 / L, "momentum": (1 - q) / (1 + q)}


METHODS: dict[str, Callable[[float, float], dict[str, float]]] = {
    "gradient descent": lambda mu, L: {"step": 2 / (L + mu)},
    "heavy ball": lambda mu, L: {"step": 0.1, "momentum": 0.25},
    "Nesterov": _momentum,
    "triple momentum": lambda mu, L: {},
    "proximal gradient": lambda mu, L: {"step": 2 / (L + mu)},  # the other function is convex
    "Douglas-Rachford": lambda mu, L: {"step": 1 / sqrt(mu * L)},  # the other function is convex
    "Chambolle-Pock": lambda mu, L: {"primal": 0.5, "dual": 0.5, "extrapolation": 1.0},  # the other is in F(mu, L) too
}
"""Parameters of each method from the moduli of f."""

SWEPT = ("gradient descent", "triple momentum", "Douglas-Rachford")
"""Methods of the sweeps over condition numbers."""

DEEP_CONDITIONS = tuple(10.0**k for k in range(1, 9))
"""Condition numbers of the accuracy table."""

FLOWS = (
    "gradient flow, strongly convex",
    "accelerated flow, strongly convex",
    "gradient flow, convex",
    "accelerated flow, convex",
)
"""The continuous-time models that PEPit has as examples."""


def make_problem(method: str, L: float, mu: float = 1.0) -> Problem:
    """One row."""
    return Problem(method=method, mu=mu, L=L, parameters=METHODS[method](mu, L))


def row(method: str, repeat: int, count: int) -> list[Problem]:
    """One method several times at mu = 1 and L near 10; the first of repeat 0, which is the warm-up, has L = 10."""
    return [make_problem(method, 10 + (repeat * count + k) / 1024) for k in range(count)]


def sweep(method: str, repeat: int) -> list[Problem]:
    """One method at 50 condition numbers between 1.26 and 1e4, mu = 1."""
    return [make_problem(method, float(k) * (1 + repeat / 2**20)) for k in np.logspace(0.1, 4, 50)]


def flow_modulus(repeat: int) -> float:
    """A modulus mu near 1 whose square root is a double as well: the damping 2 sqrt(mu) is the same for all tools."""
    return (1 + repeat / 1024) ** 2
