"""Time and memory against the number of states, for plants with one sector nonlinearity.

``python -m benchmarks.large_plants [--sizes 2 5 10 ...] [--rounds 3]`` writes large_plants.md and its figure. Each
plant is done in a process of its own, so that the peak of its memory is known.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import control
import matplotlib
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import minimize_scalar

import lyapflow as lf
from lyapflow.certificates.verification import check
from lyapflow.search.gain_loop import find_gain_loop, read_sector
from lyapflow.search.large import attempt_large
from lyapflow.search.riccati import find_extreme_point, find_storage

from .results import machine_line, table

__all__ = ["FAMILIES", "main"]

SIZES = (2, 5, 10, 20, 50, 100, 150, 200)
MOST_FOR_PROGRAM = 20
"""States up to which the semidefinite program is run too."""

LARGE = 50
"""States from which the slope is fitted: below, the calls themselves are what costs."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Two threads are no faster at these sizes, and much slower where another process wants the second core."""

HERE = Path(__file__).parent
Plant = tuple[np.ndarray, np.ndarray, np.ndarray]
Row = dict[str, Any]


# --- plants ----------------------------------------------------------------------------------------------------------


def make_chain(n: int) -> Plant:
    """Masses between springs and walls, a force on the last one whose position is measured.

    With an odd number of states the force comes from an actuator of first order.
    """
    m = n // 2
    stiffness = 2 * np.eye(m) - np.eye(m, k=1) - np.eye(m, k=-1)
    A = np.block([[np.zeros((m, m)), np.eye(m)], [-stiffness, -0.2 * np.eye(m)]])
    B, C = np.eye(2 * m)[:, [-1]], np.eye(2 * m)[[m - 1]]
    if n % 2:
        A = np.block([[A, B], [np.zeros((1, 2 * m)), -3 * np.eye(1)]])
        B, C = 3 * np.eye(n)[:, [-1]], np.append(C, [[0.0]], axis=1)
    return A, B, C


