"""Progress of long commands, shown on standard error; the only room that knows rich, which it imports when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["show_bar", "show_lines"]


@contextmanager
def show_lines(quiet: bool) -> Iterator[Callable[[str], None]]:
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


@contextmanager
def show_bar() -> Iterator[Callable[[int, int], object]]:
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
