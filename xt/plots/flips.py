"""Which examples flip, and what is kept from one language to another."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from xt.plots.languages import label_languages, place_languages


def plot_flips(flips: pd.DataFrame, ax: Axes, arms: Sequence[str]) -> Axes:
    """Arms (rows, `arms` from top to bottom) of one target: examples flipped at the same seed (points), and by another
    seed of the baseline (line), per 100 examples.

    `flips` holds the rows of `xt.flips.flip_table` of one encoder and target.
    """
    places = place_languages(flips["intermediate"], arms)
    if flips["by_seed"].notna().any():
        ax.axvline(flips["by_seed"].mean(), color="C1", label="another seed of the baseline")
    placebo = flips["placebo"].to_numpy(bool)
    for chosen, label, fill in ((~placebo, "intermediate task", "C0"), (placebo, "placebo", "white")):
        if chosen.any():
            ax.plot(flips["flips"][chosen], places[chosen], "o", color="C0", markerfacecolor=fill, label=label)
    label_languages(ax, [arm.replace("_", " ") for arm in arms])
    ax.set_title(flips["target"].iloc[0], loc="left")
    ax.set_xlabel("per 100 examples")
    most = max(0.1, flips[["flips", "by_seed"]].max().max())
    ax.set_xlim(-0.06 * most, 1.08 * most)
    return ax


def plot_repeated(flips: pd.DataFrame, ax: Axes, arms: Sequence[str]) -> Axes:
    """Arms (rows) of one target: flips that another seed repeats less those that it undoes, per 100 examples, with
    their 95 % intervals; filled where the Holm-adjusted p is < 0.05.

    `flips` holds the rows of `xt.flips.flip_table` of one encoder and target.
    """
    places, marked = place_languages(flips["intermediate"], arms), (flips["p_holm"] < 0.05).to_numpy(bool)
    ax.axvline(0, color="0.4", linewidth=0.6)
    error = np.array([flips["repeated"] - flips["low"], flips["high"] - flips["repeated"]], dtype=float)
    look = dict(linestyle="", marker="o", color="C0", elinewidth=0.8, markersize=3)
    for chosen, label, fill in ((marked, "adjusted p < 0.05", "C0"), (~marked, "not reliable, or placebo", "white")):
        ax.errorbar(flips["repeated"][chosen], places[chosen], xerr=error[:, chosen], mfc=fill, label=label, **look)
    label_languages(ax, [arm.replace("_", " ") for arm in arms])
    ax.set_title(flips["target"].iloc[0], loc="left")
    ax.set_xlabel("per 100 examples")
    return ax


def plot_kept(kept: pd.DataFrame, ax: Axes, codes: Sequence[str]) -> Axes:
    """Languages (rows, `codes` from top to bottom): items right in the language (bar), the same of those that are right
    in the training language (point), and of these the share right again at another seed (line), in percent.

    `kept` holds the rows of `xt.consistency.kept_table` of one encoder, target and arm.
    """
    places = place_languages(kept["eval_language"], codes)
    ax.plot(kept["right"], places, "|", color="C1", markersize=6, markeredgewidth=1.5, label="right, of all items")
    label = "right, of those right in the training language"
    ax.plot(kept["kept"], places, "o", color="C0", label=label)
    if kept["again"].notna().any():
        ax.axvline(kept["again"].mean(), color="0.5", linestyle=":", label="right again there at another seed")
    label_languages(ax, codes)
    ax.set_title(kept["target"].iloc[0], loc="left")
    ax.set_xlabel("% of items")
    ax.set_xlim(-4, 104)
    return ax
