"""
Low-rank factorization: a cascade of three stages
=================================================

**Question.** Gradient flow on :math:`f(X) = \\frac14\\|XX^\\top - M\\|_F^2` finds the positive part of M from
almost every start. With as many columns as needed it is fast; with more columns than needed, over-parameterised, it
becomes slow. Why, and how slow exactly? The answer is a cascade: the Schur complement S moves on its own and like
1/t, and it drives two stages, H and P11, that are exponentially fast.

**Data.** Matrices with a known spectrum; and the correlations of the ten features of the diabetes data (442
patients), whose eigenvalues above one are kept (Kaiser's rule): a factor analysis by gradient flow.

**Dynamics.** :math:`\\dot X = (M - XX^\\top)X`, for X with r columns, and its three subsystems.

**What is computed.** The equations of the stages and their solutions, as identities for matrices of every size;
rates and bounds of each stage; slopes that are fitted to trajectories and compared with them; where the flow goes
when the rank condition fails; the same for rectangular matrices.

**Known guarantee.** :math:`XX^\\top` converges to the positive part of M if and only if :math:`V_1^\\top X_0` has
full row rank, exponentially if r = k, and not faster than O(1/t) if r > k and M has an eigenvalue 0 (Mohammadi,
Tinati, Tu, Soltanolkotabi, Jovanović, "Stability properties of gradient flow dynamics for the symmetric low-rank
matrix factorization problem", arXiv 2411.15972).

**Runs in** about 10 s.
"""

# %%
# Exact rank and over-parameterised
# ---------------------------------
# M has eigenvalues 3, 2, 1 and seventeen zeros. The same start, with its three columns, and with three more.

import os
from fractions import Fraction
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import lyapflow as lf
from lyapflow.learning.evidence import fit_power
from lyapflow.report import Figure, Note, Table
from lyapflow.tables import read_table, standardize

HERE = Path(__file__).parent if "__file__" in globals() else Path.cwd()
OUTPUT = Path(os.environ.get("LYAPFLOW_OUTPUT", "."))

rng = np.random.default_rng(5)
basis = np.linalg.qr(rng.standard_normal((20, 20)))[0]
spectrum = np.r_[3.0, 2.0, 1.0, np.zeros(17)]
M = basis * spectrum @ basis.T
M = (M + M.T) / 2
start = 0.3 * rng.standard_normal((20, 6))

exact = lf.cascade.schur(lf.learning.SymmetricFactorization(M, rank=3), start[:, :3])
wide = lf.cascade.schur(lf.learning.SymmetricFactorization(M, rank=6), start)
for case in (exact, wide):
    print(repr(case))
    assert case.condition.holds
    assert case.limit.kind == "minimum"

# %%
# A matrix that went through rounding has no eigenvalue that is exactly zero: what is said of this one is computed,
# and the report says so. Of the diagonal matrix with the same spectrum it is proved.

plain = lf.cascade.schur(lf.learning.SymmetricFactorization(spectrum, rank=6), basis.T @ start)
assert not any(one.is_proved for one in wide.certificates)
assert all(one.verify() for one in plain.certificates)
for one in plain.certificates:
    beside = f", times (1 + t)^{one.growth}" if one.growth else ""
    pace = f"1/t^{one.order}" if one.rate is None else f"rate {one.rate}{beside}"
    print(f"proved: {one.quantity} decays with {pace}")

# %%
# S is slow, H and P11 are fast
# -----------------------------
# Powers of time are fitted in logarithms over two decades at the end, exponential rates over a stretch before the
# digits are used up; where the theorem has a factor 1 + t beside the exponential, it is divided out first. A fitted
# rate may not lie below the proved one.

late = np.geomspace(1e3, 1e5, 40)


def fit_rate(times, sizes):
    """Minus the slope of the logarithm."""
    return -float(np.polyfit(times, np.log(sizes), 1)[0])


