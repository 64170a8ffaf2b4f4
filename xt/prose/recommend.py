"""Recommendations in words, from `xt.recommend.recommend`."""

import pandas as pd

from xt.prose.words import say_interval, say_list, say_number, say_p, say_plain
from xt.recommend import BASELINE, UNTESTED, WHOLE


def answer_recommendation(table: pd.DataFrame, study: str) -> str:
    """What to train first for each target of a study, over all languages, what is missed at most where nothing is
    trained, and in how many groups of languages the advice is another one."""
    whole = table[table["group"] == WHOLE]
    if whole.empty:
        return (
            "Not known: no target has a language above its floor and an intermediate task beside the baseline; runs of "
            f"them come with `xt run {study}`."
        )
    known, unknown = whole[whole["advice"] != UNTESTED], whole[whole["advice"] == UNTESTED]
    more = f"fewer than three seeds tell no reliable difference from none. More seeds come with `xt run {study}`."
    if known.empty:
        return f"Not known: {more}"
    advised, rest = known[known["advice"] != BASELINE], known[known["advice"] == BASELINE]
    said = [f"Train {say_list(say_advice(row) for _, row in advised.iterrows())}."] if len(advised) else []
    if len(rest):
        missed = say_list(f"{row.target} ({row.regret_high:.1f})" for row in rest.itertuples())
        said.append(
            "No intermediate task makes a reliable gain, so train none, and miss at most so many points, before "
            f"{missed}."
        )
    if len(unknown):
        said.append(f"Not known before {say_list(unknown['target'])}: {more}")
    groups = table[(table["group"] != WHOLE) & (table["advice"] != UNTESTED)]
    groups = groups.merge(known[["encoder", "target", "advice"]], on=["encoder", "target"])
    other = (groups["advice_x"] != groups["advice_y"]).sum()
    said.append(f"In {other} of {len(groups)} groups of languages the advice is another one.")
    return " ".join(said)


def say_advice(row: pd.Series) -> str:
    """`squad before xquad (+4.2 points, +1.9 to +6.5; 25 s of training)`."""
    price = "" if pd.isna(row["seconds"]) else f"; {row['seconds']:.0f} s of training"
    twice = "; the same data twice" if row["same_data"] else ""
    gain = f"{say_number(row['gain'])} points, {say_interval(row)}"
    return f"{row['advice']} before {row['target']} ({gain}{price}{twice})"


def format_recommendations(table: pd.DataFrame) -> pd.DataFrame:
    """`recommend` as a table to read: one row per target and group, numbers as text."""
    words = {BASELINE: "none: no reliable gain", UNTESTED: "not tested: too few seeds"}
    shown = pd.DataFrame({
        "target": table["target"],
        "languages": table["group"] + table["num_languages"].map(" ({})".format),
        "train first": table["advice"].replace(words),
        "largest gain": table["best"] + " " + table["gain"].map(say_number),
        "adjusted interval": [say_interval(row) for _, row in table.iterrows()],
        "p (adjusted)": table["p"].map(say_p),
        "training (s)": table["seconds"].map(lambda value: say_plain(value, 0)),
        "misses at most": table["regret_high"].map(say_plain),
        "as good": table["as_good"].replace("", "–"),
        "avoid": table["avoid"].replace("", "–"),
    })  # fmt: skip
    return shown.set_index(["target", "languages"])
