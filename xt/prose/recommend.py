"""Recommendations in words, from `xt.recommend.recommend`."""

import pandas as pd

from xt.prose.words import say_list, say_number, say_p
from xt.recommend import BASELINE, WHOLE


def answer_recommendation(table: pd.DataFrame, study: str) -> str:
    """What to train first for each target of a study, over all languages, and in how many groups of languages that is
    otherwise."""
    whole = table[table["group"] == WHOLE]
    if whole.empty:
        return (
            "Not known: no target has a language above its floor and an intermediate task beside the baseline; runs of "
            f"them come with `xt run {study}`."
        )
    if (whole["num_seeds"] < 3).all():
        return (
            "Not known: fewer than three seeds tell no reliable difference from none. Train none, or run more seeds "
            f"(`xt run {study}`)."
        )
    advised, rest = whole[whole["advice"] != BASELINE], whole[whole["advice"] == BASELINE]
    said = [f"Train {say_list(say_advice(row) for _, row in advised.iterrows())}."] if len(advised) else []
    if len(rest):
        said.append(f"For {say_list(rest['target'])} no intermediate task makes a reliable gain: train none.")
    groups = table[table["group"] != WHOLE].merge(whole[["encoder", "target", "advice"]], on=["encoder", "target"])
    other = (groups["advice_x"] != groups["advice_y"]).sum()
    said.append(f"In {other} of {len(groups)} groups of languages the advice is another one.")
    return " ".join(said)


def say_advice(row: pd.Series) -> str:
    """`squad before xquad (+4.2 points, +1.9 to +6.5; 25 s of training)`."""
    price = "" if pd.isna(row["seconds"]) else f"; {row['seconds']:.0f} s of training"
    twice = "; the same data twice" if row["same_data"] else ""
    interval = f"{say_number(row['low'])} to {say_number(row['high'])}"
    return f"{row['advice']} before {row['target']} ({say_number(row['gain'])} points, {interval}{price}{twice})"


def format_recommendations(table: pd.DataFrame) -> pd.DataFrame:
    """`recommend` as a table to read: one row per target and group, numbers as text."""
    spread = [f"{say_number(low)} to {say_number(high)}" for low, high in zip(table["low"], table["high"], strict=True)]
    regret = [
        "–" if pd.isna(row.regret) else f"{row.regret:.1f} ({row.regret_low:.1f} to {row.regret_high:.1f})"
        for row in table.itertuples()
    ]
    shown = pd.DataFrame({
        "target": table["target"],
        "languages": table["group"] + table["num_languages"].map(" ({})".format),
        "train first": table["advice"].replace(BASELINE, "none: no reliable gain"),
        "largest gain": table["best"] + " " + table["gain"].map(say_number),
        "adjusted interval": spread,
        "p (adjusted)": table["p"].map(say_p),
        "less luck": table["gain_corrected"].map(say_number),
        "training (s)": table["seconds"].map("{:.0f}".format, na_action="ignore").fillna("–"),
        "regret (95 %)": regret,
        "as good": table["as_good"].replace("", "–"),
        "avoid": table["avoid"].replace("", "–"),
    })  # fmt: skip
    return shown.set_index(["target", "languages"])
