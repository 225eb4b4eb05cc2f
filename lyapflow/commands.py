"""What each command does: parsed arguments in, lines on standard output, exit code out.

Rooms are imported by the command that needs them, so ``lyapflow verify`` starts no solver.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import InvalidModelError
from .progress import show_bar, show_lines

if TYPE_CHECKING:
    from .certificates import Certificate
    from .coq.compiler import CoqVerdict
    from .studies import Studied
    from .sweeps import Row

__all__ = [
    "NOT_PROVED",
    "PROVED",
    "UNUSABLE",
    "run_certify",
    "run_export",
    "run_list",
    "run_report",
    "run_study",
    "run_sweep",
    "run_verify",
]

PROVED, NOT_PROVED, UNUSABLE = 0, 1, 2


def run_certify(arguments: argparse.Namespace) -> int:
    """Certify what a problem file asks for, and write the certificates."""
    from .problems import read_problem
    from .studies import certify_problem

    _check_folder(arguments.output, must_exist=True)
    problem = read_problem(arguments.problem)
    with show_lines(arguments.json) as say:
        studied = tuple(certify_problem(problem, arguments.output, solver=arguments.solver, say=say))
    return _print_studied(studied, [one.file for one in studied if one.file is not None], as_json=arguments.json)


def run_study(arguments: argparse.Namespace) -> int:
    """The whole job on a problem file, or a study of the catalogue."""
    from .problems import read_problem
    from .studies import study

    _check_folder(arguments.output, must_exist=False)
    if _is_name(arguments.problem):
        return _study_catalogue(arguments)
    problem = read_problem(arguments.problem)
    with show_lines(arguments.json) as say:
        done = study(problem, arguments.output, solver=arguments.solver, say=say)
    return _print_studied(done.studied, list(done.files), as_json=arguments.json)


def _check_folder(folder: Path, *, must_exist: bool) -> None:
    """Find out before the work, not after it, whether its results can be written."""
    if folder.exists() and not folder.is_dir():
        raise InvalidModelError(f"{folder}: must be a folder, and it is a file")
    if must_exist and not folder.exists():
        raise InvalidModelError(f"{folder}: the folder does not exist; create it first")
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        raise InvalidModelError(f"{folder}: cannot be written to")


def _is_name(problem: Path) -> bool:
    """A file stays a file; what is no file and does not look like one is the name of a study."""
    return len(problem.parts) == 1 and not problem.suffix and not problem.exists()


def _study_catalogue(arguments: argparse.Namespace) -> int:
    from . import learning_studies

    if arguments.solver is not None:
        raise InvalidModelError("--solver is for problem files: a study of the catalogue searches nothing")
    with show_lines(arguments.json) as say:
        report = learning_studies.run_study(str(arguments.problem), arguments.output, say=say)
    if arguments.json:
        print(json.dumps({"study": str(arguments.problem), "files": [str(report)]}, indent=1))
    else:
        print(f"written: {report}")
    return PROVED


def _print_studied(studied: tuple[Studied, ...], files: list[Path], *, as_json: bool) -> int:
    from .catalogue import KINDS
    from .wording import studied_data, tell_studied

    if as_json:
        data: dict[str, Any] = {
            f"{kind}s": [studied_data(one) for one in studied if one.request.kind == kind] for kind in KINDS
        }
        print(json.dumps(data | {"files": [str(f) for f in files]}, indent=1))
    else:
        for one in studied:
            print(tell_studied(one))
        for file in files:
            print(f"written: {file}")
    return PROVED if all(one.certificate is not None for one in studied) else NOT_PROVED


def run_sweep(arguments: argparse.Namespace) -> int:
    """Certify at every point of a grid; what is known by then is written also when it is stopped."""
    from .parameters import read_axis, sweep_problem
    from .report import write_sweep
    from .sweeps import SweepResult

    _check_folder(arguments.output, must_exist=False)
    grid: dict[str, Sequence[Fraction]] = {}
    for name, values in map(read_axis, arguments.grid):
        if name in grid:
            raise InvalidModelError(f"--grid {name} is there twice")
        grid[name] = values
    known: list[Row] = []
    try:
        with show_bar() as show:

            def take(done: int, total: int, row: Row) -> None:
                known.append(row)
                show(done, total)

            result = sweep_problem(
                arguments.problem,
                grid,
                jobs=arguments.jobs,
                store=arguments.store,
                solver=arguments.solver,
                progress=take,
            )
    except KeyboardInterrupt:
        if known:
            write_sweep(arguments.output, SweepResult(tuple(known)))
        raise
    files = write_sweep(arguments.output, result)
    for row in result:
        if row.outcome != "proved":
            print(row)
    print(f"{len(result.proved)} of {len(result)} points proved")
    for file in files:
        print(f"written: {file}")
    return PROVED if len(result.proved) == len(result) else NOT_PROVED


def run_verify(arguments: argparse.Namespace) -> int:
    """Prove certificate files again; the exit code is that of the worst of them."""
    from .certificates.files import read
    from .certificates.verification import judge
    from .errors import CertificateFormatError
    from .wording import tell_verdict, verdict_data

    worst = PROVED
    data: list[dict[str, Any]] = []
    for file in arguments.files:
        try:
            stored = read(file)
        except CertificateFormatError as problem:
            worst = max(worst, UNUSABLE)
            data.append({"file": str(file), "usable": False, "proved": False, "reason": str(problem)})
            if not arguments.json:
                print(f"lyapflow: {problem}", file=sys.stderr)
            continue
        verdict = judge(stored)
        worst = max(worst, PROVED if verdict.proved else NOT_PROVED)
        data.append(verdict_data(file, verdict, stored.certificate))
        if not arguments.json:
            print(tell_verdict(file, verdict, stored.certificate))
        if arguments.coq and verdict.proved:
            from .coq.export import verify_coq
            from .wording import coq_data, tell_coq

            checked = verify_coq(stored.certificate, timeout=arguments.timeout)
            worst = max(worst, PROVED if checked.accepted else NOT_PROVED)
            data[-1]["coq"] = coq_data(checked)
            if not arguments.json:
                print(tell_coq(file, checked))
    if arguments.json:
        print(json.dumps(data, indent=1))
    return worst


def run_export(arguments: argparse.Namespace) -> int:
    """Write a certificate for a proof assistant."""
    from .certificates.files import load
    from .coq.export import export_coq

    print(f"written: {export_coq(load(arguments.file), arguments.output)}")
    return PROVED


def run_report(arguments: argparse.Namespace) -> int:
    """Write a report on certificate files."""
    from .certificates.files import load, write_atomically
    from .certificates.verification import verify
    from .report import to_data, to_latex, write_report

    certificates = [load(file) for file in arguments.files]
    checked: dict[Certificate, CoqVerdict] = {}
    if arguments.coq:
        from .coq.export import verify_coq
        from .wording import tell_coq

        for file, certificate in zip(arguments.files, certificates, strict=True):
            if verify(certificate).proved:
                checked[certificate] = verify_coq(certificate)
                print(tell_coq(file, checked[certificate]), file=sys.stderr)
    write_report(arguments.output, *certificates, machine_checks=checked)
    if arguments.latex is not None:
        write_atomically(arguments.latex, "\n\n".join(to_latex(c) for c in certificates))
    if arguments.json:
        print(json.dumps(to_data(certificates), indent=1))
    else:
        for file in (arguments.output, arguments.latex):
            if file is not None:
                print(f"written: {file}")
    proved = all(verify(c).proved for c in certificates) and all(one.accepted for one in checked.values())
    return PROVED if proved else NOT_PROVED


def run_list(arguments: argparse.Namespace) -> int:
    """Print flows, algorithms, studies and classes."""
    from .catalogue import KINDS, list_classes, read_catalogue
    from .learning_studies import STUDIES

    for kind, name in zip(KINDS, ("flows.NAME_flow", "algorithms.NAME"), strict=True):
        print(f"{kind.capitalize()}s (in Python: lyapflow.{name}):")
        for entry in read_catalogue(kind).values():
            print(f"  {entry!s:66} {entry.summary}")
    print("Studies of learning dynamics (lyapflow study NAME):")
    for name in STUDIES:
        print(f"  {name}")
    print("Classes:")
    for name, made in list_classes().items():
        parameters = ", ".join(made.__dataclass_fields__)
        print(f"  {f'{name}({parameters})':36}{(made.__doc__ or '').splitlines()[0]}")
    return PROVED
