"""The page of results: sections of markdown, each written as soon as it is known, atomically."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from tempfile import NamedTemporaryFile

__all__ = ["PAGE", "SOUNDNESS", "judge", "machine_line", "table", "write_section"]

SOUNDNESS = "Soundness over random systems"
_ORDER = (
    "One rate",
    "50 condition numbers",
    "Up to condition number 1e8",
    "Continuous time",
    "The solver's own time",
    SOUNDNESS,
)
PAGE = Path(__file__).with_name("results.md")
_TOOLS = ("lyapflow", "autolyap", "PEPit", "cvxpy", "clarabel", "numpy", "scipy", "python-flint")


def machine_line(*, tools: Sequence[str] = _TOOLS) -> str:
    """Where and when, and with which versions."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    model = model or platform.processor() or platform.machine()
    versions = ", ".join(f"{name} {version(name)}" for name in tools)
    return (
        f"*{date.today().isoformat()}; {model}, {os.cpu_count()} cores; {platform.system()}; "
        f"Python {platform.python_version()}; {versions}.*"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table; all columns but the first are set to the right."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def judge(measured: float, target: float, *, at_least: bool) -> str:
    """``met``, or by how much of the target it was missed."""
    if (measured >= target) if at_least else (measured <= target):
        return "met"
    if not isfinite(measured):
        return "missed: no answer"
    return f"missed by {abs(measured - target) / target:.0%}"


def write_section(title: str, body: str, page: Path = PAGE) -> None:
    """Put a section in its place, instead of the one of the same title."""
    head, *sections = ("\n" + page.read_text(encoding="utf-8")).split("\n## ") if page.exists() else ["# Results\n"]
    new = f"{title}\n\n{body.strip()}\n"
    sections = [section for section in sections if section.partition("\n")[0] != title] + [new]
    sections.sort(key=lambda section: _ORDER.index(section.partition("\n")[0]))
    text = "\n\n## ".join(part.strip() for part in (head, *sections)) + "\n"
    with NamedTemporaryFile("w", encoding="utf-8", dir=page.parent, suffix=".part", delete=False) as part:
        part.write(text)
    os.chmod(part.name, 0o644)
    os.replace(part.name, page)
