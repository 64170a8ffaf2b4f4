"""What stands in the folder of a study (see `faults.grid_of`), and who works there."""

import os
import time
from contextlib import suppress
from pathlib import Path

from faults.grid_of import STUDY

from xt import store
from xt.results import load_scores

PATIENCE = 900
ROLES = ("grid", "notebook", "kernel")


def read_result(place):
    """Run, language and metric -> score of a study's folder."""
    scores = load_scores(STUDY.name, place / "results")
    keys = [
        *zip(
            scores["run_id"],
            scores["eval_language"],
            scores["metric"],
            scores["layer"].astype(str),
            scores["direction"].astype(str),
            strict=True,
        )
    ]
    assert len(set(keys)) == len(keys), "no score twice"
    return dict(zip(keys, scores["score"], strict=True))


def find_processes(place: Path, grid: int) -> dict[str, list[int]]:
    """Role -> processes that have a file of this folder open."""
    found = {role: [] for role in ROLES}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            files = [os.readlink(file) for file in (entry / "fd").iterdir()]
            if any(file.startswith(f"{place}/") for file in files) and int(entry.name) != os.getpid():
                is_kernel = any(f"{place}/runs/.locks/" in file for file in files)
                role = "grid" if int(entry.name) == grid else "kernel" if is_kernel else "notebook"
                found[role].append(int(entry.name))
    return found


def wait_for_all(place: Path, grid) -> int:
    """Until the grid has ended, and all that it started; its exit code."""
    code = grid.wait(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while any(find_processes(place, grid.pid).values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(find_processes(place, grid.pid).values()), "no process of a study that has ended goes on for ever"
    return code


def see_complete(place: Path, monkeypatch) -> dict[str, int]:
    """Complete run -> when it was made; fails where one is damaged."""
    monkeypatch.setenv("XT_RUNS", str(place / "runs"))
    folders = [path for path in (place / "runs").glob("*-s[0-9]*-*") if store.is_complete(path.name)]
    damaged = {path.name: files for path in folders if (files := store.damaged_files(path.name))}
    assert not damaged
    return {path.name: (path / "outcome.json").stat().st_mtime_ns for path in folders}
