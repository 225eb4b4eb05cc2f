"""Sweeps: the same rows on every executor, none lost, none twice, nothing called proved that is not."""

import csv
import json
import logging
import multiprocessing
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import sweep_tasks

import lyapflow as lf
from lyapflow.cli import main
from lyapflow.parameters import read_axis, sweep_problem
from lyapflow.sweeps import geomspace, linspace

Q = Fraction
KAPPAS = {"kappa": [2, 3, "7/2", 10]}
SPAWN = multiprocessing.get_context("spawn")  # other tests may have left threads behind, which a fork would not survive


class Inline(Executor):
    """Runs each call at once and remembers the points that it was given."""

    def __init__(self):
        self.points = []

    def submit(self, function, /, *args):
        self.points.append(dict(args[1]))
        future = Future()
        future.set_result(function(*args))
        return future


class Method:
    """What its instances do may differ, and their methods have one name."""

    def task(self, kappa):
        return sweep_tasks.gradient(kappa)


def facts(result):
    """Everything but the time."""
    return [replace(row, seconds=0.0) for row in result]


# --- grids --------------------------------------------------------------------------------------------------------


def test_axes_are_short_decimals_near_their_places():
    for axis, exact in (
        (geomspace("1.26", "1e4", 50), [1.26 * (1e4 / 1.26) ** (k / 49) for k in range(50)]),
        (geomspace("1e-300", "1e300", 7), [10.0 ** (100 * k - 300) for k in range(7)]),
        (linspace(-1, "1/3", 9), [-1 + k / 6 for k in range(9)]),
    ):
        spacings = [b - a for a, b in pairwise(axis)]
        assert min(spacings) > 0
        for value, place, left in zip(axis[1:-1], exact[1:-1], spacings, strict=False):
            assert abs(float(value) - place) <= 0.006 * left
            assert len(f"{float(value):.15g}".strip("0").replace(".", "")) <= 7
    assert geomspace("1/3", 10, 4)[0] == Q(1, 3)
    assert geomspace(1, 100, 3) == [1, 10, 100]


def test_grid_is_every_combination_in_order_or_the_points_themselves():
    seen = []

    def task(a, b):
        seen.append((a, b))
        return sweep_tasks.gradient(2)

    result = lf.sweep(task, {"a": [1, 2], "b": ["x", 0.5]})
    assert seen == [(1, "x"), (1, Q(1, 2)), (2, "x"), (2, Q(1, 2))]
    assert all(type(a) is Fraction for a, _ in seen)
    assert [dict(row.point) for row in result] == [{"a": a, "b": b} for a, b in seen]
    assert [row.point for row in lf.sweep(task, [{"b": 1, "a": "y"}])] == [{"b": Q(1), "a": "y"}]


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({}, "at least one point"),
        ([], "at least one point"),
        ({"kappa": []}, "at least one point"),
        ({"kappa": 3}, "sequence of values"),
        ({"kappa": "123"}, "sequence of values"),
        ({"kappa": [2, 2.0]}, "there once"),
        ({"kappa": [float("nan")]}, "finite real number"),
        ({"kappa": ["1/0"]}, "denominator"),
        ({"kappa": [None]}, "finite real number"),
        ({"kappa": [True]}, "finite real number"),
        ({"kappa": [" "]}, "letters"),
        ({"kappa": range(2000), "b": range(2000)}, "at most 1000000 points"),
        ({"a b": [1]}, "names"),
        ({"beta": [1]}, "task must take the names of the grid"),
        ([{"kappa": 1}, {"beta": 1}], "the same names"),
        ([3], "a point must be a mapping"),
        (3, "grid must be a mapping"),
    ],
)
def test_bad_grids_are_refused_before_any_work(grid, said):
    with pytest.raises(lf.InvalidModelError, match=said):
        lf.sweep(sweep_tasks.gradient, grid)


