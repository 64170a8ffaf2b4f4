"""A grid as a process of its own: `python grid_of.py WORKERS`, in the folders that XT_RUNS, XT_RESULTS, XT_CACHE name.

Says what a grid says; exit code 1 where a run failed.
"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from xt.locations import PROJECT
from xt.studies import get_study

STUDY = replace(
    get_study("smoke"),
    name="faulty",
    intermediates=("none", "mnli"),
    targets=("xnli", "tatoeba"),
    seeds=(1,),
    languages={"xnli": ("en", "de"), "tatoeba": ("de",)},
)
"""Five runs and two fine-tuned models, a second each."""


def places(place: Path) -> dict[str, str]:
    """The environment of a grid that works in this folder."""
    return {f"XT_{name.upper()}": str(place / name) for name in ("runs", "results", "cache")}


def start_grid(place: Path, log: Path, workers: int = 2, project: Path = PROJECT, **variables: str) -> subprocess.Popen:
    """A grid in this folder; what it says goes to a file."""
    command = [sys.executable, __file__, str(workers)]
    environment = os.environ | {"PYTHONPATH": str(project), "OMP_NUM_THREADS": "1"} | places(place) | variables
    with log.open("a") as file:
        return subprocess.Popen(command, env=environment, stdout=file, stderr=file, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    from xt.grid import StudyRunner

    failures = StudyRunner(STUDY, lambda line: print(line, flush=True)).run(int(sys.argv[1]))
    for failure in failures:
        print(f"{failure.run_id} {failure.last_lines}", flush=True)
    sys.exit(1 if failures else 0)
