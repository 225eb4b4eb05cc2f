"""
Accelerated splitting dynamics: a lasso and a model-predictive controller
=========================================================================

**Question.** Momentum makes gradient flows faster. Does it help splitting methods too, where the function is not
smooth, and by how much, *proved*? This is the subject of Ozaslan and Jovanović, "Accelerated forward-backward and
Douglas-Rachford splitting dynamics" (arXiv 2407.20620).

**Data.** The diabetes data (442 patients, 10 features) for a lasso. For a controller, the Cessna Citation 500 in level
flight (Maciejowski, *Predictive Control with Constraints*, 2002, p. 64): angle of attack, pitch angle, pitch rate and
altitude, one elevator with :math:`|u| \\le 0.262` rad, sampled at 0.5 s.

**Dynamics.** :math:`\\dot x = -G(x)` and :math:`\\ddot x + b\\,\\dot x + G(x) = 0`, with b constant or
:math:`3/t`, where G is the generalised gradient of forward-backward or Douglas-Rachford splitting of :math:`f + g`, f
quadratic.

**What is computed.** Proved rates over four decades of the condition number, with and without momentum; certificates
for the two problems, exponential and of order :math:`1/t^2`; their trajectories under the bounds; the envelopes as
storage functions.

**Known guarantee.** Rates in proportion to :math:`1/\\kappa` without momentum and :math:`1/\\sqrt\\kappa` with it.

**Runs in** about 25 s (quick: 20 s).
"""

# %%
# Rates over condition numbers, proved and simulated
# --------------------------------------------------
# All functions f with the eigenvalues of their Hessian between 1/kappa and 1, all convex g, step 1/2. The gradient is
# not multiplied by the step, so the plain rates are divided by it. The damping is ``3 sqrt(mu'/2)`` with the modulus
# mu' of the envelope.

import os
from fractions import Fraction
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.linalg import expm
from scipy.stats import linregress, t

import lyapflow as lf
from lyapflow.exact.rationals import show_above, show_below
from lyapflow.report import Figure, Note, Simulation
from lyapflow.tables import read_table, standardize

QUICK = bool(os.environ.get("LYAPFLOW_QUICK"))
HERE = Path(__file__).parent if "__file__" in globals() else Path.cwd()
OUTPUT = Path(os.environ.get("LYAPFLOW_OUTPUT", "."))
STEP = Fraction(1, 2)
KAPPAS = [10**k for k in range(1, 6)] if QUICK else [round(10 ** (k / 2)) for k in range(2, 11)]


def modulus(kind, mu, step):
    return mu if kind == "forward-backward" else mu / (1 + step * mu)


def best_damping(mu):
    """3 sqrt(mu/2), as a short rational."""
    return Fraction(3 * (float(mu) / 2) ** 0.5).limit_denominator(10**6)


FLOWS = {
    "forward-backward": lf.flows.forward_backward_flow,
    "accelerated forward-backward": lf.flows.accelerated_forward_backward_flow,
    "Douglas-Rachford": lf.flows.douglas_rachford_flow,
    "accelerated Douglas-Rachford": lf.flows.accelerated_douglas_rachford_flow,
}


def make(name, f, g, step):
    kind = name.removeprefix("accelerated ")
    options = {} if kind == name else {"damping": best_damping(modulus(kind, f.mu, step))}
    return FLOWS[name](f, g, step=step, **options), 1 if options else step


def see_rate(flow, unit, kappa, certificate):
    """The decay of one random problem over its last third, per unit of time of ``-G``."""
    rng = np.random.default_rng(kappa)
    axes = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    hessian = (axes * np.geomspace(1 / kappa, 1, 6)) @ axes.T
    mu, L = Fraction(1, kappa), Fraction(1)
    f = lf.members.Declared(lf.members.QuadraticFunction((hessian + hessian.T) / 2), lf.Quadratic(mu, L))
    start = np.zeros((len(flow.A), 6))
    start[0] = rng.normal(size=6)
    path = lf.simulate(flow, [f, lf.members.Zero()], start, (0.0, float(18 / certificate.rate)))
    late = path.t > 2 * path.t[-1] / 3
    assert np.all(path.distance <= path.norm_bound(certificate) * (1 + 1e-6))
    return -linregress(path.t[late], np.log(path.distance[late])).slope / float(unit)


proved, seen = ({name: [] for name in FLOWS} for _ in range(2))
for kappa in KAPPAS:
    f = lf.Quadratic(Fraction(1, kappa), 1)
    for name in FLOWS:
        flow, unit = make(name, f, lf.Convex(), STEP)
        certificate = lf.certify(flow)
        assert lf.verify(certificate).proved
        proved[name].append(certificate.rate / unit)
        seen[name].append(see_rate(flow, unit, kappa, certificate))
        print(f"kappa {kappa}, {name}: proved {show_below(proved[name][-1], 5)}, seen {seen[name][-1]:.5g}", flush=True)


