"""The factorization flow in closed form beside its integration: time and memory. Writes factorization.md.

``OMP_NUM_THREADS=1 python -m benchmarks.factorization [--states 2000] [--rank 50] [--times 200]``
"""

from __future__ import annotations

import argparse
import gc
import os
import tracemalloc
from pathlib import Path
from time import perf_counter

import numpy as np

import lyapflow as lf

from .results import judge, machine_line, table

PROBLEMS = {
    "low rank, over-parameterised": (25, 1 / 20, 80, True),
    "all eigenvalues different, condition 200": (50, 1 / 200, 8, False),
    "all eigenvalues different, condition 20": (50, 1 / 20, 8, False),
}
"""Positive eigenvalues, the least of them (the largest is 1), its time constants that are followed, and whether all
others are zero."""
LEAST = 1 / 200
RTOL = 3e-12
"""Of the integrator, so that its states are right to about 1e-8: errors grow while it leaves a small start."""


def make_problem(n: int, r: int, k: int, least: float, *, low: bool) -> tuple[np.ndarray, np.ndarray]:
    """M with k positive eigenvalues from `least` to 1, the others zero or in [-1/2, 0], and a small start."""
    rng = np.random.default_rng(20241115)
    values = np.concatenate([np.geomspace(1, least, k), np.zeros(n - k) if low else -rng.uniform(0, 0.5, n - k)])
    turn = np.linalg.qr(rng.standard_normal((n, n)))[0]
    M = turn * values @ turn.T
    return (M + M.T) / 2, 0.1 * rng.standard_normal((n, r)) / np.sqrt(n)


def measure_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Relative distance of two states up to a rotation of their columns."""
    u, _, v = np.linalg.svd(a.T @ b)
    return float(np.linalg.norm(a @ (u @ v) - b) / np.linalg.norm(b))


def race(n: int, r: int, count: int, problem: tuple[int, float, int, bool]) -> dict[str, float]:
    """Both methods on the same problem, decomposition of M included: median of three runs, and one integration."""
    k, least, constants, low = problem
    M, X0 = make_problem(n, r, min(k, r), least, low=low)
    times = np.linspace(0, constants / least, count + 1)[1:]
    spent = []
    for _ in range(3):
        start = perf_counter()
        states = lf.cascade.schur(lf.learning.SymmetricFactorization(M, rank=r), X0).factor(times)
        spent.append(perf_counter() - start)
    closed = float(np.median(spent))
    flow = lf.learning.SymmetricFactorization(M, rank=r)
    start = perf_counter()
    path = flow.simulate(X0, times, rtol=RTOL)
    integrated = perf_counter() - start
    gaps = [measure_distance(a, b) for a, b in zip(states, path.x, strict=True)]
    return {
        "closed": closed,
        "integrated": integrated,
        "evaluations": path.evaluations,
        "gap": max(gaps),
        "until": times[-1],
    }


def measure_memory(n: int, r: int, count: int) -> dict[str, float]:
    """Peak memory of numpy and Python in megabytes, M diagonal, for the losses and for the states at all times."""
    rng = np.random.default_rng(1)
    values = np.concatenate([np.geomspace(1, LEAST, r), -rng.uniform(0, 0.5, n - r)])
    X0, times = rng.standard_normal((n, r)) / np.sqrt(n), np.linspace(0, 8 / LEAST, count + 1)[1:]
    found = {}
    for name in ("loss", "factor"):
        gc.collect()
        tracemalloc.start()
        getattr(lf.cascade.schur(lf.learning.SymmetricFactorization(values, rank=r), X0), name)(times)
        found[name] = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
    return found


def main() -> None:
    """Read the arguments, run, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=int, default=2000)
    parser.add_argument("--rank", type=int, default=50)
    parser.add_argument("--times", type=int, default=200)
    options = parser.parse_args()
    n, r, count = options.states, options.rank, options.times
    found = {name: race(n, r, count, problem) for name, problem in PROBLEMS.items()}
    memory = {size: measure_memory(size, r, count) for size in (n, 2 * n)}
    state, output = n * r * 8 / 1e6, n * r * count * 8 / 1e6
    rows = [
        [
            name,
            f"{one['until']:g}",
            f"{one['closed']:.2f}",
            f"{one['integrated']:.1f}",
            f"{one['integrated'] / one['closed']:.1f}",
            f"{one['evaluations']:.0f}",
            f"{one['gap']:.1e}",
        ]
        for name, one in found.items()
    ]
    first = next(iter(found.values()))
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    lines = [
        "# The factorization flow: closed form beside integration",
        "",
        f"M of {n} rows, dense, |M| = 1; {r} columns; the state at {count} times. The closed form (median of three) "
        "includes the decomposition of M, and hardly depends on the problem but for one thing: large eigenspaces are "
        "reduced to what the start has in them, so a matrix of low rank is cheaper. The integration is SciPy's DOP853 "
        f"at rtol {RTOL:g}, its right-hand side one product with M; the longer the time and the stiffer the problem, "
        f"the longer it takes. Both in one run, OMP_NUM_THREADS={threads}. *Difference*: of "
        "the states at all times, relative, up to a rotation.",
        "",
        table(
            [
                "problem",
                "until",
                "closed form, s",
                "integration, s",
                "ratio",
                "evaluations",
                "difference",
            ],
            rows,
        ),
        "",
        f"Ratio of the first row, wanted 20: {judge(first['integrated'] / first['closed'], 20, at_least=True)}.",
        "",
        "Peak memory of the closed form in megabytes, M diagonal:",
        "",
        table(
            ["rows of M", "one state", f"losses at {count} times", f"states at {count} times", "all these states"],
            [
                [
                    str(size),
                    f"{state * size / n:.2f}",
                    f"{used['loss']:.1f}",
                    f"{used['factor']:.1f}",
                    f"{output * size / n:.1f}",
                ]
                for size, used in memory.items()
            ],
        ),
        "",
        f"A matrix of {n} x {n} would take {n * n * 8 / 1e6:.0f}. Repeat: "
        "`OMP_NUM_THREADS=1 python -m benchmarks.factorization`.",
        "",
        machine_line(tools=("lyapflow", "numpy", "scipy")),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    Path(__file__).with_name("factorization.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
