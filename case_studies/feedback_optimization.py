"""
A plant in the loop: three power areas find their economic optimum by feedback
==============================================================================

**Question.** A gradient flow can be the controller of a plant: it descends along the plant's steady-state map, at
outputs as they are measured. How fast may it be, before plant and optimizer destabilise each other?

**Plant.** The three-control-area power system of Bevrani (*Robust Power System Frequency Control*, 2009): per area
frequency, turbine and governor, and two angles between the areas: 11 states. Inputs are the set points of the three
generators, outputs three frequencies and three tie-line flows. Load is a disturbance that the controller does not
know.

**Dynamics.** With the steady-state map :math:`y = Gu + \\text{const}`, generation costs :math:`f_u` and penalties
:math:`f_y` on frequencies and flows, :math:`\\dot u = -\\varepsilon(\\nabla f_u(u) + G^\\top\\nabla f_y(y))`.

**Known guarantee** (lower). The classical bound of time-scale separation, :math:`\\varepsilon <
\\gamma/(\\zeta\\ell)` (Hauswirth, Bolognani, Hug, Dörfler 2021; for linear plants Menta et al. 2018).

**What is computed.** The largest gain with a proof, and the smallest at which a concrete member of the costs is
unstable, for several kinds of costs and for a primal-dual controller that restores the frequency; proved rates over
the gain; a load step.

**Runs in** about 40 s.
"""

# %%
# The plant, from published numbers
# ---------------------------------
# Deviations from a working point: with inertia M, damping D, droop R,
#
# .. math::
#     M\dot f = P_m - P_{tie} - P_{load} - D f, \qquad T_t\dot P_m = P_g - P_m, \qquad T_g\dot P_g = u - f/R - P_g,
#
# and tie-line flows :math:`T_{ij}\delta_{ij}` with :math:`\dot\delta_{ij} = 2\pi(f_i - f_j)`. The angle between areas
# 2 and 3 is the difference of the other two.

import os
from fractions import Fraction
from pathlib import Path

import control
import matplotlib.pyplot as plt
import numpy as np

import lyapflow as lf
from lyapflow.members import ProfileSum, QuadraticFunction, SquaredNorm
from lyapflow.report import Figure, Note, Simulation, Table
from lyapflow.tables import read_table

QUICK = bool(os.environ.get("LYAPFLOW_QUICK"))
HERE = Path(__file__).parent if "__file__" in globals() else Path.cwd()
OUTPUT = Path(os.environ.get("LYAPFLOW_OUTPUT", "."))

areas = read_table(HERE / "data" / "three_area_frequency.csv")
ties = read_table(HERE / "data" / "three_area_ties.csv")
M, D, R = (areas.column(name) for name in ("inertia", "damping", "droop"))
turbine, governor = areas.column("turbine"), areas.column("governor")
assert np.allclose(D + 1 / R, areas.column("bias"), rtol=1.3e-3)  # the published bias, rounded there

FREQUENCIES, ANGLES = [0, 3, 6], [9, 10]  # states: (frequency, turbine, governor) of each area, angles 1-2 and 1-3
A, B, C = np.zeros((11, 11)), np.zeros((11, 3)), np.zeros((6, 11))
for k, f in enumerate(FREQUENCIES):
    A[f, [f, f + 1]] = -D[k] / M[k], 1 / M[k]
    A[f + 1, [f + 1, f + 2]] = -1 / turbine[k], 1 / turbine[k]
    A[f + 2, [f, f + 2]] = -1 / (R[k] * governor[k]), -1 / governor[k]
    B[f + 2, k] = 1 / governor[k]
    C[k, f] = 1
A[ANGLES[0], [0, 3]] = A[ANGLES[1], [0, 6]] = 2 * np.pi, -2 * np.pi
angle = {(1, 2): np.array([1, 0]), (1, 3): np.array([0, 1]), (2, 3): np.array([-1, 1])}
for row, (start, end, T) in enumerate(ties.values, start=3):
    C[row, ANGLES] = T * angle[int(start), int(end)]
    A[FREQUENCIES[int(start) - 1]] -= C[row] / M[int(start) - 1]
    A[FREQUENCIES[int(end) - 1]] += C[row] / M[int(end) - 1]

