"""The command line: argv in, exit code out, no mathematics.

Exit codes: 0 what was asked is proved or done, 1 it is not, 2 the input cannot be used. What a command does:
`commands`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from . import __version__
from .commands import UNUSABLE, run_certify, run_export, run_list, run_report, run_study, run_sweep, run_verify
from .errors import LyapflowError

__all__ = ["main"]


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
    certify.set_defaults(run=run_certify)

    verify = commands.add_parser("verify", help="prove certificate files again, without a solver")
    verify.add_argument("files", type=Path, nargs="+", metavar="FILE", help="certificate file (JSON)")
    verify.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    verify.add_argument("--coq", action="store_true", help="also have the proof assistant Coq check each theorem")
    verify.add_argument("--timeout", type=float, default=300, help="seconds for Coq and each file (default: 300)")
    verify.set_defaults(run=run_verify)

    export = commands.add_parser("export", help="write a certificate as theorems of a proof assistant")
    export.add_argument("file", type=Path, metavar="FILE", help="certificate file (JSON)")
    export.add_argument("--coq", action="store_true", required=True, help="for Coq (Rocq), 8.16 or newer")
    export.add_argument("-o", "--output", type=Path, default=Path("theorem.v"), help="file (default: theorem.v)")
    export.set_defaults(run=run_export)

    report = commands.add_parser("report", help="write a report on certificate files")
    report.add_argument("files", type=Path, nargs="+", metavar="FILE", help="certificate file (JSON)")
    report.add_argument("-o", "--output", type=Path, default=Path("report.html"), help="report (default: report.html)")
    report.add_argument(
        "--coq", action="store_true", help="have Coq check each theorem, and embed the files it accepts"
    )
    report.add_argument("--latex", type=Path, help="also write the theorems and their proofs as LaTeX")
    report.add_argument("--json", action="store_true", help="print the report's data as JSON")
    report.set_defaults(run=run_report)

    study = commands.add_parser(
        "study", help="certify, simulate and report: the whole job on a problem file, or a study of the catalogue"
    )
    study.add_argument("problem", type=Path, help="problem file (TOML); or the name of a study, see lyapflow list")
    study.add_argument("-o", "--output", type=Path, default=Path("study"), help="folder for all files (default: study)")
    study.add_argument("--solver", help="semidefinite solver of cvxpy (default: CLARABEL)")
    study.add_argument("--json", action="store_true", help="print the results as JSON")
    study.set_defaults(run=run_study)

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
    sweep.set_defaults(run=run_sweep)

    listing = commands.add_parser("list", help="list flows, algorithms and classes")
    listing.set_defaults(run=run_list)
    return parser


if __name__ == "__main__":
    sys.exit(main())