def test_bad_arguments_are_refused():
    with pytest.raises(lf.InvalidModelError, match="task must be a function"):
        lf.sweep(3, KAPPAS)
    with pytest.raises(lf.InvalidModelError, match="executor must be"):
        lf.sweep(sweep_tasks.gradient, KAPPAS, executor=4)
    with pytest.raises(lf.InvalidModelError, match="gap is a column"):
        lf.sweep(lambda gap: sweep_tasks.gradient(gap), {"gap": [2]})
    with ProcessPoolExecutor(1) as pool, pytest.raises(lf.InvalidModelError, match="sent to processes"):
        lf.sweep(lambda kappa: sweep_tasks.gradient(kappa), KAPPAS, executor=pool)
    for bad in ((1, 2, 1), (2, 1, 5), (1, 2, 2.5)):
        with pytest.raises(lf.InvalidModelError, match="an axis needs"):
            linspace(*bad)


# --- rows ---------------------------------------------------------------------------------------------------------


def test_a_proved_row_holds_its_proof(tmp_path):
    (row,) = lf.sweep(sweep_tasks.heavy_ball, {"kappa": [10]})
    assert row.outcome == "proved"
    assert row.quantity == "rate"
    assert row.value == row.certificate.rate < row.witness_value == row.witness.rate
    assert row.gap == row.witness_value - row.value
    assert row.seconds > 0
    assert lf.verify(lf.save(row.certificate, tmp_path / "c.json")).proved


def test_whatever_says_no_is_a_row():
    flow = sweep_tasks.gradient(10)
    proved = lf.attempt(flow)
    false = replace(proved.certificate, claim=lf.ExponentialDecay(2))
    answers = {
        "system": (lambda: flow, "proved", "true rate"),
        "certify": (lambda: lf.certify(flow), "proved", "true rate"),
        "attempt": (lambda: proved, "proved", "true rate"),
        "bracket": (lambda: lf.bracket(flow), "proved", "true rate"),
        "no": (lambda: lf.certify(flow, lf.ExponentialDecay(2)), "infeasible", "is false"),
        "blind": (lambda: lf.attempt(flow, lf.ExponentialDecay("1e-200")), "inconclusive", "floating point"),
        "error": (lambda: 1 / 0, "failed", "ZeroDivisionError: division by zero"),
        "nothing": (lambda: None, "failed", "must return a system.*NoneType"),
        "lie": (lambda: false, "failed", "not proved"),
        "bold": (lambda: replace(proved, certificate=false), "failed", "not proved"),
        "witness": (
            lambda: lf.Bracket(certificate=proved.certificate, witness=replace(proved.witness, rate=Q(1, 2))),
            "failed",
            "witness that is not a member",
        ),
    }
    result = lf.sweep(lambda case: answers[case][0](), {"case": [*answers]})
    for row in result:
        _, word, said = answers[row.point["case"]]
        assert row.outcome == word, str(row)
        assert re.search(said, row.explanation), str(row)
        assert (row.value == 1) == (word == "proved")
    assert [row.outcome for row in result.proved] == ["proved"] * 4


