"""
Finite and fixed settling times: an elastic net and a constrained regression
============================================================================

**Question.** An exponentially stable flow comes ever nearer to its solution and never arrives. Run on another clock,
:math:`\\dot x = \\sigma(|F(x)|)\\,F(x)`, it arrives, after a time that can be *proved*. How long is that on real data,
how much of it is slack, and what does the other clock gain when both flows may be equally fast?

**Data.** The diabetes data (442 patients, 10 features), standardised, with the response centred and in its own units.

**Dynamics.** The forward-backward flow of an elastic net, which is not smooth, and the primal-dual flow of a least
squares problem with three linear constraints; each as it is, with :math:`\\sigma = c\\,|F|^{-1/2}` (finite time), and
with :math:`\\sigma = c_1|F|^{-1/2} + c_2|F|^{1/2}` (fixed time: one bound for all starts).

**What is computed.** Certificates of exponential decay, and from them those of the scaled flows; settling times over
eight decades of the distance, proved and seen; a comparison with gains for which all flows have the same largest
speed.

**Known guarantee.** Exponential stability, with a speed that V bounds, is inherited as finite- and fixed-time stability
(after Ozaslan, Jovanović, "From exponential to finite/fixed-time stability: applications to optimization",
arXiv 2409.11713). In finite time the bound grows like :math:`|x_0 - x^\\star|^{1/2}`, in fixed time it stays finite.

**Runs in** about 40 s (quick: 25 s).
"""

# %%
# An elastic net
# --------------
# Data, curvature and penalty of the study :doc:`elastic_net_diabetes`; the step is about 1/L.

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import cumulative_trapezoid
from scipy.linalg import null_space

import lyapflow as lf
from lyapflow.exact.rationals import show_above, show_below
from lyapflow.report import Figure, Note, Simulation, Table
from lyapflow.simulation.comparison import bound_storage
from lyapflow.tables import read_table, standardize

QUICK = bool(os.environ.get("LYAPFLOW_QUICK"))
HERE = Path(__file__).parent if "__file__" in globals() else Path.cwd()
OUTPUT = Path(os.environ.get("LYAPFLOW_OUTPUT", "."))

table = read_table(HERE / "data" / "diabetes.csv")
X = standardize(table.drop("y").values)
y = table.column("y") - table.column("y").mean()

loss, penalty = lf.members.LeastSquares(X, y, ridge="1/20"), lf.members.L1Norm(2)
f, g = loss.operator_class, penalty.operator_class
assert loss.curvature.check()
print(f"proved: {show_below(f.mu)} I <= Hessian of f <= {show_above(f.L)} I, kappa <= {show_above(f.L / f.mu, 5)}")
hessian = X.T @ X / len(X) + np.eye(10) / 20
net_flow = lf.flows.forward_backward_flow(f, g, step="1/4")

# %%
# A regression with constraints
# -----------------------------
# Ridge regression of the same data that must treat groups alike: the mean prediction is the same for both sexes, and
# for the older and the younger half; and for the quarter with the largest body mass index it is the mean of what was
# observed. The rows are differences and means of standardised features, so they are moderate; they are rounded to three
# decimals, and the rounded matrix is the constraint, a rational one of full row rank.

age, sex, bmi = (table.column(name) for name in ("age", "sex", "bmi"))
older, heavy = age > np.median(age), bmi >= np.quantile(bmi, 0.75)
groups = [
    X[sex == 2].mean(axis=0) - X[sex == 1].mean(axis=0),
    X[older].mean(axis=0) - X[~older].mean(axis=0),
    X[heavy].mean(axis=0),
]
E = [[Fraction(round(1000 * v), 1000) for v in row] for row in groups]
b = [0.0, 0.0, y[heavy].mean()]
fair_flow = lf.flows.primal_dual_flow(f, constraint=E, augmentation=1)


@dataclass(frozen=True)
class Problem:
    """A flow closed with its data. `slow` is the direction in which f is curved least, `wanted` the equilibrium."""

    title: str
    key: str
    flow: object
    members: list
    start: np.ndarray
    slow: np.ndarray
    wanted: np.ndarray
    offset: list | None = None