plant = control.ss(A, B, C, 0)
G = C @ np.linalg.solve(-A, B)
assert np.linalg.eigvals(A).real.max() < 0
assert np.allclose(G[:3], 1 / (D + 1 / R).sum())  # one frequency everywhere at rest
slowest = np.linalg.eigvals(A)[np.linalg.eigvals(A).real.argmax()]
print(f"slowest mode of the plant: {slowest.real:.4f} +- {abs(slowest.imag):.4f}i per second")

# %%
# How fast may the controller be?
# -------------------------------
# Costs are known by their curvature alone: generation costs between 1/10 and 1/5, penalties convex with curvature at
# most 1. A function of all signals is more than a sum of functions of one each, so less can be proved for it. Between
# the gain that is proved and the one at which a concrete cost makes the loop unstable lies the true limit.

costs, penalty = lf.SmoothStronglyConvex("1/10", "1/5"), lf.SmoothConvex(1)
kinds = {
    "functions of all inputs, of all outputs": ((costs, penalty), {}),
    "sums of functions of one signal": (([costs] * 3, [penalty] * 6), {}),
    "frequencies alone": ((costs, [penalty] * 3 + [None] * 3), {}),
    "flows alone": ((costs, [None] * 3 + [penalty] * 3), {}),
    "as the first, and frequency 1 restored": (
        (costs, penalty),
        {"constraint": [[1, 0, 0, 0, 0, 0]], "dual_gain": "1/100"},
    ),
}
if QUICK:
    kinds = {name: kinds[name] for name in list(kinds)[1:3]}
limits = {
    name: lf.largest_gain(plant, f, tolerance="1/20" if QUICK else "1/50", **options)
    for name, (f, options) in kinds.items()
}
for name, limit in limits.items():
    assert lf.verify(limit.certificate).proved
    assert limit.classical is None or limit.gain >= Fraction(limit.classical)
    assert limit.unstable is not None
    assert limit.gain < limit.unstable
    assert limit.witness.refutes(None)
    classical = "no bound" if limit.classical is None else f"{limit.classical:.5f}"
    times = "" if limit.ratio is None else f" = {limit.ratio:.2f} times the classical bound {classical}"
    print(f"{name}: proved {float(limit.gain):.5f}{times}, unstable at {float(limit.unstable):.5f}")
first, options = next(iter(kinds.values()))
limit = limits[next(iter(kinds))]

# %%
# Too large a gain is refused with a concrete cost, not with a bare "no":

refused = lf.attempt(lf.feedback_optimization(plant, first, 2 * limit.unstable))
assert isinstance(refused, lf.Infeasible)
assert refused.witness.refutes(None)
slopes = dict(zip(refused.witness.oracle_names, refused.witness.slopes, strict=True))
shown = ", ".join(
    f"{name}: {float(slopes[name][0]):.3g}" for name in ("a1", "a2", "a3", "b1", "b2", "b3", "b4", "b5", "b6")
)
print(f"at twice that gain the claim is false; Hessians of the member: {shown}")

# %%
# The best gain is not the largest
# --------------------------------
# Near the limit the loop oscillates for long. The proved rate, and that of the slowest linear member above it, say
# where to stop.

gains = [Fraction(k, 200) for k in ((10, 30) if QUICK else (5, 10, 20, 30, 45))]
brackets = {gain: lf.bracket(lf.feedback_optimization(plant, first, gain), accuracy=1e-3) for gain in gains}
rates = [float(b.certificate.rate) for b in brackets.values()]
ceilings = [float(b.witness.rate) for b in brackets.values()]
for gain, rate, ceiling in zip(gains, rates, ceilings, strict=True):
    assert 0 < rate <= ceiling
    print(f"gain {float(gain):.3f}: proved rate {rate:.5f}, slowest linear member {ceiling:.5f}")

# %%
# A load step
# -----------
# At t = 0 the load of area 1 grows by 0.1 p.u. In deviations from the state to which the plant alone would settle, the
# step is an initial state and a shift of the outputs, so the theorem speaks of it. The penalty is that of
# :math:`\log\cosh`, quadratic for small and linear for large deviations.