def measure(cascade, times):
    """Norms of the stages along the closed form."""
    k = cascade.condition.needed
    inverse = np.diag(1 / cascade.flow.spectrum.values[:k])
    return {
        "S": np.array([np.linalg.norm(s, 2) for s in cascade.S(times)]),
        "H": np.array([np.linalg.norm(h) for h in cascade.H(times)]),
        "Y": np.array([np.linalg.norm(y - inverse) for y in cascade.Y(times)]),
        "excess": np.atleast_1d(cascade.excess(times)),
    }


laws = [
    fit_power(late, measure(wide, late)["S"], name="|S| over-parameterised", predicted=Fraction(-1)),
    fit_power(late, measure(wide, late)["excess"], name="f - f* over-parameterised", predicted=Fraction(-2)),
]
for law in laws:
    low, high = law.interval
    print(f"{law.name}: t^{law.exponent:.5f} in [{low:.5f}, {high:.5f}], predicted t^{law.predicted}")
    assert abs(law.exponent - law.predicted) < 2e-3
spare = wide.flow.rank - 3
constant = float(wide.excess(1e6)) * 1e12
print(f"t^2 (f - f*) = {constant:.6f} at t = 1e6; (r - k)/16 = {spare / 16}")
assert abs(constant - spare / 16) < 1e-4

stretch = np.linspace(6, 12, 30)
beside = {"H": 1.0, "Y": 1 + stretch}
fast = {(name, key): fit_rate(stretch, measure(case, stretch)[key] / beside[key])
        for name, case in (("exact rank", exact), ("over-parameterised", wide)) for key in ("H", "Y")}  # fmt: skip
fast["exact rank", "excess"] = fit_rate(stretch, measure(exact, stretch)["excess"])
proved = {one.name: one.rate for one in plain.certificates} | {
    "excess": {one.name: one.rate for one in exact.certificates}["excess"]
}
rows = []
for (name, key), rate in fast.items():
    print(f"{name}: {key} decays with rate {rate:.4f}, proved {float(proved[key]):.4f}")
    rows.append((name, key, rate, f"{float(proved[key]):.6g}"))
    assert rate > 0.97 * float(proved[key])

# %%
# The bounds along both trajectories, from their starts to t = 1e5: none is crossed, and that of S is sharp.

every = np.r_[0.0, np.geomspace(1e-3, 1e5, 300)]
for case in (exact, wide, plain):
    bounds, seen = case.bounds(every), measure(case, every)
    for key, values in seen.items():
        assert np.all(values <= bounds[key]), key
assert np.allclose(measure(wide, late)["S"], 1 / (2 * late), rtol=2e-2)

# %%
# When the rank condition fails
# -----------------------------
# A start that has nothing of the second eigenvector goes to a strict saddle, slowly, as the column that it could not
# use is one to spare. A grain of it, 1e-8, and the flow leaves the saddle, when exp(2t) has made it of size one.

lost = start[:, :3] - np.outer(basis[:, 1], basis[:, 1] @ start[:, :3])
saddle = lf.cascade.schur(exact.flow, lost)
print(repr(saddle))
assert saddle.limit.kind == "strict saddle"
assert not saddle.certificates
assert np.allclose(saddle.P(1e9), saddle.limit.matrix, atol=1e-8)
grain = lf.cascade.schur(exact.flow, lost + 1e-8 * np.outer(basis[:, 1], [1.0, 0.0, 0.0]))
times = np.linspace(0, 20, 400)
loss = {"saddle": saddle.loss(times), "with a grain": grain.loss(times), "from the start": exact.loss(times)}
left = times[np.argmax(loss["with a grain"] < saddle.limit.loss / 2)]
print(f"the grain needs t = {left:.2f} to halve the loss; ln(1e8)/2 = {np.log(1e8) / 2:.2f}")
assert abs(left - np.log(1e8) / 2) < 2

classes = list(exact.flow.equilibria())
print(f"{len(classes)} classes of equilibria, one of them a minimum")
assert [c.kind for c in classes].count("minimum") == 1
assert len(classes) == 8

# %%
# Real data: factors of the diabetes features
# -------------------------------------------
# The correlations C of ten features. Gradient flow with three columns on C itself finds the three largest principal
# components, which is a truncation: the rank condition cannot hold with r < k = 10, and the flow goes to the best
# there is.

