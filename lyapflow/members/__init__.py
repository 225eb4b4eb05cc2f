"""Concrete functions and operators: what a certificate speaks about, one at a time and in floating point."""

from .adapters import ProximalAdapter, from_pyproximal
from .combinations import Declared, Ridged, Translated
from .envelopes import DouglasRachfordEnvelope, ForwardBackwardEnvelope, MoreauEnvelope
from .functions import LeastSquares, LogisticLoss, QuadraticFunction
from .norms import BoxSupport, EuclideanNorm, GroupNorm, L1Norm, NuclearNorm
from .operators import LinearMap, SectorNonlinearity, SlopeNonlinearity
from .polyhedra import Polyhedron
from .protocol import Member
from .random import random_member
from .separable import SoftLimits
from .sets import Box, EuclideanBall, NonnegativeOrthant, Zero
from .smooth import Huber, ProfileSum, SineWell, SquaredNorm
from .static import StaticNonlinearity

__all__ = [
    "Box",
    "BoxSupport",
    "Declared",
    "DouglasRachfordEnvelope",
    "EuclideanBall",
    "EuclideanNorm",
    "ForwardBackwardEnvelope",
    "GroupNorm",
    "Huber",
    "L1Norm",
    "LeastSquares",
    "LinearMap",
    "LogisticLoss",
    "Member",
    "MoreauEnvelope",
    "NonnegativeOrthant",
    "NuclearNorm",
    "Polyhedron",
    "ProfileSum",
    "ProximalAdapter",
    "QuadraticFunction",
    "Ridged",
    "SectorNonlinearity",
    "SineWell",
    "SlopeNonlinearity",
    "SoftLimits",
    "SquaredNorm",
    "StaticNonlinearity",
    "Translated",
    "Zero",
    "from_pyproximal",
    "random_member",
]
