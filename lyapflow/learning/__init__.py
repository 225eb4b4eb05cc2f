"""Gradient flows of learning problems whose states are matrices: factorizations and deep linear networks."""

from .affine_relu import AffineReLU
from .attention_scores import AttentionScores
from .deep_linear import DeepLinearNetwork
from .divergence_rates import SublevelRate, bound_sublevel_rate, refute_rate
from .equilibria import EquilibriumClass
from .factorization import SymmetricFactorization
from .linear_chain import LinearChain
from .natural_gradient import KLNaturalGradient, StepLimit
from .neural_feature import NeuralFeatureFlow
from .rectangular import RectangularFactorization, balance
from .shallow_relu import ShallowReLU
from .sparse_attention import SparseAttention
from .squared_relu import SquaredReLU
from .trajectories import Trajectory

__all__ = [
    "AffineReLU",
    "AttentionScores",
    "DeepLinearNetwork",
    "EquilibriumClass",
    "KLNaturalGradient",
    "LinearChain",
    "NeuralFeatureFlow",
    "RectangularFactorization",
    "ShallowReLU",
    "SparseAttention",
    "SquaredReLU",
    "StepLimit",
    "SublevelRate",
    "SymmetricFactorization",
    "Trajectory",
    "balance",
    "bound_sublevel_rate",
    "refute_rate",
]
