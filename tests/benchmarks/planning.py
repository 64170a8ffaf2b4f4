"""How long it takes to plan a study of 10,000 runs: which runs, their ids, and what is there of them."""

import os
import tempfile
import time
from dataclasses import replace
from unittest.mock import patch

from tests.benchmarks import frame
from tests.benchmarks.growth import write_index

TAKES = "the first plan of a process, of 10,000 runs missing and of 10,000 committed; a minute"
STUDIES = {"lab": 29, "real-full": 60}
"""Study of the table -> seeds with which it has 10,000 runs."""


def measure(tiny: bool = False):
    """Seconds of `xt.grid.plan`, imports done."""
    from xt.grid import plan
    from xt.locations import folder
    from xt.studies import STUDIES as TABLE

    rows = []
    for name, seeds in ({"smoke": 1} if tiny else STUDIES).items():
        if TABLE[name].root == "mirror" and not (folder("XT_MIRROR") / "MIRROR.json").is_file():
            continue
        study = replace(TABLE[name], seeds=tuple(range(1, seeds + 1)))
        with tempfile.TemporaryDirectory() as place, patch.dict(os.environ, XT_RUNS=place, XT_RESULTS=place):
            blocks, seconds, processor = plan_timed(plan, study)
            runs = {run.run_id for block in blocks for run in block.runs}
            what = f"plan of {name} with {seeds} seeds, {len(runs)} runs"
            rows.append(frame.row(what, seconds, "seconds", "this < 2", processor_seconds=processor))
            write_index(frame_folder(place, name), sorted(runs))
            _, seconds, processor = plan_timed(plan, study)
            rows.append(frame.row(f"{what}, all committed", seconds, "seconds", processor_seconds=processor))
    return frame.table(rows)


def frame_folder(place: str, name: str) -> str:
    """Where a study's results would be."""
    return os.path.join(place, name)


def plan_timed(plan, study):
    """(blocks, seconds, processor seconds) of a plan."""
    started = time.perf_counter(), time.process_time()
    blocks = plan(study)
    return blocks, time.perf_counter() - started[0], time.process_time() - started[1]
