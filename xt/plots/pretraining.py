"""Two encoders side by side: differences of gains by group of languages, and scores by language."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from xt.plots.forest import draw_intervals, label_rows, mark_zero, place_rows
from xt.plots.style import draw_nothing


def plot_differences(rows: pd.DataFrame, ax: Axes, groups: Sequence[str]) -> Axes:
    """Groups of languages from top to bottom: the gain in the multilingual encoder less that in the English-only one,
    with its 95 % interval. `rows` are those of `xt.pretraining.difference_table` of one target and arm."""
    if rows.empty:
        return draw_nothing(ax)
    draw_intervals(mark_zero(ax), rows, place_rows(rows["group"], groups), "difference")
    label_rows(ax, groups)
    ax.set_title(rows["intermediate"].iloc[0], loc="left")
    ax.set_xlabel("difference of gains (points)")
    return ax


def plot_two_encoders(scores: pd.DataFrame, ax: Axes, codes: Sequence[str]) -> Axes:
    """Baseline score per language in each of two encoders, with its 95 % item-cluster interval; hollow at the floor.

    `scores` holds the rows of `xt.pretraining.scores_by_language` of one target.
    """
    if scores.empty:
        return draw_nothing(ax)
    for number, (encoder, rows) in enumerate(scores.groupby("encoder", sort=False)):
        places = place_rows(rows["eval_language"], codes) + 0.18 * (2 * number - 1)
        at_floor = rows["at_floor"].to_numpy(bool)
        for chosen, fill, label in ((~at_floor, f"C{number}", encoder), (at_floor, "white", None)):
            look = dict(color=f"C{number}", markerfacecolor=fill, marker="os"[number], markersize=2.5)
            draw_intervals(ax, rows[chosen], places[chosen], "score", label=label, **look)
    label_rows(ax, codes)
    ax.set_title(scores["target"].iloc[0], loc="left")
    ax.set_xlabel("score (points)")
    return ax
