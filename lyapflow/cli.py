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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__
from .errors import InvalidModelError, LyapflowError

if TYPE_CHECKING:
    from .certificates.certificate import Certificate
    from .certificates.verification import Verification
    from .studies import StudiedFlow

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
        description="Lyapunov certificates of optimization flows, proved in exact arithmetic.",
        epilog="Exit codes: 0 proved or done, 1 not proved, 2 unusable input.",
    )
    parser.add_argument("--version", action="version", version=f"lyapflow {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    certify = commands.add_parser("certify", help="find and prove a certificate for each flow of a problem file")
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
    verify.set_defaults(run=_verify)

    report = commands.add_parser("report", help="write a report on certificate files")
    report.add_argument("files", type=Path, nargs="+", metavar="FILE", help="certificate file (JSON)")
    report.add_argument("-o", "--output", type=Path, default=Path("report.html"), help="report (default: report.html)")
    report.add_argument("--latex", type=Path, help="also write the theorems and their proofs as LaTeX")
    report.add_argument("--json", action="store_true", help="print the report's data as JSON")
    report.set_defaults(run=_report)

    study = commands.add_parser("study", help="certify, simulate and report: the whole job on a problem file")
    study.add_argument("problem", type=Path, help="problem file (TOML)")
    study.add_argument("-o", "--output", type=Path, default=Path("study"), help="folder for all files (default: study)")
    study.add_argument("--solver", help="semidefinite solver of cvxpy (default: CLARABEL)")
    study.add_argument("--json", action="store_true", help="print the results as JSON")
    study.set_defaults(run=_study)

    listing = commands.add_parser("list", help="list flows and classes")
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
        flows = tuple(certify_problem(problem, arguments.output, solver=arguments.solver, say=say))
    return _print_flows(flows, [flow.file for flow in flows if flow.file is not None], as_json=arguments.json)


def _study(arguments: argparse.Namespace) -> int:
    from .problems import read_problem
    from .studies import study

    _check_folder(arguments.output, must_exist=False)
    problem = read_problem(arguments.problem)
    with _progress(arguments.json) as say:
        done = study(problem, arguments.output, solver=arguments.solver, say=say)
    return _print_flows(done.flows, list(done.files), as_json=arguments.json)


def _print_flows(flows: tuple[StudiedFlow, ...], files: list[Path], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"flows": [_flow_data(flow) for flow in flows], "files": [str(f) for f in files]}, indent=1))
    else:
        for flow in flows:
            print(_flow_line(flow))
        for file in files:
            print(f"written: {file}")
    return PROVED if all(flow.bracket is not None for flow in flows) else NOT_PROVED


def _flow_line(flow: StudiedFlow) -> str:
    from .exact.rationals import show_above, show_below

    step = "" if flow.step is None else f" (step {flow.step})"
    if flow.bracket is None:
        return f"{flow.request.name}{step}: not proved. {flow.failure.explain() if flow.failure else ''}"
    low, high = flow.bracket.certificate.rate, flow.bracket.witness.rate
    return (
        f"{flow.request.name}{step}: proved {show_below(low)} <= true rate <= {show_above(high)} "
        f"(gap {show_above(flow.bracket.gap, 2)}); {_consequences(flow.bracket.certificate)}"
    )


def _consequences(certificate: Certificate) -> str:
    from .exact.rationals import show_above

    if not certificate.is_bounded:
        return "no bound by the initial distance"
    transient, settling = certificate.transient_bound, certificate.settling_time()
    return f"transient bound {show_above(transient, 6)}, settling time {show_above(settling, 6)}"


