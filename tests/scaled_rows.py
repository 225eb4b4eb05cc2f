"""Flows with settling times in closed form."""

from dataclasses import dataclass

import lyapflow as lf
from lyapflow.time_scaling.closed_forms import (
    Constants,
    convert_metric,
    douglas_rachford_constants,
    forward_backward_constants,
    gradient_constants,
    heavy_ball_constants,
    primal_dual_constants,
    proximal_lagrangian_constants,
)

SCALES = {
    "finite, alpha = 0": lf.FiniteTime(0),
    "finite, alpha = 1/2": lf.FiniteTime("1/2"),
    "fixed, (1/2, 3/2)": lf.FixedTime("1/2", "3/2"),
}


@dataclass(frozen=True)
class Row:
    """A flow, its constants, and its contraction factor where it has one."""

    flow: object
    constants: Constants
    factor: float | None = None


def make_rows():
    f, g, a = lf.SmoothStronglyConvex(1, 10), lf.Convex(), lf.flows
    lagrangian = a.proximal_augmented_lagrangian_flow(f, g, penalty=9)
    plain = lf.certify(lagrangian, template=lf.QuadraticStorage())
    return {
        "gradient": Row(a.gradient_flow(f), gradient_constants(1, 10)),
        "heavy ball": Row(a.heavy_ball_flow(f, damping=2), heavy_ball_constants(1, 10)),
        "forward-backward": Row(
            a.forward_backward_flow(f, g, step="1/10"), forward_backward_constants(1, 10, 0.1), factor=0.9
        ),
        "forward-backward, 2/(mu + L)": Row(
            a.forward_backward_flow(f, g, step="2/11"), forward_backward_constants(1, 10, 2 / 11), factor=9 / 11
        ),
        "Douglas-Rachford": Row(a.douglas_rachford_flow(f, g, step="1/3"), douglas_rachford_constants(1, 10, 1 / 3)),
        "primal-dual": Row(
            a.primal_dual_flow(f, constraint=[[1, 0, 0], [0, 3, 0]]), primal_dual_constants(1, 10, 1, 3)
        ),
        "proximal augmented Lagrangian": Row(
            lagrangian,
            proximal_lagrangian_constants(2 * float(plain.rate), float(plain.values["upper bound"]), 10, 1, 9),
        ),
        "accelerated forward-backward": Row(  # the metric is 1 - step Q, the envelope has modulus 1 and L = 20
            a.accelerated_forward_backward_flow(lf.Quadratic(1, 10), g, step="1/20", damping=2),
            convert_metric(heavy_ball_constants(1, 20), 1 / 2, 19 / 20),
        ),
        "contraction, q = 0.3": Row(
            lf.LureSystem([[-1]], [[1]], [[1]], oracles=[lf.Lipschitz("3/10")]),
            Constants(2 * 0.7, 1.3**2, 0.7**2, 1.0),
            factor=0.3,
        ),
        "contraction, q = 0.8": Row(
            lf.LureSystem([[-1]], [[1]], [[1]], oracles=[lf.Lipschitz("4/5")]),
            Constants(2 * 0.2, 1.8**2, 0.2**2, 1.0),
            factor=0.8,
        ),
    }


ROWS = make_rows()
