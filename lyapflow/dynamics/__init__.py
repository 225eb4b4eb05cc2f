"""How the state moves: Lur'e systems and systems that split into Lur'e modes."""

from typing import TypeAlias

from .constrained import PrimalDualSystem
from .lure import LureSystem, Mode

System: TypeAlias = LureSystem | PrimalDualSystem
"""What claims can be made about: anything with `modes`, `oracles`, `oracle_names` and `dt`."""

__all__ = ["LureSystem", "Mode", "PrimalDualSystem", "System"]
