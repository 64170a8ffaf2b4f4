"""Published scores, and where ours may stand beside them: only where encoder, split, metric and data make that fair."""

from pathlib import Path

import numpy as np
import pandas as pd

from xt.locations import PROJECT
from xt.metrics import METRICS
from xt.reported import XTREME_TASKS, select_official
from xt.schema import Column, check_table, refuse_duplicates
from xt.tasks import TASKS

PUBLISHED = PROJECT / "data" / "published" / "published.csv"
LIKE_OURS = ("zero-shot", "no fine-tuning")
"""Settings in which models were prepared as here."""
SCHEMA = {
    "encoder": Column("string"),
    "intermediate": Column("string"),
    "setting": Column("string", allowed=(*LIKE_OURS, "translate-train-all")),
    "task": Column("string", allowed=(*TASKS, "xtreme")),
    "eval_language": Column("string"),
    "metric": Column("string", allowed=(*METRICS, "gain")),
    "layer": Column("Int64", required=False, low=0),
    "score": Column("Float64", low=-100, high=100),
    "split": Column("string", allowed=("test", "validation")),
    "source": Column("string"),
}
"""Columns of `data/published/published.csv`; its README says what they hold."""


def load_published(path: Path = PUBLISHED) -> pd.DataFrame:
    """The published scores, checked. DataError naming file, row and value."""
    table = check_table(pd.read_csv(path, dtype=str, keep_default_na=False), SCHEMA, path)
    refuse_duplicates(table, [name for name in SCHEMA if name != "score"], path)
    return table


def comparable(scores: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """One row per encoder, arm, target and metric of XTREME's: `ours`, the mean over seeds and all languages (English
    included), `published`, the same of theirs, `source`, and `reason`: why the two must not be compared, empty where
    they may. A number of ours stands only where it may be compared."""
    keys = ["encoder", "intermediate", "target", "metric"]
    cells = select_official(scores).groupby(keys)
    rows = [dict(zip(keys, key, strict=True)) | compare(cell, published) for key, cell in cells]
    return pd.DataFrame(rows, columns=[*keys, "ours", "published", "source", "reason"])


def compare(cell: pd.DataFrame, published: pd.DataFrame) -> dict:
    """`ours, published, source, reason` of the scores of one encoder, arm, target and metric."""
    first = cell.iloc[0]
    named = published[published["encoder"] == first["encoder"].rpartition("/")[2]]
    theirs = named[
        (named["intermediate"] == first["intermediate"])
        & (named["task"] == first["target"])
        & (named["metric"] == first["metric"])
        & named["setting"].isin(LIKE_OURS)
    ]
    means = theirs[theirs["eval_language"] == "mean"]
    theirs = means[:1] if len(means) else theirs[theirs["source"] == next(iter(theirs["source"]), "")]
    absent = []
    if theirs.empty:
        after = f"no published {first['metric']} of this encoder after {first['intermediate']}"
        absent = [after if len(named) else f"no published score of the encoder {first['encoder']}"]
    reason = "; ".join([*absent, *faults(cell, theirs)])
    return {
        "ours": np.nan if reason else float(cell["score"].mean()),
        "published": float(theirs["score"].mean()) if len(theirs) else np.nan,
        "source": theirs["source"].iloc[0] if len(theirs) else "",
        "reason": reason,
    }


def faults(cell: pd.DataFrame, theirs: pd.DataFrame) -> list[str]:
    """What makes a comparison with published rows unfair, in words; with none, what would with any test score."""
    target = TASKS[cell["target"].iloc[0]]
    split = target.evaluation.split if (theirs["split"] == "test").all() else "validation"
    by_language = len(theirs) and "mean" not in set(theirs["eval_language"])
    wanted = set(theirs["eval_language"]) if by_language else set(target.languages)
    lacking, more = wanted - set(cell["eval_language"]), set(cell["eval_language"]) - wanted
    layers = set(theirs["layer"].dropna()) - set(cell["layer"].dropna())
    statuses = sorted(set(cell["data_status"]) - {"complete"})
    limits = ["max_train_examples", "max_eval_examples"] if target.training_task else ["max_eval_examples"]
    caps = cell[limits].max().dropna()
    checks = {
        f"data are {', '.join(statuses)}": bool(statuses),
        f"split {', '.join(sorted(set(cell['split'])))} instead of {split}": bool(set(cell["split"]) - {split}),
        f"{len(lacking)} of {len(wanted)} languages are lacking": bool(lacking),
        f"{len(more)} languages more than theirs": bool(more),
        f"at most {', '.join(f'{value} {name[4:]}' for name, value in caps.items())}": len(caps) > 0,
        f"theirs is of layer {', '.join(map(str, sorted(layers)))}": bool(layers),
        "a score is missing": cell["score"].isna().any(),
    }
    return [words.replace("_", " ") for words, wrong in checks.items() if wrong]


def published_gains(published: pd.DataFrame, encoder: str = "xlm-roberta-large") -> pd.DataFrame:
    """`target, group, gain`: points that best-of-nine is above no intermediate task, on published test scores.

    A task's score is the mean over its metrics (QA: exact match and F1), as in XTREME.
    """
    rows = published[(published["encoder"] == encoder) & (published["eval_language"] == "mean")]
    rows = rows[rows["task"].isin(XTREME_TASKS) & (rows["split"] == "test") & (rows["setting"] == "zero-shot")]
    means = rows.groupby(["task", "intermediate"])["score"].mean().unstack().astype(float)
    means = means.dropna(subset=["best_of_nine", "none"])
    order = [name for name in XTREME_TASKS if name in means.index]
    gains = (means["best_of_nine"] - means["none"]).reindex(order)
    groups = [TASKS[name].group for name in order]
    return pd.DataFrame({"target": order, "group": groups, "gain": gains.to_numpy()})


def decompose(published: pd.DataFrame) -> dict[str, float]:
    """What the gain of the abstract is made of, in points: `overall` as published, `trained` (mean over the targets
    with published test scores), `without_tydiqa`, and `retrieval`: what the remaining targets must gain on average for
    the nine to gain that much. Their own scores are not published."""
    overall = published[(published["task"] == "xtreme") & (published["intermediate"] == "best_of_nine minus none")]
    gains, total = published_gains(published).set_index("target")["gain"], float(overall["score"].iloc[0])
    rest = len(XTREME_TASKS) - len(gains)
    return {
        "overall": total,
        "trained": float(gains.mean()),
        "without_tydiqa": float(gains.drop("tydiqa").mean()),
        "retrieval": (len(XTREME_TASKS) * total - float(gains.sum())) / rest,
    }