def test_table(tmp_path):
    result = lf.sweep(partial(sweep_tasks.choosy, trap=tmp_path / "none"), {"kappa": ["1/3", 2, "1e4", 3]})
    with result.to_csv(tmp_path / "t.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["kappa"] for row in rows] == ["1/3", "2", "10000", "3"]
    assert [row["outcome"] for row in rows] == ["failed", "proved", "proved", "failed"]
    assert rows[3]["explanation"] == "ZeroDivisionError: three is too many"
    assert rows[3]["proved"] == rows[3]["certificate"] == ""
    assert rows[1]["certificate"] == result.rows[1].certificate.digest
    (heavy,) = lf.sweep(sweep_tasks.heavy_ball, {"kappa": [10]})
    with lf.SweepResult((heavy,)).to_csv(tmp_path / "h.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert Q(row["proved_exact"]) == heavy.value
    assert heavy.value - Q(1, 10**15) <= Q(row["proved"]) <= heavy.value
    assert Q(row["witness"]) >= heavy.witness_value
    assert Q(row["gap"]) >= heavy.gap


def test_factors_are_rounded_up_and_kept(tmp_path):
    grid = {"kappa": [3, 7]}
    result = lf.sweep(sweep_tasks.descent, grid, store=tmp_path / "s")
    assert [row.quantity for row in result] == ["factor"] * 2
    for row in result:
        exact = 1 - 1 / row.point["kappa"]
        assert row.witness_value <= exact <= row.value == row.certificate.factor < exact + Q(1, 10**6)
        assert row.gap == row.value - row.witness_value
    assert lf.sweep(sweep_tasks.descent, grid, store=tmp_path / "s", executor=(inline := Inline())) == result
    assert inline.points == []
    with result.to_csv(tmp_path / "t.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["quantity"] for row in rows] == ["factor"] * 2
    for row, cells in zip(result, rows, strict=True):
        assert Q(cells["proved_exact"]) == row.value <= Q(cells["proved"])
        assert Q(cells["witness"]) <= row.witness_value


# --- executors ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def serial():
    return lf.sweep(sweep_tasks.heavy_ball, KAPPAS)


def test_threads_give_the_same_rows(serial):
    with ThreadPoolExecutor(3) as threads:
        assert facts(lf.sweep(sweep_tasks.heavy_ball, KAPPAS, executor=threads)) == facts(serial)


def test_processes_give_the_same_rows(serial):
    with ProcessPoolExecutor(2, SPAWN) as processes:
        assert facts(lf.sweep(sweep_tasks.heavy_ball, KAPPAS, executor=processes)) == facts(serial)


def test_dask_gives_the_same_rows_though_a_worker_is_killed(tmp_path):
    from distributed import Client, LocalCluster

    grid = {"kappa": range(2, 12)}
    workers, reported = {}, []

    def kill_one(done, total, row):
        reported.append(row.point["kappa"])
        if done == 2:
            os.kill(next(iter(workers.values())), signal.SIGKILL)

    options = {"host": "127.0.0.1", "dashboard_address": None, "silence_logs": logging.CRITICAL}
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **options) as cluster,
        Client(cluster) as client,
    ):
        workers |= client.run(os.getpid)
        assert len(set(workers.values()) - {os.getpid()}) == 2
        executor = client.get_executor()
        result = lf.sweep(sweep_tasks.slow, grid, executor=executor, store=tmp_path / "s", progress=kill_one)
        assert next(iter(workers)) not in client.run(os.getpid)
    assert sorted(reported) == [*range(2, 12)]
    assert facts(result) == facts(lf.sweep(sweep_tasks.gradient, grid))
    assert lf.sweep(sweep_tasks.slow, grid, store=tmp_path / "s", executor=(inline := Inline())) == result
    assert inline.points == []


def test_a_broken_pool_loses_points_but_not_the_sweep(tmp_path):
    task = partial(sweep_tasks.deadly, trap=str(tmp_path / "trap"))
    grid = {"kappa": [2, 3, 4, 5]}
    with ProcessPoolExecutor(1, SPAWN) as pool:
        result = lf.sweep(task, grid, executor=pool, store=tmp_path / "s")
    assert [row.point["kappa"] for row in result] == [2, 3, 4, 5]
    assert [row.outcome for row in result] == ["proved", "lost", "lost", "lost"]
    assert "BrokenProcessPool" in result.rows[1].explanation
    again = lf.sweep(task, grid, store=tmp_path / "s", executor=(inline := Inline()))
    assert [row.outcome for row in again] == ["proved"] * 4
    assert inline.points == [{"kappa": 3}, {"kappa": 4}, {"kappa": 5}]


def test_a_cancelled_point_is_lost():
    class Canceller(Executor):
        def submit(self, function, /, *args):
            future = Future()
            future.cancel()
            return future

    assert {row.outcome for row in lf.sweep(sweep_tasks.gradient, KAPPAS, executor=Canceller())} == {"lost"}


def test_many_points_wait_outside_the_executor(monkeypatch):
    monkeypatch.setattr("lyapflow.sweeps.execution._MOST_WAITING", 2)
    waiting = []

    class Counter(ThreadPoolExecutor):
        def submit(self, function, /, *args):
            future = super().submit(function, *args)
            waiting.append(self._work_queue.qsize())
            return future

    with Counter(1) as threads:
        assert len(lf.sweep(lambda n: None, {"n": range(20)}, executor=threads)) == 20
    assert max(waiting) <= 2


# --- stores -------------------------------------------------------------------------------------------------------


def test_resume_after_kill_9(tmp_path):
    store = tmp_path / "s.sqlite"
    code = (
        "import sys, sweep_tasks, lyapflow as lf\n"
        "lf.sweep(sweep_tasks.slow, {'kappa': range(2, 8)}, store=sys.argv[1],"
        " progress=lambda done, total, row: print(done, flush=True))"
    )
    folders = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))}
    command = [sys.executable, "-c", code, str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        while int(process.stdout.readline()) < 3:
            pass
        process.kill()
    assert process.returncode == -signal.SIGKILL
    reported = []
    result = lf.sweep(
        sweep_tasks.slow,
        {"kappa": range(7, 1, -1)},
        store=store,
        executor=(inline := Inline()),
        progress=lambda done, total, row: reported.append((done, total)),
    )
    assert [row.outcome for row in result] == ["proved"] * 6
    computed = [point["kappa"] for point in inline.points]
    assert computed in ([7, 6, 5], [7, 6])  # a fourth point may have come in before the end
    assert reported == [(k, 6) for k in range(1, 7)]
    assert all(lf.verify(row.certificate).proved for row in result)
    assert facts(result) == facts(lf.sweep(sweep_tasks.gradient, {"kappa": range(7, 1, -1)}))


def test_an_interrupt_passes_and_keeps_what_is_known(tmp_path):
    def interrupt(done, total, row):
        if done == 2:
            raise KeyboardInterrupt

    for executor in (None, ThreadPoolExecutor(1)):
        store = tmp_path / f"{executor is None}"
        with pytest.raises(KeyboardInterrupt):
            lf.sweep(sweep_tasks.gradient, KAPPAS, store=store, executor=executor, progress=interrupt)
        lf.sweep(sweep_tasks.gradient, KAPPAS, store=store, executor=(inline := Inline()))
        assert len(inline.points) == 2
        if executor is not None:
            executor.shutdown()


def test_what_failed_is_tried_again(tmp_path):
    trap = tmp_path / "trap"
    task = partial(sweep_tasks.choosy, trap=str(trap))
    first = lf.sweep(task, KAPPAS, store=tmp_path / "s")
    assert [row.outcome for row in first] == ["proved", "failed", "proved", "proved"]
    trap.touch()
    again = lf.sweep(task, KAPPAS, store=tmp_path / "s", executor=(inline := Inline()))
    assert inline.points == [{"kappa": 3}]
    assert [row.outcome for row in again] == ["proved"] * 4


def test_no_and_do_not_know_are_kept(tmp_path):
    def run(executor):
        return lf.sweep(sweep_tasks.claim, {"rate": [2, "1e-200"]}, store=tmp_path / "s", executor=executor)

    first = run(None)
    assert [row.outcome for row in first] == ["infeasible", "inconclusive"]
    assert run(inline := Inline()) == first
    assert inline.points == []


@pytest.fixture
def store(tmp_path):
    lf.sweep(sweep_tasks.gradient, KAPPAS, store=tmp_path / "s.sqlite")
    return tmp_path / "s.sqlite"


def test_a_store_belongs_to_one_task(store, tmp_path):
    with pytest.raises(lf.StoreError, match=r"results of the task sweep_tasks\.gradient, not of sweep_tasks\.slow"):
        lf.sweep(sweep_tasks.slow, KAPPAS, store=store)
    for k, damping in enumerate(("2", "3")):
        lf.sweep(partial(sweep_tasks.heavy_ball, damping=damping), {"kappa": [2]}, store=tmp_path / f"{k}")
    with pytest.raises(lf.StoreError, match="heavy_ball with other arguments"):
        lf.sweep(partial(sweep_tasks.heavy_ball, damping="3"), {"kappa": [2]}, store=tmp_path / "0")
    for nameless in (lambda kappa: None, Method().task):
        with pytest.raises(lf.InvalidModelError, match="function of a module"):
            lf.sweep(nameless, {"kappa": [2]}, store=tmp_path / "new")
    with pytest.raises(lf.InvalidModelError, match="task: damping"):
        lf.sweep(partial(sweep_tasks.heavy_ball, damping=[]), KAPPAS, store=tmp_path / "new")


def test_a_store_is_used_by_one_sweep_at_a_time(store):
    def second(done, total, row):
        with pytest.raises(lf.StoreError, match="in use by another sweep"):
            lf.sweep(sweep_tasks.gradient, KAPPAS, store=store)

    assert len(lf.sweep(sweep_tasks.gradient, KAPPAS, store=store, progress=second)) == 4


def damage(store, how):
    if how == "text":
        store.write_text("kappa,rate\n" * 200)
    elif how == "truncated":
        store.write_bytes(store.read_bytes()[: store.stat().st_size // 2])
    elif how == "zeros":
        content = bytearray(store.read_bytes())
        content[5000:-100] = bytes(len(content) - 5100)
        store.write_bytes(content)
    elif how == "folder":
        store.unlink()
        store.mkdir()
    elif how == "other":
        store.unlink()
        with sqlite3.connect(store) as connection:
            connection.execute("CREATE TABLE visits (url TEXT)")
        connection.close()
    else:
        with sqlite3.connect(store) as connection:
            connection.execute(how)
        connection.close()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("text", "not an SQLite file, or it is damaged"),
        ("truncated", "damaged"),
        ("zeros", "damaged"),
        ("folder", "is a folder"),
        ("other", "of another program"),
        ("PRAGMA user_version = 2", "a newer lyapflow"),
        ("CREATE TRIGGER t AFTER INSERT ON results BEGIN DELETE FROM results; END", "was edited"),
        ("CREATE VIEW v AS SELECT * FROM results", "was edited"),
        ("DELETE FROM task", "Each task needs a store of its own"),
        ("UPDATE results SET outcome = 'certain'", "damaged"),
        ("UPDATE results SET seconds = 'long'", "damaged"),
        ("UPDATE results SET certificate = NULL", "proof does not hold"),
        ("UPDATE results SET certificate = 3", "proof does not hold"),
        ('UPDATE results SET certificate = replace(certificate, \'"rate": "1"\', \'"rate": "2"\')', "the slack is -2"),
        ('UPDATE results SET certificate = replace(certificate, \'"name": "\', \'"name": "my\')', "digest"),
        ("UPDATE results SET certificate = '{}'", "not a lyapflow certificate"),
        ("UPDATE results SET witness = '[]'", "proof does not hold"),
        ("UPDATE results SET witness = '{\"slopes\": 3}'", "proof does not hold"),
        (
            'UPDATE results SET witness = replace(witness, \'"rate": "1"\', \'"rate": "1/2"\')',
            "witness is not a member",
        ),
    ],
)
def test_a_store_that_cannot_be_believed_is_an_error(store, how, said):
    damage(store, how)
    with pytest.raises(lf.StoreError, match=said) as caught:
        lf.sweep(sweep_tasks.gradient, KAPPAS, store=store)
    assert caught.value.path == store
    if how == "other":
        with sqlite3.connect(store) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)  # was not touched
        connection.close()


