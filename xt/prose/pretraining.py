"""Multilingual against English-only encoders in sentences and as a table to read, from `xt.pretraining`."""

import pandas as pd

from xt.gains import ALL
from xt.pretraining import PRIMARY_GROUPS
from xt.prose.words import LEVEL, say_interval, say_list, say_number, say_p


def answer_pretraining(table: pd.DataFrame, lacking: str = "") -> str:
    """Whether arms gain more in the multilingual encoder, on languages with little text and unseen ones, over the
    targets that have some. `table` is `difference_table` of one pair; `lacking`: what to run where there is none."""
    if table.empty:
        return f"Not known: {lacking}."
    primary = table[(table["target"] == ALL) & table["group"].isin(PRIMARY_GROUPS) & ~table["placebo"].astype(bool)]
    pair = f"`{table['multilingual'].iloc[0]}` less `{table['english'].iloc[0]}`"
    if primary.empty:
        why = "in all targets no arm, or in both encoders no language with little text, or unseen, above its floor"
        return f"Not known: there is {why} ({pair})."
    tested = primary[primary["p_adjusted"].notna()]
    if tested.empty:
        return f"Not decided, as fewer than three seeds give no p value ({pair}): {say_differences(primary)}."
    reliable = tested["p_adjusted"] < LEVEL
    parts = {
        "more": tested[reliable & (tested["difference"] > 0)],
        "less": tested[reliable & (tested["difference"] < 0)],
        "no reliable difference": tested[~reliable],
        "not tested": primary[primary["p_adjusted"].isna()],
    }
    said = "; ".join(f"{name} {say_differences(part)}" for name, part in parts.items() if len(part))
    return f"In the multilingual encoder an intermediate task gains ({pair}): {said}."


def say_differences(rows: pd.DataFrame) -> str:
    """`on unseen languages (5 languages in 3 targets) squad +1.0 (−0.2 to +2.2) and mnli ... points; on ...`."""
    places = [f"{LANGUAGES_OF.get(row['group'], row['group'])} ({say_targets(row)})" for _, row in rows.iterrows()]
    said = []
    for place, part in rows.groupby(pd.Series(places, rows.index), sort=False):
        told = (
            f"{row['intermediate']} {say_number(row['difference'])} ({say_interval(row)})" for _, row in part.iterrows()
        )
        said.append(f"on {place} {say_list(told)} points")
    return "; ".join(said)


LANGUAGES_OF = {"little text": "languages with little text", "unseen": "unseen languages"}
"""How a group of languages is called in a sentence."""


def say_targets(row: pd.Series) -> str:
    """How many languages of how many targets a mean is over."""
    return f"{row['num_languages']} languages in {row['num_targets']} target{'s' * (row['num_targets'] > 1)}"


def format_differences(table: pd.DataFrame) -> pd.DataFrame:
    """`difference_table` as a table to read: one row per target, group and arm, numbers as text."""
    return pd.DataFrame({
        "target": table["target"],
        "languages": table["group"] + table["num_languages"].map(" ({:.0f})".format),
        "arm": table["intermediate"] + table["placebo"].map({True: " (placebo)", False: ""}),
        "baselines": table["baseline_multilingual"].map("{:.1f}".format)
        + " / " + table["baseline_english"].map("{:.1f}".format),
        "gain, multilingual": table["gain_multilingual"].map(say_number),
        "gain, English only": table["gain_english"].map(say_number),
        "difference": table["difference"].map(say_number),
        "95 % interval": [say_interval(row) for _, row in table.iterrows()],
        "p": table["p"].map(say_p),
        "p (adjusted)": table["p_adjusted"].map(say_p),
    }).set_index(["target", "languages", "arm"])  # fmt: skip
