"""Random systems by the thousand: is anything proved that is not true? Writes the soundness section of results.md.

``python -m benchmarks.random_systems [--count 10000] [--jobs 2] [--store build/random_systems.jsonl]``. One line per
system goes to the store at once; what is there is not done again, so a run can be stopped and resumed.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

import lyapflow as lf

from .drawing import KINDS, draw_system
from .refutation import attack_by_linear_member
from .results import SOUNDNESS, machine_line, table, write_section
from .runs import attack_by_run

__all__ = ["Finding", "judge_system"]

System = lf.LureSystem | lf.PrimalDualSystem


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What came of one system.

    Attributes
    ----------
    outcome : str
        ``Proved``, ``Infeasible`` or ``Inconclusive``.
    slack : float or None
        See `LinearAttack`; None where nothing is proved.
    false : tuple of str
        What is false of a proof, by whose word; empty is what one expects.
    notes : tuple of str
        What could not be done, or not be told.
    """

    outcome: str
    slack: float | None = None
    false: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def judge_system(system: System, rng: np.random.Generator) -> Finding:
    """Ask for the best rate or factor, and attack what is proved."""
    outcome = lf.attempt(system)
    if not isinstance(outcome, lf.Proved):
        return Finding(outcome=type(outcome).__name__)
    certificate = outcome.certificate
    false, notes = [], []
    if not lf.verify(certificate).proved:
        false.append("the checker refuses it")
    linear = attack_by_linear_member(certificate, rng)
    if linear.verdict == "slower":
        false.append(f"a linear member is slower, by {-linear.slack:.1e}")
    if linear.verdict == "equal":
        notes.append("a linear member is as slow as the claim")
    broken = attack_by_run(certificate, rng)
    false += [broken] if broken else []
    return Finding(outcome="Proved", slack=linear.slack, false=tuple(false), notes=tuple(notes))


def _judge_seed(seed: int) -> dict[str, object]:
    kind, system = draw_system(Random(seed))
    try:
        finding = judge_system(system, np.random.default_rng(seed))
    except BaseException as error:  # one crash is a finding, not the end of the run; a solver's panic is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        finding = Finding(outcome="crash", notes=(f"{type(error).__name__}: {error}",))
    return {"seed": seed, "kind": kind, **finding.__dict__}


def _read(store: Path) -> dict[int, dict[str, object]]:
    """Findings by seed; a line that a killed run left unfinished is skipped."""
    found = {}
    for line in store.read_text(encoding="utf-8").splitlines() if store.exists() else ():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[entry["seed"]] = entry
    return found


def _show(found: list[dict[str, object]]) -> str:
    rows = []
    for kind in (*KINDS, "all"):
        mine = [e for e in found if kind in (e["kind"], "all")]
        outcomes = Counter(e["outcome"] for e in mine)
        proved = [e for e in mine if e["outcome"] == "Proved"]
        cells = [len(mine), *(outcomes[o] for o in ("Proved", "Infeasible", "Inconclusive", "crash"))]
        equal = sum(any("as slow" in note for note in e["notes"]) for e in proved)
        rows.append([kind, *map(str, cells), f"**{sum(bool(e['false']) for e in proved)}**", str(equal)])
    heads = ["kind", "systems", "proved", "infeasible", "inconclusive", "crashes", "false claims", "ties"]
    listed = [f"- seed {e['seed']} ({e['kind']}): {'; '.join((*e['false'], *e['notes']))}" for e in found]
    bad = [text for text, e in zip(listed, found, strict=True) if e["false"] or e["outcome"] == "crash"]
    words = (
        "Every proof is attacked three ways: by the checker, by the slowest linear member of an independent search "
        "(decided by ball arithmetic where it comes near), and by V along a run of random members. *Ties*: the slowest "
        "member is as slow as the claim to 256 bits, so the claim is the exact one."
    )
    return "\n\n".join([words, table(heads, rows), *(["\n".join(bad[:50])] if bad else [])])


def main() -> None:
    """Run what is missing and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--store", type=Path, default=Path("build/random_systems.jsonl"))
    arguments = parser.parse_args()
    arguments.store.parent.mkdir(parents=True, exist_ok=True)
    found = _read(arguments.store)
    missing = [seed for seed in range(arguments.count) if seed not in found]
    with arguments.store.open("a", encoding="utf-8") as lines, ProcessPoolExecutor(arguments.jobs) as pool:
        lines.write("\n")  # ends a line that was cut off
        for done, entry in enumerate(pool.map(_judge_seed, missing, chunksize=8), start=1):
            found[entry["seed"]] = entry
            lines.write(json.dumps(entry) + "\n")
            lines.flush()
            if done % 100 == 0 or entry["false"]:
                print(f"{done} of {len(missing)}; seed {entry['seed']}: {entry['outcome']} {entry['false']}")
    chosen = [found[seed] for seed in range(arguments.count)]
    write_section(
        SOUNDNESS,
        _show(chosen) + "\n\n" + machine_line(tools=("lyapflow", "clarabel", "numpy", "scipy", "python-flint")),
    )


if __name__ == "__main__":
    main()
