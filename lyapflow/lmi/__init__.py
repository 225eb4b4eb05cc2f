"""Plant meets uncertainty: claims, templates of V, and the exact pencil of matrix inequalities."""

from .claims import Claim, Contraction, ExponentialDecay, SublinearDecay
from .dissipation import assemble
from .pencil import Condition, Equality, Form, Pencil
from .templates import QuadraticPlusValue, QuadraticStorage, Template

__all__ = [
    "Claim",
    "Condition",
    "Contraction",
    "Equality",
    "ExponentialDecay",
    "Form",
    "Pencil",
    "QuadraticPlusValue",
    "QuadraticStorage",
    "SublinearDecay",
    "Template",
    "assemble",
]
