"""Robustness over languages in sentences and as a table to read, from `xt.robustness` and `xt.response`."""

import pandas as pd

from xt.prose.words import LEVEL, say_interval, say_list, say_number, say_p
from xt.stats.trend import FEWEST_DF

PRIMARY = "slope"


def answer_robustness(table: pd.DataFrame, trends: pd.DataFrame, lacking: str = "") -> str:
    """How steeply scores fall with distance, what arms change in that, and whether size does; `lacking`: what to run
    where there are no results."""
    slopes = table[table["measure"] == PRIMARY]
    if slopes.empty:
        return f"Not known: {lacking or 'no target was scored in three languages whose distance is known'}."
    return f"{say_slopes(slopes)} {say_changes(slopes)} {say_trend(trends)}"


def say_slopes(slopes: pd.DataFrame) -> str:
    """The baseline's slope in each target."""
    own = slopes[slopes["intermediate"] == "none"]
    said = say_list(f"{row['target']} {say_number(row['value'])} ({say_interval(row)})" for _, row in own.iterrows())
    return f"Without an intermediate task, from the training language to a language farthest in all: {said} points."


def say_changes(slopes: pd.DataFrame) -> str:
    """Which intermediate tasks change the slope reliably."""
    tested = slopes[slopes["change"].notna() & ~slopes["placebo"].astype(bool)]
    if tested["p_holm"].isna().all():
        return "Fewer than three seeds give no p value of what a task changes in that."
    found = tested[tested["p_holm"] < LEVEL]
    said = say_list(
        f"{row['intermediate']} before {row['target']} {say_number(row['change'])} "
        f"({say_number(row['change_low'])} to {say_number(row['change_high'])})"
        for _, row in found.iterrows()
    )
    return f"{len(found)} of {len(tested)} pairs of intermediate and target task change that slope reliably: {said}."


def say_trend(trends: pd.DataFrame) -> str:
    """What size does to the slopes."""
    if trends.empty:
        return "Whether size changes it is not tested here: encoders have one size; `xt run lab-scaling` makes others."
    own = trends[(trends["quantity"] == "slope") & (trends["intermediate"] == "none")]
    said = say_list(
        f"{row['target']} {say_number(row['slope'])} ({say_interval(row)}, p {say_p(row['p'])})"
        for _, row in own.iterrows()
    )
    changed = trends[(trends["quantity"] == "change") & (trends["p"] < LEVEL)]
    count, few = own["num_encoders"].iloc[0], own["df"].iloc[0] < FEWEST_DF
    head = f"With every doubling of size ({count} encoders{', too few for a p value' if few else ''})"
    return f"{head} the slope changes by {said}; {len(changed)} changes by an arm go with size (p not adjusted)."


def format_robustness(table: pd.DataFrame) -> pd.DataFrame:
    """`xt.robustness.robustness_table` as a table to read: one row per target, measure and arm, numbers as text."""
    changes = table.rename(columns={"change_low": "c_low", "change_high": "c_high"})
    return pd.DataFrame({
        "target": table["target"], "measure": table["measure"], "arm": table["intermediate"],
        "value": table["value"].map("{:.1f}".format, na_action="ignore").fillna("–"),
        "95 % interval": table.apply(say_interval, axis=1) if len(table) else [],
        "change": table["change"].map(say_number),
        "its 95 % interval": [
            "–" if pd.isna(row.c_low) else f"{say_number(row.c_low)} to {say_number(row.c_high)}"
            for row in changes.itertuples()
        ],
        "p": table["p"].map(say_p), "p (Holm)": table["p_holm"].map(say_p), "languages": table["num_languages"],
    }).set_index(["target", "measure", "arm"])  # fmt: skip


def format_coefficients(table: pd.DataFrame) -> pd.DataFrame:
    """Coefficients of `xt.stats.mixed` as a table to read."""
    return pd.DataFrame({
        "of": table["term"], "predictor": table["predictor"].str.replace("_", " "),
        "points": table["estimate"].map(say_number),
        "95 % interval": table.apply(say_interval, axis=1), "p": table["p"].map(say_p),
        "p (permuted)": table["p_permuted"].map(say_p),
        "n": table["n"].astype(str) + " " + table["unit"], "vif": table["vif"].map("{:.1f}".format).replace("nan", "–"),
    }).set_index(["of", "predictor"])  # fmt: skip
