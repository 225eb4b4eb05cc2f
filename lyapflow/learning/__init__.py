"""Gradient flows of learning problems whose states are matrices: low-rank factorization, symmetric and rectangular."""

from .equilibria import EquilibriumClass
from .factorization import SymmetricFactorization
from .rectangular import RectangularFactorization, balance
from .trajectories import Trajectory

__all__ = ["EquilibriumClass", "RectangularFactorization", "SymmetricFactorization", "Trajectory", "balance"]
