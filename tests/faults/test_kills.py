"""A study killed at any moment, and moved to another folder, ends as one that nobody disturbed."""

import json
import os
import random
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from faults.grid_of import STUDY, start_grid
from faults.soak import count, soak_only, tries
from faults.watching import PATIENCE, find_processes, read_result, see_complete, wait_for_all

from xt.locations import PROJECT
from xt.results import load_runs

NUM_RUNS = 5
OFTEN = ("CHECKPOINT_SECONDS = 60.0", "CHECKPOINT_SECONDS = 0.0")
"""What is changed where a training shall save a checkpoint after every update."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """(its scores, the seconds that it took)."""
    place, started = tmp_path_factory.mktemp("undisturbed"), time.monotonic()
    assert start_grid(place, place / "log").wait(PATIENCE) == 0, (place / "log").read_text()
    return read_result(place), time.monotonic() - started


def kill_one(place: Path, grid, moment: float, draw: random.Random) -> str:
    """Kills a process of a study after so many seconds; its role, '' where the study ended before."""
    deadline = time.monotonic() + moment
    while time.monotonic() < deadline and grid.poll() is None:
        time.sleep(0.02)
    there = {role: found for role, found in find_processes(place, grid.pid).items() if found}
    if grid.poll() is not None:
        return ""
    role = draw.choice(sorted(there)) if there else "grid"
    with suppress(ProcessLookupError):
        os.kill(draw.choice(there[role]) if there else grid.pid, signal.SIGKILL)
    return role


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """The project in two other folders, as on other machines; there a training saves a checkpoint after every update.

    Runs of a second would have none otherwise, and nothing would ever be resumed.
    """
    places = [tmp_path_factory.mktemp("elsewhere") / "project" for _ in range(2)]
    for place in places:
        for name in ("xt", "notebooks/experiments", "data/fixtures"):
            shutil.copytree(PROJECT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        loop = place / "xt" / "train.py"
        text = loop.read_text()
        assert text.count(OFTEN[0]) == 1
        loop.write_text(text.replace(*OFTEN))
    return places


def read_logs(place: Path) -> dict[str, list[str]]:
    """Training -> the lines of its log, speeds and all: no other training has the same."""
    return {path.parent.name: path.read_text().splitlines() for path in (place / "runs").glob("*/train.jsonl")}


def see_checkpoints(place: Path) -> dict[str, list[str]]:
    """Unfinished training -> the lines of its log up to its checkpoint, which stay when it goes on."""
    logs, found = read_logs(place), (place / "runs").glob("*/checkpoint/progress.json")
    return {path.parts[-3]: logs[path.parts[-3]][: json.loads(path.read_text())["step"]] for path in found}


def count_damage(place: Path) -> int:
    """How often the grid, a notebook or its kernel said that something is damaged."""
    said = [place / "log", *(place / "runs" / "notebooks").rglob("*.log")]
    said += (place / "runs" / "notebooks").rglob("*.ipynb")
    return sum(path.read_text(errors="replace").count("is damaged in") for path in said)


def run_until_killed(place: Path, project: Path, moment: float | None, draw: random.Random, tally) -> bool:
    """Starts the study and kills one of its processes after so many seconds (None = none); whether it came through."""
    said = place / "log"
    said.unlink(missing_ok=True)
    grid = start_grid(place, said, project=project)
    role = "" if moment is None else kill_one(place, grid, moment, draw)
    code = wait_for_all(place, grid)
    text = said.read_text()
    tally.tries += bool(role)
    tally.half_read += count_damage(place)
    if text.count("FAILED") > (role in ("notebook", "kernel")) or (code and not role):
        tally.lose(f"{role or 'nobody'} was killed, and more failed than its notebook: {text}")
    return code == 0


@soak_only
def test_a_study_killed_and_moved_ends_as_one_that_was_not(undisturbed, copies, tmp_path, monkeypatch):
    (expected, seconds), resumed = undisturbed, 0
    draw, wanted, number = random.Random(11), tries(fast=1, soak=200), 0
    with count("kill -9 of a grid, a notebook or a kernel at a random moment, then moved", "kills") as tally:
        while tally.tries < wanted and not tally.lost:
            place, made, saved, ended = tmp_path / f"study-{number}", {}, {}, False
            place.mkdir()
            while not ended and not tally.lost:
                moment = draw.uniform(0.3, 1.2) * seconds if tally.tries < wanted else None
                ended = run_until_killed(place, draw.choice(copies), moment, draw, tally)
                place = place.rename(tmp_path / f"study-{(number := number + 1)}")
                now = see_complete(place, monkeypatch)
                tally.done_twice += sum(now.get(run_id, when) != when for run_id, when in made.items())
                if set(made) - set(now):
                    tally.lose(f"complete once, and not any more: {set(made) - set(now)}")
                made |= now
                for run_id, lines in saved.items():
                    if read_logs(place)[run_id][: len(lines)] != lines:
                        tally.lose(f"a training did not go on from its checkpoint: {run_id}")
                resumed += len(set(saved) & set(now))
                saved = see_checkpoints(place)
            runs = load_runs(STUDY.name, place / "results")["run_id"]
            if read_result(place) != expected or len(runs) != NUM_RUNS or runs.duplicated().any():
                tally.lose(f"other scores after kills: {place}")
            number += 1
        assert resumed > wanted // 20, "trainings were resumed from checkpoints"
