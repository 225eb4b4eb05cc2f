"""
Logistic regression on the breast cancer data: gradient and heavy-ball flow
===========================================================================

**Question.** How much does momentum buy on a real logistic regression, as a theorem?

**Data.** 569 samples, 30 features, standardised (Wisconsin diagnostic breast cancer data; Street, Wolberg, Mangasarian
1993).

**Dynamics.** With :math:`f(w) = \\frac1n\\sum_i\\log(1+e^{-b_i\\langle a_i,w\\rangle}) + \\frac{r}{2}|w|^2`, the
gradient flow :math:`\\dot w = -\\nabla f(w)` and the heavy-ball flow
:math:`\\ddot w + 2\\sqrt{r}\\,\\dot w + \\nabla f(w) = 0`.

**Known guarantee** (lower). Gradient flow: rate mu, tight. Heavy ball with damping :math:`2\\sqrt\\mu` and
L = infinity: rate :math:`\\frac23\\sqrt\\mu` (Moucer, Taylor, Bach 2023); with the L of the data a little more.

**What is computed.** L, proved from the data; both certificates; what momentum buys; trajectories under their bounds.

**Runs in** about 5 s.
"""

# %%
# The data, and what is proved of them
# ------------------------------------
# The Hessian of the logistic loss lies between 0 and ``X'X/(4n)``; the ridge penalty adds its r to both ends.

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

table = read_table(HERE / "data" / "breast_cancer.csv")
X = standardize(table.drop("label").values)
labels = np.where(table.column("label") > 0, 1.0, -1.0)

loss = lf.members.LogisticLoss(X, labels, ridge="1/100")
f = loss.operator_class
assert loss.curvature.check()
print(f"proved: {show_below(f.mu)}-strongly convex, {show_above(f.L)}-smooth, kappa <= {show_above(f.L / f.mu, 5)}")

# %%
# Two certificates
# ----------------
# The damping is the textbook one, twice the square root of mu.

gradient = lf.certify(lf.flows.gradient_flow(f))
momentum = lf.certify(lf.flows.heavy_ball_flow(f, damping="1/5"))
assert lf.verify(gradient).proved
assert lf.verify(momentum).proved
assert gradient.rate == f.mu
assert momentum.rate > Fraction(2, 3) * Fraction(1, 10)
print(f"gradient flow:   proved rate {show_below(gradient.rate)}, transient {show_above(gradient.transient_bound, 5)}")
print(f"heavy-ball flow: proved rate {show_below(momentum.rate)}, transient {show_above(momentum.transient_bound, 5)}")
print(f"momentum is proved to be {float(momentum.rate / gradient.rate):.2f} times as fast")

# %%
# The real problem under its bounds
# ---------------------------------


def run(certificate, states, horizon):
    """The trajectory from w = 0, at rest."""
    start = np.zeros((states, X.shape[1]))
    return lf.simulate(certificate.system, [loss], start, (0.0, horizon), points=201 if QUICK else 401)


runs = {"gradient flow": (gradient, run(gradient, 1, 600.0)), "heavy-ball flow": (momentum, run(momentum, 2, 150.0))}
fig, axes = plt.subplots(1, 2, figsize=(8, 3.5), layout="constrained")
for ax, (name, (certificate, trajectory)) in zip(axes, runs.items(), strict=True):
    seen, bound = trajectory.storage(certificate), trajectory.bound(certificate)
    assert np.all(seen <= bound * (1 + 1e-6) + 1e-9 * seen[0])
    ax.semilogy(trajectory.t, seen, label="V(t), seen in simulation")
    ax.semilogy(trajectory.t, bound, "--", label="bound, proved")
    ax.set(title=name, xlabel="t")
axes[0].legend()
assert np.linalg.norm(loss.gradient(runs["gradient flow"][1].equilibrium.y[0])) < 1e-8

# %%
# Certificates and report
# -----------------------
# The same job stands in ``logistic_breast_cancer.toml`` for the command line, ``lyapflow study``; both describe one
# problem.

lf.save(gradient, OUTPUT / "gradient.json")
lf.save(momentum, OUTPUT / "heavy_ball.json")
problem = read_problem(HERE / "logistic_breast_cancer.toml")
assert problem.oracles["f"] == f
report = lf.write_report(
    OUTPUT / "logistic_breast_cancer.html",
    Note("The data", "\n\n".join(problem.facts)),
    lf.bracket(gradient.system),
    Simulation(gradient, runs["gradient flow"][1], "Gradient flow on the data"),
    lf.bracket(momentum.system),
    Simulation(momentum, runs["heavy-ball flow"][1], "Heavy-ball flow on the data"),
    title="Logistic regression on the breast cancer data",
)
print(f"report: {report}")
