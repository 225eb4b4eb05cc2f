"""Running the proof assistant."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import InvalidModelError, MissingDependencyError

__all__ = ["INSTALL", "CoqVerdict", "check_text", "find_coq", "read_version"]

INSTALL = (
    "coqc was not found on PATH. Install the proof assistant: apt-get install --no-install-recommends coq (Debian, "
    "Ubuntu), brew install rocq (macOS), or see https://rocq-prover.org/install"
)
_LONGEST = 10**6
"""Seconds; more than some systems can wait for is not asked of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoqVerdict:
    """What the proof assistant says of a file.

    Attributes
    ----------
    verdict : "accepted", "rejected" or "timeout"
        Accepted only if it ran to the end and every proof was complete.
    version : str
        Of the proof assistant.
    seconds : float
        Wall time.
    message : str
        The error, where it rejected: its first 1000 characters.
    text : str
        The file that was checked.
    """

    verdict: Literal["accepted", "rejected", "timeout"]
    version: str
    seconds: float
    message: str
    text: str

    @property
    def accepted(self) -> bool:
        """Whether every theorem was proved."""
        return self.verdict == "accepted"


def find_coq() -> list[str] | None:
    """The command that compiles a file; None if there is none on PATH."""
    for command in (["coqc"], ["rocq", "compile"]):
        found = shutil.which(command[0])
        if found is not None:
            return [found, *command[1:]]
    return None


def read_version(command: list[str]) -> str:
    """Version of the proof assistant."""
    with tempfile.TemporaryDirectory(prefix="lyapflow-coq-") as folder:
        try:
            _, said = _run([command[0], "--version"], Path(folder), 60)
        except subprocess.TimeoutExpired:
            said = ""
    found = re.search(r"version\s+(\S+)", said)
    return found[1] if found else "of unknown version"


def _run(command: list[str], folder: Path, timeout: float) -> tuple[int, str]:
    """Exit code, and all that was said. Interrupted or too late, it ends with its children: coqc may be a wrapper."""
    with (
        (folder / "said").open("w+b") as said,
        subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        ) as process,
    ):
        try:
            code = process.wait(timeout)
        except BaseException:
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:  # no groups of processes
                process.kill()
            raise
        said.seek(0)
        return code, said.read().decode("utf-8", "replace")


def check_text(text: str, *, timeout: float = 300) -> CoqVerdict:
    """Compile a file in a folder of its own, and say what came of it.

    Parameters
    ----------
    text : str
        The file.
    timeout : float, default 300
        In seconds, at most a million.

    Raises
    ------
    InvalidModelError
        If there is no such time.
    MissingDependencyError
        If the proof assistant is not installed.
    """
    if not 0 < timeout <= _LONGEST:
        raise InvalidModelError(f"timeout must be a positive number of seconds, at most {_LONGEST}, got {timeout!r}")
    command = find_coq()
    if command is None:
        raise MissingDependencyError(INSTALL)
    version, start = read_version(command), time.monotonic()

    def judge(verdict: Literal["accepted", "rejected", "timeout"], message: str = "") -> CoqVerdict:
        seconds = time.monotonic() - start
        return CoqVerdict(verdict=verdict, version=version, seconds=seconds, message=message[:1000].strip(), text=text)

    with tempfile.TemporaryDirectory(prefix="lyapflow-coq-") as folder:
        (Path(folder) / "theorem.v").write_text(text, encoding="utf-8")
        try:
            code, said = _run([*command, "-q", "theorem.v"], Path(folder), timeout)
        except subprocess.TimeoutExpired:
            return judge("timeout", f"no answer within {timeout:g} s")
        if code == 0 and (Path(folder) / "theorem.vo").exists():
            return judge("accepted")
    return judge("rejected", said[max(said.rfind('File "'), 0) :])  # the error comes last, after warnings