def test_a_word_changed_to_proved_is_not_enough(tmp_path):
    lf.sweep(sweep_tasks.claim, {"rate": [2]}, store=tmp_path / "s")
    damage(tmp_path / "s", "UPDATE results SET outcome = 'proved'")
    with pytest.raises(lf.StoreError, match="proof does not hold"):
        lf.sweep(sweep_tasks.claim, {"rate": [2]}, store=tmp_path / "s")


def test_a_store_needs_its_folder(tmp_path):
    with pytest.raises(lf.StoreError, match="create it first"):
        lf.sweep(sweep_tasks.gradient, KAPPAS, store=tmp_path / "none" / "s")
    with pytest.raises(lf.StoreError, match="no file can have"):
        lf.sweep(sweep_tasks.gradient, KAPPAS, store="a\0b")


# --- figure -------------------------------------------------------------------------------------------------------


def test_figure(serial, tmp_path):
    from matplotlib.figure import Figure

    from lyapflow.report import draw_sweep, write_sweep_figure

    figure = Figure()
    draw_sweep(figure, serial)
    top, bottom = figure.axes
    proved, witness = top.lines
    assert list(proved.get_xdata()) == [2, 3, 3.5, 10]
    assert list(proved.get_ydata()) == [float(row.value) for row in serial]
    assert list(witness.get_ydata()) == [float(row.witness_value) for row in serial]
    assert list(bottom.lines[0].get_ydata()) == [float(row.gap) for row in serial]
    assert (top.get_xscale(), top.get_yscale(), bottom.get_xlabel()) == ("linear", "linear", "kappa")
    one, two = (write_sweep_figure(tmp_path / name, serial).read_bytes() for name in "ab")
    assert one == two
    assert one.startswith(b"<?xml")


