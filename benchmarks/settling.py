"""Random members and starts against proved settling times: is one ever late? Writes settling.md.

``python -m benchmarks.settling [--trials 45] [--jobs 2] [--only gradient ...]``: so many trials for each flow on each
scale, starts at distances from 1e-6 to 1e6.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import lyapflow as lf
from lyapflow.simulation.draws import draw_loop, draw_start
from lyapflow.simulation.scaled import check_orbit
from lyapflow.simulation.time_change import follow_orbit

from .results import machine_line, table

_F = lf.SmoothStronglyConvex(1, 10)
_A = lf.flows
FLOWS = {
    "gradient": _A.gradient_flow(_F),
    "gradient, L infinite": _A.gradient_flow(lf.StronglyConvex("1/3")),
    "heavy ball": _A.heavy_ball_flow(_F, damping=2),
    "heavy ball, sector": _A.heavy_ball_flow(lf.SectorBounded(1, 10), damping="3.4"),
    "Hessian-damped": _A.hessian_damped_flow(_F, damping=2, hessian_damping="1/10"),
    "forward-backward": _A.forward_backward_flow(_F, lf.Convex(), step="1/5"),
    "Douglas-Rachford": _A.douglas_rachford_flow(_F, lf.Convex(), step="1/3"),
    "Davis-Yin": _A.davis_yin_flow(_F, lf.Convex(), lf.SmoothConvex(4), step="1/5"),
    "primal-dual": _A.primal_dual_flow(_F, constraint=[[1, 0, 1], [0, 2, 1]], dual_gain=2),
    "proximal augmented Lagrangian": _A.proximal_augmented_lagrangian_flow(_F, lf.Convex(), penalty=9),
    "the same with an operator": _A.proximal_augmented_lagrangian_flow(
        _F, lf.SmoothConvex(5), penalty="1/2", operator=[[1, 1, 0], [0, 1, 2]]
    ),
    "accelerated forward-backward": _A.accelerated_forward_backward_flow(_F, lf.Convex(), step="1/200", damping=2),
    "the same, quadratic f": _A.accelerated_forward_backward_flow(
        lf.Quadratic(1, 10), lf.Convex(), step="1/20", damping=2
    ),
    "accelerated Douglas-Rachford": _A.accelerated_douglas_rachford_flow(
        lf.Quadratic(1, 10), lf.Convex(), step="1/20", damping=2
    ),
}
SCALES = {
    "normalised": lf.FiniteTime(0),
    "finite, 1/2": lf.FiniteTime("1/2"),
    "fixed, 1/2 and 3/2": lf.FixedTime("1/2", "3/2"),
    "prescribed": lf.PrescribedTime(3),
}


@dataclass(frozen=True)
class Count:
    """What came of one flow on one scale.

    Attributes
    ----------
    trials : int
        Trajectories that were compared.
    late : int
        Those that break a promise by more than numerical error.
    failed : int
        Those that could not be followed.
    closest : float or None
        Largest ratio of a settling time to its bound.
    """

    trials: int
    late: int
    failed: int
    closest: float | None


def count_late(flow: str, scale: str, trials: int) -> Count:
    """Random members and starts of one flow on one scale."""
    system = FLOWS[flow]
    scaled = lf.scale_time(system, lf.certify(system), SCALES[scale], optimise="settling_time")
    names = sorted(FLOWS)
    rng = np.random.default_rng([20261122, names.index(flow), list(SCALES).index(scale)])
    done = late = failed = 0
    closest = 0.0
    for stream in rng.spawn(trials):
        loop, rest, _ = draw_loop(scaled.certificate, 3, stream)
        x0 = draw_start(rest, stream, decades=6)
        try:
            _, checks = check_orbit(scaled.certificate, loop, rest, x0)
            late += any(np.any(left - right > error) for _, left, right, error in checks)
            if scaled.certificate.is_bounded and scale != "prescribed":
                seen = follow_orbit(loop, rest, x0, scaled.scale, rtol=1e-8).settling_time
                closest = max(closest, seen / float(scaled.settling_time(x0=float(np.linalg.norm(x0 - rest.x)))))
            done += 1
        except lf.SimulationError:
            failed += 1
    return Count(done, late, failed, closest or None)


def main() -> None:
    """Read the arguments, count, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=45)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=list(FLOWS))
    options = parser.parse_args()
    places = [(flow, scale) for flow in options.only for scale in SCALES]
    with ProcessPoolExecutor(options.jobs) as pool:
        found = list(pool.map(count_late, *zip(*places, strict=True), [options.trials] * len(places)))
    total = [sum(getattr(count, name) for count in found) for name in ("trials", "late", "failed")]
    said = f"{total[0]} trajectories, {total[1]} later than proved, {total[2]} that could not be followed."
    print(said)
    if options.only == list(FLOWS):
        rows = [
            [flow, scale, str(c.trials), str(c.late), "–" if c.closest is None else f"{c.closest:.3f}"]
            for (flow, scale), c in zip(places, found, strict=True)
        ]
        lines = [
            "# Settling times: proved against seen",
            "",
            said,
            "",
            "Random members and starts at distances from 1e-6 to 1e6, V sought for the settling time. *Closest* is the "
            "largest ratio of a settling time that was seen to the one that is proved from the same distance. Repeat: "
            "`python -m benchmarks.settling`.",
            "",
            table(["flow", "time scale", "trajectories", "later than proved", "closest"], rows),
            "",
            machine_line(tools=("lyapflow", "numpy", "scipy", "clarabel", "python-flint")),
            "",
        ]
        Path(__file__).with_name("settling.md").write_text("\n".join(lines), encoding="utf-8")
    raise SystemExit(bool(total[1]))


if __name__ == "__main__":
    main()
