"""Catalogue of algorithms in discrete time: each function turns classes and parameters into an exact system."""

from .discretise import euler
from .gradient import gradient_descent, proximal_point
from .momentum import heavy_ball, nesterov, nesterov_strongly_convex, triple_momentum
from .primal_dual import chambolle_pock
from .saddle import extragradient, optimistic_gradient, tseng
from .splitting import davis_yin, douglas_rachford, proximal_gradient

__all__ = [
    "chambolle_pock",
    "davis_yin",
    "douglas_rachford",
    "euler",
    "extragradient",
    "gradient_descent",
    "heavy_ball",
    "nesterov",
    "nesterov_strongly_convex",
    "optimistic_gradient",
    "proximal_gradient",
    "proximal_point",
    "triple_momentum",
    "tseng",
]
