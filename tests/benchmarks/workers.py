"""A grid of small runs on two cores: two workers of a thread each, against one, and against one with two threads."""

import os
import tempfile
import time
from functools import partial
from pathlib import Path
from unittest.mock import patch

from tests.benchmarks import frame

TAKES = "six small runs in three arrangements, twice; nine minutes"
ARRANGEMENTS = {
    "two workers, one thread each": (2, 1),
    "one worker, one thread": (1, 1),
    "one worker, two threads": (1, 2),
}
"""Name -> (workers, threads of each)."""
SMALL = dict(target="xnli", languages=["en", "de", "zh"], intermediate="none")
MINI = SMALL | dict(encoder="mini", root="mirror", preset="mini", max_train_examples=1200, max_eval_examples=150)
TINY = SMALL | dict(encoder="tiny", root="fixtures", preset="smoke")


def measure(tiny: bool = False):
    """Seconds of the grid in each arrangement, all kernels warm and all features known."""
    from xt.locations import folder

    there = (folder("XT_MIRROR") / "MIRROR.json").is_file() and (folder("XT_ENCODERS") / "mini").is_dir()
    settings, count = (MINI, 6) if there and not tiny else (TINY, 2 if tiny else 6)
    with tempfile.TemporaryDirectory() as place, patch.dict(os.environ, XT_CACHE=f"{place}/cache"):
        for threads in {threads for _, threads in ARRANGEMENTS.values()}:
            run_grid(settings, 1, 1, threads)  # a server for this number of threads, and the features
        contestants = {
            name: lambda _, workers=workers, threads=threads: run_grid(settings, count, workers, threads)
            for name, (workers, threads) in ARRANGEMENTS.items()
        }
        measured = frame.alternate(contestants, 1 if tiny else 2)
    rows, (ours, *others) = [], ARRANGEMENTS
    for other, target in zip(others, ("ratio >= 1.8", ""), strict=True):
        judged = frame.compare(measured, ours, other)
        what = f"{count} runs of {settings['encoder']}: {ours}, over {other}"
        rows.append(frame.row(what, judged.pop("this"), "seconds", target, arguments=f"{other}: {settings}", **judged))
    return frame.table(rows)


def run_grid(settings: dict, count: int, workers: int, threads: int) -> dict:
    """Seconds of `count` runs that differ in their seeds, in a store of their own."""
    from xt import engine
    from xt.grid import NOTEBOOKS

    codes = []
    with tempfile.TemporaryDirectory() as place, patch.dict(os.environ, XT_RUNS=place):
        executions = [
            engine.Execution(
                NOTEBOOKS / "target.ipynb",
                settings | dict(seed=seed, num_threads=threads),
                (str(seed),),
                (),
                Path(place) / f"{seed}.ipynb",
            )
            for seed in range(1, count + 1)
        ]
        started = time.perf_counter()
        engine.execute(
            executions,
            workers,
            partial(engine.start, num_threads=threads),
            lambda run_id: True,
            lambda execution: None,
            lambda execution, code: codes.append(code) or [],
            lambda running: None,
        )
        seconds = time.perf_counter() - started
        if any(codes):
            logs = [execution.output.with_suffix(".log").read_text()[-1000:] for execution in executions]
            raise RuntimeError("\n".join(logs))
    return dict(seconds=seconds)
