"""Running the proof assistant."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import MissingDependencyError

__all__ = ["INSTALL", "CoqVerdict", "check_text", "find_coq", "read_version"]

INSTALL = (
    "coqc was not found on PATH. Install the proof assistant: apt-get install --no-install-recommends coq (Debian, "
    "Ubuntu), brew install rocq (macOS), or see https://rocq-prover.org/install"
)


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
        Its first words, where it rejected.
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
    flag = [command[0], "--version"]
    said = subprocess.run(flag, capture_output=True, text=True, timeout=60, check=False).stdout
    found = re.search(r"version\s+(\S+)", said)
    return found[1] if found else "of unknown version"


def check_text(text: str, *, timeout: float = 300) -> CoqVerdict:
    """Compile a file in a folder of its own, and say what came of it.

    Parameters
    ----------
    text : str
        The file.
    timeout : float, default 300
        In seconds.

    Raises
    ------
    MissingDependencyError
        If the proof assistant is not installed.
    """
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
            done = subprocess.run(
                [*command, "-q", "theorem.v"], cwd=folder, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            return judge("timeout", f"no answer within {timeout:g} s")
        if done.returncode == 0 and (Path(folder) / "theorem.vo").exists():
            return judge("accepted")
    return judge("rejected", done.stderr or done.stdout)
