"""A committed run made again from nothing, and compared with what was committed."""

import os
import tempfile
from collections.abc import Callable

import numpy as np
import pandas as pd

from xt.errors import require_known
from xt.grid import plan, study_folder
from xt.results import SCORE_KEYS, load_scores
from xt.studies import Study


def committed_runs(study: Study) -> dict:
    """Run id -> config of the study's scorings that the committed results hold, in the order of the plan."""
    runs = [run for block in plan(study) for run in block.runs]
    return {run.run_id: run.config for run in runs if run.state == "committed"}


def choose_run(study: Study, run_id: str, rng: np.random.Generator):
    """The config of a committed run: the one named, or one drawn where `run_id` is empty.

    Raises ValueError for a run that is not committed, and for a study of which nothing is.
    """
    there = committed_runs(study)
    if not there:
        raise ValueError(
            f"study {study.name!r}: no run of its present plan in {study_folder(study)}; run `xt run {study.name}`"
        )
    chosen = run_id or list(there)[rng.integers(len(there))]
    return there[require_known("committed run", chosen, there)]


def reproduce(study: Study, config, report: Callable[[dict], None]) -> pd.DataFrame:
    """Score rows of one run made anew in an empty store: columns `committed`, `again`, `difference`, in points.

    Trains everything the run starts from; equal to the last digit on the same kind of processor with the same
    library versions. Elsewhere bf16 products round otherwise and scores differ by a few examples.
    """
    from xt.transfer import run_block

    with tempfile.TemporaryDirectory() as place:
        os.environ["XT_RUNS"] = place
        again = run_block([config], report)
    committed = load_scores(study.name).query("run_id == @config.run_id")
    keys = [key for key in SCORE_KEYS if again[key].notna().any()]
    table = committed.astype({key: again[key].dtype for key in keys}).merge(again, on=keys, suffixes=("", "_again"))
    table = table[[*keys]].assign(committed=table["score"].astype(float), again=table["score_again"].round(4))
    return table.assign(difference=(table["again"] - table["committed"]).abs().round(4))
