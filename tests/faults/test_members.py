"""A training by two processes of which one is killed, or their starter, goes on where it was, as if undisturbed."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from faults.soak import count, soak_only
from safetensors.torch import load_file

from xt import member, processes, store
from xt.locations import PROJECT
from xt.parameters import intermediate_config

PATIENCE, SOON = 900, 60
SETTINGS = dict(
    intermediate="mnli", encoder="tiny", root="fixtures", preset="smoke", seed=1, num_epochs=12, dropout=0.0,
    selection_steps=10, precision="fp32",
)  # fmt: skip
TRAIN = (
    f"from xt.parameters import intermediate_config as c; from xt.transfer import train_model as t; t(c(**{SETTINGS}))"
)
ROLES = ("starter", "launcher", "member")


def start(place: Path, launch: str) -> subprocess.Popen:
    """A process that asks for the training in this folder."""
    folders = {"XT_RUNS": str(place / "runs"), "XT_CACHE": str(place.with_name("cache")), "XT_LAUNCH": launch}
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1", "TMPDIR": str(place)} | folders
    with (place / "log").open("a") as log:
        return subprocess.Popen([sys.executable, "-c", TRAIN], env=environment, stdout=log, stderr=log)


def find_children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def see_processes(starter: int) -> dict[str, list[int]]:
    """Role -> processes of a training."""
    launchers = find_children(starter)
    members = [pid for launcher in launchers for pid in find_children(launcher)]
    return {"starter": [starter], "launcher": launchers, "member": members}


def is_there(pid: int) -> bool:
    """Whether a process runs."""
    with suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def wait_until(condition) -> None:
    """Waits for what must come."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited for in vain"
        time.sleep(0.02)


def kill_one(place: Path, process: subprocess.Popen, steps: int, draw: random.Random) -> bool:
    """Kills one of the processes after so many updates; False where they had ended. All of them are then gone."""
    log = place / "runs" / config().model_id / "train.jsonl"
    wait_until(lambda: process.poll() is not None or (log.is_file() and log.read_text().count("\n") >= steps))
    there = see_processes(process.pid)
    everyone = [pid for pids in there.values() for pid in pids]
    role = draw.choice([role for role in ROLES if there[role]])
    with suppress(ProcessLookupError):
        os.kill(draw.choice(there[role]), signal.SIGKILL)
    killed = process.wait(PATIENCE) != 0
    wait_until(lambda: not any(map(is_there, everyone)))
    return killed


def config():
    """The training."""
    return intermediate_config(**SETTINGS)


def read(place: Path) -> tuple[dict, list[float]]:
    """(weights, losses) of the finished training of a folder."""
    folder = place / "runs" / config().model_id
    losses = [json.loads(line)["loss"] for line in (folder / "train.jsonl").read_text().splitlines()]
    return load_file(folder / "encoder" / "model.safetensors"), losses


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What one process makes of it."""
    place = tmp_path_factory.mktemp("members") / "alone"
    place.mkdir()
    assert start(place, "").wait(PATIENCE) == 0, (place / "log").read_text()
    return place


@soak_only
def test_a_training_by_two_survives_the_death_of_any_process(undisturbed, tmp_path, monkeypatch):
    weights, losses = read(undisturbed)
    launch, draw = f"{sys.executable} {Path(__file__).with_name('members_of.py')}", random.Random(5)
    with count("kill -9 of one process of a training by two, or of its starter", "members") as tally:
        for number in range(100):
            place = tmp_path / str(number)
            place.mkdir()
            monkeypatch.setenv("XT_RUNS", str(place / "runs"))
            tally.tries += kill_one(place, start(place, launch), draw.randrange(1, len(losses)), draw)
            assert start(place, launch if number % 2 else "").wait(PATIENCE) == 0, (place / "log").read_text()
            found, ended = read(place)
            if ended != pytest.approx(losses, rel=1e-4):
                tally.lose(f"try {number}: other losses")
            if max(float((found[name] - weights[name]).abs().max()) for name in weights) > 1e-4:
                tally.lose(f"try {number}: other weights")
            tally.half_read += len(store.damaged_files(config().model_id))


@pytest.fixture
def writing(tmp_path, monkeypatch):
    """Members that take part until `end` is set; `inside` holds the ranks that do, `start(rank)` starts one."""
    monkeypatch.setenv("XT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("torch.distributed.destroy_process_group", lambda: None)
    local, end, entered, threads = threading.local(), threading.Event(), threading.Semaphore(0), []
    monkeypatch.setattr(processes, "join", lambda: None)
    monkeypatch.setattr(processes, "part", lambda: (local.rank, 2))

    def take_part(run_id, folder):
        entered.release()
        end.wait(SOON)

    def enter(rank):
        local.rank = rank
        member.main("none-mnli-s1-0123456789ab")

    def start_member(rank):
        threads.append(threading.Thread(target=enter, args=(rank,)))
        threads[-1].start()

    monkeypatch.setattr(member, "take_part", take_part)
    yield start_member, entered, end
    end.set()
    for thread in threads:
        thread.join(SOON)


def test_the_writer_of_a_new_start_waits_until_that_of_a_dead_starter_is_gone(writing):
    """As where nodes learn late that their starter has died; those who do not write need not wait."""
    start_member, entered, end = writing
    start_member(0)
    assert entered.acquire(timeout=SOON)
    start_member(1)
    assert entered.acquire(timeout=SOON)
    start_member(0)
    assert not entered.acquire(timeout=0.3), "two write one run"
    end.set()
    assert entered.acquire(timeout=SOON)


@pytest.mark.parametrize(
    ("launch", "told"),
    [
        (
            "srun --nodes=2 --account=lab7 --export=ALL,HF_TOKEN=hf_secret torchrun --nnodes=2 --nproc-per-node=8",
            "2 x 8 x GPU, XT_LAUNCH",
        ),
        ("torchrun --nproc_per_node 4\n--rdzv-endpoint=host:29500", "4 x GPU, XT_LAUNCH"),
        ("torchrun --nnodes=1:4 --nproc-per-node=gpu", "GPU, XT_LAUNCH"),
        ("", "GPU"),
    ],
)
def test_of_the_command_that_starts_members_counts_alone_are_recorded(launch, told, monkeypatch):
    monkeypatch.setenv("XT_LAUNCH", launch)
    monkeypatch.delenv("XT_PROCESSES", raising=False)
    assert processes.name_device("GPU") == told


def test_the_log_of_a_run_that_was_set_aside_meanwhile_has_no_last_line(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "is_file", lambda path: True)  # it went after that was asked
    assert processes.last_line(tmp_path / "train.jsonl") is None
