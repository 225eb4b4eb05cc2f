"""
Large steps in linear networks: from which step on is no minimum stable?
========================================================================

**Question.** Gradient descent on :math:`V = \\tfrac12(w_1\\cdots w_N - y)^2`, whose minima form a smooth manifold.
Which
minima are stable for a given step, and what happens when none is?

**Dynamics.** :math:`w^+ = w - \\eta\\nabla V(w)`.

**Known guarantee.** Beyond a critical step gradient descent converges from a set of measure zero only (A. Craciun,
D. Ghoshdastidar, On the stability of gradient descent for large learning rate, arXiv 2402.13108). The constants here
are
derived.

**What is computed.** The critical step :math:`2/(Ny^{2-2/N})`, decided exactly for given steps; multipliers at rational
minima; runs from random starts on either side.

**Runs in** about 5 s.
"""

# %%
# What is proved, and what is false
# ---------------------------------

import os
from pathlib import Path

import matplotlib.pyplot as plt

from lyapflow.learning_studies import large_steps as study

OUTPUT = Path(os.environ.get("LYAPFLOW_OUTPUT", "."))

for verdict in study.prove_all():
    print(f"{verdict.standing}: {verdict.statement}\n  {verdict.reason}")
refutations = study.refute_all()
for refutation in refutations:
    print(f"false: {refutation.statement}\n  {refutation.standing}: {refutation.witness}")

# %%
# The balanced map doubles its period
# -----------------------------------

study.draw_bifurcation(plt.figure(figsize=(8, 3.4), layout="constrained"))

# %%
# Random starts
# -------------

runs = study.tabulate_runs()
for N, y, step, *shares in runs:
    print(f"N = {N}, y = {y}: critical step {step:.6f}; per cent that converge {shares}")
sharpness = study.tabulate_sharpness()

# %%
# What was claimed
# ----------------

assert [r.standing for r in refutations] == ["proved"] * 4 + ["seen in simulation"] * 4
for row in runs:
    assert row[3:] == (100, 100, 0, 0)
for _, found, known in sharpness:
    assert abs(found - known) < 1e-6

print(f"report: {study.run(OUTPUT)}")
