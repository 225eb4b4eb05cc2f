"""
Economic dispatch on the IEEE 118-bus system: two flows with prices
===================================================================

**Question.** A power system meets its load at the least cost by feedback: generators follow prices, and prices follow
what is missing. Does that settle, how fast after a load step, and what may it violate on the way?

**Data.** 118 buses with 4,242 MW of load, 54 generators with quadratic costs and limits (MATPOWER), 186 branches with
limits (PGLib-OPF); DC model. Sources: ``data/README.md``.

**Dynamics.** On the *network*, a primal-dual flow: unknowns are generation and branch flows, the equations are the
balance at each bus and the voltage around each loop, and their multipliers are 118 nodal prices. On *dispatches within
all limits*, a proximal augmented Lagrangian flow: the cost belongs to the generators, the limits to the operator.

**Known guarantee** (lower). Primal-dual: Qu and Li (2019), :math:`\\tfrac12\\min(\\eta\\sigma_{\\min}^2/(4L),
\\mu\\sigma_{\\min}^2/(4\\sigma_{\\max}^2))`. Proximal augmented Lagrangian: Dhingra, Khong and Jovanović (2019),
exponential for a linear map of full row rank.

**Runs in** about a minute and a half (quick: about the same).
"""

# %%
# The data
# --------
# ``dispatch_network.py``, beside this script, reads the tables and makes the DC model.

import os
import time
from pathlib import Path

import cvxpy as cp
import matplotlib.pyplot as plt
import numpy as np
from dispatch_network import PENALTY, Network, NodalModel, SecureModel

import lyapflow as lf
from lyapflow.exact.rationals import show_below
from lyapflow.problems import read_problem
from lyapflow.report import Figure, Note, Table

QUICK = bool(os.environ.get("LYAPFLOW_QUICK"))
HERE = Path(__file__).parent if "__file__" in globals() else Path.cwd()
OUTPUT = Path(os.environ.get("LYAPFLOW_OUTPUT", "."))

network = Network.read()
assert network.load.sum() == 4242
assert (len(network.load), len(network.quadratic), len(network.ends)) == (118, 54, 186)
nodal, secure = NodalModel(network), SecureModel(network)
E = nodal.constraint
print(f"network: {E.shape[1]} unknowns, {E.shape[0]} equations; capacity {network.upper.sum():.0f} MW")

# %%
# What the theorems can say, and of which formulation
# ----------------------------------------------------
# Limits of generators, balance and limits of branches together are more rows than there are generators: multipliers
# are then not unique, and no flow can forget all of them at an exponential rate. Two formulations have a global
# theorem.
#
# *Network*: equations are hard, limits are soft: beyond a limit the curvature of the cost is 101 times that inside.
# Each generator moves towards the output that is best for it at the price of its bus, with time constant 1. Any cost
# between the two curvatures, any load, any limit: one certificate.
#
# *All limits hard*: g is the indicator of the set of secure dispatches, a polyhedron, and its prox is the projection
# onto that set. The operator projects without knowing the costs. This one needs a central projection; the first does
# not.

f = nodal.cost()
start = time.process_time()  # of this process: a busy machine does not count
flow = lf.flows.primal_dual_flow(f.operator_class, constraint=E.tolist(), dual_gain=4000, augmentation=10)
network_proof = lf.certify(flow)
assert lf.verify(network_proof).proved
network_seconds = time.process_time() - start

h = secure.cost()
start = time.process_time()
projected = lf.flows.proximal_augmented_lagrangian_flow(h.operator_class, lf.ConvexIndicator(), penalty="5/8")
secure_proof = lf.certify(projected)
assert lf.verify(secure_proof).proved
secure_seconds = time.process_time() - start

for name, proof, seconds in (
    ("network", network_proof, network_seconds),
    ("all limits hard", secure_proof, secure_seconds),
):
    print(
        f"{name}: proved rate {show_below(proof.rate, 6)}; model, search, proof and check: {seconds:.1f} s of computing"
    )

# %%
# The rate that Qu and Li prove for the first flow, with the extreme singular values of E:

mu, L = (float(v) for v in (f.operator_class.mu, f.operator_class.L))
extremes = [float(end) ** 0.5 for end in (flow.enclosures[0][0], flow.enclosures[-1][1])]
published = 4000 * extremes[0] ** 2 / max(L, 4000 * extremes[1] ** 2 / mu) / 8
print(f"singular values of E from {extremes[0]:.3f} to {extremes[1]:.3f}; Qu and Li: rate {published:.2e}")

# %%
# The optimum by a quadratic program
# ----------------------------------
# Both equilibria are known from a solver that has nothing to do with the flows. Limits are hard there; the first
# program is the usual DC optimal power flow, the other also pays for losses, as the flow on the network does.


