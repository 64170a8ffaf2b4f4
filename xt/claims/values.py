"""The points that a claim names: only of its own encoder, on its own split, on all of its targets, on whole data."""

import numpy as np
import pandas as pd

from xt.claims.effects import Found
from xt.claims.needs import is_split, value_pairs
from xt.claims.panel import join_tests
from xt.gains import BASELINE, Means, compare_means
from xt.reported import select_official
from xt.tasks import TASKS

CHOSEN_ON = "targets without training have no English selection data to choose on"
"""Why the mean over nine chosen tasks has no counterpart here."""


def value_faults(claim, scores: pd.DataFrame) -> list[str]:
    """Why the claimed points cannot be held against one encoder's scores; none where they can."""
    arms = {arm for pair in value_pairs(claim.pairs) for arm in pair}
    rows = scores[scores["intermediate"].isin(arms) & scores["target"].isin(claim.target_names)]
    lacking = [
        target for target in claim.target_names if set(rows.loc[rows["target"] == target, "intermediate"]) < arms
    ]
    off_split = [
        target
        for target, splits in rows.groupby("target")["split"].unique().items()
        if not is_split(claim.split, splits, target)
    ]
    cells = rows.drop_duplicates(["seed", "target", "intermediate"]).groupby("seed").size()
    statuses = sorted(set(rows["data_status"]) - {"complete"})
    checks = {
        f"the encoder is not {claim.encoder}": not scores["encoder"].str.endswith(claim.encoder).fillna(False).all(),
        f"{len(lacking)} of {len(claim.target_names)} targets lack these arms": bool(lacking),
        "no seed has them all": not lacking and cells.max() < len(arms) * len(claim.target_names),
        f"not on {claim.split} data: {', '.join(off_split)}": bool(off_split),
        f"data are {' and '.join(statuses)}": bool(statuses),
        "examples are capped": bool(rows[["max_train_examples", "max_eval_examples"]].notna().any(axis=None)),
        CHOSEN_ON: claim.contrast == "choice",
    }
    return [words for words, wrong in checks.items() if wrong]


def find_value(claim, scores: pd.DataFrame) -> Found:
    """XTREME's mean (all languages, English and cells at the floor included; exact match and F1 averaged) of the arm
    minus that of the baseline, over seeds; the items are those of the published number, so their choice is no source
    of error."""
    official = select_official(scores[scores["target"].isin(claim.target_names)])
    means = official.groupby(["seed", "target", "intermediate"])["score"].mean().astype(float)
    [(arm, _)] = value_pairs(claim.pairs)
    table = means.unstack("intermediate")
    table = table.loc[:, table.notna().all() | table.columns.isin([arm, BASELINE])]
    table = table[[BASELINE, arm, *(name for name in table if name not in (BASELINE, arm))]]
    by_seed = table.groupby(level="seed").agg(lambda points: points.mean(skipna=False)).dropna()
    untrained = any(TASKS[name].training_task is None for name in claim.target_names)
    means = Means(tuple(by_seed), tuple(by_seed.index), by_seed.to_numpy(), None, np.inf, untrained=untrained)
    differences = join_tests([(arm, BASELINE)], [compare_means(means)], len(by_seed))
    return Found(differences, list(claim.target_names), frozenset((arm, BASELINE)))