def solve_net():
    """A plain proximal-gradient iteration, from the definitions."""
    w = np.zeros(10)
    for _ in range(20_000):
        w = penalty.prox(w - loss.gradient(w) / float(f.L), 1 / float(f.L))
    return w[None]


def solve_fair():
    """The linear equations of Karush, Kuhn and Tucker."""
    rows = np.array(E, dtype=float)
    system = np.block([[hessian, rows.T], [rows, np.zeros((3, 3))]])
    return np.linalg.solve(system, np.r_[X.T @ y / len(X), b])


least = np.linalg.eigh(hessian)[1][:, 0]
free = null_space(np.array(E, dtype=float))
least_free = free @ np.linalg.eigh(free.T @ hessian @ free)[1][:, 0]
PROBLEMS = (
    Problem("elastic net", "net", net_flow, [loss, penalty], np.zeros((1, 10)), least[None], solve_net()),
    Problem(
        "constrained regression",
        "fair",
        fair_flow,
        [loss],
        np.zeros(13),
        np.r_[least_free, np.zeros(3)],
        solve_fair(),
        b,
    ),
)

# %%
# Exponential decay, and the largest speed
# ----------------------------------------
# From w = 0 (and zero multipliers) each flow is fastest at its start; that speed r is what all versions may have.


def measure_speeds(run, states):
    """The norm of F, the right side of the unscaled flow, at states."""
    return np.array([np.linalg.norm(run.loop.evaluate(x)[0]) for x in states])


decay, runs, peaks = {}, {}, {}
for problem in PROBLEMS:
    known = lf.certify(problem.flow)
    assert lf.verify(known).proved
    horizon = float(np.log(1e10) / known.rate)
    run = lf.simulate(problem.flow, problem.members, problem.start, (0.0, horizon), offset=problem.offset)
    assert np.allclose(run.equilibrium.x, problem.wanted, atol=1e-7 * np.abs(problem.wanted).max())
    assert np.all(run.distance <= run.norm_bound(known) * (1 + 1e-6))
    speeds = measure_speeds(run, run.x)
    assert speeds.argmax() == 0
    decay[problem.key], runs[problem.key] = known, run
    peaks[problem.key] = Fraction(speeds[0]).limit_denominator(1000)
    print(
        f"{problem.title}: proved rate {show_below(known.rate, 5)}, transient {show_above(known.transient_bound, 4)}; "
        f"start at distance {run.distance[0]:.4g} with speed {speeds[0]:.4g}",
        flush=True,
    )
w = runs["fair"].equilibrium.x[:10]
plain = np.linalg.solve(hessian, X.T @ y / len(X))
gaps = [[abs(float(row @ v)) for row in groups] for v in (plain, w)]
print("sexes apart by {:.1f}, ages by {:.1f}, heavy quarter at {:.1f} (without constraints)".format(*gaps[0]))
print("sexes apart by {:.1f}, ages by {:.1f}, heavy quarter at {:.1f} (with them)".format(*gaps[1]))

# %%
# The other clocks
# ----------------
# Two choices are the user's: the exponents, 1/2 and 3/2 here, and the gains. The two gains of the fixed time are in the
# proportion in which both powers weigh the same at the speed r. Then `match_speed` scales all gains so that
# :math:`|\dot x|` at the start is r again: **equal peak speed**. V is sought anew for the shortest settling time.

UNSCALED, FINITE, FIXED, EQUAL = "unscaled", "finite time", "fixed time", "fixed, equal gains"
scaled = {}
for problem in PROBLEMS:
    r = peaks[problem.key]
    for name, scale in {FINITE: lf.FiniteTime("1/2"), FIXED: lf.FixedTime("1/2", "3/2", gains=(1, 1 / r))}.items():
        flow = lf.scale_time(problem.flow, decay[problem.key], scale, optimise="settling_time").match_speed(r)
        assert lf.verify(flow.certificate).proved
        scaled[problem.key, name] = flow
        numbers = " and ".join(show_below(number, 4) for number in flow.coefficients)
        print(f"{problem.title}, {name}: V' falls with coefficients {numbers}", flush=True)