table = read_table(HERE / "data" / "diabetes.csv")
features = standardize(table.drop("y").values)
names = table.drop("y").columns
C = features.T @ features / len(features)
C = (C + C.T) / 2
values, vectors = np.linalg.eigh(C)
truncation = vectors[:, -3:] * values[-3:] @ vectors[:, -3:].T

pca = lf.cascade.schur(lf.learning.SymmetricFactorization(C, rank=3), 0.1 * rng.standard_normal((10, 3)))
assert not pca.condition.holds
assert pca.limit.kind == "minimum"
assert np.allclose(pca.limit.matrix, truncation, atol=1e-10)
gap = values[-3] - values[-4]
tail = np.linspace(30, 60, 30)
pace = fit_rate(tail, [np.linalg.norm(pca.P(t) - truncation) for t in tail])
print(f"to the three principal components with rate {pace:.4f}; the gap of the spectrum there is {gap:.4f}")
assert abs(pace / gap - 1) < 1e-2

# %%
# Less one on the diagonal, C - I has as many positive eigenvalues as C has above one. Now five columns are more than
# the three that are needed, and all is proved: the numbers are floats, and the theorem is about their exact values.

kaiser = lf.learning.SymmetricFactorization(C - np.eye(10), rank=5)
factors = lf.cascade.schur(kaiser, 0.05 * rng.standard_normal((10, 5)))
print(repr(factors))
assert factors.condition.needed == int(np.sum(values > 1)) == 3
assert all(one.verify() for one in factors.certificates)
for one in factors.certificates:
    print(f"proved: {one.quantity} decays with rate {float(one.rate):.6f}")
integrated = kaiser.simulate(factors.X0, [0.5, 2.0, 8.0], rtol=1e-11)
for t, x in zip(integrated.t, integrated.x, strict=True):
    assert np.allclose(factors.P(float(t)), x @ x.T, rtol=1e-7, atol=1e-8)
loading = factors.limit.factor[np.abs(factors.limit.factor).argsort(axis=0)[-3:], range(3)]
leading = [[names[i] for i in column] for column in np.abs(factors.limit.factor).argsort(axis=0)[-3:][::-1].T]
print("features that weigh most in each factor:", leading)

# %%
# Rectangular matrices
# --------------------
# U V' for the block of correlations between five features and the other five. From a balanced start, U'U = V'V, which
# the flow conserves, it is the symmetric flow of the matrix with this block in its corners.

N = C[:5, 5:]
rectangular = lf.learning.RectangularFactorization(N, rank=2)
U0, V0 = lf.learning.balance(rng.standard_normal((5, 2)), rng.standard_normal((5, 2)))
embedded = lf.cascade.schur(*rectangular.embed(U0, V0))
product = 2 * embedded.P(400.0)[:5, 5:]
left_vectors, sizes, right_vectors = np.linalg.svd(N)
best = left_vectors[:, :2] * sizes[:2] @ right_vectors[:2]
print(f"U V' is off the best matrix of rank 2 by {np.abs(product - best).max():.1e} at t = 400")
assert np.abs(product - best).max() < 1e-6

# %%
# Figures
# -------

COLORS = {"exact rank": "#1f5fbf", "over-parameterised": "#c05621", "bound": "#1b7f4b", "other": "#8a94a3"}


def draw_contrast(figure):
    """Norms of the stages, exact rank beside over-parameterised."""
    grid = figure.subplots(1, 2, sharey=True)
    times = np.geomspace(1e-2, 1e4, 300)
    styles = {"S": ("S", "-"), "H": ("H", "--"), "Y": ("inverse of P11", ":")}
    for axes, (name, case) in zip(grid, (("exact rank", exact), ("over-parameterised", wide)), strict=True):
        for key, values in measure(case, times).items():
            if key == "excess" or not np.any(values > 1e-14):
                continue
            label, line = styles[key]
            shown = values > 1e-14
            axes.loglog(times[shown], values[shown], line, color=COLORS[name], label=label)
        axes.set_title(f"{name}, r = {case.flow.rank}, k = 3")
        axes.set_xlabel("$t$")
        axes.legend(loc="lower left")
    grid[1].loglog(times[times > 1], 0.5 / times[times > 1], color=COLORS["bound"], linewidth=0.9, label="$1/(2t)$")
    grid[1].legend(loc="lower left")
    grid[0].set_ylabel("distance of the stage from its limit")


