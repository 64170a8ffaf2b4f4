"""Two and eight grids on one store: each run is made once, and what a dead one held is taken over."""

import ctypes
import errno
import json
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from faults import cheap_notebook
from faults.grid_of import STUDY as SMALL
from faults.grid_of import places
from faults.soak import count, soak_only, tries
from faults.watching import PATIENCE
from filelock import Timeout

from xt import grid, locks, store
from xt.engine import Execution, ended, ready
from xt.grid import StudyRunner, distinct_runs, plan
from xt.results import SCORE_COLUMNS, load_runs, load_scores
from xt.studies import get_study

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["xt.grid", "pandas", "pyarrow.parquet"])
STUDY = get_study("smoke")
PAUSE = 0.01
LEASE = 2.0
GRID_LEASE = 5.0
NEW_UTS = 0x04000000
"""For unshare(2): a host name of one's own."""


def write_templates(work: Path) -> None:
    """The files of a cheap training and of a cheap scoring, as the real ones have them."""
    outcome = dict.fromkeys(("seconds", "num_train_examples", "num_truncated"), 1) | dict(
        outcome="ok", data_status="generated"
    )
    score = dict.fromkeys(SCORE_COLUMNS) | dict(
        run_id="RUN_ID", encoder="tiny", intermediate="none", target="xnli", eval_language="de", split="test", seed=1,
        metric="accuracy", score=50.0, num_examples=2, preset="smoke", outcome="ok", data_status="generated",
        code_version="c",
    )  # fmt: skip
    frame = {"eval_language": "de", "id": ["1", "2"], "cluster": ["1", "2"]}
    frame |= {"prediction": "x", "gold": "x", "accuracy.correct": [1, 0], "accuracy.count": 1}
    for kind in ("training", "scoring"):
        (work / kind).mkdir(parents=True)
        (work / kind / "outcome.json").write_text(json.dumps(outcome))
    (work / "training" / "encoder").mkdir()
    (work / "training" / "encoder" / "model.safetensors").write_bytes(bytes(20_000))
    pd.DataFrame([score]).to_csv(work / "scoring" / "scores.csv", index=False)
    (work / "scoring" / "predictions").mkdir()
    pd.DataFrame(frame).to_parquet(work / "scoring" / "predictions" / "xnli.de.parquet")


def run_grid(place: Path, kind: str) -> None:
    """In a process of its own: a grid whose notebooks are cheap; with leases, as if on a machine of its own.

    Leases of another machine are free only when nobody has touched them for a time, as on a network file system.
    """
    os.environ |= places(place) | {"XT_LOCKS": kind}
    locks.LEASE_SECONDS = GRID_LEASE
    if kind == "lease" and ctypes.CDLL(None).unshare(NEW_UTS) == 0:
        socket.sethostname(f"host-{os.getpid()}")

    def begin(execution):
        options = str(place), str(PAUSE), str(GRID_LEASE)
        return subprocess.Popen([sys.executable, cheap_notebook.__file__, *options, *execution.run_ids])

    said = (place / f"said-{os.getpid()}").open("w", buffering=1)
    failures = StudyRunner(STUDY, lambda line: print(line, file=said)).run(2, (), begin)
    print(*failures, sep="\n", file=said)
    sys.exit(len(failures))


