"""How the state moves: Lur'e systems and systems that split into Lur'e modes."""

from typing import TypeAlias

from .bilinear import SaddleSystem
from .constrained import PrimalDualSystem
from .lure import LureSystem, Mode
from .parametric import ParametricSystem
from .polytope import PolytopicSystem
from .proximal import ProximalLagrangianSystem
from .saddle import PrimalDualIteration
from .stacked import StackedSystem

System: TypeAlias = (
    LureSystem
    | PrimalDualSystem
    | PrimalDualIteration
    | ProximalLagrangianSystem
    | SaddleSystem
    | PolytopicSystem
    | ParametricSystem
    | StackedSystem
)
"""What claims can be made about: anything with `modes`, `oracles`, `oracle_names` and `dt`."""

__all__ = [
    "LureSystem",
    "Mode",
    "ParametricSystem",
    "PolytopicSystem",
    "PrimalDualIteration",
    "PrimalDualSystem",
    "ProximalLagrangianSystem",
    "SaddleSystem",
    "StackedSystem",
    "System",
]