def fit(rates):
    """Slope in the log-log plane, and half the width of its 95 % interval."""
    line = linregress(np.log(KAPPAS), np.log([float(r) for r in rates]))
    return line.slope, t.ppf(0.975, len(KAPPAS) - 2) * line.stderr


SLOPES = {name: (fit(proved[name]), fit(seen[name])) for name in FLOWS}
for name, ((slope, half), (slope_seen, half_seen)) in SLOPES.items():
    expected = -0.5 if name.startswith("accelerated") else -1.0
    assert abs(slope - expected) < 0.02 + half
    assert all(s >= float(p) * (1 - 1e-3) for s, p in zip(seen[name], proved[name], strict=True))
    print(f"{name}: slope {slope:.4f} +- {half:.4f} proved, {slope_seen:.4f} +- {half_seen:.4f} seen")


def draw_rates(figure):
    axes = figure.subplots(1, 2, sharey=True)
    for ax, kind in zip(axes, ("forward-backward", "Douglas-Rachford"), strict=True):
        for name, color in ((kind, "#8a94a3"), (f"accelerated {kind}", "#1b7f4b")):
            ax.loglog(KAPPAS, [float(r) for r in proved[name]], "o-", color=color, label=f"{name}, proved")
            ax.loglog(KAPPAS, seen[name], "x", color="#1f5fbf", label="one member, seen")
        ax.set(
            xlabel="condition number",
            title=f"slopes {SLOPES[kind][0][0]:.3f} and {SLOPES['accelerated ' + kind][0][0]:.3f}",
        )
        ax.legend(fontsize=7)
    axes[0].set_ylabel("rate")


draw_rates(plt.figure(figsize=(8, 3.5), layout="constrained"))

# %%
# A lasso on real data
# --------------------
# :math:`f(w) = \frac{1}{2n}|Xw-y|^2` and :math:`g(w) = \ell|w|_1`, both divided by the largest curvature, so that
# times can be compared. The eigenvalues of the Hessian are bounded by proof, for the matrix at its exact double values.

table = read_table(HERE / "data" / "diabetes.csv")
X = standardize(table.drop("y").values)
y = table.column("y") - table.column("y").mean()
gram = X.T @ X / len(X)


def scale(hessian, linear):
    """The quadratic function divided by its largest curvature, so that L is 1; and that curvature."""
    largest = np.linalg.eigvalsh(hessian)[-1] * (1 + 1e-6)
    return lf.members.QuadraticFunction((hessian + hessian.T) / 2 / largest, linear / largest), largest


lasso, unit = scale((gram + gram.T) / 2, -X.T @ y / len(X))
l1 = lf.members.L1Norm(2 / unit)

# %%
# The controller
# --------------
# Climb by 200 m over a horizon of 10 samples: outputs and input weighted by their limits (pitch 0.349 rad, altitude
# 40 m, its rate 30 m/s, elevator 0.262 rad). Eliminating the states leaves a quadratic program in the ten elevator
# angles, with a box.

A = np.array([[-1.2822, 0, 0.98, 0], [0, 0, 1, 0], [-5.4293, 0, -1.8366, 0], [-128.2, 128.2, 0, 0]])
B = np.array([[-0.3], [0], [-17], [0]])
C = np.array([[0, 1, 0, 0], [0, 0, 0, 1], [-128.2, 128.2, 0, 0]])
HORIZON, SAMPLE, LIMIT = 10, 0.5, 0.262
held = expm(SAMPLE * np.block([[A, B], [np.zeros((1, 5))]]))
Ad, Bd = held[:4, :4], held[:4, 4:]
weights = np.diag(1 / np.array([0.349, 40.0, 30.0]) ** 2)
blocks = [C @ np.linalg.matrix_power(Ad, k) @ Bd for k in range(HORIZON)]
response = np.block([[blocks[i - j] if i >= j else np.zeros((3, 1)) for j in range(HORIZON)] for i in range(HORIZON)])
stacked = np.kron(np.eye(HORIZON), weights)
reference = np.tile([0.0, 200.0, 0.0], HORIZON)
H = response.T @ stacked @ response + np.eye(HORIZON) / LIMIT**2
# in units of the largest angle
controller, _ = scale((H + H.T) / 2 * LIMIT**2, -LIMIT * response.T @ stacked @ reference)
box = lf.members.Box(-1.0, 1.0)

# %%
# Certificates, and the trajectories under their bounds
# -----------------------------------------------------
# The damping is the one with the largest proved rate, found by `lf.tune`.

