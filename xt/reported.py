"""Which scores are reported and compared, and their plain means over languages and seeds."""

from itertools import combinations_with_replacement

import numpy as np
import pandas as pd

from xt.errors import require_known
from xt.metrics.depth import reported_layer
from xt.schema import refuse_duplicates
from xt.studies import STUDIES
from xt.tasks import TASKS

RETRIEVAL_DIRECTION = "from_english"
"""XTREME's direction: for each English sentence its nearest foreign one."""
NOT_IN_XTREME = ("token_accuracy",)
"""Metrics that stand beside XTREME's and stay out of its mean."""
XTREME_TASKS = ("xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba")
"""The nine whose mean is XTREME's overall score."""
CELL = ["encoder", "target"]
BASELINE = "none"
"""The arm that goes straight to the target task."""


def pick_encoder(scores: pd.DataFrame, study: str, encoder: str = "") -> str:
    """The encoder that a study is read for: the one named, else the first of the study's row that has scores, else (of
    imported scores) the one with most runs; '' where there are none. Raises ValueError naming those that have some."""
    there = scores.groupby("encoder")["run_id"].nunique()
    if there.empty:
        return ""
    if encoder:
        return require_known("encoder", encoder, there.index)
    named = STUDIES[study].encoders if study in STUDIES else ()
    return next((name for name in named if name in there.index), there.idxmax())


def select_encoder(scores: pd.DataFrame, study: str, encoder: str = "") -> pd.DataFrame:
    """The rows of the encoder that `pick_encoder` names."""
    return scores[scores["encoder"] == pick_encoder(scores, study, encoder)]


def select_reported(scores: pd.DataFrame) -> pd.DataFrame:
    """Each target's own metrics; of retrieval one fixed depth and direction."""
    layer = scores["layer"].astype("Float64").to_numpy(float, na_value=np.nan)
    deepest = pd.Series(layer).groupby(scores["encoder"].to_numpy()).transform("max").to_numpy()
    reported = reported_layer(deepest)
    chosen = (layer == reported) & (scores["direction"].fillna("") == RETRIEVAL_DIRECTION).to_numpy(bool)
    return scores[np.isnan(layer) | chosen]


def select_official(scores: pd.DataFrame) -> pd.DataFrame:
    """The scores that XTREME's means are of."""
    rows = select_reported(scores)
    return rows[~rows["metric"].isin(NOT_IN_XTREME)]


def select_layers(scores: pd.DataFrame) -> tuple[pd.DataFrame, int | None]:
    """(the retrieval scores of every layer, from English, by each target's primary metric; the layer that is reported).

    No rows and None where retrieval was not scored by layer. Meant for scores of one encoder.
    """
    primary = {name: task.metrics[0] for name, task in TASKS.items()}
    chosen = scores["layer"].notna() & (scores["direction"].fillna("") == RETRIEVAL_DIRECTION)
    rows = scores[(chosen & (scores["metric"] == scores["target"].map(primary))).to_numpy(bool)]
    return rows, int(reported_layer(rows["layer"].max())) if len(rows) else None


def select_primary(scores: pd.DataFrame) -> pd.DataFrame:
    """The first metric of each target: one row per encoder, target, arm, seed and language.

    Raises DataError where there is more than one.
    """
    primary = {name: task.metrics[0] for name, task in TASKS.items()}
    rows = select_reported(scores)
    rows = rows[rows["metric"] == rows["target"].map(primary)]
    refuse_duplicates(rows, [*CELL, "intermediate", "seed", "eval_language"], "scores")
    return rows


def index_runs(scores: pd.DataFrame) -> pd.DataFrame:
    """One of the primary rows of each run, by encoder, target, arm and seed."""
    return select_primary(scores).drop_duplicates("run_id").set_index([*CELL, "intermediate", "seed"]).sort_index()


