"""Running a sweep: one point after the other, or on any executor; every point comes back, once."""

from __future__ import annotations

import inspect
import pickle
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from queue import SimpleQueue
from typing import Protocol, TypeAlias

from ..certificates.certificate import Certificate
from ..certificates.verification import verify
from ..dynamics import (
    LureSystem,
    PrimalDualIteration,
    PrimalDualSystem,
    ProximalLagrangianSystem,
    SaddleSystem,
    System,
)
from ..errors import InvalidModelError, NoCertificateError
from ..lmi.claims import SublinearDecay
from ..lmi.gain_claims import GainClaim
from ..lmi.scaled_claims import ScaledClaim
from ..search.bracket import Bracket
from ..search.outcomes import Inconclusive, Infeasible, Outcome, Proved
from ..search.pipeline import attempt
from ..search.witness import check_witness, find_witness
from .grids import Grid, Point, read_grid, to_key
from .results import COLUMNS, Row, SweepResult, Word
from .store import identify, open_store

__all__ = ["Answer", "Progress", "Task", "sweep"]

Answer: TypeAlias = System | Outcome | Bracket | Certificate
"""What a task returns."""

Task: TypeAlias = Callable[..., Answer]
"""What is done at each point, with the point's values as keyword arguments."""

_MOST_WAITING = 1024
"""Points that are with the executor at a time: enough for a large cluster, few enough to hold."""


class Progress(Protocol):
    """Hears of each row as it becomes known, in no particular order.

    A row that stood in the store is reported too.
    """

    def __call__(self, done: int, total: int, row: Row) -> object:
        """Take note that `row` is the one that makes `done` of `total`."""


