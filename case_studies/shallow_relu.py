"""
Shallow ReLU networks: two steps, one saddle, and the least norm
================================================================

**Question.** A shallow network :math:`h(x) = \\sum_j a_j\\max(w_j\\cdot x, 0)` is fitted to points by gradient descent
in continuous time, from small weights. Many networks fit. How long does training wait, in what order does it learn, and
which network does it find?

**Data.** The toy of the paper, inputs (-½, 1) and (2, 1) with labels -1 and 1; and diagonal data, which stand for any
orthogonal inputs.

**Dynamics.** :math:`\\dot a_j = w_j\\cdot D_j`, :math:`\\dot w_j = a_jD_j` with
:math:`D_j = \\frac1n\\sum_k 1[w_j\\cdot x_k > 0](y_k - h(x_k))x_k`, which descends
:math:`V = \\frac1{2n}\\sum_k(y_k - h(x_k))^2`.

**What is computed.** Identities for every network; the saddle and the least norm in rationals; the rates at the end by
exact eigenvalues; times in closed form, beside an integration that goes from one change of activation to the next.

**Known guarantee.** For small balanced weights and orthogonal inputs the flow ends at a fit with the least variation
norm, if some neuron of either sign sees all inputs of that sign (after Boursier, Pillaud-Vivien, Flammarion, "Gradient
flow dynamics of shallow ReLU networks for square loss and orthogonal inputs", arXiv 2206.00939).

**Runs in** about 15 s. The same study from the command line: ``lyapflow study shallow-relu``.
"""

# %%
# What holds for every network
# ----------------------------
# Letters stand for matrices of any size, and for whatever the neurons see.

import os
from fractions import Fraction
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from lyapflow.learning import relu_evidence as proofs
from lyapflow.learning import relu_limits as limits
from lyapflow.learning_studies import run_study
from lyapflow.learning_studies import shallow_relu as study
from lyapflow.learning_studies import shallow_relu_figures as figures
from lyapflow.learning_studies import shallow_relu_numbers as numbers

OUTPUT = Path(os.environ.get("LYAPFLOW_OUTPUT", "."))

for identity in proofs.prove_identities():
    print(f"proved: {identity.statement}")
proved = study.prove_networks()
for verdict in proved:
    print(f"{verdict.standing}: {verdict.statement}")

# %%
# Two steps
# ---------
# The first says that the inputs a neuron sees only ever become fewer. So there are at most mn kinks on the way; each is
# located, and no step crosses one. In units of :math:`\ln(1/\lambda)` the two steps come at :math:`1/\|D_\pm\|`.

runs, descent = numbers.run_scales(), numbers.run_descent()
figures.draw_steps(plt.figure(figsize=(8, 3.6), layout="constrained"), runs, descent)
times = numbers.tabulate_times(runs)
for scale, plus, minus, slope_plus, slope_minus, between in times:
    slopes = "" if slope_plus is None else f", slopes {slope_plus:.6f} and {slope_minus:.6f}"
    print(f"scale {scale:g}: half times {plus:.4f} and {minus:.4f}{slopes}; loss between {between:.6f}")

# %%
# The function and its neurons, each at its kink with its signed norm, as in the paper; and the same neurons by
# direction and size. They turn while they are small, then grow in two bundles.

figures.draw_function(plt.figure(figsize=(10, 3), layout="constrained"), runs[1e-6])
figures.draw_neurons(plt.figure(figsize=(10, 3), layout="constrained"), runs[1e-6])

# %%
# Closed forms
# ------------
# With one neuron for each label the time to fit it is a formula.

figures.draw_pair(plt.figure(figsize=(7, 3.2), layout="constrained"), numbers.follow_pair())
pairs = numbers.tabulate_pair()
for scale, label, closed, seen in pairs:
    print(f"scale {scale:g}, label {label:g}: {closed:.5f} in closed form, {seen:.5f} simulated")

# %%
# The end
# -------
# At the interpolator of least norm the kernel is a root times a rational matrix, so the rates are enclosed exactly.

rate = numbers.measure_end()
figures.draw_end(plt.figure(figsize=(7, 3.4), layout="constrained"), numbers.run_end())
print(f"{rate.name}; half of it seen as {rate.measured:.6f}")
ends = numbers.tabulate_ends()
least = [float(v) for v in limits.variation_norm(numbers.SIX.data)]
for scale, saddle, norm, *values in ends:
    print(f"scale {scale:g}: saddle {saddle:.8f}, norm {norm:.6f} (least: {least[0]:.6f}), singular values {values}")

# %%
# What is false
# -------------
# Each with a witness in exact arithmetic. The last one is a condition of the paper's theorem that is easy to forget.

refuted = study.refute_all()
for one in refuted:
    print(f"FALSE: {one.statement}\n       {one.witness}")

# %%
# What was claimed
# ----------------

assert all(one.standing == "proved" for one in (*proved, *refuted, rate))
assert len(refuted) == 5
for run in runs.values():
    assert np.all(np.diff(run.loss) <= 1e-12)
    assert max(np.abs(run.flow.invariants(x)["balance"]).max() for x in run.x) < 1e-13
    assert np.all(np.sign(run.x[:, :60]) == np.sign(run.x[0, :60]))
assert abs(times[-1][3] * np.sqrt(5) / 2 - 1) < 1e-6  # slopes 1/|D_+| and 1/|D_-|
assert abs(times[-1][4] * np.sqrt(5) / 4 - 1) < 1e-6
assert limits.find_saddle_loss(numbers.TOY.data, (1,)) == Fraction(1, 4)
assert abs(times[-1][5] - 0.25) < 1e-5
assert all(abs(closed - seen) < 1e-5 for _, _, closed, seen in pairs)
assert abs(rate.measured / rate.rate - 1) < 1e-3
assert least[0] <= ends[-1][2] < least[1] + 1e-4
assert ends[-1][5] < 0.01 < 1 < ends[-1][4]  # two singular values stay
assert np.abs(descent.loss - descent.flow).max() < 5e-3

# %%
# The report
# ----------
# It derives all this again while it is written.

report = run_study("shallow-relu", OUTPUT)
assert "NOT PROVED" not in report.read_text()
print(f"report: {report}")