# %%
# The trajectories
# ----------------
# The scaled flows are integrated themselves, on their own clock, until a millionth of the distance is left. The time
# that this takes is found a second time by a quadrature of :math:`\mathrm ds/\sigma` along the unscaled flow, which
# knows nothing of the first.


def slowness(scale, speed):
    """1/sigma, from its definition."""
    if isinstance(scale, lf.FiniteTime):
        return speed**0.5 / float(scale.gain)
    first, second = map(float, scale.gains)
    return 1 / (first * speed**-0.5 + second * speed**0.5)


COLORS = {UNSCALED: "#8a94a3", FINITE: "#1f5fbf", FIXED: "#c05621"}
LAST = 1e-6
paths = {}
for problem in PROBLEMS:
    for name in (FINITE, FIXED):
        flow = scaled[problem.key, name]
        path = flow.simulate(problem.members, problem.start, threshold=LAST, offset=problem.offset)
        again = flow.measure_settling_time(problem.members, problem.start, threshold=LAST, offset=problem.offset)
        assert abs(path.t[-1] / again - 1) < 1e-6
        paths[problem.key, name] = path
        pace = [speed / slowness(flow.scale, speed) for speed in measure_speeds(path, path.x[:-1])]
        assert max(pace) == pace[0]
        assert abs(pace[0] / float(peaks[problem.key]) - 1) < 1e-5
        V, bound = path.storage(flow.certificate), path.bound(flow.certificate)
        assert np.all(bound * (1 + 1e-6) + 1e-9 * V[0] >= V)


def reach(size):
    """A distance seen in floating point, as a rational that is surely not below it."""
    return Fraction(size * (1 + 1e-9))


def prove(key, name, size):
    """The proved settling time from all starts at a distance."""
    return scaled[key, name].settling_time(x0=reach(size))


def put_legend(figure, ax, columns):
    """One for both axes, below them."""
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=columns, fontsize=7)


def draw_distances(figure):
    axes = figure.subplots(1, 2)
    for ax, problem in zip(axes, PROBLEMS, strict=True):
        curves = {UNSCALED: runs[problem.key]} | {name: paths[problem.key, name] for name in (FINITE, FIXED)}
        ends = [prove(problem.key, name, runs[problem.key].distance[0]) for name in (FINITE, FIXED)]
        for name, path in curves.items():
            times = np.geomspace(1e-2 * float(ends[0]), path.t[-1], 600)
            away = (path.at(times) - path.equilibrium.x).reshape(len(times), -1)
            ax.loglog(times, np.linalg.norm(away, axis=1), color=COLORS[name], label=f"{name} (seen)")
        for name, end in zip((FINITE, FIXED), ends, strict=True):
            ax.axvline(float(end), color=COLORS[name], ls="--", lw=1, label=f"{name}, arrived (proved)")
        first = runs[problem.key].distance[0]
        ax.set(title=problem.title, xlabel="t (time unit of the flow)", ylim=(1e-6 * first, 3 * first))
    axes[0].set_ylabel("distance to the solution\n(units of the response)")
    put_legend(figure, axes[0], 3)
    figure.suptitle("From one start, with gains for equal peak speed |x'|", fontsize=9)


draw_distances(plt.figure(figsize=(8, 3.7), layout="constrained"))

# %%
# V under its bound, the solution of :math:`\dot v = -Av^a` and :math:`\dot v = -Av^a - Bv^b`. The bound reaches zero at
# the proved settling time.


