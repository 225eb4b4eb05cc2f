"""What is known of an oracle: classes of functions and operators, as inequalities between evaluation points."""

from .functions import (
    Convex,
    ConvexIndicator,
    SmoothConvex,
    SmoothStronglyConvex,
    StronglyConvex,
    SupportFunction,
)
from .inequalities import EQUILIBRIUM, Inequality, LinearMembers, OperatorClass
from .intersection import Intersection
from .operators import Cocoercive, Lipschitz, Monotone, StronglyMonotone
from .sectors import SectorBounded, SlopeRestricted, StaticSector
from .special import GradientDominated, Quadratic

__all__ = [
    "EQUILIBRIUM",
    "Cocoercive",
    "Convex",
    "ConvexIndicator",
    "GradientDominated",
    "Inequality",
    "Intersection",
    "LinearMembers",
    "Lipschitz",
    "Monotone",
    "OperatorClass",
    "Quadratic",
    "SectorBounded",
    "SlopeRestricted",
    "SmoothConvex",
    "SmoothStronglyConvex",
    "StaticSector",
    "StronglyConvex",
    "StronglyMonotone",
    "SupportFunction",
]