def make_rod(n: int) -> Plant:
    """Heat conduction in a rod with cold ends, by n equal cells: heated at a quarter, measured at three quarters."""
    A = (n + 1) ** 2 * (np.eye(n, k=1) + np.eye(n, k=-1) - 2 * np.eye(n))
    return A, np.eye(n)[:, [n // 4]], np.eye(n)[[3 * n // 4]]


def make_random(n: int) -> Plant:
    """A stable plant of python-control's random generator, seeded."""
    np.random.seed(n)  # noqa: NPY002 - that is where control.rss draws from
    plant = control.rss(n, 1, 1, strictly_proper=True)
    return plant.A, plant.B, plant.C


FAMILIES: dict[str, Callable[[int], Plant]] = {
    "chain of masses": make_chain,
    "heated rod": make_rod,
    "random": make_random,
}


def close(plant: Plant) -> lf.LureSystem:
    """The plant in feedback with a sector as wide as 80 % of the inverse of its peak gain."""
    A, B, C = plant
    shape = control.ss(A, B, C, 0)
    line = 1j * np.append(0, np.geomspace(1e-3, 1e3, 400))
    gain = float(f"{np.abs(shape(line, squeeze=True)).max():.3g}")
    return lf.LureSystem.from_control(shape, oracles=[lf.SectorBounded(-0.5 / gain, 0.3 / gain)])


# --- one plant -------------------------------------------------------------------------------------------------------


def measure(family: str, n: int, rounds: int) -> Row:
    """Median times of the parts, peak memory, and how the rate compares with other methods'."""
    plant = FAMILIES[family](n)
    system = close(plant)
    before = _peak_megabytes()
    times: dict[str, list[float]] = {"search": [], "proof": [], "all": [], "verify": [], "witness": []}
    for _ in range(rounds):
        start = perf_counter()
        loop = find_gain_loop(system, read_sector(system))
        extreme = find_extreme_point(loop)
        find_storage(loop, extreme, extreme.level * (1 - 1e-7))
        times["search"].append(perf_counter() - start)
        start = perf_counter()
        outcome = attempt_large(system, lf.ExponentialDecay())
        times["all"].append(perf_counter() - start)
        certificate = lf.search.outcomes.unwrap(outcome)
        start = perf_counter()
        violation = check(certificate.pencil(), certificate.values)
        times["proof"].append(perf_counter() - start)
    memory = _peak_megabytes()
    start = perf_counter()
    witness = outcome.witness
    times["witness"].append(perf_counter() - start)
    with TemporaryDirectory() as folder:
        path = lf.save(certificate, Path(folder) / "certificate.json")
        size = path.stat().st_size
        start = perf_counter()
        verdict = lf.verify(path)
        times["verify"].append(perf_counter() - start)
    return {
        "family": family,
        "n": n,
        "proved": violation is None and verdict.proved,
        "rate": float(certificate.rate),
        "gap": float(witness.rate / certificate.rate - 1),
        "bound": float(certificate.transient_bound),
        "program": compare_program(system, certificate.rate) if n <= MOST_FOR_PROGRAM else None,
        "circle": compare_circle(plant, system, float(certificate.rate)),
        "megabytes": memory,
        "megabytes before": before,
        "grown": memory - before,
        "file": size / 1e6,
        **{name: float(np.median(values)) for name, values in times.items()},
    }


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def compare_program(system: lf.LureSystem, rate: Fraction) -> Row:
    """The semidefinite program for the same V: its time, and its rate relative to the given one."""
    lf.attempt(system, template=lf.QuadraticStorage(), solver="CLARABEL")  # cvxpy is slow the first time
    start = perf_counter()
    outcome = lf.attempt(system, template=lf.QuadraticStorage())
    seconds = perf_counter() - start
    found = float(outcome.certificate.rate / rate - 1) if isinstance(outcome, lf.Proved) else None
    return {"seconds": seconds, "difference": found}


def compare_circle(plant: Plant, system: lf.LureSystem, rate: float) -> bool:
    """Whether the circle criterion holds at the rate and fails at one larger by 1e-5, by python-control's responses."""
    sector = system.oracles[0]
    low, high = float(sector.lower), float(sector.upper)
    return _satisfies_circle(plant, low, high, rate) and not _satisfies_circle(plant, low, high, rate * (1 + 1e-5))


def _satisfies_circle(plant: Plant, low: float, high: float, rate: float) -> bool:
    """``Re (1 - high G)(1 - low G)* > 0`` on the axis through ``-rate``, and a stable loop for the slope between."""
    A, B, C = plant
    middle = A + (low + high) / 2 * B @ C + rate * np.eye(len(A))
    if np.linalg.eigvals(middle).real.max() >= 0:
        return False
    shifted = control.ss(A + rate * np.eye(len(A)), B, C, 0)

    def distance(omega: np.ndarray) -> np.ndarray:
        G = shifted(1j * np.atleast_1d(omega), squeeze=True)
        return np.real((1 - high * G) * np.conj(1 - low * G)) / (1 + np.abs(G) ** 2)

    # Not only a grid: a narrow resonance lies at the frequency of an eigenvalue of the loop.
    resonances = np.unique(np.abs(np.linalg.eigvals(middle).imag))
    grid = np.unique(np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 400), resonances]))
    values = distance(grid)
    k = int(np.argmin(values))
    ends = float(grid[max(k - 1, 0)]), float(grid[min(k + 1, len(grid) - 1)])
    inside = minimize_scalar(
        lambda w: distance(np.array(w)).item(), bounds=ends, method="bounded", options={"xatol": 1e-12}
    )
    return min(float(values.min()), float(inside.fun)) > 0


# --- the page --------------------------------------------------------------------------------------------------------


def fit_slope(rows: list[Row], key: str) -> float:
    """Slope of a quantity over the number of states, both logarithmic, for the large plants."""
    large = [row for row in rows if row["n"] >= LARGE]
    return float(np.polyfit(np.log([row["n"] for row in large]), np.log([row[key] for row in large]), 1)[0])


def draw(rows: list[Row], path: Path) -> None:
    """Times and memory over the number of states, all families."""
    matplotlib.rcParams["svg.hashsalt"] = "large plants"
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for family, marker in zip(FAMILIES, "os^", strict=True):
        own = [row for row in rows if row["family"] == family]
        states = [row["n"] for row in own]
        left.loglog(states, [row["search"] for row in own], f"-{marker}", color="C0", markersize=4)
        left.loglog(states, [row["proof"] for row in own], f"--{marker}", color="C1", markersize=4)
        both = [row for row in own if row["program"]]
        left.loglog(
            [r["n"] for r in both], [r["program"]["seconds"] for r in both], f":{marker}", color="C3", markersize=4
        )
        right.semilogx(states, [row["megabytes"] for row in own], f"-{marker}", color="0.3", markersize=4, label=family)
    for text, style, color in (
        ("search: Riccati", "-", "C0"), ("exact proof", "--", "C1"), ("semidefinite program, proof included", ":", "C3")
    ):  # fmt: skip
        left.plot([], [], style, color=color, label=text)
    left.set(xlabel="states", ylabel="seconds")
    right.set(xlabel="states", ylabel="peak memory of the process, MB", ylim=(0, None))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None})