def draw_storage(figure):
    axes = figure.subplots(1, 2, sharey=True)
    for ax, problem in zip(axes, PROBLEMS, strict=True):
        for name in (FINITE, FIXED):
            certificate, path = scaled[problem.key, name].certificate, paths[problem.key, name]
            V = path.storage(certificate)
            end = float(certificate.settling_time(V0=reach(V[0])))
            times = end * (1 - np.geomspace(1, 1e-5, 400))
            ax.semilogy(path.t, V / V[0], color=COLORS[name], label=f"V, {name} (seen)")
            ax.semilogy(
                times,
                bound_storage(certificate, V[0], times) / V[0],
                "--",
                color=COLORS[name],
                label=f"bound, {name} (proved)",
            )
        ax.set(title=problem.title, xlabel="t (time unit of the flow)", ylim=(1e-12, 5))
    axes[0].set_ylabel("V(t) / V(0)")
    put_legend(figure, axes[0], 2)


draw_storage(plt.figure(figsize=(8, 3.5), layout="constrained"))

# %%
# Equal peak speed: what is gained, and when nothing is
# -----------------------------------------------------
# With these gains :math:`\sigma \ge 1` wherever :math:`|F| \le r`, so along this trajectory the scaled flows are ahead
# at every tolerance; that is arithmetic and no surprise. It hangs on the proportion of the gains. With
# :math:`c_1 = c_2`, the powers weigh the same at :math:`|F| = 1` (far below r, in the units of these data), and there
# the fixed-time flow is slower than the unscaled one: at the same peak speed it falls behind, and overtakes only nearer
# to the solution. Who needs no more than that tolerance is served better by the unscaled flow.
#
# Speed is not the only price: :math:`\sigma` grows without bound on the way to the solution, so the scaled flows are
# ever stiffer there, and a computer with steps of one length does not follow them to the end.

TOLERANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8)
comparison, crossings = {}, {}
for problem in PROBLEMS:
    run, r = runs[problem.key], peaks[problem.key]
    s = np.r_[0.0, np.geomspace(1e-5, 1, 3000) * run.t[-1]]
    states = run.at(s)
    part = np.linalg.norm((states - run.equilibrium.x).reshape(len(s), -1), axis=1) / run.distance[0]
    speed = measure_speeds(run, states)
    equal = lf.FixedTime("1/2", "3/2")
    scales = {name: scaled[problem.key, name].scale for name in (FINITE, FIXED)}
    scales[EQUAL] = equal.speed_up(Fraction(slowness(equal, float(r))))
    clocks = {UNSCALED: s}
    for name, scale in scales.items():
        clocks[name] = cumulative_trapezoid(slowness(scale, speed), s, initial=0)
    for name, t in clocks.items():
        behind = np.flatnonzero(t > s * (1 + 1e-6))
        crossings[problem.key, name] = None if len(behind) == 0 else float(part[behind[-1]])
        # at the first sample within the tolerance
        comparison[problem.key, name] = [float(t[np.argmax(part <= tol)]) for tol in TOLERANCES]
    for name in (FINITE, FIXED):
        found = np.interp(-np.log(1e-3), -np.log(part), clocks[name])
        flow = scaled[problem.key, name]
        wanted = flow.measure_settling_time(problem.members, problem.start, threshold=1e-3, offset=problem.offset)
        assert abs(found / wanted - 1) < 1e-3  # a trapezoidal rule of our own

for problem in PROBLEMS:
    print(f"{problem.title}: time until a part of the distance is left (seen)")
    print(f"{'':20}" + "".join(f"{tol:9.0e}" for tol in TOLERANCES))
    for name in (UNSCALED, FINITE, FIXED, EQUAL):
        print(f"{name:20}" + "".join(f"{t:9.4g}" for t in comparison[problem.key, name]))
    for name in (FINITE, FIXED, EQUAL):
        crossing = crossings[problem.key, name]
        told = "never behind the unscaled flow" if crossing is None else f"behind it until {crossing:.1e} is left"
        print(f"{name}: {told}")

# %%
# Settling times over eight decades
# ---------------------------------
# The gains stay; the start moves, on two rays from the solution: the one through w = 0, and the one along which f is
# curved least. Each bound is proved for *all* starts at its distance. That the bound is above what is seen is slack of
# the proof on top of luck of the start.

