"""Sentences and tables for reading, computed from results: what a notebook says it must be able to say otherwise."""

from collections.abc import Iterable

import pandas as pd

LEVEL = 0.05
"""Adjusted p below which a difference is called reliable."""


def say_list(words: Iterable[str]) -> str:
    """`a, b and c`; `none` where there is nothing."""
    *first, last = list(words) or ["none"]
    return f"{', '.join(first)} and {last}" if first else last


def say_number(value: float) -> str:
    """A signed number of points with one decimal and a minus sign, zero without one; a dash where it is missing."""
    if pd.isna(value):
        return "–"
    return f"{value:+.1f}".replace("-", "\N{MINUS SIGN}") if round(value, 1) else "0.0"


def say_p(p: float) -> str:
    """A p value with three decimals, `< 0.001` below that, a dash where it is missing."""
    return "–" if pd.isna(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def say_interval(row: pd.Series) -> str:
    """`low to high` of a gain, in points."""
    return "–" if pd.isna(row["low"]) else f"{say_number(row['low'])} to {say_number(row['high'])}"


def say_gain(row: pd.Series) -> str:
    """One gain with its interval: `squad before xquad (+15.1 points, 95 % interval +10.5 to +19.8)`."""
    twice = "; the same data twice" if row["same_data"] else ""
    numbers = f"{say_number(row['gain'])} points, 95 % interval {say_interval(row)}"
    return f"{row['intermediate']} before {row['target']} ({numbers}{twice})"


def answer_transfer_gain(gains: pd.DataFrame) -> str:
    """Which intermediate task helps which target, from `xt.gains.gain_table`, in one to three sentences.

    A difference is called reliable where its Holm-adjusted p is below 0.05.  Placebo arms are not counted.
    """
    tested = gains[~gains["placebo"].astype(bool) & gains["gain"].notna()].sort_values("gain", ascending=False)
    if tested.empty:
        return "No gain can be tested: no target has a language above its floor and enough seeds."
    largest = tested.loc[tested["gain"].abs().idxmax()]
    if tested["p_holm"].isna().all():
        return f"Not known: fewer than three seeds give no p value. The largest difference: {say_gain(largest)}."
    reliable = tested["p_holm"] < LEVEL
    rest = f"{(~reliable).sum()} of {len(tested)} pairs of intermediate and target task show no reliable difference"
    if not reliable.any():
        p = say_p(largest["p_holm"])
        return f"None, as far as was tested: {rest}. The largest: {say_gain(largest)}, adjusted p {p}."
    found = {"Helps": tested[reliable & (tested["gain"] > 0)], "Hurts": tested[reliable & (tested["gain"] < 0)]}
    said = [
        f"{verb}: {say_list(say_gain(row) for _, row in part.iterrows())}." for verb, part in found.items() if len(part)
    ]
    return " ".join([*said, f"The other {rest}."])


CHOICE_NOTE = (
    "What the paper chose on is not known; here it is the English selection data of the target's own training. "
    "The oracle chooses on the zero-shot scores themselves, less what it owes to luck."
)


def say_choice(row: pd.Series) -> str:
    """One row of `xt.choosing.choice_table` as a sentence; where nothing could be chosen on, why, and the oracle."""
    oracle = f"the oracle {row['oracle']} ({row['oracle_score']:.1f} points)"
    if pd.isna(row["gain"]):
        return f"{row['target']}: no choice ({row['selected_on']}); {oracle}"
    gain, regret = (
        f"{name} {say_number(row[name])} ({say_number(row[f'{name}_low'])} to {say_number(row[f'{name}_high'])})"
        for name in ("gain", "regret")
    )
    return f"{row['target']}: {row['chosen']}, chosen on {row['selected_on']}: {gain}, {regret} against {oracle}"


def answer_published(table: pd.DataFrame, parts: dict[str, float], lacking: str) -> str:
    """Whether ours may be set beside published scores, from `xt.published.comparable`, and what the published gain is
    made of, from `xt.published.decompose`. `lacking`: what to run where there are no results."""
    made_of = (
        f"The published gain of {say_number(parts['overall'])} points is {say_number(parts['trained'])} on the targets "
        f"with fine-tuning ({say_number(parts['without_tydiqa'])} without TyDi QA); the rest is retrieval, which "
        f"would have to gain {say_number(parts['retrieval'])}."
    )
    if lacking:
        return f"Not known: {lacking}. {made_of}"
    fair = table[table["reason"] == ""]
    if fair.empty:
        common = table["reason"].str.split("; ").explode().value_counts()[:3]
        why = "; ".join(f"{reason} ({count})" for reason, count in common.items())
        return (
            f"They cannot be compared: none of {len(table)} means may stand beside a published one. The commonest "
            f"reasons: {why}. {made_of}"
        )
    far = (fair["ours"] - fair["published"]).abs()
    return (
        f"{len(fair)} of {len(table)} means may stand beside a published one, and lie {far.mean():.1f} points from it "
        f"on average, {far.max():.1f} at most. {made_of}"
    )


def answer_response(slopes: pd.DataFrame) -> str:
    """Which distances show in which target's scores, from `xt.response.distance_slopes`, in one or two sentences.

    A predictor is said to show where its 95 % interval lies on one side of 0; the intervals are not adjusted.
    """
    shows = slopes[(slopes["low"] > 0) | (slopes["high"] < 0)]
    if shows.empty:
        return "No: no distance shows in the scores of any target."
    named = shows["predictor"].str.replace("_", " ") + " " + shows["slope"].map(say_number)
    said = [f"{target}: {say_list(words)}" for target, words in named.groupby(shows["target"], sort=False)]
    return (
        f"{len(shows)} of {len(slopes)} pairs of target and predictor show (points from the nearest to the farthest "
        f"language, interval on one side of 0): {'; '.join(said)}."
    )


def format_gains(gains: pd.DataFrame) -> pd.DataFrame:
    """`xt.gains.gain_table` as a table to read: one row per target and intermediate task, numbers as text; where an arm
    was trained in one of the languages, with how many were left out for that (`not zero-shot`)."""
    trained_in = gains.get("num_trained_in", pd.Series(0, index=gains.index))
    share = gains["relative"].map(lambda value: say_number(100 * value), na_action="ignore").fillna("–")
    table = pd.DataFrame({
        "target": gains["target"],
        "intermediate": gains["intermediate"] + gains["placebo"].map({True: " (placebo)", False: ""}),
        "baseline": gains["baseline"].map("{:.1f}".format, na_action="ignore").fillna("–"),
        "gain": gains["gain"].map(say_number),
        "95 % interval": gains.apply(say_interval, axis=1),
        "p": gains["p"].map(say_p),
        "p (Holm)": gains["p_holm"].map(say_p),
        "% of baseline": share,
        "languages": gains["num_languages"],
        "left out": gains["num_at_floor"],
    }).set_index(["target", "intermediate"])  # fmt: skip
    return table.assign(**{"not zero-shot": trained_in.to_numpy()}) if trained_in.any() else table
