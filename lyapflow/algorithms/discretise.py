"""From a flow to a method: the explicit Euler scheme."""

from __future__ import annotations

from typing import TypeVar

from ..dynamics.bilinear import SaddleSystem
from ..dynamics.checks import check_parameter
from ..dynamics.constrained import PrimalDualSystem
from ..dynamics.lure import LureSystem, name_euler, take_euler_step
from ..dynamics.proximal import ProximalLagrangianSystem
from ..errors import InvalidModelError

__all__ = ["euler"]


Flow = TypeVar("Flow", LureSystem, PrimalDualSystem, ProximalLagrangianSystem, SaddleSystem)


def euler(flow: Flow, step: object) -> Flow:
    r"""Explicit Euler discretisation of a flow.

    **Standard form.** :math:`x_{k+1} = x_k + h\,\dot x(x_k)`.

    **State space.** ``A -> I + step A, B -> step B``; C, D and the oracles as they are, so prox steps stay prox steps.

    **Known guarantee.** That of the method that it is: gradient descent for `lyapflow.flows.gradient_flow`, the relaxed
    proximal gradient and Douglas-Rachford methods for `lyapflow.flows.forward_backward_flow` and
    `lyapflow.flows.douglas_rachford_flow`, the method of Arrow, Hurwicz and Uzawa for
    `lyapflow.flows.primal_dual_flow`. For small steps the factor is ``1 - step * rate`` to first order.

    Parameters
    ----------
    flow : LureSystem, PrimalDualSystem, ProximalLagrangianSystem or SaddleSystem
        In continuous time.
    step : rational
        h > 0, in the time unit of the flow.

    Returns
    -------
    LureSystem, PrimalDualSystem, ProximalLagrangianSystem or SaddleSystem
        The same states and oracles; one step of the method is one unit of its time.

    Raises
    ------
    InvalidModelError
        If the step is not positive, or the flow is no system in continuous time.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import heavy_ball_flow
    >>> euler(heavy_ball_flow(SmoothStronglyConvex(1, 10), damping=2), "1/10").A
    ((Fraction(1, 1), Fraction(1, 10)), (Fraction(0, 1), Fraction(4, 5)))
    """
    if not isinstance(flow, LureSystem | PrimalDualSystem | ProximalLagrangianSystem | SaddleSystem):
        raise InvalidModelError(
            "euler needs a LureSystem, a PrimalDualSystem, a ProximalLagrangianSystem or a SaddleSystem, got "
            f"{type(flow).__name__}"
        )
    if flow.dt != 0:
        raise InvalidModelError(f"euler needs a flow in continuous time (dt = 0), got dt = {flow.dt}")
    h = check_parameter("step", step)
    if isinstance(flow, LureSystem):
        return take_euler_step(flow, h)
    if isinstance(flow, ProximalLagrangianSystem):
        return ProximalLagrangianSystem(
            flow.f,
            flow.g,
            penalty=flow.penalty,
            operator=flow.operator,
            step=h,
            intervals=flow.intervals,
            name=name_euler(flow.name, h),
        )
    if isinstance(flow, SaddleSystem):
        return SaddleSystem(
            flow.f,
            flow.g,
            dual_gain=flow.dual_gain,
            augmentation=flow.augmentation,
            operator=flow.operator,
            step=h,
            intervals=flow.intervals,
            name=name_euler(flow.name, h),
        )
    return PrimalDualSystem(
        flow.oracle,
        flow.constraint,
        dual_gain=flow.dual_gain,
        augmentation=flow.augmentation,
        step=h,
        enclosures=flow.enclosures,
        name=name_euler(flow.name, h),
    )
