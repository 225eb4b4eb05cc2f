"""The same problems to every tool in turn, and how long each takes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Generic, TypeVar

import numpy as np

from .answers import Answer

__all__ = ["IN_A_ROW", "Measured", "measure"]

IN_A_ROW = 5
"""Problems of one kind in a tool's turn, so that most of them meet warm caches of the processor."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Measured(Generic[T]):
    """What one tool did.

    Attributes
    ----------
    times : ndarray, shape (rounds, problems)
        Wall time in seconds, model building included.
    problems, answers : list of list
        Per round and problem; in round 0, the warm-up, one problem at the unchanged parameters.
    """

    times: np.ndarray
    problems: list[list[T]]
    answers: list[list[Answer | None]]

    def median(self) -> float:
        """Median time of one problem."""
        return float(np.median(self.times))

    def total(self) -> float:
        """Median over the rounds of the time of all problems."""
        return float(np.median(self.times.sum(axis=1)))


def measure(
    make_problems: Callable[[int], Sequence[T]], tools: Mapping[str, Callable[[T], Answer | None]], rounds: int
) -> dict[str, Measured[T]]:
    """All tools on all problems: tools take turns, round after round, and each does the problems of a round in a row.

    The first round warms up and is not timed.
    """
    problems = [list(make_problems(repeat)) for repeat in range(rounds + 1)]
    times = {name: np.zeros((rounds + 1, len(problems[0]))) for name in tools}
    answers: dict[str, list[list[Answer | None]]] = {name: [[] for _ in problems] for name in tools}
    for repeat, several in enumerate(problems):
        for name, tool in tools.items():
            gc.collect()
            for k, problem in enumerate(several):
                start = perf_counter()
                answer = tool(problem)
                times[name][repeat, k] = perf_counter() - start
                answers[name][repeat].append(answer)
    return {name: Measured(times=times[name][1:], problems=problems, answers=answers[name]) for name in tools}
