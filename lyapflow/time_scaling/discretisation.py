"""The door to the discretisations of flows, scaled or not."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from ..dynamics import System
from ..errors import InvalidModelError
from ..members.protocol import Member
from ..simulation.discretisation import Iteration, Scheme, run_scheme
from ..simulation.equilibria import Equilibrium
from ..simulation.motion import settle
from .flows import ScaledFlow

__all__ = ["iterate_flow"]


def iterate_flow(
    flow: System | ScaledFlow,
    members: Sequence[Member],
    x0: ArrayLike,
    *,
    scheme: Scheme,
    step: float,
    tolerance: float = 1e-6,
    most: int = 100_000,
    equilibrium: Equilibrium | ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> Iteration:
    """A discretisation of a flow, scaled or not, until its speed is a small part of the first.

    Parameters
    ----------
    flow : ScaledFlow, or a system in continuous time
        On its time scale, or on its own.
    members, x0, equilibrium, offset
        As in `lyapflow.simulate`.
    scheme : "explicit" or "semi-implicit"
        See `lyapflow.simulation.discretisation`.
    step : float
        On the flow's clock, > 0; for the explicit scheme ``inf`` takes the largest steps that it finds stable.
    tolerance : float, default 1e-6
        Part of the first speed at which it ends, in (0, 1).
    most : int, default 100000
        Number of steps after which it ends anyway.

    Returns
    -------
    Iteration
        Speeds and distances, and what they cost: steps, evaluations of F, linear systems.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import gradient_flow
    >>> from lyapflow.lmi.time_scales import FiniteTime
    >>> from lyapflow.members import QuadraticFunction
    >>> from lyapflow.search import certify
    >>> from lyapflow.time_scaling.flows import scale_time
    >>> flow = gradient_flow(SmoothStronglyConvex(1, 10))
    >>> scaled = scale_time(flow, certify(flow), FiniteTime(0))
    >>> f = [QuadraticFunction([[1.0, 0.0], [0.0, 10.0]])]
    >>> [iterate_flow(one, f, [3.0, 4.0], scheme="semi-implicit", step=1.0).steps for one in (flow, scaled)]
    [17, 13]
    """
    system, scale = (flow.system, flow.scale) if isinstance(flow, ScaledFlow) else (flow, None)
    if not isinstance(system, System) or system.dt != 0:
        raise InvalidModelError(
            f"iterate_flow needs a ScaledFlow or a flow in continuous time, got {type(flow).__name__}, "
            f"dt = {getattr(system, 'dt', 'unknown')}"
        )
    loop, rest, start = settle(system, members, x0, equilibrium=equilibrium, offset=offset)
    return run_scheme(loop, rest, start, scale, scheme, step=step, tolerance=tolerance, most=most)
