"""Block-triangular structure: a system as stages, their certificates, and one for the whole."""

from .comparison import ExponentialBound, PowerBound, bound_gradient, drive
from .composition import add_stages, compose
from .decomposition import Cascade, Coupling, Stage, decompose
from .stages import StageCertificate, certify_stage, certify_stages

__all__ = [
    "Cascade",
    "Coupling",
    "ExponentialBound",
    "PowerBound",
    "Stage",
    "StageCertificate",
    "add_stages",
    "bound_gradient",
    "certify_stage",
    "certify_stages",
    "compose",
    "decompose",
    "drive",
]
