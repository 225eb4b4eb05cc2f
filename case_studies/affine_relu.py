"""
Saddles of shallow ReLU networks with an affine target
======================================================

**Question.** A shallow ReLU network of one variable is fitted to :math:`\\alpha x + \\beta` on the unit interval.
Has the
loss critical points other than minima, and are they in the way?

**Dynamics.** Gradient flow of :math:`\\int_0^1(c + \\sum_jv_j(w_jx + b_j)_+ - \\alpha x - \\beta)^2dx`.

**Known guarantee.** Gradient descent escapes most saddles (P. Cheridito, A. Jentzen, F. Rossmannek, arXiv 2208.02083);
critical points with n active breakpoints have a zigzag for a residual and the loss :math:`\\alpha^2/(12(n+1)^4)`
(arXiv 2103.10922, derived again).

**What is computed.** Gradient and Hessian at these points in rational arithmetic; rational points near them that are
lower.

**Runs in** about 3 s.
"""

# %%
# Exact calculus
# --------------

import os
from fractions import Fraction
from pathlib import Path

import matplotlib.pyplot as plt

from lyapflow.learning import affine_relu_evidence as evidence
from lyapflow.learning_studies import affine_relu as study

OUTPUT = Path(os.environ.get("LYAPFLOW_OUTPUT", "."))

verdicts, refutations = study.prove_all(), study.refute_all()
for verdict in verdicts:
    print(f"{verdict.standing}: {verdict.statement}\n  {verdict.reason}")
for refutation in refutations:
    print(f"false: {refutation.statement}\n  {refutation.witness}")

# %%
# The zigzag, and the way out
# ---------------------------

path = evidence.escape(study.MODEL)
study.draw_escape(plt.figure(figsize=(8, 3.4), layout="constrained"), path)

# %%
# What was claimed
# ----------------

assert study.MODEL.exact_loss(study.MODEL.zigzag(2)) == Fraction(13, 10) ** 2 / 972
assert set(study.MODEL.exact_gradient(study.MODEL.zigzag(2))) == {0}
assert [v.standing for v in verdicts] == ["proved"] * 3 + ["seen in simulation"]
assert all(r.standing == "proved" for r in refutations)
assert path.loss[-1] < 1e-6 * path.loss[0] < path.loss[0]

print(f"report: {study.run(OUTPUT)}")