def test_figure_of_factors_shows_their_distance_from_1():
    from matplotlib.figure import Figure

    from lyapflow.report import draw_sweep

    result = lf.sweep(sweep_tasks.descent, {"kappa": [2, 10, 100]})
    figure = Figure()
    draw_sweep(figure, result)
    top, bottom = figure.axes
    assert list(top.lines[0].get_ydata()) == [float(1 - row.value) for row in result]
    assert list(top.lines[1].get_ydata()) == [float(1 - row.witness_value) for row in result]
    assert (top.get_ylabel(), top.get_yscale(), bottom.get_xscale()) == (r"$1-$factor", "log", "log")
    mixed = lf.SweepResult((*result, *lf.sweep(sweep_tasks.gradient, {"kappa": [2]})))
    with pytest.raises(lf.InvalidModelError, match="there are both"):
        draw_sweep(Figure(), mixed)


def test_rates_and_factors_have_figures_of_their_own(tmp_path):
    from lyapflow.report import write_sweep

    rows = [*lf.sweep(sweep_tasks.descent, {"kappa": [2, 10]}), *lf.sweep(sweep_tasks.gradient, {"kappa": [2, 10]})]
    files = write_sweep(tmp_path, lf.SweepResult(tuple(rows)))
    assert [file.name for file in files] == ["sweep.csv", "sweep_rate.svg", "sweep_factor.svg", "certificates"]
    assert len(list((tmp_path / "certificates").iterdir())) == len({row.certificate.digest for row in rows})


