"""
Natural gradient for KL: three flows, and what "rate 2" is true of
==================================================================

**Question.** A distribution p on three cells moves so that :math:`\\mathrm{KL}(q\\|p)` falls: along the gradient in its
probabilities η, in its log-ratios θ, or along the natural gradient. Which is fastest, which steps may an iteration
take, and on which sets does KL fall with which rate?

**Dynamics.** :math:`\\dot\\eta_i = q_i/p_i - q_{n+1}/p_{n+1}`, :math:`\\dot\\theta = -(\\eta(\\theta) - \\eta_q)`, and
:math:`\\dot p = q - p`.

**Known guarantee.** Near q the rates are those of the Fisher matrix C: :math:`2/\\lambda_{\\max}(C)`,
:math:`2\\lambda_{\\min}(C)` and 2 (J. Datar, N. Ay, Convergence properties of natural gradient descent for minimizing
KL divergence, arXiv 2504.19259, TMLR 2025). These are rates of KL, twice those of the state.

**What is computed.** Exact bounds of all rates and step limits; the rate of KL on each of its sublevel sets, by balls;
witnesses against the rate 2 on the whole simplex.

**Runs in** about 5 s.
"""

# %%
# Rates near q, and everywhere
# ----------------------------
# The study is a function of the package; what it computes is checked there too, identity by identity.

import os
from fractions import Fraction
from pathlib import Path

import matplotlib.pyplot as plt

import lyapflow as lf
from lyapflow.exact.rationals import show_above, show_below
from lyapflow.learning_studies import kl_natural_gradient as study

OUTPUT = Path(os.environ.get("LYAPFLOW_OUTPUT", "."))

results = study.compute()
for row in results.rates:
    print(f"{study.NAMES[row.flow]:20} V-rate of KL near q: {show_below(row.low, 7):>9}, seen {row.measured:.5g}")

# %%
# Along the natural flow :math:`\frac{d}{dt}\mathrm{KL}(q\|p) = -\chi^2(q\|p)`, an identity. So the rate of KL on a set
# is the least ratio of the two divergences there. It is 2 at q only, and depends on the smallest cell of q alone:

for rate in results.levels:
    level = "any" if rate.level is None else f"{float(rate.level):g}"
    print(f"KL <= {level:>5}: rate between {show_below(rate.low, 8)} and {show_above(rate.high, 8)}")
for refutation in results.refutations[:2]:
    print(f"false: {refutation.statement}\n  {refutation.witness}")

# %%
# Decay
# -----

study.draw_decay(results)(plt.figure(figsize=(8, 3), layout="constrained"))

# %%
# Paths
# -----
# The natural flow goes straight. The cross is where the ratio is least.

study.draw_paths(results)(plt.figure(layout="constrained"))

# %%
# Steps
# -----
# The natural iteration needs one step of size 1. The iterations of the gradients have limits that the eigenvalues of C
# tell; that in θ converges from every start for steps below 4.

study.draw_steps(results)(plt.figure(figsize=(6, 3.4), layout="constrained"))

# %%
# What was claimed
# ----------------

rates = {row.flow: row.low for row in results.rates}
assert rates["theta"] <= Fraction(1, 2) < rates["natural"] == 2 < 4 <= rates["eta"]
whole = results.levels[-1]
assert whole.level is None
assert Fraction("1.8203388") < whole.low <= whole.high < Fraction("1.8203389")  # the paper's 2 holds near q only
assert all(a.low >= b.low for a, b in zip(results.levels[:-1], results.levels[1:], strict=True))
assert results.levels[0].low > Fraction("1.95")
assert all(r.standing == "proved" for r in results.refutations)
assert min(r.low for r in results.binary) > 1  # and 1 holds for every q
assert lf.learning.KLNaturalGradient(study.TARGET).decrease(["0.2", "0.2"]) == Fraction(-23, 30)
for row in results.steps:
    assert row.below < 1e-6
    assert row.above > 1

print(f"report: {study.write(results, OUTPUT)}")