def find_notebooks(place: Path) -> list[int]:
    """The cheap notebooks that work in this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if os.fsencode(cheap_notebook.__file__) in words and os.fsencode(place) in words:
                found.append(int(entry.name))
    return found


def read_log(place: Path) -> list[str]:
    """What the cheap notebooks noted."""
    return (place / "log").read_text().splitlines() if (place / "log").is_file() else []


def wait_for(grid) -> int:
    """The exit code of a grid."""
    grid.join(PATIENCE)
    if grid.is_alive():
        grid.kill()
        raise AssertionError("a grid does not end")
    return grid.exitcode


def end_of(find, place: Path) -> None:
    """Waits until none of some processes is left."""
    deadline = time.monotonic() + PATIENCE
    while find(place):
        assert time.monotonic() < deadline, "what a killed grid has started does not end"
        time.sleep(0.05)


def start_and_kill(place: Path, grids: list, draw: random.Random) -> int:
    """Starts grids and kills one of them, and a notebook; how many notebooks were killed."""
    for one in grids:
        one.start()
    moment = draw.randrange(1, 24)
    while any(grid.is_alive() for grid in grids) and len(read_log(place)) < moment:
        time.sleep(0.01)
    draw.choice(grids).kill()
    time.sleep(draw.uniform(0, 0.3))
    if not (notebooks := find_notebooks(place)):
        return 0
    with suppress(ProcessLookupError):
        os.kill(draw.choice(notebooks), signal.SIGKILL)
    return 1


@pytest.mark.parametrize(
    ("number", "kind"),
    [(8, "flock"), *(pytest.param(*row, marks=soak_only) for row in ((2, "flock"), (2, "lease"), (8, "lease")))],
)
def test_grids_on_one_store_make_each_run_once(number, kind, tmp_path, monkeypatch):
    draw = random.Random(number)
    with count(
        f"{number} grids on one store, one killed and a notebook killed ({kind})", f"grids-{number}-{kind}"
    ) as tally:
        for attempt in range(tries(fast=1, soak=50)):
            place = tmp_path / str(attempt)
            write_templates(place)
            for name, value in places(place).items():
                monkeypatch.setenv(name, value)
            runs = [run.run_id for run in distinct_runs(plan(STUDY))]
            grids = [PROCESSES.Process(target=run_grid, args=(place, kind)) for _ in range(number)]
            killed = start_and_kill(place, grids, draw)
            codes = sorted(wait_for(one) for one in grids)
            end_of(find_notebooks, place)
            if any(code > 0 for code in codes):  # of whose notebooks one was killed: it said so, and is started again
                again = PROCESSES.Process(target=run_grid, args=(place, kind))
                again.start()
                if wait_for(again):
                    tally.lose("started again, a study does not end")
            ended = Counter(line.split()[1] for line in read_log(place) if line.startswith("end"))
            tally.tries += 1
            tally.done_twice += sum(times > 1 for times in ended.values())
            tally.half_read += sum(bool(store.damaged_files(run_id)) for run_id in runs)
            committed = load_runs(STUDY.name, place / "results")["run_id"].tolist()
            said = "\n".join(path.read_text() for path in place.glob("said-*"))
            if not all(map(store.is_complete, runs)) or sorted(committed) != sorted(runs) or "DAMAGED" in said:
                tally.lose(f"not all runs, or one twice: {said}")
            if len(load_scores(STUDY.name, place / "results")) != sum("intermediate" not in run_id for run_id in runs):
                tally.lose("not every score once")
            if codes[0] != -signal.SIGKILL or sum(code != 0 for code in codes[1:]) > killed:
                tally.lose(f"grids that were not killed failed: {codes}: {said}")
    assert tally.lost == 0


@pytest.fixture
def cheap(tmp_path, monkeypatch):
    """(the folder of a study whose runs are cheap, what makes those of a notebook at once)."""
    for name, value in places(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(StudyRunner, "count_subwords", lambda runner: None)
    write_templates(tmp_path)

    def begin(execution):
        for run_id in execution.run_ids:
            cheap_notebook.make(tmp_path, run_id, 0)
        return ended(0)

    return tmp_path, begin


def test_a_training_whose_grid_died_before_it_was_collected_is_collected_by_the_next(cheap):
    place, begin = cheap
    runs = distinct_runs(plan(SMALL))
    training = next(run.run_id for run in runs if run.phase == "intermediate")
    cheap_notebook.make(place, training, 0)
    assert StudyRunner(SMALL, print).run(2, (), begin) == []
    assert set(load_runs(SMALL.name, place / "results")["run_id"]) == {run.run_id for run in runs}
    for path in (place / "results").glob("*/runs.csv"):
        path.write_text("".join(line for line in path.open() if not line.startswith(training)))
    again = StudyRunner(SMALL, print)
    assert again.has_work() and again.run(2, (), begin) == [], "nor is it lost where nothing reads it any more"
    assert training in set(load_runs(SMALL.name, place / "results")["run_id"]) and not again.has_work()


def test_a_run_that_ends_while_a_grid_makes_its_list_is_collected(cheap, monkeypatch):
    place, begin = cheap
    runner = StudyRunner(SMALL, print)
    run_ids = [run.run_id for run in distinct_runs(plan(SMALL))]
    monkeypatch.setattr(runner, "collect_complete", lambda: [cheap_notebook.make(place, name, 0) for name in run_ids])
    assert runner.run(2, (), begin) == []
    assert set(load_runs(SMALL.name, place / "results")["run_id"]) == set(run_ids)


@pytest.mark.parametrize("when", ["begin", "keep_notebook", "claim"])
def test_a_full_disk_fails_the_runs_it_meets_and_no_others(when, cheap, monkeypatch):
    place, begin = cheap
    full, refused = OSError(errno.ENOSPC, "No space left on device"), []

    def refuse_first(call):
        def refuse(*given):
            if not refused:
                refused.append(given)
                raise full
            return call(*given)

        return refuse

    if when == "begin":
        begin = refuse_first(begin)
    elif when == "claim":
        monkeypatch.setattr(grid, "open_lock", refuse_first(locks.open_lock))
    else:
        monkeypatch.setattr(store, "keep_notebook", refuse_first(store.keep_notebook))
    failures = StudyRunner(SMALL, print).run(2, (), begin)
    assert "free some disk and start the same run again" in failures[0].last_lines
    told = {failure.run_id for failure in failures}
    committed = set(load_runs(SMALL.name, place / "results")["run_id"])
    assert committed and not committed & told
    assert committed | told == {run.run_id for run in distinct_runs(plan(SMALL))}
    assert StudyRunner(SMALL, print).run(2, (), begin) == []


def test_what_many_notebooks_wait_for_is_asked_once_each_time(tmp_path):
    asked = []
    waiting = [Execution(tmp_path, {}, (str(number),), ("model", "text"), tmp_path) for number in range(50)]
    assert not list(ready(waiting, lambda run_id: bool(asked.append(run_id))))
    assert asked == ["model"]


def test_a_log_that_is_set_aside_at_this_moment_ends_no_grid(cheap, monkeypatch):
    runner = StudyRunner(SMALL, print)
    monkeypatch.setattr(grid, "last_line", lambda path: path.open())
    made = runner.list_executions()[0]
    assert runner.standing(made) == f"run 1 of {len(made.run_ids)}"


HOLD = """
import sys, time
from xt import locks
locks.LEASE_SECONDS = float(sys.argv[2])
with locks.open_lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


