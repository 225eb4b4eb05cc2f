"""Sweeps: one task over a grid of points, on any executor, resumable from a store."""

from .execution import Progress, sweep
from .grids import geomspace, linspace
from .results import Row, SweepResult

__all__ = ["Progress", "Row", "SweepResult", "geomspace", "linspace", "sweep"]