PROBLEMS = {"lasso": (lasso, l1, lf.SupportFunction()), "controller": (controller, box, lf.ConvexIndicator())}
items, envelopes = [], {}
for title, (f, g, g_class) in PROBLEMS.items():
    known = f.operator_class
    assert known.L <= 1
    print(f"{title}: {show_below(known.mu, 5)} I <= Hessian <= I, kappa <= {show_above(1 / known.mu, 5)}")
    envelope = lf.members.ForwardBackwardEnvelope(f, g, STEP)
    root = Fraction(float(known.mu) ** 0.5)

    def accelerated(damping, known=known, g_class=g_class):
        return lf.flows.accelerated_forward_backward_flow(known, g_class, step=STEP, damping=damping)

    plain = lf.certify(lf.flows.forward_backward_flow(known, g_class, step=STEP))
    best = lf.tune(accelerated, {"damping": (root, 4 * root)}, tolerance=1e-2 if QUICK else 1e-3)
    fast, gain = best.certificate, best.certificate.rate / (plain.rate / STEP)
    rates = f"{show_below(plain.rate / STEP, 5)} plain, {show_below(fast.rate, 5)} accelerated"
    print(f"{title}: proved rate {rates}, {float(gain):.4g} times")
    assert fast.rate >= root / 2
    assert gain > 1 / (2 * root)  # of the order of the root of the condition number

    start = np.zeros((2, f.dimension))
    horizon = float(np.log(1e6) / fast.rate)
    slow_path = lf.simulate(plain.system, [f, g], start[:1], (0.0, horizon / float(STEP)))
    fast_path = lf.simulate(fast.system, [f, g], start, (0.0, horizon))
    V, bound = fast_path.storage(fast), fast_path.bound(fast)
    assert np.all(bound * (1 + 1e-6) + 1e-9 * V[0] >= V)
    least = envelope.value(fast_path.equilibrium.x[0])
    values = {
        "plain": (slow_path.t * float(STEP), [envelope.value(x[0]) - least for x in slow_path.x]),
        "accelerated": (fast_path.t, [envelope.value(x[0]) - least for x in fast_path.x]),
    }
    envelopes[title] = (values, fast_path.t, V, bound)

    order = lf.certify(
        lf.flows.accelerated_forward_backward_flow(lf.Quadratic(0, 1), g_class, step=STEP, r=3), lf.SublinearDecay()
    )
    assert order.order == 2
    long_path = lf.simulate(order.system, [f, g], start, (0.01, horizon), points=4001)
    scaled, storage = long_path.scaled_value(order), long_path.storage(order)
    assert np.all(scaled <= storage * (1 + 1e-9) + 1e-9 * storage[0])
    assert np.all(np.diff(storage) <= 1e-6 * storage[0])
    lf.save(fast, OUTPUT / f"{title}_accelerated.json")
    lf.save(order, OUTPUT / f"{title}_order.json")
    items += [
        Simulation(fast, fast_path, f"{title}, accelerated"),
        Simulation(order, long_path, f"{title}, damping 3/t"),
    ]

# %%
# The minimisers agree with those of a plain proximal-gradient iteration; the controller saturates.

for title, (f, g, _) in PROBLEMS.items():
    w = np.zeros(f.dimension)
    for _ in range(20_000):
        w = g.prox(w - f.gradient(w) / float(f.operator_class.L), 1 / float(f.operator_class.L))
    found = next(item.trajectory for item in items if item.title == f"{title}, accelerated").equilibrium.x[0]
    assert np.allclose(found, w, atol=1e-6 * np.abs(w).max())
    print(title, np.round(w * (LIMIT if title == "controller" else 1), 4).tolist())

# %%
# The envelope as storage function
# --------------------------------
# Left and right the two problems: the envelope above its minimum, without and with momentum, and V of the accelerated
# flow under its proved bound, each relative to its start.


def draw_envelopes(figure):
    axes = figure.subplots(1, 2)
    for ax, (title, (values, times, V, bound)) in zip(axes, envelopes.items(), strict=True):
        for name, (at, value) in values.items():
            ax.semilogy(at, np.maximum(value, 1e-14 * value[0]) / value[0], label=f"envelope, {name} (seen)")
        ax.semilogy(times, V / V[0], color="#1f5fbf", label="V (seen)")
        ax.semilogy(times, bound / V[0], "--", color="#1b7f4b", label="bound of V (proved)")
        ax.set(title=title, xlabel="t", ylim=(1e-12, 10))
    axes[0].legend(fontsize=7)


draw_envelopes(plt.figure(figsize=(8, 3.5), layout="constrained"))

# %%
# The report
# ----------
# It opens with the figures of this page and has the theorem and the proof of each certificate.

report = lf.write_report(
    OUTPUT / "accelerated_splitting.html",
    Note("The question", "What momentum gains for splitting methods, proved."),
    Figure(
        "Rates over condition numbers", draw_rates, caption="Dots: each one a theorem. Crosses: one random problem."
    ),
    Figure(
        "Envelopes as storage functions",
        draw_envelopes,
        caption="Forward-backward envelopes above their minimum, and V, relative to their start.",
    ),
    *items,
    title="Accelerated splitting dynamics",
)
print(f"report: {report}")
