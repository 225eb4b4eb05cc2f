"""Catalogue of flows in continuous time: each function turns classes and parameters into an exact system."""

from .accelerated import accelerated_douglas_rachford_flow, accelerated_forward_backward_flow
from .momentum import gradient_flow, heavy_ball_flow, hessian_damped_flow, nesterov_flow
from .primal_dual import primal_dual_flow, saddle_flow
from .proximal_lagrangian import proximal_augmented_lagrangian_flow
from .splitting import davis_yin_flow, douglas_rachford_flow, forward_backward_flow

__all__ = [
    "accelerated_douglas_rachford_flow",
    "accelerated_forward_backward_flow",
    "davis_yin_flow",
    "douglas_rachford_flow",
    "forward_backward_flow",
    "gradient_flow",
    "heavy_ball_flow",
    "hessian_damped_flow",
    "nesterov_flow",
    "primal_dual_flow",
    "proximal_augmented_lagrangian_flow",
    "saddle_flow",
]