DECADES = range(-2, 7, 2) if QUICK else range(-2, 7)
RAYS = ("through w = 0", "least curvature")
sizes, proved, seen = {}, {}, {}
for problem in PROBLEMS:
    rest, distance = runs[problem.key].equilibrium, runs[problem.key].distance[0]
    rays = dict(zip(RAYS, (problem.start - rest.x, problem.slow), strict=True))
    sizes[problem.key] = [distance * 10.0**k for k in DECADES]
    for name in (FINITE, FIXED):
        flow = scaled[problem.key, name]
        proved[problem.key, name] = [prove(problem.key, name, size) for size in sizes[problem.key]]
        for ray, direction in rays.items():
            unit = direction / np.linalg.norm(direction)
            seen[problem.key, name, ray] = [
                flow.measure_settling_time(
                    problem.members, rest.x + size * unit, equilibrium=rest, offset=problem.offset
                )
                for size in sizes[problem.key]
            ]
    print(f"{problem.title}: settling times from {len(RAYS) * len(sizes[problem.key])} starts", flush=True)


def draw_settling(figure):
    axes = figure.subplots(1, 2)
    for ax, problem in zip(axes, PROBLEMS, strict=True):
        far, key = sizes[problem.key], problem.key
        line = np.geomspace(far[0], far[-1], 60)
        for name in (FINITE, FIXED):
            bounds = [float(prove(key, name, size)) for size in line]
            ax.loglog(line, bounds, "--", color=COLORS[name], label=f"{name} (proved)")
            for ray, mark in zip(RAYS, "ox", strict=True):
                ax.loglog(far, seen[key, name, ray], mark, color=COLORS[name], ms=4.5, label=f"{name}, {ray} (seen)")
        limit = float(scaled[key, FIXED].settling_time())
        ax.axhline(limit, color=COLORS[FIXED], ls=":", label=f"{FIXED}, all starts (proved)")
        ax.set(title=problem.title)
        ax.set_xlabel("distance of the start (units of the response)", fontsize=8)
    axes[0].set_ylabel("settling time\n(time unit of the flow)")
    put_legend(figure, axes[0], 3)


draw_settling(plt.figure(figsize=(8, 4), layout="constrained"))

# %%
# The same in numbers: what is proved of all starts at a distance, the times of the two trajectories, in floating point,
# and the bound over the longer of them.


def write(size):
    """Three digits, without an exponent where that is short."""
    return f"{size:.3g}" if size < 1e3 else f"{size:.2e}".replace("e+0", "e")


rows = []
for problem in PROBLEMS:
    for name in (FINITE, FIXED):
        times = zip(
            DECADES,
            sizes[problem.key],
            proved[problem.key, name],
            seen[problem.key, name, RAYS[0]],
            seen[problem.key, name, RAYS[1]],
            strict=True,
        )
        for decade, size, bound, time, slow in times:
            if decade % 2 == 0:
                ratio = f"{float(bound) / max(time, slow):.2f}"
                measured = write(size), show_above(bound, 5), f"{time:.5g}", f"{slow:.5g}", ratio
                rows.append((problem.title, name, *measured))
    always = scaled[problem.key, FIXED].settling_time()
    rows.append((problem.title, FIXED, "any", show_above(always, 5), None, None, None))
HEADER = ("problem", "clock", "start at", "proved", f"seen, {RAYS[0]}", f"seen, {RAYS[1]}", "proved / seen")
for row in (HEADER, *rows):
    print("{:23}{:13}{:>10}{:>9}  {:>20}{:>23}  {}".format(*("-" if v is None else v for v in row)))

# %%
# A time that holds for all starts has its price in speed too: from far away the fixed-time flow moves faster than in
# proportion to its distance. And gains can be chosen for a deadline that no start misses.

