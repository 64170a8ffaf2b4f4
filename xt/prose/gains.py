"""Gains of intermediate tasks, in sentences and as a table to read."""

import pandas as pd

from xt.prose.words import LEVEL, say_interval, say_list, say_number, say_p, say_plain, say_some, split_reliable
from xt.reported import list_left_out, select_primary


def say_gain(row: pd.Series) -> str:
    """One gain with its interval: `squad before xquad (+15.1 points, 95 % interval +10.5 to +19.8)`."""
    twice = "; the same data twice" if row["same_data"] else ""
    numbers = f"{say_number(row['gain'])} points, 95 % interval {say_interval(row)}"
    return f"{row['intermediate']} before {row['target']} ({numbers}{twice})"


def answer_transfer_gain(gains: pd.DataFrame) -> str:
    """Which intermediate task helps which target, from `xt.gains.gain_table`, in one to three sentences.

    A difference is called reliable where its Holm-adjusted p is below 0.05.  Placebo arms are not counted.
    """
    known = gains[~gains["placebo"].astype(bool) & gains["gain"].notna()].sort_values("gain", ascending=False)
    if known.empty:
        return "No gain can be tested: no target has a baseline, an arm and a language above its floor."
    helps, hurts, rest, untested = split_reliable(known, "gain")
    tested = known[known["p_holm"].notna()]
    largest = say_gain(known.loc[(known if tested.empty else tested)["gain"].abs().idxmax()])
    if tested.empty:
        return f"Not known: fewer than three seeds give no p value. The largest difference: {largest}."
    left = f" {len(untested)} more are not tested, as they have fewer than three seeds." if len(untested) else ""
    said = f"{len(rest)} of {len(tested)} pairs of intermediate and target task show no reliable difference"
    if len(rest) == len(tested):
        p = say_p(tested.loc[tested["gain"].abs().idxmax(), "p_holm"])
        return f"None, as far as was tested: {said}. The largest: {largest}, adjusted p {p}.{left}"
    found = [f"{verb}: {say_pairs(part)}. " for verb, part in (("Helps", helps), ("Hurts", hurts)) if len(part)]
    return f"{''.join(found)}The other {said}.{left}"


def say_pairs(gains: pd.DataFrame, most: int = 5) -> str:
    """Each gain with its interval; of more than `most` how many there are before each target, and the largest."""
    said = [say_gain(row) for _, row in gains.sort_values("gain", key=abs, ascending=False).iterrows()]
    if len(said) <= most:
        return say_list(said)
    counts = say_list(f"{count} before {target}" for target, count in gains["target"].value_counts().items())
    return f"{len(said)} pairs, {counts}; the largest: {'; '.join(said[:most])}"


def format_gains(gains: pd.DataFrame) -> pd.DataFrame:
    """`xt.gains.gain_table` as a table to read: one row per target and intermediate task (and encoder, where there are
    several), numbers as text; where an arm was trained in one of the languages, with how many were left out for that
    (`not zero-shot`)."""
    trained_in = gains.get("num_trained_in", pd.Series(0, index=gains.index))
    share = (100 * gains["relative"]).map(say_number)
    one_encoder = gains["encoder"].nunique() <= 1
    table = pd.DataFrame({
        "encoder": gains["encoder"],
        "target": gains["target"],
        "intermediate": gains["intermediate"] + gains["placebo"].map({True: " (placebo)", False: ""}),
        "baseline": gains["baseline"].map(say_plain),
        "gain": gains["gain"].map(say_number),
        "95 % interval": gains.apply(say_interval, axis=1),
        "p": gains["p"].map(say_p),
        "p (Holm)": gains["p_holm"].map(say_p),
        "% of baseline": share,
        "languages": gains["num_languages"],
        "left out": gains["num_at_floor"],
    }).set_index(["encoder", "target", "intermediate"])  # fmt: skip
    table = table.droplevel("encoder") if one_encoder else table
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


def say_unfinished(scores: pd.DataFrame) -> str:
    """Which runs no test uses, as they are of arms or seeds that are not complete (`xt.reported.select_complete`), as a
    sentence; empty where there are none."""
    left = list_left_out(scores)
    if left.empty:
        return ""
    parts = [
        f"seed {seed}: {say_some(rows['intermediate'].unique(), 3)} before {say_some(rows['target'].unique(), 3)}"
        for seed, rows in left.groupby("seed")
    ]
    count = select_primary(scores)["run_id"].nunique()
    every = "every arm at every seed, in every language"
    return f"{len(left)} of {count} runs are in no test, which needs {every} ({'; '.join(parts)})."


def title_floors(cells: pd.DataFrame) -> str:
    """How many cells of `xt.gains.language_gain_table`, one row each, are at their floor, and how many are above it."""
    above = (~cells["at_floor"]).groupby(cells["target"], sort=False).agg(["sum", "size"])
    unknown = int(cells[["floor", "score_low"]].isna().any(axis=1).sum())
    return (
        f"{cells['at_floor'].sum()} of {len(cells)} cells are at their floor: above it are "
        + say_list(f"{row['sum']} of {row['size']} languages in {target}" for target, row in above.iterrows())
        + (f"; of {unknown} it is not known, and they count as above it" if unknown else "")
    )
