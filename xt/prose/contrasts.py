"""Arms against arms, and the intermediate task chosen per target, in sentences and as tables to read."""

from collections.abc import Collection, Sequence

import pandas as pd

from xt.contrasts import BESIDE, LANGUAGE, SEVERAL, TRANSLATION, ZERO_SHOT, find_pairs, is_plain, known_arms
from xt.gains import MIN_LANGUAGES
from xt.prose.words import say_interval, say_list, say_number, say_p, say_plain, say_some, split_reliable
from xt.studies import STUDIES

HEADS = {
    SEVERAL: "several tasks at once, against the best one",
    BESIDE: "text of many languages beside the tasks",
    TRANSLATION: "machine-translated data, against English",
    LANGUAGE: "data in another language, against English",
}
"""Question of a contrast -> its subject in a sentence; English stands for the training language."""
CHOICE_NOTE = (
    "What the paper chose on is not known; here it is the English selection data of the target's own training. Either "
    "choice is made for each seed by the other seeds."
)


def answer_contrasts(table: pd.DataFrame, lacking: str) -> str:
    """What each second ingredient adds, a sentence per question. `lacking`: what to run where there are no results."""
    if table.empty:
        return f"Not known: {lacking}."
    return " ".join(f"{title_question(table, question)}." for question in HEADS)


def say_unpaired(study: str, questions: Collection[str] = tuple(HEADS)) -> str:
    """Why no run of a study sets an arm beside its simpler counterpart, for some questions: they are still to be made,
    or it has no such arm, and which studies have."""
    arms = {name: [arm for part in row.parts for arm in part.intermediates] for name, row in STUDIES.items()}
    planned = [name for name in arms if ask_of_arms(arms[name]) & {*questions}]
    if study in planned:
        return f"no run of study `{study}` sets an arm beside its simpler counterpart yet: run `xt run {study}`"
    has = say_some((f"`{name}`" for name in planned), 4)
    return f"study `{study}` has no arm that stands beside its simpler counterpart; studies that have: {has}"


def ask_of_arms(arms: Sequence[str]) -> set[str]:
    """The questions that some arms can answer among themselves."""
    plain = [row.tasks for _, row in known_arms(arms) if is_plain(row)]
    several = any((task,) in plain for tasks in plain if len(tasks) > 1 for task in tasks)
    return {question for question, _, _ in find_pairs(arms)} | ({SEVERAL} if several else set())


def title_question(table: pd.DataFrame, question: str) -> str:
    """`say_question` with a capital letter."""
    said = say_question(table, question)
    return f"{said[0].upper()}{said[1:]}"


def say_question(table: pd.DataFrame, question: str) -> str:
    """`several tasks at once, against the best one: more in 1 of 4 contrasts (...) and no reliable difference in 3`."""
    found = table[(table["question"] == question) & table["gain"].notna()]
    if found.empty:
        return f"{HEADS[question]}: not tested, for want of runs or of a language above its floor"
    more, less, rest, untested = split_reliable(found, "gain")
    if len(untested) == len(found):
        largest = found.loc[found["gain"].abs().idxmax()]
        return (
            f"{HEADS[question]}: not known, as fewer than three seeds give no p value; the largest of {len(found)} "
            f"differences: {say_contrast(largest)}"
        )
    said = [
        f"{name} in {len(part)} ({say_some((say_contrast(row) for _, row in part.iterrows()), 3)})"
        for name, part in (("more", more), ("less", less))
        if len(part)
    ]
    said.append(f"no reliable difference in {len(rest)} of {len(found) - len(untested)}")
    said += [f"not tested in {len(untested)}, for want of three seeds"] * bool(len(untested))
    return f"{HEADS[question]}: {say_list(said)}"


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
        "score of the other": table["baseline"].map(say_plain),
        "difference": table["gain"].map(say_number),
        "95 % interval": [say_interval(row) for _, row in table.iterrows()],
        "p": table["p"].map(say_p),
        "p (Holm)": table["p_holm"].map(say_p),
    }).set_index(["target", "arm"])  # fmt: skip


WORTHS = {"gain": ("gain", ""), "oracle": ("oracle_gain", "oracle_"), "regret": ("regret", "regret_")}
"""What a choice is worth -> its column, and how the names of its interval's columns begin."""


def say_worth(row: pd.Series, name: str) -> str:
    """`+1.5 (−0.2 to +3.0)` of one of WORTHS; a dash where it is missing."""
    value, of = WORTHS[name]
    return say_number(row[value]) + ("" if pd.isna(row[value]) else f" ({say_interval(row, of)})")


def format_choices(choices: pd.DataFrame) -> pd.DataFrame:
    """`xt.contrasts.choice_table` as a table to read: the arm chosen, its gain, the oracle's and what it gains more."""
    worth = {name: [say_worth(row, name) for _, row in choices.iterrows()] for name in WORTHS}
    return pd.DataFrame({
        "target": choices["target"],
        "languages": choices["num_languages"],
        "chosen": choices["chosen"].fillna("–"),
        "same data": choices["shares_data"].map({True: "yes", False: "no"}).fillna("–"),
        "gain (95 %)": worth["gain"],
        "p (Holm)": choices["p_holm"].map(say_p),
        "oracle": choices["oracle"].fillna("–"),
        "its gain (95 %)": worth["oracle"],
        "regret (95 %)": worth["regret"],
        "candidates": choices["num_candidates"],
    }).set_index("target")  # fmt: skip


def say_choice(row: pd.Series) -> str:
    """One row of `xt.contrasts.choice_table` as a sentence; where nothing could be chosen on, why."""
    oracle = "" if pd.isna(row["oracle_gain"]) else f"; by zero-shot scores {row['oracle']}: {say_worth(row, 'oracle')}"
    if pd.isna(row["gain"]):
        return f"{row['target']}: no choice ({row['selected_on']}){oracle}"
    beyond = "" if pd.isna(row["regret"]) else f", regret {say_worth(row, 'regret')}"
    return f"{row['target']}: {row['chosen']}, chosen on {row['selected_on']}: {say_worth(row, 'gain')}{oracle}{beyond}"


def say_choices(choices: pd.DataFrame) -> str:
    """For which targets the choice made in English gains or loses, its mean, and where most is missed."""
    made = choices[choices["gain"].notna()]
    if made.empty:
        return "nothing could be chosen: no target with a language above its floor kept English selection data"
    more, less, rest, untested = split_reliable(made, "gain")
    said = [
        f"{verb} reliably before {say_list(f'{row.target} ({row.chosen})' for row in part.itertuples())}"
        for verb, part in (("gains", more), ("loses", less))
        if len(part)
    ]
    said += [f"is not told from none before {say_list(rest['target'])}"] * bool(len(rest))
    said += [f"is not tested before {say_list(untested['target'])}, for want of three seeds"] * bool(len(untested))
    wide = made.loc[made["num_languages"] >= MIN_LANGUAGES, "gain"]
    if len(wide):
        said.append(f"gains {say_number(wide.mean())} points in the mean of the {len(wide)} targets with "
                    f"{MIN_LANGUAGES} languages or more")  # fmt: skip
    if made["regret"].notna().any():
        most = made.loc[made["regret"].astype(float).idxmax()]
        said.append(f"misses most before {most['target']}, against what zero-shot scores would choose "
                    f"({most['oracle']}): {say_worth(most, 'regret')}")  # fmt: skip
    return f"the task chosen on English data {'; '.join(said)}"
