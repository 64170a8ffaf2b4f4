"""`python full_disk.py PLACE FREE...`, as root of a mount namespace of its own: a run on a disk that is really full.

PLACE/disk becomes a small disk of memory. For each FREE (pages left on it) a process of its own makes a run until the
disk is full, and another one when there is room again. Says as JSON, line by line, what happened; first how many pages
the whole run takes.
"""

import json
import os
import select
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

from faults.grid_of import STUDY, places

from xt import store, train
from xt.disk import find_damage
from xt.grid import StudyRunner
from xt.results import finished_runs
from xt.transfer import run_block

PAGE = os.sysconf("SC_PAGE_SIZE")
PAGES = 16_000


def make(place: Path) -> tuple[str, int]:
    """In a process of its own: the run, and its results committed. (What it says, the most pages that were taken.)"""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        said = ""
        try:
            train.CHECKPOINT_SECONDS = 0.0
            config = STUDY.score_config("tiny", "none", "xnli", 1)
            scores = run_block([config])["score"].round(6).tolist()
            runner = StudyRunner(STUDY, lambda line: None)
            runner.collect_complete()
            said = "; ".join(failure.last_lines for failure in runner.failures) or json.dumps(scores)
        except BaseException as error:  # noqa: BLE001
            said = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
        os.write(writer, said.encode()[:60_000])
        os._exit(0)
    os.close(writer)
    most = 0
    while not select.select([reader], [], [], 0.001)[0]:
        most = max(most, PAGES - os.statvfs(place).f_bfree)
    with open(reader) as file:
        said = file.read()
    os.waitpid(child, 0)
    return said, most


def see(place: Path) -> dict:
    """What stands on the disk: complete runs that are damaged, checkpoints, and those that are not whole."""
    folders = [path for path in (place / "runs").glob("*-s[0-9]*-*") if path.is_dir()]
    checkpoints = [path / "checkpoint" for path in folders if (path / "checkpoint").is_dir()]
    return {
        "damaged": [path.name for path in folders if store.is_complete(path.name) and store.damaged_files(path.name)],
        "checkpoints": len(checkpoints),
        "broken": [str(path) for path in checkpoints if find_damage(path)],
        "leftovers": [str(path) for path in folders for path in path.glob(".*.new")],
    }


def main(place: Path, frees: list[int]) -> None:
    """The whole run, then one per number of free pages."""
    disk = place / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={PAGES * PAGE}", "none", str(disk)], check=True)
    os.environ |= places(disk) | {"XT_CACHE": str(place / "cache")}
    whole, taken = make(disk)
    print(json.dumps({"pages": taken, "said": whole}), flush=True)
    for free in frees:
        for path in disk.iterdir():
            shutil.rmtree(path)
        with (disk / "ballast").open("wb") as file:
            file.write(bytes((PAGES - free) * PAGE - PAGE))
        [first, _], found = make(disk), see(disk)
        (disk / "ballast").unlink()
        again, _ = make(disk)
        print(
            json.dumps(
                {
                    "free": free,
                    "said": first,
                    "again": again,
                    **found,
                    "committed": len(finished_runs(disk / "results" / STUDY.name)),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), list(map(int, sys.argv[2:])))
