"""Machine-checked theorems of all catalogue systems: writes the table of ``docs/machine_checked.md``.

``python -m benchmarks.coq`` certifies each system, exports it, and has the proof assistant check it.
"""

from __future__ import annotations

import resource
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
START, END = "<!-- table: written by benchmarks/coq.py -->", "<!-- end of table -->"


def check(name: str) -> tuple[str, ...]:
    """One row: system, claim, lines, seconds, verdict."""
    sys.path.insert(0, str(ROOT / "tests"))
    from systems import ALGORITHMS, CATALOGUE

    import lyapflow as lf
    from lyapflow.wording import tell_claim

    kind, _, key = name.partition(" ")
    certificate = lf.certify((CATALOGUE if kind == "flow" else ALGORITHMS)[key])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    verdict = lf.verify_coq(certificate, timeout=900)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    lines = str(len(verdict.text.splitlines()))
    return name, tell_claim(certificate), lines, f"{seconds:.1f}", verdict.verdict


def main() -> None:
    """Check all, and write the table."""
    sys.path.insert(0, str(ROOT / "tests"))
    from systems import ALGORITHMS, CATALOGUE

    names = [*(f"flow {name}" for name in CATALOGUE), *(f"algorithm {name}" for name in ALGORITHMS)]
    rows = []
    with ProcessPoolExecutor(2, max_tasks_per_child=1) as pool:
        for row in pool.map(check, names):
            print(*row, sep=" | ", flush=True)
            rows.append(row)
    table = "| system | claim | `.v` lines | `coqc` seconds (CPU) | verdict |\n| --- | --- | --- | --- | --- |\n"
    table += "".join(f"| {' | '.join(row)} |\n" for row in rows)
    page = ROOT / "docs" / "machine_checked.md"
    text = page.read_text(encoding="utf-8")
    before, after = text.split(START)[0], text.split(END)[1]
    page.write_text(f"{before}{START}\n\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
