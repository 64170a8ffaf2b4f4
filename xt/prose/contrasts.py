"""Arms against arms in sentences and as a table to read, from `xt.contrasts.contrast_table`."""

import pandas as pd

from xt.contrasts import BESIDE, LANGUAGE, SEVERAL, TRANSLATION, ZERO_SHOT
from xt.prose.words import LEVEL, say_interval, say_list, say_number, say_p, say_some

HEADS = {
    SEVERAL: "several tasks at once, against the best one",
    BESIDE: "text of many languages beside the tasks",
    TRANSLATION: "machine-translated data, against English",
    LANGUAGE: "data in another language, against English",
}
"""Question of a contrast -> its subject in a sentence; English stands for the training language."""


def say_lacking(study: str, scores: pd.DataFrame) -> str:
    """What to run where a study has no results; nothing where it has."""
    return "" if len(scores) else f"study `{study}` has no results yet: run `xt run {study}`"


def answer_contrasts(table: pd.DataFrame, lacking: str) -> str:
    """What each second ingredient adds, a clause per question. `lacking`: what to run where there are no results."""
    if table.empty:
        return f"Not known: {lacking}."
    said = [say_question(table, question) for question in HEADS]
    return " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in said)


def say_question(table: pd.DataFrame, question: str) -> str:
    """`several tasks at once, against the best one: more in 1 of 4 contrasts (...), no reliable difference in 3`."""
    found = table[(table["question"] == question) & table["gain"].notna()]
    if found.empty:
        return f"{HEADS[question]}: not tested, for want of runs or of a language above its floor"
    if found["p"].isna().all():
        largest = found.loc[found["gain"].abs().idxmax()]
        return (
            f"{HEADS[question]}: not known, as fewer than three seeds give no p value; the largest of {len(found)} "
            f"differences: {say_contrast(largest)}"
        )
    reliable = found["p_holm"] < LEVEL
    parts = {"more": found[reliable & (found["gain"] > 0)], "less": found[reliable & (found["gain"] < 0)]}
    said = [
        f"{name} in {len(part)} ({say_some((say_contrast(row) for _, row in part.iterrows()), 3)})"
        for name, part in parts.items()
        if len(part)
    ]
    rest = f"no reliable difference in {(~reliable).sum()} of {len(found)}"
    return f"{HEADS[question]}: {say_list([*said, rest])}"


def say_contrast(row: pd.Series) -> str:
    """`multi_mlm less multi, xquad: +1.2 points, −0.4 to +2.8`."""
    where = row["target"] if row["scope"] == ZERO_SHOT else f"{row['target']} in the languages trained in"
    numbers = f"{say_number(row['gain'])} points, {say_interval(row)}"
    return f"{row['intermediate']} less {row['against']}, {where}: {numbers}"


def format_contrasts(table: pd.DataFrame) -> pd.DataFrame:
    """The contrasts as a table to read: one row each, numbers as text."""
    return pd.DataFrame({
        "target": table["target"],
        "arm": table["intermediate"],
        "against": table["against"],
        "languages": table["num_languages"].map("{:.0f}".format, na_action="ignore").fillna("0") + " " + table["scope"],
        "score of the other": table["baseline"].map("{:.1f}".format, na_action="ignore").fillna("–"),
        "difference": table["gain"].map(say_number),
        "95 % interval": [say_interval(row) for _, row in table.iterrows()],
        "p": table["p"].map(say_p),
        "p (Holm)": table["p_holm"].map(say_p),
    }).set_index(["target", "arm"])  # fmt: skip


def format_choices(choices: pd.DataFrame) -> pd.DataFrame:
    """`xt.choosing.choice_table` as a table to read: the arm chosen, its gain, what the oracle gains beyond it."""
    spread = {
        name: [
            "–" if pd.isna(value) else f"{say_number(value)} ({say_number(low)} to {say_number(high)})"
            for value, low, high in zip(choices[name], choices[f"{name}_low"], choices[f"{name}_high"], strict=True)
        ]
        for name in ("gain", "regret")
    }
    return pd.DataFrame({
        "target": choices["target"],
        "may choose none": choices["none_allowed"].map({True: "yes", False: "no"}),
        "chosen": choices["chosen"].fillna("–"),
        "same data": choices["shares_data"].map({True: "yes", False: "no"}),
        "chosen again": choices["stability"].map("{:.0%}".format, na_action="ignore").fillna("–"),
        "gain (95 %)": spread["gain"],
        "oracle": choices["oracle"],
        "regret (95 %)": spread["regret"],
        "candidates": choices["num_candidates"],
    }).set_index(["target", "may choose none"])  # fmt: skip


def say_choices(choices: pd.DataFrame) -> str:
    """How often the choice made in English is the oracle's, and what it gains and loses at most."""
    made = choices[choices["gain"].notna() & ~choices["none_allowed"].astype(bool)] if len(choices) else choices
    if made.empty:
        return "nothing could be chosen: no target kept English selection data"
    right = int((made["chosen"] == made["oracle"]).sum())
    best, worst = made.loc[made["gain"].idxmax()], made.loc[made["regret"].idxmax()]
    return (
        f"the task chosen on English data is the oracle's for {right} of {len(made)} targets; it gains "
        f"{say_number(made['gain'].mean())} points on average ({best['target']} most: {best['chosen']} "
        f"{say_number(best['gain'])}), and its largest regret is {worst['regret']:.1f} ({worst['target']})"
    )
