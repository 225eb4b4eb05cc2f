"""
The neural feature ansatz: which power, when, and when not
==========================================================

**Question.** After training, :math:`W_1^\\top W_1` is said to be proportional to a power α of the average gradient
outer product (AGOP) of the network. Which α, under which conditions?

**Dynamics.** Gradient flow of a deep linear network :math:`f(x) = W_L\\cdots W_1x = Jx` under the square loss of random
regression data, with weight decay λ; and of a shallow ReLU network on orthonormal inputs.

**Known guarantee.** α = 1/L for balanced weights, and in the limit with weight decay; counterexamples with ReLU
(E. Tansley, E. Massart, C. Cartis, On the neural feature ansatz for deep neural networks, arXiv 2510.15563,
AISTATS 2026).

**What is computed.** Proofs, for all widths, that :math:`G_l = W_{l+1}^\\top W_{l+1} - W_lW_l^\\top` obeys
:math:`\\dot G_l = -2\\lambda G_l` and that balance gives :math:`(W_1^\\top W_1)^L = J^\\top J`; trained networks of
depth 2 to 5; exact counterexamples.

**Runs in** about 5 s.
"""

# %%
# Balanced networks
# -----------------
# The study is a function of the package. Identities are proved in a free algebra of matrices, so for all widths; then
# networks are trained.

import os
from pathlib import Path

import matplotlib.pyplot as plt

from lyapflow.learning_studies import neural_feature_ansatz as study

OUTPUT = Path(os.environ.get("LYAPFLOW_OUTPUT", "."))

results = study.compute()
for law in results.laws:
    print(f"{law.standing}: {law.statement}")
for row in results.balanced:
    print(f"depth {row.depth}: exponent {row.exponent:.8f}, misfit {row.misfit:.1e}, of powers {row.power_misfit:.1e}")

study.draw_exponents(results)(plt.figure(figsize=(8, 3), layout="constrained"))

# %%
# Weight decay restores the ansatz
# --------------------------------
# Without decay the imbalance is conserved, here with an ansatz that stays false; with decay it falls like
# :math:`e^{-2\lambda t}`.

study.draw_decay(results)(plt.figure(figsize=(6, 3.4), layout="constrained"))
for line in results.decays:
    print(f"decay {line.decay:g}: rate of the imbalance {line.imbalance_rate:.7f}, 1 - cos {line.lack[-1]:.1e}")

# %%
# What is false
# -------------
# A ReLU network that fits three positive labels and a negative one, its neurons collected in two; exact witnesses.

for row in results.relu:
    print(f"{row.name}: cosine {row.cosine:.4f}, in the limit {row.limit:.4f}")
for refutation in results.refutations:
    print(f"false: {refutation.statement}\n  {refutation.witness}")

# %%
# What was claimed
# ----------------

assert all(law.standing == "proved" for law in results.laws)
for row in results.balanced:
    assert abs(row.cosine(1 / row.depth) - 1) < 1e-7
    assert row.cosine(1.0) < 0.99
    assert abs(row.exponent - 1 / row.depth) < 1e-6
    assert row.power_misfit < 1e-8
for line in results.decays:
    assert abs(line.imbalance_rate - 2 * line.decay) < 1e-6
assert results.decays[0].lack[-1] > 0.05
assert results.decays[-1].lack[-1] < 1e-9
assert abs(results.relu[0].limit - 0.9659) < 1e-4
assert abs(results.relu[0].cosine - results.relu[0].limit) < 1e-3
assert results.relu[1].limit > 1 - 1e-12
assert all(r.standing == "proved" for r in results.refutations)

print(f"report: {study.write(results, OUTPUT)}")