def test_figure_of_several_lines_and_points_without_proof(tmp_path):
    from matplotlib.figure import Figure

    from lyapflow.report import draw_sweep

    task = partial(sweep_tasks.choosy, trap=tmp_path / "none")
    result = lf.sweep(lambda kappa, copy: task(kappa), {"copy": ["a", "b"], "kappa": [2, 3, 100]})
    figure = Figure()
    draw_sweep(figure, result)
    top, bottom = figure.axes
    labels = [text.get_text() for text in top.get_legend().get_texts()]
    assert labels == ["proved (copy = a)", "witness", "proved (copy = b)", "nothing proved"]
    assert list(top.lines[-1].get_xdata()) == [3, 3]
    assert bottom.get_xscale() == "log"
    for wrong, said in (("copy", "must be a numeric one"), ("gamma", "got 'gamma'")):
        with pytest.raises(lf.InvalidModelError, match=said):
            draw_sweep(Figure(), result, parameter=wrong)
    with pytest.raises(lf.InvalidModelError, match="nothing is proved"):
        draw_sweep(Figure(), lf.SweepResult(tuple(row for row in result if row.outcome == "failed")))


# --- problem files and the command line -----------------------------------------------------------------------------

PROBLEM = """
[functions]
f = { class = "SmoothStronglyConvex", mu = 2, L = 10 }
g = { class = "Convex" }
[[flow]]
name = "heavy_ball"
damping = 2
"""
METHODS = """
[functions]
f = { class = "SmoothStronglyConvex", mu = 1, L = 10 }
F = { class = "Intersection", parts = [{ class = "StronglyMonotone", mu = 1 }, { class = "Lipschitz", L = 5 }] }
[[algorithm]]
name = "triple_momentum"
[[algorithm]]
name = "extragradient"
step = 0.05
"""
TWO = PROBLEM + '[[flow]]\nname = "forward_backward"\nstep = 0.1\n'


@pytest.fixture
def problem(tmp_path):
    (tmp_path / "p.toml").write_text(PROBLEM)
    return tmp_path / "p.toml"


