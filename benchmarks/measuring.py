"""The same problems to every tool in turn, and how long each takes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Generic, TypeVar

import numpy as np

from .answers import Answer

__all__ = ["Measured", "measure"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Measured(Generic[T]):
    """What one tool did.

    Attributes
    ----------
    times : ndarray, shape (rounds, problems)
        Wall time in seconds, model building included; without the warm-up.
    problems, answers : list of list
        Per round, the warm-up first, and per problem.
    """

    times: np.ndarray
    problems: list[list[T]]
    answers: list[list[Answer | None]]

    def medians(self) -> np.ndarray:
        """Median time of each problem over the rounds."""
        return np.median(self.times, axis=0)

    def total(self) -> float:
        """Median over the rounds of the time of all problems."""
        return float(np.median(self.times.sum(axis=1)))


def measure(
    make_problems: Callable[[int], Sequence[T]], tools: Mapping[str, Callable[[T], Answer | None]], rounds: int
) -> dict[str, Measured[T]]:
    """All tools on all problems, one tool after the other on each, in `rounds` rounds after a warm-up."""
    problems = [list(make_problems(repeat)) for repeat in range(rounds + 1)]
    times = {name: np.zeros((rounds + 1, len(problems[0]))) for name in tools}
    answers: dict[str, list[list[Answer | None]]] = {name: [[] for _ in problems] for name in tools}
    for repeat, several in enumerate(problems):
        for k, problem in enumerate(several):
            for name, tool in tools.items():
                gc.collect()
                start = perf_counter()
                answer = tool(problem)
                times[name][repeat, k] = perf_counter() - start
                answers[name][repeat].append(answer)
    return {name: Measured(times=times[name][1:], problems=problems, answers=answers[name]) for name in tools}
