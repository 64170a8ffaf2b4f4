"""A training by two processes of which one is killed, or their starter, goes on where it was, as if undisturbed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from faults.soak import count, soak_only, tries
from safetensors.torch import load_file

from xt import store
from xt.locations import PROJECT
from xt.parameters import intermediate_config

PATIENCE = 900
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
        for number in range(tries(fast=1, soak=100)):
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
