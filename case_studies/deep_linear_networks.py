"""
Deep linear networks: what is conserved, where it stalls, what the Hessian does not see
=======================================================================================

**Question.** A product of matrices, :math:`P = W_1W_2\\cdots W_h`, is fitted to a target by gradient descent in
continuous time. The map is linear, the dynamics is not: it waits, learns one singular value, waits again. What can be
*proved* of this flow, at which points does it rest, and how long does it wait?

**Data.** None: targets are diagonal, as any target is in the right coordinates.

**Dynamics.** With A the block-shift matrix of the layers and E that of the target,
:math:`\\dot A = \\sum_j (A^{h-j})^\\top (E - A^h)(A^{j-1})^\\top`, which descends
:math:`V = \\tfrac12\\|E - A^h\\|_F^2`; two to five layers.

**What is computed.** Identities in the free algebra of matrices, so for every width, and in exact polynomials, for
given widths; Hessians at rational critical points, with their signs counted exactly; the branches of the flow where the
Hessian is zero; times to learn in closed form, beside integrated matrices.

**Known guarantee.** Almost every start ends in a global minimum; there are no other local minima. Saddles of three and
more layers may be *nonstrict*: their Hessian has no negative eigenvalue (after Wendin, Altafini, "Gradient flow
equations for deep linear neural networks: a survey from a network perspective", arXiv 2511.10362).

**Runs in** about 10 s. The same study from the command line: ``lyapflow study deep-linear-networks``.
"""

# %%
# What holds for every width
# --------------------------
# Letters stand for matrices of any size. The adjacency field is multiplied out from its definition and compared with
# the flow of each layer; the interior diagonal blocks of :math:`A^\top A - AA^\top` have derivative zero; V falls by
# the squared gradient.

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from lyapflow.learning import deep_linear_evidence as proofs
from lyapflow.learning.deep_linear_identities import state_adjacency
from lyapflow.learning.mode_times import blow_up_time, learning_time
from lyapflow.learning_studies import deep_linear as study
from lyapflow.learning_studies import deep_linear_figures as figures
from lyapflow.learning_studies import run_study

OUTPUT = Path(os.environ.get("LYAPFLOW_OUTPUT", "."))

for identity in state_adjacency(3):
    identity.prove()
    print(f"proved: {identity.name}: {identity.statement}")
every_width = proofs.prove_every_width()
given_widths = study.prove_networks()

# %%
# What happens
# ------------
# Singular values 3, 2, 1, from small aligned starts. The loss falls in steps, and each level is half the squares of
# what has not been learnt. Three layers wait longer than two, and rise more steeply. Dots are closed forms: the
# logistic equation of Saxe, McClelland and Ganguli for two layers, and an integral for three.

runs = study.run_staircases()
figures.draw_staircases(plt.figure(figsize=(8, 4), layout="constrained"), runs)

# %%
# Two scalar layers show the geometry: solutions stay on hyperbolas, which the conservation law says, and one line leads
# into the saddle.

figures.draw_portrait(plt.figure(figsize=(7, 3.6), layout="constrained"))

# %%
# Where it rests
# --------------
# A critical point has learnt some of the singular values. Hessians are counted exactly, at rational points of the same
# orbit, so the signs below are not those of rounded eigenvalues.

for verdict in proofs.prove_critical_points(study.SMALL):
    print(f"{verdict.standing}: {verdict.statement}: {verdict.reason}")

# %%
# From three layers on, the saddle that has learnt the largest values has no negative curvature, and is left all the
# same: on a line that the flow keeps, :math:`\dot s = s^{h-1}(\sigma - s^h)`, and the sign of the lowest term decides.
# For odd h the other side comes *in*, like 1/t.

for verdict in proofs.prove_branches(study.SMALL):
    print(f"{verdict.standing}: {verdict.statement}: {verdict.reason}")
saddle = study.run_tight_saddle()
figures.draw_semistable(plt.figure(figsize=(8, 3.6), layout="constrained"), saddle)

# %%
# What is false
# -------------
# Each statement with the point or the line that refutes it, decided exactly.

refuted = study.refute_all()
for one in refuted:
    print(f"FALSE: {one.statement}\n       {one.witness}")

# %%
# How long it waits
# -----------------
# With two layers the time to learn grows like the logarithm of the start; with h layers like its power
# :math:`-(1 - 2/h)`. A closed form does not mind a plateau of :math:`10^{100}`.

figures.draw_plateaus(plt.figure(figsize=(6.4, 3.4), layout="constrained"))
times = study.tabulate_times()
for depth, sigma, start, time, guess, part in times:
    estimate = "" if guess is None else f", estimate {guess:.6g}"
    print(f"{depth} layers, sigma = {sigma}, from {start:g}: {time:.8g}{estimate}; simulated, {part:.9f} sigma then")
laws = study.measure_plateaus()
rate = study.measure_rate()
print(f"{laws[0].name}: exponent {laws[0].exponent:.9f}, predicted {laws[0].predicted}")
print(f"local rate at the minimum: {rate.rate:.6g}, along a trajectory {rate.measured:.6g}")

# %%
# What was claimed
# ----------------

assert all(one.standing == "proved" for one in (*every_width, *given_widths, *study.judge_saddles(), *refuted))
assert len(refuted) == 6
for depth, run in runs.items():
    network = run.flow
    start = [study.STARTS[depth]] * 3
    assert np.allclose(run.loss, network.aligned_loss(network.solve_aligned(start, run.t)), atol=1e-5)
    assert np.all(np.diff(run.loss) <= 1e-12)
    assert all(np.abs(b).max() < 1e-9 for b in network.invariants(run.x[-1])["balance"])
assert all(abs(part - 0.5) < 1e-8 for *_, part in times)
assert all(abs(law.exponent - float(law.predicted)) < 1e-12 for law in laws)
assert blow_up_time(1, 1e-300, depth=3) > 9e99
assert abs(learning_time(1, 1e-300, 0.5, depth=3) / blow_up_time(1, 1e-300, depth=3) - 1) < 1e-12
above, below = (run.flow.split(run.x[-1])[0][1, 1] for run in saddle.values())
assert abs(above - 1) < 1e-6
assert abs(below + 1 / 120) < 1e-5

# %%
# The report
# ----------
# It derives all this again while it is written; nothing in it is called proved because this page says so.

report = run_study("deep-linear-networks", OUTPUT)
assert "NOT PROVED" not in report.read_text()
print(f"report: {report}")