ELSEWHERE = ("unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh")
"""What starts a command as if on another machine."""


def hold(path: Path, before: tuple[str, ...] = (), lease: float = LEASE) -> subprocess.Popen:
    """A process that holds a lock."""
    environment = os.environ | {"XT_LOCKS": "lease"}
    command = [*before, sys.executable, "-c", HOLD, str(path), str(lease)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    if process.stdout.readline() != "held\n":
        assert before, "a lock on this machine can be held"
        pytest.skip("this machine lets no process have a host name of its own")
    return process


def is_free(path: Path) -> bool:
    """Whether a lock can be had at once."""
    try:
        with locks.open_lock(path).acquire(timeout=0):
            return True
    except Timeout:
        return False


@pytest.fixture
def leases(monkeypatch):
    monkeypatch.setenv("XT_LOCKS", "lease")
    monkeypatch.setattr(locks, "LEASE_SECONDS", LEASE)
    locks.kind_of.cache_clear()
    yield
    locks.kind_of.cache_clear()


def test_the_lease_of_a_dead_process_of_this_machine_is_free_at_once(leases, tmp_path):
    holder = hold(tmp_path / "run.lock")
    assert not is_free(tmp_path / "run.lock")
    holder.kill()
    holder.wait()
    assert is_free(tmp_path / "run.lock")


def test_the_lease_of_another_machine_is_kept_while_it_lives_and_free_some_time_after(leases, tmp_path):
    holder, lock = hold(tmp_path / "run.lock", ELSEWHERE), locks.open_lock(tmp_path / "run.lock")
    with pytest.raises(Timeout):
        lock.acquire(timeout=2 * LEASE)
    holder.kill()
    holder.wait()
    with pytest.raises(Timeout):
        lock.acquire(timeout=0)
    with lock.acquire(timeout=20 * LEASE):
        pass


@pytest.mark.parametrize("ask", ["notebook", "run"])
def test_a_grid_that_asks_now_and_then_gets_what_another_machine_left(ask, leases, cheap, monkeypatch):
    place, _ = cheap
    monkeypatch.setattr(locks, "LEASE_SECONDS", 0.6)
    execution = Execution(place, {}, (), (), place / "runs" / "notebook.ipynb")
    run_id, runner = "xnli-none-s1-0123456789ab", StudyRunner(SMALL, print)
    lock = {"notebook": "notebook.lock", "run": f".locks/{run_id}.lock"}[ask]
    holder = hold(place / "runs" / lock, ELSEWHERE, lease=0.6)
    can_have = {"notebook": lambda: runner.claim(execution), "run": lambda: not store.is_busy(run_id)}[ask]
    assert not can_have()
    holder.kill()
    holder.wait()
    deadline = time.monotonic() + 60
    while not can_have():
        assert time.monotonic() < deadline, "a hundred leases later"
        time.sleep(0.05)


def test_a_process_whose_lease_was_taken_while_it_stood_still_stops(leases, tmp_path):
    holder = hold(tmp_path / "run.lock", ELSEWHERE)
    os.kill(holder.pid, signal.SIGSTOP)
    with locks.open_lock(tmp_path / "run.lock").acquire(timeout=20 * LEASE):
        os.kill(holder.pid, signal.SIGCONT)
        assert holder.wait(60) != 0, "its work ends with the lease"


WITHOUT_FLOCK = """
import errno, fcntl, os, sys
def refuse(*_):
    raise OSError(getattr(errno, sys.argv[3]), "no flock here")
fcntl.flock = refuse
from xt import locks
print(locks.kind_of(locks.Path(sys.argv[1]).parent), type(locks.open_lock(sys.argv[1])).__name__)
"""


@pytest.mark.parametrize("error", ["ENOSYS", "ENOLCK", "EOPNOTSUPP"])
def test_where_the_file_system_has_no_flock_a_lock_is_a_lease(error, tmp_path):
    command = [sys.executable, "-c", WITHOUT_FLOCK, str(tmp_path / "run.lock"), str(LEASE), error]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "lease SoftFileLease\n", "and no other error is taken for that"
