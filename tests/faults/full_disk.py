"""`python full_disk.py PLACE WRITES`, as root of a mount namespace of its own: a run on a disk that is really full.

PLACE/disk becomes a small disk of memory. A run writes so many times to it, from its first folder to the last row of
its results. For `WRITES` of these writes, evenly spread (0 = for each), a process of its own makes the run, the disk
being full from that write on, and another one when there is room again. Says as JSON, line by line, what happened;
first how many writes the whole run takes. LD_PRELOAD has to name what `full_disk.c` is compiled to: it counts.
"""

import ctypes
import json
import os
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
from faults.grid_of import STUDY, places

from xt import store, train
from xt.disk import find_damage
from xt.grid import StudyRunner
from xt.results import finished_runs
from xt.transfer import run_block

SIZE = 65_536_000
NEVER = 1 << 40


def make(place: Path, full_at: int = NEVER) -> tuple[str, int]:
    """In a process of its own: the run, its notebook kept, its results committed. (What it says, how often it wrote.)

    The disk is full from the write `full_at` on.
    """
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        counter = ctypes.CDLL(os.environ["LD_PRELOAD"])
        try:
            train.CHECKPOINT_SECONDS = 0.0
            config = STUDY.score_config("tiny", "none", "xnli", 1)
            counter.full_disk_at(ctypes.c_long(full_at))
            scores = run_block([config])["score"].round(6).tolist()
            runner = StudyRunner(STUDY, lambda line: None)
            [run] = [run for run in runner.runs.values() if run.run_id == config.run_id]
            runner.collect(run, place.parent / "made.ipynb")
            said = "; ".join(failure.last_lines for failure in runner.failures) or json.dumps(scores)
        except BaseException as error:  # noqa: BLE001
            said = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
        os.write(writer, json.dumps([said[:50_000], counter.full_disk_calls()]).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as file:
        said, calls = json.load(file)
    os.waitpid(child, 0)
    return said, calls


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


def main(place: Path, wanted: int) -> None:
    """The whole run, then one per write."""
    disk = place / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(disk)], check=True)
    os.environ |= places(disk) | {"FULL_DISK_ROOT": str(disk)}
    (place / "made.ipynb").write_text("{}")
    whole, writes = make(disk)
    print(json.dumps({"writes": writes, "said": whole}), flush=True)
    for full_at in np.unique(np.linspace(1, writes, min(wanted, writes) or writes).round().astype(int)).tolist():
        for path in disk.iterdir():
            shutil.rmtree(path)
        [first, _], found = make(disk, full_at), see(disk)
        (disk / "ballast").unlink()
        again, _ = make(disk)
        print(
            json.dumps(
                {
                    "full_at": full_at,
                    "said": first,
                    "again": again,
                    **found,
                    "committed": len(finished_runs(disk / "results" / STUDY.name)),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