def test_kappa_is_L_over_mu(problem):
    (row,) = sweep_problem(problem, {"kappa": [3]})
    f = lf.SmoothStronglyConvex(mu=2, L=6)
    assert row.certificate.system == lf.flows.heavy_ball_flow(f, damping=2)
    (row,) = sweep_problem(problem, {"f.mu": ["1/2"], "damping": ["0.3"]})
    assert row.certificate.system == lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex("1/2", 10), damping="0.3")
    (row,) = sweep_problem(problem, {"rate": ["1/4"]})
    assert row.value == Q(1, 4)


def test_algorithms_of_a_problem_file_are_swept(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text(METHODS)
    result = sweep_problem(path, {"f.kappa": [4, 100], "F.L": [10]})
    names = ["algorithm 1: triple_momentum", "algorithm 2: extragradient"]
    assert [row.point["algorithm"] for row in result] == [name for name in names for _ in range(2)]
    assert {row.quantity for row in result.proved} == {"factor"}
    assert result.rows[1].certificate.system == lf.algorithms.triple_momentum(lf.SmoothStronglyConvex(1, 100))
    F = lf.Intersection(lf.StronglyMonotone(1), lf.Lipschitz(10))
    assert result.rows[2].certificate.system == lf.algorithms.extragradient(F, step="1/20")
    two = tmp_path / "two.toml"
    two.write_text(METHODS + '[[flow]]\nname = "gradient"\n')
    named = {row.point["dynamics"] for row in sweep_problem(two, {"f.kappa": [4]})}
    assert named == {"flow 1: gradient", *names}
    with pytest.raises(lf.InvalidModelError, match=r"f\.L, f\.kappa, F\.mu, F\.L, F\.kappa, algorithm\.factor"):
        sweep_problem(path, {"step": [1]})


def test_several_flows_are_an_axis(problem):
    problem.write_text(TWO)
    result = sweep_problem(problem, {"L": [3, 10]})
    assert [row.point["flow"] for row in result] == ["flow 1: heavy_ball"] * 2 + ["flow 2: forward_backward"] * 2
    assert [row.certificate.system.shape[0] for row in result] == [2, 2, 1, 1]
    with pytest.raises(
        lf.InvalidModelError, match=r"step is not a parameter of the problem\. Use one of f\.mu, .*flow\.rate"
    ):
        sweep_problem(problem, {"step": [1]})


def test_data_are_fitted_once_and_then_swept(tmp_path):
    cases = Path(__file__).parents[1] / "case_studies"
    shutil.copytree(cases / "data", tmp_path / "data")
    shutil.copy(cases / "elastic_net_diabetes.toml", tmp_path / "p.toml")
    result = sweep_problem(tmp_path / "p.toml", {"step": ["0.1"]})
    assert [row.outcome for row in result] == ["proved"] * 2
    assert result.rows[0].certificate.system.oracles[0].L > 1


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({}, "needs a grid"),
        ({"kapa": [2]}, "kapa is not a parameter of the problem"),
        ({"flow": [2]}, "flow is not a parameter of the problem"),
        ({"kappa": ["0.5"]}, "at kappa = 0.5: .*mu=2, L=1"),
        ({"kappa": [2], "L": [4]}, "set each parameter once"),
        ({"f.L": [4], "L": [4]}, "set each parameter once"),
        ({"damping": [-1]}, "damping must be > 0"),
    ],
)
def test_what_a_problem_cannot_sweep_is_said(problem, grid, said):
    with pytest.raises(lf.InvalidModelError, match=said):
        sweep_problem(problem, grid)
    for jobs in (0, True, 1.5):
        with pytest.raises(lf.InvalidModelError, match="jobs must be"):
            sweep_problem(problem, {"kappa": [2]}, jobs=jobs)


def test_new_processes_do_what_a_killed_one_lost(problem):
    reported = []

    def kill_one(done, total, row):
        reported.append(row.point["kappa"])
        if done == 2:
            os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)

    result = sweep_problem(problem, {"kappa": range(1, 7)}, jobs=2, progress=kill_one)
    assert [row.outcome for row in result] == ["proved"] * 6
    assert sorted(reported) == [*range(1, 7)]


