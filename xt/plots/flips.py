"""Which examples flip, and what is kept from one language to another."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from xt.plots.forest import draw_intervals, label_rows, mark_zero, place_rows
from xt.prose import LEVEL


def plot_flips(flips: pd.DataFrame, ax: Axes, arms: Sequence[str]) -> Axes:
    """Arms (rows, `arms` from top to bottom) of one target: examples in which the arm at one seed and the baseline at
    another differ (points; with one seed, those flipped at that seed), and two seeds of the baseline (line), per 100.

    `flips` holds the rows of `xt.flips.flip_table` of one encoder and target.
    """
    places, shown = place_rows(flips["intermediate"], arms), flips["across"].fillna(flips["flips"])
    if flips["by_seed"].notna().any():
        ax.axvline(flips["by_seed"].mean(), color="C1", label="two seeds of the baseline")
    placebo = flips["placebo"].to_numpy(bool)
    for chosen, label, fill in ((~placebo, "intermediate task", "C0"), (placebo, "placebo", "white")):
        if chosen.any():
            ax.plot(shown[chosen], places[chosen], "o", color="C0", markerfacecolor=fill, label=label)
    most = max(0.1, shown.max(), flips["by_seed"].fillna(0).max())
    ax.set_xlim(-0.06 * most, 1.08 * most)
    return name_panel(ax, flips, arms)


def plot_repeated(flips: pd.DataFrame, ax: Axes, arms: Sequence[str]) -> Axes:
    """Arms (rows) of one target: flips that another seed repeats less those that it undoes, per 100 examples, with
    their 95 % intervals; filled where the Holm-adjusted p is < 0.05.

    `flips` holds the rows of `xt.flips.flip_table` of one encoder and target.
    """
    places, marked = place_rows(flips["intermediate"], arms), (flips["p_holm"] < LEVEL).to_numpy(bool)
    for chosen, label, fill in ((marked, "adjusted p < 0.05", "C0"), (~marked, "not reliable, or placebo", "white")):
        look = dict(color="C0", markerfacecolor=fill, label=label)
        draw_intervals(mark_zero(ax), flips[chosen], places[chosen], "repeated", **look)
    return name_panel(ax, flips, arms)


def name_panel(ax: Axes, flips: pd.DataFrame, arms: Sequence[str]) -> Axes:
    """Arms at the left, the target above, the unit below."""
    label_rows(ax, arms)
    ax.set_title(flips["target"].iloc[0], loc="left")
    ax.set_xlabel("per 100 examples")
    return ax


def plot_kept(kept: pd.DataFrame, ax: Axes, codes: Sequence[str]) -> Axes:
    """Languages (rows, `codes` from top to bottom): items right in the language (bar), the same of those that are right
    in the training language (point), and of these the share right again at another seed (line), in percent.

    `kept` holds the rows of `xt.consistency.kept_table` of one encoder, target and arm.
    """
    places = place_rows(kept["eval_language"], codes)
    ax.plot(kept["right"], places, "|", color="C1", markersize=6, markeredgewidth=1.5, label="right, of all items")
    label = "right, of those right in the training language"
    ax.plot(kept["kept"], places, "o", color="C0", label=label)
    if kept["again"].notna().any():
        ax.axvline(kept["again"].mean(), color="0.5", linestyle=":", label="right again there at another seed")
    label_rows(ax, codes)
    ax.set_title(kept["target"].iloc[0], loc="left")
    ax.set_xlabel("% of items")
    ax.set_xlim(-4, 104)
    return ax
