"""
Elastic net on the diabetes data: two splitting flows, proved
=============================================================

**Question.** A controller fits an elastic net on line by running a splitting method as a dynamical system. Does
it converge, how fast, and what is the proof?

**Data.** 442 patients, 10 measurements each, and a measure of disease progression a year later (Efron, Hastie,
Johnstone, Tibshirani 2004); features standardised, response centred.

**Dynamics.** With :math:`f(w) = \\frac{1}{2n}|Xw-y|^2 + \\frac{r}{2}|w|^2` and :math:`g(w) = \\ell\\,|w|_1`, the
forward-backward flow :math:`\\dot w = \\mathrm{prox}_{\\gamma g}(w - \\gamma\\nabla f(w)) - w` and the
Douglas-Rachford flow :math:`\\dot z = \\mathrm{prox}_{\\gamma g}(2w - z) - w` with
:math:`w = \\mathrm{prox}_{\\gamma f}(z)`.

**What is computed.** Moduli of f, proved from the data; the best step of each flow by its *proved* rate; certificates;
the trajectories of the real problem under their proved bounds; one report.

**Known guarantee** (tight). Douglas-Rachford: step :math:`1/\\sqrt{\\mu L}` is best, its rate is
:math:`\\gamma\\mu/(1+\\gamma\\mu)`.

**Runs in** about 20 s (quick: 8 s).
"""

# %%
# The data, and what is proved of them
# ------------------------------------
# The moduli are rationals with a proof: ``X'X/n + r I - mu I`` is positive semidefinite in exact arithmetic, for the
# standardised data at their exact double values.

import os
from fractions import Fraction
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import lyapflow as lf
from lyapflow.exact.rationals import show_above, show_below
from lyapflow.problems import read_problem
from lyapflow.report import Note, Simulation
from lyapflow.tables import read_table, standardize

QUICK = bool(os.environ.get("LYAPFLOW_QUICK"))
HERE = Path(__file__).parent if "__file__" in globals() else Path.cwd()
OUTPUT = Path(os.environ.get("LYAPFLOW_OUTPUT", "."))

table = read_table(HERE / "data" / "diabetes.csv")
X = standardize(table.drop("y").values)
y = table.column("y") - table.column("y").mean()

loss = lf.members.LeastSquares(X, y, ridge="1/20")
penalty = lf.members.L1Norm(2)
f, g = loss.operator_class, penalty.operator_class
assert loss.curvature.check()
print(f"proved: {show_below(f.mu)} I <= Hessian of f <= {show_above(f.L)} I, kappa <= {show_above(f.L / f.mu, 5)}")

# %%
# The best step, by proved rate
# -----------------------------
# Each point of the figure is a theorem; the curve between them is not.

tried = {"forward-backward": {}, "Douglas-Rachford": {}}


def search(name, make, interval):
    """The best step and its certificate; remembers what was tried."""

    def report(parameters, rate):
        step = parameters["step"]
        tried[name][step] = rate
        print(f"{name}, step {float(step):.4g}: proved rate {show_below(rate or Fraction(0), 6)}", flush=True)

    best = lf.tune(make, {"step": interval}, tolerance=1e-2 if QUICK else 1e-3, progress=report)
    return best.parameters["step"], best.certificate


fb_step, fb = search(
    "forward-backward", lambda step: lf.flows.forward_backward_flow(f, g, step=step), (1 / f.L, 100 / f.L)
)
dr_step, dr = search(
    "Douglas-Rachford", lambda step: lf.flows.douglas_rachford_flow(f, g, step=step), (1 / f.L, 1 / f.mu)
)

fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for name, rates in tried.items():
    steps = sorted(rates)
    ax.semilogx([float(s) for s in steps], [float(rates[s] or 0) for s in steps], "o-", label=name, lw=0.8)
ax.set(xlabel="step", ylabel="proved rate", title="Rate against step, each point proved")
ax.legend()

# %%
# The proved rate of the Douglas-Rachford flow agrees with the closed form at the step that was found, and the best step
# with ``1/sqrt(mu L)``.

q = max((1 - dr_step * f.mu) / (1 + dr_step * f.mu), (dr_step * f.L - 1) / (dr_step * f.L + 1))
closed_form = (1 - q) / 2
assert abs(dr.rate - closed_form) <= Fraction(1, 10**5) * closed_form
assert abs(float(dr_step) * float(f.mu * f.L) ** 0.5 - 1) < 0.05
assert lf.verify(fb).proved
assert lf.verify(dr).proved

# %%
# The real problem under its bounds
# ---------------------------------
# SciPy integrates the flows from w = 0; the prox steps are those of the two functions above. V is evaluated from its
# definition, with the weights of the certificate.


def run(certificate):
    """The trajectory until the proved bound has fallen by a factor of a million."""
    horizon = float(np.log(1e6) / certificate.rate)
    start = np.zeros((1, X.shape[1]))
    return lf.simulate(certificate.system, [loss, penalty], start, (0.0, horizon), points=201 if QUICK else 401)


runs = {"forward-backward flow": (fb, run(fb)), "Douglas-Rachford flow": (dr, run(dr))}
fig, axes = plt.subplots(1, 2, figsize=(8, 3.5), layout="constrained")
for ax, (name, (certificate, trajectory)) in zip(axes, runs.items(), strict=True):
    seen, bound = trajectory.storage(certificate), trajectory.bound(certificate)
    assert np.all(seen <= bound * (1 + 1e-6) + 1e-9 * seen[0])
    ax.semilogy(trajectory.t, seen, label="V(t), seen in simulation")
    ax.semilogy(trajectory.t, bound, "--", label="bound, proved")
    ax.set(title=name, xlabel="t", ylim=(1e-14 * seen[0], 10 * seen[0]))
axes[0].legend()

# %%
# Both flows end in the same coefficients. A plain proximal-gradient iteration, from the definitions, agrees.

w = np.zeros(X.shape[1])
for _ in range(20_000):
    w = penalty.prox(w - loss.gradient(w) / float(f.L), 1 / float(f.L))
for _certificate, trajectory in runs.values():
    assert np.allclose(trajectory.equilibrium.y[0], w, atol=1e-6 * np.abs(w).max())
print({name: round(float(v), 4) for name, v in zip(table.columns[:-1], w, strict=True)})

# %%
# Certificates and report
# -----------------------
# Anybody can prove the files again: ``lyapflow verify forward_backward.json douglas_rachford.json``. The same job
# stands in ``elastic_net_diabetes.toml`` for the command line, ``lyapflow study``; both describe one problem.

lf.save(fb, OUTPUT / "forward_backward.json")
lf.save(dr, OUTPUT / "douglas_rachford.json")
problem = read_problem(HERE / "elastic_net_diabetes.toml")
assert problem.oracles["f"] == f
report = lf.write_report(
    OUTPUT / "elastic_net_diabetes.html",
    Note("The data", "\n\n".join(problem.facts)),
    lf.bracket(fb.system),
    Simulation(fb, runs["forward-backward flow"][1], "Forward-backward flow on the data"),
    lf.bracket(dr.system),
    Simulation(dr, runs["Douglas-Rachford flow"][1], "Douglas-Rachford flow on the data"),
    title="Elastic net on the diabetes data",
)
print(f"report: {report}")
