"""Systems that several tests use: those of the reference tables, and one of each kind for the batteries."""

from fractions import Fraction

import lyapflow as lf

TEMPLATES = {
    "value": lf.QuadraticPlusValue(),
    "definite": lf.QuadraticPlusValue(definite=True),
    "quadratic": lf.QuadraticStorage(),
}


def build_class(description):
    """``["SmoothStronglyConvex", "1", "10"]`` -> the class; a parameter may be a class itself."""
    name, *parameters = description
    return getattr(lf, name)(*(build_class(p) if isinstance(p, list) else p for p in parameters))


def source_seeking(f):
    """G(s) = -5 (s - 1) / (s (s^2 + s + 25)) in negative feedback with the oracle, states scaled by (1, 5, 25)."""
    A = [[0, 5, 0], [0, 0, 5], [0, -5, -1]]
    B = [[0], [0], [Fraction(-1, 25)]]
    return lf.LureSystem(A, B, [[5, -25, 0]], oracles=[f])


def build_flow(description):
    """A row's ``flow`` table -> the system."""
    options = dict(description)
    name = options.pop("name")
    oracles = [build_class(options.pop(key)) for key in ("f", "g", "h") if key in options]
    make = source_seeking if name == "source_seeking" else getattr(lf.flows, name)
    return make(*oracles, **options)


def build_method(description):
    """A row's ``method`` table -> the system in discrete time."""
    plain = ("operator", "singular_values")
    options = {
        key: build_class(value) if isinstance(value, list) and key not in plain else value
        for key, value in description.items()
    }
    return getattr(lf.algorithms, options.pop("name"))(**options)


def catalogue():
    """One system per flow, class and template feature; the batteries run over all of them."""
    f = lf.SmoothStronglyConvex(mu=1, L=10)
    return {
        "gradient": lf.flows.gradient_flow(f),
        "gradient-nonsmooth": lf.flows.gradient_flow(lf.StronglyConvex("1/3")),
        "gradient-dominated": lf.flows.gradient_flow(lf.GradientDominated(1, 10)),
        "gradient-lipschitz": lf.LureSystem([[-2]], [[1]], [[1]], oracles=[lf.Lipschitz("3/2")]),
        "heavy-ball": lf.flows.heavy_ball_flow(f, damping=2),
        "heavy-ball-nonsmooth": lf.flows.heavy_ball_flow(lf.StronglyConvex(1), damping=2),
        "heavy-ball-quadratic": lf.flows.heavy_ball_flow(lf.Quadratic(1, 10), damping=3),
        "heavy-ball-sector": lf.flows.heavy_ball_flow(lf.SectorBounded(1, 10), damping="3.4"),
        "heavy-ball-static": lf.flows.heavy_ball_flow(lf.StaticSector(1, 10), damping=3),
        "hessian-damped": lf.flows.hessian_damped_flow(f, damping=2, hessian_damping="1/10"),
        "heavy-ball-slope": lf.flows.heavy_ball_flow(lf.SlopeRestricted(1, 10), damping=2),
        "forward-backward": lf.flows.forward_backward_flow(f, lf.Convex(), step="1/5"),
        "forward-backward-indicator": lf.flows.forward_backward_flow(f, lf.ConvexIndicator(), step="1/10"),
        "forward-backward-cocoercive": lf.flows.forward_backward_flow(
            lf.Cocoercive("1/10"), lf.StronglyMonotone(1), step="1/10"
        ),
        "douglas-rachford": lf.flows.douglas_rachford_flow(f, lf.SupportFunction(), step="1/3"),
        "douglas-rachford-monotone": lf.flows.douglas_rachford_flow(f, lf.Monotone(), step="1/3"),
        "davis-yin": lf.flows.davis_yin_flow(f, lf.Convex(), lf.SmoothConvex(4), step="1/5"),
        "primal-dual": lf.flows.primal_dual_flow(f, constraint=[[1, 0, 1], [0, 2, 1]], dual_gain=2),
        "primal-dual-augmented": lf.flows.primal_dual_flow(f, constraint=[[1, 1]], augmentation="1/2"),
        "proximal-lagrangian": lf.flows.proximal_augmented_lagrangian_flow(f, lf.Convex(), penalty=9),
        "proximal-lagrangian-operator": lf.flows.proximal_augmented_lagrangian_flow(
            f, lf.SmoothConvex(5), penalty="1/2", operator=[[1, 1, 0], [0, 1, 2]]
        ),
    }


CATALOGUE = catalogue()


def operated():
    """Intervals of singular values, dependent rows, a bilinear coupling: not for other time scales."""
    f = lf.SmoothStronglyConvex(mu=1, L=10)
    return {
        "primal-dual-interval": lf.flows.primal_dual_flow(f, singular_values=(1, 2), augmentation="1/2"),
        "primal-dual-dependent": lf.flows.primal_dual_flow(f, constraint=[[1, 2], [2, 4]]),
        "proximal-lagrangian-interval": lf.flows.proximal_augmented_lagrangian_flow(
            f, lf.SmoothConvex(5), penalty=2, singular_values=(1, 2)
        ),
        "saddle": lf.flows.saddle_flow(f, lf.SmoothConvex(3), operator=[[1, 2], [0, 1]], dual_gain=2),
    }


OPERATED = operated()


def algorithms():
    """One system of the catalogue in discrete time per entry; the batteries run over all of them."""
    f, g = lf.SmoothStronglyConvex(mu=1, L=10), lf.Convex()
    F = lf.Intersection(lf.StronglyMonotone(1), lf.Lipschitz(10))
    a = lf.algorithms
    return {
        "gradient-descent": a.gradient_descent(f, step="2/11"),
        "gradient-descent-quadratic": a.gradient_descent(lf.Quadratic(1, 10), step="1/10"),
        "heavy-ball": a.heavy_ball(f, step="1/10", momentum="1/4"),
        "nesterov": a.nesterov(f, step="1/10", momentum="1/2"),
        "nesterov-strongly-convex": a.nesterov_strongly_convex(f),
        "triple-momentum": a.triple_momentum(f),
        "proximal-point": a.proximal_point(lf.StronglyConvex(1), step="1/2"),
        "proximal-gradient": a.proximal_gradient(f, g, step="2/11"),
        "douglas-rachford": a.douglas_rachford(f, g, step="1/3"),
        "davis-yin": a.davis_yin(f, g, lf.SmoothConvex(2), step="1/4"),
        "chambolle-pock": a.chambolle_pock(f, f, step_primal="1/2", step_dual="1/2"),
        "extragradient": a.extragradient(F, step="1/20"),
        "optimistic-gradient": a.optimistic_gradient(F, step="1/40"),
        "tseng": a.tseng(lf.Monotone(), F, step="1/20"),
        "euler-heavy-ball": a.euler(lf.flows.heavy_ball_flow(f, damping=2), "1/10"),
        "euler-primal-dual": a.euler(lf.flows.primal_dual_flow(f, constraint=[[1, 2, 3], [0, 1, 5]]), "1/50"),
        "euler-primal-dual-augmented": a.euler(lf.flows.primal_dual_flow(f, constraint=[[1]], augmentation=1), "1/20"),
        "euler-proximal-lagrangian": a.euler(
            lf.flows.proximal_augmented_lagrangian_flow(f, g, penalty=2, operator=[[1, 1, 0], [0, 1, 2]]), "1/20"
        ),
    }


ALGORITHMS = algorithms()