load = np.zeros(11)
load[FREQUENCIES[0]] = -0.1 / M[0]
settled = np.linalg.solve(-A, load)
offset = C @ settled
spending = QuadraticFunction(np.diag([0.125, 0.15, 0.1875]) + 0.0)
deviation = ProfileSum(10 * np.eye(6), offsets=-10 * offset, weight="1/100")


def follow(gain, horizon=120.0):
    """Times, frequencies and set points, and the loop with its trajectory."""
    loop = lf.feedback_optimization(plant, (costs, penalty), gain)
    members = [spending] * 3 + [deviation] * 12
    path = lf.simulate(loop, members, np.r_[-settled, np.zeros(3)], (0.0, horizon), points=601)
    return path.t, path.y[:, 3:6, 0] + offset[:3], path.x[:, 11:, 0], loop, path


best = gains[int(np.argmax(rates))]
chosen = lf.certify(lf.feedback_optimization(plant, (costs, penalty), best), accuracy=1e-3)
runs = {"classical bound": follow(0.028), f"gain {best} (best proved rate)": follow(best)}
t, frequency, u, loop, path = runs[f"gain {best} (best proved rate)"]
seen, bound = path.storage(chosen), path.bound(chosen)
assert np.all(seen <= bound * (1 + 1e-6) + 1e-9 * seen[0])

rest = path.equilibrium.x.ravel()
optimum = spending.gradient(rest[11:]) + G.T @ deviation.gradient(C @ rest[:11])
assert np.abs(optimum).max() < 1e-8  # the loop rests where the gradient of the reduced cost vanishes
print(f"frequency: {offset[0]:.4f} Hz without the controller, {(C @ rest[:11] + offset)[0]:.4f} Hz at the optimum")
print(f"set points: {np.array2string(rest[11:], precision=4)} p.u.")

# %%
# And at twice the gain of the witness, with the costs that it names:

wild = lf.feedback_optimization(plant, (costs, penalty), 2 * limit.unstable)
bad = QuadraticFunction(np.diag([1.0, 1, 1, 0, 0, 0]))
grown = lf.simulate(wild, [SquaredNorm("1/10")] * 3 + [bad] * 12, np.r_[-settled, np.zeros(3)], (0.0, 60.0))
assert grown.distance[-1] > 10 * grown.distance[0]


def draw(figure):
    """Rates over the gain, and the step."""
    left, right = figure.subplots(1, 2)
    left.plot([float(g) for g in gains], ceilings, "o--", label="slowest linear member")
    left.plot([float(g) for g in gains], rates, "o-", label="proved rate")
    left.axvline(limit.classical, color="gray", ls=":", label="classical bound")
    left.axvline(float(limit.gain), color="tab:green", label="largest proved gain")
    left.axvline(float(limit.unstable), color="tab:red", label="unstable member")
    left.set(xlabel="gain [1/s]", ylabel="decay rate [1/s]", ylim=(0, None))
    left.legend(fontsize=7)
    for name, (times, hertz, _, _, _) in runs.items():
        right.plot(times, hertz[:, 0], label=name)
    right.axhline(offset[0], color="gray", ls=":", label="no controller, at rest")
    right.set(xlabel="t [s]", ylabel="frequency of area 1 [Hz]")
    right.legend(fontsize=7)


draw(plt.figure(figsize=(9, 3.6), layout="constrained"))

# %%
# Certificate and report
# ----------------------

lf.save(limit.certificate, OUTPUT / "feedback_optimization.json")
assert lf.verify(OUTPUT / "feedback_optimization.json").proved
report = lf.write_report(
    OUTPUT / "feedback_optimization.html",
    Note("The plant", "Three control areas, 11 states (Bevrani 2009). Gains in 1/s; the classical bound is computed."),
    Table(
        "How fast the controller may be",
        ("costs", "largest gain with a certificate", "classical bound", "ratio", "gain of an unstable member"),
        [[name, found.gain, found.classical, found.ratio, found.unstable] for name, found in limits.items()],
    ),
    limit.certificate,
    Simulation(chosen, path, "A load step of 0.1 p.u. in area 1"),
    Figure("Rates over the gain, and the load step", draw, "", "Left: certificates and members. Right: simulation."),
    title="Three power areas find their economic optimum by feedback",
)
print(f"report: {report}")