def show(rows: list[Row]) -> str:
    """Markdown: one table per family, the slopes, and what was compared."""
    parts = []
    for family in FAMILIES:
        own = [row for row in rows if row["family"] == family]
        head = [
            "states", "search, s", "proof, s", "in all, s", "verify file, s", "witness, s", "peak, MB", "file, MB",
            "gap to witness", "c", "SDP, s", "SDP rate", "circle criterion",
        ]  # fmt: skip
        parts.append(f"## {family.capitalize()}\n\n{table(head, [_show_row(row) for row in own])}")
    names = {"search": "search", "proof": "proof", "all": "in all", "grown": "memory"}
    slopes = [
        [name, *(f"{fit_slope([r for r in rows if r['family'] == family], key):.2f}" for family in FAMILIES)]
        for key, name in names.items()
    ]
    parts.append(
        "## Slope\n\nOf the logarithm of a time, or of the memory above what was there before, over that of the number "
        f"of states, from {LARGE} states on.\n\n" + table(["part", *FAMILIES], slopes)
    )
    return "\n\n".join(parts)


def _show_row(row: Row) -> list[str]:
    program = row["program"]
    difference = None if program is None else program["difference"]
    return [
        str(row["n"]) if row["proved"] else f"{row['n']} (not proved)",
        *(f"{row[key]:.3f}" for key in ("search", "proof", "all", "verify", "witness")),
        f"{row['megabytes']:.0f}",
        f"{row['file']:.2f}",
        f"{row['gap']:.1e}",
        f"{row['bound']:.3g}",
        "" if program is None else f"{program['seconds']:.3f}",
        "" if program is None else ("no proof" if difference is None else f"{difference:+.0e}"),
        "agrees" if row["circle"] else "differs",
    ]


HEAD = """# Large plants

Linear plants in feedback with one nonlinearity in a sector; the best rate and V are searched and proved. Medians of
{rounds}, one thread. Repeat it with `python -m benchmarks.large_plants` in the environment of
[requirements.txt](requirements.txt).

- *Search*: the extreme point of the gain (eigenvalues of Hamiltonian matrices) and one Riccati equation.
  *Proof*: the exact check of all three matrix inequalities. *In all*: the call itself.
- *Verify file*: reading a certificate, proving it again, and measuring its margins. *Witness*: the slowest linear
  member, with a rigorous bound of its rate; *gap* is its relative distance from the proved rate.
- *Peak*: memory of the process; {baseline:.0f} MB of it are there before the search.
- *c*: the proved transient bound, in the plant's own coordinates.
- *SDP*: the semidefinite program for the same V (Clarabel), proof included, and its rate relative to the one here.
- *Circle criterion*: whether it holds at the proved rate and fails at one larger by 1e-5, by frequency responses of
  python-control.

![time and memory over the number of states](large_plants.svg)

"""


def main() -> None:
    """Measure all families and sizes, and write the page and its figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("FAMILY", "STATES"), help="measure one plant and print JSON")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one[0], int(arguments.one[1]), arguments.rounds)))
        return
    rows = []
    for family in FAMILIES:
        for n in arguments.sizes:
            command = [sys.executable, "-m", "benchmarks.large_plants", "--rounds", str(arguments.rounds)]
            done = subprocess.run(
                [*command, "--one", family, str(n)],
                check=True,
                capture_output=True,
                text=True,
                env=os.environ | ONE_THREAD,
            )
            rows.append(json.loads(done.stdout))
            print(f"{family}, {n} states: {rows[-1]['all']:.2f} s", flush=True)
    draw(rows, HERE / "large_plants.svg")
    baseline = float(np.median([row["megabytes before"] for row in rows]))
    tools = ("lyapflow", "control", "clarabel", "numpy", "scipy", "python-flint")
    text = (
        HEAD.format(rounds=arguments.rounds, baseline=baseline) + show(rows) + "\n\n" + machine_line(tools=tools) + "\n"
    )
    (HERE / "large_plants.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
