"""Machine-checked theorems of the catalogue, intervals and families: writes the table of ``docs/machine_checked.md``.

``python -m benchmarks.coq`` certifies each system, exports it, and has the proof assistant check it.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import lyapflow as lf
    from lyapflow import Certificate

ROOT = Path(__file__).parents[1]
START, END = "<!-- table: written by benchmarks/coq.py -->", "<!-- end of table -->"


def check(name: str) -> tuple[str, ...]:
    """One row: system, claim, lines, seconds of the file and of its slowest theorem, verdict."""
    sys.path.insert(0, str(ROOT / "tests"))
    from systems import ALGORITHMS, CATALOGUE

    import lyapflow as lf
    from lyapflow.wording import tell_claim

    kind, _, key = name.partition(" ")
    if kind in {"interval", "family"}:
        certificate = list_others()[name]()
    else:
        certificate = lf.certify((CATALOGUE if kind == "flow" else ALGORITHMS)[key])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    verdict = lf.verify_coq(certificate, timeout=900)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    lines = str(len(verdict.text.splitlines()))
    slowest = f"{time_slowest(verdict.text):.1f}"
    return name, tell_claim(certificate), lines, f"{seconds:.1f}", slowest, verdict.verdict


def time_slowest(text: str) -> float:
    """CPU seconds of the slowest theorem or lemma, from its first line to its last."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "theorem.v"
        path.write_text(text, encoding="utf-8")
        command = ["coqc", "-time", path.name]
        told = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True).stdout
    slowest = seconds = 0.0
    for start, end, user, system in re.findall(r"Chars (\d+) - (\d+) .*\(([\d.]+)u,([\d.]+)s\)", told):
        if re.match(r"(Lemma|Theorem)\b", text[int(start) : int(end)]):
            seconds = 0.0
        seconds += float(user) + float(system)
        slowest = max(slowest, seconds)
    return slowest


def list_others() -> dict[str, Callable[[], Certificate]]:
    """Intervals of singular values, and families over a parameter."""
    import lyapflow as lf

    f = lf.SmoothStronglyConvex(1, 10)

    def iteration(**where: object) -> Certificate:
        return lf.certify(lf.algorithms.chambolle_pock(f, f, step_primal="1/5", step_dual="1/5", **where))

    def gradient(L: Fraction) -> lf.LureSystem:
        return lf.algorithms.gradient_descent(lf.SmoothStronglyConvex(1, L), step=2 / (1 + L))

    def heavy_ball(mu: Fraction) -> lf.LureSystem:
        return lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex(mu, 10), damping=2 * mu + 1)

    def splitting(L: Fraction) -> lf.LureSystem:
        return lf.flows.forward_backward_flow(lf.SmoothStronglyConvex(1, L), lf.Convex(), step=1 / L)

    def momentum(L: Fraction) -> lf.LureSystem:
        return lf.algorithms.heavy_ball(lf.SmoothStronglyConvex(1, L), step=1 / L, momentum="1/10")

    def gain(k: Fraction) -> lf.LureSystem:
        return lf.LureSystem([[0]], [[-k]], [[1]], oracles=[f])

    return {
        "interval chambolle-pock, singular values in [1/2, 1]": lambda: iteration(singular_values=("1/2", 1)),
        "interval chambolle-pock, any K of norm at most 1": lambda: iteration(singular_values=(0, 1)),
        "interval chambolle-pock, K = [[1, 2], [0, 1], [1, 1]]": lambda: iteration(operator=[[1, 2], [0, 1], [1, 1]]),
        "family gradient-descent, step 2 / (1 + L), L in [2, 10]": lambda: lf.certify(gradient, over={"L": (2, 10)}),
        "family heavy-ball, damping 2 mu + 1, mu in [1, 2]": lambda: lf.certify(heavy_ball, over={"mu": (1, 2)}),
        "family forward-backward, step 1 / L, L in [2, 10]": lambda: lf.certify(splitting, over={"L": (2, 10)}),
        "family heavy-ball algorithm, step 1 / L, L in [2, 3]": lambda: lf.certify(momentum, over={"L": (2, 3)}),
        "family gradient, gain k >= 1": lambda: lf.certify(gain, over={"k": (1, None)}),
    }


def main() -> None:
    """Check all, and write the table."""
    sys.path.insert(0, str(ROOT / "tests"))
    from systems import ALGORITHMS, CATALOGUE

    names = [*(f"flow {name}" for name in CATALOGUE), *(f"algorithm {name}" for name in ALGORITHMS), *list_others()]
    rows = []
    with ProcessPoolExecutor(2, max_tasks_per_child=1) as pool:
        for row in pool.map(check, names):
            print(*row, sep=" | ", flush=True)
            rows.append(row)
    heads = "system", "claim", "`.v` lines", "`coqc` seconds (CPU)", "slowest theorem", "verdict"
    table = f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}\n"
    table += "".join(f"| {' | '.join(row)} |\n" for row in rows)
    page = ROOT / "docs" / "machine_checked.md"
    text = page.read_text(encoding="utf-8")
    before, after = text.split(START)[0], text.split(END)[1]
    page.write_text(f"{before}{START}\n\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