def solve_program(*, losses):
    """Cost, generation, flows and nodal prices with all limits hard."""
    p, w = cp.Variable(54), cp.Variable(186)
    cost = cp.sum(cp.multiply(network.quadratic, cp.square(p))) + network.linear @ p
    if losses:
        cost += cp.sum(cp.multiply(network.flow_curvature / 2, cp.square(w)))
    balance = network.placement @ p - network.incidence.T @ w == network.load
    voltage = (network.loops * network.reactance) @ w == 0
    limits = [p >= network.lower, p <= network.upper, cp.abs(w) <= network.limit]
    program = cp.Problem(cp.Minimize(cost), [balance, voltage, *limits])
    program.solve(solver="CLARABEL")
    assert program.status == "optimal"
    return program.value, p.value, w.value, -balance.dual_value


def price_generation(p):
    """$/h."""
    return float(network.quadratic @ p**2 + network.linear @ p)


plain, lossy = solve_program(losses=False), solve_program(losses=True)
dispatch, prices = secure.optimum()
soft_rest = nodal.rest(f, nodal.offset())
soft_dispatch, soft_flows, soft_prices = nodal.split(soft_rest)

undershoot = float(np.maximum(network.lower - soft_dispatch, soft_dispatch - network.upper).max())
overload = float((np.abs(soft_flows) / network.limit).max())
rows = [
    (
        "DC optimal power flow (solver)",
        f"{plain[0]:.2f}",
        f"{plain[3].min():.3f} to {plain[3].max():.3f}",
        f"{(np.abs(plain[2]) / network.limit).max():.4f}",
        "0",
    ),
    (
        "equilibrium, all limits hard",
        f"{price_generation(dispatch):.2f}",
        f"{prices.min():.3f} to {prices.max():.3f}",
        f"{(np.abs(network.factors @ (network.placement @ dispatch - network.load)) / network.limit).max():.4f}",
        "0",
    ),
    (
        "with losses, limits hard (solver)",
        f"{price_generation(lossy[1]):.2f}",
        f"{lossy[3].min():.3f} to {lossy[3].max():.3f}",
        f"{(np.abs(lossy[2]) / network.limit).max():.4f}",
        "0",
    ),
    (
        "equilibrium on the network, limits soft",
        f"{price_generation(soft_dispatch):.2f}",
        f"{soft_prices.min():.3f} to {soft_prices.max():.3f}",
        f"{overload:.4f}",
        f"{undershoot:.2f}",
    ),
]
COMPARED = ("", "generation, $/h", "prices, $/MWh", "highest loading", "worst generator limit, MW")
for row in (COMPARED, *rows):
    print("{:42}{:>17}{:>20}{:>18}{:>28}".format(*row))

assert abs(plain[0] - price_generation(dispatch)) < 0.01
assert np.abs(plain[1] - dispatch).max() < 0.05
assert np.abs(plain[3] - prices).max() < 1e-3
assert np.abs(lossy[3] - soft_prices).max() < 0.1
assert undershoot < 1.5
assert overload < 1

# %%
# A load step and a derated line
# ------------------------------
# At t = 0 the system rests where the load is 5 % less. The load rises to 4,242 MW, at t = 10 by another 5 %, and at t =
# 20 the line from bus 89 to bus 92 may carry 120 MW instead of 186. Time is counted in time constants of the slowest
# generator; 16 units of the second flow are one of these.

LINE = network.find_branch(89, 92)
derated = network.limit.copy()
derated[LINE] = 120
PHASES = (
    (0.0, 10.0, network.load, network.limit),
    (10.0, 20.0, 1.05 * network.load, network.limit),
    (20.0, 30.0, 1.05 * network.load, derated),
)
POINTS = 101 if QUICK else 301


def follow_network():
    """One trajectory a phase; each starts where the last one ended."""
    state = nodal.rest(f, nodal.offset(0.95 * network.load))
    for begin, end, load, limit in PHASES:
        cost, offset = nodal.cost(limit=limit), nodal.offset(load)
        run = lf.simulate(
            flow,
            [cost],
            state,
            (begin, end),
            points=POINTS,
            rtol=1e-8,
            atol=1e-8,
            equilibrium=nodal.rest(cost, offset),
            offset=offset,
        )
        state = run.x[-1]
        yield run


def follow_secure():
    """The same on secure dispatches; x and y are of shape (54,)."""
    best, _ = secure.optimum(0.95 * network.load)
    state = np.array([best, -h.gradient(best)])
    for begin, end, load, limit in PHASES:
        best, _ = secure.optimum(load, limit=limit)
        run = lf.simulate(
            projected,
            [h, secure.dispatches(load, limit=limit)],
            state,
            (16 * begin, 16 * end),
            points=POINTS,
            rtol=1e-7,
            atol=1e-7,
            method="BDF",
            equilibrium=np.array([best, -h.gradient(best)]),
        )
        state = run.x[-1]
        yield run