def select_complete(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of one complete table of seeds and arms for each encoder and target, as a test needs: each run of it has
    a score in every language of the baseline (of all arms, where that is not there).

    Of S seeds and K arms, the baseline among them, that table is kept which tells most of the spread over seeds:
    (S - 1)(K - 1) is largest, then K, then S. An arm that is not finished at a seed, or lacks a language, costs neither
    the seed nor the other arms. `list_left_out` says what was not kept.
    """
    kept = np.zeros(len(rows), dtype=bool)
    for places in rows.groupby(CELL, sort=False).indices.values():
        kept[places] = find_complete(rows.iloc[places])
    return rows[kept]


def find_complete(cell: pd.DataFrame) -> np.ndarray:
    """(N,) which rows of an encoder and target `select_complete` keeps."""
    there = cell[cell["score"].notna()]
    baseline = there["intermediate"] == BASELINE
    needed = set(there.loc[baseline if baseline.any() else there.index, "eval_language"])
    there = there[there["eval_language"].isin(needed)]
    counts = there.groupby(["intermediate", "seed"])["eval_language"].nunique().unstack(fill_value=0)
    full = counts.to_numpy() == len(needed)  # arms x seeds
    always = full[counts.index == BASELINE].all(axis=0) if baseline.any() else True
    best, table = (-1,) * 3, (counts.index[:0], counts.columns[:0])
    choices = {tuple(one & other & always) for one, other in combinations_with_replacement(full, 2)}
    for seeds in sorted(choices, reverse=True):
        arms = full[:, list(seeds)].all(axis=1)
        num_seeds, num_arms = sum(seeds), int(arms.sum())
        size = ((num_seeds - 1) * (num_arms - 1), num_arms, num_seeds)
        if num_seeds and num_arms and size > best:
            best, table = size, (counts.index[arms], counts.columns[list(seeds)])
    arms, seeds = table
    return (cell["intermediate"].isin(arms) & cell["seed"].isin(seeds) & cell["eval_language"].isin(needed)).to_numpy()


def list_left_out(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per run that `select_complete` leaves out of the primary rows: `encoder, target, intermediate, seed`."""
    keys, rows = [*CELL, "intermediate", "seed"], select_primary(scores)
    made, kept = (part[keys].drop_duplicates() for part in (rows, select_complete(rows)))
    return made[~made.set_index(keys).index.isin(kept.set_index(keys).index)]


def select_sound(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of those seeds at which no arm of an encoder and target diverged or collapsed."""
    failed = (rows["outcome"] != "ok").groupby([rows[key] for key in [*CELL, "seed"]]).transform("any")
    return rows[~failed]


def score_table(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per encoder, target and arm: unweighted means over languages and seeds, points; floor cells included.

    `zero_shot`: primary metric, over the languages that neither the target nor the arm was trained in; `seed_sd`:
    its standard deviation over seeds; `xtreme`: XTREME's own mean, over all languages, English included, and for QA
    over exact match and F1; `num_languages` (zero-shot) and `num_seeds`.
    """
    keys = [*CELL, "intermediate"]
    primary = select_primary(scores)
    zero_shot = primary[is_zero_shot(primary)]
    by_seed = zero_shot.groupby([*keys, "seed"])["score"].mean().groupby(level=keys)
    table = pd.DataFrame({
        "zero_shot": by_seed.mean(),
        "seed_sd": by_seed.std(),
        "xtreme": select_official(scores).groupby(keys)["score"].mean(),
        "num_languages": zero_shot.groupby(keys)["eval_language"].nunique(),
        "num_seeds": zero_shot.groupby(keys)["seed"].nunique(),
    })  # fmt: skip
    return table.reset_index()


def overall_table(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per encoder and arm: XTREME's score of each group of tasks and of all nine (`overall`), points.

    A task's score is the mean over seeds, metrics and all languages, English included; a group's the mean over its
    tasks. A score without all of its tasks is missing, and so is one of a task with a missing score: `lacking` names
    them. Languages are those that were scored.
    """
    official = select_official(scores[scores["target"].isin(XTREME_TASKS)])
    keys = ["encoder", "intermediate"]
    tasks = official.groupby([*keys, "target"])["score"].agg(lambda points: points.astype(float).mean(skipna=False))
    table = tasks.unstack().reindex(columns=XTREME_TASKS).astype(float)
    groups = dict.fromkeys(TASKS[name].group for name in XTREME_TASKS)
    means = {
        group: table[[name for name in XTREME_TASKS if TASKS[name].group == group]].mean(axis=1, skipna=False)
        for group in groups
    }
    lacking = table.apply(lambda row: ", ".join(row.index[row.isna()]), axis=1).astype(str)
    return pd.DataFrame(means | {"overall": table.mean(axis=1, skipna=False), "lacking": lacking}).reset_index()


def is_zero_shot(rows: pd.DataFrame) -> pd.Series:
    """Whether a row's evaluation language is another than those trained in, before the target task and on it."""
    before = rows["intermediate_language"].fillna("").str.split("+")
    return pd.Series(
        [
            code != own and code not in earlier
            for code, own, earlier in zip(rows["eval_language"], rows["train_language"].fillna(""), before, strict=True)
        ],
        index=rows.index,
        dtype=bool,
    )
