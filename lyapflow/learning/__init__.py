"""Gradient flows of learning problems whose states are matrices: factorizations and deep linear networks."""

from .deep_linear import DeepLinearNetwork
from .divergence_rates import SublevelRate, bound_sublevel_rate, refute_rate
from .equilibria import EquilibriumClass
from .factorization import SymmetricFactorization
from .natural_gradient import KLNaturalGradient, StepLimit
from .neural_feature import NeuralFeatureFlow
from .rectangular import RectangularFactorization, balance
from .shallow_relu import ShallowReLU
from .squared_relu import SquaredReLU
from .trajectories import Trajectory

__all__ = [
    "DeepLinearNetwork",
    "EquilibriumClass",
    "KLNaturalGradient",
    "NeuralFeatureFlow",
    "RectangularFactorization",
    "ShallowReLU",
    "SquaredReLU",
    "StepLimit",
    "SublevelRate",
    "SymmetricFactorization",
    "Trajectory",
    "balance",
    "bound_sublevel_rate",
    "refute_rate",
]