def sweep(
    task: Task,
    grid: Grid,
    *,
    executor: Executor | None = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> SweepResult:
    """Do one task at every point of a grid.

    A task that raises costs its own point only. Whatever a row calls proved has passed the exact checker.

    Parameters
    ----------
    task : callable
        Takes the values of a point as keyword arguments: a `Fraction` where the grid has a number, else a text. Returns
        a system (then `attempt` searches its best rate), or what `attempt`, `bracket` or `certify` returned. For an
        executor of processes it must be a function of a module, or `functools.partial` of one.
    grid : mapping or sequence of mappings
        Values by name, of which every combination is visited, the last name fastest; or the points themselves. Numbers
        as everywhere: integers, fractions, texts such as ``"1/3"`` or ``"1e4"``, floats at their binary value.
        `lyapflow.sweeps.geomspace` and `linspace` make values that are short decimals.
    executor : concurrent.futures.Executor, optional
        Threads, processes, or a Dask cluster by ``Client.get_executor()``; None: one point after the other, here. It is
        not shut down.
    store : path, optional
        SQLite file that keeps each row as soon as it is known, made if it is not there. A sweep of the same task with
        the same store, whatever became of the first and whatever the grid, computes only what is missing, and what
        failed. What is read is proved again. The store is locked while the sweep runs.
    progress : callable, optional
        Called as ``progress(done, total, row)``, in the thread that called `sweep`.

    Returns
    -------
    SweepResult
        One row for each point, in the order of the grid.

    Raises
    ------
    InvalidModelError
        If the grid is empty or not a grid, or the task does not take its names or cannot be sent to processes.
    StoreError
        If the store is damaged, in use, or made by another task.

    Notes
    -----
    A worker process that is killed: Dask starts its points again elsewhere. A `ProcessPoolExecutor` cannot go on; the
    points that it had, or was still to get, come back as ``"lost"``, and are computed when the sweep is repeated with
    the same store and a new pool. They are not tried in this process, which the same point might kill.

    ``KeyboardInterrupt`` passes through: points that are waiting are cancelled, and what is known is in the store.

    Examples
    --------
    >>> import lyapflow as lf
    >>> def certify(kappa):
    ...     return lf.flows.gradient_flow(lf.SmoothStronglyConvex(mu=1, L=kappa))
    >>> result = lf.sweep(certify, {"kappa": [2, 10]})
    >>> [(float(row.point["kappa"]), row.outcome, row.value) for row in result]
    [(2.0, 'proved', Fraction(1, 1)), (10.0, 'proved', Fraction(1, 1))]
    """
    points = read_grid(grid)
    _check_task(task, points[0], executor)
    found: dict[str, Row] = {}

    def finish(row: Row) -> None:
        found[to_key(row.point)] = row
        if progress is not None:
            progress(len(found), len(points), row)

    with ExitStack() as stack:
        kept = None if store is None else stack.enter_context(open_store(store, identify(task)))
        for row in () if kept is None else kept.find(points):
            finish(row)
        missing = [point for point in points if to_key(point) not in found]
        for row in stack.enter_context(closing(_run(task, missing, executor))):
            if kept is not None and row.outcome != "lost":
                kept.add(row)
            finish(row)
    return SweepResult(tuple(found[to_key(point)] for point in points))


def _check_task(task: Task, point: Point, executor: Executor | None) -> None:
    """Find out before the work what would make it fail at every point."""
    if not callable(task):
        raise InvalidModelError(f"task must be a function, got {task!r:.60}")
    if executor is not None and not isinstance(executor, Executor):
        raise InvalidModelError(f"executor must be a concurrent.futures.Executor, got {executor!r:.60}")
    taken = sorted(set(point) & set(COLUMNS))
    if taken:
        raise InvalidModelError(f"grid: {', '.join(taken)} is a column of the result. Choose another name.")
    try:
        inspect.signature(task).bind(**point)
    except TypeError as problem:
        raise InvalidModelError(f"task must take the names of the grid, {', '.join(point)}: {problem}") from None
    if isinstance(executor, ProcessPoolExecutor):
        try:
            pickle.dumps(task)
        except (pickle.PicklingError, AttributeError, TypeError) as problem:
            raise InvalidModelError(
                f"task must be a function of a module, or functools.partial of one, to be sent to processes: {problem}"
            ) from None


def _run(task: Task, points: Sequence[Point], executor: Executor | None) -> Generator[Row, None, None]:
    if executor is None:
        for point in points:
            yield evaluate(task, point)
        return
    waiting: dict[Future[Row], Point] = {}
    finished: SimpleQueue[Future[Row]] = SimpleQueue()

    def collect() -> Row:
        future = finished.get()
        return _collect(future, waiting.pop(future))

    try:
        for point in points:
            while len(waiting) >= _MOST_WAITING:
                yield collect()
            try:
                future = executor.submit(evaluate, task, point)
            except BrokenExecutor as broken:  # of a broken pool each submission says so
                yield _lose(point, broken)
                continue
            waiting[future] = point
            future.add_done_callback(finished.put)
        while waiting:
            yield collect()
    finally:
        for future in waiting:
            future.cancel()


def _collect(future: Future[Row], point: Point) -> Row:
    """The row of a future; `evaluate` turns exceptions of the task into rows, so another one is the executor's."""
    if future.cancelled():
        return _lose(point, "it was cancelled")
    problem = future.exception()
    if problem is None:
        return future.result()
    if isinstance(problem, Exception):
        return _lose(point, problem)
    raise problem  # KeyboardInterrupt and SystemExit of a task pass through


def _lose(point: Point, problem: Exception | str) -> Row:
    said = problem if isinstance(problem, str) else f"{type(problem).__name__}: {problem}"
    explanation = (
        f"The executor lost this point, so nothing is known ({said}). Run the sweep again with the same store."
    )
    return Row(point=point, outcome="lost", explanation=explanation, seconds=0.0)


def evaluate(task: Task, point: Point) -> Row:
    """The row of one point, computed here."""
    start = time.perf_counter()
    word, explanation, bracket = _decide(task, point)
    seconds = time.perf_counter() - start
    return Row(point=point, outcome=word, explanation=explanation, seconds=seconds, bracket=bracket)


def _decide(task: Task, point: Point) -> tuple[Word, str, Bracket | None]:
    try:
        found: object = _judge(task(**point))
    except NoCertificateError as none:  # `certify` and `bracket` say no in this way
        found = none.outcome
    except Exception as problem:  # whatever a task raises is the result of its own point, and must not cost the others
        return "failed", f"{type(problem).__name__}: {problem}", None
    match found:
        case Bracket():
            return "proved", str(found), found
        case Infeasible():
            return "infeasible", found.explain(), None
        case Inconclusive():
            return "inconclusive", found.explain(), None
        case _:
            wanted = "a system, or what attempt, bracket or certify returned"
            return "failed", f"The task must return {wanted}; it returned {type(found).__name__}.", None


def _judge(answer: object) -> object:
    """Evidence as a bracket. `attempt` has proved its own; what a task brings along is proved again."""
    if isinstance(
        answer, LureSystem | PrimalDualSystem | PrimalDualIteration | ProximalLagrangianSystem | SaddleSystem
    ):
        outcome = attempt(answer)
        if isinstance(outcome, Proved):
            return Bracket(certificate=outcome.certificate, witness=outcome.witness)
        return outcome
    certificate = answer if isinstance(answer, Certificate) else getattr(answer, "certificate", None)
    if isinstance(certificate, Certificate) and isinstance(certificate.claim, SublinearDecay | ScaledClaim | GainClaim):
        kind, other = type(certificate.claim).__name__, "an order"
        if isinstance(certificate.claim, GainClaim):
            other = "a gain or a delay"
        if isinstance(certificate.claim, ScaledClaim):
            other = "a settling time"
        raise InvalidModelError(
            f"a sweep compares rates and factors with those of linear members, and a {kind} has {other}"
        )
    match answer:
        case Certificate():
            bracket = Bracket(certificate=answer, witness=find_witness(answer.system))
        case Proved():
            bracket = Bracket(certificate=answer.certificate, witness=answer.witness)
        case Bracket():
            bracket = answer
        case _:
            return answer
    verdict = verify(bracket.certificate)
    if not verdict.proved:
        raise InvalidModelError(f"the task returned a certificate that is not proved: {verdict.reason}")
    if not check_witness(bracket.certificate.system, bracket.witness):
        raise InvalidModelError("the task returned a witness that is not a member of the classes with that rate")
    return bracket
