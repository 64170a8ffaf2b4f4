"""Robustness over languages in sentences and as a table to read, from `xt.robustness` and `xt.response`."""

from collections.abc import Mapping

import pandas as pd

from xt.gains import ALL, BASELINE
from xt.prose.scaling import say_left
from xt.prose.words import LEVEL, say_interval, say_list, say_number, say_p, say_plain, say_some
from xt.stats.trend import FEWEST_DF

PRIMARY = "slope"


def answer_robustness(table: pd.DataFrame, lacking: str = "") -> str:
    """How steeply scores fall with distance, and what arms change in that; `lacking`: what to run where there are no
    results."""
    slopes = table[table["measure"] == PRIMARY]
    if slopes.empty:
        return f"Not known: {lacking or 'no target has three languages above their floor, at known distances'}."
    return f"{say_slopes(slopes)}{say_without(table)} {say_changes(slopes)}"


def say_slopes(slopes: pd.DataFrame) -> str:
    """The baseline's slope in each target."""
    own = slopes[slopes["intermediate"] == "none"]
    said = say_list(f"{row['target']} {say_number(row['value'])} ({say_interval(row)})" for _, row in own.iterrows())
    return f"Without an intermediate task, on the line from the nearest to the farthest language: {said} points."


def say_without(table: pd.DataFrame) -> str:
    """The targets without a slope, as a sentence; empty where there are none."""
    left = sorted(set(table["target"]) - set(table.loc[table["measure"] == PRIMARY, "target"]))
    why = "three languages above their floor and at known distances are needed"
    return f" No slope for {say_list(left)}: {why}." if left else ""


def say_changes(slopes: pd.DataFrame) -> str:
    """Which intermediate tasks change the slope reliably."""
    asked = slopes[slopes["change"].notna() & ~slopes["placebo"].astype(bool)]
    tested = asked[asked["p_holm"].notna()]
    if tested.empty:
        return "What a task changes in that is not tested: fewer than three seeds give no p value."
    found = tested[tested["p_holm"] < LEVEL].sort_values("change", key=abs, ascending=False)
    said = say_some(
        f"{row['intermediate']} before {row['target']} {say_number(row['change'])} ({say_interval(row, 'change_')})"
        for _, row in found.iterrows()
    )
    rest = f"; {len(asked) - len(tested)} more are not tested" if len(asked) > len(tested) else ""
    head = f"{len(found)} of {len(tested)} tested pairs of intermediate and target task change that slope reliably"
    return f"{head}: {said}{rest}."


def say_trend(trends: pd.DataFrame, sizes: pd.DataFrame, cubes: Mapping, lacking: str = "") -> str:
    """What size does to the slopes in one study (`xt.robustness.slope_trends`), in the mean over targets first, with
    what is left out. `sizes, cubes`: `xt.scaling.load_sizes`; `lacking`: what to run where there are no results."""
    targets = [target for target in cubes if target in set(trends["target"])]
    without = say_list(target for target in cubes if target not in targets)
    left = say_left(sizes) + f" No slope in every encoder: {without}." * (len(targets) < len(cubes))
    if trends.empty:
        there = sizes.loc[sizes["compared"].astype(bool), "size"]
        needed = "encoders of two sizes, alike in all else, with slopes after the same arms, are needed"
        why = lacking or f"{needed}; compared here: {len(there)} of {there.nunique()} sizes"
        return f"Whether size changes the slope is not known: {why}.{left}"
    own = trends[(trends["target"] == ALL) & (trends["intermediate"] == BASELINE)].iloc[0]
    slope = f"{say_number(own['slope'])} points in the mean over {say_list(targets)} ({say_interval(own)}"
    head = f"With every doubling of size ({own['num_encoders']} encoders) the slope changes by {slope}"
    if pd.isna(own["p"]):
        return f"{head}); nothing is tested, as {FEWEST_DF + 2} encoders are needed for a p value.{left}"
    tested = trends.drop(index=own.name).dropna(subset="p_adjusted")
    families = {
        "changes by an arm in that mean (Holm)": tested[tested["target"] == ALL],
        "slopes and changes of single targets (Benjamini and Hochberg)": tested[tested["target"] != ALL],
    }
    counts = say_list(f"{(rows['p_adjusted'] < LEVEL).sum()} of {len(rows)} {what}" for what, rows in families.items())
    return f"{head}, p {say_p(own['p_adjusted'])} by Holm); with size go reliably {counts}.{left}"


