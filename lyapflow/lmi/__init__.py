"""Plant meets uncertainty: claims, templates of V, and the exact pencil of matrix inequalities."""

from .claims import ExponentialDecay
from .dissipation import assemble
from .pencil import Condition, Equality, Pencil
from .templates import QuadraticPlusValue, QuadraticStorage, Template

__all__ = [
    "Condition",
    "Equality",
    "ExponentialDecay",
    "Pencil",
    "QuadraticPlusValue",
    "QuadraticStorage",
    "Template",
    "assemble",
]
