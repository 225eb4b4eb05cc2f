"""Block-triangular structure: a system as stages, their certificates, one for the whole; and the factorization flow."""

from .comparison import ExponentialBound, PowerBound, bound_gradient, drive
from .composition import compose
from .decomposition import Cascade, Coupling, Stage, decompose
from .factorization.schur import SchurCascade, schur
from .stages import StageCertificate, certify_stage, certify_stages
from .summation import add_stages

__all__ = [
    "Cascade",
    "Coupling",
    "ExponentialBound",
    "PowerBound",
    "SchurCascade",
    "Stage",
    "StageCertificate",
    "add_stages",
    "bound_gradient",
    "certify_stage",
    "certify_stages",
    "compose",
    "decompose",
    "drive",
    "schur",
]