def draw_loss(figure):
    """The loss above its minimum."""
    axes = figure.subplots()
    times = np.geomspace(1e-2, 1e4, 300)
    for name, case in (("exact rank", exact), ("over-parameterised", wide)):
        values = case.excess(times)
        shown = values > 1e-15
        axes.loglog(times[shown], values[shown], color=COLORS[name], label=name)
    late = times[times > 3]
    axes.loglog(late, 3 / 16 / late**2, ":", color=COLORS["bound"], label="$(r-k)/(16\\,t^2)$")
    axes.set_xlabel("$t$")
    axes.set_ylabel("$f - f^*$")
    axes.legend(loc="lower left")


def draw_saddle(figure):
    """The loss at a saddle, and past it."""
    axes = figure.subplots()
    for (name, values), color in zip(loss.items(), ("#8a94a3", "#c05621", "#1f5fbf"), strict=True):
        axes.plot(times, values, color=color, label=name)
    axes.axhline(saddle.limit.loss, color=COLORS["bound"], linewidth=0.8, linestyle="--", label="loss of the saddle")
    axes.set_xlabel("$t$")
    axes.set_ylabel("$f$")
    axes.legend(loc="upper right")


def draw_factors(figure):
    """Eigenvalues of XX' for the diabetes features: what is learnt, and what has to be unlearnt."""
    axes = figure.subplots()
    times = np.geomspace(1e-2, 1e3, 200)
    learnt = np.array([np.linalg.svd(factors.factor(t), compute_uv=False) ** 2 for t in times])
    for j in range(5):
        color = COLORS["exact rank"] if j < 3 else COLORS["over-parameterised"]
        axes.semilogx(times, learnt[:, j], color=color)
    for value in factors.limit.eigenvalues:
        axes.axhline(value, color=COLORS["bound"], linewidth=0.8, linestyle="--")
    axes.set_xlabel("$t$")
    axes.set_ylabel("eigenvalues of $XX^\\top$")


FIGURES = (
    ("Three stages", draw_contrast, "Closed forms in floating point. With as many columns as needed there is no S."),
    ("The price of columns to spare", draw_loss, "The loss above its minimum: exponential, or like 1/t^2."),
    ("A saddle", draw_saddle, "A start without the second eigenvector, with a grain of it, and with all of it."),
    (
        "Factors of the diabetes features",
        draw_factors,
        "Eigenvalues of XX' for C - I with five columns: three are learnt (dashed: their limits), two fade.",
    ),
)
for _, draw, _ in FIGURES:
    draw(plt.figure(figsize=(8, 3.2), layout="constrained"))

# %%
# The report
# ----------

lf.write_report(
    OUTPUT / "matrix_factorization.html",
    Note(
        "What this is",
        "Gradient flow on the distance between XX' and a symmetric matrix M as a cascade. The Schur complement S moves "
        "on its own, H is driven by S, P11 by H. With as many columns as M has positive eigenvalues there is no S, and "
        "all is exponential; with more, S decays like 1/(2t) where M has an eigenvalue 0, and the loss like "
        "(r - k)/(16 t^2).",
    ),
    *(Figure(title, draw, "seen in simulation", caption) for title, draw, caption in FIGURES),
    Table(
        "Rates and powers, fitted",
        ("flow", "of", "fitted", "theory"),
        [*rows, *((law.name, "power of t", law.exponent, str(law.predicted)) for law in laws)],
        ("", "", "seen in simulation", ""),
    ),
    plain,
    factors,
    title="Low-rank factorization: a cascade of three stages",
)
print("report written")
