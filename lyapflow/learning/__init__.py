"""Gradient flows of learning problems whose states are matrices: factorizations and deep linear networks."""

from .deep_linear import DeepLinearNetwork
from .equilibria import EquilibriumClass
from .factorization import SymmetricFactorization
from .rectangular import RectangularFactorization, balance
from .trajectories import Trajectory

__all__ = [
    "DeepLinearNetwork",
    "EquilibriumClass",
    "RectangularFactorization",
    "SymmetricFactorization",
    "Trajectory",
    "balance",
]
