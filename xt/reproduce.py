"""A committed run made again from nothing, and compared with what was committed."""

import os
import tempfile
from collections.abc import Callable

import numpy as np
import pandas as pd

from xt.config import ScoreConfig
from xt.errors import require_known
from xt.grid import plan, study_folder
from xt.results import SCORE_KEYS, load_scores
from xt.study import Study


def committed_runs(study: Study) -> dict:
    """Run id -> config of the study's scorings that the committed results hold, in the order of the plan."""
    runs = [run for block in plan(study) for run in block.runs]
    return {run.run_id: run.config for run in runs if run.state == "committed" and isinstance(run.config, ScoreConfig)}


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
    """Score rows of one run made anew in an empty store: columns `committed`, `again`, `difference`, in points;
    the difference is infinite where one side lacks a score.

    Trains everything the run starts from; equal to the last digit on the same kind of processor with the same
    library versions. Elsewhere bf16 products round otherwise and scores differ by a few examples.
    """
    from xt.transfer import run_block

    kept = os.environ.get("XT_RUNS", "")
    with tempfile.TemporaryDirectory() as place:
        os.environ["XT_RUNS"] = place
        try:
            again = run_block([config], report)
        finally:
            os.environ["XT_RUNS"] = kept
    committed = load_scores(study.name).query("run_id == @config.run_id")
    columns = [*SCORE_KEYS, "score"]
    tables = [frame[columns].astype(dict.fromkeys(SCORE_KEYS, str)) for frame in (committed, with_layers(again))]
    table = tables[0].merge(tables[1], on=SCORE_KEYS, how="outer", suffixes=("_committed", "_again"))
    ours, theirs = (table[f"score_{side}"].astype(float).round(4) for side in ("committed", "again"))
    missing_here = ours.isna() != theirs.isna()
    difference = (ours - theirs).abs().round(4).fillna(0).mask(missing_here, float("inf"))
    return table[SCORE_KEYS].assign(committed=ours, again=theirs, difference=difference)


def with_layers(scores: pd.DataFrame) -> pd.DataFrame:
    """Score rows with the layer as a whole number, as the committed tables have it."""
    return scores.astype({"layer": "Int64", "direction": "string"})
