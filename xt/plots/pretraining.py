"""Two encoders side by side: differences of gains by group of languages, and scores by language."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from xt.plots.languages import label_languages, place_languages
from xt.plots.style import draw_nothing


def plot_differences(rows: pd.DataFrame, ax: Axes, groups: Sequence[str]) -> Axes:
    """Groups of languages from top to bottom: the gain in the multilingual encoder less that in the English-only one,
    with its 95 % interval. `rows` are those of `xt.pretraining.difference_table` of one target and arm."""
    if rows.empty:
        return draw_nothing(ax)
    places = rows["group"].map({group: place for place, group in enumerate(groups)}).to_numpy()
    error = np.nan_to_num([rows["difference"] - rows["low"], rows["high"] - rows["difference"]])
    ax.axvline(0, color="0.4", linewidth=0.6)
    ax.errorbar(rows["difference"], places, xerr=error, fmt="o", elinewidth=0.8)
    ax.set_yticks(range(len(groups)), groups)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(groups) - 0.4, -0.6)
    ax.grid(axis="y")
    ax.set_title(rows["intermediate"].iloc[0], loc="left")
    ax.set_xlabel("difference of gains (points)")
    return ax


def plot_two_encoders(scores: pd.DataFrame, ax: Axes, codes: Sequence[str]) -> Axes:
    """Baseline score per language in each of two encoders, with its 95 % item-cluster interval; hollow at the floor.

    `scores` holds the rows of `xt.pretraining.scores_by_language` of one target.
    """
    for number, (encoder, rows) in enumerate(scores.groupby("encoder", sort=False)):
        places = place_languages(rows["eval_language"], codes) + 0.18 * (2 * number - 1)
        at_floor = rows["at_floor"].to_numpy(bool)
        for chosen, fill, label in ((~at_floor, f"C{number}", encoder), (at_floor, "white", None)):
            part = rows[chosen]
            error = np.maximum(0, np.nan_to_num([part["score"] - part["low"], part["high"] - part["score"]]))
            look = dict(color=f"C{number}", markerfacecolor=fill, marker="os"[number], markersize=2.5, elinewidth=0.7)
            ax.errorbar(part["score"], places[chosen], xerr=error, linestyle="", label=label, **look)
    label_languages(ax, codes)
    ax.set_title(scores["target"].iloc[0], loc="left")
    ax.set_xlabel("score (points)")
    return ax
