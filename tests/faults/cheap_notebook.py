"""Stands for a notebook where only the store and the grid are tried: `cheap_notebook.py WORK PAUSE LEASE RUN...`.

Makes each run that is not complete, under its lock (a lease lasts LEASE seconds), out of the files in WORK/<kind of
run>, with a pause before and after every file; notes in WORK/log what it begins and ends.
"""

import os
import sys
import time
from pathlib import Path

from xt import locks, store


def make(work: Path, run_id: str, pause: float) -> None:
    """One run: the files of its kind, its id filled in."""
    config = {"identity": {"run": run_id}, "code_version": "c", "device": "d", "libraries": {"xt": "0"}}
    with store.open_run(run_id, config) as folder:
        if store.is_whole(run_id):
            return
        note(work, "begin", run_id)
        templates = work / ("training" if run_id.startswith(("intermediate", "pretrain")) else "scoring")
        for path in sorted(path for path in templates.rglob("*") if path.is_file()):
            time.sleep(pause)
            target = folder / path.relative_to(templates)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes().replace(b"RUN_ID", run_id.encode()))
        time.sleep(pause)
        store.finish(run_id)
        note(work, "end", run_id)


def note(work: Path, *words: str) -> None:
    """Adds a line to the log in one step."""
    handle = os.open(work / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, (" ".join((*words, str(os.getpid()))) + "\n").encode())
    os.close(handle)


if __name__ == "__main__":
    locks.LEASE_SECONDS = float(sys.argv[3])
    for run_id in sys.argv[4:]:
        make(Path(sys.argv[1]), run_id, float(sys.argv[2]))
