"""Size and gains in sentences and as a table to read, from `xt.scaling`."""

import numpy as np
import pandas as pd

from xt.gains import ALL
from xt.prose.words import LEVEL, say_interval, say_list, say_number, say_p, say_some
from xt.scaling import MEASURES, OF_BASELINE, OF_ERROR, POINTS
from xt.stats.trend import FEWEST_DF

UNITS = {POINTS: "points", OF_BASELINE: "% of the baseline", OF_ERROR: "% of the remaining error"}
"""Measure of a gain -> its unit."""


CHANGES = {
    (1, 1, -1): "a gain shrinks", (1, 1, 1): "a gain grows", (1, -1, -1): "a gain turns into a loss",
    (-1, -1, 1): "a loss shrinks", (-1, -1, -1): "a loss deepens", (-1, 1, 1): "a loss turns into a gain",
}  # fmt: skip
"""Signs of the gain in the smallest and in the largest encoders, and of the trend -> what happens with size. The first
alone is a smaller gain."""


def answer_scaling(trends: pd.DataFrame, sizes: pd.DataFrame, lacking: str = "") -> str:
    """Whether the relative gain shrinks with size, over all targets. `sizes`: `xt.scaling.size_table`; `lacking`: what
    to run where there are no results."""
    primary = trends[(trends["target"] == ALL) & ~trends["placebo"].astype(bool)]
    left = say_left(sizes)
    if primary.empty:
        there = sizes.loc[sizes["compared"], "size"]
        why = lacking or (
            "a trend needs encoders of two sizes, alike in all else, with scores above the floor after the same arms; "
            f"compared here: {len(there)} of {there.nunique()} sizes"
        )
        return f"Not known: {why}.{left}"
    shares = {measure: primary[primary["measure"] == measure] for measure in MEASURES}
    said = ". ".join(f"{say_verdict(rows)}{say_trends(rows)}" for rows in (shares[OF_BASELINE], shares[OF_ERROR]))
    return f"{say_decided(primary)}{said}. In points: {say_trends(shares[POINTS])}.{left}"


def say_left(sizes: pd.DataFrame) -> str:
    """The encoders that cannot be compared yet, as a sentence; empty where there are none."""
    left = sizes[~sizes["compared"].astype(bool)]
    return f" Left out, as runs that the others have are missing: {say_list(left['encoder'])}." if len(left) else ""


def say_apart(left: pd.DataFrame) -> str:
    """The arms that encoders are not compared on (`xt.scaling.list_apart`), as a sentence; empty where there are none:
    all that every encoder has begun, and the first of the others."""
    why = {True: "not complete in every encoder", False: "of which an encoder has no run"}
    parts = [
        f"{why[begun]}: {(say_list if begun else say_some)(rows['intermediate'] + ' before ' + rows['target'])}"
        for begun, rows in left.groupby("begun", sort=False)
    ]
    return f"Not compared are arms {'; '.join(parts)}." if parts else ""


def say_decided(primary: pd.DataFrame) -> str:
    """What the trends can decide, before they are told."""
    count, df = primary["num_encoders"].iloc[0], primary["df"].iloc[0]
    if df < FEWEST_DF:
        return f"Not decided: {count} encoders give no p value, {FEWEST_DF + 2} would. "
    found: dict[str, dict[str, list[str]]] = {}
    for row in primary[primary["measure"] != POINTS].to_dict("records"):
        word = name_change(row)
        found.setdefault(row["intermediate"], {}).setdefault(word, []).append(row["measure"])
    either = {word: [arm for arm, words in found.items() if set(words) == {word}] for word in CHANGES.values()}
    shrinks, *others = CHANGES.values()
    head = f"Yes, for {say_list(either[shrinks])}, by either share. " if either[shrinks] else (
        "No gain shrinks reliably by both shares. "
    )  # fmt: skip
    said = [f"With size {word}, by either share, for {say_list(either[word])}. " for word in others if either[word]]
    split = [arm for arm, words in found.items() if len(words) > 1]
    said += [f"It depends on what the gain is divided by for {say_list(split)}. "] if split else []
    return head + "".join(said)


def name_change(row: dict) -> str:
    """What reliably happens with size to the gain of a row of trends; empty where nothing does."""
    signs = tuple(int(np.sign(row[name])) for name in ("smallest", "largest", "slope"))
    return CHANGES.get(signs, "") if row["p_adjusted"] < LEVEL else ""


def say_verdict(rows: pd.DataFrame) -> str:
    """The head of a sentence on one measure."""
    return f"With every doubling of size the gain changes, in {UNITS[rows['measure'].iloc[0]]}: "


def say_trends(rows: pd.DataFrame) -> str:
    """The trends of the arms, one after the other."""
    return say_list(say_trend(row) for _, row in rows.iterrows())


def say_trend(row: pd.Series) -> str:
    """`squad −1.2 (−2.0 to −0.4; +6.1 in the smallest, +3.5 in the largest)`."""
    ends = f"{say_number(row['smallest'])} in the smallest, {say_number(row['largest'])} in the largest"
    return f"{row['intermediate']} {say_number(row['slope'])} ({say_interval(row)}; {ends})"


def format_trends(trends: pd.DataFrame) -> pd.DataFrame:
    """`xt.scaling.trend_table` as a table to read: one row per target, arm and measure, numbers as text."""
    return pd.DataFrame({
        "target": trends["target"],
        "arm": trends["intermediate"] + trends["placebo"].map({True: " (placebo)", False: ""}),
        "gain in": trends["measure"].map(UNITS),
        "smallest": trends["smallest"].map(say_number),
        "largest": trends["largest"].map(say_number),
        "per doubling": trends["slope"].map(say_number),
        "95 % interval": [say_interval(row) for _, row in trends.iterrows()],
        "p": trends["p"].map(say_p),
        "p (adjusted)": trends["p_adjusted"].map(say_p),
        "encoders": trends["num_encoders"],
    }).set_index(["target", "arm"])  # fmt: skip


def format_cells(cells: pd.DataFrame) -> pd.DataFrame:
    """`xt.scaling.flag_cells` counted: languages per target and encoder at the floor, at the ceiling, and compared."""
    keys = ["target", "encoder"]
    return cells.groupby(keys, sort=False)[["at_floor", "at_ceiling", "compared"]].sum().join(
        cells.groupby(keys, sort=False)["score"].agg(languages="size", score="mean").round(1)
    ).rename(columns={"at_floor": "at the floor", "at_ceiling": "at the ceiling", "score": "mean score"})  # fmt: skip
