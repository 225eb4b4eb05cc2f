"""The command line: argv in, exit code out, no mathematics.

Exit codes: 0 what was asked is proved or done, 1 it is not, 2 the input cannot be used. Rooms are imported by the
command that needs them, so ``lyapflow verify`` starts no solver.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__
from .errors import InvalidModelError, LyapflowError

if TYPE_CHECKING:
    from .certificates import Certificate
    from .coq.compiler import CoqVerdict
    from .studies import Studied
    from .sweeps import Row

__all__ = ["main"]

PROVED, NOT_PROVED, UNUSABLE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments, without the program's name; default those of the process.

    Returns
    -------
    int
        Exit code.
    """
    arguments = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except LyapflowError as problem:
        print(f"lyapflow: {problem}", file=sys.stderr)
        return UNUSABLE
    except BrokenPipeError:  # whoever read our output has left; say nothing more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNUSABLE
    except OSError as problem:
        print(f"lyapflow: {problem.filename or 'standard output'}: {problem.strerror}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print("lyapflow: stopped; files that were already written are complete", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lyapflow",
        description="Lyapunov certificates of optimization flows and algorithms, proved in exact arithmetic.",
        epilog="Exit codes: 0 proved or done, 1 not proved, 2 unusable input.",
    )
    parser.add_argument("--version", action="version", version=f"lyapflow {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    certify = commands.add_parser(
        "certify", help="find and prove a certificate for each flow and algorithm of a problem file"
    )
    certify.add_argument("problem", type=Path, help="problem file (TOML)")
    certify.add_argument(
        "-o", "--output", type=Path, default=Path(), help="folder for the certificates (default: here)"
    )
    certify.add_argument("--solver", help="semidefinite solver of cvxpy (default: CLARABEL)")
    certify.add_argument("--json", action="store_true", help="print the results as JSON")
    certify.set_defaults(run=_certify)

    verify = commands.add_parser("verify", help="prove certificate files again, without a solver")
    verify.add_argument("files", type=Path, nargs="+", metavar="FILE", help="certificate file (JSON)")
    verify.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    verify.add_argument("--coq", action="store_true", help="also have the proof assistant Coq check each theorem")
    verify.add_argument("--timeout", type=float, default=300, help="seconds for Coq and each file (default: 300)")
    verify.set_defaults(run=_verify)

    export = commands.add_parser("export", help="write a certificate as theorems of a proof assistant")
    export.add_argument("file", type=Path, metavar="FILE", help="certificate file (JSON)")
    export.add_argument("--coq", action="store_true", required=True, help="for Coq (Rocq), 8.16 or newer")
    export.add_argument("-o", "--output", type=Path, default=Path("theorem.v"), help="file (default: theorem.v)")
    export.set_defaults(run=_export)

    report = commands.add_parser("report", help="write a report on certificate files")
    report.add_argument("files", type=Path, nargs="+", metavar="FILE", help="certificate file (JSON)")
    report.add_argument("-o", "--output", type=Path, default=Path("report.html"), help="report (default: report.html)")
    report.add_argument(
        "--coq", action="store_true", help="have Coq check each theorem, and embed the files it accepts"
    )
    report.add_argument("--latex", type=Path, help="also write the theorems and their proofs as LaTeX")
    report.add_argument("--json", action="store_true", help="print the report's data as JSON")
    report.set_defaults(run=_report)

    study = commands.add_parser(
        "study", help="certify, simulate and report: the whole job on a problem file, or a study of the catalogue"
    )
    study.add_argument("problem", type=Path, help="problem file (TOML); or the name of a study, see lyapflow list")
    study.add_argument("-o", "--output", type=Path, default=Path("study"), help="folder for all files (default: study)")
    study.add_argument("--solver", help="semidefinite solver of cvxpy (default: CLARABEL)")
    study.add_argument("--json", action="store_true", help="print the results as JSON")
    study.set_defaults(run=_study)

    sweep = commands.add_parser(
        "sweep", help="certify the flows and algorithms of a problem file at every point of a grid"
    )
    sweep.add_argument("problem", type=Path, help="problem file (TOML)")
    sweep.add_argument(
        "--grid",
        action="append",
        required=True,
        metavar="NAME=LOW:HIGH:COUNT",
        help="values of a parameter, evenly spaced on a logarithmic axis; LOW:HIGH:COUNT:lin on a linear one; or "
        "VALUE,VALUE,...; kappa is L / mu. Given several times: every combination",
    )
    sweep.add_argument("--store", type=Path, help="SQLite file that keeps each point, to go on from after a stop")
    sweep.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default: 1)")
    sweep.add_argument("-o", "--output", type=Path, default=Path("sweep"), help="folder for all files (default: sweep)")
    sweep.add_argument("--solver", help="semidefinite solver of cvxpy (default: CLARABEL)")
    sweep.set_defaults(run=_sweep)

    listing = commands.add_parser("list", help="list flows, algorithms and classes")
    listing.set_defaults(run=_list)
    return parser


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Lines of progress on standard error: a live status on a terminal, plain lines in a pipe, nothing with --json."""
    if quiet:
        yield lambda line: None
        return
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda line: console.print(line, markup=False, soft_wrap=True)
        return
    with console.status("starting") as status:

        def say(line: str) -> None:
            status.update(line.strip().replace("[", r"\["))
            if not line.startswith(" "):
                console.print(line, markup=False, soft_wrap=True)

        yield say


def _check_folder(folder: Path, *, must_exist: bool) -> None:
    """Find out before the work, not after it, whether its results can be written."""
    if folder.exists() and not folder.is_dir():
        raise InvalidModelError(f"{folder}: must be a folder, and it is a file")
    if must_exist and not folder.exists():
        raise InvalidModelError(f"{folder}: the folder does not exist; create it first")
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        raise InvalidModelError(f"{folder}: cannot be written to")


def _certify(arguments: argparse.Namespace) -> int:
    from .problems import read_problem
    from .studies import certify_problem

    _check_folder(arguments.output, must_exist=True)
    problem = read_problem(arguments.problem)
    with _progress(arguments.json) as say:
        studied = tuple(certify_problem(problem, arguments.output, solver=arguments.solver, say=say))
    return _print_studied(studied, [one.file for one in studied if one.file is not None], as_json=arguments.json)


def _study(arguments: argparse.Namespace) -> int:
    from .problems import read_problem
    from .studies import study

    _check_folder(arguments.output, must_exist=False)
    if _is_name(arguments.problem):
        return _study_catalogue(arguments)
    problem = read_problem(arguments.problem)
    with _progress(arguments.json) as say:
        done = study(problem, arguments.output, solver=arguments.solver, say=say)
    return _print_studied(done.studied, list(done.files), as_json=arguments.json)


def _is_name(problem: Path) -> bool:
    """A file stays a file; what is no file and does not look like one is the name of a study."""
    return len(problem.parts) == 1 and not problem.suffix and not problem.exists()


def _study_catalogue(arguments: argparse.Namespace) -> int:
    from .learning_studies import run_study

    if arguments.solver is not None:
        raise InvalidModelError("--solver is for problem files: a study of the catalogue searches nothing")
    with _progress(arguments.json) as say:
        report = run_study(str(arguments.problem), arguments.output, say=say)
    if arguments.json:
        print(json.dumps({"study": str(arguments.problem), "files": [str(report)]}, indent=1))
    else:
        print(f"written: {report}")
    return PROVED


def _sweep(arguments: argparse.Namespace) -> int:
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
        with _bar() as show:

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


@contextmanager
def _bar() -> Iterator[Callable[[int, int], object]]:
    """A bar on standard error where that is a terminal; nothing in a pipe."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done, total: None
        return
    with Progress(console=console) as progress:
        bar = progress.add_task("sweep", total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


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


def _verify(arguments: argparse.Namespace) -> int:
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


def _export(arguments: argparse.Namespace) -> int:
    from .certificates.files import load
    from .coq.export import export_coq

    print(f"written: {export_coq(load(arguments.file), arguments.output)}")
    return PROVED


def _report(arguments: argparse.Namespace) -> int:
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


def _list(arguments: argparse.Namespace) -> int:
    from . import classes
    from .catalogue import KINDS, read_catalogue
    from .learning_studies import STUDIES

    for kind, name in zip(KINDS, ("flows.NAME_flow", "algorithms.NAME"), strict=True):
        print(f"{kind.capitalize()}s (in Python: lyapflow.{name}):")
        for entry in read_catalogue(kind).values():
            print(f"  {entry!s:66} {entry.summary}")
    print("Studies of learning dynamics (lyapflow study NAME):")
    for name in STUDIES:
        print(f"  {name}")
    print("Classes:")
    for name in classes.__all__:
        kind = getattr(classes, name)
        if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__") and hasattr(kind, "describe"):
            parameters = ", ".join(kind.__dataclass_fields__)
            print(f"  {f'{name}({parameters})':36}{(kind.__doc__ or '').splitlines()[0]}")
    return PROVED


if __name__ == "__main__":
    sys.exit(main())