start = time.perf_counter()
network_runs = list(follow_network())
print(f"network simulated in {time.perf_counter() - start:.1f} s", flush=True)
start = time.perf_counter()
secure_runs = list(follow_secure())
print(f"secure dispatches simulated in {time.perf_counter() - start:.1f} s", flush=True)

# %%
# What the generators do, and the prices at all buses. Under hard limits a generator sees the price
# :math:`-\nabla M` of the operator: it includes the rents of its own limits.

times = np.concatenate([run.t for run in network_runs])
generation, flows, nodal_prices = (
    np.concatenate(part) for part in zip(*(nodal.split(r.x) for r in network_runs), strict=True)
)
orders = np.concatenate([run.y[:, 1] for run in secure_runs])  # the operator's dispatches: projections
outputs = np.concatenate([run.x[:, 0] for run in secure_runs])
seen_prices = np.concatenate([-run.u[:, 1] for run in secure_runs]) / secure.gain
demand = np.concatenate([np.full(POINTS, load.sum()) for _, _, load, _ in PHASES])
limits = np.concatenate([np.full(POINTS, limit[LINE]) for _, _, _, limit in PHASES])
order_flows = np.concatenate(
    [
        (network.placement @ run.y[:, 1].T - load[:, None]).T @ network.factors.T
        for run, (_, _, load, _) in zip(secure_runs, PHASES, strict=True)
    ]
)


def draw_generation(figure):
    axes = figure.subplots(1, 2, sharey=True)
    for ax, power, title in zip(axes, (generation, orders), ("network", "all limits hard"), strict=True):
        ax.plot(times, power, color="0.75", lw=0.6)
        for bus in (10, 69, 89, 100):
            ax.plot(times, power[:, int(network.placement[bus - 1].argmax())], label=f"bus {bus}")
        ax.set(title=title, xlabel="time (slowest time constant)")
    axes[0].set_ylabel("generation (MW)")
    axes[1].legend(fontsize=8)


def draw_prices(figure):
    axes = figure.subplots(1, 2)
    axes[0].plot(times, nodal_prices, color="C0", lw=0.4, alpha=0.5)
    axes[0].plot(times, nodal_prices[:, 88], color="C1", label="bus 89")
    axes[0].plot(times, nodal_prices[:, 91], color="C3", label="bus 92")
    axes[0].set(title="network: at 118 buses", ylabel="$/MWh", xlabel="time (slowest time constant)")
    axes[0].legend(fontsize=8, loc="upper right")
    axes[1].plot(times, seen_prices, color="C0", lw=0.4, alpha=0.5)
    axes[1].plot(times, seen_prices[:, int(network.placement[88].argmax())], color="C1", label="generator at 89")
    axes[1].plot(times, seen_prices[:, int(network.placement[91].argmax())], color="C3", label="generator at 92")
    axes[1].set(title="all limits hard: at 54 generators", xlabel="time (slowest time constant)")
    axes[1].legend(fontsize=8, loc="upper right")


def draw_lines(figure):
    left, right = figure.subplots(1, 2)
    left.plot(times, flows[:, LINE], label="network, soft")
    left.plot(times, order_flows[:, LINE], label="orders, hard")
    left.plot(times, limits, "k--", lw=0.8, label="limit")
    left.set(title="line from 89 to 92", xlabel="time (slowest time constant)", ylabel="MW")
    left.legend(fontsize=8)
    last = PHASES[-1][3]
    order = np.argsort(-np.abs(order_flows[-1]) / last)[:12]
    place = np.arange(len(order))
    right.barh(place - 0.2, 100 * np.abs(flows[-1, order]) / last[order], 0.4, label="network, soft")
    right.barh(place + 0.2, 100 * np.abs(order_flows[-1, order]) / last[order], 0.4, label="orders, hard")
    right.axvline(100, color="k", ls="--", lw=0.8)
    right.set_yticks(place, [f"{i}–{j}" for i, j in (network.ends[k] for k in order)], fontsize=7)
    right.set(title="highest loadings at the end (%)")
    right.invert_yaxis()
    right.legend(fontsize=8)


def draw_bounds(figure):
    axes = figure.subplots(1, 2)
    for ax, runs, proof, scale, title in (
        (axes[0], network_runs, network_proof, 1, "network"),
        (axes[1], secure_runs, secure_proof, 16, "all limits hard"),
    ):
        for k, run in enumerate(runs):
            ax.semilogy(run.t / scale, run.storage(proof), "C0", label=None if k else "V, seen")
            ax.semilogy(run.t / scale, run.bound(proof), "C1--", label=None if k else "bound, proved")
        ax.set(title=title, xlabel="time (slowest time constant)")
    axes[0].set_ylabel("V around the optimum of its phase")
    axes[1].legend(fontsize=8)