@pytest.mark.parametrize(
    "text",
    [
        "kappa",
        "kappa=",
        "=1:2:3",
        "kappa=1:0:x",
        "kappa=1:2",
        "kappa=1:2:3:cos",
        "kappa=2:1:3",
        "kappa=0:1:3",
        "k=1,,2",
    ],
)
def test_bad_axes_are_one_sentence(text):
    with pytest.raises(lf.InvalidModelError, match="--grid"):
        read_axis(text)


def test_command_line(problem, tmp_path, monkeypatch, capsys):
    arguments = ["sweep", "p.toml", "--grid", "kappa=1:1e3:4", "--store", "s.sqlite", "-o", "out"]
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.err == ""  # no bar where there is no terminal
    assert "4 of 4 points proved" in said.out
    table = (tmp_path / "out" / "sweep.csv").read_text()
    rows = list(csv.DictReader(table.splitlines()))
    assert [row["kappa"] for row in rows] == ["1", "10", "100", "1000"]
    assert all(0 < float(row["proved"]) <= float(row["witness"]) for row in rows)
    assert (tmp_path / "out" / "sweep.svg").read_text().startswith("<?xml")
    for row in rows:
        verdict = lf.verify(tmp_path / "out" / "certificates" / f"{row['certificate']}.json")
        assert verdict.proved
    assert main(arguments) == 0
    assert (tmp_path / "out" / "sweep.csv").read_text() == table  # from the store, seconds included


def test_command_line_says_no(problem, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", "p.toml", "--grid", "rate=0.1,9"]) == 1
    assert "rate = 9: infeasible: The claim of rate 9 is false" in capsys.readouterr().out
    assert main(["sweep", "p.toml", "--grid", "rate=9"]) == 1  # nothing to draw
    capsys.readouterr()
    for wrong, said in (
        (("--grid", "kappa=1:0:x"), "--grid must be"),
        (("--grid", "kappa=2", "--grid", "kappa=3"), "there twice"),
        (("--grid", "kappa=2", "--solver", "none"), "solver must be"),
        (("--grid", "kappa=2", "--store", "p.toml"), "not an SQLite file"),
        (("--grid", "kappa=2", "-o", "p.toml"), "must be a folder"),
    ):
        assert main(["sweep", "p.toml", *wrong]) == 2
        message = capsys.readouterr().err
        assert said in message
        assert len(message.strip().splitlines()) == 1


def start(folder, *arguments):
    """A sweep of the command line that has kept its first points; far more are to come."""
    command = [sys.executable, "-m", "lyapflow", "sweep", "p.toml", "--grid", "kappa=1:1e4:2000", "--store", "s.sqlite"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*command, *arguments], cwd=folder, **quiet)
    journal = folder / "s.sqlite-wal"
    while process.poll() is None and not (journal.exists() and journal.stat().st_size > 50_000):
        time.sleep(0.01)
    return process


def test_ctrl_c_keeps_what_is_done(problem, tmp_path):
    with start(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.startswith("lyapflow: stopped")
    with (tmp_path / "sweep" / "sweep.csv").open(newline="") as stream:
        finished = list(csv.DictReader(stream))
    assert 0 < len(finished) < 2000
    with sqlite3.connect(tmp_path / "s.sqlite") as connection:
        kept = {json.loads(key)["kappa"] for (key,) in connection.execute("SELECT point FROM results")}
    connection.close()
    assert {str(Q(row["kappa"])) for row in finished} <= kept


def test_kill_9_leaves_no_process_behind(problem, tmp_path):
    import psutil

    with start(tmp_path, "--jobs", "2") as process:
        workers = psutil.Process(process.pid).children()
        process.kill()
        process.communicate(timeout=60)
    assert len(workers) >= 2
    assert psutil.wait_procs(workers, timeout=30)[1] == []
    with sqlite3.connect(tmp_path / "s.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM results WHERE outcome = 'proved'").fetchone() > (0,)
    connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_sees_a_bar(problem, tmp_path):
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "lyapflow", "sweep", "p.toml", "--grid", "kappa=2"]
    environment = {**os.environ, "TERM": "xterm"}
    subprocess.run(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, env=environment, check=True, timeout=240
    )
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "100%" in shown
