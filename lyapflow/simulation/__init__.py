"""Concrete members in the loop: trajectories, equilibria, and the search for counterexamples."""

from ..errors import SimulationError
from .equilibria import Equilibrium, find_equilibrium
from .falsification import Counterexample, falsify
from .membership import contains
from .motion import simulate
from .trajectories import Trajectory

__all__ = [
    "Counterexample",
    "Equilibrium",
    "SimulationError",
    "Trajectory",
    "contains",
    "falsify",
    "find_equilibrium",
    "simulate",
]