def draw_distances(figure):
    ax = figure.subplots()
    for k, run in enumerate(secure_runs):
        error = np.linalg.norm(run.y[:, 1] - run.equilibrium.x[0], axis=1)
        ax.semilogy(run.t / 16, error, "C0", label=None if k else "orders, seen")
        ax.semilogy(run.t / 16, bound_orders(run), "C1--", label=None if k else "bound, by certificate")
    ax.set(title="distance of the orders from the optimal dispatch", ylabel="MW", xlabel="time (slowest time constant)")
    ax.legend(fontsize=8)


def bound_orders(run):
    """A projection moves no farther than its argument x + (5/8) y does."""
    return np.hypot(1, 5 / 8) * run.norm_bound(secure_proof)


FIGURES = (
    (
        draw_generation,
        (8, 3.6),
        "Generation",
        "Grey: all 54 generators. Left the outputs, right the operator's orders.",
    ),
    (
        draw_prices,
        (8, 3.6),
        "Prices",
        "Left the multipliers of the balance at each bus, right what a generator is paid.",
    ),
    (
        draw_lines,
        (8, 3.6),
        "Lines",
        "The limit of the line from 89 to 92 falls at t = 20; soft limits give way a little.",
    ),
    (draw_bounds, (8, 3.4), "V under its bound", "V is that of the certificate; each event moves the optimum."),
    (draw_distances, (6, 3.4), "Orders and the optimum", "The bound follows from the certificate's on the state."),
)
for draw, size, _, _ in FIGURES:
    draw(plt.figure(figsize=size, layout="constrained"))

# %%
# What was claimed
# ----------------

assert network_seconds < 10
assert secure_seconds < 10
assert network_proof.rate > published
for runs, proof in ((network_runs, network_proof), (secure_runs, secure_proof)):
    for run in runs:
        seen, bound = run.storage(proof), run.bound(proof)
        assert np.all(seen <= bound * (1 + 1e-6) + 1e-7 * seen[0])
        assert np.all(run.distance <= run.norm_bound(proof) * (1 + 1e-6))
for run, (_, _, load, limit) in zip(secure_runs, PHASES, strict=True):
    error = np.linalg.norm(run.y[:, 1] - run.equilibrium.x[0], axis=1)
    assert np.all(error <= bound_orders(run) + 1e-6)
    # the operator's orders are secure at all times, not only at rest
    dispatches = secure.dispatches(load, limit=limit)
    assert all(dispatches.value(order) == 0 for order in run.y[:, 1])
assert np.abs(order_flows[-1, LINE]) <= 120 + 1e-6
overloads = []
for run, (_, _, load, limit) in zip(network_runs, PHASES, strict=True):
    power, branches, _ = nodal.split(run.x[-1])
    assert abs(power.sum() - load.sum()) < 1
    overloads.append(float((np.abs(branches) - limit).max()))
print(f"soft limits: at the end the line from 89 to 92 carries {overloads[-1]:.2f} MW more than it may")
assert max(overloads[:2]) < 0
assert overloads[-1] < 0.06 * 120

# %%
# Certificates and report
# -----------------------
# The same job for the command line: ``lyapflow certify dispatch_118.toml`` and ``dispatch_118_secure.toml``.

lf.save(network_proof, OUTPUT / "dispatch_118_network.json")
lf.save(secure_proof, OUTPUT / "dispatch_118_secure.json")
assert read_problem(HERE / "dispatch_118_secure.toml").requests[0].make(None) == projected
report = lf.write_report(
    OUTPUT / "dispatch_118.html",
    Note(
        "The system",
        "IEEE 118-bus system, DC model: 4,242 MW of load, 54 generators with quadratic costs and limits, 186 branches "
        "with limits. Loads, generators and reactances: MATPOWER (R. D. Zimmerman, C. E. Murillo-Sánchez, R. J. "
        "Thomas), case118; limits of branches: PGLib-OPF (S. Babaeinejadsarookolaee et al., arXiv 1908.02788).\n\n"
        "On the network, balance at each bus and voltage around each loop are equations, limits are soft: beyond them "
        f"the curvature of the cost is {PENALTY + 1:.0f} times that inside. With all limits hard, the operator "
        "projects onto the secure dispatches, and knows no costs.",
    ),
    Table("Where the flows rest, beside a solver of quadratic programs", COMPARED, rows),
    *(Figure(title, draw, caption=caption) for draw, _, title, caption in FIGURES),
    network_proof,
    secure_proof,
    title="Economic dispatch on the IEEE 118-bus system",
)
print(f"report: {report}")
