"""
The emergence of sparse attention: how long is the plateau, and what do repetitions do?
=======================================================================================

**Question.** A softmax over T tokens of dimension d learns to look at the last one, and a linear map to copy it. For a
long time nothing seems to happen. When does it, how do repetitions of the relevant token shorten the wait, and how
does it
end?

**Dynamics.** Gradient flow of the expected loss from zero. It keeps to the plane of w, the strength of the map, and
:math:`\\Delta a`, the score of a relevant token over that of another one.

**Known guarantee.** N. Zucchet, F. d'Angelo, A. Lampinen, S. Chan, The emergence of sparse attention, arXiv 2505.17863
(NeurIPS 2025): eq. (6), :math:`\\tfrac{\\sqrt d\\,T}2\\ln(\\varepsilon\\sqrt d\\,T)`, for the time to learn a share
ε of the
loss, and the fit :math:`1.51\\,T^{0.99}B^{-0.99}d^{0.49}`.

**What is computed.** Identities for every T, B and d; plateaus between proved bounds; the closed form
:math:`T^* = \\sqrt{\\pi/2}\\,\\sqrt d\\,T`; witnesses against eq. (6), against 1/B for the flow on the scores, and
against an
exponential end.

**Runs in** about 30 s.
"""

# %%
# What is proved
# --------------

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from lyapflow.learning_studies import sparse_attention as study
from lyapflow.learning_studies import sparse_attention_figures as figures

OUTPUT = Path(os.environ.get("LYAPFLOW_OUTPUT", "."))

verdicts = study.prove_all()
for verdict in verdicts:
    print(f"{verdict.standing}: {verdict.statement}")

# %%
# The plateau
# -----------
# In the early phase :math:`\dot w = \lambda e^{w^2/2}`, :math:`\lambda = 1/(\sqrt d\,T)`, which is infinite at
# :math:`T^* = \sqrt{\pi/2}/\lambda`. The paper's eq. (6) linearises at the start; at the paper's own ε = 0.8 it is
# three to five times too long. Both, side by side:

plateaus = study.tabulate_plateaus()
for T, d, time, ratio, known, fitted, formula, appendix in plateaus:
    print(f"T = {T:6} d = {d:5}: plateau {time:9.0f} = {ratio:.4f} sqrt(d) T; T* {known:9.0f}, ", end="")
    print(f"the paper's fit {fitted:9.0f}, eq. (6) {formula:9.0f}, appendix {appendix:9.0f}")

figures.draw_plateaus(plt.figure(figsize=(8, 3.6), layout="constrained"))

# %%
# Repetition in the context
# -------------------------
# The paper's reduced system is the gradient flow of the loss in the plane, with a plateau like 1/B. The gradient flow
# on the scores has the gain 1/B + 1/(T - B), and a plateau like :math:`1/\sqrt B`. Both, and the flow on all scores
# and W:

repetition = study.tabulate_repetition()
for B, scores, exact, paper, _ in repetition:
    print(f"B = {B:2}: all scores and W {scores:8.2f}, exact projection {exact:8.2f}, the paper's {paper:8.2f}")

figures.draw_repetition(plt.figure(figsize=(6, 3.6), layout="constrained"), repetition)

# %%
# Repetition across samples
# -------------------------

probabilities = study.tabulate_probabilities()
figures.draw_probabilities(plt.figure(figsize=(8, 3.6), layout="constrained"), probabilities)

# %%
# How it emerges, and how it ends
# -------------------------------
# The loss goes down like 1/(4t), whatever T and d are.

figures.draw_emergence(plt.figure(layout="constrained"))

# %%
# What is false
# -------------

refutations = study.refute_all()
for refutation in refutations:
    print(f"false: {refutation.statement}\n  {refutation.witness}")

# %%
# Laws, with exponents beside theory; and fits over the sizes of the paper's experiments
# --------------------------------------------------------------------------------------

laws = study.measure_laws()
for law in laws:
    print(f"{law.name}: {law.exponent:.9f}, predicted {law.predicted}")
fits = study.compare_fits()
for name, *numbers in fits:
    print(f"{name:66}", *(x if isinstance(x, str) else f"{x:8.3f}" for x in numbers))

# %%
# What was claimed
# ----------------

assert all(v.standing == "proved" for v in verdicts)
assert all(r.standing == "proved" for r in refutations)
assert len(refutations) == 7
for _, _, time, _, known, fitted, formula, appendix in plateaus:
    assert abs(time / known - 1) < 0.06  # the closed form, and the paper's fit, are right
    assert abs(time / fitted - 1) < 0.06
    assert appendix > formula > 2.8 * time  # eq. (6) is not, and is worse for larger T
assert plateaus[5][6] / plateaus[5][2] > 5
for _, scores, exact, *_ in repetition:
    assert abs(scores / exact - 1) < 1e-6
slopes = [
    np.polyfit(np.log([row[0] for row in repetition]), np.log([row[k] for row in repetition]), 1)[0] for k in (1, 3)
]
assert abs(slopes[0] + 0.5) < 0.03  # the flow on the scores
assert abs(slopes[1] + 1) < 0.07  # the paper's reduced system
for _, until, known, _ in probabilities:
    assert abs(until / known - 1) < 0.011
assert all(abs(law.exponent - float(law.predicted)) < 1e-6 for law in laws)
assert all(abs(row[4] - 1) < 1e-3 for row in study.tabulate_late()[:1])

print(f"report: {study.run(OUTPUT)}")