def _flow_data(flow: StudiedFlow) -> dict[str, Any]:
    data: dict[str, Any] = {"flow": flow.request.name, "step": None if flow.step is None else str(flow.step)}
    if flow.bracket is None:
        return data | {
            "proved": False,
            "outcome": type(flow.failure).__name__,
            "explanation": flow.failure.explain() if flow.failure else "",
        }
    certificate = flow.bracket.certificate
    return data | {
        "proved": True,
        "rate": str(certificate.rate),
        "transient_bound": str(certificate.transient_bound) if certificate.is_bounded else None,
        "settling_time": str(certificate.settling_time()) if certificate.is_bounded else None,
        "witness_rate": str(flow.bracket.witness.rate),
        "witness": str(flow.bracket.witness),
        "digest": certificate.digest,
    }


def _verify(arguments: argparse.Namespace) -> int:
    from .certificates.files import read
    from .certificates.verification import judge
    from .errors import CertificateFormatError
    from .exact.rationals import shorten

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
        bounded = "" if stored.certificate.is_bounded else " of sqrt(V), with no bound by the initial distance"
        claim = f"exponential decay with rate {shorten(stored.certificate.rate)}{bounded}"
        worst = max(worst, PROVED if verdict.proved else NOT_PROVED)
        data.append(
            {
                "file": str(file),
                "usable": True,
                "proved": verdict.proved,
                "margin": str(verdict.margin),
                "claim": claim,
                "digest": stored.certificate.digest,
                "reason": verdict.reason,
                "witness": None
                if verdict.witness is None
                else {
                    "inequality": verdict.witness.inequality,
                    "point": dict(zip(verdict.witness.signals, map(str, verdict.witness.point), strict=True)),
                    "value": str(verdict.witness.value),
                },
            }
        )
        if not arguments.json:
            print(_verdict_text(file, verdict, claim, stored.certificate))
    if arguments.json:
        print(json.dumps(data, indent=1))
    return worst


def _verdict_text(file: Path, verdict: Verification, claim: str, certificate: Certificate) -> str:
    if not verdict.proved:
        lines = [f"{file}: NOT PROVED: {verdict.reason}"]
        if verdict.witness is not None and verdict.witness.signals:
            lines += [
                f"  {name} = {value}"
                for name, value in zip(verdict.witness.signals, verdict.witness.point, strict=True)
            ]
            lines.append(f"  slack = {verdict.witness.value}")
        return "\n".join(lines)
    margin = "on the boundary" if verdict.margin == 0 else f"margin {verdict.margin}"
    system = certificate.system
    oracles = ", ".join(f"{n} {o.describe()}" for n, o in zip(system.oracle_names, system.oracles, strict=True))
    return (
        f"{file}: proved: {claim} ({verdict.reason}; {margin})\n  system labelled {system.name!r}: {oracles}\n"
        f"  sha256 {certificate.digest}"
    )


def _report(arguments: argparse.Namespace) -> int:
    from .certificates.files import load, write_atomically
    from .certificates.verification import verify
    from .report import to_data, to_latex, write_report

    certificates = [load(file) for file in arguments.files]
    write_report(arguments.output, *certificates)
    if arguments.latex is not None:
        write_atomically(arguments.latex, "\n\n".join(to_latex(c) for c in certificates))
    if arguments.json:
        print(json.dumps(to_data(certificates), indent=1))
    else:
        for file in (arguments.output, arguments.latex):
            if file is not None:
                print(f"written: {file}")
    return PROVED if all(verify(c).proved for c in certificates) else NOT_PROVED


def _list(arguments: argparse.Namespace) -> int:
    from . import classes, flows
    from .problems import list_flows

    print("Flows (in Python: lyapflow.flows.NAME_flow):")
    for name, parameters in list_flows().items():
        described = (getattr(flows, f"{name}_flow").__doc__ or "").splitlines()[0]
        print(f"  {f'{name}({parameters})':56}{described}")
    print("Classes:")
    for name in classes.__all__:
        kind = getattr(classes, name)
        if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__") and hasattr(kind, "describe"):
            parameters = ", ".join(kind.__dataclass_fields__)
            print(f"  {f'{name}({parameters})':36}{(kind.__doc__ or '').splitlines()[0]}")
    return PROVED


if __name__ == "__main__":
    sys.exit(main())
