"""Size and gains in sentences and as a table to read, from `xt.scaling`."""

import pandas as pd

from xt.gains import ALL
from xt.prose.words import LEVEL, say_interval, say_list, say_number, say_p
from xt.scaling import MEASURES, POINTS
from xt.stats import OF_BASELINE, OF_ERROR
from xt.stats.trend import FEWEST_DF

UNITS = {POINTS: "points", OF_BASELINE: "% of the baseline", OF_ERROR: "% of the remaining error"}
"""Measure of a gain -> its unit."""


def answer_scaling(trends: pd.DataFrame, encoders: int, lacking: str = "") -> str:
    """Whether the relative gain falls with size, over all targets. `encoders`: how many could be compared; `lacking`:
    what to run where there are no results."""
    primary = trends[(trends["target"] == ALL) & ~trends["placebo"].astype(bool)]
    if primary.empty:
        why = lacking or f"a trend needs encoders of two sizes, alike in all else; here it is {encoders}"
        return f"Not known: {why}."
    shares = {measure: primary[primary["measure"] == measure] for measure in MEASURES}
    said = ". ".join(
        f"{say_verdict(shares[measure])}{say_trends(shares[measure])}" for measure in (OF_BASELINE, OF_ERROR)
    )
    return (
        f"{say_decided(primary)}{said}. In points: {say_list(say_trend(row) for _, row in shares[POINTS].iterrows())}."
    )


def say_decided(primary: pd.DataFrame) -> str:
    """What the trends can decide, before they are told."""
    count, df = primary["num_encoders"].iloc[0], primary["df"].iloc[0]
    if df < FEWEST_DF:
        return f"Not decided: {count} encoders give no p value, {FEWEST_DF + 2} would. "
    both = [
        {row["intermediate"] for _, row in primary[primary["measure"] == measure].iterrows() if is_falling(row)}
        for measure in (OF_BASELINE, OF_ERROR)
    ]
    arms, falls = list(dict.fromkeys(primary["intermediate"])), both[0] & both[1]
    if falls:
        return f"Yes, for {say_list(arm for arm in arms if arm in falls)}, by either share. "
    if both[0] | both[1]:
        part = say_list(arm for arm in arms if arm in both[0] | both[1])
        return f"It depends on what the gain is divided by, for {part}. "
    return "No reliable fall of a relative gain. "


def is_falling(row: pd.Series) -> bool:
    """Whether a trend reliably lowers what is a gain, or brings a loss nearer to none; a deeper loss is no fall."""
    towards_zero = row["slope"] * (row["smallest"] + row["largest"]) < 0
    return bool(row["p_adjusted"] < LEVEL and towards_zero)


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
