"""Gains of intermediate tasks, in sentences and as a table to read."""

import pandas as pd

from xt.prose.words import LEVEL, say_interval, say_list, say_number, say_p


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


def select_notable(gains: pd.DataFrame, most: int = 30) -> pd.DataFrame:
    """The rows of `xt.gains.gain_table` to read first: the reliable gains (those with the smallest p where there are
    more than `most`), and for each target the largest difference of an intermediate task and of a placebo."""
    known = gains[gains["gain"].notna()]
    reliable = known[known["p_holm"] < LEVEL].sort_values("p").index[:most]
    largest = (
        known.assign(size=known["gain"].astype(float).abs()).groupby(["target", "placebo"], sort=False)["size"].idxmax()
    )
    return gains.loc[sorted({*reliable, *largest})]


def title_floors(cells: pd.DataFrame) -> str:
    """How many cells of `xt.gains.language_gain_table`, one row each, are at their floor, and how many are above it."""
    above = (~cells["at_floor"]).groupby(cells["target"], sort=False).agg(["sum", "size"])
    return f"{cells['at_floor'].sum()} of {len(cells)} cells are at their floor: above it are " + say_list(
        f"{row['sum']} of {row['size']} languages in {target}" for target, row in above.iterrows()
    )
