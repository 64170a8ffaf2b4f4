"""A study on the workers of a site ends as one that nobody disturbed, whatever of the site is killed."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from faults.grid_of import places, start_grid
from faults.soak import count, soak_only, tries
from faults.watching import PATIENCE, read_result, see_complete, wait_for_all

from xt.locations import PROJECT

pytest.importorskip("parsl", reason="Parsl is not installed")
GRID = """
import sys
from pathlib import Path
from faults.grid_of import STUDY
from xt.cluster import open_engine
from xt.grid import StudyRunner

def say(line):
    print(line, flush=True)

with open_engine("parsl", Path(sys.argv[1]), 1, say) as (at_once, begin):
    failures = StudyRunner(STUDY, say).run(at_once, (), begin)
for failure in failures:
    print("FAILED", failure.run_id, failure.last_lines, flush=True)
sys.exit(bool(failures))
"""
LOGS = {"worker_": "worker", "manager": "node", "interchange": "interchange"}
"""Beginning of the log that a process of a site writes -> what it is."""
SITE = "lost_after = 8\nrestarts = {restarts}\n[executors.pair]\nnodes = 2\nworker_init = '''{worker_init}'''\n"


def start_on_site(place, log, restarts=5, worker_init="", **variables):
    """A grid in a folder, on two nodes of a worker each."""
    (place / "site.toml").write_text(SITE.format(restarts=restarts, worker_init=worker_init))
    return start_with(place / "site.toml", place, log, **variables)


def start_with(site, place, log, **variables):
    """A grid in a folder, on a site; what it says goes to a file."""
    environment = os.environ | {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}"} | places(place) | variables
    with log.open("a") as file:
        return subprocess.Popen([sys.executable, "-c", GRID, str(site)], env=environment, stdout=file, stderr=file)


def find_parts(place, grid):
    """What a process is -> the processes of a site and its grid."""
    found = {"grid": [grid.pid]} if grid.poll() is None else {}
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            log = link.readlink()
            role = next((role for beginning, role in LOGS.items() if log.name.startswith(beginning)), "")
            if role and log.is_relative_to(place / "runs" / "parsl") and int(link.parts[2]) != grid.pid:
                found.setdefault(role, []).append(int(link.parts[2]))
    return found


def kill_part(place, grid, moment, draw):
    """Kills a process, or all of a node, after so many seconds; what it was, '' where the study ended before."""
    deadline = time.monotonic() + moment
    while time.monotonic() < deadline and grid.poll() is None:
        time.sleep(0.05)
    there = find_parts(place, grid)
    if "grid" not in there:
        return ""
    role = draw.choice(sorted(there))
    victim = draw.choice(there[role])
    with suppress(ProcessLookupError):
        os.killpg(os.getpgid(victim), signal.SIGKILL) if role == "node" else os.kill(victim, signal.SIGKILL)
    return role


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """(the scores of the study on this machine alone, the seconds that it takes on the site)."""
    alone, place = tmp_path_factory.mktemp("alone"), tmp_path_factory.mktemp("site")
    assert start_grid(alone, alone / "log").wait(PATIENCE) == 0, (alone / "log").read_text()
    started = time.monotonic()
    assert start_on_site(place, place / "log").wait(PATIENCE) == 0, (place / "log").read_text()
    seconds = time.monotonic() - started
    assert read_result(place) == read_result(alone)
    return read_result(alone), seconds


@soak_only
def test_a_study_on_a_site_survives_its_workers_nodes_interchange_and_grid(undisturbed, tmp_path, monkeypatch):
    expected, seconds = undisturbed
    draw, number, wanted = random.Random(5), 0, tries(fast=2, soak=20)
    with count("kill -9 of a worker, a node, the interchange or the grid of a site", "sites") as tally:
        while tally.tries < wanted and not tally.lost:
            place, made, code = tmp_path / f"study-{(number := number + 1)}", {}, 1
            place.mkdir()
            while code and not tally.lost:
                said = place / f"log-{tally.tries}"
                grid = start_on_site(place, said)
                role = kill_part(place, grid, draw.uniform(0.1, 1.0) * seconds, draw) if tally.tries < wanted else ""
                code = wait_for_all(place, grid)
                tally.tries += bool(role)
                text = said.read_text()
                if "FAILED" in text or (code and role not in ("grid", "interchange")):
                    tally.lose(f"{role or 'nobody'} was killed, and the study did not go on: {text}")
                now = see_complete(place, monkeypatch)
                tally.done_twice += sum(now.get(run_id, when) != when for run_id, when in made.items())
                made |= now
            if not tally.lost and read_result(place) != expected:
                tally.lose(f"other scores after kills: {place}")


@soak_only
def test_a_notebook_that_loses_its_worker_again_and_again_fails_and_says_so(tmp_path):
    grid = start_on_site(tmp_path, tmp_path / "log", restarts=0)
    deadline = time.monotonic() + PATIENCE
    while "worker" not in (there := find_parts(tmp_path, grid)) or not list((tmp_path / "runs").glob("*-s1-*")):
        assert grid.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
        time.sleep(0.1)
    for pid in there["worker"]:
        os.kill(pid, signal.SIGKILL)
    assert wait_for_all(tmp_path, grid) == 1
    assert "lost with its worker 1 times, the last time: Task failure due to loss of" in (tmp_path / "log").read_text()


@soak_only
def test_a_site_whose_nodes_never_come_up_is_told_with_their_own_words(tmp_path):
    grid = start_on_site(tmp_path, tmp_path / "log", worker_init="echo no such module: cuda >&2; exit 1")
    assert wait_for_all(tmp_path, grid) == 1
    told = (tmp_path / "log").read_text()
    assert "SiteFailed" in told and "3 nodes in a row did not come up" in told
    assert "no such module: cuda" in told