for problem in PROBLEMS:
    run, flow = runs[problem.key], scaled[problem.key, FIXED]
    far = run.equilibrium.x + 1e6 * (problem.start - run.equilibrium.x)
    (speed,) = measure_speeds(run, [far])
    fast = speed / slowness(flow.scale, speed)
    print(f"{problem.title}: a million times as far, |F| is {speed:.2g} and |x'| on the fixed-time clock {fast:.2g}")
    deadline = flow.settle_within(10)
    assert 10 * (1 - Fraction(1, 10**6)) <= deadline.settling_time() <= 10
    gains = " and ".join(show_above(gain, 4) for gain in deadline.scale.gains)
    print(f"{problem.title}: settles within 10 from every start with gains {gains}")

# %%
# What was claimed
# ----------------

for (key, name), flow in scaled.items():
    file = OUTPUT / f"{key}_{name.replace(' ', '_')}.json"
    lf.save(flow.certificate, file)
    assert lf.verify(lf.load(file)).proved
    bounds, far = np.array(proved[key, name], dtype=float), np.array(sizes[key])
    for ray in RAYS:
        times = np.array(seen[key, name, ray])
        assert np.all(times <= bounds)
        if name == FIXED:
            assert np.all(times <= float(flow.settling_time()))
            assert times[-1] < 10 * times[DECADES.index(2)]  # four decades of distance: a hundred times in finite time
        else:
            slope = np.polyfit(np.log(far), np.log(times), 1)[0]
            assert abs(slope - 0.5) < 0.03
    if name == FINITE:
        assert np.allclose(bounds / far**0.5, bounds[0] / far[0] ** 0.5)  # like |x0|^(1 - alpha)
    else:
        assert flow.settling_time() >= max(proved[key, name])
    assert crossings[key, name] is None
for problem in PROBLEMS:
    slow = np.array(comparison[problem.key, UNSCALED])
    assert all(np.all(comparison[problem.key, name] < slow) for name in (FINITE, FIXED))
    # with equal gains the unscaled flow is ahead at coarse tolerances, and behind in the end
    assert np.all(comparison[problem.key, EQUAL][:2] > slow[:2])
    assert 1e-9 < crossings[problem.key, EQUAL] < 1e-2

# %%
# The report
# ----------
# It opens with the figures of this page and has theorem and proof of each certificate.

report = lf.write_report(
    OUTPUT / "finite_time.html",
    Note(
        "The question",
        "Two exponentially stable flows on clocks on which they arrive: the times that are proved, and those that are "
        "seen.\n\nAfter Ozaslan, Jovanović, From exponential to finite/fixed-time stability: applications to "
        "optimization, arXiv 2409.11713.",
    ),
    Figure(
        "Distance at equal peak speed",
        draw_distances,
        caption="The scaled flows have gains with which |x'| at the common start is that of the unscaled flow. Dashed: "
        "settling times by certificate.",
    ),
    Figure(
        "V under its bound",
        draw_storage,
        caption="Relative to its start. The bound reaches zero at the proved settling time from there.",
    ),
    Figure(
        "Settling times over eight decades",
        draw_settling,
        caption="Lines: bounds for all starts at a distance, by certificate; dotted: for all starts. Marks: one "
        "trajectory each.",
    ),
    Table("Settling times", HEADER, rows, kinds=("", "", "", "", "seen in simulation", "seen in simulation", "")),
    Table(
        "Times to a part of the initial distance, at equal peak speed",
        ("problem", "what is left", UNSCALED, FINITE, FIXED, EQUAL),
        [
            (
                p.title,
                f"{tol:.0e}".replace("e-0", "e-"),
                *(f"{comparison[p.key, name][k]:.4g}" for name in (UNSCALED, FINITE, FIXED, EQUAL)),
            )
            for p in PROBLEMS
            for k, tol in enumerate(TOLERANCES)
        ],
        kinds=("", "", *("seen in simulation" for _ in range(4))),
    ),
    *(Simulation(decay[p.key], runs[p.key], f"{p.title}, unscaled".capitalize()) for p in PROBLEMS),
    *(flow.certificate for flow in scaled.values()),
    title="Finite and fixed settling times",
)
print(f"report: {report}")
