"""
Related papers: one small system each
=====================================

**Question.** What is the smallest system that shows what a paper on training is about, and what can be proved of it?

**Dynamics.** Descent-ascent on a game; residual networks of one unit; deep ReLU networks; leaky ReLU networks on
orthogonal inputs; two linear layers around a step; one control that moves an ensemble; threshold networks as a lasso.

**Known guarantee.** See each section; the sources are Y. Zhu et al. (arXiv 2404.12312), R. Cont, A. Rossier, R. Xu
(arXiv 2204.07261), S. Du, W. Hu, J. Lee (arXiv 1806.00900), S. Frei et al. (arXiv 2210.07082), P. Yin et al.
(arXiv 1903.05662), A. Scagliotti (arXiv 2110.12393), T. Ergen et al. (arXiv 2303.03382), F. He, B. Wang, D. Tao
(arXiv 2003.12236). Nothing here proves their theorems.

**What is computed.** Certificates of the game with a cross term in V, exact step limits, exact limits and optima,
witnesses against seven beliefs, and simulations beside them.

**Runs in** about 10 s.
"""

# %%
# Descent-ascent
# --------------
# :math:`\dot\theta = -2\omega - \lambda\theta,\ \dot\omega = 2\theta - 1 - \omega`. Without decay
# :math:`V = \tfrac12|z|^2` proves no rate; a V with a cross term does.

import os
from fractions import Fraction
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import lyapflow as lf
from lyapflow.learning_studies import related_figures as figures
from lyapflow.learning_studies import related_numbers as numbers
from lyapflow.learning_studies import related_papers as study

OUTPUT = Path(os.environ.get("LYAPFLOW_OUTPUT", "."))

results = study.compute()
for game, certificate in zip((numbers.PENALISED, numbers.UNPENALISED), results.games, strict=True):
    print(f"decay {game.decay}: proved rate {certificate.rate}")

figures.draw_games(results)(plt.figure(figsize=(7, 3.2), layout="constrained"))

# %%
# Residual networks
# -----------------
# Late the loss decays with the V-rate :math:`2\mu` of the limit, not with :math:`2y^2/D`.

figures.draw_late_rates(results)(plt.figure(figsize=(5, 3.2), layout="constrained"))

# %%
# Leaky ReLU
# ----------
# The weights become rank two, and the margins equal. In the time s the path to s = 20000 takes about 1000 evaluations.

figures.draw_margins(results)(plt.figure(figsize=(7, 3.2), layout="constrained"))

# %%
# Quantised networks
# ------------------
# From w against the target the coarse gradient of the identity drives w into 0 in finite time; that of the ReLU rests.

figures.draw_coarse(results)(plt.figure(figsize=(7, 3.2), layout="constrained"))

# %%
# Ensembles
# ---------
# With the fields 1, x, x² every flow is a Möbius map and keeps cross-ratios; with x³ the brackets span everything.

figures.draw_ensembles(results)(plt.figure(figsize=(8, 3), layout="constrained"))

# %%
# What was claimed
# ----------------

assert [g.rate for g in results.games] == [Fraction(13, 20), Fraction(1, 2)]
assert all(lf.verify(g).proved for g in results.games)
for judge in (
    numbers.judge_games,
    numbers.judge_residuals,
    numbers.judge_margins,
    numbers.judge_quantised,
    numbers.judge_ensembles,
    numbers.judge_small_networks,
):
    for piece in judge():
        word = "false" if isinstance(piece, lf.learning.evidence.Refutation) else "true"
        print(f"{word}: {piece.statement}")
        assert piece.standing == "proved"
for rate in results.late:
    assert abs(rate.measured / rate.rate - 1) < 1e-4
assert results.collapse.agrees or abs(results.collapse.exponent + 1) < 1e-3
low, high = results.limit.singular_values[::-1]
times, values, margins = results.path
assert abs(values[-1, 1] / values[-1, 0] - low / high) < 1e-4
assert np.all(np.diff(margins[times > 10, 0]) > 0)  # the normalised margin grows
assert margins[-1, 1] < 1.001
assert results.quantised[1][-1] < 1e-4
assert results.stuck["relu"][1].min() > 0.999 * results.stuck["relu"][1][0]
assert results.stuck["identity"][1][-1] < 0.05 * results.stuck["identity"][1][0]
assert results.ensembles[0][2][-1] > 0.05 > 0.01 > results.ensembles[1][2][-1]
assert results.stairs[0][-1] > 0
assert abs(results.stairs[1][-1]) < 1e-8

print(f"report: {study.write(results, OUTPUT)}")