def count_by_chance(p: pd.Series) -> str:
    """`6 of 85 have p below 0.05, where chance alone gives 4`; that nothing was tested where there is no p value."""
    tested = p.astype(float).dropna()
    if tested.empty:
        return "none is tested: fewer than three seeds, or too few languages, give no p value"
    return f"{(tested < LEVEL).sum()} of {len(tested)} have p below {LEVEL}, where chance alone gives " + (
        f"{LEVEL * len(tested):.0f}" if LEVEL * len(tested) >= 1 else "less than 1"
    )


def say_ranks(ranks: pd.DataFrame) -> str:
    """In how many targets scores fall with the mean distance, of `xt.response.rank_correlations`, beside what chance
    gives; the components, which make up the mean, are counted apart."""
    told = (ranks["high"] < 0) | (ranks["low"] > 0)
    parts = []
    for name, whole in (("the mean distance", True), ("a component or the amount of text", False)):
        own = (ranks["component"] == "distance") == whole
        chance = 0.05 * own.sum()
        parts.append(f"with {name} in {(told & own).sum()} of {own.sum()} cases (chance alone gives {chance:.1f})")
    falls = (told & (ranks["rho"] < 0)).sum()
    return f"Ranks of scores go {say_list(parts)}; {falls} of these {told.sum()} are negative"


def format_baseline(table: pd.DataFrame) -> pd.DataFrame:
    """The baseline in `xt.robustness.robustness_table`: one row per target, one column per measure, with intervals."""
    own = table[table["intermediate"] == "none"]
    text = [say_plain(row["value"]) + in_brackets(row) for _, row in own.iterrows()]
    return spread_out(own.assign(text=text), "target", "measure")


def format_changes(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """What each arm changes in a measure: one row per arm, one column per target, with intervals; `*`: Holm-adjusted p
    below 0.05."""
    arms = table[(table["measure"] == measure) & table["change"].notna()]
    mark = (arms["p_holm"] < LEVEL).map({True: "*", False: ""})
    text = [say_number(row["change"]) + in_brackets(row, "change_") for _, row in arms.iterrows()]
    return spread_out(arms.assign(text=text + mark), "intermediate", "target")


def in_brackets(row: pd.Series, of: str = "") -> str:
    """An interval behind a number; empty where there is none."""
    return "" if pd.isna(row[f"{of}low"]) else f" ({say_interval(row, of)})"


def spread_out(table: pd.DataFrame, index: str, columns: str) -> pd.DataFrame:
    """`text` by rows and columns in the order in which they come, a dash where there is none."""
    wide = table.pivot_table(index=index, columns=columns, values="text", aggfunc="first", sort=False)
    return wide.reindex(columns=table[columns].unique()).fillna("–")


def format_coefficients(table: pd.DataFrame) -> pd.DataFrame:
    """Coefficients of `xt.stats.mixed` as a table to read."""
    return pd.DataFrame({
        "of": table["term"], "predictor": table["predictor"].str.replace("_", " "),
        "points": table["estimate"].map(say_number),
        "95 % interval": table.apply(say_interval, axis=1), "p": table["p"].map(say_p),
        "p (permuted)": table["p_permuted"].map(say_p),
        "languages": table["n"], "vif": table["vif"].map(say_plain),
    }).set_index(["of", "predictor"])  # fmt: skip
