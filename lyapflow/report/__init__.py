"""Top floor, for people: the theorem in words, its proof in LaTeX, the report as one offline page."""

from .data import to_data
from .evidence import Evidence
from .items import Figure, Note, Simulation, Table
from .latex import to_latex
from .nyquist import draw_nyquist, nyquist_figure
from .rendering import write_report
from .statement import Statement, state_theorem
from .sweeps import draw_sweep, write_sweep, write_sweep_figure

__all__ = [
    "Evidence",
    "Figure",
    "Note",
    "Simulation",
    "Statement",
    "Table",
    "draw_nyquist",
    "draw_sweep",
    "nyquist_figure",
    "state_theorem",
    "to_data",
    "to_latex",
    "write_report",
    "write_sweep",
    "write_sweep_figure",
]
